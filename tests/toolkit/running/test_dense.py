"""Runs of maps: known subjects, resume, order, contract breaches, memory, languages."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from paradigms.maps.agreement import iou
from paradigms.maps.masks import cluster_mask, upsample
from paradigms.registry import get_paradigm
from reports.maps.sources import read_maps
from stimuli import StimulusSet, open_set
from tests.colours import COLOUR_OF, Colours, Guessing, LowResource, population
from tests.conftest import write_scenes
from toolkit.errors import ToolkitError
from toolkit.running import maps
from toolkit.running.choices import run as run_choices
from toolkit.running.embedding_store import EmbeddingStore
from toolkit.running.maps import run_maps
from toolkit.running.plan import Finished
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import COLUMNS, read_trials

PARADIGM = get_paradigm("dense-grounding")
MEASURES = [one.name for one in PARADIGM.measures]
BOTH = ("article", "bare")
"""Both templates of the word list."""
N_ROWS = 5 * 2 * 3
"""Pictures x things in each x languages."""


def ask(who: Population, stimuli: StimulusSet, root: Path, **options: Any) -> Finished:
    return run_maps(PARADIGM, [who], stimuli, root=root, **options)


def trials_of(done: Finished) -> pd.DataFrame:
    return read_trials(done.directory.trials_path)


@pytest.fixture(scope="module")
def known(scenes_set: StimulusSet, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One run of a subject that is always right."""
    return ask(population(), scenes_set, tmp_path_factory.mktemp("known"), templates=BOTH)


def test_the_table_has_one_row_per_picture_concept_language_and_template(
    known: Finished, scenes_set: StimulusSet
) -> None:
    table = trials_of(known)
    assert list(table.columns) == [column.name for column in COLUMNS] + MEASURES
    assert len(table) == 2 * 2 * N_ROWS, "seeds x templates x ..."
    assert set(table["condition"]) == set(BOTH)
    one = table[(table["seed"] == "b") & (table["test_language"] == "lb")]
    assert sorted(one["trial"]) == list(range(5 * 2 * 2))
    row = one[(one["target_id"] == "scene-0") & (one["word_id"] == "lb/ball/bare")].iloc[0]
    assert (row["word_concept"], row["target_concept"], row["n_choices"]) == ("ball", "ball", 2)
    asked = set(zip(table["target_id"], table["word_concept"], strict=True))
    seen = scenes_set.objects[["stimulus_id", "concept"]].itertuples(index=False, name=None)
    assert asked == set(seen)
    assert all(table[name].dtype == np.float32 for name in MEASURES)


def test_what_lies_beside_the_central_square_is_neither_shown_nor_scored(
    known: Finished, tmp_path: Path
) -> None:
    wide = open_set(write_scenes(tmp_path / "wide", margin=8))
    table = trials_of(ask(population(), wide, tmp_path / "runs", templates=BOTH))
    pd.testing.assert_frame_equal(table[MEASURES], trials_of(known)[MEASURES])


def test_a_perfect_subject_points_at_everything_in_every_language(known: Finished) -> None:
    table = trials_of(known)
    assert (table["correct"] == 1).all()
    assert not table["tie"].any()
    for name in ("iou_cluster", "iou_p95", "spearman", "peak_ratio"):
        np.testing.assert_allclose(table[name], 1, atol=1e-6)
    assert (table["iou_true"] > 0.6).all()
    np.testing.assert_allclose(table["mask_share"], 0.25)
    tokens = table.drop_duplicates("word_id").set_index("word_id")["tokens_per_word"]
    assert tokens["en/ball/article"] == 4, "of the word alone, whatever the template"
    assert tokens["fr/key/bare"] == len("clef anglaise") / 2, "per word, not per name"


def test_a_guessing_subject_points_right_as_often_as_the_mask_is_large(tmp_path: Path) -> None:
    many = open_set(write_scenes(tmp_path / "many", 20))
    table = trials_of(ask(population(Guessing, "a"), many, tmp_path))
    assert len(table) == 20 * 2 * 3
    np.testing.assert_allclose(table["mask_share"], 0.25)
    low, high = binom.interval(0.9999, len(table), 0.25)
    assert low <= table["correct"].sum() <= high


@pytest.mark.parametrize(
    ("name", "correct", "ties"), [("perfect", 1, 0), ("reversed", 0, 0), ("constant", 0, 1)]
)
def test_dummies_that_are_handed_the_masks(
    scenes_set: StimulusSet, tmp_path: Path, name: str, correct: int, ties: int
) -> None:
    table = trials_of(ask(open_population(f"{name}/b"), scenes_set, tmp_path))
    assert len(table) == N_ROWS
    assert (table["correct"] == correct).all()
    assert (table["tie"] == ties).all()
    assert table["tokens_per_word"].isna().all()


def test_the_random_dummy_points_by_chance_and_its_seeds_differ(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    who = replace(open_population("random"), seeds=("a", "b"))
    table = trials_of(ask(who, scenes_set, tmp_path))
    low, high = binom.interval(0.9999, len(table), 0.25)
    assert low <= table["correct"].sum() <= high
    scores = table.groupby("seed", observed=True)["score_target"].apply(tuple)
    assert scores.nunique() == 2


def test_dummies_need_masks(scenes_set: StimulusSet, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    shutil.copy(scenes_set.folder / "scene-0.png", tmp_path / "plain")
    stimuli = open_set(tmp_path / "plain", scenes_set.folder / "words.toml")
    with pytest.raises(ToolkitError, match="perfect/a draws what masks show"):
        ask(open_population("perfect/a"), stimuli, tmp_path / "runs")


def test_a_word_that_is_misunderstood_is_seen_in_its_language_alone(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    done = ask(population(LowResource, "a"), scenes_set, tmp_path)
    table = trials_of(done)
    wrong = (table["test_language"] == "lb") & (table["word_concept"] == "car")
    assert (table.loc[~wrong, "correct"] == 1).all()
    assert (table.loc[wrong, "correct"] == 0).all()
    assert (table.loc[wrong, "iou_cluster"] < 0.5).all()
    between = pd.read_csv(done.directory.folder / "agreement.csv")
    both = between.set_index(["concept", "language_a", "language_b"])
    assert both.loc[("car", "en", "fr"), "iou_cluster"] == 1
    for pair in (("en", "lb"), ("fr", "lb")):
        assert both.loc[("car", *pair), "iou_cluster"] < 0.5
        assert both.loc[("key", *pair), "iou_cluster"] == 1


def test_agreement_of_all_languages_averages_what_the_rows_say(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    done = ask(population(Guessing, "a"), scenes_set, tmp_path, templates=BOTH)
    rows = trials_of(done).query("test_language != 'en'")
    between = pd.read_csv(done.directory.folder / "agreement.csv")
    assert list(between.columns) == [
        "population", "seed", "template", "concept", "language_a", "language_b", "iou_cluster",
        "iou_p95", "n_pictures",
    ]  # fmt: skip
    assert len(between) == 2 * 3 * 3, "templates x concepts x pairs of languages"
    for line in between[between["language_a"] == "en"].itertuples():
        own = rows[
            (rows["test_language"] == line.language_b)
            & (rows["condition"] == line.template)
            & (rows["word_concept"] == line.concept)
        ]
        assert line.n_pictures == len(own)
        assert line.iou_cluster == pytest.approx(own["iou_cluster"].mean(), abs=1e-6)
        assert line.iou_p95 == pytest.approx(own["iou_p95"].mean(), abs=1e-6)


def test_maps_to_look_at_are_the_subjects_similarities(
    known: Finished, scenes_set: StimulusSet
) -> None:
    with np.load(known.directory.folder / "maps.npz") as stored:
        kept = dict(stored)
    assert str(kept["template"]) == "bare"
    assert kept["languages"].tolist() == ["en", "fr", "lb"]
    n_pairs = len(scenes_set.objects)
    assert kept["similarity/0"].shape == (n_pairs, 3, 4, 4)
    assert kept["populations"].tolist() == ["colours"]
    assert kept["seeds"].tolist() == ["a"]
    subject = Colours([])
    for number in range(n_pairs):
        picture = scenes_set.read_picture(str(kept["picture_ids"][number]))
        expected = subject.embed_patches([picture])[0] @ subject.text(str(kept["concepts"][number]))
        np.testing.assert_allclose(kept["similarity/0"][number, 1], expected, atol=1e-6)


class Fine(Guessing):
    """Guesses at a finer grain."""

    def patches(self, picture: np.ndarray) -> np.ndarray:
        key = int(picture.astype(np.int64).sum())
        return self.random(key, (7, 7)).astype(np.float32)


def test_maps_to_look_at_are_those_that_were_scored_whatever_the_grain(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    who = [population(Guessing, "a"), population(Fine, "a")]
    done = run_maps(PARADIGM, who, scenes_set, root=tmp_path)
    shapes = {}
    for sample in read_maps([done.directory.folder]).samples:
        shapes[sample.population] = sample.similarity.shape
        maps = upsample(sample.similarity)
        masks = [cluster_mask(one) for one in maps]
        again = [iou(masks[sample.languages.index("en")], mask) for mask in masks]
        assert sample.values == pytest.approx(again, abs=1e-6)
    assert shapes == {"guessing": (3, 4, 4), "fine": (3, 7, 7)}


def test_manifest_records_words_energy_and_what_was_run(
    known: Finished, scenes_set: StimulusSet
) -> None:
    manifest = json.loads((known.directory.folder / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    words = manifest["words"]
    texts = words.pop("texts")
    assert words.pop("checksum") == sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()
    assert texts.keys() == {"article", "bare"}
    assert texts["bare"]["key"] == {"en": "key", "fr": "clef anglaise", "lb": "Schlëssel"}
    assert {concept: own["en"] for concept, own in texts["article"].items()} == {
        "ball": "a ball", "car": "a car", "key": "a key"
    }  # fmt: skip
    assert words == {
        "reference": "en",
        "languages": {
            "en": {"name": "English", "resource": "high"},
            "fr": {"name": "French", "resource": "high"},
            "lb": {"name": "Luxembourgish", "resource": "low"},
        },
        "templates": ["article", "bare"],
    }
    energy = manifest["energy"]
    assert energy["n_queries"] == 2 * 2 * N_ROWS
    assert energy["source"]
    assert (energy["watt_hours"] is None) == (energy["per_1000_queries"] is None)
    assert manifest["languages"] == {"colours": ["en", "fr", "lb"]}
    assert manifest["stimuli"]["checksum"] == scenes_set.checksum
    assert manifest["subjects"] == {f"colours/{s}": population().checksum(s) for s in "ab"}


def test_every_picture_and_text_is_embedded_once_per_subject(
    scenes_set: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "PICTURES_AT_ONCE", 2)
    seen: list[tuple[str, int]] = []
    first = ask(population(seen=seen), scenes_set, tmp_path)
    per_subject = [("text", 2 * len(COLOUR_OF)), *[("picture", n) for n in (2, 2, 1)]]
    assert seen == per_subject * 2
    assert (first.n_computed, first.n_reused) == (6, 0)
    again = ask(population(seen=seen), scenes_set, tmp_path)
    assert (again.n_computed, again.n_reused) == (0, 6)
    ask(population(seen=seen), scenes_set, tmp_path, templates=["bare"])
    assert seen[8:] == [("text", len(COLOUR_OF))] * 2, (
        "features are found on disk, whatever is asked"
    )


def test_a_model_named_by_a_path_gets_a_folder_of_its_own(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    who = replace(population(seeds="a"), name="openclip:xlm-roberta/laion5b")
    done = ask(who, scenes_set, tmp_path)
    assert done.directory.folder.parent == tmp_path
    assert done.directory.run_id.startswith("dense-grounding-openclip-xlm-roberta-laion5b-")
    assert set(trials_of(done)["population"]) == {"openclip:xlm-roberta/laion5b"}


class StopError(Exception):
    """Stands for whatever ends a run in its middle."""


@pytest.fixture(scope="module")
def whole(scenes_set: StimulusSet, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run in chunks of two pictures, made in one go by one process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "PICTURES_AT_ONCE", 2)
        return ask(population(Guessing), scenes_set, tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stop_after", [0, 2, 4])
def test_interrupted_run_goes_on_without_loss_or_duplicates(
    scenes_set: StimulusSet,
    whole: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop_after: int,
) -> None:
    monkeypatch.setattr(maps, "PICTURES_AT_ONCE", 2)

    def stop(what: str, done: int, total: int) -> None:
        if what == "reading maps" and done > stop_after:
            raise StopError

    with pytest.raises(StopError):
        ask(population(Guessing), scenes_set, tmp_path / "cut", progress=stop)
    folder = tmp_path / "cut" / whole.directory.run_id
    assert len(list((folder.parent / "cells").glob("*/*.parquet"))) == stop_after + 1
    assert not (folder / "trials.parquet").exists()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "running"
    seen: list[tuple[str, int]] = []
    done = ask(population(Guessing, seen=seen), scenes_set, tmp_path / "cut")
    assert done.n_reused == stop_after + 1
    assert sum(n for what, n in seen if what == "picture") == 10 - [2, 5, 9][stop_after // 2]
    for name in ("trials.parquet", "agreement.csv", "maps.npz"):
        assert (folder / name).read_bytes() == (whole.directory.folder / name).read_bytes()


def test_processes_change_nothing(
    scenes_set: StimulusSet, whole: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "PICTURES_AT_ONCE", 2)
    two = ask(population(Guessing), scenes_set, tmp_path, jobs=2)
    for name in ("trials.parquet", "agreement.csv", "maps.npz"):
        first, second = (run.directory.folder / name for run in (whole, two))
        assert first.read_bytes() == second.read_bytes()


def by_what_was_asked(done: Finished) -> pd.DataFrame:
    table = trials_of(done)
    key = ["seed", "target_id", "word_id"]
    return table.astype(dict.fromkeys(key, str)).set_index(key).sort_index()


def test_order_of_pictures_and_words_changes_no_answer(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    other = shutil.copytree(scenes_set.folder, tmp_path / "other")
    for name in ("stimuli.csv", "objects.csv"):
        with (other / name).open(newline="") as file:
            head, *rows = csv.reader(file)
        with (other / name).open("w", newline="") as file:
            csv.writer(file).writerows([head, *reversed(rows)])
    text = (other / "words.toml").read_text()
    head, *tables = text.split("[")
    (other / "words.toml").write_text(
        "[".join([head, *reversed([t.strip() + "\n" for t in tables])])
    )
    first = by_what_was_asked(ask(population(Guessing, "a"), scenes_set, tmp_path / "a"))
    second = by_what_was_asked(ask(population(Guessing, "a"), open_set(other), tmp_path / "b"))
    assert set(first.index) == set(second.index)
    for name in [*MEASURES, "score_target", "score_distractor", "correct"]:
        np.testing.assert_array_equal(first[name], second.loc[first.index, name])


def test_memory_holds_one_chunk_of_pictures_at_a_time(
    scenes_set: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "PICTURES_AT_ONCE", 1)
    read: list[str] = []
    whole = StimulusSet.read_picture

    def counted(self: StimulusSet, name: str) -> Any:
        read.append(name)
        return whole(self, name)

    monkeypatch.setattr(StimulusSet, "read_picture", counted)
    order: list[str] = []
    seen: list[tuple[str, int]] = []
    ask(
        population(seeds="a", seen=seen), scenes_set, tmp_path,
        progress=lambda what, done, total: order.append(f"{what} {len(read)}"),
    )  # fmt: skip
    assert [n for what, n in seen if what == "picture"] == [1] * 5
    reading = [line for line in order if line.startswith("reading maps")]
    assert reading == [f"reading maps {n}" for n in range(1, 6)], "no picture is read ahead"


def test_pictures_without_masks_are_asked_for_everything(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for number in range(2):
        shutil.copy(scenes_set.folder / f"scene-{number}.png", plain)
    stimuli = open_set(plain, scenes_set.folder / "words.toml")
    table = trials_of(ask(population(seeds="a"), stimuli, tmp_path / "runs", languages=["lb"]))
    assert len(table) == 2 * 3 * 2, "pictures x concepts x (reference, lb)"
    assert set(table["test_language"]) == {"en", "lb"}
    assert (table["n_choices"] == 1).all()
    assert (table["correct"] == 0).all()
    assert not table["tie"].any()
    for name in ("score_distractor", "margin", "iou_true", "mask_share"):
        assert table[name].isna().all()
    assert table[["score_target", "iou_cluster", "spearman"]].notna().all().all()


def test_a_further_language_needs_lines_in_the_list_alone(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    text = ""
    for line in (scenes_set.folder / "words.toml").read_text().splitlines(keepends=True):
        text += line
        if line.startswith("fr = "):
            text += line.replace("fr = ", "xx = ", 1)
    text += '[languages.xx]\nname = "X"\nresource = "low"\ntemplates = { bare = "{word}" }\n'
    (tmp_path / "words.toml").write_text(text)
    stimuli = open_set(scenes_set.folder, tmp_path / "words.toml")
    done = ask(population(seeds="a"), stimuli, tmp_path / "runs")
    table = trials_of(done)
    assert set(table["test_language"]) == {"en", "fr", "lb", "xx"}
    assert set(table["condition"]) == {"bare"}, "only what all languages have"
    assert done.warnings == ("colours was not trained on xx: read its results there as a control.",)


@pytest.mark.parametrize(
    ("options", "message", "nearest"),
    [
        ({"languages": ["lbx"]}, "no language 'lbx' in the word list", "lb"),
        ({"templates": ["bar"]}, "no template that all languages asked have 'bar'", "bare"),
    ],
)
def test_unknown_languages_and_templates_are_refused(
    scenes_set: StimulusSet, tmp_path: Path, options: Any, message: str, nearest: str
) -> None:
    with pytest.raises(ToolkitError, match=message) as caught:
        ask(population(), scenes_set, tmp_path, **options)
    assert caught.value.nearest == nearest
    assert not list(tmp_path.iterdir())


def test_a_concept_without_a_word_is_refused_before_anything_is_written(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    text = (scenes_set.folder / "words.toml").read_text()
    lines = [line for line in text.splitlines() if "Auto" not in line]
    (tmp_path / "words.toml").write_text("\n".join(lines))
    stimuli = open_set(scenes_set.folder, tmp_path / "words.toml")
    with pytest.raises(ToolkitError, match="'car' has no word in lb") as caught:
        ask(population(), stimuli, tmp_path / "runs")
    assert "--language" in (caught.value.next_command or "")
    assert not (tmp_path / "runs").exists()
    done = ask(population(seeds="a"), stimuli, tmp_path / "runs", languages=["fr"])
    assert set(trials_of(done)["test_language"]) == {"en", "fr"}


def test_a_picture_that_cannot_be_read_is_named(scenes_set: StimulusSet, tmp_path: Path) -> None:
    other = shutil.copytree(scenes_set.folder, tmp_path / "other")
    (other / "scene-3.png").write_bytes(b"no picture")
    with pytest.raises(ToolkitError, match=r"scene-3\.png is not the file .* its checksum differs"):
        ask(population(), open_set(other), tmp_path / "runs")
    left = [path.relative_to(tmp_path / "runs").parts[0] for path in tmp_path.glob("runs/**/*")]
    assert set(left) == {"embeddings"}, "vectors of texts, which are whole"


def breach(method: str, change: Callable[[Any], Any]) -> type[Colours]:
    """A subject one of whose answers is changed."""

    def changed(self: Any, given: Any) -> Any:
        return change(getattr(Colours, method)(self, given))

    return type("Broken", (Colours,), {method: changed})


def with_nan(vectors: np.ndarray) -> np.ndarray:
    vectors[1] = np.nan
    return vectors


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("embed_text", with_nan, "broken/a gave NaN or infinity for 1 of 18 texts"),
        ("embed_text", lambda v: v * 2, "vectors that are not of length one for 18 of 18 texts"),
        ("embed_text", lambda v: v[1:], "broke the contract while embedding 18 texts"),
        ("count_tokens", lambda v: [0] * len(v), "broke the contract while counting tokens"),
        ("embed_patches", with_nan, "gave NaN or infinity for 1 of 5 pictures, first for scene-1"),
        ("embed_patches", lambda v: v[:, :, :, :2], "broke the contract while embedding 5 pict"),
        ("embed_patches", lambda v: v.reshape(5, 16, 3), "broke the contract while embedding 5"),
        ("embed_patches", lambda v: v.tolist(), "broke the contract while embedding 5 pictures"),
    ],
)
def test_subjects_that_break_the_contract_are_named_and_nothing_is_stored(
    scenes_set: StimulusSet, tmp_path: Path, method: str, change: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(ToolkitError, match=message):
        ask(population(breach(method, change), "a"), scenes_set, tmp_path)
    assert not list(tmp_path.glob("cells/*/*"))
    assert not list(tmp_path.glob("embeddings/*/*.npy"))


def test_subjects_and_paradigms_that_do_not_fit_are_told_what_does(
    scenes_set: StimulusSet, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    blind = Population("blind", ("en",), ("a",), "Blind.", lambda own, seed: object())  # type: ignore[arg-type]
    with pytest.raises(ToolkitError, match="blind/a cannot read text and cannot say") as caught:
        ask(blind, scenes_set, tmp_path)
    assert caught.value.next_command == (
        "mevgs-toolkit run-paradigm dense-grounding --subject multilingual-clip"
    )
    assert "e.g. multilingual-clip" in (caught.value.allowed or "")
    with pytest.raises(ToolkitError, match="blind/a cannot read text"):
        ask(blind, scenes_set, tmp_path, languages=["no such language"])
    assert not list(tmp_path.iterdir()), "a refused run leaves nothing behind"
    with pytest.raises(ToolkitError, match="cannot hear words and look at pictures") as caught:
        run_choices(get_paradigm("me"), [population(seeds="a")], tiny_set, languages=["en"],
                    root=tmp_path)  # fmt: skip
    assert caught.value.next_command == (
        "mevgs-toolkit run-paradigm dense-grounding --subject colours/a"
    )
    assert "can be asked dense-grounding" in (caught.value.given or "")
    assert not list(tmp_path.glob("cells/*/*"))


def test_a_paradigm_of_choices_is_refused_before_anything_else(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    with pytest.raises(ToolkitError, match="asks for choices"):
        run_maps(get_paradigm("me"), [population()], scenes_set, root=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_damaged_features_are_made_again(scenes_set: StimulusSet, tmp_path: Path) -> None:
    first = ask(population(seeds="a"), scenes_set, tmp_path)
    before = first.directory.trials_path.read_bytes()
    for path in (tmp_path / "embeddings").glob("*/*"):
        path.write_bytes(path.read_bytes()[:100])
    for path in [*first.directory.root.glob("cells/*/*"), first.directory.trials_path]:
        path.unlink()
    seen: list[tuple[str, int]] = []
    again = ask(population(seeds="a", seen=seen), scenes_set, tmp_path)
    assert seen == [("text", 18), ("picture", 5)]
    assert again.directory.trials_path.read_bytes() == before


def test_features_are_named_by_what_is_in_the_pictures(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    subject = maps.subjects_of([population(seeds="a")])[0]
    store = EmbeddingStore(tmp_path)
    paths = {
        store.features(subject, Colours([]), scenes_set, names, 3)
        for names in (["scene-0", "scene-1"], ["scene-1", "scene-0"], ["scene-0", "scene-1"])
    }
    assert len(paths) == 2
