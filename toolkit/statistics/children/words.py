"""What may be concluded of children beside models, and what may not, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.statistics.children.curve import shares_at
from toolkit.statistics.phrases import alike, count, fixed, joined

if TYPE_CHECKING:
    from toolkit.statistics.children.items import ItemMatch
    from toolkit.statistics.children.looking import LookingMatch
    from toolkit.statistics.children.results import AgeComparison, Band

AGES = (18, 24, 30, 36, 48)
"""Months at which the curve is told."""
NO_TEST = (
    "This is no test of equality: children saw other objects, heard other voices and did another "
    "task (they pointed, handed over or looked; networks choose the picture of the higher score). "
    "Networks have no age, and a share in common with children of some age gives them none."
)
"""What goes with every comparison by age."""


QUESTIONS = {
    "novel-familiar": "Where do models stand beside children in the test of mutual exclusivity?",
    "familiar-familiar": "Where do models stand beside children who hear familiar words?",
}
"""By condition."""


def answers(
    tests: Sequence[AgeComparison], items: Sequence[ItemMatch], looking: Sequence[LookingMatch]
) -> tuple[tuple[str, str], ...]:
    """Questions and what may be concluded, in the order of the page."""
    return (
        *((QUESTIONS[test.condition], _by_age(test)) for test in tests),
        ("Are models and children as good as each other, then?", NO_TEST),
        *(note for test in tests for note in test.notes),
        *map(by_item, items),
        *map(by_looking, looking),
    )


def _by_age(test: AgeComparison) -> str:
    return " ".join([*_children(test), *_models(test.bands)])


def _children(test: AgeComparison) -> list[str]:
    told = []
    if test.curve is not None:
        first, last = test.curve.ages_months[0], test.curve.ages_months[-1]
        ages = [age for age in AGES if first <= age <= last]
        shares = ", ".join(map(str, shares_at(test.curve, ages)))
        whose = f"{test.curve.source}, {n_children(test.curve.n_children)}"
        told.append(
            f"Children choose the novel thing in {shares} % of trials at "
            f"{', '.join(map(str, ages))} months ({whose})."
        )
    elif test.groups:
        shares = ", ".join(fixed(100 * group.share, 0) for group in test.groups)
        at = ", ".join(fixed(group.age_months, 0) for group in test.groups)
        told.append(
            f"Children look at the named picture for {shares} % of the time at {at} months "
            f"({test.groups[0].source}). Looking is no choice: children who know a word well look "
            "elsewhere, too, so that these shares stay far below those of right choices."
        )
    return told


def _models(bands: Sequence[Band]) -> list[str]:
    """Every population of models, beside untrained ones of the same language."""
    untrained = {band.test_language: band for band in bands if not band.n_languages}
    told = []
    for band in bands:
        where = f"{band.population} in {band.test_language}: {_share(band)}"
        known = untrained.get(band.test_language)
        if known is not None and known is not band:
            where += f", {_beside(band, known)} untrained networks"
        told.append(where)
    sentences = [f"Models: {joined(told)}."] if told else []
    if told and not untrained:
        sentences.append(
            "No untrained networks are among these runs: what they do without having learnt "
            "anything is the least that models must be set against (run-paradigm ... --subject "
            "untrained)."
        )
    return sentences


def _share(band: Band) -> str:
    value = fixed(100 * band.mean, 1)
    if math.isnan(band.ci_low):
        return f"{value} % ({count(band.n_seeds, band.unit)}, no interval)"
    low, high = alike([100 * band.ci_low, 100 * band.ci_high])
    return f"{value} % [{low}, {high}]"


def _beside(band: Band, untrained: Band) -> str:
    """Where an interval lies beside that of untrained networks."""
    if band.ci_low > untrained.ci_high:
        return "its interval above that of"
    if band.ci_high < untrained.ci_low:
        return "its interval below that of"
    return "not set apart by its interval from"


def by_item(match: ItemMatch) -> tuple[str, str]:
    """Question and answer about one match item by item."""
    question = (
        f"Do {match.models} find those words hard that {match.children} find hard "
        f"({match.test_language}, {match.condition})?"
    )
    return question, _ITEMS[match.verdict](match)


def _r(match: ItemMatch) -> str:
    return f"r = {_number(match.correlation)} {_ends(match.ci_low, match.ci_high)}"


def _ceiling(match: ItemMatch) -> str:
    """What the children's noise allows."""
    another = (
        f"another group of as many children would reach {_number(match.reliability)} "
        f"{_ends(match.reliability_low, match.reliability_high)} with these (split-half "
        f"reliability)"
    )
    return f"{another}, and a model without noise {_number(match.ceiling)} at most"


def _few(match: ItemMatch) -> str:
    return f"Cannot be told: they share {count(match.n_words, 'word')}, too few to correlate."


def _flat(match: ItemMatch) -> str:
    return (
        f"Cannot be told: over the {match.n_words} shared words, the children or the models answer "
        "every word alike."
    )


def _unreliable(match: ItemMatch) -> str:
    return (
        f"Cannot be told: that the {count(match.n_words, 'word')} differ by more than noise for "
        f"{n_children(match.n_children)} is not shown (split-half reliability "
        f"{_number(match.reliability)} {_ends(match.reliability_low, match.reliability_high)}). "
        f"The correlation, {_r(match)}, "
        "says nothing about the models then: it takes more children, or more answers of each."
    )


def _alike(match: ItemMatch) -> str:
    return (
        f"To a degree: {_r(match)} over {count(match.n_words, 'word')}; {_ceiling(match)}. That "
        "words are "
        "hard for both does not say that they are for the same reason."
    )


def _unlike(match: ItemMatch) -> str:
    return (
        f"No, rather the opposite: {_r(match)} over {count(match.n_words, 'word')}; "
        f"{_ceiling(match)}. The "
        "words that children find hard are easier for these models."
    )


def _open(match: ItemMatch) -> str:
    return (
        f"Not shown: {_r(match)} over {count(match.n_words, 'word')}, which includes 0; "
        f"{_ceiling(match)}. "
        f"That is no proof of the contrary: correlations up to {_number(match.ci_high)} fit these "
        "answers too."
    )


_ITEMS = {
    "few": _few,
    "flat": _flat,
    "unreliable": _unreliable,
    "alike": _alike,
    "unlike": _unlike,
    "open": _open,
}
"""Sentence of each verdict."""


def by_looking(match: LookingMatch) -> tuple[str, str]:
    """Question and answer about one match of looking."""
    question = (
        f"Do {match.population} prefer pictures as children of {match.age_group} look at them "
        f"({match.test_language})?"
    )
    found = (
        f"divergence {match.divergence:.4f} [{match.ci_low:.4f}, {match.ci_high:.4f}] nats over "
        f"{count(match.n_trials, 'trial')} (0: the same shares; looking at both alike: "
        f"{match.chance:.4f}; "
        f"fitted inverse temperature {match.beta:.3g}"
        + (", at the bound of its range" if match.at_bound else "")
        + ")"
    )
    told = (
        f"Closer than looking at both pictures alike: {found}."
        if match.beats_chance
        else f"Not shown to be closer than looking at both pictures alike: {found}."
    )
    ceiling = (
        "How far children are from each other is not known: the file has no single children."
        if math.isnan(match.ceiling)
        else f"One half of the children is {match.ceiling:.4f} from the other, noise of both "
        "halves included."
    )
    return question, (
        f"{told} {ceiling} The temperature is fitted to these children, so that it tells how the "
        "trials differ, not how sure models are."
    )


def n_children(n: int) -> str:
    """A number of children.

    Example:
        >>> n_children(1), n_children(1274)
        ('1 child', '1,274 children')
    """
    return f"{n:,} child{'ren' * (n != 1)}"


def _number(value: float) -> str:
    """A correlation as APA style writes it.

    Example:
        >>> _number(0.523), _number(-0.1), _number(float("nan")), _number(1.0)
        ('.52', '-.10', 'unknown', '1.00')
    """
    if math.isnan(value):
        return "unknown"
    text = fixed(value, 2)
    return text.replace("0.", ".", 1) if abs(value) < 1 and "1.00" not in text else text


def _ends(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"[{_number(low)}, {_number(high)}]"
