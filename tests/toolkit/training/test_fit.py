"""Training of one subject on random features: schedule, families, validation, resuming."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.stored import as_written
from tests.toolkit.training.training_bank import CONCEPTS, RECIPE, make_bank
from toolkit.errors import ToolkitError
from toolkit.subjects.vgs.config import SIZES
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.training import fit as fitting
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.features import FeatureBank
from toolkit.training.fit import Fitted, Standing, fit, network_config
from toolkit.training.recipe import PUBLISHED, Recipe
from toolkit.training.sampler import Sampler
from toolkit.training.schedule import Schedule, learning_rate
from toolkit.training.validation import Validation

SCHEDULE = Path(__file__).parents[2] / "reference" / "mevgs_lr_schedule.json"
EPOCHS = replace(
    RECIPE,
    epochs=4,
    warmup_epochs=1,
    negatives_from="own",
    averaging=0.0,
    label_smoothing=0.0,
    standardise=False,
    validation_items=0,
)
"""The published way in small."""


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    return make_bank()


def test_learning_rate_is_the_published_one() -> None:
    for setting in json.loads(SCHEDULE.read_text()):
        steps = setting["steps_per_epoch"]
        rates = [
            learning_rate(
                update,
                warmup_updates=steps * setting["warmup_epochs"],
                n_updates=steps * setting["max_epochs"],
                peak=setting["peak_lr"],
            )
            for update in range(len(setting["lr"]))
        ]
        np.testing.assert_allclose(rates, setting["lr"], rtol=1e-12)


def test_loss_falls_and_held_out_accuracy_rises(bank: FeatureBank) -> None:
    fitted = fit(bank, ["en", "nl"], replace(RECIPE, n_updates=100, peak_lr=1e-3), seed=3)
    first, last = fitted.log[0], fitted.log[-1]
    assert last.valid_loss < first.valid_loss / 3
    assert last.valid_accuracy > 0.9 > first.valid_accuracy


def test_lowest_validation_loss_is_kept(bank: FeatureBank) -> None:
    fitted = fit(bank, ["en"], RECIPE, seed=3)
    best = min(fitted.log, key=lambda row: row.valid_loss)
    assert fitted.kept_update == best.update
    network = fresh_network(network_config(bank, RECIPE))
    network.load(fitted.state, "fit")
    loss, accuracy = Validation(bank, ["en"], RECIPE)(network)
    # The weights work on the features as they are, the log is about standardised ones.
    assert loss == pytest.approx(best.valid_loss, rel=1e-3)
    assert accuracy == pytest.approx(best.valid_accuracy, abs=0.01)


def test_same_seed_same_weights(bank: FeatureBank) -> None:
    one, same, other = (fit(bank, ["en"], RECIPE, seed=seed).state for seed in (3, 3, 4))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_untrained_keeps_its_initial_weights(bank: FeatureBank) -> None:
    fitted = fit(bank, [], RECIPE, seed=3)
    initial = fresh_network(network_config(bank, RECIPE), seed=3).state_dict()
    assert all(torch.equal(fitted.state[key], initial[key]) for key in initial)


def test_validation_accuracy_counts_triples(bank: FeatureBank) -> None:
    """Against three nested loops."""
    network = fresh_network(network_config(bank, RECIPE)).eval()
    per_class = []
    for language in ("en", "nl"):
        for concept in CONCEPTS:
            words = network.encode_words(*bank.words(bank.word_rows("valid", concept, language)))
            right = bank.pictures(bank.picture_rows("valid", concept))
            wrong = torch.cat(
                [bank.pictures(bank.picture_rows("valid", c)) for c in CONCEPTS if c != concept]
            )
            for_right = network.similarity(words, network.encode_pictures(right))
            for_wrong = network.similarity(words, network.encode_pictures(wrong))
            answers = [
                bool(for_right[w, r] > for_wrong[w, d])
                for w in range(len(words))
                for r in range(len(right))
                for d in range(len(wrong))
            ]
            per_class.append(np.mean(answers))
    _, accuracy = Validation(bank, ["en", "nl"], RECIPE)(network)
    assert accuracy == pytest.approx(np.mean(per_class))


def test_published_recipe_has_the_published_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rates that the optimiser is given, epoch after epoch."""
    wanted = json.loads(SCHEDULE.read_text())[1]
    bank = make_bank(n_words=67)
    assert bank.n_clips("train", ["en"]) == 201
    recipe = replace(
        PUBLISHED,
        epochs=wanted["max_epochs"],
        warmup_epochs=wanted["warmup_epochs"],
        peak_lr=wanted["peak_lr"],
        items=30,
        negatives=1,
        width=64,
        embedding=3,
    )
    rates: list[float] = []

    class Noting(torch.optim.SGD):
        def __init__(self, parameters: Any, lr: float, weight_decay: float, fused: bool) -> None:
            assert (lr, weight_decay) == (wanted["peak_lr"], 5e-7)
            super().__init__(parameters, lr=lr)

        def step(self, closure: Any = None) -> None:
            rates.append(self.param_groups[0]["lr"])

    monkeypatch.setattr(sys.modules[fit.__module__], "Adam", Noting)
    fitted = fit(bank, ["en"], recipe, seed=0)
    np.testing.assert_allclose(rates, wanted["lr"], rtol=1e-12)
    assert [row.update for row in fitted.log] == list(range(0, 85, 7))


def test_adam_is_that_of_torch_without_its_compiler() -> None:
    """In a process of its own: others may have loaded the compiler."""
    code = (
        "import sys, torch\n"
        "from toolkit.training.adam import Adam\n"
        "made = []\n"
        "for kind in (Adam, torch.optim.Adam):\n"
        "    weight = torch.linspace(-1, 1, 7, requires_grad=True)\n"
        "    adam = kind([weight], lr=0.01, weight_decay=5e-7, fused=True)\n"
        "    for _ in range(5):\n"
        "        adam.zero_grad()\n"
        "        weight.square().sum().backward()\n"
        "        adam.step()\n"
        "        adam.load_state_dict(adam.state_dict())\n"
        "    made.append(weight.tolist())\n"
        "    assert ('torch._dynamo' in sys.modules) == (kind is torch.optim.Adam)\n"
        "assert made[0] == made[1]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_published_recipe() -> None:
    """Numbers of the reference experiment."""
    assert (PUBLISHED.peak_lr, PUBLISHED.weight_decay) == (2e-4, 5e-7)
    assert (PUBLISHED.items, PUBLISHED.negatives, PUBLISHED.negatives_from) == (60, 11, "apart")
    assert (PUBLISHED.epochs, PUBLISHED.warmup_epochs, PUBLISHED.passes) == (24, 4, 1)
    assert (PUBLISHED.label_smoothing, PUBLISHED.averaging, PUBLISHED.standardise) == (0, 0, False)
    assert (PUBLISHED.width, PUBLISHED.embedding, PUBLISHED.temperature) == (256, 256, "published")
    assert replace(PUBLISHED, temperature="capped").record()["temperature"] == "capped"


def test_equal_updates() -> None:
    """Two languages make as many updates as one, or twice as many where clips alone count."""
    recipe = replace(PUBLISHED, items=60)
    equal = replace(recipe, equal_updates=True)
    one, two = (Schedule.of(recipe, n * 585, n) for n in (1, 2))
    assert (one.n_updates, two.n_updates) == (24 * 10, 24 * 20)
    assert Schedule.of(equal, 2 * 585, 2) == Schedule.of(equal, 585, 1) == one
    doubled = replace(equal, passes=2)
    assert Schedule.of(doubled, 585, 1) == Schedule.of(doubled, 2 * 585, 2) == two


def test_equal_updates_still_meet_every_clip(bank: FeatureBank) -> None:
    clips = bank.n_clips("train", ["en", "nl"])
    recipe = replace(EPOCHS, equal_updates=True)
    schedule = Schedule.of(recipe, clips, 2)
    sampler = Sampler(bank, "train", ["en", "nl"], 0, epoch_clips=schedule.epoch_clips)
    met = set()
    for _ in range(2 * schedule.validate_every):
        words = sampler.draw(recipe.items, 1).words
        met.update(words.rows[words.places[:, 0]].tolist())
    assert len(met) == clips == 2 * schedule.epoch_clips


@pytest.mark.parametrize(
    ("family", "negatives_from"),
    [
        ("clip", "own"),
        ("clip", "apart"),
        ("clip-two-audios", "batch"),
        ("clip-two-audios", "apart"),
        ("mattnet", "own"),
        ("barlip", "batch"),
    ],
)
def test_every_family_learns(bank: FeatureBank, family: str, negatives_from: str) -> None:
    recipe = replace(
        EPOCHS, epochs=30, peak_lr=1e-3, family=family, items=5, negatives_from=negatives_from
    )
    fitted = fit(bank, ["en", "nl"], recipe, seed=3)
    network = fresh_network(network_config(bank, recipe)).eval()
    network.load(fitted.state, "fit")
    _, accuracy = Validation(bank, ["en", "nl"], recipe)(network)
    assert accuracy > 0.9
    assert min(row.valid_loss for row in fitted.log) < fitted.log[0].valid_loss


@pytest.mark.parametrize("size", list(SIZES))
def test_every_size_can_be_trained(bank: FeatureBank, size: str) -> None:
    recipe = replace(EPOCHS, epochs=1, warmup_epochs=0, width=SIZES[size], embedding=SIZES[size])
    fitted = fit(bank, ["en"], recipe, seed=0)
    assert fitted.state["image_enc.pool.proj_out.weight"].shape == (SIZES[size], SIZES[size])


class KilledError(Exception):
    """Stands for SIGKILL."""


def fit_with_kills(
    bank: FeatureBank, recipe: Recipe, checkpoint: Checkpoint, at: list[int]
) -> Fitted:
    """Train, stop at these updates and go on, the last time to the end."""
    for stop in at:

        def watch(standing: Standing, stop: int = stop) -> None:
            if standing.update >= stop:
                raise KilledError

        with pytest.raises(KilledError):
            fit(bank, ["en", "nl"], recipe, 3, checkpoint=checkpoint, watch=watch)
        # What a killed process leaves in memory is lost.
        torch.manual_seed(stop)
    return fit(bank, ["en", "nl"], recipe, 3, checkpoint=checkpoint)


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE,
        replace(EPOCHS, passes=3),
        replace(EPOCHS, family="clip-two-audios", passes=3),
        replace(EPOCHS, family="barlip", averaging=0.9, passes=3, equal_updates=True),
    ],
    ids=["shipped", "published", "links", "barlip"],
)
def test_a_killed_training_goes_on_to_the_same_weights(
    bank: FeatureBank, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(bank, ["en", "nl"], recipe, 3)
    # Saved at every update: a kill also comes between two validations, within an epoch.
    monkeypatch.setattr(fitting, "SAVE_AFTER_S", 0.0)
    monkeypatch.setattr(fitting, "TELL_AFTER_S", 0.0)
    checkpoint = Checkpoint(tmp_path / "a.pt", "key", "a")
    again = fit_with_kills(bank, recipe, checkpoint, at=[1, 7, 8, 11])
    assert all(torch.equal(again.state[name], value) for name, value in whole.state.items())
    assert again.state.keys() == whole.state.keys()
    assert again.kept_update == whole.kept_update
    np.testing.assert_array_equal(
        [list(vars_of(row)) for row in again.log], [list(vars_of(row)) for row in whole.log]
    )


def vars_of(row: Any) -> tuple[float, ...]:
    return row.update, row.train_loss, row.valid_loss, row.valid_accuracy


def test_a_checkpoint_of_other_settings_is_not_used(bank: FeatureBank, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    fit(bank, ["en"], replace(EPOCHS, peak_lr=5e-3), 3, checkpoint=Checkpoint(path, "other"))
    assert Checkpoint(path, "other").load() is not None
    assert Checkpoint(path, "own").load() is None
    again = fit(bank, ["en"], EPOCHS, 3, checkpoint=Checkpoint(path, "own"))
    whole = fit(bank, ["en"], EPOCHS, 3)
    assert all(torch.equal(again.state[name], value) for name, value in whole.state.items())


@pytest.mark.parametrize("damage", ["cut", "other", "code", "no state", "bit"])
def test_a_damaged_checkpoint_is_not_used(bank: FeatureBank, tmp_path: Path, damage: str) -> None:
    checkpoint = Checkpoint(tmp_path / "a.pt", "key")
    fit(bank, ["en"], EPOCHS, 3, checkpoint=checkpoint)
    if damage == "cut":
        checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:3000])
    elif damage == "other":
        checkpoint.path.write_text("no checkpoint")
    elif damage == "no state":
        torch.save({"key": "key"}, checkpoint.path)
        as_written(checkpoint.path)
    elif damage == "bit":
        content = bytearray(checkpoint.path.read_bytes())
        content[len(content) // 2] ^= 1
        checkpoint.path.write_bytes(content)
    else:
        torch.save({"key": "key", "state": Path("x")}, checkpoint.path)
    assert checkpoint.load() is None


def test_log_so_far_lies_beside_the_checkpoint(bank: FeatureBank, tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "a.pt", "key", "a")
    fitted = fit(bank, ["en"], EPOCHS, 3, checkpoint=checkpoint)
    rows = checkpoint.log.read_text().splitlines()
    assert rows[0].startswith("seed,update,train_loss")
    assert len(rows) == 1 + len(fitted.log)
    (tmp_path / ".a-0123abcd.pt").write_bytes(b"killed while writing")
    checkpoint.remove()
    assert not list(tmp_path.iterdir())


def test_a_training_that_diverges_says_so(bank: FeatureBank) -> None:
    broken = replace(bank, maps=bank.maps.float() * float("nan"))
    with pytest.raises(ToolkitError, match="diverged"):
        fit(broken, ["en"], EPOCHS, 3)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"family": "clips"}, "did you mean: clip"),
        ({"temperature": "cap"}, "capped"),
        ({"negatives_from": "owned"}, "own"),
        ({"width": 100}, "64 dimensions"),
        ({"items": 0}, "items"),
        ({"dropout": 1.0}, "dropout"),
        ({"peak_lr": -1.0}, "peak_lr"),
        ({"epochs": 3, "warmup_epochs": 3}, "less than 3"),
        ({"family": "barlip"}, "smoothed labels"),
        ({"equal_updates": True}, "without epochs"),
    ],
)
def test_recipes_that_cannot_be(values: dict[str, Any], part: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        Recipe(**values)
    assert part in str(caught.value)
