"""What may happen to any file: bits turned, ends cut off, parts doubled, numbers at extremes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from random import Random

Mutator = Callable[[bytes, Random], bytes]
"""From the content of a file to another that is damaged, or hostile."""

EXTREMES = (
    0,
    1,
    -1,
    127,
    128,
    255,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**63 - 1,
)
"""Numbers at which sizes and counts in headers go wrong."""
FORMATS = ("<B", "<H", ">H", "<I", ">I", "<Q", ">Q")


def flipped(data: bytes, rng: Random) -> bytes:
    """One to eight bits turned."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
    return bytes(made)


def cut(data: bytes, rng: Random) -> bytes:
    """The beginning alone."""
    return data[: rng.randrange(len(data))]


def headless(data: bytes, rng: Random) -> bytes:
    """The end alone."""
    return data[rng.randrange(len(data)) :]


def left_out(data: bytes, rng: Random) -> bytes:
    """Without some bytes in the middle."""
    start, stop = stretch(data, rng)
    return data[:start] + data[stop:]


def inserted(data: bytes, rng: Random) -> bytes:
    """Random bytes put in between."""
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.randbytes(rng.choice((1, 2, 7, 64))) + data[place:]


def repeated(data: bytes, rng: Random) -> bytes:
    """A part of it twice, or many times."""
    start, stop = stretch(data, rng)
    return data[:stop] + data[start:stop] * rng.choice((1, 2, 50)) + data[stop:]


def zeroed(data: bytes, rng: Random) -> bytes:
    """A part of it zero, or all ones."""
    start, stop = stretch(data, rng)
    return data[:start] + rng.choice((b"\0", b"\xff")) * (stop - start) + data[stop:]


def swapped(data: bytes, rng: Random) -> bytes:
    """Two neighbouring parts in the other order."""
    start, middle, stop = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:start] + data[middle:stop] + data[start:middle] + data[stop:]


def extreme(data: bytes, rng: Random) -> bytes:
    """A number at an extreme, most often in the header."""
    within = rng.choice((32, 64, 256, len(data)))
    return with_number(data, rng.randrange(min(within, len(data))), rng)


def with_number(data: bytes, place: int, rng: Random) -> bytes:
    """An extreme number at a place, in one of the usual forms."""
    form = rng.choice(FORMATS)
    size = struct.calcsize(form)
    number = rng.choice(EXTREMES) % 2 ** (8 * size)
    return data[:place] + struct.pack(form, number) + data[place + size :]


def stretch(data: bytes, rng: Random) -> tuple[int, int]:
    """Where a part begins and ends."""
    start = rng.randrange(len(data))
    return start, min(len(data), start + rng.choice((1, 4, 16, 200, 4_000)))


WAYS: Sequence[Mutator] = (
    flipped, flipped, cut, headless, left_out, inserted, repeated, zeroed, swapped, extreme,
    extreme,
)  # fmt: skip


def damaged(data: bytes, rng: Random) -> bytes:
    """Damaged in one of these ways, now and then in two."""
    for _ in range(rng.choice((1, 1, 1, 2))):
        data = rng.choice(WAYS)(data, rng) if data else rng.randbytes(rng.choice((0, 1, 16)))
    return data


def either(*ways: Mutator) -> Mutator:
    """One of several, by chance; what cannot be taken apart any more is damaged as any file."""

    def mutate(data: bytes, rng: Random) -> bytes:
        try:
            return rng.choice(ways)(data, rng)
        except Exception:
            return damaged(data, rng)

    return mutate
