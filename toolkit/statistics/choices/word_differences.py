"""Word by word: how two populations, or one in two languages, differ.

Exploratory: many words, none named in advance, intervals not corrected for their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.statistics.choices.participants import by_draw
from toolkit.statistics.models.student import ROUNDING

if TYPE_CHECKING:
    import pandas as pd

WORD = ["condition", "word_concept"]
WHO = ["population", "seed", "test_language"]
WORD_SEEDS = (*WHO, *WORD, "n_trials", "n_correct")
"""Columns of what `word_seeds` gives."""
COLUMNS = (*WORD, "first", "second", "difference", "ci_low", "ci_high", "n_first", "n_second")
"""Columns of what `word_differences` gives."""

Floats = npt.NDArray[np.float64]


class Asked(NamedTuple):
    """A population asked in a language."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""

    def __str__(self) -> str:
        return f"{self.population} in {self.test_language}"


def word_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """How often every network was right about every word.

    Args:
        table: trials with ``correct``, or counts of them with ``n_trials`` and ``n_correct``; and
            ``population``, ``seed``, ``test_language``, ``condition``, ``word_concept``.

    Returns:
        `WORD_SEEDS`; where networks learnt draws of words, a draw stands for its seeds.

    Example:
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"population": "p", "seed": "a", "test_language": "en",
        ...     "condition": "nf", "word_concept": ["dax", "dax", "wug"], "correct": [1, 0, 1]})
        >>> word_seeds(rows)[["word_concept", "n_trials", "n_correct"]].to_numpy().tolist()
        [['dax', 2, 1], ['wug', 1, 1]]
    """
    if "n_trials" not in table:
        table = table.assign(n_trials=1, n_correct=table["correct"].to_numpy(int))
    return added_up_words([by_draw(table)])


def added_up_words(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Several tables of `word_seeds` as one, answers to further trial lists added up."""
    import pandas as pd

    keys, numbers = [*WHO, *WORD], ["n_trials", "n_correct"]
    parts = [table.groupby(keys, observed=True)[numbers].sum().reset_index() for table in tables]
    whole = pd.concat(parts, ignore_index=True).astype(dict.fromkeys(keys, str))
    return whole.groupby(keys)[numbers].sum().reset_index()


def word_differences(words: pd.DataFrame, first: Asked, second: Asked) -> pd.DataFrame:
    """Accuracy per word of two populations, or of one in two languages, and their difference.

    Seeds are the units. Seeds of two populations are independent networks: the interval is
    Student's t over seed means after Welch. One population in two languages is the same networks
    twice: the interval is over the differences of its seeds.

    Args:
        words: what `word_seeds` gave.
        first: who is compared, in which language.
        second: with whom.

    Returns:
        `COLUMNS`: per condition and word that both were asked ``first`` and ``second`` (share
        correct, mean over seeds, of ``n_first`` and ``n_second`` seeds), ``difference`` (first -
        second) and its 95 % interval, not corrected for the number of words; NaN where a side has
        fewer than two seeds, or nothing varies. The largest difference stands first.

    Source:
        Welch (1947), Biometrika 34, 28-35.

    Example:
        >>> import pandas as pd
        >>> words = pd.DataFrame({"population": ["p"] * 3 + ["q"] * 3, "seed": list("abc") * 2,
        ...     "test_language": "en", "condition": "nf", "word_concept": "dax", "n_trials": 50,
        ...     "n_correct": [31, 33, 32, 30, 28, 26]})
        >>> row = word_differences(words, Asked("p", "en"), Asked("q", "en")).iloc[0]
        >>> [round(float(row[name]), 3) for name in ("difference", "ci_low", "ci_high")]
        [0.08, -0.003, 0.163]
    """
    import pandas as pd

    sides = [_seeds(words, asked) for asked in (first, second)]
    both = sides[0].index.intersection(sides[1].index).sort_values()
    a, b = (side.reindex(both).to_numpy(float) for side in sides)
    if first.population == second.population:
        shared = sides[0].columns.intersection(sides[1].columns)
        a, b = (side.reindex(index=both, columns=shared).to_numpy(float) for side in sides)
        asked = np.isfinite(a) & np.isfinite(b)
        a, b = np.where(asked, a, np.nan), np.where(asked, b, np.nan)
        error, df = _mean_error(a - b)
    else:
        error, df = _welch(a, b)
    table = pd.DataFrame(index=both).reset_index()
    means, sizes = [_mean(side) for side in (a, b)], [np.isfinite(side).sum(1) for side in (a, b)]
    half = _half(error, df)
    difference = means[0] - means[1]
    return (
        table.assign(
            first=means[0],
            second=means[1],
            difference=difference,
            ci_low=np.maximum(-1, difference - half),
            ci_high=np.minimum(1, difference + half),
            n_first=sizes[0],
            n_second=sizes[1],
        )
        .query("n_first > 0 and n_second > 0")
        .sort_values(["difference", *WORD], ascending=[False, True, True])
        .reset_index(drop=True)
    )


def _seeds(words: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Share correct of every seed (columns) per condition and word (rows)."""
    own = words[
        (words["population"] == asked.population) & (words["test_language"] == asked.test_language)
    ]
    share = own.assign(share=own["n_correct"] / own["n_trials"])
    return share.pivot(index=WORD, columns="seed", values="share")


def _mean(values: Floats) -> Floats:
    asked = np.isfinite(values)
    total: Floats = np.where(asked, values, 0).sum(1)
    none = np.full(len(total), np.nan)
    mean: Floats = np.divide(total, asked.sum(1), out=none, where=asked.any(1))
    return mean


def _mean_error(values: Floats) -> tuple[Floats, Floats]:
    """Standard error of the mean of each row, and its degrees of freedom; NaN for one value."""
    n = np.isfinite(values).sum(1)
    squares = np.where(np.isfinite(values), values - _mean(values)[:, None], 0) ** 2
    free = np.where(n > 1, n - 1.0, np.nan)
    error: Floats = np.sqrt(squares.sum(1) / free / n)
    return error, free


def _welch(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The same of a difference of two independent means: degrees of freedom by Satterthwaite."""
    (first, free_a), (second, free_b) = _mean_error(a), _mean_error(b)
    error = np.hypot(first, second)
    doubt = first**4 / free_a + second**4 / free_b
    df = np.divide(error**4, doubt, out=np.full(len(error), np.nan), where=doubt > 0)
    return error, df


def _half(error: Floats, df: Floats) -> Floats:
    """Half an interval; NaN where nothing varies."""
    from scipy.special import stdtrit

    return np.where(error > ROUNDING, stdtrit(df, 0.975) * error, np.nan)
