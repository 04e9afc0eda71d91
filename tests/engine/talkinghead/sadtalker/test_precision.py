"""Frames rendered with half the bits, or compiled, look like those of float32."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from engine.talkinghead.sadtalker.networks import Generator, SourceFeatures
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from tests.engine.talkinghead.sadtalker.golden import Golden

CONVOLUTIONS = (torch.conv2d, torch.conv3d, torch.conv_transpose2d, torch.conv_transpose3d)

Scene = tuple[SourceFeatures, Tensor, Tensor]


class GpuArithmetic(TorchFunctionMode):
    """Convolutions of half precision as a GPU does them: float32 sums, rounded once at the end.

    So float16 can be tested where the processor itself would take minutes for a frame.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rounded = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func not in CONVOLUTIONS or args[0].dtype == torch.float32:
            return func(*args, **(kwargs or {}))
        self.rounded += 1
        exact = [arg.float() if isinstance(arg, Tensor) else arg for arg in args]
        return func(*exact, **(kwargs or {})).to(args[0].dtype)


def psnr(found: Tensor, wanted: Tensor) -> float:
    """Peak signal to noise of pictures in 0..1, decibels."""
    error = (found.float() - wanted).square().mean()
    return float(-10 * torch.log10(error.clamp(min=1e-12)))


@pytest.fixture(scope="module")
def scene(networks: SadTalkerNetworks, golden: Golden) -> Scene:
    """A portrait of 128 pixels and its keypoints, at rest and moved."""
    image = torch.from_numpy(golden["kp/image_u8"])[..., ::2, ::2].float() / 255
    at_rest, moved = golden["gen/kp_source"], golden["gen/kp_driving"]
    return networks.generator.encode(image), torch.from_numpy(at_rest), torch.from_numpy(moved)


@pytest.fixture(scope="module")
def exact(networks: SadTalkerNetworks, scene: Scene) -> Tensor:
    """The frame in float32."""
    return networks.generator.render(*scene)


@pytest.fixture
def generator(networks: SadTalkerNetworks) -> Generator:
    """One that may be changed."""
    return copy.deepcopy(networks.generator)


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What is compiled here is not kept for other tests."""
    yield
    torch.compiler.reset()


@pytest.mark.parametrize(("dtype", "least"), [(torch.float16, 50), (torch.bfloat16, 40)])
def test_half_precision(
    generator: Generator, scene: Scene, exact: Tensor, dtype: torch.dtype, least: float
) -> None:
    """38 dB are asked for; what is measured is 62 and 44, and less would mean a fault."""
    generator.set_precision(dtype)
    with GpuArithmetic() as arithmetic:
        frame = generator.render(*scene)
    assert frame.dtype == dtype
    assert arithmetic.rounded > 70  # all convolutions of a frame
    assert psnr(frame, exact) >= least


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_places_are_never_rounded(generator: Generator, scene: Scene, dtype: torch.dtype) -> None:
    source, at_rest, moved = scene
    generator.set_precision(dtype)
    with GpuArithmetic():
        deformation, occlusion, weights = generator.dense_motion_network(
            source.compressed, at_rest, moved
        )
    assert {deformation.dtype, occlusion.dtype, weights.dtype} == {torch.float32}
    assert source.volume.dtype == torch.float32


@pytest.mark.skipif(not (shutil.which("c++") or shutil.which("g++")), reason="needs a compiler")
@pytest.mark.timeout(900)  # the compiler's fifteen seconds, on a machine that others use, too
@pytest.mark.usefixtures("forgotten")
def test_compiled(generator: Generator, scene: Scene, exact: Tensor) -> None:
    generator.compile_parts()
    assert psnr(generator.render(*scene), exact) >= 60


@pytest.mark.usefixtures("forgotten")
def test_nothing_breaks_the_graph_of_a_frame(
    networks: SadTalkerNetworks, scene: Scene, exact: Tensor
) -> None:
    """So the whole can be compiled, or captured, as one."""
    whole = torch.compile(networks.generator.render, backend="eager", fullgraph=True, dynamic=False)
    assert psnr(whole(*scene), exact) >= 60
