"""Objects: bytes by key, in a folder or an object store. Knows nothing of tables."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from obstore.exceptions import AlreadyExistsError, BaseError, GenericError

from personas.errors import NotFoundError
from storage.failures import explain
from storage.settings import StorageSettings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_OURS = re.compile(r"(?P<key>[0-9a-f]{2}/[0-9a-f]{64}\.[a-z0-9]{1,8})(?P<cut>#\d+)?")
_MARK = "store-id"
_PAUSES = (0.5, 2.0)  # seconds between tries, after those that the store makes by itself
_CLIENT: dict[str, Any] = {
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(seconds=15),
    "timeout": timedelta(seconds=120),
}
_RETRY: dict[str, Any] = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=15),
    "backoff": {
        "init_backoff": timedelta(milliseconds=50),
        "max_backoff": timedelta(seconds=5),
        "base": 2,
    },
}
T = TypeVar("T")


class Objects:
    """The bytes of a media store.

    Attributes:
        folder: where they lie on this machine, or None.
        place: what to call it: the folder, or the URL.
    """

    def __init__(self, settings: StorageSettings) -> None:
        """Blocks shortly; makes the folder.

        Raises:
            UnavailableError: the folder or service cannot be used.
        """
        from obstore.store import LocalStore

        self.folder = settings.media_folder
        url = settings.media_url.split("?")[0]
        self.place = self.folder or (url if "://" in url else "media_url")
        self._store: ObjectStore
        try:
            if self.folder is None:
                self._store = _remote(settings)
            else:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._store = LocalStore(self.folder)
        except (BaseError, OSError, ValueError) as error:
            raise explain(error, self.place) from error

    async def put(self, key: str, data: bytes) -> None:
        """Writes `data` whole or not at all, and returns when it is on the disk."""
        import obstore

        try:
            # In one piece: pieces of an upload that was cut off would be seen by nobody.
            await self._try(lambda: obstore.put_async(self._store, key, data, use_multipart=False))
            if self.folder is not None:
                await asyncio.to_thread(_flush, self.folder / key)
        except (BaseError, OSError) as error:
            raise explain(error, self.place) from error

    async def get(self, key: str) -> bytes:
        """The bytes of `key`; NotFoundError where there are none."""
        try:
            return await self._try(lambda: _read(self._store, key))
        except FileNotFoundError as error:
            raise NotFoundError("This picture or clip is not kept any more.") from error
        except (BaseError, OSError) as error:
            raise explain(error, self.place) from error

    async def exists(self, key: str, size: int | None = None) -> bool:
        """Whether there are bytes under `key` (of this size, where one is given)."""
        import obstore

        try:
            found = await self._try(lambda: obstore.head_async(self._store, key))
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise explain(error, self.place) from error
        return size is None or found["size"] == size

    async def delete(self, key: str) -> None:
        """Removes `key` and what an interrupted write of it left. Nothing there is no error."""
        import obstore

        try:
            await self._try(lambda: obstore.delete_async(self._store, key))
        except FileNotFoundError:
            pass
        except (BaseError, OSError) as error:
            raise explain(error, self.place) from error
        await self.delete_cut(key)

    async def delete_cut(self, key: str) -> None:
        """Removes what interrupted writes of `key` left."""
        if self.folder is not None:
            await asyncio.to_thread(_delete_cut, self.folder / key)

    async def keys(self) -> AsyncIterator[tuple[str, int, bool]]:
        """All keys with their sizes, and whether it is only the rest of an interrupted write.

        Files that are not named as ours are left alone.
        """
        if self.folder is not None:
            for found in await asyncio.to_thread(_walk, self.folder):
                yield found
            return
        import obstore

        try:
            async for batch in obstore.list(self._store):
                for item in batch:
                    if (match := _OURS.fullmatch(item["path"])) and not match["cut"]:
                        yield match["key"], item["size"], False
        except (BaseError, OSError) as error:
            raise explain(error, self.place) from error

    async def belongs_to(self, store_id: str) -> bool:
        """Whether these are the media of the database with this id; marks an empty place with it.

        A folder that holds the media of another database must never be swept by this one.
        """
        import obstore

        try:
            return await self._read_mark() == store_id
        except NotFoundError:
            pass
        async for _ in self.keys():
            return False
        try:
            await obstore.put_async(self._store, _MARK, store_id.encode(), mode="create")
        except AlreadyExistsError:
            return await self._read_mark() == store_id
        except (BaseError, OSError) as error:
            raise explain(error, self.place) from error
        return True

    async def adopt(self, store_id: str) -> bool:
        """Marks an empty place with the id of a database, whatever was in it before.

        Returns:
            Whether it is this database's now; False where media of another one lie here.
        """
        import obstore

        if await self.belongs_to(store_id):
            return True
        async for _ in self.keys():
            return False
        try:
            await self._try(lambda: obstore.put_async(self._store, _MARK, store_id.encode()))
        except (BaseError, OSError) as error:
            raise explain(error, self.place) from error
        return True

    async def _try(self, request: Callable[[], Awaitable[T]]) -> T:
        """Asks again where the answer did not come; the store repeats only what failed.

        All that is asked here may be done twice: keys are named by their content.
        """
        for pause in _PAUSES if self.folder is None else ():
            try:
                return await request()
            except GenericError:
                await asyncio.sleep(pause)
        return await request()

    async def _read_mark(self) -> str:
        return (await self.get(_MARK)).decode("utf-8", "replace").strip()


def _remote(settings: StorageSettings) -> ObjectStore:
    from obstore.store import from_url

    url = settings.media_url
    options: dict[str, Any] = {}
    if url.startswith("s3"):
        config = {
            "endpoint": settings.s3_endpoint,
            "region": settings.s3_region,
            "access_key_id": settings.s3_access_key_id.get_secret_value(),
            "secret_access_key": settings.s3_secret_access_key.get_secret_value(),
        }
        options["config"] = {name: value for name, value in config.items() if value}
    if not url.startswith(("file:", "memory:")):
        is_open = settings.s3_endpoint.startswith("http://")
        options["client_options"] = {"allow_http": is_open, **_CLIENT}
        options["retry_config"] = _RETRY
    return from_url(url, **options)


async def _read(store: ObjectStore, key: str) -> bytes:
    import obstore

    result = await obstore.get_async(store, key)
    return bytes(await result.bytes_async())


def _flush(file: Path) -> None:
    """Sees to it that a file and its name outlive a power cut."""
    for path in (file, file.parent) if os.name == "posix" else (file,):
        handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _delete_cut(file: Path) -> None:
    for cut in file.parent.glob(file.name + "#*"):
        cut.unlink(missing_ok=True)


def _walk(folder: Path) -> list[tuple[str, int, bool]]:
    found = []
    try:
        for shard in folder.iterdir():
            if len(shard.name) != 2 or not shard.is_dir():
                continue
            for file in shard.iterdir():
                match = _OURS.fullmatch(f"{shard.name}/{file.name}")
                if not match:
                    continue
                with contextlib.suppress(FileNotFoundError):  # another process is at work
                    found.append((match["key"], file.lstat().st_size, match["cut"] is not None))
    except OSError as error:
        raise explain(error, folder) from error
    return found
