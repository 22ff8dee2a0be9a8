"""Counterbalanced two-picture trials, worked out with arrays so that a million take a second.

Child studies show every item equally often; drawing pairs at random does not. Within a condition:
every word class has the same number of trials; within a word class every distractor class occurs
equally often (to within one, the extras balanced over the word classes), the target stands left and
right equally often, voices, clips and target pictures are spread evenly; distractor pictures share
the target's style where the set allows it and are spread evenly within class and style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from paradigms.trials import Trials, balanced_cycles, balanced_places
from stimuli.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd

    from paradigms.base import PairCondition
    from stimuli import StimulusSet

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class _Items:
    """Words or pictures of a set as arrays; positions are indices into the ids."""

    ids: tuple[str, ...]
    concepts: list[str]
    status: dict[str, str]
    concept: Ints
    groups: list[str]
    group: Ints

    @classmethod
    def of(cls, table: pd.DataFrame, group: str) -> _Items:
        named = table["concept"].tolist()
        concepts = sorted(set(named))
        grouped = table[group].fillna("").tolist() if group in table else [""] * len(table)
        groups = sorted(set(grouped))
        return cls(
            ids=tuple(table.index),
            concepts=concepts,
            status=dict(zip(named, table["status"].tolist(), strict=True)),
            concept=np.array([concepts.index(name) for name in named], dtype=np.int32),
            groups=groups,
            group=np.array([groups.index(name) for name in grouped], dtype=np.int32),
        )

    def classes(self, status: str) -> list[str]:
        return [name for name in self.concepts if self.status[name] == status]

    def of_class(self, concept: str) -> Ints:
        return np.flatnonzero(self.concept == self.concepts.index(concept)).astype(np.int32)

    def concept_of(self) -> dict[str, str]:
        names = (self.concepts[code] for code in self.concept)
        return dict(zip(self.ids, names, strict=True))


def picture_pairs(
    stimuli: StimulusSet,
    language: str,
    rng: np.random.Generator,
    conditions: Sequence[PairCondition],
    per_class: int,
) -> Trials:
    """Make the counterbalanced trial list of several conditions from the test split of a set.

    Trials that the set has fixed for a condition are taken as they are, see `stimuli.fixed`; only
    the places of their targets are drawn.

    Args:
        stimuli: the stimulus set; words may have a ``voice`` column, pictures a ``style`` column.
        language: ISO code of the words said.
        rng: the only source of chance.
        conditions: what is said and shown, in the order in which they are listed.
        per_class: trials per word class and condition.

    Raises:
        ToolkitError: if the set has no test words in the language or too few picture classes.
    """
    if per_class < 1:
        raise ToolkitError(f"{per_class} trials per class were asked for.", allowed="1 or more")
    words = _Items.of(stimuli.select(kind="word", split="test", language=language), "voice")
    pictures = _Items.of(stimuli.select(kind="picture", split="test"), "style")
    if not words.ids:
        raise ToolkitError(
            f"The stimulus set {stimuli.name!r} has no test words in language {language!r}.",
            allowed=", ".join(stimuli.languages) or "none",
            next_command=f"mevgs-toolkit describe {stimuli.name}",
        )
    made: dict[str, tuple[Ints, Ints, Ints]] = {}
    fixed = stimuli.fixed_trials
    for design in conditions:
        own = fixed[(fixed["condition"] == design.name) & (fixed["language"] == language)]
        if design.pairs_of:
            made[design.name] = made[design.pairs_of]
        elif len(own):
            made[design.name] = _fixed(own, words, pictures, rng)
        else:
            made[design.name] = _condition(design, words, pictures, rng, per_class)
    all_words = [design.all_words for design in conditions]
    word = [
        np.full_like(made[d.name][0], -1) if every else made[d.name][0]
        for d, every in zip(conditions, all_words, strict=True)
    ]
    lengths = [len(part) for part in word]
    return Trials(
        word_ids=words.ids,
        option_ids=pictures.ids,
        concept_of=words.concept_of() | pictures.concept_of(),
        conditions=tuple(design.name for design in conditions),
        condition=np.repeat(np.arange(len(conditions), dtype=np.int16), lengths),
        word=np.concatenate(word),
        options=np.concatenate([made[d.name][1] for d in conditions]),
        target_position=np.concatenate([made[d.name][2] for d in conditions]).astype(np.int16),
        familiar=frozenset([*words.classes("familiar"), *pictures.classes("familiar")]),
    )


def _condition(
    design: PairCondition,
    words: _Items,
    pictures: _Items,
    rng: np.random.Generator,
    per_class: int,
) -> tuple[Ints, Ints, Ints]:
    """Return word (n,), options (n, 2) and target position (n,) of one condition."""
    shown = set(pictures.concepts)
    classes = [name for name in words.classes(design.word) if name in shown]
    others = pictures.classes(design.distractor)
    needed = 1 + (design.word == design.distractor) + design.mismatched
    if not classes or len(others) < needed or (design.mismatched and len(classes) < 2):
        raise ToolkitError(
            f"Condition {design.name!r} cannot be made: the test split has {len(classes)} "
            f"{design.word} classes with words and pictures and {len(others)} {design.distractor} "
            "picture classes.",
            allowed="at least one class to say and another one to show beside it",
        )
    classes = [classes[i] for i in rng.permutation(len(classes))]
    others = [others[i] for i in rng.permutation(len(others))]
    word, target, distractor_class, position = [], [], [], []
    for index, name in enumerate(classes):
        shows = classes[(index + 1) % len(classes)] if design.mismatched else name
        candidates, extras_from = _candidates(others, {name, shows}, index, per_class)
        turns = (extras_from + np.arange(per_class)) % len(candidates)
        codes = np.array([pictures.concepts.index(one) for one in candidates], dtype=np.int32)
        distractor_class.append(codes[rng.permutation(turns)])
        word.append(_spread_by_group(words, words.of_class(name), per_class, rng))
        of_target = pictures.of_class(shows)
        target.append(of_target[balanced_cycles(per_class, len(of_target), rng)])
        position.append(balanced_places(per_class, 2, rng))
    targets = np.concatenate(target)
    distractors = _same_style(pictures, targets, np.concatenate(distractor_class), rng)
    places = np.concatenate(position)
    order = rng.permutation(len(targets))
    options = np.stack([targets, distractors], axis=1)[order]
    on_the_right = places[order] == 1
    options[on_the_right] = options[on_the_right][:, ::-1]
    return np.concatenate(word)[order], options, places[order].astype(np.int32)


def _fixed(
    trials: pd.DataFrame, words: _Items, pictures: _Items, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Word (n,), options (n, 2) and target position (n,) of trials that the set has fixed."""
    word_at, picture_at = (
        {name: place for place, name in enumerate(items.ids)} for items in (words, pictures)
    )
    word = np.array([word_at[name] for name in trials["word_id"]], dtype=np.int32)
    options = np.array(
        [[picture_at[name] for name in trials[part]] for part in ("target_id", "distractor_id")],
        dtype=np.int32,
    ).T.copy()
    places = balanced_places(len(trials), 2, rng)
    options[places == 1] = options[places == 1][:, ::-1]
    return word, options, places.astype(np.int32)


def _candidates(
    others: list[str], excluded: set[str], index: int, per_class: int
) -> tuple[list[str], int]:
    """Distractor classes of a word class, and where the extras of an uneven division start.

    Consecutive word classes continue where the one before stopped, so that the extras add up
    evenly over the condition.
    """
    barred = [place for place, name in enumerate(others) if name in excluded]
    if not barred:
        return others, index * per_class
    start = barred[0] + 1
    turned = others[start:] + others[:start]
    return [name for name in turned if name not in excluded], 0


def _spread_by_group(items: _Items, members: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Choose n members, every group (voice) equally often and evenly within each group."""
    groups = items.group[members]
    present = np.unique(groups)
    turn = balanced_cycles(n, len(present), rng)
    chosen = np.empty(n, dtype=np.int32)
    for number, group in enumerate(present):
        here = np.flatnonzero(turn == number)
        own = members[groups == group]
        chosen[here] = own[balanced_cycles(len(here), len(own), rng)]
    return chosen


def _same_style(
    pictures: _Items, targets: Ints, distractor_class: Ints, rng: np.random.Generator
) -> Ints:
    """Choose a distractor picture per trial: of the given class, in the target's style if any."""
    styles = pictures.group[targets]
    chosen = np.empty(len(targets), dtype=np.int32)
    for code in np.unique(distractor_class):
        of_class = np.flatnonzero(pictures.concept == code)
        for style in np.unique(styles):
            here = np.flatnonzero((distractor_class == code) & (styles == style))
            alike = of_class[pictures.group[of_class] == style]
            pool = alike if len(alike) else of_class
            chosen[here] = pool[balanced_cycles(len(here), len(pool), rng)]
    return chosen
