"""Populations by name: whatever a researcher writes behind `--subject`, opened in one place.

===========================  =======================================================================
``bilingual-en-nl``          a population, all its seeds
``bilingual-en-nl/c``        one of its seeds
``bilingual-en-nl/frozen``   the frozen features under its networks (`toolkit.subjects.frozen`)
``my/folder``, with ``/c``   the population in a folder that has a `population.toml`, or in a model
                             of the Hugging Face Hub that lies in the local cache
``openclip:NAME/TAG``        a published model (`toolkit.subjects.clip.names`), as
``transformers:NAME``
===========================  =======================================================================

Populations with a name are found among the shipped ones, through the entry point group
`mevgs_toolkit.subjects` (an entry point is a path, a `Population`, or a callable that returns one
of them) and in the folder of `--subjects`, which may be one population folder or hold several, or
the name of a model on the Hub whose files lie in the local cache (Python files in it run as any
others do). A population in the `--subjects` folder stands before one of the same name elsewhere;
any other clash is refused. A name stands before a folder of that name.

Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError, nearest_name, unknown_name
from toolkit.subjects.hub import in_hub_cache, is_hub_name
from toolkit.subjects.population import (
    DESCRIPTION_FILE,
    LIST_COMMAND,
    WEIGHTS,
    Population,
    read_population,
)

ENTRY_POINT_GROUP = "mevgs_toolkit.subjects"


def open_populations(
    subjects: Iterable[str | Population], subjects_dir: str | Path | None = None
) -> list[Population]:
    """The populations that a run is made with.

    Args:
        subjects: names, see `open_population`; populations made in code are taken as they are.
        subjects_dir: a further folder to look in, see the module's text.

    Raises:
        ToolkitError: as `open_population`; nobody is named; or two populations have the same name
            and are not the same, so that their answers could not be told apart.

    Example:
        >>> [one.seeds for one in open_populations(["random/b", "perfect/a"])]
        [('b',), ('a',)]
    """
    opened = [
        one if isinstance(one, Population) else open_population(one, subjects_dir)
        for one in subjects
    ]
    if not opened:
        raise ToolkitError("No population was named.", next_command=LIST_COMMAND)
    first: dict[str, Population] = {}
    for population in opened:
        other = first.setdefault(population.name, population)
        if _place(population) != _place(other):
            raise _same_name(other, population)
    return opened


def open_population(name: str, subjects_dir: str | Path | None = None) -> Population:
    """A population, one of its seeds, the frozen features under it, or a published model.

    Args:
        name: for example `bilingual-en-nl` (all seeds), `bilingual-en-nl/c` (that one),
            `bilingual-en-nl/frozen`, `my-folder/my-population` or `transformers:NAME`; see the
            module's text.
        subjects_dir: a further folder to look in, see the module's text.

    Raises:
        ToolkitError: no such population or seed (the nearest name is shown), a description that
            cannot be read, or a published model that is not on this machine.

    Example:
        >>> open_population("bilingual-en-nl/c").seeds
        ('c',)
        >>> open_population("bilingual-en-nl/frozen").name
        'bilingual-en-nl-frozen'
        >>> try:
        ...     open_population("Bilingual_NL_EN/c")
        ... except ToolkitError as error:
        ...     error.nearest
        'bilingual-en-nl/c'
    """
    found = find_population(name, subjects_dir)
    if found is None:
        known = [population.name for population in list_populations(subjects_dir)]
        error = unknown_name("population", name, known, LIST_COMMAND)
        error.nearest = nearest_subject(name, known)
        raise error
    return found


def find_population(name: str, subjects_dir: str | Path | None = None) -> Population | None:
    """As `open_population`; None where nothing has that name.

    Args:
        name: see `open_population`.
        subjects_dir: a further folder to look in.

    Raises:
        ToolkitError: as `open_population`, but not for an unknown population.
    """
    from toolkit.subjects.clip.names import is_model_name, open_model

    if is_model_name(name):
        return open_model(name)
    known = {population.name: population for population in list_populations(subjects_dir)}
    base, slash, seed = name.partition("/")
    if base in known:
        return _part(known[base], seed) if slash else known[base]
    whole = _in_place(name)
    if whole is not None or not slash:
        return whole
    place, _, seed = name.rstrip("/").rpartition("/")
    population = _in_place(place)
    return None if population is None else _part(population, seed)


def nearest_subject(name: str, known: Sequence[str]) -> str | None:
    """The nearest that could have been written behind `--subject`, seed included.

    Args:
        name: what was written.
        known: names of populations.

    Example:
        >>> nearest_subject("bilingual-nl-en/c", ["bilingual-en-nl", "bilingual-fr-nl"])
        'bilingual-en-nl/c'
        >>> nearest_subject("OpenCLIP:RN50/yfcc15m", [])
        'openclip:RN50/yfcc15m'
    """
    from toolkit.subjects.clip.names import OPEN_CLIP, TRANSFORMERS

    prefix, colon, rest = name.partition(":")
    if colon:
        near = nearest_name(f"{prefix}:", [OPEN_CLIP, TRANSFORMERS])
        return f"{near}{rest}" if near else None
    base, slash, seed = name.partition("/")
    near = nearest_name(base, known)
    return f"{near}{slash}{seed}" if near and seed else near


def list_populations(subjects_dir: str | Path | None = None) -> list[Population]:
    """All populations that have a name, sorted by it.

    Args:
        subjects_dir: a further folder, see the module's text; its populations stand before others
            of the same name.

    Raises:
        ToolkitError: a description is malformed, two populations share a name, an entry point
            cannot be loaded, or `subjects_dir` holds no population.
    """
    found: dict[str, Population] = {}
    _add(found, _in_folder(WEIGHTS))
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        _add(found, _from_entry_point(entry.name, entry.load))
    if subjects_dir is not None:
        own: dict[str, Population] = {}
        _add(own, _in_folder(Path(subjects_dir)))
        if not own:
            raise ToolkitError(
                f"There is no population in this folder: no {DESCRIPTION_FILE} in it or in the "
                "folders directly inside it.",
                given=str(subjects_dir),
            )
        found.update(own)
    return [found[name] for name in sorted(found)]


def _part(population: Population, seed: str) -> Population:
    """One seed of a population, or the frozen features under it."""
    from toolkit.subjects.frozen import SEED, frozen, has_backbones

    if seed in population.seeds:
        return replace(population, seeds=(seed,))
    if seed == SEED:
        return frozen(population)
    allowed = [*population.seeds, SEED] if has_backbones(population) else population.seeds
    raise unknown_name(f"seed of population {population.name!r}", seed, allowed, LIST_COMMAND)


def _in_place(given: str) -> Population | None:
    """The population in a folder, or in a model of the Hub; None where there is no such thing.

    Raises:
        ToolkitError: the folder holds several populations, or a description is malformed.
    """
    folder = _folder(given)
    if folder is None:
        return None
    if (folder / DESCRIPTION_FILE).is_file():
        return read_population(folder)
    inside = [path.parent.name for path in sorted(folder.glob(f"*/{DESCRIPTION_FILE}"))]
    if not inside:
        return None
    raise ToolkitError(
        f"The folder {given} holds {len(inside)} population{'s' * (len(inside) > 1)}, and none is "
        "named.",
        given=given,
        allowed=", ".join(str(Path(given, name)) for name in inside),
        next_command=f"mevgs-toolkit list subjects --subjects {given}",
    )


def _folder(given: str) -> Path | None:
    """A folder, or that of a model in the Hub's cache; None where there is neither."""
    if given and Path(given).is_dir():
        return Path(given)
    return in_hub_cache(given) if is_hub_name(given) else None


def _in_folder(folder: Path) -> Iterator[Population]:
    """The population that a folder is, or those directly inside it."""
    found = _folder(str(folder))
    if found is None:
        known = is_hub_name(str(folder))
        raise ToolkitError(
            "There is no such folder of subjects.",
            given=str(folder),
            next_command=f"hf download {folder}, if it is on the Hub" if known else None,
        )
    if (found / DESCRIPTION_FILE).is_file():
        yield read_population(found)
        return
    for path in sorted(found.glob(f"*/{DESCRIPTION_FILE}")):
        yield read_population(path.parent)


def _from_entry_point(name: str, load: Callable[[], Any]) -> list[Population]:
    """The populations that an installed package offers."""
    try:
        offered = load()
        if callable(offered):
            offered = offered()
    except Exception as error:
        raise ToolkitError(
            f"The entry point {name!r} in group {ENTRY_POINT_GROUP} cannot be loaded: {error}",
            next_command="update or uninstall the package that declares it",
        ) from error
    if isinstance(offered, Population):
        return [offered]
    if isinstance(offered, str | Path):
        return list(_in_folder(Path(offered)))
    raise ToolkitError(
        f"The entry point {name!r} in group {ENTRY_POINT_GROUP} offers no population.",
        given=type(offered).__name__,
        allowed="a path, a Population, or a callable that returns one of them",
    )


def _add(found: dict[str, Population], populations: Iterable[Population]) -> None:
    """Add populations to those found, refusing a name that is taken."""
    for population in populations:
        if population.name in found:
            raise _same_name(found[population.name], population)
        found[population.name] = population


def _place(population: Population) -> object:
    """What tells two populations of the same name apart."""
    return population.folder.resolve() if population.folder else population.factory


def _same_name(first: Population, second: Population) -> ToolkitError:
    return ToolkitError(
        f"Two populations are called {first.name!r}.",
        given=f"{first.folder or first.factory} and {second.folder or second.factory}",
        next_command=f"rename one of them in its {DESCRIPTION_FILE}",
    )
