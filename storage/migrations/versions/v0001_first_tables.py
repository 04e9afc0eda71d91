"""The first tables: galleries, personas, media, conversations, and who is at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def made() -> sa.Column[object]:
    return sa.Column("created_at", UtcDateTime, nullable=False)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def refer(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}", ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "store",
        sa.Column(
            "id", sa.String(32), nullable=False, comment="which data this is, for the media folder"
        ),
        made(),
        key("store", "id"),
    )
    op.create_table(
        "gallery",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column(
            "policy",
            sa.JSON,
            nullable=False,
            comment="personas.gallery.Policy; {} is the default",
        ),
        made(),
        key("gallery", "id"),
    )
    op.create_table(
        "medium",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, comment="bytes"),
        made(),
        key("medium", "key"),
    )
    op.create_table(
        "persona",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("gallery", sa.String(200), nullable=False),
        sa.Column("slug", sa.String(40), nullable=False),
        sa.Column("folded_name", sa.Text, nullable=False, comment="for lookups that ignore case"),
        sa.Column("folded_text", sa.Text, nullable=False, comment="for searching"),
        sa.Column("body", sa.JSON, nullable=False, comment="personas.persona.Persona"),
        made(),
        key("persona", "id"),
        refer("persona", "gallery", "gallery.id", "CASCADE"),
        sa.UniqueConstraint("gallery", "slug", name="uq_persona_gallery_slug"),
    )
    op.create_index("ix_persona_gallery_created_at_id", "persona", ["gallery", "created_at", "id"])
    op.create_index("ix_persona_gallery_folded_name", "persona", ["gallery", "folded_name"])
    op.create_table(
        "persona_medium",
        sa.Column("persona", sa.String(64), nullable=False),
        sa.Column("medium", sa.String(200), nullable=False),
        key("persona_medium", "persona", "medium"),
        refer("persona_medium", "persona", "persona.id", "CASCADE"),
        refer("persona_medium", "medium", "medium.key"),
    )
    op.create_index("ix_persona_medium_medium", "persona_medium", ["medium"])
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("persona", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(400), nullable=False),
        made(),
        key("conversation", "id"),
        refer("conversation", "persona", "persona.id", "CASCADE"),
        sa.UniqueConstraint("persona", "channel", name="uq_conversation_persona_channel"),
    )
    op.create_table(
        "turn",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False, comment="user or persona"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("clip", sa.String(200), nullable=True),
        made(),
        key("turn", "id"),
        refer("turn", "conversation", "conversation.id", "CASCADE"),
        refer("turn", "clip", "medium.key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_turn_conversation_id", "turn", ["conversation", "id"])
    op.create_index("ix_turn_clip", "turn", ["clip"])
    op.create_table(
        "owner",
        sa.Column("id", sa.String(32), nullable=False, comment="one opened Storage in one process"),
        sa.Column(
            "place", sa.Text, nullable=False, comment="the folder of its lock file, by its id"
        ),
        made(),
        key("owner", "id"),
    )
    op.create_table(
        "lease",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("medium", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(32), nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        key("lease", "id"),
        refer("lease", "medium", "medium.key", "CASCADE"),
        refer("lease", "owner", "owner.id", "CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lease_medium", "lease", ["medium"])
    op.create_index("ix_lease_owner", "lease", ["owner"])


def downgrade() -> None:
    tables = "lease owner turn conversation persona_medium persona medium gallery store"
    for table in tables.split():
        op.drop_table(table)
