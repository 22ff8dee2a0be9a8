"""The network against PyTorch's own layer and against the published code's numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from toolkit.errors import ToolkitError
from toolkit.subjects.network_config import NetworkConfig
from toolkit.subjects.vgs import TransformerPooling, VGSNetwork, paired_loss
from toolkit.subjects.vgs_subject import BackboneRef, StoredNetwork, VGSSubject, fresh_network

FIXTURE = Path(__file__).parents[3] / "shared" / "reference" / "mevgs_clip.npz"
NOWHERE = BackboneRef("hearing", Path("nowhere"), "0")


@pytest.fixture
def network() -> VGSNetwork:
    config = NetworkConfig(word_dim=5, picture_dim=7, width=128, embedding=3)
    return fresh_network(config, seed=2).eval()


@pytest.fixture
def subject(network: VGSNetwork) -> VGSSubject:
    return VGSSubject(StoredNetwork.of(network), NOWHERE, NOWHERE)


def plain(pool: TransformerPooling, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The same network with all positions going through PyTorch's layer."""
    first = pool.class_embedding.expand(len(inputs), 1, -1)
    tokens = torch.cat([first, pool.proj_in(inputs)], dim=1)
    padding = torch.arange(tokens.shape[1]) > lengths.unsqueeze(1)
    return pool.proj_out(pool.ln_out(pool.layer(tokens, src_key_padding_mask=padding)[:, 0]))


def test_class_position_alone_equals_the_plain_layer(network: VGSNetwork) -> None:
    inputs = torch.randn(3, 11, 5, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([11, 2, 7])
    pool = network.audio_enc.pool
    with torch.no_grad():
        # Biases are zero in a fresh network and would hide a forgotten one.
        for value in pool.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(1)))
        expected = plain(pool, inputs, lengths)
        torch.testing.assert_close(pool(inputs, lengths), expected, rtol=1e-5, atol=1e-5)


def test_gradients_equal_those_of_the_plain_layer(network: VGSNetwork) -> None:
    inputs = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([5, 2, 3])
    pool = network.audio_enc.pool
    names, values = zip(*pool.named_parameters(), strict=True)
    own = torch.autograd.grad(pool(inputs, lengths).square().sum(), values)
    expected = torch.autograd.grad(plain(pool, inputs, lengths).square().sum(), values)
    for name, one, other in zip(names, own, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4, msg=name)


def test_dropout_only_while_training(network: VGSNetwork) -> None:
    inputs = torch.ones(2, 3, 5)
    assert torch.equal(network.encode_words(inputs), network.encode_words(inputs))
    network.train()
    assert not torch.equal(network.encode_words(inputs), network.encode_words(inputs))


@pytest.mark.skipif(not FIXTURE.is_file(), reason="numbers of the published code are not here")
def test_published_numbers() -> None:
    fixture = {key: torch.from_numpy(value) for key, value in np.load(FIXTURE).items()}
    network = VGSNetwork(NetworkConfig(word_dim=24, picture_dim=40, embedding=32)).eval()
    state = {key[6:]: value for key, value in fixture.items() if key.startswith("state/")}
    network.load(state, "fixture")
    items, n = fixture["lengths"].shape
    with torch.no_grad():
        words = network.encode_words(
            fixture["audio"].flatten(0, 1).transpose(1, 2), fixture["lengths"].flatten()
        )
        pictures = network.encode_pictures(fixture["image"].flatten(0, 1))
        cross = network.similarity(words, pictures)
        paired = torch.stack([cross.diagonal(), cross.flip(1).diagonal()], dim=1).softmax(dim=1)
        loss = paired_loss(network, words.view(items, n, -1), pictures.view(items, n, -1))
    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(words, fixture["out/audio_embedding"], **close)
    torch.testing.assert_close(pictures, fixture["out/image_embedding"], **close)
    # One unit in the last place of a cosine is a hundred times as much in a score.
    torch.testing.assert_close(cross / 100, fixture["out/score_cross"] / 100, **close)
    torch.testing.assert_close(paired, fixture["out/paired"], **close)
    torch.testing.assert_close(loss, fixture["out/loss"], **close)


def test_state_dict_names_are_the_published_ones(network: VGSNetwork) -> None:
    pool = {
        *("class_embedding", "proj_in.weight", "proj_in.bias"),
        *("layer.self_attn.in_proj_weight", "layer.self_attn.in_proj_bias"),
        *("layer.self_attn.out_proj.weight", "layer.self_attn.out_proj.bias"),
        *(f"layer.linear{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")),
        *(f"layer.norm{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")),
        *("ln_out.weight", "ln_out.bias", "proj_out.weight"),
    }
    towers = {f"{tower}.pool.{name}" for tower in ("audio_enc", "image_enc") for name in pool}
    assert set(network.state_dict()) == {"logit_scale", *towers}


@pytest.mark.parametrize(
    ("temperature", "learnt", "expected"),
    [("published", 20, 100), ("published", 200, 200), ("capped", 20, 20), ("capped", 200, 100)],
)
def test_temperature(temperature: str, learnt: float, expected: float) -> None:
    network = fresh_network(NetworkConfig(word_dim=2, picture_dim=3, temperature=temperature))
    with torch.no_grad():
        network.logit_scale.fill_(math.log(learnt))
    assert network.scale().item() == pytest.approx(expected, rel=1e-5)


def test_loss_by_hand(network: VGSNetwork) -> None:
    """Two items of one positive and one negative each, with unit vectors as embeddings."""
    east, north = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    words = torch.stack([torch.stack([east, north]), torch.stack([north, east])])
    assert paired_loss(network, words, words).item() == pytest.approx(0.0, abs=1e-5)
    swapped = words.flip(1)
    assert paired_loss(network, words, swapped).item() == pytest.approx(100.0, rel=1e-5)


def test_weights_that_do_not_fit_are_all_named(network: VGSNetwork) -> None:
    state = network.state_dict()
    state["stray"] = state.pop("logit_scale")
    state["audio_enc.pool.proj_in.weight"] = torch.zeros(128, 6)
    with pytest.raises(ToolkitError) as caught:
        network.load(state, "there.safetensors")
    for part in ("there.safetensors", "missing: logit_scale", "unknown: stray", "(128, 6)"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "part"),
    [({"family": "clap"}, "clip"), ({"temperature": "cold"}, "capped"), ({"width": 96}, "64")],
)
def test_wrong_config(wrong: dict[str, str], part: str) -> None:
    with pytest.raises(ToolkitError, match=part):
        NetworkConfig(word_dim=2, picture_dim=3, **wrong)  # type: ignore[arg-type]


def test_embeddings_do_not_depend_on_what_shares_the_batch(subject: VGSSubject) -> None:
    rng = np.random.default_rng(0)
    words = [rng.standard_normal((n, 5), dtype=np.float32) for n in (2, 7, 3, 7, 2)]
    pictures = rng.standard_normal((5, 7, 2, 3), dtype=np.float32)
    together = subject.embed_word_features(words)
    alone = np.concatenate([subject.embed_word_features([word]) for word in words])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)
    together = subject.embed_picture_features(pictures)
    alone = np.concatenate([subject.embed_picture_features(one[None]) for one in pictures])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)
    assert together.dtype == np.float32
    assert together.shape == (5, 3)


def test_padding_does_not_reach_the_embedding(network: VGSNetwork) -> None:
    short = torch.randn(1, 3, 5)
    padded = torch.cat([short, torch.full((1, 4, 5), 9.0)], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(
            network.encode_words(padded, torch.tensor([3])), network.encode_words(short)
        )


def test_similarity_is_cosine_times_temperature(subject: VGSSubject) -> None:
    words = np.array([[3.0, 0.0, 0.0], [0.0, 0.5, 0.0]], dtype=np.float32)
    pictures = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 1.0, 0.0]], dtype=np.float32)
    half = math.sqrt(0.5)
    expected = 100 * np.array([[1, 0, half], [0, 1, half]])
    scores = subject.similarity(words, pictures)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_features_of_another_backbone_are_refused(subject: VGSSubject) -> None:
    with pytest.raises(ToolkitError, match="5 channels"):
        subject.embed_word_features([np.zeros((2, 7), dtype=np.float32)])
    with pytest.raises(ToolkitError, match="fit"):
        subject.embed_word_features([np.zeros((0, 5), dtype=np.float32)])
    with pytest.raises(ToolkitError, match="7 channels"):
        subject.embed_picture_features(np.zeros((2, 5, 3, 3), dtype=np.float32))


def test_no_stimuli_give_no_embeddings(subject: VGSSubject) -> None:
    assert subject.embed_word_features([]).shape == (0, 3)
    assert subject.embed_picture_features(np.zeros((0, 7, 2, 2), np.float32)).shape == (0, 3)


def test_making_a_network_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    fresh_network(NetworkConfig(word_dim=2, picture_dim=3), seed=5)
    assert torch.equal(before, torch.random.get_rng_state())
