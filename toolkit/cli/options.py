"""Options that several commands share: what one means is said here, once."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from stimuli.limits import JOBS

RUNS = Path("mevgs-runs")
"""Folder of the runs where none is named."""
HEARING, SEEING = "wavlm-base-plus", "dino-resnet50"
"""Backbones of the published experiment."""


class Format(enum.StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


SubjectOption = Annotated[
    list[str],
    typer.Option(
        metavar="POPULATION",
        help="Population (all its seeds), one seed of it, or the folder of one, e.g. "
        "bilingual-en-nl, bilingual-en-nl/c or my-subjects/mine. Repeatable.",
    ),
]
LanguageOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE", help="Test language; by default those the population knows. Repeatable."
    ),
]
StimuliOption = Annotated[
    str | None,
    typer.Option(
        help="Stimulus set: a name from 'list stimuli' or a folder; by default mini, or that which "
        "the subjects say.",
        show_default=False,
    ),
]
WordsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="List of written words (TOML) instead of the set's own."),
]
SubjectsOption = Annotated[
    Path | None, typer.Option(help="Folder with population folders of your own.")
]
FeaturesOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of features (extract-features) that stand in the place of frozen backbones.",
    ),
]
ParadigmsOption = Annotated[
    Path | None, typer.Option(help="Folder with paradigm files of your own.")
]
MetaLabOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="MetaLab's mutual_exclusivity.csv (not included: its licence is not stated).",
    ),
]
RunsOption = Annotated[Path, typer.Option("--out", help="Folder that holds the runs.")]
JobsOption = Annotated[int, typer.Option(min=1, max=JOBS, help="Seeds embedded at the same time.")]
DeviceOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="Where networks compute: cpu, cuda, cuda:N, mps or auto."),
]
PrecisionOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="How a card computes: float32, or tf32 or bf16 (cuda)."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="What is printed.")]
AlphaOption = Annotated[
    float, typer.Option(min=0.0001, max=0.5, help="Two-sided level of the tests.")
]
HearingOption = Annotated[str, typer.Option(help="Speech backbone: a name, or its folder.")]
SeeingOption = Annotated[
    str, typer.Option(help="Picture backbone: a name, its folder, or its .pth file.")
]
NewPopulationsOption = Annotated[
    Path, typer.Option("--out", help="Folder for the population folders.")
]
NewSetOption = Annotated[Path, typer.Option("--out", help="Folder of the stimulus set to make.")]
