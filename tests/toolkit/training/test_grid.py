"""Grid files and options: what they ask for, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ToolkitError
from toolkit.subjects.vgs.families import listed
from toolkit.training.conditions import known_populations, languages_of, seeds_of
from toolkit.training.draws import Draws
from toolkit.training.grid import EXAMPLE, changed, make_grid, read_grid, value_of
from toolkit.training.recipe import PUBLISHED, Recipe


def test_example_is_a_grid_that_can_be_read() -> None:
    grid = read_grid(EXAMPLE)
    names = [condition.name for condition in grid.conditions]
    assert names == [
        f"{name}_size-{size}"
        for name in ("monolingual-en", "monolingual-nl", "bilingual-en-nl")
        for size in ("xsm", "sm")
    ]
    assert grid.seeds == ("a", "b")
    assert (grid.stimuli, grid.hearing, grid.seeing) == ("mini", "hearing", "seeing")
    assert grid.conditions[1].recipe.width == 128


def test_every_key_that_the_example_names_is_one(tmp_path: Path) -> None:
    """Its comments, too, hold nothing that is refused."""
    lines = EXAMPLE.read_text().splitlines()
    shown = [line.removeprefix("# ") for line in lines if line.startswith("# ") and " = " in line]
    assert len(shown) == 7
    head, grid = "\n".join(lines).split("[grid]\n")
    path = tmp_path / "grid.toml"
    path.write_text(
        "\n".join([head, *shown, "[grid]", grid.replace("size =", "negatives = [3] #")])
    )
    recipe = read_grid(path).conditions[0].recipe
    assert (recipe.epochs, recipe.width, recipe.negatives) == (24, 256, 3)
    assert listed() in "\n".join(lines), "all families, as the command's help names them"
    keys = set(" ".join(lines).replace(",", " ").replace("#", " ").split())
    assert set(Recipe.__dataclass_fields__) - keys == {"width", "embedding"} - keys


def test_everything_is_combined() -> None:
    grid = make_grid(
        [["nl", "en"], ["de"], []],
        3,
        start="published",
        values={"epochs": 12},
        axes={
            "equal_updates": [True, False],
            "temperature": ["published", "capped"],
            "size": ["lg"],
        },
    )
    assert len(grid.conditions) == 3 * 4
    first = grid.conditions[0]
    assert first.name == "bilingual-en-nl_equal-updates-true_temperature-published"
    assert first.languages == ("en", "nl")
    assert (first.recipe.epochs, first.recipe.width, first.recipe.items) == (12, 512, 60)
    assert {c.recipe.temperature for c in grid.conditions} == {"published", "capped"}
    assert grid.conditions[-1].languages == ()
    assert grid.conditions[-1].recipe.epochs == grid.conditions[-1].recipe.n_updates == 0
    assert len({c.name for c in grid.conditions}) == 12


def test_numbers_of_familiar_concepts_are_combined_like_values_of_the_recipe() -> None:
    axes = {"familiar_concepts": [6, 24], "exemplars": [2, 30]}
    grid = make_grid([["en"]], 1, familiar_draws=5, axes=axes)
    assert [condition.name for condition in grid.conditions] == [
        f"monolingual-en-draws_familiar-concepts-{n}_exemplars-{k}"
        for n in (6, 24)
        for k in (2, 30)
    ]
    assert [(c.draws, c.recipe.exemplars) for c in grid.conditions[1:3]] == [
        (Draws(5, 6), 30), (Draws(5, 24), 2)
    ]  # fmt: skip
    with pytest.raises(ToolkitError, match=r"familiar_concepts in \[grid\] without"):
        make_grid([["en"]], 1, axes=axes)


def test_links_are_trained_in_one_language_too() -> None:
    axes = {"family": ["clip", "clip-two-audios"]}
    grid = make_grid([["en"], ["en", "nl"]], "a", start="published", axes=axes)
    assert [condition.name for condition in grid.conditions] == [
        "monolingual-en_family-clip",
        "monolingual-en_family-clip-two-audios",
        "bilingual-en-nl_family-clip",
        "bilingual-en-nl_family-clip-two-audios",
    ]


def test_families_have_their_published_values() -> None:
    axes = {"family": ["clip", "clip-two-audios", "mattnet", "barlip"]}
    recipes = [c.recipe for c in make_grid([["en"]], "a", start="published", axes=axes).conditions]
    assert [recipe.items for recipe in recipes] == [60, 60, 60, 768]
    assert [recipe.epochs for recipe in recipes] == [24, 24, 34, 24]
    assert [recipe.peak_lr for recipe in recipes] == [2e-4, 2e-4, 8e-5, 4e-5]
    (one,) = make_grid(
        [["en"]], "a", start="published", values={"family": "barlip", "items": 96}
    ).conditions
    assert (one.recipe.items, one.recipe.peak_lr) == (96, 4e-5)


def test_one_value_needs_no_name() -> None:
    grid = make_grid([["en", "fr", "nl"], list("abcd")], "a", axes={"size": ["md"]})
    assert [c.name for c in grid.conditions] == ["trilingual-en-fr-nl", "multilingual-a-b-c-d"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("grid = ", ["not valid TOML"]),
        ("stimulus = 'mini'", ["stimulus (line 1) is not known", "did you mean: stimuli"]),
        ("stimuli = 3", ["stimuli", "given: 3"]),
        ("[recipe]\nepoch = 3", ["recipe.epoch (line 2) is not known", "did you mean: epochs"]),
        (
            "[grid]\nlanguage = [['en']]",
            ["grid.language (line 2)", "did you mean: languages"],
        ),
        ("[grid]\nsize = ['md']", ["grid.languages (line 1) is lacking"]),
        ("[grid]\nlanguages = ['en', 'nl']", ["grid.languages[0] (line 2)", "a list"]),
        ("[grid]\nlanguages = []", ["a list of lists"]),
        ("[grid]\nlanguages = [['en', 'en']]", ["named twice"]),
        ("[grid]\nlanguages = [['en']]\nsize = 'md'", ["size", "a list of values"]),
        ("[grid]\nlanguages = [['en']]\nsize = ['mdd']", ["did you mean: md"]),
        ("[grid]\nlanguages = [['en']]\nfamily = ['klip']", ["did you mean: clip"]),
        ("[grid]\nlanguages = [['en']]\nseeds = 'a b'", ["seed"]),
        ("[grid]\nlanguages = [['en']]\nseeds = 0", ["at least one seed"]),
        ("[grid]\nlanguages = [['en']]\nseeds = true", ["seeds"]),
        ("[grid]\nlanguages = [['en']]\nseeds = 2147483648", ["given: 2,147,483,648", "10,000"]),
        (f"[grid]\nlanguages = [['en']]\nseeds = '{'9' * 5000}'", ["at most 10,000"]),
        (f"[grid]\nlanguages = [['en']]\nseeds = '{'a' * 10001}'", ["at most 10,000"]),
        (
            f"[grid]\nlanguages = [['en'], ['nl']]\nseeds = 1000\nitems = {list(range(1, 60))}",
            ["populations times seeds", "given: 118,000", "at most 100,000"],
        ),
        ("[grid]\nlanguages = [['en']]\nseeds = [[-inf, {}], false]", ["grid.seeds[0]", "text"]),
        ("[grid]\nlanguages = [['en']]\nseeds = ['a', 3]", ["grid.seeds[1]", "text"]),
        ("[grid]\nlanguages = [['en']]\nsize = [['md']]", ["grid.size[0]", "xsm, sm, md, lg"]),
        (
            "[recipe]\nfrom = ['shipped']\n[grid]\nlanguages = [['en']]",
            ["recipe.from", "published"],
        ),
        (
            "[recipe]\nfrom = {}\n[grid]\nlanguages = [['en']]",
            ["recipe.from", "published"],
        ),
        ("[recipe]\nsize = {}\n[grid]\nlanguages = [['en']]", ["recipe.size", "xsm, sm, md, lg"]),
        ("[recipe]\nepochs = '3'\n[grid]\nlanguages = [['en']]", ["a whole number"]),
        ("[recipe]\nitems = true\n[grid]\nlanguages = [['en']]", ["a whole number"]),
        ("[recipe]\nstandardise = 1\n[grid]\nlanguages = [['en']]", ["true or false"]),
        ("[recipe]\nfrom = 'publised'\n[grid]\nlanguages = [['en']]", ["did you mean: published"]),
        ("grid = 3", ["grid (line 1)", "an object"]),
    ],
)
def test_faults_of_a_file(text: str, parts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(ToolkitError) as caught:
        read_grid(path)
    assert all(part in str(caught.value) for part in parts)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="cannot be read"):
        read_grid(tmp_path / "grid.toml")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("epochs=24", ("epochs", 24)),
        ("standardise = false", ("standardise", False)),
        ("temperature=capped", ("temperature", "capped")),
    ],
)
def test_values_of_options(text: str, pair: tuple[str, Any]) -> None:
    assert value_of(text) == pair
    assert changed(PUBLISHED, dict([value_of(text)])).__dict__[pair[0]] == pair[1]


def test_options_without_a_value() -> None:
    with pytest.raises(ToolkitError, match="no key with a value"):
        value_of("epochs")


def test_populations_by_name() -> None:
    assert languages_of(["untrained", "bilingual-de-es"], ["es", "de"]) == [("de", "es"), ()]
    assert languages_of(["all"], ["en"]) == [("en",), ()]
    assert len(known_populations(list("abcdefg"))) == 7 + 21 + 1
    with pytest.raises(ToolkitError, match="did you mean: bilingual-en-nl"):
        languages_of(["bilingual-en-n"], ["en", "nl"])


def test_seeds_are_each_taken_once() -> None:
    assert seeds_of("caa") == ["a", "c"]
    with pytest.raises(ToolkitError, match="'A'"):
        seeds_of("A")
