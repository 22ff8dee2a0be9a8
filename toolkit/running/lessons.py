"""Asks a subject that learns between trials, phase after phase.

Sessions do not know of each other, so that those of a part of the list go through their phases side
by side: what a subject can do for many at once (`toolkit.subjects.contract.Pupils`) costs less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms import ExemplarMemory, GradientSteps, LearningRule, Lessons, Trials
from toolkit.subjects import memory
from toolkit.subjects.contract import LearnsTogether, SharesBackbones

if TYPE_CHECKING:
    import numpy.typing as npt

    from stimuli import StimulusSet
    from toolkit.running.embedding_store import Embeddings
    from toolkit.subjects.contract import Floats, Ints, Pupils

AT_ONCE = 16
"""First phases that are worked on side by side, with all that follow them."""
CHUNK = 512
"""Stimuli whose features are made together."""


def taught_scores(trials: Trials, pupils: Pupils) -> Floats:
    """Scores of a trial list with lessons, (n, places).

    What a subject learns from is its own choice among the pictures shown, the first of equal ones.

    Args:
        trials: a list with lessons.
        pupils: who is taught.
    """
    lessons = trials.lessons
    if lessons is None:
        raise ValueError("these trials teach nothing")
    exposures = _grouped(lessons.phase, len(lessons.after))
    asked = _grouped(lessons.asked_after, len(lessons.after))
    scores = np.zeros(trials.options.shape, dtype=np.float32)

    def ask(phases: Sequence[int], states: Sequence[Any]) -> None:
        rows = [asked[phase] for phase in phases]
        wanted = [place for place, own in enumerate(rows) if len(own)]
        made = pupils.scores(
            [states[place] for place in wanted],
            [trials.word[rows[place]] for place in wanted],
            [trials.options[rows[place]] for place in wanted],
        )
        for place, own in zip(wanted, made, strict=True):
            scores[rows[place]] = own

    ask([-1], [pupils.start])
    for levels in _parts(lessons):
        known: dict[int, Any] = {-1: pupils.start}
        for phases in levels:
            before = [known[int(lessons.after[phase])] for phase in phases]
            words = [lessons.word[exposures[phase]] for phase in phases]
            shown = [lessons.shown[exposures[phase]] for phase in phases]
            states = pupils.learn(before, words, _chosen(pupils, before, words, shown))
            known = {-1: pupils.start} | dict(zip(phases, states, strict=True))
            ask(phases, states)
    return scores


def _parts(lessons: Lessons) -> Iterator[list[list[int]]]:
    """Phases in parts that do not know of each other, each as levels: one follows the other."""
    depth: list[int] = []
    root: list[int] = []
    for number, before in enumerate(lessons.after.tolist()):
        depth.append(0 if before < 0 else depth[before] + 1)
        root.append(number if before < 0 else root[before])
    roots = sorted(set(root))
    for start in range(0, len(roots), AT_ONCE):
        part = set(roots[start : start + AT_ONCE])
        own = [number for number, first in enumerate(root) if first in part]
        levels = Counter(depth[number] for number in own)
        yield [[number for number in own if depth[number] == level] for level in sorted(levels)]


def _chosen(
    pupils: Pupils, states: Sequence[Any], words: Sequence[Ints], shown: Sequence[Ints]
) -> list[Ints]:
    """The pictures (n,) that each takes for its words among those shown (n, 2)."""
    pictures = [own[:, 0].copy() for own in shown]
    pairs = [np.flatnonzero(own[:, 1] >= 0) for own in shown]
    choosing = [place for place, own in enumerate(pairs) if len(own)]
    made = pupils.scores(
        [states[place] for place in choosing],
        [words[place][pairs[place]] for place in choosing],
        [shown[place][pairs[place]] for place in choosing],
    )
    for place, scores in zip(choosing, made, strict=True):
        second = pairs[place][scores[:, 1] > scores[:, 0]]
        pictures[place][second] = shown[place][second, 1]
    return pictures


@dataclass(frozen=True, eq=False)
class Remembering:
    """Pupils with an exemplar memory; they need embeddings alone."""

    start: memory.ExemplarMemory
    """With nothing in memory."""
    words: Floats
    """(n_words, d) embeddings of all words of the list."""
    pictures: Floats
    """(n_options, d) embeddings of all its pictures."""

    def scores(
        self, states: Sequence[Any], words: Sequence[Ints], options: Sequence[Ints]
    ) -> list[Floats]:
        """See `Pupils.scores`."""
        made = []
        for state, own, shown in zip(states, words, options, strict=True):
            different, place = np.unique(shown, return_inverse=True)
            matrix = state.similarity(self.words[own], self.pictures[different])
            made.append(matrix[np.arange(len(own))[:, None], place.reshape(shown.shape)])
        return made

    def learn(
        self, states: Sequence[Any], words: Sequence[Ints], pictures: Sequence[Ints]
    ) -> list[Any]:
        """See `Pupils.learn`."""
        return [
            state.remember(self.words[own], self.pictures[seen])
            for state, own, seen in zip(states, words, pictures, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class OneByOne:
    """Pupils that are given clips and pictures, one lesson after the other."""

    start: Any
    """A subject that learns."""
    words: Sequence[Any]
    """All clips of the list."""
    pictures: Sequence[Any]
    """All its pictures."""
    rule: GradientSteps
    """How it learns."""

    def scores(
        self, states: Sequence[Any], words: Sequence[Ints], options: Sequence[Ints]
    ) -> list[Floats]:
        """See `Pupils.scores`."""
        made = []
        for state, own, shown in zip(states, words, options, strict=True):
            different, place = np.unique(shown, return_inverse=True)
            matrix = state.similarity(
                state.embed_words([self.words[number] for number in own]),
                state.embed_pictures([self.pictures[number] for number in different]),
            )
            made.append(matrix[np.arange(len(own))[:, None], place.reshape(shown.shape)])
        return made

    def learn(
        self, states: Sequence[Any], words: Sequence[Ints], pictures: Sequence[Ints]
    ) -> list[Any]:
        """See `Pupils.learn`."""
        return [
            state.learn(
                [
                    (self.words[word], self.pictures[picture])
                    for word, picture in zip(own, seen, strict=True)
                ],
                rate=self.rule.rate,
                steps=self.rule.steps,
            )
            for state, own, seen in zip(states, words, pictures, strict=True)
        ]


@dataclass(eq=False)
class Teaching:
    """Opens lessons for subjects; features of the last backbones are kept for the next subject."""

    stimuli: StimulusSet
    """Where clips and pictures come from."""
    words: Sequence[str]
    """All words that any subject meets."""
    pictures: Sequence[str]
    """All pictures."""

    def __post_init__(self) -> None:
        self._made: tuple[str, dict[str, Any], dict[str, Any]] = ("", {}, {})

    def pupils(self, rule: LearningRule, subject: Any, trials: Trials, known: Embeddings) -> Pupils:
        """A subject at the start of the lessons of a trial list.

        Args:
            rule: how it learns.
            subject: the subject, loaded.
            trials: the list.
            known: its embeddings of the list's words and pictures.
        """
        if isinstance(rule, ExemplarMemory):
            return Remembering(
                memory.ExemplarMemory(subject, rule.sharpness),
                known.matrix("word", trials.word_ids),
                known.matrix("picture", trials.option_ids),
            )
        if not isinstance(rule, GradientSteps):
            raise ValueError(f"no subject learns by {rule.name}")
        words, pictures = self._media(subject)
        own = [words[name] for name in trials.word_ids]
        shown = [pictures[name] for name in trials.option_ids]
        if isinstance(subject, LearnsTogether):
            return subject.pupils(own, np.stack(shown), rate=rule.rate, steps=rule.steps)
        return OneByOne(subject, own, shown, rule)

    def _media(self, subject: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Clips and pictures by name, or their features where backbones are shared."""
        together = isinstance(subject, LearnsTogether)
        key = f"{subject.hearing.sha256}/{subject.seeing.sha256}" if together else "as they are"
        if self._made[0] != key:
            hearing, seeing = (
                (subject.hearing.load(), subject.seeing.load())
                if isinstance(subject, SharesBackbones) and together
                else (None, None)
            )
            self._made = (
                key,
                self._through(hearing, self.words, self.stimuli.read_clip),
                self._through(seeing, self.pictures, self.stimuli.read_picture),
            )
        return self._made[1:]

    def _through(self, backbone: Any, names: Sequence[str], read: Any) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for start in range(0, len(names), CHUNK):
            chunk = names[start : start + CHUNK]
            media = [read(name) for name in chunk]
            features = media if backbone is None else backbone.features(media)
            made |= dict(zip(chunk, features, strict=True))
        return made


def _grouped(numbers: npt.NDArray[Any], n: int) -> dict[int, npt.NDArray[np.intp]]:
    """Where each number from -1 to n - 1 stands."""
    order = np.argsort(numbers, kind="stable")
    ends: Sequence[int] = np.searchsorted(numbers[order], np.arange(-1, n + 1)).tolist()
    return {number: order[ends[number + 1] : ends[number + 2]] for number in range(-1, n)}
