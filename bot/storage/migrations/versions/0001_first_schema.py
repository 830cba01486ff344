"""The first schema: people, what they hold and want, cards, the attempt ledger, alerts and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.Text()
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")
LIVE_ALERT = sa.text("state <> 'recovered'")
OWED = sa.text("state IN ('pending', 'sending')")
LIVE_ATTEMPT = sa.text("state IN ('reserved', 'sending', 'acked', 'partial', 'unknown', 'reconciling')")


def upgrade() -> None:
    _people()
    _watching()
    _trading()


def downgrade() -> None:
    op.drop_table("paper_order")
    op.drop_table("paper_account")
    op.drop_table("event")
    op.drop_table("attempt")
    op.drop_table("proposal")
    op.drop_table("outbox")
    op.drop_table("memory")
    op.drop_table("alert")
    op.drop_table("seen_update")
    op.drop_table("effect")
    op.drop_table("account")
    op.drop_table("rule")
    op.drop_table("holding")
    op.drop_table("person")


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("joined", INSTANT, nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "holding",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("amount", EXACT, nullable=False),
        sa.Column("cost", EXACT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_holding_user_id")),
        sa.PrimaryKeyConstraint("user_id", "asset", name=op.f("pk_holding")),
    )
    op.create_table(
        "rule",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("target", EXACT, nullable=False),
        sa.Column("band", EXACT, nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("factor", sa.String(), nullable=False),
        sa.Column("max_slippage", EXACT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_rule_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_rule")),
    )
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_account_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("user_id", "exchange", "mode", name=op.f("uq_account_user_id_exchange_mode")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "effect",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.Column("at", INSTANT, server_default=sa.text("CURRENT_TIMESTAMP"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_effect_user_id")),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_effect")),
    )
    op.create_index(op.f("ix_effect_at"), "effect", ["at"], unique=False)
    op.create_table(
        "seen_update",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen_update")),
    )
    op.create_index(op.f("ix_seen_update_at"), "seen_update", ["at"], unique=False)


def _watching() -> None:
    op.create_table(
        "alert",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("snoozed_until", INSTANT, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_alert_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_alert_live",
        "alert",
        ["user_id", "kind"],
        unique=True,
        sqlite_where=LIVE_ALERT,
        postgresql_where=LIVE_ALERT,
    )
    op.create_table(
        "memory",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("reference", JSON, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_memory_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_memory")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("edit", ID, nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_outbox_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_owed", "outbox", ["created_at"], unique=False, sqlite_where=OWED, postgresql_where=OWED
    )


def _trading() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("chat_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("plan", JSON, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("quoted_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("alert_id", ID, nullable=True),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("outcome", JSON, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_proposal_account_id")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_proposal_alert_id")),
        sa.ForeignKeyConstraint(["replaces"], ["proposal.id"], name=op.f("fk_proposal_replaces")),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_proposal_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index(op.f("ix_proposal_state_quoted_at"), "proposal", ["state", "quoted_at"], unique=False)
    op.create_index(
        op.f("ix_proposal_user_id_state_quoted_at"),
        "proposal",
        ["user_id", "state", "quoted_at"],
        unique=False,
    )
    op.create_table(
        "attempt",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("contracts", EXACT, nullable=False),
        sa.Column("limit_price", EXACT, nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("position_before", EXACT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("filled", EXACT, nullable=False),
        sa.Column("average_price", EXACT, nullable=True),
        sa.Column("fee", EXACT, nullable=False),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_attempt_account_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_attempt_proposal_id")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("proposal_id", "leg", "number", name=op.f("uq_attempt_proposal_id_leg_number")),
    )
    op.create_index(
        "ix_attempt_live",
        "attempt",
        ["updated_at"],
        unique=False,
        sqlite_where=LIVE_ATTEMPT,
        postgresql_where=LIVE_ATTEMPT,
    )
    op.create_index(
        "uq_attempt_live",
        "attempt",
        ["account_id", "symbol"],
        unique=True,
        sqlite_where=LIVE_ATTEMPT,
        postgresql_where=LIVE_ATTEMPT,
    )
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "subject", "subject_id", "version", name=op.f("uq_event_subject_subject_id_version")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "paper_account",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("state", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_paper_account_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_paper_account")),
    )
    op.create_table(
        "paper_order",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("report", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["paper_account.account_id"], name=op.f("fk_paper_order_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "client_id", name=op.f("pk_paper_order")),
    )
