"""Several trial lists of one test, and one table by several names."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paradigms.mutual_exclusivity import MutualExclusivity
from tests.stored import write_stored
from toolkit.cli import main
from toolkit.errors import ToolkitError
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.counts import KEYS, accuracy_per_seed, read_counts, read_lists
from toolkit.statistics.choices.describe import accuracy_over_seeds, seed_accuracy
from toolkit.statistics.choices.digest import digest
from toolkit.statistics.choices.lists import list_notes, list_sentences, list_variation
from toolkit.statistics.choices.publication import Row, publication_table
from toolkit.statistics.choices.single_trials import NOT_ASKED
from toolkit.statistics.choices.word_differences import added_up_words, word_seeds
from toolkit.tables.longtable import read_whole
from toolkit.tables.runs import manifest_of, runs_once, trials_file


def call(*arguments: object) -> int:
    """Exit code of a command."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.argv", ["mevgs-toolkit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


MANIFEST: dict[str, Any] = {
    "trial_seed": 0, "trials_per_class": 4,
    "paradigm": {"name": "me", "version": 1, "source_sha256": "p"},
    "stimuli": {"name": "mini", "version": "1", "checksum": "0a" * 32},
    "subjects": {f"monolingual-en/{seed}": f"weights {seed}" for seed in "abc"},
}  # fmt: skip


def answers(rng_seed: int, population: str = "monolingual-en", seeds: str = "abc") -> pd.DataFrame:
    """Trials of three networks, four words, five trials each."""
    rng = np.random.default_rng(rng_seed)
    rows = [
        (seed, number, f"w{number % 4}", f"d{(number + rng_seed) % 3}")
        for seed in seeds
        for number in range(20)
    ]
    table = pd.DataFrame(rows, columns=["seed", "trial", "word_concept", "distractor_concept"])
    return table.assign(
        paradigm="me", paradigm_version=1, condition="novel-familiar", population=population,
        n_languages=1, train_languages="en", test_language="en", n_choices=2, tie=False,
        word_id=[f"clip-{rng_seed}-{n}" for n in table["trial"]],
        correct=rng.integers(0, 2, len(table)),
    )  # fmt: skip


def write_run(folder: Path, table: pd.DataFrame, **manifest: Any) -> Path:
    folder.mkdir(parents=True)
    table.to_parquet(folder / "trials.parquet")
    write_stored(folder / "manifest.json", json.dumps(MANIFEST | manifest))
    return folder


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """The same three networks, asked two trial lists."""
    return [write_run(tmp_path / f"me-{seed}", answers(seed), trial_seed=seed) for seed in (0, 1)]


def test_lists_are_added_up_per_network_word_and_distractor(two: list[Path]) -> None:
    counts = read_counts(two)
    tables = [answers(0), answers(1)]
    assert not counts.duplicated(list(KEYS)).any()
    assert set(counts["seed"]) == {f"monolingual-en/{seed}" for seed in "abc"}
    both = pd.concat(tables)
    for (seed, word, distractor), own in both.groupby(
        ["seed", "word_concept", "distractor_concept"]
    ):
        row = counts[
            (counts["seed"] == f"monolingual-en/{seed}")
            & (counts["word_concept"] == word)
            & (counts["distractor_concept"] == distractor)
        ].iloc[0]
        assert (row["n_trials"], row["n_correct"]) == (len(own), own["correct"].sum())
    cell = publication_table(two).rows[0].cells[0]
    assert cell is not None
    assert (cell.n_seeds, cell.n_trials) == (3, 120)
    assert cell.mean == pytest.approx(both["correct"].mean())


def asked_at_random(trial_seed: int) -> pd.DataFrame:
    """A list of the test, of a control with other targets than words, and of familiar words."""
    parts = []
    for condition in ("novel-familiar", "novel*-familiar", "familiar-novel"):
        table = answers(trial_seed).assign(condition=condition)
        rng = np.random.default_rng([trial_seed, len(parts)])
        drawn = rng.integers(0, 50, (2, len(table)))
        if condition == "novel*-familiar":
            table["target_concept"] = [f"w{number % 4}" for number in drawn[0]]
        else:
            table["target_concept"] = table["word_concept"]
        table["distractor_concept"] = [f"d{number}" for number in drawn[1]]
        parts.append(table.assign(trial=table["trial"] + 100 * len(parts)))
    return pd.concat(parts, ignore_index=True)


def test_what_is_held_does_not_grow_with_lists(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / f"me-{seed}", asked_at_random(seed), trial_seed=seed)
        for seed in range(12)
    ]
    read = read_lists(runs, by_distractor=lambda _: ["novel-familiar"])
    n_seeds, n_words = 3, 4
    n_rows = read.counts["condition"].value_counts()
    # Of every network: its words, beside one of the 4 targets, whatever lists it was asked.
    assert n_rows["familiar-novel"] == n_seeds * n_words
    assert n_rows["novel*-familiar"] == n_seeds * n_words * 4
    assert len(read.pairs) < len(read_counts(runs)) / 2
    assert len(read.pairs) <= 3 * n_words * 50
    assert len(read.lists) == len(runs) * n_seeds * 3
    assert read.counts["n_trials"].sum() == read.pairs["n_trials"].sum() == 12 * 180


def test_an_analysis_is_the_same_whichever_counts_tell_distractors(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / f"me-{seed}", asked_at_random(seed), trial_seed=seed)
        for seed in range(3)
    ]
    whole = analyse(read_counts(runs), MutualExclusivity).to_json()
    read = analyse_runs(runs)["me"].to_json()
    assert read["words_by_distractor"]
    later = ("sentences", "warnings", "lists")
    for name in set(whole) - set(later):
        assert json.dumps(read[name]) == json.dumps(whole[name]), name
    assert read["sentences"][: len(whole["sentences"])] == whole["sentences"]


def test_a_second_spelling_is_told_of_distractors_of_any_condition(tmp_path: Path) -> None:
    table = asked_at_random(0)
    control = table["condition"] == "familiar-novel"
    table.loc[control & (table["trial"] % 2 == 0), "distractor_concept"] = "Dax"
    table.loc[control & (table["trial"] % 2 == 1), "distractor_concept"] = "dax"
    run = write_run(tmp_path / "me-0", table)
    assert any(
        warning.startswith("distractor_concept: ") for warning in analyse_runs([run])["me"].warnings
    )


def test_how_much_lists_vary_is_told_everywhere(
    two: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    means = [answers(seed)["correct"].mean() for seed in (0, 1)]
    content = analyse_runs(two)["me"].to_json()
    (row,) = content["lists"]
    assert (row["n_lists"], row["n_seeds"], row["complete"]) == (2, 3, True)
    assert row["mean"] == pytest.approx(np.mean(means))
    assert row["sd"] == pytest.approx(np.std(means, ddof=1))
    assert (row["min"], row["max"]) == pytest.approx((min(means), max(means)))
    said = "Answers to 2 trial lists were added up per word and distractor"
    assert any(sentence.startswith(said) for sentence in content["sentences"])
    assert any(warning.startswith(said) for warning in publication_table(two).warnings)
    assert call("analyze", *two, "-o", tmp_path / "s.json") == 0
    printed = capsys.readouterr().out
    assert "Accuracy per trial list" in printed
    assert said in printed
    assert json.loads((tmp_path / "s.json").read_text())["me"]["lists"] == content["lists"]
    assert analyse_runs(two[:1])["me"].to_json()["lists"] == []


def test_variation_over_lists_by_hand() -> None:
    rows = [
        ("p", seed, trial_seed, right)
        for trial_seed, right_of in (("0", {"a": 5, "b": 7}), ("1", {"a": 9, "b": 9}))
        for seed, right in right_of.items()
    ] + [("q", "a", "0", 4), ("q", "a", "1", 6), ("q", "b", "1", 8)]
    table = pd.DataFrame(rows, columns=["population", "seed", "trial_seed", "n_correct"])
    table = table.assign(paradigm="me", paradigm_version=1, test_language="en", condition="nf",
                         n_trials=10)  # fmt: skip
    made = list_variation(table).set_index("population")
    assert made.loc["p", ["mean", "min", "max"]].tolist() == pytest.approx([0.75, 0.6, 0.9])
    assert made.loc["p", "sd"] == pytest.approx(0.15 * np.sqrt(2))
    assert made["complete"].tolist() == [True, False]
    said = " ".join(list_sentences(made.reset_index()))
    assert "an SD of 21.2 points, most for" in said
    assert "In 1 of 2 cells not every seed answered every list" in said
    assert list_sentences(made.reset_index(), ["other"]) == []


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ({"trial_seed": 0}, "both have the trial list of seed 0"),
        ({"trials_per_class": 5}, "differ in the number of trials per class as well"),
        ({"paradigm": {"source_sha256": "q"}}, "differ in the paradigm's file as well"),
        ({"stimuli": {"checksum": "0b" * 32}}, "differ in the stimuli as well"),
        ({"subjects": {"monolingual-en/a": "others"}}, "the weights of monolingual-en/a as well"),
        ({"fixed_trials": ["novel-familiar"]}, "fixes the trials of novel-familiar"),
        (None, "no manifest beside the table"),
    ],
)
def test_runs_that_differ_in_more_are_refused(
    two: list[Path], manifest: dict[str, Any] | None, expected: str
) -> None:
    file = two[1] / "manifest.json"
    if manifest is None:
        file.unlink()
    else:
        write_stored(file, json.dumps(MANIFEST | {"trial_seed": 1} | manifest))
    with pytest.raises(ToolkitError) as error:
        read_counts(two)
    assert "The same subject and test stand in two of the runs: paradigm me, paradigm_v" in str(
        error.value
    )
    assert "population monolingual-en, seed a, test_language en" in str(error.value)
    assert expected in str(error.value)
    assert "np." not in str(error.value)
    with pytest.raises(ToolkitError):
        publication_table(two)


def test_other_versions_are_never_pooled(two: list[Path]) -> None:
    answers(1).assign(paradigm_version=2).to_parquet(two[1] / "trials.parquet")
    assert len(read_counts(two)["paradigm_version"].unique()) == 2
    with pytest.raises(ToolkitError, match="versions 1, 2"):
        analyse_runs(two)


def test_a_column_tells_lists_of_tables_from_elsewhere_apart(tmp_path: Path) -> None:
    parts = [answers(seed).assign(trial_seed=seed, source="study") for seed in (0, 1)]
    pd.concat(parts).to_parquet(tmp_path / "both.parquet")
    for seed, part in enumerate(parts):
        part.to_parquet(tmp_path / f"{seed}.parquet")
    read = read_lists([tmp_path / "both.parquet"])
    assert set(read.lists["trial_seed"]) == {"0", "1"}
    one = read_counts([tmp_path / "both.parquet"])
    assert one.equals(read_counts([tmp_path / "0.parquet", tmp_path / "1.parquet"]))
    cell = publication_table([tmp_path / "both.parquet"]).rows[0].cells[0]
    assert cell is not None
    assert (cell.n_seeds, cell.n_trials) == (3, 120)
    pd.concat(parts).drop(columns="trial_seed").to_parquet(tmp_path / "mixed.parquet")
    with pytest.raises(ToolkitError, match="60 rows occur twice"):
        read_counts([tmp_path / "mixed.parquet"])


def test_populations_that_answered_other_lists_are_told(two: list[Path], tmp_path: Path) -> None:
    other = write_run(
        tmp_path / "me-2", answers(2, "bilingual-en-nl").assign(n_languages=2), trial_seed=7
    )
    note = "In en, lists differ (bilingual-en-nl: 7; monolingual-en: 0, 1)"
    assert list_notes(read_lists([*two, other]).lists)[0].startswith(note)
    assert any(warning.startswith(note) for warning in analyse_runs([*two, other])["me"].warnings)


def with_scores(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        target_id="t", target_concept="w", distractor_id="d", target_position=0,
        score_target=0.5, score_distractor=0.0, margin=0.5, word_id="clip",
    )  # fmt: skip


def test_trials_of_two_lists_are_not_one_trial(two: list[Path]) -> None:
    for seed, folder in enumerate(two):
        with_scores(answers(seed)).to_parquet(folder / "trials.parquet")
    single = digest(two, ["novel-familiar"], 6).single
    assert single.n_picked
    assert ((single.chosen != NOT_ASKED).sum(axis=1) == 3).all()


def test_words_of_a_report_are_added_up_list_by_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = [with_scores(answers(seed)) for seed in range(6)]
    runs = [
        write_run(tmp_path / f"me-{seed}", table, trial_seed=seed)
        for seed, table in enumerate(tables)
    ]
    held = []

    def added_up(parts: list[pd.DataFrame]) -> pd.DataFrame:
        held.append(sum(map(len, parts)))
        return added_up_words(parts)

    monkeypatch.setattr("toolkit.statistics.choices.digest.added_up_words", added_up)
    words = digest(runs, ["novel-familiar"], 0).words
    pd.testing.assert_frame_equal(words, word_seeds(pd.concat(tables)))
    assert held == [2 * len(words)] * 5


def named(folder: Path, run: Path) -> dict[str, Path]:
    """Other names of a run."""
    (folder / "link").symlink_to(run)
    os.link(run / "trials.parquet", folder / "hard.parquet")
    shutil.copy(run / "trials.parquet", folder / "copy.parquet")
    shutil.copytree(run, folder / "whole-copy")
    table = pd.read_parquet(run / "trials.parquet")
    table.sample(frac=1, random_state=0).to_parquet(folder / "written-again.parquet")
    return {
        "again": run, "dotted": run / "." / ".." / run.name, "file": run / "trials.parquet",
        "link": folder / "link", "hard link": folder / "hard.parquet",
        "copy": folder / "copy.parquet", "folder's copy": folder / "whole-copy",
        "other bytes": folder / "written-again.parquet",
    }  # fmt: skip


def test_one_table_by_any_names_counts_once(two: list[Path], tmp_path: Path) -> None:
    run, names = two[0], named(tmp_path, two[0])
    expected = read_counts([run])

    def size(row: Row) -> list[tuple[int, int, float]]:
        return [(cell.n_seeds, cell.n_trials, round(cell.mean, 12)) for cell in row.cells if cell]

    alone = publication_table([run])
    for what, name in names.items():
        for order in ([run, name], [name, run]):
            assert read_counts(order).equals(expected), what
            notes = read_lists(order).notes
            assert [note[-27:] for note in notes] == [" named twice, counted once."], what
            warnings = analyse_runs(order)["me"].warnings
            assert sum("counted once" in warning for warning in warnings) == 1, what
            shown = publication_table(order)
            assert [size(row) for row in shown.rows] == [size(row) for row in alone.rows], what
            assert sum("counted once" in warning for warning in shown.warnings) == 1, what
    # A run beside its copies is still the run whose list is known.
    assert read_counts([names["copy"], *two]).equals(read_counts(two))


def test_an_export_beside_its_run_counts_once(tmp_path: Path) -> None:
    whole = answers(0).assign(
        run_id="me-0", target_id="t", target_concept="w", distractor_id="d", target_position=0,
        score_target=np.linspace(0, 1, 60, dtype=np.float32), score_distractor=np.float32(-0.1),
    )  # fmt: skip
    whole["margin"] = whole["score_target"] - whole["score_distractor"]
    run = write_run(tmp_path / "me-0", whole)
    read_whole(run).to_csv(tmp_path / "trials.csv", index=False)
    assert read_counts([tmp_path / "trials.csv"]).equals(read_counts([run]))
    paths = [tmp_path / "trials.csv", run]
    assert runs_once(paths)[0] == [run]
    assert read_counts(paths).equals(read_counts([run]))
    one, two = (digest([path], ["novel-familiar"], 3) for path in paths)
    # The number of a list stands in the manifest beside a run.
    shown = [digested.single.trials.drop(columns="trial_seed") for digested in (one, two)]
    pd.testing.assert_frame_equal(*shown, check_dtype=False)
    assert np.allclose(one.single.margins, two.single.margins, equal_nan=True)
    # A changed answer makes another table.
    changed = whole.assign(correct=1 - whole["correct"])
    changed.to_parquet(tmp_path / "changed.parquet")
    with pytest.raises(ToolkitError, match="two of the runs"):
        read_counts([run, tmp_path / "changed.parquet"])


def test_a_copy_whose_manifest_says_something_else_is_no_copy(
    two: list[Path], tmp_path: Path
) -> None:
    other = shutil.copytree(two[0], tmp_path / "other")
    changed = MANIFEST | {"stimuli": {"checksum": "0b" * 32}}
    write_stored(other / "manifest.json", json.dumps(changed))
    assert runs_once([two[0], other]) == ([two[0], other], [])
    with pytest.raises(ToolkitError, match="stand in two of the runs"):
        read_lists([two[0], other])


def test_part_of_a_run_beside_it_is_refused(two: list[Path], tmp_path: Path) -> None:
    answers(0).head(30).to_parquet(tmp_path / "part.parquet")
    for command in (read_counts, publication_table):
        with pytest.raises(ToolkitError, match=r"two of the runs|given twice and differ"):
            command([two[0], tmp_path / "part.parquet"])


def test_a_path_stands_for_its_table_or_says_what_is_near(two: list[Path], tmp_path: Path) -> None:
    assert trials_file(two[0]) == two[0] / "trials.parquet"
    assert manifest_of(two[0] / "trials.parquet")["trial_seed"] == 0
    shutil.copy(two[0] / "trials.parquet", two[0] / "elsewhere.parquet")
    assert manifest_of(two[0] / "elsewhere.parquet") == {}
    with pytest.raises(ToolkitError) as error:
        trials_file(tmp_path / "me-00")
    assert error.value.nearest == str(tmp_path / "me-0")
    assert runs_once([tmp_path / "nowhere"]) == ([tmp_path / "nowhere"], [])


@pytest.mark.parametrize("names", [("NF",), ("NF", "familiar-novel"), ("familiar-novel",)])
def test_answers_without_the_test_itself_are_no_empty_analysis(
    tmp_path: Path, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.concat([answers(0).assign(condition=name) for name in names])
    run = tmp_path / "study.parquet"
    table.to_parquet(run)
    for command, *options in (("analyze",), ("report", "-o", tmp_path / "r.html")):
        assert call(command, run, *options) == 2
        said = capsys.readouterr().err
        assert "None of the conditions is the test of the paradigm 'me'" in said
        assert "novel-familiar and its controls familiar-novel" in said
        strange = names[0] == "NF"
        assert ("--recode condition:NF=novel-familiar" in said) == strange
        assert ("table RUN --conditions all" in said) != strange
    # The table shows what there is, and says what it is not.
    warnings = publication_table([run]).warnings
    assert any("'NF' is none of the paradigm me" in said for said in warnings) == strange


def test_chance_is_the_mean_over_trials(tmp_path: Path) -> None:
    """Three trials with 2 pictures and one with 4: chance is (3 / 2 + 1 / 4) / 4."""
    table = answers(0).assign(n_choices=lambda t: np.where(t["trial"] % 4 == 3, 4, 2))
    expected = (3 / 2 + 1 / 4) / 4
    assert seed_accuracy(table)["chance"].tolist() == pytest.approx([expected] * 3)
    assert accuracy_over_seeds(seed_accuracy(table))["chance"].tolist() == pytest.approx([expected])
    run = write_run(tmp_path / "me-0", table)
    assert accuracy_per_seed(read_counts([run]))["chance"].tolist() == pytest.approx([expected] * 3)
    # Counts keep both, so that a model can take them apart.
    assert set(read_counts([run])["n_choices"]) == {2, 4}
    made = publication_table([run])
    assert made.rows[0].cells[0] is not None
    assert made.rows[0].cells[0].chance == pytest.approx(expected)
    note = "trials offered 2 or 4 options; chance is the mean over trials, 43.8 %."
    assert any(note in warning for warning in made.warnings)
    assert any(note in warning for warning in analyse_runs([run])["me"].warnings)


def test_exports_and_analyses_take_tables_from_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = answers(0).assign(source="study", age=24.5)
    table.to_parquet(tmp_path / "study.parquet")
    out = tmp_path / "out.csv"
    assert call("export", tmp_path / "study.parquet", "--out", out) == 0
    assert pd.read_csv(out).shape == table.shape
    assert "60 trials written" in capsys.readouterr().out
    table.assign(correct=2).to_parquet(tmp_path / "wrong.parquet")
    with pytest.raises(ToolkitError, match="column correct holds"):
        read_whole(tmp_path / "wrong.parquet")
    assert call("export", tmp_path / "nowhere", "--out", out) == 2
