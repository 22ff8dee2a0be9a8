"""Children and models in one table, where both answered the same trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.tables.kinds import kind_of, refuse_other_kinds
from toolkit.tables.longtable import combine, read_whole
from toolkit.tables.runs import manifest_of
from toolkit.tables.trials import MODEL

if TYPE_CHECKING:
    import pandas as pd

_SAME = ("paradigm", "paradigm_version")


def with_models(children: pd.DataFrame, runs: Sequence[Path]) -> pd.DataFrame:
    """Put the trials of runs below those of children.

    Args:
        children: what `toolkit.children.responses.table.trials_table` gave.
        runs: run folders.

    Returns:
        The joint table; its notes say how many trials both answered.

    Raises:
        ToolkitError: a run asked another paradigm or version, or shares no trial with the children.
    """
    tables, notes = {"children": children}, list(children.attrs["notes"])
    for run in runs:
        refuse_other_kinds(kind_of(run), str(run), "--beside RUN, a run of choices")
        own = read_whole(run)
        for name in _SAME:
            here, there = (sorted(set(map(str, t[name]))) for t in (children, own))
            if here != there:
                raise ToolkitError(
                    f"Children and {run} did not do the same test.",
                    given=f"{name} {', '.join(there)} in the run, {', '.join(here)} in the answers",
                    allowed="runs of the very paradigm and version that children were asked",
                )
        seed = manifest_of(run).get("trial_seed")
        if seed is not None and "trial_seed" not in own:
            own = own.assign(trial_seed=str(seed))
        if "subject_kind" not in own:
            own = own.assign(subject_kind=MODEL)
        source = str(own["run_id"].iloc[0]) if "run_id" in own else run.stem
        shared = _shared(children, own)
        n = len(_items(children))
        if not shared:
            raise ToolkitError(
                f"Not one trial of the children was answered by the models of {run}.",
                given="other stimuli, another language or another --trial-seed",
                allowed="a run with the trial seed and the trials per class of the experiment",
                next_command="mevgs-toolkit run-paradigm, with the trial_seed of design.json",
            )
        notes.append(f"{shared} of {n} different trials of the children were answered by {source}.")
        tables[source] = own.drop(columns=["run_id", "source"], errors="ignore")
    made = combine(tables)
    made.attrs = {"notes": notes, "meanings": dict(children.attrs["meanings"])}
    return made


def _items(table: pd.DataFrame) -> pd.MultiIndex:
    import pandas as pd

    names = ["test_language", "condition", "word_id", "target_id", "distractor_id"]
    return pd.MultiIndex.from_frame(table[names].astype(str).drop_duplicates())


def _shared(children: pd.DataFrame, models: pd.DataFrame) -> int:
    return len(_items(children).intersection(_items(models)))
