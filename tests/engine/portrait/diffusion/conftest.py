"""Tiny models, made once for all tests of this folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.portrait.base import FaceLandmarker
from engine.portrait.diffusion.generator import DiffusionGenerator
from engine.portrait.diffusion.hub import HubStore
from engine.portrait.diffusion.painter import Painter
from engine.portrait.diffusion.settings import DiffusionSettings
from engine.portrait.gate import FaceGate
from engine.portrait.safety import ImageSafety
from personas.styles import StyleCatalogue
from tests.fakes.tiny_diffusion import TinyModels, make_tiny_models, tiny_catalogue


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries while they are imported
        return make_tiny_models(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def styles(tiny: TinyModels) -> StyleCatalogue:
    return tiny_catalogue(tiny)


MakePainter = Callable[..., Painter]
MakeGenerator = Callable[..., DiffusionGenerator]


@pytest.fixture
def make_painter(styles: StyleCatalogue) -> MakePainter:
    def make(**settings: Any) -> Painter:
        options = DiffusionSettings(**{"device": "cpu", "memory_gb": 1.0, **settings})
        return Painter(styles, HubStore(), options)

    return make


@pytest.fixture
def make_generator(styles: StyleCatalogue) -> MakeGenerator:
    def make(
        landmarkers: tuple[FaceLandmarker, ...] = (),
        safety: ImageSafety | None = None,
        *,
        strict: bool = False,
        **settings: Any,
    ) -> DiffusionGenerator:
        options = DiffusionSettings(**{"device": "cpu", "memory_gb": 1.0, **settings})
        hub = HubStore()
        gate = FaceGate(landmarkers, strict=strict)
        painter = Painter(styles, hub, options)
        return DiffusionGenerator(styles, hub, painter, gate, safety, options, 256)

    return make
