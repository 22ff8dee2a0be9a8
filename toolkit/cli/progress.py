"""Progress on the terminal: bars and the time left where someone watches, nothing in a log file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from reports.terminal import console

if TYPE_CHECKING:
    from rich.progress import TaskID

    from toolkit.running.embedding import Progress


class Told(Protocol):
    """What bars are told: a kind of work, how much of it is done, and how much there is."""

    def __call__(
        self, what: str, done: int, total: int, note: str = "", *, stays: bool = True
    ) -> None:
        """Draw it.

        Args:
            what: names the bar.
            done: pieces.
            total: pieces.
            note: stands behind the bar.
            stays: False to take the bar away once all is done.
        """
        ...


@contextmanager
def progress_bars(*, show: bool) -> Iterator[Progress]:
    """Give a callback that draws one bar per kind of work on standard error.

    Args:
        show: False to draw nothing; nothing is drawn either where standard error is no terminal.
    """
    if not show or not console(error=True).is_terminal:
        yield lambda *_: None
        return
    with bars() as told:
        yield told


@contextmanager
def bars() -> Iterator[Told]:
    """Give a callback that draws one bar per kind of work, with the time it took and has left."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console(error=True), transient=True) as drawn:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int, note: str = "", *, stays: bool = True) -> None:
            if what not in tasks:
                tasks[what] = drawn.add_task(what, total=total, note="")
            drawn.update(tasks[what], completed=done, total=total, note=note)
            if done >= total and not stays:
                drawn.remove_task(tasks.pop(what))

        yield told


@contextmanager
def working(what: str, *, show: bool) -> Iterator[None]:
    """Say what is being done as long as it lasts, where its end cannot be foreseen.

    Args:
        what: is being done.
        show: False to say nothing; nothing is said either where standard error is no terminal.
    """
    out = console(error=True)
    if not show or not out.is_terminal:
        yield
        return
    with out.status(f"{what} ..."):
        yield
