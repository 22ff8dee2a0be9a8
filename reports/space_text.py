"""Tables about embedding spaces on the terminal and in a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape as as_html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.terminal import console, table

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, "pd.DataFrame"]
"""By name, as `toolkit.statistics.space.analysis` makes them."""


@dataclass(frozen=True)
class _Shown:
    """A table that is shown: names of the rows, a value with its interval, further numbers."""

    title: str
    names: tuple[str, ...]
    value: str
    more: tuple[str, ...] = ()
    status: bool | None = None
    """True for the rows over all classes, False for all others, None for every row."""

    def rows(self, made: pd.DataFrame) -> list[dict[Any, Any]]:
        """The rows that are shown."""
        rows: list[dict[Any, Any]] = made.to_dict("records")
        return [row for row in rows if self.status in (None, row.get("status") == "all")]


_WHOSE = ("population", "modality", "language", "status")
_PAIR = ("population_a", "population_b", "modality", "language", "status")
SHOWN: Mapping[str, _Shown] = {
    "variance": _Shown(
        "Variance (trace of the covariance of unit-length embeddings)",
        (*_WHOSE, "scope"), "variance", status=False,
    ),
    "gap": _Shown(
        "Modality gap (distance between the centroids of words and pictures)",
        ("population", "language", "status"), "gap", ("cosine_same_class", "cosine_other_class"),
    ),
    "alignment": _Shown(
        "Alignment by rotation (0: the same; chance: classes permuted)",
        _PAIR, "disparity", ("chance",), status=True,
    ),
    "similarity": _Shown(
        "Representational similarity (Spearman; a population with itself: its seeds)",
        _PAIR, "spearman", status=True,
    ),
    "words_accuracy": _Shown(
        "Accuracy per word and its space (Spearman over words)",
        ("population", "language", "status", "measure"), "spearman", ("n_words",),
    ),
}  # fmt: skip
"""Tables that are shown, of all that are written."""
_HEADS = {"population_a": "population", "population_b": "with", "n_words": "words"}
_INTERVALS = "Intervals: 95 %, bootstrap over classes and seeds."


def print_spaces(tables: Tables, notes: Sequence[str], folder: Path) -> None:
    """Print the main tables, what to keep in mind, and where everything lies.

    Args:
        tables: all of them.
        notes: sentences.
        folder: that they were written into.
    """
    from rich.markup import escape

    out = console()
    for name, shown in SHOWN.items():
        heads, lines = _cells(shown, tables[name])
        if lines:
            numbers = (heads[len(shown.names)], *heads[len(shown.names) + 2 :])
            made = table(*heads, numbers=numbers)
            for line in lines:
                made.add_row(*map(escape, line))
            out.print(f"\n[bold]{escape(shown.title)}[/bold]\n")
            out.print(made)
    out.print(_INTERVALS)
    written = f"\n{len(tables)} tables (Parquet, CSV) and manifest.json written to {folder}"
    for sentence in (*(f"Note: {note}" for note in notes), written):
        out.print(escape(sentence), soft_wrap=True)


def spaces_html(tables: Tables, notes: Sequence[str], folder: Path) -> str:
    """The same as HTML.

    Args:
        tables: all of them.
        notes: sentences.
        folder: that they were written into.
    """
    import pandas as pd

    parts = []
    for name, shown in SHOWN.items():
        heads, lines = _cells(shown, tables[name])
        if lines:
            made = pd.DataFrame(lines, columns=heads).to_html(index=False, escape=True, border=0)
            parts += [f"<p><b>{as_html(shown.title)}</b></p>", made]
    parts += [f"<p>{as_html(line)}</p>" for line in (_INTERVALS, *notes, str(folder))]
    return "".join(parts)


def _cells(shown: _Shown, made: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Heads of the columns, and the lines below them."""
    names = (*shown.names, shown.value, *shown.more)
    heads = [_HEADS.get(name, name.replace("_", " ")) for name in names]
    heads.insert(len(shown.names) + 1, "95 % interval")
    lines = []
    for row in shown.rows(made):
        texts = [str(row[name]) or "-" for name in shown.names]
        ends = f"{_number(row['ci_low'])} to {_number(row['ci_high'])}"
        more = [_number(row[name]) for name in shown.more]
        lines.append([*texts, _number(row[shown.value]), ends, *more])
    return heads, lines


def _number(value: float) -> str:
    """Three decimals, whole numbers as they are, a dash where there is no number.

    Example:
        >>> _number(0.12345), _number(20), _number(float("nan"))
        ('0.123', '20', '-')
    """
    if isinstance(value, int):
        return str(value)
    return "-" if math.isnan(value) else f"{value:.3f}"
