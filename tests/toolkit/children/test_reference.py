"""What is known of children: what is included is what was published, what is given is checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from makers.children_reference import slim
from tests.toolkit.children.small_metalab import PAPERS, write_metalab
from toolkit.children.reference import shipped
from toolkit.children.reference.looking import read_looking
from toolkit.children.reference.metalab import read_metalab
from toolkit.children.reference.shipped import NOVEL_FAMILIAR, lewis2020, peekbank_by_age
from toolkit.errors import ToolkitError
from toolkit.statistics.children.ages import by_half_year
from toolkit.statistics.children.curve import curve_of_studies, curve_of_trials

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"
METALAB = SHARED / "metalab_mutual_exclusivity.csv"
PEEKBANK = SHARED / "peekbank_by_age.csv"
needs_metalab = pytest.mark.skipif(
    not METALAB.is_file(), reason=f"needs {METALAB}, which is not included: no licence is stated"
)


def novel_familiar() -> pd.DataFrame:
    table = lewis2020()
    return table[table["trial_type"] == NOVEL_FAMILIAR]


def test_what_is_included_of_lewis_2020_is_what_was_published() -> None:
    published = pd.read_csv(ROOT / "tests/reference/lewis2020/experiment1_trials.csv")
    pd.testing.assert_frame_equal(slim(published), lewis2020())


def test_lewis_2020_by_half_year() -> None:
    """All answered trials, every child counting once."""
    groups = by_half_year(novel_familiar(), "Lewis", 24, 48)
    assert [group.age_months for group in groups] == [27, 33, 39, 45]
    assert [round(100 * group.share) for group in groups] == [73, 79, 90, 88]
    assert [group.n_children for group in groups] == [38, 43, 51, 46]
    assert all(group.ci_low < group.share < group.ci_high for group in groups)


def test_the_curve_of_lewis_2020_is_that_of_lme4() -> None:
    """Glmer of lme4 1.1-31 (R 4.2.2), bobyqa, of the same trials of children of 24 to 48 months."""
    table = novel_familiar()
    curve = curve_of_trials(table[table["age_months"].between(24, 48)], "Lewis")
    assert (curve.intercept, curve.slope) == pytest.approx((1.494562550, 2.810037637), rel=1e-5)
    assert curve.slope_std_error == pytest.approx(0.73745453, rel=1e-3)
    assert dict(curve.random_sds) == pytest.approx(
        {"child": 0.97777977, "word": 0.27765361}, rel=1e-4
    )
    assert curve.n_children == 178
    raw = table[table["age_months"].between(30, 33)].groupby("child")["correct"].mean().mean()
    assert curve.at(31.5)[1] < raw < curve.at(31.5)[2]


def test_looking_by_age_is_that_of_peekbank() -> None:
    table = peekbank_by_age()
    assert table["n_children"].tolist() == [54, 321, 875, 495, 584, 556, 257, 424, 195]
    assert (table["looking_share"] * 100).round().tolist() == [53, 56, 59, 61, 70, 71, 73, 75, 76]
    assert table["age_months"].is_monotonic_increasing
    assert (table["ci_low"] < table["looking_share"]).all()
    assert (table["looking_share"] < table["ci_high"]).all()


@pytest.mark.skipif(not PEEKBANK.is_file(), reason=f"needs {PEEKBANK}")
def test_looking_by_age_is_the_table_that_was_aggregated() -> None:
    aggregated = pd.read_csv(PEEKBANK)
    assert (peekbank_by_age().to_numpy() == aggregated.to_numpy()).all()


@pytest.mark.parametrize("content", [None, b"child,age_months\n1,24\n"])
def test_an_included_table_that_was_changed_is_refused(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    if content is not None:
        (tmp_path / shipped.LEWIS).write_bytes(content)
    with pytest.raises(ToolkitError, match="missing or was changed"):
        lewis2020()


@needs_metalab
def test_metalab_as_it_is_published() -> None:
    read = read_metalab(METALAB)
    assert read.n_rows == 146
    assert (len(read.typical), read.typical["paper"].nunique()) == (71, 22)
    assert len(read.multilingual) == 2
    assert sum(read.left_out.values()) == 146 - 71 - 2
    named = {(one.row, one.paper) for one in read.suspects}
    assert {(79, "houstonprice2010"), (80, "houstonprice2010")} <= named
    assert named == {
        (4, "beverly2003"), (79, "houstonprice2010"), (80, "houstonprice2010"),
        (84, "kalashnikova2016b"),
    }  # fmt: skip


@needs_metalab
def test_the_curve_over_studies() -> None:
    """About 49, 61, 70, 76, 84 %; coefficients are those of glmer (lme4 1.1-31, R 4.2.2)."""
    curve = curve_of_studies(read_metalab(METALAB).typical, "MetaLab")
    ages = (18, 24, 30, 36, 48)
    found = [100 * curve.at(age)[0] for age in ages]
    assert found == pytest.approx([49, 61, 70, 76, 84], abs=1.5)
    assert (curve.intercept, curve.slope) == pytest.approx((0.9877383109, 1.9423407363), rel=1e-5)
    assert curve.slope_std_error == pytest.approx(0.26629647, rel=1e-3)
    assert dict(curve.random_sds) == pytest.approx(
        {"row": 0.62756666, "paper": 0.34900338}, rel=1e-4
    )
    assert all(curve.at(age)[1] < curve.at(age)[0] < curve.at(age)[2] for age in ages)


@needs_metalab
def test_another_way_to_the_same_curve() -> None:
    """Estimating equations clustered by paper (statsmodels), conditions weighed by children."""
    import statsmodels.api as sm

    typical = read_metalab(METALAB).typical
    ages = np.array([18, 24, 30, 36, 48])
    design = sm.add_constant(np.log(typical["age_months"].to_numpy() / 30))
    fit = sm.GEE(
        typical["share"].to_numpy(), design, groups=typical["paper"].to_numpy(dtype=object),
        family=sm.families.Binomial(), weights=typical["n_children"].to_numpy(),
    ).fit()  # fmt: skip
    other = fit.predict(sm.add_constant(np.log(ages / 30)))
    assert np.round(100 * other).tolist() == [49, 61, 70, 76, 84]
    curve = curve_of_studies(typical, "MetaLab")
    assert all(
        curve.at(age)[1] < share < curve.at(age)[2] for age, share in zip(ages, other, strict=True)
    )


def test_every_row_is_taken_or_left_out_for_a_reason(tmp_path: Path) -> None:
    read = read_metalab(write_metalab(tmp_path / "small.csv"))
    assert len(read.typical) == 2 * PAPERS
    assert len(read.multilingual) == 1
    assert list(read.left_out.values()) == [2, 1, 1, 2, 1, 1, 1]
    assert read.n_rows == len(read.typical) + len(read.multilingual) + sum(read.left_out.values())
    assert [one.row for one in read.suspects] == [23, 24]
    assert read.suspects[0].as_sd == pytest.approx(0.02 * 20**0.5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x_1": ""}, "it has no column x_1"),
        ({"n_1": "twenty"}, "column n_1 holds 'twenty' in 1 rows, expected a number"),
        ({"n_1": "inf"}, "column n_1 holds 'inf'"),
        ({"x_1": "76"}, "column x_1 holds 76 in 1 rows, expected a share from 0 to 1"),
        ({"mean_age_months": "-3"}, "expected an age above 0"),
        ({"num_trials": "0"}, "expected 1 trial or more"),
    ],
)
def test_what_is_not_metalabs_table_is_refused(
    changes: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ToolkitError) as error:
        read_metalab(write_metalab(tmp_path / "small.csv", **changes))
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    write_metalab(tmp_path / "mutual_exclusivity.csv")
    with pytest.raises(ToolkitError) as error:
        read_metalab(tmp_path / "mutual_exclusivty.csv")
    assert "There is no file" in str(error.value)
    assert "mutual_exclusivity.csv" in str(error.value)


def test_too_few_studies_are_no_curve(tmp_path: Path) -> None:
    table = pd.read_csv(write_metalab(tmp_path / "small.csv"), dtype=str, keep_default_na=False)
    table[table["study_ID"].isin(["paper0", "other"])].to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(ToolkitError, match="too few studies for a curve over age"):
        read_metalab(tmp_path / "one.csv")


LOOKING = "word_concept,distractor_concept,age_months,looking_share,child\ndog,car,18,0.6,c1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LOOKING.replace("looking_share", "share"), "lacks the column looking_share"),
        (LOOKING.replace("age_months", "years"), "lacks the column age_group or age_months"),
        (LOOKING.replace("0.6", "much"), "has no number in the column looking_share in 1 rows"),
        (LOOKING.replace(",18,", ",,"), "has no number in the column age_months in 1 rows"),
    ],
)
def test_what_is_no_table_of_looking_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "looking.csv").write_text(text)
    with pytest.raises(ToolkitError, match=said):
        read_looking(tmp_path / "looking.csv")


def test_looking_keeps_children_and_their_ages(tmp_path: Path) -> None:
    (tmp_path / "looking.csv").write_text(LOOKING.replace(",", ";").replace("0.6", "0,6"))
    assert read_looking(tmp_path / "looking.csv").to_dict("records") == [
        {"trial": "dog beside car", "age_group": "18 to 24 months", "looking_share": 0.6,
         "child": "c1"}
    ]  # fmt: skip
