"""Results in sentences that say what the data show, and what they cannot show.

Every sentence is made from typed results, and its verdict, direction, effect, interval and limit
all come from the one test that decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from toolkit.statistics.chance import ChanceTest
from toolkit.statistics.condition_contrasts import ConditionTest
from toolkit.statistics.gates import GateReport
from toolkit.statistics.groups import GroupComparison, GroupModel
from toolkit.statistics.likelihood import LikelihoodRatio
from toolkit.statistics.penalised import Penalised
from toolkit.statistics.phrases import (
    count,
    difference,
    joined,
    listed,
    missed,
    odds_ratio,
    p_value,
    percent,
    points,
    statistic,
    test_of,
)
from toolkit.statistics.seeds import SeedComparison
from toolkit.statistics.verdicts import Verdict

FEW_SEEDS = 10
CHANCE_VERDICTS: dict[Verdict, str] = {
    "higher": "above chance",
    "lower": "BELOW chance",
    "open": "not shown to differ from chance",
    "few": "without a verdict, having too few seeds or words",
    "undecided": "without a test",
}
CONTRAST_VERDICTS: dict[Verdict, str] = {
    "higher": "higher than its control",
    "lower": "LOWER than its control",
    "open": "not shown to differ from its control",
    "few": "without a verdict, having too few seeds or words",
    "undecided": "without a test",
}


def chance_sentence(test: ChanceTest) -> str:
    """What a test against chance says."""
    who = f"{test.population} in {test.test_language}, {test.condition}"
    seen = (
        f"{percent(test.accuracy)} correct over {count(test.n_seeds, 'seed')} "
        f"({_chance_level(test)}){ties(test)}"
    )
    if test.verdict == "undecided":
        return joined([f"{who}: no test, {seen}.", _sentence(test.problem), _instead(test)], " ")
    typical = (
        f"typical seed and item {percent(test.probability)}, 95 % CI {100 * test.ci_low:.1f} to "
        f"{percent(test.ci_high)}"
    )
    if test.verdict == "few":
        numbers = f"{statistic(test.statistic, test.df)}, {p_value(test.p_value)}; {typical}"
        return f"{who}: no verdict ({test.problem}), {seen}; {numbers}."
    corrected = " (Holm)" if test.p_holm != test.p_value else ""
    numbers = f"{statistic(test.statistic, test.df)}, {p_value(test.p_holm)}{corrected}; {typical}"
    limit = missed(test.visible, 1 - test.chance) if test.verdict == "open" else ""
    said = f"{who}: {CHANCE_VERDICTS[test.verdict]}, {seen}; {numbers}."
    return joined([said, _other_side(test), limit], " ")


def _other_side(test: ChanceTest) -> str:
    """A note where the raw accuracy lies on the other side of chance than the deciding test."""
    if test.estimate * (test.credited - test.chance) >= 0:
        return ""
    return (
        "The raw accuracy lies on the other side of chance: not all words were asked equally "
        "often, or some far more reliably than others."
    )


def _chance_level(test: ChanceTest) -> str:
    if len(test.n_choices) == 1:
        return f"chance {percent(test.chance)}"
    low, high = 1 / max(test.n_choices), 1 / min(test.n_choices)
    return f"chance {100 * low:.1f} to {percent(high)}, {percent(test.chance)} over all trials"


def ties(test: ChanceTest) -> str:
    """The share of ties, and the accuracy under the other coding; empty without ties."""
    if not test.n_ties:
        return ""
    return (
        f", {percent(test.credited)} with ties at chance level, as tested "
        f"({percent(test.n_ties / test.n_trials)} of the trials are ties)"
    )


def _instead(test: ChanceTest) -> str:
    return _penalised(test.penalised, "a typical seed and word at")


def _penalised(found: Penalised | None, what: str) -> str:
    if found is None:
        return ""
    return (
        f"What can be given is a fit that is {found.method}; it puts {what} "
        f"{percent(found.estimate)}, 95 % interval {100 * found.ci_low:.1f} to "
        f"{percent(found.ci_high)}."
    )


def _sentence(text: str) -> str:
    """A reason as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def answers(
    chance: Sequence[ChanceTest],
    conditions: Sequence[ConditionTest],
    groups: Sequence[GroupComparison],
    alpha: float,
) -> list[tuple[str, str]]:
    """The questions of an analysis, each with an answer of a sentence or two.

    Args:
        chance: tests of the headline conditions against chance.
        conditions: the test against its controls.
        groups: comparisons of monolingual and bilingual subjects.
        alpha: level of the tests.

    Returns:
        Pairs of question and answer: above chance, the questions of the paradigm's contrasts,
        different in bilinguals, and, where several languages were compared, different between
        languages.

    Example:
        >>> answers([], [], [], 0.05)[0]
        ('Above chance?', 'Not tested: no trials of the test itself.')
    """
    said = [("Above chance?", chance_answer(chance))]
    for question in dict.fromkeys(test.question for test in conditions):
        own = [test for test in conditions if test.question == question]
        said.append((question, condition_answer(own)))
    if not groups:
        said.append(
            (
                "Different in bilinguals?",
                "Not tested: no monolingual and bilingual populations of one kind of subjects were "
                "tested in a language that both were trained on.",
            )
        )
    several = len({group.condition for group in groups}) > 1
    kinds = len({group.subject_kind for group in groups}) > 1
    for group in groups:
        named = [group.condition] * several + [group.subject_kind] * kinds
        where = f" ({', '.join(named)})" if named else ""
        said.append((f"Different in bilinguals{where}?", group_sentence(group.overall)))
        if group.interaction is not None:
            said.append(
                (
                    f"Does that depend on the test language{where}?",
                    interaction_sentence(group.interaction, alpha),
                )
            )
    return said


def chance_answer(tests: Sequence[ChanceTest]) -> str:
    """What all tests against chance say together."""
    if len(tests) == 1:
        return chance_sentence(tests[0])
    if not tests:
        return "Not tested: no trials of the test itself."
    told = _tally(
        [(f"{test.population} in {test.test_language}", test.verdict) for test in tests],
        CHANCE_VERDICTS,
    )
    seen = [test.accuracy for test in tests]
    answer = (
        f"{told} Accuracies {100 * min(seen):.1f} to {percent(max(seen))} "
        f"({_chance_levels(tests)}){_all_ties(tests)}"
    )
    known = [test for test in tests if not math.isnan(test.p_holm)]
    if not known:
        return f"{answer}."
    first = min(known, key=lambda test: test.p_value)
    corrected = " (Holm)" if first.p_holm != first.p_value else ""
    return (
        f"{answer}; strongest evidence: {first.population} in {first.test_language}, typical seed "
        f"and item {percent(first.probability)}, 95 % CI {100 * first.ci_low:.1f} to "
        f"{percent(first.ci_high)}, {statistic(first.statistic, first.df)}, "
        f"{p_value(first.p_holm)}{corrected}."
    )


def _tally(named: Sequence[tuple[str, Verdict]], verdicts: dict[Verdict, str]) -> str:
    """How many tests came to which verdict, as a sentence."""
    parts = []
    for verdict, words in verdicts.items():
        own = [name for name, found in named if found == verdict]
        if own and len(own) == len(named):
            whole = f"{'both' if len(own) == 2 else f'all {len(own)}'} are {words}"
            is_open = verdict == "open"
            parts.append(f"none is {words.removeprefix('not ')}" if is_open else whole)
        elif own:
            parts.append(f"{len(own)} {'is' if len(own) == 1 else 'are'} {words}{listed(own)}")
    return f"Of {len(named)} populations and languages tested, {'; '.join(parts)}."


def _all_ties(tests: Sequence[ChanceTest]) -> str:
    tied = sum(test.n_ties for test in tests)
    if not tied:
        return ""
    share = tied / sum(test.n_trials for test in tests)
    low, high = (end(test.credited for test in tests) for end in (min, max))
    return (
        f", {100 * low:.1f} to {percent(high)} with ties at chance level, as tested "
        f"({percent(share)} of the trials are ties)"
    )


def _chance_levels(tests: Sequence[ChanceTest]) -> str:
    low, high = (end(test.chance for test in tests) for end in (min, max))
    return f"chance {percent(low)}" if low == high else f"chance {100 * low:.1f} to {percent(high)}"


def condition_sentence(test: ConditionTest) -> str:
    """What the test of a condition against its control says."""
    who = f"{test.population} in {test.test_language}, {test.plus} - {test.minus}"
    plus, minus = test.accuracies
    tied = (
        f", ties at chance level ({percent(test.n_ties / test.n_trials)} of the trials)"
        if test.n_ties
        else ""
    )
    seen = (
        f"the target is chosen in {100 * plus:.1f} against {percent(minus)} of trials over "
        f"{count(test.n_seeds, 'seed')}{tied}"
    )
    effect = test.contrast
    if effect is None:
        return f"{who}: no test, {seen}. {_sentence(test.problem)}"
    numbers = joined([f"the test is {difference(effect)}", odds_ratio(effect), test_of(effect)])
    if test.verdict == "few":
        return f"{who}: no verdict ({test.problem}), {seen}; {numbers}."
    said = f"{who}: {CONTRAST_VERDICTS[test.verdict]}, {seen}; {numbers}."
    return f"{said} {missed(test.visible, 1.0)}" if test.verdict == "open" else said


def condition_answer(tests: Sequence[ConditionTest]) -> str:
    """What the tests of one contrast say together."""
    if len(tests) == 1:
        return condition_sentence(tests[0])
    named = [(f"{test.population} in {test.test_language}", test.verdict) for test in tests]
    told = _tally(named, CONTRAST_VERDICTS)
    known = [t.contrast for t in tests if t.contrast is not None]
    if not known:
        return told
    low, high = (end(effect.probability_difference for effect in known) for end in (min, max))
    return (
        f"{tests[0].plus} - {tests[0].minus}: {told[0].lower()}{told[1:-1]}; differences from "
        f"{100 * low:+.1f} to {100 * high:+.1f} percentage points."
    )


def interaction_sentence(ratio: LikelihoodRatio, alpha: float) -> str:
    """Whether the difference depends on the test language."""
    if math.isnan(ratio.p_value):
        return "Not tested: the data do not decide the model."
    verdict = "It does" if ratio.p_value < alpha else "Not shown"
    return (
        f"{verdict}: chi2({ratio.df}) = {ratio.statistic:.2f}, {p_value(ratio.p_value)} "
        "(likelihood-ratio test of the interaction)."
    )


def group_sentence(model: GroupModel) -> str:
    """What a comparison of monolingual and bilingual subjects says, and what it cannot."""
    seeds, effect = model.seeds, model.contrast
    groups = (
        f"{seeds.n_first} bilingual and {count(seeds.n_second, 'monolingual seed')}, "
        f"{count(model.n_words, 'word')}{_shared(model)}"
    )
    if effect is None:
        instead = _difference_instead(model.penalised)
        parts = [f"{model.name}: no test ({groups}).", _sentence(model.problem), instead]
        return joined([*parts, _seed_means(seeds)], " ")
    numbers = joined([f"bilinguals {difference(effect)}", odds_ratio(effect), test_of(effect)])
    other = _other_way(model)
    if model.verdict == "few":
        return joined(
            [f"{model.name}: no verdict ({model.problem}), {numbers}; {groups}.", other], " "
        )
    if model.verdict != "open":
        told = f"{model.name}: {numbers}; {groups}. The groups differ."
        return joined([told, other, _seed_means(seeds)], " ")
    return joined(
        [
            f"{model.name}: no difference shown, {numbers}; {groups}.",
            other,
            missed(model.visible, 1.0),
            _seed_means(seeds),
        ],
        " ",
    )


def _shared(model: GroupModel) -> str:
    if model.n_shared == model.n_words:
        return ""
    share = f"{model.n_shared} of them" if model.n_shared else "none of them"
    return f", {share} asked of both groups, so that words do not cancel"


def _other_way(model: GroupModel) -> str:
    """A note where raw means and the deciding test point in different directions."""
    effect, raw = model.contrast, model.seeds.difference
    if effect is None or math.isnan(raw) or effect.estimate * raw >= 0:
        return ""
    return (
        f"Raw means point the other way ({100 * raw:+.1f} points): the groups were not asked all "
        "words equally often, or differ where accuracies are extreme."
    )


def _difference_instead(found: Penalised | None) -> str:
    if found is None:
        return ""
    return (
        f"What can be given is a fit that is {found.method}; it puts bilinguals "
        f"{points(found.estimate)} {'higher' if found.estimate > 0 else 'lower'}, 95 % interval "
        f"{100 * found.ci_low:+.1f} to {100 * found.ci_high:+.1f}."
    )


def _seed_means(seeds: SeedComparison) -> str:
    """The secondary line: Welch's test and the equivalence test of seed means."""
    if math.isnan(seeds.p_value):
        return ""
    welch, tost = (
        p if math.isnan(corrected) else corrected
        for p, corrected in (
            (seeds.p_value, seeds.p_holm),
            (seeds.p_equivalence, seeds.p_equivalence_holm),
        )
    )
    return (
        f"Secondary, about further seeds and these very words: seed means differ by "
        f"{100 * seeds.difference:+.1f} points [{100 * seeds.ci_low:+.1f}, "
        f"{100 * seeds.ci_high:+.1f}], Welch {p_value(welch)}; equivalence to within "
        f"{points(seeds.bound)}, TOST {p_value(tost)}."
    )


def gate_sentence(report: GateReport) -> str:
    """What became of the gate."""
    if not report.condition:
        return "No gate was applied: there is none, or its condition was not tested."
    rule = f"at least {percent(report.minimum)} correct in {report.condition}"
    if not report.n_tested:
        return f"Gate ({rule}): applied to nobody, since no population here was taught words."
    if not report.failed:
        return f"Gate ({rule}): passed by all {report.n_tested} seeds and languages."
    who = ", ".join(f"{seed} in {language} ({percent(a)})" for seed, language, a in report.failed)
    return (
        f"Gate ({rule}): failed by {len(report.failed)} of {report.n_tested}: {who}. Results are "
        "given with and without them."
    )


def few_seeds_sentence(n_seeds: int) -> str:
    """The warning that goes with small numbers of seeds; empty if there are enough."""
    if n_seeds >= FEW_SEEDS:
        return ""
    return (
        f"The smallest population has {count(n_seeds, 'seed')}. With fewer "
        f"than {FEW_SEEDS}, Wald z and likelihood-ratio p-values are too small; the t values "
        "with corrected degrees of freedom are the ones to report."
    )
