"""A hedging rule over history."""

from hedging.replay.fitting import METHODS, Method, Rule
from hedging.replay.history import parse
from hedging.replay.outlook import Outlook, Runway, outlook
from hedging.replay.report import LegUse, Result, Week, drawdown, run, summary
from hedging.replay.run import FundingHistory, Paths, run_many

__all__ = [
    "METHODS",
    "FundingHistory",
    "LegUse",
    "Method",
    "Outlook",
    "Paths",
    "Result",
    "Rule",
    "Runway",
    "Week",
    "drawdown",
    "outlook",
    "parse",
    "run",
    "run_many",
    "summary",
]
