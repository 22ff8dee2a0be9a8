"""Kinds of paradigms: what each layer does for a kind stands in one table of that layer.

A paradigm declares its kind (`paradigms.BaseParadigm.kind`), and every run records it. A further
kind is added by a base class and modules of its own, and by one line in each of the three tables:
`toolkit.running.kinds.RUNNING`, `toolkit.statistics.kinds.STATISTICS` and
`reports.kinds.REPORTS`.
"""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from stimuli.cells import unguarded
from toolkit.errors import ToolkitError, unknown_name
from toolkit.tables.manifests import TRIALS_FILE, read_manifest, sound_table

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
CHOICES = "choices"
"""Kind of every table from elsewhere: its rows are answers that are right or wrong."""
METADATA = b"mevgs_toolkit"
"""Key under which a table says what it holds."""
LONG_TABLE = "long table"
"""What tables of ``import-trials`` say there."""


class KindTable(Generic[T]):
    """What a layer does for every kind, imported when it is first asked for.

    Example:
        >>> table: KindTable[Any] = KindTable("run", {"choices": "csv:excel"})
        >>> table["choices"].delimiter
        ','
        >>> table["choses"]
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: There is no kind of paradigms that can be run 'choses'.
          given: choses
          did you mean: choices
          allowed: choices
    """

    def __init__(self, done: str, entries: dict[str, str]) -> None:
        """Make a table.

        Args:
            done: what the layer does with a paradigm, for messages: ``run``.
            entries: ``module:NAME`` by kind.
        """
        self.done = done
        self.entries = entries

    def __getitem__(self, kind: str) -> T:
        """What is done for a kind.

        Raises:
            ToolkitError: if there is no such kind.
        """
        if kind not in self.entries:
            what = f"kind of paradigms that can be {self.done}"
            raise unknown_name(what, kind, list(self.entries))
        module, _, name = self.entries[kind].partition(":")
        return cast(T, getattr(importlib.import_module(module), name))


def kind_of(path: Path, paradigms: Path | None = None) -> str:
    """The kind of the trials in a run or a table.

    It is recorded in the table, or in the manifest beside it. Of earlier runs, which recorded none,
    it is that of the paradigm they name. Tables from elsewhere hold answers, so `CHOICES`; what
    cannot be read is left to whoever reads it.

    Args:
        path: run folder, or a file like its ``trials.parquet``; also an exported CSV.
        paradigms: folder with paradigms of one's own.

    Raises:
        ToolkitError: if an earlier run names a paradigm that is not known, or the table is damaged.
    """
    file = sound_table(path)
    try:
        told, first = _first_row(file)
    except Exception:
        # Damaged bytes make the library raise whatever it happens to stumble over.
        return CHOICES
    kind = told or _told_beside(file)
    if kind is not None:
        return kind
    name = str(first.get("paradigm") or "")
    if name and (named := _kinds_by_name(paradigms).get(name)):
        return named
    if not name or "run_id" not in first:
        return CHOICES
    raise ToolkitError(
        f"{file} does not say of what kind its paradigm {name!r} is, and there is no such paradigm "
        "here.",
        next_command="add --paradigms DIR, the folder that holds its file",
    )


def kind_of_rows(table: pd.DataFrame, paradigms: Path | None = None) -> str:
    """The kind of rows in memory: that of the paradigm they name, `CHOICES` if it is not known.

    Example:
        >>> import pandas as pd
        >>> kind_of_rows(pd.DataFrame({"paradigm": ["dense-grounding"], "correct": [0]}))
        'maps'
    """
    if "paradigm" not in table or table.empty:
        return CHOICES
    return _kinds_by_name(paradigms).get(str(table["paradigm"].iloc[0]), CHOICES)


def kind_told(kind: str, paradigm: str, paradigms: Path | None = None) -> str:
    """The kind that a summary or an analysis is about; of earlier ones, that of its paradigm.

    Args:
        kind: what it says; empty in earlier ones.
        paradigm: name of its paradigm.
        paradigms: folder with paradigms of one's own.

    Example:
        >>> kind_told("", "me"), kind_told("maps", "my-maps")
        ('choices', 'maps')
    """
    return kind or _kinds_by_name(paradigms).get(paradigm, CHOICES)


def refuse_other_kinds(kind: str, where: str, next_command: str) -> None:
    """Refuse trials that are no answers.

    Args:
        kind: what they are.
        where: what holds them.
        next_command: what can be done with them.

    Raises:
        ToolkitError: unless they are `CHOICES`.
    """
    if kind != CHOICES:
        raise ToolkitError(
            f"{where} holds {kind}, not answers that are right or wrong.",
            next_command=next_command,
        )


def _kinds_by_name(paradigms: Path | None) -> dict[str, str]:
    from paradigms.registry import find_paradigms

    return {name: cls.kind for name, cls in find_paradigms(paradigms).items()}


def _first_row(file: Path) -> tuple[str | None, dict[str, Any]]:
    """The kind that a table has recorded, and its first row as far as it tells the paradigm."""
    if file.suffix.lower() == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as text:
            first = next(csv.DictReader(text), {})
            return None, {key: unguarded(value or "") for key, value in first.items() if key}
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parquet:
        schema = parquet.schema_arrow
        told = json.loads((schema.metadata or {}).get(METADATA, b"{}"))
        kind = CHOICES if told.get("kind") == LONG_TABLE else told.get("paradigm_kind")
        names = [name for name in ("paradigm", "run_id") if name in schema.names]
        rows = next(parquet.iter_batches(1, columns=names), None)
        return kind, dict(rows.to_pylist()[0]) if rows is not None and names else {}


def _told_beside(file: Path) -> str | None:
    """The kind in the manifest of the run folder that a table lies in."""
    if file.name != TRIALS_FILE:
        return None
    paradigm = read_manifest(file.parent).get("paradigm")
    kind = paradigm.get("kind") if isinstance(paradigm, dict) else None
    return None if kind is None else str(kind)
