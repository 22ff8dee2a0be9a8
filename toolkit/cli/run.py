"""``run-paradigm``: the main job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

import typer

from toolkit.cli.options import (
    RUNS,
    Format,
    FormatOption,
    LanguageOption,
    ParadigmsOption,
    RunsOption,
    SubjectOption,
    SubjectsOption,
    WordsOption,
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("run-paradigm")(run_paradigm)


def run_paradigm(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Paradigm, e.g. familiar, me or translation.")],
    subject: SubjectOption,
    language: LanguageOption = None,
    stimuli: Annotated[
        str | None,
        typer.Option(
            help="Stimulus set: a name from 'list stimuli', a folder of one, or a plain folder of "
            "pictures; by default the paradigm's own.",
            show_default=False,
        ),
    ] = None,
    words: WordsOption = None,
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="How written words are put, e.g. bare or article; by default the paradigm's "
            "first condition. Repeatable.",
            show_default=False,
        ),
    ] = None,
    subjects: SubjectsOption = None,
    paradigms: ParadigmsOption = None,
    trials_per_class: Annotated[
        int, typer.Option(min=1, help="Trials per word class and condition.")
    ] = 50,
    trial_seed: Annotated[int, typer.Option(min=0, help="Seed of the trial lists.")] = 0,
    out: RunsOption = RUNS,
    jobs: Annotated[
        int, typer.Option(min=1, help="Seeds, or chunks of pictures, worked on at the same time.")
    ] = 1,
    output: FormatOption = Format.TABLE,
    report: Annotated[bool, typer.Option(help="Write report.html into the run folder.")] = True,
) -> None:
    """Put a paradigm to populations of subjects.

    Prints accuracy with intervals over seeds, then what may be concluded from it (see analyze),
    and writes a run folder with a report that opens offline (see report). Finished work is kept:
    the same command again does only what is missing.

    A subject may also be the features that a population was trained on, bilingual-en-nl/frozen
    (for translation), or a published model, openclip:NAME/TAG or transformers:NAME (for
    dense-grounding).

    \b
    Examples:
      mevgs-toolkit run-paradigm me --subject bilingual-en-nl
      mevgs-toolkit run-paradigm me --subject monolingual-en --subject bilingual-en-nl
      mevgs-toolkit run-paradigm familiar --subject perfect --format json
      mevgs-toolkit run-paradigm dense-grounding --subject multilingual-clip
      mevgs-toolkit run-paradigm dense-grounding --subject multilingual-clip --template bare \\
        --stimuli my-photos --words words.toml
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from paradigms.registry import get_paradigm
    from reports.background import background_writer
    from reports.console import print_summary
    from reports.page import Options
    from reports.statistics_text import print_analyses
    from stimuli import open_set
    from toolkit.cli.progress import progress_bars
    from toolkit.frozen import open_asked
    from toolkit.kinds import RUNNING
    from toolkit.statistics.analysis import analyse_runs
    from toolkit.statistics.summary import summarise

    asked = get_paradigm(name, paradigms)
    populations = [open_asked(given, subjects) for given in subject]
    shown = open_set(stimuli or asked.default_set, words)
    own = RUNNING[asked.kind]
    given_by = {
        "trials_per_class": trials_per_class,
        "trial_seed": trial_seed,
        "template": template or (),
        "words": words,
    }
    _refuse(context, [option for option in given_by if option not in own.options], own.others, name)
    chosen = {argument: given_by[option] for option, argument in own.options.items() if argument}
    with background_writer() if report else nullcontext() as writer:
        with progress_bars(show=output is Format.TABLE) as progress:
            finished = own.run(
                asked,
                populations,
                shown,
                languages=language or (),
                root=out,
                jobs=jobs,
                progress=progress,
                **chosen,
            )
            summary = summarise(finished, asked)
        folder = finished.directory.folder
        finished.directory.write_json("summary.json", summary)
        options = Options(paradigms=paradigms)
        if writer is not None:
            writer.read(folder, options)
        timing = {
            "run_directory": str(folder),
            "duration_s": round(finished.duration_s, 3),
            "cells_computed": finished.n_computed,
            "cells_reused": finished.n_reused,
        }
        if output is Format.TABLE:
            print_summary({**summary, **timing, "paradigm_kind": asked.kind})
        statistics = analyse_runs([folder], paradigms)
        finished.directory.write_json("statistics.json", statistics)
        if output is Format.TABLE:
            print_analyses(statistics, str(folder / "statistics.json"))
        page = None
        if writer is not None:
            page = writer.write(folder, folder / "report.html", options)
    if output is Format.JSON:
        known = {"report": str(page) if page else None}
        typer.echo(json.dumps(summary | timing | known, indent=2, ensure_ascii=False))
    elif page:
        typer.echo(f"Report: {page}")


def _refuse(context: typer.Context, options: Sequence[str], why: str, paradigm: str) -> None:
    """Refuse options that mean nothing to a paradigm, rather than leave them unheard."""
    from toolkit.errors import ToolkitError

    for option in options:
        source = context.get_parameter_source(option)
        if source is not None and source.name == "COMMANDLINE":
            written = f"--{option.replace('_', '-')}"
            raise ToolkitError(
                f"{written} means nothing here: {why} {paradigm!r}.",
                given=written,
                allowed=f"the same command without {written}",
                next_command="mevgs-toolkit list paradigms",
            )
