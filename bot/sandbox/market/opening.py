"""Opening a world: a new one, or the one that the data folder remembers."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from bot.sandbox.market.clock import MarketClock
from bot.sandbox.market.coins import COINS
from bot.sandbox.market.errors import BadHistory
from bot.sandbox.market.history import HistoryPath, read_history
from bot.sandbox.market.journal import Journal, JournalFile, resumed
from bot.sandbox.market.path import HOUR_MS, PricePath
from bot.sandbox.market.simulation import HISTORY_HOURS, SimulatedPath
from bot.sandbox.market.world import World

DEFAULT_SPEED, DEFAULT_SEED = 10.0, 7


def open_world(
    data: Path,
    *,
    history: Path | None = None,
    start: datetime | None = None,
    speed: float | None = None,
    seed: int = DEFAULT_SEED,
    today: datetime | None = None,
    wall: Callable[[], float] = time.monotonic,
) -> World:
    """The world kept in the folder `data`; a new one there when it has none.

    `history`: a tidy CSV to replay instead of the simulation, from `start` (aware; by default a week before the worst
    week of an equal-weight basket). `speed`: market seconds per wall second; by default 10, or what it was. A new
    simulation begins at the full hour of `start` (by default of `today`, the present). `start`, `seed` and `today`
    matter only to a new world. A world goes on where it was left: while nobody runs it, no market time passes.

    Raises BadHistory, OtherMarket or MarketError with one sentence.
    """
    file = JournalFile(data)
    kept = file.read()
    if history is not None:
        content = read_history(history)
        replay = HistoryPath(content)
        journal = (
            resumed(kept, content.fingerprint, speed)
            if kept
            else _new_replay(replay, content.fingerprint, start)
        )
        path: PricePath = replay
    else:
        if kept:
            journal = resumed(kept, "simulated", speed)
        else:
            now = start or today or datetime.now(UTC)
            hour_ms = int(now.timestamp()) // 3600 * HOUR_MS
            journal = Journal("simulated", seed, hour_ms - HISTORY_HOURS * HOUR_MS, hour_ms, DEFAULT_SPEED)
        path = _simulated(journal.seed, journal.start_ms)
    pace = journal.speed if speed is None else speed
    clock = MarketClock(journal.now_ms, pace, path.start_ms + path.hours * HOUR_MS, wall)
    return World(path, clock, journal, file)


@lru_cache(maxsize=1)
def _simulated(seed: int, start_ms: int) -> SimulatedPath:
    """What a path has once answered it answers again, so worlds of one seed and beginning may share it."""
    return SimulatedPath(COINS, seed, start_ms)


def _new_replay(replay: HistoryPath, fingerprint: str, start: datetime | None) -> Journal:
    end_ms = replay.start_ms + replay.hours * HOUR_MS
    if start is None:
        now_ms = replay.start_ms + replay.worst_week_eve() * HOUR_MS
    else:
        now_ms = int(start.timestamp() * 1000)
        if not replay.start_ms < now_ms < end_ms:
            first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (replay.start_ms, end_ms))
            raise BadHistory(f"The start must lie within the history, {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
    return Journal(fingerprint, DEFAULT_SEED, replay.start_ms, now_ms, DEFAULT_SPEED)
