"""Values, names and spellings of tables from elsewhere: converted with a note, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit.cli.tables import import_trials
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.counts import read_counts
from toolkit.statistics.choices.items import shared_words, shared_words_notes
from toolkit.statistics.choices.publication import publication_table
from toolkit.statistics.imported.elsewhere import read_any, read_wide, write_long
from toolkit.tables.answers import answer_faults, repeat_faults
from toolkit.tables.longtable import read_run, read_whole
from toolkit.tables.spelling import alike, spelling_notes
from toolkit.tables.values import not_binary

NAMES = {"seed": "child", "word_concept": "word"}
ME = {"paradigm": "me", "paradigm_version": "1", "n_languages": "1", "train_languages": "en"}
SET = {"population": "children", "test_language": "en", "condition": "novel-familiar",
       "n_choices": "2"}  # fmt: skip


def csv_of(folder: Path, rows: str, name: str = "study.csv") -> Path:
    path = folder / name
    path.write_text(rows, encoding="utf-8")
    return path


def read(folder: Path, rows: str, **more: Any) -> pd.DataFrame:
    constants = SET | ME | more.pop("constants", {})
    columns = more.pop("columns", NAMES)
    head = rows.partition("\n")[0].split(",")
    constants = {
        name: value for name, value in constants.items() if name not in {*head, *columns} - {"x"}
    }
    return read_any(csv_of(folder, rows), columns, constants=constants, **more)


def faults(folder: Path, rows: str, **more: Any) -> str:
    with pytest.raises(ToolkitError) as error:
        read(folder, rows, **more)
    return str(error.value)


CODED = "child,word,correct\nc1,dax,yes\nc1,wug,no\nc2,dax,yes\nc2,wug,null\n"


@pytest.mark.parametrize("empty", ["", "NA"])
def test_answers_are_renamed_before_they_are_looked_at(tmp_path: Path, empty: str) -> None:
    recode = {"correct": {"yes": "1", "no": "0", "null": empty}}
    table = read(tmp_path, CODED, recode=recode, drop_missing=True)
    assert table["correct"].tolist() == [1, 0, 1]
    assert "1 of 4 rows lacks a value: correct in 1" in faults(tmp_path, CODED, recode=recode)
    said = faults(tmp_path, CODED, recode={"correct": {"yes": "1", "ja": "1"}})
    assert "correct never is ja" in said
    assert "column correct holds 'no', 'null' in 2 rows, expected 0 or 1" in said
    assert "--recode correct:OLD=1 (or =0)" in said


def test_no_answer_may_be_counted_as_wrong(tmp_path: Path) -> None:
    rows = "child,word,correct\nc1,dax,1\nc1,wug,\nc2,dax,NA\n"
    assert read(tmp_path, rows, recode={"correct": {"NA": "0"}})["correct"].tolist() == [1, 0, 0]
    whole = rows.replace(",NA", ",0").replace("wug,", "wug,0")
    assert "correct never is NA" in faults(tmp_path, whole, recode={"correct": {"NA": "0"}})


def test_a_column_of_trial_lists_is_a_name(tmp_path: Path) -> None:
    rows = "child,word,list,trial,correct\n" + "".join(
        f"c{child},dax,{number},{trial},1\n"
        for child in (1, 2)
        for number in ("01", "02")
        for trial in (1, 2)
    )
    table = read(tmp_path, rows, columns=NAMES | {"trial_seed": "list"})
    write_long(table, tmp_path / "t.parquet")
    assert read_run(tmp_path / "t.parquet")["trial_seed"].unique().tolist() == ["01", "02"]
    assert read_counts([tmp_path / "t.parquet"])["n_trials"].tolist() == [4, 4]
    said = faults(tmp_path, rows.replace(",02,", ",,"), columns=NAMES | {"trial_seed": "list"})
    assert "rows lack a value: trial_seed in 4" in said


def test_kinds_of_subjects_are_names_that_no_row_lacks(tmp_path: Path) -> None:
    rows = "child,word,subject_kind,correct\nc1,dax,1,1\nc2,dax,2,0\n"
    write_long(read(tmp_path, rows), tmp_path / "t.parquet")
    assert read_counts([tmp_path / "t.parquet"])["subject_kind"].tolist() == ["1", "2"]
    assert "lacks a value: subject_kind in 1" in faults(tmp_path, rows.replace(",2,", ",,"))


@pytest.mark.parametrize("code", [".", "-99", "N/A", "null", "none", "99.0"])
def test_codes_of_missing_values_can_be_named(tmp_path: Path, code: str) -> None:
    rows = f"child,word,age,correct\nc1,dax,24,1\nc1,wug,24,{code}\nc2,dax,{code},0\n"
    table = read(tmp_path, rows, missing=[code], drop_missing=True)
    assert table["correct"].tolist() == [1, 0]
    assert np.array_equal(table["age"].astype(float), [24, np.nan], equal_nan=True)
    assert f"no value is '{code}x'" in faults(tmp_path, rows, missing=[code, f"{code}x"])


def test_missing_codes_of_parquet_are_compared_as_they_are_written(tmp_path: Path) -> None:
    raw = pd.DataFrame({"child": ["a", "b", "c"], "word": "dax", "correct": [1.0, -99.0, 0.0]})
    raw.to_parquet(tmp_path / "study.parquet")
    table = read_any(
        tmp_path / "study.parquet", NAMES, constants=SET, missing=["-99"], drop_missing=True
    )
    assert table["correct"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("tie", "no,yes", "column tie holds 'no', 'yes' in 2 rows, expected 0 or 1"),
        ("tie", "0,2", "column tie holds 2 in 1 row"),
        ("n_choices", "2,two", "column n_choices holds text"),
        ("n_choices", "2,1", "column n_choices holds 1, expected whole numbers from 2 to 32767"),
        ("n_choices", "0,2", "column n_choices holds 0, expected"),
        ("n_choices", "2,2.5", "column n_choices holds 2.5, expected whole"),
        ("n_choices", "2,", "1 of 2 rows lacks a value: n_choices in 1"),
        ("n_languages", "-1,1", "column n_languages holds -1, expected whole"),
        ("n_languages", "1,99999", "column n_languages holds 99999, expected whole"),
        ("margin", "0.5,high", "column margin holds text, expected numbers"),
        ("score_target", "0.5,inf", "column score_target holds infinity, expected numbers"),
    ],
)
def test_one_rule_for_every_column_of_numbers_and_truth(
    tmp_path: Path, column: str, values: str, expected: str
) -> None:
    first, second = values.split(",")
    rows = f"child,word,correct,{column}\nc1,dax,0,{first}\nc2,dax,0,{second}\n"
    assert expected in faults(tmp_path, rows)


def test_ties_are_truth_values_or_get_new_names(tmp_path: Path) -> None:
    rows = "child,word,tie,correct\nc1,dax,no,1\nc1,wug,no,0\nc2,dax,no,1\nc2,wug,yes,0\n"
    table = read(tmp_path, rows, recode={"tie": {"yes": "1", "no": "0"}})
    assert table["tie"].tolist() == [False, False, False, True]
    spelt = rows.replace("no,", "FALSE,").replace("yes", "TRUE")
    assert read(tmp_path, spelt)["tie"].tolist() == [False, False, False, True]
    wrong = rows.replace("no,1", "1,1", 1).replace("no", "0").replace("yes", "0")
    assert "a tie is counted as correct" in faults(tmp_path, wrong)


def test_text_in_truth_columns_of_parquet_is_refused_by_every_command(tmp_path: Path) -> None:
    table = read(tmp_path, "child,word,correct\nc1,dax,0\nc2,dax,0\n").assign(tie=["no", "yes"])
    write_long(table, tmp_path / "t.parquet")
    for command in (read_run, lambda path: read_counts([path]), lambda p: publication_table([p])):
        with pytest.raises(ToolkitError, match="column tie holds text, expected 0 or 1"):
            command(tmp_path / "t.parquet")


def test_decimal_commas_are_read_with_a_note(tmp_path: Path) -> None:
    rows = "child;word;age;big;correct\nc1;dax;24,5;1,234;1\nc2;dax;31;2,345;0\n"
    path = csv_of(tmp_path, rows)
    table = read_any(path, NAMES, constants=SET)
    assert table["age"].tolist() == [24.5, 31.0]
    # This may be a thousand, so it stays as it is.
    assert table["big"].tolist() == ["1,234", "2,345"]
    assert table.attrs["notes"] == ["age: commas were read as decimal signs, e.g. 24,5."]


COMPOSED, DECOMPOSED = "b\u00e9b\u00e9", "be\u0301be\u0301"
SPELT = f"child,word,correct\nc1,dax ,1\nc1,Wug,0\nc1,{DECOMPOSED},1\n" + "".join(
    f"c{n},dax,1\nc{n},wug,0\nc{n},{COMPOSED},1\n" for n in (2, 3)
)


def test_one_word_in_two_spellings_is_told_or_made_one(tmp_path: Path) -> None:
    table = read(tmp_path, SPELT)
    assert set(table["word_concept"]) == {"dax", "Wug", "wug", COMPOSED}
    assert table.attrs["notes"] == [
        "word_concept: blanks around 1 value were taken off, e.g. 'dax '.",
        f"word_concept: letters of 1 value were composed (NFD to NFC), e.g. '{COMPOSED}'.",
        "word_concept: 'wug' and 'Wug' count as 2 and may be one in two spellings; import-trials "
        "--recode word_concept:Wug=wug makes them one.",
    ]
    one = read(tmp_path, SPELT, recode={"word_concept": {"Wug": "wug"}})
    assert set(one["word_concept"]) == {"dax", "wug", COMPOSED}
    assert len(one.attrs["notes"]) == 2


@pytest.mark.parametrize(
    ("column", "values", "shown"),
    [
        ("seed", ("C1", "c1"), "seed: 'c1' and 'C1' count as 2"),
        ("seed", ("7", "007"), "seed: '007' and '7' count as 2"),
        ("population", ("Mono", "mono"), "population: 'mono' and 'Mono' count as 2"),
        ("condition", ("novel-familiar", "novel- familiar"), "condition: 'novel- familiar' and"),
        ("test_language", ("en", "EN"), "test_language: 'en' and 'EN' count as 2"),
        ("word_concept", ("\ufb01sh", "fish"), "word_concept: 'fish' and '\ufb01sh' count as 2"),
    ],
)
def test_names_of_every_kind_are_compared(
    tmp_path: Path, column: str, values: tuple[str, str], shown: str
) -> None:
    row = {"population": "p", "seed": "s", "test_language": "en", "condition": "c",
           "word_concept": "w"}  # fmt: skip
    rows = [row | {column: value, "correct": n} for n, value in enumerate(values)]
    pd.DataFrame(rows).to_csv(tmp_path / "study.csv", index=False)
    notes = read_any(tmp_path / "study.csv").attrs["notes"]
    assert any(note.startswith(shown) for note in notes)


def test_seeds_of_two_populations_are_not_one_seed() -> None:
    assert alike({"dax": 1, "wug": 1, "dachs": 2}) == []
    rows = [("mono", "a", 1), ("bi", "A", 0)]
    table = pd.DataFrame(rows, columns=["population", "seed", "correct"])
    assert spelling_notes(table) == []


def test_columns_of_one_name_are_refused_whatever_the_file(tmp_path: Path) -> None:
    rows = "child,word,correct,correct\nc1,dax,1,0\n"
    assert "columns 3 and 4 are both called correct" in faults(tmp_path, rows)
    twice = pa.table([["c1"], ["dax"], [1], [0]], names=["child", "word", "correct", "correct"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(ToolkitError, match="columns 3 and 4 are both called correct"):
        read_any(tmp_path / "twice.parquet", NAMES, constants=SET)


@pytest.mark.parametrize(
    ("columns", "constants", "expected"),
    [
        ({"seed": "child", "participant": "word"}, {}, "seed is named twice: seed=child, partic"),
        ({"item": "word", "word": "child"}, {}, "word_concept is named twice: item=word, word="),
        ({"seed": "child"}, {"item": "a", "word_concept": "b"}, "word_concept is set twice"),
        (
            {"correct": "child", "seed": "word"},
            {},
            "columns correct and file_correct would both be called file_correct",
        ),
    ],
)
def test_two_names_for_one_column_are_refused(
    tmp_path: Path, columns: dict[str, str], constants: dict[str, str], expected: str
) -> None:
    path = csv_of(tmp_path, "child,word,correct,file_correct\nc1,dax,1,0\n")
    with pytest.raises(ToolkitError) as error:
        read_any(path, columns, constants=constants)
    assert expected in str(error.value)


def test_a_column_kept_under_another_name_is_told(tmp_path: Path) -> None:
    table = read(tmp_path, "child,word,seed,correct\nc1,dax,old,1\n")
    assert table["file_seed"].tolist() == ["old"]
    assert table.attrs["notes"] == ["The file's own column seed is kept as file_seed."]


RESTARTED = "child,condition,trial,word,correct\n" + "".join(
    f"c{child},{condition},{{}}{trial},{word},{(child + trial) % 2}\n"
    for child in range(1, 4)
    for condition in ("novel-familiar", "familiar-novel")
    for trial, word in enumerate(("dax", "wug", "toma"), 1)
)


@pytest.mark.parametrize("sign", ["", "n"])
def test_trials_numbered_anew_or_by_text_pass_everywhere(tmp_path: Path, sign: str) -> None:
    table = read(tmp_path, RESTARTED.format(*[sign] * 18), columns=NAMES)
    write_long(table, tmp_path / "t.parquet")
    assert len(read_run(tmp_path / "t.parquet")) == 18
    assert read_counts([tmp_path / "t.parquet"])["n_trials"].sum() == 18
    (cell,) = publication_table([tmp_path / "t.parquet"]).rows[0].cells
    assert cell is not None
    assert cell.n_trials == 9


@pytest.mark.parametrize("sign", ["", "n"])
def test_a_trial_given_twice_is_refused_everywhere_in_plain_words(
    tmp_path: Path, sign: str
) -> None:
    rows = RESTARTED.format(*[sign] * 18).replace(f",{sign}2,", f",{sign}1,")
    where = f"seed c1, test_language en, condition familiar-novel, trial {sign}1"
    said = faults(tmp_path, rows)
    table = read(tmp_path, RESTARTED.format(*[sign] * 18)).assign(
        trial=lambda t: t["trial"].astype(str).str.replace("2", "1")
    )
    if not sign:
        table["trial"] = table["trial"].astype(int)
    write_long(table, tmp_path / "t.parquet")
    for command in (read_run, lambda path: read_counts([path])):
        with pytest.raises(ToolkitError) as error:
            command(tmp_path / "t.parquet")
        said += str(error.value)
    assert said.count("6 rows occur twice, first paradigm me, paradigm_version 1") == 3
    assert said.count(where.replace("familiar-novel", "novel-familiar")) == 3
    assert "np." not in said


def test_a_repeat_is_found_where_numbers_have_gaps() -> None:
    """As many rows as numbers from first to last, and yet one twice."""
    table = pd.DataFrame({"seed": "a", "trial": [0, 1, 1, 3]})
    assert repeat_faults(table) == ["1 row occurs twice, first seed a, trial 1"]
    # Numbers such as times of day, far apart, in many columns.
    wide = pd.DataFrame(
        {
            "population": ["p", "q"] * 50, "seed": [f"s{n}" for n in range(100)],
            "condition": [f"c{n % 7}" for n in range(100)],
            "trial": np.arange(100) * 10**15 + 1_700_000_000_000,
        }
    )  # fmt: skip
    assert repeat_faults(wide) == []
    assert len(repeat_faults(pd.concat([wide, wide.tail(1)]))) == 1
    assert repeat_faults(pd.DataFrame({"seed": "a", "trial": [None, None, 1.0]})) == []


def test_answers_are_judged_by_one_rule() -> None:
    table = pd.DataFrame({"correct": [1.0, None, 3.0], "tie": [1, 0, 0], "n_choices": [2, 1, 4]})
    assert answer_faults(table) == [
        "column correct has 1 empty values",
        "column correct holds [3], expected 0 or 1",
        "column n_choices holds [1], expected whole numbers from 2 on",
        "a tie is counted as correct",
    ]


WIDE = (
    "audio,image-pos,image-neg,s1,s2\n"
    "ball_1,b1,d1,{0},{0}\ndog_2,d2,b1,{0},{1}\nball_1,b1,d1,{0},{0}\n"
)


def wide(folder: Path, rows: str, **more: Any) -> pd.DataFrame:
    constants = {"population": "p", "test_language": "en", "condition": "nf", "n_choices": "2"}
    return read_wide(
        csv_of(folder, rows), answers="seed", word_pattern="^([a-z]+)_", constants=constants, **more
    )


def test_wide_tables_take_repeats_and_new_names(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="2 rows repeat an earlier one"):
        wide(tmp_path, WIDE.format(1, 0))
    assert len(wide(tmp_path, WIDE.format(1, 0), keep_repeats=True)) == 6
    coded = WIDE.format("hit", "miss")
    recode = {"correct": {"hit": "1", "miss": "0"}}
    table = wide(tmp_path, coded, recode=recode, keep_repeats=True)
    assert table["correct"].tolist() == [1, 1, 1, 1, 0, 1]
    with pytest.raises(ToolkitError) as error:
        wide(tmp_path, coded, recode={"correct": {"hit": "1", "mis": "0"}})
    assert "correct never is mis" in str(error.value)
    assert "column s2 holds 'miss' in 1 row, expected 0 or 1" in str(error.value)
    gaps = wide(tmp_path, WIDE.format(1, -9), missing=["-9"], drop_missing=True, keep_repeats=True)
    assert len(gaps) == 5


def test_words_that_groups_share_are_counted(tmp_path: Path) -> None:
    rows = "population,child,word,correct\n" + "".join(
        f"{who},{who}{n},{word},1\n"
        for who, words in (("mono", ("dax", "wug")), ("bi", ("wug", "fep", "toma")))
        for n in range(2)
        for word in words
    )
    table = read(tmp_path, rows)
    assert shared_words(table).to_numpy().tolist() == [["novel-familiar", "en", "bi", "mono", 1, 4]]
    note = "1 of 4 words was answered by both bi and mono (en, novel-familiar)"
    assert any(said.startswith(note) for said in table.attrs["notes"])
    assert shared_words_notes(table.assign(word_concept="dax")) == []


def test_conditions_that_a_paradigm_does_not_know_are_told(tmp_path: Path) -> None:
    rows = "child,word,condition,correct\nc1,dax,Novel-Familiar,1\nc1,wug,novel-familiar,0\n"
    table = read(tmp_path, rows)
    note = "Condition 'Novel-Familiar' is none of the paradigm me (is it novel-familiar?)"
    assert any(said.startswith(note) for said in table.attrs["notes"])
    shown = publication_table([table])
    assert any(warning.startswith(note) for warning in shown.warnings)
    strange = read(tmp_path, rows, constants={"paradigm": "mee"})
    assert any("The paradigm mee is not among" in said for said in strange.attrs["notes"])


def test_training_languages_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    rows = "child,word,n_languages,train_languages,correct\nc1,dax,2,en/nl,1\n"
    assert any(
        "children: n_languages is 2, train_languages is 'en/nl'" in said
        for said in read(tmp_path, rows).attrs["notes"]
    )
    rows = rows.replace("en/nl", "en+nl")
    assert read(tmp_path, rows).attrs["notes"] == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"seed": [[1]] * 4}, "column seed holds list<"),
        ({"seed": None}, "column seed has 4 empty values"),
        ({"word_concept": None}, "column word_concept has 4 empty values"),
    ],
)
def test_names_are_one_per_row_whatever_the_command(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    table = read(tmp_path, "child,word,correct\nc1,dax,0\nc1,wug,1\nc2,dax,0\nc2,wug,1\n")
    table.astype({"seed": str, "word_concept": str}).assign(**change).to_parquet(
        tmp_path / "t.parquet"
    )
    commands = (read_run, lambda path: read_counts([path]), read_whole)
    for command in commands:
        with pytest.raises(ToolkitError) as error:
            command(tmp_path / "t.parquet")
        assert expected in str(error.value)


def test_a_text_table_that_is_no_table_of_trials_says_how_to_import_it(tmp_path: Path) -> None:
    path = csv_of(tmp_path, "child;word;correct\nc1;dax;1\n")
    for command in (read_run, lambda path: read_counts([path])):
        with pytest.raises(ToolkitError) as error:
            command(path)
        assert "import-trials" in (error.value.next_command or "")
    path.write_bytes("kind;wört;correct\nc1;dax;1\n".encode("latin-1"))
    for command in (read_run, lambda path: read_counts([path])):
        with pytest.raises(ToolkitError, match="is not UTF-8 text"):
            command(path)


def test_wrong_values_are_shown_as_a_person_writes_them() -> None:
    assert not_binary(pd.Series([np.float64(2), np.int64(3), "yes"], dtype=object)) == (
        "2.0, 3, 'yes' in 3 rows"
    )


def test_other_files_are_refused_or_read_by_their_content(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="is a folder, not a table"):
        read_any(tmp_path)
    raw = pd.DataFrame({"child": ["a"], "word": ["dax"], "correct": [1], "many": [[1, 2]]})
    raw.to_parquet(tmp_path / "nested.parquet")
    with pytest.raises(ToolkitError, match=r"column many holds list<.*expected one value per row"):
        read_any(tmp_path / "nested.parquet", NAMES, constants=SET)
    # A name in pandas' index is a column, and a Parquet file need not be called so.
    raw.drop(columns="many").set_index("child").to_parquet(tmp_path / "study.csv")
    table = read_any(tmp_path / "study.csv", NAMES, constants=SET)
    assert table["seed"].tolist() == ["a"]


def test_command_takes_codes_and_empty_names_and_tells_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.parquet"
    import_trials(
        csv_of(tmp_path, CODED.replace("c1,wug,no", "c1,Dax,.")),
        out,
        columns=["seed=child,word_concept=word"],
        constant=[",".join(f"{name}={value}" for name, value in (SET | ME).items())],
        recode=["correct:yes=1,correct:null="],
        missing=[" . ,."],
        drop_missing=True,
    )
    said = capsys.readouterr().out
    assert "Note: Left out: 2 of 4 rows lack a value: correct in 2 (first rows: 2, 4)." in said
    assert "2 trials of 2 participants" in said
    assert pd.read_parquet(out)["correct"].tolist() == [1, 1]
