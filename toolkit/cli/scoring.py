"""``score-all``: every triple of word, target and distractor instead of a drawn list."""

from __future__ import annotations

import json
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


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("score-all")(score_all)


def score_all(
    name: Annotated[str, typer.Argument(help="Paradigm of picture pairs: familiar, me, or yours.")],
    subject: SubjectOption,
    language: LanguageOption = None,
    stimuli: StimuliOption = "mini",
    subjects: SubjectsOption = None,
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
    from paradigms.registry import get_paradigm
    from stimuli import open_set
    from toolkit.cli.progress import progress_bars
    from toolkit.running.score_all import TABLE_NAME
    from toolkit.running.score_all import score_all as count_all
    from toolkit.statistics.choices.exact import summarise_exact
    from toolkit.subjects.populations import open_populations

    asked = get_paradigm(name, paradigms)
    populations = open_populations(subject, subjects)
    with progress_bars(show=output is Format.TABLE) as progress:
        done = count_all(
            asked,
            populations,
            open_set(stimuli),
            languages=language or (),
            any_style=any_style,
            root=out,
            jobs=jobs,
            progress=progress,
        )
    summary = {"run_id": done.directory.run_id, **summarise_exact(done.table, asked)}
    done.directory.write_json("exhaustive.json", summary)
    told = {
        "run_directory": str(done.directory.folder),
        "n_triples": int(done.table["n_triples"].sum()),
        "duration_s": round(done.duration_s, 3),
        "cells_computed": done.n_computed,
        "cells_reused": done.n_reused,
    }
    if output is Format.JSON:
        typer.echo(json.dumps(summary | told, indent=2, ensure_ascii=False))
        return
    _print(summary)
    typer.echo(
        f"\n{told['n_triples']:,} triples in {told['duration_s']:.1f} s, {done.n_computed} cells "
        f"computed, {done.n_reused} reused. Written to "
        f"{told['run_directory']} ({TABLE_NAME}: by word, target and distractor class)"
    )


def _print(summary: dict[str, Any]) -> None:
    from rich.markup import escape

    from reports.console import console, table
    from reports.numbers import between, percent

    out = console()
    title = f"{summary['paradigm']} v{summary['paradigm_version']}: {summary['question']}"
    out.print(f"\n[bold]{escape(title)}[/bold] All triples.\n")
    made = table(
        "condition", "population", "language", "accuracy", "95 % interval", "ties", "each seed, %",
        numbers=("accuracy", "ties"),
    )  # fmt: skip
    conditions = list(dict.fromkeys(row["condition"] for row in summary["results"]))
    for row in sorted(summary["results"], key=lambda one: conditions.index(one["condition"])):
        made.add_row(
            *(escape(row[name]) for name in ("condition", "population", "test_language")),
            percent(row["mean"]),
            between(row["ci_low"], row["ci_high"]),
            f"{row['n_ties']:,}",
            " ".join(f"{100 * value:.0f}" for value in row["seeds"].values()),
        )
    out.print(made)
    headline = (row["condition"] for row in summary["results"] if row["headline"])
    for condition in dict.fromkeys(headline):
        _print_words(out, [row for row in summary["words"] if row["condition"] == condition])
    out.print(
        "\nIntervals: 95 %, Student's t over seeds on the logit scale (further seeds, these words "
        "and pictures). Chance is 50 %; ties count as wrong."
    )


def _print_words(out: Console, words: list[dict[str, Any]]) -> None:
    """Accuracy per word, one column per population and language, the hardest word first."""
    from rich.markup import escape

    from reports.console import table

    columns = list(dict.fromkeys((row["population"], row["test_language"]) for row in words))
    heads = [escape(f"{population}, {language}") for population, language in columns]
    share = {
        (row["word_concept"], row["population"], row["test_language"]): row["accuracy"]
        for row in words
    }
    names = list(dict.fromkeys(row["word_concept"] for row in words))
    first = columns[0]
    names.sort(key=lambda name: share.get((name, *first), 0.0))
    made = table("word, %", *heads, numbers=heads)
    for name in names:
        cells = (share.get((name, *column)) for column in columns)
        made.add_row(escape(name), *("-" if c is None else f"{100 * c:.1f}" for c in cells))
    out.print(f"\n{escape(words[0]['condition'])}, mean over seeds")
    out.print(made)
