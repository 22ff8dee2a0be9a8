"""Model matrices of fixed effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from paradigms.formula import without_offset

if TYPE_CHECKING:
    import pandas as pd


def fixed_matrix(table: pd.DataFrame, fixed: str) -> npt.NDArray[np.float64]:
    """Model matrix of the fixed effects (n_rows, n_coefficients), without offsets."""
    import glmm

    terms = without_offset(fixed)
    # A formula of the intercept alone reads no column, so the engine cannot count its rows.
    if terms == "1":
        return np.ones((len(table), 1))
    return np.asarray(glmm.model_matrix(table, f"~ {terms}")[0], float)
