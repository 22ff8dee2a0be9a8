"""A population: subjects that differ only in their training seed, and the folder that tells of it.

    name = "bilingual-en-nl"
    description = "Hears English and Dutch."
    languages = ["en", "nl"]
    seeds = ["a", "b", "c"]
    factory = "toolkit.subjects.vgs.subject:load_subject"

    [sha256]                 # optional: checksum of each file that must not change
    "a.safetensors" = "..."

`factory` names a callable `(population, seed) -> subject`. Its module may be a Python file beside
`population.toml`, which is how a subject from outside the toolkit comes in.

Nothing here imports torch: a network is only built by `Population.load`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

from stimuli.characters import hidden_in
from stimuli.files import CHECKSUM_SUFFIX, require_sound, sha256_of, write_checked
from stimuli.limits import SEEDS
from stimuli.schemas import Rule, Source, checked
from stimuli.texts import toml_record, write_toml
from toolkit.errors import ToolkitError, unknown_name

if TYPE_CHECKING:
    from toolkit.subjects.contract import Subject

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the shipped populations and backbones."""
DESCRIPTION_FILE = "population.toml"
TRAIN_AGAIN = "restore the file, or train the population again"
"""What helps where a file of a population is damaged."""
_CHECKED = (
    "# population.toml.sha256 tells whether this is as it was written; without it, this line goes."
)
"""First line of a description whose checksum lies beside it; those that people write have none."""
LIST_COMMAND = "mevgs-toolkit list subjects"
MOVED = {
    "toolkit.subjects.clip": "toolkit.subjects.clip.subject",
    "toolkit.subjects.clip_drawings": "toolkit.subjects.clip.drawings",
    "toolkit.subjects.vgs_subject": "toolkit.subjects.vgs.subject",
}
"""Modules of factories that lay elsewhere when descriptions were written that users have: they open
as ever, and subjects keep the checksums that their runs have recorded."""


def _is_name(text: str) -> bool:
    return bool(text) and "/" not in text and not hidden_in(text)


def _is_file_name(text: str) -> bool:
    return _is_name(text) and "\\" not in text and text != ".."


def _distinct(values: tuple[str, ...]) -> bool:
    return len(set(values)) == len(values)


Name = Annotated[str, Rule("a name that is not empty, without '/' and hidden signs", _is_name)]
"""A population, one of its seeds, or a language."""
FileName = Annotated[str, Rule("names of files in the folder itself", _is_file_name)]


@dataclass(frozen=True, kw_only=True)
class Description:
    """What `population.toml` holds: its schema."""

    name: Name
    """What the population is called on the command line."""
    description: str
    """One line for lists."""
    languages: Annotated[tuple[Name, ...], Rule("names, each once", _distinct)]
    """ISO codes of the languages that it was trained on; none for an untrained one."""
    seeds: Annotated[
        tuple[Name, ...],
        Rule(f"1 to {SEEDS:,} names, each once", lambda v: 0 < len(v) <= SEEDS and _distinct(v)),
    ]
    """Names of its subjects, in order."""
    factory: Annotated[str, Rule("'module:callable'", lambda text: text.count(":") == 1)]
    """Makes a subject from the population and a seed."""
    stimuli: str = ""
    """Stimulus set that it is asked with where none is named; empty for the paradigm's own."""
    familiar: Mapping[Name, Annotated[tuple[str, ...], Rule("concepts", bool)]] = field(
        default_factory=dict
    )
    """Name of a draw -> the concepts that its subjects learnt; those are named after it (draw 01,
    subject 01a). Empty where all learnt those that the stimulus set calls familiar."""
    sha256: Mapping[FileName, str] = field(default_factory=dict)
    """File name in the folder -> the checksum that it must have."""


@dataclass(frozen=True)
class Population:
    """Subjects that differ only in their training seed, or also in the words that they learnt.

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
    stimuli: str = ""
    """See `Description`."""
    familiar: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """See `Description`."""
    features: Path | None = None
    """Folder whose files of features stand in the place of frozen backbones; None for none."""
    stands_on: Mapping[str, str] = field(default_factory=dict)
    """What its subjects stand on, `hearing` or `seeing` -> checksum, where no file of the folder
    tells it, see `toolkit.subjects.vgs.standing`."""

    def draw(self, seed: str) -> str:
        """Name of the draw of familiar concepts that a subject learnt; empty without draws.

        Args:
            seed: one of `seeds`.

        Example:
            >>> some = {"01": ("ball", "cat"), "02": ("dog", "key")}
            >>> deaf = Population("deaf", (), ("01a", "02a"), "", "deaf:make", familiar=some)
            >>> deaf.draw("02a")
            '02'
        """
        return draw_of(seed, self.familiar) if self.familiar else ""

    def checksum(self, seed: str) -> str:
        """SHA-256 of everything that decides what the subject of this seed is.

        That is name, languages, seed and factory, and from the folder `config.json`, the Python
        files and all files that are named after the seed, such as `a.safetensors`. Backbones
        enter by their checksums in `config.json`, or in `stands_on` where it has none.

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
            "factory": _as_first_named(factory),
        }
        if self.folder is not None:
            facts["files"] = {path.name: self.verified(path.name) for path in self.files(seed)}
        if self.further:
            facts["further"] = [sha256_of(path) for path in self.further]
        if self.stands_on:
            facts["stands_on"] = dict(self.stands_on)
        if self.familiar:
            facts["familiar"] = sorted(self.familiar[self.draw(seed)])
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
                next_command=TRAIN_AGAIN,
            )
        return path

    def verified(self, name: str) -> str:
        """SHA-256 of a file in the folder, compared with the recorded one where there is one.

        Args:
            name: file name.

        Raises:
            ToolkitError: the file is missing or was changed.
        """
        return self._verified(name, sha256_of(self.file(name)))

    def content(self, name: str) -> bytes:
        """A file in the folder, as `verified`: the very bytes whose checksum was looked at.

        Args:
            name: file name.

        Raises:
            ToolkitError: the file is missing or was changed.
        """
        content = self.file(name).read_bytes()
        self._verified(name, hashlib.sha256(content).hexdigest())
        return content

    def _verified(self, name: str, actual: str) -> str:
        if self.sha256.get(name, actual) != actual:
            raise ToolkitError(
                f"The file {name} of population {self.name!r} is not the one that "
                f"{DESCRIPTION_FILE} describes: it was changed or damaged.",
                given=f"{self.file(name)} with SHA-256 {actual}",
                allowed=self.sha256[name],
                next_command=TRAIN_AGAIN,
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
        # Names of seeds may hold signs that patterns know; checksums are about files, and no part.
        named = (path for path in self.folder.iterdir() if path.name.startswith(f"{seed}."))
        own_files = (path for path in named if path.suffix != CHECKSUM_SUFFIX)
        files = {*self.folder.glob("*.py"), *own_files}
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


@dataclass(frozen=True)
class ReadOnce(Population):
    """A population whose files stay as they are while it is in use: they are read for one checksum.

    Example:
        >>> one = ReadOnce.of(Population("deaf", (), ("a",), "Hears nothing.", "deaf:make"))
        >>> one.checksum("a") is one.checksum("a")
        True
    """

    known: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Checksums of its subjects, as far as they were asked for."""

    @classmethod
    def of(cls, population: Population) -> ReadOnce:
        """The same population, of which checksums are remembered.

        Args:
            population: any.
        """
        return cls(**{one.name: getattr(population, one.name) for one in fields(population)})

    def checksum(self, seed: str) -> str:
        """As `Population.checksum`, where that was not asked before.

        Args:
            seed: one of `seeds`.
        """
        if seed not in self.known:
            self.known[seed] = super().checksum(seed)
        return self.known[seed]


def read_population(folder: str | Path) -> Population:
    """Read the description in one population folder.

    Args:
        folder: a folder with a `population.toml`.

    Raises:
        ToolkitError: the file is missing, malformed (all its faults are listed), or not what was
            written.
    """
    path = Path(folder) / DESCRIPTION_FILE
    told = toml_record(Description, path, "the description of a population, a TOML file in UTF-8")
    if path.read_text("utf-8").startswith(_CHECKED):
        require_sound(path, TRAIN_AGAIN, kept=True)
    for seed in told.seeds if told.familiar else ():
        draw_of(seed, told.familiar, str(path))
    return Population(
        name=told.name,
        languages=told.languages,
        seeds=told.seeds,
        description=told.description,
        factory=told.factory,
        folder=path.parent.absolute(),
        sha256=told.sha256,
        stimuli=told.stimuli,
        familiar=told.familiar,
    )


def draw_of(seed: str, familiar: Mapping[str, Sequence[str]], where: str = "") -> str:
    """The draw that a subject is of, which its name begins with.

    Args:
        seed: name of the subject.
        familiar: draws and their concepts.
        where: what names it, for the message.

    Raises:
        ToolkitError: its name begins with that of no draw, or of several.

    Example:
        >>> draw_of("01a", {"01": ("ball", "cat"), "02": ("dog", "key")})
        '01'
    """
    found = [name for name in familiar if seed.startswith(name) and seed != name]
    if len(found) != 1:
        raise ToolkitError(
            f"{seed!r} is a subject of {'several draws' if found else 'no draw'} of familiar "
            "concepts.",
            given=where or seed,
            allowed="the name of one draw and that of a seed, e.g. 01a, where [familiar] has "
            + ", ".join(list(familiar)[:3]),
        )
    return found[0]


def own_draw(seed: str, familiar: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """The concepts that a subject learnt; None without draws.

    Args:
        seed: name of the subject.
        familiar: draws and their concepts.
    """
    return tuple(familiar[draw_of(seed, familiar)]) if familiar else None


def write_description(folder: Path, described: Description) -> None:
    """Write the description of a population that was made by a command, and its checksum.

    Args:
        folder: the folder.
        described: what it says.

    Raises:
        ToolkitError: it says what could not be read again.
    """
    content = asdict(described)
    for name in ("stimuli", "familiar"):
        if not content[name]:
            del content[name]
    checked(Description, content, Source(str(folder / DESCRIPTION_FILE), fails="cannot be written"))
    text = f"{_CHECKED}\n{write_toml(content)}"
    with write_checked(folder / DESCRIPTION_FILE) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


def _as_first_named(factory: str) -> str:
    """A factory with the name that its module had at first, see `MOVED`.

    Example:
        >>> _as_first_named("toolkit.subjects.vgs.subject:load_subject")
        'toolkit.subjects.vgs_subject:load_subject'
    """
    module, _, attribute = factory.partition(":")
    first = {now: before for before, now in MOVED.items()}
    return f"{first.get(module, module)}:{attribute}"


def _import_factory(spec: str, population: Population) -> Callable[[Population, str], Subject]:
    """Import the callable that a description names, first from beside the description."""
    module_name, _, attribute = spec.partition(":")
    try:
        module = _import_beside(module_name, population.folder)
        installed = MOVED.get(module_name, module_name)
        factory = getattr(module or importlib.import_module(installed), attribute)
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
