"""The embedded multilingual CLIP: the frozen eye of the toolkit, a head per place, a text half.

The eye is the shipped seeing backbone (`toolkit.subjects.backbones.seeing`), at a larger picture
size. A small head turns each place of its map into a vector in the space of the texts; the text
half is a `CLIPTextModelWithProjection` of transformers. Training: `makers.multilingual_clip.train`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from stimuli.limits import PARAMETERS, WIDTH, refuse_more
from stimuli.schemas import Between
from stimuli.texts import json_record
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.records import plain
from toolkit.subjects.backbones.finding import NamedBackbone
from toolkit.subjects.backbones.standing import backbone_ref
from toolkit.subjects.backbones.timm_settings import Side
from toolkit.subjects.clip.subject import DenseCLIP
from toolkit.subjects.population import Population

if TYPE_CHECKING:
    from PIL.Image import Image


HIDDEN = 256
"""Units of the head's inner layer."""


Size = Annotated[int, Between(1, WIDTH)]
"""Units of a layer, or layers."""
Number = Annotated[int, Between(0, 2**24)]
"""A word of the vocabulary, or words in it."""


@dataclass(frozen=True, kw_only=True)
class Eye:
    """The backbones that the model stands on."""

    seeing: NamedBackbone
    """Of pictures."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """What turns places of the eye's map into vectors."""

    channels: Size
    """Of the eye's map."""
    input_size_px: Side
    """Side to which pictures are resized."""


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """The text half, as `transformers` describes it."""

    hidden_size: Size
    """Width."""
    intermediate_size: Size
    """Units of the inner layers."""
    projection_dim: Size
    """Length of the vectors."""
    num_attention_heads: Size
    """Heads of each layer."""
    num_hidden_layers: Annotated[int, Between(1, 1_000)]
    """Layers."""
    max_position_embeddings: Size
    """Most tokens of a text."""
    vocab_size: Number
    """Subwords."""
    bos_token_id: Number
    """Number of the token in front of a text."""
    eos_token_id: Number
    """Number of the token behind it."""
    pad_token_id: Number
    """Number of the token that fills up."""
    hidden_act: str
    """Activation."""
    layer_norm_eps: Annotated[float, Between(0, 1)]
    """Added to variances."""
    attention_dropout: Annotated[float, Between(0, 1, below=True)] = 0.0
    """Only for training."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else `transformers` writes."""
    rest: ClassVar[str] = "further"

    def __post_init__(self) -> None:
        layer = self.hidden_size * (4 * self.hidden_size + 2 * self.intermediate_size)
        words = (self.vocab_size + self.max_position_embeddings) * self.hidden_size
        n = words + self.num_hidden_layers * layer
        refuse_more("numbers in the weights of this network", n, PARAMETERS)


@dataclass(frozen=True, kw_only=True)
class DrawingConfig:
    """What `config.json` of the embedded model holds: its schema."""

    backbones: Eye
    """What it stands on."""
    head: Head
    """What sees."""
    text_config: TextConfig
    """What reads."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """How it was trained."""


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


class DrawingTowers:
    """Both halves, as `toolkit.subjects.clip.subject.DenseCLIP` asks for them.

    Args:
        folder: has `config.json` and `tokenizer.json`.
        weights: of head and text half.
        device: where both compute.

    Raises:
        ToolkitError: files that cannot be read, or weights that do not fit.
    """

    def __init__(self, folder: Path, weights: Path, device: Device = CPU) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from transformers import CLIPTextConfig, CLIPTextModelWithProjection

        config = json_record(DrawingConfig, folder / "config.json")
        head = config.head
        try:
            self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            state = {name: value.float() for name, value in load_file(weights).items()}
            text = CLIPTextConfig(**plain(config.text_config))
            self.head = PlaceHead(head.channels, text.projection_dim)
            self.text: Any = CLIPTextModelWithProjection(text)
            self.head.load_state_dict(_part(state, "head."))
            self.text.load_state_dict(_part(state, "text."))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ToolkitError(f"The model cannot be read: {first}", given=str(folder)) from error
        self.device = device
        device.put(self.head.eval())
        device.put(self.text.eval())
        self.longest: int = text.max_position_embeddings
        eye = backbone_ref("seeing", config.backbones.seeing, folder).on(device).load()
        self.eye = eye.at(head.input_size_px)

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, (n, d)."""
        tokens = self.device.to(encode(self.tokenizer, texts, self.longest))
        embedded: Tensor = self.text(input_ids=tokens).text_embeds
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
        embedded: Tensor = self.head(self.device.to(pixels))
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
    weights = folder / f"{seed}.safetensors"
    return DenseCLIP(lambda device: DrawingTowers(folder, weights, device))


def _part(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
