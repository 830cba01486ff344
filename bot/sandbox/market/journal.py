"""The market on disk: what it was made of and what was done to it, which is all it takes to get it back."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.sandbox.market.errors import MarketError, OtherMarket
from bot.sandbox.market.shocks import Shock

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Journal:
    """`source`: "simulated", or the fingerprint of a history file. `start_ms`: boundary 0 of a simulated path, the
    first live instant of a replayed one. `now_ms`: market time that is not passed again: a lease that is
    written ahead, so that a killed market never goes back in time."""

    source: str
    seed: int
    start_ms: int
    now_ms: int
    speed: float
    shocks: tuple[Shock, ...] = field(default=())


class JournalFile:
    """One small JSON file, replaced whole, so that it is never half written."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "market.json"

    def read(self) -> Journal | None:
        """What was written last, or None the first time. Raises MarketError when it cannot be understood."""
        try:
            state = json.loads(self._file.read_text(encoding="utf-8"))
            return _journal(state)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MarketError(
                f"The market's state in {self._file.name} cannot be read; start with --fresh to begin anew."
            ) from error

    def write(self, journal: Journal) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".part")
        with fresh.open("w", encoding="utf-8") as stream:
            json.dump({"format": _FORMAT, **asdict(journal)}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._file)


def resumed(journal: Journal, source: str, speed: float | None) -> Journal:
    """The journal to go on from. Raises OtherMarket when it belongs to another source of prices."""
    if journal.source != source:
        had = "the simulated market" if journal.source == "simulated" else "the replay of a history file"
        raise OtherMarket(f"The data folder holds {had}: start as before, or with --fresh to begin anew.")
    return journal if speed is None else replace(journal, speed=speed)


def _journal(state: Mapping[str, Any]) -> Journal:
    if state["format"] != _FORMAT:
        raise ValueError("a format of another version")
    shocks = tuple(
        Shock(shock["kind"], float(shock["size"]), int(shock["at_ms"])) for shock in state["shocks"]
    )
    return Journal(
        source=str(state["source"]),
        seed=int(state["seed"]),
        start_ms=int(state["start_ms"]),
        now_ms=int(state["now_ms"]),
        speed=float(state["speed"]),
        shocks=shocks,
    )
