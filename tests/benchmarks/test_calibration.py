"""False alarms and coverage of reported tests and intervals, in ten designs from small to usual.

Intervals over seeds are held against the accuracy of further seeds with the very items drawn, and
penalised ones are counted in designs of their own, in which answers are often all the same.

As a script it makes ``calibration.csv``, from which the table of the documentation is:
``python -m tests.benchmarks.test_calibration EXPERIMENTS MORE [DESIGN ...]``.

Words, the effect of bilingual training on a word, pictures, distractors and seeds vary. False
alarms are counted in experiments in which nothing differs, coverage in others, in which the
populations lie above chance and apart. Designs are named by seeds and words; the monolingual and
the bilingual population have that many seeds each, and one language is tested.
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
from scipy.special import expit, logit

from paradigms import ConditionContrast
from paradigms.formula import parse
from paradigms.mutual_exclusivity import MutualExclusivity
from toolkit.processes.workers import mapping
from toolkit.statistics.choices.chance import decided
from toolkit.statistics.choices.chance import test_chance as against_chance
from toolkit.statistics.choices.condition_contrasts import contrast_tests
from toolkit.statistics.choices.describe import accuracy_over_seeds, seeds_of_counts
from toolkit.statistics.choices.groups import _compared, _model, compare_groups
from toolkit.statistics.choices.seeds import compare_seeds

SDS = {"word": 0.6, "slope": 0.25, "picture": 0.4, "distractor": 0.3}
"""Log odds; of the order found in the shipped populations."""
LEVEL, EFFECT = 0.4, 0.5
"""Log odds of a correct answer, and of the difference between groups, where something differs."""
N_DISTRACTORS, N_PICTURES = 13, 10
FORMULA = parse(MutualExclusivity.formula)
RESULTS = Path(__file__).with_name("calibration.csv")
"""Per cent, and of how many experiments."""
LONGER = ("contrast: likelihood ratio", "control: t", "interval: control")
"""Tests of which fewer experiments are made."""
CONTRAST = (ConditionContrast("novel-familiar", "novel*-familiar", "?"),)


@dataclass(frozen=True)
class Design:
    """Who is asked what."""

    seeds: tuple[int, int]
    """Seeds of the monolingual and of the bilingual population."""
    words: int
    """Words."""
    trials: int = 50
    """Trials per word and seed."""
    seed_sd: float = 0.15
    """Standard deviation between seeds, log odds."""
    missing: float = 0.0
    """Share of the cells of seed and word that were not asked."""
    level: float = LEVEL
    """Log odds of a correct answer of the monolingual population, where something differs."""


DESIGNS = {
    "3 x 8": Design((3, 3), 8),
    "3 x 8, seed SD .8": Design((3, 3), 8, seed_sd=0.8),
    "3 x 8, 4 trials per word": Design((3, 3), 8, trials=4),
    "3 x 20, 3 trials per word": Design((3, 3), 20, trials=3),
    "3 against 10 x 20": Design((3, 10), 20),
    "5 x 8, 40 % missing": Design((5, 5), 8, missing=0.4),
    "3 x 3": Design((3, 3), 3),
    "2 x 8": Design((2, 2), 8),
    "5 x 20": Design((5, 5), 20),
    "40 children x 8, 1 trial": Design((40, 40), 8, trials=1, seed_sd=0.5),
    "10 x 20": Design((10, 10), 20),
}
"""The ten designs, and that of the included populations."""
SEPARATED = {
    "3 x 8, 4 trials per word, 97 %": Design((3, 3), 8, trials=4, level=3.5),
    "3 x 8, 1 trial per word, 97 %": Design((3, 3), 8, trials=1, level=3.5),
    "5 x 6, 4 trials per word, 97 %": Design((5, 5), 6, trials=4, level=3.5),
    "5 x 6, 4 trials per word, 99 %": Design((5, 5), 6, trials=4, level=4.6),
    "10 children x 6, 1 trial, 97 %": Design((10, 10), 6, trials=1, seed_sd=0.5, level=3.5),
    "10 children x 6, 1 trial, 92 %": Design((10, 10), 6, trials=1, seed_sd=0.5, level=2.5),
    "40 children x 6, 1 trial, 99 %": Design((40, 40), 6, trials=1, seed_sd=0.5, level=4.6),
}
"""Designs in which answers are often all the same, with the share of correct ones."""


def draw(design: Design, rng: np.random.Generator, differs: bool) -> pd.DataFrame:
    """Counts of a monolingual and a bilingual population."""
    n_words, each = design.words, design.trials
    word = np.repeat(np.arange(n_words), each)
    distractor = np.arange(n_words * each) % N_DISTRACTORS
    picture = word * N_PICTURES + np.tile(np.arange(each) % N_PICTURES, n_words)
    words, pictures, distractors = (
        rng.normal(0, SDS[name], n)[places]
        for name, n, places in (
            ("word", n_words, word),
            ("picture", n_words * N_PICTURES, picture),
            ("distractor", N_DISTRACTORS, distractor),
        )
    )
    items = words + pictures + distractors
    slopes = rng.normal(0, SDS["slope"], n_words)[word]
    parts, expected = [], []
    seeds, weights = np.polynomial.hermite_e.hermegauss(40)
    for bilingual, population in enumerate(("monolingual-en", "bilingual-en-nl")):
        level = (design.level + bilingual * EFFECT) * differs
        usual = level + items + bilingual * slopes + design.seed_sd * seeds[:, np.newaxis]
        expected.append(float(np.average(expit(usual).mean(axis=1), weights=weights)))
        for seed in range(design.seeds[bilingual]):
            own = rng.normal(0, design.seed_sd)
            correct = rng.random(len(items)) < expit(level + items + bilingual * slopes + own)
            asked = rng.random(n_words)[word] >= design.missing
            parts.append(
                pd.DataFrame(
                    {
                        "word_concept": word[asked],
                        "distractor_concept": distractor[asked],
                        "n_correct": correct[asked].astype(int),
                        "seed": f"{population}/{seed}",
                        "population": population,
                        "train_languages": "en+nl" if bilingual else "en",
                        "n_languages": 1 + bilingual,
                    }
                )
            )
    counts = summed(pd.concat(parts, ignore_index=True)).assign(condition="novel-familiar")
    counts.attrs["distractors"] = float(distractors.mean())
    counts.attrs["expected"] = expected  # accuracy over further seeds, with these very items
    return counts


def summed(trials: pd.DataFrame) -> pd.DataFrame:
    """Trials as counts."""
    keys = [name for name in trials if name != "n_correct"]
    counts = trials.groupby(keys)["n_correct"].agg(["size", "sum"]).reset_index()
    counts = counts.rename(columns={"size": "n_trials", "sum": "n_correct"})
    words = "w" + counts["word_concept"].astype(str).str.zfill(2)
    return counts.assign(
        word_concept=words,
        distractor_concept="d" + counts["distractor_concept"].astype(str).str.zfill(2),
        target_concept=counts.get("target_concept", words),
        test_language="en",
        subject_kind="model",
        n_choices=2,
        n_ties=0,
    )


def against_control(design: Design, rng: np.random.Generator, differs: bool) -> pd.DataFrame:
    """The test and its mismatched control for one population.

    Targets differ in how much they are preferred, and a target in how much its own word helps.
    """
    n = design.words
    target, word = np.divmod(np.arange(n * n), n)
    level = rng.normal(0, SDS["word"], n)
    heard = rng.normal(0, SDS["distractor"], n)
    own_word = rng.normal(0, SDS["slope"], n) + EFFECT * differs
    parts = []
    for seed in range(design.seeds[0]):
        base = rng.normal(0, design.seed_sd)
        more = rng.normal(0, design.seed_sd / 2)
        for matched, condition in ((True, "novel-familiar"), (False, "novel*-familiar")):
            shown = (target == word) == matched
            t, w = target[shown], word[shown]
            each = rng.multinomial(design.trials * n, np.full(len(t), 1 / len(t)))
            log_odds = base + level[t] + heard[w] + matched * (own_word[t] + more)
            parts.append(
                pd.DataFrame(
                    {
                        "condition": condition, "seed": f"p/{seed}", "population": "p",
                        "target_concept": [f"w{k:02}" for k in t],
                        "word_concept": [f"w{k:02}" for k in w], "distractor_concept": "d",
                        "n_trials": each, "n_correct": rng.binomial(each, expit(log_odds)),
                    }
                )
            )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    return table[table["n_trials"] > 0].assign(
        test_language="en", subject_kind="model", n_choices=2, n_ties=0, n_languages=1
    )


def covers(low: float, high: float, truth: float) -> float:
    """1 if the interval holds the truth; NaN without an interval."""
    return math.nan if math.isnan(low) else float(low <= truth <= high)


def rejects(p_value: float) -> float:
    """1 if a test rejects; NaN if it was not made."""
    return math.nan if math.isnan(p_value) else float(p_value < 0.05)


def experiment(design: Design, seed: tuple[int, ...]) -> dict[str, float]:
    """The tests that give verdicts where nothing differs, and intervals where something does."""
    rng, found = np.random.default_rng(seed), {}
    counts = draw(design, rng, differs=False)
    mono = counts[counts["population"] == "monolingual-en"]
    (chance,) = decided([against_chance(mono, FORMULA)], 0.05)
    found["chance: t"] = rejects(chance.p_value)
    found["chance: Wald z"] = rejects(chance.p_wald)
    found["chance: t of seed means"] = rejects(chance.p_seeds)
    found["chance: no verdict"] = float(bool(chance.problem))
    model = _model("", _compared(counts), 0.05)
    found["contrast: no verdict"] = float(bool(model.problem))
    found["contrast: Welch of seed means"] = rejects(model.seeds.p_value)
    if model.contrast is not None:
        found["contrast: t"] = rejects(model.contrast.p_value)
    return found | coverage(design, rng)


def coverage(design: Design, rng: np.random.Generator) -> dict[str, float]:
    """Which intervals hold the truth, in an experiment in which the populations differ."""
    found = {}
    counts = draw(design, rng, differs=True)
    mono = counts[counts["population"] == "monolingual-en"]
    chance = against_chance(mono, FORMULA)
    found["interval: share"] = covers(chance.ci_low, chance.ci_high, expit(LEVEL))
    model = _model("", _compared(counts), 0.05)
    if model.contrast is not None:
        effect = model.contrast
        found["interval: odds ratio"] = covers(effect.ci_low, effect.ci_high, EFFECT)
        found["interval: points"] = covers(
            *(effect.probability_ci_low, effect.probability_ci_high),
            expit(LEVEL + EFFECT) - expit(LEVEL),
        )
        # Means of groups speak about further seeds and words, and these distractors.
        shown = counts.attrs["distractors"]
        for mean, truth in zip(model.means, (LEVEL, LEVEL + EFFECT), strict=True):
            held = covers(mean.ci_low, mean.ci_high, expit(truth + shown))
            found[f"interval: mean, {mean.name}"] = held
    return found


def more(design: Design, seed: tuple[int, ...]) -> dict[str, float]:
    """What takes longer: the likelihood ratio, and a condition against its control."""
    rng, found = np.random.default_rng((*seed, 1)), {}
    ratio = compare_groups(draw(design, rng, differs=False), 0.05).overall.ratio
    if ratio is not None:
        found["contrast: likelihood ratio"] = rejects(ratio.p_value)
    (control,) = contrast_tests(against_control(design, rng, differs=False), CONTRAST, 0.05)
    if control.contrast is not None:
        found["control: t"] = rejects(control.contrast.p_value)
    (control,) = contrast_tests(against_control(design, rng, differs=True), CONTRAST, 0.05)
    if control.contrast is not None:
        effect = control.contrast
        found["interval: control"] = covers(effect.ci_low, effect.ci_high, EFFECT)
    return found


def over_seeds(design: Design, seed: tuple[int, ...]) -> dict[str, float]:
    """Intervals over seeds, which speak about further seeds with the same items."""
    counts = draw(design, np.random.default_rng((*seed, 2)), differs=True)
    seeds = seeds_of_counts(counts.assign(paradigm="me", paradigm_version=1))
    each = [own["accuracy"].to_numpy() for _, own in seeds.groupby("population", sort=False)]
    found, shown = {}, accuracy_over_seeds(seeds).set_index("population")
    names, truth = ("bilingual-en-nl", "monolingual-en"), counts.attrs["expected"][::-1]
    for name, expected in zip(names, truth, strict=True):
        told = f"seeds: mean, {name.partition('-')[0]}"
        found[told] = covers(shown.loc[name, "ci_low"], shown.loc[name, "ci_high"], expected)
    found["seeds: none"] = float(shown["ci_low"].isna().any())
    compared = compare_seeds("", *each)
    found["seeds: difference"] = covers(compared.ci_low, compared.ci_high, truth[0] - truth[1])
    return found


def separated(design: Design, seed: tuple[int, ...]) -> dict[str, float]:
    """What is told where answers are all the same, by the model or else by a penalised fit."""
    counts, found = draw(design, np.random.default_rng((*seed, 3)), differs=True), {}
    low, high = expit(design.level), expit(design.level + EFFECT)
    chance = against_chance(counts[counts["population"] == "monolingual-en"], FORMULA)
    model = _model("", _compared(counts), 0.05)
    effect, none = model.contrast, (math.nan, math.nan)
    points = (effect.probability_ci_low, effect.probability_ci_high) if effect else none
    for what, made, own, truth in (
        ("share", (chance.ci_low, chance.ci_high), chance.penalised, low),
        ("points", points, model.penalised, high - low),
    ):
        instead = (own.ci_low, own.ci_high) if own else none
        for name, ends in (("penalised", instead), ("either", instead if own else made)):
            found[f"{name}: {what}"] = covers(*ends, truth)
            found[f"{name}: {what}, given"] = float(not math.isnan(ends[0]))
    return found


def rates(name: str, n_experiments: int, n_more: int = 0, jobs: int = 1) -> dict[str, float]:
    """Shares of experiments in which each test rejects, and each interval covers the truth.

    Args:
        name: of the design.
        n_experiments: experiments for the tests that give verdicts, and for intervals.
        n_more: experiments for the likelihood ratio and the control.
        jobs: processes.
    """
    collected = defaultdict(list)
    designs = {**DESIGNS, **SEPARATED}
    usual = ((experiment, n_experiments), (more, n_more), (over_seeds, n_experiments))
    for function, n in usual if name in DESIGNS else ((separated, n_experiments),):
        seeds = [(7, list(designs).index(name), number) for number in range(n)]
        one = partial(function, designs[name])
        with mapping(jobs, at_once=25) as mapped:
            for own in mapped(one, seeds):
                for what, value in own.items():
                    collected[what].append(value)
    return {
        what: float(np.nanmean(values))
        for what, values in collected.items()
        if not np.isnan(values).all()
    }


def between_which(test: str) -> str:
    """The lowest and the highest rate of a test over the designs that get a verdict."""
    table = pd.read_csv(RESULTS).pivot(index="design", columns="test", values="percent")
    judged = table[table["chance: no verdict"] < 100][test]
    return f"{judged.min():.1f} to {judged.max():.1f} %"


def without_verdict() -> float:
    """The highest rate of a deciding test in the designs that get no verdict."""
    table = pd.read_csv(RESULTS).pivot(index="design", columns="test", values="percent")
    small = table[table["chance: no verdict"] == 100]
    return float(small[["chance: t", "contrast: t"]].max(axis=None))


def of_separated(test: str) -> str:
    """The lowest and the highest coverage over the designs in which answers are often all right."""
    table = pd.read_csv(RESULTS)
    found = table.loc[table["design"].isin(list(SEPARATED)) & (table["test"] == test), "percent"]
    return f"{found.min():.1f} to {found.max():.1f} %"


def test_the_documentation_tells_the_committed_results() -> None:
    page = RESULTS.parents[2] / "docs" / "concluding.md"
    said = " ".join(page.read_text(encoding="utf-8").split())
    assert f"{between_which('chance: t')} against chance" in said
    assert f"{between_which('contrast: t')} between groups" in said
    assert f"all words, rejects in {between_which('chance: t of seed means')}" in said
    assert f"a Wald z in {between_which('chance: Wald z')}" in said
    assert f"between groups in {between_which('contrast: likelihood ratio')}" in said
    assert f"of seed means in {between_which('contrast: Welch of seed means')}" in said
    assert f"there t rejected in up to {without_verdict():.1f} %" in said
    mono, bi = (between_which(f"seeds: mean, {name}") for name in ("monolingual", "bilingual"))
    assert f"held that in {mono} and {bi} (means" in said
    assert f"and {between_which('seeds: difference')} (differences)" in said
    shares, points = (of_separated(f"either: {name}") for name in ("share", "points"))
    assert f"held the truth in {shares}, that of the difference in {points}" in said
    shares, points = (of_separated(f"penalised: {name}") for name in ("share", "points"))
    assert f"where it was the penalised one in {shares} and {points}" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["3 x 8", "5 x 20"])
def test_reported_tests_keep_their_level(name: str) -> None:
    n = 150
    band = 3.3 * math.sqrt(0.05 * 0.95 / n)
    found = rates(name, n, n)
    for test in ("chance: t", "contrast: t", "control: t"):
        assert found[test] < 0.05 + band, found
    for what, share in found.items():
        if what.startswith(("interval", "seeds: mean", "seeds: difference")):
            assert share > 0.95 - band, found
    # What the toolkit warns of: tests that ignore further items reject far too often.
    assert found["chance: t of seed means"] > 0.2


@pytest.mark.slow
def test_too_small_a_design_gets_no_verdict() -> None:
    found = rates("2 x 8", 20)
    assert found["chance: no verdict"] == found["contrast: no verdict"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["3 x 8, 1 trial per word, 97 %", "40 children x 6, 1 trial, 99 %"]
)
def test_penalised_intervals_hold_the_truth(name: str) -> None:
    found = rates(name, 40)
    for what in ("share", "points"):
        assert found[f"penalised: {what}, given"] > 0.4
        assert found[f"penalised: {what}"] > 0.85
        assert found[f"either: {what}"] > 0.85


def test_truth_is_what_the_draws_say() -> None:
    counts = draw(DESIGNS["40 children x 8, 1 trial"], np.random.default_rng(0), differs=True)
    assert len(counts) == 80 * 8
    share = counts["n_correct"].sum() / counts["n_trials"].sum()
    assert logit(share) == pytest.approx(LEVEL + EFFECT / 2, abs=0.6)
    many = draw(Design((300, 2), 8, 20, seed_sd=0.8), np.random.default_rng(0), differs=True)
    own = many[many["population"] == "monolingual-en"].groupby("seed")[["n_correct", "n_trials"]]
    accuracies = own.sum()["n_correct"] / own.sum()["n_trials"]
    error = accuracies.std() / math.sqrt(len(accuracies))
    assert accuracies.mean() == pytest.approx(many.attrs["expected"][0], abs=3 * error)


def write(design: str, found: dict[str, float], n_experiments: int, n_more: int) -> None:
    """Put what was found for a design into the committed table."""
    table = pd.read_csv(RESULTS).set_index(["design", "test"])
    for test, share in found.items():
        n = n_more if test in LONGER else n_experiments
        table.loc[(design, test), :] = [round(100 * share, 1), n]
    order = {name: place for place, name in enumerate((*DESIGNS, *SEPARATED))}
    table = table.astype({"n_experiments": int}).sort_index(level="test", kind="stable")
    table = table.sort_index(level="design", key=lambda names: names.map(order), kind="stable")
    table.to_csv(RESULTS)


if __name__ == "__main__":
    numbers = int(sys.argv[1]), int(sys.argv[2])
    for design in sys.argv[3:] or [*DESIGNS, *SEPARATED]:
        print(design, flush=True)  # noqa: T201 - a script
        shares = rates(design, *numbers, jobs=2)
        for what, share in sorted(shares.items()):
            print(f"    {what:36} {100 * share:5.1f}", flush=True)  # noqa: T201
        write(design, shares, *numbers)
