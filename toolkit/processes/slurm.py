"""SLURM by its own commands: what a site takes, arrays of numbered tasks, what is in the queue.

Three programs are asked, as rarely as can be: ``scontrol`` what the controller takes, ``sbatch`` to
take an array of tasks, ``squeue`` what became of them. Accounting, which not every site keeps, is
never asked: what is done is known by its files, and what neither lies there nor is in the
queue can be handed over again.

MaxArraySize limits the index of a task, not how many there are, so tasks are numbered within their
array, whose name ends with the number of its first: ``mevgs-words.2000`` is the third array where
1,000 is the limit.
"""

from __future__ import annotations

import getpass
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError

USUAL_ARRAY = 1001
"""MaxArraySize where a site says nothing."""
USUAL_JOBS = 10_000
"""MaxJobCount where a site says nothing."""
WARNING_S = 60
"""Seconds before its time is up at which a task is told (SIGUSR1)."""
PATIENCE_S = 120
"""Seconds after which a program that does not answer counts as failed: sbatch waits where the
controller is full."""
OWN = ("array", "chdir", "job-name", "open-mode", "output", "requeue", "signal")
"""Options of sbatch that every array has, which cannot be given."""
_OPTION = re.compile(r"[a-z][a-z0-9-]*")
_UNSAFE = re.compile(r"[\"'\\`$\x00-\x1f\x7f]")
"""What would end a value, or be expanded, in a line of options."""
_FULL = re.compile(r"job submit limit|temporarily unable")
"""What sbatch says where it takes no more tasks for now, if it names no limit."""
_LIMIT = re.compile(r"(?:QOS|Assoc)\w+Limit")
"""A limit that it names."""
_BY_ITSELF = re.compile(
    r"None|Resources|Priority|BeginTime|Dependency|Licenses|Cleaning|Prolog|Reservation|NodeDown"
    r"|JobArrayTaskLimit|(QOS|Assoc)(Max(Jobs|GRES|Cpu|Node|Mem)\w*Per(User|Account)|MaxJobs|Grp)"
    r"\w*Limit"
)
"""Reasons of waiting that pass without anybody's doing, as squeue calls them."""


@dataclass(frozen=True)
class Taken:
    """What a controller takes."""

    array_size: int = USUAL_ARRAY
    """Indices of an array lie below it (MaxArraySize)."""
    jobs: int = USUAL_JOBS
    """Tasks in the queue, everybody's together (MaxJobCount)."""


@dataclass(frozen=True)
class Task:
    """What the queue says of a task."""

    job: str
    """Number of the job, as ``scontrol`` and ``scancel`` know it."""
    state: str
    """Such as ``RUNNING``."""
    reason: str
    """Why it waits; ``None`` where it does not."""

    @property
    def needs_you(self) -> bool:
        """Whether it will not begin before somebody does something.

        Example:
            >>> Task("7_3", "PENDING", "JobHeldUser").needs_you
            True
            >>> Task("7_3", "PENDING", "QOSMaxJobsPerUserLimit").needs_you
            False
        """
        if self.state in ("REQUEUE_HOLD", "SPECIAL_EXIT", "STOPPED"):
            return True
        return self.state == "PENDING" and _BY_ITSELF.fullmatch(self.reason) is None


@dataclass(frozen=True)
class Array:
    """Tasks that are handed over together."""

    first: int
    """Number of the task whose index is 0, whether it is among them or not."""
    numbers: tuple[int, ...]
    """Numbers of the tasks."""
    script: str
    """What sbatch is given."""


@dataclass(frozen=True)
class Work:
    """Numbered tasks, and how they are run."""

    name: str
    """Of the arrays, without blanks."""
    command: tuple[str, ...]
    """What a task runs; its number comes behind it."""
    folder: Path
    """Where it runs."""
    logs: Path
    """Folder of what tasks print."""
    options: Mapping[str, str]
    """Further options of sbatch, such as ``partition``; empty where they have no value."""
    at_once: int | None = None
    """Tasks of an array that run at the same time, at most."""

    def arrays(self, numbers: Sequence[int], size: int) -> Iterator[Array]:
        """The arrays that tasks are handed over in.

        Args:
            numbers: of the tasks, ascending.
            size: what the site takes, see `Taken`.

        Example:
            >>> work = Work("words", ("do", "--chunk"), Path("/w"), Path("/w/logs"), {})
            >>> [(one.first, one.numbers) for one in work.arrays([0, 1, 5, 12], 5)]
            [(0, (0, 1)), (5, (5,)), (10, (12,))]
        """
        groups: dict[int, list[int]] = {}
        for number in numbers:
            groups.setdefault(number // size * size, []).append(number)
        for first, own in groups.items():
            yield self.array(first, own)

    def array(self, first: int, numbers: Sequence[int]) -> Array:
        """One array.

        Args:
            first: number of the task whose index is 0.
            numbers: of the tasks, ascending.

        Raises:
            ToolkitError: an option cannot be passed on.
        """
        check_options(self.options)
        tasks = ranges([number - first for number in numbers])
        own = {
            "array": f"{tasks}%{self.at_once}" if self.at_once else tasks,
            "job-name": f"{self.name}.{first}",
            "chdir": str(self.folder),
            "output": f"{self.logs}/".replace("%", "%%") + "%A_%a.log",
            "open-mode": "append",
            "requeue": "",
            # To this task alone, which takes the place of the shell.
            "signal": f"B:USR1@{WARNING_S}",
        }
        lines = [_line(name, value) for name, value in {**own, **self.options}.items()]
        script = [
            "#!/bin/bash",
            *lines,
            "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}",
            f"exec {shlex.join(self.command)} $((SLURM_ARRAY_TASK_ID + {first}))",
        ]
        return Array(first, tuple(numbers), "\n".join(script) + "\n")


@dataclass(frozen=True)
class Submitted:
    """What came of handing tasks over."""

    jobs: tuple[str, ...]
    """Numbers of the jobs."""
    numbers: tuple[int, ...]
    """Tasks that the queue took."""
    left: tuple[int, ...]
    """Tasks that it did not take for now."""
    why: str
    """What it said to them."""
    n_calls: int
    """How often it was asked."""


def check_options(options: Mapping[str, str]) -> None:
    """Refuse options that sbatch would not take, or would take for something else.

    Args:
        options: names without dashes, and values; empty where they have none.

    Raises:
        ToolkitError: a name is none, or every array has it already, or a value would be cut.

    Example:
        >>> check_options({"partition": "gpu", "gres": "gpu:1", "exclusive": ""})
        >>> check_options({"array": "1-3"})
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: The option array of sbatch cannot be given: every array has it.
          given: array=1-3
          allowed: any but array, chdir, job-name, open-mode, output, requeue, signal
    """
    for name, value in options.items():
        given = f"{name}={value}" if value else name
        if not _OPTION.fullmatch(name):
            raise ToolkitError(
                "This is no option of sbatch.",
                given=given,
                allowed="its long name without dashes, such as partition=gpu or exclusive",
                next_command="man sbatch",
            )
        if name in OWN:
            raise ToolkitError(
                f"The option {name} of sbatch cannot be given: every array has it.",
                given=given,
                allowed=f"any but {', '.join(OWN)}",
            )
        if _UNSAFE.search(value):
            raise ToolkitError(
                f"The value of the option {name} of sbatch cannot be passed on.",
                given=given,
                allowed="a value without quotes, backslashes, dollar signs and line breaks",
            )


def _line(name: str, value: str) -> str:
    """An option as sbatch reads it from a script."""
    if not value:
        return f"#SBATCH --{name}"
    return f"#SBATCH --{name}=" + (f'"{value}"' if re.search(r"\s|#", value) else value)


def ranges(numbers: Sequence[int]) -> str:
    """Numbers as ``--array`` takes them.

    Args:
        numbers: ascending.

    Example:
        >>> ranges([0, 1, 2, 5, 7, 8])
        '0-2,5,7-8'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)


def taken() -> Taken:
    """Ask the controller what it takes.

    Raises:
        ToolkitError: there is no SLURM here, or its controller does not answer.
    """
    told = _ask("scontrol", "show", "config")
    found = {
        name: int(number) for name, number in re.findall(r"^(\w+)\s*=\s*(\d+)\s*$", told, re.M)
    }
    usual = Taken()
    return Taken(found.get("MaxArraySize", usual.array_size), found.get("MaxJobCount", usual.jobs))


def in_queue(name: str) -> dict[int, Task]:
    """Ask the queue for one's own tasks.

    Args:
        name: of their arrays, see `Work`.

    Returns:
        By their numbers.

    Raises:
        ToolkitError: there is no SLURM here, or its controller does not answer.
    """
    found = {}
    told = _ask("squeue", "-h", "-r", "-u", getpass.getuser(), "-o", "%j|%F|%K|%T|%r")
    for line in told.splitlines():
        array, job, index, state, reason = line.split("|", 4)
        own, _, first = array.rpartition(".")
        if own == name and first.isdecimal() and index.isdecimal():
            found[int(first) + int(index)] = Task(f"{job}_{index}", state, reason)
    return found


def n_in_queue() -> int:
    """Tasks of everybody in the queue, as far as they are shown.

    Raises:
        ToolkitError: there is no SLURM here, or its controller does not answer.
    """
    return len(_ask("squeue", "-h", "-r", "-o", "%F").splitlines())


def submit(work: Work, numbers: Sequence[int]) -> Submitted:
    """Hand tasks over, as many as the queue takes.

    Where an account may have fewer tasks in the queue than there are, which only the controller
    knows, half as many are tried, and half of these, until it takes them.

    Args:
        work: how they are run.
        numbers: of the tasks, ascending; none of them may be in the queue.

    Raises:
        ToolkitError: there is no SLURM here, its controller does not answer, or it refuses the
            tasks for another reason than how many they are.
    """
    limits = taken()
    room = max(0, limits.jobs - 1 - n_in_queue())
    waiting = list(work.arrays(numbers[:room], limits.array_size))
    jobs, done, why, n_calls = [], list[int](), "the queue is full", 2
    while waiting:
        array = waiting.pop(0)
        n_calls += 1
        try:
            jobs.append(_ask("sbatch", "--parsable", given=array.script).strip().split(";")[0])
            done += array.numbers
        except ToolkitError as error:
            why = str(error.given or error.message)
            limit = _LIMIT.search(why)
            if not ("Submit" in limit[0] if limit else _FULL.search(why)):
                raise
            half = len(array.numbers) // 2
            if not half:
                break
            waiting = [work.array(array.first, array.numbers[:half])]
    left = sorted({*numbers} - {*done})
    return Submitted(tuple(jobs), tuple(done), tuple(left), why if left else "", n_calls)


def requeue(task: str) -> None:
    """Put one of one's own tasks into the queue again; it ends where it is.

    Args:
        task: its number, such as ``1234_5``.

    Raises:
        ToolkitError: there is no SLURM here, or it refuses.
    """
    _ask("scontrol", "requeue", task)


def _ask(*command: str, given: str | None = None) -> str:
    """What a program of SLURM answers.

    Raises:
        ToolkitError: it is not there, fails or does not answer.
    """
    program = command[0]
    try:
        done = subprocess.run(
            command, input=given, text=True, encoding="utf-8", capture_output=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise ToolkitError(
            f"There is no SLURM here: the program {program} was not found.",
            allowed="a machine from which jobs are submitted, such as a login node",
            next_command="the same without --executor slurm: it works on this machine",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ToolkitError(
            f"SLURM did not answer: {program} took longer than {PATIENCE_S} s.",
            given="temporarily unable to accept more" if program == "sbatch" else None,
            next_command="scontrol ping",
        ) from error
    if done.returncode:
        raise ToolkitError(
            f"SLURM refused: {program} failed.",
            given=done.stderr.strip() or f"exit code {done.returncode}",
            next_command="scontrol ping" if program != "sbatch" else "sinfo",
        )
    return done.stdout
