"""Each tick, and before each card: does the account hold what our orders explain? What does not add up is looked up in
the exchange's own records, stored once and told once."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.ports.books import Book, KnownShort, PositionChange
from bot.ports.clock import Clock
from bot.ports.errors import StaleVersion, Unavailable
from bot.ports.exchange import Exchange, TradeFill
from bot.ports.records import TERMINAL, Account, Attempt, AttemptState, OutboxItem
from bot.ports.store import Store
from bot.ports.watching import Look, Reader
from bot.services.markets import Markets
from bot.services.reconciliation.explain import Part, explain, own_after
from bot.services.reconciliation.words import message
from bot.services.situation import Situation
from hedging.market import Snapshot
from hedging.money import ZERO
from hedging.portfolio import Position

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)  # records are read from so long before the last look: they may show late
FIRST_LOOK = timedelta(hours=24)  # and from so long ago where there was no look yet
LOOK_LASTS = timedelta(minutes=10)  # of market time; then the book says anew when it was looked at
MOST_LOST = 5  # orders that were given up and are looked for once more
GONE = "gone"  # the contract is not listed any more


@dataclass(frozen=True, slots=True)
class Ordered:
    """What our orders in one symbol did. `total`: signed contracts that they traded, whatever became of them."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def total(self) -> Decimal:
        return sum((a.filled if a.side == "buy" else -a.filled for a in self.attempts), ZERO)

    @property
    def busy(self) -> bool:
        """One is on its way or unknown: the position may or may not have it yet."""
        return any(a.state not in TERMINAL for a in self.attempts)

    @property
    def latest(self) -> datetime | None:
        """When the last of them was settled (wall time)."""
        return max((a.updated_at for a in self.attempts), default=None)

    @property
    def lost(self) -> list[Attempt]:
        """Those that nobody could tell of, or that were thought never to have arrived."""
        return [a for a in self.attempts if a.state in (AttemptState.MANUAL, AttemptState.ABSENT)]


class Reconciliation:
    """One private read in the normal case, which the caller has made; history only where something does not add up."""

    def __init__(self, store: Store, exchange: Exchange, markets: Markets, clock: Clock) -> None:
        self._store = store
        self._exchange = exchange
        self._markets = markets
        self._clock = clock

    async def check(self, situation: Situation) -> Situation:
        """Explain the account's shorts. The situation with what its owner sold by hand and, where something did not
        add up, with positions that were read anew.

        Never raises Unavailable: what cannot be looked up now is looked up at the next look.
        """
        book, now = situation.book, situation.snapshot.time
        try:
            if book is None or not _adds_up(situation, book):
                return await self.explain(situation)
            if now - book.looked_at > LOOK_LASTS:
                await self._save(replace(book, looked_at=now))
        except Unavailable as failure:
            log.info("account %d cannot be reconciled now: %s", situation.account.id, failure)
        return situation

    async def explain(self, situation: Situation) -> Situation:
        """The same, also when the sizes add up: what an order of ours opened may be closed again already. Raises
        Unavailable."""
        account = situation.account
        return await self._explained(situation, situation.book or Book(account.id, situation.snapshot.time))

    async def behind(self, seen: Sequence[tuple[Reader, Look]]) -> list[int]:
        """Whose positions, as just seen, are not explained yet, or who have not been told of a delisting: user ids. One
        read of the database for all, and none of an exchange. Who has had an order since the last look is among them
        even when the sizes add up: what it opened may be closed again already, by nobody we know."""
        books = await self._store.books([one.account.id for one, _ in seen])
        return [
            one.account.user_id
            for one, look in seen
            if not look.failure
            and (one.asked or self._is_behind(one.account, look, books.get(one.account.id)))
        ]

    def _is_behind(self, account: Account, look: Look, book: Book | None) -> bool:
        known = book.shorts if book else {}
        held = {str(row[0]): Decimal(row[1]) for row in look.positions if str(row[1]).startswith("-")}
        if held != {symbol: short.contracts for symbol, short in known.items() if short.contracts}:
            return True
        snapshot = self._markets.of(account).latest if held else None
        return snapshot is not None and any(
            (now := _delisting(snapshot, symbol)) and now != known[symbol].delisting for symbol in held
        )

    async def _explained(self, situation: Situation, book: Book) -> Situation:
        account, known = situation.account, book.shorts
        earliest = book.looked_at if book.version else book.looked_at - FIRST_LOOK
        before = ordered = await self._ordered(account.id)
        if _unexpected(situation.positions, known, ordered):
            # Once more, between two looks at the ledger: an order of ours that was filled meanwhile is no riddle.
            situation = replace(situation, positions=await self._exchange.positions(account))
            ordered = await self._ordered(account.id)
        held = _shorts(situation.positions)
        shorts, found, settled = dict(known), list[tuple[str, Part]](), True
        for symbol in sorted({*known, *ordered, *held}):
            mine = ordered.get(symbol, Ordered())
            parts = None
            if not mine.busy and mine.total == before.get(symbol, Ordered()).total:
                change = held.get(symbol, ZERO) - _expected(symbol, known, mine)
                parts = await self._parts(situation, book, symbol, change, mine) if change else []
            if parts is None:
                settled = False  # the next look sees more
                continue
            shorts[symbol] = _known(situation, symbol, known.get(symbol), mine.total, parts)
            found += [(symbol, part) for part in parts]
        found += [(symbol, Part("delisting", ZERO)) for symbol in _news(situation, known)]
        situation = replace(situation, book=replace(book, shorts=shorts))
        if shorts == known and not found and book.version:
            return situation
        fresh = replace(book, shorts=shorts, looked_at=situation.snapshot.time if settled else earliest)
        await self._save(fresh, await self._owed(situation, fresh, found))
        return situation

    async def _parts(
        self, situation: Situation, book: Book, symbol: str, change: Decimal, mine: Ordered
    ) -> list[Part] | None:
        """The causes of a change; None while it is too early to say."""
        account, exchange = situation.account, self._exchange
        if not book.version and change < 0:
            return [Part("found", change)]
        since = book.looked_at - (OVERLAP if book.version else FIRST_LOOK)  # market time
        counted = {
            record
            for earlier in await self._store.position_changes(account.id, symbol)
            for record in earlier.records
        }
        forced = await exchange.forced_closes(account, symbol, since)
        known_orders = {a.order_id for a in mine.attempts} | {close.order_id for close in forced}
        fills = [
            fill
            for fill in await exchange.fills(account, symbol, since)
            if fill.id not in counted and fill.order_id not in known_orders and not fill.forced
        ]
        ours = await self._turned_up(account, mine, fills)
        parts = explain(
            change,
            [close for close in forced if close.id not in counted],
            [fill for fill in fills if fill.order_id in ours],
            [fill for fill in fills if fill.order_id not in ours],
            names_forced=exchange.names_forced_closes(account),
        )
        unclear = any(part.kind == "unexplained" for part in parts)
        if unclear and not book.version:  # what happened before the first look is nobody's news
            return [part for part in parts if part.kind != "unexplained"]
        if unclear and mine.latest and self._clock.now() - mine.latest < exchange.settles_within(account):
            return None
        if change > 0 and symbol not in _shorts(situation.positions):
            return await self._settled(account, symbol, parts)
        return parts

    async def _turned_up(self, account: Account, mine: Ordered, fills: Sequence[TradeFill]) -> set[str]:
        """Which of these executions are of orders of ours that were given up, by their order ids."""
        if not fills:
            return set()
        reports = [
            await self._exchange.find_order(account, lost.symbol, lost.client_id)
            for lost in mine.lost[-MOST_LOST:]
        ]
        return {report.order_id for report in reports if report is not None}

    async def _settled(self, account: Account, symbol: str, parts: list[Part]) -> list[Part]:
        """The end of a contract is told as what it is, also by exchanges that call it something else or nothing."""
        doubtful = ("liquidation", "trade", "unexplained")
        if not any(part.kind in doubtful for part in parts) or await self._exchange.listed(account, symbol):
            return parts
        return [replace(part, kind="settlement") if part.kind in doubtful else part for part in parts]

    async def _ordered(self, account_id: int) -> Mapping[str, Ordered]:
        found: dict[str, list[Attempt]] = {}
        for attempt in await self._store.orders_of(account_id):
            found.setdefault(attempt.symbol, []).append(attempt)
        return {symbol: Ordered(tuple(attempts)) for symbol, attempts in found.items()}

    async def _owed(
        self, situation: Situation, book: Book, found: Sequence[tuple[str, Part]]
    ) -> list[tuple[PositionChange, OutboxItem]]:
        user = await self._store.user(situation.account.user_id) if found else None
        if user is None:
            return []
        now = self._clock.now()
        changes = [(_change(situation, book, symbol, part), book.shorts[symbol]) for symbol, part in found]
        return [(change, message(change, short, situation, user, now)) for change, short in changes]

    async def _save(self, book: Book, changes: Sequence[tuple[PositionChange, OutboxItem]] = ()) -> None:
        """When another worker was quicker, what it made of the account stands, and it has told of it."""
        try:
            await self._store.save_book(book, changes)
        except StaleVersion:
            log.info("account %d was reconciled by another worker", book.account_id)


def _shorts(positions: Sequence[Position]) -> dict[str, Decimal]:
    return {position.symbol: position.contracts for position in positions if position.contracts < 0}


def _adds_up(situation: Situation, book: Book) -> bool:
    """Whether the account holds what it held at the last look, and its owner knows of every delisting."""
    held = _shorts(situation.positions)
    known = {symbol: short.contracts for symbol, short in book.shorts.items() if short.contracts}
    return held == known and not _news(situation, book.shorts)


def _expected(symbol: str, known: Mapping[str, KnownShort], mine: Ordered) -> Decimal:
    """What our orders since the last look have made of the short."""
    short = known.get(symbol)
    return mine.total if short is None else short.contracts + mine.total - short.ordered


def _unexpected(
    positions: Sequence[Position], known: Mapping[str, KnownShort], ordered: Mapping[str, Ordered]
) -> bool:
    held = _shorts(positions)
    return any(
        held.get(symbol, ZERO) != _expected(symbol, known, ordered.get(symbol, Ordered()))
        for symbol in {*known, *ordered, *held}
    )


def _known(
    situation: Situation, symbol: str, earlier: KnownShort | None, ordered: Decimal, parts: Sequence[Part]
) -> KnownShort:
    contracts = _shorts(situation.positions).get(symbol, ZERO)
    contract = situation.snapshot.contracts.get(symbol)
    size = earlier.contract_size if earlier else None
    if contract is not None:
        size = contract.contract_size if contract.linear else None
    own = own_after(earlier.own if earlier else ZERO, contracts, parts)
    told = _delisting(situation.snapshot, symbol) if contracts else ""
    return KnownShort(symbol, contracts, own, ordered, size, told)


def _news(situation: Situation, known: Mapping[str, KnownShort]) -> list[str]:
    """Shorts whose delisting their owner has not been told of."""
    told = {symbol: short.delisting for symbol, short in known.items()}
    return [
        symbol
        for symbol in _shorts(situation.positions)
        if (now := _delisting(situation.snapshot, symbol)) and now != told.get(symbol)
    ]


def _delisting(snapshot: Snapshot, symbol: str) -> str:
    contract = snapshot.contracts.get(symbol)
    if contract is None:
        return GONE
    return contract.closes_at.isoformat() if contract.closes_at else ""


def _change(situation: Situation, book: Book, symbol: str, part: Part) -> PositionChange:
    """Its key is that of the exchange's record; else that of the look at which it was seen."""
    own_key = part.records[0] if part.records else f"look {book.version + 1}"
    if part.kind == "delisting":
        own_key = book.shorts[symbol].delisting
    return PositionChange(
        key=f"{book.account_id}:{symbol}:{part.kind}:{own_key}",
        account_id=book.account_id,
        symbol=symbol,
        kind=part.kind,
        contracts=part.contracts,
        price=part.price,
        at=part.at or situation.snapshot.time,
        records=part.records,
    )
