"""Where the words of a trained multilingual CLIP land: its scores on the scenes, for the card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from toolkit.subjects.population import Population

TEMPLATE = "bare"
"""How the words are put: alone, as every language has them."""
COLUMNS = {
    "questions": ("correct", "size"),
    "pointing": ("correct", "mean"),
    "iou_true": ("iou_true", "mean"),
    "iou_english": ("iou_cluster", "mean"),
    "spearman_english": ("spearman", "mean"),
    "tokens_per_word": ("tokens_per_word", "mean"),
    "chance": ("mask_share", "mean"),
}
"""Of `score_scenes`: column of the trials table, and what is made of it."""


def score_scenes(
    population: Population,
    scenes: StimulusSet,
    root: Path,
    jobs: int = 1,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> list[dict[str, Any]]:
    """Put the paradigm `dense-grounding` to a population, in every language.

    Args:
        population: Who is asked.
        scenes: A stimulus set with masks and a word list.
        root: Folder for the run, which is taken up again where it was interrupted.
        jobs: Processes that read maps.
        progress: Called as the work goes on.

    Returns:
        A row for every seed and language: `seed`, `language` and `COLUMNS`.
    """
    from paradigms.dense_grounding import DenseGrounding
    from toolkit.running.maps import run_maps
    from toolkit.tables.trials import read_trials

    done = run_maps(
        DenseGrounding(),
        [population],
        scenes,
        templates=(TEMPLATE,),
        root=root,
        jobs=jobs,
        progress=progress,
    )
    names = ["seed", "test_language"]
    columns = sorted({column for column, _ in COLUMNS.values()})
    trials = read_trials(done.directory.trials_path)[[*names, *columns]]
    trials = trials.astype(dict.fromkeys(names, str) | dict.fromkeys(columns, float))
    means = trials.groupby(names, as_index=False).agg(**COLUMNS)
    named = means.rename(columns={"test_language": "language"})
    return cast("list[dict[str, Any]]", named.to_dict("records"))
