"""Training on a card: the same arithmetic, state that is kept whole, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from tests.fake_card import FakeCard
from tests.toolkit.training.training_bank import (
    EARS_AND_EYES,
    RECIPE,
    Ear,
    Eye,
    SmallSet,
    make_bank,
)
from toolkit.devices import CPU, TOLERANCES, Device, NoRoomError, find_device
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.training import fit as fitting
from toolkit.training import populations, workers
from toolkit.training.bank_files import load_bank
from toolkit.training.cards import trained_on
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.conditions import Condition
from toolkit.training.features import FeatureBank
from toolkit.training.fit import Fitted, Standing, fit, network_config
from toolkit.training.sampler import Sampler
from toolkit.training.sources import SetSource
from toolkit.training.validation import items_loss


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    return make_bank()


def same(one: Fitted, other: Fitted) -> bool:
    return all(torch.equal(one.state[name], value) for name, value in other.state.items())


def test_a_card_makes_the_same_updates_with_features_there_or_sent(bank: FeatureBank) -> None:
    there, sent = FakeCard(), FakeCard(free_now=2 * bank.frames.nbytes)
    expected = fit(bank, ["en", "nl"], RECIPE, 3)
    for card in (there, sent):
        assert same(fit(bank, ["en", "nl"], RECIPE, 3, device=card), expected)
    assert bank.frames.shape[0] in there.log.batches
    assert bank.frames.shape[0] not in sent.log.batches, "features lie where they have no room"


def loss_on(device: Device, bank: FeatureBank) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of one update without dropout, and all its gradients."""
    recipe = replace(RECIPE, dropout=0.0, position_dropout=0.0)
    network = device.put(fresh_network(network_config(bank, recipe), seed=1))
    items = Sampler(bank, "train", ["en"], 5).draw(8, 4)
    loss = items_loss(network, bank.on(device), items)
    loss.backward()  # type: ignore[no-untyped-call]
    parts = [one.grad.flatten().cpu() for one in network.parameters() if one.grad is not None]
    return loss.detach().cpu(), torch.cat(parts)


def assert_near(precision: str, device: Device, bank: FeatureBank) -> None:
    for found, expected in zip(loss_on(device, bank), loss_on(CPU, bank), strict=True):
        assert found.dtype == torch.float32
        off = float((found - expected).abs().max() / expected.abs().max())
        assert off <= TOLERANCES[precision], off


def test_losses_are_float32_whatever_towers_compute_in(bank: FeatureBank) -> None:
    assert_near("bf16", FakeCard(precision="bf16"), bank)
    rounded, exact = loss_on(FakeCard(precision="bf16"), bank)[0], loss_on(CPU, bank)[0]
    assert rounded != exact, "bf16 was not computed in"
    assert rounded != rounded.bfloat16().float(), "the loss was rounded"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA card here")
@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16"])
def test_an_update_on_a_card_is_near_that_on_a_processor(precision: str, bank: FeatureBank) -> None:
    assert_near(precision, find_device("cuda", precision), bank)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA card here")
def test_a_killed_training_on_a_card_goes_on(
    bank: FeatureBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = find_device("cuda")
    whole = fit(bank, ["en"], RECIPE, 3, device=card)
    killed(bank, card, Checkpoint(tmp_path / "a.pt", "key"), monkeypatch)
    again = fit(
        bank, ["en"], RECIPE, 3, device=card, checkpoint=Checkpoint(tmp_path / "a.pt", "key")
    )
    for name, value in whole.state.items():
        torch.testing.assert_close(again.state[name], value, rtol=1e-3, atol=1e-4)


class KilledError(Exception):
    """Stands for SIGKILL."""


def killed(
    bank: FeatureBank, device: Device, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train until the eleventh update is saved."""
    monkeypatch.setattr(fitting, "SAVE_AFTER_S", 0.0)
    monkeypatch.setattr(fitting, "TELL_AFTER_S", 0.0)

    def watch(standing: Standing) -> None:
        if standing.update >= 11:
            raise KilledError

    with pytest.raises(KilledError):
        fit(bank, ["en"], RECIPE, 3, device=device, checkpoint=checkpoint, watch=watch)


def test_random_numbers_of_a_card_go_on_where_they_were(
    bank: FeatureBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[torch.Tensor] = []

    class Telling(FakeCard):
        def random_state(self) -> torch.Tensor:
            states.append(super().random_state())
            return states[-1]

    monkeypatch.setattr(fitting, "SAVE_AFTER_S", 0.0)
    path = tmp_path / "whole.pt"
    fit(bank, ["en"], RECIPE, 3, device=Telling(), checkpoint=Checkpoint(path, "key"))
    last = states[-1]
    checkpoint = Checkpoint(tmp_path / "a.pt", "key")
    killed(bank, Telling(), checkpoint, monkeypatch)
    saved = checkpoint.load()
    assert saved is not None
    assert torch.equal(saved["card_rng"]["cuda"], states[-1])
    assert not torch.equal(states[-1], last)
    fit(bank, ["en"], RECIPE, 3, device=Telling(), checkpoint=checkpoint)
    assert torch.equal(states[-1], last)


def test_checkpoints_of_a_processor_hold_no_state_of_a_card(
    bank: FeatureBank, tmp_path: Path
) -> None:
    checkpoint = Checkpoint(tmp_path / "a.pt", "key")
    fit(bank, ["en"], RECIPE, 3, checkpoint=checkpoint)
    saved = checkpoint.load()
    assert saved is not None
    assert saved["card_rng"] == {}
    assert saved["devices"] == ["cpu"]


def test_a_training_may_go_on_elsewhere_and_says_so(
    bank: FeatureBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, card = Checkpoint(tmp_path / "a.pt", "key"), FakeCard()
    killed(bank, CPU, checkpoint, monkeypatch)
    told: list[Standing] = []
    done = fit(bank, ["en"], RECIPE, 3, device=card, checkpoint=checkpoint, watch=told.append)
    assert done.devices == ("cpu", f"cuda ({card.model})")
    assert {standing.devices for standing in told} == {done.devices}
    # The card that the processor plays makes the same updates.
    assert same(done, fit(bank, ["en"], RECIPE, 3))


def test_a_checkpoint_from_before_there_were_devices_is_gone_on_from(
    bank: FeatureBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint(tmp_path / "a.pt", "key")
    killed(bank, CPU, checkpoint, monkeypatch)
    saved = checkpoint.load()
    assert saved is not None
    old = {name: value for name, value in saved.items() if name not in ("card_rng", "devices")}
    checkpoint.save(old, [], 0)
    done = fit(bank, ["en"], RECIPE, 3, checkpoint=checkpoint)
    assert same(done, fit(bank, ["en"], RECIPE, 3))
    assert done.devices == ("cpu",)


def test_an_update_that_does_not_fit_is_told(bank: FeatureBank) -> None:
    class Small(FakeCard):
        """Has room for what is validated, and not for an update."""

        def to(self, tensor: Any) -> Any:
            if torch.is_grad_enabled() and tensor.ndim == 4:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return tensor

    with pytest.raises(NoRoomError, match="does not suffice for an update of 7 items"):
        fit(bank, ["en"], RECIPE, 3, device=Small(free_now=100))


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SetSource:
    """A small set and small backbones in the place of the real ones."""
    monkeypatch.setattr("toolkit.subjects.backbones.hearing.Hearing", Ear)
    monkeypatch.setattr("toolkit.subjects.backbones.seeing.Seeing", Eye)
    for name in ("ear", "eye"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}", "utf-8")
    EARS_AND_EYES.clear()
    return SetSource(SmallSet(), tmp_path / "ear", tmp_path / "eye")  # type: ignore[arg-type]


def train(source: SetSource, out: Path, seeds: str, device: Device) -> Path:
    conditions = [Condition.of(["en"], RECIPE)]
    populations.train_populations(conditions, list(seeds), out, source, device=device, jobs=1)
    return out / "monolingual-en"


def test_populations_tell_what_each_seed_was_trained_on(source: SetSource, tmp_path: Path) -> None:
    card = FakeCard()
    folder = train(source, tmp_path / "out", "a", CPU)
    assert "Trained on" not in (folder / "README.md").read_text("utf-8")
    first = (folder / "a.safetensors").read_bytes()
    train(source, tmp_path / "out", "ab", card)
    # What is finished stays, and features that are there are not made again.
    assert (folder / "a.safetensors").read_bytes() == first
    assert [device.kind for device in EARS_AND_EYES] == ["cpu", "cpu"]
    assert [trained_on(folder, seed) for seed in "ab"] == ["cpu", f"cuda ({card.model})"]
    with safe_open(folder / "b.safetensors", framework="pt") as file:
        assert set(file.metadata()) == {"key"}, "several entries are written in random order"
    assert f"Trained on: a cpu; b cuda ({card.model})." in (folder / "README.md").read_text("utf-8")


def test_features_for_training_are_made_on_the_card_exactly(
    source: SetSource, tmp_path: Path
) -> None:
    card = FakeCard(precision="bf16")
    folder = train(source, tmp_path / "out", "a", card)
    assert {(one.kind, one.precision) for one in EARS_AND_EYES} == {("cuda", "float32")}
    (path,) = (tmp_path / "out" / "features").glob("*.safetensors")
    assert load_bank(path).made_on == f"cuda ({card.model})"
    assert f"features made on cuda ({card.model})" in (folder / "README.md").read_text("utf-8")


def test_precision_decides_what_a_subject_is_and_the_kind_of_device_does_not(
    source: SetSource, tmp_path: Path
) -> None:
    folder = train(source, tmp_path / "out", "a", FakeCard())
    before = (folder / "a.safetensors").read_bytes()
    train(source, tmp_path / "out", "a", CPU)
    assert (folder / "a.safetensors").read_bytes() == before
    train(source, tmp_path / "out", "a", FakeCard(precision="bf16"))
    assert (folder / "a.safetensors").read_bytes() != before


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_seeds_are_trained_in_one_pass_on_a_card_but_in_bf16(
    precision: str, source: SetSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = FakeCard(precision=precision)
    if precision == "bf16":
        monkeypatch.delattr(workers, "fit_together")
    folder = train(source, tmp_path / "out", "ab", card)
    assert [trained_on(folder, name) for name in "ab"] == [f"cuda ({card.model})"] * 2
    readme = (folder / "README.md").read_text("utf-8")
    assert ("one pass" in readme) == (precision == "float32")
    if precision == "float32":
        return
    alone = train(source, tmp_path / "alone", "b", FakeCard(precision=precision))
    both = [safe_open(one / "b.safetensors", framework="pt") for one in (folder, alone)]
    for name in both[0].keys():  # noqa: SIM118  which is no mapping
        assert torch.equal(*(one.get_tensor(name) for one in both))


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_what_was_begun_in_one_pass_goes_on_on_a_card_or_begins_anew(
    precision: str, source: SetSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "SAVE_AFTER_S", 0.0)
    monkeypatch.setattr(fitting, "TELL_AFTER_S", 0.0)

    def stop(_: str, standing: Standing) -> None:
        if standing.update >= 11:
            raise KilledError

    conditions = [Condition.of(["en"], RECIPE)]
    with pytest.raises(KilledError):
        populations.train_populations(
            conditions, ["a", "b"], tmp_path / "out", source, jobs=1, watch=stop
        )
    begun = [*(tmp_path / "out" / populations.UNFINISHED).glob("*.pt")]
    assert len(begun) == 2
    card = FakeCard(precision=precision)
    folder = train(source, tmp_path / "out", "ab", card)
    before = [] if precision == "bf16" else ["cpu"]
    there = ", then ".join([*before, f"cuda ({card.model})"])
    assert [trained_on(folder, seed) for seed in "ab"] == [there] * 2


@pytest.mark.parametrize(("device", "n_processes"), [(CPU, 2), (FakeCard(), 1)])
def test_processes_do_not_share_a_card_unless_told_to(
    device: Device,
    n_processes: int,
    source: SetSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def noting(jobs: Any, n: int, watch: Any) -> Iterator[Any]:
        asked.append(n)
        yield from workers.train_all(jobs, 1, watch)

    monkeypatch.setattr(populations, "train_all", noting)
    conditions = [Condition.of(["en"], RECIPE)]
    populations.train_populations(conditions, ["a"], tmp_path / "out", source, device=device)
    assert asked == [n_processes]
