"""Children from the exported page to one analysis with models: what a lab does, in its order."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.commands import Cli
from tests.reports.browsing import _no_network, needs_browser, wait_for
from tests.toolkit.children.driving import (
    DONE,
    answer,
    begin,
    needs_jspsych,
    opened,
    press,
)
from tests.waiting import wait_until

__all__ = ["_no_network"]  # a fixture that every test here uses
pytestmark = [needs_browser, needs_jspsych]
N_CHILDREN, N_TEST = 24, 4
SEEDS = list("abcdefghij")
# Children who answer in front of the screen, each in a way of its own and once wrongly.
REAL = ("mouse", "keyboard", "touch")
# Chance is drawn anew for every simulated child, but the same in every run of the tests.
DICE = """
    let state = %d;
    Math.random = () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };"""


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Any]:
    with opened("about:blank", downloads=tmp_path / "data") as browser:
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        yield browser


def play(window: Any, page: Path, child: int, device: str) -> None:
    """A child who is asked by the form, answers, and whose second file is kept, too."""
    window.get(page.as_uri())
    begin(window, f"kid-{child:02}", age=f"{24 + child}.5", exposure="en:60 nl:40", list=str(child))
    n = 0
    while answer(window, device, right=n != 2):
        n += 1
    press(window, "#files li:last-child a")


def simulate(window: Any, page: Path, child: int, n_lists: int) -> None:
    """A child whom jsPsych pretends."""
    told = f"participant=kid-{child:02}&age={24 + child}&exposure=en:100&list={child % n_lists}"
    source = {"source": DICE % child}
    script = window.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    window.get(f"{page.as_uri()}?simulate=data-only&accuracy=0.85&{told}")
    wait_for(window, f"return {DONE}")
    window.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened_file:
        return list(csv.DictReader(opened_file))


def test_24_children_and_a_model_from_the_page_to_one_analysis(
    cli: Cli, window: Any, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    small = ("--trials-per-class", "7")
    said = cli("export-experiment", "me", "--format", "jspsych", "--trials", N_TEST, "--practice",
               "1", "--silence", "0.05", "--out", "experiment", *small)  # fmt: skip
    assert said.code == 0, said.err
    page = tmp_path / "experiment" / "index.html"
    n_lists = json.loads((tmp_path / "experiment/design.json").read_text())["n_lists"]

    for child, device in enumerate(REAL):
        play(window, page, child, device)
    child = len(REAL)
    tested = set(range(child))
    # A child who fails practice is asked nothing more, and another takes its place.
    while len(tested) < N_CHILDREN:
        simulate(window, page, child, n_lists)
        if window.execute_script("return session.rows.length") > 1:
            tested.add(child)
        child += 1
    n_files = child + len(REAL)
    wait_until(
        lambda: len(list(data.glob("*_data.*"))) == n_files, lambda: str(list(data.iterdir()))
    )
    assert {file.suffix for file in data.iterdir()} == {".csv", ".json"}

    said = cli("run-paradigm", "me", "--subject", "bilingual-en-nl", "--language", "en",
               "--no-report", *small)  # fmt: skip
    assert said.code == 0, said.err
    run = next(Path("mevgs-runs").glob("me-*"))
    said = cli("import-responses", data, "-o", "both.parquet", "--beside", run, "--experiment",
               "experiment")  # fmt: skip
    assert said.code == 0, said.err
    n_failed = child - N_CHILDREN
    assert n_failed
    left_out = f"left out: same session {len(REAL)}, practice {n_failed}."
    assert f"{N_CHILDREN} sessions taken; {left_out}" in said.out
    assert len(rows_of(Path("both.sessions.csv"))) == n_files
    is_in_the_table(data, tested)

    said = cli("analyze", "both.parquet", "--format", "json")
    assert said.code == 0, said.err
    (found,) = json.loads(said.out)["me"]["kinds"]
    assert (found["first"], found["second"]) == ("child", "bilingual-en-nl")
    assert found["n_subjects"] == [N_CHILDREN, len(SEEDS)]
    # Answers are counted per subject and word, with the same estimates as trial by trial.
    assert found["fit"]["formula"] == (
        "cbind(n_right, n_wrong) ~ subject_kind * condition + (1 | subject) + (1 | word)"
    )
    assert {part["condition"] for part in found["contrasts"]} == {
        "familiar-novel", "novel-familiar"
    }  # fmt: skip
    question = "Do children differ from models (bilingual-en-nl, en)?"
    said = cli("analyze", "both.parquet")
    assert f"{N_CHILDREN} children and {len(SEEDS)} models" in " ".join(said.out.split())
    assert question in " ".join(said.out.split())

    said = cli("report", "both.parquet", "-o", "both.html")
    assert said.code == 0, said.err
    assert question in Path("both.html").read_text(encoding="utf-8")
    said = cli("compare-children", "both.parquet", "--bootstrap", "100")
    assert said.code == 0, said.err
    assert "children-en, this table" in said.out
    assert "Do bilingual-en-nl find those words hard that children-en find hard" in said.out


def is_in_the_table(data: Path, tested: set[int]) -> None:
    """The table holds the answers that the page wrote, and the models on every item of them."""
    table = pd.read_parquet("both.parquet").astype({"subject_kind": str})
    children = table[table["subject_kind"] == "child"]
    models = table[table["subject_kind"] == "model"]
    assert set(children["seed"]) == {f"kid-{child:02}" for child in tested}
    assert set(models["seed"]) == set(SEEDS)
    names = ["participant_id", "condition", "trial", "word_id", "target_id", "distractor_id",
             "chosen_id", "correct", "response_time_s", "device", "session_id"]  # fmt: skip
    written = [row for file in data.glob("*.csv") for row in rows_of(file) if row["part"] == "test"]
    expected = pd.DataFrame(written)[names].astype({"response_time_s": float})
    found = children.rename(columns={"seed": "participant_id"})[names]
    assert len(expected) == N_CHILDREN * N_TEST
    by = ["participant_id", "trial"]
    one, two = (own.astype(str).sort_values(by, ignore_index=True) for own in (expected, found))
    pd.testing.assert_frame_equal(one, two)
    real = two["participant_id"] < f"kid-{len(REAL):02}"
    assert set(two.loc[real, "device"]) == set(REAL)
    item = ["condition", "word_id", "target_id", "distractor_id"]
    asked = {tuple(row) for row in children[item].astype(str).to_numpy()}
    for _, own in models.groupby("seed", observed=True):
        assert asked <= {tuple(row) for row in own[item].astype(str).to_numpy()}
