"""Names that hold characters that are not seen are refused where they come in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from paradigms import PairCondition, PicturePairs, paradigm
from stimuli import StimulusSet, open_set
from stimuli.characters import HIDDEN
from stimuli.errors import ToolkitError
from stimuli.texts import read_toml, write_toml
from tests.commands import Cli
from tests.hostile import HARMLESS, HOSTILE, NAMES, SURROGATES, hidden
from toolkit.tables.values import tidied

ROOT = Path(__file__).parents[1]


def test_the_list_is_whole() -> None:
    ours = set(HOSTILE)
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        kind = unicodedata.category(sign)
        if kind in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(sign) in (
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        ):
            assert sign in ours
            assert HIDDEN.match(sign)
    assert not any(map(hidden, HARMLESS))


@pytest.mark.parametrize("name", [name for name in NAMES if "\0" not in name])
def test_what_is_typed_is_refused(name: str, cli: Cli) -> None:
    said = cli("describe", name)
    assert said.code == 2
    assert said.err.startswith("Error: What was typed, or the name of this folder, holds")
    assert not hidden(said.out + said.err)
    assert said.err.count("\n") == 3


@pytest.mark.parametrize("arguments", [["--gh\u202ey"], ["list", "\x1b[31m"], ["\x9b"], ["-\x07"]])
def test_commands_and_options_are_refused_as_well(arguments: list[str], cli: Cli) -> None:
    said = cli(*arguments)
    assert said.code == 2
    assert not hidden(said.out + said.err)


@pytest.mark.parametrize("name", HARMLESS)
def test_letters_and_emoji_are_shown_as_they_are(name: str, cli: Cli) -> None:
    assert f"'{name}'" in cli("describe", name).err.replace('"', "'").replace(
        repr(name), f"'{name}'"
    )


def test_a_folder_with_such_a_name_is_refused(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "do\x1bg").mkdir()
    monkeypatch.chdir(tmp_path / "do\x1bg")
    said = cli("list", "paradigms")
    assert said.code == 2
    assert r"do\x1bg" in said.err


@pytest.mark.parametrize("key", ["name", "version", "title", "licence"])
def test_names_of_a_set_are_one_line(key: str, tmp_path: Path, tiny_set: StimulusSet) -> None:
    folder = shutil.copytree(tiny_set.folder, tmp_path / "set")
    told = read_toml(folder / "set.toml") | {key: "two\nlines"}
    (folder / "set.toml").write_text(write_toml(told), encoding="utf-8")
    with pytest.raises(ToolkitError, match=rf"{key} .*\n.*\n.*one line"):
        open_set(folder)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_paradigms_conditions_and_columns_are_refused(name: str) -> None:
    class Own(PicturePairs):
        question, source = "Which?", "none"
        conditions = (PairCondition("test", "what", headline=True),)
        formula = "correct ~ 1 + (1 | seed)"

    with pytest.raises(ToolkitError, match="not seen"):
        paradigm(name, version=1)(Own)
    Own.conditions = (PairCondition(name, "what", headline=True),)
    with pytest.raises(ToolkitError, match="not seen"):
        paradigm("own", version=1)(Own)
    if any(half in name for half in SURROGATES):  # no table can hold it
        return
    with pytest.raises(ToolkitError, match=r"The column .* holds a character") as caught:
        tidied(pd.DataFrame({name: ["a"]}))
    assert not hidden(str(caught.value))


@pytest.mark.parametrize("folder", [b"do\x1bg", b"do\ng", b"do\xffg", b"do\xe2\x80\xaeg"])
def test_folders_that_are_found_are_shown(folder: bytes, cli: Cli, tmp_path: Path) -> None:
    for place in ("subjects", "paradigms"):
        (tmp_path / place).mkdir()
    population = os.fsencode(tmp_path / "subjects") + b"/" + folder
    os.mkdir(population)  # noqa: PTH102 - a name of bytes
    with open(population + b"/population.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("nonsense")
    own = os.fsencode(tmp_path / "paradigms") + b"/" + folder + b".py"
    with open(own, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("raise ValueError('do\\x1bg')")
    for kind in ("subjects", "paradigms"):
        said = cli("list", kind, f"--{kind}", tmp_path / kind)
        assert said.code == 0
        assert not hidden(said.out + said.err)
        assert len([line for line in said.err.splitlines() if not line.startswith("  ")]) == 1


TOOLKIT = [sys.executable, "-c", "from toolkit.cli import command; command()"]
ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("settings", [{}, {"PYTHONIOENCODING": "cp1252"}])
def test_letters_of_paths_are_whole(settings: dict[str, str], tmp_path: Path) -> None:
    settings = {**os.environ, "PYTHONPATH": str(ROOT)} | settings
    run = ["run-paradigm", "familiar", "--subject", "perfect", "--out", "B\u00fccher \u4e16"]
    done = subprocess.run(
        [*TOOLKIT, *run, "--format", "json"], capture_output=True, cwd=tmp_path, env=settings
    )
    told = json.loads(done.stdout.decode("utf-8"))
    page = tmp_path / told["report"]
    assert page.is_relative_to(tmp_path / "B\u00fccher \u4e16")
    manifest = json.loads((page.parent / "manifest.json").read_text("utf-8"))
    assert manifest["command"][-3] == "B\u00fccher \u4e16"


def test_a_locale_without_letters_is_told_of(tmp_path: Path) -> None:
    settings = {**os.environ, "PYTHONPATH": str(ROOT)} | ASCII_ONLY
    (tmp_path / "\u4e16").mkdir()
    typed = ["report", "B\u00fccher"]
    done = subprocess.run([*TOOLKIT, *typed], capture_output=True, cwd=tmp_path, env=settings)
    assert done.returncode == 2
    assert "In this locale, B\u00fccher is no text to Python." in done.stderr.decode("utf-8")
    assert b"try: export PYTHONUTF8=1" in done.stderr
    listed = [*TOOLKIT, "list", "stimuli"]
    done = subprocess.run(listed, capture_output=True, cwd=tmp_path / "\u4e16", env=settings)
    assert done.returncode == 0, done.stderr
