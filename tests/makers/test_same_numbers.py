"""Two folders of results: the last digit of any file counts, times and ids do not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from makers import same_numbers
from makers.same_numbers import COMMANDS_FILE, differences, failures, main, results
from stimuli.errors import ToolkitError

LAST_DIGIT = 0.1 + 2**-56
"""The next number after 0.1."""


def made(folder: Path, run_id: str, started: str) -> Path:
    """A small folder of results."""
    run = folder / f"me-12-populations-{run_id}"
    for name in ("cells", "embeddings"):
        (run / name).mkdir(parents=True)
    write_json(folder / COMMANDS_FILE, {"me": ""})
    write_json(run / "manifest.json", {"started": started, "run_id": run_id, "trial_seed": 0})
    statistics = {"me": {"chance": [{"p": 0.1, "df": None}, {"p": float("nan"), "df": 3}]}}
    write_json(run / "statistics.json", statistics)
    trials = pd.DataFrame(
        {"run_id": run_id, "margin": [0.1, 0.2, float("nan")], "word": ["ball", "dog", "cat"]}
    ).astype({"word": "category"})
    trials.to_parquet(run / "trials.parquet")
    trials.to_parquet(run / "cells" / f"{run_id}.parquet")
    (run / "training.csv").write_text("seed,loss\na,0.10\nb,\n")
    (run / "report.html").write_text(started)
    return folder


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return made(tmp_path / "old", "00000000", "yesterday")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return made(tmp_path / "new", "12ab34cd", "today")


def the(folder: Path, name: str) -> Path:
    return next(folder.glob(f"me-*/{name}"))


def in_json(folder: Path) -> None:
    tests = [{"p": LAST_DIGIT, "df": None}, {"p": float("nan"), "df": 3}]
    write_json(the(folder, "statistics.json"), {"me": {"chance": tests}})


def type_in_json(folder: Path) -> None:
    write_json(the(folder, "manifest.json"), {"trial_seed": 0.0})


def fewer_in_json(folder: Path) -> None:
    write_json(the(folder, "statistics.json"), {"me": {"chance": [{"p": 0.1, "df": None}]}})


def change_table(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = the(folder, "trials.parquet")
    change(pd.read_parquet(path)).to_parquet(path)


def in_table(folder: Path) -> None:
    change_table(folder, lambda table: table.assign(margin=[LAST_DIGIT, 0.2, float("nan")]))


def nan_in_table(folder: Path) -> None:
    change_table(folder, lambda table: table.assign(margin=[0.1, 0.2, 0.0]))


def precision_of_table(folder: Path) -> None:
    change_table(folder, lambda table: table.assign(margin=table["margin"].astype("float32")))


def order_of_table(folder: Path) -> None:
    change_table(folder, lambda table: table.iloc[[1, 0, 2]])


def column_of_table(folder: Path) -> None:
    change_table(folder, lambda table: table.drop(columns="word"))


def rows_of_table(folder: Path) -> None:
    change_table(folder, lambda table: table.iloc[:2])


def in_csv(folder: Path) -> None:
    the(folder, "training.csv").write_text("seed,loss\na,0.1\nb,\n")


def missing(folder: Path) -> None:
    the(folder, "training.csv").unlink()


def further(folder: Path) -> None:
    (folder / "power.json").write_text("{}")


def test_times_ids_and_cells_do_not_count(old: Path, new: Path) -> None:
    assert list(differences(old, new)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (in_json, ["statistics.json: /me/chance/0/p: 0.1 -> 0.10000000000000002"]),
        (type_in_json, ["manifest.json: /trial_seed: 0 -> 0.0"]),
        (fewer_in_json, ["statistics.json: /me/chance/1: {'df': 3, 'p': nan} -> (nothing)"]),
        (
            in_table,
            ["trials.parquet: column 'margin': 1 of 3 values differ, first in row 0: "
             "0.1 -> 0.10000000000000002"],
        ),
        (
            nan_in_table,
            ["trials.parquet: column 'margin': 1 of 3 values differ, first in row 2: nan -> 0.0"],
        ),
        (
            precision_of_table,
            ["trials.parquet: column 'margin': float64 -> float32",
             "trials.parquet: column 'margin': 2 of 3 values differ, first in row 0: "
             "0.1 -> 0.10000000149011612"],
        ),
        (
            order_of_table,
            ["trials.parquet: column 'margin': 2 of 3 values differ, first in row 0: 0.1 -> 0.2",
             "trials.parquet: column 'word': 2 of 3 values differ, first in row 0: "
             "'ball' -> 'dog'"],
        ),
        (column_of_table, ["trials.parquet: column 'word': only in the old table"]),
        (rows_of_table, ["trials.parquet: 3 rows -> 2 rows"]),
        (
            in_csv,
            ["training.csv: column 'loss': 1 of 2 values differ, first in row 0: '0.10' -> '0.1'"],
        ),
    ],
)  # fmt: skip
def test_a_difference_is_told_once(
    old: Path, new: Path, change: Callable[[Path], None], told: list[str]
) -> None:
    change(new)
    assert list(differences(old, new)) == [f"me-12-populations/{line}" for line in told]


@pytest.mark.parametrize("change", [missing, further])
def test_a_missing_file_is_told_whoever_lacks_it(
    old: Path, new: Path, change: Callable[[Path], None]
) -> None:
    change(new)
    first, second = list(differences(old, new)), list(differences(new, old))
    assert len(first) == len(second) == 1
    assert first == second
    assert f"only in {new if change is further else old}" in first[0]


def code_of(monkeypatch: pytest.MonkeyPatch, *arguments: Path | str) -> int:
    monkeypatch.setattr(sys, "argv", ["same_numbers", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(str(ended.code))
    return 0


def test_the_exit_code_says_whether_anything_differs(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(monkeypatch, old, new) == 0
    assert capsys.readouterr().out == "4 files compared, 0 differences.\n"
    in_table(new)
    assert code_of(monkeypatch, old, new) == 1
    assert capsys.readouterr().out.endswith("4 files compared, 1 differences.\n")


def test_a_command_that_fails_with_both_is_told(
    old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (old, new):
        write_json(folder / COMMANDS_FILE, {"me": "", "table": "Error: no such run"})
    assert failures(old) == [f"{old}: table failed: Error: no such run"]
    assert code_of(monkeypatch, old, new) == 1


def test_what_is_no_checkout_or_would_be_mixed_is_refused(tmp_path: Path, old: Path) -> None:
    with pytest.raises(ToolkitError, match="no checkout"):
        results(tmp_path, tmp_path / "place")
    checkout = tmp_path / "checkout" / "toolkit"
    checkout.mkdir(parents=True)
    (checkout / "__init__.py").touch()
    (old / COMMANDS_FILE).unlink()
    with pytest.raises(ToolkitError, match="not mixed"):
        results(checkout.parent, old)


def test_every_command_is_run_with_the_code_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A toolkit that answers with its own place: files, errors and prints are kept."""
    checkout = tmp_path / "checkout"
    (checkout / "toolkit" / "cli").mkdir(parents=True)
    (checkout / "toolkit" / "__init__.py").touch()
    (checkout / "toolkit" / "cli" / "__init__.py").write_text(
        "import sys\n"
        "def main():\n"
        "    if sys.argv[1] == 'broken':\n"
        "        sys.exit('Usage: ...\\nError: broken\\nat length')\n"
        '    print(\'{"said": "%s"}\' % sys.argv[2])\n'
    )
    commands = [("a.json", ("say", "yes")), ("b", ("say", "no")), ("c", ("broken",))]
    monkeypatch.setattr(same_numbers, "_commands", lambda: iter(commands))
    place = results(checkout, tmp_path / "place")
    assert failures(place) == [f"{place}: c failed: Error: broken"]
    assert json.loads((place / "a.json").read_text()) == {"said": "yes"}
    assert sorted(path.name for path in place.iterdir()) == ["a.json", COMMANDS_FILE]
    assert results(place, tmp_path / "unused") == place
