"""ImagesGenerator: portraits that an endpoint paints, with a face that is found or painted."""

from __future__ import annotations

import logging

import numpy as np

from engine.portrait.base import Image, PortraitCapabilities, PortraitDraft, Progress
from engine.portrait.diffusion.references import reference_of
from engine.portrait.finish import found_draft, painted_draft, resized, scaled
from engine.portrait.gate import FaceGate
from engine.portrait.images.client import ImagesClient
from engine.portrait.safety import ImageSafety
from engine.portrait.settings import ImagesSettings
from personas.errors import InvalidInputError
from personas.persona import Attempt, PortraitBrief
from personas.recipes import fill, prompt_values
from personas.styles import Style, StyleCatalogue

log = logging.getLogger(__name__)

NAME = "images-1"
AT_ONCE = 3
"""Portraits that are waited for at the same time: the endpoint does the work."""
_REFERENCE = 1024
_WISH = "{subject}, {expression}, {details}, {framing}"
_AS_GUIDED = (
    " Keep the face exactly where it is in the reference picture, with the same size, direction "
    "and expression, and make it belong to the subject."
)


class ImagesGenerator:
    """A PortraitGenerator. An endpoint keeps no seeds: the same brief gives another picture.

    Args:
        client: asks the endpoint.
        styles: the catalogue; the prompts of diffused looks are used.
        gate: says whether a face will do.
        settings: how often is tried.
        size: width and height of the portraits, pixels.
        safety: looks at pictures that everybody may see; None: nobody looks.
        threshold: score from which on a picture is not fit for everybody.
    """

    def __init__(
        self,
        client: ImagesClient,
        styles: StyleCatalogue,
        gate: FaceGate,
        settings: ImagesSettings,
        size: int = 512,
        safety: ImageSafety | None = None,
        threshold: float = 0.6,
    ) -> None:
        self._client = client
        self._styles = styles
        self._gate = gate
        self._settings = settings
        self._size = size
        self._safety = safety
        self._threshold = threshold

    @property
    def capabilities(self) -> PortraitCapabilities:
        """Every look that has a prompt."""
        names = tuple(style.name for style in self._styles.all() if style.recipe is not None)
        guided = self._client.can_edit
        return PortraitCapabilities(
            styles=names,
            guided=guided,
            size=self._size,
            needs_gpu=False,
            device="",
            at_once=AT_ONCE,
        )

    def generate(
        self,
        brief: PortraitBrief,
        seed: int,
        *,
        photo: Image | None = None,
        progress: Progress | None = None,
    ) -> PortraitDraft:
        """Has `brief` painted.

        Raises:
            UnavailableError: the endpoint cannot be reached, refuses, or sends no picture.
            InvalidInputError: the photo cannot be used, or no picture was fit to be shown.
        """
        tell = progress or _silent
        style = self._styles.available(self.capabilities.styles).resolve(brief.style, brief)
        tell(0.0, "drawing the face to guide by")
        face = reference_of(brief, seed, photo, _REFERENCE, self._gate)
        aim = scaled(face.geometry, self._size / _REFERENCE)
        attempts: list[Attempt] = []
        last: Image | None = None
        for number in range(self._settings.tries):
            tell(0.1 + 0.8 * number / self._settings.tries, "waiting for the painter")
            guided = self._client.can_edit
            prompt = self._prompt(style, brief) + (_AS_GUIDED if guided else "")
            painted = self._client.paint(prompt, face.image if guided else None)
            image = resized(_squared(painted), self._size)
            if not self._is_fit(image, brief):
                attempts.append(Attempt(seed=seed, outcome="not fit for everybody"))
                continue
            last = image
            verdict = self._gate.look(image)
            attempts.append(Attempt(seed=seed, outcome=verdict.reason or "found"))
            if verdict.found is not None:
                tell(1.0, "done")
                done = tuple(attempts)
                return found_draft(image, verdict.found, brief, style, seed, NAME, done)
            if not self._gate.can_see:
                break
        if last is None:
            raise InvalidInputError(
                "What was painted is not fit to be shown here. Describe it in another way, or "
                "choose an illustrated look."
            )
        tell(0.95, "painting the face")
        aim = aim.model_copy(update={"source": "drawn"})
        done = tuple(attempts)
        return painted_draft(last, aim, brief, style, seed, NAME, self._gate, done)

    def _is_fit(self, image: Image, brief: PortraitBrief) -> bool:
        if self._safety is None or brief.adult:
            return True
        return self._safety.score(image) < self._threshold

    def _prompt(self, style: Style, brief: PortraitBrief) -> str:
        template = style.recipe.prompt if style.recipe is not None else _WISH
        return fill(template, prompt_values(brief))


def _squared(image: Image) -> Image:
    """The middle of a picture, as wide as high."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def _silent(_: float, __: str) -> None:
    """Nobody asked how far it is."""
