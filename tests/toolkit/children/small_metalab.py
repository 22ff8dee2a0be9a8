"""A small table in MetaLab's layout, with one row for each reason to leave one out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

PAPERS = 7
ROW = {
    "infant_type": "typical", "dependent_measure": "target_selection", "ME_trial_type": "FN",
    "n_1": "20", "x_2": "0.5", "SD_1": "0.25", "num_trials": "4",
}  # fmt: skip


def rows() -> list[dict[str, str]]:
    """Two conditions of each paper, whose shares rise with age; then what is left out or apart."""
    made = [
        ROW | {"study_ID": f"paper{paper}", "mean_age_months": str(age), "x_1": f"{share:.3f}"}
        for paper in range(PAPERS)
        for age, share in ((18 + 4 * paper, 0.5 + paper / 20), (20 + 5 * paper, 0.55 + paper / 18))
    ]
    other = {"study_ID": "other", "mean_age_months": "30", "x_1": "0.7"}
    made += [
        ROW | other | change
        for change in (
            {"dependent_measure": "looking_time_change", "x_1": "0.08", "x_2": "0", "SD_1": "0.2"},
            {"x_1": "NA"},
            {"x_2": "0.25"},
            {"ME_trial_type": "NN"},
            {"infant_type": "NT"},
            {"num_trials": "NA"},
            {"mean_age_months": "80"},
            {"infant_type": "multilingual"},
            {"dependent_measure": "looking_time_change", "x_1": "0.1", "x_2": "0", "SD_1": "0.02"},
            {"ME_trial_type": "NN", "SD_1": "0.05"},
        )
    ]
    return [{"unique_row": str(number)} | row for number, row in enumerate(made, 1)]


def write_metalab(file: Path, **changes: str) -> Path:
    """Write it, perhaps with other values in the first row, or without columns (empty name)."""
    table = pd.DataFrame(rows())
    for name, value in changes.items():
        if value:
            table.loc[0, name] = value
        else:
            table = table.drop(columns=name)
    table.to_csv(file, index=False)
    return file
