"""Past prices of each exchange, in stretches of bars."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "candle",
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("bar", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("start", ID, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("bars", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("exchange", "bar", "name", "start", name=op.f("pk_candle")),
    )


def downgrade() -> None:
    op.drop_table("candle")
