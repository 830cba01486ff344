"""A hedging rule over history."""

from hedging.replay.history import parse

__all__ = ["parse"]
