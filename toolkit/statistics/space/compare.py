"""Are the spaces of two networks alike? Similarity of classes, and alignment by rotation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from toolkit.statistics.space.sample import (
    STATUSES,
    Array,
    Ints,
    Resampling,
    Sample,
    Space,
    alike,
    by_population,
    interval,
    kinds_of,
    places_of,
)

Rows = list[dict[str, Any]]
FEWEST_CLASSES = 3
"""Two classes have one similarity and can always be rotated onto each other."""
ALIGNMENT_RESAMPLES = 400
"""At most so many resamples of an alignment, each of which is a decomposition per pair of seeds."""
PERMUTATIONS = 20
"""Assignments of classes by chance, per pair of networks, behind the chance level."""


def similarity_rows(
    spaces: Sequence[Space], status_of: Mapping[str, str], resampling: Resampling
) -> tuple[Rows, Rows]:
    """Representational similarity between seeds and between populations.

    Spearman's correlation of the class-by-class cosine similarities (of class means) of two
    networks (Kriegeskorte et al. 2008), for pictures and for the words of each language.

    Returns:
        Rows per pair of populations, with intervals (classes and seeds resampled; a class with
        itself is no pair), and rows per pair of networks.
    """
    over, single = Rows(), Rows()
    for kind in kinds_of(spaces):
        own = [space for space in spaces if space.sample(*kind)]
        samples = [s for space in own if (s := space.sample(*kind))]
        for status in _comparable(own):
            places = places_of(samples[0].classes, own[0].statuses(status_of), status)
            if len(own) < 2 or len(places) < FEWEST_CLASSES:
                continue
            facts = {"modality": kind[0], "language": kind[1], "status": status}
            similar = levels(np.stack([_similarities(sample, places) for sample in samples]))
            weights = resampling.classes(len(places))
            estimate = correlations(similar, np.ones(similar.shape[1]))
            first, second = np.triu_indices(len(places), 1)
            resampled = np.array([correlations(similar, w[first] * w[second]) for w in weights])
            resampled = resampled.reshape(-1, len(own), len(own))
            size = {"n_classes": len(places)}
            over += _population_pairs(own, facts, size, estimate, resampled, resampling)
            single += [
                {
                    "population_a": own[i].population, "seed_a": own[i].seed,
                    "population_b": own[j].population, "seed_b": own[j].seed,
                    **facts, **size, "spearman": float(estimate[i, j]),
                }
                for i, j in combinations(range(len(own)), 2)
            ]  # fmt: skip
    return over, single


def levels(values: Array) -> Ints:
    """Place of every value among the distinct values of its row, equal values sharing one.

    Example:
        >>> levels(np.array([[0.5, 0.1, 0.5]])).tolist()
        [[1, 0, 1]]
    """
    return np.stack([np.unique(row, return_inverse=True)[1] for row in values])


def correlations(values: Ints, weights: Array) -> Array:
    """Spearman's correlation between all rows, every column counted so many times.

    Args:
        values: (s, p) `levels`, one row per network.
        weights: (p,) whole numbers, how often each column counts.

    Returns:
        (s, s) correlations, ties at their mean rank; NaN for a constant row.

    Example:
        >>> made = correlations(np.array([[0, 1, 2], [0, 2, 1]]), np.array([1.0, 1, 2]))
        >>> round(float(made[0, 1]), 6)
        0.333333
    """
    n_rows, n_columns = values.shape
    offset = n_columns * np.arange(n_rows)[:, None]
    held = np.bincount((values + offset).ravel(), np.tile(weights, n_rows), n_rows * n_columns)
    held = held.reshape(values.shape)
    ranks = np.take_along_axis(held.cumsum(axis=1) - held / 2, values, axis=1)
    ranks -= (ranks @ weights / max(weights.sum(), 1))[:, None]
    products = (ranks * weights) @ ranks.T
    spread = np.sqrt(np.diagonal(products))
    with np.errstate(invalid="ignore", divide="ignore"):
        made: Array = np.clip(products / np.outer(spread, spread), -1, 1)
    return made


def alignment_rows(
    spaces: Sequence[Space], status_of: Mapping[str, str], resampling: Resampling
) -> Rows:
    """Orthogonal Procrustes alignment of class means: mono- with bilingual, and seed with seed.

    A monolingual and a bilingual population are compared where they share a language, seed by
    seed in order; two seeds of the same population are the yardstick.

    Returns:
        Rows per pair of populations; see `disparity`. ``chance`` is the mean disparity with the
        classes of one network permuted. Classes and pairs of seeds are resampled for intervals.
    """
    few = Resampling(min(resampling.n, ALIGNMENT_RESAMPLES), resampling.seed)
    rows = Rows()
    for kind_of_pair, first, second in _aligned_pairs(spaces):
        a, b = first[0], second[0]
        for modality, language in _shared_kinds(kind_of_pair, a, b):
            means = [
                (x.sample(modality, language), y.sample(modality, language))
                for x, y in zip(first, second, strict=True)
            ]
            for status in _comparable([*first, *second]):
                made = _aligned(means, a.statuses(status_of), status, few)
                if made:
                    facts = {"modality": modality, "language": language, "status": status}
                    names = {"population_a": a.population, "population_b": b.population}
                    rows.append(names | {"kind": kind_of_pair} | facts | made)
    return rows


def aligned_rows(spaces: Sequence[Space], status_of: Mapping[str, str]) -> Rows:
    """Class means of a monolingual network, and those of a bilingual one turned onto them.

    Both sets are centred and scaled to unit sum of squares; the bilingual one is then rotated and
    scaled as `disparity` does it, and both are shown on the first two principal components of the
    monolingual one. The first seeds of each pair of populations that `alignment_rows` compares.

    Returns:
        Two rows per class, pair of populations, modality and language.
    """
    rows = Rows()
    for kind_of_pair, (a, *_), (b, *_) in _aligned_pairs(spaces):
        if kind_of_pair != "mono-bilingual":
            continue
        names = {
            "population_a": a.population, "seed_a": a.seed,
            "population_b": b.population, "seed_b": b.seed,
        }  # fmt: skip
        for modality, language in _shared_kinds(kind_of_pair, a, b):
            x, y = a.sample(modality, language), b.sample(modality, language)
            if x is None or y is None or len(x.classes) < FEWEST_CLASSES:
                continue
            facts = {**names, "modality": modality, "language": language}
            for space, places in zip((a, b), superimposed(x.means, y.means), strict=True):
                statuses = space.statuses(status_of)
                rows += [
                    {
                        **facts, "population": space.population, "concept": concept,
                        "status": statuses[concept], "pc1": float(pc1), "pc2": float(pc2),
                    }
                    for concept, (pc1, pc2) in zip(x.classes, places, strict=True)
                ]  # fmt: skip
    return rows


def superimposed(first: Array, second: Array) -> tuple[Array, Array]:
    """Two sets of points laid upon each other in two dimensions, see `aligned_rows`.

    Args:
        first: (C, d) points.
        second: (C, e) the same points in another space.

    Returns:
        (C, 2) each, on the first two principal components of ``first``; NaN where a set has no
        extent.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> points, rotation = rng.normal(size=(5, 3)), np.linalg.qr(rng.normal(size=(3, 3)))[0]
        >>> one, other = superimposed(points, 2 * points @ rotation + 1)
        >>> bool(np.abs(one - other).max() < 1e-12)
        True
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = (
            (points - points.mean(axis=0)) / np.linalg.norm(points - points.mean(axis=0))
            for points in (first, second)
        )
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        nowhere: Array = np.full((len(first), 2), np.nan)
        return nowhere, nowhere
    left, sizes, right = np.linalg.svd(other.T @ one, full_matrices=False)
    turned = sizes.sum() * other @ (left @ right)
    axes = np.linalg.svd(one, full_matrices=False)[2][:2]
    scores = one @ axes.T
    far = np.abs(scores).argmax(axis=0)
    axes *= np.where(scores[far, np.arange(len(axes))] < 0, -1, 1)[:, None]
    made = np.zeros((2, len(first), 2))
    made[0, :, : len(axes)], made[1, :, : len(axes)] = one @ axes.T, turned @ axes.T
    return made[0], made[1]


def disparity(first: Array, second: Array, weights: Array) -> Array:
    """What is left between two sets of class means after the best shift, scaling and rotation.

    Both are centred and scaled to unit sum of squares; reflections count as rotations. The rest is
    one minus the squared sum of the singular values of their product (Gower 1975; the disparity of
    `scipy.spatial.procrustes`).

    Args:
        first: (C, d) class means.
        second: (C, e) means of the same classes in another space.
        weights: (m, C) how often each class counts.

    Returns:
        (m,) between 0, equal up to size and rotation, and 1; NaN where a set has no extent.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> means, rotation = rng.normal(size=(5, 3)), np.linalg.qr(rng.normal(size=(3, 3)))[0]
        >>> bool(disparity(means, 2 * means @ rotation + 1, np.ones((1, 5)))[0] < 1e-12)
        True
    """
    n = weights.sum(axis=1)
    root = np.sqrt(weights)[:, :, None]
    centred = []
    for means in (first, second):
        middle = (weights @ means) / n[:, None]
        centred.append(root * (means[None] - middle[:, None]))
    sizes = [np.sqrt((part**2).sum(axis=(1, 2))) for part in centred]
    products = np.swapaxes(centred[0], 1, 2) @ centred[1]
    overlap = np.linalg.svd(products, compute_uv=False).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        left: Array = np.clip(1 - (overlap / (sizes[0] * sizes[1])) ** 2, 0, 1)
    return left


def _comparable(spaces: Sequence[Space]) -> tuple[str, ...]:
    """Groups of classes in which networks are compared: all, where they learnt different ones."""
    return STATUSES if alike(spaces) else STATUSES[:1]


def _similarities(sample: Sample, places: Ints) -> Array:
    """(P,) cosine similarity of every pair of class means."""
    means = sample.means[places]
    length = np.linalg.norm(means, axis=1, keepdims=True)
    unit = means / np.where(length == 0, 1, length)
    made: Array = (unit @ unit.T)[np.triu_indices(len(places), 1)]
    return made


def _population_pairs(
    own: Sequence[Space],
    facts: Mapping[str, str],
    size: Mapping[str, int],
    estimate: Array,
    resampled: Array,
    resampling: Resampling,
) -> Iterator[dict[str, Any]]:
    members: dict[str, list[int]] = {}
    for place, space in enumerate(own):
        members.setdefault(space.population, []).append(place)
    for a, b in combinations_with_replacement(members, 2):
        if a == b and len(members[a]) < 2:
            continue
        block = np.ix_(members[a], members[b])
        counted = np.triu(np.ones((len(members[a]),) * 2), 1) if a == b else np.ones_like(
            estimate[block]
        )  # fmt: skip
        value = float((estimate[block] * counted).sum() / counted.sum())
        drawn = [resampling.seeds(len(members[name])) for name in (a, b)]
        weights = drawn[0][:, :, None] * drawn[1][:, None, :] * counted
        total = weights.sum(axis=(1, 2))
        own_block = resampled[:, block[0], block[1]]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (weights * own_block).sum(axis=(1, 2)) / total
        low, high = interval(value, mean, lowest=-1, highest=1)
        yield {
            "population_a": a,
            "population_b": b,
            "kind": "between-seeds" if a == b else "between-populations",
            **facts,
            "n_pairs": int(counted.sum()),
            **size,
            "spearman": value,
            "ci_low": low,
            "ci_high": high,
        }


def _aligned_pairs(spaces: Sequence[Space]) -> Iterator[tuple[str, list[Space], list[Space]]]:
    """Kind of comparison, and the networks that are compared one by one."""
    populations = by_population(spaces)
    for a in populations.values():
        for b in populations.values():
            if len(a[0].languages) == 1 < len(b[0].languages) and set(a[0].languages) & set(
                b[0].languages
            ):
                n = min(len(a), len(b))
                yield "mono-bilingual", a[:n], b[:n]
    for own in populations.values():
        if len(own) > 1:
            # Each seed with the next; in a circle where that gives no pair twice.
            following = [*own[1:], own[0]] if len(own) > 2 else own[1:]
            yield "same-population", own[: len(following)], following


def _shared_kinds(kind_of_pair: str, a: Space, b: Space) -> list[tuple[str, str]]:
    """Modalities and languages that two networks are compared in."""
    shared = [kind for kind in kinds_of([a]) if kind in kinds_of([b])]
    if kind_of_pair == "mono-bilingual":
        shared = [(m, language) for m, language in shared if language in ("", *a.languages)]
    return shared


def _aligned(
    pairs: Sequence[tuple[Sample | None, Sample | None]],
    status_of: Mapping[str, str],
    status: str,
    resampling: Resampling,
) -> dict[str, Any] | None:
    """Disparity of some pairs of networks; None for fewer than three classes."""
    known = [(x, y) for x, y in pairs if x is not None and y is not None]
    places = places_of(known[0][0].classes, status_of, status)
    if len(places) < FEWEST_CLASSES:
        return None
    rng = np.random.default_rng([resampling.seed, 2, len(places)])
    ones, weights = np.ones((1, len(places))), resampling.classes(len(places))
    values, resampled, by_chance = [], [], []
    for x, y in known:
        # No more coordinates than classes are needed: distances within a set are kept.
        first, second = (np.linalg.qr(s.means[places].T)[1].T for s in (x, y))
        values.append(disparity(first, second, ones)[0])
        resampled.append(disparity(first, second, weights))
        by_chance += [
            disparity(first, second[rng.permutation(len(places))], ones)[0]
            for _ in range(PERMUTATIONS)
        ]
    mean = float(np.mean(values))
    low, high = interval(mean, resampling.over_seeds(np.stack(resampled)), lowest=0, highest=1)
    return {
        "n_pairs": len(known),
        "n_classes": len(places),
        "disparity": mean,
        "ci_low": low,
        "ci_high": high,
        "chance": float(np.mean(by_chance)),
    }
