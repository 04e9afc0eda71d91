"""How diffusion models are run."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.portrait.guidance.plan import GuidanceSettings
from personas.recipes import Control, ControlKind


class ControlSettings(BaseModel):
    """Options of the section `[portrait.diffusion.control]`: a ControlNet of your own."""

    model_config = ConfigDict(extra="forbid")

    repo: str = Field(
        default="",
        description="a ControlNet for faces: OWNER/NAME on the Hugging Face hub or an absolute "
        "path, as safetensors; empty: that of the family, where it has one",
    )
    revision: str = Field(default="main", description="commit, tag or branch of it")
    folder: str = Field(default="", description="where in the repository it is")
    kind: ControlKind = Field(
        default="mediapipe",
        description="what it was trained on: mediapipe (coloured lines of FaceMesh) or points68 "
        "(68 white dots on black)",
    )

    def own(self) -> Control | None:
        """The operator's ControlNet; None where none was named."""
        if not self.repo:
            return None
        return Control(repo=self.repo, revision=self.revision, folder=self.folder, kind=self.kind)


class DiffusionSettings(BaseModel):
    """Options of the section `[portrait.diffusion]`."""

    model_config = ConfigDict(extra="forbid")

    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        default="auto", description="where models run; auto: on a GPU where there is one"
    )
    precision: Literal["auto", "float16", "bfloat16", "float32"] = Field(
        default="auto",
        description="auto: float16 on a GPU, bfloat16 on processors that multiply it themselves, "
        "float32 elsewhere",
    )
    on_cpu: bool = Field(
        default=False,
        description="paint without a GPU, too: a minute and more for a picture",
    )
    download: bool = Field(
        default=False,
        description="fetch the weights of a look (2 to 7 GB) when it is first wanted; otherwise "
        "only `chatanything models pull LOOK` fetches them, and only looks that are here are "
        "offered",
    )
    memory_gb: float = Field(
        default=0.0,
        ge=0,
        description="memory that loaded weights may take; what was used longest ago makes room. "
        "0: two thirds of the device's",
    )
    batch: int = Field(
        default=4, ge=1, le=32, description="pictures that are painted at once, at most"
    )
    compile: bool = Field(
        default=False,
        description="compile the network with torch.compile: faster pictures after a first one "
        "that takes minutes",
    )
    offload: bool = Field(
        default=False,
        description="keep weights in main memory and bring each part to the GPU when it is "
        "needed: half the memory, slower",
    )
    vae_slicing: bool = Field(
        default=False, description="decode pictures one by one and in tiles: less memory, slower"
    )
    safety: bool = Field(
        default=True,
        description="look at each picture before it is shown, and paint another where it is not "
        "fit for everybody; personas of age-restricted channels are excepted",
    )
    safety_threshold: float = Field(
        default=0.6, gt=0, le=1, description="from this score of the image classifier on"
    )
    guidance: GuidanceSettings = Field(default_factory=GuidanceSettings)
    control: ControlSettings = Field(default_factory=ControlSettings)
