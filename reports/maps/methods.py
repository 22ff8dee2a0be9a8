"""Methods and status of maps, written from what the runs have recorded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from paradigms.formula import RESOURCE, parse
from paradigms.measures import POINTING
from reports.maps.text import capital, title_of
from reports.numbers import number
from toolkit.statistics.maps.measures import OVERLAP
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from paradigms import Measure
    from reports.chapter import Chapter
    from toolkit.statistics.maps.models import ResourceTest
    from toolkit.statistics.maps.results import GroundingAnalysis
    from toolkit.statistics.models.results import FitResult
    from toolkit.tables.recorded import RecordedEnergy

REFERENCES = {
    OVERLAP: "Dense grounding of multilingual CLIP under a fixed visual encoder. arXiv 2605.09060.",
    "tokens_per_word": "Rust, P., Pfeiffer, J., Vulic, I., Ruder, S., & Gurevych, I. (2021). How "
    "good is your tokenizer? On the monolingual performance of multilingual language models. "
    "ACL-IJCNLP 2021.",
    POINTING: "Zhang, J., Bargal, S. A., Lin, Z., Brandt, J., Shen, X., & Sclaroff, S. (2018). "
    "Top-down neural attention by excitation backprop. International Journal of Computer Vision, "
    "126.",
}
"""Where measures come from: overlap of cluster masks, tokens per word, the pointing game."""


def references(chapter: Chapter[GroundingAnalysis]) -> list[str]:
    """Literature on the measures that the paradigm declares."""
    known = chapter.statistics.known
    return [text for name, text in REFERENCES.items() if name in known]


def assumptions(chapter: Chapter[GroundingAnalysis]) -> str:
    """What is assumed and not tested."""
    primary = chapter.statistics.primary
    low, high = primary.bounds
    ends = f" ({primary.noun} ends at {low:g} and {high:g})" if primary.bounded else ""
    return (
        "Languages stand for further languages of their group, pictures and concepts for further "
        "ones of their kind; nobody drew them at random. Not tested: that random effects and what "
        f"is left over are normally distributed{ends}, and that both groups of languages vary "
        "alike, which Welch's test beside the model does not assume."
    )


def fits(chapter: Chapter[GroundingAnalysis]) -> Iterator[FitResult]:
    """Mixed models that are shown in full."""
    for own in chapter.statistics.populations:
        for test in own.tests:
            if test.fit is not None:
                yield test.fit


def trials(chapter: Chapter[GroundingAnalysis]) -> Iterator[str]:
    """What was asked of which pictures."""
    statistics = chapter.statistics
    stimuli, known = chapter.manifests[0].stimuli, statistics.languages
    reference = statistics.reference
    groups = {
        kind: [code for code in known if known[code].resource == kind and code != reference]
        for kind in ("high", "low")
    }
    first = statistics.populations[0] if statistics.populations else None
    asked = (
        f" Asked for: {count(first.n_concepts, 'concept')} in {count(first.n_pictures, 'picture')}."
        if first
        else ""
    )
    yield (
        f"Paradigm {chapter.paradigm} (version {chapter.version}; {chapter.question}): the visual "
        f"encoder is the same for all languages, only the language of the text changes. Pictures "
        f"came from the set {stimuli.name} (version {stimuli.version}).{asked} Maps of "
        f"cosine similarity between the text and every place of a picture{_read_how(chapter)}. "
        f"Reference: {reference}; high resource: {', '.join(groups['high']) or 'none'}; low "
        f"resource: {', '.join(groups['low']) or 'none'}."
    )
    meanings = {row.condition: row.meaning for row in chapter.results}
    for name, meaning in meanings.items():
        yield f"Condition {name}: {meaning}."


def _read_how(chapter: Chapter[GroundingAnalysis]) -> str:
    """What was done with maps, as far as the measures tell."""
    statistics = chapter.statistics
    enlarged = ", enlarged to 224 x 224 pixels," * (OVERLAP in statistics.known)
    primary, name = statistics.primary, statistics.languages[statistics.reference].name
    if primary.relative:
        return f"{enlarged} were held against the map of {name}"
    return f"{enlarged} were read for {primary.noun}: {primary.meaning}"


def analysis(chapter: Chapter[GroundingAnalysis]) -> Iterator[str]:
    """How it was analysed."""
    statistics = chapter.statistics
    tests = [(title_of(own), own.tests[0]) for own in statistics.populations if own.tests]
    modelled = [(title, test) for title, test in tests if test.mixed or test.mean]
    if modelled:
        yield from _models(statistics, modelled)
    without = [(test.problem, title) for title, test in tests if not (test.mixed or test.mean)]
    for problem, titles in _by_text(without).items():
        yield f"There is no mixed model for {', '.join(titles)}. {problem.rstrip('.')}."
    if any(test.languages for _, test in tests):
        yield (
            "Groups of languages were also compared by a permutation of languages between them and "
            "by Welch's test over language means."
        )
    if any(test.pairs for _, test in tests):
        yield (
            "The Wilcoxon test over picture x concept pairs is that of the published analysis and "
            "takes pairs and not languages as the sample."
        )
    if any(own.languages for own in statistics.populations):
        yield "Means of single languages have intervals for crossed pictures, concepts and seeds."
    chance = {test.measure for own in statistics.populations for test in own.pointing}
    if POINTING in chance:
        yield (
            "The pointing game counts maps whose highest point lies inside the true mask; its "
            "chance level is the mean share of the picture that the mask covers."
        )
    for measure in statistics.known.values():
        if measure.name in chance - {POINTING}:
            yield f"Chance level of {measure.noun}: {_chance(measure, statistics)}."
    if (modelled or chance) and statistics.families:
        yield f"Families of tests: {'; '.join(statistics.families)}."


def _models(
    statistics: GroundingAnalysis, modelled: Sequence[tuple[str, ResourceTest]]
) -> Iterator[str]:
    """The models that were fitted, beside the one that the paradigm declares."""
    declared = statistics.declared.formula
    parts = parse(declared)
    contrasts = RESOURCE in parts.fixed
    formulas = _by_text(
        (test.fit.fitted_formula, title) for title, test in modelled if test.fit is not None
    )
    told = [
        f"{formula} for {', '.join(titles)}" if len(formulas) > 1 else formula
        for formula, titles in formulas.items()
    ]
    told += ["high: 1 in high-resource languages, else 0"] * contrasts
    most = (
        f", at most the number of languages less {1 + contrasts}, since "
        f"{'the contrast is between' if contrasts else 'the mean is over'} languages"
    )
    sampled = any(term.group == "test_language" for term in parts.random)
    yield (
        f"{capital(statistics.primary.label)} was analysed with linear mixed-effects models "
        f"({statistics.engine}, REML; {'; '.join(told)}) with Satterthwaite's degrees of freedom"
        f"{most * sampled}. The paradigm declares {declared}; terms with a single level are left "
        "out."
    )
    for problem, titles in _by_text((test.problem, title) for title, test in modelled).items():
        if problem:
            yield f"{', '.join(titles)}: {problem}"


def _chance(measure: Measure, statistics: GroundingAnalysis) -> str:
    """A chance level in words: a number, or what the measure that holds it says."""
    if isinstance(measure.chance, str):
        return statistics.known[measure.chance].meaning
    return f"{measure.chance:g}"


def _by_text(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Titles gathered under the same text."""
    gathered: dict[str, list[str]] = {}
    for text, title in pairs:
        gathered.setdefault(text, []).append(title)
    return gathered


def energy(measured: RecordedEnergy) -> str:
    """What was measured of the energy of a run, and on what.

    Example:
        >>> from toolkit.tables.recorded import RecordedEnergy
        >>> energy(RecordedEnergy(
        ...     source="x", watt_hours=0.5, per_1000_queries=0.25, n_queries=2000
        ... ))
        '0.500 Wh for 2,000 queries, 0.250 Wh per 1,000; x'
        >>> energy(RecordedEnergy(source="not measured: no meter"))
        'not measured: no meter'
    """
    if math.isnan(measured.watt_hours):
        return measured.source  # says itself why nothing was measured
    return (
        f"{number(measured.watt_hours, digits=3)} Wh for {measured.n_queries:,} queries, "
        f"{number(measured.per_1000_queries, digits=3)} Wh per 1,000; {measured.source}"
    )
