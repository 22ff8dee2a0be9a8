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
from toolkit.statistics.intake import ALIASES, Wishes, faulty, finish
from toolkit.statistics.longtable import (
    TEXT,
    as_names,
    combine,
    not_binary,
    read_run,
    write_long,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = ["combine", "read_any", "read_run", "read_wide", "write_long"]

WIDE_COLUMNS = {
    "trial": "trial",
    "word_id": "audio_query",
    "target_id": "image_A",
    "distractor_id": "image_B",
}
"""Columns of the published wide predictions (Nortje et al. 2024, TACL), under our names."""
WIDE_SEED_COLUMNS = {"word_id": "audio", "target_id": "image-pos", "distractor_id": "image-neg"}
"""Those of the predictions with a column per seed (Oneata et al. 2025, arXiv 2506.04037)."""
NO_VALUE = ("", "NA", "NaN")
"""What counts as missing in a CSV; words such as "none", "null" and "nan" are left alone."""


def read_any(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    constants: Mapping[str, str] | None = None,
    recode: Mapping[str, Mapping[str, str]] | None = None,
    drop_missing: bool = False,
    keep_repeats: bool = False,
) -> pd.DataFrame:
    r"""Read any table with one answer per row as a long table.

    Args:
        path: CSV (comma, semicolon or tab, UTF-8) or Parquet.
        columns: what the file calls our columns, ``{"seed": "sub_id", ...}``. Columns that bear
            our name already need not be named; ``participant`` stands for ``seed``, ``item`` for
            ``word_concept``. Columns that are not named are kept as they are.
        constants: values that are the same in every row, ``{"population": "children"}``. With
            ``paradigm`` among them (and paradigm_version, n_choices, n_languages,
            train_languages) the table can be analysed together with runs of that paradigm.
        recode: new names of values, ``{"condition": {"NF": "novel-familiar"}}``.
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
    raw = _read_table(file, [theirs for ours, theirs in named.items() if ours in TEXT])
    faults = _naming_faults(raw, named)
    meanings = {ours: f"column {theirs} of {file.name}" for ours, theirs in named.items()}
    table, kept = _renamed(raw, named)
    meanings |= {name: f"column {old} of {file.name}, as found" for name, old in kept.items()}
    wishes = Wishes(constants or {}, recode or {}, drop_missing, keep_repeats)
    return finish(table, file, faults, meanings, wishes)


def read_wide(
    path: str | Path,
    *,
    word_pattern: str,
    answers: Literal["population", "seed"] = "population",
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    recode: Mapping[str, Mapping[str, str]] | None = None,
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
            `WIDE_COLUMNS` or `WIDE_SEED_COLUMNS`; any further column named here is kept and not
            taken for answers.
        constants: values that are the same in every row.
        recode: new names of values, ``{"population": {"none": "no-pretraining"}}``.
        drop_missing: leave out answers that are missing; else they are a fault.

    Returns:
        The long table, one row per trial and column of answers.

    Raises:
        ToolkitError: if the file cannot be read, or listing every fault of the table.
    """
    import pandas as pd

    file = Path(path)
    own = [theirs for ours, theirs in (columns or {}).items() if ours in TEXT]
    published = (*WIDE_COLUMNS.items(), *WIDE_SEED_COLUMNS.items())
    raw = _read_table(file, own + [theirs for ours, theirs in published if ours in TEXT])
    known = WIDE_SEED_COLUMNS if set(WIDE_SEED_COLUMNS.values()) <= set(raw) else WIDE_COLUMNS
    # Published variants lack some of these; only those that were named must be there.
    named = {o: t for o, t in known.items() if t in raw} | dict(columns or {})
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
        raise faulty(file, faults)
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
    wishes = Wishes(values, recode or {}, drop_missing)
    made = finish(table, file, unmatched, meanings, wishes)
    if made.groupby("population", observed=True)["seed"].nunique().max() == 1:
        made.attrs["notes"].append("One seed per population: nothing can be said about seeds.")
    return made


def _read_table(file: Path, names: Sequence[str]) -> pd.DataFrame:
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
        return pd.read_csv(
            file,
            sep=separator,
            dtype=dict.fromkeys((*TEXT, *names), str),
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
