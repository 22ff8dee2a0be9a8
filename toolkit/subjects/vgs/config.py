"""Shape and scoring of a network, without the network: reading it does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stimuli.limits import WIDTH
from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.vgs.families import family_named

POOLINGS = ("features-avg", "scores-max")
TEMPERATURES = ("published", "capped")
SIZES = {"xsm": 64, "sm": 128, "md": 256, "lg": 512}
"""Width and embedding of the published sizes; md is the paper's."""
HEAD_WIDTH = 64
"""Dimensions per attention head; the published networks have `width // 64` heads."""


def _refusal(name: str, value: object, allowed: str) -> ToolkitError:
    return ToolkitError(
        f"A network cannot have this {name}.", given=f"{name} = {value!r}", allowed=allowed
    )


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
        _check_types(self)
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


def _check_types(config: NetworkConfig) -> None:
    """Refuse sizes, shares and names of the wrong type, or out of range."""
    for name in ("word_dim", "picture_dim", "width", "embedding", "picture_width"):
        size = getattr(config, name)
        whole = isinstance(size, int) and not isinstance(size, bool) and 1 <= size <= WIDTH
        if not whole and not (name == "picture_width" and size is None):
            raise _refusal(name, size, f"a whole number from 1 to {WIDTH:,}")
    for name in ("dropout", "position_dropout"):
        share = getattr(config, name)
        number = isinstance(share, int | float) and not isinstance(share, bool)
        if not number or not 0 <= share < 1:
            raise _refusal(name, share, "a number from 0 to below 1")
    for name in ("pooling", "temperature"):
        if not isinstance(getattr(config, name), str):
            raise _refusal(name, getattr(config, name), "a name")
