"""Planning: numbers known from elsewhere, error rates, and what a user may type wrongly."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import stats

from tests.commands import Cli
from toolkit.errors import ToolkitError
from toolkit.records import plain
from toolkit.statistics.power.formula import analytic_power, exact_seeds, formula_seeds, wilson
from toolkit.statistics.power.from_fit import model_from_fit
from toolkit.statistics.power.models import (
    LogitModel,
    ShareModel,
    simulated_p_values,
    welch_p,
)
from toolkit.statistics.power.simulation import PowerPlan, plan_seeds
from toolkit.statistics.published import published_table

WORDY = LogitModel(0.6, 1.0, seed_sd=0.3, word_sd=0.7, slope_sd=0.5, n_words=8, trials_per_word=30)


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """Call ``power`` in an empty folder; exit code and what it printed."""
    return partial(cli, "power")


@pytest.fixture(scope="module")
def plan() -> PowerPlan:
    """The plan for a difference of 1.3 points at an SD of 3."""
    return plan_seeds(ShareModel(1.3, 3))


def test_back_of_envelope_numbers() -> None:
    """88 comes from the means before rounding (67.03 - 65.77), 84 from the printed 1.3."""
    means = published_table()
    bilingual = means["training"].str.contains("+", regex=False)
    difference = means[~bilingual]["mean"].mean() - means[bilingual]["mean"].mean()
    assert difference == pytest.approx(1.2667, abs=1e-4)
    assert 2 * (1.96 + 0.84) ** 2 * 9 / difference**2 == pytest.approx(87.96, abs=0.01)
    assert round(formula_seeds(difference, 3)) == 88
    assert formula_seeds(1.3, 3) == pytest.approx(83.5975, abs=1e-4)
    assert round(formula_seeds(2.7, 3)) == 19


def test_noncentral_t_agrees_with_statsmodels() -> None:
    """``TTestIndPower().power(d, n, alpha)`` and ``.solve_power(d, power=, alpha=)``, 0.15.0."""
    for n_seeds, difference, expected in (
        (2, 1.2, 0.0573811760), (5, 3, 0.2862954934), (20, 2.7, 0.7920362553),
        (84, 1.3, 0.7973176222), (500, 0.3, 0.3520444486),
    ):  # fmt: skip
        assert analytic_power(n_seeds, difference, 3) == pytest.approx(expected, abs=1e-8)
    assert [exact_seeds(d, 3) for d in (1.3, 1.26667, 2.7)] == [85, 90, 21]
    assert analytic_power(3000, -3, 3) == pytest.approx(1)


def test_simulation_agrees_with_the_noncentral_t(plan: PowerPlan) -> None:
    """Welch's test loses a little against the pooled one below ten seeds."""
    for point in plan.points:
        if point.n_seeds >= 10:
            assert abs(point.power - point.analytic) < 4 * point.std_error
    assert plan.exact_seeds == 85
    assert plan.n_seeds_low <= plan.exact_seeds <= (plan.n_seeds_high or 0)
    assert plan.answer.power >= 0.8
    below = [p for p in plan.points if p.n_seeds == plan.n_seeds - 1]
    assert below[0].power < 0.8


def test_without_an_effect_power_is_alpha(plan: PowerPlan) -> None:
    assert plan.false_positives.ci_low < 0.05 < plan.false_positives.ci_high
    assert plan.notes == ()
    p_values = simulated_p_values(ShareModel(0, 3), "welch", 12, 4000, (5,))
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_welch_agrees_with_scipy() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(7, 5)), rng.normal(1, 3, size=(7, 5))
    expected = stats.ttest_ind(first, second, equal_var=False).pvalue
    np.testing.assert_allclose(welch_p(first, second), expected)
    assert np.isnan(welch_p(np.ones((3, 1)), np.ones((3, 1)))).all()


def test_wilson_agrees_with_statsmodels() -> None:
    """``proportion_confint(3, 20, method="wilson")``."""
    assert wilson(3, 20) == pytest.approx((0.05236875, 0.36041886), abs=1e-7)
    assert wilson(0, 10)[0] == pytest.approx(0)


def test_result_depends_on_the_seed_and_not_on_the_jobs() -> None:
    settings: dict[str, Any] = {"n_simulations": 600, "max_seeds": 60}
    one = plan_seeds(ShareModel(5, 3), **settings)
    assert plan_seeds(ShareModel(5, 3), jobs=2, **settings) == one
    assert plan_seeds(ShareModel(5, 3), seed=1, **settings).points != one.points


def test_implied_accuracies_are_those_of_drawn_answers() -> None:
    """1,000 seeds and 20 words drawn afresh 60 times, by plain NumPy."""
    model = LogitModel(0.66, 0.8, 0.4, word_sd=0.9, n_words=20, trials_per_word=10)
    rng = np.random.default_rng(0)
    seeds, words = rng.normal(0, 0.4, (60, 200, 1)), rng.normal(0, 0.9, (60, 1, 20))
    means = []
    for effect in (0, np.log(0.8)):
        share = 1 / (1 + np.exp(-(np.log(0.66 / 0.34) + effect + seeds + words)))
        means.append(rng.binomial(10, share).mean(-1) * 10)
    assert model.implied[0] == pytest.approx((means[1] - means[0]).mean(), abs=0.3)
    assert model.implied[1] == pytest.approx(means[0].std(1, ddof=1).mean(), abs=0.3)


def test_fewer_trials_need_more_seeds() -> None:
    needed = [
        plan_seeds(LogitModel(0.66, 0.6, 0.3, n_words=6, trials_per_word=n), n_simulations=400)
        for n in (5, 50)
    ]
    assert needed[0].n_seeds > 1.4 * needed[1].n_seeds
    assert abs(needed[1].n_seeds - needed[1].exact_seeds) <= 3


def test_effect_that_varies_by_word_is_told_to_inflate_the_test_over_seeds() -> None:
    plan = plan_seeds(
        LogitModel(0.6, 2.0, 0.2, 0.7, 0.6, n_words=6, trials_per_word=20), n_simulations=400
    )
    assert plan.false_positives.power > 0.1
    assert "false alarm" in plan.notes[0]
    assert "--test mixed" in plan.notes[1]


def test_mixed_model_keeps_its_level_where_the_test_over_seeds_does_not() -> None:
    over_seeds = simulated_p_values(WORDY, "welch", 8, 500, (2,))
    mixed = simulated_p_values(WORDY, "mixed", 8, 20, (2,))
    assert (over_seeds < 0.05).mean() > 0.12
    assert (mixed < 0.05).mean() <= 0.15
    assert not np.isnan(mixed).any()


def fit(**changes: Any) -> dict[str, Any]:
    """What JSON holds of a fitted model: 20 seeds, 12 words, 6 trials per word."""
    intercept = {"terms": ["(Intercept)"], "correlations": [[1.0]]}
    return {
        "family": "binomial", "converged": True, "n_observations": 20 * 12 * 6,
        "coefficients": [
            {"name": "(Intercept)", "estimate": 0.7}, {"name": "bilingual", "estimate": -0.5},
        ],
        "random_effects": [
            {"group": "word_concept", "terms": ["(Intercept)", "bilingual"], "sds": [0.8, 0.3],
             "correlations": [[1.0, -0.2], [-0.2, 1.0]], "n_levels": 12},
            {"group": "population:seed", "sds": [0.25], "n_levels": 20, **intercept},
            {"group": "target_id", "sds": [0.4], "n_levels": 24, **intercept},
        ],
    } | changes  # fmt: skip


def test_fitted_model_is_read_from_its_json(tmp_path: Path) -> None:
    path = tmp_path / "statistics.json"
    chance = fit(coefficients=[{"name": "(Intercept)", "estimate": 0.7}])
    named = {"name": "bilingual - monolingual, en", "fit": fit(n_observations=20 * 12 * 9)}
    path.write_text(json.dumps({"me": {"chance": [chance], "groups": [named, {"fit": fit()}]}}))
    with pytest.raises(ToolkitError, match="holds 2 fitted models") as error:
        model_from_fit(path)
    assert error.value.allowed == "bilingual - monolingual, en; me.groups.1.fit"
    model, notes = model_from_fit(path, "me.groups.1.fit", word_sd=1.0)
    expected = LogitModel(1 / (1 + np.exp(-0.7)), np.exp(-0.5), 0.25, 1.0, 0.3, -0.2, 12, 6)
    assert plain(model) == pytest.approx(plain(expected))
    assert [word in " ".join(notes) for word in ("20 seeds", "target_id (SD 0.40)")] == [True] * 2
    assert model_from_fit(path, "bilingual - monolingual, en")[0].trials_per_word == 9
    with pytest.raises(ToolkitError, match="no fitted model in"):
        model_from_fit(path, "bilingual - monolingual, fr")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "is no JSON"),
        ("[1, null]", "holds no fitted model"),
        (json.dumps(fit(family="gaussian")), "needs a logistic model"),
        (json.dumps(fit(converged=False)), "did not converge"),
        (json.dumps(fit(random_effects=[])), "no random effect of seeds"),
        (json.dumps(fit(coefficients=[{"name": "(Intercept)", "estimate": 1}])), "Say which"),
        (json.dumps(fit(coefficients=[{"name": "bilingual", "estimate": 1}])), "cannot be read"),
    ],
)
def test_fits_that_cannot_be_planned_with(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "fit.json").write_text(content)
    with pytest.raises(ToolkitError, match=expected):
        model_from_fit(tmp_path / "fit.json")


def test_singular_fit_asks_for_a_stated_sd(tmp_path: Path) -> None:
    singular = fit()
    singular["random_effects"][1]["sds"] = [0.0]
    (tmp_path / "fit.json").write_text(json.dumps(singular))
    with pytest.raises(ToolkitError, match="SD over seeds is 0"):
        model_from_fit(tmp_path / "fit.json")
    assert model_from_fit(tmp_path / "fit.json", seed_sd=0.2)[0].seed_sd == 0.2


def test_text_shows_formula_and_simulation_side_by_side(cli: Cli) -> None:
    code, out, _ = cli("--difference", 2.7, "--seed-sd", 3, "--simulations", 1000)
    assert code == 0
    for expected in ("formula", "19.4", "t-test", "21", "simulation", "Monte Carlo", "<- fewest"):
        assert expected in out


def test_json_csv_and_plot_agree(cli: Cli, tmp_path: Path) -> None:
    arguments = (
        "--odds-ratio", 0.4, "--base-accuracy", 0.7, "--seed-sd", 0.3, "--words", 5,
        "--trials-per-word", 4, "--trials-per-word", 40, "--simulations", 300,
    )  # fmt: skip
    code, out, _ = cli(*arguments, "--format", "json", "--plot", "curve.svg")
    assert code == 0
    plans = json.loads(out)["plans"]
    assert [p["model"]["trials_per_word"] for p in plans] == [4, 40]
    rows = list(csv.DictReader(io.StringIO(cli(*arguments, "--format", "csv")[1])))
    answers = [int(row["n_seeds"]) for row in rows if row["is_answer"] == "1"]
    assert answers == [p["n_seeds"] for p in plans]
    assert len(rows) == sum(len(p["points"]) for p in plans)
    picture = ElementTree.parse(tmp_path / "curve.svg")
    labels = "".join(picture.getroot().itertext())
    assert f"4 trials per word: {answers[0]} seeds per group" in labels
    text = (tmp_path / "curve.svg").read_text()
    assert "href" not in text
    assert "<script" not in text
    assert "side by side" in cli(*arguments)[1]


@pytest.mark.parametrize("alpha", [0.0, 1.0, 1.5])
def test_level_that_is_none(alpha: float) -> None:
    with pytest.raises(ToolkitError, match="alpha cannot be used"):
        plan_seeds(ShareModel(1, 3), alpha=alpha)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "State the effect"),
        ("--difference 0 --seed-sd 3", "no effect to find"),
        ("--difference 1 --seed-sd 0", "SD over seeds cannot be used"),
        ("--difference nan --seed-sd 3", "difference cannot be used"),
        ("--difference 1", "--seed-sd is missing"),
        ("--difference 1 --seed-sd 3 --word-sd 1", "--word-sd goes with --odds-ratio"),
        ("--difference 1 --seed-sd 3 --alpha 0", "cannot take '0' for --alpha"),
        ("--difference 1 --seed-sd 3 --alpha 1.5", "cannot take '1.5' for --alpha"),
        ("--difference 1 --seed-sd 3 --power 1", "power cannot be used"),
        ("--difference 1 --seed-sd 3 --power 0.01", "power cannot be used"),
        ("--difference 1 --seed-sd 3 --simulations 5", "number of simulations"),
        ("--difference 1 --seed-sd 3 --max-seeds 1", "largest number of seeds"),
        ("--difference 1 --seed-sd 3 --max-seeds 6", "6 seeds per group do not reach"),
        ("--difference 1 --seed-sd 3 --test mixed", "needs single answers"),
        ("--difference 1 --seed-sd 3 --test t", "welch"),
        ("--difference 1 --seed-sd 3 --model x", "--model goes with --from"),
        ("--difference 1 --seed-sd 3 --from x.json", "--from goes with"),
        ("--difference 1 --seed-sd 3 --plot none/x.svg", "no folder none"),
        ("--odds-ratio 1 --base-accuracy 0.6 --seed-sd 0.3", "no effect to find"),
        ("--odds-ratio 0.8", "--base-accuracy and --seed-sd are missing"),
        ("--odds-ratio -1 --base-accuracy 0.6 --seed-sd 0.3", "odds ratio cannot be used"),
        ("--odds-ratio 0.8 --base-accuracy 66 --seed-sd 0.3", "base accuracy cannot be used"),
        ("--odds-ratio 0.8 --base-accuracy 0.6 --seed-sd 30", "points are not meant"),
        ("--odds-ratio 0.8 --base-accuracy 0.6 --seed-sd 0.3 --words 0", "number of words"),
        ("--odds-ratio 0.8 --base-accuracy 0.6 --seed-sd 0.3 --trials-per-word 0", "trials"),
        (
            "--odds-ratio 0.8 --base-accuracy 0.6 --seed-sd 0.3 --slope-sd 0.36 --test mixed",
            "20 words, which allows 0.75 at most",
        ),
        ("--from none.json", "no such file"),
    ],
)
def test_wrong_input_is_one_clear_error(cli: Cli, arguments: str, expected: str) -> None:
    code, out, err = cli(*arguments.split())
    assert code == 2
    assert expected in err
    assert out == ""
