"""Sources as bytes, to be kept beside their portraits: safetensors, nothing that could run."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine.talkinghead.sadtalker.canvas import Canvas
from engine.talkinghead.sadtalker.coefficients import SOURCE
from engine.talkinghead.sadtalker.networks import SourceFeatures
from engine.talkinghead.sadtalker.source import Source
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from personas.errors import UnavailableError
from personas.persona import Mood

_FORM: Final = 2
"""Raise it when the same portrait and networks are prepared otherwise."""
_EXACT: Final = ("coefficients", "canonical", "keypoints")


@dataclass(frozen=True)
class Maker:
    """What a source depends on besides its portrait; another one's bytes are of no use.

    Attributes:
        weights: which weights; see `fingerprint`.
        size: of a frame.
        resolution: of the face.
        framing: what a clip shows.
    """

    weights: int
    size: int
    resolution: int
    framing: str

    def line(self) -> str:
        """As it is written down."""
        return json.dumps([_FORM, self.weights, self.size, self.resolution, self.framing])


def fingerprint(networks: SadTalkerNetworks) -> int:
    """A number that differs for other weights: of one small tensor of each network."""
    total = 0
    for network in (networks.reconstruction, networks.keypoints, networks.mapping):
        *_, last = network.parameters()
        total = zlib.crc32(last.detach().float().cpu().numpy().tobytes(), total)
    return total


def pack(source: Source, maker: Maker) -> bytes:
    """A source as bytes; its features with half their bits, which is all that is used of them."""
    arrays: dict[str, NDArray[np.generic]] = {
        name: getattr(source, name).cpu().numpy() for name in _EXACT
    }
    arrays["volume"] = source.features.volume.half().cpu().numpy()
    arrays["compressed"] = source.features.compressed.half().cpu().numpy()
    arrays["picture"] = source.canvas.picture
    arrays["mask"] = source.canvas.mask
    arrays["box"] = np.array(source.canvas.box, np.float64)
    ordered = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save(ordered, {"maker": maker.line(), "mood": source.mood.value})


def unpack(data: bytes, maker: Maker, device: torch.device) -> Source:
    """The source that `pack` has made bytes of.

    Raises:
        UnavailableError: the bytes are damaged, or somebody else packed them.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        told = json.loads(data[8 : 8 + length])["__metadata__"]
        if told["maker"] != maker.line():
            raise UnavailableError("It was prepared for other weights or another size.")
        arrays = load(data)
        tensors = {name: torch.from_numpy(arrays[name]).to(device) for name in _EXACT}
        features = SourceFeatures(
            torch.from_numpy(arrays["volume"]).to(device).float(),
            torch.from_numpy(arrays["compressed"]).to(device).float(),
        )
        box = tuple(float(edge) for edge in arrays["box"])
        canvas = Canvas(arrays["picture"], (box[0], box[1], box[2], box[3]), arrays["mask"])
        source = Source(canvas, **tensors, features=features, mood=Mood(told["mood"]))
        _check(source, maker)
    except (SafetensorError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise UnavailableError("What was prepared of the portrait is damaged.") from error
    return source


def _check(source: Source, maker: Maker) -> None:
    side = maker.resolution // 4
    found = (
        source.coefficients.shape,
        source.canonical.shape,
        source.keypoints.shape,
        source.features.volume.shape[-2:],
        source.canvas.picture.shape,
        source.canvas.mask.shape,
    )
    frame = (maker.size, maker.size)
    if found != ((SOURCE,), (1, 15, 3), (1, 15, 3), (side, side), (*frame, 3), frame):
        raise ValueError(f"shapes are {found}")
