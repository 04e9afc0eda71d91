"""The mixture of voices: one synthesizer over all engines, so that the person always hears one."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import numpy as np

from engine.observing import NOBODY, Observer
from engine.speech.base import Speech, SpeechCapabilities
from engine.speech.ensemble import Ensemble, Member
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError
from personas.languages import language_of
from personas.persona import Voice
from personas.voices import VoiceCatalogue
from personas.voices.tags import ANY, speaks

log = logging.getLogger(__name__)

_SILENCE = 1e-4
"""What is never louder was not said."""
_NO_VOICE = (
    "No voice can speak just now. `chatanything doctor` says which there are and what they need."
)


class MixtureSynthesizer:
    """Speaks with the engine of the voice, or with the nearest voice of another one.

    An engine that fails is set aside for a while, and the voices of others stand in: in the same
    language where there is one, with what sets the persona's voice apart. Its own voice comes
    back when it can. The log tells; the person does not need to know.

    Args:
        ensemble: the engines.
        voices: the catalogue of all voices, those of missing engines too.
        observer: told which engines work.
    """

    def __init__(
        self, ensemble: Ensemble, voices: VoiceCatalogue, *, observer: Observer = NOBODY
    ) -> None:
        self._ensemble = ensemble
        self._voices = voices
        self._observer = observer
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._last_used: Member | None = None

    @property
    def name(self) -> str:
        """The mixture; no voice names it."""
        return "mixture"

    @property
    def capabilities(self) -> SpeechCapabilities:
        """What the engines that can speak now can do together."""
        able = [member.engine.capabilities for member in self._ensemble.able()]
        languages = dict.fromkeys(tag for one in able for tag in one.languages)
        return SpeechCapabilities(
            languages=tuple(languages),
            phoneme_timing=all(one.phoneme_timing for one in able),
            word_timing=all(one.word_timing for one in able),
            online=bool(able) and all(one.online for one in able),
            natural=any(one.natural for one in able),
            device=next((one.device for one in able if not one.online), "cpu"),
        )

    def warm_up(self) -> None:
        """Loads the engine that spoke last, or at first the one that most voices are cast from.

        Raises:
            UnavailableError: no engine can run here.
        """
        member = self._last_used
        if member is None:
            preferred = map(self._ensemble.get, self._ensemble.engines_for("en"))
            member = next((one for one in preferred if one is not None), None)
        if member is None:
            raise UnavailableError(_NO_VOICE)
        member.engine.warm_up()

    def warm_up_for(self, voice: Voice) -> None:
        """Loads the engine that is going to speak in `voice`.

        Raises:
            UnavailableError: no engine can run here.
        """
        member = self._ensemble.get(voice.engine)
        if member is None or member.breaker.is_set_aside:
            self.warm_up()
        else:
            member.engine.warm_up()

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text` in `voice`, or in the nearest voice that can.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: no engine can speak.
        """
        own = self._voices.find(voice.preset)
        known = own is not None and own.engine == voice.engine
        language = own.language if own is not None and own.language != ANY else language_of(text)
        refusal: InvalidInputError | None = None
        failure: ChatAnythingError | None = None
        tried: set[str] = set()
        line: Iterator[Voice] = self._understudies(voice, language, tried)
        if known:
            line = itertools.chain([voice], line)
        while (who := next(line, None)) is not None:
            member = self._ensemble.get(who.engine)
            if member is None:
                self._tell(voice, self._ensemble.obstacle(who.engine))
                continue
            if not member.breaker.allows():
                continue
            tried.add(who.engine)
            try:
                speech = self._speak(member, text, who)
            except InvalidInputError as error:
                written = language_of(text, language)
                if refusal is not None or speaks(language, written):
                    raise refusal or error from error
                # letters that this voice cannot read: somebody else may
                refusal, language = error, written
                line = self._understudies(voice, written, tried)
            except ChatAnythingError as error:
                failure = failure or error
                self._tell(voice, str(error))
            else:
                return speech
        if refusal is not None:
            raise refusal
        raise UnavailableError(_NO_VOICE) from failure

    def check(self, engine: str) -> float:
        """Lets an engine say a word, however it was before.

        Returns:
            Seconds it took.

        Raises:
            ChatAnythingError: it cannot speak.
        """
        if obstacle := self._ensemble.obstacle(engine):
            raise UnavailableError(obstacle)
        member = self._ensemble.get(engine)
        preset = next((one for one in self._voices.presets() if one.engine == engine), None)
        if member is None or preset is None:
            raise UnavailableError(f"There is no voice of the engine {engine}.")
        start = time.perf_counter()
        self._speak(member, f"Hello {time.time_ns() % 1000}.", preset.cast(0))
        return time.perf_counter() - start

    def _understudies(self, voice: Voice, language: str, tried: set[str]) -> Iterator[Voice]:
        """Who may stand in, the best first: those that speak the language, then any."""
        preferred = self._ensemble.engines_for(language)
        able = self._ensemble.able()
        fluent = [member.name for member in able if member.speaks(language)]
        others = [member.name for member in able if member.name not in fluent]
        for tier in (preferred, [name for name in fluent if name not in preferred], others):
            engines = [name for name in tier if name not in tried]
            yield from self._voices.understudies(voice, language, engines)

    def _speak(self, member: Member, text: str, voice: Voice) -> Speech:
        """Says it with one engine, and notes whether that worked."""
        try:
            speech = _within(
                member.entry.deadline, lambda: member.engine.synthesize(text, voice), member.name
            )
            if not len(speech.samples) or float(np.abs(speech.samples).max()) < _SILENCE:
                raise UnavailableError(f"The speech engine {member.name} gave no sound.")
        except UnavailableError as error:
            self._failed(member, error)
            raise
        except ChatAnythingError:
            raise  # the text's or the voice's fault
        except Exception as error:
            log.warning("The speech engine %s broke down.", member.name, exc_info=error)
            failure = UnavailableError(f"The speech engine {member.name} does not work.")
            failure.__cause__ = error
            self._failed(member, failure)
            raise failure from error
        self._last_used = member
        self._observer.worked("speech", member.name)
        if member.breaker.succeeded():
            log.info("The speech engine %s is back.", member.name)
            with self._lock:
                self._told.discard(member.name)
        return speech

    def _failed(self, member: Member, error: UnavailableError) -> None:
        self._observer.failed("speech", member.name)
        seconds = member.breaker.failed(str(error))
        if seconds:
            log.warning(
                "The speech engine %s is set aside for %.0f s: %s",
                member.name,
                seconds,
                error,
            )

    def _tell(self, voice: Voice, reason: str) -> None:
        """Tells the log that other voices speak; once an engine, until it is back."""
        with self._lock:
            if voice.engine in self._told:
                return
            self._told.add(voice.engine)
        log.warning(
            "Other voices speak instead of those of the engine %s, such as %s: %s",
            voice.engine,
            voice.preset,
            reason,
        )


def _within(seconds: float | None, speak: Callable[[], Speech], engine: str) -> Speech:
    """The speech, if it comes in time; an engine that hangs is left to itself."""
    if seconds is None:
        return speak()
    future: Future[Speech] = Future()

    def work() -> None:
        try:
            future.set_result(speak())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, name=f"speech-{engine}", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError as error:
        raise UnavailableError(
            f"The speech engine {engine} did not answer within {seconds:.0f} seconds."
        ) from error
