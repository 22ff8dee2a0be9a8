"""What may happen to pictures and sounds: parts with sizes of their own, checksums made to fit."""

from __future__ import annotations

import struct
import zlib
from random import Random

from stimuli.media import _ogg_checksum
from tests.fuzz.bytes import damaged, either, flipped, with_number

PNG = b"\x89PNG\r\n\x1a\n"


def _shuffled(parts: list[bytes], rng: Random) -> list[bytes]:
    """Parts of a file: one left out, doubled or put elsewhere."""
    number, way = rng.randrange(len(parts)), rng.randrange(3)
    part = parts[number]
    if way == 0:
        return parts[:number] + parts[number + 1 :]
    if way == 1:
        return parts[: number + 1] + [part] * rng.choice((1, 3)) + parts[number + 1 :]
    rest = parts[:number] + parts[number + 1 :]
    place = rng.randrange(len(rest) + 1)
    return [*rest[:place], part, *rest[place:]]


def changed_png(data: bytes, rng: Random) -> bytes:
    """Chunks changed, their checksums right; now and then pixels that unpack to very many."""
    assert data.startswith(PNG)
    chunks, place = [], 8
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + size]))
        place += 12 + size
    number = rng.randrange(len(chunks))
    kind, content = chunks[number]
    way = rng.randrange(6)
    if way == 0:
        header = bytearray(chunks[0][1])
        struct.pack_into(
            ">I", header, rng.choice((0, 4)), rng.choice((0, 1, 2**15, 2**20, 2**31 - 1))
        )
        chunks[0] = b"IHDR", bytes(header)
    elif way == 1:
        header = bytearray(chunks[0][1])
        header[rng.randrange(8, 13)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        chunks[0] = b"IHDR", bytes(header)
    elif way == 2:
        new = rng.choice((b"tRNS", b"PLTE", b"iCCP", b"zTXt", b"iTXt", b"eXIf", b"acTL", b"fdAT"))
        packed = zlib.compress(b"\0" * rng.choice((10, 10**7)))
        inside = rng.choice(
            (b"", b"\0" * 3, rng.randbytes(9), b"a\0\0" + packed, b"a\0\1\0\0\0" + packed)
        )
        chunks.insert(rng.randrange(1, len(chunks) + 1), (new, inside))
    elif way == 3:
        chunks[number] = b"IDAT", zlib.compress(b"\0" * rng.choice((0, 100, 10**7)))
    elif content:
        chunks[number] = kind, damaged(content, rng)
    made = [
        struct.pack(">I", len(inside))
        + name
        + inside
        + struct.pack(">I", zlib.crc32(name + inside))
        for name, inside in chunks
    ]
    return PNG + b"".join(_shuffled(made, rng) if way == 5 else made)


def changed_jpeg(data: bytes, rng: Random) -> bytes:
    """Segments changed or put elsewhere."""
    assert data.startswith(b"\xff\xd8")
    segments, place = [data[:2]], 2
    while place + 4 <= len(data) and data[place + 1] != 0xDA:
        size = 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        segments.append(data[place : place + size])
        place += size
    segments.append(data[place:])
    if rng.random() < 0.3:
        return b"".join(_shuffled(segments, rng))
    number = rng.randrange(1, len(segments))
    frames = [n for n, one in enumerate(segments) if one[:2] in (b"\xff\xc0", b"\xff\xc2")]
    if frames and rng.random() < 0.4:
        number = frames[0]
    segment = segments[number]
    segments[number] = segment[:2] + rng.choice((flipped, damaged))(segment[2:], rng)
    return b"".join(segments)


def changed_riff(data: bytes, rng: Random) -> bytes:
    """Chunks of WAV or WebP changed, the sizes of the rest right."""
    assert data[:4] == b"RIFF"
    chunks, place = [], 12
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        chunks.append(data[place : place + 8 + size + size % 2])
        place += 8 + size + size % 2
    way = rng.randrange(4)
    if way == 0:
        chunks = _shuffled(chunks, rng)
    elif way == 1:
        number = rng.randrange(len(chunks))
        chunks[number] = with_number(chunks[number], 4, rng)
    else:
        number = rng.randrange(len(chunks)) if way == 2 else 0
        head, inside = chunks[number][:8], chunks[number][8:]
        if inside:
            inside = with_number(inside, rng.randrange(len(inside)), rng)
        chunks[number] = head + inside
    body = data[8:12] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def changed_tiff(data: bytes, rng: Random) -> bytes:
    """Tags of a TIFF file with another type, count or value."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    (place,) = struct.unpack(f"{order}I", data[4:8])
    (n,) = struct.unpack(f"{order}H", data[place : place + 2])
    entry = place + 2 + 12 * rng.randrange(n)
    made = bytearray(data)
    number = rng.choice((0, 1, 2, 3, 8, 16, 32, 2**16 - 1, 2**31, 2**32 - 1, rng.randrange(2**32)))
    form, shift = rng.choice((("H", 0), ("H", 2), ("I", 4), ("I", 8), ("I", 8)))
    struct.pack_into(
        f"{order}{form}", made, entry + shift, number % 2 ** (8 * struct.calcsize(form))
    )
    return bytes(made)


def changed_ogg(data: bytes, rng: Random) -> bytes:
    """Pages of an Ogg file changed or put elsewhere, their checksums right."""
    assert data[:4] == b"OggS"
    pages, place = [], 0
    while place < len(data):
        n = data[place + 26]
        end = place + 27 + n + sum(data[place + 27 : place + 27 + n])
        pages.append(bytearray(data[place:end]))
        place = end
    if rng.random() < 0.2:
        return b"".join(_shuffled([bytes(page) for page in pages], rng))
    page = rng.choice(pages)
    start = rng.choice((5, 27))
    for _ in range(rng.choice((1, 1, 3))):
        page[rng.randrange(start, len(page))] = rng.choice((0, 255, rng.randrange(256)))
    page[22:26] = b"\0" * 4
    page[22:26] = struct.pack("<I", _ogg_checksum(page))
    return b"".join(pages)


def picture_mutator(data: bytes, rng: Random) -> bytes:
    """As the format of the picture allows."""
    own = {b"\x89P": changed_png, b"\xff\xd8": changed_jpeg, b"RI": changed_riff,
           b"II": changed_tiff, b"MM": changed_tiff}.get(data[:2], damaged)  # fmt: skip
    return either(own, own, damaged)(data, rng)


def sound_mutator(data: bytes, rng: Random) -> bytes:
    """As the format of the sound allows."""
    own = {b"RI": changed_riff, b"Og": changed_ogg}.get(data[:2], damaged)
    return either(own, own, damaged)(data, rng)
