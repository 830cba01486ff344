"""What every loopback exchange does behind its wire: accounts, orders, fills, funding and forced closes, as the paper
exchange reckons them, plus longs and shorts side by side."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from bot.sandbox.exchanges.market import Market, since_settled
from bot.sandbox.exchanges.traders import LONG, DeskOrder, Forced, Held, PositionSide, Side, Trader
from bot.sandbox.exchanges.wallets import lending, with_cash
from bot.sandbox.market.drill import CLOSED_AT, away, near
from hedging.errors import OrderRejected
from hedging.market import Contract, Quote
from hedging.money import ZERO, ceil_to_step, floor_to_step
from hedging.paper import (
    Fill,
    Liquidation,
    MarginMode,
    PaperAccount,
    PaperOrder,
    fill,
    liquidation,
    settle,
    with_leverage,
    with_margin_mode,
)

DRILLED = 4  # the rank of shorts in the drill, before they are closed


class Desk:
    """An exchange's inside. `listed` makes the exchange's own contract of the market's (another size or lot), or None
    where it has none of that kind. Amounts here are that contract's. `most`: contracts of one order in each."""

    def __init__(
        self, market: Market, listed: Callable[[Contract], Contract | None], most: Decimal | None = None
    ) -> None:
        self.market = market
        self._listed, self._most = listed, most
        self.largest: dict[str, Decimal] = {}  # contracts of one order, where it is not as elsewhere
        self._before: dict[str, PaperAccount] = {}  # by key: as it was before the latest order
        self.traders: dict[str, Trader] = {}
        self.delisted: set[str] = set()
        self.closing: dict[str, datetime] = {}  # announced: the listing tells when trading ends
        self.share: Decimal | None = None  # of the next orders' amount that is filled
        self.drilled: datetime | None = None  # the beginning of the drill that has closed shorts here
        self.linger = 0  # looks that find the next order still at work
        self._ids = itertools.count(8_000_001)

    def open_account(
        self, key: str, secret: str, passphrase: str = "", *, deposit: dict[str, Decimal] | None = None
    ) -> Trader:
        """A new account with its money; the one that has that key, if there is one."""
        if key not in self.traders:
            money = deposit or {"USDT": Decimal(100_000), "BTC": Decimal(1)}
            account = PaperAccount(money, self.market.now())
            self.traders[key] = Trader(key, secret, passphrase, account)
        return self.traders[key]

    def restore(
        self, traders: Sequence[Trader], delisted: Sequence[str], drilled: datetime | None = None
    ) -> None:
        """Go on from what was kept; ids of orders go on as well."""
        self.drilled = drilled
        self.traders = {trader.key: trader for trader in traders}
        self.delisted = set(delisted)
        latest = max((order.id for trader in traders for order in trader.orders), default=8_000_000)
        self._ids = itertools.count(latest + 1)

    def contracts(self) -> dict[str, Contract]:
        """By symbol; also those that are being delisted."""
        found = {}
        for symbol, contract in self.market.snapshot().contracts.items():
            own = self._listed(contract)
            if own is not None:
                found[symbol] = replace(own, max_amount=self.largest.get(symbol, self._most))
        return found

    def contract(self, symbol: str) -> Contract:
        """A contract that can be traded. Raises OrderRejected."""
        contract = self.contracts().get(symbol)
        if contract is None:
            raise OrderRejected(f"There is no contract {symbol} here.", "unknown_symbol")
        if symbol in self.delisted:
            raise OrderRejected(f"{symbol} is not traded any more.", "closed")
        return contract

    @contextmanager
    def _backed(self, trader: Trader) -> Iterator[None]:
        """The account with what backs its contracts in its cash; given back afterwards."""
        more = lending(trader, self.market.snapshot().spot)
        trader.account = with_cash(trader.account, more)
        try:
            yield
        finally:
            trader.account = with_cash(trader.account, more, -1)

    def backed(self, trader: Trader) -> PaperAccount:
        """What its positions are liquidated by."""
        return with_cash(trader.account, lending(trader, self.market.snapshot().spot))

    def liquidation(self, trader: Trader, listed: Held) -> Decimal | None:
        """The mark price that takes a position away, also of one that only a stale list still has."""
        account, symbol = self.backed(trader), listed.position.contract.symbol
        return liquidation(replace(account, positions={**account.positions, symbol: listed.position}), symbol)

    def settled(self, trader: Trader) -> Trader:
        """The account brought up to the market's present."""
        snapshot = self.market.snapshot()
        account = trader.account
        path, funding = since_settled(self.market, account, snapshot)
        with self._backed(trader):
            trader.account, events = settle(trader.account, path, funding)
        for event in events:
            if isinstance(event, Liquidation):
                self._note_forced(trader, event)
            else:
                trader.funding.append(replace(event, symbol=event.symbol.removesuffix(LONG)))
        return trader

    def place(
        self,
        trader: Trader,
        *,
        client_id: str,
        symbol: str,
        side: Side,
        contracts: Decimal,
        limit_price: Decimal,
        reduce_only: bool,
        position_side: PositionSide = "both",
    ) -> DeskOrder:
        """Fill what the book gives at once; the rest is cancelled. Raises OrderRejected."""
        self.settled(trader)
        contract = self.contract(symbol)
        if (position_side == "both") == trader.hedged:
            raise OrderRejected(
                "The order's position side does not match the account's mode.", "position_mode"
            )
        if trader.hedged:
            reduce_only = (position_side == "short") == (side == "buy")
        name = symbol + LONG if position_side == "long" else symbol
        quote = replace(self.market.snapshot().quotes[symbol], symbol=name)
        own = replace(contract, symbol=name)
        wish = PaperOrder(name, side, contracts, limit_price, reduce_only)
        with self._backed(trader):
            after, got = fill(trader.account, own, wish, quote)
            if self.share is not None:
                part = floor_to_step(got.contracts * self.share, contract.lot)
                if part > 0:
                    after, got = fill(trader.account, own, replace(wish, contracts=part), quote)
                else:
                    after, got = trader.account, Fill(ZERO, None, ZERO, ZERO)
            self._before[trader.key] = trader.account
            trader.account = after
        order = DeskOrder(
            next(self._ids), client_id, symbol, side, contracts, limit_price, reduce_only, position_side,
            self.market.now(), after.leverage.get(name, 1), got.contracts, got.price, got.fee, got.realized,
        )  # fmt: skip
        order.working, self.linger = self.linger, 0
        trader.orders.append(order)
        return order

    def find(
        self, trader: Trader, symbol: str, *, client_id: str = "", order_id: str = ""
    ) -> DeskOrder | None:
        """The latest order with that id, if it is visible yet."""
        for order in reversed(trader.orders):
            if order.symbol == symbol and (
                (client_id and order.client_id == client_id) or str(order.id) == order_id
            ):
                if order.hidden > 0:
                    order.hidden -= 1
                    return None
                return order
        return None

    def find_any(self, trader: Trader, client_id: str) -> DeskOrder | None:
        """The first order that used our id, visible or not."""
        return next((order for order in trader.orders if order.client_id == client_id), None)

    def held(self, trader: Trader) -> list[Held]:
        """Open positions."""
        self.settled(trader)
        return _held(trader, trader.account)

    def held_before(self, trader: Trader) -> list[Held]:
        """As they were before the latest order."""
        return _held(trader, self._before.get(trader.key, trader.account))

    def leverage(self, trader: Trader, symbol: str) -> int:
        return trader.account.leverage.get(symbol, 1)

    def margin_mode(self, trader: Trader, symbol: str) -> MarginMode:
        return trader.account.margin_modes.get(symbol, "cross")

    def set_leverage(self, trader: Trader, symbol: str, leverage: int) -> None:
        """Of both sides. Raises OrderRejected."""
        contract = self.contract(symbol)
        self.settled(trader)
        with self._backed(trader):
            for name in (symbol, symbol + LONG):
                trader.account = with_leverage(trader.account, replace(contract, symbol=name), leverage)

    def set_margin_mode(self, trader: Trader, symbol: str, mode: MarginMode) -> None:
        """Of both sides. Raises OrderRejected."""
        contract = self.contract(symbol)
        self.settled(trader)
        for name in (symbol, symbol + LONG):
            trader.account = with_margin_mode(trader.account, replace(contract, symbol=name), mode)

    def margin_word(self, trader: Trader, symbol: str) -> str:
        """The margin mode as it is told: also one that contracts cannot be in."""
        return (
            trader.margin
            if trader.margin not in ("", "cross", "isolated")
            else self.margin_mode(trader, symbol)
        )

    def set_margin(self, trader: Trader, margin: str) -> None:
        """Of the whole account. Raises OrderRejected while a position is open in another one of ours."""
        modes: Mapping[str, MarginMode] = {"cross": "cross", "isolated": "isolated"}
        if margin in modes:
            for symbol in self.contracts():
                self.set_margin_mode(trader, symbol, modes[margin])
        trader.margin = margin

    def set_hedged(self, trader: Trader, hedged: bool) -> None:
        """Raises OrderRejected while anything is open."""
        if trader.account.positions and trader.hedged != hedged:
            raise OrderRejected("Close all positions before changing the position mode.", "position_mode")
        trader.hedged = hedged

    def rank(self, trader: Trader, symbol: str) -> int:
        """Where a short stands in the queue for auto-deleveraging, from 1 (last) to 5."""
        return max(trader.ranks.get(symbol, 1), DRILLED if near(self.market.drill()) else 1)

    def drill(self) -> bool:
        """What the drill of 10 October 2025 does here by now; whether the exchange is away for it."""
        since = self.market.drill()
        if since is None:
            return False
        begun = self.market.now() - since
        if since >= CLOSED_AT and (self.drilled is None or self.drilled < begun):
            self.drilled = begun
            for trader in self.traders.values():
                for symbol in {held.symbol for held in self.held(trader) if held.position.contracts < 0}:
                    self.force_close(trader, symbol, "adl")
        return away(since)

    def force_close(self, trader: Trader, symbol: str, kind: Forced, share: Decimal = Decimal(1)) -> None:
        """The exchange closes (a share of) every position in a symbol at the mark."""
        self.settled(trader)
        mark = self.market.snapshot().quotes[symbol].mark
        for held in [held for held in self.held(trader) if held.symbol == symbol]:
            own = replace(held.position.contract, max_amount=None)
            part = floor_to_step(abs(held.position.contracts) * share, own.lot)
            side: Side = "buy" if held.position.contracts < 0 else "sell"
            quote = Quote(own.symbol, mark, mark, mark, mark, Decimal(10) ** 15)
            price = (floor_to_step if side == "sell" else ceil_to_step)(mark, own.tick)
            trader.account, got = fill(
                trader.account, own, PaperOrder(own.symbol, side, part, price, reduce_only=True), quote
            )
            order_id = next(self._ids)
            trader.orders.append(
                DeskOrder(
                    order_id,
                    f"{kind}-{order_id}",
                    symbol,
                    side,
                    part,
                    price,
                    True,
                    held.side,
                    self.market.now(),
                    1,
                    got.contracts,
                    got.price or mark,
                    got.fee,
                    got.realized,
                    kind,
                )
            )

    def delist(self, symbol: str) -> None:
        """No more trading; what is open is settled at the mark."""
        for trader in self.traders.values():
            self.force_close(trader, symbol, "settlement")
        self.delisted.add(symbol)

    def _note_forced(self, trader: Trader, event: Liquidation) -> None:
        order_id = next(self._ids)
        side: Side = "buy" if event.contracts < 0 else "sell"
        amount = abs(event.contracts)
        place: PositionSide = "both"
        if trader.hedged:
            place = "long" if event.symbol.endswith(LONG) else "short"
        trader.orders.append(
            DeskOrder(
                order_id,
                f"liquidation-{order_id}",
                event.symbol.removesuffix(LONG),
                side,
                amount,
                event.price,
                True,
                place,
                event.time,
                1,
                amount,
                event.price,
                ZERO,
                -event.loss,
                "liquidation",
            )
        )


def _held(trader: Trader, account: PaperAccount) -> list[Held]:
    found = []
    for name, position in sorted(account.positions.items()):
        side: PositionSide = "both"
        if trader.hedged:
            side = "long" if name.endswith(LONG) else "short"
        found.append(Held(name.removesuffix(LONG), side, position))
    return found
