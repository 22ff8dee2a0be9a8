"""The program espeak-ng: what it can say, and saying it."""

from __future__ import annotations

import functools
import math
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from stimuli.errors import ToolkitError, unknown_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ACCENTS = {"en": "en-us"}
"""The accent that is meant where a language is named without one."""

SAMPLE_RATE_HZ = 16_000
STEP_SAMPLES = 640
"""Clips last a whole number of these (40 ms): equal lengths can be processed together."""
PEAK = 0.9
"""Largest absolute sample value of a clip before compression."""
SILENCE = 0.01
"""Sound below this share of the peak counts as silence when the ends are cut."""
EDGE_SAMPLES = 320
"""Silence kept before and after the sound (20 ms)."""


def speak(
    word: str, language: str, voice: str = "default", pitch: int = 50, rate_wpm: int = 150
) -> NDArray[np.float32]:
    """Say a word.

    Args:
        word: spelling in the language's usual script, or ``[[...]]`` around what `phonemes` gives.
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

    name = voice_name(language, voice)
    # Given on standard input, a word that begins with a dash is not taken for an option.
    wav = _run("-v", name, "-p", f"{pitch}", "-s", f"{rate_wpm}", "--stdin", "--stdout", text=word)
    start = wav.find(b"data") + 8
    rate_hz = int.from_bytes(wav[24:28], "little")
    sound = np.frombuffer(wav[start : start + (len(wav) - start) // 2 * 2], dtype="<i2")
    if not sound.any():
        raise ToolkitError(f"espeak-ng has nothing to say for {word!r} in {language!r}.")
    common = math.gcd(SAMPLE_RATE_HZ, rate_hz)
    resampled = resample_poly(sound / 32768, SAMPLE_RATE_HZ // common, rate_hz // common)
    return trim(resampled.astype(np.float32))


def phonemes(word: str, language: str) -> str:
    """How espeak-ng pronounces a word, in its own notation; ``[[...]]`` around it is said the same.

    Args:
        word: spelling in the language's usual script.
        language: ISO code, or any language name of `espeak-ng --voices`.

    Raises:
        ToolkitError: espeak-ng is not installed, or does not know the language.
    """
    name = voice_name(language, "default")
    return _run("-v", name, "-q", "-x", "--stdin", text=word).decode().strip()


def voice_name(language: str, voice: str) -> str:
    """What espeak-ng calls a voice in a language, for example `gmw/nl+f1`.

    The language is given by the name of its file: with others (`fr-fr+f1`), espeak-ng leaves the
    variant out without a word. Nor does it complain about unknown languages and variants.

    Raises:
        ToolkitError: espeak-ng is not installed, or does not know the language or the voice.
    """
    files = languages()
    name = files.get(ACCENTS.get(language, language))
    if name is None:
        raise unknown_name("espeak-ng language", language, sorted(files), "espeak-ng --voices")
    if voice == "default":
        return name
    if voice not in variants():
        known = ("default", *variants())
        raise unknown_name("espeak-ng voice", voice, known, "espeak-ng --voices=variant")
    return f"{name}+{voice}"


@functools.cache
def version() -> str:
    """Version of the installed espeak-ng.

    Raises:
        ToolkitError: it is not installed.
    """
    found = re.search(r"\d+(\.\d+)+", _run("--version").decode())
    return found[0] if found else "of unknown version"


@functools.cache
def languages() -> dict[str, str]:
    """Languages that the installed espeak-ng speaks without help from another program.

    Returns:
        The name of the language's file by code: `fr-fr` and `fr` both give `roa/fr`.

    Raises:
        ToolkitError: it is not installed.
    """
    best: dict[str, tuple[int, str]] = {}
    for line in _run("--voices").decode().splitlines()[1:]:
        priority, code, _, _, file, *others = line.split()
        if file.startswith("mb/"):
            continue
        codes = [(code, int(priority))]
        codes += [
            (name, int(rank)) for name, rank in re.findall(r"\((\S+) (\d+)\)", " ".join(others))
        ]
        for name, rank in codes:
            best[name] = min(best.get(name, (rank, file)), (rank, file))
    return {name: file for name, (_, file) in best.items()}


@functools.cache
def variants() -> tuple[str, ...]:
    """Voice variants of the installed espeak-ng.

    Raises:
        ToolkitError: it is not installed.
    """
    lines = _run("--voices=variant").decode().splitlines()[1:]
    # Other columns may follow, but the name itself may hold a blank: "Mr serious".
    found = (re.search(r"!v/(\S+(?: \S+)*)", line) for line in lines)
    return tuple(sorted(match[1] for match in found if match))


def trim(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut silence at the ends, bring the peak to `PEAK`, and round the length up.

    Args:
        sound: float32, shape (n_samples,), not all zero.

    Returns:
        float32, shape (a multiple of `STEP_SAMPLES`,).

    Example:
        >>> import numpy as np
        >>> sound = np.zeros(5000, dtype="float32")
        >>> sound[2000:2100] = 0.5
        >>> trim(sound).shape
        (1280,)
    """
    import numpy as np

    loudness = np.abs(sound)
    loud = np.flatnonzero(loudness > SILENCE * loudness.max())
    start = max(0, loud[0] - EDGE_SAMPLES)
    sound = sound[start : loud[-1] + 1 + EDGE_SAMPLES] * (PEAK / loudness.max())
    return np.pad(sound, (0, -len(sound) % STEP_SAMPLES)).astype(np.float32)


def _run(*arguments: str, text: str = "") -> bytes:
    """Run espeak-ng on a text and return what it writes."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise ToolkitError(
            "The program espeak-ng, which speaks the words, is not installed.",
            next_command="apt-get install espeak-ng (Linux) or brew install espeak-ng (macOS)",
        )
    done = subprocess.run(
        [program, "-b", "1", *arguments], input=text.encode(), capture_output=True
    )
    if done.returncode != 0:
        raise ToolkitError(f"espeak-ng failed: {done.stderr.decode().strip()}")
    return done.stdout
