"""The tables, the same on SQLite and on PostgreSQL.

A media row is written before its bytes and deleted after them, so every stored file has a row.
A medium is wanted while a persona, a turn, a preparation or unfinished work refers to it, while a
process that just wrote it holds a lease, or while it is reserved; `storage.collector` removes what
nobody wants. A preparation goes with the portrait that it was made of.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    column,
)

HEAD = "0009"
"""The newest migration; a test holds it against the migrations themselves."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with its time zone; SQLite alone would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a moment without a zone is taken as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """From UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text as PostgreSQL can keep it: without the sign NUL and halves of signs."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What cannot be kept becomes a replacement sign, in what is looked for, too."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


class LongWords(Words):
    """Text of any length."""

    impl = Text
    cache_ok = True


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# BigInteger keys count up by themselves on SQLite only when they are called INTEGER.
_Serial = BigInteger().with_variant(Integer(), "sqlite")

store = Table(
    "store",
    metadata,
    Column("id", Words(32), primary_key=True, comment="which data this is, for the media folder"),
    Column("created_at", UtcDateTime, nullable=False),
)

gallery = Table(
    "gallery",
    metadata,
    Column("id", Words(200), primary_key=True),
    Column("policy", JSON, nullable=False, comment="personas.gallery.Policy; {} is the default"),
    Column("created_at", UtcDateTime, nullable=False),
)

persona = Table(
    "persona",
    metadata,
    Column("id", Words(64), primary_key=True),
    Column("gallery", ForeignKey(gallery.c.id, ondelete="CASCADE"), nullable=False),
    Column("slug", Words(40), nullable=False),
    Column("folded_name", LongWords, nullable=False, comment="for lookups that ignore case"),
    Column("folded_text", LongWords, nullable=False, comment="for searching"),
    Column("body", JSON, nullable=False, comment="personas.persona.Persona"),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("gallery", "slug"),
    Index(None, "gallery", "created_at", "id"),
    Index(None, "gallery", "folded_name"),
)

medium = Table(
    "medium",
    metadata,
    Column("key", Words(200), primary_key=True),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("created_at", UtcDateTime, nullable=False),
)

persona_medium = Table(
    "persona_medium",
    metadata,
    Column("persona", ForeignKey(persona.c.id, ondelete="CASCADE"), primary_key=True),
    Column("medium", ForeignKey(medium.c.key), primary_key=True, index=True),
)

preparation = Table(
    "preparation",
    metadata,
    Column("portrait", ForeignKey(medium.c.key, ondelete="CASCADE"), primary_key=True),
    Column("head", Words(100), primary_key=True, comment="the renderer that prepared it"),
    Column("medium", ForeignKey(medium.c.key), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

conversation = Table(
    "conversation",
    metadata,
    Column("id", Words(32), primary_key=True),
    Column("persona", ForeignKey(persona.c.id, ondelete="CASCADE"), nullable=False),
    Column("channel", Words(400), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("persona", "channel"),
)

turn = Table(
    "turn",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("conversation", ForeignKey(conversation.c.id, ondelete="CASCADE"), nullable=False),
    Column("role", Words(16), nullable=False, comment="user or persona"),
    Column("author", LongWords, nullable=False),
    Column("text", LongWords, nullable=False),
    Column("clip", ForeignKey(medium.c.key), nullable=True, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "conversation", "id"),
    Index(
        "ix_turn_clip_age",
        "created_at",
        sqlite_where=column("clip").is_not(None),
        postgresql_where=column("clip").is_not(None),
    ),
    sqlite_autoincrement=True,
)

owner = Table(
    "owner",
    metadata,
    Column("id", Words(32), primary_key=True, comment="one opened Storage in one process"),
    Column("place", LongWords, nullable=False, comment="the folder of its lock file, by its id"),
    Column("beat_at", Double, nullable=True, comment="seconds, by the clock of the database"),
    Column("created_at", UtcDateTime, nullable=False),
)

chore = Table(
    "chore",
    metadata,
    Column("name", Words(32), primary_key=True, comment="what one process at a time does"),
    Column("owner", ForeignKey(owner.c.id, ondelete="SET NULL"), nullable=True, index=True),
    Column("done_at", UtcDateTime, nullable=True),
)

transfer = Table(
    "transfer",
    metadata,
    Column("name", Words(40), primary_key=True, comment="a table, or where media were moved to"),
    Column("last", JSON, nullable=True, comment="the key up to which it is moved"),
    Column("moved", BigInteger, nullable=False),
    Column("done_at", UtcDateTime, nullable=True),
)

lease = Table(
    "lease",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("medium", ForeignKey(medium.c.key, ondelete="CASCADE"), nullable=False, index=True),
    Column("owner", ForeignKey(owner.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("since", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

channel = Table(
    "channel",
    metadata,
    Column("id", Words(400), primary_key=True, comment="as conversations name it"),
    Column("mode", Words(16), nullable=True, comment="text, voice or clip; null: as usual"),
    Column("form", Words(16), nullable=True, comment="how a clip looks, in the adapter's words"),
    Column(
        "quiet",
        Boolean,
        nullable=True,
        comment="a thread in which those of its channel say nothing; null: they do",
    ),
    Column("created_at", UtcDateTime, nullable=False),
)

resident = Table(
    "resident",
    metadata,
    Column("channel", Words(400), primary_key=True),
    Column("persona", ForeignKey(persona.c.id, ondelete="CASCADE"), primary_key=True, index=True),
    Column("triggers", JSON, nullable=False, comment="words it answers to besides its name"),
    Column("created_at", UtcDateTime, nullable=False),
)

post = Table(
    "post",
    metadata,
    Column("channel", Words(400), primary_key=True),
    Column("message", Words(64), primary_key=True, comment="as the platform names it"),
    Column("persona", ForeignKey(persona.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("turn", ForeignKey(turn.c.id, ondelete="SET NULL"), nullable=True, index=True),
    Column("kind", Words(8), nullable=False, comment="text, or file for a clip or sound alone"),
    Column("question", Words(64), nullable=False, comment="the message that was answered"),
    Column("asked_by", LongWords, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Index(None, "channel", "question"),
)

handled = Table(
    "handled",
    metadata,
    Column("channel", Words(400), primary_key=True),
    Column("message", Words(64), primary_key=True, comment="taken on by one process, once"),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

unfinished = Table(
    "unfinished",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False, comment="creation or answer"),
    Column("gallery", String(200), nullable=False),
    Column("channel", String(400), nullable=False),
    Column("member", String(100), nullable=False, comment="who asked for it"),
    # Nobody's once the owner has ended, in whatever way.
    Column(
        "owner",
        ForeignKey(owner.c.id, ondelete="SET NULL"),
        nullable=True,
        index=True,
        comment="who works on it",
    ),
    Column(
        "medium",
        ForeignKey(medium.c.key),
        nullable=True,
        index=True,
        comment="the file that came with it",
    ),
    Column("charged", String(10), nullable=True, comment="day of usage it counts on"),
    Column("tries", Integer, nullable=False, comment="how many have worked on it"),
    Column("body", JSON, nullable=False, comment="what is needed to go on"),
    Column("created_at", UtcDateTime, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("gallery", Words(200), primary_key=True),
    Column("member", Words(100), primary_key=True),
    Column(
        "kind",
        Words(16),
        primary_key=True,
        comment="message, creation; tokens/in; clip/cuda and the like: milliseconds of a device",
    ),
    Column("day", Words(10), primary_key=True, comment="YYYY-MM-DD, UTC"),
    Column("count", BigInteger, nullable=False),
    Index(None, "gallery", "day"),
    Index(None, "day"),
)

job = Table(
    "job",
    metadata,
    Column("id", Words(64), primary_key=True),
    Column("kind", Words(16), nullable=False),
    Column("community", Words(200), nullable=False),
    Column("person", Words(100), nullable=False),
    Column("priority", Integer, nullable=False, comment="smaller is sooner"),
    Column("tries", Integer, nullable=False, comment="how often it was begun"),
    Column("reason", LongWords, nullable=False, comment="why it was set aside, if it was"),
    Column(
        "owner",
        ForeignKey(owner.c.id, ondelete="SET NULL"),
        nullable=True,
        index=True,
        comment="who has it in hand",
    ),
    Column("until", UtcDateTime, nullable=True, comment="nobody waits for it after that"),
    Column("body", JSON, nullable=False, comment="engine.jobs.base.Job"),
    Column("created_at", UtcDateTime, nullable=False),
)

reservation = Table(
    "reservation",
    metadata,
    Column("medium", ForeignKey(medium.c.key, ondelete="CASCADE"), primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
)
