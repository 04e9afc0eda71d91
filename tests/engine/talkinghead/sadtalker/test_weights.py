"""Weights come from the official files and from nothing else."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from engine.talkinghead.sadtalker.networks import (
    ExpressionNet,
    FaceReconstruction,
    Generator,
    KeypointDetector,
    MappingNet,
    PoseNet,
)
from engine.talkinghead.sadtalker.random_weights import random_state
from engine.talkinghead.sadtalker.weights import (
    TRAINING_ONLY,
    SadTalkerNetworks,
    load_mapping,
)
from personas.errors import NotFoundError, UnavailableError
from tests.engine.talkinghead.sadtalker.conftest import Shapes, WeightFiles
from tests.engine.talkinghead.sadtalker.golden import Golden

Tensors = dict[str, tuple[str, list[int]]]

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "face_3drecon": FaceReconstruction,
    "audio2exp": ExpressionNet,
    "audio2pose": PoseNet,
    "kp_extractor": KeypointDetector,
    "generator": Generator,
    "mapping_crop": lambda: MappingNet(70),
    "mapping_full": lambda: MappingNet(73),
}


class TestNames:
    @pytest.mark.parametrize("name", NETWORKS)
    def test_every_name_and_shape_of_the_official_files_is_ours(
        self, official: dict[str, Shapes], name: str
    ) -> None:
        with torch.device("meta"):
            module = NETWORKS[name]()
        ours = {key: tuple(value.shape) for key, value in module.state_dict().items()}
        theirs = {
            key: shape
            for key, shape in official[name].items()
            if not f"{name}.{key}".startswith(TRAINING_ONLY)
        }
        assert ours == theirs

    def test_only_what_training_used_is_left_aside(self, official: dict[str, Shapes]) -> None:
        left = [
            f"{network}.{key}"
            for network, shapes in official.items()
            for key in shapes
            if f"{network}.{key}".startswith(TRAINING_ONLY)
        ]
        assert len(left) == 154 + 20

    def test_there_is_nothing_else(self, official: dict[str, Shapes]) -> None:
        assert set(official) == set(NETWORKS)


class TestRandom:
    """The golden numbers were made with these weights: they must be these."""

    def test_sums(self, weight_files: WeightFiles, golden: Golden) -> None:
        wanted = zip(golden["recipe/networks"], golden["recipe/sum_abs_count"], strict=True)
        first = dict(zip(golden["recipe/names"], golden["recipe/first4"], strict=True))
        for network, (total, absolute, count) in wanted:
            found = np.zeros(3)
            for name, made in tensors_of(str(network), weight_files):
                if made.is_floating_point() and not name.endswith("down.weight"):  # fixed kernel
                    values = made.numpy().astype(np.float64).ravel()
                    found += values.sum(), np.abs(values).sum(), values.size
                if name in first:
                    start = np.zeros(4, np.float32)
                    start[: made.numel()] = made.ravel()[:4]
                    assert np.array_equal(start, first.pop(name))
            assert np.allclose(found, (total, absolute, count), rtol=1e-9, atol=1e-3)
        assert not first

    def test_a_network_gets_what_the_files_hold(self, weight_files: WeightFiles) -> None:
        state = random_state("mapping_full", MappingNet(73))
        held = torch.load(weight_files.full, weights_only=True)["mapping"]
        assert state.keys() == held.keys()
        assert all(torch.equal(state[key], held[key]) for key in held)


class TestCheckpoint:
    """What is not the official checkpoint is refused, by name and with the reason."""

    @pytest.fixture
    def tensors(self, official: dict[str, Shapes]) -> Tensors:
        return {
            f"{network}.{key}": ("I64" if key.endswith("tracked") else "F32", list(shape))
            for network, shapes in official.items()
            if not network.startswith("mapping")
            for key, shape in shapes.items()
        }

    @pytest.fixture
    def refused(self, tmp_path: Path, weight_files: WeightFiles) -> Callable[[Tensors], str]:
        def load(tensors: Tensors) -> str:
            path = tmp_path / "other.safetensors"
            hollow(path, tensors)
            with pytest.raises(UnavailableError) as caught:
                SadTalkerNetworks.load(path, weight_files.crop)
            return str(caught.value)

        return load

    def test_a_tensor_is_missing(self, tensors: Tensors, refused: Callable[[Tensors], str]) -> None:
        del tensors["generator.second.bias"]
        message = refused(tensors)
        assert message.startswith("other.safetensors is not the checkpoint")
        assert message.endswith("it lacks generator.second.bias.")

    def test_a_tensor_is_unknown(self, tensors: Tensors, refused: Callable[[Tensors], str]) -> None:
        tensors["he_estimator.conv.weight"] = ("F32", [3])
        assert "no network of SadTalker knows: he_estimator.conv.weight." in refused(tensors)

    def test_a_tensor_has_another_shape(
        self, tensors: Tensors, refused: Callable[[Tensors], str]
    ) -> None:
        tensors["kp_extractor.kp.weight"] = ("F32", [10, 32, 3, 3, 3])
        assert "in another shape kp_extractor.kp.weight." in refused(tensors)

    def test_another_model_altogether(self, refused: Callable[[Tensors], str]) -> None:
        message = refused({f"unet.{n}": ("F32", [2]) for n in range(5)})
        assert "it lacks audio2exp." in message and "more." in message

    def test_spectral_norms_without_numbers(
        self, tensors: Tensors, refused: Callable[[Tensors], str]
    ) -> None:
        assert "holds numbers that are none" in refused(tensors)  # all of them are 0

    def test_a_file_that_was_cut(self, weight_files: WeightFiles, tmp_path: Path) -> None:
        path = tmp_path / "cut.safetensors"
        with weight_files.checkpoint.open("rb") as file:
            path.write_bytes(file.read(1 << 20))
        with pytest.raises(UnavailableError, match=r"cut\.safetensors is cut"):
            SadTalkerNetworks.load(path, weight_files.crop)

    @pytest.mark.parametrize("content", [b"", b"not weights at all", b"\xff" * 64])
    def test_a_file_of_another_kind(
        self, weight_files: WeightFiles, tmp_path: Path, content: bytes
    ) -> None:
        path = tmp_path / "page.safetensors"
        path.write_bytes(content)
        with pytest.raises(UnavailableError, match="is no safetensors file"):
            SadTalkerNetworks.load(path, weight_files.crop)

    def test_no_file(self, weight_files: WeightFiles, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match=r"gone\.safetensors"):
            SadTalkerNetworks.load(tmp_path / "gone.safetensors", weight_files.crop)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_numbers_that_are_none(
        self, weight_files: WeightFiles, tensors: Tensors, tmp_path: Path, value: float
    ) -> None:
        path = tmp_path / "nan.safetensors"
        name = "audio2exp.mapping1.weight"
        at = hollow(path, tensors)[name]
        with path.open("r+b") as file:
            file.seek(at + 400)
            file.write(struct.pack("<f", value))
        with pytest.raises(UnavailableError, match=r"nan\.safetensors holds .* \(in mapping1"):
            SadTalkerNetworks.load(path, weight_files.crop)


class TestMappingFile:
    def test_the_optimiser_is_left_aside(self, weight_files: WeightFiles) -> None:
        assert load_mapping(weight_files.crop).coefficients == 70

    def test_what_would_run_is_not_run(self, tmp_path: Path) -> None:
        path = tmp_path / "evil.pth.tar"
        torch.save({"mapping": Evil()}, path)
        with pytest.raises(UnavailableError, match=r"evil\.pth\.tar .* holds more than numbers"):
            load_mapping(path)
        assert not Evil.ran

    @pytest.mark.parametrize(
        "content", [{"generator": {}}, {"mapping": {}}, [1, 2], {"mapping": 3}]
    )
    def test_another_network(self, tmp_path: Path, content: object) -> None:
        path = tmp_path / "other.pth.tar"
        torch.save(content, path)
        with pytest.raises(UnavailableError, match=r"other\.pth\.tar holds no mapping network"):
            load_mapping(path)

    def test_a_tensor_too_few(self, weight_files: WeightFiles, tmp_path: Path) -> None:
        state = torch.load(weight_files.crop, weights_only=True)["mapping"]
        del state["fc_t.bias"]
        torch.save({"mapping": state}, tmp_path / "less.pth.tar")
        with pytest.raises(UnavailableError, match=r"it lacks mapping\.fc_t\.bias"):
            load_mapping(tmp_path / "less.pth.tar")

    def test_numbers_that_are_none(self, weight_files: WeightFiles, tmp_path: Path) -> None:
        state = torch.load(weight_files.crop, weights_only=True)["mapping"]
        state["fc_t.bias"][1] = float("nan")
        torch.save({"mapping": state}, tmp_path / "nan.pth.tar")
        with pytest.raises(UnavailableError, match=r"nan\.pth\.tar holds .* \(in fc_t\.bias\)"):
            load_mapping(tmp_path / "nan.pth.tar")

    @pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
    def test_a_file_that_was_cut(
        self, weight_files: WeightFiles, tmp_path: Path, share: float
    ) -> None:
        content = weight_files.crop.read_bytes()
        path = tmp_path / "cut.pth.tar"
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(UnavailableError, match=r"cut\.pth\.tar is cut"):
            load_mapping(path)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match=r"gone\.pth\.tar"):
            load_mapping(tmp_path / "gone.pth.tar")


class Evil:
    """Asks whoever unpickles it to run something."""

    ran = False

    def __reduce__(self) -> tuple[Callable[..., None], tuple[()]]:
        return _run, ()


def _run() -> None:
    Evil.ran = True


def tensors_of(network: str, files: WeightFiles) -> Iterator[tuple[str, torch.Tensor]]:
    """Names, with the network's before them, and tensors of one network."""
    if network.startswith("mapping"):
        path = files.crop if network == "mapping_crop" else files.full
        for key, tensor in torch.load(path, weights_only=True)["mapping"].items():
            yield f"{network}.{key}", tensor
        return
    with safe_open(files.checkpoint, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118
            if name.startswith(f"{network}."):
                yield name, file.get_tensor(name)


def hollow(path: Path, tensors: Tensors) -> dict[str, int]:
    """A safetensors file full of zeros that takes no room on the disk; where each tensor starts."""
    header: dict[str, object] = {}
    starts: dict[str, int] = {}
    at = 0
    for name, (kind, shape) in tensors.items():
        size = int(np.prod(shape)) * (8 if kind == "I64" else 4)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        starts[name] = at
        at += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)
    return {name: 8 + len(text) + start for name, start in starts.items()}
