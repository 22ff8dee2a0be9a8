"""Build the stimulus set `scenes`: `python -m makers.sets.build_scenes --help`.

Scenes are made for the paradigm `dense-grounding`: three or four drawings on one sheet of
224 x 224 pixels, each at a known place, with a mask per drawing. What is needed:

- `@iconify/json` 2.2.535 from npm (`npm install @iconify/json@2.2.535`);
- `resvg-py` from PyPI (`pip install .[build]`).

What decides the result is `stimuli/scenes/selection.csv` (the drawings, looked at by eye, with
licence and author) and `SEED`. All drawings are held out from the training of the population
`multilingual-clip`, whose frozen eye had met none of the things before. The same packages give the
same bytes.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from makers.commands import run
from makers.sets import drawing
from makers.sets.build_mini import read_csv, read_icon_set, remove_strangers
from stimuli import media
from stimuli.cells import csv_text
from stimuli.files import write_atomic
from stimuli.writing import write_media, write_set

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SOURCES = Path(__file__).parents[2] / "stimuli" / "scenes"
"""Where the selection and the words are kept."""
VERSION = "1.0.0"
SHEET_PX = 224
"""Side of a scene."""
N_SCENES = 96
SEED = 1
SIZES_PX = {3: (64, 104), 4: (60, 92)}
"""Least and greatest length of a drawing's longer side, by how many are on the sheet."""
GAP_PX = 4
"""Least distance between the boxes of two drawings, and to the edge."""
TOO_ALIKE = tuple(
    frozenset(pair)
    for pair in (("bus", "car"), ("cow", "horse"), ("dog", "cat"), ("bird", "butterfly"))
)
"""Things that are not put into one scene."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Placed:
    """One drawing in a scene."""

    concept: str
    """What it shows."""
    source: str
    """Which drawing it is, e.g. ``iconify:noto/dog``."""
    size_px: int
    """Length of its longer side."""


def build(iconify: Path, out: Path) -> None:
    """Draw the scenes and write the tables.

    Args:
        iconify: folder of the npm package `@iconify/json`.
        out: folder of the set; made where it is missing. Pictures and masks of an earlier build
            that do not belong to it are removed.

    Raises:
        ToolkitError: the package is missing, or is not the one the selection was made from.
    """
    import numpy as np

    out.mkdir(parents=True, exist_ok=True)
    selection = read_csv(SOURCES / "selection.csv")
    known = {row["source"]: row for row in selection}
    icons: dict[str, dict[str, object]] = {}
    random = np.random.default_rng(SEED)
    rows, objects = [], []
    for number, scene in enumerate(plan(selection, random), 1):
        name = f"scene-{number:03}"
        cuts = [_cut(iconify, icons, placed) for placed in scene]
        sheet = _paper(random)
        masks = put(sheet, cuts, random)
        path = f"pictures/{name}{media.PICTURE_SUFFIX}"
        sources = sorted({placed.source for placed in scene})
        rows.append(
            {
                "stimulus_id": name,
                "kind": "picture",
                "concept": "scene",
                "status": "familiar",
                "source": " + ".join(sources),
                "licence": " AND ".join(sorted({known[s]["licence"] for s in sources})),
                "split": "test",
                "path": path,
                "sha256": write_media(out, path, media.encode_picture(sheet)),
                "style": "colour",
                "author": "; ".join(sorted({known[s]["author"] for s in sources})),
            }
        )
        for placed, mask in zip(scene, masks, strict=True):
            path = f"masks/{name}-{placed.concept}.png"
            checksum = write_media(out, path, _png(mask))
            objects.append((name, placed.concept, path, checksum, placed.source))
    with write_atomic(out / "objects.csv") as unfinished:
        table = csv_text([("stimulus_id", "concept", "mask", "sha256", "source"), *objects])
        unfinished.write_text(table, encoding="utf-8", newline="")
    remove_strangers(out, {row["path"] for row in rows})
    remove_strangers(out, {mask for _, _, mask, _, _ in objects}, ("masks",))
    write_set(out, _settings(iconify), rows)
    log.info("%d scenes, %d drawings in %s", len(rows), len(objects), out)


def plan(
    selection: Sequence[dict[str, str]], random: np.random.Generator, n_scenes: int = N_SCENES
) -> list[list[Placed]]:
    """What is on each scene: every thing equally often, every drawing of it too.

    Args:
        selection: rows with `concept` and `source`.
        random: decides among equals.
        n_scenes: how many; three and four drawings take turns.

    Returns:
        One list of drawings per scene, no two of them `TOO_ALIKE`.

    Example:
        >>> import numpy as np
        >>> rows = [{"concept": c, "source": c + s} for c in "abcdefg" for s in "12"]
        >>> scenes = plan(rows, np.random.default_rng(0), n_scenes=4)
        >>> [len(scene) for scene in scenes]
        [3, 4, 3, 4]
        >>> sorted(Counter(placed.source for scene in scenes for placed in scene).values())
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    drawings: dict[str, list[str]] = defaultdict(list)
    for row in selection:
        drawings[row["concept"]].append(row["source"])
    used: Counter[str] = Counter()
    scenes = []
    for number in range(n_scenes):
        chosen: list[str] = []
        # The rarest so far come first, equals in any order.
        order = sorted(drawings, key=lambda concept: (used[concept], random.random()))
        for concept in order:
            if len(chosen) == 3 + number % 2:
                break
            if not any(frozenset((concept, other)) in TOO_ALIKE for other in chosen):
                chosen.append(concept)
        least, most = SIZES_PX[len(chosen)]
        scene = []
        for concept in chosen:
            source = drawings[concept][used[concept] % len(drawings[concept])]
            scene.append(Placed(concept, source, int(random.integers(least, most + 1))))
            used[concept] += 1
        scenes.append(scene)
    return scenes


def put(
    sheet: NDArray[np.uint8], cuts: Sequence[NDArray[np.uint8]], random: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """Put drawings on a sheet, anywhere, boxes apart by `GAP_PX`.

    Args:
        sheet: uint8, shape (height, width, 3); drawn upon.
        cuts: drawings with opacity (`makers.sets.drawing.cut_out`).
        random: decides the places.

    Returns:
        What each covers, shape (height, width).

    Example:
        >>> import numpy as np
        >>> sheet = np.full((40, 40, 3), 255, np.uint8)
        >>> masks = put(sheet, [np.full((9, 7, 4), 255, np.uint8)] * 3, np.random.default_rng(0))
        >>> [int(mask.sum()) for mask in masks], int(np.sum(masks, axis=0).max())
        ([63, 63, 63], 1)
    """
    import numpy as np

    height, width = sheet.shape[:2]
    while True:
        corners = [
            (
                int(random.integers(GAP_PX, height - GAP_PX - cut.shape[0] + 1)),
                int(random.integers(GAP_PX, width - GAP_PX - cut.shape[1] + 1)),
            )
            for cut in cuts
        ]
        taken = np.zeros((height, width), int)
        for (top, left), cut in zip(corners, cuts, strict=True):
            bottom, right = top + cut.shape[0] + GAP_PX, left + cut.shape[1] + GAP_PX
            taken[top:bottom, left:right] += 1
        if taken.max() == 1:
            break
    masks = []
    for (top, left), cut in zip(corners, cuts, strict=True):
        area = slice(top, top + cut.shape[0]), slice(left, left + cut.shape[1])
        opacity = cut[..., 3:].astype(float) / 255
        sheet[area] = np.rint(cut[..., :3] * opacity + sheet[area] * (1 - opacity))
        mask = np.zeros((height, width), bool)
        mask[area] = drawing.silhouette(cut)
        masks.append(mask)
    return masks


def _cut(iconify: Path, icons: dict[str, dict[str, object]], placed: Placed) -> NDArray[np.uint8]:
    icon_set, name = placed.source.removeprefix("iconify:").split("/", 1)
    if icon_set not in icons:
        icons[icon_set] = read_icon_set(iconify, icon_set)
    ink = drawing.ink_for(f"{icon_set}:{name}")
    return drawing.cut_out(icons[icon_set], name, ink, placed.size_px)


def _paper(random: np.random.Generator) -> NDArray[np.uint8]:
    """An empty sheet, white or, half of the time, in a light colour."""
    import numpy as np

    tint = random.integers(205, 256, 3) if random.random() < 0.5 else np.full(3, 255)
    return np.broadcast_to(tint.astype(np.uint8), (SHEET_PX, SHEET_PX, 3)).copy()


def _png(mask: NDArray[np.bool_]) -> bytes:
    """PNG of one bit per pixel: 255 where the thing is seen, 0 elsewhere."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _settings(iconify: Path) -> dict[str, object]:
    """The content of `set.toml`."""
    return {
        "name": "scenes",
        "version": VERSION,
        "title": "96 sheets of three or four drawings, with masks and words in 13 languages",
        "description": "16 things in drawings that the population multilingual-clip was not"
        " trained on, at known places, for dense grounding.",
        "languages": [],
        "licence": "differs between files: see selection.csv, and NOTICE",
        "sample_rate_hz": 16000,
        "picture_size_px": SHEET_PX,
        "made_from": [
            f"@iconify/json {json.loads((iconify / 'package.json').read_text('utf-8'))['version']}"
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m makers.sets.build_scenes", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--iconify", type=Path, required=True, help="folder of @iconify/json")
    parser.add_argument("--out", type=Path, default=SOURCES, help="default: %(default)s")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    build(given.iconify, given.out)


if __name__ == "__main__":
    run(main)
