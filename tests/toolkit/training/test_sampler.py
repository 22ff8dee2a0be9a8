"""What learners meet: classes, languages and negatives of the items, and what an epoch covers."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from tests.toolkit.training.training_bank import CONCEPTS, make_bank
from toolkit.errors import ToolkitError
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.training.features import FeatureBank
from toolkit.training.fit import items_loss, network_config
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Choices, Sampler

FIVE = ("bear", "clock", "dog", "horse", "sheep")


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    return make_bank()


@pytest.fixture(scope="module")
def wide() -> FeatureBank:
    """Five classes, three languages, two views of each clip."""
    return make_bank(n_words=3, concepts=FIVE, languages=("en", "fr", "nl"), views=2)


def classes(bank: FeatureBank, choices: Choices) -> np.ndarray:
    """Class of every choice of a word: (items, 1 + negatives)."""
    return np.array([bank.word_table[row][2] for row in choices.rows])[choices.places]


def picture_classes(bank: FeatureBank, choices: Choices) -> np.ndarray:
    return np.array([bank.picture_table[row][2] for row in choices.rows])[choices.places]


def spoken(bank: FeatureBank, choices: Choices) -> np.ndarray:
    """Language of every choice of a word."""
    return np.array([bank.word_table[row][3] for row in choices.rows])[choices.places]


@pytest.mark.parametrize("negatives_from", ["batch", "own"])
@pytest.mark.parametrize("epoch_clips", [0, 6])
def test_items_are_of_one_class_and_negatives_of_others(
    bank: FeatureBank, negatives_from: str, epoch_clips: int
) -> None:
    sampler = Sampler(
        bank, "train", ["en"], seed=0, negatives_from=negatives_from, epoch_clips=epoch_clips
    )
    items = sampler.draw(items=50, negatives=7)
    n = epoch_clips or 50
    words, pictures = classes(bank, items.words), picture_classes(bank, items.pictures)
    assert words.shape == pictures.shape == (n, 8)
    assert (words == pictures).all()
    assert (words[:, 1:] != words[:, :1]).all()
    assert (spoken(bank, items.words) == "en").all()
    tables = (bank.word_table, items.words.rows), (bank.picture_table, items.pictures.rows)
    assert {table[row][1] for table, rows in tables for row in rows} == {"train"}
    assert items.second_words is None


def test_batch_negatives_are_spread_evenly(bank: FeatureBank) -> None:
    items = Sampler(bank, "train", ["en", "nl"], seed=0).draw(items=30, negatives=2000)
    concepts = classes(bank, items.words)[:, 0]
    assert items.words.places[:, 0].tolist() == list(range(30))
    counts = np.bincount(items.words.places[0, 1:], minlength=30)
    others = concepts != concepts[0]
    assert counts[~others].sum() == 0
    expected = 2000 / others.sum()
    assert (np.abs(counts[others] - expected) < 5 * np.sqrt(expected)).all()


def test_own_negatives_are_spread_evenly(wide: FeatureBank) -> None:
    """Every other class equally often, in it every clip and every picture; items on their own."""
    sampler = Sampler(wide, "train", ["en", "fr"], seed=0, negatives_from="own")
    items = sampler.draw(items=2000, negatives=11)
    words = classes(wide, items.words)
    for own in FIVE:
        drawn = Counter(words[words[:, 0] == own][:, 1:].flatten().tolist())
        assert own not in drawn
        assert chisquare([drawn[other] for other in FIVE if other != own]).pvalue > 1e-3
    for choices, n_rows in ((items.words, 5 * 2 * 6), (items.pictures, 5 * 3)):
        drawn = Counter(choices.places[:, 1:].flatten().tolist())
        assert len(drawn) == n_rows
        assert chisquare(list(drawn.values())).pvalue > 1e-3
        assert len(set(choices.rows.tolist())) == len(choices.rows)
    # With replacement: 11 draws from 4 classes must repeat, and not always in the same pattern.
    patterns = {tuple(row) for row in words[:, 1:].tolist()}
    assert len(patterns) > 1500
    assert len(set(items.words.places[0, 1:].tolist())) > 4


def test_classes_of_clips_and_pictures_are_drawn_apart_as_published(wide: FeatureBank) -> None:
    """The published code draws one list of classes after the other (PairedMEDataset)."""
    sampler = Sampler(wide, "train", ["en", "fr"], seed=0, negatives_from="apart", links=True)
    items = sampler.draw(items=4000, negatives=4)
    assert items.second_words is not None
    lists = {
        "words": classes(wide, items.words),
        "pictures": picture_classes(wide, items.pictures),
        "second": classes(wide, items.second_words),
    }
    own = lists["words"][:, 0]
    for drawn in lists.values():
        assert (drawn[:, 0] == own).all()
        assert (drawn[:, 1:] != own[:, None]).all()
    # Given the item's class, each list says nothing about the others: all 16 pairs equally often.
    for one, other in (("words", "pictures"), ("words", "second"), ("pictures", "second")):
        for name in FIVE:
            among = own == name
            pairs = Counter(
                zip(
                    lists[one][among, 1:].flatten().tolist(),
                    lists[other][among, 1:].flatten().tolist(),
                    strict=True,
                )
            )
            assert len(pairs) == 16
            assert chisquare(list(pairs.values())).pvalue > 1e-4
    first, second = spoken(wide, items.words), spoken(wide, items.second_words)
    assert (first == first[:, :1]).all()
    assert (second == second[:, :1]).all()
    assert (first[:, 0] != second[:, 0]).all()


@pytest.mark.parametrize("negatives_from", ["batch", "own", "apart"])
def test_links_of_one_language_are_second_clips_of_it(
    wide: FeatureBank, negatives_from: str
) -> None:
    sampler = Sampler(wide, "train", ["fr"], seed=0, negatives_from=negatives_from, links=True)
    items = sampler.draw(items=300, negatives=3)
    assert items.second_words is not None
    assert set(spoken(wide, items.second_words).flatten()) == {"fr"}
    first, second = classes(wide, items.words), classes(wide, items.second_words)
    assert (first[:, 0] == second[:, 0]).all()
    clips = [choices.rows[choices.places[:, 0]] for choices in (items.words, items.second_words)]
    assert (clips[0] != clips[1]).mean() > 0.5


@pytest.mark.parametrize("negatives_from", ["batch", "own"])
def test_languages_are_drawn_equally_often(wide: FeatureBank, negatives_from: str) -> None:
    sampler = Sampler(wide, "train", ["en", "nl"], seed=0, negatives_from=negatives_from)
    languages = spoken(wide, sampler.draw(items=1000, negatives=2).words)
    for column in languages.T:
        assert 430 < (column == "en").sum() < 570
        assert set(column) == {"en", "nl"}


@pytest.mark.parametrize("negatives_from", ["batch", "own"])
def test_links_say_the_same_classes_in_another_language(
    wide: FeatureBank, negatives_from: str
) -> None:
    sampler = Sampler(
        wide, "train", ["en", "fr", "nl"], seed=0, negatives_from=negatives_from, links=True
    )
    items = sampler.draw(items=300, negatives=3)
    assert items.second_words is not None
    assert (classes(wide, items.words) == classes(wide, items.second_words)).all()
    first, second = spoken(wide, items.words), spoken(wide, items.second_words)
    assert (first[:, 0] != second[:, 0]).all()
    pairs = Counter(zip(first[:, 0].tolist(), second[:, 0].tolist(), strict=True))
    assert len(pairs) == 6
    assert min(pairs.values()) > 25
    if negatives_from == "own":
        assert (first == first[:, :1]).all()


@pytest.mark.parametrize("negatives_from", ["batch", "own"])
@pytest.mark.parametrize("passes", [1, 2])
def test_an_epoch_meets_every_clip(wide: FeatureBank, negatives_from: str, passes: int) -> None:
    clips = {row[0] for row in wide.word_table if row[1] == "train" and row[3] in ("en", "fr")}
    sampler = Sampler(
        wide,
        "train",
        ["en", "fr"],
        seed=3,
        negatives_from=negatives_from,
        epoch_clips=passes * len(clips),
    )
    orders, views = [], set()
    for _ in range(3):
        met: list[str] = []
        sizes = []
        while len(met) < passes * len(clips):
            words = sampler.draw(items=7, negatives=2).words
            rows = words.rows[words.places[:, 0]]
            views.update(rows.tolist())
            met += [wide.word_table[row][0] for row in rows]
            sizes.append(len(rows))
        assert Counter(met) == dict.fromkeys(clips, passes)
        assert sizes[:-1] == [7] * (len(sizes) - 1)
        orders.append(tuple(met))
    assert len(set(orders)) == 3
    assert len(views) > len(clips)


def test_a_last_batch_of_one_item_has_negatives(bank: FeatureBank) -> None:
    sampler = Sampler(bank, "train", ["en"], seed=0, epoch_clips=6)
    sampler.draw(items=5, negatives=2)
    last = classes(bank, sampler.draw(items=5, negatives=2).words)
    assert last.shape == (1, 3)
    assert last[0, 0] not in last[0, 1:]


@pytest.mark.parametrize("negatives_from", ["batch", "own"])
def test_a_restored_sampler_draws_the_same(wide: FeatureBank, negatives_from: str) -> None:
    def sampler(seed: int) -> Sampler:
        return Sampler(
            wide, "train", ["en", "nl"], seed, negatives_from=negatives_from, epoch_clips=30
        )

    one, other = sampler(0), sampler(1)
    one.draw(items=7, negatives=3)
    other.restore(json.loads(json.dumps(one.state())))
    for _ in range(9):
        first, second = (each.draw(items=7, negatives=3) for each in (one, other))
        for kind in ("words", "pictures"):
            assert np.array_equal(getattr(first, kind).rows, getattr(second, kind).rows)
            assert np.array_equal(getattr(first, kind).places, getattr(second, kind).places)


@pytest.mark.parametrize("negatives_from", ["batch", "own"])
def test_loss_is_that_of_items_taken_one_by_one(bank: FeatureBank, negatives_from: str) -> None:
    """Every row encoded once, against every choice of every item encoded on its own."""
    network = fresh_network(network_config(bank, Recipe())).eval()
    sampler = Sampler(bank, "train", ["en", "nl"], seed=0, negatives_from=negatives_from)
    items = sampler.draw(items=7, negatives=2)
    losses = []
    for words, pictures in zip(
        items.words.rows[items.words.places],
        items.pictures.rows[items.pictures.places],
        strict=True,
    ):
        heard = torch.cat([network.encode_words(*bank.words(words[[i]])) for i in range(3)])
        seen = torch.cat([network.encode_pictures(bank.pictures(pictures[[i]])) for i in range(3)])
        for scores in (
            network.similarity(heard[:1], seen)[0],
            network.similarity(seen[:1], heard)[0],
        ):
            losses.append(torch.nn.functional.cross_entropy(scores, torch.tensor(0)).item())
    assert items_loss(network, bank, items).item() == pytest.approx(np.mean(losses), rel=1e-4)


def test_split_without_stimuli_is_named(bank: FeatureBank) -> None:
    with pytest.raises(ToolkitError, match="no fr word for bear"):
        Sampler(bank, "train", ["fr"], seed=0)
    with pytest.raises(ToolkitError, match="no picture of bear"):
        Sampler(replace(bank, picture_table=()), "train", ["en"], seed=0)
    with pytest.raises(ToolkitError, match="two familiar classes"):
        Sampler(make_bank(concepts=CONCEPTS[:1]), "train", ["en"], seed=0)
