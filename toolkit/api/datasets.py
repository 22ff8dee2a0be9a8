"""Runs and tables as Psych-DS datasets, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.api.checks import optional
from toolkit.errors import ToolkitError
from toolkit.statistics.phrases import count
from toolkit.tables.longtable import meanings_of, read_whole
from toolkit.tables.manifests import MANIFEST_FILE, table_of
from toolkit.tables.psych_ds import About, Dataset, read_dataset, write_dataset
from toolkit.tables.runs import manifest_of

if TYPE_CHECKING:
    import pandas as pd

ACCOUNT = ".sessions.csv"
"""End of the name of what ``import-responses`` leaves beside a table."""


def export_psych_ds(
    run: str | Path,
    out: str | Path,
    *,
    title: str = "",
    authors: Sequence[str] = (),
    licence: str = "",
    paradigms_dir: str | Path | None = None,
) -> Path:
    """Write a run, or a table of children, models or both, as a Psych-DS dataset.

    Args:
        run: run folder, its ``trials.parquet``, or a table of ``import-trials`` or
            ``import-responses``; the account of sessions beside such a table is taken along.
        out: folder to write, whole or not at all.
        title: of the dataset; by default the name of the run or table.
        authors: who collected the data.
        licence: under which conditions they may be used; nothing is said by default.
        paradigms_dir: folder with paradigm files of your own, if one was asked.

    Returns:
        The folder.

    Raises:
        ToolkitError: there is no such table, or the folder holds something.
    """
    path = Path(run)
    table, file = read_whole(path), table_of(path)
    manifest = manifest_of(path)
    name = title or str(manifest.get("run_id") or file.stem)
    paradigm = str(table["paradigm"].iloc[0]) if "paradigm" in table and len(table) else "trials"
    account = file.with_name(f"{file.stem}{ACCOUNT}")
    stored = file.with_name(MANIFEST_FILE)
    write_dataset(
        table,
        Path(out),
        About(
            title=name,
            description=_description(table, paradigm),
            study=paradigm,
            authors=authors,
            licence=licence,
            cites=_cites(paradigm, optional(paradigms_dir)),
            materials={MANIFEST_FILE: stored.read_bytes()} if manifest and stored.is_file() else {},
        ),
        meanings_of(file) | _OF_ACCOUNT,
        {"sessions": _account(account)} if account.is_file() else {},
    )
    return Path(out)


_OF_ACCOUNT = {
    "file": "file in which the session was found",
    "reason": "taken, or why the session is not among the trials",
    "detail": "more on the reason",
    "n_test": "test trials of the session",
    "n_answered": "test trials that were answered",
    "n_practice": "practice trials of the session",
    "n_practice_right": "practice trials whose last answer was right",
    "participant_id": "the child, as seed in the table of trials",
}


def _account(file: Path) -> pd.DataFrame:
    """The account of sessions beside a table."""
    import pandas as pd

    from toolkit.tables.delimited import read_delimited

    table, _ = read_delimited(file)
    for name in ("participant_id", "session_id", "started_at"):
        if name in table:
            table[name] = table[name].replace("", None).astype("category")
    for name in ("age_months", *(own for own in map(str, table) if own.startswith("n_"))):
        if name in table:
            table[name] = pd.to_numeric(table[name].replace("", None)).astype(float)
    return table


def _description(table: pd.DataFrame, paradigm: str) -> str:
    kinds = table["subject_kind"].astype(str) if "subject_kind" in table else None
    people = table[["population", "seed"]].astype(str).drop_duplicates()
    who = count(len(people), "subject")
    if kinds is not None:
        own = people.assign(kind=kinds[people.index])["kind"].value_counts(sort=False)
        who = " and ".join(f"{n} of kind {kind}" for kind, n in own.items())
    populations = ", ".join(sorted(set(people["population"])))
    return (
        f"Answers to the test {paradigm}, one row per trial: {count(len(table), 'trial')} of {who} "
        f"({populations})."
    )


def _cites(paradigm: str, own: Path | None) -> list[str]:
    from paradigms.registry import find_paradigms

    known = find_paradigms(own).get(paradigm)
    return [f"The test: {known.source}"] if known is not None else []


def read_psych_ds(folder: str | Path) -> Dataset:
    """Read a dataset that `export_psych_ds` wrote: the same table, types included.

    Args:
        folder: the dataset.

    Returns:
        ``trials``, further tables (``sessions``), meanings of columns, and the description.

    Raises:
        ToolkitError: a rule of Psych-DS is broken, or the dataset was written elsewhere.
    """
    place = Path(folder)
    if not place.is_dir():
        raise ToolkitError(f"There is no folder {place}.", allowed="a Psych-DS dataset")
    return read_dataset(place)
