"""Where a study departs from its file: what was run beyond it or otherwise, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.statistics.phrases import count
from toolkit.studies.outcomes import sentences_of
from toolkit.subjects.population import DESCRIPTION_FILE, read_population
from toolkit.tables.manifests import MANIFEST_FILE, STUDIES, read_manifest

if TYPE_CHECKING:
    from toolkit.statistics.models.results import Result
    from toolkit.studies.plan import StudyPlan

SHOWN = 10
"""Digits of a checksum that are shown."""


def beyond(plan: StudyPlan) -> list[str]:
    """What was run beyond the study's file or otherwise, in sentences.

    Args:
        plan: of the study, as things stand.
    """
    return [*_runs(plan), *_subjects(plan)]


def _runs(plan: StudyPlan) -> Iterator[str]:
    planned = {run.run_id for run in plan.runs}
    for file in sorted(plan.where.runs.glob(f"*/{MANIFEST_FILE}")):
        manifest = read_manifest(file.parent)
        asked_by = list(manifest.get(STUDIES, ()))
        if file.parent.name not in planned:
            yield f"the run {file.parent.name}, {_what(manifest)}."
        elif not asked_by:
            yield f"the run {file.parent.name} was made without the study file."
        elif asked_by[0] != plan.study.sha256:
            yield (
                f"the run {file.parent.name} was first asked for by another version of the study "
                f"file (SHA-256 {asked_by[0][:SHOWN]}..., now {plan.study.sha256[:SHOWN]}...)."
            )


def _what(manifest: Mapping[str, Any]) -> str:
    """What a run was, as its manifest tells."""
    name = manifest.get("paradigm", {}).get("name", "something")
    told = [f"{name} asked of {', '.join(manifest.get('populations', {}))}"]
    languages = manifest.get("languages")
    if isinstance(languages, dict):
        codes = dict.fromkeys(str(code) for own in languages.values() for code in own)
        told.append(f"in {', '.join(codes)}")
    for key, what in (("trial_seed", "trial seed"), ("trials_per_class", "trials per class")):
        if manifest.get(key) is not None:
            told.append(f"{what} {manifest[key]}")
    return ", ".join(told)


def _subjects(plan: StudyPlan) -> Iterator[str]:
    trained = plan.study.trained
    for file in sorted(plan.where.subjects.glob(f"*/{DESCRIPTION_FILE}")):
        population = read_population(file.parent)
        further = [
            seed for seed in population.seeds if seed not in trained.get(population.name, ())
        ]
        if population.name not in trained:
            yield f"the population {population.name} was trained."
        elif further:
            one = len(further) == 1
            what, were = ("seed", "was") if one else ("seeds", "were")
            yield f"{what} {', '.join(further)} of {population.name} {were} trained."


def missing(plan: StudyPlan, results: Sequence[Mapping[str, Result]]) -> list[str]:
    """What the file says and is not there, in sentences.

    Args:
        plan: of the study, as things stand.
        results: its analyses by paradigm, one for each page; none if nothing is analysed yet.
    """
    told = [
        f"seed {left[0]} of {one.population} is not trained."
        if len(left) == 1
        else f"seeds {', '.join(left)} of {one.population} are not trained."
        for one in plan.trainings
        if (left := [seed for seed in one.seeds if seed not in one.done])
    ]
    told += [
        f"{run.n_missing} of {count(len(run.cells), 'cell')} of {run.told}."
        if run.n_missing
        else f"the tables of {run.told}."
        for run in plan.runs
        if not run.done
    ]
    made = {name for own in results for name in sentences_of(own)}
    lost = [name for name in plan.study.confirmatory if results and name not in made]
    return told + [f"the confirmatory test {name}." for name in lost]


def exploratory(study_tests: Sequence[str], results: Mapping[str, Result]) -> tuple[int, int]:
    """How many tests of some analyses are not confirmatory, and how many there are.

    Args:
        study_tests: names of the confirmatory ones.
        results: analyses by paradigm.
    """
    made = list(sentences_of(results))
    return sum(name not in study_tests for name in made), len(made)
