"""What a subject can do, held against what a paradigm needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from paradigms.registry import find_paradigms
from toolkit.errors import ToolkitError, quoted
from toolkit.subjects import contract

if TYPE_CHECKING:
    from toolkit.subjects.population import Population

TOLD = {
    "Subject": "hear words and look at pictures",
    "Learns": "learn from pairs of words and pictures",
    "HearsPrefixes": "hear words as they unfold",
    "ReadsText": "read text",
    "SeesPlaces": "say what is seen at each place of a picture",
}
"""What each protocol of `toolkit.subjects.contract` means, as it stands in an error."""
EXAMPLES = {
    ("Subject",): ("me", "bilingual-en-nl"),
    ("Subject", "Learns"): ("fast-mapping-gradient", "bilingual-en-nl"),
    ("ReadsText", "SeesPlaces"): ("dense-grounding", "multilingual-clip"),
}
"""A paradigm and a population that go together, for everything that built-in paradigms need."""


def require(name: str, subject: Any, needs: Sequence[str]) -> None:
    """Refuse a subject that lacks a capability.

    Args:
        name: what the subject is called.
        subject: the subject, loaded.
        needs: names of protocols in `toolkit.subjects.contract`.

    Raises:
        ToolkitError: naming what it cannot do, the methods it lacks, and what it could be asked.

    Example:
        >>> require("deaf/a", object(), ["Subject"])
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: Subject deaf/a cannot hear words and look at pictures.
          given: object, without embed_words, embed_pictures, similarity
          allowed: a subject with embed_words, embed_pictures, similarity, e.g. bilingual-en-nl
          try: mevgs-toolkit run-paradigm me --subject bilingual-en-nl
    """
    lacking = {protocol: missing for protocol in needs if (missing := _missing(subject, protocol))}
    if not lacking:
        return
    methods = ", ".join(method for missing in lacking.values() for method in missing)
    able = [own for own in EXAMPLES if can(subject, own)]
    asked = [paradigm for paradigm, cls in find_paradigms().items() if can(subject, cls.needs)]
    # What this subject can be asked, or else whom this can be asked of.
    paradigm, other = EXAMPLES.get(able[0] if able else tuple(needs), ("", ""))
    whom = EXAMPLES.get(tuple(needs), ("", ""))[1]
    raise ToolkitError(
        f"Subject {name} cannot {' and cannot '.join(TOLD.get(own, own) for own in lacking)}.",
        given=f"{type(subject).__name__}, without {methods}"
        + (f"; it can be asked {', '.join(asked)}" if asked else ""),
        allowed=f"a subject with {', '.join(m for own in needs for m in _methods(own))}"
        + (f", e.g. {whom}" if whom else ""),
        next_command=f"mevgs-toolkit run-paradigm {quoted(paradigm)} --subject "
        f"{quoted(name if able else other)}"
        if paradigm
        else None,
    )


@contextmanager
def incapable_first(
    populations: Iterable[Population], needs: Sequence[str], dummy: str
) -> Iterator[None]:
    """Where the block refuses what is asked, tell first of a subject that lacks a capability.

    Whoever asks in a wrong language of a subject that could not answer in any must hear the latter.
    Only after a refusal is a subject loaded, the first one of each population.

    Args:
        populations: who is asked.
        needs: names of protocols in `toolkit.subjects.contract`.
        dummy: name of the protocol of dummies that can be asked all the same.

    Raises:
        ToolkitError: see `require`, or else what the block raised.

    Example:
        >>> from toolkit.subjects.population import Population
        >>> deaf = Population("deaf", ("en",), ("a",), "Hears nothing.", lambda p, s: object())
        >>> try:
        ...     with incapable_first([deaf], ["Subject"], "SeesAnswers"):
        ...         raise ToolkitError("There is no such language.")
        ... except ToolkitError as error:
        ...     error.message
        'Subject deaf/a cannot hear words and look at pictures.'
    """
    try:
        yield
    except ToolkitError:
        for population in populations:
            seed = population.seeds[0]
            for subject in _loaded(population, seed):
                if not can(subject, [dummy]):
                    require(f"{population.name}/{seed}", subject, needs)
        raise


def _loaded(population: Population, seed: str) -> list[object]:
    """A subject; none if it cannot be loaded: nothing is known of it then, whatever the reason."""
    try:
        return [population.load(seed)]
    except Exception:
        return []


def can(subject: Any, needs: Sequence[str]) -> bool:
    """Whether a subject, or the class of one, has all capabilities.

    Args:
        subject: a subject or its class.
        needs: names of protocols in `toolkit.subjects.contract`.

    Example:
        >>> can(object, ["ReadsText"])
        False
    """
    return not any(_missing(subject, protocol) for protocol in needs)


def _methods(protocol: str) -> list[str]:
    """Methods that a protocol asks for."""
    own = vars(getattr(contract, protocol))
    return [name for name, value in own.items() if callable(value) and not name.startswith("_")]


def _missing(subject: Any, protocol: str) -> list[str]:
    return [name for name in _methods(protocol) if not callable(getattr(subject, name, None))]
