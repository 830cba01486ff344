"""From a confirmed proposal to its receipt: a durable workflow over the attempt ledger."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.ports.clock import Clock
from bot.ports.durable import Durable, Run
from bot.ports.errors import PortError, Unavailable
from bot.ports.exchange import Exchange
from bot.ports.records import (
    TERMINAL,
    Account,
    Attempt,
    AttemptState,
    OutboxItem,
    Proposal,
    ProposalState,
)
from bot.ports.store import Store
from bot.services.attempts import Attempts, client_id
from bot.services.delivery import Delivery
from bot.services.errors import ProposalGone, ServiceError
from bot.services.hedge import EXECUTE, Hedge, work_of
from bot.services.outcomes import BUSY, legs_of, only_changed, status_of
from bot.services.reconciliation import Reconciliation
from bot.services.situation import Situations
from hedging.errors import HedgingError

log = logging.getLogger(__name__)

TRIES = 3  # new ids for one order, each only after the one before was proven absent
LOOK_EVERY = 0.5  # seconds at first, doubled up to LOOK_AT_MOST
LOOK_AT_MOST = 30.0
TELL_AFTER_LOOKS = 3
SWEEP_AFTER = timedelta(seconds=15)  # a handler is long done with its own start by then
SWEEP_EVERY = 300  # seconds between two more runs for work that an engine has given up
MOST_LOOKS = 60
STOPPED = "stopped"  # no attempt: the part before was not filled whole


class Execution:
    """Registers and runs the workflow that a tap starts."""

    def __init__(
        self,
        store: Store,
        exchange: Exchange,
        situations: Situations,
        reconciliation: Reconciliation,
        hedge: Hedge,
        delivery: Delivery,
        durable: Durable,
        clock: Clock,
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._situations = situations
        self._reconciliation = reconciliation
        self._hedge = hedge
        self._delivery = delivery
        self._durable = durable
        self._clock = clock
        self._attempts = Attempts(store, exchange, clock)
        durable.register(EXECUTE, self.run)

    async def run(self, run: Run, proposal_id: str, orders: int) -> None:
        """The workflow: order after order, each settled before the next, then one receipt."""
        for leg in range(orders):
            for number in range(TRIES):
                if await self._leg(run, proposal_id, leg, number) != AttemptState.ABSENT:
                    break
        receipt = await run.step("finish", self._finish, proposal_id)
        if receipt is not None:
            await self._delivery.start(receipt)

    async def _leg(self, run: Run, proposal_id: str, leg: int, number: int) -> str:
        """One attempt from its reservation to a terminal state."""
        name = f"{leg}.{number}"
        state: str = await run.step(f"send {name}", self._send, proposal_id, leg, number)
        if state in (BUSY, STOPPED):
            return state
        pause = LOOK_EVERY
        for look in range(MOST_LOOKS):
            if AttemptState(state) in TERMINAL:
                break
            if look == TELL_AFTER_LOOKS:
                item = await run.step(f"tell {name}", self._tell_waiting, proposal_id, leg)
                await self._delivery.start(item)
            await run.sleep(pause)
            pause = min(2 * pause, LOOK_AT_MOST)
            state = await run.step(f"look {name}.{look}", self._look, proposal_id, leg, number)
        return state

    async def sweep(self) -> None:
        """Take up confirmed proposals whose work has stopped: under an id of their own, so that it runs once more."""
        now = self._clock.now()
        stale = await self._store.proposals_in(ProposalState.CONFIRMED, before=now - SWEEP_AFTER)
        for proposal in stale:
            workflow, name, *args = work_of(proposal)
            await self._durable.start(workflow, name, *args)
            period = int(now.timestamp() // SWEEP_EVERY)
            if proposal.confirmed_at and now - proposal.confirmed_at > 2 * SWEEP_AFTER:
                await self._durable.start(workflow, f"{name}:{period}", *args)

    async def _send(self, proposal_id: str, leg: int, number: int) -> str:
        """Reserve and send in one step: what an earlier life did of it is in the ledger."""
        proposal, account = await self._read(proposal_id)
        order = proposal.plan.orders[leg]
        if order.number and not await self._filled(proposal_id, leg - 1):
            return STOPPED
        attempt = await self._attempts.reserve(proposal, account, leg, number)
        if attempt is None:
            return BUSY
        whole, tapped_at = proposal.plan.legs[order.leg], proposal.confirmed_at or proposal.quoted_at
        return (await self._attempts.send(attempt, account, whole, tapped_at)).state.value

    async def _filled(self, proposal_id: str, leg: int) -> bool:
        """Whether an order got all that it was sent for: what it did not find, the next part would not find either."""
        mine = [one for one in await self._store.attempts(proposal_id) if one.leg == leg]
        return bool(mine) and mine[-1].state is AttemptState.FILLED

    async def _look(self, proposal_id: str, leg: int, number: int) -> str:
        _, account = await self._read(proposal_id)
        attempt = await self._attempt(proposal_id, leg, number)
        return (await self._attempts.look(attempt, account)).state.value

    async def _tell_waiting(self, proposal_id: str, leg: int) -> int:
        proposal, account = await self._read(proposal_id)
        symbol = proposal.plan.legs[proposal.plan.orders[leg].leg].symbol
        facts = {
            "proposal_id": proposal.id,
            "symbol": symbol,
            "exchange": account.exchange,
            "mode": account.mode,
        }
        item = self._message(proposal, "waiting", facts, f"{leg}")
        return (await self._store.owe(item)).id

    async def _finish(self, proposal_id: str) -> int | None:
        """Settle the proposal and owe its receipt, in one transaction; None while another run has an order of it in
        hand, and will settle it."""
        proposal, account = await self._read(proposal_id)
        if proposal.state is not ProposalState.CONFIRMED:
            return await self._receipt_id(proposal)
        attempts = await self._store.attempts(proposal_id)
        # Kept: what was known at the tap, and for which alert it was done by a standing permission.
        outcome = {**proposal.outcome, **await self._outcome(proposal, account, attempts)}
        if only_changed(outcome["legs"]) and not outcome.get("auto"):
            outcome["fresh"] = await self._planned_anew(proposal)
        receipt = self._message(proposal, "receipt", outcome)
        await self._store.move_proposal(
            proposal_id,
            expect=ProposalState.CONFIRMED,
            to=ProposalState.DONE,
            at=self._clock.now(),
            outcome=outcome,
            outbox=receipt,
            attempts=len(attempts),
        )
        return await self._receipt_id(proposal)

    async def _receipt_id(self, proposal: Proposal) -> int | None:
        """The id of the owed receipt. Owing it again hands back what is there."""
        current = await self._store.proposal(proposal.id)
        if current is None or current.state is not ProposalState.DONE:
            return None
        return (await self._store.owe(self._message(current, "receipt", current.outcome))).id

    async def _outcome(
        self, proposal: Proposal, account: Account, attempts: Sequence[Attempt]
    ) -> dict[str, Any]:
        plan = proposal.plan
        legs = legs_of(plan, attempts)
        outcome: dict[str, Any] = {
            "proposal_id": proposal.id,
            "purpose": plan.purpose,
            "exchange": account.exchange,
            "mode": account.mode,
            "legs": legs,
            "coverage_before": str(plan.before.coverage),
            "coverage_after": None,
            "target": str(plan.target),
            "band": None,
            "fees": str(sum((Decimal(leg["fee"]) for leg in legs), Decimal(0))),
            "liquidation": [],
            "status": status_of(plan, legs),
        }
        try:
            after = await self._reconciliation.verified(await self._situations.on(account, fresh=True))
        except Unavailable as failure:  # the orders are settled: a receipt without coverage beats none
            log.warning("no coverage for the receipt of %s: %s", proposal.id, failure)
            return outcome
        outcome["coverage_after"] = str(after.exposure().coverage)
        outcome["band"] = str(after.rule.band)
        outcome["liquidation"] = [
            {"symbol": position.symbol, "price": _text(position.liquidation_price)}
            for position in after.positions
        ]
        return outcome

    async def _planned_anew(self, proposal: Proposal) -> str | None:
        """The id of a card that starts from the position as it is now, for the same message; None where none can be
        made. Done again, it is the same one."""
        try:
            fresh = await self._hedge.again(proposal, key=f"moved:{proposal.id}")
        except (PortError, HedgingError, ServiceError) as failure:
            log.info("no fresh card in the place of %s: %s", proposal.id, failure)
            return None
        if proposal.message_id is not None:
            await self._store.set_card(fresh.id, proposal.message_id)
        return fresh.id

    def _message(self, proposal: Proposal, kind: str, payload: Any, part: str = "") -> OutboxItem:
        return OutboxItem(
            key=f"{kind}:{proposal.id}:{part}",
            user_id=proposal.user_id,
            chat_id=proposal.chat_id,
            kind=kind,
            payload=payload,
            created_at=self._clock.now(),
            edit=proposal.message_id,
        )

    async def _attempt(self, proposal_id: str, leg: int, number: int) -> Attempt:
        found = await self._store.attempt(client_id(proposal_id, leg, number))
        if found is None:
            raise ProposalGone(f"The attempt {leg}.{number} of {proposal_id} is missing.")
        return found

    async def _read(self, proposal_id: str) -> tuple[Proposal, Account]:
        found = await self._store.proposal_and_account(proposal_id)
        if found is None:
            raise ProposalGone(f"The proposal {proposal_id} or its account is missing.")
        return found


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
