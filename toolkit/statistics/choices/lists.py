"""Several trial lists of one test: pooled per network, with how much they vary told beside.

A trial list is a counterbalanced draw of clips, pictures and distractors from the same classes,
and ``--trial-seed`` is its number. Runs that differ in nothing else ask the same network about the
same words: what it answered is added up per word and class of distractor, and the network stays
one participant. So further lists make every network's accuracy more exact, and add no subjects.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.statistics.phrases import count, fixed, from_to
from toolkit.tables.answers import described
from toolkit.tables.runs import manifest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

LIST = "trial_seed"
"""Column that says which list an answer belongs to; empty where nobody says."""
TESTED = ("paradigm", "paradigm_version", "population", "seed", "test_language")
"""What is asked once per list."""
CELL = ("paradigm", "paradigm_version", "population", "test_language", "condition")
"""What one line of `list_variation` stands for."""
VARIATION = (*CELL, "n_lists", "n_seeds", "mean", "sd", "min", "max", "complete")
"""Its columns."""

DECIDES = ("paradigm", "stimuli", "subjects", "trials_per_class", "fixed_trials")
"""What is compared of the manifests of runs whose trial lists are to be added up."""


@dataclass(frozen=True)
class Drawn:
    """How the trials of one table came about."""

    path: Path
    """The table, as named."""
    trial_seed: str
    """Number of its trial list; empty where no manifest lies beside it."""
    manifest: Mapping[str, Any]
    """What the run's manifest says that decides the answers; empty for a table from elsewhere."""


def drawn(path: Path) -> Drawn:
    """What the manifest beside a table says about its trial list."""
    manifest = manifest_of(path)
    seed = manifest.get("trial_seed")
    told = {name: manifest[name] for name in DECIDES if name in manifest}
    return Drawn(path, "" if seed is None else str(seed), told)


def check_lists(parts: Iterable[tuple[Drawn, pd.DataFrame]]) -> None:
    """Refuse tables that hold the same subject and test, unless their trial lists differ alone.

    Args:
        parts: every table with its rows, which have the columns `TESTED` and `LIST`.

    Raises:
        ToolkitError: naming the subject, the tables, and what keeps them from being pooled.
    """
    first: dict[tuple[Any, ...], tuple[Drawn, dict[str, Drawn]]] = {}
    for source, rows in parts:
        lists = rows[[*TESTED, LIST]].drop_duplicates()
        for tested, own in lists.groupby(list(TESTED), observed=True, dropna=False):
            # One text for all: there is an entry for every subject, test and list.
            asked = {sys.intern(str(name)): source for name in own[LIST]}
            other, known = first.setdefault(tested, (source, {}))
            # Those that were compared with the first are like each other.
            if known and (why := _why_not(source, other, asked, known, tested)):
                other = next((known[name] for name in sorted(asked) if name in known), other)
                raise ToolkitError(
                    "The same subject and test stand in two of the runs: "
                    f"{described(dict(zip(TESTED, tested, strict=True)))}.",
                    given=f"{other.path} and {source.path}; {why}",
                    allowed="every run once; a run of several populations holds those of its "
                    "parts; runs that differ in --trial-seed alone are pooled",
                )
            known.update(asked)


def _why_not(
    one: Drawn,
    other: Drawn,
    asked: Collection[str],
    known: Collection[str],
    tested: Sequence[Any],
) -> str:
    """What keeps two tables of the same subject from being two lists of one test."""
    if "" in asked or "" in known:
        return "no manifest beside the table and no column trial_seed tells their trial lists apart"
    if both := [name for name in sorted(asked) if name in known]:
        return f"both have the trial list of seed {', '.join(both)}"
    subject = f"{tested[2]}/{tested[3]}"
    facts = {
        "the paradigm's file": ("paradigm", "source_sha256"),
        "the stimuli": ("stimuli", "checksum"),
        f"the weights of {subject}": ("subjects", subject),
        "the number of trials per class": ("trials_per_class",),
    }
    for what, path in facts.items():
        if _fact(one.manifest, path) != _fact(other.manifest, path):
            return f"they differ in {what} as well"
    fixed = one.manifest.get("fixed_trials")
    if fixed:
        return (
            f"the stimulus set fixes the trials of {', '.join(fixed)}, so both lists are the same"
        )
    return ""


def _fact(manifest: Mapping[str, Any], path: Sequence[str]) -> Any:
    """What a manifest says at a place; None where it says nothing."""
    found: Any = manifest
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def list_variation(by_list: pd.DataFrame) -> pd.DataFrame:
    """How much accuracy varies over trial lists.

    Args:
        by_list: counts per seed and list, see `toolkit.statistics.choices.counts.read_lists`.

    Returns:
        One row per paradigm, version, population, test language and condition that was asked with
        several lists: ``n_lists``, ``n_seeds``, ``mean``, ``sd``, ``min`` and ``max`` over lists of
        the accuracy per list (mean over seeds, share of 1), and ``complete``, True if every seed
        answered every list.

    Example:
        >>> import pandas as pd
        >>> counts = pd.DataFrame({
        ...     "paradigm": "me", "paradigm_version": 1, "population": "p", "test_language": "en",
        ...     "condition": "novel-familiar", "seed": ["a", "b", "a", "b"],
        ...     "trial_seed": ["0", "0", "1", "1"], "n_trials": 10, "n_correct": [5, 6, 7, 6],
        ... })
        >>> row = list_variation(counts).iloc[0]
        >>> int(row["n_lists"]), [round(float(row[name]), 2) for name in ("mean", "min", "max")]
        (2, [0.6, 0.55, 0.65])
    """
    import pandas as pd

    cell = list(CELL)
    seeds = by_list.groupby([*cell, LIST, "seed"], observed=True)[["n_correct", "n_trials"]].sum()
    accuracy = (seeds["n_correct"] / seeds["n_trials"]).rename("accuracy").reset_index()
    lists = accuracy.groupby([*cell, LIST], observed=True)["accuracy"].agg(["mean", "size"])
    over = lists.reset_index().groupby(cell, observed=True)
    answered = accuracy.groupby(cell, observed=True)["seed"].nunique()
    table = over.agg(
        n_lists=("mean", "size"),
        sd=("mean", "std"),
        min=("mean", "min"),
        max=("mean", "max"),
        fewest=("size", "min"),
    )
    table["mean"] = over["mean"].mean()
    table["n_seeds"] = answered
    table["complete"] = table.pop("fewest") == table["n_seeds"]
    table = table[table["n_lists"] > 1].reset_index()
    return pd.DataFrame(table[list(VARIATION)])


def no_lists() -> pd.DataFrame:
    """What `list_variation` gives where nothing was asked with several lists."""
    import pandas as pd

    return pd.DataFrame(columns=list(VARIATION))


def list_sentences(variation: pd.DataFrame, conditions: Collection[str] = ()) -> list[str]:
    """What may be said about trial lists.

    Args:
        variation: what `list_variation` gave.
        conditions: conditions that are the test itself; all by default.

    Example:
        >>> import pandas as pd
        >>> cell = {"population": "p", "test_language": "en", "condition": "nf", "complete": True,
        ...         "n_lists": 2, "mean": 0.6, "sd": 0.0707, "min": 0.55, "max": 0.65}
        >>> for sentence in list_sentences(pd.DataFrame([cell])):
        ...     print(sentence)
        Answers to 2 trial lists were added up per word and distractor; a network is one participant.
        Over lists, accuracy of p in en, nf varied with an SD of 7.1 points, from 55.0 to 65.0 %.
    """  # noqa: E501 - what is printed
    shown = variation[variation["condition"].isin(list(conditions))] if conditions else variation
    if shown.empty:
        return []
    low, high = int(shown["n_lists"].min()), int(shown["n_lists"].max())
    sentences = [
        f"Answers to {low if low == high else f'{low} to {high}'} trial lists were added up per "
        "word and distractor; a network is one participant."
    ]
    spread = [fixed(100 * value, 1) for value in (shown["sd"].min(), shown["sd"].max())]
    most = shown.iloc[int(shown["sd"].to_numpy().argmax())]
    where = f"{most['population']} in {most['test_language']}, {most['condition']}"
    range_of = (
        f"an SD of {fixed(100 * most['sd'], 1)} points, from {from_to(most['min'], most['max'])}"
    )
    if len(shown) == 1:
        sentences.append(f"Over lists, accuracy of {where} varied with {range_of}.")
    else:
        sentences.append(
            f"Over lists, accuracy varied with an SD of {' to '.join(dict.fromkeys(spread))} "
            f"points, most for {where}: {range_of}."
        )
    if not shown["complete"].all():
        sentences.append(
            f"In {int((~shown['complete']).sum())} of {count(len(shown), 'cell')} not every seed "
            "answered every list, so lists and seeds vary together there."
        )
    return sentences


def list_notes(by_list: pd.DataFrame) -> list[str]:
    """Say which populations answered other trial lists than the rest.

    Args:
        by_list: counts per seed and list; answers of which nobody says the list are passed over.

    Example:
        >>> import pandas as pd
        >>> list_notes(pd.DataFrame({
        ...     "test_language": "en", "population": ["mono", "bi"], "trial_seed": ["0", "1"],
        ... }))
        ['In en, lists differ (bi: 1; mono: 0): trials do not cancel between these populations.']
    """
    notes = []
    named = by_list[by_list[LIST] != ""]
    for language, own in named.groupby("test_language", observed=True):
        asked = {
            str(population): ", ".join(sorted(set(rows[LIST].astype(str))))
            for population, rows in own.groupby("population", observed=True)
        }
        if len(set(asked.values())) > 1:
            told = "; ".join(f"{population}: {lists}" for population, lists in asked.items())
            notes.append(
                f"In {language}, lists differ ({told}): trials do not cancel between these "
                "populations."
            )
    return notes
