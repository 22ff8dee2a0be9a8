"""Reads a model formula in lme4 notation: its parts, and what a paradigm may declare."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimuli.errors import ToolkitError, nearest_name

RANDOM_TERM = re.compile(r"\(\s*([^()|]+?)\s*\|(\|?)\s*([^()|]+?)\s*\)")
NAME = re.compile(r"[A-Za-z_.][A-Za-z0-9_.]*")
OFFSET = re.compile(r"\boffset\(\s*([A-Za-z_.][A-Za-z0-9_.]*)\s*\)")
CROSSED = ("seed", "word_concept", "target_concept", "distractor_concept")
"""Factors that trials of choices can vary over, at random."""
MAP_FACTORS = ("test_language", "word_concept", "target_id", "seed")
"""Factors that maps can vary over, at random."""
LEVEL = "level"
"""Level of a graded factor: the one fixed effect of a paradigm of choices."""
RESOURCE = "resource"
"""Group of a language, ``high`` or ``low``: the one fixed effect of a paradigm of maps."""


@dataclass(frozen=True)
class RandomTerm:
    """``(terms | group)``."""

    terms: str
    """What varies, e.g. ``1 + bilingual``."""
    group: str
    """Grouping factor, e.g. ``word_concept`` or ``seed:word_concept``."""

    def __str__(self) -> str:
        """In lme4 notation."""
        return f"({self.terms} | {self.group})"


@dataclass(frozen=True)
class Formula:
    """A formula taken apart.

    Example:
        >>> f = parse("correct ~ bilingual * test_language + (1 | seed) + (1 + bilingual | word)")
        >>> f.response, f.fixed, [str(term) for term in f.random]
        ('correct', 'bilingual * test_language', ['(1 | seed)', '(1 + bilingual | word)'])
        >>> sorted(f.variables)
        ['bilingual', 'correct', 'seed', 'test_language', 'word']
        >>> str(f.without("word"))
        'correct ~ bilingual * test_language + (1 | seed)'
    """

    response: str
    """Left side."""
    fixed: str
    """Fixed part of the right side, ``1`` if empty."""
    random: tuple[RandomTerm, ...]
    """Random terms, in the order written."""

    def __str__(self) -> str:
        """In lme4 notation."""
        return f"{self.response} ~ " + " + ".join([self.fixed, *map(str, self.random)])

    @property
    def predictors(self) -> frozenset[str]:
        """Names on the right side."""
        text = " ".join([self.fixed, *(f"{t.terms} {t.group}" for t in self.random)])
        return frozenset(NAME.findall(OFFSET.sub(r"\1", text)))

    @property
    def variables(self) -> frozenset[str]:
        """All names of columns the formula reads."""
        left = NAME.findall(self.response.removeprefix("cbind"))
        return self.predictors | frozenset(left)

    @property
    def counts(self) -> tuple[str, str] | None:
        """Columns of successes and failures in ``cbind(successes, failures)``; else None."""
        match = re.fullmatch(r"cbind\(\s*(\S+?)\s*,\s*(\S+?)\s*\)", self.response)
        return (match[1], match[2]) if match else None

    def with_random(self, random: tuple[RandomTerm, ...]) -> Formula:
        """The same with other random terms."""
        return Formula(self.response, self.fixed, random)

    def without(self, group: str) -> Formula:
        """The same without the random terms of a grouping factor."""
        return self.with_random(tuple(t for t in self.random if t.group != group))

    @property
    def at_one_level(self) -> Formula:
        """The same for one level of a graded factor: intercepts alone."""
        random = tuple(RandomTerm("1", term.group) for term in self.random)
        return Formula(self.response, "1", random) if self.fixed == LEVEL else self

    def with_fixed(self, fixed: str) -> Formula:
        """The same with another fixed part."""
        return Formula(self.response, fixed, self.random)


def parse(text: str) -> Formula:
    """Take a formula apart.

    Args:
        text: lme4 notation, e.g. ``correct ~ 1 + (1 | seed)``.

    Raises:
        ToolkitError: if there is no ``~``, nothing on its left, brackets are left over, or a
            double bar is used, which the engine does not know.
    """
    if not isinstance(text, str):
        raise _unreadable(repr(text), "it is no text")
    left, tilde, right = text.partition("~")
    if not tilde or not left.strip():
        raise _unreadable(text, "it needs a response, a tilde and predictors")
    terms = []
    for match in RANDOM_TERM.finditer(right):
        if match[2]:
            raise _unreadable(text, "uncorrelated slopes (x || g) are not supported")
        terms.append(RandomTerm(" ".join(match[1].split()), match[3].replace(" ", "")))
    fixed = RANDOM_TERM.sub(" ", right)
    if "|" in fixed:
        raise _unreadable(text, "a random term must stand in brackets: (1 | seed)")
    parts = [part.strip() for part in re.split(r"\+", fixed)]
    fixed = " + ".join(" ".join(part.split()) for part in parts if part) or "1"
    return Formula(left.strip(), fixed, tuple(terms))


def without_offset(fixed: str) -> str:
    """The fixed part without known offsets, ``1`` if nothing else is left.

    Example:
        >>> without_offset("1 + offset(chance)"), without_offset("bilingual")
        ('1', 'bilingual')
    """
    terms = (part.strip() for part in fixed.split("+"))
    return " + ".join(term for term in terms if term and not OFFSET.fullmatch(term)) or "1"


def offsets(fixed: str) -> list[str]:
    """Columns that the fixed part adds as they are.

    Example:
        >>> offsets("bilingual + offset(chance)")
        ['chance']
    """
    return OFFSET.findall(fixed)


def check_declared(text: str, who: str, *, graded: bool = False) -> Formula:
    """The formula of a paradigm of choices, if it can be fitted exactly as it is declared.

    Its model is fitted per population, language and condition, where nothing is left that a fixed
    effect could stand for: the answer is the intercept, held against chance. Where the paradigm
    declares graded factors (`paradigms.Graded`), the formula is that of their linear contrasts:
    one model per population, language and factor, in which ``level`` is the factor's level; what
    is held against chance is the same without it.

    Args:
        text: what the paradigm declares.
        who: name of the paradigm, for the message.
        graded: whether it has graded factors.

    Raises:
        ToolkitError: if the response is not ``correct``, there is another fixed effect than
            ``level`` of a graded factor, which must be there, or a random term is no intercept, or
            slope of ``level``, over one of `CROSSED`.

    Example:
        >>> str(check_declared("correct ~ 1 + (1 | seed) + (1 | word_concept)", "mine"))
        'correct ~ 1 + (1 | seed) + (1 | word_concept)'
        >>> slope = check_declared("correct ~ level + (level | seed)", "mine", graded=True)
        >>> str(slope), str(slope.at_one_level)
        ('correct ~ level + (1 + level | seed)', 'correct ~ 1 + (1 | seed)')
    """
    example = "correct ~ 1 + (1 | seed) + (1 | word_concept) + (1 | distractor_concept)"
    allowed = f"an intercept and random intercepts over {', '.join(CROSSED)}, e.g. {example}"
    if graded:
        example = "correct ~ level + (1 + level | seed) + (1 + level | word_concept)"
        allowed = (
            f"the fixed effect {LEVEL} of the graded factors, and random intercepts and slopes of "
            f"it over {', '.join(CROSSED)}, e.g. {example}"
        )
    formula = _parsed(text, who, example)

    def refused(why: str) -> ToolkitError:
        return _cannot(text, who, why, allowed)

    if formula.response != "correct":
        raise refused("its response must be 'correct'")
    fixed = _parts(formula.fixed) - {"1"}
    if graded and fixed != {LEVEL}:
        raise refused(f"its fixed effect must be {LEVEL!r}, since it declares graded factors")
    if fixed and not graded:
        raise refused(
            f"{formula.fixed!r} cannot be a fixed effect: one model is fitted per population, "
            "language and condition, and its intercept is held against chance"
        )
    random = _with_slopes(formula.random, LEVEL if graded else "1", refused)
    return Formula("correct", LEVEL if graded else "1", random)


def _with_slopes(
    terms: Sequence[RandomTerm], slope: str, refused: Callable[[str], ToolkitError]
) -> tuple[RandomTerm, ...]:
    """Random terms of choices in one spelling; an error for one that cannot be fitted."""
    groups = [term.group for term in terms]
    found = []
    for term in terms:
        if not _parts(term.terms) <= {"1", slope}:
            raise refused(f"{term} has a slope, which nothing varies for")
        if term.group not in CROSSED:
            hint = _hint(term.group, CROSSED)
            raise refused(f"trials do not vary over {term.group!r}{hint}")
        if groups.count(term.group) > 1:
            raise refused(f"{term} occurs twice")
        both = slope != "1" and slope in _parts(term.terms)
        found.append(RandomTerm(f"1 + {slope}" if both else "1", term.group))
    return tuple(found)


def check_maps(text: str, who: str, measures: Sequence[str]) -> Formula:
    """The formula of a paradigm of maps, if it can be fitted exactly as it is declared.

    Its model is fitted per population and condition, without the reference language. The fixed
    effect of `RESOURCE` is the contrast between the groups of languages; without it, the model is
    about the mean over languages.

    Args:
        text: what the paradigm declares.
        who: name of the paradigm, for the message.
        measures: names of its measures that are compared; one of them is the response.

    Returns:
        The formula with its fixed part and slopes in one spelling.

    Raises:
        ToolkitError: if the response is no measure, there is another fixed effect than `RESOURCE`,
            a random term is no intercept, or slope of `RESOURCE`, over one of `MAP_FACTORS`, or
            languages are compared without being a random sample.

    Example:
        >>> text = "iou ~ resource + (1 | test_language) + (resource | word_concept)"
        >>> str(check_maps(text, "mine", ["iou"]))
        'iou ~ resource + (1 | test_language) + (1 + resource | word_concept)'
    """
    name = measures[0] if measures else "measure"
    example = f"{name} ~ {RESOURCE} + (1 | test_language) + (1 | word_concept) + (1 | target_id)"
    formula = _parsed(text, who, example)

    def refused(why: str) -> ToolkitError:
        allowed = (
            f"a measure, an intercept with or without {RESOURCE}, and random intercepts, or slopes "
            f"of {RESOURCE}, over {', '.join(MAP_FACTORS)}, e.g. {example}"
        )
        return _cannot(text, who, why, allowed)

    if formula.response not in measures:
        raise refused(
            f"its response {formula.response!r} is none of the measures that are compared"
            + _hint(formula.response, measures)
        )
    fixed = _parts(formula.fixed)
    if not fixed <= {"1", RESOURCE}:
        others = " + ".join(sorted(fixed - {"1", RESOURCE}))
        raise refused(
            f"{others!r} cannot be a fixed effect: one model is fitted per population and "
            f"condition, and {RESOURCE} is all that is known of languages"
        )
    groups = [term.group for term in formula.random]
    random = tuple(_map_term(term, groups, RESOURCE in fixed, refused) for term in formula.random)
    if not random:
        raise refused("without a random term, maps of one language or word count as unrelated")
    if RESOURCE in fixed and "test_language" not in groups:
        raise refused(
            f"{RESOURCE} differs between languages, so these are the sample: (1 | test_language) "
            "is missing"
        )
    return Formula(formula.response, RESOURCE if RESOURCE in fixed else "1", random)


def _map_term(
    term: RandomTerm,
    groups: Sequence[str],
    with_resource: bool,
    refused: Callable[[str], ToolkitError],
) -> RandomTerm:
    """A random term of a paradigm of maps in one spelling; an error if it cannot be fitted."""
    terms = _parts(term.terms)
    if not terms <= {"1", RESOURCE}:
        raise refused(f"{term} has a slope that nothing is known of")
    if term.group not in MAP_FACTORS:
        raise refused(f"maps do not vary over {term.group!r}{_hint(term.group, MAP_FACTORS)}")
    if groups.count(term.group) > 1:
        raise refused(f"{term} is not the only term over {term.group}")
    if RESOURCE in terms and not with_resource:
        raise refused(f"{term} has a slope of {RESOURCE}, which is no fixed effect")
    if RESOURCE in terms and term.group == "test_language":
        raise refused(f"{term} has a slope, and a language has but one {RESOURCE}")
    return RandomTerm(f"1 + {RESOURCE}" if RESOURCE in terms else "1", term.group)


def _parsed(text: str, who: str, example: str) -> Formula:
    """The parts of a paradigm's formula; an error that names the paradigm if it has none."""
    try:
        return parse(text)
    except ToolkitError as error:
        what = error.message.replace("The model formula", f"The formula of the paradigm {who!r}")
        raise ToolkitError(
            what, given=error.given, allowed=f"lme4 notation, e.g. {example}"
        ) from error


def _parts(text: str) -> set[str]:
    return {part.strip() for part in text.split("+")}


def _hint(given: str, allowed: Sequence[str]) -> str:
    near = nearest_name(given, allowed)
    return f", did you mean {near}" if near else ""


def _cannot(text: str, who: str, why: str, allowed: str) -> ToolkitError:
    return ToolkitError(
        f"The formula of the paradigm {who!r} cannot be fitted as declared: {why}.",
        given=text,
        allowed=allowed,
    )


def _unreadable(text: str, why: str) -> ToolkitError:
    return ToolkitError(
        f"The model formula cannot be read: {why}.",
        given=text,
        allowed="lme4 notation, e.g. correct ~ bilingual + (1 | seed) + (1 | word_concept)",
    )
