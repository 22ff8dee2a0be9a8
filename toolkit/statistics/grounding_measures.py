"""What is told of every language and word: means, truth, failure, word length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.contrasts import holm_p
from toolkit.statistics.grounding_data import BOUNDS, MEASURES, PRIMARY, Grounded
from toolkit.statistics.grounding_languages import (
    CROSSED,
    Estimate,
    crossed_mean,
    rank_correlation,
)

if TYPE_CHECKING:
    import pandas as pd

PEAK_KEPT = 0.1
"""A peak within so much of the reference's counts as kept."""
PLACE_LOST = 0.5
"""An overlap below this counts as a place that is lost."""
NOTHING = float("nan")
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
    """``low`` or ``high``."""
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
    """Overlap of cluster masks with the reference's."""
    peak_ratio: float
    """Highest similarity over that of the reference; NaN if not measured."""
    share_lost: float
    """Share of maps whose peak is kept (`PEAK_KEPT`) and whose place is lost (`PLACE_LOST`)."""


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
    """Grounding of one language against the true masks."""

    language: str
    """Code; the reference is among them."""
    resource: str
    """Of the language; ``reference`` for the reference."""
    n_rows: int
    """Picture x concept x seed with a true mask."""
    accuracy: Estimate
    """Share of maps whose highest point lies inside the true mask."""
    chance: float
    """Mean share of the picture that the mask covers; NaN if it was not recorded."""
    difference: Estimate
    """accuracy - chance, each map against its own mask."""
    p_value: float
    """Of the difference, two-sided, over pictures, concepts and seeds."""
    p_holm: float
    """Corrected after Holm over all languages and populations in the primary condition; NaN in
    others."""
    iou_true: Estimate
    """Overlap of the cluster mask with the true mask."""


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
    """Token length of words against overlap, over languages: exploratory."""

    n_languages: int
    """Languages without the reference."""
    correlation: float
    """Spearman's correlation of tokens per word with mean overlap."""
    ci_low: float
    """Lower end of its 95 % interval."""
    ci_high: float
    """Upper end."""
    p_value: float
    """Two-sided."""


def language_rows(grounded: Grounded, table: pd.DataFrame) -> tuple[LanguageRow, ...]:
    """Every language of one population and condition except the reference."""
    codes = [*grounded.group("high"), *grounded.group("low")]
    known = [name for name in MEASURES if name in table and table[name].notna().any()]
    made = []
    for code in codes:
        rows = table[table["language"] == code]
        if rows.empty:
            continue
        words = rows.groupby("concept", observed=True)["tokens_per_word"].mean()
        about = grounded.languages[code]
        made.append(
            LanguageRow(
                *(code, about.name, about.resource, len(rows), len(words)),
                float(words.mean()) if words.notna().any() else NOTHING,
                {name: mean_of(rows, name) for name in known},
            )
        )
    return tuple(made)


def mean_of(rows: pd.DataFrame, name: str) -> Estimate:
    """Mean of a column over crossed pictures, concepts and seeds; NaN where nothing is known.

    The interval is cut where the measure ends.
    """
    values = rows[name].to_numpy(float)
    known = ~np.isnan(values)
    if not known.any():
        return NO_ESTIMATE
    found = crossed_mean(
        values[known], [rows[factor].cat.codes.to_numpy()[known] for factor in CROSSED]
    )
    return found.within(*BOUNDS.get(name, (-np.inf, np.inf)))


def word_rows(grounded: Grounded, table: pd.DataFrame) -> tuple[WordRow, ...]:
    """Every concept in every language except the reference."""
    rows = _with_failure(grounded, table)
    grouped = rows.groupby(["language", "concept"], observed=True)
    means = grouped[[PRIMARY, "peak_ratio", "lost"]].mean().reset_index()
    return tuple(
        WordRow(
            *(str(row["language"]), str(row["concept"])),
            grounded.languages[str(row["language"])].resource,
            *(float(row[name]) for name in (PRIMARY, "peak_ratio", "lost")),
        )
        for row in means.to_dict("records")
    )


def failures(grounded: Grounded, table: pd.DataFrame) -> tuple[Failure, ...]:
    """The failure mode per group of languages, each language weighing the same."""
    rows = _with_failure(grounded, table)
    if not rows["peak_ratio"].notna().any():
        return ()
    columns = [PRIMARY, "peak_ratio", "kept", "lost"]
    means = rows.groupby("language", observed=True)[columns].mean()
    gone = rows[rows["kept"].notna() & (rows[PRIMARY] < PLACE_LOST)]
    kept = gone.groupby("language", observed=True)["kept"].mean()
    made = []
    for resource in ("high", "low"):
        codes = grounded.group(resource)
        own = means[means.index.isin(codes)]
        if len(own):
            made.append(
                Failure(
                    resource=resource,
                    iou=float(own[PRIMARY].mean()),
                    peak_ratio=float(own["peak_ratio"].mean()),
                    share_kept=float(own["kept"].mean()),
                    share_lost=float(own["lost"].mean()),
                    kept_of_lost=float(kept[kept.index.isin(codes)].mean()),
                )
            )
    return tuple(made)


def _with_failure(grounded: Grounded, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of all languages but the reference, and whether they keep the peak and lose the place.

    Maps without a peak ratio are neither.
    """
    codes = [*grounded.group("high"), *grounded.group("low")]
    rows = table[table["language"].isin(codes)]
    if "peak_ratio" not in rows:
        rows = rows.assign(peak_ratio=NOTHING)
    kept = (rows["peak_ratio"] - 1).abs() <= PEAK_KEPT
    lost = kept & (rows[PRIMARY] < PLACE_LOST)
    known = rows["peak_ratio"].notna() & rows[PRIMARY].notna()
    return rows.assign(kept=kept.astype(float).where(known), lost=lost.astype(float).where(known))


def empty_masks(grounded: Grounded, table: pd.DataFrame) -> EmptyMasks | None:
    """How many maps of one population and condition are empty; None where it was not recorded.

    Centres are undefined where either map has no cluster, and the overlap of two empty masks is 1.
    """
    if "centre_distance_px" not in table:
        return None
    itself = table["language"] == grounded.reference
    empty = table["centre_distance_px"].isna()
    both = empty & (table[PRIMARY] == 1)
    return EmptyMasks(
        share_both=float(both[~itself].mean()),
        share_one=float((empty & ~both)[~itself].mean()),
        share_reference=float(empty[itself].mean()) if itself.any() else NOTHING,
    )


def pointing(grounded: Grounded, table: pd.DataFrame) -> tuple[Pointing, ...]:
    """Every language against the true masks; empty where there are none."""
    rows = table[table["pointing"].notna()]
    made = []
    for code in [grounded.reference, *grounded.group("high"), *grounded.group("low")]:
        own = rows[rows["language"] == code]
        if own.empty:
            continue
        resource = grounded.languages[code].resource if code != grounded.reference else "reference"
        own = own.assign(above=own["pointing"] - own["mask_share"])
        difference = mean_of(own, "above").within(-1, 1)
        made.append(
            Pointing(
                *(code, resource, len(own), mean_of(own, "pointing")),
                *(float(own["mask_share"].mean()), difference, difference.p_value, NOTHING),
                mean_of(own, "iou_true") if "iou_true" in own else NO_ESTIMATE,
            )
        )
    return tuple(made)


def holm_pointing(tests: Sequence[Sequence[Pointing]]) -> list[tuple[Pointing, ...]]:
    """Fill in Holm-corrected p-values over all populations together."""
    corrected = iter(holm_p([test.p_value for own in tests for test in own]))
    return [tuple(replace(test, p_holm=next(corrected)) for test in own) for own in tests]


def fertility(rows: Sequence[LanguageRow]) -> Fertility | None:
    """Token length against overlap over languages; None where there are too few or no lengths."""
    known = [
        (row.tokens_per_word, row.measures[PRIMARY].value)
        for row in rows
        if np.isfinite(row.tokens_per_word) and PRIMARY in row.measures
    ]
    if not known:
        return None
    found = rank_correlation([t for t, _ in known], [iou for _, iou in known])
    return Fertility(len(known), *found) if np.isfinite(found[0]) else None
