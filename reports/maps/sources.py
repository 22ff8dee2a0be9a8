"""What runs of maps have left behind beside their trials: agreement and sample maps."""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paradigms.formula import parse
from stimuli.cells import unguarded_table
from toolkit.arrays import read_arrays
from toolkit.errors import ToolkitError, first_line
from toolkit.statistics.saved import saved_manifest
from toolkit.tables.manifests import read_stored, sound_table

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("population", "seed", "template", "concept", "language_a", "language_b")
"""Columns of ``agreement.csv`` that hold no numbers."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The maps of one picture, concept and network in all languages."""

    picture_id: str
    """Picture in the stimulus set."""
    concept: str
    """What was asked for."""
    population: str
    """Who was asked."""
    seed: str
    """Which network of it."""
    template: str
    """How the word was put."""
    languages: tuple[str, ...]
    """Codes; languages that were not asked are left out."""
    similarity: npt.NDArray[np.float32]
    """(languages, h, w) similarity of every place to the word, as fine as the network sees."""
    values: tuple[float, ...]
    """The primary measure of each language as it was scored; NaN where no trial tells."""


@dataclass(frozen=True, eq=False)
class Maps:
    """What belongs to maps and not to trials."""

    agreement: pd.DataFrame
    """Columns of ``agreement.csv``, all runs; empty where there is none."""
    samples: tuple[Sample, ...]
    """Maps to look at, in the order of the runs."""


def read_maps(folders: Sequence[Path]) -> Maps:
    """Read ``agreement.csv`` and ``maps.npz`` of some runs, where they are there.

    Raises:
        ToolkitError: if one of them is damaged.
    """
    import pandas as pd

    tables, samples = [], list[Sample]()
    for folder in folders:
        try:
            if (folder / "agreement.csv").is_file():
                content = io.BytesIO(read_stored(folder / "agreement.csv"))
                # A language may be called "nan" or "none"; only numbers can be missing.
                table = unguarded_table(pd.read_csv(content, dtype=str, keep_default_na=False))
                measured = [name for name in table.columns if name not in LABELS]
                tables.append(table.assign(**table[measured].apply(pd.to_numeric)))
            if (folder / "maps.npz").is_file():
                samples += _samples(folder)
        except ToolkitError:
            raise
        except Exception as error:
            # What is not as it was written makes pandas and NumPy raise whatever comes of it.
            raise ToolkitError(f"{folder} holds damaged maps: {first_line(error)}.") from error
    return Maps(pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(), tuple(samples))


def _samples(folder: Path) -> list[Sample]:
    file = folder / "maps.npz"
    content = read_stored(file)
    try:
        known = read_arrays(file, content)
    except ToolkitError as error:
        raise ToolkitError(f"{folder} holds damaged maps: {error.message}") from error
    languages = [str(code) for code in known["languages"]]
    template = str(known["template"])
    kept = list(_kept(known))
    scored = _scored(folder, {picture for picture, *_ in kept}, template)
    made = []
    for picture, concept, population, seed, similarity in kept:
        maps = np.asarray(similarity, np.float32)
        asked = [number for number, one in enumerate(maps) if not np.isnan(one).any()]
        codes = tuple(languages[number] for number in asked)
        made.append(
            Sample(
                picture_id=picture,
                concept=concept,
                population=population,
                seed=seed,
                template=template,
                languages=codes,
                similarity=maps[asked],
                values=tuple(
                    scored.get((population, seed, picture, concept, code), math.nan)
                    for code in codes
                ),
            )
        )
    return made


def _kept(known: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, Any]]:
    """Picture, concept, population, seed, and the maps of all languages."""
    pairs = ("picture_ids", "concepts")
    who = ("populations", "seeds")
    if "similarity" in known:  # of earlier runs: one array, all at the finest grain
        for *labels, maps in zip(*(known[n] for n in (*pairs, *who)), known["similarity"],
                                 strict=True):  # fmt: skip
            picture, concept, population, seed = map(str, labels)
            yield picture, concept, population, seed, maps
        return
    for number, own in enumerate(zip(*(known[name] for name in who), strict=True)):
        similarity = known[f"similarity/{number}"]
        for *pair, maps in zip(*(known[name] for name in pairs), similarity, strict=True):
            picture, concept, population, seed = map(str, (*pair, *own))
            yield picture, concept, population, seed, maps


def _scored(
    folder: Path, pictures: Collection[str], template: str
) -> dict[tuple[str, str, str, str, str], float]:
    """The primary measure by population, seed, picture, concept and language, as trials hold it."""
    import pyarrow.parquet as pq

    file, manifest = sound_table(folder), saved_manifest(folder)
    if not file.is_file() or manifest is None:
        return {}
    primary = parse(manifest.paradigm.formula).response
    labels = ["population", "seed", "target_id", "word_concept", "test_language"]
    wanted = [("target_id", "in", sorted(pictures)), ("condition", "==", template)]
    table = pq.read_table(file, columns=[*labels, primary], filters=wanted)
    columns = [table[name].to_pylist() for name in labels]
    return dict(zip(zip(*columns, strict=True), table[primary].to_pylist(), strict=True))
