"""Embedding with shared features: what goes on at the same time changes nothing but the time."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stimuli.files
from stimuli import StimulusSet
from tests.stored import as_written
from tests.waiting import LIMIT_S
from toolkit.errors import ToolkitError
from toolkit.running import embedding
from toolkit.running.embedding import embed
from toolkit.running.embedding_store import Embeddings, EmbeddingStore
from toolkit.running.subject_refs import SubjectRef
from toolkit.subjects.contract import UnfitError
from toolkit.subjects.population import WEIGHTS, Population
from toolkit.subjects.vgs.subject import BackboneRef, backbone_checksum

CHUNK = 5


class Backbone:
    """Sums up each clip or picture, and says when it is at work."""

    sha256 = "same"

    def __init__(self, at_work: Callable[[int], None]) -> None:
        self.at_work = at_work

    def load(self) -> Backbone:
        return self

    def features(self, media: Sequence[np.ndarray]) -> np.ndarray:
        self.at_work(len(media))
        return np.array([[np.abs(one.astype(np.float64)).sum()] for one in media])


class Summing:
    """Multiplies the features of its backbones by a number of its own."""

    def __init__(self, seed: str, at_work: Callable[[int], None]) -> None:
        self.hearing, self.seeing = Backbone(at_work), Backbone(at_work)
        self.factor = ord(seed)

    def embed_words(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        return self.embed_word_features(self.hearing.features(clips))

    def embed_pictures(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return self.embed_picture_features(self.seeing.features(pictures))

    def embed_word_features(self, features: np.ndarray) -> np.ndarray:
        return (features * self.factor).astype(np.float32)

    embed_picture_features = embed_word_features

    def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        return words @ pictures.T


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "CHUNK", CHUNK)


def embed_all(
    stimuli: StimulusSet,
    folder: Path,
    at_work: Callable[[int], None] = lambda n: None,
    progress: Any = lambda *_: None,
) -> dict[str, Embeddings]:
    """Embed all test stimuli with two seeds on the same backbones."""
    population = Population("summing", ("en",), ("a", "b"), "", lambda p, s: Summing(s, at_work))
    kinds = {k: list(stimuli.select(kind=k, split="test").index) for k in ("word", "picture")}
    needed = {SubjectRef(population, seed): kinds for seed in population.seeds}
    done = embed(needed, stimuli, EmbeddingStore(folder), progress=progress)
    return {subject.seed: embeddings for subject, _, embeddings in done}


def test_clips_of_another_rate_than_backbones_hear_are_refused(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    with pytest.raises(ToolkitError, match="8,000 samples per second"):
        embed_all(replace(tiny_set, sample_rate_hz=8000), tmp_path)


@pytest.mark.usefixtures("small_chunks")
def test_chunks_give_what_one_clip_or_picture_gives(tiny_set: StimulusSet, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    embedded = embed_all(tiny_set, tmp_path, progress=lambda *said: seen.append(said))
    for seed, embeddings in embedded.items():
        alone = Summing(seed, lambda n: None)
        for name, vector in embeddings.words.items():
            np.testing.assert_array_equal(vector, alone.embed_words([tiny_set.read_clip(name)])[0])
        for name, vector in embeddings.pictures.items():
            expected = alone.embed_pictures([tiny_set.read_picture(name)])[0]
            np.testing.assert_array_equal(vector, expected)
    words, pictures = len(embedded["a"].words), len(embedded["a"].pictures)
    assert (words, pictures) == (64, 48)
    assert [said for said in seen if said[0] == "embedding words"] == [
        ("embedding words", min(n, words), words) for n in range(CHUNK, words + CHUNK, CHUNK)
    ]
    assert seen[-1] == ("embedding pictures", pictures, pictures)


@pytest.mark.usefixtures("small_chunks")
def test_next_chunk_is_read_while_one_is_worked_on_and_no_more(
    tiny_set: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = len(tiny_set.select(split="test"))
    n_read, n_worked_on = 0, 0
    changed = threading.Condition()

    def counted(read: Callable[[StimulusSet, str], np.ndarray]) -> Any:
        def reading(self: StimulusSet, name: str) -> np.ndarray:
            nonlocal n_read
            with changed:
                n_read += 1
                assert n_read <= n_worked_on + 2 * CHUNK, "memory must not grow with the set"
                changed.notify_all()
            return read(self, name)

        return reading

    def at_work(n: int) -> None:
        nonlocal n_worked_on
        with changed:
            expected = min(n_worked_on + n + 1, total)
            assert changed.wait_for(lambda: n_read >= expected, LIMIT_S), "nothing is read ahead"
            n_worked_on += n

    monkeypatch.setattr(StimulusSet, "read_clip", counted(StimulusSet.read_clip))
    monkeypatch.setattr(StimulusSet, "read_picture", counted(StimulusSet.read_picture))
    embed_all(tiny_set, tmp_path, at_work)
    assert n_read == n_worked_on == total


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("nth", [1, 2, 64 // CHUNK + 2])
def test_error_met_while_reading_ahead_is_the_same_error(
    tiny_set: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    threads = threading.active_count()
    ids = [
        name for k in ("word", "picture") for name in tiny_set.select(kind=k, split="test").index
    ]
    broken = ids[(nth - 1) * CHUNK]

    def failing(read: Callable[[StimulusSet, str], np.ndarray]) -> Any:
        def reading(self: StimulusSet, name: str) -> np.ndarray:
            if name == broken:
                raise ToolkitError(
                    f"{name} is truncated.", next_command="mevgs-toolkit check-stimuli"
                )
            return read(self, name)

        return reading

    monkeypatch.setattr(StimulusSet, "read_clip", failing(StimulusSet.read_clip))
    monkeypatch.setattr(StimulusSet, "read_picture", failing(StimulusSet.read_picture))
    with pytest.raises(ToolkitError, match=f"{broken} is truncated") as raised:
        embed_all(tiny_set, tmp_path)
    assert raised.value.next_command == "mevgs-toolkit check-stimuli"
    assert not list(tmp_path.glob("*.npz"))
    assert threading.active_count() == threads


@pytest.mark.usefixtures("small_chunks")
def test_what_a_backbone_cannot_take_is_told_by_the_name_of_its_file(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    def refuse(n: int) -> None:
        raise UnfitError(1, "Clip number 1 has 2 samples.", next_command="look")

    path = tiny_set.table.loc[tiny_set.select(kind="word", split="test").index[1], "path"]
    with pytest.raises(ToolkitError) as caught:
        embed_all(tiny_set, tmp_path, refuse)
    assert str(tiny_set.folder / str(path)) in caught.value.message
    assert "Clip number 1 has 2 samples." in caught.value.message
    assert caught.value.next_command == "look"


def test_interruption_ends_all_threads(tiny_set: StimulusSet, tmp_path: Path) -> None:
    threads = threading.active_count()

    def interrupted(n: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_all(tiny_set, tmp_path, interrupted)
    assert threading.active_count() == threads


def test_loading_a_backbone_reads_its_checksum_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "seeing"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(WEIGHTS / "seeing" / name, folder)
    reference = BackboneRef("seeing", folder, backbone_checksum(folder))
    hashed = []
    sha256_of = stimuli.files.sha256_of

    def counted(path: Path) -> str:
        hashed.append(Path(path).name)
        return sha256_of(path)

    monkeypatch.setattr(stimuli.files, "sha256_of", counted)
    backbone = reference.load()
    assert hashed == ["config.json", "model.safetensors"]
    assert backbone.checksum == reference.sha256


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((3, 2), "f4"),
        np.zeros(2, "f4"),
        np.array(0.0),
        np.array([[1.0, np.nan], [0.0, 1.0]], "f4"),
        np.array([["a", "b"], ["c", "d"]]),
        np.zeros((2, 2), "c8"),
    ],
)
def test_stored_vectors_that_cannot_be_count_as_absent(vectors: np.ndarray, tmp_path: Path) -> None:
    """Whatever wrote them with their checksum."""
    store, ids = EmbeddingStore(tmp_path), np.array(["a", "b"])
    sound = {"word_ids": ids, "words": np.ones((2, 2), "f4"), "picture_ids": ids}
    np.savez(tmp_path / "a.npz", pictures=np.ones((2, 2), "f4"), **sound)
    as_written(tmp_path / "a.npz")
    assert list(store.read(tmp_path / "a.npz").words) == ["a", "b"]
    np.savez(tmp_path / "a.npz", pictures=vectors, **sound)
    as_written(tmp_path / "a.npz")
    assert store.read(tmp_path / "a.npz").words == {}
