"""What the watch remembers of a user from one tick to the next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

REFERENCE_LASTS = timedelta(hours=24)
NEW_HIGH = 1.01


@dataclass(frozen=True, slots=True)
class Memory:
    """`hedged`: a short is or should be open, so that its loss is noticed. `prices`: US dollars a unit at `since`
    (market time), what moves are measured from. `base`: (amount, price) of each coin when the hedge was made, at
    `began` (market time). Falls are measured from the most that the holdings were worth over what they are worth at
    `prices`: `high` since then, `high_before` in the day before it. So a peak is known for a day at least."""

    hedged: bool = False
    since: datetime | None = None
    prices: Mapping[str, float] | None = None
    began: datetime | None = None
    base: Mapping[str, tuple[float, float]] | None = None
    high: float = 1.0
    high_before: float = 1.0

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        return cls(
            hedged=bool(record.get("hedged")),
            since=_time(record.get("since")),
            prices={k: float(v) for k, v in record["prices"].items()} if record.get("prices") else None,
            began=_time(record.get("began")),
            base={k: (v[0], v[1]) for k, v in record["base"].items()} if record.get("base") else None,
            high=float(record.get("high") or 1.0),
            high_before=float(record.get("high_before") or 1.0),
        )

    def record(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "hedged": self.hedged,
            "since": self.since.isoformat() if self.since else None,
            "prices": dict(self.prices) if self.prices is not None else None,
            "began": self.began.isoformat() if self.began else None,
            "base": {k: list(v) for k, v in self.base.items()} if self.base is not None else None,
            "high": self.high,
            "high_before": self.high_before,
        }

    def after(
        self,
        now: datetime,
        held: Iterable[str],
        spot: Mapping[str, float],
        *,
        ratio: float = 1.0,
        moved: bool,
    ) -> "Memory":
        """What to remember from now on: moves are measured from the last alert, and at least anew every day. `ratio`:
        as `rose` has it."""
        known = self.prices or {}
        if self.since is None or moved or now - self.since >= REFERENCE_LASTS:
            prices = {asset: spot[asset] for asset in held if asset in spot}
            before = 1.0 if moved or ratio <= 0 else max(self.high / ratio, 1.0)
            return replace(self, since=now, prices=prices, high=1.0, high_before=before)
        new = {asset: spot[asset] for asset in held if asset not in known and asset in spot}
        return replace(self, prices={**known, **new}) if new else self

    def rose(self, ratio: float) -> "Memory":
        """`ratio`: what the holdings are worth over what they are worth at the remembered prices. A new high counts
        when it is one by a percent."""
        return replace(self, high=ratio) if ratio > self.high * NEW_HIGH else self

    def begun(self, at: datetime, held: Mapping[str, float], prices: Mapping[str, float]) -> "Memory":
        """A hedge was opened or set anew at `at`: its age, and what it is a hedge of, count from there."""
        base = {asset: (amount, prices[asset]) for asset, amount in held.items() if asset in prices}
        return Memory(True, at, dict(prices), at, base)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
