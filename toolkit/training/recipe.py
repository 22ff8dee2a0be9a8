"""All choices of a training, in one record that is written next to the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from stimuli.limits import STEPS, WIDTH
from stimuli.schemas import Between, OneOf, check_fields
from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.vgs.config import SIZES, TEMPERATURES, Size, Width
from toolkit.subjects.vgs.families import FAMILIES
from toolkit.training.sampler import NEGATIVES_FROM

_OF_EPOCHS = ("epochs", "warmup_epochs", "passes", "equal_updates")
"""Fields that say nothing where updates count."""
Count = Annotated[int, Between(0, STEPS)]
"""Steps of a training, or nothing."""
Some = Annotated[int, Between(1, WIDTH)]
"""Things that lie in memory together."""
Share = Annotated[float, Between(0, 1, below=True)]
Number = Annotated[float, Between(0, STEPS)]
FEATURE_PRECISIONS = ("half", "float32")


@dataclass(frozen=True)
class Recipe:
    """How a subject is trained; the defaults made the shipped populations.

    Raises:
        ToolkitError: a value that cannot be.

    Example:
        >>> Recipe().items * Recipe().n_updates
        60000
    """

    n_updates: Count = 1000
    """Steps of the optimiser; 0 leaves the initial weights (an untrained subject)."""
    items: Some = 60
    """Items per update: a word and a picture that belong together."""
    negatives: Annotated[int, Between(0, WIDTH)] = 11
    """Items of other classes that each item is told apart from, per modality; only for families
    with `Family.needs_negatives`."""
    peak_lr: Number = 2e-3
    """Highest learning rate of Adam."""
    warmup_updates: Count = 100
    """Updates over which the learning rate rises."""
    weight_decay: Number = 5e-7
    """Of Adam (L2)."""
    dropout: Share = 0.1
    """Inside the transformer layers."""
    position_dropout: Share = 0.4
    """Share of frames and places overlooked, see `NetworkConfig.position_dropout`."""
    averaging: Share = 0.97
    """How much of the running average of the weights stays at every update, in [0, 1).

    The average is what is validated and kept; 0 keeps the weights of single updates.
    """
    label_smoothing: Share = 0.1
    """Share of the target that is spread over all choices, in [0, 1); only for families with
    `Family.smooths_labels`."""
    temperature: Annotated[str, OneOf(TEMPERATURES)] = "capped"
    """Which temperature the network has, see `NetworkConfig.temperature`."""
    width: Width = 64
    """Width of both towers."""
    embedding: Size = 64
    """Dimensions of the common space."""
    word_views: Some = 10
    """Views of each training word."""
    picture_views: Some = 20
    """Views of each training picture."""
    exemplars: Count = 0
    """Clips of each class in each language, and pictures of each class, that a learner meets, drawn
    for every learner by its seed; fewer where there are fewer. 0: all."""
    validate_every: Annotated[int, Between(1, STEPS)] = 50
    """Updates between two validations; the weights with the lowest validation loss are kept."""
    validation_items: Count = 600
    """Items of the fixed validation sample; 0 for one with every validation clip once."""
    negatives_from: Annotated[str, OneOf(NEGATIVES_FROM)] = "batch"
    """`batch`: negatives are drawn among the other items of the update; `own`: every item draws and
    encodes its own; `apart`: clips and pictures of different classes, as published, see
    `toolkit.training.sampler.Sampler`."""
    family: Annotated[str, OneOf(FAMILIES)] = "clip"
    """Network family, see `NetworkConfig.family`."""
    feature_precision: Annotated[str, OneOf(FEATURE_PRECISIONS)] = "half"
    """In what precision features are kept for training; networks compute in float32 either way."""
    standardise: bool = True
    """Whether training sees features with mean 0 and deviation 1 in every channel; the scaling then
    becomes part of the weights."""
    epochs: Count = 0
    """Length of the training in epochs, each over every training clip and followed by a validation;
    `n_updates`, `warmup_updates` and `validate_every` then follow. 0: they are what counts, and
    words are drawn at random."""
    warmup_epochs: Count = 4
    """Epochs over which the learning rate rises, where `epochs` counts."""
    passes: Some = 1
    """How often an epoch meets every training clip; 2 is what the published code calls double."""
    equal_updates: bool = False
    """Whether an epoch has as many clips as there are of one language, averaged over the subject's
    languages, so that one language and two make equal numbers of updates."""

    def __post_init__(self) -> None:
        check_fields(self, "A recipe")
        if self.epochs and self.warmup_epochs >= self.epochs:
            raise ToolkitError(
                "The learning rate of a recipe cannot rise for all of its epochs.",
                given=f"warmup_epochs = {self.warmup_epochs}",
                allowed=f"less than {self.epochs}",
            )
        if self.equal_updates and not self.epochs:
            raise ToolkitError(
                "Updates are equal already where epochs do not count.",
                given="equal_updates without epochs",
            )
        FAMILIES[self.family].check_smoothing(self.label_smoothing)

    @property
    def negatives_drawn(self) -> int:
        """Negatives that are drawn for each item: none for a family that has no use for them."""
        return self.negatives if FAMILIES[self.family].needs_negatives else 0

    @property
    def links(self) -> bool:
        """Whether every word comes with one of its class in another language."""
        return FAMILIES[self.family].links

    def record(self) -> dict[str, Any]:
        """The fields as they are written next to the weights; of epochs, only where they count.

        That features are in half precision, and that all exemplars are met, is not told: it was not
        when there was nothing else.

        Example:
            >>> "passes" in Recipe().record()
            False
            >>> Recipe(epochs=24, passes=2).record()["passes"]
            2
        """
        return {
            name: value
            for name, value in asdict(self).items()
            if (self.epochs or name not in _OF_EPOCHS)
            and (name, value) not in (("feature_precision", "half"), ("exemplars", 0))
        }


PUBLISHED = Recipe(
    epochs=24,
    warmup_epochs=4,
    items=60,
    negatives=11,
    negatives_from="apart",
    peak_lr=2e-4,
    weight_decay=5e-7,
    dropout=0.1,
    position_dropout=0.0,
    averaging=0.0,
    label_smoothing=0.0,
    temperature="published",
    width=SIZES["md"],
    embedding=SIZES["md"],
    word_views=1,
    picture_views=1,
    feature_precision="float32",
    validation_items=0,
    standardise=False,
)
"""As published (Oneata et al. 2025); `temperature="capped"` is what the paper's text says."""
PUBLISHED_FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "barlip": {"items": 768, "peak_lr": 4e-5},
    "mattnet": {"epochs": 34, "peak_lr": 8e-5},
}
"""Values of the published configurations of other families. Three of the four of `mattnet` with
transformer pooling have this learning rate (18 to 20), the first (17) 2e-4."""
RECIPES: Mapping[str, Recipe] = {"shipped": Recipe(), "published": PUBLISHED}
"""Recipes by name: that of the shipped populations, and the published one."""


def recipe_of(name: str, family: str = "clip") -> Recipe:
    """A recipe by name, with the values that were published for a family.

    Args:
        name: a name in `RECIPES`.
        family: name of a network family; the recipe's own is left as it is.

    Raises:
        ToolkitError: an unknown name.

    Example:
        >>> recipe_of("published", "barlip").items, recipe_of("published").items
        (768, 60)
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, list(RECIPES))
    own = PUBLISHED_FAMILIES.get(family, {}) if name == "published" else {}
    return replace(RECIPES[name], **own)
