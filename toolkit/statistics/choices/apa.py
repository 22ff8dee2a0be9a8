"""A results paragraph in the manner of the APA, to be pasted and pruned."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stimuli.wording import plural
from toolkit.statistics.choices.chance import ChanceTest
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.groups import GroupComparison, GroupModel
from toolkit.statistics.choices.prose import places, trend_name
from toolkit.statistics.choices.trends import TrendTest
from toolkit.statistics.choices.verdicts import Verdict
from toolkit.statistics.models.results import Contrast
from toolkit.statistics.phrases import (
    TIES,
    count,
    equals,
    fixed,
    p_value,
    percent,
    sized,
    statistic,
)
from toolkit.statistics.ratios import beyond, factor, log_factor, odds_and_ends


def apa_paragraph(
    paradigm: str,
    formula: str,
    engine: str,
    chance: Sequence[ChanceTest],
    conditions: Sequence[ConditionTest],
    groups: Sequence[GroupComparison],
    trends: Sequence[TrendTest] = (),
    people: bool = False,
) -> str:
    """The results of an analysis in one paragraph.

    Args:
        paradigm: name of the paradigm.
        formula: random part of the chance model, lme4 notation.
        engine: engine and version.
        chance: tests against chance.
        conditions: the test against its controls.
        groups: comparisons of monolingual and bilingual populations.
        trends: slopes over graded factors.
        people: whether some subjects are no networks.
    """
    who = "children and networks" if people else "training seeds"
    many = "participants" if people else "seeds"
    said = [
        f"Answers in the paradigm {paradigm} were analysed with logistic mixed-effects models "
        f"({engine}, Laplace approximation), {who} standing for participants and words "
        f"and distractors for items ({formula}). Standard errors and degrees of freedom "
        f"(Satterthwaite) were corrected for the numbers of {many} and items, p values after Holm "
        f"over all planned tests of a family. {TIES}"
    ]
    said += [_chance(test) for test in chance]
    said += [_condition(test) for test in conditions]
    said += [_trend(test) for test in trends]
    said += [
        _group(model, where)
        for group, where in zip(groups, places(groups), strict=True)
        for model in group.models
    ]
    return " ".join(said)


def _chance(test: ChanceTest) -> str:
    who = f"{test.population} tested in {test.test_language} ({test.condition})"
    mean = f"M = {percent(test.credited, test.chance)}, {count(test.n_seeds, test.unit)}"
    if test.verdict in ("few", "undecided"):
        return f"{who}: {mean}; {_none(test.problem)}."
    numbers = [
        f"b = {fixed(test.estimate, 2)}",
        f"SE = {fixed(test.std_error, 2)}",
        statistic(test.statistic, test.df),
        p_value(test.p_holm),
        *_sizes({f"d over {plural(test.unit)}": test.d_seeds, "d over words": test.d_words}),
    ]
    return f"{who}: {mean}, {', '.join(numbers)}."


def _condition(test: ConditionTest) -> str:
    name = f"{test.population} tested in {test.test_language}, {test.plus} - {test.minus}"
    sizes = {f"d over {plural(test.unit)}": test.d_seeds}
    return f"{_effect(name, test.verdict, test.contrast, test.problem, sizes)}."


def _trend(test: TrendTest) -> str:
    name = f"{trend_name(test)}, highest less lowest level along a linear trend"
    sizes = {f"d over {plural(test.unit)}": test.d_seeds}
    return f"{_effect(name, test.verdict, test.contrast, test.problem, sizes)}."


def _group(model: GroupModel, where: str) -> str:
    sizes = {f"Hedges' g over {plural(model.unit)}": model.seeds.hedges_g}
    text = _effect(f"{model.name}{where}", model.verdict, model.contrast, model.problem, sizes)
    found = model.seeds.bayes_factor
    if math.isnan(found) or model.verdict in ("few", "undecided"):
        return f"{text}."
    told = equals(factor(found), beyond(log_factor(found)))
    return f"{text}, BF10 {told} (Student's t test of {model.unit} means)."


def _effect(
    name: str, verdict: Verdict, effect: Contrast | None, problem: str, sizes: dict[str, float]
) -> str:
    if effect is None or verdict in ("few", "undecided"):
        return f"{name}: {_none(problem)}"
    odds, ends = odds_and_ends(effect.estimate, effect.ci_low, effect.ci_high)
    numbers = [
        f"b = {fixed(effect.estimate, 2)}",
        f"SE = {fixed(effect.std_error, 2)}",
        statistic(effect.statistic, effect.df),
        p_value(effect.p_holm),
        f"odds ratio {equals(odds, beyond(effect.estimate))}",
        *[f"95 % CI {ends}"] * bool(ends),
        *_sizes(sizes),
    ]
    return f"{name}: {', '.join(numbers)}"


def _none(problem: str) -> str:
    reason = problem.rstrip(".")
    return f"no verdict ({reason[:1].lower()}{reason[1:]})" if reason else "no verdict"


def _sizes(sizes: dict[str, float]) -> list[str]:
    """Effect sizes that there are."""
    return [f"{name} {sized(value)}" for name, value in sizes.items() if math.isfinite(value)]
