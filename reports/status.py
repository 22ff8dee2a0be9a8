"""What a reader must know before believing a result: the lines under the title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reports.grounding_methods import ASSUMPTIONS as OF_MAPS
from reports.grounding_methods import fits as fits_of_maps
from reports.numbers import models_of

if TYPE_CHECKING:
    from reports.sources import Chapter, RunFiles

ASSUMPTIONS = (
    "Seeds stand for further trainings of the same networks on the same data: frozen features, "
    "training pictures and voices are shared, so nothing here speaks about other backbones, "
    "other stimulus sets or other recipes. Not tested: that random effects are normally "
    "distributed, and that seeds vary equally in all populations."
)


OF_TABLES = (
    "Participants stand for further ones of their population, and words for further words. Not "
    "tested: that random effects are normally distributed, and that participants vary equally in "
    "all populations."
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
    runs = [run for chapter in chapters for run in chapter.runs]
    lines += _of_runs([run for run in runs if run.manifest])
    lines += [Line("note", "Runs", note) for note in chapters[0].notes]
    for run in runs:
        if not run.manifest:
            text = f"{run.folder.name} was imported: how its trials were made is not recorded."
            lines.append(Line("note", "Table from elsewhere", text))
    of_choices = [chapter for chapter in chapters if chapter.grounding is None]
    if any(chapter.manifests for chapter in of_choices):
        lines.append(Line("note", "Assumed, not tested", ASSUMPTIONS))
    elif of_choices:
        lines.append(Line("note", "Assumed, not tested", OF_TABLES))
    if any(chapter.grounding is not None for chapter in chapters):
        lines.append(Line("note", "Assumed, not tested", OF_MAPS))
    order = ("warning", "note", "good")
    return sorted(lines, key=lambda line: order.index(line.level))


def _of_chapter(chapter: Chapter, name_it: bool) -> Iterator[Line]:
    statistics = chapter.statistics
    prefix = f"{chapter.paradigm}: " if name_it else ""
    maps = chapter.grounding is not None
    if not maps:
        yield _gate(statistics, prefix)
    for warning in statistics["warnings"]:
        yield Line("warning", f"{prefix}Statistics", warning)
    fits = list(fits_of_maps(chapter) if maps else _fits(statistics))
    stopped = sum(not fit["converged"] for fit in fits)
    singular = sum(fit["singular"] for fit in fits)
    if stopped:
        yield Line("warning", f"{prefix}Models", f"{stopped} of {len(fits)} did not converge.")
    elif fits and not singular:
        yield Line(
            "good", f"{prefix}Models", f"All {len(fits)} mixed models converged; none is singular."
        )
    ties = sum(row["n_ties"] for row in chapter.results)
    trials = sum(row["n_trials"] for row in chapter.results)
    if not ties and not maps:
        yield Line("good", f"{prefix}Ties", f"None among {trials:,} trials.")
    for run in chapter.runs:
        for warning in run.summary.get("warnings", ()):
            yield Line("warning", f"{prefix}Run", warning)


def _gate(statistics: Mapping[str, Any], prefix: str) -> Line:
    gate = statistics["gate"]
    if gate["failed"]:
        return Line("warning", f"{prefix}Gated seeds", statistics["sentences"][0])
    applied = bool(gate["n_tested"])
    return Line("good" if applied else "note", f"{prefix}Gate", statistics["sentences"][0])


def _fits(statistics: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for test in statistics["chance"]:
        if test["fit"]:
            yield test["fit"]
    for group in statistics["groups"]:
        for model in models_of(group):
            if model["fit"]:
                yield model["fit"]


def _of_runs(runs: Sequence[RunFiles]) -> Iterator[Line]:
    if not runs:
        return
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
