"""What a process is making: written down, so that another one can go on when it is killed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unfinished",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False, comment="creation or answer"),
        sa.Column("gallery", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(400), nullable=False),
        sa.Column("member", sa.String(100), nullable=False, comment="who asked for it"),
        sa.Column("owner", sa.String(32), nullable=True, comment="who works on it"),
        sa.Column("medium", sa.String(200), nullable=True, comment="the file that came with it"),
        sa.Column("charged", sa.String(10), nullable=True, comment="day of usage it counts on"),
        sa.Column("tries", sa.Integer, nullable=False, comment="how many have worked on it"),
        sa.Column("body", sa.JSON, nullable=False, comment="what is needed to go on"),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unfinished"),
        sa.ForeignKeyConstraint(
            ["owner"], ["owner.id"], name="fk_unfinished_owner", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["medium"], ["medium.key"], name="fk_unfinished_medium"),
    )
    op.create_index("ix_unfinished_owner", "unfinished", ["owner"])
    op.create_index("ix_unfinished_medium", "unfinished", ["medium"])
