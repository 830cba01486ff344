"""Markets and trading, in the domain's words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.ports.records import Account, Balance, Order, OrderReport
from hedging.market import Candles, Funding, Snapshot
from hedging.portfolio import Position


class MarketFeed(Protocol):
    """Public market data of one exchange, read once for everybody. Every read raises Unavailable when it fails."""

    name: str

    async def snapshot(self) -> Snapshot:
        """Every spot price, quote, funding rate and contract at one instant."""
        ...

    async def candles(self, names: Sequence[str], *, since: datetime, bar: timedelta = ...) -> Candles:
        """Closes and highs of assets (spot) or contract symbols (marks) from `since` up to now, on one grid."""
        ...

    async def funding_since(self, symbol: str, since: datetime) -> Sequence[Funding]:
        """The funding that was settled in (since, now], ascending; `next_time` is when each was settled."""
        ...


class Exchange(Protocol):
    """Trading on one exchange. Reads raise Unavailable; writes raise Rejected or Ambiguous, never anything else."""

    name: str

    async def positions(self, account: Account) -> Sequence[Position]:
        """Every open position."""
        ...

    async def balance(self, account: Account) -> Balance: ...

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Set the leverage of a symbol; setting what is already set succeeds."""
        ...

    async def place(self, account: Account, order: Order) -> OrderReport:
        """Send the order once. Rejected: nothing stands. Ambiguous: look it up by our id."""
        ...

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        """The order that carries our id, or None when the exchange does not know of one."""
        ...

    @property
    def settles_within(self) -> timedelta:
        """After this long an order that is still not found was never accepted (time-out + receive window + skew)."""
        ...
