"""Children's looking in single trials, read from a file that the user has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name
from toolkit.tables.delimited import read_delimited
from toolkit.tables.values import as_found

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

REQUIRED = ("word_concept", "distractor_concept", "looking_share")
"""Columns of every such file; a trial is a word and the thing beside its picture."""
AGE = ("age_group", "age_months")
"""Of these one is needed: text such as "18 months", or a number, put into half-years."""
OPTIONAL = ("child",)
"""Who looked, where single children are known."""
HALF_YEAR = 6


def trial_names(table: pd.DataFrame) -> pd.Series[str]:
    """What a trial is called: its word, and what else was shown.

    Example:
        >>> import pandas as pd
        >>> trial_names(pd.DataFrame({"word_concept": ["dog"], "distractor_concept": ["car"]}))[0]
        'dog beside car'
    """
    names: pd.Series[str] = (
        table["word_concept"].astype(str) + " beside " + table["distractor_concept"].astype(str)
    )
    return names


def read_looking(file: Path) -> pd.DataFrame:
    r"""Read shares of looking at the named picture.

    Args:
        file: CSV with `REQUIRED`, one of `AGE`, and perhaps ``child``.

    Returns:
        ``trial`` (see `trial_names`), ``age_group``, ``looking_share`` (of 1), and ``child`` if the
        file has it.

    Raises:
        ToolkitError: there is no such file, it lacks columns, or a share is no number.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "looking.csv"
        ...     _ = path.write_text("word_concept,distractor_concept,age_months,looking_share\n"
        ...                         "dog,car,18.5,0.62\n")
        ...     read_looking(path).to_dict("records")
        [{'trial': 'dog beside car', 'age_group': '18 to 24 months', 'looking_share': 0.62}]
    """
    if not file.is_file():
        near = nearest_name(file.name, [one.name for one in file.absolute().parent.glob("*.csv")])
        raise ToolkitError(
            f"There is no file {file}.",
            nearest=str(file.with_name(near)) if near else None,
            allowed=f"a CSV with the columns {', '.join((*REQUIRED, AGE[1]))}",
        )
    raw, _ = read_delimited(file)
    given = [str(name) for name in raw.columns]
    missing = [name for name in REQUIRED if name not in given]
    if not set(AGE) & set(given):
        missing.append(" or ".join(AGE))
    if missing:
        raise ToolkitError(
            f"{file} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
            given=", ".join(given),
            nearest=nearest_name(missing[0], given),
            allowed=", ".join((*REQUIRED, " or ".join(AGE), *OPTIONAL)),
        )
    table = raw.assign(trial=trial_names(raw), looking_share=_numbers(raw, "looking_share", file))
    if "age_group" not in given:
        start = (_numbers(raw, "age_months", file) // HALF_YEAR * HALF_YEAR).astype(int)
        table["age_group"] = [f"{age} to {age + HALF_YEAR} months" for age in start]
    kept = ["trial", "age_group", "looking_share"]
    made: pd.DataFrame = table[kept + [name for name in OPTIONAL if name in given]]
    return made


def _numbers(raw: pd.DataFrame, name: str, file: Path) -> pd.Series[float]:
    """A column of numbers without gaps."""
    import pandas as pd

    numbers = pd.to_numeric(as_found(raw[name])[0].astype(object), errors="coerce").astype(float)
    if numbers.isna().any():
        raise ToolkitError(
            f"{file} has no number in the column {name} in {int(numbers.isna().sum())} rows.",
            given=f"{raw.loc[numbers.isna(), name].iloc[0]!r}",
            allowed="a number in every row; trials without looking left out",
        )
    return numbers
