"""Spoken words: who says them, with which pitch and rate, and a set's words from a list of words.

The voices are variants of espeak-ng that are voiced, free of echo and recognisably different from
one another; pitch and rate vary between a voice's takes.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from stimuli import espeak, media, phonemes
from stimuli.errors import ToolkitError
from stimuli.espeak import SAMPLE_RATE_HZ, speak
from stimuli.finding import open_set
from stimuli.names import file_name
from stimuli.sets import StimulusSet
from stimuli.texts import read_toml
from stimuli.wordlist import Word, read_word_list
from stimuli.writing import write_media, write_set

__all__ = ["VOICES", "Utterance", "Word", "jitter", "plan", "record", "speak", "synthesize"]

_TRAIN = (
    "default belinda travis steph3 f1 iven4 benjamin norbert m4 Jacky gustave Nguyen iven ed Mario"
)
VOICES: dict[str, str] = {
    **dict.fromkeys(_TRAIN.split(), "train"),
    **dict.fromkeys(("Annie", "victor", "sandro"), "valid"),
    **dict.fromkeys(("Andrea", "anika", "boris", "pedro", "Gene2", "rob"), "test"),
}
"""The 24 voices and the split that each belongs to; `default` is espeak-ng without a variant."""

PITCHES = (30, 75)
"""Lowest and highest pitch, on espeak-ng's scale from 0 to 99."""
RATES_WPM = (130, 180)
"""Lowest and highest rate, words per minute."""


@dataclass(frozen=True)
class Utterance:
    """One word as one voice says it once."""

    word: Word
    """What is said."""
    language: str
    """ISO code."""
    voice: str
    """A variant of espeak-ng."""
    split: str
    """The split that the voice belongs to."""
    take: int
    """0, 1, ...: which of the voice's recordings of the word."""
    pitch: int
    """On espeak-ng's scale from 0 to 99."""
    rate_wpm: int
    """Words per minute."""
    phonemes: str = ""
    """How the word is pronounced, in the notation of espeak-ng; empty to leave that to it."""
    variant: str = ""
    """How its first consonant is changed, see `stimuli.phonemes`; empty where it is not."""

    @property
    def spoken(self) -> str:
        """What espeak-ng is given to say."""
        return f"[[{self.phonemes}]]" if self.phonemes else self.word.word

    @property
    def stimulus_id(self) -> str:
        """Name of the stimulus."""
        # Voices are files of espeak-ng, so their names differ even where capitals do not count.
        voice = self.voice.replace(" ", "-")
        changed = f"_{self.variant.replace('+', '-')}" if self.variant else ""
        return f"{self.language}_{file_name(self.word.concept)}_{voice}_{self.take}{changed}"

    @property
    def path(self) -> str:
        """Place of the clip in the folder of the set."""
        folder = f"words/{self.language}/{file_name(self.word.concept)}"
        return f"{folder}/{self.stimulus_id}{media.CLIP_SUFFIX}"


def jitter(language: str, concept: str, voice: str, take: int, seed: int = 0) -> tuple[int, int]:
    """Pitch and rate of one utterance; no other utterance has a say in them.

    Args:
        language: ISO code.
        concept: English name of what is named.
        voice: a variant of espeak-ng.
        take: 0, 1, ...
        seed: another number gives other pitches and rates.

    Returns:
        Pitch within `PITCHES` (espeak-ng's scale) and rate within `RATES_WPM` (words per minute).

    Example:
        >>> jitter("en", "clock", "f1", 0) == jitter("en", "clock", "f1", 0)
        True
        >>> jitter("en", "clock", "f1", 0) == jitter("en", "clock", "f1", 1)
        False
    """
    digest = hashlib.sha256(f"{seed}/{language}/{concept}/{voice}/{take}".encode()).digest()
    drawn = (int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big"))
    pitch, rate_wpm = (
        low + number % (high - low + 1)
        for number, (low, high) in zip(drawn, (PITCHES, RATES_WPM), strict=True)
    )
    return pitch, rate_wpm


def plan(
    words: Sequence[Word],
    language: str,
    voices: Sequence[str] = tuple(VOICES),
    takes: int = 3,
    novel_takes: int = 2,
    seed: int = 0,
) -> Iterator[Utterance]:
    """Everything that is to be said, in a fixed order.

    Novel words are said by test voices only, since nothing novel may be met in training.

    Args:
        words: what to say.
        language: ISO code.
        voices: who says it; variants that are not among `VOICES` count as test voices.
        takes: how often each voice says a familiar word.
        novel_takes: how often each test voice says a novel word.
        seed: see `jitter`.

    Yields:
        One utterance per clip.

    Example:
        >>> words = [Word("clock", "familiar", "klok"), Word("key", "novel", "sleutel")]
        >>> len(list(plan(words, "nl")))
        84
    """
    for word in words:
        for voice in voices:
            split = VOICES.get(voice, "test")
            if word.status == "novel" and split != "test":
                continue
            for take in range(novel_takes if word.status == "novel" else takes):
                pitch, rate_wpm = jitter(language, word.concept, voice, take, seed)
                yield Utterance(word, language, voice, split, take, pitch, rate_wpm)


def record(
    utterances: Sequence[Utterance], folder: Path, jobs: int | None = None
) -> list[dict[str, str]]:
    """Say everything, write the clips, and return their rows of `stimuli.csv`.

    Args:
        utterances: what to say, from `plan`.
        folder: the set's folder; clips go to `words/<language>/<concept>/`, concepts by their
            `stimuli.names.file_name`. Nothing is written before everything was said.
        jobs: how many are said at the same time; None for one per processor.

    Returns:
        One row per utterance, in the same order.

    Raises:
        ToolkitError: see `stimuli.espeak.speak`.
    """

    def one(said: Utterance) -> tuple[dict[str, str], bytes]:
        word = said.word
        clip = speak(said.spoken, said.language, said.voice, said.pitch, said.rate_wpm)
        data = media.encode_clip(clip, SAMPLE_RATE_HZ)
        row = {
            "stimulus_id": said.stimulus_id,
            "kind": "word",
            "concept": word.concept,
            "status": word.status,
            "language": said.language,
            "source": f"espeak-ng {espeak.version()}: {said.voice}, pitch {said.pitch},"
            f" {said.rate_wpm} words per minute",
            "licence": "CC0-1.0",
            "split": said.split,
            "path": said.path,
            "sha256": "",
            "duration_s": f"{len(clip) / SAMPLE_RATE_HZ:.2f}",
            "word": word.word,
            "voice": said.voice,
            "take": f"{said.take}",
            "author": "eSpeak NG",
        }
        if said.phonemes:
            n_changed = len(said.variant.split("+")) if said.variant else 0
            row |= {
                "variant": said.variant,
                "features_changed": f"{n_changed}",
                "phonemes": said.phonemes,
            }
        return row, data

    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        spoken = list(pool.map(one, utterances))
    return [{**row, "sha256": write_media(folder, row["path"], data)} for row, data in spoken]


def mispronounced(utterances: Sequence[Utterance]) -> Iterator[Utterance]:
    """Test words, and familiar ones among them once more for every way to change their onset.

    Voice, pitch and rate are those of the word as it is, so that the first consonant is all that
    differs. No word is changed into another one of the list.

    Args:
        utterances: all words of one language, from `plan`.

    Yields:
        The utterances with their ``phonemes``, each followed by its variants; those of the splits
        train and valid as they are.

    Raises:
        ToolkitError: no familiar word begins with a consonant that can be changed; or see
            `stimuli.espeak.phonemes`.
    """
    said = dict.fromkeys((one.word.word, one.language) for one in utterances)
    known = {key: espeak.phonemes(*key) for key in said}
    native = [
        name for name in phonemes.CONSONANTS if any(name in spoken for spoken in known.values())
    ]
    made = {
        key: phonemes.mispronunciations(spoken, native, set(known.values()))
        for key, spoken in known.items()
    }
    tested = [one for one in utterances if one.split == "test" and one.word.status == "familiar"]
    if not any(made[one.word.word, one.language] for one in tested):
        raise ToolkitError(
            "None of the familiar words begins with a consonant that can be changed.",
            given=", ".join(dict.fromkeys(one.word.word for one in tested)) or "no test words",
            allowed=f"words that begin with one of {' '.join(phonemes.CONSONANTS)}, in the "
            "notation of espeak-ng, said by a test voice",
        )
    for one in utterances:
        key = one.word.word, one.language
        if one.split != "test":
            yield one
            continue
        yield replace(one, phonemes=known[key])
        if one.word.status == "familiar":
            for variant, changed in made[key].items():
                yield replace(one, phonemes=changed, variant=variant)


def synthesize(
    word_list: str | Path,
    language: str,
    out: str | Path,
    voices: Sequence[str] = tuple(VOICES),
    takes: int = 3,
    seed: int = 0,
    mispronounce: bool = False,
    pictures_of: StimulusSet | None = None,
) -> StimulusSet:
    """Speak a list of words: as a new set, or as one more language of the set in `out`.

    In a set that is there already (a copy of `mini`, for example) the pictures and the other
    languages stay as they are; words of the same language are replaced.

    Args:
        word_list: a CSV file with the columns concept, word and, if wanted, status (familiar or
            novel; where it is left out, as in the set that is there already or whose pictures are
            taken, else familiar).
        language: ISO code, or any language name of `espeak-ng --voices`.
        out: folder of the set.
        voices: who says the words.
        takes: how often each voice says each word, with another pitch and rate each time.
        seed: decides the pitches and rates, see `jitter`.
        mispronounce: say familiar test words with changed onsets besides, see `mispronounced`.
        pictures_of: a known set whose pictures of these concepts come into a new set.

    Returns:
        The finished set.

    Raises:
        ToolkitError: espeak-ng is not installed; language or voice unknown; the list has faults
            (all are named), or a concept without a picture; or the folder holds something other
            than a sound stimulus set, or a set that is to get pictures of another.
    """
    folder, voices = Path(out), tuple(dict.fromkeys(voices))
    for voice in voices:
        espeak.voice_name(language, voice)
    if folder.is_dir() and any(folder.iterdir()):
        if pictures_of is not None:
            raise ToolkitError(
                f"There is a set in {folder} already: it keeps the pictures that it has.",
                given=f"--pictures-of {pictures_of.name}",
                next_command="the same without --pictures-of, or with another folder, --out",
            )
        present = open_set(folder)
        rows = present.table.reset_index().to_dict("records")
        kept = [
            {str(column): str(value) for column, value in row.items()}
            for row in rows
            if row["language"] != language
        ]
        settings = read_toml(folder / "set.toml")
        settings["languages"] = list(dict.fromkeys([*present.languages, language]))
        if present.sample_rate_hz != SAMPLE_RATE_HZ:
            raise ToolkitError(
                f"Spoken words cannot join the set in {folder}: their sample rates differ.",
                given=f"{present.sample_rate_hz} Hz (sample_rate_hz in set.toml)",
                allowed=f"{SAMPLE_RATE_HZ} Hz",
            )
    else:
        kept = []
        settings = {
            "name": folder.name,
            "version": "1.0.0",
            "title": f"Spoken words ({language})"
            + (f" and pictures of {pictures_of.name}" if pictures_of else ""),
            "description": f"Words of {Path(word_list).name}, spoken by espeak-ng.",
            "languages": [language],
            "licence": "see the column licence of stimuli.csv" if pictures_of else "CC0-1.0",
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "picture_size_px": pictures_of.picture_size_px if pictures_of else 96,
        }
    statuses = {row["concept"]: row["status"] for row in kept}
    if pictures_of is not None:
        known = pictures_of.select(kind="picture")
        statuses = dict(zip(known["concept"], known["status"], strict=True))
    words = read_word_list(Path(word_list), statuses)
    taken = pictures_of.pictures_of({word.concept for word in words}) if pictures_of else []
    utterances = list(plan(words, language, voices, takes, takes, seed))
    if not utterances:
        raise ToolkitError(
            "None of the voices may say any of the words: novel words need a test voice.",
            given=", ".join(voices),
            allowed=", ".join(voice for voice, split in VOICES.items() if split == "test"),
        )
    if mispronounce:
        utterances = list(mispronounced(utterances))
    _refuse_taken(folder, utterances, kept)
    for row, content in taken:
        write_media(folder, row["path"], content)
        kept.append(row)
    said = record(utterances, folder)
    write_set(folder, settings, [*kept, *said])
    return open_set(folder)


def _refuse_taken(
    folder: Path, utterances: Sequence[Utterance], kept: Sequence[Mapping[str, str]]
) -> None:
    """Keep the files and identifiers of what stays in a set."""
    taken = {_alike(row[column]): row for row in kept for column in ("path", "stimulus_id")}
    for said in utterances:
        for name in (said.path, said.stimulus_id):
            if row := taken.get(_alike(name)):
                raise ToolkitError(
                    f"The word for {said.word.concept!r} would replace another {row['kind']} of "
                    f"the set in {folder}.",
                    given=f"{name} is {row['stimulus_id']}, of the concept {row['concept']!r}",
                    next_command="rename that row and its file, or choose another folder, --out",
                )


def _alike(name: str) -> str:
    """What names have in common that some file systems take for the same."""
    return unicodedata.normalize("NFKC", name).casefold()
