"""Lists of trials for children, taken from the very trials that models are asked.

A child answers few trials, and none may tell the answer to another. So a list holds few rows of a
paradigm's own list, in which no concept comes back. Lists differ in order and sides as the rows of
a balanced Latin square do (Williams 1949, Australian Journal of Scientific Research A 2): over
children, every trial stands equally often in every place and, for an even number of trials, equally
often right behind every other; its target is equally often left and right.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from paradigms.choices.lessons import WordLearning
from paradigms.choices.paradigm import as_choices
from paradigms.registry import get_paradigm
from stimuli.cells import csv_text
from toolkit.children.columns import LIST_COLUMNS, PARTS, SIDES
from toolkit.errors import ToolkitError, command_line, unknown_name
from toolkit.running.choices import DEFAULT_PER_CLASS, trial_rng

if TYPE_CHECKING:
    from paradigms import BaseParadigm, Paradigm, Trials
    from stimuli import StimulusSet

PRACTICE, TEST = PARTS
TRIALS = 16
"""Test trials of a child, where the set has concepts enough; as in Lewis et al. 2020."""
PRACTICE_TRIALS = 3
"""As in Lewis et al. 2020 (Cognition 198, 104191)."""
PRACTISED = "familiar"
"""Paradigm that makes the trials for practice."""
LONGEST_RUN = 3
"""Targets in a row on one side, or trials of one condition, that lists stay below if they can."""
SHUFFLES = 400
"""Orders that are tried for it."""
AGAIN = {"here": 100.0, "word": 30.0, "other": 10.0}
"""What it costs to take a word in its condition, a word, or what else is shown once more."""


@dataclass(frozen=True)
class Asked:
    """What the user wants of lists."""

    language: str
    """Language of the words."""
    n_test: int | None = None
    """Test trials of a child; None for `TRIALS`, or as many as there are concepts for."""
    n_practice: int = PRACTICE_TRIALS
    """Trials for practice."""
    conditions: tuple[str, ...] = ()
    """Conditions of the test; by default those that tell the result, and the gate's."""
    familiar_twice: bool = False
    """Whether a child may see a familiar concept twice, once named and once beside another."""
    trial_seed: int = 0
    """Seed of the paradigm's own list, as models are asked it."""
    per_class: int = DEFAULT_PER_CLASS
    """Trials per word class and condition in it."""


@dataclass(frozen=True)
class Item:
    """One trial of the paradigm's own list that children are asked."""

    part: str
    """practice or test."""
    paradigm: str
    """Name of the paradigm that made it."""
    paradigm_version: int
    """Its version."""
    condition: str
    """Its condition."""
    trial: int
    """Its number in the paradigm's own list."""
    word_id: str
    """What is said."""
    target_id: str
    """Picture that counts as right."""
    distractor_id: str
    """The other picture."""
    concepts: tuple[str, str, str]
    """What word, target and distractor mean."""

    def on(self, side: str) -> dict[str, str | int]:
        """Columns of `lists.csv` but the list, with the target on a side."""
        shown = (self.target_id, self.distractor_id)
        left, right = shown if side == SIDES[0] else shown[::-1]
        return {
            "part": self.part,
            "paradigm": self.paradigm,
            "paradigm_version": self.paradigm_version,
            "condition": self.condition,
            "trial": self.trial,
            "word_id": self.word_id,
            "word_concept": self.concepts[0],
            "left_id": left,
            "right_id": right,
            "target_id": self.target_id,
            "distractor_id": self.distractor_id,
            "target_side": side,
        }


@dataclass(frozen=True)
class Lists:
    """All lists of an experiment; children are given them in turn."""

    practice: tuple[Item, ...]
    """Trials for practice, the same for all children."""
    blocks: tuple[tuple[Item, ...], ...]
    """Test trials: a child is asked those of one block."""
    lists: tuple[tuple[tuple[Item, str], ...], ...]
    """Of every list, its trials in their order, each with the side of its target."""
    notes: tuple[str, ...] = ()
    """What the user should know."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Every trial that some child is asked."""
        return (*self.practice, *itertools.chain.from_iterable(self.blocks))

    @property
    def n_test(self) -> int:
        """Test trials of a child."""
        return len(self.blocks[0])

    @property
    def stimulus_ids(self) -> tuple[str, ...]:
        """Every word and picture, each once."""
        named = ((one.word_id, one.target_id, one.distractor_id) for one in self.items)
        return tuple(dict.fromkeys(itertools.chain.from_iterable(named)))

    def rows(self) -> list[dict[str, str | int]]:
        """Rows of `lists.csv`."""
        return [
            {"list": number, **item.on(side)}
            for number, one in enumerate(self.lists)
            for item, side in one
        ]

    def csv(self) -> str:
        """Content of `lists.csv`."""
        names = [column.name for column in LIST_COLUMNS]
        return csv_text([names, *([row[name] for name in names] for row in self.rows())])


def make_lists(paradigm: BaseParadigm, stimuli: StimulusSet, asked: Asked) -> Lists:
    """Make lists for children from the trials that a paradigm makes for models.

    Args:
        paradigm: a test with two pictures a trial.
        stimuli: what is said and shown.
        asked: what is wanted of the lists.

    Returns:
        Lists; with n test trials in b blocks there are b times n of them, twice as many if n is
        odd.

    Raises:
        ToolkitError: the options are not two pictures, a condition or language is unknown, or
            there are too few concepts; the message tells the number that works.

    Example:
        >>> from paradigms.registry import get_paradigm
        >>> from stimuli import open_set
        >>> made = make_lists(get_paradigm("me"), open_set("mini"), Asked("en"))
        >>> made.n_test, len(made.practice), len(made.blocks), len(made.lists)
        (6, 3, 2, 12)
        >>> made.notes[0][:37]
        '6 test trials for a child and not 16:'
    """
    test = _of_pictures(paradigm)
    if asked.language not in stimuli.languages:
        raise unknown_name(
            f"language of the stimulus set {stimuli.name!r}",
            asked.language,
            stimuli.languages,
            f"mevgs-toolkit describe {stimuli.name}",
        )
    chosen = _conditions(test, asked.conditions)
    pool = _Pool(stimuli, asked, chosen)
    pool.add(_items(TEST, test, stimuli, asked))
    if asked.n_practice:
        pool.add(_items(PRACTICE, _of_pictures(get_paradigm(PRACTISED)), stimuli, asked))
    n_test, notes = _how_many(pool, test.name)
    rng = _rng(test, stimuli, asked)
    first = pool.draw(n_test, asked.n_practice, rng)
    practice = tuple(one for one in first if one.part == PRACTICE)
    blocks = [tuple(one for one in first if one.part == TEST)]
    while len(blocks) < TRIALS // n_test:
        more = pool.draw(n_test, 0, rng, beside=practice)
        if not more:
            break
        blocks.append(tuple(more))
    ordered = [_ordered(block, chosen, rng) for block in blocks]
    return Lists(
        practice,
        tuple(tuple(item for item, _ in block) for block in ordered),
        tuple(_dealt(practice, ordered)),
        tuple(notes),
    )


def _of_pictures(paradigm: BaseParadigm) -> Paradigm:
    """The paradigm, if children can be shown what it offers."""
    test = as_choices(paradigm)
    if isinstance(test, WordLearning):
        raise ToolkitError(
            f"Paradigm {test.name!r} cannot be put to children: it teaches words in sessions, and "
            "what is exported only asks for them.",
            given=test.name,
            allowed="a paradigm of choices between pictures that teaches nothing, e.g. me",
            next_command="mevgs-toolkit list paradigms",
        )
    if not test.shows_pictures:
        raise ToolkitError(
            f"Paradigm {test.name!r} cannot be put to children: what it offers for a choice are "
            "words of another language, and no pictures that a child could point to.",
            given=test.name,
            allowed="a paradigm of choices between pictures, e.g. familiar or me",
            next_command="mevgs-toolkit list paradigms",
        )
    return test


def _conditions(paradigm: Paradigm, wanted: Sequence[str]) -> tuple[str, ...]:
    known = [one.name for one in paradigm.conditions]
    for name in wanted:
        if name not in known:
            raise unknown_name(
                f"condition of {paradigm.name!r}",
                name,
                known,
                f"mevgs-toolkit describe {paradigm.name}",
            )
    gate = [paradigm.gate[0]] if paradigm.gate else []
    headline = [one.name for one in paradigm.conditions if one.headline]
    return tuple(dict.fromkeys(wanted or [*headline, *gate]))


def _items(part: str, paradigm: Paradigm, stimuli: StimulusSet, asked: Asked) -> Iterator[Item]:
    """The trials that models are asked, for part of which two pictures or one word are missing."""
    trials = paradigm.trials(
        stimuli,
        asked.language,
        trial_rng(paradigm, stimuli, asked.language, asked.trial_seed),
        per_class=asked.per_class,
        languages=[asked.language],
    )
    wanted = _conditions(paradigm, asked.conditions if part == TEST else ())
    for row in range(len(trials)):
        condition = trials.conditions[trials.condition[row]]
        if condition in wanted:
            yield _item(part, paradigm, condition, trials, row)


def _item(part: str, paradigm: Paradigm, condition: str, trials: Trials, row: int) -> Item:
    options = [trials.option_ids[place] for place in trials.options[row] if place >= 0]
    if trials.word[row] < 0 or len(options) != len(SIDES):
        raise ToolkitError(
            f"Condition {condition!r} of {paradigm.name!r} cannot be put to children: "
            + (
                "it averages over all words, and a child hears one."
                if trials.word[row] < 0
                else f"it offers {len(options)} pictures, and what is exported shows two."
            ),
            given=condition,
            allowed="conditions in which one word is said and two pictures are shown",
            next_command=f"mevgs-toolkit describe {paradigm.name}",
        )
    target = options.pop(int(trials.target_position[row]))
    word = trials.word_ids[trials.word[row]]
    meant = (trials.concept_of[word], trials.concept_of[target], trials.concept_of[options[0]])
    return Item(
        part, paradigm.name, paradigm.version, condition, row, word, target, options[0], meant
    )


def _rng(paradigm: Paradigm, stimuli: StimulusSet, asked: Asked) -> np.random.Generator:
    """Equal facts, equal lists; another stream than that of the paradigm's own list."""
    return trial_rng(paradigm, stimuli, f"{asked.language}/children", asked.trial_seed)


class _Pool:
    """Trials to choose from, so that a child meets each concept once and words come in turn."""

    def __init__(self, stimuli: StimulusSet, asked: Asked, conditions: Sequence[str]) -> None:
        self.set_name = stimuli.name
        self.familiar = set(stimuli.table["concept"][stimuli.table["status"] == "familiar"])
        self.asked = asked
        self.conditions = conditions
        # Trials that say and show the same things differ in recordings and drawings only.
        self.alike: dict[tuple[str, str, tuple[str, str, str]], list[Item]] = defaultdict(list)
        self.used: Counter[tuple[str, ...]] = Counter()

    def add(self, items: Iterable[Item]) -> None:
        for one in items:
            self.alike[one.part, one.condition, one.concepts].append(one)

    def concepts(self) -> set[str]:
        return {name for _, _, meant in self.alike for name in meant}

    def draw(
        self,
        n_test: int,
        n_practice: int,
        rng: np.random.Generator,
        beside: Sequence[Item] = (),
    ) -> list[Item]:
        """Trials of one child, the least used first; none if there are too few concepts.

        Args:
            n_test: test trials, equally many of every condition.
            n_practice: trials for practice.
            rng: decides between trials that were used equally often.
            beside: trials that the child is asked as well.
        """
        kinds = [kind for kind, items in self.alike.items() if items]
        each = n_test // len(self.conditions)
        wanted = {(TEST, name): each for name in self.conditions}
        chosen = self._solve(kinds, wanted, n_practice, beside, rng)
        drawn = []
        for part, condition, meant in (kinds[place] for place in chosen):
            items = self.alike[part, condition, meant]
            drawn.append(items.pop(int(rng.integers(len(items)))))
            if part == TEST:
                self.used.update(self._counted(condition, meant))
        return drawn

    @staticmethod
    def _counted(condition: str, meant: tuple[str, str, str]) -> list[tuple[str, ...]]:
        word, target, distractor = meant
        return [("word", word), ("here", word, condition), ("other", distractor)] + [
            ("other", target)
        ] * (target != word)

    def _solve(
        self,
        kinds: Sequence[tuple[str, str, tuple[str, str, str]]],
        wanted: Mapping[tuple[str, str], int],
        n_practice: int,
        beside: Sequence[Item],
        rng: np.random.Generator,
    ) -> list[int]:
        """Places of the kinds to take: the cheapest choice that keeps to all rules, if any does."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        cost = rng.random(len(kinds))
        rules: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, (part, condition, meant) in enumerate(kinds):
            for one in self._counted(condition, meant):
                cost[place] += AGAIN[one[0]] * self.used[one]
            rules[("part", part, condition if part == TEST else "")].append(place)
            for role in self._roles(meant):
                rules[role].append(place)
        taken = {role for one in beside for role in self._roles(one.concepts)}
        needed: dict[tuple[str, ...], int] = {("part", *part): n for part, n in wanted.items()}
        needed["part", PRACTICE, ""] = n_practice
        if any(n and not rules[rule] for rule, n in needed.items()):
            return []
        names = list(rules)
        least = [needed.get(name, 0) for name in names]
        most = [needed.get(name, int(name not in taken)) for name in names]
        columns = np.concatenate([rules[name] for name in names])
        starts = np.cumsum([0, *(len(rules[name]) for name in names)])
        matrix = csr_array((np.ones(len(columns)), columns, starts), shape=(len(names), len(kinds)))
        found = milp(
            cost,
            integrality=np.ones(len(kinds), dtype=int),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, least, most),
            options={"mip_rel_gap": 0},
        )
        return [] if found.x is None else np.flatnonzero(found.x > 0.5).tolist()

    def _roles(self, meant: tuple[str, str, str]) -> set[tuple[str, ...]]:
        """What a child may meet once: a concept or, if told so, a familiar one named or shown."""
        word, target, distractor = meant
        if not self.asked.familiar_twice:
            return {("concept", name) for name in meant}
        roles: set[tuple[str, ...]] = {("named" if word in self.familiar else "concept", word)}
        for name in {target, distractor} - {word}:
            roles.add(("beside" if name in self.familiar else "concept", name))
        return roles


def _how_many(pool: _Pool, paradigm: str) -> tuple[int, list[str]]:
    """How many test trials a child is asked, and what must be said of it."""
    asked, each = pool.asked, len(pool.conditions)
    wanted = TRIALS - TRIALS % each if asked.n_test is None else asked.n_test
    if wanted < 1 or wanted % each:
        below = wanted - wanted % each
        raise ToolkitError(
            f"{wanted} test trials cannot be shared out equally among {each} conditions.",
            given=f"{wanted} trials; {', '.join(pool.conditions)}",
            allowed=" or ".join(str(n) for n in (below, below + each) if n > 0),
        )
    most = _most(pool, wanted)
    if most == wanted:
        return wanted, []
    told = (
        f"a child meets each concept once{', familiar ones twice' * asked.familiar_twice}, and for "
        f"these and {asked.n_practice} trials for practice the set {pool.set_name!r} has "
        f"{len(pool.concepts())} concepts, {len(pool.concepts() & pool.familiar)} of them familiar"
    )
    command = ["mevgs-toolkit", "export-experiment", paradigm]
    twice = replace(asked, familiar_twice=True)
    more = 0
    if not asked.familiar_twice:
        pool.asked = twice
        more = _most(pool, wanted)
        pool.asked = asked
    offered = f"{more} with --familiar-twice: each then is named once and shown beside once"
    if most and asked.n_test is None:
        note = f"{most} test trials for a child and not {wanted}: {told}."
        return most, [note + f" There would be {offered}." * (more > most)]
    works = [f"{most} test trials"] * (most > 0) + [offered] * (more > most)
    command += ["--trials", str(most or more)] + ["--familiar-twice"] * (not most and more > 0)
    raise ToolkitError(
        f"There are too few concepts for {wanted} test trials: {told}.",
        given=f"{wanted} test trials of {', '.join(pool.conditions)}",
        allowed="; ".join(works) or "a set with more concepts, or fewer trials for practice",
        next_command=command_line(command) if works else "mevgs-toolkit list stimuli",
    )


def _most(pool: _Pool, wanted: int) -> int:
    """The most test trials that there are concepts for, at most those wanted."""
    each = len(pool.conditions)
    bound = min(wanted, len(pool.concepts()) // each * each)
    kinds = list(pool.alike)
    for n in range(bound, 0, -each):
        shares = {(TEST, name): n // each for name in pool.conditions}
        rng = np.random.default_rng(0)
        if pool._solve(kinds, shares, pool.asked.n_practice, (), rng):
            return n
    return 0


def _ordered(
    block: Sequence[Item], conditions: Sequence[str], rng: np.random.Generator
) -> list[tuple[Item, int]]:
    """Trials with the side of their target in the first list, in an order without long runs.

    Sides are balanced within conditions; an odd one out goes to the other side in the next.
    """
    by_condition = sorted(rng.permutation(len(block)).tolist(), key=lambda i: block[i].condition)
    side = dict(zip(by_condition, itertools.cycle((0, 1))))
    told = np.array([[side[i], conditions.index(block[i].condition)] for i in range(len(block))])
    square = williams_square(len(block))
    best, fewest = np.arange(len(block)), len(block) + 1
    for _ in range(SHUFFLES):
        order = rng.permutation(len(block))
        longest = max(_longest_run(told[order[square], what]) for what in range(told.shape[1]))
        if longest < fewest:
            best, fewest = order, longest
        if fewest <= LONGEST_RUN - 1:
            break
    return [(block[i], side[i]) for i in best.tolist()]


def _longest_run(table: np.ndarray[tuple[int, ...], np.dtype[np.int_]]) -> int:
    """The most equal values in a row in any row of a table."""
    longest = run = np.ones(len(table), dtype=int)
    for one, before in itertools.pairwise(range(table.shape[1] - 1, -1, -1)):
        run = np.where(table[:, one] == table[:, before], run + 1, 1)
        longest = np.maximum(longest, run)
    return int(longest.max())


def williams_square(n: int) -> np.ndarray[tuple[int, int], np.dtype[np.int_]]:
    """A balanced Latin square: orders of n things, row by row.

    Over all rows every thing stands equally often in every place, and equally often right behind
    every other thing. For an odd n this takes two squares, the second one read backwards.

    Returns:
        (n, n) numbers below n; (2n, n) for an odd n.

    Source:
        Williams 1949, Australian Journal of Scientific Research A 2, 149-168.

    Example:
        >>> williams_square(4).tolist()
        [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]
    """
    steps = np.array([(place + 1) // 2 * (1 if place % 2 else -1) for place in range(n)])
    square = (steps[None, :] + np.arange(n)[:, None]) % n
    return np.concatenate([square, square[:, ::-1]]) if n % 2 else square


def _dealt(
    practice: Sequence[Item], blocks: Sequence[Sequence[tuple[Item, int]]]
) -> Iterator[tuple[tuple[Item, str], ...]]:
    """Lists in the order in which children are given them: blocks in turn, then the next order."""
    square = williams_square(len(blocks[0]))
    for turn, order in enumerate(square):
        for block in blocks:
            shown = [(item, SIDES[(place + turn) % 2]) for place, item in enumerate(practice)]
            shown += [(block[i][0], SIDES[(block[i][1] + turn) % 2]) for i in order]
            yield tuple(shown)


COVERAGE = (
    "part", "condition", "trial", "word_concept", "target_id", "distractor_id",
    "n_children", "n_target_left", "n_target_right", "mean_place",
)  # fmt: skip
"""Columns of `coverage.csv`; the place of a trial within its part is counted from 1."""


def coverage(made: Lists, n_children: int) -> list[dict[str, str | int | float]]:
    """How often each trial is met when children are given the lists in turn.

    Args:
        made: the lists.
        n_children: how many children there are.

    Returns:
        One row per trial, columns as in `COVERAGE`.

    Example:
        >>> from paradigms.registry import get_paradigm
        >>> from stimuli import open_set
        >>> made = make_lists(get_paradigm("me"), open_set("mini"), Asked("en"))
        >>> rows = [row for row in coverage(made, 24) if row["part"] == "test"]
        >>> {(row["n_children"], row["n_target_left"]) for row in rows}
        {(12, 6)}
    """
    places: dict[Item, list[int]] = defaultdict(list)
    sides: Counter[tuple[Item, str]] = Counter()
    for child in range(n_children):
        for place, (item, side) in enumerate(made.lists[child % len(made.lists)]):
            before = len(made.practice) if item.part == TEST else 0
            places[item].append(place - before + 1)
            sides[item, side] += 1
    return [
        {
            "part": item.part,
            "condition": item.condition,
            "trial": item.trial,
            "word_concept": item.concepts[0],
            "target_id": item.target_id,
            "distractor_id": item.distractor_id,
            "n_children": len(places[item]),
            "n_target_left": sides[item, SIDES[0]],
            "n_target_right": sides[item, SIDES[1]],
            "mean_place": round(float(np.mean(places[item])), 2) if places[item] else "",
        }
        for item in made.items
    ]
