"""Methods and status of dense grounding, written from what the runs have recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reports.grounding_text import title_of
from reports.numbers import number
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from reports.sources import Chapter

REFERENCES = (
    "Dense grounding of multilingual CLIP under a fixed visual encoder. arXiv 2605.09060.",
    "Rust, P., Pfeiffer, J., Vulic, I., Ruder, S., & Gurevych, I. (2021). How good is your "
    "tokenizer? On the monolingual performance of multilingual language models. ACL-IJCNLP 2021.",
    "Zhang, J., Bargal, S. A., Lin, Z., Brandt, J., Shen, X., & Sclaroff, S. (2018). Top-down "
    "neural attention by excitation backprop. International Journal of Computer Vision, 126.",
)
"""The study, tokens per word, and the pointing game."""
ASSUMPTIONS = (
    "Languages stand for further languages of their group, pictures and concepts for further ones "
    "of their kind; nobody drew them at random. Not tested: that random effects and what is left "
    "over are normally distributed (overlaps end at 0 and 1), and that both groups of languages "
    "vary alike, which Welch's test beside the model does not assume."
)


def fits(chapter: Chapter) -> Iterator[Mapping[str, Any]]:
    """Mixed models that are shown in full."""
    for own in chapter.statistics["populations"]:
        for test in own["tests"]:
            if test["fit"]:
                yield test["fit"]


def trials(chapter: Chapter) -> Iterator[str]:
    """What was asked of which pictures."""
    manifest, statistics = chapter.runs[0].manifest, chapter.statistics
    stimuli, known = manifest["stimuli"], statistics["languages"]
    reference = statistics["reference"]
    groups = {
        kind: [code for code in known if known[code]["resource"] == kind and code != reference]
        for kind in ("high", "low")
    }
    first = statistics["populations"][0] if statistics["populations"] else None
    asked = (
        f" Asked for: {count(first['n_concepts'], 'concept')} in "
        f"{count(first['n_pictures'], 'picture')}."
        if first
        else ""
    )
    yield (
        f"Paradigm {chapter.paradigm} (version {chapter.version}; {chapter.question}): the visual "
        f"encoder is the same for all languages, only the language of the text changes. Pictures "
        f"came from the set {stimuli['name']} (version {stimuli['version']}).{asked} Maps of "
        f"cosine similarity between the text and every place of a picture, enlarged to 224 x 224 "
        f"pixels, were held against the map of {known[reference]['name']}. High resource: "
        f"{', '.join(groups['high']) or 'none'}; low resource: {', '.join(groups['low']) or 'none'}"
        "."
    )
    meanings = {row["condition"]: row["meaning"] for row in chapter.results}
    for name, meaning in meanings.items():
        yield f"Condition {name}: {meaning}."


def analysis(chapter: Chapter) -> Iterator[str]:
    """How it was analysed."""
    statistics = chapter.statistics
    tests = [(title_of(own), own["tests"][0]) for own in statistics["populations"] if own["tests"]]
    modelled = [(title, test) for title, test in tests if test["fit"] and test["mixed"]]
    if modelled:
        formulas = _by_text((test["fit"]["fitted_formula"], title) for title, test in modelled)
        told = [
            f"{formula} for {', '.join(titles)}" if len(formulas) > 1 else formula
            for formula, titles in formulas.items()
        ]
        yield (
            f"Overlap of cluster masks was analysed with linear mixed-effects models "
            f"({statistics['engine']}, REML; {'; '.join(told)}) with Satterthwaite's degrees of "
            "freedom, at most the number of languages less 2, since the contrast is between "
            "languages."
        )
    without = [(test["problem"], title) for title, test in tests if not test["mixed"]]
    for problem, titles in _by_text(without).items():
        yield f"There is no mixed model for {', '.join(titles)}. {problem.rstrip('.')}."
    if any(test["languages"] for _, test in tests):
        yield (
            "Groups of languages were also compared by a permutation of languages between them and "
            "by Welch's test over language means."
        )
    if any(test["pairs"] for _, test in tests):
        yield (
            "The Wilcoxon test over picture x concept pairs is that of the published analysis and "
            "takes pairs and not languages as the sample."
        )
    if any(own["languages"] for own in statistics["populations"]):
        yield "Means of single languages have intervals for crossed pictures, concepts and seeds."
    pointing = any(own["pointing"] for own in statistics["populations"])
    if pointing:
        yield (
            "The pointing game counts maps whose highest point lies inside the true mask; its "
            "chance level is the mean share of the picture that the mask covers."
        )
    if modelled or pointing:
        yield f"Families of tests: {'; '.join(statistics['families'])}."


def _by_text(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Titles gathered under the same text."""
    gathered: dict[str, list[str]] = {}
    for text, title in pairs:
        gathered.setdefault(text, []).append(title)
    return gathered


def energy(measured: Mapping[str, Any]) -> str:
    """What was measured of the energy of a run, and on what.

    Example:
        >>> energy({"watt_hours": 0.5, "per_1000_queries": 0.25, "n_queries": 2000, "source": "x"})
        '0.500 Wh for 2,000 queries, 0.250 Wh per 1,000; x'
        >>> energy({"watt_hours": None, "source": "not measured: no meter"})
        'not measured: no meter'
    """
    if measured.get("watt_hours") is None:
        return str(measured["source"])  # says itself why nothing was measured
    return (
        f"{number(measured['watt_hours'], digits=3)} Wh for {measured['n_queries']:,} queries, "
        f"{number(measured['per_1000_queries'], digits=3)} Wh per 1,000; {measured['source']}"
    )
