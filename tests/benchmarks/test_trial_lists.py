"""What a drawn list makes of the exact accuracy: no bias, and how much hangs on the trial seed.

Asked of the included networks, 20 lists per condition and language. Run with --run-benchmarks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paradigms import Paradigm, Responses
from paradigms.registry import get_paradigm
from stimuli import open_set
from toolkit.embedding import EmbeddingStore, embed, subjects_of
from toolkit.runner import trial_rng
from toolkit.score_all import score_all
from toolkit.statistics.exact import cell_accuracy
from toolkit.subjects.populations import open_population

pytestmark = pytest.mark.benchmark
LISTS, PER_CLASS = 20, 50
BILINGUAL = ("bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl")
POPULATIONS = ("monolingual-en", "monolingual-nl", "monolingual-fr", *BILINGUAL, "untrained")
KEYS = ["condition", "population", "test_language"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which every stimulus is embedded once, for all that is asked here."""
    return tmp_path_factory.mktemp("runs")


def drawn(paradigm: Paradigm, names: tuple[str, ...], root: Path) -> pd.DataFrame:
    """Accuracy (share of 1) of every list, mean over seeds: one row per `KEYS` and list."""
    stimuli = open_set("mini")
    populations = [open_population(name) for name in names]
    tested = {known.name: known.languages or stimuli.languages for known in populations}
    lists = {
        (tuple(languages), language, number): paradigm.trials(
            stimuli,
            language,
            trial_rng(paradigm, stimuli, language, number),
            per_class=PER_CLASS,
            languages=languages,
        )
        for languages in tested.values()
        for language in languages
        for number in range(LISTS)
    }
    test = stimuli.table[stimuli.table["split"] == "test"]
    needed = {kind: list(test.index[test["kind"] == kind]) for kind in ("word", "picture")}
    subjects = dict.fromkeys(subjects_of(populations), needed)

    def answers() -> Iterator[dict[str, object]]:
        for subject, loaded, known in embed(subjects, stimuli, EmbeddingStore(root / "embeddings")):
            languages = tuple(tested[subject.population.name])
            for (shared, language, number), trials in lists.items():
                if shared != languages:
                    continue
                shown = trials.option_ids if paradigm.shows_pictures else ()
                scores = paradigm.measure(
                    trials,
                    Responses(
                        known.matrix("word", trials.word_ids),
                        known.matrix("picture", shown),
                        loaded.similarity,
                    ),
                )
                rows = np.arange(len(trials))
                scores[trials.options < 0] = -np.inf
                target = scores[rows, trials.target_position].copy()
                scores[rows, trials.target_position] = -np.inf
                right = target > scores.max(axis=1)
                for place, condition in enumerate(trials.conditions):
                    yield {
                        "condition": condition,
                        "population": subject.population.name,
                        "test_language": language,
                        "list": number,
                        "accuracy": right[trials.condition == place].mean(),
                    }

    return pd.DataFrame(answers()).groupby([*KEYS, "list"], sort=False)["accuracy"].mean()


def against_exact(lists: pd.Series, exact: pd.Series) -> pd.DataFrame:
    """Mean and SD over lists in per cent beside the exact value; z is in standard errors."""
    made = lists.groupby(level=KEYS, sort=False).agg(["mean", "std"])
    made.insert(0, "exact", exact)
    made["z"] = (made["mean"] - made["exact"]) / (made["std"] / LISTS**0.5)
    made[["exact", "mean", "std"]] *= 100
    return made


@pytest.mark.parametrize("name", ["familiar", "me"])
def test_lists_are_spread_about_the_accuracy_over_all_triples(name: str, root: Path) -> None:
    paradigm = get_paradigm(name)
    assert isinstance(paradigm, Paradigm)
    counted = score_all(
        paradigm, [open_population(one) for one in POPULATIONS], open_set("mini"), root=root
    )
    exact = cell_accuracy(counted.table).groupby(KEYS, observed=True)["accuracy"].mean()
    table = against_exact(drawn(paradigm, POPULATIONS, root), exact)
    sys.stdout.write(f"\n{table.round(2).to_string()}\n")
    spread = table.groupby("condition", sort=False)["std"].agg(["mean", "max"]).round(2)
    sys.stdout.write(f"\nSD over lists, points:\n{spread.to_string()}\n")
    sys.stdout.write(f"root mean square of z: {(table['z'] ** 2).mean() ** 0.5:.2f}\n")
    # Pairs of classes drawn by chance, not balanced, spread the lists by up to 4 points.
    assert table["std"].max() < 2
    assert table["z"].abs().max() < 4.5
    assert (table["z"] ** 2).mean() ** 0.5 < 1.4


def test_translation_asks_all_clips_so_that_nothing_hangs_on_the_trial_seed(root: Path) -> None:
    paradigm = get_paradigm("translation")
    assert isinstance(paradigm, Paradigm)
    table = drawn(paradigm, BILINGUAL, root).groupby(level=KEYS, sort=False).agg(["mean", "std"])
    sys.stdout.write(f"\n{(100 * table).round(2).to_string()}\n")
    words = open_set("mini").select(kind="word", split="test")
    assert words.groupby(["language", "concept"]).size().max() <= PER_CLASS
    assert (table["std"] < 1e-9).all()
