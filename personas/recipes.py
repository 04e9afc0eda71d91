"""Recipes: what a diffusion look is painted with. Weights by name only; nothing is loaded here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from personas.persona import Frozen, PortraitBrief

FamilyName = Literal["sd15", "sdxl"]
"""Networks of the same shape: what is trained for one of a family fits all of it."""
SchedulerName = Literal["dpm++", "euler", "euler-a", "unipc", "ddim", "lcm", "tcd", "turbo"]
"""How noise is taken away; lcm, tcd and turbo need weights that were distilled for few steps."""
ControlKind = Literal["mediapipe", "points68"]
"""What a ControlNet for faces was trained on: lines of MediaPipe FaceMesh, or 68 white dots."""
Part = Literal["vae", "text_encoder", "tokenizer"]

PLACEHOLDERS = ("subject", "details", "expression", "framing")
_HOLE = re.compile(r"\{(\w*)\}")
_HUB_NAME = re.compile(r"^\w[\w.-]*/\w[\w.-]*$")


def _place(place: str) -> str:
    is_folder = place.startswith(("/", "~")) or re.match(r"^[A-Za-z]:[\\/]", place)
    if not is_folder and not _HUB_NAME.match(place):
        raise ValueError("must be OWNER/NAME on the Hugging Face hub, or an absolute path")
    return place


def _inside(path: str) -> str:
    if path.startswith(("/", "\\", "~")) or ".." in re.split(r"[\\/]", path) or ":" in path:
        raise ValueError("must be a path inside the repository")
    return path


def _template(text: str) -> str:
    unknown = [name for name in _HOLE.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"there is no placeholder {{{unknown[0]}}}; there are {known}")
    return text


def _prompt(text: str) -> str:
    if "{subject}" not in text:
        raise ValueError("must contain {subject}")
    return _template(text)


class Weights(Frozen):
    """Weights in a repository of the Hugging Face hub, or in a folder of this machine."""

    repo: Annotated[str, AfterValidator(_place)] = Field(
        description="OWNER/NAME on the hub, or the absolute path of a folder or a file"
    )
    revision: str = Field(default="main", description="commit, tag or branch")
    folder: Annotated[str, AfterValidator(_inside)] = Field(
        default="", description="where in the repository"
    )
    file: Annotated[str, AfterValidator(_inside)] = Field(
        default="", description="a single .safetensors file of it"
    )
    licence: str = Field(default="", description="as its authors name it")

    @property
    def is_local(self) -> bool:
        """Whether it is a path of this machine."""
        return not _HUB_NAME.match(self.repo)

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return re.fullmatch(r"[0-9a-f]{40}", self.revision) is not None

    @property
    def url(self) -> str:
        """Where people read about it; empty for what is local."""
        return "" if self.is_local else f"https://huggingface.co/{self.repo}"


class Lora(Weights):
    """A low-rank change to the base of its family."""

    scale: float = Field(default=1.0, ge=-2, le=2, description="how much of it")


class Control(Weights):
    """A ControlNet for faces."""

    kind: ControlKind = "mediapipe"


class Family(Frozen):
    """What the looks of a family share."""

    name: FamilyName
    base: Weights
    control: Control | None = None
    resolution: int = Field(default=512, ge=32, le=2048, multiple_of=8)
    gigabytes: float = Field(gt=0, description="memory of its weights in half precision")


class Recipe(Frozen):
    """How a diffusion look is painted."""

    family: FamilyName = "sd15"
    checkpoint: Weights | None = Field(default=None, description="None: the base of the family")
    shares: tuple[Part, ...] = Field(
        default=(), description="parts that are the base's, so that they are loaded once"
    )
    vae: Weights | None = Field(default=None, description="a decoder in place of its own")
    loras: tuple[Lora, ...] = ()
    prompt: Annotated[str, AfterValidator(_prompt)] = Field(min_length=1, max_length=800)
    negative: Annotated[str, AfterValidator(_template)] = Field(default="", max_length=800)
    scheduler: SchedulerName = "dpm++"
    steps: int = Field(default=25, ge=1, le=150)
    guidance: float = Field(default=7.0, ge=0, le=30, description="1 and less: none, and faster")
    resolution: int = Field(default=0, ge=0, le=2048, multiple_of=8, description="0: the family's")

    @model_validator(mode="after")
    def _few_steps_want_little_guidance(self) -> Self:
        if self.scheduler in ("lcm", "tcd", "turbo") and self.guidance > 3:
            raise ValueError(
                f"the scheduler {self.scheduler} wants a guidance of at most 3, not {self.guidance}"
            )
        if any(lora.scale == 0 for lora in self.loras):
            raise ValueError("a LoRA of scale 0 does nothing")
        return self

    def weights(self, family: Family) -> tuple[Weights, ...]:
        """All that has to be here to paint it, the ControlNet excepted."""
        needed: list[Weights] = [self.checkpoint or family.base]
        if self.checkpoint is not None and self.shares:
            needed.append(family.base)
        if self.vae is not None:
            needed.append(self.vae)
        return (*needed, *self.loras)


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders filled; braces in the values mean nothing."""
    filled = _HOLE.sub(lambda match: values.get(match[1], ""), template)
    filled = re.sub(r"\s+([,.])", r"\1", re.sub(r"\s+", " ", filled))
    return re.sub(r"(,\s*)+,", ",", filled).strip(" ,")


_EXPRESSIONS = {
    "cheerful": "a warm smile",
    "calm": "a gentle calm face",
    "grumpy": "a grumpy frown",
    "shy": "a shy little smile",
    "proud": "a proud smile",
    "sad": "a sad face",
    "mischievous": "a mischievous grin",
    "curious": "a curious wide-eyed face",
}
_AGES = {"child": "young child", "young": "young", "adult": "", "old": "elderly"}


def prompt_values(brief: PortraitBrief) -> dict[str, str]:
    """What the placeholders of a template stand for."""
    subject = brief.subject.strip()
    expression = _EXPRESSIONS[str(brief.mood)]
    if brief.is_person:
        age = _AGES[brief.age]
        words = (age, "" if brief.gender == "neutral" else f"{brief.gender},", subject)
        framing = "portrait of one person, head and shoulders, looking straight into the camera"
        return {
            "subject": " ".join(word for word in words if word),
            "details": brief.details.strip(),
            "expression": expression,
            "framing": framing,
        }
    framing = "one single subject, centred, its face seen from the front, whole body in the picture"
    return {
        "subject": f"{subject} with two eyes, a nose and a mouth on it",
        "details": brief.details.strip(),
        "expression": expression,
        "framing": framing,
    }
