"""Replies: a message comes in, and whoever it is for answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from bot.chat.base import (
    Before,
    IncomingMessage,
    OpenOutlet,
    Person,
    Place,
    RefusedError,
    Sound,
)
from bot.chat.exchange import Exchanges
from bot.chat.listeners import Listeners
from bot.chat.notices import Notices
from bot.chat.pending import Pending, Pendings
from bot.chat.rights import Rights, member
from bot.chat.works import Say, Work, Works
from engine.conversation import Conversations, Mode
from engine.events import ReplyEvent
from engine.fairness import BusyError
from personas.errors import ChatAnythingError, InvalidInputError, NotFoundError
from personas.gallery import Action, Hearing
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.channels import Post
    from storage.store import Storage

_DUET_TURNS = 12
_MOST_INSIDE = 120
"""Messages of one person in all places, answered or waiting: memory is bounded."""


class Replies:
    """Answers messages, again on request, and stops when told to.

    Args:
        storage: remembers what was posted.
        conversations: make the answers.
        rights: who may do what.
        listeners: whom a message is for.
        exchanges: have messages answered.
        pendings: what is being answered, as it is written down.
        works: makes the answers.
    """

    def __init__(
        self,
        storage: Storage,
        conversations: Conversations,
        rights: Rights,
        listeners: Listeners,
        exchanges: Exchanges,
        pendings: Pendings,
        works: Works,
    ) -> None:
        self._storage = storage
        self._conversations = conversations
        self._rights = rights
        self._listeners = listeners
        self._exchanges = exchanges
        self._pendings = pendings
        self._works = works
        self._notices = Notices()
        self._inside: Counter[str] = Counter()
        self._arriving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def receive(self, message: IncomingMessage, open_outlet: OpenOutlet) -> None:
        """Answers a message, if it is for somebody; returns when the answer is delivered.

        A message that was received before, by this process or another, is not answered again. One
        that comes in while this process ends is left to the next.

        Raises:
            ChatAnythingError: there is no answer; the sentence is for who wrote.
        """
        if message.author.is_bot:
            return
        if not message.text.strip() and message.sound is None:
            return
        channel = message.place.channel
        with self._notices.once(message), self._crowd(message.author):
            # What comes in first is answered first, however long looking things up takes.
            async with self._arriving.setdefault(channel, asyncio.Lock()):
                personas = await self._listeners.whom(message)
                if not personas:
                    return
                silent = await self._is_only_heard(message)
                pendings = await self._pendings.begin(message, personas, silent=silent)
                if self._works.closed:
                    for pending in pendings:
                        await pending.leave()
                    return
                works = [
                    await self._exchanges.begin(
                        message, persona, open_outlet, pending, silent=silent
                    )
                    for persona, pending in zip(personas, pendings, strict=False)
                ]
            await self._finish(works)

    @contextlib.contextmanager
    def _crowd(self, person: Person) -> Iterator[None]:
        """Lets only so many messages of one person be in here at a time."""
        if self._inside[person.id] >= _MOST_INSIDE:
            raise BusyError("That is a lot at once. Please wait for the answers.")
        self._inside[person.id] += 1
        try:
            yield
        finally:
            self._inside[person.id] -= 1
            if not self._inside[person.id]:
                del self._inside[person.id]

    async def edited(self, message: IncomingMessage, open_outlet: OpenOutlet) -> None:
        """Answers a message anew that its author has changed, as long as nothing came after it.

        Each persona that has answered it, or was about to, answers anew. Platforms tell of
        changes where the words are the same, such as a preview or a pin: those change nothing.

        Raises:
            ChatAnythingError: there is no new answer; the sentence is for who wrote.
        """
        if self._works.closed or message.author.is_bot or not message.text.strip():
            return
        # What comes in first is answered first, and one change is told of several times.
        async with self._arriving.setdefault(message.place.channel, asyncio.Lock()):
            works = await self._renew(message, open_outlet)
        await self._finish(works)

    async def _renew(self, message: IncomingMessage, open_outlet: OpenOutlet) -> list[Work]:
        """Begins all answers anew whose question is another one now."""
        place, person = message.place, message.author
        text = self._exchanges.readable(message.text)
        outdated = [
            work
            for work in self._works.answering(place.channel, message.id)
            if work.asked != text and not await self._is_past(work)
        ]
        await self._works.cancel(outdated)
        posts = await self._storage.channels.posts(place.channel, question=message.id)
        answers = {post.persona_id: post for post in posts}
        unseen = [work.persona for work in outdated if work.persona.id not in answers]
        if unseen and not answers:
            unseen = await self._listeners.whom(message)  # perhaps somebody else is called now
        works = [
            await self._again(place, person, persona, post, open_outlet, text)
            for persona, post in await self._outdated(message, text, answers.values())
        ]
        works += [
            await self._exchanges.begin(message, persona, open_outlet, None, silent=False)
            for persona in unseen
        ]
        return works

    async def _outdated(
        self, message: IncomingMessage, text: str, answers: Iterable[Post]
    ) -> list[tuple[Persona, Post]]:
        """The answers that are the last word still, and that answer something else than `text`."""
        place = message.place
        found: list[tuple[Persona, Post]] = []
        busy = {work.persona.id for work in self._works.answering(place.channel, message.id)}
        for post in answers:
            if post.persona_id in busy or post.turn_id is None:
                continue
            persona = await self._rights.seen(place, message.author, post.persona_id, Action.TALK)
            is_last = post.turn_id == await self._conversations.last_answer(persona, place.channel)
            asked = await self._conversations.asked(persona, place.channel, post.turn_id)
            if is_last and asked != text:
                found.append((persona, post))
        return found

    async def _is_past(self, work: Work) -> bool:
        """Whether something was said after an answer whose clip is being made."""
        turn, channel = work.delivered.turn_id, work.place.channel
        if turn is None:
            return False
        return turn != await self._conversations.last_answer(work.persona, channel)

    async def ask(
        self,
        place: Place,
        person: Person,
        persona: Persona,
        text: str,
        question: str,
        open_outlet: OpenOutlet,
    ) -> None:
        """Lets this persona answer, wherever it lives.

        Raises:
            ChatAnythingError: there is no answer; the sentence is for who asked.
        """
        await self._rights.require(place, person, Action.TALK, persona)
        text = self._exchanges.readable(text)

        def say(mode: Mode, seconds: float | None) -> AsyncGenerator[ReplyEvent]:
            return self._conversations.reply(
                persona, place.channel, text, person.name, mode=mode, max_seconds=seconds
            )

        await self._run(Work(place, question, person.id, persona), person, say, open_outlet)

    async def converse(
        self,
        place: Place,
        person: Person,
        pair: tuple[Persona, Persona],
        topic: str,
        question: str,
        open_outlet: OpenOutlet,
        *,
        turns: int = 6,
    ) -> None:
        """Lets two personas talk with each other, so many turns and not one more.

        Raises:
            ChatAnythingError: they do not; the sentence is for who asked.
        """
        for persona in pair:
            await self._rights.require(place, person, Action.TALK, persona)
        if pair[0].id == pair[1].id:
            raise InvalidInputError("It takes two personas to talk with each other.")
        said, author = self._exchanges.readable(topic), person.name
        for number in range(min(max(turns, 1), _DUET_TURNS)):
            speaker, other = pair[number % 2], pair[(number + 1) % 2]
            work = Work(place, f"{question}/{number}", person.id, speaker)
            words, by = said, author

            def say(
                mode: Mode,
                seconds: float | None,
                speaker: Persona = speaker,
                words: str = words,
                by: str = by,
            ) -> AsyncGenerator[ReplyEvent]:
                return self._conversations.reply(
                    speaker, place.channel, words, by, mode=mode, max_seconds=seconds
                )

            await self._run(work, person, say, open_outlet)
            turn = await self._said(work)
            if turn is None:
                return  # stopped, or nothing to say
            said, author = turn, speaker.personality.name
            if number == 0 and other.id == pair[1].id:
                said = f"{topic}\n{speaker.personality.name}: {turn}"

    async def regenerate(
        self, place: Place, person: Person, message: str, open_outlet: OpenOutlet
    ) -> None:
        """Answers again in place of an answer; what follows, follows the new one.

        Args:
            place: where.
            person: who wants it: who asked at first, or a moderator.
            message: any message of the answer.
            open_outlet: gets the messages that are to be changed.

        Raises:
            ChatAnythingError: it stays as it is; the sentence says why.
        """
        post, persona = await self._mine(place, person, message, "have another answer")
        await self._rights.require(place, person, Action.TALK, persona)
        work = await self._again(place, person, persona, post, open_outlet)
        await self._works.finish(work)

    async def stop(self, place: Place, person: Person, message: str = "") -> int:
        """Stops answers that are being made; what was shown by then stays.

        Args:
            place: where.
            person: who wants it: who asked, or a moderator.
            message: the question or a message of the answer; empty: all of this person's here.

        Returns:
            How many were stopped.

        Raises:
            RefusedError: somebody else asked for it.
        """
        return await self._works.stop(place, person, message)

    async def retract(self, channel: str, question: str) -> int:
        """Stops answering a message that its author has deleted; how many answers."""
        return await self._works.retract(channel, question)

    async def remove(self, place: Place, person: Person, message: str) -> Before:
        """Takes an answer back, with the message that it answered, out of the memory.

        Returns:
            The messages of the answer, which are to be deleted.

        Raises:
            ChatAnythingError: it stays; the sentence says why.
        """
        post, persona = await self._mine(place, person, message, "delete this")
        await self._works.stop(place, person, message)
        posts = [post]
        if post.turn_id is not None:
            posts = await self._storage.channels.posts(place.channel, turn_id=post.turn_id)
            await self._conversations.take_back(persona, place.channel, post.turn_id)
        for one in posts:
            await self._storage.channels.unpost(place.channel, one.message)
        return _messages(posts)

    async def deleted(self, place: Place, message: str) -> None:
        """Takes an answer back whose message was deleted by the platform's own means."""
        post = await self._storage.channels.post(place.channel, message)
        if post is not None and post.kind == "text":
            nobody = Person("", is_moderator=True)
            with contextlib.suppress(ChatAnythingError):
                await self.remove(place, nobody, message)

    async def posted(self, place: Place, persona: Persona, messages: Iterable[str]) -> None:
        """Remembers messages that an adapter has posted in a persona's name.

        A reply to a greeting, or to the card of a persona, is for this persona.
        """
        from storage.channels import Post

        for message in messages:
            post = Post(channel=place.channel, message=message, persona_id=persona.id)
            with contextlib.suppress(NotFoundError):
                await self._storage.channels.posted(post)

    async def who(self, place: Place, person: Person, message: str) -> tuple[Persona, Post]:
        """The persona behind a message, and what is known of the message.

        Raises:
            NotFoundError: none of this place is.
        """
        post = await self._storage.channels.post(place.channel, message)
        if post is None:
            raise NotFoundError("No persona of this place wrote that message.")
        return await self._rights.seen(place, person, post.persona_id), post

    async def take_over(
        self, platform: str, takes: Callable[[Place], bool] | None = None
    ) -> list[Pending]:
        """Answers that processes have begun which have ended; each is to be given to `resume`.

        Args:
            platform: such as `discord`.
            takes: whether this process can answer there; everything when None.
        """
        if self._works.closed:
            return []
        return await self._pendings.take_over(platform, takes)

    async def resume(
        self, pending: Pending, open_outlet: OpenOutlet, sound: Sound | None = None
    ) -> None:
        """Brings an answer that a killed process has begun to its end.

        What people have seen of it becomes the whole answer; where only the clip is missing, it
        is made. What nobody waits for any more is ended.

        Args:
            pending: the answer.
            open_outlet: where it goes.
            sound: the recording that is answered, if it is one.

        Raises:
            ChatAnythingError: there is no answer; the sentence is for who wrote.
        """
        asked = pending.question
        message = IncomingMessage(asked.message, asked.place, asked.person, asked.text, sound=sound)
        await self._exchanges.resume(pending, message, open_outlet)

    async def _is_only_heard(self, message: IncomingMessage) -> bool:
        """Whether a recording is only written down here.

        Raises:
            RefusedError: nobody listens to recordings here.
        """
        if message.sound is None:
            return False
        policy = await self._rights.policy(message.place)
        if policy.hearing is Hearing.OFF:
            raise RefusedError("Nobody listens to voice messages here. Please write.")
        return policy.hearing is Hearing.TRANSCRIBE

    async def _finish(self, works: Iterable[Work]) -> None:
        """Waits for several answers; one that fails holds up no other."""
        waiting = (self._works.finish(work) for work in works)
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _run(self, work: Work, person: Person, say: Say, open_outlet: OpenOutlet) -> None:
        await self._works.start(work, person, say, open_outlet)
        await self._works.finish(work)

    async def _again(
        self,
        place: Place,
        person: Person,
        persona: Persona,
        post: Post,
        open_outlet: OpenOutlet,
        message: str | None = None,
    ) -> Work:
        """Begins an answer in place of another one.

        Args:
            place: where.
            person: who uses it up.
            persona: whose answer it is.
            post: any message of the old answer.
            open_outlet: gets the messages that are to be changed.
            message: what is asked instead of what was asked; the same when None.

        Raises:
            ChatAnythingError: the old one stays; the sentence says why.
        """
        channel, turn_id = place.channel, post.turn_id
        if turn_id is None:
            raise NotFoundError("I do not remember what this was about.")
        asked = message or await self._conversations.asked(persona, channel, turn_id)
        before = _messages(await self._storage.channels.posts(channel, turn_id=turn_id))

        def say(mode: Mode, seconds: float | None) -> AsyncGenerator[ReplyEvent]:
            return self._conversations.regenerate(
                persona, channel, turn_id, message=message, mode=mode, max_seconds=seconds
            )

        # Nothing is waited for between this look and the beginning: two presses are one answer.
        if self._works.is_busy_with(place, (post.message, *before.messages)):
            raise InvalidInputError("I am still at it.")
        work = Work(place, post.question, post.asked_by, persona, asked or "", before)
        await self._works.start(work, person, say, open_outlet)
        return work

    async def _said(self, work: Work) -> str | None:
        """The words of an answer that has been delivered."""
        if work.delivered.turn_id is None or not work.delivered.whole:
            return None
        turn = await self._storage.conversations.turn(work.delivered.turn_id)
        return turn.text if turn is not None else None

    async def _mine(
        self, place: Place, person: Person, message: str, what: str
    ) -> tuple[Post, Persona]:
        """A message of a persona that this person asked for, or may moderate."""
        persona, post = await self.who(place, person, message)
        if post.asked_by != person.id and not member(place, person).is_moderator:
            raise RefusedError(f"Only who asked, or a moderator, can {what}.")
        return post, persona


def _messages(posts: Sequence[Post]) -> Before:
    texts = tuple(one.message for one in posts if one.kind == "text")
    return Before(texts, tuple(one.message for one in posts if one.kind == "file"))
