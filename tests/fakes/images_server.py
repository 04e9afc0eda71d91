"""An endpoint with OpenAI's `/images/generations` and `/images/edits`, good days and bad ones."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from aiohttp import web
from PIL import Image as Pictures

from tests.fakes.voice_service import serving

Mode = Literal[
    "fine", "no-edits", "simple", "stranger", "busy", "broken", "refuses", "drip", "garbage",
    "empty", "tiny", "huge", "wide", "no-image",
]  # fmt: skip
KEY = "sk-secret-of-the-endpoint"


@dataclass
class ImagesEndpoint:
    """What was asked, and how it answers. It paints a grey square, and returns what it is sent."""

    mode: Mode = "fine"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    references: list[Pictures.Image] = field(default_factory=list)
    address: str = ""

    async def generate(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(("generations", body))
        return await self._answer(request, body, _grey(256, 256))

    async def edit(self, request: web.Request) -> web.StreamResponse:
        if self.mode == "no-edits":
            return _error(404, "Not Found")
        body: dict[str, Any] = {}
        picture = _grey(256, 256)
        async for part in await request.multipart():
            if part.filename:  # type: ignore[union-attr]
                picture = bytes(await part.read())  # type: ignore[union-attr]
                self.references.append(Pictures.open(io.BytesIO(picture)))
            else:
                body[str(part.name)] = await part.text()  # type: ignore[union-attr]
        self.asked.append(("edits", body))
        return await self._answer(request, body, picture)

    async def _answer(
        self, request: web.Request, body: dict[str, Any], picture: bytes
    ) -> web.StreamResponse:
        match self.mode:
            case "stranger":
                return _error(401, f"Incorrect API key provided: {KEY}")
            case "busy":
                return _error(429, "Rate limit reached")
            case "broken":
                return _error(500, "Traceback: it broke")
            case "refuses":
                return _error(400, "Your request was rejected by the safety system.")
            case "garbage":
                return web.Response(body=b"<html>" * 2_000, content_type="text/html")
            case "empty":
                return web.json_response({"data": []})
            case "no-image":
                return web.json_response({"data": [{"b64_json": _text(b"no picture")}]})
            case "tiny":
                picture = _grey(16, 16)
            case "huge":
                picture = _grey(5_000, 200)
            case "wide":
                picture = _grey(512, 256)
            case "simple" if "response_format" in body:
                return _error(400, "Unknown parameter: response_format")
        answer = web.json_response({"data": [{"b64_json": _text(picture)}]}).body
        assert isinstance(answer, bytes)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        pieces = 200 if self.mode == "drip" else 1
        size = -(-len(answer) // pieces)
        for at in range(0, len(answer), size):
            await response.write(answer[at : at + size])
            if self.mode == "drip":
                await asyncio.sleep(0.2)
        await response.write_eof()
        return response


@contextmanager
def images_endpoint(mode: Mode = "fine") -> Iterator[ImagesEndpoint]:
    """Runs the endpoint in a thread of its own."""
    endpoint = ImagesEndpoint(mode)
    app = web.Application(client_max_size=32 << 20)
    app.router.add_post("/v1/images/generations", endpoint.generate)
    app.router.add_post("/v1/images/edits", endpoint.edit)
    with serving(app) as address:
        endpoint.address = f"http://{address}/v1"
        yield endpoint


def _grey(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Pictures.fromarray(np.full((height, width, 3), 150, np.uint8)).save(data, "PNG")
    return data.getvalue()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "error"}}, status=status)
