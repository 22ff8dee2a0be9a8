"""Spoken words, made with espeak-ng: a set's words in a new language from a list of words.

The voices are variants of espeak-ng that are voiced, free of echo and recognisably different from
one another; pitch and rate vary between a voice's takes.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli import media
from stimuli.errors import ToolkitError, unknown_name
from stimuli.writing import write_media

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VOICES: dict[str, tuple[str, ...]] = {
    "train": (
        "default",
        "belinda",
        "travis",
        "steph3",
        "f1",
        "iven4",
        "benjamin",
        "norbert",
        "m4",
        "Jacky",
        "gustave",
        "Nguyen",
        "iven",
        "ed",
        "Mario",
    ),
    "valid": ("Annie", "victor", "sandro"),
    "test": ("Andrea", "anika", "boris", "pedro", "Gene2", "rob"),
}
"""The 24 voices and the split that each belongs to; `default` is espeak-ng without a variant."""

ACCENTS = {"en": "en-us"}
"""espeak-ng's name for a language where it is not the ISO code."""

SAMPLE_RATE_HZ = 16_000
STEP_SAMPLES = 640
"""Clips last a whole number of these (40 ms): equal lengths can be processed together."""
PITCHES = (30, 75)
"""Lowest and highest pitch, on espeak-ng's scale from 0 to 99."""
RATES_WPM = (130, 180)
"""Lowest and highest rate, words per minute."""
PEAK = 0.9
"""Largest absolute sample value of a clip before compression."""
SILENCE = 0.01
"""Sound below this share of the peak counts as silence when the ends are cut."""
EDGE_SAMPLES = 320
"""Silence kept before and after the sound (20 ms)."""


@dataclass(frozen=True)
class Utterance:
    """One word as one voice says it once."""

    concept: str
    """English name of what is named."""
    status: str
    """familiar or novel."""
    language: str
    """ISO code."""
    word: str
    """Spelling."""
    voice: str
    """One of `VOICES`."""
    split: str
    """The split that the voice belongs to."""
    take: int
    """0, 1, ...: which of the voice's recordings of the word."""
    pitch: int
    """On espeak-ng's scale from 0 to 99."""
    rate_wpm: int
    """Words per minute."""

    @property
    def stimulus_id(self) -> str:
        """Name of the stimulus."""
        return f"{self.language}_{self.concept}_{self.voice}_{self.take}".replace(" ", "-")


def jitter(language: str, concept: str, voice: str, take: int, seed: int = 0) -> tuple[int, int]:
    """Pitch and rate of one utterance; no other utterance has a say in them.

    Args:
        language: ISO code.
        concept: English name of what is named.
        voice: one of `VOICES`.
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
    pitch = PITCHES[0] + int.from_bytes(digest[:4], "big") % (PITCHES[1] - PITCHES[0] + 1)
    rate_wpm = RATES_WPM[0] + int.from_bytes(digest[4:8], "big") % (RATES_WPM[1] - RATES_WPM[0] + 1)
    return pitch, rate_wpm


def speak(
    word: str, language: str, voice: str = "default", pitch: int = 50, rate_wpm: int = 150
) -> NDArray[np.float32]:
    """Say a word.

    Args:
        word: spelling in the language's usual script.
        language: ISO code, or any language name of `espeak-ng --voices`.
        voice: `default` or any variant of `espeak-ng --voices=variant`.
        pitch: 0 to 99.
        rate_wpm: words per minute, 80 to 450.

    Returns:
        float32, shape (n_samples,), mono, 16 kHz, peak .9; silence at the ends is cut to 20 ms and
        then n_samples rounded up to a multiple of 640.

    Raises:
        ToolkitError: espeak-ng is not installed, does not know the language or the voice, or has
            nothing to say for the word.
    """
    import numpy as np
    from scipy.signal import resample_poly

    name = ACCENTS.get(language, language)
    if name not in languages():
        raise unknown_name(
            "language in espeak-ng called", language, languages(), "espeak-ng --voices"
        )
    if voice != "default":
        if voice not in variants():
            raise unknown_name(
                "voice in espeak-ng called",
                voice,
                ("default", *variants()),
                "espeak-ng --voices=variant",
            )
        name = f"{name}+{voice}"
    # Given on standard input, a word that begins with a dash is not taken for an option.
    wav = _espeak(
        "-v", name, "-p", str(pitch), "-s", str(rate_wpm), "-b", "1", "--stdin", "--stdout",
        text=word,
    )  # fmt: skip
    start = wav.find(b"data") + 8
    rate_hz = int.from_bytes(wav[24:28], "little")
    sound = np.frombuffer(wav[start : start + (len(wav) - start) // 2 * 2], dtype="<i2")
    if not sound.any():
        raise ToolkitError(f"espeak-ng has nothing to say for {word!r} in {language!r}.")
    common = np.gcd(SAMPLE_RATE_HZ, rate_hz)
    resampled = resample_poly(sound / 32768, SAMPLE_RATE_HZ // common, rate_hz // common)
    return _trim(resampled.astype(np.float32))


def plan(
    words: Sequence[tuple[str, str, str]],
    language: str,
    voices: Sequence[str] | None = None,
    takes: int = 3,
    novel_takes: int = 2,
    seed: int = 0,
) -> Iterator[Utterance]:
    """Everything that is to be said, in a fixed order.

    Novel words are said by test voices only, since nothing novel may be met in training.

    Args:
        words: concept, status and spelling of each word.
        language: ISO code.
        voices: some of `VOICES`; None for all 24.
        takes: how often each voice says a familiar word.
        novel_takes: how often each test voice says a novel word.
        seed: see `jitter`.

    Yields:
        One utterance per clip.

    Example:
        >>> len(list(plan([("clock", "familiar", "klok"), ("key", "novel", "sleutel")], "nl")))
        84
    """
    for concept, status, word in words:
        for split, in_split in VOICES.items():
            if status == "novel" and split != "test":
                continue
            for voice in in_split:
                if voices is not None and voice not in voices:
                    continue
                for take in range(novel_takes if status == "novel" else takes):
                    pitch, rate_wpm = jitter(language, concept, voice, take, seed)
                    yield Utterance(
                        concept, status, language, word, voice, split, take, pitch, rate_wpm
                    )


def record(utterances: Sequence[Utterance], folder: Path, jobs: int = 1) -> list[dict[str, str]]:
    """Say everything, write the clips, and return their rows of `stimuli.csv`.

    Args:
        utterances: what to say, from `plan`.
        folder: the set's folder; clips go to `words/<language>/<concept>/`.
        jobs: how many run at the same time.

    Returns:
        One row per utterance, in the same order.

    Raises:
        ToolkitError: see `speak`.
    """

    def one(said: Utterance) -> dict[str, str]:
        clip = speak(said.word, said.language, said.voice, said.pitch, said.rate_wpm)
        path = f"words/{said.language}/{said.concept}/{said.stimulus_id}{media.CLIP_SUFFIX}"
        return {
            "stimulus_id": said.stimulus_id,
            "kind": "word",
            "concept": said.concept,
            "status": said.status,
            "language": said.language,
            "source": f"espeak-ng {version()}: {said.voice}, pitch {said.pitch},"
            f" {said.rate_wpm} words per minute",
            "licence": "CC0-1.0",
            "split": said.split,
            "path": path,
            "sha256": write_media(folder, path, media.encode_clip(clip, SAMPLE_RATE_HZ)),
            "duration_s": f"{len(clip) / SAMPLE_RATE_HZ:.2f}",
            "word": said.word,
            "voice": said.voice,
            "take": str(said.take),
            "author": "eSpeak NG",
        }

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, utterances))


@functools.cache
def version() -> str:
    """Version of the installed espeak-ng.

    Raises:
        ToolkitError: it is not installed.
    """
    found = re.search(r"\d+(\.\d+)+", _espeak("--version").decode())
    return found[0] if found else "of unknown version"


@functools.cache
def languages() -> tuple[str, ...]:
    """Languages that the installed espeak-ng speaks, without those that need other programs.

    Raises:
        ToolkitError: it is not installed.
    """
    listed = [line.split() for line in _espeak("--voices").decode().splitlines()[1:]]
    names = {columns[1] for columns in listed if not columns[4].startswith("mb/")}
    # espeak-ng itself accepts the code before the dash: `fr` for `fr-fr`.
    return tuple(sorted(names | {name.split("-")[0] for name in names}))


@functools.cache
def variants() -> tuple[str, ...]:
    """Voice variants of the installed espeak-ng.

    Raises:
        ToolkitError: it is not installed.
    """
    lines = _espeak("--voices=variant").decode().splitlines()[1:]
    return tuple(sorted(line.split("!v/")[1].strip() for line in lines if "!v/" in line))


def _espeak(*arguments: str, text: str = "") -> bytes:
    """Run espeak-ng and return what it writes."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise ToolkitError(
            "The program espeak-ng, which speaks the words, is not installed.",
            next_command="apt-get install espeak-ng (Linux) or brew install espeak-ng (macOS)",
        )
    done = subprocess.run([program, *arguments], input=text.encode(), capture_output=True)
    if done.returncode != 0:
        raise ToolkitError(f"espeak-ng failed: {done.stderr.decode().strip()}")
    return done.stdout


def _trim(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut silence at the ends, bring the peak to `PEAK`, and round the length up."""
    import numpy as np

    loudness = np.abs(sound)
    loud = np.flatnonzero(loudness > SILENCE * loudness.max())
    start = max(0, loud[0] - EDGE_SAMPLES)
    sound = sound[start : loud[-1] + 1 + EDGE_SAMPLES] * (PEAK / loudness.max())
    trimmed: NDArray[np.float32] = np.pad(sound, (0, -len(sound) % STEP_SAMPLES))
    return trimmed.astype(np.float32)
