"""What a script or a notebook does with studies; `toolkit` itself offers every name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.limits import JOBS
from toolkit.api.checks import silent, whole
from toolkit.studies import run as running
from toolkit.studies.checks import read_study
from toolkit.studies.plan import Where
from toolkit.studies.preregistration import preregistration
from toolkit.studies.run import Progress, StudyResults
from toolkit.studies.study import Study

if TYPE_CHECKING:
    from toolkit.studies.plan import StudyPlan

__all__ = ["Study", "StudyResults", "open_study", "plan_study", "preregistration", "run_study"]


def open_study(file: str | Path) -> Study:
    """A study by its file, with everything looked up that it names; nothing is computed.

    Args:
        file: as ``new-study`` writes one.

    Raises:
        ToolkitError: it cannot be read, or has faults; all of them are told, each with its line.

    Example:
        >>> from toolkit.studies.file import EXAMPLE
        >>> open_study(EXAMPLE).confirmatory[0]
        'me: bilingual-en-nl in en, novel-familiar - absent-familiar'
    """
    return read_study(file)


def plan_study(
    study: Study, *, out: str | Path | None = None, device: str = "cpu", precision: str = "float32"
) -> StudyPlan:
    """What of a study is done, and what is missing; nothing is computed or written.

    Args:
        study: what `open_study` gave.
        out: folder of the results; by default beside the file, named after it.
        device: where networks compute, see `toolkit.devices`.
        precision: how a card computes.

    Raises:
        ToolkitError: something that the study needs cannot be had any more.
    """
    from toolkit.studies import plan

    return plan.plan_study(study, _where(study, out, device, precision))


def run_study(
    study: Study,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    device: str = "cpu",
    precision: str = "float32",
    progress: Progress = silent,
) -> StudyResults:
    """Carry out what is missing of a study, analyse all of it, and write one report.

    Args:
        study: what `open_study` gave.
        out: folder of the results; by default beside the file, named after it.
        jobs: processes at work; 1 if left out, and 2 for trainings on a processor.
        device: where networks compute, see `toolkit.devices`.
        precision: how a card computes.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        ToolkitError: what training, running or analysing raises; what was finished before is kept.
    """
    n_jobs = None if jobs is None else whole("jobs", jobs, 1, JOBS)
    where = _where(study, out, device, precision)
    return running.run_study(study, where, jobs=n_jobs, progress=progress)


def _where(study: Study, out: str | Path | None, device: str, precision: str) -> Where:
    return Where(study.results if out is None else Path(out), device, precision)
