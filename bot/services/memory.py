"""What the watch remembers of a user from one tick to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from bot.services.situation import Situation

REFERENCE_LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Memory:
    """`hedged`: a short is or should be open, so that its loss is noticed. `prices`: US dollars a unit at `since`
    (market time), what moves are measured from."""

    hedged: bool = False
    since: datetime | None = None
    prices: Mapping[str, str] | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        since = record.get("since")
        return cls(
            hedged=bool(record.get("hedged")),
            since=datetime.fromisoformat(since) if since else None,
            prices=record.get("prices"),
        )

    def record(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "hedged": self.hedged,
            "since": self.since.isoformat() if self.since else None,
            "prices": dict(self.prices) if self.prices is not None else None,
        }

    def reference_value(self, situation: Situation) -> float:
        """The present holdings at the remembered prices, in US dollars; a coin that was not there counts at today's."""
        spot = situation.snapshot.spot
        then = self.prices or {}
        return float(
            sum(
                (
                    h.amount * Decimal(then.get(h.asset, spot[h.asset]))
                    for h in situation.holdings
                    if h.asset in spot
                ),
                Decimal(0),
            )
        )

    def after(self, situation: Situation, *, moved: bool) -> "Memory":
        """What to remember from now on: moves are measured from the last alert, and at least anew every day."""
        now, spot = situation.snapshot.time, situation.snapshot.spot
        held = {h.asset for h in situation.holdings if h.asset in spot}
        known = set(self.prices or {})
        if self.since is None or moved or now - self.since >= REFERENCE_LASTS:
            return replace(self, since=now, prices={asset: str(spot[asset]) for asset in sorted(held)})
        if held <= known:
            return self
        new = {asset: str(spot[asset]) for asset in sorted(held - known)}
        return replace(self, prices={**(self.prices or {}), **new})
