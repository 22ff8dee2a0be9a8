"""Many drawn lists of trials, put to networks that embed every stimulus once for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from paradigms import Paradigm, Responses, Trials
from stimuli import open_set
from toolkit.running.choices import trial_rng
from toolkit.running.embedding import embed
from toolkit.running.embedding_store import EmbeddingStore
from toolkit.running.score_all import must_perceive
from toolkit.running.subject_refs import subjects_of
from toolkit.subjects.populations import open_population
from toolkit.tables.manifests import EMBEDDINGS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

KEYS = ["condition", "population", "test_language"]
"""What an accuracy is told for."""


def drawn_accuracies(
    paradigm: Paradigm, names: Sequence[str], root: Path, *, lists: int, per_class: int = 50
) -> pd.Series[float]:
    """Accuracy on many drawn lists, which differ in their trial seed alone.

    Args:
        paradigm: what is asked, with the stimuli of the set ``mini``.
        names: populations, all their seeds, in the languages that they know (or all).
        root: folder of runs, in which embeddings are kept.
        lists: number of lists; their trial seeds count from 0.
        per_class: trials per word class and condition.

    Returns:
        Share of correct trials, mean over seeds, by `KEYS` and ``list``.
    """
    import pandas as pd

    stimuli = open_set("mini")
    populations = [open_population(name) for name in names]
    tested = {known.name: tuple(known.languages or stimuli.languages) for known in populations}
    made = {
        languages: [
            (
                language,
                number,
                paradigm.trials(
                    stimuli,
                    language,
                    trial_rng(paradigm, stimuli, language, number),
                    per_class=per_class,
                    languages=languages,
                ),
            )
            for language in languages
            for number in range(lists)
        ]
        for languages in set(tested.values())
    }
    test = stimuli.table[stimuli.table["split"] == "test"]
    needed = {kind: list(test.index[test["kind"] == kind]) for kind in ("word", "picture")}
    subjects = dict.fromkeys(subjects_of(populations), needed)

    def rows() -> Iterator[tuple[object, ...]]:
        for subject, loaded, known in embed(subjects, stimuli, EmbeddingStore(root / EMBEDDINGS)):
            name = subject.population.name
            perceives = must_perceive(subject, loaded, "mevgs-toolkit list subjects")
            for language, number, trials in made[tested[name]]:
                shown = trials.option_ids if paradigm.shows_pictures else ()
                words, pictures = (
                    known.matrix(*each) for each in (("word", trials.word_ids), ("picture", shown))
                )
                right = _right(
                    trials,
                    paradigm.measure(trials, Responses(words, pictures, perceives.similarity)),
                )
                for place, condition in enumerate(trials.conditions):
                    share = right[trials.condition == place].mean()
                    yield condition, name, language, number, share

    table = pd.DataFrame(rows(), columns=[*KEYS, "list", "accuracy"])
    return table.groupby([*KEYS, "list"], sort=False)["accuracy"].mean()


def _right(trials: Trials, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """(n,) whether the target scores strictly higher than all other options."""
    rows = np.arange(len(trials))
    rivals = np.where(trials.options < 0, -np.inf, scores)
    rivals[rows, trials.target_position] = -np.inf
    right: npt.NDArray[np.bool_] = scores[rows, trials.target_position] > rivals.max(axis=1)
    return right
