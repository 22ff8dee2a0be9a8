"""The summary of a run of dense grounding: what is printed, as data with stable names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.statistics.describe import GROUP, accuracy_over_seeds
from toolkit.statistics.grounding_data import PRIMARY
from toolkit.statistics.results import plain

if TYPE_CHECKING:
    from pathlib import Path

    from paradigms import BaseParadigm

BESIDE = ("spearman", "peak_ratio", "pointing", "mask_share", "iou_true", "tokens_per_word")
"""Means told beside the primary measure; None where they were not taken."""


def summarise_maps(trials: Path, paradigm: BaseParadigm) -> list[dict[str, Any]]:
    """Mean overlap with the reference per population, language and condition.

    Args:
        trials: the trials table of a run that holds maps.
        paradigm: declares the conditions.

    Returns:
        Rows as in other summaries, in which ``mean`` and what belongs to it are about the overlap
        of cluster masks, ``chance`` is None, and `BESIDE` are further means.
    """
    import pyarrow.parquet as pq

    numbers = {PRIMARY, "correct", "n_choices", "tie", *BESIDE}
    present = numbers & set(pq.read_schema(trials).names)
    table = pq.read_table(trials, columns=[*GROUP, "seed", *sorted(present)]).to_pandas()
    # Without a true mask there is one choice, and a wrong answer means nothing.
    table["pointing"] = table.pop("correct").where(table.pop("n_choices") > 1).astype(float)
    known = [name for name in BESIDE if name in table]
    grouped = table.groupby([*GROUP, "seed"], observed=True, sort=False)
    seeds = grouped[[PRIMARY, *known]].mean().rename(columns={PRIMARY: "accuracy"})
    seeds = seeds.assign(
        n_trials=grouped.size(), n_ties=grouped["tie"].sum(), chance=float("nan")
    ).reset_index()
    beside = seeds.groupby(GROUP, observed=True, sort=False)[known].mean()
    own = dict(list(seeds.groupby(GROUP, observed=True, sort=False)))
    meaning = {condition.name: condition.meaning for condition in paradigm.conditions}
    columns = ("mean", "sd", "std_error", "ci_low", "ci_high", "chance")
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
            **{name: plain(float(row[name])) for name in columns},
            **{
                name: plain(float(beside.loc[key, name])) if name in known else None
                for name in BESIDE
            },
            "seeds": {
                str(seed): plain(float(value))
                for seed, value in zip(own[key]["seed"], own[key]["accuracy"], strict=True)
            },
        }
        for row in accuracy_over_seeds(seeds).to_dict("records")
        for key in [tuple(row[name] for name in GROUP)]
    ]
