"""The embedded multilingual CLIP: the frozen eye of the toolkit, a head per place, a text half.

The eye is the shipped seeing backbone (`toolkit.subjects.backbones.seeing`), at a larger picture
size. A small head turns each place of its map into a vector in the space of the texts; the text
half is a `CLIPTextModelWithProjection` of transformers. Training: `makers.multilingual_clip.train`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.finding import backbone_ref
from toolkit.subjects.clip.subject import DenseCLIP
from toolkit.subjects.population import Population

if TYPE_CHECKING:
    from PIL.Image import Image

    from toolkit.subjects.backbones.seeing import Seeing

HIDDEN = 256
"""Units of the head's inner layer."""


class PlaceHead(nn.Module):
    """Two layers that see one place of the eye's map each.

    Args:
        channels: of the eye's map.
        dim: length of the vectors.
    """

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.inner = nn.Linear(channels, HIDDEN)
        self.outer = nn.Linear(HIDDEN, dim)

    def forward(self, maps: Tensor) -> Tensor:
        """Vectors (..., h, w, dim) of maps (..., h, w, channels)."""
        hidden = nn.functional.gelu(self.inner(self.norm(maps)))
        places: Tensor = self.outer(hidden)
        return places


def eye_at(seeing: Seeing, input_size_px: int) -> Seeing:
    """The same eye for larger or smaller pictures; its map grows and shrinks with them.

    Args:
        seeing: a convolutional backbone.
        input_size_px: side to which pictures are resized.
    """
    other = copy.copy(seeing)
    other.config = replace(seeing.config, input_size_px=input_size_px)
    return other


class DrawingTowers:
    """Both halves, as `toolkit.subjects.clip.subject.DenseCLIP` asks for them.

    Args:
        folder: has `config.json` and `tokenizer.json`.
        weights: of head and text half.

    Raises:
        ToolkitError: files that cannot be read, or weights that do not fit.
    """

    def __init__(self, folder: Path, weights: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from transformers import CLIPTextConfig, CLIPTextModelWithProjection

        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            state = {name: value.float() for name, value in load_file(weights).items()}
            text = CLIPTextConfig(**config["text_config"])
            head, dim = config["head"], text.projection_dim
            self.head = PlaceHead(head["channels"], dim)
            self.text: Any = CLIPTextModelWithProjection(text)
            self.head.load_state_dict(_part(state, "head."))
            self.text.load_state_dict(_part(state, "text."))
            recorded = config["backbones"]["seeing"]
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ToolkitError(f"The model cannot be read: {first}", given=str(folder)) from error
        self.head.eval()
        self.text.eval()
        self.longest: int = text.max_position_embeddings
        self.eye = eye_at(backbone_ref("seeing", recorded, folder).load(), head["input_size_px"])

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, (n, d)."""
        embedded: Tensor = self.text(
            input_ids=encode(self.tokenizer, texts, self.longest)
        ).text_embeds
        return embedded

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Subword tokens of every text, special tokens not counted."""
        coded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(item.ids) for item in coded]

    def prepare(self, pictures: Sequence[Image]) -> Tensor:
        """The eye's maps, (m, h, w, channels)."""
        maps = self.eye.features([np.asarray(picture.convert("RGB")) for picture in pictures])
        return torch.from_numpy(maps).permute(0, 2, 3, 1)

    def places(self, pixels: Tensor) -> Tensor:
        """Embed the places of prepared pictures, (m, h, w, d)."""
        embedded: Tensor = self.head(pixels)
        return embedded


def encode(tokenizer: Any, texts: Sequence[str], longest: int) -> Tensor:
    """Token numbers (n, length), filled up with number 0, cut at `longest` before the end token.

    Args:
        tokenizer: puts a start and an end token around a text.
        texts: in any language.
        longest: most tokens, those two included.
    """
    coded = [item.ids for item in tokenizer.encode_batch(list(texts))]
    coded = [ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]] for ids in coded]
    width = max(len(ids) for ids in coded)
    return torch.tensor([ids + [0] * (width - len(ids)) for ids in coded])


def load_subject(population: Population, seed: str) -> DenseCLIP:
    """One seed of the embedded population; a factory for `population.toml`.

    Args:
        population: its folder holds `config.json`, `tokenizer.json` and `<seed>.safetensors`.
        seed: one of its seeds.

    Raises:
        ToolkitError: a file is missing or was changed. The rest shows when the model is loaded.
    """
    for name in ("tokenizer.json", f"{seed}.safetensors"):
        population.verified(name)
    folder = population.file("config.json").parent
    return DenseCLIP(lambda: DrawingTowers(folder, folder / f"{seed}.safetensors"))


def _part(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
