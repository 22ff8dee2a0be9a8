"""Two processes at one place: one is refused or waits, and what a killed one held is free."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from paradigms.registry import get_paradigm
from stimuli import StimulusSet
from tests.toolkit.subjects.test_features import NAMES, Counting
from toolkit.errors import ToolkitError
from toolkit.processes.alone import alone_in, alone_with
from toolkit.running.choices import run
from toolkit.subjects.features.extraction import extract
from toolkit.subjects.features.sources import find_jobs
from toolkit.subjects.populations import open_population

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="knows no such locks")


def test_the_second_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    lock = tmp_path / "made" / "a.lock"
    with alone_with(lock, "In use."):
        with pytest.raises(ToolkitError, match=r"In use\."), alone_with(lock, "In use."):
            pass
        assert lock.is_file()
    assert not lock.exists()
    with alone_with(lock, "In use."):
        pass
    with (
        alone_in(tmp_path),
        pytest.raises(ToolkitError, match=r"In use\."),
        alone_in(tmp_path, "In use."),
    ):
        pass
    with alone_in(tmp_path, "In use."):
        pass


def test_what_a_killed_process_left_is_taken_over_and_removed(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.touch()
    with alone_with(lock, "In use."):
        pass
    assert not lock.exists()


def test_a_lock_that_was_removed_and_made_anew_is_left_to_its_owner(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with alone_with(lock, "In use."):
        lock.unlink()
        with alone_with(lock, "In use."):
            lock.unlink()
            lock.touch()
        assert lock.exists()
    assert lock.exists()


def test_a_run_that_another_process_makes_is_refused_and_left_alone(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    hasher = open_population("hasher", subjects_dir)

    def ask(n: int) -> Path:
        done = run(get_paradigm("me"), [hasher], tiny_set, root=tmp_path / "runs", per_class=n)
        return done.directory.folder

    folder = ask(2)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with alone_in(folder):
        with pytest.raises(ToolkitError, match="is being made by another process"):
            ask(2)
        ask(1)  # other runs share its embeddings, and go on
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_features_that_another_process_makes_are_left_alone(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    job, *_ = find_jobs(str(tiny_set.folder), tmp_path / "out", NAMES, splits=("train",))
    held = job.path.with_name(f"{job.path.name}.lock")
    with (
        alone_with(held, "In use."),
        pytest.raises(ToolkitError, match="is being made by another process"),
    ):
        extract(job, Counting(job.kind))
    assert not list(job.path.parent.iterdir())
    extract(job, Counting(job.kind))
    assert job.path.is_file()
