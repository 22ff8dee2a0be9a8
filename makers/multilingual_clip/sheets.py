"""Pictures the multilingual CLIP learns from: sheets with one to four drawings.

Each drawing is turned a little, mirrored or not, of any size and anywhere within its part of the
sheet. What covers which patch is known, since the sheet was put together here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from makers.multilingual_clip.things import SCENE_THINGS, Drawings
from makers.sets.drawing import silhouette

SHEET_PX = 160
"""Side of a sheet, pixels."""
PATCH_PX = 16
"""Side of a patch, pixels."""
PLACES = SHEET_PX // PATCH_PX
"""Patches along one side."""
NOTHING_BELOW = 0.05
"""A patch less covered than this shows nothing."""
SOMETHING_FROM = 0.25
"""A patch covered by at least this share shows the drawing; between the two it is not judged."""
UNJUDGED = -100
OFTEN = 3
"""How much more often the things of the scenes are shown than others."""

_HALF = SHEET_PX // 2
_QUARTER = 2 * PATCH_PX
_PAIRS = (
    ((_QUARTER, 0), (_QUARTER, _HALF)),
    ((0, _QUARTER), (_HALF, _QUARTER)),
    ((0, 0), (_HALF, _HALF)),
    ((0, _HALF), (_HALF, 0)),
)
_TRIPLES = (
    ((0, 0), (0, _HALF), (_HALF, _QUARTER)),
    ((0, _QUARTER), (_HALF, 0), (_HALF, _HALF)),
    ((0, 0), (_HALF, 0), (_QUARTER, _HALF)),
    ((_QUARTER, 0), (0, _HALF), (_HALF, _HALF)),
)
_FOUR = ((0, 0), (0, _HALF), (_HALF, 0), (_HALF, _HALF))
_SHARES = (0.15, 0.15, 0.35, 0.35)
"""Shares of sheets with one, two, three and four drawings."""


@dataclass(frozen=True, slots=True)
class Sheets:
    """A batch of sheets and what is on them."""

    pictures: Tensor
    """(n, 3, SHEET_PX, SHEET_PX) in [0, 1]."""
    shown: Tensor
    """(n, 4) numbers of the concepts shown; -1 where a sheet shows fewer."""
    patches: Tensor
    """(n, PLACES * PLACES) number of the concept in each patch, the number of concepts where there
    is nothing, `UNJUDGED` where it is neither clear."""


class SheetMaker:
    """Puts drawings on sheets; a seed and a step decide everything."""

    def __init__(self, drawings: Drawings, *, test: bool, seed: int) -> None:
        """Sort the drawings by concept and find what each covers.

        Args:
            drawings: All drawings.
            test: Whether the held-out drawings are to be shown, or those of training.
            seed: Of everything drawn at random.
        """
        number = {concept.name: i for i, concept in enumerate(drawings.concepts)}
        self.n_concepts = len(number)
        self.seed = seed
        self.rows: dict[int, list[int]] = {}
        for row, item in enumerate(drawings.items):
            if item.test == test:
                self.rows.setdefault(number[item.concept], []).append(row)
        self._concepts = np.array(sorted(self.rows))
        often = [OFTEN if drawings.concepts[c].name in SCENE_THINGS else 1 for c in self._concepts]
        self._shares = np.array(often) / sum(often)
        self._pictures = drawings.pictures
        self._covered = np.stack([silhouette(picture) for picture in drawings.pictures])

    def draw(self, n: int, step: int) -> Sheets:
        """A batch of sheets.

        Args:
            n: How many.
            step: Its number; the same number gives the same batch.
        """
        random = np.random.default_rng([self.seed, step])
        counts = np.minimum(random.choice(4, n, p=_SHARES) + 1, len(self._concepts))
        chosen = [
            random.choice(self._concepts, count, replace=False, p=self._shares) for count in counts
        ]
        shown = torch.full((n, 4), -1)
        for sheet, concepts in enumerate(chosen):
            shown[sheet, : len(concepts)] = torch.from_numpy(concepts)
        rows = np.array([self._row(concept, random) for several in chosen for concept in several])
        alone = np.repeat(counts, counts) == 1
        large = iter(self._altered(rows[alone], SHEET_PX, (0.35, 0.8), random))
        small = iter(self._altered(rows[~alone], _HALF, (0.55, 1.0), random))
        sheets = _paper(n, random)
        patches = torch.full((n, PLACES, PLACES), self.n_concepts)
        for sheet, concepts in enumerate(chosen):
            layers = large if len(concepts) == 1 else small
            for concept, (top, left) in zip(concepts, _cells(len(concepts), random), strict=True):
                layer = next(layers)
                side = layer.shape[-1]
                under = sheets[sheet, :, top : top + side, left : left + side]
                under.mul_(1 - layer[3]).add_(layer[:3])
                cover = F.avg_pool2d(layer[None, 4], PATCH_PX)[0]
                n_places, row, column = side // PATCH_PX, top // PATCH_PX, left // PATCH_PX
                under = patches[sheet, row : row + n_places, column : column + n_places]
                under[cover >= NOTHING_BELOW] = UNJUDGED
                under[cover >= SOMETHING_FROM] = int(concept)
        return Sheets(sheets, shown, patches.flatten(1))

    def _row(self, concept: int, random: np.random.Generator) -> int:
        rows = self.rows[int(concept)]
        return rows[random.integers(len(rows))]

    def _altered(
        self,
        rows: NDArray[np.int64],
        side_px: int,
        sizes: tuple[float, float],
        random: np.random.Generator,
    ) -> Tensor:
        """Drawings turned, moved, scaled, mirrored, tinted.

        Args:
            rows: Which.
            side_px: Side of the part of the sheet that they are for.
            sizes: Least and greatest size, as shares of that side.
            random: Decides.

        Returns:
            (k, 5, side_px, side_px): colours times opacity, opacity, and what is covered.
        """
        k = len(rows)
        if not k:
            return torch.zeros(0, 5, side_px, side_px)
        pixels = torch.from_numpy(self._pictures[rows].astype(np.float32) / 255).permute(0, 3, 1, 2)
        filled = torch.from_numpy(self._covered[rows].astype(np.float32))[:, None]
        gain = torch.from_numpy(random.uniform(0.8, 1.15, (k, 3, 1, 1)).astype(np.float32))
        colours = (pixels[:, :3] * gain).clamp(0, 1)
        grey = torch.from_numpy(random.random(k) < 0.15)[:, None, None, None]
        colours = torch.where(grey, colours.mean(1, keepdim=True).expand_as(colours), colours)
        layers = torch.cat([colours * pixels[:, 3:], pixels[:, 3:], filled], 1)
        scale = random.uniform(*sizes, k)
        angle = random.uniform(-0.2, 0.2, k)
        side = np.where(random.random(k) < 0.5, -1.0, 1.0)
        shift = random.uniform(-1, 1, (k, 2)) * (1 - scale)[:, None]
        theta = np.zeros((k, 2, 3), np.float32)
        theta[:, 0, 0], theta[:, 0, 1] = side * np.cos(angle), -side * np.sin(angle)
        theta[:, 1, 0], theta[:, 1, 1] = np.sin(angle), np.cos(angle)
        theta[:, :, :2] /= scale[:, None, None]
        theta[:, :, 2] = -np.einsum("kij,kj->ki", theta[:, :, :2], shift)
        grid = F.affine_grid(torch.from_numpy(theta), [k, 5, side_px, side_px], align_corners=False)
        return F.grid_sample(layers, grid, align_corners=False)


def _cells(count: int, random: np.random.Generator) -> Sequence[tuple[int, int]]:
    """Top left corners of the parts of a sheet."""
    if count == 1:
        return ((0, 0),)
    if count == 4:
        return _FOUR
    options = _PAIRS if count == 2 else _TRIPLES
    return options[random.integers(len(options))]


def _paper(n: int, random: np.random.Generator) -> Tensor:
    """Empty sheets, half of them white, the others in a light colour."""
    tint = random.uniform(0.75, 1, (n, 3)).astype(np.float32)
    tint[random.random(n) < 0.5] = 1
    return torch.from_numpy(tint)[:, :, None, None].repeat(1, 1, SHEET_PX, SHEET_PX)
