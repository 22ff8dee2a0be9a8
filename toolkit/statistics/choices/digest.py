"""What a report shows of trials: margins, choices, and single trials worth looking at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toolkit.statistics.choices.lists import LIST, drawn
from toolkit.statistics.choices.single_trials import SingleTrials, no_trials, single_trials
from toolkit.statistics.choices.word_differences import (
    WORD_SEEDS,
    added_up_words,
    word_seeds,
)
from toolkit.tables.parquet import parquet_names, told, valid
from toolkit.tables.runs import trials_file
from toolkit.tables.trials import read_trials, unsaid_kind, with_numbers

if TYPE_CHECKING:
    import pandas as pd

N_BINS = 40
"""Bins of the margins, about; zero is always an edge."""
CELL = ["population", "test_language"]
ABOUT = ["population", "n_languages", "train_languages"]
"""What is known of a population."""
WHO = ["population", "seed", "subject_kind"]
"""What tells who is compared with whom."""
READ = (
    *("condition", "population", "n_languages", "train_languages", "seed", "test_language"),
    *("trial", "word_id", "word_concept", "target_id", "target_concept", "distractor_id"),
    *("distractor_concept", "n_choices", "target_position", "score_target", "score_distractor"),
    *("margin", "correct", "tie"),
)
"""Columns that are read."""
WITHOUT_SCORES = (*ABOUT, "seed", "condition", "test_language", "word_concept", "correct")
"""Those that are read of tables that lack some of them."""


@dataclass(frozen=True)
class Digest:
    """Tables made from the trials of one paradigm; margins and choices of headline conditions."""

    populations: pd.DataFrame
    """``population``, ``n_languages``, ``train_languages`` (joined by '+')."""
    subjects: pd.DataFrame
    """``population``, ``seed``, ``subject_kind``: only those of one kind are compared."""
    margins: pd.DataFrame
    """Per population, language and bin: ``low``, ``high`` (margins), ``n_trials``, ``share``."""
    choices: pd.DataFrame
    """Per population, language and ``word_concept``: ``chosen_concept``, ``n_trials``; empty
    where there are but two options."""
    single: SingleTrials
    """Trials to look at, with all answers to them."""
    words: pd.DataFrame
    """How often every network was right, see `word_differences.word_seeds`."""


def no_choices() -> Digest:
    """The digest of runs whose trials offer no choice, such as maps, or tell no scores."""
    import pandas as pd

    return Digest(
        populations=pd.DataFrame(columns=ABOUT),
        subjects=pd.DataFrame(columns=WHO),
        margins=pd.DataFrame(columns=[*CELL, "n_trials", "low", "high", "share"]),
        choices=pd.DataFrame(),
        single=no_trials(),
        words=pd.DataFrame(columns=list(WORD_SEEDS)),
    )


def digest(
    runs: Sequence[Path], headline: Sequence[str], n_picked: int, paradigm: str = ""
) -> Digest:
    """Read the trials of some runs of one paradigm.

    Runs are read one after another, and again where something must be known of all of them before:
    what is held are the trials of one list, which several runs may share.

    Args:
        runs: run folders, or tables; those that lack scores tell of their populations alone.
        headline: names of the conditions that are the test itself.
        n_picked: trials to pick; shared out among test languages and `KINDS`.
        paradigm: rows of other paradigms are passed over; empty for all rows.

    Raises:
        ToolkitError: if a trials table is missing or cannot be read.
    """

    @lru_cache(maxsize=1)
    def read(run: Path) -> pd.DataFrame:
        return _read(run, paradigm)

    def tested(run: Path) -> pd.DataFrame:
        table = read(run)
        return table[table["condition"].isin(list(headline))]

    def joined(own: Sequence[Path]) -> pd.DataFrame:
        return _joined(map(read, own))

    seen = _look_through(runs, tested)
    words = word_seeds(read(runs[0]))
    for run in runs[1:]:
        words = added_up_words([words, word_seeds(read(run))])
    if not seen.by_list:
        return replace(
            no_choices(), populations=seen.populations, subjects=seen.subjects, words=words
        )
    width = bin_width(seen.largest_margin)
    margins, choices = [], []
    for own in seen.by_list:
        trials = _joined(map(tested, own))
        margins.append(_in_bins(trials, width))
        choices.append(_choices(trials))
    return Digest(
        populations=seen.populations,
        subjects=seen.subjects,
        margins=_shares(_added_up(margins), width),
        choices=_added_up(choices),
        single=single_trials(seen.by_list, joined, headline, n_picked),
        words=words,
    )


@dataclass(frozen=True)
class _Seen:
    """What must be known of all trials before any is shown."""

    populations: pd.DataFrame
    subjects: pd.DataFrame
    largest_margin: float
    by_list: list[list[Path]]
    """Runs that have scores; those together whose trials may be the same."""


def _look_through(runs: Sequence[Path], read: Callable[[Path], pd.DataFrame]) -> _Seen:
    import pandas as pd

    about, subjects, largest = [], [], 0.0
    lists: dict[Path, set[str]] = {}
    for run in runs:
        table = read(run)
        about.append(table[ABOUT].drop_duplicates())
        subjects.append(table[WHO].astype(str).drop_duplicates())
        if "margin" in table and len(table):
            largest = max(largest, float(table["margin"].abs().max()))
            lists[run] = set(table[LIST].astype(str).unique())
    by_list: dict[str, list[Path]] = {}
    one_each = all(len(own) == 1 for own in lists.values())
    for run, own in lists.items():
        by_list.setdefault(min(own) if one_each else "", []).append(run)
    populations = pd.concat(about).drop_duplicates()
    return _Seen(
        populations=populations.astype({"population": str, "train_languages": str}),
        subjects=pd.concat(subjects).drop_duplicates(),
        largest_margin=largest,
        by_list=list(by_list.values()),
    )


def _joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Trials of several runs, texts as categories in the order of the alphabet."""
    import pandas as pd

    parts = list(tables)
    names = [*READ, LIST, "familiar_draw"]
    for name in [name for name in names if not pd.api.types.is_numeric_dtype(parts[0][name])]:
        texts = [part[name].astype("category") for part in parts]
        every = sorted({str(value) for own in texts for value in own.cat.categories})
        place = {value: at for at, value in enumerate(every)}
        for number, own in enumerate(texts):
            # Far faster than to look at the text of every row.
            places = [*(place[str(value)] for value in own.cat.categories), -1]
            code_of: npt.NDArray[np.int64] = np.array(places, np.int64)
            codes = pd.Categorical.from_codes(code_of[own.cat.codes], pd.Index(every))
            parts[number] = parts[number].assign(**{name: codes})
    return pd.concat(parts, ignore_index=True)


def _added_up(counted: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Counts of several parts of the trials together, in the order of what they count."""
    import pandas as pd

    whole = pd.concat(counted)
    keys = [str(name) for name in whole if name != "n_trials"]
    return whole.groupby(keys, observed=True)["n_trials"].sum().reset_index()


def _read(run: Path, paradigm: str) -> pd.DataFrame:
    """The rows of a paradigm; only who was right about which word where scores are missing."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = trials_file(run)

    def wanted_of(given: Sequence[str]) -> list[str]:
        told = {LIST, "subject_kind", "familiar_draw"} & set(given)
        return [*READ, *told] if set(READ) <= set(given) else [*WITHOUT_SCORES, *told - {LIST}]

    with told(file, "a trials table"):
        if file.suffix.lower() == ".csv":
            table = pa.Table.from_pandas(read_trials(file), preserve_index=False)
        else:
            parquet_names(file)
            with pq.ParquetFile(file) as parquet:
                names = wanted_of(parquet.schema_arrow.names)
                more = {"paradigm", "run_id"} & set(parquet.schema_arrow.names)
                table = valid(parquet.read(columns=list({*names, *more})))
        table = with_numbers(table)
        wanted = wanted_of(table.column_names)
        if paradigm:
            # Twice as fast as to have the reader filter each of hundreds of small row groups.
            table = table.filter(pc.equal(table["paradigm"].cast(pa.string()), paradigm))
        frame: pd.DataFrame = table.select(wanted).to_pandas()
    if "subject_kind" not in frame:
        frame = frame.assign(subject_kind=unsaid_kind(table.column_names))
    if "familiar_draw" not in frame:
        frame = frame.assign(familiar_draw="")
    return frame if LIST in frame else frame.assign(**{LIST: drawn(run).trial_seed})


def _in_bins(trials: pd.DataFrame, width: float) -> pd.DataFrame:
    """How far apart target and best distractor score, in bins that have zero as an edge."""
    trials = trials[trials["margin"].notna()]  # children give no scores
    bins = np.floor(trials["margin"].to_numpy(float) / width).astype(int)
    table = trials[CELL].assign(bin=bins).groupby([*CELL, "bin"], observed=True).size()
    return table.rename("n_trials").reset_index()


def _shares(counted: pd.DataFrame, width: float) -> pd.DataFrame:
    total = counted.groupby(CELL, observed=True)["n_trials"].transform("sum")
    number = counted.pop("bin")
    return counted.assign(
        low=number * width, high=(number + 1) * width, share=counted["n_trials"] / total
    )


def bin_width(largest: float) -> float:
    """A round width (1, 2 or 5 times a power of ten) that makes about `N_BINS` bins.

    Example:
        >>> bin_width(8.93), bin_width(0.0)
        (0.5, 1.0)
    """
    if largest == 0:
        return 1.0
    exact = 2 * largest / N_BINS
    power = 10.0 ** math.floor(math.log10(exact))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= exact * 0.999))


def _choices(trials: pd.DataFrame) -> pd.DataFrame:
    """Which class was chosen for which word: the target, or the distractor that beat it."""
    several = trials[trials["n_choices"] > 2]
    chosen = (
        several["target_concept"]
        .astype(str)
        .where(several["correct"] == 1, several["distractor_concept"].astype(str))
    )
    keys = [*CELL, "word_concept", "chosen_concept"]
    counted = several.assign(chosen_concept=chosen).groupby(keys, observed=True).size()
    return counted.rename("n_trials").reset_index()
