"""Results in sentences that say what the data show, and what they cannot show.

Every sentence is made from typed results, and its verdict, direction, effect, interval and limit
all come from the one test that decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from stimuli.wording import plural
from toolkit.statistics.choices.chance import ChanceTest
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.forgetting import ForgettingRate
from toolkit.statistics.choices.gates import GateReport
from toolkit.statistics.choices.groups import GroupComparison, GroupModel
from toolkit.statistics.choices.seeds import SeedComparison
from toolkit.statistics.choices.trends import TrendTest
from toolkit.statistics.choices.verdicts import Verdict
from toolkit.statistics.models.likelihood import LikelihoodRatio
from toolkit.statistics.models.penalised import Penalised
from toolkit.statistics.models.results import Contrast
from toolkit.statistics.models.student import ROUNDING
from toolkit.statistics.phrases import (
    apart,
    change,
    chi_squared,
    corrected,
    count,
    difference,
    fixed,
    from_to,
    joined,
    missed,
    percent,
    points,
    share,
    shifted,
    statistic,
    tally,
    test_of,
    tied,
)
from toolkit.statistics.ratios import odds_ratio, ratios

CHANCE, CONTROL = "shown to differ from chance", "shown to differ from its control"
"""What is not done where a verdict is open."""
CHANCE_VERDICTS: dict[Verdict, str] = {
    "higher": "above chance",
    "lower": "BELOW chance",
    "open": f"not {CHANCE}",
    "few": "without a verdict, having too few participants or words",
    "undecided": "without a test",
}
CONTRAST_VERDICTS: dict[Verdict, str] = {
    "higher": "higher than its control",
    "lower": "LOWER than its control",
    "open": f"not {CONTROL}",
    "few": "without a verdict, having too few participants or words",
    "undecided": "without a test",
}
SLOPE = "shown to rise or fall"
TREND_VERDICTS: dict[Verdict, str] = {
    "higher": "RISING",
    "lower": "falling",
    "open": f"not {SLOPE}",
    "few": "without a verdict, having too few participants or words",
    "undecided": "without a test",
}


def chance_sentence(test: ChanceTest) -> str:
    """What a test against chance says."""
    who = f"{test.population} in {test.test_language}, {test.condition}"
    seen = (
        f"{percent(test.accuracy, test.chance)} correct over {count(test.n_seeds, test.unit)} "
        f"({_chance_level(test)}){ties(test)}"
    )
    if test.verdict == "undecided":
        return joined([f"{who}: no test, {seen}.", _sentence(test.problem), _instead(test)], " ")
    p = corrected(test.p_value, test.p_holm)
    numbers = f"{statistic(test.statistic, test.df)}, {p}; {_typical(test)}"
    if test.verdict == "few":
        return f"{who}: no verdict ({test.problem}), {seen}; {numbers}."
    limit = missed(test.visible, 1 - test.chance) if test.verdict == "open" else ""
    said = f"{who}: {CHANCE_VERDICTS[test.verdict]}, {seen}; {numbers}."
    return joined([said, _other_side(test), limit], " ")


def _typical(test: ChanceTest) -> str:
    typical, ends = share(test.probability, test.ci_low, test.ci_high, test.chance)
    return f"typical {test.unit} and item {typical}, 95 % CI {ends}"


def _other_side(test: ChanceTest) -> str:
    """A note where the raw accuracy lies on the other side of chance than the deciding test."""
    if not _opposite(test.estimate, test.credited - test.chance):
        return ""
    return (
        "The raw accuracy lies on the other side of chance: not all words were asked equally "
        "often, or some far more reliably than others."
    )


def _opposite(one: float, other: float) -> bool:
    """True if two numbers have different signs, and neither is nothing; False for NaN."""
    return one * other < 0 and min(abs(one), abs(other)) > ROUNDING


def _chance_level(test: ChanceTest) -> str:
    if len(test.n_choices) == 1:
        return f"chance {percent(test.chance)}"
    ends = from_to(1 / max(test.n_choices), 1 / min(test.n_choices))
    return f"chance {ends}, {percent(test.chance)} over all trials"


def ties(test: ChanceTest) -> str:
    """The number of ties, and the accuracy under the other coding; empty without ties."""
    if not test.n_ties:
        return ""
    return (
        f", {percent(test.credited, test.chance)} with ties at chance level, as tested "
        f"({tied(test.n_ties, test.n_trials)})"
    )


def _instead(test: ChanceTest) -> str:
    return _penalised(test.penalised, f"a typical {test.unit} and word at")


def _penalised(found: Penalised | None, what: str) -> str:
    if found is None:
        return ""
    typical, ends = share(found.estimate, found.ci_low, found.ci_high)
    return (
        f"What can be given is a fit that is {found.method}; it puts {what} {typical}, 95 % "
        f"interval {ends}."
    )


def _sentence(text: str) -> str:
    """A reason as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def answers(
    chance: Sequence[ChanceTest],
    conditions: Sequence[ConditionTest],
    groups: Sequence[GroupComparison],
    alpha: float,
    trends: Sequence[TrendTest] = (),
) -> list[tuple[str, str]]:
    """The questions of an analysis, each with an answer of a sentence or two.

    Args:
        chance: tests of the headline conditions against chance.
        conditions: the test against its controls.
        groups: comparisons of monolingual and bilingual subjects.
        alpha: level of the tests.
        trends: slopes over graded factors.

    Returns:
        Pairs of question and answer: above chance (over draws of familiar words first, where there
        are any), the questions of the paradigm's contrasts and graded factors,
        different in bilinguals, and, where several languages were compared, different between
        languages.

    Example:
        >>> answers([], [], [], 0.05)[0]
        ('Above chance?', 'Not tested: no trials of the test itself.')
    """
    of_draws = [test for test in chance if test.unit == "draw"]
    rest = [test for test in chance if test.unit != "draw"]
    said = []
    if of_draws:
        said.append(("Above chance over draws of familiar words?", chance_answer(of_draws)))
    if rest or not of_draws:
        alike = " where all learnt the same words" * bool(of_draws)
        said.append((f"Above chance{alike}?", chance_answer(rest)))
    for question in dict.fromkeys(test.question for test in conditions):
        own = [test for test in conditions if test.question == question]
        said.append((question, condition_answer(own)))
    for question in dict.fromkeys(test.question for test in trends):
        said.append((question, trend_answer([one for one in trends if one.question == question])))
    if not groups:
        said.append(
            (
                "Different in bilinguals?",
                "Not tested: no monolingual and bilingual populations of one kind of subjects were "
                "tested in a language that both were trained on.",
            )
        )
    for group, where in zip(groups, places(groups), strict=True):
        question = f"Different in bilinguals{where}?"
        said.append((question, group_sentence(group.overall, where)))
        if group.interaction is not None:
            said.append(
                (
                    f"Does that depend on the test language{where}?",
                    interaction_sentence(group.interaction, alpha),
                )
            )
    return said


def places(groups: Sequence[GroupComparison]) -> list[str]:
    """What tells the comparisons of an analysis apart: condition, kind of subjects, or nothing."""
    return apart([(group.condition, group.subject_kind) for group in groups])


def chance_answer(tests: Sequence[ChanceTest]) -> str:
    """What all tests against chance say together."""
    if len(tests) == 1:
        return chance_sentence(tests[0])
    if not tests:
        return "Not tested: no trials of the test itself."
    names = chance_names(tests)
    named = [(name, test.verdict) for name, test in zip(names, tests, strict=True)]
    told = tally(named, CHANCE_VERDICTS, CHANCE)
    seen = [test.accuracy for test in tests]
    chance = [test.chance for test in tests]
    answer = (
        f"{_sentence(told)} Accuracies {from_to(min(seen), max(seen))} "
        f"(chance {from_to(min(chance), max(chance))}){_all_ties(tests)}"
    )
    known = [pair for pair in zip(tests, names, strict=True) if not math.isnan(pair[0].p_holm)]
    if not known:
        return f"{answer}."
    first, name = min(known, key=lambda pair: pair[0].p_value)
    return (
        f"{answer}; strongest evidence: {name}, {_typical(first)}, "
        f"{statistic(first.statistic, first.df)}, {corrected(first.p_value, first.p_holm)}."
    )


def chance_names(tests: Sequence[ChanceTest]) -> list[str]:
    """Population and language, and the condition where there are several."""
    where = apart([(test.condition,) for test in tests])
    return [
        f"{test.population} in {test.test_language}{more}"
        for test, more in zip(tests, where, strict=True)
    ]


def _all_ties(tests: Sequence[ChanceTest]) -> str:
    n_ties = sum(test.n_ties for test in tests)
    if not n_ties:
        return ""
    low, high = (end(test.credited for test in tests) for end in (min, max))
    return (
        f", {from_to(low, high)} with ties at chance level, as tested "
        f"({tied(n_ties, sum(test.n_trials for test in tests))})"
    )


def condition_name(test: ConditionTest) -> str:
    """Population, language and contrast."""
    return f"{test.population} in {test.test_language}, {test.plus} - {test.minus}"


def condition_sentence(test: ConditionTest) -> str:
    """What the test of a condition against its control says."""
    who = condition_name(test)
    plus, minus = test.accuracies
    seen = f"no {test.unit} answered both"
    if test.n_seeds:
        seen = (
            f"the target is chosen in {percent(plus)} against {percent(minus)} of trials over "
            f"{count(test.n_seeds, test.unit)}"
        )
    if test.n_ties:
        seen += f", ties at chance level ({tied(test.n_ties, test.n_trials)})"
    effect = test.contrast
    if effect is None or test.verdict == "undecided":
        return joined([f"{who}: no test, {seen}.", _sentence(test.problem)], " ")
    numbers = joined([f"the test is {difference(effect)}", _odds(effect), test_of(effect)])
    if test.verdict == "few":
        return f"{who}: no verdict ({test.problem}), {seen}; {numbers}."
    said = f"{who}: {CONTRAST_VERDICTS[test.verdict]}, {seen}; {numbers}."
    return f"{said} {missed(test.visible, 1.0)}" if test.verdict == "open" else said


def condition_answer(tests: Sequence[ConditionTest]) -> str:
    """What the tests of one contrast say together."""
    if len(tests) == 1:
        return condition_sentence(tests[0])
    named = [(f"{test.population} in {test.test_language}", test.verdict) for test in tests]
    told = tally(named, CONTRAST_VERDICTS, CONTROL)
    known = [
        test.contrast.probability_difference
        for test in tests
        if test.contrast is not None and test.verdict != "undecided"
    ]
    told = f"{tests[0].plus} - {tests[0].minus}: {told}"
    if not known:
        return f"{told}."
    low, high = change(min(known)), change(max(known))
    seen = f"difference {low}" if low == high else f"differences from {low} to {high}"
    return f"{told}; {seen} percentage points."


def trend_name(test: TrendTest) -> str:
    """Population, language and graded factor."""
    return f"{test.population} in {test.test_language}, {test.factor}"


def trend_sentence(test: TrendTest) -> str:
    """What the test of a slope says."""
    who = trend_name(test)
    seen = f"no {test.unit} answered at all levels"
    if test.n_seeds:
        at = ", ".join(f"{percent(own.accuracy)} at {own.level:g}" for own in test.levels)
        seen = f"the target is chosen in {at}, over {count(test.n_seeds, test.unit)}"
    if test.n_ties:
        seen += f", ties at chance level ({tied(test.n_ties, test.n_trials)})"
    effect = test.contrast
    if effect is None or test.verdict == "undecided":
        return joined([f"{who}: no test, {seen}.", _sentence(test.problem)], " ")
    ratio = odds_ratio(test.slope, test.slope_low, test.slope_high)
    numbers = joined(
        [
            f"odds ratio per {test.unit_of_level} {ratio}",
            f"along the line the highest level is {difference(effect)}",
            test_of(effect),
        ]
    )
    if test.verdict == "few":
        return f"{who}: no verdict ({test.problem}), {seen}; {numbers}."
    said = f"{who}: {TREND_VERDICTS[test.verdict]}, {seen}; {numbers}."
    return f"{said} {missed(test.visible, 1.0)}" if test.verdict == "open" else said


def trend_answer(tests: Sequence[TrendTest]) -> str:
    """What the tests of one graded factor say together."""
    if len(tests) == 1:
        return trend_sentence(tests[0])
    named = [(f"{test.population} in {test.test_language}", test.verdict) for test in tests]
    told = f"{tests[0].factor}: {tally(named, TREND_VERDICTS, SLOPE)}"
    known = [test.slope for test in tests if test.verdict != "undecided"]
    if not known:
        return f"{told}."
    low, high = ratios(min(known), max(known))
    seen = f"odds ratio {low}" if low == high else f"odds ratios from {low} to {high}"
    return f"{told}; {seen} per {tests[0].unit_of_level}."


def _odds(effect: Contrast) -> str:
    return f"odds ratio {odds_ratio(effect.estimate, effect.ci_low, effect.ci_high)}"


def interaction_sentence(ratio: LikelihoodRatio, alpha: float) -> str:
    """Whether the difference depends on the test language."""
    if math.isnan(ratio.p_value):
        return "Not tested: the data do not decide the model."
    verdict = "It does" if ratio.p_value < alpha else "Not shown"
    told = chi_squared(ratio.statistic, ratio.df, ratio.p_value)
    return f"{verdict}: {told} (likelihood-ratio test of the interaction)."


def group_sentence(model: GroupModel, where: str = "") -> str:
    """What a comparison of monolingual and bilingual subjects says, and what it cannot.

    Args:
        model: the comparison.
        where: what tells it from others of the same name, see `places`.
    """
    seeds, effect, name = model.seeds, model.contrast, f"{model.name}{where}"
    groups = (
        f"{seeds.n_first} bilingual and {count(seeds.n_second, f'monolingual {model.unit}')}, "
        f"{count(model.n_words, 'word')}{_shared(model)}"
    )
    if effect is None or model.verdict == "undecided":
        instead = _difference_instead(model.penalised)
        parts = [f"{name}: no test ({groups}).", _sentence(model.problem), instead]
        return joined([*parts, _seed_means(seeds, model.unit)], " ")
    numbers = joined([f"bilinguals {difference(effect)}", _odds(effect), test_of(effect)])
    other = _other_way(model)
    if model.verdict == "few":
        return joined([f"{name}: no verdict ({model.problem}), {numbers}; {groups}.", other], " ")
    if model.verdict != "open":
        told = f"{name}: {numbers}; {groups}. The groups differ."
        return joined([told, other, _seed_means(seeds, model.unit)], " ")
    said = f"{name}: no difference shown, {numbers}; {groups}."
    return joined([said, other, missed(model.visible, 1.0), _seed_means(seeds, model.unit)], " ")


def _shared(model: GroupModel) -> str:
    if model.n_shared == model.n_words:
        return ""
    which = "not" if model.n_words == 1 else f"{model.n_shared or 'none'} of them"
    return f", {which} asked of both groups, so that words do not cancel"


def _other_way(model: GroupModel) -> str:
    """A note where raw means and the deciding test point in different directions."""
    effect, raw = model.contrast, model.seeds.difference
    if effect is None or not _opposite(effect.estimate, raw):
        return ""
    return (
        f"Raw means point the other way ({change(raw)} points): the groups were not asked all "
        "words equally often, or differ where accuracies are extreme."
    )


def _difference_instead(found: Penalised | None) -> str:
    if found is None:
        return ""
    return (
        f"What can be given is a fit that is {found.method}; it puts bilinguals "
        f"{shifted(found.estimate, found.ci_low, found.ci_high)}."
    )


def _seed_means(seeds: SeedComparison, unit: str) -> str:
    """The secondary line: Welch's test and the equivalence test of seed means."""
    if math.isnan(seeds.p_value):
        return ""
    return (
        f"Secondary, about further {unit}s and these very words: {unit} means differ, in points, "
        f"by {change(seeds.difference, seeds.ci_low, seeds.ci_high)}, Welch "
        f"{corrected(seeds.p_value, seeds.p_holm)}; equivalence to within {points(seeds.bound)}, "
        f"TOST {corrected(seeds.p_equivalence, seeds.p_equivalence_holm)}."
    )


def forgetting_sentence(found: ForgettingRate) -> str:
    """How fast is forgotten, or why that cannot be said."""
    who = f"{found.population} in {found.test_language}, forgetting with every {found.since}"
    if found.problem:
        return f"{who}: no rate ({found.problem})."
    low, high = (fixed(value, 3) for value in (found.ci_low, found.ci_high))
    ends = "" if math.isnan(found.ci_low) else f" [{low}, {high}]"
    half = math.log(2) / found.rate if found.rate else math.inf
    told = f"half of what is known at once is lost after {fixed(half, 1)}"
    return (
        f"{who}: from {percent(found.at_once, found.chance)} at once to chance at a rate of "
        f"{fixed(found.rate, 3)}{ends} over {count(found.n_seeds, found.unit)}; "
        f"{told if math.isfinite(half) else 'nothing is seen to be lost'}."
    )


def gate_sentence(report: GateReport, unit: str = "seed") -> str:
    """What became of the gate.

    Args:
        report: the gate.
        unit: what participants are called.
    """
    if not report.condition:
        return "No gate was applied: there is none, or its condition was not tested."
    rule = f"at least {percent(report.minimum)} correct in {report.condition}"
    if not report.n_tested:
        return f"Gate ({rule}): applied to nobody, since no population here was taught words."
    if not report.failed:
        several = f"all {report.n_tested} {plural(unit)} and languages"
        whole = several if report.n_tested > 1 else f"one {unit}"
        return f"Gate ({rule}): passed by {whole}."
    who = ", ".join(
        f"{seed} in {language} ({percent(accuracy, report.minimum)})"
        for seed, language, accuracy in report.failed
    )
    return (
        f"Gate ({rule}): failed by {len(report.failed)} of {report.n_tested}: {who}. Results are "
        "given with and without them."
    )
