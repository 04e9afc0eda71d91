"""What a Telegram in this process is made of: rooms, calls, refusals."""

from __future__ import annotations

import itertools
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

BOT = {"id": 4242, "is_bot": True, "first_name": "Anything", "username": "anything_bot"}
TOKEN = "4242:AAF-secret-token-of-nobody_0123456789"
Json = dict[str, Any]


class RefusedError(Exception):
    """What Telegram says instead of doing it."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


class LostError(Exception):
    """It was done, and the answer never arrives."""


@dataclass
class Call:
    """One request."""

    method: str
    parameters: dict[str, str]
    files: dict[str, bytes]
    at: float
    result: Any = None
    code: int = 0

    @property
    def chat(self) -> int | None:
        return int(self.parameters["chat_id"]) if "chat_id" in self.parameters else None

    @property
    def text(self) -> str:
        return self.parameters.get("text", self.parameters.get("caption", ""))

    @property
    def buttons(self) -> list[Json]:
        return buttons_of(json.loads(self.parameters.get("reply_markup", "{}")))


def buttons_of(markup: Json) -> list[Json]:
    return [button for row in markup.get("inline_keyboard", []) for button in row]


@dataclass
class Room:
    """A chat."""

    chat: Json
    messages: dict[int, Json] = field(default_factory=dict)
    ids: Any = field(default_factory=lambda: itertools.count(1))
    admins: set[int] = field(default_factory=set)
    members: set[int] = field(default_factory=set)
    topics: set[int] = field(default_factory=set)
    refusal: RefusedError | None = None
    forbidden: set[str] = field(default_factory=set)
    sent: deque[float] = field(default_factory=deque)
    drafts: deque[float] = field(default_factory=deque)
    draft: str = ""

    @property
    def id(self) -> int:
        return int(self.chat["id"])

    @property
    def is_private(self) -> bool:
        return bool(self.chat["type"] == "private")

    @property
    def from_bot(self) -> list[Json]:
        """What the bot has written here, as it looks now."""
        return [m for m in self.messages.values() if m.get("from", {}).get("id") == BOT["id"]]

    @property
    def texts(self) -> list[str]:
        return [str(m.get("text", m.get("caption", ""))) for m in self.from_bot]

    def last(self, kind: str = "message_id") -> Json:
        """The newest message of the bot that has something of this kind."""
        return next(m for m in reversed(self.from_bot) if kind in m)


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def without_reply(message: Json) -> Json:
    """A message as it stands inside another one."""
    return {key: value for key, value in message.items() if key != "reply_to_message"}


def found_entities(text: str) -> list[Json]:
    """What Telegram finds in a person's text."""
    found = []
    for kind, pattern in (
        ("bot_command", r"(?:^|(?<=\s))/[a-z0-9_]+(?:@\w+)?"),
        ("mention", r"(?<!\w)@\w{4,}"),
    ):
        for match in re.finditer(pattern, text):
            before = len(text[: match.start()].encode("utf-16-le")) // 2
            length = len(match[0].encode("utf-16-le")) // 2
            found.append({"type": kind, "offset": before, "length": length})
    return found
