"""The simplest adapter: a conversation in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import typer

from bot.answers import kept_file, watch_reply
from bot.commands.talk import CHANNEL, chosen_mode
from bot.output import plain, say
from personas.errors import ChatAnythingError, InvalidInputError

if TYPE_CHECKING:
    from bot.app import App
    from engine.conversation import Conversations, Mode
    from personas.persona import Persona
    from storage.store import Storage

HELP = """/history  what was said so far
/mode M   answer with text, voice or clip
/forget   start anew
/who      who you are talking to
/quit     leave; so does Ctrl+D"""
SHOWN_TURNS = 6


async def chat(app: App, name: str, *, mode: str, gallery: str) -> None:
    """Talks until the person leaves; the conversation is kept and goes on next time."""
    storage = await app.storage()
    persona = await storage.personas.get(gallery, name, loosely=True)
    session = Session(app, storage, await app.conversations(), persona, chosen_mode(app, mode))
    await session.run()


class Session:
    """One person at one terminal with one persona."""

    def __init__(
        self,
        app: App,
        storage: Storage,
        conversations: Conversations,
        persona: Persona,
        mode: Mode,
    ) -> None:
        self._app = app
        self._storage = storage
        self._conversations = conversations
        self._persona = persona
        self._mode = mode
        self._conversation = ""

    @property
    def _name(self) -> str:
        return plain(self._persona.personality.name)

    async def run(self) -> None:
        """Reads lines until the end."""
        opened = await self._storage.conversations.open(self._persona, CHANNEL)
        self._conversation = opened.id
        say(f"Talking with {self._name}. /help lists what else you can type.")
        await self._conversations.begin(self._persona, CHANNEL)
        await self._history(SHOWN_TURNS)
        while (line := await asyncio.to_thread(_read)) is not None:
            if not line.strip():
                continue
            try:
                if line.lstrip().startswith("/"):
                    if not await self._command(line.split()):
                        break
                else:
                    await self._answer(line)
            except ChatAnythingError as error:
                # A message that failed costs that message, not the conversation.
                say(f"Error: {error}")
        say(f"{self._name} waves goodbye.")

    async def _command(self, words: list[str]) -> bool:
        """Does what a line with a slash asks; False ends the conversation."""
        match words:
            case ["/quit" | "/exit" | "/bye", *_]:
                return False
            case ["/help" | "/?", *_]:
                say(HELP)
            case ["/history", *_]:
                await self._history(None)
            case ["/forget", *_]:
                await self._conversations.forget(self._persona, CHANNEL)
                say(f"{self._name} has forgotten this conversation.")
                await self._conversations.begin(self._persona, CHANNEL)
            case ["/mode", mode]:
                self._mode = chosen_mode(self._app, mode)
                say(f"Answers come as {self._mode}.")
            case ["/who", *_]:
                who = self._persona.personality
                say("\n".join(filter(None, (who.name, who.tagline, who.character))))
            case _:
                raise InvalidInputError(f"There is no command {words[0]}; /help lists them.")
        return True

    async def _answer(self, message: str) -> None:
        typer.echo(f"{self._name}: ", nl=False)
        events = self._conversations.reply(self._persona, CHANNEL, message, mode=self._mode)
        try:
            answer = await watch_reply(events, echo=True)
        except BaseException:
            typer.echo()
            raise
        if answer.speech is not None:
            file = await kept_file(self._storage, answer)
            say(f"  [{answer.speech.duration:.1f} s] {file}")
        if answer.clip_failure:
            say(f"  No clip: {answer.clip_failure}")

    async def _history(self, limit: int | None) -> None:
        for turn in await self._storage.conversations.history(self._conversation, limit=limit):
            speaker = self._name if turn.role == "persona" else turn.author or "You"
            typer.echo(plain(f"{speaker}: {turn.text}"))


def _read() -> str | None:
    """One line from the person, or None when they leave."""
    if sys.stdin.isatty():
        # Line editing and history with the arrow keys, where the platform has them.
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401
        try:
            return input("You: ")
        except EOFError:
            typer.echo(err=True)
            return None
    line = sys.stdin.readline()
    return line if line else None
