"""The Exchange port over ccxt: one class for every exchange, told apart by its dialect."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeVar

from bot.exchange.ccxt_accounts import CcxtAccounts
from bot.exchange.ccxt_clients import Clients, CredentialsOf
from bot.exchange.ccxt_feed import CcxtFeed
from bot.exchange.ccxt_outcome import AlreadySet, Malformed, NotFound, write
from bot.exchange.ccxt_values import contract_of, report_of
from bot.exchange.ccxt_wire import Wire, leaving_by
from bot.exchange.dialects import DIALECTS
from bot.exchange.dialects.balances.figures import Prices
from bot.exchange.dialects.dialect import Dialect
from bot.exchange.limits.budget import Budget, BudgetSpent
from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused, Rejected, Unavailable
from bot.ports.exchange import MarginMode, ToldMode
from bot.ports.records import Account, Order, OrderReport
from bot.ports.vault import Credentials
from hedging.market import Contract
from hedging.money import ZERO
from hedging.portfolio import Position

T = TypeVar("T")

# An order in a mode that changed meanwhile is refused with a code of its own.
_AHEAD_LASTS = timedelta(seconds=2)
_READ_BACK_PAUSES = (0.0, 0.1, 0.3, 0.6)  # seconds before each look at an order that was just acknowledged


@dataclass(frozen=True, slots=True)
class Ahead:
    """What an order will ask for, as it was read just before; None: not read. An empty margin mode: not told."""

    at: datetime
    hedged: bool | None = None
    margin_mode: ToldMode | Literal[""] | None = None


class CcxtExchange(CcxtAccounts):
    """Trading on one exchange for many accounts.

    An order is sent once. Rejected: it never left, or the exchange refused it with a code of the dialect's list.
    Ambiguous: everything else that is not an id and a known shape.
    """

    def __init__(self, dialect: Dialect, clients: Clients, clock: Clock, prices: Prices) -> None:
        super().__init__(dialect, clients, clock, prices)
        self._budgets: dict[int, Budget] = {}
        self._ahead: dict[tuple[int, str], Ahead] = {}

    def settles_within(self, account: Account) -> timedelta:
        return self._dialect.settles_within

    def trying(self, credentials: Credentials) -> "CcxtExchange":
        """The same exchange with credentials that are not stored anywhere."""
        return CcxtExchange(self._dialect, self._clients.trying(credentials), self._clock, self._prices)

    def forget(self, account_id: int) -> None:
        """The account's key changed or is gone."""
        self._clients.forget(account_id)
        self._budgets.pop(account_id, None)
        self._ahead = {place: ahead for place, ahead in self._ahead.items() if place[0] != account_id}

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        contract = await self._known_contract(account, symbol)
        if not 1 <= leverage <= 200:
            raise Rejected(f"The leverage of {contract.symbol} cannot be {leverage}.", "leverage")
        self._refuse(self._read_just_now(account, symbol).margin_mode)

        async def work(client: Any) -> None:
            for params in await self._dialect.leverage_calls(client, symbol):
                await client.set_leverage(leverage, symbol, dict(params))

        await self._set(account, f"the leverage of {symbol}", work)

    async def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        await self._known_contract(account, symbol)
        if not await self._must_switch(account, symbol, mode):
            return

        async def work(client: Any) -> None:
            await client.set_margin_mode(
                mode, symbol, dict(await self._dialect.margin_mode_params(client, symbol))
            )

        await self._set(account, f"the margin mode of {symbol}", work)

    async def place(self, account: Account, order: Order) -> OrderReport:
        """Send the order once, and read it back where the answer does not tell its fill."""
        contract = await self._known_contract(account, order.symbol)
        self._check(order, contract)
        try:
            ahead = self._read_just_now(account, order.symbol)
            self._ahead.pop((account.id, order.symbol), None)
            hedged = ahead.hedged
            if hedged is None:
                hedged = await self.hedge_mode(account, order.symbol)
            if not order.reduce_only:
                await self._mode(account, order.symbol, ahead)
            await self._budget(account).take()
        except KeyRefused as refused:
            raise Rejected(f"Nothing was sent: {refused}", "key") from None
        except (Unavailable, BudgetSpent) as failure:
            raise Rejected(f"Nothing was sent: {failure}", "unavailable") from None
        params = {
            "clientOrderId": order.client_id,
            **self._dialect.time_in_force,
            **self._dialect.order_params(hedged, order.reduce_only, order.side),
        }

        async def work(client: Any) -> OrderReport:
            extra = await self._dialect.extra_params(client, order.symbol)
            raw = await client.create_order(
                order.symbol,
                self._dialect.order_type,
                self._dialect.wire_side(hedged, order.reduce_only, order.side),
                *_digits(order),
                {**params, **extra, **self._digits_by_name(order)},
            )
            if not isinstance(raw, Mapping) or not raw.get("id"):
                raise Malformed("the answer has no order id")
            if self._dialect.fills_in_answer:
                return report_of(raw, order.client_id, contract, self._dialect, order)
            return OrderReport(order.client_id, str(raw["id"]), "open", ZERO, None, ZERO)

        with leaving_by(order.not_after):
            report = await self._write(account, f"the order {order.client_id}", work)
        if report.status == "open":
            report = await self._read_back(account, order, report)
        return report

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        return await self._find(account, symbol, client_id, None)

    async def read_ahead(self, account: Account, symbol: str) -> Sequence[Position]:
        """Also the position mode, and the margin mode. The positions are asked for by
        the symbol: the plan was made from the account's list, and one that is wrong must not confirm itself."""
        begun = self._clock.now()
        (held, told), asked, margin_mode = await asyncio.gather(
            self._positions_and_mode(account, symbol),
            self._mode_of_positions(account, symbol),
            _if_told(self._mode_told(account, symbol)),
        )
        hedged = told if self._dialect.symbol_tells_mode else asked
        self._ahead[account.id, symbol] = Ahead(begun, hedged, margin_mode)
        return held

    async def _mode_of_positions(self, account: Account, symbol: str) -> bool | None:
        """None also where the positions tell it, and it needs not be asked."""
        return None if self._dialect.symbol_tells_mode else await _if_told(self.hedge_mode(account, symbol))

    async def _mode_told(self, account: Account, symbol: str) -> ToldMode | Literal[""]:
        return await self.margin_mode(account, symbol) or ""

    async def _mode(self, account: Account, symbol: str, ahead: "Ahead") -> ToldMode | Literal[""]:
        """The margin mode that a new position would be in. Raises Rejected when it is none of ours."""
        told = ahead.margin_mode
        if told is None:
            told = await self._mode_told(account, symbol)
        self._refuse(told)
        return told

    def _refuse(self, mode: str | None) -> None:
        """Portfolio margin and unknown modes are not reckoned with here, and not the bot's to change."""
        if mode == "portfolio":
            raise Rejected(f"The account on {self._dialect.title} is in portfolio margin.", "portfolio")
        if mode == "unknown":
            raise Rejected(f"{self._dialect.title} tells a margin mode that is not known.", "mode_unknown")

    def _read_just_now(self, account: Account, symbol: str) -> "Ahead":
        ahead = self._ahead.get((account.id, symbol))
        return ahead if ahead and self._clock.now() - ahead.at < _AHEAD_LASTS else Ahead(self._clock.now())

    async def _must_switch(self, account: Account, symbol: str, mode: MarginMode) -> bool:
        """Whether the margin mode is another one and may be changed. Raises Rejected when it must not."""
        try:
            told = await self._mode(account, symbol, self._read_just_now(account, symbol))
            if told == mode:
                return False
            held = self._dialect.margin_mode_of_account and await self.holds_anything(account)
        except Unavailable as failure:
            raise Rejected(f"Nothing was sent: {failure}", "unavailable") from None
        if held:
            raise Rejected(f"The margin mode of {self._dialect.title} is the whole account's.", "margin_mode")
        return True

    async def _read_back(self, account: Account, order: Order, acknowledged: OrderReport) -> OrderReport:
        """The order as it stands. What is not visible yet, or cannot be read now, is open: it was acknowledged."""
        for pause in _READ_BACK_PAUSES:
            if pause:
                await self._clock.sleep(pause)
            try:
                found = await self._find(account, order.symbol, order.client_id, order)
            except Unavailable:
                return acknowledged
            if found is not None and found.status != "open":
                return found
        return found or acknowledged

    async def _find(
        self, account: Account, symbol: str, client_id: str, order: Order | None
    ) -> OrderReport | None:
        async def work(client: Any) -> OrderReport | None:
            contract = self._any_contract(client, symbol)
            if contract is None:
                raise Malformed(f"{symbol} is not listed")
            raw = await self._dialect.find(client, symbol, client_id)
            return None if raw is None else report_of(raw, client_id, contract, self._dialect, order)

        try:
            return await self._read(account, f"the order {client_id}", work)
        except NotFound:
            return None

    def _digits_by_name(self, order: Order) -> Mapping[str, str]:
        """Amount and price under the wire's own names, which ccxt leaves as they are, where it would make floats of
        the others."""
        names = self._dialect.numbers
        return dict(zip(names, _digits(order), strict=True)) if names else {}

    def _check(self, order: Order, contract: Contract) -> None:
        """What is shown is what is sent: an amount or a price that ccxt would round is refused. Raises Rejected."""
        if contract.max_amount is not None and order.contracts > contract.max_amount:
            raise Rejected(
                f"An order in {order.symbol} has {contract.max_amount} contracts at most.", "max_amount"
            )
        if self._dialect.as_numbers and any(
            Decimal(repr(float(text))) != Decimal(text) for text in _digits(order)
        ):
            raise Rejected(f"{self._dialect.title} could not be told every digit of {order.symbol}.", "lot")
        if order.contracts < contract.min_amount or order.contracts % contract.lot:
            raise Rejected(f"{order.symbol} trades in steps of {contract.lot} contracts.", "lot")
        if order.limit_price <= 0 or order.limit_price % contract.tick:
            raise Rejected(f"Prices of {order.symbol} move in steps of {contract.tick}.", "tick")

    async def _known_contract(self, account: Account, symbol: str) -> Contract:
        """Before a write. Raises Rejected."""
        try:
            contract = await self._read(account, "its contracts", self._listing(symbol))
        except Unavailable as failure:
            raise Rejected(f"Nothing was sent: {failure}", "unavailable") from None
        if contract is None:
            raise Rejected(f"There is no contract {symbol} on {self._dialect.title}.", "unknown_symbol")
        return contract

    def _listing(self, symbol: str) -> Callable[[Any], Awaitable[Contract | None]]:
        async def work(client: Any) -> Contract | None:
            market = client.markets.get(symbol)
            return contract_of(market, self._dialect) if market else None

        return work

    def _budget(self, account: Account) -> Budget:
        count, span = self._dialect.orders_per
        return self._budgets.setdefault(account.id, Budget(self._clock, count, span))

    async def _write(self, account: Account, what: str, work: Callable[[Any], Awaitable[T]]) -> T:
        async def bound() -> T:
            return await work(await self._client(account))

        return await write(self._dialect, what, bound, lambda: self._resync(account))

    async def _set(self, account: Account, what: str, work: Callable[[Any], Awaitable[None]]) -> None:
        with contextlib.suppress(AlreadySet):
            await self._write(account, what, work)


def connect(
    name: str, wire: Wire, clock: Clock, credentials: CredentialsOf, prices: Prices | None = None
) -> tuple[CcxtExchange, CcxtFeed]:
    """Trading and market data of the exchange that ccxt calls `name`, over one wire. `prices`: a cached source, so that
    private reads of many accounts cost no public calls; without it, the feed is asked each time."""
    dialect = DIALECTS[name]
    clients = Clients(dialect, wire, clock, credentials)
    feed = CcxtFeed(dialect, clients, clock)
    return CcxtExchange(dialect, clients, clock, prices or feed.prices), feed


def _digits(order: Order) -> tuple[str, str]:
    """Amount and price as text: plain decimals, every digit of them."""
    return f"{order.contracts:f}", f"{order.limit_price:f}"


async def _if_told(asking: Awaitable[T]) -> T | None:
    """None for what cannot be read now. Raises KeyRefused."""
    try:
        return await asking
    except KeyRefused:
        raise
    except Unavailable:
        return None
