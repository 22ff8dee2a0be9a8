"""What a study file holds: its schema. What it names is looked up by `toolkit.studies.checks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from stimuli.limits import CARDS, RESAMPLES, TRIALS_PER_CLASS
from stimuli.schemas import Between, Rule
from toolkit.statistics.power.models import LARGEST_LOGIT_SD
from toolkit.statistics.settings import DEFAULT_BOUND

EXAMPLE = Path(__file__).with_name("example-study.toml")
"""A study file that explains itself, and runs."""
NEW_COMMAND = "mevgs-toolkit new-study"
"""Writes it."""
DAYS_7 = 7 * 24 * 60
"""The longest chunk, in minutes."""


def _is_said(text: str) -> bool:
    return bool(text.strip())


def _is_address(text: str | None) -> bool:
    return text is None or (text.startswith(("https://", "http://")) and len(text.split()) == 1)


def _once(values: tuple[Any, ...]) -> bool:
    return bool(values) and len(set(values)) == len(values)


Said = Annotated[str, Rule("text that is not empty", _is_said)]
Texts = Annotated[tuple[Said, ...], Rule('a list of texts, as in ["one", "another"]')]
Names = Annotated[tuple[Said, ...], Rule("a list of one or more, each once", _once)]


@dataclass(frozen=True, kw_only=True)
class About:
    """``[study]``: what it is about, in words that are printed as they are."""

    title: Said
    """Title of the study and of its report."""
    hypotheses: Texts = ()
    """What is expected, one sentence each."""
    against: Texts = ()
    """What would count against the hypotheses."""
    exclusions: str = ""
    """Which data are left out, and why."""
    preregistration: Annotated[
        str | None,
        Rule("an address, as in https://osf.io/abcde", _is_address),
    ] = None
    """Where the study was registered."""
    notes: str = ""
    """Whatever else a reader must know."""
    paradigms: Said | None = None
    """Folder with paradigm files of one's own."""


@dataclass(frozen=True, kw_only=True)
class Train:
    """``[[train]]``: populations to be trained before anyone is asked."""

    grid: Said
    """A grid file, as ``train --example-grid`` prints one."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """``[[ask]]``: one paradigm put to some populations."""

    paradigm: Said
    """Its name."""
    subjects: Names | None = None
    """Populations, or single seeds of them; by default all that the study trains."""
    languages: Names | None = None
    """Test languages; by default those that each population knows."""
    stimuli: Said | None = None
    """Stimulus set; by default the paradigm's own."""
    trials_per_class: Annotated[int, Between(1, TRIALS_PER_CLASS)] | None = None
    """Trials per word class and condition, for paradigms of choices."""
    trial_seeds: (
        Annotated[
            tuple[Annotated[int, Between(0)], ...], Rule("a list of one or more, each once", _once)
        ]
        | None
    ) = None
    """Seeds of the trial lists, for paradigms of choices."""
    words: Said | None = None
    """List of written words, for paradigms of maps."""
    templates: Names | None = None
    """How written words are put, for paradigms of maps."""


@dataclass(frozen=True, kw_only=True)
class GateTable:
    """A condition every seed must pass in every test language."""

    condition: Said
    """Its name."""
    minimum: Annotated[float, Between(0, 1)]
    """Smallest accuracy that passes, share of 1."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """``[analysis]``: what is fixed before the data are looked at."""

    confirmatory: Texts = ()
    """Tests that decide about the hypotheses, by the names that ``check-study`` prints."""
    alpha: Annotated[float, Between(0.0001, 0.5)] = 0.05
    """Two-sided level of the tests."""
    equivalence_bound: Annotated[float, Between(0.001, 1)] = DEFAULT_BOUND
    """Difference, share of 1, below which groups count as equivalent."""
    gate: GateTable | None = None
    """Gate instead of their own, for the paradigms that have its condition."""
    bootstrap: Annotated[int, Between(0, RESAMPLES)] = 0
    """Simulations of the parametric bootstrap."""


@dataclass(frozen=True, kw_only=True)
class Power:
    """``[power]``: what the sample size rests on, as the options of ``power`` say it."""

    difference: Annotated[float, Between(-100, 100)] | None = None
    """Difference of two group means, percentage points."""
    odds_ratio: Annotated[float, Between(0, 1_000_000)] | None = None
    """Odds ratio between the groups, instead of a difference."""
    seed_sd: Annotated[float, Between(0, 100)]
    """SD over seeds: points with a difference, else log odds."""
    base_accuracy: Annotated[float, Between(0, 1)] | None = None
    """Accuracy of a typical seed and word in the first group; with an odds ratio."""
    word_sd: Annotated[float, Between(0, LARGEST_LOGIT_SD)] | None = None
    """SD over words, log odds; with an odds ratio."""
    slope_sd: Annotated[float, Between(0, LARGEST_LOGIT_SD)] | None = None
    """SD of the effect over words, log odds; with an odds ratio."""
    levels: tuple[float, ...] | None = None
    """Levels of a graded factor, rising: a trend is planned, and the odds ratio is of one unit."""
    seed_slope_sd: Annotated[float, Between(0, LARGEST_LOGIT_SD)] | None = None
    """SD of a trend over seeds, log odds per unit; with levels."""
    words: Annotated[int, Between(1, 10_000)] | None = None
    """Words; with an odds ratio."""
    trials_per_word: Annotated[int, Between(1, 1_000_000)] | None = None
    """Trials per word and seed; with an odds ratio."""
    test: Literal["welch", "mixed"] = "welch"
    """The test that is planned for."""
    target: Annotated[float, Between(0.01, 0.999)] = 0.8
    """Power wanted."""


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """``[report]``: what its page shows."""

    gallery: Annotated[int, Between(0, CARDS)] = 24
    """Trials to look at and listen to, per paradigm; 0 for none."""
    figures: bool = False
    """Whether every figure is written as SVG, PNG and CSV besides."""


@dataclass(frozen=True, kw_only=True)
class Executor:
    """``[executor.slurm]``: options that are passed to ``sbatch`` as they are."""

    slurm: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Such as ``partition``, ``account``, ``gres`` and ``time``."""


@dataclass(frozen=True, kw_only=True)
class Chunks:
    """``[chunks]``: how work is cut where many machines share it."""

    minutes: Annotated[int, Between(1, DAYS_7)] = 15
    """What one task should take."""


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """What a study file holds: its schema."""

    study: About
    """What it is about."""
    train: Annotated[tuple[Train, ...], Rule("one [[train]] or several")] = ()
    """What is trained."""
    ask: Annotated[tuple[Ask, ...], Rule("one [[ask]] or several", bool)]
    """Who is asked what."""
    analysis: Analysis = field(default_factory=Analysis)
    """What is tested."""
    power: Power | None = None
    """What the sample size rests on."""
    report: ReportTable = field(default_factory=ReportTable)
    """What the page shows."""
    executor: Executor = field(default_factory=Executor)
    """How work is handed to other machines."""
    chunks: Chunks = field(default_factory=Chunks)
    """How it is cut."""
