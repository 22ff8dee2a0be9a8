"""``list``, ``describe`` and ``version``: what there is."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli.options import ParadigmsOption, SubjectsOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paradigms import BaseParadigm
    from stimuli import StimulusSet
    from toolkit.subjects.population import Population


class Kind(enum.StrEnum):
    """What can be listed."""

    PARADIGMS = "paradigms"
    SUBJECTS = "subjects"
    STIMULI = "stimuli"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("list")(list_names)
    app.command()(describe)
    app.command()(version)


def list_names(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    subjects: SubjectsOption = None,
    paradigms: ParadigmsOption = None,
) -> None:
    """List paradigms, subjects or stimulus sets.

    Example: mevgs-toolkit list subjects
    """
    from rich.markup import escape

    from reports.console import console, table

    if kind is Kind.PARADIGMS:
        from paradigms.registry import find_paradigms

        made = table("paradigm", "version", "kind", "question", numbers=("version",))
        for name, cls in find_paradigms(paradigms).items():
            made.add_row(escape(name), str(cls.version), escape(cls.kind), escape(cls.question))
    elif kind is Kind.SUBJECTS:
        from toolkit.subjects.populations import list_populations

        made = table("population", "languages", "seeds", "description", numbers=("seeds",))
        for population in list_populations(subjects):
            languages = " ".join(population.languages) or "-"
            made.add_row(
                escape(population.name),
                escape(languages),
                str(len(population.seeds)),
                escape(population.description),
            )
    else:
        from stimuli import list_sets, open_set

        made = table("set", "version", "languages", "title")
        for name in list_sets():
            found = open_set(name)
            written = found.words.languages if found.has_words else ()
            languages = " ".join(dict.fromkeys((*found.languages, *written)))
            made.add_row(escape(name), found.version, languages, escape(found.title))
    console().print(made)


def describe(
    name: Annotated[
        str,
        typer.Argument(
            help="A paradigm, population, one of its seeds, stimulus set or published model."
        ),
    ],
    subjects: SubjectsOption = None,
    paradigms: ParadigmsOption = None,
) -> None:
    """Describe a paradigm, population, stimulus set or published model.

    \b
    Examples:
      mevgs-toolkit describe me
      mevgs-toolkit describe openclip:xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from paradigms.registry import find_paradigms
    from stimuli import list_sets, open_set
    from toolkit.errors import unknown_name
    from toolkit.subjects.clip.names import NAMES, is_model_name
    from toolkit.subjects.populations import find_population, list_populations, nearest_subject

    found = find_paradigms(paradigms)
    if name in found:
        _describe_paradigm(found[name]())
    elif is_model_name(name):
        _describe_model(name, found)
    elif population := find_population(name, subjects):
        _describe_population(population)
    elif name in list_sets() or Path(name).is_dir():
        _describe_set(open_set(name))
    else:
        populations = [population.name for population in list_populations(subjects)]
        known = [*found, *populations, *list_sets()]
        error = unknown_name(
            "paradigm, population, stimulus set or published model",
            name,
            [*known, *NAMES],
            "mevgs-toolkit list paradigms",
        )
        error.nearest = nearest_subject(name, known)
        raise error


def version() -> None:
    """Print versions, dependencies included."""
    import platform

    from reports.console import console, table
    from toolkit.provenance import DEPENDENCIES, package_version

    made = table("package", "version")
    made.add_row("mevgs-toolkit", package_version("mevgs-toolkit") or "not installed")
    made.add_row("python", platform.python_version())
    for package in DEPENDENCIES:
        made.add_row(package, package_version(package) or "not installed")
    console().print(made)


def _describe_paradigm(paradigm: BaseParadigm) -> None:
    from rich.markup import escape

    from reports.console import console, table

    out = console()
    out.print(
        f"[bold]{escape(paradigm.name)}[/bold], version {paradigm.version}, kind: "
        f"{escape(paradigm.kind)}"
    )
    out.print(escape(paradigm.question))
    out.print(f"Source: {escape(paradigm.source)}")
    out.print(f"Model: {escape(paradigm.formula)}\n")
    made = table("condition", "role", "meaning")
    for condition in paradigm.conditions:
        role = "test" if condition.headline else "control"
        made.add_row(escape(condition.name), role, escape(condition.meaning))
    out.print(made)
    if paradigm.contrasts:
        made = table("contrast", "question")
        for contrast in paradigm.contrasts:
            made.add_row(escape(f"{contrast.plus} - {contrast.minus}"), escape(contrast.question))
        out.print()
        out.print(made)
    measures = paradigm.all_measures()
    if measures:
        made = table("measure", "meaning", "values", "chance")
        for measure in measures:
            chance = "" if measure.chance is None else str(measure.chance)
            made.add_row(escape(measure.name), escape(measure.meaning), measure.values, chance)
        out.print()
        out.print(made)


def _describe_population(population: Population) -> None:
    from rich.markup import escape

    from reports.console import console

    out = console()
    out.print(f"[bold]{escape(population.name)}[/bold]: {escape(population.description)}")
    out.print(f"Trained on: {', '.join(population.languages) or 'no language'}")
    out.print(f"Seeds: {' '.join(population.seeds)}")
    if population.folder is not None:
        out.print(f"Folder: {escape(str(population.folder))}")


def _describe_model(name: str, paradigms: Mapping[str, type[BaseParadigm]]) -> None:
    from rich.markup import escape

    from reports.console import console
    from toolkit.running.capabilities import can
    from toolkit.subjects.clip.facts import NO_PLACES, look_up_model
    from toolkit.subjects.clip.names import SEED
    from toolkit.subjects.clip.subject import DenseCLIP

    facts = look_up_model(name)
    asked = [known for known, cls in paradigms.items() if can(DenseCLIP, cls.needs)]
    out = console()
    told = {
        "Trained on": "not told by its files",
        "Seeds": SEED,
        "Paradigms": ", ".join(asked) if facts.sees_places else f"none, {NO_PLACES}",
        "Library": facts.library,
        "Needs": ", ".join(facts.needs),
        "Looked for in": facts.place,
        "On this machine": f"yes, {facts.folder}",
    }
    if facts.problem is not None:
        told["On this machine"] = (
            f"not all of it. {facts.problem.message}"
            if facts.folder
            else "no, and nothing is downloaded unasked"
        )
        told["Did you mean"] = facts.problem.nearest or ""
        told["Try"] = facts.problem.next_command or ""
    out.print(f"[bold]{escape(facts.name)}[/bold]: A published model.", soft_wrap=True)
    for what, text in told.items():
        if text:
            # No line is broken, so that commands can be copied.
            out.print(f"{what}: {escape(text)}", soft_wrap=True)


def _describe_set(stimuli: StimulusSet) -> None:
    from rich.markup import escape

    from reports.console import console, table

    out = console()
    out.print(f"[bold]{escape(stimuli.name)}[/bold] {stimuli.version}: {escape(stimuli.title)}")
    out.print(escape(stimuli.description))
    spoken = ", ".join(stimuli.languages) or "none"
    written = ", ".join(stimuli.words.languages) if stimuli.has_words else "none"
    out.print(f"Languages spoken: {spoken}; written: {written}")
    out.print(f"Folder: {escape(str(stimuli.folder))}")
    out.print(f"Checksum: {stimuli.checksum}\n")
    made = table("kind", "status", "split", "files", "concepts", numbers=("files", "concepts"))
    groups = stimuli.table.groupby(["kind", "status", "split"], sort=True)
    for (kind, status, split), rows in groups:
        labels = [str(part) for part in (kind, status, split)]
        made.add_row(*labels, str(len(rows)), str(rows["concept"].nunique()))
    out.print(made)
