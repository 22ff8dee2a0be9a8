"""The README of an exported folder, for whoever runs the experiment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from toolkit.children.exporting.media import warnings_of
from toolkit.children.exporting.page import text_of

if TYPE_CHECKING:
    from toolkit.children.exporting.experiment import Experiment

TRIAL_S = 8
"""Seconds that a child takes for a trial, besides the silence; only for the README."""


def readme(experiment: Experiment, form: str) -> str:
    """The README as Markdown.

    Args:
        experiment: what the folder holds.
        form: its format.
    """
    lists, choices = experiment.lists, experiment.choices
    n_rows = len(lists.lists[0])
    return text_of(
        "README.md.jinja",
        design=experiment.design,
        choices=choices,
        form=form,
        n_rows=n_rows,
        minutes=math.ceil(n_rows * (TRIAL_S + choices.silence_s) / 60),
        notes=[*lists.notes, *warnings_of(experiment.stimuli, lists.stimulus_ids)],
    )
