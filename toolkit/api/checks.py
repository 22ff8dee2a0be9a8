"""What is given in Python, made what the functions below expect, or refused."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paradigms.registry import get_paradigm
from stimuli import StimulusSet, list_sets, open_set
from toolkit.errors import ToolkitError, typed
from toolkit.running.plan import named

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from toolkit.subjects.population import Population


def silent(what: str, done: int, total: int) -> None:
    """Show no progress."""


def several(given: Any) -> list[Any]:
    """One or several, as several.

    Args:
        given: things in a row; a text, a path, or what cannot be gone through is one thing.

    Example:
        >>> several("en"), several(("en", "nl")), several(7)
        (['en'], ['en', 'nl'], [7])
    """
    is_one = isinstance(given, str | Path) or not isinstance(given, Iterable)
    return [given] if is_one else [*given]


def shown_set(
    given: str | Path | StimulusSet | None,
    populations: Sequence[Population],
    usual: str,
    words: Path | None = None,
) -> StimulusSet:
    """The stimulus set that populations are asked with.

    Args:
        given: what was named; None for the set that the populations were trained on, where they
            say so, or else the usual one.
        populations: who is asked.
        usual: name of the set of populations that say nothing.
        words: list of written words instead of the set's own.

    Raises:
        ToolkitError: there is no such set, populations are usually asked with different ones, or
            one was trained on what is the test in this set.

    Example:
        >>> from toolkit.subjects.populations import open_population
        >>> shown_set(None, [open_population("monolingual-en")], "mini").name
        'mini'
    """
    if isinstance(given, StimulusSet):
        shown = given if words is None else open_set(given.folder, words)
    else:
        shown = open_set(given or usual_set(populations, usual), words)
    for population in populations:
        _refuse_learnt(population, shown)
    return shown


def usual_set(populations: Sequence[Population], usual: str) -> str:
    """Name of the set that all of some populations are asked with where none is named.

    Args:
        populations: who is asked.
        usual: name of the set of populations that say nothing; of all where there is nobody.

    Raises:
        ToolkitError: they are usually asked with different ones, or with one that has no name.

    Example:
        >>> usual_set([], "mini")
        'mini'
    """
    wanted = {population.stimuli or usual: population.name for population in populations}
    if len(wanted) > 1:
        raise ToolkitError(
            "These populations are usually asked with different stimulus sets: name one of them.",
            given=", ".join(f"{name} for {whom}" for name, whom in wanted.items()),
            allowed="--stimuli (or stimuli=), for all of them",
        )
    name = next(iter(wanted), usual)
    if name != usual and name not in list_sets():
        raise ToolkitError(
            f"{wanted[name]} was trained on the stimulus set {name!r}, which has no name here.",
            given=name,
            allowed="the folder of that set",
            next_command="the same again with --stimuli FOLDER (or stimuli='FOLDER')",
        )
    return name


def _refuse_learnt(population: Population, shown: StimulusSet) -> None:
    """Refuse a set that tests with what a population was trained on, as far as can be told."""
    place = list_sets().get(population.stimuli) if population.familiar else None
    if place is None:
        return
    trained = open_set(place)
    if trained.checksum == shown.checksum:
        return
    learnt = set(trained.table.loc[trained.table["split"] != "test", "sha256"])
    n_met = int(shown.table.loc[shown.table["split"] == "test", "sha256"].isin(learnt).sum())
    if n_met:
        raise ToolkitError(
            f"{n_met} test stimuli of the set {shown.name!r} may have been trained on by "
            f"{population.name}: they are training stimuli of {trained.name!r}.",
            given=shown.name,
            allowed=trained.name,
            next_command=f"the same again with --stimuli {trained.name} "
            f"(or stimuli={trained.name!r})",
        )


def optional(path: str | Path | None) -> Path | None:
    """A path, if there is one."""
    return None if path is None else Path(path)


def whole(name: str, value: int, lowest: int, highest: int | None = None) -> int:
    """A whole number that is large enough, and not too large.

    Args:
        name: what the number is called.
        value: the number.
        lowest: the smallest that is allowed.
        highest: the largest; None where there is none.

    Raises:
        ToolkitError: it is too small or too large, or no whole number.

    Example:
        >>> whole("jobs", 2, 1, 1024)
        2
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = lowest - 1
    if number < lowest or (highest is not None and number > highest):
        to = "on" if highest is None else f"to {highest:,}"
        raise ToolkitError(
            f"{name} must be a whole number from {lowest} {to}.", given=f"{name}={typed(value)}"
        )
    return number


def within(name: str, value: float, low: float, high: float) -> float:
    """A number between two others, both included.

    Args:
        name: what the number is called.
        value: the number.
        low: the smallest that is allowed.
        high: the largest.

    Raises:
        ToolkitError: it lies outside, or is no number.

    Example:
        >>> within("alpha", 0.05, 0.0001, 0.5)
        0.05
    """
    try:
        fits = low <= float(value) <= high
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ToolkitError(
            f"{name} must lie between {low:g} and {high:g}.", given=f"{name}={typed(value)}"
        )
    return float(value)


def as_named(given: str | BaseParadigm, own: Path | None) -> BaseParadigm:
    """A paradigm by its name, so that it is found again where its run is analysed.

    Args:
        given: its name, or what was opened by it.
        own: folder with paradigm files of the user's own.

    Raises:
        ToolkitError: the name is unknown, or that of another paradigm.
    """
    if isinstance(given, str):
        return get_paradigm(given, own)
    found = get_paradigm(given.name, own)
    if named(found) != named(given):
        raise ToolkitError(
            f"The paradigm {given.name!r} is another one than the file of that name defines.",
            given=type(given).__name__,
            allowed="what open_paradigm gives, in the same version",
            next_command="paradigms_dir=DIR, the folder that holds its file",
        )
    return found
