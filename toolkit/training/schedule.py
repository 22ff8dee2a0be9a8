"""How long a training lasts, and its learning rate: a linear warm-up, then a cosine down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from toolkit.training.recipe import Recipe


@dataclass(frozen=True)
class Schedule:
    """The length of a subject's training, in updates."""

    n_updates: int
    """Length of the whole training."""
    warmup_updates: int
    """Updates over which the learning rate rises."""
    validate_every: int
    """Updates between two validations: an epoch, where there are epochs."""
    epoch_clips: int
    """Clips that an epoch meets; 0 where words are drawn at random."""

    @classmethod
    def of(cls, recipe: Recipe, n_clips: int, n_languages: int) -> Schedule:
        """The schedule that a recipe asks for.

        Args:
            recipe: all choices.
            n_clips: training clips of the subject's languages, together.
            n_languages: how many languages it hears.

        Example:
            >>> from toolkit.training.recipe import PUBLISHED
            >>> Schedule.of(PUBLISHED, n_clips=601, n_languages=1)
            Schedule(n_updates=264, warmup_updates=44, validate_every=11, epoch_clips=601)
        """
        if not recipe.epochs:
            return cls(recipe.n_updates, recipe.warmup_updates, recipe.validate_every, 0)
        clips = recipe.passes * n_clips
        if recipe.equal_updates:
            clips = round(clips / n_languages)
        per_epoch = math.ceil(clips / recipe.items)
        return cls(recipe.epochs * per_epoch, recipe.warmup_epochs * per_epoch, per_epoch, clips)

    def record(self) -> dict[str, Any]:
        """The fields as they are written next to the weights, over those of the recipe."""
        told = {
            "n_updates": self.n_updates,
            "warmup_updates": self.warmup_updates,
            "validate_every": self.validate_every,
        }
        return told | ({"epoch_clips": self.epoch_clips} if self.epoch_clips else {})


def learning_rate(
    update: int, *, warmup_updates: int, n_updates: int, peak: float, floor: float = 1e-6
) -> float:
    """Learning rate of one update (Oneata et al. 2025, published code).

    It rises from `floor` at update 0 to `peak` at the last update of the warm-up and would come
    back to `floor` one update after the last.

    Args:
        update: number of the update, from 0.
        warmup_updates: length of the warm-up.
        n_updates: length of the whole training.
        peak: the highest rate.
        floor: the lowest rate.

    Example:
        >>> rates = [learning_rate(i, warmup_updates=3, n_updates=7, peak=1.0) for i in range(7)]
        >>> [round(rate, 2) for rate in rates]
        [0.0, 0.5, 1.0, 0.9, 0.65, 0.35, 0.1]
    """
    if update < warmup_updates:
        return floor + (peak - floor) * update / max(warmup_updates - 1, 1)
    share = (update - warmup_updates + 1) / (n_updates - warmup_updates + 1)
    return floor + (peak - floor) * 0.5 * (1.0 + math.cos(math.pi * share))
