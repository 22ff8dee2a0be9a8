"""``analyze-space``: what embedding spaces look like, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say_json
from stimuli.limits import RESAMPLES, SEEDS, TRIALS_PER_CLASS
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
    app.command("analyze-space", rich_help_panel=ASK)(analyze_space)


def analyze_space(
    subject: SubjectOption,
    language: LanguageOption = None,
    stimuli: StimuliOption = None,
    subjects: SubjectsOption = None,
    features: FeaturesOption = None,
    paradigms: ParadigmsOption = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN...",
            help="Run of the same networks: accuracy per word. Repeatable, or a pattern.",
        ),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", hidden=True, show_default=False)
    ] = None,
    per_class: Annotated[
        int, typer.Option(min=1, max=TRIALS_PER_CLASS, help="Clips and pictures per class.")
    ] = 30,
    bootstrap: Annotated[
        int,
        typer.Option(
            min=0, max=RESAMPLES, metavar="N", help="Resamples of every interval; 0 for none."
        ),
    ] = 1000,
    map_seeds: Annotated[
        int,
        typer.Option(min=0, max=SEEDS, help="Networks per population that get maps (PCA, t-SNE)."),
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of samples, resamples and t-SNE.")] = 0,
    out: RunsOption = RUNS,
    jobs: JobsOption = 1,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    output: FormatOption = Format.TABLE,
) -> None:
    """Analyse embedding spaces: variance, modality gap, maps, likeness of networks, words.

    Test words and pictures, up to 30 of each class, the same for all networks. Writes tables as
    Parquet and CSV and a manifest into one folder, and prints the main ones.

    \b
    Examples:
      mevgs-toolkit analyze-space --subject monolingual-en --subject bilingual-en-nl
      mevgs-toolkit analyze-space --subject bilingual-en-nl --run mevgs-runs/me-*
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from reports.space_text import print_spaces
    from toolkit.api.spaces import analyze_space as describe_spaces
    from toolkit.cli.given import runs_given
    from toolkit.cli.progress import progress_bars
    from toolkit.errors import ToolkitError, quoted

    if more and not run:
        raise ToolkitError(
            "What are these? Populations stand behind --subject, runs behind --run.",
            given=" ".join(map(quoted, more)),
        )
    # The shell puts what a pattern finds behind the option: the first is the option's.
    run = [*(run or ()), *(more or ())]
    with progress_bars(show=output is Format.TABLE) as progress:
        made = describe_spaces(
            subject,
            languages=language or (),
            stimuli=stimuli,
            run=runs_given(run) if run else (),
            per_class=per_class,
            n_bootstrap=bootstrap,
            map_seeds=map_seeds,
            seed=seed,
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
        say_json(made.told)
    else:
        print_spaces(made.tables, made.notes, made.folder)
