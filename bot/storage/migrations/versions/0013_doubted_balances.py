"""Why an account's balance is not gone by, and the maintenance margin that its exchange tells."""

import sqlalchemy as sa
from alembic import op

from bot.storage.tables.types import Exact

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account_look", sa.Column("maintenance", Exact(), nullable=True))
    op.add_column(
        "account_look", sa.Column("doubt", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    op.add_column("account_look", sa.Column("doubts", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("account_look") as look:
        for name in ("doubts", "doubt", "maintenance"):
            look.drop_column(name)
