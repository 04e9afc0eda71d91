"""ImagesClient: pictures by `/images/generations` and `/images/edits`, by the official client."""

from __future__ import annotations

import base64
import binascii
import io
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import numpy as np

from engine.llm.failures import explain, fault
from engine.pictures import to_png
from engine.portrait.base import Image
from engine.portrait.settings import ImagesSettings
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL: Final = "https://api.openai.com/v1"
_REMEDY: Final = "Check base_url in the section portrait.images and the network."
_MOST_BYTES: Final = 48 << 20
_LARGEST: Final = 4096
"""Pixels of a side of what an endpoint sends; more is not opened."""


class ImagesClient:
    """Asks one endpoint for pictures. Safe to use from several threads.

    Args:
        settings: which endpoint, which model, how long to wait.
    """

    def __init__(self, settings: ImagesSettings) -> None:
        self._settings = settings
        self._base_url = settings.base_url or os.environ.get("OPENAI_BASE_URL", "") or OPENAI_URL
        self._key = settings.api_key.get_secret_value() or os.environ.get("OPENAI_API_KEY", "")
        host = urlsplit(self._base_url).hostname or self._base_url
        self._place = f"the endpoint for pictures at {host}"
        self._opening = threading.Lock()
        self._client: OpenAI | None = None
        self._edits = settings.guided
        self._plain = False

    @property
    def can_edit(self) -> bool:
        """Whether a reference picture may be sent along; off once the endpoint has no edits."""
        return self._edits

    def paint(self, prompt: str, reference: Image | None = None) -> Image:
        """One picture.

        Args:
            prompt: what is on it.
            reference: RGB, whose face it shall have; None: paint freely.

        Returns:
            RGB, of whatever size the endpoint sent.

        Raises:
            RefusedError: the endpoint will not paint this.
            UnavailableError: it cannot be reached, has a fault, or sends no picture.
        """
        import openai

        if reference is not None and self._edits:
            try:
                return self._asked("/images/edits", prompt, reference)
            except (openai.NotFoundError, openai.APIStatusError) as error:
                if error.status_code not in (404, 405, 501):
                    raise self._explained(error) from fault(error, self._key)
                self._edits = False  # a server of generations only
        try:
            return self._asked("/images/generations", prompt, None)
        except openai.OpenAIError as error:
            raise self._explained(error) from fault(error, self._key)

    def _asked(self, path: str, prompt: str, reference: Image | None) -> Image:
        """Sends the request, once more without what the endpoint does not know."""
        import openai

        while True:
            plain = self._plain
            try:
                return self._picture(self._body(path, prompt, reference, plain))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                said = f"{error} {getattr(error, 'body', '')}".lower()
                if plain or "response_format" not in said:
                    raise self._explained(error) from fault(error, self._key)
                self._plain = True
            except (UnavailableError, openai.APIStatusError):
                raise
            except Exception as error:
                raise self._explained(error) from fault(error, self._key)

    def _body(self, path: str, prompt: str, reference: Image | None, plain: bool) -> bytes:
        """The answer, read for no longer and no further than a picture is worth."""
        client = self._open()
        until = time.monotonic() + self._settings.timeout
        request: dict[str, Any] = {
            "model": self._settings.model,
            "prompt": prompt,
            "n": 1,
            "size": self._settings.size,
        }
        if not plain and not self._settings.model.startswith("gpt-image"):
            request["response_format"] = "b64_json"
        images = client.images.with_streaming_response
        if reference is not None:
            file = ("face.png", to_png(reference), "image/png")
            answer = images.edit(image=file, **request)
        else:
            answer = images.generate(**request)
        body = bytearray()
        with answer as response:
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > until or len(body) > _MOST_BYTES:
                    raise UnavailableError(
                        f"{self._named()} took too long to answer. Try again later."
                    )
        return bytes(body)

    def _picture(self, body: bytes) -> Image:
        import json

        from PIL import Image as Pictures

        try:
            entry = json.loads(body)["data"][0]
            data = base64.b64decode(entry["b64_json"], validate=True)
            with Pictures.open(io.BytesIO(data)) as picture:
                if max(picture.size) > _LARGEST or min(picture.size) < 64:
                    raise UnavailableError(
                        f"{self._named()} sent a picture of {picture.size[0]} x {picture.size[1]} "
                        "pixels, which is of no use."
                    )
                return np.asarray(picture.convert("RGB"), np.uint8)
        except UnavailableError:
            raise
        except (KeyError, IndexError, TypeError, ValueError, binascii.Error, OSError) as error:
            raise UnavailableError(f"{self._named()} sent no picture.") from error
        except Pictures.DecompressionBombError as error:
            raise UnavailableError(f"{self._named()} sent a picture that is too large.") from error

    def _open(self) -> OpenAI:
        with self._opening:
            if self._client is None:
                if not self._key and self._base_url == OPENAI_URL:
                    raise UnavailableError(
                        "There is neither an api_key nor a base_url in the section portrait.images."
                    )
                import openai

                self._client = openai.OpenAI(
                    base_url=self._base_url,
                    api_key=self._key or "none",
                    timeout=self._settings.timeout,
                    max_retries=self._settings.retries,
                )
            return self._client

    def _named(self) -> str:
        return self._place[:1].upper() + self._place[1:]

    def _explained(self, error: BaseException) -> UnavailableError:
        model = self._settings.model
        return explain(error, place=self._place, model=model, key=self._key, remedy=_REMEDY)
