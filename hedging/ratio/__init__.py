"""Hedge ratios: how much of an instrument moves with a holding, how sure that is, and how well it would have worked."""

from hedging.ratio.estimators import (
    NAIVE,
    asynchronous,
    downside,
    ewma,
    hedge_size,
    manual,
    robust,
    shrunk,
    volatility_ratio,
)
from hedging.ratio.regression import MIN_RETURNS, Estimate, beta_matrix, beta_table, joint_betas, ols

__all__ = [
    "MIN_RETURNS",
    "NAIVE",
    "Estimate",
    "asynchronous",
    "beta_matrix",
    "beta_table",
    "downside",
    "ewma",
    "hedge_size",
    "joint_betas",
    "manual",
    "ols",
    "robust",
    "shrunk",
    "volatility_ratio",
]
