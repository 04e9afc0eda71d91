"""Pictures as the tiny painter sees them: varied a little, and encoded by their patches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.portrait.training.pictures import Collection, Pixels, on_paper

if TYPE_CHECKING:
    import torch

    from engine.portrait.diffusion.patches import PatchCodec

CHANNELS: Final = 32
"""Components of a patch: with them, pictures come back at a PSNR of 30 dB."""
_FITTED_TO: Final = 2000
"""Pictures."""
GROUND: Final = (247, 246, 242)
"""What art lies on."""
_GROUNDS: Final = np.array(
    [GROUND, (232, 240, 247), (250, 238, 226), (236, 246, 232), (244, 234, 244)],
    np.float32,
)


def varied(rgba: Pixels, chance: np.random.Generator) -> Pixels:
    """[SIZE, SIZE, 3]: a picture on a light ground, mirrored and moved by chance.

    Args:
        rgba: [SIZE, SIZE, 4].
        chance: decides.
    """
    ground = _GROUNDS[int(chance.integers(len(_GROUNDS)))]
    dx, dy = (int(by) for by in chance.integers(-4, 5, 2))
    if rgba[..., 3].min() == 255:
        dx = dy = 0  # it fills the picture
    seen = on_paper(rgba, ground, (dx, dy))
    return seen[:, ::-1] if chance.random() < 0.5 else seen


def any_of(collections: Sequence[Collection], chance: np.random.Generator) -> Pixels:
    """A picture by chance, varied; each collection is as likely as the others."""
    one = collections[int(chance.integers(len(collections)))]
    return varied(one.rgba[int(chance.integers(len(one)))], chance)


def as_pixels(pictures: Sequence[Pixels]) -> torch.Tensor:
    """[n, 3, h, w] from -1 to 1."""
    import torch

    stacked = np.stack(pictures).astype(np.float32) / 127.5 - 1
    pixels = torch.from_numpy(stacked).permute(0, 3, 1, 2)
    return pixels.contiguous(memory_format=torch.channels_last)


def fit_codec(collections: Sequence[Collection], folder: Path) -> PatchCodec:
    """The code of the collections' patches, kept in `folder`."""
    from engine.portrait.diffusion.patches import PatchCodec, fit

    place = folder / "vae"
    if not place.exists():
        chance = np.random.default_rng(0)
        fit(
            np.stack([any_of(collections, chance) for _ in range(_FITTED_TO)]), CHANNELS
        ).save_pretrained(str(place))
    kind: Any = PatchCodec  # the library has no annotations
    codec: PatchCodec = kind.from_pretrained(str(place)).eval()
    return codec
