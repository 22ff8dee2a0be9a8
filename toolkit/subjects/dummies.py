"""Subjects whose answers are known in advance, to test paradigms, runner and statistics."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import unknown_name
from toolkit.subjects.contract import Floats
from toolkit.subjects.populations import Population

if TYPE_CHECKING:
    from paradigms.trials import Trials

Rule = Callable[["Trials", int], Floats]


def _perfect(trials: Trials, seed: int) -> Floats:
    scores = np.zeros(trials.options.shape, dtype=np.float32)
    scores[np.arange(len(trials)), trials.target_position] = 1
    return scores


def _reversed(trials: Trials, seed: int) -> Floats:
    return -_perfect(trials, seed)


def _random(trials: Trials, seed: int) -> Floats:
    rng = np.random.default_rng([seed, int(trials.checksum[:8], 16)])
    return rng.random(trials.options.shape, dtype=np.float32)


def _constant(trials: Trials, seed: int) -> Floats:
    return np.zeros(trials.options.shape, dtype=np.float32)


def _familiar_seeker(trials: Trials, seed: int) -> Floats:
    is_familiar = np.array([trials.concept_of[o] in trials.familiar for o in trials.option_ids])
    return is_familiar[trials.options].astype(np.float32)


RULES: dict[str, Rule] = {
    "perfect": _perfect,
    "reversed": _reversed,
    "random": _random,
    "constant": _constant,
    "familiar-seeker": _familiar_seeker,
}
"""Rule of every dummy; what each does is said in its ``population.toml``."""


@dataclass(frozen=True)
class Dummy:
    """A subject that reads its answers off the trial list."""

    rule: Rule
    """How it scores."""
    seed: int
    """Number made of the seed's name, used by the random dummy only."""

    def answer(self, trials: Trials) -> Floats:
        """Score every option of every trial, (n, places)."""
        return self.rule(trials, self.seed)


def make_dummy(population: Population, seed: str) -> Dummy:
    """Make the dummy that a population is named after; seeds differ only where the rule draws.

    Raises:
        ToolkitError: if there is no rule of that name.

    Example:
        >>> from toolkit.subjects.populations import open_population
        >>> population = open_population("random")
        >>> make_dummy(population, "c") == make_dummy(open_population("random/c"), "c")
        True
    """
    if population.name not in RULES:
        raise unknown_name("dummy", population.name, list(RULES))
    return Dummy(RULES[population.name], zlib.crc32(seed.encode()))
