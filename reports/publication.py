"""The table of a paper as text, CSV, Markdown, LaTeX or HTML; every number comes as it is."""

from __future__ import annotations

import enum
import html
import itertools
import re
from typing import TYPE_CHECKING

from stimuli.cells import csv_text
from stimuli.characters import HIDDEN, shown
from toolkit.statistics.phrases import tied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.statistics.choices.publication import Cell, PublicationTable, Row

LABELS = ("Test", "Training", "Population", "n")
"""Columns that say what a line is."""
CSV_COLUMNS = (
    "test_language", "population", "train_languages", "paradigm", "paradigm_version", "condition",
    "n_seeds", "n_trials", "n_ties", "mean_percent", "std_error_percent", "ci_low_percent",
    "ci_high_percent", "chance_percent",
)  # fmt: skip
"""Columns of the CSV, one row per population, language and condition."""
CAPTION = "Accuracy in % by test language and training"
DASH = "–"
PAD = "\N{FIGURE SPACE}"
"""As wide as a digit."""
NUMBER = re.compile(r"(?<![\d.])-?\d+")
"""The part of a number before its point."""


class TableFormat(enum.StrEnum):
    """How the table is written."""

    TEXT = "text"
    CSV = "csv"
    MARKDOWN = "markdown"
    LATEX = "latex"
    HTML = "html"


def render(table: PublicationTable, form: TableFormat | str, digits: int = 1) -> str:
    """Write the table.

    Args:
        table: what `toolkit.statistics.choices.publication.publication_table` made.
        form: text, csv, markdown, latex (needs the package booktabs) or html (a fragment).
        digits: decimals of every percentage.

    Returns:
        The whole text, ending with a line break.
    """
    return _RENDERERS[TableFormat(form)](table, digits)


def note(table: PublicationTable, digits: int = 1) -> str:
    """What must be read with the table, in sentences.

    It says over what means, standard errors and intervals were taken, what chance is, what the
    columns hold, and every warning.
    """
    sentences = [
        "Mean accuracy in % ± standard error (SE), with its "
        f"{100 * table.level:g} % confidence interval (CI, Student's t on the logit scale). SE "
        f"and CI are over {_participants(table)}: they speak about further ones of the same kind "
        "and the same words and pictures."
    ]
    for heading in table.headings:
        name = heading.condition
        if heading.title != name:
            name = f"{heading.title}: {name}"
        if heading.meaning:
            sentences.append(f"{name}, {heading.meaning}.")
        elif heading.title != heading.condition:
            sentences.append(f"{name}.")
    sentences.append(_chance(table, digits))
    ties = sum(cell.n_ties for row in table.rows for cell in row.cells if cell)
    if ties:
        trials = sum(cell.n_trials for row in table.rows for cell in row.cells if cell)
        sentences.append(f"{tied(ties, trials)}, and counted as wrong.")
    if any(len(_counts(row)) > 1 for row in table.rows):
        sentences.append("Where conditions differ in n, the numbers stand in their order.")
    return " ".join([*sentences, *table.warnings])


def _text(table: PublicationTable, digits: int) -> str:
    titles, under, rows = _grid(table, digits)
    rows = _padded(rows, " ")
    columns = [*zip(*[titles, under, *rows], strict=True)]
    widths = [max(map(len, column)) for column in columns]
    lines = [_line(titles, widths), _line(under, widths), "  ".join("-" * w for w in widths)]
    lines += [_line(row, widths) for row in _once_per_language(rows)]
    return "\n".join([CAPTION, "", *lines, "", *_wrapped(note(table, digits)), ""])


def _visible(text: str) -> str:
    """A text on one line, hidden characters as Python writes them."""
    return HIDDEN.sub(lambda found: " " if found[0].isspace() else shown(found[0]), text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    n = len(LABELS) - 1
    fitted = [
        cell.ljust(width) if place < n else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(fitted).rstrip()


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(_visible(text), 100, break_long_words=False, break_on_hyphens=False)


def _csv(table: PublicationTable, digits: int) -> str:
    rows: list[Sequence[object]] = [CSV_COLUMNS]
    for row in table.rows:
        for heading, cell in zip(table.headings, row.cells, strict=True):
            if cell is None:
                continue
            shares = (cell.mean, cell.std_error, cell.ci_low, cell.ci_high, cell.chance)
            rows.append(
                [
                    row.test_language, row.population, "+".join(row.training or ()),
                    heading.paradigm, heading.paradigm_version or "", heading.condition,
                    cell.n_seeds, cell.n_trials, cell.n_ties,
                    *("" if share is None else f"{100 * share:.{digits}f}" for share in shares),
                ]
            )  # fmt: skip
    return csv_text(rows)


def _markdown(table: PublicationTable, digits: int) -> str:
    titles, under, rows = _grid(table, digits)
    head = [
        _escape_markdown(f"{title}: {name}" if title else name)
        for title, name in zip(_filled(titles), under, strict=True)
    ]
    n = len(LABELS) - 1
    rule = ["---"] * n + ["---:"] * (len(head) - n)
    lines = [head, rule]
    for row in _once_per_language(rows):
        lines.append([*map(_escape_markdown, row[:n]), *row[n:]])
    body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([f"**{CAPTION}**", "", *body, "", _escape_markdown(note(table, digits)), ""])


def _latex(table: PublicationTable, digits: int) -> str:
    import pandas as pd

    _, under, rows = _grid(table, digits)
    n, width = len(LABELS), len(LABELS) + 2 * len(table.headings)
    # Every heading spans its two columns, even beside one of the same title.
    titles = ["", *(_escape_latex(heading.title) for heading in table.headings)]
    over = [max(0, (place - n) // 2 + 1) for place in range(width)]
    names = [_escape_latex(name) for name in under]
    # These commands stand first in a line, and so in its first cell.
    rules = (rf"\cmidrule(lr){{{place}-{place + 1}}}" for place in range(n + 1, width, 2))
    names[0] = " ".join([*rules, names[0]])
    lines = [[*map(_escape_latex, row)] for row in _once_per_language(_padded(rows, PAD))]
    for line in lines[1:]:
        if line[0]:
            line[0] = rf"\addlinespace {line[0]}"
    columns = pd.MultiIndex.from_arrays([over, range(width)])
    style = pd.DataFrame(lines, columns=columns).style.hide(axis="index")
    for level, heads in enumerate((titles, names)):
        told: dict[object, str] = dict(enumerate(heads))
        style.format_index(told.__getitem__, axis="columns", level=level)
    # A table that spans both columns of a page where one would not hold it.
    environment = "table" if len(table.headings) == 1 else "table*"
    made = style.to_latex(
        environment=environment,
        position_float="centering",
        caption=_escape_latex(CAPTION),
        label="tab:accuracy",
        column_format="l" * (n - 1) + "r" * (width - n + 1),
        hrules=True,
        multicol_align="c",
    )
    end = rf"\end{{{environment}}}"
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs}; \phantom{0} aligns numbers without further packages.",
            made.removesuffix(f"\n{end}\n"),
            r"\par\smallskip",
            r"\begin{minipage}{\linewidth}",
            r"\footnotesize\textit{Note.}",
            _escape_latex(note(table, digits)),
            r"\end{minipage}",
            end,
            "",
        ]
    )


def _html(table: PublicationTable, digits: int) -> str:
    escape = _escape_html
    _, under, rows = _grid(table, digits)
    n, width = len(LABELS), len(LABELS) + 2 * len(table.headings)
    labels = "".join(f'<th scope="col" rowspan="2">{escape(name)}</th>' for name in LABELS)
    spans = "".join(
        f'<th scope="colgroup" colspan="2">{escape(h.title)}</th>' for h in table.headings
    )
    second = "".join(f'<th scope="col">{escape(name)}</th>' for name in under[n:])
    lines = [
        '<table class="publication">',
        f"  <caption>{escape(CAPTION)}</caption>",
        "  <thead>",
        f"    <tr>{labels}{spans}</tr>",
        f"    <tr>{second}</tr>",
        "  </thead>",
    ]
    for language in dict.fromkeys(row[0] for row in rows):
        own = [row for row in rows if row[0] == language]
        lines.append("  <tbody>")
        for number, row in enumerate(own):
            head = f'<th scope="rowgroup" rowspan="{len(own)}">{escape(language)}</th>'
            cells = "".join(f"<td>{escape(cell)}</td>" for cell in row[3:])
            lines.append(
                f"    <tr>{'' if number else head}<td>{escape(row[1])}</td>"
                f'<th scope="row">{escape(row[2])}</th>{cells}</tr>'
            )
        lines.append("  </tbody>")
    lines += [
        "  <tfoot>",
        f'    <tr><td colspan="{width}">{escape(note(table, digits))}</td></tr>',
        "  </tfoot>",
        "</table>",
    ]
    return "\n".join([*lines, ""])


_RENDERERS: dict[TableFormat, Callable[[PublicationTable, int], str]] = {
    TableFormat.TEXT: _text,
    TableFormat.CSV: _csv,
    TableFormat.MARKDOWN: _markdown,
    TableFormat.LATEX: _latex,
    TableFormat.HTML: _html,
}


def _grid(table: PublicationTable, digits: int) -> tuple[list[str], list[str], list[list[str]]]:
    """Titles over the columns, their names, and the lines, all as plain text."""
    titles, under = [""] * len(LABELS), list(LABELS)
    for heading in table.headings:
        titles += [_visible(heading.title), ""]
        under += ["Mean ± SE", f"{100 * table.level:g} % CI"]
    rows = []
    for row in table.rows:
        names = (row.test_language, _training(row), row.population)
        line = [*(_visible(" ".join(name.split())) for name in names), "/".join(_counts(row))]
        for cell in row.cells:
            line += _cell(cell, digits)
        rows.append(line)
    return titles, under, rows


def _cell(cell: Cell | None, digits: int) -> tuple[str, str]:
    if cell is None:
        return DASH, DASH
    mean, error, low, high = (
        DASH if share is None else f"{100 * share:.{digits}f}"
        for share in (cell.mean, cell.std_error, cell.ci_low, cell.ci_high)
    )
    return f"{mean} ± {error}", f"[{low}, {high}]" if cell.ci_low is not None else DASH


def _counts(row: Row) -> list[str]:
    """Numbers of seeds of a line: one if all columns agree."""
    counts = [cell.n_seeds for cell in row.cells if cell is not None]
    return [str(count) for count in (counts[:1] if len(set(counts)) == 1 else counts)]


def _training(row: Row) -> str:
    if row.training is None:
        return DASH
    # The test language first, as in the published table.
    return ", ".join(sorted(row.training, key=lambda name: name != row.test_language)) or "none"


def _participants(table: PublicationTable) -> str:
    """Over whom means were taken, with their number where it is the same everywhere."""
    counts = {cell.n_seeds for row in table.rows for cell in row.cells if cell is not None}
    known = [row.training is not None for row in table.rows]
    who = "participants" if not any(known) else "participants (training seeds for networks)"
    if all(known):
        who = "training seeds (participants)"
    if len(counts) != 1:
        return f"n {who}"
    n = counts.pop()
    one = who.replace("seeds", "seed").replace("participants", "participant")
    return f"n = {n} {one if n == 1 else who}"


def _chance(table: PublicationTable, digits: int) -> str:
    """One sentence on chance; names the conditions only where they differ."""
    told = []
    for heading in table.headings:
        if heading.chance is None:
            told.append("not known")
            continue
        low, high = (f"{100 * share:.{digits}f}" for share in heading.chance)
        told.append(f"{low} %" if low == high else f"{low} to {high} %")
    if len(set(told)) > 1:
        told = [f"{h.title} {level}" for h, level in zip(table.headings, told, strict=True)]
    return f"Chance: {', '.join(dict.fromkeys(told))}."


def _once_per_language(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The lines with the test language only where it changes."""
    before = ["", *(row[0] for row in rows)]
    return [
        ["" if row[0] == last else row[0], *row[1:]]
        for row, last in zip(rows, before[:-1] if rows else [], strict=True)
    ]


def _filled(titles: Sequence[str]) -> list[str]:
    """Titles that span two columns, written over both."""
    return [
        title or (titles[place - 1] if place > len(LABELS) else "")
        for place, title in enumerate(titles)
    ]


def _padded(rows: Sequence[Sequence[str]], pad: str) -> list[list[str]]:
    """The lines with equally many digits before the point in each number of a column."""
    columns = []
    for place, column in enumerate(zip(*rows, strict=True)):
        if place < len(LABELS):
            columns.append(list(column))
            continue
        found = [[len(whole) for whole in NUMBER.findall(cell)] for cell in column]
        widest = [max(n) for n in itertools.zip_longest(*found, fillvalue=0)]
        columns.append([_pad(cell, widest, pad) for cell in column])
    return [list(row) for row in zip(*columns, strict=True)]


def _pad(cell: str, widest: Sequence[int], pad: str) -> str:
    width = iter(widest)
    return NUMBER.sub(lambda whole: pad * (next(width) - len(whole[0])) + whole[0], cell)


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "±": r"$\pm$", DASH: "--", PAD: r"\phantom{0}",
}  # fmt: skip


def _escape_latex(text: str) -> str:
    r"""The text as LaTeX shows it; control characters are written as Python writes them.

    Example:
        >>> print(_escape_latex("a_b\x07é"))
        a\_b\textbackslash{}x07é
    """
    return "".join(_LATEX.get(character, character) for character in _visible(text))


def _escape_html(text: str) -> str:
    return html.escape(_visible(text))


def _escape_markdown(text: str) -> str:
    text = html.escape(_visible(text), quote=False)
    return re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", text)
