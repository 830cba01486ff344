"""The tick: a durable workflow a shard and slot, so that it runs once whoever fires it."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot import metrics
from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import PortError
from bot.ports.exchange import Exchange, Healths
from bot.ports.store import Store
from bot.services.delivery import Delivery
from bot.services.desk.acting import Acting
from bot.services.desk.summaries import Summaries
from bot.services.markets import Markets
from bot.services.reconciliation import Reconciliation
from bot.services.situation import Situations
from bot.services.watch.checks import ONE, Checks
from bot.services.watch.keys import KeyLooks
from bot.services.watch.looks import Looks
from hedging.errors import HedgingError

log = logging.getLogger(__name__)

TICK = "tick"
EXPLAIN_SECONDS = 10.0  # for the look at one account before its changes are explained
LOOK_SECONDS = 4.0  # for a look at one person who waits for an answer
RECONCILED_AT_ONCE, MOST_RECONCILED = 16, 500  # accounts a tick; the others are behind until the next one


class Watch:
    """Registers and runs the workflow. `shards`: into how many parts people are divided, by their ids; all replicas
    must agree on it."""

    def __init__(
        self,
        store: Store,
        exchange: Exchange,
        markets: Markets,
        healths: Healths,
        situations: Situations,
        reconciliation: Reconciliation,
        summaries: Summaries,
        acting: Acting,
        delivery: Delivery,
        durable: Durable,
        clock: Clock,
        keys: KeyLooks,
        shards: int = 1,
    ) -> None:
        self._looks = Looks(store, exchange, reconciliation, clock)
        self.checks = Checks(store, markets, healths, clock)
        self._situations = situations
        self._reconciliation = reconciliation
        self._summaries = summaries
        self._acting = acting
        self._delivery = delivery
        self._durable = durable
        self._clock = clock
        self.keys = keys
        self._shards = shards
        self.last_tick: datetime | None = None  # wall time at which a round was last finished
        durable.register(TICK, self.run)

    async def tick(self, every: float) -> None:
        """The tick of the present slot of `every` seconds: once, whoever fires it, however often. Slots that nobody
        fired for are not made up for: what is due is in the database."""
        now = self._clock.now().timestamp()
        slot = int(now // every)
        metrics.TICK_LAG.set(now - slot * every)
        # Replicas begin with different shards: whoever comes first to one runs it. One after another, so that a
        # process never holds more than one shard in memory.
        for shard in random.sample(range(self._shards), self._shards):
            name = f"tick:{every:g}:{slot}:{shard}"
            await self._durable.start(TICK, name, shard, self._shards)
            await self._durable.wait(name)
        self.last_tick = self._clock.now()

    async def run(self, run: Run, shard: int, shards: int) -> None:
        """The workflow: look, check, tell. What is owed beyond the first messages is swept up outside."""
        looked = await run.step("look", self._looks.refresh, shard, shards)
        told = await run.step("reconcile", self._reconcile, looked["behind"])
        untold = _untold(looked, told)
        if untold["closed"]:
            untold = {
                **untold,
                "closed": await run.step("look again", self._looks.confirmed, untold["closed"]),
            }
        await run.step("check", self._check, shard, shards, untold)
        for work in await run.step("act", self._acting.run, shard, shards):
            await self._durable.start(*work)
        await run.step("summaries", self._summaries.run, shard, shards)
        await run.step("deliver", self._delivery.once)
        await run.step("keys", self.keys.refresh, shard, shards)

    async def check(self) -> int:
        """Look at everybody now; how many alerts changed."""
        return await self._at_once(0, 1)

    async def look(self, user_id: int) -> None:
        """See how one person stands now: what is over is told to be over, and what goes on is as it is now. What cannot
        be read now is found by the next tick."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._at_once(user_id, ONE)
        except (PortError, HedgingError, TimeoutError) as failure:
            log.info("user %d is not looked at before the next tick: %s", user_id, failure)

    async def _at_once(self, shard: int, shards: int) -> int:
        """Look, explain and tell, without the engine; how many alerts changed."""
        looked = await self._looks.refresh(shard, shards)
        untold = _untold(looked, await self._reconcile(looked["behind"]))
        if untold["closed"]:
            untold = {**untold, "closed": await self._looks.confirmed(untold["closed"])}
        return await self._check(shard, shards, untold)

    async def _reconcile(self, users: Sequence[int]) -> list[int]:
        """Explain the positions of those who are behind, and tell them; who that was. Whoever cannot be read now, or
        whose turn does not come, is still behind at the next tick."""
        gate = asyncio.Semaphore(RECONCILED_AT_ONCE)

        async def explain(user: int) -> bool:
            async with gate:
                try:
                    async with asyncio.timeout(EXPLAIN_SECONDS):
                        situation = await self._situations.of(user)
                    await self._reconciliation.explain(situation)
                except (PortError, HedgingError, TimeoutError) as failure:
                    log.warning("user %s is not reconciled at this tick: %s", user, failure)
                    return False
            return True

        some = users[:MOST_RECONCILED]
        done = await asyncio.gather(*map(explain, some))
        return [user for user, told in zip(some, done, strict=True) if told]

    async def _check(self, shard: int, shards: int, looked: Mapping[str, Any]) -> int:
        return await self.checks.run(shard, shards, looked, self._reconciliation.traceless)


def _untold(looked: Mapping[str, Any], told: Sequence[int]) -> Mapping[str, Any]:
    """Without the closed shorts of those who have just been told of them, with their cause."""
    return {**looked, "closed": [closed for closed in looked["closed"] if closed["user"] not in told]}
