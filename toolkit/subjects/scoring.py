"""Scores of known embeddings, by family, without torch: `toolkit.subjects.families` in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.subjects.network_config import NetworkConfig

BATCH_NORM_EPS = 1e-5
"""Added to variances before the root; the default of torch, which the published code keeps."""


def scoring_parameters(config: NetworkConfig) -> tuple[str, ...]:
    """Names of the parameters that `score` reads.

    Args:
        config: shape and scoring.

    Example:
        >>> scoring_parameters(NetworkConfig(word_dim=5, picture_dim=7))
        ('logit_scale',)
    """
    if config.has_temperature:
        return ("logit_scale",)
    if config.family == "barlip":
        names = ("bn_audio", "bn_image")
        return tuple(f"{name}.running_{what}" for name in names for what in ("mean", "var"))
    return ()


def score(
    config: NetworkConfig,
    state: Mapping[str, NDArray[Any]],
    words: NDArray[np.float32],
    pictures: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Score words against pictures; higher is a better match.

    Args:
        config: shape and scoring.
        state: parameters under the published names; those of `scoring_parameters` are read.
        words: embeddings, shape (n, d).
        pictures: embeddings, shape (m, d).

    Returns:
        Shape (n, m), float32.

    Example:
        >>> config = NetworkConfig(word_dim=5, picture_dim=7, embedding=2, family="mattnet")
        >>> score(config, {}, np.ones((1, 2), "f"), np.array([[1, 2], [3, 4]], "f")).tolist()
        [[3.0, 7.0]]
    """
    scores: NDArray[np.float32]
    if config.family == "mattnet":
        scores = words @ pictures.T
    elif config.family == "barlip":
        from scipy.spatial.distance import cdist

        own, others = (
            _normalised(vectors, state[f"{name}.running_mean"], state[f"{name}.running_var"])
            for name, vectors in (("bn_audio", words), ("bn_image", pictures))
        )
        scores = -cdist(own, others, "sqeuclidean").astype(np.float32)
    else:
        scale = np.float32(config.scale(float(state["logit_scale"])))
        scores = scale * (_unit(words) @ _unit(pictures).T)
    return scores


def _normalised(
    vectors: NDArray[np.float32], mean: NDArray[Any], variance: NDArray[Any]
) -> NDArray[np.float64]:
    """Vectors (n, d) brought to the mean and variance (d,) kept from training."""
    out: NDArray[np.float64] = (vectors - mean.astype(np.float64)) / np.sqrt(
        variance.astype(np.float64) + BATCH_NORM_EPS
    )
    return out


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale (n, d) vectors to length one; the bound keeps zero vectors finite."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(length, 1e-12)).astype(np.float32, copy=False)
    return unit
