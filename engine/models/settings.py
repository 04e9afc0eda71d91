"""Settings of the model store."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field


class ModelStoreSettings(BaseModel):
    """Where models are kept and where they may come from."""

    model_config = ConfigDict(extra="forbid")

    folder: Path = Field(
        default_factory=lambda: user_cache_path("chatanything") / "models",
        description="Folder for fetched models; may be shared by many programs and users.",
        examples=["~/.cache/chatanything/models"],
    )
    offline: bool = Field(
        default=False,
        description="Never use the network for models: only local files, folders and caches.",
    )
    mirrors: tuple[str, ...] = Field(
        default=(),
        description=(
            "Folders or web addresses that hold NAME/FILE for models of the catalogue. They are "
            "tried before any other source; what they give is checked like everything else."
        ),
    )
    catalogues: tuple[Path, ...] = Field(
        default=(),
        description=(
            "More catalogues (TOML, in the form of engine/models/catalogue.toml) for models of "
            "your own. An entry replaces one of the same name."
        ),
    )
