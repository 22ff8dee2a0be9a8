"""The drawings the seeing backbone learns from: which names, which icon sets, how rendered.

A *name* is what an icon is called once words for style and size are taken away
(``lion-face-outline-24`` and ``lion`` are both ``lion``). The same thing drawn by different
designers is what teaches the backbone to look past style, so only names drawn by several
sets count. Nothing that shows one of the test concepts may be among them; `is_too_near` draws
that line.

Where the line runs: a name is left out when one of its words

1. is a concept of the embedded stimuli, in any spelling or number (``cat``, ``bicycles``);
2. names a kind, a young one, a part-whole scene or a synonym of one (``duck`` for bird,
   ``lamb`` for sheep, ``trout`` for fish, ``seat`` for chair, ``photo`` for camera);
3. names a thing that is usually drawn as one (``edit`` is drawn as a pen, ``send`` as an
   aeroplane, ``time`` as a clock, ``password`` as a key, ``beach`` with an umbrella);
4. is the nearest relative with the same outline (``goat`` and ``ox`` for sheep and cow,
   ``wolf`` for dog, ``donkey`` and ``zebra`` for horse, ``panda`` for bear, ``truck`` for car).

Animals with a name of their own that a three-year-old would not mix up with a test concept
(lion, tiger, pig, fox, monkey, giraffe, mouse) stay: they are what an eye knows of animals.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimuli.errors import ToolkitError
from stimuli.texts import read_toml
from toolkit.processes.workers import mapping

DRAWING_SIZE_PX = 96

_SHUT_LICENCES = ("SA", "NC", "GPL")
_SHUT_CATEGORIES = ("Logos", "Programming")
_PICTURE_CATEGORIES = frozenset(
    {"Animals & Nature", "Food & Drink", "Objects", "Travel & Places", "Activities"}
)
_WORDS = read_toml(Path(__file__).with_suffix(".toml"))
_SHUT_SETS, _STYLE_WORDS, _INTERFACE_WORDS, _NEAR_PARTS = (
    frozenset(_WORDS[key].split()) for key in ("shut_sets", "style", "interface", "near_parts")
)
_BODY_WORDS = frozenset(("flag", "flags", "skin", "keycap", "man", "woman", "men", "women"))
_NEAR_WORDS = frozenset(word for words in _WORDS["near"].values() for word in words.split())
_FAMILIES = {"material": "google", "ic": "google", "bx": "boxicons", "bxs": "boxicons", "la": "fa"}
"""Families of sets whose names do not begin alike."""


ANIMALS = frozenset(_WORDS["animals"].split())
"""Names of animals that stay."""
HELD_OUT_ANIMALS = frozenset(_WORDS["held_out_animals"].split())
"""Animals kept out of training, for choosing between settings."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One icon that may be trained on."""

    name: str
    """What it shows, without words for style (`core_name`)."""
    icon_set: str
    """Prefix of the icon set, e.g. ``noto``."""
    icon: str
    """Name of the icon within its set."""
    body: str
    """The SVG elements."""
    view_box: tuple[float, float, float, float]
    """Left, top, width and height of the drawing area."""
    colour: bool
    """Whether the set comes in several colours; the others take the text colour."""
    picture_name: bool
    """Whether an emoji set files the name among animals, food, objects, places or activities."""

    @property
    def family(self) -> str:
        """Designer's hand: sets of one family share drawings.

        Example:
            >>> Drawing("lion", "fa6-solid", "lion", "", (0, 0, 1, 1), False, True).family
            'fa'
        """
        head = re.sub(r"\d+$", "", self.icon_set.split("-")[0])
        return _FAMILIES.get(head, head)


def core_name(icon: str) -> str:
    """Name of the thing drawn: the icon's name without words for style, size and counting.

    Args:
        icon: Icon name as the set spells it.

    Returns:
        The remaining words joined by ``-``; empty where only style words were there.

    Example:
        >>> core_name("lion-face-outline-24"), core_name("outline-16")
        ('lion', '')
    """
    words = [re.sub(r"(?<=[a-z])\d+$", "", w) for w in re.split(r"[-_]+", icon.lower())]
    words = [w for w in words if w and w not in _STYLE_WORDS]
    if len(words) > 1 and words[-1] in ("face", "head"):
        words.pop()
    return "-".join(words)


def is_too_near(name: str) -> bool:
    """Whether a name may show one of the test concepts or a near relative (see the module text).

    Args:
        name: A core name, words joined by ``-``.

    Returns:
        True where the name must not be trained on.

    Example:
        >>> [is_too_near(n) for n in ("cat", "paper-plane", "sailboats", "lion", "keyboard")]
        [True, True, True, False, False]
    """
    words = re.split(r"[-_ ]+", name.lower())
    return any(
        w in _NEAR_WORDS or w.rstrip("s") in _NEAR_WORDS or any(p in w for p in _NEAR_PARTS)
        for w in words
    )


def _is_shut(prefix: str, info: dict[str, Any]) -> bool:
    spdx = info.get("license", {}).get("spdx", "")
    return (
        prefix in _SHUT_SETS
        or info.get("category") in _SHUT_CATEGORIES
        or not spdx
        or any(part in spdx for part in _SHUT_LICENCES)
    )


def read_package_file(path: Path) -> dict[str, Any]:
    """One JSON file of the npm package ``@iconify/json``.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        ToolkitError: If it is missing or no JSON.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ToolkitError(
            f"Cannot read {path}: {error}",
            given=str(path),
            allowed="the folder of the npm package @iconify/json",
            next_command="npm install @iconify/json",
        ) from error


def all_icons(iconify: Path) -> list[Drawing]:
    """Every icon of the package whose set has an open licence and draws things.

    Args:
        iconify: Folder of the npm package ``@iconify/json``.

    Returns:
        Icons ordered by set, in the order of the set; any name, test concepts too.

    Raises:
        ToolkitError: If the folder or one of its files is missing or unreadable.
    """
    picture_names: set[str] = set()
    found: list[Drawing] = []
    for prefix, info in sorted(read_package_file(iconify / "collections.json").items()):
        if _is_shut(prefix, info):
            continue
        data = read_package_file(iconify / "json" / f"{prefix}.json")
        if info.get("category") == "Emoji":
            for category, icons in data.get("categories", {}).items():
                if category in _PICTURE_CATEGORIES:
                    picture_names.update(core_name(icon) for icon in icons)
        colour = bool(info.get("palette"))
        for icon, entry in data["icons"].items():
            left, top, width, height = (
                entry.get(key, data.get(key, default))
                for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
            )
            box = (left, top, width, height)
            found.append(Drawing(core_name(icon), prefix, icon, entry["body"], box, colour, False))
    return [replace(d, picture_name=d.name in picture_names) for d in found]


def choose_drawings(
    iconify: Path,
    *,
    refuse: Callable[[str], bool] = lambda name: False,
    min_families: int = 3,
    min_families_picture: int = 2,
    max_per_name: int = 60,
) -> list[Drawing]:
    """Drawings of every allowed name that enough hands have drawn.

    Args:
        iconify: Folder of the npm package ``@iconify/json``.
        refuse: Further test of a name; True keeps it out.
        min_families: Least number of families of sets for names outside the emoji picture
            categories.
        min_families_picture: The same for names inside them (animals, food, objects, ...).
        max_per_name: Most drawings of one name; colour drawings are kept first, but half of the
            room is for glyphs.

    Returns:
        Drawings ordered by name, set and icon.

    Raises:
        ToolkitError: If the folder or one of its files is missing or unreadable.
    """
    by_name: dict[str, list[Drawing]] = {}
    for drawing in all_icons(iconify):
        by_name.setdefault(drawing.name, []).append(drawing)
    chosen: list[Drawing] = []
    for name, drawings in sorted(by_name.items()):
        least = min_families_picture if drawings[0].picture_name else min_families
        if (
            _is_nameable(name, drawings[0].picture_name)
            and len({d.family for d in drawings}) >= least
            and not is_too_near(name)
            and not refuse(name.replace("-", " "))
        ):
            chosen += _some(drawings, max_per_name)
    return chosen


def _is_nameable(name: str, picture_name: bool) -> bool:
    words = set(name.split("-"))
    return (
        len(name) >= 3
        and len(words) <= 3
        and not words & _BODY_WORDS
        and (picture_name or not words & _INTERFACE_WORDS)
    )


def _some(drawings: list[Drawing], most: int) -> list[Drawing]:
    ordered = sorted(drawings, key=lambda d: (d.icon_set, d.icon))
    colour = [d for d in ordered if d.colour]
    rest = [d for d in ordered if not d.colour]
    room = max(most - len(colour), most // 2)
    step = max(1.0, len(rest) / room)
    return colour[:most] + [rest[int(i * step)] for i in range(min(len(rest), room))]


def _trim(grey: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    rows, columns = (np.flatnonzero((grey < 250).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _render(drawing: Drawing, size_px: int) -> NDArray[np.uint8] | None:
    import resvg_py
    from PIL import Image

    left, top, width, height = drawing.view_box
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{size_px}" height="{size_px}" '
        f'color="black">{drawing.body}</svg>'
    )
    try:
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, background="white", width=size_px * 2))
    except ValueError:
        return None
    image = Image.open(BytesIO(png)).convert("RGB")
    box = _trim(np.asarray(image.convert("L")))
    if box is None:
        return None
    rows, columns = box
    image = image.crop((columns.start, rows.start, columns.stop, rows.stop))
    scale = (size_px - 4) / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    canvas = Image.new("RGB", (size_px, size_px), "white")
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    canvas.paste(image, ((size_px - width) // 2, (size_px - height) // 2))
    return np.asarray(canvas)


def render_drawings(
    drawings: Iterable[Drawing], *, size_px: int = DRAWING_SIZE_PX, jobs: int = 1
) -> tuple[list[Drawing], NDArray[np.uint8]]:
    """Render drawings on white, cut to the ink, the longer side filling the square.

    Args:
        drawings: What to render.
        size_px: Side of the square, pixels.
        jobs: Processes at work.

    Returns:
        The drawings that could be rendered and show something, without repeats of the same
        picture under one name, and their pictures (n, size_px, size_px, 3) uint8.
    """
    kept: list[Drawing] = []
    pictures: list[NDArray[np.uint8]] = []
    seen: set[tuple[str, bytes]] = set()
    wanted = list(drawings)
    with mapping(jobs, at_once=256) as mapped:
        rendered = mapped(functools.partial(_render, size_px=size_px), wanted)
        for drawing, picture in zip(wanted, rendered, strict=True):
            if picture is None:
                continue
            coarse = picture[::6, ::6].mean(axis=-1) // 64
            key = (drawing.name, coarse.astype(np.uint8).tobytes())
            if key not in seen:
                seen.add(key)
                kept.append(drawing)
                pictures.append(picture)
    return kept, np.stack(pictures)
