"""Written words in several languages: the `words.toml` of a stimulus set.

A list names one reference language, what each language is called and how a word is put into a
text, and the word of every concept in every language:

    reference = "en"

    [languages.en]
    name = "English"
    templates = { bare = "{word}", article = "{article} {word}" }

    [languages.lb]
    name = "Luxembourgish"
    resource = "low"
    templates = { bare = "{word}", article = "{article} {word}" }

    [words.car]
    en = { word = "car", article = "a" }
    lb = { word = "Auto", article = "en" }

A further language is a further table and a further line per concept; no code is needed. Where no
template of a language asks for an article, a word alone will do: ``en = "car"``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli.checks import counted
from stimuli.errors import ToolkitError, nearest_name, unknown_name
from stimuli.texts import read_toml

FILE_NAME = "words.toml"
"""Name of the list in the folder of a stimulus set."""
RESOURCES = ("high", "low")
"""How much text there is of a language for models to learn from."""
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
_PARTS = {"word", "article"}


@dataclass(frozen=True)
class Language:
    """One language of a word list."""

    name: str
    """English name."""
    resource: str
    """``high`` or ``low``; the reference language is counted as neither."""
    templates: Mapping[str, str]
    """Texts by name, with ``{word}`` and, where the language has articles, ``{article}``."""


@dataclass(frozen=True)
class Word:
    """The word of a concept in one language."""

    word: str
    """The word, or the words, as written."""
    article: str = ""
    """Indefinite article that goes with it; empty where the language has none."""


@dataclass(frozen=True)
class WordList:
    """The words of some concepts in some languages.

    Example:
        >>> english = Language("English", "high", {"bare": "{word}", "article": "{article} {word}"})
        >>> words = WordList("en", {"en": english}, {"car": {"en": Word("car", "a")}})
        >>> words.text("car", "en", "article")
        'a car'
        >>> words.text("car", "em", "article")
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: There is no language 'em' in the word list.
          given: em
          did you mean: en
          allowed: en
    """

    reference: str
    """Code of the language that the others are compared with."""
    languages: Mapping[str, Language]
    """Languages by their code (BCP 47, e.g. ``zh-TW``)."""
    words: Mapping[str, Mapping[str, Word]]
    """Word by concept and language code."""

    def language(self, code: str) -> Language:
        """The language of that code.

        Raises:
            ToolkitError: there is none; the nearest code is shown.
        """
        if code not in self.languages:
            raise unknown_name("language", code, list(self.languages), where="the word list")
        return self.languages[code]

    def word(self, concept: str, code: str) -> Word:
        """The word of a concept in a language.

        Raises:
            ToolkitError: unknown language, unknown concept, or no word for it in this language.
        """
        self.language(code)
        if concept not in self.words:
            raise unknown_name("concept of the word list", concept, list(self.words))
        if code not in self.words[concept]:
            raise ToolkitError(
                f"The concept {concept!r} has no word in the language {code!r}.",
                given=f"words in {', '.join(self.words[concept])}",
                next_command=f"add {code} = {{ word = ... }} below [words.{concept}] in the list",
            )
        return self.words[concept][code]

    def text(self, concept: str, code: str, template: str) -> str:
        """What is asked: the word of a concept, put into a template of the language.

        Raises:
            ToolkitError: as `word`, or the language has no such template.
        """
        known = self.language(code).templates
        if template not in known:
            raise unknown_name(f"template of the language {code!r}", template, list(known))
        word = self.word(concept, code)
        return " ".join(known[template].format(word=word.word, article=word.article).split())

    def templates(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Templates that all of these languages have, in the order of the reference language."""
        kept = list(self.language(self.reference).templates)
        for code in codes:
            kept = [name for name in kept if name in self.language(code).templates]
        return tuple(kept)

    def untranslated(self, concepts: Iterable[str], codes: Sequence[str]) -> list[str]:
        """Faults of every concept that lacks a word in one of these languages, one line each."""
        faults = []
        for concept in concepts:
            known = self.words.get(concept, {})
            missing = [code for code in codes if code not in known]
            if missing:
                faults.append(f"the concept {concept!r} has no word in {', '.join(missing)}")
        return faults


def read_words(path: str | Path) -> WordList:
    """Read a word list.

    Args:
        path: a TOML file, see the module's text.

    Raises:
        ToolkitError: the file is missing or malformed; all its faults are listed.
    """
    given = read_toml(path, "a word list: a TOML file in UTF-8 with [languages] and [words]")
    faults = list(_faults(given))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise ToolkitError(f"The word list {path} has {counted(faults)}:\n{listed}")
    return WordList(
        reference=given["reference"],
        languages={
            code: Language(one["name"], one.get("resource", "high"), dict(one["templates"]))
            for code, one in given["languages"].items()
        },
        words={
            concept: {code: _word(one) for code, one in own.items()}
            for concept, own in given["words"].items()
        },
    )


def _word(given: str | Mapping[str, str]) -> Word:
    """A word as it stands in a list."""
    return Word(given) if isinstance(given, str) else Word(given["word"], given.get("article", ""))


def _faults(given: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with a parsed list."""
    allowed = ("reference", "languages", "words")
    for key in given:
        if key not in allowed:
            yield f"unknown key {key!r}" + _hint(key, allowed)
    broken = False
    for key in ("languages", "words"):
        if not isinstance(given.get(key), dict) or not given[key]:
            broken = True
            yield f"there is no [{key}.NAME]"
    if broken:
        return
    languages = given["languages"]
    reference = given.get("reference")
    if not isinstance(reference, str) or reference not in languages:
        yield f"reference {reference!r} is none of the languages" + _hint(str(reference), languages)
    for code, one in languages.items():
        yield from (f"languages.{code}: {fault}" for fault in _language_faults(code, one))
        if isinstance(one, dict) and code != reference and "resource" not in one:
            yield f"languages.{code}: resource is missing (high or low)"
    for concept, own in given["words"].items():
        yield from _concept_faults(concept, own, languages)


def _language_faults(code: str, one: Any) -> Iterator[str]:
    if not is_code(code):
        yield "the code is not like en, lb or zh-TW"
    if not isinstance(one, dict):
        yield "it must be a table"
        return
    if not isinstance(one.get("name"), str) or not one["name"]:
        yield "name is missing"
    if one.get("resource", "high") not in RESOURCES:
        hint = _hint(str(one["resource"]), RESOURCES)
        yield f"resource {one['resource']!r} is not one of {' | '.join(RESOURCES)}{hint}"
    templates = one.get("templates")
    if not isinstance(templates, dict) or not templates:
        yield 'templates are missing, e.g. { bare = "{word}" }'
        return
    for name, text in templates.items():
        if not _is_template(text):
            yield f"template {name!r} must be a text with {{word}}, and {{article}} at most besides"


def _is_template(text: Any) -> bool:
    """Whether a text names the word, and nothing but word and article."""
    if not isinstance(text, str):
        return False
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        return False
    if any(how or conversion for _, _, how, conversion in parsed):
        return False
    parts = {name for _, name, _, _ in parsed if name is not None}
    return "word" in parts and parts <= _PARTS


def _concept_faults(concept: str, own: Any, languages: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(own, dict) or not own:
        yield f"words.{concept}: there is no word"
        return
    if "/" in concept:
        yield f"words.{concept}: a concept may not have a '/'"
    for code, one in own.items():
        where = f"words.{concept}.{code}"
        if code not in languages:
            yield f"{where}: there is no language {code!r}" + _hint(code, languages)
        elif isinstance(one, str) and _asks_for_articles(languages[code]):
            yield f'{where}: templates ask for an article: {{ word = "car", article = "a" }}'
        elif _says_something(one):
            continue
        elif not isinstance(one, dict) or not _says_something(one.get("word")):
            yield f'{where}: it must be like {{ word = "car", article = "a" }}'
        elif not isinstance(one.get("article", ""), str) or not set(one) <= _PARTS:
            yield f"{where}: besides word there may be article, a text, and nothing else"


def is_code(text: str) -> bool:
    """Whether a text is like the code of a language (BCP 47).

    Example:
        >>> is_code("zh-TW"), is_code("German")
        (True, False)
    """
    return _CODE.fullmatch(text) is not None


def _asks_for_articles(language: Any) -> bool:
    templates = language.get("templates") if isinstance(language, dict) else None
    texts = templates.values() if isinstance(templates, dict) else ()
    return any("{article}" in text for text in texts if isinstance(text, str))


def _says_something(word: Any) -> bool:
    return isinstance(word, str) and bool(word.strip())


def _hint(given: str, allowed: Iterable[str]) -> str:
    near = nearest_name(given, allowed)
    return f"; did you mean {near!r}?" if near else ""
