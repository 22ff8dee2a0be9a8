"""Features that cannot be used, through the command line: one message each, exit code 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file

from stimuli import StimulusSet, open_set
from stimuli.files import checksum_file
from tests.commands import Cli, Said
from tests.conftest import LANGUAGES, tiny_rows, write_set
from tests.fake_card import FakeCard, with_card
from tests.toolkit.subjects.test_populations import write_network
from tests.toolkit.test_devices import command, heard_set  # noqa: F401
from tests.toolkit.training.test_train_cli import write_features as write_bank
from tests.toolkit.training.test_train_cli import write_small_set
from tests.toolkit.training.test_training_sources import write_data
from toolkit.subjects.backbones.stored import media_sha256, write_features

EAR, EYE = "e" * 64, "f" * 64
"""Checksums of the backbones that a small network stands on, whose features alone are there."""
Change = Callable[[dict[str, Any], Any], None]


def refused(said: Said, *parts: str) -> None:
    """One message, with all that helps."""
    assert said.code == 2, said.out
    text = " ".join(said.err.split())
    for part in parts:
        assert part in text
    assert text.count("Error") == 1
    assert "Traceback" not in said.out + said.err


def write_stored(folder: Path, stimuli: StimulusSet, changes: dict[str, Any]) -> None:
    """Features of all clips and pictures of a set, in the backbones' place."""
    rng = np.random.default_rng(0)
    table = stimuli.table
    for name, kind, sha256, shape in (
        ("ear", "word", EAR, (4, 5)),
        ("eye", "picture", EYE, (7, 2, 2)),
    ):
        read = stimuli.read_clip if kind == "word" else stimuli.read_picture
        made = {
            one: (rng.normal(size=shape).astype("f"), media_sha256(read(one)))
            for one in table.index[table["kind"] == kind]
        }
        told = {"backbone_sha256": changes.get(f"{name} sha256", sha256)}
        if change := changes.get(name):
            change(made)
        write_features(folder / f"{name}.h5", made, told)


@pytest.fixture
def ask(tiny_set: StimulusSet, tmp_path: Path, cli: Cli) -> Callable[..., Said]:
    """Put a paradigm to a network that stands on stored features; what is changed of them."""

    def call(damage: Callable[[Path], None] = lambda _: None, **changes: Any) -> Said:
        folder = write_network(tmp_path / "populations" / "tiny")
        config = json.loads((folder / "config.json").read_text())
        for kind, name, sha256 in (("hearing", "ear", EAR), ("seeing", "eye", EYE)):
            config["backbones"][kind] = {"folder": name, "sha256": sha256}
        (folder / "config.json").write_text(json.dumps(config))
        write_stored(folder.parent, tiny_set, {k.replace("_", " "): v for k, v in changes.items()})
        damage(folder.parent)
        subject, stimuli = ("--subject", str(folder)), ("--stimuli", str(tiny_set.folder))
        small = ("--trials-per-class", "2", "--no-report", "--out", "runs")
        return cli("run-paradigm", "familiar", *subject, *stimuli, *small)

    return call


def with_shape(shape: tuple[int, ...], every: int) -> Callable[[dict[str, Any]], None]:
    """Give all features another shape, or every second one."""

    def change(made: dict[str, Any]) -> None:
        for name in sorted(made)[every - 1 :: every]:
            made[name] = (np.zeros(shape, "f"), made[name][1])

    return change


def with_one_more(made: dict[str, Any]) -> None:
    made["one more"] = (np.zeros((4, 5), "f"), "0" * 64)


def without_some(made: dict[str, Any]) -> None:
    for name in sorted(made)[::2]:
        del made[name]


def test_sound_features_are_asked(ask: Callable[..., Said]) -> None:
    """What the others are damaged copies of."""
    said = ask()
    assert said.code == 0, said.err


@pytest.mark.parametrize("name", ["ear", "eye"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_file_cut_short(ask: Callable[..., Said], name: str, kept: bool) -> None:
    def damage(folder: Path) -> None:
        path = folder / f"{name}.h5"
        path.write_bytes(path.read_bytes()[:-700])
        if not kept:
            checksum_file(path).unlink()

    refused(ask(damage), f"{name}.h5", "damaged, or was changed" if kept else "cut short")


@pytest.mark.parametrize(("name", "own"), [("ear", EAR), ("eye", EYE)])
def test_features_of_another_backbone(ask: Callable[..., Said], name: str, own: str) -> None:
    said = ask(**{f"{name}_sha256": "0" * 64})
    refused(said, "not the one that the network was trained on", f"allowed: {own}", "0" * 64)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"ear": with_shape((4, 6), 1)}, ("do not fit the network", "shape (4, 6)", "5 channels")),
        ({"eye": with_shape((8, 2, 2), 1)}, ("do not fit the network", "7 channels")),
        ({"ear": with_shape((4, 6), 2)}, ("another size than others", "(4, 6)", "(frames, 5)")),
        ({"eye": with_shape((7, 3, 2), 2)}, ("another size than others", "(7, 3, 2)", "(7, 2, 2)")),
        ({"ear": with_shape((20,), 1)}, ("wrong dimensions", "(frames, channels)")),
        ({"eye": with_shape((7, 4), 2)}, ("wrong dimensions", "(channels, height, width)")),
        ({"ear": without_some}, ("ear.h5 lacks the features of",)),
    ],
)  # fmt: skip
def test_features_of_the_wrong_length(
    ask: Callable[..., Said], changes: dict[str, Any], parts: tuple[str, ...]
) -> None:
    refused(ask(**changes), *parts)


@pytest.mark.parametrize("at_once", [2, 512])
@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"ear": with_shape((3, 6), 5)}, ("ear.h5", "another size than others", "(frames, 5)")),
        ({"eye": with_shape((8, 2, 2), 5)}, ("eye.h5", "another size than others", "(7, 2, 2)")),
        ({"eye": with_shape((7, 3, 3), 5)}, ("(7, 3, 3)", "another size than others")),
    ],
)
def test_features_that_differ_are_refused_however_many_are_read_together(
    ask: Callable[..., Said],
    train_on_a_set: Callable[..., Said],
    changes: dict[str, Any],
    parts: tuple[str, ...],
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("toolkit.running.embedding.CHUNK", at_once)
    monkeypatch.setattr("toolkit.training.features._AT_ONCE", at_once)
    more = ("extract-features SET --out DIR, with one backbone",)
    refused(ask(**changes), *parts, *more)
    refused(train_on_a_set(**changes), *parts, *more)


@pytest.mark.parametrize("shape", [(4, 6), (4, 5)], ids=["another size", "the same size"])
def test_other_features_by_the_same_name_are_trained_on_anew(
    train_on_a_set: Callable[..., Said], tmp_path: Path, shape: tuple[int, int]
) -> None:
    same = {"ear_sha256": "taken over: ear", "eye_sha256": "taken over: eye"}
    folder, name = tmp_path / "out" / "monolingual-en", "audio_enc.pool.proj_in.weight"
    assert train_on_a_set(**same).code == 0
    written, first = (folder / "a.safetensors").stat(), load_file(folder / "a.safetensors")
    # Features of further stimuli change the file, and nothing of what was trained on.
    assert train_on_a_set(ear=with_one_more, **same).code == 0
    assert (folder / "a.safetensors").stat().st_mtime_ns == written.st_mtime_ns
    said = train_on_a_set("--seeds", "2", ear=with_shape(shape, 1), **same)
    assert said.code == 0, said.err
    both = [load_file(folder / f"{seed}.safetensors") for seed in "ab"]
    assert [own[name].shape[1] for own in both] == [shape[1]] * 2
    assert not np.array_equal(both[0][name], first[name])


@pytest.fixture
def train_on_a_set(tmp_path: Path, cli: Cli) -> Callable[..., Said]:
    """Train on a set whose features stand in the backbones' place; what is changed of them."""
    rows = tiny_rows()
    for row in rows:
        if row["split"] == "train" and row["stimulus_id"].endswith("-1"):
            row["split"], row["voice"] = "valid", row.get("voice") and "of the split valid"
    stimuli = open_set(write_set(tmp_path / "set", rows, LANGUAGES))
    small = ("n_updates=2", "items=4", "validate_every=1", "word_views=1", "picture_views=1")
    settings = [part for one in (*small, "warmup_updates=1") for part in ("--set", one)]
    asked = ("--languages", "en", "--stimuli", "set", "--out", "out", "--jobs", "1")

    def call(*more: str, **changes: Any) -> Said:
        write_stored(tmp_path, stimuli, {k.replace("_", " "): v for k, v in changes.items()})
        backbones = ("--hearing", "ear.h5", "--seeing", "eye.h5")
        return cli("train", *asked, *settings, *backbones, *(more or ("--seeds", "1")))

    return call


def test_training_on_a_set_with_sound_features(train_on_a_set: Callable[..., Said]) -> None:
    """What the others are damaged copies of."""
    said = train_on_a_set()
    assert said.code == 0, said.err


@pytest.fixture
def train(tmp_path: Path, cli: Cli) -> Callable[[], Said]:
    """Train on published features, which a test may damage before."""
    write_data(tmp_path / "me-vgs")
    sets = ("epochs=1", "warmup_epochs=0", "items=5", "width=64", "embedding=3")
    settings = [part for one in sets for part in ("--set", one)]
    backbones = ("--hearing", "wavlm-base-plus", "--seeing", "dino-resnet50")
    asked = ("--languages", "en,nl", "--recipe", "published", "--seeds", "1", "--jobs", "1")
    return lambda: cli(
        "train", *asked, *settings, *backbones, "--stimuli", "me-vgs", "--out", "out"
    )


WORDS = "features-audio/me-dataset-train-dutch-wavlm-base-plus.h5"
PICTURES = "features-image/me-dataset-valid-dino-resnet50.h5"


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with h5py.File(path) as file:
        made = {name: (group["feature"][()], "0") for name, group in file.items()}
    change(made)
    checksum_file(path).unlink()
    with h5py.File(path, "w") as file:
        for name, (feature, _) in made.items():
            file.create_group(name)["feature"] = feature


def test_training_on_sound_features(train: Callable[[], Said]) -> None:
    said = train()
    assert said.code == 0, said.err


@pytest.mark.parametrize(
    ("name", "change", "parts"),
    [
        (WORDS, None, ("cut short",)),
        (PICTURES, None, ("cut short",)),
        (WORDS, with_shape((3, 6), 2), ("-train-dutch-", "another size than others", "(3, 6)")),
        (WORDS, with_shape((3, 6), 1), ("another size than others", "6)", "5)")),
        (
            PICTURES,
            with_shape((7, 2, 2), 2),
            ("another size than others", "(7, 2, 2)", "(7, 2, 3)"),
        ),
        (
            PICTURES,
            with_shape((8, 2, 3), 1),
            ("another size", "(8, 2, 3)", "(7, 2, 3)"),
        ),
        (WORDS, with_shape((0, 5), 2), ("wrong dimensions",)),
        (WORDS, with_shape((5,), 1), ("wrong dimensions",)),
    ],
)
def test_training_on_features_of_the_wrong_length(
    train: Callable[[], Said], name: str, change: Any, parts: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "me-vgs" / "output" / name
    if change is None:
        path.write_bytes(path.read_bytes()[:2_000])
        checksum_file(path).unlink()
    else:
        rewritten(path, change)
    refused(train(), *parts)
    assert not list(tmp_path.glob("out/*/population.toml"))


@pytest.mark.parametrize("name", ["extract-features", "run-paradigm", "score-all", "analyze-space"])
def test_a_card_without_memory(
    name: str,
    cli: Cli,
    heard_set: StimulusSet,  # noqa: F811
    scenes_set: StimulusSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_card(monkeypatch, FakeCard(longest=0))
    said = cli(*command(name, heard_set, scenes_set), "--device", "cuda")
    refused(said, "The memory of cuda:0 does not suffice", "allowed: a card with more memory")


def test_a_card_without_memory_to_train_in(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(FakeCard):
        def put(self, module: Any) -> Any:
            import torch

            with self.holding(f"the weights of a {type(module).__name__}"):
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    with_card(monkeypatch, Full())
    write_bank(tmp_path / "out", write_small_set(tmp_path / "set"))
    small = ("--set", "word_views=1", "--set", "picture_views=1", "--set", "n_updates=2")
    asked = ("--languages", "en", "--seeds", "1", "--stimuli", "set", "--out", "out")
    said = cli("train", *asked, *small, "--device", "cuda")
    refused(said, "The memory of cuda:0 does not suffice for the weights of a VGSNetwork")
    assert not list(tmp_path.glob("out/*/population.toml"))


def test_features_that_are_taken_over_and_were_cut_short(
    train: Callable[[], Said], cli: Cli, tmp_path: Path
) -> None:
    path = tmp_path / "me-vgs" / "output" / WORDS
    taken = tmp_path / "taken.h5"
    taken.write_bytes(path.read_bytes()[:2_000])
    said = cli("extract-features", "me-vgs", "--only", "words", "--take", taken, "--out", "out")
    refused(said, "taken.h5", "cut short")
    assert not list(tmp_path.glob("out/**/*.h5"))
