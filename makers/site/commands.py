"""The page of all commands, from what their ``--help`` says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from makers.site.tables import code, escaped, table
from toolkit.cli.app import app
from toolkit.cli.tasks import TASKS

INTRODUCTION = """# Commands

What `--help` says of each. A command ends with exit code 0, or with one message and exit code 2;
130 says that it was interrupted. `mevgs-toolkit --install-completion` sets up the shell.
"""


def commands_page() -> str:
    """All commands by task, with their options."""
    group: Any = typer.main.get_command(app)
    with group.make_context("mevgs-toolkit", [], resilient_parsing=True) as whole:
        parts = [INTRODUCTION]
        for task in TASKS:
            known = {
                name: one
                for name, one in group.commands.items()
                if one.rich_help_panel == task and not one.hidden
            }
            rows = [
                (f"[{code(name)}](#{name})", escaped(one.get_short_help_str(200)))
                for name, one in known.items()
            ]
            parts.append(f"## {task}\n\n" + "\n".join(_linked(rows)))
            for name, one in known.items():
                context = one.make_context(name, [], parent=whole, resilient_parsing=True)
                parts.append(_command(name, one, context))
    return "\n\n".join(parts) + "\n"


def _linked(rows: list[tuple[str, str]]) -> Iterator[str]:
    yield "| command | what it does |"
    yield "| --- | --- |"
    yield from (f"| {name} | {what} |" for name, what in rows)


def _command(name: str, command: Any, context: Any) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    records = [part.get_help_record(context) for part in command.params]
    rows = [(code(names), text) for names, text in filter(None, records)]
    parts = [f"### {name} {{ #{name} }}", *_prose(command.help), f"```text\n{usage}\n```"]
    if rows:
        parts.append(table(("argument or option", "meaning"), rows))
    return "\n\n".join(parts)


def _prose(text: str) -> Iterator[str]:
    """Paragraphs of a help text; its examples become code."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in paragraph.splitlines() if line.strip() != "\b"]
        first = lines[0].strip()
        if first in ("Examples:", "Example:"):
            examples = "\n".join(line.removeprefix("  ") for line in lines[1:])
            yield f"```bash\n{examples}\n```"
        elif first.startswith("Example: "):
            yield f"```bash\n{first.removeprefix('Example: ')}\n```"
        elif len(lines) < len(paragraph.splitlines()):
            yield "```text\n" + "\n".join(lines) + "\n```"
        else:
            yield escaped(" ".join(map(str.strip, lines)))
