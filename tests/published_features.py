"""The published data with features, small and made up: no backbone is on the machine.

Features are as the published code writes them: nothing tells what made them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from stimuli.importing import import_layout
from tests.stimuli.published_layout import SPOKEN, write_published_data
from toolkit.training.conditions import Condition
from toolkit.training.populations import train_populations
from toolkit.training.recipe import PUBLISHED
from toolkit.training.sources import open_source

HEARING, SEEING = "wavlm-base-plus", "dino-resnet50"
RECIPE = replace(PUBLISHED, epochs=2, warmup_epochs=1, items=5, width=64, embedding=3)
WORD_DIM, PICTURE_DIM = 5, 7

Change = Callable[[np.ndarray], np.ndarray]


def write_published_features(root: Path, change: Change = lambda feature: feature) -> Path:
    """Write `root/output` for the lists in `root/data`; returns `root/output`.

    Args:
        root: folder with `data`.
        change: makes others of the features, for another backbone.
    """
    lists, output = root / "data" / "filelists", root / "output"
    for split in ("train", "valid", "test"):
        words = json.loads((lists / f"audio-{split}-3.json").read_text())
        for language in SPOKEN:
            own = {w["name"]: w["word-en"] for w in words if w["lang"] == language}
            path = output / "features-audio" / f"me-dataset-{split}-{language}-{HEARING}.h5"
            _write(path, own, (4, WORD_DIM), change)
        pictures = json.loads((lists / f"image-{split}.json").read_text())
        path = output / "features-image" / f"me-dataset-{split}-{SEEING}.h5"
        _write(path, {p["name"]: p["word-en"] for p in pictures}, (PICTURE_DIM, 2, 2), change)
    return output


def _write(path: Path, names: dict[str, str], shape: tuple[int, ...], change: Change) -> None:
    """Features that tell classes apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, concept in names.items():
            of_class, own = (np.random.default_rng(list(t.encode())) for t in (concept, name))
            feature = of_class.normal(size=shape) + 0.3 * own.normal(size=shape)
            file.create_group(name).create_dataset("feature", data=change(feature).astype("f"))


def write_all(root: Path) -> Path:
    """Write `me-vgs` with data and features, `set` made of them, `subjects` trained on them."""
    published = root / "me-vgs"
    write_published_data(published)
    write_published_features(published)
    import_layout(published, root / "set")
    train(root)
    return root


def train(root: Path, seeds: str = "a") -> None:
    """Train `bilingual-en-nl` into `subjects`, or what is missing of it."""
    source = open_source(root / "me-vgs", HEARING, SEEING)
    train_populations(
        [Condition.of(["en", "nl"], RECIPE)], seeds, root / "subjects", source, jobs=1
    )
