"""Altered views of training stimuli: a learner never meets the same picture or word twice alike.

View 0 is the stimulus as it is. Every further view is drawn by a generator that the stimulus's
name and the number of the view decide, so that the same view comes out on every machine and in
whatever order views are made.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

VERSION = 2
"""Raised when a view of the same number comes out differently."""
TURN_DEGREES = 15.0
"""Largest turn of a picture, either way."""
ZOOM = (0.75, 1.1)
"""Smallest and largest magnification of a picture."""
SHIFT = 0.08
"""Largest shift of a picture, as a share of its side."""
SHEAR = 0.12
"""Largest slant of a picture, as a tangent."""
SPEED = (0.9, 1.12)
"""Slowest and fastest speech; pitch goes with it, as on a tape."""
TILT = ((-0.6, 0.4), (-0.3, 0.3))
"""Coefficients of a filter of one zero and one pole: another throat, another microphone."""
GAIN_DB = 6.0
"""Largest change of loudness, either way."""
NOISE_DB = (20.0, 45.0)
"""Speech level over the level of added noise."""


def view_rng(stimulus_id: str, view: int) -> np.random.Generator:
    """The generator that decides one view of one stimulus.

    Example:
        >>> bool(view_rng("dog", 3).integers(100) == view_rng("dog", 3).integers(100))
        True
    """
    digest = hashlib.sha256(f"{stimulus_id}/{view}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def picture_view(picture: NDArray[np.uint8], stimulus_id: str, view: int) -> NDArray[np.uint8]:
    """A picture mirrored, turned, slanted, zoomed, shifted, recoloured, thickened or blurred.

    Args:
        picture: RGB on white, uint8, shape (height, width, 3).
        stimulus_id: its name.
        view: number of the view; 0 gives the picture itself.

    Returns:
        The same shape.

    Example:
        >>> white = np.full((5, 7, 3), 255, dtype=np.uint8)
        >>> bool((picture_view(white, "snow", 2) == 255).all())
        True
    """
    if view == 0:
        return picture
    from PIL import Image, ImageFilter

    rng = view_rng(stimulus_id, view)
    image = Image.fromarray(picture)
    if rng.random() < 0.25:
        image = image.filter(ImageFilter.MinFilter(3))
    image = image.transform(
        image.size,
        Image.Transform.AFFINE,
        _affine(rng, image.size),
        resample=Image.Resampling.BILINEAR,
        fillcolor=(255, 255, 255),
    )
    if rng.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    ink = 255.0 - np.asarray(image, dtype=np.float32)
    return np.asarray(255.0 - np.clip(_recolour(ink, rng), 0.0, 255.0), dtype=np.uint8)


def clip_view(clip: NDArray[np.float32], stimulus_id: str, view: int) -> NDArray[np.float32]:
    """A spoken word said faster or slower, brighter or duller, over a little noise.

    Args:
        clip: mono samples in [-1, 1], shape (samples,).
        stimulus_id: its name.
        view: number of the view; 0 gives the clip itself.

    Returns:
        Samples in [-1, 1]; the length changes with the speed.

    Example:
        >>> clip_view(np.zeros(640, dtype=np.float32), "hush", 0).shape
        (640,)
    """
    if view == 0:
        return clip
    rng = view_rng(stimulus_id, view)
    places = np.arange(0.0, len(clip) - 1, rng.uniform(*SPEED))
    said = np.interp(places, np.arange(len(clip)), clip)
    zero, pole = (rng.uniform(*limits) for limits in TILT)
    said = lfilter([1.0, zero], [1.0, pole], said)
    said *= 10.0 ** (rng.uniform(-GAIN_DB, GAIN_DB) / 20.0)
    level = math.sqrt(float(np.mean(said**2))) * 10.0 ** (-rng.uniform(*NOISE_DB) / 20.0)
    said += level * rng.standard_normal(len(said))
    return np.asarray(np.clip(said, -1.0, 1.0), dtype=np.float32)


def _affine(rng: np.random.Generator, size: tuple[int, int]) -> tuple[float, ...]:
    """Pillow's six numbers (output place to input place) of a move about the middle."""
    angle = math.radians(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    zoom = rng.uniform(*ZOOM)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    slant = np.array([[1.0, rng.uniform(-SHEAR, SHEAR)], [rng.uniform(-SHEAR, SHEAR), 1.0]])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = (turn @ slant) * np.array([[mirror, 1.0]]) / zoom
    middle = np.array(size) / 2
    shift = rng.uniform(-SHIFT, SHIFT, 2) * np.array(size)
    offset = middle - matrix @ (middle + shift)
    return (*matrix[0], offset[0], *matrix[1], offset[1])


def _recolour(ink: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Tint, fade, turn grey or swap the colours of what is drawn; the ground stays white."""
    chance = rng.random()
    if chance < 0.2:
        ink = np.repeat(ink.mean(axis=2, keepdims=True), 3, axis=2)
    elif chance < 0.35:
        ink = ink[:, :, rng.permutation(3)]
    if rng.random() < 0.6:
        ink = ink * rng.uniform(0.45, 1.15, 3).astype(np.float32)
    return ink
