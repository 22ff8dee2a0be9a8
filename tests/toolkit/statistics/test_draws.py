"""Draws of familiar words as participants: what is told, and what is never claimed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from paradigms.formula import parse
from paradigms.mutual_exclusivity import MutualExclusivity
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.chance import test_chance as against_chance
from toolkit.statistics.choices.counts import count_trials, read_counts
from toolkit.statistics.choices.describe import accuracy_over_seeds, seeds_of_counts
from toolkit.statistics.choices.draws import variation
from toolkit.statistics.choices.participants import by_draw, counts_by_draw, crossed_draws
from toolkit.statistics.choices.summary import summarise_choices
from toolkit.training.draws import Draws

FORMULA = parse(MutualExclusivity.formula)
CONCEPTS = tuple(f"c{number:02}" for number in range(12))


def trials(
    populations: tuple[str, ...] = ("monolingual-en",),
    n_draws: int = 6,
    seeds: str = "a",
    *,
    sds: dict[str, float] | None = None,
    per_pair: int = 2,
    rng_seed: int = 0,
    draw_seed: int = 0,
    difference: float = 0.0,
) -> pd.DataFrame:
    """Trials of networks of several draws; those of the same draw share words and its level."""
    rng = np.random.default_rng(rng_seed)
    wanted = {"draw": 0.3, "seed": 0.2, "word": 0.4, "distractor": 0.2} | (sds or {})
    word, beside = (
        dict(zip(CONCEPTS, rng.normal(0, wanted[name], len(CONCEPTS)), strict=True))
        for name in ("word", "distractor")
    )
    rows = []
    for draw, familiar in Draws(n_draws, 5, draw_seed).of(CONCEPTS).items():
        of_draw = rng.normal(0, wanted["draw"])
        for population in populations:
            known = population.split("-")[1:]
            level = of_draw + difference * (len(known) > 1)
            for seed in seeds:
                own = level + rng.normal(0, wanted["seed"])
                for said in (name for name in CONCEPTS if name not in familiar):
                    for other in familiar:
                        p = expit(own + word[said] + beside[other])
                        rows += [
                            (population, len(known), "+".join(known), f"{draw}{seed}", draw, said,
                             other, int(rng.random() < p))
                            for _ in range(per_pair)
                        ]  # fmt: skip
    names = ["population", "n_languages", "train_languages", "seed", "familiar_draw",
             "word_concept", "distractor_concept", "correct"]  # fmt: skip
    return pd.DataFrame(rows, columns=names).assign(
        paradigm="me", paradigm_version=2, condition="novel-familiar", test_language="en",
        n_choices=2, tie=False, subject_kind="model",
    )  # fmt: skip


def test_further_seeds_of_a_draw_add_no_participant() -> None:
    """Copies of a network are no evidence: the test must not grow with them."""
    once = trials(seeds="a", sds={"seed": 0})
    copies = [once.assign(seed=once["familiar_draw"] + letter) for letter in "abcd"]
    one, four = (
        against_chance(counts_by_draw(count_trials(table)), FORMULA)
        for table in (once, pd.concat(copies))
    )
    assert (one.n_seeds, four.n_seeds, one.unit, four.unit) == (6, 6, "draw", "draw")
    assert one.t_seeds == pytest.approx(four.t_seeds)
    networks = against_chance(count_trials(pd.concat(copies).assign(familiar_draw="")), FORMULA)
    assert (networks.n_seeds, networks.unit) == (24, "seed")
    assert abs(networks.t_seeds) > 1.9 * abs(four.t_seeds)


def test_answers_over_draws_come_first() -> None:
    drawn = trials(n_draws=8)
    alike = trials(("monolingual-nl",), n_draws=1, seeds="abc").assign(
        familiar_draw="", seed=lambda table: table["seed"].str[-1], test_language="nl"
    )
    made = analyse(count_trials(pd.concat([alike, drawn])), MutualExclusivity)
    first, second = made.answers[:2]
    assert first[0] == "Above chance over draws of familiar words?"
    assert "over 8 draws" in first[1]
    assert "typical draw and item" in first[1]
    assert second[0] == "Above chance where all learnt the same words?"
    assert "over 3 seeds" in second[1]
    assert [test.unit for test in made.chance] == ["draw", "seed"]
    assert "(1 | familiar_draw)" in made.chance[0].fit.formula  # type: ignore[union-attr]
    assert "every draw of familiar words is one participant" in made.sentences[0]
    (warned,) = [text for text in made.warnings if "learnt the same words" in text]
    assert "monolingual-nl" in warned
    assert "monolingual-en learnt" not in warned


@pytest.mark.parametrize(
    ("change", "warned"),
    [
        ({}, True),
        ({"train_languages": "", "n_languages": 0}, False),
        ({"subject_kind": "child"}, False),
    ],
)
def test_one_list_of_words_is_never_established_over_lists(
    change: dict[str, object], warned: bool
) -> None:
    table = trials(n_draws=1, seeds="abcde").assign(
        familiar_draw="", seed=lambda rows: rows["seed"].str[-1]
    )
    made = analyse(count_trials(table.assign(**change)), MutualExclusivity)
    assert any("nothing is established" in text for text in made.warnings) == warned
    assert made.answers[0][0] == "Above chance?"
    assert made.draws.empty


def test_few_draws_give_no_verdict_however_many_seeds() -> None:
    made = analyse(count_trials(trials(n_draws=2, seeds="abcdef")), MutualExclusivity)
    (test,) = made.chance
    assert test.verdict == "few"
    assert test.problem == "2 draws: a verdict needs 3 draws and 4 words"


def test_sources_of_variation_are_told_apart() -> None:
    sds = {"draw": 0.8, "seed": 0.3, "word": 0.5, "distractor": 0.0}
    found = variation(
        count_trials(trials(n_draws=30, seeds="abc", sds=sds, per_pair=3)), FORMULA
    ).set_index("source")
    assert list(found.index) == ["familiar_draw", "seed", "word_concept", "distractor_concept"]
    assert dict(found["n_levels"]) == {
        "familiar_draw": 30, "seed": 90, "word_concept": 12, "distractor_concept": 12,
    }  # fmt: skip
    assert found["sd"]["familiar_draw"] == pytest.approx(0.8, abs=0.25)
    assert found["sd"]["seed"] == pytest.approx(0.3, abs=0.1)
    assert found["sd"]["distractor_concept"] < 0.15
    assert found["share"].sum() == pytest.approx(1)
    alone = variation(count_trials(trials(n_draws=30, sds=sds)), FORMULA)
    assert "seed" not in set(alone["source"]), "one seed per draw cannot be told from it"


def test_variation_that_the_data_do_not_decide_is_told_as_such() -> None:
    found = variation(count_trials(trials().assign(correct=1)), FORMULA)
    assert found["sd"].isna().all()
    assert found["share"].isna().all()
    assert (found["problem"] != "").all()
    analyse(count_trials(trials().assign(correct=1)), MutualExclusivity)


PAIR = ("monolingual-en", "bilingual-en-nl")


def test_the_same_draws_are_crossed_with_training() -> None:
    table = trials(PAIR, n_draws=10, sds={"draw": 1.0, "seed": 0.1}, difference=0.4)
    counts = counts_by_draw(count_trials(table))
    assert crossed_draws(counts)
    (group,) = analyse(count_trials(table), MutualExclusivity).groups
    overall = group.overall
    assert "(1 | familiar_draw)" in overall.fit.formula  # type: ignore[union-attr]
    assert (overall.unit, overall.seeds.n_first, overall.seeds.n_second) == ("draw", 10, 10)
    others = trials(PAIR[1:], n_draws=10, sds={"draw": 1.0, "seed": 0.1}, draw_seed=1, rng_seed=1)
    mixed = pd.concat([table[table["population"] == PAIR[0]], others])
    assert not crossed_draws(counts_by_draw(count_trials(mixed)))
    (apart,) = analyse(count_trials(mixed), MutualExclusivity).groups
    assert "(1 | familiar_draw)" not in apart.overall.fit.formula  # type: ignore[union-attr]
    # What draws share cancels where they are the same, and only there.
    one, other = (group.overall.contrast, apart.overall.contrast)
    assert one is not None
    assert other is not None
    assert one.std_error < 0.7 * other.std_error
    assert (
        "10 bilingual and 10 monolingual draws"
        in dict(analyse(count_trials(table), MutualExclusivity).answers)["Different in bilinguals?"]
    )


def test_draws_are_not_compared_with_networks_that_learnt_one_list() -> None:
    drawn = trials(PAIR[:1], n_draws=6)
    alike = trials(PAIR[1:], n_draws=1, seeds="abcde").assign(
        familiar_draw="", seed=lambda table: table["seed"].str[-1]
    )
    made = analyse(count_trials(pd.concat([drawn, alike])), MutualExclusivity)
    assert made.groups == ()
    both = pd.concat([trials(PAIR, n_draws=6), alike, alike.assign(
        population="monolingual-en-alike", train_languages="en", n_languages=1
    )])  # fmt: skip
    groups = analyse(count_trials(both), MutualExclusivity).groups
    assert [group.subject_kind for group in groups] == ["model", "model, draws"]
    assert [group.overall.unit for group in groups] == ["seed", "draw"]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_intervals_of_a_summary_are_over_draws(form: str, tmp_path: Path) -> None:
    table = trials(n_draws=5, seeds="abc")
    networks = count_trials(table)
    over = accuracy_over_seeds(seeds_of_counts(networks))
    assert list(over["n_seeds"]) == [5]
    path = tmp_path / "trials.parquet"
    table.to_parquet(path)
    (row,) = summarise_choices(path, MutualExclusivity())
    assert (row.n_seeds, row.unit, list(row.seeds)) == (5, "draw", ["01", "02", "03", "04", "05"])
    assert row.ci_low == pytest.approx(over["ci_low"].iloc[0])
    means = table.groupby("familiar_draw")["correct"].mean()
    assert row.sd == pytest.approx(means.std())
    assert list(row.seeds.values()) == pytest.approx(means.tolist())
    again = tmp_path / f"again.{form}"
    writers: dict[str, Callable[..., None]] = {
        "parquet": table.to_parquet,
        "csv": lambda to, **_: table.assign(
            run_id="r", trial=range(len(table)), word_id="w", target_id="t", target_concept="t",
            distractor_id="d", target_position=0, score_target=1.0, score_distractor=0.0,
            margin=1.0,
        ).to_csv(to, index=False),
    }  # fmt: skip
    writers[form](again, index=False)
    counts = read_counts([again])
    assert sorted(counts["familiar_draw"].unique()) == list(row.seeds)
    pd.testing.assert_series_equal(
        counts.groupby("seed", observed=True)["n_correct"].sum(),
        networks.groupby("seed", observed=True)["n_correct"].sum(),
        check_index_type=False,
    )


def test_rows_without_a_draw_stay_participants_of_their_own() -> None:
    table = pd.DataFrame({"seed": ["01a", "01b", "7"], "familiar_draw": ["01", "01", None]})
    assert by_draw(table)["seed"].tolist() == ["01", "01", "7"]
    assert by_draw(table[["seed"]]).equals(table[["seed"]])


def test_a_column_of_another_name_makes_no_participants() -> None:
    table = trials().drop(columns="familiar_draw").assign(draw="07")
    assert against_chance(count_trials(table), FORMULA).unit == "seed"
    assert against_chance(count_trials(table), FORMULA).n_seeds == 6
