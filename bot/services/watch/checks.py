"""One pass of all checks over one shard: from the stored state of everybody to stored alerts."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bot import metrics
from bot.ports.clock import Clock
from bot.ports.errors import PortError
from bot.ports.exchange import Healths
from bot.ports.records import PAPER, Account, AccountState, Attempt, AttemptState, ProposalState
from bot.ports.store import Store
from bot.ports.watching import Crowd
from bot.services.desk.desk import Written, write
from bot.services.desk.policy import Event, Matter
from bot.services.markets import Markets
from bot.services.results import hedge_began
from bot.services.watch.beside import beside
from bot.services.watch.book import Rows, Seen, has_short, see
from bot.services.watch.findings import Findings
from bot.services.watch.market import Street
from bot.services.watch.memory import NEW_HIGH, REFERENCE_LASTS, Memory
from bot.services.watch.own import Outside, OwnMatters
from bot.services.watch.pins import Pins, keep_current
from bot.services.watch.queue import QueueMatters
from hedging.errors import HedgingError

log = logging.getLogger(__name__)

ORDERS_TAKE = timedelta(seconds=90)  # at most; whose order hangs longer is watched again
WAITING_AFTER = timedelta(minutes=3)
MARKET_SECONDS = 10.0  # for one exchange's snapshot and history
ONE = 1 << 62  # into so many shards, each person is one of their own
PARTS = ("read", "market", "check", "desk", "write", "pins")


class Checks:
    """`parts`: seconds that each part of the last pass took."""

    def __init__(self, store: Store, markets: Markets, healths: Healths, clock: Clock) -> None:
        self._store = store
        self._markets = markets
        self._healths = healths
        self._clock = clock
        self._streets: dict[str, Street] = {}
        self._away: dict[str, datetime] = {}
        self._clocks: dict[str, timedelta] = {}  # by exchange: how far its market time is ahead of ours
        self.parts: dict[str, float] = {}

    async def run(
        self, shard: int, shards: int, looked: Mapping[str, Any], traceless: Collection[int] = ()
    ) -> int:
        """Look at everybody of the shard; how many alerts changed. `traceless`: accounts of which nobody knows yet what
        they hold."""
        laps = _Laps()
        trading = await self._trading()
        crowd = await self._store.crowd(shard, shards)
        trading |= await self._trading()
        owners = zip(crowd.users, crowd.accounts, strict=True)
        trading |= {user for user, account in owners if account.id in traceless}
        trading |= set(await self._store.traded_since(datetime.fromisoformat(looked["began"])))
        memories = await self._refreshed(crowd, looked["touched"], trading)
        laps.lap("read")
        seen = await self._see(crowd, trading, laps)
        findings = [Findings(crowd, one) for one in seen]
        matters = self._matters(
            crowd,
            findings,
            Outside(
                now=self._clock.now(),
                market_time=self._market_time(findings),
                closed=looked["closed"],
                waiting=await self._waiting(),
                away=self._away,
                unseen=looked["unseen"],
                given_up=await self._given_up(crowd),
                healths=self._healths,
                keys=await self._store.key_looks(shard, shards),
            ),
        )
        laps.lap("check")
        written = await self._written(crowd, findings, matters)
        for one in findings:
            memories |= self._remembered(crowd, one)
        laps.lap("desk")
        if written.changes or memories or written.owed:
            await self._store.change_alerts(
                written.changes, memories, owed=written.owed, counts=written.counts
            )
        laps.lap("write")
        latest = max((one.now for one in findings), default=self._clock.now())
        pins = Pins(crowd, findings, written.changes, trading, latest)
        await keep_current(self._store, pins, self._clock.now(), shard, shards)
        laps.lap("pins")
        self.parts = laps.parts
        if shards != ONE:
            metrics.WATCHED.labels(str(shard)).set(sum(len(one.users) for one in findings))
        return len(written.changes)

    def _market_time(self, findings: Sequence[Findings]) -> datetime:
        """The latest that is seen now; while nothing is, what it has come to since it was seen; else wall time."""
        ahead = max(self._clocks.values(), default=timedelta(0))
        return max((one.now for one in findings), default=self._clock.now() + ahead)

    async def _trading(self) -> set[int]:
        """Whose orders are being placed just now: between two of them coverage is neither here nor there."""
        now = self._clock.now()
        confirmed = await self._store.proposals_in(ProposalState.CONFIRMED, before=now + timedelta(seconds=1))
        return {p.user_id for p in confirmed if now - (p.confirmed_at or p.quoted_at) < ORDERS_TAKE}

    async def _waiting(self) -> Sequence[Attempt]:
        """Orders whose fate is unknown for a while already."""
        hanging = (AttemptState.UNKNOWN, AttemptState.RECONCILING, AttemptState.SENDING)
        now = self._clock.now()
        unsettled = await self._store.open_attempts(before=now + timedelta(seconds=1))
        return [a for a in unsettled if a.state in hanging and now - a.created_at > WAITING_AFTER]

    async def _given_up(self, crowd: Crowd) -> Collection[str]:
        """Those of the orders that people were told of which are theirs to look up now, by our id."""
        told = [a for alerts in crowd.alerts.values() for a in alerts if a.kind == "order_waiting"]
        orders = [await self._store.attempt(str(a.facts.get("order", ""))) for a in told]
        return [o.client_id for o in orders if o is not None and o.state is AttemptState.MANUAL]

    async def _refreshed(
        self, crowd: Crowd, touched: Collection[int], trading: set[int]
    ) -> dict[int, Mapping[str, Any]]:
        """Memories that begin or end with what was traded: also put into the crowd, which this pass goes on with."""
        fresh: dict[int, Mapping[str, Any]] = {}
        known = dict(crowd.memories)
        changed = set(touched)
        for n, user in enumerate(crowd.users):
            hedged = bool((known.get(user) or {}).get("hedged"))
            open_now = has_short(crowd.looks.get(user))
            if user in trading or not (user in changed or hedged != open_now):
                continue
            memory = Memory.of(known.get(user) or {})
            after = await self._begun(crowd, n, memory) if open_now else await self._ended(user, memory)
            if after != memory:
                fresh[user] = after.record()
        known |= fresh
        if fresh:
            crowd.memories.update(fresh)  # type: ignore[attr-defined]  # a dict, as it was read
        return fresh

    async def _begun(self, crowd: Crowd, row: int, memory: Memory) -> Memory:
        """A hedge that was opened or set anew: moves are measured from the prices at its beginning."""
        user = crowd.users[row]
        done = await self._store.latest_proposals(user, limit=1)
        if not done:  # opened elsewhere: it is watched from now on
            return memory if memory.hedged else Memory(True)
        at = done[0].plan.quoted_at
        if memory.began == at:
            return memory
        began = await hedge_began(self._store, user)
        prices = done[0].outcome.get("prices") or (began.outcome.get("prices") if began else None) or {}
        held = done[0].outcome.get("amounts") or _held(crowd, row)  # they may have changed since the tap
        amounts = {asset: float(amount) for asset, amount in held.items()}
        return memory.begun(at, amounts, {asset: float(price) for asset, price in prices.items()})

    async def _ended(self, user: int, memory: Memory) -> Memory:
        """Nothing is short any more: if that was its owner's wish, it is no loss."""
        latest = await self._store.latest_proposals(user, limit=1)
        on_purpose = bool(latest) and latest[0].purpose == "unhedge"
        return Memory(since=memory.since, prices=memory.prices) if on_purpose else memory

    async def _see(self, crowd: Crowd, trading: set[int], laps: "_Laps") -> list[Seen]:
        """Everybody who has a hedge or an open alert, by exchange; an exchange that cannot be read is left out."""
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for row, (user, account) in enumerate(zip(crowd.users, crowd.accounts, strict=True)):
            if user in trading or account.state is not AccountState.ACTIVE:
                continue
            memory = crowd.memories.get(user)
            if (memory and memory.get("hedged")) or user in crowd.alerts or has_short(crowd.looks.get(user)):
                groups[account.exchange].append(row)
        found = await asyncio.gather(
            *(self._group(crowd, name, np.array(rows, dtype=np.int64), laps) for name, rows in groups.items())
        )
        return [one for one in found if one is not None]

    async def _group(self, crowd: Crowd, name: str, rows: Rows, laps: "_Laps") -> Seen | None:
        account = crowd.accounts[int(rows[0])]
        started = time.perf_counter()
        try:
            async with asyncio.timeout(MARKET_SECONDS):
                arrays = await self._street(account).arrays(
                    crowd.assets,
                    sorted({p[0] for row in rows.tolist() for p in _positions(crowd, row)}),
                    sorted({crowd.factor[row] for row in rows.tolist()}),
                    name=name,
                )
        except (PortError, HedgingError, TimeoutError) as failure:
            log.warning("%s is not seen at this tick: %s", name, failure)
            self._away.setdefault(name, self._clock.now())
            return None
        self._away.pop(name, None)
        self._clocks[name] = arrays.time - self._clock.now()
        laps.add("market", time.perf_counter() - started)
        return see(crowd, rows, arrays)

    def _street(self, account: Account) -> Street:
        name = PAPER if account.exchange == PAPER else account.exchange
        if name not in self._streets:
            self._streets[name] = Street(self._markets.of(account))
        return self._streets[name]

    def _matters(
        self, crowd: Crowd, findings: Sequence[Findings], outside: Outside
    ) -> Mapping[int, list[Matter]]:
        """By user id. While it is told that a hedge was closed, its drift is no matter of its own."""
        found: defaultdict[int, list[Matter]] = defaultdict(list)
        place: dict[int, tuple[Findings, int]] = {}
        for one in findings:
            place |= {user: (one, n) for n, user in enumerate(one.users)}
            for n, matters in one.matters().items():
                found[one.users[n]] += matters
        own = OwnMatters(crowd, outside, place)
        for user, matter in QueueMatters(crowd, own.time).matters():
            found[user].append(matter)
        for user, matter in own.matters():
            if not any(m.alert.kind == matter.alert.kind == "market_move" for m in found[user]):
                found[user].append(matter)
        for user, matters in found.items():
            if any(_lost(m) for m in matters) or _told_of_loss(crowd, user, matters):
                found[user] = [
                    m for m in matters if not (m.alert.kind == "drift" and m.event is Event.RAISED)
                ]
        times = {user: one.now for one in findings for user in one.users}
        return {user: matters for user, matters in beside(crowd, found, times).items() if matters}

    async def _written(
        self, crowd: Crowd, findings: Sequence[Findings], matters: Mapping[int, list[Matter]]
    ) -> Written:
        settings = await self._store.alert_settings(matters)
        times = {user: one.now for one in findings for user in one.users}
        row = {user: n for n, user in enumerate(crowd.users)}
        wall, latest = self._clock.now(), self._market_time(findings)
        written = Written([], [], [])
        for user, its in matters.items():
            now = times.get(user, latest)
            written.add(write(now, wall, crowd.chats[row[user]], settings[user], its))
        return written

    def _remembered(self, crowd: Crowd, one: Findings) -> dict[int, Mapping[str, Any]]:
        """What to remember of each from now on, for whom it is something else than before."""
        fresh: dict[int, Mapping[str, Any]] = {}
        renewed = (one.now - REFERENCE_LASTS).isoformat()
        counts = np.diff(one.seen.book.holding_offsets) - 1
        for n, (user, moved, count, ratio) in enumerate(
            zip(one.users, one.moved.tolist(), counts.tolist(), one.ratio.tolist(), strict=True)
        ):
            record = crowd.memories.get(user)
            if record and not moved and record.get("since"):
                rose = ratio > (record.get("high") or 1.0) * NEW_HIGH
                if record["since"] > renewed and len(record.get("prices") or ()) >= count and not rose:
                    continue
            memory = Memory.of(record or {})
            held = _held(crowd, int(one.seen.rows[n]))
            after = memory.rose(ratio).after(one.now, held, one.seen.market.spot, ratio=ratio, moved=moved)
            if after != memory:
                fresh[user] = after.record()
        return fresh


def _lost(matter: Matter) -> bool:
    return matter.alert.kind == "forced_close" and matter.event is not Event.OVER


def _told_of_loss(crowd: Crowd, user: int, matters: Sequence[Matter]) -> bool:
    """Whether an alert of a closed hedge stands already and does not end now."""
    ending = {m.alert.id for m in matters if m.event is Event.OVER}
    return any(a.kind == "forced_close" and a.id not in ending for a in crowd.alerts.get(user, ()))


def _positions(crowd: Crowd, row: int) -> Sequence[Sequence[Any]]:
    look = crowd.looks.get(crowd.users[row])
    return look.positions if look is not None else ()


def _held(crowd: Crowd, row: int) -> dict[str, float]:
    """One user's coins; the columns are in the order of the users."""
    whose = np.frombuffer(crowd.holding_user, dtype=np.int64)
    low, high = np.searchsorted(whose, [row, row + 1])
    return {crowd.assets[crowd.holding_asset[n]]: crowd.amount[n] for n in range(int(low), int(high))}


class _Laps:
    """Seconds by part."""

    def __init__(self) -> None:
        self.parts = dict.fromkeys(PARTS, 0.0)
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.parts[part] += now - self._last
        self._last = now
        metrics.TICK_SECONDS.labels(part).observe(self.parts[part])

    def add(self, part: str, seconds: float) -> None:
        """Of what runs beside the laps: taken off the lap that is running."""
        self.parts[part] += seconds
        self._last += seconds
