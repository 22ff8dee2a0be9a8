"""Children beside models, item by item and by looking: known answers, and what cannot be said."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import ToolkitError
from toolkit.statistics.children.curve import curve_of_studies
from toolkit.statistics.children.items import ItemMatch, correlation, match_items
from toolkit.statistics.children.looking import (
    BETAS,
    divergence,
    fit_temperature,
    match_looking,
)
from toolkit.statistics.children.results import AgeComparison, Band
from toolkit.statistics.children.words import answers

SHARED = Path(__file__).parents[4] / "shared" / "data"
WORDS = tuple(f"word{number}" for number in range(20))


def counts(
    kind: str, name: str, chances: np.ndarray, n: int, seed: int, n_trials: int = 4
) -> pd.DataFrame:
    """Answers of n subjects, each with the same chances of being right about every word."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "subject_kind": kind, "population": name, "seed": f"{name}/{number}",
            "test_language": "en", "condition": "novel-familiar", "word_concept": word,
            "n_trials": n_trials, "n_correct": int(rng.binomial(n_trials, chance)),
        }
        for number in range(n)
        for word, chance in zip(WORDS, chances, strict=False)
    ]  # fmt: skip
    return pd.DataFrame(rows)


HARD = np.linspace(0.2, 0.9, len(WORDS))


def matched(children: pd.DataFrame, models: pd.DataFrame) -> ItemMatch:
    (found,) = match_items(pd.concat([children, models]), n_bootstrap=300)
    return found


def test_the_correlation_is_pearsons_over_words() -> None:
    children = counts("child", "children", HARD, 12, 1)
    models = counts("model", "models", HARD, 8, 2, 20)
    found = matched(children, models)
    # Everybody was asked every word as often, so that sums are as good as shares.
    right = [own.groupby("word_concept")["n_correct"].sum() for own in (children, models)]
    expected = np.corrcoef(right[0][list(WORDS)], right[1][list(WORDS)])[0, 1]
    assert found.correlation == pytest.approx(expected)
    assert found.ci_low < expected < found.ci_high
    assert found.verdict == "alike"
    assert (found.n_words, found.n_children, found.n_models) == (20, 12, 8)


def test_the_reliability_is_what_another_group_of_children_reaches() -> None:
    """Two groups of as many children correlate, on average, as split halves foretell."""
    between, foretold = [], []
    for seed in range(12):
        one, other = (counts("child", "children", HARD, 6, 100 * seed + k, 1) for k in (0, 1))
        both = [
            own.groupby("word_concept")["n_correct"].mean()[list(WORDS)].to_numpy()
            for own in (one, other)
        ]
        between.append(float(correlation(*both)))
        foretold.append(matched(one, counts("model", "models", HARD, 2, seed)).reliability)
    assert np.mean(foretold) == pytest.approx(np.mean(between), abs=0.08)
    assert np.mean(foretold) < 0.75, "one answer of six children is noisy"


def test_no_model_goes_beyond_the_ceiling() -> None:
    """A model that knows how hard each word is reaches about the ceiling."""
    exact = counts("model", "models", HARD, 1, 0, 20_000)
    reached, ceilings = [], []
    for seed in range(12):
        found = matched(counts("child", "children", HARD, 6, seed, 1), exact)
        reached.append(found.correlation)
        ceilings.append(found.ceiling)
    assert np.mean(reached) == pytest.approx(np.mean(ceilings), abs=0.06)


def test_children_who_differ_by_noise_alone_say_nothing_of_models() -> None:
    flat = np.full(len(WORDS), 0.6)
    found = matched(counts("child", "children", flat, 10, 3, 2), counts("model", "m", HARD, 5, 4))
    assert found.reliability_low <= 0
    assert found.verdict == "unreliable"
    assert "says nothing about the models" in answers([], [found], [])[-1][1]


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        ({"n_words": 3}, "few", "they share 3 words, too few"),
        ({"correlation": math.nan}, "flat", "every word alike"),
        ({"reliability_low": -0.1}, "unreliable", "is not shown"),
        ({"ci_low": 0.1}, "alike", "not say that they are for the same reason"),
        ({"ci_high": -0.1}, "unlike", "rather the opposite"),
        ({}, "open", "no proof of the contrary"),
    ],
)
def test_every_verdict_has_its_words(changes: dict[str, float], verdict: str, said: str) -> None:
    match = ItemMatch(
        children="c", models="m", test_language="en", condition="nf", n_words=20,
        n_children_words=20, n_children=30, n_models=10, correlation=0.0, ci_low=-0.4,
        ci_high=0.4, reliability=0.6, reliability_low=0.3, reliability_high=0.8,
    )  # fmt: skip
    changed = replace(match, **changes)  # type: ignore[arg-type]
    assert changed.verdict == verdict
    question, answer = answers([], [changed], [])[-1]
    assert said in answer
    assert "m find those words hard that c find hard" in question


def test_few_words_and_equal_answers_have_no_correlation() -> None:
    few = matched(counts("child", "c", HARD[:4], 5, 0), counts("model", "m", HARD[:4], 5, 1))
    assert (few.verdict, few.n_words) == ("few", 4)
    assert math.isnan(few.correlation)
    flat = matched(counts("child", "c", np.ones(20), 5, 0), counts("model", "m", HARD, 5, 1))
    assert flat.verdict == "flat"
    assert math.isnan(flat.reliability)
    assert math.isnan(flat.ceiling)


def test_words_that_not_all_children_were_asked() -> None:
    children = counts("child", "c", HARD, 40, 5, 1)
    asked = children.sample(frac=0.4, random_state=1)
    found = matched(asked, counts("model", "m", HARD, 5, 1, 40))
    assert found.verdict == "alike"
    assert 0 < found.reliability < 1


def test_without_children_models_or_shared_words_there_is_one_message() -> None:
    children, models = counts("child", "c", HARD, 3, 0), counts("model", "m", HARD, 3, 1)
    with pytest.raises(ToolkitError, match="There are no children"):
        match_items(models)
    with pytest.raises(ToolkitError, match="There are no models"):
        match_items(children)
    for change in ({"word_concept": "dax"}, {"condition": "NF"}, {"test_language": "nl"}):
        with pytest.raises(ToolkitError, match="share no items") as error:
            match_items(pd.concat([children.assign(**change), models]))
        assert "--recode" in str(error.value)


def test_the_same_seed_gives_the_same_intervals() -> None:
    table = pd.concat([counts("child", "c", HARD, 9, 0), counts("model", "m", HARD, 3, 1)])
    assert match_items(table, n_bootstrap=100) == match_items(table, n_bootstrap=100)
    assert match_items(table, n_bootstrap=100) != match_items(table, n_bootstrap=100, seed=1)


def test_divergence_is_that_of_scipy() -> None:
    from scipy.special import expit
    from scipy.stats import entropy

    rng = np.random.default_rng(0)
    looking, margins = rng.uniform(0.05, 0.95, 30), rng.normal(size=30)
    model = expit(2.5 * margins)
    expected = np.mean(
        [entropy([p, 1 - p], [q, 1 - q]) for p, q in zip(looking, model, strict=True)]
    )
    assert divergence(looking, margins, 2.5) == pytest.approx(expected)
    assert divergence([0.0, 1.0], [0.0, 0.0], 1.0) == pytest.approx(math.log(2))


def test_the_temperature_is_found_again_and_kept_within_its_bounds() -> None:
    from scipy.special import expit

    margins = np.random.default_rng(1).normal(size=40)
    for beta in (0.05, 0.7, 3.0, 25.0):
        found, least = fit_temperature(expit(beta * margins), margins)
        assert found == pytest.approx(beta, rel=1e-3)
        assert least == pytest.approx(0, abs=1e-8)
    assert fit_temperature(expit(-margins), margins)[0] == pytest.approx(BETAS[0])
    assert fit_temperature(np.where(margins > 0, 1.0, 0.0), 9 * margins)[0] == pytest.approx(
        BETAS[1]
    )


def looking_of(n: int, noise: float, margins: np.ndarray) -> pd.DataFrame:
    from scipy.special import expit

    rng = np.random.default_rng(7)
    shares = np.clip(expit(1.5 * margins) + rng.normal(scale=noise, size=(n, len(margins))), 0, 1)
    return pd.DataFrame(
        {"trial": f"t{trial}", "age_group": "18 to 24 months", "child": f"c{child}",
         "looking_share": shares[child, trial]}
        for child in range(n) for trial in range(len(margins))
    )  # fmt: skip


def test_looking_is_matched_with_its_ceiling() -> None:
    margins = np.random.default_rng(2).normal(size=25)
    scores = pd.DataFrame({"population": "m", "test_language": "en",
                           "trial": [f"t{n}" for n in range(25)], "margin": margins})  # fmt: skip
    children = looking_of(20, 0.15, margins)
    (found,) = match_looking(children, scores, n_bootstrap=200)
    assert found.beta == pytest.approx(1.5, rel=0.25)
    assert found.ci_low <= found.divergence <= found.ci_high
    assert found.beats_chance
    assert 0 < found.ceiling < found.chance
    assert found.divergence < found.ceiling, "the mean of all children is nearer than halves are"
    (unrelated,) = match_looking(
        children, scores.assign(margin=np.random.default_rng(3).normal(size=25)), n_bootstrap=200
    )
    assert not unrelated.beats_chance
    assert "Not shown to be closer" in answers([], [], [unrelated])[-1][1]
    (without,) = match_looking(children.drop(columns="child"), scores, n_bootstrap=100)
    assert math.isnan(without.ceiling)
    assert "no single children" in answers([], [], [without])[-1][1]


def test_looking_that_cannot_be_matched_is_refused() -> None:
    margins = np.zeros(8)
    names = [f"other{n}" for n in range(8)]
    scores = pd.DataFrame(
        {"population": "m", "test_language": "en", "trial": names, "margin": margins}
    )
    children = looking_of(5, 0.1, margins)
    with pytest.raises(ToolkitError, match="share too few trials"):
        match_looking(children, scores)
    with pytest.raises(ToolkitError, match="Shares of looking lie between 0 and 1"):
        match_looking(children.assign(looking_share=62.0), scores)


HUMAN = SHARED / "devbench_lwl_human.csv"


@pytest.mark.skipif(not HUMAN.is_file(), reason=f"needs {HUMAN}, which is not included")
def test_devbench_children_are_matched_in_each_age_group() -> None:
    human = pd.read_csv(HUMAN)
    looking = pd.DataFrame({"trial": human["trial"], "age_group": human["age_bin"].astype(str),
                            "looking_share": human["prop"]})  # fmt: skip
    logits = np.log(human["prop"] / (1 - human["prop"]))
    scores = pd.DataFrame({"population": "exact", "test_language": "en", "trial": human["trial"],
                           "margin": logits / 5})  # fmt: skip
    found = match_looking(looking, scores, n_bootstrap=100)
    assert {one.age_group: one.n_trials for one in found} == {"1.5": 32, "2.0": 8, "2.5": 36}
    assert [one.beta for one in found] == pytest.approx([5] * 3, rel=1e-3)
    assert all(one.divergence < 1e-6 < one.chance < 0.2 for one in found)


def band(name: str, mean: float, half: float, n_languages: int = 1) -> Band:
    return Band(name, "en", n_languages, 10, "seed", mean, mean - half, mean + half, 0.5)


def test_models_are_set_beside_untrained_ones() -> None:
    untrained = band("untrained", 0.5, 0.03, 0)
    test = AgeComparison(
        "novel-familiar", None, (), (), (band("up", 0.6, 0.02), band("same", 0.52, 0.02), untrained)
    )
    told = dict(answers([test], [], []))
    (where, equality) = told.values()
    assert "up in en: 60.0 % [58.0, 62.0], its interval above that of untrained" in where
    assert "same in en: 52.0 % [50.0, 54.0], not set apart by its interval from untrained" in where
    assert "This is no test of equality" in equality
    alone = replace(test, bands=(band("up", 0.6, 0.02),))
    assert "No untrained networks are among these runs" in answers([alone], [], [])[0][1]


def test_a_curve_needs_three_papers_and_finite_answers() -> None:
    table = pd.DataFrame({"paper": ["a", "b"], "row": [1, 2], "age_months": [20, 40],
                          "n_children": 10, "n_trials": 4, "share": [0.5, 0.8]})  # fmt: skip
    with pytest.raises(ToolkitError, match="three papers or more"):
        curve_of_studies(table, "two")


def test_a_curve_with_one_condition_per_paper() -> None:
    ages = np.linspace(18, 60, 12)
    shares = np.linspace(0.5, 0.9, 12) + 0.04 * (-1) ** np.arange(12)
    table = pd.DataFrame(
        {"paper": list("abcdefghijkl"), "row": range(12), "age_months": ages, "n_children": 20,
         "n_trials": 5, "share": shares}
    )  # fmt: skip
    curve = curve_of_studies(table, "single")
    assert [name for name, _ in curve.random_sds] == ["paper"]
    assert np.all(np.diff(curve.shares) > 0)
    assert math.isnan(curve.at(17)[0])
    assert curve.at(30)[1] < curve.at(30)[0] < curve.at(30)[2]
