"""``score-all``: every triple of word, target and distractor instead of a drawn list."""

from __future__ import annotations

from typing import Annotated

import typer

from reports.terminal import say_json
from toolkit.cli.completion import paradigm_names
from toolkit.cli.options import (
    RUNS,
    DeviceOption,
    FeaturesOption,
    Format,
    FormatOption,
    JobsOption,
    LanguageOption,
    ParadigmsOption,
    PrecisionOption,
    RunsOption,
    StimuliOption,
    SubjectOption,
    SubjectsOption,
)
from toolkit.cli.tasks import ASK


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("score-all", rich_help_panel=ASK)(score_all)


def score_all(
    name: Annotated[
        str,
        typer.Argument(
            help="Paradigm of picture pairs: familiar, me, or yours.", autocompletion=paradigm_names
        ),
    ],
    subject: SubjectOption,
    language: LanguageOption = None,
    stimuli: StimuliOption = None,
    subjects: SubjectsOption = None,
    features: FeaturesOption = None,
    paradigms: ParadigmsOption = None,
    any_style: Annotated[
        bool,
        typer.Option(
            "--any-style",
            help="Also pair pictures of different style (colour, glyph), which lists do not.",
        ),
    ] = False,
    out: RunsOption = RUNS,
    jobs: JobsOption = 1,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    output: FormatOption = Format.TABLE,
) -> None:
    """Exact accuracy over every triple of word clip, target picture and distractor picture.

    What run-paradigm estimates from a drawn list, without the chance of the draw: all test clips,
    all test pictures. Classes weigh the same. The counts per seed and per classes of word, target
    and distractor are written to exhaustive.parquet in a run folder.

    \b
    Examples:
      mevgs-toolkit score-all me --subject bilingual-en-nl
      mevgs-toolkit score-all familiar --subject monolingual-en --subject bilingual-en-nl
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from reports.triples_text import print_triples
    from toolkit.api.triples import score_all as count_all
    from toolkit.cli.progress import progress_bars

    with progress_bars(show=output is Format.TABLE) as progress:
        counted = count_all(
            name,
            subject,
            languages=language or (),
            stimuli=stimuli,
            any_style=any_style,
            out=out,
            jobs=jobs,
            device=device,
            precision=precision,
            subjects_dir=subjects,
            features_dir=features,
            paradigms_dir=paradigms,
            progress=progress,
        )
    if output is Format.JSON:
        say_json(counted.told)
    else:
        print_triples(counted.summary, counted.done)
