"""An endpoint with OpenAI's `/audio/speech`, on its good days and its bad ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from aiohttp import web

from tests.fakes.voice_service import encoded, serving, spoken

Mode = Literal[
    "fine", "simple", "stranger", "busy", "broken", "silent", "cut", "drip", "garbage", "empty"
]
KEY = "sk-secret-of-the-endpoint"


@dataclass
class SpeechEndpoint:
    """What was asked, and how it answers."""

    mode: Mode = "fine"
    asked: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        match self.mode:
            case "stranger":
                return _error(401, f"Incorrect API key provided: {KEY}")
            case "busy":
                return _error(429, "Rate limit reached")
            case "broken":
                return _error(500, "Traceback: it broke")
            case "garbage":
                return web.Response(body=b"<html>" * 2_000, content_type="text/html")
            case "empty":
                return web.Response(body=b"", content_type="audio/mpeg")
            case "simple" if refusal := _refused(body):
                return _error(400, refusal)
        assert len(body["input"]) <= 4_096
        speech = await asyncio.to_thread(spoken, body["input"], body.get("speed", 1.0))
        samples = np.zeros_like(speech.samples) if self.mode == "silent" else speech.samples
        if self.mode == "cut":
            samples = samples[: len(samples) // 6]
        sound = encoded(samples, body["response_format"])
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        for at in range(0, len(sound), 2_000):
            await response.write(sound[at : at + 2_000])
            if self.mode == "drip":
                await asyncio.sleep(0.2)
        await response.write_eof()
        return response


@contextmanager
def speech_endpoint(mode: Mode = "fine") -> Iterator[SpeechEndpoint]:
    """Runs the endpoint in a thread of its own."""
    endpoint = SpeechEndpoint(mode)
    app = web.Application()
    app.router.add_post("/v1/audio/speech", endpoint.answer)
    with serving(app) as address:
        endpoint.address = f"http://{address}/v1"
        yield endpoint


def _refused(body: dict[str, Any]) -> str:
    """What a small server does not know: one complaint at a time."""
    for name in ("instructions", "speed"):
        if name in body:
            return f"Extra inputs are not permitted: {name}"
    if body["response_format"] != "wav":
        return f"response_format {body['response_format']} is not supported"
    return ""


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "error"}}, status=status)
