"""The adapter against lme4, against a published child model, and at the edges."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paradigms.formula import parse
from toolkit.errors import ToolkitError
from toolkit.records import plain
from toolkit.statistics.imported.elsewhere import read_any
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.models.results import FitResult
from toolkit.tables.longtable import combine

REFERENCE = Path(__file__).parents[2] / "reference"
CHILDREN = REFERENCE / "lewis2020" / "experiment1_trials.csv"
LME4 = json.loads((REFERENCE / "lme4.json").read_text())


def counts() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "counts.csv")


def orders(table: pd.DataFrame) -> float:
    """Logarithm of the ways in which the answers of each row can be put in order.

    lme4 counts them in the likelihood of cbind(k, n - k), and not in that of single answers.
    """
    return sum(
        math.log(math.comb(k + w, k))
        for k, w in zip(table["n_correct"], table["n_wrong"], strict=True)
    )


def same_as_lme4(fit: FitResult, reference: dict, constant: float = 0.0) -> None:
    """Fixed effects within 1e-3 SE, SEs within 1e-3, log-likelihood within 1e-3."""
    assert fit.converged
    for name, estimate in reference["fixef"].items():
        std_error = reference["se"][name]
        assert abs(fit[name].estimate - estimate) < 1e-3 * std_error
        assert fit[name].std_error == pytest.approx(std_error, rel=1e-3)
    assert fit.log_likelihood == pytest.approx(reference["logLik"] - constant, abs=1e-3)


@pytest.mark.parametrize("name", ["intercepts", "slope", "chance", "everything"])
def test_logistic_models_agree_with_lme4(name: str) -> None:
    reference = LME4[name]
    fit = fit_mixed(counts(), reference["formula"])
    same_as_lme4(fit, reference, orders(counts()))
    assert fit.n_parameters == reference["df"]
    assert fit.aic == pytest.approx(2 * fit.n_parameters - 2 * fit.log_likelihood)
    assert fit.method == "Laplace"
    found = {(e.group, term): sd for e in fit.random_effects
             for term, sd in zip(e.terms, e.sds, strict=True)}  # fmt: skip
    for row in reference["sds"]:
        if "var2" not in row:
            assert found[row["grp"], row["var1"]] == pytest.approx(row["sdcor"], rel=1e-3)


@pytest.mark.parametrize(("name", "reml"), [("reml", True), ("ml", False)])
def test_linear_models_agree_with_lme4(name: str, reml: bool) -> None:
    fit = fit_mixed(counts(), LME4[name]["formula"], "gaussian", reml=reml)
    same_as_lme4(fit, LME4[name])
    assert fit.method == ("REML" if reml else "ML")
    assert np.isfinite(fit["bilingual"].df)
    residual = [row["sdcor"] for row in LME4[name]["sds"] if row["grp"] == "Residual"]
    assert fit.residual_sd == pytest.approx(residual[0], rel=1e-3)
    assert np.isnan(fit.aic) == reml


def test_trials_and_their_counts_give_one_fit() -> None:
    table = counts()
    trials = pd.concat(
        [
            table.loc[table.index.repeat(table[column])].assign(correct=value)
            for column, value in (("n_correct", 1), ("n_wrong", 0))
        ]
    )
    single = fit_mixed(trials, "correct ~ bilingual + (1 | seed) + (1 | word)")
    summed = fit_mixed(table, LME4["intercepts"]["formula"])
    assert single.n_observations == summed.n_observations == len(trials)
    assert single.n_rows == 14 * 11
    assert single["bilingual"].estimate == pytest.approx(summed["bilingual"].estimate, abs=1e-6)
    # Both are told per answer, as the number of observations says.
    assert summed.log_likelihood == pytest.approx(single.log_likelihood, abs=1e-5)
    assert summed.aic == pytest.approx(single.aic, abs=1e-5)


def children() -> pd.DataFrame:
    """Lewis et al. (2020), experiment 1, as published: 154 children, 2,464 trials."""
    table = pd.read_csv(CHILDREN)
    rows = table.groupby("sub_id")["sub_id"].transform("size")
    table = table[table["age_months"].between(24, 48) & (rows == 19) & (table["english"] >= 75)]
    controls = table[table["trial_type"] == "C-NF"].groupby("sub_id")["correct"].mean()
    table = table[table["sub_id"].map(controls) >= 0.5]
    table = table[table["trial_type"] != "FF"]
    return table.assign(
        target=pd.Categorical(
            np.where(table["trial_type"].isin(["NF", "NN"]), "N", "F"), ["F", "N"]
        ),
        trial=pd.Categorical(
            np.where(table["trial_type"].isin(["NN", "C-NN"]), "NN", "NF"), ["NF", "NN"]
        ),
    )


def test_published_child_model() -> None:
    table = children()
    assert (len(table), table["sub_id"].nunique()) == (2464, 154)
    fit = fit_mixed(table, "correct ~ target*trial + (target|sub_id) + (trial|sub_id)")
    published = {
        "(Intercept)": (2.5135, 0.1949),
        "targetN": (-0.4804, 0.2417),
        "trialNN": (-0.8746, 0.1989),
        "targetN:trialNN": (0.3843, 0.2383),
    }
    for name, (estimate, std_error) in published.items():
        assert fit[name].estimate == pytest.approx(estimate, abs=1e-3 * std_error + 5e-5)
        assert fit[name].std_error == pytest.approx(std_error, abs=1e-3 * std_error + 5e-5)
    assert fit.log_likelihood == pytest.approx(-1075.297, abs=1e-3)
    assert fit.singular
    assert fit.n_parameters == 10
    assert any("zero" in warning for warning in fit.warnings)


def test_child_model_with_objects_against_lme4() -> None:
    fit = fit_mixed(children(), "correct ~ target*trial + (1|sub_id) + (1|object1)")
    tight = {
        "(Intercept)": (2.41594801, 0.16196055),
        "targetN": (-0.47883136, 0.17755871),
        "trialNN": (-0.89917498, 0.17060938),
        "targetN:trialNN": (0.38305479, 0.22977618),
    }
    reference = {
        "fixef": {name: value for name, (value, _) in tight.items()},
        "se": {name: value for name, (_, value) in tight.items()},
        "logLik": -1088.021403,
    }
    same_as_lme4(fit, reference)


def test_all_trial_types_against_lme4() -> None:
    table = pd.read_csv(CHILDREN).dropna(subset=["correct", "trial_type", "object1"])
    age = table["age_months"]
    table["age_s"] = (age - age.mean()) / age.std()
    reference = json.loads((REFERENCE / "lewis2020" / "lme4.json").read_text())
    same_as_lme4(fit_mixed(table, reference["formula"]), reference)


def test_singular_fits_are_kept_and_told() -> None:
    table = pd.DataFrame({"correct": [0, 1] * 60, "seed": list("aabbccddeeff") * 10})
    fit = fit_mixed(table, "correct ~ 1 + (1 | seed)")
    assert fit.singular
    assert fit.converged
    assert fit["(Intercept)"].estimate == pytest.approx(0, abs=1e-6)
    assert fit.random_effects[0].sds == (0.0,)
    assert fit.warnings


@pytest.mark.parametrize("value", [0, 1])
def test_constant_response_is_refused(value: int) -> None:
    table = pd.DataFrame({"correct": [value] * 12, "seed": list("aabbcc") * 2})
    with pytest.raises(NotEstimable, match="Every answer is"):
        fit_mixed(table, "correct ~ 1 + (1 | seed)")


@pytest.mark.parametrize("order", ["(1 | seed) + (1 | word)", "(1 | word) + (1 | seed)"])
def test_separated_data_give_no_numbers(order: str) -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "bilingual": np.repeat([0, 1], 300),
            "seed": np.repeat(list("abcdefghij"), 60),
            "word": np.tile([f"w{n}" for n in range(20)], 30),
            "correct": np.r_[rng.integers(0, 2, 300), np.ones(300, int)],
        }
    )
    fit = fit_mixed(table, f"correct ~ bilingual + {order}")
    assert not fit.converged
    assert fit.coefficients == ()
    assert np.isnan(fit.log_likelihood)
    assert fit.warnings


def test_levels_that_are_missing_or_few() -> None:
    table = counts()
    one = fit_mixed(table.assign(set="mini"), LME4["intercepts"]["formula"] + " + (1 | set)")
    assert one.n_levels("set") == 0
    assert any("only one level of set" in warning for warning in one.warnings)
    assert one["bilingual"].estimate == pytest.approx(LME4["intercepts"]["fixef"]["bilingual"],
                                                      abs=1e-4)  # fmt: skip
    few = fit_mixed(table[table["distractor"].isin(["d0", "d1", "d2"])], LME4["chance"]["formula"])
    assert any("only 3 levels" in warning for warning in few.warnings)


def test_missing_values_are_counted() -> None:
    table = counts().astype({"n_correct": float})
    table.loc[[3, 5, 8], "n_correct"] = np.nan
    fit = fit_mixed(table, LME4["intercepts"]["formula"])
    assert fit.n_dropped == 3
    assert "3 of 770 rows" in fit.warnings[0]


def test_columns_that_say_the_same_are_named() -> None:
    table = counts().assign(mono=lambda t: 1 - t["bilingual"])
    fit = fit_mixed(table, "cbind(n_correct, n_wrong) ~ bilingual + mono + (1 | seed)")
    assert np.isnan([c.estimate for c in fit.coefficients]).sum() == 1
    assert any("cannot be told apart" in warning for warning in fit.warnings)


def test_order_of_categories_decides_the_reference() -> None:
    table = counts()
    group = table["bilingual"].map({0: "monolingual", 1: "bilingual"})
    first = fit_mixed(
        table.assign(group=pd.Categorical(group, ["monolingual", "bilingual"])),
        "cbind(n_correct, n_wrong) ~ group + (1 | seed) + (1 | word)",
    )
    alphabet = fit_mixed(
        table.assign(group=group), "cbind(n_correct, n_wrong) ~ group + (1 | seed) + (1 | word)"
    )
    assert first.levels == {"group": ("monolingual", "bilingual")}
    assert first["groupbilingual"].estimate == pytest.approx(
        -alphabet["groupmonolingual"].estimate, abs=1e-5
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drop": "correct"}, "lack column correct"),
        ({"correct": "yes"}, "holds text"),
        ({"correct": 2}, "must be 0 or 1"),
        ({"correct": np.inf}, "infinite"),
        ({"correct": np.nan}, "No row is left"),
    ],
)
def test_bad_columns_are_named(change: dict, said: str) -> None:
    table = pd.DataFrame({"correct": [0, 1, 1, 0], "seed": list("abab")})
    table = table.drop(columns=change["drop"]) if "drop" in change else table.assign(**change)
    with pytest.raises(ToolkitError, match=said):
        fit_mixed(table, "correct ~ 1 + (1 | seed)")


@pytest.mark.parametrize(
    "formula", ["correct", "~ 1", "correct ~ 1 + (1 || seed)", "correct ~ 1 | seed", "y ~ (1 | "]
)
def test_unreadable_formulas(formula: str) -> None:
    with pytest.raises(ToolkitError, match="cannot be read"):
        parse(formula)


def test_a_fit_is_plain_data() -> None:
    fit = fit_mixed(counts(), LME4["slope"]["formula"])
    said = json.loads(json.dumps(plain(fit)))
    assert said["coefficients"][1]["df"] == "inf"
    assert said["coefficients"][1]["odds_ratio"][0] == pytest.approx(
        np.exp(fit["bilingual"].estimate)
    )
    assert said["random_effects"][1]["group"] == "word"


def test_children_and_networks_in_one_model() -> None:
    named = {"seed": "sub_id", "condition": "trial_type", "word_concept": "object1"}
    constants = {"population": "children", "test_language": "en"}
    people = read_any(CHILDREN, named, constants=constants, drop_missing=True, keep_repeats=True)
    table = counts()
    networks = pd.concat(
        [
            table.loc[table.index.repeat(table[column])].assign(correct=value)
            for column, value in (("n_correct", 1), ("n_wrong", 0))
        ]
    ).assign(population="networks", test_language="en", condition="NF", word_concept="toy")
    both = combine({"children": people, "networks": networks.drop(columns=["y", "word"])})
    both = both[both["condition"] == "NF"]
    fit = fit_mixed(both, "correct ~ source + (1 | seed) + (1 | word_concept)")
    assert fit.levels == {"source": ("children", "networks")}
    shares = both.groupby("source", observed=True)["correct"].mean()
    assert shares["children"] > 0.8
    assert shares["networks"] < 0.65
    assert fit["sourcenetworks"].ci_high < 0
