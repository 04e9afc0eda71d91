"""With nothing faked but Telegram itself: a description, a message, a round video note."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from pydantic import SecretStr

from bot.app import App
from bot.settings import Settings
from bot.telegram.adapter import open_adapter
from bot.telegram.settings import TelegramSettings
from engine.conversation import ConversationSettings
from engine.llm.settings import LanguageModelSettings
from engine.models.settings import ModelStoreSettings
from storage.settings import StorageSettings
from tests.bot.telegram.house import ADA
from tests.fakes.telegram_rooms import TOKEN, Json
from tests.fakes.telegram_server import TelegramServer
from tests.fakes.telegram_service import Telegram

pytestmark = pytest.mark.timeout(600)
Require = Callable[[str], Path]


async def test_a_persona_answers_with_a_round_video_note_of_its_face(
    tmp_path: Path, require_model: Require
) -> None:
    for model in ("smollm2-135m", "minilm-l6-int8", "fluent-emoji", "twemoji", "openmoji"):
        require_model(model)
    telegram = Telegram(limits=True)
    async with TelegramServer(telegram) as server:
        settings = Settings(
            language_model=LanguageModelSettings(backend="local", model="smollm2-135m"),
            models=ModelStoreSettings(offline=True),
            conversation=ConversationSettings(reply_tokens=32),
            storage=StorageSettings(data_folder=tmp_path / "data"),
            telegram=TelegramSettings(
                token=SecretStr(TOKEN), server=server.base_url.removesuffix("/bot")
            ),
        )
        async with App(settings) as app:
            adapter = await open_adapter(app)
            running = asyncio.create_task(adapter.run())
            ada = telegram.private(ADA)
            telegram.say(ada, "/create a grumpy old lighthouse that loves poetry")

            def card() -> Json | None:
                cards = [m for m in ada.from_bot if "photo" in m and "reply_markup" in m]
                return cards[-1] if cards else None

            await telegram.until(card, 200)
            telegram.say(ada, "Hello! Who are you?")
            note: Json = await telegram.until(
                lambda: next((m for m in ada.from_bot if "video_note" in m), None), 200
            )
            (persona,) = await (await app.storage()).personas.list(f"telegram:{ADA}")
            await (await app.chat()).aclose(20)
            await adapter.aclose()
            await running
    assert not telegram.problems
    assert not telegram.violations
    text = next(
        m["text"] for m in ada.from_bot if m["message_id"] < note["message_id"] and "text" in m
    )
    assert text.strip()

    # What people get: a square MP4 with sound, of at most a minute and 640 pixels.
    data = telegram.files[note["video_note"]["file_id"]]
    assert len(data) < 50_000_000
    with av.open(io.BytesIO(data)) as clip:
        video, audio = clip.streams.video[0], clip.streams.audio[0]
        assert "mp4" in clip.format.name
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert video.width == video.height == note["video_note"]["length"] <= 640
        frames = sum(1 for _ in clip.decode(video))
        seconds = frames / float(video.average_rate or 25)
    assert 0 < seconds <= 60
    assert note["video_note"]["duration"] == math.ceil(seconds)
    with av.open(io.BytesIO(data)) as clip:
        loudest = max(abs(frame.to_ndarray()).max() for frame in clip.decode(audio=0))
    assert loudest > 0.05

    # And the face is well inside the circle that Telegram cuts out.
    face, (width, height) = persona.portrait.geometry, persona.portrait.size
    points = [face.left_eye, face.right_eye, face.mouth]
    reach = max(math.dist(point, (width / 2, height / 2)) for point in points) / (width / 2)
    assert reach + face.eye_radius / (width / 2) < 0.9

    drafts = [json.dumps(call.parameters) for call in telegram.named("sendMessageDraft")]
    assert drafts  # the text was streamed
