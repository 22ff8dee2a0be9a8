"""Features that stay in their files: the same numbers as in memory, and never those of a flip."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from stimuli import limits
from stimuli.files import checksum_file, sha256_of_files
from stimuli.published import VOCABULARY
from tests.fake_card import FakeCard
from tests.toolkit.training.test_training_sources import RECIPE, published, write_data
from toolkit.devices import CPU
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones import in_place
from toolkit.subjects.backbones.stored import FeatureFile
from toolkit.training import fit as fitting
from toolkit.training import workers
from toolkit.training.bank_files import load_bank, save_bank
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.conditions import Condition
from toolkit.training.features import FeatureBank
from toolkit.training.fit import Standing, fit
from toolkit.training.populations import train_populations
from toolkit.training.recipe import Recipe
from toolkit.training.together import fit_together

LAYOUTS: dict[str, dict[str, Any]] = {
    "in one piece": {},
    "checksummed chunks": {"fletcher32": True},
    "packed": {"compression": "gzip"},
    "several chunks": {"chunks": True},
    "big-endian": {"dtype": ">f4"},
    "double": {"dtype": "<f8"},
    "half": {"dtype": "<f2"},
    "behind a user block": {},
}
IN_PLACE = ("in one piece", "checksummed chunks", "behind a user block")
"""Layouts that are read past HDF5."""
RECIPES = {
    "published": RECIPE,
    "shared": replace(RECIPE, negatives_from="batch", position_dropout=0.3),
    "standardised": replace(RECIPE, standardise=True, negatives_from="own"),
    "linked": replace(RECIPE, family="clip-two-audios"),
    "drawn": replace(RECIPE, epochs=0, n_updates=7, validate_every=3),
}


def feature_files(root: Path) -> list[Path]:
    return [
        path
        for path in sorted((root / "output").rglob("*.h5"))
        if not path.name.startswith("me-dataset-test")
    ]


def lay_out(path: Path, layout: str) -> None:
    """Write a file of features again, as someone else may have written it."""
    file = FeatureFile(path)
    features = dict(zip(file.names, file.read(file.names), strict=True))
    checksum_file(path).unlink()
    block = 1024 if layout == "behind a user block" else None
    with h5py.File(path, "w", userblock_size=block) as file_:
        for name, feature in features.items():
            how: dict[str, Any] = {"dtype": "<f4", **LAYOUTS[layout]}
            if "fletcher32" in how or "compression" in how:
                how["chunks"] = feature.shape
            if how.get("chunks") is True:
                how["chunks"] = (1, *feature.shape[1:])
            file_.create_group(name).create_dataset("feature", data=feature, **how)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path / "me-vgs")


def bank_of(root: Path) -> FeatureBank:
    for path in feature_files(root):
        lay_out(path, "in one piece")
    return published(root).bank(RECIPE, lambda *_: None)


@pytest.fixture
def own_bank(root: Path) -> FeatureBank:
    """One whose files may be changed."""
    return bank_of(root)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> FeatureBank:
    return bank_of(write_data(tmp_path_factory.mktemp("published") / "me-vgs"))


@pytest.mark.parametrize(("first", "precision"), [(0, "half"), (2, "float32")])
def test_features_are_those_that_hdf5_gives_in_the_precision_of_the_recipe(
    root: Path, first: int, precision: str
) -> None:
    """However the files were written: six of eight layouts at a time, one for each file."""
    layouts = dict(zip(feature_files(root), list(LAYOUTS)[first:], strict=False))
    for path, layout in layouts.items():
        lay_out(path, layout)
    expected = {path: dict(_read(path, precision)) for path in layouts}
    recipe = replace(RECIPE, feature_precision=precision)
    bank = published(root).bank(recipe, lambda *_: None)
    assert bank.disk is not None
    for places in (bank.disk.words, bank.disk.pictures):
        for number, offset in zip(places.file, places.offset, strict=True):
            layout = layouts[Path(bank.disk.files[number].path)]
            assert (offset >= 0) == (layout in IN_PLACE)
    words, lengths = bank.words(np.arange(len(bank.word_table))[::-1].copy())
    for (name, split, _, language), word, n in zip(
        bank.word_table[::-1], words, lengths, strict=True
    ):
        spoken = {"en": "english", "nl": "dutch"}[language]
        path = root / f"output/features-audio/me-dataset-{split}-{spoken}-wavlm-base-plus.h5"
        assert torch.equal(word[:n], expected[path][name])
    pictures = bank.pictures(np.arange(len(bank.picture_table)))
    for (name, split, _), picture in zip(bank.picture_table, pictures, strict=True):
        path = root / f"output/features-image/me-dataset-{split}-dino-resnet50.h5"
        assert torch.equal(picture, expected[path][name])


def test_a_quarter_of_the_pictures_is_read_before_there_is_room(
    bank: FeatureBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    own = in_place.OpenedFile.read
    monkeypatch.setattr(
        in_place.OpenedFile, "read", lambda self, *one: (read.append(one[0]), own(self, *one))[1]
    )
    before: list[int] = []

    class Room(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            before.append(len(read))
            return True

    words, pictures = np.arange(5), np.arange(8)
    found = bank.read(words, pictures, once=True, room=Room())
    assert (before, len(read)) == ([5 + 2], 5 + 8)
    assert torch.equal(found.maps, bank.read(words, pictures).maps)


def test_the_next_update_is_read_whatever_becomes_of_this_one(
    bank: FeatureBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for room where gradients cannot be computed."""
    training = fitting.Training(bank, ["en"], RECIPE, 0)

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(torch.Tensor, "backward", broken)
        with pytest.raises(RuntimeError, match="broken"):
            training.step()
    training.step()
    assert training.update == 1


def _read(path: Path, precision: str) -> Iterator[tuple[str, torch.Tensor]]:
    file = FeatureFile(path)
    for name, feature in zip(file.names, file.read(file.names), strict=True):
        found = torch.from_numpy(feature)
        yield name, found.half().float() if precision == "half" else found


def states(bank: FeatureBank, recipe: Recipe, folder: Path, seeds: int = 1) -> list[Any]:
    """All bytes of the states that trainings of some seeds end with, and their logs."""
    folder.mkdir()
    files = [Checkpoint(folder / f"{seed}.pt", "key", str(seed)) for seed in range(seeds)]
    if seeds == 1:
        fit(bank, ["en", "nl"], recipe, 0, checkpoint=files[0])
    else:
        fit_together([bank] * seeds, ["en", "nl"], recipe, range(seeds), checkpoints=files)
    return [stored(file) for file in files]


def stored(file: Checkpoint) -> tuple[dict[str, bytes], bytes]:
    """Content of a state, without the temporary name that torch calls its folder."""
    with zipfile.ZipFile(file.path) as archive:
        parts = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    return {name: part for name, part in parts.items() if name != ".data/serialization_id"}, (
        file.log.read_bytes()
    )


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("seeds", [1, 3])
def test_states_from_the_disk_are_those_from_memory_byte_by_byte(
    bank: FeatureBank, recipe: str, seeds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = bank.at_hand()
    assert near.disk is None
    expected = states(near, RECIPES[recipe], tmp_path / "memory", seeds)
    assert states(bank, RECIPES[recipe], tmp_path / "disk", seeds) == expected
    monkeypatch.setattr("toolkit.training.together._BYTES_AT_ONCE", 1)
    assert states(bank, RECIPES[recipe], tmp_path / "by-turns", seeds) == expected


def test_what_is_looked_ahead_for_is_not_lost_when_a_training_is_killed(
    bank: FeatureBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES["drawn"]
    states(bank.at_hand(), recipe, tmp_path / "whole")
    whole = Checkpoint(tmp_path / "whole" / "0.pt", "key", "0")
    monkeypatch.setattr(fitting, "SAVE_AFTER_S", 0.0)
    monkeypatch.setattr(fitting, "TELL_AFTER_S", 0.0)
    file = Checkpoint(tmp_path / "0.pt", "key", "0")

    def killed(standing: Standing) -> None:
        if standing.update == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(bank, ["en", "nl"], recipe, 0, checkpoint=file, watch=killed)
    fit(bank, ["en", "nl"], recipe, 0, checkpoint=file)
    # Equal texts need not be one object after a stop, which the bytes of a pickle tell.
    assert_same(file.load(), whole.load())
    assert file.log.read_bytes() == whole.log.read_bytes()


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert_same(value, other[key])
    elif isinstance(one, list):
        for pair in zip(one, other, strict=True):
            assert_same(*pair)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert repr(one) == repr(other)


def test_a_card_is_given_the_same_whether_all_fits_or_not(bank: FeatureBank) -> None:
    expected = fit(bank.at_hand(), ["en"], RECIPE, 3)
    for card in (FakeCard(), FakeCard(free_now=0)):
        found = fit(bank, ["en"], RECIPE, 3, device=card)
        assert all(torch.equal(found.state[name], v) for name, v in expected.state.items())
        there = bank.on(card)
        assert (there.disk is None) == bool(card.free_now)


def train(root: Path, out: Path, **how: Any) -> dict[str, bytes]:
    """Weights and settings of two seeds."""
    train_populations([Condition.of(["en"], RECIPE)], "ab", out, published(root), **how)
    return {path.name: path.read_bytes() for path in (out / "monolingual-en").iterdir()}


def test_populations_are_the_same_whatever_fits_in_memory(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train(root, tmp_path / "memory", jobs=1)
    workers.bank_at_hand.cache_clear()
    monkeypatch.setattr(limits, "FEATURES_IN_MEMORY", 0)
    assert train(root, tmp_path / "disk", jobs=1) == expected
    sizes = [p.stat().st_size for p in (tmp_path / "disk" / "features").glob("*.safetensors")]
    assert len(sizes) == 1
    assert len(load_bank(next((tmp_path / "disk" / "features").glob("*.safetensors"))).maps) == 0


def test_the_checksum_of_published_data_is_that_of_all_its_files(
    root: Path, tmp_path: Path
) -> None:
    source = published(root)
    lists = root / "data" / "filelists"
    names = "audio-train-3", "audio-valid-3", "image-train", "image-valid"
    named = [lists / f"{name}.json" for name in names]
    words = [root / "data" / name for name in VOCABULARY]
    expected = sha256_of_files([*named, *words, *feature_files(root)])
    assert source.checksum == expected
    kept = published(root)
    kept.kept_bank(RECIPE, tmp_path, lambda *_: None, CPU)
    assert kept.checksum == expected


def test_files_are_gone_through_once_and_again_when_they_were_changed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[Path] = []
    monkeypatch.setattr(
        "toolkit.training.published_files.go_through",
        lambda path, *rest: (went.append(path), in_place.go_through(path, *rest))[1],
    )
    train(root, tmp_path / "out", jobs=1)
    assert went == feature_files(root)[:0] + [job.path for job in published(root)._jobs]
    went.clear()
    train(root, tmp_path / "out", jobs=1)
    assert not went
    path = feature_files(root)[0]
    os.utime(path, ns=(1, 1))
    train(root, tmp_path / "out", jobs=1)
    assert path in went


def flipped(path: Path, place: int) -> None:
    """Change one bit and nothing else that a file is known by."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("layout", ["in one piece", "checksummed chunks", "packed"])
def test_a_bit_that_flips_after_files_were_gone_through_is_told(root: Path, layout: str) -> None:
    path = root / "output" / "features-image" / "me-dataset-train-dino-resnet50.h5"
    lay_out(path, layout)
    place = _inside(path, "bear-train-0")
    bank = published(root).bank(RECIPE, lambda *_: None)
    flipped(path, place)
    row = next(r for r, (name, *_) in enumerate(bank.picture_table) if name == "bear-train-0")
    with pytest.raises(ToolkitError, match=r"bear-train-0'.*(is another|is damaged)"):
        bank.pictures(np.array([row]))
    with pytest.raises(ToolkitError, match="bear-train-0"):
        fit(bank, ["en"], RECIPE, 0)
    others = np.delete(np.arange(len(bank.picture_table)), row)
    assert bank.pictures(others).isfinite().all()


@pytest.mark.parametrize("checksum", ["beside it", "of HDF5"])
def test_a_bit_that_flipped_before_is_told_where_there_is_a_checksum(
    root: Path, checksum: str
) -> None:
    path = root / "output" / "features-image" / "me-dataset-train-dino-resnet50.h5"
    if checksum == "of HDF5":
        lay_out(path, "checksummed chunks")
    flipped(path, _inside(path, "bear-train-0"))
    with pytest.raises(ToolkitError, match="is damaged"):
        published(root).bank(RECIPE, lambda *_: None)


def _inside(path: Path, name: str) -> int:
    """A byte in the middle of a feature."""
    with h5py.File(path) as file:
        data = file[name]["feature"]
        if data.chunks is None:
            return int(data.id.get_offset()) + 40
        return int(data.id.get_chunk_info(0).byte_offset) + 40


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-900])


def _gone(path: Path) -> None:
    path.unlink()


def _newer(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", [_cut, _gone, _newer])
def test_files_that_change_before_they_are_read_are_told(
    own_bank: FeatureBank, root: Path, change: Callable[[Path], None]
) -> None:
    change(feature_files(root)[-1])
    with pytest.raises(ToolkitError, match=r"me-dataset-.*h5"):
        fit(own_bank, ["en"], RECIPE, 0)


def test_a_file_that_is_cut_short_while_it_is_open_is_told(
    own_bank: FeatureBank, root: Path
) -> None:
    rows = np.arange(len(own_bank.picture_table))
    own_bank.pictures(rows)
    for path in feature_files(root):
        os.truncate(path, 3000)
    with pytest.raises(ToolkitError, match="its end is missing"):
        own_bank.pictures(rows)


def test_features_of_another_size_are_refused(root: Path) -> None:
    path = root / "output" / "features-image" / "me-dataset-valid-dino-resnet50.h5"
    _write(path, "dog-valid-1", np.ones((7, 3, 3), "f"))
    with pytest.raises(ToolkitError, match=r"'dog-valid-1' in .* another size than others"):
        published(root).bank(RECIPE, lambda *_: None)
    path = root / "output" / "features-audio" / "me-dataset-train-dutch-wavlm-base-plus.h5"
    _write(path, "dog-1", np.ones((3, 4), "f"))
    with pytest.raises(ToolkitError, match=r"'dog-1' in .* another size than others") as caught:
        published(root).bank(RECIPE, lambda *_: None)
    assert (caught.value.given, caught.value.allowed) == ("shape (3, 4)", "shape (frames, 5)")


def test_features_of_two_backbones_are_refused(root: Path) -> None:
    for path in feature_files(root):
        lay_out(path, "in one piece")
        with h5py.File(path, "a") as file:
            file.attrs["backbone_sha256"] = "1" * 64 if "-train-" in path.name else "2" * 64
    with pytest.raises(ToolkitError, match="was made by another backbone than"):
        published(root).bank(RECIPE, lambda *_: None)


def _write(path: Path, name: str, feature: np.ndarray) -> None:
    lay_out(path, "in one piece")
    with h5py.File(path, "a") as file:
        del file[name]["feature"]
        file[name]["feature"] = feature


def test_a_bank_on_the_disk_survives_the_disk(bank: FeatureBank, tmp_path: Path) -> None:
    save_bank(bank, tmp_path / "bank.safetensors")
    again = load_bank(tmp_path / "bank.safetensors")
    rows = np.array([3, 0, 5])
    assert torch.equal(again.pictures(rows), bank.pictures(rows))
    for found, expected in zip(again.words(rows), bank.words(rows), strict=True):
        assert torch.equal(found, expected)
    assert (again.word_table, again.n_bytes) == (bank.word_table, bank.n_bytes)
    assert again.n_bytes == bank.at_hand().frames.nbytes + bank.at_hand().maps.nbytes


def test_buffers_are_not_given_twice_in_an_update(bank: FeatureBank) -> None:
    from toolkit.training.gathering import Buffers

    near = bank.at_hand()
    shared = replace(near, buffers=Buffers())
    rows = np.array([0, 1])
    first, second = shared.pictures(rows), shared.pictures(rows[::-1].copy())
    assert torch.equal(first, near.pictures(rows))
    assert torch.equal(second, near.pictures(rows[::-1].copy()))
    shared.buffers.again()  # type: ignore[union-attr]
    assert shared.pictures(rows).data_ptr() == first.data_ptr()
