"""A study file is read: all of its faults are found at once, each with its line.

Names are looked up as the commands look them up. A folder that the file names may lie beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli import list_sets
from stimuli.faults import Fault, Location, place_of, refused
from stimuli.files import sha256_of
from stimuli.schemas import Source, checked, faults_in
from stimuli.texts import toml_source
from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.studies.asks import Asking, look_at_ask, stands_for
from toolkit.studies.contrasts import tests_named, tests_of
from toolkit.studies.file import NEW_COMMAND, Power, StudyFile
from toolkit.studies.names import beside, fault_of
from toolkit.studies.samples import planning_model
from toolkit.studies.study import Asked, Study

if TYPE_CHECKING:
    from toolkit.subjects.population import Population
    from toolkit.training.grid import Grid

SHOWN = 6
"""Names that a fault lists."""


def read_study(path: str | Path) -> Study:
    """Read a study file and look up everything that it names; nothing is computed or written.

    Args:
        path: a TOML file, as ``new-study`` writes one.

    Raises:
        ToolkitError: it cannot be read, or has faults; all of them are told, each with its line.
    """
    study, faults, source = look_at(Path(path))
    if study is None:
        raise refused(faults, source)
    return study


def look_at(path: Path) -> tuple[Study | None, list[Fault], Source]:
    """A study, or the faults of its file in the order of the lines.

    Args:
        path: the file.

    Returns:
        The study, None if there are faults; the faults; and what they are faults of.

    Raises:
        ToolkitError: the file is not there, or no TOML.
    """
    try:
        content, source = toml_source(path, "a study file, TOML in UTF-8", NEW_COMMAND)
    except ToolkitError as error:
        error.next_command = error.next_command or NEW_COMMAND
        raise
    source = Source(source.name, f"mevgs-toolkit check-study {quoted(path)}", source.text,
                    fails="cannot be used")  # fmt: skip
    looking = _Looking(path, content, source)
    study = looking.study()
    return study, sorted(looking.faults, key=_line), source


def _line(fault: Fault) -> int:
    found = re.search(r" \(line (\d+)\)", fault.place)
    return int(found[1]) if found else 0


class _Looking:
    """Holds a file against its schema, and what it names against what there is."""

    def __init__(self, path: Path, content: Mapping[str, Any], source: Source) -> None:
        self.path, self.content, self.source = path, content, source
        self.faults = faults_in(StudyFile, content, source)
        self.trained: dict[str, Population] = {}
        self.wrong = [fault.place.partition(" (line ")[0] for fault in self.faults]

    def study(self) -> Study | None:
        grids = self._grids()
        asks = self._asks(grids)
        tests = tests_of(asks)
        self._analysis(asks, tests)
        self._power()
        if self.faults:
            return None
        file = checked(StudyFile, self.content, self.source)
        named = [test for own in file.analysis.confirmatory for test in tests_named(own, tests)]
        return Study(
            path=self.path,
            sha256=sha256_of(self.path),
            file=file,
            files={name: sha256_of(self.path.parent / name) for name in _files(file)},
            grids=tuple(grids),
            asks=tuple(asks),
            tests=tests,
            confirmatory=tuple(named),
        )

    def _sound(self, *steps: str | int) -> dict[str, Any]:
        """What stands in a table, without what does not fit the schema."""
        table: Any = self.content
        for step in steps:
            try:
                table = table[step]
            except (KeyError, IndexError, TypeError):
                return {}
        if not isinstance(table, dict):
            return {}
        return {key: value for key, value in table.items() if self._fits((*steps, key))}

    def _fits(self, steps: Location) -> bool:
        place = place_of(Source(""), steps)
        return not any(
            wrong == place or wrong.startswith((f"{place}[", f"{place}.")) for wrong in self.wrong
        )

    def _tables(self, name: str) -> Iterator[tuple[Location, dict[str, Any]]]:
        given = self.content.get(name)
        for number in range(len(given) if isinstance(given, list) else 0):
            yield (name, number), self._sound(name, number)

    def _tell(self, steps: Location, fault: ToolkitError | str, **parts: str | None) -> None:
        place = place_of(self.source, steps)
        told = fault_of(place, fault) if isinstance(fault, ToolkitError) else None
        self.faults.append(told or Fault(place, str(fault), **_all(parts)))

    def _grids(self) -> list[Grid]:
        made: list[Grid] = []
        names: dict[str, str] = {}
        for steps, table in self._tables("train"):
            if "grid" not in table:
                continue
            here = (*steps, "grid")
            file = self.path.parent / table["grid"]
            try:
                grid = self._trainable(file)
            except ToolkitError as error:
                self._tell(here, error)
                continue
            for name in [condition.name for condition in grid.conditions]:
                other = names.setdefault(name, place_of(Source(""), steps))
                if other != place_of(Source(""), steps):
                    self._tell(
                        here,
                        f"trains {name}, which {other} trains already",
                        given=table["grid"],
                        allowed="every population once",
                    )
            made.append(grid)
        return made

    def _trainable(self, file: Path) -> Grid:
        """A grid that can be trained as far as its stimuli and backbones tell."""
        from toolkit.training.grid import read_grid
        from toolkit.training.populations import check_training
        from toolkit.training.sources import open_source

        read = read_grid(file)
        grid = replace(
            read,
            stimuli=beside(file.parent, read.stimuli, list_sets()),
            hearing=_backbone(file.parent, read.hearing),
            seeing=_backbone(file.parent, read.seeing),
        )
        trained = {code for condition in grid.conditions for code in condition.languages}
        source = open_source(grid.stimuli, grid.hearing, grid.seeing, trained)
        check_training(grid.conditions, source)
        self.trained.update(
            (condition.name, stands_for(condition, grid.seeds, source))
            for condition in grid.conditions
        )
        return grid

    def _asks(self, grids: Sequence[Grid]) -> list[Asked]:
        about = self._sound("study")
        own = about.get("paradigms")
        if own is not None and not (self.path.parent / own).is_dir():
            self._tell(("study", "paradigms"), "is no folder", given=own,
                       allowed="a folder with paradigm files, beside the study file",
                       next_command="mevgs-toolkit new-paradigm my-paradigm")  # fmt: skip
            own = None
        asking = Asking(
            base=self.path.parent,
            paradigms=None if own is None else self.path.parent / own,
            trained=self.trained,
            unsure=len(grids) < len([*self._tables("train")]),
        )
        found: list[Asked] = []
        self.whole = bool(self.content.get("ask"))
        asked: _Cells = {}
        for steps, table in self._tables("ask"):
            given = self.content["ask"][steps[-1]]
            lacking = given.keys() - table.keys() if isinstance(given, dict) else {"paradigm"}
            ask, faults = look_at_ask(table, lacking, asking)
            for inside, fault, parts in faults:
                self._tell((*steps, *inside), fault, **parts)
            if ask is None:
                self.whole = False
                continue
            found.append(ask)
            self._asked_before(steps, ask, asked)
        return found

    def _asked_before(self, steps: Location, ask: Asked, asked: _Cells) -> None:
        """Refuse an ask that repeats another, or could not be pooled with it."""
        here = place_of(Source(""), steps)
        n_trials = ask.table.trials_per_class
        for one in ask.populations:
            for seed, code in ((s, c) for s in one.seeds for c in ask.tested[one.name]):
                who = f"{one.name}/{seed} in {code}"
                others = asked.setdefault((*ask.key, who), [])
                for place, known, numbers in others:
                    both = set(numbers) & set(ask.trial_seeds)
                    if both:
                        told = "" if None in both else f" with trial seed {min(map(str, both))}"
                        fault = f"asks {who} {ask.question}{told}, as {place} does already"
                        self._tell(steps, fault, allowed="everything once")
                        return
                    if known != n_trials:
                        self._tell(
                            (*steps, "trials_per_class"),
                            f"is another than in {place}, which asks {who} {ask.question} as well",
                            given=str(n_trials or "the default"),
                            allowed=f"{known or 'the default'}: only lists that differ in their "
                            "trial seed alone are added up",
                        )
                        return
                others.append((here, n_trials, ask.trial_seeds))

    def _analysis(self, asks: Sequence[Asked], tests: Mapping[str, tuple[str, ...]]) -> None:
        told = self._sound("analysis")
        # What an ask that is at fault would be tested for is not known.
        names = told.get("confirmatory", ()) if self.whole else ()
        seen: dict[str, str] = {}
        for number, name in enumerate(names):
            steps = ("analysis", "confirmatory", number)
            found = tests_named(name, tests)
            if not found:
                self._tell(steps, "names no test that is made of what is asked", given=name,
                           nearest=nearest_name(name, tests), allowed=_some(list(tests)),
                           next_command=f"mevgs-toolkit check-study {quoted(self.path)}, without "
                           "it: it prints all names")  # fmt: skip
            for test in found:
                if seen.setdefault(test, name) != name or list(names).count(name) > 1:
                    self._tell(steps, f"names {test}, which is named already", given=name,
                               allowed="every test once")  # fmt: skip
                    break
        choices = {
            ask.paradigm.name: ask.paradigm for ask in asks if ask.paradigm.kind == "choices"
        }
        if asks and self.whole and not choices:
            for key in ("equivalence_bound", "gate", "bootstrap"):
                if key in told:
                    self._tell(("analysis", key), "means nothing: no paradigm of choices is asked",
                               given=str(told[key]), allowed="the same without it")  # fmt: skip
        condition = told.get("gate", {}).get("condition")
        known = [one.name for paradigm in choices.values() for one in paradigm.conditions]
        if condition and known and self.whole and condition not in known:
            self._tell(
                ("analysis", "gate"),
                "names no condition of what is asked",
                given=condition,
                nearest=nearest_name(condition, known),
                allowed=", ".join(known),
                next_command=f"mevgs-toolkit describe {quoted(next(iter(choices)))}",
            )

    def _power(self) -> None:
        if "power" in self.content and self._fits(("power",)):
            try:
                planning_model(checked(Power, self.content["power"], self.source, "power"))
            except ToolkitError as error:
                self._tell(("power",), error)


_Cells = dict[tuple[str, str, str], list[tuple[str, int | None, tuple[int | None, ...]]]]
"""Asks by what they ask and whom: their place, trials per class and trial seeds."""


def _files(file: StudyFile) -> list[str]:
    """Files that decide what is trained and asked, as they are named."""
    words = [ask.words for ask in file.ask if ask.words is not None]
    return list(dict.fromkeys([*(train.grid for train in file.train), *words]))


def _backbone(base: Path, name: str) -> str:
    """A backbone by its name, which has no slash, or its place."""
    return beside(base, name) if "/" in name else name


def _all(parts: Mapping[str, str | None]) -> dict[str, Any]:
    return {"given": None, "allowed": None, **parts}


def _some(names: Sequence[str]) -> str:
    """Names as far as they can be read."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more if names else "(none)"
