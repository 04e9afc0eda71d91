"""Threads that are quiet although somebody lives in their channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "channel",
        sa.Column(
            "quiet",
            sa.Boolean(),
            nullable=True,
            comment="a thread in which those of its channel say nothing; null: they do",
        ),
    )
