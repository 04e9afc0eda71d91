"""A portrait generator that draws a disc with a face on it, in a millisecond."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.portrait.base import Image, PortraitCapabilities, PortraitDraft, Progress
from personas.persona import ArtCredit, FaceGeometry, FaceLook, PortraitBrief


@dataclass
class DiscPortraits:
    """A PortraitGenerator. `failures` are raised first, one a call."""

    size: int = 48
    failures: list[Exception] = field(default_factory=list)
    briefs: list[PortraitBrief] = field(default_factory=list)
    photos: list[Image | None] = field(default_factory=list)
    steps: int = 4

    @property
    def capabilities(self) -> PortraitCapabilities:
        return PortraitCapabilities(styles=("flat",), guided=False, size=self.size, needs_gpu=False)

    def generate(
        self,
        brief: PortraitBrief,
        seed: int,
        *,
        photo: Image | None = None,
        progress: Progress | None = None,
    ) -> PortraitDraft:
        self.briefs.append(brief)
        self.photos.append(photo)
        for step in range(self.steps):
            if progress is not None:
                progress(step / self.steps, "drawing a disc")
        if self.failures:
            raise self.failures.pop(0)
        size = self.size
        y, x = np.mgrid[:size, :size] - size / 2
        disc = (x * x + y * y < (size * 0.4) ** 2)[..., None]
        colour = np.array([seed % 256, seed // 256 % 256, len(brief.subject) % 256], np.uint8)
        background = np.full((size, size, 3), 230, np.uint8)
        body = np.concatenate(
            [np.broadcast_to(colour, (size, size, 3)), (disc * 255).astype(np.uint8)], axis=2
        )
        centre = (size / 2, size / 2)
        return PortraitDraft(
            image=np.where(disc, colour, background).astype(np.uint8),
            geometry=FaceGeometry(
                source="drawn",
                left_eye=(size * 0.4, size * 0.45),
                right_eye=(size * 0.6, size * 0.45),
                eye_radius=size * 0.05,
                nose=centre,
                mouth=(size / 2, size * 0.65),
                mouth_width=size * 0.2,
                centre=centre,
                width=size * 0.5,
                height=size * 0.5,
            ),
            style=brief.style or "flat",
            seed=seed,
            generator="disc-1",
            look=FaceLook(mood=brief.mood),
            background=background,
            body=body.astype(np.uint8),
            credits=(ArtCredit(title="Disc", author="Nobody", licence="CC0-1.0"),),
        )
