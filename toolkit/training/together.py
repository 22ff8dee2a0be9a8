"""Train several seeds of one condition in one pass.

Each has items, initial weights and a random stream of its own, those that it has where it is
trained alone on a processor (`toolkit.training.fit`): what it learns differs by rounding. It is the
same to the last bit whatever other seeds are in the pass, so that neither a stop nor how seeds are
split among processes changes it.

On a card, as many go through one pass as its free memory is taken to hold; where that turns out not
to suffice, an update is made again in halves. Random numbers are drawn on the processor there too:
a pass may go on on either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from toolkit.devices import CPU, Device, ran_out
from toolkit.subjects.vgs.families import FAMILIES
from toolkit.subjects.vgs.family import Chosen, Family
from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training import fit, packed
from toolkit.training.checkpoint import Checkpoint, StoppedError
from toolkit.training.features import FeatureBank
from toolkit.training.fit import Fitted, Standing, Training, averaging_share
from toolkit.training.gathering import Buffers
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Choices
from toolkit.training.supply import Batch

_BYTES_AT_ONCE = 1 << 30
"""Features that are looked up for one pass on a processor."""
_BESIDE = 8
"""Memory of a card that an update is taken to need, as a multiple of its features. It is a first
guess only: what turns out not to fit is made in halves."""
_KINDS = ("cpu", "cuda")
"""Kinds of devices that have all that a pass of several seeds is made of."""


def can_be_together(languages: Sequence[str], recipe: Recipe, device: Device = CPU) -> bool:
    """Whether seeds of a condition can be trained in one pass.

    Args:
        languages: ISO codes of the languages it hears.
        recipe: how it is trained.
        device: where. In ``bf16``, seeds are trained one at a time.

    Example:
        >>> can_be_together(["en"], Recipe()), can_be_together([], Recipe())
        (True, False)
    """
    updates = together_on(device) and (recipe.n_updates or recipe.epochs)
    return bool(languages and updates) and FAMILIES[recipe.family].seeds_together


def together_on(device: Device) -> bool:
    """Whether a device can train several seeds in one pass.

    Args:
        device: any.

    Example:
        >>> together_on(CPU), together_on(Device("mps")), together_on(Device("cuda:0", "bf16"))
        (True, False, False)
    """
    return device.kind in _KINDS and device.precision != "bf16"


def begun_together(checkpoint: Checkpoint) -> bool | None:
    """Whether a subject was begun together with others; None: it was not begun.

    Args:
        checkpoint: of the subject.
    """
    saved = checkpoint.load()
    return bool(saved.get("together")) if saved else None


def fit_together(
    banks: Sequence[FeatureBank],
    languages: Sequence[str],
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    checkpoints: Sequence[Checkpoint | None],
    watch: Callable[[int, Standing], None] = lambda *_: None,
    device: Device = CPU,
) -> list[Fitted]:
    """Train several seeds of one condition, see `toolkit.training.fit.fit`.

    Those that have made fewer updates than others go first, until all go on side by side.

    Args:
        banks: features of the stimuli that each of them meets, as many as seeds.
        languages: ISO codes of the languages they hear.
        recipe: all choices, see `can_be_together`.
        seeds: decide initial weights, items and dropout.
        checkpoints: where the state of each seed is saved and gone on from.
        watch: called with the place of a seed in `seeds` and how far it is.
        device: where they are trained, see `together_on`.

    Raises:
        StoppedError: one of the checkpoints said that it must end.
        NoRoomError: a card has no room for an update of a single seed.
    """
    banks = [bank.few(recipe.exemplars, seed) for bank, seed in zip(banks, seeds, strict=True)]
    if recipe.standardise:
        # Seeds of one condition share a bank, unless each is of another draw of concepts.
        different = {id(bank): bank for bank in banks}
        scaled = {key: bank.standardised(languages) for key, bank in different.items()}
        banks = [scaled[id(bank)] for bank in banks]
    buffers = Buffers()
    trainings = [
        _begun(bank, here, languages, recipe, seed, checkpoint, buffers)
        for bank, here, seed, checkpoint in zip(
            banks, _placed(banks, device), seeds, checkpoints, strict=True
        )
    ]

    def tell(some: Sequence[Together]) -> None:
        for training in some:
            watch(trainings.index(training), training.standing())

    tell(trainings)
    at_once = _at_once(_bytes(banks[0], recipe), device)
    saved_at = told_at = time.monotonic()
    while behind := _furthest_behind(trainings):
        groups = [behind[start : start + at_once] for start in range(0, len(behind), at_once)]
        for group, following in zip(groups, [*groups[1:], groups[0]], strict=True):
            at_once = min(at_once, step(group, following))
        due, now = behind[0].is_due(), time.monotonic()
        ends = _must_end(checkpoints)
        if due or ends or now - saved_at > fit.SAVE_AFTER_S:
            _keep(behind, due)
            saved_at = now
        if ends:
            raise StoppedError
        if due or now - told_at > fit.TELL_AFTER_S:
            tell(behind)
            told_at = now
    return [training.finished() for training in trainings]


class Together(Training):
    """A subject that is trained with others; its parameters lie in one vector."""

    def __init__(
        self,
        bank: FeatureBank,
        languages: Sequence[str],
        recipe: Recipe,
        seed: int,
        checkpoint: Checkpoint | None = None,
        buffers: Buffers | None = None,
        here: FeatureBank | None = None,
    ) -> None:
        self.device = here.device if here else CPU
        """Where it is trained."""
        super().__init__(bank, languages, recipe, seed, self.device, buffers, here)
        self.generator = torch.Generator().manual_seed(seed)
        """What `fit` draws from the global one."""
        self.vector, self._mean = _joined(self.network), _joined(self._averaged)
        self._optimiser = fit.optimiser([self.vector], recipe)
        self._checkpoint = checkpoint

    def save(self) -> None:
        """Save the state, if there is a place for it."""
        if self._checkpoint:
            self._checkpoint.save(self.state(), self.log, self.kept)

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the training depends on, and that it was begun together."""
        own = {"torch_rng": self.generator.get_state(), "card_rng": {}, "together": True}
        return super().state() | own

    def _restore(self, state: dict[str, Any]) -> None:
        with torch.random.fork_rng(devices=[]):
            super()._restore(state)
        self.generator.set_state(state["torch_rng"])

    def finished(self) -> Fitted:
        """The weights with the lowest validation loss."""
        return replace(super().finished(), together=True)

    def _average(self) -> None:
        share = averaging_share(self.recipe, self.update)
        with torch.no_grad():
            self._mean.lerp_(self.vector, 1 - share)


def _placed(banks: Sequence[FeatureBank], device: Device) -> list[FeatureBank]:
    """Banks that hand out features on a device; features that some share lie there once."""
    placed: dict[int, FeatureBank] = {}
    there: dict[int, FeatureBank] = {}
    for bank in banks:
        if id(bank) in placed:
            continue
        same, own = there.get(id(bank.maps)), bank
        if same:
            own = replace(bank, frames=same.frames, maps=same.maps, disk=same.disk)
        placed[id(bank)] = there[id(bank.maps)] = own.on(device)
    return [placed[id(bank)] for bank in banks]


def _at_once(update_bytes: int, device: Device) -> int:
    """How many seeds go through one pass, by what the features of one take."""
    room = _BYTES_AT_ONCE if device.kind == "cpu" else device.free_bytes() // _BESIDE
    return max(1, room // update_bytes)


def _begun(
    bank: FeatureBank,
    here: FeatureBank,
    languages: Sequence[str],
    recipe: Recipe,
    seed: int,
    checkpoint: Checkpoint | None,
    buffers: Buffers,
) -> Together:
    """A subject as its checkpoint has it, or before its first update."""
    asked = bank, languages, recipe, seed, checkpoint, buffers, here
    training = Together(*asked)
    saved = checkpoint.load() if checkpoint else None
    if saved and not training.restore(saved):
        training, saved = Together(*asked), None
    if not saved:
        training.validate()
    return training


def _keep(trainings: Sequence[Together], due: bool) -> None:
    """Save the states, after a validation where that is due."""
    for training in trainings:
        if due:
            training.validate()
        training.save()


def _must_end(checkpoints: Sequence[Checkpoint | None]) -> bool:
    """Whether training is to save its states and end."""
    return any(one is not None and one.must_end() for one in checkpoints)


def _furthest_behind(trainings: Sequence[Together]) -> list[Together]:
    """Those that have made the fewest updates, as long as there is one to make."""
    least = min(training.update for training in trainings)
    if least == trainings[0].schedule.n_updates:
        return []
    return [training for training in trainings if training.update == least]


def step(trainings: Sequence[Together], following: Sequence[Together] = ()) -> int:
    """Make one update of each.

    Args:
        trainings: of one condition, which have made equally many updates.
        following: those that make the next one.

    Returns:
        How many of them went through one pass: fewer than there are where a card had no room.

    Raises:
        NoRoomError: a card has no room for a single one.
    """
    begun = [training.begin() for training in trainings]
    learning = [training for training, batch in zip(trainings, begun, strict=True) if batch]
    batches = [batch for batch in begun if batch]
    del begun

    def look_ahead() -> None:
        for training in following:
            training.look_ahead(training.update + (training in trainings))

    at_once, losses = len(trainings), list[float]()
    if not batches:
        look_ahead()
    elif learning[0].device.kind == "cpu":
        summed = _losses(learning, batches)
        # What was read is not needed any more, and what is read next takes as much.
        del batches
        look_ahead()
        summed.sum().backward()  # type: ignore[no-untyped-call]
        losses = summed.tolist()
    else:
        look_ahead()
        losses, fitting = _on_card(learning, batches)
        at_once = fitting if fitting < len(learning) else at_once
    for training, loss in zip(learning, losses, strict=True):
        training.learn(loss)
    for training in trainings:
        training.update += 1
    return at_once


def _on_card(trainings: Sequence[Together], batches: Sequence[Batch]) -> tuple[list[float], int]:
    """Losses and gradients of all, in halves where there is no room; how many went at once."""
    device, n = trainings[0].device, len(trainings)
    before = [training.generator.get_state() for training in trainings]
    try:
        with device.computing():
            losses = _losses(trainings, batches)
            losses.sum().backward()  # type: ignore[no-untyped-call]
        return losses.tolist(), n
    except RuntimeError as error:
        if not ran_out(error):
            raise
        if n == 1:
            raise device.full(f"an update of {trainings[0].recipe.items} items") from error
    for training, state in zip(trainings, before, strict=True):
        training.generator.set_state(state)
        training.vector.grad = None
    device.free()
    first, second = (
        _on_card(trainings[some], batches[some]) for some in (slice(n // 2), slice(n // 2, n))
    )
    return first[0] + second[0], max(first[1], second[1])


def _losses(trainings: Sequence[Together], batches: Sequence[Batch]) -> Tensor:
    """What `items_loss` gives for each, (n,)."""
    weights = _weights(trainings)
    given = trainings, weights, [batch.bank for batch in batches]
    items = [batch.items for batch in batches]
    towers = [
        _embedded("audio_enc", *given, [one.words for one in items]),
        _embedded("image_enc", *given, [one.pictures for one in items]),
    ]
    second = [one.second_words for one in items if one.second_words]
    if second:
        towers.append(_embedded("audio_enc", *given, second))
    family, smoothing = trainings[0].network.family, trainings[0].recipe.label_smoothing

    def loss(own: Mapping[str, Tensor], words: Chosen, pictures: Chosen, *linked: Chosen) -> Tensor:
        in_second = linked[0] if linked else None
        return family.objective_of(_Scoring(family, own), words, pictures, in_second, smoothing)

    own = {name: weights[name] for name in family.parts()}
    if trainings[0].device.kind != "cpu":
        losses: Tensor = torch.vmap(loss)(own, *map(_in_one, towers))
        return losses
    # Products of several matrices at once may add up in another order than those of one.
    each = [{name: numbers[place] for name, numbers in own.items()} for place in range(len(items))]
    return torch.stack([loss(*given) for given in zip(each, *towers, strict=True)])


def _embedded(
    tower: str,
    trainings: Sequence[Together],
    weights: packed.Weights,
    banks: Sequence[FeatureBank],
    choices: Sequence[Choices],
) -> list[Chosen]:
    """Embeddings of each network, and which of them every item is told by."""
    config = trainings[0].network.config
    look_up = packed.words
    if tower == "image_enc":
        config, look_up = config.for_pictures(), packed.pictures
    rows = [
        look_up(bank, one.rows, config, training.generator)
        for bank, training, one in zip(banks, trainings, choices, strict=True)
    ]
    prefix = f"{tower}.pool."
    own = {
        name.removeprefix(prefix): numbers
        for name, numbers in weights.items()
        if name.startswith(prefix)
    }
    return [
        Chosen(vectors, bank.device.to(torch.from_numpy(one.places)))
        for bank, vectors, one in zip(
            banks, packed.embed(own, rows, config.heads), choices, strict=True
        )
    ]


def _in_one(each: Sequence[Chosen]) -> Chosen:
    """Those of all networks in one: as many embeddings of each, the last ones in no place."""
    size = max(len(one.embeddings) for one in each)
    vectors = [
        functional.pad(one.embeddings, (0, 0, 0, size - len(one.embeddings))) for one in each
    ]
    return Chosen(torch.stack(vectors), torch.stack([one.places for one in each]))


class _Scoring:
    """What a family asks of its network, without the towers.

    Args:
        family: of the network.
        own: parameters of the family.
    """

    def __init__(self, family: Family, own: Mapping[str, Tensor]) -> None:
        self._family, self._own = family, own

    def get_parameter(self, target: str) -> Any:
        """One of the family's parameters."""
        return self._own[target]

    def get_submodule(self, target: str) -> Any:
        """Families that have such are trained one at a time."""
        raise AttributeError(target)

    def similarity(self, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""
        return self._family.similarity(self, words, pictures)


def _joined(network: VGSNetwork) -> nn.Parameter:
    """All parameters of a network in one vector, of which they become views."""
    parameters = list(network.parameters())
    vector = nn.Parameter(nn.utils.parameters_to_vector(parameters).detach())
    nn.utils.vector_to_parameters(vector.detach(), parameters)
    return vector


def _weights(trainings: Sequence[Together]) -> dict[str, Tensor]:
    """The parameters of all networks by name, (networks, ...)."""
    shapes = {name: one.shape for name, one in trainings[0].network.named_parameters()}
    parts = _Parts.apply(tuple(shapes.values()), *(training.vector for training in trainings))
    return dict(zip(shapes, parts, strict=True))


class _Parts(Function):
    """Vectors of several networks cut into parameters, (networks, ...) each."""

    @staticmethod
    def forward(ctx: Any, shapes: Sequence[torch.Size], *vectors: Tensor) -> tuple[Tensor, ...]:
        parts = torch.stack(vectors).split_with_sizes([one.numel() for one in shapes], dim=1)
        return tuple(
            part.view(len(vectors), *shape) for part, shape in zip(parts, shapes, strict=True)
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        each = zip(*(grad.reshape(len(grad), -1).unbind() for grad in grads), strict=True)
        return None, *map(torch.cat, each)


def _bytes(bank: FeatureBank, recipe: Recipe) -> int:
    """What the features of one seed's update take at most."""
    rows = recipe.items * (1 + (recipe.negatives_drawn if recipe.negatives_from != "batch" else 0))
    return rows * (bank.word_bytes + bank.picture_bytes)
