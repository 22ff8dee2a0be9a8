"""How a subject learns from pairs of a word and a picture: rules that paradigms declare."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from stimuli.errors import ToolkitError


@dataclass(frozen=True)
class LearningRule(ABC):
    """An update rule with its settings, which the manifest and the methods paragraph tell."""

    name: ClassVar[str]
    """What it is called."""
    needs: ClassVar[tuple[str, ...]]
    """What a subject must be able to do: names of protocols in `toolkit.subjects.contract`."""

    @property
    @abstractmethod
    def told(self) -> str:
        """The rule in one sentence, settings included."""

    def record(self) -> dict[str, Any]:
        """The rule for a manifest.

        Example:
            >>> GradientSteps(rate=0.1, steps=3).record()["steps"]
            3
        """
        return {"rule": self.name, **asdict(self), "told": self.told}


@dataclass(frozen=True)
class ExemplarMemory(LearningRule):
    """Every pair is kept as it is; a word that is heard recalls pictures by words like it."""

    name = "exemplar memory"
    needs = ("Subject",)
    sharpness: float
    """How steeply recall falls with the distance of the words: a remembered word at cosine c to the
    one heard recalls its picture with the weight exp(sharpness (c - 1)), where the word itself has
    the weight 1."""

    def __post_init__(self) -> None:
        _require_positive("sharpness", self.sharpness)

    @property
    def told(self) -> str:
        """The rule in one sentence."""
        return (
            "Learning was an exemplar memory: every pair of a word and the picture chosen for it "
            "was kept, and a picture's score was the similarity of the word heard to it plus that "
            "of each remembered picture to it, weighted by exp(s (c - 1)) with c the cosine of the "
            f"word heard and the word remembered, s = {self.sharpness:g}; nothing else changed."
        )


@dataclass(frozen=True)
class GradientSteps(LearningRule):
    """The layers above the frozen backbones take plain steps down the gradient of the pairs."""

    name = "gradient steps"
    needs = ("Subject", "Learns")
    rate: float
    """Length of a step, as a multiple of the gradient."""
    steps: int
    """Steps that are taken on the pairs of a phase, all of them together."""

    def __post_init__(self) -> None:
        _require_positive("rate", self.rate)
        _require_positive("steps", self.steps)

    @property
    def told(self) -> str:
        """The rule in one sentence."""
        return (
            f"Learning was {self.steps} steps of plain gradient descent (rate {self.rate:g}, no "
            "dropout, no momentum) per phase on all layers above the frozen backbones; the "
            "objective was the cross-entropy of each word's picture among the pictures of its "
            "phase and of each picture's word among the words of its phase."
        )


def _require_positive(what: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ToolkitError(
            f"The {what} of a learning rule must be above 0.",
            given=f"{value!r}",
            allowed="a finite number above 0",
        )
