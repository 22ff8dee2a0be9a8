"""Small CLIP models with random weights, written to folders as the large ones come."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

PIECES = ["c", "a", "r", "▁c", "ar", "▁auto", "▁a", "汽", "车", "▁", "o", "t", "u", "▁de", "z"]
TEXTS = ["a car", "auto", "汽车", "a", "de auto a car"]


def pictures(n: int, side: int = 40) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 256, (n, side, side, 3), dtype=np.uint8))


def tokenizer(end: int = 2) -> Tokenizer:
    """Unigram pieces, as XLM-R has them: a start and an end token, `<pad>` is 1."""
    special = ["<s>", "<pad>", "<unk>"]
    special.insert(end, "</s>")
    pieces = [(piece, 0.0) for piece in special] + [(piece, -2.0) for piece in PIECES]
    made = Tokenizer(models.Unigram(pieces, unk_id=special.index("<unk>")))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.add_special_tokens(special)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", end)]
    )
    return made


def write_clip(folder: Path, **vision: Any) -> Path:
    """A CLIPModel of transformers with a tokenizer.json and nothing beside it."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    settings = {
        "image_size": 32, "patch_size": 8, "hidden_size": 16, "intermediate_size": 24,
        "num_hidden_layers": 2, "num_attention_heads": 2,
    }  # fmt: skip
    text = {
        "vocab_size": 20, "hidden_size": 12, "intermediate_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 24, "bos_token_id": 0,
        "pad_token_id": 1, "eos_token_id": 3,
    }  # fmt: skip
    torch.manual_seed(0)
    config = CLIPConfig(text_config=text, vision_config=settings | vision, projection_dim=10)
    randomised(CLIPModel(config)).save_pretrained(folder)
    side = (settings | vision)["image_size"]
    CLIPImageProcessor(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}
    ).save_pretrained(folder)
    tokenizer(end=3).save(str(folder / "tokenizer.json"))
    return folder


def write_siglip(folder: Path, **vision: Any) -> Path:
    """A SiglipModel of transformers."""
    from transformers import (
        PreTrainedTokenizerFast,
        SiglipConfig,
        SiglipImageProcessor,
        SiglipModel,
    )

    settings = {
        "image_size": 24, "patch_size": 8, "hidden_size": 16, "intermediate_size": 24,
        "num_hidden_layers": 2, "num_attention_heads": 2,
    }  # fmt: skip
    text = {
        "vocab_size": 20, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 12, "projection_size": 16,
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    }  # fmt: skip
    torch.manual_seed(0)
    config = SiglipConfig(text_config=text, vision_config=settings | vision)
    randomised(SiglipModel(config)).save_pretrained(folder)
    side = (settings | vision)["image_size"]
    SiglipImageProcessor(size={"height": side, "width": side}).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(), pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


def open_clip_settings(**vision: Any) -> dict[str, Any]:
    """What `xlm-roberta-base-ViT-B-32` has, only small; the text tower lies in `text`."""
    plain = {"image_size": 32, "layers": 2, "width": 16, "head_width": 8, "patch_size": 8}
    return {
        "embed_dim": 10,
        "vision_cfg": vision or plain,
        "text_cfg": {
            "hf_model_name": "text",
            "hf_tokenizer_name": "text",
            "hf_pooler_type": "mean_pooler",
            "context_length": 16,
        },
    }


def write_text_tower(folder: Path) -> Path:
    """Settings of a small XLM-R and its tokenizer, without weights."""
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig

    XLMRobertaConfig(
        vocab_size=20, hidden_size=12, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=24, pad_token_id=1,
    ).save_pretrained(folder)  # fmt: skip
    write_open_tokenizer(folder, PreTrainedTokenizerFast)
    return folder


def write_open_tokenizer(folder: Path, kind: Callable[..., Any]) -> None:
    kind(
        tokenizer_object=tokenizer(), bos_token="<s>", pad_token="<pad>", eos_token="</s>",
        unk_token="<unk>",
    ).save_pretrained(folder)  # fmt: skip


def write_open_clip(folder: Path, **vision: Any) -> Path:
    """A model of open_clip with an XLM-R text tower, weights included."""
    import open_clip
    from transformers import PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    settings = open_clip_settings(**vision)
    written = {"model_cfg": settings, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(written))
    tower = write_text_tower(folder / "text")
    write_open_tokenizer(folder, PreTrainedTokenizerFast)
    torch.manual_seed(0)
    text = settings["text_cfg"] | {"hf_model_name": str(tower), "hf_model_pretrained": False}
    made = open_clip.create_model(f"local-dir:{folder}", text_cfg=text, pretrained_text=False)
    save_file(randomised(made).state_dict(), folder / "open_clip_model.safetensors")
    return folder


def randomised(model: Any) -> Any:
    """Make norms and biases random too, so that leaving one out shows."""
    for parameter in model.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, mean=parameter.detach().mean().item(), std=0.3)
    return model


def write_population(folder: Path, model: Path) -> Path:
    """Turn a folder of transformers into a population with the half-precise seeds a and b."""
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json"):
        (folder / name).write_bytes((model / name).read_bytes())
    state = load_file(model / "model.safetensors")
    for seed, factor in (("a", 1.0), ("b", 1.5)):
        half = {name: (value * factor).half() for name, value in state.items()}
        save_file(half, folder / f"{seed}.safetensors")
    (folder / "population.toml").write_text(
        'name = "small-clip"\ndescription = "For tests."\nlanguages = ["en", "nl"]\n'
        'seeds = ["a", "b"]\nfactory = "toolkit.subjects.clip.subject:load_subject"\n'
    )
    return folder


def put_in_cache(cache: Path, repository: str) -> Path:
    """The folder of a model in a cache of the Hub, as if it had been downloaded."""
    stored, commit = cache / f"models--{repository.replace('/', '--')}", "0" * 40
    (stored / "refs").mkdir(parents=True)
    (stored / "refs" / "main").write_text(commit)
    (stored / "snapshots" / commit).mkdir(parents=True)
    return stored / "snapshots" / commit
