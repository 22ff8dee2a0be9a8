"""What is asked of pictures in writing: texts in several languages, and of which pictures."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stimuli.errors import ToolkitError, unknown_name

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from stimuli.wordlists import WordList


@dataclass(frozen=True, eq=False)
class Queries:
    """Which texts are asked of which pictures; the same for all subjects.

    Every concept that is asked of a picture is asked in all languages and with all templates.

    Example:
        >>> queries = Queries(
        ...     languages=("en", "fr"), reference="en", templates=("bare",), truth=False,
        ...     texts={("bare", "car", "en"): "car", ("bare", "car", "fr"): "voiture"},
        ...     names={("car", "en"): "car", ("car", "fr"): "voiture"},
        ...     asked={"street": ("car",), "yard": ("car",)},
        ... )
        >>> queries.n_pairs, len(queries), queries.first_pair["yard"]
        (2, 4, 1)
    """

    languages: tuple[str, ...]
    """Codes of the languages, the reference among them."""
    reference: str
    """Code of the language that the others are compared with."""
    templates: tuple[str, ...]
    """Names of the templates, which are the conditions."""
    texts: Mapping[tuple[str, str, str], str]
    """Text by template, concept and language."""
    names: Mapping[tuple[str, str], str]
    """Word alone by concept and language."""
    asked: Mapping[str, tuple[str, ...]]
    """Concepts asked of every picture."""
    truth: bool
    """True where it is known what is seen where; then only what is seen is asked for."""

    def __len__(self) -> int:
        """Number of maps to be read: pictures x concepts x templates x languages."""
        return self.n_pairs * len(self.templates) * len(self.languages)

    @functools.cached_property
    def concepts(self) -> tuple[str, ...]:
        """All concepts asked, sorted."""
        return tuple(sorted({concept for own in self.asked.values() for concept in own}))

    @functools.cached_property
    def first_pair(self) -> dict[str, int]:
        """Number of the first pair of picture and concept of every picture, from 0."""
        first, n_before = {}, 0
        for picture, own in self.asked.items():
            first[picture] = n_before
            n_before += len(own)
        return first

    @property
    def n_pairs(self) -> int:
        """Pairs of a picture and a concept that is asked of it."""
        return sum(map(len, self.asked.values()))

    @functools.cached_property
    def distinct(self) -> tuple[str, ...]:
        """All texts once, in a fixed order."""
        return tuple(sorted(set(self.texts.values())))

    @functools.cached_property
    def checksum(self) -> str:
        """SHA-256 over the texts and how they are asked, whatever the pictures."""
        facts = [
            self.languages,
            self.reference,
            self.templates,
            sorted([*key, text] for key, text in self.texts.items()),
            sorted([*key, name] for key, name in self.names.items()),
            self.truth,
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def sample(self, n: int) -> list[tuple[str, str]]:
        """Some pairs of picture and concept to be looked at, fixed, with concepts in turn."""
        of_concept: dict[str, list[str]] = {concept: [] for concept in self.concepts}
        for picture, own in self.asked.items():
            for concept in own:
                of_concept[concept].append(picture)
        chosen: list[tuple[str, str]] = []
        for turn in range(n):
            rows = ((concept, known) for concept, known in of_concept.items() if turn < len(known))
            chosen += [(known[turn], concept) for concept, known in rows]
        return chosen[:n]


def ask(
    stimuli: StimulusSet,
    *,
    languages: Sequence[str] = (),
    templates: Sequence[str] = (),
    preferred: Iterable[str] = (),
) -> Queries:
    """Ask the words of a set's list about its test pictures.

    With masks, a picture is asked for every concept that is seen in it; without, for all concepts
    of the list, as in the study that is followed.

    Args:
        stimuli: pictures and word list.
        languages: codes; by default all of the list. The reference is always asked besides.
        templates: names of templates; by default the first of `preferred` that all languages
            have, or else the first that they have.
        preferred: see `templates`.

    Raises:
        ToolkitError: an unknown language or template (the nearest is shown), a concept without a
            word in one of the languages, or no test pictures.
    """
    words = stimuli.words
    codes = [code for code in words.languages if code in {*(languages or words.languages)}]
    for code in languages:
        words.language(code)
    if words.reference not in codes:
        codes = [words.reference, *codes]
    asked = _asked(stimuli, words)
    concepts = sorted({concept for own in asked.values() for concept in own})
    faults = words.untranslated(concepts, codes)
    if faults:
        raise ToolkitError(
            f"The word list of the set {stimuli.name!r} has no words for what is asked:\n"
            + "\n".join(f"  - {fault}" for fault in faults),
            next_command="add the words to the list, or leave languages out with --language CODE",
        )
    used = _templates(words, codes, templates, list(preferred))
    return Queries(
        languages=tuple(codes),
        reference=words.reference,
        templates=used,
        texts={
            (template, concept, code): words.text(concept, code, template)
            for template in used
            for concept in concepts
            for code in codes
        },
        names={
            (concept, code): words.word(concept, code).word
            for concept in concepts
            for code in codes
        },
        asked=asked,
        truth=stimuli.has_masks,
    )


def _asked(stimuli: StimulusSet, words: WordList) -> dict[str, tuple[str, ...]]:
    """Concepts asked of every test picture, both in alphabetical order."""
    table = stimuli.table
    shown = table.index[(table["kind"] == "picture") & (table["split"] == "test")]
    pictures = sorted(map(str, shown))
    if stimuli.has_masks:
        seen: dict[str, set[str]] = {}
        for picture, concept in stimuli.objects[["stimulus_id", "concept"]].itertuples(index=False):
            seen.setdefault(picture, set()).add(concept)
        asked = {name: tuple(sorted(seen[name])) for name in pictures if name in seen}
    else:
        asked = {name: tuple(sorted(words.words)) for name in pictures}
    if not asked:
        raise ToolkitError(
            f"The set {stimuli.name!r} has no test picture to ask about.",
            given=str(stimuli.folder),
            next_command=f"mevgs-toolkit describe {stimuli.name}",
        )
    return asked


def _templates(
    words: WordList, codes: Sequence[str], asked: Sequence[str], preferred: Sequence[str]
) -> tuple[str, ...]:
    common = words.templates(codes)
    for name in asked:
        if name not in common:
            raise unknown_name("template that all languages asked have", name, common)
    if not common:
        raise ToolkitError(
            "The languages asked have no template in common.",
            given=", ".join(codes),
            next_command="give them templates of the same name in the word list",
        )
    first = next((name for name in preferred if name in common), common[0])
    return tuple(dict.fromkeys(asked)) or (first,)
