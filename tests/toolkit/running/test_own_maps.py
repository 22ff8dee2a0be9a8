"""A user's own paradigm of maps: what it declares is what is measured, modelled and told."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from paradigms.maps.paradigm import as_maps
from paradigms.registry import get_paradigm
from reports.page import Options, render
from tests.grounding_runs import HIGH, LOW, Asked, simulated, write_run
from tests.reports.test_page import Page
from toolkit.cli import main
from toolkit.errors import ToolkitError
from toolkit.statistics.maps.analysis import analyse_grounding
from toolkit.statistics.maps.data import read_grounding
from toolkit.statistics.maps.results import GroundingAnalysis
from toolkit.statistics.models.mixed import fit_mixed
from toolkit.tables.trials import read_trials

FILE = '''
import numpy as np

from paradigms import Condition, MapParadigm, Measure, Reading, paradigm


@paradigm("sharpness", version=1)
class Sharpness(MapParadigm):
    """How far a map stands out from its own mean."""

    question = "Is a map as sharp in every language?"
    source = "these tests"
    conditions = (Condition("bare", "the word alone", headline=True),)
    formula = "{formula}"
    measures = ({measures})
    {more}

    def read(self, maps, reference, truth):
        """One number per map."""
        flat = maps.reshape(len(maps), -1)
        highest = flat.max(axis=1)
        values = {{
            "sharpness": flat.std(axis=1), "score_target": highest,
            "score_distractor": flat.min(axis=1), "hit": flat.argmax(axis=1) % 2,
            "level": np.full(len(maps), 0.5), "tokens_per_word": highest,
        }}
        return Reading(values=values, between={{}})
'''
FORMULA = "sharpness ~ resource + (1 | test_language) + (1 | word_concept) + (1 | target_id)"
ONE = 'Measure("sharpness", "standard deviation of a map over its places"),'
ASKED = ("es", "fr", "de", "ar", "eu", "lb")
OF_OVERLAP = (
    "overlap",
    "IoU",
    "cluster",
    "peak kept",
    "Wilcoxon",
    "per word",
    "224 x",
    "arXiv 2605",
)
"""Words of sections that belong to measures which the paradigm does not have."""


FITTED = "iou_cluster ~ high + (1 | language) + (1 | picture) + (1 + high | concept) + (1 | seed)"
BEFORE = [0.1298006038742639, 0.028561792632970644, 10.0, 0.0010671987226977388,
          1.9539925233402755e-13, 0.001377307318337787, -0.6223776223776225]  # fmt: skip
"""Difference, standard error, degrees of freedom and p-value of the model, of the Wilcoxon test, of
pointing in English (Holm), and the correlation with tokens, before measures were declared."""


def write_own(folder: Path, formula: str = FORMULA, measures: str = ONE, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    text = FILE.format(formula=formula, measures=measures, more=more)
    (folder / "sharpness.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def call() -> Callable[..., tuple[int, str]]:
    """Call the command line in this process; exit code, and what it told of an error."""

    def run(*arguments: object) -> tuple[int, str]:
        told = io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stderr(told),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            patch.setattr(sys, "argv", ["mevgs-toolkit", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
        return int(ended.value.code or 0), told.getvalue()

    return run


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, call: Any) -> Path:
    """A run of a paradigm with one measure on the included scenes, put to two dummies."""
    root = tmp_path_factory.mktemp("own")
    folder = write_own(root / "mine")
    languages = [part for code in ASKED for part in ("--language", code)]
    subjects = ("--subject", "random/a", "--subject", "random/b", "--subject", "perfect/a")
    code, _ = call("run-paradigm", "sharpness", *subjects, *languages, "--paradigms", folder,
                   "--out", root / "runs")  # fmt: skip
    assert code == 0
    return next((root / "runs").glob("sharpness-*"))


def saved(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "statistics.json").read_text())
    return dict(content["sharpness"])


def test_every_language_has_its_mean_with_an_interval(own: Path) -> None:
    trials = read_trials(own / "trials.parquet")
    assert set(trials.columns) >= {"sharpness"}
    assert "iou_cluster" not in trials
    result = next(one for one in saved(own)["populations"] if one["population"] == "random")
    rows = {row["language"]: row for row in result["languages"]}
    assert set(rows) == {"en", *ASKED}, "a measure of the map itself says something of all"
    assert rows["en"]["resource"] == "reference"
    mine = trials[trials["population"] == "random"]
    for code, row in rows.items():
        found = mine[mine["test_language"] == code]
        estimate = row["measures"]["sharpness"]
        assert estimate["value"] == pytest.approx(found["sharpness"].astype(float).mean())
        apart = found["sharpness"].astype(float) - estimate["value"]
        parts = [
            float(np.square(apart.groupby(found[name], observed=True).sum() / len(found)).sum())
            for name in ("target_id", "word_concept", "seed")
        ]
        # Small numbers of levels are met by more, never by less.
        assert estimate["std_error"] >= np.sqrt(sum(parts)) * 0.999
        assert estimate["ci_low"] < estimate["value"] < estimate["ci_high"]
    summary = json.loads((own / "summary.json").read_text())
    assert summary["measure"] == "sharpness"
    line = next(row for row in summary["results"]
                if (row["population"], row["test_language"]) == ("random", "eu"))  # fmt: skip
    means = mine[mine["test_language"] == "eu"].groupby("seed", observed=True)["sharpness"].mean()
    assert line["mean"] == pytest.approx(means.mean(), rel=1e-6)
    interval = stats.ttest_1samp(means.astype(float), 0).confidence_interval()
    assert [line["ci_low"], line["ci_high"]] == pytest.approx(list(interval), rel=1e-5)


def test_groups_of_languages_are_compared_in_the_model_that_is_declared(own: Path) -> None:
    found = saved(own)
    assert found["declared"]["formula"] == FORMULA
    assert found["declared"]["primary"] == "sharpness"
    trials = read_trials(own / "trials.parquet")
    result = next(one for one in found["populations"] if one["population"] == "random")
    (test,) = result["tests"]
    rows = trials[(trials["population"] == "random") & (trials["test_language"] != "en")].copy()
    rows["high"] = rows["test_language"].isin(["es", "fr", "de"]).astype(int)
    keys = ["target_id", "word_concept", "test_language", "high"]
    # Without a term for seeds, their means are what varies.
    means = rows.groupby(keys, observed=True)["sharpness"].mean().reset_index()
    fit = fit_mixed(means, FORMULA.replace("resource", "high"), "gaussian")
    assert test["mixed"]["value"] == pytest.approx(fit["high"].estimate, rel=1e-4, abs=1e-7)
    assert test["mixed"]["std_error"] == pytest.approx(fit["high"].std_error, rel=1e-3)
    assert test["mixed"]["df"] <= 4
    by_language = rows.groupby("test_language", observed=True)["sharpness"].mean()
    welch = stats.ttest_ind(by_language[["es", "fr", "de"]].astype(float),
                            by_language[["ar", "eu", "lb"]].astype(float),
                            equal_var=False)  # fmt: skip
    assert test["languages"]["welch_p"] == pytest.approx(welch.pvalue, rel=1e-3)
    assert test["pairs"] is None, "no study to be compared with"


def test_the_page_tells_of_the_measure_and_of_nothing_that_was_not_measured(own: Path) -> None:
    text = render([own], Options(paradigms=own.parent.parent / "mine"))
    page = Page(text)
    names = {name.removeprefix("sharpness-") for name in page.tables if name.startswith("sharp")}
    assert names == {
        "overview", "resource", "languages-1", "languages-2", "encoders", "texts-1", "words"
    }  # fmt: skip
    assert page.tables["sharpness-languages-1"][0] == [
        *("Language", "Code", "Resource", "sharpness", "95 % CI", "Concepts", "Maps")
    ]
    figures = {name for name in page.ids if name.startswith("sharpness-")}
    assert {"sharpness-languages", "sharpness-measures", "sharpness-words"} <= figures
    assert not figures & {"sharpness-failure", "sharpness-pointing", "sharpness-tokens",
                          "sharpness-agreement"}  # fmt: skip
    said = page.text
    assert "less sharpness in low-resource languages" in said
    assert FORMULA in said
    assert "sharpness ~ high + (1 | picture) + (1 | concept) + (1 | language)" in said
    for word in OF_OVERLAP:
        assert word not in said, word
    assert "50.0 %" not in said
    assert "chance" not in said.lower()


def test_a_table_of_accuracies_is_refused(own: Path, call: Any) -> None:
    for more in ((), ("--paradigms", own.parent.parent / "mine")):
        code, told = call("table", own, *more)
        assert code == 2
        assert "holds maps, not answers that are right or wrong" in told
        assert "mevgs-toolkit report" in told


def analysed(tmp_path: Path, *tables: pd.DataFrame, **declared: str) -> GroundingAnalysis:
    """The analysis of made-up trials that have a column ``sharpness`` and what else is declared."""
    asked = as_maps(get_paradigm("sharpness", write_own(tmp_path / "mine", **declared)))
    named = [
        table.rename(columns={"iou_cluster": "sharpness"}).assign(
            paradigm=pd.Categorical(["sharpness"] * len(table))
        )
        for table in tables
    ]
    return analyse_grounding(read_grounding([write_run(tmp_path / "run", named)]), asked)


@pytest.mark.parametrize(
    ("random", "fitted"),
    [
        ("(1 | test_language)", "(1 | language)"),
        ("(1 | seed) + (1 | test_language)", "(1 | seed) + (1 | language)"),
        (
            "(resource | word_concept) + (1 | test_language)",
            "(1 + high | concept) + (1 | language)",
        ),
        (
            "(1 + resource | target_id) + (1 | word_concept) + (1 | test_language)",
            "(1 + high | picture) + (1 | concept) + (1 | language)",
        ),
    ],
)
def test_the_formula_is_fitted_as_it_is_declared(tmp_path: Path, random: str, fitted: str) -> None:
    table = simulated(np.random.default_rng(1), seeds="abc", n_pictures=7, n_concepts=7)
    found = analysed(tmp_path, table, formula=f"sharpness ~ resource + {random}")
    fit = found.populations[0].tests[0].fit
    assert fit is not None
    assert fit.formula == f"sharpness ~ high + {fitted}"
    assert fit.n_observations == (7 * 7 * 12 * (3 if "seed" in random else 1))


def test_without_a_contrast_the_model_is_about_the_mean(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(2), gap=0.1, level=0.6)
    found = analysed(tmp_path, table, formula="sharpness ~ 1 + (1 | test_language)")
    (test,) = found.populations[0].tests
    assert test.mixed is None
    assert test.mean is not None
    by_language = table.groupby("test_language", observed=True)["iou_cluster"].mean()
    expected = stats.ttest_1samp(by_language, 0)
    interval = expected.confidence_interval()
    assert test.mean.value == pytest.approx(by_language.mean())
    assert test.mean.df == pytest.approx(12, abs=0.1), "thirteen languages, the reference with them"
    assert [test.mean.ci_low, test.mean.ci_high] == pytest.approx(list(interval), rel=0.02)
    assert test.languages is not None, "groups are described all the same"
    assert found.answers[0][0] == "How much sharpness is there?"
    assert not any(text.startswith("primary") for text in found.families)
    assert "so that the degrees of freedom of the mean follow" in found.apa
    json.dumps(found.to_json(), allow_nan=False)


MEASURED = (
    'Measure("sharpness", "sd of a map", bounds=(0, 0.7), noun="spread", relative={relative}),'
    'Measure("hit", "1 if in the right half", bounds=(0, 1), chance={chance}),'
    'Measure("level", "chance to hit", compared=False),'
)


@pytest.mark.parametrize("chance", ["0.5", "'level'"])
def test_measures_are_held_against_the_chance_level_that_they_declare(
    tmp_path: Path, chance: str
) -> None:
    rng = np.random.default_rng(3)
    table = simulated(rng, n_pictures=7, n_concepts=7)
    low = table["test_language"].isin(LOW)
    table = table.assign(hit=(rng.random(len(table)) < np.where(low, 0.5, 0.9)) * 1.0, level=0.5)
    found = analysed(tmp_path, table, measures=MEASURED.format(relative=False, chance=chance))
    tests = {test.language: test for test in found.populations[0].pointing}
    assert set(tests) == {"en", *HIGH, *LOW}
    assert {test.measure for test in tests.values()} == {"hit"}
    for code, test in tests.items():
        hits = table.loc[table["test_language"] == code, "hit"]
        assert test.accuracy.value == pytest.approx(hits.mean())
        assert test.chance == 0.5
        assert test.difference.value == pytest.approx(hits.mean() - 0.5)
    assert sum(tests[code].p_holm < 0.05 for code in HIGH) >= 7
    assert all(tests[code].p_holm > 0.05 for code in LOW)
    assert "hit above chance: Holm over 13 planned tests" in found.families
    assert "above chance in" in dict(found.answers)["Is the hit above chance?"]


def test_intervals_end_where_a_measure_is_declared_to(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(4), level=0.65, noise_sd=0.3, n_pictures=2,
                      n_concepts=2)  # fmt: skip
    table["iou_cluster"] = table["iou_cluster"].clip(0, 0.7)
    table = table.assign(hit=1.0, level=0.5)
    found = analysed(tmp_path, table, measures=MEASURED.format(relative=False, chance="None"))
    ends = [row.measures["sharpness"].ci_high for row in found.populations[0].languages]
    assert max(ends) == 0.7
    assert any("(spread 0 to 0.7)" in text for text in found.warnings)


def test_what_is_held_against_the_reference_says_nothing_of_it(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(5)).assign(hit=1.0, level=0.5)
    found = analysed(tmp_path, table, measures=MEASURED.format(relative=True, chance="0.5"))
    own = found.populations[0]
    assert {row.language for row in own.languages} == {*HIGH, *LOW}
    assert {test.language for test in own.pointing} == {"en", *HIGH, *LOW}
    assert found.answers[0][0].startswith("Is the place less like that of English")


def test_token_length_and_failures_are_told_where_their_measures_are_declared(
    tmp_path: Path,
) -> None:
    table = simulated(np.random.default_rng(6), truth=True)
    (tmp_path / "one").mkdir()
    own = analysed(tmp_path / "one", table).populations[0]
    assert (own.fertility, own.failures, own.empty, own.pointing) == (None, (), None, ())
    assert len(own.tests) == 1, "columns that nobody declared are no measures"
    (tmp_path / "two").mkdir()
    tokens = ONE + 'Measure("tokens_per_word", "subword tokens", compared=False),'
    found = analysed(tmp_path / "two", table, measures=tokens)
    assert found.populations[0].fertility is not None


def test_a_measure_that_is_nowhere_defined_is_said_to_be(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(7)).assign(hit=1.0, level=0.5)
    table["iou_cluster"] = np.nan
    found = analysed(tmp_path, table, measures=MEASURED.format(relative=False, chance="0.5"))
    (head, *_) = found.populations[0].tests
    assert head.measure == "sharpness"
    assert head.problem == "No value of sharpness is defined in these trials."
    assert "No value of sharpness is defined" in found.answers[0][1]
    json.dumps(found.to_json(), allow_nan=False)


def test_trials_that_lack_the_primary_measure_are_refused(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(8)).drop(columns="iou_cluster")
    with pytest.raises(ToolkitError, match="lack the column sharpness, which its formula models"):
        analysed(tmp_path, table)


def test_numbers_of_the_built_in_paradigm_are_those_it_always_had(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = simulated(rng, truth=True, seeds="abc", n_pictures=7, n_concepts=7)
    found = analyse_grounding(read_grounding([write_run(tmp_path / "run", [table])]), Asked())
    test = found.populations[0].tests[0]
    assert test.fit is not None
    assert test.fit.fitted_formula == FITTED
    own, mixed, pairs = found.populations[0], test.mixed, test.pairs
    assert mixed is not None
    assert pairs is not None
    assert own.fertility is not None
    numbers = [mixed.value, mixed.std_error, mixed.df, test.p_value, pairs.p_value,
               own.pointing[0].p_holm, own.fertility.correlation]  # fmt: skip
    assert numbers == pytest.approx(BEFORE, rel=1e-6)
