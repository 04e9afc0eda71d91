"""The reference face: a frontal, softly lit face of our own, in the colours of the brief.

It is what injection carries into a picture and what landmark pictures are drawn from. Where it
lies is where the guided face will lie: in the middle, and large enough for a talking head.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face.painter import FacePainter
from engine.face.pose import FacePose
from engine.portrait.base import Image
from engine.portrait.guidance.materials import material_colour
from engine.portrait.illustrated.look import choose_look
from engine.portrait.illustrated.palette import Lab, chroma, hue, lch, rgb_image
from engine.portrait.illustrated.proportions import CHILD, GROWN, face_at_eyes
from personas.persona import FaceGeometry, FaceLook, PortraitBrief

Floats = NDArray[np.float32]

FACE_WIDTH = {"person": 0.34, "thing": 0.42}
"""Of the face oval, in widths of the picture. People have hair, a neck and shoulders around it."""
EYES = {"person": (0.5, 0.40), "thing": (0.5, 0.44)}
"""Middle between the eyes, in widths of the picture."""


@dataclass(frozen=True)
class ReferenceFace:
    """A face to guide by.

    Attributes:
        image: [size, size, 3] RGB.
        geometry: where the face is, pixels of `image`.
        look: how it is drawn; None where it is a photo's.
        points: landmarks of a detector where it is a photo's, [n, 2]; None where it is drawn.
    """

    image: Image
    geometry: FaceGeometry
    look: FaceLook | None = None
    points: NDArray[np.float32] | None = None


def aim(brief: PortraitBrief, size: int) -> FaceGeometry:
    """Where the face of a brief shall lie in a picture of `size` pixels: frontal and upright."""
    kind = "person" if brief.is_person else "thing"
    proportions = CHILD if brief.age == "child" else GROWN
    x, y = EYES[kind]
    return face_at_eyes((x * size, y * size), FACE_WIDTH[kind] * size, proportions)


def draw_reference(brief: PortraitBrief, seed: int, size: int = 512) -> ReferenceFace:
    """Draws the reference face of a brief; the same brief, seed and size give the same picture.

    Args:
        brief: whose mood, gender, age and material it has.
        seed: decides the colours that are left open.
        size: width and height, pixels.
    """
    geometry = aim(brief, size)
    skin = material_colour(brief, seed)
    body = _sculpted(geometry, skin, brief.is_person, size)
    opaque = np.dstack([body, np.full((size, size), 255, np.uint8)])
    look = choose_look(opaque, geometry, brief, "shaded", seed)
    # A round nose in the middle of a face is what detectors know noses by; the line is for comics.
    look = look.model_copy(update={"nose_kind": "button", "blush": None})
    FacePainter(geometry, look).paint(body, FacePose())
    return ReferenceFace(body, geometry, look)


def _sculpted(geometry: FaceGeometry, skin: Lab, person: bool, size: int) -> Image:
    """A head in its colour, lit from the upper left, before a plain light ground."""
    axis = np.arange(size, dtype=np.float32) + 0.5
    x, y = np.meshgrid(axis, axis)
    lab = np.empty((size, size, 3), np.float32)
    lab[:] = lch(82 if skin[0] < 70 else 62, min(chroma(skin) * 0.25, 12), (hue(skin) + 180) % 360)
    lab[..., 0] += 8 * (0.5 - y / size)
    width, (cx, cy) = geometry.width, geometry.centre
    if person:
        cloth = lch(45, 14, (hue(skin) + 200) % 360)
        shoulders = _oval(x, y, cx, cy + 1.6 * width, 1.3, 0.85, width)
        _lay(lab, _inside(shoulders, width), cloth)
        throat = np.abs(y - cy - 0.5 * width) / (0.45 * width)
        neck = np.maximum(np.abs(x - cx) / (0.32 * width), throat)
        _lay(lab, _inside(neck, width), _darker(skin, 7))
        hair = _oval(x, y, cx, cy - 0.16 * width, 0.61, 0.70, width)
        _lay(lab, _inside(hair, width), _hair(skin))
    high, broad = (0.66, 0.53) if person else (0.78, 0.74)
    head = _oval(x, y, cx, cy, broad, high, width)
    # A ball: what faces the light is light, and its rim falls into shadow.
    rise = np.sqrt(np.clip(1 - head**2, 0, 1))
    light = 0.42 * (cx - x) / (broad * width) + 0.55 * (cy - y) / (high * width) + 0.85 * rise
    shade = (light - 0.62) * 15
    for sign in (-1, 1):  # eye sockets and cheeks: what makes a mask a face
        ex, ey = geometry.left_eye if sign < 0 else geometry.right_eye
        socket = ((x - ex) / (0.19 * width)) ** 2 + ((y - ey + 0.03 * width) / (0.14 * width)) ** 2
        shade -= 7 * np.exp(-socket)
        cheek = (x - ex - sign * 0.02 * width) ** 2 + (y - ey - 0.27 * width) ** 2
        shade += 4 * np.exp(-cheek / (0.13 * width) ** 2)
    mx, my = geometry.mouth
    below = ((x - mx) / (0.17 * width)) ** 2 + ((y - my - 0.115 * width) / (0.045 * width)) ** 2
    bridge = geometry.nose[1] - 0.15 * width
    ridge = ((x - mx) / (0.05 * width)) ** 2 + ((y - bridge) / (0.17 * width)) ** 2
    shade += 5 * np.exp(-ridge) - 4 * np.exp(-below)
    surface = np.empty_like(lab)
    surface[:] = skin
    surface[..., 0] = np.clip(skin[0] + shade, 6, 97)
    lab += (surface - lab) * _inside(head, width)[..., None]
    soft = np.asarray(cv2.GaussianBlur(lab, (0, 0), max(0.6, size / 700)), np.float32)
    return rgb_image(soft)


def _oval(x: Floats, y: Floats, cx: float, cy: float, a: float, b: float, unit: float) -> Floats:
    """Distance from a centre in radii of an oval: 1 on its edge. Chins are narrower than brows."""
    down = (y - cy) / (b * unit)
    taper = 1 - 0.16 * np.clip(down, 0, 1) ** 2
    return np.asarray(np.hypot((x - cx) / (a * unit * taper), down), np.float32)


def _inside(distance: Floats, unit: float) -> Floats:
    """Cover of what lies within distance 1, with an edge of a pixel or two."""
    return np.asarray(np.clip((1 - distance) * unit * 0.3 + 0.5, 0, 1), np.float32)


def _lay(lab: Floats, cover: Floats, colour: Lab) -> None:
    lab += (colour - lab) * cover[..., None]


def _darker(skin: Lab, amount: float) -> Lab:
    return lch(max(float(skin[0]) - amount, 8), 0.85 * chroma(skin), hue(skin))


def _hair(skin: Lab) -> Lab:
    return lch(24 if skin[0] > 45 else 12, 14, 55)
