"""The pixels of a picture file, by one rule for every format, mode and depth.

- **Depth**: samples of 1, 2 and 4 bits are spread over 0 to 255; of 16 bits the upper eight count,
  which gives back any 8-bit value v that was written as v * 256 or v * 257.
- **Colour**: grey is red = green = blue; palettes, CMYK (Adobe's inverted one, too), YCbCr and
  CIELAB are converted. Colour profiles and gamma are left alone.
- **Transparency**, whether it is a channel, a palette's or one transparent colour (compared in its
  full depth), lets white paper through: (colour * opacity + 255 * (255 - opacity)) / 255, rounded
  to the nearest whole number. Where a file holds colours that were multiplied by their opacity,
  the result may be one lower.
- Of several frames or pages the first counts, and a camera's orientation is obeyed.
- What has no known range (floats, signed or 32-bit whole numbers) is refused, never guessed.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from stimuli.errors import ToolkitError, quoted
from stimuli.limits import PIXELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats that are read, by the names that Pillow has for them; no other reader is ever begun."""
_SHOWN = "PNG, JPEG, WebP, GIF, BMP, TIFF"
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV",
         "LAB", *_SIXTEEN_BITS)  # fmt: skip
"""Pillow's names of what samples there may be; 32-bit ones and floats are none of them."""
_PNG_DEPTH = 24
"""Where a PNG file says how many bits a sample has."""
_WHITE_IS_ZERO, _UNSIGNED = 0, 1
"""Values of the TIFF tags PhotometricInterpretation and SampleFormat."""


def read_pixels(data: bytes, name: str, *, upright: bool = True) -> NDArray[np.uint8]:
    """Read one picture, turned as its camera says, on white.

    Args:
        data: content of a picture file.
        name: how to call it in an error message.
        upright: whether it is turned; otherwise it is taken as it is stored.

    Returns:
        uint8, shape (height, width, 3), red, green, blue.

    Raises:
        ToolkitError: not a picture, cut short, too large, or its samples have no known range.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("LA", (2, 1), (0, 51)).save(file, "PNG")
        >>> read_pixels(file.getvalue(), "a black square, one fifth opaque")[0, 0].tolist()
        [204, 204, 204]
    """
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _refuse(image, name)
            shown = _on_white(image, data)
            if upright:
                shown = ImageOps.exif_transpose(shown)
            return np.asarray(shown.convert("RGB"), dtype=np.uint8)
    except ToolkitError:
        raise
    except Exception as error:
        # Damaged bytes make the readers of Pillow raise whatever they happen to stumble over.
        told = f"{error}".rstrip(".") or type(error).__name__
        if "identify" in told:
            raise _refusal(name, "its format is another one, or damaged", _SHOWN) from error
        raise ToolkitError(f"{name} cannot be read as a picture: {told}.") from error


def _refuse(image: Any, name: str) -> None:
    """Refuse, before its pixels are read, what cannot be read rightly."""
    if image.width * image.height > PIXELS:
        size = f"it has {image.width} x {image.height} pixels"
        raise _refusal(name, size, f"at most {PIXELS:,} pixels", "-resize 2000x2000")
    # Pillow has no 16-bit mode for such pictures in its older versions.
    ranged = image.mode in MODES or (image.mode == "I" and image.format == "PNG")
    if not ranged or set(_tiff(image).get("SampleFormat", ())) - {_UNSIGNED}:
        what = f"its samples have no known range (Pillow's mode {image.mode})"
        raise _refusal(name, what, "unsigned samples of 1 to 16 bits")


def _refusal(name: str, reason: str, allowed: str, how: str = "-depth 8") -> ToolkitError:
    return ToolkitError(
        f"{name} cannot be read as a picture: {reason}.",
        allowed=allowed,
        next_command=f"convert it, for example: magick {quoted(name)} {how} picture.png",
    )


def _tiff(image: Any) -> dict[str, Any]:
    """What a TIFF file says about itself, by the names of the tags."""
    return dict(image.tag_v2.named()) if image.format == "TIFF" else {}


def _on_white(image: Any, data: bytes) -> Any:
    """An opaque image of an opened one, as it is stored."""
    import numpy as np
    from PIL import Image

    unseen = _unseen(image, data)
    shown = _eight_bits(image)
    if unseen is not None or shown.has_transparency_data:
        # Pillow knows no direct way from grey that is multiplied by its opacity.
        shown = (shown.convert("LA") if shown.mode == "La" else shown).convert("RGBA")
        if unseen is not None:
            shown.putalpha(Image.fromarray(np.where(unseen, 0, 255).astype(np.uint8)))
        ground = Image.new("RGBA", shown.size, (255, 255, 255, 255))
        ground.info = shown.info
        shown = Image.alpha_composite(ground, shown)
    return shown


def _eight_bits(image: Any) -> Any:
    """The image with 8 bits a sample."""
    import numpy as np
    from PIL import Image

    told = _tiff(image)
    image.load()
    if not image.mode.startswith("I"):
        return image
    samples = np.asarray(image) >> (told.get("BitsPerSample", (16,))[0] - 8)
    if told.get("PhotometricInterpretation") == _WHITE_IS_ZERO:
        samples = 255 - samples
    grey = Image.fromarray(samples.astype(np.uint8))
    grey.info = image.info
    return grey


def _unseen(image: Any, data: bytes) -> NDArray[np.bool_] | None:
    """Where nothing is drawn: around the first frame, and in the one transparent colour.

    Pillow compares that colour with samples that it spread over 8 bits, or cut down to them.
    """
    import numpy as np
    from PIL import Image

    if image.format == "GIF" and "transparency" not in image.info:
        left, top, right, bottom = image.tile[0][1]
        around = np.ones((image.height, image.width), dtype=np.bool_)
        around[top:bottom, left:right] = False
        return around if around.any() else None
    if image.mode not in ("1", "L", "RGB", "I", *_SIXTEEN_BITS):
        return None
    colour = image.info.pop("transparency", None)
    if colour is None:
        return None
    depth = data[_PNG_DEPTH] if image.format == "PNG" else 8
    samples = np.atleast_3d(np.asarray(image))
    if image.mode == "RGB" and depth == 16:
        opened: Any = Image.open(io.BytesIO(data), formats=FORMATS)
        with opened as lower:
            lower.tile = [(*lower.tile[0][:3], "RGB;16L")]
            samples = samples.astype(np.uint16) << 8 | np.asarray(lower)
    wanted = np.atleast_1d(colour) % 2**depth
    if depth < 8:
        wanted = wanted * 255 // (2**depth - 1)
    unseen: NDArray[np.bool_] = (samples == wanted).all(axis=2)
    return unseen
