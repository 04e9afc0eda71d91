"""Storage: everything that is kept, opened together."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import delete, insert, select

from personas.errors import UnavailableError
from storage import tables as t
from storage.channels import ChannelRepository
from storage.collector import Collector, Swept
from storage.conversations import ConversationRepository
from storage.database import Database
from storage.failures import explain
from storage.galleries import GalleryRepository
from storage.media import MediaStore
from storage.objects import Objects
from storage.owner import Owner
from storage.personas import PersonaRepository
from storage.schema import upgrade
from storage.settings import StorageSettings
from storage.usage import UsageRepository


class Storage:
    """What is kept: personas, galleries, conversations, media. An async context manager.

    Several processes may open the same data at once. Use one instance for many tasks of one
    event loop.

    Attributes:
        personas: whole personas.
        galleries: the rules of communities.
        conversations: what was said.
        channels: who lives where, and what was posted there.
        usage: how much people have used.
        media: portraits and clips, by key.
    """

    def __init__(
        self, settings: StorageSettings, database: Database, objects: Objects, owner: Owner, id: str
    ) -> None:
        """Use `open`."""
        self._database = database
        self._owner = owner
        self._id = id
        self._closed = False
        self._collector = Collector(database, objects, owner, settings.grace_seconds)
        self.media = MediaStore(database, objects, self._collector, owner.id)
        self.personas = PersonaRepository(database, self.media, self._collector, owner.id)
        self.galleries = GalleryRepository(database, self._collector)
        self.channels = ChannelRepository(database)
        self.usage = UsageRepository(database)
        self.conversations = ConversationRepository(
            database,
            self.media,
            self._collector,
            owner.id,
            clips_per_conversation=settings.clips_per_conversation,
            clips_total_bytes=settings.clips_total_bytes,
        )

    @classmethod
    async def open(cls, settings: StorageSettings | None = None) -> Self:
        """Opens the data, makes or migrates it first, and removes what crashes have left.

        Raises:
            UnavailableError: the folder cannot be written, the database is damaged, was written
                by a newer version, or does not answer.
        """
        settings = settings or StorageSettings()
        objects, owner = await asyncio.to_thread(_prepare, settings)
        database: Database | None = None
        try:
            database = Database(settings)
            store_id = await _register(database, owner)
            storage = cls(settings, database, objects, owner, store_id)
            await objects.belongs_to(store_id)  # marks a new folder before anything is in it
            await storage._collector.sweep(store_id, everything=False)
        except BaseException:
            if database is not None:
                await asyncio.shield(database.aclose())
            owner.release()
            raise
        return storage

    async def sweep(self) -> Swept:
        """Removes media that nobody wants and files that nobody knows."""
        return await self._collector.sweep(self._id)

    async def aclose(self) -> None:
        """Gives up what this process claimed, and closes. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            # What fails here, the next one to open does.
            with contextlib.suppress(UnavailableError):
                mine = t.lease.c.owner == self._owner.id
                async with self._database.writing() as connection:
                    claimed = list(await connection.scalars(select(t.lease.c.medium).where(mine)))
                    await connection.execute(delete(t.owner).where(t.owner.c.id == self._owner.id))
                await self._collector.collect(claimed)
        finally:
            await self._database.aclose()
            await asyncio.to_thread(self._owner.release)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _prepare(settings: StorageSettings) -> tuple[Objects, Owner]:
    """The blocking part of opening: folders, tables, lock file."""
    folder = settings.data_folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "opening.lock", timeout=settings.busy_seconds, thread_local=False):
            upgrade(settings.database, settings.busy_seconds)
            objects = Objects(settings)
            owner = Owner(folder / "processes")
    except Timeout as error:
        raise UnavailableError(
            f"Another process is opening {folder} and does not finish. Try again in a moment."
        ) from error
    except OSError as error:
        raise explain(error, folder) from error
    return objects, owner


async def _register(database: Database, owner: Owner) -> str:
    """Writes the owner down; returns the id of the data."""
    now = datetime.now(UTC)
    async with database.writing() as connection:
        store_id = await connection.scalar(select(t.store.c.id))
        if store_id is None:
            store_id = uuid.uuid4().hex
            await connection.execute(insert(t.store).values(id=store_id, created_at=now))
        row = {"id": owner.id, "place": owner.place, "created_at": now}
        await connection.execute(insert(t.owner).values(**row))
    return str(store_id)
