"""Learning rate: a linear warm-up, then a cosine down to where it began."""

from __future__ import annotations

import math


def learning_rate(
    update: int, *, warmup_updates: int, n_updates: int, peak: float, floor: float = 1e-6
) -> float:
    """Learning rate of one update (Oneata et al. 2025, published code).

    It rises from `floor` at update 0 to `peak` at the last update of the warm-up and would come
    back to `floor` one update after the last.

    Args:
        update: number of the update, from 0.
        warmup_updates: length of the warm-up.
        n_updates: length of the whole training.
        peak: the highest rate.
        floor: the lowest rate.

    Example:
        >>> rates = [learning_rate(i, warmup_updates=3, n_updates=7, peak=1.0) for i in range(7)]
        >>> [round(rate, 2) for rate in rates]
        [0.0, 0.5, 1.0, 0.9, 0.65, 0.35, 0.1]
    """
    if update < warmup_updates:
        return floor + (peak - floor) * update / max(warmup_updates - 1, 1)
    share = (update - warmup_updates + 1) / (n_updates - warmup_updates + 1)
    return floor + (peak - floor) * 0.5 * (1.0 + math.cos(math.pi * share))
