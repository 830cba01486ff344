"""Credentials at rest: sealed by a data key a user, each wrapped by a master key that is kept elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "master_key",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_master_key_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_master_key")),
    )
    op.create_table(
        "data_key",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_under", sa.String(), nullable=False),
        sa.Column("wrapped_by", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], name=op.f("fk_data_key_user_id")),
        sa.PrimaryKeyConstraint("user_id", "version", name=op.f("pk_data_key")),
    )
    op.create_table(
        "credential",
        sa.Column("account_id", ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_credential_account_id")),
        sa.ForeignKeyConstraint(
            ["user_id", "key_version"],
            ["data_key.user_id", "data_key.version"],
            name=op.f("fk_credential_user_id_key_version"),
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_credential")),
    )


def downgrade() -> None:
    op.drop_table("credential")
    op.drop_table("data_key")
    op.drop_table("master_key")
