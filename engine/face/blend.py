"""Laying premultiplied pixels over a picture, in place."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face.canvas import Sprite

Way = tuple[tuple[float, float, float], tuple[float, float, float]]
"""An affine map, [2, 3]; as plain numbers, because one picture needs many small ones."""


def lay_over(
    target: NDArray[np.uint8],
    layer: cv2.typing.MatLike,
    behind: NDArray[np.uint8] | None = None,
) -> None:
    """Lays a layer over RGB or straight-alpha RGBA pixels.

    Args:
        target: [height, width, 3 or 4]; may be a part of a larger picture.
        layer: [height, width, 4], premultiplied RGB and how much stays of what is below.
        behind: [height, width, 3], what is below, if that is not yet in the target.
    """
    if target.shape[2] == 3:
        # Premultiplying what is below by what stays of it is the quickest product there is.
        below = cv2.cvtColor(target if behind is None else behind, cv2.COLOR_RGB2RGBA)
        cv2.mixChannels([layer], [below], [3, 3])
        below = cv2.cvtColor(below, cv2.COLOR_RGBA2mRGBA)
        cv2.cvtColor(cv2.add(below, layer, dst=below), cv2.COLOR_RGBA2RGB, dst=target)
        return
    keep = layer[..., 3:].astype(np.float32) / 255
    below = target[..., 3:] * keep
    alpha = 255 * (1 - keep) + below
    colour = layer[..., :3] + target[..., :3] * (below / 255)
    target[..., :3] = np.minimum(np.rint(colour * 255 / np.maximum(alpha, 1)), 255)
    target[..., 3:] = np.rint(alpha)


def blend(image: NDArray[np.uint8], sprite: Sprite, place: Way) -> None:
    """Lays a sprite over RGB or straight-alpha RGBA pixels, inside its bounding box.

    Args:
        image: [height, width, 3 or 4].
        sprite: what is laid.
        place: from the sprite's own coordinates to the image's pixels.
    """
    rows, columns = sprite.pixels.shape[:2]
    (a, b, x), (c, d, y) = place
    a, b, c, d = a / sprite.scale, b / sprite.scale, c / sprite.scale, d / sprite.scale
    # From the centres of the sprite's pixels to the centres of the image's.
    origin_x, origin_y = sprite.origin[0] - 0.5, sprite.origin[1] - 0.5
    x -= a * origin_x + b * origin_y + 0.5
    y -= c * origin_x + d * origin_y + 0.5
    if not math.isfinite(a + b + c + d + x + y):
        return
    first_x = max(math.floor(x + min(0, a * columns) + min(0, b * rows)) - 1, 0)
    first_y = max(math.floor(y + min(0, c * columns) + min(0, d * rows)) - 1, 0)
    last_x = min(math.ceil(x + max(0, a * columns) + max(0, b * rows)) + 2, image.shape[1])
    last_y = min(math.ceil(y + max(0, c * columns) + max(0, d * rows)) + 2, image.shape[0])
    if last_x <= first_x or last_y <= first_y or not sprite.pixels.size:
        return
    matrix = np.array([[a, b, x - first_x], [c, d, y - first_y]])
    size = (last_x - first_x, last_y - first_y)
    layer = cv2.warpAffine(
        sprite.pixels, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0, 255)
    )
    lay_over(image[first_y:last_y, first_x:last_x], layer)
