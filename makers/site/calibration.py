"""Tables of false alarms and coverage, from the files that simulations left."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from makers.site.tables import table

FOLDER = Path(__file__).parent.parent.parent / "tests" / "benchmarks"
CHOICES = {
    "chance: t": "against chance",
    "contrast: t": "between groups",
    "control: t": "test - control",
    "interval: share": "CI accuracy",
    "interval: odds ratio": "CI odds ratio",
    "interval: points": "CI points",
    "interval: mean, monolingual": "CI mono",
    "interval: mean, bilingual": "CI bi",
    "interval: control": "CI test - control",
}
"""Tests and intervals of choices, and what they are called in the table."""
NAIVE = {
    "chance: t of seed means": "t of seed means",
    "chance: Wald z": "Wald z",
    "contrast: Welch of seed means": "Welch of seed means",
    "contrast: likelihood ratio": "likelihood ratio",
}
"""Tests that decide nothing here, against chance and between groups."""


def choices_table() -> str:
    """Tests that decide, and their intervals; designs without a verdict say so."""
    rates = _rates("calibration.csv")
    rows = []
    for design in rates.index[rates["interval: share"].notna()]:
        row = rates.loc[design]
        cells = [f"{row[test]:.1f}" for test in CHOICES]
        if row["chance: no verdict"] == 100:
            cells[:3] = ["no verdict"] * 3
        rows.append([str(design), *cells])
    return table(["seeds x words", *CHOICES.values()], rows)


def naive_table() -> str:
    """Tests that are told beside, in the same experiments without an effect."""
    rates = _rates("calibration.csv")
    asked = rates[rates["interval: share"].notna()]
    rows = [
        [str(design), *(f"{row[test]:.1f}" for test in NAIVE)] for design, row in asked.iterrows()
    ]
    return table(["seeds x words", *NAIVE.values()], rows)


def separated_table() -> str:
    """Intervals where answers are often all right."""
    rates = _rates("calibration.csv")
    wanted = [test for test in rates.columns if test.startswith(("either: ", "penalised: "))]
    found = rates[rates[wanted].notna().any(axis=1)]
    rows = [
        [str(design), *(_percent(row[test]) for test in wanted)] for design, row in found.iterrows()
    ]
    return table(["seeds x words", *wanted], rows)


def draws_table() -> str:
    """Tests over draws of familiar words."""
    rates = _rates("draws_calibration.csv")
    rows = [[str(design), *map(_percent, row)] for design, row in rates.iterrows()]
    return table(["design", *map(str, rates.columns)], rows)


def retention_table() -> str:
    """Tests of what is kept of taught words."""
    rates = _rates("retention_calibration.csv")
    rows = [[str(design), *map(_percent, row)] for design, row in rates.iterrows()]
    return table(["seeds x words", *map(str, rates.columns)], rows)


def trends_table() -> str:
    """The slope over a graded factor."""
    rates = pd.read_csv(FOLDER / "trend_calibration.csv")
    columns = [str(name).replace("_percent", ", %").replace("_", " ") for name in rates.columns]
    return table(columns, rates.astype(str).to_numpy().tolist())


def _rates(name: str) -> pd.DataFrame:
    """Per cent of experiments, designs by tests, both in the order of the file."""
    table = pd.read_csv(FOLDER / name)
    rates = table.pivot(index="design", columns="test", values="percent")
    return rates.loc[table["design"].unique(), table["test"].unique()]


def _percent(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1f}"
