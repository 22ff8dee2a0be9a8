"""``analyze-space``: what embedding spaces look like, as tables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.options import (
    RUNS,
    Format,
    FormatOption,
    JobsOption,
    LanguageOption,
    ParadigmsOption,
    RunsOption,
    StimuliOption,
    SubjectOption,
    SubjectsOption,
)

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = ("variance", "gap", "alignment", "similarity", "words_accuracy")
"""Tables that are printed."""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("analyze-space")(analyze_space)


def analyze_space(
    subject: SubjectOption,
    language: LanguageOption = None,
    stimuli: StimuliOption = "mini",
    subjects: SubjectsOption = None,
    paradigms: ParadigmsOption = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Run of the same networks: accuracy per word."),
    ] = None,
    per_class: Annotated[int, typer.Option(min=1, help="Clips and pictures per class.")] = 30,
    bootstrap: Annotated[
        int, typer.Option(min=0, metavar="N", help="Resamples of every interval; 0 for none.")
    ] = 1000,
    map_seeds: Annotated[
        int, typer.Option(min=0, help="Networks per population that get maps (PCA, t-SNE).")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of samples, resamples and t-SNE.")] = 0,
    out: RunsOption = RUNS,
    jobs: JobsOption = 1,
    output: FormatOption = Format.TABLE,
) -> None:
    """Analyse embedding spaces: variance, modality gap, maps, likeness of networks, words.

    Test words and pictures, up to 30 of each class, the same for all networks. Writes tables as
    Parquet and CSV and a manifest into one folder, and prints the main ones.

    \b
    Examples:
      mevgs-toolkit analyze-space --subject monolingual-en --subject bilingual-en-nl
      mevgs-toolkit analyze-space --subject bilingual-en-nl --run mevgs-runs/me-bilingual-en-nl-*
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from stimuli import open_set
    from toolkit.api.spaces import compare_spaces
    from toolkit.cli.progress import progress_bars
    from toolkit.statistics.models.results import plain
    from toolkit.subjects.populations import open_populations

    populations = open_populations(subject, subjects)
    with progress_bars(show=output is Format.TABLE) as progress:
        done, made = compare_spaces(
            populations,
            open_set(stimuli),
            languages=language or (),
            run=run,
            paradigms=paradigms,
            per_class=per_class,
            n_bootstrap=bootstrap,
            map_seeds=map_seeds,
            seed=seed,
            root=out,
            jobs=jobs,
            progress=progress,
        )
    folder = done.directory.folder
    shown: dict[str, Any] = {name: made.tables[name].to_dict("records") for name in SHOWN}
    if output is Format.JSON:
        told = {"folder": str(folder), "notes": made.notes, **plain(shown)}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    _print(shown)
    for note in made.notes:
        typer.echo(f"Note: {note}")
    typer.echo(f"\n{len(made.tables)} tables (Parquet, CSV) and manifest.json written to {folder}")


def _print(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    from reports.console import console

    out = console()
    whose = ("population", "modality", "language", "status")
    _print_table(
        out, "Variance (trace of the covariance of unit-length embeddings)",
        [row for row in tables["variance"] if row["status"] != "all"],
        (*whose, "scope"), "variance",
    )  # fmt: skip
    _print_table(
        out, "Modality gap (distance between the centroids of words and pictures)",
        tables["gap"], ("population", "language", "status"), "gap",
        ("cosine_same_class", "cosine_other_class"),
    )  # fmt: skip
    pair = ("population_a", "population_b", "modality", "language", "status")
    _print_table(
        out, "Alignment by rotation (0: the same; chance: classes permuted)",
        [row for row in tables["alignment"] if row["status"] == "all"],
        pair, "disparity", ("chance",),
    )  # fmt: skip
    _print_table(
        out, "Representational similarity (Spearman; a population with itself: its seeds)",
        [row for row in tables["similarity"] if row["status"] == "all"], pair, "spearman",
    )  # fmt: skip
    _print_table(
        out, "Accuracy per word and its space (Spearman over words)",
        tables["words_accuracy"], ("population", "language", "status", "measure"), "spearman",
        ("n_words",),
    )  # fmt: skip
    out.print("Intervals: 95 %, bootstrap over classes and seeds.")


def _print_table(
    out: Console,
    title: str,
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    value: str,
    more: Sequence[str] = (),
) -> None:
    """One table: names, the value with its interval, and further numbers."""
    from rich.markup import escape

    from reports.console import table

    if not rows:
        return
    heads = {"population_a": "population", "population_b": "with", "n_words": "words"}
    shown = [heads.get(name, name.replace("_", " ")) for name in (*names, value, *more)]
    numbers = shown[len(names) :]
    shown.insert(len(names) + 1, "95 % interval")
    made = table(*shown, numbers=numbers)
    for row in rows:
        texts = [escape(str(row[name])) or "-" for name in names]
        ends = f"{_number(row['ci_low'])} to {_number(row['ci_high'])}"
        made.add_row(*texts, _number(row[value]), ends, *(_number(row[name]) for name in more))
    out.print(f"\n[bold]{escape(title)}[/bold]\n")
    out.print(made)


def _number(value: float) -> str:
    """Three decimals, whole numbers as they are, a dash where there is no number.

    Example:
        >>> _number(0.12345), _number(20), _number(float("nan"))
        ('0.123', '20', '-')
    """
    if isinstance(value, int):
        return str(value)
    return "-" if math.isnan(value) else f"{value:.3f}"
