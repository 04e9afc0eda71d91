"""Painter: pictures of one look, whatever memory there is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.machine import is_out_of_memory
from engine.portrait.base import Image
from engine.portrait.diffusion.device import Device, choose_device, free_unused
from engine.portrait.diffusion.hub import HubStore
from engine.portrait.diffusion.sampling import Guide, Shot, Step, sample
from engine.portrait.diffusion.settings import DiffusionSettings
from engine.portrait.diffusion.studio import Easel, Studio
from engine.portrait.guidance.conditioning import draw_landmarks
from engine.portrait.guidance.contours import contours_of
from engine.portrait.guidance.face import ReferenceFace
from engine.portrait.guidance.injection import face_mask
from engine.portrait.guidance.plan import Rung
from personas.errors import UnavailableError
from personas.persona import PortraitBrief
from personas.recipes import Family, Recipe, fill, prompt_values
from personas.styles import Style, StyleCatalogue

if TYPE_CHECKING:
    from engine.embedding import Embedder

log = logging.getLogger(__name__)

_LATENT = 8
"""Pixels of a picture to one of its latents, along a side."""


class Painter:
    """Paints pictures with diffusion models. One thread at a time: others wait.

    Args:
        styles: the catalogue, for families.
        hub: where weights are.
        settings: how models are run.
        sentences: opens the model for networks that were trained on embeddings of sentences.
    """

    def __init__(
        self,
        styles: StyleCatalogue,
        hub: HubStore,
        settings: DiffusionSettings,
        sentences: Callable[[], Embedder] | None = None,
    ) -> None:
        self._styles = styles
        self._sentences = sentences
        self._hub = hub
        self._settings = settings
        self._lock = threading.RLock()
        self._studio: Studio | None = None
        self._most = settings.batch

    @property
    def studio(self) -> Studio:
        """The loaded models; the device is chosen when they are first asked for.

        Raises:
            UnavailableError: packages or the device are missing.
        """
        with self._lock:
            if self._studio is None:
                device = choose_device(self._settings)
                self._studio = Studio(self._hub, device, self._settings, self._sentences)
                if not device.is_gpu:
                    log.warning(
                        "Portraits are painted on the CPU: a minute and more for each of them"
                    )
            return self._studio

    @property
    def device(self) -> Device:
        """Where models run."""
        return self.studio.device

    def size_of(self, style: Style) -> int:
        """Width and height at which a look is painted, pixels."""
        recipe, family = self._recipe(style)
        return recipe.resolution or family.resolution

    def has_control(self, style: Style) -> bool:
        """Whether there is a ControlNet for the look, here."""
        _, family = self._recipe(style)
        control = self.studio.control_of(family)
        return control is not None and self._hub.has(control)

    def shot(self, style: Style, brief: PortraitBrief, seed: int, face: ReferenceFace) -> Shot:
        """What is to be painted for a brief.

        Args:
            style: a diffused look.
            brief: what.
            seed: of the noise.
            face: what guides, at the size of the look.
        """
        recipe, family = self._recipe(style)
        size = self.size_of(style)
        values = prompt_values(brief)
        control = self.studio.control_of(family)
        landmarks = None
        if control is not None:
            landmarks = draw_landmarks(contours_of(face), size, control.kind)
        side = size // _LATENT
        return Shot(
            prompt=fill(recipe.prompt, values),
            negative=fill(recipe.negative, values),
            seed=seed,
            guide=Guide(face.image, face_mask(face.geometry, side, side, 1 / _LATENT), landmarks),
        )

    def paint(
        self, style: Style, shots: Sequence[Shot], rung: Rung, step: Step | None = None
    ) -> list[Image]:
        """Paints pictures of one look, as many at once as memory holds.

        Args:
            style: a diffused look.
            shots: what.
            rung: how faces are guided.
            step: told how far all of it is, 0 to 1; what it raises ends the painting.

        Raises:
            UnavailableError: weights are missing, or there is too little memory even for one.
        """
        recipe, family = self._recipe(style)
        images: list[Image] = []
        with self._lock:
            while len(images) < len(shots):
                done = len(images)
                some = shots[done : done + self._most]

                def tell(fraction: float, done: int = done, count: int = len(some)) -> None:
                    if step is not None:
                        step((done + count * fraction) / len(shots))

                easel: Easel | None = None
                try:
                    wanted = rung.scale > 0 and self.has_control(style)
                    easel = self.studio.easel(style.name, recipe, family, guided=wanted)
                    images += sample(easel, recipe, self.size_of(style), some, rung, tell)
                except Exception as error:
                    if not is_out_of_memory(error):
                        raise
                    # While a look is loaded it does not matter how many pictures wait for it.
                    painted = len(some) if easel is not None else 0
                    self._make_do(style, recipe, family, painted, error)
        return images

    def _make_do(
        self, style: Style, recipe: Recipe, family: Family, count: int, error: Exception
    ) -> None:
        """Changes something so that less memory is needed the next time.

        Raises:
            UnavailableError: nothing is left to change.
        """
        free_unused()
        if count > 1:
            self._most = count // 2
            log.warning("Too little memory: %d pictures are painted at once now", self._most)
            return
        if self.studio.save_memory(recipe, family):
            return
        raise UnavailableError(
            f"There is too little memory on this device for the look '{style.name}': its weights "
            f"take about {family.gigabytes:.1f} GB, and a picture as much again. Another look, or "
            "the illustrated ones, need less."
        ) from error

    def _recipe(self, style: Style) -> tuple[Recipe, Family]:
        if style.recipe is None:
            raise UnavailableError(f"The look '{style.name}' is not painted by a diffusion model.")
        return style.recipe, self._styles.family(style.recipe.family)
