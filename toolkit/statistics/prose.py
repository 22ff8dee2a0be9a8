"""Results in sentences that say what the data show, and what they cannot show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from toolkit.statistics.chance import ChanceTest
from toolkit.statistics.gates import GateReport
from toolkit.statistics.groups import GroupComparison, GroupModel
from toolkit.statistics.likelihood import LikelihoodRatio
from toolkit.statistics.seeds import SeedComparison
from toolkit.statistics.student import quantile

FEW_SEEDS = 10


def p_value(p: float) -> str:
    """A p-value as APA style writes it.

    Example:
        >>> p_value(0.0003), p_value(0.0412), p_value(float("nan"))
        ('p < .001', 'p = .041', 'p not available')
    """
    if math.isnan(p):
        return "p not available"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def percent(share: float) -> str:
    """A share as per cent with one decimal.

    Example:
        >>> percent(0.5)
        '50.0 %'
    """
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """A difference of shares in percentage points, without sign."""
    return f"{100 * abs(difference):.1f} percentage points"


def statistic(value: float, df: float) -> str:
    """T with its degrees of freedom, or z."""
    return f"z = {value:.2f}" if math.isinf(df) else f"t({df:.1f}) = {value:.2f}"


def chance_sentence(test: ChanceTest, alpha: float) -> str:
    """What a test against chance says."""
    who = f"{test.population} in {test.test_language}, {test.condition}"
    seen = (
        f"{percent(test.accuracy)} correct over {test.n_seeds} "
        f"seed{'s' if test.n_seeds != 1 else ''} (chance {percent(test.chance)})"
    )
    if test.problem:
        return f"{who}: {seen}. No test: {test.problem}"
    p = test.p_holm if not math.isnan(test.p_holm) else test.p_value
    numbers = (
        f"{statistic(test.statistic, test.df)}, {p_value(p)}"
        f"{' (Holm)' if not math.isnan(test.p_holm) else ''}; typical seed and item "
        f"{percent(test.probability)}, 95 % CI {100 * test.ci_low:.1f} to {percent(test.ci_high)}"
    )
    if test.n_seeds == 1:
        numbers += "; this is one network and says nothing about others"
    if p < alpha:
        verdict = "above chance" if test.estimate > 0 else "BELOW chance"
        return f"{who}: {verdict}, {seen}; {numbers}."
    cannot = (
        f"accuracies between {percent(test.ci_low)} and {percent(test.ci_high)} fit the data "
        "as well"
    )
    return f"{who}: not shown to differ from chance, {seen}; {numbers}; {cannot}."


def answers(
    chance: Sequence[ChanceTest], groups: Sequence[GroupComparison], alpha: float
) -> list[tuple[str, str]]:
    """The questions of an analysis, each with an answer of one sentence.

    Args:
        chance: tests of the headline conditions against chance.
        groups: comparisons of monolingual and bilingual networks.
        alpha: level of the tests.

    Returns:
        Pairs of question and answer: above chance, different in bilinguals, and, where several
        languages were compared, different between languages.

    Example:
        >>> answers([], [], 0.05)[0]
        ('Above chance?', 'Not tested: no trials of the test itself.')
    """
    said = [("Above chance?", chance_answer(chance, alpha))]
    if not groups:
        said.append(
            (
                "Different in bilinguals?",
                "Not tested: no monolingual and bilingual populations were tested in a language "
                "that both were trained on.",
            )
        )
    for group in groups:
        where = f" ({group.condition})" if len(groups) > 1 else ""
        said.append((f"Different in bilinguals{where}?", group_sentence(group.overall, alpha)))
        if group.interaction is not None:
            said.append(
                (
                    f"Does that depend on the test language{where}?",
                    interaction_sentence(group.interaction, alpha),
                )
            )
    return said


def chance_answer(tests: Sequence[ChanceTest], alpha: float) -> str:
    """What all tests against chance say together, in one sentence."""
    if len(tests) == 1:
        return chance_sentence(tests[0], alpha)
    if not tests:
        return "Not tested: no trials of the test itself."
    verdicts: dict[str, Callable[[ChanceTest], bool]] = {
        "above chance": lambda test: _corrected(test) < alpha and test.estimate > 0,
        "BELOW chance": lambda test: _corrected(test) < alpha and test.estimate < 0,
        "not shown to differ from chance": lambda test: _corrected(test) >= alpha,
        "without a test": lambda test: math.isnan(_corrected(test)),
    }
    parts = []
    for verdict, holds in verdicts.items():
        own = [test for test in tests if holds(test)]
        if len(own) == len(tests) and verdict.startswith("not "):
            parts.append(f"none is {verdict.removeprefix('not ')}")
        elif len(own) == len(tests):
            parts.append(f"{'both' if len(own) == 2 else f'all {len(own)}'} are {verdict}")
        elif own:
            parts.append(f"{len(own)} {'is' if len(own) == 1 else 'are'} {verdict}{_which(own)}")
    seen = [test.accuracy for test in tests]
    known = [test for test in tests if not math.isnan(test.p_value)]
    answer = (
        f"Of {len(tests)} populations and languages tested, {'; '.join(parts)}. "
        f"Accuracies {100 * min(seen):.1f} to {percent(max(seen))} ({_chance_levels(tests)})"
    )
    if not known:
        return f"{answer}."
    first = min(known, key=lambda test: test.p_value)
    return (
        f"{answer}; strongest evidence: {first.population} in {first.test_language}, typical seed "
        f"and item {percent(first.probability)}, 95 % CI {100 * first.ci_low:.1f} to "
        f"{percent(first.ci_high)}, {statistic(first.statistic, first.df)}, "
        f"{p_value(_corrected(first))} (Holm)."
    )


def _corrected(test: ChanceTest) -> float:
    """The p-value after Holm where there is one."""
    return test.p_value if math.isnan(test.p_holm) else test.p_holm


def _which(tests: Sequence[ChanceTest]) -> str:
    """Names in brackets, where they are few enough to be read."""
    names = [f"{test.population} in {test.test_language}" for test in tests]
    return f" ({', '.join(names)})" if 0 < len(names) <= 4 else ""


def _chance_levels(tests: Sequence[ChanceTest]) -> str:
    low, high = (end(test.chance for test in tests) for end in (min, max))
    return f"chance {percent(low)}" if low == high else f"chance {100 * low:.1f} to {percent(high)}"


def interaction_sentence(ratio: LikelihoodRatio, alpha: float) -> str:
    """Whether the difference depends on the test language."""
    verdict = "It does" if ratio.p_value < alpha else "Not shown"
    return (
        f"{verdict}: chi2({ratio.df}) = {ratio.statistic:.2f}, {p_value(ratio.p_value)} "
        "(likelihood-ratio test of the interaction)."
    )


def detectable(seeds: SeedComparison) -> float:
    """Difference these seeds would have shown in four of five cases, alpha .05, approximately."""
    from scipy.special import ndtri

    return (quantile(seeds.df) + float(ndtri(0.8))) * seeds.std_error


def group_sentence(model: GroupModel, alpha: float) -> str:
    """What a comparison of monolingual and bilingual networks says, and what it cannot."""
    seeds = model.seeds
    groups = f"{seeds.n_first} bilingual and {seeds.n_second} monolingual seeds"
    if model.contrast is None:
        return f"{model.name}: no model ({model.problem}); {groups}."
    effect, seen = model.contrast, seeds.difference
    p = effect.p_holm if not math.isnan(effect.p_holm) else effect.p_value
    direction = "higher" if seen > 0 else "lower"
    numbers = (
        f"{statistic(effect.statistic, effect.df)}, {p_value(p)}"
        f"{' (Holm)' if not math.isnan(effect.p_holm) else ''}, odds ratio "
        f"{math.exp(effect.estimate):.2f} [{math.exp(effect.ci_low):.2f}, "
        f"{math.exp(effect.ci_high):.2f}]"
    )
    seen_text = (
        f"bilingual accuracy {points(seen)} {direction} over {groups} "
        f"(95 % CI over seeds {100 * seeds.ci_low:+.1f} to {100 * seeds.ci_high:+.1f})"
    )
    if p < alpha:
        return f"{model.name}: {seen_text}; {numbers}. The groups differ."
    equivalent = seeds.p_equivalence < alpha
    rest = (
        f"the seeds are equivalent to within {points(seeds.bound)} "
        f"(TOST {p_value(seeds.p_equivalence)})"
        if equivalent
        else f"nor are they shown to be equal (TOST against {points(seeds.bound)}: "
        f"{p_value(seeds.p_equivalence)})"
    )
    limit = (
        ""
        if math.isnan(seeds.std_error)
        else f" With these seeds, a difference below about {points(detectable(seeds))} would be "
        "missed more than one time in five."
    )
    return f"{model.name}: no difference shown, {seen_text}; {numbers}; {rest}.{limit}"


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


def apa_paragraph(
    paradigm: str,
    formula: str,
    engine: str,
    chance: Sequence[ChanceTest],
    groups: Sequence[GroupComparison],
) -> str:
    """A results paragraph in the manner of the APA, to be pasted and pruned.

    Args:
        paradigm: name of the paradigm.
        formula: random part of the chance model, lme4 notation.
        engine: engine and version.
        chance: tests against chance.
        groups: comparisons of monolingual and bilingual populations.
    """
    said = [
        f"Answers in the paradigm {paradigm} were analysed with logistic mixed-effects models "
        f"({engine}, Laplace approximation), training seeds standing for participants and words "
        f"and distractors for items ({formula}). Standard errors and degrees of freedom "
        "(Satterthwaite) were corrected for the numbers of seeds and items, p values after Holm."
    ]
    for test in chance:
        who = f"{test.population} tested in {test.test_language} ({test.condition})"
        mean = f"M = {percent(test.accuracy)}, {test.n_seeds} seeds"
        if test.problem:
            said.append(f"{who}: {mean}; not tested ({test.problem.rstrip('.')}).")
            continue
        said.append(
            f"{who}: {mean}, b = {test.estimate:.2f}, SE = {test.std_error:.2f}, "
            f"{statistic(test.statistic, test.df)}, {p_value(test.p_holm)}, "
            f"d over seeds = {test.d_seeds:.2f}, d over words = {test.d_words:.2f}."
        )
    for group in groups:
        for model in (group.overall, *group.by_language, *group.by_population):
            if model.contrast is None:
                continue
            effect, p = model.contrast, model.contrast.p_holm
            said.append(
                f"{model.name}: b = {effect.estimate:.2f}, SE = {effect.std_error:.2f}, "
                f"{statistic(effect.statistic, effect.df)}, "
                f"{p_value(effect.p_value if math.isnan(p) else p)}, odds ratio = "
                f"{math.exp(effect.estimate):.2f}, 95 % CI [{math.exp(effect.ci_low):.2f}, "
                f"{math.exp(effect.ci_high):.2f}], Hedges' g over seeds = "
                f"{model.seeds.hedges_g:.2f}, BF10 = {model.seeds.bayes_factor:.2g}."
            )
    return " ".join(said)


def few_seeds_sentence(n_seeds: int) -> str:
    """The warning that goes with small numbers of seeds; empty if there are enough."""
    if n_seeds >= FEW_SEEDS:
        return ""
    return (
        f"The smallest population has {n_seeds} seed{'s' if n_seeds != 1 else ''}. With fewer "
        f"than {FEW_SEEDS}, Wald z and likelihood-ratio p-values are too small; the t values "
        "with corrected degrees of freedom are the ones to report."
    )
