"""How well a multilingual CLIP knows the names: held-out drawings, one language at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from makers.multilingual_clip.eye import maps_of
from makers.multilingual_clip.sheets import SHEET_PX
from makers.multilingual_clip.texts import BEST, text_vectors
from makers.multilingual_clip.things import LANGUAGES, PICTURE_PX, Drawings, on_white
from toolkit.subjects.backbones.seeing import Seeing
from toolkit.subjects.clip.drawings import PlaceHead, encode

_UNMET = """
airplane bicycle bird bus butterfly car cat cow dog elephant fish guitar horse key tree umbrella"""
COLUMNS = ("language", "names", "drawings", "first", "first_of_five", "first_unmet", "chance")
"""Columns of `retrieval`: language code; how many names to choose from, and drawings asked; how
often the right name is first, and among the first five; how often it is first for drawings of the
things that the eye never met before (`UNMET`); chance of being first."""
UNMET = frozenset(_UNMET.split())
"""Things of the scenes whose names and near relatives were left out when the eye was trained."""


@torch.no_grad()
def see_drawings(
    seeing: Seeing, head: PlaceHead, drawings: Drawings, rows: Sequence[int]
) -> Tensor:
    """Vectors (n, places, d) of single drawings, 80 pixels wide in the middle of white paper.

    Args:
        seeing: The eye.
        head: Its head.
        drawings: All drawings.
        rows: Which of them.
    """
    pictures = []
    for row in rows:
        sheet = np.full((SHEET_PX, SHEET_PX, 3), 255, np.uint8)
        edge = (SHEET_PX - PICTURE_PX) // 2
        sheet[edge : edge + PICTURE_PX, edge : edge + PICTURE_PX] = on_white(drawings.pictures[row])
        pictures.append(sheet)
    return F.normalize(head(maps_of(seeing, pictures)), dim=-1)


@torch.no_grad()
def retrieval(
    model: Any, tokenizer: Any, drawings: Drawings, seen: Tensor, rows: Sequence[int]
) -> list[dict[str, float | str]]:
    """Choice of a name for every held-out drawing among the names of all concepts.

    Args:
        model: A text half.
        tokenizer: Its tokenizer.
        drawings: All drawings.
        seen: What is seen of the held-out ones (`see_drawings`).
        rows: Their rows.

    Returns:
        One row per language that has names, see `COLUMNS`. A language is asked about the concepts
        that it has a name for; the first name of each counts.
    """
    longest = model.config.max_position_embeddings
    table: list[dict[str, float | str]] = []
    for code in LANGUAGES:
        named = [concept for concept in drawings.concepts if code in concept.names]
        if not named:
            continue
        place = {concept.name: i for i, concept in enumerate(named)}
        asked = [i for i, row in enumerate(rows) if drawings.items[row].concept in place]
        right = torch.tensor([place[drawings.items[rows[i]].concept] for i in asked])
        tokens = encode(tokenizer, [concept.names[code][0] for concept in named], longest)
        texts = text_vectors(model, tokens)
        scores = (seen[asked] @ texts.T).topk(BEST, dim=1).values.mean(1)
        ranks = (scores > scores.gather(1, right[:, None])).sum(1)
        unmet = torch.tensor([drawings.items[rows[i]].concept in UNMET for i in asked])
        table.append(
            {
                "language": code,
                "names": len(named),
                "drawings": len(asked),
                "first": float((ranks == 0).float().mean()),
                "first_of_five": float((ranks < 5).float().mean()),
                "first_unmet": float((ranks[unmet] == 0).float().mean()),
                "chance": 1 / len(named),
            }
        )
    return table
