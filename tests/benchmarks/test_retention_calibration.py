"""False alarms of the retention tests, and coverage of forgetting rates, with 5 and 10 seeds.

As a script it makes ``retention_calibration.csv``:
``python -m tests.benchmarks.test_retention_calibration EXPERIMENTS [DESIGN ...]``.

Sessions are those of `fast-mapping`: four of twenty words are taught together and asked for beside
each other, before and after. Words differ in how much they are preferred unlearnt, as targets and
as foils; in how much learning does for them; trials in their clips and pictures, which both
conditions share; sessions in what was selected, some of it alike for all seeds, some not; seeds in
all of it. False alarms are counted in experiments in which words are neither known nor learnt on
average, coverage of rates in others, in which each word is forgotten at one rate.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from paradigms import ConditionContrast
from paradigms.fast_mapping import FastMapping
from paradigms.formula import parse
from tests.benchmarks.test_calibration import covers, rejects, summed
from toolkit.processes.workers import mapping
from toolkit.statistics.choices.chance import test_chance as against_chance
from toolkit.statistics.choices.condition_contrasts import contrast_tests
from toolkit.statistics.choices.forgetting import forgetting_rates

SDS = {
    "word": 0.5, "foil": 0.3, "slope": 0.3, "trial": 0.5, "session": 0.3, "selected": 0.3,
    "seed": 0.15, "seed slope": 0.15,
}  # fmt: skip
"""Log odds; those of words, foils and seeds of the order found in the included populations."""
TAUGHT = 4
FORMULA = parse(FastMapping.formula).at_one_level
CONTRAST = (ConditionContrast("retention", "untaught", "?"),)
RATE, KNOWN = 0.25, 0.3
"""Forgetting rate per other word, and share correct above chance at once."""
RESULTS = Path(__file__).with_name("retention_calibration.csv")
"""Per cent, and of how many experiments."""


@dataclass(frozen=True)
class Design:
    """Who is asked what."""

    seeds: int
    """Seeds of the population."""
    words: int = 20
    """Novel words."""
    trials: int = 50
    """Sessions of each word."""


DESIGNS = {"5 x 20": Design(5), "10 x 20": Design(10)}


def sessions(design: Design, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Word, foil and session of every trial."""
    words, foils, numbers = [], [], []
    for number in range(design.trials):
        for part in np.array_split(rng.permutation(design.words), design.words // TAUGHT):
            words.append(part)
            foils.append(np.roll(part, -1 - number % (len(part) - 1)))
            numbers.append(np.full(len(part), len(numbers)))
    return np.concatenate(words), np.concatenate(foils), np.concatenate(numbers)


def draw(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """Counts before and after learning, where nothing is known and nothing learnt on average."""
    word, foil, session = sessions(design, rng)
    n_sessions = session[-1] + 1

    def effect(name: str, n: int) -> np.ndarray:
        return rng.normal(0, SDS[name], n)

    items = effect("word", design.words)[word] - effect("foil", design.words)[foil]
    items = items + effect("trial", len(word))
    learnt = effect("slope", design.words)[word] + effect("session", n_sessions)[session]
    parts = []
    for seed in range(design.seeds):
        own = items + effect("seed", 1)
        after = learnt + effect("seed slope", 1) + effect("selected", n_sessions)[session]
        for condition, log_odds in (("untaught", own), ("retention", own + after)):
            parts.append(answers(condition, seed, word, foil, expit(log_odds), rng))
    return summed(pd.concat(parts, ignore_index=True))


def forgotten(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """Counts at once and after other words, where words are forgotten at one rate."""
    word, foil, _ = sessions(design, rng)
    known = expit(rng.normal(0, SDS["word"], design.words))[word]
    parts = []
    for seed in range(design.seeds):
        own = np.clip(known + rng.normal(0, 0.05), 0, 1)
        for condition in FastMapping.conditions:
            if condition.name in ("at-once", "two-others", "retention", "eight-others"):
                above = 2 * KNOWN * own * math.exp(-RATE * condition.others)
                parts.append(answers(condition.name, seed, word, foil, 0.5 + above / 2, rng))
    return summed(pd.concat(parts, ignore_index=True))


def answers(
    condition: str,
    seed: int,
    word: np.ndarray,
    foil: np.ndarray,
    probability: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Trials of one seed in one condition."""
    return pd.DataFrame(
        {
            "condition": condition, "seed": f"p/{seed}", "population": "p", "n_languages": 1,
            "word_concept": word, "distractor_concept": foil,
            "n_correct": (rng.random(len(word)) < probability).astype(int),
        }
    )  # fmt: skip


def experiment(design: Design, seed: tuple[int, ...]) -> dict[str, float]:
    """The tests where nothing is retained, and the interval of the rate where something is."""
    rng, found = np.random.default_rng(seed), {}
    counts = draw(design, rng)
    chance = against_chance(counts[counts["condition"] == "retention"], FORMULA)
    found["retention: t"] = rejects(chance.p_value)
    (taught,) = contrast_tests(counts, CONTRAST, 0.05)
    if taught.contrast is not None:
        found["retention - untaught: t"] = rejects(taught.contrast.p_value)
    (rate,) = forgetting_rates(forgotten(design, rng), FastMapping.conditions, FastMapping.graded)
    found["forgetting rate: interval"] = covers(rate.ci_low, rate.ci_high, RATE)
    return found


def rates(name: str, n_experiments: int, jobs: int = 1) -> dict[str, tuple[float, int]]:
    """Shares of experiments in which each test rejects, or the interval holds, and of how many."""
    collected: dict[str, list[float]] = defaultdict(list)
    seeds = [(11, list(DESIGNS).index(name), number) for number in range(n_experiments)]
    with mapping(jobs, at_once=25) as mapped:
        for own in mapped(partial(experiment, DESIGNS[name]), seeds):
            for what, value in own.items():
                collected[what] += [] if math.isnan(value) else [value]
    return {what: (float(np.mean(values)), len(values)) for what, values in collected.items()}


def test_committed_results_keep_their_level() -> None:
    table = pd.read_csv(RESULTS).set_index(["design", "test"])
    for design in DESIGNS:
        own = table.loc[design]
        assert (own["n_experiments"] >= 300).all()
        assert own.loc["retention: t", "percent"] == pytest.approx(5, abs=2)
        assert own.loc["retention - untaught: t", "percent"] == pytest.approx(5, abs=2)
        assert own.loc["forgetting rate: interval", "percent"] >= 93


@pytest.mark.slow
@pytest.mark.parametrize("name", list(DESIGNS))
def test_retention_tests_keep_their_level(name: str) -> None:
    n = 60
    band = 3.3 * math.sqrt(0.05 * 0.95 / n)
    found = rates(name, n)
    assert found["retention: t"][0] < 0.05 + band
    assert found["retention - untaught: t"][0] < 0.05 + band
    assert found["forgetting rate: interval"][0] > 0.95 - band


def test_draws_are_those_of_sessions() -> None:
    word, foil, session = sessions(Design(5, words=20, trials=3), np.random.default_rng(0))
    assert np.bincount(word).tolist() == [3] * 20
    assert (word != foil).all()
    for number in np.unique(session):
        assert set(word[session == number]) == set(foil[session == number])


def write(design: str, found: dict[str, tuple[float, int]]) -> None:
    """Put what was found for a design into the committed table."""
    old = pd.read_csv(RESULTS) if RESULTS.exists() else pd.DataFrame(columns=["design"])
    new = pd.DataFrame(
        [
            {"design": design, "test": test, "percent": round(100 * share, 1), "n_experiments": n}
            for test, (share, n) in found.items()
        ]
    )
    table = pd.concat([old[old["design"] != design], new]).astype({"n_experiments": int})
    table.to_csv(RESULTS, index=False)


if __name__ == "__main__":
    for design in sys.argv[2:] or list(DESIGNS):
        shares = rates(design, int(sys.argv[1]), jobs=1)
        for what, (share, n) in sorted(shares.items()):
            print(f"{design}: {what:28} {100 * share:5.1f} % of {n}", flush=True)  # noqa: T201
        write(design, shares)
