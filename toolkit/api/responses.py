"""Answers of children beside those of models, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from toolkit.api.checks import optional
from toolkit.children.responses.beside import with_models
from toolkit.children.responses.rules import Rules
from toolkit.children.responses.taking import Responses, take_responses


def import_responses(
    folder: str | Path,
    *,
    experiment: str | Path | None = None,
    beside: Sequence[str | Path] = (),
    min_age_months: float | None = None,
    max_age_months: float | None = None,
    ages_in_years: bool = False,
    min_practice: float | None = None,
    min_trials: int | None = None,
    population: str = "",
    group: str = "",
    stimuli: str | Path | None = None,
    recode: Mapping[str, Mapping[str, str]] | None = None,
    skip_damaged: bool = False,
    skip_other: bool = False,
) -> Responses:
    """Answers that browsers, JATOS, DataPipe, OSF or PsychoPy left, as one trials table.

    Args:
        folder: of files, however deep; or a single file or archive.
        experiment: the exported folder that the answers must be of; without it they are held
            against each other, and against the stimulus set and the paradigm that are here.
        beside: runs of models on the same trials, which come into the same table.
        min_age_months: youngest age that is taken; None for no bound.
        max_age_months: oldest age.
        ages_in_years: ages were told in years.
        min_practice: smallest share of practice trials right; None for what the experiment itself
            asked for, or half where nothing says.
        min_trials: fewest test trials answered; None for all of a list.
        population: what the children are called; ``children-LANGUAGE`` where nothing is said.
        group: ``exposure``, or a CSV file with ``participant_id``, ``group`` and, if known,
            ``train_languages``: a population per group.
        stimuli: name or folder of the set that was shown, if it has moved.
        recode: new names of values by column, ``{"age_months": {"3.5": "42"}}``.
        skip_damaged: leave out, and list, files that cannot be read; else they are refused.
        skip_other: the same for answers of other experiments.

    Returns:
        ``table`` (``table.attrs["notes"]`` says what was found on the way), ``account`` with one
        row per session and damaged file, ``tally`` and ``rules`` in words.

    Raises:
        ToolkitError: naming every file that keeps the answers from being taken.
    """
    rules = Rules(
        min_age_months=min_age_months,
        max_age_months=max_age_months,
        min_practice=min_practice,
        min_trials=min_trials,
        ages_in_years=ages_in_years,
    )
    made = take_responses(
        Path(folder),
        rules,
        experiment=optional(experiment),
        stimuli=None if stimuli is None else str(stimuli),
        population=population,
        group=group,
        recode=recode,
        skip_damaged=skip_damaged,
        skip_other=skip_other,
    )
    if not beside:
        return made
    return replace(made, table=with_models(made.table, [Path(run) for run in beside]))
