"""A request class of python-telegram-bot that asks a Telegram in this process."""

from __future__ import annotations

import json
from typing import Any

from telegram.error import TimedOut
from telegram.request import BaseRequest, RequestData

from bot.telegram.request import FileTooLargeError
from tests.fakes.telegram_rooms import LostError
from tests.fakes.telegram_service import Telegram

BASE = "https://telegram.invalid"


class TelegramRequest(BaseRequest):
    """A BaseRequest. Errors that are put into `down` are raised first, one a request."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self.down: list[Exception] = []

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *more: Any,
        **options: Any,
    ) -> tuple[int, bytes]:
        where = url.removeprefix(f"{BASE}/")
        if where.startswith("file/"):
            return 200, self._telegram.files[url.rpartition("/")[2]]
        if self.down:
            raise self.down.pop(0)
        token, _, name = where.removeprefix("bot").partition("/")
        parameters = request_data.json_parameters if request_data else {}
        uploads = request_data.multipart_data if request_data else {}
        files = {part: _bytes(upload[1]) for part, upload in uploads.items()}
        try:
            code, answer = await self._telegram.answer(token, name, parameters, files)
        except LostError:
            raise TimedOut from None
        if code == 413:
            raise FileTooLargeError("Request Entity Too Large")
        return code, json.dumps(answer).encode()


def _bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else bytes(content.read())
