"""The exported folder: its files fit each other, and what cannot be is told before any is there."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

import toolkit
from stimuli import open_set
from tests.commands import Cli
from tests.reports.browsing import _no_network, needs_browser, wait_for
from tests.toolkit.children.conftest import QUICK, SMALL, Export
from tests.toolkit.children.driving import needs_jspsych, opened, serving
from toolkit.children.columns import LIST_COLUMNS, SESSION_COLUMNS
from toolkit.children.exporting.experiment import Choices, Sending
from toolkit.children.exporting.folder import FORMATS, Exported
from toolkit.children.exporting.media import (
    as_files,
    is_open,
    packed,
    picture_of,
    warnings_of,
    wav_of,
)
from toolkit.children.exporting.packages import CDN_ADDRESS, PACKAGES, find_scripts
from toolkit.children.exporting.words import SCREENS, languages
from toolkit.children.lists import Asked
from toolkit.errors import ToolkitError

__all__ = ["_no_network"]  # a fixture that every test here uses
CDN = replace(QUICK, jspsych="cdn")


def choices_of(form: str) -> Choices:
    """Those that need nothing from the cache."""
    return CDN if form == "jspsych" else QUICK


@pytest.fixture(scope="module", params=FORMATS)
def made(request: pytest.FixtureRequest, export: Export) -> Exported:
    return export(request.param, choices=choices_of(request.param))


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))


def test_all_files_are_there_and_fit_each_other(made: Exported) -> None:
    folder, design = made.folder, json.loads((made.folder / "design.json").read_text())
    shared = {
        *("README.md", "CREDITS.html", "lists.csv", "coverage.csv", "design.json"),
        *("dataset_description.json", "texts/page.en.json"),
        *(f"texts/{screen}.en.html" for screen in SCREENS),
    }
    there = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
    assert shared < there == set(made.files)
    lists = (folder / "lists.csv").read_bytes()
    assert design["lists_checksum"] == hashlib.sha256(lists).hexdigest()
    rows = rows_of(folder / "lists.csv")
    assert len({row["list"] for row in rows}) == design["n_lists"]
    assert len(rows) == design["n_lists"] * (design["n_test"] + design["n_practice"])
    assert design["stimuli"] == {
        "name": "mini", "version": "1.0.0", "checksum": open_set("mini").checksum
    }  # fmt: skip
    assert (design["paradigm"], design["paradigm_version"]) == ("me", 2)


def test_every_column_of_the_answers_is_described(made: Exported) -> None:
    told = json.loads((made.folder / "dataset_description.json").read_text())
    assert (told["@context"], told["@type"]) == ("https://schema.org/", "Dataset")
    described = {one["name"]: one for one in told["variableMeasured"]}
    assert list(described) == [column.name for column in SESSION_COLUMNS]
    assert all(one["description"] for one in described.values())
    assert described["response_time_s"]["unitText"] == "s"


def test_credits_name_every_stimulus_and_the_licences(made: Exported) -> None:
    page = (made.folder / "CREDITS.html").read_text(encoding="utf-8")
    table = open_set("mini").table
    for one in made.experiment.lists.stimulus_ids:
        assert one in page
        assert table.loc[one, "licence"] in page
    assert "Permission is hereby granted" in page


def test_the_readme_has_numbers_and_warnings_of_this_experiment(made: Exported) -> None:
    text = (made.folder / "README.md").read_text(encoding="utf-8")
    assert "1 trials for practice and then 2 test trials" in text
    assert "synthesiser" in text
    assert "are small" in text
    assert "&#" not in text
    assert "{{" not in text


class TestPsychoPy:
    def test_conditions_name_files_that_are_the_stimuli(self, export: Export) -> None:
        made = export("psychopy")
        rows = rows_of(made.folder / "conditions.csv")
        listed = rows_of(made.folder / "lists.csv")
        mini = open_set("mini")
        names = [column.name for column in LIST_COLUMNS]
        assert [[row[name] for name in names] for row in rows] == [
            [row[name] for name in names] for row in listed
        ]
        for row in rows[:3]:
            clip, rate = soundfile.read(made.folder / row["word_file"], dtype="float32")
            assert rate == 16_000
            assert np.abs(clip - mini.read_clip(row["word_id"])).max() <= 1 / 32768
            for side in ("left", "right"):
                shown = np.asarray(Image.open(made.folder / row[f"{side}_image"]).convert("RGB"))
                assert (shown == mini.read_picture(row[f"{side}_id"])).all()
            assert row["correct_key"] == row["target_side"]
            assert row["stimuli_checksum"] == mini.checksum
        assert {row["paradigm"] for row in rows if row["part"] == "practice"} == {"familiar"}

    def test_the_rows_that_the_readme_selects_are_those_of_a_list(self, export: Export) -> None:
        made = export("psychopy")
        rows = rows_of(made.folder / "conditions.csv")
        told = re.search(r"\* (\d+)\}", (made.folder / "README.md").read_text(encoding="utf-8"))
        assert told
        n = int(told[1])
        for number in range(made.experiment.design["n_lists"]):
            assert {row["list"] for row in rows[number * n : (number + 1) * n]} == {str(number)}


@needs_browser
@needs_jspsych
def test_the_lookit_script_runs_where_the_site_offers_its_own_parts(export: Export) -> None:
    made = export("lookit")
    stub = """
        const real = initJsPsych;
        window.initJsPsych = () => {
          const own = real({ on_finish: () => (window.done = own.data.get().values()) });
          const run = own.run.bind(own);
          own.run = (timeline) => {
            own.run = run; // which simulate calls in turn
            return own.simulate(timeline, "data-only");
          };
          return own;
        };
        window.chs = { response: { id: "r1", attributes: { hash_child_id: "h7" } },
          child: { attributes: { birthday: new Date(Date.now() - 913 * 864e5).toISOString() } } };
        const told = { version: "1", parameters: {}, data: {} };
        const quiet = (name) => class { static info = { name, ...told };
          trial() {} simulate(trial, mode, options, load) { load(); this.js.finishTrial({}); }
          constructor(js) { this.js = js; } };
        const chsSurvey = {
          ConsentSurveyPlugin: quiet("consent"), ExitSurveyPlugin: quiet("exit") };
    """
    with serving() as server:
        script = (made.folder / "experiment.js").read_text(encoding="utf-8")
        script = script.replace("https://example.org/my-study/media/", f"{server.address}/media/")
        for file in (made.folder / "media").iterdir():
            server.files[f"/media/{file.name}"] = file.read_bytes()
        parts = [*find_scripts(), stub, script]
        page = "".join(f"<script>{text}</script>" for text in parts)
        server.files["/study.html"] = f"<!doctype html><body>{page}</body>".encode()
        with opened(f"{server.address}/study.html") as browser:
            wait_for(browser, "return Boolean(window.done)")
            found: list[dict[str, Any]] = browser.execute_script("return window.done")
    rows = [row for row in found if row.get("word_id")]
    assert 1 <= len(rows) <= 3
    names = {column.name for column in SESSION_COLUMNS}
    for order, row in enumerate(rows):
        assert names <= set(row)
        assert row["trial_order"] == order
        assert (row["participant_id"], row["session_id"], row["age_months"]) == ("h7", "r1", 30)
        assert row["correct"] == int(row["chosen_id"] == row["target_id"])
    if rows[0]["correct"]:
        assert [row["part"] for row in rows] == ["practice", "test", "test"]
    else:
        assert len(rows) == 1


@needs_jspsych
def test_a_page_of_16_trials_stays_under_500_kb(export: Export) -> None:
    made = export(asked=Asked("en", n_test=16, familiar_twice=True))
    assert made.experiment.lists.n_test == 16
    assert made.files["index.html"] < 500_000
    text = (made.folder / "index.html").read_text(encoding="utf-8")
    alone = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:,")', alone)
    assert "<script src" not in text
    assert "Permission is hereby granted" in text


def test_a_page_of_the_cdn_names_versions_and_their_content(export: Export) -> None:
    text = (export(choices=CDN).folder / "index.html").read_text(encoding="utf-8")
    for package in PACKAGES:
        tag = f'<script src="{CDN_ADDRESS}/{package.spec}/dist/index.browser.min.js" '
        assert f'{tag}integrity="{package.script}" crossorigin="anonymous">' in text
    assert len(text) < 400_000


def test_texts_that_were_edited_are_used_and_kept(export: Export, tmp_path: Path) -> None:
    out = tmp_path / "me"
    export(choices=CDN, out=out)
    own = out / "texts" / "instructions.en.html"
    own.write_text("<p>Look, a <b>zebra</b>!</p>\n", encoding="utf-8")
    export(choices=CDN, out=out)
    assert own.read_text(encoding="utf-8") == "<p>Look, a <b>zebra</b>!</p>\n"
    assert "<p>Look, a <b>zebra</b>!</p>" in (out / "index.html").read_text(encoding="utf-8")


def test_texts_of_every_language_are_whole(export: Export) -> None:
    assert languages() == ["en", "fr", "nl"]
    for language in languages():
        made = export(asked=replace(SMALL, language=language), choices=CDN)
        text = (made.folder / "index.html").read_text(encoding="utf-8")
        assert f'<html lang="{language}">' in text


@pytest.mark.parametrize(
    ("form", "choices", "said"),
    [
        ("psychopy", CDN, "mean nothing to the other formats"),
        ("lookit", replace(QUICK, sending=Sending(post="https://a.org")), "mean nothing"),
        ("jspsych", replace(CDN, practice_needed=2), "More practice trials must be right"),
        ("jspsych", replace(CDN, text_language="de"), "no texts for the page in the language"),
        ("jspsych", replace(CDN, jspsych="nowhere"), "is not in the folder"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    export: Export, tmp_path: Path, form: str, choices: Choices, said: str
) -> None:
    with pytest.raises(ToolkitError) as told:
        export(form, choices=choices, out=tmp_path / "me")
    assert said in str(told.value)
    assert not (tmp_path / "me").exists()


def test_a_folder_of_something_else_is_left_alone(export: Export, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("precious", encoding="utf-8")
    with pytest.raises(ToolkitError, match="holds something else"):
        export(choices=CDN, out=tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.docx"]


def test_broken_texts_are_told_by_name(export: Export, tmp_path: Path) -> None:
    export(choices=CDN, out=tmp_path / "me")
    page = tmp_path / "me" / "texts" / "page.en.json"
    page.write_text(page.read_text(encoding="utf-8").replace('"start"', '"strat"'))
    with pytest.raises(ToolkitError, match=r"page\.en\.json") as told:
        export(choices=CDN, out=tmp_path / "me")
    assert "start" in str(told.value)


@pytest.mark.parametrize(
    "told",
    ["datapipe:", "ftp://a.org/x", "https://", "lab.example.org", "https://a.org/x y",
     "https://a.org/; script-src *", 'https://a.org/"'],
)  # fmt: skip
def test_where_answers_cannot_be_sent_is_refused(told: str) -> None:
    with pytest.raises(ToolkitError, match="cannot be sent there"):
        Sending.of(told)


def test_an_address_is_allowed_without_its_path_or_password() -> None:
    assert Sending.of("https://me:secret@a.org:8443/x?y=1").sources == "https://a.org:8443"


def test_licences_that_forbid_publishing_are_told() -> None:
    assert not any(map(is_open, ("", "unknown", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "MIT AND x")))
    mini = open_set("mini")
    assert all(map(is_open, set(mini.table["licence"])))
    ids = list(mini.select(kind="picture", concept="bear", split="test").index[:2])
    closed = replace(mini)
    closed.__dict__["table"] = mini.table.assign(licence="unknown")
    [*_, told] = warnings_of(closed, ids)
    assert told.startswith("The licence of 2 of 2 stimuli (unknown) does not let you publish them")


def unpacked(data: bytes, n: int) -> list[int]:
    """What `packed` packed, bit by bit, as the page does it."""
    bits = iter("".join(f"{byte:08b}" for byte in data))
    samples, sample, width = [], 0, 0
    for place in range(n):
        if place % 256 == 0:
            width = int("".join(next(bits) for _ in range(4)), 2)
        high = 0
        while next(bits) == "1":
            high += 1
        low = "".join(next(bits) for _ in range(width))
        zigzag = (high << width) + int(low or "0", 2)
        sample += -(zigzag + 1) // 2 if zigzag % 2 else zigzag // 2
        samples.append(sample)
    return samples


@pytest.mark.parametrize("n", [1, 2, 257, 700])
def test_packed_samples_are_the_same_when_unpacked(n: int) -> None:
    rng = np.random.default_rng(n)
    extremes = rng.choice([-32768, 32767, 0, 1, -1], n).astype(np.int16)
    quiet = rng.integers(-20, 20, n).astype(np.int16)
    for samples in (extremes, quiet):
        assert unpacked(packed(samples), n) == samples.tolist()


def test_words_take_three_quarters_of_their_bytes() -> None:
    mini = open_set("mini")
    ids = mini.select(kind="word", split="test", language="en").index[::40]
    whole = sum(len(wav_of(mini, one)) for one in ids)
    small = sum(len(packed(np.frombuffer(wav_of(mini, one)[44:], "<i2"))) for one in ids)
    assert small < 0.8 * whole


def test_pictures_that_not_every_program_shows_become_png() -> None:
    mini = open_set("mini")
    one = str(mini.select(kind="picture", concept="bear", split="test").index[0])
    content, kind = picture_of(mini, one)
    assert kind == "image/png"
    assert (np.asarray(Image.open(io.BytesIO(content))) == mini.read_picture(one)).all()
    assert list(as_files(mini, [one])) == [one]


class TestCommand:
    def test_it_says_what_was_made_and_what_to_know(self, cli: Cli) -> None:
        said = cli("export-experiment", "me", "--jspsych", "cdn", "--children", "48")
        assert said.code == 0, said.err
        assert "12 lists of 3 practice and 6 test trials" in said.out
        assert "48 children: each test trial is met by 24 of them" in said.out
        assert "Note: 6 test trials for a child and not 16" in said.out
        assert "me-jspsych/index.html: " in said.out
        assert Path("me-jspsych/README.md").is_file()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("translation",), "no pictures that a child could point to"),
            (("me", "--trials", "16"), "6 test trials; 16 with --familiar-twice"),
            (("mee",), "did you mean: me"),
            (("me", "--language", "de"), "'de'"),
            (("me", "--send", "mail"), "cannot be sent there"),
            (("familiar", "--stimuli", "scenes"), "scenes"),
        ],
    )
    def test_bad_input_is_told_once_and_leaves_nothing(
        self, cli: Cli, arguments: tuple[str, ...], said: str
    ) -> None:
        told = cli("export-experiment", *arguments, "--jspsych", "cdn")
        assert told.code == 2
        assert said in told.err
        assert list(Path().iterdir()) == []


def test_python_and_the_command_write_the_same_folder(cli: Cli, tmp_path: Path) -> None:
    said = cli("export-experiment", "familiar", "--format", "psychopy", "--trials", "2",
               "--practice", "2", "--limit", "9", "--out", "typed")  # fmt: skip
    assert said.code == 0, said.err
    made = toolkit.export_experiment(
        "familiar", tmp_path / "called", form="psychopy", n_trials=2, n_practice=2, limit_s=9
    )
    assert {name: (made.folder / name).read_bytes() for name in made.files} == {
        name: (tmp_path / "typed" / name).read_bytes() for name in made.files
    }


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"form": "jspsych8"}, "did you mean: jspsych"),
        ({"n_children": 0}, "n_children must be a whole number from 1"),
        ({"n_practice": 2.5}, "n_practice must be a whole number from 0"),
        ({"limit_s": float("nan")}, "limit_s must lie between 1 and 600"),
        ({"send": "lab.example.org"}, "Answers cannot be sent there"),
    ],
)
def test_what_cannot_be_exported_from_python_is_refused(
    asked: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ToolkitError, match=re.escape(told)):
        toolkit.export_experiment("me", tmp_path / "folder", **asked)
    assert not list(tmp_path.iterdir())
