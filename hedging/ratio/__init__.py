"""Hedge ratios: how much of an instrument moves with a holding, how sure that is, and how well it would have worked."""

from hedging.ratio.regression import MIN_RETURNS, Estimate, beta_matrix, beta_table, joint_betas, ols

__all__ = ["MIN_RETURNS", "Estimate", "beta_matrix", "beta_table", "joint_betas", "ols"]
