"""Faults of records on their way to JSON and back."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any, ClassVar, Literal, cast, get_args, get_type_hints

import pandas as pd
import pytest

from stimuli.schemas import Source, checked
from stimuli.texts import parse_json
from toolkit.errors import ToolkitError
from toolkit.records import plain, read, write
from toolkit.statistics.kinds import STATISTICS
from toolkit.statistics.means import SeedMean
from toolkit.statistics.models.results import FitResult, LogOdds
from toolkit.tables.recorded import Recorded

SOURCE = Source("run/statistics.json", "mevgs-toolkit analyze run")


@dataclass(frozen=True)
class Effect:
    name: str
    estimate: float
    df: float = math.inf
    derived: ClassVar[tuple[str, ...]] = ("doubled",)

    @property
    def doubled(self) -> float:
        return 2 * self.estimate


@dataclass(frozen=True)
class Result:
    verdict: Literal["higher", "lower"]
    n: int
    held: bool
    effect: Effect | None
    others: tuple[Effect, ...]
    pair: tuple[str, float]
    levels: Mapping[str, tuple[str, ...]]
    chance: float | str | None
    words: pd.DataFrame
    more: dict[str, Any] = field(default_factory=dict)


def result(**changed: Any) -> Result:
    words = pd.DataFrame({"word": ["dax", "inf"], "share": [0.5, math.nan]})
    usual: dict[str, Any] = {
        "verdict": "higher", "n": 3, "held": True, "effect": Effect("x", math.nan),
        "others": (Effect("y", -0.1, 4.5), Effect("z", -math.inf)), "pair": ("a", 1.0),
        "levels": {"word": ("dax", "wug")}, "chance": "mask_share", "words": words,
    }  # fmt: skip
    return Result(**(usual | changed))


def test_what_is_written_is_read_again_with_every_number() -> None:
    for made in (result(), result(effect=None, chance=None), result(chance=0.25, others=())):
        again = read(Result, write(made), SOURCE)
        assert write(again) == write(made)
        assert again.words.equals(made.words)
        assert str(again) == str(made)  # NaN equals nothing; its text does


def test_numbers_without_end_or_value_are_json_for_other_tools() -> None:
    told = json.loads(write(result()), parse_constant=pytest.fail)
    assert told["effect"]["estimate"] is None
    assert told["others"][1]["estimate"] == "-inf"
    assert told["effect"]["df"] == "inf"
    assert told["words"][1] == {"word": "inf", "share": None}
    assert told["others"][0]["doubled"] == -0.2


def test_what_earlier_versions_wrote_is_read_and_written_alike() -> None:
    text = """{
  "name": "café",
  "estimate": null,
  "df": "inf",
  "doubled": null
}
"""
    assert write(read(Effect, text, SOURCE)) == text


def test_a_default_stands_in_for_what_is_not_written() -> None:
    told = plain(result())
    del told["others"][0]["df"], told["more"]
    again = checked(Result, told, SOURCE)
    assert again.others[0].df == math.inf
    assert again.more == {}


def test_a_column_of_numbers_that_is_wholly_missing_holds_numbers() -> None:
    words = pd.DataFrame({"word": ["dax"], "share": [math.nan]})
    again = read(Result, write(result(words=words)), SOURCE)
    assert again.words["share"].dtype == float
    assert again.words["share"].isna().all()


FAULTS: list[tuple[tuple[str | int, ...], Any, str, str]] = [
    (("n",), "3", "n is of the wrong type", "a whole number"),
    (("n",), 3.0, "n is of the wrong type", "a whole number"),
    (("n",), True, "n is of the wrong type", "a whole number"),
    (("held",), 1, "held is of the wrong type", "true or false"),
    (("verdict",), "hihger", "verdict is none of the values", '"higher", "lower"'),
    (("effect",), [], "effect is of the wrong type", "an object"),
    (("effect", "estimate"), "nan", "effect.estimate is of the wrong type", "a number, null"),
    (("effect", "estimate"), 10**400, "effect.estimate is of the wrong type", "a number, null"),
    (("effect", "estimate"), False, "effect.estimate is of the wrong type", "a number, null"),
    (("effect", "name"), None, "effect.name is of the wrong type", "text"),
    (("others",), {}, "others is of the wrong type", "a list"),
    (("others", 1, "df"), [], "others[1].df is of the wrong type", "a number"),
    (("pair",), ["a"], "pair is of the wrong type", "a list of 2"),
    (("levels", "word"), "dax", "levels.word is of the wrong type", "a list"),
    (("chance",), [], "chance is of the wrong type", "or text"),
    (("words",), {"word": []}, "words is of the wrong type", "a list"),
    (("words", 1), {"word": "dax"}, "words[1] has other columns", "word, share"),
    (("more",), None, "more is of the wrong type", "an object"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value", "message", "allowed"), FAULTS)
def test_a_value_of_another_type_is_named_with_its_place(
    place: tuple[str | int, ...], value: Any, message: str, allowed: str
) -> None:
    told = plain(result())
    at: Any = told
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    with pytest.raises(ToolkitError) as caught:
        read(Result, json.dumps(told), SOURCE)
    assert caught.value.message.startswith(f"run/statistics.json cannot be read: {message}")
    assert allowed in str(caught.value.allowed)
    assert caught.value.next_command == "mevgs-toolkit analyze run"


def test_a_field_that_is_not_known_is_named_with_the_nearest() -> None:
    told = plain(result())
    told["others"][0]["estimat"] = told["others"][0].pop("estimate")
    with pytest.raises(ToolkitError, match=r"others\[0\]\.estimat is not known") as caught:
        checked(Result, told, SOURCE)
    assert caught.value.nearest == "estimate"


@pytest.mark.parametrize("name", ["estimate", "doubled"])
def test_a_field_that_is_lacking_is_named(name: str) -> None:
    told = plain(result())
    del told["others"][0][name]
    with pytest.raises(ToolkitError, match=rf"me\.others\[0\]\.{name} is lacking"):
        checked(Result, told, SOURCE, "me")


@dataclass(frozen=True)
class Plain:
    name: str
    estimate: float


def test_records_of_one_list_are_told_apart_by_their_fields() -> None:
    kind = cast(type[tuple[Effect | Plain, ...]], tuple[Effect | Plain, ...])
    made = (Effect("x", 1.0, 2.0), Plain("y", 3.0))
    assert checked(kind, plain(made), SOURCE) == made
    told = plain(made)
    told[0]["df"] = "many"
    with pytest.raises(ToolkitError, match=r"\[0\]\.df is of the wrong type"):
        checked(kind, told, SOURCE)


@pytest.mark.parametrize(
    "text", ["", "{", "[NaN]", "Infinity", '{"a": 1}}', "[" * 100_000, "1" * 5000]
)
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ToolkitError, match=r"run/statistics\.json cannot be read: it is no JSON"):
        parse_json(text, SOURCE)


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(ToolkitError) as caught:
        checked(Effect, {"name": ["x" * 1000], "estimate": 1}, SOURCE)
    assert len(str(caught.value.given)) < 100


def test_types_that_json_cannot_hold_are_errors_of_the_programmer() -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        plain({"a": {1, 2}})
    with pytest.raises(TypeError, match="not read as"):
        checked(cast(Any, complex), 1, SOURCE)


def records_in(kind: Any) -> Iterator[type]:
    """A record, and all that its fields may hold."""
    if is_dataclass(kind) and isinstance(kind, type):
        yield kind
        # Fails where a module knows the type of a field for type checkers alone.
        for hint in get_type_hints(kind, localns={"pd": pd}).values():
            yield from records_in(hint)
    for inner in get_args(kind):
        yield from records_in(inner)


@pytest.mark.parametrize("kind", list(STATISTICS.entries))
def test_types_of_what_is_saved_are_known_when_it_is_read(kind: str) -> None:
    saved = STATISTICS[kind]
    found = {one for top in (saved.result, saved.summary, Recorded) for one in records_in(top)}
    assert {FitResult, LogOdds, SeedMean, Recorded} <= found
    assert all(one.__dataclass_params__.frozen for one in found)  # type: ignore[attr-defined]
