"""``list``, ``describe`` and ``version``: what there is."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from reports.terminal import say
from stimuli.characters import shown, shown_message
from toolkit.cli.completion import all_names
from toolkit.cli.options import ParadigmsOption, SubjectsOption
from toolkit.cli.tasks import LOOK_UP
from toolkit.errors import ToolkitError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from paradigms import BaseParadigm, Graded
    from stimuli import StimulusSet
    from stimuli.plugins import Found
    from toolkit.subjects.population import Population


T = TypeVar("T")


class Kind(enum.StrEnum):
    """What can be listed."""

    PARADIGMS = "paradigms"
    SUBJECTS = "subjects"
    STIMULI = "stimuli"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("list", rich_help_panel=LOOK_UP)(list_names)
    app.command(rich_help_panel=LOOK_UP)(describe)
    app.command(rich_help_panel=LOOK_UP)(version)


def list_names(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    subjects: SubjectsOption = None,
    paradigms: ParadigmsOption = None,
) -> None:
    """List paradigms, subjects or stimulus sets.

    Example: mevgs-toolkit list subjects
    """
    if kind is Kind.PARADIGMS:
        from paradigms.registry import look_for_paradigms

        _print_list(
            ("paradigm", "version", "kind", "question"),
            look_for_paradigms(paradigms),
            lambda cls: (str(cls.version), cls.kind, cls.question),
        )
    elif kind is Kind.SUBJECTS:
        from toolkit.subjects.populations import look_for_populations

        _print_list(
            ("population", "languages", "seeds", "description"),
            look_for_populations(subjects),
            lambda one: (" ".join(one.languages) or "-", str(len(one.seeds)), one.description),
        )
    else:
        from stimuli.finding import look_for_sets

        _print_list(("set", "version", "languages", "title"), look_for_sets(), _set_cells)


def _print_list(
    columns: Sequence[str], found: Found[T], cells: Callable[[T], Sequence[str]]
) -> None:
    """One line for each, sorted by name; then, on standard error, what is left out and why."""
    from rich.markup import escape

    from reports.terminal import console, table

    made = table(*columns, numbers=("version", "seeds"))
    left_out = list(found.left_out())
    for name, thing in sorted(found.known.items()):
        try:
            made.add_row(*map(escape, (name, *cells(thing))))
        # Whatever is wrong with one of them, the others are listed.
        except Exception as error:
            why = error.message if isinstance(error, ToolkitError) else f"{error!r}."
            left_out.append(f"Left out: the {found.registry.kind} {name!r}: {why}")
    console().print(made)
    for sentence in left_out:
        say(shown_message(sentence), error=True)


def _set_cells(folder: Path) -> tuple[str, str, str]:
    from stimuli import open_set

    found = open_set(folder)
    written = found.words.languages if found.has_words else ()
    languages = " ".join(dict.fromkeys((*found.languages, *written)))
    return found.version, languages, found.title


def describe(
    name: Annotated[
        str,
        typer.Argument(
            help="A paradigm, population, one of its seeds, stimulus set or published model.",
            autocompletion=all_names,
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
    from paradigms.registry import look_for_paradigms
    from stimuli import open_set
    from stimuli.finding import look_for_sets
    from toolkit.subjects.clip.names import NAMES, is_model_name
    from toolkit.subjects.populations import (
        find_population,
        look_for_populations,
        nearest_subject,
    )

    found = look_for_paradigms(paradigms)
    sets = look_for_sets()
    if cls := found.get(name):
        _describe_paradigm(cls())
    elif is_model_name(name):
        _describe_model(name, found.known)
    elif population := find_population(name, subjects):
        _describe_population(population)
    elif sets.get(name) or Path(name).is_dir():
        _describe_set(open_set(name))
    else:
        populations = look_for_populations(subjects)
        looked = (found, populations, sets)
        known = [one for kind in looked for one in sorted(kind.known)]
        error = unknown_name(
            "paradigm, population, stimulus set or published model",
            name,
            [*known, *NAMES],
            "mevgs-toolkit list paradigms",
        )
        error.nearest = nearest_subject(name, known)
        left_out = (sentence for kind in looked for sentence in kind.left_out())
        error.message = " ".join([error.message, *left_out])
        raise error


def version() -> None:
    """Print versions, dependencies included."""
    import platform

    from reports.terminal import console, table
    from toolkit.provenance import DEPENDENCIES, package_version

    made = table("package", "version")
    made.add_row("mevgs-toolkit", package_version("mevgs-toolkit") or "not installed")
    made.add_row("python", platform.python_version())
    for package in DEPENDENCIES:
        made.add_row(package, package_version(package) or "not installed")
    console().print(made)


def print_version(wanted: bool) -> None:
    """The version alone, as every program tells it."""
    from toolkit.provenance import package_version

    if wanted:
        say(f"mevgs-toolkit {package_version('mevgs-toolkit') or 'not installed'}")
        raise typer.Exit


def _describe_paradigm(paradigm: BaseParadigm) -> None:
    from rich.markup import escape

    from paradigms import WordLearning
    from reports.terminal import console, table

    out = console()
    out.print(
        f"[bold]{escape(paradigm.name)}[/bold], version {paradigm.version}, kind: "
        f"{escape(paradigm.kind)}"
    )
    out.print(escape(paradigm.question))
    out.print(f"Source: {escape(paradigm.source)}")
    out.print(f"Model: {escape(paradigm.formula)}")
    if isinstance(paradigm, WordLearning):
        out.print(f"Learning: {escape(paradigm.rule.told)}")
    out.print()
    made = table("condition", "role", "meaning")
    for condition in paradigm.conditions:
        made.add_row(escape(condition.name), condition.role, escape(condition.meaning))
    out.print(made)
    for columns, rows in declared(paradigm):
        if rows:
            made = table(*columns)
            for row in rows:
                made.add_row(*map(escape, row))
            out.print()
            out.print(made)


def declared(paradigm: BaseParadigm) -> Iterator[tuple[Sequence[str], list[Sequence[str]]]]:
    """What a paradigm declares besides its conditions: headings and rows of each table."""
    yield (
        ("contrast", "question"),
        [(f"{one.plus} - {one.minus}", one.question) for one in paradigm.contrasts],
    )
    yield (
        ("graded factor", "levels", "question"),
        [(one.name, _levels(one), one.question) for one in paradigm.graded],
    )
    yield (
        ("children", "condition", "share correct", "chance", "what was found"),
        [
            (one.who, one.condition, *map(_share, (one.share, one.chance)),
             f"{one.found} ({one.source})" if one.found else one.source)
            for one in paradigm.children
        ],
    )  # fmt: skip
    yield (
        ("measure", "meaning", "values", "chance"),
        [
            (one.name, one.meaning, one.values, "" if one.chance is None else str(one.chance))
            for one in paradigm.all_measures()
        ],
    )


def _levels(factor: Graded) -> str:
    """The levels of a graded factor, each with its conditions."""
    levels = sorted(set(factor.levels.values()))
    return "; ".join(
        f"{level:g}: {', '.join(name for name, at in factor.levels.items() if at == level)}"
        for level in levels
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.2f}"


def _describe_population(population: Population) -> None:
    from rich.markup import escape

    from reports.terminal import console
    from toolkit.subjects.vgs.standing import stands_on

    out = console()
    out.print(f"[bold]{escape(population.name)}[/bold]: {escape(population.description)}")
    out.print(f"Trained on: {', '.join(population.languages) or 'no language'}")
    out.print(f"Seeds: {' '.join(population.seeds)}")
    for draw, concepts in population.familiar.items():
        out.print(f"Familiar in draw {escape(draw)}: {escape(', '.join(concepts))}")
    if population.stimuli:
        out.print(f"Asked with: {escape(population.stimuli)}, where no other set is named")
    for sense, told in stands_on(population).items():
        # No line is broken, so that checksums and paths can be copied.
        out.print(f"{sense} with: {escape(told)}", soft_wrap=True)
    if population.folder is not None:
        out.print(f"Folder: {escape(shown(str(population.folder)))}")


def _describe_model(name: str, paradigms: Mapping[str, type[BaseParadigm]]) -> None:
    from rich.markup import escape

    from reports.terminal import console
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

    from reports.terminal import console, table

    out = console()
    out.print(f"[bold]{escape(stimuli.name)}[/bold] {stimuli.version}: {escape(stimuli.title)}")
    out.print(escape(stimuli.description))
    spoken = ", ".join(stimuli.languages) or "none"
    written = ", ".join(stimuli.words.languages) if stimuli.has_words else "none"
    out.print(f"Languages spoken: {spoken}; written: {written}")
    out.print(f"Folder: {escape(shown(str(stimuli.folder)))}")
    out.print(f"Checksum: {stimuli.checksum}\n")
    made = table("kind", "status", "split", "files", "concepts", numbers=("files", "concepts"))
    groups = stimuli.table.groupby(["kind", "status", "split"], sort=True)
    for (kind, status, split), rows in groups:
        labels = [str(part) for part in (kind, status, split)]
        made.add_row(*labels, str(len(rows)), str(rows["concept"].nunique()))
    out.print(made)
