"""A loopback endpoint for transcriptions that answers as a test wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """Where it is, what it was asked, and the answers it gives in turn, the last one on and on."""

    answers: list[Answer]
    url: str = ""
    fields: list[dict[str, Any]] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.headers.append(dict(request.headers))
        self.fields.append({k: v for k, v in form.items() if isinstance(v, str)})
        sent = form["file"]
        assert isinstance(sent, web.FileField)
        with sent.file as file:
            self.files.append(file.read())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@contextmanager
def serving(*answers: Answer) -> Iterator[Endpoint]:
    """An endpoint in a thread of its own, as those who ask it block theirs."""
    endpoint = Endpoint(list(answers))
    loop = asyncio.new_event_loop()
    runner: web.AppRunner | None = None

    async def start() -> None:
        nonlocal runner
        app = web.Application(client_max_size=50_000_000)
        app.router.add_post("/v1/audio/transcriptions", endpoint.transcribe)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        endpoint.url = f"http://{host}:{port}/v1"

    loop.run_until_complete(start())

    async def end() -> None:
        assert runner is not None
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield endpoint
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def says(**body: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    return answer


def fails(status: int, message: str = "", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"error": {"message": message or f"error {status}"}}
        return web.json_response(body, status=status, headers=headers)

    return answer


def raw(body: bytes, content_type: str = "application/json") -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type)

    return answer


def sleeps(seconds: float) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response({"text": "too late"})

    return answer


def drips(pieces: int, pause: float) -> Answer:
    """An answer that never ends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(pieces):
            try:
                await response.write(b" " * 10)
            except ConnectionError:
                break
            await asyncio.sleep(pause)
        return response

    return answer
