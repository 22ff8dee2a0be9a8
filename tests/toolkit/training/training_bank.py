"""Small things to train on in a moment: random features with classes, a set, an ear, an eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from toolkit.devices import CPU, Device
from toolkit.training.features import SPLITS, FeatureBank
from toolkit.training.recipe import Recipe

EARS_AND_EYES: list[Device] = []
"""Where those that were made compute."""
CONCEPTS = ("bear", "clock", "dog")
RECIPE = Recipe(
    n_updates=40,
    items=7,
    negatives=5,
    warmup_updates=3,
    validate_every=20,
    validation_items=11,
    word_views=2,
    picture_views=3,
)


def make_bank(
    n_words: int = 2,
    n_pictures: int = 3,
    *,
    concepts: Sequence[str] = CONCEPTS,
    languages: Sequence[str] = ("en", "nl"),
    views: int = 1,
) -> FeatureBank:
    """Random features around one centre per class; words of 2 to 4 frames."""
    rng = torch.Generator().manual_seed(0)
    heard = torch.randn(len(concepts), 5, generator=rng)
    seen = torch.randn(len(concepts), 7, generator=rng)
    word_table, picture_table, frames, maps = [], [], [], []
    for split in SPLITS:
        for place, concept in enumerate(concepts):
            for language in languages:
                for row in range(n_words * views):
                    length = 2 + len(word_table) % 3
                    frames.append(heard[place] + 0.3 * torch.randn(length, 5, generator=rng))
                    name = f"{split}-{language}-{concept}-{row // views}"
                    word_table.append((name, split, concept, language))
            for _ in range(n_pictures):
                maps.append(seen[place][:, None, None] + torch.randn(7, 2, 3, generator=rng))
                picture_table.append((f"picture-{len(picture_table)}", split, concept))
    return FeatureBank(
        concepts=tuple(concepts),
        word_table=tuple(word_table),
        picture_table=tuple(picture_table),
        frames=torch.cat(frames).half(),
        word_start=np.concatenate([[0], np.cumsum([len(one) for one in frames])]),
        maps=torch.stack(maps).half(),
    )


class SmallSet:
    """Stands for a stimulus set; notes every file that is read."""

    name, version, checksum, languages = "small", "1", "0", ("en", "nl")

    def __init__(self) -> None:
        rows = [
            {
                "kind": kind,
                "split": split,
                "concept": concept,
                "status": status,
                "language": language,
            }
            for concept, status in (*((c, "familiar") for c in CONCEPTS), ("crown", "novel"))
            for split in (("train", "valid", "test") if status == "familiar" else ("test",))
            for kind, language in (("word", "en"), ("word", "nl"), ("picture", ""), ("picture", ""))
        ]
        self.table = pd.DataFrame(rows)
        self.table.index = pd.Index([f"s{n}" for n in range(len(rows))], name="stimulus_id")
        self.read: list[str] = []

    def select(self, **wanted: str) -> pd.DataFrame:
        rows = self.table
        for column, value in wanted.items():
            rows = rows[rows[column] == value]
        return rows

    def read_clip(self, name: str) -> np.ndarray:
        self.read.append(name)
        return np.random.default_rng(len(name)).standard_normal(640).astype(np.float32) / 9

    def read_picture(self, name: str) -> np.ndarray:
        self.read.append(name)
        return np.random.default_rng(len(name)).integers(256, size=(5, 5, 3)).astype(np.uint8)


class Ear:
    """Stands for the speech backbone."""

    def __init__(self, folder: Path | None = None, device: Device = CPU) -> None:
        EARS_AND_EYES.append(device)

    def features(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        assert all(len(clip) % 640 == 0 for clip in clips)
        return [np.resize(clip, (len(clip) // 320, 5)).astype(np.float32) for clip in clips]


class Eye:
    """Stands for the picture backbone."""

    def __init__(self, folder: Path | None = None, device: Device = CPU) -> None:
        EARS_AND_EYES.append(device)

    def features(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([np.resize(picture / 255, (7, 2, 3)) for picture in pictures]).astype("f")
