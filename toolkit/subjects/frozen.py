"""The frozen features under a population's networks, as a subject: what was there before training.

Asked for as ``NAME/frozen``. Words are the hearing backbone's features averaged over time, pictures
the seeing backbone's averaged over the picture, as in the published analysis of translation (Oneata
et al. 2025, arXiv 2506.04037). Both lie in spaces of their own: paradigms that compare words with
words can be asked, those that compare words with pictures cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from toolkit.devices import Device
from toolkit.errors import ToolkitError
from toolkit.subjects.contract import Backbone, Clip, Floats, Picture, SharesBackbones
from toolkit.subjects.population import Population

SEED = "frozen"
"""What stands in place of a training seed: nothing was trained."""


class FrozenFeatures:
    """A subject that has no network, only frozen backbones.

    Args:
        hearing: gives n clips as n arrays of (frames, channels).
        seeing: gives m pictures as (m, channels, height, width).
    """

    def __init__(self, hearing: Backbone, seeing: Backbone) -> None:
        self.hearing = hearing
        self.seeing = seeing

    def on(self, device: Device) -> FrozenFeatures:
        """The same subject, backbones computing on a device; averages are taken as ever."""
        return FrozenFeatures(self.hearing.on(device), self.seeing.on(device))

    def embed_words(self, clips: Sequence[Clip]) -> Floats:
        """Features of n clips, averaged over time, (n, channels)."""
        return self.embed_word_features(self.hearing.load().features(clips))

    def embed_pictures(self, pictures: Sequence[Picture]) -> Floats:
        """Features of m pictures, averaged over the picture, (m, channels)."""
        return self.embed_picture_features(self.seeing.load().features(pictures))

    def embed_word_features(self, features: Any) -> Floats:
        """Average n arrays of (frames, channels) over time, (n, channels).

        Example:
            >>> subject = FrozenFeatures(None, None)
            >>> subject.embed_word_features([np.eye(2), np.ones((3, 2))]).tolist()
            [[0.5, 0.5], [1.0, 1.0]]
        """
        return np.stack([clip.mean(axis=0, dtype=np.float64) for clip in features]).astype(
            np.float32
        )

    def embed_picture_features(self, features: Any) -> Floats:
        """Average (m, channels, height, width) over the picture, (m, channels)."""
        averaged: Floats = features.mean(axis=(2, 3), dtype=np.float64).astype(np.float32)
        return averaged

    def similarity(self, words: Floats, pictures: Floats) -> Floats:
        """Refuse: untrained features of words and pictures have nothing in common.

        Raises:
            ToolkitError: always.
        """
        raise ToolkitError(
            "Frozen features of words and pictures lie in different spaces and cannot be compared.",
            given=f"{words.shape[-1]} and {pictures.shape[-1]} dimensions",
            allowed="a paradigm that compares words with words, such as translation",
            next_command="mevgs-toolkit run-paradigm translation --subject NAME/frozen",
        )


def frozen(population: Population) -> Population:
    """The frozen features under a population, as a population with the single seed ``frozen``.

    Its checksum follows the backbones (through ``config.json``), not the trained networks.

    Args:
        population: its networks stand on frozen backbones.

    Raises:
        ToolkitError: nothing in its folder tells of backbones.
    """
    if not has_backbones(population):
        raise _no_backbones(population)

    def load(own: Population, seed: str) -> FrozenFeatures:
        network = replace(population, features=own.features).load(population.seeds[0])
        if not isinstance(network, SharesBackbones):
            raise _no_backbones(population)
        return FrozenFeatures(network.hearing, network.seeing)

    return replace(
        population,
        name=f"{population.name}-{SEED}",
        seeds=(SEED,),
        description=f"The frozen features under {population.name}, averaged; nothing is trained.",
        factory=load,
        familiar={},
    )


def has_backbones(population: Population) -> bool:
    """Whether a file tells of backbones; without it nothing would tell one from the next."""
    return population.folder is not None and (population.folder / "config.json").is_file()


def _no_backbones(population: Population) -> ToolkitError:
    return ToolkitError(
        f"Population {population.name!r} does not stand on frozen backbones.",
        allowed="a population of networks on a hearing and a seeing backbone, which its "
        "config.json names",
        next_command="mevgs-toolkit list subjects",
    )
