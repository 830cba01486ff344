"""Accounts that can be suspended or taken back, and rules that name the account they are about."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("state", sa.String(), nullable=False, server_default="active"))
    with op.batch_alter_table("rule") as rule:
        rule.add_column(sa.Column("account_id", ID, nullable=True))
        rule.create_foreign_key(op.f("fk_rule_account_id"), "account", ["account_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("rule") as rule:
        rule.drop_constraint(op.f("fk_rule_account_id"), type_="foreignkey")
        rule.drop_column("account_id")
    with op.batch_alter_table("account") as account:
        account.drop_column("state")
