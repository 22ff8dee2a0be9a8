"""Build the stimulus set `mini-draws` from `mini`: `python -m makers.sets.build_mini_draws`.

In `mini`, 20 concepts are novel and have test stimuli alone. Here each of the 33 has as many
pictures and clips as any other, in every split, so that any of them can be familiar: which are is
what populations differ in (``familiar_draws`` of ``train --grid``).

The pictures are those of `mini`, divided anew where a concept has test pictures alone; the clips
are those of `mini` too, and what it lacks is said by `espeak-ng` 1.51 in the same way. Nothing is
drawn at random: pictures are taken in the order of the checksums of their names. On one core it
takes a few minutes, all of it for speech.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from makers.commands import run
from makers.sets.build_mini import SOURCES as MINI
from makers.sets.build_mini import read_csv
from makers.sets.derived import copied, like, ordered, run_builder, written
from stimuli import open_set, speech
from stimuli.tables import records

if TYPE_CHECKING:
    import pandas as pd

    from stimuli import StimulusSet

OUT = MINI.with_name("mini-draws")
LANGUAGES = ("en", "nl")
TAKES = 2
"""How often each voice says each word."""
STYLES = ("colour", "glyph")
N_PICTURES = {"test": 8, "valid": 4, "train": 12}
"""Pictures of each concept; half in colour and half glyphs, but for the last, which takes what
there is."""
VERSION = "1.0.0"

log = logging.getLogger(__name__)


def build(out: Path, jobs: int = 1) -> None:
    """Copy pictures and clips, say the words that are missing, and write the tables.

    Args:
        out: folder of the set; made where it is missing. Pictures and clips that lie in it and do
            not belong to the set are removed.
        jobs: how many words are said at the same time.

    Raises:
        ToolkitError: `espeak-ng` is missing.
    """
    mini = open_set("mini")
    out.mkdir(parents=True, exist_ok=True)
    rows = [*pictures(mini, out), *words(mini, out, jobs)]
    written(out, settings(mini), rows)


def pictures(mini: StimulusSet, out: Path) -> Iterator[dict[str, str]]:
    """Copy the pictures of every concept and yield their rows.

    Args:
        mini: the set `mini`.
        out: folder of the new one.
    """
    for _, own in mini.select(kind="picture").reset_index().groupby("concept"):
        for split, chosen in divided(own).items():
            for row in records(chosen):
                # Every concept can be familiar here.
                yield copied(mini, out, row, status="familiar", split=split)


def divided(pictures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The pictures of one concept by their new split, no two of a family.

    A concept that has all splits keeps to them; one that has test pictures alone, which are all of
    different families, is divided.

    Args:
        pictures: rows of `mini`.
    """
    left = ordered(pictures).drop_duplicates("family")
    found = {}
    for split, n in N_PICTURES.items():
        offered = left[left["split"] == split] if (left["split"] == split).any() else left
        halves = [offered[offered["style"] == style].head(n // 2) for style in STYLES]
        even = offered.index.isin([name for half in halves for name in half.index])
        # Where one style is short, the other fills up.
        chosen = offered.assign(even=~even).sort_values(["even", "order"]).head(n)
        found[split] = chosen.drop(columns=["order", "even"])
        left = left.drop(index=chosen.index)
    return {split: found[split] for split in ("train", "valid", "test")}


def words(mini: StimulusSet, out: Path, jobs: int) -> list[dict[str, str]]:
    """Copy the clips that `mini` has, say the others, and return the rows of all.

    Args:
        mini: the set `mini`.
        out: folder of the new one.
        jobs: how many are said at the same time.
    """
    listed = read_csv(MINI / "words.csv")
    planned = [
        utterance
        for language in LANGUAGES
        for utterance in speech.plan(
            [speech.Word(row["concept"], "familiar", row[language]) for row in listed],
            language,
            takes=TAKES,
        )
    ]
    there = {row["stimulus_id"]: row for row in records(mini.table.reset_index())}
    missing = [said for said in planned if said.stimulus_id not in there]
    log.info("saying %d of %d words", len(missing), len(planned))
    made = {row["stimulus_id"]: row for row in speech.record(missing, out, jobs)}
    return [
        made[name] if name in made else copied(mini, out, there[name], status="familiar")
        for name in (said.stimulus_id for said in planned)
    ]


def settings(mini: StimulusSet) -> dict[str, object]:
    """The content of `set.toml`."""
    return like(
        mini,
        name=OUT.name,
        version=VERSION,
        title="33 things, any of which can be familiar",
        description="The concepts of the set mini, each with as many drawings and words as any "
        "other in every split, in English and Dutch; which are novel is told by the population "
        "that is asked.",
        languages=list(LANGUAGES),
        made_from=[f"mini {mini.version}"],
    )


if __name__ == "__main__":
    run(lambda: run_builder(build, "build_mini_draws", __doc__, OUT))
