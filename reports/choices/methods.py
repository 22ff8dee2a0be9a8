"""How answers were analysed, in sentences: written from the fits and tests that were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from paradigms.formula import parse
from reports.choices.tables import named_tests, penalised_of
from reports.numbers import percent
from toolkit.statistics.models.contrasts import HIDDEN, LEAST_SEEDS, LEAST_WORDS
from toolkit.statistics.models.penalised import METHOD
from toolkit.statistics.phrases import TIES, count, points

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from reports.choices.tables import Test
    from toolkit.statistics.choices.gates import GateReport
    from toolkit.statistics.choices.results import Analysis

REFERENCE = (
    "Greenland, S., & Mansournia, M. A. (2015). Penalization, bias reduction, and default priors "
    "in logistic and related categorical and survival regressions. Statistics in Medicine, 34, "
    "3133-3143."
)
"""Of penalised fits, where there are any."""
MOST_NAMES = 4
"""So many tests are named beside the formula of their model; the rest are counted."""


def trials(chapter: Chapter[Analysis]) -> Iterator[str]:
    """What was asked in a paradigm of choices."""
    meanings = {row.condition: (row.meaning, row.headline) for row in chapter.results}
    conditions = [
        f"{'Test' if headline else 'Control'} condition {name}: {meaning or 'no meaning recorded'}."
        for name, (meaning, headline) in meanings.items()
    ]
    if not chapter.manifests:
        yield (
            f"Paradigm {chapter.paradigm} (version {chapter.version}; {chapter.question}): how the "
            "trials were made is not recorded."
        )
        yield from conditions
        return
    manifest = chapter.manifests[0]
    stimuli = manifest.stimuli
    yield (
        f"Paradigm {chapter.paradigm} (version {chapter.version}; {chapter.question}): stimuli "
        f"came from the set {stimuli.name} (version {stimuli.version}), test split only, "
        f"with {count(manifest.trials_per_class or 0, 'trial')} per word class and condition."
    )
    if learning := manifest.learning:
        yield (
            "Words were taught in sessions of a few novel words: each was met a number of times "
            "beside its picture and a familiar one, of which the network's own choice was what it "
            "learnt (or beside its picture alone, where the condition says so), then asked for "
            "once, beside its picture and that of another word of the session. Clips and pictures "
            "of the test were never those of an exposure; all conditions of a session asked the "
            "same trials; every session began with the network as it was trained."
        )
        yield learning.told
    shown = chapter.digest.single.trials
    if not learning and not shown.empty and (shown["n_choices"] == 2).all():
        yield (
            "Words, pictures and distractors were counterbalanced: every word equally often, every "
            "distractor class equally often within a word (and every target class, where the word "
            "does not name the target), the target equally often in either place."
        )
    if fixed := manifest.fixed_trials:
        yield (
            f"This does not hold for {', '.join(fixed)}: these trials are a list that the set has "
            "fixed once, taken as it is; only the places of their targets were drawn."
        )
    yield from conditions
    seeds = list(dict.fromkeys(str(told.trial_seed) for told in chapter.manifests))
    if chapter.statistics.draws.empty:
        yield (
            f"Trial lists depend on the trial seed ({', '.join(seeds)}) and not on the network, "
            "so that items are crossed with seeds."
        )
    else:
        yield (
            f"Trial lists depend on the trial seed ({', '.join(seeds)}) and on which words a "
            "network learnt, and on nothing else about it: words are crossed with draws of "
            "familiar words as far as they are familiar, or novel, in them."
        )
    if not chapter.statistics.lists.empty:
        yield (
            "Answers to several lists were added up per network, word and distractor, so that a "
            "network is one participant."
        )


def analysis(chapter: Chapter[Analysis]) -> Iterator[str]:
    """Models, corrections, families and gates of a paradigm."""
    found = chapter.statistics
    groups = [model for group in found.groups for model in group.models]
    asked: list[tuple[str, Sequence[Test]]] = [
        ("against chance, per population and language", found.chance),
        ("the test against its controls", found.conditions),
        ("trends over graded factors", found.trends),
        ("bilingual against monolingual", groups),
    ]
    told = [f"{what}: {_formulas(tests)}" for what, tests in asked if tests]
    yield (
        f"Answers in {chapter.paradigm} were analysed with logistic mixed-effects models "
        f"({found.engine}, Laplace approximation){''.join(f'; {text}' for text in told)}."
    )
    if not found.draws.empty:
        yield (
            "Networks differed in the words that they had learnt; every draw of familiar words, "
            "with all its seeds, was one participant, so that tests and intervals are about "
            "further word lists from the same concepts."
        )
    yield TIES
    yield (
        "Standard errors were corrected for the numbers of seeds and items (each share of the "
        "variance times n over its degrees of freedom). Degrees of freedom are Satterthwaite's; "
        f"every source is taken to hide {Fraction(HIDDEN).limit_denominator(100)} of what is left "
        "of the variance beside its own share, since a variance that is estimated as 0 from few "
        "levels need not be 0."
    )
    yield (
        f"With fewer than {LEAST_SEEDS} seeds (of either group) or {LEAST_WORDS} words no verdict "
        "is given, only estimates."
    )
    if groups:
        bound = points(found.settings.bound)
        yield (
            "Secondary comparisons of groups are over seed means: Welch's t test, Hedges' g, the "
            "Bayes factor of Student's t test, and equivalence (TOST) to within "
            f"{bound}."
        )
    instead = _penalised(chapter)
    if instead:
        yield (
            f"Where the data do not decide a model ({_counted(instead)}), an estimate without a "
            f"test is given from a fit that is {METHOD} (Greenland & Mansournia, 2015)."
        )
    if found.forgetting:
        yield (
            "Forgetting is described by chance + (at once - chance) exp(-rate n), fitted to the "
            "means over seeds by least squares, with intervals from a jackknife over seeds; n "
            "counts the other words, or the batches of familiar words, since the exposure."
        )
    if found.families:
        yield f"Families of tests, as planned: {'; '.join(found.families)}."
    yield from _gate(found.gate)


def references(chapter: Chapter[Analysis]) -> list[str]:
    """What the methods cite besides the toolkit and the studies."""
    return [REFERENCE] if _penalised(chapter) else []


def _penalised(chapter: Chapter[Analysis]) -> list[str]:
    """Names of the tests for which a penalised fit stands in."""
    return [name for name, test in named_tests(chapter.statistics) if penalised_of(test)]


def _formulas(tests: Iterable[Test]) -> str:
    """The formulas that were fitted, with how often where there are several."""
    fitted: dict[str, int] = {}
    lost = 0
    for test in tests:
        fit = test.fit
        if fit and fit.converged:
            formula = in_order(fit.fitted_formula)
            fitted[formula] = fitted.get(formula, 0) + 1
        else:
            lost += 1
    told = [
        f"{formula} ({count(n, 'model')})" if len(fitted) > 1 or lost else formula
        for formula, n in sorted(fitted.items(), key=lambda pair: -pair[1])
    ]
    if lost:
        told.append(f"{count(lost, 'model')} not decided by the data")
    return ", ".join(told)


def in_order(formula: str) -> str:
    """A formula with its random terms in the order of the alphabet: the engine reorders them.

    Example:
        >>> in_order("y ~ x + (1 | word) + (1 | seed)")
        'y ~ x + (1 | seed) + (1 | word)'
    """
    parts = parse(formula)
    return str(replace(parts, random=tuple(sorted(parts.random, key=lambda term: term.group))))


def _counted(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return "; ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _gate(gate: GateReport) -> Iterator[str]:
    if gate.condition:
        yield (
            f"Seeds with less than {percent(gate.minimum)} correct in {gate.condition} were set "
            f"aside ({len(gate.failed)} of {gate.n_tested})."
        )
