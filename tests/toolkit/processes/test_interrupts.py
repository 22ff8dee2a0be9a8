"""Ctrl-C while a command loads, and while it clears up."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from toolkit.processes.interrupts import clearing_up_undisturbed


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Ctrl-C raises, as it does in a command that was not put into the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def work(cleared: list[int]) -> None:
    """Is interrupted, and again while it clears up, and while it copes with an error there."""
    try:
        press()
    finally:
        press()
        try:
            raise FileNotFoundError
        except FileNotFoundError:
            press()
        cleared.append(1)


def command(cleared: list[int]) -> None:
    try:
        work(cleared)
    except KeyboardInterrupt:
        press()
        sys.exit(130)


def test_a_second_ctrl_c_does_not_disturb_the_clearing_up_after_the_first() -> None:
    cleared: list[int] = []
    with clearing_up_undisturbed():
        with pytest.raises(KeyboardInterrupt), clearing_up_undisturbed():
            work(cleared)
        with pytest.raises(KeyboardInterrupt):
            work(cleared)
        with pytest.raises(SystemExit):
            command(cleared)
    assert len(cleared) == 3
    with pytest.raises(KeyboardInterrupt):
        press()


def test_ctrl_c_is_heard_after_one_that_was_lost() -> None:
    with clearing_up_undisturbed():
        with suppress(KeyboardInterrupt):
            press()
        with pytest.raises(KeyboardInterrupt):
            press()


def clear_up_first(done: list[int]) -> None:
    with clearing_up_undisturbed() as hold_back:
        hold_back()
        press()
        done.append(1)


def test_ctrl_c_waits_until_what_has_to_be_done_is_done() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        clear_up_first(done)
    assert done == [1]


def test_what_ignores_ctrl_c_goes_on_doing_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with clearing_up_undisturbed() as hold_back:
        press()
        hold_back()
        press()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


LOADING = """
import os, signal
signal.signal(signal.SIGINT, getattr(signal, {on_interrupt!r}))
from toolkit.cli import main
main()
"""
PRESSED = """
import signal


class Half:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


Half()
raise ImportError("nothing but Ctrl-C keeps this from being seen")
"""


@pytest.mark.parametrize(
    ("on_interrupt", "code", "says"),
    [
        (
            "default_int_handler",
            130,
            "Error: Interrupted. What was finished is kept: the same command goes on.\n",
        ),
        ("SIG_IGN", 1, "ImportError: nothing but Ctrl-C keeps this from being seen\n"),
    ],
)
def test_ctrl_c_while_a_command_is_loading(
    tmp_path: Path, on_interrupt: str, code: int, says: str
) -> None:
    """Where Python would swallow it, too: a library on the way to the first line is a stand-in."""
    (tmp_path / "typer.py").write_text(PRESSED)
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r})" + LOADING.format(
        on_interrupt=on_interrupt
    )
    listing = [sys.executable, "-c", start, "list", "paradigms"]
    said = subprocess.run(listing, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (code, "")
    assert said.stderr == says if code == 130 else said.stderr.endswith(says)
