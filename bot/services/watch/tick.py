"""The tick: one snapshot, everybody's state as arrays, alerts for what has changed."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import PortError
from bot.ports.exchange import Exchange
from bot.ports.records import Account, AccountState, ProposalState
from bot.ports.store import AlertChange, Store, Watched
from bot.services.delivery import Delivery
from bot.services.markets import Markets
from bot.services.matters import Matters, Seen
from bot.services.memory import Memory
from bot.services.reconciliation import Reconciliation
from bot.services.situation import Situations
from bot.services.status import hedge_began
from hedging.checks import coverage_drift, market_move
from hedging.errors import HedgingError
from hedging.market import Snapshot

log = logging.getLogger(__name__)

TICK = "tick"
MOVE = 0.12  # a portfolio that gained or lost so much since the reference deserves a word
PRIVATE_READS_AT_ONCE = 16
ORDERS_TAKE = timedelta(seconds=90)  # at most; whose order hangs longer is watched again


class Watch:
    """Registers and runs the workflow of one tick."""

    def __init__(
        self,
        store: Store,
        exchange: Exchange,
        markets: Markets,
        situations: Situations,
        reconciliation: Reconciliation,
        matters: Matters,
        delivery: Delivery,
        durable: Durable,
        clock: Clock,
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._markets = markets
        self._situations = situations
        self._reconciliation = reconciliation
        self._matters = matters
        self._delivery = delivery
        self._durable = durable
        self._clock = clock
        self.last_tick: datetime | None = None  # wall time at which a round was last finished
        durable.register(TICK, self.run)

    async def tick(self, every: float) -> None:
        """The tick of the present slot of `every` seconds: once, whoever fires it, however often."""
        slot = int(self._clock.now().timestamp() // every)
        name = f"tick:{every:g}:{slot}"
        await self._durable.start(TICK, name, slot)
        await self._durable.wait(name)
        self.last_tick = self._clock.now()

    async def run(self, run: Run, slot: int) -> None:
        """The workflow."""
        await run.step("check", self.check)
        for item_id in await run.step("owed", self._owed):
            await self._delivery.start(item_id)

    async def check(self) -> int:
        """Look at everybody with an open hedge; how many alerts changed."""
        watched = [one for one in await self._store.watched() if one.account.state is AccountState.ACTIVE]
        snapshots = await self._snapshots(watched)
        trading = await self._trading()
        seen = await self._see(watched, snapshots)
        trading |= await self._trading()
        seen = [one for one in seen if one.watched.user.id not in trading]
        if not seen:
            return 0
        drifting = coverage_drift(
            np.array([one.coverage for one in seen]),
            np.array([float(one.watched.rule.target) for one in seen]),
            np.array([float(one.watched.rule.band) for one in seen]),
            np.array([one.live("drift") is not None for one in seen]),
        )
        moved = market_move(
            np.array([one.value for one in seen]),
            np.array([one.memory.reference_value(one.situation) for one in seen]),
            np.full(len(seen), MOVE),
            np.zeros(len(seen), dtype=bool),
        )
        changes: list[AlertChange] = []
        for one, drifts, moves in zip(seen, drifting & [s.hedged for s in seen], moved, strict=True):
            changes += await self._matters.of(one, drifts=bool(drifts), moves=bool(moves and one.hedged))
        memories = {
            one.watched.user.id: one.memory.after(one.situation, moved=bool(moves)).record()
            for one, moves in zip(seen, moved, strict=True)
        }
        before = {one.watched.user.id: one.watched.reference for one in seen}
        await self._store.change_alerts(changes, {k: v for k, v in memories.items() if v != before[k]})
        return len(changes)

    async def _trading(self) -> set[int]:
        """Whose orders are being placed just now: between two of them coverage is neither here nor there."""
        now = self._clock.now()
        confirmed = await self._store.proposals_in(ProposalState.CONFIRMED, before=now + timedelta(seconds=1))
        return {p.user_id for p in confirmed if now - (p.confirmed_at or p.quoted_at) < ORDERS_TAKE}

    async def _owed(self) -> list[int]:
        """What was never tried yet; later tries are swept up outside."""
        return [item.id for item in await self._store.due(now=self._clock.now()) if not item.tries]

    async def _snapshots(self, watched: Sequence[Watched]) -> Mapping[str, Snapshot]:
        """Each exchange that somebody is watched on, read once; one that cannot be read is left out."""
        places = {one.account.exchange: one.account for one in watched}

        async def read(account: Account) -> Snapshot | None:
            try:
                return await self._markets.of(account).snapshot(fresh=True)
            except PortError as failure:
                log.warning("%s is not seen at this tick: %s", account.exchange, failure)
                return None

        found = await asyncio.gather(*map(read, places.values()))
        return {name: one for name, one in zip(places, found, strict=True) if one is not None}

    async def _see(self, watched: Sequence[Watched], snapshots: Mapping[str, Snapshot]) -> list[Seen]:
        """Private reads, a few at once; who cannot be read now is left out and seen at the next tick."""
        gate = asyncio.Semaphore(PRIVATE_READS_AT_ONCE)

        async def see(one: Watched) -> Seen | None:
            snapshot = snapshots.get(one.account.exchange)
            if snapshot is None:
                return None
            async with gate:
                try:
                    return await self._look_at(one, snapshot)
                except (PortError, HedgingError) as failure:
                    log.warning("user %s is not seen at this tick: %s", one.user.id, failure)
                    return None

        return [one for one in await asyncio.gather(*map(see, watched)) if one is not None]

    async def _look_at(self, one: Watched, snapshot: Snapshot) -> Seen | None:
        positions = [p for p in await self._exchange.positions(one.account) if p.contracts < 0]
        memory = Memory.of(one.reference)
        if not positions and not memory.hedged:
            return None
        if positions and not memory.hedged:
            memory = await self._begun(one.user.id, memory)
        if not positions and await self._closed_on_purpose(one.user.id):
            memory = replace(memory, hedged=False)
        situation = await self._situations.at(one.account, one.rule, one.holdings, snapshot)
        situation = await self._reconciliation.check(situation)
        exposed = situation.exposure()
        return Seen(one, situation, memory, float(exposed.value), float(exposed.coverage))

    async def _begun(self, user_id: int, memory: Memory) -> Memory:
        """A hedge that was opened since the last tick: moves are measured from the prices at its beginning."""
        began = await hedge_began(self._store, user_id)
        if began is None or "prices" not in began.outcome:
            return replace(memory, hedged=True)
        return Memory(True, began.plan.quoted_at, began.outcome["prices"])

    async def _closed_on_purpose(self, user_id: int) -> bool:
        latest = await self._store.latest_proposals(user_id, limit=1)
        return bool(latest) and latest[0].purpose == "unhedge"
