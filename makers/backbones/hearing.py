"""Train the small hearing backbone: two voices saying the same name are two views of it.

The network is a `transformers` ``WavLMModel`` with a cheap convolutional front end. Contrastive
learning (InfoNCE; van den Oord, Li & Vinyals, 2018, arXiv 1807.03748) makes the time average of
its last hidden states alike for two voices that say the same name and unlike for different names,
so that the frames tell words apart and voices matter little.

    npm pack cldr-annotations-full@48.2.0 && tar xzf cldr-annotations-full-48.2.0.tgz
    python -m makers.backbones.hearing --out DIR --annotations package/annotations

speaks the names of `makers.backbones.spoken_names` (about ten minutes), trains (about half an
hour on one core) and writes the folder ``DIR/backbone``. Started again after an interruption, it
goes on from the last checkpoint with the same result.
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import lfilter
from torch import Tensor, nn

from makers.backbones.spoken_names import Corpus, Name, read_names, read_or_speak, voices_of
from makers.commands import run
from stimuli.cells import csv_text
from stimuli.espeak import SAMPLE_RATE_HZ
from stimuli.files import write_atomic

if TYPE_CHECKING:
    from transformers import WavLMModel

Clip = npt.NDArray[np.float32]
GRID = 640
"""Clips are lengthened with silence to multiples of this many samples (40 ms)."""
CHUNK = 32
"""Clips of similar length that go through the network together."""
CANDIDATES = 128
"""Size of the set in which validation looks for the other voice."""
VALIDATE_EVERY = 100
CHECKPOINT_EVERY = 25
LOG_COLUMNS = (
    *("step", "seconds", "learning_rate", "loss", "accuracy", "gradient_norm"),
    *("valid_train_voices", "valid_new_voices"),
)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Everything that decides the trained weights, besides the corpus."""

    steps: int = 1000
    """Updates of the weights."""

    pairs: int = 64
    """Names per update, each said by two voices."""

    learning_rate: float = 8e-4
    """Highest learning rate: rises to it over `warmup` steps, stays, falls over `cooldown`."""

    warmup: int = 50
    """First steps, in which the learning rate rises linearly."""

    cooldown: int = 200
    """Last steps, in which the learning rate falls linearly to 0.

    Until they begin nothing depends on `steps`, so a run can be shortened or made longer.
    """

    temperature: float = 0.1
    """Divides the cosine similarities in the loss."""

    seed: int = 0
    """Decides voices, jitter, order, augmentation and initial weights."""


def build_model(seed: int) -> "WavLMModel":
    """A WavLM model with random weights: 3 layers of width 192, 50 frames per second.

    Most time goes to the layers at high rate, so the first two convolutions already bring the
    rate down to 400 per second.
    """
    from transformers.models.wavlm import WavLMConfig, WavLMModel

    torch.manual_seed(seed)
    return WavLMModel(
        WavLMConfig(
            hidden_size=192,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=384,
            conv_dim=(64, 96, 128, 128, 128),
            conv_kernel=(20, 8, 4, 4, 4),
            conv_stride=(10, 4, 2, 2, 2),
            num_feat_extract_layers=5,
            feat_extract_norm="layer",
            num_conv_pos_embeddings=32,
            num_conv_pos_embedding_groups=16,
            num_buckets=64,
            max_bucket_distance=160,
            hidden_dropout=0.05,
            attention_dropout=0.05,
            feat_proj_dropout=0.05,
            layerdrop=0.0,
            mask_time_prob=0.0,
            mask_feature_prob=0.0,
        )
    )


def augment(clip: Clip, random: np.random.Generator) -> Clip:
    """Another room and another throat: stretch, tilt the spectrum, add silence and noise."""
    n_new = int(len(clip) * random.uniform(0.88, 1.14))
    sound = np.interp(np.linspace(0, len(clip) - 1, n_new), np.arange(len(clip)), clip)
    sound = lfilter([1, random.uniform(-0.6, 0.4)], [1, random.uniform(-0.3, 0.3)], sound)
    sound = np.pad(sound, (int(random.integers(0, 1280)), int(random.integers(0, 1280))))
    if random.random() < 0.5:
        decibel = random.uniform(12, 45)
        sound = sound + random.normal(0, sound.std() * 10 ** (-decibel / 20), len(sound))
    return sound.astype(np.float32)


def average_features(model: "WavLMModel", clips: Sequence[Clip]) -> Tensor:
    """Time averages of the last hidden states, unit length; shape (n_clips, hidden).

    Clips of similar length share a chunk; their padding is masked.
    """
    order = sorted(range(len(clips)), key=lambda index: len(clips[index]))
    parts = []
    for start in range(0, len(order), CHUNK):
        members = [_normalise(clips[index]) for index in order[start : start + CHUNK]]
        longest = max(len(member) for member in members)
        samples = torch.zeros(len(members), longest)
        mask = torch.zeros(len(members), longest, dtype=torch.long)
        for row, member in enumerate(members):
            samples[row, : len(member)] = torch.from_numpy(member)
            mask[row, : len(member)] = 1
        hidden = model(samples, attention_mask=mask).last_hidden_state
        frames = model._get_feature_vector_attention_mask(hidden.shape[1], mask).unsqueeze(-1)
        parts.append((hidden * frames).sum(1) / frames.sum(1))
    back = torch.from_numpy(np.argsort(np.array(order)))
    return nn.functional.normalize(torch.cat(parts)[back], dim=1)


def contrast(first: Tensor, second: Tensor, temperature: float) -> tuple[Tensor, float]:
    """InfoNCE in both directions and the share of first views that find their second view."""
    scores = first @ second.T / temperature
    target = torch.arange(len(scores))
    loss = nn.functional.cross_entropy(scores, target) + nn.functional.cross_entropy(
        scores.T, target
    )
    return loss / 2, (scores.argmax(1) == target).float().mean().item()


class Pairs:
    """Draws names said by two voices."""

    def __init__(self, names: Sequence[Name], corpus: Corpus) -> None:
        self.corpus = corpus
        self._clips: dict[int, list[int]] = {}
        for clip, name in enumerate(corpus.names.tolist()):
            self._clips.setdefault(name, []).append(clip)
        self._train = np.array(
            [i for i, name in enumerate(names) if name.split == "train" and self._count(i) > 1]
        )
        self._valid = [i for i, name in enumerate(names) if name.split == "valid"]
        self._spelling = [name.text for name in names]

    def _count(self, name: int) -> int:
        return len(self._clips.get(name, []))

    def train(self, n: int, random: np.random.Generator) -> tuple[list[Clip], list[Clip]]:
        """Two augmented views of n names that are all spelled differently."""
        drawn: dict[str, int] = {}
        for name in random.permutation(self._train)[: 2 * n].tolist():
            drawn.setdefault(self._spelling[name], name)
        views: tuple[list[Clip], list[Clip]] = ([], [])
        for name in list(drawn.values())[:n]:
            for view, clip in zip(
                views, random.choice(self._clips[name], 2, replace=False).tolist(), strict=True
            ):
                view.append(augment(self.corpus.clip(clip), random))
        return views

    def valid(self, voices: Sequence[str]) -> tuple[list[Clip], list[Clip]]:
        """Held-out names: a training voice, and another voice out of `voices`."""
        views: tuple[list[Clip], list[Clip]] = ([], [])
        seen: set[str] = set()
        for name in self._valid:
            clips = self._clips.get(name, [])
            first = [clip for clip in clips if self.corpus.voices[clip] in voices_of("train")][:1]
            second = [c for c in clips if self.corpus.voices[c] in voices and c not in first]
            if first and second and self._spelling[name] not in seen:
                seen.add(self._spelling[name])
                views[0].append(self.corpus.clip(first[0]))
                views[1].append(self.corpus.clip(second[name % len(second)]))
        return views


def retrieval(model: "WavLMModel", views: tuple[list[Clip], list[Clip]]) -> float:
    """Share of clips whose other voice comes first among `CANDIDATES`, both directions."""
    model.eval()
    with torch.inference_mode():
        first, second = (average_features(model, view) for view in views)
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(first)))
    hits = []
    for start in range(0, len(order) - CANDIDATES + 1, CANDIDATES):
        part = order[start : start + CANDIDATES]
        scores, target = first[part] @ second[part].T, torch.arange(CANDIDATES)
        hits += [(scores.argmax(1) == target).float(), (scores.argmax(0) == target).float()]
    return torch.cat(hits).mean().item()


def train(out: Path, annotations: Path, settings: Settings) -> "WavLMModel":
    """Train, or go on training, in the folder `out`; returns the model in evaluation mode."""
    names, corpus = read_or_speak(out, annotations, settings.seed)
    pairs = Pairs(names, corpus)
    model = build_model(settings.seed)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.01, betas=(0.9, 0.98))
    checkpoint, rows, start, spent = out / "checkpoint.pt", [], 0, 0.0
    if checkpoint.is_file():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        rows, start, spent = saved["rows"], saved["step"], saved["seconds"]
    began = time.monotonic() - spent
    for step in range(start + 1, settings.steps + 1):
        random = np.random.default_rng([settings.seed, step])
        torch.manual_seed(int(random.integers(2**31)))
        rate = settings.learning_rate * _schedule(step, settings)
        for group in optimiser.param_groups:
            group["lr"] = rate
        model.train()
        views = pairs.train(settings.pairs, random)
        first, second = average_features(model, views[0] + views[1]).chunk(2)
        loss, accuracy = contrast(first, second, settings.temperature)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
        optimiser.step()
        valid = ["", ""]
        if step % VALIDATE_EVERY == 0 or step == settings.steps:
            groups = (voices_of("train"), voices_of("valid"))
            valid = [f"{retrieval(model, pairs.valid(group)):.4f}" for group in groups]
        seconds = time.monotonic() - began
        values = (f"{rate:.3g}", f"{loss.item():.4f}", f"{accuracy:.4f}", f"{norm:.3f}")
        rows.append([str(step), f"{seconds:.0f}", *values, *valid])
        log.info("%s", dict(zip(LOG_COLUMNS, rows[-1], strict=True)))
        if step % CHECKPOINT_EVERY == 0 or step == settings.steps:
            state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
            with write_atomic(checkpoint) as path:
                torch.save({**state, "rows": rows, "step": step, "seconds": seconds}, path)
            with write_atomic(out / "training_log.csv") as path:
                path.write_text(csv_text([LOG_COLUMNS, *rows]), encoding="utf-8", newline="")
    return model.eval()


def _schedule(step: int, settings: Settings) -> float:
    """Share of the highest learning rate at a step, counted from 1."""
    left = (settings.steps - step) / settings.cooldown
    return min(1.0, step / settings.warmup, left)


def _normalise(clip: Clip) -> Clip:
    """Zero mean, unit variance, lengthened with silence to the grid."""
    padded = np.pad(clip, (0, -len(clip) % GRID))
    scaled: Clip = ((padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)).astype(np.float32)
    return scaled


def export(model: "WavLMModel", out: Path, names: Sequence[Name]) -> Path:
    """Write the folder that `Hearing` reads (`toolkit.subjects.backbones`); half precision."""
    folder = out / "backbone"
    model.half().save_pretrained(folder)
    preprocess = {"sample_rate_hz": SAMPLE_RATE_HZ, "normalise": True}
    with write_atomic(folder / "preprocess.json") as path:
        path.write_text(json.dumps(preprocess, indent=2) + "\n", encoding="utf-8")
    with write_atomic(folder / "names.txt") as path:
        lines = [f"{n.language}\t{n.text}\n" for n in names if n.split == "train"]
        path.write_text("".join(lines), encoding="utf-8")
    with write_atomic(folder / "training_log.csv") as path:
        path.write_bytes((out / "training_log.csv").read_bytes())
    return folder


def main() -> None:
    """Read the command line, train and export."""
    default = Settings()
    parser = argparse.ArgumentParser(prog="python -m makers.backbones.hearing", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for corpus and results")
    parser.add_argument(
        "--annotations", type=Path, required=True, help="folder 'annotations' of the npm package"
    )
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--threads", type=int, default=1, help="processor cores to use")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    model = train(given.out, given.annotations, Settings(steps=given.steps, seed=given.seed))
    log.info("written to %s", export(model, given.out, read_names(given.out)))


if __name__ == "__main__":
    run(main)
