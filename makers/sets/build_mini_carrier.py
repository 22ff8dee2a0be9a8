"""Build the stimulus set `mini-carrier`: `python -m makers.sets.build_mini_carrier`.

Words whose onset is known, said alone and behind a carrier word, for paradigms that listen to a
word while it unfolds. A clip behind a carrier is that word's own sound put behind the carrier's, by
the same voice: the cut between the two is known to the sample, and the two clips of a word differ
in the carrier alone. Every voice says its carrier once, and it stands before all of its words:
nothing before the cut tells one word from another. Carriers hold no article, which would do so in
Dutch and French.

Concepts are those of `mini`, with its status; clips said alone are clips of `mini`, the pictures
are the test pictures of `mini-draws`, which are among those of `mini`: no included population was
trained on any of them. What is behind carriers is said by `espeak-ng` 1.51. Nothing is drawn at
random. On one core it takes a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from makers.commands import run
from makers.sets.build_mini import SOURCES as MINI
from makers.sets.build_mini import read_csv
from makers.sets.derived import copied, like, run_builder, written
from stimuli import espeak, media, open_set, speech
from stimuli.espeak import EDGE_SAMPLES, SAMPLE_RATE_HZ
from stimuli.tables import records
from stimuli.writing import write_media

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stimuli import StimulusSet

OUT = MINI.with_name("mini-carrier")
CARRIERS = {"en": "look", "nl": "kijk", "fr": "regarde"}
"""What is said before a word."""
VOICES = ("Andrea", "anika", "boris", "pedro")
"""Two female and two male voices that no network was trained on."""
SUFFIX = "_carrier"
"""Behind the name of a clip with a carrier."""
VERSION = "1.0.0"

log = logging.getLogger(__name__)


def build(out: Path, jobs: int = 1) -> None:
    """Copy pictures and clips, say what is behind carriers, and write the tables.

    Args:
        out: folder of the set; made where it is missing. Pictures and clips that lie in it and do
            not belong to the set are removed.
        jobs: how many words are said at the same time.

    Raises:
        ToolkitError: `espeak-ng` is missing.
    """
    mini, draws = open_set("mini"), open_set("mini-draws")
    out.mkdir(parents=True, exist_ok=True)
    rows = [*pictures(mini, draws, out), *words(mini, out, jobs)]
    written(out, settings(mini, draws), rows)


def pictures(mini: StimulusSet, draws: StimulusSet, out: Path) -> Iterator[dict[str, str]]:
    """Copy the test pictures of `mini-draws` and yield their rows, with the status of `mini`."""
    status = dict(zip(mini.table["concept"], mini.table["status"], strict=True))
    for row in records(draws.select(kind="picture", split="test").reset_index()):
        yield copied(draws, out, row, status=status[row["concept"]])


def words(mini: StimulusSet, out: Path, jobs: int) -> list[dict[str, str]]:
    """Copy the clips said alone, make those behind a carrier, and return the rows of all."""
    there = {row["stimulus_id"]: row for row in records(mini.table.reset_index())}
    listed = read_csv(MINI / "words.csv")
    planned = [
        utterance
        for language in CARRIERS
        for utterance in speech.plan(
            [speech.Word(row["concept"], row["status"], row[language]) for row in listed],
            language,
            VOICES,
            takes=1,
            novel_takes=1,
        )
    ]
    log.info("saying %d words behind a carrier", len(planned))
    with ThreadPoolExecutor(jobs) as pool:
        carried = list(pool.map(_behind_carrier, planned))
    rows = []
    for utterance, (clip, onset_s) in zip(planned, carried, strict=True):
        row = there[utterance.stimulus_id]
        rows.append(copied(mini, out, row, onset_s=_seconds(EDGE_SAMPLES)))
        path = row["path"].replace(media.CLIP_SUFFIX, SUFFIX + media.CLIP_SUFFIX)
        changed = {
            "stimulus_id": row["stimulus_id"] + SUFFIX,
            "source": f"{row['source']}, behind {CARRIERS[utterance.language]!r}",
            "path": path,
            "sha256": write_media(out, path, media.encode_clip(clip, SAMPLE_RATE_HZ)),
            "duration_s": _seconds(len(clip)),
            "onset_s": onset_s,
        }
        rows.append(row | changed)
    return rows


def _behind_carrier(said: speech.Utterance) -> tuple[NDArray[np.float32], str]:
    """Sound of carrier and word, and when the word begins, in seconds."""
    carrier = espeak.speak(CARRIERS[said.language], said.language, said.voice)
    word = espeak.speak(said.word.word, said.language, said.voice, said.pitch, said.rate_wpm)
    return np.concatenate([carrier, word]), _seconds(len(carrier) + EDGE_SAMPLES)


def _seconds(samples: int) -> str:
    return f"{samples / SAMPLE_RATE_HZ:.2f}"


def settings(mini: StimulusSet, draws: StimulusSet) -> dict[str, object]:
    """The content of `set.toml`."""
    return like(
        mini,
        name=OUT.name,
        version=VERSION,
        title="33 things, said alone and behind a carrier word",
        description="The concepts of the set mini, for tests alone: words whose onset is known, "
        "each said alone and behind a carrier word by four test voices in three languages, and "
        "drawings that no included population was trained on.",
        languages=list(CARRIERS),
        made_from=[
            f"mini {mini.version}",
            f"mini-draws {draws.version}",
            f"espeak-ng {espeak.version()}",
        ],
    )


if __name__ == "__main__":
    run(lambda: run_builder(build, "build_mini_carrier", __doc__, OUT))
