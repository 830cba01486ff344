"""Rules have versions, and a card knows by which one it was priced, for which holdings, and what it is for.

Cards of before know none of it: their rule is of unknown version, so that a tap has them priced anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rule", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("proposal", sa.Column("aim", sa.Text(), nullable=True))
    op.add_column("proposal", sa.Column("rule_version", sa.Integer(), nullable=True))
    empty = sa.text("''")
    op.add_column("proposal", sa.Column("holdings", sa.String(), nullable=False, server_default=empty))


def downgrade() -> None:
    for column in ("holdings", "rule_version", "aim"):
        op.drop_column("proposal", column)
    op.drop_column("rule", "version")
