"""A second process for work that other work need not wait for."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from toolkit.processes.beside import beside, spread


def test_work_is_done_here_where_there_is_no_second_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def where(worth_it: bool) -> int:
        with beside(worth_it, os.getpid) as answer:
            return answer()

    monkeypatch.setattr("toolkit.processes.beside.n_cores", lambda: 2)
    assert where(True) != os.getpid()
    assert where(False) == os.getpid()
    with pytest.raises(ValueError, match="invalid literal"), beside(True, int, "x") as answer:
        answer()
    for broken in ("/no/such/python", shutil.which("false") or ""):
        monkeypatch.setattr("sys.executable", broken)
        assert where(True) == os.getpid()
    monkeypatch.undo()
    monkeypatch.setattr("toolkit.processes.beside.n_cores", lambda: 1)
    assert where(True) == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="work that never ends")
def test_a_second_process_is_ended_with_what_it_stands_beside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("toolkit.processes.beside.n_cores", lambda: 2)
    with pytest.raises(KeyError), beside(True, signal.pause):  # or it would be waited for
        raise KeyError


def _who(number: int) -> tuple[int, int]:
    return number, os.getpid()


@pytest.mark.parametrize(
    ("n_processes", "n_cores", "n_others"), [(0, 4, 0), (2, 1, 0), (2, 4, 2), (9, 3, 3), (9, 40, 7)]
)
def test_calls_are_spread_and_come_back_in_their_order(
    monkeypatch: pytest.MonkeyPatch, n_processes: int, n_cores: int, n_others: int
) -> None:
    monkeypatch.setattr("toolkit.processes.beside.n_cores", lambda: n_cores)
    monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path])  # where the process finds `_who`
    with spread(n_processes, _who, [(number,) for number in range(7)]) as answers:
        made = answers()
    assert [number for number, _ in made] == list(range(7))
    others = {place for _, place in made} - {os.getpid()}
    assert len(others) == n_others
    with spread(n_processes, _who, []) as answers:
        assert answers() == []
