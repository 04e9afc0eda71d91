"""A talk on Telegram as a moving picture: the card of a persona, a question, its round answer."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from bot.app import App
from engine.portrait.base import Image
from personas.persona import PortraitBrief

WIDTH, HEIGHT = 420, 820
NOTE = 200
_WALL, _IN, _OUT, _INK, _SOFT, _BLUE = (
    "#c9dcc3",
    "#ffffff",
    "#e1fdc6",
    "#1c2a33",
    "#6d7f88",
    "#3a8fd0",
)


def telegram(app: App, brief: PortraitBrief, line: str, to: Path) -> None:
    """Draws the talk; the note in it moves.

    Args:
        app: draws and speaks.
        brief: who.
        line: what they answer.
        to: a .webp file.
    """
    draft = app.portraits.generate(brief, seed=6)
    speech = app.synthesizer.synthesize(line, app.voices.cast("old", seed=1))
    frames = [f.copy() for f in app.head.frames(app.head.prepare(draft), speech, seed=1)][::3]
    chat = _chat(draft.image, line)
    moving = [_with_note(chat, frame, (i + 1) / len(frames)) for i, frame in enumerate(frames)]
    moving[0].save(
        to, save_all=True, append_images=moving[1:], duration=120, loop=0, quality=66, method=4
    )


def _chat(portrait: Image, line: str) -> Pictures.Image:
    picture = Pictures.new("RGB", (WIDTH, HEIGHT), _WALL)
    draw = ImageDraw.Draw(picture)
    y = _bubble(draw, 12, ["/create a grumpy old lighthouse", "that loves poetry"], mine=True)
    y = _card(picture, draw, y + 10, portrait)
    y = _bubble(draw, y + 10, ["Read me one?"], mine=True)
    _bubble(draw, y + 10, textwrap.wrap(line, 38), mine=False)
    return picture


def _card(picture: Pictures.Image, draw: ImageDraw.ImageDraw, y: int, portrait: Image) -> int:
    left, side = 12, 290
    shown = Pictures.fromarray(portrait).resize((side, side), Pictures.Resampling.LANCZOS)
    draw.rounded_rectangle((left, y, left + 290, y + side + 82), 14, fill=_IN)
    mask = Pictures.new("L", shown.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, side - 1, side + 20), 14, fill=255)
    picture.paste(shown, (left, y), mask)
    text = y + side + 8
    draw.text((left + 12, text), "Barnaby Beam", _INK, font=_font(16))
    draw.text((left + 12, text + 23), "Grumbles in perfect rhyme", _SOFT, font=_font(14))
    draw.line((left + 12, text + 46, left + 12, text + 66), fill=_BLUE, width=3)
    draw.text((left + 20, text + 47), "Mind the steps. And mind the meter.", _INK, font=_font(14))
    y += side + 88
    for column, label in enumerate(("Talk to Barnaby", "Hear")):
        box = (left + column * 147, y, left + column * 147 + 143, y + 28)
        draw.rounded_rectangle(box, 8, fill="#9fb79a")
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        draw.text(middle, label, "white", font=_font(14), anchor="mm")
    return y + 28


def _bubble(draw: ImageDraw.ImageDraw, y: int, lines: list[str], *, mine: bool) -> int:
    font = _font(15)
    width = max(int(draw.textlength(line, font=font)) for line in lines) + 26
    height = 21 * len(lines) + 14
    left = WIDTH - 12 - width if mine else 12
    draw.rounded_rectangle((left, y, left + width, y + height), 14, fill=_OUT if mine else _IN)
    for number, line in enumerate(lines):
        draw.text((left + 13, y + 6 + 21 * number), line, _INK, font=font)
    return y + height


def _with_note(chat: Pictures.Image, frame: Image, done: float) -> Pictures.Image:
    """The talk with one moment of the round note."""
    picture, left, top = chat.copy(), 14, HEIGHT - NOTE - 12
    big = Pictures.new("L", (NOTE * 2, NOTE * 2), 0)
    ImageDraw.Draw(big).ellipse((2, 2, NOTE * 2 - 3, NOTE * 2 - 3), fill=255)
    mask = big.resize((NOTE, NOTE), Pictures.Resampling.LANCZOS)
    seen = Pictures.fromarray(np.ascontiguousarray(frame)).resize(
        (NOTE, NOTE), Pictures.Resampling.LANCZOS
    )
    picture.paste(seen, (left, top), mask)
    ring = (left - 3, top - 3, left + NOTE + 2, top + NOTE + 2)
    ImageDraw.Draw(picture).arc(ring, -90, -90 + 360 * done, fill="white", width=3)
    return picture


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
