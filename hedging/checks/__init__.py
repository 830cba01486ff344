"""What a tick asks of everybody at once: flat arrays of states in, what changed out."""

from hedging.checks.book import Book
from hedging.checks.hysteresis import coverage_drift, market_move
from hedging.checks.tick import KINDS, LEVELS, Levels, Thresholds, Transitions, measures, tick

__all__ = [
    "KINDS",
    "LEVELS",
    "Book",
    "Levels",
    "Thresholds",
    "Transitions",
    "coverage_drift",
    "market_move",
    "measures",
    "tick",
]
