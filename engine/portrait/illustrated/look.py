"""How a face is drawn so that it belongs to its picture: line, colours, kind and mood."""

from __future__ import annotations

import random
from typing import Literal

import cv2
import numpy as np

from engine.portrait.base import Image
from engine.portrait.illustrated.palette import (
    Lab,
    chroma,
    difference,
    hex_of,
    hue,
    lab_image,
    lab_of,
    lch,
    mix,
    palette,
)
from engine.portrait.illustrated.retouch import FeatureColours
from personas.persona import FaceGeometry, FaceLook, Mood, PortraitBrief

Rendering = Literal["outlined", "flat", "shaded"]

LEAST_CONTRAST = 30.0
"""CIELAB difference of lips and brows against what they are drawn on."""
COMMON = 0.25
"""Share of a face's ground that one colour needs to be the ground's: lines and patches of others,
mixed in, would make mud of it."""
OUTLINE = 2.0 / 72
"""OpenMoji draws with a 2 px line on a 72 px picture."""
_IRISES = (
    lch(30, 32, 60),  # brown
    lch(42, 34, 255),  # blue
    lch(42, 34, 150),  # green
    lch(38, 36, 75),  # hazel
    lch(36, 34, 310),  # violet
    lch(40, 28, 205),  # teal
)


def surface_colour(body: Image, geometry: FaceGeometry) -> Lab:
    """The colour that most of a face lies on.

    Args:
        body: RGBA, the portrait's size.
        geometry: where the face is, in the same pixels.
    """
    inside = np.zeros(body.shape[:2], np.uint8)
    centre = (round(geometry.centre[0]), round((geometry.nose[1] + geometry.left_eye[1]) / 2))
    axes = (max(1, round(geometry.width * 0.36)), max(1, round(geometry.width * 0.38)))
    cv2.ellipse(inside, centre, axes, np.degrees(geometry.roll), 0, 360, 255, -1)
    seen = body[(inside > 0) & (body[..., 3] > 127)]
    if len(seen) < 8:
        return lch(70, 8, 70)
    (most, share), *_ = palette(seen[:, None])
    if share > COMMON:
        return most
    return np.asarray(np.median(lab_image(seen[None, :, :3])[0], axis=0), np.float32)


def choose_look(
    body: Image,
    geometry: FaceGeometry,
    brief: PortraitBrief,
    rendering: Rendering,
    seed: int,
    own_nose: bool = True,
    line_width: float | None = None,
) -> FaceLook:
    """The look of the face at `geometry` on `body`.

    Args:
        body: RGBA, the portrait's size, without a face.
        geometry: where the face goes, in the same pixels.
        brief: who it is: mood, gender and age show in brows, lashes and cheeks.
        rendering: how the art is drawn.
        seed: decides what is left open, such as the colour of the eyes.
        own_nose: draw a nose; False where the art has one.
        line_width: of the art's outlines, portrait pixels.
    """
    chance = random.Random(f"look {seed} {brief.subject}")
    skin = surface_colour(body, geometry)
    colours = [colour for colour, share in palette(body) if share > 0.04]
    dark = skin[0] < 45
    ink = lch(13, min(chroma(skin) * 0.25, 12), hue(skin))
    iris = _iris(colours, skin, chance)
    soft = brief.gender == "female" or brief.age == "child"
    weight = {"female": 0.8, "neutral": 1.0, "male": 1.25}[brief.gender]
    weight *= {"child": 0.75, "young": 0.95, "adult": 1.0, "old": 1.2}[brief.age]
    if brief.mood is Mood.GRUMPY:
        weight *= 1.2
    # A little ball makes a face of two eyes and a mouth; people, and comic art, have a line.
    by_line = brief.is_person or rendering == "outlined"
    nose: Literal["line", "button"] = "line" if by_line else "button"
    line = line_width if line_width is not None else geometry.width * 0.019
    return FaceLook(
        rendering=rendering,
        ink=hex_of(ink),
        line_width=max(1.0, line),
        eye_shape=_eye_shape(brief, chance),
        eye_white=hex_of(mix(lch(98, 1, 90), skin, 0.02)),
        iris=hex_of(iris),
        skin=hex_of(skin),
        lip=hex_of(_lip(skin, soft)),
        brow=hex_of(_brow(skin, colours, brief, dark)),
        brow_weight=min(weight, 2.0),
        lashes=brief.gender == "female",
        blush=_blush(skin, brief, chance) if _has_cheeks(body, geometry) else None,
        nose_kind=nose if own_nose else "none",
        mood=brief.mood,
    )


def as_photographed(look: FaceLook, colours: FeatureColours, person: bool) -> FaceLook:
    """The look of features that replace a photo's own: its colours, and nothing that it has.

    Brows, nose and cheeks stay those of the photo.

    Args:
        look: as it would be on art.
        colours: of the features that were taken out.
        person: somebody, not an animal.
    """
    skin = lab_of(colours.skin)
    # Black outlines are for drawings: lashes and the line between lips are a dark brown.
    ink = lch(min(24.0, 0.42 * float(skin[0])), min(chroma(skin) * 0.7, 16), hue(skin))
    return look.model_copy(
        update={
            "ink": hex_of(ink),
            "eye_shape": "almond" if person else "round",
            "iris": colours.iris,
            "eye_white": colours.eye_white,
            "lip": colours.lip,
            "skin": colours.skin,
            "brow_weight": 0.0,
            "blush": None,
            "nose_kind": "none",
            "lashes": False,
            "line_width": max(1.0, look.line_width * (0.6 if person else 1.2)),
        }
    )


def _eye_shape(
    brief: PortraitBrief, chance: random.Random
) -> Literal["round", "oval", "dot", "almond"]:
    if brief.is_person:
        return "almond" if brief.age != "child" else "round"
    if brief.age == "child" or brief.mood is Mood.CURIOUS:
        return "round"
    return "round" if chance.random() < 0.3 else "oval"


def _iris(colours: list[Lab], skin: Lab, chance: random.Random) -> Lab:
    """A colour out of the art that the skin does not have, dark enough to look at; else our own."""
    for colour in colours:
        if chroma(colour) > 25 and difference(colour, skin) > 40:
            return lch(
                min(max(float(colour[0]) * 0.7, 28), 45), min(chroma(colour), 45), hue(colour)
            )
    return _IRISES[chance.randrange(len(_IRISES))]


def _lip(skin: Lab, soft: bool) -> Lab:
    """Rosy lips that can be told from the skin; darker where the skin is red itself."""
    wished = lch(52 if soft else 46, 42 if soft else 33, 22)
    lip = mix(wished, skin, 0.12)
    step = -4 if skin[0] > 46 else 4
    for _ in range(16):
        if difference(lip, skin) >= LEAST_CONTRAST:
            break
        lip = lip + np.array([step, -step * 0.3, 0], np.float32)
    return np.clip(lip, (8, -60, -60), (92, 80, 80)).astype(np.float32)


def _brow(skin: Lab, colours: list[Lab], brief: PortraitBrief, dark: bool) -> Lab:
    """The darkest colour of the art, darkened until it can be seen; grey in old age."""
    if brief.age == "old" and brief.is_person:
        return lch(88 if dark else 48, 3, 80)
    darkest = min(colours, key=lambda colour: float(colour[0]), default=skin)
    brow = lch(min(float(darkest[0]) * 0.6, 30), min(chroma(darkest) * 0.6, 25), hue(darkest))
    if difference(brow, skin) < LEAST_CONTRAST:
        brow = (
            lch(6, 4, hue(skin))
            if skin[0] > 38
            else lch(min(float(skin[0]) + 45, 92), 10, hue(skin))
        )
    return brow


def _has_cheeks(body: Image, geometry: FaceGeometry) -> bool:
    """Whether there is body where the cheeks would glow."""
    radius = geometry.eye_radius
    size = body.shape[0]
    for side, (x, y) in ((-1, geometry.left_eye), (1, geometry.right_eye)):
        centre_x, centre_y = x + side * 0.9 * radius, y + 1.7 * radius
        rows = slice(max(0, int(centre_y - 0.6 * radius)), max(1, int(centre_y + 0.6 * radius)))
        columns = slice(max(0, int(centre_x - radius)), max(1, min(size, int(centre_x + radius))))
        cheek = body[rows, columns, 3]
        if not cheek.size or float(cheek.mean()) < 235:
            return False
    return True


def _blush(skin: Lab, brief: PortraitBrief, chance: random.Random) -> str | None:
    cute = brief.age == "child" or brief.mood in (Mood.SHY, Mood.CHEERFUL)
    likely = 0.9 if cute else 0.55 if brief.gender == "female" else 0.25
    if brief.mood is Mood.GRUMPY or chance.random() > likely:
        return None
    rosy = lch(min(max(float(skin[0]), 52), 76), 46, 18)
    if difference(rosy, skin) < 20:  # a red thing blushes darker
        rosy = lch(float(skin[0]) * 0.68, 50, 22)
    return hex_of(rosy)
