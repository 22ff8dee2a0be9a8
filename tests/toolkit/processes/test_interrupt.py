"""Ctrl-C while other processes read maps: a quick, quiet end, and the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LANGUAGES, tiny_rows, write_scenes, write_set
from tests.process_groups import next_line, started
from tests.waiting import wait_until

COMMAND = [
    sys.executable,
    "-c",
    # Tests that a script put into the background would not hear Ctrl-C.
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from toolkit.cli import main; main()",
]
SUBJECT = """
import os
import threading
from pathlib import Path

import numpy as np

from tests.waiting import wait_until


class Guessing:
    def __init__(self, seed):
        self.seed = seed

    def embed_text(self, texts):
        return self.unit(len(texts), 3)

    def count_tokens(self, texts):
        return [1] * len(texts)

    def embed_patches(self, pictures):
        if self.seed == "c" and "WAIT_FOR" in os.environ:
            wait_until(lambda: list(Path("runs").glob(os.environ["WAIT_FOR"])))
            print("it is there", flush=True)
            threading.Event().wait()
        return self.unit(len(pictures), 4, 4, 3)

    def unit(self, *shape):
        made = np.random.default_rng(0).normal(size=shape)
        return (made / np.linalg.norm(made, axis=-1, keepdims=True)).astype(np.float32)


def load(population, seed):
    return Guessing(seed)
"""
"""Where it is told to, its last seed waits for a file, says that it is there, and never goes on."""
POPULATION = """
name = "guessing"
description = "Sees nothing."
languages = ["en"]
seeds = ["a", "b", "c"]
factory = "guessing_subject:load"
"""
N_CELLS = 3 * 3
"""Seeds x chunks of pictures."""

EXTRACTION = """
import signal
import sys
import threading
from pathlib import Path

from tests.toolkit.subjects.test_features import NAMES, Counting
from toolkit.subjects.features import extraction
from toolkit.subjects.features.sources import find_jobs


class Waiting(Counting):
    def make(self, media):
        if len(self.portions) == 2 and "wait" in sys.argv:
            print("it is there", flush=True)
            threading.Event().wait()
        return super().make(media)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    extraction.TOGETHER.update(word=4)
    words, _ = find_jobs("tiny", Path("out"), NAMES)
    extraction.extract(words, Waiting("word"), jobs=2)
"""
"""Its backbone never gives features of the third clips."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize(
    ("begun", "report"),
    [("embeddings/*/*.npy", "--report"), ("cells/*/[!.]*.parquet", "--no-report")],
)
def test_ctrl_c_ends_a_run_with_workers_and_the_same_command_goes_on(
    tmp_path: Path, begun: str, report: str
) -> None:
    """Interrupted when the first features lie on disk (workers load), then when a cell does."""
    subjects = tmp_path / "subjects" / "guessing"
    subjects.mkdir(parents=True)
    (subjects / "guessing_subject.py").write_text(SUBJECT)
    (subjects / "population.toml").write_text(POPULATION)
    write_scenes(tmp_path / "scenes", 65)
    command = [
        *COMMAND, "run-paradigm", "dense-grounding", "--subject", "guessing", "--jobs", "2",
        "--subjects", "subjects", "--out", "runs", report, "--stimuli", "scenes",
        "--format", "json",
    ]  # fmt: skip
    with started(command, cwd=tmp_path, env={**os.environ, "WAIT_FOR": begun}) as process:
        assert next_line(process) == "it is there"
        os.killpg(process.pid, signal.SIGINT)
        out, said = process.communicate()
        wait_until(lambda: not list(members(process.pid)), lambda: "some processes are left")
    assert process.returncode == 130
    assert out == ""
    assert said == "Error: Interrupted. What was finished is kept: the same command goes on.\n"
    assert not list((tmp_path / "runs").rglob(".*")), "nothing half-written"
    n_kept = len(list((tmp_path / "runs").glob("cells/*/*.parquet")))
    assert n_kept < N_CELLS
    again = subprocess.run(
        [*command, "--no-report"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert (told["cells_reused"], told["cells_computed"]) == (n_kept, N_CELLS - n_kept)
    assert (tmp_path / told["run_directory"] / "trials.parquet").is_file()


def members(group: int) -> Iterator[int]:
    """Processes of a group that have not ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, own, *_ = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(own) == group and state != "Z":
            yield int(path.parent.name)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_ctrl_c_ends_an_extraction_with_processes_and_keeps_what_was_made(tmp_path: Path) -> None:
    (tmp_path / "extraction.py").write_text(EXTRACTION)
    write_set(tmp_path / "tiny", tiny_rows(), LANGUAGES)
    command = [sys.executable, "extraction.py"]
    with started([*command, "wait"], cwd=tmp_path) as process:
        assert next_line(process) == "it is there"
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate()[1]
        wait_until(lambda: not list(members(process.pid)), lambda: "some processes are left")
    assert said.endswith("KeyboardInterrupt\n")
    assert said.count("Traceback") == 1
    kept = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert [name for name in kept if name.endswith(".h5")] == ["000001.h5", "000002.h5"]
    assert not [name for name in kept if name.startswith(".")], "nothing half-written"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, cwd=tmp_path, env=env, check=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ear.h5", "ear.h5.sha256"]
