"""Paper trading behind the Exchange port: real or simulated prices, an account in the database, no money."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.exchange.paper_state import decode, decode_report, encode, encode_report, kept
from bot.ports.clock import Clock
from bot.ports.errors import Ambiguous, Rejected, StaleVersion, Unavailable
from bot.ports.exchange import FundingPayment, MarginMode, MarketFeed, TradeFill
from bot.ports.records import Account, Balance, Order, OrderReport
from bot.ports.store import PaperStore
from hedging.errors import OrderRejected
from hedging.market import Candles, Contract, Funding, Snapshot
from hedging.money import ZERO, ceil_to_step, floor_to_step
from hedging.paper import (
    FundingPaid,
    Liquidation,
    Marks,
    PaperAccount,
    PaperOrder,
    PaperPosition,
    equity,
    fill,
    free_margin,
    liquidation,
    settle,
    settle_ended,
    unrealized,
    with_leverage,
    with_margin_mode,
)
from hedging.paper.account import add, maintenance, set_aside
from hedging.portfolio import Position

_TRIES = 8  # against others who write the same account at the same time
_FINE, _COARSE = timedelta(minutes=1), timedelta(hours=1)
_FINE_UP_TO = timedelta(hours=6)
_SAVE_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _State:
    """An account as settled now; `version` is that of the row it came from, `stale` whether it is worth saving."""

    account: PaperAccount
    forced: tuple[Liquidation, ...]
    paid: tuple[FundingPaid, ...]
    version: int
    snapshot: Snapshot
    stale: bool


class PaperExchange:
    """The Exchange port on paper.

    Every access first settles the account up to the market's present: funding of every interval that passed,
    liquidations along the marks (minute bars for gaps up to six hours, hourly ones beyond), and what is open in
    contracts that have ended, at their last marks. A new account has
    `starting_cash` USDT; `collateral` (asset -> amount) is given on top, which inverse contracts need: they settle in
    their own coin, and without any of it they are refused for want of margin. Positions are cross.
    """

    name = "paper"

    def __init__(
        self,
        feed: MarketFeed,
        store: PaperStore,
        clock: Clock,
        starting_cash: Decimal = Decimal(100_000),
        collateral: Mapping[str, Decimal] | None = None,
    ) -> None:
        self._feed, self._store, self._clock = feed, store, clock
        self._deposit = {"USDT": starting_cash, **(collateral or {})}

    def settles_within(self, account: Account) -> timedelta:
        return timedelta(seconds=6)  # a worker that stood still sends no order that is five seconds old

    async def positions(self, account: Account) -> Sequence[Position]:
        """Every open position, by symbol; unrealised profit in quote units, also of inverse ones."""
        state = await self._settled(account)
        return [_position(state.account, symbol) for symbol in sorted(state.account.positions)]

    async def balance(self, account: Account) -> Balance:
        """Over all settle assets, in US dollars at spot; each asset backs the contracts that settle in it."""
        state = await self._settled(account)
        spot = state.snapshot.spot
        free, upkeep = free_margin(state.account), dict.fromkeys(state.account.cash, ZERO)
        for position in state.account.positions.values():
            add(upkeep, position.contract.settle, maintenance(position))
        return Balance(
            equity=_dollars(equity(state.account), spot),
            free=max(_dollars(free, spot), ZERO),
            maintenance=_dollars(upkeep, spot),
            free_in={asset: max(_dollars({asset: left}, spot), ZERO) for asset, left in free.items()},
        )

    async def forced_closes(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        """Liquidations and settlements, ascending; the latest hundred of all symbols are known."""
        forced = (await self._settled(account)).forced
        return [_closed(event) for event in forced if event.symbol == symbol and event.time >= since]

    async def fills(self, account: Account, symbol: str, since: datetime) -> Sequence[TradeFill]:
        """Only orders of ours trade on paper, and their reports tell of them: what is left is liquidations."""
        return await self.forced_closes(account, symbol, since)

    async def funding_paid(
        self, account: Account, symbol: str, since: datetime, until: datetime
    ) -> Sequence[FundingPayment]:
        """Ascending, since the account last held nothing; the older settlements of a long hedge come as one."""
        paid = (await self._settled(account)).paid
        return [
            FundingPayment(symbol, event.amount, event.asset, event.time)
            for event in paid
            if event.symbol == symbol and since <= event.time <= until
        ]

    def names_forced_closes(self, account: Account) -> bool:
        return True

    async def listed(self, account: Account, symbol: str) -> bool:
        """Also while it has no quote for a moment."""
        return symbol in (await self._feed.snapshot()).contracts

    async def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        def change(state: _State) -> tuple[PaperAccount, None]:
            return with_leverage(state.account, _contract(state.snapshot, symbol), leverage), None

        await self._write(account, change, None)

    async def positions_in(self, account: Account, symbol: str) -> Sequence[Position]:
        return [position for position in await self.positions(account) if position.symbol == symbol]

    async def read_ahead(self, account: Account, symbol: str) -> Sequence[Position]:
        """Paper has no modes to ask for."""
        return await self.positions_in(account, symbol)

    async def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        def change(state: _State) -> tuple[PaperAccount, None]:
            return with_margin_mode(state.account, _contract(state.snapshot, symbol), mode), None

        await self._write(account, change, None)

    async def quiet(self, account: Account, symbol: str, since: datetime) -> bool:
        """Nothing rests on paper, and an order that is not in the book was never filled."""
        return True

    async def place(self, account: Account, order: Order) -> OrderReport:
        """Fill what the book gives within the limit, at once; the rest is cancelled. A client id that is known is
        rejected with code "duplicate": look it up. The report's fee is in quote units."""

        def trade(state: _State) -> tuple[PaperAccount, OrderReport]:
            if order.not_after is not None and self._clock.now() > order.not_after:
                raise Rejected("The order could not leave in time.", "stalled")
            contract = _contract(state.snapshot, order.symbol)
            wish = PaperOrder(order.symbol, order.side, order.contracts, order.limit_price, order.reduce_only)
            after, got = fill(state.account, contract, wish, state.snapshot.quotes[order.symbol])
            report = OrderReport(
                client_id=order.client_id,
                order_id=f"paper-{account.id}-{state.version + 1}",
                status="filled" if got.contracts == order.contracts else "cancelled",
                filled=got.contracts,
                average_price=got.price,
                fee=got.fee if contract.linear or got.price is None else got.fee * got.price,
            )
            return after, report

        report = await self._write(account, trade, order)
        if report is None:
            raise Ambiguous(f"The order {order.client_id} left no report; look it up.")
        return report

    async def find_order(self, account: Account, symbol: str, client_id: str) -> OrderReport | None:
        row = await self._store.paper_order(account.id, client_id)
        return decode_report(row) if row is not None and row["symbol"] == symbol else None

    async def _write(
        self,
        account: Account,
        change: Callable[[_State], tuple[PaperAccount, OrderReport | None]],
        order: Order | None,
    ) -> OrderReport | None:
        """Change the account by compare-and-set. Raises Rejected when nothing of it stands, else Ambiguous."""
        for _ in range(_TRIES):
            try:
                if order and await self._store.paper_order(account.id, order.client_id) is not None:
                    raise Rejected(f"An order {order.client_id} is known already.", "duplicate")
                state = await self._read(account)
                after, report = change(state)
            except OrderRejected as refusal:
                raise Rejected(str(refusal), refusal.code) from refusal
            except Unavailable as failure:
                raise Rejected(f"Nothing was sent: {failure}", "unavailable") from failure
            row = (
                (order.client_id, order.symbol, encode_report(report, order.symbol))
                if order and report
                else None
            )
            try:
                saved = encode(after, state.forced, kept(after, state.paid))
                await self._store.save_paper(account.id, saved, version=state.version, order=row)
            except StaleVersion:
                continue
            except Exception as failure:  # whatever it was, it may have come after the commit
                raise Ambiguous("It is not known whether the paper account was saved.") from failure
            return report
        raise Rejected("The paper account is busy; nothing was sent.", "busy")

    async def _settled(self, account: Account) -> _State:
        """The account up to the present; what happened on the way is saved, unless somebody else has just done so."""
        state = await self._read(account)
        if state.stale:
            try:
                saved = encode(state.account, state.forced, state.paid)
                await self._store.save_paper(account.id, saved, version=state.version)
            except StaleVersion:
                return await self._read(account)
        return state

    async def _read(self, account: Account) -> _State:
        snapshot = await self._feed.snapshot()
        row = await self._store.paper_account(account.id)
        if row is None:
            return _State(PaperAccount(self._deposit, snapshot.time), (), (), 0, snapshot, stale=False)
        try:
            then, forced, paid = decode(row[0])
        except (ValueError, LookupError, TypeError) as error:
            raise Unavailable("The paper account's state cannot be read.") from error
        path, funding = await self._since(then, snapshot)
        now, events = settle(then, path, funding)
        now, ended = settle_ended(now, snapshot.contracts, snapshot.time)
        events += ended
        closed = tuple(event for event in events if isinstance(event, Liquidation))
        stale = bool(events) or (bool(then.positions) and snapshot.time - then.settled_at >= _SAVE_EVERY)
        settled = tuple(event for event in events if isinstance(event, FundingPaid))
        return _State(now, forced + closed, kept(now, paid + settled), row[1], snapshot, stale)

    async def _since(self, account: PaperAccount, snapshot: Snapshot) -> tuple[list[Marks], list[Funding]]:
        """Marks and funding from the last settlement to the snapshot. A clock that went back settles nothing; while it
        stands still, marks may move nevertheless: the market of the demo can be paused and shocked. What has no quote
        for a moment keeps its last mark, and its funding falls due all the same."""
        gap = snapshot.time - account.settled_at
        if gap < timedelta(0):
            return [], []
        listed = [symbol for symbol in sorted(account.positions) if symbol in snapshot.contracts]
        path: list[Marks] = []
        funding: list[Funding] = []
        if listed and gap > _FINE:
            bar = _FINE if gap <= _FINE_UP_TO else _COARSE
            candles = await self._feed.candles(listed, since=account.settled_at, bar=bar)
            path = _marks(candles, account.settled_at, snapshot.time, bar)
        for symbol in listed:
            rate = snapshot.funding.get(symbol)
            if rate is None or rate.next_time - timedelta(hours=rate.interval_hours) > account.settled_at:
                settled = await self._feed.funding_since(symbol, account.settled_at)
                funding += [item for item in settled if item.next_time <= snapshot.time]
        present = {symbol: snapshot.quotes[symbol].mark for symbol in listed if symbol in snapshot.quotes}
        return [*path, Marks(snapshot.time, present, present, present)], funding


def _marks(candles: Candles, since: datetime, until: datetime, bar: timedelta) -> list[Marks]:
    """The bars that begin between two instants. The unfinished one ends just before the snapshot, whose marks come
    after it."""
    path: list[Marks] = []
    for row, opened in enumerate(candles.times):
        start = opened.astype("datetime64[s]").astype(datetime).replace(tzinfo=UTC)
        if start < since or start >= until:
            continue
        close, high, low = (
            _row(candles.names, (candles.close if part is None else part)[row])
            for part in (candles.close, candles.high, candles.low)
        )
        path.append(Marks(min(start + bar, until - timedelta.resolution), high=high, low=low, close=close))
    return path


def _row(names: Sequence[str], prices: Sequence[float]) -> dict[str, Decimal]:
    return {
        name: Decimal(f"{price:.12g}")
        for name, price in zip(names, prices, strict=True)
        if math.isfinite(price) and price > 0
    }


def _contract(snapshot: Snapshot, symbol: str) -> Contract:
    contract = snapshot.contracts.get(symbol)
    if contract is None:
        raise OrderRejected(f"There is no contract {symbol} here.", "unknown_symbol")
    if symbol not in snapshot.quotes:
        raise OrderRejected(f"{symbol} has no price just now.", "no_quote")
    return contract


def _position(account: PaperAccount, symbol: str) -> Position:
    position: PaperPosition = account.positions[symbol]
    contract, gain = position.contract, unrealized(position)
    reached = liquidation(account, symbol)
    if reached is not None:  # rounded to the side on which it comes sooner
        reached = (floor_to_step if position.contracts < 0 else ceil_to_step)(reached, contract.tick)
    return Position(
        symbol=symbol,
        contracts=position.contracts,
        entry_price=position.entry_price,
        mark_price=position.mark_price,
        leverage=position.leverage,
        margin_mode=position.margin_mode,
        margin=set_aside(position),
        unrealized_pnl=gain if contract.linear else gain * position.mark_price,
        liquidation_price=reached,
    )


def _closed(event: Liquidation) -> TradeFill:
    return TradeFill(
        symbol=event.symbol,
        order_id="",
        side="buy" if event.contracts < 0 else "sell",
        contracts=abs(event.contracts),
        price=event.price,
        fee=ZERO,
        time=event.time,
        forced=event.kind,
        id=f"{event.symbol}:{event.time.isoformat()}",
    )


def _dollars(amounts: Mapping[str, Decimal], spot: Mapping[str, Decimal]) -> Decimal:
    try:
        return sum((amount * spot[asset] for asset, amount in amounts.items()), ZERO)
    except KeyError as missing:
        raise Unavailable(
            f"There is no price of {missing.args[0]} to value the paper account with."
        ) from None
