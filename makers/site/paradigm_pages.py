"""A page per paradigm, from what its class declares, as ``describe`` prints it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping

from makers.site.tables import code, escaped, table
from paradigms import BaseParadigm, WordLearning
from paradigms.base import asks_for, how_to_run
from paradigms.registry import look_for_paradigms
from toolkit.cli.listing import declared

FOLDER = "reference/paradigms"
INTRODUCTION = """# Paradigms

A paradigm is a test of child-language research, written once as a class. These pages are made from
the classes, as `mevgs-toolkit describe NAME` prints them. To write one of your own:
[contributing](../../contributing.md).
"""


def paradigm_pages() -> Mapping[str, str]:
    """Pages of paradigms by name, the list of them first."""
    known = {name: cls() for name, cls in sorted(look_for_paradigms(None).known.items())}
    rows = [
        f"| [{code(name)}]({name}.md) | {escaped(one.question)} | {asks_for(one)} | {one.version} |"
        for name, one in known.items()
    ]
    head = "| paradigm | question | asks for | version |\n| --- | --- | --- | --- |\n"
    listed = f"{INTRODUCTION}\n{head}" + "\n".join(rows) + "\n"
    pages = {f"{FOLDER}/{name}.md": paradigm_page(one) for name, one in known.items()}
    return {f"{FOLDER}/index.md": listed, **pages}


def paradigm_page(paradigm: BaseParadigm) -> str:
    r"""One paradigm: what it asks, and what it declares.

    Example:
        >>> from paradigms.registry import get_paradigm
        >>> "novel\\*-familiar" in paradigm_page(get_paradigm("me"))
        True
    """
    return "\n\n".join(_parts(paradigm)) + "\n"


def _parts(paradigm: BaseParadigm) -> Iterator[str]:
    module = sys.modules[type(paradigm).__module__]
    yield f"# {paradigm.name}"
    yield f"**{escaped(paradigm.question)}**"
    yield escaped(inspect.getdoc(type(paradigm)) or "")
    yield f"```bash\n{how_to_run(paradigm)}\nmevgs-toolkit describe {paradigm.name}\n```"
    told = {
        "Follows": escaped(paradigm.source),
        "Asks for": asks_for(paradigm),
        "Model": code(paradigm.formula),
        "Stimuli": code(paradigm.default_set),
        "Version": str(paradigm.version),
        "File": code(f"{module.__name__.replace('.', '/')}.py"),
    }
    if paradigm.gate is not None:
        condition, least = paradigm.gate
        told["Gate"] = f"seeds below {100 * least:g} % in {code(condition)} are set aside"
    yield "\n".join(f"- {what}: {text}" for what, text in told.items())
    if isinstance(paradigm, WordLearning):
        yield f"## Learning\n\n{escaped(paradigm.rule.told)}"
    rows = [(code(one.name), one.role, one.meaning) for one in paradigm.conditions]
    yield "## Conditions\n\n" + table(("condition", "role", "meaning"), rows)
    for columns, found in declared(paradigm):
        if found:
            yield f"## {HEADINGS[columns[0]]}\n\n" + table(columns, found)


HEADINGS = {
    "contrast": "Contrasts, fixed in advance",
    "graded factor": "Graded factors, fixed in advance",
    "children": "What children did",
    "measure": "Measures",
}
"""What stands above a table of something that paradigms declare, by its first column."""
