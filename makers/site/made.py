"""All pages that are made from the code, and the parts of written pages that are."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from makers.site import calibration
from makers.site.citation import citation
from makers.site.commands import commands_page
from makers.site.interface import interface_page
from makers.site.paradigm_pages import paradigm_pages
from makers.site.tables import code, escaped, table
from paradigms.registry import look_for_paradigms
from reports.glossary import TERMS

ROOT = Path(__file__).parent.parent.parent


def made_pages() -> Mapping[str, str]:
    """Names below the folder of the site, and what stands in them, in Markdown."""
    return {
        **paradigm_pages(),
        "reference/api.md": interface_page(),
        "reference/commands.md": commands_page(),
        "reference/glossary.md": glossary_page(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }


def filled_in(page: str) -> str:
    """A written page with the parts that are made, each in place of ``<!-- made: NAME -->``.

    Raises:
        KeyError: if a part is asked for that nobody makes.

    Example:
        >>> filled_in("<!-- made: calibration of retention -->")[:30]
        '| seeds x words | retention: t'
    """
    return re.sub(r"<!-- made: ([a-z ]+) -->", lambda found: MADE[found[1]](), page)


def glossary_page() -> str:
    """Terms as reports explain them, in alphabetical order."""
    terms = sorted(TERMS.items(), key=lambda one: one[0].lower())
    entries = [f"{escaped(term)}\n:   {escaped(meaning)}" for term, meaning in terms]
    return "# Glossary\n\nTerms as reports explain them.\n\n" + "\n\n".join(entries) + "\n"


def formulas() -> str:
    """The model that every paradigm declares."""
    rows = [
        (code(name), code(cls.formula))
        for name, cls in sorted(look_for_paradigms(None).known.items())
    ]
    return table(("paradigm", "model"), rows)


def where_statistics_are() -> str:
    """What every file of the statistics is for, in its own words."""
    rows = []
    folder = ROOT / "toolkit" / "statistics"
    for path in sorted(folder.rglob("*.py"), key=lambda path: (path.parent, path.name)):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if path.name != "__init__.py":
            rows.append((code(path.relative_to(folder).as_posix()), said.partition("\n\n")[0]))
    return table(("file of toolkit/statistics", "what it is for"), rows)


MADE: Mapping[str, Callable[[], str]] = {
    "citation": citation,
    "formulas": formulas,
    "where statistics are": where_statistics_are,
    "calibration of choices": calibration.choices_table,
    "calibration of naive tests": calibration.naive_table,
    "calibration where answers are all right": calibration.separated_table,
    "calibration over draws": calibration.draws_table,
    "calibration of retention": calibration.retention_table,
    "calibration of trends": calibration.trends_table,
}
"""Parts of written pages, by name."""
