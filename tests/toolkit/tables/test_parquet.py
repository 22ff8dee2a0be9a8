"""Parquet files that are no tables, or that would not fit into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit.errors import ToolkitError
from toolkit.statistics.imported.elsewhere import read_any
from toolkit.tables import parquet
from toolkit.tables.longtable import read_run
from toolkit.tables.parquet import parquet_names, told
from toolkit.tables.trials import read_trials


def written(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return folder / "a.parquet"


def test_more_values_than_can_be_held_are_refused_by_the_footer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, a=[1] * 50, b=[2] * 50)
    assert parquet_names(file) == ["a", "b"]
    monkeypatch.setattr(parquet, "TABLE_VALUES", 99)
    with pytest.raises(ToolkitError, match=r"too many values in .*a\.parquet"):
        parquet_names(file)


def test_a_text_that_would_lie_in_memory_for_every_row_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, word=["a" * 1000] * 500)
    assert file.stat().st_size < 5_000
    assert parquet_names(file) == ["word"]
    monkeypatch.setattr(parquet, "COLUMN_BYTES", 400_000)
    with pytest.raises(ToolkitError, match="too many bytes of text in column word"):
        parquet_names(file)


@pytest.mark.parametrize("read", [read_any, read_run, read_trials])
def test_texts_that_are_no_utf8_are_refused(read: Any, tmp_path: Path) -> None:
    wrong = pa.array([b"\xff\xfe"] * 3).view(pa.string())
    names = ("population", "seed", "test_language", "condition", "word_concept")
    file = written(tmp_path, **dict.fromkeys(names, wrong), correct=[0, 1, 0])
    with pytest.raises(ToolkitError):
        read(file)


@pytest.mark.parametrize("error", [NotImplementedError, OverflowError, MemoryError, KeyError])
def test_whatever_the_library_raises_is_a_fault_of_the_file(error: Any) -> None:
    wanted = pytest.raises(ToolkitError, match=r"a\.parquet cannot be read as a table")
    with wanted, told(Path("a.parquet")):
        raise error
