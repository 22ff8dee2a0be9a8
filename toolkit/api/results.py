"""What runs leave behind: opened, looked at, analysed, told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.chapter import RunFiles
from reports.console import Done, print_analyses, print_summary
from reports.notebook import run_html, statistics_html, text_of
from reports.page import DEFAULT_TRIALS, Options
from reports.page import write_report as write_page
from reports.sources import read_run
from stimuli.limits import CARDS, RESAMPLES
from toolkit.api import kept
from toolkit.api.checks import optional, several, silent, whole, within
from toolkit.records import plain
from toolkit.running.embedding import Progress
from toolkit.running.folder import write_json
from toolkit.statistics.analysis import analyse_runs as analyse_folders
from toolkit.statistics.models.results import Result
from toolkit.statistics.saved import STATISTICS_FILE, SUMMARY_FILE
from toolkit.statistics.settings import Gate, Settings
from toolkit.tables.manifests import read_manifest, table_of
from toolkit.tables.runs import trials_file
from toolkit.tables.trials import read_trials

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.children.results import Comparison

REPORT_FILE = "report.html"
DERIVED = SUMMARY_FILE, STATISTICS_FILE, REPORT_FILE
"""Written into a run's folder beside its trials, from what else lies there."""
Runs = Sequence["Run | str | Path"]
"""Runs, or their folders; tables of ``import-trials`` may stand among them."""


def open_run(folder: str | Path, paradigms_dir: str | Path | None = None) -> Run:
    """A run that was made before, by its folder.

    Args:
        folder: the folder that ``run-paradigm`` printed, or `Run.folder`.
        paradigms_dir: folder with paradigm files of your own, if it asked one of them.

    Raises:
        ToolkitError: it is not the folder of a finished run.
    """
    place = Path(folder)
    if place.is_dir():
        trials_file(place)
    read_run(place)
    n_cells = len(read_manifest(place).get("cells", ()))
    return Run(place, optional(paradigms_dir), n_reused=n_cells)


def analyse_runs(
    runs: Runs | Run | str | Path,
    *,
    alpha: float = 0.05,
    bound: float = 0.05,
    n_bootstrap: int = 0,
    gate: tuple[str, float] | None = None,
    paradigms_dir: str | Path | None = None,
    progress: Progress = silent,
) -> Statistics:
    """What may be concluded from some runs together, of one or several paradigms.

    Args:
        runs: runs, their folders, or tables of ``import-trials``.
        alpha: two-sided level of the tests.
        bound: equivalence bound, as a difference of shares: .05 is 5 points.
        n_bootstrap: simulations of the parametric bootstrap; 0 for none.
        gate: condition and smallest share of correct answers that a seed must reach in it, instead
            of the paradigm's own.
        paradigms_dir: folder with paradigm files of your own.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        ToolkitError: a run cannot be read, the runs cannot be analysed together, or a setting is
            out of range.
    """
    settings, own = _settings(alpha, bound, n_bootstrap, gate), optional(paradigms_dir)
    folders = folders_of(runs)
    made = _analysed(folders, own, settings, progress)
    if len(folders) == 1 and folders[0].is_dir():
        return made.of(_made_of(folders[0], own, settings))
    return made


def write_report(
    runs: Runs | Run | str | Path,
    out: str | Path,
    *,
    title: str = "",
    n_trials: int = DEFAULT_TRIALS,
    figures: str | Path | None = None,
    stimuli: str | Path | None = None,
    children: Comparison | None = None,
    paradigms_dir: str | Path | None = None,
) -> Path:
    """Write one HTML page about some runs, which stands alone and opens offline.

    Args:
        runs: runs, their folders, or tables of ``import-trials``; folders of ``analyze-space`` may
            stand among them.
        out: the file to write.
        title: of the page; by default it names paradigms and populations.
        n_trials: trials of each paradigm to see first, and on paper; 0 for no gallery.
        figures: folder for every figure as SVG, PNG and CSV.
        stimuli: the stimulus set or its folder, if it has moved since the run.
        children: ``results`` of `toolkit.api.children.compare_children`, for a section on children.
        paradigms_dir: folder with paradigm files of your own.

    Returns:
        The file written.

    Raises:
        ToolkitError: a folder is no run, or the file cannot be written.
    """
    options = Options(
        n_trials=whole("n_trials", n_trials, 0, CARDS),
        title=title,
        stimuli=None if stimuli is None else str(stimuli),
        paradigms=optional(paradigms_dir),
        figures=optional(figures),
        children=children,
    )
    return write_page(folders_of(runs), Path(out), options)


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A run: one paradigm put to some populations, trial by trial, in a folder of its own."""

    folder: Path
    """Where it lies."""
    paradigms_dir: Path | None = None
    """Folder with paradigms of one's own, if it asked one of them."""
    n_computed: int = 0
    """Cells (one network and language each) that were computed now."""
    n_reused: int = 0
    """Cells that were there already."""
    duration_s: float = 0.0
    """Time that took, in seconds."""

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What was run: versions, checksums, seeds, command, machine."""
        self._files  # noqa: B018 - tells what is wrong with the folder
        return read_manifest(self.folder)

    @cached_property
    def _files(self) -> RunFiles:
        return read_run(self.folder)

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """What was asked and how it was answered, as ``run-paradigm --format json`` prints it."""
        content: dict[str, Any] = plain(self._files.summary)
        return content

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per trial and network; the README and the file tell what every column means."""
        return read_trials(table_of(self.folder))

    @property
    def results(self) -> pd.DataFrame:
        """One row per population, test language and condition: accuracy, interval over seeds."""
        import pandas as pd

        return pd.DataFrame(self.summary["results"])

    def analyse(
        self,
        *,
        alpha: float = 0.05,
        bound: float = 0.05,
        n_bootstrap: int = 0,
        gate: tuple[str, float] | None = None,
        progress: Progress = silent,
    ) -> Statistics:
        """What may be concluded from this run; kept in its folder as ``statistics.json``.

        They are made again when something they were made of has changed (`toolkit.api.kept`).

        Args:
            alpha: as in `analyse_runs`, and so are all others.
            bound: equivalence bound.
            n_bootstrap: simulations of the parametric bootstrap.
            gate: instead of the paradigm's own.
            progress: called as the work goes on.

        Raises:
            ToolkitError: as `analyse_runs`.
        """
        settings = _settings(alpha, bound, n_bootstrap, gate)
        key = _made_of(self.folder, self.paradigms_dir, settings)
        found = kept.kept(self.folder, key, self.paradigms_dir)
        if found is not None:
            return Statistics(found)
        made = _analysed([self.folder], self.paradigms_dir, settings, progress).of(key)
        write_json(self.folder / STATISTICS_FILE, made.results)
        return made

    def report(
        self,
        out: str | Path | None = None,
        *,
        title: str = "",
        n_trials: int = DEFAULT_TRIALS,
        figures: str | Path | None = None,
        stimuli: str | Path | None = None,
    ) -> Path:
        """Write the page about this run, with the statistics that its folder holds if it does.

        Args:
            out: the file to write; by default ``report.html`` in the run's folder.
            title: as in `write_report`, and so are all others.
            n_trials: trials to see first, and on paper; 0 for no gallery.
            figures: folder for every figure.
            stimuli: the stimulus set, if it has moved.

        Returns:
            The file written.

        Raises:
            ToolkitError: as `write_report`.
        """
        return write_report(
            self,
            out or self.folder / REPORT_FILE,
            title=title,
            n_trials=n_trials,
            figures=figures,
            stimuli=stimuli,
            paradigms_dir=self.paradigms_dir,
        )

    @property
    def told(self) -> Mapping[str, Any]:
        """The summary, and what was done now."""
        return {
            **self.summary,
            "run_directory": str(self.folder),
            "duration_s": round(self.duration_s, 3),
            "cells_computed": self.n_computed,
            "cells_reused": self.n_reused,
        }

    def __repr__(self) -> str:
        """What ``run-paradigm`` prints."""
        return text_of(self.show)

    def show(self) -> None:
        """Print what ``run-paradigm`` prints."""
        done = Done(str(self.folder), self.n_computed, self.n_reused, self.duration_s)
        print_summary(self._files.summary, done)

    def _repr_html_(self) -> str:
        return run_html(self._files.summary, str(self.folder))


class Statistics(dict[str, Any]):
    """What may be concluded, by paradigm: the content of ``statistics.json``.

    The README tells its keys; `results` holds the same as records, whose fields a type checker
    knows. At a prompt it shows what ``analyze`` prints, in a notebook the answers.

    Example:
        >>> from toolkit.statistics.models.results import Result
        >>> made = Statistics({"me": Result(
        ...     paradigm_kind="choices", schema=2, engine="glmm 0.6.2", paradigm="me",
        ...     paradigm_version=2, question="Which?", answers=(("Above chance?", "No."),),
        ... )})
        >>> made["me"]["answers"], made.results["me"].engine
        ([['Above chance?', 'No.']], 'glmm 0.6.2')
        >>> "<dt>Above chance?</dt><dd>No.</dd>" in made._repr_html_()
        True
    """

    def __init__(self, results: Mapping[str, Result]) -> None:
        super().__init__(plain(results))
        self.results = results

    def of(self, key: str) -> Statistics:
        """The same, with the name of what they were made of (`toolkit.api.kept.made_of`)."""
        return Statistics({name: replace(one, made_of=key) for name, one in self.results.items()})

    def save(self, file: str | Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_json(Path(file), self.results)

    def show(self, file: Path | None = None) -> None:
        """Print what ``analyze`` prints.

        Args:
            file: where it was saved.
        """
        print_analyses(self.results, str(file) if file else None)

    def __repr__(self) -> str:
        """What ``analyze`` prints."""
        return text_of(self.show)

    def _repr_html_(self) -> str:
        return statistics_html(self.results)


def folders_of(runs: Runs | Run | str | Path) -> list[Path]:
    """Where runs lie, one or several, however they were given."""
    given: list[Run | str | Path] = several(runs)
    return [run.folder if isinstance(run, Run) else Path(run) for run in given]


def _settings(
    alpha: float, bound: float, n_bootstrap: int, gate: tuple[str, float] | None
) -> Settings:
    """What is fixed before the data are looked at, refused where it is out of range."""
    return Settings(
        alpha=within("alpha", alpha, 0.0001, 0.5),
        bound=within("bound", bound, 0.001, 1.0),
        n_bootstrap=whole("n_bootstrap", n_bootstrap, 0, RESAMPLES),
        gate=Gate(gate[0], within("the gate's share", gate[1], 0.0, 1.0)) if gate else None,
    )


def _made_of(folder: Path, own: Path | None, settings: Settings) -> str:
    return kept.made_of(folder, frozenset(DERIVED), own, settings)


def _analysed(
    folders: Sequence[Path], own: Path | None, settings: Settings, progress: Progress
) -> Statistics:
    made = analyse_folders(
        folders, own, settings, lambda done, total: progress("bootstrap", done, total)
    )
    return Statistics(made)
