"""Grids of populations: language sets, seeds and any values of the recipe, all combined."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from stimuli.fields import PLACE, fields_of
from stimuli.limits import CELLS, SEEDS, refuse_more
from stimuli.schemas import Between, OneOf, Rule, Source, checked
from stimuli.texts import toml_source
from toolkit.errors import ToolkitError
from toolkit.subjects.vgs.config import SIZES
from toolkit.training.conditions import Condition, seeds_of
from toolkit.training.draws import Draws, Seed, Size
from toolkit.training.recipe import RECIPES, Recipe, recipe_of

EXAMPLE = Path(__file__).with_name("example-grid.toml")
"""A grid file that explains itself."""
EXAMPLE_COMMAND = "mevgs-toolkit train --example-grid"
PLACES = {"stimuli": "mini", "hearing": "hearing", "seeing": "seeing"}
"""What is trained on, see `Grid`, where nothing else is said."""
_KINDS: dict[str, Any] = {"size": Annotated[str, OneOf(SIZES)], **fields_of(Recipe)}
"""What can be changed in a recipe: its fields, and `size` for width and embedding together."""
_CONCEPTS = "familiar_concepts"
"""How many concepts of a draw are familiar: no value of the recipe, but it can be combined too."""


def _optional(kinds: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Fields that may be left out, for a dataclass."""
    return [(name, kind | None, None) for name, kind in kinds.items()]


def _several(kind: Any) -> Any:
    """A list of values of one type."""
    return Annotated[tuple[kind, ...], Rule("a list of values, as in [..., ...]", bool)]


RecipeTable: Any = make_dataclass(
    "RecipeTable",
    [
        ("from_", Annotated[str, OneOf(RECIPES)], "shipped"),
        *_optional(_KINDS),
    ],
    frozen=True,
)
"""The schema of the table ``[recipe]``: where to start, and what is changed."""
GridTable: Any = make_dataclass(
    "GridTable",
    [
        ("languages", Annotated[
            tuple[tuple[str, ...], ...],
            Rule('a list of lists, as in [["en"], ["en", "nl"]]', bool),
        ]),
        ("seeds", Annotated[
            str | int | tuple[str, ...],
            Rule('their number, or one letter for each: "abc"'),
        ], "abcdefghij"),
        *_optional({name: _several(kind) for name, kind in {**_KINDS, _CONCEPTS: Size}.items()}),
    ],
    frozen=True,
)  # fmt: skip
"""The schema of the table ``[grid]``: what is combined."""


@dataclass(frozen=True, kw_only=True)
class GridFile:
    """What a grid file holds: its schema."""

    stimuli: PLACE = PLACES["stimuli"]
    """See `Grid`."""
    hearing: PLACE = PLACES["hearing"]
    """See `Grid`."""
    seeing: PLACE = PLACES["seeing"]
    """See `Grid`."""
    familiar_draws: Annotated[int, Between(0, SEEDS)] = 0
    """Draws of familiar concepts, see `toolkit.training.draws`; 0: all learn those of the set."""
    familiar_concepts: Size = Draws.concepts
    """Familiar concepts of each draw."""
    familiar_seed: Seed = Draws.seed
    """Decides which."""
    recipe: RecipeTable = field(default_factory=RecipeTable)
    """What all start from."""
    grid: GridTable
    """What is combined."""


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
    allowed = f"a grid file, as {EXAMPLE_COMMAND} shows one"
    return _combined(*toml_source(path, allowed, EXAMPLE_COMMAND))


def make_grid(
    languages: Any,
    seeds: Any,
    *,
    start: str = "shipped",
    values: Mapping[str, Any] | None = None,
    axes: Mapping[str, Any] | None = None,
    **rest: Any,
) -> Grid:
    """Combine language sets with values of a recipe.

    Args:
        languages: a list of lists of ISO codes.
        seeds: see `toolkit.training.conditions.seeds_of`.
        start: name of the recipe that all start from, see `toolkit.training.recipe.recipe_of`.
        values: keys of the recipe and their new values.
        axes: keys of the recipe and lists of values, which are all combined; where a key has
            several, they become part of the populations' names.
        rest: `stimuli`, `hearing` and `seeing`, and what there is to say of draws of familiar
            concepts, see `GridFile`.

    Raises:
        ToolkitError: a name or value that cannot be.

    Example:
        >>> grid = make_grid([["en"], ["en", "nl"]], 2, axes={"size": ["xsm", "md"]})
        >>> [condition.name for condition in grid.conditions][2:]
        ['bilingual-en-nl_size-xsm', 'bilingual-en-nl_size-md']
    """
    asked = {
        **rest,
        "recipe": {"from": start, **(values or {})},
        "grid": {"languages": languages, "seeds": seeds, **(axes or {})},
    }
    return _combined(asked, Source("The grid", EXAMPLE_COMMAND, fails="cannot be made"))


def _combined(content: Mapping[str, Any], source: Source) -> Grid:
    """All that a grid file asks for."""
    told = checked(GridFile, dict(content), source)
    values, several = _given(told.recipe, _KINDS), _given(told.grid, [*_KINDS, _CONCEPTS])
    # Populations are named after the values in the order of the file.
    axes = {name: several[name] for name in content["grid"] if name in several}
    names, languages = seeds_of(told.grid.seeds), told.grid.languages
    if _CONCEPTS in axes and not told.familiar_draws:
        raise ToolkitError(
            "Only concepts that are drawn can be of several numbers.",
            given=f"{_CONCEPTS} in [grid] without familiar_draws",
            allowed="familiar_draws = 5, say, above [recipe]",
            next_command=EXAMPLE_COMMAND,
        )
    n_populations = len(languages) * math.prod(map(len, axes.values()))
    n_subjects = len(names) * (told.familiar_draws or 1)
    refuse_more("populations times seeds in this grid", n_populations * n_subjects, CELLS)
    conditions = []
    for codes in languages:
        for combination in itertools.product(*axes.values()):
            chosen = dict(zip(axes, combination, strict=True))
            concepts = chosen.get(_CONCEPTS, told.familiar_concepts)
            draws = None
            if told.familiar_draws:
                draws = Draws(told.familiar_draws, concepts, told.familiar_seed)
            new = {**values, **{key: value for key, value in chosen.items() if key in _KINDS}}
            recipe = changed(recipe_of(told.recipe.from_, new.get("family", "clip")), new)
            suffix = "".join(
                f"_{key.replace('_', '-')}-{str(value).lower()}"
                for key, value in chosen.items()
                if len(axes[key]) > 1
            )
            conditions.append(Condition.of(codes, recipe, suffix, draws))
    return Grid(tuple(conditions), tuple(names), told.stimuli, told.hearing, told.seeing)


def _given(table: Any, names: Iterable[str]) -> dict[str, Any]:
    """What a table says of these keys."""
    values = {name: getattr(table, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


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
    told = checked(
        RecipeTable, dict(values), Source("The recipe", EXAMPLE_COMMAND, fails="cannot be used")
    )
    new = _given(told, _KINDS)
    if "size" in new:
        new["width"] = new["embedding"] = SIZES[new.pop("size")]
    return replace(recipe, **new)


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
