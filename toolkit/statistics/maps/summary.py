"""The summary of a run of maps: what is printed, as data with stable names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from paradigms.maps.paradigm import as_maps
from paradigms.measures import POINTING
from toolkit.statistics.kinds import GROUP
from toolkit.statistics.maps.data import told_measures
from toolkit.statistics.maps.languages import Estimate
from toolkit.statistics.models.results import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from paradigms import BaseParadigm, Measure


def about_maps(paradigm: BaseParadigm) -> dict[str, Any]:
    """What the numbers of a summary are: ``measure`` and, of that and all others, what is declared.

    Args:
        paradigm: declares the measures.
    """
    asked = as_maps(paradigm)
    return {"measure": asked.primary().name, "measures": plain(told_measures(asked))}


def summarise_maps(trials: Path, paradigm: BaseParadigm) -> list[dict[str, Any]]:
    """Mean of the primary measure per population, language and condition.

    Args:
        trials: the trials table of a run that holds maps.
        paradigm: declares measures and conditions.

    Returns:
        Rows as in other summaries, in which ``mean`` and what belongs to it are about the primary
        measure, ``chance`` is its chance level (None where it has none), and the means of all other
        measures stand under their names, None where they were not taken.
    """
    import pyarrow.parquet as pq

    asked = as_maps(paradigm)
    primary = asked.primary()
    others = [one.name for one in asked.all_measures() if one.name != primary.name]
    numbers = {primary.name, "correct", "n_choices", "tie", *others}
    present = numbers & set(pq.read_schema(trials).names)
    table = pq.read_table(trials, columns=[*GROUP, "seed", *sorted(present)]).to_pandas()
    # Without a true mask there is one choice, and a wrong answer means nothing.
    table[POINTING] = table.pop("correct").where(table.pop("n_choices") > 1).astype(float)
    known = [name for name in others if name in table]
    grouped = table.groupby([*GROUP, "seed"], observed=True, sort=False)
    means = grouped[[primary.name, *known]].mean()
    chance = means.get(primary.chance) if isinstance(primary.chance, str) else primary.chance
    columns = {
        "_value": means[primary.name],
        "_chance": float("nan") if chance is None else chance,
        "n_trials": grouped.size(),
        "n_ties": grouped["tie"].sum(),
    }
    seeds = means[known].assign(**columns).reset_index()
    beside = seeds.groupby(GROUP, observed=True, sort=False)[known].mean()
    own = dict(list(seeds.groupby(GROUP, observed=True, sort=False)))
    meaning = {condition.name: condition.meaning for condition in paradigm.conditions}
    return [
        {
            "population": str(row["population"]),
            "test_language": str(row["test_language"]),
            "condition": str(row["condition"]),
            "meaning": meaning.get(str(row["condition"]), ""),
            "headline": paradigm.headline(str(row["condition"])),
            "n_seeds": int(row["n_seeds"]),
            "n_trials": int(row["n_trials"]),
            "n_ties": int(row["n_ties"]),
            **_over_seeds(row, primary),
            **{
                name: plain(float(beside.loc[key, name])) if name in known else None
                for name in others
            },
            "seeds": {
                str(seed): plain(float(value))
                for seed, value in zip(own[key]["seed"], own[key]["_value"], strict=True)
            },
        }
        for row in _by_cell(seeds).to_dict("records")
        for key in [tuple(row[name] for name in GROUP)]
    ]


def _by_cell(seeds: pd.DataFrame) -> pd.DataFrame:
    """One row per population, language and condition."""
    grouped = seeds.groupby(GROUP, observed=True, sort=False)
    return grouped.agg(
        n_seeds=("_value", "size"),
        n_trials=("n_trials", "sum"),
        n_ties=("n_ties", "sum"),
        mean=("_value", "mean"),
        sd=("_value", "std"),
        chance=("_chance", "mean"),
    ).reset_index()


def _over_seeds(row: Mapping[Any, Any], measure: Measure) -> dict[str, float | None]:
    """Mean over seeds with its interval by Student's t, which is cut where the measure ends."""
    n_seeds = int(row["n_seeds"])
    found = Estimate.of(row["mean"], row["sd"] / math.sqrt(n_seeds), n_seeds - 1)
    found = found.within(*measure.bounds)
    numbers = {
        "mean": row["mean"],
        "sd": row["sd"],
        "std_error": found.std_error,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "chance": row["chance"],
    }
    return {name: plain(float(number)) for name, number in numbers.items()}
