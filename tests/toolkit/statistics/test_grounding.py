"""Statistics of dense grounding: known effects, published means, and what stays unsaid."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.grounding_runs import HIGH, LANGUAGES, LOW, PUBLISHED, Asked, simulated, write_run
from toolkit.cli import main
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.counts import read_counts
from toolkit.statistics.choices.publication import publication_table
from toolkit.statistics.maps.analysis import analyse_grounding
from toolkit.statistics.maps.data import Grounded, Language, read_grounding
from toolkit.statistics.maps.languages import (
    crossed_mean,
    language_test,
    rank_correlation,
)
from toolkit.statistics.maps.prose import decimal
from toolkit.statistics.maps.results import GroundingAnalysis
from toolkit.tables.kinds import kind_of

ENCODERS = "Does another encoder change it?"


def grounded(*tables: pd.DataFrame, folder: Path) -> Grounded:
    return read_grounding([write_run(folder / "run", tables)])


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> GroundingAnalysis:
    """Two populations with masks, one control condition, a gap of .1."""
    rng = np.random.default_rng(1)
    known = {"truth": True, "seeds": "abc", "n_pictures": 7, "n_concepts": 7}
    tables = [
        simulated(rng, **known),
        simulated(rng, population="large", level=0.7, **known),
        simulated(rng, condition="article", **known),
    ]
    folder = tmp_path_factory.mktemp("grounding")
    return analyse_grounding(grounded(*tables, folder=folder), Asked())


@pytest.mark.parametrize(
    ("model", "high", "low", "gap"), [(0, 0.6123, 0.4978, 0.1145), (1, 0.6076, 0.4647, 0.1428)]
)
def test_published_means_are_reproduced(model: int, high: float, low: float, gap: float) -> None:
    means = {code: values[model] for code, values in PUBLISHED.items()}
    test = language_test(means, HIGH, LOW)
    assert test is not None
    assert [test.mean_high, test.mean_low] == pytest.approx([high, low], abs=6e-5)
    assert test.student.value == pytest.approx(gap, abs=1.1e-4)
    split = [[means[code] for code in codes] for codes in (HIGH, LOW)]
    for equal, estimate, p in (
        (True, test.student, test.student_p),
        (False, test.welch, test.welch_p),
    ):
        expected = stats.ttest_ind(*split, equal_var=equal)
        assert p == pytest.approx(expected.pvalue)
        interval = expected.confidence_interval()
        assert [estimate.ci_low, estimate.ci_high] == pytest.approx([interval.low, interval.high])
    # The three low-resource languages are the three lowest of twelve: 1 way in 220.
    assert test.exact
    assert test.n_splits == 220
    assert test.permutation_p == test.smallest_p == pytest.approx(1 / 220)
    # In the large model Basque and Luxembourgish lie far below Arabic, and Welch shows nothing.
    assert (test.welch_p < 0.05) == (model == 0)


def test_published_difference_between_encoders() -> None:
    deltas = {code: large - base for code, (base, large) in PUBLISHED.items()}
    test = language_test(deltas, HIGH, LOW)
    assert test is not None
    assert test.mean_high == pytest.approx(-0.0047, abs=1e-4)
    assert test.mean_low == pytest.approx(-0.0331, abs=1e-4)
    assert test.student_p > 0.05, "no more than 12 languages can show"


def test_splits_of_languages_by_hand() -> None:
    means = {"a": 0.9, "b": 0.5, "c": 0.6, "x": 0.7, "y": 0.2}
    test = language_test(means, ["a", "b", "c"], ["x", "y"])
    assert test is not None
    values = list(means.values())
    seen = np.mean(values[:3]) - np.mean(values[3:])
    found = [
        np.mean([values[n] for n in range(5) if n not in low]) - np.mean([values[n] for n in low])
        for low in itertools.combinations(range(5), 2)
    ]
    assert test.permutation_p == np.mean(np.abs(found) >= abs(seen) - 1e-12)
    assert language_test(means, ["a", "b", "c"], ["x"]) is None
    equal = language_test(means | {"z": 0.1}, ["a", "b", "c"], ["x", "y", "z"])
    assert equal is not None
    assert (equal.n_splits, equal.smallest_p) == (20, 0.1)
    apart = language_test({"a": 4, "b": 3, "x": 2, "y": 1}, ["a", "b"], ["x", "y"])
    assert apart is not None
    assert apart.permutation_p == apart.smallest_p == 1 / 3, "the groups exchanged differ as much"
    many = {str(n): float(n) for n in range(30)}
    drawn = language_test(many, [str(n) for n in range(15, 30)], [str(n) for n in range(15)])
    assert drawn is not None
    assert not drawn.exact
    assert drawn.permutation_p == drawn.smallest_p, "what was seen is one of those drawn"


def test_mean_over_crossed_factors() -> None:
    values = np.array([0.1, 0.2, 0.4, 0.7])
    single = crossed_mean(values, [np.arange(4)])
    assert single.std_error == pytest.approx(stats.sem(values))
    assert single.df == 3
    table = np.add.outer([0.0, 0.4, 0.1], [0.0, 0.3])  # 3 pictures, 2 concepts
    rows, columns = (index.ravel() for index in np.indices(table.shape))
    both = crossed_mean(table.ravel(), [rows, columns])
    parts = [stats.sem(table.mean(axis=axis)) for axis in (0, 1)]
    assert both.std_error == pytest.approx(math.hypot(*parts))
    with_seeds = crossed_mean(values, [np.arange(4)], [[0.1, 0.3]])
    assert with_seeds.std_error == pytest.approx(math.hypot(stats.sem(values), 0.1))
    nothing = crossed_mean(values, [np.zeros(4, int)])
    assert math.isnan(nothing.p_value)
    assert math.isnan(nothing.ci_low)


def test_rank_correlation_is_spearman() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=12), rng.normal(size=12)
    r, low, high, p = rank_correlation(x, y)
    expected = stats.spearmanr(x, y)
    assert [r, p] == pytest.approx([expected.statistic, expected.pvalue])
    assert low < r < high
    assert all(math.isnan(v) for v in rank_correlation([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]))
    assert all(math.isnan(v) for v in rank_correlation([1, 2, 3], [1, 2, 3]))
    many = rank_correlation(range(12), range(12))
    assert (many[0], many[3]) == (1, 2 / math.factorial(12))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1, 2, 3, 4, 5], [2, 3, 4, 5, 6]),
        ([1, 2, 3, 4, 5], [1, 2, 3, 5, 4]),
        ([1, 2, 2, 3], [4, 1, 3, 1]),
        ([1, 1, 2, 3, 5, 5], [0, 2, 2, 7, 7, 7]),
    ],
)
def test_few_languages_are_put_into_all_orders(x: list[float], y: list[float]) -> None:
    r, *_, p = rank_correlation(x, y)
    orders = [stats.spearmanr(order, y).statistic for order in itertools.permutations(x)]
    assert r == pytest.approx(stats.spearmanr(x, y).statistic)
    assert p == pytest.approx(np.mean(np.abs(orders) >= abs(r) - 1e-9))


def test_p_values_of_few_languages_are_those_of_tables() -> None:
    assert rank_correlation([1, 2, 3, 4, 5], [5, 4, 3, 2, 1])[3] == pytest.approx(2 / 120)
    assert rank_correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])[3] == pytest.approx(10 / 120)


def test_a_balanced_model_is_the_test_over_languages(tmp_path: Path) -> None:
    # With no slope to find, the mixed model's contrast is Student's over language means.
    rng = np.random.default_rng(3)
    table = simulated(rng, language_sd=0.1, slope_sd=0, n_pictures=7, n_concepts=7)
    found = analyse_grounding(grounded(table, folder=tmp_path), Asked()).populations[0].tests[0]
    assert found.mixed is not None
    assert found.languages is not None
    assert found.fit is not None
    assert found.mixed.value == pytest.approx(found.languages.student.value)
    assert found.mixed.std_error == pytest.approx(found.languages.student.std_error, rel=0.1)
    assert found.mixed.df == pytest.approx(10, abs=0.5), "12 languages in 2 groups"
    assert {effect.group for effect in found.fit.random_effects} == {
        *("picture", "concept", "language")
    }


def test_a_known_gap_is_found_and_rows_are_not_the_sample(analysis: GroundingAnalysis) -> None:
    for own in analysis.populations:
        test = own.tests[0]
        assert test.mixed is not None
        assert test.mixed.ci_low < 0.1 < test.mixed.ci_high
        assert test.mixed.df <= 10
        assert len(test.by_seed) == 3
    small, large, article = analysis.populations
    assert (small.population, large.population, article.condition) == (
        *("small-clip", "large"),
        "article",
    )
    assert (small.primary, article.primary) == (True, False)
    assert {test.measure for test in small.tests} == {
        *("iou_cluster", "iou_p95", "spearman", "peak_ratio", "iou_true", "pointing")
    }
    assert len(article.tests) == 1
    assert len(small.languages) == 12, "the reference is left out"


def test_wilcoxon_is_over_pairs(analysis: GroundingAnalysis) -> None:
    pairs = analysis.populations[0].tests[0].pairs
    assert pairs is not None
    assert pairs.n_pairs == 49
    assert pairs.p_value < 1e-6
    assert (
        "the languages are the sample"
        in dict(analysis.answers)["What does the published Wilcoxon test add?"]
    )


def test_languages_words_and_the_failure_mode_by_hand(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(4), n_pictures=3, n_concepts=3, seeds="ab")
    own = analyse_grounding(grounded(table, folder=tmp_path), Asked()).populations[0]
    basque = table[table["test_language"] == "eu"]
    row = next(row for row in own.languages if row.language == "eu")
    assert row.measures["iou_cluster"].value == pytest.approx(basque["iou_cluster"].mean())
    assert row.tokens_per_word == pytest.approx(basque["tokens_per_word"].mean())
    assert (row.n_rows, row.n_concepts, row.name) == (18, 3, "Basque")
    word = next(word for word in own.words if (word.language, word.concept) == ("eu", "cat"))
    cat = basque[basque["word_concept"] == "cat"]
    assert word.iou == pytest.approx(cat["iou_cluster"].mean())
    lost = ((cat["peak_ratio"] - 1).abs() <= 0.1) & (cat["iou_cluster"] < 0.5)
    assert word.share_lost == pytest.approx(lost.mean())
    high, low = own.failures
    means = table.groupby("test_language", observed=True)["iou_cluster"].mean()
    assert high.iou == pytest.approx(means[HIGH].mean())
    assert low.iou == pytest.approx(means[LOW].mean())
    gone = table[table["test_language"].isin(LOW) & (table["iou_cluster"] < 0.5)]
    kept = ((gone["peak_ratio"] - 1).abs() <= 0.1).groupby(gone["test_language"], observed=True)
    assert low.kept_of_lost == pytest.approx(kept.mean().mean())
    assert not own.pointing, "without masks there is no truth to point at"
    assert own.fertility is not None
    tokens = [r.tokens_per_word for r in own.languages]
    overlap = [r.measures["iou_cluster"].value for r in own.languages]
    assert own.fertility.correlation == pytest.approx(stats.spearmanr(tokens, overlap).statistic)


def test_pointing_is_held_against_the_area_of_the_masks(analysis: GroundingAnalysis) -> None:
    tests = analysis.populations[0].pointing
    assert [test.language for test in tests] == [
        "en",
        *(own.language for own in analysis.populations[0].languages),
    ]
    assert tests[0].resource == "reference"
    for test in tests:
        assert test.difference.value == pytest.approx(test.accuracy.value - test.chance)
        assert 0.05 < test.chance < 0.2
        assert test.p_holm >= test.p_value
    assert "Holm over 26 planned tests" in " ".join(analysis.families)


def test_without_areas_there_is_no_chance_level(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(5), truth=True).drop(columns="mask_share")
    found = analyse_grounding(grounded(table, folder=tmp_path), Asked())
    assert all(math.isnan(test.chance) for test in found.populations[0].pointing)
    assert (
        "no chance level was recorded"
        in dict(found.answers)["Does the highest similarity lie on the thing that is named?"]
    )


def test_encoders_are_paired_and_everything_that_varies_is_a_sample(
    analysis: GroundingAnalysis, tmp_path: Path
) -> None:
    (delta,) = analysis.scale
    assert (delta.first, delta.second, delta.n_seeds) == ("small-clip", "large", (3, 3))
    small, large = (
        {row.language: row.measures["iou_cluster"].value for row in own.languages}
        for own in analysis.populations[:2]
    )
    differences = [large[code] - small[code] for code, _, _ in delta.languages]
    assert len(differences) == 12
    assert [e.value for _, _, e in delta.languages] == pytest.approx(differences)
    assert delta.overall.value == pytest.approx(np.mean(differences))
    assert delta.overall.std_error > 1.5 * stats.sem(differences), "languages vary, and not alone"
    assert "networks that differ in their seed" in dict(analysis.answers)[ENCODERS]
    assert any("large less small-clip" in sentence for sentence in analysis.sentences)

    rng = np.random.default_rng(20)
    known = {"n_pictures": 3, "n_concepts": 5}
    tables = [simulated(rng, population=name, **known) for name in ("a", "b")]
    found = analyse_grounding(grounded(*tables, folder=tmp_path), Asked())
    (delta,) = found.scale
    cells = ["test_language", "target_id", "word_concept"]
    values = [table.set_index(cells)["iou_cluster"] for table in tables]
    apart = (values[1] - values[0]).drop("en", level="test_language").dropna()
    errors = [stats.sem(apart.groupby(name, observed=True).mean()) for name in cells]
    assert delta.overall.std_error == pytest.approx(math.hypot(*errors))
    variances = np.square(errors)
    df = variances.sum() ** 2 / (variances**2 / np.array([11, 2, 4])).sum()
    assert delta.overall.df == pytest.approx(df)
    assert delta.p_holm == delta.p_value == delta.overall.p_value
    assert "These are two networks" in dict(found.answers)[ENCODERS]


def test_a_language_that_lacks_words_counts_as_much_as_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(21)
    tables = [simulated(rng, population=name) for name in ("a", "b")]
    lacking = (tables[1]["test_language"] == "lb") & tables[1]["word_concept"].isin(["car", "cat"])
    tables[1] = tables[1][~lacking]
    (delta,) = analyse_grounding(grounded(*tables, folder=tmp_path), Asked()).scale
    assert delta.overall.value == pytest.approx(np.mean([e.value for _, _, e in delta.languages]))


def test_pairs_of_encoders_are_corrected_and_few_pictures_are_no_sample(tmp_path: Path) -> None:
    rng = np.random.default_rng(22)
    tables = [simulated(rng, population=name, level=0.5 + 0.1 * n) for n, name in enumerate("abc")]
    found = analyse_grounding(grounded(*tables, folder=tmp_path / "three"), Asked())
    raw = [delta.p_value for delta in found.scale]
    assert len(raw) == 3
    assert min(delta.p_holm for delta in found.scale) == pytest.approx(3 * min(raw))
    assert "pairs of populations: Holm over 3 planned tests" in found.families
    assert "after Holm over all pairs" in dict(found.answers)[ENCODERS]
    two = [simulated(rng, population=name, level=level, n_pictures=2, condition=condition)
           for name, level, condition in (("a", 0.3, "article"), ("b", 0.8, "article"),
                                          ("b", 0.8, "bare"))]  # fmt: skip
    found = analyse_grounding(grounded(*two, folder=tmp_path / "two"), Asked())
    (delta,) = found.scale
    assert delta.condition == "article", "the one condition that both were run in"
    assert delta.overall.value > 0.3
    assert all(math.isnan(v) for v in (delta.p_value, delta.p_holm, delta.overall.ci_low))
    answer = dict(found.answers)[ENCODERS]
    assert "pictures and concepts only: 2 pictures cannot show" in answer
    assert "more overlap" not in answer
    assert "article: a" in found.families[0]
    assert "bare: b" in found.families[0]
    json.dumps(found.to_json(), allow_nan=False)


def test_networks_that_never_err_are_not_said_to(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(14), truth=True)
    table[["iou_cluster", "iou_p95", "spearman", "peak_ratio", "correct"]] = 1
    table["mask_share"] = 0.25
    answers = dict(analyse_grounding(grounded(table, folder=tmp_path), Asked()).answers)
    assert "No map has an overlap below .5" in answers["Is the peak kept where the place is lost?"]
    pointing = answers["Does the highest similarity lie on the thing that is named?"]
    assert "100.0 % in all languages; no map differs from the next" in pointing
    assert "less overlap" not in str(answers)


def test_answers_do_not_say_more_than_the_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    none = simulated(rng, gap=0, language_sd=0.06)
    found = analyse_grounding(grounded(none, folder=tmp_path), Asked())
    question, answer = found.answers[0]
    assert question == "Is the place less like that of English in low-resource languages?"
    test = found.populations[0].tests[0]
    assert test.p_value > 0.05
    assert "no difference shown" in answer
    assert any("Nobody assigned languages" in sentence for sentence in found.sentences)
    assert any("Only 3 languages" in warning for warning in found.warnings)
    assert any("one network" in warning for warning in found.warnings)


def test_a_verdict_that_leans_on_equal_variation_says_so(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(7), language_sd=0, n_pictures=7, n_concepts=7)
    for code, (_, large) in PUBLISHED.items():
        own = table["test_language"] == code
        table.loc[own, "iou_cluster"] += large - table.loc[own, "iou_cluster"].mean()
    found = analyse_grounding(grounded(table, folder=tmp_path), Asked())
    test = found.populations[0].tests[0]
    assert test.languages is not None
    assert test.p_value < 0.05 < test.languages.welch_p
    assert "leans on both groups varying alike" in found.answers[0][1]


def test_a_language_that_lacks_concepts_is_named(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(8))
    lacking = (table["test_language"] == "lb") & table["word_concept"].isin(["car", "cat"])
    found = analyse_grounding(grounded(table[~lacking], folder=tmp_path), Asked())
    assert any("lb lacks 2" in warning for warning in found.warnings)


def test_one_low_resource_language_is_not_a_sample(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(9))
    kept = table[~table["test_language"].isin(["ar", "eu"])]
    found = analyse_grounding(grounded(kept, folder=tmp_path), Asked())
    assert "needs two languages or more of either kind" in found.answers[0][1]
    assert found.populations[0].tests[0].mixed is None
    assert "mixed-effects" not in found.apa
    assert not any(text.startswith("primary") for text in found.families)
    assert "not tested, without a model" in found.apa
    said = [text for text in found.warnings if "needs two languages" in text]
    assert len(said) == 1, "one sentence for all measures"
    assert "and 3 more" in said[0]
    json.dumps(found.to_json(), allow_nan=False)


def test_groups_of_one_size_have_no_smaller_one(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(16), n_pictures=2, n_concepts=2)
    kept = table[table["test_language"].isin(["en", "es", "fr", "ar", "eu"])]
    found = analyse_grounding(grounded(kept, folder=tmp_path), Asked())
    said = next(text for text in found.warnings if text.startswith("Only"))
    assert "Only 2 languages are in each group" in said
    assert "can give is .3333" in said


def test_every_interval_ends_where_its_measure_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(17)
    table = simulated(rng, level=0.95, noise_sd=0.3, n_pictures=2, n_concepts=2, truth=True)
    other = simulated(rng, level=0.1, population="large", noise_sd=0.3, n_pictures=2, n_concepts=2)
    found = analyse_grounding(grounded(table, other, folder=tmp_path), Asked())
    bounds = dict.fromkeys(("iou_cluster", "iou_p95", "iou_true", "pointing"), (0, 1))
    bounds["spearman"] = (-1, 1)
    estimates = [
        (row.measures[name], *ends)
        for own in found.populations
        for row in own.languages
        for name, ends in bounds.items()
        if name in row.measures
    ]
    estimates += [
        (estimate, -2 if test.measure == "spearman" else -1, 2 if test.measure == "spearman" else 1)
        for own in found.populations
        for test in own.tests
        if test.measure in bounds and test.languages is not None
        for estimate in (test.mixed, test.languages.student, test.languages.welch)
        if estimate is not None
    ]
    estimates += [(estimate, -1, 1) for _, _, estimate in found.scale[0].languages]
    known = [row for row in estimates if math.isfinite(row[0].ci_low)]
    assert len(known) > 40
    for estimate, low, high in known:
        assert low <= estimate.ci_low <= estimate.value <= estimate.ci_high <= high
    assert any(estimate.is_cut for estimate, _, _ in known)
    assert any("Intervals that would leave the values" in text for text in found.warnings)


def test_empty_masks_are_counted(tmp_path: Path) -> None:
    table = simulated(np.random.default_rng(18), n_pictures=5, n_concepts=2)
    table["centre_distance_px"] = 1.5
    gone = (table["target_id"] == "scene-0") & (table["word_concept"] == "boat")
    one = gone & (table["test_language"] == "eu")
    table.loc[gone, ["centre_distance_px", "iou_cluster"]] = [math.nan, 1.0]
    table.loc[one, "iou_cluster"] = 0.0
    found = analyse_grounding(grounded(table, folder=tmp_path / "some"), Asked())
    empty = found.populations[0].empty
    assert empty is not None
    assert empty.share_reference == pytest.approx(0.1)
    assert empty.share_both == pytest.approx(11 / 120)
    assert empty.share_one == pytest.approx(1 / 120)
    told = next(text for text in found.warnings if "masks are empty" in text)
    assert "10.0 % of the English maps have no cluster. In 9.2 %" in told
    full = table.assign(centre_distance_px=1.5)
    found = analyse_grounding(grounded(full, folder=tmp_path / "none"), Asked())
    assert found.populations[0].empty is not None
    assert not any("masks are empty" in text for text in found.warnings)


def test_the_failure_mode_is_said_of_maps_that_lose_the_place(
    analysis: GroundingAnalysis,
) -> None:
    answer = dict(analysis.answers)["Is the peak kept where the place is lost?"]
    _, low = analysis.populations[0].failures
    kept = f"Of maps with an overlap below .5, {100 * low.kept_of_lost:.1f} % ("
    assert kept in answer
    assert "keep the peak (within 10 % of the reference's)" in answer
    assert "of those" not in answer


def test_everything_goes_into_json(analysis: GroundingAnalysis) -> None:
    content = json.loads(json.dumps(analysis.to_json(), allow_nan=False))
    assert content["kind"] == "grounding"
    assert content["settings"] == {"alpha": 0.05}
    assert content["languages"]["lb"] == {"name": "Luxembourgish", "resource": "low"}
    assert content["populations"][0]["tests"][0]["fit"]["coefficients"][1]["name"] == "high"
    assert "odds_ratio" not in json.dumps(content), "these models are linear"
    assert content["populations"][0]["empty"] is None


def test_several_runs_are_read_together_and_never_twice(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    first = write_run(tmp_path / "a", [simulated(rng)])
    second = write_run(tmp_path / "b", [simulated(rng, population="large")])
    both = read_grounding([first, second / "trials.parquet"])
    assert sorted(both.table["population"].unique()) == ["large", "small-clip"]
    assert both.languages["eu"] == Language("Basque", "low")
    assert both.group("low") == LOW
    assert kind_of(first) == "maps"
    assert kind_of(first / "trials.parquet") == "maps"
    assert kind_of(tmp_path) == "choices", "whoever reads it says that there is nothing"
    with pytest.raises(ToolkitError, match="stand twice"):
        read_grounding([first, first])


def test_manifests_that_say_nothing_or_disagree_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    first, second = (write_run(tmp_path / name, [simulated(rng)]) for name in "ab")
    manifest = json.loads((second / "manifest.json").read_text())
    manifest["words"]["languages"]["eu"]["resource"] = "high"
    (second / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ToolkitError, match="disagree about the language eu"):
        read_grounding([first, second])
    del manifest["words"]["languages"]["en"]
    (second / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ToolkitError, match="reference is none of the languages"):
        read_grounding([second])
    (second / "manifest.json").write_text("{}")
    with pytest.raises(ToolkitError, match="words is lacking"):
        read_grounding([second])


def test_runs_on_other_pictures_or_with_other_words_are_not_joined(tmp_path: Path) -> None:
    rng = np.random.default_rng(15)
    folders = [
        write_run(tmp_path / name, [simulated(rng, population=name, n_pictures=2)])
        for name in "abc"
    ]
    plain = [json.loads((folder / "manifest.json").read_text()) for folder in folders]

    def tell(number: int, checksum: str | None = None, basque: str | None = None) -> None:
        manifest = json.loads(json.dumps(plain[number]))
        manifest["words"].pop("texts", None)
        if checksum:
            manifest["stimuli"] = {"name": "photos", "version": "0", "checksum": checksum}
        if basque:
            manifest["words"]["texts"] = {"bare": {"cat": {"en": "cat", "eu": basque}}}
        (folders[number] / "manifest.json").write_text(json.dumps(manifest))

    tell(0, "1" * 64, "katua")
    tell(1, "1" * 64)  # an older run, which kept no texts
    tell(2, "1" * 64, "katua")
    assert len(read_grounding(folders).table["population"].unique()) == 3
    tell(2, "1" * 64, "txakurra")
    with pytest.raises(ToolkitError, match=r"asked for cat in the language eu .*bare") as refused:
        read_grounding(folders)
    assert refused.value.given is not None
    assert "'katua' in" in refused.value.given
    assert "'txakurra' in" in refused.value.given
    assert read_grounding(folders[2:]).languages["eu"].resource == "low"
    tell(2, "2" * 64, "katua")
    with pytest.raises(ToolkitError, match="different stimulus sets") as refused:
        read_grounding(folders)
    assert refused.value.given is not None
    assert "111111111111" in refused.value.given
    assert "222222222222" in refused.value.given
    assert refused.value.next_command is not None


def test_the_command_tells_maps_from_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(12)
    tables = [simulated(rng, condition=name) for name in ("bare", "article")]
    folder = write_run(tmp_path / "run", tables)

    def analyze(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["mevgs-toolkit", "analyze", str(folder), *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    assert analyze("--format", "json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads((folder / "statistics.json").read_text())
    populations = content["dense-grounding"]["populations"]
    assert [(own["condition"], own["primary"]) for own in populations] == [
        ("article", True),
        ("bare", False),
    ]
    assert analyze("--gate", "bare=0.5") == 2
    assert "belong to tests with choices" in capsys.readouterr().err


def test_maps_are_not_counted_as_answers(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [simulated(np.random.default_rng(13))])
    with pytest.raises(ToolkitError, match="holds maps"):
        read_counts([folder])
    with pytest.raises(ToolkitError, match="holds maps"):
        publication_table([folder])


def test_numbers_are_written_without_their_zero() -> None:
    assert [decimal(v) for v in (-0.0001, 0.9996, -1.2, math.nan)] == [
        *(".000", "1.000", "-1.200"),
        "not available",
    ]


def test_all_languages_of_the_study_are_known() -> None:
    assert set(PUBLISHED) == set(HIGH) | set(LOW) == set(LANGUAGES) - {"en"}
