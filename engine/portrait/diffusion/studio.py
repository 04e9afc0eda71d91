"""Studio: pipelines of diffusers, kept warm and shared as far as they are the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.machine import is_out_of_memory
from engine.portrait.diffusion.device import Device, free_unused
from engine.portrait.diffusion.hub import HubStore, has_half_precision, lacking
from engine.portrait.diffusion.schedulers import make_scheduler
from engine.portrait.diffusion.settings import DiffusionSettings
from engine.portrait.diffusion.shelf import Shelf, weight_bytes
from engine.portrait.guidance.plan import Rung
from personas.errors import UnavailableError
from personas.recipes import Control, Family, FamilyName, Lora, Recipe, Weights

if TYPE_CHECKING:
    from engine.embedding import Embedder

log = logging.getLogger(__name__)

_PIPELINES: dict[FamilyName, tuple[str, str]] = {
    "sd15": ("StableDiffusionPipeline", "StableDiffusionControlNetPipeline"),
    "sdxl": ("StableDiffusionXLPipeline", "StableDiffusionXLControlNetPipeline"),
}
Words = Callable[[Sequence[str]], Any]
_HALF = 2
"""Bytes of a number in half precision, in which families tell what they take."""
_OPTIONAL = ("safety_checker", "feature_extractor", "text_encoder", "tokenizer")
"""Parts that a pipeline of SD 1.5 may lack."""


@dataclass(frozen=True)
class Easel:
    """All that is needed to paint in one look.

    Attributes:
        pipeline: text to image, with the look's LoRAs switched on.
        guided: the same with the ControlNet; None where there is none.
        scheduler: the look's own, for this picture alone.
        words: turns prompts into what the network listens to, [n, tokens, numbers]; None: the
            pipeline has a text encoder of its own.
    """

    pipeline: Any
    guided: Any
    scheduler: Any
    words: Words | None = None

    def paints_guided(self, rung: Rung) -> bool:
        """Whether a try is painted with the ControlNet."""
        return rung.scale > 0 and self.guided is not None


class Studio:
    """Loads what looks need and switches between them. For one thread at a time.

    Looks of one checkpoint share its pipeline and differ in LoRAs, which stay loaded and are
    switched. Checkpoints of a family share the parts that their recipe says, and the ControlNet.

    Args:
        hub: where weights are.
        device: where they run.
        settings: how.
        sentences: opens what networks listen to that were trained on the meaning of whole
            sentences; asked by those alone.
    """

    def __init__(
        self,
        hub: HubStore,
        device: Device,
        settings: DiffusionSettings,
        sentences: Callable[[], Embedder] | None = None,
    ) -> None:
        self.device = device
        self._hub = hub
        self._sentences = sentences
        self._settings = settings
        self._offload = settings.offload
        self.shelf = Shelf(device.budget, weight_bytes)
        _quiet()

    def easel(self, look: str, recipe: Recipe, family: Family, *, guided: bool) -> Easel:
        """What paints a look, loaded as far as it is not here.

        Args:
            look: the style, for messages.
            recipe: of the style.
            family: of the recipe.
            guided: with the ControlNet, where there is one.

        Raises:
            UnavailableError: weights are missing or cannot be read.
        """
        key = _key(recipe, family)
        control = self.control_of(family) if guided else None
        keep = frozenset({key} if control is None else {key, _weights_key(control)})
        pipeline = self._pipeline(look, recipe, family, keep)
        self._switch(pipeline, look, recipe)
        net = None
        if control is not None:
            load = self._load_control
            net = self.shelf.get(_weights_key(control), lambda: load(look, control), keep)
        config = pipeline.scheduler.config
        scheduler = make_scheduler(recipe.scheduler, config)
        guided_too = self._with_control(pipeline, net, family)
        return Easel(pipeline, guided_too, scheduler, self._words(pipeline, look))

    def _words(self, pipeline: Any, look: str) -> Words | None:
        """For a network without a text encoder: the embedding of each prompt, as one token."""
        if pipeline.text_encoder is not None:
            return None
        if self._sentences is None:
            raise UnavailableError(
                f"The look '{look}' listens to embeddings of sentences, and the model for them is "
                "not here."
            )
        sentences, unet = self._sentences(), pipeline.unet

        def words(prompts: Sequence[str]) -> Any:
            import torch

            # Embeddings have length 1; networks are trained on numbers of variance 1.
            vectors = sentences.encode(prompts) * unet.config.cross_attention_dim**0.5
            return torch.from_numpy(vectors)[:, None].to(unet.device, unet.dtype)

        return words

    def _pipeline(
        self, look: str, recipe: Recipe, family: Family, keep: frozenset[Hashable] = frozenset()
    ) -> Any:
        wanted = family.gigabytes * 1e9 * self.device.precision.itemsize / _HALF
        load = self._load
        return self.shelf.get(
            _key(recipe, family), lambda: load(look, recipe, family), keep, round(wanted)
        )

    def control_of(self, family: Family) -> Control | None:
        """The ControlNet for faces of a family: the operator's own, or the family's, if any."""
        return self._settings.control.own() or family.control

    def save_memory(self, recipe: Recipe, family: Family) -> bool:
        """The next thing that can be done about too little memory; False where all was done.

        First the decoder works in slices and tiles, then other looks are unloaded, then weights
        wait in main memory for their turn. A look that is not even loaded has no decoder yet.
        """
        key = _key(recipe, family)
        control = self.control_of(family)
        keep: set[Hashable] = {key} | ({_weights_key(control)} if control is not None else set())
        pipeline = self.shelf.peek(key)
        free_unused()
        if pipeline is None:
            # What lends it parts would be loaded again together with it.
            keep |= {_key(lender, family) for lender in _lenders(recipe)}
        elif not pipeline.vae.use_slicing:
            log.warning("Too little memory: pictures are decoded in slices and tiles from now on")
            _slice(pipeline)
            return True
        if self.shelf.drop_others(frozenset(keep)):
            log.warning("Too little memory: other looks were unloaded")
            return True
        if not self._offload and self.device.is_gpu:
            log.warning("Too little memory: weights wait in main memory from now on")
            self._offload = True
            self.shelf.drop_others(frozenset())
            return True
        return False

    def _load(self, look: str, recipe: Recipe, family: Family) -> Any:
        import diffusers

        kind = getattr(diffusers, _PIPELINES[recipe.family][0])
        place = self._hub.path(recipe.checkpoint or family.base, look)
        shared: dict[str, Any] = {}
        for base in _lenders(recipe):
            lender = self._pipeline(look, base, family)
            for part in recipe.shares:
                shared[part] = getattr(lender, part)
                if part != "vae" and hasattr(lender, f"{part}_2"):
                    shared[f"{part}_2"] = getattr(lender, f"{part}_2")
        if recipe.vae is not None:
            shared["vae"] = self._read(
                diffusers.AutoencoderKL, self._hub.path(recipe.vae, look), look
            )
        log.info("Loading %s for the look %s", place, look)
        if place.is_file():
            config = str(self._hub.path(family.base, look))
            pipeline = self._read(
                kind, place, look, single=True, config=config, **shared, **_unchecked(kind)
            )
        else:
            # The library reads parts of others only where they were imported already.
            import engine.portrait.diffusion.patches  # noqa: F401

            shared = {**lacking(place), **shared}
            pipeline = self._read(kind, place, look, **shared, **_unchecked(kind))
        return self._settled(pipeline)

    def _read(
        self, kind: Any, place: Path, look: str, *, single: bool = False, **options: Any
    ) -> Any:
        """Weights of a file or folder, in our precision; safetensors only."""
        from safetensors import SafetensorError

        options |= {"dtype": self.device.precision, "local_files_only": True}
        try:
            if single:
                return kind.from_single_file(str(place), **options)
            if has_half_precision(place):
                options["variant"] = "fp16"
            return kind.from_pretrained(str(place), use_safetensors=True, **options)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            if is_out_of_memory(error):
                raise
            raise UnavailableError(
                f"The weights of the look '{look}' cannot be read; the log says why. If they were "
                f"damaged on the way, remove them and fetch them again: chatanything models pull "
                f"{look}"
            ) from error

    def _settled(self, pipeline: Any) -> Any:
        """A pipeline on its device, laid out and compiled as the settings say."""
        import torch

        pipeline.set_progress_bar_config(disable=True)
        if self._offload and self.device.is_gpu:
            pipeline.enable_model_cpu_offload(device=self.device.name)
        else:
            pipeline.to(self.device.name)
        for part in (pipeline.unet, pipeline.vae):
            part.to(memory_format=torch.channels_last)
        if self._settings.vae_slicing:
            _slice(pipeline)
        if self._settings.compile:
            pipeline.unet.compile()
        return pipeline

    def _load_control(self, look: str, control: Control) -> Any:
        import diffusers
        import torch

        place = self._hub.path(control, look)
        net = self._read(diffusers.ControlNetModel, place, look)
        net.to(memory_format=torch.channels_last)
        return net if self._offload and self.device.is_gpu else net.to(self.device.name)

    def _with_control(self, pipeline: Any, net: Any, family: Family) -> Any:
        if net is None:
            return None
        import diffusers

        kind = getattr(diffusers, _PIPELINES[family.name][1])
        parts = {name: part for name, part in pipeline.components.items() if part is not None}
        optional = dict.fromkeys(_OPTIONAL)
        extra = optional if family.name == "sd15" else {}
        guided = kind(**{**extra, **parts}, controlnet=net, **_unchecked_made(kind))
        guided.set_progress_bar_config(disable=True)
        if self._offload and self.device.is_gpu:
            guided.enable_model_cpu_offload(device=self.device.name)
        return guided

    def _switch(self, pipeline: Any, look: str, recipe: Recipe) -> None:
        """Puts the LoRAs of a look in force, and no others; what was loaded stays loaded."""
        loaded = set(pipeline.get_list_adapters().get("unet", ()))
        names = []
        for lora in recipe.loras:
            name = _adapter(lora)
            names.append(name)
            if name not in loaded:
                self._load_lora(pipeline, look, lora, name)
        if names:
            pipeline.enable_lora()
            pipeline.set_adapters(names, adapter_weights=[lora.scale for lora in recipe.loras])
        elif loaded:
            pipeline.disable_lora()

    def _load_lora(self, pipeline: Any, look: str, lora: Lora, name: str) -> None:
        from safetensors import SafetensorError

        place = self._hub.path(lora, look)
        try:
            folder, file = (place.parent, place.name) if place.is_file() else (place, None)
            pipeline.load_lora_weights(
                str(folder), weight_name=file, adapter_name=name, use_safetensors=True
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            if is_out_of_memory(error):
                raise
            raise UnavailableError(
                f"The LoRA of the look '{look}' ({lora.repo}) does not fit; the log says why."
            ) from error


def _quiet() -> None:
    """No bars of the libraries in a person's terminal; our own progress tells how far it is."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()


def _key(recipe: Recipe, family: Family) -> Hashable:
    """What looks have in common that share a pipeline."""
    return "pipeline", recipe.family, recipe.checkpoint or family.base, recipe.vae, recipe.shares


def _lenders(recipe: Recipe) -> list[Recipe]:
    """Of whom a checkpoint shares parts: the base of its family, or nobody."""
    shares = recipe.checkpoint is not None and recipe.shares
    return [Recipe(family=recipe.family, prompt="{subject}")] if shares else []


def _weights_key(weights: Weights) -> Hashable:
    return "control", weights.repo, weights.revision, weights.folder, weights.file


def _adapter(lora: Lora) -> str:
    """A name that peft accepts: it makes module names of it."""
    import hashlib

    text = f"{lora.repo} {lora.revision} {lora.folder} {lora.file}"
    return "lora_" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _slice(pipeline: Any) -> None:
    pipeline.vae.enable_slicing()
    pipeline.vae.enable_tiling()


def _unchecked(kind: Any) -> dict[str, Any]:
    """Without the checker that paints pictures black: pictures are looked at elsewhere."""
    if "XL" in kind.__name__:
        return {}
    return {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


def _unchecked_made(kind: Any) -> dict[str, Any]:
    return {} if "XL" in kind.__name__ else {"requires_safety_checker": False}
