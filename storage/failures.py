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
    said = str(getattr(error, "orig", None) or error).lower()
    if isinstance(error, PermissionError):
        said = "permission denied"
    for signs, sentence in _SENTENCES:
        if any(sign in said for sign in signs):
            return UnavailableError(sentence.format(place=place))
    return UnavailableError(f"{place} cannot be used just now. The log says why.")
