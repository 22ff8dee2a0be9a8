"""The sample size of a study: what it rests on, planned with `toolkit.statistics.power`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.statistics.power.models import LogitModel, Model, ShareModel
from toolkit.statistics.power.trend import TrendModel

if TYPE_CHECKING:
    from toolkit.studies.file import Power

LOGIT = {
    "base_accuracy": "base_accuracy", "word_sd": "word_sd", "slope_sd": "slope_sd",
    "words": "n_words", "trials_per_word": "trials_per_word",
}  # fmt: skip
"""Keys that go with an odds ratio, and what the model calls them."""


def planning_model(told: Power) -> Model | TrendModel:
    """The model that experiments are drawn from.

    Args:
        told: what the file says.

    Raises:
        ToolkitError: it says neither a difference nor an odds ratio, or what does not go together.

    Example:
        >>> from toolkit.studies.file import Power
        >>> str(planning_model(Power(difference=2.7, seed_sd=3.0)))
        'difference 2.7 points, SD over seeds 3 points'
    """
    given = {key: getattr(told, key) for key in LOGIT if getattr(told, key) is not None}
    if (told.levels is None) != (told.seed_slope_sd is None) or (
        told.levels is not None and (told.odds_ratio is None or told.test == "mixed")
    ):
        raise ToolkitError(
            "A trend over the levels of a factor is planned from an odds ratio per unit.",
            given="levels" if told.seed_slope_sd is None else "seed_slope_sd",
            allowed="levels, odds_ratio, base_accuracy, seed_sd and seed_slope_sd together, "
            "without test",
            next_command="mevgs-toolkit power --levels 0,1,2,3 --odds-ratio 0.75 --base-accuracy "
            "0.9 --seed-sd 0.3 --seed-slope-sd 0.15",
        )
    if (told.difference is None) == (told.odds_ratio is None):
        raise ToolkitError(
            "It must say one effect to plan for.",
            given="both" if told.difference is not None else "none",
            allowed="difference with seed_sd (points), or odds_ratio with base_accuracy and "
            "seed_sd (log odds)",
            next_command="mevgs-toolkit power --difference 1.3 --seed-sd 3",
        )
    if told.difference is not None:
        if given or told.test == "mixed":
            raise ToolkitError(
                "A difference in points is planned for over seed means alone.",
                given=", ".join([*given, *(["test"] if told.test == "mixed" else [])]),
                allowed="difference, seed_sd and target; or odds_ratio instead of difference",
            )
        return ShareModel(told.difference, told.seed_sd)
    if told.base_accuracy is None or told.odds_ratio is None:
        raise ToolkitError(
            "An odds ratio needs the accuracy of the first group.",
            given=", ".join(["odds_ratio", *given]),
            allowed="base_accuracy, such as 0.66, beside it",
            next_command="mevgs-toolkit power --odds-ratio 0.9 --base-accuracy 0.66 --seed-sd 0.15",
        )
    values = {LOGIT[key]: value for key, value in given.items()}
    if told.levels is not None and told.seed_slope_sd is not None:
        values["seed_slope_sd"] = told.seed_slope_sd
        return TrendModel(told.levels, odds_ratio=told.odds_ratio, seed_sd=told.seed_sd, **values)
    return LogitModel(odds_ratio=told.odds_ratio, seed_sd=told.seed_sd, **values)
