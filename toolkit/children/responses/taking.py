"""A folder of answers becomes one trials table, and an account of all its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.cells import csv_text
from stimuli.files import write_atomic
from toolkit.children.responses.copies import each_once
from toolkit.children.responses.folder import Damaged, Found, read_folder
from toolkit.children.responses.matching import (
    exported,
    others_of,
    paradigm_notes,
    refuse_others,
    stimuli_of,
    told_by,
)
from toolkit.children.responses.rules import TAKEN, Judged, Rules, ages_of, judged, set_aside, tally
from toolkit.children.responses.sessions import Session
from toolkit.children.responses.table import groups_of, trials_table
from toolkit.children.responses.values import looked_at
from toolkit.errors import ToolkitError
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    import pandas as pd

ACCOUNT = (
    "file", "participant_id", "session_id", "started_at", "reason", "detail", "age_months",
    "n_test", "n_answered", "n_practice", "n_practice_right",
)  # fmt: skip
"""Columns of the account: one row per session, and per file that cannot be read."""


@dataclass(frozen=True)
class Responses:
    """What came of a folder of answers."""

    table: pd.DataFrame
    """The answered test trials of all children that were taken."""
    sessions: tuple[Judged, ...]
    """Every session and every damaged file, and what became of it."""
    others: tuple[str, ...]
    """Files that hold no answers by their names."""
    rules: str
    """The rules in a sentence."""

    @property
    def tally(self) -> str:
        """How many sessions were taken, and why others were not."""
        return tally(self.sessions)

    @property
    def account(self) -> pd.DataFrame:
        """One row per session, and per file that cannot be read; ``reason`` says what became of it.

        The columns are `ACCOUNT`; what is not known is missing.
        """
        import pandas as pd

        return pd.DataFrame([_told(one) for one in self.sessions], columns=list(ACCOUNT))

    def write_account(self, file: Path) -> None:
        """Write the account as CSV.

        Args:
            file: where to.
        """
        rows = [[_cell(_told(one)[name]) for name in ACCOUNT] for one in self.sessions]
        with write_atomic(file) as unfinished:
            unfinished.write_text(csv_text([ACCOUNT, *rows]), encoding="utf-8", newline="")


def _told(one: Judged) -> dict[str, object]:
    session, right = one.session, one.n_practice
    known = {
        "participant_id": session.participant_id,
        "session_id": session.session_id,
        "started_at": session.started_at,
        "n_test": len(session.part("test")),
        "n_answered": one.n_answered,
        "n_practice": right[1],
        "n_practice_right": right[0],
    } if session else dict.fromkeys(
        ("participant_id", "session_id", "started_at", "n_test", "n_answered", "n_practice",
         "n_practice_right")
    )  # fmt: skip
    own = {"file": one.file, "reason": one.reason, "detail": one.detail}
    return own | known | {"age_months": one.age_months}


def _cell(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value


def take_responses(
    folder: Path,
    rules: Rules,
    *,
    experiment: Path | None = None,
    stimuli: str | None = None,
    population: str = "",
    group: str = "",
    recode: Mapping[str, Mapping[str, str]] | None = None,
    skip_damaged: bool = False,
    skip_other: bool = False,
) -> Responses:
    """Make one trials table of a folder of answers.

    Args:
        folder: what browsers, JATOS, DataPipe, OSF or PsychoPy left; a single file or archive.
        rules: who is taken.
        experiment: the exported folder that the answers are held against; None to hold them
            against each other, and against the stimulus set and the paradigm that are here.
        stimuli: name or folder of the set that was shown; None for the name in the answers.
        population: what the children are called; ``children-LANGUAGE`` where nothing is said.
        group: see `toolkit.children.responses.table.groups_of`.
        recode: new names of values by column, given before anything is looked at.
        skip_damaged: leave out, and list, files that cannot be read; else they are refused.
        skip_other: the same for sessions of another experiment.

    Raises:
        ToolkitError: naming every file that keeps the answers from being taken.
    """
    meant = exported(experiment) if experiment is not None else None
    found = read_folder(folder, meant.told if meant else {})
    sessions, damaged, notes = _sound(_recoded(found, recode or {}))
    if damaged and not skip_damaged:
        raise _refused(folder, damaged)
    if not sessions:
        raise ToolkitError(f"{folder} holds no answers that can be read.")
    if meant is None:
        meant = told_by(sessions)
    others = list(others_of(sessions, meant))
    if not skip_other:
        refuse_others(others, meant)
    strange = {id(one.session) for one in others}
    own, copies = each_once([one for one in sessions if id(one) not in strange])
    shown, told = stimuli_of(meant, stimuli, experiment is not None)
    notes += [*told, *paradigm_notes(meant, experiment is not None)]
    judgements = judged(own, ages_of(own, rules), rules, meant)
    taken = [one for one in judgements if one.reason == TAKEN]
    account = [*judgements, *set_aside(damaged, others, copies)]
    if not taken:
        raise ToolkitError(
            f"Not one session can be taken. {tally(account)}",
            given=rules.told(meant),
            allowed="rules that some children meet",
            next_command="mevgs-toolkit import-responses --help, which tells the options of rules",
        )
    groups = groups_of(taken, group, population)
    if not group:
        notes.append(
            f"All children count as learners of {meant.design['test_language']} alone; --group "
            "exposure or --group FILE tells groups."
        )
    table = trials_table(taken, groups, shown, folder, notes)
    return Responses(table, tuple(account), found.others, rules.told(meant))


def _recoded(found: Found, recode: Mapping[str, Mapping[str, str]]) -> Found:
    """Sessions with the new names of values; a name that never occurs is a mistake."""
    if not recode:
        return found
    met = set()
    made = []
    for session in found.sessions:
        rows = []
        for row in session.rows:
            new = {n: v[row[n]] for n, v in recode.items() if row.get(n) in v}
            met |= {(name, row[name]) for name in new}
            rows.append({**row, **{n: "" if v == "NA" else v for n, v in new.items()}})
        made.append(replace(session, rows=tuple(rows)))
    wanted = [(name, old) for name, values in recode.items() for old in values]
    if lacking := [f"{name} never is {old}" for name, old in wanted if (name, old) not in met]:
        raise ToolkitError(
            "Values are to be renamed that do not occur: " + "; ".join(lacking) + "."
        )
    return replace(found, sessions=tuple(made))


def _sound(found: Found) -> tuple[list[Session], list[Damaged], list[str]]:
    """Sessions whose values may be, files that hold others, and notes."""
    sound, damaged, commas = [], list(found.damaged), dict[str, list[str]]()
    for session in found.sessions:
        looked = looked_at(session)
        if looked.faults:
            more = f" (and {len(looked.faults) - 1} more)" if len(looked.faults) > 1 else ""
            damaged.append(Damaged(session.file, looked.faults[0] + more))
        else:
            sound.append(looked.session)
        for name in looked.commas:
            commas.setdefault(name, []).append(session.file)
    notes = [
        f"{name}: commas in {count(len(files), 'file')} ({', '.join(files[:3])}"
        f"{', ...' if len(files) > 3 else ''}) were read as decimal points; a spreadsheet seems to "
        "have saved them anew."
        for name, files in commas.items()
    ]
    return sound, damaged, notes


def _refused(folder: Path, damaged: Sequence[Damaged]) -> ToolkitError:
    lines = "\n  - ".join(f"{one.file}: {one.why}" for one in damaged)
    return ToolkitError(
        f"{count(len(damaged), 'file')} in {folder} cannot be taken:\n  - {lines}",
        allowed="whole files of an exported experiment",
        next_command="get the file again, or give the same command with --skip-damaged, which "
        "leaves such files out and lists them",
    )
