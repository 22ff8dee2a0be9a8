"""What is fixed before the data are looked at."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_BOUND = 0.05
"""Differences below 5 percentage points count as equivalent unless another bound is stated."""
OPTIONS = {"alpha": "--alpha", "bound": "--bound", "n_bootstrap": "--bootstrap", "gate": "--gate"}
"""Settings, and what they are called on the command line."""


@dataclass(frozen=True)
class Gate:
    """A condition every seed must pass in every test language."""

    condition: str
    """Condition that is looked at, e.g. familiar-novel."""
    minimum: float
    """Smallest accuracy that passes, share of 1."""


@dataclass(frozen=True)
class Settings:
    """What is fixed before the data are looked at."""

    alpha: float = 0.05
    """Level of the tests; intervals are 95 % whatever it is."""
    bound: float = DEFAULT_BOUND
    """Equivalence bound, as a difference of shares."""
    n_bootstrap: int = 0
    """Simulations of the parametric bootstrap; 0 for none."""
    gate: Gate | None = None
    """Gate instead of the paradigm's own."""
