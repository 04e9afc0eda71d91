"""Which language model is used, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LanguageModelSettings(BaseModel):
    """Options of the section `[language_model]`."""

    model_config = ConfigDict(extra="forbid")

    backend: Literal["auto", "openai", "local"] = Field(
        default="auto",
        description="auto: a configured endpoint, else the best model this machine can run itself",
    )
    base_url: str = Field(
        default="",
        description="address of an OpenAI-compatible endpoint; empty: OPENAI_BASE_URL or OpenAI's",
    )
    api_key: SecretStr = Field(
        default=SecretStr(""),
        description="key of the endpoint; empty: OPENAI_API_KEY",
    )
    model: str = Field(
        default="",
        description="endpoint: the model's name there (empty: the first one it offers, or "
        "gpt-4o-mini at OpenAI). local: a name of `chatanything models list` (empty: the best "
        "that memory holds)",
    )
    model_file: Path | None = Field(
        default=None, description="local: a GGUF file of your own, instead of one of the catalogue"
    )
    timeout: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="seconds without a word before an endpoint is given up",
    )
    retries: int = Field(
        default=2, ge=0, le=10, description="how often a request that failed is sent again"
    )
    context_tokens: int = Field(
        default=4096, ge=1024, le=262_144, description="tokens of a prompt and its answer together"
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=512,
        description="local: processor threads; 0: one for each core, at most 4",
    )
    parallel: int = Field(
        default=2, ge=1, le=16, description="local: answers written at the same time"
    )
    prompts_folder: Path = Field(
        default_factory=lambda: user_cache_path("chatanything") / "prompts",
        description="local: where it is kept what the model made of a persona, so that the next "
        "answer starts at once",
        examples=["~/.cache/chatanything/prompts"],
    )
    prompts_mb: int = Field(
        default=512, ge=0, description="local: size of that folder at most, in MB; 0: keep nothing"
    )
