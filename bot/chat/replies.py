"""Replies: a message comes in, and whoever it is for answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import TYPE_CHECKING

from bot.chat.base import (
    Before,
    IncomingMessage,
    OpenOutlet,
    Outlet,
    Person,
    Place,
    RefusedError,
)
from bot.chat.ears import Ears
from bot.chat.listeners import Listeners
from bot.chat.notices import Notices
from bot.chat.rights import Rights, member
from bot.chat.works import Work, Works
from engine.conversation import Conversations, Mode
from engine.events import ReplyEvent
from personas.errors import InvalidInputError, NotFoundError
from personas.gallery import Action, Hearing, Policy
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.channels import Post
    from storage.store import Storage

_DUET_TURNS = 12


class Replies:
    """Answers messages, again on request, and stops when told to.

    Args:
        storage: remembers what was posted.
        conversations: make the answers.
        rights: who may do what.
        listeners: whom a message is for.
        ears: understand voice messages.
        works: makes the answers.
        longest_message: characters of a message that are read.
    """

    def __init__(
        self,
        storage: Storage,
        conversations: Conversations,
        rights: Rights,
        listeners: Listeners,
        ears: Ears,
        works: Works,
        longest_message: int,
    ) -> None:
        self._storage = storage
        self._conversations = conversations
        self._rights = rights
        self._listeners = listeners
        self._ears = ears
        self._works = works
        self._longest_message = longest_message
        self._notices = Notices()

    async def receive(self, message: IncomingMessage, open_outlet: OpenOutlet) -> None:
        """Answers a message, if it is for somebody; returns when the answer is delivered.

        A message that was received before, by this process or another, is not answered again.

        Raises:
            ChatAnythingError: there is no answer; the sentence is for who wrote.
        """
        if self._works.closed or message.author.is_bot:
            return
        if not message.text.strip() and message.sound is None:
            return
        with self._notices.once(message):
            personas = await self._listeners.whom(message)
            if personas and await self._storage.channels.handle(message.place.channel, message.id):
                await self._answer_all(message, personas, open_outlet)

    async def edited(self, message: IncomingMessage, open_outlet: OpenOutlet) -> None:
        """Answers a message anew that its author has changed, as long as nothing came after it.

        Raises:
            ChatAnythingError: there is no new answer; the sentence is for who wrote.
        """
        place = message.place
        if self._works.closed or message.author.is_bot or not message.text.strip():
            return
        stopped = await self._works.retract(place, message.id)
        posts = await self._storage.channels.posts(place.channel, question=message.id)
        if not posts:
            if stopped:  # nothing had been shown yet
                personas = await self._listeners.whom(message)
                await self._answer_all(message, personas, open_outlet)
            return
        turn_id = posts[0].turn_id
        persona = await self._rights.seen(place, message.author, posts[0].persona_id, Action.TALK)
        last = await self._conversations.last_answer(persona, place.channel)
        if turn_id is None or turn_id != last:
            return
        await self._again(
            Work(place, message.id, message.author.id, persona),
            message.author,
            turn_id,
            open_outlet,
            self._readable(message.text),
        )

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
        text = self._readable(text)

        def say(mode: Mode, seconds: float | None) -> AsyncGenerator[ReplyEvent]:
            return self._conversations.reply(
                persona, place.channel, text, person.name, mode=mode, max_seconds=seconds
            )

        await self._works.run(Work(place, question, person.id, persona), person, say, open_outlet)

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
        said, author = self._readable(topic), person.name
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

            await self._works.run(work, person, say, open_outlet)
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
        if post.turn_id is None:
            raise NotFoundError("I do not remember what this was about.")
        if self._works.is_busy_with(place, message):
            raise InvalidInputError("I am still at it.")
        work = Work(place, post.question, post.asked_by, persona)
        await self._again(work, person, post.turn_id, open_outlet)

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

    async def who(self, place: Place, person: Person, message: str) -> tuple[Persona, Post]:
        """The persona behind a message, and what is known of the message.

        Raises:
            NotFoundError: none of this place is.
        """
        post = await self._storage.channels.post(place.channel, message)
        if post is None:
            raise NotFoundError("No persona of this place wrote that message.")
        return await self._rights.seen(place, person, post.persona_id), post

    async def _answer_all(
        self, message: IncomingMessage, personas: Iterable[Persona], open_outlet: OpenOutlet
    ) -> None:
        """Lets several personas answer; one that cannot holds up no other."""
        policy = await self._rights.policy(message.place)
        if message.sound is not None and policy.hearing is Hearing.OFF:
            raise RefusedError("Nobody listens to voice messages here. Please write.")
        results = await asyncio.gather(
            *(self._answer(message, persona, policy, open_outlet) for persona in personas),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _again(
        self,
        work: Work,
        person: Person,
        turn_id: int,
        open_outlet: OpenOutlet,
        message: str | None = None,
    ) -> None:
        """Answers in place of an answer; a `message` takes the place of what was asked."""
        channel = work.place.channel
        posts = await self._storage.channels.posts(channel, turn_id=turn_id)

        def say(mode: Mode, seconds: float | None) -> AsyncGenerator[ReplyEvent]:
            return self._conversations.regenerate(
                work.persona, channel, turn_id, message=message, mode=mode, max_seconds=seconds
            )

        await self._works.run(work, person, say, open_outlet, _messages(posts))

    async def _answer(
        self,
        message: IncomingMessage,
        persona: Persona,
        policy: Policy,
        open_outlet: OpenOutlet,
    ) -> None:
        place, author = message.place, message.author
        text = message.text
        work = Work(place, message.id, author.id, persona)

        async def heard_first(persona: Persona, before: Before) -> Outlet:
            """The outlet; what was spoken is understood before anything is answered."""
            nonlocal text
            outlet = await open_outlet(persona, before)
            if message.sound is not None:
                heard = await self._ears.understand(message.sound)
                await outlet.heard(heard)
                text = f"{text}\n{heard}".strip()
            return outlet

        def say(mode: Mode, seconds: float | None) -> AsyncGenerator[ReplyEvent]:
            return self._conversations.reply(
                persona,
                place.channel,
                self._readable(text),
                author.name,
                mode=mode,
                max_seconds=seconds,
            )

        silent = message.sound is not None and policy.hearing is Hearing.TRANSCRIBE
        await self._works.run(work, author, None if silent else say, heard_first)

    async def _said(self, work: Work) -> str | None:
        """The words of an answer that has been delivered."""
        if work.delivered.turn_id is None:
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

    def _readable(self, text: str) -> str:
        text = text.strip()
        if not text:
            raise InvalidInputError("Say something, and you will get an answer.")
        longest = self._longest_message
        return text if len(text) <= longest else f"{text[:longest]} …"


def _messages(posts: Sequence[Post]) -> Before:
    texts = tuple(one.message for one in posts if one.kind == "text")
    return Before(texts, tuple(one.message for one in posts if one.kind == "file"))
