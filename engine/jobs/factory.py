"""From settings to the queue and to who works for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from engine.jobs.handlers import Handler
from engine.jobs.making.clip import ClipHandler
from engine.jobs.making.portrait import PortraitHandler
from engine.jobs.making.speech import SpeechHandler
from engine.jobs.observed import Keep, observed
from engine.jobs.products import MemoryProducts, Products, StoredProducts
from engine.jobs.settings import JobSettings
from engine.jobs.speeches import Speeches
from engine.jobs.works import CLIP, KINDS, PORTRAIT, SPEECH
from engine.observing import NOBODY, Observer
from engine.studio import Studio
from personas.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from engine.jobs.base import JobQueue
    from engine.jobs.saq.queue import SaqQueue
    from engine.portrait.base import PortraitGenerator
    from engine.speaking import Speaking
    from storage.store import Storage


def handlers_for(
    kinds: Iterable[str],
    products: Products,
    speeches: Speeches,
    generator: Callable[[], PortraitGenerator] | None,
    speaking: Speaking | None,
    *,
    clips_at_once: int = 1,
    observer: Observer = NOBODY,
    keep: Keep | None = None,
) -> list[Handler]:
    """Who makes these kinds, where there is somebody who can.

    Args:
        kinds: of works.
        products: where what is made goes.
        speeches: likewise what is said.
        generator: gives who draws.
        speaking: speaks and films.
        clips_at_once: clips made at the same time.
        observer: told of each job.
        keep: writes down what a job cost, where whoever asked is in another process.

    Raises:
        InvalidInputError: there is no such kind.
    """
    made: list[Handler] = []
    for kind in dict.fromkeys(kinds):
        if kind not in KINDS:
            raise InvalidInputError(f"There is no stage {kind}; there are {', '.join(KINDS)}.")
        if kind == PORTRAIT and generator is not None:
            made.append(PortraitHandler(generator, products, observer=observer))
        if kind == SPEECH and speaking is not None:
            made.append(SpeechHandler(speaking, speeches, at_once=max(4, clips_at_once)))
        if kind == CLIP and speaking is not None:
            made.append(ClipHandler(speaking, speeches, products, clips_at_once))
    return observed(made, observer, keep)


def local_studio(
    storage: Storage,
    *,
    generator: Callable[[], PortraitGenerator] | None = None,
    speaking: Speaking | None = None,
    clips_at_once: int = 1,
    settings: JobSettings | None = None,
    made_by: Mapping[str, str] | None = None,
    observer: Observer = NOBODY,
) -> Studio:
    """A studio in this process.

    Args:
        storage: where unfinished portraits are written down, and where what is taken goes.
        generator: gives who draws; None: no portraits are made here.
        speaking: speaks and films; None: neither is done here.
        clips_at_once: clips made at the same time.
        settings: how much may wait, and how long.
        made_by: settings and versions that show in a result, by kind of work.
        observer: told of each job.
    """
    from engine.jobs.local import LocalQueue

    settings = settings or JobSettings()
    products = MemoryProducts(storage.media)
    speeches = Speeches(products)
    handlers = handlers_for(
        KINDS,
        products,
        speeches,
        generator,
        speaking,
        clips_at_once=clips_at_once,
        observer=observer,
    )
    queue = LocalQueue(
        handlers, products, waiting=settings.waiting, records=storage.jobs, tries=settings.tries
    )
    return Studio(queue, products, settings, made_by=made_by, speaking=speaking, speeches=speeches)


async def open_shared_queue(settings: JobSettings, storage_url: URL, storage: Storage) -> SaqQueue:
    """The queue of many processes.

    Raises:
        UnavailableError: it cannot be used; the message says what is missing.
    """
    try:
        from engine.jobs.saq.queue import SaqQueue
    except ImportError as error:
        raise UnavailableError(
            "The queue of many processes is not installed. `pip install 'chatanything[scale]'` "
            'adds it; [jobs] backend = "local" does without.'
        ) from error
    url = _url(settings, storage_url)
    products = StoredProducts(storage.media, settings.result_seconds)
    return await SaqQueue.open(url, products, settings)


async def open_queue(settings: JobSettings, storage_url: URL, storage: Storage) -> JobQueue:
    """The queue that the settings name, to be looked at: nobody works for it here.

    Raises:
        UnavailableError: it cannot be used; the message says what is missing.
    """
    if settings.backend == "saq":
        return await open_shared_queue(settings, storage_url, storage)
    from engine.jobs.local import LocalQueue

    return LocalQueue([], MemoryProducts(storage.media), records=storage.jobs)


def _url(settings: JobSettings, storage_url: URL) -> URL:
    given = settings.database_url.get_secret_value()
    if given:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            storage_url = make_url(given)
        except (ArgumentError, ValueError) as error:
            raise UnavailableError(
                "The setting database_url of [jobs] is not the URL of a database."
            ) from error
    if storage_url.get_backend_name() != "postgresql":
        raise UnavailableError(
            "The queue of many processes needs PostgreSQL: set database_url of [storage], or of "
            "[jobs], to postgresql+psycopg://..."
        )
    return storage_url
