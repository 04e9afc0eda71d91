"""StorageSettings: where things are kept and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

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
        description="SQLAlchemy URL of the database (sqlite+aiosqlite://..., "
        "postgresql+psycopg://...). Empty: chatanything.sqlite3 in the data folder.",
    )
    media_url: str = Field(
        default="",
        description="Where portraits and clips are kept (s3://bucket/prefix, gs://..., az://..., "
        "memory:///). Empty: the folder media in the data folder.",
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
            return _checked(given)
        file = self.data_folder.expanduser().absolute() / "chatanything.sqlite3"
        return URL.create("sqlite+aiosqlite", database=str(file))

    @property
    def media_folder(self) -> Path | None:
        """The folder of the media, or None where they are not in one."""
        if self.media_url:
            return None
        return self.data_folder.expanduser().absolute() / "media"


def _checked(given: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(given)
    except (ArgumentError, ValueError) as error:  # its text may hold a password: not repeated
        raise UnavailableError("The setting database_url is not the URL of a database.") from error
    try:
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        raise UnavailableError(
            f"The database driver {url.drivername} is not installed. Install it, or leave "
            "database_url empty to keep everything in the data folder."
        ) from error
    return url
