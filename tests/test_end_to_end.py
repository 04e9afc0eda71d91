"""The main job with nothing faked: a sentence becomes a persona, and it answers with a clip."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import jiwer
import numpy as np
import pytest
from PIL import Image

DESCRIPTION = "a grumpy old lighthouse that loves poetry"
MESSAGE = "Hello! Who are you?"
FILES = {"persona.json", "portrait.png", "reply.txt", "reply.wav", "reply.mp4"}

Require = Callable[[str], Path]


def demo(folder: Path, out: str) -> tuple[Path, str]:
    """Runs the demo as a program of its own; gives the folder it filled and what it printed."""
    environment = {
        **os.environ,
        "CHATANYTHING_STORAGE__DATA_FOLDER": str(folder / "data"),
        "CHATANYTHING_LANGUAGE_MODEL__BACKEND": "local",
        "CHATANYTHING_LANGUAGE_MODEL__MODEL": "smollm2-135m",
        "CHATANYTHING_MODELS__OFFLINE": "true",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo", DESCRIPTION, MESSAGE, "--out", out],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = (folder / out).iterdir()
    return made, done.stdout


def heard(sound: np.ndarray[Any, Any], rate: int, whisper: Path) -> str:
    """What a speech recognizer understands."""
    from faster_whisper import WhisperModel

    listener = WhisperModel(str(whisper), device="cpu", compute_type="int8", cpu_threads=2)
    at = np.arange(int(len(sound) * 16_000 / rate)) * rate / 16_000
    samples = np.interp(at, np.arange(len(sound)), sound).astype(np.float32)
    segments, _ = listener.transcribe(samples, language="en", beam_size=1)
    return " ".join(segment.text for segment in segments)


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def sound_of(clip: bytes) -> tuple[np.ndarray[Any, Any], int]:
    with av.open(io.BytesIO(clip)) as container:
        stream = container.streams.audio[0]
        parts = [frame.to_ndarray().mean(axis=0) for frame in container.decode(stream)]
        return np.concatenate(parts), stream.rate


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, require_model: Require
) -> tuple[Path, str, Path, str]:
    """Two runs of the demo on the embedded default with the smallest model."""
    for model in ("smollm2-135m", "minilm-l6-int8", "fluent-emoji", "twemoji", "openmoji"):
        require_model(model)
    folder = tmp_path_factory.mktemp("demo")
    first, said_first = demo(folder, "first")
    second, said_second = demo(folder, "second")
    return first, said_first, second, said_second


def test_everything_it_makes_is_there(made: tuple[Path, str, Path, str]) -> None:
    folder, said, *_ = made
    assert {path.name for path in folder.iterdir()} == FILES
    assert all(name in said for name in FILES)
    for stage in ("models fetched", "personality", "portrait", "text", "speech", "clip", "all"):
        assert stage in said


def test_the_persona_is_whole(made: tuple[Path, str, Path, str]) -> None:
    persona = json.loads((made[0] / "persona.json").read_text("utf-8"))
    assert persona["description"] == DESCRIPTION
    assert persona["personality"]["character"].startswith("You are")
    assert persona["portrait"]["geometry"]["source"] == "drawn"
    assert persona["portrait"]["credits"]
    with Image.open(made[0] / "portrait.png") as portrait:
        assert portrait.size == (512, 512)


def test_the_clip_plays_everywhere(made: tuple[Path, str, Path, str]) -> None:
    with av.open(str(made[0] / "reply.mp4")) as clip:
        video, audio = clip.streams.video[0], clip.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (512, 512, 25)
        assert video.codec_context.pix_fmt == "yuv420p"
        frames = sum(1 for _ in clip.decode(video))
    with wave.open(str(made[0] / "reply.wav")) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert frames / 25 == pytest.approx(seconds, abs=0.2)


def test_the_second_run_finds_the_persona_again(made: tuple[Path, str, Path, str]) -> None:
    first, _, second, said = made
    assert (first / "persona.json").read_text() == (second / "persona.json").read_text()
    assert (first / "portrait.png").read_bytes() == (second / "portrait.png").read_bytes()
    assert not re.search(r"^ personality ", said, re.MULTILINE)


@pytest.mark.parametrize("voice", ["captain", "woman", "tiny"])
def test_a_listener_understands_the_clip(voice: str, require_model: Require) -> None:
    from bot.app import App
    from bot.settings import Settings
    from engine.talkinghead.video import encode
    from personas.persona import PortraitBrief

    whisper = require_model("whisper-tiny.en")
    for model in ("minilm-l6-int8", "fluent-emoji"):
        require_model(model)
    text = (
        "I am the old lighthouse on the northern rocks. Ships pass me every night, and I read "
        "them my poems. Would you like to hear one of them?"
    )
    app = App(Settings())
    draft = app.portraits.generate(PortraitBrief(subject="lighthouse"), seed=1)
    speech = app.synthesizer.synthesize(text, app.voices.cast(voice, seed=1))
    frames = app.head.frames(app.head.prepare(draft), speech, seed=1)
    clip = encode(frames, speech, fps=25, size=512)
    understood = heard(*sound_of(clip.data), whisper)
    assert jiwer.wer(words(text), words(understood)) <= 0.1


def test_reply_txt_is_what_the_clip_says(
    tmp_path: Path, require_model: Require, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the model's words are scripted; all else is the demo as people run it."""
    from typer.testing import CliRunner

    from bot.app import App
    from bot.cli import cli
    from tests.fakes.answers import ANSWER
    from tests.fakes.language_model import ScriptedModel

    whisper = require_model("whisper-tiny.en")
    reply = "*sighs* I watch the sea, and the sea watches me. Shall I read you my new poem?"

    async def model(app: App) -> ScriptedModel:
        return writer

    writer = ScriptedModel((json.dumps(ANSWER), reply))
    monkeypatch.setattr(App, "model", model)
    monkeypatch.setenv("CHATANYTHING_STORAGE__DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("CHATANYTHING_MODELS__OFFLINE", "true")
    monkeypatch.setenv("CHATANYTHING_LANGUAGE_MODEL__MODEL", "smollm2-135m")
    done = CliRunner().invoke(cli, ["demo", DESCRIPTION, MESSAGE, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "out").iterdir()
    written = re.sub(r"\*[^*]*\*", "", (folder / "reply.txt").read_text("utf-8"))
    understood = heard(*sound_of((folder / "reply.mp4").read_bytes()), whisper)
    assert jiwer.wer(words(written), words(understood)) <= 0.1
