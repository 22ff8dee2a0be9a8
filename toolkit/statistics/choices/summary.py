"""The summary of a run of choices: what is printed, as data with stable names."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from toolkit.statistics.choices.describe import accuracy_over_seeds, seed_accuracy
from toolkit.statistics.choices.participants import by_draw, drawn_populations
from toolkit.statistics.kinds import GROUP
from toolkit.statistics.means import SeedMean
from toolkit.tables.parquet import parquet_names

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from paradigms import BaseParadigm


def summarise_choices(trials: Path, paradigm: BaseParadigm) -> list[SeedMean]:
    """Accuracy per population, test language and condition, draws standing for their seeds.

    Args:
        trials: the trials table of a run that holds choices.
        paradigm: declares the conditions.
    """
    import pandas as pd

    columns = [*GROUP, "seed", "correct", "tie", "n_choices"]
    columns += ["familiar_draw"] * ("familiar_draw" in parquet_names(trials))
    table = pd.read_parquet(trials, columns=columns)
    return results_of(seed_accuracy(by_draw(table)), paradigm, drawn_populations(table))


def results_of(
    seeds: pd.DataFrame, paradigm: BaseParadigm, drawn: Collection[str] = ()
) -> list[SeedMean]:
    """The results of a summary.

    Args:
        seeds: what `toolkit.statistics.choices.describe.seed_accuracy` gave, one paradigm.
        paradigm: the paradigm, which knows what its conditions mean.
        drawn: populations whose participants are draws of familiar words.
    """
    table = accuracy_over_seeds(seeds)
    meaning = {condition.name: condition.meaning for condition in paradigm.conditions}
    return [
        SeedMean(
            population=str(row["population"]),
            test_language=str(row["test_language"]),
            condition=str(row["condition"]),
            meaning=meaning.get(row["condition"], ""),
            headline=row["condition"] in meaning and paradigm.headline(row["condition"]),
            n_seeds=int(row["n_seeds"]),
            n_trials=int(row["n_trials"]),
            n_ties=int(row["n_ties"]),
            mean=float(row["mean"]),
            sd=float(row["sd"]),
            std_error=float(row["std_error"]),
            ci_low=float(row["ci_low"]),
            ci_high=float(row["ci_high"]),
            chance=float(row["chance"]),
            seeds=_per_seed(seeds, row),
            unit="draw" if row["population"] in drawn else "seed",
        )
        for row in table.to_dict("records")
    ]


def _per_seed(seeds: pd.DataFrame, row: dict[Any, Any]) -> dict[str, float]:
    own = seeds[
        (seeds["population"] == row["population"])
        & (seeds["test_language"] == row["test_language"])
        & (seeds["condition"] == row["condition"])
    ]
    return {
        str(seed): float(value) for seed, value in zip(own["seed"], own["accuracy"], strict=True)
    }
