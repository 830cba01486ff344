"""Updates are taken in before they are handled: their sealed contents, and which replica is at work on them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WAITING = sa.text("content IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("lane", ID, nullable=False),
        sa.Column("since", INSTANT, nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("held_at", INSTANT, nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.execute("INSERT INTO inbox (id, at, lane) SELECT id, at, 0 FROM seen_update")
    op.drop_index(op.f("ix_seen_update_at"), "seen_update")
    op.drop_table("seen_update")
    op.create_index(op.f("ix_inbox_at"), "inbox", ["at"])
    op.create_index("ix_inbox_waiting", "inbox", ["lane"], sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    """What waits is handed back to nobody: Telegram has been told that it was taken."""
    op.create_table(
        "seen_update",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen_update")),
    )
    op.execute("INSERT INTO seen_update (id, at) SELECT id, at FROM inbox")
    op.create_index(op.f("ix_seen_update_at"), "seen_update", ["at"])
    op.drop_index("ix_inbox_waiting", "inbox")
    op.drop_index(op.f("ix_inbox_at"), "inbox")
    op.drop_table("inbox")
