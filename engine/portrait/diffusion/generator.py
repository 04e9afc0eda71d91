"""DiffusionGenerator: portraits by diffusion models, each with a face that is found or painted."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from engine.portrait.base import Image, PortraitCapabilities, PortraitDraft, Progress
from engine.portrait.diffusion.device import likely_device
from engine.portrait.diffusion.hub import HubStore
from engine.portrait.diffusion.orders import Order, OrderDesk
from engine.portrait.diffusion.painter import Painter
from engine.portrait.diffusion.references import reference_of
from engine.portrait.diffusion.settings import DiffusionSettings
from engine.portrait.finish import found_draft, painted_draft, resized, scaled
from engine.portrait.gate import FaceGate
from engine.portrait.guidance.face import ReferenceFace
from engine.portrait.guidance.plan import Rung, plan_ladder
from engine.portrait.safety import ImageSafety
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import Attempt, PortraitBrief
from personas.styles import Style, StyleCatalogue

log = logging.getLogger(__name__)

NAME = "diffusion-1"
"""Stored with every portrait: raise it when the same brief and seed begin to look different."""
UNFIT = "not fit for everybody"


class DiffusionGenerator:
    """A PortraitGenerator. Threads that wait for the same look are served together.

    Args:
        styles: the catalogue; looks of which the weights are here are offered.
        hub: where weights are.
        painter: paints.
        gate: says whether a face will do.
        safety: looks at pictures that everybody may see; None: nobody looks.
        settings: how models are run, and how faces are guided.
        size: width and height of the portraits, pixels.
    """

    def __init__(
        self,
        styles: StyleCatalogue,
        hub: HubStore,
        painter: Painter,
        gate: FaceGate,
        safety: ImageSafety | None,
        settings: DiffusionSettings,
        size: int = 512,
    ) -> None:
        self._styles = styles
        self._hub = hub
        self.painter = painter
        self._gate = gate
        self._safety = safety
        self._settings = settings
        self._size = size
        self._desk = OrderDesk(self._serve, settings.batch)

    @property
    def capabilities(self) -> PortraitCapabilities:
        """The looks whose weights are here, or may be fetched when they are wanted."""
        names = tuple(style.name for style in self._styles.all() if self._can_paint(style))
        return PortraitCapabilities(
            styles=names,
            guided=True,
            size=self._size,
            needs_gpu=True,
            device=likely_device(self._settings),
            at_once=self._settings.batch,
        )

    def generate(
        self,
        brief: PortraitBrief,
        seed: int,
        *,
        photo: Image | None = None,
        progress: Progress | None = None,
    ) -> PortraitDraft:
        """Paints `brief`; the same brief, seed and photo give the same picture.

        Args:
            brief: what to paint.
            seed: decides everything that is left open.
            photo: whose face is guided into the picture.
            progress: told how far it is; what it raises ends the painting.

        Raises:
            UnavailableError: weights, packages or memory are missing.
            InvalidInputError: the photo cannot be used, or no picture was fit to be shown.
        """
        (draft,) = self.generate_many([Order(brief, seed, photo, progress)])
        return draft

    def generate_many(self, orders: Sequence[Order]) -> list[PortraitDraft]:
        """Paints several briefs, those of one look together.

        Raises:
            UnavailableError: as `generate`; of the first order that fails.
            InvalidInputError: likewise.
        """
        looks: dict[str, list[Order]] = {}
        for order in orders:
            looks.setdefault(self._style(order.brief).name, []).append(order)
        for name, some in looks.items():
            self._desk.place(name, some)
        return [order.result() for order in orders]

    def _can_paint(self, style: Style) -> bool:
        if style.recipe is None:
            return False
        family = self._styles.family(style.recipe.family)
        if self._settings.download:
            return True
        return all(self._hub.has(weights) for weights in style.recipe.weights(family))

    def _style(self, brief: PortraitBrief) -> Style:
        able = self.capabilities.styles
        if not able:
            raise UnavailableError(
                "No weights of a diffused look are here: chatanything models pull animation"
            )
        return self._styles.available(able).resolve(brief.style, brief)

    def _serve(self, orders: list[Order]) -> None:
        """Paints orders of one look and settles each of them."""
        style = self._style(orders[0].brief)
        jobs: list[_Job] = []
        for order in orders:
            order.tell(0.0, "drawing the face to guide by")
            try:
                size = self.painter.size_of(style)
                face = reference_of(order.brief, order.seed, order.photo, size, self._gate)
            except InvalidInputError as error:
                order.give_up(error)
                continue
            jobs.append(_Job(order, face))
        for number, rung in enumerate(ladder := plan_ladder(self._settings.guidance)):
            jobs = [job for job in jobs if job.order.is_open]
            if not jobs:
                return
            self._climb(style, jobs, rung, number, len(ladder))
            if not self._gate.can_see and all(job.image is not None for job in jobs):
                break  # nobody will ever find a face
        for job in jobs:
            if job.order.is_open:
                self._last_resort(style, job)

    def _climb(self, style: Style, jobs: list[_Job], rung: Rung, number: int, tries: int) -> None:
        """One try for all whose face has not been found yet."""

        def step(done: float) -> None:
            share = (number + done) / tries
            again = f", try {number + 1} of {tries}" if number else ""
            for job in jobs:
                job.order.tell(0.05 + 0.9 * share, f"painting{again}")
            if not any(job.order.is_open for job in jobs):
                raise _NobodyWaitsError

        seeds = [job.order.seed + rung.seed for job in jobs]
        shots = [
            self.painter.shot(style, job.order.brief, seed, job.face)
            for job, seed in zip(jobs, seeds, strict=True)
        ]
        try:
            images = self.painter.paint(style, shots, rung, step)
        except _NobodyWaitsError:
            return
        for job, seed, image in zip(jobs, seeds, images, strict=True):
            if job.order.is_open:
                self._judge(style, job, rung, seed, image)

    def _judge(self, style: Style, job: _Job, rung: Rung, seed: int, image: Image) -> None:
        brief = job.order.brief
        image = resized(image, self._size)
        if not self._is_fit(image, brief):
            job.attempts.append(_attempt(seed, rung, UNFIT))
            return
        job.image = image
        verdict = self._gate.look(image)
        job.attempts.append(_attempt(seed, rung, verdict.reason or "found"))
        log.info("Try %s of %r: %s", job.attempts[-1], brief.subject, verdict.opinions)
        if verdict.found is not None:
            job.order.tell(1.0, "done")
            attempts = tuple(job.attempts)
            draft = found_draft(image, verdict.found, brief, style, job.order.seed, NAME, attempts)
            job.order.finish(draft)

    def _last_resort(self, style: Style, job: _Job) -> None:
        brief, seed = job.order.brief, job.order.seed
        if job.image is None:
            job.order.give_up(
                InvalidInputError(
                    "What was painted is not fit to be shown here. Describe it in another way, or "
                    "choose an illustrated look."
                )
            )
            return
        job.order.tell(0.97, "painting the face")
        aim = scaled(job.face.geometry, self._size / job.face.image.shape[0])
        aim = aim.model_copy(update={"source": "drawn"})
        attempts = tuple(job.attempts)
        draft = painted_draft(job.image, aim, brief, style, seed, NAME, self._gate, attempts)
        job.order.tell(1.0, "done")
        if job.order.is_open:
            job.order.finish(draft)

    def _is_fit(self, image: Image, brief: PortraitBrief) -> bool:
        if self._safety is None or brief.adult:
            return True
        return self._safety.score(image) < self._settings.safety_threshold


class _NobodyWaitsError(Exception):
    """All orders that are being painted were called off."""


class _Job:
    """An order on its way."""

    def __init__(self, order: Order, face: ReferenceFace) -> None:
        self.order = order
        self.face = face
        self.image: Image | None = None
        self.attempts: list[Attempt] = []


def _attempt(seed: int, rung: Rung, outcome: str) -> Attempt:
    fade = rung.fade
    return Attempt(
        seed=seed,
        hold=round(fade.hold, 4) if fade else 0.0,
        release=round(fade.release, 4) if fade else 0.0,
        scale=round(rung.scale, 4),
        outcome=outcome,
    )
