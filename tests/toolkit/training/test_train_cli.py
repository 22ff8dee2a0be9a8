"""`mevgs-toolkit train` as a user runs it: grids, kills, bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from stimuli import StimulusSet, open_set
from tests.conftest import write_set
from tests.process_groups import next_line, started
from toolkit.cli import main
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.population import WEIGHTS
from toolkit.subjects.populations import open_population
from toolkit.training.bank_files import save_bank
from toolkit.training.features import FeatureBank, bank_key, outline

GRID = """
stimuli = "set"
[recipe]
from = "published"
size = "xsm"
epochs = 12
items = 5
negatives = 3
[grid]
languages = [["en"], ["fr"], ["en", "fr"]]
seeds = 2
"""
SUBJECTS = [
    (name, seed)
    for name in ("monolingual-en", "monolingual-fr", "bilingual-en-fr")
    for seed in "ab"
]


def write_small_set(folder: Path) -> StimulusSet:
    """Two words per class and language, two pictures per class; nothing of it is ever decoded."""
    rows: list[dict[str, Any]] = []
    for split in ("train", "valid"):
        for concept in ("bear", "car", "dog"):
            shared = {"concept": concept, "status": "familiar", "split": split, "source": "made"}
            for language in ("en", "fr", ""):
                for take in range(2):
                    name = f"{split}-{concept}-{language or 'picture'}-{take}"
                    kind = {"kind": "picture", "style": "colour", "language": ""}
                    if language:
                        kind = {"kind": "word", "duration_s": "0.04", "language": language}
                    path = {"path": name + (".wav" if language else ".png"), "data": name.encode()}
                    rows.append(shared | kind | path | {"stimulus_id": name, "licence": "CC0-1.0"})
    return open_set(write_set(folder, rows, ("en", "fr")))


def write_features(out: Path, stimuli: StimulusSet, *precision: str) -> None:
    """Random features where the command looks for those of the backbones.

    Args:
        out: folder of the populations.
        stimuli: what they are of.
        precision: ``float32`` where the recipe keeps them so, as the published one does.
    """
    told = outline(stimuli)
    rng = torch.Generator().manual_seed(0)
    n_words, n_pictures = len(told.word_table), len(told.picture_table)
    bank = FeatureBank(
        told.concepts,
        told.word_table,
        told.picture_table,
        torch.randn(3 * n_words, 5, generator=rng).half(),
        (3 * torch.arange(n_words + 1)).numpy(),
        torch.randn(n_pictures, 7, 2, 2, generator=rng).half(),
    )
    sums = [backbone_checksum(WEIGHTS / kind) for kind in ("hearing", "seeing")]
    (out / "features").mkdir(parents=True)
    key = bank_key(stimuli.checksum, *sums, 1, 1, *precision)
    save_bank(bank, out / "features" / f"{key}.safetensors")


@pytest.fixture
def train(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str]]:
    """Call the command in this process, in a folder with a set; gives exit code and text."""
    monkeypatch.chdir(tmp_path)
    write_small_set(tmp_path / "set")
    (tmp_path / "grid.toml").write_text(GRID)

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mevgs-toolkit", "train", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return int(exit_.value.code or 0), out + err

    return call


def weights(out: Path) -> dict[str, bytes]:
    return {f"{n}/{s}": (out / n / f"{s}.safetensors").read_bytes() for n, s in SUBJECTS}


def finished_in(out: Path) -> set[str]:
    return {f"{path.parent.name}_{path.stem}" for path in out.glob("*/?.safetensors")}


def begun_in(out: Path) -> set[str]:
    return {path.stem for path in out.glob("unfinished/[!.]*.pt")} - finished_in(out)


STOPPING = """
import os, signal, threading
from toolkit.cli import main
from toolkit.training import cards
from toolkit.training.checkpoint import Checkpoint

save, add_subject = Checkpoint.save, cards.add_subject

def say_and_stop(what):
    os.write(1, f"{what}\\n".encode())
    threading.Event().wait()

def saving(self, *given):
    save(self, *given)
    if list(self.path.parents[1].glob("*/?.safetensors")):
        say_and_stop("one is finished, and another is begun")

def adding(*given):
    add_subject(*given)
    if "STOP_AT_FIRST" in os.environ:
        say_and_stop("one is finished")

Checkpoint.save, cards.add_subject = saving, adding
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
"""
"""The command, which stops for ever."""


@contextmanager
def training(folder: Path, jobs: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A grid that is being trained in ``killed``, by a command that stops."""
    script = folder / "script.py"
    script.write_text(STOPPING)
    command = [sys.executable, script, "train", "--grid", "grid.toml", "--out", "killed"]
    with started([*command, "--jobs", jobs], folder, os.environ | environment) as process:
        yield process


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals to groups of processes")
@pytest.mark.parametrize("stop", [{}, {"STOP_AT_FIRST": "1"}])
@pytest.mark.usefixtures("train")
def test_ctrl_c_ends_all_that_train(tmp_path: Path, stop: dict[str, str]) -> None:
    """While subjects are waited for, and while a finished one is written and others train on."""
    write_features(tmp_path / "killed", open_set(tmp_path / "set"), "float32")
    with training(tmp_path, "2", **stop) as process:
        next_line(process)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.endswith(
        "\nError: Interrupted. What was finished is kept: the same command goes on.\n"
    )
    assert not list((tmp_path / "killed").rglob(".*")), "nothing half-written"


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_killed_grid_goes_on_to_the_same_weights(
    train: Callable[..., tuple[int, str]], tmp_path: Path, jobs: str
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for out in (whole, killed):
        write_features(out, open_set(tmp_path / "set"), "float32")
    with training(tmp_path, jobs) as process:
        assert next_line(process) == "one is finished, and another is begun"
        process.kill()
        process.communicate()  # comes back when those that train have ended, too
    finished = finished_in(killed)
    assert 0 < len(finished) < 6
    assert begun_in(killed)

    code, text = train("--grid", "grid.toml", "--out", "killed", "--jobs", "1")
    assert code == 0
    # Those that were begun go on from their states.
    assert "update 0 of" in text
    assert text.count("update 0 of") < 6 - len(finished)
    assert train("--grid", "grid.toml", "--out", "whole", "--jobs", "1")[0] == 0
    assert weights(killed) == weights(whole)
    for name in ("monolingual-en", "bilingual-en-fr"):
        for file in ("training_log.csv", "config.json", "population.toml", "README.md"):
            assert (killed / name / file).read_bytes() == (whole / name / file).read_bytes()
    assert not (killed / "unfinished").exists()
    assert open_population("bilingual-en-fr", killed).seeds == ("a", "b")
    config = json.loads((killed / "bilingual-en-fr" / "config.json").read_text())
    assert (config["training"]["n_updates"], config["training"]["epoch_clips"]) == (36, 12)


def test_one_population_by_codes(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    write_features(tmp_path / "out", open_set(tmp_path / "set"), "float32")
    code, text = train(
        *("--languages", "fr,en", "--stimuli", "set", "--out", "out", "--seeds", "1"),
        *("--recipe", "published", "--size", "xsm", "--family", "clip-two-audios"),
        *("--set", "epochs=2", "--set", "warmup_epochs=1", "--jobs", "1"),
    )
    assert code == 0
    assert "update 2 of 2" in text
    assert "validation" in text
    assert "Written to out" in text
    config = json.loads((tmp_path / "out" / "bilingual-en-fr" / "config.json").read_text())
    assert config["network"]["family"] == "clip-two-audios"


def test_links_are_trained_in_one_language_and_in_two(
    train: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    write_features(tmp_path / "out", open_set(tmp_path / "set"), "float32")
    (tmp_path / "grid.toml").write_text(
        GRID.replace("epochs = 12", "epochs = 1\nwarmup_epochs = 0")
        + 'family = ["clip-two-audios"]\n'
    )
    code, _ = train("--grid", "grid.toml", "--out", "out", "--jobs", "1")
    assert code == 0
    assert len(list((tmp_path / "out").glob("*/population.toml"))) == 3


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "--population"),
        (["--languages", "de"], "allowed: en, fr"),
        (["--languages", "english"], "did you mean: en"),
        (["--population", "bilingual-en-f"], "did you mean: bilingual-en-fr"),
        (["--grid", "grid.toml", "--seeds", "a"], "given: --seeds"),
        (["--grid", "other.toml"], "cannot be read"),
        (["--languages", "en", "--set", "epoch=3"], "did you mean: epochs"),
        (["--languages", "en", "--hearing", "earless"], "earless"),
        (["--languages", "en", "--seeds", "A"], "no seed 'A'"),
        (["--population", "multilingual-clip"], "python -m makers.multilingual_clip.train"),
        (["--population", "all", "--population", "multilingual-clip"], "speech networks"),
        (["--population", "multilingual-clip", "--languages", "en"], "bilingual-en-nl"),
    ],
)
def test_bad_input(
    train: Callable[..., tuple[int, str]], tmp_path: Path, arguments: list[str], part: str
) -> None:
    if "--grid" not in arguments:
        arguments = [*arguments, "--stimuli", "set"]
    code, text = train(*arguments, "--out", "out")
    assert code == 2
    assert part in text
    assert not (tmp_path / "out").exists()


def test_example_grid(train: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, text = train("--example-grid")
    assert code == 0
    assert "[grid]" in text
