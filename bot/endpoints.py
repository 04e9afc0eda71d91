"""Whether an endpoint answers, found out without a cost."""

from __future__ import annotations

import os
from typing import Final, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

_SECONDS: Final = 5.0
_UNAUTHORIZED: Final = 401
_FAULTS: Final = 500


class EndpointSettings(Protocol):
    """What all settings of endpoints have in common."""

    @property
    def base_url(self) -> str:
        """Its address; empty: OPENAI_BASE_URL or OpenAI's."""

    @property
    def api_key(self) -> SecretStr:
        """Its key; empty: OPENAI_API_KEY."""


async def ask(settings: EndpointSettings) -> str:
    """Asks an OpenAI-compatible endpoint for the list of its models, whatever it is used for.

    Returns:
        Its host. One that keeps no list, or does not show it, has answered all the same.

    Raises:
        UnavailableError: it cannot be reached, does not accept the key, or has a fault.
    """
    import openai

    from engine.llm.failures import explain, fault
    from engine.llm.openai import OPENAI_URL

    url = settings.base_url or os.environ.get("OPENAI_BASE_URL", "") or OPENAI_URL
    key = settings.api_key.get_secret_value() or os.environ.get("OPENAI_API_KEY", "")
    host = urlsplit(url).hostname or url
    try:
        async with openai.AsyncOpenAI(
            base_url=url, api_key=key or "none", timeout=_SECONDS, max_retries=0
        ) as client:
            await client.models.list()
    except Exception as error:
        status = getattr(error, "status_code", None)
        if status is None or status == _UNAUTHORIZED or status >= _FAULTS:
            place, remedy = f"the endpoint at {host}", "Check base_url and the network."
            told = explain(error, place=place, model="", key=key, remedy=remedy)
            raise told from fault(error, key)
    return host
