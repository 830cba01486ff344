"""The drill of 10 October 2025: what comes after the fall, by the time since it began. Prices are in `shocks`."""

from datetime import timedelta

NEAR_FROM = timedelta(minutes=3)  # from here on shorts stand far in front in the queue for auto-deleveraging
CLOSED_AT = timedelta(minutes=6)  # exchanges close shorts by themselves
AWAY_FROM, AWAY_UNTIL = timedelta(minutes=9), timedelta(minutes=15)  # and then answer nobody


def near(since: timedelta | None) -> bool:
    return since is not None and NEAR_FROM <= since < CLOSED_AT


def away(since: timedelta | None) -> bool:
    return since is not None and AWAY_FROM <= since < AWAY_UNTIL
