"""Small PNG files, and cards inside them as other programs write them."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(size: tuple[int, int] = (512, 512), seed: int = 0, mode: str = "RGB") -> bytes:
    """A PNG of smooth noise."""
    noise = np.random.default_rng(seed).integers(0, 255, (8, 8, len(mode)), dtype=np.uint8)
    image = Image.fromarray(noise, mode=None).resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """What a PNG shows, checked by a real reader."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return np.asarray(image)


def chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def insert(png: bytes, *chunks: bytes) -> bytes:
    """Chunks put before the end, where other programs put them."""
    at = png.rindex(b"IEND") - 4
    return png[:at] + b"".join(chunks) + png[at:]


def text(keyword: str, value: bytes) -> bytes:
    return chunk(b"tEXt", keyword.encode() + b"\0" + value)


def with_card(png: bytes, **cards: dict[str, Any]) -> bytes:
    """A picture with cards under their keywords, base64 of JSON."""
    texts = [text(k, base64.b64encode(json.dumps(v).encode())) for k, v in cards.items()]
    return insert(png, *texts)


def v2(**fields: Any) -> dict[str, Any]:
    """A complete V2 card by the letter of its specification."""
    data = {
        "name": "Seraphina",
        "description": "{{char}} is a gentle guardian spirit of the forest. She heals {{user}}.",
        "personality": "caring, protective, kind",
        "scenario": "{{user}} wakes up in {{char}}'s glade.",
        "first_mes": '*She smiles.* "Good morning, {{user}}! '
        "I have kept watch over <USER>'s sleep.\"",
        "mes_example": "<START>\n{{user}}: Who are you?\n{{char}}: I am <BOT>.\n"
        "I keep this glade.\n<START>\n{{user}}: Thanks!\nSeraphina: You are welcome, {{user}}.",
        "creator_notes": "<b>Be nice</b> to her.",
        "system_prompt": "Stay in character. {{original}}",
        "post_history_instructions": "Two paragraphs.",
        "alternate_greetings": ["Oh, {{user}}, you are awake!"],
        "character_book": {
            "name": "Eldoria",
            "extensions": {"depth": 3},
            "entries": [
                {
                    "keys": ["glade"],
                    "content": "A safe place.",
                    "extensions": {"position": 0},
                    "enabled": True,
                    "insertion_order": 100,
                    "id": 0,
                }
            ],
        },
        "tags": ["fantasy", "Female"],
        "creator": "somebody",
        "character_version": "1.1",
        "extensions": {"talkativeness": "0.5", "depth_prompt": {"prompt": "", "depth": 4}},
    }
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": {**data, **fields}}


def sillytavern() -> dict[str, Any]:
    """A V2 card as SillyTavern saves it: the V1 fields repeated outside, and its own beside."""
    card = v2()
    data = card["data"]
    outside = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
    return {
        **{name: data[name] for name in outside},
        "creatorcomment": data["creator_notes"],
        "avatar": "none",
        "chat": "Seraphina - 2026-1-2 @10h 11m 12s 13ms",
        "talkativeness": "0.5",
        "fav": False,
        "tags": data["tags"],
        **card,
        "create_date": "2026-1-2 @10h 11m 12s 13ms",
    }


def v3(**fields: Any) -> dict[str, Any]:
    """A V3 card by the letter of its specification."""
    more = {
        "nickname": "Sera",
        "creator_notes_multilingual": {"de": "Sei nett."},
        "source": ["https://example.org/seraphina"],
        "group_only_greetings": [],
        "creation_date": 1_700_000_000,
        "modification_date": 1_700_000_001,
        "assets": [
            {"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"},
            {
                "type": "background",
                "uri": "https://example.org/a.png",
                "name": "main",
                "ext": "png",
            },
        ],
    }
    card = v2(**{**more, **fields})
    return {**card, "spec": "chara_card_v3", "spec_version": "3.0"}
