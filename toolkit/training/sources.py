"""What can be trained on: a stimulus set through frozen backbones, or published features."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from stimuli import StimulusSet, open_set
from stimuli.files import is_sound, sha256_of, sha256_of_sums
from stimuli.published import (
    VOCABULARY,
    check_entry,
    language_code,
    read_list,
    read_vocabulary,
)
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError, quoted, unknown_name
from toolkit.subjects.backbones.ears import RATE
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.finding import backbone_name, find_backbone, open_backbone
from toolkit.subjects.backbones.in_place import state_of
from toolkit.subjects.backbones.stored import BACKBONE, SUFFIX, FeatureFile, is_known
from toolkit.subjects.contract import require_rate
from toolkit.subjects.features.sources import Job, find_jobs
from toolkit.subjects.population import WEIGHTS
from toolkit.training.bank_files import load_bank, save_bank
from toolkit.training.features import SPLITS, FeatureBank, bank_key, build_bank, outline
from toolkit.training.on_disk import OnDisk
from toolkit.training.published_files import find_features
from toolkit.training.published_samples import find_samples
from toolkit.training.recipe import Recipe

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
_PRECISIONS = {"half": torch.half, "float32": torch.float32}
"""Of features, by their names in `toolkit.training.recipe.FEATURE_PRECISIONS`."""


class Source(Protocol):
    """Where training takes its features from."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def version(self) -> str:
        """Which version of it."""

    @property
    def checksum(self) -> str:
        """Checksum over its content."""

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO codes of the languages spoken in it."""

    def backbones(self) -> dict[str, dict[str, str]]:
        """Folder and checksum of the frozen backbones, by kind, as `config.json` has them."""

    def files(self) -> dict[str, str]:
        """Files of published features with their checksums, as `config.json` has them."""

    def samples(self, languages: Sequence[str], recipe: Recipe) -> Path | None:
        """File with the validation sample of some languages; None where it is drawn."""

    def outline(self) -> FeatureBank:
        """Its names and classes, without features."""

    def check(self, recipe: Recipe) -> None:
        """Refuse a recipe that there can be no features for.

        Raises:
            ToolkitError: it asks for altered views of published features.
        """

    def key(self, recipe: Recipe) -> str:
        """Name of the bank that a recipe needs: a checksum over all that decides its content."""

    def trained_on(self, recipe: Recipe, bank: Path) -> str:
        """Checksum over what decides the features that `kept_bank` put there or has there."""

    def bank(self, recipe: Recipe, progress: Progress, device: Device = CPU) -> FeatureBank:
        """The bank that a recipe needs; backbones compute on the device, always in float32."""

    def bank_path(self, recipe: Recipe, folder: Path) -> Path:
        """File in a folder that `kept_bank` makes, there or not."""

    def kept_bank(self, recipe: Recipe, folder: Path, progress: Progress, device: Device) -> Path:
        """File of the bank that a recipe needs, made where it is missing or damaged.

        Args:
            recipe: how subjects are trained.
            folder: where such files are kept.
            progress: called as the work goes on.
            device: where backbones compute.
        """


def open_source(
    stimuli: str | Path,
    hearing: str | Path,
    seeing: str | Path,
    languages: Collection[str] | None = None,
) -> Source:
    """A stimulus set, or a folder in the published layout with its features.

    Features on disk are asked for in the languages that are trained, and in no others.

    Args:
        stimuli: name or folder of a stimulus set, or the folder that holds `data/filelists`.
        hearing: name, folder or file of the frozen speech backbone.
        seeing: name, folder or file of the frozen picture backbone.
        languages: ISO codes of the languages that are trained; None for all there are.

    Raises:
        ToolkitError: there is no such set or backbone, something published is missing, or the clips
            of a set have another sampling rate than backbones hear.
    """
    root = Path(stimuli)
    if (root / "data" / "filelists").is_dir():
        return PublishedData(root, str(hearing), str(seeing), languages)
    opened = open_set(stimuli)
    require_rate(opened, RATE)
    ears = find_backbone("hearing", hearing)
    heard = tuple(code for code in opened.languages if code in (languages or opened.languages))
    if ears.suffix != SUFFIX or heard == opened.languages:
        # A backbone hears whatever there is, once for all that are trained now or later.
        return SetSource(opened, ears, find_backbone("seeing", seeing))
    return SetSource(opened, ears, find_backbone("seeing", seeing), heard)


@dataclass(frozen=True)
class SetSource:
    """A stimulus set, heard and seen through frozen backbones."""

    stimuli: StimulusSet
    """The set."""
    hearing: Path = WEIGHTS / "hearing"
    """Folder of the speech backbone."""
    seeing: Path = WEIGHTS / "seeing"
    """Folder or file of the picture backbone."""
    heard: tuple[str, ...] | None = None
    """The only languages whose words are heard; None for all."""

    @property
    def name(self) -> str:
        """Name of the set."""
        return self.stimuli.name

    @property
    def version(self) -> str:
        """Version of the set."""
        return self.stimuli.version

    @property
    def checksum(self) -> str:
        """Checksum of the set."""
        return self.stimuli.checksum

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the set."""
        return self.stimuli.languages

    def backbones(self) -> dict[str, dict[str, str]]:
        """See `Source`."""
        return {
            kind: {
                "folder": path.name if path.parent == WEIGHTS else str(path.absolute()),
                "sha256": self._sums[path],
            }
            for kind, path in (("hearing", self.hearing), ("seeing", self.seeing))
        }

    def files(self) -> dict[str, str]:
        """See `Source`; features that stand in a backbone's place are told as backbones are."""
        return {}

    def samples(self, languages: Sequence[str], recipe: Recipe) -> Path | None:
        """See `Source`; sets have none."""
        return None

    def outline(self) -> FeatureBank:
        """See `Source`."""
        return outline(self.stimuli, self.heard)

    def check(self, recipe: Recipe) -> None:
        """See `Source`; of stimuli, there is any number of views."""

    def key(self, recipe: Recipe) -> str:
        """See `Source`."""
        return bank_key(
            self.stimuli.checksum,
            self._sums[self.hearing],
            self._sums[self.seeing],
            recipe.word_views,
            recipe.picture_views,
            *(self.heard or ()),
            *_precision_facts(recipe),
        )

    def trained_on(self, recipe: Recipe, bank: Path) -> str:
        """See `Source`; of features that tell a backbone's name alone, themselves."""
        key = self.key(recipe)
        return bank_key(key, sha256_of(bank)) if self._named_alone else key

    def bank(self, recipe: Recipe, progress: Progress, device: Device = CPU) -> FeatureBank:
        """See `Source`; every view goes through the backbones once."""
        exact = replace(device, precision="float32")
        made = build_bank(
            self.stimuli,
            open_backbone("hearing", self.hearing, exact),
            open_backbone("seeing", self.seeing, exact),
            word_views=recipe.word_views,
            picture_views=recipe.picture_views,
            languages=self.heard,
            precision=_PRECISIONS[recipe.feature_precision],
            progress=progress,
        )
        return replace(made, made_on=exact.told)

    def bank_path(self, recipe: Recipe, folder: Path) -> Path:
        """See `Source`."""
        # Of a backbone's name there may be others.
        states = [state_of(place)[1:] for place in self._named_alone]
        own = f"-{bank_key(json.dumps(states))}" if states else ""
        return folder / f"{self.key(recipe)}{own}.safetensors"

    def kept_bank(self, recipe: Recipe, folder: Path, progress: Progress, device: Device) -> Path:
        """See `Source`."""
        path = self.bank_path(recipe, folder)
        if not is_sound(path):
            save_bank(self.bank(recipe, progress, device), path)
        return path

    @property
    def _named_alone(self) -> list[Path]:
        """Files of features that tell a backbone's name alone."""
        return [path for path, told in self._sums.items() if not is_known(told)]

    @cached_property
    def _sums(self) -> dict[Path, str]:
        """Checksum of each backbone: some are hundreds of megabytes, and read once."""
        return {path: backbone_checksum(path) for path in (self.hearing, self.seeing)}


class PublishedData:
    """The data of Oneata et al. (2025) as published, or others in the same layout.

    File lists and vocabulary are in `data`, features in `output`, as the published code and
    `extract-features` write them. Features stay there, and are rounded to the precision of the
    recipe when they are read. All files are gone through once, for their checksums and those of
    single features; what was found is kept, and holds as long as size and time of the last change
    of every file are the same.

    Args:
        root: the folder that holds `data` and `output`.
        hearing: the backbone whose speech features are used.
        seeing: the backbone whose picture features are used.
        languages: ISO codes of those that must be there; None for all that the lists name.

    Raises:
        ToolkitError: a list, the vocabulary or a file of features is missing or broken, or a list
            has a word that is not in the vocabulary, or a language that is none.
    """

    version = "published layout"

    def __init__(
        self, root: Path, hearing: str, seeing: str, languages: Collection[str] | None = None
    ) -> None:
        self.name = root.absolute().name
        self._data = root / "data"
        self._named = {"word": hearing, "picture": seeing}
        names = {kind: backbone_name(name) for kind, name in self._named.items()}
        self._jobs = [
            job
            for job in find_jobs(str(root), root / "output", names, splits=SPLITS)
            if job.path.is_file() or self._is_wanted(job, languages)
        ]
        for job in self._jobs:
            if not job.path.is_file():
                raise ToolkitError(
                    "There is no such file of features.",
                    given=str(job.path),
                    next_command=f"mevgs-toolkit extract-features {quoted(root)} "
                    f"--out {quoted(root / 'output')}, "
                    "or other backbones with --hearing and --seeing",
                )
        self._vocabulary = read_vocabulary(self._data)
        self._classes = {job: self._classes_of(job) for job in self._jobs}
        spoken = {self._language(job) for job in self._jobs if job.kind == "word"}
        self.languages = tuple(sorted(language_code(language) for language in spoken))
        lists = {self._data / "filelists" / job.source for job in self._jobs}
        self._texts = [*sorted(lists), *(self._data / name for name in VOCABULARY)]
        self._sums: dict[Job, str] = {}

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over lists, vocabulary and features; these are read if they were not yet."""
        sums = {path: sha256_of(path) for path in self._texts}
        sums |= {job.path: self._sums.get(job) or sha256_of(job.path) for job in self._jobs}
        return sha256_of_sums(sums)

    def backbones(self) -> dict[str, dict[str, str]]:
        """See `Source`; known by their checksums where the files of features tell them.

        What is called so on this machine is not looked at: nothing would tell that it made them.

        Raises:
            ToolkitError: files of one kind were made by different backbones.
        """
        kinds = {"hearing": "word", "seeing": "picture"}
        return {
            which: {"folder": self._named[kind], "sha256": self._made_by[kind]}
            for which, kind in kinds.items()
        }

    def files(self) -> dict[str, str]:
        """See `Source`."""
        return self._told_files

    def samples(self, languages: Sequence[str], recipe: Recipe) -> Path | None:
        """See `Source`; see `toolkit.training.published_samples`."""
        return find_samples(self._data / "filelists", languages, recipe)

    @cached_property
    def _told_files(self) -> dict[str, str]:
        root = self._data.parent
        return {
            job.path.relative_to(root).as_posix(): self._sums.get(job) or sha256_of(job.path)
            for job in self._jobs
        }

    @cached_property
    def _made_by(self) -> dict[str, str]:
        """Checksum of the backbone behind the features of each kind; empty if one is not told."""
        made_by = {}
        for kind in self._named:
            paths = [job.path for job in self._jobs if job.kind == kind]
            told = {path: FeatureFile(path).attributes.get(BACKBONE, "") for path in paths}
            known = {sha256: path for path, sha256 in told.items() if is_known(sha256)}
            if len(known) > 1:
                raise ToolkitError(
                    f"The features of {kind}s were made by different backbones.",
                    given=", ".join(f"{path}: {sha256[:16]}" for sha256, path in known.items()),
                    allowed="files by one backbone",
                    next_command="remove those of the other one, and run mevgs-toolkit "
                    f"extract-features {quoted(self._data.parent)} "
                    f"--out {quoted(self._data.parent / 'output')} again",
                )
            made_by[kind] = next(iter(known), "") if set(told.values()) == set(known) else ""
        return made_by

    def outline(self) -> FeatureBank:
        """See `Source`."""
        n_words = sum(len(own) for job, own in self._classes.items() if job.kind == "word")
        return self._bank([0] * n_words, 0, (0, 0, 0), None)

    def check(self, recipe: Recipe) -> None:
        """See `Source`; published features are of the stimuli as they are."""
        if (recipe.word_views, recipe.picture_views) != (1, 1):
            raise ToolkitError(
                "Published features are of the stimuli as they are; there are no altered views.",
                given=f"{recipe.word_views} word views, {recipe.picture_views} picture views",
                allowed="word_views = 1 and picture_views = 1, as in the recipe 'published'",
            )

    def key(self, recipe: Recipe) -> str:
        """See `Source`."""
        return bank_key(self.checksum, *_precision_facts(recipe))

    def trained_on(self, recipe: Recipe, bank: Path) -> str:
        """See `Source`."""
        return self.key(recipe)

    def bank_path(self, recipe: Recipe, folder: Path) -> Path:
        """See `Source`; named after the state of the files of features, which are not read."""
        told = [
            [sha256_of(path) for path in self._texts],
            *(state_of(job.path) for job in self._jobs),
        ]
        key = bank_key(json.dumps(told), *_precision_facts(recipe))
        return folder / f"in-place-{key}.safetensors"

    def kept_bank(self, recipe: Recipe, folder: Path, progress: Progress, device: Device) -> Path:
        """See `Source`; what was found in the files of features, and not the features."""
        path = self.bank_path(recipe, folder)
        if not is_sound(path):
            save_bank(self.bank(recipe, progress, device), path)
        if disk := load_bank(path).disk:
            gone_through = zip(self._jobs, disk.files, strict=True)
            self._sums = {job: file.sha256 for job, file in gone_through}
        return path

    def bank(self, recipe: Recipe, progress: Progress, device: Device = CPU) -> FeatureBank:
        """See `Source`; nothing is computed, and features stay where they are."""
        disk, found = find_features(self._classes, progress)
        lengths = [shape[0] for shape in found["word"]]
        dim = next((shape[1] for shape in found["word"]), 0)
        shape = next(iter(found["picture"]), (0, 0, 0))
        return self._bank(lengths, dim, shape, disk, _PRECISIONS[recipe.feature_precision])

    def _bank(
        self,
        lengths: Sequence[int],
        dim: int,
        shape: tuple[int, ...],
        disk: OnDisk | None,
        precision: torch.dtype = torch.half,
    ) -> FeatureBank:
        rows: dict[str, list[tuple[Job, str, str]]] = {"word": [], "picture": []}
        for job, own in self._classes.items():
            rows[job.kind] += [(job, name, concept) for name, concept in own.items()]
        return FeatureBank(
            concepts=tuple(sorted({row[2] for own in rows.values() for row in own})),
            word_table=tuple(
                (name, _split(job), concept, language_code(self._language(job)))
                for job, name, concept in rows["word"]
            ),
            picture_table=tuple(
                (name, _split(job), concept) for job, name, concept in rows["picture"]
            ),
            frames=torch.empty(0, dim, dtype=precision),
            word_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            maps=torch.empty(0, *shape, dtype=precision),
            disk=disk,
        )

    def _classes_of(self, job: Job) -> dict[str, str]:
        """Class of every familiar clip or picture of a file of features."""
        path = self._data / "filelists" / job.source
        entries = read_list(path)
        names, words = set(job.names), dict[str, str]()
        language = self._language(job)
        known = frozenset(self._vocabulary.words)
        for number, entry in enumerate(entries):
            check_entry(entry, f"Entry {number} of {path}", job.kind, ("word-en",))
            word = entry["word-en"]
            if word not in known:
                raise unknown_name(
                    f"word in the vocabulary in {self._data} for the entry {entry['name']!r} of "
                    f"{path.name}:",
                    str(word),
                    sorted(known),
                )
            wanted = entry["name"] in names and language in ("", entry.get("lang"))
            if wanted and words.setdefault(entry["name"], word) != word:
                raise ToolkitError(
                    f"{entry['name']!r} is listed as {words[entry['name']]!r} and as {word!r}.",
                    given=str(path),
                )
        status = self._vocabulary.status
        return {name: word for name, word in words.items() if status.get(word) == "familiar"}

    def _is_wanted(self, job: Job, languages: Collection[str] | None) -> bool:
        """Whether nothing can be trained without a file of features."""
        if job.kind == "picture" or languages is None:
            return True
        return language_code(self._language(job)) in languages

    def _language(self, job: Job) -> str:
        """What the lists call the language of a file of speech features; nothing for pictures."""
        if job.kind == "picture":
            return ""
        told = job.path.stem.removeprefix(f"me-dataset-{_split(job)}-")
        return told.removesuffix(f"-{backbone_name(self._named['word'])}")


def _precision_facts(recipe: Recipe) -> tuple[str, ...]:
    """What the precision of features adds to the name of a bank; half adds nothing, as ever."""
    return () if recipe.feature_precision == "half" else (recipe.feature_precision,)


def _split(job: Job) -> str:
    """Split of a file of features, told by its name."""
    return next(split for split in SPLITS if f"-{split}-" in job.path.name)
