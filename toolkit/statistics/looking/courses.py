"""Looking over time: the course, windows of it, and all windows that might have been declared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.models.student import ROUNDING, share_interval, two_sided

if TYPE_CHECKING:
    from toolkit.statistics.looking.data import Curves, Floats

CHANCE = 0.5
"""Share of looking at one of two pictures by chance."""
ALIKE_T = 1e6
"""Stands for t where participants do not differ at all, and lie off chance."""


@dataclass(frozen=True)
class GateMean:
    """Looking at one gate, over participants."""

    gate_ms: int
    """Time from the onset of the word."""
    mean: float
    """Share of looking at the target."""
    ci_low: float
    """Lower end of the 95 % interval over participants; NaN where they do not differ."""
    ci_high: float
    """Upper end."""


@dataclass(frozen=True)
class Window:
    """Looking within one window, over participants."""

    start_ms: int
    """First gate."""
    end_ms: int
    """Last gate."""
    mean: float
    """Share of looking at the target."""
    p_value: float
    """Two-sided p of t over participants against chance, uncorrected; NaN where they do not differ
    or are fewer than two."""


@dataclass(frozen=True)
class Multiverse:
    """All windows that begin at or after the onset: how far the answer hangs on the window."""

    windows: tuple[Window, ...]
    """Every pair of two gates after the onset."""
    n_above: int
    """Windows with significantly more looking at the target, uncorrected."""
    n_below: int
    """Windows with significantly less."""


def t_values(differences: Floats) -> Floats:
    """T of the means over the first axis against 0, for every column.

    Args:
        differences: (n, k), or (m, n, k).

    Returns:
        (k,) or (m, k); `ALIKE_T` and its negative where nothing varies, 0 where all is 0.

    Example:
        >>> t_values(np.array([[1.0, 0.0, 1.0], [3.0, 0.0, 1.0]])).tolist()
        [2.0, 0.0, 1000000.0]
    """
    n = differences.shape[-2]
    mean, sd = differences.mean(axis=-2), differences.std(axis=-2, ddof=1)
    varies = sd > ROUNDING
    alike = np.where(np.abs(mean) > ROUNDING, np.sign(mean) * ALIKE_T, 0.0)
    found: Floats = np.where(varies, mean / np.where(varies, sd / math.sqrt(n), 1.0), alike)
    return found


def time_course(curves: Curves) -> tuple[GateMean, ...]:
    """Mean over participants and its interval at every gate."""
    n = len(curves.seeds)
    means = curves.shares.mean(axis=0)
    low = high = np.full(len(means), math.nan)
    if n > 1:
        errors = curves.shares.std(axis=0, ddof=1) / math.sqrt(n)
        low, high = share_interval(means, errors, n - 1)
    return tuple(
        GateMean(gate, *map(float, ends))
        for gate, *ends in zip(curves.gates_ms, means, low, high, strict=True)
    )


def multiverse(curves: Curves, alpha: float) -> Multiverse:
    """Test every window after the onset.

    Source:
        Multiverse over windows, as in the re-analyses of infant eye-tracking (Zettersten et al.
        2023; Steegen et al. 2016, Perspectives on Psychological Science 11).
    """
    found = tuple(_windows(curves))
    hits = [one.mean > CHANCE for one in found if one.p_value < alpha]
    return Multiverse(found, sum(hits), len(hits) - sum(hits))


def _windows(curves: Curves) -> Iterator[Window]:
    gates = [gate for gate in curves.gates_ms if gate >= 0]
    first = curves.gates_ms.index(gates[0])
    sums = np.cumsum(curves.shares[:, first:] - CHANCE, axis=1)
    sums = np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
    pairs = [(i, j) for i in range(len(gates)) for j in range(i + 1, len(gates))]
    starts, ends = np.array(pairs).T
    means = (sums[:, ends + 1] - sums[:, starts]) / (ends + 1 - starts)
    n = len(means)
    ts = t_values(means) if n > 1 else np.full(len(pairs), math.nan)
    for (start, end), mean, t in zip(pairs, means.mean(axis=0), ts, strict=True):
        p = two_sided(float(t), n - 1) if abs(t) < ALIKE_T else math.nan
        yield Window(gates[start], gates[end], CHANCE + float(mean), p)
