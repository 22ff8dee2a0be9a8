"""What must be told beside an analysis about the tables that it read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.statistics.choices.conditions import choices_notes, condition_notes
from toolkit.statistics.choices.items import shared_words_notes
from toolkit.statistics.choices.lists import list_notes, list_sentences, list_variation
from toolkit.tables.spelling import spelling_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from paradigms import BaseParadigm
    from toolkit.statistics.choices.results import Analysis


def told_of_reading(
    analysis: Analysis,
    counts: pd.DataFrame,
    by_list: pd.DataFrame,
    pairs: pd.DataFrame,
    paradigm: type[BaseParadigm] | BaseParadigm,
    notes: Sequence[str],
) -> Analysis:
    """Add to an analysis what the tables behind it ask to be known.

    Args:
        analysis: of one paradigm.
        counts: those that it started from, see `toolkit.statistics.choices.counts.read_lists`.
        by_list: the same per trial list.
        pairs: the same per word and distractor.
        paradigm: the paradigm.
        notes: notes from reading the tables.

    Returns:
        The analysis with ``lists`` (how accuracy varies over trial lists, see `list_variation`;
        empty with a single list), sentences about them, and warnings about tables named twice,
        conditions that the paradigm does not know, names in two spellings, numbers of choices that
        differ within a condition, and populations that were not asked the same words or lists.
    """
    variation = list_variation(by_list)
    tests = [condition.name for condition in paradigm.conditions if condition.headline]
    own = counts[counts["condition"].isin(tests)]
    warnings = [
        *notes,
        *condition_notes(counts["condition"].unique(), paradigm),
        *choices_notes(own),
        *spelling_notes(counts.drop(columns="distractor_concept")),
        *spelling_notes(pairs[["distractor_concept", "n_trials"]]),
        *shared_words_notes(own),
        *list_notes(by_list[by_list["condition"].isin(tests)]),
    ]
    return replace(
        analysis,
        sentences=(*analysis.sentences, *list_sentences(variation, tests)),
        warnings=(*analysis.warnings, *warnings),
        lists=variation,
    )
