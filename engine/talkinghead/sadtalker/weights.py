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
        modules[_MAPPING] = load_mapping(mapping)
        try:
            return cls._ready(modules, device, precision)
        except ZeroDivisionError as error:
            raise UnavailableError(_damaged(checkpoint)) from error

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
        return cls._ready(modules, device, precision)

    @classmethod
    def _ready(
        cls,
        modules: dict[str, nn.Module],
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


def _read_checkpoint(path: Path, modules: dict[str, nn.Module]) -> dict[str, dict[str, Tensor]]:
    """The state dict of each network, checked; tensors that only training used are not read."""
    _must_exist(path)
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if not name.startswith(TRAINING_ONLY)]  # noqa: SIM118
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            _must_fit(path, shapes, modules)
            return {
                prefix: _checked(
                    path, {key: file.get_tensor(f"{prefix}.{key}") for key in module.state_dict()}
                )
                for prefix, module in modules.items()
            }
    except (SafetensorError, OSError, ValueError) as error:
        raise UnavailableError(
            f"{path.name} is cut or is no safetensors file; fetch it again."
        ) from error


def load_mapping(path: Path) -> MappingNet:
    """The mapping network of an official file, on the CPU.

    Raises:
        NotFoundError: the file is not there.
        UnavailableError: it is cut, is another one, or holds numbers that are none.
    """
    _must_exist(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise UnavailableError(
            f"{path.name} is cut, is no PyTorch file or holds more than numbers; fetch it again."
        ) from error
    state = content.get(_MAPPING) if isinstance(content, dict) else None
    first = state.get("first.0.weight") if isinstance(state, dict) else None
    if not isinstance(state, dict) or not isinstance(first, Tensor) or first.dim() != 3:
        raise UnavailableError(f"{path.name} holds no mapping network of SadTalker.")
    network = _blank(lambda: MappingNet(first.shape[1]))
    assert isinstance(network, MappingNet)
    tensors = {str(key): value for key, value in state.items() if isinstance(value, Tensor)}
    shapes = {f"{_MAPPING}.{key}": tuple(value.shape) for key, value in tensors.items()}
    _must_fit(path, shapes, {_MAPPING: network})
    network.load_state_dict(_checked(path, tensors), strict=True, assign=True)
    network.requires_grad_(False).eval()
    return network


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise NotFoundError(f"The file {path.name} with weights of SadTalker is not there.")


def _must_fit(path: Path, found: dict[str, tuple[int, ...]], modules: dict[str, nn.Module]) -> None:
    """Refuse a file in which a tensor is missing, unknown or of another shape."""
    wanted = {
        f"{prefix}.{key}": tuple(value.shape)
        for prefix, module in modules.items()
        for key, value in module.state_dict().items()
    }
    shared = wanted.keys() & found.keys()
    wrong = sorted(name for name in shared if wanted[name] != found[name])
    for names, what in (
        (wanted.keys() - found.keys(), "lacks"),
        (found.keys() - wanted.keys(), "has what no network of SadTalker knows:"),
        (wrong, "has in another shape"),
    ):
        if names:
            raise UnavailableError(
                f"{path.name} is not the checkpoint of SadTalker that we know: it {what} "
                f"{_some(names)}."
            )


def _checked(path: Path, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point tensors as float32, all of them finite."""
    for name, tensor in state.items():
        if tensor.is_floating_point():
            state[name] = tensor.float()
            if not bool(state[name].isfinite().all()):
                raise UnavailableError(_damaged(path, name))
    return state


def _damaged(path: Path, name: str = "") -> str:
    where = f" (in {name})" if name else ""
    return f"{path.name} holds numbers that are none{where}: it is damaged; fetch it again."


def _some(names: Iterable[str]) -> str:
    """Up to three names, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - 3:,} more" if len(listed) > 3 else ""
    return ", ".join(name[:80] for name in listed[:3]) + more
