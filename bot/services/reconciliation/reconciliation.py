"""Each tick, and before each card: does the account hold what our orders explain? What does not add up is looked up in
the exchange's own records, stored once and told once."""

import logging
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.ports.books import Book, KnownShort, PositionChange
from bot.ports.clock import Clock
from bot.ports.errors import Contradicted, StaleVersion, Unavailable
from bot.ports.exchange import Exchange, TradeFill
from bot.ports.records import Account, AlertState, OutboxItem, User
from bot.ports.store import Store
from bot.ports.watching import Look, Reader
from bot.services.expected import Ordered, expected_of, held_in, shorts_of, unexpected
from bot.services.markets import Markets
from bot.services.reconciliation.explain import Part, explain, own_after
from bot.services.reconciliation.words import message
from bot.services.second_source import SecondSource
from bot.services.situation import Situation
from hedging.market import Snapshot
from hedging.money import ZERO

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)  # records are read from so long before the last look: they may show late
STANDS_AFTER = timedelta(seconds=30)  # a change without a trace that is still there is believed then
SHOWS_WITHIN = timedelta(minutes=5)  # a fill of ours, in every list of positions
FIRST_LOOK = timedelta(hours=24)  # and from so long ago where there was no look yet
LOOK_LASTS = timedelta(minutes=10)  # of market time; then the book says anew when it was looked at
MOST_LOST = 5  # orders that were given up and are looked for once more
ALARM = "forced_close"  # the watch's, where a short is gone and nothing tells why
GONE = "gone"  # the contract is not listed any more


@dataclass(frozen=True, slots=True)
class Doubt:
    """A size that nothing explains yet (signed contracts), and since when it is seen (wall time)."""

    contracts: Decimal
    since: datetime


class Reconciliation:
    """One private read in the normal case, which the caller has made; history only where something does not add up."""

    def __init__(
        self, store: Store, exchange: Exchange, source: SecondSource, markets: Markets, clock: Clock
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._source = source
        self._markets = markets
        self._clock = clock
        self._doubts: dict[tuple[int, str], Doubt] = {}
        self._traceless: set[int] = set()

    async def check(self, situation: Situation) -> Situation:
        """Explain the account's shorts. The situation with what its owner sold by hand and, where something did not
        add up, with positions that were read anew.

        What cannot be looked up now is looked up at the next look. Raises Contradicted, and Unavailable, when it is not
        even certain what is held: nothing is planned on a list that has lost a short without a trace.
        """
        book, now = situation.book, situation.snapshot.time
        try:
            if book is None or not _adds_up(situation, book) or await self._traded_lately(situation.account):
                situation = await self.explain(situation)
                self._certain(situation.account.id)
            elif now - book.looked_at > LOOK_LASTS:
                await self._save(replace(book, looked_at=now))
        except Contradicted:
            raise
        except Unavailable as failure:
            self._certain(situation.account.id)
            situation = await self.verified(situation)
            log.info("account %d cannot be reconciled now: %s", situation.account.id, failure)
        return situation

    async def _traded_lately(self, account: Account) -> bool:
        """Whether an order of ours may be in the ledger and not in the position yet, or in neither the book."""
        return bool(await self._store.orders_of(account.id, since=self._clock.now() - SHOWS_WITHIN))

    async def verified(self, situation: Situation) -> Situation:
        """The same with positions that two reads agree upon: where the account's list is not what our orders and the
        last look explain, the symbol is asked for by its name. Raises Contradicted and Unavailable."""
        known = situation.book.shorts if situation.book else {}
        ordered = await self._source.ordered(situation.account.id)
        return await self._agreed(situation, known, ordered)

    async def unexpected(self, seen: Sequence[tuple[Reader, Look]]) -> Mapping[int, Mapping[str, Decimal]]:
        """By account id, the shorts that are not as our orders and the last look explain them: what they should be
        (signed contracts by symbol). One read of the database for all, and one more for who is among them."""
        books = await self._store.books([one.account.id for one, _ in seen])
        found: dict[int, Mapping[str, Decimal]] = {}
        for one, look in seen:
            book = books.get(one.account.id)
            known, held = book.shorts if book else {}, held_in(look)
            as_known = held == {symbol: short.contracts for symbol, short in known.items() if short.contracts}
            if look.failure or (as_known and not one.asked):
                continue
            ordered = await self._source.ordered(one.account.id)
            if differing := unexpected(held, known, ordered):
                found[one.account.id] = differing
        return found

    async def explain(self, situation: Situation) -> Situation:
        """The same, also when the sizes add up: what an order of ours opened may be closed again already. Raises
        Unavailable."""
        account = situation.account
        book = situation.book or Book(account.id, situation.snapshot.time)
        explained = await self._explained(situation, book)
        if any(account_id == account.id for account_id, _ in self._doubts):
            fresh = await self._store.book(account.id)
            # Another worker may have explained it meanwhile.
            if fresh is not None and fresh.version > book.version:
                return await self._explained(replace(explained, book=fresh), fresh)
        return explained

    @property
    def traceless(self) -> Collection[int]:
        """The accounts, by id, that show a change of which their exchange's records know nothing, and that may be a
        read that was wrong: nobody is judged by it yet."""
        return frozenset(self._traceless)

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
        held = held_in(look)
        if held != {symbol: short.contracts for symbol, short in known.items() if short.contracts}:
            return True
        snapshot = self._markets.of(account).latest if held else None
        return snapshot is not None and any(
            (now := _delisting(snapshot, symbol)) and now != known[symbol].delisting for symbol in held
        )

    async def _explained(self, situation: Situation, book: Book) -> Situation:
        account, known = situation.account, book.shorts
        self._traceless.discard(account.id)
        earliest = book.looked_at if book.version else book.looked_at - FIRST_LOOK
        before = ordered = await self._source.ordered(account.id)
        if unexpected(shorts_of(situation.positions), known, ordered):
            # Once more, between two looks at the ledger: an order of ours that was filled meanwhile is no riddle.
            situation = await self._agreed(situation, known, ordered)
            ordered = await self._source.ordered(account.id)
        held = shorts_of(situation.positions)
        shorts, found, settled = dict(known), list[tuple[str, Part]](), True
        for symbol in sorted({*known, *ordered, *held}):
            mine = ordered.get(symbol, Ordered())
            parts = None
            if not mine.busy and mine.total == before.get(symbol, Ordered()).total:
                contracts = held.get(symbol, ZERO)
                change = contracts - expected_of(symbol, known, mine)
                doubt = self._doubt(account.id, symbol, contracts) if change else None
                parts = await self._parts(situation, book, symbol, change, mine, doubt) if doubt else []
                if parts is not None:
                    self._doubts.pop((account.id, symbol), None)
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
        self, situation: Situation, book: Book, symbol: str, change: Decimal, mine: Ordered, doubt: Doubt
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
        if not _traceless(parts):  # whoever did it, the exchange's records say that it was done
            self._doubts.pop((account.id, symbol), None)
        unclear = any(part.kind == "unexplained" for part in parts)
        if unclear and mine.latest and self._clock.now() - mine.latest < exchange.settles_within(account):
            return None
        gone = change > 0 and symbol not in shorts_of(situation.positions)
        settled = await self._settled(account, symbol, parts) if gone else parts
        if _traceless(settled) and not self._stands(doubt):
            self._traceless.add(account.id)
            return None
        # What happened before the first look is nobody's news.
        return settled if book.version else [part for part in settled if part.kind != "unexplained"]

    async def _agreed(
        self, situation: Situation, known: Mapping[str, KnownShort], ordered: Mapping[str, Ordered]
    ) -> Situation:
        account, positions = situation.account, situation.positions
        return replace(situation, positions=await self._source.agreed(account, positions, known, ordered))

    def _doubt(self, account_id: int, symbol: str, contracts: Decimal) -> Doubt:
        """Since when the short has been seen at a size that is not explained."""
        earlier = self._doubts.get((account_id, symbol))
        if earlier is None or earlier.contracts != contracts:
            earlier = self._doubts[account_id, symbol] = Doubt(contracts, self._clock.now())
        return earlier

    def _stands(self, doubt: Doubt) -> bool:
        return self._clock.now() - doubt.since >= STANDS_AFTER

    def _certain(self, account_id: int) -> None:
        """Raises Contradicted while a change that nothing explains may still be a read that was wrong."""
        if not all(self._stands(doubt) for (one, _), doubt in self._doubts.items() if one == account_id):
            raise Contradicted(f"What account {account_id} holds has changed without a trace.")

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

    async def _owed(
        self, situation: Situation, book: Book, found: Sequence[tuple[str, Part]]
    ) -> list[tuple[PositionChange, OutboxItem]]:
        user = await self._store.user(situation.account.user_id) if found else None
        if user is None:
            return []
        now = self._clock.now()
        alarms = await self._alarms(user, {symbol for symbol, _ in found})
        changes = [(_change(situation, book, symbol, part), book.shorts[symbol]) for symbol, part in found]
        return [
            (change, message(change, short, situation, user, now, alarms.pop(change.symbol, None)))
            for change, short in changes
        ]

    async def _alarms(self, user: User, symbols: Set[str]) -> dict[str, int]:
        """The messages that told of these shorts' loss before its cause was known, by symbol: from now on they are the
        explanation's."""
        taken: dict[str, int] = {}
        for alert in await self._store.live_alerts(user.id):
            if alert.kind == ALARM and alert.subject in symbols and alert.message_id is not None:
                try:
                    await self._store.move_alert(
                        alert, AlertState.ACKNOWLEDGED, at=alert.updated_at, keeps_message=False
                    )
                except StaleVersion:
                    continue  # the watch or a tap was quicker: the explanation gets a message of its own
                taken[alert.subject] = alert.message_id
        return taken

    async def _save(self, book: Book, changes: Sequence[tuple[PositionChange, OutboxItem]] = ()) -> None:
        """When another worker was quicker, what it made of the account stands, and it has told of it."""
        try:
            await self._store.save_book(book, changes)
        except StaleVersion:
            log.info("account %d was reconciled by another worker", book.account_id)


def _adds_up(situation: Situation, book: Book) -> bool:
    """Whether the account holds what it held at the last look, and its owner knows of every delisting."""
    held = shorts_of(situation.positions)
    known = {symbol: short.contracts for symbol, short in book.shorts.items() if short.contracts}
    return held == known and not _news(situation, book.shorts)


def _traceless(parts: Sequence[Part]) -> bool:
    """Whether a part of the change is in no record of the exchange."""
    return any(part.kind == "unexplained" and not part.records for part in parts)


def _known(
    situation: Situation, symbol: str, earlier: KnownShort | None, ordered: Decimal, parts: Sequence[Part]
) -> KnownShort:
    contracts = shorts_of(situation.positions).get(symbol, ZERO)
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
        for symbol in shorts_of(situation.positions)
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
