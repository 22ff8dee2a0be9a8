"""The summary of a run of looking: means of the declared window over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms.looking.paradigm import RESPONSE, as_looking
from toolkit.statistics.kinds import GROUP
from toolkit.statistics.looking.courses import CHANCE
from toolkit.statistics.means import SeedMean, Summary
from toolkit.statistics.models.student import share_interval
from toolkit.tables.trials import DRAW

if TYPE_CHECKING:
    from pathlib import Path

    from paradigms import BaseParadigm


@dataclass(frozen=True, kw_only=True)
class LookingSummary(Summary):
    """The summary of a run of looking."""

    window_ms: tuple[int, int] = (0, 0)
    """The window that means are of."""


def about_looking(paradigm: BaseParadigm) -> dict[str, Any]:
    """Further fields of a summary: what its means are of."""
    return {"measure": RESPONSE, "window_ms": as_looking(paradigm).window_ms}


def summarise_looking(trials: Path, paradigm: BaseParadigm) -> list[SeedMean]:
    """Mean looking in the declared window per population, language and condition.

    Args:
        trials: the trials table of a run of looking.
        paradigm: declares window and conditions.
    """
    import pyarrow.parquet as pq

    names = pq.read_schema(trials).names
    numbers = ["gate_ms", RESPONSE, "tie"]
    drawn = [DRAW.name] * (DRAW.name in names)
    table = pq.read_table(trials, columns=[*GROUP, "seed", *numbers, *drawn]).to_pandas()
    start, end = as_looking(paradigm).window_ms
    inside = table[table["gate_ms"].between(start, end)]
    n_gates = int(inside["gate_ms"].nunique())
    meaning = {known.name: known.meaning for known in paradigm.conditions}
    found = []
    for key, own in inside.groupby(GROUP, observed=True, sort=False):
        cell = dict(zip(GROUP, key, strict=True))
        draws = own[DRAW.name].astype(str) if drawn else None
        by_draw = draws is not None and bool((draws != "").all())
        who = draws if by_draw else own["seed"].astype(str)
        seeds = own.groupby(who, observed=True)[RESPONSE].mean()
        values, n = seeds.to_numpy(float), len(seeds)
        sd = float(values.std(ddof=1)) if n > 1 else math.nan
        error = sd / math.sqrt(n)
        low, high = share_interval(values.mean(), np.nan_to_num(error), max(1, n - 1))
        found.append(
            SeedMean(
                population=str(cell["population"]),
                test_language=str(cell["test_language"]),
                condition=str(cell["condition"]),
                meaning=meaning.get(str(cell["condition"]), ""),
                headline=paradigm.headline(str(cell["condition"])),
                n_seeds=n,
                n_trials=len(own) // n_gates,
                n_ties=0,
                mean=float(values.mean()),
                sd=sd,
                std_error=error,
                ci_low=float(low),
                ci_high=float(high),
                chance=CHANCE,
                seeds={str(name): float(value) for name, value in seeds.items()},
                unit="draw" if by_draw else "seed",
            )
        )
    return found
