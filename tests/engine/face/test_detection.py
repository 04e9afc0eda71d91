"""A detector trained on people sees a face in what is painted."""

from __future__ import annotations

import numpy as np
import pytest

from engine.face.painter import FacePainter
from personas.persona import Mood
from tests.engine.face.faces import geometry, look

pytest.importorskip("mediapipe")


def test_face_mesh_finds_the_painted_face_where_it_is() -> None:
    from engine.portrait.landmarks.mediapipe import MediaPipeFaceMesh

    mesh = MediaPipeFaceMesh()
    where = geometry(256, 210, 300)
    y, x = np.mgrid[:512, :512]
    body = ((x - 256) / 205) ** 2 + ((y - 270) / 230) ** 2 < 1
    found, errors = 0, []
    kinds = [("shaded", "round"), ("shaded", "oval"), ("flat", "almond"), ("outlined", "oval")]
    moods = (Mood.CHEERFUL, Mood.CALM, Mood.SHY, Mood.CURIOUS, Mood.PROUD)
    for rendering, shape in kinds:
        for mood in moods:
            image = np.full((512, 512, 3), 235, np.uint8)
            image[body] = (0xE8, 0xC0, 0x98)
            FacePainter(where, look(rendering=rendering, eye_shape=shape, mood=mood)).paint(image)
            seen = mesh.find(image)
            if seen is None:
                continue
            found += 1
            pairs = zip(
                (seen.geometry.left_eye, seen.geometry.right_eye, seen.geometry.mouth),
                (where.left_eye, where.right_eye, where.mouth),
                strict=True,
            )
            errors += [np.hypot(a[0] - b[0], a[1] - b[1]) / where.width for a, b in pairs]
    assert found >= 0.9 * len(kinds) * len(moods)
    assert np.median(errors) < 0.04
