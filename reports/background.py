"""A report written by a process of its own, which gets ready while networks are still at work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path

from reports.page import Material, Options, gather, get_ready, write_report
from toolkit.workers import (
    end_on_interrupt,
    end_with_parent,
    interruptible,
    uninterrupted,
)


class Writer:
    """Writes the report of a run in another process, or in this one where no other can be had."""

    def __init__(self, pool: ProcessPoolExecutor | None) -> None:
        self._pool = pool

    def read(self, folder: Path, options: Options) -> None:
        """Begin to read a run whose statistics are still at work.

        Args:
            folder: run folder with all its trials and its summary.
            options: choices of the user.
        """
        if self._pool is not None:
            with suppress(BrokenProcessPool):
                self._pool.submit(_read, folder, options)

    def write(self, folder: Path, out: Path, options: Options) -> Path:
        """Write the report of a run and wait for it.

        Args:
            folder: run folder.
            out: HTML file to write.
            options: choices of the user.

        Raises:
            ToolkitError: as `reports.page.write_report`.
        """
        if self._pool is not None:
            try:
                waiting: Future[Path] = self._pool.submit(
                    interruptible, _write, folder, out, options
                )
                return waiting.result()
            except BrokenProcessPool:
                pass
        return write_report([folder], out, options)


@contextmanager
def background_writer() -> Iterator[Writer]:
    """A writer that loads what it needs from now on, on another core."""
    try:
        # Not forked: a fork of a process in which torch runs threads can hang.
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        with uninterrupted():
            pool.submit(_get_ready)
    except OSError:
        yield Writer(None)
        return
    try:
        yield Writer(pool)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_gathered: dict[tuple[Path, Options], Material] = {}
"""What the process has read of a run that it will be asked to write about."""


def _read(folder: Path, options: Options) -> None:
    _gathered[folder, options] = gather([folder], options)


def _write(folder: Path, out: Path, options: Options) -> Path:
    return write_report([folder], out, options, _gathered.pop((folder, options), None))


def _get_ready() -> None:
    import os

    if hasattr(os, "nice"):
        # Networks at work come first; when the report is to be written, nobody else works.
        os.nice(10)
    end_with_parent()
    end_on_interrupt()
    get_ready()
