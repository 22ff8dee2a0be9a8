"""The answers, the paragraph and the sentences of an analysis of maps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from paradigms.formula import parse
from paradigms.measures import POINTING
from toolkit.statistics.maps.prose import (
    chance_sentences,
    decimal,
    effect_text,
    failure_sentence,
    fertility_sentence,
    interval,
    mean_sentence,
    pair_sentence,
    resource_sentence,
    scale_sentence,
    t_of,
    who,
)
from toolkit.statistics.phrases import joined, p_value

if TYPE_CHECKING:
    from toolkit.statistics.maps.languages import Estimate
    from toolkit.statistics.maps.results import GroundingAnalysis, PopulationResult

CROSSED = {"target_id": "pictures", "word_concept": "concepts", "test_language": "languages"}
"""Factors of a formula in words."""
NOT_ASSIGNED = (
    "Nobody assigned languages to high or low resource: it goes together with script, family and "
    "the cutting of words into tokens, so a difference between the groups is not yet an effect of "
    "resource."
)


def told(analysis: GroundingAnalysis) -> dict[str, Any]:
    """Answers, paragraph and sentences of an analysis, by the names of its fields."""
    heads = [own for own in analysis.populations if own.primary]
    others = [own for own in analysis.populations if not own.primary]
    return {
        "answers": tuple(_answers(analysis, heads)),
        "apa": " ".join(_apa(analysis, heads)),
        "sentences": tuple(_sentences(analysis, heads, others)),
    }


def _answers(
    analysis: GroundingAnalysis, heads: Sequence[PopulationResult]
) -> Iterator[tuple[str, str]]:
    noun, said = analysis.primary.noun, [resource_sentence(own, analysis) for own in heads]
    yield _question(analysis), _all(said)
    paired = [own.tests[0] for own in heads if own.tests and own.tests[0].pairs]
    if paired:
        yield "What does the published Wilcoxon test add?", pair_sentence(paired)
    failing = [failure_sentence(own) for own in heads if len(own.failures) == 2]
    if failing:
        yield "Is the peak kept where the place is lost?", _all(failing)
    for name in dict.fromkeys(test.measure for own in heads for test in own.pointing):
        yield (
            "Does the highest similarity lie on the thing that is named?"
            if name == POINTING
            else f"Is the {analysis.known[name].noun} above chance?",
            _all(
                [text for own in heads for n, text in chance_sentences(own, analysis) if n == name]
            ),
        )
    if analysis.scale:
        said = [scale_sentence(delta, analysis) for delta in analysis.scale]
        yield "Does another encoder change it?", _all(said)
    exploring = [fertility_sentence(own, noun) for own in heads if own.fertility]
    if exploring:
        lose = "lose the place" if analysis.primary.relative else f"have less {noun}"
        yield (
            f"Do languages with longer words in tokens {lose}? (exploratory)",
            _all(exploring),
        )


def _question(analysis: GroundingAnalysis) -> str:
    primary = analysis.primary
    if not analysis.contrasts:
        return f"How much {primary.noun} is there?"
    if primary.relative:
        reference = analysis.languages[analysis.reference].name
        return f"Is the place less like that of {reference} in low-resource languages?"
    return f"Is there less {primary.noun} in low-resource languages?"


def _all(sentences: Sequence[str]) -> str:
    return " ".join(sentences) if sentences else "Not tested."


def _sentences(
    analysis: GroundingAnalysis,
    heads: Sequence[PopulationResult],
    others: Sequence[PopulationResult],
) -> Iterator[str]:
    for own in (*heads, *others):
        yield resource_sentence(own, analysis)
    for delta in analysis.scale:
        yield scale_sentence(delta, analysis)
    for own in heads:
        for test in own.tests[1:]:
            if test.mean is not None:
                mean = joined([decimal(test.mean.value), interval(test.mean)], ", ")
                yield f"{who(own)}, {test.meaning} ({test.measure}): mean {mean}."
            if test.mixed is not None:
                yield (
                    f"{who(own)}, {test.meaning} ({test.measure}): high less low, "
                    f"{effect_text(test.mixed, test.p_value)}, uncorrected."
                )
        gaps = own.tests[0].by_seed if own.tests else ()
        if len(gaps) > 1:
            values = [gap for _, gap in gaps]
            yield (
                f"{who(own)}: over {len(gaps)} seeds the difference in {analysis.primary.noun} "
                f"lies between {decimal(min(values))} and {decimal(max(values))}."
            )
    yield NOT_ASSIGNED


def _apa(analysis: GroundingAnalysis, heads: Sequence[PopulationResult]) -> Iterator[str]:
    what = _what(analysis)
    if any(own.tests and (own.tests[0].mixed or own.tests[0].mean) for own in heads):
        yield _modelled(analysis, what)
    for own in heads:
        test = own.tests[0] if own.tests else None
        if test is not None and test.mean is not None:
            yield mean_sentence(own, test, analysis.primary.noun)
            continue
        if test is None or test.mixed is None or test.languages is None:
            yield (
                f"{who(own)}: {what} is described and not tested, without a model. "
                f"{test.problem if test else ''}"
            ).rstrip()
            continue
        effect, languages = test.mixed, test.languages
        yield (
            f"{who(own)}: M = {decimal(languages.mean_high)} ({languages.n_high} high-resource "
            f"languages) and {decimal(languages.mean_low)} ({languages.n_low} low-resource "
            f"languages), {_apa_effect(effect, test.p_value)}; permutation of languages "
            f"{p_value(languages.permutation_p)}."
        )
    yield NOT_ASSIGNED


def _apa_effect(effect: Estimate, p: float) -> str:
    error = f"SE = {decimal(effect.std_error)}" if math.isfinite(effect.std_error) else ""
    told = [f"b = {decimal(effect.value)}", error, t_of(effect), p_value(p), interval(effect)]
    return joined(told, ", ")


def _what(analysis: GroundingAnalysis) -> str:
    """The primary measure, and what it holds a map against."""
    reference = analysis.languages[analysis.reference].name
    return analysis.primary.label + f" with the {reference} map" * analysis.primary.relative


def _modelled(analysis: GroundingAnalysis, what: str) -> str:
    from toolkit.statistics.models.mixed import engine

    groups = [term.group for term in parse(analysis.declared.formula).random]
    # What is left of seeds is told with the formula; a single one has no effect.
    crossed = [CROSSED[name] for name in groups if name in CROSSED]
    about = "the mean" if not analysis.contrasts else "the contrast"
    sampled = (
        f", so that the degrees of freedom of {about} follow the number of languages"
        if "test_language" in groups
        else ""
    )
    effects = " with resource as fixed effect" if analysis.contrasts else ""
    effects += f" {'and' if effects else 'with'} crossed random effects of {_listed(crossed)}"
    return (
        f"{what[0].upper()}{what[1:]} was analysed with linear mixed-effects models ({engine()}, "
        f"REML, Satterthwaite's degrees of freedom){effects * bool(crossed)}{sampled}."
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
