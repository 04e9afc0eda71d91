"""Contexts: a local model reads each beginning of a prompt once, and finds it again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from engine.llm.base import DEFAULT_SAMPLING, Message
from engine.llm.openai import OpenAIModel, request_body
from engine.llm.prompt_states import PromptStates
from engine.llm.slots import Slot, Slots
from engine.observing import NOBODY, Observer
from personas.errors import UnavailableError

log = logging.getLogger(__name__)


class Contexts:
    """Decides in which context of a llama.cpp server a request runs, and what stands in it.

    What requests have in common at their beginning, a persona or the examples of a form, is read
    alone, saved, and from then on restored in milliseconds. Because it is always read alone, it
    makes no difference to the words whether it was read or restored. A conversation that has to
    make room for another one is put aside and taken up again likewise.

    Args:
        client: of the server.
        url: of the server, without a path.
        count: how many contexts it has.
        states: where they are kept; None: nowhere.
        observer: told whether the beginning of a request had been read.
    """

    def __init__(
        self,
        client: OpenAIModel,
        url: str,
        count: int,
        states: PromptStates | None,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._client = client
        self._url = url
        self._states = states
        self._slots = Slots(count)
        self._reading = asyncio.Lock()
        self._putting_aside = asyncio.Lock()

    async def read_ahead(self, messages: Sequence[Message]) -> None:
        """Reads `messages`, unless they have been read, so that what begins with them is quick.

        Raises:
            UnavailableError: the model cannot read them.
        """
        if not messages or await self._known(messages):
            return
        async with self._reading:
            if await self._known(messages):
                return
            async with self._slots.take(messages) as slot:
                await self._make_room(slot, messages)
                await self._read(slot, messages)

    @asynccontextmanager
    async def chat(
        self, messages: Sequence[Message], said: Sequence[str], conversation: str = ""
    ) -> AsyncIterator[Mapping[str, Any]]:
        """A context for a conversation, with as much of it as possible read already.

        Args:
            messages: of the request.
            said: the pieces of the answer, complete when the context is left.
            conversation: the id by which it can be forgotten.

        Yields:
            Fields for the request.
        """
        async with self._slots.take(messages) as slot:
            await self._make_room(slot, messages)
            count, name = await self._find(messages)
            known = slot.shares(messages)
            if count > known and await self._restore(slot, messages[:count], name):
                known = count
            self._observer.looked_up("prompts", known > 0)
            slot.hold(messages, conversation)
            yield {"id_slot": slot.index}
            slot.hold((*messages, Message("assistant", "".join(said))), conversation)

    @asynccontextmanager
    async def exact(self, messages: Sequence[Message]) -> AsyncIterator[Mapping[str, Any]]:
        """A context in which the same request always gives the same words.

        Yields:
            Fields for the request.
        """
        beginning = messages[:-1]
        async with self._slots.take(()) as slot:
            await self._make_room(slot, ())
            slot.hold()
            fields = {"id_slot": slot.index, "cache_prompt": False}
            if beginning:
                count, name = await self._find(beginning, exact=True)
                try:
                    known = count == len(beginning)
                    known = known and await self._restore(slot, beginning, name)
                    self._observer.looked_up("prompts", known)
                    if not known:
                        await self._read(slot, beginning)
                    fields["cache_prompt"] = True
                except UnavailableError as error:
                    log.info("Read as a whole instead: %s", error)
            slot.hold()  # what is in it is only good for this
            yield fields

    async def forget(self, conversation: str) -> None:
        """Drops a conversation, wherever it was put aside."""
        async with self._putting_aside:
            self._slots.forget(conversation)
            if self._states is not None:
                await asyncio.to_thread(self._states.forget, conversation)

    async def aclose(self) -> None:
        """Removes what was kept for this program only."""
        if self._states is not None:
            await asyncio.to_thread(self._states.close)

    async def _known(self, messages: Sequence[Message]) -> bool:
        if self._slots.holds(messages):
            return True
        return (await self._find(messages, exact=True))[0] == len(messages)

    async def _find(self, messages: Sequence[Message], *, exact: bool = False) -> tuple[int, str]:
        if self._states is None:
            return 0, ""
        return await asyncio.to_thread(self._states.find, messages, exact=exact)

    async def _make_room(self, slot: Slot, messages: Sequence[Message]) -> None:
        """Puts a conversation aside that is about to be overwritten."""
        async with self._putting_aside:
            if slot.loses(messages) and (await self._find(slot.held))[0] < len(slot.held) - 1:
                await self._save(slot, slot.held[:-1], slot.conversation)

    async def _read(self, slot: Slot, messages: Sequence[Message]) -> None:
        """Has the model read `messages` alone, and keeps what it made of them."""
        slot.hold()
        body = request_body(messages, DEFAULT_SAMPLING)
        body |= {"max_tokens": 0, "id_slot": slot.index, "cache_prompt": False}
        await self._client.post(f"{self._url}/v1/chat/completions", body)
        slot.hold(messages)
        await self._save(slot, messages)

    async def _save(
        self, slot: Slot, messages: Sequence[Message], conversation: str | None = None
    ) -> None:
        states = self._states
        name = await asyncio.to_thread(states.new) if states else None
        if states is None or name is None:
            return
        try:
            await self._client.post(
                f"{self._url}/slots/{slot.index}?action=save", {"filename": name}
            )
        except BaseException as error:
            states.drop(name)
            if not isinstance(error, UnavailableError):
                raise
            log.info("A prompt that was read is not kept: %s", error)
            return
        await asyncio.to_thread(states.keep, name, messages, conversation)

    async def _restore(self, slot: Slot, messages: Sequence[Message], name: str) -> bool:
        """Puts a kept state into a context; without it the model just reads."""
        states = self._states
        if states is None or not await asyncio.to_thread(states.check, name):
            return False
        slot.hold()
        try:
            await self._client.post(
                f"{self._url}/slots/{slot.index}?action=restore", {"filename": name}
            )
        except UnavailableError as error:
            log.info("A kept prompt is of no use: %s", error)
            await asyncio.to_thread(states.drop, name)
            return False
        slot.hold(messages)
        return True
