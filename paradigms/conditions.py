"""Conditions of a paradigm: what is said, what is shown, and which of them are compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from stimuli.errors import ToolkitError

Status = Literal["familiar", "novel"]


@dataclass(frozen=True)
class Condition:
    """One condition of a paradigm."""

    name: str
    """Name in the ``condition`` column."""
    meaning: str
    """What is said and shown, in one phrase."""
    headline: bool = False
    """True for the test itself, False for its controls."""
    practice: bool = False
    """True for trials before the test, on stimuli of the validation split, which no test shows:
    what a paradigm must set, it sets by these alone."""

    @property
    def role(self) -> str:
        """What it is there for: ``test``, ``control`` or ``practice``."""
        return "test" if self.headline else "practice" if self.practice else "control"


@dataclass(frozen=True)
class ConditionContrast:
    """Two conditions whose difference answers a question that was asked in advance."""

    plus: str
    """Name of the condition that is expected to be higher, the test."""
    minus: str
    """Name of the condition that is taken from it, its control."""
    question: str
    """What a difference would say, as a question."""


@dataclass(frozen=True)
class Graded:
    """A graded factor: conditions that differ in how much of something there is.

    It is tested by a linear contrast, the slope over its levels; in the paradigm's formula it
    is called ``level``, see `paradigms.formula.check_declared`.

    Example:
        >>> noise = Graded("noise", {"quiet": 0, "some": 10, "loud": 20}, "Does noise hurt?", "dB")
        >>> noise.lowest, noise.highest, noise.span
        (['quiet'], ['loud'], 20)
    """

    name: str
    """What there is more or less of, e.g. ``features changed``."""
    levels: Mapping[str, float]
    """How much of it there is in each of its conditions; several may have the same level."""
    question: str
    """What a slope would say, as a question."""
    unit: str = "step"
    """What levels are counted in, in the singular."""

    @property
    def span(self) -> float:
        """Highest level minus lowest."""
        return max(self.levels.values()) - min(self.levels.values())

    @property
    def lowest(self) -> list[str]:
        """Conditions at the lowest level."""
        return [name for name, at in self.levels.items() if at == min(self.levels.values())]

    @property
    def highest(self) -> list[str]:
        """Conditions at the highest level."""
        return [name for name, at in self.levels.items() if at == max(self.levels.values())]


@dataclass(frozen=True)
class PairCondition(Condition):
    """A condition with two pictures: the target and one distractor.

    The target is the picture whose choice is counted. It shows the class that the word names,
    unless ``mismatched`` or ``target`` say otherwise; the word then names neither picture.
    """

    word: Status = "familiar"
    """Status of the word said."""
    target: Status | None = None
    """Status of the target picture; that of the word where none is given. Where it differs from
    that of the word, the class that the word names is not shown at all."""
    distractor: Status = "familiar"
    """Status of the distractor picture."""
    mismatched: bool = False
    """True where the target shows another class of the same status than the word names."""
    names_distractor: bool = False
    """True where the word names the distractor; the target then shows any class of its status."""
    foreign: bool = False
    """True where words are said in languages of the set in which the subject is not tested."""
    all_words: bool = False
    """True where no single word is asked, but which picture scores higher over all words."""
    pairs_of: str = ""
    """Name of the condition whose picture pairs are shown again; empty for pairs of its own."""
    variant: str = ""
    """How the words are changed, a value of the set's column ``variant``; empty for words as they
    are. With ``pairs_of`` every trial of that condition is asked again with the same word, voice
    and pictures, so that the change is made within items; words that the set does not have so are
    left out."""

    def classes(
        self, status: Mapping[str, str], said: Collection[str], pictured: Collection[str]
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Which classes may be shown with every word class; lists and counts both go by this.

        Targets are classes that are said as well, so that a test and its controls show the same
        targets. A class is never shown beside itself: of the pairs of target and distractor, all
        count in which the two differ.

        Args:
            status: ``familiar`` or ``novel`` by class.
            said: classes with words.
            pictured: classes with pictures.

        Returns:
            Target classes and distractor classes by word class, all sorted.

        Raises:
            ToolkitError: if there is nothing to say, or nothing to show beside the target.

        Example:
            >>> status = {"ball": "novel", "cake": "novel", "cat": "familiar", "dog": "familiar"}
            >>> PairCondition("test", "", word="novel").classes(status, status, status)
            {'ball': (['ball'], ['cat', 'dog']), 'cake': (['cake'], ['cat', 'dog'])}
            >>> absent = PairCondition("absent", "", word="familiar", target="novel")
            >>> absent.classes(status, status, status)
            {'cat': (['ball', 'cake'], ['dog']), 'dog': (['ball', 'cake'], ['cat'])}
            >>> beside = PairCondition("beside", "", target="novel", names_distractor=True)
            >>> beside.classes(status, status, status)["cat"]
            (['ball', 'cake'], ['cat'])
        """
        known = sorted(pictured)
        asked = [name for name in known if name in said]
        shows = self.target or self.word
        named = shows == self.word and not self.mismatched and not self.names_distractor
        found = {}
        for word in (name for name in asked if status[name] == self.word):
            targets = [
                name
                for name in asked
                if status[name] == shows and (name == word if named else name != word)
            ]
            others = [name for name in known if status[name] == self.distractor and name != word]
            if self.names_distractor:
                others = [word] if word in known else []
            # Where there is one class only to stand beside, it cannot be the target itself.
            shown = [one for one in targets if set(others) - {one}]
            if shown:
                found[word] = shown, [one for one in others if set(shown) - {one}]
        if not found:
            raise ToolkitError(
                f"Condition {self.name!r} cannot be made: the test split has too few {self.word} "
                f"classes with words and pictures, {shows} classes to be the target, or "
                f"{self.distractor} picture classes to stand beside it.",
                allowed="at least one class to say, and two to show",
            )
        return found


@dataclass(frozen=True)
class ChildResult:
    """What children did in a condition, for comparison; nothing is computed from it."""

    condition: str
    """Name of the condition."""
    who: str
    """Age and number of the children."""
    source: str
    """The study."""
    share: float | None = None
    """Share of correct answers, or of looking at the target; None where it is told in words."""
    chance: float | None = None
    """Chance level in the study."""
    found: str = ""
    """What was found, in words."""


@dataclass(frozen=True)
class TaughtCondition(Condition):
    """A condition that asks for novel words after they were met; see `WordLearning`.

    The word is said beside its picture and that of another word of the session, so that neither
    picture is newer than the other. All conditions that teach ask the very same trials; what was
    learnt before is all that differs.
    """

    exposures: int = 0
    """How often every word of the session was met before, each time with another clip and
    picture."""
    alone: bool = False
    """True where the picture was named alone; False where it had to be selected, beside that of a
    familiar class."""
    others: int = 0
    """Pairs of other novel words that were met since."""
    batches: int = 0
    """Further training since: batches with one pair of every familiar class, pictures alone."""
    selection: bool = False
    """True for referent selection itself: the first exposure, asked before anything is learnt."""
