"""Training on tiny random features: sampling, schedule, fit, population folders, resuming."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stimuli import open_set
from tests.toolkit.training_bank import CONCEPTS, make_bank
from toolkit.errors import ToolkitError
from toolkit.subjects.populations import open_population
from toolkit.subjects.vgs_subject import fresh_network
from toolkit.training import populations, views
from toolkit.training.features import SPLITS, FeatureBank, build_bank, load_bank, save_bank
from toolkit.training.fit import Validation, fit, network_config
from toolkit.training.recipe import Recipe
from toolkit.training.schedule import learning_rate

SCHEDULE = Path(__file__).parents[3] / "shared" / "reference" / "mevgs_lr_schedule.json"
RECIPE = Recipe(
    n_updates=40,
    items=7,
    negatives=5,
    warmup_updates=3,
    validate_every=20,
    validation_items=11,
    word_views=2,
    picture_views=3,
)


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    return make_bank()


class SmallSet:
    """Stands for a stimulus set; notes every file that is read."""

    name, version, checksum, languages = "small", "1", "0", ("en", "nl")

    def __init__(self) -> None:
        rows = [
            {
                "kind": kind,
                "split": split,
                "concept": concept,
                "status": status,
                "language": language,
            }
            for concept, status in (*((c, "familiar") for c in CONCEPTS), ("crown", "novel"))
            for split in (("train", "valid", "test") if status == "familiar" else ("test",))
            for kind, language in (("word", "en"), ("word", "nl"), ("picture", ""), ("picture", ""))
        ]
        self.table = pd.DataFrame(rows)
        self.table.index = pd.Index([f"s{n}" for n in range(len(rows))], name="stimulus_id")
        self.read: list[str] = []

    def select(self, **wanted: str) -> pd.DataFrame:
        rows = self.table
        for column, value in wanted.items():
            rows = rows[rows[column] == value]
        return rows

    def read_clip(self, name: str) -> np.ndarray:
        self.read.append(name)
        return np.random.default_rng(len(name)).standard_normal(640).astype(np.float32) / 9

    def read_picture(self, name: str) -> np.ndarray:
        self.read.append(name)
        return np.random.default_rng(len(name)).integers(256, size=(5, 5, 3)).astype(np.uint8)


class Ear:
    """Stands for the speech backbone."""

    def __init__(self, folder: Path | None = None) -> None: ...

    def features(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        assert all(len(clip) % 640 == 0 for clip in clips)
        return [np.resize(clip, (len(clip) // 320, 5)).astype(np.float32) for clip in clips]


class Eye:
    """Stands for the picture backbone."""

    def __init__(self, folder: Path | None = None) -> None: ...

    def features(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([np.resize(picture / 255, (7, 2, 3)) for picture in pictures]).astype("f")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallSet:
    """A small set and small backbones in the place of the real ones."""
    small = SmallSet()
    monkeypatch.setattr(populations, "open_set", lambda name: small)
    monkeypatch.setattr("toolkit.subjects.hearing.Hearing", Ear)
    monkeypatch.setattr("toolkit.subjects.seeing.Seeing", Eye)
    return small


@pytest.mark.skipif(not SCHEDULE.is_file(), reason="rates of the published code are not here")
def test_learning_rate_is_the_published_one() -> None:
    for setting in json.loads(SCHEDULE.read_text()):
        steps = setting["steps_per_epoch"]
        rates = [
            learning_rate(
                update,
                warmup_updates=steps * setting["warmup_epochs"],
                n_updates=steps * setting["max_epochs"],
                peak=setting["peak_lr"],
            )
            for update in range(len(setting["lr"]))
        ]
        np.testing.assert_allclose(rates, setting["lr"], rtol=1e-12)


def test_loss_falls_and_held_out_accuracy_rises(bank: FeatureBank) -> None:
    fitted = fit(bank, ["en", "nl"], replace(RECIPE, n_updates=200, peak_lr=5e-4), seed=3)
    first, last = fitted.log[0], fitted.log[-1]
    assert last.valid_loss < first.valid_loss / 3
    assert last.valid_accuracy > 0.9 > first.valid_accuracy


def test_lowest_validation_loss_is_kept(bank: FeatureBank) -> None:
    fitted = fit(bank, ["en"], RECIPE, seed=3)
    best = min(fitted.log, key=lambda row: row.valid_loss)
    assert fitted.kept_update == best.update
    network = fresh_network(network_config(bank, RECIPE))
    network.load(fitted.state, "fit")
    loss, accuracy = Validation(bank, ["en"], RECIPE)(network)
    # The weights work on the features as they are, the log is about standardised ones.
    assert loss == pytest.approx(best.valid_loss, rel=1e-3)
    assert accuracy == pytest.approx(best.valid_accuracy, abs=0.01)


def test_same_seed_same_weights(bank: FeatureBank) -> None:
    one, same, other = (fit(bank, ["en"], RECIPE, seed=seed).state for seed in (3, 3, 4))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_untrained_keeps_its_initial_weights(bank: FeatureBank) -> None:
    fitted = fit(bank, [], RECIPE, seed=3)
    initial = fresh_network(network_config(bank, RECIPE), seed=3).state_dict()
    assert all(torch.equal(fitted.state[key], initial[key]) for key in initial)


def test_standardised_features(bank: FeatureBank) -> None:
    scaled = make_bank(n_words=40, n_pictures=40).standardised(["en"])
    rows = np.concatenate([scaled.word_rows("train", concept, "en") for concept in CONCEPTS])
    features, lengths = scaled.words(rows)
    heard = torch.cat([one[:n] for one, n in zip(features, lengths, strict=True)])
    rows = np.concatenate([scaled.picture_rows("train", concept) for concept in CONCEPTS])
    seen = scaled.pictures(rows).movedim(1, -1).flatten(0, 2)
    for values in (heard, seen):
        assert values.mean(dim=0).abs().max() < 0.3
        assert (values.std(dim=0) - 1).abs().max() < 0.3


def test_validation_accuracy_counts_triples(bank: FeatureBank) -> None:
    """Against three nested loops."""
    network = fresh_network(network_config(bank, RECIPE)).eval()
    per_class = []
    for language in ("en", "nl"):
        for concept in CONCEPTS:
            words = network.encode_words(*bank.words(bank.word_rows("valid", concept, language)))
            right = bank.pictures(bank.picture_rows("valid", concept))
            wrong = torch.cat(
                [bank.pictures(bank.picture_rows("valid", c)) for c in CONCEPTS if c != concept]
            )
            for_right = network.similarity(words, network.encode_pictures(right))
            for_wrong = network.similarity(words, network.encode_pictures(wrong))
            answers = [
                bool(for_right[w, r] > for_wrong[w, d])
                for w in range(len(words))
                for r in range(len(right))
                for d in range(len(wrong))
            ]
            per_class.append(np.mean(answers))
    _, accuracy = Validation(bank, ["en", "nl"], RECIPE)(network)
    assert accuracy == pytest.approx(np.mean(per_class))


def test_bank_survives_the_disk(bank: FeatureBank, tmp_path: Path) -> None:
    save_bank(bank, tmp_path / "bank.safetensors")
    again = load_bank(tmp_path / "bank.safetensors")
    assert again.word_table == bank.word_table
    assert again.picture_table == bank.picture_table
    assert again.concepts == bank.concepts
    assert torch.equal(again.frames, bank.frames)
    assert torch.equal(again.maps, bank.maps)
    assert (again.word_start == bank.word_start).all()


def test_words_are_padded_behind_their_ends(bank: FeatureBank) -> None:
    rows = np.array([2, 0])
    features, lengths = bank.words(rows)
    assert lengths.tolist() == [4, 2]
    start = bank.word_start[0]
    assert torch.equal(features[1, :2], bank.frames[start : start + 2].float())
    assert features.shape == (2, 4, 5)


def test_no_test_stimulus_and_no_novel_one_is_ever_read() -> None:
    small = SmallSet()
    bank = build_bank(small, Ear(), Eye(), word_views=2, picture_views=3)  # type: ignore[arg-type]
    read = small.table.loc[small.read]
    assert set(read["split"]) == {"train", "valid"}
    assert set(read["status"]) == {"familiar"}
    assert {row[0] for row in (*bank.word_table, *bank.picture_table)} == set(small.read)
    assert len(bank.word_table) == 3 * 2 * (2 + 1)
    assert len(bank.picture_table) == 3 * 2 * (3 + 1)
    assert len(bank.maps) == len(bank.picture_table)


def test_trained_stimuli_of_mini_are_no_test_stimuli() -> None:
    """By kind, no picture family and no voice is both learnt or chosen by and tested on."""
    table = open_set("mini").table
    for column, kind in (("family", "picture"), ("voice", "word")):
        rows = table[table["kind"] == kind]
        seen = rows[rows["split"].isin(SPLITS) & (rows["status"] == "familiar")]
        tested = rows[rows["split"] == "test"]
        assert len(seen)
        assert not set(seen[column]) & set(tested[column])


def test_views_are_the_same_every_time_and_differ_from_one_another() -> None:
    picture = np.full((20, 20, 3), 255, dtype=np.uint8)
    picture[3:9, 5:17] = (200, 30, 90)
    clip = np.sin(np.arange(3200) / 9).astype(np.float32) / 2
    for make, stimulus in ((views.picture_view, picture), (views.clip_view, clip)):
        first, again, other = (make(stimulus, "one", view) for view in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert make(stimulus, "one", 0) is stimulus
        assert first.dtype == stimulus.dtype


def test_picture_views_keep_size_and_white_ground() -> None:
    picture = np.full((21, 21, 3), 255, dtype=np.uint8)
    picture[8:13, 8:13] = 0
    for view in range(1, 20):
        altered = views.picture_view(picture, "square", view)
        assert altered.shape == picture.shape
        assert (altered[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
        assert altered.min() < 200


def run(out: Path, names: Sequence[str] = ("all",), seeds: Sequence[str] = ("a", "b")) -> None:
    backbones = populations.Backbones(out.parent / "ear", out.parent / "eye")
    for folder in (backbones.hearing, backbones.seeing):
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
    populations.train_populations(names, seeds, out, jobs=1, recipe=RECIPE, backbones=backbones)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_population_folders(small: SmallSet, tmp_path: Path) -> None:
    run(tmp_path / "out")
    names = {"monolingual-en", "monolingual-nl", "bilingual-en-nl", "untrained"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*names, "features"}
    population = open_population("bilingual-en-nl", tmp_path / "out")
    assert population.seeds == ("a", "b")
    assert population.languages == ("en", "nl")
    assert population.load("b").embed_word_features([np.ones((2, 5), "f")]).shape == (1, 64)
    folder = tmp_path / "out" / "bilingual-en-nl"
    with (folder / "training_log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["update"]) for row in rows] == [
        (seed, update) for seed in "ab" for update in ("0", "20", "40")
    ]
    assert sum(row["kept"] == "1" for row in rows) == 2
    assert (folder / "README.md").read_text().startswith("---\nlicense: apache-2.0")


def test_one_language_and_two_make_equal_updates(small: SmallSet, tmp_path: Path) -> None:
    run(tmp_path / "out", seeds=["a"])
    updates = {}
    for path in (tmp_path / "out").glob("*/config.json"):
        config = json.loads(path.read_text())
        updates[config["population"]] = config["training"]["n_updates"], config["training"]["items"]
    assert updates["monolingual-en"] == updates["bilingual-en-nl"] == (40, 7)
    assert updates["untrained"] == (0, 7)


def test_killed_run_goes_on_and_gives_the_same_weights(
    small: SmallSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "whole")
    fitted: list[int] = []
    real = populations.fit.fit

    def stopping(*given, **more):  # type: ignore[no-untyped-def]
        fitted.append(1)
        if len(fitted) == 4:
            raise KeyboardInterrupt
        return real(*given, **more)

    monkeypatch.setattr(populations.fit, "fit", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed")
    run(tmp_path / "killed")
    assert len(fitted) == 8 + 1
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    run(tmp_path / "killed")
    assert len(fitted) == 8 + 1


def test_other_recipe_is_trained_anew(small: SmallSet, tmp_path: Path) -> None:
    run(tmp_path / "out", ["monolingual-en"], ["a"])
    before = (tmp_path / "out" / "monolingual-en" / "a.safetensors").read_bytes()
    backbones = populations.Backbones(tmp_path / "ear", tmp_path / "eye")
    populations.train_populations(
        ["monolingual-en"],
        "b",
        tmp_path / "out",
        jobs=1,
        recipe=replace(RECIPE, n_updates=20),
        backbones=backbones,
    )
    # Seed a was made by the recipe before and no longer belongs to what config.json says.
    assert open_population("monolingual-en", tmp_path / "out").seeds == ("b",)
    assert (tmp_path / "out" / "monolingual-en" / "a.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("names", "seeds", "part"),
    [
        (["bilingual-en-n"], "a", "bilingual-en-nl"),
        (["monolingual-fr"], "a", "monolingual-en"),
        (["untrained"], "z", "seed 'z'"),
    ],
)
def test_unknown_population_or_seed(
    small: SmallSet, tmp_path: Path, names: list[str], seeds: str, part: str
) -> None:
    with pytest.raises(ToolkitError) as caught:
        populations.train_populations(names, seeds, tmp_path / "out")
    assert part in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be_made(small: SmallSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ToolkitError, match="Cannot make the folder"):
        populations.train_populations(["untrained"], "a", tmp_path / "file")
