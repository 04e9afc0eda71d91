"""Makings: personas that are being made, so that the next process can go on when this one dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from bot.chat.base import Person, Place
from bot.chat.purse import Purse
from bot.chat.settings import ChatSettings
from engine.creation import CreationRequest, Creator, explained
from engine.events import CreationEvent, CreationFailed, PersonaReady
from engine.observing import Request, served
from personas.errors import ChatAnythingError, NotFoundError
from personas.persona import Frozen

if TYPE_CHECKING:
    from storage.store import Storage
    from storage.unfinished import Unfinished

log = logging.getLogger(__name__)

_TOO_OLD = (
    "I was switched off before it was done, and that is too long ago by now. Please ask once more."
)
_TOO_OFTEN = (
    "I have tried this several times, and was switched off each time. Please ask once more, "
    "perhaps in other words."
)


class TakenError(ChatAnythingError):
    """The same message has asked for it before: it came twice."""


class Order(Frozen):
    """What somebody has asked for, with all that is needed to make it, as it is written down."""

    act: Literal["create", "redraw", "bring"]
    place: Place
    person: Person
    description: str = ""
    style: str = ""
    voice: str = ""
    seed: int = Field(default_factory=lambda: secrets.randbelow(2**31))
    adult: bool = False
    persona_id: str = Field(default="", description="who is drawn anew")
    message: str = Field(default="", description="the one that shows it, once there is one")
    show: dict[str, str] = Field(
        default_factory=dict, description="what the adapter needs to go on showing it"
    )


class Making:
    """Something that is being made: an async context manager, and the events inside it.

    Entering it settles whether it may be made, counts it, and writes it down. Leaving it means
    that all has been shown: it is forgotten, and what came to nothing, or was there before, is not
    counted. Where the program is switched off instead, the next one goes on with it.

    Args:
        makings: makes it.
        order: what is asked for.
        settle: raises the reason why it may not be made; gives what is made, as it turned out.
        upload: the photo, or the card.
        asked: the message that asks for it; a second time it is refused with `TakenError`.
        row: what was written down, where it was begun before.

    Attributes:
        id: of the row; the same for each process that works on it.
        order: what is asked for.
        since: when it was asked for.
    """

    def __init__(
        self,
        makings: Makings,
        order: Order,
        settle: Callable[[], Awaitable[Order]] | None = None,
        upload: bytes | None = None,
        asked: str = "",
        row: Unfinished | None = None,
    ) -> None:
        self._makings = makings
        self._settle = settle
        self._upload = upload
        self._asked = asked
        self._row = row
        self._again = row is not None
        self._made = False
        self._request: Request | None = None
        self._open = contextlib.AsyncExitStack()
        self._postponed = False
        self.order = order
        self.id = row.id if row is not None else uuid.uuid4().hex
        self.since = row.created_at if row is not None else datetime.now(UTC)

    async def __aenter__(self) -> Self:
        """Begins.

        Raises:
            ChatAnythingError: it may not be made; says why.
        """
        if self._settle is not None:
            self.order = await self._settle()
        async with contextlib.AsyncExitStack() as stack:
            order, purse = self.order, self._makings.purse
            creation = purse.creation(
                order.place, order.person, words=order.act == "create", settled=self._again
            )
            self._request = await stack.enter_async_context(creation)
            if self._row is None:
                self._row = await self._makings.write_down(
                    self.id, order, self._upload, self._asked, self.since
                )
                try:
                    await purse.charge(order.place, order.person, self.id)
                except BaseException as error:
                    await asyncio.shield(self._close(error))
                    raise
            self._open = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await asyncio.shield(self._close(error))
        finally:
            await self._open.__aexit__(kind, error, trace)

    async def shown_in(self, message: str) -> None:
        """Remembers the message that shows it: whoever goes on, goes on there."""
        self.order = self.order.model_copy(update={"message": message})
        await self._makings.note(self.id, message)

    def postpone(self) -> None:
        """Leaves it to a later look, because it cannot be shown just now."""
        self._postponed = True

    async def events(self) -> AsyncGenerator[CreationEvent]:
        """What happens; the last event is `PersonaReady` or `CreationFailed`, whatever happens."""
        assert self._request is not None
        events = served(self._request, explained(self._events()))
        async with contextlib.aclosing(events):
            async for event in events:
                if isinstance(event, CreationFailed):
                    self._request.outcome = "failed"
                yield event

    async def _events(self) -> AsyncGenerator[CreationEvent]:
        assert self._row is not None
        given_up = self._makings.given_up(self._row)
        if given_up:
            yield CreationFailed(given_up)
            return
        if self._again:
            order = self.order
            await self._makings.purse.charge(order.place, order.person, self.id)
        making = await self._makings.make(self.order, self._upload, self._row, again=self._again)
        async with contextlib.aclosing(making) as events:
            async for event in events:
                if isinstance(event, PersonaReady):
                    # What an earlier process has made was made for this.
                    self._made = self._again or not event.existing
                yield event

    async def _close(self, error: BaseException | None) -> None:
        unfinished = self._makings.unfinished
        try:
            if self._postponed or isinstance(error, asyncio.CancelledError):
                await unfinished.leave(self.id)
            else:
                await unfinished.end(self.id, refund=not self._made)
        except ChatAnythingError as failure:
            log.warning("The next process will look at this once more: %s", failure)


class Makings:
    """Makes personas and portraits, and takes over those of processes that have died.

    Args:
        storage: where it is written down.
        creator: makes them.
        purse: what it may cost, and has cost.
        settings: how long, and how often, something is tried.
    """

    def __init__(
        self,
        storage: Storage,
        creator: Creator,
        purse: Purse,
        settings: ChatSettings,
    ) -> None:
        self._storage = storage
        self._creator = creator
        self.purse = purse
        self._settings = settings
        self.unfinished = storage.unfinished

    async def take_over(
        self, platform: str, takes: Callable[[Place], bool] | None = None
    ) -> list[Making]:
        """What processes that have ended were making on a platform; ours from now on.

        Args:
            platform: such as `discord`.
            takes: whether this process can show it there; everything when None.
        """

        def fits(row: Unfinished) -> bool:
            return takes is None or takes(_order(row).place)

        rows = await self.unfinished.take_over("creation", platform, fits)
        return [Making(self, _order(row), row=row) for row in rows]

    async def write_down(
        self, id: str, order: Order, upload: bytes | None, asked: str, since: datetime
    ) -> Unfinished:
        """Writes down what is begun.

        Raises:
            TakenError: it has been begun before.
        """
        from storage.unfinished import Unfinished

        media = self._storage.media
        key = await media.put(upload, ".bin") if upload else None
        row = Unfinished(
            id=id,
            kind="creation",
            gallery=order.place.gallery,
            channel=order.place.channel,
            member=order.person.id,
            medium=key,
            body=order.model_dump(mode="json"),
            created_at=since,
        )
        begun = False
        try:
            begun = await self.unfinished.begin(row, asked=f"!{asked}"[:64] if asked else "")
        finally:
            if not begun and key is not None:
                await asyncio.shield(media.delete(key))
        if not begun:
            raise TakenError("This is being made already.")
        return row

    async def note(self, id: str, message: str) -> None:
        """Writes down which message shows it."""
        await self.unfinished.note(id, message=message)

    def given_up(self, row: Unfinished) -> str:
        """Why nobody goes on with it; empty where somebody does."""
        age = datetime.now(UTC) - row.created_at
        if age > timedelta(hours=self._settings.unfinished_hours):
            return _TOO_OLD
        return _TOO_OFTEN if row.tries > self._settings.unfinished_tries else ""

    async def make(
        self, order: Order, upload: bytes | None, row: Unfinished, *, again: bool
    ) -> AsyncGenerator[CreationEvent]:
        """The events of the engine; an `upload` that is None is looked up.

        Raises:
            ChatAnythingError: it cannot be made any more; says why.
        """
        from engine.exchange import import_card

        if upload is None and row.medium is not None:
            upload = await self._storage.media.get(row.medium)
        gallery, member = order.place.gallery, order.person.id
        if order.act == "bring":
            return import_card(
                self._creator,
                self._storage,
                upload or b"",
                gallery=gallery,
                member=member,
                adult=order.adult,
            )
        if order.act == "redraw":
            persona = await self._storage.personas.by_id(order.persona_id)
            if persona is None:
                raise NotFoundError("This persona does not exist any more.")
            if again and persona.portrait.seed == order.seed:
                return _only(PersonaReady(persona, existing=True))
            return self._creator.new_portrait(persona, seed=order.seed, style=order.style)
        request = CreationRequest(
            order.description,
            gallery=gallery,
            creator=member,
            seed=order.seed,
            style=order.style,
            voice=order.voice,
            photo=upload,
            adult=order.adult,
        )
        return self._creator.create(request)


async def _only(event: CreationEvent) -> AsyncGenerator[CreationEvent]:
    yield event


def _order(row: Unfinished) -> Order:
    """The order of a row. Where it is asked for may have moved since."""
    order = Order.model_validate(row.body)
    place = replace(order.place, gallery=row.gallery, channel=row.channel)
    return order.model_copy(update={"place": place})
