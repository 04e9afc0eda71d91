"""Any OpenAI-compatible endpoint, through the official client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.llm.base import (
    DEFAULT_SAMPLING,
    Message,
    RefusedError,
    Sampling,
    Schema,
    UnusableAnswerError,
    Usage,
)
from engine.llm.concessions import WEAKER, Concessions
from engine.llm.failures import ContextOverflowError, explain, fault
from engine.llm.structured import asking_again, asking_for, json_schema, read_answer
from engine.observing import NOBODY, Observer
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4o-mini"


class OpenAIModel:
    """A `LanguageModel` behind an OpenAI-compatible endpoint.

    Endpoints differ in which parameters they take. What one refuses is left out or said another
    way, and that is remembered: see `Concessions`.

    Args:
        base_url: of the endpoint, usually ending in /v1.
        api_key: its key; any text where none is needed.
        model: its name there; empty: the first that the endpoint offers.
        timeout: seconds without a word before giving up.
        retries: of requests that failed for a passing reason, with growing pauses.
        context_tokens: of prompt and answer together.
        extra: more fields for the body of each request.
        place: what people know it as; made from `base_url` when empty.
        remedy: what to do when it cannot be reached.
        use_proxy: whether proxies set in the environment are used.
        observer: told how it works, and of its tokens.
    """

    def __init__(
        self,
        *,
        base_url: str = OPENAI_URL,
        api_key: str = "",
        model: str = "",
        timeout: float = 60.0,
        retries: int = 2,
        context_tokens: int = 4096,
        extra: Mapping[str, Any] | None = None,
        place: str = "",
        remedy: str = 'Check base_url and the network, or set backend = "local".',
        use_proxy: bool = True,
        observer: Observer = NOBODY,
    ) -> None:
        self._base_url = base_url.rstrip("/") or OPENAI_URL
        self._key = api_key
        host = urlsplit(self._base_url).hostname or self._base_url
        self._model = model or (DEFAULT_MODEL if host == "api.openai.com" else "")
        self._name = self._model or f"default of {host}"
        self._timeout = timeout
        self._retries = retries
        self._context_tokens = context_tokens
        self._extra = dict(extra or {})
        self._place = place or f"the language model at {host}"
        self._remedy = remedy
        self._use_proxy = use_proxy
        self._usage = Usage()
        self._observer = observer
        self._concessions = Concessions()
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._name

    @property
    def context_tokens(self) -> int:
        """As it was given: endpoints do not tell."""
        return self._context_tokens

    @property
    def invents(self) -> bool:
        """Whoever configures an endpoint trusts it with characters."""
        return True

    @property
    def usage(self) -> Usage:
        """Tokens spent so far, as the endpoint counts them."""
        return self._usage

    async def read_ahead(self, messages: Sequence[Message] = ()) -> None:
        """Loads the client; endpoints read when they are asked."""
        with contextlib.suppress(UnavailableError):
            await self._open()

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling = DEFAULT_SAMPLING,
        *,
        conversation: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[str]:
        """The answer, piece by piece; closing the iterator ends the request.

        Args:
            messages: what was said.
            sampling: how words are chosen.
            conversation: not told to endpoints.
            extra: more fields for the body of this request.
        """
        request = {
            **request_body(messages, sampling),
            "stream": True,
            "stream_options": {"include_usage": True},
            "extra_body": {**self._extra, **(extra or {})},
        }
        answer = await self._send(request)
        ended = False
        usage: Any = None
        timings: Any = None
        pieces = 0
        try:
            async for chunk in answer:
                usage = chunk.usage or usage
                timings = getattr(chunk, "timings", None) or timings
                for choice in chunk.choices[:1]:
                    ended = ended or choice.finish_reason is not None
                    if choice.finish_reason == "content_filter":
                        raise RefusedError(f"The content filter of {self._place} ended the answer.")
                    if choice.delta and choice.delta.content:
                        ended = True
                        pieces += 1
                        yield choice.delta.content
        except (GeneratorExit, asyncio.CancelledError, UnavailableError):
            raise
        except Exception as error:
            raise self._explain(error, begun=True) from fault(error, self._key)
        finally:
            if usage is not None:
                self._count(usage)
            elif pieces:
                self._estimate(messages, pieces, timings)
            with contextlib.suppress(Exception):
                await answer.close()
        if not ended:
            raise UnavailableError(f"No answer came from {self._place}. Try again.")

    async def parse(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        sampling: Sampling = DEFAULT_SAMPLING,
        *,
        extra: Mapping[str, Any] | None = None,
    ) -> Schema:
        """An answer in the form of `schema`, by whatever means the endpoint has for it.

        Args:
            messages: what is asked.
            schema: the form.
            sampling: how words are chosen.
            extra: more fields for the bodies of these requests.
        """
        asked = list(messages)
        text = await self._answer(asked, schema, sampling, extra)
        try:
            return await asyncio.to_thread(read_answer, text, schema)
        except UnusableAnswerError as error:
            again = asking_again(asked, text, str(error), schema)
        text = await self._answer(again, schema, sampling, extra)
        try:
            return await asyncio.to_thread(read_answer, text, schema)
        except UnusableAnswerError as error:
            raise UnusableAnswerError(
                f"The language model {self.name} does not answer in the form that is needed, "
                "not even when told. Try again, or use a larger model."
            ) from error

    async def count_tokens(self, text: str) -> int:
        """An estimate on the high side: endpoints do not count without answering."""
        return _about(text)

    async def forget(self, conversation: str) -> None:
        """Nothing is kept here; what an endpoint keeps is its own affair."""

    async def aclose(self) -> None:
        """Closes the connections."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def post(self, url: str, body: Mapping[str, Any]) -> Any:
        """Sends a request of the endpoint's own kind and gives its decoded answer."""
        client = await self._open()
        try:
            return await client.post(url, cast_to=object, body=dict(body))
        except Exception as error:
            raise self._explain(error) from fault(error, self._key)

    async def _answer(
        self,
        messages: list[Message],
        schema: type[Schema],
        sampling: Sampling,
        extra: Mapping[str, Any] | None,
    ) -> str:
        """The text of one answer that was asked to fit `schema`."""
        wire = {"name": schema.__name__[:60], "schema": json_schema(schema)}
        forms = {
            "schema": {"type": "json_schema", "json_schema": wire},
            "object": {"type": "json_object"},
        }
        form = self._concessions.form
        while True:
            worded = messages if form == "schema" else asking_for(messages, schema)
            body = {**self._extra, **(extra or {})}
            request = {**request_body(worded, sampling), "extra_body": body}
            if form in forms:
                request["response_format"] = forms[form]
            answer = await self._send(request)
            if answer is not None:  # None: the form was refused, the next one is tried
                break
            form = WEAKER[form]
        self._count(answer.usage)
        choice = answer.choices[0] if answer.choices else None
        if choice is None:
            raise UnavailableError(f"No answer came from {self._place}. Try again.")
        self._concessions.form = form
        if choice.finish_reason == "content_filter" or choice.message.refusal:
            raise RefusedError(f"The language model {self.name} will not answer this.")
        return choice.message.content or ""

    async def _send(self, request: dict[str, Any]) -> Any:
        """Sends until the endpoint takes it; None when another response format has to be tried."""
        import openai

        client = await self._open()
        request["model"] = await self._model_name(client)
        while True:
            try:
                return await client.chat.completions.create(**self._concessions.apply(request))
            except (openai.APIStatusError, openai.APIConnectionError) as error:
                match self._concessions.concede(error, request):
                    case "again":
                        continue
                    case "other form":
                        return None
                raise self._explain(error) from fault(error, self._key)
            except openai.OpenAIError as error:
                raise self._explain(error) from fault(error, self._key)

    async def _model_name(self, client: AsyncOpenAI) -> str:
        import openai

        if not self._model:
            try:
                self._model = (await client.models.list()).data[0].id
            except (openai.NotFoundError, IndexError, AttributeError, TypeError) as error:
                raise UnavailableError(
                    f"{self._place[:1].upper()}{self._place[1:]} does not say which models it has. "
                    "Set model in the section language_model."
                ) from fault(error, self._key)
            except Exception as error:
                raise self._explain(error) from fault(error, self._key)
        return self._model

    async def _open(self) -> AsyncOpenAI:
        async with self._opening:
            if self._closed:
                raise UnavailableError("The language model has been closed.")
            if self._client is None:
                self._client = await asyncio.to_thread(self._make_client)
            return self._client

    def _make_client(self) -> AsyncOpenAI:
        import httpx2
        import openai

        timeout = httpx2.Timeout(self._timeout, connect=min(10.0, self._timeout))
        return openai.AsyncOpenAI(
            base_url=self._base_url,
            api_key=self._key or "none",
            timeout=timeout,
            max_retries=self._retries,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=self._use_proxy),
        )

    def _count(self, usage: Any) -> None:
        if usage is not None:
            self._spent(usage.prompt_tokens or 0, usage.completion_tokens or 0)

    def _estimate(self, messages: Sequence[Message], pieces: int, timings: Any) -> None:
        """Counts an answer that was broken off before its end told what it cost.

        llama.cpp tells all along, if asked to. Of others it is known that most send a token a
        piece, so the number of pieces is close to the truth.
        """
        if isinstance(timings, dict) and isinstance(timings.get("predicted_n"), int):
            prompt = int(timings.get("prompt_n") or 0) + int(timings.get("cache_n") or 0)
            self._spent(prompt, timings["predicted_n"])
        else:
            self._spent(sum(_about(message.content) for message in messages), pieces)

    def _spent(self, prompt: int, completion: int) -> None:
        self._usage.prompt_tokens += prompt
        self._usage.completion_tokens += completion
        self._usage.requests += 1
        self._observer.tokens(prompt, completion)
        self._observer.worked("language model", self.name)

    def _explain(self, error: BaseException, begun: bool = False) -> UnavailableError:
        told = explain(
            error,
            place=self._place,
            model=self.name,
            key=self._key,
            remedy=self._remedy,
            begun=begun,
        )
        if not isinstance(told, ContextOverflowError):  # that is our fault, and put right at once
            self._observer.failed("language model", self.name)
        return told


def _about(text: str) -> int:
    plain = sum(character.isascii() for character in text)
    return (plain + 2) // 3 + len(text) - plain


def request_body(messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
    """The part of a request that does not depend on the endpoint."""
    # Lone surrogates cannot be encoded; a model has no use for them either.
    body: dict[str, Any] = {
        "messages": [
            {"role": m.role, "content": m.content.encode("utf-8", "replace").decode()}
            for m in messages
        ]
    }
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.max_tokens is not None:
        body["max_tokens"] = sampling.max_tokens
    if sampling.seed is not None:
        body["seed"] = sampling.seed & 0x7FFF_FFFF
    if sampling.stop:
        body["stop"] = list(sampling.stop[:4])
    return body
