"""What there is to ask of a two-picture paradigm: words, targets and distractors by class."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from paradigms import ALL_WORDS, BaseParadigm, Paradigm, PicturePairs, WordLearning
from paradigms.choices.paradigm import as_choices
from toolkit.errors import ToolkitError, quoted

if TYPE_CHECKING:
    import numpy.typing as npt

    from stimuli import StimulusSet

    Ints = npt.NDArray[np.int64]


FOREIGN = "in another language"
"""Stands where others say how a word is changed: it is in a language that is not tested."""


@dataclass(frozen=True, eq=False)
class Side:
    """The pictures that can stand on one side of a question, target or distractor."""

    pictures: Ints
    """(k,) places among the pictures of the material."""
    concepts: tuple[str, ...]
    """Their concepts, each once."""
    classes: Ints
    """(k,) place of each picture's concept among these."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked with the words of one concept in one condition."""

    condition: str
    """Condition of the paradigm."""
    word: str
    """Concept of the words said, or `paradigms.ALL_WORDS`."""
    target: Side
    """Pictures counted as right."""
    distractor: Side
    """Pictures beside them."""
    variant: str = ""
    """How the words are changed, or `FOREIGN`; empty for words as they are."""


@dataclass(frozen=True, eq=False)
class Material:
    """The test words of one language and the test pictures of a set, with their classes."""

    word_ids: tuple[str, ...]
    """Clips."""
    word_concept: npt.NDArray[np.str_]
    """(n,) concept of every clip."""
    picture_ids: tuple[str, ...]
    """Pictures."""
    picture_concept: npt.NDArray[np.str_]
    """(m,) concept of every picture."""
    style: npt.NDArray[np.str_]
    """(m,) style of every picture; only pictures of the same style are shown together."""
    status: Mapping[str, str]
    """``familiar`` or ``novel`` by concept."""
    word_variant: npt.NDArray[np.str_]
    """(n,) how every clip is changed, or `FOREIGN`; empty for words as they are."""

    @classmethod
    def of(
        cls,
        stimuli: StimulusSet,
        language: str,
        *,
        any_style: bool,
        variants: Collection[str] = (),
        foreign: Collection[str] = (),
    ) -> Material:
        """The test split of a set.

        Args:
            stimuli: the set.
            language: of the words.
            any_style: take all pictures for pictures of one style.
            variants: ways of changing words that are asked for besides words as they are.
            foreign: languages whose words are asked for besides.

        Raises:
            ToolkitError: if it has no words in the language.
        """
        import pandas as pd

        words = stimuli.select(kind="word", split="test", language=language, variant=None)
        if "variant" in words:
            words = words[words["variant"].isin(["", *variants])]
        variant = words["variant"] if "variant" in words else [""] * len(words)
        words = words.assign(variant=list(variant))
        if foreign:
            abroad = stimuli.select(kind="word", split="test")
            abroad = abroad[abroad["language"].isin(list(foreign))]
            words = pd.concat([words, abroad.assign(variant=FOREIGN)])
        pictures = stimuli.select(kind="picture", split="test")
        if not len(words):
            raise ToolkitError(
                f"The stimulus set {stimuli.name!r} has no test words in language {language!r}.",
                allowed=", ".join(stimuli.languages) or "none",
                next_command=f"mevgs-toolkit describe {quoted(stimuli.name)}",
            )
        styled = "style" in pictures and not any_style
        return cls(
            word_ids=tuple(words.index),
            word_concept=np.array(words["concept"].tolist()),
            picture_ids=tuple(pictures.index),
            picture_concept=np.array(pictures["concept"].tolist()),
            style=np.array(pictures["style"].fillna("") if styled else [""] * len(pictures)),
            status=dict(
                zip(
                    [*words["concept"], *pictures["concept"]],
                    [*words["status"], *pictures["status"]],
                    strict=True,
                )
            ),
            word_variant=np.array(words["variant"].tolist()),
        )

    @cached_property
    def concepts(self) -> list[str]:
        """Concepts of the pictures, sorted."""
        return sorted(set(self.picture_concept.tolist()))

    def of_status(self, status: str) -> list[str]:
        """Concepts with pictures that are familiar, or novel."""
        return [name for name in self.concepts if self.status[name] == status]

    def side(self, concepts: Sequence[str]) -> Side:
        """The pictures of some concepts."""
        places = np.flatnonzero(np.isin(self.picture_concept, list(concepts)))
        names, classes = np.unique(self.picture_concept[places], return_inverse=True)
        return Side(places, tuple(names.tolist()), classes)

    def shown_together(self, question: Question) -> Iterator[tuple[Ints, Ints]]:
        """Places of targets and distractors within their sides, style by style.

        As in drawn lists: distractors of the target's style; all pictures of a class that has none
        in that style.
        """
        target, distractor = question.target, question.distractor
        styles = self.style[distractor.pictures]
        of_target = self.style[target.pictures]
        for style in np.unique(of_target):
            alike = styles == style
            lacking = ~np.isin(distractor.classes, distractor.classes[alike])
            yield np.flatnonzero(of_target == style), np.flatnonzero(alike | lacking)


def picture_pairs(paradigm: BaseParadigm) -> PicturePairs:
    """The paradigm, if declaring its conditions is all that it does.

    Raises:
        ToolkitError: if it asks for maps, or makes trials or scores in its own way.
    """
    asked = as_choices(paradigm)
    if isinstance(asked, WordLearning):
        raise ToolkitError(
            f"Paradigm {paradigm.name!r} teaches words between trials: what a picture scores hangs "
            "on the session, so that there are no triples to go through.",
            allowed="a paradigm of picture pairs, e.g. familiar or me",
            next_command=f"mevgs-toolkit run-paradigm {quoted(paradigm.name)} --subject NAME",
        )
    kind = type(asked)
    if (
        not isinstance(asked, PicturePairs)
        or kind.trials is not PicturePairs.trials
        or kind.measure is not Paradigm.measure
    ):
        raise ToolkitError(
            f"Paradigm {paradigm.name!r} has trials or scores of its own, so that there are no "
            "triples of word, target and distractor to go through.",
            allowed="a paradigm of picture pairs, e.g. familiar or me",
            next_command=f"mevgs-toolkit run-paradigm {quoted(paradigm.name)} --subject NAME",
        )
    return asked


def questions(paradigm: PicturePairs, material: Material) -> Iterator[Question]:
    """What is asked with every word class in every condition.

    Raises:
        ToolkitError: if the set lacks the classes that a condition needs.
    """
    designs = {condition.name: condition for condition in paradigm.conditions}
    for condition in paradigm.conditions:
        if condition.practice:
            continue
        design = designs[condition.pairs_of or condition.name]
        how = FOREIGN if condition.foreign else condition.variant
        said = set(material.word_concept[material.word_variant == how].tolist())
        plain = set(material.word_concept[material.word_variant == ""].tolist())
        shown = design.classes(
            material.status, plain if condition.variant else said, material.concepts
        )
        shown = {word: sides for word, sides in shown.items() if word in said}
        if not shown:
            raise ToolkitError(
                f"Condition {condition.name!r} says words that the stimulus set does not have.",
                given=f"words whose variant is {condition.variant!r}",
                allowed="a set that says how its words are changed, e.g. mini-mispronounced",
            )
        if condition.all_words:
            # Whatever word brought two pictures together, they are asked about once.
            beside: dict[str, set[str]] = {}
            for targets, distractors in shown.values():
                for target in targets:
                    beside.setdefault(target, set()).update(distractors)
            shown = {target: ([target], sorted(beside[target])) for target in beside}
        for word, (targets, distractors) in shown.items():
            yield Question(
                condition.name,
                ALL_WORDS if condition.all_words else word,
                material.side(targets),
                material.side(distractors),
                how,
            )
