"""``run-paradigm``: the main job."""

from __future__ import annotations

from typing import Annotated

import typer

from reports.terminal import say, say_json
from stimuli.limits import JOBS, TRIALS_PER_CLASS
from toolkit.cli.completion import paradigm_names, set_names
from toolkit.cli.options import (
    RUNS,
    DeviceOption,
    FeaturesOption,
    Format,
    FormatOption,
    LanguageOption,
    ParadigmsOption,
    PrecisionOption,
    RunsOption,
    SubjectOption,
    SubjectsOption,
    WordsOption,
)
from toolkit.cli.tasks import ASK


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("run-paradigm", rich_help_panel=ASK)(run_paradigm)


def run_paradigm(
    name: Annotated[
        str,
        typer.Argument(
            help="Paradigm, e.g. familiar, me or translation.", autocompletion=paradigm_names
        ),
    ],
    subject: SubjectOption,
    language: LanguageOption = None,
    stimuli: Annotated[
        str | None,
        typer.Option(
            help="Stimulus set: a name from 'list stimuli', a folder of one, or a plain folder of "
            "pictures; by default the paradigm's own, or that which the subjects say.",
            show_default=False,
            autocompletion=set_names,
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
    features: FeaturesOption = None,
    paradigms: ParadigmsOption = None,
    trials_per_class: Annotated[
        int | None,
        typer.Option(min=1, max=TRIALS_PER_CLASS, help="Trials per word class and condition [50]."),
    ] = None,
    trial_seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the trial lists [0].")
    ] = None,
    out: RunsOption = RUNS,
    jobs: Annotated[
        int,
        typer.Option(
            min=1,
            max=JOBS,
            help="Seeds, or chunks of pictures, worked on at the same time. Networks trained here "
            "use all cores with 1 already; more is for subjects of your own.",
        ),
    ] = 1,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
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
    from toolkit.api.running import prepare_run
    from toolkit.cli.progress import progress_bars, working
    from toolkit.statistics.saved import STATISTICS_FILE

    start = prepare_run(
        name,
        subject,
        languages=language or (),
        stimuli=stimuli,
        words=words,
        templates=template or (),
        trials_per_class=trials_per_class,
        trial_seed=trial_seed,
        out=out,
        jobs=jobs,
        device=device,
        precision=precision,
        subjects_dir=subjects,
        features_dir=features,
        paradigms_dir=paradigms,
    )
    with progress_bars(show=output is Format.TABLE) as progress:
        run = start(progress)
    shown = output is Format.TABLE
    if shown:
        run.show()
    with working("Fitting mixed models", show=shown):
        statistics = run.analyse()
    if output is Format.TABLE:
        statistics.show(run.folder / STATISTICS_FILE)
    with working("Writing the report", show=shown):
        page = run.report() if report else None
    if output is Format.JSON:
        told = {**run.told, "report": str(page) if page else None}
        say_json(told)
    elif page:
        say(f"Report: {page}")
