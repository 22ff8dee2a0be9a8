"""The page: complete, true to the saved numbers, the same every time, safe against its data."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paradigms.registry import get_paradigm
from reports.choices.methods import in_order
from reports.facts import all_run_facts
from reports.numbers import interval, number, odds_ratio, p_value, percent, t_of_df
from reports.page import DEFAULT_TRIALS, Options, _anchor, render, write_report
from reports.sources import read_chapters, read_run
from stimuli import StimulusSet
from tests.stored import as_written, write_stored
from toolkit.errors import ToolkitError
from toolkit.running.choices import run
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.imported.elsewhere import read_any, write_long
from toolkit.statistics.saved import saved_results, saved_summary
from toolkit.statistics.space.analysis import analyse_spaces, write_tables
from toolkit.statistics.space.sample import Sample, Space
from toolkit.statistics.summary import summarise
from toolkit.subjects.populations import open_population

EVIL = "<script>alert(1)</script>"


def unpacked(text: str) -> str:
    """Data of the page as its script reads them."""
    return zlib.decompress(base64.b64decode(text)).decode()


def without_templates(text: str) -> str:
    """The page without what only its script makes something of."""
    return re.sub("<template.*?</template>", "", text, flags=re.DOTALL)


class Page(HTMLParser):
    """What a page holds, as far as the tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.links: list[str] = []
        self.counts: dict[str, int] = {}
        self.text = ""
        self._table: list[list[str]] | None = None
        self._cell = False
        self._quiet = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if "id" in known:
            self.ids.append(known["id"] or "")
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "action")]
        if tag == "table":
            self._table = []
            if known.get("data-name"):
                self.tables[known["data-name"] or ""] = self._table
        if tag == "tr" and self._table is not None:
            self._table.append([])
        if tag in ("td", "th") and self._table:
            self._table[-1].append("")
            self._cell = True
        self._quiet = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False
        if tag in ("script", "style"):
            self._quiet = False

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data
        if self._cell and self._table:
            self._table[-1][-1] += data


@pytest.fixture(scope="session")
def whole(runs: dict[str, Path]) -> str:
    """The page of all three runs."""
    return render([runs["me"], runs["familiar"], runs["translation"]], Options())


@pytest.fixture(scope="session")
def me_page(runs: dict[str, Path]) -> str:
    """The page of the ME run."""
    return render([runs["me"]], Options())


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the drawing out where a test asks about something else: it takes most of the time."""
    monkeypatch.setattr("reports.drawing.svg", lambda spec, name: "<svg></svg>")


def saved(folder: Path, name: str) -> dict:  # type: ignore[type-arg]
    return dict(json.loads((folder / f"{name}.json").read_text()))


def concluded(folder: Path) -> Analysis:
    found = saved_results(folder)["me"]
    assert isinstance(found, Analysis)
    return found


def test_sections_of_all_runs_are_there_and_names_are_unique(whole: str) -> None:
    page = Page(whole)
    for section in ("answers", "status", "methods", "reproduce", "credits"):
        assert section in page.ids
    for paradigm in ("me", "familiar", "translation"):
        for part in ("figures", "trials", "tables", "models"):
            assert f"{paradigm}-{part}" in page.ids
    for figure in (
        *("me-accuracy", "me-conditions", "me-condition-contrasts"),
        *("me-monolingual-bilingual", "me-contrasts"),
        *("me-items", "me-words-by-distractors", "me-margins", "me-training"),
        *("translation-confusions", "familiar-accuracy"),
    ):
        assert figure in page.ids
    assert len(page.ids) == len(set(page.ids))
    targets = [link[1:] for link in page.links if link.startswith("#")]
    assert set(targets) <= set(page.ids)


def test_runs_with_the_same_subjects_tell_versions_and_checksums_once(
    runs: dict[str, Path],
) -> None:
    run = read_run(runs["me"])
    assert run.manifest is not None
    again = replace(run, manifest=replace(run.manifest, run_id="again", trial_seed=7))
    other = replace(run, manifest=replace(run.manifest, subjects={"another/a": "0" * 64}))
    lacking = replace(run, manifest=replace(run.manifest, trials_per_class=None))
    first, second, *others = all_run_facts([run, again, other, lacking])
    assert [one["like"] for one in (first, second, *others)] == ["", first["run_id"], "", ""]
    assert dict(second["facts"]) == {
        "Trials per class, trial seed": f"{run.manifest.trials_per_class}, 7"
    }


def test_nothing_is_fetched_and_every_figure_is_drawn_without_scripts(whole: str) -> None:
    page = Page(whole)
    assert all(link.startswith(("#", "data:")) for link in page.links)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', whole)
    assert policy
    assert "default-src &#39;none&#39;" in policy.group(1)
    assert page.counts["figure"] == len(
        re.findall(r'role="img" aria-label="[^"]{20,}"><svg', whole)
    )


def test_tables_hold_the_saved_numbers(me_page: str, runs: dict[str, Path]) -> None:
    tables = Page(me_page).tables
    summary, statistics = saved_summary(runs["me"]), concluded(runs["me"])
    assert summary is not None
    assert [row[3:5] for row in tables["me-accuracies"][1:]] == [
        [percent(row.mean), interval(row.ci_low, row.ci_high, 100)] for row in summary.results
    ]
    every = statistics.chance_all_seeds or statistics.chance
    assert any(test.fit for test in every)
    name = "me-chance-all" if statistics.chance_all_seeds else "me-chance"
    assert [row[4:11] for row in tables[name][1:]] == [
        [
            number(test.accuracy, 100), number(test.chance, 100),
            number(test.probability, 100), interval(test.ci_low, test.ci_high, 100),
            t_of_df(test.statistic, test.df), p_value(test.p_value), p_value(test.p_holm),
        ]
        for test in every
    ]  # fmt: skip
    compared = statistics.conditions
    assert [row[2] for row in tables["me-condition-contrasts"][1:]] == [
        f"novel-familiar - {control}"
        for _ in range(len(compared) // 2)
        for control in ("absent-familiar", "novel*-familiar")
    ]
    assert [row[7:11] for row in tables["me-condition-contrasts"][1:]] == [
        [odds_ratio(effect), t_of_df(effect.statistic, effect.df), p_value(effect.p_value),
         p_value(effect.p_holm)] if effect else ["-"] * 4
        for effect in (test.contrast for test in compared)
    ]  # fmt: skip
    for groups, end in ((statistics.groups, ""), (statistics.groups_all_seeds, "-all")):
        for group in groups:
            shown = tables[f"me-planned-contrasts{end}"]
            assert [(row[0], row[4]) for row in shown[1:]] == [
                (model.name, odds_ratio(model.contrast)) for model in group.models
            ]
    words = statistics.words.query("condition == 'novel-familiar'")
    assert [row[4] for row in tables["me-words"][1:]] == [
        number(accuracy, 100) for accuracy in words["accuracy"]
    ]


def test_answers_come_first_and_methods_say_what_was_done(
    me_page: str, runs: dict[str, Path]
) -> None:
    text = Page(me_page).text
    statistics = saved(runs["me"], "statistics")["me"]
    for question, answer in statistics["answers"]:
        assert text.index(question) < text.index("Planned contrasts")
        assert answer in text
    assert statistics["apa"] in text
    manifest = saved(runs["me"], "manifest")
    for fact in (
        manifest["stimuli"]["checksum"], "counterbalanced",
        statistics["engine"], "8 trials per word class", "3 networks trained on en and nl",
        manifest["subjects"]["bilingual-en-nl/b"], "arXiv 2506.04037",
    ):  # fmt: skip
        assert fact in text
    formulas = {
        in_order(test["fit"]["fitted_formula"]) for test in statistics["chance"] if test["fit"]
    }
    assert formulas
    assert all(formula in text for formula in formulas), "what was fitted, not what was declared"
    assert "The smallest population has 3 seeds" in text, "few seeds are told"
    assert "Assumed, not tested" in text


def test_the_same_tables_give_the_same_bytes_wherever_they_lie(
    me_page: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(runs["me"], tmp_path / "elsewhere")
    assert render([tmp_path / "elsewhere"], Options()) == me_page


def test_names_from_data_are_shown_as_text(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    shutil.copytree(runs["me"], folder)
    for file in ("summary", "statistics", "manifest"):
        path = folder / f"{file}.json"
        text = path.read_text()
        for name in ("key", "bilingual-en-nl", "novel-familiar"):
            text = text.replace(f'"{name}"', json.dumps(name + EVIL))
        write_stored(path, text)
    trials = pd.read_parquet(folder / "trials.parquet")
    for column, name in (
        *(("word_concept", "key"), ("target_concept", "key"), ("distractor_concept", "key")),
        *(("population", "bilingual-en-nl"), ("condition", "novel-familiar")),
    ):
        trials[column] = trials[column].astype(str).replace(name, name + EVIL).astype("category")
    trials.to_parquet(folder / "trials.parquet")
    as_written(folder / "trials.parquet")
    text = render([folder], Options(title=f"Report {EVIL}"))
    assert EVIL not in text
    page = Page(text)
    data = len(re.findall('class="(?:spec|trials|pairs)"|id="(?:media|engine)"', text))
    assert page.counts["script"] == data + 1, "the page's own script, data, and no others"
    for name in ("key", "bilingual-en-nl", "novel-familiar"):
        assert name + EVIL in page.text


def test_specifications_are_valid_and_can_be_read_back(me_page: str, runs: dict[str, Path]) -> None:
    import altair as alt

    from reports.page import chapter_figures

    found = re.findall(r'class="spec"[^>]*>(.*?)</script>', me_page)
    assert found
    assert all(json.loads(unpacked(text))["$schema"].endswith(".json") for text in found)
    for chapter in read_chapters([runs["me"]], 3):
        for figure in chapter_figures(chapter, None):
            # No background at all is understood, but not in the schema.
            alt.Chart.from_dict(figure.spec() | {"background": "white"}, validate=True)
            assert len(figure.data)


@pytest.mark.usefixtures("undrawn")
def test_gallery_has_pictures_and_sounds_and_can_be_left_out(
    me_page: str, runs: dict[str, Path]
) -> None:
    page = Page(without_templates(me_page))
    assert page.counts["article"] == page.counts["audio"] <= DEFAULT_TRIALS
    assert page.counts["img"] == 2 * page.counts["article"]
    few = Page(without_templates(render([runs["me"]], Options(n_trials=6))))
    assert few.counts["article"] == 6
    none = Page(render([runs["me"]], Options(n_trials=0)))
    assert "article" not in none.counts
    assert "me-trials" not in none.ids
    assert "No pictures or sounds are on this page" in none.text


@pytest.mark.usefixtures("undrawn")
def test_without_its_stimuli_a_run_is_still_told(
    runs: dict[str, Path], tmp_path: Path, tiny_set: object
) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(runs["me"], folder)
    manifest = saved(folder, "manifest")
    manifest["stimuli"]["folder"] = str(tmp_path / "gone")
    write_stored(folder / "manifest.json", json.dumps(manifest))
    page = Page(without_templates(render([folder], Options())))
    assert "The stimuli were not at hand" in page.text
    assert "audio" not in page.counts
    found = Page(without_templates(render([folder], Options(stimuli=str(tiny_set.folder)))))  # type: ignore[attr-defined]
    assert found.counts["audio"] == found.counts["article"]
    with pytest.raises(ToolkitError, match="not those of the run"):
        render([folder], Options(stimuli="mini"))


@pytest.mark.usefixtures("undrawn")
def test_runs_of_one_paradigm_are_analysed_together(runs: dict[str, Path], tmp_path: Path) -> None:
    parts = []
    for population in ("monolingual-en", "bilingual-en-nl"):
        folder = tmp_path / population
        shutil.copytree(runs["me"], folder)
        trials = pd.read_parquet(folder / "trials.parquet")
        # Whether a seed that hashes passes the gate is chance; here all do.
        trials.loc[trials["condition"] == "familiar-novel", ["correct", "tie"]] = [1, False]
        trials[trials["population"] == population].to_parquet(folder / "trials.parquet")
        as_written(folder / "trials.parquet")
        summary = saved(folder, "summary")
        summary["results"] = [r for r in summary["results"] if r["population"] == population]
        write_stored(folder / "summary.json", json.dumps(summary))
        parts.append(folder)
    page = Page(render(parts, Options()))
    contrasts = [row[0] for row in page.tables["me-planned-contrasts"][1:]]
    assert contrasts[0].startswith("bilingual - monolingual")
    assert len(page.tables["me-accuracies"]) == 1 + 6 * 3


def test_figures_are_written_as_files(runs: dict[str, Path], tmp_path: Path) -> None:
    out = write_report(
        [runs["translation"]], tmp_path / "new" / "r.html", Options(figures=tmp_path / "figures")
    )
    assert out.read_text().startswith("<!doctype html>")
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    stems = {name.rpartition(".")[0] for name in names}
    assert names == {f"{stem}{suffix}" for stem in stems for suffix in (".svg", ".png", ".csv")}
    picture = (tmp_path / "figures" / "translation-accuracy.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    text = (tmp_path / "figures" / "translation-accuracy.svg").read_text()
    assert "currentColor" not in text
    table = pd.read_csv(tmp_path / "figures" / "translation-accuracy.csv")
    means = table[table["shown"].str.startswith("mean")]["accuracy_percent"]
    results = saved(runs["translation"], "summary")["results"]
    assert list(means) == pytest.approx([100 * r["mean"] for r in results if r["headline"]])


@pytest.mark.usefixtures("undrawn")
def test_an_analysis_of_the_space_is_shown(runs: dict[str, Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    status = {"bear": "familiar", "car": "familiar", "dog": "familiar", "key": "novel"}
    concepts = tuple(name for name in status for _ in "ab")
    names = tuple(f"{number}" for number in range(len(concepts)))
    spaces = [
        Space(
            "-".join(codes), codes, seed,
            tuple(
                Sample(kind, code, names, concepts, rng.normal(size=(len(names), 4)))
                for kind, code in [*(("word", code) for code in codes), ("picture", "")]
            ),
        )
        for codes in (("en",), ("en", "nl"))
        for seed in "ab"
    ]  # fmt: skip
    accuracy = {
        (space.population, space.seed, code, concept): rng.random()
        for space in spaces
        for code in space.languages
        for concept in status
    }
    made = analyse_spaces(spaces, status, accuracy=accuracy, n_bootstrap=20)
    write_tables(tmp_path, made)
    page = Page(render([runs["familiar"], tmp_path], Options()))
    shown = {name for name in page.ids if name.startswith("space-")}
    drawn = {
        "variance",
        "gap",
        "map-pca",
        "map-tsne",
        "alignment",
        "aligned",
        "similarity",
        "words",
    }
    drawn.add("words-accuracy")
    assert {f"space-{name}" for name in drawn} <= shown
    for lost in ("gap", "aligned", "similarity", "alignment", "words"):
        (tmp_path / f"{lost}.parquet").unlink()
    earlier = Page(render([runs["familiar"], tmp_path], Options()))
    assert "space-variance" in earlier.ids
    assert "space-gap" not in earlier.ids


@pytest.mark.parametrize(
    "broken", ["missing", "empty", "manifest", "bare", "summary", "trials", "text"]
)
def test_what_is_no_run_is_refused(broken: str, runs: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    if broken == "empty":
        folder.mkdir()
    elif broken != "missing":
        shutil.copytree(runs["me"], folder)
    if broken == "manifest":
        write_stored(folder / "manifest.json", "{")
    if broken == "bare":
        write_stored(folder / "manifest.json", "{}")
    if broken == "summary":
        write_stored(folder / "summary.json", "{}")
    if broken == "trials":
        (folder / "trials.parquet").write_bytes(b"PAR1")
    if broken == "text":
        write_stored(folder / "statistics.json", "[]")
    with pytest.raises(ToolkitError) as caught:
        write_report([folder], tmp_path / "page.html")
    assert str(tmp_path) in str(caught.value)
    assert not (tmp_path / "page.html").exists()


DAMAGE: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "another type": (("conditions", 0, "n_seeds"), "3", "me.conditions[0].n_seeds is of the wrong"),
    "no such value": (("chance", 1, "verdict"), "lowr", "me.chance[1].verdict is none of the"),
    "no such kind": (("paradigm_kind",), "choises", "paradigm_kind is none of the kinds"),
    "not known": (("gate", "minimun"), 0.5, "me.gate.minimun is not known"),
    "lacking": (("gate",), {"condition": ""}, "me.gate.minimum is lacking"),
}
"""Where statistics are damaged, with what, and what is said then."""


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_statistics_are_refused_by_place_with_the_command_that_makes_them_again(
    kind: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    place, value, said = DAMAGE[kind]
    folder = shutil.copytree(runs["me"], tmp_path / "run")
    content = saved(folder, "statistics")
    at = content["me"]
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    write_stored(folder / "statistics.json", json.dumps(content))
    with pytest.raises(ToolkitError) as caught:
        render([folder], Options())
    assert caught.value.message.startswith(f"{folder / 'statistics.json'} cannot be read: ")
    assert said in caught.value.message
    assert caught.value.next_command == f"mevgs-toolkit analyze {folder}"


@pytest.mark.usefixtures("undrawn")
def test_statistics_of_another_schema_are_made_again(
    runs: dict[str, Path], tmp_path: Path, me_page: str
) -> None:
    folder = shutil.copytree(runs["me"], tmp_path / "run")
    content = saved(folder, "statistics")
    content["me"] = {"schema": 1, "answers": [["Above chance?", "An earlier answer."]]}
    write_stored(folder / "statistics.json", json.dumps(content))
    page = Page(render([folder], Options()))
    assert "An earlier answer." not in page.text
    assert page.tables["me-chance"] == Page(me_page).tables["me-chance"]


def test_other_wrong_input_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="at least one run"):
        render([], Options())
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolkitError, match="cannot be written"):
        write_report([runs["me"]], tmp_path / "file" / "page.html")


def test_paradigms_of_any_name_have_figures_and_anchors_of_their_own() -> None:
    names = ["me", "my-test", "my_test", "my test", "My test", "my--test", "тест", "тост", "?", ""]
    made = [_anchor(name) for name in names]
    assert len(set(made)) == len(names)
    assert made[:3] == names[:3]
    assert all(re.fullmatch(r"[a-z0-9_-]+", one) for one in made)


def test_a_run_named_twice_is_one_run_on_the_page(runs: dict[str, Path], tmp_path: Path) -> None:
    me = runs["me"]
    shutil.copy(me / "trials.parquet", tmp_path / "copy.parquet")
    names = [me, me / ".." / me.name, me / "trials.parquet", tmp_path / "copy.parquet"]
    (chapter,) = read_chapters(names, 0)
    assert [run.folder for run in chapter.runs] == [me]
    assert [note.rpartition(": ")[2] for note in chapter.notes] == [
        "named twice, counted once."
    ] * 3
    assert "copy.parquet is the same table as" in render(names, Options(n_trials=0))


def test_lists_of_one_test_are_one_result(
    runs: dict[str, Path], tmp_path: Path, tiny_set: StimulusSet
) -> None:
    """Two trial lists of the same networks: their answers are added up, and the page tells both."""
    subjects = runs["me"].parents[1] / "subjects"
    asked = get_paradigm("me")
    populations = [open_population(name, subjects) for name in ("monolingual-en", "monolingual-nl")]
    folders = []
    for seed in (5, 6):
        done = run(asked, populations, tiny_set, root=tmp_path, per_class=8, trial_seed=seed)
        done.directory.write_json("summary.json", summarise(done, asked))
        folders.append(done.directory.folder)
    (chapter,) = read_chapters(folders, 6)
    single_lists = [read_chapters([folder], 6)[0] for folder in folders]
    first, second = chapter.manifests
    assert second.subjects is first.subjects, "held once, however many lists they were asked"
    assert not first.further | second.further
    for place, row in enumerate(chapter.results):
        parts = [one.results[place] for one in single_lists]
        assert row.condition == parts[0].condition
        assert row.n_seeds == 3
        assert row.n_trials == sum(part.n_trials for part in parts)
        weights = [part.n_trials for part in parts]
        means = [part.mean for part in parts]
        assert row.mean == pytest.approx(np.average(means, weights=weights))
    # Trial 3 of one list is not trial 3 of the other.
    single = chapter.digest.single
    assert single.n_picked
    assert (
        single.n_all == len(single.trials) == sum(one.digest.single.n_all for one in single_lists)
    )
    page = html.unescape(render(folders, Options(n_trials=0)))
    assert "Accuracy over trial lists" in page
    assert "Trial lists depend on the trial seed (5, 6)" in page
    assert "Answers to 2 trial lists were added up per word and distractor" in page


def test_a_table_from_elsewhere_has_a_page(runs: dict[str, Path], tmp_path: Path) -> None:
    rows = "child,word,correct\n" + "".join(
        f"c{child},{word},{(child + place) % 3 > 0:d}\n"
        for child in range(6)
        for place, word in enumerate(("dax", "wug", "<b>fep</b>"))
    )
    (tmp_path / "study.csv").write_text(rows)
    constants = {"population": "children", "test_language": "en", "condition": "novel-familiar",
                 "n_choices": "2", "paradigm": "me", "n_languages": "1",
                 "paradigm_version": str(get_paradigm("me").version),
                 "train_languages": "en"}  # fmt: skip
    table = read_any(
        tmp_path / "study.csv", {"seed": "child", "word_concept": "word"}, constants=constants
    )
    write_long(table, tmp_path / "children.parquet", table.attrs["meanings"])
    page = html.unescape(render([tmp_path / "children.parquet"], Options()))
    assert "Answers of 6 participants of children come from the table children.parquet." in page
    assert "children.parquet was imported: how its trials were made is not recorded." in page
    assert "column child of study.csv" in page
    assert "Seeds stand for further trainings" not in page
    both = html.unescape(render([tmp_path / "children.parquet", runs["me"]], Options(n_trials=3)))
    assert "words were answered by both bilingual-en-nl and children" in both
    assert "Seeds stand for further trainings" in both
    with pytest.raises(ToolkitError, match="do not say which stimuli were shown"):
        render([tmp_path / "children.parquet"], Options(stimuli="mini"))
    bare = table.drop(columns=["paradigm", "n_choices"])
    write_long(bare, tmp_path / "bare.parquet")
    with pytest.raises(ToolkitError, match="lacks the columns paradigm, n_choices") as error:
        render([tmp_path / "bare.parquet"], Options())
    assert "import-trials" in str(error.value)


@pytest.mark.usefixtures("undrawn")
def test_what_networks_computed_on_is_told(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "card"
    shutil.copytree(runs["familiar"], folder)
    own = saved(folder, "manifest")
    assert own["device"] == {"kind": "cpu", "precision": "float32", "models": []}
    card = {"kind": "cuda", "precision": "bf16", "models": ["Some Card"]}
    write_stored(folder / "manifest.json", json.dumps(own | {"device": card}))
    of_processor, of_card, of_both = (
        Page(render(some, Options(n_trials=0))).text
        for some in ([runs["me"]], [folder], [runs["me"], folder])
    )
    assert "Computed oncpu, float32" in of_processor
    assert "Networks computed on" not in of_processor
    assert "Networks computed on cuda (Some Card), bf16: numbers agree with those" in of_card
    assert "different kinds of device" not in of_card
    assert "The runs used 2 different kinds of device or precisions." in of_both
