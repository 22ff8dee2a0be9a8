"""Trials to look at and listen to: pictures and sounds go into the page itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.parts import Answers, Card, Option
from reports.pictures import data_address

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from stimuli import StimulusSet
    from toolkit.statistics.choices.results import Analysis


def cards(chapter: Chapter[Analysis], stimuli: StimulusSet | None) -> list[Card]:
    """The picked trials of a paradigm, with pictures and sounds where they are at hand."""
    records = chapter.digest.picked.to_dict("records")
    shown = {
        str(row[name]) for row in records for name in ("word_id", "target_id", "distractor_id")
    }
    known = _about(shown, stimuli)
    trials = itertools.groupby(records, key=lambda row: row["rank"])
    return [_card(list(rows), known) for _, rows in trials]


def _about(names: set[str], stimuli: StimulusSet | None) -> dict[str, dict[str, str]]:
    """The rows of the set's table that are wanted, with the address of each file's content."""
    if stimuli is None:
        return {}
    table = stimuli.table[stimuli.table.index.isin(list(names))]
    rows = zip(table.index, table.to_dict("records"), strict=True)
    return {
        str(name): {
            **{str(column): str(value) for column, value in row.items()},
            "address": data_address(stimuli.folder / str(row["path"]), upright=stimuli.upright),
        }
        for name, row in rows
    }


def _card(rows: Sequence[Mapping[Any, Any]], known: Mapping[str, Mapping[str, str]]) -> Card:
    first = rows[0]
    nothing: Mapping[str, str] = {}
    word, target, distractor = (
        known.get(str(first[name]), nothing) for name in ("word_id", "target_id", "distractor_id")
    )
    options: tuple[Option, ...] = ()
    if target and distractor and int(first["n_choices"]) == 2:
        options = (
            Option(str(first["target_concept"]), True, target["address"]),
            Option(str(first["distractor_concept"]), False, distractor["address"]),
        )
        if int(first["target_position"]):
            options = options[::-1]
    answers: dict[str, list[tuple[str, bool, float, str]]] = {}
    for row in rows:
        answers.setdefault(str(row["population"]), []).append(
            (
                *(str(row["seed"]), bool(row["correct"]), float(row["margin"])),
                str(row["distractor_concept"]),
            )
        )
    return Card(
        kind=str(first["kind"]),
        language=str(first["test_language"]),
        word=word.get("word") or str(first["word_concept"]),
        concept=str(first["word_concept"]),
        voice=word.get("voice", ""),
        sound=word.get("address", ""),
        options=options,
        share_correct=float(first["share_correct"]),
        mean_margin=float(first["mean_margin"]),
        answers=tuple(Answers(name, tuple(seeds)) for name, seeds in answers.items()),
    )
