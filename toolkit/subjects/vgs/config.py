"""Shape and scoring of a network, without the network: reading it does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.vgs.families import family_named

POOLINGS = ("features-avg", "scores-max")
TEMPERATURES = ("published", "capped")
SIZES = {"xsm": 64, "sm": 128, "md": 256, "lg": 512}
"""Width and embedding of the published sizes; md is the paper's."""
HEAD_WIDTH = 64
"""Dimensions per attention head; the published networks have `width // 64` heads."""


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that decides the shape and the scoring of a network.

    Raises:
        ToolkitError: an unknown family, pooling or temperature, or a width that heads of 64 do not
            divide.

    Example:
        >>> NetworkConfig(word_dim=192, picture_dim=256).heads
        1
    """

    word_dim: int
    """Channels of one frame of the frozen speech features."""
    picture_dim: int
    """Channels of one place of the frozen picture feature map."""
    width: int = 64
    """Width of the towers; the published ones are in `SIZES`."""
    embedding: int = 64
    """Dimensions of the space that words and pictures share."""
    family: str = "clip"
    """Scoring and objective: a name in `toolkit.subjects.vgs.families.FAMILIES`."""
    temperature: str = "published"
    """`published`: max(exp(logit_scale), 100), as the published code computes it; `capped`:
    min(exp(logit_scale), 100), as the paper's text says."""
    dropout: float = 0.1
    """Dropout inside the transformer layer while training, a share in [0, 1)."""
    position_dropout: float = 0.0
    """Share of the frames and places that a tower overlooks while training, drawn anew each time,
    in [0, 1); 0 as published."""
    pooling: str = "features-avg"
    """How `mattnet` scores embeddings of several positions: `features-avg` by the dot product of
    their means, `scores-max` by the largest dot product; for one position both are the same."""
    picture_width: int | None = None
    """Width of the picture tower where it differs from that of the word tower."""

    def __post_init__(self) -> None:
        family_named(self.family)
        if self.pooling not in POOLINGS:
            raise unknown_name("pooling", self.pooling, POOLINGS)
        if self.temperature not in TEMPERATURES:
            raise unknown_name("temperature", self.temperature, TEMPERATURES)
        for width in (self.width, self._width_for_pictures()):
            if width < HEAD_WIDTH or width % HEAD_WIDTH:
                raise ToolkitError(
                    "A tower cannot have this width: every attention head has 64 dimensions.",
                    given=str(width),
                    allowed="64, 128, 192, 256, ...",
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
