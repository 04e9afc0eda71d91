"""How portraits are made."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PortraitSettings(BaseModel):
    """Options of the section `[portrait]`."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(
        default=512, ge=256, le=1024, description="width and height of a portrait in pixels"
    )
    landmarks: bool = Field(
        default=True,
        description="look for the face in an uploaded photo, where the extra `landmarks` is "
        "installed; without it a face is drawn on the photo",
    )
