"""A study on a real SLURM of one node, with all that goes wrong there; skips where it is absent."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.slurm_node import Node, slurm_node, why_not
from tests.toolkit.studies.test_study_run import write_whole_set
from tests.waiting import wait_until
from toolkit.processes.slurm import Submitted, Task, in_queue
from toolkit.studies.checks import read_study
from toolkit.studies.elsewhere import Elsewhere, hand_over_all
from toolkit.studies.plan import Where
from toolkit.studies.run import collect, run_study
from toolkit.studies.study import Study

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
STUDY = """\
[study]
title = "Four networks on a cluster"
[[train]]
grid = "grid.toml"
[[ask]]
paradigm = "familiar"
languages = ["en"]
trials_per_class = 2
trial_seeds = [0, 1, 2, 3, 4]
stimuli = "whole"
[[ask]]
paradigm = "me"
languages = ["en"]
trials_per_class = 2
trial_seeds = [0, 1, 2, 3, 4]
stimuli = "whole"
[report]
gallery = 0
"""
GRID = """\
stimuli = "whole"
[recipe]
word_views = 1
picture_views = 1
size = "xsm"
n_updates = 6
warmup_updates = 2
validate_every = 3
[grid]
languages = [["en"], ["en", "nl"]]
items = [4, 6]
seeds = "a"
"""
N_CELLS, N_TRAININGS = 40, 4


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    folder = tmp_path / "slurm"
    folder.mkdir()
    with slurm_node(folder) as made:
        monkeypatch.setenv("SLURM_CONF", made.environment["SLURM_CONF"])
        yield made


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    write_whole_set(tmp_path / "whole")
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "grid.toml").write_text(GRID, encoding="utf-8")
    return read_study(tmp_path / "study.toml")


def tables(where: Where) -> Mapping[str, bytes]:
    found = [*where.runs.glob("*/trials.parquet"), *where.subjects.glob("*/[a-z].safetensors")]
    return {str(path.relative_to(where.out)): path.read_bytes() for path in found}


def handed_over(study: Study, where: Where) -> tuple[Elsewhere, Submitted]:
    now = hand_over_all(study, where, {}, at_once=1)
    assert now.submitted is not None
    assert now.submitted.left == ()
    return now, now.submitted


def queue_of(now: Elsewhere) -> dict[int, Task]:
    return in_queue(f"mevgs-{now.kept.name}")


def workers_on(now: Elsewhere) -> list[int]:
    """Processes that are at chunks of the study."""
    found = subprocess.run(
        ["pgrep", "-f", f"work {now.kept.file.absolute()} --chunk"], capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    return [int(number) for number in found.stdout.split()]


def test_cancelled_killed_and_without_its_controller_a_study_comes_out_the_same(
    node: Node, study: Study
) -> None:
    where = Where(study.results)
    now, first = handed_over(study, where)
    assert len(first.numbers) == N_TRAININGS
    wait_until(lambda: queue_of(now)[0].state == "RUNNING", lambda: node.ask("squeue"))
    node.ask("scancel", queue_of(now)[2].job)
    node.stop_controller()
    node.start_controller()
    wait_until(lambda: node.ask("scontrol", "ping").count("UP"))
    wait_until(lambda: not queue_of(now), lambda: node.ask("squeue"))
    now, again = handed_over(study, where)
    assert [now.found[number].chunk.train != () for number in again.numbers].count(True) == 1
    assert len(again.numbers) == 1 + 3, "networks of three chunks are trained, and asked"

    def cells() -> list[Path]:
        return [*where.runs.glob("cells/*/[!.]*.parquet")]

    wait_until(lambda: cells() and workers_on(now), lambda: node.ask("squeue"))
    for number in workers_on(now):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    wait_until(lambda: not queue_of(now), lambda: node.ask("squeue"))
    assert len(cells()) < N_CELLS
    n_calls = first.n_calls + again.n_calls
    while not (now := hand_over_all(study, where, {}, at_once=2)).is_done:
        assert now.submitted is not None, [one.state for one in now.found]
        n_calls += now.submitted.n_calls
        wait_until(lambda now=now: not queue_of(now), lambda: node.ask("squeue"))
    assert len(cells()) == N_CELLS
    assert n_calls < 30, "each call asks the controller"
    collect(study, where)
    whole = Where(study.results.with_name("whole-results"))
    run_study(study, whole)
    made = tables(where)
    assert len(made) == 2 * 5 + N_TRAININGS
    assert made == tables(whole)
