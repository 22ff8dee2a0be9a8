"""The speech that the hearing backbone is trained on: everyday names, spoken by espeak-ng.

Names are the single words among the names and key words of emoji in English, Dutch and French
(Unicode CLDR, npm package ``cldr-annotations-full``), without everything that
`makers.backbones.excluded` lists and without words that sound like one of the 33 concepts in any
of the languages. Every name is spoken by a few of the training voices; every 15th name is held
out for validation and also spoken by the validation voices. The test voices are never used.
"""

import csv
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from makers.backbones.excluded import CONCEPTS, LANGUAGES, is_excluded, words_of
from stimuli.cells import csv_text
from stimuli.errors import ToolkitError
from stimuli.espeak import ACCENTS, SAMPLE_RATE_HZ, SILENCE, speak
from stimuli.files import write_atomic
from stimuli.speech import VOICES

VOICES_PER_NAME = 3
NAMES_PER_LANGUAGE = 2_000
HELD_OUT_EVERY = 15
LONGEST_S = 1.2
"""Longer clips are left out: the words of the stimulus set last at most 1.1 s."""


@dataclass(frozen=True)
class Name:
    """One word to be spoken."""

    text: str
    """Spelling."""

    language: str
    """``en``, ``nl`` or ``fr``."""

    split: str
    """``train`` or ``valid``."""


@dataclass(frozen=True)
class Corpus:
    """Spoken names, all clips one after the other."""

    samples: npt.NDArray[np.int16]
    """All clips joined, 16 kHz mono."""

    starts: npt.NDArray[np.int64]
    """First sample of every clip, and the end of the last one; shape (n_clips + 1,)."""

    names: npt.NDArray[np.int64]
    """Index of each clip's name; shape (n_clips,)."""

    voices: npt.NDArray[np.str_]
    """Voice of each clip; shape (n_clips,)."""

    def clip(self, index: int) -> npt.NDArray[np.float32]:
        """Samples of one clip in [-1, 1], shape (n_samples,)."""
        part = self.samples[self.starts[index] : self.starts[index + 1]]
        return part.astype(np.float32) / np.float32(32768)


def choose_names(annotations: Path) -> list[Name]:
    """Read the names of the three languages from an unpacked ``cldr-annotations-full`` package.

    Args:
        annotations: The package's folder ``annotations``, one sub-folder per language.

    Returns:
        Names sorted by language and spelling; every `HELD_OUT_EVERY`-th one is for validation.

    Raises:
        ToolkitError: If the folder does not hold the annotations.
    """
    tested = {
        _sound(language, [row[column]])[0]
        for row in CONCEPTS.values()
        for column, language in enumerate(LANGUAGES)
    }
    names: list[Name] = []
    for language in LANGUAGES:
        words = sorted(_candidates(annotations / language / "annotations.json", language))
        sounds = _sound(language, words)
        kept = [
            word
            for word, sound in zip(words, sounds, strict=True)
            if sound and not any(_sounds_like(sound, other) for other in tested)
        ]
        spread = np.linspace(0, len(kept) - 1, min(NAMES_PER_LANGUAGE, len(kept)))
        kept = [kept[index] for index in spread.astype(int)]
        names += [
            Name(word, language, "valid" if index % HELD_OUT_EVERY == 7 else "train")
            for index, word in enumerate(kept)
        ]
    return names


def speak_all(names: Sequence[Name], seed: int) -> Corpus:
    """Speak every name with a few voices, at jittered pitch and rate.

    Args:
        names: What to say.
        seed: Chooses voices, pitch (30 to 75 of 99) and rate (130 to 180 words per minute).

    Returns:
        The clips, silence at both ends cut off; those that are very short or long are left out.
    """
    random = np.random.default_rng(seed)
    clips: list[npt.NDArray[np.int16]] = []
    indices: list[int] = []
    voices: list[str] = []
    for index, name in enumerate(names):
        chosen = random.choice(voices_of("train"), VOICES_PER_NAME, replace=False).tolist()
        for voice in chosen + (voices_of("valid") if name.split == "valid" else []):
            pitch, rate = int(random.integers(30, 76)), int(random.integers(130, 181))
            clip = _without_silence(speak(name.text, name.language, voice, pitch, rate))
            if 0.1 * SAMPLE_RATE_HZ < len(clip) < LONGEST_S * SAMPLE_RATE_HZ:
                clips.append(clip)
                indices.append(index)
                voices.append(voice)
    starts = np.cumsum([0] + [len(clip) for clip in clips])
    return Corpus(np.concatenate(clips), starts, np.array(indices), np.array(voices))


def voices_of(split: str) -> list[str]:
    """The voices that belong to a split, in their fixed order."""
    return [voice for voice, own in VOICES.items() if own == split]


def read_or_speak(folder: Path, annotations: Path, seed: int) -> tuple[list[Name], Corpus]:
    """Load the corpus of a training folder, or make it there (about ten minutes on one core)."""
    listing, clips = folder / "names.csv", folder / "corpus.npz"
    if not clips.is_file():
        names = choose_names(annotations)
        spoken = speak_all(names, seed)
        with write_atomic(listing) as path:
            rows = [[name.text, name.language, name.split] for name in names]
            table = csv_text([["text", "language", "split"], *rows])
            path.write_text(table, encoding="utf-8", newline="")
        with write_atomic(clips) as path, path.open("wb") as binary:
            np.savez(binary, **vars(spoken))
    with np.load(clips) as stored:
        return read_names(folder), Corpus(**stored)


def read_names(folder: Path) -> list[Name]:
    """The names of a training folder, in the order that the corpus counts them."""
    with (folder / "names.csv").open(newline="", encoding="utf-8") as file:
        return [Name(**row) for row in csv.DictReader(file)]


def _without_silence(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """Cut the silent ends, which training adds again in random lengths."""
    loud = np.flatnonzero(np.abs(sound) > SILENCE * np.abs(sound).max())
    return np.asarray(sound[loud[0] : loud[-1] + 1] * 32767, dtype=np.int16)


def _candidates(file: Path, language: str) -> Iterator[str]:
    """Single words of 3 to 12 letters that are not excluded and not abbreviations."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        entries = content["annotations"]["annotations"].values()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ToolkitError(
            f"{file} does not hold emoji names.",
            given=str(file),
            allowed="the folder 'annotations' of the npm package cldr-annotations-full",
            next_command="npm pack cldr-annotations-full && tar xzf cldr-annotations-full-*.tgz",
        ) from error
    spellings = {word for entry in entries for word in entry["default"] + entry.get("tts", [])}
    unique: dict[str, str] = {}
    for word in sorted(spellings):
        if re.fullmatch(r"[^\W\d_]{3,12}", word) and not word.isupper():
            unique.setdefault(" ".join(words_of(word)), word.lower())
    plain = {row[column] for row in CONCEPTS.values() for column in range(len(LANGUAGES))}
    tested = {" ".join(words_of(word)) for word in plain}
    yield from (
        word
        for key, word in unique.items()
        if key not in tested and not is_excluded(word, language)
    )


def _sound(language: str, words: Sequence[str]) -> list[str]:
    """How espeak-ng pronounces each word (IPA without stress and length marks)."""
    command = ["espeak-ng", "-v", ACCENTS.get(language, language), "-q", "--ipa", "--stdin"]
    text = "".join(f"{word}.\n" for word in words).encode()
    try:
        spoken = subprocess.run(command, input=text, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolkitError(
            "espeak-ng cannot be run; it speaks the training words.",
            next_command="apt-get install espeak-ng",
        ) from error
    lines = spoken.decode().splitlines()
    if len(lines) != len(words):
        raise ToolkitError(f"espeak-ng pronounced {len(lines)} of {len(words)} words.")
    return [re.sub(r"\([a-z-]+\)|[ˈˌː _-]", "", line) for line in lines]


def _sounds_like(sound: str, tested: str) -> bool:
    """The same sounds, or a word of four sounds or more that is contained."""
    return sound == tested or (len(tested) >= 4 and tested in sound)
