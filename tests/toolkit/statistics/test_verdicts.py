"""What may be concluded at the edges: few seeds, no variance, separation, ties, unequal chance."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

from paradigms import PairCondition, PicturePairs, paradigm
from paradigms.formula import check_declared
from paradigms.mutual_exclusivity import MutualExclusivity
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.counts import count_trials
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.choices.verdicts import visible
from toolkit.statistics.models.contrasts import effective
from toolkit.statistics.models.mixed import fit_mixed
from toolkit.statistics.phrases import percent

SAID = {
    "2": ["0011", "0001", "1111", "1100", "0111", "1111"],
    "4": ["0000", "1111", "0001", "0000", "0010", "0100"],
}
"""Answers of twelve children to four words, beside one or three distractors."""


def table(answers: dict[tuple[str, str, int], list[list[int]]], **more: object) -> pd.DataFrame:
    """Trials from answers by population, training and options: one list per seed, all its words."""
    rows = [
        (population, languages, n_choices, f"{population}{seed}", f"w{word}", correct)
        for (population, languages, n_choices), seeds in answers.items()
        for seed, own in enumerate(seeds)
        for word, correct in enumerate(own)
    ]
    names = ["population", "train_languages", "n_choices", "seed", "word_concept", "correct"]
    made = pd.DataFrame(rows, columns=names).assign(
        n_languages=lambda t: t["train_languages"].str.count(r"\+") + 1,
        test_language="en",
        condition="novel-familiar",
        distractor_concept="d",
        paradigm="me",
        paradigm_version=2,
        tie=False,
    )
    return made.assign(**more)


def answer(share: float, n: int) -> list[int]:
    """So many answers right, of n."""
    return [1] * round(share * n) + [0] * (n - round(share * n))


def analysed(trials: pd.DataFrame) -> Analysis:
    return analyse(count_trials(trials), MutualExclusivity)


def seeds_of(rng: np.random.Generator, n: int, level: float, n_words: int = 8) -> list[list[int]]:
    """Seeds that answer every word five times."""
    words = rng.normal(0, 0.5, n_words).repeat(5)
    return [
        (rng.random(n_words * 5) < expit(level + words + rng.normal(0, 0.2))).astype(int).tolist()
        for _ in range(n)
    ]


# --- chance that differs from trial to trial


def mixed_choices(order: list[str]) -> pd.DataFrame:
    parts = [
        table({("children", "en", int(n)): [list(map(int, own)) for own in SAID[n]]}).assign(
            seed=lambda t, n=n: t["seed"] + n
        )
        for n in order
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("order", [["2", "4"], ["4", "2"]])
def test_chance_is_that_of_each_trial(order: list[str]) -> None:
    (test,) = analysed(mixed_choices(order)).chance
    # glmer(correct ~ 1 + offset(qlogis(1 / n)) + (1 | child) + (1 | word)), lme4 1.1-31, which
    # stops a little early.
    assert test.estimate == pytest.approx(0.4390, abs=2e-3)
    assert test.fit is not None
    assert test.fit["(Intercept)"].std_error == pytest.approx(0.4965, rel=0.02)
    assert test.p_wald == pytest.approx(0.377, abs=0.01)
    assert test.chance == pytest.approx(0.375)
    assert test.n_choices == (2, 4)
    assert "chance 25.0 to 50.0 %, 37.5 % over all trials" in " ".join(
        analysed(mixed_choices(order)).sentences
    )


# --- what cannot be told apart, and separation


def test_one_trial_per_participant_is_a_binomial_test() -> None:
    one_word = table({("children", "en", 2): [[1]] * 14 + [[0]] * 6})
    (test,) = analysed(one_word).chance
    assert test.std_error == pytest.approx(math.sqrt(1 / 14 + 1 / 6), rel=1e-6)
    assert math.isinf(test.df)
    assert test.p_value == pytest.approx(0.0825, abs=1e-4)
    assert (100 * test.ci_low, 100 * test.ci_high) == pytest.approx((47.3, 85.9), abs=0.05)
    assert test.fit is not None
    assert any("(1 | seed) was left out" in warning for warning in test.fit.warnings)
    # One word says nothing about others.
    assert test.verdict == "few"
    assert "z = 1.74" in " ".join(analysed(one_word).sentences)


def test_participants_of_one_trial_count_beside_words() -> None:
    own = [[n % 3 > 0] for n in range(24)]
    trials = table({("children", "en", 2): own}, word_concept=[f"w{n % 4}" for n in range(24)])
    (test,) = analysed(trials).chance
    assert 3 < test.df <= 3 + 23


@pytest.mark.parametrize("separated", ["words", "seeds"])
def test_levels_all_right_or_all_wrong_decide_no_model(separated: str) -> None:
    by_seed = [[1, 1, 0, 0]] * 8 if separated == "words" else [[0] * 4, *[[1] * 4] * 7]
    (test,) = (result := analysed(table({("children", "en", 2): by_seed}))).chance
    assert test.verdict == "undecided"
    assert test.fit is not None
    assert test.fit.separated
    assert math.isnan(test.p_value)
    assert math.isnan(test.ci_low)
    assert test.penalised is not None
    assert 0 < test.penalised.ci_low < test.penalised.estimate < test.penalised.ci_high < 1
    if separated == "words":  # as many right as wrong: by symmetry
        assert test.penalised.estimate == pytest.approx(0.5, abs=1e-4)
    said = result.sentences[1]
    assert "The data are separated" in said
    assert "penalised: two more trials per group" in said


def test_perfect_answers_get_an_interval_and_no_test() -> None:
    (test,) = (result := analysed(table({("p", "en", 2): [[1] * 40] * 5}))).chance
    assert test.verdict == "undecided"
    assert test.penalised is not None
    # Two more trials, one of them wrong, however many seeds and words there are.
    assert test.penalised.estimate == pytest.approx(1 - 1 / 202, abs=1e-4)
    assert "Every answer is correct" in result.sentences[1]


def test_odds_beyond_the_data_are_separation() -> None:
    """Nearly perfect bilinguals, good monolinguals: odds of a thousand to one are no result."""
    rng = np.random.default_rng(4)
    mono = [(rng.random(120) < 0.7).astype(int).tolist() for _ in range(5)]
    bi = [[0] + [1] * 119] + [[1] * 120] * 4
    words = {"word_concept": [f"w{n % 12}" for n in range(120)] * 10}
    trials = table({("mono", "en", 2): mono, ("bi", "en+nl", 2): bi}, **words)
    group = analysed(trials).groups[0].overall
    assert group.verdict == "undecided"
    assert group.contrast is None
    assert group.penalised is not None
    assert 0.15 < group.penalised.ci_low < group.penalised.estimate < 0.45


def test_data_of_children_with_a_covariate_are_not_called_separated() -> None:
    """Cells of a continuous covariate are small; that some are all right means nothing."""
    rng = np.random.default_rng(1)
    age = rng.uniform(24, 48, 60).repeat(6)
    data = pd.DataFrame(
        {
            "correct": (rng.random(360) < expit((age - 30) / 6)).astype(int),
            "age_months": age,
            "child": np.arange(60).repeat(6),
        }
    )
    assert fit_mixed(data, "correct ~ age_months + (1 | child)").converged


# --- few seeds, few words, no variance


@pytest.mark.parametrize(("n_first", "n_second"), [(1, 1), (2, 2), (1, 10), (10, 2)])
def test_fewer_than_three_networks_on_a_side_give_no_verdict(n_first: int, n_second: int) -> None:
    rng = np.random.default_rng(2)
    trials = table(
        {
            ("mono", "en", 2): seeds_of(rng, n_first, 1.5),
            ("bi", "en+nl", 2): seeds_of(rng, n_second, -1.5),
        },
        word_concept=[f"w{n % 8}" for n in range(40)] * (n_first + n_second),
    )
    result = analysed(trials)
    assert result.groups[0].overall.verdict == "few"
    assert "The groups differ" not in " ".join(result.sentences)
    small = [test for test in result.chance if test.n_seeds < 3]
    assert {test.verdict for test in small} == {"few"}
    assert all(math.isnan(test.p_holm) for test in small)
    large = [test for test in result.chance if test.n_seeds >= 3]
    assert all(test.verdict in ("higher", "lower") for test in large)


def test_a_variance_of_nought_is_no_certainty() -> None:
    """Two seeds (or words) that happen to agree must not turn t into z."""
    std_error, df = effective([(0.0, 2, 1), (0.0, 8, 1)], 0.1)
    assert std_error == pytest.approx(0.1)
    assert df <= 8
    # The same, all the variation between 20 words, three seeds that do not seem to vary.
    assert effective([(0.01, 20, 1), (0.0, 3, 1)], math.sqrt(0.01 + 0.001))[1] < 19 * 1.21
    # One network against one: seeds cannot be told from groups.
    assert effective([(0.0, 2, 2), (0.01, 8, 1)], 0.1) == (math.inf, 1.0)


def test_levels_that_come_in_pairs_count_once() -> None:
    """A distractor of one word only adds no degrees of freedom to the words."""
    rng = np.random.default_rng(3)
    by_seed = seeds_of(rng, 40, 0.0)
    words = [f"w{n % 8}" for n in range(40)] * 40
    trials = table({("p", "en", 2): by_seed}, word_concept=words)
    alone = analysed(trials).chance[0]
    aliased = analysed(trials.assign(distractor_concept=["d" + word for word in words])).chance[0]
    assert aliased.df == pytest.approx(alone.df, rel=0.05)


# --- one verdict from one test


def unbalanced() -> pd.DataFrame:
    """Bilinguals do better on every word, and were mostly asked the hard ones."""
    rows = []
    rng = np.random.default_rng(5)
    for population, languages, gain, easy in (("mono", "en", 0.0, 30), ("bi", "en+nl", 0.8, 3)):
        for seed in range(8):
            for word in range(8):
                level = (1.5 if word < 4 else -0.5) + gain
                n = easy if word < 4 else 33 - easy
                rows += [
                    (population, languages, f"{population}{seed}", f"w{word}", int(right))
                    for right in rng.random(n) < expit(level)
                ]
    names = ["population", "train_languages", "seed", "word_concept", "correct"]
    return pd.DataFrame(rows, columns=names).assign(
        n_languages=lambda t: t["train_languages"].str.count(r"\+") + 1, test_language="en",
        condition="novel-familiar", distractor_concept="d", n_choices=2, tie=False,
        paradigm="me", paradigm_version=2,
    )  # fmt: skip


def test_direction_is_that_of_the_deciding_test() -> None:
    group = (result := analysed(unbalanced())).groups[0].overall
    assert group.seeds.difference < -0.1 < 0 < group.contrast.estimate
    assert group.verdict == "higher"
    said = result.sentences[-1]
    assert (
        f"bilinguals {100 * group.contrast.probability_difference:.1f} percentage points higher"
        in said
    )
    assert "Raw means point the other way" in said
    # Interval and test say the same on both scales.
    assert group.contrast.ci_low > 0
    assert group.contrast.probability_ci_low > 0


def test_what_would_be_missed_is_that_of_the_reported_test() -> None:
    rng = np.random.default_rng(6)
    trials = table(
        {("mono", "en", 2): seeds_of(rng, 5, 0.2), ("bi", "en+nl", 2): seeds_of(rng, 5, 0.2)},
        word_concept=[f"w{n % 8}" for n in range(40)] * 10,
    )
    group = (result := analysed(trials)).groups[0].overall
    effect = group.contrast
    needed = visible(effect.std_error, effect.df, 0.05)
    assert group.visible == pytest.approx(
        expit(effect.middle + needed / 2) - expit(effect.middle - needed / 2)
    )
    # It is found in four of five experiments of exactly that size.
    found = stats.nct.sf(stats.t.isf(0.025, effect.df), effect.df, needed / effect.std_error)
    assert found == pytest.approx(0.8, abs=1e-3)
    assert f"below about {100 * group.visible:.1f} percentage points" in result.sentences[-1]
    # Two tests against chance: each at half the level, so each misses more.
    test = result.chance[0]
    assert test.visible == pytest.approx(
        expit(visible(test.std_error, test.df, 0.025)) - 0.5
    )  # fmt: skip


def test_families_are_told_as_planned() -> None:
    rng = np.random.default_rng(7)
    perfect = [[1] * 40] * 5
    trials = table(
        {("mono", "en", 2): perfect, ("bi", "en+nl", 2): seeds_of(rng, 5, 0.9)},
        word_concept=[f"w{n % 8}" for n in range(40)] * 10,
    )
    result = analysed(trials)
    made = next(test for test in result.chance if test.verdict != "undecided")
    assert made.p_holm == pytest.approx(min(1, 2 * made.p_value))
    assert result.families == (
        "above chance: Holm over 2 planned tests, of which 1 gave no verdict",
        "primary: one test (bilingual - monolingual, en)",
    )
    # One language, one bilingual population: the same contrast is not told twice.
    names = [m.name for g in result.groups for m in (g.overall, *g.by_language, *g.by_population)]
    assert names == ["bilingual - monolingual, en"]


def test_one_test_alone_needs_no_correction() -> None:
    rng = np.random.default_rng(8)
    words = [f"w{n % 8}" for n in range(40)] * 5
    result = analysed(table({("p", "en", 2): seeds_of(rng, 5, 0.3)}, word_concept=words))
    assert result.families == ("above chance: one test",)
    assert result.chance[0].p_holm == result.chance[0].p_value
    assert "Holm" not in result.sentences[1]


# --- ties


def test_ties_do_not_turn_guessing_into_below_chance() -> None:
    """Half of the answers are ties, the rest are coins."""
    rng = np.random.default_rng(9)
    by_seed = [(rng.random(40) < 0.25).astype(int).tolist() for _ in range(10)]
    trials = table({("p", "en", 2): by_seed}, word_concept=[f"w{n % 8}" for n in range(40)] * 10)
    free = trials["correct"] == 0
    trials["tie"] = free & (rng.random(400) < 2 / 3)
    (test,) = (result := analysed(trials)).chance
    assert test.accuracy == pytest.approx(0.25, abs=0.05)
    assert test.credited == pytest.approx(test.accuracy + trials["tie"].mean() / 2)
    assert test.verdict == "open"
    said = result.sentences[1]
    assert f"{100 * test.accuracy:.1f} % correct" in said
    assert f"{100 * test.credited:.1f} % with ties at chance level" in said
    assert f"of 400 trials ({percent(trials['tie'].mean())}) are ties" in said


def test_all_ties_are_chance() -> None:
    (test,) = analysed(table({("p", "en", 2): [[0] * 40] * 5}, tie=True)).chance
    assert (test.accuracy, test.credited, test.verdict) == (0.0, 0.5, "open")
    assert test.estimate == pytest.approx(0)


# --- who is compared with whom


def test_children_and_networks_are_never_one_comparison() -> None:
    rng = np.random.default_rng(10)
    words = [f"w{n % 8}" for n in range(40)]
    trials = table(
        {("children", "en", 2): seeds_of(rng, 5, 0.2), ("bi", "en+nl", 2): seeds_of(rng, 5, 1.2)},
        word_concept=words * 10,
    )
    kinds = trials["population"].map({"children": "child", "bi": "model"})
    result = analysed(trials.assign(subject_kind=kinds))
    assert result.groups == ()
    assert any("never compared as monolingual and bilingual" in text for text in result.warnings)
    assert "one kind of subjects" in dict(result.answers)["Different in bilinguals?"]
    # Of one kind, they are compared.
    assert len(analysed(trials.assign(subject_kind="child")).groups) == 1


def test_a_run_holds_models_and_a_table_from_elsewhere_does_not() -> None:
    trials = table({("p", "en", 2): [[1, 0, 1]] * 3})
    assert set(count_trials(trials)["subject_kind"]) == {"imported"}
    assert set(count_trials(trials.assign(run_id="r"))["subject_kind"]) == {"model"}


def test_groups_without_a_word_in_common_are_told() -> None:
    rng = np.random.default_rng(11)
    words = [f"w{n % 8}" for n in range(40)]
    trials = table(
        {("mono", "en", 2): seeds_of(rng, 6, 0.2), ("bi", "en+nl", 2): seeds_of(rng, 6, 0.2)},
        word_concept=words * 6 + [f"v{n % 8}" for n in range(40)] * 6,
    )
    group = (result := analysed(trials)).groups[0].overall
    assert (group.n_words, group.n_shared) == (16, 0)
    assert "none of them asked of both groups, so that words do not cancel" in result.sentences[-1]
    # The levels of words are part of the difference: 10 and 14 degrees of freedom, of noise alone.
    assert group.contrast.df <= 9 / (1 / 10 + 1 / 14)


# --- formulas


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("correct ~ age + (1 | seed)", "'age' cannot be a fixed effect"),
        ("correct ~ 1 + (1 | sed)", "did you mean seed"),
        ("correct ~ 1 + (1 + age | seed)", "has a slope"),
        ("score ~ 1 + (1 | seed)", "its response must be 'correct'"),
        ("correct ~ 1 + (1 | seed) + (1 | seed)", "occurs twice"),
    ],
)
def test_a_formula_is_fitted_as_declared_or_refused(formula: str, said: str) -> None:
    with pytest.raises(ToolkitError, match=r"cannot be fitted as declared") as error:
        check_declared(formula, "mine")
    assert said in str(error.value)


def test_the_declared_formula_is_the_fitted_one() -> None:
    @paradigm("mine", version=1)
    class Mine(PicturePairs):
        question = "?"
        source = "here"
        conditions = (PairCondition("novel-familiar", "the test", headline=True, word="novel"),)
        formula = "correct ~ 1 + (1 | word_concept)"

    rng = np.random.default_rng(12)
    words = [f"w{n % 8}" for n in range(40)] * 5
    trials = table({("p", "en", 2): seeds_of(rng, 5, 0.3)}, word_concept=words)
    (test,) = analyse(count_trials(trials), Mine).chance
    assert test.fit is not None
    assert [effect.group for effect in test.fit.random_effects] == ["word_concept"]


# --- conditions against their controls


def test_condition_against_its_control() -> None:
    rng = np.random.default_rng(13)
    parts = []
    for condition, gain in (("novel-familiar", 1.2), ("novel*-familiar", 0.0)):
        words = [f"w{n % 8}" for n in range(80)] * 6
        shift = 3 if "*" in condition else 0
        own = [
            (rng.random(80) < expit(gain + rng.normal(0, 0.2))).astype(int).tolist()
            for _ in range(6)
        ]
        parts.append(
            table({("p", "en", 2): own}, word_concept=words, condition=condition,
                  target_concept=[f"w{(n + shift) % 8}" for n in range(80)] * 6)
        )  # fmt: skip
    result = analysed(pd.concat(parts, ignore_index=True))
    (test,) = result.conditions
    assert (test.plus, test.minus, test.verdict) == ("novel-familiar", "novel*-familiar", "higher")
    assert test.contrast.estimate == pytest.approx(1.2, abs=0.5)
    assert (test.n_seeds, test.n_targets, test.n_words) == (6, 8, (8, 8))
    assert dict(result.answers)[test.question].startswith("p in en")
    raw = test.accuracies[0] - test.accuracies[1]
    assert test.contrast.probability_difference == pytest.approx(raw, abs=0.05)
