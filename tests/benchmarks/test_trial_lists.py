"""What a drawn list makes of the exact accuracy: no bias, and how much hangs on the trial seed.

Asked of the included networks, 20 lists per condition and language. Run with --run-benchmarks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from makers.drawn_lists import KEYS, drawn_accuracies
from paradigms import Paradigm
from paradigms.registry import get_paradigm
from stimuli import open_set
from toolkit.running.score_all import score_all
from toolkit.statistics.choices.exact import cell_accuracy
from toolkit.subjects.populations import open_population

pytestmark = pytest.mark.benchmark
LISTS, PER_CLASS = 20, 50
BILINGUAL = ("bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl")
POPULATIONS = ("monolingual-en", "monolingual-nl", "monolingual-fr", *BILINGUAL, "untrained")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which every stimulus is embedded once, for all that is asked here."""
    return tmp_path_factory.mktemp("runs")


def drawn(paradigm: Paradigm, names: tuple[str, ...], root: Path) -> pd.DataFrame:
    """Mean and SD over lists, by `KEYS`."""
    shares = drawn_accuracies(paradigm, names, root, lists=LISTS, per_class=PER_CLASS)
    return shares.groupby(level=KEYS, sort=False).agg(["mean", "std"])


@pytest.mark.parametrize("name", ["familiar", "me"])
def test_lists_are_spread_about_the_accuracy_over_all_triples(name: str, root: Path) -> None:
    paradigm = get_paradigm(name)
    assert isinstance(paradigm, Paradigm)
    counted = score_all(
        paradigm, [open_population(one) for one in POPULATIONS], open_set("mini"), root=root
    )
    table = drawn(paradigm, POPULATIONS, root)
    exact = cell_accuracy(counted.table).groupby(KEYS, observed=True)["accuracy"].mean()
    table.insert(0, "exact", exact)
    table["z"] = (table["mean"] - table["exact"]) / (table["std"] / LISTS**0.5)
    table[["exact", "mean", "std"]] *= 100
    sys.stdout.write(f"\nper cent; z in standard errors\n{table.round(2).to_string()}\n")
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
    table = drawn(paradigm, BILINGUAL, root)
    sys.stdout.write(f"\n{(100 * table).round(2).to_string()}\n")
    words = open_set("mini").select(kind="word", split="test")
    assert words.groupby(["language", "concept"]).size().max() <= PER_CLASS
    assert (table["std"] < 1e-9).all()
