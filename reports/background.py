"""A report written by a process of its own, which gets ready while networks are still at work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reports.page import Material, Options, gather, get_ready, write_report
from toolkit.processes.workers import Begin, ProcessEndedError, processes


class Writer:
    """Writes the report of a run in another process, or in this one where no other can be had."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def read(self, folder: Path, options: Options) -> None:
        """Begin to read a run whose statistics are still at work.

        Args:
            folder: run folder with all its trials and its summary.
            options: choices of the user.
        """
        self._begin(_read, folder, options)

    def write(self, folder: Path, out: Path, options: Options) -> Path:
        """Write the report of a run and wait for it.

        Args:
            folder: run folder.
            out: HTML file to write.
            options: choices of the user.

        Raises:
            ToolkitError: as `reports.page.write_report`.
        """
        try:
            written: Path = self._begin(_write, folder, out, options).result()
        except ProcessEndedError:
            return write_report([folder], out, options)
        return written


@contextmanager
def background_writer() -> Iterator[Writer]:
    """A writer that loads what it needs from now on, on another core."""
    with processes(1) as begin:
        begin(_get_ready)
        yield Writer(begin)


_gathered: dict[tuple[Path, Options], Material] = {}
"""What the process has read of a run that it will be asked to write about."""


def _read(folder: Path, options: Options) -> None:
    _gathered[folder, options] = gather([folder], options)


def _write(folder: Path, out: Path, options: Options) -> Path:
    return write_report([folder], out, options, _gathered.pop((folder, options), None))


def _get_ready() -> None:
    if hasattr(os, "nice"):
        # Networks at work come first; when the report is to be written, nobody else works.
        os.nice(10)
    get_ready()
