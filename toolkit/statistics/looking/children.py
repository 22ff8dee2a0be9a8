"""What children look at: accuracy in looking while listening by age."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SOURCE = (
    "Peekbank (peekbank/peekbank-development, MIT licence): share of looking at the target in the "
    "long window, mean and 95 % interval over data sets"
)
"""Where the numbers are from."""


def looking_by_age() -> pd.DataFrame:
    """Children's share of looking at the named one of two pictures, by age.

    Returns:
        Nine rows: ``age_months`` (mean of the group), ``mean``, ``ci_low``, ``ci_high`` (shares of
        1), ``n_children``, ``n_data_sets``.

    Source:
        Aggregated from the table of subjects of peekbank-development (2,555 children).

    Example:
        >>> table = looking_by_age()
        >>> len(table), float(table["mean"].max())
        (9, 0.7629)
    """
    import pandas as pd

    return pd.read_csv(Path(__file__).parents[1] / "data" / "peekbank_looking_by_age.csv")
