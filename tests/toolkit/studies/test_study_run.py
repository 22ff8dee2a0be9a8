"""A study is planned, carried out, and told where it departs from its file."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from paradigms.looking_while_listening import LookingWhileListening
from stimuli import StimulusSet
from stimuli.files import sha256_of
from tests.conftest import LANGUAGES, tiny_rows, write_set
from tests.reports.browsing import html_faults, needs_java
from tests.unfolding import write_unfolding
from toolkit.api.running import run_paradigm
from toolkit.errors import ToolkitError
from toolkit.running.folder import RunDirectory
from toolkit.studies import contrasts
from toolkit.studies import run as running
from toolkit.studies.checks import read_study
from toolkit.studies.deviations import beyond, missing
from toolkit.studies.durations import FILE
from toolkit.studies.outcomes import sentences_of
from toolkit.studies.plan import Where, plan_study
from toolkit.studies.preregistration import preregistration
from toolkit.studies.run import StudyResults, collect, run_study
from toolkit.studies.study import Study
from toolkit.tables.manifests import read_manifest

STUDY = """\
[study]
title = "A <small> study"
hypotheses = ["Novel words go to novel pictures."]
preregistration = "https://osf.io/abcde"
[[ask]]
paradigm = "familiar"
subjects = ["perfect/a", "subjects/hasher/a"]
languages = ["en"]
trials_per_class = 2
stimuli = "{tiny}"
[[ask]]
paradigm = "me"
subjects = ["perfect/a"]
languages = ["nl"]
trials_per_class = 2
trial_seeds = [3, 4]
stimuli = "{tiny}"
[analysis]
confirmatory = ["familiar: perfect in en"]
alpha = 0.01
[report]
gallery = 0
"""
TRAINS = """\
[[train]]
grid = "grid.toml"
[[ask]]
paradigm = "familiar"
subjects = ["untrained", "perfect/a"]
languages = ["en"]
trials_per_class = 2
trial_seeds = [7]
stimuli = "{tiny}"
"""
Write = Callable[..., Study]


@pytest.fixture
def written(tmp_path: Path, tiny_set: StimulusSet, subjects_dir: Path) -> Write:
    """Write the study into a folder with a population, and read it."""

    def write(text: str = STUDY) -> Study:
        path = tmp_path / "study.toml"
        path.write_text(text.format(tiny=tiny_set.folder), encoding="utf-8")
        return read_study(path)

    return write


def carried_out(study: Study) -> StudyResults:
    return run_study(study, Where(study.results))


def cells_of(study: Study, paradigm: str) -> Iterator[Path]:
    """Files of the cells of a paradigm's runs."""
    for run in plan_study(study, Where(study.results)).runs:
        if run.ask.paradigm.name == paradigm:
            directory = RunDirectory(study.results / "runs", str(run.run_id))
            yield from (directory.cell_path(str(cell.key)) for cell in run.cells)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_plan_counts_cells_and_touches_nothing(written: Write, tmp_path: Path) -> None:
    study, before = written(), files(tmp_path)
    plan = plan_study(study, Where(study.results))
    assert [(len(run.cells), run.n_missing, run.trial_seed) for run in plan.runs] == [
        (2, 2, 0), (1, 1, 3), (1, 1, 4)
    ]  # fmt: skip
    assert [cell.name for cell in plan.runs[0].cells] == ["perfect/a/en", "hasher/a/en"]
    lists = plan.runs[1:]
    assert lists[0].cells[0].name is lists[1].cells[0].name, "held once for all lists"
    assert plan.missing == {"familiar": 2, "me": 2}
    assert plan.core_hours == {"familiar": None, "me": None}
    assert not plan.is_finished
    assert files(tmp_path) == before


def test_runs_of_a_study_are_those_of_run_paradigm(
    written: Write, tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    """The same cells under the same keys; only the manifest knows of the study."""
    study = written()
    made = carried_out(study)
    planned = made.plan.runs[0]
    alone = run_paradigm(
        "familiar", ["perfect/a", str(subjects_dir / "hasher/a")], languages="en",
        trials_per_class=2, stimuli=tiny_set, out=tmp_path / "alone",
    )  # fmt: skip
    folder = made.plan.where.runs / str(planned.run_id)
    assert alone.folder.name == folder.name
    assert (alone.folder / "trials.parquet").read_bytes() == (
        folder / "trials.parquet"
    ).read_bytes()
    own, other = read_manifest(folder), read_manifest(alone.folder)
    assert own["cells"] == other["cells"] == {cell.name: cell.key for cell in planned.cells}
    assert own["studies"] == [study.sha256] == [sha256_of(study.path)]
    assert "studies" not in other


def test_again_does_nothing_that_is_done(written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    study = written()
    first = carried_out(study)
    before = files(study.results)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("done again")

    monkeypatch.setattr(running, "_ask", refuse)
    monkeypatch.setattr(running, "analyse_runs", refuse)
    again = carried_out(read_study(study.path))
    assert again.plan.is_finished
    assert again.pages == first.pages
    assert files(study.results) == before


def test_what_is_lost_is_made_again_and_nothing_else(written: Write) -> None:
    study = written()
    carried_out(study)
    before = files(study.results)
    cell = next(cells_of(study, "familiar"))
    cell.unlink()
    plan = plan_study(study, Where(study.results))
    assert plan.missing == {"familiar": 1, "me": 0}
    assert plan.core_hours["familiar"] is not None
    assert missing(plan, []) == [
        "1 of 2 cells of familiar on tiny: perfect/a, subjects/hasher/a, trial seed 0."
    ]
    carried_out(study)
    after = files(study.results)
    changed = {name for name in before if before[name] != after.get(name)}
    assert {Path(name).name.removesuffix(".sha256") for name in changed} <= {"manifest.json", FILE}
    assert after.keys() == before.keys()


def test_a_kill_before_the_summary_leaves_a_run_that_is_finished_later(written: Write) -> None:
    study = written()
    before = carried_out(study).pages[0].read_bytes()
    for file in study.results.glob("runs/*/summary.json"):
        file.unlink()
    assert not any(run.done for run in plan_study(study, Where(study.results)).runs)
    assert collect(study, Where(study.results)).pages[0].read_bytes() == before


def test_the_report_holds_what_was_planned_in_the_order_of_the_file(written: Write) -> None:
    study = written()
    made = carried_out(study)
    page = made.pages[0].read_text(encoding="utf-8")
    assert made.pages == (study.results / "report.html",)
    places = [page.index(f'<li><a href="#{name}">') for name in ("familiar", "me")]
    assert places == sorted(places)
    for text in (
        "A &lt;small&gt; study", "Novel words go to novel pictures.", "Confirmatory tests",
        "https://osf.io/abcde", study.sha256, "As planned", "analyses beyond the confirmatory ones",
    ):  # fmt: skip
        assert text in page
    assert not made.beyond
    assert not made.missing
    told = json.loads((study.results / "statistics.json").read_text())
    assert [told[name]["settings"]["alpha"] for name in ("familiar", "me")] == [0.01, 0.01]
    assert {len(own["lists"]["seeds"]) if "seeds" in own["lists"] else 2 for own in [told["me"]]}


@needs_java
def test_the_report_of_a_study_is_valid_html(written: Write) -> None:
    assert html_faults(carried_out(written()).pages[0]) == []


def test_a_run_beyond_the_file_is_told(written: Write, tiny_set: StimulusSet) -> None:
    study = written()
    carried_out(study)
    further = run_paradigm("me", "perfect/b", languages="en", trials_per_class=3, trial_seed=9,
                           stimuli=tiny_set, out=study.results / "runs")  # fmt: skip
    plan = plan_study(study, Where(study.results))
    assert beyond(plan) == [
        f"the run {further.folder.name}, me asked of perfect, in en, trial seed 9, trials per "
        "class 3."
    ]
    page = carried_out(study).pages[0].read_text(encoding="utf-8")
    assert re.search(r"Not in the plan</strong>\s*the run me-perfect", page)


def test_a_file_that_was_changed_later_is_told(written: Write) -> None:
    first = written()
    carried_out(first)
    study = written(STUDY.replace("[3, 4]", "[3]").replace('"perfect/a", ', '"perfect/b", '))
    assert study.sha256 != first.sha256
    made = carried_out(study)
    told = " ".join(made.beyond)
    assert "trial seed 4" in told
    assert "was first asked for by another version of the study file" in told
    manifest = read_manifest(study.results / "runs" / str(made.plan.runs[1].run_id))
    assert manifest["studies"] == [first.sha256, study.sha256]
    assert manifest["status"] == "complete"


def test_a_run_that_was_made_without_the_file_is_told(
    written: Write, tiny_set: StimulusSet
) -> None:
    study = written()
    run_paradigm("me", "perfect/a", languages="nl", trials_per_class=2, trial_seed=3,
                 stimuli=tiny_set, out=study.results / "runs")  # fmt: skip
    assert beyond(plan_study(study, Where(study.results))) == [
        f"the run {next((study.results / 'runs').glob('me-*')).name} was made without the study "
        "file."
    ]


def test_collecting_tells_what_is_missing(written: Write) -> None:
    study = written()
    with pytest.raises(ToolkitError, match="No run of the study is finished"):
        collect(study, Where(study.results))
    carried_out(study)
    for cell in [*cells_of(study, "familiar")]:
        cell.unlink()
    made = collect(study, Where(study.results))
    assert made.missing == (
        "2 of 2 cells of familiar on tiny: perfect/a, subjects/hasher/a, trial seed 0.",
        "the confirmatory test familiar: perfect in en.",
    )
    page = made.pages[0].read_text(encoding="utf-8")
    assert page.count("In the plan but missing") == 2


def write_whole_set(folder: Path) -> Path:
    """The small set with longer words, some of whose training material is held out."""
    rows, rng = tiny_rows(), np.random.default_rng(1)
    for row in rows:
        if row["kind"] == "word":
            file = io.BytesIO()
            soundfile.write(file, rng.uniform(-0.5, 0.5, 1600), 16000, format="WAV")
            row["data"], row["duration_s"] = file.getvalue(), "0.100"
        if row["split"] == "train" and row["stimulus_id"].endswith("-1"):
            row["split"] = "valid"
            row["voice"] = row.get("voice") and "val"
    return write_set(folder, rows, LANGUAGES)


def test_what_is_trained_is_trained_once_and_then_asked(
    written: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write_whole_set(tmp_path / "whole")
    (tmp_path / "grid.toml").write_text(
        f'stimuli = "{whole}"\n[recipe]\nword_views = 1\npicture_views = 1\nsize = "xsm"\n'
        '[grid]\nlanguages = [[]]\nseeds = "ab"\n',
        encoding="utf-8",
    )
    study = written(f'[study]\ntitle = "T"\n{TRAINS.replace("{tiny}", str(whole))}')
    plan = plan_study(study, Where(study.results))
    assert plan.missing == {"training": 2, "familiar": 3}
    keys = {cell.name: cell.key for cell in plan.runs[0].cells}
    assert {name for name, key in keys.items() if key is None} == {
        "untrained/a/en", "untrained/b/en",
    }  # fmt: skip
    assert plan.runs[0].run_id is None
    made = carried_out(study)
    assert made.plan.is_finished
    assert made.plan.trainings[0].done == ("a", "b")
    assert (study.results / "subjects" / "untrained" / "b.safetensors").is_file()
    assert json.loads((study.results / FILE).read_text())["training"]["n"] == 2
    before = files(study.results / "subjects")
    monkeypatch.setattr(running, "_ask", None)
    carried_out(study)
    assert files(study.results / "subjects") == before
    fewer = (tmp_path / "grid.toml").read_text().replace('"ab"', '"a"')
    (tmp_path / "grid.toml").write_text(fewer, encoding="utf-8")
    study = read_study(study.path)
    told = beyond(plan_study(study, Where(study.results)))
    assert "seed b of untrained was trained." in told


def test_every_stimulus_set_has_a_page_of_its_own(written: Write) -> None:
    """Runs on different sets are never analysed together."""
    text = STUDY + '[[ask]]\nparadigm = "me"\nsubjects = ["perfect/a"]\ntrials_per_class = 1\n'
    study = written(text)
    made = carried_out(study)
    places = [study.results / "reports" / name for name in ("tiny", "mini")]
    assert made.pages == tuple(place / "report.html" for place in places)
    assert [list(own) for own in made.results] == [["familiar", "me"], ["me"]]
    assert not made.missing
    before = files(study.results)
    carried_out(study)
    assert files(study.results) == before


def test_tests_are_named_as_the_analysis_names_them(written: Write, subjects_dir: Path) -> None:
    code = (subjects_dir / "hasher" / "hasher_subject.py").read_text()
    description = (subjects_dir / "hasher" / "population.toml").read_text()
    for name, languages in (
        ("one", ["en"]), ("two", ["nl"]), ("both", ["en", "nl"]), ("more", ["en", "nl"])
    ):  # fmt: skip
        folder = subjects_dir / name
        folder.mkdir()
        (folder / "hasher_subject.py").write_text(code)
        told = description.replace('"hasher"', f'"{name}"')
        (folder / "population.toml").write_text(
            told.replace('["en", "nl"]', json.dumps(languages)), encoding="utf-8"
        )
    study = written(
        '[study]\ntitle = "T"\n[[ask]]\nparadigm = "me"\ntrials_per_class = 2\n'
        'subjects = ["subjects/one", "subjects/two", "subjects/both", "subjects/more"]\n'
        'stimuli = "{tiny}"\n[report]\ngallery = 0\n'
    )
    made = carried_out(study)
    known = {test for own in contrasts.tests_of(study.asks).values() for test in own}
    assert set(sentences_of(made.results[0])) == known
    assert "me: bilingual - monolingual, all languages" in known
    assert "me: more - one, en" in known


def test_maps_have_a_primary_test_per_population(written: Write, scenes_set: StimulusSet) -> None:
    study = written(
        '[study]\ntitle = "T"\n[[ask]]\nparadigm = "dense-grounding"\nsubjects = ["perfect/a"]\n'
        f'stimuli = "{scenes_set.folder}"\n'
        '[[ask]]\nparadigm = "familiar"\nsubjects = ["perfect/a"]\nstimuli = "{tiny}"\n'
        'trials_per_class = 1\n[analysis]\nconfirmatory = ["primary test"]\nalpha = 0.1\n'
    )
    assert study.confirmatory == ("dense-grounding: perfect, primary test",)
    made = carried_out(study)
    assert made.missing == ()
    assert len(made.pages) == 2, "two sets of one name"
    page = made.pages[0].read_text(encoding="utf-8")
    assert re.search(r"<li>dense-grounding: perfect \(\w+\): ", page)


def looking(written: Write, tmp_path: Path, seeds: str = "[1]") -> Study:
    own = write_unfolding(tmp_path / "unfolding")
    return written(
        '[study]\ntitle = "T"\n[[ask]]\nparadigm = "looking-while-listening"\n'
        f'subjects = ["random"]\ntrials_per_class = 6\nstimuli = "{own}"\ntrial_seeds = {seeds}\n'
        '[analysis]\nconfirmatory = ["window", "alone - carrier, clusters", "linear growth"]\n'
        "[report]\ngallery = 0\n"
    )


def test_tests_of_looking_can_be_confirmatory(written: Write, tmp_path: Path) -> None:
    study = looking(written, tmp_path)
    made = carried_out(study)
    assert made.missing == ()
    known = {test for own in study.tests.values() for test in own}
    told = sentences_of(made.results[0])
    assert set(told) == known
    assert study.confirmatory == tuple(
        f"looking-while-listening: random in en, {test}"
        for test in ("alone, window", "carrier, window", "alone - carrier, clusters",
                     "alone, linear growth", "carrier, linear growth")
    )  # fmt: skip
    (analysis,) = made.results[0].values()
    terms = [
        term
        for own in analysis.results  # type: ignore[attr-defined]
        for term in (own.growth.linear, own.growth.quadratic)
    ]
    smallest = min(terms, key=lambda term: term.p_value)
    assert smallest.p_holm == pytest.approx(min(1, len(terms) * smallest.p_value))
    (run,) = (one.run_id for one in plan_study(study, Where(study.results)).runs)
    assert read_manifest(study.results / "runs" / str(run))["trial_seed"] == 1
    text = preregistration(study)
    assert f"growth: `{LookingWhileListening.growth}`" in text
    assert "cluster permutation over participants" in text


def test_looking_is_analysed_over_one_list(written: Write, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match=r"trial_seeds .* asks for several lists"):
        looking(written, tmp_path, "[1, 2]")
