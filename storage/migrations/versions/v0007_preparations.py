"""What renderers have prepared of portraits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preparation",
        sa.Column("portrait", sa.String(200), nullable=False),
        sa.Column("head", sa.String(100), nullable=False, comment="the renderer that prepared it"),
        sa.Column("medium", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("portrait", "head", name="pk_preparation"),
        sa.ForeignKeyConstraint(
            ["portrait"], ["medium.key"], name="fk_preparation_portrait", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["medium"], ["medium.key"], name="fk_preparation_medium"),
    )
    op.create_index("ix_preparation_medium", "preparation", ["medium"])
