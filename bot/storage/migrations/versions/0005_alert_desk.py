"""The alert desk: matters with a subject and a level, wishes about alerts, the last look at each account, standing
permissions, and the limits that replicas share."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")
JSON = sa.Text()
LIVE_ALERT = sa.text("state <> 'recovered'")
LIVE: dict[str, Any] = {"sqlite_where": LIVE_ALERT, "postgresql_where": LIVE_ALERT}


def upgrade() -> None:
    op.add_column("alert", sa.Column("subject", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("alert", sa.Column("level", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("alert", sa.Column("due_at", INSTANT, nullable=True))
    op.add_column("alert", sa.Column("reminders", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("alert", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.drop_index("uq_alert_live", "alert")
    op.create_index("uq_alert_live", "alert", ["user_id", "kind", "subject"], unique=True, **LIVE)
    op.create_index("ix_alert_due", "alert", ["due_at"], **LIVE)
    op.create_table(
        "alert_setting",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("summary_at", sa.Integer(), nullable=True),
        sa.Column("muted", JSON, nullable=False),
        sa.Column("daily_cap", sa.Integer(), nullable=False),
        sa.Column("exits", JSON, nullable=False),
        sa.Column("sent_on", sa.String(), nullable=False),
        sa.Column("sent_today", sa.Integer(), nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_alert_setting_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_alert_setting")),
    )
    op.create_index(op.f("ix_alert_setting_next_at"), "alert_setting", ["next_at"])
    op.create_table(
        "account_look",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("looked_at", INSTANT, nullable=False),
        sa.Column("equity", EXACT, nullable=False),
        sa.Column("free", EXACT, nullable=False),
        sa.Column("positions", JSON, nullable=False),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.Column("failure", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_look_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_look")),
    )
    op.create_table(
        "permission",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("acts", sa.String(), nullable=False),
        sa.Column("silence", sa.String(), nullable=False),
        sa.Column("order_cap", EXACT, nullable=False),
        sa.Column("day_cap", EXACT, nullable=False),
        sa.Column("leverage_cap", sa.Integer(), nullable=False),
        sa.Column("slippage_cap", EXACT, nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("spent_on", sa.String(), nullable=False),
        sa.Column("spent", EXACT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_permission_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_permission")),
    )
    op.create_table(
        "pace",
        sa.Column("lane", ID, autoincrement=False, nullable=False),
        sa.Column("free_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_pace")),
    )
    op.create_index(op.f("ix_pace_free_at"), "pace", ["free_at"])


def downgrade() -> None:
    for table in ("pace", "permission", "account_look", "alert_setting"):
        op.drop_table(table)
    op.drop_index("ix_alert_due", "alert")
    op.drop_index("uq_alert_live", "alert")
    # Two live matters of one kind fit no more: the later ones are over.
    op.execute(
        "UPDATE alert SET state = 'recovered' WHERE state <> 'recovered' AND id NOT IN"
        " (SELECT MIN(id) FROM alert WHERE state <> 'recovered' GROUP BY user_id, kind)"
    )
    op.create_index("uq_alert_live", "alert", ["user_id", "kind"], unique=True, **LIVE)
    for column in ("held", "reminders", "due_at", "level", "subject"):
        op.drop_column("alert", column)
