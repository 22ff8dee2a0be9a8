"""The fixed validation samples of the published experiment, where its data hold them.

`data/filelists/validation-samples-<languages>-P1-N<negatives>.json` has one entry per validation
clip: the clip, a picture of its class, and as many clips and pictures of other classes as there are
negatives (`audios-pos`, `images-pos`, `audios-neg`, `images-neg`; with language links, two lists of
clips, `audios1-...` and `audios2-...`). `validation-samples-simple-<languages>.json` has pairs
alone, for families without negatives. Names of languages are joined by `_`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stimuli.published import CODES, check_entry, language_code, read_list
from toolkit.errors import ToolkitError
from toolkit.training.features import FeatureBank
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Choices, Items

SPLIT = "valid"
_PUBLISHED = {code: name for name, code in CODES.items()}


def find_samples(lists: Path, languages: Sequence[str], recipe: Recipe) -> Path | None:
    """The file with the validation sample of a recipe; None where there is none.

    Args:
        lists: folder of the file lists.
        languages: ISO codes of the languages that are trained, in any order.
        recipe: one that validates on all validation clips, as published; others draw their sample.

    Raises:
        ToolkitError: the file cannot be read, or its entries are not of one form.
    """
    if recipe.validation_items or not languages:
        return None
    suffix = f"-P1-N{recipe.negatives_drawn}" if recipe.negatives_drawn else ""
    kind = "" if recipe.negatives_drawn else "simple-"
    for order in itertools.permutations(_PUBLISHED.get(code, code) for code in languages):
        path = lists / f"validation-samples-{kind}{'_'.join(order)}{suffix}.json"
        # The published code calls the samples of two families the same.
        if path.is_file() and _is_for(read_list(path)[0], recipe):
            return path
    return None


def read_samples(path: Path, bank: FeatureBank, recipe: Recipe) -> Items:
    """The items of a validation sample.

    Args:
        path: what `find_samples` found.
        bank: features of the stimuli.
        recipe: the recipe.

    Raises:
        ToolkitError: an entry lacks something, or names a clip or picture that is not there.
    """
    rows = _valid_rows(bank)
    chosen: dict[str, list[list[int]]] = {part: [] for part in _parts(recipe)}
    for number, entry in enumerate(read_list(path)):
        for part, names in _parts(recipe).items():
            own = [one for name in names for one in _listed(path, number, entry, name)]
            if len(own) != 1 + recipe.negatives_drawn:
                raise ToolkitError(
                    f"Entry {number} of {path} has {len(own)} {part}.",
                    allowed=f"{1 + recipe.negatives_drawn}: one that belongs to it, and "
                    f"{recipe.negatives_drawn} others",
                )
            chosen[part].append([_row(one, part, f"Entry {number} of {path}", rows) for one in own])
    made = {part: Choices.of(np.array(own, dtype=np.int64)) for part, own in chosen.items()}
    first, *second = (part for part in made if part != "images")
    return Items(made[first], made["images"], made[second[0]] if second else None)


def _valid_rows(bank: FeatureBank) -> dict[tuple[str, str], int]:
    """Rows of the validation clips by name and language, of pictures by name and ``images``."""
    rows = {
        (name, language): row
        for row, (name, split, _, language) in enumerate(bank.word_table)
        if split == SPLIT
    }
    return rows | {
        (name, "images"): row
        for row, (name, split, _) in enumerate(bank.picture_table)
        if split == SPLIT
    }


def _row(one: Any, part: str, what: str, rows: Mapping[tuple[str, str], int]) -> int:
    """Row of a clip or picture that an entry names."""
    kind = "picture" if part == "images" else "word"
    check_entry(one, what, kind)
    found = rows.get((one["name"], "images" if kind == "picture" else language_code(one["lang"])))
    if found is None:
        raise ToolkitError(
            f"{what} names a {kind} that is none of the familiar ones in the validation lists.",
            given=str(one)[:80],
            next_command="restore the list, or take it away to have a sample drawn",
        )
    return found


def _parts(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Names of the lists of each kind in an entry."""
    if not recipe.negatives_drawn:
        return {"audio": ("audio",), "images": ("image",)}
    audios = ("audios1", "audios2") if recipe.links else ("audios",)
    return {part: (f"{part}-pos", f"{part}-neg") for part in (*audios, "images")}


def _is_for(entry: Any, recipe: Recipe) -> bool:
    """Whether an entry has the lists that a recipe needs."""
    if not recipe.negatives_drawn:
        return isinstance(entry, list) and len(entry) == 2
    return isinstance(entry, dict) and all(
        name in entry for names in _parts(recipe).values() for name in names
    )


def _listed(path: Path, number: int, entry: Any, name: str) -> list[Any]:
    """One of the lists of an entry; a pair has its clip first."""
    if not name.endswith(("-pos", "-neg")):
        fits = isinstance(entry, list) and len(entry) == 2
        found = [entry[name == "image"]] if fits else None
    else:
        found = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(found, list):
        raise ToolkitError(
            f"Entry {number} of {path} has no list {name!r}.",
            given=str(entry)[:80],
            allowed="entries as the first one",
        )
    return found
