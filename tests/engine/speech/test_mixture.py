"""The mixture of voices: somebody always speaks, in the right language, and comes back."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from engine.speech.base import Speech
from engine.speech.breaker import Breaker
from engine.speech.delivery import prepare
from engine.speech.ensemble import EngineEntry, Ensemble
from engine.speech.mixture import MixtureSynthesizer
from engine.speech.settings import SpeechSettings
from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from personas.persona import Voice
from personas.voices import VoiceCatalogue, parse_voices
from tests.fakes.speech import HummingSynthesizer

WOMAN = {"gender": "female", "age": "adult", "tone": ["warm"], "description": "a woman"}
MAN = {**WOMAN, "gender": "male", "description": "a man"}
VOICES = parse_voices(
    {
        "woman": {**WOMAN, "engine": "near", "language": "en"},
        "man": {**MAN, "engine": "near", "language": "en", "pitch": 0.5, "formant": 0.8},
        "woman-far": {**WOMAN, "engine": "far", "language": "de-DE", "character": "woman"},
        "man-far": {**MAN, "engine": "far", "language": "de-DE", "character": "man"},
        "woman-far-en": {**WOMAN, "engine": "far", "language": "en-US", "character": "woman"},
        "woman-metal": {**WOMAN, "engine": "metal", "language": "de", "character": "woman"},
        "man-metal": {**MAN, "engine": "metal", "language": "de", "pitch": 0.6, "character": "man"},
        "man-metal-en": {**MAN, "engine": "metal", "language": "en", "character": "man"},
        "woman-ru": {**WOMAN, "engine": "metal", "language": "ru", "character": "woman"},
    }
)


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


class RecordingEngine(HummingSynthesizer):
    """Remembers the voices it spoke in; speaks what its languages can write."""

    def __init__(self, name: str, **traits: Any) -> None:
        super().__init__(name=name, **traits)
        self.voices: list[Voice] = []

    def synthesize(self, text: str, voice: Voice) -> Speech:
        if not text.isascii() and "ru" not in self.languages:
            raise InvalidInputError("There is no word in this message that it can say.")
        speech = super().synthesize(text, voice)
        self.voices.append(voice)
        return speech


@dataclass
class House:
    """Three engines and a mixture of them."""

    near: RecordingEngine = field(default_factory=lambda: RecordingEngine("near"))
    far: RecordingEngine = field(
        default_factory=lambda: RecordingEngine("far", languages=("de", "en"), online=True)
    )
    metal: RecordingEngine = field(
        default_factory=lambda: RecordingEngine(
            "metal", languages=("de", "en", "ru"), natural=False
        )
    )
    clock: Clock = field(default_factory=Clock)
    obstacles: dict[str, str] = field(default_factory=dict)
    online: str = "needed"
    deadline: float | None = None

    def __post_init__(self) -> None:
        entries = [
            EngineEntry(
                engine.name,
                lambda engine=engine: engine,  # type: ignore[misc]
                lambda name=engine.name: self.obstacles.get(name, ""),  # type: ignore[misc]
                deadline=self.deadline,
            )
            for engine in (self.near, self.far, self.metal)
        ]
        self.ensemble = Ensemble(entries, self.online, clock=self.clock)
        self.mixture = MixtureSynthesizer(self.ensemble, VOICES)

    def say(self, preset: str, text: str = "Hello there.", **shaping: float) -> str:
        """Who spoke."""
        own = VOICES.find(preset)
        voice = Voice(engine=own.engine if own else "elsewhere", preset=preset, **shaping)
        before = {engine.name: len(engine.voices) for engine in self.engines}
        self.mixture.synthesize(text, voice)
        (spoke,) = [e for e in self.engines if len(e.voices) > before[e.name]]
        return spoke.voices[-1].preset

    @property
    def engines(self) -> tuple[RecordingEngine, ...]:
        return (self.near, self.far, self.metal)


@pytest.fixture
def house() -> House:
    return House()


# -- who speaks


def test_each_voice_is_spoken_by_its_engine(house: House) -> None:
    assert house.say("woman") == "woman"
    assert house.say("man-far") == "man-far"
    assert house.say("man-metal") == "man-metal"


@pytest.mark.parametrize(
    "failure", [UnavailableError("offline"), RuntimeError("a bug"), ConnectionError("cut")]
)
def test_when_an_engine_fails_the_nearest_voice_of_the_language_speaks(
    house: House, failure: Exception
) -> None:
    house.far.failures.append(failure)
    assert house.say("man-far") == "man-metal"


def test_a_text_that_cannot_be_prepared_sets_no_engine_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Reading(RecordingEngine):
        def synthesize(self, text: str, voice: Voice) -> Speech:
            prepare(text, voice, SpeechSettings())
            return super().synthesize(text, voice)

    def breaks(*_: object) -> None:
        raise OverflowError("a number that nobody thought of")

    house = House(near=Reading("near"))
    with monkeypatch.context() as patched:
        patched.setattr("engine.speech.delivery.speakable", breaks)
        for _ in range(3):
            with pytest.raises(InvalidInputError, match="in other words"):
                house.say("woman")
    assert house.say("woman") == "woman"


def test_an_engine_that_gives_no_sound_has_failed(house: House) -> None:
    class Mute(RecordingEngine):
        def synthesize(self, text: str, voice: Voice) -> Speech:
            speech = super().synthesize(text, voice)
            self.voices.clear()
            return replace(speech, samples=np.zeros(800, np.float32))

    house = House(far=Mute("far", languages=("de",), online=True))
    assert house.say("woman-far") == "woman-metal"


def test_an_engine_that_hangs_is_not_waited_for() -> None:
    stop = threading.Event()

    class Hanging(RecordingEngine):
        def synthesize(self, text: str, voice: Voice) -> Speech:
            stop.wait(20)
            raise UnavailableError("too late")

    house = House(far=Hanging("far", languages=("de",), online=True), deadline=0.05)
    assert house.say("woman-far") == "woman-metal"
    assert "0 seconds" in house.ensemble.statuses()[1].reason
    stop.set()


def test_what_sets_a_voice_apart_goes_with_it(house: House) -> None:
    house.far.failures.append(UnavailableError("offline"))
    house.say("man-far", pitch=1.1, formant=0.9, rate=1.2, breath=0.3)
    (voice,) = house.metal.voices
    assert voice.pitch == pytest.approx(0.66)
    assert voice.formant == pytest.approx(0.9)
    assert voice.rate == pytest.approx(1.2)
    assert voice.breath == pytest.approx(0.3)


def test_where_nobody_speaks_the_language_somebody_speaks_anyway(house: House) -> None:
    house.obstacles.update(far="not installed", metal="not installed")
    assert house.say("man-far") == "man"


@pytest.mark.parametrize(
    ("preset", "text", "who"),
    [
        ("from-another-machine", "Hello, how are you?", "woman"),
        ("deep-old-man", "Hello, how are you?", "man"),
        ("eine-stimme", "Wie geht es dir, und was machst du?", "woman-far"),
    ],
)
def test_a_voice_that_is_unknown_here_finds_one_that_is_not(
    house: House, preset: str, text: str, who: str
) -> None:
    assert house.say(preset, text) == who


def test_a_preset_of_another_engine_than_the_voice_says_counts_as_unknown(house: House) -> None:
    house.mixture.synthesize("Hello there.", Voice(engine="gone", preset="man"))
    assert [voice.preset for voice in house.near.voices] == ["man"]


def test_letters_that_a_voice_cannot_read_are_read_by_one_that_can(house: House) -> None:
    assert house.say("woman", "Привет, как дела?") == "woman-ru"
    assert house.ensemble.statuses()[0].reason == "", "it is no failure of the engine"


@pytest.mark.parametrize("text", ["", "...", "🙂"])
def test_what_nobody_can_say_is_refused_with_the_first_reason(house: House, text: str) -> None:
    with pytest.raises(InvalidInputError):
        house.mixture.synthesize(text, Voice(engine="near", preset="woman"))
    assert not house.ensemble.statuses()[0].resting


def test_where_no_engine_can_speak_the_person_is_told_what_helps(house: House) -> None:
    house.obstacles.update(near="gone", far="gone", metal="gone")
    with pytest.raises(UnavailableError, match="chatanything doctor"):
        house.say("woman")
    with pytest.raises(UnavailableError):
        house.mixture.warm_up()


def test_a_preset_that_the_engine_does_not_know_costs_only_this_voice(house: House) -> None:
    house.far.failures += [NotFoundError("no such speaker")] * 5
    for _ in range(5):
        assert house.say("woman-far") == "woman-metal"
    assert house.say("woman-far") == "woman-far", "the engine was never set aside"


# -- setting aside and coming back


def fail(house: House, times: int = 2) -> None:
    house.far.failures += [UnavailableError("403")] * times
    for _ in range(times):
        assert house.say("woman-far") == "woman-metal"


def test_an_engine_that_keeps_failing_is_left_alone_and_then_tried_again(house: House) -> None:
    fail(house)
    house.far.failures.append(UnavailableError("must not be asked"))
    house.clock.now += 29
    assert house.say("woman-far") == "woman-metal"
    assert len(house.far.failures) == 1
    house.far.failures.clear()
    house.clock.now += 2
    assert house.say("woman-far") == "woman-far"


def test_each_further_failure_doubles_the_time_up_to_ten_minutes(house: House) -> None:
    fail(house)
    waits = []
    for _ in range(7):
        rest = house.ensemble.statuses()[1].resting
        waits.append(round(rest))
        house.clock.now += rest
        house.far.failures.append(UnavailableError("still 403"))
        assert house.say("woman-far") == "woman-metal"
    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_one_failure_is_forgiven(house: House) -> None:
    fail(house, 1)
    assert house.say("woman-far") == "woman-far"


def test_the_log_tells_it_once_and_the_return(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fail(house)
    for _ in range(5):
        house.say("woman-far")
    told = [record.getMessage() for record in caplog.records]
    assert len([line for line in told if "instead of those of the engine far" in line]) == 1
    assert len([line for line in told if "set aside for 30 s" in line]) == 1
    house.clock.now += 31
    house.say("woman-far")
    assert "is back" in caplog.records[-1].getMessage()


def test_only_one_asks_an_engine_that_may_be_back() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed("no")
    assert breaker.allows(), "one failure is forgiven"
    assert breaker.failed("no") == 30
    assert [breaker.allows(), breaker.allows()] == [False, False]
    clock.now += 30
    assert [breaker.allows(), breaker.allows()] == [True, False]
    clock.now += 31
    assert breaker.allows(), "who asked never came back"
    assert breaker.succeeded()
    assert [breaker.allows(), breaker.allows()] == [True, True]


def test_late_failures_of_calls_that_began_before_do_not_add_up() -> None:
    breaker = Breaker(Clock())
    assert [breaker.failed("cut") for _ in range(6)] == [0, 30, 0, 0, 0, 0]


# -- who is cast


def test_natural_voices_of_this_machine_are_cast_first(house: House) -> None:
    assert house.ensemble.engines_for("en") == ("near",)
    assert house.ensemble.engines_for("de-AT") == ("far",)
    assert house.ensemble.engines_for("ru") == ("metal",)
    assert house.ensemble.engines_for("tlh") == ()


def test_online_voices_may_be_for_all_or_for_nobody() -> None:
    assert House(online="always").ensemble.engines_for("en") == ("near", "far")
    house = House(online="never")
    assert house.ensemble.engines_for("de") == ("metal",)
    assert "never" in house.ensemble.obstacle("far")
    assert house.say("woman-far") == "woman-metal"
    assert house.far.voices == []


def test_nobody_is_cast_from_an_engine_that_is_set_aside(house: House) -> None:
    fail(house)
    assert house.ensemble.engines_for("de") == ("metal",)
    house.clock.now += 10_000
    assert house.ensemble.engines_for("de") == ("metal",), "not before it has spoken again"


def test_the_catalogue_casts_from_who_can_speak(house: House) -> None:
    voices: VoiceCatalogue = VOICES.available(house.ensemble)
    assert voices.get("woman-far").engine == "far"
    house.obstacles["far"] = "it is not installed; `pip install far` adds it."
    with pytest.raises(UnavailableError, match="pip install far"):
        voices.get("woman-far")
    assert voices.find("woman-far") is not None
    assert voices.engines_for("de") == ("metal",)


def test_an_engine_that_cannot_even_be_opened_costs_nothing_else(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> HummingSynthesizer:
        raise ImportError("half an installation")

    entries = [EngineEntry("far", broken), EngineEntry("near", lambda: house.near)]
    mixture = MixtureSynthesizer(Ensemble(entries), VOICES)
    for _ in range(3):
        mixture.synthesize("Hello there.", Voice(engine="far", preset="woman-far-en"))
    assert [voice.preset for voice in house.near.voices] == ["woman"] * 3
    assert sum(r.name == "engine.speech.ensemble" for r in caplog.records) == 1


# -- getting ready, and looking after it


def test_the_engine_that_will_speak_is_warmed(house: House) -> None:
    house.mixture.warm_up()
    assert (house.near.warmed, house.far.warmed) == (1, 0)
    house.mixture.warm_up_for(Voice(engine="far", preset="woman-far"))
    assert house.far.warmed == 1
    house.say("woman-metal")
    house.mixture.warm_up()
    assert house.metal.warmed == 1


def test_a_check_lets_an_engine_speak_whatever_it_did_before(house: House) -> None:
    fail(house)
    assert house.mixture.check("far") >= 0
    assert house.ensemble.statuses()[1].resting == 0
    house.obstacles["far"] = "not installed."
    with pytest.raises(UnavailableError, match="not installed"):
        house.mixture.check("far")
    with pytest.raises(UnavailableError, match="not among"):
        house.mixture.check("parrot")


def test_it_can_do_what_its_engines_can(house: House) -> None:
    can = house.mixture.capabilities
    assert set(can.languages) == {"en", "de", "ru"}
    assert can.phoneme_timing
    assert can.natural
    assert not can.online


def test_many_may_speak_at_once(house: House) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            house.mixture.synthesize("Hello there.", Voice(engine="far", preset="woman-far"))
        except BaseException as error:
            failed.append(error)

    house.far.failures += [UnavailableError("cut")] * 3
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(house.far.voices) + len(house.metal.voices) == 8
