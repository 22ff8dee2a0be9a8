"""Published checkpoints: names, files, the networks they are of, and what becomes of them."""

from __future__ import annotations

import json
import math
import shutil
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from stimuli import StimulusSet
from toolkit.cli import main
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.seeing import DINO
from toolkit.subjects.features.extraction import Computed, extract
from toolkit.subjects.features.sources import find_jobs
from toolkit.subjects.populations import open_population
from toolkit.subjects.vgs.checkpoints import (
    ConfigName,
    best_checkpoint,
    parse_config_name,
    read_checkpoint,
)
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.importing import import_output
from toolkit.subjects.vgs.subject import fresh_network

REFERENCE = Path(__file__).parents[2] / "reference"
BACKBONES = {"word": "wavlm-base-plus", "picture": "dino-resnet50"}
SHIPPED = {"hearing": "hearing", "seeing": "seeing"}


def write_config(
    output: Path, name: str, losses: tuple[float, ...] = (0.5,), **changes: Any
) -> dict[str, torch.Tensor]:
    """A configuration's folder with one checkpoint per validation loss; gives the best one."""
    best = {}
    folder = output / name / "checkpoints"
    folder.mkdir(parents=True)
    settings = {"word_dim": 5, "picture_dim": 7, "embedding": 3} | changes
    for number, loss in enumerate(losses):
        state = fresh_network(NetworkConfig(**settings), seed=number).state_dict()
        torch.save(state, folder / f"model_neg-loss={-loss:.4f}.pt")
        best = state if loss == min(losses) else best
    return best


@pytest.fixture(autouse=True)
def no_backbones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEVGS_BACKBONES", str(tmp_path / "fetched"))
    monkeypatch.setattr("toolkit.subjects.backbones.finding.in_hub_cache", lambda name: None)


@pytest.mark.parametrize(
    ("name", "population", "seed", "languages", "family"),
    [
        ("en-nl_links-no_size-md_a", "en-nl_links-no_size-md", "a", "en nl", "clip"),
        ("fr_links-yes_size-xsm_j", "fr_links-yes_size-xsm", "j", "fr", "clip-two-audios"),
        ("2xen_size-md_seed-c", "2xen_size-md", "c", "en", "clip"),
        ("26a", "26", "a", "en", "clip"),
        ("26b-nl", "26-nl", "b", "nl", "clip"),
        ("26c-sm-en-fr", "26-sm-en-fr", "c", "en fr", "clip"),
        ("clip-lang-links-d-lg-en-fr", "clip-lang-links-lg-en-fr", "d", "en fr", "clip-two-audios"),
        ("barlip-00e-en", "barlip-00-en", "e", "en", "barlip"),
        ("barlip-00e-sm-en", "barlip-00-sm-en", "e", "en", "barlip"),
    ],
)
def test_names_of_configurations(
    name: str, population: str, seed: str, languages: str, family: str
) -> None:
    told = parse_config_name(name)
    assert told is not None
    assert (told.population, told.seed) == (population, seed)
    assert (told.languages, told.family) == (tuple(languages.split()), family)
    assert parse_config_name(f"my-{name}!") is None


@pytest.mark.parametrize(
    ("name", "population", "seed", "languages", "family", "training_seed"),
    [
        ("00", "00", "a", "en", "mattnet", 42),
        ("20", "20", "a", "en", "mattnet", 42),
        ("21", "21", "a", "en", "clip", 42),
        ("24", "24", "a", "en", "clip", 42),
        ("test", "test", "a", "en", "clip", 1337),
        ("25a-redo", "25-redo", "a", "en", "clip", 0),
        ("en_3d", "en_3d", "a", "en", "clip", 0),
        ("en-nl_3d", "en-nl_3d", "a", "en nl", "clip", 0),
        ("en-nl_links-no_size-md_c", "en-nl_links-no_size-md", "c", "en nl", "clip", 2),
    ],
)
def test_names_of_pilots_and_their_training_seeds(
    name: str, population: str, seed: str, languages: str, family: str, training_seed: int
) -> None:
    expected = ConfigName(population, seed, tuple(languages.split()), family, training_seed)
    assert parse_config_name(name) == expected
    assert parse_config_name(f"{name}x") is None


def test_best_checkpoint_has_the_largest_number(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for number in ("-0.9000", "-0.1234", "-0.12345", "-10", "nan"):
        (folder / f"best_loss=7_neg-loss={number}.pt").touch()
    (folder / "other=5.pt").touch()
    path, neg_loss = best_checkpoint(tmp_path)
    assert (path.name, neg_loss) == ("best_loss=7_neg-loss=-0.1234.pt", -0.1234)
    (folder / "model_neg-loss=low.pt").touch()
    with pytest.raises(ToolkitError, match="number"):
        best_checkpoint(tmp_path)


@pytest.mark.parametrize("family", ["clip", "clip-two-audios"])
def test_round_trip_gives_identical_scores(family: str, tmp_path: Path) -> None:
    """Published numbers -> .pt -> population folder: bit by bit the network of the state dict."""
    path = REFERENCE / f"mevgs_{family.replace('-', '_')}.npz"
    fixture = dict(np.load(path))
    state = {key[6:]: torch.from_numpy(v) for key, v in fixture.items() if key[:6] == "state/"}
    links = "yes" if family == "clip-two-audios" else "no"
    name = f"en-fr_links-{links}_size-xsm"
    folder = tmp_path / "output" / f"{name}_b" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(state, folder / "model_neg-loss=-0.25.pt")
    import_output(tmp_path / "output", tmp_path / "own", **SHIPPED)
    subject = open_population(f"{name}/b", tmp_path / "own").load("b")
    assert subject.stored.config == NetworkConfig(24, 40, 64, 32, family=family)

    lengths = fixture["lengths"].ravel()
    clips = fixture["audio"].reshape(-1, *fixture["audio"].shape[2:])
    words = subject.embed_word_features(
        [np.ascontiguousarray(clip.T[:n]) for clip, n in zip(clips, lengths, strict=True)]
    )
    pictures = subject.embed_picture_features(fixture["image"].reshape(-1, 40, 3, 3))
    np.testing.assert_allclose(words, fixture["out/audio_embedding"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(pictures, fixture["out/image_embedding"], rtol=1e-5, atol=1e-5)
    scores = subject.similarity(words, pictures)
    if "out/score_cross" in fixture:
        np.testing.assert_allclose(scores / 100, fixture["out/score_cross"] / 100, atol=1e-5)

    before = fresh_network(subject.stored.config)
    before.load(state, "fixture")
    for key, value in before.state_dict().items():
        assert torch.equal(value, subject.network.state_dict()[key]), key


def test_seeds_of_a_configuration_become_one_population(tmp_path: Path) -> None:
    output = tmp_path / "output"
    best = write_config(output, "en-nl_links-no_size-xsm_a", (0.7, 0.2, 0.5))
    write_config(output, "en-nl_links-no_size-xsm_c")
    write_config(output, "fr_links-no_size-xsm_a")
    (output / "features-audio").mkdir()
    written = import_output(output, tmp_path / "own", **SHIPPED)
    assert [(one.folder.name, one.seeds) for one in written] == [
        ("en-nl_links-no_size-xsm", ("a", "c")),
        ("fr_links-no_size-xsm", ("a",)),
    ]
    population = open_population("en-nl_links-no_size-xsm", tmp_path / "own")
    assert population.languages == ("en", "nl")
    subject = population.load("a")
    for key, value in best.items():
        assert torch.equal(subject.network.state_dict()[key], value)
    config = json.loads((population.folder / "config.json").read_text())
    told = config["source"]["checkpoints"]
    assert {seed: (one["training_seed"], one["neg_loss"]) for seed, one in told.items()} == {
        "a": (0, -0.2),
        "c": (2, -0.5),
    }
    assert config["network"]["temperature"] == "published"
    card = (population.folder / "README.md").read_text()
    assert card.startswith("---\nlicense: unknown\n")
    assert "max(exp(logit_scale)," in card
    again = import_output(output, tmp_path / "own", **SHIPPED)
    assert again == written


@pytest.mark.parametrize(("learnt", "scale"), [(20.0, 100.0), (150.0, 150.0)])
def test_temperature_as_the_published_code_computes_it(
    learnt: float, scale: float, tmp_path: Path
) -> None:
    state = write_config(tmp_path, "en_links-no_size-xsm_a")
    state["logit_scale"] = torch.tensor(math.log(learnt))
    torch.save(state, tmp_path / "en_links-no_size-xsm_a/checkpoints/model_neg-loss=-0.1.pt")
    import_output(tmp_path, tmp_path / "own", **SHIPPED)
    population = open_population("en_links-no_size-xsm", tmp_path / "own")
    config = json.loads((population.folder / "config.json").read_text())
    assert config["source"]["checkpoints"]["a"]["scale"] == pytest.approx(scale, rel=1e-6)
    ones = np.ones((1, 3), np.float32)
    assert population.load("a").similarity(ones, ones).item() == pytest.approx(scale, rel=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"family": "clip", "width": 128, "embedding": 5},
        {"family": "clip", "width": 64, "picture_width": 128},
        {"family": "mattnet"},
        {"family": "barlip"},
    ],
)
def test_networks_are_known_by_their_shapes(changes: dict[str, Any], tmp_path: Path) -> None:
    write_config(tmp_path, "mine", **changes)
    expected = NetworkConfig(**({"word_dim": 5, "picture_dim": 7, "embedding": 3} | changes))
    path, neg_loss = best_checkpoint(tmp_path / "mine")
    assert read_checkpoint(path, neg_loss).config == expected
    (one,) = import_output(tmp_path / "mine", tmp_path / "own", languages=["de"], **SHIPPED)
    subject = open_population("mine", one.folder).load("a")
    vectors = np.random.default_rng(0).normal(size=(5, expected.embedding)).astype(np.float32)
    assert np.isfinite(subject.similarity(vectors[:2], vectors)).all()
    card = (one.folder / "README.md").read_text()
    assert ("**Temperature**" in card) == (expected.family == "clip")


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_pickled_object_is_refused_and_not_executed(tmp_path: Path) -> None:
    state = write_config(tmp_path, "en_links-no_size-xsm_a")
    path = tmp_path / "en_links-no_size-xsm_a/checkpoints/model_neg-loss=-0.1.pt"
    torch.save({**state, "trap": Trap(tmp_path / "sprung")}, path)
    with pytest.raises(ToolkitError, match="nothing in it was executed") as caught:
        import_output(tmp_path, tmp_path / "own", **SHIPPED)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "sprung").exists()
    assert list((tmp_path / "own").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "cannot be read|is damaged"),
        (b"not a checkpoint at all", "is damaged"),
        ([torch.zeros(2)], "no state dict"),
        ({"model": {"logit_scale": torch.zeros(2)}}, "not all of its entries are tensors"),
    ],
)
def test_files_that_are_no_state_dict(content: Any, part: str, tmp_path: Path) -> None:
    path = tmp_path / "model_neg-loss=-0.1.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ToolkitError, match=part):
        read_checkpoint(path, -0.1)


def quantized() -> torch.Tensor:
    return torch.quantize_per_tensor(torch.zeros(64), 0.1, 0, torch.qint8)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda value: value.to_sparse(), "tensors of numbers"),
        (lambda value: quantized(), "tensors of numbers"),
        (lambda value: value.to("meta"), "tensors of numbers"),
        (lambda value: torch.tensor(0.0), r"\.pt"),
        (lambda value: value[:0], r"\.pt"),
        (lambda value: value.reshape(1, 1, *value.shape), r"\.pt"),
    ],
)
def test_tensors_that_no_network_has_are_refused(
    change: Callable[[torch.Tensor], torch.Tensor], part: str, tmp_path: Path
) -> None:
    state = write_config(tmp_path, "en_links-no_size-xsm_a")
    path = tmp_path / "en_links-no_size-xsm_a/checkpoints/model_neg-loss=-0.1.pt"
    for name in [name for name, value in state.items() if value.ndim][:6]:
        torch.save({**state, name: change(state[name])}, path)
        with pytest.raises(ToolkitError, match=part):
            read_checkpoint(path, -0.1)


@pytest.mark.parametrize("error", [TypeError, IndexError, struct.error, AttributeError])
def test_whatever_torch_stumbles_over_is_a_fault_of_the_file(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise error("missing 6 required arguments")

    monkeypatch.setattr("torch.load", stumble)
    with pytest.raises(ToolkitError, match="cannot be read as a checkpoint: missing 6"):
        read_checkpoint(tmp_path / "model_neg-loss=-0.1.pt", -0.1)


def test_truncated_checkpoint(tmp_path: Path) -> None:
    write_config(tmp_path, "en_links-no_size-xsm_a")
    (path,) = (tmp_path / "en_links-no_size-xsm_a/checkpoints").iterdir()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ToolkitError, match="cannot be read as a checkpoint"):
        read_checkpoint(path, -0.5)


def test_state_dict_that_does_not_fit_lists_all_that_differs(tmp_path: Path) -> None:
    state = write_config(tmp_path, "en_links-no_size-xsm_a")
    del state["logit_scale"]
    state["image_enc.pool.further.weight"] = torch.zeros(2, 3, 5, 5)
    state["audio_enc.pool.ln_out.bias"] = torch.zeros(7)
    torch.save(state, tmp_path / "en_links-no_size-xsm_a/checkpoints/model_neg-loss=-0.1.pt")
    with pytest.raises(ToolkitError) as caught:
        import_output(tmp_path, tmp_path / "own", **SHIPPED)
    for part in (
        "missing: logit_scale ()",
        "unknown: image_enc.pool.further.weight (2, 3, 5, 5)",
        "audio_enc.pool.ln_out.bias is (7,), the network needs (64,)",
    ):
        assert part in str(caught.value)


def test_width_that_heads_do_not_divide(tmp_path: Path) -> None:
    torch.save({"audio_enc.pool.proj_in.weight": torch.zeros(96, 5)}, tmp_path / "x.pt")
    with pytest.raises(ToolkitError, match=r"x\.pt: .* width cannot be used") as caught:
        read_checkpoint(tmp_path / "x.pt", 0.0)
    assert "64 dimensions" in str(caught.value.allowed)


def test_one_faulty_population_does_not_stop_the_others(tmp_path: Path) -> None:
    output, own = tmp_path / "output", tmp_path / "own"
    write_config(output, "en_links-no_size-xsm_a")
    write_config(output, "fr_links-no_size-xsm_a")
    write_config(output, "fr_links-no_size-xsm_b", embedding=5)
    write_config(output, "debug")
    (output / "nl_links-no_size-xsm_a" / "checkpoints").mkdir(parents=True)
    with pytest.raises(ToolkitError) as caught:
        import_output(output, own, **SHIPPED)
    for part in ("'debug'", "not of the same network", "no checkpoint of nl_links", "--languages"):
        assert part in str(caught.value)
    assert [path.name for path in own.iterdir()] == ["en_links-no_size-xsm"]
    assert "written all the same: en_links-no_size-xsm" in str(caught.value)


def test_two_configurations_are_never_one_subject(tmp_path: Path) -> None:
    write_config(tmp_path, "en_links-no_size-xsm_a")
    write_config(tmp_path, "en_links-no_size-xsm")
    with pytest.raises(ToolkitError, match="both be seed a of en_links-no_size-xsm") as caught:
        import_output(tmp_path, tmp_path / "own", languages=["en"], **SHIPPED)
    assert str(caught.value.given) == "en_links-no_size-xsm and en_links-no_size-xsm_a"
    assert not list((tmp_path / "own").iterdir())


def test_population_from_elsewhere_is_kept(tmp_path: Path) -> None:
    write_config(tmp_path, "en_links-no_size-xsm_a")
    folder = tmp_path / "own" / "en_links-no_size-xsm"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"network": {}}')
    with pytest.raises(ToolkitError, match="left as it is"):
        import_output(tmp_path, tmp_path / "own", **SHIPPED)
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_folders_without_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="no such output folder"):
        import_output(tmp_path / "none", tmp_path / "own")
    with pytest.raises(ToolkitError, match="no published checkpoints"):
        import_output(tmp_path, tmp_path / "own")


def write_backbones(folder: Path) -> None:
    """Small models with random weights in the formats of the published backbones."""
    import timm
    from safetensors.torch import save_file
    from transformers.models.wavlm import WavLMConfig, WavLMModel

    settings = {"hidden_size": 6, "num_hidden_layers": 1, "num_attention_heads": 3}
    settings |= {"intermediate_size": 7, "conv_dim": (3, 5), "conv_kernel": (4, 3)}
    settings |= {"conv_stride": (9, 5), "num_feat_extract_layers": 2}
    settings |= {"num_conv_pos_embeddings": 5, "num_conv_pos_embedding_groups": 2}
    WavLMModel(WavLMConfig(**settings)).save_pretrained(folder / "wavlm-base-plus")
    model = timm.create_model("test_resnet", num_classes=2)
    (folder / "dino-resnet50").mkdir()
    save_file(model.state_dict(), folder / "dino-resnet50" / "model.safetensors")
    told = {"input_size": [3, 32, 32], "mean": [0.5] * 3, "std": [0.25] * 3}
    config = {"architecture": "test_resnet", "pretrained_cfg": told}
    (folder / "dino-resnet50" / "config.json").write_text(json.dumps(config))


def test_command_then_backbones_then_run(
    tmp_path: Path,
    tiny_set: StimulusSet,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As a new user would: import, be told what to fetch, import again, run the test."""
    write_config(tmp_path / "output", "en-nl_links-no_size-xsm_a", word_dim=6, picture_dim=96)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mevgs-toolkit", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        return int(exit_.value.code or 0), *capsys.readouterr()

    monkeypatch.chdir(tmp_path)
    imported = ("import-mevgs", "output", "--out", "own")
    code, out, _ = call(*imported)
    assert code == 0
    assert "seeds a" in out
    assert all(part in out for part in ("hf download microsoft/wavlm-base-plus", "dino_resnet50"))
    name = "en-nl_links-no_size-xsm"
    with pytest.raises(ToolkitError, match="hf download microsoft/wavlm-base-plus"):
        open_population(name, Path("own")).load("a")
    write_backbones(tmp_path / "fetched")
    untold = open_population(name, Path("own")).load("a")
    assert untold.hearing.sha256 == backbone_checksum(tmp_path / "fetched" / "wavlm-base-plus")
    code, out, _ = call(*imported)
    assert (code, "hf download" in out) == (0, False)
    code, out, err = call(
        "run-paradigm", "familiar", "--subject", name, "--subjects", "own",
        "--stimuli", tiny_set.folder, "--language", "en",
    )  # fmt: skip
    assert code == 0, err
    assert name in out

    # Features stored by the same backbones serve in their place.
    told = open_population(name, Path("own")).load("a")
    words, pictures = (list(tiny_set.select(kind=k).index[:5]) for k in ("word", "picture"))
    clips, images = map(tiny_set.read_clip, words), map(tiny_set.read_picture, pictures)
    media = list(clips), list(images)
    expected = told.embed_words(media[0]), told.embed_pictures(media[1])
    for job in find_jobs(str(tiny_set.folder), Path("own"), BACKBONES):
        place = tmp_path / "fetched" / BACKBONES[job.kind]
        assert extract(job, Computed(job.kind, place)) == []
        shutil.rmtree(place)
    stored = open_population(name, Path("own")).load("a")
    assert stored.hearing.folder.name == "wavlm-base-plus.h5"
    np.testing.assert_allclose(stored.embed_words(media[0]), expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(stored.embed_pictures(media[1]), expected[1], rtol=1e-5, atol=1e-6)
    with pytest.raises(ToolkitError, match="lacks the features of 1 of 1 words"):
        stored.embed_words([np.zeros(640, np.float32)])


def add_inside(output: Path, name: str, inside: dict[str, torch.Tensor]) -> None:
    """Put the parameters of a backbone into the checkpoint of a configuration."""
    (path,) = (output / name / "checkpoints").iterdir()
    prefix = "image_enc.feature_extractor.model."
    state = torch.load(path) | {f"{prefix}{key}": value for key, value in inside.items()}
    torch.save(state, path)


def test_a_resnet_inside_a_checkpoint_is_kept_for_each_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its running means changed in training: they are no others' than the seed's."""
    small = replace(DINO, architecture="test_resnet", input_size_px=32)
    monkeypatch.setattr("toolkit.subjects.vgs.inside.DINO", small)
    output, rng = tmp_path / "output", np.random.default_rng(0)
    pictures = list(rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8))
    numbers = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    expected = {}
    for number, seed in enumerate("ab"):
        name = f"en_links-no_size-xsm_{seed}"
        write_config(output, name, picture_dim=96)
        torch.manual_seed(0)
        model = timm.create_model("test_resnet", num_classes=0).eval()
        model.bn1.running_mean += number  # the parameters themselves are the same
        inside = {}
        for key, value in model.state_dict().items():
            part, _, rest = key.partition(".")
            inside[f"{numbers[part]}.{rest}"] = value
        add_inside(output, name, inside)
        expected[seed] = model
    (made,) = import_output(output, tmp_path / "own", **SHIPPED)
    assert made.missing == ()
    assert "kept (seeing-SEED)" in made.notes[0]
    moved = (tmp_path / "own" / "en_links-no_size-xsm").rename(tmp_path / "own" / "mine")
    assert "one for each seed" in (moved / "README.md").read_text()
    population = open_population(str(moved))
    seen = {}
    for seed, model in expected.items():
        eye = population.load(seed).seeing.load()
        seen[seed] = eye.features(pictures)
        batch = torch.tensor(np.stack(pictures)).permute(0, 3, 1, 2) / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (DINO.mean, DINO.std))
        with torch.no_grad():
            maps = model.forward_features((batch - mean) / std).numpy()
        np.testing.assert_allclose(seen[seed], maps, rtol=1e-4, atol=1e-5)
    assert not np.allclose(seen["a"], seen["b"], rtol=1e-3)


def test_an_alexnet_inside_a_checkpoint_is_left_out(tmp_path: Path) -> None:
    name = "en_links-no_size-xsm_a"
    write_config(tmp_path / "output", name, picture_dim=96)
    inside = {f"{n}.{what}": torch.ones(2) for n in (0, 3, 6, 8, 10) for what in ("weight", "bias")}
    add_inside(tmp_path / "output", name, inside)
    for seeing, told in (("dino-resnet50", "alexnet"), ("my-eye", "my-eye")):
        (made,) = import_output(
            tmp_path / "output", tmp_path / "own", hearing="hearing", seeing=seeing
        )
        assert f"called {told}.h5, or its own backbone, --seeing NAME" in made.notes[0]
        config = json.loads((made.folder / "config.json").read_text())
        assert config["backbones"]["seeing"] == {"folder": told, "sha256": ""}
    with pytest.raises(ToolkitError, match="The seeing backbone 'my-eye' is missing"):
        open_population(str(made.folder)).load("a")


def test_other_backbones_inside_a_checkpoint_are_refused(tmp_path: Path) -> None:
    output, names = tmp_path / "output", [f"en_links-no_size-xsm_{seed}" for seed in "ab"]
    for name in names:
        write_config(output, name, picture_dim=96)
    add_inside(output, names[1], {"0.weight": torch.ones(2), "stem.bias": torch.ones(2)})
    with pytest.raises(ToolkitError, match="not of the same network") as caught:
        import_output(output, tmp_path / "own", **SHIPPED)
    assert "with a backbone" in str(caught.value)
    with pytest.raises(ToolkitError, match="none of the published ones") as caught:
        import_output(output / names[1], tmp_path / "own", **SHIPPED)
    assert "bn1.running_mean" in str(caught.value)
    assert not (tmp_path / "own" / "en_links-no_size-xsm").exists()


@pytest.mark.parametrize(
    "state",
    [
        {"audio_enc.pool.proj_in.weight": torch.zeros(1).expand(2**20, 2**20)},
        dict.fromkeys([f"x{n}" for n in range(50)], torch.zeros(2**10)),
        {"audio_enc.pool.proj_in.weight": torch.zeros(65_472, 1).half()},
    ],
)
def test_small_checkpoints_of_huge_networks_are_refused(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    torch.save(state, tmp_path / "x.pt")
    with pytest.raises(ToolkitError, match=r"x\.pt"):
        read_checkpoint(tmp_path / "x.pt", -0.1)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1j, True])
def test_weights_that_are_no_finite_numbers_are_refused(value: complex, tmp_path: Path) -> None:
    state = write_config(tmp_path, "en_links-no_size-xsm_a")
    name = "audio_enc.pool.proj_in.bias"
    torch.save({**state, name: torch.full(state[name].shape, value)}, tmp_path / "x.pt")
    with pytest.raises(ToolkitError, match="tensors of numbers"):
        read_checkpoint(tmp_path / "x.pt", -0.1)
