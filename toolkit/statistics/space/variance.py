"""How much embeddings vary, and how far words and pictures lie apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from toolkit.statistics.space.sample import (
    STATUSES,
    Array,
    Ints,
    Resampling,
    Sample,
    Space,
    by_population,
    interval,
    kinds_of,
    places_of,
)

Rows = list[dict[str, Any]]
Measure = Callable[[Array], Array]
"""A number for each of m weightings of C classes: (m, C) to (m,)."""


def full_variance(sample: Sample, places: Ints, weights: Array) -> Array:
    """Trace of the covariance over all samples of some classes (Oneata et al. 2025, "full").

    Args:
        sample: n samples in C classes.
        places: (k,) the classes.
        weights: (m, k) how often each of them counts.

    Returns:
        (m,) variances of the L2-normalised embeddings; NaN for fewer than two samples.

    Example:
        >>> sample = Sample("word", "en", ("w1", "w2"), ("ball", "cake"), np.eye(2))
        >>> full_variance(sample, np.array([0, 1]), np.ones((1, 2))).tolist()
        [1.0]
    """
    n = weights @ sample.sizes[places]
    total = weights @ sample.sums[places]
    around = weights @ sample.squares[places] - (total**2).sum(axis=1) / np.maximum(n, 1)
    return np.where(n > 1, np.maximum(around, 0), np.nan) / np.maximum(n - 1, 1)


def within_variance(sample: Sample, places: Ints, weights: Array) -> Array:
    """Trace of the covariance within each class, averaged over classes ("concept").

    Classes with a single sample are left out; arguments and result as in `full_variance`.
    """
    spreads = sample.spreads[places]
    known = np.isfinite(spreads)
    n = weights[:, known].sum(axis=1)
    made: Array = weights[:, known] @ spreads[known] / np.where(n > 0, n, np.nan)
    return made


SCOPES = {"full": full_variance, "within_class": within_variance}
"""Over which samples the variance is taken."""


def variance_rows(
    spaces: Sequence[Space], status_of: Mapping[str, str], resampling: Resampling
) -> tuple[Rows, Rows]:
    """Variance by modality, language, familiarity and scope.

    The words of a population trained on several languages are looked at apart, and together.

    Returns:
        Rows per population and rows per seed.
    """
    over, single = Rows(), Rows()
    for own in by_population([space.together() for space in spaces]).values():
        for modality, language in kinds_of(own):
            samples = [s for space in own if (s := space.sample(modality, language))]
            for status in STATUSES:
                places = [
                    places_of(samples[0].classes, space.statuses(status_of), status)
                    for space in own
                ]
                if not all(map(len, places)):
                    continue
                for scope, measure in SCOPES.items():
                    facts = {
                        "modality": modality,
                        "language": language,
                        "status": status,
                        "scope": scope,
                    }
                    sizes = [
                        {"n_classes": len(known), "n_samples": int(sample.sizes[known].sum())}
                        for sample, known in zip(samples, places, strict=True)
                    ]
                    measures = [
                        partial(measure, sample, own_places)
                        for sample, own_places in zip(samples, places, strict=True)
                    ]
                    one, all_seeds = seeds_and_mean("variance", measures, places, resampling)
                    single += [
                        space.labels | {"seed": space.seed} | facts | size | row
                        for space, size, row in zip(own, sizes, one, strict=True)
                    ]
                    fewest = min(sizes, key=lambda size: size["n_classes"])
                    over.append(own[0].labels | facts | {"n_seeds": len(own)} | fewest | all_seeds)
    return over, single


def gap_rows(
    spaces: Sequence[Space], status_of: Mapping[str, str], resampling: Resampling
) -> tuple[Rows, Rows]:
    """Modality gap per language: distance between the centroids of words and of pictures.

    Both of L2-normalised embeddings (Liang et al. 2022, NeurIPS), over classes that have words
    and pictures. Beside it the mean cosine of a word and a picture of the same class, and of
    different classes.

    Returns:
        Rows per population and rows per seed.
    """
    over, single = Rows(), Rows()
    for own in by_population(spaces).values():
        for language in (language for modality, language in kinds_of(own) if modality == "word"):
            for status in STATUSES:
                pairs = [
                    _shared(space, language, space.statuses(status_of), status) for space in own
                ]
                places = [in_words for _, _, in_words, _ in pairs]
                if not all(map(len, places)):
                    continue
                facts = {"language": language, "status": status}
                sizes = [{"n_classes": len(own_places)} for own_places in places]
                measures = [partial(_gap, *pair) for pair in pairs]
                one, all_seeds = seeds_and_mean("gap", measures, places, resampling)
                cosines = [_cosines(*pair) for pair in pairs]
                single += [
                    space.labels | {"seed": space.seed} | facts | size | row | near
                    for space, size, row, near in zip(own, sizes, one, cosines, strict=True)
                ]
                mean = {name: _mean([near[name] for near in cosines]) for name in cosines[0]}
                fewest = min(sizes, key=lambda size: size["n_classes"])
                numbers = {"n_seeds": len(own), **fewest}
                over.append(own[0].labels | facts | numbers | all_seeds | mean)
    return over, single


def seeds_and_mean(
    name: str, measures: Sequence[Measure], places: Sequence[Ints], resampling: Resampling
) -> tuple[Rows, dict[str, Any]]:
    """A measure that cannot be negative, for every seed and for their mean, with intervals.

    Args:
        name: name of its column.
        measures: the measure of each seed.
        places: classes that it is taken over for each seed.
        resampling: how classes and seeds are resampled.

    Returns:
        Per seed the value with an interval over classes; for the mean also ``sd_seeds``, and an
        interval over classes and seeds.
    """
    n_classes = min(map(len, places))
    values = [
        float(measure(np.ones((1, len(own))))[0])
        for measure, own in zip(measures, places, strict=True)
    ]
    # Seeds that learnt different classes have some of them in common: all are drawn together.
    union = np.unique(np.concatenate(places))
    weights = resampling.classes(len(union))
    resampled = np.stack(
        [
            measure(weights[:, np.searchsorted(union, own)])
            for measure, own in zip(measures, places, strict=True)
        ]
    )
    rows = []
    for value, drawn in zip(values, resampled, strict=True):
        low, high = interval(value, drawn, lowest=0)
        rows.append({name: value, "ci_low": low, "ci_high": high})
    mean = _mean(values)
    low, high = interval(mean, resampling.over_seeds(resampled), lowest=0)
    if n_classes < 2:
        # Seeds alone would make the interval narrow where nothing is known about classes.
        low = high = float("nan")
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return rows, {name: mean, "sd_seeds": spread, "ci_low": low, "ci_high": high}


def _shared(
    space: Space, language: str, status_of: Mapping[str, str], status: str
) -> tuple[Sample, Sample, Ints, Ints]:
    """Words, pictures, and the places of the classes that both have."""
    words, pictures = space.sample("word", language), space.sample("picture")
    if words is None or pictures is None:
        raise ValueError(f"{space.population}/{space.seed} lacks words or pictures")
    both = [c for c in words.classes if c in set(pictures.classes)]
    chosen = [both[place] for place in places_of(both, status_of, status)]
    in_words, in_pictures = (
        np.array([s.classes.index(name) for name in chosen], dtype=np.int64)
        for s in (words, pictures)
    )
    return words, pictures, in_words, in_pictures


def _gap(
    words: Sample, pictures: Sample, in_words: Ints, in_pictures: Ints, weights: Array
) -> Array:
    centroids = []
    for sample, places in ((words, in_words), (pictures, in_pictures)):
        n = (weights @ sample.sizes[places])[:, None]
        centroids.append(weights @ sample.sums[places] / np.where(n > 0, n, np.nan))
    distance: Array = np.linalg.norm(centroids[0] - centroids[1], axis=1)
    return distance


def _cosines(
    words: Sample, pictures: Sample, in_words: Ints, in_pictures: Ints
) -> dict[str, float]:
    # The product of two class means is the mean cosine of all pairs of their members.
    cosine = words.means[in_words] @ pictures.means[in_pictures].T
    n = len(cosine)
    same = float(np.trace(cosine) / n)
    other = float((cosine.sum() - np.trace(cosine)) / (n * (n - 1))) if n > 1 else float("nan")
    return {"cosine_same_class": same, "cosine_other_class": other}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
