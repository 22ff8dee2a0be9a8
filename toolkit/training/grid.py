"""Grids of populations: language sets, seeds and any values of the recipe, all combined."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from stimuli.limits import CELLS, refuse_more
from stimuli.texts import read_toml
from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.vgs.config import SIZES
from toolkit.training.conditions import Condition, seeds_of
from toolkit.training.recipe import Recipe, recipe_of

EXAMPLE = Path(__file__).with_name("example-grid.toml")
"""A grid file that explains itself."""
_TYPES = {field.name: str(field.type) for field in fields(Recipe)}
_KEYS = ("size", *_TYPES)
"""What can be changed in a recipe: its fields, and `size` for width and embedding together."""
PLACES = {"stimuli": "mini", "hearing": "hearing", "seeing": "seeing"}
"""What is trained on, see `Grid`, where nothing else is said."""
_SHOWN = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a name"}


@dataclass(frozen=True)
class Grid:
    """What a grid file, or the options of the command, ask for."""

    conditions: tuple[Condition, ...]
    """Populations."""
    seeds: tuple[str, ...]
    """Names of the seeds of each."""
    stimuli: str = PLACES["stimuli"]
    """Name or folder of the stimulus set, or a folder in the published layout."""
    hearing: str = PLACES["hearing"]
    """Name, folder or file of the frozen speech backbone."""
    seeing: str = PLACES["seeing"]
    """Name, folder or file of the frozen picture backbone."""


def read_grid(path: Path) -> Grid:
    """Read a grid file, see `EXAMPLE`.

    Args:
        path: a TOML file.

    Raises:
        ToolkitError: it cannot be read, or holds an unknown key or a value that cannot be.
    """
    told = read_toml(path, "a grid file, as mevgs-toolkit train --example-grid shows one")
    _known(told, "key of a grid file", (*PLACES, "recipe", "grid"))
    texts = {key: told[key] for key in PLACES if key in told}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise _wrong(key, value, "a name or a folder, in quotes")
    recipe, axes = (_table(told, name) for name in ("recipe", "grid"))
    _known(recipe, "key of [recipe]", ("from", *_KEYS))
    _known(axes, "key of [grid]", ("languages", "seeds", *_KEYS))
    if "languages" not in axes:
        raise ToolkitError(
            f"{path} does not say which languages to train on.",
            allowed='[grid] with languages = [["en"], ["en", "nl"]]',
            next_command="mevgs-toolkit train --example-grid",
        )
    return make_grid(
        axes.pop("languages"),
        axes.pop("seeds", "abcdefghij"),
        start=recipe.pop("from", "shipped"),
        values=recipe,
        axes=axes,
        **texts,
    )


def make_grid(
    languages: Any,
    seeds: Any,
    *,
    start: str = "shipped",
    values: Mapping[str, Any] | None = None,
    axes: Mapping[str, Any] | None = None,
    **places: str,
) -> Grid:
    """Combine language sets with values of a recipe.

    Args:
        languages: a list of lists of ISO codes.
        seeds: see `toolkit.training.conditions.seeds_of`.
        start: name of the recipe that all start from, see `toolkit.training.recipe.recipe_of`.
        values: keys of the recipe and their new values.
        axes: keys of the recipe and lists of values, which are all combined; where a key has
            several, they become part of the populations' names.
        places: `stimuli`, `hearing` and `seeing`, see `Grid`.

    Raises:
        ToolkitError: a name or value that cannot be.

    Example:
        >>> grid = make_grid([["en"], ["en", "nl"]], 2, axes={"size": ["xsm", "md"]})
        >>> [condition.name for condition in grid.conditions][2:]
        ['bilingual-en-nl_size-xsm', 'bilingual-en-nl_size-md']
    """
    recipe_of(str(start))
    sets = _language_sets(languages)
    axes = axes or {}
    for key, several in axes.items():
        if not isinstance(several, list) or not several:
            raise _wrong(key, several, f"a list of values, as in {key} = [..., ...]")
    if isinstance(seeds, bool) or not isinstance(seeds, str | int | list):
        raise _wrong("seeds", seeds, 'their number, or one letter for each: "abc"')
    names = seeds_of(seeds)
    n_populations = len(sets) * math.prod(len(several) for several in axes.values())
    refuse_more("populations times seeds in this grid", n_populations * len(names), CELLS)
    conditions = []
    for codes in sets:
        for combination in itertools.product(*axes.values()):
            chosen = dict(zip(axes, combination, strict=True))
            new = {**(values or {}), **chosen}
            recipe = changed(recipe_of(str(start), str(new.get("family", "clip"))), new)
            suffix = "".join(
                f"_{key.replace('_', '-')}-{str(value).lower()}"
                for key, value in chosen.items()
                if len(axes[key]) > 1
            )
            conditions.append(Condition.of(codes, recipe, suffix))
    return Grid(tuple(conditions), tuple(names), **places)


def changed(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """A recipe with other values.

    Args:
        recipe: where to start.
        values: keys and new values; `size` stands for width and embedding.

    Raises:
        ToolkitError: an unknown key, or a value that cannot be.

    Example:
        >>> changed(Recipe(), {"size": "md", "negatives": 5}).embedding
        256
    """
    _known(values, "key of a recipe", _KEYS)
    new = asdict(recipe)
    for key, value in values.items():
        if key == "size":
            if not isinstance(value, str) or value not in SIZES:
                raise unknown_name("size", str(value), list(SIZES))
            new["width"] = new["embedding"] = SIZES[value]
            continue
        kind = _TYPES[key]
        if not _fits(value, kind):
            raise _wrong(key, value, _SHOWN[kind])
        new[key] = float(value) if kind == "float" else value
    return Recipe(**new)


def value_of(text: str) -> tuple[str, Any]:
    """Key and value of an option `KEY=VALUE`.

    Args:
        text: what the user gave.

    Raises:
        ToolkitError: it is no such pair.

    Example:
        >>> value_of("peak_lr=2e-4"), value_of("family=clip")
        (('peak_lr', 0.0002), ('family', 'clip'))
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not key or not value:
        raise ToolkitError("This is no key with a value.", given=text, allowed="KEY=VALUE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        return key, value


def _language_sets(languages: Any) -> list[list[str]]:
    """The language sets, after checking that they are lists of codes."""
    right = isinstance(languages, list) and bool(languages)
    for codes in languages if right else []:
        right &= isinstance(codes, list) and all(isinstance(code, str) for code in codes)
    if not right:
        raise _wrong("languages", languages, 'a list of lists, as in [["en"], ["en", "nl"]]')
    return [list(codes) for codes in languages]


def _fits(value: Any, kind: str) -> bool:
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float)
    return isinstance(value, int if kind == "int" else str)


def _known(told: Mapping[str, Any], kind: str, known: Sequence[str]) -> None:
    for key in told:
        if key not in known:
            raise unknown_name(kind, key, known, "mevgs-toolkit train --example-grid")


def _table(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table of the file; empty where it is missing."""
    found = told.get(name, {})
    if not isinstance(found, dict):
        raise _wrong(name, found, f"a table: [{name}]")
    return dict(found)


def _wrong(key: str, value: Any, allowed: str) -> ToolkitError:
    return ToolkitError(f"The value of {key} cannot be used.", given=str(value), allowed=allowed)
