"""Translation as in the published analysis: few clips per centroid, frozen features unscaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from paradigms import Responses, Trials, paradigm
from paradigms.base import Floats
from paradigms.translation import Translation
from stimuli import StimulusSet

if TYPE_CHECKING:
    import pandas as pd

CLIPS = 30
"""Most clips of a class in a language, as in the published analysis."""
_SEED = 30


@paradigm("translation-published", version=1)
class PublishedTranslation(Translation):
    """As `translation`, on at most 30 clips of each class in each language.

    The same clips, drawn once for a stimulus set, make the centroids of a language and are given
    to those of others (Oneata et al. 2025, arXiv 2506.04037).
    """

    source = "Oneata et al. 2025 (arXiv 2506.04037), translation, 30 clips per class and language"

    def trials(
        self,
        stimuli: StimulusSet,
        language: str,
        rng: np.random.Generator,
        *,
        per_class: int,
        languages: Sequence[str],
    ) -> Trials:
        """One trial per sampled clip and other language, at most ``per_class`` clips per class."""
        return super().trials(
            _sampled(stimuli), language, rng, per_class=per_class, languages=languages
        )


@paradigm("translation-published-raw", version=1)
class RawTranslation(PublishedTranslation):
    """As `translation-published`, on vectors that are not scaled to length one.

    Only centroids are. This is how the published analysis treats frozen features, ``NAME/frozen``;
    embeddings of networks were scaled before.
    """

    question = "Is a word nearest to its translation, vectors taken as they are?"

    def measure(self, trials: Trials, responses: Responses) -> Floats:
        """Minus the Euclidean distance between a clip and the centroid of each class."""
        vectors = responses.words.astype(np.float64)
        row_of = {word: row for row, word in enumerate(trials.word_ids)}
        members = [[row_of[word] for word in trials.option_words[o]] for o in trials.option_ids]
        means = np.stack([vectors[rows].mean(axis=0) for rows in members])
        length = np.linalg.norm(means, axis=1, keepdims=True)
        centroids = means / np.where(length == 0, 1, length)
        distance = np.linalg.norm(vectors[:, None] - centroids, axis=2)
        scores: Floats = -distance[trials.word[:, None], trials.options]
        return scores


def _sampled(stimuli: StimulusSet) -> StimulusSet:
    """The set with at most so many test clips of each class and language, always the same ones."""
    table = stimuli.table
    words = table[(table["kind"] == "word") & (table["split"] == "test")]
    rng = np.random.default_rng(_SEED)
    kept: list[str] = []
    for _, own in words.groupby(["language", "concept"], sort=True):
        kept += rng.permutation(sorted(own.index))[:CLIPS].tolist()
    fewer: pd.DataFrame = table[~table.index.isin(set(words.index) - set(kept))]
    sample = replace(stimuli)
    vars(sample)["table"] = fewer
    return sample
