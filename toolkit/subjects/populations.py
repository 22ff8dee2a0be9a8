"""Populations: what a researcher names on the command line, and the folders that describe them.

A population is a folder with a `population.toml`:

    name = "bilingual-en-nl"
    description = "Hears English and Dutch."
    languages = ["en", "nl"]
    seeds = ["a", "b", "c"]
    factory = "toolkit.subjects.vgs_subject:load_subject"

    [sha256]                 # optional: checksum of each file that must not change
    "a.safetensors" = "..."

`factory` names a callable `(population, seed) -> subject`. Its module may be a Python file beside
`population.toml`, which is how a subject from outside the toolkit comes in. Folders are found
among the shipped ones, through the entry point group `mevgs_toolkit.subjects` (an entry point is a
path, a `Population`, or a callable that returns one of them) and in the folder of `--subjects`,
which may be one population folder or hold several, or the name of a model on the Hugging Face Hub
whose files lie in the local cache (Python files in it run as any others do). A population in the
`--subjects` folder stands before one of the same name elsewhere; any other clash is refused.

Nothing here imports torch: a network is only built by `Population.load`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stimuli.files import sha256_of
from stimuli.texts import read_toml
from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.hub import in_hub_cache, is_hub_name

if TYPE_CHECKING:
    from toolkit.subjects.contract import Subject

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the shipped populations and backbones."""
DESCRIPTION_FILE = "population.toml"
ENTRY_POINT_GROUP = "mevgs_toolkit.subjects"
LIST_COMMAND = "mevgs-toolkit list subjects"
_REQUIRED = {"name": str, "description": str, "languages": list, "seeds": list, "factory": str}


@dataclass(frozen=True)
class Population:
    """Subjects that differ only in their training seed.

    Example:
        >>> class Deaf:
        ...     "A subject that hears nothing."
        >>> population = Population("deaf", (), ("a", "b"), "Hears nothing.", lambda p, s: Deaf())
        >>> population.load("b").__class__.__name__
        'Deaf'
    """

    name: str
    """What it is called on the command line."""
    languages: tuple[str, ...]
    """ISO codes of the languages that it was trained on; none for an untrained one."""
    seeds: tuple[str, ...]
    """Names of its subjects, in order."""
    description: str
    """One line for lists."""
    factory: str | Callable[[Population, str], Subject]
    """Makes a subject from the population and a seed: a callable, or `"module:callable"`."""
    folder: Path | None = None
    """Where it is described; None for a population made in code."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """File name in the folder -> the checksum that it must have."""
    further: tuple[Path, ...] = ()
    """Further files that decide what its subjects are, wherever they lie."""

    def checksum(self, seed: str) -> str:
        """SHA-256 of everything that decides what the subject of this seed is.

        That is name, languages, seed and factory, and from the folder `config.json`, the Python
        files and all files that are named after the seed, such as `a.safetensors`. Backbones
        enter by their checksums in `config.json`.

        Args:
            seed: one of `seeds`.

        Raises:
            ToolkitError: an unknown seed, or a file whose checksum is not the recorded one.

        Example:
            >>> one = Population("deaf", (), ("a", "b"), "Hears nothing.", "deaf:make")
            >>> one.checksum("a") == one.checksum("b")
            False
        """
        self._check_seed(seed)
        factory = self.factory
        if not isinstance(factory, str):
            factory = f"{factory.__module__}:{factory.__qualname__}"
        facts: dict[str, Any] = {
            "name": self.name,
            "languages": list(self.languages),
            "seed": seed,
            "factory": factory,
        }
        if self.folder is not None:
            facts["files"] = {path.name: self.verified(path.name) for path in self.files(seed)}
        if self.further:
            facts["further"] = [sha256_of(path) for path in self.further]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def load(self, seed: str) -> Subject:
        """Make the subject of one seed.

        Args:
            seed: one of `seeds`.

        Raises:
            ToolkitError: an unknown seed, a factory that cannot be imported, files that are
                missing or changed, weights that do not fit.
        """
        self._check_seed(seed)
        factory = self.factory
        if isinstance(factory, str):
            factory = _import_factory(factory, self)
        return factory(self, seed)

    def file(self, name: str) -> Path:
        """Path of a file in the population's folder, after checking that it is there.

        Args:
            name: file name.

        Raises:
            ToolkitError: the file is missing, or the population has no folder.
        """
        if self.folder is None:
            raise ToolkitError(f"Population {self.name!r} has no folder to read {name} from.")
        path = self.folder / name
        if not path.is_file():
            raise ToolkitError(
                f"Population {self.name!r} lacks the file {name}.",
                given=str(path),
                next_command="restore the file, or train the population again",
            )
        return path

    def verified(self, name: str) -> str:
        """SHA-256 of a file in the folder, compared with the recorded one where there is one.

        Args:
            name: file name.

        Raises:
            ToolkitError: the file is missing or was changed.
        """
        path = self.file(name)
        actual = sha256_of(path)
        if self.sha256.get(name, actual) != actual:
            raise ToolkitError(
                f"The file {name} of population {self.name!r} is not the one that "
                f"{DESCRIPTION_FILE} describes: it was changed or damaged.",
                given=f"{path} with SHA-256 {actual}",
                allowed=self.sha256[name],
                next_command="restore the file, or train the population again",
            )
        return actual

    def files(self, seed: str) -> list[Path]:
        """The files of the folder that decide what a seed's subject is, in a fixed order.

        Args:
            seed: one of `seeds`; recorded files named after it are its own, recorded `.json` files
                belong to all seeds.
        """
        if self.folder is None:
            return []
        files = {*self.folder.glob("*.py"), *self.folder.glob(f"{seed}.*")}
        recorded = map(Path, self.sha256)
        own = (file for file in recorded if file.stem == seed or file.suffix == ".json")
        files.update(self.folder / file for file in own)
        config = self.folder / "config.json"
        if config.is_file():
            files.add(config)
        return sorted(files)

    def _check_seed(self, seed: str) -> None:
        if seed not in self.seeds:
            raise unknown_name(f"seed of population {self.name!r}", seed, self.seeds, LIST_COMMAND)


def list_populations(subjects_dir: str | Path | None = None) -> list[Population]:
    """All populations that can be named, sorted by name.

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


def open_population(name: str, subjects_dir: str | Path | None = None) -> Population:
    """A population by its name, or one of its seeds by `name/seed`.

    Args:
        name: for example `bilingual-en-nl` (all seeds) or `bilingual-en-nl/c` (that one), or a
            published model, see `toolkit.subjects.clip_names`.
        subjects_dir: a further folder to look in, see the module's text.

    Raises:
        ToolkitError: no such population or seed (the nearest name is shown), or a description
            that cannot be read.

    Example:
        >>> open_population("bilingual-en-nl/c").seeds
        ('c',)
    """
    from toolkit.subjects.clip_names import is_model_name, open_model

    if is_model_name(name):
        return open_model(name)
    known = {population.name: population for population in list_populations(subjects_dir)}
    base, slash, seed = name.partition("/")
    if base not in known:
        raise unknown_name("population", base, list(known), LIST_COMMAND)
    population = known[base]
    if not slash:
        return population
    population._check_seed(seed)
    return replace(population, seeds=(seed,))


def read_population(folder: str | Path) -> Population:
    """Read the description in one population folder.

    Args:
        folder: a folder with a `population.toml`.

    Raises:
        ToolkitError: the file is missing or malformed; all its faults are listed.
    """
    path = Path(folder) / DESCRIPTION_FILE
    described = read_toml(path)
    faults = _faults(described)
    if faults:
        shown = "\n".join(f"  {fault}" for fault in faults)
        raise ToolkitError(
            f"{path} does not describe a population:\n{shown}",
            allowed=", ".join([*_REQUIRED, "[sha256]"]),
        )
    return Population(
        name=described["name"],
        languages=tuple(described["languages"]),
        seeds=tuple(described["seeds"]),
        description=described["description"],
        factory=described["factory"],
        folder=path.parent.absolute(),
        sha256=described.get("sha256", {}),
    )


def _faults(described: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a parsed description."""
    faults = [f"unknown key: {key}" for key in described if key not in {*_REQUIRED, "sha256"}]
    for key, kind in _REQUIRED.items():
        if key not in described:
            faults.append(f"missing key: {key}")
        elif not isinstance(described[key], kind):
            faults.append(f"{key} must be a {'string' if kind is str else 'list of strings'}")
        elif kind is list and not _distinct_names(described[key]):
            faults.append(f"{key} must hold distinct, non-empty strings without '/'")
    if isinstance(described.get("name"), str) and not _distinct_names([described["name"]]):
        faults.append("name must be a non-empty string without '/'")
    if described.get("seeds") == []:
        faults.append("seeds must name at least one subject")
    if isinstance(described.get("factory"), str) and described["factory"].count(":") != 1:
        faults.append("factory must look like 'module:callable'")
    sums = described.get("sha256", {})
    if not isinstance(sums, dict) or not all(isinstance(value, str) for value in sums.values()):
        faults.append("[sha256] must hold one string per file name")
    return faults


def _distinct_names(values: Sequence[Any]) -> bool:
    """Whether all values are usable names and no two are the same."""
    usable = all(isinstance(value, str) and value and "/" not in value for value in values)
    return usable and len(set(values)) == len(values)


def _in_folder(folder: Path) -> Iterator[Population]:
    """The population that a folder is, or those directly inside it."""
    if not folder.is_dir():
        known = is_hub_name(str(folder))
        cached = in_hub_cache(str(folder)) if known else None
        if cached is None:
            raise ToolkitError(
                "There is no such folder of subjects.",
                given=str(folder),
                next_command=f"hf download {folder}, if it is on the Hub" if known else None,
            )
        folder = cached
    if (folder / DESCRIPTION_FILE).is_file():
        yield read_population(folder)
        return
    for path in sorted(folder.glob(f"*/{DESCRIPTION_FILE}")):
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


def _add(
    found: dict[str, Population], populations: Iterator[Population] | list[Population]
) -> None:
    """Add populations to those found, refusing a name that is taken."""
    for population in populations:
        if population.name in found:
            other = found[population.name]
            raise ToolkitError(
                f"Two populations are called {population.name!r}.",
                given=f"{other.folder or other.factory} and "
                f"{population.folder or population.factory}",
                next_command=f"rename one of them in its {DESCRIPTION_FILE}",
            )
        found[population.name] = population


def _import_factory(spec: str, population: Population) -> Callable[[Population, str], Subject]:
    """Import the callable that a description names, first from beside the description."""
    module_name, _, attribute = spec.partition(":")
    try:
        module = _import_beside(module_name, population.folder)
        factory = getattr(module or importlib.import_module(module_name), attribute)
    except Exception as error:
        raise ToolkitError(
            f"The factory of population {population.name!r} cannot be imported: "
            f"{type(error).__name__}: {error}",
            given=spec,
            allowed=f"'module:callable', the module installed or beside {DESCRIPTION_FILE}",
        ) from error
    if not callable(factory):
        raise ToolkitError(
            f"The factory of population {population.name!r} is not callable.", given=spec
        )
    return factory  # type: ignore[no-any-return]


def _import_beside(module_name: str, folder: Path | None) -> ModuleType | None:
    """Import a module file from a population folder; None when there is none.

    It is kept under a name of its own, so that two folders may both hold a `subject.py`.
    """
    if folder is None:
        return None
    path = folder / f"{module_name}.py"
    if not path.is_file():
        return None
    own_name = f"_mevgs_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{module_name}"
    if own_name in sys.modules:
        return sys.modules[own_name]
    spec = importlib.util.spec_from_file_location(own_name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[own_name] = module
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[own_name]
        raise
    finally:
        sys.path.remove(str(folder))
    return module
