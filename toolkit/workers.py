"""Other processes that share the work: they end with this one, and errors come back as they are.

Each keeps to one thread: libraries of linear algebra would otherwise start as many as there are
cores in every process, and these would spend most of the time waiting for each other.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

from toolkit.errors import ToolkitError

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
        waiting.append(pool.submit(function, *arguments))
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


def end_with_parent() -> None:
    """Let this process end with the one that started it, however that one ends."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


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
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()
