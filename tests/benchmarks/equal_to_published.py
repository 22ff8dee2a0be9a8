"""Is what is computed here what the published code computes? A table, next to that code.

    python -m tests.benchmarks.equal_to_published CHECKOUT

CHECKOUT is one of danoneata/me-vgs (353710d or later; needs `toolz`). Nothing of it is stored here.

- Networks: every family and size with fresh random weights, items as a sampler draws them, without
  dropout: embeddings and the choices of trials, asked as narrow and as wide networks are; loss and
  gradients.
- Negatives: published data are made up, with more clips of some classes and languages than of
  others. The published data sets and the sampler of ``--recipe published`` draw from them, and the
  counts of every combination (of an item's class with the classes of its negative clips, pictures
  and second clips, of languages, of clips) are compared: chi-square of two samples, over all
  combinations. A sampler that draws clips and pictures of the same classes must be told apart.

The exit code is 1 where anything is further from the published code than the table allows.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import h5py
import numpy as np
import torch
from scipy.stats import chi2_contingency

from toolkit.subjects.vgs import trained
from toolkit.subjects.vgs.config import SIZES, NetworkConfig
from toolkit.subjects.vgs.subject import BackboneRef, StoredNetwork, VGSSubject
from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training.features import FeatureBank
from toolkit.training.sampler import Choices, Items, Sampler
from toolkit.training.validation import items_loss

NOWHERE = BackboneRef("hearing", Path("nowhere"), "0")
LANGUAGES = {"en": "english", "fr": "french"}
CLASSES = ("bear", "clock", "dog", "horse", "sheep")
FAMILIES = (("clip", None), ("clip-two-audios", None), ("mattnet", "features-avg"),
            ("mattnet", "scores-max"), ("barlip", None))  # fmt: skip
WORD_DIM, PICTURE_DIM, MAP = 24, 40, 3
N_ITEMS, N_NEGATIVES, N_TRIALS = 8, 11, 200
LEAST_P = 1e-4
"""The least p of a comparison that is let pass: one of 24 is below it by chance in .2 % of runs."""
TOLD_APART = 1e-10
"""The most that the p of a sampler may be that draws otherwise."""


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    case: str
    """What is compared."""
    told: str
    """What came of it."""
    allowed: str
    """What may."""
    holds: bool
    """Whether it does."""


def bank() -> FeatureBank:
    """Random features; class, language and clip decide how many there are of each."""
    draw = torch.Generator().manual_seed(0)
    words = [
        (f"{language}-{concept}-{clip}", "train", concept, language)
        for (a, language), (b, concept) in product(enumerate(LANGUAGES), enumerate(CLASSES))
        for clip in range(2 + a + (3 * a + b) % 4)
    ]
    pictures = [
        (f"picture-{concept}-{n}", "train", concept)
        for b, concept in enumerate(CLASSES)
        for n in range(2 + b % 3)
    ]
    lengths = torch.randint(3, 9, (len(words),), generator=draw)
    return FeatureBank(
        concepts=CLASSES,
        word_table=tuple(words),
        picture_table=tuple(pictures),
        frames=torch.randn(int(lengths.sum()), WORD_DIM, generator=draw).half(),
        word_start=np.concatenate([[0], lengths.cumsum(0).numpy()]),
        maps=torch.randn(len(pictures), PICTURE_DIM, MAP, MAP, generator=draw).half(),
    )


def published_network(model: ModuleType, family: str, pooling: str | None, width: int) -> Any:
    """Fresh weights, no dropout."""
    torch.manual_seed(0)
    more = {"pooling": pooling} if pooling else {"λ": 0.005} if family == "barlip" else {}
    network = model.setup_model(
        model_name=family,
        embed_dim=width,
        audio_encoder_kwargs={"type": "transformer", "input_dim": WORD_DIM, "width": width},
        image_encoder_kwargs={
            "input_dim": PICTURE_DIM, "width": width, "backbone_type": "identity",
            "to_freeze_backbone": None, "use_pretrained_backbone": None,
        },
        **more,
    )  # fmt: skip
    for part in network.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
        if isinstance(part, torch.nn.MultiheadAttention):
            part.dropout = 0.0
    return network.train()


def compare_networks(model: ModuleType) -> Iterator[Line]:
    """Every family and size."""
    features = bank()
    for (family, pooling), (size, width) in product(FAMILIES, SIZES.items()):
        theirs = published_network(model, family, pooling, width)
        more = {"pooling": pooling} if pooling else {}
        config = NetworkConfig(
            WORD_DIM, PICTURE_DIM, width, width, family=family, dropout=0.0, **more
        )
        ours = VGSNetwork(config).train()
        ours.load(theirs.state_dict(), "the published code")
        name = f"{family}{f' {pooling}' if pooling else ''}, {size}"
        items = Sampler(
            features, "train", list(LANGUAGES), seed=1, negatives_from="apart",
            links=family == "clip-two-audios",
        ).draw(N_ITEMS, 0 if family == "barlip" else N_NEGATIVES)  # fmt: skip
        yield _losses(name, theirs, ours, features, items)
        yield _choices(name, theirs.eval(), ours.eval(), features)


def _batch(features: FeatureBank, choices: Choices) -> tuple[torch.Tensor, torch.Tensor]:
    """Words as the published networks take them, (n, 1 + negatives, channels, frames)."""
    words, lengths = features.words(choices.rows[choices.places].flatten())
    shape = choices.places.shape
    words = words.transpose(1, 2).contiguous()
    return words.view(*shape, *words.shape[1:]), lengths.view(shape)


def _losses(name: str, theirs: Any, ours: VGSNetwork, features: FeatureBank, items: Items) -> Line:
    shape = items.pictures.places.shape
    maps = features.pictures(items.pictures.rows[items.pictures.places].flatten())
    maps = maps.view(*shape, *maps.shape[1:])
    labels = torch.zeros(shape)
    labels[:, 0] = 1
    given = [*_batch(features, items.words), maps, labels]
    if items.second_words is not None:
        given[2:2] = _batch(features, items.second_words)
    if shape[1] == 1:
        given = [one.squeeze(1) for one in given]
    expected, found = theirs(*given), items_loss(ours, features, items)
    names = [n for n, _ in theirs.named_parameters()]
    known = dict(ours.named_parameters())
    gradients = [
        torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
        for loss, parameters in (
            (expected, list(theirs.parameters())),
            (found, [known[n] for n in names]),
        )
    ]
    largest = max(float(one.abs().max()) for one in gradients[0])
    pairs = zip(*gradients, strict=True)
    apart = max(float((a - b).abs().max()) for a, b in pairs) / largest
    loss = float((expected - found).detach().abs() / expected.detach().abs())
    return Line(
        f"{name}: loss and gradients",
        f"{loss:.1e} relative, {apart:.1e} of the largest",
        "1e-5, 5e-5",
        loss <= 1e-5 and apart <= 5e-5,
    )


def _choices(name: str, theirs: Any, ours: VGSNetwork, features: FeatureBank) -> Line:
    rng = np.random.default_rng(0)
    rows = rng.integers(len(features.word_table), size=N_TRIALS)
    shown = rng.integers(len(features.picture_table), size=(2, N_TRIALS))
    words, lengths = features.words(rows)
    maps = [features.pictures(one) for one in shown]
    with torch.inference_mode():
        audio = words.transpose(1, 2)
        embedded = [theirs.audio_enc(audio, lengths), *map(theirs.image_enc, maps)]
        scores = theirs.predict_paired_test(audio, lengths, *maps)
    clips = [one[:n].numpy() for one, n in zip(words, lengths.tolist(), strict=True)]
    subject = VGSSubject(StoredNetwork.of(ours), NOWHERE, NOWHERE)
    apart, differ = 0.0, 0
    for wide in (trained.WIDE, 1):  # as runs ask narrow networks, and wide ones
        with patch.object(trained, "WIDE", wide), torch.inference_mode():
            found = [subject.embed_word_features(clips)]
            found += [subject.embed_picture_features(one.numpy()) for one in maps]
            heard, *seen = map(torch.from_numpy, found)
            own = torch.stack([ours.similarity(heard, one).diagonal() for one in seen], dim=1)
        for a, b in zip(embedded, (heard, *seen), strict=True):
            apart = max(apart, float((a.squeeze(-1) - b).abs().max() / a.abs().max()))
        differ = max(differ, int((scores.argmax(1) != own.argmax(1)).sum()))
    return Line(
        f"{name}: embeddings and choices",
        f"{apart:.1e} of the largest, {differ} of {N_TRIALS} differ",
        "1e-5, 0",
        apart <= 1e-5 and not differ,
    )


@contextlib.contextmanager
def made_up_data(features: FeatureBank) -> Iterator[None]:
    """Be in a folder with the lists that the published data sets read, and empty features."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("data/filelists", "output/features-audio", "output/features-image"):
            (folder / part).mkdir(parents=True)
        (folder / "data/words-seen.txt").write_text("\n".join(CLASSES) + "\n")
        (folder / "data/words-unseen.txt").write_text("nautilus\n")
        clips = [
            {"name": clip, "word-en": concept, "lang": LANGUAGES[language]}
            for clip, _, concept, language in features.word_table
        ]
        pictures = [{"name": one, "word-en": word} for one, _, word in features.picture_table]
        for kind, told in (("audio-train-3", clips), ("image-train", pictures)):
            (folder / "data/filelists" / f"{kind}.json").write_text(json.dumps(told))
        names = [f"features-audio/me-dataset-train-{one}" for one in LANGUAGES.values()]
        for one in (*names, "features-image/me-dataset-train"):
            h5py.File(folder / "output" / f"{one}-none.h5", "w").close()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


Drawn = list[dict[str, list[str]]]
"""Of each item, names of clips and pictures: its own, then its negatives."""


def published_items(data: ModuleType, languages: Sequence[str], n: int, *, links: bool) -> Drawn:
    """What the published data set draws in `n` epochs."""
    random.seed(0)
    kind = data.TripletMEDataset if links else data.PairedMEDataset
    told = tuple(LANGUAGES[one] for one in languages)
    found = kind("train", told, 1, N_NEGATIVES, "none", "none")
    parts = {"words": "audios1", "second": "audios2"} if links else {"words": "audios"}
    parts["pictures"] = "images"
    drawn = (found.get_positives_and_negatives(row) for _ in range(n) for row in range(len(found)))
    return [
        {
            part: [one["name"] for one in (*item[f"{theirs}-pos"], *item[f"{theirs}-neg"])]
            for part, theirs in parts.items()
        }
        for item in drawn
    ]


def own_items(
    features: FeatureBank, languages: Sequence[str], n: int, *, links: bool, how: str
) -> Drawn:
    """What the sampler here draws in `n` epochs."""
    clips = sum(row[3] in languages for row in features.word_table)
    sampler = Sampler(
        features, "train", languages, seed=1, negatives_from=how, links=links, epoch_clips=clips
    )
    drawn: Drawn = []
    words, pictures = (
        np.array([row[0] for row in table])
        for table in (features.word_table, features.picture_table)
    )
    while len(drawn) < n * clips:
        items = sampler.draw(clips, N_NEGATIVES)
        parts = {"words": words[items.words.rows][items.words.places]}
        parts["pictures"] = pictures[items.pictures.rows][items.pictures.places]
        if items.second_words is not None:
            second = items.second_words
            parts["second"] = words[second.rows][second.places]
        drawn += [{k: v[row].tolist() for k, v in parts.items()} for row in range(clips)]
    return drawn


def _class(name: str) -> str:
    return name.split("-")[1]


def _language(name: str) -> str:
    return name.split("-")[0]


Combination = Callable[[dict[str, list[str]]], Iterator[tuple[str, ...]]]


def _across(*parts: str) -> Combination:
    """Class of the item with those of its negatives at one place of several lists."""

    def found(item: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
        own = _class(item["words"][0])
        for negatives in zip(*(item[part][1:] for part in parts), strict=True):
            yield own, *map(_class, negatives)

    return found


def _within(part: str) -> Combination:
    """Class of the item with those of the first two negatives of one list."""

    def found(item: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
        yield _class(item["words"][0]), _class(item[part][1]), _class(item[part][2])

    return found


def _each(part: str) -> Combination:
    """Language and class of the item with each clip or picture that is drawn beside it."""

    def found(item: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
        first = item["words"][0]
        for place, name in enumerate(item[part]):
            if place or part != "words":
                yield _language(first), _class(first), str(place > 0), name

    return found


def homogeneous(one: Drawn, other: Drawn, combination: Combination) -> tuple[float, int, float]:
    """Chi-square, degrees of freedom and p of both samples having one distribution."""
    counts = [Counter(c for item in drawn for c in combination(item)) for drawn in (one, other)]
    table = np.array([[count[c] for c in sorted(counts[0] | counts[1])] for count in counts])
    tested = chi2_contingency(table, correction=False)
    return float(tested.statistic), int(tested.dof), float(tested.pvalue)


def compare_negatives(data: ModuleType, epochs: int) -> Iterator[Line]:
    """Everything that is drawn together, by the published code and here."""
    features = bank()
    with made_up_data(features):
        for links, languages in product((False, True), (["en"], ["en", "fr"])):
            theirs = published_items(data, languages, epochs, links=links)
            ours = own_items(features, languages, epochs, links=links, how="apart")
            parts = ["words", "pictures", *(["second"] if links else [])]
            what = f"{'language links, ' if links else ''}{' and '.join(languages)}"
            asked = {f"class x {' x '.join(parts)}": _across(*parts)}
            asked |= {f"class x two of {part}": _within(part) for part in parts}
            asked |= {f"language x class x each of {part}": _each(part) for part in parts}
            for name, combination in asked.items():
                statistic, df, p = homogeneous(theirs, ours, combination)
                yield Line(
                    f"{what}: {name}",
                    f"chi2({df}) = {statistic:.1f}, p = {p:.3f}, {len(ours):,} items",
                    f"p > {LEAST_P:g}",
                    p > LEAST_P,
                )
            same = own_items(features, languages, epochs, links=links, how="own")
            statistic, df, p = homogeneous(theirs, same, _across(*parts))
            yield Line(
                f"{what}: the same classes in all lists are told apart",
                f"chi2({df}) = {statistic:.0f}, p = {p:.0e}",
                f"p < {TOLD_APART:g}",
                p < TOLD_APART,
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare with the published code.")
    parser.add_argument("checkout", type=Path, help="a checkout of danoneata/me-vgs")
    parser.add_argument("--epochs", type=int, default=400, help="of the made-up data")
    asked = parser.parse_args()
    if not (asked.checkout / "mevgs" / "model.py").is_file():
        sys.exit(f"{asked.checkout} is no checkout of danoneata/me-vgs: it has no mevgs/model.py")
    sys.path.insert(0, str(asked.checkout.resolve()))
    with contextlib.suppress(ImportError):
        importlib.import_module("librosa")
    # Only sounds are read with it, and none are.
    sys.modules.setdefault("librosa", ModuleType("librosa"))
    model, data = (importlib.import_module(f"mevgs.{name}") for name in ("model", "data"))
    failed = 0
    for lines in (compare_networks(model), compare_negatives(data, asked.epochs)):
        for line in lines:
            failed += not line.holds
            verdict = "holds" if line.holds else "DIFFERS"
            sys.stdout.write(f"| {line.case} | {line.told} | {line.allowed} | {verdict} |\n")
            sys.stdout.flush()
    sys.stdout.write(f"{failed} lines differ from the published code.\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
