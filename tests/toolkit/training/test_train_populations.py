"""Population folders: what is written, what is skipped, what goes on after a kill."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toolkit.training.training_bank import RECIPE, Ear, Eye, SmallSet
from toolkit.errors import ToolkitError
from toolkit.subjects.population import WEIGHTS
from toolkit.subjects.populations import open_population
from toolkit.training import cards, populations, workers
from toolkit.training.conditions import Cell, Condition, seeds_of
from toolkit.training.draws import Draws
from toolkit.training.recipe import PUBLISHED, Recipe
from toolkit.training.sources import SetSource


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallSet:
    """A small set and small backbones in the place of the real ones."""
    small = SmallSet()
    monkeypatch.setattr("toolkit.subjects.backbones.hearing.Hearing", Ear)
    monkeypatch.setattr("toolkit.subjects.backbones.seeing.Seeing", Eye)
    return small


SETS = [["en"], ["nl"], ["en", "nl"], []]


def run(
    small: SmallSet,
    out: Path,
    languages: Sequence[Sequence[str]] = SETS,
    seeds: Sequence[str] = ("a", "b"),
    recipe: Recipe = RECIPE,
) -> None:
    source = SetSource(small, out.parent / "ear", out.parent / "eye")  # type: ignore[arg-type]
    for folder in (source.hearing, source.seeing):
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
    conditions = [Condition.of(codes, recipe) for codes in languages]
    populations.train_populations(conditions, seeds, out, source, jobs=1)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_features_and_weights_come_from_one_thread(
    small: SmallSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    heard, fitted = Ear.features, workers.fit.fit

    def features(ear: Ear, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        seen.append(torch.get_num_threads())
        return heard(ear, clips)

    def fit(*given: object, **more: object) -> object:
        seen.append(torch.get_num_threads())
        return fitted(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Ear, "features", features)
    monkeypatch.setattr(workers.fit, "fit", fit)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        run(small, tmp_path / "out", [["en"]], ["a"])
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert len(seen) > 1
    assert {*seen} == {1}


def test_population_folders(small: SmallSet, tmp_path: Path) -> None:
    run(small, tmp_path / "out")
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
    run(small, tmp_path / "out", seeds=["a"])
    updates = {}
    for path in (tmp_path / "out").glob("*/config.json"):
        config = json.loads(path.read_text())
        updates[config["population"]] = config["training"]["n_updates"], config["training"]["items"]
    assert updates["monolingual-en"] == updates["bilingual-en-nl"] == (40, 7)
    assert updates["untrained"] == (0, 7)


def test_killed_run_goes_on_and_gives_the_same_weights(
    small: SmallSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(small, tmp_path / "whole")
    made: list[int] = []
    real = workers._train

    def stopping(*given, **more):  # type: ignore[no-untyped-def]
        made.append(1)
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(*given, **more)

    monkeypatch.setattr(workers, "_train", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(small, tmp_path / "killed")
    run(small, tmp_path / "killed")
    # The seeds of a population together, those that learn nothing one at a time.
    assert len(made) == 5 + 1
    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    run(small, tmp_path / "killed")
    assert len(made) == 5 + 1


def test_other_recipe_is_trained_anew(small: SmallSet, tmp_path: Path) -> None:
    run(small, tmp_path / "out", [["en"]], ["a"])
    before = (tmp_path / "out" / "monolingual-en" / "a.safetensors").read_bytes()
    run(small, tmp_path / "out", [["en"]], ["b"], replace(RECIPE, n_updates=20))
    # Seed a was made by the recipe before and no longer belongs to what config.json says.
    assert open_population("monolingual-en", tmp_path / "out").seeds == ("b",)
    assert (tmp_path / "out" / "monolingual-en" / "a.safetensors").read_bytes() == before


def test_published_way_is_recorded(small: SmallSet, tmp_path: Path) -> None:
    recipe = replace(
        PUBLISHED, epochs=2, warmup_epochs=1, items=2, width=64, embedding=5, equal_updates=True
    )
    run(small, tmp_path / "out", [["en"], ["en", "nl"]], ["a"], recipe)
    told = {}
    for path in (tmp_path / "out").glob("*/config.json"):
        config = json.loads(path.read_text())
        told[config["population"]] = config["training"]
        assert config["network"]["temperature"] == "published"
        card = (path.parent / "README.md").read_text()
        assert "made 4 updates of 2 items in 2 epochs of 3 clips" in " ".join(card.split())
    for training in told.values():
        assert (training["n_updates"], training["epoch_clips"], training["epochs"]) == (4, 3, 2)
        assert (training["equal_updates"], training["warmup_epochs"]) == (True, 1)
        assert training["negatives_from"] == "apart"


def test_barlip_keeps_its_means_and_variances(small: SmallSet, tmp_path: Path) -> None:
    recipe = replace(RECIPE, family="barlip", label_smoothing=0.0, items=5)
    run(small, tmp_path / "out", [["en"]], ["a"], recipe)
    subject = open_population("monolingual-en", tmp_path / "out").load("a")
    state = subject.network.state_dict()
    assert state["bn_audio.num_batches_tracked"] in (20, 40)
    assert state["bn_audio.running_var"].dtype == torch.float32
    assert np.isfinite(subject.embed_word_features([np.ones((2, 5), "f")])).all()


def test_a_kill_after_the_weights_leaves_no_subject_out(small: SmallSet, tmp_path: Path) -> None:
    """The description, and the state of the training, are put right at the next start."""
    run(small, tmp_path / "out", [["en"]])
    folder = tmp_path / "out" / "monolingual-en"
    whole = files(folder)
    described = (folder / "population.toml").read_text()
    (folder / "population.toml").write_text(described.replace('"a", "b"', '"a"'))
    (tmp_path / "out" / "unfinished").mkdir()
    (tmp_path / "out" / "unfinished" / "monolingual-en_b.pt").write_bytes(b"left over")
    run(small, tmp_path / "out", [["en"]])
    assert files(folder) == whole
    assert not (tmp_path / "out" / "unfinished").exists()


def test_more_seeds_than_letters(small: SmallSet, tmp_path: Path) -> None:
    run(small, tmp_path / "out", [[]], seeds_of(28))
    seeds = open_population("untrained", tmp_path / "out").seeds
    assert (len(seeds), seeds[25:]) == (28, ("z", "aa", "ab"))


@pytest.mark.parametrize(
    ("languages", "gone", "part"),
    [
        (["fr"], {}, "allowed: en, nl"),
        (["nl"], {"language": "nl", "split": "train"}, "no nl word for bear"),
        (["en"], {"kind": "picture", "concept": "dog", "split": "valid"}, "no picture of dog"),
        (["en", "en"], {}, "named twice"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(
    small: SmallSet, tmp_path: Path, languages: list[str], gone: dict[str, str], part: str
) -> None:
    if gone:
        small.table = small.table.drop(small.select(**gone).index)
    with pytest.raises(ToolkitError) as caught:
        run(small, tmp_path / "out", [languages])
    assert part in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert not small.read


def test_folder_that_cannot_be_made(small: SmallSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ToolkitError, match="Cannot make the folder"):
        run(small, tmp_path / "file", [[]])


@pytest.mark.parametrize(
    "folder",
    [
        path.parent
        for path in sorted(WEIGHTS.glob("*/config.json"))
        if "network" in json.loads(path.read_text("utf-8"))
    ],
    ids=lambda folder: folder.name,
)
def test_shipped_weights_carry_the_checksum_of_their_recipe(folder: Path) -> None:
    """The same command would not train them again, and says the same about them."""
    facts = json.loads((folder / "config.json").read_text())
    draws = None
    if "draws" in facts:
        draws = Draws(
            *(facts["draws"][f"familiar_{what}"] for what in ("draws", "concepts", "seed"))
        )
        drawn = draws.of(sorted({name for own in facts["familiar"].values() for name in own}))
        assert facts["familiar"] == {name: list(own) for name, own in drawn.items()}
    condition = Condition.of(facts["languages"], Recipe(), draws=draws)
    assert condition.name == facts["population"] == folder.name
    bank = facts["training"]["features"]
    told = {"version": populations.TRAINING_VERSION, **condition.recipe.record()}
    assert facts["training"] == told | {"features": bank}
    for seed in ("01a", "20a") if draws else "aj":
        key = populations.cell_key(Cell(condition, seed), facts)
        assert cards.stored_key(folder, seed) == key


@pytest.mark.parametrize("what", ["weights", "features"])
def test_a_flipped_bit_of_weights_or_features_is_made_good(
    what: str, small: SmallSet, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(small, out, [["en"]], "a")
    whole = files(out)
    path = out / "monolingual-en" / "a.safetensors"
    if what == "features":
        (path,) = (out / "features").glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-5] ^= 16
    path.write_bytes(content)
    run(small, out, [["en"]], "a")
    assert files(out) == whole


def test_what_a_subject_is_called_by_is_its_files_and_not_their_checksums(
    small: SmallSet, tmp_path: Path
) -> None:
    """Populations that earlier versions trained have none beside their weights."""
    run(small, tmp_path / "out", [["en"]], "a")
    before = open_population("monolingual-en", tmp_path / "out").checksum("a")
    (tmp_path / "out" / "monolingual-en" / "a.safetensors.sha256").unlink()
    assert open_population("monolingual-en", tmp_path / "out").checksum("a") == before
