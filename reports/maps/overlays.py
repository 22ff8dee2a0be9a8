"""Maps to look at: a picture, and what each language finds in it, side by side."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reports.maps.sources import Sample
from reports.parts import Credit, Overlay, Tile
from stimuli.media import central_square
from toolkit.errors import ToolkitError
from toolkit.statistics.maps.measures import OVERLAP

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from stimuli import StimulusSet
    from toolkit.statistics.maps.results import GroundingAnalysis

SIDE_PX = 112
"""Side of a small picture on the page; half a map of 224 x 224 pixels."""
MOST_MAPS = 6
"""Rows of maps on a page, shared out among populations."""
MOST_POPULATIONS = 3
"""Populations of which maps are shown."""
QUALITY = 78
"""Of the WebP pictures."""
VIRIDIS = np.array(
    [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float32
)
"""Five steps of the colour scale viridis, from the lowest similarity to the highest."""
BOTH, REFERENCE, OWN = (0, 158, 115), (0, 114, 178), (213, 94, 0)
"""Colours of masks: shared with the reference, the reference's alone, the language's alone."""
Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def overlays(chapter: Chapter[GroundingAnalysis], stimuli: StimulusSet | None) -> list[Overlay]:
    """Rows of maps from the samples that runs have kept.

    Pictures and concepts are picked along the primary measure of the low-resource languages, from
    the least to the most; every population shows the same. Cluster masks are shown where the
    paradigm declares their overlap as a measure.

    Args:
        chapter: runs of a paradigm of maps.
        stimuli: their stimulus set; None if it is not at hand.
    """
    reference = chapter.statistics.reference
    kept = chapter.beside.samples if chapter.beside else ()
    samples = [own for own in kept if reference in own.languages]
    populations = list(dict.fromkeys(own.population for own in samples))[:MOST_POPULATIONS]
    if not populations:
        return []
    first = [own for own in samples if own.population == populations[0]]
    return [
        _overlay(chapter, _Drawn(own, reference), stimuli)
        for pair in _picked(first, max(2, MOST_MAPS // len(populations)), chapter)
        for own in sorted(samples, key=lambda own: own.population != populations[0])
        if (own.picture_id, own.concept) == pair and own.population in populations
    ]


class _Drawn:
    """Maps of a sample at full size, and what follows from them."""

    def __init__(self, sample: Sample, reference: str) -> None:
        from paradigms.maps.masks import cluster_mask, upsample

        self.sample = sample
        self.maps = upsample(sample.similarity)
        self.masks = [cluster_mask(one) for one in self.maps]
        self.reference = self.masks[sample.languages.index(reference)]


def _order(chapter: Chapter[GroundingAnalysis]) -> list[str]:
    known, reference = chapter.statistics.languages, chapter.statistics.reference
    rank = {"high": 1, "low": 2}
    return sorted(known, key=lambda c: 0 if c == reference else rank[known[c].resource])


def _picked(
    samples: Sequence[Sample], n: int, chapter: Chapter[GroundingAnalysis]
) -> list[tuple[str, str]]:
    """Pairs of picture and concept, spread from the least overlap to the most."""
    known = chapter.statistics.languages
    score: dict[tuple[str, str], float] = {}
    for own in samples:
        scored = {
            code: value
            for code, value in zip(own.languages, own.values, strict=True)
            if math.isfinite(value)
        }
        low = [scored[code] for code in scored if known[code].resource == "low"]
        used = low or list(scored.values()) or [0.0]
        score.setdefault((own.picture_id, own.concept), sum(used) / len(used))
    ranked = sorted(score, key=lambda pair: (score[pair], pair))
    places = np.linspace(0, len(ranked) - 1, min(n, len(ranked))).round().astype(int)
    return [ranked[place] for place in dict.fromkeys(places.tolist())]


def _overlay(
    chapter: Chapter[GroundingAnalysis], own: _Drawn, stimuli: StimulusSet | None
) -> Overlay:
    sample = own.sample
    picture = _picture(sample, stimuli)
    truth = _truth(sample, stimuli)
    grey = _greyed(picture)
    codes = [code for code in _order(chapter) if code in sample.languages]
    masks = OVERLAP in chapter.statistics.known
    tiles = [_tile(chapter, own, code, grey, truth, masks) for code in codes]
    shown = "" if picture is None else _webp(_outlined(picture, truth))
    outline = ", the true mask outlined" if truth is not None else ""
    return Overlay(
        concept=sample.concept,
        about=f"{sample.picture_id}; {sample.population}/{sample.seed}"
        + (f", {sample.template}" if sample.template else ""),
        picture=shown,
        picture_alt=f"The picture {sample.picture_id}{outline}",
        tiles=tuple(tiles),
        credit=_credit(sample.picture_id, stimuli) if shown else None,
        noun=chapter.statistics.primary.noun,
        masks=masks,
    )


def _tile(
    chapter: Chapter[GroundingAnalysis],
    own: _Drawn,
    code: str,
    grey: Pixels,
    truth: Mask | None,
    masks: bool,
) -> Tile:
    place = own.sample.languages.index(code)
    values, mask = own.maps[place], own.masks[place]
    measure, reference = chapter.statistics.primary, chapter.statistics.reference
    name = chapter.statistics.languages[code].name
    drawn = [_outlined(_coloured(_half(values), grey), truth)]
    if masks:
        drawn.append(_outlined(_masked(mask, own.reference, grey), truth))
    image = np.concatenate(drawn)
    value, label = own.sample.values[place], code
    said = f"{name}: similarity map" + " above, cluster mask below" * masks
    if code == reference:
        label += ", reference"
    if code != reference and masks and not (mask.any() or own.reference.any()):
        label += " both empty"
        said += "; empty, as the reference's is"
    elif math.isfinite(value) and not (code == reference and measure.relative):
        shown = f"{value:.2f}" if measure.bounded and measure.span <= 2 else f"{value:.4g}"
        label += f" {shown}"
        said += f"; {measure.noun}{' with the reference' * measure.relative} {shown}"
    if truth is not None:
        peak = np.unravel_index(int(_half(values).argmax()), truth.shape)
        said += f"; highest point {'inside' if truth[peak] else 'outside'} the true mask"
    return Tile(code=code, label=label, image=_webp(image), alt=said, height_px=len(image))


def _masked(mask: Mask, reference: Mask, grey: Pixels) -> Pixels:
    """A cluster mask over a picture, what it shares with the reference's told apart by colour."""
    small, other = _half_mask(mask), _half_mask(reference)
    out = grey.copy()
    for kept, colour in ((small & other, BOTH), (other & ~small, REFERENCE), (small & ~other, OWN)):
        out[kept] = _blend(out[kept], np.array(colour, np.uint8), 0.75)
    return out


def _picture(sample: Sample, stimuli: StimulusSet | None) -> Pixels | None:
    """The picture at the size of the page, as a square; None if it is not at hand."""
    from PIL import Image

    if stimuli is None:
        return None
    try:
        pixels = stimuli.read_picture(sample.picture_id)
    except (ToolkitError, KeyError):
        return None
    # Subjects see no more of a picture than its central square.
    small = Image.fromarray(central_square(pixels)).resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    return np.asarray(small)


def _truth(sample: Sample, stimuli: StimulusSet | None) -> Mask | None:
    """The true mask at the size of the page; None where there is none."""
    from paradigms.maps.masks import fit_mask

    if stimuli is None or not stimuli.has_masks:
        return None
    try:
        return fit_mask(
            central_square(stimuli.read_mask(sample.picture_id, sample.concept)), SIDE_PX
        )
    except (ToolkitError, KeyError):
        return None


def _credit(picture_id: str, stimuli: StimulusSet | None) -> Credit | None:
    if stimuli is None or picture_id not in stimuli.table.index:
        return None
    row = stimuli.table.loc[picture_id]
    source, author, licence = (str(row.get(name, "")) for name in ("source", "author", "licence"))
    return Credit(picture_id, source, author, licence)


def _greyed(picture: Pixels | None) -> Pixels:
    """A picture without colour, a little lighter; even grey where there is none."""
    if picture is None:
        return np.full((SIDE_PX, SIDE_PX, 3), 225, np.uint8)
    grey = picture.astype(np.float32).mean(axis=2, keepdims=True) * 0.7 + 255 * 0.3
    return np.repeat(grey.round().astype(np.uint8), 3, axis=2)


def _half(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Means of 2 x 2 pixels."""
    side = values.shape[0] // 2
    means: npt.NDArray[np.float32] = values.reshape(side, 2, side, 2).mean(axis=(1, 3))
    return means


def _half_mask(mask: Mask) -> Mask:
    """Pixels of which at least half is inside."""
    kept: Mask = _half(mask.astype(np.float32)) >= 0.5
    return kept


def _coloured(values: npt.NDArray[np.float32], below: Pixels) -> Pixels:
    """A map in colour over a picture, from its lowest to its highest value, which covers most."""
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low) if high > low else np.zeros_like(values)
    steps = np.linspace(0, 1, len(VIRIDIS))
    parts = [np.interp(share, steps, VIRIDIS[:, place]) for place in range(3)]
    colours = np.stack(parts, axis=-1).round().astype(np.uint8)
    return _blend(below, colours, (0.5 + 0.35 * share[..., None]).astype(np.float32))


def _blend(below: Pixels, above: Pixels, opacity: npt.ArrayLike) -> Pixels:
    share = np.asarray(opacity, np.float32)
    mixed = below.astype(np.float32) * (1 - share) + above.astype(np.float32) * share
    return mixed.round().astype(np.uint8)


def _outlined(pixels: Pixels, truth: Mask | None) -> Pixels:
    """A white line with a black one around it along the border of the true mask."""
    if truth is None:
        return pixels
    wide = _grown(truth)
    out = pixels.copy()
    out[_grown(wide) & ~wide] = 0
    out[wide & ~truth] = 255
    return out


def _grown(mask: Mask) -> Mask:
    """A mask and the pixels beside it."""
    padded = np.pad(mask, 1)
    return (
        padded[1:-1, 1:-1]
        | padded[:-2, 1:-1]
        | padded[2:, 1:-1]
        | padded[1:-1, :-2]
        | (padded[1:-1, 2:])
    )


def _webp(pixels: Pixels) -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
