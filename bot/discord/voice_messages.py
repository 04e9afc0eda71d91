"""Voice messages: a bubble with a waveform, which the library does not know yet."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any, Final

import discord
import numpy as np
from discord.http import Route

from bot.discord.failures import persistently
from bot.discord.speakers import Upload
from engine.speech.base import Speech

_IS_VOICE_MESSAGE: Final = 1 << 13
_POINTS: Final = 256
_POINTS_A_SECOND: Final = 10
FILE: Final = "voice-message.ogg"


def waveform(speech: Speech) -> str:
    """The loudness of a speech over time as Discord draws it: at most 256 bytes, in base64."""
    count = max(1, min(_POINTS, round(speech.duration * _POINTS_A_SECOND)))
    parts = np.array_split(np.abs(speech.samples.astype(np.float64)), count)
    levels = np.array([np.sqrt(np.mean(part**2)) if len(part) else 0.0 for part in parts])
    loudest = float(levels.max(initial=0.0)) or 1.0
    return base64.b64encode((255 * levels / loudest).astype(np.uint8).tobytes()).decode()


async def send_voice_message(
    client: discord.Client,
    channel_id: int,
    speech: Speech,
    upload: Upload,
    reply_to: int | None = None,
) -> int:
    """Sends a voice message as the bot; returns its id.

    Args:
        client: logged in.
        channel_id: of a channel, thread or private chat.
        speech: what is said.
        upload: the same as OGG/Opus.
        reply_to: a message of the same channel to answer.

    Raises:
        GoneError: there is no such channel, or voice messages are not allowed there.
        TooLargeError: the file is too large.
    """
    payload: dict[str, Any] = {
        "flags": _IS_VOICE_MESSAGE,
        "allowed_mentions": {"parse": []},
        "nonce": secrets.token_hex(12),
        "enforce_nonce": True,
        "attachments": [
            {
                "id": 0,
                "filename": FILE,
                "duration_secs": round(speech.duration, 3),
                "waveform": waveform(speech),
            }
        ],
    }
    if reply_to is not None:
        payload["message_reference"] = {"message_id": str(reply_to), "fail_if_not_exists": False}

    async def send() -> Any:
        file = upload.file()
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel_id)
        form: list[dict[str, Any]] = [
            {"name": "payload_json", "value": json.dumps(payload)},
            {
                "name": "files[0]",
                "value": file.fp,
                "filename": FILE,
                "content_type": "audio/ogg",
            },
        ]
        return await client.http.request(route, form=form, files=[file])

    return int((await persistently(send))["id"])
