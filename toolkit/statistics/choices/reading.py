"""What must be told beside an analysis about the tables that it read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.statistics.choices.conditions import condition_notes
from toolkit.statistics.choices.items import shared_words_notes
from toolkit.statistics.choices.lists import list_notes, list_sentences, list_variation
from toolkit.statistics.models.results import plain
from toolkit.tables.spelling import spelling_notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from paradigms import BaseParadigm


def told_of_reading(
    content: Mapping[str, Any],
    by_list: pd.DataFrame,
    paradigm: type[BaseParadigm] | BaseParadigm,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Add to an analysis what the tables behind it ask to be known.

    Args:
        content: an analysis of one paradigm, as in ``statistics.json``.
        by_list: the counts that it started from, see
            `toolkit.statistics.choices.counts.read_lists`.
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
    own = by_list[by_list["condition"].isin(tests)]
    warnings = [
        *notes,
        *condition_notes(by_list["condition"].unique(), paradigm),
        *choices_notes(own),
        *spelling_notes(by_list),
        *shared_words_notes(own),
        *list_notes(own),
    ]
    return {
        **content,
        "sentences": [*content["sentences"], *list_sentences(variation, tests)],
        "warnings": [*content["warnings"], *warnings],
        "lists": plain(variation.to_dict("records")),
    }


def choices_notes(counts: pd.DataFrame) -> list[str]:
    """Say where the number of options differs within a test, since chance then does, too.

    Example:
        >>> import pandas as pd
        >>> choices_notes(pd.DataFrame({
        ...     "condition": "nf", "population": "p", "test_language": "en",
        ...     "n_choices": [2, 4], "n_trials": [30, 10],
        ... }))
        ['p in en, nf: trials offered 2 or 4 options; chance is the mean over trials, 43.8 %.']
    """
    notes = []
    cell = ["population", "test_language", "condition"]
    for (population, language, condition), own in counts.groupby(cell, observed=True):
        options = sorted(map(int, own["n_choices"].unique()))
        if len(options) > 1:
            chance = (own["n_trials"] / own["n_choices"]).sum() / own["n_trials"].sum()
            notes.append(
                f"{population} in {language}, {condition}: trials offered "
                f"{' or '.join(map(str, options))} options; chance is the mean over trials, "
                f"{100 * chance:.1f} %."
            )
    return notes
