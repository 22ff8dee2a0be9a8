"""MetaLab's table of studies on mutual exclusivity, read from a file that the user has.

Its licence is not stated, so it is not included. The table has one row per condition of a study;
what is read of it and what is left out, with the reason, is told with the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name
from toolkit.tables.delimited import read_delimited
from toolkit.tables.parquet import told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

METALAB_SOURCE = (
    "MetaLab, dataset Mutual exclusivity (metalab.stanford.edu; "
    "https://github.com/langcog/metalab2, shinyapps/site_data/mutual_exclusivity.csv)."
)
TEXTS = {
    "study_ID": "paper",
    "infant_type": "children",
    "dependent_measure": "measure",
    "ME_trial_type": "trial_type",
}
"""Columns of the file that hold names, and ours."""
NUMBERS = {
    "unique_row": "row",
    "mean_age_months": "age_months",
    "n_1": "n_children",
    "x_1": "share",
    "x_2": "chance",
    "SD_1": "sd",
    "num_trials": "n_trials",
}
"""Columns that hold numbers, and ours."""
NO_NUMBER = frozenset({"", "NA", "NaN"})
OLDEST_MONTHS = 72
"""Conditions with older children are left out: they stand alone, at the ceiling, and would bend the
curve where most studies are."""
LOW_SD = 0.5
"""An SD of a share below so much of the least that chance alone makes is taken for a standard
error: children who do not differ at all still differ in their answers to few trials."""
LOW_LOOKING_SD = 1 / 3
"""Looking times have no such least: an SD below so much of their median is."""


@dataclass(frozen=True)
class Suspect:
    """A row whose standard deviation looks like a standard error."""

    row: int
    """Number of the row in MetaLab."""
    paper: str
    """Paper, as MetaLab names it."""
    sd: float
    """As it stands there."""
    as_sd: float
    """What it would be if it is a standard error: times the root of the number of children."""
    why: str
    """What it is small against."""


@dataclass(frozen=True)
class MetaLab:
    """What the file says of tests with two pictures or objects."""

    file: Path
    """Where it was read."""
    n_rows: int
    """Conditions in it."""
    typical: pd.DataFrame
    """Conditions of the curve, see `read_metalab`."""
    multilingual: pd.DataFrame
    """The same with multilingual children, who have no part in the curve."""
    left_out: Mapping[str, int]
    """How many rows were left out, by reason; each has one."""
    suspects: tuple[Suspect, ...]
    """Rows with an SD that looks like a standard error, whether or not they are left out. The
    curve rests on shares and numbers of trials, never on these SDs."""


def read_metalab(file: Path) -> MetaLab:
    """Read MetaLab's table of mutual exclusivity.

    Taken are conditions in which a child chose among two, a novel beside a familiar thing, with a
    share of such choices, numbers of children and trials, and children younger than
    `OLDEST_MONTHS`.

    Args:
        file: ``mutual_exclusivity.csv`` as MetaLab publishes it.

    Returns:
        Tables with one row per condition: ``row``, ``paper``, ``age_months``, ``n_children``,
        ``n_trials`` (of each child), ``share`` (of 1).

    Raises:
        ToolkitError: there is no such file, it lacks columns, a number in it is none, or no
            condition is left.
    """
    if not file.is_file():
        near = nearest_name(file.name, [one.name for one in file.absolute().parent.glob("*.csv")])
        raise ToolkitError(
            f"There is no file {file}.",
            nearest=str(file.with_name(near)) if near else None,
            allowed="MetaLab's mutual_exclusivity.csv, one row per condition",
            next_command="the same without --metalab: children of Lewis et al. (2020) alone",
        )
    table = _named(read_delimited(file)[0], file)
    reasons = _reasons(table)
    kept = table[reasons == ""]
    columns = ["row", "paper", "age_months", "n_children", "n_trials", "share"]
    typical = kept.loc[kept["children"] == "typical", columns].reset_index(drop=True)
    if typical["paper"].nunique() < 2:
        raise ToolkitError(
            f"{file} has too few studies for a curve over age.",
            given=f"{len(typical)} conditions of {typical['paper'].nunique()} papers with choices "
            "among two, a novel beside a familiar thing",
            allowed="two papers or more",
        )
    counts = reasons[reasons != ""].value_counts(sort=False)
    return MetaLab(
        file=file,
        n_rows=len(table),
        typical=typical,
        multilingual=kept.loc[kept["children"] == "multilingual", columns].reset_index(drop=True),
        left_out={str(why): int(n) for why, n in counts.items()},
        suspects=tuple(_suspects(table)),
    )


def _named(raw: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The columns that are needed, under our names; empty cells are missing values."""
    import pandas as pd

    given = [str(name) for name in raw.columns]
    missing = [name for name in (*TEXTS, *NUMBERS) if name not in given]
    if missing:
        near = nearest_name(missing[0], given)
        raise ToolkitError(
            f"{file} is not MetaLab's table of mutual exclusivity: it has no column "
            f"{', '.join(missing)}.",
            given=", ".join(given[:8]) + (", ..." if len(given) > 8 else ""),
            nearest=near,
            allowed=", ".join((*TEXTS, *NUMBERS)),
        )
    table = pd.DataFrame({ours: raw[theirs].astype(object) for theirs, ours in TEXTS.items()})
    faults = []
    for theirs, ours in NUMBERS.items():
        text = raw[theirs].astype(object).where(~raw[theirs].isin(NO_NUMBER), None)
        with told(file):
            table[ours] = pd.to_numeric(text, errors="coerce").astype(float)
        wrong = raw.loc[text.notna() & ~table[ours].map(math.isfinite), theirs]
        if len(wrong):
            faults.append(
                f"column {theirs} holds {wrong.iloc[0]!r} in {len(wrong)} rows, expected a number"
            )
    faults += _out_of_range(table)
    if faults:
        raise ToolkitError(f"{file} cannot be taken:\n  - " + "\n  - ".join(faults))
    return table


def _out_of_range(table: pd.DataFrame) -> list[str]:
    """Numbers that cannot be what their column says."""
    chosen = table["measure"] == "target_selection"
    return [
        f"column {name} holds {table.loc[wrong, ours].iloc[0]:g} in {int(wrong.sum())} rows, "
        f"expected {allowed}"
        for name, ours, wrong, allowed in (
            ("mean_age_months", "age_months", table["age_months"] <= 0, "an age above 0"),
            ("n_1", "n_children", table["n_children"] < 1, "1 child or more"),
            ("num_trials", "n_trials", table["n_trials"] < 1, "1 trial or more"),
            (
                "x_1",
                "share",
                chosen & ((table["share"] < 0) | (table["share"] > 1)),
                "a share from 0 to 1 of choices (target_selection)",
            ),
        )
        if wrong.any()
    ]


def _reasons(table: pd.DataFrame) -> pd.Series[str]:
    """Why each row is left out; empty where it is not. The first reason that holds is told."""
    import pandas as pd

    reasons = pd.Series("", index=table.index, dtype=object)
    known = table[["age_months", "n_children", "n_trials"]].notna().all(axis=1)
    for why, holds in (
        ("looking time instead of choices", table["measure"] != "target_selection"),
        ("no share of choices given", table["share"].isna() | table["chance"].isna()),
        ("more than two to choose from", (table["chance"] - 0.5).abs() > 0.001),
        ("a novel beside another novel thing", table["trial_type"] != "FN"),
        (
            "children who are not typically developing",
            ~table["children"].isin(["typical", "multilingual"]),
        ),
        ("age, number of children or of trials not given", ~known),
        (f"children of {OLDEST_MONTHS} months or more", table["age_months"] >= OLDEST_MONTHS),
    ):
        reasons = reasons.where((reasons != "") | ~holds, why)
    return reasons


def _suspects(table: pd.DataFrame) -> list[Suspect]:
    """Rows with a standard deviation too small to be one."""
    found = []
    looking = table.loc[table["measure"] != "target_selection", "sd"]
    usual = float(looking.median())
    for row in table[table["sd"].notna()].to_dict("records"):
        if row["measure"] == "target_selection":
            spread = row["share"] * (1 - row["share"]) / row["n_trials"]
            least = math.sqrt(spread) if spread > 0 else math.nan
            small = row["sd"] < LOW_SD * least
            why = f"chance alone makes {least:.2f} in {row['n_trials']:.0f} trials of each child"
        else:
            small = row["sd"] < LOW_LOOKING_SD * usual
            why = f"the median of looking times is {usual:.2f}"
        if small:
            as_sd = row["sd"] * math.sqrt(row["n_children"])
            found.append(Suspect(int(row["row"]), str(row["paper"]), row["sd"], as_sd, why))
    return found
