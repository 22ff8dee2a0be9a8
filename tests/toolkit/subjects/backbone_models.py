"""Small models with random weights, saved as published ones are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def change_json(path: Path, **changes: Any) -> None:
    """Set keys of a JSON file; None takes one away."""
    told = {**json.loads(path.read_text("utf-8")), **changes}
    kept = {key: value for key, value in told.items() if value is not None}
    path.write_text(json.dumps(kept), "utf-8")
