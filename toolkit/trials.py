"""The trials table: one row per trial and subject, the one form in which answers are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paradigms.trials import ALL_WORDS
from toolkit.errors import ToolkitError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from paradigms.trials import Trials

SCHEMA_VERSION = 1
"""Raised when a column changes its meaning."""


@dataclass(frozen=True)
class Column:
    """One column of the trials table."""

    name: str
    """Name, snake_case."""
    dtype: str
    """``category`` (text from a short list) or a NumPy type."""
    meaning: str
    """What a value says; empty text where it does not apply."""


COLUMNS = (
    Column("run_id", "category", "run the row belongs to; derived from the content of the run"),
    Column("paradigm", "category", "name of the paradigm"),
    Column("paradigm_version", "int16", "version of the paradigm; versions are never pooled"),
    Column("condition", "category", "condition of the paradigm"),
    Column("population", "category", "population of subjects, e.g. bilingual-en-nl"),
    Column("n_languages", "int16", "number of languages the subject was trained on"),
    Column("train_languages", "category", "ISO codes joined by '+'; empty for untrained subjects"),
    Column("seed", "category", "training seed, the analogue of a participant"),
    Column("test_language", "category", "ISO code of the word said"),
    Column("trial", "int32", "number of the trial within paradigm and language, from 0"),
    Column("word_id", "category", f"clip that was said; '{ALL_WORDS}' for the mean over all words"),
    Column("word_concept", "category", f"concept of that word; '{ALL_WORDS}' likewise"),
    Column("target_id", "category", "picture (or option) counted as right"),
    Column("target_concept", "category", "concept of the target"),
    Column("distractor_id", "category", "the other picture; the highest-scoring one if several"),
    Column("distractor_concept", "category", "concept of that distractor"),
    Column("n_choices", "int16", "options offered; chance level is 1 / n_choices"),
    Column("target_position", "int16", "place of the target, counted from 0"),
    Column("score_target", "float32", "score of the target; higher is a better match"),
    Column("score_distractor", "float32", "highest score of a distractor"),
    Column("margin", "float32", "score_target - score_distractor"),
    Column("correct", "int8", "1 if the target scores strictly highest, else 0; ties are 0"),
    Column("tie", "bool", "True if target and best distractor score exactly the same"),
)
"""The columns in their order."""


def answers_table(
    trials: Trials, scores: npt.NDArray[np.float32], labels: dict[str, str | int]
) -> pd.DataFrame:
    """Join a trial list and its scores into rows of the trials table.

    Args:
        trials: the trial list, n trials.
        scores: (n, places) scores.
        labels: values of the columns that are the same in every row (paradigm, population ...).

    Returns:
        n rows with all columns except ``run_id``.
    """
    import pandas as pd

    n = len(trials)
    rows = np.arange(n)
    target_score = scores[rows, trials.target_position]
    rivals = np.where(trials.options >= 0, scores, -np.inf)
    rivals[rows, trials.target_position] = -np.inf
    best = rivals.argmax(axis=1)
    distractor = trials.options[rows, best]
    margin = target_score - rivals[rows, best]

    options = _Labels(trials.option_ids)
    option_concepts = _Labels([trials.concept_of[name] for name in trials.option_ids])
    # The last label answers to index -1, which stands for all words.
    words = _Labels([*trials.word_ids, ALL_WORDS])
    word_concepts = _Labels([*(trials.concept_of[name] for name in trials.word_ids), ALL_WORDS])
    columns: dict[str, Any] = {
        "condition": _Labels(trials.conditions).of(trials.condition),
        "trial": rows.astype(np.int32),
        "word_id": words.of(trials.word),
        "word_concept": word_concepts.of(trials.word),
        "target_id": options.of(trials.target),
        "target_concept": option_concepts.of(trials.target),
        "distractor_id": options.of(distractor),
        "distractor_concept": option_concepts.of(distractor),
        "n_choices": trials.n_choices,
        "target_position": trials.target_position,
        "score_target": target_score,
        "score_distractor": rivals[rows, best],
        "margin": margin,
        "correct": (margin > 0).astype(np.int8),
        "tie": margin == 0,
    }
    for name, value in labels.items():
        if isinstance(value, int):
            columns[name] = np.full(n, value, dtype=np.int16)
        else:
            columns[name] = _Labels([value]).of(np.zeros(n, np.int32))
    order = [column.name for column in COLUMNS if column.name in columns]
    return pd.DataFrame({name: columns[name] for name in order})


class _Labels:
    """Names behind indices, as categories, so that no text is repeated per row."""

    def __init__(self, names: Sequence[str]) -> None:
        # Categories must be distinct, names need not be: many pictures share one concept.
        place = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self.categories = list(place)
        self.codes = np.array([place[name] for name in names], dtype=np.int32)

    def of(self, index: npt.NDArray[Any]) -> pd.Categorical[str]:
        """Category of every index; -1 is the last name."""
        import pandas as pd

        return pd.Categorical.from_codes(self.codes[index], pd.Index(self.categories, dtype="str"))


def table_faults(table: pd.DataFrame) -> list[str]:
    """List everything that keeps a table from being a trials table; empty if nothing does."""
    import pandas as pd

    faults = []
    expected = [column.name for column in COLUMNS]
    for name in expected:
        if name not in table:
            near = nearest_name(name, [str(given) for given in table.columns])
            faults.append(f"column {name} is missing" + (f" (is it {near}?)" if near else ""))
    for name in ("score_target", "score_distractor", "margin"):
        if name in table and not pd.api.types.is_numeric_dtype(table[name]):
            faults.append(f"column {name} holds text, expected numbers")
        elif name in table and table[name].isna().any():
            faults.append(f"column {name} has {int(table[name].isna().sum())} empty values")
    if "correct" in table and not table["correct"].isin([0, 1]).all():
        wrong = table.loc[~table["correct"].isin([0, 1]), "correct"].head(3).tolist()
        faults.append(f"column correct holds {wrong}, expected 0 or 1")
    if {"correct", "tie"} <= set(table) and (
        table["tie"].astype(bool) & (table["correct"] == 1)
    ).any():
        faults.append("a tie is counted as correct")
    key = ["paradigm", "paradigm_version", "population", "seed", "test_language", "trial"]
    if set(key) <= set(table) and table.duplicated(key).any():
        first = table.loc[table.duplicated(key), key].iloc[0].to_dict()
        faults.append(f"{int(table.duplicated(key).sum())} rows occur twice, first {first}")
    return faults


def read_trials(path: Path) -> pd.DataFrame:
    """Read a trials table (Parquet or CSV) and check it whole.

    Raises:
        ToolkitError: if the file is missing or unreadable, or lists every fault of the table.
    """
    import pandas as pd

    if not path.is_file():
        raise ToolkitError(f"There is no trials table at {path}.")
    try:
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except Exception as error:
        raise ToolkitError(f"{path} cannot be read as a table: {error}.") from error
    faults = table_faults(table)
    if faults:
        raise ToolkitError(f"{path} is not a trials table:\n  - " + "\n  - ".join(faults))
    return table


def write_trials(table: pd.DataFrame, path: Path) -> None:
    """Write rows as Parquet (zstd) with the meaning of every column in the file's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    meanings = {column.name: column.meaning for column in COLUMNS if column.name in table}
    metadata = {
        b"mevgs_toolkit": json.dumps({"schema": SCHEMA_VERSION, "columns": meanings}).encode()
    }
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **metadata})
    pq.write_table(arrow, path, compression="zstd")
