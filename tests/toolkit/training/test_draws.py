"""Draws of familiar concepts: balanced, told, and each network trained on its own alone."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.toolkit.training.training_bank import RECIPE, Ear, Eye, SmallSet, make_bank
from toolkit.errors import ToolkitError
from toolkit.subjects.population import Population, read_population
from toolkit.training import populations
from toolkit.training.conditions import Condition
from toolkit.training.draws import Draws
from toolkit.training.fit import fit
from toolkit.training.grid import make_grid, read_grid
from toolkit.training.recipe import Recipe
from toolkit.training.sources import SetSource
from toolkit.training.together import fit_together

NAMES = tuple(f"c{number:02}" for number in range(33))
CONCEPTS = ("bear", "clock", "dog", "fish", "key")


@pytest.mark.parametrize(("n_concepts", "size"), [(33, 13), (5, 2), (6, 3), (33, 31), (10, 7)])
def test_all_are_familiar_equally_often_after_every_draw(n_concepts: int, size: int) -> None:
    drawn = Draws(10, size, seed=3).of(NAMES[:n_concepts])
    times: Counter[str] = Counter(dict.fromkeys(NAMES[:n_concepts], 0))
    for own in drawn.values():
        assert len(set(own)) == size
        times.update(own)
        assert max(times.values()) - min(times.values()) <= 1
    assert len(set(drawn.values())) == 10


def test_fewer_draws_are_the_first_of_more_and_seeds_differ() -> None:
    many = Draws(20).of(NAMES)
    assert list(Draws(7).of(NAMES).values()) == list(many.values())[:7]
    assert Draws(20).of(reversed(NAMES)) == many, "whatever the order of the concepts"  # type: ignore[arg-type]
    assert Draws(20, seed=1).of(NAMES) != many
    assert list(many) == [f"{number:02}" for number in range(1, 21)]


def test_no_draw_is_made_twice_as_long_as_there_are_others() -> None:
    names = NAMES[:4]
    drawn = Draws(6, 2).of(names)
    assert set(drawn.values()) == set(itertools.combinations(names, 2))


@pytest.mark.parametrize(
    ("draws", "n_concepts", "part"),
    [
        (Draws(2, 13), 13, "2 to 11"),
        (Draws(2, 12), 13, "at least two"),
        (Draws(2, 2), 3, "at least four"),
        (Draws(7, 2), 4, "not so many different draws"),
        (Draws(10**6, 2), 30, "not so many different draws"),
    ],
)
def test_what_cannot_be_drawn(draws: Draws, n_concepts: int, part: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        draws.of(NAMES[:n_concepts])
    assert part in str(caught.value)


def test_grid_file_with_draws(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(
        'stimuli = "mini-draws"\nfamiliar_draws = 20\nfamiliar_concepts = 12\nfamiliar_seed = 7\n'
        '[grid]\nlanguages = [["en"], ["nl", "en"], []]\nseeds = 2\nsize = ["xsm", "sm"]\n'
    )
    grid = read_grid(path)
    assert [condition.name for condition in grid.conditions] == [
        f"{name}-draws_size-{size}"
        for name in ("monolingual-en", "bilingual-en-nl", "untrained")
        for size in ("xsm", "sm")
    ]
    assert {condition.draws for condition in grid.conditions} == {Draws(20, 12, 7)}
    assert grid.conditions[0].subjects(grid.seeds)[:3] == ["01a", "01b", "02a"]


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"familiar_draws": -1}, "familiar_draws"),
        ({"familiar_draws": 2.5}, "familiar_draws"),
        ({"familiar_draws": "many"}, "familiar_draws"),
        ({"familiar_draws": 10_001}, "familiar_draws"),
        ({"familiar_draws": 2, "familiar_concepts": 1}, "familiar_concepts"),
        ({"familiar_draws": 2, "familiar_seed": -1}, "familiar_seed"),
        ({"familiar_draw": 2}, "familiar_draws"),
        ({"familiar_draws": 9_999}, "populations times seeds"),
    ],
)
def test_grid_with_draws_that_cannot_be(given: dict[str, object], part: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        make_grid([["en"]], 20, **given)
    assert part in str(caught.value)


def test_without_draws_nothing_changes() -> None:
    (condition,) = make_grid([["en"]], "ab", familiar_draws=0).conditions
    assert condition == Condition.of(["en"], Recipe())
    assert condition.subjects("ab") == ["a", "b"]


def test_a_learner_of_some_classes_meets_no_others() -> None:
    bank = make_bank(n_words=3, concepts=CONCEPTS)
    some = bank.only(["key", "bear"])
    assert some.concepts == ("bear", "key")
    assert some.n_clips("train", ["en"]) == 2 * 3 < bank.n_clips("train", ["en"])
    # What is said of the other classes has no part in its weights.
    altered = bank.maps.clone()
    rows = [row for row, (*_, name) in enumerate(bank.picture_table) if name not in some.concepts]
    altered[rows] += 9
    others = type(bank)(**{**vars(bank), "maps": altered}).only(["key", "bear"])
    weights = [fit(own, ["en"], RECIPE, 1).state for own in (some, others)]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
    elsewhere = fit(bank.only(["key", "dog"]), ["en"], RECIPE, 1).state
    assert any((weights[0][name] != elsewhere[name]).any() for name in elsewhere)


def test_a_learner_of_few_exemplars_meets_no_others() -> None:
    bank, few = make_bank(n_words=5, n_pictures=7, views=2), 3
    some = bank.few(few, seed=1)
    assert bank.few(0, seed=1) is bank
    for concept in bank.concepts:
        assert len(some.picture_rows("train", concept)) == few
        assert len(some.word_rows("train", concept, "nl")) == few * 2, "all views of a clip"
        assert some.n_clips("train", ["nl"]) == few * len(bank.concepts)
        assert (some.picture_rows("valid", concept) == bank.picture_rows("valid", concept)).all()
    assert bank.few(5, seed=1).word_table == bank.word_table, "there are no more"
    # Every seed meets others, and only what is met has a part in the weights.
    rows = np.concatenate([some.picture_rows("train", concept) for concept in some.concepts])
    others = np.concatenate(
        [bank.few(few, 2).picture_rows("train", concept) for concept in some.concepts]
    )
    assert set(rows) != set(others)
    kept = np.concatenate([rows, *(bank.picture_rows("valid", one) for one in bank.concepts)])
    altered = bank.maps + 9
    altered[kept] = bank.maps[kept]
    recipe = replace(RECIPE, exemplars=few)
    alike = [
        fit(replace(bank, maps=maps), ["en"], recipe, 1).state for maps in (bank.maps, altered)
    ]
    assert all((alike[0][name] == alike[1][name]).all() for name in alike[0])
    (together,) = fit_together([bank], ["en"], recipe, [1], checkpoints=[None])
    close = {name: (alike[0][name] - together.state[name]).abs().max() for name in alike[0]}
    assert max(close.values()) < 1e-5


class LargerSet(SmallSet):
    """With enough familiar concepts to draw from; the first has more clips than the others."""

    def __init__(self) -> None:
        super().__init__()
        own = self.table[self.table["concept"] == "bear"]
        rows = [own.assign(concept=name) for name in CONCEPTS]
        rows += [own.assign(concept="bear")] * 2
        table = type(own)(np.concatenate([part.to_numpy() for part in rows]), columns=own.columns)
        table.index = type(own.index)([f"s{n}" for n in range(len(table))], name="stimulus_id")
        self.table = table


@pytest.fixture
def larger(monkeypatch: pytest.MonkeyPatch) -> LargerSet:
    monkeypatch.setattr("toolkit.subjects.backbones.hearing.Hearing", Ear)
    monkeypatch.setattr("toolkit.subjects.backbones.seeing.Seeing", Eye)
    return LargerSet()


def run(
    small: SmallSet,
    out: Path,
    n_draws: int = 3,
    recipe: Recipe = RECIPE,
    languages: tuple[str, ...] = ("en",),
    seeds: str = "ab",
) -> Population:
    source = SetSource(small, out.parent / "ear", out.parent / "eye")  # type: ignore[arg-type]
    for folder in (source.hearing, source.seeing):
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
    condition = Condition.of(languages, recipe, draws=Draws(n_draws, 3))
    populations.train_populations([condition], list(seeds), out, source, jobs=1)
    return read_population(out / condition.name)


def test_folder_tells_of_every_draw(larger: LargerSet, tmp_path: Path) -> None:
    made = run(larger, tmp_path / "out")
    drawn = Draws(3, 3).of(CONCEPTS)
    assert made.name == "monolingual-en-draws"
    assert made.seeds == ("01a", "01b", "02a", "02b", "03a", "03b")
    assert made.stimuli == "small"
    assert dict(made.familiar) == drawn
    assert [made.draw(seed) for seed in made.seeds] == ["01", "01", "02", "02", "03", "03"]
    folder = tmp_path / "out" / made.name
    config = json.loads((folder / "config.json").read_text())
    assert config["draws"] == {"familiar_draws": 3, "familiar_concepts": 3, "familiar_seed": 0}
    assert config["familiar"] == {name: list(own) for name, own in drawn.items()}
    card = (folder / "README.md").read_text()
    assert all(f"| {name} | {', '.join(own)} |" in card for name, own in drawn.items())
    assert "familiar_draws = 3" in card
    assert len({made.checksum(seed) for seed in made.seeds}) == 6


def test_further_draws_leave_the_first_as_they_are(larger: LargerSet, tmp_path: Path) -> None:
    first = run(larger, tmp_path / "out", n_draws=2)
    before = {seed: first.content(f"{seed}.safetensors") for seed in first.seeds}
    larger.read.clear()
    more = run(larger, tmp_path / "out", n_draws=3)
    assert more.seeds == (*first.seeds, "03a", "03b")
    assert {seed: more.content(f"{seed}.safetensors") for seed in first.seeds} == before
    assert not larger.read, "features are those of before"


def test_in_one_pass_as_alone(larger: LargerSet, tmp_path: Path) -> None:
    from safetensors.numpy import load

    together = run(larger, tmp_path / "together")
    (tmp_path / "other").mkdir()
    alone = run(larger, tmp_path / "other" / "alone", n_draws=1, seeds="a")
    one, other = (load(own.content("01a.safetensors")) for own in (together, alone))
    assert all(np.allclose(one[name], other[name], atol=2e-3) for name in one)


def test_epochs_of_draws_may_differ_in_length(larger: LargerSet, tmp_path: Path) -> None:
    recipe = Recipe(
        **vars(RECIPE) | {"epochs": 2, "warmup_epochs": 1, "items": 2, "negatives_from": "own"}
    )
    made = run(larger, tmp_path / "out", recipe=recipe, seeds="a")
    folder = tmp_path / "out" / made.name
    config = json.loads((folder / "config.json").read_text())
    fewest, most = config["draws"]["fewest_updates"], config["training"]["n_updates"]
    assert fewest < most
    assert f"{fewest} to {most} updates" in (folder / "README.md").read_text()
    log = (folder / "training_log.csv").read_text().splitlines()
    last = {line.split(",")[0]: int(line.split(",")[1]) for line in log[1:]}
    assert set(last.values()) == {fewest, most}


def test_draws_that_cannot_be_made_are_refused_at_once(larger: LargerSet, tmp_path: Path) -> None:
    larger.table = larger.table[larger.table["concept"].isin(CONCEPTS[:4])]
    with pytest.raises(ToolkitError, match="at least two must be left"):
        run(larger, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not larger.read


@pytest.mark.parametrize(
    ("seeds", "part"),
    [('["01a", "2a"]', "no draw"), ('["01"]', "no draw"), ('["011a"]', "several draws")],
)
def test_a_description_whose_subjects_are_of_no_draw(tmp_path: Path, seeds: str, part: str) -> None:
    (tmp_path / "population.toml").write_text(
        'name = "p"\ndescription = ""\nlanguages = ["en"]\nfactory = "m:c"\n'
        f'seeds = {seeds}\n[familiar]\n01 = ["ball", "cat"]\n011 = ["dog", "key"]\n'
    )
    with pytest.raises(ToolkitError) as caught:
        read_population(tmp_path)
    assert part in str(caught.value)
    assert "population.toml" in str(caught.value)


@pytest.mark.parametrize("familiar", ["3", '{ 01 = "ball" }', "{ 01 = [] }", "{ 01 = [1] }"])
def test_a_description_with_draws_that_are_none(tmp_path: Path, familiar: str) -> None:
    (tmp_path / "population.toml").write_text(
        'name = "p"\ndescription = ""\nlanguages = ["en"]\nfactory = "m:c"\nseeds = ["01a"]\n'
        f"familiar = {familiar}\n"
    )
    with pytest.raises(ToolkitError) as caught:
        read_population(tmp_path)
    assert "familiar" in str(caught.value)
