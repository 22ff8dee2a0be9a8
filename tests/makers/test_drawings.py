"""Icons that the frozen eye is trained on: what they are called, and which it never meets."""

from __future__ import annotations

import pytest

from makers.backbones.drawings import core_name, is_too_near
from makers.backbones.excluded import CONCEPTS, is_excluded
from toolkit.subjects.backbones.seeing import SHIPPED

NEAR = """
duck goat ox wolf puppy kitty pony donkey zebra mammoth panda taxi truck sailboat ship watch alarm
parasol beach plane send telegram soccer basketball sphere bike motorcycle tram moth bluesky
cupcake birthday photo videocam sofa seat throne queen mug coffee tea shark mermaid sushi ukulele
violin gavel tools drone password pencil edit create restore bunny easter palm christmas forest
"""
FAR = "lion tiger pig fox monkey giraffe mouse frog house apple keyboard pancake"


def test_the_shipped_eye_never_saw_a_test_concept() -> None:
    names = (SHIPPED / "names.txt").read_text(encoding="utf-8").split()
    assert len(names) > 1000
    assert names == sorted(set(names))
    assert [n for n in names if is_too_near(n) or is_excluded(n.replace("-", " "), "en")] == []


@pytest.mark.parametrize("concept", CONCEPTS)
def test_concepts_are_never_drawn(concept: str) -> None:
    for name in (concept, f"small-{concept}", f"{concept}-outline-24"):
        assert is_too_near(name)


def test_near_relatives_are_never_drawn() -> None:
    assert [name for name in NEAR.split() if not is_too_near(name)] == []
    assert [name for name in FAR.split() if is_too_near(name)] == []


@pytest.mark.parametrize(
    ("icon", "name"),
    [("lion-face", "lion"), ("house-2-fill", "house"), ("home2", "home"), ("outline-16", "")],
)
def test_core_names(icon: str, name: str) -> None:
    assert core_name(icon) == name
