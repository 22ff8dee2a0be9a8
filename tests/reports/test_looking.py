"""A run of looking is told: page, saved statistics, summary, terminal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stimuli import open_set
from tests.commands import Cli
from tests.toolkit.statistics.saying import faults
from tests.unfolding import Knower, write_unfolding
from toolkit.api.results import Run
from toolkit.api.running import run_paradigm
from toolkit.statistics.looking.models import decided, too_few, window_test
from toolkit.statistics.saved import saved_results, saved_summary
from toolkit.subjects.population import Population


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Five subjects that know words after 300 ms, and like pictures otherwise."""
    root = tmp_path_factory.mktemp("looking")
    who = Population("knower", ("en",), tuple("abcde"), "Knows when.", lambda *_: Knower())
    return run_paradigm(
        "looking-while-listening", who, stimuli=open_set(write_unfolding(root / "set")),
        out=root / "runs", trials_per_class=4,
    )  # fmt: skip


def test_what_is_saved_is_read_again(run: Run) -> None:
    made = run.analyse().results["looking-while-listening"]
    assert saved_results(run.folder)["looking-while-listening"].to_json() == made.to_json()
    summary = saved_summary(run.folder)
    assert summary is not None
    assert summary.measure == "looking"
    assert [row.condition for row in summary.results] == ["alone", "carrier"]


def test_the_page_holds_courses_windows_tables_and_children(run: Run, tmp_path: Path) -> None:
    page = run.report(tmp_path / "report.html", figures=tmp_path / "figures")
    text = page.read_text(encoding="utf-8")
    for said in (
        "Looking at the target while the word unfolds",
        "Every window that might have been declared",
        "Looking at the target from 200 to 800 ms, against chance",
        "Clusters, windows and reaction times",
        "Growth curves",
        "Children: looking at the named picture, by age",
        "fitted per seed and language by maximum likelihood on practice trials",
        "Peekbank: An open",
    ):
        assert said in text, said
    start = text.index('id="answers"')
    first = text[start : text.index('id="status"')]
    places = [first.index(part) for part in (
        'class="verdict"', 'id="looking-while-listening-declared-window"',
        'data-name="looking-while-listening-overview"', 'class="answers"',
    )]  # fmt: skip
    assert places == sorted(places)
    assert "(chance 50 %), alone: of 1 " not in first
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert any("time-course" in name for name in drawn)
    assert any("windows" in name for name in drawn)


def test_the_terminal_tells_the_same(run: Run, cli: Cli) -> None:
    said = cli("analyze", run.folder)
    assert said.code == 0
    assert "Looking at the target from 200 to 800 ms, against chance" in said.out
    assert "Conditions against each other" in said.out
    assert "320" in said.out  # the first gate after 300 ms


def test_one_participant_is_one_participant() -> None:
    rows = pd.DataFrame(
        {"seed": ["a", "a"], "word_concept": ["dog", "dog"],
         "distractor_concept": ["cat", "cow"], "looking": [0.6, 0.7]}
    )  # fmt: skip
    (test,) = decided([window_test(rows, "looking ~ 1 + (1 | seed)", 0.5)], 0.05)
    assert test.verdict == "few"
    assert "1 participant and 1 word: " in f"{test.problem} {too_few(test.n_seeds, test.n_words)}"
    assert not faults(too_few(test.n_seeds, test.n_words))
