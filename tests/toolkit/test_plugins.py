"""Toy plug-ins of every group: sound ones are used, broken ones hide nothing and are told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from paradigms.registry import find_paradigms, get_paradigm
from stimuli import list_sets, open_set
from tests.commands import Cli
from toolkit.errors import ToolkitError
from toolkit.subjects.populations import list_populations, open_population

MODULE = '''
from pathlib import Path

from paradigms import PairCondition, PicturePairs, paradigm
from toolkit.subjects.population import Population


@paradigm("toy", version=1)
class Toy(PicturePairs):
    """A toy."""

    question = "Is it a toy?"
    source = "nobody"
    conditions = (PairCondition("toys", "toys beside toys"),)
    formula = "correct ~ 1 + (1 | seed)"


population = Population("toy", ("en",), ("a",), "A toy.", lambda population, seed: None)


def folder():
    return Path(__file__).parent / "toy_set"


def raises():
    raise ValueError("no toy\\nfor you")


def ends():
    raise SystemExit(3)


number = 7
'''


class Group(NamedTuple):
    """What is listed, where it is offered, and the sound thing that the module holds."""

    listed: str
    sound: str
    included: str


GROUPS = [
    Group("paradigms", "Toy", "familiar"),
    Group("subjects", "population", "random"),
    Group("stimuli", "folder", "mini"),
]
OPEN = {"paradigms": get_paradigm, "subjects": open_population, "stimuli": open_set}
every_group = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.listed)


class Packages:
    """A folder of installed packages that offer what they are told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "toy_package.py").write_text(MODULE)
        (folder / "toy_that_does_not_import.py").write_text("import nowhere_to_be_found\n")
        (folder / "toy_that_ends.py").write_text("raise SystemExit('no thanks')\n")
        stimuli = folder / "toy_set"
        stimuli.mkdir()
        text = (Path(open_set("mini").folder) / "set.toml").read_text()
        (stimuli / "set.toml").write_text(text.replace('name = "mini"', 'name = "toy"'))
        (stimuli / "stimuli.csv").write_bytes(
            (open_set("mini").folder / "stimuli.csv").read_bytes()
        )

    def install(self, group: Group, **offers: str) -> None:
        for name, value in offers.items():
            info = self.folder / f"{name}_package-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-package\n")
            entry = f"[mevgs_toolkit.{group.listed}]\n{name} = {value}\n"
            (info / "entry_points.txt").write_text(entry)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    folder = tmp_path / "site"
    folder.mkdir()
    made = Packages(folder)
    monkeypatch.syspath_prepend(str(folder))
    for name in ("toy_package", "toy_that_does_not_import", "toy_that_ends"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return made


BROKEN = {
    "toy_that_does_not_import:x": "ModuleNotFoundError: No module named 'nowhere_to_be_found'",
    "toy_package:nothing": "AttributeError: ",
    "toy_that_ends:x": "SystemExit: no thanks",
    "toy_package:number": "It ",
    "no_such_package:x": "ModuleNotFoundError: No module named 'no_such_package'",
}


@every_group
@pytest.mark.parametrize("value", BROKEN)
def test_a_broken_plug_in_takes_nothing_down_and_is_told_in_a_sentence(
    group: Group, value: str, packages: Packages, cli: Cli
) -> None:
    packages.install(group, bad=value, toy=f"toy_package:{group.sound}")
    said = cli("list", group.listed)
    assert said.code == 0, said.err
    assert group.included in said.out
    assert "toy" in said.out
    (line,) = said.err.splitlines()
    where = f"Left out: The entry point 'bad' of bad-package (mevgs_toolkit.{group.listed})"
    assert line.startswith(f"{where} cannot be loaded: {BROKEN[value]}")
    assert OPEN[group.listed](group.included).name == group.included
    assert OPEN[group.listed]("toy").name == "toy"


@every_group
def test_a_broken_plug_in_is_raised_when_it_is_asked_for(group: Group, packages: Packages) -> None:
    packages.install(group, bad="no_such_package:x")
    with pytest.raises(ToolkitError, match=r"'bad' of bad-package .* cannot be loaded") as caught:
        OPEN[group.listed]("bad")
    assert caught.value.next_command == "pip uninstall bad-package, or a newer version of it"


@every_group
def test_an_unknown_name_shows_the_nearest_and_what_was_left_out(
    group: Group, packages: Packages, cli: Cli
) -> None:
    packages.install(group, bad="no_such_package:x", toy=f"toy_package:{group.sound}")
    for near, meant in (("tyo", "toy"), (group.included[::-1], None)):
        with pytest.raises(ToolkitError, match=f"There is no .* {near!r}. Left out: ") as caught:
            OPEN[group.listed](near)
        assert caught.value.nearest == meant or meant is None
        assert caught.value.next_command == f"mevgs-toolkit list {group.listed}"
    said = cli("describe", "tyo")
    assert said.code == 2
    assert "did you mean: toy" in said.err
    assert "bad-package" in said.err


@every_group
def test_a_name_that_two_have_is_refused_but_does_not_end_the_list(
    group: Group, packages: Packages, cli: Cli
) -> None:
    name = group.included
    module = packages.folder / "toy_package.py"
    text = module.read_text().replace('"toy"', f'"{name}"')
    module.write_text(text)
    packages.install(group, **{name: f"toy_package:{group.sound}"})
    said = cli("list", group.listed)
    assert said.code == 0
    assert said.out.count(f"\n{name} ") == 1
    assert said.err.startswith("Left out: Two ")
    with pytest.raises(ToolkitError, match=f"are called {name!r}: .* and "):
        OPEN[group.listed](name)


@every_group
@pytest.mark.parametrize("function", ["raises", "ends"])
def test_functions_that_fail_are_told(
    group: Group, function: str, packages: Packages, cli: Cli
) -> None:
    packages.install(group, bad=f"toy_package:{function}")
    said = cli("list", group.listed)
    assert said.code == 0
    (line,) = said.err.splitlines()
    assert "'bad' of bad-package" in line
    assert group.included in said.out


def test_a_plug_in_that_cannot_be_shown_is_left_out(packages: Packages, cli: Cli) -> None:
    (packages.folder / "toy_set" / "set.toml").write_text("name = 1")
    packages.install(GROUPS[2], toy="toy_package:folder")
    said = cli("list", "stimuli")
    assert said.code == 0
    assert "mini" in said.out
    assert "Left out: the stimulus set 'toy': " in said.err
    assert "faults" in said.err


def test_what_one_named_oneself_is_listed_without_the_broken_but_not_used(
    tmp_path: Path, cli: Cli
) -> None:
    """Whoever points at a folder means all of it: a run must not go past what is broken there."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "broken.py").write_text("raise SystemExit(1)\n")
    said = cli("list", "paradigms", "--paradigms", tmp_path / "own")
    assert said.code == 0
    assert "familiar" in said.out
    assert "broken.py cannot be imported: SystemExit" in said.err
    for name in ("broken", "familiar"):
        with pytest.raises(ToolkitError, match=r"broken\.py"):
            get_paradigm(name, tmp_path / "own")
    with pytest.raises(ToolkitError, match=r"broken\.py"):
        find_paradigms(tmp_path / "own")
    people = tmp_path / "people" / "random"
    people.mkdir(parents=True)
    (people / "population.toml").write_text("name = ")
    said = cli("list", "subjects", "--subjects", tmp_path / "people")
    assert said.code == 0
    assert "perfect" in said.out
    assert "population.toml" in said.err
    for name in ("random", "perfect"):
        with pytest.raises(ToolkitError, match=r"population\.toml"):
            open_population(name, tmp_path / "people")


def test_sound_plug_ins_of_all_groups_are_found_together(packages: Packages) -> None:
    for number, group in enumerate(GROUPS):
        packages.install(group, **{f"toy{number}": f"toy_package:{group.sound}"})
    assert find_paradigms()["toy"].question == "Is it a toy?"
    assert "toy" in [population.name for population in list_populations()]
    assert list_sets()["toy2"] == packages.folder / "toy_set"
