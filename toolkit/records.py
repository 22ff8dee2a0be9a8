"""Results as JSON, and back: one way to write frozen records, one way to read them.

`write` and `read` are each other's inverse for dataclasses whose fields are texts, numbers, truth
values, literals, tuples, mappings from text, tables, other such dataclasses, or None. JSON has no
word for numbers that do not exist or have no end: NaN is written as null, infinity as "inf". What
is read is held against the types of the fields, so that whoever uses it finds what they promise.
Modules must therefore import the types of their records' fields, not for type checkers alone;
pandas is known without. A field that may be None holds no NaN, since both are null.
"""

from __future__ import annotations

import functools
import json
import math
import re
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import (
    Any,
    Literal,
    NoReturn,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from stimuli.characters import json_shown
from toolkit.errors import ToolkitError, nearest_name

T = TypeVar("T")
INFINITE = {math.inf: "inf", -math.inf: "-inf"}
"""How infinities are written."""
NUMBERS = {text: number for number, text in INFINITE.items()}
DERIVED = "derived"
"""Attribute of a dataclass that names properties which are written beside its fields, and must be
there when it is read."""
REST = "rest"
"""Attribute of a dataclass that names a mapping among its fields which is written as fields."""
LONGEST = 60
"""Characters of a value that an error shows."""


@dataclass(frozen=True)
class Source:
    """Where JSON comes from, for messages."""

    name: str
    """The file, or what else holds it."""
    again: str | None = None
    """The command that makes it again."""


def plain(value: Any) -> Any:
    """Records, tables and numbers as what JSON knows: dictionaries, lists, texts, null.

    Args:
        value: dataclasses, mappings, sequences, data frames (as lists of rows), numpy values.

    Example:
        >>> plain({"a": float("nan"), "b": (1, np.float64(0.5)), "df": math.inf})
        {'a': None, 'b': [1, 0.5], 'df': 'inf'}
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else INFINITE.get(value, float(value))
    if isinstance(value, np.generic):
        return plain(value.item())
    if is_dataclass(value) and not isinstance(value, type):
        return _written(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if hasattr(value, "to_dict"):
        return plain(value.to_dict("records"))
    raise TypeError(f"JSON cannot hold {value!r}.")


def _written(record: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    rest = getattr(record, REST, None)
    for name in (*(field.name for field in fields(record)), *getattr(record, DERIVED, ())):
        value = plain(getattr(record, name))
        made |= value if name == rest else {name: value}
    return made


def write(value: Any) -> str:
    """A record as JSON text, which ends with a line break.

    Example:
        >>> write(Source("statistics.json")).split()
        ['{', '"name":', '"statistics.json",', '"again":', 'null', '}']
    """
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    return json_shown(text) + "\n"


def read(kind: type[T], text: str, source: Source) -> T:
    """A record from JSON text that `write` wrote.

    Args:
        kind: its class.
        text: the text.
        source: where the text comes from.

    Raises:
        ToolkitError: the text is no JSON, or something in it is lacking, unknown or of another
            type; names the place.

    Example:
        >>> read(Source, '{"name": "a.json", "again": null}', Source("b.json"))
        Source(name='a.json', again=None)
        >>> read(Source, '{"name": 1}', Source("b.json", "mevgs-toolkit analyze RUN"))
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: b.json cannot be read: name is of the wrong type.
          given: 1
          allowed: text
          try: mevgs-toolkit analyze RUN
    """
    return typed(kind, parse(text, source), source)


def parse(text: str, source: Source) -> Any:
    """What JSON text holds, as Python's plain values.

    Raises:
        ToolkitError: if it is no JSON, or spells halves of characters, which no file can hold.
    """
    try:
        found = json.loads(text, parse_constant=_no_constant)
        if _HALF.search(text):
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except (ValueError, RecursionError) as error:
        raise ToolkitError(
            f"{source.name} cannot be read: it is no JSON ({error}).", next_command=source.again
        ) from error


_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")


def typed(kind: type[T], content: Any, source: Source, place: str = "") -> T:
    """A record from plain values, as `parse` gives them.

    Args:
        kind: its class.
        content: the values.
        source: where they come from.
        place: where in the source they stand, such as ``me``.

    Raises:
        ToolkitError: as `read`.
    """
    try:
        return cast(T, _typed(kind, content, place))
    except _MisfitError as misfit:
        raise ToolkitError(
            f"{source.name} cannot be read: {misfit.place or 'its content'} {misfit.fault}.",
            given=misfit.given,
            allowed=misfit.allowed,
            nearest=misfit.nearest,
            next_command=source.again,
        ) from None


class _MisfitError(Exception):
    """A value that is not what its place asks for."""

    def __init__(
        self, place: str, fault: str, given: str, allowed: str, nearest: str | None = None
    ) -> None:
        super().__init__(place)
        self.place, self.fault, self.given = place, fault, given
        self.allowed, self.nearest = allowed, nearest


def _wrong(place: str, value: Any, allowed: str) -> _MisfitError:
    shown = json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."
    return _MisfitError(place, "is of the wrong type", shown, allowed)


def _typed(kind: Any, value: Any, place: str) -> Any:
    """A value as a type asks for it."""
    origin = get_origin(kind)
    if kind in (Any, object):
        return value
    if kind in NAMES:
        if type(value) is not kind:
            raise _wrong(place, value, NAMES[kind])
        return value
    if kind is float:
        return _number(value, place)
    if is_dataclass(kind):
        return _record(kind, value, place)
    if origin in BY_ORIGIN:
        return BY_ORIGIN[origin](get_args(kind), value, place)
    if kind is _frames():
        return _table(value, place)
    raise TypeError(f"{place}: JSON is not read as {kind!r}.")


NAMES = {str: "text", int: "a whole number", bool: "true or false", type(None): "null"}
"""What plain types are called."""


def _number(value: Any, place: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, str) and value in NUMBERS:
        return NUMBERS[value]
    if not isinstance(value, bool) and isinstance(value, (int, float)):
        with suppress(OverflowError):  # whole numbers of JSON have no largest one
            return float(value)
    raise _wrong(place, value, 'a number, null for none, "inf" or "-inf"')


def _one_of(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    """A value of one of several types; null is None where that is one of them."""
    if value is None and type(None) in kinds:
        return None
    others = [kind for kind in kinds if kind is not type(None)]
    misfits = []
    for kind in others:
        try:
            return _typed(kind, value, place)
        except _MisfitError as misfit:
            misfits.append(misfit)
    inner = [misfit for misfit in misfits if misfit.place != place]
    if inner or len(misfits) == 1:
        raise (inner or misfits)[0]
    raise _wrong(place, value, " or ".join(misfit.allowed for misfit in misfits))


def _literal(allowed: tuple[Any, ...], value: Any, place: str) -> Any:
    if any(value == one and type(value) is type(one) for one in allowed):
        return value
    misfit = _wrong(place, value, ", ".join(json.dumps(one) for one in allowed))
    misfit.fault = "is none of the values that there are"
    if isinstance(value, str):
        misfit.nearest = nearest_name(value, [one for one in allowed if isinstance(one, str)])
    raise misfit


def _tuple(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(place, value, "a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _wrong(place, value, f"a list of {len(kinds)}")
    return tuple(
        _typed(kind, item, f"{place}[{number}]")
        for number, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _mapping(kinds: tuple[Any, ...], value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(place, value, "an object")
    return {key: _typed(kinds[1], item, _within(place, key)) for key, item in value.items()}


BY_ORIGIN: dict[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    Union: _one_of,
    types.UnionType: _one_of,
    Literal: _literal,
    tuple: _tuple,
    dict: _mapping,
    Mapping: _mapping,
}
"""How values of types with arguments are read."""


def _table(value: Any, place: str) -> Any:
    """A data frame from its rows; null and infinities only where a column holds numbers."""
    rows = _tuple((dict[str, Any], ...), value, place)
    for number, row in enumerate(rows):
        if set(row) != set(rows[0]):
            odd = sorted(set(row) ^ set(rows[0]))
            allowed = f"the columns {', '.join(rows[0])}"
            raise _MisfitError(f"{place}[{number}]", "has other columns", ", ".join(odd), allowed)
    table = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    return _frames()({name: _column(values) for name, values in table.items()})


def _column(values: list[Any]) -> list[Any]:
    """Values of a column: floats where they are numbers and something is no number."""
    known = [value for value in values if value is not None and value not in NUMBERS]
    real = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)
    if len(known) == len(values) or not real or not (known or None in values):
        return values
    return [_number(value, "") for value in values]


def _record(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(place, value, f"an object ({kind.__name__})")
    asked, needed = _fields(kind)
    derived, rest = getattr(kind, DERIVED, ()), getattr(kind, REST, None)
    if rest:
        further = {name: item for name, item in value.items() if name not in asked}
        value = {name: item for name, item in value.items() if name in asked} | {rest: further}
    for name in value:
        if name not in asked and name not in derived:
            raise _MisfitError(
                _within(place, name), "is not known", name, ", ".join(asked),
                nearest_name(name, list(asked)),
            )  # fmt: skip
    for name in (*needed, *derived):
        if name not in value:
            given = ", ".join(value) or "nothing"
            raise _MisfitError(_within(place, name), "is lacking", given, ", ".join(asked))
    found = {name: value[name] for name in asked if name in value}
    return kind(**{k: _typed(asked[k], item, _within(place, k)) for k, item in found.items()})


@functools.cache
def _fields(kind: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The types of a dataclass's fields by name, and the names of those without a default."""
    # Modules import pandas for their annotations alone; this is where these are read.
    hints = get_type_hints(kind, localns={"pd": _pandas()})
    own = [field for field in fields(kind) if field.init]
    needed = (f.name for f in own if f.default is MISSING and f.default_factory is MISSING)
    return {field.name: hints[field.name] for field in own}, tuple(needed)


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _pandas() -> Any:
    import pandas as pd

    return pd


def _frames() -> Any:
    return _pandas().DataFrame
