"""A loopback endpoint that answers as a test wants: well, badly, or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """Where it is, what it was asked, and the answers it gives in turn, the last one on and on."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    models: list[str] = field(default_factory=lambda: ["first", "second"])

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request, body)

    async def _models(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": [{"id": m} for m in self.models]})


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[Endpoint]:
    """An endpoint with these answers, until the context is left."""
    endpoint = Endpoint(answers=list(answers))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", endpoint._chat)
    app.router.add_get("/v1/models", endpoint._models)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    endpoint.url = f"http://{host}:{port}/v1"
    try:
        yield endpoint
    finally:
        await runner.cleanup()


def says(text: str, *, finish: str = "stop", usage: bool = True, refusal: str = "") -> Answer:
    """A good answer, streamed where a stream is asked for."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if body.get("stream"):
            pieces = [text[i : i + 5] for i in range(0, len(text), 5)]
            events = [_chunk({"content": piece}) for piece in pieces]
            events.append(_chunk({}, finish))
            if usage:
                events.append({**_chunk({}), "choices": [], "usage": _USAGE})
            return await _stream(request, events)
        message = {"role": "assistant", "content": text, "refusal": refusal or None}
        choice = {"index": 0, "finish_reason": finish, "message": message}
        return web.json_response({**_base("chat.completion"), "choices": [choice], "usage": _USAGE})

    return answer


def fails(status: int, message: str = "", **error: Any) -> Answer:
    """An error as endpoints write it."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(
            {"error": {"message": message or f"error {status}", **error}}, status=status
        )

    return answer


def streams(*events: dict[str, Any], done: bool = True, cut: bool = False) -> Answer:
    """Exactly these events; the connection breaks after them with `cut`."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = await _stream(request, list(events), done=done)
        if cut:
            assert request.transport is not None
            request.transport.abort()
        return response

    return answer


def sleeps(seconds: float) -> Answer:
    """No answer for a while."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response({})

    return answer


def raw(text: str, content_type: str = "text/html") -> Answer:
    """Any body, with status 200: a proxy's login page, for instance."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type)

    return answer


def chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    """One event of a stream."""
    return _chunk({"content": text}, finish)


_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def _base(kind: str) -> dict[str, Any]:
    return {"id": "1", "object": kind, "created": 1, "model": "first"}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_base("chat.completion.chunk"), "choices": [choice]}


async def _stream(
    request: web.Request, events: list[dict[str, Any]], done: bool = True
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in events:
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    if done:
        await response.write(b"data: [DONE]\n\n")
    return response
