"""A Discord on the loopback: gateway and REST, as far as one server and one channel need.

It keeps what was posted, refuses files that are too large, limits rates and fails at will. What
a client cannot see is not here: users, roles and permissions are given.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

BOT, GUILD, CHANNEL, OWNER, MEMBER = 900, 100, 200, 300, 301
VERSION = "/api/v10"
_EVERYTHING = str((1 << 53) - 1)


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any = None
    files: dict[str, bytes] = field(default_factory=dict)
    status: int = 0


@dataclass
class Trouble:
    """What befalls the next requests of one kind.

    Attributes:
        status: of the answer.
        done: the request is carried out all the same, as when only the answer gets lost.
    """

    method: str
    path: re.Pattern[str]
    status: int
    times: int
    done: bool = False
    retry_after: float = 0.0
    code: int = 0


class DiscordServer:
    """Runs for one test; `Route.BASE` must point at `rest`."""

    def __init__(self, upload_limit: int = 10 * 1024 * 1024) -> None:
        self.upload_limit = upload_limit
        self.guilds: dict[int, list[int]] = {GUILD: [CHANNEL]}
        self.requests: list[Request] = []
        self.messages: dict[int, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.emoji: dict[int, dict[str, Any]] = {}
        self.callbacks: dict[str, dict[str, Any]] = {}
        self.identified: list[dict[str, Any]] = []
        self.resumed = 0
        self._troubles: list[Trouble] = []
        self._sockets: list[web.WebSocketResponse] = []
        self._events: list[dict[str, Any]] = []
        self._next_id = (int(time.time() * 1000) - 1_420_070_400_000) << 22
        self._port = 0
        self._changed = asyncio.Event()

    @property
    def rest(self) -> str:
        """Where requests go."""
        return f"http://127.0.0.1:{self._port}{VERSION}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DiscordServer]:
        """Listens on a free port."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_get("/gateway/", self._gateway)
        app.router.add_route("*", VERSION + "/{path:.*}", self._rest)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert runner.addresses
        self._port = runner.addresses[0][1]
        try:
            yield self
        finally:
            for socket in self._sockets:
                await socket.close()
            await runner.cleanup()

    # What a test does to it

    def fail(
        self,
        method: str,
        path: str,
        status: int = 500,
        *,
        times: int = 1,
        done: bool = False,
        code: int = 0,
    ) -> None:
        """Lets the next requests fail."""
        self._troubles.append(Trouble(method, re.compile(path), status, times, done, code=code))

    def limit(self, method: str, path: str, retry_after: float, *, times: int = 1) -> None:
        """Answers the next requests with 429."""
        self._troubles.append(
            Trouble(method, re.compile(path), 429, times, retry_after=retry_after)
        )

    async def say(
        self, text: str, *, mention: bool = True, author: int = MEMBER, channel: int = CHANNEL
    ) -> int:
        """A member writes in a channel."""
        message = self._message(channel, _user(author), text)
        message["mentions"] = [_user(BOT, bot=True)] if mention else []
        message["member"] = _member()
        await self.dispatch("MESSAGE_CREATE", message)
        return int(message["id"])

    async def invoke(self, name: str, options: list[dict[str, Any]] | None = None) -> str:
        """A member uses a slash command; returns the interaction's token."""
        token = f"token{self._id()}"
        data = {"id": str(self._id()), "name": name, "type": 1, "options": options or []}
        payload = {
            "id": str(self._id()),
            "application_id": str(BOT),
            "type": 2,
            "token": token,
            "version": 1,
            "guild_id": str(GUILD),
            "channel_id": str(CHANNEL),
            "channel": _channel(CHANNEL, GUILD),
            "member": {**_member(), "user": _user(MEMBER), "permissions": _EVERYTHING},
            "data": data,
            "app_permissions": _EVERYTHING,
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "attachment_size_limit": self.upload_limit,
        }
        await self.dispatch("INTERACTION_CREATE", payload)
        return token

    async def dispatch(self, event: str, data: dict[str, Any]) -> None:
        """Sends an event; who is not connected gets it on resuming."""
        payload = {"op": 0, "t": event, "s": len(self._events) + 1, "d": data}
        self._events.append(payload)
        for socket in self._sockets:
            if not socket.closed:
                await socket.send_json(payload)

    async def drop(self) -> None:
        """Asks all connections to come again, as Discord does when a machine goes."""
        for socket in list(self._sockets):
            await socket.send_json({"op": 7, "d": None})
            self._sockets.remove(socket)

    async def until(self, condition: Any, seconds: float = 30.0) -> None:
        """Waits until something has been requested that makes `condition()` true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def posted(self, *, webhook: bool) -> list[dict[str, Any]]:
        """The messages of the webhook, or of the bot itself."""
        return [
            message
            for message in self.messages.values()
            if ("webhook_id" in message) == webhook
            and (webhook or message["author"]["id"] == str(BOT))
        ]

    # Gateway

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41_250}})
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            payload = json.loads(frame.data)
            if payload["op"] == 1:
                await socket.send_json({"op": 11})
            elif payload["op"] == 2:
                self.identified.append(payload["d"])
                self._sockets.append(socket)
                await self._welcome(socket, payload["d"].get("shard", [0, 1]))
            elif payload["op"] == 6:
                self.resumed += 1
                self._sockets.append(socket)
                for event in self._events[payload["d"]["seq"] :]:
                    await socket.send_json(event)
                done = {"op": 0, "t": "RESUMED", "s": len(self._events), "d": {}}
                await socket.send_json(done)
            self._changed.set()
        return socket

    async def _welcome(self, socket: web.WebSocketResponse, shard: list[int]) -> None:
        ready = {
            "v": 10,
            "user": _user(BOT, bot=True),
            "guilds": [{"id": str(guild), "unavailable": True} for guild in self.guilds],
            "session_id": "session",
            "resume_gateway_url": f"ws://127.0.0.1:{self._port}/gateway",
            "shard": shard,
            "application": {"id": str(BOT), "flags": 0},
        }
        guilds = [("GUILD_CREATE", _guild(*one)) for one in self.guilds.items()]
        for name, data in (("READY", ready), *guilds):
            self._events.append({"op": 0, "t": name, "s": len(self._events) + 1, "d": data})
            await socket.send_json(self._events[-1])

    # REST

    async def _rest(self, request: web.Request) -> web.Response:
        seen = Request(request.method, "/" + request.match_info["path"], dict(request.query))
        self.requests.append(seen)
        size = await self._read(request, seen)
        trouble = self._trouble(seen)
        status, answer = 0, None
        if size > self.upload_limit:
            status, answer = 413, {"code": 40005, "message": "Request entity too large"}
        elif trouble is None or trouble.done:
            status, answer = self._answer(seen)
        if trouble is not None:
            status, answer = trouble.status, {"code": trouble.code, "message": "Trouble"}
            if trouble.status == 429:
                answer |= {"retry_after": trouble.retry_after, "global": False}
        seen.status = status
        self._changed.set()
        if status == 204:
            return web.Response(status=204)
        headers = {"Content-Type": "application/json", "Via": "1.1 loopback"}
        return web.Response(body=json.dumps(answer).encode(), status=status, headers=headers)

    async def _read(self, request: web.Request, seen: Request) -> int:
        """Reads the body; returns the size of the largest file."""
        if request.content_type.startswith("multipart/"):
            async for part in await request.multipart():
                data = await part.read()  # type: ignore[union-attr]
                if part.name == "payload_json":  # type: ignore[union-attr]
                    seen.body = json.loads(data)
                else:
                    seen.files[part.filename or ""] = bytes(data)  # type: ignore[union-attr]
        elif request.can_read_body:
            seen.body = json.loads(await request.read())
        return max((len(data) for data in seen.files.values()), default=0)

    def _trouble(self, seen: Request) -> Trouble | None:
        for trouble in self._troubles:
            fits = trouble.method == seen.method and trouble.path.fullmatch(seen.path)
            if fits and trouble.times > 0:
                trouble.times -= 1
                return trouble
        return None

    def _answer(self, seen: Request) -> tuple[int, Any]:
        match [seen.method, *seen.path.strip("/").split("/")]:
            case ["GET", "users", "@me"]:
                return 200, _user(BOT, bot=True)
            case ["GET", "oauth2", "applications", "@me"]:
                return 200, _application()
            case ["GET", "gateway", "bot"]:
                starts = {"total": 9, "remaining": 9, "reset_after": 0, "max_concurrency": 1}
                url = f"ws://127.0.0.1:{self._port}/gateway"
                return 200, {"url": url, "shards": 1, "session_start_limit": starts}
            case ["GET", "applications", _, *_, "commands"]:
                return 200, []
            case ["PUT", "applications", _, *_, "commands"]:
                return 200, [self._command(command) for command in seen.body]
            case ["GET", "applications", _, "emojis"]:
                return 200, {"items": list(self.emoji.values())}
            case ["POST", "applications", _, "emojis"]:
                emoji = {"id": str(self._id()), "name": seen.body["name"], "roles": []}
                emoji |= {"user": _user(BOT, bot=True), "require_colons": True, "managed": False}
                emoji |= {"animated": False, "available": True}
                self.emoji[int(emoji["id"])] = emoji
                return 201, emoji
            case ["POST", "interactions", _, token, "callback"]:
                self.callbacks[token] = seen.body
                message = self._message(CHANNEL, _user(BOT, bot=True), "")
                interaction = {"id": "1", "type": 2, "response_message_id": message["id"]}
                return 200, {"interaction": interaction, "resource": None}
            case ["POST", "channels", _, "typing"]:
                return 204, None
            case ["GET", "channels", channel, "webhooks"]:
                there = list(self.webhooks.values())
                return 200, [hook for hook in there if hook["channel_id"] == channel]
            case ["POST", "channels", channel, "webhooks"]:
                hook = {"id": str(self._id()), "type": 1, "name": seen.body["name"]}
                hook |= {"channel_id": channel, "guild_id": self._guild_of(int(channel))}
                hook |= {"token": f"t{hook['id']}"}
                hook |= {"application_id": str(BOT), "user": _user(BOT, bot=True), "avatar": None}
                self.webhooks[int(hook["id"])] = hook
                return 200, hook
            case ["GET", "channels", channel, "messages"]:
                there = [m for m in self.messages.values() if m["channel_id"] == channel]
                return 200, sorted(there, key=lambda m: -int(m["id"]))
            case ["POST", "channels", channel, "messages"]:
                return self._post(seen, int(channel), _user(BOT, bot=True))
            case ["POST", "webhooks", hook, token] if token in self.callbacks:
                return self._post(seen, CHANNEL, _user(BOT, bot=True), ephemeral=hook)
            case ["POST", "webhooks", hook, _] if int(hook) in self.webhooks:
                name = seen.body.get("username") or "ChatAnything"
                author = {**_user(int(hook), bot=True), "username": name}
                channel = int(self.webhooks[int(hook)]["channel_id"])
                return self._post(seen, channel, author, webhook=hook)
            case ["PATCH", "webhooks", _, token, "messages", "@original"]:
                return 200, self._message(CHANNEL, _user(BOT, bot=True), str(token))
            case ["PATCH", "webhooks", _, _, "messages", id] | [
                "PATCH",
                "channels",
                _,
                "messages",
                id,
            ] if int(id) in self.messages:
                return 200, self._change(self.messages[int(id)], seen)
            case ["DELETE", "webhooks", _, _, "messages", id] | [
                "DELETE",
                "channels",
                _,
                "messages",
                id,
            ] if int(id) in self.messages:
                del self.messages[int(id)]
                return 204, None
            case [_, "webhooks", *_] if "messages" not in seen.path:
                return 404, {"code": 10015, "message": "Unknown Webhook"}
        return 404, {"code": 10008, "message": f"Unknown: {seen.method} {seen.path}"}

    def _post(
        self,
        seen: Request,
        channel: int,
        author: dict[str, Any],
        webhook: str = "",
        ephemeral: str = "",
    ) -> tuple[int, Any]:
        nonce = seen.body.get("nonce")
        if nonce is not None and seen.body.get("enforce_nonce"):
            for message in self.messages.values():
                if message.get("nonce") == nonce:
                    return 200, message
        message = self._message(channel, author, seen.body.get("content") or "")
        message["nonce"] = nonce
        if webhook:
            message["webhook_id"] = webhook
        self._change(message, seen)
        if not ephemeral:
            self.messages[int(message["id"])] = message
        return 200, message

    def _change(self, message: dict[str, Any], seen: Request) -> dict[str, Any]:
        for key in ("content", "components", "embeds", "flags"):
            if seen.body.get(key) is not None:
                message[key] = seen.body[key]
        if seen.body.get("attachments") is not None:
            message["attachments"] = [
                self._attachment(name, data) for name, data in seen.files.items()
            ]
        return message

    def _attachment(self, name: str, data: bytes) -> dict[str, Any]:
        id = str(self._id())
        url = f"http://127.0.0.1:{self._port}/attachments/{id}/{name}"
        self.files[url] = data
        return {"id": id, "filename": name, "size": len(data), "url": url, "proxy_url": url}

    def _message(self, channel: int, author: dict[str, Any], text: str) -> dict[str, Any]:
        return {
            "id": str(self._id()),
            "channel_id": str(channel),
            "guild_id": self._guild_of(channel),
            "author": author,
            "content": text,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "type": 0,
        }

    def _command(self, command: dict[str, Any]) -> dict[str, Any]:
        given = {"id": str(self._id()), "application_id": str(BOT), "version": "1"}
        return {"description": "", "type": 1, **command, **given}

    def _guild_of(self, channel: int) -> str:
        return next(str(guild) for guild, there in self.guilds.items() if channel in there)

    def _id(self) -> int:
        self._next_id += 1 << 22
        return self._next_id


def _user(id: int, *, bot: bool = False) -> dict[str, Any]:
    name = "ChatAnything" if bot else f"person{id}"
    return {
        "id": str(id),
        "username": name,
        "discriminator": "0",
        "global_name": name,
        "avatar": None,
        "bot": bot,
        "public_flags": 0,
    }


def _member() -> dict[str, Any]:
    joined = "2025-01-01T00:00:00+00:00"
    return {"roles": [], "joined_at": joined, "deaf": False, "mute": False, "flags": 0}


def _application() -> dict[str, Any]:
    return {
        "id": str(BOT),
        "name": "ChatAnything",
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "owner": _user(OWNER),
        "team": None,
    }


def _channel(id: int, guild: int) -> dict[str, Any]:
    return {
        "id": str(id),
        "type": 0,
        "name": "general",
        "position": 0,
        "permission_overwrites": [],
        "parent_id": None,
        "topic": None,
        "nsfw": False,
        "guild_id": str(guild),
        "permissions": _EVERYTHING,
        "rate_limit_per_user": 0,
        "last_message_id": None,
    }


def _guild(id: int, channels: list[int]) -> dict[str, Any]:
    role = {"id": str(id), "name": "@everyone", "permissions": _EVERYTHING, "position": 0}
    role |= {"color": 0, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
    role["colors"] = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    return {
        "id": str(id),
        "name": "The server",
        "owner_id": str(OWNER),
        "icon": None,
        "splash": None,
        "banner": None,
        "description": None,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "system_channel_id": None,
        "system_channel_flags": 0,
        "nsfw_level": 0,
        "features": [],
        "emojis": [],
        "stickers": [],
        "roles": [role],
        "member_count": 3,
        "large": False,
        "unavailable": False,
        "joined_at": "2025-01-01T00:00:00+00:00",
        "members": [{**_member(), "user": _user(BOT, bot=True)}],
        "channels": [_channel(channel, id) for channel in channels],
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "premium_progress_bar_enabled": False,
    }
