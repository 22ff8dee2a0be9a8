"""Train whole populations: the shipped ones, or the same kinds on another stimulus set.

A run that was killed goes on where it stopped: the features of the stimuli are kept in
`OUT/features`, and a subject whose file carries the checksum of everything that decides it is not
trained again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stimuli import StimulusSet, open_set
from toolkit.errors import ToolkitError, unknown_name
from toolkit.store import package_version
from toolkit.subjects.populations import WEIGHTS
from toolkit.subjects.vgs_subject import backbone_checksum
from toolkit.training import cards, fit
from toolkit.training.features import FeatureBank, bank_key, build_bank, load_bank, save_bank
from toolkit.training.recipe import Recipe

SEEDS = tuple("abcdefghij")
"""Names of the seeds of every population."""
TRAINING_VERSION = 1
"""Raised when the same recipe would give other weights."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Backbones:
    """Folders of the two frozen backbones."""

    hearing: Path = WEIGHTS / "hearing"
    """Folder of the speech backbone."""
    seeing: Path = WEIGHTS / "seeing"
    """Folder of the picture backbone."""


@dataclass(frozen=True)
class Cell:
    """One subject to be trained."""

    population: str
    """Name of its population."""
    languages: tuple[str, ...]
    """ISO codes of the languages it hears."""
    seed: str
    """Name of its seed."""

    @property
    def number(self) -> int:
        """What the random generators start from: another one for every population and seed.

        Example:
            >>> Cell("untrained", (), "a").number == Cell("untrained", (), "b").number
            False
        """
        digest = hashlib.sha256(f"{self.population}/{self.seed}".encode()).digest()
        return int.from_bytes(digest[:4], "little")


SHIPPED_RECIPE = Recipe()
SHIPPED_BACKBONES = Backbones()


def known_populations(languages: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The populations that can be trained on a stimulus set, with the languages of each.

    Args:
        languages: ISO codes of the languages spoken in the set.

    Example:
        >>> list(known_populations(["en", "nl"]))
        ['monolingual-en', 'monolingual-nl', 'bilingual-en-nl', 'untrained']
    """
    codes = sorted(languages)
    known: dict[str, tuple[str, ...]] = {f"monolingual-{code}": (code,) for code in codes}
    known |= {f"bilingual-{a}-{b}": (a, b) for a, b in itertools.combinations(codes, 2)}
    return known | {"untrained": ()}


def train_populations(
    names: Sequence[str],
    seeds: str | Sequence[str],
    out: str | Path,
    stimuli: str | Path = "mini",
    jobs: int = 2,
    progress: Progress = lambda *_: None,
    *,
    recipe: Recipe = SHIPPED_RECIPE,
    backbones: Backbones = SHIPPED_BACKBONES,
) -> None:
    """Train populations and write one folder for each.

    Args:
        names: populations, see `known_populations`; `all` stands for every one.
        seeds: letters among a..j, such as `"abc"`; `all` stands for every one.
        out: folder for the population folders; made where it is missing.
        stimuli: name or folder of a stimulus set; its splits `train` and `valid` are used.
        jobs: subjects trained at the same time, each in a process of its own on one core. It
            does not change the weights.
        progress: called as the work goes on.
        recipe: all choices of the training.
        backbones: the frozen backbones.

    Raises:
        ToolkitError: an unknown population or seed, a folder that cannot be written, stimuli or
            backbones that cannot be read.
    """
    opened = open_set(stimuli)
    known = known_populations(opened.languages)
    chosen = _chosen("population", names, list(known))
    letters = _chosen("seed", seeds if seeds == "all" else list(seeds), SEEDS)
    folder = Path(out)
    try:
        (folder / "features").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolkitError(f"Cannot make the folder {folder}: {error.strerror}.") from error
    path = _features(opened, recipe, backbones, folder / "features", progress)
    facts = {name: _facts(name, known[name], opened, recipe, backbones, path) for name in chosen}
    cells = [Cell(name, known[name], seed) for name in chosen for seed in letters]
    for name in chosen:
        cards.start(folder / name, facts[name])
    waiting = [
        cell
        for cell in cells
        if cards.stored_key(folder / cell.population, cell.seed) != cell_key(cell, facts)
    ]
    done = len(cells) - len(waiting)
    progress("training subjects", done, len(cells))
    for cell, fitted in _train(waiting, path, recipe, jobs):
        key = cell_key(cell, facts)
        cards.add_subject(folder / cell.population, cell.seed, fitted, key)
        cards.describe(folder / cell.population, facts[cell.population], _keys(cell, facts))
        done += 1
        progress("training subjects", done, len(cells))


def cell_key(cell: Cell, facts: dict[str, dict[str, Any]]) -> str:
    """Checksum over everything that decides the weights of a subject.

    Args:
        cell: the subject.
        facts: `config.json` of every population.
    """
    decisive = {key: value for key, value in facts[cell.population].items() if key != "versions"}
    text = json.dumps([TRAINING_VERSION, decisive, cell.seed, cell.number], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _keys(cell: Cell, facts: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Checksum of every subject that the population may have, by seed."""
    return {seed: cell_key(replace(cell, seed=seed), facts) for seed in SEEDS}


def _chosen(kind: str, asked: str | Sequence[str], known: Sequence[str]) -> list[str]:
    """The names that were asked for, each once, in the order of the known ones."""
    if asked == "all" or "all" in asked:
        return list(known)
    for name in asked:
        if name not in known:
            raise unknown_name(kind, name, [*known, "all"])
    return [name for name in known if name in asked]


def _features(
    stimuli: StimulusSet, recipe: Recipe, backbones: Backbones, folder: Path, progress: Progress
) -> Path:
    """File with the features of the stimuli, made where it is missing."""
    key = bank_key(
        stimuli.checksum,
        backbone_checksum(backbones.hearing),
        backbone_checksum(backbones.seeing),
        recipe.word_views,
        recipe.picture_views,
    )
    path = folder / f"{key}.safetensors"
    if not path.is_file():
        from toolkit.subjects.hearing import Hearing
        from toolkit.subjects.seeing import Seeing

        bank = build_bank(
            stimuli,
            Hearing(backbones.hearing),
            Seeing(backbones.seeing),
            word_views=recipe.word_views,
            picture_views=recipe.picture_views,
            progress=progress,
        )
        save_bank(bank, path)
    return path


def _facts(
    name: str,
    languages: tuple[str, ...],
    stimuli: StimulusSet,
    recipe: Recipe,
    backbones: Backbones,
    features: Path,
) -> dict[str, Any]:
    """Everything that `config.json` of a population says."""
    own = recipe if languages else replace(recipe, n_updates=0)
    return {
        "population": name,
        "languages": list(languages),
        "network": asdict(fit.network_config(_bank(features), recipe)),
        "training": {"version": TRAINING_VERSION, **own.record(), "features": features.stem},
        "stimuli": {
            "name": stimuli.name,
            "version": stimuli.version,
            "checksum": stimuli.checksum,
            "trained_on": "split train, familiar concepts",
            "chosen_by": "split valid, familiar concepts",
        },
        "backbones": {
            kind: {
                "folder": path.name if path.parent == WEIGHTS else str(path.absolute()),
                "sha256": backbone_checksum(path),
            }
            for kind, path in (("hearing", backbones.hearing), ("seeing", backbones.seeing))
        },
        "versions": {
            "mevgs-toolkit": package_version("mevgs-toolkit"),
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
        },
    }


def _train(
    cells: Sequence[Cell], features: Path, recipe: Recipe, jobs: int
) -> Iterator[tuple[Cell, fit.Fitted]]:
    """Train subjects, each as soon as a process is free; those that are ready come first."""
    if jobs == 1:
        threads = torch.get_num_threads()
        _one_core()
        try:
            for cell in cells:
                yield cell, _fit_cell(cell, features, recipe)
        finally:
            torch.set_num_threads(threads)
        return
    # Spawned, because a forked torch may hang on locks of threads that do not exist any more.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        max_workers=max(1, min(jobs, len(cells))), mp_context=context, initializer=_one_core
    )
    try:
        running = {pool.submit(_fit_cell, cell, features, recipe): cell for cell in cells}
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _one_core() -> None:
    """One thread per process: the sums are then added up in one order on every machine."""
    torch.set_num_threads(1)


def _fit_cell(cell: Cell, features: Path, recipe: Recipe) -> fit.Fitted:
    """Train one subject, in whatever process this is called."""
    return fit.fit(_bank(features), cell.languages, recipe, cell.number)


@lru_cache(maxsize=1)
def _bank(path: Path) -> FeatureBank:
    """The features, mapped into memory once per process."""
    return load_bank(path)
