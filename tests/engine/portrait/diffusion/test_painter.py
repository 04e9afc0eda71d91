"""Painting with tiny networks: arms, seeds, masks, LoRAs, memory, cancellation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.portrait.diffusion.device import Device
from engine.portrait.diffusion.hub import HubStore
from engine.portrait.diffusion.painter import Painter
from engine.portrait.diffusion.sampling import Shot, _encoded, _Injection
from engine.portrait.diffusion.settings import DiffusionSettings
from engine.portrait.diffusion.studio import Studio
from engine.portrait.guidance.face import draw_reference
from engine.portrait.guidance.injection import Fade
from engine.portrait.guidance.plan import ARMS, Arm, GuidanceSettings, Rung, plan_ladder
from personas.errors import UnavailableError
from personas.persona import PortraitBrief
from personas.recipes import SchedulerName
from personas.styles import StyleCatalogue
from tests.engine.portrait.diffusion.conftest import MakePainter
from tests.fakes.tiny_diffusion import SIZE, TinyModels, tiny_catalogue

Floats = NDArray[np.float32]

APPLE = PortraitBrief(subject="red apple")
FACE = draw_reference(APPLE, 1, SIZE)
UNGUIDED = Rung()
HELD = Rung(fade=Fade(0.95, 1.0))


def shots(
    painter: Painter, styles: StyleCatalogue, *seeds: int, style: str = "plain"
) -> list[Shot]:
    return [painter.shot(styles.get(style), APPLE, seed, FACE) for seed in seeds]


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_paints_and_the_same_seed_paints_the_same(
    arm: Arm, make_painter: MakePainter, styles: StyleCatalogue
) -> None:
    painter, style = make_painter(), styles.get("plain")
    rung = plan_ladder(GuidanceSettings(), arm=arm)[0]
    first, other = painter.paint(style, shots(painter, styles, 1, 2), rung)
    (again,) = painter.paint(style, shots(painter, styles, 1), rung)
    assert first.shape == (SIZE, SIZE, 3) and first.dtype == np.uint8
    assert np.abs(first.astype(int) - again).max() <= 1, "alone as together"
    assert np.abs(first.astype(int) - other).max() > 3


def test_arms_differ(make_painter: MakePainter, styles: StyleCatalogue) -> None:
    painter, style = make_painter(), styles.get("plain")
    shot = shots(painter, styles, 1)
    pictures = [
        painter.paint(style, shot, plan_ladder(GuidanceSettings(), arm=arm)[0])[0] for arm in ARMS
    ]
    for number, one in enumerate(pictures):
        for other in pictures[number + 1 :]:
            assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "scheduler", ["dpm++", "euler", "euler-a", "unipc", "ddim", "lcm", "tcd", "turbo"]
)
def test_what_is_injected_is_the_face_and_only_there(
    scheduler: SchedulerName, tiny: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    styles = tiny_catalogue(tiny, scheduler=scheduler, steps=8, guidance=1.0)
    painter = Painter(styles, HubStore(), DiffusionSettings(device="cpu", memory_gb=1, batch=32))
    style = styles.get("plain")
    assert style.recipe is not None
    # The mean of many: what noise each of them carries is gone, and the face is left.
    shot = shots(painter, styles, *range(32))
    easel = painter.studio.easel("plain", style.recipe, styles.family("sd15"), guided=False)
    seen: list[torch.Tensor] = []
    applied = _Injection.applied

    def spy(injection: _Injection, latents: torch.Tensor, index: int) -> torch.Tensor:
        seen.append(applied(injection, latents, index))
        return seen[-1]

    monkeypatch.setattr(_Injection, "applied", spy)
    painter.paint(style, shot, HELD)
    painter.paint(style, shot, UNGUIDED)
    steps = len(seen) // 2
    # Before the last step, which nothing is set into any more.
    held, free = seen[steps - 2].mean(0).numpy(), seen[-2].mean(0).numpy()
    with torch.no_grad():
        face = _encoded(easel.pipeline, [FACE.image])[0].numpy()
    mask = shot[0].guide.mask
    inside, outside = mask > 0.5, mask <= 0.04

    def distance(latents: Floats, where: NDArray[np.bool_]) -> float:
        return float(np.abs(latents - face)[:, where].mean())

    def likeness(latents: Floats, where: NDArray[np.bool_]) -> float:
        return float(np.corrcoef(latents[:, where].ravel(), face[:, where].ravel())[0, 1])

    assert distance(held, inside) < 0.6 * distance(free, inside)
    assert distance(held, inside) < 0.6 * distance(held, outside)
    assert likeness(held, inside) > likeness(held, outside) + 0.2
    assert likeness(held, inside) > likeness(free, inside) + 0.2


def test_a_longer_hold_brings_more_of_the_face(
    make_painter: MakePainter, styles: StyleCatalogue
) -> None:
    painter, style = make_painter(), styles.get("plain")
    shot = shots(painter, styles, 1)
    (free,) = painter.paint(style, shot, UNGUIDED)
    changes = []
    for hold in (0.0, 0.5, 0.9):
        (one,) = painter.paint(style, shot, Rung(fade=Fade(hold, max(hold, 0.1))))
        changes.append(float(np.abs(one.astype(int) - free).mean()))
    assert changes[0] < changes[-1]


def test_loras_are_switched_and_leave_nothing_behind(
    make_painter: MakePainter, styles: StyleCatalogue
) -> None:
    painter = make_painter()
    (plain,) = painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)
    pipeline = _pipeline(painter, styles, "plain")
    (warm,) = painter.paint(styles.get("warm"), shots(painter, styles, 1, style="warm"), UNGUIDED)
    (again,) = painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)
    assert not np.array_equal(plain, warm)
    assert np.array_equal(plain, again)
    assert _pipeline(painter, styles, "warm") is pipeline, "the base was not loaded again"


def test_checkpoints_share_what_their_recipe_says(
    make_painter: MakePainter, styles: StyleCatalogue
) -> None:
    painter = make_painter()
    one, other = _pipeline(painter, styles, "plain"), _pipeline(painter, styles, "other")
    assert one is not other and one.unet is not other.unet
    assert one.vae is other.vae


def test_what_was_used_longest_ago_makes_room(
    make_painter: MakePainter, styles: StyleCatalogue
) -> None:
    painter = make_painter(memory_gb=0.0006)  # one tiny pipeline is some 400 kB
    painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)
    first = painter.studio.shelf.keys()
    painter.paint(styles.get("other"), shots(painter, styles, 1, style="other"), UNGUIDED)
    assert len(first) == 1 and not _holds(painter, first[0])
    painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)
    assert _holds(painter, first[0])


def test_few_steps_and_progress(make_painter: MakePainter, styles: StyleCatalogue) -> None:
    painter, told = make_painter(batch=1), list[float]()
    painter.paint(
        styles.get("quick"), shots(painter, styles, 1, 2, style="quick"), UNGUIDED, told.append
    )
    assert told == sorted(told) and told[-1] == pytest.approx(1.0)
    assert len(told) == 6, "three steps for each of two pictures, one by one"


def test_what_progress_raises_ends_the_painting(
    make_painter: MakePainter, styles: StyleCatalogue
) -> None:
    class EnoughError(Exception):
        pass

    steps: list[float] = []

    def stop(done: float) -> None:
        steps.append(done)
        raise EnoughError

    painter = make_painter()
    with pytest.raises(EnoughError):
        painter.paint(styles.get("plain"), shots(painter, styles, 1), HELD, stop)
    assert len(steps) == 1
    assert len(painter.paint(styles.get("plain"), shots(painter, styles, 1), HELD)) == 1


def test_too_little_memory_makes_batches_smaller(
    make_painter: MakePainter, styles: StyleCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = _memory_for(1, monkeypatch)
    painter = make_painter(batch=4)
    images = painter.paint(styles.get("plain"), shots(painter, styles, 1, 2, 3, 4), UNGUIDED)
    assert len(images) == 4
    assert sizes == [4, 2, 1, 1, 1, 1]
    painter.paint(styles.get("plain"), shots(painter, styles, 5, 6), UNGUIDED)
    assert sizes[6:] == [1, 1], "it is remembered"


def test_when_nothing_helps_it_says_so_after_all_was_tried(
    make_painter: MakePainter, styles: StyleCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = make_painter()
    _pipeline(painter, styles, "other")
    _pipeline(painter, styles, "plain")
    sizes = _memory_for(0, monkeypatch)
    with pytest.raises(UnavailableError, match=r"too little memory .* illustrated") as raised:
        painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)
    assert isinstance(raised.value.__cause__, torch.OutOfMemoryError)
    assert len(sizes) == 3, "as it is, then in slices, then with the other look unloaded"
    assert _pipeline(painter, styles, "plain").vae.use_slicing
    assert len(painter.studio.shelf.keys()) == 1


def test_a_look_that_does_not_fit_beside_others_is_loaded_when_they_are_gone(
    tiny: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    styles = tiny_catalogue(tiny, shares=())
    painter = Painter(styles, HubStore(), DiffusionSettings(device="cpu", memory_gb=1))
    _pipeline(painter, styles, "plain")
    _cramp(monkeypatch, lambda studio: studio.shelf.keys() == [])
    sizes = _memory_for(4, monkeypatch)
    shot = shots(painter, styles, 1, 2, 3, 4, style="other")
    assert len(painter.paint(styles.get("other"), shot, UNGUIDED)) == 4
    assert sizes == [4], "batches are as large as ever"


def test_a_look_that_does_not_fit_alone_waits_in_main_memory(
    make_painter: MakePainter, styles: StyleCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = make_painter()
    monkeypatch.setattr(Device, "is_gpu", True)
    _cramp(monkeypatch, lambda studio: studio._offload)
    assert len(painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)) == 1


def test_a_look_that_cannot_be_loaded_at_all_is_given_up(
    make_painter: MakePainter, styles: StyleCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = make_painter()
    _pipeline(painter, styles, "plain")  # lends parts to the other one
    tries = _cramp(monkeypatch, lambda _: False)
    with pytest.raises(UnavailableError, match="too little memory"):
        shot = shots(painter, styles, 1, 2, style="other")
        painter.paint(styles.get("other"), shot, UNGUIDED)
    assert len(tries) == 1, "there is nothing to give up for it"


def test_other_faults_are_not_taken_for_too_little_memory(
    make_painter: MakePainter, styles: StyleCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr("engine.portrait.diffusion.painter.sample", broken)
    painter = make_painter()
    with pytest.raises(RuntimeError, match="shapes"):
        painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)


def test_a_picture_that_is_not_one_is_refused(
    make_painter: MakePainter, styles: StyleCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = make_painter()
    pipeline = _pipeline(painter, styles, "plain")
    weight = pipeline.unet.conv_in.weight
    with torch.no_grad():
        weight.fill_(float("nan"))
    with pytest.raises(UnavailableError, match="no picture"):
        painter.paint(styles.get("plain"), shots(painter, styles, 1), UNGUIDED)


def test_a_look_without_a_control_net_is_painted_without_one(
    tiny: TinyModels, make_painter: MakePainter
) -> None:
    catalogue = tiny_catalogue(tiny)
    family = catalogue.family("sd15").model_copy(update={"control": None})
    styles = StyleCatalogue(catalogue.all(), [family])
    painter = Painter(styles, HubStore(), DiffusionSettings(device="cpu", memory_gb=1))
    assert not painter.has_control(styles.get("plain"))
    rung = plan_ladder(GuidanceSettings(), arm="both")[0]
    assert len(painter.paint(styles.get("plain"), shots(painter, styles, 1), rung)) == 1


def test_prompts_hold_what_was_said_and_nothing_of_it_is_a_placeholder(
    make_painter: MakePainter, styles: StyleCatalogue
) -> None:
    painter = make_painter()
    brief = PortraitBrief(subject="{negative} apple %s", details="{subject}{0}")
    shot = painter.shot(styles.get("plain"), brief, 1, FACE)
    assert shot.prompt.startswith("{negative} apple %s")
    assert "{subject}{0}" in shot.prompt and shot.negative == "two faces"


def _pipeline(painter: Painter, styles: StyleCatalogue, name: str) -> Any:
    style = styles.get(name)
    assert style.recipe is not None
    family = styles.family("sd15")
    return painter.studio.easel(name, style.recipe, family, guided=False).pipeline


def _memory_for(most: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets so many pictures be painted at once and no more; returns what was tried."""
    from engine.portrait.diffusion import painter, sampling

    tried: list[int] = []

    def sample(easel: Any, recipe: Any, size: int, some: Any, *rest: Any) -> Any:
        tried.append(len(some))
        if len(some) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return sampling.sample(easel, recipe, size, some, *rest)

    monkeypatch.setattr(painter, "sample", sample)
    return tried


def _cramp(monkeypatch: pytest.MonkeyPatch, fits: Callable[[Studio], bool]) -> list[Any]:
    """Lets pipelines be loaded only where they fit; returns those that were tried."""
    tried: list[Any] = []

    def settled(studio: Studio, pipeline: Any) -> Any:
        tried.append(pipeline)
        if not fits(studio):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return pipeline

    monkeypatch.setattr(Studio, "_settled", settled)
    return tried


def _holds(painter: Painter, key: Any) -> bool:
    return painter.studio.shelf.peek(key) is not None
