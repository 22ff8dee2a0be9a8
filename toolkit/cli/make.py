"""``new-paradigm`` and ``export``: things that write files."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say
from stimuli.wording import count
from toolkit.cli.options import ParadigmsOption
from toolkit.cli.tasks import PREPARE, REPORT
from toolkit.errors import ToolkitError, quoted


class Form(enum.StrEnum):
    """How a run is written."""

    CSV = "csv"
    PSYCH_DS = "psych-ds"


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
        Path,
        typer.Argument(
            help="Run folder, its trials.parquet, or a table of import-trials or import-responses."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="CSV file to write; the folder of a dataset.")
    ],
    form: Annotated[
        Form, typer.Option("--format", help="One CSV file, or a Psych-DS dataset.")
    ] = Form.CSV,
    title: Annotated[
        str, typer.Option(help="Of the dataset [name of the run].", show_default=False)
    ] = "",
    author: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Who collected the data. Repeatable."),
    ] = None,
    licence: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="How the dataset may be used, e.g. CC-BY-4.0.", show_default=False
        ),
    ] = "",
    paradigms: ParadigmsOption = None,
) -> None:
    """Write the trials of a run as CSV, or as a Psych-DS dataset.

    For R or a spreadsheet; columns as in trials.parquet, or as import-trials made them. Text that
    a spreadsheet would take for a formula (= + - @) gets an apostrophe in front, which is taken
    away when the file is read here. A dataset holds data, a dictionary of all columns, README and
    citation, meets every rule of Psych-DS, and import-trials DIR reads it back unchanged.

    \b
    Examples:
      mevgs-toolkit export mevgs-runs/me-perfect-1a2b3c4d --out trials.csv
      mevgs-toolkit export children.parquet --out children.csv
      mevgs-toolkit export both.parquet --format psych-ds --out dataset --author "A. Name"
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    if form is Form.PSYCH_DS:
        from toolkit.api.datasets import export_psych_ds

        made = export_psych_ds(
            run,
            out,
            title=title,
            authors=author or (),
            licence=licence,
            paradigms_dir=paradigms,
        )
        say(f"Psych-DS dataset written to {made}")
        if not author:
            say("Note: nobody is named as its author; --author NAME does so.")
        say(f"Read it back: mevgs-toolkit import-trials {quoted(made)} --out trials.parquet")
        return
    _refuse_for_csv(title, author, licence)
    from stimuli.cells import guarded_table
    from stimuli.files import write_atomic
    from toolkit.tables.longtable import read_whole

    table = read_whole(run)
    with write_atomic(out) as unfinished:
        guarded_table(table).to_csv(unfinished, index=False)
    say(f"{count(len(table), 'trial')} written to {out}")


def _refuse_for_csv(title: str, author: list[str] | None, licence: str) -> None:
    """A CSV file holds trials alone."""
    given = [name for name, value in (("--title", title), ("--author", author),
                                      ("--licence", licence)) if value]  # fmt: skip
    if given:
        raise ToolkitError(
            "Title, author and licence belong to a dataset, not to a CSV file.",
            given=", ".join(given),
            next_command="add --format psych-ds",
        )
