"""Masks, the fade and the ladder of tries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.portrait.guidance.face import aim
from engine.portrait.guidance.injection import Fade, face_mask
from engine.portrait.guidance.plan import ARMS, Arm, GuidanceSettings, plan_ladder
from personas.persona import PortraitBrief

GEOMETRY = aim(PortraitBrief(subject="apple"), 512)
MASK = face_mask(GEOMETRY, 64, 64, 1 / 8)
SHARES = st.floats(0, 1)


def at(point: tuple[float, float]) -> float:
    return float(MASK[int(point[1] / 8), int(point[0] / 8)])


def test_the_mask_is_full_on_the_features_and_empty_away_from_the_face() -> None:
    assert MASK.shape == (64, 64) and MASK.min() == 0 and MASK.max() > 0.9
    for point in (GEOMETRY.left_eye, GEOMETRY.right_eye, GEOMETRY.mouth):
        assert at(point) > 0.8
    assert 0.5 < at(GEOMETRY.nose) < at(GEOMETRY.mouth)
    assert MASK[:6].max() == 0 and MASK[:, :6].max() == 0 and MASK[:, -6:].max() == 0


def test_the_mask_is_soft() -> None:
    assert np.abs(np.diff(MASK, axis=0)).max() < 0.3
    assert ((MASK > 0.05) & (MASK < 0.95)).mean() > 0.1


@given(hold=SHARES, more=SHARES)
def test_the_fade_is_monotone_and_ends(hold: float, more: float) -> None:
    fade = Fade(hold, hold + (1 - hold) * more)
    held = [fade.held(MASK, done) for done in np.linspace(0, 1, 26)]
    sizes = [int(one.sum()) for one in held]
    assert sizes == sorted(sizes, reverse=True)
    for before, after in itertools.pairwise(held):
        assert not (after & ~before).any(), "what was let go stays free"
    if fade.release < 1:
        assert not fade.held(MASK, fade.release + 1e-6).any()
    assert fade.held(MASK, 0.0).any()


def test_the_rim_is_let_go_first_and_the_features_last() -> None:
    fade = Fade(0.2, 0.8)
    early, late = fade.held(MASK, 0.1), fade.held(MASK, 0.7)
    assert late.sum() < 0.6 * early.sum()
    assert MASK[late].min() > MASK[early & ~late].max() - 1e-6
    last = fade.held(MASK, 0.74)
    for x, y in (GEOMETRY.left_eye, GEOMETRY.right_eye, GEOMETRY.mouth):
        assert last[int(y / 8), int(x / 8)]


@pytest.mark.parametrize("arm", ARMS)
def test_a_ladder_has_so_many_rungs_with_a_seed_each(arm: Arm) -> None:
    ladder = plan_ladder(GuidanceSettings(tries=6), arm=arm)
    assert len(ladder) == 6 and len({rung.seed for rung in ladder}) == 6
    assert ladder[0].seed == 0
    assert all((rung.fade is not None) == (arm in ("injection", "both")) for rung in ladder)
    assert all((rung.scale > 0) == (arm in ("controlnet", "both")) for rung in ladder)


def test_each_rung_guides_more_than_the_one_before() -> None:
    ladder = plan_ladder(GuidanceSettings(tries=5))
    for before, after in itertools.pairwise(ladder):
        assert before.fade and after.fade
        assert after.fade.hold > before.fade.hold and after.fade.release > before.fade.release
        assert after.scale > before.scale and after.control[1] > before.control[1]


def test_strong_settings_are_not_weakened_by_a_ladder() -> None:
    settings = GuidanceSettings(hold=0.9, release=1.0, scale=1.6)
    ladder = plan_ladder(settings)
    assert all(rung.fade and rung.fade.hold == pytest.approx(0.9) for rung in ladder)
    assert all(rung.scale == pytest.approx(1.6) for rung in ladder)


def test_one_try_is_a_ladder_of_one() -> None:
    (rung,) = plan_ladder(GuidanceSettings(tries=1))
    assert rung.fade == Fade(0.2, 0.5)


def test_settings_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="hold must not be larger"):
        GuidanceSettings(hold=0.8, release=0.3)
    with pytest.raises(ValidationError, match="control_start"):
        GuidanceSettings(control_start=0.8, control_end=0.3)
