"""The default analysis: contrasts, seed tests, chance, groups, gates, items, the command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from paradigms.familiar import Familiar
from paradigms.mutual_exclusivity import MutualExclusivity
from toolkit.cli import main
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.counts import count_trials, read_counts
from toolkit.statistics.choices.groups import compare_groups
from toolkit.statistics.choices.items import item_consistency, word_accuracy, word_by_distractor
from toolkit.statistics.choices.seeds import bayes_factor, compare_seeds, over_chance
from toolkit.statistics.models.contrasts import contrast, effective, holm_p, marginal_mean
from toolkit.statistics.models.likelihood import bootstrap, likelihood_ratio, with_fixed
from toolkit.statistics.models.mixed import fit_mixed, fit_prepared, prepare
from toolkit.statistics.settings import Gate, Settings

REFERENCE = Path(__file__).parents[2] / "reference"


def trials(
    populations: dict[str, float],
    seeds: str = "abcde",
    languages: tuple[str, ...] = ("en", "nl"),
    n_words: int = 7,
    per_pair: int = 2,
    seed_sd: float = 0.2,
    rng_seed: int = 0,
    condition: str = "novel-familiar",
    paradigm: str = "me",
) -> pd.DataFrame:
    """Trials whose log odds of a correct answer are the population's plus noise."""
    rng = np.random.default_rng(rng_seed)
    words = {(w, g): rng.normal(0, 0.5) for w in range(n_words) for g in languages}
    rows = []
    for population, level in populations.items():
        known = population.split("-")[1:]
        for seed in seeds:
            own = level + rng.normal(0, seed_sd)
            for language in (g for g in languages if g in known):
                for word in range(n_words):
                    for distractor in range(3):
                        p = 1 / (1 + np.exp(-(own + words[word, language])))
                        for _ in range(per_pair):
                            rows.append(
                                (population, len(known), "+".join(known), seed, language,
                                 f"w{word}", f"d{distractor}", int(rng.random() < p))
                            )  # fmt: skip
    names = ["population", "n_languages", "train_languages", "seed", "test_language",
             "word_concept", "distractor_concept", "correct"]  # fmt: skip
    return pd.DataFrame(rows, columns=names).assign(
        paradigm=paradigm, paradigm_version=1, condition=condition, n_choices=2, tie=False
    )


FOUR = {"monolingual-en": 0.5, "monolingual-nl": 0.5, "bilingual-en-nl": 0.3}


def test_marginal_means_and_contrasts_by_hand() -> None:
    table = pd.read_csv(REFERENCE / "counts.csv")
    fit = fit_mixed(
        table, "cbind(n_correct, n_wrong) ~ bilingual * distractor + (1 | seed) + (1 | word)"
    )
    every = [f"d{n}" for n in range(5)]
    beta = {c.name: c.estimate for c in fit.coefficients}
    by_hand = beta["bilingual"] + np.mean(
        [0.0, *(beta[f"bilingual:distractor{d}"] for d in every[1:])]
    )
    cells = [[{"bilingual": b, "distractor": d} for d in every] for b in (0, 1)]
    found = contrast(fit, "b - m", cells[1], cells[0])
    assert found.estimate == pytest.approx(by_hand)
    means = [marginal_mean(fit, "", c) for c in cells]
    assert means[1].estimate - means[0].estimate == pytest.approx(by_hand)
    assert found.probability_difference == pytest.approx(
        means[1].probability - means[0].probability
    )
    assert found.probability_ci_low < found.probability_difference < found.probability_ci_high
    single = contrast(
        fit, "d0", [{"bilingual": 1, "distractor": "d0"}], [{"bilingual": 0, "distractor": "d0"}]
    )
    assert single.std_error == pytest.approx(fit["bilingual"].std_error)
    assert single.p_value == pytest.approx(fit["bilingual"].p_value)


def test_small_sample_correction_of_a_balanced_design() -> None:
    # Seeds alone: exactly Student's one-sample t test.
    values = np.array([0.2, 0.5, 0.1, 0.7, 0.4])
    ml = values.var() / 5
    std_error, df = effective([(ml, 5, 1)], math.sqrt(ml))
    assert std_error == pytest.approx(stats.sem(values))
    assert df == 4
    # Two groups of seeds: pooled t test.
    std_error, df = effective([(0.02, 10, 2)], math.sqrt(0.02))
    assert std_error == pytest.approx(math.sqrt(0.02 * 10 / 8))
    assert df == 8
    # As many groups as seeds leave nothing to judge by.
    assert effective([(0.02, 2, 2)], math.sqrt(0.02)) == (math.inf, 1.0)


def test_families_count_tests_that_could_not_be_made() -> None:
    assert holm_p([0.02, math.nan, 0.03]) == pytest.approx([0.06, math.nan, 0.06], nan_ok=True)


def test_seed_comparison_is_welch() -> None:
    a, b = [0.61, 0.66, 0.63, 0.70], [0.68, 0.71, 0.66, 0.74, 0.69]
    found = compare_seeds("a - b", a, b, bound=0.02)
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert (found.t, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(expected.confidence_interval()))
    lower = stats.ttest_ind(np.add(a, 0.02), b, equal_var=False, alternative="greater").pvalue
    upper = stats.ttest_ind(np.subtract(a, 0.02), b, equal_var=False, alternative="less").pvalue
    assert found.p_equivalence == pytest.approx(max(lower, upper))
    pooled = math.sqrt((3 * np.var(a, ddof=1) + 4 * np.var(b, ddof=1)) / 7)
    assert found.hedges_g == pytest.approx(
        (np.mean(a) - np.mean(b)) / pooled * (1 - 3 / (4 * 9 - 9)), rel=1e-2
    )
    assert math.isnan(compare_seeds("one", [0.5], [0.4, 0.6]).p_value)
    # Equal but for the rounding of computers.
    for flat in ([0.5, 0.5], [0.3, 0.1 + 0.2, 0.3]):
        assert math.isnan(compare_seeds("flat", flat, [0.5, 0.5]).t)
        assert math.isnan(over_chance(flat, 0.5)[0])


def test_bayes_factor_is_that_of_students_test() -> None:
    """Equation 1 of Rouder et al. (2009), integrated with 30 digits elsewhere."""
    assert bayes_factor(100, 2, 2) == pytest.approx(40.3805, rel=1e-5)
    assert bayes_factor(-20, 500, 500) == pytest.approx(2.22433e71, rel=1e-5)
    a, b = [0.61, 0.66, 0.63], [0.68, 0.71, 0.70, 0.99]
    student, welch = (stats.ttest_ind(a, b, equal_var=equal).statistic for equal in (True, False))
    found = compare_seeds("a - b", a, b).bayes_factor
    assert found == pytest.approx(bayes_factor(student, 3, 4))
    assert found != pytest.approx(bayes_factor(welch, 3, 4), rel=0.01)


def test_bayes_factor_grows_with_t_also_where_integration_fails() -> None:
    # Integrated by pingouin 0.7 with t = 1000, two groups of two give .45 instead of 399.4.
    assert bayes_factor(1000, 2, 2) == bayes_factor(200, 2, 2) > bayes_factor(100, 2, 2)
    assert bayes_factor(1000, 500, 500) == math.inf


def test_seeds_against_chance_is_a_t_test() -> None:
    values = [0.55, 0.61, 0.48, 0.59]
    expected = stats.ttest_1samp(values, 0.5)
    assert over_chance(values, 0.5)[::2] == pytest.approx((expected.statistic, expected.pvalue))
    assert all(math.isnan(v) for v in over_chance([0.5], 0.5))


def test_likelihood_ratio_and_its_bootstrap() -> None:
    table = pd.read_csv(REFERENCE / "counts.csv")
    full = prepare(table, "cbind(n_correct, n_wrong) ~ bilingual + (1 | seed) + (1 | word)")
    plain = likelihood_ratio(fit_prepared(full), fit_prepared(with_fixed(full, "1")))
    assert plain.df == 1
    assert plain.p_value == pytest.approx(stats.chi2.sf(plain.statistic, 1))
    assert math.isnan(plain.p_bootstrap)
    drawn = bootstrap(full, "1", 30, seed=3)
    assert drawn.statistic == plain.statistic
    assert drawn.n_bootstrap == 30
    assert drawn.p_bootstrap == pytest.approx(plain.p_value, abs=0.25)
    assert drawn == bootstrap(full, "1", 30, seed=3)


def test_counts_are_the_sums_of_trials(tmp_path: Path) -> None:
    table = trials(FOUR)
    counts = count_trials(table)
    assert counts["n_trials"].sum() == len(table)
    assert counts["n_correct"].sum() == table["correct"].sum()
    assert set(counts["seed"]) == {f"{p}/{s}" for p in FOUR for s in "abcde"}
    table.to_parquet(tmp_path / "trials.parquet")
    pd.testing.assert_frame_equal(read_counts([tmp_path]), counts)
    table.head(100).to_parquet(tmp_path / "part.parquet")
    with pytest.raises(ToolkitError, match="stand in two of the runs"):
        read_counts([tmp_path, tmp_path / "part.parquet"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="word_concept"), "lacks the column word_concept"),
        (lambda t: t.assign(correct="yes"), "column correct holds text, expected 0 or 1"),
        (lambda t: t.iloc[:0], "no trials"),
        (lambda t: t.assign(correct=2), r"column correct holds \[2, 2, 2\], expected 0 or 1"),
        (
            lambda t: t.assign(correct=t["correct"].where(t.index > 4)),
            "column correct has 5 empty values",
        ),
        (
            lambda t: pd.concat(
                [t.assign(trial=t.groupby(["population", "seed", "test_language"]).cumcount())] * 2
            ),
            "840 rows occur twice, first paradigm me, .* trial 0$",
        ),
    ],
)
def test_tables_that_are_no_trials(
    change: Callable[[pd.DataFrame], pd.DataFrame], said: str, tmp_path: Path
) -> None:
    change(trials(FOUR)).to_parquet(tmp_path / "trials.parquet")
    with pytest.raises(ToolkitError, match=said):
        read_counts([tmp_path])


def test_analysis_finds_what_was_put_in() -> None:
    strong = trials({"monolingual-en": 1.2, "bilingual-en-nl": -0.6, "monolingual-nl": 1.2})
    result = analyse(count_trials(strong), MutualExclusivity)
    mono, bi = result.chance[2], result.chance[0]
    assert (mono.population, bi.population) == ("monolingual-en", "bilingual-en-nl")
    assert mono.estimate > 0 > bi.estimate
    assert mono.ci_low < mono.probability < mono.ci_high
    group = result.groups[0]
    assert [m.name for m in group.by_language] == [
        "bilingual - monolingual, en",
        "bilingual - monolingual, nl",
    ]
    assert group.overall.contrast is not None
    assert group.overall.contrast.p_value < 0.01
    assert group.overall.contrast.estimate < -1
    assert group.overall.ratio is not None
    assert group.overall.ratio.p_value < 0.01
    assert [mean.name for mean in group.overall.means] == ["monolingual", "bilingual"]
    assert group.overall.seeds.difference < -0.2
    words = strong[strong["test_language"] == "en"].groupby(["word_concept", "n_languages"])
    difference = words["correct"].mean().unstack().diff(axis=1)[2]
    assert group.by_language[0].d_words == pytest.approx(difference.mean() / difference.std())
    own = strong[(strong["population"] == "monolingual-en")]
    over_seeds = own.groupby("seed")["correct"].mean() - 0.5
    assert mono.d_seeds == pytest.approx(over_seeds.mean() / over_seeds.std())
    over_words = own.groupby("word_concept")["correct"].mean() - 0.5
    assert mono.d_words == pytest.approx(over_words.mean() / over_words.std())
    assert "The groups differ." in " ".join(result.sentences)
    assert "per test language: Holm over 2 planned tests" in result.families


def test_nothing_is_claimed_where_nothing_is() -> None:
    null = trials(dict.fromkeys(FOUR, 0.0), rng_seed=5)
    result = analyse(count_trials(null), MutualExclusivity)
    said = " ".join(result.sentences)
    assert "not shown to differ from chance" in said
    assert "no difference shown" in said
    assert "would be missed more than one time in five" in said
    assert "above chance," not in said
    assert any("fewer than 10" in warning for warning in result.warnings)


def test_gates_are_reported_with_and_without() -> None:
    table = pd.concat(
        [
            trials(FOUR),
            trials(dict.fromkeys(FOUR, 2.0), condition="familiar-novel").assign(
                correct=lambda t: t["correct"].where(t["seed"] != "c", 0)
            ),
        ]
    )
    result = analyse(count_trials(table), MutualExclusivity)
    assert {(seed, language) for seed, language, _ in result.gate.failed} == {
        ("monolingual-en/c", "en"),
        ("monolingual-nl/c", "nl"),
        ("bilingual-en-nl/c", "en"),
        ("bilingual-en-nl/c", "nl"),
    }
    assert [test.n_seeds for test in result.chance] == [4] * 4
    assert [test.n_seeds for test in result.chance_all_seeds] == [5] * 4
    assert "failed by 4 of 20" in result.sentences[0]
    open_gate = analyse(
        count_trials(table), MutualExclusivity, Settings(gate=Gate("familiar-novel", 0.0))
    )
    assert open_gate.gate.failed == ()
    assert open_gate.chance_all_seeds == ()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (trials(FOUR).assign(correct=1), "Every answer is correct"),
        (trials({"monolingual-en": 0.5}, seeds="a", n_words=1).assign(distractor_concept="d"),
         "One participant and one word"),
    ],
)  # fmt: skip
def test_populations_without_a_test(table: pd.DataFrame, said: str) -> None:
    result = analyse(count_trials(table), MutualExclusivity)
    assert all(math.isnan(test.p_value) for test in result.chance)
    assert said in " ".join(result.sentences)
    json.dumps(result.to_json())


@pytest.mark.parametrize("change", [{"seeds": "a"}, {"n_words": 1}])
def test_one_seed_or_one_word(change: dict) -> None:
    result = analyse(count_trials(trials(FOUR, **change)), MutualExclusivity)
    assert len(result.chance) == 4
    assert any("only one level" in w for test in result.chance for w in test.fit.warnings)
    assert any("only one level" in warning for warning in result.warnings)
    if change == {"seeds": "a"}:
        assert "no verdict (1 participant: a verdict needs 3 participants and 4 words)" in " ".join(
            result.sentences
        )
        assert math.isnan(result.groups[0].by_language[0].seeds.p_value)
    json.dumps(result.to_json())


def test_a_second_process_changes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    table = trials(FOUR, seeds="abc", n_words=5)
    counts = count_trials(pd.concat([table, table.assign(condition="novel*-familiar")]))
    alone = analyse(counts, MutualExclusivity).to_json()
    monkeypatch.setattr("toolkit.statistics.choices.condition_contrasts.MANY_ROWS", 1)
    monkeypatch.setattr("toolkit.processes.beside.n_cores", lambda: 2)
    # Anything computed here instead would be seen.
    monkeypatch.setattr("toolkit.statistics.choices.condition_contrasts._fitted", None)
    assert json.dumps(analyse(counts, MutualExclusivity).to_json()) == json.dumps(alone)


def test_no_process_is_begun_where_no_control_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(*_: object) -> None:
        raise AssertionError("a process with nothing to do")

    monkeypatch.setattr("toolkit.statistics.choices.condition_contrasts.MANY_ROWS", 1)
    monkeypatch.setattr("toolkit.processes.beside.n_cores", lambda: 2)
    monkeypatch.setattr("toolkit.processes.beside._begin", begun)
    assert analyse(count_trials(trials(FOUR, seeds="abc", n_words=5)), MutualExclusivity).groups


def test_seeds_against_chance_need_no_drawing_library() -> None:
    code = (
        "import sys\n"
        "from toolkit.statistics.choices.seeds import over_chance\n"
        "assert over_chance([0.5, 0.6], 0.5)[1] == 1\n"
        "sys.exit(bool({'pingouin', 'matplotlib'} & set(sys.modules)))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_language_without_partners_is_not_compared() -> None:
    counts = count_trials(trials({"monolingual-en": 0.0, "bilingual-en-nl": 0.0}))
    compared = compare_groups(counts, 0.05)
    assert compared is not None
    assert compared.overall.name == "bilingual - monolingual, en"
    assert compared.by_language == ()
    assert compared.interaction is None
    assert compare_groups(counts[counts["test_language"] == "nl"], 0.05) is None


def test_versions_are_never_pooled() -> None:
    table = trials(FOUR)
    table.loc[table["population"] == "monolingual-en", "paradigm_version"] = 2
    with pytest.raises(ToolkitError, match="versions 1, 2"):
        analyse(count_trials(table), MutualExclusivity)


def test_networks_that_were_taught_nothing_are_not_gated() -> None:
    table = pd.concat([trials(FOUR), trials(FOUR, condition="familiar-novel").assign(correct=0)])
    table.loc[table["population"] == "monolingual-nl", "train_languages"] = ""
    result = analyse(count_trials(table), MutualExclusivity)
    assert {seed.split("/")[0] for seed, *_ in result.gate.failed} == {
        "monolingual-en",
        "bilingual-en-nl",
    }
    assert [test.population for test in result.chance if test.fit] == ["monolingual-nl"]
    lost = [test for test in result.chance if not test.fit]
    assert {test.problem for test in lost} == {"nobody passed the gate"}
    # They were planned, and count.
    assert (
        result.families[0] == "above chance: Holm over 4 planned tests, of which 3 gave no verdict"
    )
    untaught = analyse(count_trials(table.assign(train_languages="")), MutualExclusivity)
    assert "applied to nobody" in untaught.sentences[0]


def test_item_view() -> None:
    counts = count_trials(trials(FOUR, seed_sd=0.0, per_pair=30))
    words = word_accuracy(counts)
    assert len(words) == 4 * 7
    first = counts[(counts["population"] == "monolingual-en") & (counts["word_concept"] == "w0")]
    per_seed = first.groupby("seed")[["n_correct", "n_trials"]].sum()
    values = per_seed["n_correct"] / per_seed["n_trials"]
    row = words[(words["population"] == "monolingual-en") & (words["word_concept"] == "w0")]
    mean, error = values.mean(), stats.sem(values)
    ends = stats.t.interval(0.95, 4, special.logit(mean), error / (mean * (1 - mean)))
    assert row[["accuracy", "ci_low", "ci_high"]].to_numpy()[0] == pytest.approx(
        (mean, *special.expit(ends))
    )
    assert len(word_by_distractor(counts)) == 4 * 7 * 3
    agreement = item_consistency(counts)
    # Seeds that differ in nothing but chance answers agree about the words.
    assert (agreement["alpha"] > 0.8).all()
    shuffled = counts.assign(n_correct=np.random.default_rng(0).permutation(counts["n_correct"]))
    assert (item_consistency(shuffled)["alpha"] < 0.8).any()


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trials(FOUR).to_parquet(tmp_path / "trials.parquet")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mevgs-toolkit", "analyze", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(exit_.value.code or 0), out, err

    code, out, _ = call(tmp_path)
    assert code == 0
    assert "bilingual - monolingual, all languages" in out
    written = json.loads((tmp_path / "statistics.json").read_text())
    assert written["me"]["chance"][0]["fit"]["engine"].startswith("glmm")
    before = (tmp_path / "statistics.json").read_bytes()
    assert call(tmp_path, "--format", "json")[0] == 0
    assert (tmp_path / "statistics.json").read_bytes() == before
    for arguments, said in (
        ([tmp_path / "nowhere"], "There is no trials table"),
        ([tmp_path, "--gate", "0.5"], "CONDITION=SHARE"),
        ([tmp_path, "--gate", "novel-familar=0.5"], "novel-familiar"),
    ):
        code, _, err = call(*arguments)
        assert code == 2
        assert said in err


def test_familiar_paradigm_uses_its_own_condition() -> None:
    table = trials(FOUR, condition="familiar-familiar", paradigm="familiar")
    result = analyse(count_trials(table), Familiar)
    assert result.gate.condition == ""
    assert {test.condition for test in result.chance} == {"familiar-familiar"}


def test_holm_agrees_with_statsmodels() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="needs statsmodels")
    rng = np.random.default_rng(7)
    for n in (1, 2, 3, 5, 7, 30):
        family = rng.uniform(0, 1, n) ** 3
        family[-1] = family[0]
        theirs = multitest.multipletests(family, method="holm")[1]
        np.testing.assert_allclose(holm_p(family.tolist()), theirs, rtol=1e-14)
    assert holm_p([]) == []
