"""Mispronunciation: within items, on sets that have what it asks for, with known subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paradigms.mispronunciation import CHANGES, Mispronunciation
from paradigms.registry import get_paradigm
from stimuli import open_set
from stimuli.errors import ToolkitError
from stimuli.phonemes import VARIANTS
from tests.conftest import Cli
from toolkit.running.choices import run
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.counts import count_trials
from toolkit.statistics.settings import Settings
from toolkit.subjects.dummies import STEEPNESS, THRESHOLD
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import read_trials


def asked(name: str, root: Path, per_class: int = 14) -> pd.DataFrame:
    done = run(
        *(get_paradigm("mispronunciation"), [open_population(name)]),
        open_set("mini-mispronounced"),
        languages=["en"], per_class=per_class, root=root,
    )  # fmt: skip
    return read_trials(done.directory.trials_path)


def test_changes_are_those_that_sets_have() -> None:
    assert CHANGES == VARIANTS
    levels = Mispronunciation.graded[0].levels
    assert sorted(levels.values()) == [0, 1, 1, 1, 2, 2, 2, 3]


def test_items_are_the_same_at_every_level(tmp_path: Path) -> None:
    table = asked("constant", tmp_path)
    first = table[table["seed"] == "a"]
    items = ["word_concept", "target_id", "distractor_id", "target_position"]
    for beside in ("novel", "familiar"):
        plain = first[first["condition"] == f"correct-{beside}"][items].astype(str)
        for change in CHANGES:
            own = first[first["condition"] == f"{change}-{beside}"][items].astype(str)
            assert own.to_numpy().tolist() == plain.to_numpy().tolist()
    status = open_set("mini-mispronounced").table["status"]
    for condition, rows in first.groupby("condition", observed=True):
        assert set(status[rows["target_id"]]) == {"familiar"}
        assert set(status[rows["distractor_id"]]) == {str(condition).rpartition("-")[2]}


def test_the_slope_of_the_phonetic_dummy_is_found(tmp_path: Path) -> None:
    table = asked("phonetic", tmp_path)
    changed = table["condition"].map(
        {f"{change}-{beside}": change.count("+") + 1
         for change in CHANGES for beside in ("novel", "familiar")}
    ).astype(float).fillna(0)  # fmt: skip
    for level in range(4):
        own = table["correct"][changed == level]
        expected = 1 / (1 + np.exp(-STEEPNESS * (THRESHOLD - level)))
        assert own.mean() == pytest.approx(expected, abs=4 * np.sqrt(0.25 / len(own)))
    few = table[table["seed"].isin(["a", "b", "c", "d"])]
    found = analyse(count_trials(few), Mispronunciation(), Settings(n_bootstrap=0))
    number = {test.factor: test for test in found.trends}
    for beside in ("novel", "familiar"):
        test = number[f"features changed, beside a {beside} picture"]
        assert test.verdict == "lower"
        assert test.slope_low < -STEEPNESS < test.slope_high
        assert test.slope_high < -STEEPNESS / 2
        for feature in ("place", "voice", "manner"):
            assert number[f"{feature} changed, beside a {beside} picture"].verdict == "lower"


def test_a_set_without_changed_words_is_told(cli: Cli) -> None:
    said = cli("run-paradigm", "mispronunciation", "--subject", "perfect", "--stimuli", "mini")
    assert said.code == 2
    assert "the stimulus set 'mini' has none" in " ".join(said.err.split())
    assert "mini-mispronounced" in said.err
    assert "synthesize" in said.err
    assert not Path("mevgs-runs").exists() or not list(Path("mevgs-runs").glob("mis*"))


def test_a_language_that_a_set_lacks_is_told() -> None:
    with pytest.raises(ToolkitError, match="'de'"):
        run(
            get_paradigm("mispronunciation"), [open_population("perfect")],
            open_set("mini-mispronounced"), languages=["de"],
        )  # fmt: skip
