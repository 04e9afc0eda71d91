"""A chat platform on loopback: people write there, bots listen and answer.

It does with nonces what Discord does: a message that is sent again with the nonce of an earlier
one is that message. It remembers all that was ever sent, so that what was doubled is seen.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.bench.loopback import Loopback, QuietHandler

_LONGEST_POLL: Final = 1.0


@dataclass
class Post:
    """A message that a bot has sent.

    Attributes:
        id: of the message.
        question: what it answers.
        text: as it is now.
        clips: hashes of the files that were put on it, each time one was.
        shown: seconds, monotonic, when it was whole; 0 before.
        filmed: likewise when the first file was there.
    """

    id: str
    question: str
    text: str
    clips: list[str] = field(default_factory=list)
    filmed: float = 0.0


@dataclass
class Asked:
    """A message that somebody wrote."""

    id: str
    channel: str
    gallery: str
    person: str
    text: str
    at: float = field(default_factory=time.monotonic)


class Platform(Loopback):
    """The platform; a context manager. Its attributes may be read at any time.

    Attributes:
        asked: what people wrote.
        posts: what bots answered, by id.
        repeated: messages that were sent again and recognised by their nonce.
        told: sentences to people alone, why there is no answer.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.posts: dict[str, Post] = {}
        self.repeated = 0
        self.told: list[str] = []
        self._by_nonce: dict[str, Post] = {}
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        platform = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:  # noqa: N802 - so http.server wants it
                since = int(self.path.rpartition("=")[2] or 0)
                self._say(platform._listen(since))

            def do_POST(self) -> None:  # noqa: N802
                self._say(platform._take(self.path, json.loads(self.body())))

            def _say(self, value: Any) -> None:
                data = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        super().__init__(Handler)

    def write(self, asked: Asked) -> None:
        """Somebody writes something; all bots hear it."""
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()

    def answers(self, question: str) -> list[Post]:
        """What was answered to a message."""
        with self._changed:
            return [post for post in self.posts.values() if post.question == question]

    def _listen(self, since: int) -> list[dict[str, str]]:
        """What was written after the first `since` messages; waits a while for it."""
        with self._changed:
            if len(self.asked) <= since:
                self._changed.wait(_LONGEST_POLL)
            return [
                {
                    "id": one.id,
                    "channel": one.channel,
                    "gallery": one.gallery,
                    "person": one.person,
                    "text": one.text,
                }
                for one in self.asked[since:]
            ]

    def _take(self, path: str, body: Mapping[str, Any]) -> dict[str, str]:
        with self._changed:
            if path == "/tell":
                self.told.append(str(body["reason"]))
                return {}
            if path == "/send":
                return {"id": self._send(body).id}
            post = self.posts[body["id"]]
            if body.get("text") is not None:
                post.text = str(body["text"])
            if body.get("clip"):
                post.filmed = post.filmed or time.monotonic()
                post.clips.append(str(body["clip"]))
            return {"id": post.id}

    def _send(self, body: Mapping[str, Any]) -> Post:
        nonce = str(body["nonce"])
        if nonce in self._by_nonce:
            self.repeated += 1
            return self._by_nonce[nonce]
        post = Post(f"{next(self._ids)}", str(body["question"]), str(body["text"]))
        self._by_nonce[nonce] = self.posts[post.id] = post
        return post
