"""Tables from elsewhere: children, published predictions, anything with one answer per row.

Whatever a study calls its columns, it comes out as the long table of
`toolkit.tables.longtable`, so that children and networks go through the same functions.
Faults are collected and told together; nothing is left out unless that was asked for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from toolkit.errors import ToolkitError, nearest_name
from toolkit.statistics.imported.intake import ALIASES, Wishes, faulty, finish, named_twice
from toolkit.statistics.imported.raw import read_raw
from toolkit.tables.longtable import TEXT, combine, read_run, write_long
from toolkit.tables.values import as_found, as_names, as_text, not_binary, renamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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


def read_any(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    constants: Mapping[str, str] | None = None,
    recode: Mapping[str, Mapping[str, str]] | None = None,
    missing: Sequence[str] = (),
    drop_missing: bool = False,
    keep_repeats: bool = False,
) -> pd.DataFrame:
    r"""Read any table with one answer per row as a long table.

    Args:
        path: CSV (comma, semicolon or tab; UTF-8, or UTF-16 with its mark) or Parquet. Blanks
            around values are taken off and letters composed (NFC), with a note.
        columns: what the file calls our columns, ``{"seed": "sub_id", ...}``. Columns that bear
            our name already need not be named; ``participant`` stands for ``seed``, ``item`` for
            ``word_concept``. Columns that are not named are kept as they are.
        constants: values that are the same in every row, ``{"population": "children"}``. With
            ``paradigm`` among them (and paradigm_version, n_choices, n_languages,
            train_languages) the table can be analysed together with runs of that paradigm.
        recode: new names of values, ``{"correct": {"yes": "1", "no": "0", "null": ""}}``, given
            before values are looked at; an empty new name, or NA, means that the value is missing.
        missing: codes that mean a missing value in any column, such as ``-99`` or ``.``.
        drop_missing: leave out rows where a required value is missing; else they are a fault.
        keep_repeats: take equal rows for separate trials; else they are a fault.

    Returns:
        The long table. ``table.attrs["notes"]`` says what was left out or changed and what looks
        doubtful, and ``table.attrs["meanings"]`` where each column came from.

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
    named = _by_our_names(columns or {})
    raw = read_raw(file, _names_in(named), missing)
    faults = [*named_twice(columns or {}, "named"), *raw.faults]
    faults += _naming_faults(raw.table, named)
    meanings = {ours: f"column {theirs} of {file.name}" for ours, theirs in named.items()}
    table, kept, clashes = _renamed(raw.table, named)
    notes = raw.told({old: ours for ours, old in (named | kept).items() if ours in TEXT})
    notes += [
        f"The file's own column {old} is kept as {name}."
        for name, old in kept.items()
        if name != old
    ]
    meanings |= {name: f"column {old} of {file.name}, as found" for name, old in kept.items()}
    wishes = Wishes(constants or {}, recode or {}, drop_missing, keep_repeats)
    return finish(table, file, [*faults, *clashes], meanings, wishes, notes)


def read_wide(
    path: str | Path,
    *,
    word_pattern: str,
    answers: Literal["population", "seed"] = "population",
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    recode: Mapping[str, Mapping[str, str]] | None = None,
    missing: Sequence[str] = (),
    drop_missing: bool = False,
    keep_repeats: bool = False,
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
        recode: new names of values, ``{"population": {"none": "no-pretraining"}}``; those of
            ``correct`` are looked for in all columns of answers.
        missing: codes that mean a missing value in any column.
        drop_missing: leave out answers that are missing; else they are a fault.
        keep_repeats: take equal rows for separate trials; else they are a fault.

    Returns:
        The long table, one row per trial and column of answers.

    Raises:
        ToolkitError: if the file cannot be read, or listing every fault of the table.
    """
    import pandas as pd

    file = Path(path)
    asked = _by_our_names(columns or {})
    raw = read_raw(file, _names_in(asked | WIDE_COLUMNS) | _names_in(WIDE_SEED_COLUMNS), missing)
    table = raw.table
    known = WIDE_SEED_COLUMNS if set(WIDE_SEED_COLUMNS.values()) <= set(table) else WIDE_COLUMNS
    # Published variants lack some of these; only those that were named must be there.
    named = {ours: theirs for ours, theirs in known.items() if theirs in table} | asked
    faults = [*named_twice(columns or {}, "named"), *raw.faults, *_naming_faults(table, named)]
    given = [name for name in table.columns if name not in named.values()]
    new_names = dict(recode or {})
    cells, wrong = _answers(table[given], new_names.pop("correct", {}))
    faults += [*_wide_faults(named, list(table.columns), given), *wrong]
    if faults:
        raise faulty(file, faults)
    shared = [table[theirs].rename(ours) for ours, theirs in named.items()]
    long = pd.concat([*shared, cells], axis=1).melt(
        id_vars=list(named), var_name=answers, value_name="correct"
    )
    long[answers] = long[answers].str.removeprefix(_common_folder(given))
    long["word_concept"], unmatched = _words_in(long["word_id"], word_pattern)
    meanings = {ours: f"column {theirs} of {file.name}" for ours, theirs in named.items()} | {
        answers: f"name of the column of answers in {file.name}",
        "word_concept": f"found in {named['word_id']} by {word_pattern}",
    }
    values = dict(constants or {})
    if answers == "population" and "seed" not in named:
        values.setdefault("seed", "1")
    wishes = Wishes(values, new_names, drop_missing, keep_repeats)
    notes = raw.told({theirs: ours for ours, theirs in named.items() if ours in TEXT})
    made = finish(long, file, unmatched, meanings, wishes, notes)
    if made.groupby("population", observed=True)["seed"].nunique().max() == 1:
        made.attrs["notes"].append("One seed per population: nothing can be said about seeds.")
    return made


def _by_our_names(columns: Mapping[str, str]) -> dict[str, str]:
    """What the user named, under our names."""
    return {ALIASES.get(ours, ours): theirs for ours, theirs in columns.items()}


def _names_in(named: Mapping[str, str]) -> set[str]:
    """Columns of a file that do not number its rows, whoever named them."""
    own = {theirs for ours, theirs in named.items() if ours in TEXT or ours == "correct"}
    return own | TEXT | set(ALIASES) | {"correct"}


def _answers(cells: pd.DataFrame, new_names: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Columns of answers with the new names of their values, and what is wrong with them."""
    import pandas as pd

    met = {as_text(value) for name in cells for value in pd.unique(cells[name].dropna())}
    faults = [f"correct never is {old}" for old in new_names if old not in met]
    made = {}
    for name in map(str, cells.columns):
        made[name], _ = as_found(renamed(cells[name], new_names)[0] if new_names else cells[name])
        if wrong := not_binary(made[name]):
            faults.append(
                f"column {name} holds {wrong}, expected 0 or 1; if it holds no answers, name it "
                f"too, {name}={name}"
            )
    return pd.DataFrame(made), faults


def _wide_faults(
    named: Mapping[str, str], columns: Sequence[str], given: Sequence[str]
) -> Iterator[str]:
    """What keeps a table from having one column of answers per model or seed."""
    if "word_id" not in named:
        near = nearest_name("audio_query", columns)
        yield "nothing says which column names the clip: name it, word_id=COLUMN" + (
            f" (is it {near}?)" if near else ""
        )
    if not given:
        yield "there is no column of answers besides those named"


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


def _renamed(
    raw: pd.DataFrame, named: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """The table under our names, where its other columns came from, and names that clash.

    A column that bears one of our names without being meant is kept as ``file_<name>``.
    """
    import pandas as pd

    rest = [str(name) for name in raw.columns if name not in named.values()]
    new = {old: f"file_{old}" if old in named else old for old in rest}
    clashes = [
        f"columns {old} and {name} would both be called {name}: --columns {old} names another"
        for old, name in new.items()
        if name != old and name in {*rest, *named}
    ]
    kept = {name: old for old, name in new.items()}
    parts = {ours: raw[theirs] for ours, theirs in named.items() if theirs in raw}
    return pd.DataFrame(parts | {ours: raw[old] for ours, old in kept.items()}), kept, clashes


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
