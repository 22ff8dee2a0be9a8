"""What does not fit a schema, in the words of the toolkit: one error for all of it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from stimuli.errors import ToolkitError, nearest_name
from stimuli.fields import (
    REST,
    Table,
    fields_of,
    is_choice,
    is_record,
    is_table,
    names_of,
    without_rules,
    words_of,
)

Location = tuple[int | str, ...]
"""A place in content: keys and positions, and the names of choices that were made on the way."""
LONGEST = 60
"""Characters of a value that an error shows."""
MOST = 12
"""Faults that an error lists."""
_KEY = "[key]"
"""What pydantic puts behind a key that is itself at fault."""
_CHOICE = re.compile("\0([0-9]+)")
"""How choices are named: by their number in the type. Files with such keys are refused before."""


@dataclass(frozen=True)
class Source:
    """Where content comes from, for messages."""

    name: str
    """The file, or what else holds it."""
    again: str | None = None
    """The command that makes it again, or what else helps."""
    text: str = ""
    """The text of a TOML file, which numbers of lines are told of."""
    fails: str = "cannot be read"
    """What is said of it where something in it does not fit."""


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place."""

    place: str
    """Where: keys and positions, empty for all of the content."""
    fault: str
    """What is wrong, as the rest of a sentence."""
    given: str | None
    """What was given."""
    allowed: str | None
    """What would have been taken."""
    nearest: str | None = None
    """The known name that is nearest."""
    meant: str | None = None
    """The place that it has."""
    next_command: str | None = None
    """What helps with this one."""

    @property
    def sentence(self) -> str:
        """What is wrong where."""
        return f"{self.place or 'its content'} {self.fault}"

    @property
    def line(self) -> str:
        """All of it as one line of a list."""
        parts = {
            "given": self.given, "did you mean": self.nearest, "allowed": self.allowed,
            "try": self.next_command,
        }  # fmt: skip
        told = (f"{name}: {part}" for name, part in parts.items() if part is not None)
        return "; ".join([self.sentence, *told])


def choice_name(number: int) -> str:
    """What a choice is called in locations.

    Args:
        number: of the type among those to choose from.
    """
    return f"\0{number}"


def refusal(
    kind: Any, errors: Iterable[Mapping[str, Any]], source: Source, place: str
) -> ToolkitError:
    """One error for everything that does not fit.

    Args:
        kind: the type that the content should be of.
        errors: as pydantic gives them.
        source: where the content comes from.
        place: where it stands in there.
    """
    return refused(faults_of(kind, errors, source, place), source)


def faults_of(
    kind: Any, errors: Iterable[Mapping[str, Any]], source: Source, place: str
) -> list[Fault]:
    """Everything that does not fit, each once; for the arguments see `refusal`."""
    told = (_fault(kind, error, source, place) for error in _fitting_best(list(errors)))
    faults = list(dict.fromkeys(told))
    # A key that is misspelt is not also lacking.
    misspelt = {fault.meant for fault in faults}
    return [fault for fault in faults if _unlined(fault.place) not in misspelt]


def place_of(source: Source, steps: Location) -> str:
    r"""A place as faults name it, with its line where the source is the text of a TOML file.

    Args:
        source: where the content comes from.
        steps: keys and positions that lead there.

    Example:
        >>> source = Source("study.toml", text="[[ask]]\n[[ask]]\nsubjects = 1")
        >>> place_of(source, ("ask", 1, "subjects"))
        'ask[1].subjects (line 3)'
    """
    place = functools.reduce(_within, steps, "")
    line = line_of(source.text, steps)
    return place if line is None else f"{place} (line {line})"


def refused(faults: Sequence[Fault], source: Source) -> ToolkitError:
    """One error for faults that were found.

    Args:
        faults: one or several.
        source: what they were found in.
    """
    if len(faults) == 1:
        fault = faults[0]
        return ToolkitError(
            f"{source.name} {source.fails}: {fault.sentence}.",
            given=fault.given,
            allowed=fault.allowed,
            nearest=fault.nearest,
            next_command=fault.next_command or source.again,
        )
    lines = [f"  - {fault.line}" for fault in faults[:MOST]]
    lines += [f"  - and {len(faults) - MOST} more"] if len(faults) > MOST else []
    heading = f"{source.name} {source.fails}: it has {len(faults)} faults:"
    return ToolkitError("\n".join([heading, *lines]), next_command=source.again)


def _fitting_best(errors: list[Mapping[str, Any]], start: int = 0) -> Iterator[Mapping[str, Any]]:
    """The errors that are told: where there is a choice, those of what fits best."""
    choices: dict[Location, dict[int | str, list[Mapping[str, Any]]]] = {}
    for error in errors:
        steps = error["loc"]
        at = next((n for n, step in enumerate(steps[start:], start) if _is_choice(step)), None)
        if at is None:
            yield error
        else:
            choices.setdefault(steps[:at], {}).setdefault(steps[at], []).append(error)
    for steps, by_choice in choices.items():
        inside = len(steps) + 1
        deeper = [own for own in by_choice.values() if any(len(e["loc"]) > inside for e in own)]
        if deeper:
            yield from _fitting_best(min(deeper, key=len), inside)
        else:
            yield {**next(iter(by_choice.values()))[0], "loc": steps, "type": "choice"}


def _fault(kind: Any, error: Mapping[str, Any], source: Source, top: str) -> Fault:
    """An error of pydantic in the words of the toolkit."""
    location, given, context = error["loc"], error["input"], error.get("ctx", {})
    if error["type"] == "missing" and isinstance(location[-1], int):
        location, error = location[:-1], {**error, "type": "too_short"}
    steps = [step for step in location if not _is_choice(step)]
    outer = functools.reduce(_within, steps[:-1], top)
    place = _within(outer, steps[-1]) if steps else outer
    if "within" in context:  # a table tells itself what does not fit
        return Fault(f"{place}{context['within']}", *context["told"])
    if (line := line_of(source.text, steps)) is not None:
        place = f"{place} (line {line})"
    if "refused" in context:  # as does a record of which no single field is wrong
        told: ToolkitError = context["refused"]
        fault = f"cannot be used: {told.message.removesuffix('.')}"
        return Fault(place, fault, told.given, told.allowed, told.nearest)
    if error["type"] in ("missing", "extra_forbidden"):
        return _key_fault(_at(kind, location[:-1]), error, place, outer)
    asked = _at(kind, location)
    if location[-1:] == (_KEY,):
        mapping, inside = _at(kind, location[:-2]), functools.reduce(_within, steps[:-2], top)
        if get_origin(mapping) in (dict, Mapping):
            asked, place = get_args(mapping)[0], f"a key of {inside or 'its content'}"
    nearest = None
    if error["type"] == "literal_error" and isinstance(given, str):
        nearest = nearest_name(given, names_of(asked))
    fault = _FAULTS.get(error["type"], "is of the wrong type")
    allowed = words_of(asked)
    if source.text:  # TOML has no null
        allowed = allowed.removesuffix(" or null")
    return Fault(place, fault, _shown(given), allowed, nearest)


def _key_fault(record: Any, error: Mapping[str, Any], place: str, outer: str) -> Fault:
    """What is wrong with a key of a record, and not with what stands there."""
    names = [name for name in fields_of(record) if name != getattr(record, REST, None)]
    last, known = str(error["loc"][-1]), ", ".join(names)
    if error["type"] == "missing":
        return Fault(place, "is lacking", _shown_names(error["input"]), known)
    near = nearest_name(last, names)
    meant = None if near is None else _within(outer, near)
    return Fault(place, "is not known", last, known, near, meant)


_FAULTS = {
    "literal_error": "is none of the values that there are",
    "rule": "cannot be used",
    **dict.fromkeys(
        ("greater_than_equal", "less_than_equal", "less_than", "finite_number"), "is out of range"
    ),
}
"""What errors of pydantic mean, where it is not the type that is wrong."""


def _is_choice(step: int | str) -> bool:
    return isinstance(step, str) and _CHOICE.fullmatch(step) is not None


def _at(kind: Any, location: Location) -> Any:
    """The type that is asked for at a place; of a record or a choice without ``Annotated``."""
    for step in location:
        kind = Table.ROWS if is_table(_only(kind)) else _only(kind)
        inner = get_args(kind)
        if _is_choice(step):
            kind = inner[int(str(step)[1:])]
        elif is_record(kind):
            kind = fields_of(kind).get(str(step), Any)
        elif get_origin(kind) is tuple:
            kind = inner[0] if inner[-1] is Ellipsis else inner[int(step)]
        else:
            kind = inner[-1] if inner else Any
    bare = _only(kind)
    return bare if is_record(bare) else kind


def _only(kind: Any) -> Any:
    """A type without ``Annotated``, and without None where that leaves a single one."""
    kind, _ = without_rules(kind)
    if is_choice(kind):
        others = [one for one in get_args(kind) if one is not type(None)]
        return without_rules(others[0])[0] if len(others) == 1 else kind
    return kind


def _within(place: str, step: int | str) -> str:
    if isinstance(step, int):
        return f"{place}[{step}]"
    return f"{place}.{step}" if place else step


def _shown(value: Any) -> str:
    """A value as JSON writes it, cut where it is long."""
    try:
        shown = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):  # numbers of too many digits, endless nesting
        return f"something of type {type(value).__name__}"
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."


def _shown_names(given: Any) -> str:
    """The keys of what lacks one."""
    shown = ", ".join(map(str, given)) or "nothing"
    return shown if len(shown) <= 4 * LONGEST else f"{shown[: 4 * LONGEST]}..."


def line_of(text: str, steps: Sequence[int | str]) -> int | None:
    r"""The line in a TOML file where a place is written, or the table that lacks it begins.

    Args:
        text: of the file; empty for what is no such file.
        steps: keys and positions that lead to the place.

    Returns:
        The line, from 1 on; None where no line is known.

    Example:
        >>> text = "[study]\ntitle = 1\n[[ask]]\n[[ask]]\nlanguages = [\n1]"
        >>> [line_of(text, steps) for steps in (("study", "title"), ("ask", 1, "languages", 0))]
        [2, 5]
        >>> line_of(text, ("study", "hypotheses")), line_of(text, ("ask", 1)), line_of(text, ())
        (1, 4, None)
    """
    wanted = tuple(steps)
    found, depth = None, 0
    table: Location = ()
    counts: dict[Location, int] = {}
    # Lines of a text that goes over several are no keys, whatever they look like.
    for number, line in enumerate(_LONG_TEXT.sub(_emptied, text).splitlines(), 1):
        header = None if depth else _HEADER.match(line)
        if header:
            table = _header(_parts(header[2]), counts)
            if header[1]:
                counts[table] = counts.get(table, -1) + 1
                found = found or (number if wanted == table else None)
                table = (*table, counts[table])
            place = table
        else:
            begun, depth = depth, depth + _opened(line)
            place = () if begun else (*table, *_parts(line.partition("=")[0]))
        if place and wanted[: len(place)] == place:
            found = number
            if not header:
                return number
    return found


_HEADER = re.compile(r"\s*\[(\[?)([^\[\]]+)\]")
_LONG_TEXT = re.compile(r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'')
_TEXT_OR_REMARK = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*')


def _emptied(text: re.Match[str]) -> str:
    """As many lines with nothing in them."""
    return "\n" * text[0].count("\n")


def _opened(line: str) -> int:
    """How many brackets a line opens that it does not close."""
    bare = _TEXT_OR_REMARK.sub("", line)
    return sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))


def _header(parts: list[str], counts: Mapping[Location, int]) -> Location:
    """Where a table stands: in the last one of an array that is begun."""
    place: Location = ()
    for part in parts:
        place = (*place, counts[place], part) if place in counts else (*place, part)
    return place


def _unlined(place: str) -> str:
    return place.partition(" (line ")[0]


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("'\"") for part in dotted.split(".")]
