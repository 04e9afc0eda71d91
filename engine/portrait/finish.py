"""Finishing: from a painted picture to a portrait that can talk, with a face in any case."""

from __future__ import annotations

import cv2
import numpy as np

from engine.face.painter import FacePainter
from engine.portrait.base import Image, Landmarks, PortraitDraft
from engine.portrait.gate import FaceGate
from engine.portrait.illustrated.calm import calmed
from engine.portrait.illustrated.cutout import head_and_shoulders, without_subject
from engine.portrait.illustrated.ground import lay_patch, prepare_ground
from engine.portrait.illustrated.look import Rendering, as_photographed, choose_look
from engine.portrait.illustrated.photo import face_to_draw, without_eyes_and_mouth
from engine.portrait.illustrated.proportions import moved
from personas.persona import ArtCredit, Attempt, FaceGeometry, PortraitBrief
from personas.styles import Style


def resized(image: Image, size: int) -> Image:
    """A square picture at another size."""
    if image.shape[0] == size:
        return image
    how = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size, size), interpolation=how), np.uint8)


def found_draft(
    image: Image,
    found: Landmarks,
    brief: PortraitBrief,
    style: Style,
    seed: int,
    generator: str,
    attempts: tuple[Attempt, ...] = (),
) -> PortraitDraft:
    """A portrait whose own face was found: it stays as it was painted.

    Its layers are for the drawn head, which moves every portrait: the body has skin in place of
    its eyes and mouth, and the look has their colours. Other heads move the picture as it is.
    """
    face = face_to_draw(found.geometry)
    thing = not brief.is_person
    bare, colours = without_eyes_and_mouth(image, face, found.points, painted=thing)
    # Nobody knows where a thing ends: all of the picture moves.
    whole = np.ones(image.shape[:2], np.float32)
    cover = whole if thing else head_and_shoulders(image, face)
    body = np.dstack([bare, (cover * 255).round().astype(np.uint8)])
    look = choose_look(body, face, brief, style.rendering, seed, own_nose=False)
    return PortraitDraft(
        image=image,
        geometry=face.model_copy(update={"source": "found"}),
        style=style.name,
        seed=seed,
        generator=generator,
        look=as_photographed(look, colours, brief.is_person),
        background=without_subject(image, cover),
        body=body,
        credits=credits_of(style),
        attempts=attempts,
    )


def painted_draft(
    image: Image,
    aim: FaceGeometry,
    brief: PortraitBrief,
    style: Style,
    seed: int,
    generator: str,
    gate: FaceGate,
    attempts: tuple[Attempt, ...] = (),
) -> PortraitDraft:
    """The last resort: our own face on the picture, where the guidance aimed at.

    The ground is made calm first. Where the head wants a face that a detector finds, and it does
    not find this one, the face gets a disc of its own to lie on.

    Args:
        image: RGB, without a face that could be used.
        aim: where the face goes, pixels of `image`.
        brief: who it is.
        style: the look of the picture.
        seed: decides the colours that are left open.
        generator: who painted the picture.
        gate: what the head wants.
        attempts: what was tried before.
    """
    rendering: Rendering = style.rendering
    calm = prepare_ground(_opaque(calmed(image, aim)), aim, rendering)
    draft = _with_face(calm, aim, brief, style, seed, generator, attempts)
    if gate.strict and gate.can_see and not gate.look(draft.image).passed:
        line = max(1.0, aim.width * 0.02)
        disc = lay_patch(calm, aim, rendering, line)
        draft = _with_face(disc, aim, brief, style, seed, generator, attempts)
    return draft


def _with_face(
    body: Image,
    aim: FaceGeometry,
    brief: PortraitBrief,
    style: Style,
    seed: int,
    generator: str,
    attempts: tuple[Attempt, ...],
) -> PortraitDraft:
    look = choose_look(body, aim, brief, style.rendering, seed)
    look = look.model_copy(update={"blush": None})  # a disc of paint on a painting
    image = np.ascontiguousarray(body[..., :3])
    background = np.asarray(cv2.GaussianBlur(image, (0, 0), image.shape[0] / 24), np.uint8)
    painted = image.copy()
    FacePainter(aim, look).paint(painted)
    return PortraitDraft(
        image=painted,
        geometry=aim,
        style=style.name,
        seed=seed,
        generator=generator,
        look=look,
        background=background,
        body=np.ascontiguousarray(body),
        credits=credits_of(style),
        attempts=attempts,
    )


def scaled(geometry: FaceGeometry, scale: float) -> FaceGeometry:
    """The same face in a picture that is larger or smaller."""
    return moved(geometry, scale, (0.0, 0.0))


def credits_of(style: Style) -> tuple[ArtCredit, ...]:
    """Whose model painted it."""
    return (
        ArtCredit(
            title=f"Model of the look {style.label}",
            author=style.author,
            licence=style.licence,
            url=style.url,
        ),
    )


def _opaque(image: Image) -> Image:
    return np.dstack([image[..., :3], np.full(image.shape[:2], 255, np.uint8)])
