"""Speed against the published code, size md, side by side in one run. --run-benchmarks.

MEVGS_PUBLISHED_CODE names a checkout of danoneata/me-vgs (353710d or later; needs `toolz`). Both
sides get the same random features of the true sizes from memory: 768 channels and 35 to 65 frames
a word, 2048 x 8 x 8 a picture. They run in turn on one thread each, and the least processor time of
each counts, so that a busy machine does not decide. Reading files is not part of it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from tests.benchmarks.taken import Taken, measured
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.subject import BackboneRef, StoredNetwork, VGSSubject
from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training.features import FeatureBank
from toolkit.training.fit import items_loss
from toolkit.training.gathering import Buffers
from toolkit.training.sampler import Choices, Items, Sampler

pytestmark = pytest.mark.benchmark
CODE = os.environ.get("MEVGS_PUBLISHED_CODE", "")
MD = NetworkConfig(word_dim=768, picture_dim=2048, width=256, embedding=256)
ITEMS, CHOICES, TRIALS = 60, 12, 950
ROUNDS = 4
NOWHERE = BackboneRef("hearing", Path("nowhere"), "0")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def published() -> Any:
    """The published network, fresh weights."""
    if not CODE:
        pytest.skip("MEVGS_PUBLISHED_CODE does not name a checkout of danoneata/me-vgs")
    sys.path.insert(0, CODE)
    try:
        setup = importlib.import_module("mevgs.model").setup_model
    except ImportError as error:
        pytest.skip(f"the published code cannot be imported from {CODE}: {error}")
    finally:
        sys.path.remove(CODE)
    torch.manual_seed(0)
    towers = {
        "audio_encoder_kwargs": {"type": "transformer", "input_dim": 768, "width": 256},
        "image_encoder_kwargs": {
            "input_dim": 2048, "width": 256, "backbone_type": "identity",
            "to_freeze_backbone": None, "use_pretrained_backbone": None,
        },
    }  # fmt: skip
    return setup(model_name="clip", embed_dim=256, **towers)


@pytest.fixture
def network(published: Any) -> VGSNetwork:
    """The same network here."""
    own = VGSNetwork(MD)
    own.load(published.state_dict(), "the published code")
    return own


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    """As many words and pictures as a step can need at most: no item shares any with another."""
    draw = torch.Generator().manual_seed(0)
    n = ITEMS * CHOICES
    lengths = torch.randint(35, 66, (n,), generator=draw)
    concepts = tuple(f"class-{number:02}" for number in range(13))
    classes = [concepts[row % len(concepts)] for row in range(n)]
    return FeatureBank(
        concepts=concepts,
        word_table=tuple((f"word-{r}", "train", c, "en") for r, c in enumerate(classes)),
        picture_table=tuple((f"picture-{r}", "train", c) for r, c in enumerate(classes)),
        frames=torch.randn(int(lengths.sum()), 768, generator=draw).half(),
        word_start=np.concatenate([[0], lengths.cumsum(0).numpy()]),
        maps=torch.randn(n, 8, 8, 2048, generator=draw).half().movedim(-1, 1),
    )


def all_distinct() -> Items:
    """Items none of which shares a word or picture with another: the most work there can be."""
    rows = Choices.of(np.arange(ITEMS * CHOICES).reshape(ITEMS, CHOICES))
    return Items(rows, rows, None)


def published_batch(bank: FeatureBank, items: Items) -> tuple[torch.Tensor, ...]:
    """Items as the published network takes them."""
    words, lengths = bank.words(items.words.rows[items.words.places].flatten())
    pictures = bank.pictures(items.pictures.rows[items.pictures.places].flatten())
    shape = items.words.places.shape
    labels = torch.zeros(shape)
    labels[:, 0] = 1
    words = words.transpose(1, 2).contiguous()
    return (
        words.view(*shape, *words.shape[1:]),
        lengths.view(shape),
        pictures.view(*shape, *pictures.shape[1:]),
        labels,
    )


def in_turn(sides: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Least processor time of each side, in seconds; all are told, and those of the wall."""
    rounds: dict[str, list[Taken]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, work in sides.items():
            with measured() as taken:
                work()
            rounds[side].append(taken)
    for side, all_taken in rounds.items():
        sys.stdout.write(f"\n{side}: {', '.join(taken.told for taken in all_taken)}")
    return {side: min(taken.processor_s for taken in rounds[side]) for side in sides}


def stepper(network: Any, loss: Callable[[], torch.Tensor], **how: bool) -> Callable[[], None]:
    """One update with the published optimiser."""
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-4, weight_decay=5e-7, **how)

    def step() -> None:
        optimiser.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def times_products(step: Callable[[], None]) -> float:
    """How much longer a step takes than all matrix products in it."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as told:
        for _ in range(ROUNDS):
            step()
    each = {one.key: one.self_cpu_time_total for one in told.key_averages()}
    products = sum(each.get(f"aten::{name}", 0) for name in ("mm", "addmm", "bmm", "baddbmm"))
    return sum(each.values()) / products


def test_same_loss_and_gradients(published: Any, network: VGSNetwork, bank: FeatureBank) -> None:
    """Without dropout, which both draw at random."""
    sampler = Sampler(bank, "train", ["en"], seed=0, negatives_from="own")
    items = sampler.draw(items=5, negatives=CHOICES - 1)
    theirs = published.eval()(*published_batch(bank, items))
    ours = items_loss(network.eval(), bank, items)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    expected = torch.autograd.grad(theirs, dict(published.named_parameters()).values(),
                                   allow_unused=True, materialize_grads=True)  # fmt: skip
    own = torch.autograd.grad(ours, [dict(network.named_parameters())[name]
                                     for name, _ in published.named_parameters()],
                              allow_unused=True, materialize_grads=True)  # fmt: skip
    scale = max(float(one.abs().max()) for one in expected)
    worst = max(float((a - b).abs().max()) for a, b in zip(own, expected, strict=True)) / scale
    sys.stdout.write(f"\nlargest difference of gradients: {worst:.1e} of the largest gradient")
    assert worst < 1e-5


def test_training_steps(published: Any, network: VGSNetwork, bank: FeatureBank) -> None:
    items = all_distinct()
    batch = published_batch(bank, items)
    shared = Sampler(bank, "train", ["en"], seed=0).draw(ITEMS, CHOICES - 1)

    given = replace(bank, buffers=Buffers())

    def loss(items: Items) -> torch.Tensor:
        """As a training has it: features are put where those of the update before were."""
        assert given.buffers is not None
        given.buffers.again()
        return items_loss(network, given, items)

    def forward() -> None:
        with torch.no_grad():
            loss(items)

    words, pictures = batch[0].flatten(0, 1), batch[2].flatten(0, 1).flatten(2)
    flat = [one.transpose(1, 2).reshape(-1, one.shape[1]) for one in (words, pictures)]
    weights = [network.audio_enc.pool.proj_in.weight, network.image_enc.pool.proj_in.weight]

    def products() -> None:
        with torch.no_grad():
            for one, weight in zip(flat, weights, strict=True):
                torch.mm(one, weight.T)

    gradients = [torch.randn(len(one), MD.width) for one in flat]

    def there_and_back() -> None:
        products()
        for one, gradient in zip(flat, gradients, strict=True):
            torch.mm(gradient.T, one)

    steps = {
        "published step": stepper(published, lambda: published(*batch)),
        "step, own negatives": stepper(network, lambda: loss(items), fused=True),
        "step, shared negatives": stepper(network, lambda: loss(shared), fused=True),
        "forward pass over all distinct items": forward,
        "input projections of all distinct items alone": products,
        "the same with the gradients of their weights": there_and_back,
    }
    best = in_turn(steps)
    theirs, own, few, whole, least, both = best.values()
    sys.stdout.write(
        f"\nown negatives {theirs / own:.1f}x, shared negatives "
        f"{theirs / few:.1f}x the anchors per second; a step takes {own / whole:.1f} forward "
        f"passes, a forward pass {whole / least:.1f} times its input projections, a step "
        f"{own / both:.2f} times these and the gradients of their weights, and "
        f"{times_products(steps['step, own negatives']):.2f} times all matrix products in it\n"
    )
    assert theirs > 2 * own
    assert theirs > 10 * few


@pytest.mark.parametrize(("occurrences", "target"), [(1, 3.0), (5, 9.0)])
def test_scoring(published: Any, network: VGSNetwork, occurrences: int, target: float) -> None:
    """A list of trials, every picture in it so many times; every word clip once."""
    rng = np.random.default_rng(0)
    words = [rng.standard_normal((n, 768), dtype=np.float32) for n in rng.integers(35, 66, TRIALS)]
    n_pictures = 2 * TRIALS // occurrences
    pictures = rng.standard_normal((n_pictures, 2048, 8, 8), dtype=np.float32)
    pairs = rng.permutation(np.arange(2 * TRIALS) % n_pictures).reshape(TRIALS, 2)
    subject = VGSSubject(StoredNetwork.of(network), NOWHERE, NOWHERE)
    published.eval()
    batches = []
    for start in range(0, TRIALS, 128):
        some = words[start : start + 128]
        padded = pad_sequence([torch.from_numpy(one) for one in some], batch_first=True)
        chosen = [torch.from_numpy(pictures[own]) for own in pairs[start : start + 128].T]
        lengths = torch.tensor([len(one) for one in some])
        batches.append((padded.transpose(1, 2), lengths, *chosen))
    found: dict[str, np.ndarray] = {}

    def theirs() -> None:
        with torch.no_grad():
            shares = [published.predict_paired_test(*batch) for batch in batches]
        found["theirs"] = torch.cat(shares).numpy()

    def ours() -> None:
        scores = subject.similarity(
            subject.embed_word_features(words), subject.embed_picture_features(pictures)
        )
        found["ours"] = np.take_along_axis(scores, pairs, axis=1)

    flat = torch.from_numpy(pictures).flatten(2).transpose(1, 2).reshape(-1, 2048)
    frames = torch.from_numpy(np.concatenate(words))
    weights = [network.audio_enc.pool.proj_in.weight, network.image_enc.pool.proj_in.weight]

    def products() -> None:
        with torch.no_grad():
            for one, weight in zip((frames, flat), weights, strict=True):
                torch.mm(one, weight.T)

    maps = torch.from_numpy(pictures).flatten(2)
    clips = [torch.from_numpy(word) for word in words]
    turned = weights[0].detach().T.contiguous()

    def products_in_place() -> None:
        with torch.no_grad():
            for clip in clips:
                torch.mm(clip, turned)
            for some in maps.split(16):
                torch.bmm(weights[1].expand(len(some), -1, -1), some)

    sides = {
        "published": theirs, "here": ours, "input projections alone": products,
        "the same of features where they lie": products_in_place,
    }  # fmt: skip
    best = in_turn(sides)
    shares = torch.from_numpy(found["ours"]).softmax(dim=1).numpy()
    np.testing.assert_allclose(shares, found["theirs"], atol=1e-5)
    theirs_s, own_s, least_s, in_place_s = best.values()
    ratio = theirs_s / own_s
    sys.stdout.write(
        f"\n{TRIALS} trials, every picture {occurrences} times: {ratio:.1f}x; "
        f"{own_s / least_s:.2f} times the input projections of its distinct words and pictures, "
        f"{own_s / in_place_s:.2f} times those of features where they lie, which alone would be "
        f"{theirs_s / in_place_s:.1f}x\n"
    )
    assert ratio > target
