"""``new-paradigm`` and ``export``: things that write files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say
from toolkit.cli.tasks import PREPARE, REPORT
from toolkit.errors import quoted


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("new-paradigm", rich_help_panel=PREPARE)(new_paradigm)
    app.command(rich_help_panel=REPORT)(export)


def new_paradigm(
    name: Annotated[str, typer.Argument(help="Name on the command line, e.g. my-paradigm.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("my-paradigms"),
) -> None:
    """Write a working paradigm to be edited.

    The file is commented and comes with its test. It asks for choices between pictures; for one of
    maps, subclass MapParadigm as dense-grounding does (paradigms/dense_grounding.py).

    Example: mevgs-toolkit new-paradigm my-paradigm
    """
    from paradigms.new import write_paradigm

    written = write_paradigm(name, out)
    for path in written:
        say(f"Written: {path}")
    say("Kind:    choices (its class is one of PicturePairs)")
    say(f"Run it:  mevgs-toolkit run-paradigm {name} --paradigms {quoted(out)} --subject perfect")
    say(f"Test it: pytest {quoted(out)}")


def export(
    run: Annotated[
        Path, typer.Argument(help="Run folder, its trials.parquet, or a table of import-trials.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV file to write.")],
) -> None:
    """Write the trials of a run as CSV.

    For R or a spreadsheet; columns as in trials.parquet, or as import-trials made them. Text that
    a spreadsheet would take for a formula (= + - @) gets an apostrophe in front, which is taken
    away when the file is read here.

    \b
    Examples:
      mevgs-toolkit export mevgs-runs/me-perfect-1a2b3c4d --out trials.csv
      mevgs-toolkit export children.parquet --out children.csv
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from stimuli.cells import guarded_table
    from stimuli.files import write_atomic
    from toolkit.tables.longtable import read_whole

    table = read_whole(run)
    with write_atomic(out) as unfinished:
        guarded_table(table).to_csv(unfinished, index=False)
    say(f"{len(table)} trials written to {out}")
