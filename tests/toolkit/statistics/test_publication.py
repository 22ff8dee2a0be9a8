"""The table of a paper, against values worked out by hand; runs in any number and order."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from toolkit.cli.tables import table as table_command
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.publication import publication_table
from toolkit.tables.longtable import write_long


def answers(
    accuracies: dict[str, tuple[int, int]],
    *,
    population: str = "bilingual-en-nl",
    language: str = "en",
    paradigm: str = "me",
    condition: str = "novel-familiar",
    train: str = "en+nl",
    version: int = 1,
) -> pd.DataFrame:
    """Trials of seeds with the given numbers of right answers, of all answers."""
    return pd.DataFrame(
        [
            {
                "source": "run", "paradigm": paradigm, "paradigm_version": version,
                "condition": condition, "population": population, "train_languages": train,
                "seed": seed, "test_language": language, "trial": number, "word_concept": "ball",
                "n_choices": 2, "correct": int(number < right), "tie": False,
            }
            for seed, (right, of) in accuracies.items()
            for number in range(of)
        ]
    )  # fmt: skip


ME = answers({"a": (5, 10), "b": (6, 10), "c": (7, 10)})


def test_mean_error_and_interval_are_over_seeds() -> None:
    (row,) = publication_table([ME]).rows
    (cell,) = row.cells
    assert cell is not None
    assert (cell.n_seeds, cell.n_trials, cell.chance) == (3, 30, 0.5)
    assert cell.mean == pytest.approx(0.6)
    # Standard deviation .1 over three seeds; t quantile .975 of 2 degrees of freedom is 4.302653.
    assert cell.std_error == pytest.approx(0.1 / math.sqrt(3))
    # On the logit scale, whose slope at .6 is 1 / .24; log odds of .6 are .405465.
    half = 4.302653 * 0.1 / math.sqrt(3) / 0.24
    assert cell.ci_low == pytest.approx(1 / (1 + math.exp(half - 0.405465)), abs=1e-6)
    assert cell.ci_high == pytest.approx(1 / (1 + math.exp(-half - 0.405465)), abs=1e-6)


def test_rows_are_laid_out_as_in_the_published_table() -> None:
    seeds = {"a": (5, 10), "b": (6, 10)}
    made = publication_table(
        [
            answers(seeds, population="untrained", train=""),
            answers(seeds, population="mono-nl", train="nl", language="en"),
            answers(seeds, population="bi", train="fr+nl", language="nl"),
            answers(seeds, population="bi", train="en+nl", language="en"),
            answers(seeds, population="mono-en", train="en"),
        ]
    )
    assert [(row.test_language, row.population) for row in made.rows] == [
        ("en", "mono-en"), ("en", "bi"), ("en", "mono-nl"), ("en", "untrained"), ("nl", "bi"),
    ]  # fmt: skip


def test_two_paradigms_are_columns_of_one_table() -> None:
    familiar = answers(
        {"a": (9, 10), "b": (9, 10)}, paradigm="familiar", condition="familiar-familiar"
    )
    made = publication_table([familiar, ME])
    assert [heading.title for heading in made.headings] == ["familiar", "me"]
    assert [cell.n_seeds for cell in made.rows[0].cells if cell] == [2, 3]
    other = publication_table([familiar, answers({"a": (1, 2)}, population="q", train="en")])
    assert [cell is None for row in other.rows for cell in row.cells] == [True, False, False, True]


def test_controls_only_when_asked_for() -> None:
    both = pd.concat([answers({"a": (1, 4)}, condition="novel-novel"), ME])
    shown = publication_table([both]).headings
    assert [heading.condition for heading in shown] == ["novel-familiar"]
    every = publication_table([both], conditions="all").headings
    assert [heading.title for heading in every] == ["novel-familiar", "novel-novel"]


def test_versions_are_never_pooled() -> None:
    made = publication_table([ME, answers({"a": (1, 10)}, version=2)])
    assert [heading.title for heading in made.headings] == ["me v1", "me v2"]


def test_one_seed_has_no_error_and_says_so() -> None:
    made = publication_table([answers({"a": (3, 4)})])
    cell = made.rows[0].cells[0]
    assert cell is not None
    assert (cell.mean, cell.std_error, cell.ci_low) == (0.75, None, None)
    assert any("single seed" in warning for warning in made.warnings)


def test_interval_ends_below_100() -> None:
    made = publication_table([answers({"a": (10, 10), "b": (9, 10)})])
    cell = made.rows[0].cells[0]
    assert cell is not None
    assert cell.ci_high is not None
    assert cell.mean < cell.ci_high <= 1
    assert made.warnings == ()


def test_seeds_that_answer_alike_have_no_interval_and_it_is_said() -> None:
    made = publication_table([answers({"a": (10, 10), "b": (10, 10)})])
    cell = made.rows[0].cells[0]
    assert cell is not None
    assert (cell.mean, cell.std_error, cell.ci_low, cell.ci_high) == (1.0, 0.0, None, None)
    assert any("answer alike have no interval" in warning for warning in made.warnings)


def test_same_answers_given_twice_count_once() -> None:
    made = publication_table([ME, ME])
    assert made.rows == publication_table([ME]).rows
    assert any("3 results given in more than one source" in warning for warning in made.warnings)


def test_different_answers_of_the_same_seed_are_refused() -> None:
    with pytest.raises(ToolkitError) as error:
        publication_table([ME, answers({"b": (1, 10)})])
    assert "bilingual-en-nl/b, en, me novel-familiar: 60.0 % of 10" in str(error.value)


def test_answers_from_elsewhere_need_no_paradigm() -> None:
    children = ME[["source", "population", "seed", "test_language", "condition", "word_concept",
                   "correct"]].assign(population="children")  # fmt: skip
    made = publication_table([children])
    assert [heading.title for heading in made.headings] == ["novel-familiar"]
    assert made.headings[0].chance is None
    assert made.rows[0].training is None
    both = publication_table([ME, children])
    assert [heading.title for heading in both.headings] == ["me", "novel-familiar"]


def test_unknown_paradigm_is_shown_whole() -> None:
    made = publication_table([answers({"a": (1, 2), "b": (1, 2)}, paradigm="mine")])
    assert any("mine is not known here" in warning for warning in made.warnings)


def test_table_without_a_needed_column_is_refused() -> None:
    with pytest.raises(ToolkitError, match=r"column seed is missing \(is it sed\?\)"):
        publication_table([ME.rename(columns={"seed": "sed"})])
    with pytest.raises(ToolkitError, match="No run was given"):
        publication_table([])


@pytest.mark.parametrize("suffix", ["txt", "csv", "md", "tex", "html"])
def test_command_writes_what_the_suffix_asks_for(tmp_path: Path, suffix: str) -> None:
    write_long(ME, tmp_path / "run.parquet")
    out = tmp_path / f"table.{suffix}"
    table_command([tmp_path / "run.parquet"], output=out)
    begins = {"txt": "Accuracy", "csv": "test_language", "md": "**", "tex": "%", "html": "<table"}
    assert out.read_text(encoding="utf-8").startswith(begins[suffix])
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"run.parquet", "run.parquet.sha256", out.name}


def test_run_folders_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "me-1"
    folder.mkdir()
    write_long(ME.rename(columns={"source": "run_id"}), folder / "trials.parquet")
    assert publication_table([folder]).rows == publication_table([ME]).rows
    with pytest.raises(ToolkitError, match=r"did you mean: .*me-1"):
        publication_table([tmp_path])
    (tmp_path / "cut").mkdir()
    cut = {"status": "running", "command": ["mevgs-toolkit", "run-paradigm", "me"]}
    (tmp_path / "cut" / "manifest.json").write_text(json.dumps(cut))
    with pytest.raises(ToolkitError, match="not finished"):
        publication_table([tmp_path / "cut"])


def test_runs_on_different_stimuli_are_told_apart(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("me-1", "familiar-1")]
    for folder, checksum in zip(folders, ("0a" * 32, "0b" * 32), strict=True):
        folder.mkdir()
        write_long(ME.assign(paradigm=folder.name[:-2]), folder / "trials.parquet")
        stimuli = {"name": "mini", "version": "1", "checksum": checksum}
        (folder / "manifest.json").write_text(json.dumps({"stimuli": stimuli}))
    assert not any("different stimulus" in text for text in publication_table(folders[:1]).warnings)
    said = publication_table(folders).warnings[-1]
    assert said == "The runs used different stimulus sets: mini 1 (0a0a0a0a), mini 1 (0b0b0b0b)."
