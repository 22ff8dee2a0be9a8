"""Counts are the same however they are read: a part at a time, and of however many runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.toolkit.statistics.test_lists import answers
from toolkit.statistics.choices import counts as counting
from toolkit.statistics.choices import pool as pooling
from toolkit.statistics.choices.pool import SUMMED, Pool
from toolkit.tables.answers import in_order, repeat_faults


@pytest.mark.parametrize("rows_at_once", [1, 2, 1000])
def test_added_up_a_part_at_a_time_or_all_at_once(
    rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooling, "ROWS_AT_ONCE", rows_at_once)
    rng, pool, parts = np.random.default_rng(0), Pool(["word", "number"]), []
    for size in (3, 0, 7, 1, 5):
        words = np.array(["wug", "dax", "", "Å"], dtype=object)[rng.integers(0, 4, size)]
        part = pd.DataFrame({"word": words, "number": rng.integers(0, 2, size)})
        part = part.assign(**{name: rng.integers(0, 9, size) for name in SUMMED})
        parts.append(part)
        columns = {name: pa.array(part[name]) for name in part}
        pool.add(pa.table(columns | {"word": pa.array(words, pa.string()).dictionary_encode()}))
    again = Pool(["word", "number"])
    for part in pool.tables():
        again.add(part)
    made = again.frame(["word"])
    pd.testing.assert_frame_equal(made, pool.frame(["word"]))
    keys = ["word", "number"]
    expected = pd.concat(parts).groupby(keys)[[*SUMMED]].sum().reset_index()
    as_texts = [table.astype({"word": str}).sort_values(keys) for table in (made, expected)]
    assert as_texts[0].to_numpy().tolist() == as_texts[1].to_numpy().tolist()
    assert list(made["word"].cat.categories) == sorted(made["word"].cat.categories)


@pytest.mark.parametrize("rows_at_once", [1, 7, 64])
def test_counts_do_not_depend_on_how_much_is_read_together(
    rows_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [answers(seed).assign(trial_seed=seed, source="study") for seed in (0, 1)]
    pd.concat(parts).to_parquet(tmp_path / "both.parquet", row_group_size=11)
    expected = counting.read_lists([tmp_path / "both.parquet"])
    monkeypatch.setattr(counting, "ROWS_AT_ONCE", rows_at_once)
    monkeypatch.setattr(pooling, "ROWS_AT_ONCE", 3)
    made = counting.read_lists([tmp_path / "both.parquet"])
    pd.testing.assert_frame_equal(made.counts, expected.counts)
    pd.testing.assert_frame_equal(made.lists, expected.lists)
    assert made.lists["n_trials"].sum() == made.counts["n_trials"].sum() == 120
    again = pd.concat([*parts, parts[0].head(1)])
    again.to_parquet(tmp_path / "again.parquet", row_group_size=11)
    with pytest.raises(Exception, match="1 row occurs twice, first paradigm me"):
        counting.read_lists([tmp_path / "again.parquet"])


def test_what_is_in_order_holds_no_row_twice() -> None:
    rng, found = np.random.default_rng(1), {True: 0, False: 0}
    for _ in range(400):
        n = int(rng.integers(1, 9))
        table = pd.DataFrame({
            "seed": np.sort(rng.integers(0, 3, n)).astype(str),
            "condition": rng.choice(["nf", "nn"], n),
            "trial": rng.integers(0, 6, n),
        })  # fmt: skip
        if rng.random() < 0.7:
            table = table.sort_values(["seed", "trial"], kind="stable")
        whole = pa.Table.from_pandas(table, preserve_index=False)
        cut = int(rng.integers(0, n + 1))
        is_so = in_order([whole.slice(0, cut), whole.slice(cut)])
        found[is_so] += 1
        if is_so:
            assert repeat_faults(table) == []
        assert in_order([whole]) == is_so
    assert min(found.values()) > 50


@pytest.mark.parametrize("trial", [[0.0, 1.0], ["0", "1"], [0, None]])
def test_trials_that_are_no_whole_numbers_are_looked_at_together(trial: list[object]) -> None:
    assert not in_order([pa.table({"seed": ["a", "a"], "trial": trial})])
