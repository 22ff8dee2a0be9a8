"""Shape and scoring of a network, without the network: reading it does not import torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from stimuli.limits import PARAMETERS, WIDTH, refuse_more
from stimuli.schemas import Between, OneOf, Rule, Source, check_fields, checked
from stimuli.texts import json_record
from toolkit.devices import CPU
from toolkit.subjects.backbones.finding import NamedBackbone
from toolkit.subjects.vgs.families import FAMILIES

POOLINGS = ("features-avg", "scores-max")
TEMPERATURES = ("published", "capped")
SIZES = {"xsm": 64, "sm": 128, "md": 256, "lg": 512}
"""Width and embedding of the published sizes; md is the paper's."""
HEAD_WIDTH = 64
"""Dimensions per attention head; the published networks have `width // 64` heads."""


HEADS = f"a multiple of {HEAD_WIDTH}, as every attention head has {HEAD_WIDTH} dimensions"
Size = Annotated[int, Between(1, WIDTH)]
"""Channels, or dimensions."""
Width = Annotated[int, Between(HEAD_WIDTH, WIDTH), Rule(HEADS, lambda n: n % HEAD_WIDTH == 0)]
"""Every attention head has `HEAD_WIDTH` dimensions."""
Share = Annotated[float, Between(0, 1, below=True)]


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that decides the shape and the scoring of a network.

    Raises:
        ToolkitError: an unknown family, pooling or temperature, a size or share that cannot be, or
            a width that heads of 64 do not divide.

    Example:
        >>> NetworkConfig(word_dim=192, picture_dim=256).heads
        1
    """

    word_dim: Size
    """Channels of one frame of the frozen speech features."""
    picture_dim: Size
    """Channels of one place of the frozen picture feature map."""
    width: Width = 64
    """Width of the towers; the published ones are in `SIZES`."""
    embedding: Size = 64
    """Dimensions of the space that words and pictures share."""
    family: Annotated[str, OneOf(FAMILIES)] = "clip"
    """Scoring and objective: a name in `toolkit.subjects.vgs.families.FAMILIES`."""
    temperature: Annotated[str, OneOf(TEMPERATURES)] = "published"
    """`published`: max(exp(logit_scale), 100), as the published code computes it; `capped`:
    min(exp(logit_scale), 100), as the paper's text says."""
    dropout: Share = 0.1
    """Dropout inside the transformer layer while training, a share in [0, 1)."""
    position_dropout: Share = 0.0
    """Share of the frames and places that a tower overlooks while training, drawn anew each time,
    in [0, 1); 0 as published."""
    pooling: Annotated[str, OneOf(POOLINGS)] = "features-avg"
    """How `mattnet` scores embeddings of several positions: `features-avg` by the dot product of
    their means, `scores-max` by the largest dot product; for one position both are the same."""
    picture_width: Width | None = None
    """Width of the picture tower where it differs from that of the word tower."""

    def __post_init__(self) -> None:
        check_fields(self, "A network")
        towers = ((self.word_dim, self.width), (self.picture_dim, self._width_for_pictures()))
        refuse_more(
            "numbers in the weights of this network",
            sum((dim + 12 * width + self.embedding) * width for dim, width in towers),
            PARAMETERS,
        )

    def for_pictures(self) -> NetworkConfig:
        """The same settings with the picture tower's width."""
        return replace(self, width=self._width_for_pictures(), picture_width=None)

    @property
    def heads(self) -> int:
        """Attention heads of the word tower."""
        return self.width // HEAD_WIDTH

    def _width_for_pictures(self) -> int:
        return self.width if self.picture_width is None else self.picture_width


@dataclass(frozen=True, kw_only=True)
class NamedBackbones:
    """The backbones that networks stand on."""

    hearing: NamedBackbone
    """Of words."""
    seeing: NamedBackbone
    """Of pictures."""


@dataclass(frozen=True, kw_only=True)
class PopulationConfig:
    """What `config.json` of a population of networks holds: its schema.

    Those that were trained tell how, those that were imported from where.
    """

    network: NetworkConfig
    """Shape and scoring of every network."""
    backbones: NamedBackbones
    """What they stand on."""
    seeing_by_seed: Mapping[str, NamedBackbone] = field(default_factory=dict)
    """Backbones of pictures that seeds have of their own, in the population's folder."""
    population: str = ""
    """Name of the population."""
    languages: tuple[str, ...] = ()
    """ISO codes of the languages that it was trained on."""
    training: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """The recipe of the training, and what followed from it."""
    features_made_on: str = CPU.told
    """Device that the backbones computed on in it; told of cards alone."""
    stimuli: Mapping[str, str] = field(default_factory=dict)
    """What it was trained on."""
    features: Mapping[str, str] = field(default_factory=dict)
    """Published files of features that it was trained on, from the folder of the data -> SHA-256;
    nothing where backbones computed them."""
    draws: Mapping[str, int] = field(default_factory=dict)
    """How the familiar concepts of its networks were drawn, where they were."""
    familiar: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The familiar concepts of every draw."""
    source: Mapping[str, Any] = field(default_factory=dict)
    """The published checkpoints."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of what it was trained with."""


def read_config(path: Path) -> PopulationConfig:
    """Read a population's `config.json`.

    Args:
        path: the file.

    Raises:
        ToolkitError: it is not JSON, or does not describe networks on backbones.
    """
    return json_record(PopulationConfig, path)


def config_text(facts: Mapping[str, Any]) -> str:
    """The text of a population's `config.json`.

    Args:
        facts: what it says, see `PopulationConfig`.

    Raises:
        ToolkitError: it could not be read again.
    """
    checked(PopulationConfig, facts, Source("config.json", fails="cannot be written"))
    return json.dumps(facts, indent=2) + "\n"
