"""A standing permission belongs to one account of its owner, and a pause to its owner.

A permission of before goes to the account in use, since that is where it was exercised. Where that is real money it is
taken back, and its owner is told: nobody knows whether the card that gave it was about that account. Its caps stay.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")
TERMS = ("acts", "silence", "order_cap", "day_cap", "leverage_cap", "slippage_cap")
_BEFORE = """
SELECT permission.*, person.chat_id, account.id AS account_id, account.exchange, account.mode
FROM permission JOIN person ON person.id = permission.user_id
LEFT JOIN rule ON rule.user_id = permission.user_id
LEFT JOIN account ON account.id = COALESCE(
    rule.account_id, (SELECT MIN(id) FROM account AS first WHERE first.user_id = permission.user_id)
)
"""


def upgrade() -> None:
    bind = op.get_bind()
    given = [row._asdict() for row in bind.execute(sa.text(_BEFORE))]
    op.drop_table("permission")
    permission = op.create_table("permission", *_columns(), *_keys("user_id", "account_id"))
    pause = op.create_table(
        "pause",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_pause_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_pause")),
    )
    paused = [{"user_id": row["user_id"], "until": None} for row in given if row["paused"]]
    rows = [_moved(row) for row in given if row["account_id"] is not None]
    op.bulk_insert(pause, paused)
    op.bulk_insert(permission, rows)
    taken = [
        row for row in given if row["account_id"] is not None and row["mode"] == "live" and _permits(row)
    ]
    for row in taken:
        bind.execute(_owe(), _message(row))


def downgrade() -> None:
    """One permission a person fits: the one of the account in use, or none."""
    bind = op.get_bind()
    given = {row.user_id: row._asdict() for row in bind.execute(sa.text(_AFTER))}
    paused = {row.user_id for row in bind.execute(sa.text("SELECT user_id FROM pause"))}
    op.drop_table("pause")
    op.drop_table("permission")
    columns = [c for c in _columns() if c.name not in ("account_id", "terms")]
    columns.append(sa.Column("paused", sa.Boolean(), nullable=False))
    permission = op.create_table("permission", *columns, *_keys("user_id"))
    kept = (*(c.name for c in columns if c.name != "paused"),)
    rows = [{n: row[n] for n in kept} | {"paused": user in paused} for user, row in given.items()]
    op.bulk_insert(permission, rows)


_AFTER = """
SELECT permission.* FROM permission
LEFT JOIN rule ON rule.user_id = permission.user_id
WHERE permission.account_id = COALESCE(
    rule.account_id, (SELECT MIN(id) FROM account AS first WHERE first.user_id = permission.user_id)
)
"""


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("user_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("acts", sa.String(), nullable=False),
        sa.Column("silence", sa.String(), nullable=False),
        sa.Column("order_cap", EXACT, nullable=False),
        sa.Column("day_cap", EXACT, nullable=False),
        sa.Column("leverage_cap", sa.Integer(), nullable=False),
        sa.Column("slippage_cap", EXACT, nullable=False),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("spent_on", sa.String(), nullable=False),
        sa.Column("spent", EXACT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def _keys(*names: str) -> list[sa.Constraint]:
    owner = sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_permission_user_id"))
    account = sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_permission_account_id"))
    of_account = [account] if "account_id" in names else []
    return [owner, *of_account, sa.PrimaryKeyConstraint(*names, name=op.f("pk_permission"))]


def _permits(row: dict[str, Any]) -> bool:
    return bool(row["acts"] != "never" or row["silence"] != "nothing")


def _moved(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in (*TERMS, "user_id", "account_id", "spent_on", "spent", "version")}
    nothing = {"acts": "never", "silence": "nothing"} if row["mode"] == "live" else {}
    return kept | nothing | {"terms": 1}


def _owe() -> sa.TextClause:
    return sa.text(
        "INSERT INTO outbox (key, user_id, chat_id, kind, payload, created_at, silent, state, tries)"
        " VALUES (:key, :user_id, :chat_id, 'permission_taken', :payload, :at, :silent, 'pending', 0)"
    ).bindparams(sa.bindparam("at", type_=INSTANT))


def _message(row: dict[str, Any]) -> dict[str, Any]:
    payload = f'{{"exchange":"{row["exchange"]}","mode":"live","why":"update"}}'
    key = f"permission_taken:{row['user_id']}:{row['account_id']}:update"
    told = {"user_id": row["user_id"], "chat_id": row["chat_id"], "silent": False}
    return {"key": key, "payload": payload, "at": datetime.now(UTC), **told}
