"""Drawing figures with vl-convert: SVG and PNG files, and the script for the page.

Joining Vega's scripts takes seconds, so the joined script is kept in the user's cache folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reports.figures import INK
from stimuli.characters import shown

PAPER_INK = "#1b1b1b"
"""Text and lines in files, where no page lends its colour."""


def svg(spec: Mapping[str, Any], name: str) -> str:
    """A drawing to stand inside a page.

    Args:
        spec: Vega-Lite specification.
        name: makes the names inside the drawing unique on the page.

    Returns:
        An ``<svg>`` element that takes the colour of the text around it and is hidden from screen
        readers; the element around it must say what is seen.
    """
    import vl_convert

    text = _slim(_renamed(vl_convert.vegalite_to_svg(visible(spec)), name))
    text = re.sub(r'\s(?:version|xmlns(?::xlink)?)="[^"]*"', "", text, count=3)
    width = re.search(r'<svg\b[^>]*\bwidth="([0-9.]+)"', text)
    own = f' style="--natural: {float(width[1]):.0f}px"' if width else ""
    return re.sub(r"<svg\b", f'<svg aria-hidden="true" focusable="false"{own}', text, count=1)


def files(spec: Mapping[str, Any]) -> tuple[str, bytes]:
    """The same drawing as an SVG file and a PNG file on white.

    Example:
        >>> text, picture = files({"data": {"values": [{"a": 1}]}, "mark": "point"})
        >>> text[:4], picture[1:4]
        ('<svg', b'PNG')
    """
    import vl_convert

    text = vl_convert.vegalite_to_svg(visible(spec) | {"background": "white"})
    text = _renamed(text, "part").replace(INK, PAPER_INK)
    return text, vl_convert.svg_to_png(text, scale=2)


def _slim(text: str) -> str:
    """A drawing without what nobody sees or hears: a sixth of it.

    Example:
        >>> _slim('<g role="graphics-object" opacity="1"><path class="foreground" d=""/></g>')
        '<g></g>'
    """
    text = re.sub(r'<path class="(?:back|fore)ground"[^>]* d="(?:M0,0h0v0h0Z)?"[^>]*/>', "", text)
    unheard = r'role="graphics-[a-z]+"|aria-(?:roledescription|hidden)="[^"]*"'
    return re.sub(rf' (?:{unheard}|pointer-events="none"|opacity="1")', "", text)


def _renamed(text: str, name: str) -> str:
    """A drawing with names of its own: the engine numbers them through all it has made so far."""
    for place, known in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', text))):
        for before, after in (('id="', '"'), ("url(#", ")"), ('xlink:href="#', '"')):
            text = text.replace(f"{before}{known}{after}", f"{before}{name}-{place}{after}")
    return text


def visible(value: Any) -> Any:
    r"""A specification with hidden characters escaped: the drawing engine breaks down over some.

    Args:
        value: a specification, or a part of it.

    Example:
        >>> print(visible({"title": ["do\x1bg"]})["title"][0])
        do\x1bg
    """
    if isinstance(value, str):
        return shown(value, keep="\n")
    if isinstance(value, Mapping):
        return {visible(key): visible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [visible(item) for item in value]
    return value


def script() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script that fetches nothing."""
    import vl_convert

    name = f"vega-embed-{version('vl-convert-python')}.js"
    cached = _cache_folder() / name
    try:
        return cached.read_text(encoding="utf-8")
    except OSError:
        made: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]
    from stimuli.files import write_atomic

    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with write_atomic(cached) as path:
            path.write_text(made, encoding="utf-8")
    except OSError:
        # A cache that cannot be written costs time, nothing else.
        pass
    return made


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mevgs-toolkit"
