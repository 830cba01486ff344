"""What is left of a run, as plain values: of the database, of the exchange's own book, of the chats, of the log.

`tests.simulation.invariants` judges it. Nothing here goes through the code under test: the database is read with SQL.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from bot.storage.codec import plan_from_json
from hedging.plan import HedgePlan

D = Decimal


@dataclass(frozen=True)
class Card:
    """A proposal."""

    id: str
    user: int
    chat: int
    account: int
    plan: HedgePlan
    digest: str
    quoted_at: datetime
    expires_at: datetime
    state: str
    confirmed_at: datetime | None
    outcome: Mapping[str, Any]


@dataclass(frozen=True)
class Try:
    """An attempt."""

    client_id: str
    card: str
    leg: int
    number: int
    account: int
    symbol: str
    side: str
    contracts: Decimal
    limit_price: Decimal
    reduce_only: bool
    position_before: Decimal
    state: str
    version: int
    filled: Decimal
    reason: str


@dataclass(frozen=True)
class Line:
    """One line of the journal: a state of a proposal or an attempt. `number` tells the order over all subjects."""

    number: int
    subject: str
    id: str
    version: int
    state: str
    at: datetime


@dataclass(frozen=True)
class Owed:
    """A row of the outbox."""

    key: str
    user: int
    chat: int
    kind: str
    state: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Booked:
    """An order in the exchange's own book. `user`: whose account it is in; `position_before`: signed contracts."""

    user: int
    client_id: str
    symbol: str
    side: str
    contracts: Decimal
    filled: Decimal
    limit_price: Decimal
    reduce_only: bool
    time: datetime
    position_before: Decimal
    forced: bool = False

    @property
    def signed(self) -> Decimal:
        return self.filled if self.side == "buy" else -self.filled


@dataclass(frozen=True)
class Tapped:
    """A tap on a button that confirms a card (`ok`), or an alert's remedy (`rb`)."""

    update: int
    user: int
    chat: int
    data: str
    at: datetime


@dataclass(frozen=True)
class Permitted:
    """A standing permission that somebody asked for, with the widest caps that it may have (dollars of notional)."""

    user: int
    at: datetime
    acts: str  # reduce or both
    order_cap: Decimal
    day_cap: Decimal
    leverage_cap: int


@dataclass(frozen=True)
class Said:
    """One message that the bot put into a chat, or one edit of it."""

    chat: int
    message: int
    text: str
    data: tuple[str, ...]  # of its buttons
    edit: bool


@dataclass(frozen=True)
class Evidence:
    """All of it. `users`: id -> their first name; `texts`: what may hold no secret, by where it stands;
    `unexpected`: failures without a name; `restless`: what had not come to an end."""

    users: Mapping[int, str]
    accounts: Mapping[int, int]  # id -> user
    cards: Sequence[Card]
    tries: Sequence[Try]
    journal: Sequence[Line]
    owed: Sequence[Owed]
    updates_done: frozenset[int]
    book: Sequence[Booked]
    taps: Sequence[Tapped]
    said: Sequence[Said]
    permitted: Sequence[Permitted] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    unexpected: Sequence[str] = ()
    restless: Sequence[str] = ()

    def card(self, card_id: str) -> Card | None:
        return next((card for card in self.cards if card.id == card_id), None)

    def tries_of(self, card: Card) -> list[Try]:
        return [one for one in self.tries if one.card == card.id]

    def history(self, subject: str, subject_id: str) -> list[Line]:
        return [line for line in self.journal if (line.subject, line.id) == (subject, subject_id)]


def read_database(engine: Engine) -> dict[str, Any]:
    """The parts of the evidence that are rows."""
    with engine.connect() as connection:

        def rows(table: str, order: str) -> list[Any]:
            return list(connection.execute(text(f"SELECT * FROM {table} ORDER BY {order}")))

        return {
            "accounts": {row.id: row.user_id for row in rows("account", "id")},
            "cards": [_card(row) for row in rows("proposal", "quoted_at, id")],
            "tries": [_try(row) for row in rows("attempt", "created_at, leg, number")],
            "journal": [
                Line(row.id, row.subject, row.subject_id, row.version, row.state, instant(row.at))
                for row in rows("event", "id")
            ],
            "owed": [
                Owed(row.key, row.user_id, row.chat_id, row.kind, row.state, _json(row.payload))
                for row in rows("outbox", "id")
            ],
            "updates_done": frozenset(
                row.id for row in connection.execute(text("SELECT id FROM inbox WHERE content IS NULL"))
            ),
        }


def _card(row: Any) -> Card:
    return Card(
        row.id,
        row.user_id,
        row.chat_id,
        row.account_id,
        plan_from_json(_json(row.plan)),
        row.digest,
        instant(row.quoted_at),
        instant(row.expires_at),
        row.state,
        instant(row.confirmed_at) if row.confirmed_at else None,
        _json(row.outcome),
    )


def _try(row: Any) -> Try:
    return Try(
        row.client_id,
        row.proposal_id,
        row.leg,
        row.number,
        row.account_id,
        row.symbol,
        row.side,
        D(str(row.contracts)),
        D(str(row.limit_price)),
        bool(row.reduce_only),
        D(str(row.position_before)),
        row.state,
        row.version,
        D(str(row.filled)),
        row.reason,
    )


def instant(value: Any) -> datetime:
    """As SQLite or PostgreSQL hand it back."""
    told = datetime.fromisoformat(value) if isinstance(value, str) else value
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
