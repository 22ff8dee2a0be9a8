"""Damaged files: all inputs that ever failed, and a few new ones of every kind."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.__main__ import KEPT, _keep, shares
from tests.fuzz.targets import Ready, all_targets
from tests.fuzz.trying import ACCEPTED, FAILED, REFUSED, Outcome, Trier, _tried
from toolkit.errors import ToolkitError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is looked up in /proc")
CORPUS = Path(__file__).parent / "corpus"
INPUTS = 150
"""New inputs of all targets together; `python -m tests.fuzz N` tries more."""


@pytest.fixture(scope="module")
def trier() -> Iterator[Trier]:
    with Trier() as made:
        yield made


def test_the_corpus_is_of_targets_that_there_are() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} <= set(all_targets())


@pytest.mark.parametrize(
    "file", sorted(CORPUS.glob("*/*")), ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_every_input_that_ever_failed_is_read_or_refused(file: Path, trier: Trier) -> None:
    outcome = trier.given(file.parent.name, file.read_bytes())
    assert outcome.result != FAILED, outcome.why


@pytest.mark.parametrize("name", all_targets())
def test_damaged_files_are_read_or_refused(name: str, trier: Trier) -> None:
    n = shares(INPUTS, list(all_targets()))[name]
    failed = [one for one in trier.fresh(name, range(n), seed=0) if one.result == FAILED]
    assert not failed, failed[0].why


def raising(error: BaseException) -> Any:
    def read(path: Path) -> None:
        raise error

    return read


@pytest.mark.parametrize(
    ("read", "result"),
    [
        (lambda path: path.read_bytes(), ACCEPTED),
        (raising(ToolkitError("It is damaged.")), REFUSED),
        (raising(ValueError("It is damaged.")), FAILED),
        (raising(MemoryError()), FAILED),
        (raising(ToolkitError("It is damaged.", next_command="a" * 3_000)), FAILED),
        (lambda path: bytearray(2**31), FAILED),
        (lambda path: b"another", FAILED),
    ],
)
def test_what_a_failure_is(read: Any, result: str, tmp_path: Path) -> None:
    ready = Ready(tmp_path / "file", (b"sound",), lambda data, rng: data, read, same=bytes)
    assert _tried(ready, b"sound", b"sound")[0] == result


def test_failing_inputs_are_written_with_the_command_that_tries_them_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = Counter[str]()
    for number in range(KEPT + 2):
        outcome = Outcome(FAILED, f"KeyError: 'a{number}' at a.py:3 read", b"%d" % number)
        _keep(outcome, "pictures", failed, tmp_path)
    written = list(tmp_path.glob("pictures/*"))
    assert len(written) == KEPT
    said = capsys.readouterr().out
    assert all(f"--replay pictures {file}" in said for file in written)
