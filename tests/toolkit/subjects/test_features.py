"""Features on disk: made once, resumed, checked, taken over, and used in a backbone's place."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile
from PIL import Image

from stimuli import StimulusSet
from stimuli.files import checksum_file
from stimuli.importing import import_layout
from tests.stimuli.published_layout import write_clip, write_json, write_published_data
from tests.waiting import LIMIT_S
from toolkit.cli import main
from toolkit.devices import CPU
from toolkit.errors import ToolkitError
from toolkit.processes.workers import ProcessEndedError
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.finding import backbone_name, find_backbone, open_backbone
from toolkit.subjects.backbones.stored import (
    FeatureFile,
    StoredFeatures,
    media_sha256,
    stored_checksum,
    write_features,
)
from toolkit.subjects.features import extraction, reading
from toolkit.subjects.features.extraction import extract
from toolkit.subjects.features.sources import Job, find_jobs, shared_names
from toolkit.subjects.features.taking import Taken, feature_files

NAMES = {"word": "ear", "picture": "eye"}


class Counting:
    """Features that tell what they are of; counts, and may fail at a given portion."""

    sha256, device = "counting", CPU

    def __init__(self, kind: str, stop_at: int = 99) -> None:
        self.kind, self.stop_at, self.portions = kind, stop_at, list[int]()

    def make(self, media: dict[str, Any]) -> list[np.ndarray]:
        if len(self.portions) == self.stop_at:
            raise KeyboardInterrupt
        self.portions.append(len(media))
        return [self.of(one) for one in media.values()]

    def of(self, one: np.ndarray) -> np.ndarray:
        shape = (len(one) // 320, 5) if self.kind == "word" else (7, 2, 3)
        return np.full(shape, np.abs(one).mean(), np.float32)


class BesideOthers(Counting):
    """Features that also tell which clips or pictures were given together, and in which order."""

    def make(self, media: dict[str, Any]) -> list[np.ndarray]:
        self.given = [*getattr(self, "given", []), list(media)]
        told = np.float32(sum(np.abs(one).sum() * n for n, one in enumerate(media.values())))
        return [one * told for one in super().make(media)]


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "PORTION", {"word": 2, "picture": 3})


@pytest.fixture
def several_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions that are larger than what is given to a backbone, and than what is read at once."""
    monkeypatch.setattr(extraction, "PORTION", {"word": 6, "picture": 4})
    monkeypatch.setattr(extraction, "TOGETHER", {"word": 2, "picture": 2})
    monkeypatch.setattr(reading, "AT_ONCE", 3)


@pytest.fixture
def jobs(tiny_set: StimulusSet, tmp_path: Path) -> dict[str, Job]:
    found = find_jobs(str(tiny_set.folder), tmp_path / "out", NAMES, splits=("train",))
    return {job.kind: job for job in found}


def write_layout(folder: Path) -> Path:
    """Data as the published code has it: two languages, two clips and pictures per list."""
    rng, lists = np.random.default_rng(0), folder / "data" / "filelists"
    lists.mkdir(parents=True)
    (folder / "data" / "images").mkdir()
    for split in ("train", "test"):
        words, pictures = [], []
        for number in range(2):
            for language in ("english", "dutch"):
                name = f"{language}_{split}_{number}"
                words.append({"name": name, "lang": language, "word-en": "dog", "source": "made"})
                (folder / "data" / f"{language}_words").mkdir(exist_ok=True)
                path = folder / "data" / f"{language}_words" / f"{name}.wav"
                soundfile.write(path, rng.uniform(-0.5, 0.5, 640), 16000)
            name = f"dog_{split}_{number}"
            pictures.append({"name": name, "word-en": "dog", "source": "made"})
            pixels = rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "data" / "images" / f"{name}.jpg")
        (lists / f"audio-{split}.json").write_text('[{"name": "old", "lang": "english"}]')
        (lists / f"audio-{split}-3.json").write_text(json.dumps(words))
        (lists / f"image-{split}.json").write_text(json.dumps(pictures))
    (lists / "familiar-familiar-english-test.json").write_text("[]")
    return folder


def write_published(path: Path, features: dict[str, np.ndarray | None]) -> Path:
    """A file as the published code writes it; None: interrupted before the feature was written."""
    with h5py.File(path, "w") as file:
        for name, feature in features.items():
            group = file.create_group(name)
            if feature is not None:
                group.create_dataset("feature", data=feature)
    return path


@pytest.mark.parametrize("kind", ["word", "picture"])
def test_every_feature_under_its_name(
    kind: str, jobs: dict[str, Job], tiny_set: StimulusSet
) -> None:
    job, maker = jobs[kind], Counting(kind)
    steps = []
    assert extract(job, maker, lambda *step: steps.append(step)) == []
    assert job.path.name == {"word": "ear.h5", "picture": "eye.h5"}[kind]
    with h5py.File(job.path) as file:
        assert sorted(file) == sorted(job.names)
        for name in job.names:
            one = job.read(name)
            np.testing.assert_array_equal(file[name]["feature"][()], maker.of(one))
            assert file[name].attrs["media_sha256"] == media_sha256(one)
        assert dict(file.attrs) == {
            "kind": kind,
            "source": f"tiny {tiny_set.checksum}",
            "backbone_sha256": "counting",
            "checksum": "sha256",
        }
    assert steps[0][1:] == (0, len(job.names))
    assert steps[-1][1:] == (len(job.names), len(job.names))
    left = sorted(path.name for path in job.path.parent.iterdir())
    assert left == [job.path.name, f"{job.path.name}.sha256"]


def test_names_that_hdf5_takes_for_paths_keep_features_of_their_own(
    jobs: dict[str, Job], tmp_path: Path
) -> None:
    names = ("a", "a/b", "a//b", "a/feature", "/a", "./a", "A", ".", "..", "a b", "é", "e\u0301")
    clips = {name: np.full(640, number, "f") for number, name in enumerate(names)}
    origins = {name: ("en", name) for name in names}
    job = replace(
        jobs["word"], path=tmp_path / "odd.h5", names=names, read=clips.__getitem__, origins=origins
    )
    assert extract(job, Counting("word")) == []
    found = [float(one.mean()) for one in FeatureFile(job.path).read(names)]
    assert found == list(range(len(names)))
    idle = Counting("word")
    assert extract(job, idle) == []
    assert idle.portions == []
    stored = StoredFeatures(job.path)
    assert [one.mean() for one in stored.features(list(clips.values()))] == found
    taken = Taken("ear", [FeatureFile(job.path)], job)
    assert [one.mean() for one in taken.make(clips)] == found


def test_stopped_extraction_goes_on_where_it_was(jobs: dict[str, Job], tmp_path: Path) -> None:
    job = jobs["word"]
    with pytest.raises(KeyboardInterrupt):
        extract(job, Counting("word", stop_at=2))
    assert not job.path.exists()
    again = Counting("word")
    extract(job, again)
    assert sum(again.portions) == len(job.names) - 4
    whole = replace(job, path=tmp_path / "whole.h5")
    extract(whole, Counting("word"))
    for one, other in zip(
        FeatureFile(job.path).read(job.names),
        FeatureFile(whole.path).read(job.names),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    idle = Counting("word")
    extract(job, idle)
    assert idle.portions == []


def test_portions_of_another_backbone_are_not_used(jobs: dict[str, Job]) -> None:
    job, other = jobs["word"], Counting("word", stop_at=2)
    other.sha256 = "other"
    with pytest.raises(KeyboardInterrupt):
        extract(job, other)
    maker = Counting("word")
    extract(job, maker)
    assert sum(maker.portions) == len(job.names)
    with pytest.raises(ToolkitError, match="by another backbone; it is left as it is"):
        extract(job, other)


def test_only_two_portions_are_in_memory(jobs: dict[str, Job]) -> None:
    job, maker, read = jobs["word"], Counting("word"), []

    def counted(name: str) -> Any:
        read.append(name)
        assert len(read) <= sum(maker.portions) + 2 * 2
        return job.read(name)

    extract(replace(job, read=counted), maker)
    assert len(read) == len(job.names) > 4 * 2


@pytest.mark.usefixtures("several_together")
def test_clips_of_a_portion_are_given_by_length(jobs: dict[str, Job]) -> None:
    job, maker = jobs["word"], BesideOthers("word")
    clips = {name: np.full(640 * (1 + n % 3), n, "f") for n, name in enumerate(job.names)}
    assert extract(replace(job, read=clips.__getitem__), maker) == []
    assert [len(some) for some in maker.given] == [2] * (len(job.names) // 2)
    for start in range(0, len(maker.given), 3):
        given = [name for some in maker.given[start : start + 3] for name in some]
        assert sorted(given) == sorted(job.names[2 * start : 2 * start + 6])
        lengths = [len(clips[name]) for name in given]
        assert lengths == sorted(lengths)


@pytest.mark.parametrize("kind", ["word", "picture"])
@pytest.mark.usefixtures("several_together")
def test_the_file_is_the_same_however_many_processes_read(
    kind: str, jobs: dict[str, Job], tmp_path: Path
) -> None:
    content = []
    for n in (1, 2, 3):
        job = replace(jobs[kind], path=tmp_path / f"{n}.h5")
        assert extract(job, BesideOthers(kind), jobs=n) == []
        content.append(job.path.read_bytes())
    assert content[0] == content[1] == content[2]


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("stop_at", [1, 3])
@pytest.mark.usefixtures("several_together")
def test_a_stopped_extraction_ends_in_the_same_file(
    n: int, stop_at: int, jobs: dict[str, Job], tmp_path: Path
) -> None:
    whole = replace(jobs["word"], path=tmp_path / "whole.h5")
    extract(whole, BesideOthers("word"))
    job, again = jobs["word"], BesideOthers("word")
    with pytest.raises(KeyboardInterrupt):
        extract(job, BesideOthers("word", stop_at=stop_at), jobs=n)
    kept = {path.name for path in job.path.parent.rglob("*.h5")}
    assert kept == {f"{number:06d}.h5" for number in range(1, stop_at + 1)}
    extract(job, again, jobs=n)
    assert len(again.given) == len(job.names) // 2 - stop_at
    assert job.path.read_bytes() == whole.path.read_bytes()


def die_at(folder: Path, last: str, name: str) -> np.ndarray:
    """Reads clips, until it ends the process that it is in as the system would, once."""
    if name == last and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(1)
    return np.full(640, 0.5, np.float32)


@pytest.mark.usefixtures("several_together")
def test_a_process_that_ends_by_itself_is_told_and_what_was_made_is_kept(
    jobs: dict[str, Job], tmp_path: Path
) -> None:
    job = replace(jobs["word"], read=partial(die_at, tmp_path, jobs["word"].names[-1]))
    maker, again = Counting("word"), Counting("word")
    with pytest.raises(ProcessEndedError, match="ended by itself") as caught:
        extract(job, maker, jobs=2)
    assert "--jobs 1" in str(caught.value)
    assert not job.path.exists()
    assert not list(job.path.parent.rglob(".*")), "nothing half-written"
    assert extract(job, again, jobs=2) == []
    assert set(FeatureFile(job.path).names) == set(job.names)


class Doubled(Counting):
    """Takes what is twice as large, in whatever process it was made so."""

    def preparation(self) -> Any:
        return partial(np.multiply, np.float32(2))

    def of(self, one: np.ndarray) -> np.ndarray:
        return super().of(one / 2)


@pytest.mark.parametrize("n", [1, 2])
def test_features_tell_of_the_clip_and_not_of_what_was_made_of_it_first(
    n: int, jobs: dict[str, Job]
) -> None:
    job, maker = jobs["word"], Doubled("word")
    assert extract(job, maker, jobs=n) == []
    clips = [job.read(name) for name in job.names]
    for found, clip in zip(StoredFeatures(job.path).features(clips), clips, strict=True):
        np.testing.assert_array_equal(found, Counting("word").of(clip))


@pytest.mark.usefixtures("several_together")
def test_portions_that_take_too_much_memory_are_cut(
    jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, maker = jobs["word"], BesideOthers("word")
    read: list[str] = []
    monkeypatch.setattr(reading, "MOST_BYTES", 3 * 4 * 640)

    def counted(name: str) -> np.ndarray:
        read.append(name)
        assert len(read) <= sum(maker.portions) + 3 + 3 + 3
        return np.zeros(640, "f")

    assert extract(replace(job, read=counted), maker) == []
    assert [len(some) for some in maker.given] == [2, 1] * (len(job.names) // 3)
    assert set(FeatureFile(job.path).names) == set(job.names)


@pytest.mark.parametrize("n", [1, 2])
def test_unreadable_files_are_told_and_the_others_stored(n: int, tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "me-vgs")
    words, images = folder / "data" / "english_words", folder / "data" / "images"
    (words / "english_train_0.wav").unlink()
    (words / "english_train_1.wav").write_bytes(b"RIFF")
    cut = images / "dog_train_0.jpg"
    cut.write_bytes(cut.read_bytes()[:200])
    faults = []
    for job in find_jobs(str(folder), tmp_path / "out", NAMES, splits=("train",)):
        faults += extract(job, Counting(job.kind), jobs=n)
        kept = FeatureFile(job.path).names if job.path.exists() else ()
        assert set(kept) == set(job.names) - {fault.name for fault in faults}
    told = {fault.name: fault.reason for fault in faults}
    assert set(told) == {"english_train_0", "english_train_1", "dog_train_0"}
    assert "No such file" in told["english_train_0"]
    assert "cannot be read as audio" in told["english_train_1"]
    assert "cannot be read as a picture" in told["dog_train_0"]


def test_published_clips_of_any_rate_are_heard_at_16_khz(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "me-vgs")
    path = folder / "data" / "dutch_words" / "dutch_train_0.wav"
    soundfile.write(path, np.zeros((4410, 2)), 44_100)
    jobs = find_jobs(str(folder), tmp_path / "out", {"word": "ear"}, languages=("dutch",))
    (job,) = [job for job in jobs if "dutch_train_0" in job.names]
    assert job.read("dutch_train_0").shape == (1600,)


def test_what_the_backbone_refuses_is_told_alone(jobs: dict[str, Job]) -> None:
    job = jobs["word"]
    bad, odd = job.names[1], job.names[7]

    class Fussy(Counting):
        def make(self, media: dict[str, Any]) -> list[np.ndarray]:
            if bad in media:
                raise ToolkitError("Clip number 1 is too short.")
            made = super().make(media)
            return [
                one * np.nan if name == odd else one for name, one in zip(media, made, strict=True)
            ]

    faults = extract(job, Fussy("word"))
    assert [(fault.name, fault.reason) for fault in faults] == [
        (bad, "Clip number 1 is too short."),
        (odd, "its features are not finite"),
    ]
    assert set(FeatureFile(job.path).names) == set(job.names) - {bad, odd}


def test_published_layout(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "me-vgs")
    for source in (folder, folder / "data"):
        jobs = find_jobs(str(source), tmp_path, NAMES)
        assert {str(job.path.relative_to(tmp_path)): job.names for job in jobs} == {
            f"features-audio/me-dataset-{split}-{language}-ear.h5": tuple(
                f"{language}_{split}_{number}" for number in range(2)
            )
            for split in ("train", "test")
            for language in ("english", "dutch")
        } | {
            f"features-image/me-dataset-{split}-eye.h5": (f"dog_{split}_0", f"dog_{split}_1")
            for split in ("train", "test")
        }
    one = find_jobs(str(folder), tmp_path, {"word": "ear"}, splits=["test"], languages=["dutch"])
    assert [job.path.name for job in one] == ["me-dataset-test-dutch-ear.h5"]
    assert one[0].read("dutch_test_0").shape == (640,)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[]", "holds no entries"),
        ("{", "cannot be read"),
        ('[{"name": "x"}]', "no usable 'lang'"),
        ('[{"name": "../x", "lang": "dutch"}]', "no usable 'name'"),
        ("[3]", "no usable 'name'"),
    ],
)
def test_broken_file_lists(text: str, part: str, tmp_path: Path) -> None:
    folder = write_layout(tmp_path)
    (folder / "data" / "filelists" / "audio-train-3.json").write_text(text)
    with pytest.raises(ToolkitError, match=part) as caught:
        find_jobs(str(folder), tmp_path, NAMES)
    assert "audio-train-3.json" in str(caught.value)


@pytest.mark.parametrize("names", [("model", "model"), ("model", "Model")])
def test_two_backbones_of_one_name_are_refused_before_anything_is_computed(
    names: tuple[str, str], tiny_set: StimulusSet, tmp_path: Path
) -> None:
    backbones = dict(zip(("word", "picture"), names, strict=True))
    with pytest.raises(ToolkitError, match="words and of pictures would go to one file"):
        find_jobs(str(tiny_set.folder), tmp_path / "out", backbones)
    assert not (tmp_path / "out").exists()


def test_backbone_in_the_current_folder_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-ear" / "part").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my-ear")
    assert backbone_name(".") == backbone_name("part/..") == "my-ear"


def test_unknown_splits_languages_and_sources(tiny_set: StimulusSet, tmp_path: Path) -> None:
    folder = write_layout(tmp_path)
    for source in (str(folder), str(tiny_set.folder)):
        with pytest.raises(ToolkitError, match="no split 'dev'"):
            find_jobs(source, tmp_path, NAMES, splits=("dev",))
        with pytest.raises(ToolkitError, match="no language 'klingon'"):
            find_jobs(source, tmp_path, NAMES, languages=("klingon",))
    with pytest.raises(ToolkitError, match="nothing to extract"):
        find_jobs(str(tiny_set.folder), tmp_path, NAMES, splits=("valid",))
    (tmp_path / "empty" / "data" / "filelists").mkdir(parents=True)
    with pytest.raises(ToolkitError, match="no file lists"):
        find_jobs(str(tmp_path / "empty"), tmp_path, NAMES)


def test_published_files_are_read_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = {name: rng.normal(size=(n, 5)).astype("f") for name, n in (("dog_1", 3), ("cat_2", 7))}
    file = FeatureFile(write_published(tmp_path / "words.h5", {**words, "cow": None}))
    assert (file.names, file.kind) == (("cat_2", "cow", "dog_1"), "word")
    for name, found in zip(words, file.read(list(words)), strict=True):
        np.testing.assert_array_equal(found, words[name])
    with pytest.raises(ToolkitError, match=r"'cow' .* left unfinished"):
        list(file.read(["dog_1", "cow"]))
    with pytest.raises(ToolkitError, match="no features of 'dog_2'") as caught:
        list(file.read(["dog_2"]))
    assert caught.value.nearest == "dog_1"
    pictures = {"dog_1": np.zeros((7, 2, 3), "f")}
    assert FeatureFile(write_published(tmp_path / "pictures.h5", pictures)).kind == "picture"
    with pytest.raises(ToolkitError, match="does not say which clips") as caught:
        StoredFeatures(tmp_path / "words.h5")
    assert "--take" in str(caught.value)


def test_wrong_dimensions(tmp_path: Path) -> None:
    flat = FeatureFile(write_published(tmp_path / "flat.h5", {"a": np.zeros(5)}))
    with pytest.raises(ToolkitError, match="wrong dimensions"):
        _ = flat.kind
    mixed = {"a": np.zeros((3, 5)), "b": np.zeros((7, 2, 3)), "c": np.zeros((0, 5))}
    file = FeatureFile(write_published(tmp_path / "mixed.h5", mixed))
    for name in ("b", "c"):
        with pytest.raises(ToolkitError, match=f"'{name}' .* wrong dimensions"):
            list(file.read([name]))
    with pytest.raises(ToolkitError, match="no features in this file"):
        _ = FeatureFile(write_published(tmp_path / "none.h5", {})).kind


def test_damaged_files(jobs: dict[str, Job], tmp_path: Path) -> None:
    job = jobs["word"]
    extract(job, Counting("word"))
    content = job.path.read_bytes()
    name = job.names[3]
    with h5py.File(job.path) as file:
        offset = file[name]["feature"].id.get_chunk_info(0).byte_offset
    job.path.write_bytes(content[: offset + 2] + b"\xff" + content[offset + 3 :])
    with pytest.raises(ToolkitError, match="is damaged, or was changed"):
        FeatureFile(job.path)
    checksum_file(job.path).unlink()
    with pytest.raises(ToolkitError, match="has lost its checksum"):
        FeatureFile(job.path)
    with h5py.File(job.path, "a") as file:  # as earlier versions left it
        del file.attrs["checksum"]
    with pytest.raises(ToolkitError, match=f"'{name}' .* is damaged"):
        list(FeatureFile(job.path).read([name]))
    list(FeatureFile(job.path).read([job.names[2]]))
    for damaged, part in (
        (content[:-500], "cut short"),
        (b"text", "no HDF5"),
        (None, "no such file"),
    ):
        if damaged is None:
            job.path.unlink()
        else:
            job.path.write_bytes(damaged)
        with pytest.raises(ToolkitError, match=part):
            FeatureFile(job.path)


def test_a_damaged_file_is_made_again_by_the_extraction(jobs: dict[str, Job]) -> None:
    job = jobs["word"]
    extract(job, Counting("word"))
    content = job.path.read_bytes()
    job.path.write_bytes(content[:3000] + bytes([content[3000] ^ 1]) + content[3001:])
    maker = Counting("word")
    assert not extract(job, maker)
    assert sum(maker.portions) == len(job.names)
    assert list(FeatureFile(job.path).read(job.names))
    maker = Counting("word", stop_at=2)
    job.path.unlink()
    with pytest.raises(KeyboardInterrupt):
        extract(job, maker)
    part = job.path.with_name(f"{job.path.name}.parts") / "000001.h5"
    content = part.read_bytes()
    part.write_bytes(content[:1000] + bytes([content[1000] ^ 64]) + content[1001:])
    maker = Counting("word")
    assert not extract(job, maker)
    assert sum(maker.portions) == len(job.names) - 2
    assert list(FeatureFile(job.path).read(job.names))


def listing_of(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, and a listing of it apart that does something else first."""
    package = folder / "instead"
    package.mkdir()
    (package / "h5py.py").write_text(body)
    monkeypatch.syspath_prepend(package)
    return write_published(folder / "ear.h5", {"a": np.ones((3, 5), "f")})


@pytest.mark.parametrize(
    ("body", "limit_s", "expected"),
    [
        ("import threading; threading.Event().wait()", 1, "HDF5 was not done with it in 1 s"),
        ("import os; os.abort()", LIMIT_S, "HDF5 broke down over it"),
    ],
)
def test_a_file_from_elsewhere_that_hdf5_loops_or_breaks_down_over_is_refused(
    body: str, limit_s: float, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.subjects.backbones.listing.LISTING_S", limit_s)
    path = listing_of(tmp_path, body, monkeypatch)
    with pytest.raises(ToolkitError, match=expected) as caught:
        FeatureFile(path)
    assert caught.value.message.startswith(str(path))


@pytest.mark.parametrize("chunks", [True, None])
def test_features_that_promise_too_many_values_are_refused_before_memory_is_laid_out(
    tmp_path: Path, chunks: bool | None
) -> None:
    shape = (2**30, 256)
    with h5py.File(tmp_path / "ear.h5", "w") as file:
        file.create_group("a").create_dataset("feature", shape, "f", chunks=chunks)
    with pytest.raises(ToolkitError, match="'a' is to have 274,877,906,944 values, more than"):
        FeatureFile(tmp_path / "ear.h5")


@pytest.mark.parametrize("kind", ["group", "text", "link", "data set"])
def test_what_is_no_feature_is_refused(tmp_path: Path, kind: str) -> None:
    with h5py.File(tmp_path / "ear.h5", "w") as file:
        group = file.create_group("a")
        if kind == "group":
            group.create_group("feature")
        elif kind == "text":
            group["feature"] = ["a", "b"]
        elif kind == "link":
            group["feature"] = h5py.SoftLink("/nowhere")
        else:
            file["b"] = np.ones(3)
    with pytest.raises(ToolkitError, match=r"ear\.h5 cannot be read: it is damaged"):
        FeatureFile(tmp_path / "ear.h5")


def test_features_are_taken_over_by_name(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "me-vgs")
    (job,) = find_jobs(str(folder), tmp_path, {"word": "ear"}, splits=["test"], languages=["dutch"])
    features = {"dutch_test_1": np.ones((3, 5), "f"), "else": np.ones((3, 5), "f")}
    files = [FeatureFile(write_published(tmp_path / "some.h5", features))]
    (fault,) = extract(job, Taken("ear", files, job))
    assert (fault.name, "not in the files" in fault.reason) == ("dutch_test_0", True)
    stored = StoredFeatures(job.path)
    (found,) = stored.features([job.read("dutch_test_1")])
    np.testing.assert_array_equal(found, features["dutch_test_1"])
    assert stored.checksum == stored_checksum(job.path)
    with pytest.raises(ToolkitError, match="lacks the features of 1 of 2 words"):
        stored.features([job.read("dutch_test_1"), job.read("dutch_test_0")])
    same = FeatureFile(write_published(tmp_path / "same.h5", features))
    assert len(Taken("ear", [*files, same], job).make({"dutch_test_1": np.empty(0)})) == 1
    other = {"dutch_test_1": np.zeros((3, 5), "f")}
    twice = FeatureFile(write_published(tmp_path / "twice.h5", other))
    with pytest.raises(ToolkitError, match="'dutch_test_1' is in two files") as caught:
        Taken("ear", [*files, twice], job)
    assert str(twice.path) in str(caught.value)


def write_namesakes(root: Path) -> tuple[Path, list[Path]]:
    """Published data with the clip `x` in both languages, and its features as published."""
    data = write_published_data(root)
    path = data / "filelists" / "audio-train-3.json"
    entries = json.loads(path.read_text())
    files = []
    for value, (language, told) in enumerate((("english", "dog"), ("dutch", "car"))):
        write_clip(data, language, "x")
        entries.append({"name": "x", "lang": language, "word-en": told})
        features = {
            entry["name"]: np.full((3, 5), value + 1, "f")
            for entry in entries
            if entry["lang"] == language
        }
        name = f"me-dataset-train-{language}-ear.h5"
        files.append(write_published(root / name, features))
    write_json(path, entries)
    return root, files


@pytest.mark.parametrize("backwards", [False, True])
def test_clips_of_two_languages_may_share_a_name(backwards: bool, tmp_path: Path) -> None:
    root, paths = write_namesakes(tmp_path / "me-vgs")
    files = [FeatureFile(path) for path in (reversed(paths) if backwards else paths)]
    jobs = find_jobs(str(root), tmp_path / "out", {"word": "ear"}, splits=["train"])
    assert shared_names(jobs) == {"x"}
    for job, value in zip(jobs, (2, 1), strict=True):
        assert extract(job, Taken("ear", files, job, shared_names(jobs))) == []
        (found,) = FeatureFile(job.path).read(["x"])
        np.testing.assert_array_equal(found, np.full((3, 5), value))

    import_layout(root, tmp_path / "set")
    out, asked = tmp_path / "of-set", {"word": "ear"}
    (job,) = find_jobs(str(tmp_path / "set"), out, asked, splits=["train"])
    assert {"en-x", "nl-x", "hond_train0"} <= set(job.names)
    assert extract(job, Taken("ear", files, job, shared_names([job]))) == []
    stored = FeatureFile(job.path)
    values = [one[0, 0] for one in stored.read(["en-x", "nl-x", "dog_train0", "hond_train0"])]
    assert values == [1, 2, 1, 2]
    again = Taken("ear", [stored], job, shared_names([job]))
    assert [one[0, 0] for one in again.make({"nl-x": None, "en-x": None})] == [2, 1]


def test_a_file_that_does_not_tell_whose_clip_it_has(tmp_path: Path) -> None:
    root, paths = write_namesakes(tmp_path / "me-vgs")
    untold = [FeatureFile(paths[1].rename(tmp_path / "words.h5"))]
    jobs = find_jobs(str(root), tmp_path / "out", {"word": "ear"}, splits=["train"])
    for job in jobs:
        with pytest.raises(ToolkitError, match="several languages are called 'x'") as caught:
            Taken("ear", untold, job, shared_names(jobs))
        assert "--language CODE" in str(caught.value)
    (job,) = find_jobs(
        str(root), tmp_path / "out", {"word": "ear"}, splits=["train"], languages=["dutch"]
    )
    assert extract(job, Taken("ear", untold, job, shared_names([job]))) == []


def test_pictures_named_like_clips(tmp_path: Path) -> None:
    root, _ = write_namesakes(tmp_path / "me-vgs")
    data = root / "data"
    (data / "images" / "dog-train0.jpg").rename(data / "images" / "x.jpg")
    path = data / "filelists" / "image-train.json"
    path.write_text(path.read_text().replace("dog-train0", "x"))
    import_layout(root, tmp_path / "set")
    asked = {"picture": "eye"}
    (job,) = find_jobs(str(tmp_path / "set"), tmp_path / "out", asked, splits=["train"])
    assert "picture-x" in job.names
    file = write_published(tmp_path / "me-dataset-train-eye.h5", {"x": np.ones((7, 2, 2), "f")})
    taken = Taken("eye", [FeatureFile(file)], job, shared_names([job]))
    assert taken.make({"picture-x": None})[0].shape == (7, 2, 2)


def test_a_folder_of_features_is_taken_from(tmp_path: Path) -> None:
    """Whatever lies below it, of the backbones, splits and languages that are asked for."""
    folder = tmp_path / "output"
    for name in (
        "audio/me-dataset-test-dutch-ear", "audio/me-dataset-train-dutch-ear",
        "audio/me-dataset-test-english-ear", "audio/me-dataset-test-dutch-my-ear",
        "image/me-dataset-test-eye", "ear", "my-ear", "ear2",
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        feature = np.ones((7, 2, 2) if "eye" in name else (3, 5), "f")
        write_published(folder / f"{name}.h5", {"x": feature})

    def found(names: dict[str, str], **which: Any) -> list[str]:
        return [file.path.stem for file in feature_files([folder], names, **which)]

    assert found({"word": "ear"}) == [
        "me-dataset-test-dutch-ear", "me-dataset-test-english-ear", "me-dataset-train-dutch-ear",
        "ear",
    ]  # fmt: skip
    assert found(NAMES, splits=["test"], languages=["nl"]) == [
        "me-dataset-test-dutch-ear", "ear", "me-dataset-test-eye",
    ]  # fmt: skip
    assert found({"picture": "eye"}, languages=["dutch"]) == ["me-dataset-test-eye"]
    with pytest.raises(ToolkitError, match="no features of nose in this folder") as caught:
        found({"word": "nose"})
    assert "ear.h5" in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ToolkitError, match=r"no features of ear[\s\S]*with no .h5 file"):
        list(feature_files([tmp_path / "empty"], {"word": "ear"}))


def test_a_file_that_is_called_after_another_backbone_is_refused(tmp_path: Path) -> None:
    name = "me-dataset-test-dutch-my-ear.h5"
    path = write_published(tmp_path / name, {"x": np.ones((3, 5), "f")})
    with pytest.raises(ToolkitError, match="of another backbone, as its name tells"):
        list(feature_files([path], NAMES))
    assert [file.path for file in feature_files([path], {"word": "my-ear"})] == [path]
    assert [file.path for file in feature_files([path], {"picture": "eye"})] == [path]


@pytest.mark.parametrize("told", ["50", "49.9", "", "no number"])
def test_features_that_are_too_long_or_too_short_for_their_clip_are_refused(
    told: str, tmp_path: Path
) -> None:
    """Clips last 40 ms, two frames at 50 for a second; a file that tells no rate is believed."""
    folder = write_layout(tmp_path / "me-vgs")
    (job,) = find_jobs(str(folder), tmp_path, {"word": "ear"}, splits=["test"], languages=["dutch"])
    features = {f"dutch_test_{n}": (np.ones((2 + 9 * n, 5), "f"), "0") for n in range(2)}
    attributes = {"backbone_sha256": "3b0c"} | ({"frames_per_s": told} if told else {})
    write_features(tmp_path / "some.h5", features, attributes)
    faults = extract(job, Taken("ear", [FeatureFile(tmp_path / "some.h5")], job))
    if "n" in told or not told:
        assert faults == []
        return
    (fault,) = faults
    assert fault.name == "dutch_test_1"
    assert "11 frames, and the clip lasts 0.04 s, which are about 2 frames" in fault.reason


def test_sets_of_another_rate_than_backbones_hear_are_refused(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    folder = tmp_path / "slow"
    shutil.copytree(tiny_set.folder, folder)
    told = (folder / "set.toml").read_text(encoding="utf-8")
    assert "sample_rate_hz = 16000" in told
    slow = told.replace("sample_rate_hz = 16000", "sample_rate_hz = 8000")
    (folder / "set.toml").write_text(slow, encoding="utf-8")
    with pytest.raises(ToolkitError, match="8,000 samples per second") as caught:
        find_jobs(str(folder), tmp_path, NAMES)
    assert (caught.value.allowed, "sox" in caught.value.next_command) == (
        "sample_rate_hz = 16000",
        True,
    )
    assert find_jobs(str(folder), tmp_path, {"picture": "eye"})


def test_the_checksum_of_the_backbone_goes_with_its_features(tmp_path: Path) -> None:
    folder = write_layout(tmp_path / "me-vgs")
    (job,) = find_jobs(str(folder), tmp_path, {"word": "ear"}, splits=["test"], languages=["dutch"])
    entry = np.ones((3, 5), "f"), "0"
    for name, clip, told in (("a", 0, "3b0c"), ("b", 1, "3b0c"), ("c", 1, "11ac")):
        write_features(
            tmp_path / f"{name}.h5", {f"dutch_test_{clip}": entry}, {"backbone_sha256": told}
        )
    one, two, other = (FeatureFile(tmp_path / f"{name}.h5") for name in "abc")
    foreign = FeatureFile(write_published(tmp_path / "d.h5", {"dutch_test_1": entry[0]}))
    assert Taken("ear", [one, two], job).sha256 == "3b0c"
    assert Taken("ear", [foreign], job).sha256 == "taken over: ear"
    assert extract(job, Taken("ear", [one, two], job)) == []
    assert stored_checksum(job.path) == "3b0c"
    for odd, told in ((other, "backbone 11ac"), (foreign, "of foreign origin")):
        with pytest.raises(ToolkitError, match="Features of two backbones") as caught:
            Taken("ear", [one, odd], job)
        assert told in str(caught.value)
    with pytest.raises(ToolkitError, match="made by another backbone"):
        extract(job, Taken("ear", [foreign], job))


def test_stored_features_stand_in_a_backbones_place(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 9, 3), dtype=np.uint8)
    maps = np.random.default_rng(1).normal(size=(3, 7, 2, 2)).astype("f")
    entries = {f"p{n}": (maps[n], media_sha256(pictures[n])) for n in range(3)}
    write_features(tmp_path / "eye.h5", entries, {"backbone_sha256": "abc"})
    place = find_backbone("seeing", "eye", beside=tmp_path)
    assert place == tmp_path / "eye.h5"
    assert backbone_checksum(place) == "abc"
    found = open_backbone("seeing", place).features(pictures[[2, 0]])
    np.testing.assert_array_equal(found, maps[[2, 0]])


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way through the command line, with published features in the backbones' place."""
    folder = write_layout(tmp_path / "me-vgs")
    monkeypatch.setenv("MEVGS_BACKBONES", str(tmp_path / "fetched"))
    monkeypatch.setattr("toolkit.subjects.backbones.finding.in_hub_cache", lambda name: None)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        given = ["mevgs-toolkit", "extract-features", "me-vgs", "--out", "out", *arguments]
        monkeypatch.setattr(sys, "argv", list(map(str, given)))
        with pytest.raises(SystemExit) as exit_:
            main()
        return int(exit_.value.code or 0), *capsys.readouterr()

    code, _, err = call("--only", "words")
    assert (code, "hf download microsoft/wavlm-base-plus" in err) == (2, True)
    names = [f"{language}_test_{n}" for language in ("english", "dutch") for n in range(2)]
    words = dict.fromkeys(names[:3], np.ones((3, 5), "f"))
    pictures = {f"dog_test_{n}": np.ones((7, 2, 2), "f") for n in range(2)}
    taken = ("--take", write_published(tmp_path / "words.h5", words))
    taken += ("--take", write_published(tmp_path / "pictures.h5", pictures))
    code, out, err = call("--split", "test", *taken)
    assert code == 2
    assert "1 files have no features, all others are stored" in err
    assert "me-dataset-test-english-wavlm-base-plus.h5: 2 of 2 stored" in out
    table = (tmp_path / "out" / "unreadable.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in table] == ["name", "dutch_test_1"]
    with h5py.File("out/features-image/me-dataset-test-dino-resnet50.h5") as file:
        assert sorted(file) == sorted(pictures)
    (folder / "data" / "dutch_words" / "dutch_test_1.wav").unlink()
    assert call("--split", "test", "--language", "english", *taken)[0] == 0


@pytest.mark.parametrize("way", ["group", "feature", "raw", "virtual"])
def test_features_of_another_file_are_refused(way: str, tmp_path: Path) -> None:
    """A file from elsewhere must not be able to read others of this machine."""
    other, path = tmp_path / "other.h5", tmp_path / "a.h5"
    write_features(other, {"dog": (np.zeros((4, 5), "f4"), "0")}, {})
    with h5py.File(path, "w") as file:
        if way == "group":
            file["dog"] = h5py.ExternalLink(str(other), "/dog")
        else:
            group = file.create_group("dog")
        if way == "feature":
            group["feature"] = h5py.ExternalLink(str(other), "/dog/feature")
        if way == "raw":
            group.create_dataset("feature", (4, 5), "f4", external=[(str(other), 0, 80)])
        if way == "virtual":
            layout = h5py.VirtualLayout((4, 5), "f4")
            layout[:] = h5py.VirtualSource(str(other), "dog/feature", (4, 5))
            group.create_virtual_dataset("feature", layout)
    with pytest.raises(ToolkitError, match="lies in another file"):
        FeatureFile(path)
