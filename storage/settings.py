"""StorageSettings: where things are kept and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from personas.errors import UnavailableError

if TYPE_CHECKING:
    from sqlalchemy import URL


class StorageSettings(BaseModel):
    """Where personas, conversations, portraits and clips are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_folder: Path = Field(
        default_factory=lambda: user_data_path("chatanything", appauthor=False),
        description="Folder of everything that is kept; made when it is missing.",
        examples=["~/.local/share/chatanything"],
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="URL of the database (postgresql://user:password@host/name, sqlite:FILE). "
        "Empty: chatanything.sqlite3 in the data folder.",
    )
    database_connections: int = Field(
        default=10, ge=1, description="Connections to PostgreSQL that a process opens at most."
    )
    statement_seconds: float = Field(
        default=30.0,
        gt=0,
        description="How long PostgreSQL may work at one statement before it is given up.",
    )
    media_url: str = Field(
        default="",
        description="Where portraits and clips are kept (s3://bucket/prefix, gs://..., az://..., "
        "file:///folder). Empty: the folder media in the data folder.",
    )
    s3_endpoint: str = Field(
        default="",
        description="URL of an S3 service that is not Amazon's (https://minio.example.org:9000). "
        "Empty: AWS_ENDPOINT_URL, else Amazon.",
    )
    s3_region: str = Field(
        default="", description="Region of the bucket. Empty: AWS_REGION, else us-east-1."
    )
    s3_access_key_id: SecretStr = Field(
        default=SecretStr(""),
        description="Who we are to the S3 service. Empty: AWS_ACCESS_KEY_ID, else the role of "
        "this machine.",
    )
    s3_secret_access_key: SecretStr = Field(
        default=SecretStr(""),
        description="The key that belongs to it. Empty: AWS_SECRET_ACCESS_KEY.",
    )
    heartbeat_seconds: float = Field(
        default=5.0,
        gt=0,
        description="How often a process that uses PostgreSQL says that it is alive.",
    )
    dead_seconds: float = Field(
        default=30.0,
        gt=0,
        description="A process on another machine that has said nothing for so long is taken for "
        "dead, and others take over what it had begun. At least three heartbeats.",
    )
    grace_seconds: float = Field(
        default=3600.0,
        ge=0,
        description="How long a picture or clip that no persona or message uses is kept while "
        "the process that wrote it may still be at work. What a dead process left goes at once.",
    )
    clips_per_conversation: int = Field(
        default=50,
        ge=0,
        description="The newest clips of a conversation that are kept; older messages keep "
        "their text. 0 keeps all.",
    )
    clips_total_bytes: int = Field(
        default=2 * 1024**3,
        ge=0,
        description="Bytes that all clips together may take; the oldest go first. 0: no limit. "
        "Portraits are never removed.",
    )
    clips_community_bytes: int = Field(
        default=0,
        ge=0,
        description="Bytes that the clips of one community may take; the oldest go first. "
        "0: no limit.",
    )
    clips_days: float = Field(
        default=0.0, ge=0, description="Days after which a clip goes; its words stay. 0: never."
    )
    sweep_minutes: float = Field(
        default=15.0,
        gt=0,
        description="How often a running bot looks for clips that have to go and for what nobody "
        "uses; of many processes, one does.",
    )
    usage_days: int = Field(
        default=92,
        ge=2,
        description="How many days it is known who has used how much.",
    )
    busy_seconds: float = Field(
        default=30.0, gt=0, description="How long to wait for another process that is writing."
    )

    @property
    def database(self) -> URL:
        """The URL of the database, the default filled in.

        Raises:
            UnavailableError: it is no URL, or its driver is not installed.
        """
        # Not at the top: settings are read by every command, and this takes most of a second.
        from sqlalchemy import URL

        given = self.database_url.get_secret_value()
        if given:
            return database_from(given)
        file = self.data_folder.expanduser().absolute() / "chatanything.sqlite3"
        return URL.create("sqlite+aiosqlite", database=str(file))

    @property
    def is_local(self) -> bool:
        """Whether any of it lies in a folder of this machine."""
        return self.media_folder is not None or self.database.get_backend_name() == "sqlite"

    @model_validator(mode="after")
    def _beats_often_enough(self) -> Self:
        if self.dead_seconds < 3 * self.heartbeat_seconds:
            raise ValueError(
                "dead_seconds must be at least three times heartbeat_seconds, or a process that "
                "is only slow is taken for dead"
            )
        return self

    @property
    def media_folder(self) -> Path | None:
        """The folder of the media, or None where they are not in one."""
        if self.media_url.startswith("file:"):
            return Path(url2pathname(urlsplit(self.media_url).path))
        if self.media_url:
            return None
        return self.data_folder.expanduser().absolute() / "media"


_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "sqlite": "sqlite+aiosqlite",
}
"""The drivers that we use, for URLs as people and hosting services write them."""


def database_from(given: str) -> URL:
    """The URL of a database as we open it.

    Args:
        given: any SQLAlchemy URL; `postgres://...` and `sqlite:FILE` will do, too.

    Raises:
        UnavailableError: it is no URL, or its driver is not installed.
    """
    from sqlalchemy import URL, make_url
    from sqlalchemy.exc import ArgumentError

    scheme, _, rest = given.partition(":")
    if scheme == "sqlite" and rest and not rest.startswith("//"):
        return URL.create(_DRIVERS[scheme], database=str(Path(rest).expanduser().absolute()))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # its text may hold a password: it goes nowhere
        raise UnavailableError(
            "The setting database_url is not the URL of a database, such as "
            "postgresql://user:password@host/name."
        ) from None
    if url.get_backend_name() not in _DRIVERS:
        raise UnavailableError(
            f"Nothing can be kept in a {url.get_backend_name()[:40]} database. Use PostgreSQL, or "
            "leave database_url empty to keep everything in the data folder."
        )
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    try:
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        remedy = "Install it"
        if url.drivername == _DRIVERS["postgresql"]:
            remedy += ' with: pip install "chatanything[scale]"'
        raise UnavailableError(
            f"The database driver {url.drivername} is not installed. {remedy}, or leave "
            "database_url empty to keep everything in the data folder."
        ) from error
    return url
