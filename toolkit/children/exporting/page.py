"""The page: one HTML file with jsPsych, stimuli, lists and texts in it, which runs anywhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.characters import shown
from toolkit.children.columns import SESSION_COLUMNS, SIDES
from toolkit.children.exporting.media import BLOCK, in_page
from toolkit.children.exporting.packages import (
    CDN,
    CDN_ADDRESS,
    LICENCE,
    PACKAGES,
    SCRIPT,
    find_scripts,
)

if TYPE_CHECKING:
    from toolkit.children.exporting.experiment import Experiment

GAP_MS = 600
"""Empty screen between trials."""
ITEM = (
    "part", "paradigm", "paradigm_version", "condition", "trial", "word_id", "word_concept",
    "target_id", "distractor_id",
)  # fmt: skip
"""Columns that go with a trial on whichever side its target is shown."""


def page(experiment: Experiment) -> str:
    """The page as HTML.

    Args:
        experiment: what it is made of.

    Raises:
        ToolkitError: jsPsych is neither at hand nor to be fetched.
    """
    choices, texts = experiment.choices, experiment.texts
    scripts, outside = [], []
    if choices.jspsych == CDN:
        outside = [(f"{CDN_ADDRESS}/{one.spec}/{SCRIPT}", one.script) for one in PACKAGES]
    else:
        scripts = find_scripts(Path(choices.jspsych) if choices.jspsych else None)
    scripts.append(_template_file("page.js"))
    return text_of(
        "page.html.jinja",
        language=texts.language,
        policy=_policy(scripts, choices.sending.sources, CDN_ADDRESS if outside else ""),
        design=experiment.design,
        words=asdict(texts.words),
        style=_template_file("page.css"),
        as_stored=not experiment.stimuli.upright,
        consent=texts.consent,
        instructions=texts.instructions,
        last_list=len(experiment.lists.lists) - 1,
        data=_data(experiment),
        outside=outside,
        scripts=scripts,
        **_credits(experiment),
    )


def _data(experiment: Experiment) -> dict[str, Any]:
    """What the script of the page works on."""
    media = {one: in_page(experiment.stimuli, one) for one in experiment.lists.stimulus_ids}
    return timeline_data(experiment) | {
        "media": media,
        "block": BLOCK,
        "send": asdict(experiment.choices.sending),
    }


def timeline_data(experiment: Experiment) -> dict[str, Any]:
    """What a script needs to make the trials of a list and the rows of their answers.

    Args:
        experiment: what it is made of.
    """
    lists, choices = experiment.lists, experiment.choices
    place = {item: number for number, item in enumerate(lists.items)}
    items = [item.on(SIDES[0]) for item in lists.items]
    return {
        "design": dict(experiment.design),
        "same": experiment.same,
        "columns": [column.name for column in SESSION_COLUMNS],
        "items": [{name: item[name] for name in ITEM} for item in items],
        "lists": [[[place[item], SIDES.index(side)] for item, side in one] for one in lists.lists],
        "words": asdict(experiment.texts.words),
        "silence_ms": round(1000 * choices.silence_s),
        "limit_ms": round(1000 * choices.limit_s),
        "gap_ms": GAP_MS,
    }


def credits_page(experiment: Experiment) -> str:
    """Who made what, and the licence of jsPsych, as a page of its own.

    Args:
        experiment: whose words and pictures are told.
    """
    style, design = _template_file("page.css"), experiment.design
    return text_of("credits_page.html.jinja", style=style, design=design, **_credits(experiment))


def _credits(experiment: Experiment) -> dict[str, Any]:
    return {"credits": experiment.credits, "packages": PACKAGES, "licence": LICENCE}


def _policy(scripts: list[str], sources: str, outside: str) -> str:
    """What the page may load and talk to: itself, JATOS where it lies there, and what was named."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return (
        f"default-src 'none'; script-src 'self' {hashes} {outside}; style-src 'unsafe-inline'; "
        f"img-src blob: data: 'self'; media-src blob:; worker-src blob: 'self'; "
        f"connect-src blob: 'self' {sources}; base-uri 'none'; form-action 'none'"
    )


@functools.cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        # Scripts take data as JSON, in which jinja escapes signs of HTML; Markdown takes texts.
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def text_of(template: str, **values: Any) -> str:
    """A file of text, or a script, from its template.

    Args:
        template: name of the template.
        values: what stands in it.
    """
    return str(_environment().get_template(template).render(values))


def _shown(value: Any) -> Any:
    """What is put into the page: texts with hidden characters escaped, markup as it is."""
    return shown(value, keep="\n\t") if type(value) is str else value


def _template_file(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
