"""Train one subject."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Event
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from stimuli.limits import STEPS
from stimuli.schemas import Between, Source, checked
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training.adam import Adam
from toolkit.training.checkpoint import Checkpoint, StoppedError
from toolkit.training.features import FeatureBank
from toolkit.training.gathering import Buffers
from toolkit.training.logs import LogRow
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Sampler
from toolkit.training.schedule import Schedule, learning_rate
from toolkit.training.supply import Batch, Supply
from toolkit.training.validation import Validation, items_loss

SAVE_AFTER_S = 60.0
"""Seconds after which a training is saved though no validation is due."""
TELL_AFTER_S = 0.5
"""Seconds after which those who watch are told of it."""


@dataclass(frozen=True)
class Fitted:
    """A trained network and how it came about."""

    state: dict[str, Tensor]
    """Its parameters, float32."""
    log: tuple[LogRow, ...]
    """All validations, the first before any update."""
    kept_update: int
    """The update whose parameters are kept: the one with the lowest validation loss."""
    together: bool = False
    """Whether it was trained in one pass with other seeds, see `toolkit.training.together`."""
    devices: tuple[str, ...] = (CPU.told,)
    """What updates were made on, in order; several where it went on elsewhere."""


@dataclass(frozen=True)
class Standing:
    """How far the training of a subject is."""

    update: int
    """Updates made so far."""
    n_updates: int
    """Updates of the whole training."""
    train_loss: float
    """Loss of the last update; NaN before any."""
    validation: LogRow
    """The last validation."""
    devices: tuple[str, ...] = (CPU.told,)
    """What updates were made on, in order; several where it went on elsewhere."""


def fit(
    bank: FeatureBank,
    languages: Sequence[str],
    recipe: Recipe,
    seed: int,
    *,
    device: Device = CPU,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[Standing], None] = lambda _: None,
) -> Fitted:
    """Train a subject on the training split, and choose its weights on the validation split.

    What is validated and kept is a running average of the weights (Polyak & Juditsky, 1992): single
    updates differ by chance in which words and pictures they know best.

    Two runs with the same arguments on the same machine give the same weights, also when one was
    killed and goes on from its checkpoint; on a card, the last digits of sums may differ. A
    training may go on on another kind of device than it was begun on, which `Fitted.devices` tells.
    `toolkit.training.together` trains several seeds in one pass.

    Args:
        bank: features of the stimuli.
        languages: ISO codes of the languages it hears; none makes no update.
        recipe: all choices.
        seed: decides initial weights, items and dropout.
        device: where it is trained.
        checkpoint: where the state is saved, at every validation and at least every
            `SAVE_AFTER_S`; what lies there is gone on from. None: nowhere.
        watch: told how far it is, about twice a second and after every validation.

    Raises:
        StoppedError: the checkpoint said that it must end.
    """
    if not languages or not (recipe.n_updates or recipe.epochs):
        network = fresh_network(network_config(bank, recipe), seed)
        return Fitted(network.state_dict(), (), 0)
    bank = bank.few(recipe.exemplars, seed)
    seen = bank.standardised(languages) if recipe.standardise else bank
    training = Training(seen, languages, recipe, seed, device)
    with device.own_randomness(seed):
        saved = checkpoint.load() if checkpoint else None
        if saved and not training.restore(saved):
            training, saved = Training(seen, languages, recipe, seed, device), None
            torch.manual_seed(seed)
        if not saved:
            training.validate()
        saved_at = told_at = time.monotonic()
        watch(training.standing())
        while training.update < training.schedule.n_updates:
            training.step()
            due = training.is_due()
            if due:
                training.validate()
            now = time.monotonic()
            ends = checkpoint is not None and checkpoint.must_end()
            if checkpoint and (due or ends or now - saved_at > SAVE_AFTER_S):
                checkpoint.save(training.state(), training.log, training.kept)
                saved_at = now
            if ends:
                raise StoppedError
            if due or now - told_at > TELL_AFTER_S:
                watch(training.standing())
                told_at = now
    return training.finished()


def network_config(bank: FeatureBank, recipe: Recipe) -> NetworkConfig:
    """Shape of the network that a recipe asks for on these features."""
    return NetworkConfig(
        word_dim=bank.frames.shape[1],
        picture_dim=bank.maps.shape[1],
        width=recipe.width,
        embedding=recipe.embedding,
        family=recipe.family,
        temperature=recipe.temperature,
        dropout=recipe.dropout,
        position_dropout=recipe.position_dropout,
    )


@dataclass(frozen=True, kw_only=True)
class State:
    """What is kept of an unfinished training: the schema of its file, beside the key.

    Tensors, and what holds them, are looked at by whoever takes them.
    """

    update: Annotated[int, Between(0, STEPS)]
    """Updates that were made."""
    kept: Annotated[int, Between(0, STEPS)]
    """The one with the lowest validation loss."""
    log: tuple[Mapping[str, Any], ...]
    """Validations."""
    losses: tuple[Any, ...]
    """Losses since the last of them."""
    network: Mapping[str, Any]
    """Weights."""
    averaged: Mapping[str, Any]
    """Their running average."""
    best: Mapping[str, Any]
    """The weights that are kept."""
    optimiser: Mapping[str, Any]
    """State of Adam."""
    sampler: Mapping[str, Any]
    """What is drawn next."""
    torch_rng: Any
    """State of torch's random numbers."""
    together: bool = False
    """Whether it was begun with other seeds, in one pass."""
    card_rng: Mapping[str, Any] = field(default_factory=dict)
    """State of the random numbers of each kind of card that had a part in it."""
    devices: tuple[str, ...] = (CPU.told,)
    """What updates were made on, in order."""


class Training:
    """A subject in the making: all that its next update depends on."""

    def __init__(
        self,
        bank: FeatureBank,
        languages: Sequence[str],
        recipe: Recipe,
        seed: int,
        device: Device = CPU,
        buffers: Buffers | None = None,
        here: FeatureBank | None = None,
    ) -> None:
        self.bank, self.recipe, self._device = bank, recipe, device
        self._here = here or bank.on(device)
        self._devices: tuple[str, ...] = (device.told,)
        self._random_states: dict[str, Tensor] = {}
        self.schedule = Schedule.of(recipe, bank.n_clips("train", languages), len(languages))
        self.network = device.put(fresh_network(network_config(bank, recipe), seed))
        self._averaged = copy.deepcopy(self.network)
        self._best = _copy(self._averaged)
        self._optimiser = optimiser(self.network.parameters(), recipe)
        sampler = Sampler(
            bank,
            "train",
            languages,
            seed,
            negatives_from=recipe.negatives_from,
            links=recipe.links,
            epoch_clips=self.schedule.epoch_clips,
        )
        asked = recipe.items, recipe.negatives_drawn
        self._supply = Supply(self._here, sampler, *asked, buffers or Buffers())
        self._validation = Validation(self._here, languages, recipe)
        self.update = self.kept = 0
        self.log: list[LogRow] = []
        self._losses: list[float] = []

    def step(self) -> None:
        """Make one update."""
        batch = self.begin()
        if batch:
            with self._device.holding(f"an update of {self.recipe.items} items"):
                loss = items_loss(
                    self.network, batch.bank, batch.items, self.recipe.label_smoothing
                )
                del batch  # what was read is not needed any more, and the next takes as much
                with self._meanwhile():
                    loss.backward()  # type: ignore[no-untyped-call]
                self.learn(loss.item())
        self.update += 1

    @contextmanager
    def _meanwhile(self) -> Iterator[None]:
        """Have what the next update is made from fetched while gradients are computed.

        Pictures are the most of it, and those of this update are in memory until their projection
        has its gradient: three quarters of the next ones wait for that.
        """
        room = Event()
        projection = self.network.image_enc.pool.proj_in.weight
        hook = projection.register_post_accumulate_grad_hook(  # type: ignore[no-untyped-call]
            lambda _: room.set()
        )
        try:
            self.look_ahead(self.update + 1, room)
            yield
        finally:
            room.set()
            hook.remove()

    def look_ahead(self, update: int, room: Event | None = None) -> None:
        """Have what an update is made from fetched meanwhile, if there will be such an update."""
        if update < self.schedule.n_updates:
            self._supply.look_ahead(room)

    def begin(self) -> Batch | None:
        """Begin an update: draw its items; None where there is nothing to learn from them."""
        recipe = self.recipe
        rate = learning_rate(
            self.update,
            warmup_updates=self.schedule.warmup_updates,
            n_updates=self.schedule.n_updates,
            peak=recipe.peak_lr,
        )
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad()
        batch = self._supply.take()
        # An epoch may end with a single item; without negatives, it has nothing to differ from.
        return batch if recipe.negatives_drawn or len(batch.items.words.rows) > 1 else None

    def learn(self, loss: float) -> None:
        """Follow the gradients of the items' loss."""
        self._optimiser.step()
        self._average()
        self._losses.append(loss)

    def is_due(self) -> bool:
        """Whether a validation is due: at regular intervals, and at the end."""
        schedule = self.schedule
        return self.update % schedule.validate_every == 0 or self.update == schedule.n_updates

    def validate(self) -> None:
        """Add a row to the log, and keep the weights if none were better."""
        train_loss = float(np.mean(self._losses)) if self._losses else float("nan")
        self.log.append(LogRow(self.update, train_loss, *self._validation(self._averaged)))
        self._losses = []
        if not math.isfinite(self.log[-1].valid_loss):
            raise ToolkitError(
                f"The training diverged: the validation loss at update {self.update} is no number.",
                allowed="a lower peak_lr, or a longer warm-up",
            )
        losses = {row.update: row.valid_loss for row in self.log}
        if self.update and (not self.kept or losses[self.update] < losses[self.kept]):
            self.kept, self._best = self.update, _copy(self._averaged)

    def _average(self) -> None:
        """Move the running average of the weights towards those of this update.

        What is no parameter (means and variances) is a running average itself and taken over as
        it is.
        """
        share = averaging_share(self.recipe, self.update)
        averaged, network = self._averaged, self.network
        with torch.no_grad():
            for mean, weight in zip(averaged.parameters(), network.parameters(), strict=True):
                mean.lerp_(weight, 1 - share)
            for kept, buffer in zip(averaged.buffers(), network.buffers(), strict=True):
                kept.copy_(buffer)

    def standing(self) -> Standing:
        """How far it is."""
        loss = self._losses[-1] if self._losses else self.log[-1].train_loss
        return Standing(self.update, self.schedule.n_updates, loss, self.log[-1], self._devices)

    def finished(self) -> Fitted:
        """The weights with the lowest validation loss."""
        network = self.network.cpu()
        network.load(self._best, "the training")
        _fold(network, self.bank)
        return Fitted(_copy(network), tuple(self.log), self.kept, devices=self._devices)

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the training depends on."""
        own = self._device.random_state()
        if own is not None:
            self._random_states[self._device.kind] = own
        return {
            "update": self.update,
            "kept": self.kept,
            "log": [asdict(row) for row in self.log],
            "losses": self._losses,
            "network": self.network.state_dict(),
            "averaged": self._averaged.state_dict(),
            "best": self._best,
            "optimiser": self._optimiser.state_dict(),
            "sampler": self._supply.state(),
            "torch_rng": torch.get_rng_state(),
            "card_rng": self._random_states,
            "devices": list(self._devices),
        }

    def restore(self, state: dict[str, Any]) -> bool:
        """Go on as the training whose `state` this was; False where it was none, or of another.

        This training is of no use then.
        """
        try:
            self._restore(state)
        except Exception:
            # States of others make torch raise whatever it happens to stumble over.
            return False
        return True

    def _restore(self, state: dict[str, Any]) -> None:
        told = checked(State, state, Source("The state of a training"))
        self.update, self.kept = told.update, told.kept
        self.log = [LogRow(**row) for row in state["log"]]
        self._losses = state["losses"]
        self.network.load_state_dict(state["network"])
        self._averaged.load_state_dict(state["averaged"])
        self._best = state["best"]
        self._optimiser.load_state_dict(state["optimiser"])
        self._supply.restore(state["sampler"])
        torch.set_rng_state(state["torch_rng"])
        self._random_states = dict(told.card_rng)
        if self._device.kind in self._random_states:
            self._device.set_random_state(self._random_states[self._device.kind])
        here = self._device.told
        self._devices = told.devices if told.devices[-1] == here else (*told.devices, here)


def optimiser(parameters: Iterable[nn.Parameter], recipe: Recipe) -> Adam:
    """What follows the gradients."""
    return Adam(parameters, lr=recipe.peak_lr, weight_decay=recipe.weight_decay, fused=True)


def averaging_share(recipe: Recipe, update: int) -> float:
    """How much of the running average of the weights stays at an update.

    The first updates count for more than the recipe says, or the average would long remember the
    weights that training began with.
    """
    return min(recipe.averaging, (1 + update) / (10 + update))


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
