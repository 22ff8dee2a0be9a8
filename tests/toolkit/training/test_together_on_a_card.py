"""Several seeds in one pass on a card: the same as on a processor, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.fake_card import FakeCard
from tests.toolkit.training.test_fit import KilledError
from tests.toolkit.training.training_bank import RECIPE, make_bank
from toolkit.devices import CPU, Device, NoRoomError
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.training import fit as fitting
from toolkit.training import packed, together
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.features import FeatureBank
from toolkit.training.fit import Fitted, Standing, network_config
from toolkit.training.recipe import Recipe
from toolkit.training.together import fit_together

SEEDS = (3, 4, 5)
SHORT = replace(RECIPE, n_updates=12, validate_every=6)
UNDROPPED = replace(SHORT, dropout=0.0)
"""A card drops others than a processor."""


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    return make_bank()


def fitted(
    bank: FeatureBank,
    device: Device,
    folder: Path | None = None,
    recipe: Recipe = SHORT,
    **options: Any,
) -> list[Fitted]:
    checkpoints = [Checkpoint(folder / f"{s}.pt", "key", str(s)) if folder else None for s in SEEDS]
    return fit_together(
        *([bank] * len(SEEDS), ["en", "nl"], recipe, SEEDS),
        checkpoints=checkpoints,
        device=device,
        **options,
    )


def assert_same(some: Sequence[Fitted], others: Sequence[Fitted]) -> None:
    for one, other in zip(some, others, strict=True):
        for name, value in other.state.items():
            torch.testing.assert_close(one.state[name], value, rtol=1e-6, atol=1e-6)
        assert one.together == other.together


def test_the_same_as_on_a_processor_with_features_there_once_or_sent(bank: FeatureBank) -> None:
    expected = fitted(bank, CPU, recipe=UNDROPPED)
    there, sent = FakeCard(), FakeCard(free_now=2 * bank.frames.nbytes)
    for card in (there, sent):
        assert_same(fitted(bank, card, recipe=UNDROPPED), expected)
    whole = len(bank.frames)
    assert there.log.batches.count(whole) == 1, "as often as there are seeds"
    assert whole not in sent.log.batches


@pytest.mark.parametrize("overlooked", [0.0, 0.5])
def test_a_card_sums_rows_as_a_processor_sums_positions(
    bank: FeatureBank, overlooked: float
) -> None:
    """Words of several lengths and pictures, embeddings and gradients, of two networks."""
    config = replace(network_config(bank, RECIPE), dropout=0.25, position_dropout=overlooked)
    networks = [fresh_network(config, seed) for seed in (1, 2)]
    chosen = [np.array([0, 1, 2, 5, 9]), np.array([3, 4])]
    for look_up, tower in ((packed.words, "audio_enc"), (packed.pictures, "image_enc")):
        own = config if look_up is packed.words else config.for_pictures()
        draw = torch.Generator().manual_seed(0)
        rows = [look_up(bank, some, own, draw) for some in chosen]
        made = []
        for on_card in (False, True):
            there = [replace(some, on_card=on_card) for some in rows]
            weights = {
                name.removeprefix(f"{tower}.pool."): torch.stack(
                    [dict(network.named_parameters())[name].detach() for network in networks]
                ).requires_grad_()
                for name, _ in networks[0].named_parameters()
                if name.startswith(tower)
            }
            embedded = torch.cat(list(packed.embed(weights, there, own.heads)))
            grads = torch.autograd.grad(embedded.square().sum(), list(weights.values()))
            made.append([embedded.detach(), *grads])
        for one, other in zip(*made, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * float(other.abs().max()))


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many seeds went through each pass; with more than `room` of them, memory runs out."""
    seen: list[int] = []
    losses = together._losses

    def noting(trainings: Sequence[Any], batches: Sequence[Any]) -> Any:
        seen.append(len(trainings))
        made = losses(trainings, batches)
        if len(trainings) > getattr(trainings[0].device, "room", 9):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate much.")
        return made

    monkeypatch.setattr(together, "_losses", noting)
    return seen


class Full(FakeCard):
    """Has room for so many seeds."""

    room = 9


class Narrow(Full):
    room = 1


class Packed(Full):
    room = 0


def test_as_many_at_once_as_there_is_free_memory_for(bank: FeatureBank, passes: list[int]) -> None:
    one = together._bytes(bank, SHORT) * together._BESIDE
    for free, expected in ((one // 2, {1}), (2 * one, {1, 2}), (9 * one, {3})):
        passes.clear()
        fitted(bank, FakeCard(free_now=free))
        assert set(passes) == expected


def test_where_memory_runs_out_an_update_is_made_again_in_halves(
    bank: FeatureBank, passes: list[int]
) -> None:
    expected = fitted(bank, FakeCard())
    passes.clear()
    card = Narrow()
    assert_same(fitted(bank, card), expected)
    # Found out once: three, one and two, one and one; then one after the other.
    assert passes[:5] == [3, 1, 2, 1, 1]
    assert set(passes[5:]) == {1}
    assert card.log.n_freed == 2


def test_an_update_of_one_seed_that_does_not_fit_is_told(
    bank: FeatureBank, passes: list[int]
) -> None:
    with pytest.raises(NoRoomError, match="does not suffice for an update of 7 items"):
        fitted(bank, Packed())


@pytest.fixture
def kill_midway(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Begin a training, and have it killed after some updates."""
    monkeypatch.setattr(fitting, "SAVE_AFTER_S", 0.0)
    monkeypatch.setattr(fitting, "TELL_AFTER_S", 0.0)

    def stop(_: int, standing: Standing) -> None:
        if standing.update >= 7:
            raise KilledError

    def kill(bank: FeatureBank, device: Device, folder: Path, recipe: Recipe) -> None:
        with pytest.raises(KilledError):
            fitted(bank, device, folder, recipe, watch=stop)

    return kill


def test_a_pass_goes_on_elsewhere(
    bank: FeatureBank, tmp_path: Path, kill_midway: Callable[..., None]
) -> None:
    card = FakeCard()
    kill_midway(bank, card, tmp_path, UNDROPPED)
    made = fitted(bank, CPU, tmp_path, UNDROPPED)
    assert_same(made, fitted(bank, CPU, recipe=UNDROPPED))
    assert {one.devices for one in made} == {(f"cuda ({card.model})", "cpu")}


def test_a_killed_pass_drops_the_same_again(
    bank: FeatureBank, tmp_path: Path, kill_midway: Callable[..., None]
) -> None:
    kill_midway(bank, FakeCard(), tmp_path, SHORT)
    assert_same(fitted(bank, FakeCard(), tmp_path), fitted(bank, FakeCard()))


def test_a_card_draws_what_is_dropped_itself(bank: FeatureBank) -> None:
    config = replace(network_config(bank, RECIPE), dropout=0.25, position_dropout=0.0)
    card = FakeCard()
    here = bank.on(card)
    generator = torch.Generator().manual_seed(0)
    one, other = (packed.words(here, np.arange(9), config, generator) for _ in range(2))
    assert not torch.equal(one.of_out, other.of_out)
    assert one.of_inner.unique().tolist() == pytest.approx([0, 1 / 0.75])
    generator.manual_seed(0)
    assert torch.equal(packed.words(here, np.arange(9), config, generator).of_out, one.of_out)
    # Of the network's own numbers a card takes one, however many are dropped.
    generator.manual_seed(0)
    packed.words(here, np.arange(2), config, generator)
    after_few = generator.get_state()
    generator.manual_seed(0)
    packed.words(here, np.arange(9), config, generator)
    assert torch.equal(generator.get_state(), after_few)


@pytest.mark.parametrize("on_card", [True, False])
def test_all_that_is_computed_with_lies_on_the_card(bank: FeatureBank, on_card: bool) -> None:
    """Shapes alone are a device of their own, and tensors of two devices do not mix."""
    config = network_config(bank, RECIPE)
    network = fresh_network(config, 1)
    rows = packed.words(bank, np.arange(3), config, torch.Generator().manual_seed(0))
    prefix = "audio_enc.pool."
    weights = {
        name.removeprefix(prefix): torch.stack([value.detach()] * 2).to("meta").requires_grad_()
        for name, value in network.named_parameters()
        if name.startswith(prefix)
    }
    tensors = {name: one.to("meta") for name, one in vars(rows).items() if name != "on_card"}
    there = replace(rows, **tensors, on_card=on_card)
    made = packed.embed(weights, [there, there], config.heads)
    torch.stack(list(made)).sum().backward()  # type: ignore[no-untyped-call]
    assert {one.device.type for one in made} == {"meta"}
    grads = [one.grad for one in weights.values() if one.grad is not None]
    assert {one.device.type for one in grads} == {"meta"}
