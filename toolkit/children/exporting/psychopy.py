"""PsychoPy: a file of conditions, and the media that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimuli.cells import csv_text
from toolkit.children.columns import LIST_COLUMNS
from toolkit.children.exporting.media import as_files

if TYPE_CHECKING:
    from toolkit.children.exporting.experiment import Experiment

MEDIA = "media"
SHOWN = ("word_file", "left_image", "right_image", "correct_key")
"""Columns that an experiment in PsychoPy refers to; keys are the arrows left and right."""


def files(experiment: Experiment) -> dict[str, bytes]:
    """Files by their names: `conditions.csv`, whose rows say all that the answers need, and media.

    Args:
        experiment: what they are made of.
    """
    media = as_files(experiment.stimuli, experiment.lists.stimulus_ids)
    same = experiment.same
    names = [column.name for column in LIST_COLUMNS]
    rows = []
    for row in experiment.lists.rows():
        told = [media[str(row[name])][0] for name in ("word_id", "left_id", "right_id")]
        shown = [*(f"{MEDIA}/{name}" for name in told), row["target_side"]]
        rows.append([*(row[name] for name in names), *same.values(), *shown])
    table = csv_text([[*names, *same, *SHOWN], *rows])
    return {"conditions.csv": table.encode()} | {
        f"{MEDIA}/{name}": content for name, content in media.values()
    }
