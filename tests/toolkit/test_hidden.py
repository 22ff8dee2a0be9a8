"""Files of the user's own that are imported in the place of the toolkit's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = ("import sys; sys.argv = ['mevgs-toolkit', 'list', 'paradigms']; "
           "from toolkit.cli import main; main()")  # fmt: skip
CATCH = """
try:
    import toolkit
except ImportError as error:
    print(error)
1 / 0
"""
EDITABLE = f"""
import importlib.machinery, importlib.util, sys

class Finder:
    "As an editable install has it: asked after all folders of the path."

    def find_spec(self, name, path=None, target=None):
        folder = {str(ROOT)!r} + "/" + name
        if name in ("toolkit", "stimuli", "paradigms", "reports"):
            file = folder + "/__init__.py"
            return importlib.util.spec_from_file_location(
                name, file, submodule_search_locations=[folder]
            )

at = sys.meta_path.index(importlib.machinery.PathFinder) + 1
sys.meta_path.insert(at, Finder())
import toolkit
"""


def python(
    code: str, folder: Path, *paths: Path, options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run code in a folder, which comes first on Python's path."""
    path = os.pathsep.join(map(str, paths))
    return subprocess.run(
        [sys.executable, *options, "-c", code], cwd=folder, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def says_so(said: subprocess.CompletedProcess[str], place: Path) -> bool:
    """One sentence that names the file, exit code 2."""
    expected = (
        f"Error: {place} hides the toolkit's own {place.stem!r}, which is imported by that name: "
        "rename it, or start Python in another folder.\n"
    )
    return said.returncode == 2 and said.stdout == "" and said.stderr == expected


@pytest.mark.parametrize("name", ["stimuli", "paradigms", "reports"])
@pytest.mark.parametrize("code", ["import toolkit", "import toolkit.subjects.populations", COMMAND])
def test_a_file_that_hides_ours_is_named_in_one_sentence(
    name: str, code: str, tmp_path: Path
) -> None:
    (tmp_path / f"{name}.py").write_text("raise RuntimeError('never imported')\n")
    assert says_so(python(code, tmp_path, ROOT), tmp_path / f"{name}.py")


def test_the_installed_command_says_so_too(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("mevgs-toolkit")
    if not script.is_file():
        pytest.skip("the toolkit is not installed beside this Python")
    (tmp_path / "reports.py").write_text("")
    said = subprocess.run(
        [str(script), "list", "paradigms"], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join([".", str(ROOT)])},
    )  # fmt: skip
    assert says_so(said, tmp_path / "reports.py")


def test_a_package_that_hides_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "stimuli").mkdir()
    (tmp_path / "stimuli" / "__init__.py").write_text("")
    said = python("import toolkit", tmp_path, ROOT)
    assert said.returncode == 2
    assert f"{tmp_path / 'stimuli' / '__init__.py'} hides" in said.stderr


def test_a_plain_folder_hides_ours_only_in_an_editable_install(tmp_path: Path) -> None:
    (tmp_path / "stimuli").mkdir()
    assert python("import toolkit.errors", tmp_path, ROOT).returncode == 0
    # Without what is installed for this Python, which may hold the toolkit itself.
    assert says_so(python(EDITABLE, tmp_path, options=("-S",)), tmp_path / "stimuli")


def test_files_elsewhere_and_of_other_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "stimulus.py").write_text("")
    (tmp_path / "toolkits.py").write_text("")
    said = python("import toolkit; print(toolkit.open_set('mini').name)", tmp_path, ROOT)
    assert (said.returncode, said.stdout) == (0, "mini\n")


def test_whoever_catches_the_error_goes_on(tmp_path: Path) -> None:
    (tmp_path / "stimuli.py").write_text("")
    said = python(CATCH, tmp_path, ROOT)
    assert said.returncode == 1
    assert "stimuli.py hides" in said.stdout
    assert "ZeroDivisionError" in said.stderr
