"""A study is carried out on this machine; the same again does only what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reports.page import Options, write_report
from reports.parts import Line, Planned
from reports.terminal import say
from stimuli.names import file_name
from toolkit.api import kept
from toolkit.api.results import DERIVED, REPORT_FILE
from toolkit.devices import find_device
from toolkit.errors import ToolkitError, quoted
from toolkit.processes.alone import alone_in
from toolkit.running.folder import content_key, working_folder, write_json
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.phrases import count
from toolkit.statistics.saved import STATISTICS_FILE
from toolkit.studies.deviations import beyond, exploratory, missing
from toolkit.studies.durations import measured
from toolkit.studies.outcomes import sentences_of
from toolkit.studies.plan import (
    TRAINING,
    PlannedRun,
    StudyPlan,
    Where,
    plan_study,
    prepare,
    source_of,
)
from toolkit.studies.printed import effort, print_departures
from toolkit.tables.manifests import STUDIES, read_manifest

if TYPE_CHECKING:
    from toolkit.statistics.models.results import Result
    from toolkit.studies.study import Study

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
REPORTS = "reports"
"""Folder of statistics and reports, one folder in it per stimulus set, where there are several."""
FIGURES = "figures"
"""Folder of figures, where they are asked for."""


@dataclass(frozen=True, eq=False)
class StudyResults:
    """A study as far as it is carried out."""

    plan: StudyPlan
    """What was planned, and what of it is done."""
    pages: tuple[Path, ...]
    """Reports: one, or one per stimulus set."""
    beyond: tuple[str, ...]
    """What was run beyond the file or otherwise."""
    missing: tuple[str, ...]
    """What the file says and is not there."""
    results: tuple[Mapping[str, Result], ...]
    """Analyses by paradigm, for every report."""

    def show(self) -> None:
        """Print what came of the confirmatory tests, where the study departs, and the reports."""
        for own in self.results:
            for sentence in confirmed(self.plan.study, own):
                say(sentence)
        print_departures(self.beyond, self.missing)
        for sentence in effort(self.plan):
            say(sentence)
        for page in self.pages:
            say(f"Report: {page}")


def run_study(
    study: Study,
    where: Where,
    *,
    jobs: int | None = None,
    progress: Progress = lambda *_: None,
) -> StudyResults:
    """Train what is missing, ask what is missing, analyse all of it and write the report.

    Args:
        study: what `toolkit.studies.checks.read_study` gave.
        where: where its results lie, and where networks compute.
        jobs: processes at work; 1 if left out, and 2 for trainings on a processor.
        progress: called as the work goes on.

    Raises:
        ToolkitError: what training, running or analysing raises; what was finished before is kept.
    """
    with held(where):
        plan = plan_study(study, where)
        if plan.missing.get(TRAINING):
            _train(plan, jobs, progress)
            plan = plan_study(study, where)
        left = [run for run in plan.runs if not (run.done and _knows(plan, run))]
        for run in left:
            _ask(plan, run, jobs or 1, progress)
        return _told(plan_study(study, where) if left else plan, progress)


def collect(study: Study, where: Where, *, progress: Progress = lambda *_: None) -> StudyResults:
    """Join the cells that are there, analyse them and write the report; nothing is computed.

    Args:
        study: what `toolkit.studies.checks.read_study` gave.
        where: where its results lie.
        progress: called as the work goes on.

    Raises:
        ToolkitError: no run is finished yet.
    """
    with held(where):
        _join(plan_study(study, where), progress)
        return _told(plan_study(study, where), progress)


def _join(plan: StudyPlan, progress: Progress) -> None:
    """Join the cells of every run that has all of them."""
    joinable = [run for run in plan.runs if run.run_id is not None and not run.n_missing]
    if not joinable:
        raise ToolkitError(
            f"No run of the study is finished in {plan.where.out}.",
            allowed="a study of which at least one run has all of its cells",
            next_command=f"mevgs-toolkit run-study {quoted(plan.study.path)}",
        )
    for run in joinable:
        if not run.done:
            _ask(plan, run, 1, progress)


def _knows(plan: StudyPlan, run: PlannedRun) -> bool:
    """Whether the manifest of a finished run says that the study file asks for it."""
    manifest = read_manifest(plan.where.runs / str(run.run_id))
    return plan.study.sha256 in manifest.get(STUDIES, ())


@contextmanager
def held(where: Where) -> Iterator[None]:
    """Hold the folder of the results, so that no other process carries out the same study.

    Args:
        where: the study's results.

    Raises:
        ToolkitError: another one does.
    """
    busy = f"The study in {where.out} is being carried out by another process."
    with working_folder(where.out), alone_in(where.out, busy):
        yield


def _train(plan: StudyPlan, jobs: int | None, progress: Progress) -> None:
    from toolkit.training.populations import train_populations

    left = {one.population: len(one.seeds) - len(one.done) for one in plan.trainings}
    for grid in plan.study.grids:
        n = sum(left[condition.name] for condition in grid.conditions)
        if n:
            with measured(plan.where.out, TRAINING, n):
                train_populations(
                    grid.conditions,
                    grid.seeds,
                    plan.where.subjects,
                    source_of(grid),
                    jobs,
                    progress,
                    device=find_device(plan.where.device, plan.where.precision),
                )


def _ask(plan: StudyPlan, run: PlannedRun, jobs: int, progress: Progress) -> None:
    start = prepare(plan.study, plan.where, run.ask, run.trial_seed, run.populations, jobs)
    with measured(plan.where.out, run.ask.paradigm.name, run.n_missing):
        start(progress)


def _told(plan: StudyPlan, progress: Progress) -> StudyResults:
    """Analyse and report what is finished: one page, or one for every stimulus set."""
    folders = _folders(plan)
    by_set: dict[Path, list[PlannedRun]] = {}
    for run in plan.runs:
        if run.done:
            by_set.setdefault(folders[run.ask.stimuli.checksum], []).append(run)
    results = {folder: _analysed(plan, runs, folder, progress) for folder, runs in by_set.items()}
    without, lacking = beyond(plan), missing(plan, list(results.values()))
    pages = [
        _page(plan, runs, folder, results[folder], without, lacking)
        for folder, runs in by_set.items()
    ]
    analyses = tuple(results.values())
    return StudyResults(plan, tuple(pages), tuple(without), tuple(lacking), analyses)


def _folders(plan: StudyPlan) -> dict[str, Path]:
    """Where statistics and report of every stimulus set lie, by its checksum."""
    sets = {ask.stimuli.checksum: file_name(ask.stimuli.name) for ask in plan.study.asks}
    if len(sets) == 1:
        return dict.fromkeys(sets, plan.where.out)
    names, place = list(sets.values()), plan.where.out / REPORTS
    return {
        checksum: place / (name if names.count(name) == 1 else f"{name}-{checksum[:8]}")
        for checksum, name in sets.items()
    }


def _analysed(
    plan: StudyPlan, runs: Sequence[PlannedRun], folder: Path, progress: Progress
) -> dict[str, Result]:
    """Analyses by paradigm, as kept if they were made of the same."""
    study, own = plan.study, plan.study.paradigms_dir
    asked = {run.ask.paradigm.name: run.ask.paradigm for run in runs}
    settings = {name: study.settings(paradigm) for name, paradigm in asked.items()}
    places = {run: plan.where.runs / str(run.run_id) for run in runs}
    key = content_key(
        {
            "runs": [
                kept.made_of(place, frozenset(DERIVED), own, settings[run.ask.paradigm.name])
                for run, place in places.items()
            ]
        }
    )
    found = kept.kept(folder, key, own)
    if found is not None:
        return found
    made: dict[str, Result] = {}
    for name, chosen in settings.items():
        of_it = [place for run, place in places.items() if run.ask.paradigm.name == name]
        made |= analyse_runs(
            of_it, own, chosen, lambda done, total: progress("bootstrap", done, total)
        )
    made = {name: replace(one, made_of=key) for name, one in made.items()}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / STATISTICS_FILE, made)
    return made


def _page(
    plan: StudyPlan,
    runs: Sequence[PlannedRun],
    folder: Path,
    results: Mapping[str, Result],
    without: Sequence[str],
    lacking: Sequence[str],
) -> Path:
    told, about = plan.study.file, plan.study.file.study
    options = Options(
        title=about.title,
        n_trials=told.report.gallery,
        paradigms=plan.study.paradigms_dir,
        figures=folder / FIGURES if told.report.figures else None,
        analyses=results,
        planned=_planned(plan, results, without, lacking),
    )
    return write_report(
        [plan.where.runs / str(run.run_id) for run in runs], folder / REPORT_FILE, options
    )


def confirmed(study: Study, results: Mapping[str, Result]) -> tuple[str, ...]:
    """What the confirmatory tests say, paradigm first.

    Args:
        study: says which they are.
        results: analyses by paradigm.
    """
    told = sentences_of(results)
    return tuple(
        f"{name.partition(': ')[0]}: {told[name]}" for name in study.confirmatory if name in told
    )


def _planned(
    plan: StudyPlan, results: Mapping[str, Result], without: Sequence[str], lacking: Sequence[str]
) -> Planned:
    """What the file said before, for the page."""
    study, about = plan.study, plan.study.file.study
    lines = [Line("warning", "Not in the plan", text) for text in without]
    lines += [Line("warning", "In the plan but missing", text) for text in lacking]
    if not lines:
        lines.append(
            Line(
                "good",
                "As planned",
                "All that the study file says was trained and asked, nothing else.",
            )
        )
    further, n = exploratory(study.confirmatory, results)
    if further:
        text = f"analyses beyond the confirmatory ones: {further} of {count(n, 'test')}."
        lines.append(Line("note", "Not in the plan", text))
    where = f"; registered at {about.preregistration}" if about.preregistration else ""
    named = "".join(f"; {name}, SHA-256 {own}" for name, own in study.files.items())
    text = f"{study.path.name}, SHA-256 {study.sha256}{named}{where}."
    lines.append(Line("note", "Study file", text))
    return Planned(
        hypotheses=about.hypotheses,
        confirmatory=confirmed(study, results),
        lines=tuple(lines),
    )
