"""A PNG writer and reader that share nothing with Pillow (PNG specification, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel by colour type: grey, colour, palette, grey and opacity, colour and opacity."""
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bits per sample by colour type."""
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip
"""Adam7: first column, first row, step over columns and over rows."""
Samples = NDArray[np.int64]
"""(height, width, channels)."""


def write(
    samples: Samples,
    colour: int,
    depth: int,
    chunks: Sequence[tuple[bytes, bytes]] = (),
    *,
    interlaced: bool = False,
) -> bytes:
    """A PNG file; its lines use all five filters in turn.

    Args:
        samples: (height, width, channels), each below 2 ** depth.
        colour: colour type.
        depth: bits per sample.
        chunks: further chunks that belong before the pixels, such as PLTE and tRNS.
        interlaced: whether to write seven passes.
    """
    height, width = samples.shape[:2]
    body, step = b"", max(1, samples.shape[2] * depth // 8)
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        part = samples[top::down, left::across]
        before = b""
        for number, line in enumerate(part if part.size else ()):
            row = _packed(line.ravel().tolist(), depth)
            kind = number % 5
            body += bytes([kind]) + bytes(
                (value - _guess(kind, row, before, place, step)) % 256
                for place, value in enumerate(row)
            )
            before = row
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )


def read(data: bytes) -> Samples:
    """The pixels of a PNG file as the toolkit promises them, (height, width, 3)."""
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(data):
        (size,) = struct.unpack_from(">I", data, place)
        name, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        chunks[name] = chunks.get(name, b"") + content
        place += 12 + size
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    body, step = zlib.decompress(chunks[b"IDAT"]), max(1, CHANNELS[colour] * depth // 8)
    samples = np.zeros((height, width, CHANNELS[colour]), np.int64)
    place = 0
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        part = samples[top::down, left::across]
        before = b""
        for line in part if part.size else ():
            n_bytes = (line.size * depth + 7) // 8
            kind, row = body[place], bytearray()
            for value in body[place + 1 : place + 1 + n_bytes]:
                row.append((value + _guess(kind, row, before, len(row), step)) % 256)
            line[...] = np.reshape(_unpacked(row, depth, line.size), line.shape)
            before, place = bytes(row), place + 1 + n_bytes
    return _on_white(samples, colour, depth, chunks)


def _on_white(samples: Samples, colour: int, depth: int, chunks: dict[bytes, bytes]) -> Samples:
    """8-bit colours, on white, turned."""
    clear = chunks.get(b"tRNS")
    opacity = np.full(samples.shape[:2], 255, np.int64)
    if colour == 3:
        palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3).astype(np.int64)
        alphas = np.full(len(palette), 255, np.int64)
        alphas[: len(clear or b"")] = list(clear or b"")
        colours, opacity = palette[samples[..., 0]], alphas[samples[..., 0]]
    else:
        eight = samples >> 8 if depth == 16 else samples * 255 // (2**depth - 1)
        colours = np.repeat(eight[..., :1], 3, axis=2) if colour in (0, 4) else eight[..., :3]
        if colour in (4, 6):
            opacity = eight[..., -1]
        elif clear is not None:
            key = [value % 2**depth for value in struct.unpack(f">{len(clear) // 2}H", clear)]
            opacity = np.where((samples == key).all(axis=2), 0, 255)
    twice = 2 * (colours * opacity[..., None] + 255 * (255 - opacity[..., None]))
    shown = (twice + 255) // 510
    return turned(shown, chunks[b"eXIf"][19] if b"eXIf" in chunks else 1)


def turned(shown: Samples, orientation: int) -> Samples:
    """What is seen of a stored picture: EXIF says where its first row and first column belong."""
    height, width = shown.shape[:2]
    if orientation >= 5:
        height, width = width, height
    out = np.zeros((height, width, 3), np.int64)
    for row, column in np.ndindex(height, width):
        up, back, left, right = row, height - 1 - row, column, width - 1 - column
        out[row, column] = shown[
            {1: (up, left), 2: (up, right), 3: (back, right), 4: (back, left),
             5: (left, up), 6: (right, up), 7: (right, back), 8: (left, back)}[orientation]
        ]  # fmt: skip
    return out


def orientation_chunk(orientation: int) -> tuple[bytes, bytes]:
    """An eXIf chunk with the orientation alone."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"eXIf", b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def _guess(kind: int, row: bytes | bytearray, before: bytes, place: int, step: int) -> int:
    """What a filter expects a byte to be."""
    left = row[place - step] if place >= step else 0
    up = before[place] if before else 0
    corner = before[place - step] if before and place >= step else 0
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda known: abs(guess - known))
    return (0, left, up, (left + up) // 2)[kind]


def _packed(values: Sequence[int], depth: int) -> bytes:
    bits = "".join(f"{value:0{depth}b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))


def _unpacked(row: bytes | bytearray, depth: int, n_values: int) -> list[int]:
    bits = "".join(f"{byte:08b}" for byte in row)
    return [int(bits[place * depth :][:depth], 2) for place in range(n_values)]
