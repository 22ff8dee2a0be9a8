"""Other processes that share the work: they end with this one, and errors come back as they are.

Each is led by a thread of this process, which hands it one piece of work after the other and is
told of every file before the process begins to write it. Only this process hears Ctrl-C. Whatever
ends the others (Ctrl-C, an error elsewhere, the system for want of memory), this one waits until
they have ended, and then removes what they had half-written.

Each keeps to one thread: libraries of linear algebra would otherwise start as many as there are
cores in every process, and these would spend most of the time waiting for each other.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from stimuli.files import tell_unfinished
from toolkit.errors import ToolkitError
from toolkit.processes.interrupts import clearing_up_undisturbed
from toolkit.processes.threads import one_thread

Begin = Callable[..., Future[Any]]
"""Takes a function of a module and its arguments; what it returns or raises is in the future."""
Submit = Callable[..., None]
"""Takes a function of a module and its arguments; may wait, so that work does not pile up."""
Mapped = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Takes a function of a module and what to call it with; gives the results in the same order."""
_Kind = Literal["begins to write", "tells", "is done", "failed"]
"""What a process says to the one that leads it."""


class ProcessEndedError(ToolkitError):
    """A process that shares the work could not be started, or is there no more."""


@contextmanager
def processes(jobs: int, hear: Callable[[Any], None] = lambda told: None) -> Iterator[Begin]:
    """Give a function that begins work in one of some processes, started as they are needed.

    When the block is left, in whatever way, the processes are ended, with the work they are at,
    and nothing of it is left half-written.

    Args:
        jobs: processes at work.
        hear: called with what work tells (`tell`), in a thread; must not raise.

    Raises:
        ProcessEndedError: out of the futures of all work that is not done, when a process has
            ended by itself.

    Example:
        >>> with processes(2) as begin:
        ...     larger = begin(max, 2, 3)
        ...     larger.result()
        3
    """
    crew = _Crew(jobs, hear)
    with clearing_up_undisturbed() as hold_back:
        try:
            yield crew.begin
        finally:
            try:
                hold_back()
            finally:
                crew.end()


def tell(content: Any) -> None:
    """In work that `processes` began: tell the process that began it.

    Args:
        content: what is told; pickled.
    """
    if _leader is not None:
        _leader.hear("tells", content)


@contextmanager
def workers(jobs: int, done: Callable[[], None] = lambda: None) -> Iterator[Submit]:
    """Give a function that has work done by some processes, or by this one where `jobs` is 1.

    Leaving the block waits for all work; the first error that occurred is raised.

    Args:
        jobs: processes at work.
        done: called here after each piece of work.

    Raises:
        ProcessEndedError: a process ended by itself.

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
    waiting: deque[Future[Any]] = deque()

    def wait() -> None:
        waiting.popleft().result()
        done()

    with processes(jobs) as begin:

        def submit(function: Callable[..., Any], *arguments: Any) -> None:
            waiting.append(begin(function, *arguments))
            while len(waiting) > 2 * jobs:
                wait()

        yield submit
        while waiting:
            wait()


@contextmanager
def mapping(jobs: int, at_once: int = 1) -> Iterator[Mapped]:
    """Give a `map` over some processes, or over this one where `jobs` is 1.

    Args:
        jobs: processes at work.
        at_once: calls that are handed on together.

    Raises:
        ProcessEndedError: while results are taken, if a process ended by itself.

    Example:
        >>> with mapping(1) as mapped:
        ...     list(mapped(abs, [-2, 3]))
        [2, 3]
    """
    if jobs == 1:
        yield map
        return
    with processes(jobs) as begin:

        def mapped(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            given = list(items)
            parts = [given[start : start + at_once] for start in range(0, len(given), at_once)]
            for results in [begin(_each, function, part) for part in parts]:
                yield from results.result()

        yield mapped


def _each(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return [function(item) for item in items]


class _Crew:
    """Processes that share the work, and the threads that lead them."""

    def __init__(self, jobs: int, hear: Callable[[Any], None]) -> None:
        self._jobs, self._hear = jobs, hear
        self._threads = ThreadPoolExecutor(jobs)
        self._own = threading.local()
        self._started: list[_Process] = []
        self._over = False
        self._lock = threading.Lock()

    def begin(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a thread hand on work, as it is now, when its process has nothing else to do."""
        return self._threads.submit(self._lead, pickle.dumps((function, arguments)))

    def end(self) -> None:
        """End all processes, and then remove what they had half-written."""
        self._kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._started:
            process.clear_up()

    def _lead(self, work: bytes) -> Any:
        try:
            kind, content = self._process().do(work, self._hear)
        except (EOFError, OSError) as error:
            self._kill()  # others that wait for their work should not do so for long
            raise ProcessEndedError(
                "A process that shared the work ended by itself; it may have run out of memory.",
                given=f"{self._jobs} processes",
                allowed="a script of your own works with several processes only if what it does "
                'stands below `if __name__ == "__main__":`',
                next_command="the same again with --jobs 1 (or jobs=1); what is stored is not "
                "computed again",
            ) from error
        if kind == "failed":
            raise content
        return content

    def _process(self) -> _Process:
        """The process that this thread leads."""
        with self._lock:
            if self._over:
                raise EOFError
            if not hasattr(self._own, "process"):
                _leave_interrupts_to_others()
                self._own.process = _Process()
                self._started.append(self._own.process)
        process: _Process = self._own.process
        return process

    def _kill(self) -> None:
        with self._lock:
            self._over = True
            for process in self._started:
                process.kill()


class _Process:
    """A process that shares the work, seen from the one that leads it."""

    def __init__(self) -> None:
        # Not forked: a fork of a process in which torch runs threads can hang.
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        # The only other end is in that process now: when it ends, nothing can be read any more.
        theirs.close()
        self._begun: set[Path] = set()
        self.kill = self._process.kill

    def do(self, work: bytes, hear: Callable[[Any], None]) -> tuple[_Kind, Any]:
        """Have work done and wait for it.

        Raises:
            EOFError, OSError: the process has ended.
        """
        self._pipe.send_bytes(work)
        while True:
            told = self._pipe.recv_bytes()
            kind, content = pickle.loads(told)  # nosec B301 # from a child of this process
            if kind == "begins to write":
                self._begun.add(content)
            elif kind == "tells":
                hear(content)
            else:
                self._begun.clear()
                return kind, content

    def clear_up(self) -> None:
        """Wait until the process has ended, and remove what it was writing then."""
        self._process.join()
        self._pipe.close()
        for path in self._begun:
            with suppress(OSError):
                path.unlink(missing_ok=True)


class _Leader:
    """The process that leads this one, seen from here."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def hear(self, kind: _Kind, content: Any) -> None:
        """Let it hear something; it can do so even if this process is killed right afterwards."""
        said = pickle.dumps((kind, content))
        with self._lock:
            self._pipe.send_bytes(said)


_leader: _Leader | None = None
"""In a process that shares the work."""


def _serve(pipe: Connection) -> None:
    """Do what comes through the pipe, until this process is ended."""
    global _leader
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    leader = _leader = _Leader(pipe)
    tell_unfinished(lambda path: leader.hear("begins to write", path.absolute()))
    with one_thread(), suppress(EOFError, OSError):  # the leader has ended
        while True:
            work = pipe.recv_bytes()
            try:
                function, arguments = pickle.loads(work)  # nosec B301 # from the parent process
                leader.hear("is done", function(*arguments))
            except BaseException as error:
                leader.hear("failed", _portable(error))


def _portable(error: BaseException) -> BaseException:
    """An error as it can be told to another process, with the way to where it arose."""
    way = traceback.format_exc()
    try:
        error.add_note(way)
        pickle.loads(pickle.dumps(error))  # nosec B301 # what was written here, one line before
    except Exception:
        return RuntimeError(way)
    return error


def _leave_interrupts_to_others() -> None:
    """Keep Ctrl-C from this thread, and so from the processes it starts.

    A process that is just starting would tell at length which import it was interrupted in.
    """
    if not hasattr(signal, "pthread_sigmask"):
        return
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # Python starts it before the first process, and lets Ctrl-C through then
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _end_with_parent() -> None:
    """End this process with the one that started it, however that one ends."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
