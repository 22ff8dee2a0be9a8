"""What is printed follows from the summary, and names from data are never taken as markup."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.console import Done, print_summary
from toolkit.statistics.means import SeedMean, Summary

ROW = SeedMean(
    population="[red]p[/red]", test_language="en", condition="novel-familiar",
    meaning="the [test]", headline=True, n_seeds=2, n_trials=200, n_ties=3, mean=0.625,
    chance=0.5, seeds={"a": 0.6, "b": 0.65},
)  # fmt: skip
CONTROL = replace(ROW, headline=False, condition="preference", ci_low=0.51, ci_high=0.7)
SUMMARY = Summary(
    paradigm="me", paradigm_version=1, question="Why [not]?", warnings=("Look [out]",),
    results=(ROW, CONTROL),
)  # fmt: skip
DONE = Done("runs/[me]", n_computed=4, n_reused=1, duration_s=1.25)


def test_numbers_and_names_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(SUMMARY, DONE)
    out = capsys.readouterr().out
    for expected in (
        "[red]p[/red]", "Why [not]?", "the [test]", "Note: Look [out]", "runs/[me]",
        "62.5 %", "51.0 % to 70.0 %", "60 65", "4 cells computed, 1 reused, 1.2 s",
    ):  # fmt: skip
        assert expected in out
    assert "\x1b" not in out


def test_without_controls_none_are_announced(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(replace(SUMMARY, results=(ROW,)), DONE)
    assert "Controls" not in capsys.readouterr().out
