"""What worked pages of docs/ begin with and nobody can type: photographs, recordings, checkpoints.

Drawings and synthesised words of the included sets stand for somebody's own, included networks for
published ones, and random weights for a model from elsewhere.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from stimuli import StimulusSet, open_set
from stimuli.cells import csv_text
from stimuli.files import write_atomic
from toolkit.children.columns import SESSION_COLUMNS, data_file_name

Environment = Mapping[str, str]
FAMILIAR = ("bear", "boat", "car", "cat", "dog")
NOVEL = ("ball", "crown", "cup", "guitar", "key")
SUFFIXES = ("wav", "flac", "ogg", "mp3")
VOICES = 2
PHOTOGRAPHS = 2
"""Of each concept."""


@contextmanager
def photographs_and_recordings(folder: Path) -> Iterator[Environment]:
    """``my-photos``: 20 photographs of ten things, and their English names said by two people."""
    mini = open_set("mini")
    for concept in (*FAMILIAR, *NOVEL):
        drawn = mini.select(kind="picture", concept=concept, split="test")
        pictures = drawn[drawn["style"] == "colour"].index
        place = folder / "my-photos" / "pictures" / concept
        place.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(pictures[:PHOTOGRAPHS]):
            _photograph(mini, str(name), place / f"{concept} {number + 1}.jpg")
        clips = mini.select(kind="word", concept=concept, split="test", language="en")
        voices = list(dict.fromkeys(clips["voice"]))[:VOICES]
        place = folder / "my-photos" / "words" / "en" / concept
        place.mkdir(parents=True, exist_ok=True)
        for voice in voices:
            (name, *_) = clips[clips["voice"] == voice].index
            suffix = SUFFIXES[len(list(place.parent.rglob("*.*"))) % len(SUFFIXES)]
            _recording(mini, str(name), place / f"{voice}_1.{suffix}")
    yield {}


def _photograph(stimuli: StimulusSet, name: str, path: Path) -> None:
    """A drawing as a camera would see it: 640 x 480, uneven light, grain, JPEG."""
    from PIL import Image

    drawn = Image.fromarray(stimuli.read_picture(name)).resize((480, 480))
    light = np.linspace(0.8, 1.0, 640)[None, :, None]
    photo = np.full((480, 640, 3), 255.0)
    photo[:, 80:560] = np.asarray(drawn)
    grain = np.random.default_rng(len(name)).normal(0, 4, photo.shape)
    pixels = (photo * light + grain).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=90)


def _recording(stimuli: StimulusSet, name: str, path: Path) -> None:
    """A clip as a recorder would leave it: stereo, 44,100 samples per second."""
    import soundfile
    from scipy.signal import resample_poly

    clip = resample_poly(stimuli.read_clip(name), 441, 160).astype(np.float32)
    soundfile.write(path, np.stack([clip, clip], axis=1).clip(-1, 1), 44_100)


@contextmanager
def checkpoints(folder: Path) -> Iterator[Environment]:
    """``my-clip``, saved by transformers, and ``me-vgs/output`` as published."""
    _save_clip(folder / "my-clip")
    _save_published(folder / "me-vgs" / "output")
    yield {}


def _save_clip(folder: Path) -> None:
    """A small CLIP of transformers with random weights, whose tokens are letters."""
    import torch
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(0)
    signs = ["<s>", "<pad>", "<unk>", "</s>", *" abcdefghijklmnopqrstuvwxyz"]
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    ends = {f"{name}_token_id": place for name, place in (("bos", 0), ("pad", 1), ("eos", 3))}
    text = {"vocab_size": len(signs), "max_position_embeddings": 48, **ends}
    config = CLIPConfig(
        text_config={**text, **layers, "num_attention_heads": 4},
        vision_config={"image_size": 64, "patch_size": 16, **layers, "num_attention_heads": 4},
        projection_dim=32,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}
    ).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({sign: n for n, sign in enumerate(signs)}, signs[2]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.add_special_tokens(signs[:4])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def _save_published(output: Path) -> None:
    """Three included networks, each as the published code leaves a configuration's checkpoints."""
    import torch

    from toolkit.subjects.populations import open_population

    population = open_population("bilingual-en-nl")
    for seed in population.seeds[:3]:
        place = output / f"en-nl_links-no_size-xsm_{seed}" / "checkpoints"
        place.mkdir(parents=True, exist_ok=True)
        network = population.load(seed).network  # type: ignore[attr-defined]
        torch.save(network.state_dict(), place / "model_neg-loss=-0.5000.pt")


@contextmanager
def cluster(folder: Path) -> Iterator[Environment]:
    """A SLURM of one node on this machine; as root, where its programs are installed."""
    from tests.slurm_node import slurm_node

    place = folder / ".slurm"
    place.mkdir(parents=True, exist_ok=True)
    with slurm_node(place) as node:
        yield {"SLURM_CONF": node.environment["SLURM_CONF"]}


MATERIAL: Mapping[str, Callable[[Path], AbstractContextManager[Environment]]] = {
    "own-material": photographs_and_recordings,
    "own-checkpoint": checkpoints,
    "dense-grounding": photographs_and_recordings,
    "cluster": cluster,
}
"""What is put into the folder of a page, by its name, with variables for its commands."""


def play_children(experiment: Path, answers: Path, *, children: int, seed: int = 0) -> None:
    """Answers of children who never were, as an exported experiment leaves them.

    Every child is right in practice, in nine of ten trials with a familiar word, and in a share of
    trials with a novel one that grows with age.

    Args:
        experiment: folder that `export-experiment` wrote.
        answers: folder for one file per child.
        children: how many.
        seed: decides ages and answers.
    """
    design = json.loads((experiment / "design.json").read_text(encoding="utf-8"))
    with (experiment / "lists.csv").open(encoding="utf-8", newline="") as file:
        lists = list(csv.DictReader(file))
    answers.mkdir(parents=True, exist_ok=True)
    headings = [column.name for column in SESSION_COLUMNS]
    for number in range(children):
        rng = np.random.default_rng([seed, number])
        rows = list(_session(number, rng, design, lists))
        name = data_file_name(design["paradigm"], f"kid{number:02}", f"s{number:02}", "csv")
        table = csv_text([headings, *([row.get(one, "") for one in headings] for row in rows)])
        with write_atomic(answers / name) as unfinished:
            unfinished.write_text(table, encoding="utf-8", newline="")


def _session(
    number: int, rng: np.random.Generator, design: Mapping[str, Any], lists: list[dict[str, str]]
) -> Iterator[dict[str, str]]:
    """Rows of one child: practice in its order, then the test in an order of the child's own."""
    age = float(rng.uniform(24, 60))
    likely = {"familiar-novel": 0.9, "novel-familiar": 0.5 + 0.4 * (age - 24) / 36}
    same = {
        "participant_id": f"kid-{number:02}", "session_id": f"s{number:02}",
        "started_at": f"2026-03-{1 + number % 28:02}T10:00:00.000Z",
        **{f"stimuli_{key}": str(design["stimuli"][key]) for key in ("version", "checksum")},
        "stimuli": design["stimuli"]["name"], "age_months": f"{age:.1f}", "exposure": "en:100",
        **{key: str(design[key]) for key in (
            "test_language", "trial_seed", "lists_checksum", "toolkit_version", "schema",
        )},
    }  # fmt: skip
    own = [row for row in lists if int(row["list"]) == number % design["n_lists"]]
    practice = [row for row in own if row["part"] == "practice"]
    test = [row for row in own if row["part"] == "test"]
    for order, row in enumerate(
        [*practice, *(test[place] for place in rng.permutation(len(test)))]
    ):
        right = row["part"] == "practice" or rng.random() < likely.get(row["condition"], 0.5)
        yield {
            **row,
            **same,
            "trial_order": str(order),
            "chosen_id": row["target_id" if right else "distractor_id"],
            "correct": str(int(right)),
            "response_time_s": f"{0.8 + rng.gamma(2, 0.5):.3f}",
            "device": "touch",
        }
