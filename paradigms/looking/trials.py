"""Trials that are heard gate by gate: which part of a clip has been heard at each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paradigms.choices.counterbalance import picture_pairs
from paradigms.choices.trials import Trials
from paradigms.conditions import PairCondition
from stimuli.errors import ToolkitError, quoted
from stimuli.unfolding import UnfoldingSet, heard_id
from stimuli.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from stimuli import StimulusSet

ALONE_S = 0.1
"""A word that begins later than this is said behind something else."""
PRACTICE = "practice"
"""Name of the practice trials; it is no condition, and they are in no table."""
PAIR = PairCondition("pair", "a familiar word, its picture beside another familiar picture")
"""What is shown in every trial."""


@dataclass(frozen=True, eq=False)
class GatedTrials:
    """Trials in which both pictures are scored again and again while the word unfolds."""

    test: Trials
    """What is tested; words are whole clips."""
    practice: Trials
    """What the temperature is fitted on: whole words that no trial of the test says."""
    gates_ms: tuple[int, ...]
    """Times from the onset of the word, k of them."""
    ends_ms: npt.NDArray[np.int32]
    """(n_words, k) how far each clip of ``test.word_ids`` is heard, in ms from its beginning; -1
    where all of it is, 0 where nothing is."""

    @cached_property
    def heard(self) -> npt.NDArray[np.int32]:
        """(n_words, k) index into ``heard_ids``; -1 where nothing is heard yet."""
        place = {name: number for number, name in enumerate(self.heard_ids)}
        names = [[self.heard_name(word, end) for end in ends] for word, ends in self._words]
        found = [[place[name] if name else -1 for name in row] for row in names]
        return np.array(found, dtype=np.int32)

    @cached_property
    def heard_ids(self) -> tuple[str, ...]:
        """Names of everything that is heard: clips, and clips up to a time, the short ones first.

        Those of one length follow each other, so that they are embedded together.
        """
        order = {
            self.heard_name(word, end): end if end >= 0 else np.inf
            for word, ends in self._words
            for end in ends
            if end
        }
        return tuple(sorted(order, key=lambda name: (order[name], name)))

    @property
    def _words(self) -> list[tuple[str, list[int]]]:
        return list(zip(self.test.word_ids, self.ends_ms.tolist(), strict=True))

    @staticmethod
    def heard_name(word: str, end: int) -> str:
        """Name of what is heard of a clip; empty where that is nothing, see ``ends_ms``."""
        return "" if end == 0 else word if end < 0 else heard_id(word, end)

    @property
    def checksum(self) -> str:
        """SHA-256 over everything in the lists; two equal ones have equal checksums."""
        digest = hashlib.sha256(f"{self.test.checksum}/{self.practice.checksum}".encode())
        digest.update(str(self.gates_ms).encode() + np.ascontiguousarray(self.ends_ms).tobytes())
        return digest.hexdigest()


def gated_trials(
    stimuli: StimulusSet,
    language: str,
    rng: np.random.Generator,
    conditions: Mapping[str, bool],
    gates_ms: Sequence[int],
    window_ms: tuple[int, int],
    per_class: int,
) -> GatedTrials:
    """Make the trials of one test language: the same list in every condition, and for practice.

    Pictures come in yoked pairs, as in child studies: every pair is shown twice, and each of its
    pictures is the target once, named by the same voice. So whatever is looked at before the word
    begins, and for any other reason than the word, is looked at by chance on the whole. Of every
    class, the first clip by name is kept for practice. Where the clips of two conditions have the
    same classes and voices, their trials differ in nothing but the clip.

    Args:
        stimuli: a set with the column ``onset_s``.
        language: ISO code of the words said.
        rng: the only source of chance.
        conditions: by name, whether something is said before the word.
        gates_ms: times from the onset of the word.
        window_ms: the declared window.
        per_class: trials per word class and condition.

    Raises:
        ToolkitError: the set does not say when its words begin, has one clip of a class only, or
            its words are over before the window begins.
    """
    table = stimuli.table
    spoken = (table["kind"] == "word") & (table["split"] == "test")
    spoken &= (table["language"] == language) & (table["status"] == "familiar")
    onsets = _onsets(stimuli, table[spoken], language)
    said_by = zip(table.index, table["voice"], strict=True) if "voice" in table else ()
    voices = {str(name): str(voice) for name, voice in said_by}
    seed = int(rng.integers(1 << 62))
    lists: dict[str, Trials] = {}
    practice: Trials | None = None
    for name, behind in conditions.items():
        own = onsets[(onsets["onset_s"] > ALONE_S) == behind]
        if own.empty:
            continue
        first = own.sort_index().groupby("concept").head(1).index
        left = own.index.difference(first)
        lacking = sorted(set(own["concept"]) - set(own.loc[left, "concept"]))
        if lacking:
            raise ToolkitError(
                f"The set {stimuli.name!r} has one clip of {lacking[0]!r} in {language!r}, and of "
                "every word one clip is kept for practice trials.",
                given=f"{count(len(lacking), 'word')} with one clip",
                allowed="two or more clips of every familiar word in the test split",
            )
        for part, clips in ((name, left), (PRACTICE, first)):
            if part == PRACTICE and practice is not None:
                continue
            made = _yoked(
                picture_pairs(
                    _with_words(stimuli, table, clips),
                    language,
                    np.random.default_rng(seed),
                    [replace(PAIR, name=part)],
                    -(-per_class // 2),
                ),
                voices,
            )
            if part == PRACTICE:
                practice = made
            else:
                lists[name] = made
    if practice is None:
        raise ToolkitError(
            f"The stimulus set {stimuli.name!r} has no familiar test words in {language!r} for "
            f"the conditions {', '.join(conditions)}.",
            given=f"{len(onsets)} familiar test words",
            next_command=f"mevgs-toolkit describe {quoted(stimuli.name)}",
        )
    test = _joined(lists)
    times = onsets.loc[list(test.word_ids)]
    _check_window(stimuli, times, window_ms)
    return GatedTrials(test, practice, tuple(gates_ms), _ends(stimuli, times, gates_ms))


def _onsets(stimuli: StimulusSet, words: pd.DataFrame, language: str) -> pd.DataFrame:
    """Concept, onset and duration of clips, as numbers."""
    known = words["onset_s"] != "" if "onset_s" in words else None
    if known is None or not known.all():
        n = 0 if known is None else int(known.sum())
        raise ToolkitError(
            f"The stimulus set {stimuli.name!r} does not say when its words begin, so they cannot "
            "be heard as they unfold.",
            given=f"{n} of {len(words)} test words in {language!r} with an onset",
            allowed=f"a column onset_s in {quoted(stimuli.folder / 'stimuli.csv')}, in seconds, "
            "for every familiar test word; mini-carrier has it",
            next_command="the same again with --stimuli mini-carrier",
        )
    return words[["concept"]].assign(
        onset_s=words["onset_s"].astype(float), duration_s=words["duration_s"].astype(float)
    )


def _check_window(stimuli: StimulusSet, times: pd.DataFrame, window_ms: tuple[int, int]) -> None:
    """Refuse words that are over before the window begins: nothing unfolds there."""
    over = times.index[times["duration_s"] - times["onset_s"] <= window_ms[0] / 1000]
    if len(over):
        raise ToolkitError(
            f"The window of {window_ms[0]} to {window_ms[1]} ms lies outside "
            f"{len(over)} of {len(times)} clips of the set {stimuli.name!r}.",
            given=f"{over[0]}, over {1000 * times['duration_s'][over[0]]:.0f} ms after its "
            f"beginning and {1000 * (times['duration_s'] - times['onset_s'])[over[0]]:.0f} ms "
            "after the onset of its word",
            allowed="words that last longer than until the window begins, or a paradigm with an "
            "earlier window_ms",
        )


def _ends(
    stimuli: StimulusSet, times: pd.DataFrame, gates_ms: Sequence[int]
) -> npt.NDArray[np.int32]:
    """How far clips are heard at each gate, (n_words, k); see `GatedTrials`."""
    onsets, lasts = (
        np.rint(1000 * times[name].to_numpy(float))[:, None] for name in ("onset_s", "duration_s")
    )
    ends = onsets + np.asarray(gates_ms)
    ends = np.where(ends < UnfoldingSet.of(stimuli).shortest_ms, 0, ends)
    return np.where(ends >= lasts, -1, ends).astype(np.int32)


def _with_words(stimuli: StimulusSet, table: pd.DataFrame, clips: pd.Index[str]) -> StimulusSet:
    """The set with these words and their pictures alone, and no trials that were fixed."""
    shown = replace(stimuli)
    named = table["concept"].isin(table.loc[clips, "concept"])
    kept = ((table["kind"] == "picture") & named) | table.index.isin(clips)
    vars(shown)["table"] = table[kept]
    vars(shown)["fixed_trials"] = stimuli.fixed_trials.iloc[:0]
    return shown


def _yoked(trials: Trials, voices: Mapping[str, str]) -> Trials:
    """Every trial, and behind it the same pictures with the other one named by the same voice."""
    said: dict[tuple[str, str], list[int]] = {}
    of_class: dict[str, list[int]] = {}
    for place, name in enumerate(trials.word_ids):
        said.setdefault((trials.concept_of[name], voices.get(name, "")), []).append(place)
        of_class.setdefault(trials.concept_of[name], []).append(place)
    others = trials.options[np.arange(len(trials)), 1 - trials.target_position]
    turn: Counter[tuple[str, str]] = Counter()
    named = []
    for word, other in zip(trials.word.tolist(), others.tolist(), strict=True):
        concept = trials.concept_of[trials.option_ids[other]]
        key = concept, voices.get(trials.word_ids[word], "")
        clips = said.get(key, of_class[concept])
        named.append(clips[turn[key] % len(clips)])
        turn[key] += 1

    def twice(own: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.stack([own, other], axis=1).reshape(-1, *own.shape[1:])

    return replace(
        trials,
        condition=np.repeat(trials.condition, 2),
        word=twice(trials.word, np.array(named, dtype=np.int32)),
        options=np.repeat(trials.options, 2, axis=0),
        target_position=twice(trials.target_position, 1 - trials.target_position),
    )


def _joined(lists: Mapping[str, Trials]) -> Trials:
    """Lists of the same pictures, one after the other."""
    first, *_ = made = list(lists.values())
    starts = np.cumsum([0, *(len(own.word_ids) for own in made)])
    return Trials(
        word_ids=tuple(word for own in made for word in own.word_ids),
        option_ids=first.option_ids,
        concept_of={name: concept for own in made for name, concept in own.concept_of.items()},
        conditions=tuple(lists),
        condition=np.repeat(np.arange(len(made), dtype=np.int16), [len(own) for own in made]),
        word=np.concatenate(
            [own.word + start for own, start in zip(made, starts[:-1], strict=True)], dtype=np.int32
        ),
        options=np.concatenate([own.options for own in made]),
        target_position=np.concatenate([own.target_position for own in made]),
        familiar=first.familiar,
    )
