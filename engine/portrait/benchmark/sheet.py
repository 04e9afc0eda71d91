"""The contact sheet: all portraits of a report in one picture."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from engine.portrait.benchmark.portraits import Result

PAPER = (247, 246, 242)
INK = (40, 38, 36)
MISSED = (196, 60, 50)


def contact_sheet(
    results: Sequence[Result], columns: int = 20, cell: int = 128, labels: bool = True
) -> Pictures.Image:
    """Portraits in rows, each with its subject below; red where no detector found the face.

    Args:
        results: of a report, or some of them.
        columns: portraits in a row.
        cell: width of a portrait, pixels.
        labels: write the subjects.
    """
    gap, text = max(2, cell // 32), (max(12, cell // 9) if labels else 0)
    rows = -(-len(results) // columns) if results else 1
    across, down = cell + gap, cell + gap + text
    sheet = Pictures.new("RGB", (columns * across + gap, rows * down + gap), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=max(9, text * 0.72)) if labels else None
    for number, result in enumerate(results):
        x = gap + number % columns * across
        y = gap + number // columns * down
        picture = Pictures.fromarray(result.image).resize((cell, cell), Pictures.Resampling.LANCZOS)
        sheet.paste(picture, (x, y))
        missed = bool(result.errors) and all(error is None for error in result.errors.values())
        if missed:
            draw.rectangle([x, y, x + cell - 1, y + cell - 1], outline=MISSED, width=gap)
        if font is not None:
            label = result.prompt.brief.subject
            while label and draw.textlength(label, font) > cell:
                label = label[:-1]
            draw.text((x, y + cell + 1), label, MISSED if missed else INK, font)
    return sheet
