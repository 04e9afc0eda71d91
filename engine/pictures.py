"""Pictures as files and as arrays: how portraits are kept, and how uploads are read."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.portrait.base import Image, PortraitDraft
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import Portrait

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_UPLOAD_BYTES = 20 << 20
MAX_PIXELS = 40_000_000
LONGEST_SIDE = 2048
SHORTEST_SIDE = 32


def to_png(image: Image) -> bytes:
    """An RGB or RGBA array as a PNG file. Blocks: tens of milliseconds."""
    import cv2

    code = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    done, data = cv2.imencode(".png", cv2.cvtColor(image, code), [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise UnavailableError("The portrait cannot be written as a PNG file.")
    return data.tobytes()


def from_png(data: bytes, *, alpha: bool = False) -> Image:
    """A PNG file of ours as an array: RGB, or RGBA with `alpha`.

    Raises:
        UnavailableError: the file is damaged.
    """
    import cv2

    flag = cv2.IMREAD_UNCHANGED if alpha else cv2.IMREAD_COLOR
    found = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    if found is None or found.ndim != 3 or found.shape[2] != (4 if alpha else 3):
        raise UnavailableError("The portrait of this persona is damaged.")
    code = cv2.COLOR_BGRA2RGBA if alpha else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(found, code), np.uint8)


def read_upload(data: bytes) -> Image:
    """A picture that somebody sent, upright, RGB or RGBA, at most 2048 pixels long.

    Raises:
        InvalidInputError: it is no picture, too large, or too small.
    """
    from PIL import ImageOps

    with _opened(data) as picture:
        upright = ImageOps.exif_transpose(picture)
        wants_alpha = "A" in upright.getbands() or "transparency" in upright.info
        upright = upright.convert("RGBA" if wants_alpha else "RGB")
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        _refuse_small(upright)
        return np.asarray(upright, np.uint8).copy()


def check_upload(data: bytes) -> None:
    """Looks at the head of a picture that somebody sent; cheap, so much may still be wrong.

    Raises:
        InvalidInputError: it is no picture, too large, or too small.
    """
    with _opened(data):
        pass


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[Picture]:
    """A picture that was not decoded yet; what is wrong with it is said in our words."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    if len(data) > MAX_UPLOAD_BYTES:
        raise InvalidInputError(
            f"The picture is larger than {MAX_UPLOAD_BYTES >> 20} MB. Send a smaller one."
        )
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise InvalidInputError("The picture has too many pixels. Send a smaller one.")
            _refuse_small(picture)
            yield picture
    except (
        UnidentifiedImageError,
        Pillow.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        MemoryError,
    ) as error:
        raise InvalidInputError("This file is no picture that can be read.") from error


def _refuse_small(picture: Picture) -> None:
    if min(picture.size) < SHORTEST_SIDE:
        raise InvalidInputError(f"The picture is too small: {SHORTEST_SIDE} pixels at least.")


def to_draft(
    portrait: Portrait, image: bytes, background: bytes | None, body: bytes | None
) -> PortraitDraft:
    """A stored portrait as heads want it. Blocks: tens of milliseconds.

    Raises:
        UnavailableError: a file is damaged.
    """
    return PortraitDraft(
        image=from_png(image),
        geometry=portrait.geometry,
        style=portrait.style,
        seed=portrait.seed,
        generator=portrait.generator,
        look=portrait.look,
        background=from_png(background) if background is not None else None,
        body=from_png(body, alpha=True) if body is not None else None,
        credits=portrait.credits,
        attempts=portrait.attempts,
    )
