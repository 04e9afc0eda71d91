"""The errors of the whole program: a sentence for the person, the cause for the log."""

from __future__ import annotations


class ChatAnythingError(Exception):
    """Something went wrong in a way we can explain.

    `str(error)` is a complete sentence that may be shown to the person who asked, so it names
    what to do next and never holds a secret, a path of another user or a traceback. What really
    happened travels as `__cause__` (raise with `from`) and goes to the log.
    """


class InvalidInputError(ChatAnythingError):
    """What the person asked for cannot be done as asked; asking differently can."""


class NotFoundError(ChatAnythingError):
    """There is no such persona, style, voice, model or file."""


class UnavailableError(ChatAnythingError):
    """A part that is needed is missing or does not answer; trying later or installing helps."""
