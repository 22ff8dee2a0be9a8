"""One thread in the block, as many as before behind it; batches beside each other all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from threading import Barrier

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from tests.waiting import LIMIT_S
from toolkit.processes.threads import VARIABLES, one_thread, side_by_side


def counts() -> dict[str, int]:
    """Threads of every library that is loaded, and of torch."""
    assert np.eye(2).sum() == 2
    libraries = {one["filepath"]: one["num_threads"] for one in threadpool_info()}
    return libraries | {"torch": torch.get_num_threads()}


@pytest.fixture
def _three_threads() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_three_threads")
def test_what_was_loaded_before_has_as_many_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before, variables = counts(), {name: os.environ.get(name) for name in VARIABLES}
    assert before["torch"] == 3
    with pytest.raises(KeyError), one_thread():  # noqa: PT012 - the block is what is tested
        with one_thread():
            assert {*counts().values()} == {1}
        assert {*counts().values()} == {1}
        assert {os.environ[name] for name in VARIABLES} == {"1"}
        raise KeyError
    assert counts() == before
    assert {name: os.environ.get(name) for name in VARIABLES} == variables


def test_what_is_loaded_in_the_block_has_as_many_as_it_would_have_had() -> None:
    code = """
import json, os
from toolkit.processes.threads import one_thread
def told():
    import scipy.linalg, torch
    from threadpoolctl import threadpool_info
    return [torch.get_num_threads(), *(one["num_threads"] for one in threadpool_info())]
with one_thread():
    inside = told()
print(json.dumps([inside, told(), os.environ["OMP_NUM_THREADS"]]))
"""
    others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=others | {"OMP_NUM_THREADS": "3", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )
    inside, after, variable = json.loads(said.stdout)
    assert {*inside} == {1}
    # Libraries of linear algebra start no more than there are cores; what was loaded first keeps.
    assert after[0] == 3
    assert min(after) > 1 or os.cpu_count() == 1
    assert variable == "3"


@pytest.mark.usefixtures("_three_threads")
def test_calls_beside_each_other_have_one_thread_each_and_begin_no_others() -> None:
    both = Barrier(2, timeout=LIMIT_S)

    def call(number: int) -> tuple[int, int, list[int]]:
        both.wait()  # passed only if two calls are made at the same time
        return number, torch.get_num_threads(), side_by_side(abs, [-number, number])

    assert side_by_side(call, range(4), 2) == [(n, 1, [n, n]) for n in range(4)]
    alone = Barrier(1)
    assert side_by_side(lambda n: (alone.wait(), n), [5, 6], 1) == [(0, 5), (0, 6)]
    assert torch.get_num_threads() == 3


def test_an_error_of_one_of_several_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda n: 1 // n, [1, 0, 1], 2)
    assert side_by_side(abs, []) == []
