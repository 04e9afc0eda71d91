"""Chat platforms: channels, who lives there, what was posted, and how much was used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def made() -> sa.Column[object]:
    return sa.Column("created_at", UtcDateTime, nullable=False)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def refer(table: str, column: str, to: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}", ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "channel",
        sa.Column("id", sa.String(400), nullable=False, comment="as conversations name it"),
        sa.Column(
            "mode", sa.String(16), nullable=True, comment="text, voice or clip; null: as usual"
        ),
        sa.Column(
            "form",
            sa.String(16),
            nullable=True,
            comment="how a clip looks, in the adapter's words",
        ),
        made(),
        key("channel", "id"),
    )
    op.create_table(
        "resident",
        sa.Column("channel", sa.String(400), nullable=False),
        sa.Column("persona", sa.String(64), nullable=False),
        sa.Column(
            "triggers", sa.JSON, nullable=False, comment="words it answers to besides its name"
        ),
        made(),
        key("resident", "channel", "persona"),
        refer("resident", "persona", "persona.id", "CASCADE"),
    )
    op.create_index("ix_resident_persona", "resident", ["persona"])
    op.create_table(
        "post",
        sa.Column("channel", sa.String(400), nullable=False),
        sa.Column("message", sa.String(64), nullable=False, comment="as the platform names it"),
        sa.Column("persona", sa.String(64), nullable=False),
        sa.Column("turn", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "kind",
            sa.String(8),
            nullable=False,
            comment="text, or file for a clip or sound alone",
        ),
        sa.Column(
            "question", sa.String(64), nullable=False, comment="the message that was answered"
        ),
        sa.Column("asked_by", sa.Text, nullable=False),
        made(),
        key("post", "channel", "message"),
        refer("post", "persona", "persona.id", "CASCADE"),
        refer("post", "turn", "turn.id", "SET NULL"),
    )
    op.create_index("ix_post_persona", "post", ["persona"])
    op.create_index("ix_post_turn", "post", ["turn"])
    op.create_index("ix_post_created_at", "post", ["created_at"])
    op.create_index("ix_post_channel_question", "post", ["channel", "question"])
    op.create_table(
        "handled",
        sa.Column("channel", sa.String(400), nullable=False),
        sa.Column(
            "message", sa.String(64), nullable=False, comment="taken on by one process, once"
        ),
        made(),
        key("handled", "channel", "message"),
    )
    op.create_index("ix_handled_created_at", "handled", ["created_at"])
    op.create_table(
        "usage",
        sa.Column("gallery", sa.String(200), nullable=False),
        sa.Column("member", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False, comment="message or creation"),
        sa.Column("day", sa.String(10), nullable=False, comment="YYYY-MM-DD, UTC"),
        sa.Column("count", sa.Integer, nullable=False),
        key("usage", "gallery", "member", "kind", "day"),
    )
