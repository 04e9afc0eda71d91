"""From what is heard to the bytes of a frame, nothing comes back to the host on the way.

Tried on PyTorch's device `meta`, whose tensors have a shape and a place but no values: whoever
looks at a value fails, as does what mixes tensors of two devices. So no GPU is needed to see
that a GPU would never be waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.talkinghead.bench import sample_portrait, sample_speech
from engine.talkinghead.sadtalker.acting import coefficients_of, keypoints_of
from engine.talkinghead.sadtalker.audio import hear, resample
from engine.talkinghead.sadtalker.direction import direct
from engine.talkinghead.sadtalker.networks import SourceFeatures
from engine.talkinghead.sadtalker.pasting import Paster
from engine.talkinghead.sadtalker.source import Source, make_source
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from engine.talkinghead.settings import SadTalkerSettings
from tests.fakes.sadtalker import tiny_networks

AWAY = torch.device("meta")
FRAMES = 70


class Traffic(TorchDispatchMode):
    """Counts what goes up to the device; refuses all else that has to do with two devices."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        result = func(*args, **(kwargs or {}))
        places = {t.device.type for t in tensors if t.dim()}
        made = {t.device.type for t in tree_leaves(result) if isinstance(t, Tensor)}
        if places == {"cpu"} and "meta" in made:
            self.uploads += 1
        elif "meta" in places and ("cpu" in places or "cpu" in made):
            raise AssertionError(f"{func} has to do with both devices")
        return result


def away(*shape: int) -> Tensor:
    return torch.empty(*shape, device=AWAY)


@pytest.fixture(scope="module")
def networks() -> SadTalkerNetworks:
    return SadTalkerNetworks.random(coefficients=73, device=AWAY, precision=torch.float16)


@pytest.fixture
def source() -> Source:
    here = make_source(sample_portrait(512), tiny_networks(), size=512, resolution=256)
    features = SourceFeatures(away(1, 32, 16, 64, 64), away(1, 4, 16, 64, 64))
    return replace(
        here,
        coefficients=away(73),
        canonical=away(1, 15, 3),
        keypoints=away(1, 15, 3),
        features=features,
    )


@pytest.mark.parametrize(
    "settings",
    [
        SadTalkerSettings(),
        SadTalkerSettings(still=True, movement=0.5),
        SadTalkerSettings(camera_yaw=(-20.0, 20.0), camera_roll=(5.0,)),
    ],
    ids=["as it is", "still", "turned"],
)
def test_the_way_from_sound_to_keypoints(
    networks: SadTalkerNetworks, source: Source, settings: SadTalkerSettings
) -> None:
    speech = sample_speech(FRAMES / 25)
    ranks = tuple(range(46))
    direction = direct(FRAMES, source.mood, 0, settings=settings, ranks=ranks, speech=speech)
    windows = hear(resample(speech), FRAMES)
    with Traffic() as traffic:
        coefficients = coefficients_of(networks, source.coefficients, windows, direction)
        keypoints = keypoints_of(
            networks,
            source,
            coefficients,
            direction,
            still=settings.still,
            movement=settings.movement,
            camera={"yaw": settings.camera_yaw, "roll": settings.camera_roll},
            ease=5,
        )
    assert keypoints.shape == (FRAMES, 15, 3)
    assert keypoints.device == AWAY
    assert traffic.uploads <= 10  # of a whole clip: what is heard, blinks, turns, tables


def test_the_way_from_keypoints_to_bytes(networks: SadTalkerNetworks, source: Source) -> None:
    paster = Paster(source.canvas, AWAY)
    driving = away(8, 15, 3)
    with Traffic() as traffic, torch.inference_mode():
        faces = networks.generator.render(source.features, source.keypoints, driving)
        frames = paster.paste(faces)
        finite = faces.isfinite().flatten(1).all(dim=1)
    assert (faces.dtype, frames.dtype) == (torch.float16, torch.uint8)
    assert frames.shape == (8, 512, 512, 3)
    assert {frames.device, finite.device} == {AWAY}
    assert traffic.uploads == 0


@pytest.mark.parametrize(
    "careless",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).any()),
        lambda x: x.cpu(),
        lambda x: x.numpy(),
        lambda x: x @ torch.ones(3, 3),
        lambda x: x[torch.tensor([0, 1])],
        lambda x: x.nonzero(),
    ],
    ids=["item", "bool", "cpu", "numpy", "two devices", "an index from the host", "nonzero"],
)
def test_it_would_be_noticed(careless: Callable[[Tensor], object]) -> None:
    with (
        pytest.raises((RuntimeError, TypeError, NotImplementedError, AssertionError)),
        Traffic(),
    ):
        careless(away(3, 3))
