"""Shape and scoring of a network, without the network: reading it does not import torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from toolkit.errors import ToolkitError, unknown_name

FAMILIES = ("clip",)
TEMPERATURES = ("published", "capped")
HEAD_WIDTH = 64
"""Dimensions per attention head; the published networks have `width // 64` heads."""
SCALE_LIMIT = 100.0


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that decides the shape and the scoring of a network.

    Raises:
        ToolkitError: an unknown family or temperature, or a width that heads of 64 do not divide.

    Example:
        >>> NetworkConfig(word_dim=192, picture_dim=256).heads
        1
    """

    word_dim: int
    """Channels of one frame of the frozen speech features."""
    picture_dim: int
    """Channels of one place of the frozen picture feature map."""
    width: int = 64
    """Width of both towers: 64 (xsm), 128 (sm), 256 (md, the paper's), 512 (lg)."""
    embedding: int = 64
    """Dimensions of the space that words and pictures share."""
    family: str = "clip"
    """Scoring and objective: `clip` scores by cosine similarity times the temperature."""
    temperature: str = "published"
    """`published`: max(exp(logit_scale), 100), as the published code computes it; `capped`:
    min(exp(logit_scale), 100), as the paper's text says."""
    dropout: float = 0.1
    """Dropout inside the transformer layer while training, a share in [0, 1)."""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise unknown_name("model family", self.family, FAMILIES)
        if self.temperature not in TEMPERATURES:
            raise unknown_name("temperature", self.temperature, TEMPERATURES)
        if self.width < HEAD_WIDTH or self.width % HEAD_WIDTH:
            raise ToolkitError(
                "A tower cannot have this width: every attention head has 64 dimensions.",
                given=str(self.width),
                allowed="64, 128, 192, 256, ...",
            )

    @property
    def heads(self) -> int:
        """Attention heads per tower."""
        return self.width // HEAD_WIDTH

    def scale(self, logit_scale: float) -> float:
        """The number that cosine similarities are multiplied with.

        Example:
            >>> NetworkConfig(word_dim=5, picture_dim=7, temperature="capped").scale(0.0)
            1.0
            >>> NetworkConfig(word_dim=5, picture_dim=7, temperature="published").scale(0.0)
            100.0
        """
        learnt = math.exp(logit_scale)
        if self.temperature == "published":
            return max(learnt, SCALE_LIMIT)
        return min(learnt, SCALE_LIMIT)
