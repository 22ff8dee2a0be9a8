"""All choices of a training, in one record that is written next to the weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

_LATER = ("negatives_from",)
"""Fields that there were not when the shipped populations were trained."""


@dataclass(frozen=True)
class Recipe:
    """How a subject is trained; the defaults made the shipped populations.

    Every subject makes the same number of updates with the same number of items each, however many
    languages it hears.

    Example:
        >>> Recipe().items * Recipe().n_updates
        60000
    """

    n_updates: int = 1000
    """Steps of the optimiser; 0 leaves the initial weights (an untrained subject)."""
    items: int = 60
    """Items per update: a word and a picture that belong together."""
    negatives: int = 11
    """Items of other classes that each item is told apart from, per modality."""
    negatives_from: str = "batch"
    """`batch`: negatives are drawn among the other items of the update; `own`: every item draws and
    encodes its own, as published, see `toolkit.training.sampler.Sampler`."""
    peak_lr: float = 2e-3
    """Highest learning rate of Adam."""
    warmup_updates: int = 100
    """Updates over which the learning rate rises."""
    weight_decay: float = 5e-7
    """Of Adam (L2)."""
    dropout: float = 0.1
    """Inside the transformer layers."""
    averaging: float = 0.97
    """How much of the running average of the weights stays at every update, in [0, 1).

    The average is what is validated and kept; 0 keeps the weights of single updates.
    """
    label_smoothing: float = 0.1
    """Share of the target that is spread over all choices, in [0, 1)."""
    temperature: str = "capped"
    """Which temperature the network has, see `NetworkConfig.temperature`."""
    width: int = 64
    """Width of both towers."""
    embedding: int = 64
    """Dimensions of the common space."""
    word_views: int = 10
    """Views of each training word."""
    picture_views: int = 20
    """Views of each training picture."""
    validate_every: int = 50
    """Updates between two validations; the weights with the lowest validation loss are kept."""
    validation_items: int = 600
    """Items of the fixed validation sample."""

    def record(self) -> dict[str, Any]:
        """The fields as they are written next to the weights.

        One that came later is left out where it says what was always so: populations keep the
        checksum that they were trained under.

        Example:
            >>> "negatives_from" in Recipe().record()
            False
            >>> Recipe(negatives_from="own").record()["negatives_from"]
            'own'
        """
        usual = {field.name: field.default for field in fields(self)}
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in _LATER or value != usual[name]
        }
