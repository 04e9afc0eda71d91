"""What goes wrong at an endpoint, in a sentence for the person and without its key."""

from __future__ import annotations

import re
from typing import Any

from engine.llm.base import RefusedError
from personas.errors import UnavailableError

_SECRET = re.compile(r"\b(?:sk|key|pk|gsk|xai|hf|Bearer)[-_ ][\w*.\-]{6,}", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context.{0,12}(length|size|window)|exceed_context|too many tokens|maximum.{0,20}tokens", re.I
)
_FILTERED = re.compile(
    r"content.?(filter|policy)|content management|safety system|moderation", re.I
)


class EndpointError(Exception):
    """What the client library reported, with secrets taken out: the cause, for the log."""


class ContextOverflowError(UnavailableError):
    """The messages are longer than the model can read."""


def explain(
    error: BaseException, *, place: str, model: str, key: str, remedy: str = "", begun: bool = False
) -> UnavailableError:
    """The error of ours that tells what happened; the caller raises it `from fault(error)`.

    Args:
        error: what the client library raised.
        place: the endpoint in words people know, e.g. `the endpoint at example.org`.
        model: the model that was asked for.
        key: the secret, to be taken out of whatever the endpoint says.
        remedy: what to do when it cannot be reached.
        begun: the answer had begun already.
    """
    import httpx2
    import openai

    start = place[:1].upper() + place[1:]
    said = clean(_words(error), key)
    status = getattr(error, "status_code", None)
    if _TOO_LONG.search(said):
        return ContextOverflowError(
            f"The conversation is longer than the language model {model} can read. "
            "Start a new one, or use a model with a larger context."
        )
    if _FILTERED.search(said):
        return RefusedError(f"{start} will not answer this: its content filter objects.")
    if isinstance(error, (openai.APITimeoutError, httpx2.TimeoutException)):
        return UnavailableError(f"{start} took too long to answer. Try again later.")
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        if begun:
            return UnavailableError(f"{start} broke off in the middle of its answer. Try again.")
        return UnavailableError(f"{start} cannot be reached. {remedy}".strip())
    match status:
        case 401 | 403:
            return UnavailableError(
                f"{start} does not accept the key. Check api_key or OPENAI_API_KEY."
            )
        case 402:
            return UnavailableError(f"{start} asks for payment before it answers.")
        case 404:
            return UnavailableError(
                f"{start} has no model called {model!r}, or base_url is wrong "
                "(it usually ends in /v1)."
            )
        case 429 if "quota" in said.lower() or "billing" in said.lower():
            return UnavailableError(f"The credit at {place} is used up.")
        case 429:
            return UnavailableError(f"{start} gets too many requests. Try again in a minute.")
        case int() if status >= 500:
            return UnavailableError(f"{start} has a fault of its own ({status}). Try later.")
        case _:
            return UnavailableError(f"{start} cannot do this: {said[:200] or 'no reason given'}")


def fault(error: BaseException, key: str) -> EndpointError:
    """The same error without secrets, for the log."""
    return EndpointError(f"{type(error).__name__}: {clean(_words(error), key)}")


def clean(text: str, key: str) -> str:
    """The text in one line, without the key or anything that looks like one."""
    if len(key) > 3:
        text = text.replace(key, "***")
    return " ".join(_SECRET.sub("***", text).split())[:500]


def _words(error: BaseException) -> str:
    body: Any = getattr(error, "body", None)
    if isinstance(body, dict):
        inner = body.get("error", body)
        parts = inner if isinstance(inner, dict) else {"message": inner}
        return " ".join(str(parts[k]) for k in ("message", "code", "type") if parts.get(k))
    return str(error)
