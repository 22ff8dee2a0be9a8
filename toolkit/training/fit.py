"""Train one subject."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from toolkit.subjects.network_config import NetworkConfig
from toolkit.subjects.vgs import VGSNetwork, paired_loss
from toolkit.subjects.vgs_subject import fresh_network
from toolkit.training.features import FeatureBank
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Items, Sampler
from toolkit.training.schedule import learning_rate

_VALIDATION_SEED = 20250817
_ENCODE_AT_ONCE = 256


@dataclass(frozen=True)
class LogRow:
    """One validation."""

    update: int
    """Updates made so far."""
    train_loss: float
    """Mean training loss since the row before; NaN in the first."""
    valid_loss: float
    """Loss of the fixed validation sample."""
    valid_accuracy: float
    """Share of (word, right picture, wrong picture) triples of the validation split in which the
    right picture scores higher, averaged over classes and languages."""


@dataclass(frozen=True)
class Fitted:
    """A trained network and how it came about."""

    state: dict[str, Tensor]
    """Its parameters, float32."""
    log: tuple[LogRow, ...]
    """All validations, the first before any update."""
    kept_update: int
    """The update whose parameters are kept: the one with the lowest validation loss."""


def fit(bank: FeatureBank, languages: Sequence[str], recipe: Recipe, seed: int) -> Fitted:
    """Train a subject on the training split, and choose its weights on the validation split.

    What is validated and kept is a running average of the weights (Polyak & Juditsky, 1992): single
    updates differ by chance in which words and pictures they know best.

    Two runs with the same arguments on the same machine give the same weights.

    Args:
        bank: features of the stimuli.
        languages: ISO codes of the languages it hears; none makes no update.
        recipe: all choices.
        seed: decides initial weights, items and dropout.
    """
    network = fresh_network(network_config(bank, recipe), seed)
    if not languages or not recipe.n_updates:
        return Fitted(network.state_dict(), (), 0)
    bank = bank.standardised(languages)
    sampler = Sampler(bank, "train", languages, seed, negatives_from=recipe.negatives_from)
    validation = Validation(bank, languages, recipe)
    optimiser = torch.optim.Adam(
        network.parameters(), lr=recipe.peak_lr, weight_decay=recipe.weight_decay, fused=True
    )
    averaged = copy.deepcopy(network)
    log = [LogRow(0, float("nan"), *validation(averaged))]
    best, kept = log[0].valid_loss, 0
    state = _copy(averaged)
    losses: list[float] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for update in range(recipe.n_updates):
            rate = learning_rate(
                update,
                warmup_updates=recipe.warmup_updates,
                n_updates=recipe.n_updates,
                peak=recipe.peak_lr,
            )
            for group in optimiser.param_groups:
                group["lr"] = rate
            network.train()
            items = sampler.draw(recipe.items, recipe.negatives)
            loss = items_loss(network, bank, items, recipe.label_smoothing)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            _average(averaged, network, recipe.averaging, update)
            losses.append(loss.item())
            if (update + 1) % recipe.validate_every == 0 or update + 1 == recipe.n_updates:
                log.append(LogRow(update + 1, float(np.mean(losses)), *validation(averaged)))
                losses = []
                if log[-1].valid_loss < best:
                    best, kept, state = log[-1].valid_loss, update + 1, _copy(averaged)
    network.load(state, "the training")
    _fold(network, bank)
    return Fitted(_copy(network), tuple(log), kept)


def items_loss(
    network: VGSNetwork, bank: FeatureBank, items: Items, label_smoothing: float = 0.0
) -> Tensor:
    """What an update makes small: every word and picture of the items is encoded once.

    Dropout therefore treats a word alike wherever it stands in for a negative.

    Args:
        network: in training mode or not.
        bank: features that the items name.
        items: what a sampler drew.
        label_smoothing: share of the target that is spread over all choices.

    Returns:
        A scalar.
    """
    words = network.encode_words(*bank.words(items.words.rows))[items.words.places]
    pictures = network.encode_pictures(bank.pictures(items.pictures.rows))[items.pictures.places]
    return paired_loss(network, words, pictures, label_smoothing)


def _average(averaged: VGSNetwork, network: VGSNetwork, share: float, update: int) -> None:
    """Move the running average of the weights towards those of an update.

    The first updates count for more than ``1 - share``, or the average would long remember the
    weights that training began with.
    """
    share = min(share, (1 + update) / (10 + update))
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight, 1 - share)


def network_config(bank: FeatureBank, recipe: Recipe) -> NetworkConfig:
    """Shape of the network that a recipe asks for on these features."""
    return NetworkConfig(
        word_dim=bank.frames.shape[1],
        picture_dim=bank.maps.shape[1],
        width=recipe.width,
        embedding=recipe.embedding,
        temperature=recipe.temperature,
        dropout=recipe.dropout,
    )


class Validation:
    """Loss and accuracy on the held-out familiar words and pictures.

    Args:
        bank: features of the stimuli.
        languages: ISO codes.
        recipe: size of the fixed sample, which is the same for all seeds.
    """

    def __init__(self, bank: FeatureBank, languages: Sequence[str], recipe: Recipe) -> None:
        sampler = Sampler(
            bank, "valid", languages, _VALIDATION_SEED, negatives_from=recipe.negatives_from
        )
        self._bank = bank
        self._items = sampler.draw(recipe.validation_items, recipe.negatives)
        self._words = [
            [bank.word_rows("valid", concept, language) for concept in bank.concepts]
            for language in languages
        ]
        self._pictures = [bank.picture_rows("valid", concept) for concept in bank.concepts]

    def __call__(self, network: VGSNetwork) -> tuple[float, float]:
        """Validation loss and accuracy of a network."""
        network.eval()
        with torch.inference_mode():
            word_rows = np.unique(np.concatenate([r for rows in self._words for r in rows]))
            picture_rows = np.concatenate(self._pictures)
            words = torch.empty(len(self._bank.word_table), network.config.embedding)
            for start in range(0, len(word_rows), _ENCODE_AT_ONCE):
                some = word_rows[start : start + _ENCODE_AT_ONCE]
                words[some] = network.encode_words(*self._bank.words(some))
            pictures = torch.empty(len(self._bank.picture_table), network.config.embedding)
            pictures[picture_rows] = network.encode_pictures(self._bank.pictures(picture_rows))
            loss = paired_loss(
                network,
                words[self._items.words.rows][self._items.words.places],
                pictures[self._items.pictures.rows][self._items.pictures.places],
            )
            shares = []
            for per_concept in self._words:
                for concept, rows in enumerate(per_concept):
                    shares.append(self._accuracy(network, words[rows], pictures, concept))
        return float(loss), float(np.mean(shares))

    def _accuracy(
        self, network: VGSNetwork, words: Tensor, pictures: Tensor, concept: int
    ) -> float:
        """Share of triples answered rightly for the words of one class; a tie counts half."""
        right = network.similarity(words, pictures[self._pictures[concept]])
        others = [rows for place, rows in enumerate(self._pictures) if place != concept]
        wrong = network.similarity(words, pictures[np.concatenate(others)])
        margin = right.unsqueeze(2) - wrong.unsqueeze(1)
        return float((margin > 0).float().mean() + 0.5 * (margin == 0).float().mean())


def _fold(network: VGSNetwork, bank: FeatureBank) -> None:
    """Take the scaling of the features into the input projections.

    The network then works on features as the backbones give them.
    """
    scales = ((network.audio_enc, bank.word_scale), (network.image_enc, bank.picture_scale))
    with torch.no_grad():
        for tower, scale in scales:
            if scale:
                projection = tower.pool.proj_in
                projection.weight.div_(scale.deviation)
                projection.bias.sub_(projection.weight @ scale.mean)


def _copy(network: VGSNetwork) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in network.state_dict().items()}
