"""What guides a picture, and what is tried after a miss: a ladder that is planned beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.portrait.guidance.injection import Fade

Arm = Literal["unguided", "injection", "controlnet", "both"]
ARMS: tuple[Arm, ...] = ("unguided", "injection", "controlnet", "both")

_SEED_STEP = 7_919
"""Added to the seed for each further try; a prime, so that neighbouring seeds do not meet."""


class GuidanceSettings(BaseModel):
    """Options of the section `[portrait.diffusion.guidance]`."""

    model_config = ConfigDict(extra="forbid")

    arm: Arm = Field(
        default="both",
        description="what guides a face into the picture: unguided, injection (of a drawn face "
        "into the noise), controlnet (a network for face landmarks), or both",
    )
    hold: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="share of the steps during which all of the injected face is held",
    )
    release: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of the steps after which nothing of it is held; in between, the rim is "
        "let go first, eyes and mouth last",
    )
    scale: float = Field(default=0.6, ge=0, le=2, description="weight of the ControlNet")
    control_start: float = Field(
        default=0.0, ge=0, le=1, description="share of the steps from which the ControlNet works"
    )
    control_end: float = Field(
        default=0.7, ge=0, le=1, description="share of the steps up to which it works"
    )
    tries: int = Field(
        default=4,
        ge=1,
        le=12,
        description="pictures that are painted at most until a face is found; then a face is "
        "drawn on the last one",
    )

    @model_validator(mode="after")
    def _in_order(self) -> GuidanceSettings:
        if self.hold > self.release:
            raise ValueError("hold must not be larger than release")
        if self.control_start > self.control_end:
            raise ValueError("control_start must not be larger than control_end")
        return self


@dataclass(frozen=True)
class Rung:
    """One try.

    Attributes:
        seed: added to the portrait's own.
        fade: of the injected face; None: nothing is injected.
        scale: of the ControlNet; 0: there is none.
        control: shares of the steps from and up to which it works.
    """

    seed: int = 0
    fade: Fade | None = None
    scale: float = 0.0
    control: tuple[float, float] = (0.0, 1.0)


def plan_ladder(settings: GuidanceSettings, *, arm: Arm | None = None) -> tuple[Rung, ...]:
    """The tries of a portrait, in their order.

    A miss means that the subject won over the face: the next try has another seed, holds the face
    longer and listens to the ControlNet more and longer. An unguided picture can only be tried
    with another seed.

    Args:
        settings: the first rung and how many there are.
        arm: what guides; None: as the settings say.
    """
    arm = arm or settings.arm
    last = max(settings.tries - 1, 1)
    first = Rung(
        fade=Fade(settings.hold, settings.release) if arm in ("injection", "both") else None,
        scale=settings.scale if arm in ("controlnet", "both") else 0.0,
        control=(settings.control_start, settings.control_end),
    )
    rungs = []
    for number in range(settings.tries):
        climb = number / last
        rung = replace(first, seed=number * _SEED_STEP)
        if first.fade is not None:
            rung = replace(
                rung,
                fade=Fade(
                    settings.hold + (max(settings.hold, 0.55) - settings.hold) * climb,
                    settings.release + (max(settings.release, 0.85) - settings.release) * climb,
                ),
            )
        if first.scale:
            rung = replace(
                rung,
                scale=settings.scale + (max(settings.scale, 1.1) - settings.scale) * climb,
                control=(
                    settings.control_start * (1 - climb),
                    settings.control_end + (1 - settings.control_end) * climb,
                ),
            )
        rungs.append(rung)
    return tuple(rungs)
