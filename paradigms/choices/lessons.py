"""Paradigms that teach: sessions in which novel words are met, and asked for afterwards.

A session teaches a few novel words. Before they are asked for, each has been met a number of times
(a phase for each time), other novel words may have come after them, and further training on
familiar words. All conditions of a session share its exposures and its test, so that they differ
in nothing but what came before.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paradigms.choices.paradigm import Paradigm
from paradigms.choices.trials import Lessons, Trials, balanced_places
from paradigms.conditions import TaughtCondition
from paradigms.learning import LearningRule
from stimuli.errors import ToolkitError, quoted

if TYPE_CHECKING:
    import pandas as pd

    from stimuli import StimulusSet

WORDS_OF_A_SESSION = 4
"""At most so many novel words are taught in a session, and at most half of those there are."""

Step = tuple[str, int]
"""What happens in a phase, and its number."""
Exposure = tuple[str, tuple[str, ...]]
"""A word, and one or two pictures."""


class WordLearning(Paradigm):
    """A paradigm that teaches words: it declares `TaughtCondition`s and how subjects learn."""

    conditions: ClassVar[tuple[TaughtCondition, ...]]
    rule: ClassVar[LearningRule]
    """How subjects learn from what they met."""

    def __init_subclass__(cls) -> None:
        """What a subject must be able to do follows from how it is to learn."""
        super().__init_subclass__()
        if hasattr(cls, "rule"):
            cls.needs = cls.rule.needs

    def trials(
        self,
        stimuli: StimulusSet,
        language: str,
        rng: np.random.Generator,
        *,
        per_class: int,
        languages: Sequence[str],
    ) -> Trials:
        """Make sessions in which every novel word is taught and tested ``per_class`` times."""
        return taught_trials(stimuli, language, rng, self.conditions, per_class)


def taught_trials(
    stimuli: StimulusSet,
    language: str,
    rng: np.random.Generator,
    conditions: Sequence[TaughtCondition],
    per_class: int,
) -> Trials:
    """Make sessions from the test split of a set, and the trials that are asked in them.

    Clips and pictures of a test never occur in the exposures of its session. They are spread
    evenly; pictures that stand side by side have the same style where the set allows it.

    Args:
        stimuli: the stimulus set; pictures may have a ``style`` column.
        language: ISO code of the words said.
        rng: the only source of chance.
        conditions: what is learnt before words are asked for.
        per_class: sessions in which each novel word is taught; it is asked for once in each.

    Raises:
        ToolkitError: if the set has too few words or pictures.
    """
    if per_class < 1:
        raise ToolkitError(f"{per_class} trials per class were asked for.", allowed="1 or more")
    supply = _Supply.of(stimuli, language, rng)
    marks = sorted({0, *(condition.others for condition in conditions)})
    made = _Made()
    for number in range(per_class):
        for words in _shared_out(supply.novel, rng):
            session = _Session(supply, words, number, marks)
            session.ask(conditions, made)
    return made.trials(conditions, supply, rng)


def _shared_out(novel: Sequence[str], rng: np.random.Generator) -> Iterator[list[str]]:
    """All novel words in sessions of about equal size."""
    size = min(WORDS_OF_A_SESSION, len(novel) // 2)
    order = rng.permutation(len(novel))
    for part in np.array_split(order, len(novel) // size):
        yield [novel[place] for place in part]


class _Deck:
    """Names dealt in freshly shuffled rounds, so that all come about equally often."""

    def __init__(self, names: Iterable[str], rng: np.random.Generator) -> None:
        self.names = sorted(names)
        self.all = frozenset(self.names)
        self.rng = rng
        self.left: list[str] = []

    def deal(self, *avoided: set[str]) -> str:
        """The next name that is in none of some sets.

        Where all of them are, the last set is not avoided any more, then the one before it.
        """
        for kept in range(len(avoided), -1, -1):
            if allowed := self.all.difference(*avoided[:kept]):
                break
        if allowed.isdisjoint(self.left):
            self.left += [self.names[place] for place in self.rng.permutation(len(self.names))]
        return self.left.pop(next(p for p, name in enumerate(self.left) if name in allowed))


@dataclass(frozen=True, eq=False)
class _Supply:
    """Test words and pictures, dealt by class; those that are asked for apart from all others."""

    novel: list[str]
    clips: dict[str, _Deck]
    pictures: dict[str, _Deck]
    asked_clips: dict[str, _Deck]
    asked_pictures: dict[str, _Deck]
    in_style: dict[tuple[str, str], _Deck]
    style: dict[str, str]
    concept_of: dict[str, str]
    familiar: _Deck
    rng: np.random.Generator

    @classmethod
    def of(cls, stimuli: StimulusSet, language: str, rng: np.random.Generator) -> _Supply:
        words = stimuli.select(kind="word", split="test", language=language)
        pictures = stimuli.select(kind="picture", split="test")
        clips, shown = (_by_class(table) for table in (words, pictures))
        both = sorted(set(clips) & set(shown))
        status = dict(zip(pictures["concept"], pictures["status"], strict=True))
        novel, familiar = (
            [name for name in both if status[name] == wanted] for wanted in ("novel", "familiar")
        )
        few = [name for name in novel if len(clips[name]) < 2 or len(shown[name]) < 3]
        if len(novel) < 3 or len(familiar) < 2 or few:
            raise ToolkitError(
                f"Words cannot be taught from the stimulus set {stimuli.name!r} in language "
                f"{language!r}.",
                given=f"{len(novel)} novel and {len(familiar)} familiar classes with test words "
                "and pictures" + (f"; too few clips or pictures of {few[0]}" if few else ""),
                allowed="3 novel and 2 familiar classes or more, with 2 clips and 3 pictures of "
                "every novel one, so that a test never repeats what was taught",
                next_command=f"mevgs-toolkit describe {quoted(stimuli.name)}",
            )
        styles = pictures["style"].fillna("") if "style" in pictures else [""] * len(pictures)
        style = dict(zip(pictures.index, styles, strict=True))
        of_style: dict[tuple[str, str], list[str]] = {}
        for name, concept in zip(pictures.index, pictures["concept"], strict=True):
            of_style.setdefault((concept, style[name]), []).append(name)
        return cls(
            novel=novel,
            clips={name: _Deck(clips[name], rng) for name in both},
            pictures={name: _Deck(shown[name], rng) for name in both},
            asked_clips={name: _Deck(clips[name], rng) for name in novel},
            asked_pictures={name: _Deck(shown[name], rng) for name in novel},
            in_style={key: _Deck(names, rng) for key, names in of_style.items()},
            style=style,
            concept_of={
                str(name): str(concept)
                for table in (words, pictures)
                for name, concept in table["concept"].items()
            },
            familiar=_Deck(familiar, rng),
            rng=rng,
        )

    def beside(self, picture: str, concept: str) -> str:
        """A picture of a class in the style of another picture, if there is one."""
        deck = self.in_style.get((concept, self.style[picture]), self.pictures[concept])
        return deck.deal()


def _by_class(table: pd.DataFrame) -> dict[str, list[str]]:
    """Ids by concept."""
    return {str(name): list(own.index) for name, own in table.groupby("concept")}


class _Session:
    """A few words that are taught together, and what comes before they are asked for."""

    def __init__(
        self, supply: _Supply, words: Sequence[str], number: int, marks: Sequence[int]
    ) -> None:
        self.supply, self.words, self.marks = supply, words, marks
        self.tests = [self._test(place, number) for place in range(len(words))]
        self.asked = {name for said, shown in self.tests for name in (said, *shown)}
        self.met: set[str] = set()
        others = [name for name in supply.novel if name not in words]
        self.others = _Deck(others, supply.rng)
        self.content: dict[Step, list[Exposure]] = {}

    def _test(self, place: int, number: int) -> Exposure:
        """A word, its picture, and that of another word of the session."""
        n = len(self.words)
        word, foil = self.words[place], self.words[(place + 1 + number % (n - 1)) % n]
        target = self.supply.asked_pictures[word].deal()
        return self.supply.asked_clips[word].deal(), (target, self.supply.beside(target, foil))

    def ask(self, conditions: Sequence[TaughtCondition], made: _Made) -> None:
        """Ask all words of the session in all conditions, after what they teach."""
        phases: dict[tuple[Step, ...], int] = {(): -1}
        for place, condition in enumerate(conditions):
            path = tuple(self._path(condition))
            for n in range(1, len(path) + 1):
                if path[:n] not in phases:
                    exposures = self._exposures(path[n - 1])
                    phases[path[:n]] = made.add_phase(phases[path[: n - 1]], exposures)
            selection = condition.selection
            for said, shown in self._exposures(("select", 0)) if selection else self.tests:
                made.add_trial(place, said, shown, phases[path])

    def _path(self, condition: TaughtCondition) -> Iterator[Step]:
        """The phases before a condition is asked."""
        how = "name" if condition.alone else "select"
        yield from ((how, n) for n in range(condition.exposures))
        yield from (
            ("others", n) for n, mark in enumerate(self.marks) if 0 < mark <= condition.others
        )
        yield from (("familiar", n) for n in range(condition.batches))

    def _exposures(self, step: Step) -> list[Exposure]:
        """What is met in a phase; the same wherever it comes."""
        if step not in self.content:
            self.content[step] = list(self._met(*step))
        return self.content[step]

    def _met(self, what: str, number: int) -> Iterator[Exposure]:
        if what == "familiar":
            yield from (self._named(name) for name in self.supply.familiar.names)
        elif what == "name":
            for said, (picture, _) in self._exposures(("select", number)):
                yield said, (picture,)
        elif what == "select":
            yield from (self._selected(name) for name in self.words)
        else:
            taken: set[str] = set()
            for _ in range(self.marks[number] - self.marks[number - 1]):
                taken.add(name := self.others.deal(taken))
                yield self._selected(name)

    def _named(self, word: str) -> Exposure:
        """A word with its picture, neither of which is asked for in the session."""
        decks = self.supply.clips[word], self.supply.pictures[word]
        said, picture = (deck.deal(self.asked, self.met) for deck in decks)
        self.met |= {said, picture}
        return said, (picture,)

    def _selected(self, word: str) -> Exposure:
        """A novel word with its picture beside a familiar one."""
        said, (picture,) = self._named(word)
        return said, (picture, self.supply.beside(picture, self.supply.familiar.deal()))


@dataclass
class _Made:
    """Phases and trials so far; of two pictures, the first is that of the word."""

    after: list[int] = field(default_factory=list)
    exposures: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    asked: list[tuple[int, str, tuple[str, ...], int]] = field(default_factory=list)

    def add_phase(self, before: int, exposures: Iterable[Exposure]) -> int:
        self.after.append(before)
        number = len(self.after) - 1
        self.exposures += [(number, said, shown) for said, shown in exposures]
        return number

    def add_trial(self, condition: int, said: str, shown: tuple[str, ...], phase: int) -> None:
        self.asked.append((condition, said, shown, phase))

    def trials(
        self, conditions: Sequence[TaughtCondition], supply: _Supply, rng: np.random.Generator
    ) -> Trials:
        """The list; pictures that stand together do so in the same places wherever they recur."""
        asked = sorted(self.asked, key=lambda trial: trial[0])
        together = dict.fromkeys(
            (said, shown)
            for said, shown in itertools.chain(
                ((said, shown) for _, said, shown, _ in asked),
                ((said, shown) for _, said, shown in self.exposures),
            )
            if len(shown) == 2
        )
        places = balanced_places(len(together), 2, rng).tolist()
        place: dict[Exposure, int] = dict(zip(together, places, strict=True))
        words = sorted({said for said, _ in together} | {said for _, said, _ in self.exposures})
        pictures = sorted(
            {name for _, shown in together for name in shown}
            | {name for _, _, shown in self.exposures for name in shown}
        )
        word_at = {name: number for number, name in enumerate(words)}
        picture_at = {name: number for number, name in enumerate(pictures)} | {"": -1}

        def placed(said: str, shown: tuple[str, ...]) -> list[int]:
            pair = shown if len(shown) == 2 else (*shown, "")
            turned = pair[::-1] if place.get((said, shown)) else pair
            return [picture_at[name] for name in turned]

        return Trials(
            word_ids=tuple(words),
            option_ids=tuple(pictures),
            concept_of={name: supply.concept_of[name] for name in (*words, *pictures)},
            conditions=tuple(condition.name for condition in conditions),
            condition=np.array([number for number, *_ in asked], np.int16),
            word=np.array([word_at[said] for _, said, _, _ in asked], np.int32),
            options=np.array([placed(said, shown) for _, said, shown, _ in asked], np.int32),
            target_position=np.array([place[said, shown] for _, said, shown, _ in asked], np.int16),
            familiar=frozenset(supply.familiar.names),
            lessons=Lessons(
                after=np.array(self.after, np.int32),
                phase=np.array([phase for phase, _, _ in self.exposures], np.int32),
                word=np.array([word_at[said] for _, said, _ in self.exposures], np.int32),
                shown=np.array([placed(s, shown) for _, s, shown in self.exposures], np.int32),
                asked_after=np.array([phase for *_, phase in asked], np.int32),
            ),
        )
