"""Tells what a photo is about from what is behind it, and fills in what was hidden."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.palette import lab_image
from personas.persona import FaceGeometry

Mask = NDArray[np.float32]

_GRID = 192
"""Pixels of the longer side at which a photo is cut out."""


def head_and_shoulders(picture: Image, face: FaceGeometry) -> Mask:
    """Somebody with hair and clothes, 0 to 1; all of the picture where that is not clear.

    A head that loses a part of its hair when it moves is worse than a background that moves with
    it, so in doubt everything moves.

    Args:
        picture: RGB.
        face: theirs, in its pixels.
    """
    size = max(picture.shape[:2])
    shrink = _GRID / size
    small = np.asarray(
        cv2.resize(
            picture,
            (round(picture.shape[1] * shrink), round(picture.shape[0] * shrink)),
            interpolation=cv2.INTER_AREA,
        ),
        np.uint8,
    )
    labels = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    for grow, label in ((1.45, cv2.GC_PR_BGD), (1.1, cv2.GC_PR_FGD), (0.62, cv2.GC_FGD)):
        labels[_silhouette(small.shape, face, shrink, grow) > 0] = label
    whole = np.ones(picture.shape[:2], np.float32)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.setRNGSeed(7)  # its clustering draws lots
        cv2.grabCut(small, labels, (0, 0, 1, 1), *models, 4, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too few colours, or no background at all
        return whole
    mask = _largest((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))
    core = _silhouette(small.shape, face, shrink, 0.62) > 0
    beside = _silhouette(small.shape, face, shrink, 1.45) == 0
    chin = round((face.centre[1] + 0.5 * face.height) * shrink)
    beside[max(0, chin) :] = False
    limit = _silhouette(small.shape, face, shrink, 1.4) > 0
    rim = mask[: max(1, chin)] & ~limit[: max(1, chin)]
    clear = core.any() and mask[core].mean() > 0.97 and 0.05 < mask.mean() < 0.92
    if not clear or rim.mean() > 0.08 or beside.mean() < 0.02:
        return whole
    if _outline_seen(small[: max(4, chin)], mask[: max(4, chin)]) < 0.5:
        return whole
    return np.maximum(_softened(mask, picture), _base(picture, face))


def _base(picture: Image, face: FaceGeometry) -> Mask:
    """From the shoulders down all of the picture, 0 to 1.

    Clothes look like anything, and so far down nothing moves much: what of the background comes
    along is not seen.
    """
    unit, chin = face.width, face.centre[1] + 0.5 * face.height
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    aside = np.abs(columns - face.centre[0]) / unit
    depth = (rows - chin) / unit - 0.1 - 0.35 * np.clip(aside - 0.35, 0, 1.2)
    share = np.clip(depth / 0.25, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _silhouette(shape: tuple[int, ...], face: FaceGeometry, scale: float, grow: float) -> Image:
    """About what somebody covers: a head as wide as `grow` has it, and shoulders."""
    mask = np.zeros(shape[:2], np.uint8)
    x, y = face.centre[0] * scale, face.centre[1] * scale
    unit, tall = face.width * scale, max(face.height, face.width) * scale
    head = (max(1, round(0.68 * grow * unit)), max(1, round(0.72 * grow * tall)))
    middle = (round(x), round(y - (0.16 * tall if grow > 1 else 0.02 * tall)))
    cv2.ellipse(mask, middle, head, math.degrees(face.roll), 0, 360, 255, -1)
    chin, bottom = y + 0.5 * tall, shape[0] + 2.0
    slope = 0.75 * unit / grow
    body = [
        (x - 0.42 * grow * unit, chin - 0.15 * unit),
        (x + 0.42 * grow * unit, chin - 0.15 * unit),
        (x + 0.5 * grow * unit, chin + 0.5 * slope),
        (x + 1.4 * grow**2 * unit, chin + slope),
        (x + 1.7 * grow**2 * unit, bottom),
        (x - 1.7 * grow**2 * unit, bottom),
        (x - 1.4 * grow**2 * unit, chin + slope),
        (x - 0.5 * grow * unit, chin + 0.5 * slope),
    ]
    cv2.fillPoly(mask, [np.rint(np.array(body)).astype(np.int32)], 255)
    return mask


def main_subject(rgb: Image) -> Mask:
    """What a photo is about: what differs from its border; all of it where that is not clear."""
    shrink = 160 / max(rgb.shape[:2])
    size = (max(8, round(rgb.shape[1] * shrink)), max(8, round(rgb.shape[0] * shrink)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    whole = np.ones(rgb.shape[:2], np.float32)
    if small.reshape(-1, 3).std(axis=0).max() < 4:
        return whole
    labels = np.zeros(small.shape[:2], np.uint8)
    border = (round(size[0] * 0.06), round(size[1] * 0.05))
    box = (*border, size[0] - 2 * border[0], size[1] - border[1])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.setRNGSeed(7)  # its clustering draws lots
        cv2.grabCut(small, labels, box, *models, 3, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # too few colours to tell anything apart
        return whole
    mask = _largest((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))
    left, top, wide, _ = box
    frame = (mask[top, left : left + wide], mask[top:, left], mask[top:, left + wide - 1])
    unclear = float(np.concatenate(frame).mean()) > 0.3  # cut off by the box, not by an outline
    if unclear or not 0.08 < float(mask.mean()) < 0.9 or _outline_seen(small, mask) < 0.7:
        return whole
    return _softened(mask, rgb)


def _outline_seen(small: Image, mask: NDArray[np.bool_]) -> float:
    """The share of a mask's outline along which the colours on its two sides differ."""
    part, kernel = mask.astype(np.uint8), np.ones((3, 3), np.uint8)
    line = cv2.morphologyEx(part, cv2.MORPH_GRADIENT, kernel) > 0
    lab = lab_image(small)

    def beside(side: NDArray[np.bool_]) -> NDArray[np.float32]:
        weight = cv2.blur(side.astype(np.float32), (7, 7))[..., None]
        colour = cv2.blur(lab * side[..., None].astype(np.float32), (7, 7))
        return np.asarray(colour / np.maximum(weight, 1e-3), np.float32)

    jump = np.linalg.norm(beside(mask) - beside(~mask), axis=2)
    return float((jump[line] > 12).mean()) if line.any() else 0.0


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part, smooth and without holes."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    part = (parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    part = np.asarray(cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(part, outlines, -1, 1, -1)
    return part > 0


def _softened(mask: NDArray[np.bool_], picture: Image) -> Mask:
    """A small mask at the picture's size, a little wider, with an edge that fades.

    Wider, because a rim of background that moves along is not seen before the same background,
    and hair that stays behind is.
    """
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    full = cv2.resize(wide, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    reach = max(picture.shape[:2])
    soft = cv2.GaussianBlur(full, (0, 0), max(1.0, 0.011 * reach))
    # Pixels beside the picture are like those at its edge: no gap opens there.
    return np.asarray(np.clip(soft * 1.5 - 0.25, 0, 1), np.float32)


def without_subject(picture: Image, cover: Mask) -> Image:
    """The photo's surroundings, spread over the place of the subject."""
    size = picture.shape[0]
    small = 128
    outside = cv2.erode((cover < 0.02).astype(np.float32), np.ones((5, 5)))
    weight = cv2.resize(outside, (small, small), interpolation=cv2.INTER_AREA)[..., None] + 1e-5
    seen = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA).astype(np.float32)
    spread, total = np.zeros((small, small, 3)), np.zeros((small, small, 1))
    for sigma in (2.0, 6.0, 18.0, 50.0):  # near surroundings count most, far ones fill the middle
        near = np.asarray(cv2.GaussianBlur(seen * weight, (0, 0), sigma), np.float64)
        share = np.asarray(cv2.GaussianBlur(weight, (0, 0), sigma), np.float64)[..., None]
        spread += near / sigma**2
        total += share / sigma**2
    filled = cv2.resize(spread / total, (size, size), interpolation=cv2.INTER_CUBIC)
    # The rim of a cover is surroundings already: they stay, so that no halo shows at rest.
    inside = np.clip((cover - 0.2) / 0.4, 0, 1)[..., None]
    mixed = picture * (1 - inside) + np.clip(filled, 0, 255) * inside
    return np.asarray(mixed.round(), np.uint8)
