"""The tick: one snapshot, everybody's state as arrays, alerts for what has changed."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import PortError
from bot.ports.exchange import Exchange
from bot.ports.records import Alert, AlertState, Balance, OutboxItem, Proposal, ProposalState
from bot.ports.store import AlertChange, Store, Watched
from bot.services.hedge import Hedge, Situation
from bot.services.markets import Markets
from bot.services.memory import Memory
from bot.services.status import hedge_began, profits
from hedging.checks import coverage_drift, market_move
from hedging.errors import HedgingError
from hedging.market import Snapshot
from hedging.plan import HedgePlan, exposure
from hedging.portfolio import Position

log = logging.getLogger(__name__)

TICK = "tick"
MOVE = 0.12  # a portfolio that gained or lost so much since the reference deserves a word
MOVE_LASTS = timedelta(hours=24)  # market time after which a new move is a new matter
REMEDY_LIFE = timedelta(hours=4)
PRIVATE_READS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """One user at this tick."""

    watched: Watched
    situation: Situation
    balance: Balance
    memory: Memory
    value: float
    coverage: float

    @property
    def hedged(self) -> bool:
        return self.memory.hedged

    def live(self, kind: str) -> Alert | None:
        return next((alert for alert in self.watched.alerts if alert.kind == kind), None)


class Watch:
    """Registers and runs the workflow of one tick."""

    def __init__(
        self, store: Store, exchange: Exchange, markets: Markets, hedge: Hedge, durable: Durable, clock: Clock
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._markets = markets
        self._hedge = hedge
        self._durable = durable
        self._clock = clock
        durable.register(TICK, self.run)

    async def tick(self, every: float) -> None:
        """The tick of the present slot of `every` seconds: once, whoever fires it, however often."""
        slot = int(self._clock.now().timestamp() // every)
        name = f"tick:{every:g}:{slot}"
        await self._durable.start(TICK, name, slot)
        await self._durable.wait(name)

    async def run(self, run: Run, slot: int) -> None:
        """The workflow."""
        await run.step("check", self.check)

    async def check(self) -> int:
        """Look at everybody with an open hedge; how many alerts changed."""
        snapshot = await self._markets.snapshot(fresh=True)
        watched = await self._store.watched()
        seen = await self._see(watched, snapshot)
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
            changes += await self._matters(one, drifts=bool(drifts), moves=bool(moves and one.hedged))
        memories = {
            one.watched.user.id: one.memory.after(one.situation, moved=bool(moves)).record()
            for one, moves in zip(seen, moved, strict=True)
        }
        before = {one.watched.user.id: one.watched.reference for one in seen}
        await self._store.change_alerts(changes, {k: v for k, v in memories.items() if v != before[k]})
        return len(changes)

    async def _see(self, watched: Sequence[Watched], snapshot: Snapshot) -> list[Seen]:
        """Private reads, a few at once; who cannot be read now is left out and seen at the next tick."""
        gate = asyncio.Semaphore(PRIVATE_READS_AT_ONCE)

        async def see(one: Watched) -> Seen | None:
            async with gate:
                try:
                    return await self._look_at(one, snapshot)
                except (PortError, HedgingError) as failure:
                    log.warning("user %s is not seen at this tick: %s", one.user.id, failure)
                    return None

        return [one for one in await asyncio.gather(*map(see, watched)) if one is not None]

    async def _look_at(self, one: Watched, snapshot: Snapshot) -> Seen | None:
        positions: Sequence[Position] = await self._exchange.positions(one.account)
        memory = Memory.of(one.reference)
        if not positions and not memory.hedged:
            return None
        if positions and not memory.hedged:
            memory = await self._begun(one.user.id, memory)
        if not positions and await self._closed_on_purpose(one.user.id):
            memory = replace(memory, hedged=False)
        balance = await self._exchange.balance(one.account)
        betas = await self._markets.betas_of(one.holdings, positions, one.rule.factor, snapshot)
        situation = Situation(one.account, one.rule, one.holdings, positions, snapshot, betas, balance.free)
        exposed = exposure(one.holdings, positions, snapshot, betas, one.rule.factor)
        return Seen(one, situation, balance, memory, float(exposed.value), float(exposed.coverage))

    async def _begun(self, user_id: int, memory: Memory) -> Memory:
        """A hedge that was opened since the last tick: moves are measured from the prices at its beginning."""
        began = await hedge_began(self._store, user_id)
        if began is None or "prices" not in began.outcome:
            return replace(memory, hedged=True)
        return Memory(True, began.plan.quoted_at, began.outcome["prices"])

    async def _closed_on_purpose(self, user_id: int) -> bool:
        latest = await self._store.latest_proposals(user_id, limit=1)
        return bool(latest) and latest[0].purpose == "unhedge"

    async def _matters(self, one: Seen, *, drifts: bool, moves: bool) -> list[AlertChange]:
        """What is raised, woken or recovered for one user. A move that also made coverage drift is one alert."""
        now = one.situation.snapshot.time
        changes = []
        drift, move = one.live("drift"), one.live("market_move")
        if drifts and (drift is None or _woken(drift, one)):
            changes.append(await self._raised(one, "drift", drift))
        elif moves and move is None and drift is None:
            changes.append(await self._raised(one, "market_move", None))
        if drift is not None and not drifts:
            changes.append(await self._recovered(one, drift))
        if move is not None and now - move.raised_at > MOVE_LASTS:
            changes.append(AlertChange(replace(move, state=AlertState.RECOVERED, updated_at=now)))
        return changes

    async def _raised(self, one: Seen, kind: str, earlier: Alert | None) -> AlertChange:
        now = one.situation.snapshot.time
        remedy = await self._remedy(one)
        facts = await self._facts(one, kind, remedy)
        number = 0 if earlier is None else earlier.version + 1
        if earlier is None:
            alert = Alert(0, one.watched.user.id, kind, AlertState.RAISED, facts, now, now)
        else:
            alert = replace(
                earlier,
                state=AlertState.RAISED,
                facts=facts,
                updated_at=now,
                snoozed_until=None,
                message_id=None,
            )
        return AlertChange(alert, self._message(one, "alert", facts, f"{kind}:{now.isoformat()}:{number}"))

    async def _recovered(self, one: Seen, alert: Alert) -> AlertChange:
        now = one.situation.snapshot.time
        over = replace(alert, state=AlertState.RECOVERED, updated_at=now)
        remedy = alert.facts.get("proposal_id")
        taken = await self._store.proposal(str(remedy)) if remedy else None
        if taken is not None and taken.state not in (ProposalState.OPEN, ProposalState.EXPIRED):
            return AlertChange(over)  # its message has become a card or a receipt: leave that alone
        if alert.message_id is None or not one.hedged:
            return AlertChange(over)
        facts = {**alert.facts, "coverage": str(one.coverage), "alert_id": alert.id}
        message = self._message(one, "recovered", facts, f"{alert.id}:{alert.version}")
        return AlertChange(over, replace(message, edit=alert.message_id, silent=True))

    async def _remedy(self, one: Seen) -> Proposal | None:
        """The priced way back to the target, stored so that the alert's button can confirm exactly that."""
        user = one.watched.user
        try:
            plan = one.situation.plan()
        except HedgingError as failure:
            log.info("no remedy for user %s: %s", user.id, failure)
            return None
        if not plan.legs:
            return None
        stamp = one.situation.snapshot.time.isoformat()
        draft = self._hedge.draft(
            user.id, user.chat_id, one.situation.account, plan, key=f"remedy:{stamp}", life=REMEDY_LIFE
        )
        return await self._store.add_proposal(draft, supersede=False)

    async def _facts(self, one: Seen, kind: str, remedy: Proposal | None) -> dict[str, Any]:
        began = await hedge_began(self._store, one.watched.user.id)
        unhedged, hedged = profits(began, one.situation, one.balance.equity)
        reference = one.memory.reference_value(one.situation)
        plan: HedgePlan | None = remedy.plan if remedy else None
        return {
            "kind": kind,
            "coverage": str(one.coverage),
            "target": str(one.watched.rule.target),
            "band": str(one.watched.rule.band),
            "value": str(one.value),
            "change": one.value / reference - 1 if reference > 0 else None,
            "hedge_pnl": None if unhedged is None or hedged is None else str(hedged - unhedged),
            "proposal_id": remedy.id if remedy else None,
            "legs": _legs(plan),
            "fees": str(plan.fees) if plan else "0",
        }

    def _message(self, one: Seen, kind: str, facts: Mapping[str, Any], part: str) -> OutboxItem:
        user = one.watched.user
        return OutboxItem(
            key=f"{kind}:{user.id}:{part}",
            user_id=user.id,
            chat_id=user.chat_id,
            kind=kind,
            payload=facts,
            created_at=self._clock.now(),
        )


def _woken(alert: Alert, one: Seen) -> bool:
    """A snooze that is over while the matter is not."""
    until = alert.snoozed_until
    return alert.state is AlertState.SNOOZED and until is not None and until <= one.situation.snapshot.time


def _legs(plan: HedgePlan | None) -> list[dict[str, str]]:
    return [
        {
            "symbol": leg.symbol,
            "side": leg.side,
            "contracts": str(leg.contracts),
            "notional": str(leg.notional),
        }
        for leg in (plan.legs if plan else ())
    ]
