"""Names that hold characters that are not seen are escaped wherever they go."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reports.drawing import files, svg
from reports.notebook import run_html
from reports.page import Options, write_report
from reports.power import power_svg
from reports.publication import TableFormat, render
from reports.terminal import console, say, say_json, table
from stimuli.cells import unguarded
from stimuli.errors import ToolkitError, command_line, quoted
from stimuli.texts import parse_json, read_toml, write_toml
from tests.commands import Cli
from tests.hostile import HARMLESS, HOSTILE, NAMES, SEQUENCES, SURROGATES, hidden
from tests.stored import write_stored
from toolkit import records
from toolkit.statistics.choices.publication import Cell, Heading, PublicationTable, Row
from toolkit.statistics.saved import STATISTICS_FILE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_messages_show_them_on_their_own_line(name: str) -> None:
    error = ToolkitError(f"{name} has faults:\n  - {name}", given=name, next_command=quoted(name))
    text = str(error)
    assert not hidden(text)
    if name != "do\ng":  # an indented line may follow, which is how lists of faults are laid out
        assert len(text.splitlines()) == 4


@pytest.mark.parametrize("name", [*NAMES, *HARMLESS])
def test_json_on_the_terminal_reads_back(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_json({name: [name, -1]})
    out = capsys.readouterr().out
    assert not hidden(out)
    assert json.loads(out) == {name: [name, -1]}


@pytest.mark.parametrize("name", NAMES)
def test_lines_and_tables_on_the_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.text import Text

    say(f"Written to {name}")
    say(name, error=True)
    made = table("word", name)
    made.add_row(name, name)
    console().print(made)
    console().print(Text(f"A {name}"))
    console(error=True).print(f"A {name}")
    said = capsys.readouterr()
    assert not hidden(said.out + said.err)


ELSE = """
import sys, warnings, logging
from reports.terminal import guard_streams
from rich.console import Console
guard_streams()
name = NAME
warnings.warn(name)
logging.warning(name)
sys.stdout.writelines([name])
print(name)
raise ValueError(name)
"""


@pytest.mark.parametrize("settings", [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C"}, {}])
def test_warnings_logs_and_tracebacks_of_a_command_are_escaped(settings: dict[str, str]) -> None:
    for name in ("do\x1b[31mg \u4e16", "do\udcffg\u202e", "do\x9b\u2028g"):
        done = subprocess.run(
            [sys.executable, "-c", ELSE.replace("NAME", ascii(name))],
            capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)} | settings,
        )  # fmt: skip
        assert done.returncode == 1
        assert b"ValueError: do" in done.stderr
        assert not hidden((done.stdout + done.stderr).decode("utf-8"))


@pytest.mark.parametrize("name", [name for name in [*NAMES, *HARMLESS] if "\0" not in name])
@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_a_shell_reads_a_hint_as_the_name_that_was_meant(name: str) -> None:
    if any("\ud800" <= sign <= "\udc7f" or sign >= "\udd00" for sign in name if sign < "\ue000"):
        pytest.skip("names no file")
    typed = command_line(["printf", "%s", name])
    assert not hidden(typed)
    said = subprocess.run(["bash", "-c", typed], capture_output=True, check=True).stdout
    assert said == os.fsencode(name)


def publication(name: str) -> PublicationTable:
    """A table in which everything bears a name."""
    cell = Cell(5, 100, 0, 0.6, 0.01, 0.55, 0.65, 0.5)
    heading = Heading(name, 1, name, name, name, (0.5, 0.5))
    return PublicationTable((heading,), (Row(name, name, (name,), (cell,)),), 0.95, (name,))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", [form for form in TableFormat if form != TableFormat.CSV])
def test_tables_of_papers(form: TableFormat, name: str) -> None:
    made = render(publication(name), form)
    assert not hidden(made)
    assert "\t" not in made
    made.encode()


@pytest.mark.parametrize(
    "name", ["=cmd()", "+1", "@x", "-a b", "'=x", "\t=1", "-", "+\u0663", "\r="]
)
def test_cells_of_tables_stay_text_and_read_back(name: str) -> None:
    rows = list(csv.reader(io.StringIO(render(publication(name), TableFormat.CSV), newline="")))
    cells = [cell for cell in rows[1] if name in cell]
    assert len(cells) >= 4
    assert all(cell.startswith("'") for cell in cells)
    assert {unguarded(cell) for cell in cells} == {name}


@pytest.mark.parametrize("name", [*NAMES, *HARMLESS])
def test_json_and_toml_files_read_back(name: str, tmp_path: Path) -> None:
    text = records.write({name: name})
    assert not hidden(text)
    assert json.loads(text.encode()) == {name: name}
    if name in HARMLESS:
        (tmp_path / "a.toml").write_text(write_toml({"a": name}), encoding="utf-8")
        assert read_toml(tmp_path / "a.toml") == {"a": name}


@pytest.mark.parametrize("name", [*HOSTILE, *SEQUENCES])
def test_figures(name: str) -> None:
    from xml.etree import ElementTree

    spec = {
        "data": {"values": [{name: name}]}, "mark": "text", "title": name,
        "encoding": {"text": {"value": name}},
    }  # fmt: skip
    text, picture = files(spec)
    ElementTree.fromstring(text)
    assert not hidden(text + svg(spec, "figure"))
    assert picture


@pytest.mark.parametrize("name", NAMES)
def test_curves_and_notebooks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from xml.etree import ElementTree

    point = SimpleNamespace(n_seeds=5, power=0.5, ci_low=0.4, ci_high=0.6, analytic=0.5)
    plan: Any = SimpleNamespace(
        points=[point], answer=point, target=0.8, n_seeds=5, alpha=0.05, scale="points",
        test_meaning=f"<{name}>",
    )  # fmt: skip
    drawn = power_svg([plan])
    assert not hidden(drawn)
    ElementTree.fromstring(drawn)
    summary: Any = SimpleNamespace(
        warnings=[name], paradigm=name, paradigm_version=1, question=name,
        results=[{"condition": name, "accuracy": 0.5}],
    )  # fmt: skip
    assert not hidden(run_html(summary, name))


EVERYTHING = "".join(sorted({*HOSTILE} - {*SURROGATES})) + "<script>" + "".join(SEQUENCES)


@pytest.mark.parametrize("half", SURROGATES)
def test_halves_of_characters_in_json_are_refused(half: str) -> None:
    source = records.Source("a.json", "once more")
    with pytest.raises(ToolkitError, match=r"a\.json cannot be read: it is no JSON"):
        parse_json(json.dumps({"a": [half]}), source)
    emoji = "\U0001f469\u200d\U0001f52c"
    assert parse_json(json.dumps(emoji), source) == emoji


def everywhere(value: Any, change: Callable[[str], str]) -> Any:
    """JSON with every sentence changed; words that stand for something stay."""
    if isinstance(value, str):
        return change(value) if " " in value else value
    if isinstance(value, list):
        return [everywhere(one, change) for one in value]
    if isinstance(value, dict):
        return {key: everywhere(one, change) for key, one in value.items()}
    return value


def test_a_page_of_files_that_were_tampered_with(
    runs: dict[str, Path], tmp_path: Path, cli: Cli
) -> None:
    run = shutil.copytree(runs["me"], tmp_path / "run")
    for name in (STATISTICS_FILE, "summary.json", "manifest.json"):
        told = json.loads((run / name).read_text(encoding="utf-8"))
        # No file of JSON with a zero in it is read.
        changed = everywhere(told, lambda text: text + EVERYTHING.replace("\0", ""))
        write_stored(run / name, json.dumps(changed))
    figures = tmp_path / "figures"
    page = write_report([run], tmp_path / "page.html", Options(title=EVERYTHING, figures=figures))
    text = page.read_text(encoding="utf-8")
    assert not hidden(text)
    assert r"\x1b[31m" in unescape(text)
    for file in figures.iterdir():
        if file.suffix != ".png":
            assert not hidden(file.read_text(encoding="utf-8")), file
    for arguments in (["report", run, "-o", "b.html"], ["table", run], ["analyze", run]):
        said = cli(*arguments)
        assert not hidden(said.out + said.err), arguments
