"""SadTalkerNetworks: all networks of SadTalker, from the official files, strictly."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.talkinghead.sadtalker.networks import (
    ExpressionNet,
    FaceReconstruction,
    Generator,
    KeypointDetector,
    MappingNet,
    PoseNet,
)
from engine.talkinghead.sadtalker.random_weights import random_state
from personas.errors import NotFoundError, UnavailableError

log = logging.getLogger(__name__)

TRAINING_ONLY: Final = ("audio2pose.netG.encoder.", "audio2pose.netD_motion.")
"""Parts of the official checkpoint that only its training used: left aside on purpose."""

_NETWORKS: Final[dict[str, Callable[[], nn.Module]]] = {
    "face_3drecon": FaceReconstruction,
    "audio2exp": ExpressionNet,
    "audio2pose": PoseNet,
    "kp_extractor": KeypointDetector,
    "generator": Generator,
}
"""What stands before the names of the checkpoint's tensors, and whose they are."""

_MAPPING: Final = "mapping"


@dataclass(frozen=True)
class SadTalkerNetworks:
    """All networks, folded and ready for inference.

    Attributes:
        reconstruction: picture -> coefficients of the 3-D face model.
        expression: sound -> expressions.
        pose: sound -> poses.
        mapping: coefficients -> motion of the renderer.
        keypoints: picture -> keypoints.
        generator: picture and keypoints -> frames.
        device: where they are.
        precision: of the generator's convolutions; all else is float32.
    """

    reconstruction: FaceReconstruction
    expression: ExpressionNet
    pose: PoseNet
    mapping: MappingNet
    keypoints: KeypointDetector
    generator: Generator
    device: torch.device
    precision: torch.dtype

    @classmethod
    def load(
        cls,
        checkpoint: Path,
        mapping: Path,
        *,
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
    ) -> SadTalkerNetworks:
        """The networks with the weights of the official files.

        Args:
            checkpoint: `SadTalker_V0.0.2_256.safetensors` or `..._512.safetensors`.
            mapping: `mapping_00229-model.pth.tar` for cropped portraits (70 coefficients) or
                `mapping_00109-model.pth.tar` for whole pictures (73). Read without running
                anything that is in it; the optimiser's state in it is left aside.
            device: where to put them.
            precision: of the generator's convolutions: float32, float16 or bfloat16.

        Raises:
            NotFoundError: one of the files is not there.
            UnavailableError: a file is cut, is another one, or holds numbers that are none.
        """
        modules = {name: _blank(make) for name, make in _NETWORKS.items()}
        for name, state in _read_checkpoint(checkpoint, modules).items():
            modules[name].load_state_dict(state, strict=True, assign=True)
        modules[_MAPPING] = _load_mapping(mapping)
        return cls._ready(modules, checkpoint, device, precision)

    @classmethod
    def random(
        cls,
        *,
        coefficients: int = 70,
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
    ) -> SadTalkerNetworks:
        """The networks with weights that nobody trained, the same each time.

        Args:
            coefficients: 70 for cropped portraits, 73 for whole pictures.
            device: where to put them.
            precision: of the generator's convolutions.
        """
        modules = {name: _blank(make) for name, make in _NETWORKS.items()}
        seeds = {name: name for name in modules}
        modules[_MAPPING] = _blank(lambda: MappingNet(coefficients))
        seeds[_MAPPING] = "mapping_crop" if coefficients == 70 else "mapping_full"
        for name, module in modules.items():
            module.load_state_dict(random_state(seeds[name], module), strict=True, assign=True)
        return cls._ready(modules, None, device, precision)

    @classmethod
    def _ready(
        cls,
        modules: dict[str, nn.Module],
        source: Path | None,
        device: torch.device | str,
        precision: torch.dtype,
    ) -> SadTalkerNetworks:
        """Folded on the CPU, which computes in float64 everywhere, then put where they belong."""
        reconstruction, expression = modules["face_3drecon"], modules["audio2exp"]
        pose, keypoints = modules["audio2pose"], modules["kp_extractor"]
        mapping, generator = modules[_MAPPING], modules["generator"]
        assert isinstance(reconstruction, FaceReconstruction)
        assert isinstance(expression, ExpressionNet) and isinstance(pose, PoseNet)
        assert isinstance(mapping, MappingNet) and isinstance(keypoints, KeypointDetector)
        assert isinstance(generator, Generator)
        for network in (reconstruction, expression, pose, mapping, keypoints, generator):
            network.requires_grad_(False).eval()
            network.fold()
            network.to(device)
        generator.set_precision(precision)
        return cls(
            reconstruction=reconstruction,
            expression=expression,
            pose=pose,
            mapping=mapping,
            keypoints=keypoints,
            generator=generator,
            device=torch.device(device),
            precision=precision,
        )


def _blank(make: Callable[[], nn.Module]) -> nn.Module:
    """A network without weights, which takes no memory until it gets some."""
    with torch.device("meta"):
        return make()
