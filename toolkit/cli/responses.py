"""``import-responses``: answers of children, as browsers, JATOS or PsychoPy leave them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say
from stimuli.wording import count
from toolkit.cli.options import renamings
from toolkit.cli.tasks import CHILDREN
from toolkit.errors import quoted


class Ages(enum.StrEnum):
    """What the ages in the answers are."""

    MONTHS = "months"
    YEARS = "years"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import-responses", rich_help_panel=CHILDREN)(import_responses)


def import_responses(
    folder: Annotated[
        Path, typer.Argument(help="Folder of answers, however deep; or a single file or archive.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "--out",
            "-o",
            help="Parquet file to write [FOLDER.parquet, here].",
            show_default=False,
        ),
    ] = None,
    experiment: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Exported folder that the answers must be of."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN", help="Run of models on the same trials, into the same table. Repeatable."
        ),
    ] = None,
    min_age: Annotated[
        float | None,
        typer.Option("--min-age-months", min=0, max=1200, help="Youngest age that is taken."),
    ] = None,
    max_age: Annotated[
        float | None,
        typer.Option("--max-age-months", min=0, max=1200, help="Oldest age that is taken."),
    ] = None,
    ages: Annotated[Ages, typer.Option(help="What ages in the answers are.")] = Ages.MONTHS,
    min_practice: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Smallest share of practice trials right [what the experiment says].",
            show_default=False,
        ),
    ] = None,
    min_trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            help="Fewest test trials answered [all of a list].",
            show_default=False,
        ),
    ] = None,
    population: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What the children are called [children-LANGUAGE].",
            show_default=False,
        ),
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            metavar="exposure|FILE",
            help="A population per group: by the languages that a child hears (20 % or more), or "
            "by a CSV with participant_id, group and, if known, train_languages.",
            show_default=False,
        ),
    ] = "",
    stimuli: Annotated[
        str | None,
        typer.Option(metavar="NAME|DIR", help="The stimulus set that was shown, if it has moved."),
    ] = None,
    recode: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:OLD=NEW,...",
            help="Values to rename before they are looked at, e.g. age_months:3.5=42.",
        ),
    ] = None,
    skip_damaged: Annotated[
        bool,
        typer.Option("--skip-damaged", help="Leave out, and list, files that cannot be read."),
    ] = False,
    skip_other: Annotated[
        bool,
        typer.Option("--skip-other", help="Leave out, and list, answers of other experiments."),
    ] = False,
) -> None:
    """Bring answers of children into our form, and account for every file.

    CSV and JSON of an exported page, results of JATOS (.jrzip, .zip, .txt, folder), downloads of
    DataPipe or OSF, PsychoPy's CSV. Children stand beside models: the same columns, subject_kind
    child, with age_months and response_time_s. Stimuli, paradigm version and lists are checked.
    Beside the table lies NAME.sessions.csv, one row per session or damaged file: taken, or why not
    (age, practice, incomplete, repeated participant, same session, damaged, other experiment).

    \b
    Examples:
      mevgs-toolkit import-responses downloads -o children.parquet --experiment my-experiment
      mevgs-toolkit import-responses jatos_results.jrzip -o children.parquet \\
        --min-age-months 24 --max-age-months 48 --min-trials 12
      mevgs-toolkit import-responses downloads -o both.parquet --group exposure \\
        --beside mevgs-runs/me-bilingual-en-nl-1a2b3c4d
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.api.responses import import_responses as take
    from toolkit.errors import ToolkitError
    from toolkit.tables.longtable import write_long

    output = output or Path(f"{folder.absolute().name.partition('.')[0]}.parquet")
    if output.suffix.lower() != ".parquet":
        raise ToolkitError(
            "The table is written as Parquet, which keeps what its columns mean.",
            given=str(output),
            next_command=f"-o {quoted(output.with_suffix('.parquet'))}",
        )
    made = take(
        folder,
        experiment=experiment,
        beside=beside or (),
        min_age_months=min_age,
        max_age_months=max_age,
        ages_in_years=ages is Ages.YEARS,
        min_practice=min_practice,
        min_trials=min_trials,
        population=population,
        group=group,
        stimuli=stimuli,
        recode=renamings(recode or ()),
        skip_damaged=skip_damaged,
        skip_other=skip_other,
    )
    account = output.with_suffix(".sessions.csv")
    made.write_account(account)
    write_long(made.table, output, made.table.attrs["meanings"])
    say(made.rules)
    say(made.tally)
    for one in made.sessions:
        if one.reason != "taken":
            say(f"  {one.reason}: {one.file}" + (f" ({one.detail})" if one.detail else ""))
    if made.others:
        say(f"Not opened, as they hold no answers: {', '.join(made.others[:5])}"
            + (f" and {len(made.others) - 5} more" if len(made.others) > 5 else ""))  # fmt: skip
    for note in made.table.attrs["notes"]:
        say(f"Note: {note}")
    people = made.table[["population", "seed", "subject_kind"]].drop_duplicates()
    for kind, own in people.groupby("subject_kind", observed=True):
        n = int((made.table["subject_kind"] == kind).sum())
        who = count(len(own), "child" if kind == "child" else "subject")
        say(f"{count(n, 'trial')} of {who}{f' ({kind})' * (kind != 'child')} written to {output}.")
    say(f"What became of every file: {account}")
    say(f"Analyse: mevgs-toolkit analyze {quoted(output)}")
