"""Where heavy work waits, and how patiently."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class JobSettings(BaseModel):
    """Options of the section `[jobs]`."""

    model_config = ConfigDict(extra="forbid")

    backend: Literal["local", "saq"] = Field(
        default="local",
        description="local: portraits, voices and clips are made in this process. saq: they wait "
        "in PostgreSQL for `chatanything worker`, on any number of machines; this process then "
        "makes none itself (extra `scale`)",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="saq: the PostgreSQL database of the queue (postgresql+psycopg://...); "
        "empty: the one of [storage]",
    )
    name: str = Field(
        default="chatanything",
        pattern=r"[a-z][a-z0-9_]{0,30}",
        description="saq: which queue, where several share a database",
    )
    waiting: int = Field(
        default=1000, ge=1, description="jobs that may wait; when so many do, no more are taken"
    )
    speech_patience: float = Field(
        default=300, gt=0, description="seconds after which nobody waits for a voice any more"
    )
    clip_patience: float = Field(
        default=600, gt=0, description="seconds after which nobody waits for a clip any more"
    )
    portrait_patience: float = Field(
        default=3600, gt=0, description="seconds after which nobody waits for a portrait any more"
    )
    tries: int = Field(
        default=3, ge=1, le=20, description="how often a job is begun before it is set aside"
    )
    retry_seconds: float = Field(
        default=1.0, ge=0, description="saq: pause before the second try; doubled for each more"
    )
    run_seconds: float = Field(
        default=1800, gt=0, description="saq: a job that takes longer counts as failed"
    )
    result_seconds: float = Field(
        default=3600, gt=0, description="saq: how long results are kept for whoever asks again"
    )
    drain_seconds: float = Field(
        default=120,
        ge=0,
        description="saq: how long a worker that is told to end finishes what it has in hand; "
        "then it hands it back",
    )
    heartbeat_seconds: float = Field(
        default=1.0, gt=0, le=60, description="saq: how often a worker says that it lives"
    )
    gone_seconds: float = Field(
        default=2.0,
        gt=0,
        description="saq: a worker whose connection is lost gets so long to come back; then its "
        "jobs go to others",
    )
    lost_seconds: float = Field(
        default=15.0,
        gt=0,
        description="saq: a worker that is connected and silent for so long has lost its jobs "
        "too, and a transaction that stands still for so long is ended",
    )
    sweep_seconds: float = Field(
        default=0.5, gt=0, description="saq: how often workers look for what others have left"
    )
