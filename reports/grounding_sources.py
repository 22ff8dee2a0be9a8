"""What runs of dense grounding have left behind beside their trials: agreement and sample maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd


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
    """(languages, h, w) similarity of every place to the word."""


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
                read = {"seed": str, "language_a": str, "language_b": str}
                # A language may be called "nan" or "none"; only numbers can be missing.
                table = pd.read_csv(folder / "agreement.csv", dtype=read, keep_default_na=False,
                                    na_values={"iou_cluster": [""], "iou_p95": [""]})  # fmt: skip
                tables.append(table)
            if (folder / "maps.npz").is_file():
                samples += _samples(folder / "maps.npz")
        except (OSError, ValueError, KeyError) as error:
            raise ToolkitError(f"{folder} holds damaged maps: {error}.") from error
    return Maps(pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(), tuple(samples))


def _samples(file: Path) -> list[Sample]:
    with np.load(file, allow_pickle=False) as held:
        known: dict[str, Any] = {name: held[name] for name in held.files}
    languages = [str(code) for code in known["languages"]]
    n = len(known["picture_ids"])
    templates = np.broadcast_to(np.asarray(known.get("template", "")), (n,))
    made = []
    for place in range(n):
        maps = np.asarray(known["similarity"][place], np.float32)
        asked = [number for number, one in enumerate(maps) if not np.isnan(one).any()]
        picture, concept, population, seed = (
            str(known[name][place]) for name in ("picture_ids", "concepts", "populations", "seeds")
        )
        made.append(
            Sample(
                picture_id=picture,
                concept=concept,
                population=population,
                seed=seed,
                template=str(templates[place]),
                languages=tuple(languages[number] for number in asked),
                similarity=maps[asked],
            )
        )
    return made
