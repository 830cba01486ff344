"""What the watch and the alert desk read and write in bulk: everybody's state as columns, wishes about alerts."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from bot.ports.records import Account, Alert, OutboxItem


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """What somebody wants of alerts. Hours are minutes after midnight on the wall clock of `zone` (an IANA name)."""

    user_id: int
    zone: str = "UTC"
    quiet_from: int | None = None  # with `quiet_until`; None: no quiet hours
    quiet_until: int | None = None
    summary_at: int | None = None  # None: no daily summary
    muted: frozenset[str] = frozenset()  # kinds
    daily_cap: int = 12  # new messages a day that are not red
    exits: Mapping[str, Any] = field(default_factory=dict)  # bot.services.watch.exits
    sent_on: str = ""  # the local date that `sent_today` counts for
    sent_today: int = 0
    next_at: datetime | None = None  # market time of the next summary


Doubt = Literal["", "none", "fell"]


@dataclass(frozen=True, slots=True)
class Look:
    """What the last private read of an account saw. `positions`: (symbol, signed contracts, entry, liquidation price or
    None, leverage, margin mode, rank in the queue for auto-deleveraging or None) each, numbers as text; an older look
    has no rank. `failing_since`: wall time since which reads fail. `maintenance` margin of all positions, where the
    exchange tells it. `doubt`: why its equity is not gone by (nothing, or most of it gone at once, while a hedge is
    open)."""

    account_id: int
    looked_at: datetime  # wall time of the last read that succeeded
    equity: Decimal = Decimal(0)
    free: Decimal = Decimal(0)
    positions: Sequence[Sequence[Any]] = ()
    failing_since: datetime | None = None
    failure: str = ""  # why: unavailable, key; empty when all is well
    failures: int = 0  # in a row
    maintenance: Decimal | None = None
    doubt: Doubt = ""
    doubts: int = 0  # in a row


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody of one shard who is watched, U users by ascending id, as columns.

    `accounts`: whose positions count, one a user. `holding_user`: row in the user columns of each holding (H,),
    ascending; `holding_asset`: index into `assets`. `looks`, `memories`, `alerts`, `exits` (the
    exit contracts) by user id, for those who have any.
    """

    users: "array[int]"
    chats: "array[int]"
    accounts: tuple[Account, ...]
    target: "array[float]"
    band: "array[float]"
    leverage: "array[int]"
    factor: tuple[str, ...]
    assets: tuple[str, ...]
    holding_user: "array[int]"
    holding_asset: "array[int]"
    amount: "array[float]"
    looks: Mapping[int, Look]
    memories: Mapping[int, Mapping[str, Any]]
    alerts: Mapping[int, Sequence[Alert]]
    exits: Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Reader:
    """An account that a tick may have to read, and what is known of it."""

    account: Account
    look: Look | None
    hedged: bool  # a short is or should be open
    asked: bool  # an order of ours was worked on since the last look


@dataclass(frozen=True, slots=True)
class Pin:
    """The one message at the top of somebody's chat that says how they stand, and what it said last.

    `state`: what is told at once when it changes; `figures`: what may wait for a while.
    """

    user_id: int
    wanted: bool = True
    message_id: int | None = None  # None: not sent yet, or deleted by its reader
    state: str = ""
    figures: str = ""
    told_at: datetime | None = None  # wall time at which it was owed last
    version: int = 0  # grows whenever it is owed: an older one is not sent any more


class WatchStore(Protocol):
    async def crowd(self, shard: int = 0, shards: int = 1) -> Crowd:
        """Everybody with a rule and an account who is not suspended, whose id leaves `shard` when divided by `shards`,
        and who holds something or has been looked at; seen at one moment."""
        ...

    async def readers(self, shard: int = 0, shards: int = 1) -> Sequence[Reader]:
        """The accounts of the same people, longest unread first."""
        ...

    async def traded_since(self, since: datetime) -> Collection[int]:
        """Users with a settled card whose orders were still worked on at that wall time or later."""
        ...

    async def save_looks(self, seen: Collection[Look]) -> None:
        """Remember what was seen last, in one transaction. An older look never replaces a newer one."""
        ...

    async def alert_settings(self, users: Collection[int]) -> Mapping[int, AlertSettings]:
        """Of each of these; the defaults for who has chosen nothing."""
        ...

    async def save_alert_settings(self, settings: AlertSettings) -> None:
        """What the user chose, and when the next summary is due; the counters stay as they are."""
        ...

    async def summaries_due(self, now: datetime, shard: int = 0, shards: int = 1) -> Sequence[AlertSettings]:
        """Whose daily summary is due at that market time."""
        ...

    async def note_sent(self, counts: Collection[AlertSettings], owed: Sequence[OutboxItem] = ()) -> None:
        """Store the counters (`sent_on`, `sent_today`, `next_at`) together with what is owed. A known key is left
        alone."""
        ...

    async def pin(self, user_id: int) -> Pin:
        """The defaults for who never had one."""
        ...

    async def pins(self, shard: int = 0, shards: int = 1) -> Mapping[int, Pin]:
        """By user id, for those of the shard who have or had one."""
        ...

    async def save_pins(
        self, pins: Collection[Pin], owed: Collection[OutboxItem], *, keeps_message: bool = True
    ) -> Sequence[int]:
        """Each over exactly the version before its own, together with the messages that its user is owed: whose were
        saved. Which message shows it is left alone, or (without `keeps_message`) forgotten."""
        ...


class PaceStore(Protocol):
    """Limits that all replicas keep together."""

    async def pace(
        self, chat_id: int | None, *, now: datetime, every: float, chat_every: float = 0
    ) -> datetime:
        """The instant at which one message may go to this chat: at least `every` seconds after any other one, and
        `chat_every` after the last to the same chat (None: the chat is free, as its sender knows). It is taken: nobody
        else gets it."""
        ...

    async def hold_chat(self, chat_id: int, until: datetime) -> None:
        """Telegram asks this chat to wait."""
        ...

    async def forget_paces(self, *, before: datetime) -> int:
        """Drop what no longer holds anybody up; how many rows went."""
        ...
