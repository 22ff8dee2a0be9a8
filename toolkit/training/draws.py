"""Draws of familiar concepts: which words a learner meets, as a sample of its own.

Which concepts are novel matters more than the training seed. Networks that all learnt the same
words speak about these words alone, however many there are; networks that each learnt another draw
of words speak about word lists.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from stimuli.limits import WHOLE
from stimuli.schemas import Between
from toolkit.errors import ToolkitError

Size = Annotated[int, Between(2, WHOLE)]
"""Familiar concepts of a draw."""
Seed = Annotated[int, Between(0, WHOLE)]
"""Decides which they are."""
_ATTEMPTS = 1000
"""Times a draw is made again that was made before."""


@dataclass(frozen=True)
class Draws:
    """How the familiar concepts of the networks of a population are drawn."""

    n: int
    """How many draws."""
    concepts: Size = 13
    """Familiar concepts of each."""
    seed: Seed = 0
    """Decides which."""

    @property
    def names(self) -> list[str]:
        """Names of the draws, of equal length.

        Example:
            >>> Draws(10).names[:2]
            ['01', '02']
        """
        width = max(2, len(str(self.n)))
        return [str(number).zfill(width) for number in range(1, self.n + 1)]

    def of(self, concepts: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The familiar concepts of every draw, sorted, by its name.

        Concepts come in shuffled rounds, so that after every draw each was familiar as often as
        any other, to within one; no draw is made twice. Fewer draws of the same seed are the first
        of more.

        Args:
            concepts: all that can be familiar.

        Raises:
            ToolkitError: there are too few of them, or not so many different draws.

        Example:
            >>> Draws(3, concepts=2, seed=1).of(["ball", "cat", "dog", "key"])
            {'01': ('ball', 'dog'), '02': ('cat', 'key'), '03': ('cat', 'dog')}
        """
        known, size = sorted(set(concepts)), self.concepts
        if size > len(known) - 2:
            raise ToolkitError(
                f"{size} of {len(known)} concepts cannot be drawn as familiar: at least two must "
                "be left that are novel.",
                given=f"familiar_concepts = {size}",
                allowed=f"2 to {len(known) - 2} of the concepts that have training stimuli"
                if len(known) > 3
                else "a set with at least four concepts that have training stimuli",
                next_command="mevgs-toolkit describe mini-draws, a set in which 33 concepts do",
            )
        if self.n > math.comb(len(known), size):
            raise self._too_many(len(known))
        rng = np.random.default_rng([self.seed, size, len(known)])
        times = np.zeros(len(known), dtype=np.int64)
        made: dict[frozenset[int], None] = {}
        for _ in range(self.n):
            for _ in range(_ATTEMPTS):
                # Those that were familiar least often come first, in random order.
                order = np.lexsort((rng.random(len(known)), times))
                drawn = frozenset(order[:size].tolist())
                if drawn not in made:
                    break
            else:
                raise self._too_many(len(known))
            made[drawn] = None
            times[list(drawn)] += 1
        return {
            name: tuple(known[place] for place in sorted(drawn))
            for name, drawn in zip(self.names, made, strict=True)
        }

    def record(self) -> dict[str, int]:
        """The fields as they are written next to the weights, under the names of a grid file."""
        return {
            "familiar_draws": self.n,
            "familiar_concepts": self.concepts,
            "familiar_seed": self.seed,
        }

    def _too_many(self, n_known: int) -> ToolkitError:
        return ToolkitError(
            f"There are not so many different draws of {self.concepts} out of {n_known} concepts "
            "in which all are familiar equally often.",
            given=f"familiar_draws = {self.n}",
            allowed="fewer draws",
        )
