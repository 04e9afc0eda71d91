"""Where models run, in which precision, and how much memory there is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from engine.machine import available_memory, multiplies_bfloat16
from engine.portrait.diffusion.settings import DiffusionSettings
from personas.errors import UnavailableError

if TYPE_CHECKING:
    import torch

NEEDED = ("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors")
INSTALL = "Painting with diffusion models needs more packages: pip install 'chatanything[gpu]'."


def is_installed() -> bool:
    """Whether the packages of the extra `gpu` are here; imports none of them."""
    return all(find_spec(name) is not None for name in NEEDED)


@cache
def has_gpu() -> bool:
    """Whether there is a GPU that PyTorch can use.

    PyTorch takes seconds to import, so that the driver's own tool is looked for first.
    """
    import sys

    if not is_installed():
        return False
    if sys.platform != "darwin" and shutil.which("nvidia-smi") is None:
        return False
    import torch

    return bool(torch.cuda.is_available() or torch.backends.mps.is_available())


def likely_device(settings: DiffusionSettings) -> str:
    """The name of the device that `choose_device` will choose, without waking it."""
    if settings.device != "auto":
        return settings.device
    if not has_gpu():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "mps"


@dataclass(frozen=True)
class Device:
    """A device and how it is used.

    Attributes:
        name: `cuda`, `mps` or `cpu`.
        precision: the data type that weights have.
        budget: bytes that loaded weights may take.
    """

    name: str
    precision: torch.dtype
    budget: int

    @property
    def is_gpu(self) -> bool:
        """Whether it is no CPU."""
        return self.name != "cpu"


def choose_device(settings: DiffusionSettings) -> Device:
    """The device that the settings ask for.

    Raises:
        UnavailableError: the packages or the device are not here.
    """
    if not is_installed():
        raise UnavailableError(INSTALL)
    import torch

    mps = bool(torch.backends.mps.is_available())
    name = settings.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not mps):
        raise UnavailableError(
            f"PyTorch sees no device {name} here. Set device in the section portrait.diffusion to "
            "auto, or install the PyTorch that fits the driver."
        )
    here = torch.bfloat16 if name == "cpu" and multiplies_bfloat16() else torch.float32
    types: dict[str, Any] = {
        "auto": here if name == "cpu" else torch.float16,
        "float16": torch.float16,
        "bfloat16": torch.bfloat16,
        "float32": torch.float32,
    }
    if settings.memory_gb:
        budget = round(settings.memory_gb * 1e9)
    elif name == "cuda":
        budget = round(torch.cuda.mem_get_info()[1] * 2 / 3)
    else:
        budget = round(available_memory() * 2 / 3)
    return Device(name, types[settings.precision], budget)


def free_unused() -> None:
    """Gives memory that nothing uses any more back to the device."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
