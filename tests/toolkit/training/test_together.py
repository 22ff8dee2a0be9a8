"""Several seeds in one pass: equal to one at a time, whatever the others are, stopped or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.toolkit.training.test_fit import EPOCHS, KilledError
from tests.toolkit.training.test_train_populations import files, run, small  # noqa: F401
from tests.toolkit.training.training_bank import RECIPE, SmallSet, make_bank
from toolkit.subjects.vgs.families import FAMILIES
from toolkit.training import fit as fitting
from toolkit.training import together, workers
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.conditions import Cell, Condition
from toolkit.training.features import FeatureBank
from toolkit.training.fit import Fitted, Standing, fit
from toolkit.training.recipe import Recipe
from toolkit.training.together import begun_together, can_be_together, fit_together

SHIPPED = replace(RECIPE, n_updates=100, items=11, validate_every=50)
PUBLISHED = replace(EPOCHS, epochs=10, passes=2, items=5, negatives=3, peak_lr=2e-4, width=128)
"""100 updates, epochs that end with fewer items."""
RECIPES = {
    "shipped": SHIPPED,
    "published": PUBLISHED,
    "links": replace(PUBLISHED, family="clip-two-audios", negatives_from="batch"),
    "mattnet": replace(PUBLISHED, family="mattnet", dropout=0.0, temperature="capped"),
}
SEEDS = (3, 4, 5)


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    return make_bank(n_words=4, n_pictures=4)


def fitted_together(
    bank: FeatureBank, recipe: Recipe, seeds: Sequence[int], folder: Path | None = None
) -> list[Fitted]:
    checkpoints = [Checkpoint(folder / f"{s}.pt", "key", str(s)) if folder else None for s in seeds]
    return fit_together([bank] * len(seeds), ["en", "nl"], recipe, seeds, checkpoints=checkpoints)


def assert_same(one: Fitted, other: Fitted) -> None:
    """To the last bit."""
    assert one.state.keys() == other.state.keys()
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)
    assert (one.kept_update, one.together) == (other.kept_update, other.together)
    for mine, its in zip(one.log, other.log, strict=True):
        np.testing.assert_array_equal(list(vars(mine).values()), list(vars(its).values()))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_equal_to_one_at_a_time(bank: FeatureBank, recipe: Recipe) -> None:
    for seed, fitted in zip(SEEDS, fitted_together(bank, recipe, SEEDS), strict=True):
        alone = fit(bank, ["en", "nl"], recipe, seed)
        assert fitted.log[-1].update >= 100
        assert fitted.state.keys() == alone.state.keys()
        for name, value in alone.state.items():
            torch.testing.assert_close(fitted.state[name], value, rtol=1e-6, atol=1e-6)
        assert fitted.kept_update == alone.kept_update
        for mine, its in zip(fitted.log, alone.log, strict=True):
            assert mine.valid_loss == pytest.approx(its.valid_loss, abs=1e-5)
            assert mine.valid_accuracy == pytest.approx(its.valid_accuracy, abs=0.01)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_the_same_to_the_last_bit_whatever_the_others_are(
    bank: FeatureBank, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    three, (single,) = (fitted_together(bank, recipe, seeds) for seeds in (SEEDS, SEEDS[1:2]))
    assert_same(three[1], single)
    # As many at once as there is memory for.
    monkeypatch.setattr(together, "_BYTES_AT_ONCE", 1)
    for one, other in zip(three, fitted_together(bank, recipe, SEEDS[::-1])[::-1], strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("recipe", [SHIPPED, PUBLISHED], ids=["shipped", "published"])
def test_killed_seeds_catch_up_and_come_out_the_same(
    bank: FeatureBank, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each goes on from its own state: with others behind or ahead of it, or alone."""
    whole = fitted_together(bank, recipe, SEEDS)
    monkeypatch.setattr(fitting, "SAVE_AFTER_S", 0.0)
    monkeypatch.setattr(fitting, "TELL_AFTER_S", 0.0)
    updates: list[int] = []
    for stop, seeds in ((7, SEEDS), (20, SEEDS[:2]), (31, SEEDS[:1])):
        checkpoints = [Checkpoint(tmp_path / f"{s}.pt", "key", str(s)) for s in seeds]

        def watch(place: int, standing: Standing, stop: int = stop) -> None:
            updates.append(standing.update)
            if standing.update >= stop:
                raise KilledError

        with pytest.raises(KilledError):
            fit_together(
                [bank] * len(seeds),
                ["en", "nl"],
                recipe,
                seeds,
                checkpoints=checkpoints,
                watch=watch,
            )
        torch.manual_seed(stop)
    assert updates[-1] == 31
    for one, other in zip(whole, fitted_together(bank, recipe, SEEDS, tmp_path), strict=True):
        assert_same(one, other)


def test_global_random_numbers_are_left_alone(bank: FeatureBank, tmp_path: Path) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    recipe = replace(SHIPPED, n_updates=3)
    fitted_together(bank, recipe, SEEDS, tmp_path)
    fitted_together(bank, recipe, SEEDS, tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_which_families_are_trained_together() -> None:
    recipe = replace(RECIPE, label_smoothing=0.0)
    told = {name: can_be_together(["en"], replace(recipe, family=name)) for name in FAMILIES}
    assert told == {"clip": True, "clip-two-audios": True, "mattnet": True, "barlip": False}
    assert not can_be_together(["en"], replace(recipe, n_updates=0))


def job(name: str, seed: str, *, together: bool = True) -> workers.Job:
    condition = Condition(name, ("en",), RECIPE)
    return workers.Job(Cell(condition, seed), Path(), Checkpoint(Path(), ""), together)


@pytest.mark.parametrize(
    ("conditions", "seeds", "n_processes", "sizes"),
    [
        (1, 10, 1, [10]),
        (1, 10, 2, [5, 5]),
        (1, 3, 2, [1, 2]),
        (1, 2, 4, [1, 1]),
        (2, 5, 2, [5, 5]),
        (3, 4, 2, [2, 2, 2, 2, 2, 2]),
    ],
)
def test_seeds_are_split_among_processes(
    conditions: int, seeds: int, n_processes: int, sizes: list[int]
) -> None:
    jobs = [job(f"c{n}", letter) for n in range(conditions) for letter in "abcdefghij"[:seeds]]
    groups = workers.grouped(jobs, n_processes)
    assert [len(group) for group in groups] == sizes
    assert [one for group in groups for one in group] == jobs
    assert all(len({one.cell.condition for one in group}) == 1 for group in groups)


def test_seeds_that_cannot_be_together_are_one_at_a_time() -> None:
    jobs = [job("c", letter, together=False) for letter in "abc"]
    assert workers.grouped(jobs, 1) == [[one] for one in jobs]


def test_finished_seeds_drop_out_and_it_is_said_which_were_together(
    small: SmallSet,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(small, tmp_path / "out", [["en"]], "a")
    alone = files(tmp_path / "out" / "monolingual-en")["a.safetensors"]
    seen: list[list[str]] = []
    real = workers._train

    def noting(group, watch):  # type: ignore[no-untyped-def]
        seen.append([one.cell.seed for one in group])
        return real(group, watch)

    monkeypatch.setattr(workers, "_train", noting)
    run(small, tmp_path / "out", [["en"]], "abc")
    run(small, tmp_path / "out", [["en"]], "abc")
    assert seen == [["b", "c"]]
    folder = tmp_path / "out" / "monolingual-en"
    assert files(folder)["a.safetensors"] == alone
    card = " ".join((folder / "README.md").read_text().split())
    assert "Trained in one pass with other seeds, which changes last digits alone: b, c." in card


@pytest.mark.parametrize("begun", ["alone", "together"])
def test_a_seed_goes_on_in_the_way_in_which_it_was_begun(
    small: SmallSet,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begun: str,
) -> None:
    """With other seeds or without: the weights are those of a run that was not stopped."""
    first, then = ("a", "ab") if begun == "alone" else ("ab", "a")
    run(small, tmp_path / "whole", [["en"]], first)
    real = Checkpoint.save

    def stop(self, state, log, kept):  # type: ignore[no-untyped-def]
        real(self, state, log, kept)
        if state["update"] == 20 and self.seed == first[-1]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            run(small, tmp_path / "out", [["en"]], first)
    (state,) = (tmp_path / "out" / "unfinished").glob("*_a.pt")
    key = torch.load(state, weights_only=True)["key"]
    assert begun_together(Checkpoint(state, key)) is (begun == "together")
    run(small, tmp_path / "out", [["en"]], then)
    one, other = (
        files(tmp_path / name / "monolingual-en")["a.safetensors"] for name in ("whole", "out")
    )
    assert one == other
