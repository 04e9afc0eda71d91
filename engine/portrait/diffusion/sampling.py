"""Sampling: from prompts, seeds and guides to pictures, several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.diffusion.studio import Easel
from engine.portrait.guidance.injection import Mask
from engine.portrait.guidance.plan import Rung
from personas.errors import UnavailableError
from personas.recipes import Recipe

if TYPE_CHECKING:
    import torch

Step = Callable[[float], None]
"""Told after each step how much is done, 0 to 1; what it raises ends the sampling."""


@dataclass(frozen=True)
class Guide:
    """What leads a face into a picture.

    Attributes:
        face: [size, size, 3] RGB, the reference face.
        mask: [size / 8, size / 8], where it is held and how long.
        landmarks: [size, size, 3] RGB, for a ControlNet.
    """

    face: Image
    mask: Mask
    landmarks: Image | None = None


@dataclass(frozen=True)
class Shot:
    """One picture to be painted."""

    prompt: str
    negative: str
    seed: int
    guide: Guide


def sample(
    easel: Easel,
    recipe: Recipe,
    size: int,
    shots: Sequence[Shot],
    rung: Rung,
    step: Step | None = None,
) -> list[Image]:
    """Paints pictures; the same shot, rung and weights give the same picture.

    Args:
        easel: what paints.
        recipe: of the look.
        size: width and height, pixels.
        shots: painted together.
        rung: how faces are guided into all of them.
        step: told how far it is.

    Returns:
        [size, size, 3] RGB each.

    Raises:
        UnavailableError: the network came out with no picture.
    """
    import torch

    pipeline = easel.guided if easel.paints_guided(rung) else easel.pipeline
    with torch.no_grad():
        generators = [torch.Generator("cpu").manual_seed(shot.seed) for shot in shots]
        noise = _noise(pipeline, generators, size)
        pipeline.scheduler, own = easel.scheduler, pipeline.scheduler
        try:
            injection = _Injection(easel, pipeline, recipe, shots, rung, noise)
            images = _paint(easel, recipe, size, shots, rung, injection, generators, step)
        finally:
            pipeline.scheduler = own
    if not np.isfinite(images).all():
        raise UnavailableError(
            "The diffusion model came out with no picture. Another precision may help: "
            "precision in the section portrait.diffusion."
        )
    return [np.ascontiguousarray((image * 255).round().astype(np.uint8)) for image in images]


def _paint(
    easel: Easel,
    recipe: Recipe,
    size: int,
    shots: Sequence[Shot],
    rung: Rung,
    injection: _Injection,
    generators: list[torch.Generator],
    step: Step | None,
) -> NDArray[np.float32]:
    guided = easel.paints_guided(rung)
    pipeline = easel.guided if guided else easel.pipeline

    def after(pipe: Any, index: int, _: Any, values: dict[str, Any]) -> dict[str, Any]:
        steps = len(pipe.scheduler.timesteps)
        values["latents"] = injection.applied(values["latents"], index)
        if step is not None:
            step((index + 1) / steps)
        return values

    options: dict[str, Any] = {
        **_said(easel, shots),
        "height": size,
        "width": size,
        "num_inference_steps": recipe.steps,
        "guidance_scale": recipe.guidance,
        "generator": generators,
        "latents": injection.start,
        "output_type": "np",
        "callback_on_step_end": after,
        "callback_on_step_end_tensor_inputs": ["latents"],
    }
    if guided:
        import torch

        pictures = np.stack([_landmarks(shot) for shot in shots]).astype(np.float32) / 255
        options |= {
            "image": torch.from_numpy(pictures).permute(0, 3, 1, 2),
            "controlnet_conditioning_scale": rung.scale,
            "control_guidance_start": rung.control[0],
            "control_guidance_end": rung.control[1],
        }
    return np.asarray(pipeline(**options).images, np.float32)


def _said(easel: Easel, shots: Sequence[Shot]) -> dict[str, Any]:
    """The prompts, as the pipeline takes them."""
    prompts, negatives = [shot.prompt for shot in shots], [shot.negative for shot in shots]
    if easel.words is None:
        return {"prompt": prompts, "negative_prompt": negatives}
    return {
        "prompt_embeds": easel.words(prompts),
        "negative_prompt_embeds": easel.words(negatives),
    }


def _landmarks(shot: Shot) -> Image:
    if shot.guide.landmarks is None:
        return np.zeros_like(shot.guide.face)
    return shot.guide.landmarks


def _noise(pipeline: Any, generators: list[torch.Generator], size: int) -> torch.Tensor:
    """[n, channels, h, w]: each picture's own noise, whatever it is painted together with."""
    import torch

    channels, side = pipeline.unet.config.in_channels, size // pipeline.vae_scale_factor
    noise = [torch.randn((1, channels, side, side), generator=one) for one in generators]
    return torch.cat(noise).to(pipeline._execution_device, pipeline.unet.dtype)


class _Injection:
    """The reference faces in latent space, and when they are set into the picture.

    Attributes:
        start: the noise that sampling begins with, which carries the faces where they are held.
    """

    def __init__(
        self,
        easel: Easel,
        pipeline: Any,
        recipe: Recipe,
        shots: Sequence[Shot],
        rung: Rung,
        noise: torch.Tensor,
    ) -> None:
        import torch

        self.start = noise
        self._fade = rung.fade
        if rung.fade is None:
            return
        self._scheduler = easel.scheduler
        self._noise = noise
        self._faces = _encoded(pipeline, [shot.guide.face for shot in shots])
        self._masks = [shot.guide.mask for shot in shots]
        self._torch = torch
        # The pipeline sets the same steps again; they are needed before it begins.
        self._scheduler.set_timesteps(recipe.steps, device=noise.device)
        first = self._scheduler.timesteps[:1]
        carried = self._scheduler.add_noise(self._faces, noise, first)
        carried = (carried / self._scheduler.init_noise_sigma).to(noise.dtype)
        self.start = torch.where(self._held(0.0), carried, noise)

    def applied(self, latents: torch.Tensor, index: int) -> torch.Tensor:
        """The latents after a step, with the faces set in where they are held.

        Args:
            latents: [n, channels, h, w].
            index: of the step that was taken, from 0.
        """
        times = self._scheduler.timesteps if self._fade is not None else ()
        if self._fade is None or index + 1 >= len(times):
            return latents
        held = self._held((index + 1) / len(times))
        if not bool(held.any()):
            return latents
        faces = self._scheduler.add_noise(self._faces, self._noise, times[index + 1 : index + 2])
        return self._torch.where(held, faces.to(latents.dtype), latents)

    def _held(self, done: float) -> torch.Tensor:
        assert self._fade is not None
        held = np.stack([self._fade.held(mask, done) for mask in self._masks])[:, None]
        return self._torch.from_numpy(held).to(self._noise.device)


def _encoded(pipeline: Any, faces: Sequence[Image]) -> torch.Tensor:
    """[n, channels, h, w]: pictures in latent space, without noise."""
    import torch

    vae = pipeline.vae
    dtype = vae.dtype
    # Decoders of this kind overflow in half precision.
    upcast = dtype == torch.float16 and bool(getattr(vae.config, "force_upcast", False))
    pixels = torch.from_numpy(np.stack(faces).astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
    try:
        if upcast:
            vae.to(torch.float32)
        pixels = pixels.to(pipeline._execution_device, torch.float32 if upcast else dtype)
        encoded = vae.encode(pixels)
        # Tiny autoencoders know no spread: their latents are what they are.
        latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
    finally:
        if upcast:
            vae.to(dtype)
    scaled: torch.Tensor = (latents * vae.config.scaling_factor).to(dtype)
    return scaled
