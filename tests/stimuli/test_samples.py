"""Clips that no subject may hear: every fault names the file, in reading and in checking."""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from stimuli import open_set
from stimuli.errors import ToolkitError
from stimuli.media import convert_clip, decode_clip, encode_wav
from stimuli.writing import write_set

RATE_HZ = 16_000
Wave = NDArray[np.float32]
WAVE: Wave = (np.sin(np.arange(3200) / 7) / 2).astype(np.float32)


def sound(
    samples: Wave, form: str = "WAV", subtype: str = "FLOAT", rate_hz: int = RATE_HZ
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=form, subtype=subtype)
    return file.getvalue()


def with_value(value: float, n: int = 10) -> Wave:
    changed = WAVE.copy()
    changed[160 : 160 + n] = value
    return changed


def flac_of(n_samples: int) -> bytes:
    """A FLAC file whose header promises so many samples (36 bits; 0: it does not say)."""
    data = bytearray(sound(WAVE, "FLAC", "PCM_16"))
    data[21] = data[21] & 0xF0 | n_samples >> 32
    data[22:26] = struct.pack(">I", n_samples & 0xFFFFFFFF)
    return bytes(data)


def wave_of_rate(rate_hz: int) -> bytes:
    data = bytearray(encode_wav(WAVE))
    data[24:28] = struct.pack("<I", rate_hz)
    return bytes(data)


NO_CLIPS: list[tuple[str, bytes, str]] = [
    ("NaN", sound(with_value(np.nan)), "not finite.*in 10 of 3200 samples, first at 0.010 s"),
    ("infinity", sound(with_value(np.inf)), "not finite"),
    ("minus infinity", sound(with_value(-np.inf, 1)), "not finite"),
    ("NaN of 64 bits", sound(with_value(np.nan), subtype="DOUBLE"), "not finite"),
    ("another format", sound(WAVE, "AU"), "another one, or damaged.*allowed: WAV, FLAC, Ogg"),
    ("another format of that beginning", sound(WAVE, "WAV", "PCM_16")[:12], "cannot be read"),
    ("16-bit numbers as floats", sound(WAVE * 32768), "louder than full scale"),
    ("a little too loud", sound(with_value(-1.01, 1)), r"full scale.*a sample of 1\.01"),
    ("no samples", sound(WAVE[:0]), "no sound at all"),
    ("cut WAV", encode_wav(WAVE)[:-1000], "cut short"),
    ("cut WAV of floats", sound(WAVE)[:-1000], "cut short"),
    ("cut FLAC", sound(WAVE, "FLAC", "PCM_16")[:-1000], "cannot be read as audio"),
    ("cut Opus", sound(WAVE, "OGG", "OPUS")[:-100], "cannot be read as audio"),
    ("FLAC that promises a little more", flac_of(4000), "not as many samples as its header"),
    ("FLAC that promises far more", flac_of(2**36 - 1), "not as many samples as its header"),
    ("rate of a damaged header", wave_of_rate(268_451_456), "impossible sample rate"),
    ("rate of 1 Hz", wave_of_rate(1), "impossible sample rate"),
    ("a text", b"no sound", "cannot be read as audio"),
    ("nothing", b"", "cannot be read as audio"),
]


@pytest.mark.parametrize(
    ("data", "fault"), [row[1:] for row in NO_CLIPS], ids=[row[0] for row in NO_CLIPS]
)
def test_what_no_clip_may_hold_is_refused_by_name_in_reading_and_in_checking(
    data: bytes, fault: str, tmp_path: Path
) -> None:
    for read in (decode_clip, convert_clip):
        with pytest.raises(ToolkitError, match=rf"(?s)^sets/dog\.wav .*{fault}"):
            read(data, "sets/dog.wav")
    write_one_clip_set(tmp_path, data)
    (found,) = open_set(tmp_path).check()
    assert found.startswith(str(tmp_path / "dog.wav"))
    with pytest.raises(ToolkitError, match=r"dog\.wav"):
        open_set(tmp_path).read_clip("dog")


@pytest.mark.parametrize("form", ["AIFF", "AU", "CAF", "NIST", "RF64", "SVX", "VOC", "W64", "XI"])
def test_readers_of_other_formats_are_never_begun(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subtype = {"XI": "DPCM_16"}.get(form, "PCM_16")
    data = sound(WAVE, form, subtype)

    def begin(*_: object, **__: object) -> None:
        raise AssertionError("a reader was begun")

    monkeypatch.setattr("soundfile.SoundFile.__init__", begin)
    with pytest.raises(ToolkitError, match=r"^dog\.wav cannot be read as audio: its format"):
        convert_clip(data, "dog.wav")


@pytest.mark.parametrize("channels", [1, 2, 1000])
def test_too_much_sound_is_refused_with_the_limit_and_not_kept(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stimuli.samples.SAMPLES", 10_000)
    monkeypatch.setattr("stimuli.samples._PORTION", 1_000)
    data = sound(np.zeros((50_000 // channels, channels), np.float32), subtype="PCM_16")
    with pytest.raises(ToolkitError, match=r"dog\.wav holds too much sound") as caught:
        convert_clip(data, "dog.wav")
    assert caught.value.allowed == "at most 10,000"


def test_sound_that_another_rate_would_blow_up_is_refused_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stimuli.media.SAMPLES", 10_000)
    data = sound(WAVE, rate_hz=1_000)
    with pytest.raises(ToolkitError, match=r"samples in dog\.wav at 16000 Hz") as caught:
        convert_clip(data, "dog.wav")
    assert caught.value.given == "51,200"


@pytest.mark.parametrize("constant", [0.0, 0.25])
def test_silence_is_a_fault_of_a_set_but_can_be_read(constant: float, tmp_path: Path) -> None:
    write_one_clip_set(tmp_path, sound(np.full(3200, constant, np.float32)))
    (found,) = open_set(tmp_path).check()
    assert found.startswith(f"{tmp_path / 'dog.wav'} is silent")
    assert len(open_set(tmp_path).read_clip("dog")) == 3200


def test_clip_shorter_than_a_frame_of_speech_is_a_fault_of_a_set(tmp_path: Path) -> None:
    write_one_clip_set(tmp_path, encode_wav(WAVE[:399]), "0.0249375")
    (found,) = open_set(tmp_path).check()
    assert found.startswith(f"{tmp_path / 'dog.wav'} is too short for a word")
    write_one_clip_set(tmp_path, encode_wav(WAVE[:400]), "0.025")
    assert open_set(tmp_path).check() == []


def unknown_size(size: int) -> bytes:
    """A WAV file as programs write it to a pipe, before they know how long it will be."""
    data = bytearray(encode_wav(WAVE))
    data[40:44] = struct.pack("<I", size)
    return bytes(data)


GOOD_CLIPS: list[tuple[str, bytes]] = [
    ("floats of one step above 1", sound(with_value(32768 / 32767, 1))),
    ("lossy format that overshoots", sound(np.sign(WAVE), "OGG", "VORBIS")),
    ("WAV of a pipe, all ones", unknown_size(0xFFFFFFFF)),
    ("WAV of a pipe, as espeak-ng", unknown_size(0x7FFFF000)),
    ("8-bit WAV of an odd number of bytes", sound(WAVE[:-1], subtype="PCM_U8")),
    ("more than is read at once", encode_wav(np.tile(WAVE, 400))),
]


@pytest.mark.parametrize("data", [row[1] for row in GOOD_CLIPS], ids=[row[0] for row in GOOD_CLIPS])
def test_sound_clips_are_read_within_full_scale(data: bytes) -> None:
    clip = decode_clip(data, "dog.wav")
    assert len(clip) in (3199, 3200, 400 * 3200)
    assert np.abs(clip).max() <= 1
    assert np.array_equal(clip, convert_clip(data, "dog.wav"))


def write_one_clip_set(folder: Path, data: bytes, duration_s: str = "0.2") -> None:
    (folder / "dog.wav").write_bytes(data)
    settings = {
        "name": "dog", "version": "1", "title": "A dog", "description": "A dog.",
        "languages": ["en"], "licence": "CC0-1.0", "sample_rate_hz": RATE_HZ, "picture_size_px": 0,
    }  # fmt: skip
    row = {
        "stimulus_id": "dog", "kind": "word", "concept": "dog", "status": "familiar",
        "language": "en", "source": "made", "licence": "CC0-1.0", "split": "test",
        "path": "dog.wav", "sha256": hashlib.sha256(data).hexdigest(), "duration_s": duration_s,
    }  # fmt: skip
    write_set(folder, settings, [row])
