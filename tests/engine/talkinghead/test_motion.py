"""A persona that is alive: eyes, brows, head and body while it speaks and while it waits."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech.base import Cue, Speech
from engine.talkinghead.eyes import blink_track, plan_blinks
from engine.talkinghead.gestures import GESTURES, gesture_for
from engine.talkinghead.motion import plan_idle, plan_speech
from engine.talkinghead.performance import CHANNELS, FACE, Performance
from personas.errors import InvalidInputError
from personas.persona import Mood
from tests.engine.talkinghead.speeches import RATE, babble, speech

FPS = 25


def plan(said: Speech, seed: int = 0, mood: Mood = Mood.CALM) -> Performance:
    return plan_speech(said, fps=FPS, seed=seed, mood=mood)


def blinks(performance: Performance) -> int:
    closed = np.minimum(performance["blink_left"], performance["blink_right"]) > 0.9
    return int((np.diff(closed.astype(int)) > 0).sum())


def test_the_same_seed_is_the_same_performance_and_another_is_not() -> None:
    said = babble(4)
    assert np.array_equal(plan(said, 3).values, plan(said, 3).values)
    assert not np.array_equal(plan(said, 3).values, plan(said, 4).values)
    assert len(plan(said, -3)) == 100


@pytest.mark.parametrize("mood", list(Mood))
def test_it_starts_and_ends_at_rest_and_stays_in_bounds(mood: Mood) -> None:
    performance = plan(babble(5), mood=mood)
    assert not performance.values[0].any()
    assert not performance.values[-1].any()
    assert np.isfinite(performance.values).all()
    assert np.abs(performance.values[:, : len(FACE)]).max() <= 1
    assert np.abs(performance.values[:, len(FACE) :]).max() <= 1.6


def test_it_never_stands_quite_still_and_never_jumps() -> None:
    values = plan(babble(8), mood=Mood.CHEERFUL).values
    for channel in ("turn_x", "turn_y", "sway", "lean", "squash"):
        track = values[:, CHANNELS[channel]]
        assert np.ptp(track) > 0.15, channel
        assert np.abs(np.diff(track)).max() < 0.75, channel


def test_people_blink_every_few_seconds() -> None:
    counts = [blinks(plan(babble(30), seed)) for seed in range(4)]
    assert all(6 <= count <= 20 for count in counts), counts


def test_blinks_keep_away_from_the_ends_and_each_shows_a_closed_eye() -> None:
    times = ((np.arange(250) + 0.5) / FPS).astype(np.float32)
    for seed in range(30):
        moments = plan_blinks(10.0, np.random.default_rng(seed))
        assert all(0.35 < moment < 9.6 for moment in moments)
        track = blink_track(moments, times)
        assert not track[:6].any()
        assert not track[-4:].any()
        for moment in moments:
            near = np.abs(times - moment) < 0.1
            assert track[near].max() > 0.95


def test_people_like_to_blink_where_a_phrase_ends() -> None:
    ends = (2.0, 4.0, 6.0, 8.0)
    near = total = 0
    for seed in range(40):
        moments = plan_blinks(10.0, np.random.default_rng(seed), phrase_ends=ends)
        near += sum(min(abs(m - end) for end in ends) < 0.1 for m in moments)
        total += len(moments)
    assert near / total > 0.4


def test_stress_bounces_the_body() -> None:
    sounds = [("", 0.4), ("ɛ", 0.2), ("t", 0.1), ("ɛ", 0.2), ("", 0.6)]
    calm, stressed = plan(speech(*sounds)), plan(speech(*sounds, stressed="ɛ"))
    assert np.ptp(stressed["squash"] - calm["squash"]) > 0.4


def test_a_question_raises_the_brows_at_its_end() -> None:
    sounds = [("", 0.3), *([("ɛ", 0.2), ("t", 0.1)] * 4), ("", 0.5)]
    asked, said = plan(speech(*sounds, text="Really?")), plan(speech(*sounds, text="Really."))
    late = slice(round(1.2 * FPS), round(1.6 * FPS))
    assert (asked["brow_left"][late] - said["brow_left"][late]).mean() > 0.3


@pytest.mark.parametrize(
    ("action", "channel", "sign"),
    [
        ("smiles warmly", "smile", 1),
        ("*winks*", "blink_right", 1),
        ("sighs deeply", "squash", -1),
        ("rolls eyes", "gaze_y", -1),
        ("nods", "turn_y", 1),
        ("slowly shakes head", "turn_x", 1),
        ("laughs", "smile", 1),
        ("raises an eyebrow", "brow_left", 1),
        ("Frowns", "brow_tilt", -1),
        ("gasps!", "brow_left", 1),
    ],
)
def test_stage_directions_steer_the_face(action: str, channel: str, sign: int) -> None:
    sounds = [("", 0.3), *([("ɛ", 0.2), ("t", 0.1)] * 9), ("", 0.5)]
    plain = plan(speech(*sounds))
    acted = plan(speech(*sounds, cues=(Cue(action, 1.0),)))
    difference = acted[channel] - plain[channel]
    assert (sign * difference).max() > 0.25
    assert not difference[: round(0.8 * FPS)].any()
    assert not acted.values[-1].any()


@pytest.mark.parametrize("gesture", GESTURES, ids=lambda gesture: gesture.words[0])
def test_gestures_begin_and_end_at_rest(gesture: object) -> None:
    for channel, keys in gesture.tracks.items():  # type: ignore[attr-defined]
        assert channel in CHANNELS
        assert keys[0] == (0.0, 0.0)
        assert keys[-1][1] == 0.0
        assert [time for time, _ in keys] == sorted(time for time, _ in keys)


def test_directions_without_a_gesture_do_nothing() -> None:
    for action in ("", "opens the door", "{0} %s <b>", "🙂", "x" * 5000):
        assert gesture_for(action) is None


def test_cues_at_impossible_times_and_in_impossible_numbers() -> None:
    said = babble(2)
    times = (float("nan"), float("inf"), -5.0, 99.0)
    cues = tuple(Cue("smiles", time) for time in times) + (Cue("nods", 0.5),) * 2000
    performance = plan(Speech(said.samples, RATE, said.phonemes, (), "", cues))
    assert np.isfinite(performance.values).all()
    assert not performance.values[-1].any()


@pytest.mark.parametrize("mood", [Mood.CALM, Mood.CHEERFUL, Mood.SAD])
@pytest.mark.parametrize("seconds", [2.0, 6.4, 11.0])
def test_idling_loops(mood: Mood, seconds: float) -> None:
    values = plan_idle(seconds, fps=FPS, seed=2, mood=mood).values
    assert len(values) == round(seconds * FPS)
    assert not values[0].any()
    steps = np.abs(np.diff(values, axis=0))
    seam = np.abs(values[0] - values[-1])
    slow = [CHANNELS[name] for name in ("turn_x", "turn_y", "sway", "lean", "squash")]
    assert (seam[slow] <= steps[:, slow].max(axis=0) * 1.2 + 1e-3).all()
    assert np.ptp(values[:, CHANNELS["squash"]]) > 0.1
    assert not values[:, CHANNELS["jaw"]].any()


def test_idling_blinks_and_never_speaks() -> None:
    assert 2 <= blinks(plan_idle(12, fps=FPS, seed=1)) <= 8


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e9])
def test_idling_for_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidInputError):
        plan_idle(seconds, fps=FPS)


def test_speeches_of_hardly_any_length_are_rest() -> None:
    for samples in (0, 1, 100, RATE // FPS, 2 * RATE // FPS):
        said = Speech(np.full(samples, 0.5, np.float32), RATE, (), (), "")
        assert not plan(said).values.any()
        assert len(plan(said)) >= 1
