"""dlib: 68 landmarks of the face that its HOG detector finds, on the CPU. A second opinion.

The model comes from the package face-recognition-models, whose own code wants `pkg_resources`,
which new versions of setuptools have no more: only its file is taken.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from engine.portrait.base import Image, Landmarks
from engine.portrait.landmarks.base import POINTS_68, geometry_of
from personas.errors import UnavailableError

_MODEL = "shape_predictor_68_face_landmarks.dat"
_CROWN = 0.62
"""How far the top of the face lies above the root of the nose, in distances nose root to chin."""


class DlibLandmarks:
    """A FaceLandmarker. Safe to use from several threads: they take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: tuple[Any, Any] | None = None

    @property
    def name(self) -> str:
        """The detector, as it is named in tables."""
        return "dlib-68"

    def find(self, image: Image) -> Landmarks | None:
        """The largest face of an RGB image, or None.

        Raises:
            UnavailableError: dlib or its model is not installed.
        """
        rgb = np.ascontiguousarray(image[..., :3])
        with self._lock:
            if self._models is None:
                self._models = self._open()
            detect, predict = self._models
            # Once enlarged: the detector sees no face below 80 pixels.
            boxes = list(detect(rgb, 1))
            if not boxes:
                return None
            shape = predict(rgb, max(boxes, key=lambda box: box.area()))
        points = np.array([(part.x, part.y) for part in shape.parts()], np.float32)
        geometry = geometry_of(points, POINTS_68)
        # These points end at the brows; a face oval goes on to the hair.
        root, chin = points[POINTS_68.top], points[POINTS_68.chin]
        top = root + (root - chin) * _CROWN
        middle = (top + chin) / 2
        geometry = geometry.model_copy(
            update={
                "centre": (float(middle[0]), float(middle[1])),
                "height": max(float(np.linalg.norm(top - chin)), 1e-3),
            }
        )
        return Landmarks(points, geometry, self.name)

    def _open(self) -> tuple[Any, Any]:
        remedy = "A second opinion on faces needs dlib: pip install 'chatanything[dlib]'."
        try:
            import dlib
        except ImportError as error:
            raise UnavailableError(remedy) from error
        # Found, not imported: see above.
        package = find_spec("face_recognition_models")
        folders = package.submodule_search_locations if package is not None else None
        files = [Path(folder) / "models" / _MODEL for folder in folders or ()]
        model = next((file for file in files if file.is_file()), None)
        if model is None:
            raise UnavailableError(remedy)
        tools: Any = dlib  # the package has no annotations
        return tools.get_frontal_face_detector(), tools.shape_predictor(str(model))
