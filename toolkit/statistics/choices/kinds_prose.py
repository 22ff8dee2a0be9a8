"""Children beside models in sentences: where they differ, and what that does not mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stimuli.wording import plural
from toolkit.statistics.choices.kinds_beside import KindComparison, KindContrast
from toolkit.statistics.models.likelihood import LikelihoodRatio
from toolkit.statistics.phrases import (
    chi_squared,
    count,
    difference,
    joined,
    missed,
    percent,
    test_of,
    told_family,
)
from toolkit.statistics.ratios import odds_ratio

NO_EQUALITY = (
    "This is about answers to the same items: no difference shown is no equality, and equal "
    "answers may come about in different ways."
)


def kind_answers(comparisons: Sequence[KindComparison], alpha: float) -> list[tuple[str, str]]:
    """The questions of comparisons between kinds, each with its answer.

    Args:
        comparisons: see `toolkit.statistics.choices.kinds_beside.compare_kinds`.
        alpha: level of the tests.

    Example:
        >>> made = KindComparison("child", "monolingual-en", "en", "words", 0, 0, (9, 9), (0, 0),
        ...                       problem="they were not asked one word in the same condition")
        >>> for question, answer in kind_answers([made], 0.05):
        ...     print(question, answer)
        Do children differ from models (monolingual-en, en)? Not tested: they were not asked one \
word in the same condition.
    """
    said = []
    for one in comparisons:
        who = f"{kinds_named(one.first)} differ from models ({one.second}, {one.test_language})"
        said.append((f"Do {who}?", kind_sentence(one)))
        if one.interaction is not None:
            said.append(
                (f"Does how {who} depend on the condition?", _depends(one.interaction, alpha))
            )
    return said


def kinds_named(kind: str) -> str:
    """A kind of subjects, several of them.

    Args:
        kind: such as ``child``.

    Example:
        >>> kinds_named("child"), kinds_named("adult"), kinds_named("imported")
        ('children', 'adults', 'imported subjects')
    """
    return "imported subjects" if kind == "imported" else plural(kind)


def kind_sentence(one: KindComparison) -> str:
    """What a comparison of kinds says, condition by condition.

    Args:
        one: the comparison.
    """
    if not one.n_items:
        return f"Not tested: {one.problem}."
    n_first, n_second = one.n_subjects
    items = (
        f"{count(one.n_items, 'trial')} of {count(one.n_words, 'word')} that both answered"
        if one.over == "trials"
        else f"{count(one.n_words, 'word')} that both were asked, in other trials"
    )
    who = f"{_subjects(n_first, one.first)} and {count(n_second, 'model')}, {items}"
    told = " ".join(_told(part, one) for part in one.contrasts)
    problem = f" No verdict: {one.problem.rstrip('.')}." if one.problem else ""
    return f"{told} ({who}.){problem} {NO_EQUALITY}"


def _subjects(n: int, kind: str) -> str:
    return count(n, "imported subject" if kind == "imported" else kind)


def _told(part: KindContrast, one: KindComparison) -> str:
    first, second = part.accuracies
    who = kinds_named(one.first)
    seen = f"{part.condition}: {who} {percent(first)}, models {percent(second)} correct"
    effect = part.contrast
    if effect is None:
        return f"{seen}; no test."
    odds = f"odds ratio {odds_ratio(effect.estimate, effect.ci_low, effect.ci_high)}"
    numbers = joined([f"{kinds_named(one.first)} {difference(effect)}", odds, test_of(effect)])
    if part.verdict == "open":
        return joined([f"{seen}; no difference shown, {numbers}.", missed(part.visible, 1.0)], " ")
    verdict = {"higher": "they differ, ", "lower": "they differ, "}.get(part.verdict, "")
    return f"{seen}; {verdict}{numbers}."


def _depends(ratio: LikelihoodRatio, alpha: float) -> str:
    if math.isnan(ratio.p_value):
        return "Not tested: the data do not decide the model."
    verdict = "It does" if ratio.p_value < alpha else "Not shown"
    told = chi_squared(ratio.statistic, ratio.df, ratio.p_value)
    return f"{verdict}: {told} (likelihood-ratio test of subject_kind x condition)."


def kind_families(comparisons: Sequence[KindComparison]) -> list[str]:
    """The families of tests, in words.

    Args:
        comparisons: see `toolkit.statistics.choices.kinds_beside.compare_kinds`.
    """
    return [
        told_family(
            f"{kinds_named(one.first)} and models of {one.second} in {one.test_language}, per "
            "condition",
            len(one.contrasts),
            sum(part.verdict in ("undecided", "few") for part in one.contrasts),
        )
        for one in comparisons
        if one.contrasts
    ]
