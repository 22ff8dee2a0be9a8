"""Every triple of word clip, target picture and distractor picture, counted by ranks.

A drawn list asks a sample of the triples; there are so many of them that comparing one by one is
out of the question (200 clips, 400 targets and 5,000 distractors make 400 million). Sorting the
targets of a clip and looking up every distractor's place among them gives the same counts with
T log T + D log T comparisons instead of T D.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

TABLE_ENTRIES = 1 << 20
"""Entries of the tables of places by class (8 MB each): memory does not grow with pictures."""


@dataclass(frozen=True, eq=False)
class Wins:
    """What came of all triples, by class of the target (rows) and of the distractor (columns)."""

    correct: Ints
    """(J, K) triples in which the target scores strictly higher."""
    ties: Ints
    """(J, K) triples in which both score exactly the same; never counted as correct."""
    triples: Ints
    """(J, K) all triples."""

    def __add__(self, other: Wins) -> Wins:
        """Counts of both together."""
        return Wins(
            self.correct + other.correct, self.ties + other.ties, self.triples + other.triples
        )


def count_wins(
    targets: Floats,
    target_class: npt.ArrayLike,
    distractors: Floats,
    distractor_class: npt.ArrayLike,
    shape: tuple[int, int],
) -> Wins:
    """Count the triples that a target wins, exactly, for every pair of classes.

    Args:
        targets: (n, T) scores of n clips for the target pictures, no NaN.
        target_class: (T,) class of every target, 0 to J - 1.
        distractors: (n, D) scores of the same clips for the distractor pictures, no NaN.
        distractor_class: (D,) class of every distractor, 0 to K - 1.
        shape: (J, K), the numbers of classes.

    Returns:
        Counts over all n T D triples. Memory grows with T + D, never with T D.

    Raises:
        ValueError: if the arrays do not fit each other, or a score is NaN.

    Example:
        >>> targets = np.array([[3, 1, 2]], dtype=np.float32)
        >>> distractors = np.array([[2, 0]], dtype=np.float32)
        >>> wins = count_wins(targets, [0, 0, 1], distractors, [0, 0], (2, 1))
        >>> wins.correct.tolist(), wins.ties.tolist(), wins.triples.tolist()
        ([[3], [1]], [[0], [1]], [[4], [2]])
    """
    of_target, of_distractor = (np.asarray(c, np.int64) for c in (target_class, distractor_class))
    _check(targets, of_target, distractors, of_distractor, shape)
    n_targets, n_distractors = shape
    # Sums of whole numbers stay exact in double precision up to 2^53, 9e15 triples.
    correct, ties = np.zeros(shape[::-1]), np.zeros(shape[::-1])
    step = max(1, TABLE_ENTRIES // max(1, *shape))
    for start in range(0, len(of_target), step):
        part = slice(start, start + step)
        own = np.equal.outer(of_target[part], np.arange(n_targets)).astype(np.float64)
        width = len(own) + 1
        offset = of_distractor * width
        table = (n_distractors, width)
        for clip, rivals in zip(targets[:, part], distractors, strict=True):
            order = np.argsort(clip)
            ranked = clip[order]
            # Row p: how many targets of each class lie at place p or above.
            above = np.zeros((width, n_targets))
            above[:-1] = own[order][::-1].cumsum(axis=0)[::-1]
            beaten_from = ranked.searchsorted(rivals, side="right")
            places = np.bincount(offset + beaten_from, minlength=n_distractors * width)
            correct += places.reshape(table) @ above
            # Only a distractor that equals the target right below its place can tie.
            equal = np.flatnonzero(ranked[np.maximum(beaten_from - 1, 0)] == rivals)
            if len(equal):
                tied_from = ranked.searchsorted(rivals[equal], side="left")
                moved = np.bincount(offset[equal] + tied_from, minlength=n_distractors * width)
                moved -= np.bincount((offset + beaten_from)[equal], minlength=len(moved))
                ties += moved.reshape(table) @ above
    sizes = [
        np.bincount(classes, minlength=n)
        for classes, n in zip((of_target, of_distractor), shape, strict=True)
    ]
    return Wins(
        correct.T.astype(np.int64),
        ties.T.astype(np.int64),
        len(targets) * np.multiply.outer(*sizes),
    )


def _check(
    targets: Floats,
    of_target: Ints,
    distractors: Floats,
    of_distractor: Ints,
    shape: tuple[int, int],
) -> None:
    expected = (len(targets), len(of_target)), (len(targets), len(of_distractor))
    if (targets.shape, distractors.shape) != expected:
        raise ValueError(
            f"scores have shapes {targets.shape} and {distractors.shape}, expected "
            f"{expected[0]} and {expected[1]}"
        )
    for classes, n in zip((of_target, of_distractor), shape, strict=True):
        if len(classes) and not 0 <= classes.min() <= classes.max() < n:
            raise ValueError(f"a class lies outside 0 to {n - 1}")
    if np.isnan(targets).any() or np.isnan(distractors).any():
        raise ValueError("a score is NaN")
