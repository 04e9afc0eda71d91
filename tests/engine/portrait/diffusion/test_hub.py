"""Weights: fetched when somebody asks, recognised when they are whole, and only safetensors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from engine.portrait.diffusion.hub import HubStore, choose_files, is_complete
from personas.errors import UnavailableError
from personas.recipes import Weights
from tests.fakes.hub_server import COMMIT, Hub, hub_of
from tests.fakes.tiny_diffusion import TinyModels

BASE = Weights(repo="somebody/tiny")
CONTROL = Weights(repo="somebody/control", folder="inner")


@pytest.fixture
def hub(tiny: TinyModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    control, pickled = tmp_path / "control", tmp_path / "pickled"
    shutil.copytree(tiny.control, control / "inner")
    pickled.mkdir()
    (pickled / "config.json").write_text("{}")
    (pickled / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    repositories = {
        "somebody/tiny": tiny.base,
        "somebody/control": control,
        "somebody/pickled": pickled,
        "somebody/lora": tiny.lora.parent,
    }
    with hub_of(repositories) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


def test_nothing_is_fetched_before_it_is_asked_for(hub: Hub) -> None:
    store = HubStore()
    assert not store.has(BASE)
    with pytest.raises(UnavailableError, match="chatanything models pull photo"):
        store.path(BASE, "photo")
    assert hub.fetched == []


def test_what_is_pulled_is_here_whole_and_is_not_pulled_again(hub: Hub) -> None:
    store, told = HubStore(), list[tuple[float, str]]()
    store.pull(BASE, lambda *step: told.append(step))
    assert store.has(BASE) and is_complete(store.path(BASE, "photo"))
    assert any("unet" in doing for _, doing in told)
    count = len(hub.fetched)
    store.pull(BASE)
    assert len(hub.fetched) == count


def test_a_folder_and_a_file_of_a_repository(hub: Hub) -> None:
    store = HubStore()
    lora = Weights(repo="somebody/lora", file="pytorch_lora_weights.safetensors")
    for weights in (CONTROL, lora):
        store.pull(weights)
        assert store.has(weights)
    assert store.path(CONTROL, "x").name == "inner"
    assert store.path(lora, "x").suffix == ".safetensors"


def test_a_pinned_commit_is_found_by_its_name(hub: Hub) -> None:
    pinned = BASE.model_copy(update={"revision": COMMIT})
    store = HubStore()
    store.pull(pinned)
    assert store.has(pinned) and pinned.is_pinned


def test_with_download_it_is_fetched_when_it_is_first_wanted(hub: Hub) -> None:
    assert is_complete(HubStore(download=True).path(BASE, "photo"))
    assert hub.fetched


def test_offline_means_offline(hub: Hub) -> None:
    with pytest.raises(UnavailableError, match="set to be offline"):
        HubStore(download=True, offline=True).path(BASE, "photo")
    assert hub.fetched == []


def test_pickles_are_not_read(hub: Hub) -> None:
    with pytest.raises(UnavailableError, match="holds no safetensors"):
        HubStore().pull(Weights(repo="somebody/pickled"))


def test_what_is_not_there_is_said(hub: Hub) -> None:
    with pytest.raises(UnavailableError, match="There is no nobody/nothing"):
        HubStore().pull(Weights(repo="nobody/nothing"))
    with pytest.raises(UnavailableError, match="has no revision v9"):
        HubStore().pull(BASE.model_copy(update={"revision": "v9"}))


def test_terms_that_want_to_be_accepted_are_named(hub: Hub) -> None:
    hub.gated = True
    with pytest.raises(UnavailableError, match="wants its terms accepted"):
        HubStore().pull(BASE)


def test_no_network_is_said_with_what_to_do(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match=r"hub cannot be reached .* Check the network"):
        HubStore().pull(BASE)


def test_half_a_download_does_not_count(tiny: TinyModels, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(tiny.base, folder)
    assert is_complete(folder)
    next((folder / "unet").glob("*.safetensors")).unlink()
    assert not is_complete(folder)
    with pytest.raises(UnavailableError, match="not complete"):
        HubStore().path(Weights(repo=str(folder)), "mine")
    (folder / "model_index.json").write_text("{broken")
    assert not is_complete(folder)


def test_each_part_is_chosen_once_in_half_precision_where_it_is_offered() -> None:
    names = [
        "README.md", "model_index.json", "v1-5-pruned.safetensors", "v1-5-pruned.ckpt",
        "unet/config.json", "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json", "text_encoder/model.safetensors",
        "safety_checker/model.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    ]  # fmt: skip
    assert choose_files(names) == [
        "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
        "text_encoder/model.safetensors", "tokenizer/merges.txt", "tokenizer/vocab.json",
        "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ]  # fmt: skip


def test_a_model_in_the_root_is_taken_and_a_whole_checkpoint_is_not() -> None:
    part = ["config.json", "diffusion_pytorch_model.safetensors"]
    assert choose_files(part) == part
    assert choose_files(["model.safetensors", "model_index.json"]) == ["model_index.json"]


def test_an_index_without_models_is_no_pipeline(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"unet": ["diffusers", "UNet"]}))
    assert not is_complete(tmp_path)


def test_the_command_fetches_a_look_and_says_its_licences(hub: Hub, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        """
        [portrait]
        generator = "diffusion"
        [portrait.diffusion.control]
        repo = "somebody/control"
        folder = "inner"
        [portrait.styles.noise]
        description = "Noise."
        author = "nobody"
        licence = "Beerware"
        [portrait.styles.noise.recipe]
        checkpoint = { repo = "somebody/tiny", licence = "Beerware" }
        prompt = "{subject}"
        """
    )
    options = ["--config", str(config)]
    before = CliRunner().invoke(cli, [*options, "styles", "--json"])
    assert "noise" not in {style["name"] for style in json.loads(before.stdout)}
    pulled = CliRunner().invoke(cli, [*options, "models", "pull", "noise"])
    assert pulled.exit_code == 0, pulled.output
    assert "somebody/tiny: Beerware" in pulled.output
    assert HubStore().has(BASE) and HubStore().has(CONTROL)
    after = CliRunner().invoke(cli, [*options, "styles", "--json"])
    assert "noise" in {style["name"] for style in json.loads(after.stdout)}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('prompt = "a face"', "must contain {subject}"),
        ('prompt = "{subject}"\nscheduler = "magic"', "scheduler"),
        ('prompt = "{subject}"\nsteps = 0', "greater than or equal to 1"),
        ('prompt = "{subject}"\nstepz = 4', "did you mean steps?"),
    ],
)
def test_a_wrong_look_in_the_configuration_is_named_with_its_line(
    line: str, complaint: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    table = '[portrait.styles.x]\ndescription = "x"\nauthor = "x"\nlicence = "x"\n'
    config.write_text(f"{table}[portrait.styles.x.recipe]\n{line}\n")
    done = CliRunner().invoke(cli, ["--config", str(config), "styles"])
    assert done.exit_code == 4
    said = " ".join(done.output.split())
    assert complaint in said and "line" in said and "portrait.styles.x.recipe" in said
