"""What it costs to check stored files: the same warm run with and without, in pairs.

A run whose cells, tables and statistics are all there is asked for again, as ``run-paradigm`` does,
once with every checksum verified and once with none, in turn, and the CPU time of the two is set
against each other, pair by pair. So is a run of maps whose cells are lost, so that dense features
are read again.

    python -m tests.benchmarks.cost_of_checking --pairs 20
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import typer

from stimuli import files, open_set
from tests.colours import Guessing, population
from tests.conftest import write_scenes
from toolkit.api.running import run_paradigm
from toolkit.subjects.population import Population

N_SEEDS, PER_CLASS, N_SCENES = 20, 400, 64
PACKAGES = ("toolkit", "reports", "stimuli", "paradigms", "tests")
UNCHECKED: dict[str, Callable[..., Any]] = {
    "is_sound": lambda path: Path(path).is_file(),
    "require_sound": lambda *given, **options: None,
    "read_sound": lambda path, *given, **options: Path(path).read_bytes(),
}
"""What takes the place of the checks: files are found and read, and nothing is summed."""


class Hasher:
    """Hears and sees noise that depends on what it is given."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def embed_words(self, media: list[np.ndarray]) -> np.ndarray:
        keys = [int(np.abs(np.asarray(one, float)).sum() * 1e6) % 2**32 for one in media]
        made = [np.random.default_rng([self.seed, key]).normal(size=128) for key in keys]
        return np.array(made, dtype=np.float32)

    embed_pictures = embed_words

    def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        return words @ pictures.T


class Dense(Guessing):
    """Features as fine and as wide as those of a published model."""

    def text(self, text: str) -> np.ndarray:
        vector = np.random.default_rng(sum(text.encode())).normal(size=512)
        unit: np.ndarray = vector / np.linalg.norm(vector)
        return unit

    def patches(self, picture: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(int(picture.astype(np.int64).sum()))
        made = rng.normal(size=(14, 14, 512))
        unit: np.ndarray = made / np.linalg.norm(made, axis=-1, keepdims=True)
        return unit.astype(np.float32)


@contextmanager
def unchecked() -> Iterator[None]:
    """Have nothing checked, in whichever module a check is called."""
    checks = {name: getattr(files, name) for name in UNCHECKED}
    places = [
        (module, name)
        for key, module in list(sys.modules.items())
        if key.partition(".")[0] in PACKAGES
        for name, check in checks.items()
        if getattr(module, name, None) is check
    ]
    for module, name in places:
        setattr(module, name, UNCHECKED[name])
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, checks[name])


def choices(root: Path) -> Callable[[], None]:
    """A run of 20 networks, with its statistics, where all is there."""
    seeds = tuple("abcdefghijklmnopqrst"[:N_SEEDS])
    made: Any = lambda own, seed: Hasher(ord(seed))  # noqa: E731
    who = Population("hasher", ("en",), seeds, "Hashes.", made)

    def ask() -> None:
        run_paradigm("me", who, trials_per_class=PER_CLASS, out=root).analyse()

    return ask


def maps(root: Path, *, lost: bool) -> Callable[[], None]:
    """A run of maps where all is there, or all but its cells."""
    scenes = open_set(write_scenes(root / "scenes", N_SCENES))
    who = population(Dense, seeds="a")

    def ask() -> None:
        if lost:
            for cell in (root / "runs").glob("cells/*/*"):
                cell.unlink()
        run_paradigm("dense-grounding", who, stimuli=scenes, out=root / "runs")

    return ask


def paired(ask: Callable[[], None], n_pairs: int) -> list[float]:
    """CPU time with checks over that without, one ratio per pair; who comes first alternates."""

    def cpu_s() -> float:
        start = time.process_time()
        ask()
        return time.process_time() - start

    def without_s() -> float:
        with unchecked():
            return cpu_s()

    for _ in range(2):  # makes what is lacking, and then has all imported
        ask()
    ratios = []
    for number in range(n_pairs):
        if number % 2:
            without, checked = without_s(), cpu_s()
        else:
            checked, without = cpu_s(), without_s()
        ratios.append(checked / without)
    return ratios


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("choices", "maps", "lost"):
            (root / name).mkdir()
        for name, ask in (
            ("choices, all reused", choices(root / "choices")),
            ("maps, all reused", maps(root / "maps", lost=False)),
            ("maps, features reused", maps(root / "lost", lost=True)),
        ):
            ratios = sorted(paired(ask, asked.pairs))
            middle = statistics.median(ratios)
            low, high = (ratios[int(len(ratios) * q)] for q in (0.25, 0.75))
            typer.echo(
                f"{name:24} {100 * (middle - 1):+.1f} % (quartiles {100 * (low - 1):+.1f} to "
                f"{100 * (high - 1):+.1f}; {len(ratios)} pairs)"
            )
        size = sum(one.stat().st_size for one in root.rglob("*") if one.is_file()) / 1e6
        typer.echo(f"{size:.0f} MB stored")
    return 0


if __name__ == "__main__":
    sys.exit(main())
