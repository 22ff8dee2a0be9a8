"""The runner: known subjects, reuse and resume, contract breaches, languages."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from paradigms import Paradigm
from paradigms.registry import find_paradigms, get_paradigm
from stimuli import StimulusSet, open_set
from stimuli.files import checksum_file
from toolkit.errors import ToolkitError
from toolkit.running.choices import run
from toolkit.running.plan import Finished
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import COLUMNS, read_trials, table_faults

CHOICES = [name for name, cls in find_paradigms().items() if issubclass(cls, Paradigm)]
DUMMIES = ("perfect", "reversed", "random", "constant", "familiar-seeker")


def trials_of(done: Finished) -> pd.DataFrame:
    return read_trials(done.directory.trials_path)


def run_dummy(name: str, paradigm: str, stimuli: StimulusSet, root: Path) -> pd.DataFrame:
    return trials_of(run(get_paradigm(paradigm), [open_population(name)], stimuli, root=root))


@pytest.mark.parametrize("paradigm", CHOICES)
class TestDummies:
    """Every paradigm of choices with every dummy; expectations follow from what each dummy does."""

    def test_perfect_is_always_right(
        self, paradigm: str, tiny_set: StimulusSet, tmp_path: Path
    ) -> None:
        assert (run_dummy("perfect", paradigm, tiny_set, tmp_path)["correct"] == 1).all()

    def test_reversed_is_never_right(
        self, paradigm: str, tiny_set: StimulusSet, tmp_path: Path
    ) -> None:
        table = run_dummy("reversed", paradigm, tiny_set, tmp_path)
        assert (table["correct"] == 0).all()
        # Distractors of a trial with many options tie with each other, never with the target.
        assert not table["tie"].any()

    def test_random_stays_in_its_binomial_band(
        self, paradigm: str, tiny_set: StimulusSet, tmp_path: Path
    ) -> None:
        table = run_dummy("random", paradigm, tiny_set, tmp_path)
        for chance, rows in table.groupby(1 / table["n_choices"]):
            low, high = binom.interval(0.9999, len(rows), chance)
            assert low <= rows["correct"].sum() <= high

    def test_constant_ties_always_and_is_never_right(
        self, paradigm: str, tiny_set: StimulusSet, tmp_path: Path
    ) -> None:
        table = run_dummy("constant", paradigm, tiny_set, tmp_path)
        assert table["tie"].all()
        assert (table["correct"] == 0).all()


def test_familiar_seeker_fails_me_and_passes_its_control(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    table = run_dummy("familiar-seeker", "me", tiny_set, tmp_path)
    accuracy = table.groupby("condition", observed=True)["correct"].mean()
    assert accuracy["novel-familiar"] == 0
    assert accuracy["novel*-familiar"] == 0
    assert accuracy["absent-familiar"] == 0
    assert accuracy["familiar-novel"] == 1
    assert table.loc[table["condition"] == "novel-novel", "tie"].all()


@pytest.fixture
def hasher(subjects_dir: Path) -> Population:
    return open_population("hasher", subjects_dir)


def heard_by(hasher: Population) -> list[tuple[str, int]]:
    """What the subjects of the population were asked to embed, over all its seeds."""
    code = str(hasher.file("hasher_subject.py"))
    module = next(m for m in sys.modules.values() if getattr(m, "__file__", None) == code)
    return module.heard  # type: ignore[no-any-return]


def test_trials_table_has_all_columns_and_crossed_items(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    table = trials_of(run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path))
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert table_faults(table) == []
    me = table[table["condition"] == "novel-familiar"]
    assert (me.groupby(["seed", "test_language"], observed=True).size() == 5 * 50).all()
    items = ["trial", "test_language", "word_id", "target_id", "distractor_id", "target_position"]
    per_seed = [
        rows[items].astype(str).reset_index(drop=True)
        for _, rows in table.groupby("seed", observed=True)
    ]
    for other in per_seed[1:]:
        pd.testing.assert_frame_equal(per_seed[0], other)


def test_every_stimulus_is_embedded_once_per_subject(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path)
    heard = heard_by(hasher)
    words = len(tiny_set.select(kind="word", split="test"))
    pictures = len(tiny_set.select(kind="picture", split="test"))
    assert heard == [("word", words), ("picture", pictures)] * 3
    run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    assert len(heard) == 6, "a second paradigm must find the embeddings on disk"


def test_scores_are_the_subjects_similarities(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    table = trials_of(run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path, per_class=2))
    subject = hasher.load("b")
    rows = table[(table["seed"] == "b") & (table["word_id"] != "*")]
    for row in rows.sample(7, random_state=0).itertuples():
        word = subject.embed_words([tiny_set.read_clip(row.word_id)])
        pair = [tiny_set.read_picture(name) for name in (row.target_id, row.distractor_id)]
        expected = subject.similarity(word, subject.embed_pictures(pair))[0]
        assert row.score_target == pytest.approx(expected[0], abs=1e-5)
        assert row.score_distractor == pytest.approx(expected[1], abs=1e-5)
    row = next(table[(table["seed"] == "b") & (table["word_id"] == "*")].itertuples())
    words = tiny_set.select(kind="word", split="test", language=row.test_language)
    vectors = subject.embed_words([tiny_set.read_clip(name) for name in words.index])
    picture = subject.embed_pictures([tiny_set.read_picture(row.target_id)])
    by_class = pd.Series(subject.similarity(vectors, picture)[:, 0]).groupby(
        words["concept"].to_numpy()
    )
    assert row.score_target == pytest.approx(by_class.mean().mean(), abs=1e-5)


def test_translation_gives_a_clip_to_the_nearest_centroid(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    table = trials_of(run(get_paradigm("translation"), [hasher], tiny_set, root=tmp_path))
    assert len(table) == 3 * 2 * 8 * 4, "seeds x languages x classes x clips"
    subject = hasher.load("c")

    def unit(names: list[str]) -> np.ndarray:
        vectors = subject.embed_words([tiny_set.read_clip(name) for name in names])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    words = tiny_set.select(kind="word", split="test")
    for row in table[table["seed"] == "c"].sample(11, random_state=0).itertuples():
        distance = {}
        for concept, own in words[words["language"] != row.test_language].groupby("concept"):
            if own["status"].iloc[0] == row.condition:
                mean = unit(list(own.index)).mean(axis=0)
                centroid = mean / np.linalg.norm(mean)
                distance[concept] = float(np.linalg.norm(unit([row.word_id])[0] - centroid))
        nearest = min(distance, key=distance.__getitem__)
        assert row.correct == (nearest == row.word_concept)
        assert row.score_target == pytest.approx(-distance[row.word_concept], abs=1e-5)
        assert row.n_choices == len(distance) == (3 if row.condition == "familiar" else 5)


@pytest.mark.parametrize(("shift", "factor"), [(1.0, 1.0), (0.0, 3.0), (-2.0, 0.25)])
def test_shifting_and_scaling_scores_changes_no_answer(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path, shift: float, factor: float
) -> None:
    paradigm = get_paradigm("me")
    plain = trials_of(run(paradigm, [hasher], tiny_set, root=tmp_path / "plain"))

    def load(population: Population, seed: str) -> object:
        subject = hasher.load(seed)
        subject.shift, subject.factor = np.float32(shift), np.float32(factor)
        return subject

    changed = Population("hasher", hasher.languages, hasher.seeds, "Changed.", load)  # type: ignore[arg-type]
    other = trials_of(run(paradigm, [changed], tiny_set, root=tmp_path / "changed"))
    np.testing.assert_array_equal(plain["correct"], other["correct"])


def test_same_command_reuses_everything_and_changes_no_byte(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    first = run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path)
    before = first.directory.trials_path.read_bytes()
    again = run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path)
    assert (first.n_computed, first.n_reused) == (6, 0)
    assert (again.n_computed, again.n_reused) == (0, 6)
    assert again.directory.trials_path.read_bytes() == before
    elsewhere = run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path / "other")
    assert elsewhere.directory.run_id == first.directory.run_id
    assert elsewhere.directory.trials_path.read_bytes() == before


class StopError(Exception):
    """Stands for whatever ends a run in its middle."""


@pytest.mark.parametrize("stop_after", [0, 1, 4])
def test_interrupted_run_goes_on_without_loss_or_duplicates(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path, stop_after: int
) -> None:
    paradigm = get_paradigm("me")
    whole = run(paradigm, [hasher], tiny_set, root=tmp_path / "whole")

    def stop(what: str, done: int, total: int) -> None:
        if what == "asking" and done > stop_after:
            raise StopError

    with pytest.raises(StopError):
        run(paradigm, [hasher], tiny_set, root=tmp_path / "cut", progress=stop)
    folder = tmp_path / "cut" / whole.directory.run_id
    assert len(list((folder.parent / "cells").glob("*/*.parquet"))) == stop_after + 1
    assert not (folder / "trials.parquet").exists()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "running"
    done = run(paradigm, [hasher], tiny_set, root=tmp_path / "cut")
    assert done.n_reused == stop_after + 1
    assert json.loads((folder / "manifest.json").read_text())["status"] == "complete"
    assert done.directory.trials_path.read_bytes() == whole.directory.trials_path.read_bytes()


def test_what_a_killed_run_left_half_written_goes_with_the_next_run(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    first = run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    folder, cells = first.directory.folder, min((tmp_path / "cells").iterdir())
    abandoned = [
        cells / f".{'0' * 32}-0123abcd.parquet",
        folder / ".manifest-89abcdef.json",
        min((tmp_path / "embeddings").iterdir()) / f".{'0' * 32}-01234567.npz",
    ]
    kept = [
        cells / ".notes.parquet",
        cells / "own-0123abcd.parquet",
        cells / f".{'1' * 32}-0123abcd.parquet",
    ]
    for path in (*abandoned, *kept):
        path.write_bytes(b"half")
    for path in (*abandoned, *kept[:2]):
        os.utime(path, (0, 0))
    in_the_year_2100 = 4_102_444_800
    os.utime(kept[2], (in_the_year_2100, in_the_year_2100))
    again = run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    assert again.n_reused == 6
    assert not any(path.exists() for path in abandoned)
    assert all(path.exists() for path in kept), "another run may be writing a young file"


def test_runs_share_their_cells_and_move_as_a_whole(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    me, there = get_paradigm("me"), tmp_path / "there"
    first = run(me, [hasher], tiny_set, root=tmp_path / "here", languages=["en"], per_class=4)
    shutil.move(tmp_path / "here", there)
    both = run(me, [hasher], tiny_set, root=there, languages=["en", "nl"], per_class=4)
    assert (both.n_reused, both.n_computed) == (first.n_computed, first.n_computed)
    again = run(me, [hasher], tiny_set, root=there, languages=["en"], per_class=4)
    assert (again.n_reused, again.n_computed) == (first.n_computed, 0)
    assert again.directory.folder == there / first.directory.run_id


def test_cells_and_embeddings_lie_with_those_whose_keys_begin_alike(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    done = run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    keys = done.manifest["cells"].values()
    cells = [path for path in (tmp_path / "cells").rglob("*") if path.suffix == ".parquet"]
    assert {path.relative_to(tmp_path / "cells").as_posix() for path in cells} == {
        f"{key[:2]}/{key}.parquet" for key in keys
    }
    embeddings = [path for path in (tmp_path / "embeddings").rglob("*") if path.is_file()]
    assert all(path.parent.name == path.name[:2] for path in embeddings)


CUTS: dict[str, Callable[[Path], object]] = {
    "an empty file": lambda file: file.write_bytes(b""),
    "a footer of zeros": lambda file: file.write_bytes(file.read_bytes()[:-64] + bytes(64)),
    "no checksum": lambda file: checksum_file(file).unlink(),
    "an empty checksum": lambda file: checksum_file(file).write_bytes(b""),
    "no file": lambda file: file.unlink(),
    "no folder": lambda file: shutil.rmtree(file.parent),
}
"""What a power cut or a lost disk may leave of a finished cell."""


@pytest.mark.parametrize("cut", CUTS)
def test_cells_that_a_power_cut_took_are_found_made_again_and_told(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path, cut: str
) -> None:
    def ask() -> Finished:
        return run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path, per_class=4)

    first = ask()
    before = first.directory.trials_path.read_bytes()
    lost = list(first.manifest["cells"].values())[1]
    CUTS[cut](first.directory.cell_path(lost))
    assert not first.directory.has_cell(lost)
    again = ask()
    assert again.n_computed >= 1
    assert all(map(again.directory.has_cell, again.manifest["cells"].values()))
    assert again.directory.trials_path.read_bytes() == before


def test_edited_paradigm_is_a_new_run(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    source = Path("familiar.py")
    text = (Path(sys.modules["paradigms"].__path__[0]) / source).read_text()
    ids = []
    for number, change in enumerate(("", "# a remark\n")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "mine.py").write_text(text.replace('"familiar", v', '"mine", v') + change)
        done = run(get_paradigm("mine", folder), [hasher], tiny_set, root=tmp_path / "runs")
        ids.append(done.directory.run_id)
    assert ids[0] != ids[1]


def test_manifest_records_what_was_run(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    done = run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path, per_class=3, trial_seed=7)
    manifest = json.loads((done.directory.folder / "manifest.json").read_text())
    assert manifest["paradigm"]["name"] == "me"
    assert manifest["stimuli"]["checksum"] == tiny_set.checksum
    assert manifest["subjects"] == {f"hasher/{s}": hasher.checksum(s) for s in "abc"}
    assert (manifest["trials_per_class"], manifest["trial_seed"]) == (3, 7)
    assert manifest["packages"]["numpy"] == np.__version__
    assert {"git", "machine", "started", "ended", "command"} <= set(manifest)


def test_several_populations_stand_in_one_table(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    both = [hasher, open_population("perfect/a")]
    done = run(get_paradigm("familiar"), both, tiny_set, root=tmp_path)
    table = trials_of(done)
    assert set(table["population"]) == {"hasher", "perfect"}
    assert done.directory.run_id.startswith("familiar-2-populations-")


def test_runs_of_paradigms_with_any_name_lie_side_by_side(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    for name in ("my test", "my/test", "My Test", "../test", "test", "тест"):
        asked = get_paradigm("familiar")
        asked.name = name
        run(asked, [hasher], tiny_set, root=tmp_path / "runs", per_class=1)
    folders = [path.parent for path in tmp_path.rglob("manifest.json")]
    assert len({path.name.rpartition("-hasher-")[0].casefold() for path in folders}) == 6
    assert {path.parent for path in folders} == {tmp_path / "runs"}


def test_language_that_a_subject_never_heard_is_a_control_with_a_warning(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    english = Population("english", ("en",), ("a",), "English.", lambda p, s: hasher.load(s))
    done = run(get_paradigm("familiar"), [english], tiny_set, languages=["nl"], root=tmp_path)
    assert done.warnings == ("english was not trained on nl: read its results there as a control.",)


def test_unknown_language_is_refused(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    with pytest.raises(ToolkitError, match="no language of the stimulus set 'tiny' 'de'"):
        run(get_paradigm("me"), [hasher], tiny_set, languages=["de"], root=tmp_path)
    assert not list(tmp_path.glob("me-*"))


def test_a_paradigm_of_maps_is_refused_before_anything_else(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    with pytest.raises(ToolkitError, match="asks for maps"):
        run(get_paradigm("dense-grounding"), [], tiny_set, root=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_translation_needs_two_languages(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    english = Population("english", ("en",), ("a",), "English.", lambda p, s: hasher.load(s))
    with pytest.raises(ToolkitError, match="needs 2 languages"):
        run(get_paradigm("translation"), [english], tiny_set, root=tmp_path)


class Broken:
    """Breaks the contract in the way it is told."""

    def __init__(self, how: str) -> None:
        self.how = how

    def embed_words(self, clips: list[np.ndarray]) -> object:
        vectors = np.ones((len(clips), 3), np.float32)
        if self.how == "nan":
            vectors[1] = np.nan
        return {"list": [1], "short": vectors[1:], "flat": vectors[0]}.get(self.how, vectors)

    def embed_pictures(self, pictures: list[np.ndarray]) -> np.ndarray:
        return np.ones((len(pictures), 3), np.float32)

    def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        matrix = words @ pictures.T
        return matrix * np.nan if self.how == "nan score" else matrix


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("nan", "broken/a gave NaN or infinity for 1 of"),
        ("list", "broke the contract"),
        ("short", "broke the contract"),
        ("flat", "broke the contract"),
        ("nan score", "gave NaN or infinity as a score"),
    ],
)
def test_subjects_that_break_the_contract_are_named_and_nothing_is_stored(
    tiny_set: StimulusSet, tmp_path: Path, how: str, message: str
) -> None:
    broken = Population("broken", ("en",), ("a",), "Broken.", lambda p, s: Broken(how))  # type: ignore[arg-type]
    with pytest.raises(ToolkitError, match=message):
        run(get_paradigm("familiar"), [broken], tiny_set, root=tmp_path)
    assert not list(tmp_path.glob("cells/*/*"))
    assert how == "nan score" or not list(tmp_path.glob("embeddings/*"))


def test_a_subject_without_the_contract_is_refused(tiny_set: StimulusSet, tmp_path: Path) -> None:
    deaf = Population("deaf", ("en",), ("a",), "Deaf.", lambda p, s: object())  # type: ignore[arg-type]
    with pytest.raises(ToolkitError, match="cannot hear words and look at pictures"):
        run(get_paradigm("familiar"), [deaf], tiny_set, root=tmp_path)


def test_what_a_subject_cannot_do_is_told_before_its_language(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    loaded = []
    reader = Population("reader", ("xx",), ("a", "b", "c"), "Reads.", lambda p, s: loaded.append(s))  # type: ignore[arg-type]
    for name in ("me", "translation"):
        with pytest.raises(ToolkitError, match="reader/a cannot hear words") as caught:
            run(get_paradigm(name), [reader], tiny_set, root=tmp_path)
        assert "e.g. bilingual-en-nl" in (caught.value.allowed or "")
    assert loaded == ["a", "a"], "one seed is enough"
    assert not list(tmp_path.iterdir())


def test_a_wrong_language_is_told_of_whoever_could_be_asked(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    def fail(own: Population, seed: str) -> object:
        raise RuntimeError("cannot be loaded")

    broken = Population("broken", ("en",), ("a",), "Broken.", fail)  # type: ignore[arg-type]
    for who in (hasher, open_population("perfect"), broken):
        with pytest.raises(ToolkitError, match="no language of the stimulus set 'tiny' 'de'"):
            run(get_paradigm("me"), [who], tiny_set, languages=["de"], root=tmp_path)
    with pytest.raises(RuntimeError):
        run(get_paradigm("me"), [broken], tiny_set, root=tmp_path)


def test_a_refused_first_run_leaves_nothing_behind(tiny_set: StimulusSet, tmp_path: Path) -> None:
    deaf = Population("deaf", ("en",), ("a",), "Deaf.", lambda p, s: object())  # type: ignore[arg-type]
    with pytest.raises(ToolkitError, match="cannot hear words"):
        run(get_paradigm("familiar"), [deaf], tiny_set, root=tmp_path / "new" / "runs")
    assert not list(tmp_path.iterdir()), "nor the folders above it"
    (tmp_path / "own").mkdir()
    with pytest.raises(ToolkitError, match="cannot hear words"):
        run(get_paradigm("familiar"), [deaf], tiny_set, root=tmp_path / "own")
    assert [path.name for path in tmp_path.rglob("*")] == ["own"], "a folder of the user's stays"


def test_a_stimulus_that_cannot_be_read_leaves_nothing_behind(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    other = open_set(shutil.copytree(tiny_set.folder, tmp_path / "other"))
    clip = other.select(kind="word", split="test", language="en").iloc[0]
    (other.folder / clip["path"]).write_bytes(b"no sound")
    with pytest.raises(ToolkitError, match="its checksum differs"):
        run(get_paradigm("familiar"), [hasher], other, root=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_run_that_was_there_before_stays_when_the_next_one_fails(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    for path in first.directory.root.glob("cells/*/*"):
        path.unlink()
    first.directory.trials_path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Population, "load", lambda own, seed: object())
        with pytest.raises(ToolkitError, match="cannot hear words"):
            run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    assert first.directory.read_manifest()["status"] == "running"
    assert run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path).n_computed == 6


def test_a_root_that_cannot_be_made_is_named(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ToolkitError, match="cannot be made: Not a directory") as caught:
        run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path / "file" / "runs")
    assert caught.value.next_command == "add --out DIR"


def test_damaged_embeddings_are_made_again(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    first = run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    for path in (tmp_path / "embeddings").glob("*/*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    for path in first.directory.root.glob("cells/*/*"):
        path.unlink()
    first.directory.trials_path.unlink()
    again = run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
    assert again.n_computed == 6


def test_jobs_change_nothing(hasher: Population, tiny_set: StimulusSet, tmp_path: Path) -> None:
    one = run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path / "one")
    two = run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path / "two", jobs=3)
    assert one.directory.trials_path.read_bytes() == two.directory.trials_path.read_bytes()


def test_paradigm_with_wrong_scores_is_named(
    hasher: Population, tiny_set: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paradigm, "measure", lambda self, trials, responses: np.zeros((2, 2)))
    with pytest.raises(ToolkitError, match=r"made scores of shape \(2, 2\)"):
        run(get_paradigm("familiar"), [hasher], tiny_set, root=tmp_path)
