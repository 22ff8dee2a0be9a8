"""Where the numbers stand in README and documentation: blocks between markers, and sentences.

A block is everything between ``<!-- numbers:NAME -->`` and ``<!-- /numbers -->``, and is written
anew. A sentence is found by its words; only its numbers are exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from makers.readme_runs import BILINGUAL, MONOLINGUAL, UNTRAINED

COLUMNS = {
    "familiar": "familiar-familiar",
    "ME test": "novel-familiar",
    "absent": "absent-familiar",
    "novel*": "novel*-familiar",
    "novel-novel": "novel-novel",
    "preference": "preference",
}
"""Columns of the table of networks, and the condition of each."""
WITH_INTERVAL = ("familiar", "ME test", "absent")
SENTENCES = (
    "answer {first-run/trials} ME trials per language",
    "hangs on the trial seed by {lists/sd-least} to {lists/sd-most} points (standard deviation",
    "lists of the included networks; {lists/sd-test} in the ME test;",
    "know their words (familiar, {range/familiar/low} to {range/familiar/high} %)",
    "choose the novel picture in {range/test/low} to {range/test/high} % of trials",
    "whose picture is absent in {range/absent/low} to {range/absent/high} %, in none",
    "(novel*, {range/other-novel/low} to {range/other-novel/high} %)",
    "over all words together ({range/preference-fr/low} to {range/preference-fr/high} %)",
    "smallest uncorrected p {statistics/chance/smallest p};",
    "odds ratio {statistics/bilingual/odds ratio} over all languages, p {statistics/bilingual/p}.",
    "Welch's test over seed means says {statistics/welch/points} points, p {statistics/welch/p},",
    "pictures {variance/picture/familiar/low} to {variance/picture/familiar/high} and "
    "{variance/picture/novel/low} to {variance/picture/novel/high}, words "
    "{variance/word/familiar/low} to {variance/word/familiar/high} and "
    "{variance/word/novel/low} to {variance/word/novel/high}.",
    "familiar words {translation/familiar/bilingual-en-fr/en} (en) and "
    "{translation/familiar/bilingual-en-fr/fr} % (fr) in `bilingual-en-fr`, "
    "{translation/familiar/bilingual-en-nl/en} (en) and "
    "{translation/familiar/bilingual-en-nl/nl} % (nl) in `bilingual-en-nl`, "
    "{translation/familiar/bilingual-fr-nl/fr} (fr) and "
    "{translation/familiar/bilingual-fr-nl/nl} % (nl) in `bilingual-fr-nl`, "
    "chance {translation/chance/familiar} %; novel words {translation/novel/low} to "
    "{translation/novel/high} %, chance {translation/chance/novel} %.",
    "reach {translation/familiar/bilingual-en-nl/frozen/en} (en) and "
    "{translation/familiar/bilingual-en-nl/frozen/nl} % (nl) of familiar words and "
    "{translation/novel/bilingual-en-nl/frozen/en} and "
    "{translation/novel/bilingual-en-nl/frozen/nl} % of novel ones",
    "names a held-out drawing rightly in {grounding/named/low} to {grounding/named/high} % of "
    "cases (chance {grounding/named/chance} %; {grounding/unmet/low} to {grounding/unmet/high} % "
    "for the 16 things",
    "{grounding/pointing/low} to {grounding/pointing/high} % of its maps peak on the thing asked "
    "for ({grounding/pointing/chance} % by chance)",
    "was shown: {statistics/grounding/difference}, p {statistics/grounding/p}, where the published "
    "Wilcoxon says p {statistics/grounding/pairs p}.",
)
"""Sentences with numbers; names in braces are those of `makers.readme_runs.measure`."""
HOLDS = {
    "absent-familiar is never below the test": "in none of the nine cells less often",
    "no test differs from chance": "none of the nine cells differs from chance",
    "mono- and bilingual networks do not differ": "Nor are mono- and bilingual networks shown to "
    "differ",
    "seeds alone find a difference": "in favour of the bilingual ones",
    "no difference between groups of languages": "no difference between high- and low-resource "
    "languages was shown",
}
"""Statements without a number of their own that hold only as long as the runs say so."""
NUMBER = r"(?:[<=]\s)?-?[\d,]*\.?\d+(?: of overlap)?(?:\s\[[^\]]*\])?"
"""What stands in a sentence for a number: also the sign of a p-value, and an interval after it."""


class MismatchError(Exception):
    """The pages do not say what they should, in a way that writing numbers cannot mend."""


def filled(pages: str, numbers: Mapping[str, str]) -> str:
    """The pages, one after the other, with these numbers.

    Raises:
        MismatchError: if a block or sentence is not there exactly once, or what it says without
            numbers no longer holds.
    """
    for name, lines in _blocks(numbers).items():
        blocks = list(re.finditer(rf"<!-- numbers:{name} -->\n(.*?)<!-- /numbers -->", pages, re.S))
        if len(blocks) != 1:
            raise MismatchError(f"the pages have {len(blocks)} blocks called numbers:{name}")
        start, end = blocks[0].span(1)
        pages = pages[:start] + "".join(f"{line}\n" for line in lines) + pages[end:]
    for sentence in SENTENCES:
        pages = put_in(pages, sentence, numbers)
    for name, words in HOLDS.items():
        said = len(re.findall(_spaced(words), pages))
        if numbers[f"holds/{name}"] != "yes" or said != 1:
            raise MismatchError(
                f"the pages say {said} times {words!r}; the runs answer "
                f"{numbers[f'holds/{name}']!r} to it"
            )
    return pages


def put_in(pages: str, sentence: str, numbers: Mapping[str, str]) -> str:
    """Exchange the numbers of one sentence; line breaks stay where they are.

    Raises:
        MismatchError: if the sentence does not stand in the text exactly once.

    Example:
        >>> put_in("a share of 52 to 57 % is", "of {low} to {high} %", {"low": "1", "high": "2"})
        'a share of 1 to 2 % is'
    """
    parts = re.split(r"\{([^}]+)\}", sentence)
    words, names = parts[::2], parts[1::2]
    pattern = f"({NUMBER})".join(_spaced(part) for part in words)
    places = list(re.finditer(pattern, pages))
    if len(places) != 1:
        raise MismatchError(f"the pages say {len(places)} times {sentence!r}")
    for group in reversed(range(len(names))):
        start, end = places[0].span(group + 1)
        pages = pages[:start] + numbers[names[group]] + pages[end:]
    return pages


def _spaced(words: str) -> str:
    """A pattern of these words, however the lines are broken."""
    return re.sub(r"(?:\\ )+", r"\\s+", re.escape(words))


def _blocks(numbers: Mapping[str, str]) -> dict[str, list[str]]:
    test, controls, tests = (
        [f"    {line}".rstrip() for name, line in numbers.items() if name.startswith(start)]
        for start in ("first-run/0/", "first-run/1/", "statistics/first-run/")
    )
    return {
        "first-run": ["", *test, ""],
        "first-tests": ["", *tests, ""],
        "whole-first-run": ["", *test, "", *controls, "", *tests, ""],
        "networks": list(_networks(numbers)),
    }


def _networks(numbers: Mapping[str, str]) -> Iterator[str]:
    yield f"| population | language | {' | '.join(COLUMNS)} |"
    yield "| --- " * (len(COLUMNS) + 2) + "|"
    for population in (*MONOLINGUAL, *BILINGUAL, UNTRAINED):
        for name in numbers:
            _, condition, whose, *language = f"{name}///".split("/")[:4]
            if (condition, whose) == ("novel-familiar", population) and name.startswith("accuracy"):
                yield (
                    f"| `{population}` | {language[0]} | "
                    + " | ".join(
                        _cell(numbers, column, f"{population}/{language[0]}") for column in COLUMNS
                    )
                    + " |"
                )


def _cell(numbers: Mapping[str, str], column: str, cell: str) -> str:
    condition = COLUMNS[column]
    mean = numbers[f"accuracy/{condition}/{cell}"]
    if column in WITH_INTERVAL:
        return f"{mean} {numbers[f'interval/{condition}/{cell}']}"
    return mean
