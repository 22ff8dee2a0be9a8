"""The page in a real browser, before scripted and simulated children."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stimuli import open_set
from tests.reports.browsing import (
    _no_network,
    html_faults,
    needs_browser,
    needs_java,
    serious_findings,
    wait_for,
)
from tests.toolkit.children.conftest import QUICK, SMALL, Export
from tests.toolkit.children.driving import (
    DONE,
    READY,
    answer,
    answers,
    begin,
    fill,
    needs_jspsych,
    opened,
    press,
    serving,
)
from tests.waiting import wait_until
from toolkit.children.columns import SESSION_COLUMNS, data_file_name
from toolkit.children.exporting.experiment import Sending
from toolkit.children.exporting.folder import Exported
from toolkit.children.exporting.media import wav_of
from toolkit.children.lists import coverage

__all__ = ["_no_network"]  # a fixture that every test here uses
pytestmark = [needs_browser, needs_jspsych]
NAMES = [column.name for column in SESSION_COLUMNS]
FILES = "return [...document.querySelectorAll('#files a')].map((one) => one.download)"
# Of one child: three answers, each given in another way, the second of them wrong.
GIVEN = (("mouse", True), ("touch", False), ("keyboard", True))


@pytest.fixture(scope="module")
def made(export: Export) -> Exported:
    return export()


@pytest.fixture(scope="module")
def page(made: Exported) -> Path:
    return made.folder / "index.html"


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def window(downloads: Path) -> Iterator[Any]:
    """One browser for all tests here: to begin it costs more than most of them."""
    with opened("about:blank", downloads=downloads) as browser:
        yield browser


def visit(window: Any, page: Path | str, width: int = 1280) -> Any:
    """The page as it is first seen, with nothing left in the browser's logs."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for log in ("browser", "performance"):
        window.get_log(log)
    window.get(page.as_uri() if isinstance(page, Path) else page)
    return window


class TestOneChild:
    @pytest.fixture(scope="class")
    @classmethod
    def browser(cls, window: Any, page: Path) -> Any:
        browser = visit(window, page)
        begin(browser, list="5", age="30.5", exposure="en:60 nl:40")
        for device, right in GIVEN:
            assert answer(browser, device, right)
        assert not answer(browser, "mouse")
        return browser

    def test_keys_touch_and_mouse_are_told_apart_and_answers_are_right(self, browser: Any) -> None:
        rows = answers(browser)
        assert [(row["device"], row["correct"]) for row in rows] == [
            ("mouse", 1), ("touch", 0), ("keyboard", 1)
        ]  # fmt: skip
        assert all(0 < row["response_time_s"] < 60 for row in rows)

    def test_the_rows_are_those_of_the_list(self, browser: Any, made: Exported) -> None:
        told = csv.DictReader((made.folder / "lists.csv").read_text().splitlines())
        listed = [row for row in told if row["list"] == "5"]
        for row, own in zip(answers(browser), listed, strict=True):
            assert {name: str(row[name]) for name in own} == own

    def test_the_file_that_is_saved_has_every_column_and_its_name(
        self, browser: Any, downloads: Path
    ) -> None:
        session = answers(browser)[0]["session_id"]
        name = data_file_name("me", "kid-07", session, "csv")
        wait_until(lambda: (downloads / name).is_file(), lambda: str(list(downloads.iterdir())))
        with (downloads / name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == NAMES
        assert len(rows) == 3
        for row in rows:
            assert row["participant_id"] == "kid-07"
            assert (row["age_months"], row["exposure"]) == ("30.5", "en:60 nl:40")
            for column in SESSION_COLUMNS:
                value = row[column.name]
                assert value or column.may_be_empty, column.name
                assert not column.allowed or value in (*column.allowed, "")
                if value and column.kind == "integer":
                    assert int(value) >= (column.lowest or 0)
                if value and column.kind == "number":
                    assert float(value) >= (column.lowest or 0)
        assert browser.execute_script(FILES) == [name, name.replace(".csv", ".json")]

    def test_the_json_holds_design_and_the_same_rows(self, browser: Any, made: Exported) -> None:
        script = """
            const link = document.querySelectorAll('#files a')[1];
            fetch(link.href).then((answer) => answer.text()).then(arguments[0])"""
        told = json.loads(browser.execute_async_script(script))
        assert told["design"] == json.loads((made.folder / "design.json").read_text())
        assert [list(row) for row in told["trials"]] == [NAMES] * 3
        assert [row["chosen_id"] for row in told["trials"]] == [
            row["chosen_id"] for row in answers(browser)
        ]

    def test_nothing_is_asked_of_any_network_and_nothing_is_complained_about(
        self, browser: Any, page: Path
    ) -> None:
        messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
        asked = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            # An icon of a page that another test served may still be asked for.
            and message["params"]["documentURL"] == page.as_uri()
        ]
        assert asked
        assert not [url for url in asked if not url.startswith(("file:", "blob:", "data:"))]
        assert browser.get_log("browser") == []

    def test_the_words_are_the_very_wav_files(self, browser: Any, made: Exported) -> None:
        mini = open_set("mini")
        script = """
            const whole = async (id) => {
              const bytes = new Uint8Array(await (await fetch(address[id])).arrayBuffer());
              return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
            };
            whole(arguments[0]).then(arguments[1])"""
        for item in made.experiment.lists.items[:3]:
            content = base64.b64decode(browser.execute_async_script(script, item.word_id))
            assert content == wav_of(mini, item.word_id)


def test_screens_pass_axe_and_everything_can_be_touched(window: Any, page: Path) -> None:
    small = """
        return [...document.querySelectorAll('button, input, a, summary')]
          .map((one) => [one.outerHTML.slice(0, 60), one.getBoundingClientRect()])
          .filter(([, box]) => box.width > 0 && (box.width < 44 || box.height < 44))
          .map(([html]) => html)"""
    browser = visit(window, page, width=390)

    def look() -> None:
        passed, serious = serious_findings(browser, "document")
        assert passed > 5
        assert serious == []
        assert browser.execute_script(small) == []
        wide = "return document.documentElement.scrollWidth <= window.innerWidth"
        assert browser.execute_script(wide)

    look()
    press(browser, "#agree")
    look()
    fill(browser, participant="kid-07")
    press(browser, "#child button")
    look()
    press(browser, "#start")
    wait_for(browser, f"return {READY}")
    look()
    while answer(browser, "touch"):
        pass
    look()
    press(browser, "summary")
    look()


def test_the_form_takes_no_name_that_could_not_be_one(window: Any, page: Path) -> None:
    browser = visit(window, page)
    press(browser, "#agree")
    visible = "return !document.getElementById('about').hidden"
    for wrong in ({"participant": "=1+1"}, {"participant": "a", "age": "3"}):
        fill(browser, **wrong)
        press(browser, "#child button")
        assert browser.execute_script(visible)
    fill(browser, participant="a", age="36", exposure="half English")
    press(browser, "#child button")
    assert browser.execute_script(visible)
    fill(browser, exposure="en:50 nl:50")
    press(browser, "#child button")
    assert not browser.execute_script(visible)


def test_without_consent_nothing_is_asked(window: Any, page: Path) -> None:
    browser = visit(window, page)
    press(browser, "#decline")
    assert browser.execute_script("return !document.getElementById('declined').hidden")
    assert browser.execute_script("return document.getElementById('about').hidden")
    assert answers(browser) == []


def test_the_test_begins_only_after_practice_and_esc_keeps_what_there_is(
    window: Any, page: Path
) -> None:
    browser = visit(window, page)
    begin(browser)
    assert answer(browser, "keyboard", right=False)
    wait_for(browser, f"return {DONE}")
    assert [row["part"] for row in answers(browser)] == ["practice"]
    browser = visit(window, page)
    from selenium.webdriver import ActionChains, Keys

    begin(browser)
    assert answer(browser, "keyboard")
    wait_for(browser, f"return {READY}")
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    wait_for(browser, f"return {DONE}")
    assert [row["part"] for row in answers(browser)] == ["practice"]
    assert len(browser.execute_script(FILES)) == 2


def test_a_finger_held_in_the_corner_stops_as_esc_does(window: Any, page: Path) -> None:
    browser = visit(window, page)
    begin(browser)
    assert answer(browser, "mouse")
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    touch = {"type": "touchStart", "touchPoints": [{"x": 10, "y": 10}]}
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", touch)
    wait_for(browser, f"return {DONE}")
    assert [row["part"] for row in answers(browser)] == ["practice"]


def test_a_child_that_does_not_answer_leaves_empty_cells(window: Any, export: Export) -> None:
    choices = replace(QUICK, limit_s=1, practice_needed=0)
    asked = replace(SMALL, n_practice=0)
    browser = visit(window, export(choices=choices, asked=asked).folder / "index.html")
    begin(browser)
    wait_for(browser, f"return {DONE}")
    empty = ("chosen_id", "correct", "response_time_s", "device")
    rows = browser.execute_script("return csvOf(session.rows)")
    for row in csv.DictReader(rows.splitlines()):
        assert [row[name] for name in empty] == [""] * 4


def simulate(browser: Any, page: str, **told: object) -> list[dict[str, Any]]:
    """The answers of a child that jsPsych pretends, as the file of its session holds them."""
    address = "&".join(f"{name}={value}" for name, value in told.items())
    browser.get(f"{page}?simulate=data-only&{address}")
    wait_for(browser, f"return {DONE}")
    return list(csv.DictReader(browser.execute_script("return csvOf(session.rows)").splitlines()))


def test_24_simulated_children_meet_every_trial_as_often_as_was_reported(
    window: Any, page: Path, made: Exported
) -> None:
    n = 24
    lists = made.experiment.lists
    browser = visit(window, page)
    sessions = [
        simulate(
            browser, page.as_uri(), participant=f"kid{child}", age=24 + child, accuracy=1,
            list=child % len(lists.lists),
        )
        for child in range(n)
    ]  # fmt: skip
    rows = [row for session in sessions for row in session]
    assert len({row["session_id"] for row in rows}) == len({r["participant_id"] for r in rows}) == n
    assert {row["correct"] for row in rows} == {"1"}
    reported = {(row["part"], row["trial"], row["target_id"]): row for row in coverage(lists, n)}
    for (part, trial, target), row in reported.items():
        met = [r for r in rows if (r["part"], int(r["trial"])) == (part, trial)]
        assert len(met) == row["n_children"]
        assert {r["target_id"] for r in met} <= {target}
        assert sum(r["target_side"] == "left" for r in met) == row["n_target_left"]


def test_an_address_can_tell_all_but_nothing_that_the_form_would_refuse(
    window: Any, page: Path
) -> None:
    browser = visit(window, page)
    browser.get(f"{page.as_uri()}?participant=kid9&age=30&exposure=en:60+nl:40&list=3")
    press(browser, "#agree")
    press(browser, "#start")
    child = browser.execute_script("return session.child")
    assert child["list"] == 3
    assert (child["age_months"], child["exposure"]) == (30, "en:60 nl:40")
    browser.execute_script("session.running = false")
    browser.get(f"{page.as_uri()}?participant=<b>x&age=3&list=999&exposure=lots")
    press(browser, "#agree")
    value = "return document.getElementById(arguments[0]).value"
    for name in ("participant", "age", "exposure"):
        assert browser.execute_script(value, name) == ""
    assert int(browser.execute_script(value, "list")) < 999


class TestSending:
    def test_answers_are_posted_where_it_was_named_and_nowhere_else(
        self, window: Any, export: Export
    ) -> None:
        with serving() as server, serving() as other:
            sending = Sending.of(f"{server.address}/save")
            made = export(choices=replace(QUICK, sending=sending))
            browser = visit(window, made.folder / "index.html")
            rows = simulate(browser, (made.folder / "index.html").as_uri(), participant="kid1")
            ask = "fetch(arguments[0]).then(() => true, () => false).then(arguments[1])"
            assert browser.execute_async_script(ask, other.address) is False
            assert "were sent" in browser.find_element("id", "told").text
        [(path, told)] = server.posted
        assert path == "/save"
        assert told["filename"] == data_file_name("me", "kid1", rows[0]["session_id"], "json")
        assert [row["chosen_id"] for row in told["trials"]] == [row["chosen_id"] for row in rows]
        assert told["design"]["lists_checksum"] == rows[0]["lists_checksum"]
        assert other.posted == []

    def test_what_could_not_be_sent_is_offered_and_can_be_sent_again(
        self, window: Any, export: Export
    ) -> None:
        with serving() as server:
            server.status = 500
            sending = Sending.of(f"{server.address}/save")
            page = export(choices=replace(QUICK, sending=sending)).folder / "index.html"
            server.files["/page.html"] = page.read_bytes()
            browser = visit(window, f"{server.address}/page.html")
            simulate(browser, f"{server.address}/page.html", participant="kid1")
            assert "could not be sent" in browser.find_element("id", "told").text
            assert len(browser.execute_script(FILES)) == 2
            server.status = 200
            press(browser, "#again")
            told = "return document.getElementById('told').textContent === DATA.words.sent"
            wait_for(browser, told)
        assert len(server.posted) == 1

    def test_datapipe_gets_what_its_interface_asks_for(self, window: Any, export: Export) -> None:
        page = export(choices=replace(QUICK, sending=Sending.of("datapipe:Ab12"))).folder
        browser = visit(window, page / "index.html")
        begin(browser)
        wait_for(browser, f"return {READY}")
        browser.execute_script(
            "window.sent = []; window.fetch = async (...all) => "
            "{ window.sent.push(all); return { ok: true }; }; stop();"
        )
        wait_for(browser, f"return {DONE}")
        where, told = browser.execute_script("return window.sent.at(-1)")
        assert where == "https://pipe.jspsych.org/api/data/"
        assert told["method"] == "POST"
        content = json.loads(told["body"])
        assert content["experimentID"] == "Ab12"
        assert content["filename"].endswith("_data.csv")
        assert content["data"].splitlines() == [",".join(NAMES)]

    def test_jatos_gets_the_answers_where_the_page_lies_there(
        self, window: Any, page: Path
    ) -> None:
        jatos = b"""window.jatos = {
            urlQueryParameters: { participant: "kid3", age: "31" },
            onLoad: (begin) => setTimeout(begin),
            submitResultData: (text) => fetch("result", { method: "POST",
              headers: { "Content-Type": "application/json" }, body: text }),
            endStudy: () => (window.ended = true),
        };"""
        files = {"/publix/7/start": page.read_bytes(), "/publix/7/jatos.js": jatos}
        with serving(files) as server:
            browser = visit(window, f"{server.address}/publix/7/start")
            wait_for(browser, "return !document.getElementById('consent').hidden")
            press(browser, "#agree")
            press(browser, "#start")
            while answer(browser, "keyboard"):
                pass
            assert browser.execute_script("return window.ended") is True
        [(path, told)] = server.posted
        assert path == "/publix/7/result"
        assert {row["participant_id"] for row in told["trials"]} == {"kid3"}
        assert {row["age_months"] for row in told["trials"]} == {31}


def test_scripts_in_texts_do_not_run(window: Any, export: Export, tmp_path: Path) -> None:
    texts = tmp_path / "me" / "texts"
    texts.mkdir(parents=True)
    (texts / "consent.en.html").write_text(
        "<h1>Consent</h1><p>ours</p><script>window.hacked = true</script>", encoding="utf-8"
    )
    made = export(out=tmp_path / "me")
    browser = visit(window, made.folder / "index.html")
    assert "ours" in browser.find_element("id", "consent").text
    assert browser.execute_script("return window.hacked === undefined")
    assert any("Content Security Policy" in e["message"] for e in browser.get_log("browser"))


def test_an_empty_consent_text_leaves_the_screen_out(
    window: Any, export: Export, tmp_path: Path
) -> None:
    texts = tmp_path / "me" / "texts"
    texts.mkdir(parents=True)
    (texts / "consent.en.html").write_text("\n", encoding="utf-8")
    browser = visit(window, export(out=tmp_path / "me").folder / "index.html")
    assert browser.execute_script("return document.getElementById('consent').hidden")
    assert browser.execute_script("return !document.getElementById('about').hidden")


@needs_java
@pytest.mark.parametrize("name", ["index.html", "CREDITS.html"])
def test_the_pages_are_valid_html(made: Exported, name: str) -> None:
    assert html_faults(made.folder / name) == []


def test_only_scripts_whose_content_is_named_may_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    told = html.unescape(policy[1])
    named = set(re.findall(r"sha256-([A-Za-z0-9+/=]+)", told))
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    made = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
    assert named == made
    assert len(made) == 5
    assert "unsafe-eval" not in told
    assert "script-src 'self' 'sha256" in told
