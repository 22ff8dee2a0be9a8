"""What was typed wrongly, told as every fault is: what was given, what is allowed, what to type."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from toolkit.errors import ToolkitError, nearest_name

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""Typer's error for whatever is typed wrongly; in its earlier versions it was click's."""
NUMBERS = {
    "int_parsing": "a whole number",
    "float_parsing": "a number, with a point: 1.3",
    "greater_than_equal": "{ge:,} or more",
    "greater_than": "more than {gt:,}",
    "less_than_equal": "{le:,} at most",
    "less_than": "less than {lt:,}",
}
"""What is allowed in the place of a number, by pydantic's name of the fault."""


@contextmanager
def usage_told() -> Iterator[None]:
    """Turn typer's errors into the one error that a user is meant to see.

    Raises:
        ToolkitError: in their place. A command that shows its help if nothing is typed still does.
    """
    try:
        yield
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        raise _told(error, sys.argv[1:]) from error


def _told(error: Any, typed: list[str]) -> ToolkitError:
    """The error in our terms; typer tells its parts in its sentence alone."""
    said = error.format_message().strip()
    context = error.ctx
    command = context.command_path if context else "mevgs-toolkit"
    if found := re.match(r"No such command '(.*?)'", said):
        return _unknown("There is no command {}.", found[1], [*context.command.commands], command)
    options = _options(context)
    is_missing = re.match(r"Missing (option|argument) ", said)
    strange = [word for word in typed if re.match(r"--\w", word)] if is_missing else []
    strange = [name for word in strange if (name := word.partition("=")[0]) not in options]
    if found := re.match(r"No such option: (\S+)", said):
        strange = [found[1]]
    if strange:
        return _unknown(f"{command} has no option {{}}.", strange[0], options, command)
    example = _example(context) or f"{command} --help"
    if is_missing:
        own = error.param
        told = getattr(own, "help", None)
        return ToolkitError(f"{command} needs {_called(own)}.", allowed=told, next_command=example)
    faults: list[Any] = getattr(error.__cause__, "errors", list)()
    if faults:
        return _not_taken(error, command, faults[0], example)
    return ToolkitError(f"{said.rstrip('.')}.", next_command=example)


def _unknown(message: str, given: str, known: list[str], command: str) -> ToolkitError:
    core = given.strip("-")
    holds = [one for one in known if core and (core in one or one.strip("-") in core)]
    return ToolkitError(
        message.format(repr(given)),
        given=given,
        nearest=nearest_name(given, known) or next(iter(holds), None),
        allowed=", ".join(known),
        next_command=f"{command} --help",
    )


def _not_taken(error: Any, command: str, fault: Any, example: str) -> ToolkitError:
    """A value that is no number, too large, or none of those that there are."""
    given = str(fault["input"])
    choices = re.search(r"is not one of (.*?)\.?$", error.format_message())
    names = re.findall(r"'([^']*)'", choices[1]) if choices else []
    number = NUMBERS.get(fault["type"], "").format(**fault.get("ctx", {}))
    return ToolkitError(
        f"{command} cannot take {given!r} for {_called(error.param)}.",
        given=given,
        nearest=nearest_name(given, names),
        allowed=", ".join(names) or number or fault["msg"],
        next_command=example,
    )


def _called(parameter: Any) -> str:
    """An option by its longest name, an argument in capitals."""
    is_option = parameter.opts[0].startswith("-")
    return str(max(parameter.opts, key=len) if is_option else parameter.name.upper())


def _options(context: Any) -> list[str]:
    """All long options of a command."""
    parameters = context.command.params if context else []
    names = [name for one in parameters for name in (*one.opts, *one.secondary_opts)]
    return [*(name for name in names if name.startswith("--")), "--help"]


def _example(context: Any) -> str:
    """The first example that the help of a command shows."""
    text = (context.command.help or "") if context else ""
    shown = re.search(r"^(?:\s*|\s*Example: )(mevgs-toolkit .*)$", text, re.MULTILINE)
    return shown[1].strip() if shown else ""
