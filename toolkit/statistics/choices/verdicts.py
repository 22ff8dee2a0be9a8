"""What a test decides, and what it would have missed: one verdict from one test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from stimuli.wording import count
from toolkit.statistics.models.contrasts import LEAST_SEEDS, LEAST_WORDS, between, holm_p
from toolkit.statistics.models.results import Contrast, FitResult

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["higher", "lower", "open", "few", "undecided"]
"""``higher`` and ``lower``: than chance, or than the other group or condition. ``open``: no
difference was shown. ``few``: too few seeds or words to judge. ``undecided``: the data do not
decide the model."""
POWER = 0.8
"""Share of experiments in which a test should find an effect, if it is to be called visible."""


@dataclass(frozen=True, kw_only=True)
class ContrastTest:
    """One contrast of a mixed model, for one population in one language."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    question: str
    """What an effect would say, as a question."""
    n_seeds: int
    """Participants that answered all that is compared: networks, or draws of familiar words."""
    n_trials: int
    """Trials of all of it, all seeds."""
    n_ties: int
    """Ties among them."""
    d_seeds: float = math.nan
    """Mean over SD of the seeds' differences; not comparable with d over children."""
    contrast: Contrast | None = None
    """What is tested; None if the data do not decide a model."""
    fit: FitResult | None = None
    """The model."""
    verdict: Verdict = "undecided"
    """What the contrast decides after correction."""
    visible: float = math.nan
    """Difference (share of 1) that the contrast, at its corrected level, would have shown in four
    of five cases."""
    problem: str = ""
    """Why there is no model or no verdict; empty if there is one."""
    reduced: str = ""
    """How the model was reduced; empty if it was not."""
    unit: str = "seed"
    """What the participants are, see `toolkit.statistics.choices.chance.ChanceTest.unit`."""


Tested = TypeVar("Tested", bound=ContrastTest)


def decide(estimate: float, p_value: float, alpha: float) -> Verdict:
    """The verdict of a test that was made, from its estimate and its corrected p-value.

    Example:
        >>> decide(0.2, 0.01, 0.05), decide(-0.2, 0.01, 0.05), decide(0.2, 0.3, 0.05)
        ('higher', 'lower', 'open')
    """
    if math.isnan(p_value):
        return "undecided"
    if p_value >= alpha:
        return "open"
    return "higher" if estimate > 0 else "lower"


def too_few(seeds: Sequence[int], n_words: int, unit: str = "seed") -> str:
    """Why there are too few seeds or words for a verdict; empty if there are enough.

    Of groups that both have too few seeds, the smaller is named.

    Args:
        seeds: numbers of seeds, one per group that is compared.
        n_words: number of words.
        unit: what seeds are called, see `toolkit.statistics.choices.participants.unit_of`.

    Example:
        >>> too_few([3, 10], 8), too_few([2, 1], 1)
        ('', '1 seed and 1 word: a verdict needs 3 seeds and 4 words')
    """
    known = ((unit, min(seeds), LEAST_SEEDS), ("word", n_words, LEAST_WORDS))
    lacking = [count(n, what) for what, n, least in known if n < least]
    needs = f"{count(LEAST_SEEDS, unit)} and {LEAST_WORDS} words"
    return f"{' and '.join(lacking)}: a verdict needs {needs}" if lacking else ""


def visible(std_error: float, df: float, alpha: float) -> float:
    """The effect that a t test with this standard error finds in `POWER` of all experiments.

    Args:
        std_error: standard error of the estimate.
        df: degrees of freedom; infinite for a z test.
        alpha: level of the two-sided test, corrected for the family it belongs to.

    Returns:
        The effect in the unit of the standard error; infinite where no effect would do.

    Example:
        >>> round(visible(1.0, float("inf"), 0.05), 2), round(visible(1.0, 4.0, 0.05), 2)
        (2.8, 3.76)
    """
    from scipy.optimize import brentq
    from scipy.special import nctdtr, ndtr, ndtri, stdtrit

    if not math.isfinite(std_error) or not df > 0:
        return math.inf
    if math.isinf(df):
        bar = float(ndtri(1 - alpha / 2))

        def missed(effect: float) -> float:
            return float(ndtr(bar - effect) - ndtr(-bar - effect))
    else:
        bar = float(stdtrit(df, 1 - alpha / 2))

        def missed(effect: float) -> float:
            # The chance of a significant result in the wrong direction is far below 1 %; the
            # function gives NaN where nothing is missed any more.
            return float(np.nan_to_num(nctdtr(df, effect, bar)))

    found = brentq(lambda effect: missed(effect) - (1 - POWER), 0.0, 4 * bar + 10)
    return std_error * float(found)


def with_credit(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts in which a tie is what guessing would make of it: 1 / options of a correct answer.

    A tie says that the subject did not choose. Counted as wrong, guessing would come out below
    chance; counted so, it comes out at chance.

    Args:
        counts: columns ``n_trials``, ``n_correct`` (ties not among them), ``n_ties``,
            ``n_choices``.

    Returns:
        The same with ``n_right`` and ``n_wrong``, which may be fractions and add up to
        ``n_trials``.

    Example:
        >>> import pandas as pd
        >>> counts = pd.DataFrame({"n_trials": [10], "n_correct": [4], "n_ties": [4],
        ...                        "n_choices": [2]})
        >>> with_credit(counts)[["n_right", "n_wrong"]].to_numpy().tolist()
        [[6.0, 4.0]]
    """
    right = counts["n_correct"] + counts["n_ties"] / counts["n_choices"]
    return counts.assign(n_right=right, n_wrong=counts["n_trials"] - right)


def decided(tests: Sequence[Tested], alpha: float) -> tuple[Tested, ...]:
    """Correct the contrasts of a family for each other, and say what each decides.

    Args:
        tests: all that were planned, with their models.
        alpha: level of the family.
    """
    judged = [
        math.nan if test.problem or test.contrast is None else test.contrast.p_value
        for test in tests
    ]
    return tuple(
        _decided(test, p, alpha, len(tests)) for test, p in zip(tests, holm_p(judged), strict=True)
    )


def _decided(test: Tested, p: float, alpha: float, n_tests: int) -> Tested:
    if test.contrast is None:
        return test
    effect = replace(test.contrast, p_holm=p)
    seen = visible(effect.std_error, effect.df, alpha / n_tests)
    return replace(
        test,
        contrast=effect,
        verdict="few" if test.problem else decide(effect.estimate, p, alpha),
        visible=between(effect.middle, seen),
    )
