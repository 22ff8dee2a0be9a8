"""What a reader must know before believing a result: the lines under the title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reports.kinds import REPORTS
from reports.numbers import models_of

if TYPE_CHECKING:
    from reports.sources import Chapter, RunFiles

ASSUMPTIONS = (
    "Seeds stand for further trainings of the same networks on the same data: frozen features, "
    "training pictures and voices are shared, so nothing here speaks about other backbones, "
    "other stimulus sets or other recipes. Not tested: that random effects are normally "
    "distributed, and that seeds vary equally in all populations."
)


@dataclass(frozen=True)
class Line:
    """One line of the status."""

    level: Literal["good", "note", "warning"]
    """How much it matters."""
    label: str
    """A few words."""
    text: str
    """A sentence."""


def status_lines(chapters: Sequence[Chapter]) -> list[Line]:
    """Warnings first, then notes, then what is in order."""
    lines = [line for chapter in chapters for line in _of_chapter(chapter, len(chapters) > 1)]
    lines += _of_runs([run for chapter in chapters for run in chapter.runs])
    assumed = dict.fromkeys(REPORTS[own.kind].assumptions(own) for own in chapters)
    lines += [Line("note", "Assumed, not tested", text) for text in assumed]
    order = ("warning", "note", "good")
    return sorted(lines, key=lambda line: order.index(line.level))


def _of_chapter(chapter: Chapter, name_it: bool) -> Iterator[Line]:
    statistics, own = chapter.statistics, REPORTS[chapter.kind]
    prefix = f"{chapter.paradigm}: " if name_it else ""
    yield from own.status(chapter, prefix)
    for warning in statistics["warnings"]:
        yield Line("warning", f"{prefix}Statistics", warning)
    fits = list(own.fits(chapter))
    stopped = sum(not fit["converged"] for fit in fits)
    singular = sum(fit["singular"] for fit in fits)
    if stopped:
        yield Line("warning", f"{prefix}Models", f"{stopped} of {len(fits)} did not converge.")
    elif fits and not singular:
        yield Line(
            "good", f"{prefix}Models", f"All {len(fits)} mixed models converged; none is singular."
        )
    for run in chapter.runs:
        for warning in run.summary.get("warnings", ()):
            yield Line("warning", f"{prefix}Run", warning)


def lines_of_choices(chapter: Chapter, prefix: str) -> Iterator[Line]:
    """The gate, and whether there were ties."""
    yield _gate(chapter.statistics, prefix)
    ties = sum(row["n_ties"] for row in chapter.results)
    trials = sum(row["n_trials"] for row in chapter.results)
    if not ties:
        yield Line("good", f"{prefix}Ties", f"None among {trials:,} trials.")


def _gate(statistics: Mapping[str, Any], prefix: str) -> Line:
    gate = statistics["gate"]
    if gate["failed"]:
        return Line("warning", f"{prefix}Gated seeds", statistics["sentences"][0])
    applied = bool(gate["n_tested"])
    return Line("good" if applied else "note", f"{prefix}Gate", statistics["sentences"][0])


def fits_of_choices(chapter: Chapter) -> Iterator[Mapping[str, Any]]:
    """The models of a paradigm of choices."""
    statistics = chapter.statistics
    for test in statistics["chance"]:
        if test["fit"]:
            yield test["fit"]
    for group in statistics["groups"]:
        for model in models_of(group):
            if model["fit"]:
                yield model["fit"]


def _of_runs(runs: Sequence[RunFiles]) -> Iterator[Line]:
    dirty = [run for run in runs if (run.manifest.get("git") or {}).get("dirty")]
    unknown = [run for run in runs if not run.manifest.get("git")]
    if dirty:
        yield Line(
            "warning", "Code", f"{len(dirty)} of {len(runs)} runs were made from a checkout with "
            "changes that no commit holds.",
        )  # fmt: skip
    elif unknown:
        version = runs[0].manifest.get("toolkit_version")
        yield Line("good", "Code", f"Made with the installed package, version {version}.")
    else:
        commit = runs[0].manifest["git"]["commit"][:10]
        yield Line("good", "Code", f"Made from commit {commit} without further changes.")
    unfinished = [run for run in runs if run.manifest.get("status") != "complete"]
    if unfinished:
        yield Line("warning", "Unfinished", f"{len(unfinished)} of {len(runs)} runs did not end.")
    for what, values in (
        ("stimulus sets", {run.manifest["stimuli"]["checksum"] for run in runs}),
        ("versions of the toolkit", {run.manifest.get("toolkit_version") for run in runs}),
    ):
        if len(values) > 1:
            yield Line("warning", "Mixed runs", f"The runs used {len(values)} different {what}.")
