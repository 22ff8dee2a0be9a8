"""The analysis of looking: from trials to ``statistics.json``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from paradigms.looking.paradigm import as_looking
from toolkit.statistics.kinds import Statistics
from toolkit.statistics.looking.clusters import FEWEST, CourseTest, course_test, find_clusters
from toolkit.statistics.looking.courses import CHANCE, multiverse, time_course
from toolkit.statistics.looking.data import CELL, Curves, Looks, read_looks
from toolkit.statistics.looking.models import (
    CLASSES,
    WindowTest,
    decided,
    growth_curve,
    too_few,
    window_rows,
    window_test,
)
from toolkit.statistics.looking.prose import (
    answers,
    apa,
    contrast_sentence,
    course_sentence,
    window_sentence,
)
from toolkit.statistics.looking.reaction import reaction_time
from toolkit.statistics.looking.results import (
    ConditionCourses,
    CourseResult,
    LookingAnalysis,
    LookingSettings,
)
from toolkit.statistics.looking.summary import LookingSummary, about_looking, summarise_looking
from toolkit.statistics.models.contrasts import holm_p
from toolkit.statistics.models.mixed import engine
from toolkit.statistics.phrases import told_family

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from paradigms import LookingParadigm
    from toolkit.statistics.kinds import Progress
    from toolkit.statistics.looking.models import Growth
    from toolkit.statistics.settings import Settings

Cells = dict[tuple[str, str, str], "pd.DataFrame"]


def analyse_looks(looks: Looks, paradigm: LookingParadigm, alpha: float = 0.05) -> LookingAnalysis:
    """Run the analysis of a paradigm of looking.

    Args:
        looks: what `toolkit.statistics.looking.data.read_looks` gave.
        paradigm: declares window, models, conditions and contrasts.
        alpha: level of the tests, fixed in advance.
    """
    settings = LookingSettings(alpha, paradigm.window_ms, paradigm.formula, paradigm.growth)
    order = [condition.name for condition in paradigm.conditions]
    grouped = looks.table.groupby(CELL, observed=True, sort=False)
    cells: Cells = {(str(who), str(code), str(name)): own for (who, code, name), own in grouped}
    known = [name for name in order if any(name == key[2] for key in cells)]
    known += sorted({key[2] for key in cells} - {*known})
    places = dict.fromkeys(key[:2] for key in cells)
    keys = [(*place, name) for place in places for name in known if (*place, name) in cells]
    results = [_result(key, cells[key], paradigm, settings) for key in keys]
    contrasts = list(_contrasts(cells, paradigm))
    results = _corrected(results, alpha)
    judged = decided([own.window for own in contrasts], alpha)
    contrasts = [
        replace(own, window=test, whole=whole)
        for own, test, whole in zip(
            contrasts, judged, _courses([own.whole for own in contrasts]), strict=True
        )
    ]
    analysis = LookingAnalysis(
        engine=engine(),
        paradigm=paradigm.name,
        paradigm_version=looks.version,
        question=paradigm.question,
        settings=settings,
        results=tuple(results),
        contrasts=tuple(contrasts),
        families=tuple(_families(results, contrasts)),
        warnings=tuple(_warnings(looks, results)),
    )
    return replace(
        analysis,
        answers=tuple(answers(analysis)),
        apa=apa(analysis),
        sentences=(
            *(window_sentence(own, paradigm.window_ms) for own in results),
            *map(course_sentence, results),
            *map(contrast_sentence, contrasts),
        ),
    )


def _result(
    key: tuple[str, str, str],
    looks: pd.DataFrame,
    paradigm: LookingParadigm,
    settings: LookingSettings,
) -> CourseResult:
    curves = Curves.of(looks)
    population, language, condition = key
    clusters = find_clusters(curves.shares - CHANCE, curves.gates_ms)
    return CourseResult(
        population=population,
        test_language=language,
        condition=condition,
        headline=paradigm.headline(condition),
        unit=str(looks["unit"].iloc[0]),
        n_trials=len(looks) // len(curves.gates_ms),
        temperature=float(looks.groupby("seed", observed=True)["temperature"].mean().mean()),
        course=time_course(curves),
        window=window_test(window_rows(looks, settings.window_ms), settings.formula, CHANCE),
        multiverse=multiverse(curves, settings.alpha),
        clusters=clusters,
        whole=course_test(clusters, len(curves.seeds)),
        reaction=reaction_time(looks),
        growth=growth_curve(looks, settings.growth),
    )


def _contrasts(cells: Cells, paradigm: LookingParadigm) -> Iterator[ConditionCourses]:
    """Differences between conditions over the same participants, words and distractors."""
    for population, language in dict.fromkeys(key[:2] for key in cells):
        for asked in paradigm.contrasts:
            names = [(population, language, name) for name in (asked.plus, asked.minus)]
            if not {*names} <= {*cells}:
                continue
            pair, keys = [cells[name] for name in names], ["seed", *CLASSES]
            rows = [window_rows(own, paradigm.window_ms).set_index(keys)["looking"] for own in pair]
            plus, minus = (Curves.of(own) for own in pair)
            differences = plus.less(minus)
            clusters = find_clusters(differences, plus.gates_ms)
            yield ConditionCourses(
                population=population,
                test_language=language,
                plus=asked.plus,
                minus=asked.minus,
                question=asked.question,
                window=_difference(rows, paradigm.formula),
                clusters=clusters,
                whole=course_test(clusters, len(differences)),
            )


def _difference(rows: Sequence[pd.Series[float]], formula: str) -> WindowTest:
    differences = (rows[0] - rows[1]).dropna().reset_index()
    return window_test(differences, formula, 0.0)


def _corrected(results: Sequence[CourseResult], alpha: float) -> list[CourseResult]:
    """Holm's correction over the headline conditions, and over the controls by themselves."""
    judged = list(results)
    for headline in (True, False):
        places = [place for place, own in enumerate(results) if own.headline == headline]
        tests = decided([results[place].window for place in places], alpha)
        courses = _courses([results[place].whole for place in places])
        curves = _growths([results[place] for place in places])
        for place, test, whole, growth in zip(places, tests, courses, curves, strict=True):
            judged[place] = replace(results[place], window=test, whole=whole, growth=growth)
    return judged


def _courses(tests: Sequence[CourseTest]) -> list[CourseTest]:
    """Tests of whole courses, corrected for each other."""
    ps = holm_p([test.p_value for test in tests])
    return [replace(test, p_holm=p) for test, p in zip(tests, ps, strict=True)]


def _growths(results: Sequence[CourseResult]) -> list[Growth]:
    """Growth curves, all their linear and quadratic terms corrected for each other."""
    terms = [
        math.nan if too_few(own.window.n_seeds, own.window.n_words) else one.p_value
        for own in results
        for one in (own.growth.linear, own.growth.quadratic)
    ]
    ps = iter(holm_p(terms))
    return [
        replace(
            own.growth,
            linear=replace(own.growth.linear, p_holm=next(ps)),
            quadratic=replace(own.growth.quadratic, p_holm=next(ps)),
        )
        for own in results
    ]


def _families(
    results: Sequence[CourseResult], contrasts: Sequence[ConditionCourses]
) -> Iterator[str]:
    heads = [own for own in results if own.headline]
    windows = {
        "the declared window against chance": [own.window for own in heads],
        "a condition against another": [own.window for own in contrasts],
    }
    for name, tests in windows.items():
        if tests:
            lost = sum(test.verdict in ("few", "undecided") for test in tests)
            yield told_family(name, len(tests), lost)
    further = {
        "whole courses by cluster permutation": [own.whole.p_holm for own in heads],
        "differences of whole courses": [own.whole.p_holm for own in contrasts],
        "linear and quadratic terms of growth": [
            term.p_holm for own in heads for term in (own.growth.linear, own.growth.quadratic)
        ],
    }
    for name, ps in further.items():
        if ps:
            yield told_family(name, len(ps), sum(map(math.isnan, ps)))
    yield (
        "p-values of single clusters are uncorrected over courses; all other windows and reaction "
        "times are described, not tested"
    )


def _warnings(looks: Looks, results: Sequence[CourseResult]) -> Iterator[str]:
    few = [own for own in results if own.window.n_seeds < FEWEST]
    if few:
        yield (
            f"A cluster test needs {FEWEST} participants: there is none for "
            f"{', '.join(dict.fromkeys(own.population for own in few))}."
        )
    singular = [
        f"{own.population} in {own.test_language}, {own.condition}"
        for own in results
        if own.window.fit is not None and own.window.fit.singular
    ]
    if singular:
        yield (
            "Singular fits of the window (a variance estimated as 0), kept as they are: "
            f"{'; '.join(singular)}."
        )


def analyse_looking(
    paths: Sequence[Path], paradigms: Path | None, settings: Settings, progress: Progress
) -> dict[str, LookingAnalysis]:
    """Analyse every paradigm of looking among some runs; see `toolkit.statistics.kinds`."""
    from paradigms.registry import get_paradigm

    return {
        name: analyse_looks(looks, as_looking(get_paradigm(name, paradigms)), settings.alpha)
        for name, looks in read_looks(paths).items()
    }


STATISTICS = Statistics(
    analyse=analyse_looking,
    result=LookingAnalysis,
    settings=frozenset({"alpha"}),
    results=summarise_looking,
    about=about_looking,
    summary=LookingSummary,
)
"""What is made of looking."""
