"""Files of banks: features, or where they stay, with what they are of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stimuli.files import require_sound, write_checked
from stimuli.schemas import Source, checked
from stimuli.texts import parse_json
from toolkit.devices import CPU
from toolkit.errors import ToolkitError, first_line, quoted
from toolkit.subjects.backbones.in_place import GoneThrough
from toolkit.training.features import FeatureBank
from toolkit.training.on_disk import OnDisk, Places

_PLACES = ("word_places", "picture_places")
_MAPS, _BY_PLACE = "maps", "maps_by_place"
"""Feature maps: of earlier versions channel after channel, and place after place."""


@dataclass(frozen=True)
class BankTables:
    """What the metadata of a bank's file hold: their schema."""

    concepts: tuple[str, ...]
    """Classes."""
    words: tuple[tuple[str, str, str, str], ...]
    """Clips, see `FeatureBank.word_table`."""
    pictures: tuple[tuple[str, str, str], ...]
    """Pictures, see `FeatureBank.picture_table`."""
    made_on: str = CPU.told
    """Device that the backbones computed on; told of cards alone."""
    files: tuple[GoneThrough, ...] = ()
    """Files in which the features stay; none where this one holds them."""


def save_bank(bank: FeatureBank, path: Path) -> None:
    """Write a bank to one safetensors file.

    Args:
        bank: what to write.
        path: where to.
    """
    tables: dict[str, Any] = {
        "concepts": bank.concepts,
        "words": bank.word_table,
        "pictures": bank.picture_table,
    }
    if bank.made_on != CPU.told:
        tables["made_on"] = bank.made_on
    tensors = {
        "frames": bank.frames,
        _BY_PLACE: bank.maps.movedim(1, -1).contiguous(),
        "word_start": torch.from_numpy(bank.word_start),
    }
    if bank.disk:
        tables["files"] = [asdict(file) for file in bank.disk.files]
        each = bank.disk.words, bank.disk.pictures
        tensors |= {name: own.tensor() for name, own in zip(_PLACES, each, strict=True)}
    with write_checked(path) as unfinished:
        # One entry only: several would be written in random order.
        save_file(tensors, unfinished, metadata={"tables": json.dumps(tables)})


def load_bank(path: Path) -> FeatureBank:
    """Map a bank into memory; processes that do so share the pages.

    Args:
        path: a file of `save_bank`.
    """
    require_sound(path, kept=True)
    again = f"rm {quoted(path)}, then the same command again"
    try:
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get("tables", "")
            frames, names = file.get_tensor("frames"), set(file.keys())
            if _MAPS in names:
                maps = file.get_tensor(_MAPS)
            else:
                maps = file.get_tensor(_BY_PLACE).movedim(-1, 1)
            word_start = file.get_tensor("word_start").numpy()
            places = [file.get_tensor(name) for name in _PLACES if name in names]
    except Exception as error:
        # Damaged bytes, and types that NumPy does not have, raise whatever comes of them.
        raise ToolkitError(
            f"{path} cannot be read: {first_line(error)}.", next_command=again
        ) from error
    source = Source(str(path), again)
    tables = checked(BankTables, parse_json(told, source), source)
    disk = None
    if tables.files:
        words = Places.read(places[0], np.diff(word_start), (frames.shape[1],))
        shown = Places.read(places[1], None, tuple(maps.shape[1:]))
        disk = OnDisk(tables.files, words, shown)
    return FeatureBank(
        concepts=tables.concepts,
        word_table=_told_once(tables.words),
        picture_table=_told_once(tables.pictures),
        frames=frames,
        word_start=word_start,
        maps=maps,
        made_on=tables.made_on,
        disk=disk,
    )


def _told_once(table: Iterable[tuple[str, ...]]) -> tuple[Any, ...]:
    """The same rows; splits, classes and languages lie in memory once, not once a row."""
    texts: dict[str, str] = {}
    return tuple((name, *(texts.setdefault(one, one) for one in rest)) for name, *rest in table)
