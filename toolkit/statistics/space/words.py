"""Per word: spread of its clips and pictures, their distance, and how well it was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import ToolkitError
from toolkit.statistics.space.compare import correlations, levels
from toolkit.statistics.space.sample import (
    Array,
    Resampling,
    Space,
    by_population,
    interval,
    kinds_of,
)

if TYPE_CHECKING:
    import pandas as pd

Rows = list[dict[str, Any]]
Accuracy = Mapping[tuple[str, str, str, str], float]
"""Share of correct answers by population, seed, language and concept."""
MEASURES = ("spread_words", "spread_pictures", "distance")
"""What accuracy is compared with."""
FEWEST_WORDS = 3
"""A correlation over fewer words says nothing."""


def word_rows(
    spaces: Sequence[Space], status_of: Mapping[str, str], accuracy: Accuracy
) -> tuple[Rows, Rows]:
    """Spread and distance of every word that has pictures, by language.

    Spread is the trace of the covariance of the L2-normalised embeddings of the word's clips, or
    of its pictures; distance that between the centroids of both (Euclidean).

    Returns:
        Rows per population (means over seeds) and rows per seed.
    """
    over, single = Rows(), Rows()
    for own in by_population(spaces).values():
        for language in (language for modality, language in kinds_of(own) if modality == "word"):
            made = [_words_of(space, language, status_of, accuracy) for space in own]
            single += [row for rows in made for row in rows]
            for same in _same_words(made):
                mean = {
                    name: float(np.mean([row[name] for row in same]))
                    for name in (*MEASURES, "accuracy")
                }
                first = {name: value for name, value in same[0].items() if name != "seed"}
                over.append(first | {"n_seeds": len(same)} | mean)
    return over, single


def accuracy_rows(single: Rows, resampling: Resampling) -> Rows:
    """Spearman's correlation of each measure with accuracy over words, both means over seeds.

    Words and seeds are resampled for the intervals.

    Args:
        single: the rows per seed of `word_rows`.
        resampling: how.

    Returns:
        A row per population, language, status and measure, where three or more words were asked.
    """
    groups: dict[tuple[str, str, str], Rows] = {}
    for row in single:
        if np.isfinite(row["accuracy"]):
            key = row["population"], row["language"], row["status"]
            groups.setdefault(key, []).append(row)
    made = Rows()
    for (population, language, status), rows in groups.items():
        seeds = list(dict.fromkeys(row["seed"] for row in rows))
        words = list(dict.fromkeys(row["concept"] for row in rows))
        if len(words) < FEWEST_WORDS or len(rows) != len(seeds) * len(words):
            continue
        for measure in MEASURES:
            values, answered = (
                np.array([row[name] for row in rows]).reshape(len(seeds), len(words))
                for name in (measure, "accuracy")
            )
            if not np.isfinite(values).all():
                continue
            estimate, low, high = _correlation(values, answered, resampling)
            made.append(
                {
                    "population": population,
                    "language": language,
                    "status": status,
                    "measure": measure,
                    "n_words": len(words),
                    "n_seeds": len(seeds),
                    "spearman": estimate,
                    "ci_low": low,
                    "ci_high": high,
                }
            )
    return made


def read_accuracy(counts: pd.DataFrame, headline: Mapping[str, set[str]]) -> Accuracy:
    """Accuracy per seed and word in the tests of a run, controls left out.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave.
        headline: conditions that are the test itself, by paradigm.

    Raises:
        ToolkitError: if no row belongs to such a condition.
    """
    asked = [
        condition in headline.get(str(paradigm), set())
        for paradigm, condition in zip(counts["paradigm"], counts["condition"], strict=True)
    ]
    own = counts[asked]
    if not len(own):
        raise ToolkitError(
            "The run holds no answers to the test itself.",
            given=", ".join(sorted(set(counts["condition"].astype(str)))),
            allowed="; ".join(f"{name}: {', '.join(sorted(c))}" for name, c in headline.items()),
        )
    keys = ["population", "seed", "test_language", "word_concept"]
    summed = own.groupby(keys, observed=True)[["n_correct", "n_trials"]].sum().reset_index()
    return {
        # Counts tell seeds apart by population: bilingual-en-nl/a.
        (row["population"], row["seed"].rpartition("/")[2], row["test_language"],
         row["word_concept"]): row["n_correct"] / row["n_trials"]
        for row in summed.to_dict("records")
    }  # fmt: skip


def _same_words(made: Sequence[Rows]) -> list[Rows]:
    """Rows of the same word and status: a word may be familiar to one network and novel to another.

    Args:
        made: rows of each network.
    """
    found: dict[tuple[str, str], Rows] = {}
    for row in (row for rows in made for row in rows):
        found.setdefault((row["concept"], row["status"]), []).append(row)
    order = sorted({concept for concept, _ in found})
    return [own for name in order for (concept, _), own in found.items() if concept == name]


def _words_of(
    space: Space, language: str, status_of: Mapping[str, str], accuracy: Accuracy
) -> Rows:
    words, pictures = space.sample("word", language), space.sample("picture")
    if words is None or pictures is None:
        return []
    rows, statuses = Rows(), space.statuses(status_of)
    for concept in (name for name in words.classes if name in set(pictures.classes)):
        w, p = words.classes.index(concept), pictures.classes.index(concept)
        key = space.population, space.seed, language, concept
        rows.append(
            {
                **space.labels,
                "seed": space.seed,
                "language": language,
                "concept": concept,
                "status": statuses[concept],
                "n_words": int(words.sizes[w]),
                "n_pictures": int(pictures.sizes[p]),
                "spread_words": float(words.spreads[w]),
                "spread_pictures": float(pictures.spreads[p]),
                "distance": float(np.linalg.norm(words.means[w] - pictures.means[p])),
                "accuracy": accuracy.get(key, float("nan")),
            }
        )
    return rows


def _correlation(
    values: Array, answered: Array, resampling: Resampling
) -> tuple[float, float, float]:
    """Spearman's correlation of (seeds, words) measures and accuracies, with an interval."""

    def over_words(measure: Array, share: Array, weights: Array) -> float:
        return float(correlations(levels(np.stack([measure, share])), weights)[0, 1])

    n_seeds, n_words = values.shape
    estimate = over_words(values.mean(axis=0), answered.mean(axis=0), np.ones(n_words))
    resampled = np.array(
        [
            over_words(seeds @ values / n_seeds, seeds @ answered / n_seeds, words)
            for seeds, words in zip(
                resampling.seeds(n_seeds), resampling.classes(n_words), strict=True
            )
        ]
    )
    return estimate, *interval(estimate, resampled, lowest=-1, highest=1)
