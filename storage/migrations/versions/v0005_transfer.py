"""How far a move from another database has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transfer",
        sa.Column(
            "name", sa.String(40), nullable=False, comment="a table, or where media were moved to"
        ),
        sa.Column("last", sa.JSON, nullable=True, comment="the key up to which it is moved"),
        sa.Column("moved", sa.BigInteger, nullable=False),
        sa.Column("done_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_transfer"),
    )
