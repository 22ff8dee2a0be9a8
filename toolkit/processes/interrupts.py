"""How Ctrl-C is heard: while a command loads, and while it clears up.

A process that a script put into the background ignores Ctrl-C, and nothing here changes that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended."""
MESSAGE = "Interrupted. What was finished is kept: the same command goes on."
"""What such a command says."""


@contextmanager
def ended_at_once() -> Iterator[None]:
    """End this process on Ctrl-C, for a block that has begun nothing and only imports.

    Imports swallow some exceptions and show others with the whole way to where they arose.

    Example:
        >>> with ended_at_once():
        ...     import json
    """

    def end(*_: object) -> None:
        os.write(2, f"Error: {MESSAGE}\n".encode())
        os._exit(INTERRUPTED)

    before = _handler()
    if before is None:
        yield
        return
    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def clearing_up_undisturbed() -> Iterator[Callable[[], None]]:
    """Do not hear Ctrl-C while the block, or what it calls, clears up after Ctrl-C.

    Terminals and programs that start others may well send two at the same time.

    Yields:
        A function after which no Ctrl-C is heard before the end of the block: it clears up
        whatever happened.

    Example:
        >>> with clearing_up_undisturbed() as hold_back:
        ...     work = "done"
        ...     hold_back()
        ...     work = "cleared up"
    """
    before = _handler()
    if before is None:
        yield lambda: None
        return
    held_back = missed = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal missed
        if held_back:
            missed = True
        elif not _clears_up():
            before(number, frame)

    def hold_back() -> None:
        nonlocal held_back
        held_back = True

    signal.signal(signal.SIGINT, hear)
    try:
        yield hold_back
    finally:
        signal.signal(signal.SIGINT, before)
        if missed and not _clears_up():
            before(signal.SIGINT, None)


def _clears_up() -> bool:
    """Whether what runs now is there because of Ctrl-C: it handles that, or what came of it.

    A Ctrl-C that was lost, as in a method that tells of no errors, is followed by no such thing.
    """
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _handler() -> Callable[[int, FrameType | None], Any] | None:
    """What Python does on Ctrl-C; None if that is nothing, or cannot be changed in this thread."""
    handler = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    return handler if main and callable(handler) else None
