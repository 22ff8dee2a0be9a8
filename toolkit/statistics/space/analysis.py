"""Embedding-space analyses: tables about the spaces of some networks (Oneata et al. 2025).

`analyse_spaces` makes the tables, `write_tables` puts each into one folder as Parquet and CSV, and
tells the manifest what every column means. All embeddings are L2-normalised first.

========================  ==========================================================================
``variance``              per population: trace of the covariance, by modality, language, status and
                          scope (``full``: all samples; ``within_class``: mean over classes)
``variance_seeds``        the same per seed
``gap``, ``gap_seeds``    distance between the centroids of words and pictures, per language
``pca``, ``pca_axes``     words and pictures on the same principal components; shares of variance
``tsne``                  one map per modality
``alignment``             disparity after orthogonal Procrustes: mono- with bilingual populations
                          (seed by seed), and seeds of the same population as the yardstick
``aligned``               class means of a mono- and a bilingual network laid upon each other
``similarity``            Spearman's correlation of class-by-class similarity, between seeds of a
                          population and between populations
``similarity_seeds``      the same per pair of networks
``words``                 per word: spread of clips, spread of pictures, distance of their
                          centroids, accuracy in a run where one is given
``words_seeds``           the same per seed
``words_accuracy``        correlation of the three with accuracy over words, where a run is given
========================  ==========================================================================

Intervals hold 95 %. In tables per seed, classes are resampled; in those per population, classes and
seeds. They are NaN where there is one class. The columns are explained in `MEANINGS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli.cells import guarded_table
from stimuli.files import write_atomic, write_checked
from toolkit.errors import ToolkitError
from toolkit.statistics.space.compare import (
    FEWEST_CLASSES,
    aligned_rows,
    alignment_rows,
    similarity_rows,
)
from toolkit.statistics.space.maps import pca_rows, tsne_rows
from toolkit.statistics.space.sample import Resampling, Space, alike, by_population
from toolkit.statistics.space.variance import gap_rows, variance_rows
from toolkit.statistics.space.words import Accuracy, accuracy_rows, word_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

SPACE_SCHEMA = 2
"""Raised when a column changes its meaning."""

MEANINGS = {
    "population": "population of networks",
    "n_languages": "number of languages the population was trained on",
    "train_languages": "ISO codes joined by '+'; empty for untrained networks",
    "seed": "training seed",
    "modality": "word or picture",
    "language": "ISO code of the words, several joined by '+' where they are taken together; "
    "empty for pictures",
    "status": "familiar or novel classes, or all",
    "scope": "full: over all samples; within_class: within each class, averaged over classes",
    "concept": "class",
    "stimulus_id": "clip or picture",
    "n_seeds": "networks averaged over",
    "n_classes": "classes",
    "n_samples": "stimuli of these classes",
    "n_pairs": "pairs of networks averaged over",
    "n_words": "clips of the word; in words_accuracy: words",
    "n_pictures": "pictures of the class",
    "variance": "trace of the covariance of the L2-normalised embeddings, 0 to about 1",
    "sd_seeds": "standard deviation over seeds; missing for a single one",
    "ci_low": "lower end of the 95 % bootstrap interval",
    "ci_high": "upper end",
    "gap": "Euclidean distance between the centroids of words and pictures, 0 to 2",
    "cosine_same_class": "mean cosine of a word and a picture of the same class",
    "cosine_other_class": "mean cosine of a word and a picture of different classes",
    "pc1": "first principal component",
    "pc2": "second principal component",
    "pc3": "third principal component",
    "component": "number of the principal component",
    "share": "share of the variance, 0 to 1",
    "x": "horizontal place on the map; only nearness has a meaning",
    "y": "vertical place on the map",
    "population_a": "first population; of a mono-bilingual pair the monolingual one",
    "population_b": "second population",
    "seed_a": "seed of the first network",
    "seed_b": "seed of the second network",
    "kind": "what is compared",
    "disparity": "what is left after shift, scaling and rotation: 0 equal, 1 nothing in common",
    "chance": "mean disparity with the classes of one network permuted",
    "spearman": "Spearman's correlation",
    "spread_words": "trace of the covariance of the word's clips",
    "spread_pictures": "trace of the covariance of the pictures of its class",
    "distance": "Euclidean distance between the centroids of its clips and its pictures",
    "accuracy": "share of correct answers in the test itself; missing without a run",
    "measure": "what accuracy is correlated with: spread_words, spread_pictures or distance",
}
"""Every column of the tables and what it says."""

_WHO = ("population", "n_languages", "train_languages")
_ENDS = ("ci_low", "ci_high")
_KIND = ("modality", "language", "status")
_COSINES = ("cosine_same_class", "cosine_other_class")
_SPREADS = ("n_words", "n_pictures", "spread_words", "spread_pictures", "distance", "accuracy")
_PAIR = ("population_a", "population_b", "kind", *_KIND, "n_pairs", "n_classes")
_POINT = ("language", "concept", "status")
TABLES: dict[str, tuple[str, ...]] = {
    "variance": (
        *_WHO, *_KIND, "scope", "n_seeds", "n_classes", "n_samples", "variance", "sd_seeds", *_ENDS,
    ),
    "variance_seeds": (
        *_WHO, "seed", *_KIND, "scope", "n_classes", "n_samples", "variance", *_ENDS,
    ),
    "gap": (
        *_WHO, "language", "status", "n_seeds", "n_classes", "gap", "sd_seeds", *_ENDS, *_COSINES,
    ),
    "gap_seeds": (*_WHO, "seed", "language", "status", "n_classes", "gap", *_ENDS, *_COSINES),
    "pca": ("population", "seed", "stimulus_id", "modality", *_POINT, "pc1", "pc2", "pc3"),
    "pca_axes": ("population", "seed", "component", "share"),
    "tsne": ("population", "seed", "modality", "stimulus_id", *_POINT, "x", "y"),
    "alignment": (*_PAIR, "disparity", *_ENDS, "chance"),
    "aligned": (
        "population_a", "seed_a", "population_b", "seed_b", "modality", *_POINT, "population",
        "pc1", "pc2",
    ),
    "similarity": (*_PAIR, "spearman", *_ENDS),
    "similarity_seeds": (
        "population_a", "seed_a", "population_b", "seed_b", *_KIND, "n_classes", "spearman",
    ),
    "words": (*_WHO, "language", "concept", "status", "n_seeds", *_SPREADS),
    "words_seeds": (*_WHO, "seed", "language", "concept", "status", *_SPREADS),
    "words_accuracy": (
        "population", "language", "status", "measure", "n_words", "n_seeds", "spearman", *_ENDS,
    ),
}  # fmt: skip
"""Tables and their columns, in order."""


@dataclass(frozen=True, eq=False)
class SpaceTables:
    """All tables about some spaces."""

    tables: Mapping[str, pd.DataFrame]
    """Tables by name, as in `TABLES`; those with nothing to say have no rows."""
    notes: tuple[str, ...]
    """What the reader must know, in sentences."""


def analyse_spaces(
    spaces: Sequence[Space],
    status_of: Mapping[str, str],
    *,
    accuracy: Accuracy | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    map_seeds: int = 1,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> SpaceTables:
    """Make all tables about the embedding spaces of some networks.

    Args:
        spaces: networks, each with words of one or more languages and pictures; the same stimuli
            for all of them.
        status_of: ``familiar`` or ``novel`` by concept.
        accuracy: share of correct answers of a run, from
            `toolkit.statistics.space.words.read_accuracy`.
        n_bootstrap: resamples of every interval; 0 for none.
        seed: seed of the resamples and of t-SNE.
        map_seeds: networks per population of which maps are made.
        progress: called with what is being done, how much is done, and how much there is.

    Raises:
        ToolkitError: if there is no network, or one lacks words or pictures.

    Example:
        >>> import numpy as np
        >>> from toolkit.statistics.space.sample import Sample
        >>> rng = np.random.default_rng(0)
        >>> names, concepts = ("a", "b", "c", "d"), ("ball", "ball", "cat", "cat")
        >>> samples = tuple(
        ...     Sample(kind, language, names, concepts, rng.normal(size=(4, 3)))
        ...     for kind, language in (("word", "en"), ("picture", ""))
        ... )
        >>> made = analyse_spaces(
        ...     [Space("tiny", ("en",), "a", samples)],
        ...     {"ball": "novel", "cat": "familiar"}, n_bootstrap=20, map_seeds=0,
        ... )
        >>> len(made.tables["variance"]), len(made.tables["words"])
        (12, 2)
    """
    import pandas as pd

    _check(spaces, status_of)
    resampling = Resampling(n_bootstrap, seed)
    shown = [space for own in by_population(spaces).values() for space in own[:map_seeds]]
    rows: dict[str, list[dict[str, Any]]] = {}
    rows["variance"], rows["variance_seeds"] = variance_rows(spaces, status_of, resampling)
    rows["gap"], rows["gap_seeds"] = gap_rows(spaces, status_of, resampling)
    progress("analysing", 1, 4)
    rows["similarity"], rows["similarity_seeds"] = similarity_rows(spaces, status_of, resampling)
    progress("analysing", 2, 4)
    rows["alignment"] = alignment_rows(spaces, status_of, resampling)
    rows["aligned"] = aligned_rows(spaces, status_of)
    progress("analysing", 3, 4)
    rows["words"], rows["words_seeds"] = word_rows(spaces, status_of, accuracy or {})
    rows["words_accuracy"] = accuracy_rows(rows["words_seeds"], resampling)
    rows["pca"], rows["pca_axes"] = pca_rows(shown, status_of)
    rows["tsne"], lacking = tsne_rows(shown, status_of, seed)
    progress("analysing", 4, 4)
    tables = {name: pd.DataFrame(rows[name], columns=list(TABLES[name])) for name in TABLES}
    return SpaceTables(tables, (*_notes(spaces, status_of, accuracy, rows), *lacking))


def write_tables(folder: Path, made: SpaceTables) -> dict[str, Any]:
    """Write every table as Parquet and CSV.

    Args:
        folder: where to.
        made: the tables.

    Returns:
        What explains them in a manifest: ``schema``, ``notes`` and ``tables``, with all columns.

    Raises:
        OSError: the folder cannot be written to.
    """
    for name, table in made.tables.items():
        with write_checked(folder / f"{name}.parquet") as path:
            table.to_parquet(path, index=False, compression="zstd")
        with write_atomic(folder / f"{name}.csv") as path:
            guarded_table(table).to_csv(path, index=False)
    explained = {
        name: {"rows": len(table), "columns": {c: MEANINGS[str(c)] for c in table.columns}}
        for name, table in made.tables.items()
    }
    return {"schema": SPACE_SCHEMA, "notes": made.notes, "tables": explained}


def _check(spaces: Sequence[Space], status_of: Mapping[str, str]) -> None:
    if not spaces:
        raise ToolkitError("There is no network to analyse.")
    for space in spaces:
        modalities = {sample.modality for sample in space.samples}
        if modalities != {"word", "picture"}:
            raise ToolkitError(
                f"{space.population}/{space.seed} lacks words or pictures.",
                given=", ".join(sorted(modalities)) or "nothing",
                allowed="words of one or more languages, and pictures",
            )
        lost = {name for s in space.samples for name in s.classes} - set(status_of)
        if lost:
            raise ToolkitError(
                f"Nothing says whether {', '.join(sorted(lost)[:3])} are familiar or novel."
            )


def _notes(
    spaces: Sequence[Space],
    status_of: Mapping[str, str],
    accuracy: Accuracy | None,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[str]:
    """What the tables cannot say, and why."""
    notes = [
        f"{name} has a single seed: nothing is said about differences between its seeds."
        for name, own in by_population(spaces).items()
        if len(own) == 1
    ]
    own = spaces[0].statuses(status_of)
    for status in ("familiar", "novel"):
        n = len({c for s in spaces[0].samples for c in s.classes if own[c] == status})
        if n < FEWEST_CLASSES:
            notes.append(
                f"{n} {status} class{'es' * (n != 1)}: similarity and alignment need "
                f"{FEWEST_CLASSES}" + ("; intervals need two." if n == 1 else ".")
            )
    if not any(row["kind"] == "mono-bilingual" for row in rows["alignment"]):
        notes.append("No alignment of mono- with bilingual networks: no such pair was given.")
    if not alike(spaces):
        notes.append(
            "Networks that learnt different words are compared over all classes; what is told of "
            "familiar and novel ones is about those of each network, and accuracies per word are "
            "not correlated with them."
        )
    elif accuracy is not None and not rows["words_accuracy"]:
        notes.append("No correlation with accuracy: fewer than three words were asked.")
    if any(np.isnan(row["spread_words"]) for row in rows["words"]):
        notes.append("Words with a single clip have no spread.")
    return notes
