"""The page about dense grounding: its parts, its numbers, its maps, and safety against its data."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports import drawing
from reports.chapter import Chapter
from reports.console import print_analyses
from reports.maps.charts import by_language
from reports.maps.matrices import agreement, words
from reports.maps.methods import analysis, energy
from reports.maps.overlays import BOTH, OWN, REFERENCE, SIDE_PX, overlays
from reports.maps.sources import read_maps
from reports.maps.text import group_mean
from reports.methods import methods
from reports.page import Options, render
from reports.sources import read_chapters
from stimuli import StimulusSet
from stimuli.schemas import Source, checked
from tests.grounding_runs import Asked, write_whole_run
from tests.reports.test_page import EVIL, Page
from tests.stored import write_stored
from toolkit.errors import ToolkitError
from toolkit.running.energy import measure_energy
from toolkit.statistics.maps.results import GroundingAnalysis
from toolkit.statistics.saved import saved_summary
from toolkit.tables.recorded import RecordedEnergy, RecordedPopulation


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, scenes_set: StimulusSet) -> Path:
    """A run of two populations with masks, agreement and maps."""
    return write_whole_run(tmp_path_factory.mktemp("maps") / "run", scenes_set)


@pytest.fixture(scope="module")
def text(run: Path) -> str:
    return render([run], Options())


def saved(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "statistics.json").read_text())
    return dict(content[Asked.name])


def concluded(run: Path) -> GroundingAnalysis:
    return as_read(saved(run))


def as_read(content: dict[str, Any]) -> GroundingAnalysis:
    return checked(GroundingAnalysis, content, Source("a test"))


def test_all_parts_are_there_and_none_that_does_not_apply(text: str) -> None:
    page = Page(text)
    figures = {"languages", "measures", "encoders", "pointing", "failure", "agreement", "words",
               "tokens"}  # fmt: skip
    assert {f"dense-grounding-{name}" for name in figures} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not [name for name in page.ids if "accuracy" in name or "trial" in name]
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
    said = page.text
    assert "Gate" not in said
    assert "counts instead of single answers" not in said
    assert "not measured: no meter here" in said
    assert "Nobody assigned languages" in said
    assert "arXiv 2605.09060" in said
    assert "Trials per class" not in said


def test_tables_hold_the_saved_numbers(text: str, run: Path) -> None:
    tables, found = Page(text).tables, saved(run)
    rows = tables["dense-grounding-resource"][1:]
    assert len(rows) == sum(len(own["tests"]) for own in found["populations"])
    first = found["populations"][0]["tests"][0]
    assert rows[0][2:5] == [
        f"{first['languages'][name]:.3f}" for name in ("mean_high", "mean_low")
    ] + [f"{first['mixed']['value']:.3f}"]
    languages = tables["dense-grounding-languages-1"]
    assert len(languages) == 1 + 12
    assert "95 % CI" in languages[0]
    assert len(tables["dense-grounding-pointing"]) == 1 + 4 * 13
    assert len(tables["dense-grounding-encoders"]) == 1 + 12
    assert len(tables["dense-grounding-agreement"]) == 1 + 4 * 13 * 12 // 2


def test_every_picture_says_what_it_shows(text: str) -> None:
    images = re.findall(r"<img [^>]*>", text.partition("<script")[0])
    assert len(images) == 6 * 13 + 6 - 3, "2 populations x 3 pairs; one language not asked in one"
    alts = [re.search(r'alt="([^"]+)"', image) for image in images]
    assert all(alts)
    assert any("Basque: similarity map above" in found.group(1) for found in alts if found)
    assert any("outside the true mask" in found.group(1) for found in alts if found)


def test_masks_are_coloured_by_agreement(run: Path, scenes_set: StimulusSet) -> None:
    chapter = read_chapters([run], 0)[0]
    rows = overlays(chapter, scenes_set)
    assert rows[0].tiles[0].code == "en"
    assert rows[0].credit is not None
    assert rows[0].credit.licence == "CC0-1.0"
    drawn = {}
    for tile in rows[0].tiles:
        content = base64.b64decode(tile.image.partition(",")[2])
        with Image.open(io.BytesIO(content)) as image:
            assert image.size == (SIDE_PX, 2 * SIDE_PX)
            drawn[tile.code] = np.asarray(image.convert("RGB"), float)[SIDE_PX:]
    near = {
        colour: {code: _share(pixels, colour) for code, pixels in drawn.items()}
        for colour in (BOTH, REFERENCE, OWN)
    }
    assert near[BOTH]["en"] > 0.01
    assert near[REFERENCE]["en"] == near[OWN]["en"] == 0, "the reference agrees with itself"
    apart = {code: near[REFERENCE][code] + near[OWN][code] for code in drawn}
    assert max(apart[code] for code in ("ar", "eu", "lb")) > 0.02


def test_numbers_below_maps_are_those_of_the_trials(run: Path, scenes_set: StimulusSet) -> None:
    chapter = read_chapters([run], 0)[0]
    trials = pd.read_parquet(run / "trials.parquet").query("seed == 'a' and condition == 'bare'")
    key = ["population", "target_id", "word_concept", "test_language"]
    scored = trials.astype(dict.fromkeys(key, str)).set_index(key)["iou_cluster"]
    for row in overlays(chapter, None):
        picture, _, who = row.about.partition("; ")
        found = scored.loc[who.partition("/")[0], picture, row.concept]
        assert [tile.label for tile in row.tiles[1:]] == [
            f"{tile.code} {found[tile.code]:.2f}" for tile in row.tiles[1:]
        ]


def test_maps_are_drawn_from_their_own_grain(run: Path) -> None:
    samples = read_maps([run]).samples
    assert {own.similarity.shape[1:] for own in samples if own.population == "small-clip"} == {
        (8, 8)
    }
    assert {own.similarity.shape[1:] for own in samples if own.population == "large-clip"} == {
        (7, 7)
    }


def test_empty_masks_are_called_empty(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    with np.load(run / "maps.npz") as held:
        known = dict(held)
    known["similarity/0"][:, :2] = -1  # English and Spanish; a negative peak makes no cluster
    np.savez(folder / "maps.npz", **known)
    tiles = overlays(read_chapters([folder], 0)[0], None)[0].tiles
    assert [tile.label for tile in tiles[:2]] == ["en, reference", "es both empty"]
    assert "empty, as the reference's is" in tiles[1].alt
    assert "empty" not in tiles[2].label


def test_a_file_of_earlier_runs_is_read(run: Path, tmp_path: Path) -> None:
    with np.load(run / "maps.npz") as held:
        known = dict(held)
    kept = known["similarity/0"]
    np.savez(
        tmp_path / "maps.npz",
        picture_ids=known["picture_ids"],
        concepts=known["concepts"],
        populations=np.array(["small-clip"] * len(kept)),
        seeds=np.array(["a"] * len(kept)),
        languages=known["languages"],
        template=known["template"],
        similarity=kept,
    )
    first = read_maps([tmp_path]).samples
    assert [own.picture_id for own in first] == known["picture_ids"].tolist()
    assert first[1].similarity.tolist() == kept[1].tolist()
    assert all(math.isnan(value) for own in first for value in own.values)


def test_maps_over_pictures_of_another_set_are_never_drawn(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["stimuli"]["checksum"] = "0" * 64
    write_stored(other / "manifest.json", json.dumps(manifest))
    with pytest.raises(ToolkitError, match="different stimulus sets"):
        render([run, other], Options())


def _share(pixels: np.ndarray, colour: tuple[int, int, int]) -> float:
    """Share of pixels that are more like a colour than like grey."""
    distance = np.abs(pixels - np.array(colour) * 0.75 - 255 * 0.25).sum(axis=-1)
    return float((distance < 60).mean())


def test_without_pictures_the_maps_stay(run: Path) -> None:
    chapter = read_chapters([run], 0)[0]
    rows = overlays(chapter, None)
    assert rows
    assert all(not row.picture and row.credit is None for row in rows)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of the time, and these tests ask for other things."""
    monkeypatch.setattr(drawing, "svg", lambda *_: "<svg></svg>")
    monkeypatch.setattr(drawing, "script", lambda: "")


@pytest.mark.usefixtures("undrawn")
def test_the_same_tables_give_the_same_page(run: Path) -> None:
    first, second = (render([run], Options()) for _ in range(2))
    assert first == second
    assert len(first) < 900_000, "maps are small pictures"


@pytest.mark.usefixtures("undrawn")
def test_no_gallery_no_pictures(run: Path) -> None:
    text = render([run], Options(n_trials=0))
    assert "<img" not in text.partition("<script")[0]
    assert "Maps to look at" not in text


@pytest.mark.usefixtures("undrawn")
def test_names_cannot_break_the_page(run: Path, scenes_set: StimulusSet, tmp_path: Path) -> None:
    folder = write_whole_run(tmp_path / "run", scenes_set, [EVIL], maps=False)
    manifest = json.loads((folder / "manifest.json").read_text())
    for about in manifest["words"]["languages"].values():
        about["name"] += EVIL
    manifest["words"]["texts"]["bare"]["car"]["fr"] += EVIL
    write_stored(folder / "manifest.json", json.dumps(manifest))
    shutil.copy(run / "maps.npz", folder)
    with np.load(run / "maps.npz") as held:
        known = dict(held)
    known["populations"] = np.full(len(known["seeds"]), EVIL)
    known["concepts"] = np.full(len(known["concepts"]), EVIL)
    np.savez(folder / "maps.npz", **known)
    text = render([folder], Options())
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.usefixtures("undrawn")
def test_a_plain_folder_of_pictures_has_no_truth(scenes_set: StimulusSet, tmp_path: Path) -> None:
    folder = write_whole_run(tmp_path / "run", scenes_set, ["one"], truth=False, maps=False)
    page = Page(render([folder], Options()))
    assert "dense-grounding-languages" in page.ids
    assert not {
        f"dense-grounding-{n}" for n in ("pointing", "encoders", "agreement", "maps")
    } & set(page.ids)


@pytest.mark.usefixtures("undrawn")
def test_figures_are_written_with_their_numbers(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "files", lambda _: ("", b""))
    render([run], Options(figures=tmp_path / "figures"))
    table = pd.read_csv(tmp_path / "figures" / "dense-grounding-languages.csv")
    known = {
        row["language"]: row["measures"]["iou_cluster"]["value"]
        for row in saved(run)["populations"][0]["languages"]
    }
    own = table[table["panel"] == "small-clip (bare)"]
    codes = own["language"].str.extract(r"\(([^()]+)\)$")[0]
    assert dict(zip(codes, own["overlap"], strict=True)) == pytest.approx(known, abs=1e-4)
    matrix = pd.read_csv(tmp_path / "figures" / "dense-grounding-agreement.csv")
    assert (matrix.groupby("panel").size() == 13 * 12).all()
    pairs = pd.read_csv(run / "agreement.csv")
    pair = pairs[
        (pairs[["population", "template", "language_a", "language_b"]]
         == ["small-clip", "bare", "en", "lb"]).all(axis=1)
    ]  # fmt: skip
    drawn = matrix[
        (matrix[["panel", "language_a", "language_b"]] == ["small-clip (bare)", "lb", "en"]).all(
            axis=1
        )
    ]
    assert drawn["overlap"].item() == pytest.approx(pair["iou_cluster"].mean(), abs=1e-4)


@pytest.mark.usefixtures("undrawn")
def test_statistics_that_tell_of_no_declaration_are_made_again(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "earlier")
    content = saved(folder) | {"schema": 2}
    del content["declared"]
    for own in content["populations"]:
        for test in own["tests"]:
            del test["mean"]
        for word in own["words"]:
            del word["value"]
    write_stored(folder / "statistics.json", json.dumps({Asked.name: content}))
    page = Page(render([folder], Options()))
    assert len(page.tables["dense-grounding-languages-1"]) == 1 + 12


@pytest.mark.usefixtures("undrawn")
def test_training_of_many_populations_is_drawn_together(run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run, tmp_path / "many")
    manifest = json.loads((folder / "manifest.json").read_text())
    names = [f"clip-{number}" for number in range(9)]
    manifest["populations"] |= {
        name: {"n_seeds": 1, "languages": ["en"], "config": None} for name in names
    }
    write_stored(folder / "manifest.json", json.dumps(manifest))
    rows = [{"population": name, "seed": "a", "update": n, "valid_loss": 1.0 / n}
            for name in names for n in (1, 2)]  # fmt: skip
    write_stored(folder / "training.csv", pd.DataFrame(rows).to_csv(index=False))
    assert "dense-grounding-training" in Page(render([folder], Options())).ids


def test_damaged_maps_are_named(run: Path, tmp_path: Path) -> None:
    for name, content in (("maps.npz", b"PK"), ("agreement.csv", b"\xff\xfe\x00")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(content)
        with pytest.raises(ToolkitError, match="damaged maps"):
            read_maps([folder])
    assert read_maps([tmp_path]).samples == ()
    held = read_maps([run])
    assert "ru" not in held.samples[-1].languages


def test_the_terminal_shows_tests_and_sentences(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_analyses({Asked.name: concluded(run)}, None)
    said = capsys.readouterr().out
    assert "high- against low-resource languages, 3 seeds, 5 pictures, 3 concepts" in said
    assert "p pairs" in said
    assert "less overlap" in said or "no difference shown" in said


def test_the_summary_is_about_overlap(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reports.console import Done, print_summary

    summary = json.loads((run / "summary.json").read_text())
    trials = pd.read_parquet(run / "trials.parquet")
    row = next(
        row
        for row in summary["results"]
        if (row["population"], row["test_language"], row["condition"])
        == ("small-clip", "eu", "bare")
    )
    own = trials[
        (trials["population"] == "small-clip")
        & (trials["test_language"] == "eu")
        & (trials["condition"] == "bare")
    ]
    assert summary["measure"] == "iou_cluster"
    assert row["mean"] == pytest.approx(own["iou_cluster"].mean())
    assert row["pointing"] == pytest.approx(own["correct"].mean())
    assert row["chance"] is None
    assert row["headline"]
    known = saved_summary(run)
    assert known is not None
    print_summary(known, Done("x", n_computed=1, n_reused=0, duration_s=1.0))
    said = capsys.readouterr().out
    assert "peak ratio" in said
    assert "Overlap: with the reference language's." in said


def test_energy_is_told_as_measured() -> None:
    with measure_energy(Path("/nowhere")) as measured:
        pass
    told = {"watt_hours": measured.watt_hours, "source": measured.source,
            "per_1000_queries": measured.per_thousand(5), "n_queries": 5}  # fmt: skip
    told = energy(checked(RecordedEnergy, told, Source("a test")))
    assert told.count("not measured") == (measured.watt_hours is None)
    assert energy(RecordedEnergy(source=measured.source)) == measured.source


def test_texts_are_shown_in_their_scripts(text: str) -> None:
    rows = Page(text).tables["dense-grounding-texts-1"]
    assert rows[0][:2] == ["Concept", "English (en)"]
    assert [row[0] for row in rows[1:]] == ["ball", "car", "key"]
    assert rows[2][rows[0].index("Arabic (ar)")] == "كلمة car"
    assert rows[2][rows[0].index("Chinese (traditional) (zh-TW)")] == "詞語 car"
    assert '<td lang="ar" dir="auto">كلمة car</td>' in text
    assert "dense-grounding-texts-2" in text


@dataclass
class Told:
    """As much of a chapter as methods and figures need."""

    statistics: GroundingAnalysis
    paradigm: str = "dense-grounding"


def few_languages(found: dict[str, Any]) -> dict[str, Any]:
    """The same statistics where the only low-resource language is Basque."""
    problem = "A contrast between languages needs two languages or more of either kind"
    for own in found["populations"]:
        own["languages"] = [
            row for row in own["languages"] if row["resource"] == "high" or row["language"] == "eu"
        ]
        for test in own["tests"]:
            test |= {"fit": None, "mixed": None, "languages": None, "problem": problem}
    return found


def test_models_are_told_of_where_there_are_some(run: Path) -> None:
    told = " ".join(analysis(Told(as_read(few_languages(saved(run))))))  # type: ignore[arg-type]
    assert "linear mixed-effects" not in told
    assert "Welch" not in told
    assert ("Families of tests" in told) == any(
        own["pointing"] for own in saved(run)["populations"]
    )
    assert "There is no mixed model for small-clip (bare), large-clip (bare)" in told
    assert "needs two languages or more of either kind." in told


def test_every_formula_is_told(run: Path) -> None:
    found = saved(run)
    formula = found["populations"][0]["tests"][0]["fit"]["fitted_formula"]
    told = " ".join(analysis(Told(as_read(found))))  # type: ignore[arg-type]
    assert told.count(formula) == 1
    other = formula.replace(" + (1 | seed)", "")
    assert other != formula
    found["populations"][1]["tests"][0]["fit"]["fitted_formula"] = other
    told = " ".join(analysis(Told(as_read(found))))  # type: ignore[arg-type]
    assert f"{other} for large-clip (bare)" in told
    assert f"{formula} for small-clip (bare), small-clip (article)" in told


def test_one_language_in_a_group_has_a_mean_and_no_dashed_line(run: Path) -> None:
    found = as_read(few_languages(saved(run)))
    own = found.populations[0]
    values = {row.language: row.measures["iou_cluster"].value for row in own.languages}
    assert group_mean(own, own.tests[0], "low") == values.pop("eu")
    mean = group_mean(own, own.tests[0], "high")
    assert mean == pytest.approx(np.mean(list(values.values())))
    drawn = by_language(Told(found))  # type: ignore[arg-type]
    assert drawn is not None
    assert "Dashed" not in drawn.caption
    drawn = by_language(Told(concluded(run)))  # type: ignore[arg-type]
    assert drawn is not None
    assert "Dashed" in drawn.caption


def test_intervals_are_drawn_within_the_measure(run: Path) -> None:
    found = saved(run)
    for row in found["populations"][0]["languages"]:
        row["measures"]["iou_cluster"] |= {"ci_low": -0.2, "ci_high": 1.1}
    drawn = by_language(Told(as_read(found)))  # type: ignore[arg-type]
    assert drawn is not None
    panel = drawn.chart["vconcat"][0]
    assert {(row["drawn_low"], row["drawn_high"]) for row in panel["data"]["values"]} == {(0, 1)}
    ends = [layer["encoding"].get("x2", {}).get("field") for layer in panel["layer"]]
    assert "drawn_high" in ends
    assert "ci_high" not in ends
    assert drawn.data["ci_low"].min() == -0.2, "the numbers stay as they are"


def test_colours_of_matrices_run_from_0_to_1(run: Path) -> None:
    chapter = read_chapters([run], 0)[0]
    for drawn in (agreement(chapter), words(chapter)):
        assert drawn is not None
        for panel in drawn.chart["vconcat"]:
            assert panel["layer"][0]["encoding"]["color"]["scale"]["domain"] == [0, 1]
        assert "from 0 to 1" in drawn.caption


def of_populations(run: Path, known: dict[str, RecordedPopulation]) -> Chapter[Any]:
    """A chapter of a run that has recorded these populations."""
    chapter = read_chapters([run], 0)[0]
    first = chapter.runs[0]
    assert first.manifest is not None
    told = replace(first, manifest=replace(first.manifest, populations=known))
    return replace(chapter, runs=(told,))


def test_languages_of_published_models_are_not_recorded(run: Path) -> None:
    name = "transformers:models/clip"
    published = RecordedPopulation(n_seeds=1, languages=())
    two = {name: published, "naive": replace(published, n_seeds=2)}
    told = methods([of_populations(run, two)])[0]
    assert (
        "1 network whose training languages are not recorded (transformers:models/clip) and "
        "2 networks trained on no language (naive), training seeds standing for participants"
        in told
    )
    assert methods([of_populations(run, {name: published})])[0] == (
        "Subjects were 1 network whose training languages are not recorded "
        "(transformers:models/clip)."
    )
