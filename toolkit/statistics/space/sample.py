"""Samples of an embedding space, what is known per class, and resampling of classes and seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from toolkit.errors import ToolkitError

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STATUSES = ("all", "familiar", "novel")
"""Groups of classes that are looked at together and apart."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Embeddings of one network: pictures, or the words of one language, a few of each class.

    Example:
        >>> sample = Sample("word", "en", ("w1", "w2"), ("ball", "ball"), np.eye(2))
        >>> sample.classes, sample.spreads.tolist()
        (('ball',), [1.0])
    """

    modality: str
    """``word`` or ``picture``."""
    language: str
    """ISO code of the words; empty for pictures."""
    ids: tuple[str, ...]
    """Stimulus ids."""
    concepts: tuple[str, ...]
    """Concept of every stimulus: its class."""
    vectors: npt.NDArray[np.floating]
    """(n, d) embeddings as the network gave them."""

    def __post_init__(self) -> None:
        n = len(self.ids)
        if self.vectors.ndim != 2 or len(self.vectors) != n or len(self.concepts) != n or not n:
            raise ToolkitError(
                f"The sample of {self.modality}s does not hold together.",
                given=f"{n} ids, {len(self.concepts)} concepts, vectors {self.vectors.shape}",
                allowed="as many concepts and vectors as ids, at least one",
            )
        broken = ~np.isfinite(self.vectors).all(axis=1)
        if broken.any():
            raise ToolkitError(
                f"{int(broken.sum())} of {n} embeddings of {self.modality}s are NaN or infinite, "
                f"first that of {self.ids[int(broken.argmax())]}.",
                allowed="finite numbers; nothing was written",
            )

    @cached_property
    def unit(self) -> Array:
        """(n, d) vectors of length one; zero vectors stay zero."""
        vectors = self.vectors.astype(np.float64)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(length == 0, 1, length)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Concepts, sorted, each once."""
        return tuple(sorted(set(self.concepts)))

    @cached_property
    def codes(self) -> Ints:
        """(n,) class of every stimulus."""
        place = {name: number for number, name in enumerate(self.classes)}
        return np.array([place[name] for name in self.concepts], dtype=np.int64)

    @cached_property
    def sizes(self) -> Ints:
        """(C,) samples per class."""
        return np.bincount(self.codes, minlength=len(self.classes)).astype(np.int64)

    @cached_property
    def sums(self) -> Array:
        """(C, d) sum of the unit vectors of each class."""
        made = np.zeros((len(self.classes), self.unit.shape[1]))
        np.add.at(made, self.codes, self.unit)
        return made

    @cached_property
    def squares(self) -> Array:
        """(C,) sum of the squared lengths of the unit vectors of each class."""
        made: Array = np.zeros(len(self.classes))
        np.add.at(made, self.codes, (self.unit**2).sum(axis=1))
        return made

    @cached_property
    def means(self) -> Array:
        """(C, d) class means of the unit vectors, not normalised again."""
        return self.sums / self.sizes[:, None]

    @cached_property
    def spreads(self) -> Array:
        """(C,) trace of the covariance within each class; NaN for a single sample."""
        around = self.squares - (self.sums**2).sum(axis=1) / self.sizes
        return np.where(self.sizes > 1, np.maximum(around, 0), np.nan) / np.maximum(
            self.sizes - 1, 1
        )


@dataclass(frozen=True, eq=False)
class Space:
    """The embedding space of one network, seen through samples."""

    population: str
    """Its population."""
    languages: tuple[str, ...]
    """Languages it was trained on."""
    seed: str
    """Its seed."""
    samples: tuple[Sample, ...]
    """Words of each language, then pictures; the same stimuli for all networks."""
    familiar: frozenset[str] | None = None
    """The classes that it learnt, where networks learnt different ones."""

    def statuses(self, status_of: Mapping[str, str]) -> Mapping[str, str]:
        """``familiar`` or ``novel`` by class, for this network.

        Args:
            status_of: the same for networks that learnt what the stimulus set calls familiar.
        """
        if self.familiar is None:
            return status_of
        return {name: "familiar" if name in self.familiar else "novel" for name in status_of}

    def sample(self, modality: str, language: str = "") -> Sample | None:
        """The sample of that modality and language, if there is one."""
        for sample in self.samples:
            if (sample.modality, sample.language) == (modality, language):
                return sample
        return None

    def together(self) -> Space:
        """With the words of all its training languages as one more sample, where it has several.

        Their language is the codes joined by ``+``; a class then holds the clips of all of them.

        Example:
            >>> samples = tuple(
            ...     Sample("word", code, (f"{code}1",), ("ball",), np.eye(1))
            ...     for code in ("en", "nl")
            ... )
            >>> space = Space("bilingual-en-nl", ("en", "nl"), "a", samples).together()
            >>> space.samples[-1].language, space.samples[-1].ids
            ('en+nl', ('en1', 'nl1'))
        """
        parts = [part for code in self.languages if (part := self.sample("word", code))]
        if len(parts) < 2 or len(parts) < len(self.languages):
            return self
        pooled = Sample(
            "word",
            "+".join(self.languages),
            tuple(name for part in parts for name in part.ids),
            tuple(name for part in parts for name in part.concepts),
            np.concatenate([part.vectors for part in parts]),
        )
        return replace(self, samples=(*self.samples, pooled))

    @property
    def labels(self) -> dict[str, str | int]:
        """Columns that every row about its population bears."""
        return {
            "population": self.population,
            "n_languages": len(self.languages),
            "train_languages": "+".join(self.languages),
        }


def by_population(spaces: Iterable[Space]) -> dict[str, list[Space]]:
    """Networks by population, in order."""
    grouped: dict[str, list[Space]] = {}
    for space in spaces:
        grouped.setdefault(space.population, []).append(space)
    return grouped


def kinds_of(spaces: Iterable[Space]) -> list[tuple[str, str]]:
    """Modalities and languages that occur, in order, pictures last."""
    found = dict.fromkeys((s.modality, s.language) for space in spaces for s in space.samples)
    return sorted(found, key=lambda kind: kind[0] == "picture")


def alike(spaces: Iterable[Space]) -> bool:
    """True if all of some networks learnt the same classes."""
    return len({space.familiar for space in spaces}) == 1


def places_of(classes: Sequence[str], status_of: Mapping[str, str], status: str) -> Ints:
    """Places of the classes of a status among all; of all of them for ``all``.

    Example:
        >>> places_of(("ball", "dog"), {"ball": "novel", "dog": "familiar"}, "novel").tolist()
        [0]
    """
    return np.array(
        [place for place, name in enumerate(classes) if status in ("all", status_of[name])],
        dtype=np.int64,
    )


@dataclass(frozen=True)
class Resampling:
    """Bootstrap with a seed: the same numbers for the same question, in whatever order asked."""

    n: int
    """Resamples."""
    seed: int
    """Seed of the random numbers."""

    def classes(self, size: int) -> Array:
        """(n, size) how often each of so many classes was drawn, with replacement."""
        return _weights(self.n, size, self.seed, 0)

    def seeds(self, size: int) -> Array:
        """(n, size) how often each of so many seeds was drawn; drawn apart from the classes."""
        return _weights(self.n, size, self.seed, 1)

    def over_seeds(self, resampled: Array) -> Array:
        """Mean over seeds with seeds resampled too: (seeds, n) to (n,)."""
        weights = self.seeds(len(resampled))
        mean: Array = (weights * resampled.T).sum(axis=1) / len(resampled)
        return mean


@lru_cache(maxsize=64)
def _weights(n: int, size: int, seed: int, what: int) -> Array:
    rng = np.random.default_rng([seed, what, size])
    return rng.multinomial(size, np.full(size, 1 / size), size=n).astype(np.float64)


def interval(
    estimate: float, resampled: Array, lowest: float = -np.inf, highest: float = np.inf
) -> tuple[float, float]:
    """95 % interval: percentiles, moved by the bias that the resamples show.

    A class drawn twice adds nothing to the differences between classes, so that resamples vary
    around a value below (or, for distances, above) the estimate; the percentiles are moved back
    by the difference of the mean resample and the estimate (Efron and Tibshirani 1993, ch. 10).

    Args:
        estimate: from the sample itself.
        resampled: (n,) the same from each resample; NaN where it could not be computed.
        lowest: smallest value that is possible.
        highest: largest value that is possible.

    Returns:
        Lower and upper end; NaN where fewer than a quarter of the resamples gave a number, or all
        of them the same (one class, one seed).

    Example:
        >>> low, high = interval(5.0, np.linspace(0.0, 10.0, 1001))
        >>> round(low, 2), round(high, 2)
        (0.25, 9.75)
    """
    known = resampled[np.isfinite(resampled)]
    if not np.isfinite(estimate) or len(known) * 4 <= len(resampled) or np.ptp(known) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975)) - (known.mean() - estimate)
    return float(np.clip(low, lowest, highest)), float(np.clip(high, lowest, highest))
