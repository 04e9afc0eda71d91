"""What services that sell voices have in common: a voice, encoders, and a server in a thread."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import av
import numpy as np
from aiohttp import web
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from engine.speech.base import Speech
from engine.speech.hibari import HibariSynthesizer
from engine.speech.rehearsal import Rehearser
from engine.speech.settings import SpeechSettings
from personas.persona import Voice

_TONGUE = {"pitch": 0.7, "formant": 0.93}
"""Whom the service employs: nobody that the catalogue knows."""
_CODECS = {
    # container, codec, sample rate, sample format
    "mp3": ("mp3", "libmp3lame", 24_000, "fltp"),
    "wav": ("wav", "pcm_s16le", 24_000, "s16"),
    "opus": ("ogg", "libopus", 48_000, "flt"),
    "flac": ("flac", "flac", 24_000, "s16"),
}


@lru_cache(maxsize=1)
def hibari() -> HibariSynthesizer:
    """The service's voice model; loads once for all tests."""
    settings = SpeechSettings(max_seconds=300, lead_seconds=0.1, tail_seconds=0.8)
    return HibariSynthesizer(settings)


@lru_cache(maxsize=1)
def rehearser() -> Rehearser:
    """One for all engines under test: dictionaries and models load once."""
    return Rehearser(hibari())


@lru_cache(maxsize=200)
def spoken(text: str, rate: float) -> Speech:
    """How the service says a text: real speech, with the true times of its words."""
    return hibari().synthesize(text, Voice(engine="hibari", preset="", rate=rate, **_TONGUE))


def encoded(samples: NDArray[np.float32], form: str) -> bytes:
    """The bytes of a file; an MP3 has no header, so its sound is 46 ms later than what went in."""
    container_name, codec, rate, sample_format = _CODECS[form]
    options = {"write_xing": "0", "id3v2_version": "0"} if form == "mp3" else {}
    file = io.BytesIO()
    with av.open(file, "w", format=container_name, options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        if form == "mp3":
            stream.codec_context.bit_rate = 48_000
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = 24_000
        resampler = av.AudioResampler(sample_format, "mono", rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


@contextmanager
def serving(app: web.Application) -> Iterator[str]:
    """Runs a server in a thread of its own; gives its address, such as 127.0.0.1:8080."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    addresses: list[str] = []

    async def serve() -> None:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        addresses.append(f"{host}:{port}")
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10), "the server did not start"
    try:
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
