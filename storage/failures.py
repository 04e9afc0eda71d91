"""What went wrong with the kept things, in a sentence."""

from __future__ import annotations

import errno
from pathlib import Path

from personas.errors import ChatAnythingError, UnavailableError
from storage.outages import sentence_for

_FULL = "There is no space left for {place}. Free some space and try again; nothing was lost."
_SENTENCES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("not a database", "malformed", "file is encrypted"),
        "The data in {place} is damaged and cannot be read. Put a backup in its place, or move it "
        "away to start anew.",
    ),
    (("disk is full", "no space left", "quota exceeded"), _FULL),
    (
        ("readonly", "read-only", "permission denied", "unable to open", "operation not permitted"),
        "{place} cannot be written. Make the folder writable, or choose another data folder.",
    ),
    (
        ("locked", "busy"),
        "Another process is writing to {place} and does not finish. Try again in a moment.",
    ),
    (("disk i/o error",), "{place} cannot be read or written: the disk reports an error."),
)

_REMOTE_SENTENCES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("nosuchbucket", "not found", "does not exist"),
        "There is no {place}. Make the bucket, or correct media_url.",
    ),
    (
        ("unable to recognise", "without a base", "invalid domain", "invalid url"),
        "{place} is no place for media. media_url is written like s3://bucket/prefix.",
    ),
    (
        ("403", "401", "forbidden", "accessdenied", "permission", "unauthenticated", "credential"),
        "{place} does not let us in. Check the keys (s3_access_key_id, s3_secret_access_key) and "
        "what they may do there.",
    ),
    (
        ("500", "502", "503", "504", "slowdown", "timed out", "error sending request", "connect"),
        "{place} does not answer. Check that s3_endpoint is right, or try again in a moment.",
    ),
)


def explain(error: BaseException, place: Path | str) -> ChatAnythingError:
    """An error with a sentence for the person; raise it `from` the error it explains.

    Args:
        error: what the database, the file system or the object store raised.
        place: the file, folder or kind of database that was used, without any password.
    """
    if isinstance(error, ChatAnythingError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError(_FULL.format(place=place))
    if place == "The database" and (sentence := sentence_for(error)):
        return UnavailableError(sentence)
    if "://" in str(place) or str(place) == "media_url":
        return UnavailableError(_sentence(error, _REMOTE_SENTENCES).format(place=place))
    if isinstance(error, PermissionError):
        error = PermissionError("permission denied")
    return UnavailableError(_sentence(error, _SENTENCES).format(place=place))


def hide_rows(error: BaseException) -> None:
    """Leaves only the first sentence of what PostgreSQL said; errors go to the log.

    The details quote whole rows (`Failing row contains ...`), and so what people said.
    """
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    if primary:
        error.args = (primary,)


def _sentence(error: BaseException, sentences: tuple[tuple[tuple[str, ...], str], ...]) -> str:
    """The first sentence with a sign that is in what the error says, kind and all."""
    cause = getattr(error, "orig", None) or error
    said = f"{type(cause).__name__}: {cause}".lower()
    unknown = "{place} cannot be used just now. The log says why."
    return next((text for signs, text in sentences if any(s in said for s in signs)), unknown)
