"""Cluster permutation over participants: is there a stretch of time with more looking?

Neighbouring gates whose t is above a threshold are a cluster, its mass the sum of their t. If there
were no preference, each participant's curve could as well be turned around chance; the largest mass
of every such turning is what masses are held against (Maris & Oostenveld 2007, Journal of
Neuroscience Methods 164; with signs of participants as in Barr, Jackson & Phillips 2014, Journal of
Experimental Psychology: General 143). The test is one-sided, towards the target: with five
participants there are 32 turnings, and no two-sided p could be below .05. One p-value speaks about
the whole course, so gates need no correction; where a cluster begins and ends is not tested.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.looking.courses import t_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.statistics.looking.data import Floats

LEVEL = 0.05
"""A gate belongs to a cluster if t is above the one-sided bound of this level."""
ALL_TURNINGS = 12
"""With up to so many participants all turnings are made, 4,096 of them."""
N_TURNINGS = 4096
"""Turnings that are drawn otherwise."""
FEWEST = 5
"""With fewer participants no p-value can be below .05."""


@dataclass(frozen=True)
class Cluster:
    """One stretch of time."""

    start_ms: int
    """First gate."""
    end_ms: int
    """Last gate."""
    mass: float
    """Sum of t over its gates."""
    p_value: float
    """Share of turnings whose largest mass is as large; one-sided, for the whole course."""


@dataclass(frozen=True)
class CourseTest:
    """One test of a whole course: does looking at the target stand out anywhere?"""

    p_value: float
    """The smallest p of its clusters, 1 without one; NaN where there are too few participants."""
    p_holm: float = math.nan
    """Corrected over all tests of its family; NaN where it is in none."""


def course_test(clusters: Sequence[Cluster], n_seeds: int) -> CourseTest:
    """The test of a course by its clusters.

    Args:
        clusters: what `find_clusters` gave.
        n_seeds: participants.

    Example:
        >>> course_test([Cluster(40, 80, 9.1, 0.03)], 5).p_value, course_test([], 5).p_value
        (0.03, 1.0)
    """
    if n_seeds < FEWEST:
        return CourseTest(math.nan)
    return CourseTest(min((one.p_value for one in clusters), default=1.0))


def find_clusters(differences: Floats, gates_ms: Sequence[int]) -> tuple[Cluster, ...]:
    """Clusters above 0, in the order of time, each with its p-value.

    Args:
        differences: (n, k) of n participants at k gates: looking less chance, or two conditions'
            difference.
        gates_ms: the gates.

    Returns:
        All clusters; none with fewer than `FEWEST` participants.

    Example:
        >>> looks = np.array([[0.0, 0.1, 0.3], [0.1, 0.2, 0.2], [-0.1, 0.1, 0.3], [0.1, 0.3, 0.2],
        ...                   [-0.1, 0.2, 0.4]])
        >>> [(one.start_ms, one.end_ms, one.p_value) for one in find_clusters(looks, [0, 40, 80])]
        [(40, 80, 0.03125)]
    """
    from scipy.special import stdtrit

    n = len(differences)
    if n < FEWEST:
        return ()
    threshold = float(stdtrit(n - 1, 1 - LEVEL))
    signs = _turnings(n)
    largest = np.concatenate(
        [
            _largest_mass(t_values(part[:, :, None] * differences), threshold)
            for part in np.array_split(signs, math.ceil(len(signs) / 256))
        ]
    )
    found = []
    for start, end, mass in _stretches(t_values(differences), threshold):
        p = float((largest >= mass - 1e-9).mean())
        found.append(Cluster(gates_ms[start], gates_ms[end], mass, p))
    return tuple(found)


def _turnings(n: int) -> Floats:
    """(m, n) signs, that of the data first; all of them if they are few, else drawn."""
    if n <= ALL_TURNINGS:
        return np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    drawn = np.random.default_rng(n).choice((1.0, -1.0), size=(N_TURNINGS, n))
    drawn[0] = 1.0
    return drawn


def _largest_mass(ts: Floats, threshold: float) -> Floats:
    """Largest mass of a cluster in each of (m, k) rows of t, (m,); 0 without a cluster."""
    running = np.zeros(len(ts))
    largest = np.zeros(len(ts))
    for column in ts.T:
        running = np.where(column > threshold, running + column, 0.0)
        largest = np.maximum(largest, running)
    return largest


def _stretches(ts: Floats, threshold: float) -> Iterator[tuple[int, int, float]]:
    """First and last place and mass of every cluster."""
    above = np.concatenate([[False], ts > threshold, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1])
    for start, stop in edges.reshape(-1, 2).tolist():
        yield start, stop - 1, float(ts[start:stop].sum())
