"""Tables from elsewhere: children, published predictions, anything with one answer per row.

Whatever a study calls its columns, it comes out as the long table of
`toolkit.statistics.longtable`, so that children and networks go through the same functions.
Faults are collected and told together; nothing is left out unless that was asked for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from toolkit.errors import ToolkitError, nearest_name
from toolkit.statistics.longtable import (
    KEY,
    REQUIRED,
    TEXT,
    as_names,
    as_numbers,
    combine,
    not_binary,
    read_run,
    repeated_rows,
    write_long,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

__all__ = ["combine", "read_any", "read_run", "read_wide", "write_long"]

ALIASES = {"participant": "seed", "child": "seed", "item": "word_concept", "word": "word_concept"}
"""What studies of children call our columns."""
WIDE_COLUMNS = {
    "trial": "trial",
    "word_id": "audio_query",
    "target_id": "image_A",
    "distractor_id": "image_B",
}
"""Columns of the published wide predictions (Nortje et al. 2024, TACL), under our names."""
NO_VALUE = ("", "NA", "NaN")
"""What counts as missing in a CSV; words such as "none", "null" and "nan" are left alone."""
SHOWN = 3
"""Examples named in a fault."""


def read_any(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    constants: Mapping[str, str] | None = None,
    drop_missing: bool = False,
    keep_repeats: bool = False,
) -> pd.DataFrame:
    r"""Read any table with one answer per row as a long table.

    Args:
        path: CSV (comma, semicolon or tab, UTF-8) or Parquet.
        columns: what the file calls our columns, ``{"seed": "sub_id", ...}``. Columns that bear
            our name already need not be named; ``participant`` stands for ``seed``, ``item`` for
            ``word_concept``. Columns that are not named are kept as they are.
        constants: values that are the same in every row, ``{"population": "children"}``.
        drop_missing: leave out rows where a required value is missing; else they are a fault.
        keep_repeats: take equal rows for separate trials; else they are a fault.

    Returns:
        The long table. ``table.attrs["notes"]`` says what was left out, and
        ``table.attrs["meanings"]`` where each column came from.

    Raises:
        ToolkitError: if the file cannot be read, or listing every fault of the table.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "study.csv"
        ...     _ = file.write_text("child,item,type,correct\n007,ball,NF,1\n007,cup,NF,0\n")
        ...     table = read_any(
        ...         file,
        ...         {"seed": "child", "word_concept": "item", "condition": "type"},
        ...         constants={"population": "children", "test_language": "en"},
        ...     )
        >>> table[["source", "seed", "word_concept", "correct"]].to_numpy().tolist()
        [['study', '007', 'ball', 1], ['study', '007', 'cup', 0]]
    """
    file = Path(path)
    named = {ALIASES.get(ours, ours): theirs for ours, theirs in (columns or {}).items()}
    raw = _read_table(file, named)
    faults = _naming_faults(raw, named)
    meanings = {ours: f"column {theirs} of {file.name}" for ours, theirs in named.items()}
    table, kept = _renamed(raw, named)
    meanings |= {name: f"column {old} of {file.name}, as found" for name, old in kept.items()}
    return _finish(
        table,
        file,
        faults,
        meanings,
        constants=constants or {},
        drop_missing=drop_missing,
        keep_repeats=keep_repeats,
    )


def read_wide(
    path: str | Path,
    *,
    word_pattern: str,
    answers: Literal["population", "seed"] = "population",
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    drop_missing: bool = False,
) -> pd.DataFrame:
    """Read published predictions with one column of 0 and 1 per model as a long table.

    The published tables have the columns ``trial, audio_query, image_A, image_B`` and then one
    per model, 1 where image_A, the target, scored highest (Nortje et al. 2024, TACL), or
    ``audio, image-pos, image-neg`` and then one per seed (Oneata et al. 2025, arXiv 2506.04037).

    Args:
        path: CSV or Parquet.
        word_pattern: regular expression; its first group, found in the name of the clip, is the
            word, for example ``^([a-z]+)_``.
        answers: what the columns of answers stand for: models (``population``) or ``seed`` s of
            one population, which ``constants`` then names.
        columns: what the file calls trial, word_id, target_id and distractor_id, where not as in
            `WIDE_COLUMNS`; any further column named here is kept and not taken for answers.
        constants: values that are the same in every row.
        drop_missing: leave out answers that are missing; else they are a fault.

    Returns:
        The long table, one row per trial and column of answers.

    Raises:
        ToolkitError: if the file cannot be read, or listing every fault of the table.
    """
    import pandas as pd

    file = Path(path)
    raw = _read_table(file, WIDE_COLUMNS | dict(columns or {}))
    # Published variants lack some of these; only those that were named must be there.
    named = {o: t for o, t in WIDE_COLUMNS.items() if t in raw} | dict(columns or {})
    faults = _naming_faults(raw, named)
    if "word_id" not in named:
        near = nearest_name("audio_query", list(raw.columns))
        faults.append(
            "nothing says which column names the clip: name it, word_id=COLUMN"
            + (f" (is it {near}?)" if near else "")
        )
    given = [name for name in raw.columns if name not in named.values()]
    if not given:
        faults.append("there is no column of answers besides those named")
    wrong = {name: not_binary(raw[name]) for name in given}
    faults += [
        f"column {name} holds {values}, expected 0 or 1; if it holds no answers, name it too, "
        f"{name}={name}"
        for name, values in wrong.items()
        if values
    ]
    if faults:
        raise _faulty(file, faults)
    shared = [raw[theirs].rename(ours) for ours, theirs in named.items()]
    wide = pd.concat([*shared, raw[given]], axis=1)
    table = wide.melt(id_vars=list(named), var_name=answers, value_name="correct")
    table[answers] = table[answers].str.removeprefix(_common_folder(given))
    table["word_concept"], unmatched = _words_in(table["word_id"], word_pattern)
    meanings = {ours: f"column {theirs} of {file.name}" for ours, theirs in named.items()} | {
        answers: f"name of the column of answers in {file.name}",
        "word_concept": f"found in {named['word_id']} by {word_pattern}",
    }
    values = dict(constants or {})
    if answers == "population" and "seed" not in named:
        values.setdefault("seed", "1")
    made = _finish(
        table,
        file,
        unmatched,
        meanings,
        constants=values,
        drop_missing=drop_missing,
        keep_repeats=False,
    )
    if made.groupby("population", observed=True)["seed"].nunique().max() == 1:
        made.attrs["notes"].append("One seed per population: nothing can be said about seeds.")
    return made


def _read_table(file: Path, named: Mapping[str, str]) -> pd.DataFrame:
    """Read a file as it is; columns that will hold names are read as text, 007 stays 007."""
    import pandas as pd

    if not file.is_file():
        near = nearest_name(file.name, [found.name for found in file.absolute().parent.glob("*")])
        raise ToolkitError(
            f"There is no file at {file}.", nearest=str(file.with_name(near)) if near else None
        )
    if file.suffix.lower() in (".xls", ".xlsx", ".ods", ".sav", ".rds", ".rdata", ".dta"):
        raise ToolkitError(
            f"{file} is neither CSV nor Parquet.", allowed="CSV (UTF-8) or Parquet; save it as CSV"
        )
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(file)
        with file.open(encoding="utf-8-sig", newline="") as text:
            header = text.readline()
        separator = max(",;\t", key=header.count)
        names = {theirs for ours, theirs in named.items() if ours in TEXT} | TEXT
        return pd.read_csv(
            file,
            sep=separator,
            dtype=dict.fromkeys(names, str),
            encoding="utf-8-sig",
            keep_default_na=False,
            na_values=list(NO_VALUE),
            low_memory=False,
        )
    except pd.errors.EmptyDataError as error:
        raise ToolkitError(f"{file} is empty.") from error
    except UnicodeDecodeError as error:
        raise ToolkitError(f"{file} is not UTF-8 text.", next_command="save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise ToolkitError(f"{file} cannot be read as a table: {error}.") from error


def _naming_faults(raw: pd.DataFrame, named: Mapping[str, str]) -> list[str]:
    """What was named but is not there."""
    faults = []
    for ours, theirs in named.items():
        if theirs not in raw:
            near = nearest_name(theirs, [str(name) for name in raw.columns])
            faults.append(
                f"column {theirs}, named as {ours}, is not in the file"
                + (f" (is it {near}?)" if near else "")
            )
    return faults


def _renamed(raw: pd.DataFrame, named: Mapping[str, str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table under our names, and where its other columns came from.

    A column that bears one of our names without being meant is kept as ``file_<name>``.
    """
    import pandas as pd

    rest = [str(name) for name in raw.columns if name not in named.values()]
    kept = {f"file_{name}" if name in named else name: name for name in rest}
    parts = {ours: raw[theirs] for ours, theirs in named.items() if theirs in raw}
    return pd.DataFrame(parts | {ours: raw[old] for ours, old in kept.items()}), kept


def _finish(
    table: pd.DataFrame,
    file: Path,
    faults: Sequence[str],
    meanings: Mapping[str, str],
    *,
    constants: Mapping[str, str],
    drop_missing: bool,
    keep_repeats: bool,
) -> pd.DataFrame:
    """Add what is the same everywhere, look for faults, and bring the table into its form."""
    import pandas as pd

    origins = dict(meanings)
    if not len(table):
        raise _faulty(file, [*faults, "there are no rows below the header"])
    values = {"source": file.stem} | {ALIASES.get(o, o): value for o, value in constants.items()}
    faults = [*faults, *_clashes(table, constants)]
    for name, value in values.items():
        if name not in table:
            table[name] = float(value) if _is_number(name, value) else value
            origins[name] = "the same in every row"
    faults += _unsaid(table, origins)
    if "correct" in table:
        wrong = not_binary(table["correct"])
        if wrong:
            faults.append(f"column correct holds {wrong}, expected 0 or 1")
    if "n_choices" in table and not pd.api.types.is_numeric_dtype(table["n_choices"]):
        faults.append("column n_choices holds text, expected the number of pictures shown")
    table, notes, gaps = _without_gaps(table, drop_missing=drop_missing)
    faults += gaps
    if not keep_repeats or "trial" in table:
        faults += _repeat_faults(table)
    if faults:
        raise _faulty(file, faults)
    for name in TEXT & set(table):
        table[name] = as_names(table[name])
    table["correct"] = as_numbers(table["correct"]).astype("int8")
    first = [column.name for column in REQUIRED]
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    table.attrs = {"notes": notes, "meanings": origins}
    return table


def _clashes(table: pd.DataFrame, constants: Mapping[str, str]) -> list[str]:
    """Constants that would overwrite a column."""
    names = {ours: ALIASES.get(ours, ours) for ours in constants}
    return [
        f"{ours} is a column and also set to {constants[ours]!r}"
        for ours, name in names.items()
        if name in table
    ]


def _unsaid(table: pd.DataFrame, named: Collection[str]) -> list[str]:
    """Required columns of which nothing was said; those named in vain are faults already."""
    faults = []
    for column in REQUIRED:
        name = column.name
        if name in table or name in named:
            continue
        ours = {column.name for column in REQUIRED}
        others = [str(other) for other in table.columns if other not in ours]
        known = [other for other in others if ALIASES.get(other) == name]
        near = known[0] if known else nearest_name(name, others)
        faults.append(
            f"nothing says what {name} is ({column.meaning}): name its column, {name}=COLUMN, or "
            f"set it for all rows, {name}=VALUE" + (f" (is it column {near}?)" if near else "")
        )
    return faults


def _without_gaps(
    table: pd.DataFrame, *, drop_missing: bool
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Rows that have every required value; what was left out, or that there is something to."""
    required = [column.name for column in REQUIRED if column.name in table]
    gaps = table[required].isna()
    empty = gaps.any(axis=1)
    if not empty.any():
        return table, [], []
    counts = ", ".join(f"{name} in {n}" for name, n in gaps.sum().items() if n)
    rows = ", ".join(str(number + 1) for number in empty.to_numpy().nonzero()[0][:SHOWN])
    what = f"{int(empty.sum())} of {len(table)} rows lack a value: {counts} (first rows: {rows})"
    if not drop_missing:
        return table, [], [f"{what}; --drop-missing (drop_missing=True) leaves them out"]
    if empty.all():
        return table, [], [f"{what}; no row would be left"]
    return table[~empty].reset_index(drop=True), [f"Left out: {what}."], []


def _repeat_faults(table: pd.DataFrame) -> list[str]:
    if "trial" in table:
        key = [name for name in KEY if name in table]
        repeated = repeated_rows(table, key)
        what = f"have the same {', '.join(key)} as another; if trial does not number the trials, "
        return [f"{repeated} rows {what}name it differently"] if repeated else []
    # Without a number of the trial, only rows equal in everything can be told to be repeated.
    repeated = int(table.duplicated().sum())
    if not repeated:
        return []
    first = int(table.duplicated().to_numpy().nonzero()[0][0]) + 1
    return [
        f"{repeated} rows repeat an earlier one in every column (first: row {first}); "
        "--keep-repeats (keep_repeats=True) takes them for separate trials"
    ]


def _words_in(clips: pd.Series, pattern: str) -> tuple[pd.Series, list[str]]:
    """The word in each clip's name, and a fault where there is none."""
    try:
        find = re.compile(pattern)
    except re.error as error:
        raise ToolkitError(
            f"The word pattern is no regular expression: {error}.",
            given=pattern,
            allowed="for example ^([a-z]+)_ for ball_012.wav",
        ) from error
    names = as_names(clips)
    words = {}
    for name in names.cat.categories:
        found = find.search(name)
        words[name] = found.group(1 if find.groups else 0) if found else None
    lost = [name for name, word in words.items() if not word]
    faults = []
    if lost:
        faults.append(
            f"{len(lost)} of {len(words)} names of clips do not match {pattern!r}, e.g. {lost[0]!r}"
        )
    return names.astype(str).map(words), faults


def _common_folder(names: Sequence[str]) -> str:
    """What comes before the slash, where all names have the same: ``is-correct/``."""
    folders = {name.rpartition("/")[0] for name in names}
    return f"{folders.pop()}/" if len(folders) == 1 and "" not in folders else ""


def _is_number(name: str, value: str) -> bool:
    return name not in TEXT and re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


def _faulty(file: Path, faults: Sequence[str]) -> ToolkitError:
    return ToolkitError(
        f"{file} cannot be taken as a table of answers:\n  - " + "\n  - ".join(faults)
    )
