"""Answers in the making: each a task of its own that can be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from bot.chat.accounts import Accounts
from bot.chat.base import Before, GoneError, OpenOutlet, Outlet, Person, Place, RefusedError
from bot.chat.budgets import Budgets
from bot.chat.delivery import Delivered, deliver_clip, deliver_text
from bot.chat.pending import Pending
from bot.chat.quotas import Quotas, Spent
from bot.chat.rights import Rights, member
from bot.chat.settings import ChatSettings
from engine.conversation import Conversations, Mode
from engine.events import ReplyEvent
from engine.fairness import BusyError, FairQueue
from engine.observing import Request, during
from personas.errors import NotFoundError, UnavailableError
from personas.gallery import Policy
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.store import Storage

log = logging.getLogger(__name__)

Say = Callable[[Mode, "float | None"], AsyncGenerator[ReplyEvent]]
"""Begins an answer, in a mode and with so many seconds of sound."""


@dataclass(eq=False)
class Work:
    """An answer that is being made.

    Attributes:
        place: where.
        question: the message that is answered.
        asked_by: who asked, by id.
        persona: who answers.
        asked: what is answered, as it is read; empty where only a recording tells.
        before: the messages it takes the place of.
        pending: as it is written down; None where a kill loses it.
        task: makes it.
        outlet: shows it, once there is one.
        is_left: the next process goes on with it.
    """

    place: Place
    question: str
    asked_by: str
    persona: Persona
    asked: str = ""
    before: Before = field(default_factory=Before)
    pending: Pending | None = None
    task: asyncio.Task[None] | None = None
    outlet: Outlet | None = None
    delivered: Delivered = field(default_factory=Delivered)
    is_left: bool = False

    def is_about(self, message: str) -> bool:
        """Whether a message is the question, or a part of the answer or of the one before."""
        if message in (self.question, *self.before.messages, *self.before.files):
            return True
        return self.outlet is not None and message in (
            *self.outlet.message_ids,
            *self.outlet.file_ids,
        )


class Works:
    """Makes answers, fairly between communities and people, and stops them when told to.

    Args:
        storage: remembers what was posted.
        conversations: know what was said.
        rights: who may do what.
        quotas: how much people may use.
        budgets: what it may cost.
        accounts: what it has cost.
        settings: how many at once.
        mode: what answers are where nobody has chosen.
    """

    def __init__(
        self,
        storage: Storage,
        conversations: Conversations,
        rights: Rights,
        quotas: Quotas,
        budgets: Budgets,
        accounts: Accounts,
        settings: ChatSettings,
        mode: Mode,
    ) -> None:
        self._storage = storage
        self._conversations = conversations
        self._rights = rights
        self._quotas = quotas
        self._budgets = budgets
        self._accounts = accounts
        self._mode: Mode = mode
        self._texts = FairQueue(settings.at_once, settings.waiting_each, settings.waiting)
        self._working: set[Work] = set()
        self.closed = False

    def __len__(self) -> int:
        """How many answers are being made."""
        return len(self._working)

    @property
    def queues(self) -> dict[str, tuple[int, float]]:
        """How many wait for a text, and how many seconds the first of them has."""
        return {"message": (self._texts.waiting, self._texts.oldest)}

    def is_busy_with(self, place: Place, messages: Iterable[str]) -> bool:
        """Whether an answer to, or with, one of these messages is being made."""
        here = self._in(place.channel)
        return any(work.is_about(message) for message in messages for work in here)

    def answering(self, channel: str, question: str) -> list[Work]:
        """The answers to a message that are being made."""
        return [work for work in self._in(channel) if work.question == question]

    async def start(
        self, work: Work, person: Person, say: Say | None, open_outlet: OpenOutlet
    ) -> None:
        """Begins an answer; returns once its place in the order of answers is settled.

        Args:
            work: what it is about.
            person: who uses it up.
            say: begins the answer; None: what was said is only listened to.
            open_outlet: where it goes.
        """
        entered = asyncio.Event()
        work.task = asyncio.create_task(self._work(work, person, say, open_outlet, entered))
        self._working.add(work)
        work.task.add_done_callback(lambda _: self._working.discard(work))
        work.task.add_done_callback(lambda _: entered.set())
        await entered.wait()

    async def finish(self, work: Work) -> None:
        """Waits for an answer; one that is stopped has ended as well.

        Who waits may go away; the answer still gets finished.

        Raises:
            ChatAnythingError: there is no answer; the sentence is for who asked.
        """
        assert work.task is not None
        try:
            await asyncio.shield(work.task)
        except asyncio.CancelledError:
            if not work.task.done():
                raise

    async def _work(
        self,
        work: Work,
        person: Person,
        say: Say | None,
        open_outlet: OpenOutlet,
        entered: asyncio.Event,
    ) -> None:
        named = f"{work.place.channel}/{work.question}"
        async with self._accounts.serving("message", work.place, person, named) as request:
            with during(request):
                await self._serve(request, work, person, say, open_outlet, entered)

    async def _serve(
        self,
        request: Request,
        work: Work,
        person: Person,
        say: Say | None,
        open_outlet: OpenOutlet,
        entered: asyncio.Event,
    ) -> None:
        place = work.place
        async with (
            self._counted(work, person) as spent,
            contextlib.AsyncExitStack() as open_events,
        ):
            policy = await self._rights.policy(place)
            left = await self._budgets.left(place, person, policy)
            if work.pending is None or not work.pending.again:
                left.require_words()
            wanted = await self._wanted(place, policy)
            mode, seconds = left.afford(wanted), policy.clip_seconds
            try:
                line = f"{work.persona.id}\n{place.channel}"
                came = time.perf_counter()
                async with self._texts.turn(place.gallery, person.id, line, entered.set):
                    self._accounts.observer.stage("waiting", time.perf_counter() - came)
                    work.outlet = outlet = await open_outlet(work.persona, work.before)
                    if say is None:
                        return
                    if notice := await self._budgets.notice(left, person, wanted, mode):
                        await outlet.tell(notice)
                    events = say(mode, seconds)
                    await open_events.enter_async_context(contextlib.aclosing(events))
                    async with _nowhere_to_go(work):
                        await deliver_text(outlet, events, work.delivered)
                    await self._remember(work)
                if work.delivered.failure:
                    request.outcome = "failed"
                spent.kept = not work.delivered.failure
                spent.earned = spent.kept and work.delivered.turn_id is not None
                is_text = mode == "text" or (work.pending and work.pending.is_text_only)
                if not is_text and work.delivered.whole:
                    async with _nowhere_to_go(work):
                        await deliver_clip(outlet, events, mode)
                    await self._remember(work)
            except asyncio.CancelledError:
                await open_events.aclose()  # what was shown is kept now
                await asyncio.shield(self._remember(work))
                raise

    @contextlib.asynccontextmanager
    async def _counted(self, work: Work, person: Person) -> AsyncIterator[Spent]:
        """Counts an answer, and forgets it when it has ended, unless it is left to the next."""
        pending = work.pending
        if pending is None:
            async with self._quotas.spend(work.place, person, "message") as spent:
                yield spent
            return
        spent = Spent()
        try:
            await self._quotas.charge(work.place, person, "message", pending.id)
            yield spent
        except BusyError:
            # It had its place before the kill, and is let in at a later look.
            work.is_left = spent.kept = pending.again
            if not pending.again:
                raise
        except UnavailableError as error:
            spent.kept = work.delivered.whole
            if not work.delivered.whole:
                raise
            # The text is there; the clip comes when what is out of reach is back.
            log.warning("An answer is left to a later look: %s", error)
            work.is_left = True
        except BaseException:
            spent.kept = False
            raise
        finally:
            await asyncio.shield(self._close(work, spent))

    async def _close(self, work: Work, spent: Spent) -> None:
        assert work.pending is not None
        try:
            if work.is_left:
                await work.pending.leave()
            else:
                await work.pending.end(refund=not (spent.kept or spent.earned))
        except UnavailableError as error:
            log.warning("The next process will look at this once more: %s", error)

    async def _wanted(self, place: Place, policy: Policy) -> Mode:
        """What answers are in this place, if there is enough for it."""
        chosen = await self._storage.channels.mode(place.channel)
        if chosen is None and place.parent:
            chosen = await self._storage.channels.mode(place.parent)
        return cast("Mode", chosen or policy.mode or self._mode)

    async def _remember(self, work: Work) -> None:
        """Links the messages to what was said, for replies, other answers and questions."""
        from storage.channels import Post

        if work.outlet is None:
            return
        turn_id = work.delivered.turn_id
        if turn_id is None and not work.delivered.failure:
            turn_id = await self._conversations.last_answer(work.persona, work.place.channel)
        for kind, messages in (
            ("text", work.outlet.message_ids),
            ("file", work.outlet.file_ids),
        ):
            for message in messages:
                post = Post(
                    channel=work.place.channel,
                    message=message,
                    persona_id=work.persona.id,
                    kind=cast("Literal['text', 'file']", kind),
                    turn_id=turn_id,
                    question=work.question[:64],
                    asked_by=work.asked_by,
                )
                # The persona may have been deleted while it spoke.
                with contextlib.suppress(NotFoundError):
                    await self._storage.channels.posted(post)

    async def stop(self, place: Place, person: Person, message: str = "") -> int:
        """See `Replies.stop`."""
        mine = member(place, person).is_moderator
        found = [work for work in self._in(place.channel) if not message or work.is_about(message)]
        allowed = [work for work in found if mine or work.asked_by == person.id]
        if message and found and not allowed:
            raise RefusedError("Only who asked, or a moderator, can stop this.")
        await self.cancel(allowed)
        return len(allowed)

    async def retract(self, channel: str, question: str) -> int:
        """Stops answering a message that its author has deleted; how many answers."""
        about = self.answering(channel, question)
        await self.cancel(about)
        return len(about)

    async def aclose(self, grace: float = 20.0) -> None:
        """Begins nothing more, finishes what is in flight, and stops what takes too long."""
        self.closed = True
        tasks = [work.task for work in self._working if work.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for work in self._working:
            # Half a text stays as it is; what nobody has seen yet, and clips, can come later.
            work.is_left = work.outlet is None or work.delivered.whole
        await self.cancel(list(self._working))

    async def cancel(self, works: Iterable[Work]) -> None:
        """Stops answers; what was shown by then stays."""
        tasks = [work.task for work in works if work.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _in(self, channel: str) -> list[Work]:
        return [work for work in self._working if work.place.channel == channel]


@contextlib.asynccontextmanager
async def _nowhere_to_go(work: Work) -> AsyncIterator[None]:
    """Ends an answer quietly whose chat is gone: there is nobody to tell.

    Where the chat is out of reach for now, the answer is left to a later look. One that is not
    written down was asked for by a command or a button, which can be answered even where nothing
    can be written: who has seen nothing of it is told.
    """
    try:
        yield
    except (GoneError, UnavailableError, BusyError) as error:
        log.warning("An answer could not be shown to its end: %s", error)
        work.is_left = not isinstance(error, GoneError)
        if work.pending is None and work.outlet is not None and not work.outlet.message_ids:
            work.delivered.failure = str(error)
            await work.outlet.tell(str(error))
