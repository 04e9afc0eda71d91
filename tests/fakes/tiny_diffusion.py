"""Diffusion models of a million random weights, saved as real ones are: they paint noise, fast."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personas.recipes import Control, Family, Lora, Recipe, Weights
from personas.styles import Style, StyleCatalogue, load_styles

SIZE = 128


@dataclass(frozen=True)
class TinyModels:
    """Folders of a base, another checkpoint, a ControlNet and a LoRA file."""

    base: Path
    other: Path
    control: Path
    lora: Path


def make_tiny_models(folder: Path) -> TinyModels:
    """Builds them; a second or two."""
    import torch

    torch.set_num_threads(1)
    base, other = folder / "base", folder / "other"
    unet = _save_pipeline(base, folder / "words", seed=1)
    _save_pipeline(other, folder / "words", seed=2)
    return TinyModels(
        base, other, _save_control(folder / "control", unet), _save_lora(folder / "lora", unet)
    )


def tiny_catalogue(models: TinyModels, **changes: Any) -> StyleCatalogue:
    """The looks `plain`, `warm` (a LoRA), `quick` (LCM) and `other` (a checkpoint), and ours."""
    family = Family(
        name="sd15",
        base=Weights(repo=str(models.base)),
        control=Control(repo=str(models.control)),
        resolution=SIZE,
        gigabytes=0.1,
    )
    lora = Lora(repo=str(models.lora.parent), file=models.lora.name, scale=1.5)
    recipes: dict[str, dict[str, Any]] = {
        "plain": {},
        "warm": {"loras": (lora,)},
        "quick": {"scheduler": "lcm", "steps": 3, "guidance": 1.0},
        "other": {"checkpoint": Weights(repo=str(models.other)), "shares": ("vae",)},
    }
    styles = [
        Style(
            name=name,
            label=name.capitalize(),
            description="A look of the tests.",
            generator="diffusion",
            rendering="shaded",
            author="nobody",
            licence="none",
            recipe=Recipe(
                **{
                    "prompt": "{subject}, {details}, {expression}",
                    "negative": "two faces",
                    "steps": 4,
                    "guidance": 3.0,
                    **recipe,
                    **changes,
                }
            ),
        )
        for name, recipe in recipes.items()
    ]
    drawn = [style for style in load_styles().all() if style.recipe is None]
    return StyleCatalogue([*drawn, *styles], [family])


def _save_pipeline(folder: Path, words: Path, seed: int) -> Any:
    import torch
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=SIZE // 8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=SIZE,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=514,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=512,
            eos_token_id=513,
            pad_token_id=513,
        )
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=_tokenizer(words),
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return unet


def _tokenizer(folder: Path) -> Any:
    """CLIP's tokenizer with bytes for words: no merges, 512 symbols, two marks."""
    from transformers import CLIPTokenizer

    folder.mkdir(exist_ok=True)
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {name: number for number, name in enumerate(names)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77
    )


def _save_control(folder: Path, unet: Any) -> Path:
    import torch
    from diffusers import ControlNetModel

    torch.manual_seed(5)
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 16, 16))
    with torch.no_grad():
        # A network that was not trained adds nothing; this one was "trained" by chance.
        blocks = (*net.controlnet_down_blocks, net.controlnet_mid_block)
        for block in (*blocks, net.controlnet_cond_embedding.conv_out):
            torch.nn.init.normal_(block.weight, std=0.4)
    net.save_pretrained(folder, safe_serialization=True)
    return folder


def _save_lora(folder: Path, unet: Any) -> Path:
    import torch
    from diffusers import StableDiffusionPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(7)
    unet.add_adapter(
        LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    )
    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.5)
    folder.mkdir()
    StableDiffusionPipeline.save_lora_weights(
        str(folder), unet_lora_layers=get_peft_model_state_dict(unet), safe_serialization=True
    )
    return folder / "pytorch_lora_weights.safetensors"


def make_tiny_sdxl(folder: Path, base: Path) -> Path:
    """An SDXL of the size of the others: two text encoders, and sizes as a condition."""
    import torch
    from diffusers import (
        AutoencoderKL,
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import (
        CLIPTextConfig,
        CLIPTextModel,
        CLIPTextModelWithProjection,
        CLIPTokenizer,
    )

    torch.manual_seed(3)
    config = CLIPTextConfig(
        vocab_size=514,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=16,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
    )
    unet = UNet2DConditionModel(
        sample_size=SIZE // 8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=4,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=16 + 6 * 4,
    )
    tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer")
    pipeline = StableDiffusionXLPipeline(
        vae=AutoencoderKL.from_pretrained(base / "vae"),
        text_encoder=CLIPTextModel(config),
        text_encoder_2=CLIPTextModelWithProjection(config),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder
