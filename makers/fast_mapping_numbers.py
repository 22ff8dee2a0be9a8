"""Makes the tables of docs/battery.md on fast mapping: ``python -m makers.fast_mapping_numbers``.

Without an option the runs are made and the tables written, and what is said there of the learning
rate. With ``--check`` the runs are made too, and compared with what stands there; nothing is
written, and the exit code is 1 where they differ. ``--runs DIR`` keeps the runs, so that asking
again does only what is missing. Names do one of them: ``fast-mapping``, ``fast-mapping-gradient``
(a network takes about ten seconds per language there), ``learning-rate``.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import log_softmax

from makers.readme_numbers import alike
from makers.readme_runs import TRAINED, UNTRAINED
from paradigms import GradientSteps
from paradigms.choices.paradigm import as_choices
from paradigms.fast_mapping import FastMappingByGradient
from paradigms.registry import get_paradigm
from reports.numbers import estimate, p_value, points
from reports.terminal import say
from stimuli import open_set
from stimuli.files import write_atomic
from toolkit.running.choices import run, trial_rng
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.summary import summarise
from toolkit.subjects.populations import open_population

if TYPE_CHECKING:
    from toolkit.statistics.choices.condition_contrasts import ConditionTest
    from toolkit.statistics.choices.trends import TrendTest
    from toolkit.subjects.contract import Ints, Pupils

PAGE = Path(__file__).parent.parent / "docs" / "battery.md"
PER_CLASS = {"fast-mapping": 20, "fast-mapping-gradient": 5}
"""Sessions of each word, by paradigm."""
RATE = "learning-rate"
LEARNER, LANGUAGE, N_LESSONS = "bilingual-en-nl/a", "en", 10
"""Who takes which lessons with other rates."""
FACTORS = (0.1, 10.0)
"""Other rates, as multiples of the declared one."""
SHOWN = (
    *("referent-selection", "untaught", "at-once", "four-exposures", "retention"),
    *("eight-others", "four-batches", "ostensive"),
)
"""Conditions of the table."""
TESTED = (
    *("retention - untaught", "ostensive - retention", "exposures", "interference"),
    *("further training", "forgetting rate"),
)
"""Contrasts, trends and the rate, as the paradigm declares them."""


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the numbers of fast mapping from runs.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the runs in this folder")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join((*PER_CLASS, RATE))}")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.names if name not in (*PER_CLASS, RATE)]:
        parser.error(f"no such part: {', '.join(unknown)}")
    with nullcontext(asked.runs) if asked.runs else tempfile.TemporaryDirectory() as folder:
        codes = [
            _settled(name, "\n".join(lines(name, Path(folder))), asked.check)
            for name in asked.names or (*PER_CLASS, RATE)
        ]
    return max(codes)


def _settled(name: str, block: str, check: bool) -> int:
    """Write one part of the page or compare it; the exit code."""
    page = PAGE.read_text(encoding="utf-8")
    known = re.search(rf"<!-- numbers:{name} -->\n(.*?)\n *<!-- /numbers -->", page, re.S)
    if known is None:
        say(f"{PAGE.name} has no place for {name}.", error=True)
        return 1
    if check:
        if alike(known[1], block):
            return 0
        say(f"{PAGE.name} says\n{known[1]}\nand the runs give\n{block}")
        return 1
    with write_atomic(PAGE) as path:
        path.write_text(page[: known.start(1)] + block + page[known.end(1) :], encoding="utf-8")
    return 0


def lines(name: str, root: Path) -> Iterator[str]:
    """A part of the page, line by line."""
    return rates() if name == RATE else tables(name, root)


def rates() -> Iterator[str]:
    """What the declared steps do to the objective in lessons, at the declared rate and others."""
    before, after = lessons_fitted([1.0, *FACTORS])
    rate = _rule().rate
    others = [
        f"{value:.2f} at a rate of {factor * rate:g}"
        for factor, value in zip(FACTORS, after[1:], strict=True)
    ]
    yield f"  In the first {N_LESSONS} lessons of `{LEARNER}` in {LANGUAGE} the objective falls"
    yield f"  from {before:.2f} to {after[0]:.2f} by them; to {', to '.join(others)}."


def lessons_fitted(factors: Sequence[float]) -> tuple[float, list[float]]:
    """Mean objective of lessons before they are taken, and after them at some rates.

    Args:
        factors: the rates, as multiples of the declared one.
    """
    paradigm, stimuli, rule = get_paradigm("fast-mapping-gradient"), open_set("mini"), _rule()
    population = open_population(LEARNER)
    trials = as_choices(paradigm).trials(
        stimuli,
        LANGUAGE,
        trial_rng(paradigm, stimuli, LANGUAGE, 0),
        per_class=1,
        languages=population.languages,
    )
    lessons = trials.lessons
    if lessons is None:
        raise TypeError("these trials teach nothing")
    first = np.flatnonzero(lessons.after < 0)[:N_LESSONS]
    taken = [np.flatnonzero(lessons.phase == number) for number in first]
    subject: Any = population.load(population.seeds[0])
    pupils = subject.pupils(
        subject.hearing.load().features([stimuli.read_clip(one) for one in trials.word_ids]),
        subject.seeing.load().features([stimuli.read_picture(one) for one in trials.option_ids]),
        rate=rule.rate,
        steps=rule.steps,
    )
    states = [pupils.start] * len(taken)
    words = [lessons.word[own] for own in taken]
    shown = [lessons.shown[own] for own in taken]
    pictures = [
        # What a subject learns from is its own choice.
        np.where((own[:, 1] >= 0) & (scores[:, 1] > scores[:, 0]), own[:, 1], own[:, 0])
        for own, scores in zip(shown, pupils.scores(states, words, shown), strict=True)
    ]
    after = [
        _cross_entropy(pupils, pupils.learn(states, words, pictures), words, pictures)
        for pupils in (replace(pupils, rate=factor * rule.rate) for factor in factors)
    ]
    return _cross_entropy(pupils, states, words, pictures), after


def _cross_entropy(
    pupils: Pupils, states: Sequence[Any], words: Sequence[Ints], pictures: Sequence[Ints]
) -> float:
    """Of every word's picture among those of its lesson, and of every picture's word; their sum."""
    every = [np.tile(own, (len(own), 1)) for own in pictures]
    found = []
    for scores in pupils.scores(states, words, every):
        both = log_softmax(scores, axis=1).diagonal() + log_softmax(scores, axis=0).diagonal()
        found.append(-float(both.mean()))
    return float(np.mean(found))


def _rule() -> GradientSteps:
    rule = FastMappingByGradient.rule
    if not isinstance(rule, GradientSteps):
        raise TypeError("no gradient steps")
    return rule


def tables(name: str, root: Path) -> Iterator[str]:
    """The tables of a paradigm."""
    paradigm = get_paradigm(name)
    populations = [open_population(one) for one in (*TRAINED, UNTRAINED)]
    done = run(paradigm, populations, open_set("mini"), per_class=PER_CLASS[name], root=root)
    results = summarise(done, paradigm).results
    found = analyse_runs([done.directory.folder])[name]
    if not isinstance(found, Analysis):
        raise TypeError(f"{name} is analysed as {found.paradigm_kind}")
    cells = dict.fromkeys((row.population, row.test_language) for row in results)
    shares = {(row.population, row.test_language, row.condition): row for row in results}
    yield f"| population | language | {' | '.join(SHOWN)} |"
    yield "| --- " * (len(SHOWN) + 2) + "|"
    for who, language in cells:
        shown = []
        for condition in SHOWN:
            row = shares[who, language, condition]
            shown.append(estimate(row.mean, math.nan, math.nan, 100))
            if condition in ("referent-selection", "retention"):
                shown[-1] = estimate(row.mean, row.ci_low, row.ci_high, 100)
        yield f"| `{who}` | {language} | {' | '.join(shown)} |"
    yield ""
    yield f"| population | language | {' | '.join(TESTED)} |"
    yield "| --- " * (len(TESTED) + 2) + "|"
    for who, language in cells:
        told = [_difference(one) for one in found.conditions if _of(one, who, language)]
        told += [_difference(one) for one in found.trends if _of(one, who, language)]
        (rate,) = (
            one for one in found.forgetting if _of(one, who, language) and "word" in one.since
        )
        told.append(rate.problem or estimate(rate.rate, rate.ci_low, rate.ci_high, digits=2))
        yield f"| `{who}` | {language} | {' | '.join(told)} |"


def _of(test: object, who: str, language: str) -> bool:
    return (vars(test)["population"], vars(test)["test_language"]) == (who, language)


def _difference(test: ConditionTest | TrendTest) -> str:
    """Percentage points with their interval, and p after correction."""
    effect = test.contrast
    if effect is None:
        return test.problem
    return f"{points(effect)}, p {p_value(effect.p_holm)}"


if __name__ == "__main__":
    sys.exit(main())
