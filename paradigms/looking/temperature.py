"""From scores to looking: the temperature of a softmax, fitted on practice trials alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from paradigms.base import Floats

SHARPEST, FLATTEST = 20.0, 0.05
"""The temperature lies between the typical difference of scores over the one and over the other: it
stays a number where practice trials are all right, all wrong, or tell nothing."""


def fitted_temperature(margins: Floats) -> float:
    """The temperature under which the answers to practice trials are most likely.

    The logarithm of the odds of looking at the target is the difference of the two scores over the
    temperature. Its size is fitted and its sign is not: a subject that prefers the wrong picture
    must be seen to do so, and not be drawn as undecided.

    Args:
        margins: (n,) score of the target less that of the distractor.

    Returns:
        The temperature, above 0, in units of the scores; 1 where all scores are the same.

    Example:
        >>> margins = np.array([0.4, 0.1, -0.1, 0.3, -0.2, 0.2], dtype=np.float32)
        >>> round(fitted_temperature(margins), 3), round(fitted_temperature(-margins), 3)
        (0.212, 0.212)
        >>> fitted_temperature(np.ones(3, dtype=np.float32))
        0.05
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    known = np.asarray(margins, dtype=float)
    typical = float(np.median(np.abs(known)))
    if typical == 0:
        typical = float(np.abs(known).mean())
    if typical == 0:
        return 1.0
    scaled = known / typical

    def slope(steepness: float) -> float:
        """Derivative of the log-likelihood, which falls steadily."""
        return float((scaled * expit(-steepness * scaled)).sum())

    if slope(SHARPEST) > 0 or slope(-SHARPEST) < 0:
        best = SHARPEST
    else:
        best = abs(brentq(slope, -SHARPEST, SHARPEST))
    return typical / max(best, FLATTEST)


def looking_shares(
    scores: Floats, target: npt.NDArray[np.integer[Any]], temperature: float
) -> Floats:
    """Share of looking at the target among two pictures: the softmax of their scores.

    Args:
        scores: (n, 2, k) scores of both pictures at k gates.
        target: (n,) place of the target, 0 or 1.
        temperature: see `fitted_temperature`.

    Returns:
        (n, k) shares of 1.

    Example:
        >>> scores = np.array([[[0.0, 1.0], [0.0, 0.0]]], dtype=np.float32)
        >>> looking_shares(scores, np.array([0]), 1.0)[0, 1].round(3) == np.float32(0.731)
        np.True_
    """
    from scipy.special import expit

    rows = np.arange(len(scores))
    margins = scores[rows, target].astype(float) - scores[rows, 1 - target]
    return np.asarray(expit(margins / temperature), dtype=np.float32)
