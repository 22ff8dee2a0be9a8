"""Weights, settings and features of networks: populations, backbones, checkpoints, features."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.apart import list_forked
from tests.fuzz.bytes import damaged
from tests.fuzz.stores import checkpoint_mutator, hdf5_mutator, safetensors_mutator
from tests.fuzz.targets import Ready, target
from tests.fuzz.texts import json_mutator, toml_mutator
from toolkit.errors import ToolkitError


def _all_finite(made: Any) -> bool:
    return all(bool(np.isfinite(one).all()) for one in made)


def _network(folder: Path) -> Path:
    from tests.toolkit.subjects.test_populations import write_network

    return write_network(folder / "tiny")


def _answers(folder: Path) -> Any:
    """What a population's only seed makes of features."""
    from toolkit.subjects.populations import open_population

    subject = open_population(str(folder)).load("a")
    rng = np.random.default_rng(0)
    words = subject.embed_word_features([rng.normal(size=(4, 5)).astype("f")])
    pictures = subject.embed_picture_features(rng.normal(size=(2, 7, 3, 3)).astype("f"))
    made = words, pictures, subject.similarity(words, pictures)
    if not _all_finite(made):
        raise ToolkitError("As a run does, which never takes such vectors.")
    return made


@target(weight=200)
def population(folder: Path) -> Ready:
    from toolkit.subjects.population import read_population

    file = _network(folder) / "population.toml"
    text = file.read_bytes() + b'\n[sha256]\n"a.safetensors" = "' + b"0" * 64 + b'"\n'
    return Ready(
        file, (file.read_bytes(), text), toml_mutator, lambda path: read_population(path.parent)
    )


@target(weight=20)
def network_settings(folder: Path) -> Ready:
    file = _network(folder) / "config.json"
    return Ready(
        file, (file.read_bytes(),), json_mutator, lambda path: _answers(path.parent), _all_finite
    )


@target(weight=20)
def network_weights(folder: Path) -> Ready:
    file = _network(folder) / "a.safetensors"
    return Ready(
        file,
        (file.read_bytes(),),
        safetensors_mutator,
        lambda path: _answers(path.parent),
        _all_finite,
    )


@target(weight=6)
def checked_weights(folder: Path) -> Ready:
    """Weights whose checksum is recorded: no bit can be turned unnoticed."""
    from stimuli.files import sha256_of

    own = _network(folder)
    file, told = own / "a.safetensors", own / "population.toml"
    told.write_text(f'{told.read_text()}\n[sha256]\n"a.safetensors" = "{sha256_of(file)}"\n')
    return Ready(
        file, (file.read_bytes(),), damaged, lambda path: _answers(path.parent),
        same=lambda made: [one.tobytes() for one in made],
    )  # fmt: skip


@target(weight=20)
def published_checkpoint(folder: Path) -> Ready:
    import torch

    from toolkit.subjects.vgs.checkpoints import read_checkpoint
    from toolkit.subjects.vgs.config import NetworkConfig
    from toolkit.subjects.vgs.subject import fresh_network

    made = []
    for family in ("clip", "mattnet"):
        config = NetworkConfig(word_dim=5, picture_dim=7, embedding=3, family=family)
        file = io.BytesIO()
        torch.save(fresh_network(config).state_dict(), file)
        made.append(file.getvalue())
    return Ready(
        folder / "model_neg-loss=-0.1.pt", tuple(made), checkpoint_mutator,
        lambda path: read_checkpoint(path, -0.1),
    )  # fmt: skip


def _hearing(folder: Path) -> Path:
    from tests.toolkit.subjects.test_hearing import make_model

    make_model().save_pretrained(folder / "ear")
    extractor = {"do_normalize": False, "sampling_rate": 16_000}
    (folder / "ear" / "preprocessor_config.json").write_text(json.dumps(extractor))
    return folder / "ear"


def _hear(folder: Path) -> Any:
    from toolkit.subjects.backbones.hearing import Hearing

    return Hearing(folder).features([np.ones(40, "f") / 2])


@target(weight=3)
def hearing_settings(folder: Path) -> Ready:
    file = _hearing(folder) / "config.json"
    return Ready(file, (file.read_bytes(),), json_mutator, lambda path: _hear(path.parent))


@target(weight=2)
def hearing_extractor(folder: Path) -> Ready:
    file = _hearing(folder) / "preprocessor_config.json"
    return Ready(file, (file.read_bytes(),), json_mutator, lambda path: _hear(path.parent))


@target(weight=3)
def hearing_weights(folder: Path) -> Ready:
    file = _hearing(folder) / "model.safetensors"
    return Ready(file, (file.read_bytes(),), safetensors_mutator, lambda path: _hear(path.parent))


@target(weight=3)
def hearing_pickled(folder: Path) -> Ready:
    from tests.toolkit.subjects.test_hearing import as_published

    as_published(folder / "ear")
    file = folder / "ear" / "pytorch_model.bin"
    return Ready(file, (file.read_bytes(),), checkpoint_mutator, lambda path: _hear(path.parent))


def _see(folder: Path) -> Any:
    from toolkit.subjects.backbones.seeing import Seeing

    return Seeing(folder).features([np.full((9, 7, 3), 99, np.uint8)])


@target(weight=3)
def seeing_settings(folder: Path) -> Ready:
    from tests.toolkit.subjects.test_seeing import write_backbone

    file = write_backbone(folder / "eye") / "config.json"
    return Ready(file, (file.read_bytes(),), json_mutator, lambda path: _see(path.parent))


def _spectrograms(folder: Path) -> Path:
    from tests.toolkit.subjects.backbone_models import make_whisper

    make_whisper(folder / "ear")
    return folder / "ear"


@target(weight=2)
def whisper_settings(folder: Path) -> Ready:
    file = _spectrograms(folder) / "config.json"
    return Ready(file, (file.read_bytes(),), json_mutator, lambda path: _hear(path.parent))


@target(weight=2)
def whisper_extractor(folder: Path) -> Ready:
    file = _spectrograms(folder) / "preprocessor_config.json"
    return Ready(file, (file.read_bytes(),), json_mutator, lambda path: _hear(path.parent))


def _patches(folder: Path) -> Path:
    from tests.toolkit.subjects.backbone_models import make_patches

    make_patches(folder / "eye", "dinov2_with_registers")
    return folder / "eye"


@target(weight=2)
def patches_settings(folder: Path) -> Ready:
    file = _patches(folder) / "config.json"
    return Ready(file, (file.read_bytes(),), json_mutator, lambda path: _see(path.parent))


@target(weight=2)
def patches_processor(folder: Path) -> Ready:
    file = _patches(folder) / "preprocessor_config.json"
    return Ready(file, (file.read_bytes(),), json_mutator, lambda path: _see(path.parent))


@target(weight=3)
def seeing_weights(folder: Path) -> Ready:
    from tests.toolkit.subjects.test_seeing import write_backbone

    file = write_backbone(folder / "eye") / "model.safetensors"
    return Ready(file, (file.read_bytes(),), safetensors_mutator, lambda path: _see(path.parent))


@target(weight=3)
def seeing_pickled(folder: Path) -> Ready:
    import torch
    from safetensors.torch import load_file

    from tests.toolkit.subjects.test_seeing import write_backbone

    own = write_backbone(folder / "eye")
    torch.save(load_file(own / "model.safetensors"), own / "model.pth")
    (own / "model.safetensors").unlink()
    file = own / "model.pth"
    return Ready(file, (file.read_bytes(),), checkpoint_mutator, lambda path: _see(path.parent))


def _clip(folder: Path, name: str, mutate: Any) -> Ready:
    """A file of a model in the layout of transformers, which answers if it can be read."""
    from tests.toolkit.subjects.clip_models import pictures, write_clip
    from toolkit.subjects.populations import open_population

    own = write_clip(folder / "clip")
    shown = pictures(1, 32)

    def read(path: Path) -> Any:
        asked = open_population(f"transformers:{own}")
        subject = asked.load(asked.seeds[0])
        return (
            subject.embed_text(["auto"]),
            subject.embed_patches(shown),
            subject.count_tokens(["a"]),
        )

    return Ready(own / name, ((own / name).read_bytes(),), mutate, read)


@target(weight=3)
def clip_settings(folder: Path) -> Ready:
    return _clip(folder, "config.json", json_mutator)


@target(weight=2)
def clip_pictures(folder: Path) -> Ready:
    return _clip(folder, "preprocessor_config.json", json_mutator)


@target(weight=2)
def clip_tokenizer(folder: Path) -> Ready:
    return _clip(folder, "tokenizer.json", json_mutator)


@target(weight=3)
def clip_weights(folder: Path) -> Ready:
    return _clip(folder, "model.safetensors", safetensors_mutator)


def _written_features(path: Path, kind: str) -> None:
    from toolkit.subjects.backbones.stored import write_features

    rng = np.random.default_rng(0)
    shape = (4, 5) if kind == "word" else (7, 2, 3)
    made = {f"one {n}": (rng.normal(size=shape).astype("f"), f"{n:064x}") for n in range(3)}
    write_features(path, made, {"backbone": "ear", "backbone_sha256": "0" * 64})


def _read_features(path: Path) -> Any:
    from toolkit.subjects.backbones import listing
    from toolkit.subjects.backbones.stored import FeatureFile, StoredFeatures

    listing._listed_apart = list_forked
    file = FeatureFile(path)
    read = list(file.read(file.names)) if file.kind else []
    StoredFeatures(path)
    return read


@target(weight=40)
def features(folder: Path) -> Ready:
    """Features from elsewhere, listed in a process of their own."""
    made = []
    for kind in ("word", "picture"):
        _written_features(folder / f"{kind}.h5", kind)
        made.append((folder / f"{kind}.h5").read_bytes())
    return Ready(folder / "ear.h5", tuple(made), hdf5_mutator, _read_features, fits=True)


@target(weight=6)
def checked_features(folder: Path) -> Ready:
    """Our own, whose checksum lies beside them."""
    _written_features(folder / "ear.h5", "word")
    file = folder / "ear.h5"
    return Ready(
        file, (file.read_bytes(),), damaged, _read_features,
        same=lambda made: [one.tobytes() for one in made],
    )  # fmt: skip


@target(weight=200)
def grid(folder: Path) -> Ready:
    from toolkit.training.grid import read_grid

    text = (
        'stimuli = "set"\nhearing = "hearing"\nseeing = "seeing"\n[recipe]\nfrom = "published"\n'
        'size = "xsm"\nepochs = 12\nitems = 5\nnegatives = 3\npeak_lr = 1e-3\n[grid]\n'
        'languages = [["en"], ["fr"], ["en", "fr"]]\nseeds = 2\ndropout = [0.1, 0.2]\n'
    )
    return Ready(folder / "grid.toml", (text.encode(),), toml_mutator, read_grid)


@target(weight=20)
def study(folder: Path) -> Ready:
    from tests.conftest import LANGUAGES, tiny_rows, write_set
    from toolkit.studies.checks import read_study

    write_set(folder / "tiny", tiny_rows(), LANGUAGES)
    text = (
        '[study]\ntitle = "T"\nhypotheses = ["One."]\nexclusions = "None."\n[[ask]]\n'
        'paradigm = "me"\nsubjects = ["perfect", "random/a"]\nlanguages = ["en"]\n'
        'stimuli = "tiny"\ntrials_per_class = 5\ntrial_seeds = [0, 1]\n[[ask]]\n'
        'paradigm = "familiar"\nsubjects = ["perfect/b"]\nstimuli = "tiny"\n[analysis]\n'
        'confirmatory = ["me: novel-familiar - absent-familiar"]\nalpha = 0.01\n'
        'gate = { condition = "familiar-novel", minimum = 0.6 }\n[power]\nodds_ratio = 0.9\n'
        "base_accuracy = 0.6\nseed_sd = 0.2\n[report]\ngallery = 3\n[executor.slurm]\n"
        'partition = "gpu"\n[chunks]\nminutes = 15\n'
    )
    return Ready(folder / "study.toml", (text.encode(),), toml_mutator, read_study)


@target(weight=2)
def unfinished_training(folder: Path) -> Ready:
    """The state that a killed training goes on from."""
    from dataclasses import replace

    from tests.toolkit.training.training_bank import RECIPE, make_bank
    from toolkit.training.checkpoint import Checkpoint
    from toolkit.training.fit import fit

    recipe = replace(RECIPE, n_updates=4, validate_every=2, validation_items=3)
    bank, checkpoint = make_bank(), Checkpoint(folder / "one.pt", "key", "a")
    fit(bank, ("en", "nl"), recipe, 0, checkpoint=checkpoint)

    def read(path: Path) -> Any:
        fitted = fit(bank, ("en", "nl"), recipe, 0, checkpoint=checkpoint)
        return [value.numpy() for value in fitted.state.values()]

    content = checkpoint.path.read_bytes()
    return Ready(checkpoint.path, (content,), checkpoint_mutator, read, fits=True)


@target(weight=12)
def features_for_training(folder: Path) -> Ready:
    from tests.toolkit.training.training_bank import make_bank
    from toolkit.training.bank_files import load_bank, save_bank

    file = folder / "bank.safetensors"
    save_bank(make_bank(), file)
    return Ready(file, (file.read_bytes(),), safetensors_mutator, load_bank, fits=True)


@target(weight=20)
def finished_weights(folder: Path) -> Ready:
    """Weights that a training looks for before it trains."""
    from safetensors.torch import save

    from tests.toolkit.training.training_bank import make_bank
    from toolkit.training.cards import stored_key

    made = save({"a": make_bank().maps}, {"key": "0" * 64})
    return Ready(
        folder / "a.safetensors",
        (made,),
        safetensors_mutator,
        lambda path: stored_key(path.parent, "a"),
    )
