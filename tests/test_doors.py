"""What is said, and what is written, leaves through doors that take care of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("toolkit", "paradigms", "stimuli", "reports", "makers")
TO_THE_TERMINAL = {
    "reports.terminal": "the door itself",
    "toolkit.hidden": "comes before anything of the toolkit may be imported",
    "toolkit.cli": "flushes the streams at the end",
    "toolkit.cli.app": "has a stream whose reader is gone lead nowhere",
    "toolkit.processes.interrupts": "one fixed sentence, in a signal handler",
    "toolkit.processes.beside": "answers through a pipe",
    "toolkit.subjects.backbones.listing": "answers through a pipe",
    "toolkit.tables.manifests": "warns, which the command says as a note",
}
"""Modules that name a stream of the terminal, and why."""
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}
SPEAKERS = {"print", "pprint", "Console", "RichConsole"}
"""Functions and classes that write to the terminal, by any of their names."""
SPEAKING = {("typer", "echo"), ("typer", "secho"), ("click", "echo"), ("click", "secho"),
            ("rich", "print"), ("rich", "get_console"), ("os", "write"),
            ("warnings", "warn"), ("traceback", "print_exc")}  # fmt: skip
"""The same, by module and name."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def spoken(tree: ast.Module) -> list[str]:
    """Where a module writes to the terminal, or takes hold of one of its streams."""
    found = []
    for node in ast.walk(tree):
        what = None
        match node:
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in STREAMS:
                what = name
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (module, name) in SPEAKING:
                what = f"{module}.{name}"
            case ast.Call(func=ast.Name(id=name)) if name in SPEAKERS:
                what = name
            case ast.Call(func=ast.Attribute(attr=name)) if name in SPEAKERS - {"print"}:
                what = name
            case ast.ImportFrom(module="sys" | "typer" | "click" | "rich" as module):
                names = {alias.name for alias in node.names}
                taken = names & STREAMS | {n for n in names if (module, n) in SPEAKING}
                what = ", ".join(taken) or None
        if what:
            found.append(f"{what} in line {node.lineno}")  # type: ignore[attr-defined]
    return found


def test_everything_that_is_said_goes_through_one_door() -> None:
    found = {name: spoken(tree) for name, tree in modules()}
    assert {name for name, places in found.items() if places} == set(TO_THE_TERMINAL), found


@pytest.mark.parametrize(
    "line",
    [
        "print(1)", "typer.echo(1)", "click.secho(1)", "sys.stdout.write('')", "out = sys.stderr",
        "rich.print(1)", "from rich import print", "from sys import stderr", "Console()",
        "rich.console.Console(stderr=True)", "os.write(2, b'')", "sys.__stdout__.flush()",
        "warnings.warn('')", "from typer import echo",
    ],
)  # fmt: skip
def test_a_way_past_the_door_is_seen(line: str) -> None:
    assert len(spoken(ast.parse(f"def f():\n    {line}"))) == 1


@pytest.mark.parametrize(
    "line", ["console().print(1)", "out.print(made)", "say(1)", "redirect_stdout(x)"]
)
def test_the_door_itself_is_none(line: str) -> None:
    assert spoken(ast.parse(line)) == []


TEXT_METHODS = {"read_text": 1, "write_text": 2}
"""Methods of paths, and how many arguments they have with an encoding."""
NO_FILES = {"Image", "h5py", "tarfile", "zipfile", "wave"}
"""What opens no text."""


def without_encoding(tree: ast.Module) -> list[int]:
    """Lines in which text is read or written in whatever encoding is usual on a machine."""
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = {one.arg: one.value for one in node.keywords}
        match node.func:
            case ast.Attribute(value=ast.Name(id=owner), attr="open") if owner in NO_FILES:
                continue
            case ast.Attribute(attr="read_text" | "write_text" as name):
                text = len(node.args) < TEXT_METHODS[name]
            case ast.Attribute(attr="open"):
                text = _is_text([*node.args[:1], *filter(None, [given.get("mode")])])
            case ast.Name(id="open") | ast.Attribute(attr="fdopen"):
                text = _is_text([*node.args[1:2], *filter(None, [given.get("mode")])])
            case ast.Attribute(value=ast.Name(id="subprocess")):
                text = "text" in given
            case _:
                continue
        if text and "encoding" not in given:
            lines.append(node.lineno)
    return lines


def _is_text(mode: list[ast.expr]) -> bool:
    """Whether a file is opened as text, by the mode that is given or not."""
    return not mode or (isinstance(mode[0], ast.Constant) and "b" not in str(mode[0].value))


def test_every_file_of_text_names_its_encoding() -> None:
    found = {name: without_encoding(tree) for name, tree in modules()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "path.read_text()", "path.write_text(text)", "open('a')", "open('a', 'w')", "path.open()",
        "path.open('a')", "path.open(mode='w')", "os.fdopen(n, 'w')",
        "subprocess.run(['git'], text=True)",
    ],
)  # fmt: skip
def test_a_file_without_an_encoding_is_seen(line: str) -> None:
    assert without_encoding(ast.parse(line)) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "path.read_text('utf-8')", "path.write_text(text, encoding='utf-8')", "open('a', 'rb')",
        "path.open('wb')", "path.open(encoding='utf-8')", "subprocess.run(['git'])",
        "Image.open(path)",
    ],
)  # fmt: skip
def test_a_file_with_an_encoding_or_of_bytes_is_none(line: str) -> None:
    assert without_encoding(ast.parse(line)) == []


def unguarded_cells(tree: ast.Module) -> list[int]:
    """Lines in which CSV is written whose cells a spreadsheet may take for formulas."""
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="csv"), attr="writer" | "DictWriter"):
                lines.append(node.lineno)
            case ast.ImportFrom(module="csv", names=names):
                lines += [node.lineno for one in names if one.name.endswith("riter")]
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="guarded_table")))):
                pass
            case ast.Call(func=ast.Attribute(attr="to_csv" | "to_excel")):
                lines.append(node.lineno)
    return lines


def test_every_table_is_written_with_cells_that_stay_text() -> None:
    found = {name: unguarded_cells(tree) for name, tree in modules()}
    assert {name for name, lines in found.items() if lines} == {"stimuli.cells"}, found


@pytest.mark.parametrize(
    "line", ["csv.writer(file)", "csv.DictWriter(file, [])", "from csv import writer", "t.to_csv()"]
)
def test_cells_that_may_be_formulas_are_seen(line: str) -> None:
    assert unguarded_cells(ast.parse(line)) == [1]


def test_guarded_cells_are_none() -> None:
    assert unguarded_cells(ast.parse("guarded_table(made).to_csv(path)\nto_csv(rows)")) == []


PLACES = {"out", "output", "path", "file", "folder", "directory", "root", "run", "place"}
"""Variables that hold what users call their files."""


def unquoted_hints(tree: ast.Module) -> list[int]:
    """Lines that tell a command to type with a name that a shell may take apart."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            before = ""
            for part in node.values:
                if isinstance(part, ast.Constant):
                    before += str(part.value)
                elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
                    command = re.search(
                        r"(mevgs-toolkit|pytest|python|sox|iconv) [^:.;\n]*$", before
                    )
                    if command and part.value.id in PLACES and part.conversion == -1:
                        lines.append(node.lineno)
    return lines


def test_names_in_commands_to_type_are_quoted() -> None:
    found = {name: unquoted_hints(tree) for name, tree in modules()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_an_unquoted_name_is_seen() -> None:
    assert unquoted_hints(ast.parse('say(f"Look: mevgs-toolkit list --subjects {out}")')) == [1]
    assert unquoted_hints(ast.parse('say(f"Look: mevgs-toolkit list {quoted(out)}")')) == []
    assert unquoted_hints(ast.parse('say(f"Written to {out}.")')) == []
