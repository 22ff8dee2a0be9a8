"""Small models with random weights, saved as published ones are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit.subjects.backbones.pretrained import quiet

BANDS = 10
SECONDS = 2
WHISPER_FRAMES = 100


def whisper_config(**changes: Any) -> Any:
    from transformers.models.whisper import WhisperConfig

    told: dict[str, Any] = {
        "d_model": 8,
        "encoder_layers": 2,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 11,
        "decoder_ffn_dim": 9,
        "num_mel_bins": BANDS,
        "max_source_positions": WHISPER_FRAMES,
        "max_target_positions": 6,
        "vocab_size": 12,
        "pad_token_id": 1,
        "bos_token_id": 1,
        "eos_token_id": 1,
        "decoder_start_token_id": 1,
    }
    return WhisperConfig(**{**told, **changes})


@quiet()
def make_whisper(
    folder: Path, kind: str = "WhisperForConditionalGeneration", **changes: Any
) -> Any:
    """A Whisper for clips of two seconds."""
    import torch
    from transformers.models.whisper import WhisperFeatureExtractor, modeling_whisper

    torch.manual_seed(0)
    model = getattr(modeling_whisper, kind)(whisper_config(**changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Fresh ones are so small that every frame is much like the next.
            parameter.mul_(4)
    model.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=BANDS, chunk_length=SECONDS).save_pretrained(folder)
    return model


@quiet()
def make_ast(folder: Path, kind: str = "ASTForAudioClassification", **changes: Any) -> Any:
    """An audio spectrogram transformer: 104 columns of 10 ms, 9 times x 3 frequencies."""
    import torch
    from transformers.models import audio_spectrogram_transformer as ast

    torch.manual_seed(0)
    told: dict[str, Any] = {
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 13,
        "max_length": 104,
        "num_mel_bins": 36,
    }
    module = ast.modeling_audio_spectrogram_transformer
    model = getattr(module, kind)(ast.ASTConfig(**{**told, **changes})).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "position" in name or "token" in name:
                parameter.normal_(0, 1)
    model.save_pretrained(folder)
    ast.ASTFeatureExtractor(num_mel_bins=36, max_length=104).save_pretrained(folder)
    return model


PATCHES: dict[str, tuple[str, str, str, int]] = {
    "dinov2": ("dinov2", "Dinov2Model", "BitImageProcessor", 1),
    "dinov2_with_registers": (
        "dinov2_with_registers",
        "Dinov2WithRegistersModel",
        "BitImageProcessor",
        1 + 3,
    ),
    "dinov2 classifier": ("dinov2", "Dinov2ForImageClassification", "BitImageProcessor", 1),
    "dinov3_vit": ("dinov3_vit", "DINOv3ViTModel", "DINOv3ViTImageProcessor", 1 + 3),
    "siglip": ("siglip", "SiglipModel", "SiglipImageProcessor", 0),
    "siglip_vision_model": ("siglip", "SiglipVisionModel", "SiglipImageProcessor", 0),
    "clip": ("clip", "CLIPModel", "CLIPImageProcessor", 1),
    "clip_vision_model": ("clip", "CLIPVisionModel", "CLIPImageProcessor", 1),
    "vit": ("vit", "ViTModel", "ViTImageProcessor", 1),
    "vit classifier": ("vit", "ViTForImageClassification", "ViTImageProcessor", 1),
    "deit": ("deit", "DeiTModel", "DeiTImageProcessor", 2),
}
"""Family, class, image processor and tokens in front of the patches of models that see."""
SIDE, PATCH = 28, 7


@quiet()
def make_patches(folder: Path, name: str) -> Any:
    """A vision transformer for pictures of 28 pixels, 4 x 4 patches; `PATCHES` names it."""
    from importlib import import_module

    import torch
    import transformers

    family, kind, processor, _ = PATCHES[name]
    told: dict[str, Any] = {
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "image_size": SIDE,
        "patch_size": PATCH,
    }
    told |= {"mlp_ratio": 2} if family.startswith("dinov2") else {"intermediate_size": 13}
    if family in ("dinov2_with_registers", "dinov3_vit"):
        told["num_register_tokens"] = 3
    module = import_module(f"transformers.models.{family}.modeling_{family}")
    if kind in ("SiglipModel", "CLIPModel"):
        text = {
            "hidden_size": 12, "intermediate_size": 13, "num_hidden_layers": 1,
            "num_attention_heads": 3, "vocab_size": 9, "max_position_embeddings": 5,
            "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
        }  # fmt: skip
        told = {"vision_config": told, "text_config": text}
    torch.manual_seed(0)
    model_class = getattr(module, kind)
    model = model_class(model_class.config_class(**told)).eval()
    with torch.no_grad():
        for key, one in model.named_parameters():
            if any(part in key for part in ("position", "token", "class", "norm.")):
                one.normal_(0, 1)
    model.save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    cut = {
        "BitImageProcessor": {"shortest_edge": 32},
        "CLIPImageProcessor": {"shortest_edge": SIDE},
        "DeiTImageProcessor": {"height": 32, "width": 32},
    }
    sizes = {"size": size}
    if processor in cut:
        sizes = {"size": cut[processor], "crop_size": size}
    made = getattr(transformers, processor)(**sizes)
    made.save_pretrained(folder)
    return model


def change_json(path: Path, **changes: Any) -> None:
    """Set keys of a JSON file; None takes one away."""
    told = {**json.loads(path.read_text("utf-8")), **changes}
    kept = {key: value for key, value in told.items() if value is not None}
    path.write_text(json.dumps(kept), "utf-8")
