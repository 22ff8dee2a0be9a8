"""Two names are never one file, whatever the file system makes of capitals and accents."""

from __future__ import annotations

import itertools
import random
import shutil
import string
import unicodedata
from collections.abc import Callable, Iterable

import pytest

from stimuli import espeak
from stimuli.names import file_name, is_reserved
from stimuli.speech import VOICES, Utterance, Word

ALIKE: list[tuple[str, ...]] = [
    ("ice cream", "ice-cream", "ice_cream", "ice  cream", "ice–cream", "ice.cream", "icecream"),
    ("A B", "A/B", "A\\B", "A:B", "A-B", "a b", "a-b", "a\nb", "a\tb", "a\0b"),
    ("kitab", "किताब", "कताब", "किताबि", "कुताब"),
    ("🐱", "🐶", "🐱\ufe0f", "👩‍🚀", "👩🚀", "", " ", "-", "--", "_", "?", "."),
    ("café", "cafe\u0301", "cafe", "CAFÉ", "Café", "caf"),
    ("straße", "strasse", "STRASSE", "straẞe"),
    ("i", "I", "ı", "İ", "i\u0307"),
    ("σ", "ς", "Σ", "s", "ſ", "S"),
    ("k", "K", "\u212a", "å", "Å", "\u212b", "ﬁ", "fi", "²", "2"),
    ("con", "CON", "Con", "con.", "con ", "con.txt", "com1", "COM1", "com¹", "nul", "NUL", "prn"),
    ("dog", "dog.", "dog ", " dog", "dog..", ".dog", "-dog", "dog-", "dog.opus", "../dog", "dog/"),
    ("x" * 64, "x" * 65, "x" * 300, "x" * 301, "ж" * 300, "ж" * 301, "X" * 64),
    ("\ud800", "\ud801", "\udce4", "\ufffd", "\ufeff", "\u200b", "\u200d", "\u3164", "\u1160"),
    ("ice-cream-e971c330aab8", "name-8a8de823d5ed", "ice cream", "?", "0123456789ab"),
]
"""Names of other things that some rule takes for the same."""
SAME: dict[str, Callable[[str], str]] = {
    "to the byte": str,
    "in small letters": str.lower,
    "in capitals": str.upper,
    "but for case": str.casefold,
    "composed": lambda name: unicodedata.normalize("NFC", name),
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "but for case and form": lambda name: unicodedata.normalize("NFKC", name.upper()).casefold(),
    "as a Mac keeps them": lambda name: unicodedata.normalize("NFD", name).casefold(),
}
"""How file systems compare names."""


@pytest.mark.parametrize("how", SAME)
def test_names_that_look_alike_are_different_files(how: str) -> None:
    names = list(dict.fromkeys(itertools.chain(*ALIKE)))
    assert_different(names, how)


@pytest.mark.parametrize("how", SAME)
def test_any_two_names_are_different_files(how: str) -> None:
    drawn = random.Random(0)
    signs = [
        *string.printable,
        *"éèÉßẞıİſςσΣµμåÅﬁ²³ङञािीुूंँ़क्ष🐱🐶\u0301\u0308\u200d\ufe0f\ufeff\u3164\0",
    ]
    short = ["".join(pair) for pair in itertools.product(signs, repeat=2)]
    points = [*range(0xD800), *range(0xE000, 0x11_0000)]
    long = {
        "".join(
            drawn.choice(signs) if drawn.random() < 0.8 else chr(drawn.choice(points))
            for _ in range(drawn.randrange(1, 12))
        )
        for _ in range(20_000)
    }
    assert_different([*signs, *short, *(long - {*signs, *short})], how)


def assert_different(names: Iterable[str], how: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        made = file_name(name)
        assert seen.setdefault(SAME[how](made), name) == name
        assert file_name(name) == made


def test_every_name_can_be_a_file_on_every_system() -> None:
    names = list(itertools.chain(*ALIKE))
    reserved = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
    for made in map(file_name, [*names, *reserved, *map(str.upper, reserved)]):
        assert 0 < len(made.encode()) <= 93
        assert not set(made) & set('<>:"/\\|?*. \0')
        assert made[0] != "-"
        assert made.lower() not in reserved
        assert made.isprintable()


@pytest.mark.parametrize(
    "name", ["clock", "ice-cream", "ice_cream", "7", "_", "x" * 64, "dense-grounding", "en", "a--b"]
)
def test_plain_names_are_kept(name: str) -> None:
    assert file_name(name) == name


def test_name_can_still_be_read() -> None:
    assert file_name("ice cream").startswith("ice-cream-")
    assert file_name("TV").startswith("TV-")
    assert file_name("किताब").startswith("किताब-")
    assert file_name("x" * 300).startswith("x" * 80 + "-")


def test_voices_differ_even_without_capitals_as_they_are_files_of_espeak_ng() -> None:
    voices = dict.fromkeys([*VOICES, *(espeak.variants() if shutil.which("espeak-ng") else ())])
    word = Word("clock", "familiar", "clock")
    said = [Utterance(word, "en", voice, "test", 0, 50, 150) for voice in voices]
    assert len({one.path.casefold() for one in said}) == len(voices) >= len(VOICES)
    assert {one.stimulus_id.count("_") for one in said} == {3}
    assert said[list(voices).index("Jacky")].stimulus_id == "en_clock_Jacky_0"


@pytest.mark.parametrize(
    "name",
    [
        "con.txt",
        "CON .txt",
        "com1",
        "COM\u00b9",
        "lpt\u00b3.csv",
        "CONIN$",
        "nul.tar.gz",
        "a.",
        "a ",
    ],
)
def test_names_of_devices_are_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["console", "com10", "com\u00b9x", "a.con", "nul-1", ".con"])
def test_names_that_only_look_like_devices_are_free(name: str) -> None:
    assert not is_reserved(name)
