"""A hedging rule over history."""

from hedging.replay.fitting import METHODS, Method, Rule
from hedging.replay.history import parse
from hedging.replay.report import LegUse, Result, Week, drawdown, run, summary
from hedging.replay.run import FundingHistory, Paths, run_many

__all__ = [
    "METHODS",
    "FundingHistory",
    "LegUse",
    "Method",
    "Paths",
    "Result",
    "Rule",
    "Week",
    "drawdown",
    "parse",
    "run",
    "run_many",
    "summary",
]
