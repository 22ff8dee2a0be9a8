"""Plans and results of studies on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.terminal import console, say, table
from toolkit.statistics.phrases import count
from toolkit.studies.plan import TRAINING

if TYPE_CHECKING:
    from toolkit.studies.plan import StudyPlan

SEEDS = 26
"""Names of seeds that stand in a line."""


def print_plan(plan: StudyPlan) -> None:
    """Print what a study consists of, what is done, and what the rest will take.

    Args:
        plan: of the study.
    """
    from rich.markup import escape

    out, study = console(), plan.study
    out.print(f"[bold]{escape(study.file.study.title)}[/bold]", soft_wrap=True)
    out.print(f"Study file: {escape(str(study.path))}, SHA-256 {study.sha256}", soft_wrap=True)
    out.print(f"Results: {escape(str(plan.where.out))}\n", soft_wrap=True)
    if plan.trainings:
        made = table("trained", "seeds", "done", "missing", numbers=("done", "missing"))
        for one in plan.trainings:
            seeds = " ".join(one.seeds[:SEEDS]) + " ..." * (len(one.seeds) > SEEDS)
            n_left = len(one.seeds) - len(one.done)
            made.add_row(escape(one.population), seeds, str(len(one.done)), str(n_left))
        out.print(made)
        out.print()
    numbers = ("trial seed", "cells", "done", "missing")
    made = table("asked", "of", *numbers, "run", numbers=numbers)
    for run in plan.runs:
        seed = "" if run.trial_seed is None else str(run.trial_seed)
        cells = (len(run.cells), run.n_done, run.n_missing)
        named = run.run_id or "(named once its networks are trained)"
        told = (run.ask.question, run.ask.who, seed, *map(str, cells), named)
        made.add_row(*map(escape, told))
    out.print(made)
    _print_tests(plan)
    for sentence in effort(plan):
        out.print(sentence, soft_wrap=True)


def _print_tests(plan: StudyPlan) -> None:
    from rich.markup import escape

    tests = {test: None for own in plan.study.tests.values() for test in own}
    if not tests:
        return
    out = console()
    made = table("test", "")
    for test in tests:
        made.add_row(escape(test), "confirmatory" if test in plan.study.confirmatory else "")
    out.print()
    out.print(made)
    short = [name for name in plan.study.tests if name not in tests]
    if short:
        out.print(f"\nSeveral at once: {escape('; '.join(short))}", soft_wrap=True)
    out.print()


def effort(plan: StudyPlan) -> list[str]:
    """What is left to be done, and the core-hours that it will take as far as one can know.

    Args:
        plan: of the study.
    """
    if plan.is_finished:
        return ["Nothing is missing."]
    told = []
    for name, n in plan.missing.items():
        hours = plan.core_hours[name]
        what = count(n, "training") if name == TRAINING else f"{count(n, 'cell')} of {name}"
        if not n:
            continue
        if hours is None:
            first = "first training is" if name == TRAINING else f"first cells of {name} are"
            told.append(f"Missing: {what}; core-hours unknown until the {first} done.")
        else:
            took = plan.took[name]
            told.append(f"Missing: {what}; about {_hours(hours)}, as the {took.n} before took.")
    return told or ["Missing: tables of runs whose cells are all there."]


def _hours(hours: float) -> str:
    """Core-hours, small ones in seconds."""
    return f"{hours:.2g} core-hours" if hours >= 0.1 else f"{hours * 3600:.2g} core-seconds"


def print_departures(beyond: Sequence[str], missing: Sequence[str]) -> None:
    """Print where a study departs from its file.

    Args:
        beyond: what was run beyond it or otherwise.
        missing: what it says and is not there.
    """
    for sentence in beyond:
        say(f"Not in the plan: {sentence}")
    for sentence in missing:
        say(f"In the plan but missing: {sentence}")
