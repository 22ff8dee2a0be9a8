"""Schemas of files: frozen dataclasses that say what a file holds, and what is held against them.

The class of a record is the schema of its file, for whoever reads it and whoever writes it. The
types of its fields say what is allowed; ``Annotated`` says it more closely::

    @dataclass(frozen=True)
    class Head:
        channels: Annotated[int, Between(1, WIDTH)]
        activation: Literal["gelu", "relu"] = "gelu"

`checked` makes a record from plain values, as JSON and TOML give them. The work is done by the core
of pydantic: no number is taken for a truth value and no text for a number, no key is unknown, and
all that has no default is there. Whatever does not fit becomes one `ToolkitError`, which names the
file, the place in it (of TOML also the line), what was given, what is allowed and the nearest name.

Fields are texts, numbers, truth values, literals, tuples, mappings from text, tables, other such
dataclasses, or None. A plain ``float`` is a number of a result, which need not exist or end: null
stands for NaN, "inf" for what has no end. One that is `Between` bounds is a finite number. A field
whose name is a word of Python's has an underscore behind it, which files lack. Modules must import
the types of their records' fields, not for type checkers alone; pandas is known without.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from typing import Any, Literal, LiteralString, TypeVar, cast, get_args, get_origin

from pydantic_core import (
    CoreSchema,
    PydanticCustomError,
    SchemaValidator,
    ValidationError,
    core_schema,
)

from stimuli.errors import ToolkitError
from stimuli.faults import Fault, Source, choice_name, faults_of, refusal
from stimuli.fields import (
    DERIVED,
    REST,
    Between,
    OneOf,
    Rule,
    Table,
    fields_of,
    is_choice,
    is_record,
    is_table,
    needed_of,
    spelt,
    without_rules,
)
from stimuli.limits import WHOLE

__all__ = ["DERIVED", "NUMBERS", "REST", "Between", "OneOf", "Rule", "Source", "checked"]

T = TypeVar("T")
Known = dict[str, CoreSchema]
"""Schemas of records by name."""
NUMBERS = {"inf": math.inf, "-inf": -math.inf}
"""How results write infinities."""


def checked(kind: type[T], content: Any, source: Source, place: str = "") -> T:
    """A record from plain values.

    Args:
        kind: its class, or another type that a field may have.
        content: the values, as JSON or TOML gives them.
        source: where they come from.
        place: where in the source they stand, such as ``me``.

    Raises:
        ToolkitError: something is lacking, not known, of another type or not allowed; every such
            place is named, with what was given and what is allowed.

    Example:
        >>> checked(Between, {"lowest": 1}, Source("b.json"))
        Between(lowest=1.0, highest=None, below=False)
        >>> checked(Between, {"lowst": 1, "below": 0}, Source("b.json"))
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: b.json cannot be read: it has 2 faults:
          - below is of the wrong type; given: 0; allowed: true or false
          - lowst is not known; given: lowst; did you mean: lowest; allowed: lowest, highest, below
    """
    try:
        return cast(T, _validator(cast(Hashable, kind)).validate_python(content))
    except ValidationError as error:
        told = error.errors(include_url=False)
    raise refusal(kind, told, source, place)


def faults_in(kind: Any, content: Any, source: Source, place: str = "") -> list[Fault]:
    """What of some content does not fit, for whoever has further faults to tell with these.

    Args:
        kind: as for `checked`, and so are all others.
        content: the values.
        source: where they come from.
        place: where in the source they stand.

    Example:
        >>> [fault.sentence for fault in faults_in(Between, {"lowst": 1}, Source("b.json"))]
        ['lowst is not known']
    """
    try:
        _validator(cast(Hashable, kind)).validate_python(content)
    except ValidationError as error:
        return faults_of(kind, error.errors(include_url=False), source, place)
    return []


def check_fields(record: Any, what: str) -> None:
    """Hold the fields of a record that was made in code against its class.

    Args:
        record: a dataclass, which calls this when it is made.
        what: what it is called in messages, such as ``A network``.

    Raises:
        ToolkitError: a field is of another type, or its value is not allowed.

    Example:
        >>> check_fields(Source(1), "A source")
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: A source cannot be made: name is of the wrong type.
          given: 1
          allowed: text
    """
    values = {spelt(field.name): getattr(record, field.name) for field in fields(record)}
    try:
        _field_validator(cast(Hashable, type(record))).validate_python(values)
    except ValidationError as error:
        told = error.errors(include_url=False)
    else:
        return
    raise refusal(type(record), told, Source(what, fails="cannot be made"), "")


@functools.cache
def _validator(kind: Hashable) -> SchemaValidator:
    """What holds content against a type; made once."""
    known: Known = {}
    schema = _schema(kind, known)
    return SchemaValidator(core_schema.definitions_schema(schema, list(known.values())))


@functools.cache
def _field_validator(kind: Hashable) -> SchemaValidator:
    """What holds the fields of a record against its class, without making another."""
    known: Known = {}
    schema = _fields(kind, known)
    return SchemaValidator(core_schema.definitions_schema(schema, list(known.values())))


def _schema(kind: Any, known: Known) -> CoreSchema:
    """A type in the words of pydantic's core; records on the way are added to those known."""
    kind, rules = without_rules(kind)
    schema = None
    for rule in rules:
        if isinstance(rule, Between):
            schema = _bounded(kind, rule)
    schema = schema or _unbounded(kind, known)
    for rule in rules:
        if isinstance(rule, OneOf):
            held = _held(rule.names.__contains__, "literal_error")
            schema = core_schema.no_info_after_validator_function(held, schema)
        elif isinstance(rule, Rule) and rule.holds is not None:
            held = _held(rule.holds, "rule")
            schema = core_schema.no_info_after_validator_function(held, schema)
    return schema


def _bounded(kind: Any, bounds: Between) -> CoreSchema:
    """A number in a range."""
    highest = {"lt" if bounds.below else "le": bounds.highest}
    if kind is int:
        whole: Any = {"le": WHOLE, **highest} if bounds.highest is not None else {"le": WHOLE}
        return core_schema.int_schema(strict=True, ge=int(bounds.lowest), **whole)
    limits: Any = highest if bounds.highest is not None else {}
    return core_schema.float_schema(strict=True, allow_inf_nan=False, ge=bounds.lowest, **limits)


def _unbounded(kind: Any, known: Known) -> CoreSchema:
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if is_record(kind):
        return _record(kind, known)
    if is_choice(kind):
        return _choice(inner, known)
    if origin is Literal:
        return core_schema.literal_schema(list(inner))
    if origin is tuple:
        some = inner[-1] is Ellipsis
        items = [_schema(one, known) for one in (inner[:1] if some else inner)]
        return core_schema.tuple_schema(items, variadic_item_index=0 if some else None)
    if origin in (dict, Mapping):
        keys, values = (_schema(one, known) for one in inner)
        return core_schema.dict_schema(keys, values, strict=True)
    if is_table(kind):
        rows = _schema(Table.ROWS, known)
        return core_schema.no_info_after_validator_function(_table, rows)
    raise TypeError(f"Content is not read as {kind!r}.")


def _choice(kinds: tuple[Any, ...], known: Known) -> CoreSchema:
    """One of several types, the first that fits; null is None where that is one of them."""
    others = [
        (_schema(kind, known), choice_name(number))
        for number, kind in enumerate(kinds)
        if kind is not type(None)
    ]
    schema = others[0][0]
    if len(others) > 1:
        schema = core_schema.union_schema(list(others), mode="left_to_right")
    return core_schema.nullable_schema(schema) if len(others) < len(kinds) else schema


def _record(kind: Any, known: Known) -> CoreSchema:
    """A dataclass: an object with its fields, and with those of the mapping that holds the rest."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name not in known:
        known[name] = core_schema.any_schema()  # a record may hold others of its class
        known[name] = core_schema.no_info_after_validator_function(
            _maker(kind), _fields(kind, known), ref=name
        )
    return core_schema.definition_reference_schema(name)


def _fields(kind: Any, known: Known) -> CoreSchema:
    """The object that a dataclass is written as."""
    types, needed, rest = fields_of(kind), needed_of(kind), getattr(kind, REST, None)
    derived = dict.fromkeys(getattr(kind, DERIVED, ()), Any)
    given = {
        name: core_schema.typed_dict_field(_schema(one, known), required=name in needed)
        for name, one in {**types, **derived}.items()
        if name != rest
    }
    # Whatever is in no field belongs to the rest.
    further = _schema(get_args(types[rest])[1], known) if rest else None
    return core_schema.typed_dict_schema(
        given, strict=True, extra_behavior="allow" if rest else "forbid", extras_schema=further
    )


def _maker(kind: Any) -> Callable[[dict[str, Any]], Any]:
    """What makes a record from checked values."""
    names, rest = frozenset(fields_of(kind)), getattr(kind, REST, None)
    derived = frozenset(getattr(kind, DERIVED, ()))
    attributes = {spelt(field.name): field.name for field in fields(kind)}

    def made(values: dict[str, Any]) -> Any:
        if rest:
            own = names - {rest}
            further = {name: value for name, value in values.items() if name not in own | derived}
            values = {name: values[name] for name in own if name in values} | {rest: further}
        elif derived:
            values = {name: value for name, value in values.items() if name in names}
        try:
            return kind(**{attributes.get(name, name): value for name, value in values.items()})
        except ToolkitError as error:
            raise PydanticCustomError("record", "no record", {"refused": error}) from error

    return made


def _held(holds: Callable[[Any], bool], fault: LiteralString) -> Callable[[Any], Any]:
    """What refuses values that a rule does not hold for."""

    def held(value: Any) -> Any:
        if not holds(value):
            raise PydanticCustomError(fault, "not allowed")
        return value

    return held


def _no_number(value: Any) -> float:
    """How results write what is no finite number."""
    if value is None:
        return math.nan
    if isinstance(value, str) and value in NUMBERS:
        return NUMBERS[value]
    raise PydanticCustomError("number", "no number")


_PLAIN: dict[Any, CoreSchema] = {
    Any: core_schema.any_schema(),
    object: core_schema.any_schema(),
    type(None): core_schema.none_schema(),
    str: core_schema.str_schema(strict=True),
    bool: core_schema.bool_schema(strict=True),
    int: core_schema.int_schema(strict=True, ge=-WHOLE, le=WHOLE),
    float: core_schema.union_schema(
        [
            core_schema.float_schema(strict=True, allow_inf_nan=False),
            core_schema.no_info_plain_validator_function(_no_number),
        ],
        mode="left_to_right",
        custom_error_type="number",
        custom_error_message="no number",
    ),
}
"""Types that hold nothing further."""


def _table(rows: tuple[dict[str, Any], ...]) -> Any:
    """A data frame from its rows; null and infinities only where a column holds numbers."""
    import pandas as pd

    for number, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            odd, columns = ", ".join(sorted(row.keys() ^ rows[0].keys())), ", ".join(rows[0])
            told = ("has other columns", odd, f"the columns {columns}")
            raise PydanticCustomError("table", "no table", {"within": f"[{number}]", "told": told})
    table = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    return pd.DataFrame({name: _column(values) for name, values in table.items()})


def _column(values: list[Any]) -> list[Any]:
    """Values of a column: floats where they are numbers and something is no number."""
    known = [value for value in values if value is not None and value not in NUMBERS]
    real = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)
    if len(known) == len(values) or not real or not (known or None in values):
        return values
    return [
        math.nan if value is None else NUMBERS[value] if isinstance(value, str) else float(value)
        for value in values
    ]
