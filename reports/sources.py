"""What a report is made of: the tables that finished runs have left behind, or were imported."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.chapter import AGAIN, Chapter, RunFiles
from reports.kinds import REPORTS
from stimuli.cells import unguarded_table
from toolkit.errors import ToolkitError, quoted
from toolkit.statistics.means import Summary
from toolkit.statistics.saved import SUMMARY_FILE, saved_manifest, saved_summary
from toolkit.tables.among import holds_instead
from toolkit.tables.kinds import kind_of
from toolkit.tables.manifests import MANIFEST_FILE, read_stored
from toolkit.tables.parquet import told
from toolkit.tables.runs import manifest_of, runs_once

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.means import SeedMean
    from toolkit.statistics.models.results import Result


def read_run(folder: Path) -> RunFiles:
    """Read the small files of a run.

    Raises:
        ToolkitError: if the folder is no finished run, or a file of it is damaged.
    """
    if not folder.is_dir():
        raise ToolkitError(
            f"There is no run folder {folder}.",
            allowed="the folder that run-paradigm printed",
            next_command=f"ls {quoted(folder.parent)}" if folder.parent.is_dir() else AGAIN,
        )
    if reason := holds_instead(folder):
        raise ToolkitError(
            f"{folder} is not the folder of a run: {reason}.",
            allowed="the folder that run-paradigm printed",
            next_command=AGAIN,
        )
    manifest, summary = saved_manifest(folder), saved_summary(folder)
    if manifest is None or summary is None:
        lacking = MANIFEST_FILE if manifest is None else SUMMARY_FILE
        raise ToolkitError(
            f"{folder} is not the folder of a finished run: it has no {lacking}.",
            allowed="the folder that run-paradigm printed",
            next_command=AGAIN,
        )
    return RunFiles(folder, manifest, summary)


def read_chapters(
    folders: Sequence[Path],
    n_trials: int,
    paradigms: Path | None = None,
    analyses: Mapping[str, Result] | None = None,
) -> list[Chapter[Any]]:
    """Sort runs by paradigm and read their tables.

    The statistics of a run that is alone with its paradigm are those it has saved; several runs of
    one paradigm are analysed together, since populations are compared across them.

    Args:
        folders: run folders, their tables, or tables from elsewhere; one that is named twice
            counts once.
        n_trials: trials to pick per paradigm.
        paradigms: folder with paradigms of one's own.
        analyses: statistics by paradigm, where they are made already.

    Raises:
        ToolkitError: if a folder is no run, or holds another version of a paradigm than the rest.
    """
    once, notes = runs_once(folders)
    runs: list[RunFiles] = []
    for path in once:
        runs += [_held(run, runs) for run in _read_any(path, paradigms)]
    names = list(dict.fromkeys(run.paradigm for run in runs))
    made = analyses or {}
    return [
        replace(
            _chapter([run for run in runs if run.paradigm == name], n_trials, paradigms, notes),
            analysed=made.get(name),
        )
        for name in names
    ]


def _held(run: RunFiles, before: Sequence[RunFiles]) -> RunFiles:
    """A run with what is told of it: what it repeats of the run before it is held once.

    A study asks the same subjects with many lists of trials, each a run.
    """
    manifest, last = run.manifest, before[-1].manifest if before else None
    if manifest is None:
        return run
    names = ("subjects", "populations") if last else ()
    same = {n: getattr(last, n) for n in names if getattr(last, n) == getattr(manifest, n)}
    # Keys of cells are not told.
    return replace(run, manifest=replace(manifest, further={}, **same))


def _read_any(path: Path, paradigms: Path | None) -> list[RunFiles]:
    """A run by its folder or its table; of a table from elsewhere, one for each paradigm."""
    if not path.is_file():
        return [read_run(path)]
    if manifest_of(path):
        return [read_run(path.resolve().parent)]
    from paradigms.registry import get_paradigm
    from toolkit.statistics.choices.conditions import require_test
    from toolkit.statistics.choices.counts import read_counts
    from toolkit.statistics.choices.describe import seeds_of_counts
    from toolkit.statistics.choices.participants import drawn_populations
    from toolkit.statistics.choices.summary import results_of

    made = []
    for name, counts in read_counts([path]).groupby("paradigm", observed=True):
        asked = get_paradigm(str(name), paradigms)
        require_test(counts["condition"].unique().tolist(), asked)
        names = [condition.name for condition in asked.conditions]
        results = results_of(seeds_of_counts(counts), asked, drawn_populations(counts))
        results.sort(key=lambda row: _in_order(row, names))
        summary = Summary(
            paradigm=asked.name,
            paradigm_version=int(counts["paradigm_version"].iloc[0]),
            question=asked.question,
            results=tuple(results),
        )
        made.append(RunFiles(path, None, summary))
    return made


def _chapter(
    runs: Sequence[RunFiles], n_trials: int, paradigms: Path | None, notes: Sequence[str]
) -> Chapter[Any]:
    from toolkit.statistics.choices.digest import no_choices

    folders = [run.folder for run in runs]
    kinds = {folder: kind_of(folder, paradigms) for folder in folders}
    if len(set(kinds.values())) > 1:
        raise ToolkitError(
            f"The runs of {runs[0].paradigm!r} are of different kinds.",
            given="; ".join(f"{kind} in {folder}" for folder, kind in kinds.items()),
            allowed="runs of one paradigm: another has the name of its own",
        )
    kind = kinds[folders[0]]
    own = REPORTS[kind]
    first = runs[0].summary
    results = [row for run in runs for row in run.summary.results]
    if own.digest:
        results = _pooled(results, runs, paradigms)
    headline = list(dict.fromkeys(row.condition for row in results if row.headline))
    return Chapter(
        paradigm=runs[0].paradigm,
        version=first.paradigm_version,
        question=first.question,
        kind=kind,
        runs=tuple(runs),
        results=tuple(results),
        digest=own.digest(folders, headline, n_trials, runs[0].paradigm)
        if own.digest
        else no_choices(),
        training=_training(runs),
        paradigms=paradigms,
        notes=tuple(notes),
        beside=own.beside(folders),
    )


def _pooled(
    results: list[SeedMean], runs: Sequence[RunFiles], paradigms: Path | None
) -> list[SeedMean]:
    """Results of all runs; counted anew where several asked the same population the same."""
    order = {_cell(row): place for place, row in reversed([*enumerate(results)])}
    if len(order) == len(results):
        return results
    from paradigms.registry import get_paradigm
    from toolkit.statistics.choices.counts import read_lists
    from toolkit.statistics.choices.describe import seeds_of_counts
    from toolkit.statistics.choices.participants import drawn_populations
    from toolkit.statistics.choices.summary import results_of

    asked = get_paradigm(runs[0].paradigm, paradigms)
    # Means of seeds ask for no distractors, of which there are many.
    counts = read_lists([run.folder for run in runs], by_distractor=lambda _: ()).counts
    counts = counts[counts["paradigm"] == asked.name]
    pooled = results_of(seeds_of_counts(counts), asked, drawn_populations(counts))
    return sorted(pooled, key=lambda row: order[_cell(row)])


def _in_order(row: SeedMean, conditions: Sequence[str]) -> tuple[Any, ...]:
    """Place of a result: population, language, and condition as the paradigm orders them."""
    population, language, condition = _cell(row)
    return population, language, [*conditions, condition].index(condition)


def _cell(row: SeedMean) -> tuple[str, str, str]:
    return row.population, row.test_language, row.condition


def _training(runs: Sequence[RunFiles]) -> pd.DataFrame | None:
    import pandas as pd

    files = [run.folder / "training.csv" for run in runs]
    tables = []
    for file in files:
        if file.is_file():
            content = io.BytesIO(read_stored(file))
            with told(file):
                tables.append(unguarded_table(pd.read_csv(content, dtype={"seed": str})))
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True).drop_duplicates()
    return table if {"population", "seed", "update"} <= set(table) else None
