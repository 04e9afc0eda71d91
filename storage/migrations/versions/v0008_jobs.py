"""Jobs that outlive the process that works on them, and media that are kept for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("community", sa.String(200), nullable=False),
        sa.Column("person", sa.String(100), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False, comment="smaller is sooner"),
        sa.Column("tries", sa.Integer, nullable=False, comment="how often it was begun"),
        sa.Column("reason", sa.Text, nullable=False, comment="why it was set aside, if it was"),
        sa.Column("owner", sa.String(32), nullable=True, comment="who has it in hand"),
        sa.Column("until", UtcDateTime, nullable=True, comment="nobody waits for it after that"),
        sa.Column("body", sa.JSON, nullable=False, comment="engine.jobs.base.Job"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.ForeignKeyConstraint(["owner"], ["owner.id"], name="fk_job_owner", ondelete="SET NULL"),
    )
    op.create_index("ix_job_owner", "job", ["owner"])
    op.create_table(
        "reservation",
        sa.Column("medium", sa.String(200), nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("medium", name="pk_reservation"),
        sa.ForeignKeyConstraint(
            ["medium"], ["medium.key"], name="fk_reservation_medium", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_reservation_until", "reservation", ["until"])
