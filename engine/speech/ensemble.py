"""The ensemble: which engines there are, whether each can speak here, and how it is opened."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.speech.base import SpeechCapabilities, SpeechSynthesizer
from engine.speech.breaker import Breaker, Clock
from personas.voices.tags import ANY, speaks

log = logging.getLogger(__name__)

Obstacle = Callable[[], str]


def _none() -> str:
    return ""


@dataclass(frozen=True)
class EngineEntry:
    """An engine that the mixture may use.

    Attributes:
        name: as `Voice.engine` names it.
        make: opens it; cheap, models load with the first speech.
        obstacle: why it cannot run here, as a sentence with the command that helps; asked often.
        invited: it was set up by hand for this program, so that it may be used like one of this
            machine even where it is online.
        deadline: seconds after which a speech counts as failed; None waits for it.
    """

    name: str
    make: Callable[[], SpeechSynthesizer]
    obstacle: Obstacle = _none
    invited: bool = False
    deadline: float | None = None


@dataclass(frozen=True)
class EngineStatus:
    """How an engine is, for those who look after the program.

    Attributes:
        name: the engine.
        obstacle: why it cannot run here; empty: it can.
        resting: seconds for which it is set aside yet, because it failed.
        reason: why it failed last; empty: it did not.
        capabilities: what it can do; None where it cannot run here.
    """

    name: str
    obstacle: str
    resting: float = 0.0
    reason: str = ""
    capabilities: SpeechCapabilities | None = None


@dataclass
class Member:
    """An engine of the ensemble, opened when it is first needed."""

    entry: EngineEntry
    breaker: Breaker
    is_broken: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _opened: SpeechSynthesizer | None = None

    @property
    def name(self) -> str:
        """The engine."""
        return self.entry.name

    @property
    def engine(self) -> SpeechSynthesizer:
        """The engine itself."""
        with self._lock:
            if self._opened is None:
                self._opened = self.entry.make()
            return self._opened

    def speaks(self, language: str) -> bool:
        """Whether it knows a language."""
        return any(
            tag == ANY or speaks(tag, language) for tag in self.engine.capabilities.languages
        )


class Ensemble:
    """All engines, the preferred first. It is the `Roster` that voices are cast by.

    Args:
        entries: the engines.
        online: `needed`, `always` or `never`; see `SpeechSettings.online`.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        entries: Iterable[EngineEntry],
        online: str = "needed",
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._members = {entry.name: Member(entry, Breaker(clock)) for entry in entries}
        self._online = online

    def members(self) -> tuple[Member, ...]:
        """All engines, those that cannot speak too."""
        return tuple(self._members.values())

    def get(self, engine: str) -> Member | None:
        """The engine of this name, if it can run here."""
        member = self._members.get(engine)
        return member if member is not None and not self.obstacle(engine) else None

    def able(self) -> list[Member]:
        """The engines that can speak now."""
        return [
            member
            for member in self._members.values()
            if not self.obstacle(member.name) and not member.breaker.resting
        ]

    def engines_for(self, language: str) -> tuple[str, ...]:
        """The engines to cast from for a language, the preferred first.

        Natural voices of this machine, or of an endpoint that was set up; else natural voices
        online; else any voice.
        """
        able = [
            member
            for member in self.able()
            if not member.breaker.is_set_aside and member.speaks(language)
        ]
        natural = [member for member in able if member.engine.capabilities.natural]
        near = [member for member in natural if self._is_near(member)]
        return tuple(member.name for member in near or natural or able)

    def obstacle(self, engine: str) -> str:
        """Why an engine cannot speak here, as a sentence that says what to do; empty: it can."""
        member = self._members.get(engine)
        if member is None:
            return f"the engine {engine} is not among the `engines` of [speech]."
        if obstacle := member.entry.obstacle():
            return obstacle
        try:
            capabilities = member.engine.capabilities
        except Exception as error:  # half an installation must not cost the other engines
            if not member.is_broken:
                log.warning("The speech engine %s cannot be opened.", engine, exc_info=error)
            member.is_broken = True
            return f"it cannot be opened ({type(error).__name__}: {error})."
        if self._online == "never" and capabilities.online:
            return f"the engine {engine} is online, and `online` of [speech] is never."
        return ""

    def statuses(self) -> list[EngineStatus]:
        """How all engines are."""
        found = []
        for member in self._members.values():
            obstacle = self.obstacle(member.name)
            capabilities = None if obstacle else member.engine.capabilities
            breaker = member.breaker
            found.append(
                EngineStatus(member.name, obstacle, breaker.resting, breaker.reason, capabilities)
            )
        return found

    def _is_near(self, member: Member) -> bool:
        online = member.engine.capabilities.online
        return not online or member.entry.invited or self._online == "always"
