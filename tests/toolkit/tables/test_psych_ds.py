"""Psych-DS datasets: written, read back unchanged, and every rule of the schema broken once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands import Cli
from tests.toolkit.children.sessions_of_children import write_children
from tests.toolkit.statistics.random_tables import random_trials
from toolkit import export_psych_ds, import_responses, read_psych_ds
from toolkit.errors import ToolkitError
from toolkit.tables.longtable import read_whole, write_long
from toolkit.tables.psych_ds import About, read_dataset, write_dataset
from toolkit.tables.psych_ds_rules import RULES, issues_of

NAME = "study-me_description-trials_data.csv"
ABOUT = About(title="A study", description="Answers.", study="me")
TABLE = pd.DataFrame({
    "seed": ["1", "2"], "word_concept": ["dax", "wug"], "correct": np.array([1, 0], "int8"),
})  # fmt: skip
NEVER = {"FILENAME_UNOFFICIAL_KEYWORD_ERROR"}
"""Rules of the schema that hold for no kind of file that it knows."""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write_dataset(TABLE, tmp_path / "dataset", ABOUT)
    return tmp_path / "dataset"


def errors(folder: Path) -> list[str]:
    return [issue.code for issue in issues_of(folder) if issue.level == "error"]


def test_what_is_written_breaks_no_rule_and_is_described(dataset: Path) -> None:
    assert errors(dataset) == []
    advice = {issue.code for issue in issues_of(dataset)}
    assert advice <= {
        "MISSING_ANALYSIS_DIRECTORY", "MISSING_RESULTS_DIRECTORY", "MISSING_MATERIALS_DIRECTORY",
        "MISSING_DOCUMENTATION_DIRECTORY", "MISSING_DIRECTORY_METADATA",
        "MISSING_SIDECAR_METADATA", "JSON_KEY_RECOMMENDED",
    }  # fmt: skip
    told = json.loads((dataset / "dataset_description.json").read_text(encoding="utf-8"))
    named = {one["name"]: one for one in told["variableMeasured"]}
    assert list(named) == list(TABLE)
    assert named["correct"]["description"] == "1 if the answer was right, else 0"
    assert "| `correct` | 1 if the answer was right" in (dataset / "README.md").read_text("utf-8")
    assert 'title: "A study"' in (dataset / "CITATION.cff").read_text("utf-8")


def same(one: pd.DataFrame, two: pd.DataFrame) -> None:
    """Equal columns, types, values and gaps; names may be numbered in another order."""
    kinds = [{str(name): str(kind) for name, kind in table.dtypes.items()} for table in (one, two)]
    assert kinds[0] == kinds[1]
    names = [name for name, kind in kinds[0].items() if kind == "category"]
    one, two = (table.astype(dict.fromkeys(names, object)) for table in (one, two))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_table_of_children_is_read_back_unchanged(tmp_path: Path) -> None:
    write_children(tmp_path / "answers", 5)
    made = import_responses(tmp_path / "answers")
    file = tmp_path / "children.parquet"
    write_long(made.table, file, made.table.attrs["meanings"])
    made.write_account(tmp_path / "children.sessions.csv")
    folder = export_psych_ds(file, tmp_path / "dataset", authors=["A. Name"], licence="CC-BY-4.0")
    found = read_psych_ds(folder)
    same(found.trials, read_whole(file))
    sessions = found.further["sessions"]
    assert sessions["reason"].tolist() == ["taken"] * 5
    assert sessions["age_months"].tolist() == made.account["age_months"].tolist()
    assert found.description["author"] == [{"@type": "Person", "name": "A. Name"}]
    assert found.description["license"] == "CC-BY-4.0"
    units = {one["name"]: one.get("unitText") for one in found.description["variableMeasured"]}
    assert (units["response_time_s"], units["age_months"]) == ("s", "months")
    assert 'name: "A. Name"' in (folder / "CITATION.cff").read_text("utf-8")


def test_runs_of_models_and_joint_tables_are_read_back_unchanged(cli: Cli, tmp_path: Path) -> None:
    said = cli("run-paradigm", "me", "--subject", "perfect", "--subject", "random", "--language",
               "en", "--trials-per-class", "4", "--no-report")  # fmt: skip
    assert said.code == 0, said.err
    run = next(Path("mevgs-runs").glob("me-*"))
    said = cli("export", run, "--format", "psych-ds", "--out", "dataset", "--title", "Models")
    assert said.code == 0, said.err
    assert "nobody is named as its author" in said.out
    same(read_psych_ds("dataset").trials, read_whole(run))
    assert (Path("dataset") / "materials" / "manifest.json").is_file()
    said = cli("import-trials", "dataset", "-o", "back.parquet")
    assert said.code == 0, said.err
    same(read_whole(Path("back.parquet")), read_whole(run))
    one, two = (json.loads(cli("analyze", path, "--format", "json").out)["me"]["chance"]
                for path in (run, "back.parquet"))  # fmt: skip
    assert one == two
    write_children(tmp_path / "answers", 5)
    said = cli("import-responses", "answers", "-o", "both.parquet", "--beside", run)
    assert said.code == 0, said.err
    said = cli("export", "both.parquet", "--format", "psych-ds", "--out", "both")
    assert said.code == 0, said.err
    same(read_psych_ds("both").trials, read_whole(Path("both.parquet")))


def odd_table() -> pd.DataFrame:
    """Values that a spreadsheet, R or CSV itself would change."""
    texts = [" dax ", "=1+1", "'=x", "NA", "", None, 'say "no"', "a,b", "two\nlines", "007", "n/a"]
    n = len(texts)
    return pd.DataFrame({
        "word": pd.Series(texts, dtype="str"),
        "kind": pd.Categorical([None, *["x", "y"] * (n // 2)]),
        "empty": pd.Categorical([""] * n),
        "all_gone": pd.Series([None] * n, dtype="str"),
        "share": np.array([0.1, 1 / 3, np.nan, 1e-300, -0.0, 5e300, np.inf, -np.inf, 2, 3, 4]),
        "score": np.linspace(-1, 1, n).astype("float32") / 3,
        "big": np.array([2**62 + number for number in range(n)], "int64"),
        "small": np.arange(n, dtype="int16"),
        "tie": np.arange(n) % 2 == 0,
    })  # fmt: skip


def test_values_that_others_would_change_are_read_back_unchanged(tmp_path: Path) -> None:
    write_dataset(odd_table(), tmp_path / "odd", ABOUT)
    assert errors(tmp_path / "odd") == []
    same(read_dataset(tmp_path / "odd").trials, odd_table())


@pytest.mark.parametrize("seed", range(5))
def test_tables_of_all_shapes_are_read_back_unchanged(tmp_path: Path, seed: int) -> None:
    table = random_trials(np.random.default_rng(seed))
    write_dataset(table, tmp_path / "dataset", ABOUT)
    same(read_dataset(tmp_path / "dataset").trials, table)


Break = Callable[[Path], Any]


def described(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "dataset_description.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    change(told)
    path.write_text(json.dumps(told), encoding="utf-8")


def text(name: str, content: str | bytes) -> Break:
    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def gone(name: str) -> Break:
    def remove(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def told(change: Callable[[dict[str, Any]], Any]) -> Break:
    return lambda folder: described(folder, change)


DATA = f"data/{NAME}"
BROKEN: dict[str, tuple[Break, ...]] = {
    "MISSING_DATASET_DESCRIPTION": (gone("dataset_description.json"),),
    "MISSING_DATA_DIRECTORY": (gone("data"),),
    "MISSING_DATAFILE": (gone(DATA),),
    "MISSING_README_DOC": (gone("README.md"),),
    "MISSING_CHANGES_DOC": (gone("CHANGES.md"),),
    "MISSING_PSYCHDSIGNORE": (gone(".psychds-ignore"),),
    "MISSING_REQUIRED_ELEMENT": (gone("data"), gone("dataset_description.json")),
    "WRONG_METADATA_LOCATION": (text("data/dataset_description.json", "{}"),),
    "FILE_NOT_READ": (lambda folder: (folder / "notes.txt").symlink_to(folder / "nothing"),),
    "FILE_EMPTY": (text("data/file_metadata.json", ""), text(DATA, "")),
    "FILE_NOT_CHECKED": (text("notes.txt", "x"), text("data/raw.bin", "x")),
    "EXTENSION_MISMATCH": (text("data/study-a_data.xlsx", "x"),),
    "FILENAME_KEYWORD_FORMATTING_ERROR": (
        text("data/results_data.csv", "seed,word_concept,correct\n1,a,1\n"),
        text("data/study1-A_data.csv", "seed,word_concept,correct\n1,a,1\n"),
        text("data/study-a_b_data.csv", "seed,word_concept,correct\n1,a,1\n"),
    ),
    "FILENAME_UNOFFICIAL_KEYWORD_WARNING": (
        text("data/run-7_data.csv", "seed,word_concept,correct\n1,a,1\n"),
    ),
    "JSON_INVALID": (text("data/file_metadata.json", "{"),),
    "JSON_ENCODING_ERROR": (text("data/file_metadata.json", b'{"a": "\xe9"}'),),
    "INVALID_JSON_FORMATTING": (
        text("dataset_description.json", '{"name": "x",'),
        text("dataset_description.json", "[]"),
    ),
    "INVALID_JSONLD_FORMATTING": (
        told(lambda own: own.pop("@context")),
        told(lambda own: own.update({"@context": 7})),
    ),
    "MISSING_DATASET_TYPE": (told(lambda own: own.pop("@type")),),
    "INCORRECT_DATASET_TYPE": (
        told(lambda own: own.update({"@type": "Person"})),
        told(lambda own: own.update({"@context": "https://example.org/"})),
    ),
    "JSON_KEY_REQUIRED": tuple(
        told(lambda own, key=key: own.pop(key)) for key in ("name", "description")
    ),
    "JSON_KEY_RECOMMENDED": (told(lambda own: own.pop("citation")),),
    "UNKNOWN_NAMESPACE": (told(lambda own: own.update({"ours:colour": "red"})),),
    "OBJECT_TYPE_MISSING": (told(lambda own: own.update({"creator": {"name": "A", "url": "b"}})),),
    "INVALID_SCHEMAORG_PROPERTY": (
        told(lambda own: own.update({"colour": "red"})),
        told(lambda own: own["variableMeasured"][0].update({"colour": "red"})),
    ),
    "INVALID_OBJECT_TYPE": (
        told(lambda own: own.update({"author": {"@type": "PropertyValue", "name": "A"}})),
    ),
    "CSV_HEADER_MISSING": (text(DATA, "\n1,dax,1\n"),),
    "CSV_HEADER_REPEATED": (text(DATA, "seed,seed,word_concept,correct\n1,1,a,1\n"),),
    "CSV_HEADER_LENGTH_MISMATCH": (
        text(DATA, "seed,word_concept,correct\n1,a\n"),
        text(DATA, "seed,word_concept,correct\n1,a,1,2\n"),
        text(DATA, "seed,word_concept,correct\n\n1,a,1\n"),
    ),
    "CSV_FORMATTING_ERROR": (
        text(DATA, 'seed,word_concept,correct\n1,"a,1\n'),
        text(DATA, b"seed,word_concept,correct\n1,\xe9,1\n"),
    ),
    "ROWID_VALUES_NOT_UNIQUE": (
        text(DATA, "row_id,seed,word_concept,correct\n1,1,a,1\n1,2,b,1\n"),
    ),
    "CSV_COLUMN_MISSING_FROM_METADATA": (
        text(DATA, "seed,word_concept,correct,age\n1,a,1,24\n"),
        told(lambda own: own["variableMeasured"].pop()),
        told(lambda own: own.pop("variableMeasured")),
    ),
    "VARIABLE_MISSING_FROM_CSV_COLUMNS": (
        text(DATA, "seed,correct\n1,1\n"),
        told(lambda own: own["variableMeasured"].append("age")),
    ),
}  # fmt: skip
ADVICE = {code for code in RULES if code.endswith("_DIRECTORY")} | {
    "MISSING_DIRECTORY_METADATA", "MISSING_SIDECAR_METADATA",
}  # fmt: skip
"""Rules that ask for what a dataset may do without; broken by what is written here."""


def test_every_rule_of_the_schema_is_broken_here() -> None:
    assert {*BROKEN, *ADVICE, *NEVER} == set(RULES)
    assert len(RULES) == 28 + 12  # rules of errors and of files of version 1.5.0


@pytest.mark.parametrize(
    "code",
    [(code, number) for code, breaks in BROKEN.items() for number in range(len(breaks))],
    ids=lambda one: f"{one[0]}-{one[1]}",
)
def test_a_broken_rule_is_told(dataset: Path, code: tuple[str, int]) -> None:
    rule, number = code
    before = {issue.code for issue in issues_of(dataset)}
    assert rule == "JSON_KEY_RECOMMENDED" or rule not in before
    BROKEN[rule][number](dataset)
    found = [issue for issue in issues_of(dataset) if issue.code == rule]
    assert found, issues_of(dataset)
    assert all(rule in str(issue) for issue in found)
    if RULES[rule][0] == "error":
        with pytest.raises(ToolkitError) as error:
            read_dataset(dataset)
        if (dataset / "dataset_description.json").exists():
            assert rule in str(error.value)


@pytest.mark.parametrize("code", sorted(ADVICE - {"MISSING_DATA_DIRECTORY"}))
def test_advice_is_given_where_something_lacks_and_heeded(dataset: Path, code: str) -> None:
    assert code in {issue.code for issue in issues_of(dataset)}
    if code == "MISSING_SIDECAR_METADATA":
        text(f"data/{NAME.replace('.csv', '.json')}", "{}")(dataset)
    elif code == "MISSING_DIRECTORY_METADATA":
        text("data/file_metadata.json", "{}")(dataset)
    else:
        (dataset / code.split("_")[1].lower()).mkdir()
    assert code not in {issue.code for issue in issues_of(dataset)}


def test_metadata_nearer_to_a_data_file_count_more(dataset: Path) -> None:
    own = {"variableMeasured": ["seed", "word_concept", "correct", "age"]}
    text(DATA, "seed,word_concept,correct,age\n1,a,1,24\n")(dataset)
    assert "CSV_COLUMN_MISSING_FROM_METADATA" in errors(dataset)
    text("data/file_metadata.json", json.dumps(own))(dataset)
    assert errors(dataset) == []
    text(f"data/{NAME.replace('.csv', '.json')}", json.dumps({"variableMeasured": ["seed"]}))(
        dataset
    )
    assert "CSV_COLUMN_MISSING_FROM_METADATA" in errors(dataset)


def test_what_is_ignored_is_not_looked_at(dataset: Path) -> None:
    text("notes/private.docx", "x")(dataset)
    assert "FILE_NOT_CHECKED" in {issue.code for issue in issues_of(dataset)}
    text(".psychds-ignore", "CITATION.cff\nnotes/\n")(dataset)
    assert "FILE_NOT_CHECKED" not in {issue.code for issue in issues_of(dataset)}


def test_datasets_of_others_are_refused_with_what_reads_them(dataset: Path) -> None:
    described(dataset, lambda own: own.update(variableMeasured=list(TABLE)))
    with pytest.raises(ToolkitError) as error:
        read_dataset(dataset)
    assert "was not written by this toolkit" in str(error.value)
    assert f"import-trials {dataset}/data/{NAME}" in str(error.value)


def test_values_that_are_not_of_their_type_are_told(dataset: Path) -> None:
    text(DATA, "seed,word_concept,correct\n1,a,yes\n")(dataset)
    with pytest.raises(ToolkitError, match="column correct does not hold what"):
        read_dataset(dataset)


def test_nothing_is_written_over_and_nothing_half(dataset: Path, cli: Cli) -> None:
    before = sorted(path.name for path in dataset.parent.iterdir())
    with pytest.raises(ToolkitError, match="holds something already"):
        write_dataset(TABLE, dataset, ABOUT)
    two = {"sessions": pd.DataFrame({"seed": np.array([1.5])})}
    with pytest.raises(ToolkitError, match="different kinds of values"):
        write_dataset(TABLE, dataset.with_name("other"), ABOUT, further=two)
    assert sorted(path.name for path in dataset.parent.iterdir()) == before
    said = cli("export", "nothing.parquet", "--out", "x", "--licence", "CC0-1.0")
    assert said.code == 2
    assert "add --format psych-ds" in said.err
    said = cli("import-trials", dataset, "-o", "x.parquet", "--set", "population=a")
    assert said.code == 2
    assert "it needs no options" in said.err
