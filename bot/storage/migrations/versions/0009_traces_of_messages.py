"""What tells after a crash whether a message had arrived: when it was begun, and the last id before it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("outbox", sa.Column("began_at", INSTANT, nullable=True))
    op.add_column("outbox", sa.Column("after_id", ID, nullable=True))
    op.create_index(op.f("ix_outbox_message_id"), "outbox", ["message_id"])
    op.create_index(op.f("ix_outbox_claimed_at"), "outbox", ["claimed_at"])
    op.execute("UPDATE outbox SET began_at = claimed_at WHERE state = 'sending' AND claimed_by <> 'claim'")


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_claimed_at"), "outbox")
    op.drop_index(op.f("ix_outbox_message_id"), "outbox")
    op.drop_column("outbox", "after_id")
    op.drop_column("outbox", "began_at")
