"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StimuliOption = Annotated[
    str, typer.Option(help="Stimulus set: a name from 'list stimuli' or a folder.")
]
SubjectsOption = Annotated[
    Path | None, typer.Option(help="Folder with population folders of your own.")
]
ParadigmsOption = Annotated[
    Path | None, typer.Option(help="Folder with paradigm files of your own.")
]
WordsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="List of written words (TOML) instead of the set's own."),
]
