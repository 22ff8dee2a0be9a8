"""Between bytes and arrays: clips as Ogg/Opus, pictures as WebP; a few others are read.

Readers take bytes, so that a caller can verify a checksum on the very bytes that are decoded.
"""

from __future__ import annotations

import io
import math
import struct
from typing import TYPE_CHECKING, TypeVar

from stimuli.errors import ToolkitError, quoted
from stimuli.limits import SAMPLES, refuse_more
from stimuli.pixels import read_pixels
from stimuli.samples import read_samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixel = TypeVar("Pixel", bound=np.generic)

CLIP_SUFFIX = ".opus"
PICTURE_SUFFIX = ".webp"
OPUS_COMPRESSION = 0.97
"""libsndfile's scale from 0 (256 kbit/s) to 1 (6 kbit/s): .97 leaves words clean and small."""
WEBP_QUALITY = 82


def decode_clip(data: bytes, name: str, sample_rate_hz: int = 16_000) -> NDArray[np.float32]:
    """Read one mono clip.

    Args:
        data: content of an audio file.
        name: how to call it in an error message.
        sample_rate_hz: the rate it must have.

    Returns:
        float32, shape (n_samples,), within [-1, 1].

    Raises:
        ToolkitError: not audio, several channels, another rate, or one of the faults that
            `stimuli.samples` finds, such as samples that are not finite.

    Example:
        >>> import numpy as np
        >>> clip = decode_clip(encode_clip(np.zeros(1280, dtype="float32")), "silence")
        >>> clip.shape, clip.dtype
        ((1280,), dtype('float32'))
    """
    import numpy as np

    samples, rate = read_samples(data, name)
    if rate != sample_rate_hz:
        raise ToolkitError(
            f"{name} has the wrong sample rate.",
            given=f"{rate} Hz",
            allowed=f"{sample_rate_hz} Hz (sample_rate_hz in set.toml)",
            next_command=f"sox {quoted(name)} -r {sample_rate_hz} converted.wav",
        )
    if samples.shape[1] != 1:
        raise ToolkitError(
            f"{name} is not mono.", given=f"{samples.shape[1]} channels", allowed="1 channel"
        )
    clip: NDArray[np.float32] = np.clip(samples[:, 0], -1.0, 1.0)
    return clip


def convert_clip(data: bytes, name: str, sample_rate_hz: int = 16_000) -> NDArray[np.float32]:
    """Read one clip of any sample rate and number of channels as mono with the rate wanted.

    Channels are averaged; another rate is converted by polyphase filtering (SciPy's
    `resample_poly`). What has the rate already, and one channel, is read as it is.

    Args:
        data: content of an audio file.
        name: how to call it in an error message.
        sample_rate_hz: the rate wanted.

    Returns:
        float32, shape (n_samples,), within [-1, 1].

    Raises:
        ToolkitError: not audio, or one of the faults that `stimuli.samples` finds.

    Example:
        >>> import numpy as np
        >>> convert_clip(encode_wav(np.zeros(441, "f"), 44_100), "silence").shape
        (160,)
    """
    return as_mono(*read_samples(data, name), name, sample_rate_hz)


def as_mono(
    samples: NDArray[np.float32], rate: int, name: str, sample_rate_hz: int
) -> NDArray[np.float32]:
    """One channel at the rate wanted, of a file that has been read; see `convert_clip`.

    Args:
        samples: float32, shape (n_samples, n_channels).
        rate: theirs, in Hz.
        name: how to call the file in an error message.
        sample_rate_hz: the rate wanted.

    Raises:
        ToolkitError: there would be too many samples.
    """
    import numpy as np

    mono = samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
    if rate != sample_rate_hz:
        from scipy.signal import resample_poly

        refuse_more(
            f"samples in {name} at {sample_rate_hz} Hz", len(mono) * sample_rate_hz // rate, SAMPLES
        )
        step = math.gcd(rate, sample_rate_hz)
        mono = resample_poly(mono, sample_rate_hz // step, rate // step)
    clip: NDArray[np.float32] = np.clip(mono, -1.0, 1.0).astype(np.float32, copy=False)
    return clip


def encode_wav(samples: NDArray[np.float32], sample_rate_hz: int = 16_000) -> bytes:
    """WAV bytes of one mono clip, 16 bits a sample.

    Args:
        samples: float32, shape (n_samples,), within [-1, 1].
        sample_rate_hz: any.
    """
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def encode_clip(samples: NDArray[np.float32], sample_rate_hz: int = 16_000) -> bytes:
    """Ogg/Opus bytes of one mono clip, the same bytes for the same samples.

    Args:
        samples: float32, shape (n_samples,), within [-1, 1].
        sample_rate_hz: one of 8,000, 12,000, 16,000, 24,000, 48,000.

    Returns:
        The content of a `.opus` file; read back, it has exactly n_samples samples.

    Example:
        >>> import numpy as np
        >>> wave = np.sin(np.arange(640) / 5).astype("float32") / 2
        >>> encode_clip(wave) == encode_clip(wave)
        True
    """
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        samples,
        sample_rate_hz,
        format="OGG",
        subtype="OPUS",
        compression_level=OPUS_COMPRESSION,
    )
    return _fix_ogg_serial(buffer.getvalue())


def decode_picture(
    data: bytes, name: str, size_px: int | None = None, *, upright: bool = True
) -> NDArray[np.uint8]:
    """Read one picture, turned as its camera says; transparent parts become white.

    How modes and depths are read is told in `stimuli.pixels`.

    Args:
        data: content of a picture file.
        name: how to call it in an error message.
        size_px: the height and width it must have; None for any.
        upright: whether it is turned as its camera says; otherwise it is taken as it is stored.

    Returns:
        uint8, shape (height, width, 3), red, green, blue.

    Raises:
        ToolkitError: not a picture, cut short, of another size, or of samples without a range.

    Example:
        >>> import numpy as np
        >>> white = np.full((5, 7, 3), 255, dtype="uint8")
        >>> decode_picture(encode_picture(white), "white").shape
        (5, 7, 3)
    """
    picture = read_pixels(data, name, upright=upright)
    height, width = picture.shape[:2]
    if size_px is not None and (height, width) != (size_px, size_px):
        raise ToolkitError(
            f"{name} has the wrong size.",
            given=f"{width} x {height} pixels",
            allowed=f"{size_px} x {size_px} pixels (picture_size_px in set.toml)",
        )
    return picture


def decode_mask(data: bytes, name: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read one mask.

    Args:
        data: content of a picture file; any pixel of 128 and above belongs to the object.
        name: how to call it in an error message.
        shape: height and width of the picture that it belongs to.

    Returns:
        bool, of that shape.

    Raises:
        ToolkitError: not a picture, of another size, or empty.

    Example:
        >>> import numpy as np
        >>> half = np.zeros((2, 4, 3), dtype="uint8")
        >>> half[:, :2] = 255
        >>> decode_mask(encode_picture(half), "half", (2, 4)).tolist()
        [[True, True, False, False], [True, True, False, False]]
    """
    mask: NDArray[np.bool_] = decode_picture(data, name)[:, :, 0] >= 128
    if mask.shape != shape:
        raise ToolkitError(
            f"The mask {name} is not as large as its picture.",
            given=f"{mask.shape[1]} x {mask.shape[0]} pixels",
            allowed=f"{shape[1]} x {shape[0]} pixels",
        )
    if not mask.any():
        raise ToolkitError(f"The mask {name} is empty: its object is nowhere to be seen.")
    return mask


def central_square(pixels: NDArray[Pixel]) -> NDArray[Pixel]:
    """The middle of a picture or mask, as wide as it is high.

    Args:
        pixels: (height, width) or (height, width, channels).

    Returns:
        (side, side) or (side, side, channels), where side is the shorter of the two.

    Example:
        >>> import numpy as np
        >>> central_square(np.arange(8).reshape(2, 4)).tolist()
        [[1, 2], [5, 6]]
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def encode_picture(picture: NDArray[np.uint8]) -> bytes:
    """WebP bytes of one picture, the same bytes for the same pixels.

    Args:
        picture: uint8, shape (height, width, 3).

    Returns:
        The content of a `.webp` file.
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="WEBP", quality=WEBP_QUALITY, method=6, exact=True)
    return buffer.getvalue()


def _fix_ogg_serial(data: bytes) -> bytes:
    """Give every Ogg page the serial number 1 and a fresh page checksum.

    libsndfile draws the serial number at random, which would make every build differ. Page layout
    and checksum: RFC 3533, section 6.
    """
    pages = bytearray(data)
    start = 0
    while start < len(pages):
        n_segments = pages[start + 26]
        header_end = start + 27 + n_segments
        end = header_end + sum(pages[start + 27 : header_end])
        struct.pack_into("<I", pages, start + 14, 1)
        struct.pack_into("<I", pages, start + 22, 0)
        struct.pack_into("<I", pages, start + 22, _ogg_checksum(pages[start:end]))
        start = end
    return bytes(pages)


def _ogg_checksum(page: bytearray) -> int:
    """CRC-32 as Ogg has it: polynomial 0x04c11db7, no reflection, start and end value 0."""
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ _CRC_TABLE[(value >> 24) ^ byte]
    return value


def _crc_table() -> tuple[int, ...]:
    """The 256 remainders of one byte."""
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return tuple(table)


_CRC_TABLE = _crc_table()
