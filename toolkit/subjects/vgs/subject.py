"""A trained network with its frozen backbones, as a subject that hears clips and sees pictures.

The backbones' features of a clip or picture are the same for every seed of a population and for
every population on the same backbones. They can therefore be computed once and handed to
`embed_word_features` and `embed_picture_features`; `hearing.sha256` and `seeing.sha256` say which
features fit which subject.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toolkit.devices import CPU, Alike, Device
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.finding import BackboneRef
from toolkit.subjects.population import TRAIN_AGAIN, Population
from toolkit.subjects.vgs.config import NetworkConfig, read_config
from toolkit.subjects.vgs.families import family_of
from toolkit.subjects.vgs.standing import backbones_of, backbones_of_seed

if TYPE_CHECKING:
    from torch import Tensor

    from toolkit.subjects.backbones.hearing import Hearing
    from toolkit.subjects.backbones.seeing import Seeing
    from toolkit.subjects.vgs.learning import TowerPupils
    from toolkit.subjects.vgs.towers import Tower, VGSNetwork
    from toolkit.subjects.vgs.trained import TrainedPooling

__all__ = [
    "BackboneRef",
    "StoredNetwork",
    "VGSSubject",
    "backbone_checksum",
    "fresh_network",
    "load_subject",
]

_VALUES_AT_ONCE = 1 << 21
"""Features that go through the network together, 8 MB: larger batches are no faster, because their
copies leave the processor's caches and make the operating system clear new memory each time."""


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """A trained network as it lies on disk: scoring known embeddings needs no more than this."""

    config: NetworkConfig
    """Shape and scoring."""
    state: Mapping[str, NDArray[Any]]
    """Parameters under the published names, in whatever precision."""
    source: str
    """Where they come from, for error messages."""

    @classmethod
    def of(cls, network: VGSNetwork) -> StoredNetwork:
        """The parameters of a network in memory."""
        state = {name: value.numpy() for name, value in network.state_dict().items()}
        return cls(network.config, state, "memory")

    def build(self) -> VGSNetwork:
        """The network itself, in single precision and evaluation mode.

        Raises:
            ToolkitError: the parameters do not fit; all that differ are listed.
        """
        import torch

        from toolkit.subjects.vgs.towers import network_for

        state = {name: torch.from_numpy(v) for name, v in self.state.items()}
        return network_for(self.config, state, self.source).eval()


class VGSSubject:
    """Hears words and sees pictures through frozen backbones and one trained network.

    torch is imported when something must be embedded; to score embeddings it is not needed, so
    that a run on stored embeddings starts at once.

    Args:
        stored: a trained network.
        hearing: gives speech features, list of (frames, word_dim).
        seeing: gives feature maps, (m, picture_dim, height, width).
        device: where the network computes.
    """

    def __init__(
        self,
        stored: StoredNetwork,
        hearing: BackboneRef,
        seeing: BackboneRef,
        device: Device = CPU,
    ) -> None:
        self.stored = stored
        self.hearing = hearing
        self.seeing = seeing
        self.device = device

    def on(self, device: Device) -> VGSSubject:
        """The same subject, backbones and network computing on a device."""
        return VGSSubject(self.stored, self.hearing.on(device), self.seeing.on(device), device)

    @cached_property
    def network(self) -> VGSNetwork:
        """The network, built when first needed."""
        return self.device.put(self.stored.build())

    def embed_words(self, clips: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Embed spoken words.

        Args:
            clips: mono samples in [-1, 1] at 16 kHz, each of shape (samples,).

        Returns:
            Shape (n, d), float32, in the order given, not normalised.
        """
        backbone: Hearing = self.hearing.load()
        return self.embed_word_features(backbone.features(clips))

    def embed_pictures(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed pictures.

        Args:
            pictures: RGB, uint8, each of shape (height, width, 3).

        Returns:
            Shape (m, d), float32, in the order given, not normalised.
        """
        backbone: Seeing = self.seeing.load()
        return self.embed_picture_features(backbone.features(pictures))

    def embed_word_features(self, features: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Embed words from the hearing backbone's features.

        Words of equal length go through the network together, so that none is ever padded.

        Args:
            features: one array of shape (frames, word_dim) per word.

        Returns:
            Shape (n, d), float32, in the order given.

        Raises:
            ToolkitError: features with another number of channels, or without frames.
        """
        import torch

        by_length: dict[int, list[int]] = defaultdict(list)
        for place, feature in enumerate(features):
            _check_channels("word", feature.shape, 2, 1, self.stored.config.word_dim, self.hearing)
            by_length[len(feature)].append(place)
        network = self.network
        trained = self._trained(network.audio_enc)

        def encode(some: Sequence[int]) -> Tensor:
            batch = torch.from_numpy(np.stack([features[place] for place in some])).float()
            return trained.clips(batch) if trained else network.encode_words(self.device.to(batch))

        groups = (_alike(places, features[places[0]].size) for places in by_length.values())
        return self._embedded(len(features), trained, self.device.portions(encode, *groups))

    def embed_picture_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed pictures from the seeing backbone's feature maps.

        Args:
            features: shape (m, picture_dim, height, width).

        Returns:
            Shape (m, d), float32, in the order given.

        Raises:
            ToolkitError: feature maps with another number of channels.
        """
        dim = self.stored.config.picture_dim
        _check_channels("picture", features.shape, 4, 1, dim, self.seeing)
        import torch

        network = self.network
        trained = self._trained(network.image_enc)

        def encode(some: Sequence[int]) -> Tensor:
            batch = torch.from_numpy(np.ascontiguousarray(features[some[0] : some[-1] + 1]))
            if trained:
                return trained.pictures(batch.float())
            return network.encode_pictures(self.device.to(batch.float()))

        rows = _alike(range(len(features)), math.prod(features.shape[1:]))
        return self._embedded(len(features), trained, self.device.portions(encode, rows))

    def _trained(self, tower: Tower) -> TrainedPooling | None:
        """How a tower is asked quickest; None: as it learns."""
        from toolkit.subjects.vgs.trained import WIDE, TrainedPooling

        wide = tower.pool.proj_in.in_features >= WIDE and self.device.kind == "cpu"
        return TrainedPooling(tower.pool) if wide else None

    def _embedded(
        self,
        n: int,
        trained: TrainedPooling | None,
        portions: Iterator[tuple[Sequence[int], Tensor]],
    ) -> NDArray[np.float32]:
        """Embeddings of all clips or pictures, (n, d), from what was made of some after others."""
        columns = trained.columns if trained else self.stored.config.embedding
        out = np.empty((n, columns), dtype=np.float32)
        for some, made in portions:
            out[some] = made.cpu().numpy()
        return trained.embedded(out) if trained else out

    def pupils(
        self,
        words: Sequence[NDArray[np.float32]],
        pictures: NDArray[np.float32],
        *,
        rate: float,
        steps: int,
    ) -> TowerPupils:
        """The network at the start of lessons on known words and pictures.

        Lessons are worked on by the processor, whatever the subject computes on.

        Args:
            words: one array of shape (frames, word_dim) per word.
            pictures: shape (m, picture_dim, height, width).
            rate: length of a step, as a multiple of the gradient.
            steps: steps on the pairs of a lesson.

        Raises:
            ToolkitError: features with another number of channels, or without frames.
        """
        from toolkit.subjects.vgs.learning import TowerPupils

        config = self.stored.config
        for feature in words:
            _check_channels("word", feature.shape, 2, 1, config.word_dim, self.hearing)
        _check_channels("picture", pictures.shape, 4, 1, config.picture_dim, self.seeing)
        # Lessons are told from outside which gradients to take; none is to be kept for later.
        network = self.stored.build().requires_grad_(False)
        return TowerPupils(network, words, pictures, rate, steps, self.similarity)

    def learn(
        self,
        pairs: Sequence[tuple[NDArray[np.float32], NDArray[np.uint8]]],
        *,
        rate: float,
        steps: int,
    ) -> VGSSubject:
        """The subject after some steps down the gradient of n pairs of clips and pictures.

        Each word is to be told by its picture among those of all pairs, and each picture by its
        word; one pair alone has nothing to be told from, and teaches nothing.

        Args:
            pairs: clips, shape (samples,), and pictures, shape (height, width, 3).
            rate: length of a step, as a multiple of the gradient.
            steps: steps on all pairs.
        """
        clips, pictures = zip(*pairs, strict=True)
        heard, seen = self.hearing.load().features(clips), self.seeing.load().features(pictures)
        taught = self.pupils(heard, seen, rate=rate, steps=steps)
        each = np.arange(len(pairs), dtype=np.int32)
        (learnt,) = taught.learn([taught.start], [each], [each])
        state = {**self.stored.state, **{name: value.numpy() for name, value in learnt.items()}}
        stored = StoredNetwork(self.stored.config, state, self.stored.source)
        return VGSSubject(stored, self.hearing, self.seeing, self.device)

    def similarity(
        self, words: NDArray[np.float32], pictures: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Score words against pictures as the network's family does; higher is a better match.

        Args:
            words: embeddings, shape (n, d).
            pictures: embeddings, shape (m, d).

        Returns:
            Shape (n, m), float32.
        """
        return family_of(self.stored.config).score(self.stored.state, words, pictures)


def load_subject(population: Population, seed: str) -> VGSSubject:
    """Make a subject from a population folder; the factory that `population.toml` names.

    Args:
        population: has a folder with `config.json` and `<seed>.safetensors`.
        seed: one of its seeds.

    Raises:
        ToolkitError: a file is missing, damaged or changed, or the weights do not fit the network.
    """
    name = f"{seed}.safetensors"
    path = population.file(name)
    population.verified("config.json")
    config = read_config(population.file("config.json"))
    state = _read_weights(path, population.content(name))
    for parameter in family_of(config.network).parameters:
        if parameter not in state:
            raise ToolkitError(
                f"The weights in {path} do not fit the network: {parameter} is missing."
            )
    stored = StoredNetwork(config.network, state, str(path))
    named = backbones_of_seed(config, seed, path.parent)
    stands_on = backbones_of(named, path.parent, population.features)
    return VGSSubject(stored, stands_on["hearing"], stands_on["seeing"])


def _read_weights(path: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """The parameters in a safetensors file, all of them finite numbers."""
    from safetensors.numpy import load

    try:
        state: dict[str, NDArray[Any]] = load(content)
    except Exception as error:
        # Damaged bytes, and types that NumPy does not have, raise whatever comes of them.
        raise ToolkitError(
            f"{path} is not a readable safetensors file: {error}.", next_command=TRAIN_AGAIN
        ) from error
    for name, values in state.items():
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise ToolkitError(
                f"The weights in {path} are damaged: {name} holds what is no finite number.",
                allowed="floats and whole numbers",
                next_command=TRAIN_AGAIN,
            )
    return state


def fresh_network(config: NetworkConfig, seed: int = 0) -> VGSNetwork:
    """A network with its initial weights, leaving the global random state as it was.

    Args:
        config: shape and scoring.
        seed: decides the weights.
    """
    import torch

    from toolkit.subjects.vgs.towers import VGSNetwork

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VGSNetwork(config)


def _alike(places: Sequence[int], values: int) -> Alike[int]:
    """Places of clips or pictures that have so many values each."""
    return Alike(places, max(1, _VALUES_AT_ONCE // max(1, values)), 4 * values)


def _check_channels(
    what: str,
    shape: tuple[int, ...],
    dimensions: int,
    axis: int,
    channels: int,
    backbone: BackboneRef | None,
) -> None:
    """Refuse features that another backbone made."""
    empty = dimensions == 2 and not shape[0]
    if len(shape) != dimensions or shape[axis] != channels or empty:
        raise ToolkitError(
            f"These {what} features do not fit the network.",
            given=f"shape {shape}",
            allowed=f"{dimensions} dimensions, {channels} channels on axis {axis}",
            next_command=f"mevgs-toolkit extract-features SET --out DIR, with the backbone that "
            f"the network was trained on in the place of {backbone.folder}, then --features DIR"
            if backbone
            else None,
        )
