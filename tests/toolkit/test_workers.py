"""Processes that share the work: all of it is done, and errors and deaths are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stimuli import open_set
from toolkit.errors import ToolkitError
from toolkit.workers import workers


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_work_is_done_before_the_block_ends(jobs: int, tmp_path: Path) -> None:
    done: list[int] = []
    with workers(jobs, lambda: done.append(1)) as submit:
        for number in range(7):
            submit(Path.touch, tmp_path / str(number))
    assert sorted(path.name for path in tmp_path.iterdir()) == list("0123456")
    assert len(done) == 7


def test_an_error_comes_back_as_it_was_and_a_death_is_told() -> None:
    with pytest.raises(ToolkitError, match="no stimulus set") as caught, workers(2) as submit:
        submit(open_set, "mimi")
    assert caught.value.nearest == "mini"
    with pytest.raises(ToolkitError, match="ended by itself") as caught:
        _end_many()
    assert "--jobs 1" in (caught.value.next_command or "")


def _end_many() -> None:
    """More than are handed on before the first end is noticed."""
    with workers(2) as submit:
        for _ in range(50):
            submit(os._exit, 1)


def test_each_keeps_to_one_thread(tmp_path: Path) -> None:
    path = tmp_path / "threads.json"
    look = "import json, pathlib, threadpoolctl as t; pathlib.Path(%r).write_text(json.dumps(%s))"
    with workers(2) as submit:
        submit(exec, look % (str(path), "[one['num_threads'] for one in t.threadpool_info()]"))
    threads = json.loads(path.read_text())
    assert threads
    assert set(threads) == {1}
