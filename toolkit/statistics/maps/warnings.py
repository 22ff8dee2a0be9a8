"""What the reader of an analysis of maps must know, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from toolkit.statistics.maps.languages import Estimate
from toolkit.statistics.maps.prose import decimal, who
from toolkit.statistics.phrases import count, percent

if TYPE_CHECKING:
    from toolkit.statistics.maps.results import GroundingAnalysis, PopulationResult

FEW_LANGUAGES = 5
"""Fewer languages in a group hardly tell how much such languages vary."""
MANY_EMPTY = 0.01
"""A larger share of empty masks is told."""


def warnings_of(analysis: GroundingAnalysis) -> Iterator[str]:
    """What limits the numbers of an analysis: few languages, gaps, cut intervals, no model."""
    yield from _few_languages(analysis)
    for own in analysis.populations:
        yield from _of_population(own, analysis.languages[analysis.reference].name)
    yield from _cut(analysis)
    yield from _of_models(analysis)


def _few_languages(analysis: GroundingAnalysis) -> Iterator[str]:
    groups = [own.tests[0].languages for own in analysis.populations if own.tests]
    few = [g for g in groups if g is not None and min(g.n_high, g.n_low) < FEW_LANGUAGES]
    if few:
        n_high, n_low = few[0].n_high, few[0].n_low
        yield (
            f"Only {count(min(n_high, n_low), 'language')} "
            f"{'is' if min(n_high, n_low) == 1 else 'are'} in "
            f"{'each group' if n_high == n_low else 'the smaller group'}. How much "
            "such languages vary is hardly known from so few, and the smallest p-value that "
            f"splitting the languages can give is {decimal(few[0].smallest_p, 4)}."
        )


def _of_population(own: PopulationResult, reference: str) -> Iterator[str]:
    missing = {row.language: own.n_concepts - row.n_concepts for row in own.languages}
    gaps = [f"{code} lacks {n}" for code, n in missing.items() if n]
    if gaps:
        yield (
            f"{who(own)}: of {count(own.n_concepts, 'concept')} {', '.join(gaps)}. Plain means "
            "are over other words there; the mixed model takes concepts into account."
        )
    if own.empty is not None:
        both, alone = own.empty.share_both, own.empty.share_reference
        if both > MANY_EMPTY or alone > MANY_EMPTY:
            # Runs without the reference's own maps do not know its share.
            known = not math.isnan(alone)
            first = f" {percent(alone)} of the {reference} maps have no cluster." * known
            yield (
                f"{who(own)}:{first} In {percent(both)} of the maps of other languages both masks "
                "are empty, which counts as an overlap of 1 by the published definition."
            )
    if own.primary and own.n_seeds == 1:
        yield f"{who(own)}: one network, so nothing is said about others trained alike."


def _cut(analysis: GroundingAnalysis) -> Iterator[str]:
    estimates = list(_intervals(analysis))
    n_cut = sum(estimate.is_cut for estimate in estimates)
    if n_cut:
        primary = analysis.primary
        ends = f" ({primary.noun} {primary.values})" if primary.bounded else ""
        yield (
            f"Intervals that would leave the values that their measure can have{ends} are cut "
            f"there: {n_cut} of {len(estimates)}. Pictures, concepts, languages or seeds are too "
            "few to tell more."
        )


def _intervals(analysis: GroundingAnalysis) -> Iterator[Estimate]:
    """Intervals of all means of languages, and of all differences."""
    for own in analysis.populations:
        for row in own.languages:
            yield from row.measures.values()
        for test in own.tests:
            if (found := test.mixed or test.mean) is not None:
                yield found
    for delta in analysis.scale:
        yield delta.overall
        yield from (estimate for _, _, estimate in delta.languages)


def _of_models(analysis: GroundingAnalysis) -> Iterator[str]:
    singular: list[str] = []
    problems: dict[str, list[str]] = {}
    for own in analysis.populations:
        for test in own.tests:
            if test.problem:
                problems.setdefault(test.problem, []).append(f"{who(own)}, {test.meaning}")
            if test.fit is not None and test.fit.singular:
                singular.append(who(own))
    for problem, where in problems.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield f"{where[0]}{more}: {problem}"
    if singular:
        yield (
            "Singular fits (a variance estimated as 0 or a correlation as 1), kept as they are: "
            f"{'; '.join(singular)}."
        )
