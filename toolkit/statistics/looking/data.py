"""The trials of looking: one row per trial and gate, participants under one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toolkit.errors import ToolkitError
from toolkit.tables.answers import described, name_faults
from toolkit.tables.looks import LOOK_COLUMNS
from toolkit.tables.manifests import sound_table
from toolkit.tables.parquet import parquet_names, told, valid
from toolkit.tables.trials import DRAW, with_numbers

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

Floats = npt.NDArray[np.float64]
NEEDED = (
    *("paradigm", "paradigm_version", "population", "seed", "test_language", "condition", "trial"),
    *("word_concept", "distractor_concept"),
    *(column.name for column in LOOK_COLUMNS),
)
"""Columns without which nothing can be said."""
CELL = ["population", "test_language", "condition"]
"""What one result stands for."""


@dataclass(frozen=True, eq=False)
class Looks:
    """The looks of some runs."""

    table: pd.DataFrame
    """One row per trial and gate; ``seed`` is the participant, ``unit`` what that is."""
    version: int
    """Version of the paradigm."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Mean looking of every participant at every gate."""

    gates_ms: tuple[int, ...]
    """The gates, k of them."""
    seeds: tuple[str, ...]
    """The participants, n of them."""
    shares: Floats
    """(n, k) share of looking at the target."""

    @classmethod
    def of(cls, looks: pd.DataFrame) -> Curves:
        """The curves of one population, language and condition."""
        means = looks.groupby(["seed", "gate_ms"], observed=True)["looking"].mean().unstack()
        gates = tuple(int(gate) for gate in means.columns)
        return cls(gates, tuple(map(str, means.index)), means.to_numpy(float))

    def within(self, first_ms: int, last_ms: int) -> Floats:
        """(n,) mean over the gates from one to another, both included."""
        gates = np.array(self.gates_ms)
        own: Floats = self.shares[:, (gates >= first_ms) & (gates <= last_ms)].mean(axis=1)
        return own

    def less(self, other: Curves) -> Floats:
        """(m, k) these curves less others, of the participants that are in both."""
        both = [seed for seed in self.seeds if seed in other.seeds]
        own, others = (
            one.shares[[one.seeds.index(seed) for seed in both]] for one in (self, other)
        )
        return own - others


def read_looks(paths: Sequence[Path]) -> dict[str, Looks]:
    """Read the trials of some runs of paradigms of looking.

    Args:
        paths: run folders, or trials tables.

    Returns:
        Their looks by paradigm.

    Raises:
        ToolkitError: a table is damaged or lacks a column, versions are mixed, or a trial stands in
            two of the runs.
    """
    import pandas as pd

    table = pd.concat([_read(sound_table(path)) for path in paths], ignore_index=True)
    by_name = table.groupby(table.pop("paradigm").astype(str))
    return {str(name): _looks(own) for name, own in by_name}


def _looks(table: pd.DataFrame) -> Looks:
    """The looks of one paradigm, nothing twice."""
    table = table.copy()
    versions = sorted(int(version) for version in table.pop("paradigm_version").unique())
    if len(versions) > 1:
        raise ToolkitError(
            f"The runs hold versions {', '.join(map(str, versions))} of the paradigm.",
            allowed="one version: trials of different versions are never pooled",
        )
    for name in (*CELL, "seed", "word_concept", "distractor_concept"):
        table[name] = table[name].astype("category")
    key = [*CELL, "seed", "trial", "gate_ms"]
    twice = table.duplicated(key)
    if twice.any():
        first = described({name: table.loc[twice, name].iloc[0] for name in key})
        raise ToolkitError(
            f"The same trial of the same subject stands twice in the runs: {first}.",
            allowed="every run once, with one trial seed",
        )
    return Looks(table, versions[0])


def _read(file: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    parquet_names(file)
    with told(file, "a trials table"):
        names = pq.read_schema(file).names
        wanted = [name for name in (*NEEDED, DRAW.name) if name in names]
        table: pd.DataFrame = with_numbers(valid(pq.read_table(file, columns=wanted))).to_pandas()
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise ToolkitError(f"{file} lacks the column {', '.join(missing)}.")
    if faults := name_faults(table):
        raise ToolkitError(f"{file} is not a trials table:\n  - " + "\n  - ".join(faults))
    if table.empty:
        raise ToolkitError(f"There are no trials in {file}.", allowed="at least one trial")
    return _participants(table)


def _participants(table: pd.DataFrame) -> pd.DataFrame:
    """Draws in the place of seeds where networks learnt different words."""
    if DRAW.name not in table:
        return table.assign(unit="seed")
    draw = table.pop(DRAW.name).astype(str)
    return table.assign(
        seed=draw.where(draw != "", table["seed"].astype(str)),
        unit=np.where(draw != "", "draw", "seed"),
    )
