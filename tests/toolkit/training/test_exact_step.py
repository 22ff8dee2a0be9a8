"""A training step against a literal one: every item encoded alone, by PyTorch's own layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.toolkit.training.training_bank import make_bank
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.families import CLIP
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.subjects.vgs.towers import TransformerPooling, VGSNetwork
from toolkit.training.fit import items_loss
from toolkit.training.sampler import Sampler


def pooled(pool: TransformerPooling, inputs: Tensor) -> Tensor:
    """All positions of one item (positions, channels) through the whole layer."""
    tokens = torch.cat([pool.class_embedding[None], pool.proj_in(inputs)])
    return pool.proj_out(pool.ln_out(pool.layer(tokens[None])[0, 0]))


def literal_loss(
    network: VGSNetwork, words: list[list[Tensor]], pictures: list[list[Tensor]]
) -> Tensor:
    """Mean over items and directions of minus the log share of the positive (published eq.)."""
    assert isinstance(network.family, CLIP)
    scale = network.family.scale_of(network)
    losses = []
    for clips, maps in zip(words, pictures, strict=True):
        heard = [pooled(network.audio_enc.pool, clip) for clip in clips]
        seen = [pooled(network.image_enc.pool, one.flatten(1).T) for one in maps]
        for own, others in ((heard[0], seen), (seen[0], heard)):
            scores = [functional.cosine_similarity(own, other, dim=0) for other in others]
            losses.append(-(scale * torch.stack(scores)).log_softmax(0)[0])
    return torch.stack(losses).mean()


@pytest.mark.parametrize("temperature", ["published", "capped"])
@pytest.mark.parametrize("negatives_from", ["own", "apart", "batch"])
def test_loss_and_gradients_of_a_literal_step(temperature: str, negatives_from: str) -> None:
    bank = make_bank(n_words=3, n_pictures=5)
    network = fresh_network(
        NetworkConfig(5, 7, width=128, embedding=3, temperature=temperature), seed=2
    ).eval()
    with torch.no_grad():
        # Biases are zero in a fresh network and would hide a forgotten one.
        draw = torch.Generator().manual_seed(1)
        for value in network.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=draw))
    sampler = Sampler(bank, "train", ["en", "nl"], seed=0, negatives_from=negatives_from)
    items = sampler.draw(items=7, negatives=5)
    if negatives_from != "batch":
        # Some rows must serve twice, or encoding each once would not be put to the test.
        assert len(items.words.rows) < items.words.places.size

    def row(which: int) -> Tensor:
        return bank.frames[bank.word_start[which] : bank.word_start[which + 1]].float()

    words = [[row(r) for r in some] for some in items.words.rows[items.words.places].tolist()]
    pictures = [
        [bank.maps[r].float() for r in some]
        for some in items.pictures.rows[items.pictures.places].tolist()
    ]
    names, values = zip(*network.named_parameters(), strict=True)
    found, expected = items_loss(network, bank, items), literal_loss(network, words, pictures)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    how = {"allow_unused": True, "materialize_grads": True}
    own = torch.autograd.grad(found, values, **how)
    literal = torch.autograd.grad(expected, values, **how)
    largest = max(float(gradient.abs().max()) for gradient in literal)
    assert largest > 0
    for name, one, other in zip(names, own, literal, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5 * largest, msg=name)
