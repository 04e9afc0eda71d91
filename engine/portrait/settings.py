"""How portraits are made."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from engine.portrait.diffusion.settings import DiffusionSettings
from personas.recipes import Recipe


class ImagesSettings(BaseModel):
    """Options of the section `[portrait.images]`: an OpenAI-compatible endpoint for pictures."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(
        default="", description="address of the endpoint; empty: OPENAI_BASE_URL or OpenAI's"
    )
    api_key: SecretStr = Field(
        default=SecretStr(""), description="key of the endpoint; empty: OPENAI_API_KEY"
    )
    model: str = Field(default="gpt-image-1", description="the model's name there")
    guided: bool = Field(
        default=True,
        description="send a drawn face along as a reference, through /images/edits, so that a face "
        "comes out where it shall; false, and endpoints without edits: /images/generations",
    )
    size: str = Field(
        default="1024x1024", pattern=r"^\d{2,4}x\d{2,4}$", description="size that is asked for"
    )
    tries: int = Field(
        default=2,
        ge=1,
        le=8,
        description="pictures that are paid for at most until a face is found; then a face is "
        "drawn on the last one",
    )
    timeout: float = Field(
        default=120.0, gt=0, le=3600, description="seconds until a picture is given up"
    )
    retries: int = Field(
        default=1, ge=0, le=10, description="how often a request that failed is sent again"
    )


class OwnStyle(BaseModel):
    """A look of your own, in `[portrait.styles.NAME]`."""

    model_config = ConfigDict(extra="forbid")

    label: str = ""
    description: str = Field(min_length=1, max_length=200)
    rendering: Literal["outlined", "flat", "shaded"] = "shaded"
    author: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    url: str = ""
    recipe: Recipe


class PortraitSettings(BaseModel):
    """Options of the section `[portrait]`."""

    model_config = ConfigDict(extra="forbid")

    generator: Literal["auto", "illustrated", "diffusion", "images"] = Field(
        default="auto",
        description="who paints. auto: diffusion models where there is a GPU and the weights of a "
        "look, else illustrations; diffusion: also on the CPU; images: the endpoint of "
        "[portrait.images]. Whoever fails is stood in for by illustrations",
    )
    size: int = Field(
        default=512, ge=256, le=1024, description="width and height of a portrait in pixels"
    )
    landmarks: bool = Field(
        default=True,
        description="look for the face in an uploaded photo, where the extra `landmarks` is "
        "installed; without it a face is drawn on the photo",
    )
    styles: dict[str, OwnStyle] = Field(
        default_factory=dict,
        description="diffused looks of your own, each in a table [portrait.styles.NAME]; see "
        "docs/portraits.md",
    )
    diffusion: DiffusionSettings = Field(default_factory=DiffusionSettings)
    images: ImagesSettings = Field(default_factory=ImagesSettings)

    @model_validator(mode="after")
    def _names_can_be_typed(self) -> PortraitSettings:
        import re

        for name in self.styles:
            if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
                raise ValueError(
                    f"the name of the look {name[:40]!r} must be of a-z, 0-9 and hyphens"
                )
        return self

    def own_styles(self) -> dict[str, dict[str, Any]]:
        """The looks of one's own as the catalogue of styles takes them."""
        return {
            name: {
                **style.model_dump(exclude={"recipe"}),
                "label": style.label or name.replace("-", " ").capitalize(),
                "generator": "diffusion",
                "recipe": style.recipe,
            }
            for name, style in self.styles.items()
        }
