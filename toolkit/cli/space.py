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

    from stimuli import StimulusSet
    from toolkit.embedding import Progress
    from toolkit.statistics.space_sample import Space
    from toolkit.statistics.space_words import Accuracy
    from toolkit.subjects.population import Population

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
    from stimuli.names import file_name
    from toolkit.cli.progress import progress_bars
    from toolkit.statistics.results import plain
    from toolkit.statistics.space import analyse_spaces, write_tables
    from toolkit.store import content_key, environment, now
    from toolkit.subjects.populations import open_populations

    started = now()
    populations = open_populations(subject, subjects)
    opened = open_set(stimuli)
    names = list(dict.fromkeys(population.name for population in populations))
    accuracy = _accuracy(run, names, paradigms) if run else None
    with progress_bars(show=output is Format.TABLE) as progress:
        spaces, facts = _spaces(
            populations, opened, language or (), per_class, seed, out, jobs, progress
        )
        made = analyse_spaces(
            spaces,
            dict(zip(opened.table["concept"], opened.table["status"], strict=True)),
            accuracy=accuracy,
            n_bootstrap=bootstrap,
            seed=seed,
            map_seeds=map_seeds,
            progress=progress,
        )
    facts |= {
        "per_class": per_class,
        "n_bootstrap": bootstrap,
        "bootstrap_seed": seed,
        "map_seeds": map_seeds,
        "run": run.name if run else None,
    }
    who = file_name(names[0]) if len(names) == 1 else f"{len(names)}-populations"
    folder = out / f"space-{who}-{content_key(facts)[:8]}"
    times = {"started": started, "ended": now()}
    write_tables(folder, made, {"run_id": folder.name, **times, **environment(), **facts})
    if output is Format.JSON:
        tables = {name: plain(made.tables[name].to_dict("records")) for name in SHOWN}
        told = {"folder": str(folder), "notes": made.notes, **tables}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    shown: dict[str, Any] = {name: made.tables[name].to_dict("records") for name in SHOWN}
    _print(shown)
    for note in made.notes:
        typer.echo(f"Note: {note}")
    typer.echo(f"\n{len(made.tables)} tables (Parquet, CSV) and manifest.json written to {folder}")


def _spaces(
    populations: Sequence[Population],
    stimuli: StimulusSet,
    languages: Sequence[str],
    per_class: int,
    seed: int,
    root: Path,
    jobs: int,
    progress: Progress,
) -> tuple[list[Space], dict[str, Any]]:
    """Samples of the spaces of all networks, and what decided them."""
    import numpy as np

    from paradigms.base import as_choices
    from paradigms.registry import get_paradigm
    from toolkit.embedding import EmbeddingStore, embed, subjects_of
    from toolkit.errors import ToolkitError
    from toolkit.runner import languages_of
    from toolkit.score_all import must_perceive
    from toolkit.statistics.space_sample import Sample, Space

    # Any test of single words is made in the languages that are looked at here.
    asked = as_choices(get_paradigm("familiar"))
    tested = {p.name: languages_of(p, asked, stimuli, languages) for p in populations}
    references = subjects_of(populations)
    concept_of = stimuli.table["concept"].to_dict()
    chosen: dict[tuple[str, str], tuple[str, ...]] = {}
    for kind in [("picture", ""), *(("word", name) for name in _all(tested))]:
        table = stimuli.select(kind=kind[0], split="test", language=kind[1] or None)
        rng = np.random.default_rng(seed)
        chosen[kind] = tuple(
            name
            for _, own in table.groupby("concept", sort=True)
            for name in sorted(rng.permutation(sorted(own.index))[:per_class].tolist())
        )
        if not chosen[kind]:
            raise ToolkitError(
                f"The stimulus set {stimuli.name!r} has no test {kind[0]}s"
                + (f" in language {kind[1]!r}." if kind[1] else "."),
                next_command=f"mevgs-toolkit describe {stimuli.name}",
            )
    kinds = {
        name: [*(("word", language) for language in tested[name]), ("picture", "")]
        for name in tested
    }
    needed = {
        one: {
            wanted: [i for k in kinds[one.population.name] if k[0] == wanted for i in chosen[k]]
            for wanted in ("word", "picture")
        }
        for one in references
    }
    store = EmbeddingStore(root / "embeddings")
    found: dict[str, Space] = {}
    for one, loaded, known in embed(needed, stimuli, store, jobs=jobs, progress=progress):
        must_perceive(one, loaded, "mevgs-toolkit list subjects")
        samples = tuple(
            Sample(
                *kind,
                chosen[kind],
                tuple(concept_of[name] for name in chosen[kind]),
                known.matrix(kind[0], chosen[kind]),
            )
            for kind in kinds[one.population.name]
        )
        found[one.name] = Space(one.population.name, one.population.languages, one.seed, samples)
    facts = {
        "stimuli": {
            "name": stimuli.name, "version": stimuli.version, "checksum": stimuli.checksum,
        },
        "subjects": {one.name: one.checksum for one in references},
        "languages": tested,
    }  # fmt: skip
    return [found[one.name] for one in references], facts


def _all(tested: Mapping[str, Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in tested.values() for name in names))


def _accuracy(run: Path, populations: Sequence[str], paradigms: Path | None) -> Accuracy:
    """Accuracy per network and word in a run that asked these populations.

    Raises:
        ToolkitError: if there is no such run, or it asked none of them.
    """
    from paradigms.registry import find_paradigms
    from toolkit.errors import ToolkitError, nearest_name
    from toolkit.statistics.counts import read_counts
    from toolkit.statistics.space_words import read_accuracy

    counts = read_counts([run])
    asked = sorted(set(counts["population"].astype(str)))
    if not set(asked) & set(populations):
        raise ToolkitError(
            f"The run {run} asked none of these populations.",
            given=", ".join(populations),
            allowed=", ".join(asked),
            nearest=nearest_name(populations[0], asked),
        )
    headline = {
        name: {condition.name for condition in made.conditions if condition.headline}
        for name, made in find_paradigms(paradigms).items()
    }
    return read_accuracy(counts, headline)


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
