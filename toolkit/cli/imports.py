"""``import-mevgs``: what others have published, in the toolkit's own layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("import-mevgs")(import_mevgs)


def import_mevgs(
    source: Annotated[
        Path, typer.Argument(help="Published output folder, or output/CONFIG of one network.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the population folders.")],
    languages: Annotated[
        str, typer.Option(help="Codes, e.g. en,nl; only where the folder's name does not tell.")
    ] = "",
    hearing: Annotated[
        str, typer.Option(help="Speech backbone of the checkpoints: a name, or its folder.")
    ] = "wavlm-base-plus",
    seeing: Annotated[
        str, typer.Option(help="Picture backbone: a name, its folder, or its .pth file.")
    ] = "dino-resnet50",
) -> None:
    """Turn published me-vgs checkpoints into populations.

    Of every CONFIG/checkpoints/*neg-loss=*.pt the best is taken; the seeds of a configuration
    become one population. Files are read without running any code in them.

    Example: mevgs-toolkit import-mevgs me-vgs/output --out my-subjects
    """
    from toolkit.cli.progress import progress_bars
    from toolkit.subjects.importing import import_output

    codes = [code.strip() for code in languages.split(",") if code.strip()]
    with progress_bars(show=True) as progress:
        written = import_output(
            source, out, languages=codes, hearing=hearing, seeing=seeing, progress=progress
        )
    for one in written:
        typer.echo(f"{one.folder}: seeds {', '.join(one.seeds)}. {one.description}")
    if written[0].missing:
        typer.echo("\nThey cannot be run yet. Fetch this, then give the same command again:")
        for missing in written[0].missing:
            typer.echo(missing)
        typer.echo()
    typer.echo(f"Look: mevgs-toolkit list subjects --subjects {out}")
