"""Hours on somebody's wall clock. The instants are taken from the zones' published rules, not from the code."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ports.watching import AlertSettings
from bot.services.desk.hours import known_zone, local_day, morning, next_at, quiet_until
from hedging.errors import BadInput

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
BERLIN, ZONES = "Europe/Berlin", ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def nights(zone: str = BERLIN, begin: int = 22 * 60, end: int = 7 * 60) -> AlertSettings:
    return AlertSettings(1, zone, begin, end)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-10 20:59", None),  # 21:59 in Berlin
        ("2026-01-10 21:00", "2026-01-11 06:00"),
        ("2026-01-11 05:59", "2026-01-11 06:00"),
        ("2026-01-11 06:00", None),
        ("2026-07-10 20:00", "2026-07-11 05:00"),  # summer time
        (
            "2026-03-28 22:00",
            "2026-03-29 05:00",
        ),  # the night of the skipped hour: 8 hours of quiet instead of 9
        ("2026-10-24 21:00", "2026-10-25 06:00"),  # the night of the repeated one: 10
    ],
)
def test_a_night_ends_at_seven_on_the_clock_on_the_wall(now: str, end: str | None) -> None:
    assert quiet_until(utc(now), nights()) == (utc(end) if end else None)


def test_quiet_hours_in_the_middle_of_the_day_lie_in_one_day() -> None:
    nap = AlertSettings(1, "UTC", 13 * 60, 15 * 60)
    assert quiet_until(utc("2026-01-10 14:00"), nap) == utc("2026-01-10 15:00")
    assert quiet_until(utc("2026-01-10 15:00"), nap) is None


def test_who_has_no_quiet_hours_is_never_quiet() -> None:
    assert quiet_until(utc("2026-01-10 03:00"), AlertSettings(1)) is None
    assert quiet_until(utc("2026-01-10 03:00"), nights(begin=60, end=60)) is None


def test_an_hour_that_is_skipped_comes_when_it_would_have_come() -> None:
    # 2026-03-29 in Berlin has no 02:30: 02:00 is 03:00 at 01:00 UTC.
    assert next_at(utc("2026-03-28 23:00"), 2 * 60 + 30, nights()) == utc("2026-03-29 01:30")


def test_an_hour_that_is_repeated_comes_once() -> None:
    # 2026-10-25 has 02:30 at 00:30 and at 01:30 UTC.
    first = next_at(utc("2026-10-24 23:00"), 2 * 60 + 30, nights())
    assert first == utc("2026-10-25 00:30")
    assert next_at(first, 2 * 60 + 30, nights()) == utc("2026-10-26 01:30")


def test_the_morning_is_the_end_of_the_quiet_hours_or_eight() -> None:
    assert morning(utc("2026-01-10 12:00"), nights()) == utc("2026-01-11 06:00")
    assert morning(utc("2026-01-10 12:00"), AlertSettings(1, "Asia/Kolkata")) == utc("2026-01-11 02:30")


@given(
    st.integers(0, 3 * 365 * 1440),
    st.integers(0, 1439),
    st.sampled_from(ZONES),
)
def test_every_day_has_its_hour_exactly_once(start: int, minutes: int, zone: str) -> None:
    settings, now = nights(zone), FIRST + timedelta(minutes=start)
    days = []
    for _ in range(4):
        now = next_at(now, minutes, settings)
        days.append(local_day(now, settings))
    assert [(b - a).days for a, b in pairwise(days)] == [1, 1, 1]


@given(
    st.integers(0, 3 * 365 * 1440),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(ZONES),
)
def test_quiet_hours_end_when_they_say_so(start: int, begin: int, end: int, zone: str) -> None:
    settings, now = nights(zone, begin, end), FIRST + timedelta(minutes=start)
    until = quiet_until(now, settings)
    if until is not None:
        assert now < until <= now + timedelta(hours=26)
        assert quiet_until(until, settings) is None
        shown = until.astimezone(ZoneInfo(zone))
        assert abs(shown.hour * 60 + shown.minute - end) <= 60  # later only where the clock skips that minute


def test_a_zone_is_known_by_its_city_in_any_spelling() -> None:
    assert known_zone("europe/berlin") == BERLIN
    assert known_zone(" New York ") == "America/New_York"
    with pytest.raises(BadInput, match="no time zone Atlantis"):
        known_zone("Atlantis")
