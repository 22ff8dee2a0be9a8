"""What single values of a table from elsewhere mean: blanks, missing codes, new names, numbers."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli.characters import hidden_in, shown
from stimuli.wording import count
from toolkit.errors import ToolkitError, nearest_name, typed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd

NO_VALUE = ("", "NA", "NaN")
"""What counts as missing in a CSV; words such as "none", "null" and "nan" are left alone."""
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
"""Characters that are no blanks and still show nothing."""
TRUTH = {"true": 1.0, "false": 0.0}
"""Answers that are no numbers, in capitals or not; R writes TRUE and FALSE."""
WITH_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
"""A number as German, Dutch or French spreadsheets write it."""
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
"""What may be such a number, or an English one above 999."""


def tidied(
    table: pd.DataFrame, no_value: Collection[str] = ("",)
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    r"""Take blanks off both ends of every text, compose its letters (NFC), mark what is missing.

    Values that differ in nothing else look the same on a screen; they become one.

    Args:
        table: columns of any kind; only text is touched.
        no_value: texts that stand for no value.

    Returns:
        The table, and remarks on what was changed, by column.

    Example:
        >>> import pandas as pd
        >>> table, remarks = tidied(pd.DataFrame({"word": ["dax ", "dax", "be\u0301", "b\u00e9"]}))
        >>> table["word"].nunique()
        2
        >>> for remark in remarks["word"]:
        ...     print(remark)
        blanks around 1 value were taken off, e.g. 'dax '
        letters of 1 value were composed (NFD to NFC), e.g. 'bé'
    """
    import pandas as pd

    made, remarks = {}, {}
    for name in map(str, table.columns):
        codes, found = pd.factorize(table[name])
        is_text = [isinstance(value, str) for value in found]
        for value in (name, *found):
            if isinstance(value, str) and (hidden := hidden_in(_tidy(value))):
                raise ToolkitError(
                    f"The column {shown(name)} holds a character that is not seen, or that hides "
                    "what is written.",
                    given=f"{hidden} in {value!r}",
                    allowed="text without control characters and bidirectional overrides",
                )
        if not any(is_text):
            made[name] = table[name]
            continue
        tidy = [_tidy(value) if text else value for value, text in zip(found, is_text, strict=True)]
        values = _of_codes(codes, [None if value in no_value else value for value in tidy])
        made[name] = pd.Series(values, index=table.index, dtype="str" if all(is_text) else object)
        n = np.bincount(codes[codes >= 0], minlength=len(found)).tolist()
        remarks[name] = list(_remarks(list(found), tidy, n, no_value))
    return pd.DataFrame(made, index=table.index), remarks


def _tidy(value: str) -> str:
    return unicodedata.normalize("NFC", value).strip().strip(INVISIBLE).strip()


def _remarks(
    found: Sequence[Any], tidy: Sequence[Any], n: Sequence[int], no_value: Collection[str]
) -> Iterator[str]:
    changed = [each for each in zip(found, tidy, n, strict=True)
               if each[0] != each[1] and each[1] not in no_value]  # fmt: skip
    composed = [each for each in changed if unicodedata.normalize("NFC", each[0]) != each[0]]
    stripped = [each for each in changed if unicodedata.normalize("NFC", each[0]) != each[1]]
    for form, place, own in (
        ("blanks around {} were taken off, e.g. {}", 0, stripped),
        ("letters of {} were composed (NFD to NFC), e.g. {}", 1, composed),
    ):
        if own:
            total = sum(each[2] for each in own)
            yield form.format(count(total, "value"), repr(own[0][place]))


def without(table: pd.DataFrame, missing: Collection[str]) -> tuple[pd.DataFrame, list[str]]:
    """Mark codes such as -99, "null" or "." as missing, in all columns.

    Args:
        table: columns of any kind; a number is compared as it is written, -99.0 as -99.
        missing: the codes.

    Returns:
        The table, and a fault for every code that never occurs.

    Example:
        >>> import pandas as pd
        >>> table, faults = without(pd.DataFrame({"age": [24, -99], "word": ["dax", "."]}),
        ...                         ["-99", ".", "-98"])
        >>> table["age"].tolist(), table["word"].isna().tolist()
        ([24.0, nan], [False, True])
        >>> faults
        ["no value is '-98', which was to mean a missing one"]
    """
    import pandas as pd

    met: set[str] = set()
    made = {}
    for name in map(str, table.columns):
        found = pd.unique(table[name].dropna())
        codes = [value for value in found if as_text(value) in missing]
        met |= {as_text(value) for value in codes}
        made[name] = table[name].mask(table[name].isin(codes)) if codes else table[name]
    faults = [
        f"no value is {code!r}, which was to mean a missing one"
        for code in missing
        if code not in met
    ]
    return pd.DataFrame(made, index=table.index), faults


def renamed(column: pd.Series, new: Mapping[str, str]) -> tuple[pd.Series, list[str]]:
    """Give values of a column new names; an empty one, or NA, stands for a missing value.

    Args:
        column: values of any kind; numbers are compared as they are written.
        new: new names by the old ones, NA for what is missing; several may become one.

    Returns:
        The column as text, and a fault for every old name that never occurs.

    Example:
        >>> import pandas as pd
        >>> answers, faults = renamed(pd.Series(["yes", "no", "null"], name="correct"),
        ...                           {"yes": "1", "no": "0", "null": "NA", "si": "1"})
        >>> answers.tolist(), faults
        (['1', '0', nan], ['correct never is si'])
    """
    import pandas as pd

    codes, found = pd.factorize(column)
    known = [as_text(value) for value in found]
    # A missing value may mean something as well: correct:NA=0.
    has_gaps = bool((codes < 0).any())
    faults = []
    for old in new:
        if old not in known and not (has_gaps and old in NO_VALUE):
            near = nearest_name(old, known)
            faults.append(f"{column.name} never is {old}" + (f" (is it {near}?)" if near else ""))
    gap = next((new[old] for old in NO_VALUE if old in new), "")
    values = [*(new.get(value, value) for value in known), gap]
    codes = np.where(codes < 0, len(known), codes)
    made = _of_codes(codes, [None if value in NO_VALUE else value for value in values])
    return pd.Series(made, index=column.index, name=column.name, dtype="str"), faults


def as_found(column: pd.Series) -> tuple[pd.Series, str]:
    """A column that is no name: numbers where all values are numbers, truth likewise, else text.

    Numbers with a decimal comma are understood, unless each could be an English thousand.

    Args:
        column: values of any kind.

    Returns:
        The column, and a remark where commas were read as decimal signs.

    Example:
        >>> import pandas as pd
        >>> as_found(pd.Series(["24,5", None, "31"]))[0].tolist()
        [24.5, nan, 31.0]
        >>> as_found(pd.Series(["TRUE", "FALSE"]))[0].tolist(), as_found(pd.Series(["1,234"]))[1]
        ([True, False], '')
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column, ""
    found = [value for value in pd.unique(column.dropna()) if isinstance(value, str)]
    if not found or len(found) < column.nunique():
        return column, ""
    if not column.isna().any() and all(value.lower() in TRUTH for value in found):
        return column.map(lambda value: value.lower() == "true").astype(bool), ""
    numbers = pd.to_numeric(column, errors="coerce")
    if (numbers.notna() == column.notna()).all():
        return numbers, ""
    commas = [value for value in found if "," in value]
    plain = all(WITH_COMMA.fullmatch(value) for value in found)
    if not commas or not plain or all(THOUSANDS.fullmatch(value) for value in commas):
        return column, ""
    numbers = pd.to_numeric(column.str.replace(",", "."))
    return numbers, f"commas were read as decimal signs, e.g. {commas[0]}"


def as_names(values: pd.Series) -> pd.Series:
    """Values as categories of text; whole numbers lose the ``.0`` that missing values gave them.

    Example:
        >>> import pandas as pd
        >>> as_names(pd.Series([7.0, None, 11.0])).tolist()
        ['7', nan, '11']
    """
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        categories = values.cat.categories
        if all(isinstance(name, str) for name in categories):
            return values
        return values.cat.rename_categories([as_text(name) for name in categories])
    codes, found = pd.factorize(values, use_na_sentinel=True)
    text = [as_text(name) for name in found]
    distinct = {name: number for number, name in enumerate(dict.fromkeys(text))}
    place = np.array([distinct[name] for name in text], dtype=np.int32)
    known = np.where(codes >= 0, place[codes] if len(place) else codes, -1)
    names = pd.Index(list(distinct), dtype="str")
    return pd.Series(pd.Categorical.from_codes(known, names), index=values.index, name=values.name)


def not_binary(values: pd.Series) -> str:
    """Up to three values that are not 0, 1, TRUE or FALSE, as text; empty if there are none."""
    numbers = as_numbers(values)
    wrong = values[values.notna() & ~numbers.isin([0, 1])]
    found = wrong.drop_duplicates().head(3)
    return f"{', '.join(map(typed, found))} in {count(len(wrong), 'row')}" if len(wrong) else ""


def as_numbers(values: pd.Series) -> pd.Series:
    """0 and 1 from numbers, truth values and their spellings; NaN for anything else."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return pd.Series(numbers, index=values.index, name=values.name)
    text = values.astype(object).map(str)  # pandas would take bytes for UTF-8
    return pd.to_numeric(text, errors="coerce").fillna(text.str.lower().map(TRUTH))


def as_text(value: object) -> str:
    """A value as it is written: 7 for 7.0.

    Example:
        >>> as_text(7.0), as_text(-99), as_text("007")
        ('7', '-99', '007')
    """
    whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def _of_codes(codes: np.ndarray[Any, Any], values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Values behind codes; None behind -1."""
    made = np.empty(len(values) + 1, dtype=object)
    made[:-1] = values
    chosen: np.ndarray[Any, Any] = made[codes]
    return chosen
