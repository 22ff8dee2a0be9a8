"""A card that the processor plays, so that what happens on a card is seen where there is none."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from toolkit import devices
from toolkit.devices import CPU, Device

_numbers = itertools.count()


@dataclass
class Log:
    """What was done with a card."""

    networks: list[str] = field(default_factory=list)
    """Kinds of networks that were put on it."""
    batches: list[int] = field(default_factory=list)
    """Lengths of the tensors that were sent to it."""
    n_freed: int = 0
    """How often memory was given back."""
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))
    """Its random numbers; every tensor that is sent takes one."""


@dataclass(frozen=True)
class FakeCard(Device):
    """Goes the ways of a card; memory and random numbers are made up, arithmetic is not."""

    name: str = "cuda:0"
    model: str | None = field(default_factory=lambda: f"fake {next(_numbers)}")
    free_now: int = 1 << 40
    """Bytes that are free."""
    longest: int = 1 << 40
    """Tensors with more entries along their first axis do not fit."""
    log: Log = field(default_factory=Log, compare=False)

    @property
    def place(self) -> str:
        return "cpu"

    def to(self, tensor: Tensor) -> Tensor:
        if tensor.ndim and len(tensor) > self.longest:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate much.")
        self.log.batches.append(len(tensor) if tensor.ndim else 1)
        torch.rand(1, generator=self.log.generator)
        return tensor

    def put(self, module: Any) -> Any:
        self.log.networks.append(type(module).__name__)
        return module

    def free_bytes(self) -> int:
        return self.free_now

    def free(self) -> None:
        self.log.n_freed += 1

    def random_state(self) -> Tensor:
        return self.log.generator.get_state()

    def set_random_state(self, state: Tensor) -> None:
        self.log.generator.set_state(state)


def with_card(monkeypatch: pytest.MonkeyPatch, card: FakeCard | None = None) -> FakeCard:
    """Have this machine seem to have that card alone."""
    made = card or FakeCard()
    found = {made.name: made, "cpu": CPU}
    monkeypatch.setattr(devices, "devices_here", lambda: found)
    return made
