"""Other processes that share the work: they end with this one, and errors come back as they are.

Each keeps to one thread: libraries of linear algebra would otherwise start as many as there are
cores in every process, and these would spend most of the time waiting for each other.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from toolkit.errors import ToolkitError

GRACE_S = 1.0
"""Seconds after Ctrl-C in which a process may remove what it has half-written."""

T = TypeVar("T")
Submit = Callable[..., None]
"""Takes a function of a module and its arguments; may wait, so that work does not pile up."""


@contextmanager
def workers(jobs: int, done: Callable[[], None] = lambda: None) -> Iterator[Submit]:
    """Give a function that has work done by some processes, or by this one where `jobs` is 1.

    Leaving the block waits for all work; the first error that occurred is raised.

    Args:
        jobs: processes at work.
        done: called here after each piece of work.

    Raises:
        ToolkitError: a process ended by itself.

    Example:
        >>> made = []
        >>> with workers(1) as submit:
        ...     submit(made.append, 3)
        >>> made
        [3]
    """
    if jobs == 1:

        def at_once(function: Callable[..., Any], *arguments: Any) -> None:
            function(*arguments)
            done()

        yield at_once
        return
    # Not forked: a fork of a process in which torch runs threads can hang.
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_get_ready)
    waiting: deque[Future[Any]] = deque()

    def wait() -> None:
        waiting.popleft().result()
        done()

    def submit(function: Callable[..., Any], *arguments: Any) -> None:
        with uninterrupted():
            waiting.append(pool.submit(interruptible, function, *arguments))
        while len(waiting) > 2 * jobs:
            wait()

    try:
        yield submit
        while waiting:
            wait()
    except BrokenProcessPool as error:
        raise ToolkitError(
            "A process that shared the work ended by itself; it may have run out of memory.",
            given=f"{jobs} processes",
            allowed="a script of your own works with several processes only if what it does stands "
            'below `if __name__ == "__main__":`',
            next_command="the same again with --jobs 1 (or jobs=1); it does only what is missing",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back; processes started in the block do not hear it before `end_on_interrupt`.

    A new process would otherwise tell at length which import it was interrupted in.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Let this process end with the one that started it, however that one ends."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def end_on_interrupt() -> None:
    """Let this process end silently on Ctrl-C, also on one that came since it was started."""
    if not _is_interruptible():
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        told, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell)
        threading.Thread(target=_wait_for_interrupt, args=(told,), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def interruptible(function: Callable[..., T], *arguments: Any) -> T:
    """Do work in a process that ends on Ctrl-C; what is half-written is removed before.

    Args:
        function: what is done.
        arguments: what it is called with.

    Returns:
        What the function returns.
    """
    if not _is_interruptible():
        return function(*arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return function(*arguments)
    except KeyboardInterrupt:
        os._exit(1)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _is_interruptible() -> bool:
    """False where a script put the command into the background: no process ends on Ctrl-C then."""
    return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def _wait_for_interrupt(told: int) -> None:
    """End where a library that compiles for seconds does not let an exception through."""
    os.read(told, 1)
    time.sleep(GRACE_S)
    os._exit(1)


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _get_ready() -> None:
    """Keep to one thread; end silently on Ctrl-C, and with the process that the user sees."""
    import numpy as np  # noqa: F401  libraries that are loaded later would not be limited
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    end_with_parent()
    end_on_interrupt()
