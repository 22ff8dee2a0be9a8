"""What the fields of a record may hold: a vocabulary for schemas, and how it is put in words."""

from __future__ import annotations

import functools
import json
import types
from collections.abc import Callable, Collection
from dataclasses import MISSING, dataclass, fields, is_dataclass
from keyword import iskeyword
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from stimuli.names import LONGEST_PART, can_be_path

DERIVED = "derived"
"""Attribute of a dataclass that names properties which are written beside its fields, and must be
there when it is read."""
REST = "rest"
"""Attribute of a dataclass that names a mapping among its fields which is written as fields."""


@dataclass(frozen=True)
class Between:
    """A range of numbers, for ``Annotated``.

    Example:
        >>> Between(1, 4).words(int), Between(0, 1, below=True).words(float)
        ('a whole number from 1 to 4', 'a number from 0 to below 1')
        >>> Between(0).words(float)
        'a number from 0 on'
    """

    lowest: float
    """The lowest number that is allowed."""
    highest: float | None = None
    """The highest; None where there is none."""
    below: bool = False
    """Whether the highest itself is too much."""

    def words(self, kind: Any) -> str:
        """What is allowed, in words."""
        what = "a whole number" if kind is int else "a number"
        if self.highest is None:
            return f"{what} from {self.lowest:,} on"
        return f"{what} from {self.lowest:,} to {'below ' if self.below else ''}{self.highest:,}"


@dataclass(frozen=True)
class Rule:
    """A condition that a value of the right type must meet, for ``Annotated``."""

    allowed: str
    """What is allowed, in words."""
    holds: Callable[[Any], bool] | None = None
    """Whether a value is allowed; None where the type has said it."""


@dataclass(frozen=True, eq=False)
class OneOf:
    """Names of which a text must be one, for ``Annotated`` where they are in no ``Literal``."""

    names: Collection[str]
    """All of them; others may be added."""


PLACE = Annotated[
    str, Rule(f"a name or path, no part of it longer than {LONGEST_PART} bytes", can_be_path)
]
"""Text that files are looked for by."""


class Table:
    """What stands for pandas where types are read: modules import it for type checkers alone."""

    DataFrame = type("DataFrame", (), {})
    Cell = Annotated[int | str | float | bool | None, Rule("a number, text, true, false or null")]
    """What a cell of a table may hold."""
    ROWS = tuple[dict[str, Cell], ...]
    """What is written of a table."""


def without_rules(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without ``Annotated``, and what that says.

    Example:
        >>> without_rules(Annotated[int, Between(0)])[0]
        <class 'int'>
    """
    if get_origin(kind) is Annotated:
        return get_args(kind)[0], kind.__metadata__
    return kind, ()


def is_choice(kind: Any) -> bool:
    """Whether a type is one of several.

    Example:
        >>> is_choice(int | None), is_choice(int)
        (True, False)
    """
    return get_origin(kind) in (Union, types.UnionType)


def is_record(kind: Any) -> bool:
    """Whether a type is a dataclass.

    Example:
        >>> is_record(Between), is_record(Between(0)), is_record(int)
        (True, False, False)
    """
    return isinstance(kind, type) and is_dataclass(kind)


def is_table(kind: Any) -> bool:
    """Whether a type is a data frame.

    Example:
        >>> is_table(Table.DataFrame)
        True
    """
    return getattr(kind, "__name__", "") == "DataFrame"


def names_of(kind: Any) -> tuple[str, ...]:
    """The names that a text of some type may be; none if it may be any.

    Args:
        kind: the type.

    Example:
        >>> names_of(Literal["a", "b"]), names_of(Annotated[str, OneOf(("c",))]), names_of(str)
        (('a', 'b'), ('c',), ())
    """
    bare, rules = without_rules(kind)
    known = next((rule.names for rule in rules if isinstance(rule, OneOf)), get_args(bare))
    return tuple(name for name in known if isinstance(name, str))


def spelt(name: str) -> str:
    """A field's name as files write it.

    Args:
        name: of a field.

    Example:
        >>> spelt("from_"), spelt("text"), spelt("ask")
        ('from', 'text', 'ask')
    """
    bare = name.removesuffix("_")
    return bare if iskeyword(bare) else name


@functools.cache
def fields_of(kind: Any) -> dict[str, Any]:
    """The types of the fields that a dataclass is made from, by name as files write it.

    Args:
        kind: the class.

    Example:
        >>> list(fields_of(Rule))
        ['allowed', 'holds']
    """
    hints = get_type_hints(kind, localns={"pd": Table}, include_extras=True)
    return {spelt(field.name): hints[field.name] for field in fields(kind) if field.init}


@functools.cache
def needed_of(kind: Any) -> tuple[str, ...]:
    """The names of those fields of a dataclass that have no default, and of derived properties.

    Args:
        kind: the class.

    Example:
        >>> needed_of(Between)
        ('lowest',)
    """
    own = (field for field in fields(kind) if field.init)
    needed = (spelt(f.name) for f in own if f.default is MISSING and f.default_factory is MISSING)
    return (*needed, *getattr(kind, DERIVED, ()))


def words_of(kind: Any) -> str:
    """What a type allows, in words.

    Args:
        kind: of a field.

    Example:
        >>> words_of(Literal["a", "b"]), words_of(str | None), words_of(tuple[int, int])
        ('"a", "b"', 'text or null', 'a list of 2')
    """
    kind, rules = without_rules(kind)
    if rules:
        return ", ".join(_words_of_rule(kind, rule) for rule in rules)
    origin, inner = get_origin(kind), get_args(kind)
    if is_choice(kind):
        words = dict.fromkeys(words_of(one) for one in inner)
        return " or ".join(sorted(words, key=lambda one: one == "null"))
    if origin is Literal:
        return ", ".join(json.dumps(one) for one in inner)
    if origin is tuple:
        return "a list" if inner[-1] is Ellipsis else f"a list of {len(inner)}"
    if is_table(kind):
        return "a list of objects"
    return _WORDS.get(kind, f"an object ({kind.__name__})" if is_record(kind) else "an object")


def _words_of_rule(kind: Any, rule: Any) -> str:
    if isinstance(rule, Between):
        return rule.words(kind)
    return ", ".join(rule.names) if isinstance(rule, OneOf) else str(rule.allowed)


_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    type(None): "null",
    float: 'a number, null for none, "inf" or "-inf"',
}
"""What plain types are called."""
