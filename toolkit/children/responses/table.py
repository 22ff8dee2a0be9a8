"""Sessions as one trials table, as runs of models are kept: a child stands where a seed does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.children.columns import SESSION_COLUMNS
from toolkit.children.responses.rules import Judged
from toolkit.children.responses.sessions import Row
from toolkit.errors import ToolkitError
from toolkit.statistics.imported.intake import Wishes, finish
from toolkit.statistics.phrases import count
from toolkit.tables.delimited import read_delimited
from toolkit.tables.values import as_names

if TYPE_CHECKING:
    import pandas as pd

    from stimuli import StimulusSet

CHILD = "child"
"""Kind of subjects of every row."""
KEPT = (
    "session_id", "started_at", "list", "trial_order", "chosen_id", "device", "exposure", "browser",
    "screen_width_px", "screen_height_px",
)  # fmt: skip
"""Columns of sessions that stand in the table beside those of all trials tables."""
LEAST_EXPOSURE = 20.0
"""Per cent of what a child hears from which a language counts among those it learns."""
_SHARE = re.compile(r"([A-Za-z][\w-]*)\s*[:=]\s*(\d+(?:[.,]\d+)?)\s*%?")
_MEANINGS = {column.name: column.meaning for column in SESSION_COLUMNS}


def groups_of(taken: Sequence[Judged], group: str, population: str) -> dict[str, tuple[str, str]]:
    """Population and training languages of every child.

    Args:
        taken: sessions that were taken.
        group: ``exposure`` for the languages that a child hears, a CSV file with the columns
            ``participant_id``, ``group`` and, if known, ``train_languages``; or empty for one
            population of all.
        population: name of the population, or what the names of groups begin with.

    Raises:
        ToolkitError: a child has no group, or exposure cannot be read; all of them are named.
    """
    ids = {one.session.participant_id: one.session.rows[0] for one in taken if one.session}
    language = next(iter(ids.values()))["test_language"] if ids else ""
    name = population or "children"
    if not group:
        whole = population or f"children-{language}"
        return dict.fromkeys(ids, (whole, language))
    if group == "exposure":
        heard = {child: _heard(row) for child, row in ids.items()}
        lacking = [child for child, codes in heard.items() if not codes]
        if lacking:
            raise ToolkitError(
                f"The exposure of {_children(len(lacking))} cannot be read: "
                f"{', '.join(lacking[:10])}.",
                given=f"e.g. {ids[lacking[0]]['exposure']!r}",
                allowed="languages with per cents, as in en:60 nl:40",
                next_command="--group FILE, a CSV with participant_id, group and train_languages",
            )
        return {c: (f"{name}-{'-'.join(codes)}", "+".join(codes)) for c, codes in heard.items()}
    return _of_file(Path(group), list(ids), name, language)


def _children(n: int) -> str:
    return count(n, "child")


def _heard(row: Row) -> list[str]:
    found = {code.lower(): float(share.replace(",", ".")) for code, share in
             _SHARE.findall(row["exposure"])}  # fmt: skip
    return sorted(code for code, share in found.items() if share >= LEAST_EXPOSURE)


def _of_file(
    file: Path, children: Sequence[str], name: str, language: str
) -> dict[str, tuple[str, str]]:
    if not file.is_file():
        raise ToolkitError(
            f"There is no file {file} of groups.",
            allowed="exposure, or a CSV file with the columns participant_id and group",
        )
    table, _ = read_delimited(file)
    missing = [column for column in ("participant_id", "group") if column not in table]
    if missing:
        raise ToolkitError(
            f"{file} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
            given=", ".join(map(str, table.columns)),
            allowed="participant_id, group and, if known, train_languages (codes joined by +)",
        )
    known: dict[str, tuple[str, str]] = {}
    for row in table.to_dict("records"):
        child = str(row["participant_id"]).strip()
        languages = str(row.get("train_languages", "") or language).strip()
        made = (f"{name}-{str(row['group']).strip()}", languages)
        if known.setdefault(child, made) != made:
            raise ToolkitError(f"{file} gives the child {child} two groups.")
    lacking = [child for child in children if child not in known]
    if lacking:
        raise ToolkitError(
            f"{file} gives no group to {_children(len(lacking))}: {', '.join(lacking[:10])}."
        )
    return {child: known[child] for child in children}


def trials_table(
    taken: Sequence[Judged],
    groups: Mapping[str, tuple[str, str]],
    stimuli: StimulusSet | None,
    folder: Path,
    notes: Sequence[str],
) -> pd.DataFrame:
    """The answered test trials of all sessions that were taken.

    Args:
        taken: the sessions.
        groups: see `groups_of`.
        stimuli: the set that was shown, for the concepts of pictures; None if it is not here.
        folder: where the answers come from.
        notes: what was found on the way.

    Returns:
        The long table of `toolkit.tables.longtable`, as ``import-trials`` gives it.

    Raises:
        ToolkitError: if not one trial was answered, or as `finish`.
    """
    import pandas as pd

    rows = [
        {**row, "age_months": one.age_months}
        for one in taken
        if one.session
        for row in one.session.part("test")
    ]
    answered = pd.DataFrame([row for row in rows if row["chosen_id"]])
    if answered.empty:
        raise ToolkitError(
            "No session is left, so there is no table.",
            given=f"{count(len(taken), 'session')} taken",
            allowed="at least one child that the rules take",
        )
    lost = len(rows) - len(answered)
    told = list(notes)
    if lost:
        what = f"{lost} of {count(len(rows), 'test trial')}"
        told.append(f"{what} were not answered and are not in the table.")
    table = _columns(answered, groups, stimuli)
    origins = {name: _MEANINGS[name] for name in KEPT} | {
        "seed": "participant_id of the child",
        "age_months": f"{_MEANINGS['age_months']}; in months",
        "response_time_s": f"{_MEANINGS['response_time_s']}; in seconds",
    }
    made = finish(table, folder, [], origins, Wishes(), told)
    kept = {name: as_names(answered[name].replace("", None)) for name in KEPT}
    for name in ("list", "trial_order", "screen_width_px", "screen_height_px"):
        kept[name] = pd.to_numeric(answered[name]).astype("Int64").astype("float64")
        if kept[name].notna().all():
            kept[name] = kept[name].astype("int32")
    attrs = made.attrs
    made = made.assign(**kept)
    made.attrs = attrs
    return made


def _columns(
    answered: pd.DataFrame, groups: Mapping[str, tuple[str, str]], stimuli: StimulusSet | None
) -> pd.DataFrame:
    """Columns of a trials table, and age and time."""
    import pandas as pd

    names = ("paradigm", "paradigm_version", "condition", "test_language", "trial_seed", "trial",
             "word_id", "word_concept", "target_id", "distractor_id")  # fmt: skip
    children = answered["participant_id"]
    populations, languages = (
        children.map({child: pair[place] for child, pair in groups.items()}) for place in (0, 1)
    )
    made = {
        "population": populations,
        "seed": children,
        "n_languages": languages.map(lambda codes: len(codes.split("+"))),
        "train_languages": languages,
        **{name: answered[name] for name in names},
        "n_choices": 2,
        "target_position": (answered["target_side"] == "right").astype("int16"),
        "correct": answered["correct"],
        "tie": False,
        "subject_kind": CHILD,
        "age_months": answered["age_months"].astype(float),
        "response_time_s": pd.to_numeric(answered["response_time_s"].replace("", None)),
    }
    if stimuli is not None:
        concepts = stimuli.table["concept"]
        made["target_concept"] = answered["target_id"].map(concepts)
        made["distractor_concept"] = answered["distractor_id"].map(concepts)
    table = pd.DataFrame(made)
    return table.assign(trial=pd.to_numeric(table["trial"]).astype("int32"))
