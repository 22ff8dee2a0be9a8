"""The head of the multilingual CLIP's eye, which is taught where things are and no language.

The eye itself is the shipped seeing backbone and stays as it is. The head
(`toolkit.subjects.clip.drawings.PlaceHead`) learns from sheets of drawings
(`makers.multilingual_clip.sheets`) to tell the concepts apart at every place, by cosine similarity
with one learnt direction per concept and one for empty paper. Where the drawings lie is known and
is used, so the places are taught, not found. The directions are thrown away afterwards; every
language then learns from the same eye and head (`makers.multilingual_clip.train`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from makers.multilingual_clip.sheets import UNJUDGED, SheetMaker
from toolkit.subjects.backbones.seeing import Seeing
from toolkit.subjects.clip.drawings import PlaceHead

DIM = 128
"""Length of the vectors that places and texts share."""


@dataclass(frozen=True, slots=True)
class EyeSettings:
    """Everything that decides what the head learns."""

    bank: int = 4000
    """Sheets that the eye looks at, once; head and text halves learn from them."""
    steps: int = 700
    """Updates."""
    sheets: int = 32
    """Sheets in a batch."""
    learning_rate: float = 2e-3
    """Highest step size (AdamW, warm-up over 5 %, then cosine to 0)."""
    weight_decay: float = 0.05
    """Decay of the matrices."""
    scale: float = 16.0
    """Cosine similarities are multiplied by this before the softmax."""
    seed: int = 0
    """Of the weights and the sheets."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Sheets as the eye sees them."""

    maps: Tensor
    """(n, places, channels) float16."""
    shown: Tensor
    """(n, 4) numbers of the concepts shown, -1 where a sheet shows fewer."""
    patches: Tensor
    """(n, places), see `makers.multilingual_clip.sheets.Sheets`."""


def look(
    seeing: Seeing,
    maker: SheetMaker,
    n: int,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Bank:
    """Let the eye look at `n` sheets."""
    maps, shown, patches = [], [], []
    for step in range(math.ceil(n / 50)):
        sheets = maker.draw(min(50, n - 50 * step), step)
        pixels = (sheets.pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
        maps.append(maps_of(seeing, list(pixels)).half())
        shown.append(sheets.shown)
        patches.append(sheets.patches)
        progress("looking at sheets", min(n, 50 * (step + 1)), n)
    return Bank(torch.cat(maps), torch.cat(shown), torch.cat(patches))


def maps_of(seeing: Seeing, pictures: list[np.ndarray]) -> Tensor:
    """What the eye sees of pictures, (n, places, channels)."""
    return torch.from_numpy(seeing.features(pictures)).flatten(2).transpose(1, 2)


@torch.no_grad()
def see_things(head: PlaceHead, bank: Bank) -> tuple[Tensor, Tensor]:
    """What eye and head make of every drawing on the sheets: the mean of the places it covers.

    Args:
        head: the trained head.
        bank: sheets.

    Returns:
        Vectors (n, d) of length one, and the concept of each (n,).
    """
    vectors, concepts = [], []
    for maps, shown, patches in zip(bank.maps, bank.shown, bank.patches, strict=True):
        places = F.normalize(head(maps.float()), dim=-1)
        for concept in shown[shown >= 0]:
            where = patches == concept
            if where.any():
                vectors.append(F.normalize(places[where].mean(0), dim=-1))
                concepts.append(concept)
    return torch.stack(vectors), torch.stack(concepts)


def eye_loss(tokens: Tensor, directions: Tensor, patches: Tensor, scale: float) -> Tensor:
    """Cross-entropy of the places; every drawing of a sheet, and its paper, weighs the same.

    Args:
        tokens: (n, places, d) of length one.
        directions: (concepts + 1, d) of length one, that of empty paper last.
        patches: (n, places) what each place shows, `UNJUDGED` where that is not clear.
        scale: factor of the cosine similarities.
    """
    logits = scale * tokens @ directions.T
    same = patches[:, :, None] == patches[:, None]
    weight = ((patches != UNJUDGED) / same.sum(-1)).flatten()
    loss = F.cross_entropy(
        logits.flatten(0, 1),
        patches.flatten(),
        reduction="none",
        ignore_index=UNJUDGED,
        label_smoothing=0.05,
    )
    return (loss * weight).sum() / weight.sum()


def rate(step: int, steps: int, highest: float) -> float:
    """Step size: warm-up over 5 %, then a cosine to 0.

    Example:
        >>> rate(0, 100, 1.0), round(rate(100, 100, 1.0), 6)
        (0.2, 0.0)
    """
    warm = 0.05 * steps
    if step < warm:
        return highest * (step + 1) / warm
    return highest * 0.5 * (1 + math.cos(math.pi * step / steps))


def optimizer_for(module: nn.Module, weight_decay: float) -> torch.optim.AdamW:
    """AdamW that decays matrices only."""
    wanted = list(module.parameters())
    groups = [
        {"params": [p for p in wanted if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in wanted if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))


def update(optimizer: torch.optim.Optimizer, module: nn.Module, loss: Tensor, size: float) -> None:
    """One update with step size `size`, gradients cut at length 1."""
    for group in optimizer.param_groups:
        group["lr"] = size
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()


@torch.no_grad()
def accuracy(head: PlaceHead, directions: Tensor, bank: Bank) -> dict[str, float]:
    """How often places and whole drawings are nearest to the right direction.

    Args:
        head: the head.
        directions: as in `eye_loss`.
        bank: sheets to test on.

    Returns:
        ``places``: share of covered places named rightly; ``drawings``: share of drawings named
        rightly by the mean of their places.
    """
    scores = F.normalize(head(bank.maps.float()), dim=-1) @ directions[:-1].T
    covered = (bank.patches >= 0) & (bank.patches < len(directions) - 1)
    right = (scores.argmax(-1) == bank.patches)[covered].float().mean()
    drawings = []
    for one, patches, shown in zip(scores, bank.patches, bank.shown, strict=True):
        for concept in shown[shown >= 0]:
            where = patches == concept
            if where.any():
                drawings.append(bool(one[where].mean(0).argmax() == concept))
    return {"places": float(right), "drawings": sum(drawings) / len(drawings)}


def train_head(
    bank: Bank,
    test: Bank,
    n_concepts: int,
    settings: EyeSettings,
    progress: Callable[[Mapping[str, float]], None] = lambda row: None,
    every: int = 250,
) -> tuple[PlaceHead, list[dict[str, float]]]:
    """Train the head.

    Args:
        bank: sheets to learn from.
        test: sheets of held-out drawings, for the log only.
        n_concepts: how many things there are.
        settings: how.
        progress: told each row of the log.
        every: updates between rows of the log.

    Returns:
        The head and the log.
    """
    torch.manual_seed(settings.seed)
    head = PlaceHead(bank.maps.shape[-1], DIM)
    directions = nn.Parameter(torch.randn(n_concepts + 1, DIM) / math.sqrt(DIM))
    learner = nn.ModuleDict({"head": head})
    learner.register_parameter("directions", directions)
    optimizer = optimizer_for(learner, settings.weight_decay)
    rows: list[dict[str, float]] = []
    running, since = 0.0, 0
    for step in range(settings.steps):
        random = np.random.default_rng([settings.seed, step])
        chosen = torch.from_numpy(random.integers(len(bank.maps), size=settings.sheets))
        tokens = F.normalize(head(bank.maps[chosen].float()), dim=-1)
        unit = F.normalize(directions, dim=-1)
        loss = eye_loss(tokens, unit, bank.patches[chosen], settings.scale)
        update(optimizer, learner, loss, rate(step, settings.steps, settings.learning_rate))
        running, since = running + loss.item(), since + 1
        if (step + 1) % every == 0 or step + 1 == settings.steps:
            seen = accuracy(head, F.normalize(directions.detach(), dim=-1), test)
            rows.append({"step": step + 1, "loss": running / since} | seen)
            progress(rows[-1])
            running, since = 0.0, 0
    return head.eval().requires_grad_(False), rows
