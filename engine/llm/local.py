"""A model of this machine: llama.cpp in this process, spoken to like any other endpoint."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path

from engine.llm.base import DEFAULT_SAMPLING, Message, Sampling, Schema, Usage
from engine.llm.contexts import Contexts
from engine.llm.llamacpp import LlamaOptions, LlamaServer, identity
from engine.llm.openai import OpenAIModel
from engine.llm.prompt_states import PromptStates
from engine.observing import NOBODY, Observer
from personas.errors import UnavailableError

# Small models fall into loops; a light penalty on repeating keeps conversation going.
_CHAT = {"repeat_penalty": 1.1, "timings_per_token": True}
"""Timings tell how many tokens there were, also where an answer is broken off."""
_INVENTS_FROM = 250_000_000


class LocalModel:
    """A `LanguageModel` that runs here. The model is loaded when it is first used.

    Args:
        path: a GGUF file.
        name: what it is called in the catalogue.
        options: how it runs.
        timeout: seconds without a word; reading a long prompt on a busy machine takes a while.
        states_bytes: of `options.states`, in which prompts that were read are kept, at most.
        observer: told how it works, and of its tokens.
    """

    def __init__(
        self,
        path: Path,
        name: str = "",
        options: LlamaOptions | None = None,
        timeout: float = 600.0,
        states_bytes: int = 512 << 20,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._path = path
        self._name = name or path.stem
        self._options = options or LlamaOptions()
        self._timeout = timeout
        self._states_bytes = states_bytes
        self._usage = Usage()
        self._starting = asyncio.Lock()
        self._server: LlamaServer | None = None
        self._client: OpenAIModel | None = None
        self._contexts: Contexts | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """The catalogue's name, or the file's."""
        return self._name

    @property
    def context_tokens(self) -> int:
        """As set; once it runs, not more than the model was trained to read."""
        return self._server.context_tokens if self._server else self._options.context_tokens

    @property
    def invents(self) -> bool:
        """Judged by the file: below a quarter of a gigabyte a model writes grammar, not sense."""
        try:
            return self._path.stat().st_size >= _INVENTS_FROM
        except OSError:
            return True  # the fault is told when it is used

    @property
    def usage(self) -> Usage:
        """Tokens spent so far."""
        return self._client.usage if self._client else self._usage

    async def start(self) -> None:
        """Loads the model now instead of at the first use.

        Raises:
            UnavailableError: the file or the memory does not allow it.
        """
        await self._ready()

    async def read_ahead(self, messages: Sequence[Message] = ()) -> None:
        """Loads the model, and reads what later requests begin with, once and for all."""
        with contextlib.suppress(UnavailableError):
            _, contexts = await self._ready()
            await contexts.read_ahead(messages)

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling = DEFAULT_SAMPLING,
        *,
        conversation: str = "",
    ) -> AsyncGenerator[str]:
        """The answer, piece by piece; closing the iterator ends the writing."""
        client, contexts = await self._ready()
        said: list[str] = []
        async with (
            contexts.chat(messages, said, conversation) as extra,
            contextlib.aclosing(client.stream(messages, sampling, extra=extra)) as pieces,
        ):
            async for piece in pieces:
                said.append(piece)
                yield piece

    async def parse(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        sampling: Sampling = DEFAULT_SAMPLING,
    ) -> Schema:
        """An answer in the form of `schema`: the grammar leaves the model no other choice.

        The same messages and seed give the same answer: all but the last message is read for
        itself, or taken from where just that was kept.
        """
        client, contexts = await self._ready()
        async with contexts.exact(messages) as extra:
            return await client.parse(messages, schema, sampling, extra=extra)

    async def count_tokens(self, text: str) -> int:
        """Exactly, by the model's own vocabulary."""
        client, _ = await self._ready()
        assert self._server is not None
        answer = await client.post(f"{self._server.url}/tokenize", {"content": text})
        return len(answer["tokens"])

    async def forget(self, conversation: str) -> None:
        """Drops a conversation from contexts and from the folder of states."""
        if self._contexts is not None:
            await self._contexts.forget(conversation)

    async def aclose(self) -> None:
        """Ends the model and its threads."""
        self._closed = True
        async with self._starting:
            client, self._client = self._client, None
            server, self._server = self._server, None
            contexts, self._contexts = self._contexts, None
            if client is not None:
                self._usage = client.usage
                await client.aclose()
            if server is not None:
                await asyncio.to_thread(server.close)
            if contexts is not None:
                await contexts.aclose()

    async def _ready(self) -> tuple[OpenAIModel, Contexts]:
        async with self._starting:
            if self._closed:
                raise UnavailableError("The language model has been closed.")
            if self._client is None or self._contexts is None:
                self._client, self._contexts = await self._start()
            return self._client, self._contexts

    async def _start(self) -> tuple[OpenAIModel, Contexts]:
        server, states = await asyncio.to_thread(self._load)
        self._server = server
        client = OpenAIModel(
            base_url=f"{server.url}/v1",
            api_key=server.key,
            model=self._name,
            timeout=self._timeout,
            retries=1,  # a connection that was kept may have been closed at the same moment
            context_tokens=server.context_tokens,
            extra=_CHAT,
            place="the language model on this machine",
            remedy="It may have run out of memory; start the program again.",
            use_proxy=False,
            observer=self._observer,
        )
        count = self._options.parallel
        return client, Contexts(client, server.url, count, states, observer=self._observer)

    def _load(self) -> tuple[LlamaServer, PromptStates | None]:
        options, states = self._options, None
        if options.states is not None:
            states = PromptStates(options.states, self._states_bytes, identity(self._path))
            if not states.open():
                options, states = replace(options, states=None), None
        server = LlamaServer(self._path, options)
        import openai  # noqa: F401  here, and not where the event loop would wait for it

        return server, states
