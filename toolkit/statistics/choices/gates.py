"""Gates: did a network learn the familiar words at all? Fixed in advance, reported, never hidden.

The analogue of excluding a child that fails the control trials (Lewis et al., 2020: at least half
of the trials with a familiar target and a novel distractor).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.choices.counts import accuracy_per_seed
from toolkit.statistics.settings import Gate

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class GateReport:
    """What became of a gate."""

    condition: str
    """Condition that was looked at; empty if the paradigm has no gate or it was not tested."""
    minimum: float
    """Smallest accuracy that passes."""
    n_tested: int
    """Seeds (times test languages) that were looked at."""
    failed: tuple[tuple[str, str, float], ...]
    """Seed, test language and accuracy of those below the minimum."""


def apply_gate(counts: pd.DataFrame, gate: Gate | None) -> tuple[pd.DataFrame, GateReport]:
    """Set aside what seeds answered in languages in which they failed the gate.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave, all conditions.
        gate: None for no gate.

    Returns:
        The rows that passed, and the report.
    """
    if gate is None or gate.condition not in counts["condition"].unique():
        return counts, GateReport("", gate.minimum if gate else 0.0, 0, ())
    # Networks that learned nothing are a control: they cannot fail what they were not taught.
    taught = counts["train_languages"] != ""
    looked_at = accuracy_per_seed(counts[taught & (counts["condition"] == gate.condition)])
    failed = looked_at[looked_at["accuracy"] < gate.minimum]
    out = set(zip(failed["seed"], failed["test_language"], strict=True))
    report = GateReport(
        gate.condition,
        gate.minimum,
        len(looked_at),
        tuple(
            (str(seed), str(language), float(accuracy))
            for seed, language, accuracy in zip(
                failed["seed"], failed["test_language"], failed["accuracy"], strict=True
            )
        ),
    )
    return (counts[_others(counts, out)] if out else counts), report


def _others(counts: pd.DataFrame, out: Collection[tuple[str, str]]) -> npt.NDArray[np.bool_]:
    """Which rows are of none of these seeds and languages."""
    import pandas as pd

    (seed, seeds), (language, languages) = (
        pd.factorize(counts[name]) for name in ("seed", "test_language")
    )
    stays = np.array([[(one, other) not in out for other in languages] for one in seeds])
    of_rows: npt.NDArray[np.bool_] = stays[seed, language]
    return of_rows
