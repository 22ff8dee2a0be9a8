"""What updates are made from: items one after the other, with their features."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

import numpy as np

from toolkit.training.features import FeatureBank
from toolkit.training.gathering import Buffers
from toolkit.training.on_disk import OnDisk
from toolkit.training.sampler import Choices, Items, Sampler


@dataclass(frozen=True)
class Batch:
    """What one update is made from."""

    items: Items
    """Items, by rows of the bank."""
    bank: FeatureBank
    """Their features."""


class Supply:
    """Draws items, and looks ahead where their features must be fetched from the disk.

    What is drawn is the same either way: who looks ahead draws with a copy of the sampler, which
    takes its place when the items are taken.

    Args:
        bank: features of the stimuli.
        sampler: draws items from it.
        n_items: items of an update.
        negatives: negatives of each item.
        buffers: memory for features on a processor; those whose updates take turns may share it.
    """

    def __init__(
        self,
        bank: FeatureBank,
        sampler: Sampler,
        n_items: int,
        negatives: int,
        buffers: Buffers,
    ) -> None:
        self._bank = replace(bank, buffers=buffers) if bank.device.kind == "cpu" else bank
        self._sampler, self._asked = sampler, (n_items, negatives)
        self._ahead: tuple[Sampler, Future[Batch]] | None = None

    def take(self) -> Batch:
        """The items of the next update; the features of the one before are then gone.

        Raises:
            ToolkitError: features on the disk are not what they were.
        """
        if self._bank.buffers:
            self._bank.buffers.again()
        if not self._bank.disk:
            return Batch(self._sampler.draw(*self._asked), self._bank)
        (self._sampler, batch), self._ahead = self._ahead or self._begun(self._bank.disk), None
        return batch.result()

    def look_ahead(self, room: Event | None = None) -> None:
        """Have the features of the next update fetched, if they are not at hand.

        Args:
            room: waited for when a quarter of the pictures is read; None for not at all.
        """
        if self._bank.disk and self._ahead is None:
            self._ahead = self._begun(self._bank.disk, room)

    def _begun(self, disk: OnDisk, room: Event | None = None) -> tuple[Sampler, Future[Batch]]:
        """The next update's items, being fetched, and the sampler as it is after them."""
        sampler = self._sampler.copy()
        items = sampler.draw(*self._asked)
        return sampler, disk.begin(lambda: fetched(self._bank, items, room))

    def state(self) -> dict[str, Any]:
        """Everything that decides what is taken next, see `Sampler.state`."""
        return self._sampler.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the supply whose `state` this was."""
        self._ahead = None
        self._sampler.restore(state)


def fetched(bank: FeatureBank, items: Items, room: Event | None = None) -> Batch:
    """Items with the features that they name, read from the disk, and nothing else.

    Args:
        bank: features on the disk.
        items: by rows of the bank; in what comes back they are rows of its own.
        room: waited for when a quarter of the pictures is read; None for not at all.
    """
    second = items.second_words
    heard = np.concatenate([items.words.rows, second.rows]) if second else items.words.rows
    n, end = len(items.words.rows), len(heard)
    own = Items(
        Choices(np.arange(n), items.words.places),
        Choices(np.arange(len(items.pictures.rows)), items.pictures.places),
        Choices(np.arange(n, end), second.places) if second else None,
    )
    return Batch(own, bank.read(heard, items.pictures.rows, once=True, room=room))
