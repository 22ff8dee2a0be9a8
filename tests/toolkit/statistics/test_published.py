"""A published table of means and standard errors, analysed again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from toolkit.errors import ToolkitError
from toolkit.records import plain
from toolkit.statistics.published import compare_published, published_table


def table(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """A table from rows of test language, training, seeds, mean, standard error."""
    names = ["test_language", "training", "n_seeds", "mean", "std_error"]
    return pd.DataFrame(list(rows), columns=names)


def test_published_table_gives_the_six_known_z_values() -> None:
    result = compare_published(published_table())
    assert [round(c.z, 2) for c in result.contrasts] == [0.29, 1.45, 0.40, -1.08, 1.54, 0.90]
    assert [(c.test_language, c.bilingual) for c in result.contrasts] == [
        ("en", "en+fr"), ("en", "en+nl"), ("fr", "fr+en"), ("fr", "fr+nl"),
        ("nl", "nl+en"), ("nl", "nl+fr"),
    ]  # fmt: skip
    assert min(c.p_z for c in result.contrasts) == pytest.approx(
        2 * stats.norm.sf(1.5386), abs=1e-4
    )
    assert {c.p_t_holm for c in result.contrasts} == {1.0}
    assert "none of 6" in result.sentence
    assert "neither a difference nor its absence" in result.sentence


def test_published_seed_sds_are_two_to_five_points() -> None:
    frame = compare_published(published_table()).frame()
    sds = [*frame["sd_monolingual"], *frame["sd_bilingual"]]
    assert min(sds) == pytest.approx(0.9 * 5**0.5)
    assert max(sds) == pytest.approx(2.1 * 5**0.5)


def test_table_has_nine_rows_per_measure_with_a_source() -> None:
    for measure in ("me", "familiar"):
        found = published_table(measure)
        assert len(found) == 9
        assert found["source"].str.contains("2506.04037").all()
    with pytest.raises(ToolkitError, match="no measure"):
        published_table("m")


def test_one_contrast_agrees_with_welch_from_summary_statistics() -> None:
    """Unequal group sizes and SEs, so that swapped groups would show."""
    result = compare_published(table(("en", "en", 4, 66, 1.5), ("en", "nl, EN", 9, 61, 0.7)))
    (one,) = result.contrasts
    expected = stats.ttest_ind_from_stats(66, 1.5 * 2, 4, 61, 0.7 * 3, 9, equal_var=False)
    assert one.z == pytest.approx(expected.statistic)
    assert one.p_t == pytest.approx(expected.pvalue)
    assert one.p_t_holm == one.p_t
    low, high = stats.t.interval(0.95, one.df, 5, one.std_error)
    assert (one.ci_low, one.ci_high) == pytest.approx((low, high))
    assert (one.sd_monolingual, one.sd_bilingual) == pytest.approx((3, 2.1))
    assert "1 of 1" in result.sentence
    assert "en: en - nl, en" in result.sentence


def test_holm_runs_over_the_whole_table() -> None:
    """Step-down by hand: sorted p times 6, 5, ..., never below the one before, at most 1."""
    half = published_table().assign(std_error=lambda t: t["std_error"] / 2)
    frame = compare_published(half).frame()
    for name in ("p_z", "p_t"):
        ordered = frame.sort_values(name)
        expected = np.minimum(1, np.maximum.accumulate(ordered[name] * np.arange(6, 0, -1)))
        np.testing.assert_allclose(ordered[f"{name}_holm"], expected)
    assert frame["p_z_holm"].nunique() > 1


def test_shares_and_csv_give_the_same_as_percent(tmp_path: Path) -> None:
    percent = published_table()
    path = tmp_path / "table.csv"
    percent.assign(mean=percent["mean"] / 100, std_error=percent["std_error"] / 100).to_csv(path)
    one, two = compare_published(percent), compare_published(path, unit="share")
    assert one.sentence == two.sentence
    np.testing.assert_allclose(one.frame()["difference"], 100 * two.frame()["difference"])
    np.testing.assert_allclose(one.frame()["p_t"], two.frame()["p_t"])
    assert plain(one)["contrasts"][0]["name"] == "en: en - en+fr"


def test_language_without_a_partner_is_told() -> None:
    result = compare_published(
        table(("en", "en", 5, 66, 1), ("en", "en+nl", 5, 63, 1), ("fr", "fr+nl", 5, 60, 1))
    )
    assert len(result.contrasts) == 1
    assert "left out: 1" in result.sentence


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "no bilingual row"),
        ([("en", "en", 5, 66, 1)], "no bilingual row"),
        ([("en", "en+nl", 5, 66, 1)], "no bilingual row"),
        ([("en", "en", 5, 66, 0)], "row 1: std_error is 0"),
        ([("en", "en", 1, 66, 1)], "n_seeds is 1"),
        ([("en", "en", 2.5, 66, 1)], "n_seeds is 2.5"),
        ([("en", "en", 5, 166, 1)], "mean is 166"),
        ([("en", "en", 5, None, 1)], "a number is missing"),
        ([("en", "en", 5, "much", 1)], "could not convert"),
        ([("en", "fr+nl", 5, 66, 1)], "lacks the test language 'en'"),
        (
            [("en", "en+nl", 5, 66, 1), ("en", "nl+en", 5, 66, 1)],
            "row 2: en, nl\\+en is there twice",
        ),
        ([("en", "en", 1, 66, 1), ("en", "en+nl", 5, -3, 1)], "row 1: .*; row 2: "),
    ],
)
def test_rows_that_cannot_be_are_named(rows: list[tuple[Any, ...]], expected: str) -> None:
    with pytest.raises(ToolkitError, match=expected):
        compare_published(table(*rows))


def test_other_wrong_input_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="lacks columns training, std_error"):
        compare_published(published_table().drop(columns=["training", "std_error"]))
    with pytest.raises(ToolkitError, match="no unit 'percents'"):
        compare_published(published_table(), unit="percents")
    with pytest.raises(ToolkitError, match="no such table"):
        compare_published(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ToolkitError, match="no CSV table"):
        compare_published(tmp_path / "empty.csv")
    with pytest.raises(ToolkitError, match="row 1: mean is 66"):
        compare_published(published_table(), unit="share")
    with pytest.raises(ToolkitError, match="look like shares"):
        compare_published(table(("en", "en", 5, 0.66, 0.01), ("en", "en+nl", 5, 0.6, 0.01)))
