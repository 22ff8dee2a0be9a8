"""Trials to look at and listen to: what was asked, and what the networks chose.

Those picked stand on the page as they are. The page's script shows all that are kept: they lie in
one table, in which every answer is a letter.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paradigms.choices.trials import ALL_WORDS
from reports.packing import letters, listed, packed
from reports.parts import Answers, Card, Chosen, Gallery, Option, SeedAnswer
from toolkit.statistics.choices.single_trials import NOT_ASKED, OTHER, TARGET, TIE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reports.chapter import Chapter
    from reports.pictures import Media
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.choices.single_trials import SingleTrials

    Row = Mapping[Any, Any]

STEP_SD = 0.1
"""Margins are told in steps of so many SD."""
MOST_STEPS = 31
"""Margins further from 0 are told as this one: so an answer is one letter."""
EVERY_WORD = "mean over all words"
NEITHER = "neither (tie)"
UNIT = (
    "Margin: score of the target less that of the best other option, in standard deviations (SD) "
    "of all margins of the same network in that language: scores of different networks have no "
    f"common unit. Margins beyond {STEP_SD * MOST_STEPS:g} SD are told as {STEP_SD * MOST_STEPS:g}."
)
FILES = ("word_id", "target_id", "distractor_id")
OF_CLIPS = 0.4
"""Share of the room that is left to clips; pictures tell more at a glance."""


def gallery(chapter: Chapter[Analysis], media: Media) -> Gallery | None:
    """The trials of a paradigm, with pictures and sounds where they are at hand; None without any.

    Args:
        chapter: what is told.
        media: pictures and clips of the page. Those of the trials picked are put in; those of
            further trials as long as there is room.
    """
    single = chapter.digest.single
    if single.trials.empty:
        return None
    rows = single.trials.to_dict("records")
    steps = _steps(single)
    for row in rows[: single.n_picked]:
        media.show(_files(row))
    _fill(rows[single.n_picked :], media)
    return Gallery(
        cards=tuple(_card(single, steps, number, media) for number in range(single.n_picked)),
        table=packed(json.dumps(_table(single, steps, media), ensure_ascii=False)),
        notes=(*_notes(single, rows, media), UNIT),
        stimuli=tuple({name: None for row in rows for name in _files(row) if media.known(name)}),
    )


def _fill(rows: Sequence[Row], media: Media) -> None:
    """Pictures of further trials, then clips of those whose pictures are there."""
    for_clips = int(media.room * OF_CLIPS)
    left = _taken((_files(row)[1:] for row in rows), media, media.room - for_clips)
    seen = (row for row in rows if all(map(media.known, _files(row)[1:])))
    _taken((_files(row)[:1] for row in seen), media, left + for_clips)


def _taken(files: Iterable[list[str]], media: Media, room: int) -> int:
    """What is left of the room, filled with files of one trial after the other."""
    for names in files:
        left = media.take(names, room)
        if left < 0:
            break
        room = left
    return room


def _files(row: Row) -> list[str]:
    """Clip and pictures of a trial; the clip alone where options were no pictures."""
    return [str(row[name]) for name in (FILES if int(row["n_choices"]) == 2 else FILES[:1])]


def _notes(single: SingleTrials, rows: Sequence[Row], media: Media) -> list[str]:
    n = len(rows)
    said = [
        f"All {n:,} trials can be looked through."
        if n == single.n_all
        else f"{n:,} of {single.n_all:,} trials can be looked through, since a page that held all "
        "answers would be too large: those picked, and of every condition, language and word "
        "equally many, the first of the trial lists."
    ]
    said.append(
        f"Shown first, and on paper, are {single.n_picked} of the test: those that most and fewest "
        "seeds answered correctly, and those on which seeds were most divided; every word at most "
        "once per kind and language. They are a selection, not a sample."
    )
    files = [_files(row) for row in rows]
    heard = sum(media.known(clip) for clip, *_ in files)
    seen = [all(map(media.known, pictures)) for _, *pictures in files if pictures]
    silent = any(clip != ALL_WORDS and not media.known(clip) for clip, *_ in files)
    if media.at_hand and (silent or not all(seen)):
        pictured = f"the pictures of {sum(seen):,} and " if seen else ""
        said.append(
            f"To keep it small, the page holds {pictured}the clips of {heard:,} trials, those that "
            "come first in this order; elsewhere it names what was shown. --max-trials picks more."
        )
    return said


def _steps(single: SingleTrials) -> npt.NDArray[np.int64]:
    """Margins in steps of `STEP_SD`: above 0 where the answer is right, below where it is wrong."""
    size = np.nan_to_num(np.abs(single.margins) / STEP_SD).round().clip(1, MOST_STEPS)
    sign = np.select([single.chosen == TARGET, single.chosen == OTHER], [1, -1], 0)
    steps: npt.NDArray[np.int64] = (sign * size).astype(np.int64)
    return steps


def _scored(single: SingleTrials) -> npt.NDArray[np.bool_]:
    """Whether each subject's answers have scores."""
    return np.asarray(np.isfinite(single.margins).any(axis=0), np.bool_)


def _populations(single: SingleTrials) -> dict[str, npt.NDArray[np.int64]]:
    """Columns of every population's seeds."""
    names = single.subjects["population"].to_numpy(str)
    return {name: np.flatnonzero(names == name) for name in dict.fromkeys(names)}


def _table(single: SingleTrials, steps: npt.NDArray[np.int64], media: Media) -> dict[str, object]:
    """Everything that the script needs."""
    trials, scored = single.trials, _scored(single)
    texts = ("condition", "test_language", *FILES, "target_concept", "distractor_concept")
    columns: dict[str, Any] = {}
    values: dict[str, list[str]] = {}
    for name in texts:
        values[name], places = listed(trials[name].astype(str).tolist())
        columns[name] = letters(places, len(values[name]))
    of_pictures = trials["n_choices"].to_numpy(int) == 2
    positions = np.where(of_pictures, trials["target_position"].to_numpy(int), 2)
    columns["position"] = letters(positions, 3)
    columns["trial"] = letters(trials["trial"], int(trials["trial"].max()) + 1)
    asked = single.chosen != NOT_ASKED
    columns["answer"] = letters(np.where(asked, steps + MOST_STEPS, 2 * MOST_STEPS + 1), 64)
    if not of_pictures.all():
        columns["rival"] = letters(single.rivals + 1, len(single.concepts) + 1)
    words = trials.drop_duplicates("word_id").set_index("word_id")["word_concept"]
    spelled = [(name, *_spelled(name, str(words[name]), media)) for name in values["word_id"]]
    return {
        "values": values | {"rival": ["", *single.concepts]},
        "columns": columns,
        "words": [(word, str(words[name]), voice) for name, word, voice in spelled],
        "kinds": trials["kind"].head(single.n_picked).tolist(),
        "populations": [
            {
                "name": name,
                "seeds": single.subjects["seed"].iloc[own].tolist(),
                "first": int(own[0]),
                "trained": bool(single.subjects["trained"].iloc[own].any()),
                "scored": bool(scored[own].any()),
            }
            for name, own in _populations(single).items()
        ],
        "step": STEP_SD,
        "zero": MOST_STEPS,
    }


def _card(single: SingleTrials, steps: npt.NDArray[np.int64], number: int, media: Media) -> Card:
    row = single.trials.iloc[number].to_dict()
    options: tuple[Option, ...] = ()
    names = _files(row)[1:]
    if names and all(media.known(name) for name in names):
        target, other = names
        options = (
            Option(str(row["target_concept"]), True, media.address(target), target),
            Option(str(row["distractor_concept"]), False, media.address(other), other),
        )
        if int(row["target_position"]):
            options = options[::-1]
    word, voice = _spelled(str(row["word_id"]), str(row["word_concept"]), media)
    populations = _populations(single).items()
    return Card(
        kind=str(row["kind"]),
        condition=str(row["condition"]),
        language=str(row["test_language"]),
        word=word,
        concept=str(row["word_concept"]),
        voice=voice,
        sound=media.address(str(row["word_id"])),
        sound_file=str(row["word_id"]),
        options=options,
        answers=tuple(
            _answers(single, steps, number, name, own)
            for name, own in populations
            if (single.chosen[number, own] != NOT_ASKED).any()
        ),
    )


def _answers(
    single: SingleTrials,
    steps: npt.NDArray[np.int64],
    number: int,
    name: str,
    columns: npt.NDArray[np.int64],
) -> Answers:
    """What the seeds of a population chose in one trial."""
    row = single.trials.iloc[number]
    two = int(row["n_choices"]) == 2
    asked = columns[single.chosen[number, columns] != NOT_ASKED]
    scored = bool(_scored(single)[columns].any())
    right, wrong = str(row["target_concept"]), str(row["distractor_concept"])
    counts = {(TARGET, right): 0} | ({(OTHER, wrong): 0} if two else {})
    seeds = []
    for at in asked:
        what = int(single.chosen[number, at])
        rival = single.concepts[single.rivals[number, at]]
        picked = what, {TARGET: right, TIE: NEITHER}.get(what, rival)
        counts[picked] = counts.get(picked, 0) + 1
        seeds.append(
            SeedAnswer(
                seed=str(single.subjects["seed"].iloc[at]),
                correct=what == TARGET,
                margin=_in_sd(steps[number, at]) if scored else "",
                rival=rival if what == OTHER and not two else "",
            )
        )
    return Answers(
        population=name,
        chosen=tuple(Chosen(told, what == TARGET, n) for (what, told), n in counts.items()),
        margin=_in_sd(float(steps[number, asked].mean())) if scored else "",
        seeds=tuple(seeds),
    )


def _spelled(name: str, concept: str, media: Media) -> tuple[str, str]:
    """How a word is written, and who says it."""
    return (EVERY_WORD, "") if name == ALL_WORDS else media.spelled(name, concept)


def _in_sd(steps: float) -> str:
    """A margin in SD.

    Example:
        >>> _in_sd(7), _in_sd(-0.4)
        ('+0.7', '-0.0')
    """
    return f"{STEP_SD * steps:+.1f}"
