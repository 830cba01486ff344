"""The bot's own records: frozen values, as services and storage exchange them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Literal

from hedging.plan import HedgePlan, Purpose, Side
from hedging.rules import HedgeRule


@dataclass(frozen=True, slots=True)
class User:
    """A person. `id` and `chat_id` are Telegram's; only private chats are served, so they are equal until migration."""

    id: int
    chat_id: int
    name: str
    joined: datetime
    suspended: bool = False  # blocked the bot: nothing is sent until they write again


PREFIX = "hh"  # what our ids on orders begin with
PAPER = "paper"  # the exchange of paper accounts, which follows the prices of the home exchange

Mode = Literal["paper", "demo", "live"]


class AccountState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = (
        "suspended"  # its key is not let in any more: nothing is read or sent until it is connected again
    )
    DISCONNECTED = "disconnected"  # its owner took the key back


@dataclass(frozen=True, slots=True)
class Account:
    """A trading account. `mode`: paper, demo or live, told apart on every card."""

    id: int
    user_id: int
    exchange: str
    mode: Mode
    state: AccountState = AccountState.ACTIVE
    refusals: int = field(default=0, compare=False)  # how often in a row its key was not let in
    key_number: int = field(default=0, compare=False)  # grows with every key that is connected


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody chose an exchange to connect, and may send its key until then. It outlives a restart, so that the key is
    taken for what it is also afterwards."""

    user_id: int
    exchange: str
    mode: Mode
    until: datetime  # wall time
    answered_by: str = ""  # the key of the latest update that brought credentials
    message_id: int | None = None  # the message that tells what came of them
    over: bool = False  # they were kept, and their owner was told


@dataclass(frozen=True, slots=True)
class KeyLook:
    """What an exchange last told of an account's key, at `looked_at` (wall time); None: it does not tell. `traded`,
    `was_bound`: the key of that number could trade, or was bound to addresses, when it was seen earlier."""

    account_id: int
    key_number: int
    looked_at: datetime
    expires: datetime | None = None
    futures: bool | None = None
    address_list: bool | None = None
    traded: bool = False
    was_bound: bool = False

    @property
    def lost_trading(self) -> bool:
        return self.traded and self.futures is False

    @property
    def lost_addresses(self) -> bool:
        return self.was_bound and self.address_list is False


class ProposalState(StrEnum):
    OPEN = "open"  # shown, waiting for its owner's tap
    CONFIRMED = "confirmed"  # tapped; the durable workflow works on it
    DONE = "done"  # every attempt is settled; `outcome` says how
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # priced again: another card took its place
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A person's rule as it is stored. `version` grows with every change of it; 0: they have never set one."""

    rule: HedgeRule
    version: int = 0


@dataclass(frozen=True, slots=True)
class Aim:
    """What a card is for, so that a tap can have it priced anew.

    rule: what the rule wants at that moment. less: the coverage of its plan, and never more than the rule wants.
    new_rule: the target and factor of its plan, which are the rule's from the tap on; the card says so. close: every
    short, or only those in `asset`, wholly or by `share`.
    """

    kind: Literal["rule", "less", "new_rule", "close"] = "rule"
    asset: str = ""
    share: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A priced plan waiting for one tap of one person, once."""

    id: str  # 16 characters, lower-case base32
    user_id: int
    chat_id: int
    account_id: int
    plan: HedgePlan
    digest: str  # hash over what was shown; what is sent must match it
    quoted_at: datetime  # wall time
    expires_at: datetime  # wall time
    state: ProposalState = ProposalState.OPEN
    version: int = 0
    message_id: int | None = None  # the card in the chat
    alert_id: int | None = None  # the alert that it answers
    replaces: str | None = None  # the earlier proposal that moved outside the tolerance
    confirmed_at: datetime | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)  # what the receipt shows
    aim: Aim = Aim()
    rule_version: int | None = None  # of the rule that it was priced by; None: not known any more
    holdings: str = ""  # tells the holdings apart that it was priced for

    @property
    def purpose(self) -> Purpose:
        return self.plan.purpose


class AttemptState(StrEnum):
    RESERVED = "reserved"
    SENDING = "sending"
    ACKED = "acked"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    RECONCILING = "reconciling"
    FILLED = "filled"
    CANCELLED = "cancelled"  # an immediate-or-cancel order that ended short of its amount; fills are kept
    REJECTED = "rejected"
    ABSENT = "absent"
    MANUAL = "manual"


TERMINAL = frozenset(
    {
        AttemptState.FILLED,
        AttemptState.CANCELLED,
        AttemptState.REJECTED,
        AttemptState.ABSENT,
        AttemptState.MANUAL,
    }
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order that we mean to place once. `client_id` is our id on it, never used twice."""

    client_id: str
    proposal_id: str
    leg: int  # the order's place among those of its plan: of a leg that is split, each part has its own
    number: int  # 0 for the first attempt of an order
    account_id: int
    symbol: str
    side: Side
    contracts: Decimal
    limit_price: Decimal
    reduce_only: bool
    leverage: int
    position_before: (
        Decimal  # signed contracts: as planned while it is reserved, then as read before it was sent
    )
    state: AttemptState
    created_at: datetime
    updated_at: datetime
    version: int = 0
    order_id: str | None = None
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fee: Decimal = Decimal(0)
    lookups: int = 0  # how often it was looked for in vain
    reason: str = ""  # why it was rejected or what is to be checked by hand


@dataclass(frozen=True, slots=True)
class Order:
    """What goes to an exchange: price-capped, immediate-or-cancel. After `not_after` (wall time) it must not leave any
    more: somebody else may have proven by then that it is not there."""

    client_id: str
    symbol: str
    side: Side
    contracts: Decimal
    limit_price: Decimal
    reduce_only: bool
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What the exchange says of an order. `status`: open, filled or cancelled (ended short; fills stand)."""

    client_id: str
    order_id: str
    status: Literal["open", "filled", "cancelled"]
    filled: Decimal
    average_price: Decimal | None
    fee: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's money in US dollars, as its exchange margins by: `equity` with unrealised profit, `free` for new
    margin, `maintenance` that keeps all its positions open (None: not told).

    `free_in`: by settle coin, what is free for contracts that settle in it; empty where one pool serves all of them.
    `unpriced`: assets of the account that nobody prices; they count for nothing in the totals, and are named to their
    owner.
    """

    equity: Decimal
    free: Decimal
    maintenance: Decimal | None = None
    free_in: Mapping[str, Decimal] = field(default_factory=dict)
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A message that is owed. `key` makes it unique: the same matter is never owed twice.

    `kind` names the view; `payload` is JSON-able data for it. With `edit` the named message is edited in place,
    otherwise a new one is sent.
    """

    key: str
    user_id: int
    chat_id: int
    kind: str
    payload: Mapping[str, Any]
    created_at: datetime
    edit: int | None = None
    silent: bool = False
    id: int = 0  # given by the store
    state: Literal["pending", "sending", "sent", "dropped"] = "pending"
    tries: int = 0
    not_before: datetime | None = None
    message_id: int | None = None
    began_at: datetime | None = None  # when it began to be sent as a new message
    after_id: int | None = None  # the highest message id that was known then: it has a higher one

    @property
    def in_doubt(self) -> bool:
        """A sender began to send it, and did not say what came of it: it may have arrived."""
        return self.state == "sending" and self.began_at is not None


@dataclass(frozen=True, slots=True)
class Passing:
    """A message that has just been sent, or is being sent (then it has no `message_id` yet)."""

    item_id: int
    message_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Traces:
    """Where to look for a message that may have arrived: its id is below `before` (None: nobody knows), and not one of
    those that are `known` to be others'."""

    before: int | None
    known: frozenset[int]


class Severity(IntEnum):
    """How much a matter presses: for the next look, for today, for now."""

    INFO = 1
    AMBER = 2
    RED = 3


class AlertState(StrEnum):
    RAISED = "raised"
    ESCALATED = "escalated"  # got worse, or was told again because nobody had seen it
    ACKNOWLEDGED = "acknowledged"  # its owner has seen it: no reminder
    SNOOZED = "snoozed"
    MUTED = "muted"  # its owner wants no word of this kind
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Alert:
    """One matter that deserves somebody's attention. At most one of a `kind` and `subject` is live for a user."""

    id: int
    user_id: int
    kind: str  # bot.services.desk.kinds
    state: AlertState
    facts: Mapping[str, Any]
    raised_at: datetime  # market time
    updated_at: datetime  # market time
    snoozed_until: datetime | None = None  # market time
    message_id: int | None = None
    version: int = 0
    subject: str = ""  # the symbol or account that it is about; empty: the whole hedge
    level: int = 1  # 1 raised, 2 worse: what hysteresis goes on from
    due_at: datetime | None = None  # market time at which the desk looks at it again even if nothing changes
    reminders: int = 0  # how often it was told again because nobody had seen it
    held: bool = False  # kept for the digest: no message has told of it yet
