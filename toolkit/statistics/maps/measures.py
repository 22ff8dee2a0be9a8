"""What is told of every language and word: means, truth, failure, word length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.maps.data import TOKENS, Asked, Grounded
from toolkit.statistics.maps.languages import (
    CROSSED,
    Estimate,
    crossed_mean,
    rank_correlation,
)
from toolkit.statistics.models.contrasts import holm_p

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from paradigms import Measure

OVERLAP, PEAK, DISTANCE, TRUE = "iou_cluster", "peak_ratio", "centre_distance_px", "iou_true"
"""Measures of `paradigms.maps.agreement.compare` about which more is told where a paradigm declares
them: maps that keep the peak and lose the place, and maps without a cluster."""
PEAK_KEPT = 0.1
"""A peak within so much of the reference's counts as kept."""
PLACE_LOST = 0.5
"""An overlap below this counts as a place that is lost."""
NOTHING = float("nan")
NO_BOUNDS = (-float("inf"), float("inf"))
NO_ESTIMATE = Estimate(*(NOTHING,) * 5)
"""Stands where nothing was measured."""


@dataclass(frozen=True)
class LanguageRow:
    """One language in one population and condition."""

    language: str
    """Code."""
    name: str
    """English name."""
    resource: str
    """``low`` or ``high``; ``reference`` for the reference, which is there if the primary measure
    says something of it."""
    n_rows: int
    """Picture x concept x seed."""
    n_concepts: int
    """Concepts asked."""
    tokens_per_word: float
    """Subword tokens per word, mean over words; NaN if they were not counted."""
    measures: Mapping[str, Estimate]
    """Mean of every measure, with an interval for further pictures, concepts and seeds."""


@dataclass(frozen=True)
class WordRow:
    """One concept in one language, mean over pictures and seeds."""

    language: str
    """Code."""
    concept: str
    """Concept."""
    resource: str
    """Of the language."""
    iou: float
    """Overlap of cluster masks with the reference's; NaN if not measured."""
    peak_ratio: float
    """Highest similarity over that of the reference; NaN if not measured."""
    share_lost: float
    """Share of maps whose peak is kept (`PEAK_KEPT`) and whose place is lost (`PLACE_LOST`)."""
    value: float
    """The primary measure."""


@dataclass(frozen=True)
class Failure:
    """Peak kept, place lost: means over languages of a group, and the share of such maps."""

    resource: str
    """Group of languages."""
    iou: float
    """Mean overlap."""
    peak_ratio: float
    """Mean peak ratio."""
    share_kept: float
    """Share of maps with a kept peak."""
    share_lost: float
    """Share of maps with a kept peak and a lost place."""
    kept_of_lost: float
    """Share of the maps with a lost place that keep the peak; NaN if no place is lost."""


@dataclass(frozen=True)
class Pointing:
    """A measure with a chance level in one language, such as pointing at the true masks."""

    language: str
    """Code; the reference is among them."""
    resource: str
    """Of the language; ``reference`` for the reference."""
    n_rows: int
    """Picture x concept x seed where the measure is defined."""
    accuracy: Estimate
    """Mean of the measure: of pointing, the share of maps whose highest point lies inside."""
    chance: float
    """Mean chance level, of pointing the mean share of the picture that the mask covers; NaN if it
    was not recorded."""
    difference: Estimate
    """accuracy - chance, each map against its own chance level."""
    p_value: float
    """Of the difference, two-sided, over pictures, concepts and seeds."""
    p_holm: float
    """Corrected after Holm over all languages and populations in the primary condition; NaN in
    others."""
    iou_true: Estimate
    """Overlap of the cluster mask with the true mask; NaN if not measured."""
    measure: str
    """The measure, by its name."""


@dataclass(frozen=True)
class EmptyMasks:
    """Maps without a cluster, whose mask is empty."""

    share_both: float
    """Share of maps of the other languages that are empty as the reference's is, which the
    published definition counts as an overlap of 1."""
    share_one: float
    """Share where only one of the two is empty, an overlap of 0."""
    share_reference: float
    """Share of the reference's maps that are empty; NaN without such rows."""


@dataclass(frozen=True)
class Fertility:
    """Token length of words against the primary measure, over languages: exploratory."""

    n_languages: int
    """Languages without the reference."""
    correlation: float
    """Spearman's correlation of tokens per word with the mean of the measure."""
    ci_low: float
    """Lower end of its 95 % interval."""
    ci_high: float
    """Upper end."""
    p_value: float
    """Two-sided."""


def language_rows(grounded: Grounded, table: pd.DataFrame, asked: Asked) -> tuple[LanguageRow, ...]:
    """Every language of one population and condition that the primary measure is told of."""
    primary = asked.primary()
    known = [
        m
        for m in asked.compared()
        if m == primary or (m.name in table and table[m.name].notna().any())
    ]
    made = []
    for code in grounded.listed(primary):
        rows = table[table["language"] == code]
        if rows.empty:
            continue
        words = rows.groupby("concept", observed=True)[TOKENS].mean()
        itself = code == grounded.reference
        made.append(
            LanguageRow(
                *(code, grounded.languages[code].name, grounded.resource(code)),
                *(len(rows), len(words)),
                float(words.mean()) if words.notna().any() else NOTHING,
                {m.name: mean_of(rows, m) for m in known if not (itself and m.relative)},
            )
        )
    return tuple(made)


def mean_of(rows: pd.DataFrame, measure: Measure) -> Estimate:
    """Mean of a measure over crossed pictures, concepts and seeds; NaN where nothing is known.

    The interval is cut where the measure ends.
    """
    values = rows[measure.name].to_numpy(float)
    known = ~np.isnan(values)
    if not known.any():
        return NO_ESTIMATE
    found = crossed_mean(
        values[known], [rows[factor].cat.codes.to_numpy()[known] for factor in CROSSED]
    )
    return found.within(*measure.bounds)


def word_rows(grounded: Grounded, table: pd.DataFrame, asked: Asked) -> tuple[WordRow, ...]:
    """Every concept in every language that the primary measure is told of."""
    primary = asked.primary()
    rows = _with_failure(grounded.listed(primary), table)
    grouped = rows.groupby(["language", "concept"], observed=True)
    wanted = list(dict.fromkeys([OVERLAP, PEAK, "lost", primary.name]))
    means = grouped[wanted].mean().reset_index()
    return tuple(
        WordRow(
            *(str(row["language"]), str(row["concept"])),
            grounded.resource(str(row["language"])),
            *(float(row[name]) for name in (OVERLAP, PEAK, "lost", primary.name)),
        )
        for row in means.to_dict("records")
    )


def failures(grounded: Grounded, table: pd.DataFrame, asked: Asked) -> tuple[Failure, ...]:
    """The failure mode per group of languages, each language weighing the same.

    Empty unless the paradigm declares both measures that it is read off.
    """
    if not _declares(asked, OVERLAP, PEAK):
        return ()
    rows = _with_failure([*grounded.group("high"), *grounded.group("low")], table)
    if not rows[PEAK].notna().any():
        return ()
    columns = [OVERLAP, PEAK, "kept", "lost"]
    means = rows.groupby("language", observed=True)[columns].mean()
    gone = rows[rows["kept"].notna() & (rows[OVERLAP] < PLACE_LOST)]
    kept = gone.groupby("language", observed=True)["kept"].mean()
    made = []
    for resource in ("high", "low"):
        codes = grounded.group(resource)
        own = means[means.index.isin(codes)]
        if len(own):
            made.append(
                Failure(
                    resource=resource,
                    iou=float(own[OVERLAP].mean()),
                    peak_ratio=float(own[PEAK].mean()),
                    share_kept=float(own["kept"].mean()),
                    share_lost=float(own["lost"].mean()),
                    kept_of_lost=float(kept[kept.index.isin(codes)].mean()),
                )
            )
    return tuple(made)


def _declares(asked: Asked, *names: str) -> bool:
    return set(names) <= {measure.name for measure in asked.measures}


def _with_failure(codes: Sequence[str], table: pd.DataFrame) -> pd.DataFrame:
    """Rows of some languages, and whether they keep the peak and lose the place.

    Maps without a peak ratio or an overlap are neither.
    """
    rows = table[table["language"].isin(codes)]
    rows = rows.assign(**{name: NOTHING for name in (OVERLAP, PEAK) if name not in rows})
    kept = (rows[PEAK] - 1).abs() <= PEAK_KEPT
    lost = kept & (rows[OVERLAP] < PLACE_LOST)
    known = rows[PEAK].notna() & rows[OVERLAP].notna()
    return rows.assign(kept=kept.astype(float).where(known), lost=lost.astype(float).where(known))


def empty_masks(grounded: Grounded, table: pd.DataFrame, asked: Asked) -> EmptyMasks | None:
    """How many maps of one population and condition are empty; None where it was not recorded.

    Centres are undefined where either map has no cluster, and the overlap of two empty masks is 1.
    """
    if not _declares(asked, OVERLAP, DISTANCE) or not {OVERLAP, DISTANCE} <= set(table):
        return None
    itself = table["language"] == grounded.reference
    empty = table[DISTANCE].isna()
    both = empty & (table[OVERLAP] == 1)
    return EmptyMasks(
        share_both=float(both[~itself].mean()),
        share_one=float((empty & ~both)[~itself].mean()),
        share_reference=float(empty[itself].mean()) if itself.any() else NOTHING,
    )


def against_chance(grounded: Grounded, table: pd.DataFrame, asked: Asked) -> tuple[Pointing, ...]:
    """Every language against the chance level of every measure that has one."""
    return tuple(
        test
        for measure in asked.compared()
        if measure.chance is not None and measure.name in table
        for test in _against_chance(grounded, table, measure, asked)
    )


def _against_chance(
    grounded: Grounded, table: pd.DataFrame, measure: Measure, asked: Asked
) -> Iterator[Pointing]:
    # No measure begins with an underscore.
    above = replace(measure, name="_above", bounds=NO_BOUNDS)
    true = next((one for one in asked.measures if one.name == TRUE and TRUE in table), None)
    rows = table[table[measure.name].notna()]
    level = rows.get(measure.chance, NOTHING) if isinstance(measure.chance, str) else measure.chance
    rows = rows.assign(_chance=level)
    rows = rows.assign(_above=rows[measure.name] - rows["_chance"])
    for code in grounded.listed(measure):
        own = rows[rows["language"] == code]
        if own.empty:
            continue
        difference = mean_of(own, above).within(-measure.span, measure.span)
        yield Pointing(
            *(code, grounded.resource(code), len(own), mean_of(own, measure)),
            *(float(own["_chance"].mean()), difference, difference.p_value, NOTHING),
            mean_of(own, true) if true else NO_ESTIMATE,
            measure.name,
        )


def holm_chance(tests: Sequence[Sequence[Pointing]]) -> list[tuple[Pointing, ...]]:
    """Fill in Holm-corrected p-values over all populations together."""
    corrected = iter(holm_p([test.p_value for own in tests for test in own]))
    return [tuple(replace(test, p_holm=next(corrected)) for test in own) for own in tests]


def fertility(rows: Sequence[LanguageRow], asked: Asked) -> Fertility | None:
    """Token length against the primary measure over languages.

    None where tokens are no measure of the paradigm, or there are too few languages or no lengths.
    """
    name = asked.primary().name
    known = [
        (row.tokens_per_word, row.measures[name].value)
        for row in rows
        if row.resource != "reference"
        and np.isfinite([row.tokens_per_word, row.measures[name].value]).all()
    ]
    if not known or not _declares(asked, TOKENS):
        return None
    found = rank_correlation([t for t, _ in known], [value for _, value in known])
    return Fertility(len(known), *found) if np.isfinite(found[0]) else None
