"""Train the small frozen seeing backbone on drawings of everyday things.

Two designers' drawings of the same named thing should look alike, whatever their style. The
network sees drawings in pairs of one name, each strongly altered (turned, stretched, cropped,
mirrored, tinted, outlined, thickened), and learns (a) to tell the names apart by cosine
similarity with one learnt direction per name and (b) to bring drawings of one name in the batch
together (supervised contrastive loss, Khosla et al., 2020, eq. 2). What is kept is the map
before pooling. Names near the 33 test concepts are never drawn (`makers.backbones.drawings`).

One command trains and writes the shipped files; when it is stopped, the same command goes on
from the last checkpoint::

    python -m makers.backbones.seeing --iconify node_modules/@iconify/json \
        --out toolkit/subjects/weights/seeing
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save_file
from torch import Tensor, nn

from makers.backbones.alterations import alter
from makers.backbones.drawing_pairs import MEAN, STD, Batches, Corpus, evaluate
from makers.backbones.drawings import (
    ANIMALS,
    HELD_OUT_ANIMALS,
    Drawing,
    choose_drawings,
    render_drawings,
)
from makers.backbones.excluded import is_excluded
from makers.commands import run
from stimuli.cells import csv_text
from stimuli.errors import ToolkitError
from stimuli.files import write_atomic

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides what is learnt."""

    architecture: str = "resnet10t"
    """Name of the network in timm."""
    stem_width: int = 16
    """Width of the network's first layers."""
    channels: tuple[int, ...] = (48, 96, 256, 256)
    """Channels of the stages; the last stage is not built."""
    layers: tuple[int, ...] = (1, 2, 2, 1)
    """Blocks of the stages."""
    stage: int = 3
    """The stage whose map is kept (timm's out_indices; stage 3 halves the side four times)."""
    train_size_px: int = 48
    """Side of the pictures seen in training until the last part."""
    input_size_px: int = 80
    """Side of the pictures seen in the last part of training and in use."""
    last_part: float = 0.35
    """Share of the time spent at ``input_size_px``."""
    names_per_batch: int = 96
    """Names in a batch, two drawings each."""
    steps: int = 2000
    """Updates."""
    learning_rate: float = 2e-3
    """Highest step size (AdamW, warm-up over 5 %, then cosine to 0)."""
    weight_decay: float = 0.05
    """Decay of the convolutions."""
    contrast: float = 0.5
    """Weight of the contrastive loss beside the classification of names."""
    seed: int = 0
    """Of the weights, the batches and the alterations."""

    def model_args(self) -> dict[str, object]:
        """Arguments of ``timm.create_model`` besides the name."""
        return {
            "stem_width": self.stem_width,
            "channels": list(self.channels),
            "layers": list(self.layers),
        }


def hold_out(names: Sequence[str], picture_names: frozenset[str]) -> frozenset[str]:
    """Names kept for evaluation: ten animals and every eighth other picture name.

    Args:
        names: All names, sorted.
        picture_names: Those that emoji sets file under animals, food, objects, ...

    Returns:
        The names to keep out of training.
    """
    others = [n for n in names if n in picture_names and n not in ANIMALS]
    return (frozenset(others[::8]) | HELD_OUT_ANIMALS) & frozenset(names)


class Learner(nn.Module):
    """The backbone with what is thrown away after training: pooling and one direction per name."""

    def __init__(self, settings: Settings, n_names: int) -> None:
        """Build the network with random weights."""
        super().__init__()
        self.backbone = timm.create_model(
            settings.architecture,
            features_only=True,
            out_indices=(settings.stage,),
            **settings.model_args(),
        )
        channels = settings.channels[settings.stage - 1]
        self.norm = nn.BatchNorm1d(channels)
        self.directions = nn.Parameter(torch.randn(n_names, channels) / math.sqrt(channels))
        self.log_scale = nn.Parameter(torch.tensor(math.log(16.0)))

    def forward(self, views: Tensor) -> Tensor:
        """Unit vectors (n, channels) of views (n, 3, h, w) in [0, 1]."""
        views = (views - MEAN[0]) / STD[0]
        features = self.backbone(views.contiguous(memory_format=torch.channels_last))[-1]
        return F.normalize(self.norm(features.mean((2, 3))), dim=-1)

    def loss(self, vectors: Tensor, names: Tensor, contrast: float) -> Tensor:
        """Classification among all names plus contrast within the batch."""
        scores = self.log_scale.exp() * vectors @ F.normalize(self.directions, dim=-1).T
        loss = F.cross_entropy(scores, names, label_smoothing=0.1)
        pairs = vectors @ vectors.T / 0.1
        pairs = pairs.masked_fill(torch.eye(len(pairs), dtype=torch.bool), -1e9)
        same = (names[:, None] == names[None]).float()
        same.fill_diagonal_(0)
        log_p = pairs.log_softmax(-1)
        return loss - contrast * ((log_p * same).sum(-1) / same.sum(-1)).mean()


def save_backbone(backbone: nn.Module, settings: Settings, folder: Path) -> None:
    """Write ``model.safetensors`` (half precision) and ``config.json``.

    Args:
        backbone: Network with a feature map.
        settings: As trained.
        folder: Existing folder.
    """
    weights = {
        name: tensor.half().contiguous()
        for name, tensor in backbone.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    config = {
        "architecture": settings.architecture,
        "model_args": settings.model_args(),
        "out_index": settings.stage,
        "input_size_px": settings.input_size_px,
        "mean": list(MEAN),
        "std": list(STD),
    }
    with write_atomic(folder / "model.safetensors") as path:
        save_file(weights, path)
        path.chmod(0o644)
    with write_atomic(folder / "config.json") as path:
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def load_corpus(iconify: Path, cache: Path, jobs: int) -> Corpus:
    """Choose and render the drawings, or read them from an earlier call.

    Args:
        iconify: Folder of the npm package ``@iconify/json``.
        cache: Folder for the rendered pictures (about 2 GB).
        jobs: Processes that render.

    Returns:
        The corpus.

    Raises:
        ToolkitError: If the package cannot be read.
    """
    drawings_file, pictures_file = cache / "drawings.json", cache / "pictures.npy"
    if not drawings_file.exists():
        chosen = choose_drawings(iconify, refuse=lambda name: is_excluded(name, "en"))
        drawings, pictures = render_drawings(chosen, jobs=jobs)
        with write_atomic(pictures_file) as path:
            np.save(path, pictures)
        with write_atomic(drawings_file) as path:
            path.write_text(
                json.dumps([asdict(d) | {"body": ""} for d in drawings]), encoding="utf-8"
            )
    records = json.loads(drawings_file.read_text(encoding="utf-8"))
    drawings = [Drawing(**{**r, "view_box": tuple(r["view_box"])}) for r in records]
    return Corpus(drawings, np.load(pictures_file, mmap_mode="r"))


def _moved(average: Tensor, current: Tensor, _: Tensor | int) -> Tensor:
    return average.float().lerp(current.float(), 0.01).to(average.dtype)


def _rate(settings: Settings, step: int) -> float:
    warm = 0.05 * settings.steps
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def train(corpus: Corpus, settings: Settings, out: Path, work: Path, log_every: int = 250) -> None:
    """Train and write the backbone, its log and its names; goes on from a checkpoint in ``work``.

    Args:
        corpus: Rendered drawings.
        settings: What to train.
        out: Folder for the shipped files, rewritten at every evaluation.
        work: Folder for the checkpoint.
        log_every: Steps between evaluations.
    """
    names = sorted({d.name for d in corpus.drawings})
    held = hold_out(names, frozenset(d.name for d in corpus.drawings if d.picture_name))
    taught = [n for n in names if n not in held]
    with write_atomic(out / "names.txt") as path:
        path.write_text("\n".join(taught) + "\n", encoding="utf-8")
    torch.manual_seed(settings.seed)
    learner = Learner(settings, len(taught)).to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(learner.backbone, avg_fn=_moved, use_buffers=True)
    matrices = [p for p in learner.backbone.parameters() if p.ndim > 1]
    vectors = [p for p in learner.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings.weight_decay, "factor": 1.0},
            {"params": vectors, "weight_decay": 0.0, "factor": 1.0},
            {"params": [learner.directions], "weight_decay": 0.0, "factor": 2.0},
        ],
        lr=settings.learning_rate,
    )
    checkpoint, step, rows = work / "checkpoint.pt", 0, corpus.rows(held)
    log_rows: list[dict[str, object]] = []
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        learner.load_state_dict(state["learner"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, log_rows = state["step"], state["log"]
    generator = torch.Generator()
    batches = Batches(corpus, taught, settings.seed)
    start, running, since = time.monotonic(), 0.0, 0
    while step < settings.steps:
        early = step < (1 - settings.last_part) * settings.steps
        size = settings.train_size_px if early else settings.input_size_px
        for group in optimizer.param_groups:
            group["lr"] = group["factor"] * _rate(settings, step)
        # Seeded per step, so that a resumed run sees what an uninterrupted one would.
        generator.manual_seed(settings.seed * 1_000_003 + step)
        pictures, labels = batches.draw(settings.names_per_batch, step)
        loss = learner.loss(learner(alter(pictures, size, generator)), labels, settings.contrast)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(learner.backbone)
        step += 1
        running, since = running + loss.item(), since + 1
        if step % log_every == 0 or step == settings.steps:
            scores = evaluate(average.module, corpus, rows, settings.input_size_px)
            row = {"step": step, "size_px": size, "loss": running / since} | scores
            log_rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
            log.info("%s after %.0f s", log_rows[-1], time.monotonic() - start)
            running, since = 0.0, 0
            with write_atomic(checkpoint) as path:
                torch.save(
                    {"learner": learner.state_dict(), "average": average.state_dict(),
                     "optimizer": optimizer.state_dict(), "step": step, "log": log_rows},
                    path,
                )  # fmt: skip
            save_backbone(average.module, settings, out)
            with write_atomic(out / "training_log.csv") as path:
                table = csv_text([tuple(log_rows[0]), *(tuple(row.values()) for row in log_rows)])
                path.write_text(table, encoding="utf-8", newline="")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``python -m makers.backbones.seeing``."""
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m makers.backbones.seeing",
        description=(__doc__ or "").split("\n", 1)[0],
    )
    parser.add_argument("--iconify", type=Path, required=True, help="npm package @iconify/json")
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished backbone")
    parser.add_argument("--work", type=Path, help="folder for pictures and checkpoint [OUT/work]")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--threads", type=int, default=1, help="processor cores")
    parser.add_argument("--contrast", type=float, default=defaults.contrast)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    work = options.work or options.out / "work"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolkitError(f"Cannot write to {options.out}: {error}") from error
    settings = Settings(steps=options.steps, seed=options.seed, contrast=options.contrast)
    train(load_corpus(options.iconify, work, options.threads), settings, options.out, work)


if __name__ == "__main__":
    run(main)
