"""The bot's database read from outside, with SQL of the test's own: what was confirmed, sent, filled and told."""

import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

Row = dict[str, Any]

KEPT_CURRENT = frozenset(
    {"pinned", "pin", "unpin"}
)  # the message at the top follows the market, and is never done
SETTLED = frozenset({"filled", "cancelled", "rejected", "absent"})


@dataclass(frozen=True)
class Books:
    """One database. Every method reads what is committed at that moment."""

    engine: Engine

    @classmethod
    def of(cls, data: Path, database: str) -> "Books":
        """Of the bot whose folder is `data`, or of the PostgreSQL database with that address."""
        if database:
            return cls(create_engine(database.replace("postgresql://", "postgresql+psycopg://", 1)))
        return cls(create_engine(f"sqlite:///{data / 'bot' / 'hedgehog.sqlite'}"))

    def rows(self, query: str, **values: object) -> list[Row]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]

    def proposals(self, user: int) -> list[Row]:
        return self.rows("SELECT * FROM proposal WHERE user_id = :user ORDER BY quoted_at", user=user)

    def attempts(self, user: int) -> list[Row]:
        return self.rows(
            "SELECT attempt.* FROM attempt JOIN proposal ON proposal.id = attempt.proposal_id"
            " WHERE proposal.user_id = :user ORDER BY attempt.created_at, leg, number",
            user=user,
        )

    def paper_orders(self, user: int) -> list[Row]:
        """What the exchange knows of: the orders that arrived there."""
        return self.rows(
            "SELECT paper_order.* FROM paper_order JOIN account ON account.id = paper_order.account_id"
            " WHERE account.user_id = :user",
            user=user,
        )

    def owed(self, user: int) -> list[Row]:
        return self.rows("SELECT * FROM outbox WHERE user_id = :user ORDER BY id", user=user)

    def holdings(self, user: int) -> dict[str, Decimal]:
        found = self.rows("SELECT asset, amount FROM holding WHERE user_id = :user", user=user)
        return {row["asset"]: Decimal(str(row["amount"])) for row in found}

    def retire(self, *users: int) -> None:
        """Nobody watches these people any more; they would only slow down those who come after them."""
        with self.engine.begin() as connection:
            for user in users:
                connection.execute(
                    text("UPDATE person SET suspended = :yes WHERE id = :user"), {"yes": True, "user": user}
                )

    def at_rest(self, user: int, *, also: frozenset[str] = frozenset()) -> bool:
        """Nothing is being worked on for this person. `also`: states in which an attempt may end besides."""
        return (
            all(p["state"] != "confirmed" for p in self.proposals(user))
            and all(a["state"] in SETTLED | also for a in self.attempts(user))
            and all(
                o["state"] in ("sent", "dropped") for o in self.owed(user) if o["kind"] not in KEPT_CURRENT
            )
        )

    def objections(
        self,
        user: int,
        *,
        positions: dict[str, Decimal],
        arrived: set[str] | None = None,
        also: frozenset[str] = frozenset(),
    ) -> list[str]:
        """Where the ledger, the exchange and what was told disagree. `positions`: symbol -> signed contracts, as the
        exchange shows them. `arrived`: our ids on its orders; None: those of the paper exchange."""
        found = []
        if not self.at_rest(user, also=also):
            found.append(f"not at rest: {self.states(user)}")
        attempts, proposals = self.attempts(user), self.proposals(user)
        found += _sent_twice(attempts)
        for proposal in proposals:
            found += _not_as_confirmed(proposal, [a for a in attempts if a["proposal_id"] == proposal["id"]])
        if arrived is None:
            arrived = {order["client_id"] for order in self.paper_orders(user)}
        sent = {attempt["client_id"] for attempt in attempts if attempt["order_id"]}
        if arrived != sent:
            found.append(f"the ledger has the orders {sorted(sent)}, the exchange {sorted(arrived)}")
        ledger = _added_up(attempts)
        if ledger != {symbol: held for symbol, held in positions.items() if held}:
            found.append(f"the ledger adds up to {ledger}, the exchange holds {positions}")
        receipts = sorted(
            _json(o["payload"])["proposal_id"] for o in self.owed(user) if o["kind"] == "receipt"
        )
        done = sorted(p["id"] for p in proposals if p["state"] == "done")
        if receipts != done:
            found.append(f"done are {done}, receipts are owed for {receipts}")
        return found

    def states(self, user: int) -> str:
        """Everything that was begun for this person, and how far it came."""
        return ", ".join(
            [f"proposal {p['id']} {p['state']}" for p in self.proposals(user)]
            + [f"{a['symbol']} {a['state']} {a['reason']}" for a in self.attempts(user)]
            + [f"{o['kind']} {o['state']}" for o in self.owed(user)]
        )


def _sent_twice(attempts: list[Row]) -> list[str]:
    """Only an attempt that was proven absent may have a successor."""
    legs: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for attempt in attempts:
        if attempt["state"] != "absent":
            legs[attempt["proposal_id"], attempt["leg"]].append(attempt)
    return [
        f"leg {leg} of {of} was sent {len(sent)} times" for (of, leg), sent in legs.items() if len(sent) > 1
    ]


def _not_as_confirmed(proposal: Row, attempts: list[Row]) -> list[str]:
    """Where what was sent is not what the card showed."""
    legs = _json(proposal["plan"])["legs"]
    orders = [(n, part) for n, leg in enumerate(legs) for part in leg.get("parts") or [leg["contracts"]]]
    found = []
    if proposal["state"] == "done" and not _all_tried(orders, attempts):
        found.append(f"{proposal['id']} was confirmed with {len(legs)} legs, and not all were tried")
    if proposal["state"] in ("open", "cancelled", "expired", "superseded") and attempts:
        found.append(f"{proposal['id']} is {proposal['state']}, and orders were made for it")
    for attempt in attempts:
        shown = Decimal(str(orders[attempt["leg"]][1]))
        if Decimal(str(attempt["contracts"])) != shown or Decimal(str(attempt["filled"])) > shown:
            found.append(
                f"{attempt['symbol']}: {shown} were confirmed, {attempt['contracts']} sent, {attempt['filled']} filled"
            )
    return found


def _all_tried(orders: list[tuple[int, Any]], attempts: list[Row]) -> bool:
    """Each order, but for parts of a leg whose part before was not filled whole."""
    filled = {a["leg"] for a in attempts if Decimal(str(a["filled"])) == Decimal(str(a["contracts"]))}
    tried = {a["leg"] for a in attempts}
    due = {n for n, (leg, _) in enumerate(orders) if not n or orders[n - 1][0] != leg or n - 1 in filled}
    return tried == due


def _added_up(attempts: list[Row]) -> dict[str, Decimal]:
    """Symbol -> signed contracts from all fills."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for attempt in attempts:
        filled = Decimal(str(attempt["filled"]))
        total[attempt["symbol"]] += -filled if attempt["side"] == "sell" else filled
    return {symbol: amount for symbol, amount in total.items() if amount}


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
