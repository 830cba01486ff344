"""Who is expected to send a key, and how often in a row an account's key was not let in."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"))
        account.add_column(sa.Column("key_number", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "invitation",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("exchange", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_invitation_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_invitation")),
    )


def downgrade() -> None:
    op.drop_table("invitation")
    with op.batch_alter_table("account") as account:
        account.drop_column("key_number")
        account.drop_column("refusals")
