"""What may happen to JSON, TOML and CSV: sound in form, wrong in what they hold."""

from __future__ import annotations

import csv
import io
import json
import re
from random import Random
from typing import Any

from tests.fuzz.bytes import damaged, either

TEXTS = (
    "", " ", "a", "a" * 100_000, "\x1b[31m", "\u202edog", "\ud800", "\0", "a\nb",
    "../../etc/passwd",
    "/etc/passwd", "nan", "inf", "=1+1", "1e999", "no", "None", "é" * 300, "\u2028", "C:\\x", "a/b",
    ".", "..", "me", "choices", "maps",
)  # fmt: skip
VALUES = (
    None, True, False, 0, 1, -1, 2, 255, 2**31, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), [], {}, [[]], [None], {"": None}, ["a", 1], {"a": {"b": []}},
)  # fmt: skip


def odd(rng: Random) -> Any:
    """A value that nobody expects."""
    return rng.choice(TEXTS if rng.random() < 0.4 else VALUES)


def changed_json(data: bytes, rng: Random) -> bytes:
    """JSON with other values, keys or nesting."""
    content = json.loads(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        content = edited(content, rng)
    text = json.dumps(content, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 2)))
    return text.encode(errors="surrogatepass")


def edited(content: Any, rng: Random) -> Any:
    """One value somewhere in nested lists and dictionaries changed."""
    places = list(_places(content))
    if not places:
        return odd(rng)
    holder, key = rng.choice(places)
    value, way = holder[key], rng.randrange(8)
    if way == 0:
        del holder[key]
    elif way == 1:
        holder[key] = rng.choice(([value], {"a": value}, [value] * 3, str(value)))
    elif way == 2 and isinstance(holder, dict):
        holder[rng.choice((str(odd(rng)), key.upper(), f"{key}s"))] = holder.pop(key)
    elif way == 3:
        other, place = rng.choice(places)
        if isinstance(other, dict) or place < len(other):
            holder[key] = json.loads(json.dumps(other[place]))
    elif way == 4 and isinstance(value, (int, float)):
        holder[key] = rng.choice((-value, value + 1, value * 10, value / 3, float(value)))
    elif way == 5 and isinstance(value, str):
        holder[key] = damaged(value.encode() or b"a", rng).decode(errors="replace")
    elif way == 6 and isinstance(holder, list):
        holder.insert(key, odd(rng))
    else:
        holder[key] = odd(rng)
    return content


def _places(content: Any) -> Any:
    """Every holder and key or number in it."""
    keys = list(content) if isinstance(content, dict) else range(len(content))
    for key in keys:
        yield content, key
        if isinstance(content[key], (dict, list)):
            yield from _places(content[key])


def retyped_json(data: bytes, rng: Random) -> bytes:
    """JSON whose text is changed: keys that are there twice, numbers and nesting without end."""
    text = data.decode()
    found = list(re.finditer(r'("[^"]*"):|-?\d[\d.e+-]*|"[^"]*"|true|false|null', text))
    one = rng.choice(found)
    put = rng.choice(
        (
            "NaN", "-Infinity", "9" * 5_000, "1e999", "-", "1" + "0" * 400, '"\\ud800"',
            '"\\u0000"',
            "[" * 100_000, "[" * 900 + "]" * 900, '{"a":' * 50_000, "'a'", "", "0x10", "01",
        )
    )  # fmt: skip
    if one[1]:
        put = f"{one[1]}: {json.dumps(rng.choice(VALUES[:12]))}, {one[0]}"
    return (text[: one.start()] + put + text[one.end() :]).encode()


json_mutator = either(changed_json, changed_json, changed_json, retyped_json, damaged)

TOML_VALUES = (
    "nan", "inf", "-1", "0", "2147483648", "9" * 5_000, "0x7fffffffffffffffffff", "1e999", "true",
    '""', '" "', '"a/b"', '".."', '"\\u0000"', '"\\u202e"', '"\\u001b"', '"""a\nb"""', "[]", "{}",
    "[[]]", '["a", "a"]', '["a", 1]', "[" * 2_000, "{a = 1}", "1979-05-27T07:32:00Z", "07:32:00",
    '"' + "a" * 100_000 + '"', '["en", "nl", "en"]', "[1, 2]", "0.5", "'x'", "1_000", '["a" ',
)  # fmt: skip


def changed_toml(data: bytes, rng: Random) -> bytes:
    """TOML with other values, or lines left out, doubled or in another order."""
    lines = data.decode().split("\n")
    for _ in range(rng.choice((1, 1, 2))):
        number = rng.randrange(len(lines))
        key, equals, value = lines[number].partition("=")
        way = rng.randrange(7)
        if way == 0:
            del lines[number]
        elif way == 1:
            lines.insert(rng.randrange(len(lines) + 1), lines[number])
        elif way == 2:
            rng.shuffle(lines)
        elif way == 3:
            lines.insert(number, rng.choice(("[a]", "[[a]]", "a.b = 1", "[sha256]", "\x7f", "= 1")))
        elif way == 4 and equals:
            new = rng.choice((key.upper(), f"{key.strip()}.a", '"\\u202e"', "''", "seeds", "name"))
            lines[number] = f"{new} ={value}"
        elif equals:
            lines[number] = f"{key}= {rng.choice(TOML_VALUES)}"
        lines = lines or [""]
    return rng.choice(("\n", "\n", "\r\n", "\r")).join(lines).encode()


toml_mutator = either(changed_toml, changed_toml, changed_toml, damaged)


def changed_csv(data: bytes, rng: Random) -> bytes:
    """A table with other columns, rows, cells, separators or encoding."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change_rows(rows, rng)
    text = io.StringIO()
    separator = rng.choice((",",) * 9 + (";", "\t", "|"))
    ending = rng.choice(("\n",) * 6 + ("\r\n", "\r", "\n\n"))
    csv.writer(text, delimiter=separator, lineterminator=ending).writerows(rows)
    content = text.getvalue()
    if rng.random() < 0.1:
        place = rng.randrange(len(content) + 1)
        put = rng.choice(('"', '""', "\0", "'", "\ufeff", "\x85", "\x0c", separator, "\r", "#"))
        content = content[:place] + put + content[place:]
    encoding = rng.choice(
        ("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp037")
    )
    return content.encode(encoding, errors="replace")


def _change_rows(rows: list[list[str]], rng: Random) -> None:  # noqa: C901
    way, number = rng.randrange(9), rng.randrange(len(rows)) if rows else 0
    if not rows or not rows[number]:
        rows.append([str(odd(rng))[:200] for _ in range(3)])
        return
    column = rng.randrange(len(rows[number]))
    if way == 0:
        for row in rows:
            del row[column : column + 1]
    elif way == 1:
        for row in rows:
            row.insert(rng.randrange(len(row) + 1) if row is rows[-1] else column,
                       row[column] if column < len(row) else "")  # fmt: skip
    elif way == 2:
        rows[0][column % len(rows[0])] = rng.choice((str(odd(rng)), rows[0][0], f"{rows[0][0]} "))
    elif way == 3:
        rows.insert(rng.randrange(len(rows) + 1), list(rows[number]))
    elif way == 4:
        del rows[number : number + rng.choice((1, len(rows)))]
    elif way == 5:
        del rows[number][column]
    elif way == 6:
        order = list(range(len(rows[0])))
        rng.shuffle(order)
        rows[:] = [[row[n] for n in order if n < len(row)] for row in rows]
    else:
        rows[number][column] = str(odd(rng))


csv_mutator = either(changed_csv, changed_csv, changed_csv, damaged)


def changed_lines(data: bytes, rng: Random) -> bytes:
    """A list of words with other lines."""
    lines = data.decode().split("\n")
    lines[rng.randrange(len(lines))] = str(odd(rng))
    return "\n".join(lines).encode(errors="surrogatepass")


lines_mutator = either(changed_lines, damaged)
