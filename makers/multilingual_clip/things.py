"""The things the multilingual CLIP is taught to name: drawings of emoji, names in 13 languages.

A *concept* is one emoji, or several that a child would call the same (a cat and a cat's face).
Its names are those that Unicode CLDR gives the emoji in each language (npm package
``cldr-annotations-full``, the name that is read aloud), and, for the things in the scenes, the
plain word of ``stimuli/scenes/words.toml``. Luxembourgish has names for older emoji only; nothing
else makes one language scarcer than another.

Its *drawings* are the emoji itself in every open emoji set of ``@iconify/json``, and any icon of
the same name in the other sets (`makers.backbones.drawings` says which sets are open). Some
drawings of each concept are held out for testing, whole hands at a time: no drawing of that
concept by the same family of sets is trained on. Held-out drawings that look almost the same as
one trained on are used for neither.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from makers.backbones.drawings import Drawing, all_icons, core_name, read_package_file
from makers.sets import drawing as drawing_tools
from stimuli.errors import ToolkitError
from stimuli.files import write_atomic
from stimuli.texts import read_toml
from toolkit.processes.workers import mapping

LANGUAGES = {
    **{code: code for code in ("ar", "ca", "de", "en", "es", "eu", "fr", "it", "lb", "pt", "ru")},
    "zh-CN": "zh",
    "zh-TW": "zh-Hant",
}
"""The languages of the study, and the folder of each in ``cldr-annotations-full``."""
PICTURE_PX = 80
"""Side of the square that a drawing is kept in."""
MIN_FAMILIES = 10
"""Least number of designers' hands that a concept must have been drawn by."""
MAX_PER_CONCEPT = 20
"""Most drawings of one concept: one of every hand, then a second of every hand, and so on."""

_WORDS = read_toml(Path(__file__).with_suffix(".toml"))
_MERGED = {name: tuple(emoji.split()) for name, emoji in _WORDS["merged"].items()}
SCENE_THINGS = frozenset(_MERGED)
"""Concepts that the scenes ask for."""
_DROPPED = frozenset(_WORDS["dropped"].split())
_DROPPED_WORDS = frozenset(_WORDS["dropped_words"].split())
_SETS_WITH_CODES = ("noto", "twemoji", "fluent-emoji-flat", "fluent-emoji-high-contrast")


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing, what it is called, and what icons of it are called."""

    name: str
    """Its English name, words joined by ``-``."""
    names: dict[str, tuple[str, ...]]
    """Its names per language; a language that has none is missing."""
    icon_names: frozenset[str]
    """Core names (`makers.backbones.drawings.core_name`) under which icon sets file it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One drawing of a concept, as it is trained on or tested with."""

    concept: str
    """Name of the concept."""
    icon_set: str
    """Prefix of the icon set."""
    icon: str
    """Name of the icon within its set."""
    family: str
    """Designer's hand (`Drawing.family`)."""
    colour: bool
    """Whether it is drawn in colours of its own."""
    test: bool
    """Whether it is held out from training."""


def read_concepts(cldr: Path, iconify: Path, words: Path) -> list[Concept]:
    """The concepts with their names.

    Args:
        cldr: Folder of the npm package ``cldr-annotations-full``.
        iconify: Folder of the npm package ``@iconify/json``.
        words: A ``words.toml``; its words are further names of the concepts it shares.

    Returns:
        Concepts in alphabetical order.

    Raises:
        ToolkitError: If a package is missing or unreadable.
    """
    spoken = {code: _spoken_names(cldr, folder) for code, folder in LANGUAGES.items()}
    plain = read_toml(words)["words"]
    members: dict[str, list[str]] = defaultdict(list)
    filed: dict[str, set[str]] = defaultdict(set)
    concept_of = {emoji: name for name, several in _MERGED.items() for emoji in several}
    slugs = _slugs(iconify)
    for emoji in _things(iconify):
        english = spoken["en"].get(emoji)
        if english is None or emoji in _DROPPED or _DROPPED_WORDS & set(_parts(english)):
            continue
        name = concept_of.get(emoji) or core_name("-".join(_parts(english)))
        members[name].append(emoji)
        filed[name] |= {core_name(slug) for slug in slugs[emoji]} | {name}
    # A name that two concepts could claim says nothing about which of them is drawn.
    claims = [slug for several in filed.values() for slug in several]
    twice = {slug for slug in claims if claims.count(slug) > 1}
    concepts = []
    for name, several in sorted(members.items()):
        first = min(several, key=lambda e: (len(spoken["en"][e]), several.index(e)))
        if name in _MERGED:
            first = _MERGED[name][0]
        names = {}
        for code, table in spoken.items():
            word = plain.get(name, {}).get(code, {}).get("word")
            known = [n for n in (table.get(first), word) if n]
            if known:
                names[code] = tuple(dict.fromkeys(known))
        concepts.append(Concept(name, names, frozenset(filed[name] - (twice - {name}))))
    return concepts


def _parts(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.lower().replace("’", "").replace("ñ", "n"))


def _spoken_names(cldr: Path, folder: str) -> dict[str, str]:
    path = cldr / "annotations" / folder / "annotations.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))["annotations"]["annotations"]
    except (OSError, ValueError, KeyError) as error:
        raise ToolkitError(
            f"Cannot read {path}: {error}",
            given=str(path),
            allowed="the folder of the npm package cldr-annotations-full",
            next_command="npm install cldr-annotations-full@48.2.0",
        ) from error
    return {emoji: entry["tts"][0] for emoji, entry in data.items() if entry.get("tts")}


def _codes(iconify: Path, icon_set: str) -> dict[str, str]:
    """Emoji by icon name, for single code points."""
    chars = read_package_file(iconify / "json" / f"{icon_set}.json")["chars"]
    found = {}
    for code, icon in chars.items():
        points = [point for point in code.split("-") if point != "fe0f"]
        if len(points) == 1:
            found[icon] = chr(int(points[0], 16))
    return found


def _slugs(iconify: Path) -> dict[str, set[str]]:
    """What the emoji sets call each emoji."""
    names: dict[str, set[str]] = defaultdict(set)
    for icon_set in _SETS_WITH_CODES:
        for icon, emoji in _codes(iconify, icon_set).items():
            names[emoji].add(icon)
    return names


def _things(iconify: Path) -> list[str]:
    """Emoji of the categories that show things."""
    noto = read_package_file(iconify / "json" / "noto.json")
    codes = _codes(iconify, "noto")
    icons = [icon for category in _WORDS["categories"] for icon in noto["categories"][category]]
    return list(dict.fromkeys(codes[icon] for icon in icons if icon in codes))


def choose(
    concepts: Sequence[Concept], icons: Iterable[Drawing]
) -> tuple[list[Concept], list[tuple[Concept, Drawing]]]:
    """Drawings of every concept that enough hands have drawn.

    Args:
        concepts: See `read_concepts`.
        icons: See `makers.backbones.drawings.all_icons`.

    Returns:
        The concepts that are left, and pairs of concept and drawing ordered by concept, set and
        icon.
    """
    by_name = {slug: concept for concept in concepts for slug in concept.icon_names}
    found: dict[str, list[Drawing]] = defaultdict(list)
    for icon in icons:
        if icon.name in by_name and "skin-tone" not in icon.icon:
            found[by_name[icon.name].name].append(icon)
    kept, pairs = [], []
    for concept in concepts:
        drawn = _hand_by_hand(found[concept.name])
        if len({d.family for d in drawn}) >= MIN_FAMILIES:
            kept.append(concept)
            some = drawn[:MAX_PER_CONCEPT]
            pairs += [(concept, d) for d in sorted(some, key=lambda d: (d.icon_set, d.icon))]
    return kept, pairs


def _hand_by_hand(drawings: Iterable[Drawing]) -> list[Drawing]:
    """One drawing of each hand, then a second of each, and so on; colours first."""
    turns: dict[str, int] = defaultdict(int)
    ordered = []
    for drawing in sorted(drawings, key=lambda d: (not d.colour, d.icon_set, d.icon)):
        ordered.append((turns[drawing.family], not drawing.colour, drawing.icon_set, drawing))
        turns[drawing.family] += 1
    return [entry[-1] for entry in sorted(ordered, key=lambda entry: entry[:3])]


def held_out_families(concept: str, families: Iterable[str], many: bool) -> set[str]:
    """Hands whose drawings of a concept are kept for testing.

    The choice follows from the names alone, so that adding a set changes little. At least two
    hands stay for training.

    Args:
        concept: Name of the concept.
        families: The hands that drew it.
        many: Whether a third of them is wanted (for the scenes) and not only one.

    Example:
        >>> len(held_out_families("cat", ["a", "b", "c", "d", "e", "f"], many=True))
        2
        >>> len(held_out_families("cat", ["a", "b", "c", "d", "e", "f"], many=False))
        1
    """
    known = sorted(set(families), key=lambda f: hashlib.sha256(f"{concept}:{f}".encode()).digest())
    wanted = max(1, len(known) // 3) if many else 1
    return set(known[: min(wanted, max(0, len(known) - 2))])


def render(drawing: Drawing, size_px: int = PICTURE_PX) -> NDArray[np.uint8] | None:
    """A drawing cut to its ink, with its transparency.

    Args:
        drawing: What to draw; sets without colours get a dark ink that follows from the name.
        size_px: Side of the square, pixels; the longer side of the drawing fills it.

    Returns:
        (size_px, size_px, 4) uint8, colours not multiplied by opacity; None where nothing is
        drawn.
    """
    left, top, width, height = drawing.view_box
    shape = {"body": drawing.body, "left": left, "top": top, "width": width, "height": height}
    ink = drawing_tools.ink_for(f"{drawing.icon_set}:{drawing.icon}")
    try:
        cut = drawing_tools.cut_out({"icons": {"it": shape}}, "it", ink, size_px)
    except (ValueError, ToolkitError):
        return None
    square = np.zeros((size_px, size_px, 4), np.uint8)
    above, before = (size_px - cut.shape[0]) // 2, (size_px - cut.shape[1]) // 2
    square[above : above + cut.shape[0], before : before + cut.shape[1]] = cut
    return square


def on_white(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A drawing on white paper.

    Example:
        >>> on_white(np.zeros((1, 1, 4), np.uint8)).tolist()
        [[[255, 255, 255]]]
    """
    opacity = picture[..., 3:].astype(np.float32) / 255
    mixed = picture[..., :3] * opacity + 255 * (1 - opacity)
    return np.rint(mixed).astype(np.uint8)


def _signature(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """24 x 24 grey values of a drawing on white, centred and of unit length."""
    from PIL import Image

    grey = Image.fromarray(on_white(picture)).convert("L").resize((24, 24))
    flat = np.asarray(grey, dtype=np.float32).ravel()
    flat -= flat.mean()
    length = float(np.linalg.norm(flat))
    return flat / length if length else flat


def split(
    pairs: Sequence[tuple[Concept, Drawing]],
    pictures: Sequence[NDArray[np.uint8]],
    alike: float = 0.95,
) -> list[Item | None]:
    """Say of every drawing whether it is for training or for testing.

    Args:
        pairs: See `choose`.
        pictures: One per pair (`render`).
        alike: Correlation of small grey pictures, mirrored or not, from which on a held-out
            drawing counts as a copy of one trained on.

    Returns:
        One item per pair; None for repeats, and for held-out copies.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, (concept, _) in enumerate(pairs):
        rows[concept.name].append(row)
    items: list[Item | None] = [None] * len(pairs)
    for name, mine in rows.items():
        out = held_out_families(name, (pairs[row][1].family for row in mine), name in _MERGED)
        seen: list[NDArray[np.float32]] = []
        # Training drawings first: what is held out is compared with all of them.
        for row in sorted(mine, key=lambda row: (pairs[row][1].family in out, row)):
            drawing = pairs[row][1]
            test = drawing.family in out
            small = _signature(pictures[row])
            flipped = small.reshape(24, 24)[:, ::-1].ravel()
            near = max((float(max(small @ s, flipped @ s)) for s in seen), default=0.0)
            if near < (alike if test else 0.995):
                seen.append(small)
                items[row] = Item(
                    name, drawing.icon_set, drawing.icon, drawing.family, drawing.colour, test
                )
    return items


@dataclass(frozen=True, slots=True)
class Drawings:
    """Everything the multilingual CLIP is taught with and tested on."""

    concepts: list[Concept]
    """In alphabetical order."""
    items: list[Item]
    """One per picture."""
    pictures: NDArray[np.uint8]
    """(n, PICTURE_PX, PICTURE_PX, 4), drawings with their transparency."""


def load_drawings(
    iconify: Path,
    cldr: Path,
    words: Path,
    cache: Path,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda message: None,
) -> Drawings:
    """Choose, render and split the drawings, or read them from an earlier call.

    Args:
        iconify: Folder of the npm package ``@iconify/json``.
        cldr: Folder of the npm package ``cldr-annotations-full``.
        words: ``words.toml`` with the plain words of the scenes.
        cache: Existing folder for the pictures (about 0.3 GB).
        jobs: Processes that render.
        progress: Told what is being done.

    Raises:
        ToolkitError: If a package cannot be read.
    """
    table, pixels = cache / "drawings.json", cache / "drawings.npy"
    if not table.exists():
        progress("reading names and icons")
        concepts, pairs = choose(read_concepts(cldr, iconify, words), all_icons(iconify))
        progress(f"rendering {len(pairs)} drawings of {len(concepts)} concepts")
        with mapping(jobs, at_once=64) as mapped:
            drawn = list(mapped(render, [drawing for _, drawing in pairs]))
        there = [row for row, picture in enumerate(drawn) if picture is not None]
        pictures = [picture for picture in drawn if picture is not None]
        items = split([pairs[row] for row in there], pictures)
        kept = [row for row, item in enumerate(items) if item is not None]
        with write_atomic(pixels) as path:
            np.save(path, np.stack([pictures[row] for row in kept]))
        content = {
            "concepts": [asdict(c) | {"icon_names": sorted(c.icon_names)} for c in concepts],
            "items": [asdict(item) for item in items if item is not None],
        }
        with write_atomic(table) as path:
            path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    stored = json.loads(table.read_text(encoding="utf-8"))
    return Drawings(
        [
            Concept(
                c["name"],
                {code: tuple(several) for code, several in c["names"].items()},
                frozenset(c["icon_names"]),
            )
            for c in stored["concepts"]
        ],
        [Item(**item) for item in stored["items"]],
        np.load(pixels, mmap_mode="r"),
    )
