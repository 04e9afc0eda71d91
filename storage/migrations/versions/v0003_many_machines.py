"""Many machines: heartbeats, chores that one process at a time does, and the age of clips."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "owner",
        sa.Column(
            "beat_at", sa.Double, nullable=True, comment="seconds, by the clock of the database"
        ),
    )
    op.create_table(
        "chore",
        sa.Column("name", sa.String(32), nullable=False, comment="what one process at a time does"),
        sa.Column("owner", sa.String(32), nullable=True),
        sa.Column("done_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_chore"),
        sa.ForeignKeyConstraint(
            ["owner"], ["owner.id"], name="fk_chore_owner", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_chore_owner", "chore", ["owner"])
    with_clip = sa.column("clip").is_not(None)
    op.create_index(
        "ix_turn_clip_age",
        "turn",
        ["created_at"],
        sqlite_where=with_clip,
        postgresql_where=with_clip,
    )
