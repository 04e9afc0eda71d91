"""Files with weights as the official ones are formed, and the networks with them: made once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import save_file

from engine.talkinghead.sadtalker.random_weights import random_tensors
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from tests.engine.talkinghead.sadtalker.golden import FILE, Golden

KEYS = FILE.with_name("keys.json")
"""Names, shapes and types of all tensors in the official files, by network."""

Shapes = dict[str, tuple[int, ...]]


class WeightFiles(NamedTuple):
    checkpoint: Path
    crop: Path
    full: Path


@pytest.fixture(scope="session")
def official() -> dict[str, Shapes]:
    """Names and shapes of the official files' tensors, by network."""
    networks = json.loads(KEYS.read_text())
    return {
        network: {name: tuple(shape) for name, shape, _ in entries}
        for network, entries in networks.items()
    }


@pytest.fixture(scope="session")
def weight_files(
    official: dict[str, Shapes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WeightFiles]:
    """Random weights in files with every tensor that the official ones have."""
    folder = tmp_path_factory.mktemp("weights")
    files = WeightFiles(
        folder / "SadTalker_V0.0.2_256.safetensors",
        folder / "mapping_00229-model.pth.tar",
        folder / "mapping_00109-model.pth.tar",
    )
    tensors = {
        f"{network}.{name}": tensor
        for network, shapes in official.items()
        if not network.startswith("mapping")
        for name, tensor in random_tensors(network, shapes.items())
    }
    save_file(tensors, files.checkpoint)
    del tensors
    for path, network in ((files.crop, "mapping_crop"), (files.full, "mapping_full")):
        state = dict(random_tensors(network, official[network].items()))
        optimizer = {"state": {0: {"step": 7}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
        torch.save({"mapping": state, "optimizer_mapping": optimizer, "epoch": 229}, path)
    yield files
    for path in files:
        path.unlink()


@pytest.fixture(scope="session")
def networks(weight_files: WeightFiles) -> SadTalkerNetworks:
    """All networks with random weights, float32."""
    return SadTalkerNetworks.load(weight_files.checkpoint, weight_files.crop)


@pytest.fixture(scope="session")
def golden() -> Golden:
    """What the original program computed."""
    return Golden()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Machines that run tests are shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
