"""Further processes for work that other work need not wait for.

The engine holds Python's lock while it fits, so threads gain nothing. The process is a fresh
interpreter: neither a fork, which would break a loaded torch, nor one that imports the caller's
script again, as those of `toolkit.processes.workers` do, which a script without a main guard does
not survive. A script begins this one unasked, with `run.analyse()`, and asks for others (`jobs`).
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

from toolkit.processes.threads import n_cores

T = TypeVar("T")


@contextmanager
def beside(worth_it: bool, function: Callable[..., T], *args: Any) -> Iterator[Callable[[], T]]:
    """Begin a call in a second process and go on; without one, call when the result is asked for.

    Args:
        worth_it: False to call here: a process takes about a second to start.
        function: of a module, so that the process can import it; must be pure, since it is called
            here if the process cannot be started or fails.
        args: what it is called with; pickled.

    Yields:
        A function that gives the result, waiting for it if need be; to be called once. On
        leaving, a process that still runs is ended.

    Example:
        >>> with beside(False, max, 2, 3) as larger:
        ...     larger()
        3
    """
    process = _begin(function, args) if worth_it and n_cores() > 1 else None
    if process is None:
        yield lambda: function(*args)
        return

    def result() -> T:
        answer = process.stdout.read() if process.stdout else b""
        if process.wait() == 0:
            found: T = pickle.loads(answer)  # nosec B301 # from a child of this process
            return found
        return function(*args)

    with process:
        try:
            yield result
        finally:
            process.kill()


@contextmanager
def spread(
    n_processes: int, function: Callable[..., T], calls: Sequence[tuple[Any, ...]]
) -> Iterator[Callable[[], list[T]]]:
    """Begin several calls of a function in so many other processes and go on; see `beside`.

    Args:
        n_processes: how many would pay: each takes about a second to start. There are never more
            than cores, and with none of them all calls are made here.
        function: as in `beside`.
        calls: what it is called with, call by call.

    Yields:
        A function that gives the results in the order of the calls.

    Example:
        >>> with spread(0, max, [(2, 3), (5, 4)]) as larger:
        ...     larger()
        [3, 5]
    """
    n = max(1, min(n_processes, n_cores(), len(calls)))
    with ExitStack() as stack:
        # Every nth call, so that what is alike, and takes as long, is dealt evenly.
        shares = [
            stack.enter_context(beside(n_processes > 0, _all, function, calls[k::n]))
            for k in range(n)
        ]

        def results() -> list[T]:
            made = [iter(share()) for share in shares]
            return [next(made[k % n]) for k in range(len(calls))]

        yield results


def _all(function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> list[T]:
    return [function(*call) for call in calls]


def _begin(
    function: Callable[..., object], args: tuple[Any, ...]
) -> subprocess.Popen[bytes] | None:
    work = pickle.dumps((function, args))
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],  # -P: nothing from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    except OSError:
        return None
    # A process that failed already is found out when the result is asked for.
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(work)
    return process


def _serve() -> None:
    """Answer one call: read from standard input, written to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends this process
    work = sys.stdin.buffer.read()  # whole, before the slow imports, so that the caller can go on
    function, args = pickle.loads(work)  # nosec B301 # from the process that started this one
    sys.stdout.buffer.write(pickle.dumps(function(*args)))


if __name__ == "__main__":
    _serve()
