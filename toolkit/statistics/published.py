"""Re-analysis of a published table that gives means and standard errors over seeds."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli.limits import SEEDS
from toolkit.errors import ToolkitError, unknown_name
from toolkit.statistics.models.contrasts import holm_p
from toolkit.statistics.phrases import count, fixed, p_value

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("test_language", "training", "n_seeds", "mean", "std_error")
"""Columns that a published table must have; further ones are left alone."""
UNITS = {"percent": 100.0, "share": 1.0}
"""What 100 % correct reads as, by unit."""
ALPHA = 0.05
"""Level of the tests that the sentence speaks of, and of the 95 % intervals."""


@dataclass(frozen=True)
class PublishedContrast:
    """One monolingual group less one bilingual group on the same test language.

    Differences, standard errors, intervals and SDs are in the unit of the table.
    """

    name: str
    """What is compared, e.g. ``en: en - en+fr``."""
    test_language: str
    """Language of the test."""
    monolingual: str
    """Training of the group that is subtracted from."""
    bilingual: str
    """Training of the group that is subtracted."""
    difference: float
    """Mean of the monolingual group less mean of the bilingual one."""
    std_error: float
    """Root of the sum of the two squared standard errors."""
    z: float
    """difference / std_error; Welch's t is the same number."""
    p_z: float
    """Two-sided, from the normal distribution: as if the SEs were known exactly."""
    df: float
    """Degrees of freedom of Welch's t after Welch and Satterthwaite."""
    p_t: float
    """Two-sided, from Student's t with ``df``; the one to report with few seeds."""
    ci_low: float
    """Lower end of the 95 % interval of the difference, from Student's t, uncorrected."""
    ci_high: float
    """Upper end."""
    p_z_holm: float
    """``p_z`` corrected after Holm over all contrasts of the table."""
    p_t_holm: float
    """``p_t`` corrected after Holm over all contrasts of the table."""
    sd_monolingual: float
    """SD over seeds that the printed SE implies: SE times root of n_seeds."""
    sd_bilingual: float
    """The same for the bilingual group."""
    n_monolingual: int
    """Seeds of the monolingual group."""
    n_bilingual: int
    """Seeds of the bilingual group."""


@dataclass(frozen=True)
class PublishedComparison:
    """Every planned contrast of a published table."""

    contrasts: tuple[PublishedContrast, ...]
    """In the order of the table's bilingual rows."""
    unit: str
    """``percent`` (points) or ``share``."""
    sentence: str
    """What the table can and cannot show, in plain words."""

    def frame(self) -> pd.DataFrame:
        """One row per contrast, one column per field of `PublishedContrast`."""
        import pandas as pd

        names = [f.name for f in fields(PublishedContrast)]
        return pd.DataFrame([[getattr(c, n) for n in names] for c in self.contrasts], columns=names)


def published_table(measure: str = "me") -> pd.DataFrame:
    """Accuracy of monolingual and bilingual networks as published, in per cent.

    Args:
        measure: ``me`` (mutual exclusivity) or ``familiar`` (familiar words).

    Returns:
        Nine rows: three test languages times one monolingual and two bilingual trainings; columns
        `COLUMNS`, ``unit`` and ``source``. Mean and standard error over 5 seeds.

    Raises:
        ToolkitError: there is no such measure.

    Source:
        Oneata et al., Interspeech 2025 (arXiv 2506.04037), Table 1.

    Example:
        >>> table = published_table()
        >>> table.shape, table["mean"].max()
        ((9, 7), np.float64(69.4))
    """
    import pandas as pd

    table = pd.read_csv(Path(__file__).parent / "data" / "interspeech2025_table1.csv")
    known = list(table["measure"].unique())
    if measure not in known:
        raise unknown_name("measure in the published table", measure, known)
    return table[table["measure"] == measure].drop(columns="measure").reset_index(drop=True)


def compare_published(
    table: pd.DataFrame | str | Path, unit: str = "percent"
) -> PublishedComparison:
    """Monolingual against bilingual groups, from printed means and standard errors.

    Each bilingual group is compared with the monolingual group of the same test language. The
    sign is **monolingual less bilingual**: above 0, the bilingual group scored lower. Seeds are
    the unit of replication; groups are taken as independent. Several contrasts share one
    monolingual group; Holm's correction is valid all the same. Printed means are rounded, so the
    last digit of every number here is uncertain.

    Args:
        table: a table or the path of a CSV file with the columns `COLUMNS`. ``training`` names
            languages, parted by anything that is no letter (``en+fr``, ``en, fr``); ``std_error``
            is the standard error of the mean over ``n_seeds`` seeds, not their SD.
        unit: unit of ``mean`` and ``std_error``: ``percent`` or ``share``.

    Returns:
        The contrasts, their family being all of the table, and one plain sentence.

    Raises:
        ToolkitError: the file or a column is missing, a value cannot be, a row is there twice,
            or no bilingual row has a monolingual partner. All faulty rows are named at once.

    Source:
        Welch (1947), Biometrika 34, 28-35; Holm (1979), Scandinavian Journal of Statistics 6.

    Example:
        >>> result = compare_published(published_table())
        >>> [round(c.z, 2) for c in result.contrasts]
        [0.29, 1.45, 0.4, -1.08, 1.54, 0.9]
        >>> result.contrasts[0].name
        'en: en - en+fr'
    """
    if unit not in UNITS:
        raise unknown_name("unit", unit, list(UNITS))
    rows = _checked(_read(table), UNITS[unit])
    if unit == "percent" and rows and max(row.mean for row in rows) <= 1:
        raise ToolkitError(
            "Every mean of the published table is 1 per cent or less: these look like shares.",
            next_command='compare_published(table, unit="share")',
        )
    monolingual = {row.test_language: row for row in rows if len(row.languages) == 1}
    bilingual = [row for row in rows if len(row.languages) > 1]
    pairs = [
        (monolingual[row.test_language], row)
        for row in bilingual
        if row.test_language in monolingual
    ]
    if not pairs:
        raise ToolkitError(
            "The table has no bilingual row with a monolingual row of the same test language.",
            given=f"{len(monolingual)} monolingual and {len(bilingual)} bilingual rows",
            allowed="at least one row such as en, en and one such as en, en+fr",
        )
    contrasts = _contrasts(pairs)
    return PublishedComparison(
        contrasts, unit, _sentence(contrasts, unit, len(bilingual) - len(pairs))
    )


def _read(table: pd.DataFrame | str | Path) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        path = Path(table)
        if not path.is_file():
            raise ToolkitError("There is no such table.", given=str(path), allowed="a CSV file")
        try:
            table = pd.read_csv(path)
        except Exception as error:
            # Damaged bytes make pandas raise whatever it happens to stumble over.
            raise ToolkitError(
                f"{path} is no CSV table: {error}", allowed=f"columns {', '.join(COLUMNS)}"
            ) from error
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise ToolkitError(
            f"The published table lacks {'columns' if missing[1:] else 'column'} "
            f"{', '.join(missing)}.",
            given=", ".join(map(str, table.columns)),
            allowed=", ".join(COLUMNS),
        )
    return table


def _checked(table: pd.DataFrame, full: float) -> list[_Row]:
    """The rows with numbers as numbers; raises naming every faulty row."""
    rows, faults = [], []
    seen: set[tuple[str, frozenset[str]]] = set()
    for number, record in enumerate(table[list(COLUMNS)].to_dict("records"), start=1):
        try:
            row = _row(record, full)
        except ValueError as error:
            faults.append(f"row {number}: {error}")
            continue
        if (row.test_language, row.languages) in seen:
            faults.append(f"row {number}: {row.test_language}, {row.training} is there twice")
        seen.add((row.test_language, row.languages))
        rows.append(row)
    if faults:
        raise ToolkitError(
            f"The published table cannot be used: {'; '.join(faults)}.",
            allowed=f"mean from 0 to {full:g}, std_error above 0, n_seeds of 2 or more",
        )
    return rows


@dataclass(frozen=True)
class _Row:
    test_language: str
    training: str
    languages: frozenset[str]
    n_seeds: int
    mean: float
    std_error: float


def _row(record: dict[Hashable, Any], full: float) -> _Row:
    language, training = (str(record[name]).strip().lower() for name in COLUMNS[:2])
    try:
        numbers = [np.nan if record[name] is None else float(record[name]) for name in COLUMNS[2:]]
    except OverflowError:
        raise ValueError("a number is too large") from None
    n_seeds, mean, std_error = numbers
    languages = frozenset(re.findall(r"[^\W\d_]+", training))
    if not np.isfinite(numbers).all():
        raise ValueError("a number is missing")
    if not 2 <= n_seeds <= SEEDS or n_seeds != int(n_seeds):
        raise ValueError(f"n_seeds is {n_seeds:g}")
    if not 0 <= mean <= full:
        raise ValueError(f"mean is {mean:g}")
    if not 0 < std_error <= full:
        raise ValueError(f"std_error is {std_error:g}")
    if language not in languages:
        raise ValueError(f"training {training!r} lacks the test language {language!r}")
    return _Row(language, training, languages, int(n_seeds), mean, std_error)


def _contrasts(pairs: list[tuple[_Row, _Row]]) -> tuple[PublishedContrast, ...]:
    from scipy.special import ndtr, stdtr, stdtrit

    one, two = (
        np.array([[pair[i].mean, pair[i].std_error, pair[i].n_seeds] for pair in pairs]).T
        for i in (0, 1)
    )
    difference = one[0] - two[0]
    variances = np.array([one[1] ** 2, two[1] ** 2])
    std_error = np.sqrt(variances.sum(0))
    df = std_error**4 / (variances**2 / (np.array([one[2], two[2]]) - 1)).sum(0)
    z = difference / std_error
    half = stdtrit(df, 1 - ALPHA / 2) * std_error
    p_z, p_t = 2 * ndtr(-abs(z)), 2 * stdtr(df, -abs(z))
    numbers = {
        "difference": difference, "std_error": std_error, "z": z, "p_z": p_z, "df": df,
        "p_t": p_t, "ci_low": difference - half, "ci_high": difference + half,
        "p_z_holm": np.array(holm_p(p_z.tolist())),
        "p_t_holm": np.array(holm_p(p_t.tolist())),
        "sd_monolingual": one[1] * np.sqrt(one[2]), "sd_bilingual": two[1] * np.sqrt(two[2]),
    }  # fmt: skip
    return tuple(
        PublishedContrast(
            name=f"{mono.test_language}: {mono.training} - {bi.training}",
            test_language=mono.test_language,
            monolingual=mono.training,
            bilingual=bi.training,
            n_monolingual=mono.n_seeds,
            n_bilingual=bi.n_seeds,
            **{name: float(values[i]) for name, values in numbers.items()},
        )
        for i, (mono, bi) in enumerate(pairs)
    )


def _sentence(contrasts: tuple[PublishedContrast, ...], unit: str, n_left_out: int) -> str:
    n, points = len(contrasts), 100 / UNITS[unit]
    differing = [c.name for c in contrasts if c.p_t_holm < ALPHA]
    values = [points * c.difference for c in contrasts]
    seen = dict.fromkeys(fixed(value, 1, sign=True) for value in (min(values), max(values)))
    p = p_value(min(c.p_t_holm for c in contrasts))
    told = f"Holm over {n}; smallest corrected {p}" if n > 1 else p
    text = (
        f"Over seeds, {len(differing) or 'none'} of "
        f"{count(n, 'monolingual - bilingual difference')} "
        f"({' to '.join(seen)} points) can be told from 0 at "
        f"alpha {ALPHA:g} (Welch's t, {told})"
    )
    if differing:
        text += f": {'; '.join(differing)}."
    else:
        text += (
            f"; the 95 % interval{'s allow' if n > 1 else ' allows'} "
            f"{points * min(c.ci_low for c in contrasts):+.1f} to "
            f"{points * max(c.ci_high for c in contrasts):+.1f} points, so the table shows neither "
            "a difference nor its absence."
        )
    if n_left_out:
        text += f" Bilingual rows without a monolingual partner, left out: {n_left_out}."
    return text
