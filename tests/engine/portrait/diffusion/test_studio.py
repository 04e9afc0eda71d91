"""Studio and device: SDXL, compilation, precision, budgets, and weights that cannot be read."""

from __future__ import annotations

import shutil
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.portrait.diffusion.device import Device, choose_device, is_installed
from engine.portrait.diffusion.hub import HubStore
from engine.portrait.diffusion.painter import Painter
from engine.portrait.diffusion.settings import DiffusionSettings
from engine.portrait.diffusion.shelf import Shelf
from engine.portrait.diffusion.studio import Studio
from engine.portrait.guidance.face import draw_reference
from engine.portrait.guidance.plan import GuidanceSettings, plan_ladder
from personas.errors import UnavailableError
from personas.persona import PortraitBrief
from personas.recipes import Family, Recipe, Weights
from personas.styles import StyleCatalogue
from tests.fakes.tiny_diffusion import SIZE, TinyModels, make_tiny_sdxl, tiny_catalogue

APPLE = PortraitBrief(subject="red apple")
CPU = DiffusionSettings(device="cpu", memory_gb=1)


def test_sdxl_is_guided_by_injection(tmp_path: Path, tiny: TinyModels) -> None:
    base = make_tiny_sdxl(tmp_path / "xl", tiny.base)
    family = Family(name="sdxl", base=Weights(repo=str(base)), resolution=SIZE, gigabytes=0.1)
    look = tiny_catalogue(tiny).get("plain")
    recipe = Recipe(family="sdxl", prompt="{subject}", steps=3, scheduler="euler", guidance=2.0)
    look = look.model_copy(update={"recipe": recipe})
    styles = StyleCatalogue([look], [family])
    painter = Painter(styles, HubStore(), CPU)
    face = draw_reference(APPLE, 1, SIZE)
    shot = painter.shot(look, APPLE, 1, face)
    assert shot.guide.landmarks is None and not painter.has_control(look)
    ladder = {arm: plan_ladder(GuidanceSettings(), arm=arm)[0] for arm in ("unguided", "both")}
    (free,) = painter.paint(look, [shot], ladder["unguided"])  # type: ignore[index]
    (guided,) = painter.paint(look, [shot], ladder["both"])  # type: ignore[index]
    assert free.shape == (SIZE, SIZE, 3) and (free != guided).any()


def test_the_network_is_compiled_where_that_is_asked_for(
    tiny: TinyModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[Any] = []
    monkeypatch.setattr("torch.nn.Module.compile", lambda module, **_: compiled.append(module))
    for wanted in (False, True):
        styles = tiny_catalogue(tiny)
        settings = DiffusionSettings(device="cpu", memory_gb=1, compile=wanted)
        painter = Painter(styles, HubStore(), settings)
        recipe = styles.get("plain").recipe
        assert recipe is not None
        easel = painter.studio.easel("plain", recipe, styles.family("sd15"), guided=False)
        assert compiled == ([easel.pipeline.unet] if wanted else [])


def test_weights_have_the_precision_and_the_layout_that_was_chosen(tiny: TinyModels) -> None:
    styles = tiny_catalogue(tiny)
    settings = DiffusionSettings(device="cpu", precision="bfloat16", memory_gb=1, vae_slicing=True)
    studio = Studio(HubStore(), choose_device(settings), settings)
    recipe = styles.get("plain").recipe
    assert recipe is not None
    easel = studio.easel("plain", recipe, styles.family("sd15"), guided=True)
    for part in (easel.pipeline.unet, easel.pipeline.vae, easel.guided.controlnet):
        assert part.dtype == torch.bfloat16
    weight = easel.pipeline.unet.conv_in.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert easel.pipeline.vae.use_slicing and easel.pipeline.vae.use_tiling
    assert easel.guided.unet is easel.pipeline.unet


def test_the_device_is_chosen_and_its_memory_measured() -> None:
    device = choose_device(DiffusionSettings(device="cpu"))
    assert device.name == "cpu" and device.precision == torch.float32 and not device.is_gpu
    assert device.budget > 100 << 20
    assert choose_device(DiffusionSettings(device="cpu", memory_gb=2)).budget == 2_000_000_000


@pytest.mark.parametrize(("native", "precision"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_processor_that_multiplies_bfloat16_is_let_do_it(
    native: bool, precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "engine.portrait.diffusion.device.multiplies_bfloat16"
    monkeypatch.setattr(where, lambda: native)
    assert choose_device(DiffusionSettings(device="cpu")).precision == precision
    exact = DiffusionSettings(device="cpu", precision="float32")
    assert choose_device(exact).precision == torch.float32


def test_with_half_the_bits_the_picture_is_the_same_to_the_eye(tiny: TinyModels) -> None:
    styles = tiny_catalogue(tiny)
    look, face = styles.get("plain"), draw_reference(APPLE, 1, SIZE)
    rung = plan_ladder(GuidanceSettings(), arm="both")[0]
    exact, half = (
        painter.paint(look, [painter.shot(look, APPLE, 1, face)], rung)[0].astype(float)
        for painter in (
            Painter(styles, HubStore(), CPU.model_copy(update={"precision": precision}))
            for precision in ("float32", "bfloat16")
        )
    )
    assert (exact != half).any()
    assert 10 * np.log10(255**2 / np.mean((exact - half) ** 2)) > 30


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_here_is_named() -> None:
    with pytest.raises(UnavailableError, match="no device cuda here"):
        choose_device(DiffusionSettings(device="cuda"))


def test_without_the_packages_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_installed()
    monkeypatch.setattr("engine.portrait.diffusion.device.find_spec", lambda _: None)
    assert not is_installed()
    with pytest.raises(UnavailableError, match=r"chatanything\[gpu\]"):
        choose_device(DiffusionSettings())


def test_broken_weights_are_named_with_what_to_do(tiny: TinyModels, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny.base, broken)
    next((broken / "unet").glob("*.safetensors")).write_bytes(b"\xff" * 64)
    styles = tiny_catalogue(tiny)
    studio = Studio(HubStore(), Device("cpu", torch.float32, 1 << 30), CPU)
    recipe = Recipe(prompt="{subject}", checkpoint=Weights(repo=str(broken)))
    with pytest.raises(UnavailableError, match=r"cannot be read.* chatanything models pull oil"):
        studio.easel("oil", recipe, styles.family("sd15"), guided=False)


def test_a_lora_that_does_not_fit_is_named(tiny: TinyModels, tmp_path: Path) -> None:
    styles = tiny_catalogue(tiny)
    warm = styles.get("warm").recipe
    assert warm is not None
    strange = tmp_path / "strange.safetensors"
    strange.write_bytes(b"\xff" * 64)
    lora = warm.loras[0].model_copy(update={"repo": str(strange), "file": ""})
    studio = Studio(HubStore(), Device("cpu", torch.float32, 1 << 30), CPU)
    recipe = warm.model_copy(update={"loras": (lora,)})
    with pytest.raises(UnavailableError, match="does not fit"):
        studio.easel("warm", recipe, styles.family("sd15"), guided=False)


class Thing:
    """Something of a size."""

    def __init__(self, size: int) -> None:
        self.size = size


def shelf(budget: int) -> Shelf:
    return Shelf(budget, lambda thing: thing.size)


def test_what_was_used_longest_ago_is_given_up_first() -> None:
    kept = shelf(30)
    for name in ("a", "b", "c"):
        kept.get(name, lambda: Thing(10))
    kept.get("a", lambda: Thing(99))
    kept.get("d", lambda: Thing(10))
    assert kept.keys() == ["c", "a", "d"] and kept.used == 30


def test_room_is_made_for_what_is_about_to_be_loaded() -> None:
    kept = shelf(30)
    kept.get("a", lambda: Thing(10))
    seen: list[list[Hashable]] = []

    def load() -> Thing:
        seen.append(kept.keys())
        return Thing(25)

    kept.get("b", load, wanted=25)
    assert seen == [[]] and kept.keys() == ["b"]


def test_what_is_in_use_is_not_given_up_and_the_rest_is_as_far_as_needed() -> None:
    kept = shelf(30)
    kept.get("a", lambda: Thing(20))
    kept.get("b", lambda: Thing(20), frozenset({"a"}))
    assert kept.keys() == ["a", "b"], "two that belong together stay, whatever they take"
    kept.get("c", lambda: Thing(5))
    assert kept.used <= 30


def test_one_that_cannot_be_loaded_leaves_nothing_behind() -> None:
    kept = shelf(30)

    def broken() -> Thing:
        raise UnavailableError("Broken.")

    with pytest.raises(UnavailableError):
        kept.get("a", broken)
    assert kept.keys() == [] and kept.used == 0
