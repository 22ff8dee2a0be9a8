"""Single trials, with what every network chose: those picked to be seen first, and many more.

Scores of different networks have no common unit, so margins are told in standard deviations of the
network's own margins. What is kept is bounded, however many trials and networks there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toolkit.statistics.choices.lists import LIST

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("easiest", "hardest", "most disagreed")
"""Why a trial was picked: most or fewest seeds right, or seeds nearest to half and half."""
TRIAL = ["condition", "test_language", LIST, "familiar_draw", "trial", "word_id", "target_id"]
"""What makes answers of several seeds answers to the same trial."""
SHOWN = ["word_concept", "target_concept", "distractor_id", "distractor_concept", "n_choices",
         "target_position"]  # fmt: skip
"""What else is told of a trial."""
NETWORK = ["population", "seed", "test_language"]
"""Whose margins are told in one unit."""
MOST_ANSWERS = 200_000
"""Answers kept of one paradigm, about: each is a letter of the page."""
MOST_TRIALS = 12_000
"""Trials kept of one paradigm."""
TARGET, OTHER, TIE, NOT_ASKED = 1, 0, -1, -2
"""What can be chosen: the target, a distractor, neither; or there was no question."""


@dataclass(frozen=True)
class SingleTrials:
    """The trials kept, with all answers to them."""

    trials: pd.DataFrame
    """One row per trial, those picked first: `TRIAL`, `SHOWN`, ``share_correct`` and
    ``mean_margin_sd`` over trained networks (all where none is), and ``kind``, empty unless it was
    picked."""
    n_picked: int
    """So many of them were picked."""
    n_all: int
    """Trials that the runs hold, kept or not."""
    subjects: pd.DataFrame
    """``population``, ``seed``, ``trained``: one row per column of the arrays below."""
    chosen: npt.NDArray[np.int8]
    """(n_trials, n_subjects): `TARGET`, `OTHER`, `TIE` or `NOT_ASKED`."""
    margins: npt.NDArray[np.float32]
    """(n_trials, n_subjects): in SD of the network's margins; NaN where there is no score."""
    rivals: npt.NDArray[np.int32]
    """(n_trials, n_subjects): place among `concepts` of the best distractor; -1 for none."""
    concepts: tuple[str, ...]
    """Classes of distractors."""


def no_trials() -> SingleTrials:
    """Where there are none to be looked at."""
    import pandas as pd

    return SingleTrials(
        trials=pd.DataFrame(columns=[*TRIAL, *SHOWN, "share_correct", "mean_margin_sd", "kind"]),
        n_picked=0,
        n_all=0,
        subjects=pd.DataFrame(columns=["population", "seed", "trained"]),
        chosen=np.zeros((0, 0), np.int8),
        margins=np.zeros((0, 0), np.float32),
        rivals=np.zeros((0, 0), np.int32),
        concepts=(),
    )


def single_trials(
    lists: Sequence[Sequence[Path]],
    read: Callable[[Sequence[Path]], pd.DataFrame],
    headline: Sequence[str],
    n_picked: int,
) -> SingleTrials:
    """Keep some trials of each list.

    Args:
        lists: runs, those together that asked the same trials.
        read: gives the rows of such runs, texts as categories.
        headline: conditions that are the test itself; only trials of these are picked.
        n_picked: trials to pick; shared out among test languages and `KINDS`.

    Returns:
        Those picked, and of every condition, language and word equally many more: the first of
        their lists, as far as `MOST_ANSWERS` and `MOST_TRIALS` allow.
    """
    import pandas as pd

    if not n_picked or not lists:
        return no_trials()
    found = []
    subjects = _Subjects()
    for place, own in enumerate(lists):
        rows = read(own)
        subjects.add(rows)
        found.append(_means(rows).assign(of_list=place))
    whole = pd.concat(found, ignore_index=True)
    whole["in_headline"] = whole["condition"].isin(list(headline))
    asked = whole[whole["in_headline"]]
    trained = asked[asked["n_trained"] > 0]
    picks = _pick(trained if len(trained) else asked, n_picked)
    kept = _kept(whole, picks)
    answers = _Answers(kept, subjects.table())
    for place, own in enumerate(lists):
        if (kept["of_list"] == place).any():
            answers.add(read(own), place)
    return answers.made(len(picks), len(whole))


def _numbers(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The number of each row's trial, from 0."""
    ordered = rows.groupby(TRIAL, observed=True, sort=True)
    return np.asarray(ordered.ngroup(), np.int64)


def margins_in_sd(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Margins in SD of all margins of the same network in the same language.

    Args:
        rows: trials, with ``margin``.

    Returns:
        One per row; 0 stays 0, where both options score the same. NaN where there is no score.

    Example:
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"population": "p", "seed": ["a", "a", "b", "b"],
        ...                      "test_language": "en", "margin": [1.0, 3.0, 10.0, 30.0]})
        >>> margins_in_sd(rows).tolist()
        [1.0, 3.0, 1.0, 3.0]
    """
    margins = rows["margin"].to_numpy(float)
    spread = rows.groupby(NETWORK, observed=True)["margin"].transform("std", ddof=0)
    unit = spread.to_numpy(float)
    nothing = np.where(margins == 0, 0.0, np.nan)
    told: npt.NDArray[np.float64] = np.divide(margins, unit, out=nothing, where=unit > 0)
    return told


def _means(rows: pd.DataFrame) -> pd.DataFrame:
    """Every trial, in the order of `_numbers`, with how the seeds answered it."""
    import pandas as pd

    number, trained = _numbers(rows), rows["n_languages"].to_numpy(float) > 0
    n = int(number.max()) + 1 if len(number) else 0
    first = np.full(n, -1)
    first[number[::-1]] = np.arange(len(rows))[::-1]
    n_trained = np.bincount(number[trained], minlength=n)
    # Networks that learnt nothing are asked for nothing but themselves.
    counted = trained | (n_trained[number] == 0)
    margins = margins_in_sd(rows)
    scored = counted & np.isfinite(margins)
    with np.errstate(invalid="ignore"):
        share = _mean_of(number[counted], rows["correct"].to_numpy(float)[counted], n)
        margin = _mean_of(number[scored], margins[scored], n)
    table = rows.iloc[first][[*TRIAL, *SHOWN]].reset_index(drop=True)
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    return table.astype(dict.fromkeys(texts, str)).assign(
        number=np.arange(n),
        n_trained=n_trained,
        n_answers=np.bincount(number, minlength=n),
        share_correct=share,
        mean_margin_sd=margin,
    )


def _mean_of(
    number: npt.NDArray[np.int64], values: npt.NDArray[np.float64], n: int
) -> npt.NDArray[np.float64]:
    total, asked = np.bincount(number, values, minlength=n), np.bincount(number, minlength=n)
    mean: npt.NDArray[np.float64] = total / asked
    return mean


def _pick(table: pd.DataFrame, n_picked: int) -> pd.DataFrame:
    """Some trials of every language and kind, every word at most once per kind.

    Returns:
        Rows of the table with ``kind``, in the order in which they are shown.
    """
    import pandas as pd

    languages = sorted(table["test_language"].unique())
    each = n_picked // (len(KINDS) * max(1, len(languages)))
    chosen = []
    for language in languages:
        rest = table[table["test_language"] == language]
        for kind in KINDS:
            best = _ordered(rest, kind).drop_duplicates("word_concept").head(each)
            rest = rest.drop(index=best.index)
            chosen.append(best.assign(kind=kind))
    return pd.concat(chosen) if chosen else table.assign(kind="")


def _ordered(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The trials, those that are most of a kind first; further ties by their number."""
    if kind == "most disagreed":
        split = table[table["share_correct"].between(0, 1, inclusive="neither")]
        keyed = split.assign(
            _first=(split["share_correct"] - 0.5).abs(), _second=split["mean_margin_sd"].abs()
        )
    else:
        sign = -1 if kind == "easiest" else 1
        keyed = table.assign(
            _first=sign * table["share_correct"], _second=sign * table["mean_margin_sd"]
        )
    ordered = keyed.sort_values(["_first", "_second", "trial", "word_id"])
    return ordered.drop(columns=["_first", "_second"])


def _kept(whole: pd.DataFrame, picks: pd.DataFrame) -> pd.DataFrame:
    """Those picked, then the first trial of every condition, language and word, the second, ..."""
    import pandas as pd

    rest = whole.drop(index=picks.index)
    rest = rest.sort_values(["of_list", "trial"], kind="stable")
    turn = rest.groupby(["condition", "test_language", "word_concept"]).cumcount()
    rest = rest.assign(turn=turn, control=~rest["in_headline"], kind="")
    by = ["turn", "control", "test_language", "condition", "word_concept"]
    ordered = pd.concat([picks, rest.sort_values(by, kind="stable")])
    within = ordered["n_answers"].cumsum() <= MOST_ANSWERS
    n = max(len(picks), min(MOST_TRIALS, int(within.sum())))
    return ordered.head(n).reset_index(drop=True)


@dataclass
class _Subjects:
    """Who answered, in the order in which they are met."""

    trained: dict[tuple[str, str], bool] = field(default_factory=dict)

    def add(self, rows: pd.DataFrame) -> None:
        seen = rows[["population", "seed", "n_languages"]].drop_duplicates()
        for population, seed, n in seen.itertuples(index=False, name=None):
            self.trained.setdefault((str(population), str(seed)), n > 0)

    def table(self) -> pd.DataFrame:
        import pandas as pd

        rows = [(*names, trained) for names, trained in self.trained.items()]
        return pd.DataFrame(rows, columns=["population", "seed", "trained"])


class _Answers:
    """Answers to the trials kept, filled in list by list."""

    def __init__(self, kept: pd.DataFrame, subjects: pd.DataFrame) -> None:
        shape = len(kept), len(subjects)
        self._kept, self._subjects = kept, subjects
        self._chosen = np.full(shape, NOT_ASKED, np.int8)
        self._margins = np.full(shape, np.nan, np.float32)
        self._rivals = np.full(shape, -1, np.int32)
        self._concepts: dict[str, int] = {}

    def add(self, rows: pd.DataFrame, place: int) -> None:
        """The answers to one list."""
        import pandas as pd

        own = self._kept[self._kept["of_list"] == place]
        number = _numbers(rows)
        row_of = np.full(int(number.max()) + 1, -1)
        row_of[own["number"].to_numpy(int)] = own.index.to_numpy(int)
        wanted = row_of[number] >= 0
        margins = margins_in_sd(rows)[wanted]
        at, rows = row_of[number[wanted]], rows[wanted]
        names = ["population", "seed"]
        known = pd.MultiIndex.from_frame(self._subjects[names])
        who = known.get_indexer(pd.MultiIndex.from_frame(rows[names].astype(str)))
        tie, correct = rows["tie"].to_numpy(bool), rows["correct"].to_numpy(float) == 1
        self._chosen[at, who] = np.where(correct, TARGET, np.where(tie, TIE, OTHER))
        self._margins[at, who] = margins
        codes, concepts = pd.factorize(rows["distractor_concept"].astype(object))
        places = [self._concepts.setdefault(str(name), len(self._concepts)) for name in concepts]
        self._rivals[at, who] = np.array([*places, -1])[codes]

    def made(self, n_picked: int, n_all: int) -> SingleTrials:
        """Everything together."""
        columns = [*TRIAL, *SHOWN, "share_correct", "mean_margin_sd", "kind"]
        return SingleTrials(
            trials=self._kept[columns],
            n_picked=n_picked,
            n_all=n_all,
            subjects=self._subjects,
            chosen=self._chosen,
            margins=self._margins,
            rivals=self._rivals,
            concepts=tuple(self._concepts),
        )
