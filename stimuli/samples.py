"""The samples of an audio file, checked for what no clip may hold."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stimuli.errors import ToolkitError, quoted
from stimuli.limits import SAMPLES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATES_HZ = (1_000, 768_000)
"""Lowest and highest sample rate that is believed; others come of a damaged header."""
FORMATS = ("WAV", "WAVEX", "FLAC", "OGG", "MP3")
"""Formats that are read, by the names that libsndfile has for them."""
_BEGINNINGS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"\xff")
"""How files of these formats begin; the readers of others are never begun."""
_PORTION = 1 << 20
"""Samples read at once: what a damaged header promises is never laid out in memory."""
_UNKNOWN_SIZE = 0x7FFF0000
"""Programs that write to a pipe give such a size, and more, for what they do not know yet."""
_FLOATS = ("FLOAT", "DOUBLE")
"""Encodings whose samples may lie beyond [-1, 1] as they were written."""
_LARGEST = 1 + 2**-15
"""Floats may be larger by one step of 16 bits, as some programs divide by 32,767."""


def read_samples(data: bytes, name: str) -> tuple[NDArray[np.float32], int]:
    """Read an audio file.

    Args:
        data: content of the file.
        name: how to call it in an error message.

    Returns:
        Samples, float32, shape (n_samples, n_channels), all finite; and their rate in Hz. Lossy
        formats may go a little beyond [-1, 1].

    Raises:
        ToolkitError: not audio, empty, cut short, too long, of an impossible rate, with samples
            that are not finite, or with floats beyond [-1, 1].
    """
    import numpy as np
    import soundfile

    if not data.startswith(_BEGINNINGS):
        raise _other_format(name)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.format not in FORMATS:
                raise _other_format(name)
            rate_hz, is_float = int(file.samplerate), file.subtype in _FLOATS
            portions = list(_portions(file, name))
    except soundfile.LibsndfileError as error:
        reason = error.error_string.rstrip(".").lower()
        if "fseek" in reason:
            reason = "there are not as many samples as its header says"
        raise ToolkitError(f"{name} cannot be read as audio: {reason}.") from error
    samples: NDArray[np.float32] = portions[0] if len(portions) == 1 else np.concatenate(portions)
    if not len(samples):
        raise ToolkitError(f"{name} holds no sound at all; it may have been cut short.")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise ToolkitError(
            f"{name} has an impossible sample rate; it may be damaged.",
            given=f"{rate_hz} Hz",
            allowed=f"{RATES_HZ[0]:,} to {RATES_HZ[1]:,} Hz",
        )
    if _is_cut_wave(data):
        raise ToolkitError(
            f"{name} was cut short: it ends before the samples that its header tells of.",
            given=f"{len(samples) / rate_hz:.3f} s of sound",
        )
    _check_values(samples, rate_hz, name, is_float=is_float)
    return samples, rate_hz


def _portions(file: Any, name: str) -> Iterator[NDArray[np.float32]]:
    """All samples, a portion at a time, as long as there are not too many."""
    size = max(1, _PORTION // file.channels)
    n_read = 0
    while True:
        portion = file.read(size, dtype="float32", always_2d=True)
        n_read += portion.size
        if n_read > SAMPLES:
            raise ToolkitError(
                f"{name} holds too much sound to be read as one clip.",
                given=f"more than {n_read - portion.size:,} samples, all channels together",
                allowed=f"at most {SAMPLES:,}",
                next_command=f"sox {quoted(name)} part.wav trim 0 60",
            )
        yield portion
        if len(portion) < size:
            return


def _other_format(name: str) -> ToolkitError:
    return ToolkitError(
        f"{name} cannot be read as audio: its format is another one, or damaged.",
        allowed="WAV, FLAC, Ogg (Opus, Vorbis), MP3",
        next_command=f"convert it, for example: sox {quoted(name)} clip.wav",
    )


def _check_values(samples: NDArray[np.float32], rate_hz: int, name: str, *, is_float: bool) -> None:
    import numpy as np

    finite = np.isfinite(samples)
    if not finite.all():
        broken = ~finite.all(axis=1)
        raise ToolkitError(
            f"{name} holds samples that are not finite.",
            given=f"NaN or infinity in {int(broken.sum())} of {len(samples)} samples, "
            f"first at {int(broken.argmax()) / rate_hz:.3f} s",
            allowed="samples within [-1, 1]",
            next_command="make it again; mevgs-toolkit check-stimuli DIR lists all such clips",
        )
    peak = float(np.abs(samples).max()) if is_float else 0.0
    if peak > _LARGEST:
        raise ToolkitError(
            f"{name} is louder than full scale; its loudest parts would be cut off.",
            given=f"a sample of {peak:.4g}",
            allowed="samples within [-1, 1]",
            next_command=f"sox --norm=-1 {quoted(name)} quieter.wav",
        )


def _is_cut_wave(data: bytes) -> bool:
    """Whether a WAV file ends before its samples do; libsndfile takes what there is."""
    place = 12
    while data[:4] == b"RIFF" and place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"data":
            return size < _UNKNOWN_SIZE and place + 8 + size > len(data)
        place += 8 + size + size % 2
    return False
