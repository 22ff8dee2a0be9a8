"""Progress on the terminal: bars where someone watches, nothing in a log file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reports.terminal import console

if TYPE_CHECKING:
    from toolkit.running.embedding import Progress


@contextmanager
def progress_bars(*, show: bool) -> Iterator[Progress]:
    """Give a callback that draws one bar per kind of work on standard error.

    Args:
        show: False to draw nothing; nothing is drawn either where standard error is no terminal.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    out = console(error=True)
    if not show or not out.is_terminal:
        yield lambda *_: None
        return
    columns = (
        TextColumn("{task.description:<20}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(*columns, TimeElapsedColumn(), console=out, transient=True) as bars:
        tasks: dict[str, int] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

        yield report
