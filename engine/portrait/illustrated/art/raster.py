"""From SVG to pixels: trimmed to the subject, square, at the size that is asked for."""

from __future__ import annotations

import io
import re

import numpy as np

from engine.portrait.base import Image
from personas.errors import UnavailableError

SIZE = 1024
"""Width and height of an artwork in pixels."""

MARGIN = 0.02
"""Of the subject's longer side, left free on each side."""

Box = tuple[float, float, float, float]
"""Left, top, width, height in the units of an SVG."""

_VIEW_BOX = re.compile(
    r'viewBox="\s*([-\d.eE]+)[\s,]+([-\d.eE]+)[\s,]+([\d.eE]+)[\s,]+([\d.eE]+)\s*"'
)
_STROKE = re.compile(r'(stroke-width\s*[=:]\s*["\']?\s*)([\d.]+)')


def render(svg: str, size: int = SIZE) -> Image:
    """[size, size, 4] straight alpha.

    Raises:
        UnavailableError: it is no SVG that can be drawn.
    """
    import resvg_py
    from PIL import Image as Pictures

    try:
        png = bytes(
            resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # its parser raises anything; its panics are no Exception
        raise UnavailableError("A picture of this pack cannot be drawn.") from error
    picture = Pictures.open(io.BytesIO(png)).convert("RGBA")
    if picture.size != (size, size):
        square = Pictures.new("RGBA", (size, size))
        offset = (size - picture.width) // 2, (size - picture.height) // 2
        square.paste(picture, offset)
        picture = square
    return np.asarray(picture).copy()


def artwork(svg: str, resolution: int = SIZE) -> Image:
    """[SIZE, SIZE, 4], drawn at `resolution` and enlarged where that is smaller."""
    rgba = render(svg, min(resolution, SIZE))
    if rgba.shape[0] == SIZE:
        return rgba
    from PIL import Image as Pictures

    # enlarged with colours weighted by alpha, or edges would gather dark fringes
    enlarged = (
        Pictures.fromarray(rgba, "RGBA")
        .convert("RGBa")
        .resize((SIZE, SIZE), Pictures.Resampling.BICUBIC)
        .convert("RGBA")
    )
    return np.asarray(enlarged).copy()


def view_box(svg: str) -> Box:
    """What part of the plane the document shows.

    Raises:
        UnavailableError: it does not say.
    """
    found = _VIEW_BOX.search(svg)
    if found is None:
        raise UnavailableError("A picture of this pack cannot be drawn.")
    left, top, width, height = (float(part) for part in found.groups())
    return left, top, width, height


def with_view_box(svg: str, box: Box) -> str:
    """The same document, showing another part of the plane."""
    text = " ".join(f"{part:.4g}" if abs(part) < 1 else f"{part:.3f}" for part in box)
    return _VIEW_BOX.sub(f'viewBox="{text}"', svg, count=1)


def with_lines(svg: str, factor: float) -> str:
    """The same document, its lines `factor` times as wide."""
    return _STROKE.sub(lambda line: f"{line[1]}{float(line[2]) * factor:.4g}", svg)


def trimmed(svg: str) -> str:
    """The same document, showing a square around what is drawn."""
    left, top, width, height = view_box(svg)
    size = 160
    alpha = render(with_view_box(svg, _square(left, top, width, height)), size)[:, :, 3] > 24
    if not alpha.any():
        return with_view_box(svg, _square(left, top, width, height))
    square = _square(left, top, width, height)
    unit = square[2] / size
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    x0, x1 = columns[0] * unit, (columns[-1] + 1) * unit
    y0, y1 = rows[0] * unit, (rows[-1] + 1) * unit
    margin = MARGIN * max(x1 - x0, y1 - y0)
    box = _square(square[0] + x0, square[1] + y0, x1 - x0, y1 - y0)
    return with_view_box(
        svg,
        (box[0] - margin, box[1] - margin, box[2] + 2 * margin, box[3] + 2 * margin),
    )


def bust(svg: str, canvas: float) -> tuple[str, Box]:
    """The same document, showing a square that ends where the shoulders are cut off.

    Args:
        svg: a person on a square canvas, middle and bottom where the canvas has them.
        canvas: its side.

    Returns:
        The document and the part of the plane that it shows.
    """
    size = 160
    whole = (-0.1 * canvas, -0.2 * canvas, 1.2 * canvas, 1.2 * canvas)
    alpha = render(with_view_box(svg, whole), size)[:, :, 3] > 24
    unit = whole[2] / size
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return svg, (0.0, 0.0, canvas, canvas)
    half = max(
        canvas / 2 - (whole[0] + columns[0] * unit),
        whole[0] + (columns[-1] + 1) * unit - canvas / 2,
    )
    side = max(2 * half, canvas - (whole[1] + rows[0] * unit)) * (1 + MARGIN)
    box = (canvas / 2 - side / 2, canvas - side, side, side)
    return with_view_box(svg, box), box


def _square(left: float, top: float, width: float, height: float) -> Box:
    side = max(width, height)
    return left - (side - width) / 2, top - (side - height) / 2, side, side
