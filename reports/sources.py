"""What a report is made of: the tables that finished runs have left behind, or were imported."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from toolkit.errors import ToolkitError
from toolkit.tables.kinds import kind_of
from toolkit.tables.runs import manifest_of, runs_once

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.choices.digest import Digest

AGAIN = "mevgs-toolkit run-paradigm me --subject bilingual-en-nl"


@dataclass(frozen=True)
class RunFiles:
    """The small files of one run folder, or the same about a table from elsewhere."""

    folder: Path
    """Where it lies; a table from elsewhere is a file."""
    manifest: Mapping[str, Any]
    """What was run; empty for a table from elsewhere."""
    summary: Mapping[str, Any]
    """Accuracies and intervals."""

    @property
    def paradigm(self) -> str:
        """Name of the paradigm."""
        return str(self.summary["paradigm"])


@dataclass(frozen=True)
class Chapter:
    """Everything about one paradigm, from one or several runs."""

    paradigm: str
    """Name of the paradigm."""
    version: int
    """Its version."""
    question: str
    """What it asks."""
    kind: str
    """What it asks for: which line of `reports.kinds.REPORTS` tells it."""
    runs: tuple[RunFiles, ...]
    """Where it comes from."""
    results: tuple[Mapping[str, Any], ...]
    """Accuracies per population, language and condition, as in ``summary.json``."""
    digest: Digest
    """Margins, choices and picked trials; empty where trials offer no choice."""
    training: pd.DataFrame | None
    """Training logs with ``population``, ``seed``, ``update``; None where there are none."""
    paradigms: Path | None = None
    """Folder with paradigms of one's own."""
    notes: tuple[str, ...] = ()
    """What was noticed when the runs were gathered."""
    beside: Any = ()
    """What else runs of its kind hold."""

    @functools.cached_property
    def statistics(self) -> Mapping[str, Any]:
        """As in ``statistics.json``.

        Read when first asked for: a run is read while its statistics are still at work.
        """
        return _statistics(self.runs, self.paradigms, REPORTS[self.kind].reads)

    @property
    def manifests(self) -> list[Mapping[str, Any]]:
        """Those of its runs; tables from elsewhere have none."""
        return [run.manifest for run in self.runs if run.manifest]

    @property
    def headline(self) -> list[Mapping[str, Any]]:
        """Results of the test itself, without its controls."""
        return [row for row in self.results if row["headline"]]

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Populations and test languages, in the order of the runs."""
        pairs = [(str(row["population"]), str(row["test_language"])) for row in self.headline]
        return list(dict.fromkeys(pairs))

    @property
    def languages(self) -> list[str]:
        """Test languages in alphabetical order."""
        return sorted({language for _, language in self.cells})

    def training_of(self, population: str) -> str:
        """Monolingual, bilingual, multilingual or untrained, by number of languages."""
        number = self._n_languages[population]
        return ("untrained", "monolingual", "bilingual")[number] if number < 3 else "multilingual"

    @functools.cached_property
    def _n_languages(self) -> dict[str, int]:
        table = self.digest.populations
        told = {
            str(name): len(about["languages"])
            for run in self.runs
            for name, about in run.manifest.get("populations", {}).items()
        }
        return told | dict(zip(table["population"], map(int, table["n_languages"]), strict=True))


def read_run(folder: Path) -> RunFiles:
    """Read the small files of a run.

    Raises:
        ToolkitError: if the folder is no finished run, or a file of it is damaged.
    """
    if not folder.is_dir():
        raise ToolkitError(
            f"There is no run folder {folder}.",
            allowed="the folder that run-paradigm printed",
            next_command=f"ls {folder.parent}" if folder.parent.is_dir() else AGAIN,
        )
    manifest, summary = (_read_json(folder / name) for name in ("manifest.json", "summary.json"))
    for name, content, needed in (
        ("manifest.json", manifest, {"run_id", "paradigm", "stimuli", "subjects"}),
        ("summary.json", summary, {"paradigm", "paradigm_version", "question", "results"}),
    ):
        if lacking := needed - set(content):
            raise ToolkitError(f"{folder / name} lacks {', '.join(sorted(lacking))}.")
    return RunFiles(folder, manifest, summary)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ToolkitError(
            f"{path.parent} is not the folder of a finished run: it has no {path.name}.",
            allowed="the folder that run-paradigm printed",
            next_command=AGAIN,
        ) from error
    except (OSError, ValueError) as error:
        raise ToolkitError(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise ToolkitError(f"{path} holds no object.")
    return content


def read_chapters(
    folders: Sequence[Path], n_trials: int, paradigms: Path | None = None
) -> list[Chapter]:
    """Sort runs by paradigm and read their tables.

    The statistics of a run that is alone with its paradigm are those it has saved; several runs of
    one paradigm are analysed together, since populations are compared across them.

    Args:
        folders: run folders, their tables, or tables from elsewhere; one that is named twice
            counts once.
        n_trials: trials to pick per paradigm.
        paradigms: folder with paradigms of one's own.

    Raises:
        ToolkitError: if a folder is no run, or holds another version of a paradigm than the rest.
    """
    once, notes = runs_once(folders)
    runs = [run for path in once for run in _read_any(path, paradigms)]
    names = list(dict.fromkeys(run.paradigm for run in runs))
    return [
        _chapter([run for run in runs if run.paradigm == name], n_trials, paradigms, notes)
        for name in names
    ]


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
    from toolkit.statistics.choices.summary import results_of

    made = []
    for name, counts in read_counts([path]).groupby("paradigm", observed=True):
        asked = get_paradigm(str(name), paradigms)
        require_test(counts["condition"].unique().tolist(), asked)
        names = [condition.name for condition in asked.conditions]
        results = results_of(seeds_of_counts(counts), asked)
        results.sort(key=lambda row: _in_order(row, names))
        summary = {
            "paradigm": asked.name,
            "paradigm_version": int(counts["paradigm_version"].iloc[0]),
            "question": asked.question,
            "results": results,
        }
        made.append(RunFiles(path, {}, summary))
    return made


def _chapter(
    runs: Sequence[RunFiles], n_trials: int, paradigms: Path | None, notes: Sequence[str]
) -> Chapter:
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
    results: list[Mapping[str, Any]] = [r for run in runs for r in run.summary["results"]]
    if own.digest:
        results = _pooled(results, runs, paradigms)
    headline = list(dict.fromkeys(row["condition"] for row in results if row["headline"]))
    return Chapter(
        paradigm=runs[0].paradigm,
        version=int(first["paradigm_version"]),
        question=str(first["question"]),
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
    results: list[Mapping[str, Any]], runs: Sequence[RunFiles], paradigms: Path | None
) -> list[Mapping[str, Any]]:
    """Results of all runs; counted anew where several asked the same population the same."""
    order = {_cell(row): place for place, row in reversed([*enumerate(results)])}
    if len(order) == len(results):
        return results
    from paradigms.registry import get_paradigm
    from toolkit.statistics.choices.counts import read_counts
    from toolkit.statistics.choices.describe import seeds_of_counts
    from toolkit.statistics.choices.summary import results_of

    asked = get_paradigm(runs[0].paradigm, paradigms)
    counts = read_counts([run.folder for run in runs])
    pooled = results_of(seeds_of_counts(counts[counts["paradigm"] == asked.name]), asked)
    return sorted(pooled, key=lambda row: order[_cell(row)])


def _in_order(row: Mapping[str, Any], conditions: Sequence[str]) -> tuple[Any, ...]:
    """Place of a result: population, language, and condition as the paradigm orders them."""
    population, language, condition = _cell(row)
    return population, language, [*conditions, condition].index(condition)


def _cell(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["population"], row["test_language"], row["condition"]


def _statistics(
    runs: Sequence[RunFiles], paradigms: Path | None, needed: frozenset[str]
) -> Mapping[str, Any]:
    """Those of the only run, or of an analysis of all runs together."""
    name = runs[0].paradigm
    saved = runs[0].folder / "statistics.json"
    if len(runs) == 1 and saved.is_file():
        content = _read_json(saved)
        if needed <= set(content.get(name, {})):
            return dict(content[name])
    from toolkit.statistics.choices.analysis import analyse_runs

    return dict(analyse_runs([run.folder for run in runs], paradigms)[name])


def _training(runs: Sequence[RunFiles]) -> pd.DataFrame | None:
    import pandas as pd

    files = [run.folder / "training.csv" for run in runs]
    tables = [pd.read_csv(file, dtype={"seed": str}) for file in files if file.is_file()]
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True).drop_duplicates()
    return table if {"population", "seed", "update"} <= set(table) else None
