"""Telegram on a loopback port: what it does is in `telegram_service`, how it is asked is here."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, NoReturn, Self

import aiohttp
from aiohttp import web

from tests.fakes.telegram_rooms import Json, LostError
from tests.fakes.telegram_service import Telegram

LARGEST = 60_000_000


class TelegramServer:
    """A Bot API server.

    Attributes:
        telegram: what happens there.
        gateway: status codes with which the next requests are turned away at the door.
        plain_webhook: whether updates go to the webhook without TLS, as behind a proxy.
        posted: how the webhook answered.
        dropping: whether connections are cut without an answer, and nothing is done.
    """

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self.gateway: list[int] = []
        self.dropping = False
        self.plain_webhook = False
        self.posted: list[int] = []
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._posting: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/bot"

    @property
    def base_file_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/file/bot"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Opens the port, the same one again after a stop."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        assert site._server is not None
        self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.telegram.deliver = self._deliver

    async def stop(self) -> None:
        """Closes it: nobody can be reached."""
        for task in self._posting:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if self.dropping:
            _cut_off(request)
        if self.gateway:
            return web.Response(status=self.gateway.pop(0), text="<html>Bad Gateway</html>")
        parameters: dict[str, str] = dict(request.query)
        files: dict[str, bytes] = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = value.file.read()
            else:
                parameters[name] = str(value)
        try:
            code, answer = await self.telegram.answer(
                request.match_info["token"], request.match_info["method"], parameters, files
            )
        except LostError:
            _cut_off(request)
        return web.json_response(answer, status=code)

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.telegram.files[request.match_info["path"].split("/")[-1]])

    def _deliver(self, update: Json) -> None:
        task = asyncio.get_running_loop().create_task(self._post(update))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _post(self, update: Json) -> None:
        """Sends an update to the webhook, with its secret, until it is taken."""
        headers: dict[str, Any] = {}
        if secret := self.telegram.webhook.get("secret_token"):
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        url = str(self.telegram.webhook["url"])
        if self.plain_webhook:
            url = url.replace("https://", "http://", 1)
        async with aiohttp.ClientSession() as session:
            for _ in range(20):
                with contextlib.suppress(aiohttp.ClientConnectorError):
                    async with session.post(url, json=update, headers=headers) as response:
                        self.posted.append(response.status)
                        if response.status == 200:
                            return
                await asyncio.sleep(0.05)


def _cut_off(request: web.Request) -> NoReturn:
    """Ends the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    raise asyncio.CancelledError
