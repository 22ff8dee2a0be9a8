"""Children, published predictions and runs in one table, and what a new user gets wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from toolkit.cli.tables import import_trials
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.publication import publication_table
from toolkit.statistics.imported.elsewhere import combine, read_any, read_run, read_wide, write_long
from toolkit.tables.longtable import REQUIRED

CHILDREN = """sub_id,age_months,group,object1,trial_type,correct
007,24.5,mono,ball,NF,1
007,24.5,mono,cup,NN,0
012,31,bi,ball,NF,TRUE
012,31,bi,cup,NN,FALSE
"""
NAMES = {"seed": "sub_id", "word_concept": "object1", "condition": "trial_type"}
CONSTANTS = {"population": "children", "test_language": "en"}
WIDE = """trial,audio_query,image_A,image_B,none,alexnet,cpc,cpc+alexnet,random_baseline
1,ball_012,nb1,fd1,1,1,0,1,0
2,bus_7,nb2,fd2,0,1,1,1,1
3,ball_013,nb3,fd1,0,0,0,1,0
"""
LEWIS = Path(__file__).parents[2] / "reference" / "lewis2020" / "experiment1_trials.csv"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and give its path."""

    def write_(text: str, name: str = "study.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write_


def read(path: Path, names: dict[str, str] = NAMES, **more: Any) -> pd.DataFrame:
    return read_any(path, names, constants=CONSTANTS, **more)


def faults(path: Path, names: dict[str, str] = NAMES, **more: Any) -> str:
    with pytest.raises(ToolkitError) as error:
        read(path, names, **more)
    return str(error.value)


def test_any_table_comes_out_under_our_names(write: Write) -> None:
    table = read(write(CHILDREN))
    assert list(table.columns) == [
        "source", "population", "seed", "test_language", "condition", "word_concept", "correct",
        "age_months", "group",
    ]  # fmt: skip
    assert table["seed"].tolist() == ["007", "007", "012", "012"]
    assert table["correct"].tolist() == [1, 0, 1, 0]
    assert table["correct"].dtype == np.int8
    assert table["source"].unique().tolist() == ["study"]
    assert table["age_months"].tolist() == [24.5, 24.5, 31.0, 31.0]
    for column in REQUIRED[:-1]:
        assert isinstance(table[column.name].dtype, pd.CategoricalDtype)


@pytest.mark.parametrize(
    ("text", "name", "encoding"),
    [
        (CHILDREN.replace(",", ";"), "study.csv", "utf-8"),
        (CHILDREN.replace(",", "\t"), "study.tsv", "utf-8"),
        (CHILDREN, "study.csv", "utf-8-sig"),
        (CHILDREN.replace("\n", "\r\n"), "study.csv", "utf-8"),
    ],
)
def test_separators_and_marks_of_spreadsheets(
    write: Write, text: str, name: str, encoding: str
) -> None:
    expected = read(write(CHILDREN))
    assert read(write(text, name, encoding)).equals(expected)


def test_parquet_and_whole_numbers_with_gaps(write: Write, tmp_path: Path) -> None:
    raw = pd.DataFrame(
        {"sub_id": [7.0, None, 11.0], "object1": "ball", "trial_type": "NF", "correct": [1, 0, 1]}
    )
    raw.to_parquet(tmp_path / "study.parquet")
    table = read(tmp_path / "study.parquet", drop_missing=True)
    assert table["seed"].tolist() == ["7", "11"]


def test_words_that_look_like_missing_values_are_words(write: Write) -> None:
    text = CHILDREN.replace("ball", "nan").replace("cup", "None")
    assert set(read(write(text))["word_concept"]) == {"nan", "None"}


def test_a_column_with_our_name_that_was_not_meant_is_kept(write: Write) -> None:
    text = CHILDREN.replace("group", "condition")
    table = read(write(text))
    assert table["condition"].tolist() == ["NF", "NN", "NF", "NN"]
    assert table["file_condition"].tolist() == ["mono", "mono", "bi", "bi"]


def test_words_of_studies_of_children_are_understood(write: Write) -> None:
    table = read(
        write(CHILDREN), {"participant": "sub_id", "item": "object1", "condition": "trial_type"}
    )
    assert table.equals(read(write(CHILDREN)))


def test_all_faults_are_told_at_once(write: Write) -> None:
    text = CHILDREN.replace("31,bi,ball,NF,TRUE", "31,bi,ball,,yes").replace("cup,NN,0", "cup,NN,2")
    said = faults(write(text), {"seed": "subid", "condition": "trial_type"})
    for expected in (
        "column subid, named as seed, is not in the file (is it sub_id?)",
        "nothing says what word_concept is",
        "column correct holds '2', 'yes' in 2 rows, expected 0 or 1",
        "1 of 4 rows lacks a value: condition in 1 (first rows: 3); --drop-missing",
    ):
        assert expected in said
    assert said.count("\n  - ") == 4


def test_what_is_missing_is_counted_and_left_out_only_when_asked(write: Write) -> None:
    path = write(CHILDREN.replace("NF,TRUE", "NF,NA"))
    assert "1 of 4 rows lacks a value: correct in 1 (first rows: 3)" in faults(path)
    table = read(path, drop_missing=True)
    assert len(table) == 3
    assert table.attrs["notes"] == [
        "Left out: 1 of 4 rows lacks a value: correct in 1 (first rows: 3)."
    ]


def test_repeated_rows_are_a_fault_unless_they_are_trials(write: Write) -> None:
    path = write(CHILDREN + "007,24.5,mono,ball,NF,1\n")
    assert "1 row repeats an earlier one in every column (first: row 5)" in faults(path)
    assert len(read(path, keep_repeats=True)) == 5
    numbered = "trial," + CHILDREN.replace("\n0", "\n1,0")
    assert len(read(write(numbered))) == 4
    said = faults(write(numbered + "1,007,24.5,mono,ball,NF,0\n"), keep_repeats=True)
    where = "population children, seed 007, test_language en, condition NF, trial 1"
    assert f"1 row occurs twice, first {where}" in said


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("", "study.csv", "is empty"),
        ("sub_id,object1,trial_type,correct\n", "study.csv", "no rows below the header"),
        ("\x00\x01", "study.parquet", "cannot be read as a table"),
        ("x", "study.xlsx", "save it as CSV"),
        (CHILDREN.replace("\n", ",two\n").replace("two", "n_choices", 1),
         "study.csv", "n_choices holds text"),
    ],
)  # fmt: skip
def test_files_that_are_no_tables(write: Write, text: str, name: str, expected: str) -> None:
    assert expected in faults(write(text, name), drop_missing=True)


def test_missing_file_and_other_encodings(write: Write, tmp_path: Path) -> None:
    path = write(CHILDREN.replace("ball", "bébé"), encoding="latin-1")
    assert "is not UTF-8 text" in faults(path)
    assert "study.csv" in faults(tmp_path / "studdy.csv")


def test_a_column_is_not_overwritten_by_a_constant(write: Write) -> None:
    with pytest.raises(ToolkitError, match="condition is a column and also set to 'me'"):
        read_any(write(CHILDREN), NAMES, constants=CONSTANTS | {"condition": "me"})


def test_values_are_renamed_and_may_become_one(write: Write) -> None:
    table = read(write(CHILDREN), recode={"condition": {"NF": "novel", "NN": "novel"}})
    assert set(table["condition"]) == {"novel"}
    said = faults(write(CHILDREN), recode={"condition": {"NFF": "x"}, "colour": {"a": "b"}})
    assert "condition never is NFF (is it NF?)" in said
    assert "colour is to be renamed in, but there is no such column" in said


def test_a_paradigm_makes_it_a_trials_table_or_says_what_is_needed(write: Write) -> None:
    constants = CONSTANTS | {"paradigm": "me", "n_choices": "2"}
    with pytest.raises(ToolkitError) as error:
        read_any(write(CHILDREN), NAMES, constants=constants)
    assert "paradigm is named, but not n_languages" in str(error.value)
    assert "paradigm is named, but not train_languages" in str(error.value)
    more = {"paradigm_version": "1", "n_languages": "1", "train_languages": "en"}
    table = read_any(write(CHILDREN), NAMES, constants=constants | more)
    assert table[["n_choices", "n_languages", "paradigm_version"]].iloc[0].tolist() == [2, 1, 1]
    assert table["tie"].tolist() == [False] * 4
    assert table["distractor_concept"].tolist() == [""] * 4
    assert publication_table([table], conditions="all").headings[0].chance == (0.5, 0.5)


def test_wide_predictions_become_one_row_per_model(write: Write) -> None:
    table = read_wide(
        write(WIDE, "predictions.csv"),
        word_pattern="^([a-z]+)_",
        constants={"test_language": "en", "condition": "novel-familiar", "n_choices": "2"},
    )
    assert len(table) == 15
    right = table.groupby("population", observed=True, sort=False)["correct"].sum()
    assert right.to_dict() == {
        "none": 1, "alexnet": 2, "cpc": 1, "cpc+alexnet": 3, "random_baseline": 1,
    }  # fmt: skip
    assert table["word_concept"].tolist()[:3] == ["ball", "bus", "ball"]
    assert table["target_id"].tolist()[:3] == ["nb1", "nb2", "nb3"]
    assert any("One seed per population" in note for note in table.attrs["notes"])
    shown = publication_table([table])
    assert [row.cells[0].mean for row in shown.rows if row.cells[0]] == pytest.approx(
        [1 / 3, 2 / 3, 1 / 3, 1, 1 / 3]
    )
    assert shown.headings[0].chance == (0.5, 0.5)


@pytest.mark.parametrize("heads", [("audio", "image-pos", "image-neg"), ("said", "yes", "no")])
def test_wide_predictions_of_seeds(write: Write, heads: tuple[str, str, str]) -> None:
    text = f"{','.join(heads)},is-correct/0,is-correct/1\nball_1,007,n1,1,0\nbus_2,008,n2,1,1\n"
    clip = ["ball_1", "007", "n1"]
    # The published names are known; others are given.
    ours = ("word_id", "target_id", "distractor_id")
    columns = None if heads[0] == "audio" else dict(zip(ours, heads, strict=True))
    table = read_wide(
        write(text),
        answers="seed",
        word_pattern="^([a-z]+)_",
        columns=columns,
        constants={"population": "en-nl", "test_language": "nl", "condition": "nf"},
    )
    assert table[["seed", "word_concept", "correct"]].to_numpy().tolist() == [
        ["0", "ball", 1], ["0", "bus", 1], ["1", "ball", 0], ["1", "bus", 1],
    ]  # fmt: skip
    assert table[["word_id", "target_id", "distractor_id"]].iloc[0].tolist() == clip


@pytest.mark.parametrize(
    ("change", "pattern", "expected"),
    [
        (("audio_query", "audio"), "^([a-z]+)_", "nothing says which column names the clip"),
        (("none", "epoch"), "^([a-z]+)_", ""),
        (("1,1,0,1,0", "1,7,0,1,0"), "^([a-z]+)_", "column alexnet holds 7 in 1 row"),
        (("ball", "ball"), "^([0-9]+)_", "3 of 3 names of clips do not match"),
        (("ball", "ball"), "(", "no regular expression"),
    ],
)
def test_wide_predictions_with_faults(
    write: Write, change: tuple[str, str], pattern: str, expected: str
) -> None:
    path = write(WIDE.replace(*change))
    constants = {"test_language": "en", "condition": "nf"}
    if not expected:
        assert "epoch" in set(
            read_wide(path, word_pattern=pattern, constants=constants)["population"]
        )
        return
    with pytest.raises(ToolkitError) as error:
        read_wide(path, word_pattern=pattern, constants=constants)
    assert expected in str(error.value)


def run_table() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "run_id": "me-1", "paradigm": "me", "paradigm_version": np.int16(1),
            "condition": "novel-familiar", "population": "mono-en", "train_languages": "en",
            "n_languages": np.int16(1), "seed": ["a", "a", "b", "b"], "test_language": "en",
            "trial": np.array([0, 1, 0, 1], np.int32), "word_id": "c1", "word_concept": "ball",
            "target_id": "t", "distractor_concept": "dog", "n_choices": np.int16(2),
            "correct": np.array([1, 0, 1, 1], np.int8), "tie": False, "margin": 0.5,
        }
    )  # fmt: skip
    return table.astype(dict.fromkeys(("seed", "population", "word_concept"), "category"))


def test_run_is_read_with_what_is_needed_and_no_more(tmp_path: Path) -> None:
    write_long(run_table(), tmp_path / "trials.parquet")
    table = read_run(tmp_path)
    assert {"margin", "word_id"}.isdisjoint(table.columns)
    assert table["source"].tolist() == ["me-1"] * 4
    assert isinstance(table["seed"].dtype, pd.CategoricalDtype)
    few = read_run(tmp_path / "trials.parquet", ["n_choices"])
    assert {"target_id", "word_concept", "tie"}.isdisjoint(few.columns)


def test_exported_csv_is_read_like_the_run_itself(tmp_path: Path) -> None:
    whole = run_table().assign(
        train_languages="", target_concept="ball", distractor_id="d", target_position=0,
        score_target=0.5, score_distractor=0.0,
    )  # fmt: skip
    write_long(whole, tmp_path / "trials.parquet")
    whole.to_csv(tmp_path / "trials.csv", index=False)
    rows = publication_table([tmp_path / "trials.csv"]).rows
    assert rows == publication_table([tmp_path]).rows
    assert rows[0].training == ()
    whole.to_csv(tmp_path / "marked.csv", index=False, encoding="utf-8-sig")
    assert publication_table([tmp_path / "marked.csv"]).rows == rows
    whole.to_csv(tmp_path / "wide.csv", index=False, encoding="utf-16")
    assert publication_table([tmp_path / "wide.csv"]).rows == rows
    whole.drop(columns="seed").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(ToolkitError, match="column seed is missing"):
        read_run(tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"trial": 0}, "2 rows occur twice"),
        ({"correct": 2}, r"holds \[2, 2, 2\], expected 0 or 1"),
        ({"correct": "yes"}, "expected 0 or 1"),
        ({"tie": True}, "a tie is counted as correct"),
        ({"seed": None}, "column seed is missing"),
    ],
)
def test_faulty_runs_are_refused(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    table = run_table().assign(**change).dropna(axis=1)
    write_long(table, tmp_path / "trials.parquet")
    with pytest.raises(ToolkitError, match=expected):
        read_run(tmp_path)


def test_children_and_models_stand_in_one_table(write: Write, tmp_path: Path) -> None:
    write_long(run_table(), tmp_path / "trials.parquet")
    children = read(write(CHILDREN))
    children["condition"] = children["condition"].cat.rename_categories({"NF": "novel-familiar"})
    both = combine({"children": children, "models": read_run(tmp_path)})
    assert len(both) == 8
    assert both["source"].value_counts().to_dict() == {"children": 4, "models": 4}
    assert both["correct"].dtype == np.int8
    assert both["tie"].dtype == bool
    assert isinstance(both["word_concept"].dtype, pd.CategoricalDtype)
    assert both["target_id"].isna().tolist() == [True] * 4 + [False] * 4
    assert both["age_months"].isna().tolist() == [False] * 4 + [True] * 4
    made = publication_table([both])
    assert {row.population for row in made.rows} == {"children", "mono-en"}


def test_combine_lists_every_fault(write: Write) -> None:
    children = read(write(CHILDREN))
    with pytest.raises(ToolkitError) as error:
        combine({"one": children.drop(columns="seed"), "two": children.iloc[:0]})
    assert "one: column seed is missing" in str(error.value)
    assert "two: no rows" in str(error.value)
    with pytest.raises(ToolkitError, match="participant children/007 occurs in one and in two"):
        combine({"one": children, "two": children})
    with pytest.raises(ToolkitError, match="no table"):
        combine({})


def test_command_writes_the_table_with_its_dictionary(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "children.parquet"
    import_trials(
        write(CHILDREN),
        out,
        columns=["seed=sub_id, word_concept=object1", "condition=trial_type"],
        constant=["population=children,test_language=en,n_choices=2"],
    )
    assert "4 trials of 2 participants in 1 population" in capsys.readouterr().out
    meanings = json.loads(pq.read_schema(out).metadata[b"mevgs_toolkit"])["columns"]
    assert meanings["seed"].endswith("column sub_id of study.csv")
    assert meanings["age_months"] == "column age_months of study.csv, as found"
    assert "the same in every row" in meanings["population"]
    again = read_run(out)
    assert again["seed"].tolist() == ["007", "007", "012", "012"]
    assert publication_table([out], conditions="all").rows[0].population == "children"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"output": "x.csv"}, "-o .*x.parquet"),
        ({"columns": ["seed"]}, "given: seed"),
        ({"columns": ["seed=a,seed=b"]}, "'seed' twice"),
        ({"recode": ["NF=novel"]}, "NAME:OLD=NEW"),
        ({"word_pattern": "x"}, "goes with --wide"),
        ({"wide": "population"}, "needs --word-pattern"),
    ],
)
def test_command_with_wrong_options(
    write: Write, tmp_path: Path, options: dict[str, Any], expected: str
) -> None:
    output = tmp_path / options.pop("output", "x.parquet")
    with pytest.raises(ToolkitError, match=expected):
        import_trials(write(CHILDREN), output, **options)
    assert not output.exists()


def test_command_does_not_overwrite_what_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "study.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(ToolkitError, match=r"study-long\.parquet"):
        import_trials(path, path)


def test_published_children_pass_the_published_filter() -> None:
    """Lewis et al. 2020, experiment 1: 154 children and 2,464 trials are analysed."""
    children = read(LEWIS, drop_missing=True)
    assert len(children) == 3446
    assert children["seed"].nunique() == 186
    # Aged 2 or 3, heard English at least three quarters of the time, finished all 19 trials ...
    asked = children[children["age_months"].between(24, 48) & (children["english"] >= 75)]
    finished = asked.groupby("seed", observed=True)["correct"].transform("size") == 19
    asked = asked[finished]
    # ... chose the familiar picture for familiar words at least half of the time ...
    control = asked["correct"].where(asked["condition"] == "C-NF")
    asked = asked[control.groupby(asked["seed"], observed=True).transform("mean") >= 0.5]
    # ... practice left out.
    asked = asked[asked["condition"] != "FF"]
    assert (len(asked), asked["seed"].nunique()) == (2464, 154)
