"""Maps of embedding spaces: principal components, and t-SNE per modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.statistics.space.sample import Array, Sample, Space

Rows = list[dict[str, Any]]
N_COORDINATES = 3
"""Principal components whose coordinates are given."""
N_AXES = 10
"""Principal components whose share of the variance is given."""
PERPLEXITY = 30.0
"""Perplexity of t-SNE; a third of the samples where there are fewer than 91."""
FEWEST_SAMPLES = 5
"""t-SNE of fewer samples shows nothing."""


def pca_rows(spaces: Sequence[Space], status_of: Mapping[str, str]) -> tuple[Rows, Rows]:
    """Principal components of the L2-normalised embeddings of words and pictures together.

    Signs are fixed (the coordinate farthest from zero is positive), so that the same space gives
    the same map.

    Returns:
        A row per stimulus with its coordinates, and a row per component with its share of the
        variance.
    """
    points, axes = Rows(), Rows()
    for space in spaces:
        vectors = np.concatenate([sample.unit for sample in space.samples])
        coordinates, shares = principal_components(vectors)
        names = {"population": space.population, "seed": space.seed}
        axes += [
            names | {"component": number + 1, "share": float(share)}
            for number, share in enumerate(shares[:N_AXES])
        ]
        start = 0
        for sample in space.samples:
            own = coordinates[start : start + len(sample.ids)]
            start += len(sample.ids)
            columns = [f"pc{number + 1}" for number in range(N_COORDINATES)]
            points += _points(names, sample, space.statuses(status_of), columns, own)
    return points, axes


def principal_components(vectors: Array) -> tuple[Array, Array]:
    """Coordinates along the principal components, and each component's share of the variance.

    Args:
        vectors: (n, d).

    Returns:
        (n, 3) coordinates, zero where there are fewer components, and (min(n, d),) shares, NaN
        where nothing varies.

    Example:
        >>> coordinates, shares = principal_components(np.array([[0.0, 1], [0, 3], [0, 5]]))
        >>> coordinates[:, 0].round(6).tolist(), shares.round(6).tolist()
        ([2.0, 0.0, -2.0], [1.0, 0.0])
    """
    left, sizes, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    scores = left * sizes
    far = np.abs(scores).argmax(axis=0)
    scores *= np.where(scores[far, np.arange(len(far))] < 0, -1, 1)
    coordinates = np.zeros((len(vectors), N_COORDINATES))
    kept = min(N_COORDINATES, scores.shape[1])
    coordinates[:, :kept] = scores[:, :kept]
    total = (sizes**2).sum()
    return coordinates, sizes**2 / (total if total > 0 else np.nan)


def tsne_rows(
    spaces: Sequence[Space], status_of: Mapping[str, str], seed: int
) -> tuple[Rows, list[str]]:
    """t-SNE of the L2-normalised embeddings, words and pictures apart, languages together.

    Starts from the principal components with a fixed seed: the same numbers on the same machine
    (van der Maaten and Hinton 2008; scikit-learn's implementation, Barnes-Hut).

    Returns:
        A row per stimulus, and sentences about maps that could not be made.
    """
    rows, notes = Rows(), []
    for space in spaces:
        for modality in ("word", "picture"):
            samples = [sample for sample in space.samples if sample.modality == modality]
            vectors = np.concatenate([sample.unit for sample in samples])
            if len(vectors) < FEWEST_SAMPLES or np.ptp(vectors, axis=0).max() == 0:
                notes.append(
                    f"No t-SNE of the {modality}s of {space.population}/{space.seed}: "
                    f"{len(vectors)} samples, or all of them alike."
                )
                continue
            places, start = _tsne(vectors, seed), 0
            for sample in samples:
                own = places[start : start + len(sample.ids)]
                start += len(sample.ids)
                names = {
                    "population": space.population,
                    "seed": space.seed,
                    "modality": modality,
                }
                rows += _points(names, sample, space.statuses(status_of), ["x", "y"], own)
    return rows, notes


def _tsne(vectors: Array, seed: int) -> Array:
    from sklearn.manifold import TSNE  # type: ignore[import-untyped]

    map_ = TSNE(
        n_components=2,
        perplexity=min(PERPLEXITY, (len(vectors) - 1) / 3),
        init="pca",
        random_state=seed,
        n_jobs=1,
    )
    made: Array = map_.fit_transform(vectors.astype(np.float32)).astype(np.float64)
    return made


def _points(
    names: Mapping[str, str],
    sample: Sample,
    status_of: Mapping[str, str],
    columns: Sequence[str],
    coordinates: Array,
) -> Rows:
    return [
        {
            **names,
            "stimulus_id": stimulus,
            "modality": sample.modality,
            "language": sample.language,
            "concept": concept,
            "status": status_of[concept],
            **dict(zip(columns, place, strict=True)),
        }
        for stimulus, concept, place in zip(
            sample.ids, sample.concepts, coordinates.tolist(), strict=True
        )
    ]
