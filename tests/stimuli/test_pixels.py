"""Every mode, depth, transparency and orientation of a picture, against readers of our own."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

import stimuli
from stimuli.errors import ToolkitError
from stimuli.limits import PIXELS
from stimuli.media import decode_picture
from tests.stimuli import literal_png, literal_tiff

HEIGHT, WIDTH = 5, 7
Ints = NDArray[np.int64]

PNG_KINDS = [
    (colour, depth, clear)
    for colour, depths in literal_png.DEPTHS.items()
    for depth in depths
    for clear in (False, True)
    if not (clear and colour in (4, 6))
]
"""Colour types, depths, and whether a palette entry or a single colour is transparent."""


@pytest.mark.parametrize(("colour", "depth", "clear"), PNG_KINDS)
def test_png_of_every_kind_is_read_as_a_literal_reader_reads_it(
    colour: int, depth: int, clear: bool
) -> None:
    rng = np.random.default_rng([colour, depth])
    for interlaced, orientation in itertools.product((False, True), range(1, 9)):
        samples = drawn(rng, literal_png.CHANNELS[colour], depth)
        chunks = [*colour_chunks(rng, samples, colour, depth, clear=clear)]
        chunks.append(literal_png.orientation_chunk(orientation))
        data = literal_png.write(samples, colour, depth, chunks, interlaced=interlaced)
        assert np.array_equal(decode_picture(data, "picture"), literal_png.read(data))


def test_every_colour_of_every_opacity_is_rounded_to_the_nearest_on_white() -> None:
    colour, opacity = np.meshgrid(np.arange(256), np.arange(256))
    data = literal_png.write(np.stack([colour, opacity], axis=2), 4, 8)
    exact = 255 - opacity + colour * opacity / 255
    assert np.abs(decode_picture(data, "picture")[:, :, 0] - exact).max() < 0.5


@pytest.mark.parametrize("factor", [256, 257])
def test_sixteen_bits_of_grey_and_of_colour_give_the_picture_of_eight(factor: int) -> None:
    eight = np.arange(256).reshape(16, 16, 1)
    told = decode_picture(literal_png.write(eight, 0, 8), "8 bits")
    assert np.unique(told).size == 256
    for colour, samples in ((0, eight), (2, np.repeat(eight, 3, axis=2))):
        data = literal_png.write(samples * factor, colour, 16)
        assert np.array_equal(decode_picture(data, "16 bits"), told)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", [1, 6])
def test_tiff_of_every_kind_is_read_by_the_same_rule(order: str, orientation: int) -> None:
    rng = np.random.default_rng(0)
    n_read = 0
    for photometric, depth, extra in TIFF_KINDS:
        channels = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4}[photometric] + len(extra)
        samples = drawn(rng, channels, depth)
        if extra == (1,):
            samples[..., :-1] = samples[..., :-1] * samples[..., -1:] // (2**depth - 1)
        palette = rng.integers(0, 256, (2**depth if photometric == 3 else 0, 3))
        data = literal_tiff.write(
            samples,
            depth,
            photometric,
            order=order,
            orientation=orientation,
            extra=extra,
            palette=[int(value) * 257 for value in palette.T.ravel()],
        )
        try:
            shown = decode_picture(data, "picture")
        except ToolkitError:
            # Some versions of Pillow do not know some of these kinds; none may misread them.
            continue
        seen = tiff_colours(samples, depth, photometric, extra, palette)
        off = shown - literal_png.turned(seen, orientation)
        assert off.max() <= 0, (photometric, depth, extra)
        assert off.min() >= (-1 if extra == (1,) else 0), (photometric, depth, extra)
        n_read += 1
    assert n_read >= 20


TIFF_KINDS: list[tuple[int, int, tuple[int, ...]]] = [
    *((0, depth, ()) for depth in (1, 2, 4, 8, 16)),
    *((1, depth, ()) for depth in (1, 2, 4, 8, 12, 16)),
    *((1, 8, (extra,)) for extra in (0, 1, 2)),
    *((2, depth, ()) for depth in (8, 16)),
    *((2, depth, (extra,)) for depth in (8, 16) for extra in (0, 1, 2)),
    *((3, depth, ()) for depth in (1, 2, 4, 8)),
    *((5, depth, ()) for depth in (8, 16)),
]
"""What colours are, bits a sample, and what a last channel is: nothing, opacity that colours are
multiplied by, or opacity."""


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("depth", "kind"), [(8, 2), (16, 2), (32, 1), (32, 2), (32, 3), (64, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_samples_without_a_known_range_are_refused_and_never_guessed(
    order: str, depth: int, kind: int, channels: int
) -> None:
    samples = np.ones((HEIGHT, WIDTH, channels))
    photometric = 1 if channels == 1 else 2
    data = literal_tiff.write(samples, depth, photometric, order=order, kind=kind)
    with pytest.raises(ToolkitError, match=r"^sets/plant\.tif cannot be read as a picture: "):
        decode_picture(data, "sets/plant.tif")


def test_refusal_says_what_is_read_and_how_to_convert() -> None:
    with pytest.raises(ToolkitError, match="no known range") as caught:
        decode_picture(saved(Image.new("F", (2, 2)), "TIFF"), "my pictures/plant.tif")
    assert caught.value.allowed == "unsigned samples of 1 to 16 bits"
    assert "magick 'my pictures/plant.tif'" in str(caught.value.next_command)


GREY = np.arange(0, 250, 250 // 35)[: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH, 1)
COLOUR = np.concatenate([GREY, 255 - GREY, GREY // 2], axis=2)
SEEN = np.concatenate([COLOUR, GREY], axis=2)
EXACT: list[tuple[str, Ints, dict[str, Any]]] = [
    ("BMP", GREY, {}),
    ("BMP", COLOUR, {}),
    ("GIF", GREY, {}),
    ("WEBP", COLOUR, {"lossless": True}),
    ("WEBP", SEEN, {"lossless": True, "exact": True}),
]


@pytest.mark.parametrize(("form", "samples", "options"), EXACT)
def test_formats_that_lose_nothing_are_read_exactly(
    form: str, samples: Ints, options: dict[str, Any]
) -> None:
    image = Image.fromarray(samples.astype(np.uint8).squeeze())
    assert np.array_equal(decode_picture(saved(image, form, **options), form), on_white(samples))


@pytest.mark.parametrize(("form", "mode"), [("TIFF", "I;16"), ("TIFF", "I;16B"), ("PNG", "I;16")])
def test_sixteen_bits_of_grey_keep_their_upper_eight_in_every_format(form: str, mode: str) -> None:
    samples = (GREY * 257).astype(">u2" if mode == "I;16B" else "<u2")
    image = Image.frombytes(mode, (WIDTH, HEIGHT), samples.tobytes())
    options = {"compression": "tiff_lzw"} if (form, mode) == ("TIFF", "I;16") else {}
    assert np.array_equal(decode_picture(saved(image, form, **options), form), on_white(GREY))


@pytest.mark.parametrize(
    "ink", [(0, 0, 0, 0), (10, 200, 30, 0), (200, 100, 50, 60), (0, 0, 0, 255)]
)
def test_cmyk_of_jpeg_is_the_right_way_round(ink: tuple[int, int, int, int]) -> None:
    data = saved(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    assert b"Adobe" in data
    paper = [(255 - value) * (255 - ink[3]) / 255 for value in ink[:3]]
    assert np.abs(decode_picture(data, "picture").astype(int) - paper).max() <= 3


@pytest.mark.parametrize("colour", [(0, 128, 128), (255, 128, 128), (150, 100, 180), (90, 150, 60)])
def test_ycbcr_is_converted_as_jfif_says(colour: tuple[int, int, int]) -> None:
    data = saved(Image.new("YCbCr", (4, 4), colour), "TIFF")
    y, cb, cr = colour[0], colour[1] - 128, colour[2] - 128
    rgb = [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb]
    try:
        shown = decode_picture(data, "picture")
    except ToolkitError:
        pytest.skip("this version of Pillow does not read what it writes")
    assert np.abs(shown[0, 0] - np.clip(rgb, 0, 255)).max() <= 1


@pytest.mark.parametrize(
    "lab", [(0, 0, 0), (100, 0, 0), (50, 20, 30), (70, -40, 10), (30, 10, -50)]
)
def test_cielab_is_converted_by_its_definition(lab: tuple[int, int, int]) -> None:
    lightness, a, b = lab
    samples = np.tile([round(lightness * 2.55), a % 256, b % 256], (4, 4, 1))
    shown = decode_picture(literal_tiff.write(samples, 8, 8), "picture")[0, 0]
    assert np.abs(shown - srgb_of_lab(round(lightness * 2.55) / 2.55, a, b)).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "MPO"])
def test_orientation_is_obeyed_in_every_format(form: str, orientation: int) -> None:
    corners = np.full((32, 48, 3), 255)
    corners[:16, :16], corners[:16, 32:], corners[16:, :16] = (255, 0, 0), (0, 128, 0), (0, 0, 255)
    image = Image.fromarray(corners.astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"quality": 100} if form != "PNG" else {}
    if form == "MPO":
        options |= {"save_all": True, "append_images": [Image.new("RGB", (48, 32))]}
    shown = decode_picture(saved(image, form, exif=exif, **options), form)
    expected = literal_png.turned(corners, orientation)
    assert shown.shape == expected.shape
    middles = slice(8, None, 16)
    assert np.abs(shown[middles, middles] - expected[middles, middles]).max() <= 8


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_first_frame_of_an_animation_counts(form: str) -> None:
    red, blue = (Image.new("RGB", (8, 6), colour) for colour in ("red", "blue"))
    options = {} if form != "WEBP" else {"lossless": True}
    data = saved(red, form, save_all=True, append_images=[blue], **options)
    assert (decode_picture(data, form) == (255, 0, 0)).all()


@pytest.mark.parametrize("clear", [None, 0])
def test_paper_around_the_first_frame_of_a_gif_is_white(clear: int | None) -> None:
    image = Image.new("P", (3, 2), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    options = {} if clear is None else {"transparency": clear}
    data = bytearray(saved(image, "GIF", optimize=False, **options))
    data[6:10] = struct.pack("<HH", 5, 4)
    expected = np.full((4, 5, 3), 255)
    expected[:2, :3] = (255, 0, 0)
    assert np.array_equal(decode_picture(bytes(data), "picture"), expected)


def test_pictures_that_would_fill_the_memory_are_refused_before_they_are_read() -> None:
    head = struct.pack(">IIBBBBB", 9000, 9000, 1, 0, 0, 0, 0)
    data = bytearray(literal_png.write(np.zeros((1, 1, 1), np.int64), 0, 1))
    data[16:29] = head
    data[29:33] = struct.pack(">I", zlib.crc32(b"IHDR" + head))
    with pytest.raises(ToolkitError, match="9000 x 9000 pixels") as caught:
        decode_picture(bytes(data), "picture")
    assert "-resize" in str(caught.value.next_command)


def test_bytes_that_make_a_reader_stumble_are_faults_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise RuntimeError("Failed to decode image")

    monkeypatch.setattr(Image, "open", stumble)
    with pytest.raises(ToolkitError, match=r"^sets/plant\.webp cannot be read .*Failed to decode"):
        decode_picture(b"", "sets/plant.webp")


OTHERS = ["EPS", "JPEG2000", "PPM", "ICO", "PCX", "TGA", "SGI", "PDF"]
"""Formats that Pillow writes, and nobody means."""


@pytest.mark.parametrize("form", OTHERS)
def test_other_formats_are_refused_by_what_is_allowed_and_begin_no_program(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*command: object, **_: object) -> None:
        raise AssertionError(f"a program was started: {command}")

    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    data = saved(Image.new("RGB", (16, 16)), form)
    with pytest.raises(ToolkitError, match=r"^sets/plant\.png cannot be read as a pict") as caught:
        decode_picture(data, "sets/plant.png")
    assert caught.value.allowed == "PNG, JPEG, WebP, GIF, BMP, TIFF"


@pytest.mark.parametrize("form", ["PNG", "GIF", "TIFF", "BMP"])
def test_a_picture_with_too_many_pixels_is_refused_before_they_are_read(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: object) -> None:
        raise AssertionError("its pixels were read")

    data = saved(Image.new("1", (PIXELS // 5000 + 1, 5000)), form)
    for reader in (PngImageFile, GifImageFile, TiffImageFile, BmpImageFile):
        monkeypatch.setattr(reader, "load", read)
    with pytest.raises(ToolkitError, match="it has 6711 x 5000 pixels") as caught:
        decode_picture(data, "sets/plant")
    assert caught.value.allowed == "at most 33,554,432 pixels"


@pytest.mark.parametrize("form", ["BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"])
def test_picture_cut_short_is_refused_by_name(form: str) -> None:
    rng = np.random.default_rng(1)
    data = saved(Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)), form)
    with pytest.raises(ToolkitError, match=r"^sets/plant cannot be read as a picture"):
        decode_picture(data[: len(data) // 2], "sets/plant")


def test_shipped_pictures_are_what_a_plain_reader_makes_of_them() -> None:
    root = Path(stimuli.__file__).parent
    paths = [path for path in sorted(root.rglob("*")) if path.suffix in (".webp", ".png")]
    assert len(paths) > 1700
    for path in paths:
        with Image.open(path) as image:
            plain = np.asarray(image.convert("RGB"))
        assert np.array_equal(decode_picture(path.read_bytes(), path.name), plain), path


def drawn(rng: np.random.Generator, channels: int, depth: int) -> Ints:
    """Samples of any value; a quarter of them have the colour of the first."""
    samples: Ints = rng.integers(0, 2**depth, (HEIGHT, WIDTH, channels))
    samples[::2, ::2] = samples[0, 0]
    # A neighbour that differs in its last bit alone is another colour.
    samples[1, 1] = samples[0, 0]
    samples[1, 1, -1] ^= 1
    return samples


def colour_chunks(
    rng: np.random.Generator, samples: Ints, colour: int, depth: int, *, clear: bool
) -> list[tuple[bytes, bytes]]:
    """Palette, and what is transparent."""
    chunks = []
    if colour == 3:
        chunks.append((b"PLTE", rng.integers(0, 256, 3 * 2**depth, np.uint8).tobytes()))
    if clear and colour == 3:
        chunks.append((b"tRNS", rng.integers(0, 256, 2**depth - 1, np.uint8).tobytes()))
    elif clear:
        first = samples[0, 0].tolist()
        chunks.append((b"tRNS", struct.pack(f">{len(first)}H", *first)))
    return chunks


def tiff_colours(
    samples: Ints, depth: int, photometric: int, extra: tuple[int, ...], palette: Ints
) -> Ints:
    """What TIFF 6.0 says that samples look like, on white."""
    eight = samples >> (depth - 8) if depth > 8 else samples * 255 // (2**depth - 1)
    if photometric == 3:
        return palette[samples[..., 0]]
    if photometric == 5:
        ink, black = eight[..., :3], eight[..., 3:]
        return np.rint((255 - ink) * (255 - black) / 255).astype(np.int64)
    if photometric == 0:
        eight = 255 - eight
    if extra == (1,):
        eight[..., :-1] += 255 - eight[..., -1:]
    return on_white(eight if extra == (2,) else eight[..., : eight.shape[2] - len(extra)])


def on_white(eight: Ints) -> Ints:
    """Grey, grey with opacity, colour or colour with opacity as colours on white."""
    channels = eight.shape[2]
    colours = np.repeat(eight[..., :1], 3, axis=2) if channels < 3 else eight[..., :3]
    if channels in (1, 3):
        return colours
    opacity = eight[..., -1:]
    return np.rint(255 - opacity + colours * opacity / 255).astype(np.int64)


def srgb_of_lab(lightness: float, a: float, b: float) -> NDArray[np.float64]:
    """CIELAB (D50) to sRGB: CIE 15, IEC 61966-2-1, and the adapted matrix of the ICC."""
    middle = (lightness + 16) / 116
    parts = np.array([middle + a / 500, middle, middle - b / 200])
    delta = 6 / 29
    ratios = np.where(parts > delta, parts**3, 3 * delta**2 * (parts - 4 / 29))
    xyz = ratios * (0.9642, 1.0, 0.8249)
    matrix = np.array(
        [[3.1339, -1.6169, -0.4906], [-0.9785, 1.9160, 0.0333], [0.0720, -0.2290, 1.4057]]
    )
    linear = np.clip(matrix @ xyz, 0, 1)
    shown: NDArray[np.float64] = 255 * np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return shown


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()
