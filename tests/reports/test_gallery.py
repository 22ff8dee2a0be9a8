"""Pictures on a page look as they were shown to the subjects."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from reports.pictures import LARGEST_PICTURE, data_address
from stimuli.media import decode_picture


@pytest.mark.parametrize(("upright", "top"), [(True, (0, 0, 255)), (False, (255, 0, 0))])
def test_picture_is_turned_on_the_page_only_if_subjects_saw_it_turned(
    upright: bool, top: tuple[int, int, int], tmp_path: Path
) -> None:
    """Browsers turn what says so, as does the reader here: red above blue, upside down."""
    path = tmp_path / "turned.png"
    image = Image.fromarray(np.zeros((32, 32, 3), np.uint8))
    image.paste((255, 0, 0), (0, 0, 32, 16))
    image.paste((0, 0, 255), (0, 16, 32, 32))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    image.save(path, exif=exif)
    content = data_address(path, upright=upright).partition(";base64,")[2]
    seen = decode_picture(base64.b64decode(content), "as a browser shows it")
    assert np.abs(seen[4, 16].astype(int) - top).max() < 40


@pytest.mark.parametrize("mode", ["I;16", "RGBA", "LA"])
def test_picture_made_smaller_for_the_page_looks_as_it_was_shown(mode: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    layers = {
        "I;16": noise.astype(np.uint16) << 8,
        "RGBA": np.stack([noise, noise, noise, noise], axis=2),
        "LA": np.stack([noise, noise], axis=2),
    }
    path = tmp_path / "large.png"
    Image.fromarray(layers[mode]).save(path)
    assert path.stat().st_size > LARGEST_PICTURE
    shown = Image.fromarray(decode_picture(path.read_bytes(), "large"))
    kind, _, content = data_address(path).partition(";base64,")
    small = decode_picture(base64.b64decode(content), "small")
    assert kind == "data:image/webp"
    assert abs(small.mean() - np.asarray(shown).mean()) < 3
