"""Two populations word by word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.api.checks import optional
from toolkit.api.results import Run, Runs, folders_of
from toolkit.errors import ToolkitError, unknown_name
from toolkit.statistics.choices.counts import read_counts
from toolkit.statistics.choices.word_differences import Asked, word_differences, word_seeds

if TYPE_CHECKING:
    import pandas as pd


def compare_words(
    runs: Runs | Run | str | Path,
    first: str,
    second: str,
    language: str,
    second_language: str = "",
    *,
    paradigms_dir: str | Path | None = None,
) -> pd.DataFrame:
    """How two populations differ word by word, as reports show it under Compare.

    Exploratory: no word is named in advance, and no interval is corrected for their number.

    Args:
        runs: runs of one paradigm, their folders, or tables of ``import-trials``.
        first: population.
        second: population it is compared with; the same again to compare two languages.
        language: test language of both, or of the first.
        second_language: test language of the second, where it is another.
        paradigms_dir: folder with paradigm files of your own.

    Returns:
        Per ``condition`` and ``word_concept`` that both were asked: ``first`` and ``second`` (share
        correct, mean over seeds, of ``n_first`` and ``n_second`` seeds), their ``difference`` and
        its 95 % interval over seeds, ``ci_low`` and ``ci_high``
        (`toolkit.statistics.choices.word_differences.word_differences`). The largest stands first.

    Raises:
        ToolkitError: a run cannot be read, the runs are of several paradigms, or a population was
            not asked in the language.
    """
    counts = read_counts(folders_of(runs), optional(paradigms_dir))
    paradigms = sorted(map(str, counts["paradigm"].unique()))
    if len(paradigms) > 1:
        raise ToolkitError(
            "Words are compared within one paradigm.",
            given=f"runs of {', '.join(paradigms)}",
            allowed="runs of one paradigm",
        )
    cells = counts[["population", "test_language"]].astype(str).drop_duplicates()
    asked = list(map(str, map(Asked._make, cells.itertuples(index=False, name=None))))
    sides = Asked(first, language), Asked(second, second_language or language)
    for side in sides:
        if str(side) not in asked:
            raise unknown_name("population and language", str(side), sorted(asked))
    if sides[0] == sides[1]:
        raise ToolkitError(
            "A population is not compared with itself in one language.",
            given=str(sides[0]),
            allowed="another population, or second_language",
        )
    return word_differences(word_seeds(counts), *sides)
