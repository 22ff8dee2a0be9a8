"""The log of a training: one row per validation, as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stimuli.cells import csv_text, unguarded
from stimuli.files import read_sound
from toolkit.subjects.population import TRAIN_AGAIN
from toolkit.tables.parquet import told

LOG_FILE = "training_log.csv"
LOG_COLUMNS = ("seed", "update", "train_loss", "valid_loss", "valid_accuracy", "kept")


@dataclass(frozen=True)
class LogRow:
    """One validation."""

    update: int
    """Updates made so far."""
    train_loss: float
    """Mean training loss since the row before; NaN in the first."""
    valid_loss: float
    """Loss of the fixed validation sample."""
    valid_accuracy: float
    """Share of (word, right picture, wrong picture) triples of the validation split in which the
    right picture scores higher, averaged over classes and languages."""


def log_rows(seed: str, log: Sequence[LogRow], kept: int) -> list[dict[str, str]]:
    """A subject's rows as they are written.

    Args:
        seed: name of the seed.
        log: its validations.
        kept: the update whose weights are kept.

    Example:
        >>> log_rows("a", [LogRow(50, 2.5, 1.25, 0.75)], kept=50)[0]["valid_loss"]
        '1.250000'
    """
    return [
        {
            "seed": seed,
            "update": str(row.update),
            "train_loss": "" if math.isnan(row.train_loss) else f"{row.train_loss:.6f}",
            "valid_loss": f"{row.valid_loss:.6f}",
            "valid_accuracy": f"{row.valid_accuracy:.6f}",
            "kept": str(int(row.update == kept)),
        }
        for row in log
    ]


def to_csv(rows: Iterable[dict[str, str]]) -> str:
    """Rows as the text of a CSV file."""
    return csv_text([LOG_COLUMNS, *([row[name] for name in LOG_COLUMNS] for row in rows)])


def read_log(folder: Path) -> list[dict[str, str]]:
    """Rows of a population's log so far.

    Args:
        folder: the population folder.

    Raises:
        ToolkitError: it is not what was written, or is no log.
    """
    path = folder / LOG_FILE
    if not path.is_file():
        return []
    content = read_sound(path, TRAIN_AGAIN)
    with told(path, "a training log"):
        text = io.StringIO(content.decode("utf-8"), newline="")
        rows = [
            {name: unguarded(row.get(name) or "") for name in LOG_COLUMNS}
            for row in csv.DictReader(text)
        ]
        for row in rows:
            int(row["update"])
    return rows
