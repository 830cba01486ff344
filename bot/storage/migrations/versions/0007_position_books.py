"""What was last known of an account's shorts, what explains them, and the changes that came from outside."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "position_book",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("looked_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_position_book_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_position_book")),
    )
    op.create_table(
        "known_short",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("contracts", EXACT, nullable=False),
        sa.Column("own", EXACT, nullable=False),
        sa.Column("ordered", EXACT, nullable=False),
        sa.Column("contract_size", EXACT, nullable=True),
        sa.Column("delisting", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["position_book.account_id"], name=op.f("fk_known_short_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "symbol", name=op.f("pk_known_short")),
    )
    op.create_table(
        "position_change",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("contracts", EXACT, nullable=False),
        sa.Column("price", EXACT, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_position_change_account_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_position_change")),
    )
    op.create_index(
        op.f("ix_position_change_account_id_symbol_at"), "position_change", ["account_id", "symbol", "at"]
    )
    op.create_index(op.f("ix_attempt_account_id_symbol"), "attempt", ["account_id", "symbol"])


def downgrade() -> None:
    op.drop_index(op.f("ix_attempt_account_id_symbol"), "attempt")
    op.drop_table("position_change")
    op.drop_table("known_short")
    op.drop_table("position_book")
