"""Strong alterations of drawings: what the seeing backbone learns to see through."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def alter(pictures: Tensor, size_px: int, generator: torch.Generator) -> Tensor:
    """Random views of drawings: geometry, strokes, colours.

    Args:
        pictures: (n, 3, h, w) in [0, 1], white ground.
        size_px: Side of the views.
        generator: Source of randomness.

    Returns:
        (n, 3, size_px, size_px) in [0, 1].
    """
    n = len(pictures)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    def chance(p: float, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) < p

    angle = uniform(-0.35, 0.35, n) * uniform(0, 1, n)
    zoom = uniform(0.85, 1.5, n)  # above 1 the drawing gets smaller
    stretch = torch.exp(uniform(-0.2, 0.2, n))
    shear = uniform(-0.2, 0.2, n)
    mirror = torch.where(chance(0.5, n), -1.0, 1.0)
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.stack(
        [
            torch.stack([mirror * zoom * stretch * cos, zoom * (shear * cos - sin)], 1),
            torch.stack([mirror * zoom * stretch * sin, zoom * (shear * sin + cos) / stretch], 1),
        ],
        1,
    )
    shift = uniform(-0.2, 0.2, n, 2, 1) * zoom[:, None, None]
    grid = F.affine_grid(torch.cat([theta, shift], 2), [n, 3, size_px, size_px], False)
    bend = torch.randn(n, 2, 4, 4, generator=generator) * 0.035
    grid = grid + F.interpolate(bend, grid.shape[1:3], mode="bicubic").permute(0, 2, 3, 1)
    ink = F.grid_sample(1 - pictures, grid, align_corners=False)

    for p, change in ((0.2, _thicker), (0.12, _thinner), (0.12, _outline)):
        which = chance(p, n).nonzero()[:, 0]
        if len(which):
            ink[which] = change(ink[which])
    grey = ink.mean(1, keepdim=True)
    to_grey = chance(0.25, n)[:, None, None, None]
    ink = torch.where(to_grey, grey, ink)
    mix = torch.eye(3) + torch.randn(n, 3, 3, generator=generator) * 0.3 * chance(0.7, n, 1, 1)
    ink = torch.einsum("nchw,ndc->ndhw", ink, mix)
    tint = uniform(0.25, 1, n, 3, 1, 1)
    ink = torch.where(chance(0.4, n)[:, None, None, None], ink * tint, ink)
    ink = ink.clamp(0, 1) ** torch.exp(uniform(-0.3, 0.3, n, 1, 1, 1))
    view = torch.where(chance(0.1, n)[:, None, None, None], ink, 1 - ink)
    for i in chance(0.25, n).nonzero()[:, 0].tolist():
        h, w = (int(v) for v in uniform(0.15, 0.4, 2) * size_px)
        y, x = (int(v) for v in uniform(0, 1, 2) * torch.tensor([size_px - h, size_px - w]))
        view[i, :, y : y + h, x : x + w] = view[i, :, :1, :1]
    return view


def _thicker(ink: Tensor) -> Tensor:
    return F.max_pool2d(ink, 3, 1, 1)


def _thinner(ink: Tensor) -> Tensor:
    return 0.5 * ink - 0.5 * F.max_pool2d(-ink, 3, 1, 1)


def _outline(ink: Tensor) -> Tensor:
    grey = ink.mean(1, keepdim=True)
    edge = F.max_pool2d(grey, 3, 1, 1) + F.max_pool2d(-grey, 3, 1, 1)
    return (1.5 * edge).clamp(0, 1).expand_as(ink)
