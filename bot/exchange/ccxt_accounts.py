"""What the accounts on one exchange tell, over ccxt: money, positions, orders, executions. Nothing is changed here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.exchange.ccxt_clients import Clients
from bot.exchange.ccxt_outcome import read
from bot.exchange.ccxt_values import (
    contract_of,
    fill_of,
    payment_of,
    positions_of,
    report_of,
    tiers_of,
    time_of,
)
from bot.exchange.dialects.balances.figures import Prices
from bot.exchange.dialects.dialect import Dialect
from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused
from bot.ports.exchange import FundingPayment, Permissions, Tier, ToldMode, TradeFill
from bot.ports.records import PREFIX, Account, Balance, OrderReport
from hedging.market import Contract
from hedging.portfolio import Position

T = TypeVar("T")


class CcxtAccounts:
    """Many accounts on one exchange, read. `prices` values what the exchange tells in coins and marks positions that
    come without one. Every read raises Unavailable (KeyRefused when the account's key is not let in any more)."""

    def __init__(self, dialect: Dialect, clients: Clients, clock: Clock, prices: Prices) -> None:
        self._dialect, self._clients, self._clock, self._prices = dialect, clients, clock, prices
        self.name = dialect.name

    async def contract(self, account: Account, symbol: str) -> Contract | None:
        """The contract as this account's exchange lists it now; None when it does not."""
        client = await self._client(account)
        market = client.markets.get(symbol)
        return contract_of(market, self._dialect) if market else None

    async def positions(self, account: Account) -> Sequence[Position]:
        async def work(client: Any) -> list[Position]:
            return await self._positions(client, await self._dialect.positions(client))

        return await self._read(account, "the positions", work)

    async def positions_in(self, account: Account, symbol: str) -> Sequence[Position]:
        return (await self._positions_and_mode(account, symbol))[0]

    async def balance(self, account: Account) -> Balance:
        async def work(client: Any) -> Balance:
            return await self._dialect.balance(client, self._prices)

        return await self._read(account, "the balance", work)

    async def permissions(self, account: Account) -> Permissions:
        return await self._read(account, "what the key may do", self._dialect.permissions)

    async def hedge_mode(self, account: Account, symbol: str) -> bool:
        async def work(client: Any) -> bool:
            return await self._dialect.hedge_mode(client, symbol)

        return await self._read(account, "the position mode", work)

    async def margin_mode(self, account: Account, symbol: str) -> ToldMode | None:
        async def work(client: Any) -> ToldMode | None:
            return await self._dialect.margin_mode(client, symbol)

        return await self._read(account, "the margin mode", work)

    async def mode_of_account(self, account: Account) -> ToldMode | None:
        """The margin mode of all that it holds; None where each contract has its own."""
        return await self._read(account, "the margin mode", self._dialect.mode_of_account)

    async def holds_anything(self, account: Account) -> bool:
        """Whether any position is open, in whatever kind of contract and settle coin."""
        return await self._read(account, "the positions", self._dialect.holds_anything)

    async def fills(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        async def work(client: Any) -> list[TradeFill]:
            if symbol not in client.markets:
                return []
            rows = await self._dialect.fills(client, symbol, _milliseconds(since))
            found = [fill_of(row, symbol, self._dialect) for row in rows]
            return sorted((fill for fill in found if fill.time >= since), key=lambda fill: fill.time)

        return await self._read(account, f"the fills of {symbol}", work)

    async def quiet(self, account: Account, symbol: str, since: datetime) -> bool:
        ours = [
            order for order in await self.open_orders(account, symbol) if order.client_id.startswith(PREFIX)
        ]
        return not ours and not await self.fills(account, symbol, since)

    async def funding_paid(
        self, account: Account, symbol: str, since: datetime, until: datetime
    ) -> Sequence[FundingPayment]:
        async def work(client: Any) -> list[FundingPayment]:
            contract = self._any_contract(client, symbol)
            if contract is None:
                return []
            rows = await self._dialect.funding(client, symbol, _milliseconds(since), _milliseconds(until))
            found = [payment_of(row, contract, self._dialect) for row in rows]
            inside = (item for item in found if since <= item.time <= until)
            return sorted(inside, key=lambda item: item.time)

        return await self._read(account, f"the funding of {symbol}", work)

    async def forced_closes(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        if self._dialect.forced_closes is None:
            return [fill for fill in await self.fills(account, symbol, since) if fill.forced]
        ask = self._dialect.forced_closes

        async def work(client: Any) -> list[TradeFill]:
            if symbol not in client.markets:
                return []
            rows = await ask(client, symbol, _milliseconds(since))
            return sorted((fill_of(row, symbol, self._dialect) for row in rows), key=lambda fill: fill.time)

        return await self._read(account, f"the forced closes of {symbol}", work)

    def names_forced_closes(self, account: Account) -> bool:
        return self._dialect.names_forced_closes

    async def listed(self, account: Account, symbol: str) -> bool:
        async def work(client: Any) -> bool:
            await self._clients.public(demo=account.mode == "demo", fresh=True)
            market = client.markets.get(symbol)
            return bool(market) and contract_of(market, self._dialect) is not None

        return await self._read(account, "its contracts", work)

    async def open_orders(self, account: Account, symbol: str) -> Sequence[OrderReport]:
        async def work(client: Any) -> list[OrderReport]:
            contract = self._any_contract(client, symbol)
            if contract is None:
                return []
            rows = await client.fetch_open_orders(symbol, None, None, {})
            return [report_of(row, str(row.get("clientOrderId")), contract, self._dialect) for row in rows]

        return await self._read(account, f"the open orders of {symbol}", work)

    async def tiers(self, account: Account, symbol: str) -> Sequence[Tier]:
        async def work(client: Any) -> list[Tier]:
            if not client.has.get("fetchLeverageTiers"):
                return []
            told = await client.fetch_leverage_tiers([symbol])
            return tiers_of(told.get(symbol) or [])

        return await self._read(account, f"the margin tiers of {symbol}", work)

    async def clock_ahead(self) -> timedelta:
        """By how much this machine's clock is ahead of the exchange's. Raises Unavailable."""

        async def work() -> timedelta:
            client = await self._clients.public()
            before = self._clock.now()
            told = await client.fetch_time()
            here = before + (self._clock.now() - before) / 2
            return here - time_of(told)

        return await read(self._dialect, "its time", work, self._clients.set_clock)

    def close(self) -> None:
        """Let go of every client."""
        self._clients.close()

    async def _positions_and_mode(
        self, account: Account, symbol: str
    ) -> tuple[Sequence[Position], bool | None]:
        """The positions in one contract, and the position mode, if their rows tell it."""

        async def work(client: Any) -> tuple[Sequence[Position], bool | None]:
            if symbol not in client.markets:
                return (), None
            rows = await self._dialect.positions_in(client, symbol)
            modes = {row.get("hedged") for row in rows}
            held = [one for one in await self._positions(client, rows) if one.symbol == symbol]
            return held, modes.pop() if len(modes) == 1 else None

        return await self._read(account, f"the positions in {symbol}", work)

    async def _positions(self, client: Any, rows: Sequence[Any]) -> list[Position]:
        """From ccxt's rows, with what they leave out."""
        symbols = {str(row.get("symbol")) for row in rows}
        contracts = {symbol: found for symbol in symbols if (found := self._any_contract(client, symbol))}
        open_rows = [row for row in rows if row.get("contracts")]
        unsaid = [row for row in open_rows if row.get("marginMode") is None]
        if unsaid:  # it is the account's and not the position's
            mode = await self._dialect.margin_mode(client, str(unsaid[0].get("symbol")))
            for row in unsaid:
                row["marginMode"] = mode
        for row in open_rows:
            if row.get("markPrice") is None and self._gone(client, str(row.get("symbol"))):
                row["markPrice"] = row.get("entryPrice")  # nothing prices it any more
        needs_marks = any(row.get("markPrice") is None for row in open_rows)
        marks = await self._prices() if needs_marks else {}
        beside = await self._beside(client, open_rows)
        return positions_of(rows, contracts, marks, beside, self._dialect.adl_rank)

    async def _beside(self, client: Any, rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        """The symbols of longs beside which a short can be held. Asked for where positions do not tell it, and only
        where there is a long."""
        longs = [row for row in rows if row.get("side") == "long"]
        if not longs:
            return frozenset()
        if self._dialect.positions_tell_mode:
            return frozenset(str(row.get("symbol")) for row in longs if row.get("hedged"))
        symbols = frozenset(str(row.get("symbol")) for row in longs)
        return symbols if await self._dialect.hedge_mode(client, min(symbols)) else frozenset()

    def _any_contract(self, client: Any, symbol: str) -> Contract | None:
        """Also one that is being delisted: a position in it may be open."""
        market = client.markets.get(symbol)
        return contract_of({**market, "active": True}, self._dialect) if market else None

    def _gone(self, client: Any, symbol: str) -> bool:
        """Known, but not traded any more."""
        market = client.markets.get(symbol)
        return bool(market) and contract_of(market, self._dialect) is None

    async def _client(self, account: Account) -> Any:
        return await self._clients.private(account)

    async def _resync(self, account: Account) -> None:
        await self._clients.set_clock(demo=account.mode == "demo")

    async def _read(self, account: Account, what: str, work: Callable[[Any], Awaitable[T]]) -> T:
        async def bound() -> T:
            return await work(await self._client(account))

        try:
            return await read(self._dialect, what, bound, lambda: self._resync(account))
        except KeyRefused as refused:
            self._clients.wire.own_address = refused.address or self._clients.wire.own_address
            raise


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
