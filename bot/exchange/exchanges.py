"""Every exchange of this process: paper and real ones behind one Exchange port, told apart by the account."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.exchange.candles.kept import KeptCandles
from bot.exchange.ccxt_clients import CredentialsOf
from bot.exchange.ccxt_exchange import CcxtExchange, connect
from bot.exchange.ccxt_wire import Wire
from bot.exchange.dialects import DIALECTS
from bot.exchange.limits.guard import guard_of
from bot.exchange.paper import PaperExchange
from bot.exchange.probation import Probation, usable
from bot.ports.clock import Clock
from bot.ports.errors import Unavailable
from bot.ports.exchange import (
    Exchange,
    FundingPayment,
    Health,
    Liquidity,
    MarginMode,
    MarketFeed,
    Offer,
    Permissions,
    TradeFill,
    Trial,
)
from bot.ports.records import PAPER, Account, Balance, Order, OrderReport
from bot.ports.store import CandleStore, KeyStore, PaperStore
from bot.ports.vault import Credentials
from hedging.portfolio import Position

_A_SYMBOL = "BTC/USDT:USDT"  # listed everywhere; the position mode is told by symbol on some exchanges


class Memory(PaperStore, CandleStore, KeyStore, Protocol):
    """What is remembered of paper accounts, of past prices and of keys that were refused."""


class Exchanges:
    """bot.ports.exchange: Exchange, Feeds, Healths, Liquidities and Connections over all of them. Nothing of an
    exchange is loaded before it is first asked for. `home`: the feed that paper accounts follow; a name is a real
    exchange's own. The wire is its owner's to close."""

    name = "exchanges"

    def __init__(
        self, home: MarketFeed | str, store: Memory, wire: Wire, clock: Clock, credentials: CredentialsOf
    ) -> None:
        self._wire, self._clock, self._credentials = wire, clock, usable(credentials)
        self._store, self._opened_at = store, clock.now()
        self._probation: dict[str, Probation] = {}
        self._real: dict[str, tuple[CcxtExchange, KeptCandles]] = {}
        self._home = self._connected(home)[1] if isinstance(home, str) else home
        self._papers: dict[str, PaperExchange] = {}  # by the exchange whose prices they follow

    @property
    def home(self) -> str:
        return self._home.name

    def feed(self, name: str) -> MarketFeed:
        return self._home if name == self._home.name else self._connected(name)[1]

    @property
    def offers(self) -> Sequence[Offer]:
        return tuple(
            Offer(
                dialect.name,
                dialect.title,
                ("live", "demo") if dialect.demo else ("live",),
                dialect.passphrase,
            )
            for dialect in DIALECTS.values()
        )

    def health(self, name: str, *, demo: bool = False) -> Health:
        if name not in DIALECTS:
            return Health("up", self._opened_at)
        return guard_of(self._wire, DIALECTS[name], self._clock, demo=demo).health

    async def liquidity(self, name: str, symbol: str) -> Liquidity:
        if name in DIALECTS:
            return await self._connected(name)[1].liquidity(symbol)
        quote = (await self.feed(name).snapshot()).quotes.get(symbol)
        if quote is None:
            raise Unavailable(f"There is no contract {symbol} on {name}.")
        return Liquidity(quote.depth, None)

    @property
    def own_address(self) -> str:
        return self._wire.own_address

    async def clock_ahead(self, name: str) -> timedelta:
        return await self._connected(name)[0].clock_ahead()

    async def permissions(self, account: Account) -> Permissions:
        return await self._connected(account.exchange)[0].permissions(account)

    async def trial(self, account: Account, credentials: Credentials) -> Trial:
        exchange = self._connected(account.exchange)[0].trying(credentials)
        try:
            return Trial(
                permissions=await exchange.permissions(account),
                balance=await exchange.balance(account),
                hedge_mode=await exchange.hedge_mode(account, _A_SYMBOL),
                positions=tuple(await exchange.positions(account)),
                margin=await exchange.mode_of_account(account),
            )
        finally:
            exchange.close()

    def forget(self, account_id: int) -> None:
        for exchange, _ in self._real.values():
            exchange.forget(account_id)

    async def positions(self, account: Account) -> Sequence[Position]:
        return await self._of(account).positions(account)

    async def balance(self, account: Account) -> Balance:
        return await self._of(account).balance(account)

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        await self._of(account).set_leverage(account, symbol, leverage)

    async def positions_in(self, account: Account, symbol: str) -> Sequence[Position]:
        return await self._of(account).positions_in(account, symbol)

    async def read_ahead(self, account: Account, symbol: str) -> Sequence[Position]:
        return await self._of(account).read_ahead(account, symbol)

    async def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        await self._of(account).set_margin_mode(account, symbol, mode)

    async def place(self, account: Account, order: Order) -> OrderReport:
        return await self._of(account).place(account, order)

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        return await self._of(account).find_order(account, symbol, client_id)

    async def quiet(self, account: Account, symbol: str, since: datetime) -> bool:
        return await self._of(account).quiet(account, symbol, since)

    async def fills(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        return await self._of(account).fills(account, symbol, since)

    async def forced_closes(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        return await self._of(account).forced_closes(account, symbol, since)

    async def funding_paid(
        self, account: Account, symbol: str, since: datetime, until: datetime
    ) -> Sequence[FundingPayment]:
        return await self._of(account).funding_paid(account, symbol, since, until)

    def names_forced_closes(self, account: Account) -> bool:
        return self._of(account).names_forced_closes(account)

    async def listed(self, account: Account, symbol: str) -> bool:
        return await self._of(account).listed(account, symbol)

    def settles_within(self, account: Account) -> timedelta:
        return self._of(account).settles_within(account)

    def close(self) -> None:
        """Let go of every client."""
        for exchange, _ in self._real.values():
            exchange.close()

    def _of(self, account: Account) -> Exchange:
        if account.mode == "paper":
            return self._on_paper(account.exchange)
        if account.exchange not in self._probation:
            real = self._connected(account.exchange)[0]
            self._probation[account.exchange] = Probation(real, self._store, self._clock)
        return self._probation[account.exchange]

    def _on_paper(self, exchange: str) -> PaperExchange:
        """Paper at the prices of an exchange; at the home exchange's, unless the account names another."""
        name = self.home if exchange == PAPER else exchange
        if name not in self._papers:
            self._papers[name] = PaperExchange(self.feed(name), self._store, self._clock)
        return self._papers[name]

    def _connected(self, name: str) -> tuple[CcxtExchange, KeptCandles]:
        if name not in DIALECTS:
            raise Unavailable(f"There is no exchange called {name} here.")
        if name not in self._real:
            exchange, feed = connect(name, self._wire, self._clock, self._credentials)
            self._real[name] = exchange, KeptCandles(feed, self._store, self._clock)
        return self._real[name]
