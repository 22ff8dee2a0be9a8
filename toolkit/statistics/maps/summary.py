"""The summary of a run of maps: what is printed, as data with stable names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paradigms.maps.paradigm import as_maps
from paradigms.measures import POINTING
from toolkit.statistics.kinds import GROUP
from toolkit.statistics.maps.data import DeclaredMeasure, declared_by
from toolkit.statistics.maps.languages import Estimate
from toolkit.statistics.means import SeedMean, Summary

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from paradigms import BaseParadigm, Measure


@dataclass(frozen=True, kw_only=True)
class MapSummary(Summary):
    """The summary of a run of maps."""

    measures: Mapping[str, DeclaredMeasure] = field(default_factory=dict)
    """What the paradigm declares of its measures, by name; empty in summaries of earlier runs."""


def about_maps(paradigm: BaseParadigm) -> dict[str, Any]:
    """Further fields of a summary: what its means are of, and what the paradigm declares of that.

    Args:
        paradigm: declares the measures.
    """
    declared = declared_by(as_maps(paradigm))
    return {"measure": declared.primary, "measures": declared.measures}


def summarise_maps(trials: Path, paradigm: BaseParadigm) -> list[SeedMean]:
    """Mean of the primary measure per population, language and condition.

    Args:
        trials: the trials table of a run that holds maps.
        paradigm: declares measures and conditions.

    Returns:
        Means of the primary measure; those of all other measures stand beside them.
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
        SeedMean(
            population=str(row["population"]),
            test_language=str(row["test_language"]),
            condition=str(row["condition"]),
            meaning=meaning.get(str(row["condition"]), ""),
            headline=paradigm.headline(str(row["condition"])),
            n_seeds=int(row["n_seeds"]),
            n_trials=int(row["n_trials"]),
            n_ties=int(row["n_ties"]),
            mean=float(row["mean"]),
            sd=float(row["sd"]),
            std_error=float(found.std_error),
            ci_low=float(found.ci_low),
            ci_high=float(found.ci_high),
            chance=float(row["chance"]),
            others={
                name: float(beside.loc[key, name]) if name in known else math.nan for name in others
            },
            seeds={
                str(seed): float(value)
                for seed, value in zip(own[key]["seed"], own[key]["_value"], strict=True)
            },
        )
        for row in _by_cell(seeds).to_dict("records")
        for key, found in [(tuple(row[name] for name in GROUP), _over_seeds(row, primary))]
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


def _over_seeds(row: Mapping[Any, Any], measure: Measure) -> Estimate:
    """Mean over seeds with its interval by Student's t, which is cut where the measure ends."""
    n_seeds = int(row["n_seeds"])
    found = Estimate.of(row["mean"], row["sd"] / math.sqrt(n_seeds), n_seeds - 1)
    return found.within(*measure.bounds)
