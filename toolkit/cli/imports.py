"""``import-mevgs`` and ``import-data``: what others published, in the toolkit's own layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say
from toolkit.cli.options import (
    HEARING,
    SEEING,
    HearingOption,
    NewPopulationsOption,
    NewSetOption,
    SeeingOption,
)
from toolkit.cli.tasks import PREPARE, TRAIN
from toolkit.errors import quoted


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("import-mevgs", rich_help_panel=TRAIN)(import_mevgs)
    app.command("import-data", rich_help_panel=PREPARE)(import_data)


def import_mevgs(
    source: Annotated[
        Path, typer.Argument(help="Published output folder, or output/CONFIG of one network.")
    ],
    out: NewPopulationsOption,
    languages: Annotated[
        str, typer.Option(help="Codes, e.g. en,nl; only where the folder's name does not tell.")
    ] = "",
    hearing: HearingOption = HEARING,
    seeing: SeeingOption = SEEING,
) -> None:
    """Turn published me-vgs checkpoints into populations.

    Of every CONFIG/checkpoints/*neg-loss=*.pt the best is taken; the seeds of a configuration
    become one population. Files are read without running any code in them.

    Example: mevgs-toolkit import-mevgs me-vgs/output --out my-subjects
    """
    from toolkit.cli.progress import progress_bars
    from toolkit.subjects.vgs.importing import import_output

    codes = [code.strip() for code in languages.split(",") if code.strip()]
    with progress_bars(show=True) as progress:
        written = import_output(
            source, out, languages=codes, hearing=hearing, seeing=seeing, progress=progress
        )
    for one in written:
        say(f"{one.folder}: seeds {', '.join(one.seeds)}. {one.description}")
    for note in (note for one in written for note in one.notes):
        say(note)
    if missing := list(dict.fromkeys(text for one in written for text in one.missing)):
        say("\nThey cannot be run yet. Fetch this, then give the same command again:")
        for text in missing:
            say(text)
        say("or ask them on features, run-paradigm --features DIR\n")
    say(f"Look: mevgs-toolkit list subjects --subjects {quoted(out)}")


def import_data(
    source: Annotated[
        Path, typer.Argument(help="Folder with data/filelists, data/images, data/<language>_words.")
    ],
    out: NewSetOption,
) -> None:
    """Turn published me-vgs data into a stimulus set.

    Its files are links to the originals; clips that are not mono at 16 kHz are converted. The
    published test lists become the trials of familiar and me.

    Example: mevgs-toolkit import-data me-vgs --out my-stimuli
    """
    from stimuli.importing import import_layout
    from toolkit.cli.progress import progress_bars

    with progress_bars(show=True) as progress:
        made = import_layout(source, out, progress=progress)
    for what, counts in (("files", made.counts), ("fixed trials", made.trials)):
        for name, n in counts.items():
            say(f"{n:7} {what}: {name}")
    if made.converted:
        say(f"{made.converted:7} clips converted to mono at 16 kHz")
    if made.moved:
        shown = ", ".join(made.moved[:5]) + (", ..." if len(made.moved) > 5 else "")
        say(
            f"{len(made.moved):7} files in several splits count for test, else for validation: "
            f"{shown}"
        )
    say(f"Ask: mevgs-toolkit run-paradigm me --stimuli {quoted(out)} --subject POPULATION")
