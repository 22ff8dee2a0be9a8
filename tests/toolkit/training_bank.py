"""Random features with classes, small enough to train on in a moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from toolkit.training.features import SPLITS, FeatureBank

CONCEPTS = ("bear", "clock", "dog")


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
