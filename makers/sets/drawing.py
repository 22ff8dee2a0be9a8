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


def icon_svg(icon_set: dict[str, Any], name: str, ink: str, raster_px: int = RASTER_PX) -> str:
    """One icon of an Iconify JSON file as an SVG document.

    Args:
        icon_set: the parsed file: `icons`, and `width`/`height` for icons that give none.
        name: key in `icons`.
        ink: CSS colour for what is drawn in the colour of the surrounding text.
        raster_px: length of the document's longer side.

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
    scale = raster_px / max(width, height)
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


def cut_out(icon_set: dict[str, Any], name: str, ink: str, size_px: int) -> NDArray[np.uint8]:
    """One icon without paper, cut to what is drawn.

    Args:
        icon_set: a parsed Iconify JSON file.
        name: key in its `icons`.
        ink: CSS colour for one-ink icons.
        size_px: length of the longer side.

    Returns:
        uint8, shape (height, width, 4): red, green, blue (not multiplied by opacity), opacity.

    Raises:
        ToolkitError: no such icon, or nothing is drawn.
    """
    import numpy as np
    import resvg_py
    from PIL import Image

    svg = icon_svg(icon_set, name, ink, 2 * size_px)
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGBA")
    box = image.getchannel("A").point(lambda opacity: 255 if opacity > 8 else 0).getbbox()
    if box is None:
        raise ToolkitError(f"The drawing {name} is nothing but white paper.")
    image = image.crop(box)
    scale = size_px / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    # Made smaller with colours multiplied by opacity, or a dark seam would appear.
    image = image.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image.convert("RGBA"), dtype=np.uint8)


def silhouette(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What a drawing covers, its inside included where only the outline is drawn.

    Args:
        picture: shape (height, width, 4), see `cut_out`.

    Returns:
        shape (height, width).

    Example:
        >>> import numpy as np
        >>> ring = np.zeros((5, 5, 4), np.uint8)
        >>> ring[1:4, 1:4, 3] = 255
        >>> ring[2, 2, 3] = 0
        >>> int(silhouette(ring).sum())
        9
    """
    import numpy as np
    from scipy.ndimage import binary_fill_holes

    return np.asarray(binary_fill_holes(picture[..., 3] > 64), dtype=np.bool_)


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
