"""Figures as they are seen: contrast on every ground, names that cover nothing, one unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports import drawing
from reports.figures import COLOURS, Figure
from reports.labels import SIDES, Panel, padded
from reports.maps import charts, matrices
from reports.overview import Estimated, Forest
from reports.page import chapter_figures
from reports.sources import read_chapters
from stimuli import StimulusSet
from tests.grounding_runs import write_whole_run

CSS = Path(drawing.__file__).parent / "templates" / "report.css"
LEAST = 3.0
"""Contrast that WCAG 2 asks of graphical objects."""
BANDS = ("area", "rect")
"""Marks that lie beneath others: bands of intervals, whose middle is drawn besides."""


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2)."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * s for weight, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def grounds() -> dict[str, str]:
    """What figures stand on: panel and page in light and dark, and paper."""
    css = CSS.read_text(encoding="utf-8")
    blocks = {name: css.index(start) for name, start in (
        ("light", ":root"), ("dark", "prefers-color-scheme: dark"), ("paper", "@media print"),
    )}  # fmt: skip
    found = {}
    for name, start in blocks.items():
        for what in ("paper", "panel"):
            colour = re.compile(rf"--{what}: (#[0-9a-f]+);").search(css, start)
            assert colour is not None
            digits = colour[1][1:]
            found[f"{name} {what}"] = "#" + (digits if len(digits) == 6 else digits[:1] * 6)
    return found


def blended(colour: str, ground: str, opacity: float) -> str:
    mixed = [
        round(opacity * int(colour[p : p + 2], 16) + (1 - opacity) * int(ground[p : p + 2], 16))
        for p in (1, 3, 5)
    ]
    return "#" + "".join(f"{value:02x}" for value in mixed)


def opacities(figure: Figure) -> Iterator[tuple[str, str, float]]:
    """Kind of mark, colour and opacity of everything that is drawn in a colour of categories."""
    kind = ""
    for tag in re.findall(r"<[^>]+>", drawing.svg(figure.spec(), "x")):
        if group := re.search(r'class="mark-(\w+)', tag):
            kind = group[1]
        told = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        for what in ("fill", "stroke"):
            colour = told.get(what, "").lower()
            if colour in COLOURS:
                share = float(told.get("opacity", 1)) * float(told.get(f"{what}-opacity", 1))
                yield kind, colour, share


def test_colours_of_categories_are_seen_on_every_ground() -> None:
    seen = grounds()
    assert len(set(seen.values())) == 4, "light and dark, page and panel; paper is white"
    for name, ground in seen.items():
        for colour in COLOURS:
            assert contrast(colour, ground) >= LEAST, (colour, name)
    assert contrast(COLOURS[0], blended(COLOURS[0], seen["dark panel"], 0.45)) < LEAST
    for place, colour in enumerate(COLOURS):
        assert colour not in COLOURS[:place]


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory, scenes_set: StimulusSet) -> Path:
    return write_whole_run(tmp_path_factory.mktemp("drawn") / "run", scenes_set)


def test_nothing_in_a_colour_of_categories_is_faint(runs: dict[str, Path], maps: Path) -> None:
    n_seen, worst = 0, set()
    for folder in (runs["me"], runs["translation"], maps):
        for figure in chapter_figures(read_chapters([folder], 0)[0], None):
            for kind, colour, share in opacities(figure):
                n_seen += 1
                low = min(
                    contrast(blended(colour, ground, share), ground)
                    for ground in grounds().values()
                )
                if low < LEAST and kind not in BANDS:
                    worst.add((figure.name, kind, colour, share))
    assert n_seen > 100
    assert not worst


def test_names_cover_neither_points_nor_each_other() -> None:
    panel = Panel(300, 200)
    x, y = [0.1, 0.11, 0.5, 0.52, 0.9], [0.5, 0.5, 0.5, 0.52, 0.1]
    words = ["ca", "pt", "es", "eu", "zh-TW"]
    ends = padded(x), padded(y)
    sides = panel.place(words, x, y, ends)
    assert set(sides) <= {*SIDES, ""}
    assert sides.count("") == 0
    assert sides[0] != sides[1]
    crowded = panel.place(["word"] * 40, [0.5] * 40, [0.5] * 40, ends)
    assert 0 < len([side for side in crowded if side]) <= 4, "where there is no room, no name"


def test_names_that_differ_at_their_ends_are_told_apart() -> None:
    names = [f"monolingual-en-draws_familiar-concepts-{number}, en" for number in (6, 24)]
    forest = Forest("f", "F", "points", 0, "difference", "points", 1, "Caption.", "names")
    figure = forest.figure([Estimated(name, (1.0, 0.5, 1.5)) for name in names])
    assert figure is not None
    drawn = drawing.svg(figure.spec(), "f")
    assert all(name in drawn for name in names)


def test_cells_and_legend_of_a_matrix_have_one_unit(maps: Path) -> None:
    chapter = read_chapters([maps], 0)[0]
    for figure in (matrices.agreement(chapter), matrices.words(chapter)):
        assert figure is not None
        for panel in figure.chart["vconcat"]:
            cells, numbers = panel["layer"]
            field = cells["encoding"]["color"]["field"]
            assert numbers["encoding"]["text"]["field"] == "shown"
            for row in panel["data"]["values"]:
                assert float(row["shown"]) == pytest.approx(row[field], abs=0.00501)
        assert "x 100" not in figure.caption


def test_small_multiples_share_what_they_are_compared_on(maps: Path, runs: dict[str, Path]) -> None:
    languages = charts.by_language(read_chapters([maps], 0)[0])
    assert languages is not None
    assert languages.chart["resolve"]["scale"]["x"] == "shared"
    figures = {f.name: f for f in chapter_figures(read_chapters([runs["me"]], 0)[0], None)}
    assert "resolve" not in figures["margins"].chart, "facets share axes unless told otherwise"
    domains = [panel["layer"][-1]["encoding"]["x"]["scale"]["domain"]
               for panel in figures["items"].chart["concat"]]  # fmt: skip
    assert domains == [[0, 100]] * 2
