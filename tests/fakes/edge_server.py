"""Edge's voice service on this machine: its protocol, with real speech, and with its bad days."""

from __future__ import annotations

import asyncio
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from aiohttp import WSMsgType, web

from engine.speech.base import TimedWord
from tests.fakes.voice_service import encoded, serving, spoken

Mode = Literal[
    "fine", "forbidden", "broken", "silent", "cut", "drip", "garbage", "noise", "unknown words"
]
_TICKS = 10_000_000


@dataclass
class EdgeServer:
    """What was asked, and how it answers."""

    mode: Mode = "fine"
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.mode == "forbidden":
            return web.Response(status=403)
        if self.mode == "broken":
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                break
            head, _, body = message.data.partition("\r\n\r\n")
            if "Path:ssml" in head:
                assert head.startswith("X-RequestId:")
                await self._speak(request, socket, body)
                break
        await socket.close()
        return socket

    async def _speak(self, request: web.Request, socket: web.WebSocketResponse, ssml: str) -> None:
        voice = ET.fromstring(ssml)[0]
        prosody = voice[0]
        text = "".join(prosody.itertext())
        asked = {"voice": voice.get("name", ""), "text": text, **prosody.attrib}
        self.asked.append(asked)
        await socket.send_str(_frame("turn.start", {"context": {}}))
        if self.mode == "garbage":
            await socket.send_str("X-RequestId:1\r\nPath:audio.metadata\r\n\r\n{not json")
            return
        if self.mode == "silent":
            await socket.send_str(_frame("turn.end", {}))
            return
        rate = 1 + int(asked["rate"].rstrip("%")) / 100
        speech = await asyncio.to_thread(spoken, text, rate)
        sound = encoded(speech.samples, "mp3")
        if self.mode == "noise":
            sound = np.random.default_rng(0).bytes(20_000)
        words = list(speech.words)
        pieces = [sound[at : at + 720] for at in range(0, len(sound), 720)]
        for number, piece in enumerate(pieces):
            # word boundaries come a little before the sound they belong to
            while words and words[0].start * len(pieces) < (number + 1) * speech.duration + 1:
                await socket.send_str(self._boundary(words.pop(0)))
            await socket.send_bytes(_sound(piece))
            if self.mode == "drip":
                await asyncio.sleep(0.2)
            if self.mode == "cut" and number > len(pieces) / 3:
                assert request.transport is not None
                request.transport.abort()
                return
        for word in words:
            await socket.send_str(self._boundary(word))
        await socket.send_str(_frame("turn.end", {}))

    def _boundary(self, word: TimedWord) -> str:
        text = "@@" if self.mode == "unknown words" else word.text
        data = {
            "Offset": round(word.start * _TICKS),
            "Duration": round((word.end - word.start) * _TICKS),
            "text": {"Text": text, "Length": len(text), "BoundaryType": "WordBoundary"},
        }
        return _frame("audio.metadata", {"Metadata": [{"Type": "WordBoundary", "Data": data}]})


@contextmanager
def edge_server(mode: Mode = "fine") -> Iterator[EdgeServer]:
    """Runs the service in a thread of its own."""
    server = EdgeServer(mode)
    app = web.Application()
    app.router.add_get("/edge/v1", server.answer)
    with serving(app) as address:
        server.address = f"ws://{address}/edge/v1?TrustedClientToken=x"
        yield server


def _frame(path: str, content: object) -> str:
    return f"X-RequestId:1\r\nContent-Type:application/json\r\nPath:{path}\r\n\r\n" + json.dumps(
        content
    )


def _sound(data: bytes) -> bytes:
    head = b"X-RequestId:1\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n"
    return len(head).to_bytes(2, "big") + head + data
