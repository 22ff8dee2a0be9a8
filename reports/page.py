"""The report: one HTML page that stands alone, made from saved tables and nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.chapter import Chapter
from reports.facts import all_run_facts, checksum, credit_table, toolkit_version
from reports.glossary import explained, language_name, listed_terms, meaning
from reports.kinds import REPORTS
from reports.packing import packed
from reports.sources import read_chapters
from reports.tables import model_summaries, tables
from reports.units import of_people
from stimuli.cells import guarded_table
from stimuli.characters import shown
from stimuli.names import file_name
from stimuli.wording import plural
from toolkit.errors import ToolkitError, first_line, quoted
from toolkit.statistics.phrases import count
from toolkit.tables.manifests import SPACE_FILE, require_stored
from toolkit.tables.parquet import parquet_names, told

if TYPE_CHECKING:
    import pandas as pd

    from reports.figures import Figure
    from reports.parts import Gallery, Overlay, Overview, Planned
    from reports.pictures import Media
    from stimuli import StimulusSet
    from toolkit.statistics.children.results import Comparison
    from toolkit.statistics.models.results import Result

DEFAULT_TRIALS = 24
"""Trials of each paradigm that are picked to be seen first, unless told otherwise."""
TEMPLATE = "report.html.jinja"
STYLES = ("report.css", "trials.css", "compare.css")
SCRIPTS = ("report.js", "trials.js", "compare.js")
LEVELS = {"good": "In order:", "note": "Note:", "warning": "Warning:"}
"""How levels are called, so that colour is not needed to tell them apart."""


@dataclass(frozen=True)
class Options:
    """What the user may choose about a report."""

    n_trials: int = DEFAULT_TRIALS
    """Trials of each paradigm that are picked to be seen first; 0 for no gallery."""
    title: str = ""
    """Title of the page; by default it names paradigms and populations."""
    stimuli: str | None = None
    """Stimulus set or folder; by default the one that the run recorded."""
    paradigms: Path | None = None
    """Folder with paradigms of one's own."""
    figures: Path | None = None
    """Folder for every figure as SVG, PNG and CSV; None for none."""
    analyses: Mapping[str, Result] = field(default_factory=dict)
    """Statistics by paradigm, where they are made already."""
    planned: Planned | None = None
    """What a study said before."""
    children: Comparison | None = None
    """Children beside models, where that was asked for."""


@dataclass(frozen=True)
class Drawn:
    """A figure as the template takes it."""

    anchor: str
    """Its name on the page."""
    title: str
    """As in `Figure`."""
    caption: str
    """As in `Figure`."""
    alt: str
    """As in `Figure`."""
    svg: Any
    """The drawing, marked as safe: it comes from the drawing engine, which escapes text."""


@dataclass(frozen=True)
class Material:
    """What a report is made of."""

    folders: tuple[Path, ...]
    """All folders given."""
    options: Options
    """Choices of the user."""
    chapters: tuple[Chapter[Any], ...]
    """One per paradigm."""
    stimuli: StimulusSet | None
    """The set of the runs; None if it is not at hand, or no picture of it is wanted."""
    concepts: pd.DataFrame | None
    """See `reports.pictures.concept_table`."""
    media: Media
    """Pictures and clips of the trials on the page."""
    galleries: tuple[Gallery | None, ...]
    """Trials to look at, per chapter."""


def write_report(
    folders: Sequence[Path],
    out: Path,
    options: Options | None = None,
) -> Path:
    """Write a report of some runs.

    Args:
        folders: run folders, their tables, or tables written by import-trials; folders of
            embedding-space analyses may stand among them.
        out: HTML file to write.
        options: choices of the user.

    Returns:
        The file written.

    Raises:
        ToolkitError: if a folder is no run, or the file cannot be written.
    """
    from stimuli.files import write_atomic

    options = options or Options()
    page = render(folders, options)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with write_atomic(out) as path:
            path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ToolkitError(
            f"The report cannot be written to {out}: {error.strerror}.",
            allowed="a file in a folder you can write to",
            next_command="add -o FILE",
        ) from error
    return out


def render(folders: Sequence[Path], options: Options) -> str:
    """The page as text; the same tables give the same text.

    Raises:
        ToolkitError: a folder is no run, or what its files say does not fit together: each may be
            as its schema wants it, and tell of languages or seeds that another does not know.
    """
    try:
        return _page(_gather(folders, options))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if options.analyses:
            raise
        names = ", ".join(map(str, folders))
        raise ToolkitError(
            f"No report can be made of what is saved in {names}: {first_line(error)}.",
            allowed="manifest, summary and statistics as run-paradigm and analyze wrote them",
            next_command=f"mevgs-toolkit analyze {' '.join(quoted(one) for one in folders)}",
        ) from error


def _gather(folders: Sequence[Path], options: Options) -> Material:
    """Read what a report is made of.

    Raises:
        ToolkitError: if a folder is no run.
    """
    from reports.pictures import Media, concept_table, find_stimuli

    runs = [folder for folder in folders if not is_space(folder)]
    if not runs:
        raise ToolkitError("A report needs at least one run.", allowed="run folders")
    chapters = read_chapters(runs, options.n_trials, options.paradigms, options.analyses)
    # The gallery is about trials; maps look for their own pictures.
    with_cards = [chapter for chapter in chapters if REPORTS[chapter.kind].gallery]
    stimuli = find_stimuli(with_cards or chapters, options.stimuli)
    # Without the gallery no picture or sound of the set is on the page, not even on hovering.
    stimuli = stimuli if options.n_trials else None
    media = Media(stimuli, len(with_cards) or 1)
    return Material(
        folders=tuple(folders),
        options=options,
        chapters=tuple(chapters),
        stimuli=stimuli,
        concepts=concept_table(stimuli),
        media=media,
        galleries=tuple(_galleries(chapters, media)),
    )


def _page(material: Material) -> str:
    from reports import drawing
    from reports.methods import methods, references
    from reports.pictures import credits_of
    from reports.status import status_lines

    folders, options = material.folders, material.options
    chapters, stimuli = material.chapters, material.stimuli
    spaces = [folder for folder in folders if is_space(folder)]
    told, specs = [], []
    credited = [name for gallery in material.galleries if gallery for name in gallery.stimuli]
    with_gallery = any(REPORTS[chapter.kind].gallery for chapter in chapters)
    shown = credits_of(stimuli if with_gallery else None, credited)
    for chapter, gallery in zip(chapters, material.galleries, strict=True):
        first = _overview(chapter)
        compared = REPORTS[chapter.kind].compare(chapter)
        own = [part.figure for part in (first, compared) if part]
        rest = chapter_figures(chapter, material.concepts)
        figures = [*own, *(figure for figure in rest if figure.name not in {f.name for f in own})]
        maps = _maps(chapter, material)
        shown += dict.fromkeys(row.credit for row in maps if row.credit is not None)
        drawn, own_specs = _draw(figures, chapter.paradigm, options)
        specs += own_specs
        told.append(
            {
                "anchor": _anchor(chapter.paradigm),
                "paradigm": chapter.paradigm,
                "version": chapter.version,
                "question": chapter.question,
                "answers": chapter.statistics.answers,
                "sentences": chapter.statistics.sentences,
                "apa": chapter.statistics.apa,
                "first": first,
                "first_figure": drawn[0] if first else None,
                "figures": drawn[len(own) :],
                "compared": compared,
                "compared_figure": drawn[len(own) - 1] if compared else None,
                "gallery": gallery,
                "maps": maps,
                "models_note": REPORTS[chapter.kind].models_note,
                "tables": tables(chapter),
                "models": model_summaries(chapter),
            }
        )
    space, space_specs = _draw(_space_figures(spaces), "space", options)
    beside, beside_specs = _draw(_children_figures(options.children), "children", options)
    runs = [run for chapter in chapters for run in chapter.runs]
    css, vega, script = map(_ours, (_files(STYLES), drawing.script(), _files(SCRIPTS)))
    title = options.title or _title(chapters)
    page: str = (
        _environment()
        .get_template(TEMPLATE)
        .render(
            title=title,
            subtitle=_subtitle(chapters, stimuli),
            toolkit_version=toolkit_version(runs),
            policy=_policy(vega, script),
            css=css,
            chapters=told,
            planned=options.planned,
            status=status_lines(chapters, options.planned),
            level_names=LEVELS,
            media=stimuli is not None,
            media_files=_json(material.media.beside()),
            space=space,
            children=options.children,
            children_figures=beside,
            methods=methods(chapters),
            references=references(chapters),
            runs=all_run_facts(runs),
            credits=credit_table(shown),
            terms=set(),
            checksum=checksum(folders),
            specs=[*specs, *beside_specs, *space_specs],
            engine=packed(vega),
            js=script,
        )
    )
    return page


def _overview(chapter: Chapter[Any]) -> Overview | None:
    first = REPORTS[chapter.kind].overview(chapter)
    return first.said(of_people) if first and chapter.has_people else first


def chapter_figures(chapter: Chapter[Any], concepts: Any) -> list[Figure]:
    """All figures of a paradigm, in the order of the page."""
    made = REPORTS[chapter.kind].figures(chapter, concepts)
    drawn = [figure for figure in made if figure is not None]
    return [figure.said(of_people) for figure in drawn] if chapter.has_people else drawn


def _galleries(chapters: Sequence[Chapter[Any]], media: Media) -> Iterator[Gallery | None]:
    """Trials to look at, per chapter."""
    for chapter in chapters:
        gallery = REPORTS[chapter.kind].gallery
        yield gallery(chapter, media) if gallery else None


def _maps(chapter: Chapter[Any], material: Material) -> Sequence[Overlay]:
    """Maps to look at, with the pictures of the runs' own set where it is at hand."""
    from reports.pictures import find_stimuli

    overlays = REPORTS[chapter.kind].overlays
    if not overlays or not material.options.n_trials:
        return []
    # Runs on different sets are never on one page, so the first run speaks for all.
    stimuli, known = material.stimuli, chapter.manifests[0].stimuli.checksum
    if stimuli is None or stimuli.checksum != known:
        stimuli = find_stimuli([chapter], None)
    return overlays(chapter, stimuli)


def is_space(folder: Path) -> bool:
    """True for the folder of an embedding-space analysis."""
    return (folder / SPACE_FILE).is_file()


def _space_figures(folders: Sequence[Path]) -> list[Figure]:
    """What there is to see of embedding spaces, where they were analysed."""
    import pandas as pd

    from reports.space_charts import FIGURES, space_figures

    if not folders:
        return []
    read = {}
    for name in FIGURES:
        files = [folder / f"{name}.parquet" for folder in folders]
        # Analyses of earlier versions lack some tables.
        if all(file.is_file() for file in files):
            read[name] = pd.concat(map(_table_of, files))
    return space_figures(read)


def _children_figures(children: Comparison | None) -> list[Figure]:
    """What there is to see of children beside models, where that was asked for."""
    from reports.children.charts import figures

    return figures(children) if children is not None else []


def _table_of(file: Path) -> pd.DataFrame:
    """A table of an analysis of spaces, which is what was written."""
    import pandas as pd

    require_stored(file)
    with told(file):
        parquet_names(file)
        return pd.read_parquet(file)


def _draw(
    figures: Sequence[Figure], prefix: str, options: Options
) -> tuple[list[Drawn], list[dict[str, Any]]]:
    """Drawings for the page, and their specifications for the live figures."""
    from reports import drawing

    drawn, specs = [], []
    for figure in figures:
        anchor = f"{_anchor(prefix)}-{figure.name}"
        spec = figure.spec()
        svg = _ours(drawing.svg(spec, anchor))
        drawn.append(Drawn(anchor, figure.title, figure.caption, figure.alt, svg))
        text = json.dumps(drawing.visible(spec), ensure_ascii=False, allow_nan=False)
        specs.append({"anchor": anchor, "packed": packed(text)})
        if options.figures is not None:
            _write_files(figure, spec, options.figures / anchor)
    return drawn, specs


def write_figures(figures: Sequence[Figure], prefix: str, folder: Path) -> list[str]:
    """Write figures as SVG, PNG and CSV.

    Args:
        figures: what is written.
        prefix: begins the names of the files.
        folder: that they are written into; made if it is missing.

    Returns:
        Names of the figures, to which the endings are added.

    Raises:
        ToolkitError: they cannot be written there.
    """
    anchors = [f"{_anchor(prefix)}-{figure.name}" for figure in figures]
    for figure, anchor in zip(figures, anchors, strict=True):
        _write_files(figure, figure.spec(), folder / anchor)
    return anchors


def _write_files(figure: Figure, spec: Mapping[str, Any], stem: Path) -> None:
    from reports import drawing
    from stimuli.files import write_atomic

    text, picture = drawing.files(spec)
    table = figure.data.map(drawing.visible).rename(columns=drawing.visible)
    content = {
        ".svg": text.encode(),
        ".png": picture,
        ".csv": guarded_table(table).to_csv(index=False, lineterminator="\n").encode(),
    }
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        for suffix, data in content.items():
            with write_atomic(stem.parent / (stem.name + suffix)) as path:
                path.write_bytes(data)
    except OSError as error:
        raise ToolkitError(
            f"Figures cannot be written to {stem.parent}: {error.strerror}.",
            allowed="a folder you can write to",
        ) from error


def _json(content: Mapping[str, Any]) -> Any:
    """JSON that may stand in a script element: no text in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _ours(text)


def _ours(text: str) -> Any:
    """Markup and scripts of the toolkit's own: files, drawings whose texts are escaped, JSON."""
    from markupsafe import Markup

    return Markup(text)  # nosec B704 # whoever calls this answers for it; nobody else may


def _policy(*scripts: str) -> str:
    """What the page may load: nothing; and which scripts may run: its own."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    # Vega makes functions out of its expressions, hence 'unsafe-eval'.
    return (
        f"default-src 'none'; script-src {hashes} 'unsafe-eval'; style-src 'unsafe-inline'; "
        "img-src data: blob:; media-src data:; base-uri 'none'; form-action 'none'"
    )


@functools.cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
    )
    made.filters |= {"meaning": meaning, "listed": listed_terms, "count": count}
    made.filters["together"] = _together
    made.filters["explained"] = pass_context(lambda page, text: explained(text, page["terms"]))
    return made


def _shown(value: Any) -> Any:
    """What is put into the page: texts with hidden characters escaped, markup as it is."""
    return shown(value, keep="\n\t") if type(value) is str else value


def _together(cell: str) -> Any:
    """A number and its interval: where a table is narrow the line breaks between them.

    Example:
        >>> print(_together("-3.1 [-12.5, 6.4]"), _together("<.001"))
        -3.1 <span>[-12.5, 6.4]</span> &lt;.001
    """
    from markupsafe import Markup, escape

    number, found, ends = shown(cell).partition(" [")
    if not found:
        return escape(number)
    return Markup("{} <span>[{}</span>").format(number, ends)


def _files(names: Sequence[str]) -> str:
    folder = Path(__file__).parent / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _anchor(name: str) -> str:
    """A name as it may stand in an address and in the names of figures, another for each.

    Example:
        >>> _anchor("dense-grounding"), _anchor("My <tést>")
        ('dense-grounding', 'my-t-st-026187b6bca5')
    """
    # What `file_name` keeps of other scripts cannot stand in an address; its checksum can.
    return re.sub(r"[^a-z0-9_-]", "-", file_name(name).lower())


def _title(chapters: Sequence[Chapter[Any]]) -> str:
    names = [chapter.paradigm for chapter in chapters]
    populations = dict.fromkeys(p for chapter in chapters for p, _ in chapter.cells)
    who = ", ".join(populations) if len(populations) < 4 else f"{len(populations)} populations"
    return f"{', '.join(names)}: {who}"


def _subtitle(chapters: Sequence[Chapter[Any]], stimuli: StimulusSet | None) -> str:
    """Who was asked how much, in which languages, and with which stimuli."""
    told = [manifest for chapter in chapters for manifest in chapter.manifests]
    populations = {name for chapter in chapters for name, _ in chapter.cells}
    rows = [row for chapter in chapters for row in chapter.headline]
    people = {(row.population, name) for row in rows for name in row.seeds}
    who = "network" if told else "participant"
    each = [row.n_trials // row.n_seeds for row in rows if row.n_seeds] or [0]
    trials = " to ".join(f"{n:,}" for n in sorted({min(each), max(each)}))
    codes = sorted({code for chapter in chapters for code in chapter.languages})
    shown = (
        f"{count(len(populations), 'population')}, {count(len(people), who)}; "
        f"{trials} {plural('trial', max(each))} of the test for each of them in each language "
        f"({', '.join(map(language_name, codes))})"
    )
    if not told:
        return f"{shown}; from a table that was imported"
    name = stimuli.title if stimuli is not None else told[0].stimuli.name
    return f"{shown}; stimuli: {name}"
