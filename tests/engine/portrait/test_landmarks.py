"""A detector's landmarks, in our words."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.portrait.landmarks.base import FACE_MESH, geometry_of, open_landmarkers

pytest.importorskip("mediapipe")


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    from skimage.data import astronaut

    return np.asarray(astronaut())


@pytest.fixture(scope="module")
def facemesh():  # type: ignore[no-untyped-def]
    (landmarker,) = open_landmarkers()
    yield landmarker
    landmarker.close()  # type: ignore[attr-defined]


def test_a_face_is_found_and_measured(facemesh, face) -> None:  # type: ignore[no-untyped-def]
    found = facemesh.find(face)
    assert found is not None and found.detector == "mediapipe-facemesh"
    assert found.points.shape == (478, 2) and found.points.dtype == np.float32
    geometry = found.geometry
    assert geometry.source == "found"
    assert geometry.left_eye == pytest.approx((204, 103), abs=4)
    assert geometry.right_eye == pytest.approx((246, 104), abs=4)
    assert geometry.mouth == pytest.approx((223, 147), abs=5)
    assert geometry.width == pytest.approx(91, abs=6)
    assert abs(geometry.roll) < 0.12


@pytest.mark.parametrize("shape", [(64, 64, 3), (200, 90, 3), (90, 200, 4)])
def test_where_there_is_none_none_is_found(facemesh, shape) -> None:  # type: ignore[no-untyped-def]
    assert facemesh.find(np.full(shape, 127, np.uint8)) is None


def test_a_tilted_head_has_a_roll(facemesh, face) -> None:  # type: ignore[no-untyped-def]
    import cv2

    matrix = cv2.getRotationMatrix2D((224, 120), -20, 1.0)  # clockwise as seen
    turned = cv2.warpAffine(face, matrix, face.shape[1::-1])
    found = facemesh.find(turned)
    assert found is not None
    assert found.geometry.roll == pytest.approx(np.radians(20) + 0.05, abs=0.1)


def test_several_threads_take_turns(facemesh, face) -> None:  # type: ignore[no-untyped-def]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(facemesh.find, [face] * 6))
    assert all(np.array_equal(one.points, found[0].points) for one in found)


def test_after_closing_it_opens_again(face) -> None:  # type: ignore[no-untyped-def]
    (landmarker,) = open_landmarkers()
    landmarker.close()  # type: ignore[attr-defined]
    assert landmarker.find(face) is not None
    landmarker.close()  # type: ignore[attr-defined]
    landmarker.close()  # type: ignore[attr-defined]


def test_the_terminal_stays_quiet() -> None:
    script = (
        "from skimage.data import astronaut\n"
        "from engine.portrait.landmarks.base import open_landmarkers\n"
        "(one,) = open_landmarkers()\n"
        "assert one.find(astronaut()[:, :, :3]) is not None\n"
        "assert one.find(astronaut()[::2, ::2]) is not None\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and done.stdout == ""


def test_importing_the_room_is_cheap() -> None:
    script = (
        "import sys, engine.portrait.landmarks.base as b; assert 'mediapipe' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_geometry_never_has_a_size_of_nought() -> None:
    geometry = geometry_of(np.zeros((478, 2), np.float32), FACE_MESH)
    assert geometry.width > 0 and geometry.mouth_width > 0 and geometry.eye_radius > 0
