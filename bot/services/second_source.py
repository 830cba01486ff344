"""What an account holds, asked for twice where its list of positions is not what our orders explain."""

from collections.abc import Mapping, Sequence

from bot.ports.books import KnownShort
from bot.ports.errors import Contradicted
from bot.ports.exchange import Exchange
from bot.ports.records import Account, Attempt
from bot.ports.store import Store
from bot.services.expected import Ordered, shorts_of, unexpected
from bot.services.footing import short_of
from hedging.portfolio import Position


class SecondSource:
    """An exchange may tell an empty or an old list of positions for some seconds, and then tells one symbol rightly."""

    def __init__(self, store: Store, exchange: Exchange) -> None:
        self._store, self._exchange = store, exchange

    async def positions(self, account: Account) -> Sequence[Position]:
        """As two reads agree upon them. Raises Contradicted and Unavailable."""
        positions = await self._exchange.positions(account)
        book = await self._store.book(account.id)
        known = book.shorts if book else {}
        return await self.agreed(account, positions, known, await self.ordered(account.id))

    async def agreed(
        self,
        account: Account,
        positions: Sequence[Position],
        known: Mapping[str, KnownShort],
        ordered: Mapping[str, Ordered],
    ) -> Sequence[Position]:
        """These positions, with each symbol that is not as expected asked for by its name. `known`: by the last look;
        `ordered`: by our orders. Raises Contradicted when the two reads differ and neither is what is expected, and
        Unavailable."""
        for symbol, expected in unexpected(shorts_of(positions), known, ordered).items():
            again = await self._exchange.positions_in(account, symbol)
            listed, now = short_of(positions, symbol), short_of(again, symbol)
            if now not in (listed, -expected):
                raise Contradicted(f"Account {account.id} tells two sizes of {symbol}.")
            positions = [*(one for one in positions if one.symbol != symbol), *again]
        return positions

    async def ordered(self, account_id: int) -> Mapping[str, Ordered]:
        """What our orders did on the account, by symbol."""
        found: dict[str, list[Attempt]] = {}
        for attempt in await self._store.orders_of(account_id):
            found.setdefault(attempt.symbol, []).append(attempt)
        return {symbol: Ordered(tuple(attempts)) for symbol, attempts in found.items()}
