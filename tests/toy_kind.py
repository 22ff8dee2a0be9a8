"""A third kind of paradigm, with all that is needed for one: a base class and three entries.

Subjects rate how much they like each word; nothing is chosen and nothing is mapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paradigms import BaseParadigm
from paradigms.registry import source_checksum
from reports.kinds import Report
from reports.parts import Table
from stimuli import StimulusSet
from toolkit.running.folder import RunDirectory, content_key
from toolkit.running.kinds import Running
from toolkit.running.plan import Plan, Prepared, labels
from toolkit.running.subject_refs import subjects_of
from toolkit.statistics.kinds import Statistics
from toolkit.statistics.means import SeedMean
from toolkit.statistics.models.results import Result
from toolkit.subjects.population import Population
from toolkit.tables.trials import COLUMNS, table_columns

KIND = "ratings"


class RatingParadigm(BaseParadigm):
    """A paradigm that asks for ratings: subclass it and say which scale is used."""

    kind = KIND
    default_set = "mini"
    needs = ("Subject",)
    steps: int
    """Steps of the scale."""


def prepare_ratings(
    paradigm: RatingParadigm,
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    languages: Sequence[str],
    root: Path,
    **_: Any,
) -> Prepared:
    """Have every seed rate every test word, by the letters of both."""
    words = stimuli.table.query("kind == 'word' and split == 'test'")
    cells = {
        subject: content_key({"paradigm": source_checksum(paradigm), "subject": subject.name})
        for subject in subjects_of(populations)
    }
    plan = Plan(
        name=paradigm.name,
        paradigm=paradigm,
        populations=tuple(populations),
        stimuli=stimuli,
        cells={subject.name: key for subject, key in cells.items()},
        facts={"languages": {}, "trials_per_class": None, "trial_seed": None},
        warnings=(),
    )

    def make(directory: RunDirectory, *_: Any) -> Mapping[str, Any]:
        for subject, key in cells.items():
            ids = [str(name) for name in words.index]
            ratings = [(sum(map(ord, name + subject.seed)) % paradigm.steps) for name in ids]
            rows = {
                "condition": ["only"] * len(ids),
                "test_language": list(words["language"]),
                "trial": np.arange(len(ids)),
                "word_id": ids,
                "word_concept": list(words["concept"]),
                "score_target": ratings,
            }
            texts = [c.name for c in COLUMNS[1:] if c.dtype == "category" and c.name not in rows]
            nothing = (
                {column.name: 0 for column in COLUMNS} | dict.fromkeys(texts, "") | {"n_choices": 1}
            )
            same = {**nothing, **labels(subject, paradigm)}
            directory.write_cell(key, [table_columns(rows, same)], paradigm.kind)
        return {}

    def join(directory: RunDirectory) -> None:
        directory.assemble(list(cells.values()), paradigm.kind)

    return Prepared(plan, root, RunDirectory.has_cell, make, join)


def mean_rating(path: Path) -> float:
    file = path / "trials.parquet" if path.is_dir() else path
    return float(pd.read_parquet(file, columns=["score_target"])["score_target"].mean())


@dataclass(frozen=True, kw_only=True)
class Ratings(Result):
    """What may be concluded of ratings."""

    paradigm_kind: str = KIND
    schema: int = 1
    mean: float
    """Mean over words and seeds."""


def analyse(paths: Sequence[Path], *_: Any) -> dict[str, Ratings]:
    mean = float(np.mean([mean_rating(path) for path in paths]))
    said = f"Words are liked {mean:.3f}."
    made = Ratings(
        paradigm="liking", paradigm_version=1, engine="numpy", question="Liked?", mean=mean,
        answers=(("How much are words liked?", said),), apa=said, sentences=(said,),
    )  # fmt: skip
    return {"liking": made}


def results(trials: Path, _: BaseParadigm) -> list[SeedMean]:
    return [
        SeedMean(
            population="all", test_language="all", condition="only", meaning="a word",
            headline=True, n_seeds=1, n_trials=1, mean=mean_rating(trials),
        )
    ]  # fmt: skip


def print_ratings(out: Any, rows: Sequence[SeedMean], _: Any) -> None:
    for row in rows:
        out.print(f"rating {row.mean:.3f}")


RUNNING = Running(prepare_ratings, options={}, others="nothing is drawn or written in")
STATISTICS = Statistics(analyse, Ratings, frozenset(), results, lambda _: {"measure": "rating"})
REPORT = Report(
    figures=lambda *_: [],
    tables=lambda own: [
        Table("liking", "Liking", ("Mean",), ((f"{own.statistics.mean:.3f}",),), n_labels=0)
    ],
    trials=lambda own: [f"Words were rated in {own.paradigm}."],
    analysis=lambda _: ["Ratings were averaged."],
    assumptions=lambda _: "Ratings are numbers.",
    print_results=print_ratings,
    print_controls=print_ratings,
    results_note=lambda _: "Ratings: from 0 on.",
    print_analysis=lambda out, told: out.print(f"mean {told.mean:.3f}"),
)
