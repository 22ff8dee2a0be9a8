"""Answers of children from every kind of file, and everything a lab's folder may be wrong in."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.commands import Cli
from tests.toolkit.children.sessions_of_children import (
    N_TEST,
    Child,
    csv_of,
    design,
    lists,
    write_children,
    write_experiment,
)
from toolkit.api.responses import import_responses
from toolkit.children.columns import LIST_COLUMNS, SESSION_COLUMNS
from toolkit.children.responses.folder import read_folder
from toolkit.children.responses.taking import Responses
from toolkit.children.responses.values import looked_at
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.counts import read_counts
from toolkit.tables.longtable import read_run, write_long

NAMES = [column.name for column in SESSION_COLUMNS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "answers"
    made.mkdir()
    return made


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    return write_experiment(tmp_path / "experiment")


def refused(folder: Path, **more: object) -> str:
    with pytest.raises(ToolkitError) as error:
        import_responses(folder, **more)  # type: ignore[arg-type]
    return str(error.value)


def reasons(made: Responses) -> dict[str, str]:
    """What became of every session by the child, or by the file without one."""
    account = made.account
    who = account["participant_id"].fillna(account["file"])
    return dict(zip(who, account["reason"], strict=True))


def test_24_children_become_one_table_of_trials(folder: Path, experiment: Path) -> None:
    children = write_children(folder)
    made = import_responses(folder, experiment=experiment)
    table = made.table
    assert len(table) == 24 * N_TEST
    assert table["seed"].nunique() == 24
    assert set(table["population"]) == {"children-en"}
    assert set(table["subject_kind"]) == {"child"}
    expected = pd.DataFrame(
        [row for child in children for row in child.rows() if row["part"] == "test"]
    ).sort_values(["participant_id", "trial"])
    found = table.astype({"trial": str}).sort_values(["seed", "trial"])
    for ours, theirs in {"word_id": "word_id", "target_id": "target_id", "chosen_id": "chosen_id",
                         "condition": "condition", "session_id": "session_id"}.items():  # fmt: skip
        assert found[ours].tolist() == expected[theirs].tolist()
    assert found["correct"].tolist() == expected["correct"].astype(int).tolist()
    assert found["response_time_s"].tolist() == expected["response_time_s"].astype(float).tolist()
    assert found["age_months"].tolist() == expected["age_months"].astype(float).tolist()
    assert table["target_concept"].astype(str).tolist() == [
        name.split("_")[0] for name in table["target_id"]
    ]
    assert made.tally == "24 sessions taken; nothing was left out."
    assert len(made.account) == 24


def test_the_table_goes_the_way_of_all_tables_of_trials(folder: Path, tmp_path: Path) -> None:
    write_children(folder)
    made = import_responses(folder)
    write_long(made.table, tmp_path / "children.parquet", made.table.attrs["meanings"])
    counts = read_counts([tmp_path / "children.parquet"])
    assert counts["n_trials"].sum() == 24 * N_TEST
    assert set(counts["subject_kind"]) == {"child"}
    assert len(read_run(tmp_path / "children.parquet")) == 24 * N_TEST


def as_jatos_zip(folder: Path, children: list[Child], name: str = "results.jrzip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"apiVersion": "1.0.1", "data": []}))
        for number, child in enumerate(children):
            text = child.json() if number % 2 else child.csv()
            archive.writestr(f"study_result_{number}/comp_result_{number + 100}/data.txt", text)
            archive.writestr(f"study_result_{number}/comp_result_{number + 100}/files/a.png", b"x")
    return path


def as_jatos_text(folder: Path, children: list[Child]) -> None:
    lines = "\n".join(child.json() for child in children)
    (folder / "jatos_results_data_20260301.txt").write_text(lines, encoding="utf-8")


def as_jatos_csv(folder: Path, children: list[Child]) -> None:
    text = "\n".join(child.csv() for child in children)
    (folder / "jatos_results_data_20260301.txt").write_text(text, encoding="utf-8")


def as_datapipe(folder: Path, children: list[Child]) -> None:
    for child in children:
        child.write(folder / "osfstorage" / "data", "json" if child.number % 2 else "csv")
    (folder / "osfstorage" / ".DS_Store").write_bytes(b"\0")


def as_frames(folder: Path, children: list[Child]) -> None:
    """Lists of trials deep inside of JSON, as Lookit's frame data are."""
    frames = [{"exp_data": {"1-trials": {"data": [
        row | {"trial_type": "audio-button-response", "internal_node_id": {"a": 1}}
        for row in child.rows()
    ]}}} for child in children]  # fmt: skip
    (folder / "frames.json").write_text(json.dumps(frames), encoding="utf-8")


def as_psychopy(folder: Path, children: list[Child]) -> None:
    own = [c for c in NAMES if c not in ("participant_id", "session_id", "started_at", "chosen_id",
                                         "correct", "response_time_s", "device", "trial_order",
                                         "age_months")]  # fmt: skip
    names = [*own, "key_resp.keys", "key_resp.rt", "participant", "session", "date", "age_months",
             "expName", "psychopyVersion"]  # fmt: skip
    for child in children:
        day = child.rows()[0]["started_at"][:10]
        rows = [{"participant": child.participant_id, "date": f"{day}_10h22.33.123"}]
        for row in child.rows():
            side = "left" if row["chosen_id"] == row["left_id"] else "right"
            rows.append(
                row | {
                    "participant": child.participant_id, "session": "001",
                    "date": f"{day}_10h22.33.123", "key_resp.keys": side,
                    "key_resp.rt": row["response_time_s"], "psychopyVersion": "2025.1.1",
                }
            )  # fmt: skip
        name = f"{child.participant_id}_me_{day}"
        (folder / f"{name}.csv").write_text(csv_of(rows, names), encoding="utf-8-sig")
        (folder / f"{name}.log").write_text("log")
        (folder / f"{name}.psydat").write_bytes(b"\x80")


@pytest.mark.parametrize(
    "leave", [as_jatos_zip, as_jatos_text, as_jatos_csv, as_datapipe, as_frames, as_psychopy]
)
def test_answers_are_the_same_however_they_were_left(
    folder: Path, tmp_path: Path, experiment: Path, leave: Callable[[Path, list[Child]], None]
) -> None:
    children = write_children(tmp_path / "plain", 5)
    plain = import_responses(tmp_path / "plain").table
    leave(folder, children)
    made = import_responses(folder, experiment=experiment)
    asked = ["seed", "trial", "condition", "word_id", "target_id", "chosen_id", "correct",
             "response_time_s", "age_months"]  # fmt: skip
    one, two = (
        table[asked].astype(str).sort_values(["seed", "trial"], ignore_index=True)
        for table in (plain, made.table)
    )
    pd.testing.assert_frame_equal(one, two)
    assert set(made.account["reason"]) == {"taken"}


def test_a_single_archive_is_taken_as_it_is(folder: Path) -> None:
    archive = as_jatos_zip(folder, [Child(1), Child(2)])
    assert import_responses(archive).table["seed"].nunique() == 2


def test_a_cut_archive_is_told_and_nothing_of_it_is_taken(folder: Path) -> None:
    archive = as_jatos_zip(folder, [Child(number) for number in range(4)])
    data = archive.read_bytes()
    archive.write_bytes(data[: len(data) * 2 // 3])
    said = refused(folder)
    assert "results.jrzip: its archive is cut or damaged: download it again" in said
    Child(9).write(folder)
    made = import_responses(folder, skip_damaged=True)
    assert reasons(made) == {"kid09": "taken", "results.jrzip": "damaged"}


def test_a_damaged_member_of_an_archive_is_named(folder: Path) -> None:
    archive = folder / "results.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("study_result_1/comp_result_1/data.txt", Child(1).json())
        opened.writestr("study_result_2/comp_result_2/data.txt", Child(2).json())
    data = bytearray(archive.read_bytes())
    data[200] ^= 0xFF
    archive.write_bytes(bytes(data))
    said = refused(folder)
    assert "results.zip/study_result_1/comp_result_1/data.txt: it is damaged within" in said


def test_half_a_file_is_named_whatever_half_it_is(folder: Path) -> None:
    write_children(folder, 3)
    for child, share in ((Child(10), 0.5), (Child(11), 0.93)):
        text = child.json()
        (folder / child.name("json")).write_text(text[: int(len(text) * share)], encoding="utf-8")
    text = Child(12).csv()
    (folder / Child(12).name()).write_text(text[: len(text) - 300], encoding="utf-8")
    text = Child(13).csv().rstrip("\r\n")
    (folder / Child(13).name()).write_text(text[:-1], encoding="utf-8")  # the last value is lost
    (folder / Child(14).name()).write_text("", encoding="utf-8")
    said = refused(folder)
    assert "5 files in" in said
    assert said.count("it is half a file: its JSON is cut") == 2
    assert "it is half a file: row" in said
    assert "schema is empty" in said
    assert "it is empty" in said
    made = import_responses(folder, skip_damaged=True)
    assert made.tally == "3 sessions taken; left out: damaged 5."


def test_a_session_that_broke_off_between_two_trials_is_incomplete(folder: Path) -> None:
    write_children(folder, 3)
    lines = Child(10).csv().split("\r\n")
    (folder / Child(10).name()).write_text("\r\n".join([*lines[:-3], ""]), encoding="utf-8")
    made = import_responses(folder)
    assert reasons(made)["kid10"] == "incomplete"
    assert "kid10" not in set(made.table["seed"])
    assert "6 test trials answered, 8 needed" in made.account["detail"].tolist()
    assert reasons(import_responses(folder, min_trials=6))["kid10"] == "taken"


def test_answers_of_two_pages_are_never_mixed(folder: Path) -> None:
    write_children(folder, 3)
    Child(10, changes={"trial_seed": 7}).write(folder)
    said = refused(folder)
    assert "The answers are of 2 different experiments" in said
    assert f"trial_seed 7: {Child(10).name()}" in said
    assert "trial_seed 0: " in said


def test_an_older_version_of_the_list_is_told(folder: Path, experiment: Path) -> None:
    write_children(folder, 3)
    Child(10, changes={"lists_checksum": "ab" * 32}).write(folder)
    said = refused(folder, experiment=experiment)
    assert "1 session is not of the experiment" in said
    assert f"{Child(10).name()}: an older or newer version of the lists" in said
    made = import_responses(folder, experiment=experiment, skip_other=True)
    assert reasons(made)["kid10"] == "other experiment"
    assert made.tally == "3 sessions taken; left out: other experiment 1."


def test_a_wrong_checksum_of_the_stimuli_is_told(folder: Path, experiment: Path) -> None:
    stimuli = design()["stimuli"] | {"checksum": "cd" * 32}
    Child(1, changes={"stimuli": stimuli}).write(folder)
    said = refused(folder)
    assert "The stimuli that were shown are not those of the set mini" in said
    assert "--stimuli DIR" in said
    assert "stimuli_checksum cdcdcdcdcdcd... instead of" in refused(folder, experiment=experiment)


def test_a_set_that_is_not_here_is_told(folder: Path) -> None:
    stimuli = design()["stimuli"] | {"name": "ours"}
    Child(1, changes={"stimuli": stimuli}).write(folder)
    made = import_responses(folder)
    assert any("The stimulus set ours is not here" in note for note in made.table.attrs["notes"])
    assert set(made.table["distractor_concept"]) == {""}


def test_another_version_of_the_paradigm_is_told(folder: Path, tmp_path: Path) -> None:
    Child(1, changes={"paradigm_version": 1}).write(folder)
    assert "version 1 of the paradigm me; models are asked version 2 here" in refused(folder)
    own = write_experiment(tmp_path / "older", paradigm_version=1)
    table = csv_of(
        [row | {"paradigm_version": "1"} for row in lists()], [c.name for c in LIST_COLUMNS]
    )
    assert len(import_responses(folder, experiment=own).table) == N_TEST
    assert table  # lists of the version that was asked hold the same trials


def test_lists_that_were_changed_after_the_export_are_refused(
    folder: Path, experiment: Path
) -> None:
    Child(1).write(folder)
    text = (experiment / "lists.csv").read_text(encoding="utf-8")
    (experiment / "lists.csv").write_text(text.replace("left", "right", 1), encoding="utf-8")
    assert "it was changed after the export" in refused(folder, experiment=experiment)
    assert "it has no design.json" in refused(folder, experiment=folder)
    write_experiment(folder.with_name("other"), stimuli=["mini"])
    said = refused(folder, experiment=folder.with_name("other"))
    assert "design.json does not tell stimuli, stimuli_version, stimuli_checksum" in said


def test_a_trial_that_no_list_has_is_told(folder: Path, experiment: Path) -> None:
    child = Child(1)
    rows = child.rows()
    rows[-1]["word_id"] = "en_other_word"
    (folder / child.name()).write_text(csv_of(rows, NAMES), encoding="utf-8")
    said = refused(folder, experiment=experiment)
    assert "has word_id en_other_word instead of" in said


def test_a_participant_twice_counts_once_and_is_listed(folder: Path) -> None:
    write_children(folder, 3)
    Child(1, go=1).write(folder)
    made = import_responses(folder)
    assert made.tally == "3 sessions taken; left out: repeated participant 1."
    row = made.account.query("reason == 'repeated participant'").iloc[0]
    assert row["session_id"] == Child(1, go=1).session_id
    assert Child(1).session_id in row["detail"]
    assert set(made.table.query("seed == 'kid01'")["session_id"]) == {Child(1).session_id}


def test_the_first_session_that_can_be_taken_is(folder: Path) -> None:
    first = Child(1)
    rows = first.rows()[:6]
    (folder / first.name()).write_text(csv_of(rows, NAMES), encoding="utf-8")
    Child(1, go=1).write(folder)
    Child(2).write(folder)
    made = import_responses(folder)
    account = made.account.set_index("session_id")
    assert account.loc[first.session_id, "reason"] == "incomplete"
    assert account.loc[Child(1, go=1).session_id, "reason"] == "taken"
    assert "an earlier session of this child" in account.loc[Child(1, go=1).session_id, "detail"]


def test_the_same_session_in_two_files_counts_once(folder: Path) -> None:
    write_children(folder, 3)
    Child(1).write(folder, "json")
    (folder / "copy of kid02.csv").write_text(Child(2).csv(), encoding="utf-8")
    part = csv_of(Child(2).rows()[:7], NAMES)
    (folder / "part.csv").write_text(part, encoding="utf-8")
    made = import_responses(folder)
    assert made.tally == "3 sessions taken; left out: same session 3."
    assert any(detail.startswith("a part of") for detail in made.account["detail"])


def test_files_that_contradict_each_other_about_a_session_are_named(folder: Path) -> None:
    Child(1).write(folder)
    rows = Child(1).rows()
    rows[5]["response_time_s"] = "9.5"
    (folder / "changed.csv").write_text(csv_of(rows, NAMES), encoding="utf-8")
    said = refused(folder)
    assert "Files that hold the same session contradict each other" in said
    assert "changed.csv" in said
    assert "response_time_s is" in said


def test_ages_in_years_are_told_and_understood_when_asked(folder: Path) -> None:
    write_children(folder, 2)
    Child(10, age_months="3.5").write(folder)
    said = refused(folder)
    assert "looks like years, not months" in said
    assert f"{Child(10).name()}: 3.5" in said
    made = import_responses(folder, recode={"age_months": {"3.5": "42"}})
    assert set(made.table.query("seed == 'kid10'")["age_months"]) == {42.0}
    for path in folder.iterdir():
        path.unlink()
    Child(10, age_months="3.5").write(folder)
    assert set(import_responses(folder, ages_in_years=True).table["age_months"]) == {42.0}
    assert set(import_responses(folder, min_age_months=1).table["age_months"]) == {3.5}
    Child(11, age_months="3;6").write(folder)
    assert "is no number of months" in refused(folder)


def test_decimal_commas_of_a_spreadsheet_are_understood_and_told(folder: Path) -> None:
    write_children(folder, 2)
    rows = [
        row | {n: row[n].replace(".", ",") for n in ("response_time_s", "age_months")}
        for row in Child(10).rows()
    ]
    (folder / Child(10).name()).write_text(csv_of(rows, NAMES, ";"), encoding="utf-8")
    made = import_responses(folder)
    own = made.table.query("seed == 'kid10'")
    expected = [float(r["response_time_s"]) for r in Child(10).rows() if r["part"] == "test"]
    assert sorted(own["response_time_s"]) == sorted(expected)
    assert set(own["age_months"]) == {float(Child(10).rows()[0]["age_months"])}
    note = next(n for n in made.table.attrs["notes"] if n.startswith("response_time_s: commas"))
    assert Child(10).name() in note


def test_who_is_left_out_and_why(folder: Path) -> None:
    write_children(folder, 3)
    Child(10, age_months="23").write(folder)
    Child(11, age_months="61").write(folder)
    rows = [row | {"age_months": ""} for row in Child(12).rows()]
    (folder / Child(12).name()).write_text(csv_of(rows, NAMES), encoding="utf-8")
    Child(13, practice_right=0.0).write(folder)
    rows = Child(14).rows()
    rows[-1] |= {"chosen_id": "", "correct": "", "response_time_s": "", "device": ""}
    (folder / Child(14).name()).write_text(csv_of(rows, NAMES), encoding="utf-8")
    Child(15, age_months="20", practice_right=0.0).write(folder)
    made = import_responses(folder, min_age_months=24, max_age_months=60)
    assert reasons(made) == {
        "kid00": "taken", "kid01": "taken", "kid02": "taken", "kid10": "age", "kid11": "age",
        "kid12": "age", "kid13": "practice", "kid14": "incomplete", "kid15": "age",
    }  # fmt: skip
    assert made.tally == "3 sessions taken; left out: age 4, practice 1, incomplete 1."
    details = made.account.set_index("participant_id")["detail"]
    assert details["kid10"] == "23 months, younger than 24"
    assert details["kid12"] == "the age was not told"
    assert details["kid13"] == "0 of 3 practice trials right"
    assert "also practice: 0 of 3" in details["kid15"]
    assert "from 24 to 60 months old" in made.rules
    assert "50% of practice trials" in made.rules


def test_trials_without_an_answer_are_counted(folder: Path) -> None:
    rows = Child(1).rows()
    rows[-1] |= {"chosen_id": "", "correct": "", "response_time_s": "", "device": ""}
    (folder / Child(1).name()).write_text(csv_of(rows, NAMES), encoding="utf-8")
    made = import_responses(folder, min_trials=4)
    assert len(made.table) == N_TEST - 1
    assert (
        "1 of 8 test trials were not answered and are not in the table."
        in (made.table.attrs["notes"])
    )


def test_the_experiment_says_how_much_practice_must_be_right(folder: Path, tmp_path: Path) -> None:
    strict = write_experiment(tmp_path / "strict", practice_needed=3)
    write_children(folder, 2)
    rows = Child(10).rows()
    rows[0] |= {"chosen_id": rows[0]["distractor_id"], "correct": "0"}
    (folder / Child(10).name()).write_text(csv_of(rows, NAMES), encoding="utf-8")
    assert set(import_responses(folder).account["reason"]) == {"taken"}
    made = import_responses(folder, experiment=strict)
    assert reasons(made)["kid10"] == "practice"
    assert "with at least 3 of 3 practice trials right" in made.rules
    assert reasons(import_responses(folder, experiment=strict, min_practice=0.6))["kid10"] == (
        "taken"
    )


def test_practice_that_was_repeated_counts_by_its_last_answers(folder: Path) -> None:
    wrong, right = (Child(1, practice_right=share).rows() for share in (0.0, 1.0))
    practice = [row for row in right if row["part"] == "practice"]
    rows = [*wrong[:3], *(row | {"trial_order": str(50 + n)} for n, row in enumerate(practice)),
            *right[3:]]  # fmt: skip
    (folder / "a.csv").write_text(csv_of(rows, NAMES), encoding="utf-8")
    assert reasons(import_responses(folder)) == {"kid01": "taken"}


def test_groups_by_exposure_and_by_file(folder: Path, tmp_path: Path) -> None:
    for number, exposure in enumerate(("en:100", "en:60 nl:40", "en:90 nl:10", "nl:50, en:50")):
        Child(number, exposure=exposure).write(folder)
    table = import_responses(folder, group="exposure").table
    pairs = table[["seed", "population", "train_languages", "n_languages"]].drop_duplicates()
    assert pairs.astype(str).to_numpy().tolist() == [
        ["kid00", "children-en", "en", "1"], ["kid01", "children-en-nl", "en+nl", "2"],
        ["kid02", "children-en", "en", "1"], ["kid03", "children-en-nl", "en+nl", "2"],
    ]  # fmt: skip
    groups = tmp_path / "groups.csv"
    groups.write_text("participant_id,group\nkid00,mono\nkid01,bi\nkid02,mono\n")
    assert "gives no group to 1 child: kid03" in refused(folder, group=str(groups))
    groups.write_text(groups.read_text() + "kid03,bi\n")
    table = import_responses(folder, group=str(groups), population="lab").table
    assert set(table["population"]) == {"lab-mono", "lab-bi"}
    assert "gives the child kid00 two groups" in (
        groups.write_text(groups.read_text() + "kid00,bi\n") and refused(folder, group=str(groups))
    )
    Child(9, exposure="").write(folder)
    assert "The exposure of 1 child cannot be read: kid09" in refused(folder, group="exposure")
    Child(10, exposure="").write(folder)
    assert "The exposure of 2 children cannot be read" in refused(folder, group="exposure")


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("correct", "2", "correct is '2', expected 0 or 1"),
        ("correct", "", "correct is empty, but by the picture chosen it is"),
        ("chosen_id", "nothing", "chosen_id is 'nothing', which is neither picture shown"),
        ("target_side", "up", "target_side is 'up', expected left or right"),
        ("response_time_s", "-1", "response_time_s is '-1', expected 0 or more"),
        ("response_time_s", "fast", "response_time_s is 'fast', expected a number"),
        ("trial", "1.5", "trial is '1.5', expected a whole number"),
        ("started_at", "yesterday", "started_at is 'yesterday', expected an ISO 8601 time"),
        ("schema", "2", "a newer version of the toolkit made the experiment"),
        ("participant_id", "", "participant_id is empty"),
        ("participant_id", "kid\u202e", "participant_id holds the hidden character"),
        ("device", "elephant", "device is 'elephant', expected keyboard"),
        ("response_time_s", "734", "are these milliseconds?"),
    ],
)
def test_values_that_cannot_be_are_told_by_file_and_trial(
    folder: Path, column: str, value: str, expected: str
) -> None:
    rows = [row | {column: value} for row in Child(1).rows()]
    (folder / "a.csv").write_text(csv_of(rows, NAMES), encoding="utf-8")
    said = refused(folder)
    assert (
        f"a.csv: {'trial 1: ' if 'milli' not in expected and 'newer' not in expected else ''}"
        in (said)
    )
    assert expected in said


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"child,word\n7,dax\n", "it holds no answers of an exported experiment"),
        ("a.json", b'{"a": 1}', "it holds no answers"),
        ("a.json", b'{"a": 1', "it is half a file: its JSON is cut"),
        ("a.json", b'{"a": nul}', "it is no JSON"),
        ("a.csv", "participant_id,b\u00e4r\n".encode("latin-1"), "it is not UTF-8 text"),
        ("a.csv", b"a,b\n\0,1\n", "it holds bytes of zero"),
        ("a.zip", b"PK\x03\x04 and then nothing", "its archive is cut or damaged"),
        ("a.json", b"[" * 5000, "cannot be taken"),
        ("a.csv", b'participant_id,trial\n"never closed', "half a file"),
    ],
)
def test_files_that_hold_no_answers_are_told(
    folder: Path, name: str, content: bytes, expected: str
) -> None:
    (folder / name).write_bytes(content)
    said = refused(folder)
    assert f"{name}: " in said
    assert expected in said


@pytest.mark.parametrize("ending", ["csv", "json", "zip"])
def test_damaged_bytes_are_told_whatever_they_are(folder: Path, ending: str) -> None:
    """Cuts, flipped bytes and doubled parts: one clear message, or answers that may be."""
    rng = np.random.default_rng(0)
    child = Child(1)
    path = folder / "results.zip"
    whole = child.csv().encode() if ending == "csv" else child.json().encode()
    if ending == "zip":
        as_jatos_zip(folder, [child, Child(2)], path.name)
        whole = path.read_bytes()
    n_refused = 0
    for _ in range(60):
        data = bytearray(whole)
        place = int(rng.integers(len(data)))
        what = rng.integers(4)
        if what == 0:
            data = data[:place]
        elif what == 1:
            data[place] = int(rng.integers(256))
        elif what == 2:
            data[place:place] = data[max(0, place - 50) : place]
        else:
            data[place : place + 20] = b""
        path.with_suffix(f".{ending}").write_bytes(bytes(data))
        found = read_folder(folder, {})
        looked = [looked_at(session) for session in found.sessions]
        n_refused += bool(found.damaged) or any(one.faults for one in looked)
    assert n_refused > 30


def test_a_folder_without_answers_and_no_folder(folder: Path) -> None:
    (folder / "README.md").write_text("x")
    assert "holds no answers" in refused(folder)
    assert str(folder) in refused(folder.with_name("answer"))


def test_files_of_other_names_are_listed(folder: Path) -> None:
    write_children(folder, 1)
    (folder / "texts").mkdir()
    others = {"README.md", "design.json", "notes.docx", ".hidden.csv", "texts/page.en.json"}
    for name in others:
        (folder / name).write_text("x")
    assert set(import_responses(folder).others) == others


def test_the_command_writes_table_and_account(cli: Cli, folder: Path, experiment: Path) -> None:
    write_children(folder, 4)
    Child(10, age_months="80").write(folder)
    (folder / "half.json").write_text(Child(11).json()[:900])
    command = ["import-responses", folder, "-o", "children.parquet", "--experiment", experiment,
               "--max-age-months", "60"]  # fmt: skip
    said = cli(*command)
    assert said.code == 2
    assert "half.json: it is half a file" in said.err
    assert not list(Path().glob("children*"))
    said = cli(*command, "--skip-damaged")
    assert said.code == 0, said.err
    assert "4 sessions taken; left out: damaged 1, age 1." in said.out
    assert f"age: {Child(10).name()} (80 months, older than 60)" in said.out
    assert "32 trials of 4 children written to children.parquet." in said.out
    text = Path("children.sessions.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["reason"] for row in rows] == ["taken"] * 4 + ["age", "damaged"]
    said = cli("analyze", "children.parquet", "--format", "json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["me"]["chance"][0]["population"] == "children-en"
    said = cli("import-responses", folder, "-o", "children.csv")
    assert said.code == 2
    assert "-o children.parquet" in said.err


def test_children_stand_beside_models(cli: Cli, folder: Path) -> None:
    write_children(folder, 6)
    said = cli("run-paradigm", "me", "--subject", "perfect", "--language", "en",
               "--trials-per-class", "4", "--no-report")  # fmt: skip
    assert said.code == 0, said.err
    run = next(Path("mevgs-runs").glob("me-*"))
    said = cli("import-responses", folder, "-o", "both.parquet", "--beside", run)
    assert said.code == 0, said.err
    table = pd.read_parquet("both.parquet")
    assert set(table["subject_kind"]) == {"child", "model"}
    assert table.query("subject_kind == 'model'")["age_months"].isna().all()
    assert "different trials of the children were answered by me-perfect" in said.out
    n = len({row["trial"] for n in range(6) for row in Child(n).rows() if row["part"] == "test"})
    assert f"{n} of {n} different trials" in said.out
    said = cli("run-paradigm", "familiar", "--subject", "perfect", "--language", "en",
               "--trials-per-class", "2", "--no-report")  # fmt: skip
    other = next(Path("mevgs-runs").glob("familiar-*"))
    said = cli("import-responses", folder, "-o", "no.parquet", "--beside", other)
    assert said.code == 2
    assert "did not do the same test" in said.err
    assert not list(Path().glob("no.*"))
