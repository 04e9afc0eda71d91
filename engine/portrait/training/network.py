"""The network of the tiny painter, and its ControlNet for faces."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.portrait.training.codec import CHANNELS, GROUND, as_pixels
from engine.portrait.training.course import Course
from engine.portrait.training.pictures import SIZE, Pixels, on_paper

if TYPE_CHECKING:
    import torch

    from engine.embedding import Embedder
    from engine.portrait.diffusion.patches import PatchCodec

log = logging.getLogger(__name__)

LATENT: Final = 8
"""Pixels of a picture to one of its latents, along a side."""
WORDS: Final = 384
"""Numbers of a sentence's embedding."""
LOUDNESS: Final = WORDS**0.5
"""What an embedding of length 1 is multiplied with, so that its numbers have variance 1."""
_BATCH: Final = 24
_UNTOLD: Final = 0.1
"""Share of the pictures that are learned without their caption, for guidance without one."""
_BARE: Final = 0.15
"""Share of the pictures that the ControlNet is shown without landmarks, so that it is silent."""
_SNR: Final = 5.0
"""Steps with less noise than this signal-to-noise ratio count no more (min-SNR weighting)."""


def make_network() -> Any:
    """An untrained one; 16 million weights."""
    from diffusers import UNet2DConditionModel

    kind: Any = UNet2DConditionModel
    return kind(
        sample_size=SIZE // LATENT,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=(128, 256),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WORDS,
        attention_head_dim=8,
        norm_num_groups=16,
    )


def make_noises() -> Any:
    """How pictures are made into noise; what it predicts is `v`."""
    from diffusers import DDIMScheduler

    kind: Any = DDIMScheduler
    return kind(
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


@dataclass(frozen=True)
class Lessons:
    """What is learned, ready for the network.

    Attributes:
        latents: [n, variants, CHANNELS, h, w] float16, of variance 1.
        captions: rows of `words` for each picture.
        words: [m, WORDS], embeddings; the first is of no caption.
        landmarks: [n, variants, SIZE, SIZE, 3]; None: not for a ControlNet.
    """

    latents: NDArray[np.float16]
    captions: Sequence[Sequence[int]]
    words: NDArray[np.float32]
    landmarks: Pixels | None = None

    def drawn(self, count: int, chance: np.random.Generator) -> tuple[NDArray[Any], ...]:
        """Pictures by chance: latents, embeddings, and which pictures and variants they are."""
        which = chance.integers(len(self.latents), size=count)
        variant = chance.integers(self.latents.shape[1], size=count)
        rows = [
            0
            if chance.random() < _UNTOLD
            else self.captions[at][int(chance.integers(len(self.captions[at])))]
            for at in which.tolist()
        ]
        return self.latents[which, variant].astype(np.float32), self.words[rows], which, variant


def prepare(
    pictures: Sequence[tuple[Pixels, Sequence[str], Pixels | None]],
    codec: PatchCodec,
    embedder: Embedder,
) -> Lessons:
    """Encodes pictures and captions, once.

    Args:
        pictures: RGBA, captions, and landmarks where a ControlNet is to be trained.
        codec: of pictures.
        embedder: of captions.
    """
    names: dict[str, int] = {"": 0}
    captions = [[names.setdefault(text, len(names)) for text in texts] for _, texts, _ in pictures]
    latents, landmarks = [], []
    for rgba, _, marks in pictures:
        if marks is None:
            seen = [on_paper(rgba, GROUND)]
        else:
            seen = [rgba[..., :3], rgba[:, ::-1, :3]]
            landmarks.append(np.stack([marks, _turned(marks)]))
        latents.append(_encoded(codec, seen))
    return Lessons(
        np.stack(latents),
        captions,
        embedder.encode(list(names)) * LOUDNESS,
        np.stack(landmarks) if landmarks else None,
    )


def _encoded(codec: PatchCodec, seen: Sequence[Pixels]) -> NDArray[np.float16]:
    import torch

    with torch.no_grad():
        latents = codec.encode(as_pixels(seen)).latents
    return np.asarray(latents.numpy(), np.float16)


def _turned(landmarks: Pixels) -> Pixels:
    """Landmarks in a mirror: red and blue tell left from right."""
    return np.ascontiguousarray(landmarks[:, ::-1, ::-1])


def train_network(lessons: Lessons, folder: Path, minutes: float) -> Any:
    """A trained network, kept in `folder`."""
    import torch
    from diffusers import UNet2DConditionModel

    place = folder / "unet"
    if place.exists():
        kind: Any = UNet2DConditionModel
        return kind.from_pretrained(str(place)).eval()
    torch.manual_seed(0)
    network = make_network().to(memory_format=torch.channels_last)
    noises = make_noises()
    course = Course("unet", network, folder, minutes=minutes, rate=5e-4)

    def loss_of(chance: np.random.Generator) -> torch.Tensor:
        latents, words, _, _ = lessons.drawn(_BATCH, chance)
        return _loss(noises, latents, words, lambda noisy, at, said: network(noisy, at, said))

    course.run(loss_of)
    network.save_pretrained(str(place))
    return network.eval()


def train_control(lessons: Lessons, network: Any, folder: Path, minutes: float) -> Any:
    """A trained ControlNet for faces, kept in `folder`; the network itself stays as it is."""
    import torch
    from diffusers import ControlNetModel

    assert lessons.landmarks is not None
    landmarks = lessons.landmarks
    place = folder / "controlnet"
    if place.exists():
        kind: Any = ControlNetModel
        return kind.from_pretrained(str(place)).eval()
    torch.manual_seed(0)
    network.requires_grad_(False)
    control = ControlNetModel.from_unet(
        network, conditioning_channels=3, conditioning_embedding_out_channels=(16, 32, 64, 96)
    ).to(memory_format=torch.channels_last)
    control.requires_grad_(True).train()
    noises = make_noises()
    course = Course("controlnet", control, folder, minutes=minutes, rate=3e-4)

    def loss_of(chance: np.random.Generator) -> torch.Tensor:
        latents, words, which, variant = lessons.drawn(_BATCH, chance)
        shown = landmarks[which, variant].astype(np.float32) / 255
        shown[chance.random(len(shown)) < _BARE] = 0
        marks = torch.from_numpy(shown).permute(0, 3, 1, 2)

        def predict(noisy: Any, at: Any, said: Any) -> Any:
            down, middle = control(noisy, at, said, controlnet_cond=marks, return_dict=False)
            return network(
                noisy,
                at,
                said,
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
            )

        return _loss(noises, latents, words, predict)

    course.run(loss_of)
    control.save_pretrained(str(place))
    return control.eval()


def _loss(noises: Any, latents: NDArray[Any], words: NDArray[Any], predict: Any) -> torch.Tensor:
    import torch

    clean = torch.from_numpy(latents).contiguous(memory_format=torch.channels_last)
    noise = torch.randn_like(clean)
    times = torch.randint(0, noises.config.num_train_timesteps, (len(clean),))
    noisy = noises.add_noise(clean, noise, times)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        answer = predict(noisy, times, torch.from_numpy(words)[:, None]).sample
    kept = noises.alphas_cumprod[times]
    ratio = kept / (1 - kept)
    weight = ratio.clamp(max=_SNR) / (ratio + 1)
    off = (answer.float() - noises.get_velocity(clean, noise, times)).square().mean(dim=(1, 2, 3))
    weighted: torch.Tensor = weight * off
    return weighted.mean()
