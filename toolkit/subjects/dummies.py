"""Subjects whose answers are known in advance, to test paradigms, runner and statistics.

The target is the picture whose choice a condition counts. The perfect dummy chooses it even where
the word names neither picture, as in the controls of the ME test: it knows the trial, not the word.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toolkit.errors import unknown_name
from toolkit.subjects.contract import Floats
from toolkit.subjects.population import Population

if TYPE_CHECKING:
    from paradigms.choices.trials import Trials

Rule = Callable[["Trials", int], Floats]
Mask = npt.NDArray[np.bool_]
Drawing = Callable[[Mask, np.random.Generator], Floats]
RANDOM_PLACES = (7, 7)
"""Places of a map that is drawn at random, as many as the smaller published encoder has."""


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


FORGETTING_RATE = 0.25
"""Of the forgetter: what it learnt is left after n other pairs with probability exp(-rate n)."""


def _forgetter(trials: Trials, seed: int) -> Floats:
    """Knows everything, except novel words: it learns those from one exposure, and forgets."""
    scores = _perfect(trials, seed)
    lessons = trials.lessons
    if lessons is None:
        return scores
    concept = [trials.concept_of[word] for word in trials.word_ids]
    met: dict[int, list[str]] = {}
    for phase, word in zip(lessons.phase.tolist(), lessons.word.tolist(), strict=True):
        met.setdefault(phase, []).append(concept[word])
    is_familiar = np.array([trials.concept_of[o] in trials.familiar for o in trials.option_ids])
    rng = np.random.default_rng([seed, int(trials.checksum[:8], 16)])
    for row, phase in enumerate(lessons.asked_after.tolist()):
        if is_familiar[trials.options[row]].any():
            continue
        since = 0
        while phase >= 0 and concept[trials.word[row]] not in met[phase]:
            since += len(met[phase])
            phase = int(lessons.after[phase])
        if phase < 0 or rng.random() > np.exp(-FORGETTING_RATE * since):
            scores[row] = rng.random(scores.shape[1])
    return scores


THRESHOLD, STEEPNESS = 1.5, 2.0
"""Of the phonetic dummy: so many changed features leave a choice at chance, and so much every
further one takes from the log odds of the target."""


def _phonetic(trials: Trials, seed: int) -> Floats:
    rng = np.random.default_rng([seed, int(trials.checksum[:8], 16)])
    how = [trials.variant_of.get(word, "") for word in trials.word_ids]
    changed = [one.count("+") + 1 if one else 0 for one in how]
    # All words averaged, -1, count as unchanged.
    log_odds = STEEPNESS * (THRESHOLD - np.array([*changed, 0])[trials.word])
    right = rng.random(len(trials)) < 1 / (1 + np.exp(-log_odds))
    scores = _perfect(trials, seed)
    return np.where(right[:, None], scores, -scores)


RULES: dict[str, Rule] = {
    "perfect": _perfect,
    "reversed": _reversed,
    "random": _random,
    "constant": _constant,
    "familiar-seeker": _familiar_seeker,
    "forgetter": _forgetter,
    "phonetic": _phonetic,
}
"""Rule of every dummy; what each does is said in its ``population.toml``."""


def _draw_truth(truth: Mask, rng: np.random.Generator) -> Floats:
    return truth.astype(np.float32)


def _draw_reversed(truth: Mask, rng: np.random.Generator) -> Floats:
    return -_draw_truth(truth, rng)


def _draw_anything(truth: Mask, rng: np.random.Generator) -> Floats:
    return rng.random(RANDOM_PLACES, dtype=np.float32)


def _draw_nothing(truth: Mask, rng: np.random.Generator) -> Floats:
    return np.zeros(truth.shape, dtype=np.float32)


DRAWINGS: dict[str, Drawing] = {
    "perfect": _draw_truth,
    "reversed": _draw_reversed,
    "random": _draw_anything,
    "constant": _draw_nothing,
    "familiar-seeker": _draw_nothing,
    "forgetter": _draw_truth,
    "phonetic": _draw_truth,
}
"""How every dummy draws a map; nothing in a picture is new or familiar."""


@dataclass(frozen=True)
class Dummy:
    """A subject that reads its answers off the trial list, or off the masks of pictures."""

    rule: Rule
    """How it scores."""
    drawing: Drawing
    """How it draws maps."""
    seed: int
    """Number made of the seed's name, used by the random dummy only."""

    def answer(self, trials: Trials) -> Floats:
        """Score every option of every trial, (n, places)."""
        return self.rule(trials, self.seed)

    def draw(self, truth: Mask, what: str, n_texts: int) -> Floats:
        """Draw one map for each of n texts that name the same thing, (n_texts, h, w)."""
        rng = np.random.default_rng([self.seed, zlib.crc32(what.encode())])
        return np.stack([self.drawing(truth, rng) for _ in range(n_texts)])


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
    return Dummy(RULES[population.name], DRAWINGS[population.name], zlib.crc32(seed.encode()))
