"""The tables and models of maps, as text in rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from paradigms.measures import POINTING
from reports.maps.matrices import agreement_measures, agreement_of
from reports.maps.text import (
    capital,
    cells_of,
    ends_of,
    group_mean,
    mean_cells,
    title_of,
)
from reports.numbers import NONE, interval, number, p_value, percent
from reports.parts import ModelSummary, Table
from reports.tables import model_summary
from toolkit.statistics.maps.measures import Pointing
from toolkit.statistics.maps.results import PopulationResult

if TYPE_CHECKING:
    from paradigms import Measure
    from reports.chapter import Chapter
    from toolkit.statistics.maps.measures import LanguageRow
    from toolkit.statistics.maps.models import ResourceTest
    from toolkit.statistics.maps.results import GroundingAnalysis


def tables(chapter: Chapter[GroundingAnalysis]) -> list[Table]:
    """All tables in the order of the page."""
    made = [_means(chapter), _tests(chapter), *_languages(chapter), *_chance(chapter)]
    return [*made, _scale(chapter), *_asked(chapter), _words(chapter), _agreement(chapter)]


def models(chapter: Chapter[GroundingAnalysis]) -> list[ModelSummary]:
    """The mixed model of every population and condition."""
    return [
        model_summary(f"{title_of(own)}: {_about(test)}", test.fit, "Gaussian, REML")
        for own in chapter.statistics.populations
        for test in own.tests
        if test.fit is not None
    ]


def _about(test: ResourceTest) -> str:
    return "mean over languages" if test.mean else "high against low resource"


def _means(chapter: Chapter[GroundingAnalysis]) -> Table:
    """Means over languages by the mixed model, where the formula asks for no contrast."""
    known = chapter.statistics.known
    rows = tuple(
        (title_of(own), known[test.measure].heading, *mean_cells(test))
        for own in chapter.statistics.populations
        for test in own.tests
        if test.mean
    )
    return Table(
        name="means",
        title="Mean over languages",
        columns=("Population", "Measure", "Mean", "95 % CI"),
        rows=rows,
        n_labels=2,
        note=f"{_headings(chapter)} Linear mixed model: {_formula(chapter)}.",
    )


def _formula(chapter: Chapter[GroundingAnalysis]) -> str:
    return chapter.statistics.declared.formula


def _headings(chapter: Chapter[GroundingAnalysis]) -> str:
    """What the headings of measures stand for."""
    taken = {test.measure for own in chapter.statistics.populations for test in own.tests}
    known = chapter.statistics.known
    primary = chapter.statistics.primary
    told = [f"{primary.heading}: {primary.label}, the measure fixed in advance"]
    told += [
        f"{measure.heading}: {measure.label}"
        for name, measure in known.items()
        if name in taken and name != primary.name
    ]
    return f"{'; '.join(told)}."


def _tests(chapter: Chapter[GroundingAnalysis]) -> Table:
    known, populations = chapter.statistics.known, chapter.statistics.populations
    tested = [(own, test) for own in populations for test in own.tests]
    with_pairs = any(test.pairs for _, test in tested)
    of_model = not any(test.mean for _, test in tested)
    rows = tuple(
        (
            title_of(own), known[test.measure].heading,
            number(group_mean(own, test, "high"), digits=known[test.measure].digits),
            number(group_mean(own, test, "low"), digits=known[test.measure].digits),
            *cells_of(test, with_pairs),
        )
        for own, test in tested
    )  # fmt: skip
    source = (
        f"linear mixed model, {_formula(chapter)}; its degrees of freedom are at most the number "
        "of languages less 2"
        if of_model
        else "the model asks for no contrast, so difference and interval are Welch's"
    )
    pairs = (
        " Pairs: the published Wilcoxon over picture x concept pairs; it says nothing about "
        "further languages and is given to be compared with the paper."
    )
    return Table(
        name="resource",
        title="High- against low-resource languages",
        columns=("Population", "Measure", "High", "Low", "Difference", "95 % CI", "t (df)", "p",
                 "p splits", "p Welch", *["p pairs"] * with_pairs),
        aside=("t (df)", "p Welch", "p pairs"),
        rows=rows,
        n_labels=2,
        note=f"{_headings(chapter)} Difference, interval, t and p: {source}. High and low: plain "
        "means over languages. Splits: share of all ways to call so many languages low that differ "
        "as much. Welch: over language means, groups may vary differently."
        f"{pairs * with_pairs}",
    )  # fmt: skip


def _languages(chapter: Chapter[GroundingAnalysis]) -> Iterator[Table]:
    known, primary = chapter.statistics.known, chapter.statistics.primary
    for place, own in enumerate(chapter.statistics.populations):
        if not own.languages:
            continue
        taken = [name for row in own.languages for name in row.measures]
        others = [
            measure
            for name, measure in known.items()
            if name in taken and name not in (primary.name, POINTING)
        ]
        tokens = any(not math.isnan(row.tokens_per_word) for row in own.languages)
        yield Table(
            name=f"languages-{place + 1}",
            title=f"Every language: {title_of(own)}",
            columns=("Language", "Code", "Resource", primary.heading, "95 % CI",
                     *["Tokens/word"] * tokens, *(m.heading for m in others), "Concepts", "Maps"),
            aside=("Tokens/word", *(measure.heading for measure in others)),
            rows=tuple(_language(row, primary, others, tokens) for row in own.languages),
            n_labels=3,
            note=f"Measures as above. The interval of the {primary.noun} speaks about further "
            "pictures, concepts and seeds.",
            folded=not own.primary,
        )  # fmt: skip


def _language(
    row: LanguageRow, primary: Measure, others: Sequence[Measure], tokens: bool
) -> tuple[str, ...]:
    return (
        row.name, row.language, row.resource,
        *ends_of(row.measures[primary.name], primary.digits),
        *[number(row.tokens_per_word, digits=2)] * tokens,
        *(ends_of(row.measures.get(measure.name), measure.digits)[0] for measure in others),
        str(row.n_concepts), f"{row.n_rows:,}",
    )  # fmt: skip


def _chance(chapter: Chapter[GroundingAnalysis]) -> Iterator[Table]:
    """One table for every measure that has a chance level."""
    for name, measure in chapter.statistics.known.items():
        tests = [
            (own, test)
            for own in chapter.statistics.populations
            for test in own.pointing
            if test.measure == name
        ]
        if tests and name == POINTING:
            yield _pointing(chapter, tests)
        elif tests:
            yield _above_chance(chapter, measure, tests)


Tests = Sequence[tuple[PopulationResult, Pointing]]
"""Tests against chance, each with its population."""


def _above_chance(chapter: Chapter[GroundingAnalysis], measure: Measure, tests: Tests) -> Table:
    known, digits = chapter.statistics.languages, measure.digits
    rows = tuple(
        (
            title_of(own), known[test.language].name, test.resource,
            *ends_of(test.accuracy, digits), number(test.chance, digits=digits),
            p_value(test.p_value), p_value(test.p_holm), f"{test.n_rows:,}",
        )
        for own, test in tests
    )  # fmt: skip
    return Table(
        name=f"chance-{measure.name.replace('_', '-').lower()}",
        title=f"{capital(measure.noun)} against chance",
        columns=("Population", "Language", "Resource", measure.heading, "95 % CI", "By chance", "p",
                 "p Holm", "Maps"),
        rows=rows,
        n_labels=3,
        note="p: difference to chance, over pictures, concepts and seeds.",
    )  # fmt: skip


def _pointing(chapter: Chapter[GroundingAnalysis], tests: Tests) -> Table:
    known = chapter.statistics.languages
    with_overlap = any(not math.isnan(test.iou_true.value) for _, test in tests)
    rows = tuple(
        (
            title_of(own), known[test.language].name, test.resource,
            percent(test.accuracy.value),
            interval(test.accuracy.ci_low, test.accuracy.ci_high, 100),
            percent(test.chance), p_value(test.p_value), p_value(test.p_holm),
            *ends_of(test.iou_true) * with_overlap, f"{test.n_rows:,}",
        )
        for own, test in tests
    )  # fmt: skip
    overlap = " IoU true: overlap of the cluster mask with the true mask."
    return Table(
        name="pointing",
        title="Against the true masks",
        columns=("Population", "Language", "Resource", "On the thing", "95 % CI (%)", "By chance",
                 "p", "p Holm", *["IoU true", "95 % CI"] * with_overlap, "Maps"),
        aside=("IoU true", "95 % CI"),
        rows=rows,
        n_labels=3,
        note="By chance: mean share of the picture that the thing covers. p: difference to it, "
        f"over pictures, concepts and seeds.{overlap * with_overlap}",
    )  # fmt: skip


def _scale(chapter: Chapter[GroundingAnalysis]) -> Table:
    primary = chapter.statistics.primary
    rows = tuple(
        (
            f"{delta.second} less {delta.first}", delta.condition,
            chapter.statistics.languages[code].name, resource, *ends_of(found, primary.digits),
        )
        for delta in chapter.statistics.scale
        for code, resource, found in delta.languages
    )  # fmt: skip
    return Table(
        name="encoders",
        title=f"Another encoder: difference in {primary.noun}",
        columns=("Populations", "Condition", "Language", "Resource", "Difference", "95 % CI"),
        rows=rows,
        n_labels=4,
        note="Paired by picture and concept, uncorrected; the test over all languages stands in "
        "the answers.",
    )


def _words(chapter: Chapter[GroundingAnalysis]) -> Table:
    primary, populations = chapter.statistics.primary, chapter.statistics.populations
    lost = any(own.failures for own in populations)
    rows = tuple(
        (
            title_of(own), word.language, word.concept, word.resource,
            number(word.value, digits=primary.digits),
            *[number(word.peak_ratio, digits=3), percent(word.share_lost)] * lost,
        )
        for own in populations
        for word in own.words
    )  # fmt: skip
    return Table(
        name="words",
        title="Every concept in every language",
        columns=("Population", "Language", "Concept", "Resource", primary.heading,
                 *["Peak ratio", "Peak kept, place lost"] * lost),
        rows=rows,
        n_labels=4,
        folded=True,
    )  # fmt: skip


def _asked(chapter: Chapter[GroundingAnalysis]) -> Iterator[Table]:
    """The texts that were asked, one table per template, as all runs have recorded them."""
    asked: dict[str, dict[str, dict[str, str]]] = {}
    for manifest in chapter.manifests:
        # Earlier runs have recorded no texts.
        for template, concepts in manifest.words.texts.items():
            for concept, texts in concepts.items():
                asked.setdefault(template, {}).setdefault(concept, {}).update(texts)
    known = chapter.statistics.languages
    for place, (template, concepts) in enumerate(asked.items()):
        codes = [c for c in known if any(c in texts for texts in concepts.values())]
        yield Table(
            name=f"texts-{place + 1}",
            title=f"Texts that were asked: {template}",
            columns=("Concept", *(f"{known[code].name} ({code})" for code in codes)),
            rows=tuple(
                (concept, *(texts.get(code, NONE) for code in codes))
                for concept, texts in concepts.items()
            ),
            n_labels=1 + len(codes),
            folded=True,
            languages=("", *codes),
        )


def _agreement(chapter: Chapter[GroundingAnalysis]) -> Table:
    kept, measures = agreement_of(chapter), agreement_measures(chapter)
    names = [measure.name for measure in measures]
    rows: tuple[tuple[str, ...], ...] = ()
    if not kept.empty and measures:
        pair = ["population", "template", "language_a", "language_b"]
        own = kept[kept["language_a"] != kept["language_b"]]
        n = own["n_pictures"]
        table = own[pair].assign(n_=n, **{name: own[name] * n for name in names})
        summed = table.groupby(pair, sort=False)[[*names, "n_"]].sum()
        rows = tuple(
            (
                f"{row['population']} ({row['template']})", row["language_a"], row["language_b"],
                *(number(row[m.name] / row["n_"], digits=m.digits) if row["n_"] else NONE
                  for m in measures),
                f"{int(row['n_']):,}",
            )
            for row in summed.reset_index().to_dict("records")
        )  # fmt: skip
    return Table(
        name="agreement",
        title="Agreement between all languages",
        columns=("Population", "Language", "and language", *(m.heading for m in measures), "Maps"),
        rows=rows,
        n_labels=3,
        folded=True,
    )
