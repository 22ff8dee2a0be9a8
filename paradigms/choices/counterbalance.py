"""Counterbalanced two-picture trials, worked out with arrays so that a million take a second.

Child studies show every item equally often; drawing pairs at random does not. Within a condition:
every word class has the same number of trials; within a word class every distractor class occurs
equally often (to within one, the extras balanced over the word classes), and so does every target
class where the word does not name it; the two are crossed as far as the number of trials goes. The
target stands left and right equally often, voices, clips and target pictures are spread evenly;
distractor pictures share the target's style where the set allows it and are spread evenly within
class and style.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from paradigms.choices.trials import Trials, balanced_cycles, balanced_places
from stimuli.errors import ToolkitError, quoted

if TYPE_CHECKING:
    import pandas as pd

    from paradigms.conditions import PairCondition
    from stimuli import StimulusSet

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

AGAIN, OUT_OF_TURN, ITSELF = 1e3, 1e6, 1e9
"""What it costs to show a pair of classes with the same word again, to leave the turn of
distractors, and to show a class beside itself. A pair costs one for each time it was shown."""
MAKE_CHANGED = "mevgs-toolkit synthesize WORDS --language CODE --out FOLDER --mispronounce"
"""How a set with changed words is made."""


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

    def codes(self, concepts: Iterable[str]) -> Ints:
        return np.array([self.concepts.index(name) for name in concepts], dtype=np.int32)

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
    foreign: Sequence[str] = (),
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
        foreign: languages that the subject is not tested in, for conditions that ask for them.

    Raises:
        ToolkitError: if the set has no test words in the language or too few picture classes, or
            lacks what a condition asks for.
    """
    if per_class < 1:
        raise ToolkitError(f"{per_class} trials per class were asked for.", allowed="1 or more")
    pools = dict.fromkeys([_PLAIN, *map(_pool, conditions)])
    said = {pool: _said(stimuli, language, pool, foreign) for pool in pools}
    words, pictures = said[_PLAIN], _shown(stimuli, "test")
    shown = [pictures]
    if any(design.practice for design in conditions):
        shown.append(_shown(stimuli, "valid"))
    lengths = [len(items.ids) for items in said.values()]
    starts = dict(zip(said, itertools.accumulate([0, *lengths]), strict=False))
    made: dict[str, tuple[Ints, Ints, Ints]] = {}
    fixed = stimuli.fixed_trials
    for design in conditions:
        own = fixed[(fixed["condition"] == design.name) & (fixed["language"] == language)]
        pool, start = said[_pool(design)], starts[_pool(design)]
        if design.variant:
            made[design.name] = _said_again(design, made[design.pairs_of], words, pool, start)
        elif design.pairs_of:
            made[design.name] = made[design.pairs_of]
        elif len(own):
            made[design.name] = _fixed(own, words, pictures, rng)
        else:
            offered = shown[design.practice]
            word, options, places = _condition(design, pool, offered, rng, per_class)
            options = options + len(pictures.ids) * design.practice
            made[design.name] = word + start, options, places
    asked = [
        np.full_like(made[d.name][0], -1) if d.all_words else made[d.name][0] for d in conditions
    ]
    spoken = list(said.values())
    return Trials(
        word_ids=tuple(name for items in spoken for name in items.ids),
        option_ids=tuple(name for items in shown for name in items.ids),
        concept_of={k: v for items in (*spoken, *shown) for k, v in items.concept_of().items()},
        conditions=tuple(design.name for design in conditions),
        condition=np.repeat(np.arange(len(conditions), dtype=np.int16), list(map(len, asked))),
        word=np.concatenate(asked),
        options=np.concatenate([made[d.name][1] for d in conditions]),
        target_position=np.concatenate([made[d.name][2] for d in conditions]).astype(np.int16),
        familiar=frozenset([*words.classes("familiar"), *pictures.classes("familiar")]),
        variant_of={name: pool[0] for pool, items in said.items() for name in items.ids if pool[0]},
        practice=frozenset(design.name for design in conditions if design.practice),
    )


_Pool = tuple[str, bool, bool]
_PLAIN: _Pool = ("", False, False)


def _pool(design: PairCondition) -> _Pool:
    """Which words a condition says: how they are changed, whether for practice, whether foreign."""
    return design.variant, design.practice, design.foreign


def _said(stimuli: StimulusSet, language: str, pool: _Pool, foreign: Sequence[str]) -> _Items:
    """The words of a pool."""
    variant, practice, abroad = pool
    if variant:
        return _Items.of(_changed(stimuli, language, variant), "voice")
    if abroad:
        return _Items.of(_foreign(stimuli, foreign), "voice")
    split = "valid" if practice else "test"
    if practice and split not in set(stimuli.table["split"]):
        raise ToolkitError(
            f"The stimulus set {stimuli.name!r} has no words and pictures to practise with.",
            allowed="words and pictures of the split valid, which no test shows",
            next_command="mevgs-toolkit describe mini",
        )
    words = stimuli.select(kind="word", split=split, language=language)
    if words.empty:
        raise ToolkitError(
            f"The stimulus set {stimuli.name!r} has no {split} words in language {language!r}.",
            allowed=", ".join(stimuli.languages) or "none",
            next_command=f"mevgs-toolkit describe {quoted(stimuli.name)}",
        )
    return _Items.of(words, "voice")


def _shown(stimuli: StimulusSet, split: str) -> _Items:
    """The pictures of a split."""
    return _Items.of(stimuli.select(kind="picture", split=split), "style")


def _foreign(stimuli: StimulusSet, languages: Sequence[str]) -> pd.DataFrame:
    """Test words of languages in which the subject is not tested."""
    words = stimuli.select(kind="word", split="test")
    words = words[words["language"].isin(list(languages))]
    if words.empty:
        raise ToolkitError(
            f"The stimulus set {stimuli.name!r} has no words in a language in which the subject is "
            "not tested.",
            given=f"languages of the set: {', '.join(stimuli.languages)}, all of them tested",
            allowed="fewer test languages (--language), or a set with one language more",
            next_command=f"mevgs-toolkit describe {quoted(stimuli.name)}",
        )
    return words


def _changed(stimuli: StimulusSet, language: str, variant: str) -> pd.DataFrame:
    """Test words that are changed in a way."""
    words = stimuli.select(kind="word", split="test", language=language, variant=None)
    if "variant" not in words:
        raise ToolkitError(
            f"Words that are changed ({variant}) are asked for, and the stimulus set "
            f"{stimuli.name!r} has none: it has no column 'variant'.",
            allowed="a set that says how its words are changed, e.g. mini-mispronounced",
            next_command=MAKE_CHANGED,
        )
    words = words[words["variant"] == variant]
    if words.empty:
        raise ToolkitError(
            f"The stimulus set {stimuli.name!r} has no words in language {language!r} that are "
            "changed as a condition asks for.",
            given=f"words whose variant is {variant!r}",
            next_command=MAKE_CHANGED,
        )
    return words


def _said_again(
    design: PairCondition,
    asked: tuple[Ints, Ints, Ints],
    words: _Items,
    changed: _Items,
    start: int,
) -> tuple[Ints, Ints, Ints]:
    """The trials of a condition with changed words: same word, same voice, same pictures.

    Args:
        design: the condition that says them.
        asked: word (n,), options (n, 2) and target position (n,) of the condition.
        words: words as they are.
        changed: changed words.
        start: index of the first of these among all words of the list.

    Returns:
        The same without the trials of words that are not changed so.
    """
    by_voice: dict[tuple[str, str], list[int]] = {}
    for number, (concept, group) in enumerate(zip(changed.concept, changed.group, strict=True)):
        by_voice.setdefault((changed.concepts[concept], changed.groups[group]), []).append(number)
    again = np.full(len(asked[0]), -1, dtype=np.int32)
    concept, group = words.concept[asked[0]], words.group[asked[0]]
    for code, voice in set(zip(concept.tolist(), group.tolist(), strict=True)):
        if alike := by_voice.get((words.concepts[code], words.groups[voice]), []):
            here = np.flatnonzero((concept == code) & (group == voice))
            again[here] = np.resize(np.array(alike, dtype=np.int32), len(here)) + start
    kept = again >= 0
    if not kept.any():
        raise ToolkitError(
            f"No word of condition {design.pairs_of!r} is changed as condition {design.name!r} "
            "asks for, in a voice that says it as it is as well.",
            given=f"words whose variant is {design.variant!r}, e.g. {changed.ids[0]}",
            next_command=MAKE_CHANGED,
        )
    return again[kept], asked[1][kept], asked[2][kept]


def _condition(
    design: PairCondition,
    words: _Items,
    pictures: _Items,
    rng: np.random.Generator,
    per_class: int,
) -> tuple[Ints, Ints, Ints]:
    """Return word (n,), options (n, 2) and target position (n,) of one condition."""
    shown = design.classes(words.status | pictures.status, words.concepts, pictures.concepts)
    targets, others = (
        {name for classes in shown.values() for name in classes[place]} for place in (0, 1)
    )
    ring = _shuffled(targets.union(shown), rng)
    rings = [name for name in ring if name in targets], _shuffled(others, rng)
    decks = {name: _Deck(pictures.of_class(name), rng) for name in targets}
    seen = np.zeros((len(pictures.concepts), len(pictures.concepts)))
    word, target, distractor_class, position = [], [], [], []
    for index, name in enumerate(name for name in ring if name in shown):
        of_target, of_distractor = (
            pictures.codes(one for one in _turned(side, name, index * per_class) if one in allowed)
            for side, allowed in zip(rings, shown[name], strict=True)
        )
        pairs = _crossed(of_target, of_distractor, per_class, seen, rng)
        turn = rng.permutation(per_class)
        distractor_class.append(pairs[turn, 1])
        word.append(_spread_by_group(words, words.of_class(name), per_class, rng))
        target.append(_dealt(pairs[turn, 0], pictures, decks))
        position.append(balanced_places(per_class, 2, rng))
    chosen = np.concatenate(target)
    distractors = _same_style(pictures, chosen, np.concatenate(distractor_class), rng)
    places = np.concatenate(position)
    order = rng.permutation(len(chosen))
    options = np.stack([chosen, distractors], axis=1)[order]
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


def _shuffled(names: Collection[str], rng: np.random.Generator) -> list[str]:
    listed = sorted(names)
    return [listed[place] for place in rng.permutation(len(listed))]


def _turned(ring: list[str], word: str, start: int) -> list[str]:
    """A ring of classes, begun behind the word's own class or else at a place.

    Extras of an uneven division come from the front. They add up evenly over the condition where
    consecutive words continue where the one before stopped, or each begins behind its own class.
    """
    start = ring.index(word) + 1 if word in ring else start
    start %= len(ring)
    return ring[start:] + ring[:start]


def _crossed(
    targets: Ints, distractors: Ints, n: int, seen: Floats, rng: np.random.Generator
) -> Ints:
    """Pair the target and distractor classes of one word n times.

    Both come equally often to within one, in their order. All their pairs come equally often as far
    as n goes; those left over are matched so that pairs come in that were shown least so far.

    Args:
        targets: (j,) codes of classes.
        distractors: (k,) codes of classes.
        n: number of trials.
        seen: how often each pair of classes was shown with other words; brought up to date.
        rng: decides between pairs that were shown equally often.

    Returns:
        (n, 2) codes of target and distractor class, never the same.
    """
    if len(targets) == 1:
        return np.stack([np.repeat(targets, n), np.resize(distractors, n)], axis=1)
    from scipy.optimize import linear_sum_assignment

    pairs = np.stack(np.meshgrid(targets, distractors, indexing="ij"), axis=-1).reshape(-1, 2)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    whole, rest = divmod(n, len(pairs))
    made = [np.tile(pairs, (whole, 1))]
    own = np.zeros_like(seen)
    for start in range(0, rest, len(targets)):
        rows = targets[: rest - start]
        # One to spare: the last of these is left over unless a class would stand beside itself.
        columns = np.take(distractors, np.arange(start, start + len(rows) + 1), mode="wrap")
        block = np.ix_(rows, columns)
        cost = seen[block] + AGAIN * own[block] + ITSELF * np.equal.outer(rows, columns)
        cost += rng.random(cost.shape) / len(columns)
        cost[:, -1] += OUT_OF_TURN
        matched = np.stack([rows, columns[linear_sum_assignment(cost)[1]]], axis=1)
        own[tuple(matched.T)] += 1
        made.append(matched)
    paired = np.concatenate(made)
    np.add.at(seen, tuple(paired.T), 1)
    return paired


class _Deck:
    """Pictures dealt in freshly shuffled rounds, so that all come equally often to within one."""

    def __init__(self, pictures: Ints, rng: np.random.Generator) -> None:
        self.pictures = pictures
        self.rng = rng
        self.left = pictures[:0]

    def deal(self, n: int) -> Ints:
        size = len(self.pictures)
        rounds = -(-max(0, n - len(self.left)) // size)
        fresh = self.pictures[balanced_cycles(rounds * size, size, self.rng)]
        dealt = np.concatenate([self.left, fresh])
        self.left = dealt[n:]
        return dealt[:n]


def _dealt(classes: Ints, pictures: _Items, decks: Mapping[str, _Deck]) -> Ints:
    """A picture of each of (n,) classes from the deck of that class, (n,)."""
    chosen = np.empty(len(classes), dtype=np.int32)
    for code in np.unique(classes):
        here = np.flatnonzero(classes == code)
        chosen[here] = decks[pictures.concepts[code]].deal(len(here))
    return chosen


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
