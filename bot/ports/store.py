"""What is remembered. Every method is one transaction; no exchange is called inside one.

Mutations that an update or a tap causes carry a `key`: done twice with the same key, they take effect once and hand
back what the first time gave.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from bot.ports.books import BookStore
from bot.ports.records import (
    Account,
    AccountState,
    Alert,
    AlertState,
    Attempt,
    AttemptState,
    Invitation,
    OutboxItem,
    Passing,
    Proposal,
    ProposalState,
    Traces,
    User,
)
from bot.ports.watching import AlertSettings, PaceStore, WatchStore
from hedging.portfolio import Holding
from hedging.rules import HedgeRule


@dataclass(frozen=True, slots=True)
class HoldingChange:
    """Add `amount` (negative takes away; never below zero) or, with `clear`, remove the asset wholly."""

    asset: str
    amount: Decimal = Decimal(0)
    cost: Decimal | None = None  # averaged in by amount
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """Holdings after a change, and whether the change was a repetition that had no effect of its own."""

    holdings: tuple[Holding, ...]
    repeated: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """One user whose hedge is watched: all that a tick needs, in one read."""

    user: User
    account: Account
    rule: HedgeRule
    holdings: tuple[Holding, ...]
    alerts: tuple[Alert, ...]  # not recovered
    reference: Mapping[str, Any]  # what the last tick remembered of this user


@dataclass(frozen=True, slots=True)
class AlertChange:
    """A state change of one matter together with the messages that it owes: `outbox` is the matter's from then on,
    `also` edits one that was. `alert.id` 0 makes a new one."""

    alert: Alert
    outbox: OutboxItem | None = None
    also: OutboxItem | None = None


@dataclass(frozen=True, slots=True)
class CandleChunk:
    """The first `count` bars of a stretch of one series, from `start` (epoch seconds) on; `bars` is packed by who keeps
    them. A stretch always begins at the same instants, so that of two versions the longer one has all of the other."""

    name: str
    start: int
    count: int
    bars: bytes


class PeopleStore(Protocol):
    async def user(self, user_id: int) -> User | None: ...

    async def ensure_user(self, user: User) -> User:
        """Insert, or update name and chat and lift a suspension; `joined` of the first time stays."""
        ...

    async def suspend(self, user_id: int) -> None: ...

    async def holdings(self, user_id: int) -> tuple[Holding, ...]:
        """By asset, alphabetically; never one of amount zero."""
        ...

    async def change_holdings(
        self, user_id: int, changes: Sequence[HoldingChange], *, key: str
    ) -> Changed: ...

    async def rule(self, user_id: int) -> HedgeRule | None: ...

    async def save_rule(self, user_id: int, rule: HedgeRule) -> None: ...

    async def ensure_account(
        self, user_id: int, exchange: str, mode: str, *, state: AccountState = AccountState.ACTIVE
    ) -> Account:
        """The user's account there, made in that state when it is the first time."""
        ...

    async def account(self, account_id: int) -> Account | None: ...

    async def chosen_account(self, user_id: int, exchange: str, mode: str) -> Account | None:
        """The account that the user's rule names, else the one on that exchange and in that mode, if there is one."""
        ...

    async def name_account(self, user_id: int, account_id: int | None) -> None:
        """From now on the user's rule is about that account (a default rule, where there was none yet)."""
        ...

    async def set_account_state(self, account_id: int, state: AccountState) -> Account: ...

    async def accounts(self, user_id: int | None = None) -> Sequence[Account]:
        """One user's accounts, or everybody's."""
        ...


class KeyStore(Protocol):
    """What is remembered of keys besides the keys: who is expected to send one, and which are not let in any more."""

    async def user(self, user_id: int) -> User | None: ...

    async def account(self, account_id: int) -> Account | None: ...

    async def invite(self, invitation: Invitation) -> None:
        """In place of the user's earlier one."""
        ...

    async def invitation(self, user_id: int) -> Invitation | None: ...

    async def answer_invitation(self, user_id: int, *, by: str, now: datetime) -> Invitation | None:
        """The invitation that the update `by` answers. None when there is none, its time is over, or another update
        has fulfilled it. The same update again gets the same, also when it has fulfilled it."""
        ...

    async def save_invitation(self, invitation: Invitation) -> None:
        """Its message and whether it is over; left alone when another update has answered it meanwhile."""
        ...

    async def withdraw_invitation(self, user_id: int) -> None: ...

    async def renew_key(self, account_id: int) -> Account:
        """A new key is kept for the account: it is active, with a new number and no refusals."""
        ...

    async def count_refusal(self, account: Account, *, most: int, outbox: OutboxItem | None) -> Account:
        """The key of exactly that number was not let in once more. The `most`th time in a row an active account is
        suspended and the message owed, in one transaction."""
        ...

    async def forget_refusals(self, account: Account) -> None:
        """The key of that number was let in."""
        ...


class UpdateStore(Protocol):
    async def update_done(self, update_id: int) -> bool:
        """Whether this update was finished before."""
        ...

    async def finish_update(self, update_id: int, at: datetime) -> None: ...

    async def forget_updates(self, *, before: datetime) -> int:
        """Drop what was kept to recognise repetitions from before that wall time; how many rows went."""
        ...


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
    ) -> Proposal | None:
        """Compare and set: the moved proposal, or None when its state was not `expect`. The outbox row, the replacement
        and the rule that its owner `keeps` from now on are stored in the same transaction: the whole of the rule where
        they have set none, else only those fields of it that the card `sets`. `confirmed_at` is set to `at` on the way
        to CONFIRMED. With `attempts`, None also unless the card has exactly so many attempts and every one of them is
        settled."""
        ...

    async def latest_proposals(
        self, user_id: int, *, state: ProposalState = ProposalState.DONE, limit: int = 20
    ) -> Sequence[Proposal]:
        """One user's proposals in that state, the latest first."""
        ...

    async def proposals_in(self, state: ProposalState, *, before: datetime) -> Sequence[Proposal]:
        """Those in `state` that were confirmed (or, not yet confirmed, quoted) before that wall time, oldest first."""
        ...


class LedgerStore(Protocol):
    async def reserve(self, attempt: Attempt) -> Attempt:
        """Insert in state RESERVED with its event. The same client id again hands back what is there.
        Raises SymbolBusy when another attempt on the account and symbol is not terminal, StaleVersion when the card
        has come to its end."""
        ...

    async def transition(
        self,
        attempt: Attempt,
        to: AttemptState,
        *,
        at: datetime,
        outbox: OutboxItem | None = None,
        **changes: Any,
    ) -> Attempt:
        """Move on from exactly `attempt.version`, with an event row: the new attempt, version + 1.
        `changes` are other fields of Attempt. Raises StaleVersion; a terminal state never changes (StaleVersion)."""
        ...

    async def attempt(self, client_id: str) -> Attempt | None: ...

    async def attempts(self, proposal_id: str) -> Sequence[Attempt]:
        """By leg and number."""
        ...

    async def open_attempts(self, *, before: datetime) -> Sequence[Attempt]:
        """Not terminal and not touched since `before` (wall time)."""
        ...

    async def events(self, client_id: str) -> Sequence[tuple[AttemptState, datetime]]:
        """Every state the attempt has been in, in order."""
        ...


class AlertStore(Protocol):
    async def watched(self) -> Sequence[Watched]:
        """Everybody with a rule, holdings and an account, not suspended."""
        ...

    async def change_alerts(
        self,
        changes: Sequence[AlertChange],
        references: Mapping[int, Mapping[str, Any]],
        *,
        owed: Sequence[OutboxItem] = (),
        counts: Sequence[AlertSettings] = (),
    ) -> None:
        """All in one transaction: new alerts inserted, others updated by version (a stale one is left alone, with
        its messages), outbox rows added (a known key is left alone), references by user id remembered, summaries
        `owed`, and how much was sent today. A change's outbox payload gets `alert_id` filled in."""
        ...

    async def alert(self, alert_id: int) -> Alert | None: ...

    async def live_alerts(self, user_id: int) -> Sequence[Alert]: ...

    async def move_alert(
        self,
        alert: Alert,
        to: AlertState,
        *,
        at: datetime,
        snoozed_until: datetime | None = None,
        keeps_message: bool = True,
    ) -> Alert:
        """By version; the desk looks at it again when the snooze ends. Without `keeps_message` the message that told of
        it has become something else. Raises StaleVersion."""
        ...


class OutboxStore(Protocol):
    async def owe(self, item: OutboxItem) -> OutboxItem:
        """Insert; a known key hands back what is there."""
        ...

    async def outbox_item(self, item_id: int) -> OutboxItem | None: ...

    async def due(self, *, now: datetime, limit: int = 100) -> Sequence[OutboxItem]:
        """Pending and due, oldest first; and those left in `sending` for more than a minute."""
        ...

    async def claim_delivery(self, item: OutboxItem, *, now: datetime, by: str) -> OutboxItem | None:
        """pending -> sending, tries + 1; also from a sending that is over a minute old, or that was claimed `by` the
        same worker in an earlier life. None when somebody else has it or it is over."""
        ...

    async def claim_due(
        self, *, now: datetime, limit: int, every: float, chat_every: float
    ) -> Sequence[tuple[OutboxItem, datetime]]:
        """Claim what is due and may be sent now, at most one to a chat, those with a sound first and then the oldest;
        each with its instant: `every` seconds after the one before, over all replicas, and never within
        `chat_every` seconds of another message to the same chat. Chats that were told to wait are passed over."""
        ...

    async def begin_delivery(self, item: OutboxItem, *, now: datetime, by: str, after: int = 0) -> bool:
        """From now on it is in doubt whether what was claimed has been sent: its id will be above `after`, and above
        that of every message that was sent before. False when somebody else has it."""
        ...

    async def traces(self, item: OutboxItem) -> Traces:
        """What is known of the messages above the `after_id` of one that is in doubt."""
        ...

    async def passing(self, *, since: datetime) -> Sequence[Passing]:
        """New messages that were sent since then, and those that were begun since then, by any replica."""
        ...

    async def finish_delivery(
        self,
        item: OutboxItem,
        *,
        state: str,
        message_id: int | None = None,
        not_before: datetime | None = None,
        now: datetime | None = None,
    ) -> None:
        """To sent (`now`), dropped, or back to pending until `not_before`: it is in doubt no more. A sent alert
        remembers its message id, also on the alert row (`payload["alert_id"]`)."""
        ...


class PaperStore(Protocol):
    """State of paper accounts, opaque here: JSON-able mappings."""

    async def paper_account(self, account_id: int) -> tuple[Mapping[str, Any], int] | None:
        """State and version, or None when it was never saved."""
        ...

    async def save_paper(
        self,
        account_id: int,
        state: Mapping[str, Any],
        *,
        version: int,
        order: tuple[str, str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Save over exactly `version` (0: never saved) and, in the same transaction, insert the order
        (client id, symbol, report). Raises StaleVersion for another version or a client id that is known."""
        ...

    async def paper_order(self, account_id: int, client_id: str) -> Mapping[str, Any] | None: ...


class CandleStore(Protocol):
    """Past prices of an exchange, opaque here. `bar`: seconds."""

    async def candles(
        self, exchange: str, bar: int, names: Collection[str], *, since: int
    ) -> Sequence[CandleChunk]:
        """The chunks of those series that start at or after `since` (epoch seconds), ascending for each."""
        ...

    async def keep_candles(self, exchange: str, bar: int, chunks: Sequence[CandleChunk]) -> None:
        """Insert, or put in the place of a shorter version; one that is as long already stays as it is."""
        ...

    async def forget_candles(self, bar: int, *, before: int) -> int:
        """Drop what starts before that instant (epoch seconds), of every exchange; how many rows went."""
        ...


class Store(
    PeopleStore,
    KeyStore,
    UpdateStore,
    ProposalStore,
    LedgerStore,
    AlertStore,
    OutboxStore,
    PaperStore,
    CandleStore,
    WatchStore,
    PaceStore,
    BookStore,
    Protocol,
):
    """All of it, over one database."""

    async def ping(self) -> None:
        """Raises Unavailable when the database cannot be read."""
        ...

    async def close(self) -> None: ...
