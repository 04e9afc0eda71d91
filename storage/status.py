"""Status: where everything is, and how much of it there is."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from sqlalchemy import func, select, text

from personas.persona import Frozen
from storage import tables as t
from storage.database import Database
from storage.objects import Objects
from storage.outages import retried
from storage.owners import Owners
from storage.settings import StorageSettings


class Status(Frozen):
    """What `chatanything storage status` shows; no password is in it."""

    database: str
    database_bytes: int
    schema_version: str
    media: str
    media_bytes: int = Field(description="of all that the database knows")
    processes: int = Field(description="that use it just now, this one among them")
    swept_at: datetime | None
    counts: dict[str, int]


def place_of_database(settings: StorageSettings) -> str:
    """The file or the URL of the database, without password."""
    url = settings.database
    if url.get_backend_name() == "sqlite":
        return url.database or "memory"
    return url.set(query={}).render_as_string(hide_password=True)


@retried
async def status_of(
    settings: StorageSettings, database: Database, objects: Objects, owners: Owners
) -> Status:
    """Looks at everything; counting takes a moment where there is much.

    Raises:
        UnavailableError: the database cannot be used.
    """
    c = t.turn.c
    counted = {
        "communities": select(func.count()).select_from(t.gallery),
        "personas": select(func.count()).select_from(t.persona),
        "conversations": select(func.count()).select_from(t.conversation),
        "turns": select(func.count()).select_from(t.turn),
        "clips": select(func.count(c.clip.distinct())),
        "media": select(func.count()).select_from(t.medium),
    }
    async with database.reading() as connection:
        counts = {name: await connection.scalar(query) or 0 for name, query in counted.items()}
        size = (
            "page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            if database.is_sqlite
            else "pg_database_size(current_database())"
        )
        database_bytes = await connection.scalar(text(f"SELECT {size}"))
        version = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        media_bytes = await connection.scalar(select(func.sum(t.medium.c.size)))
        swept = await connection.scalar(select(t.chore.c.done_at).where(t.chore.c.name == "sweep"))
    return Status(
        database=place_of_database(settings),
        database_bytes=int(database_bytes or 0),
        schema_version=str(version),
        media=str(objects.place),
        media_bytes=int(media_bytes or 0),
        processes=len(await owners.living()),
        swept_at=swept,
        counts=counts,
    )
