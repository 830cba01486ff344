"""Private reads: what each account holds, a few at once, and never so long that anybody else waits for it."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot import metrics
from bot.ports.clock import Clock
from bot.ports.errors import KeyRefused, PortError
from bot.ports.exchange import Exchange
from bot.ports.records import AccountState, Balance
from bot.ports.store import Store
from bot.ports.watching import Look, Reader
from bot.services.footing import short_of
from bot.services.reconciliation import Reconciliation, held_in
from bot.services.watch.doubt import doubt_of
from hedging.errors import HedgingError
from hedging.portfolio import Position

log = logging.getLogger(__name__)

AT_ONCE = 16  # an exchange
LOOK_SECONDS = 5.0  # for one account
ROUND_SECONDS = 20.0  # for all of them: who was not reached by then comes first the next time
GIVE_UP_AFTER = 3  # reads of one exchange that ran out of time; the others there wait for the next tick
AGAIN_SECONDS = 5.0  # before a loss is told of which nothing tells the cause
FLAT_EVERY = timedelta(minutes=10)  # an account without a short is looked at so often
NEVER = datetime(2000, 1, 1, tzinfo=UTC)

Closed = dict[str, Any]  # user, account, symbol, before, after: a short that became smaller by nobody we know


class Looks:
    """Keeps the last look at every account that matters."""

    def __init__(
        self, store: Store, exchange: Exchange, reconciliation: Reconciliation, clock: Clock
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._reconciliation = reconciliation
        self._clock = clock

    async def refresh(self, shard: int = 0, shards: int = 1) -> dict[str, Any]:
        """Look at all who are due. `began`: when (wall time); `closed`: the shorts that somebody else has closed
        meanwhile; `touched`: whose positions have changed or may have, `behind`: whose positions are not explained yet,
        `unseen`: who cannot be seen and has had an order since the last look that could, by user id."""
        now = self._clock.now()
        readers = await self._store.readers(shard, shards)
        due = [r for r in readers if r.account.state is AccountState.ACTIVE and _worth(r, now)]
        round_ = _Round(self._exchange)
        found = await asyncio.gather(*(round_.look(one, now) for one in due))
        seen = [(one, look) for one, look in zip(due, found, strict=True) if look is not None]
        doubted = await self._reconciliation.unexpected(seen)
        seen = await asyncio.gather(*(self._again(*pair, doubted, now) for pair in seen))
        await self._store.save_looks([look for _, look in seen])
        return {
            "began": now.isoformat(),
            "closed": [closed for one, look in seen for closed in _closed(one, look)],
            "behind": await self._reconciliation.behind(seen),
            "unseen": [one.account.user_id for one, look in seen if look.failure and one.asked],
            "touched": [one.account.user_id for one, look in seen if _may_differ(one, look)],
        }

    async def confirmed(self, closed: Sequence[Closed]) -> list[Closed]:
        """Those losses of which nothing tells the cause that are still so some seconds later; also where the account
        cannot be read then: two reads have said so by now."""
        await self._clock.sleep(AGAIN_SECONDS)
        return [one for one in closed if await self._still(one)]

    async def _still(self, closed: Closed) -> bool:
        account = await self._store.account(closed["account"]) if "account" in closed else None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                held = await self._exchange.positions_in(account, closed["symbol"]) if account else ()
        except (PortError, HedgingError, TimeoutError):
            return True
        return short_of(held, closed["symbol"]) < Decimal(closed["before"])

    async def _again(
        self, one: Reader, look: Look, doubted: Mapping[int, Mapping[str, Decimal]], now: datetime
    ) -> tuple[Reader, Look]:
        """The look, with what two reads agree upon where the list is not what our orders explain; a failed one where
        they do not."""
        rows = list(look.positions)
        for symbol, expected in doubted.get(one.account.id, {}).items():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    again = await self._exchange.positions_in(one.account, symbol)
            except (PortError, HedgingError, TimeoutError) as failure:
                log.warning("user %s is not seen twice at this tick: %s", one.account.user_id, failure)
                return one, _failed(one, now, "unavailable")
            if short_of(again, symbol) not in (-held_in(look).get(symbol, Decimal(0)), -expected):
                log.warning("user %s: two reads contradict each other", one.account.user_id)
                return one, _failed(one, now, "unavailable")
            rows = [row for row in rows if row[0] != symbol] + [_row(position) for position in again]
        return one, replace(look, positions=rows)


class _Round:
    """One round of reads."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._gates: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._slow: Counter[str] = Counter()
        self._until = asyncio.get_running_loop().time() + ROUND_SECONDS

    async def look(self, one: Reader, now: datetime) -> Look | None:
        """What is there now, or what is known with the word that it failed. None when its turn did not come."""
        where = one.account.exchange
        async with self._gates[where]:
            if self._slow[where] >= GIVE_UP_AFTER or asyncio.get_running_loop().time() > self._until:
                metrics.LOOKS.labels("skipped").inc()
                return _failed(one, now, "unavailable") if self._slow[where] else None
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    positions, balance = await asyncio.gather(
                        self._exchange.positions(one.account), self._exchange.balance(one.account)
                    )
            except TimeoutError:
                self._slow[where] += 1
                metrics.LOOKS.labels("slow").inc()
                return _failed(one, now, "unavailable")
            except (PortError, HedgingError) as failure:
                log.warning("user %s is not seen at this tick: %s", one.account.user_id, failure)
                metrics.LOOKS.labels("failed").inc()
                return _failed(one, now, "key" if isinstance(failure, KeyRefused) else "unavailable")
        metrics.LOOKS.labels("seen").inc()
        return _seen(one, now, positions, balance)


def _seen(one: Reader, now: datetime, positions: Sequence[Position], balance: Balance) -> Look:
    look = Look(
        one.account.id,
        now,
        balance.equity,
        balance.free,
        [_row(p) for p in positions],
        maintenance=balance.maintenance,
    )
    traded = one.asked or _sizes(one.look) != _sizes(look)
    doubt = doubt_of(one.look, balance, positions, traded=traded)
    if not doubt:
        return look
    log.info("the balance of account %d is not gone by: %s", one.account.id, doubt)
    return replace(look, doubt=doubt, doubts=one.look.doubts + 1 if one.look is not None else 1)


def _may_differ(one: Reader, look: Look) -> bool:
    """Also after an order that the last look may have seen half of, or whose end its pass did not wait for."""
    return (one.asked and not look.failure) or _sizes(one.look) != _sizes(look)


def _worth(one: Reader, now: datetime) -> bool:
    look = one.look
    return (
        look is None
        or one.hedged
        or one.asked
        or bool(look.positions or look.failure)
        or now - look.looked_at >= FLAT_EVERY
    )


def _failed(one: Reader, now: datetime, why: str) -> Look:
    known = one.look or Look(one.account.id, NEVER)
    failures = known.failures + 1 if known.failure == why else 1
    return replace(known, failing_since=known.failing_since or now, failure=why, failures=failures)


def _row(position: Position) -> list[Any]:
    liquidation = position.liquidation_price
    return [
        position.symbol,
        str(position.contracts),
        str(position.entry_price),
        None if liquidation is None else str(liquidation),
        position.leverage,
        position.margin_mode,
        position.adl_rank,
    ]


def _closed(one: Reader, look: Look) -> Sequence[Closed]:
    """Shorts that are smaller than at the last look although no order of ours was worked on since."""
    if one.look is None or one.asked or look.failure:
        return ()
    before, after = _sizes_of_shorts(one.look), _sizes_of_shorts(look)
    return [
        {
            "user": one.account.user_id,
            "account": one.account.id,
            "symbol": symbol,
            "before": str(was),
            "after": str(after.get(symbol, Decimal(0))),
        }
        for symbol, was in before.items()
        if after.get(symbol, Decimal(0)) < was
    ]


def _sizes(look: Look | None) -> set[tuple[str, str]]:
    """A long and a short of one symbol are two."""
    return set() if look is None else {(str(row[0]), str(row[1])) for row in look.positions}


def _sizes_of_shorts(look: Look) -> Mapping[str, Decimal]:
    """Symbol -> contracts short."""
    return {symbol: -contracts for symbol, contracts in held_in(look).items()}
