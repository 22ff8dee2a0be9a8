"""What is kept of an unfinished subject, so that a killed training goes on where it stood."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stimuli.files import checksum_file, read_sound, write_checked
from toolkit.training.logs import LogRow, log_rows, to_csv


class StoppedError(Exception):
    """A training was told to end, and has saved its state."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Checkpoint:
    """A file with the state of a training, and the log so far as CSV beside it."""

    path: Path
    """The file; its folder must exist."""
    key: str
    """Checksum over everything that decides the subject: a file with another one is not used."""
    seed: str = ""
    """Name of the seed, for the log."""
    must_end: Callable[[], bool] = _never
    """Whether training is to save its state and end; asked after every update."""

    @property
    def log(self) -> Path:
        """The validations so far."""
        return self.path.with_suffix(".csv")

    @property
    def lock(self) -> Path:
        """Held by the process that trains the subject."""
        return self.path.with_suffix(".lock")

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last; None where there is none of the same settings.

        Nothing in the file is executed, and one that cannot be read is not used.
        """
        try:
            content = io.BytesIO(read_sound(self.path, kept=True))
            found = torch.load(content, map_location="cpu", weights_only=True)
        except Exception:
            # Damaged bytes make torch raise whatever it happens to stumble over.
            return None
        if not isinstance(found, dict) or found.get("key") != self.key:
            return None
        state = found.get("state")
        return state if isinstance(state, dict) else None

    def save(self, state: dict[str, Any], log: Sequence[LogRow], kept: int) -> None:
        """Write a state, whole or not at all.

        Args:
            state: names, numbers, lists and tensors.
            log: the validations so far.
            kept: the update with the lowest validation loss.
        """
        with write_checked(self.log) as unfinished:
            unfinished.write_text(to_csv(log_rows(self.seed, log, kept)), encoding="utf-8")
        with write_checked(self.path) as unfinished:
            torch.save({"key": self.key, "state": state}, unfinished)

    def remove(self) -> None:
        """Remove all files, and what a kill left of them half-written: the subject is finished."""
        files = (self.path, self.log)
        sums = map(checksum_file, files)
        for path in (*files, *sums, self.lock, *self.path.parent.glob(f".{self.path.stem}-*")):
            path.unlink(missing_ok=True)
