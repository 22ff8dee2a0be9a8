"""Consonants by place, voice and manner, and how a word's first one is changed by features.

Place has three values (lips, tongue tip, tongue back or throat), voice two, and manner four (stop,
fricative, nasal, approximant; affricates count apart), as in studies of mispronunciation (White &
Morgan 2008, Journal of Memory and Language 59, 114-132). Sounds of r are left out: what they are
differs between languages.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations

FEATURES = ("place", "voice", "manner")
"""What a consonant is described by."""
VARIANTS = tuple("+".join(own) for n in (1, 2, 3) for own in combinations(FEATURES, n))
"""Every way to change some features, fewest first."""


@dataclass(frozen=True)
class Consonant:
    """A consonant in the notation of espeak-ng."""

    name: str
    """What espeak-ng calls it."""
    place: str
    """``lips``, ``tip`` or ``back``."""
    voice: bool
    """True if it is voiced."""
    manner: str
    """``stop``, ``fricative``, ``nasal``, ``approximant`` or ``affricate``."""
    depth: int
    """Place of articulation counted from the lips, to tell near ones from far ones."""


def _row(manner: str, names: str) -> list[Consonant]:
    """Consonants of one manner, given as name, depth, and ``+`` where voiced."""
    places = ("lips", "lips", "tip", "tip", "tip", "back", "back", "back", "back")
    made = []
    for given in names.split():
        name, depth = given.rstrip("+")[:-1], int(given.rstrip("+")[-1])
        made.append(Consonant(name, places[depth], given.endswith("+"), manner, depth))
    return made


CONSONANTS = {
    one.name: one
    for one in (
        *_row("stop", "p0 b0+ t3 d3+ k6 g6+"),
        *_row("fricative", "f1 v1+ s3 z3+ S4 Z4+ T2 D2+ x6 Q6+ h8 C5"),
        *_row("nasal", "m0+ n3+"),
        *_row("approximant", "w0+ l3+ j5+"),
        *_row("affricate", "tS4 dZ4+ ts3 pF1"),
    )
}
"""All of them, those first that are preferred where several would do."""
_ONSET = re.compile(
    rf"([',%=_!|]*)({'|'.join(sorted(CONSONANTS, key=len, reverse=True))})(?![#^;~])(.+)"
)


def onset(transcription: str) -> tuple[str, str, str] | None:
    """A word's first consonant, with what stands before and behind it.

    Args:
        transcription: in the notation of espeak-ng, see `stimuli.espeak.phonemes`.

    Returns:
        Marks of stress, the consonant, and the rest; None if the word begins with a vowel or with a
        sound that is not among `CONSONANTS`.

    Example:
        >>> onset("kl'0k"), onset("'ElIf@nt")
        (('', 'k', "l'0k"), None)
    """
    found = _ONSET.fullmatch(transcription)
    return (found[1], found[2], found[3]) if found else None


def changed_features(one: str, other: str) -> str:
    """Features in which two consonants differ, joined by ``+``.

    Example:
        >>> changed_features("k", "t"), changed_features("k", "z"), changed_features("k", "k")
        ('place', 'place+voice+manner', '')
    """
    first, second = CONSONANTS[one], CONSONANTS[other]
    return "+".join(name for name in FEATURES if getattr(first, name) != getattr(second, name))


def mispronunciations(
    transcription: str, native: Collection[str] = (), taken: Collection[str] = ()
) -> dict[str, str]:
    """A word with its first consonant changed in every way that there is a consonant for.

    Of several consonants, one that the language has is taken before others, then the nearest in
    place, then the first of `CONSONANTS`.

    Args:
        transcription: the word, in the notation of espeak-ng.
        native: consonants of the language.
        taken: transcriptions of real words that must not come out.

    Returns:
        Transcriptions by what is changed, see `VARIANTS`; some are missing where there is no such
        consonant (a nasal without voice), all where `onset` finds none.

    Example:
        >>> mispronunciations("k'at", native="ptdgszfh")
        {'place': "t'at", 'voice': "g'at", 'manner': "h'at", 'place+voice': "d'at", \
'place+manner': "s'at", 'voice+manner': "Q'at", 'place+voice+manner': "z'at"}
    """
    parts = onset(transcription)
    if parts is None:
        return {}
    before, own, rest = parts
    order = list(CONSONANTS)

    def rank(name: str) -> tuple[bool, int, int]:
        distance = abs(CONSONANTS[name].depth - CONSONANTS[own].depth)
        return name not in native, distance, order.index(name)

    made: dict[str, str] = {}
    for name in sorted(order, key=rank):
        variant, word = changed_features(own, name), f"{before}{name}{rest}"
        if variant and variant not in made and word not in taken:
            made[variant] = word
    return {variant: made[variant] for variant in VARIANTS if variant in made}
