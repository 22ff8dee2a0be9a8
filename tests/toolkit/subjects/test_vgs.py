"""The network against PyTorch's own layer and against the published code's numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from toolkit.errors import ToolkitError
from toolkit.subjects.vgs import trained
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.families import FAMILIES
from toolkit.subjects.vgs.family import paired_loss
from toolkit.subjects.vgs.subject import BackboneRef, StoredNetwork, VGSSubject, fresh_network
from toolkit.subjects.vgs.towers import TransformerPooling, VGSNetwork
from toolkit.subjects.vgs.trained import WIDE, TrainedPooling

REFERENCE = Path(__file__).parents[2] / "reference"
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


def test_trained_towers_give_what_learning_ones_do() -> None:
    """The same embeddings with layer normalisation taken apart, and features where they lie."""
    draw = torch.Generator().manual_seed(0)
    config = NetworkConfig(word_dim=5, picture_dim=7, width=128, embedding=3)
    network = fresh_network(config, seed=2).eval()
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=draw))
    clips = 3 * torch.randn(3, 11, 5, generator=draw) + 1
    pictures = torch.randn(5, 7, 2, 3, generator=draw) - 2
    with torch.inference_mode():
        for tower, features, expected in (
            (network.audio_enc, clips, network.encode_words(clips)),
            (network.image_enc, pictures, network.encode_pictures(pictures)),
        ):
            pool = TrainedPooling(tower.pool)
            ask = pool.clips if features is clips else pool.pictures
            found = torch.from_numpy(pool.embedded(ask(features).numpy()))
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_features_of_real_backbones_are_asked_by_trained_towers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To 1e-6 of the largest, whatever way; narrower ones to the last bit as they learn."""
    network = fresh_network(NetworkConfig(WIDE, WIDE, width=64, embedding=3), seed=2).eval()
    subject = VGSSubject(StoredNetwork.of(network), NOWHERE, NOWHERE)
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal((n, WIDE), dtype=np.float32) for n in (3, 2, 3)]
    pictures = rng.standard_normal((5, WIDE, 2, 3), dtype=np.float32)
    made = []
    built: list[TransformerPooling] = []
    own = TrainedPooling.__init__
    monkeypatch.setattr(
        TrainedPooling, "__init__", lambda self, pool: (built.append(pool), own(self, pool))[1]
    )
    for wide in (WIDE, WIDE + 1):
        monkeypatch.setattr(trained, "WIDE", wide)
        made.append((subject.embed_word_features(clips), subject.embed_picture_features(pictures)))
        assert len(built) == 2
    for quick, slow in zip(*made, strict=True):
        np.testing.assert_allclose(quick, slow, rtol=0, atol=1e-6 * np.abs(slow).max())
    with torch.inference_mode():
        expected = network.encode_pictures(torch.from_numpy(pictures)).numpy()
    np.testing.assert_array_equal(made[1][1], expected)


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


def test_positions_are_overlooked_only_while_training() -> None:
    torch.manual_seed(0)
    config = NetworkConfig(word_dim=5, picture_dim=7, dropout=0.0, position_dropout=0.5)
    network = VGSNetwork(config)
    inputs = torch.randn(2, 30, 5, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(network.encode_words(inputs), network.encode_words(inputs))
    pictures = torch.randn(2, 7, 4, 4, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(network.encode_pictures(pictures), network.encode_pictures(pictures))
    network.eval()
    assert torch.equal(network.encode_words(inputs), network.encode_words(inputs))
    with torch.no_grad():
        nothing = VGSNetwork(replace(config, position_dropout=0.9999)).train()
        nothing.load(network.state_dict(), "the other")
        two = nothing.encode_words(inputs)
    # With everything overlooked the class position is all there is.
    torch.testing.assert_close(two[0], two[1])


@pytest.mark.parametrize("family", ["clip", "clip-two-audios"])
def test_published_numbers(family: str) -> None:
    """Both fixture families: embeddings, scores and loss as the published code gives them."""
    path = REFERENCE / f"mevgs_{family.replace('-', '_')}.npz"
    fixture = {key: torch.from_numpy(value) for key, value in np.load(path).items()}
    config = NetworkConfig(word_dim=24, picture_dim=40, embedding=32, family=family)
    network = VGSNetwork(config).eval()
    state = {key[6:]: value for key, value in fixture.items() if key.startswith("state/")}
    network.load(state, "fixture")
    items, n = fixture["lengths"].shape
    audio, lengths = fixture["audio"].transpose(2, 3), fixture["lengths"]
    with torch.no_grad():
        words = network.encode_words(audio.flatten(0, 1), lengths.flatten())
        second = network.encode_words(audio.flip(0).flatten(0, 1), lengths.flip(0).flatten())
        pictures = network.encode_pictures(fixture["image"].flatten(0, 1))
        cross = network.similarity(words, pictures)
        paired = torch.stack([cross.diagonal(), cross.flip(1).diagonal()], dim=1).softmax(dim=1)
        embeddings = [vectors.view(items, n, -1) for vectors in (words, pictures, second)]
        loss = network.objective(*embeddings[: 3 if family == "clip-two-audios" else 2])
    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(words, fixture["out/audio_embedding"], **close)
    torch.testing.assert_close(pictures, fixture["out/image_embedding"], **close)
    torch.testing.assert_close(paired, fixture["out/paired"], **close)
    torch.testing.assert_close(loss, fixture["out/loss"], **close)
    if "out/score_cross" in fixture:
        # One unit in the last place of a cosine is a hundred times as much in a score.
        torch.testing.assert_close(cross / 100, fixture["out/score_cross"] / 100, **close)


@pytest.mark.parametrize("family", FAMILIES)
def test_state_dict_names_are_the_published_ones(family: str) -> None:
    network = of_family(family)
    pool = {
        *("class_embedding", "proj_in.weight", "proj_in.bias"),
        *("layer.self_attn.in_proj_weight", "layer.self_attn.in_proj_bias"),
        *("layer.self_attn.out_proj.weight", "layer.self_attn.out_proj.bias"),
        *(f"layer.linear{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")),
        *(f"layer.norm{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")),
        *("ln_out.weight", "ln_out.bias", "proj_out.weight"),
    }
    towers = {f"{tower}.pool.{name}" for tower in ("audio_enc", "image_enc") for name in pool}
    kept = ("running_mean", "running_var", "num_batches_tracked")
    own = {"mattnet": set(), "barlip": {f"bn_{m}.{k}" for m in ("audio", "image") for k in kept}}
    assert set(network.state_dict()) == towers | own.get(family, {"logit_scale"})


def of_family(family: str, **changes: object) -> VGSNetwork:
    """A network with embeddings of 3 dimensions that has seen some batches."""
    settings = {"word_dim": 5, "picture_dim": 7, "embedding": 3, "family": family} | changes
    network = fresh_network(NetworkConfig(**settings), seed=2)
    if family == "barlip":
        draw = torch.Generator().manual_seed(0)
        for _ in range(3):
            network.objective(*(2 + torch.randn(7, 2, 3, generator=draw) for _ in range(2)))
    return network.eval()


def draw_pairs() -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    return 1 + torch.randn(5, 3, generator=draw), 2 * torch.randn(7, 3, generator=draw)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_of_stored_embeddings_are_those_of_the_network(family: str) -> None:
    network = of_family(family)
    words, pictures = draw_pairs()
    with torch.no_grad():
        expected = network.similarity(words, pictures).numpy()
    subject = VGSSubject(StoredNetwork.of(network), NOWHERE, NOWHERE)
    scores = subject.similarity(words.numpy(), pictures.numpy())
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)


def test_mattnet_scores_by_the_dot_product() -> None:
    words, pictures = draw_pairs()
    expected = [[sum(a * b for a, b in zip(w, p, strict=True)) for p in pictures] for w in words]
    torch.testing.assert_close(
        of_family("mattnet").similarity(words, pictures), torch.tensor(expected)
    )


def test_mattnet_poolings_of_several_positions() -> None:
    draw = torch.Generator().manual_seed(0)
    words = torch.randn(2, 3, 5, generator=draw)
    pictures = torch.randn(3, 3, 7, generator=draw)
    largest = [[(word.T @ picture).max() for picture in pictures] for word in words]
    means = [[(word.mean(1) @ picture.mean(1)) for picture in pictures] for word in words]
    for pooling, expected in (("scores-max", largest), ("features-avg", means)):
        network = of_family("mattnet", pooling=pooling)
        scores = network.family.similarity_of_positions(words, pictures)
        torch.testing.assert_close(scores, torch.tensor(expected))
        one = network.family.similarity_of_positions(words[..., :1], pictures[..., :1])
        torch.testing.assert_close(one, network.similarity(words[..., 0], pictures[..., 0]))


def test_barlip_scores_by_distance_after_batch_normalisation() -> None:
    network = of_family("barlip")
    words, pictures = draw_pairs()
    with torch.no_grad():
        own, others = network.bn_audio(words), network.bn_image(pictures)
        scores = network.similarity(words, pictures)
    expected = -(own[:, None] - others[None]).square().sum(dim=-1)
    torch.testing.assert_close(scores, expected, rtol=1e-5, atol=1e-5)
    before = network.bn_audio.running_mean.clone()
    network.train().similarity(words, pictures)
    assert torch.equal(before, network.bn_audio.running_mean), "scoring must not change the network"


def test_barlip_objective_by_hand() -> None:
    """Correlations of standardised columns, written out; only the first of every item counts."""
    network = of_family("barlip").train()
    draw = torch.Generator().manual_seed(5)
    words, pictures = (torch.randn(7, 2, 3, generator=draw) for _ in range(2))
    own, others = (
        (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()
        for x in (words[:, 0], pictures[:, 0])
    )
    expected = 0.0
    for row in range(3):
        for column in range(3):
            correlation = float((own[:, row] * others[:, column]).mean())
            same = row == column
            expected += (correlation - 1) ** 2 if same else 0.005 * correlation**2
    assert network.objective(words, pictures).item() == pytest.approx(expected, rel=1e-5)


def test_language_links_are_the_mean_of_three_losses() -> None:
    network = of_family("clip-two-audios")
    draw = torch.Generator().manual_seed(0)
    words, pictures, second = (torch.randn(2, 5, 3, generator=draw) for _ in range(3))
    pairs = ((words, pictures), (second, pictures), (words, second))
    expected = sum(paired_loss(network, *pair) for pair in pairs) / 3
    torch.testing.assert_close(network.objective(words, pictures, second), expected)
    with pytest.raises(ToolkitError, match="two languages"):
        network.objective(words, pictures)
    with pytest.raises(ToolkitError, match="one language"):
        of_family("clip").objective(words, pictures, second)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_learn(family: str) -> None:
    """A few steps on fixed items bring the objective down.

    The steps are Adam's, as in training. It remembers how steep it was: once the objective is at
    its floor and its slopes are rounding, steps are small. Steps of one length whatever the slope
    would go on at random there, and how far depends on how a processor rounds.
    """
    network = of_family(family, dropout=0.0).train()
    draw = torch.Generator().manual_seed(1)
    features = torch.randn(14, 5, 5, generator=draw), torch.randn(14, 7, 2, 2, generator=draw)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(25):
        words = network.encode_words(features[0]).view(7, 2, 3)
        pictures = network.encode_pictures(features[1]).view(7, 2, 3)
        linked = (words.flip(1),) if FAMILIES[family].links else ()
        loss = network.objective(words, pictures, *linked)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_towers_of_different_width() -> None:
    network = of_family("clip", width=64, picture_width=128)
    assert network.audio_enc.pool.proj_in.weight.shape == (64, 5)
    assert network.image_enc.pool.proj_in.weight.shape == (128, 7)
    assert network.encode_pictures(torch.ones(2, 7, 3, 3)).shape == (2, 3)


@pytest.mark.parametrize(
    ("temperature", "learnt", "expected"),
    [("published", 20, 100), ("published", 200, 200), ("capped", 20, 20), ("capped", 200, 100)],
)
def test_temperature(temperature: str, learnt: float, expected: float) -> None:
    network = fresh_network(NetworkConfig(word_dim=2, picture_dim=3, temperature=temperature))
    with torch.no_grad():
        network.logit_scale.fill_(math.log(learnt))
    assert network.family.scale_of(network).item() == pytest.approx(expected, rel=1e-5)


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
    [
        ({"family": "clap"}, "clip"),
        ({"temperature": "cold"}, "capped"),
        ({"pooling": "min"}, "scores-max"),
        ({"width": 96}, "64"),
        ({"picture_width": 32}, "64"),
    ],
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
    short = torch.randn(1, 3, 5, generator=torch.Generator().manual_seed(0))
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


def test_a_network_of_any_size_is_not_laid_out_before_its_weights_fit() -> None:
    """As large as there may be: 4 GB."""
    config = NetworkConfig(word_dim=5, picture_dim=7, width=6_656)
    with pytest.raises(ToolkitError, match="The weights in a small file do not fit"):
        StoredNetwork(config, {"logit_scale": np.zeros((), "f4")}, "a small file").build()
