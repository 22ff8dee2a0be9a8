"""What is to be trained: conditions, which become populations, and seeds, which become subjects."""

from __future__ import annotations

import hashlib
import itertools
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stimuli.limits import SEEDS, refuse_more
from toolkit.errors import ToolkitError, unknown_name
from toolkit.training.draws import Draws
from toolkit.training.recipe import Recipe

_PREFIXES = ("untrained", "monolingual", "bilingual", "trilingual")


@dataclass(frozen=True)
class Condition:
    """A population to be trained: its subjects differ in their seeds, and draws of words, alone."""

    name: str
    """Name of the population."""
    languages: tuple[str, ...]
    """ISO codes of the languages it hears, sorted; none for untrained networks."""
    recipe: Recipe
    """How it is trained."""
    draws: Draws | None = None
    """How the familiar concepts of its subjects are drawn; None: all learn those of the set."""

    @classmethod
    def of(
        cls,
        languages: Sequence[str],
        recipe: Recipe,
        suffix: str = "",
        draws: Draws | None = None,
    ) -> Condition:
        """The condition of some languages, named after them.

        Args:
            languages: ISO codes, each once; none makes no update.
            recipe: how it is trained.
            suffix: what tells it from others of the same languages.
            draws: how familiar concepts are drawn.

        Raises:
            ToolkitError: a language named twice.

        Example:
            >>> Condition.of(["nl", "en"], Recipe()).name
            'bilingual-en-nl'
            >>> Condition.of(["en"], Recipe(), draws=Draws(20)).name
            'monolingual-en-draws'
        """
        codes = tuple(sorted(languages))
        if len(set(codes)) < len(codes):
            raise ToolkitError("A language is named twice.", given=", ".join(languages))
        if not codes:
            recipe = replace(recipe, n_updates=0, epochs=0, equal_updates=False)
        prefix = _PREFIXES[len(codes)] if len(codes) < len(_PREFIXES) else "multilingual"
        name = "-".join([prefix, *codes, *(["draws"] if draws else [])])
        return cls(name + suffix, codes, recipe, draws)

    def subjects(self, seeds: Sequence[str]) -> list[str]:
        """Names of its subjects: the seeds; with draws, every seed of every draw.

        Args:
            seeds: names of the seeds.

        Example:
            >>> Condition.of(["en"], Recipe(), draws=Draws(2)).subjects("ab")
            ['01a', '01b', '02a', '02b']
        """
        draws = self.draws.names if self.draws else [""]
        return [f"{draw}{seed}" for draw in draws for seed in seeds]

    @property
    def learns(self) -> bool:
        """Whether any update is made.

        Example:
            >>> Condition.of(["nl"], Recipe()).learns, Condition.of([], Recipe()).learns
            (True, False)
        """
        return bool(self.languages and (self.recipe.n_updates or self.recipe.epochs))


@dataclass(frozen=True)
class Cell:
    """One subject to be trained."""

    condition: Condition
    """Its population."""
    seed: str
    """Name of its seed, behind that of its draw where there are draws."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return f"{self.condition.name}/{self.seed}"

    @property
    def number(self) -> int:
        """What the random generators start from: another one for every population and seed.

        Example:
            >>> one, other = (Cell(Condition.of([], Recipe()), seed) for seed in "ab")
            >>> one.number == other.number
            False
        """
        digest = hashlib.sha256(self.name.encode()).digest()
        return int.from_bytes(digest[:4], "little")


def known_populations(languages: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The populations that can be named for a stimulus set, with the languages of each.

    Args:
        languages: ISO codes of the languages spoken in the set.

    Example:
        >>> list(known_populations(["en", "nl"]))
        ['monolingual-en', 'monolingual-nl', 'bilingual-en-nl', 'untrained']
    """
    codes = sorted(languages)
    sets = [*((code,) for code in codes), *itertools.combinations(codes, 2), ()]
    return {Condition.of(some, Recipe()).name: tuple(some) for some in sets}


def languages_of(names: Sequence[str], languages: Sequence[str]) -> list[tuple[str, ...]]:
    """Language sets of populations that were named.

    Args:
        names: see `known_populations`; `all` stands for every one.
        languages: ISO codes of the languages spoken in the set.

    Raises:
        ToolkitError: a name that is not known.
    """
    known = known_populations(languages)
    for name in names:
        if name not in (*known, "all"):
            raise unknown_name("population", name, [*known, "all"])
    return [known[name] for name in known if name in names or "all" in names]


def seed_names(n_seeds: int) -> list[str]:
    """Names of seeds: a to z, then aa, ab and so on.

    Args:
        n_seeds: how many.

    Example:
        >>> seed_names(28)[-3:]
        ['z', 'aa', 'ab']
    """
    return list(itertools.islice(_letters(), n_seeds))


def seeds_of(given: str | int | Sequence[str]) -> list[str]:
    """Seeds as users name them.

    Args:
        given: their number, one letter for each (`"abc"`), or their names.

    Raises:
        ToolkitError: there is none, there are too many, or one is no name of a seed.

    Example:
        >>> seeds_of("ac"), seeds_of(3), seeds_of("3"), seeds_of(["b", "aa"])
        (['a', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c'], ['b', 'aa'])
    """
    if isinstance(given, str) and given.isdecimal():
        given = int(given[:20])  # more digits are too many, whatever follows
    refuse_more("seeds of a population", given if isinstance(given, int) else len(given), SEEDS)
    names = seed_names(max(0, given)) if isinstance(given, int) else list(given)
    wrong = [name for name in names if not (isinstance(name, str) and _is_seed(name))]
    if wrong or not names:
        raise ToolkitError(
            f"There is no seed {wrong[0]!r}." if wrong else "There must be at least one seed.",
            given=str(given),
            allowed="their number, or one small letter for each: 5 and abcde are the same",
        )
    return sorted(dict.fromkeys(names), key=lambda name: (len(name), name))


def _is_seed(name: str) -> bool:
    return name.isascii() and name.isalpha() and name.islower()


def _letters() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "".join(letters)
