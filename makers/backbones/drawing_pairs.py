"""Rendered drawings, the pairs the seeing backbone learns from, and how well it finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from makers.backbones.drawings import ANIMALS, Drawing

MEAN = (0.8, 0.8, 0.8)
STD = (0.35, 0.35, 0.35)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rendered drawings with what is needed to draw batches and to evaluate."""

    drawings: list[Drawing]
    """One per picture."""
    pictures: NDArray[np.uint8]
    """(n, size, size, 3)."""

    def rows(self, names: frozenset[str]) -> list[int]:
        """Row numbers of the drawings of these names."""
        return [i for i, d in enumerate(self.drawings) if d.name in names]


class Batches:
    """Pairs of drawings of one name, by two hands and, half of the time, in two styles."""

    def __init__(self, corpus: Corpus, names: Sequence[str], seed: int) -> None:
        """Sort the drawings by name and weigh the names."""
        self.pictures = corpus.pictures
        self.seed = seed
        place = {name: i for i, name in enumerate(names)}
        self.rows: list[list[int]] = [[] for _ in names]
        self.drawings = corpus.drawings
        picture = np.zeros(len(names), bool)
        for row, d in enumerate(corpus.drawings):
            if d.name in place:
                self.rows[place[d.name]].append(row)
                picture[place[d.name]] = d.picture_name
        counts = np.array([len(r) for r in self.rows], float)
        animal = np.array([n in ANIMALS for n in names])
        share = np.sqrt(np.minimum(counts, 40))
        self.weights = np.zeros(len(names))
        for group, weight in ((animal, 0.15), (picture & ~animal, 0.5), (~picture & ~animal, 0.35)):
            self.weights[group] = weight * share[group] / share[group].sum()
        self.weights /= self.weights.sum()

    def draw(self, n_names: int, step: int) -> tuple[Tensor, Tensor]:
        """Pictures (2 n_names, 3, size, size) in [0, 1] and the number of each one's name."""
        random = np.random.default_rng([self.seed, step])
        chosen = random.choice(len(self.rows), n_names, replace=False, p=self.weights)
        rows = [row for name in chosen for row in self._pair(self.rows[name], random)]
        pictures = torch.from_numpy(self.pictures[rows]).permute(0, 3, 1, 2).float() / 255
        return pictures, torch.from_numpy(np.repeat(chosen, 2))

    def _pair(self, rows: list[int], random: np.random.Generator) -> tuple[int, int]:
        first = rows[random.integers(len(rows))]
        a = self.drawings[first]
        other = [r for r in rows if self.drawings[r].family != a.family] or rows
        if random.random() < 0.5:
            other = [r for r in other if self.drawings[r].colour != a.colour] or other
        return first, other[random.integers(len(other))]


def _pooled(backbone: nn.Module, pictures: NDArray[np.uint8], size_px: int) -> Tensor:
    backbone.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pictures), 64):
            x = torch.from_numpy(pictures[start : start + 64]).permute(0, 3, 1, 2).float() / 255
            x = F.interpolate(x, (size_px, size_px), mode="bilinear", antialias=True)
            parts.append(backbone((x - MEAN[0]) / STD[0])[-1].mean((2, 3)))
    backbone.train()
    vectors = torch.cat(parts)
    return F.normalize((vectors - vectors.mean(0)) / vectors.std(0), dim=-1)


def evaluate(
    backbone: nn.Module, corpus: Corpus, rows: list[int], size_px: int
) -> dict[str, float]:
    """How often the nearest drawing by another hand shows the same thing, for names never seen.

    Args:
        backbone: Network with a feature map.
        corpus: All drawings.
        rows: Drawings of held-out names.
        size_px: Side of the pictures.

    Returns:
        Shares in [0, 1]: ``first`` among all held-out drawings by other hands,
        ``first_other_style`` (gallery of the other style only, colour or glyph),
        ``first_animals`` (animals among animals), ``pair_animals`` (two-picture choice between
        class means of animals, the means made without the hand of the picture in question).
    """
    drawings = [corpus.drawings[r] for r in rows]
    vectors = _pooled(backbone, corpus.pictures[rows], size_px)
    _, name = np.unique([d.name for d in drawings], return_inverse=True)
    _, hand = np.unique([d.family for d in drawings], return_inverse=True)
    colour = np.array([d.colour for d in drawings])
    animal = np.array([d.name in ANIMALS for d in drawings])
    similar = (vectors @ vectors.T).numpy()
    foreign = hand[:, None] != hand[None]

    def first(gallery: NDArray[np.bool_], queries: NDArray[np.bool_]) -> float:
        gallery = gallery & foreign
        has_mate = (gallery & (name[:, None] == name[None])).any(1) & queries
        nearest = np.where(gallery, similar, -2).argmax(1)
        return float((name[nearest] == name)[has_mate].mean())

    every = np.ones_like(animal)
    return {
        "first": first(foreign, every),
        "first_other_style": first(colour[:, None] != colour[None], every),
        "first_animals": first(animal[:, None] & animal[None], animal),
        "pair_animals": _pair_accuracy(vectors.numpy()[animal], name[animal], hand[animal]),
    }


def _pair_accuracy(
    vectors: NDArray[np.float32], name: NDArray[np.int64], hand: NDArray[np.int64]
) -> float:
    names = np.unique(name)
    hits: list[float] = []
    for i, vector in enumerate(vectors):
        away = hand != hand[i]
        scores = {
            k: float(vector @ vectors[away & (name == k)].mean(0))
            for k in names
            if (away & (name == k)).any()
        }
        own = scores.pop(name[i], None)
        if own is not None:
            hits += [float(own > other) for other in scores.values()]
    return float(np.mean(hits))
