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
from functools import cache, partial
from pathlib import Path

from stimuli.names import can_be_path
from stimuli.plugins import Found, Offer, Registry
from stimuli.wording import count
from toolkit.errors import ToolkitError, nearest_name, nearest_names, quoted, unknown_name
from toolkit.subjects.hub import in_hub_cache, is_hub_name
from toolkit.subjects.population import (
    DESCRIPTION_FILE,
    LIST_COMMAND,
    WEIGHTS,
    Population,
    read_population,
)

ENTRY_POINT_GROUP = "mevgs_toolkit.subjects"
Look = Callable[[], Found[Population]]
"""Looks for all populations that have a name."""


def open_populations(
    subjects: Iterable[str | Population],
    subjects_dir: str | Path | None = None,
    features_dir: str | Path | None = None,
) -> list[Population]:
    """The populations that a run is made with.

    Args:
        subjects: names, see `open_population`; populations made in code are taken as they are.
        subjects_dir: a further folder to look in, see the module's text.
        features_dir: folder of files of features that stand in the place of frozen backbones.

    Raises:
        ToolkitError: as `open_population`; nobody is named; two populations have the same name
            and are not the same, so that their answers could not be told apart; or features are
            missing, or of another backbone, or of no use to anyone.

    Example:
        >>> [one.seeds for one in open_populations(["random/b", "perfect/a"])]
        [('b',), ('a',)]
    """
    look = cache(partial(look_for_populations, subjects_dir))
    opened = [one if isinstance(one, Population) else _opened(one, look) for one in subjects]
    if not opened:
        raise ToolkitError("No population was named.", next_command=LIST_COMMAND)
    first: dict[str, Population] = {}
    for population in opened:
        other = first.setdefault(population.name, population)
        if _place(population) != _place(other):
            raise _REGISTRY.clash(population.name, other, population)
    from toolkit.subjects.vgs.standing import standing

    return [standing(one) for one in _on_features(opened, features_dir)]


def _on_features(opened: list[Population], features_dir: str | Path | None) -> list[Population]:
    """Have populations of networks take features from a folder; others have no use for them."""
    from toolkit.subjects.vgs.standing import named_backbones

    if features_dir is None:
        return opened
    folder = Path(features_dir)
    if not folder.is_dir():
        raise ToolkitError("There is no such folder of features.", given=str(folder))
    able = [named_backbones(one) is not None for one in opened]
    if not any(able):
        raise ToolkitError(
            "Features mean nothing here: no such population stands on frozen backbones.",
            given=f"--features {folder}, for {', '.join(one.name for one in opened)}",
            allowed="the same without --features, or a population of networks",
            next_command=LIST_COMMAND,
        )
    return [
        replace(one, features=folder.absolute()) if takes else one
        for one, takes in zip(opened, able, strict=True)
    ]


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
    return _opened(name, cache(partial(look_for_populations, subjects_dir)))


def _opened(name: str, look: Look) -> Population:
    found = find_population(name, look=look)
    if found is None:
        error = look().unknown(name)
        error.nearest = nearest_subject(name, list(look().known))
        if "," in name:
            several = (f"--subject {quoted(one.strip())}" for one in name.split(","))
            error.next_command = f"the same again with {' '.join(several)}"
        raise error
    return found


def find_population(
    name: str, subjects_dir: str | Path | None = None, look: Look | None = None
) -> Population | None:
    """As `open_population`; None where nothing has that name.

    Args:
        name: see `open_population`.
        subjects_dir: a further folder to look in.
        look: gives what `look_for_populations` gave, where many are to be found: it reads all
            descriptions.

    Raises:
        ToolkitError: as `open_population`, but not for an unknown population.
    """
    from toolkit.subjects.clip.names import is_model_name, open_model

    if is_model_name(name):
        return open_model(name)
    base, slash, seed = name.partition("/")
    named = (look or partial(look_for_populations, subjects_dir))().get(base)
    if named is not None:
        return _part(named, seed) if slash else named
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
    near = nearest_name(base, known) if seed else nearest_names(base, known)
    return f"{near}{slash}{seed}" if near and seed else near


def list_populations(subjects_dir: str | Path | None = None) -> list[Population]:
    """All populations that have a name, sorted by it.

    Those of installed packages that cannot be loaded are left out, see `look_for_populations`.

    Args:
        subjects_dir: a further folder, see the module's text; its populations stand before others
            of the same name.

    Raises:
        ToolkitError: `subjects_dir` holds no population, a malformed description, or two
            populations of one name.
    """
    found = look_for_populations(subjects_dir).usable()
    return [found[name] for name in sorted(found)]


def look_for_populations(subjects_dir: str | Path | None = None) -> Found[Population]:
    """All populations that have a name, and what is left out.

    Args:
        subjects_dir: as for `list_populations`.

    Raises:
        ToolkitError: `subjects_dir` holds no population.
    """
    own: list[Offer[Population]] = []
    if subjects_dir is not None:
        own = [
            Offer(partial(_described, folder), folder.name)
            for folder in _folders(Path(subjects_dir))
        ]
        if not own:
            raise ToolkitError(
                f"There is no population in this folder: no {DESCRIPTION_FILE} in it or in the "
                "folders directly inside it.",
                given=str(subjects_dir),
            )
    return _REGISTRY.find(own)


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
        f"The folder {given} holds {count(len(inside), 'population')}, and none is named.",
        given=given,
        allowed=", ".join(str(Path(given, name)) for name in inside),
        next_command=f"mevgs-toolkit list subjects --subjects {quoted(given)}",
    )


def _folder(given: str) -> Path | None:
    """A folder, or that of a model in the Hub's cache; None where there is neither."""
    if given and can_be_path(given) and Path(given).is_dir():
        return Path(given)
    return in_hub_cache(given) if is_hub_name(given) else None


def _folders(folder: Path) -> list[Path]:
    """The population folder that a folder is, or those directly inside it."""
    found = _folder(str(folder))
    if found is None:
        known = is_hub_name(str(folder))
        raise ToolkitError(
            "There is no such folder of subjects.",
            given=str(folder),
            next_command=f"hf download {quoted(folder)}, if it is on the Hub" if known else None,
        )
    if (found / DESCRIPTION_FILE).is_file():
        return [found]
    return [path.parent for path in sorted(found.glob(f"*/{DESCRIPTION_FILE}"))]


def _described(folder: Path) -> list[tuple[str, Population]]:
    population = read_population(folder)
    return [(population.name, population)]


def _offered(_: str, given: object) -> Iterator[tuple[str, Population]]:
    """The populations that an entry point offers."""
    offered = given() if callable(given) and not isinstance(given, Population) else given
    if isinstance(offered, Population):
        yield offered.name, offered
    elif isinstance(offered, str | Path):
        for folder in _folders(Path(offered)):
            yield from _described(folder)
    else:
        raise ToolkitError(
            "It offers no population.",
            given=type(offered).__name__,
            allowed="a path, a Population, or a callable that returns one of them",
        )


def _place(population: Population) -> object:
    """What tells two populations of the same name apart."""
    return population.folder.resolve() if population.folder else population.factory


_REGISTRY: Registry[Population] = Registry(
    kind="population",
    plural="populations",
    group=ENTRY_POINT_GROUP,
    included=lambda: (one for folder in _folders(WEIGHTS) for one in _described(folder)),
    read=_offered,
    place=_place,
    list_command=LIST_COMMAND,
    own_first=True,
)
