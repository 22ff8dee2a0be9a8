"""What is told of one card is what was counted, and counting counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.benchmarks.card_estimate import Counting, read_counts, told

PAGE = Path(__file__).parents[2] / "docs" / "published-experiment.md"


def test_the_page_tells_the_estimate_as_it_was_counted() -> None:
    said = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert told(read_counts()) in said


def test_only_what_is_done_on_the_card_is_counted() -> None:
    counting = Counting()
    here, there, table = torch.ones(2, 3), torch.ones(3, 5), torch.ones(100, 4)
    counting.put(there)
    counting.put(table)
    with counting:
        _ = here @ here.T
        made = here @ there
        _ = made.T.reshape(2, 5)[1:] + 1
        _ = table[torch.tensor([7, 8])]
    counted = counting.counted
    assert counted.flops == 2 * 2 * 3 * 5
    assert counted.product_bytes == 4 * (2 * 3 + 3 * 5 + 2 * 5)
    copied, added, looked_up = 2 * 4 * 10, 2 * 4 * 5, 2 * 4 * 8 + 2 * 8
    assert counted.other_bytes == pytest.approx(copied + added + looked_up)
    assert counted.kernels == 4


def test_what_goes_back_from_a_loss_is_counted() -> None:
    counting = Counting()
    weight = torch.ones(3, 5, requires_grad=True)
    counting.put(weight)
    with counting:
        (torch.ones(2, 3) @ weight).sum().backward()
    assert counting.counted.flops == 2 * (2 * 2 * 3 * 5)
