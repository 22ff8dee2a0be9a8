"""A study that is handed to other machines, and what is told of it on the terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.terminal import say
from toolkit.errors import ToolkitError, quoted
from toolkit.processes.slurm import Submitted, check_options, in_queue, taken
from toolkit.statistics.phrases import count
from toolkit.studies import cluster
from toolkit.studies.checks import read_study
from toolkit.studies.chunks import (
    Kept,
    find_chunks,
    keep_chunks,
    lists_of,
    new_chunks,
    read_chunks,
    recut,
    shown_command,
)
from toolkit.studies.cluster import Standing
from toolkit.studies.plan import StudyPlan, Where, plan_study
from toolkit.studies.run import held
from toolkit.studies.study import Study, results_of

SHOWN = 10
"""Chunks that are named one by one."""
PAUSE_S = 20.0
"""Seconds between two looks at files and queue, while a study is waited for."""


@dataclass(frozen=True)
class Elsewhere:
    """A study that others work at, as things stand."""

    plan: StudyPlan
    """What is done of it."""
    kept: Kept
    """Its chunks."""
    found: tuple[Standing, ...]
    """What they are at."""
    submitted: Submitted | None = None
    """What was handed over just now; None if nothing."""
    unasked: str = ""
    """Why the queue could not be asked; empty if it was."""

    @property
    def is_done(self) -> bool:
        """Whether all chunks are done."""
        return all(one.state == "done" for one in self.found)

    def content(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "file": str(self.kept.file),
            "states": cluster.counted(self.found),
            "jobs": list(self.submitted.jobs) if self.submitted else [],
            "left": len(self.submitted.left) if self.submitted else 0,
            "calls": self.submitted.n_calls if self.submitted else 0,
            "queue_not_asked": self.unasked or None,
            "needs_you": [
                {"chunk": one.number, "job": one.task.job, "why": one.task.reason}
                for one in self.found
                if one.state == "needs you" and one.task
            ],
            "failed": [
                {"chunk": one.number, "why": one.attempts.last, "jobs": list(one.attempts.logs)}
                for one in self.found
                if one.state == "failed"
            ],
        }


def options_of(given: Iterable[str]) -> dict[str, str]:
    """Options of sbatch as they are typed.

    Args:
        given: texts ``KEY=VALUE`` or ``KEY``.

    Raises:
        ToolkitError: one of them cannot be passed on.

    Example:
        >>> options_of(["partition=gpu", "exclusive"])
        {'partition': 'gpu', 'exclusive': ''}
    """
    found = {}
    for text in given:
        key, _, value = text.partition("=")
        found[key.strip()] = value.strip()
    check_options(found)
    return found


def chunks_of(study: Path, out: Path | None = None) -> Kept:
    """The chunks that a path stands for.

    Args:
        study: a list of chunks, or a study file whose list was written.
        out: folder of the results, with a study file.

    Raises:
        ToolkitError: there is no such list.
    """
    if study.suffix != ".toml":
        return read_chunks(study)
    found = read_study(study)
    lists = lists_of(found, out or found.results)
    if not lists:
        raise ToolkitError(
            "The study is not cut into chunks yet.",
            given=str(study),
            next_command=f"mevgs-toolkit run-study {quoted(study)} --executor chunks",
        )
    if len(lists) > 1:
        told = [f"{one.file} ({one.content.device}, {one.content.precision})" for one in lists]
        raise ToolkitError(
            "The study was cut into chunks several times.",
            given=str(study),
            allowed="one of the lists: " + "; ".join(told),
            next_command=shown_command(lists[0]),
        )
    return lists[0]


def write_chunks(study: Study, where: Where) -> Kept:
    """Cut a study into chunks, for any queue.

    Args:
        study: what `toolkit.studies.checks.read_study` gave.
        where: where its results lie.
    """
    with held(where):
        return keep_chunks(_settled(study, where))


def standing(plan: StudyPlan) -> Elsewhere | None:
    """What the chunks of a study are at; None as long as it is not cut into chunks.

    Args:
        plan: of the study, as things stand.
    """
    kept = find_chunks(plan)
    if kept is None:
        return None
    unasked = ""
    try:
        queue = in_queue(f"mevgs-{kept.name}")
    except ToolkitError as error:
        queue, unasked = {}, (error.given or error.message).splitlines()[0]
    found = cluster.standings(plan, kept, queue, cluster.ready_states(plan))
    return Elsewhere(plan, kept, tuple(found), unasked=unasked)


def hand_over_all(
    study: Study,
    where: Where,
    options: Mapping[str, str],
    at_once: int | None = None,
    *,
    wait: bool = False,
) -> Elsewhere:
    """Hand to SLURM what is missing and not in its queue; with `wait`, until nothing is.

    Args:
        study: what `toolkit.studies.checks.read_study` gave.
        where: where its results lie.
        options: of sbatch.
        at_once: tasks of an array that run at the same time, at most.
        wait: whether to stay until all is done that can be.

    Raises:
        ToolkitError: there is no SLURM here, or it refuses the tasks.
    """
    with held(where):
        while True:
            plan = _settled(study, where)
            kept = keep_chunks(plan)
            work = cluster.slurm_work(plan, kept, options, at_once)
            check_options(work.options)
            queue = in_queue(work.name)
            # The queue is asked before the files: what has left it since is seen there.
            plan = plan_study(study, where)
            states = cluster.ready_states(plan)
            found = cluster.standings(plan, kept, queue, states)
            fresh = [
                one.number for one in found if one.state == "missing" and not one.attempts.failed
            ]
            if (again := recut(plan, kept, fresh)) is not kept:
                kept, found = again, cluster.standings(plan, again, queue, states)
            submitted = cluster.hand_over(work, found)
            now = Elsewhere(plan, kept, tuple(found), submitted)
            at_work = any(one.state in ("running", "waiting") for one in found)
            if not wait or not (at_work or submitted or states):
                return now
            threading.Event().wait(PAUSE_S)


def _settled(study: Study, where: Where) -> StudyPlan:
    """The plan, once subjects that are trained have become populations."""
    plan = plan_study(study, where)
    states = cluster.ready_states(plan)
    if not states:
        return plan
    cluster.make_populations(plan, states)
    return plan_study(study, where)


def print_scripts(plan: StudyPlan, options: Mapping[str, str] | None, at_once: int | None) -> None:
    """Print what would be handed over; nothing is written and nobody is asked.

    Args:
        plan: of the study.
        options: of sbatch; None for another queue.
        at_once: tasks of an array that run at the same time, at most.
    """
    kept = find_chunks(plan) or new_chunks(plan)
    say("")
    _print_cut(kept)
    if options is None:
        return
    work = cluster.slurm_work(plan, kept, options, at_once)
    found = cluster.standings(plan, kept, {}, cluster.ready_states(plan))
    try:
        size = taken().array_size
    except ToolkitError:
        from toolkit.processes.slurm import USUAL_ARRAY as size  # noqa: N811

        say(f"SLURM is not asked here: arrays of {size} at most, as usual.")
    for array in work.arrays([one.number for one in found if one.state == "missing"], size):
        say(f"\n{array.script}", end="")


def print_chunks(kept: Kept) -> None:
    """Print how the chunks of a study are done by any queue.

    Args:
        kept: its chunks.
    """
    _print_cut(kept)
    say(f"Written: {kept.file}")
    say(f"Do one: {shown_command(kept)}")
    say(f"Then:   {_to_collect(Path(kept.content.study), kept.out)}")


def _print_cut(kept: Kept) -> None:
    chunks = kept.content.chunks
    n_training = sum(bool(one.train) for one in chunks)
    say(f"{count(len(chunks), 'chunk')}, 0 to {len(chunks) - 1}:")
    for number, chunk in enumerate(chunks[:SHOWN]):
        say(f"  {number}: {chunk.told}")
    if len(chunks) > SHOWN:
        say("  ...")
    if n_training:
        say(
            f"Chunks from {n_training} on may ask networks that are trained by those before; the "
            "same run-study command makes populations of them, and hands over the rest."
        )


def print_standing(now: Elsewhere) -> None:
    """Print what the chunks of a study are at, and what somebody must do.

    Args:
        now: as things stand.
    """
    states = ", ".join(f"{n} {state}" for state, n in cluster.counted(now.found).items())
    say(f"Chunks: {states or 'none'}.")
    if now.unasked:
        say(f"The queue was not asked, so these are the files alone: {now.unasked}")
    if now.submitted:
        made = now.submitted
        say(
            f"Handed over: {count(len(made.numbers), 'chunk')} in "
            f"{count(len(made.jobs), 'job')} ({', '.join(made.jobs)}), "
            f"by {count(made.n_calls, 'call')}."
        )
        if made.left:
            say(f"Not taken for now: {count(len(made.left), 'chunk')}: {made.why}")
    _print_troubles([one for one in now.found if one.state in ("needs you", "failed")], now)
    if now.is_done:
        told = _to_collect(now.plan.study.path, now.plan.where.out)
        say(f"All is done. Report: {told}")
    elif any(one.state == "later" for one in now.found):
        say("Later: chunks whose networks are not trained yet; the same command hands them over.")


def _to_collect(study: Path, out: Path) -> str:
    """The command that reports a study, wherever its results lie."""
    usual = results_of(study)
    other = "" if out.absolute() == usual.absolute() else f" --out {quoted(out)}"
    return f"mevgs-toolkit run-study {quoted(study)}{other} --collect"


def _print_troubles(found: Sequence[Standing], now: Elsewhere) -> None:
    for one in found[:SHOWN]:
        if one.state == "needs you" and one.task:
            say(
                f"Chunk {one.number} needs you: {one.task.state}, {one.task.reason} "
                f"(scontrol show job {one.task.job}; scontrol release {one.task.job})"
            )
        else:
            logs = [now.plan.where.out / cluster.LOGS / f"{job}.log" for job in one.attempts.logs]
            last = f"; log: {logs[-1]}" if logs else ""
            say(
                f"Chunk {one.number} failed {one.attempts.failed + one.attempts.running} times and "
                f"is not handed over again: {one.attempts.last or 'it was killed'}{last}. After "
                f"mending: {shown_command(now.kept, one.number)}"
            )
    if len(found) > SHOWN:
        say(f"... and {len(found) - SHOWN} more.")
