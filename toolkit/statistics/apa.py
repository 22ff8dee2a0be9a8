"""A results paragraph in the manner of the APA, to be pasted and pruned."""

from __future__ import annotations

import math
from collections.abc import Sequence

from toolkit.statistics.chance import ChanceTest
from toolkit.statistics.condition_contrasts import ConditionTest
from toolkit.statistics.groups import GroupComparison, GroupModel
from toolkit.statistics.phrases import count, odds_ratio, p_value, percent, statistic
from toolkit.statistics.results import Contrast


def apa_paragraph(
    paradigm: str,
    formula: str,
    engine: str,
    chance: Sequence[ChanceTest],
    conditions: Sequence[ConditionTest],
    groups: Sequence[GroupComparison],
) -> str:
    """The results of an analysis in one paragraph.

    Args:
        paradigm: name of the paradigm.
        formula: random part of the chance model, lme4 notation.
        engine: engine and version.
        chance: tests against chance.
        conditions: the test against its controls.
        groups: comparisons of monolingual and bilingual populations.
    """
    said = [
        f"Answers in the paradigm {paradigm} were analysed with logistic mixed-effects models "
        f"({engine}, Laplace approximation), training seeds standing for participants and words "
        f"and distractors for items ({formula}). Standard errors and degrees of freedom "
        "(Satterthwaite) were corrected for the numbers of seeds and items, p values after Holm "
        "over all planned tests of a family. Ties counted as 1 / options of a correct answer."
    ]
    said += [_chance(test) for test in chance]
    said += [
        _effect(f"{test.population} tested in {test.test_language}, {test.plus} - {test.minus}",
                test.contrast, test.problem, {"d over seeds": test.d_seeds})
        for test in conditions
    ]  # fmt: skip
    said += [
        _group(model)
        for group in groups
        for model in (group.overall, *group.by_language, *group.by_population)
    ]
    return " ".join(said)


def _chance(test: ChanceTest) -> str:
    who = f"{test.population} tested in {test.test_language} ({test.condition})"
    mean = f"M = {percent(test.credited)}, {count(test.n_seeds, 'seed')}"
    if test.verdict in ("few", "undecided"):
        return f"{who}: {mean}; no verdict ({test.problem.rstrip('.')})."
    numbers = [
        f"b = {test.estimate:.2f}",
        f"SE = {test.std_error:.2f}",
        statistic(test.statistic, test.df),
        p_value(test.p_holm),
        *_sizes({"d over seeds": test.d_seeds, "d over words": test.d_words}),
    ]
    return f"{who}: {mean}, {', '.join(numbers)}."


def _group(model: GroupModel) -> str:
    sizes = {"Hedges' g over seeds": model.seeds.hedges_g}
    factor = model.seeds.bayes_factor
    text = _effect(model.name, model.contrast, model.problem, sizes)
    if math.isnan(factor) or model.contrast is None or model.problem:
        return text
    told = "over 1e300" if math.isinf(factor) else f"{factor:.2g}"
    return f"{text[:-1]}, BF10 = {told} (Student's t test of seed means)."


def _effect(name: str, effect: Contrast | None, problem: str, sizes: dict[str, float]) -> str:
    if effect is None or problem:
        return f"{name}: no verdict ({problem.rstrip('.')})."
    numbers = [
        f"b = {effect.estimate:.2f}",
        f"SE = {effect.std_error:.2f}",
        statistic(effect.statistic, effect.df),
        p_value(effect.p_holm),
        odds_ratio(effect).replace("[", "95 % CI ["),
        *_sizes(sizes),
    ]
    return f"{name}: {', '.join(numbers)}."


def _sizes(sizes: dict[str, float]) -> list[str]:
    """Effect sizes that there are."""
    return [f"{name} = {value:.2f}" for name, value in sizes.items() if math.isfinite(value)]
