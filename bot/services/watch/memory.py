"""What the watch remembers of a user from one tick to the next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

REFERENCE_LASTS = timedelta(hours=24)
NEW_HIGH = 1.01
HIGH_AGES = timedelta(hours=6)  # after which the same height is noted once more


@dataclass(frozen=True, slots=True)
class Memory:
    """`hedged`: a short is or should be open, so that its loss is noticed. `prices`: US dollars a unit at `since`
    (market time), what moves are measured from. `base`: (amount, price) of each coin when the hedge was made, at
    `began` (market time). `high`: the most that the holdings were worth lately, at `high_at`, over what they are worth
    at `prices`: falls are measured from there."""

    hedged: bool = False
    since: datetime | None = None
    prices: Mapping[str, float] | None = None
    began: datetime | None = None
    base: Mapping[str, tuple[float, float]] | None = None
    high: float = 1.0
    high_at: datetime | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        return cls(
            hedged=bool(record.get("hedged")),
            since=_time(record.get("since")),
            prices={k: float(v) for k, v in record["prices"].items()} if record.get("prices") else None,
            began=_time(record.get("began")),
            base={k: (v[0], v[1]) for k, v in record["base"].items()} if record.get("base") else None,
            high=float(record.get("high") or 1.0),
            high_at=_time(record.get("high_at")),
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
            "high_at": self.high_at.isoformat() if self.high_at else None,
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
        as `rose` has it. A high of less than two days ago stays one."""
        known = self.prices or {}
        if self.since is None or moved or now - self.since >= REFERENCE_LASTS:
            prices = {asset: spot[asset] for asset in held if asset in spot}
            lasts = self.high_at is not None and now - self.high_at < 2 * REFERENCE_LASTS and not moved
            high = max(self.high / ratio, 1.0) if lasts and ratio > 0 else 1.0
            return replace(self, since=now, prices=prices, high=high, high_at=self.high_at if lasts else now)
        new = {asset: spot[asset] for asset in held if asset not in known and asset in spot}
        return replace(self, prices={**known, **new}) if new else self

    def rose(self, now: datetime, ratio: float) -> "Memory":
        """`ratio`: what the holdings are worth over what they are worth at the remembered prices. A new high counts
        when it is one by a percent; one that is held stays young."""
        if ratio > self.high * NEW_HIGH:
            return replace(self, high=ratio, high_at=now)
        near = ratio * NEW_HIGH >= self.high
        old = self.high_at is None or now - self.high_at > HIGH_AGES
        return replace(self, high=max(ratio, self.high), high_at=now) if near and old else self

    def begun(self, at: datetime, held: Mapping[str, float], prices: Mapping[str, float]) -> "Memory":
        """A hedge was opened or set anew at `at`: its age, and what it is a hedge of, count from there."""
        base = {asset: (amount, prices[asset]) for asset, amount in held.items() if asset in prices}
        return Memory(True, at, dict(prices), at, base, high_at=at)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
