"""What a reader must know before believing a result: the lines under the title."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from reports.parts import Line, Planned
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from toolkit.statistics.models.results import Result
    from toolkit.tables.recorded import Recorded


def status_lines(chapters: Sequence[Chapter[Any]], planned: Planned | None = None) -> list[Line]:
    """Warnings first, then notes, then what is in order; of each, what was planned comes first."""
    lines = [*planned.lines] if planned else []
    lines += [line for chapter in chapters for line in _of_chapter(chapter, len(chapters) > 1)]
    runs = [run for chapter in chapters for run in chapter.runs]
    lines += _of_runs([run.manifest for run in runs if run.manifest is not None])
    lines += [Line("note", "Runs", note) for note in chapters[0].notes]
    for run in runs:
        if run.manifest is None:
            text = f"{run.folder.name} was imported: how its trials were made is not recorded."
            lines.append(Line("note", "Table from elsewhere", text))
    assumed = dict.fromkeys(REPORTS[own.kind].assumptions(own) for own in chapters)
    lines += [Line("note", "Assumed, not tested", text) for text in assumed]
    order = ("warning", "note", "good")
    return sorted(lines, key=lambda line: order.index(line.level))


def _of_chapter(chapter: Chapter[Any], name_it: bool) -> Iterator[Line]:
    told: Result = chapter.statistics
    own = REPORTS[chapter.kind]
    prefix = f"{chapter.paradigm}: " if name_it else ""
    yield from own.status(chapter, prefix)
    for warning in told.warnings:
        yield Line("warning", f"{prefix}Statistics", warning)
    fits = list(own.fits(chapter))
    lost = [fit for fit in fits if not fit.converged]
    separated = sum(fit.separated for fit in lost)
    models = count(len(fits), "mixed model")
    if separated:
        text = f"{separated} of {models} not decided: some level or cell has only equal answers."
        yield Line("warning", f"{prefix}Separated", text)
    if len(lost) > separated:
        text = f"{len(lost) - separated} of {models} did not converge."
        yield Line("warning", f"{prefix}Models", text)
    if fits and not lost and not any(fit.singular for fit in fits):
        verb = "converged; none is" if len(fits) > 1 else "converged and is not"
        yield Line("good", f"{prefix}Models", f"{models} {verb} singular.")
    for run in chapter.runs:
        for warning in run.summary.warnings:
            yield Line("warning", f"{prefix}Run", warning)


def _of_runs(runs: Sequence[Recorded]) -> Iterator[Line]:
    if not runs:
        return
    dirty = sum(run.git is not None and run.git.dirty for run in runs)
    if dirty:
        yield Line(
            "warning", "Code", f"Made from a checkout with changes that no commit holds: "
            f"{dirty} of {count(len(runs), 'run')}.",
        )  # fmt: skip
    elif runs[0].git is None or any(run.git is None for run in runs):
        version = runs[0].toolkit_version
        yield Line("good", "Code", f"Made with the installed package, version {version}.")
    else:
        commit = runs[0].git.commit[:10]
        yield Line("good", "Code", f"Made from commit {commit} without further changes.")
    for told in dict.fromkeys(run.device.told for run in runs if run.device.kind != "cpu"):
        text = (
            f"Networks computed on {told}: numbers agree with those of a processor to some digits, "
            "not all, so that a near tie may fall otherwise."
        )
        yield Line("note", "Device", text)
    unfinished = sum(run.status != "complete" for run in runs)
    if unfinished:
        text = f"{unfinished} of {count(len(runs), 'run')} did not end."
        yield Line("warning", "Unfinished", text)
    for what, values in (
        ("stimulus sets", {run.stimuli.checksum for run in runs}),
        ("versions of the toolkit", {run.toolkit_version for run in runs}),
        ("kinds of device or precisions", {(r.device.kind, r.device.precision) for r in runs}),
    ):
        if len(values) > 1:
            yield Line("warning", "Mixed runs", f"The runs used {len(values)} different {what}.")
