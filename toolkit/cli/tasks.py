"""What commands are for: the groups of the help text, and how it is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from toolkit.cli.usage import usage_told

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK = "Ask models"
ANALYSE = "Analyse answers"
REPORT = "Report"
PREPARE = "Prepare stimuli, features and paradigms"
TRAIN = "Train"
STUDY = "Whole studies, on one machine or a cluster"
CHILDREN = "Children"
LOOK_UP = "Look up"
TASKS = ASK, ANALYSE, REPORT, STUDY, CHILDREN, PREPARE, TRAIN, LOOK_UP
"""In the order in which they are printed; a command names its own as its ``rich_help_panel``."""


class ByTask(TyperGroup):
    """The commands of the application, printed group by group.

    Typer prints its panels with rich alone, which would double the time that ``--help`` takes. What
    is typed wrongly is told as all other faults are.
    """

    def make_context(self, *given: Any, **more: Any) -> Any:
        """What is typed before the command, understood."""
        with usage_told():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        """What is typed for the command, understood and done."""
        with usage_told():
            return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section per task."""
        width = max(map(len, self.commands))
        for task in TASKS:
            own = list(self._commands_of(task))
            if not own:
                continue
            with formatter.section(task):
                formatter.write_dl(
                    [
                        (name.ljust(width), one.get_short_help_str(formatter.width - width - 6))
                        for name, one in own
                    ]
                )

    def _commands_of(self, task: str) -> Iterator[tuple[str, Any]]:
        for name, one in self.commands.items():
            if getattr(one, "rich_help_panel", None) == task and not one.hidden:
                yield name, one
