"""Storage: everything that is kept, opened together."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import select

from personas.errors import UnavailableError
from storage import tables as t
from storage.channels import ChannelRepository
from storage.collector import Collector
from storage.conversations import ConversationRepository
from storage.database import Database
from storage.expiry import ClipExpiry
from storage.failures import explain
from storage.galleries import GalleryRepository
from storage.jobs import JobRepository
from storage.keeper import Keeper, Swept
from storage.media import MediaStore
from storage.objects import Objects
from storage.owners import Owners
from storage.personas import PersonaRepository
from storage.schema import upgrade
from storage.settings import StorageSettings
from storage.status import Status, place_of_database, status_of
from storage.unfinished import UnfinishedRepository
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
        unfinished: what processes are making, and what killed ones have left.
        jobs: work that outlives the process that does it.
        media: portraits and clips, by key.
        owners: which processes use the data, and which have ended.
    """

    def __init__(
        self,
        settings: StorageSettings,
        database: Database,
        objects: Objects,
        owners: Owners,
        id: str,
    ) -> None:
        """Use `open`."""
        self._database = database
        self.owners = owners
        self._settings = settings
        self._objects = objects
        self._id = id
        self._closed = False
        self._collector = Collector(database, objects, settings.grace_seconds)
        self.media = MediaStore(database, objects, self._collector, owners)
        self.personas = PersonaRepository(database, self.media, self._collector, owners)
        self.galleries = GalleryRepository(database, self._collector)
        self.channels = ChannelRepository(database)
        self.usage = UsageRepository(database, settings.usage_days)
        self.unfinished = UnfinishedRepository(database, self._collector, owners)
        self.jobs = JobRepository(database, owners)
        self.conversations = ConversationRepository(
            database,
            self.media,
            self._collector,
            owners,
            clips_per_conversation=settings.clips_per_conversation,
        )
        self._keeper = Keeper(
            database,
            objects,
            owners,
            self._collector,
            ClipExpiry(database, self._collector, settings),
            self.channels,
            id,
            settings.sweep_minutes,
        )

    @classmethod
    async def open(cls, settings: StorageSettings | None = None) -> Self:
        """Opens the data, makes or migrates it first, and removes what crashes have left.

        Raises:
            UnavailableError: the folder cannot be written, the database is damaged, was written
                by a newer version, or does not answer.
        """
        settings = settings or StorageSettings()
        store_id, objects = await asyncio.to_thread(prepare, settings)
        async with AsyncExitStack() as opened:
            database = Database(settings)
            opened.push_async_callback(database.aclose)
            owners = Owners(
                database,
                owners_folder(settings),
                settings.heartbeat_seconds,
                settings.dead_seconds,
            )
            opened.push_async_callback(owners.aclose)
            await owners.register()
            storage = cls(settings, database, objects, owners, store_id)
            await objects.belongs_to(store_id)  # marks a new folder before anything is in it
            await storage._keeper.sweep_due()
            opened.pop_all()
        return storage

    async def check(self) -> None:
        """Looks whether database and media answer; cheap.

        Raises:
            UnavailableError: one of them does not; says which.
        """
        async with self._database.reading() as connection:
            await connection.scalar(select(t.store.c.id))
        await self._objects.belongs_to(self._id)

    async def sweep(self) -> Swept:
        """Removes old clips, media that nobody wants, and files that nobody knows."""
        return await self._keeper.sweep()

    @property
    def place(self) -> str:
        """Where the rows are: the data folder, or the URL of the database without password."""
        if self._settings.is_local:
            return str(self._settings.data_folder)
        return place_of_database(self._settings)

    async def status(self) -> Status:
        """Where everything is, and how much of it there is."""
        return await status_of(self._settings, self._database, self._objects, self.owners)

    async def keep_tidy(self) -> None:
        """Sweeps from time to time until it is cancelled; for processes that run for long."""
        await self._keeper.keep()

    async def aclose(self) -> None:
        """Gives up what this process claimed, and closes. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            # What fails here, the next one to open does.
            with contextlib.suppress(UnavailableError):
                mine = t.lease.c.owner == self.owners.id
                async with self._database.reading() as connection:
                    claimed = list(await connection.scalars(select(t.lease.c.medium).where(mine)))
                await self.owners.aclose()
                await self._collector.collect(claimed)
        finally:
            with contextlib.suppress(UnavailableError):
                await self.owners.aclose()
            await self._database.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _folder(settings: StorageSettings) -> Path:
    return settings.data_folder.expanduser().absolute()


def owners_folder(settings: StorageSettings) -> Path | None:
    """Where the processes of this machine keep their lock files; None where nothing is on it."""
    return _folder(settings) / "processes" if settings.is_local else None


def prepare(settings: StorageSettings) -> tuple[str, Objects]:
    """The blocking part of opening: folders and tables.

    Returns:
        The id of the data, and the media.

    Raises:
        UnavailableError: the folder or the database cannot be used.
    """
    folder = _folder(settings)
    try:
        if settings.is_local:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what people said lies here
        if settings.database.get_backend_name() != "sqlite":
            return upgrade(settings.database, settings.busy_seconds), Objects(settings)
        with FileLock(folder / "opening.lock", timeout=settings.busy_seconds, thread_local=False):
            return upgrade(settings.database, settings.busy_seconds), Objects(settings)
    except Timeout as error:
        raise UnavailableError(
            f"Another process is opening {folder} and does not finish. Try again in a moment."
        ) from error
    except OSError as error:
        raise explain(error, folder) from error
