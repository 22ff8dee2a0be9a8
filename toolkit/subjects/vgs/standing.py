"""What the networks of a population stand on, found without loading any of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from toolkit.errors import ToolkitError, quoted
from toolkit.subjects.backbones.finding import BackboneRef
from toolkit.subjects.backbones.standing import backbone_ref, stored_name
from toolkit.subjects.backbones.stored import SUFFIX, is_known
from toolkit.subjects.population import Population
from toolkit.subjects.vgs.config import NamedBackbones, PopulationConfig, read_config


def backbones_of(
    named: NamedBackbones, folder: Path, features: Path | None = None
) -> dict[str, BackboneRef]:
    """The backbones of a population by kind, `hearing` and `seeing`.

    Args:
        named: what its `config.json` says of them.
        folder: its folder.
        features: folder whose files of features stand in their place; None for none.

    Raises:
        ToolkitError: see `toolkit.subjects.backbones.standing.backbone_ref`.
    """
    each = {"hearing": named.hearing, "seeing": named.seeing}
    found = {}
    for kind, one in each.items():
        try:
            found[kind] = backbone_ref(kind, one, folder, features)
        except ToolkitError as error:
            if features is None and error.next_command:
                error.next_command = _or_features(named, kind, folder.parent, error.next_command)
            raise
    return found


def _or_features(named: NamedBackbones, kind: str, beside: Path, fetch: str) -> str:
    """What to do without a backbone: fetch it, or take over features of the stimuli."""
    options = " ".join(
        f"--{which} {quoted(Path(stored_name(one.folder)).stem)}"
        for which, one in (("hearing", named.hearing), ("seeing", named.seeing))
    )
    take = f"mevgs-toolkit extract-features SET {options} --take FOLDER --out {quoted(beside)}"
    if is_known(getattr(named, kind).sha256):
        return f"{fetch}; or, if features of the stimuli are in a folder: {take}"
    return f"{take}, FOLDER with features of the stimuli; or, with the backbone: {fetch}"


def backbones_of_seed(config: PopulationConfig, seed: str, folder: Path) -> NamedBackbones:
    """What the `config.json` of a population says of the backbones of one seed.

    Args:
        config: its content.
        seed: one of its seeds.
        folder: its folder; backbones of single seeds lie in it.
    """
    own = config.seeing_by_seed.get(seed)
    if own is None:
        return config.backbones
    inside = replace(own, folder=f"{folder.name}/{own.folder}")
    return replace(config.backbones, seeing=inside)


def standing(population: Population) -> Population:
    """The population, with what its subjects stand on where its `config.json` does not tell.

    Args:
        population: any; one that does not stand on backbones is given back as it is.

    Raises:
        ToolkitError: it is to stand on files of features that are not there, or not its own.
    """
    named = named_backbones(population)
    if named is None or population.folder is None:
        return population
    told = {"hearing": named.hearing.sha256, "seeing": named.seeing.sha256}
    untold = [kind for kind, sha256 in told.items() if not is_known(sha256)]
    if population.features is None and not untold:
        return population
    try:
        found = backbones_of(named, population.folder, population.features)
    except ToolkitError:
        if population.features is not None:
            raise
        return population  # what is missing is told when a subject is loaded
    return replace(population, stands_on={kind: found[kind].sha256 for kind in untold})


def stands_on(population: Population) -> dict[str, str]:
    """What a population hears and sees with, for people: name, checksum, and where it is.

    Args:
        population: any; nothing is told of one that does not stand on backbones.

    Example:
        >>> from toolkit.subjects.populations import find_population
        >>> list(stands_on(find_population("monolingual-en")))
        ['Hears', 'Sees']
        >>> stands_on(find_population("perfect"))
        {}
    """
    named = named_backbones(population)
    if named is None or population.folder is None:
        return {}
    told = {}
    for sense, kind, one in (("Hears", "hearing", named.hearing), ("Sees", "seeing", named.seeing)):
        known = one.sha256 if is_known(one.sha256) else "not told by what it was trained on"
        try:
            place = backbone_ref(kind, one, population.folder, population.features).folder
        except ToolkitError:
            where = "not on this machine"
        else:
            where = f"features in {place}" if place.suffix == SUFFIX else f"in {place}"
        told[sense] = f"{one.folder}, {where}; checksum {known}"
    return told


def named_backbones(population: Population) -> NamedBackbones | None:
    """The backbones that the `config.json` of a population names; None where it names none.

    Args:
        population: any.
    """
    if population.folder is None or not (population.folder / "config.json").is_file():
        return None
    try:
        return read_config(population.folder / "config.json").backbones
    except ToolkitError:
        return None  # of another kind of subjects, or damaged, which is told when one is loaded
