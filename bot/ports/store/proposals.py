"""Cards: shown once, tapped once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.ports.permissions import Permission
from bot.ports.records import Account, OutboxItem, Proposal, ProposalState
from hedging.rules import HedgeRule


class ProposalStore(Protocol):
    async def add_proposal(self, proposal: Proposal, *, supersede: bool = True) -> Proposal:
        """Insert; when the id is there already, what is there is handed back. With `supersede`, other open cards of
        the same user are superseded: an alert's remedy comes without, so that it takes no card from its reader."""
        ...

    async def proposal(self, proposal_id: str) -> Proposal | None: ...

    async def proposal_and_account(self, proposal_id: str) -> tuple[Proposal, Account] | None:
        """The proposal and the account that it is about, in one read."""
        ...

    async def set_card(self, proposal_id: str, message_id: int) -> None:
        """Remember which message shows the card."""
        ...

    async def move_proposal(
        self,
        proposal_id: str,
        *,
        expect: ProposalState,
        to: ProposalState,
        at: datetime,
        message_id: int | None = None,
        outcome: Mapping[str, Any] | None = None,
        outbox: OutboxItem | None = None,
        keeps: HedgeRule | None = None,
        sets: Collection[str] = (),
        replacement: Proposal | None = None,
        attempts: int | None = None,
        under: int | None = None,
        spends: Permission | None = None,
    ) -> Proposal | None:
        """Compare and set: the moved proposal, or None when its state was not `expect`. The outbox row, the replacement
        and the rule that its owner `keeps` from now on are stored in the same transaction: the whole of the rule where
        they have set none, else only those fields of it that the card `sets`. `confirmed_at` is set to `at` on the way
        to CONFIRMED. With `attempts`, None also unless the card has exactly so many attempts and every one of them is
        settled. With `under`, None also unless the rule has that version and its account is the card's. With `spends`,
        a permission with what was counted is saved over its version in the same transaction: None also when it has
        moved on, or is paused at `at`."""
        ...

    async def latest_proposals(
        self, user_id: int, *, state: ProposalState = ProposalState.DONE, limit: int = 20
    ) -> Sequence[Proposal]:
        """One user's proposals in that state, the latest first."""
        ...

    async def proposals_in(self, state: ProposalState, *, before: datetime) -> Sequence[Proposal]:
        """Those in `state` that were confirmed (or, not yet confirmed, quoted) before that wall time, oldest first."""
        ...
