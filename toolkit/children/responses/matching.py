"""Sessions held against the experiment that they should be of, and against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.finding import look_for_sets, open_set
from toolkit.children.columns import LIST_COLUMNS
from toolkit.children.responses.folder import design_in
from toolkit.children.responses.sessions import Row, Session, flat
from toolkit.errors import ToolkitError, quoted
from toolkit.tables.delimited import read_delimited

if TYPE_CHECKING:
    from stimuli import StimulusSet

DESIGN = (
    "paradigm", "paradigm_version", "stimuli", "stimuli_version", "stimuli_checksum",
    "lists_checksum", "test_language", "trial_seed",
)  # fmt: skip
"""Columns that are the same in all sessions; only practice has a paradigm of its own."""
SHOWN = tuple(
    column.name for column in LIST_COLUMNS if column.name not in ("list", "paradigm_version")
)
"""What of a trial its list decides."""
NAMED = 3
"""Files that a message names."""
_LISTED = ("list", "part", "condition", "trial")


@dataclass(frozen=True)
class Experiment:
    """What sessions are held against."""

    design: Mapping[str, str]
    """Values of `DESIGN`."""
    told_by: str
    """What tells it: a folder, or the sessions themselves."""
    told: Mapping[str, str] = field(default_factory=dict)
    """All that the folder tells of columns, for files that do not repeat it in every row."""
    lists: Mapping[tuple[str, ...], Row] = field(default_factory=dict)
    """Trials of the lists by list, part, condition and trial; empty where no folder tells them."""
    n_test: int | None = None
    """Test trials of a list; None where nothing says."""
    n_practice: int | None = None
    """Practice trials of a list; None where nothing says."""
    practice_needed: int | None = None
    """Practice trials that must be right for the test to begin; None where nothing says."""


@dataclass(frozen=True)
class Other:
    """A session of another experiment."""

    session: Session
    """The session."""
    why: str
    """In what it differs, as a clause."""


def exported(folder: Path) -> Experiment:
    """The experiment that ``export-experiment`` wrote.

    Args:
        folder: its folder.

    Raises:
        ToolkitError: it is no such folder, or its lists were changed.
    """
    told = design_in(folder)
    design = {name: value for name, value in flat(told).items() if name in DESIGN}
    table, _ = read_delimited(folder / "lists.csv")
    for file, lacking in (
        ("design.json", [name for name in DESIGN if name not in design]),
        ("lists.csv", [one.name for one in LIST_COLUMNS if one.name not in table]),
    ):
        if lacking:
            raise ToolkitError(
                f"{folder / file} does not tell {', '.join(lacking)}.",
                allowed="the folder as export-experiment wrote it",
            )
    rows = [{str(k): str(v) for k, v in row.items()} for row in table.to_dict("records")]
    return Experiment(
        design=design,
        told_by=str(folder),
        told=flat(told),
        lists={tuple(row[name] for name in _LISTED): row for row in rows},
        n_test=_number(told, "n_test"),
        n_practice=_number(told, "n_practice"),
        practice_needed=_number(told, "practice_needed"),
    )


def _most(sessions: Sequence[Session], name: str) -> list[int]:
    """What the designs beside sessions say, where there are any."""
    told = (_number(session.design, name) for session in sessions)
    return [number for number in told if number is not None]


def _number(told: Mapping[str, Any], name: str) -> int | None:
    value = told.get(name)
    return value if isinstance(value, int) else None


def told_by(sessions: Sequence[Session]) -> Experiment:
    """The experiment that all sessions say they are of.

    Args:
        sessions: one or more.

    Raises:
        ToolkitError: they are of several: each is named with its files.
    """
    groups: dict[tuple[str, ...], list[Session]] = {}
    for session in sessions:
        own = _design(session)
        groups.setdefault(tuple(own[name] for name in DESIGN[2:]), []).append(session)
    asked = {
        (row["paradigm"], row["paradigm_version"]): session
        for session in reversed(sessions)
        for row in session.part("test")
    }
    if len(groups) > 1:
        raise _mixed([dict(zip(DESIGN[2:], values, strict=True)) for values in groups],
                     list(groups.values()))  # fmt: skip
    if len(asked) > 1:
        values = [dict(zip(DESIGN[:2], pair, strict=True)) for pair in asked]
        raise _mixed(values, [[session] for session in asked.values()])
    paradigm = dict(zip(DESIGN[:2], next(iter(asked), ("", "")), strict=True))
    return Experiment(
        design=paradigm | dict(zip(DESIGN[2:], next(iter(groups)), strict=True)),
        told_by="the answers",
        n_test=max([*_most(sessions, "n_test"), *(len(one.part("test")) for one in sessions)]),
        n_practice=max(_most(sessions, "n_practice"), default=None),
        practice_needed=max(_most(sessions, "practice_needed"), default=None),
    )


def _design(session: Session) -> dict[str, str]:
    """What a session says of its experiment."""
    test = session.part("test")
    of_all = {name: session.rows[0][name] for name in DESIGN[2:]}
    return {name: test[0][name] for name in DESIGN[:2] if test} | of_all


def _mixed(
    designs: Sequence[Mapping[str, str]], groups: Sequence[Sequence[Session]]
) -> ToolkitError:
    differing = [name for name in designs[0] if len({one[name] for one in designs}) > 1]
    lines = []
    for design, sessions in zip(designs, groups, strict=True):
        told = ", ".join(f"{name} {_short(design[name])}" for name in differing)
        lines.append(f"{told}: {_files(sessions)}")
    return ToolkitError(
        f"The answers are of {len(designs)} different experiments:\n  - " + "\n  - ".join(lines),
        allowed="the answers of one experiment; others stand in a folder of their own",
        next_command="add --experiment DIR, the exported folder that is meant, and --skip-other "
        "to leave out (and list) the rest",
    )


def _short(value: str) -> str:
    """A checksum as far as people compare it."""
    return f"{value[:12]}..." if len(value) > 32 else value or "(empty)"


def _files(sessions: Sequence[Session]) -> str:
    names = list(dict.fromkeys(session.file for session in sessions))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def others_of(sessions: Sequence[Session], experiment: Experiment) -> Iterator[Other]:
    """Sessions that are of another experiment, or hold trials that are none of its lists.

    Args:
        sessions: any sessions.
        experiment: the one that is meant.
    """
    for session in sessions:
        why = _difference(session, experiment)
        if why:
            yield Other(session, why)


def _difference(session: Session, experiment: Experiment) -> str:
    own = _design(session)
    differing = [n for n, v in own.items() if v != experiment.design.get(n, v)]
    if differing:
        told = ", ".join(
            f"{n} {_short(own[n])} instead of {_short(experiment.design[n])}" for n in differing
        )
        old = "an older or newer version of the lists: " if differing == ["lists_checksum"] else ""
        return f"{old}{told}"
    for row in session.rows if experiment.lists else ():
        known = experiment.lists.get(tuple(row[name] for name in _LISTED))
        if known is None:
            return (
                f"list {row['list']} has no {row['part']} trial {row['trial']} ({row['condition']})"
            )
        wrong = [name for name in SHOWN if name in known and known[name] != row[name]]
        if wrong:
            return (
                f"trial {row['trial']} of list {row['list']} has {wrong[0]} {row[wrong[0]]} "
                f"instead of {known[wrong[0]]}"
            )
    return ""


def refuse_others(others: Sequence[Other], experiment: Experiment) -> None:
    """Refuse sessions of other experiments.

    Args:
        others: see `others_of`.
        experiment: the one that is meant.

    Raises:
        ToolkitError: there are any; all of them are named.
    """
    if others:
        lines = "\n  - ".join(f"{one.session.file}: {one.why}" for one in others)
        raise ToolkitError(
            f"{len(others)} session{'s are' if len(others) > 1 else ' is'} not of the experiment "
            f"that {experiment.told_by} tells:\n  - {lines}",
            allowed="answers to the lists and stimuli of one export",
            next_command="the same command with --skip-other, which leaves them out and lists them",
        )


def stimuli_of(experiment: Experiment, given: str | None, checked: bool) -> tuple[
    StimulusSet | None, list[str]
]:  # fmt: skip
    """The stimulus set that was shown, where it is here, and what its absence means.

    Args:
        experiment: whose it is.
        given: name or folder that the user says; None for the name in the answers.
        checked: whether the experiment's own folder vouches for the checksum, so that a set of
            another one is only told.

    Raises:
        ToolkitError: the set of that name has another checksum.
    """
    name, wanted = experiment.design["stimuli"], experiment.design["stimuli_checksum"]
    if given is None and name not in look_for_sets().known:
        return None, [
            f"The stimulus set {name} is not here, so its checksum was not looked at and the "
            "concepts of pictures are not known; --stimuli DIR names its folder."
        ]
    found = open_set(given or name)
    if found.checksum == wanted:
        return found, []
    if checked:
        return None, [
            f"The stimulus set {given or name} is not the one that was shown (SHA-256 "
            f"{_short(found.checksum)} instead of {_short(wanted)}): the concepts of pictures are "
            "not known."
        ]
    raise ToolkitError(
        f"The stimuli that were shown are not those of the set {given or name}.",
        given=f"stimuli_checksum {wanted} (version {experiment.design['stimuli_version']})",
        allowed=f"{found.checksum} (version {found.version})",
        next_command="add --stimuli DIR, the set that was shown, or --experiment DIR, the folder "
        "that was exported",
    )


def paradigm_notes(experiment: Experiment, checked: bool) -> list[str]:
    """Hold the version of the paradigm against the one that is asked here.

    Args:
        experiment: whose it is.
        checked: whether the experiment's own folder vouches for it.

    Raises:
        ToolkitError: it is another version, and nothing vouches for it.
    """
    from paradigms.registry import find_paradigms

    name, version = experiment.design["paradigm"], experiment.design["paradigm_version"]
    here = find_paradigms().get(name)
    if here is None:
        return [f"The paradigm {name} is none of the toolkit; analyze needs --paradigms DIR."]
    if str(here.version) == version:
        return []
    told = f"version {version} of the paradigm {name}; models are asked version {here.version} here"
    if checked:
        return [f"Children answered {told}: versions are never pooled."]
    raise ToolkitError(
        f"The answers are to {told}.",
        given=f"paradigm_version {version}",
        allowed=f"{here.version}: trials of different versions are never pooled",
        next_command=f"add --experiment DIR, the folder that was exported, if {quoted(name)} of "
        f"version {version} was meant",
    )
