"""Every format holds the same numbers, and no name breaks its markup."""

from __future__ import annotations

import csv
import html.parser
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.publication import TableFormat, note, render
from toolkit.statistics.choices.publication import Cell, Heading, PublicationTable, Row

NASTY = "<script>x</script> a_b & 50 % | $5 #1 {c} ~^\\ *d* `e` [f](g)"


def cell(mean: float, error: float | None = 0.011, n: int = 5) -> Cell:
    low, high = (None, None) if error is None else (mean - 0.03, mean + 0.03)
    return Cell(n, 1000 * n, 0, mean, error, low, high, 0.5)


def heading(name: str, condition: str) -> Heading:
    return Heading(name, 1, condition, f"meaning of {condition}", name, (0.5, 0.5))


def table(*rows: Row, headings: tuple[Heading, ...] | None = None) -> PublicationTable:
    """The first lines of the published table, unless others are given."""
    return PublicationTable(
        headings or (heading("familiar", "ff"), heading("me", "nf")),
        rows
        or (
            Row("en", "mono-en", ("en",), (cell(0.994), cell(0.662))),
            Row("en", "bi-en-fr", ("en", "fr"), (cell(1.0), cell(0.657, 0.113))),
            Row("fr", "bi-en-fr", ("en", "fr"), (None, cell(0.668, None, 1))),
        ),
        0.95,
        ("Mind [this] & <that>.",),
    )


class Structure(html.parser.HTMLParser):
    """Checks that tags are closed in order, and keeps them and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def latex_cells(text: str) -> list[int]:
    """Number of columns that each line of the table fills."""
    lines = [line.strip() for line in text.splitlines() if line.strip().endswith(r"\\")]
    spans = [sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line)) for line in lines]
    return [
        len(re.findall(r"(?<!\\)&", line)) + 1 + span
        for line, span in zip(lines, spans, strict=True)
    ]


def test_text_is_aligned_and_shows_a_language_once() -> None:
    lines = render(table(), "text").splitlines()
    assert lines[3].split() == [
        "Test", "Training", "Population", "n", "Mean", "±", "SE", "95", "%", "CI",
        "Mean", "±", "SE", "95", "%", "CI",
    ]  # fmt: skip
    assert lines[5].split()[:6] == ["en", "en", "mono-en", "5", "99.4", "±"]
    assert [line.index("±", 50) for line in lines[5:7]] == [lines[5].index("±", 50)] * 2
    assert lines[6].startswith("      en, fr")
    assert lines[7].startswith("fr    fr, en")
    assert lines[7].endswith("66.8 ± –             –")
    assert len({len(line) for line in lines[3:8]}) == 1


def test_csv_holds_one_row_per_cell_and_digits_are_kept() -> None:
    rows = list(csv.DictReader(io.StringIO(render(table(), TableFormat.CSV, digits=3))))
    assert len(rows) == 5
    assert rows[1] == {
        "test_language": "en", "population": "mono-en", "train_languages": "en", "paradigm": "me",
        "paradigm_version": "1", "condition": "nf", "n_seeds": "5", "n_trials": "5000",
        "n_ties": "0", "mean_percent": "66.200", "std_error_percent": "1.100",
        "ci_low_percent": "63.200", "ci_high_percent": "69.200", "chance_percent": "50.000",
    }  # fmt: skip
    assert rows[4]["std_error_percent"] == ""
    assert rows[4]["train_languages"] == "en+fr"


def test_markdown_lines_have_equally_many_cells() -> None:
    text = render(table(Row("en", NASTY, ("en",), (cell(0.5), cell(0.5)))), "markdown")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {9}
    assert "<script>" not in text
    assert r"a\_b &amp; 50 % \| $5 \#1 \{c\} \~^\\ \*d\* \`e\` \[f\](g)" in text


def test_latex_is_booktabs_with_caption_note_and_equal_columns() -> None:
    text = render(table(), "latex")
    for expected in (
        r"\begin{table*}", r"\toprule", r"\midrule", r"\bottomrule", r"\addlinespace", r"\caption{",
        r"\label{tab:accuracy}", r"\multicolumn{2}{c}{familiar}", r"\cmidrule(lr){5-6}",
        r"\cmidrule(lr){7-8}", r"\begin{tabular}{lllrrrrr}", r"\textit{Note.}",
        r"\phantom{0}99.4 $\pm$ 1.1", r"66.2 $\pm$ \phantom{0}1.1", r"66.8 $\pm$ --",
    ):  # fmt: skip
        assert expected in text
    assert latex_cells(text) == [8] * 5
    assert text.count(r"\begin{") == text.count(r"\end{") == 3
    assert text.isascii()


def test_latex_escapes_every_special_character() -> None:
    text = render(
        table(Row("en", NASTY, ("en",), (cell(0.5),)), headings=(heading(NASTY, NASTY),)),
        "latex",
    )
    assert latex_cells(text) == [6] * 3
    assert (
        r"\textless{}script\textgreater{}x\textless{}/script\textgreater{} a\_b \& 50 \% "
        r"\textbar{} \$5 \#1 \{c\} \textasciitilde{}\textasciicircum{}\textbackslash{}"
    ) in text
    body = text.replace("%", "\\%", 1)
    assert not re.search(r"(?<!\\)[%#_]", body)
    assert not re.search(r"(?<!\\)\$(?!\\pm\$)(?<!\\pm\$)", body)


def test_latex_holds_no_control_character_whatever_name_has_one() -> None:
    controls = "".join(map(chr, [*range(32), *range(127, 160)]))
    text = render(
        table(
            Row("en", f"p{controls}é", ("en",), (cell(0.5),)), headings=(heading("me", controls),)
        ),
        "latex",
    )
    assert not set(controls) - {"\n"} & set(text)
    assert r"\textbackslash{}x00\textbackslash{}x01" in text
    assert r"\textbackslash{}x7f" in text
    assert "é" in text
    assert latex_cells(text) == [6] * 3


def test_latex_headings_of_one_title_span_their_own_columns() -> None:
    text = render(table(headings=(heading("me", "a"), heading("me", "b"))), "latex")
    assert text.count(r"\multicolumn{2}{c}{me}") == 2
    assert latex_cells(text) == [8] * 5


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    names = table(Row("en", NASTY, ("en",), (cell(0.5), None)), Row("fr", "é", None, (None, None)))
    page = "\n".join(
        [
            r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}",
            r"\begin{document}",
            render(names, "latex"),
            r"\end{document}",
        ]
    )
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


def test_html_is_a_closed_fragment_with_scopes_and_escaped_names() -> None:
    made = Structure(render(table(Row(NASTY, NASTY, None, (cell(0.5), None))), "html"))
    tags = [tag for tag, _ in made.tags]
    assert tags[:2] == ["table", "caption"]
    assert "script" not in tags
    assert NASTY in made.text
    scopes = [attributes.get("scope") for tag, attributes in made.tags if tag == "th"]
    assert set(scopes) == {"col", "colgroup", "row", "rowgroup"}
    assert "Mind [this] & <that>." in made.text


def test_html_lines_fill_the_width() -> None:
    made = render(table(), "html")
    width = 8
    down: list[int] = []
    for line in re.findall(r"<tr>(.*)</tr>", made):
        cells = re.findall(r"<t[hd]([^>]*)>", line)
        across = sum(int((re.findall(r'colspan="(\d+)"', c) or ["1"])[0]) for c in cells)
        held, down = sum(1 for rows in down if rows), [rows - 1 for rows in down if rows > 1]
        assert across + held == width
        down += [int(n) - 1 for c in cells for n in re.findall(r'rowspan="(\d+)"', c)]


def test_note_says_over_what_errors_are_and_what_chance_is() -> None:
    text = note(table())
    assert "standard error (SE), with its 95 % confidence interval (CI, Student's t on the" in text
    assert "SE and CI are over n training seeds (participants)" in text
    assert "me: nf, meaning of nf. Chance: 50.0 %." in text
    assert "ties" not in text
    one = table(Row("en", "p", ("en",), (cell(0.5), cell(0.6))))
    assert "over n = 5 training seeds (participants)" in note(one)
    children = table(Row("en", "children", None, (cell(0.5), cell(0.6, n=6))))
    assert "over n participants" in note(children)
    assert "Where conditions differ in n" in note(children)


def test_ties_and_different_chance_are_told() -> None:
    tied = Cell(2, 100, 7, 0.5, 0.1, 0.4, 0.6, 1 / 13)
    made = table(
        Row("en", "p", ("en",), (tied, cell(0.5, n=2))),
        headings=(
            Heading("translation", 1, "familiar", "", "translation", (1 / 13, 1 / 12)),
            Heading("me", 1, "nf", "", "me", None),
        ),
    )
    text = note(made)
    assert "7 of 2100 trials (0.3 %) are ties, and counted as wrong." in text
    assert "Chance: translation 7.7 to 8.3 %, me not known." in text


def test_line_breaks_in_names_do_not_break_a_table() -> None:
    made = table(Row("en", "two\nlines", ("en",), (cell(0.5), cell(0.5))))
    for form in ("text", "markdown", "latex", "html"):
        assert "two lines" in render(made, form)


def test_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="xml"):
        render(table(), "xml")
