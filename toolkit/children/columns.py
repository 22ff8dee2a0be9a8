"""The columns of the files that children's experiments leave: lists, and answers of a session.

The page, PsychoPy's and Lookit's files, the reader of answers and `dataset_description.json` all
take them from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCHEMA = 1
"""Raised when a column changes its meaning."""
PARTS = ("practice", "test")
SIDES = ("left", "right")
DEVICES = ("keyboard", "touch", "mouse", "pen")


@dataclass(frozen=True)
class Column:
    """One column of a table of lists or of answers."""

    name: str
    """Heading, snake_case, with the unit where there is one."""
    kind: Literal["text", "integer", "number", "time"]
    """What a value is: text, a whole number, a number with a decimal point, an ISO 8601 time."""
    meaning: str
    """What a value says."""
    unit: str = ""
    """Unit of the value, or an empty string."""
    allowed: tuple[str, ...] = ()
    """The only values there may be; empty where there are no such limits."""
    lowest: float | None = None
    """The lowest number there may be; None where there is no such limit."""
    may_be_empty: bool = False
    """Whether a row may hold nothing here."""


LIST_COLUMNS = (
    Column("list", "integer", "list of trials; a child is given one of them", lowest=0),
    Column("part", "text", "whether the trial is for practice or counts", allowed=PARTS),
    Column("paradigm", "text", "paradigm that made the trial"),
    Column(
        "paradigm_version",
        "integer",
        "version of that paradigm; versions are never pooled",
        lowest=1,
    ),
    Column("condition", "text", "condition of the paradigm"),
    Column(
        "trial",
        "integer",
        "number of the trial within the paradigm's own list of that language, from 0;"
        " the same number as in runs of models",
        lowest=0,
    ),
    Column("word_id", "text", "recording of the word that is said"),
    Column("word_concept", "text", "what that word means, in English"),
    Column("left_id", "text", "picture on the left"),
    Column("right_id", "text", "picture on the right"),
    Column("target_id", "text", "picture that counts as right"),
    Column("distractor_id", "text", "the other picture"),
    Column("target_side", "text", "where the target is shown", allowed=SIDES),
)
"""Columns of `lists.csv`, one row per list and trial, in their order."""

_DESIGN_COLUMNS = (
    Column("stimuli", "text", "name of the stimulus set"),
    Column("stimuli_version", "text", "version of the stimulus set"),
    Column("stimuli_checksum", "text", "SHA-256 that pins the whole stimulus set"),
    Column("lists_checksum", "text", "SHA-256 of lists.csv"),
    Column("test_language", "text", "language of the words said, ISO 639 code"),
    Column("trial_seed", "integer", "seed of the paradigm's own list of trials", lowest=0),
    Column("toolkit_version", "text", "version of mevgs-toolkit that made the experiment"),
    Column("schema", "integer", "version of these columns", lowest=1),
)
"""Columns whose value is the same in all rows of an experiment; they stand in `design.json`."""

_CHILD_COLUMNS = (
    Column("participant_id", "text", "name or number that the lab gave the child"),
    Column(
        "session_id",
        "text",
        "random; a page that is loaded again makes another session",
    ),
    Column("started_at", "time", "when the page was started, as the browser tells it, in UTC"),
)

_ANSWER_COLUMNS = (
    Column("trial_order", "integer", "place of the trial in the session, from 0", lowest=0),
    Column(
        "chosen_id", "text", "picture that was chosen; empty without an answer", may_be_empty=True
    ),
    Column(
        "correct",
        "integer",
        "1 if the target was chosen, 0 if not; empty without an answer",
        allowed=("0", "1"),
        may_be_empty=True,
    ),
    Column(
        "response_time_s",
        "number",
        "time from the beginning of the word to the answer",
        unit="s",
        lowest=0,
        may_be_empty=True,
    ),
    Column(
        "device",
        "text",
        "what the child answered with; empty without an answer",
        allowed=DEVICES,
        may_be_empty=True,
    ),
)

_ASKED_COLUMNS = (
    Column(
        "age_months",
        "number",
        "age of the child; empty if it was not told",
        unit="months",
        lowest=0,
        may_be_empty=True,
    ),
    Column(
        "exposure",
        "text",
        "share of each language that the child hears, as in 'en:60 nl:40'; empty if not told",
        unit="per cent",
        may_be_empty=True,
    ),
    Column("browser", "text", "name and version of the browser", may_be_empty=True),
    Column(
        "screen_width_px", "integer", "width of the window", unit="px", lowest=0, may_be_empty=True
    ),
    Column(
        "screen_height_px",
        "integer",
        "height of the window",
        unit="px",
        lowest=0,
        may_be_empty=True,
    ),
)

_of_list = {column.name: column for column in LIST_COLUMNS}
_of_design = {column.name: column for column in _DESIGN_COLUMNS}
_of_answer = {column.name: column for column in _ANSWER_COLUMNS}

SESSION_COLUMNS = (
    *_CHILD_COLUMNS,
    _of_list["list"],
    _of_answer["trial_order"],
    *(_of_list[name] for name in ("part", "paradigm", "paradigm_version")),
    *(
        _of_design[name]
        for name in (
            "stimuli",
            "stimuli_version",
            "stimuli_checksum",
            "lists_checksum",
            "test_language",
            "trial_seed",
        )
    ),
    *(
        _of_list[name]
        for name in (
            "condition",
            "trial",
            "word_id",
            "word_concept",
            "left_id",
            "right_id",
            "target_id",
            "distractor_id",
            "target_side",
        )
    ),
    *(_of_answer[name] for name in ("chosen_id", "correct", "response_time_s", "device")),
    *_ASKED_COLUMNS,
    _of_design["toolkit_version"],
    _of_design["schema"],
)
"""Columns of the file of one session, one row per trial, in their order."""


def data_file_name(paradigm: str, participant_id: str, session_id: str, ending: str) -> str:
    """Name of the file of a session: pairs of keyword and value, as Psych-DS wants them.

    Args:
        paradigm: name of the paradigm.
        participant_id: of the child; only its letters and digits are kept.
        session_id: of the session; likewise.
        ending: ``csv`` or ``json``.

    Example:
        >>> data_file_name("me", "kid-07", "x3f9", "csv")
        'study-me_subject-kid07_session-x3f9_data.csv'
    """
    pairs = {"study": paradigm, "subject": participant_id, "session": session_id}
    named = "_".join(f"{key}-{_plain(value)}" for key, value in pairs.items())
    return f"{named}_data.{ending}"


def _plain(text: str) -> str:
    """Letters a to z and digits of a text: Psych-DS allows no others in names of files."""
    return "".join(one for one in text if one.isascii() and one.isalnum()) or "none"
