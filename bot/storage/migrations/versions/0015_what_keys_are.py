"""What each exchange last told of the key of an account, and what the key could do before."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "key_look",
        sa.Column("account_id", ID, sa.ForeignKey("account.id"), primary_key=True, autoincrement=False),
        sa.Column("key_number", sa.Integer(), nullable=False),
        sa.Column("looked_at", INSTANT, nullable=False),
        sa.Column("expires", INSTANT, nullable=True),
        sa.Column("futures", sa.Boolean(), nullable=True),
        sa.Column("address_list", sa.Boolean(), nullable=True),
        sa.Column("traded", sa.Boolean(), nullable=False),
        sa.Column("was_bound", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("key_look")
