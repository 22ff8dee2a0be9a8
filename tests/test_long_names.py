"""Names longer than any file's, typed or read from files: one message, whatever they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stimuli import open_set
from stimuli.names import LONGEST_PART
from tests.commands import Cli
from tests.stored import write_stored
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.finding import find_backbone
from toolkit.subjects.populations import open_population
from toolkit.training.grid import read_grid

LONG = [300 * "a", 128 * "é", 100 * "語", "my/" + 300 * "a", 300 * "a" + "/b", 300 * "a/b"]
"""Longer than 255 bytes in a part, or 4,096 altogether; or only with what is put behind it."""
NEARLY = [253 * "a", (LONGEST_PART + 1) * "a"]


@pytest.mark.parametrize("name", [*LONG, *NEARLY])
@pytest.mark.parametrize(
    "command",
    [
        "run-paradigm me --subject {}",
        "run-paradigm {} --subject perfect",
        "run-paradigm me --subject perfect --stimuli {}",
        "run-paradigm me --subject perfect --subjects {}",
        "run-paradigm me --subject perfect --paradigms {}",
        "run-paradigm dense-grounding --subject multilingual-clip --words {}",
        "report {}",
        "analyze {}",
        "train --grid {} --out x",
        "train --languages en --hearing {} --out x",
        "train --languages en --stimuli {} --out x",
        "check-stimuli {}",
        "import-data {} --out x",
        "power --from {}",
        "table {}",
    ],
)
def test_what_is_typed_ends_in_one_message(
    command: str, name: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = cli(*command.format(name).split())
    assert said.code == 2, said.err
    assert said.err.startswith("Error: ")
    assert "free some space" not in said.err
    assert "Traceback" not in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [LONG[0], LONG[1], *NEARLY])
@pytest.mark.parametrize(
    "ask", [open_set, open_population, lambda name: find_backbone("hearing", name)]
)
def test_names_that_no_file_can_have_are_unknown_names(
    ask: Callable[[str], object], name: str
) -> None:
    with pytest.raises(ToolkitError):
        ask(name)


@pytest.mark.parametrize("key", ["stimuli", "hearing", "seeing"])
def test_a_grid_that_names_them_is_refused_with_its_line(tmp_path: Path, key: str) -> None:
    grid = tmp_path / "grid.toml"
    write_stored(grid, f'{key} = "{LONG[0]}"\n[grid]\nlanguages = [["en"]]\n')
    with pytest.raises(ToolkitError, match=f"no part of it longer than {LONGEST_PART}") as caught:
        read_grid(grid)
    assert "line 1" in str(caught.value)
