"""Who hedges what, for the panel beside the phone: read from the bot's own database, so also while the bot is down."""

import time
from decimal import Decimal
from typing import Any

from bot.ports.errors import PortError
from bot.ports.store import AlertStore
from bot.services.errors import ServiceError
from bot.services.status import PositionLine, Status, StatusView
from hedging.errors import HedgingError

Json = dict[str, Any]

_FRESH_SECONDS = 0.5


class Hedges:
    """The `hedges` of GET /sandbox/market. A user who cannot be valued right now is left out."""

    def __init__(self, store: AlertStore, status: Status) -> None:
        self._store = store
        self._status = status
        self._read_at = -_FRESH_SECONDS
        self._last: list[Json] = []

    async def __call__(self) -> list[Json]:
        if time.monotonic() - self._read_at < _FRESH_SECONDS:
            return self._last
        found = []
        try:
            for one in await self._store.watched():
                found.append(_json(await self._status.view(one.user.id)))
        except (PortError, ServiceError, HedgingError):
            return self._last  # the panel shows what was known; the next second asks again
        self._last, self._read_at = found, time.monotonic()
        return found


def _json(view: StatusView) -> Json:
    return {
        "user_id": view.user_id,
        "portfolio_value": _text(view.value),
        "coverage": round(float(view.exposure.coverage), 4),
        "target": float(view.rule.target),
        "band": float(view.rule.band),
        "equity": _text(view.equity),
        "unhedged_pnl": _text(view.unhedged_pnl),
        "hedged_pnl": _text(view.hedged_pnl),
        "positions": [_position(line) for line in view.positions],
    }


def _position(line: PositionLine) -> Json:
    return {
        "symbol": line.symbol,
        "side": line.side,
        "contracts": str(line.contracts),
        "notional": _text(line.notional),
        "entry_price": str(line.entry_price),
        "mark_price": str(line.mark_price),
        "unrealized_pnl": _text(line.unrealized_pnl),
        "liquidation_price": None if line.liquidation_price is None else str(line.liquidation_price),
        "leverage": line.leverage,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
