"""The papers of the project agree with each other and with the code."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import typer

from toolkit.cli.app import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def readme_commands() -> list[str]:
    """The indented shell commands of the README's first two sections."""
    return re.findall(r"^    (python3 -m venv .*)$", README, flags=re.MULTILINE)


def test_ci_runs_the_two_commands_of_the_readme_as_printed() -> None:
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = readme_commands()
    assert len(commands) == 2
    for command in commands:
        assert command in ci


def test_every_command_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"mevgs-toolkit ([a-z][a-z-]+)", README))
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert named <= known
    assert known <= named | {"describe", "version"}


def test_versions_agree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_no_address_is_pinned(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()


def test_constraints_pin_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[><=]", need)[0].lower() for need in project["dependencies"]}
    assert wanted <= pinned


def test_makers_are_not_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    for package in ("makers", *(f"makers.{path.parent.name}" for path in ROOT.glob("makers/*/"))):
        assert not any(fnmatch(package, pattern) for pattern in patterns)


def test_every_module_that_is_said_to_run_is_there_and_runs() -> None:
    """Model cards, READMEs, docstrings and messages name modules after ``python -m``."""
    papers = [*ROOT.glob("*.md"), *(ROOT / ".ci").iterdir()]
    for folder in ("stimuli", "paradigms", "toolkit", "reports", "makers"):
        papers += [*(ROOT / folder).rglob("*.md"), *(ROOT / folder).rglob("*.py")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in papers)
    named = set(
        re.findall(r"python -m ((?:stimuli|paradigms|toolkit|reports|makers)[\w.]*\w)", said)
    )
    assert len(named) >= 6
    for name in named:
        module = ROOT / (name.replace(".", "/") + ".py")
        assert module.is_file(), name
        assert 'if __name__ == "__main__":' in module.read_text(encoding="utf-8"), name
