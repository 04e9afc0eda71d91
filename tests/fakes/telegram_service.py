"""Telegram as a bot meets it: chats, messages, limits, refusals. Without a network.

`telegram_request` puts it behind python-telegram-bot's own request class, `telegram_server` behind
a real socket.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.telegram.clock import Clock
from tests.fakes.telegram_posts import Posts, check_text, in_thread
from tests.fakes.telegram_rooms import (
    BOT,
    TOKEN,
    Call,
    Json,
    LostError,
    RefusedError,
    Room,
    buttons_of,
    found_entities,
    snake_case,
    without_reply,
)
from tests.fakes.telegram_spec import Specification, specification

COUNTED = re.compile(r"^(send(?!ChatAction|MessageDraft)|edit|copy|forward)")


class Telegram:
    """The service.

    Args:
        clock: its limits are counted by it.
        limits: whether it keeps them: 30 messages a second, 1 a second in a chat, 20 a minute in
            a group. A violation is refused with 429 and remembered in `violations`.
    """

    def __init__(self, clock: Clock | None = None, *, limits: bool = False) -> None:
        self.clock, self.limits = clock or Clock(), limits
        self.rooms: dict[int, Room] = {}
        self.calls: list[Call] = []
        self.files: dict[str, bytes] = {}
        self._posts = Posts(self.files, self.upload)
        self.violations: list[str] = []
        self.problems: list[str] = []
        self.unanswered: set[str] = set()
        self.webhook: Json = {}
        self.undelivered: Json = {}
        self.commands: dict[str, list[Json]] = {}
        self.failures: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self._spec: Specification | None = specification()
        self._updates: deque[Json] = deque()
        self._ids = itertools.count(1000)
        self._sent: deque[float] = deque()
        self._news = asyncio.Condition()
        self._changed = asyncio.Event()
        self.deliver: Callable[[Json], None] | None = None

    @property
    def now(self) -> int:
        """The time of day, as messages have it."""
        return int(time.time())

    # -- people and chats

    def private(self, id: int, name: str = "Ada") -> Room:
        """The chat with one person, there from now on."""
        chat = {"id": id, "type": "private", "first_name": name}
        return self.rooms.setdefault(id, Room(chat, members={id}))

    def group(
        self, id: int, title: str = "Sailors", *, admins: Iterable[int] = (), forum: bool = False
    ) -> Room:
        """A group of people."""
        chat: Json = {"id": id, "type": "supergroup", "title": title}
        if forum:
            chat["is_forum"] = True
        return self.rooms.setdefault(id, Room(chat, admins=set(admins)))

    def user(self, id: int, name: str = "Ada") -> Json:
        return {"id": id, "is_bot": False, "first_name": name, "language_code": "en"}

    # -- what people do

    def say(
        self,
        room: Room,
        text: str = "",
        *,
        by: int | None = None,
        name: str = "Ada",
        kind: str = "message",
        **more: Any,
    ) -> Json:
        """Somebody writes; gives the message."""
        author = by if by is not None else room.id
        room.members.add(author)
        message: Json = {
            "message_id": next(room.ids),
            "date": self.now,
            "chat": room.chat,
            "from": self.user(author, name),
        }
        if text:
            message["text"] = text
            message["entities"] = found_entities(text)
        message.update(more)
        room.messages[message["message_id"]] = message
        self.update({kind: message})
        return message

    def reply(self, room: Room, to: Json, text: str, **more: Any) -> Json:
        """Somebody answers a message."""
        return self.say(room, text, reply_to_message=without_reply(to), **more)

    def press(self, room: Room, message: Json, data: str, *, by: int | None = None) -> str:
        """Somebody touches an inline button; gives the id of the query."""
        id = f"q{next(self._ids)}"
        self.unanswered.add(id)
        author = by if by is not None else room.id
        self.update(
            {
                "callback_query": {
                    "id": id,
                    "from": self.user(author),
                    "message": without_reply(message),
                    "chat_instance": "1",
                    "data": data,
                }
            }
        )
        return id

    def press_named(self, room: Room, message: Json, label: str, *, by: int | None = None) -> str:
        """Somebody touches the button with this label."""
        message = room.messages[message["message_id"]]
        for button in buttons_of(message.get("reply_markup", {})):
            if label in button["text"]:
                return self.press(room, message, button["callback_data"], by=by)
        raise AssertionError(f"no button {label!r} under {message.get('text', message)!r}")

    def upload(self, data: bytes) -> Json:
        """A file that a person sends; gives its description."""
        id = f"file{next(self._ids)}"
        self.files[id] = data
        return {"file_id": id, "file_unique_id": f"u{id}", "file_size": len(data)}

    def update(self, content: Json, *, twice: bool = False) -> None:
        """Delivers an update."""
        update = {"update_id": next(self._ids), **content}
        self.redeliver(update)
        if twice:
            self.redeliver(update)

    def redeliver(self, update: Json) -> None:
        """Delivers an update again, or for the first time."""
        self._updates.append(update)
        self._changed.set()
        if self.deliver is not None and self.webhook.get("url"):
            self.deliver(self._updates.popleft())

    async def until(self, done: Callable[[], Any], seconds: float = 10.0) -> Any:
        """Waits until `done()` gives something, and gives it."""
        async with asyncio.timeout(seconds), self._news:
            while not (found := done()):
                await self._news.wait()
            return found

    def named(self, method: str) -> list[Call]:
        """Calls of one method that were done."""
        return [c for c in self.calls if c.method == method and c.code == 200]

    # -- the Bot API

    async def answer(
        self, token: str, method: str, parameters: Mapping[str, str], files: Mapping[str, bytes]
    ) -> tuple[int, Json]:
        """Does what a request asks.

        Raises:
            LostError: done, and the answer is lost.
        """
        call = Call(method, dict(parameters), dict(files), self.clock.now())
        lost = False
        try:
            if token != TOKEN:
                raise RefusedError(401, "Unauthorized")
            self._check_published(call)
            failure = self.failures[method].popleft() if self.failures[method] else None
            lost = isinstance(failure, LostError)
            if failure is not None and not lost:
                raise failure
            self._keep_limits(call)
            call.result = await self._do(call)
            call.code = 200
            answer: Json = {"ok": True, "result": call.result}
        except RefusedError as error:
            call.code, call.result = error.code, error.description
            answer = {"ok": False, "error_code": error.code, "description": error.description}
            if error.parameters:
                answer["parameters"] = error.parameters
        if method != "getUpdates":
            self.calls.append(call)
        async with self._news:
            self._news.notify_all()
        if lost:
            raise LostError
        return call.code, answer

    def _check_published(self, call: Call) -> None:
        if self._spec is not None:
            self.problems += self._spec.problems(call.method, call.parameters, call.files)

    def _keep_limits(self, call: Call) -> None:
        if not self.limits or "chat_id" not in call.parameters:
            return
        room, now = self._room(call), self.clock.now()
        if call.method == "sendMessageDraft":
            self._count(call, room.drafts, 1, 1.0, now)
        if COUNTED.match(call.method):
            self._count(call, self._sent, 30, 1.0, now, counting=False)
            self._count(call, room.sent, 1, 1.0, now, counting=False)
            if not room.is_private:
                self._count(call, room.sent, 20, 60.0, now, counting=False)
            self._sent.append(now)
            room.sent.append(now)

    def _count(
        self,
        call: Call,
        times: deque[float],
        most: int,
        seconds: float,
        now: float,
        *,
        counting: bool = True,
    ) -> None:
        while times and times[0] <= now - 60.0:
            times.popleft()
        recent = [at for at in times if at > now - seconds]
        if len(recent) >= most:
            wait = max(1, round(recent[-most] + seconds - now + 0.5))
            self.violations.append(f"{call.method} in {call.chat}: {most} in {seconds:.0f} s")
            raise RefusedError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        if counting:
            times.append(now)

    def _room(self, call: Call) -> Room:
        chat = call.chat
        if chat is None or chat not in self.rooms:
            raise RefusedError(400, "Bad Request: chat not found")
        room = self.rooms[chat]
        if room.refusal is not None:
            raise room.refusal
        if call.method in room.forbidden:
            raise RefusedError(400, f"Bad Request: not enough rights to {call.method}")
        return room

    async def _do(self, call: Call) -> Any:
        doing = getattr(self, "_do_" + snake_case(call.method), None)
        if doing is not None:
            result = doing(call)
            return await result if asyncio.iscoroutine(result) else result
        if call.method.startswith("send"):
            return self._posts.post(call, self._room(call))
        if call.method.startswith("edit"):
            if "inline_message_id" in call.parameters:
                return True
            return self._posts.edit(call, self._room(call))
        if call.method.startswith(("set", "delete", "answer")):
            return True
        raise RefusedError(404, "Not Found")

    def _do_get_me(self, call: Call) -> Json:
        return {
            **BOT,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": True,
        }

    async def _do_get_updates(self, call: Call) -> list[Json]:
        offset = int(call.parameters.get("offset", "0"))
        while self._updates and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        timeout = float(call.parameters.get("timeout", "0"))
        if not self._updates and timeout:
            self._changed.clear()
            try:
                async with asyncio.timeout(min(timeout, 5.0)):
                    await self._changed.wait()
            except TimeoutError:
                return []
        allowed = json.loads(call.parameters.get("allowed_updates", "[]"))
        wanted = [u for u in self._updates if not allowed or set(allowed) & set(u)]
        return wanted[: int(call.parameters.get("limit", "100"))]

    def _do_set_webhook(self, call: Call) -> bool:
        self.webhook = dict(call.parameters)
        while self.deliver is not None and self._updates:
            self.deliver(self._updates.popleft())
        return True

    def _do_get_webhook_info(self, call: Call) -> Json:
        url = self.webhook.get("url", "")
        known = {"url": url, "has_custom_certificate": False, "pending_update_count": 0}
        return {**known, **self.undelivered}

    def _do_delete_webhook(self, call: Call) -> bool:
        self.webhook = {}
        return True

    def _do_set_my_commands(self, call: Call) -> bool:
        commands = json.loads(call.parameters["commands"])
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise RefusedError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise RefusedError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        scope = json.loads(call.parameters.get("scope", '{"type": "default"}'))["type"]
        self.commands[f"{scope}:{call.parameters.get('language_code', '')}"] = commands
        return True

    def _do_get_chat_member(self, call: Call) -> Json:
        room, user = self._room(call), int(call.parameters["user_id"])
        if user in room.admins:
            return {
                "status": "creator",
                "user": self.user(user),
                "is_anonymous": False,
            }
        if user not in room.members:
            return {"status": "left", "user": self.user(user)}
        return {"status": "member", "user": self.user(user)}

    def _do_get_file(self, call: Call) -> Json:
        id = call.parameters["file_id"]
        if id not in self.files:
            raise RefusedError(400, "Bad Request: invalid file_id")
        if len(self.files[id]) > 20_000_000:
            raise RefusedError(400, "Bad Request: file is too big")
        return {
            "file_id": id,
            "file_unique_id": f"u{id}",
            "file_size": len(self.files[id]),
            "file_path": f"documents/{id}",
        }

    def _do_send_chat_action(self, call: Call) -> bool:
        in_thread(call, self._room(call))
        return True

    def _do_send_message_draft(self, call: Call) -> bool:
        room = self._room(call)
        if not room.is_private:
            raise RefusedError(400, "Bad Request: drafts are for private chats")
        check_text(call.text, call.parameters.get("entities"), 4096, empty=True)
        room.draft = call.text
        return True

    def _do_delete_message(self, call: Call) -> bool:
        room = self._room(call)
        if room.messages.pop(int(call.parameters["message_id"]), None) is None:
            raise RefusedError(400, "Bad Request: message to delete not found")
        return True

    def _do_answer_callback_query(self, call: Call) -> bool:
        id = call.parameters["callback_query_id"]
        if id not in self.unanswered:
            raise RefusedError(400, "Bad Request: query is too old and response timeout expired")
        if len(call.text) > 200:
            raise RefusedError(400, "Bad Request: MESSAGE_TOO_LONG")
        self.unanswered.discard(id)
        return True
