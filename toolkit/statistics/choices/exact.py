"""Accuracy over all triples: every class of word, target and distractor weighs the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.statistics.choices.describe import accuracy_over_seeds
from toolkit.statistics.choices.participants import by_draw, drawn_populations
from toolkit.statistics.kinds import GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from paradigms import BaseParadigm

EXACT_SCHEMA = 1
"""Raised when a key of the summary changes its meaning."""
CLASSES = ["word_concept", "target_concept", "distractor_concept"]
"""Classes that weigh the same."""


def cell_accuracy(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Accuracy of every seed over all triples, classes weighing the same.

    A counterbalanced list asks every word class equally often, and within it every distractor
    class; the share of correct triples is therefore taken per classes of word, target and
    distractor, and averaged over distractors, then targets, then words; the seeds of a draw of
    familiar concepts stand together for one participant. That is what such a list
    approaches as it grows, up to uneven numbers of pictures per style.

    Args:
        table: what `toolkit.running.score_all.score_all` counted.
        by: columns to keep apart, of `CLASSES`.

    Returns:
        One row per paradigm, population, language, condition, seed and ``by``: ``n_trials`` (the
        triples), ``n_ties``, ``accuracy`` (share of 1), ``chance``.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({
        ...     "paradigm": "me", "paradigm_version": 1, "population": "p", "test_language": "en",
        ...     "condition": "novel-familiar", "seed": "a", "word_concept": ["ball", "ball", "key"],
        ...     "target_concept": ["ball", "ball", "key"],
        ...     "distractor_concept": ["cat", "dog", "cat"],
        ...     "n_triples": [10, 30, 20], "n_correct": [10, 0, 5], "n_ties": 0,
        ... })
        >>> cell_accuracy(table)["accuracy"].tolist()
        [0.375]
    """
    keys = [*GROUP, "seed"]
    kept = [name for name in CLASSES if name in by]
    table = by_draw(table)
    cells = table.assign(accuracy=table["n_correct"] / table["n_triples"])
    made = (
        cells.groupby([*keys, *kept], observed=True, sort=False)[["n_triples", "n_ties"]]
        .sum()
        .rename(columns={"n_triples": "n_trials"})
    )
    shares = cells.set_index([*keys, *CLASSES])["accuracy"]
    for dropped in reversed([name for name in CLASSES if name not in kept]):
        levels = [name for name in shares.index.names if name != dropped]
        shares = shares.groupby(level=levels, observed=True, sort=False).mean()
    made["accuracy"] = shares
    made["chance"] = 0.5
    return made.reset_index()


@dataclass(frozen=True, kw_only=True)
class ExactMean:
    """Exact accuracy of one population in one test language and condition, over its seeds."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    condition: str
    """Which condition."""
    n_seeds: int
    """Networks."""
    n_triples: int
    """Triples of all seeds."""
    n_ties: int
    """Ties among them."""
    mean: float
    """Mean over seeds, share of 1."""
    sd: float
    """Standard deviation over seeds; NaN for a single seed, as are the next three."""
    chance: float
    """Chance level."""
    std_error: float
    """Standard error of the mean."""
    ci_low: float
    """Lower end of the 95 % interval over seeds."""
    ci_high: float
    """Upper end."""
    meaning: str
    """What the condition means."""
    headline: bool
    """True for the test itself, False for a control."""
    seeds: Mapping[str, float]
    """Accuracy of every seed."""
    unit: str = "seed"
    """What stands for a participant, see `toolkit.statistics.means.SeedMean.unit`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactSummary:
    """What all triples say of a paradigm: the content of ``exhaustive.json``."""

    schema: int = EXACT_SCHEMA
    """Version of what is written."""
    paradigm: str
    """Name of the paradigm."""
    paradigm_version: int
    """Its version."""
    question: str
    """What it asks."""
    results: tuple[ExactMean, ...]
    """Means over seeds."""
    words: pd.DataFrame
    """Per word: ``n_seeds``, ``n_triples``, ``n_ties``, ``accuracy``, ``std_error``."""
    words_by_distractor: pd.DataFrame
    """The same per word and distractor."""


def summarise_exact(table: pd.DataFrame, paradigm: BaseParadigm) -> ExactSummary:
    """Summarise counts of all triples per population, language and condition.

    Triples share their pictures and clips, so that nothing but seeds counts as replication.
    """
    seeds, drawn = cell_accuracy(table), drawn_populations(table)
    meaning = {condition.name: condition.meaning for condition in paradigm.conditions}
    results = [
        ExactMean(
            population=str(row["population"]),
            test_language=str(row["test_language"]),
            condition=str(row["condition"]),
            n_seeds=int(row["n_seeds"]),
            n_triples=int(row["n_trials"]),
            n_ties=int(row["n_ties"]),
            mean=float(row["mean"]),
            sd=float(row["sd"]),
            chance=float(row["chance"]),
            std_error=float(row["std_error"]),
            ci_low=float(row["ci_low"]),
            ci_high=float(row["ci_high"]),
            meaning=meaning.get(row["condition"], ""),
            headline=paradigm.headline(row["condition"]),
            seeds=_per_seed(seeds, row),
            unit="draw" if row["population"] in drawn else "seed",
        )
        for row in accuracy_over_seeds(seeds).to_dict("records")
    ]
    by_word = cell_accuracy(table, by=["word_concept"])
    by_pair = cell_accuracy(table, by=["word_concept", "distractor_concept"])
    return ExactSummary(
        paradigm=paradigm.name,
        paradigm_version=paradigm.version,
        question=paradigm.question,
        results=tuple(results),
        words=_over_seeds(by_word, ["word_concept"]),
        words_by_distractor=_over_seeds(by_pair, ["word_concept", "distractor_concept"]),
    )


def _per_seed(seeds: pd.DataFrame, row: dict[Any, Any]) -> dict[str, float]:
    own = seeds
    for name in ("population", "test_language", "condition"):
        own = own[own[name] == row[name]]
    return dict(zip(own["seed"].astype(str), own["accuracy"].astype(float), strict=True))


def _over_seeds(seeds: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Mean and standard error over seeds per class; the standard error of one seed is missing."""
    keys = ["condition", "population", "test_language", *classes]
    grouped = seeds.groupby(keys, observed=True, sort=False)
    return grouped.agg(
        n_seeds=("accuracy", "size"),
        n_triples=("n_trials", "sum"),
        n_ties=("n_ties", "sum"),
        accuracy=("accuracy", "mean"),
        std_error=("accuracy", "sem"),
    ).reset_index()
