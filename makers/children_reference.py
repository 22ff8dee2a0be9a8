"""Make the children's answers that are included: `python -m makers.children_reference FILE`.

FILE is ``data/1_exp_data.csv`` of https://github.com/mllewis/me_vocab (commit a1f8990); a copy lies
in ``tests/reference/lewis2020``. Answered trials are kept, with the columns that a comparison
needs; children are numbered in the order in which they occur there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.cells import guarded_table
from stimuli.files import write_atomic
from toolkit.children.reference.shipped import FOLDER, LEWIS

if TYPE_CHECKING:
    import pandas as pd


def slim(raw: pd.DataFrame) -> pd.DataFrame:
    """The answered trials of the published table, with the columns that are included.

    Example:
        >>> import pandas as pd
        >>> slim(pd.DataFrame({
        ...     "sub_id": ["1191601", "1191601"], "age_months": [24.839999999999996] * 2,
        ...     "trial_type": ["NF", "NN"], "object1": ["funnel", "kettle"], "correct": [1.0, None],
        ... })).to_dict("records")
        [{'child': 1, 'age_months': 24.84, 'trial_type': 'NF', 'word': 'funnel', 'correct': 1}]
    """
    import pandas as pd

    numbers = raw["sub_id"].factorize()[0] + 1
    table = pd.DataFrame(
        {
            "child": numbers,
            "age_months": raw["age_months"].astype(float).round(2),
            "trial_type": raw["trial_type"],
            "word": raw["object1"],
            "correct": raw["correct"],
        }
    )
    answered = table.dropna().reset_index(drop=True)
    return answered.astype({"correct": int})


def main() -> None:
    """Write the table into the package."""
    import pandas as pd

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="data/1_exp_data.csv")
    table = slim(pd.read_csv(parser.parse_args().file))
    with write_atomic(FOLDER / LEWIS) as path:
        guarded_table(table).to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
