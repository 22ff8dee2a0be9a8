"""Accuracy of every seed from runs and tables, each once, over all its trial lists."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.statistics.choices.describe import seed_accuracy
from toolkit.statistics.choices.lists import LIST, Drawn, check_lists, drawn
from toolkit.statistics.choices.participants import by_draw
from toolkit.statistics.kinds import GROUP
from toolkit.tables.kinds import kind_of, kind_of_rows, refuse_other_kinds
from toolkit.tables.longtable import column_faults, read_run
from toolkit.tables.runs import runs_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

KEY = [*GROUP, "seed"]
"""What one accuracy belongs to."""
SHOWN = 3
"""Examples named in a fault."""


@dataclass(frozen=True)
class SeedTable:
    """One source, summed per seed and trial list."""

    source: Drawn
    """Where it comes from."""
    seeds: pd.DataFrame
    """Accuracy of every seed and list."""
    training: dict[str, tuple[str, ...] | None]
    """Languages that its populations were trained on; None where not known."""
    choices: pd.DataFrame
    """``n_trials`` per population, language, condition and ``n_choices``."""

    def choices_of(self, conditions: Sequence[str]) -> pd.DataFrame:
        """Those of some conditions, where their number is known."""
        return self.choices[self.choices["condition"].isin(list(conditions))].dropna()


def read_seeds(
    sources: Sequence[str | Path | pd.DataFrame], paradigms: Path | None = None
) -> tuple[list[SeedTable], list[str]]:
    """Sum every source per seed; a table named twice is read once.

    Args:
        sources: run folders, trials tables or long tables.
        paradigms: folder with paradigms of one's own.

    Returns:
        One table per source, and notes on those that were named twice.

    Raises:
        ToolkitError: if a source cannot be read, or holds maps.
    """
    import pandas as pd

    paths = [source for source in sources if not isinstance(source, pd.DataFrame)]
    once, notes = runs_once([Path(path) for path in paths])
    read = []
    for source in sources:
        if isinstance(source, pd.DataFrame):
            read.append(_read(source, paradigms))
        elif Path(source) in once:
            once.remove(Path(source))
            read.append(_read(Path(source), paradigms))
    return read, notes


def _read(source: Path | pd.DataFrame, paradigms: Path | None) -> SeedTable:
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        told, table = Drawn(Path("a table"), "", {}), source
        faults = column_faults([*map(str, table.columns), "source", "word_concept"])
        if faults:
            raise ToolkitError("A table cannot be shown:\n  - " + "\n  - ".join(faults))
        refuse_other_kinds(kind_of_rows(table, paradigms), "a table", "mevgs-toolkit report RUN")
    else:
        kind = kind_of(source, paradigms)
        refuse_other_kinds(kind, str(source), f"mevgs-toolkit report {source}")
        told = drawn(source)
        table = read_run(source, ["n_choices", "tie", "train_languages", LIST, "familiar_draw"])
    # Answers from elsewhere lack these; in a table of children and networks, the children do.
    for key, value in (("paradigm", ""), ("paradigm_version", 0), ("tie", False), (LIST, "")):
        if key not in table:
            same = pd.Categorical([value]).repeat(len(table)) if value == "" else value
            table = table.assign(**{key: same})
        elif table[key].isna().any():
            table = table.assign(**{key: _filled(table[key], value)})
    if "n_choices" not in table:
        table = table.assign(n_choices=math.nan)
    seeds = seed_accuracy(by_draw(table), [LIST])
    seeds[LIST] = seeds[LIST].astype(str)
    seeds[LIST] = seeds[LIST].where(seeds[LIST] != "", told.trial_seed)
    training: dict[str, tuple[str, ...] | None] = {}
    if "train_languages" in table:
        pairs = table[["population", "train_languages"]].drop_duplicates()
        for population, languages in pairs.itertuples(index=False, name=None):
            training[str(population)] = (
                (tuple(str(languages).split("+")) if languages else ())
                if isinstance(languages, str)
                else None
            )
    cell = ["population", "test_language", "condition", "n_choices"]
    choices = table.groupby(cell, observed=True).size().rename("n_trials").reset_index()
    return SeedTable(told, seeds.assign(given_in=str(told.path)), training, choices)


def _filled(values: pd.Series, value: str | int) -> pd.Series:
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype) and value not in values.cat.categories:
        values = values.cat.add_categories([value])
    return values.fillna(value)


def seeds_once(read: Sequence[SeedTable]) -> tuple[pd.DataFrame, int]:
    """All seeds and lists once; how many were given more than once.

    Raises:
        ToolkitError: if the same seed and test have different answers in two sources, and not
            because their trial lists differ.
    """
    import pandas as pd

    text = {name: str for name in (*KEY, LIST) if name != "paradigm_version"}
    parts = [one.seeds.astype(text).assign(place=n) for n, one in enumerate(read)]
    seeds = pd.concat(parts, ignore_index=True).astype({"paradigm_version": int})
    # A list that nobody names may be any other.
    unnamed = seeds[LIST].eq("").groupby([seeds[name] for name in KEY]).transform("any")
    same = seeds.duplicated([*KEY, "n_trials", "n_correct", "n_ties"])
    same &= unnamed | seeds.duplicated([*KEY, LIST])
    rest = seeds[~same]
    clash = rest.duplicated([*KEY, LIST]) | (unnamed[~same] & rest.duplicated(KEY))
    if clash.any():
        raise _given_twice(seeds, rest[clash])
    check_lists([(one.source, rest[rest["place"] == n]) for n, one in enumerate(read)])
    return rest, int(same.sum())


def _given_twice(seeds: pd.DataFrame, clash: pd.DataFrame) -> ToolkitError:
    import pandas as pd

    shown = []
    for row in clash.head(SHOWN).to_dict("records"):
        is_row = (seeds[KEY] == pd.Series({name: row[name] for name in KEY})).all(axis=1)
        where = [
            f"{100 * other['accuracy']:.1f} % of {other['n_trials']} in {other['given_in']}"
            for other in seeds[is_row].to_dict("records")
        ]
        what = f"{row['paradigm']} {row['condition']}".strip()
        shown.append(
            f"{row['population']}/{row['seed']}, {row['test_language']}, {what}: "
            + "; ".join(where)
        )
    return ToolkitError(
        f"{len(clash)} results are given twice and differ:\n  - " + "\n  - ".join(shown),
        allowed="runs with the same trials, runs that differ in --trial-seed alone, or different "
        "populations, languages or paradigms",
    )


def seeds_over_lists(by_list: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of every seed over all its trial lists."""
    table = by_list.assign(chance=by_list["chance"] * by_list["n_trials"])
    numbers = ["n_trials", "n_correct", "n_ties", "chance"]
    # A sum of nothing but missing values is missing, not 0.
    summed = table.groupby(KEY, sort=False)[numbers].sum(min_count=1).reset_index()
    return summed.assign(
        accuracy=summed["n_correct"] / summed["n_trials"],
        chance=summed["chance"] / summed["n_trials"],
    )
