"""Costs: counters hold tokens and milliseconds too, and are summed up by community and day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KIND = "message, creation; tokens/in; clip/cuda and the like: milliseconds of a device"


def upgrade() -> None:
    with op.batch_alter_table("usage") as table:
        table.alter_column("count", existing_type=sa.Integer, type_=sa.BigInteger, nullable=False)
        table.alter_column("kind", existing_type=sa.String(16), comment=KIND, nullable=False)
    op.create_index("ix_usage_gallery_day", "usage", ["gallery", "day"])
    op.create_index("ix_usage_day", "usage", ["day"])
