"""The message at the top of somebody's chat that says how they stand."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pin",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("figures", sa.String(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_pin_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_pin")),
    )


def downgrade() -> None:
    op.drop_table("pin")
