"""Options that several commands share: what one means is said here, once."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from stimuli.limits import JOBS
from toolkit.cli.completion import language_codes, set_names, subject_names

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
        autocompletion=subject_names,
    ),
]
LanguageOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE",
        help="Test language; by default those the population knows. Repeatable.",
        autocompletion=language_codes,
    ),
]
StimuliOption = Annotated[
    str | None,
    typer.Option(
        help="Stimulus set: a name from 'list stimuli' or a folder; by default mini, or that which "
        "the subjects say.",
        show_default=False,
        autocompletion=set_names,
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
JobsOption = Annotated[
    int,
    typer.Option(
        min=1,
        max=JOBS,
        help="Seeds embedded at the same time. Networks trained here use all cores with 1 already; "
        "more is for subjects of your own.",
    ),
]
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


def pairs(option: str, given: Sequence[str], *, empty: bool = False) -> dict[str, str]:
    """NAME=VALUE pairs, several in one argument; a value with a comma stands in quotes.

    Args:
        option: what it is called in messages.
        given: its arguments.
        empty: whether there may be nothing behind the sign.

    Raises:
        ToolkitError: a part is no pair, or a name is there twice.

    Example:
        >>> pairs("--set", ["population=children,n_choices=2"])
        {'population': 'children', 'n_choices': '2'}
    """
    from toolkit.errors import ToolkitError

    made: dict[str, str] = {}
    for part in parts(given):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and (value or empty)) or name in made:
            raise ToolkitError(
                f"{option} has {name!r} twice." if name in made else f"{option} is not readable.",
                given=part,
                allowed="NAME=VALUE, each name once, separated by commas",
            )
        made[name] = value
    return made


def parts(given: Sequence[str]) -> list[str]:
    """What commas separate; a part with a comma stands in quotes.

    Args:
        given: arguments of an option that may be repeated.

    Example:
        >>> parts(["-99,.", "none"])
        ['-99', '.', 'none']
    """
    import csv

    return [part for row in csv.reader(given, skipinitialspace=True) for part in row]


def renamings(given: Sequence[str]) -> dict[str, dict[str, str]]:
    """New names of values by column, from NAME:OLD=NEW.

    Args:
        given: arguments of the option.

    Raises:
        ToolkitError: one cannot be read, or is given twice.

    Example:
        >>> renamings(["condition:NF=novel-familiar,condition:NN="])
        {'condition': {'NF': 'novel-familiar', 'NN': ''}}
    """
    from toolkit.errors import ToolkitError

    made: dict[str, dict[str, str]] = {}
    for where, new in pairs("--recode", given, empty=True).items():
        name, colon, old = where.partition(":")
        if not (name and colon and old):
            raise ToolkitError(
                "--recode is not readable.",
                given=f"{where}={new}",
                allowed="NAME:OLD=NEW, separated by commas, e.g. condition:NF=novel-familiar; "
                "nothing or NA behind the = for a missing value",
            )
        made.setdefault(name, {})[old] = new
    return made
