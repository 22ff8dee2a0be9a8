"""Build the set `mini-mispronounced` from `mini`: `python -m makers.sets.build_mini_mispronounced`.

The familiar words of `mini` that begin with a consonant, as they are (the clips of `mini`) and once
more with place, voice and manner of this consonant changed, alone and together; see
`stimuli.phonemes`. `espeak-ng` 1.51 says the changed words in the same voices, with the same pitch
and rate. The test pictures are those of `mini`, with fewer of each novel concept. Nothing is drawn
at random. On one core it takes about a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from makers.commands import run
from makers.sets.build_mini import LANGUAGES, read_csv
from makers.sets.build_mini import SOURCES as MINI
from makers.sets.derived import copied, like, ordered, run_builder, written
from stimuli import StimulusSet, open_set, speech
from stimuli.tables import records

OUT = MINI.with_name("mini-mispronounced")
VOICES = ("Andrea", "anika", "boris", "pedro")
"""Four of the six test voices, two of women and two of men."""
N_NOVEL = 6
"""Pictures of each novel concept: the first by the checksum of their names, half in each style."""
STYLES = ("colour", "glyph")
VERSION = "1.0.0"

log = logging.getLogger(__name__)


def build(out: Path, jobs: int = 1) -> None:
    """Copy pictures and clips, say the changed words, and write the tables.

    Args:
        out: folder of the set; made where it is missing. Pictures and clips that lie in it and do
            not belong to the set are removed.
        jobs: how many words are said at the same time.

    Raises:
        ToolkitError: `espeak-ng` is missing.
    """
    mini = open_set("mini")
    out.mkdir(parents=True, exist_ok=True)
    rows = [*words(mini, out, jobs)]
    concepts = {row["concept"] for row in rows}
    rows = [*pictures(mini, out, concepts), *rows]
    written(out, settings(mini), rows)


def pictures(mini: StimulusSet, out: Path, said: set[str]) -> Iterator[dict[str, str]]:
    """Copy the test pictures of the words that are said, and some of every novel concept.

    Args:
        mini: the set `mini`.
        out: folder of the new one.
        said: concepts of the words.
    """
    shown = mini.select(kind="picture", split="test").reset_index()
    for _, own in ordered(shown).groupby("concept"):
        if own["status"].iloc[0] == "novel":
            own = own.groupby("style").head(N_NOVEL // len(STYLES))
        elif own["concept"].iloc[0] not in said:
            continue
        for row in records(own.drop(columns="order").sort_values("stimulus_id")):
            yield copied(mini, out, row)


def words(mini: StimulusSet, out: Path, jobs: int) -> Iterator[dict[str, str]]:
    """Copy the clips of `mini` that can be changed, say the changed ones, and yield all rows.

    Args:
        mini: the set `mini`.
        out: folder of the new one.
        jobs: how many are said at the same time.
    """
    listed = read_csv(MINI / "words.csv")
    there = {row["stimulus_id"]: row for row in records(mini.table.reset_index())}
    for language in LANGUAGES:
        known = [speech.Word(row["concept"], row["status"], row[language]) for row in listed]
        planned = list(
            speech.mispronounced(list(speech.plan(known, language, VOICES, takes=1, novel_takes=1)))
        )
        changed = [said for said in planned if said.variant]
        log.info("saying %d words in %s", len(changed), language)
        made = speech.record(changed, out, jobs)
        concepts = {said.word.concept for said in changed}
        for said in planned:
            if said.word.concept in concepts and not said.variant:
                row = there[said.stimulus_id]
                yield copied(
                    *(mini, out, row), variant="", features_changed="0", phonemes=said.phonemes
                )
        yield from made


def settings(mini: StimulusSet) -> dict[str, object]:
    """The content of `set.toml`."""
    return like(
        mini,
        name=OUT.name,
        version=VERSION,
        title="Familiar words with 1, 2 and 3 features of their onset changed",
        description="Familiar words of the set mini in English, Dutch and French, as they are "
        "and with place, voice and manner of their first consonant changed, alone and together; "
        "test pictures of mini.",
        languages=list(LANGUAGES),
        made_from=[f"mini {mini.version}"],
    )


if __name__ == "__main__":
    run(lambda: run_builder(build, "build_mini_mispronounced", __doc__, OUT))
