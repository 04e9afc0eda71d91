"""Edge's voice service on this machine: its protocol, with real speech, and with its bad days."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import av
import numpy as np
from aiohttp import WSMsgType, web
from numpy.typing import NDArray

from engine.speech.base import Speech, TimedWord
from engine.speech.hibari import HibariSynthesizer
from engine.speech.settings import SpeechSettings
from personas.persona import Voice

Mode = Literal[
    "fine", "forbidden", "broken", "silent", "cut", "drip", "garbage", "noise", "unknown words"
]
_TICKS = 10_000_000
_TONGUE = {"pitch": 0.7, "formant": 0.93}
"""Whom the service employs: nobody that the catalogue knows."""


@dataclass
class EdgeServer:
    """What was asked, and how it answers."""

    mode: Mode = "fine"
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""
    speak: Callable[[str, float], Speech] | None = None
    """What it says to a text at a rate; its own voice where there is none."""

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
        speech = await asyncio.to_thread(self.speak or spoken, text, rate)
        sound = mp3_bytes(speech.samples)
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


@lru_cache(maxsize=1)
def _hibari() -> HibariSynthesizer:
    settings = SpeechSettings(max_seconds=300, lead_seconds=0.1, tail_seconds=0.8)
    return HibariSynthesizer(settings)


@lru_cache(maxsize=200)
def spoken(text: str, rate: float) -> Speech:
    """How the service says a text."""
    return _hibari().synthesize(text, Voice(engine="hibari", preset="", rate=rate, **_TONGUE))


def mp3_bytes(samples: NDArray[np.float32], sample_rate: int = 24_000) -> bytes:
    """MP3 of 48 kbit/s without any header, so that its sound is 46 ms later than what went in."""
    file = io.BytesIO()
    options = {"write_xing": "0", "id3v2_version": "0"}
    with av.open(file, "w", format="mp3", options=options) as container:
        stream = container.add_stream("libmp3lame", rate=sample_rate)
        stream.layout, stream.bit_rate, stream.format = "mono", 48_000, "fltp"
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = sample_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


@contextmanager
def edge_server(mode: Mode = "fine") -> Iterator[EdgeServer]:
    """Runs the service in a thread of its own."""
    server = EdgeServer(mode)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/edge/v1", server.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        server.address = f"ws://{host}:{port}/edge/v1?TrustedClientToken=x"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def _frame(path: str, content: object) -> str:
    return f"X-RequestId:1\r\nContent-Type:application/json\r\nPath:{path}\r\n\r\n" + json.dumps(
        content
    )


def _sound(data: bytes) -> bytes:
    head = b"X-RequestId:1\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n"
    return len(head).to_bytes(2, "big") + head + data
