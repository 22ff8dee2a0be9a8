"""The summary of a run, the content of ``summary.json``: means over seeds, as they are printed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

SUMMARY_SCHEMA = 1
"""Raised when a key of the summary changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class SeedMean:
    """Mean over the seeds of one population in one test language and condition."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    condition: str
    """Which condition."""
    meaning: str = ""
    """What the condition means; empty where it is not known."""
    headline: bool
    """True for the test itself, False for a control."""
    n_seeds: int
    """Networks."""
    n_trials: int
    """Trials of all seeds."""
    n_ties: int = 0
    """Ties among them."""
    mean: float
    """Mean over seeds: share of 1 of correct answers, or of the primary measure of maps."""
    sd: float = math.nan
    """Standard deviation over seeds; NaN for a single seed, as are the next three."""
    std_error: float = math.nan
    """Standard error of the mean."""
    ci_low: float = math.nan
    """Lower end of the 95 % interval over seeds; NaN also where all seeds answer alike."""
    ci_high: float = math.nan
    """Upper end."""
    chance: float = math.nan
    """Chance level; NaN where there is none."""
    others: Mapping[str, float] = field(default_factory=dict)
    """Means of further measures by name, written as fields; NaN where they were not taken."""
    seeds: Mapping[str, float] = field(default_factory=dict)
    """The mean of every seed."""
    unit: str = "seed"
    """What stands for a participant: ``seed``, or ``draw`` where networks learnt different draws
    of familiar words; what is said of seeds then holds of draws."""
    rest: ClassVar[str] = "others"
    """Field that holds what is written beside the fields."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What was asked in a run and how it was answered."""

    schema: int = SUMMARY_SCHEMA
    """Version of what is written."""
    run_id: str = ""
    """Name of the run; empty for a table from elsewhere."""
    paradigm: str
    """Name of the paradigm."""
    paradigm_version: int
    """Its version."""
    question: str
    """What it asks."""
    paradigm_kind: str = ""
    """Its kind; empty in summaries of earlier runs."""
    measure: str = ""
    """What the means are of, by name; empty likewise."""
    stimuli: Mapping[str, Any] = field(default_factory=dict)
    """Name, version and checksum of the stimulus set."""
    trials_per_class: int | None = None
    """Trials per word class and condition; None where nothing was drawn."""
    trial_seed: int | None = None
    """Number of the trial list; None likewise."""
    warnings: tuple[str, ...] = ()
    """What was noticed while the run was made."""
    results: tuple[SeedMean, ...]
    """Means over seeds."""
