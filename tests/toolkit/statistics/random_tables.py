"""Tables of trials of all shapes, drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from paradigms.mutual_exclusivity import MutualExclusivity
from tests.toolkit.statistics.random_results import pick

CERTAIN = 1e9
"""Log odds of answers that are always the same."""
SUBJECTS = (
    ("monolingual-en", "en", "model"),
    ("monolingual-nl", "nl", "model"),
    ("bilingual-en-nl", "en+nl", "model"),
    ("bilingual-en-fr", "en+fr", "model"),
    ("untrained", "", "model"),
    ("children-en", "en", "child"),
    ("children-en-nl", "en+nl", "child"),
)
"""Population, languages and kind of subjects."""


class TwoTests(MutualExclusivity):
    """Mutual exclusivity with two conditions that count as the test."""

    name = "two"
    conditions = tuple(
        replace(own, headline=own.name in ("novel-familiar", "novel-novel"))
        for own in MutualExclusivity.conditions
    )


def random_trials(rng: np.random.Generator) -> pd.DataFrame:
    """Trials of ME: several kinds of subjects, few or many seeds and words, ties, perfect scores.

    Returns:
        One row per trial, as `toolkit.statistics.choices.counts.count_trials` takes them.
    """
    names = [own.name for own in MutualExclusivity.conditions if own.name != "preference"]
    conditions = [names[0], *(name for name in names[1:] if rng.random() < 0.6)]
    populations = [own for own in SUBJECTS if rng.random() < 0.6] or [SUBJECTS[0]]
    n_words = pick(rng, (1, 2, 3, 5))
    # Words of four options among words of two.
    four = {word for word in range(n_words) if rng.random() < pick(rng, (0.0, 0.5))}
    ties = pick(rng, (0.0, 0.0, 0.1, 1.0))
    missing = pick(rng, (0.0, 0.0, 0.2))  # share of seeds that were not asked a condition
    rows = []
    for population, known, kind in populations:
        level = pick(rng, (-CERTAIN, CERTAIN, -1.0, 0.0, 0.0, 1.0))
        lost = rng.random() < 0.15  # a whole population fails the gate
        for seed in "abcd"[: pick(rng, (1, 2, 3, 4, 4))]:
            own = level + rng.normal(0, 0.3)
            failed = lost or rng.random() < 0.1
            for language in known.split("+") if known else ("en",):
                for condition in conditions:
                    if rng.random() < missing:
                        continue
                    for word in range(n_words):
                        odds = own + (0.5 * rng.normal() if abs(own) < CERTAIN / 2 else 0.0)
                        odds = 2.0 if condition == "familiar-novel" else odds
                        right = rng.random(8) < 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
                        if condition == "familiar-novel" and failed:
                            right[:] = False
                        tie = rng.random(8) < ties
                        rows += [
                            (population, known, kind, seed, language, condition, f"w{word}",
                             f"t{word}", f"d{place % 2}", 4 if word in four else 2,
                             int(answer and not equal), bool(equal))
                            for place, (answer, equal) in enumerate(zip(right, tie, strict=True))
                        ]  # fmt: skip
    columns = ["population", "train_languages", "subject_kind", "seed", "test_language",
               "condition", "word_concept", "target_concept", "distractor_concept", "n_choices",
               "correct", "tie"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    n_languages = (
        table["train_languages"].str.split("+").map(lambda own: len([x for x in own if x]))
    )
    return table.assign(paradigm="me", paradigm_version=2, n_languages=n_languages)
