"""A writer of uncompressed TIFF files that shares nothing with Pillow (TIFF 6.0)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

UNSIGNED, SIGNED, FLOAT = 1, 2, 3
"""Values of SampleFormat."""


def write(
    samples: NDArray[np.generic],
    depth: int,
    photometric: int,
    *,
    order: str = "<",
    extra: Sequence[int] = (),
    kind: int = UNSIGNED,
    palette: Sequence[int] = (),
    orientation: int = 1,
) -> bytes:
    """A TIFF file with one strip.

    Args:
        samples: (height, width, channels).
        depth: bits per sample.
        photometric: 0 white is zero, 1 black is zero, 2 colour, 3 palette, 5 CMYK, 8 CIELAB.
        order: `<` little-endian, `>` big-endian.
        extra: what the last channels are: 1 opacity that colours are multiplied by, 2 opacity.
        kind: SampleFormat.
        palette: all reds, all greens, all blues, of 16 bits.
        orientation: as in EXIF.
    """
    height, width, channels = samples.shape
    if depth < 8 or depth == 12:
        body = b"".join(_packed(line.ravel().tolist(), depth) for line in samples)
    else:
        letter = {UNSIGNED: "u", SIGNED: "i", FLOAT: "f"}[kind]
        body = samples.astype(f"{order}{letter}{depth // 8}").tobytes()
    tags: dict[int, tuple[str, Sequence[int]]] = {
        256: ("I", [width]), 257: ("I", [height]), 258: ("H", [depth] * channels),
        259: ("H", [1]), 262: ("H", [photometric]), 273: ("I", [0]), 274: ("H", [orientation]),
        277: ("H", [channels]), 278: ("I", [height]), 279: ("I", [len(body)]),
    }  # fmt: skip
    if palette:
        tags[320] = ("H", palette)
    if extra:
        tags[338] = ("H", extra)
    if kind != UNSIGNED:
        tags[339] = ("H", [kind] * channels)
    place = 8 + 2 + 12 * len(tags) + 4
    entries, beyond = b"", b""
    for tag, (letter, values) in sorted(tags.items()):
        if tag == 273:
            entries += struct.pack(
                f"{order}HHII", tag, 4, 1, 8 + 2 + 12 * len(tags) + 4 + _size(tags)
            )
            continue
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        entries += struct.pack(f"{order}HHI", tag, {"H": 3, "I": 4}[letter], len(values))
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", place + len(beyond))
            beyond += packed
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + beyond + body


def _size(tags: dict[int, tuple[str, Sequence[int]]]) -> int:
    """Bytes of values that do not fit into their entries."""
    sizes = (len(values) * {"H": 2, "I": 4}[letter] for letter, values in tags.values())
    return sum(size for size in sizes if size > 4)


def _packed(values: Sequence[int], depth: int) -> bytes:
    bits = "".join(f"{value:0{depth}b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))
