"""Tables of tests: against chance, a condition against its control, one group against another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reports.numbers import (
    NONE,
    bayes_factor,
    estimate,
    in_one_cell,
    interval,
    number,
    odds_ratio,
    p_value,
    points,
    slope_ratio,
    t_of_df,
    titles_of,
)
from reports.parts import Table
from toolkit.statistics.models.penalised import METHOD
from toolkit.statistics.phrases import TIES, apart, chi_squared

if TYPE_CHECKING:
    from toolkit.statistics.choices.chance import ChanceTest
    from toolkit.statistics.choices.condition_contrasts import ConditionTest
    from toolkit.statistics.choices.groups import GroupComparison, GroupModel
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.choices.trends import TrendTest
    from toolkit.statistics.choices.verdicts import Verdict
    from toolkit.statistics.models.likelihood import LikelihoodRatio
    from toolkit.statistics.models.penalised import Penalised


GATED = ", gated seeds included"
VERDICTS: Mapping[Verdict, str] = {
    "higher": "higher",
    "lower": "LOWER",
    "open": "not shown",
    "few": "too few",
    "undecided": "no test",
}
"""Verdicts as they stand in a column; higher than chance, the control, or the other group."""
LEGEND = (
    "Visible: difference in points that the test, at its corrected level, would have shown in four "
    "of five cases. Too few: seeds or words, see Methods. Intervals and p are not corrected, p "
    "Holm is."
)
INSTEAD = f"Where there is no test, the estimate marked * is of a fit that is {METHOD}."


def tests(told: Analysis) -> Iterator[Table]:
    """All tables of tests in the order of the page, with and without gated seeds."""
    yield _chance(told.chance, "chance", "")
    yield _conditions(told.conditions, "condition-contrasts", "")
    yield _trends(told.trends, "trends", "")
    yield _chance(told.chance_all_seeds, "chance-all", GATED)
    yield _conditions(told.conditions_all_seeds, "condition-contrasts-all", GATED)
    yield _trends(told.trends_all_seeds, "trends-all", GATED)
    for groups, last, which in ((told.groups, "", ""), (told.groups_all_seeds, "-all", GATED)):
        for place, (group, title) in enumerate(zip(groups, titles_of(groups), strict=True)):
            end = f"-{place + 1}" * (place > 0) + last
            title = f", {title}{which}"
            yield _contrasts(group, f"planned-contrasts{end}", title)
            yield _seed_means(group, f"seed-means{end}", title)


def chance_overview(found: Sequence[ChanceTest]) -> Table:
    """Tests against chance, narrow enough for the first screen."""
    names = apart([(test.condition,) for test in found])
    return Table(
        name="overview",
        title="Tests against chance",
        columns=("Population, language", "Verdict", "Model (%) [95 % CI]", "p", "p Holm",
                 "Correct (%)", "Chance (%)"),
        rows=tuple(
            (
                f"{test.population}, {test.test_language}{where}", VERDICTS[test.verdict],
                in_one_cell(_model(test)),
                p_value(test.p_value), p_value(test.p_holm),
                number(test.accuracy, 100), number(test.chance, 100),
            )
            for test, where in zip(found, names, strict=True)
        ),
        n_labels=2,
        note=" ".join(
            [
                "Model: logistic mixed model, a typical seed and word; its interval and p speak "
                "about further seeds and further words.",
                *[INSTEAD] * any(test.penalised and test.verdict == "undecided" for test in found),
            ]
        ),
    )  # fmt: skip


def condition_overview(found: Sequence[ConditionTest]) -> Table:
    """One contrast for everyone who was asked, narrow enough for the first screen."""
    first = found[0]
    return Table(
        name="overview",
        title=f"{first.plus} less {first.minus}",
        columns=("Population, language", "Verdict", "Difference (points) [95 % CI]", "p",
                 "p Holm", "Test (%)", "Control (%)"),
        rows=tuple(
            (
                f"{test.population}, {test.test_language}", VERDICTS[test.verdict], points_of, p,
                p_holm, *(number(share, 100) for share in test.accuracies),
            )
            for test in found
            for points_of, _, _, p, p_holm in [_effect(test)]
        ),
        n_labels=2,
        note="Difference: logistic mixed model, a typical seed and target; its interval and p "
        "speak about further seeds and further words.",
    )  # fmt: skip


def _chance(found: Sequence[ChanceTest], name: str, which: str) -> Table:
    rows = tuple(
        (
            test.population, test.test_language, test.condition, VERDICTS[test.verdict],
            number(test.accuracy, 100), number(test.chance, 100), *_model(test),
            t_of_df(test.statistic, test.df), p_value(test.p_value), p_value(test.p_holm),
            _visible(test), number(test.d_seeds, digits=2), number(test.d_words, digits=2),
        )
        for test in found
    )  # fmt: skip
    return Table(
        name=name,
        title=f"Tests against chance{which}",
        columns=("Population", "Test language", "Condition", "Verdict", "Correct (%)",
                 "Chance (%)", "Model (%)", "95 % CI (%)", "t (df)", "p", "p Holm", "Visible",
                 "d (seeds)", "d (words)"),
        aside=("t (df)", "Visible", "d (seeds)", "d (words)"),
        rows=rows,
        n_labels=4,
        note=_note(
            [test.penalised for test in found],
            "Intercept of a logistic mixed model; model and interval are of a typical seed and "
            f"item and speak about further seeds and further words. {TIES} d over seeds and d over "
            "words are not comparable with d over children.",
        ),
    )  # fmt: skip


def _model(test: ChanceTest) -> tuple[str, str]:
    """Estimate of the model and its interval; of the penalised fit where there is no test."""
    instead = test.penalised if test.verdict == "undecided" else None
    if instead:
        ends = interval(instead.ci_low, instead.ci_high, 100)
        return _starred(number(instead.estimate, 100)), ends
    ends = interval(test.ci_low, test.ci_high, 100, mark=100 * test.chance)
    return number(test.probability, 100), ends


def _conditions(found: Sequence[ConditionTest], name: str, which: str) -> Table:
    return Table(
        name=name,
        title=f"The test against its controls{which}",
        columns=("Population", "Test language", "Contrast", "Verdict", "Test (%)", "Control (%)",
                 "Difference (points) [95 % CI]", "Odds ratio [95 % CI]", "t (df)", "p", "p Holm",
                 "Visible", "d (seeds)", "Seeds", "Words"),
        aside=("Odds ratio [95 % CI]", "t (df)", "Visible", "d (seeds)", "Seeds", "Words"),
        rows=tuple(_condition(test) for test in found),
        n_labels=4,
        note=_note(
            [],
            "Share of trials in which the target is chosen (in the test and its controls the same "
            "targets), ties at chance level, mean over seeds. Difference, odds ratio and p: "
            "logistic mixed model in which seeds and targets differ in the effect; further seeds "
            "and further words. Words: heard in the test, in its control.",
        ),
    )  # fmt: skip


def _condition(test: ConditionTest) -> tuple[str, ...]:
    plus, minus = (number(share, 100) for share in test.accuracies)
    return (
        test.population, test.test_language, f"{test.plus} - {test.minus}",
        VERDICTS[test.verdict], plus, minus, *_effect(test), _visible(test),
        number(test.d_seeds, digits=2), str(test.n_seeds), ", ".join(map(str, test.n_words)),
    )  # fmt: skip


def _trends(found: Sequence[TrendTest], name: str, which: str) -> Table:
    return Table(
        name=name,
        title=f"Trends over graded factors{which}",
        columns=("Population", "Test language", "Factor", "Verdict", "Level: chosen (%)",
                 "Odds ratio per step [95 % CI]", "Highest - lowest (points) [95 % CI]", "t (df)",
                 "p", "p Holm", "Visible", "d (seeds)", "Seeds", "Words"),
        aside=("Highest - lowest (points) [95 % CI]", "t (df)", "Visible", "d (seeds)", "Seeds",
               "Words"),
        rows=tuple(_trend(test) for test in found),
        n_labels=4,
        note=_note(
            [],
            "Linear contrast of a logistic mixed model over the levels: further seeds and further "
            "words. Step: one unit of the factor. Highest - lowest: along the line, for a typical "
            "seed and word. Higher: the share rises with the level; lower: it falls. Shares: mean "
            "over seeds, ties at chance level.",
        ),
    )  # fmt: skip


def _trend(test: TrendTest) -> tuple[str, ...]:
    levels = "; ".join(f"{own.level:g}: {number(own.accuracy, 100)}" for own in test.levels)
    effect = _effect(test)
    return (
        test.population, test.test_language, test.factor, VERDICTS[test.verdict], levels,
        slope_ratio(test), effect[0], *effect[2:], _visible(test),
        number(test.d_seeds, digits=2), str(test.n_seeds), str(test.n_words),
    )  # fmt: skip


def _effect(test: ConditionTest | TrendTest | GroupModel) -> tuple[str, ...]:
    """Difference, odds ratio, statistic and p-values of a contrast."""
    effect = test.contrast
    if effect is None or test.verdict == "undecided":
        return (NONE,) * 5
    return (
        points(effect), odds_ratio(effect), t_of_df(effect.statistic, effect.df),
        p_value(effect.p_value), p_value(effect.p_holm),
    )  # fmt: skip


def _contrasts(group: GroupComparison, name: str, title: str) -> Table:
    return Table(
        name=name,
        title=f"Planned contrasts: mixed models{title}",
        columns=("Contrast", "Family", "Verdict", "Difference (points) [95 % CI]",
                 "Odds ratio [95 % CI]", "t (df)", "p", "p Holm", "Visible", "Words", "Shared",
                 "p likelihood ratio", "p bootstrap"),
        aside=("Family", "Odds ratio [95 % CI]", "t (df)", "Visible", "Words", "Shared",
               "p likelihood ratio", "p bootstrap"),
        rows=tuple(_contrast(model) for model in group.models),
        n_labels=3,
        note=_note(
            [model.penalised for model in group.models],
            f"Bilingual less monolingual; further seeds and further words. Families: "
            f"{'; '.join(group.families)}. "
            "Shared: words that both groups were asked; others do not cancel. "
            f"{_interaction(group.interaction)}",
        ),
    )  # fmt: skip


def _contrast(model: GroupModel) -> tuple[str, ...]:
    effect, ratio = _effect(model), model.ratio
    instead = model.penalised if model.verdict == "undecided" else None
    if instead:
        ends = interval(instead.ci_low, instead.ci_high, 100, mark=0.0)
        effect = (f"{_starred(number(instead.estimate, 100))} {ends}", *effect[1:])
    family = model.contrast.family if model.contrast else ""
    p_ratio, p_bootstrap = (ratio.p_value, ratio.p_bootstrap) if ratio else (math.nan, math.nan)
    return (
        model.name, family or NONE, VERDICTS[model.verdict], *effect, _visible(model),
        str(model.n_words), str(model.n_shared), p_value(p_ratio), p_value(p_bootstrap),
    )  # fmt: skip


def _seed_means(group: GroupComparison, name: str, title: str) -> Table:
    return Table(
        name=name,
        title=f"Secondary: the same contrasts over seed means{title}",
        columns=("Contrast", "Seeds", "Difference (points) [95 % CI]", "Welch t (df)", "p",
                 "p Holm", "Hedges' g (seeds)", "BF10 (Student's t)", "p TOST", "p TOST Holm"),
        aside=("Seeds", "Welch t (df)", "Hedges' g (seeds)", "BF10 (Student's t)"),
        rows=tuple(_seeds(model) for model in group.models),
        note="Further seeds, these very words: where the effect varies between words, these tests "
        "find one too often. No verdict rests on them. Ties at chance level. BF10 is that of "
        "Student's t test, which takes both groups to vary alike; Welch's does not. TOST: "
        f"equivalence to within {number(group.overall.seeds.bound, 100)} points. Holm: over the "
        "same families as the mixed models.",
    )  # fmt: skip


def _seeds(model: GroupModel) -> tuple[str, ...]:
    seeds = model.seeds
    # With too few seeds or words there is no verdict, so that nothing is corrected for others.
    welch, tost = (
        NONE if model.verdict == "few" else p_value(p)
        for p in (seeds.p_holm, seeds.p_equivalence_holm)
    )
    return (
        model.name, f"{seeds.n_first}, {seeds.n_second}",
        estimate(seeds.difference, seeds.ci_low, seeds.ci_high, 100, mark=0.0),
        t_of_df(seeds.t, seeds.df), p_value(seeds.p_value), welch,
        number(seeds.hedges_g, digits=2), bayes_factor(seeds.bayes_factor),
        p_value(seeds.p_equivalence), tost,
    )  # fmt: skip


def _interaction(ratio: LikelihoodRatio | None) -> str:
    if ratio is None or math.isnan(ratio.p_value):
        return ""
    told = chi_squared(ratio.statistic, ratio.df, ratio.p_value)
    return f"Does the difference depend on the test language? {told}."


def _note(instead: Sequence[Penalised | None], text: str) -> str:
    starred = any(one is not None for one in instead)
    return " ".join([text.strip(), LEGEND, *([INSTEAD] if starred else [])])


def _visible(test: ChanceTest | ConditionTest | TrendTest | GroupModel) -> str:
    return NONE if test.verdict in ("few", "undecided") else number(test.visible, 100)


def _starred(text: str) -> str:
    return f"{text}*"
