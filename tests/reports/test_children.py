"""Children beside models on a page, in figures and at the command line."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.children.charts import figures
from reports.page import Options, render
from tests.commands import Cli
from tests.toolkit.children.small_metalab import write_metalab
from toolkit.api.children import ChildComparison, compare_children
from toolkit.statistics.imported.elsewhere import read_any, write_long
from toolkit.tables.trials import read_trials

SAID_NEVER = re.compile(r"age.equivalent|equivalent age|mental age|as old as", re.IGNORECASE)


def children_of(run: Path, out: Path, **changes: str) -> Path:
    """A table of children who were asked the words of a run."""
    asked = read_trials(run / "trials.parquet")
    asked = asked[(asked["condition"] == "novel-familiar") & (asked["test_language"] == "en")]
    words = sorted(set(asked["word_concept"].astype(str)))
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"child": f"c{child}", "age_months": 25 + child, "word": word, "distractor_concept": "ball",
         "target_id": word, "correct": int(rng.random() < 0.3 + 0.6 * place / len(words))}
        for child in range(24)
        for place, word in enumerate(words)
    )  # fmt: skip
    rows.to_csv(out.with_suffix(".csv"), index=False)
    constants = {
        "population": "children-en", "subject_kind": "child", "test_language": "en",
        "condition": "novel-familiar", "paradigm": "me", "paradigm_version": "2",
        "n_choices": "2", "n_languages": "1", "train_languages": "en",
    } | changes  # fmt: skip
    table = read_any(
        out.with_suffix(".csv"), {"seed": "child", "word_concept": "word"}, constants=constants
    )
    write_long(table, out, table.attrs["meanings"])
    return out


@pytest.fixture(scope="module")
def compared(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> ChildComparison:
    folder = tmp_path_factory.mktemp("children")
    return compare_children(
        [runs["me"], runs["familiar"], children_of(runs["me"], folder / "children.parquet")],
        metalab=write_metalab(folder / "metalab.csv"),
        n_bootstrap=100,
    )


def test_the_page_has_a_section_that_says_what_may_not_be_concluded(
    compared: ChildComparison, tmp_path: Path
) -> None:
    page = compared.report(tmp_path / "page.html").read_text(encoding="utf-8")
    text = html.unescape(page)
    section = text[text.index('<section id="children"') :]
    section = section[: section.index("</section>")]
    for expected in (
        "Children beside models", "This is no test of equality", "Networks have no age",
        "No untrained networks are among these runs", "MetaLab: 14 conditions of 7 papers",
        "Multilingual children stand apart", "look like standard errors", "Lewis, M.", "Peekbank",
    ):  # fmt: skip
        assert expected in section, expected
    assert not SAID_NEVER.search(section)
    assert '<a href="#children">' in text
    drawn = re.findall(r'<figure id="(children-[a-z-]+)"', section)
    assert drawn[:2] == ["children-age-me", "children-age-familiar"]


def test_without_being_asked_for_there_is_no_such_section(runs: dict[str, Path]) -> None:
    assert 'id="children"' not in render([runs["me"]], Options(n_trials=0))


def test_figures_hold_children_in_ink_and_models_as_bands(compared: ChildComparison) -> None:
    by_name = {figure.name: figure for figure in figures(compared.results)}
    data = by_name["age-me"].data
    models = data[data["kind"] == "model"]
    assert models["age_months"].isna().all(), "models have no age"
    assert set(models["who"]) == {"monolingual-en", "monolingual-nl", "bilingual-en-nl"}
    lewis = data[data["kind"] == "Lewis et al. 2020, exp. 1"]
    assert lewis["share_percent"].round().tolist() == [73, 79, 90, 88]
    assert (data["kind"] == "a condition of a study").sum() == 14
    assert (data["kind"] == "the same, multilingual children").sum() == 1
    assert (data["who"] == "children-en, this table").sum() == 4
    caption = by_name["age-me"].caption
    for expected in ("other objects, heard other voices", "no test of equality", "7 papers"):
        assert expected in caption
    assert not any(SAID_NEVER.search(figure.caption + figure.alt) for figure in by_name.values())
    familiar = by_name["age-familiar"]
    assert "different measures" in familiar.caption
    assert (familiar.data["kind"] == "Peekbank, looking").sum() == 9


def test_an_untrained_population_is_drawn_last_in_grey_and_named(
    compared: ChildComparison,
) -> None:
    from dataclasses import replace

    test = compared.results.tests[0]
    blank = replace(test.bands[0], population="untrained", n_languages=0)
    drawn, *_ = figures(
        replace(compared.results, tests=(replace(test, bands=(blank, *test.bands)),))
    )
    assert "networks that learnt nothing" in drawn.caption
    spec = json.dumps(drawn.spec())
    assert "#7f7f7f" in spec


def test_files_are_written_as_svg_png_and_csv(compared: ChildComparison, tmp_path: Path) -> None:
    names = compared.figures(tmp_path / "figures")
    assert "children-age-me" in names
    written = {file.name for file in (tmp_path / "figures").iterdir()}
    assert written == {f"{name}{ending}" for name in names for ending in (".svg", ".png", ".csv")}
    table = pd.read_csv(tmp_path / "figures" / "children-age-me.csv")
    assert {"kind", "who", "age_months", "share_percent", "ci_low_percent", "n"} <= set(table)


def test_the_command_prints_what_python_gives(
    compared: ChildComparison, cli: Cli, runs: dict[str, Path], tmp_path: Path
) -> None:
    children = children_of(runs["me"], tmp_path / "children.parquet")
    metalab = write_metalab(tmp_path / "metalab.csv")
    arguments = (
        "compare-children", runs["me"], runs["familiar"], children, "--metalab", metalab,
        "--bootstrap", 100,
    )  # fmt: skip
    said = cli(*arguments)
    assert said.code == 0, said.err
    shown = " ".join(said.out.split())
    for _, answer in compared.answers:
        assert " ".join(answer.split()) in shown
    as_json = json.loads(cli(*arguments, "--format", "json").out)
    assert as_json["tests"][0]["bands"] == compared.told["tests"][0]["bands"]
    assert as_json["answers"] == [list(pair) for pair in compared.answers]


def test_report_takes_children_by_option(cli: Cli, runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    said = cli("report", runs["me"], "--children", "--no-gallery", "-o", out)
    assert said.code == 0, said.err
    assert 'id="children"' in out.read_text(encoding="utf-8")
    said = cli("report", runs["me"], "--metalab", "m.csv", "-o", out)
    assert said.code == 2
    assert "--children" in said.err


def test_wrong_input_ends_with_one_message(cli: Cli, runs: dict[str, Path], tmp_path: Path) -> None:
    looking = tmp_path / "looking.csv"
    looking.write_text("word_concept,distractor_concept,age_months,looking_share\na,b,18,0.6\n")
    other = children_of(runs["me"], tmp_path / "other.parquet", test_language="fr")
    for arguments, expected in (
        ((runs["translation"],), "asked models a test that children are known to have taken"),
        ((other,), "asked models a test that children"),
        ((runs["me"], "--metalab", "nowhere.csv"), "There is no file nowhere.csv"),
        ((runs["me"], "--metalab", looking), "it has no column study_ID"),
        ((runs["familiar"], "--metalab", write_metalab(tmp_path / "m.csv")), "no run asked models"),
        ((runs["me"], other), "share no items"),
        ((runs["me"], "--looking", looking), "no run asked that"),
        ((runs["familiar"], "--looking", looking), "share too few trials"),
        ((tmp_path / "gone",), "There is no trials table"),
        ((runs["me"], "--bootstrap", 3), "100"),
    ):  # fmt: skip
        said = cli("compare-children", *arguments, "--figures", tmp_path / "figures")
        assert said.code == 2, said.out
        assert expected in " ".join(said.err.split()), said.err
        assert "Traceback" not in said.err
        assert not (tmp_path / "figures").exists(), "nothing is half-written"


def test_looking_is_matched_with_the_runs_own_trials(runs: dict[str, Path], tmp_path: Path) -> None:
    trials = read_trials(runs["familiar"] / "trials.parquet")
    pairs = trials[["word_concept", "distractor_concept"]].astype(str).drop_duplicates()
    rng = np.random.default_rng(0)
    rows = pd.concat(
        [pairs.assign(child=f"c{n}", age_months=19, looking_share=rng.uniform(0.3, 0.9, len(pairs)))
         for n in range(8)]
    )  # fmt: skip
    rows.to_csv(tmp_path / "looking.csv", index=False)
    if len(pairs) < 5:
        pytest.skip("the small set has too few pairs of familiar words")
    made = compare_children(runs["familiar"], looking=tmp_path / "looking.csv", n_bootstrap=100)
    assert {one.population for one in made.results.looking} == set(trials["population"])
    assert all(one.ceiling > 0 for one in made.results.looking)
    assert figures(made.results)[-1].name == "looking"
