"""From vector drawings to square pictures on white.

Needs `resvg-py` (icons) and the program `rsvg-convert` (clip art), which are wanted for building a
set only, never for using one.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.errors import ToolkitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RASTER_PX = 384
"""Long side of the drawing before it is cropped and made smaller."""
MARGIN = 0.04
"""White margin on each side, as a share of the picture."""
WHITE_FROM = 247
"""A pixel whose darkest channel is at least this counts as white paper when cropping."""

INKS = (
    "#000000",
    "#1c2833",
    "#14325c",
    "#0e4d45",
    "#1d4d1f",
    "#5c1a1a",
    "#4a2c12",
    "#3f1f5c",
)
"""Dark inks for drawings that bring no colours of their own."""


def ink_for(name: str) -> str:
    """The ink of a one-ink drawing, always the same for the same name.

    Example:
        >>> ink_for("mdi:cat") in INKS
        True
    """
    return INKS[hashlib.sha256(name.encode()).digest()[0] % len(INKS)]


def icon_svg(icon_set: dict[str, Any], name: str, ink: str) -> str:
    """One icon of an Iconify JSON file as an SVG document.

    Args:
        icon_set: the parsed file: `icons`, and `width`/`height` for icons that give none.
        name: key in `icons`.
        ink: CSS colour for what is drawn in the colour of the surrounding text.

    Raises:
        ToolkitError: no such icon.

    Example:
        >>> dot = {"icons": {"dot": {"body": '<circle r="1" fill="currentColor"/>'}}, "width": 5}
        >>> "fill='#000000'" in icon_svg(dot, "dot", "#000000").replace('"', "'")
        True
    """
    icon = icon_set["icons"].get(name)
    if icon is None:
        raise ToolkitError(f"The icon set {icon_set.get('prefix')!r} has no icon {name!r}.")
    left, top, width, height = (
        icon.get(key, icon_set.get(key, default))
        for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    )
    scale = RASTER_PX / max(width, height)
    body = icon["body"].replace("currentColor", ink)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' viewBox="{left} {top} {width} {height}"'
        f' width="{width * scale:g}" height="{height * scale:g}">{body}</svg>'
    )


def draw_icon(icon_set: dict[str, Any], name: str, ink: str, size_px: int) -> NDArray[np.uint8]:
    """One icon as a picture.

    Args:
        icon_set: a parsed Iconify JSON file.
        name: key in its `icons`.
        ink: CSS colour for one-ink icons.
        size_px: height and width of the picture.

    Returns:
        uint8, shape (size_px, size_px, 3).
    """
    import resvg_py

    svg = icon_svg(icon_set, name, ink)
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    return frame(png, name, size_px)


def draw_clip_art(path: Path, size_px: int) -> NDArray[np.uint8]:
    """One SVG file of openclipart as a picture.

    Args:
        path: the SVG file.
        size_px: height and width of the picture.

    Returns:
        uint8, shape (size_px, size_px, 3).

    Raises:
        ToolkitError: the file is missing or cannot be drawn.
    """
    command = ["rsvg-convert", "-w", str(RASTER_PX), "-h", str(RASTER_PX), "-a", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    except FileNotFoundError as error:
        raise ToolkitError(
            "The program rsvg-convert is not installed.",
            next_command="apt-get install librsvg2-bin",
        ) from error
    except subprocess.CalledProcessError as error:
        raise ToolkitError(f"{path} cannot be drawn: {error.stderr.decode().strip()}") from error
    return frame(done.stdout, path.name, size_px)


def frame(png: bytes, name: str, size_px: int) -> NDArray[np.uint8]:
    """Put a drawing on white, cut off the empty paper, and centre it in a square.

    Args:
        png: content of a PNG file, transparent or not.
        name: how to call it in an error message.
        size_px: height and width of the result.

    Returns:
        uint8, shape (size_px, size_px, 3).

    Raises:
        ToolkitError: nothing but white paper.
    """
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        drawing = image.convert("RGBA")
    paper = Image.new("RGBA", drawing.size, (255, 255, 255, 255))
    pixels = np.asarray(Image.alpha_composite(paper, drawing).convert("RGB"))
    inked = pixels.min(axis=2) < WHITE_FROM
    if not inked.any():
        raise ToolkitError(f"The drawing {name} is nothing but white paper.")
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    cropped = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inner_px = round(size_px * (1 - 2 * MARGIN))
    scale = inner_px / max(cropped.shape[:2])
    height, width = (max(1, round(side * scale)) for side in cropped.shape[:2])
    small = Image.fromarray(cropped).resize((width, height), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (size_px, size_px), (255, 255, 255))
    square.paste(small, ((size_px - width) // 2, (size_px - height) // 2))
    return np.asarray(square, dtype=np.uint8)
