"""Terms of the page, explained where they stand and in a list at its end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from stimuli.characters import shown
from stimuli.languages import LANGUAGES

TERMS = {
    "absent-familiar": "Control: a familiar word is said whose picture is not there; a novel "
    "picture stands beside another familiar one. The word is not novel, so a choice of the novel "
    "picture is not mutual exclusivity.",
    "Bayes factor": "How many times likelier the data are if there is a difference than if there "
    "is none (BF10). Above 1 speaks for a difference, below 1 against one.",
    "chance": "The share of correct answers that guessing gives: 50 % with two pictures.",
    "control": "A condition that differs from the test in one respect, so that the difference "
    "between them has one explanation less.",
    "d (seeds)": "Mean distance from chance in standard deviations over seeds. Seeds are much more "
    "alike than children, so it cannot be compared with d over children.",
    "d (words)": "As d over seeds, but in standard deviations over words.",
    "gate": "What a network must reach in a control before its answers to the test count: who does "
    "not know familiar words cannot show what it does with novel ones. Where looking is measured: "
    "a point in the course of a word, up to which it has been heard.",
    "Holm": "Correction of p values for the number of tests (Holm, 1979): with it, the chance that "
    "any of a family of tests finds what is not there stays below the level of one test.",
    "IoU": "Intersection over union: how far two areas of a picture overlap, from 0 (nowhere) to 1 "
    "(the same area).",
    "item": "What is asked about in a trial: here the word, with its target and distractor.",
    "low-resource": "Languages of which little text is there to train on; who counts as one was "
    "said before.",
    "margin": "Score of the target less score of the best distractor. Above 0 the answer is "
    "correct. Its unit is that of the network's similarity; only its sign and order count.",
    "ME": "Mutual exclusivity: a novel word is taken for the thing that has no name yet, because "
    "it is novel.",
    "mixed model": "A regression in which seeds and words are samples of all that could have been "
    "taken: what it finds holds for further seeds and further words.",
    "mutual exclusivity": "A novel word is taken for the thing that has no name yet, because it is "
    "novel.",
    "novel*-familiar": "Control: a novel word is said, and the novel picture shows another novel "
    "thing. Who chooses by novelty alone does not notice.",
    "novel-familiar": "The test: a novel word, its picture beside a familiar one.",
    "onset": "Where the word begins in the clip; times are counted from there.",
    "odds ratio": "Odds of a correct answer in one condition or group, divided by those in the "
    "other. 1 means no difference.",
    "reference": "The language that the others are held against.",
    "seed": "One network. Networks of a population differ in their random start and in the order "
    "of their training alone, as children of one group differ.",
    "singular": "A mixed model that finds no variation over seeds or words at all, so that its "
    "interval may be too narrow.",
    "TOST": "Two one-sided tests: whether a difference is shown to be smaller than a bound that "
    "was set in advance. Not being significant shows nothing of the kind.",
    "typical": "What a mixed model says of a seed and a word in the middle of all; the mean over "
    "seeds and words lies a little nearer to chance.",
    "splits": "All ways to divide the languages into two groups of these sizes. p is the share of "
    "them in which the groups differ as much; it takes nothing for granted but that languages may "
    "be exchanged.",
    "ties": "Answers in which both pictures had the very same score.",
}
"""Terms as they stand on the page, and what they mean."""
_SPELLINGS = {"Mutual exclusivity": "mutual exclusivity", "seeds": "seed", "items": "item",
              "Holm's": "Holm", "margins": "margin", "gated": "gate", "gates": "gate",
              "tie": "ties", "low resource": "low-resource", "controls": "control"}  # fmt: skip
_FOUND = re.compile(
    "|".join(
        rf"(?<![\w*-]){re.escape(name)}(?![\w*-])"
        for name in sorted({*TERMS, *_SPELLINGS}, key=len, reverse=True)
    )
)


def language_name(code: str) -> str:
    """A language by name and code; the code alone where its name is not known.

    Example:
        >>> language_name("nl"), language_name("xx")
        ('Dutch (nl)', 'xx')
    """
    return f"{LANGUAGES[code]} ({code})" if code in LANGUAGES else code


def listed_terms(found: Iterable[str]) -> list[tuple[str, str, str]]:
    """Terms in alphabetical order, each once: anchor, term and meaning.

    Args:
        found: some of `TERMS`.

    Example:
        >>> [term for _, term, _ in listed_terms(["seed", "Holm", "seed"])]
        ['Holm', 'seed']
    """
    return [(anchor(term), term, TERMS[term]) for term in sorted(set(found), key=str.lower)]


def anchor(term: str) -> str:
    """Where a term is explained on the page.

    Example:
        >>> anchor("d (seeds)")
        'term-d-seeds'
    """
    return "term-" + re.sub("[^a-z0-9*]+", "-", term.lower()).strip("-").replace("*", "-other")


def explained(text: str, found: set[str]) -> Any:
    """A text with its terms explained on hovering, each leading to the list of terms.

    Args:
        text: plain text, which is escaped.
        found: takes up the terms that occur in it.

    Returns:
        Markup.

    Example:
        >>> print(explained("p < .05 (Holm)", set())[:42])
        p &lt; .05 (<a class="term" href="#term-ho
    """
    from markupsafe import Markup, escape

    parts, end, seen = [], 0, set()
    text = shown(text, keep="\n\t")
    for match in _FOUND.finditer(text):
        term = _SPELLINGS.get(match[0], match[0])
        if term in seen:
            continue
        seen.add(term)
        parts += [escape(text[end : match.start()]), _link(match[0], term)]
        end = match.end()
    found |= seen
    return Markup("").join([*parts, escape(text[end:])])


def meaning(heading: str) -> str:
    """What a heading of a column means; empty where it holds no term.

    Example:
        >>> meaning("p Holm")[:27], meaning("Population")
        ('Correction of p values for ', '')
    """
    found = _FOUND.search(heading)
    return TERMS[_SPELLINGS.get(found[0], found[0])] if found else ""


def _link(spelling: str, term: str) -> Any:
    from markupsafe import Markup

    return Markup('<a class="term" href="#{}" title="{}">{}</a>').format(
        anchor(term), TERMS[term], spelling
    )
