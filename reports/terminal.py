"""The one door to the terminal: all that is said goes through here, hidden characters escaped.

Names and texts of files and arguments stand in much of what is said, and none may command the
terminal, not even in a warning of a library. `console`, `say` and `say_json` escape what they are
given; `guard_streams` has the streams of a command escape what anybody else writes to them.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from stimuli.characters import json_shown, shown

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.segment import Segment
    from rich.table import Table

PLAIN_WIDTH = 120
"""Characters per line where the output is no terminal and has no width of its own."""
_LAYOUT = "\n\t"
"""What texts are laid out with."""


def say(text: str = "", *, error: bool = False, end: str = "\n") -> None:
    r"""Write a line to standard output, at once.

    Args:
        text: any text, without marks for colours.
        error: to standard error instead.
        end: what follows it.

    Example:
        >>> say("Written to my\x1b[31mruns")
        Written to my\x1b[31mruns
    """
    stream = sys.stderr if error else sys.stdout
    stream.write(shown(text, keep=_LAYOUT) + end)
    stream.flush()


def ask(question: str, otherwise: str) -> str:
    """What someone at the terminal answers; where nobody sits there, nobody is asked.

    Args:
        question: is put on standard error.
        otherwise: answer that is offered, and taken where nothing is typed.

    Example:
        >>> ask("Licence of the files", "unknown")
        'unknown'
    """
    import typer

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return otherwise
    return str(typer.prompt(shown(question), default=otherwise, err=True))


def say_json(value: Any) -> None:
    r"""Write a value to standard output as JSON, which is read back as the same.

    Args:
        value: what JSON knows.

    Example:
        >>> say_json({"name": "\u202ecat"})
        {
          "name": "\u202ecat"
        }
    """
    say(json_shown(json.dumps(value, indent=2, ensure_ascii=False)))


def console(*, error: bool = False) -> Console:
    """A console on standard output: coloured on a terminal, plain text elsewhere.

    Args:
        error: on standard error instead.
    """
    from rich.console import Console as RichConsole
    from rich.segment import Segment

    class Console(RichConsole):
        """Shows hidden characters of texts escaped; its own signs for colours are no texts."""

        def render_str(self, text: str, **options: Any) -> Any:
            return super().render_str(shown(text, keep=_LAYOUT), **options)

        def render(self, renderable: RenderableType, options: Any = None) -> Iterable[Segment]:
            # What is no string comes here alone: texts that others made, such as those of bars.
            for one in super().render(renderable, options):
                yield one if one.control else Segment(shown(one.text, keep=_LAYOUT), one.style)

    stream: Any = sys.stderr if error else sys.stdout
    file = stream.stream if isinstance(stream, _Guarded) else stream
    terminal = Console(highlight=False, file=file)
    if terminal.is_terminal:
        return terminal
    return Console(highlight=False, file=file, width=PLAIN_WIDTH)


def table(*headers: str, numbers: Sequence[str] = ()) -> Table:
    """An empty table; columns named in ``numbers`` are aligned to the right.

    A name that is too long for its column goes on in the next line: cut, it could be another's.
    """
    from rich import box
    from rich.table import Table as RichTable

    class Table(RichTable):
        """Each text is one line."""

        def add_row(self, *cells: Any, **options: Any) -> None:
            lines = (shown(cell) if isinstance(cell, str) else cell for cell in cells)
            super().add_row(*lines, **options)

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        made.add_column(
            shown(header), justify="right" if header in numbers else "left", overflow="fold"
        )
    return made


def guard_streams() -> None:
    r"""Have standard output and standard error write UTF-8, hidden characters escaped.

    For the rest of this process, so that warnings and tracebacks are escaped as well. A pipe or
    file on Windows has an encoding of its own, which lacks most letters and lines.

    Example:
        >>> guard_streams()
        >>> _ = sys.stdout.write("do\x1bg\n")
        do\x1bg
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        if stream is not None and not isinstance(stream, _Guarded):
            setattr(sys, name, _Guarded(stream))


class _Guarded:
    """A stream that escapes hidden characters of what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(shown(text, keep=_LAYOUT))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
