"""Scenes of drawings: who stands where, how often, and the shipped set."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from makers.sets import build_scenes, drawing
from stimuli import StimulusSet, open_set

DRAWINGS_OF_THE_CLIP = (
    Path(__file__).parents[2]
    / "toolkit" / "subjects" / "weights" / "multilingual-clip" / "drawings.csv"
)  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> StimulusSet:
    """The scenes that come with the toolkit."""
    return open_set("scenes")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_things_and_drawings_stand_equally_often() -> None:
    rows = [
        {"concept": concept, "source": f"{concept}{number}"}
        for concept in ("bus", "car", "cat", "dog", "key", "sun", "tree")
        for number in range(2)
    ]
    scenes = build_scenes.plan(rows, np.random.default_rng(5), n_scenes=14)
    things = Counter(placed.concept for scene in scenes for placed in scene)
    assert sum(things.values()) == 7 * 3 + 7 * 4
    assert max(things.values()) - min(things.values()) <= 2, "two pairs never meet"
    sources: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for scene in scenes:
        assert not {"bus", "car"} <= {placed.concept for placed in scene}
        assert not {"cat", "dog"} <= {placed.concept for placed in scene}
        for placed in scene:
            sources[placed.concept][placed.source] += 1
            least, most = build_scenes.SIZES_PX[len(scene)]
            assert least <= placed.size_px <= most
    for counts in sources.values():
        assert max(counts.values()) - min(counts.values()) <= 1


def test_drawings_keep_apart_and_masks_show_them() -> None:
    random = np.random.default_rng(2)
    cuts = [np.zeros((height, 9, 4), np.uint8) for height in (5, 7, 11)]
    for number, cut in enumerate(cuts):
        cut[1:-1, 1:-1] = (10 * number, 0, 0, 255)
    sheet = np.full((44, 44, 3), 250, np.uint8)
    masks = build_scenes.put(sheet, cuts, random)
    assert np.sum(masks, axis=0).max() == 1
    assert (sheet[~np.any(masks, axis=0)] == 250).all()
    for number, mask in enumerate(masks):
        assert (sheet[mask] == (10 * number, 0, 0)).all()
        rows, columns = np.nonzero(mask)
        assert rows.min() > build_scenes.GAP_PX
        assert columns.max() < 43 - build_scenes.GAP_PX


def test_a_cut_out_drawing_fills_its_box() -> None:
    pytest.importorskip("resvg_py", reason="drawings are rendered with the extra build")
    body = '<circle cx="8" cy="8" r="3" fill="none" stroke="currentColor" stroke-width="1"/>'
    icons = {"icons": {"ring": {"body": body}}}
    cut = drawing.cut_out(icons, "ring", "#102030", 50)
    assert cut.shape == (50, 50, 4)
    np.testing.assert_allclose(cut[25, 2], (0x10, 0x20, 0x30, 255), atol=2)
    assert cut[25, 25, 3] == 0
    assert drawing.silhouette(cut)[25, 25], "the inside of an outline belongs to the drawing"
    assert not drawing.silhouette(cut)[0, 0]


def test_the_shipped_scenes_are_sound(shipped: StimulusSet) -> None:
    assert shipped.check() == []
    assert len(shipped.table) == 96
    counts = shipped.objects["stimulus_id"].value_counts()
    assert set(counts) == {3, 4}
    assert set(shipped.objects["concept"].value_counts()) == {21}
    words = shipped.words
    assert set(shipped.objects["concept"]) < set(words.words)
    assert len(words.languages) == 13
    for code in words.languages:
        said = [words.text(concept, code, "bare") for concept in words.words]
        assert len(set(said)) == 20, f"a word names two things in {code}"
    assert words.text("car", "eu", "article") == "auto bat"
    assert words.text("dog", "zh-CN", "article") == "一只狗"
    assert words.text("cat", "ru", "article") == "кошка"
    assert sum(f.stat().st_size for f in shipped.folder.rglob("*") if f.is_file()) < 2_000_000


def test_every_drawing_of_a_scene_is_attributed(shipped: StimulusSet) -> None:
    selected = read(shipped.folder / "selection.csv")
    counts = Counter(row["source"].removeprefix("iconify:").split("/")[0] for row in selected)
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    for icon_set, n_drawings in counts.items():
        lines = [line for line in notice.splitlines() if line.startswith(f"* {icon_set}: ")]
        assert len(lines) == 1, icon_set
        assert lines[0].endswith(f"({n_drawings})"), icon_set


def test_no_drawing_of_a_scene_was_trained_on(shipped: StimulusSet) -> None:
    if not DRAWINGS_OF_THE_CLIP.is_file():
        pytest.skip("the population multilingual-clip is not here")
    splits = {(row["concept"], row["source"]): row["split"] for row in read(DRAWINGS_OF_THE_CLIP)}
    used = list(zip(shipped.objects["concept"], shipped.objects["source"], strict=True))
    assert {splits.get(one) for one in used} == {"test"}
    trained = {source for (_, source), split in splits.items() if split == "train"}
    assert not trained & {source for _, source in used}
    selected = read(shipped.folder / "selection.csv")
    assert {(row["concept"], row["source"]) for row in selected} == set(used)
