"""Maps in sentences that say what the data show, and what they cannot show."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from paradigms.measures import POINTING
from stimuli.wording import plural
from toolkit.statistics.maps.languages import Estimate, LanguageTest
from toolkit.statistics.maps.measures import (
    PEAK,
    PEAK_KEPT,
    PLACE_LOST,
    Failure,
    Pointing,
)
from toolkit.statistics.maps.models import SMALLEST_P, ResourceTest
from toolkit.statistics.maps.scale import ScaleDelta
from toolkit.statistics.phrases import alike, count, fixed, joined, p_value, percent, statistic

if TYPE_CHECKING:
    from toolkit.statistics.maps.results import GroundingAnalysis, PopulationResult


def decimal(value: float, digits: int = 3, sign: bool = False) -> str:
    """A number as APA style writes what cannot leave -1 to 1: without the leading zero.

    Example:
        >>> decimal(0.6123), decimal(-0.05), decimal(1.052), decimal(0.1, sign=True)
        ('.612', '-.050', '1.052', '+.100')
    """
    if not math.isfinite(value):
        return "not available"
    return _bare(fixed(value, digits, sign))


def _bare(text: str) -> str:
    """A number without its leading zero."""
    return re.sub(r"^([-+]?)0\.", r"\1.", text)


def who(own: PopulationResult) -> str:
    """Population and condition."""
    return f"{own.population} ({own.condition})"


def interval(estimate: Estimate) -> str:
    """The 95 % interval of an estimate in words; empty without one."""
    return ends(estimate.ci_low, estimate.ci_high)


def ends(low: float, high: float, digits: int = 3) -> str:
    """A 95 % interval in words, with as many decimals as tell its ends apart; empty without one.

    Example:
        >>> ends(-0.05, 0.1), ends(0.1, 0.1), ends(float("nan"), 1.0)
        ('95 % CI -.050 to .100', '', '')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    first, last = map(_bare, alike([low, high], [0.0], digits))
    return f"95 % CI {first} to {last}" if first != last else ""


def resource_sentence(own: PopulationResult, analysis: GroundingAnalysis) -> str:
    """High against low resource in the primary measure, or its mean where that is asked for."""
    test = next((test for test in own.tests if test.measure == analysis.primary.name), None)
    if test is not None and not analysis.contrasts:
        return mean_sentence(own, test, analysis.primary.noun)
    if test is None or test.languages is None:
        return f"{who(own)}: not tested. {test.problem if test else ''}".rstrip()
    noun, languages = analysis.primary.noun, test.languages
    seen = (
        f"mean {noun} {decimal(languages.mean_high)} in {languages.n_high} high- and "
        f"{decimal(languages.mean_low)} in {languages.n_low} low-resource languages"
    )
    if test.mixed is None:
        return f"{who(own)}: {seen}; no model ({test.problem.rstrip('.')})."
    numbers = (
        f"{effect_text(test.mixed, test.p_value)} in the mixed model; {_over_languages(languages)}"
    )
    alpha = analysis.settings.alpha
    verdict = _verdict(test, noun, alpha)
    return f"{who(own)}: {verdict}, {seen}; {numbers}.{_unequal(test, alpha)}"


def _over_languages(languages: LanguageTest) -> str:
    return (
        f"{'all' if languages.exact else 'random'} {languages.n_splits} splits of the languages "
        f"{p_value(languages.permutation_p)}, Welch over languages {p_value(languages.welch_p)}"
    )


def effect_text(effect: Estimate, p: float) -> str:
    """A difference with its interval, test statistic and p-value."""
    parts = [f"difference {decimal(effect.value)}", interval(effect), t_of(effect), p_value(p)]
    return joined(parts, ", ")


def mean_sentence(own: PopulationResult, test: ResourceTest, noun: str) -> str:
    """The mean over languages, which is what the formula is about, and the groups beside it."""
    if test.mean is None:
        return f"{who(own)}: no model ({test.problem.rstrip('.')})."
    n = sum(test.measure in row.measures for row in own.languages)
    mean = joined([decimal(test.mean.value), interval(test.mean)], ", ")
    said = f"{who(own)}: mean {noun} {mean}, over {count(n, 'language')} in the mixed model"
    groups = test.languages
    if groups is None:
        return f"{said}."
    difference = f"difference {decimal(groups.welch.value)}"
    return (
        f"{said}; {decimal(groups.mean_high)} in {groups.n_high} high- and "
        f"{decimal(groups.mean_low)} in {groups.n_low} low-resource languages, "
        f"{joined([difference, interval(groups.welch), _over_languages(groups)], ', ')}, "
        "uncorrected."
    )


def _verdict(test: ResourceTest, noun: str, alpha: float) -> str:
    if not test.p_value < alpha:
        return "nothing tested" if math.isnan(test.p_value) else "no difference shown"
    return f"less {noun}" if test.mixed and test.mixed.value > 0 else f"MORE {noun}"


def _unequal(test: ResourceTest, alpha: float) -> str:
    """What to make of tests over languages that do not agree with the model."""
    languages = test.languages
    if languages is None or not test.p_value < alpha or languages.welch_p < alpha:
        return ""
    return (
        " The verdict leans on both groups varying alike, which "
        f"{min(languages.n_low, languages.n_high)} languages cannot show: without that assumption "
        f"(Welch) the difference has a {interval(languages.welch) or 'wide interval'}."
    )


def t_of(estimate: Estimate) -> str:
    """The t statistic of an estimate with its degrees of freedom."""
    if not estimate.std_error > 0:
        return "no standard error"
    return statistic(estimate.value / estimate.std_error, estimate.df)


def pair_sentence(tests: Sequence[ResourceTest]) -> str:
    """The published test, and what it may not be used for."""
    pairs = [test.pairs for test in tests if test.pairs is not None]
    values = "; ".join(
        f"{pair.n_pairs:,} {plural('pair', pair.n_pairs)}, {rank_p(pair.p_value)}" for pair in pairs
    )
    test = tests[0].languages
    n_high, n_low = (test.n_high, test.n_low) if test else (0, 0)
    which = f"these {n_low} from these {n_high} languages" if test else "these languages"
    return (
        f"Over pairs of picture and concept it gives {values}. It takes the pairs as the sample, "
        f"so it asks whether {which} differ in further pictures and concepts, and it takes pairs "
        "that share a picture or a concept as unrelated. With enough pictures it finds any two "
        "groups of languages to differ, so it must not be used to say that low-resource languages "
        "do worse than high-resource ones; for that the languages are the sample, as above."
    )


def rank_p(p: float) -> str:
    """The p-value of a rank test, which may be too small for a number.

    Example:
        >>> rank_p(0.0), rank_p(2.1e-20), rank_p(0.04)
        ('p < 1e-300', 'p = 2.1e-20', 'p = .040')
    """
    if p < SMALLEST_P:
        return f"p < {SMALLEST_P:.0e}"
    return f"p = {p:.1e}" if p < 0.001 else p_value(p)


def failure_sentence(own: PopulationResult) -> str:
    """Peak kept, place lost."""
    high, low = own.failures
    test = next((test for test in own.tests if test.measure == PEAK), None)
    gap = ""
    if test is not None and test.mixed is not None:
        gap = f"; {joined([f'difference {decimal(test.mixed.value)}', interval(test.mixed)], ', ')}"
    return (
        f"{who(own)}: the highest similarity is {decimal(low.peak_ratio)} of the reference's in "
        f"low- and {decimal(high.peak_ratio)} in high-resource languages{gap}, while overlap is "
        f"{decimal(low.iou)} and {decimal(high.iou)}. {_kept(low, high)}"
    )


def _kept(low: Failure, high: Failure) -> str:
    """How many of the maps that lose the place keep the peak."""
    place = f"an overlap below {decimal(PLACE_LOST, 1)}"
    if math.isnan(low.kept_of_lost) and math.isnan(high.kept_of_lost):
        return f"No map has {place}."
    shares = (
        "none (no place is lost)"
        if math.isnan(group.kept_of_lost)
        else f"{percent(group.kept_of_lost)} ({percent(group.share_lost)} of all maps)"
        for group in (low, high)
    )
    return (
        f"Of maps with {place}, {' in low- and '.join(shares)} in high-resource languages keep "
        f"the peak (within {100 * PEAK_KEPT:.0f} % of the reference's)."
    )


def chance_sentences(
    own: PopulationResult, analysis: GroundingAnalysis
) -> Iterator[tuple[str, str]]:
    """Every measure that has a chance level, with what is to be said of it."""
    for name in dict.fromkeys(test.measure for test in own.pointing):
        tests = [test for test in own.pointing if test.measure == name]
        yield name, f"{who(own)}: {_against_chance(tests, analysis)}"


def _against_chance(tests: Sequence[Pointing], analysis: GroundingAnalysis) -> str:
    points = tests[0].measure == POINTING
    shown = percent if points else decimal
    known = [test for test in tests if math.isfinite(test.p_holm)]
    best = max(tests, key=lambda test: test.accuracy.value)
    worst = min(tests, key=lambda test: test.accuracy.value)
    seen = (
        f"{shown(best.accuracy.value)} in {_name(best, analysis)} down to "
        f"{shown(worst.accuracy.value)} in {_name(worst, analysis)}"
    )
    if best.accuracy.value == worst.accuracy.value:
        seen = f"{shown(best.accuracy.value)} in all languages"
    if not known:
        unknown = math.isnan(tests[0].chance)
        why = "no chance level was recorded" if unknown else "no map differs from the next"
        return f"{seen}; {why}, so nothing is tested."
    above = [t for t in known if t.p_holm < analysis.settings.alpha and t.difference.value > 0]
    below = [t for t in known if t.p_holm < analysis.settings.alpha and t.difference.value < 0]
    parts = [f"above chance in {len(above)} of {count(len(known), 'language')}"]
    parts += [f"BELOW in {len(below)}"] if below else []
    chance = sum(test.chance for test in known) / len(known)
    level = (
        f"a point thrown at random hits in {percent(chance)} (mean share of the picture that the "
        "thing covers)"
        if points
        else f"chance is {decimal(chance)}"
    )
    return f"{', '.join(parts)} (Holm), {seen}; {level}."


def _name(test: Pointing, analysis: GroundingAnalysis) -> str:
    return analysis.languages[test.language].name


def scale_sentence(delta: ScaleDelta, analysis: GroundingAnalysis) -> str:
    """One population less another, paired by language, picture and concept."""
    alpha, noun = analysis.settings.alpha, analysis.primary.noun
    name = f"{delta.second} less {delta.first} ({delta.condition})"
    n = count(len(delta.languages), "language")
    mean = f"mean over {n} {decimal(delta.overall.value, sign=True)}"
    if delta.few:
        return (
            f"{name}: {mean}, in these languages, pictures and concepts only: "
            f"{' and '.join(delta.few)} cannot show whether it holds in others, so nothing is "
            f"tested. {_networks(delta)}"
        )
    verdict = "no difference shown"
    if delta.p_holm < alpha:
        verdict = f"{'more' if delta.overall.value > 0 else 'less'} {noun}"
    p = p_value(delta.p_value)
    if delta.p_holm != delta.p_value:
        p += f", after Holm over all pairs {p_value(delta.p_holm)}"
    tested = t_of(delta.overall)
    said = (
        f"{name}: {verdict}, {joined([mean, interval(delta.overall), tested, p], ', ')},"
        f" over languages, pictures and concepts{' and seeds' * (max(delta.n_seeds) > 1)}"
    )
    if delta.groups is not None:
        groups = delta.groups
        said += (
            f"; {decimal(groups.mean_high, sign=True)} in high- and "
            f"{decimal(groups.mean_low, sign=True)} in low-resource languages "
            f"({effect_text(groups.student, groups.student_p)}, uncorrected, in these pictures and "
            "concepts)"
        )
    return f"{said}. {_networks(delta)}"


def _networks(delta: ScaleDelta) -> str:
    """What is compared, and what a difference may come from."""
    if delta.n_seeds == (1, 1):
        return "These are two networks, which may differ in more than their size."
    first, second = (
        f"{n} networks that differ in their seed" if n > 1 else "one network" for n in delta.n_seeds
    )
    return (
        f"{delta.first} is {first} and {delta.second} {second}; they may differ in more than "
        "their size."
    )


def fertility_sentence(own: PopulationResult, noun: str) -> str:
    """Token length against the primary measure."""
    found = own.fertility
    if found is None:
        return ""
    told = joined([ends(found.ci_low, found.ci_high, 2), p_value(found.p_value)], ", ")
    return (
        f"{who(own)}: Spearman's correlation of tokens per word with {noun} over "
        f"{count(found.n_languages, 'language')} is {decimal(found.correlation, 2)} ({told}); few "
        "languages, and no cause is shown."
    )
