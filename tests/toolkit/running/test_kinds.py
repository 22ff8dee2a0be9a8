"""The kind of a paradigm is declared, recorded, and looked up in one table per layer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tests.toy_kind as toy
from paradigms.registry import find_paradigms, get_paradigm
from reports.kinds import REPORTS
from stimuli import StimulusSet
from tests.colours import population
from tests.commands import Cli
from tests.stored import as_written, write_stored
from toolkit.errors import ToolkitError
from toolkit.records import write
from toolkit.running.choices import run
from toolkit.running.folder import RunDirectory
from toolkit.running.kinds import RUNNING
from toolkit.running.maps import run_maps
from toolkit.running.score_all import score_all
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.choices.counts import count_trials, read_counts
from toolkit.statistics.choices.publication import publication_table
from toolkit.statistics.kinds import STATISTICS
from toolkit.statistics.settings import Settings
from toolkit.subjects.populations import open_population
from toolkit.tables.kinds import METADATA, kind_of, kind_of_rows
from toolkit.tables.longtable import write_long
from toolkit.tables.trials import read_trials

TABLES = {"RUNNING": RUNNING, "STATISTICS": STATISTICS, "REPORT": REPORTS}


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with a paradigm of a third kind, which has its line in each table."""
    for name, table in TABLES.items():
        monkeypatch.setitem(table.entries, toy.KIND, f"tests.toy_kind:{name}")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "liking.py").write_text(
        "from paradigms import Condition, paradigm\n"
        "from tests.toy_kind import RatingParadigm\n\n\n"
        '@paradigm("liking", version=1)\n'
        "class Liking(RatingParadigm):\n"
        '    question = "How much is a word liked?"\n'
        '    source = "these tests"\n'
        '    conditions = (Condition("only", "a word", headline=True),)\n'
        '    formula = "score ~ 1 + (1 | seed)"\n'
        "    steps = 7\n"
    )
    return folder


def test_every_paradigm_is_of_a_kind_that_every_layer_knows() -> None:
    kinds = {name: cls.kind for name, cls in find_paradigms().items()}
    assert kinds == {
        "dense-grounding": "maps", "familiar": "choices", "me": "choices", "translation": "choices",
        "fast-mapping": "choices", "fast-mapping-gradient": "choices",
        "translation-published": "choices", "translation-published-raw": "choices",
    }  # fmt: skip
    for table in TABLES.values():
        assert set(table.entries) == set(kinds.values())
        for kind in table.entries:
            assert table[kind] is not None
        with pytest.raises(ToolkitError, match="no kind of paradigms that can be") as caught:
            table["mapz"]
        assert caught.value.nearest == "maps"


def test_a_third_kind_needs_modules_and_one_line_per_table(
    cli: Cli, third: Path, tiny_set: StimulusSet
) -> None:
    told = ("--paradigms", third)
    assert "ratings" in cli("list", "paradigms", *told)[1]
    assert "kind: ratings" in cli("describe", "liking", *told)[1]
    asked = ("--subject", "random/a", "--subject", "random/b", "--stimuli", tiny_set.folder, *told)
    command = ("run-paradigm", "liking", *asked, "--no-report")
    code, out, err = cli(*command)
    assert (code, err) == (0, "")
    folder = next(Path("mevgs-runs").glob("liking-*"))
    mean = read_rating(folder)
    assert f"rating {mean:.3f}" in out
    assert "Ratings: from 0 on." in out
    assert f"mean {mean:.3f}" in out
    assert "0 cells computed, 2 reused" in cli(*command)[1]
    assert kind_of(folder) == toy.KIND
    assert json.loads((folder / "summary.json").read_text())["paradigm_kind"] == toy.KIND

    code, _, err = cli(*command, "--trials-per-class", 3)
    assert code == 2
    assert "--trials-per-class means nothing here: nothing is drawn or written in" in err
    assert cli("analyze", folder, *told)[0] == 0
    content = json.loads((folder / "statistics.json").read_text())["liking"]
    assert (content["paradigm_kind"], content["mean"]) == (toy.KIND, pytest.approx(mean))
    code, _, err = cli("analyze", folder, *told, "--alpha", 0.01)
    assert code == 2
    assert "these runs hold ratings" in err
    code, _, err = cli("report", folder, *told)
    assert (code, err) == (0, "")
    page = (folder / "report.html").read_text()
    for expected in ("liking-liking", f"Words are liked {mean:.3f}.", "Words were rated in liking.",
                     "Ratings are numbers.", "Ratings were averaged."):  # fmt: skip
        assert expected in page
    for command in ("table", "score-all"):
        given = (folder,) if command == "table" else ("liking", *asked)
        code, _, err = cli(command, *given, *(told if command == "table" else ()))
        assert code == 2
        assert "ratings" in err


def read_rating(folder: Path) -> float:
    return float(read_trials(folder / "trials.parquet")["score_target"].mean())


def test_runs_of_all_kinds_stand_on_one_page(
    cli: Cli, third: Path, tiny_set: StimulusSet, scenes_set: StimulusSet
) -> None:
    for name, stimuli in (("liking", tiny_set), ("familiar", tiny_set),
                          ("dense-grounding", scenes_set)):  # fmt: skip
        asked = (name, "--subject", "random/a", "--stimuli", stimuli.folder, "--paradigms", third)
        assert cli("run-paradigm", *asked, "--no-report")[0] == 0
    runs = sorted(Path("mevgs-runs").glob("*-random-*"))
    assert sorted(map(kind_of, runs)) == ["choices", "maps", "ratings"]
    assert cli("report", *runs, "--paradigms", third, "-o", "all.html")[0] == 0
    page = Path("all.html").read_text()
    for anchor in ("liking-liking", "familiar-accuracies", "dense-grounding-resource"):
        assert f'data-name="{anchor}"' in page
    made = analyse_runs(runs, third)
    assert {name: own.paradigm_kind for name, own in made.items()} == {
        "liking": "ratings", "familiar": "choices", "dense-grounding": "maps",
    }  # fmt: skip


@pytest.fixture
def recorded(tmp_path: Path, tiny_set: StimulusSet, scenes_set: StimulusSet) -> dict[str, Path]:
    """A run folder of each kind."""
    root = tmp_path / "runs"
    choices = run(get_paradigm("me"), [open_population("random/a")], tiny_set, root=root,
                  languages=["en"], per_class=2)  # fmt: skip
    maps = run_maps(get_paradigm("dense-grounding"), [population(seeds="a")], scenes_set, root=root)
    return {"choices": choices.directory.folder, "maps": maps.directory.folder}


def forget(folder: Path) -> None:
    """Make a run as it was before kinds were recorded."""
    file = folder / "trials.parquet"
    table = pq.read_table(file)
    told = json.loads(table.schema.metadata[METADATA])
    del told["paradigm_kind"]
    pq.write_table(table.replace_schema_metadata({METADATA: json.dumps(told)}), file)
    as_written(file)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["paradigm"]["kind"]
    write_stored(folder / "manifest.json", json.dumps(manifest))


def test_the_kind_is_recorded_in_the_manifest_the_cells_and_the_joined_table(
    recorded: dict[str, Path],
) -> None:
    for kind, folder in recorded.items():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["paradigm"]["kind"] == kind
        directory = RunDirectory(folder.parent, folder.name)
        cells = [directory.cell_path(key) for key in manifest["cells"].values()]
        for file in (folder / "trials.parquet", *cells):
            told = json.loads(pq.read_schema(file).metadata[METADATA])
            assert told["paradigm_kind"] == kind
            assert {"schema", "columns"} < set(told)


def test_joining_cells_of_earlier_runs_records_the_kind(
    tmp_path: Path, tiny_set: StimulusSet
) -> None:
    def again() -> Path:
        done = run(get_paradigm("me"), [open_population("random/a")], tiny_set, root=tmp_path,
                   languages=["en"], per_class=2)  # fmt: skip
        return done.directory.folder

    folder = again()
    forget(folder)
    for cell in (folder.parent / "cells").glob("*/*.parquet"):
        pq.write_table(pq.read_table(cell).replace_schema_metadata({}), cell)
    (folder / "trials.parquet").unlink()
    assert again() == folder
    assert json.loads(pq.read_schema(folder / "trials.parquet").metadata[METADATA])[
        "paradigm_kind"
    ] == "choices"  # fmt: skip


def test_either_record_tells_the_kind_and_without_both_the_name_of_the_paradigm(
    recorded: dict[str, Path],
) -> None:
    for kind, folder in recorded.items():
        file = folder / "trials.parquet"
        whole = (folder / "manifest.json").read_text()
        (folder / "manifest.json").unlink()
        assert kind_of(folder) == kind, "the table tells"
        write_stored(folder / "manifest.json", whole)
        plain = pq.read_table(file).replace_schema_metadata({})
        # A name that nobody knows must not be needed.
        names = pa.array(["unknown"] * len(plain)).dictionary_encode()
        pq.write_table(plain.set_column(1, "paradigm", names), file)
        as_written(file)
        assert kind_of(folder) == kind, "the manifest tells"
        pq.write_table(plain, file)
        as_written(file)
        (folder / "manifest.json").unlink()
        assert kind_of(file) == kind, "the name tells"
        read_trials(file).to_csv(folder / "exported.csv", index=False)
        assert kind_of(folder / "exported.csv") == kind, "an export has its rows alone"


def test_earlier_runs_are_analysed_by_the_kind_of_their_paradigm(recorded: dict[str, Path]) -> None:
    before = write(analyse_runs(list(recorded.values())))
    for folder in recorded.values():
        forget(folder)
    assert write(analyse_runs(list(recorded.values()))) == before


def test_an_earlier_run_of_a_paradigm_that_is_not_known_is_never_guessed_at(
    recorded: dict[str, Path], tmp_path: Path
) -> None:
    folder = recorded["maps"]
    forget(folder)
    table = pq.read_table(folder / "trials.parquet")
    names = pa.array(["gone"] * len(table)).dictionary_encode()
    pq.write_table(table.set_column(1, "paradigm", names), folder / "trials.parquet")
    as_written(folder / "trials.parquet")
    for use in (lambda: analyse_runs([folder]), lambda: read_counts([folder]),
                lambda: publication_table([folder])):  # fmt: skip
        with pytest.raises(
            ToolkitError, match="does not say of what kind its paradigm 'gone'"
        ) as e:
            use()
        assert "--paradigms" in (e.value.next_command or "")
    own = tmp_path / "own"
    own.mkdir()
    (own / "gone.py").write_text(
        "from paradigms import paradigm\n"
        "from paradigms.dense_grounding import DenseGrounding\n\n\n"
        '@paradigm("gone", version=1)\n'
        "class Gone(DenseGrounding):\n"
        '    """Known to this folder alone."""\n'
    )
    assert kind_of(folder, own) == "maps"
    assert analyse_runs([folder], own)["gone"].paradigm_kind == "maps"


def test_a_table_of_answers_that_names_a_paradigm_of_maps_is_not_analysed_as_maps(
    tmp_path: Path,
) -> None:
    row = {"source": "study", "population": "children", "seed": "1", "test_language": "en",
           "condition": "bare", "word_concept": "ball", "correct": 1, "paradigm": "dense-grounding",
           "paradigm_version": 1, "n_choices": 2, "n_languages": 1, "train_languages": "en",
           "distractor_concept": "", "tie": False}  # fmt: skip
    write_long(pd.DataFrame([row]), tmp_path / "long.parquet")
    assert kind_of(tmp_path / "long.parquet") == "choices"
    with pytest.raises(ToolkitError, match="'dense-grounding' asks for maps"):
        analyse_runs([tmp_path / "long.parquet"])


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"\xff\xfe"), ("b.csv", b""), ("c.parquet", b"PAR1"), ("d.csv", b'a"\0,"b')],
)
def test_what_cannot_be_read_is_left_to_whoever_reads_it(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert kind_of(tmp_path / name) == "choices"
    with pytest.raises(ToolkitError):
        publication_table([tmp_path / name])


def test_tables_from_elsewhere_hold_answers(tmp_path: Path) -> None:
    rows = {"population": ["children"], "seed": ["1"], "correct": [1]}
    for name, more in (("plain", {}), ("named", {"paradigm": ["a-study-of-ours"]})):
        pd.DataFrame({**rows, **more}).to_parquet(tmp_path / f"{name}.parquet")
        assert kind_of(tmp_path / f"{name}.parquet") == "choices"
    assert kind_of_rows(pd.DataFrame(rows)) == "choices"


def test_maps_are_refused_wherever_answers_are_wanted_whatever_their_measures(
    recorded: dict[str, Path],
) -> None:
    folder = recorded["maps"]
    table = read_trials(folder / "trials.parquet")
    # What a paradigm measures says nothing about what it asks for.
    rows = table.drop(columns="iou_cluster")
    for use in (lambda: read_counts([folder]), lambda: count_trials(rows),
                lambda: publication_table([folder]),
                lambda: publication_table([rows.assign(source="run")])):  # fmt: skip
        with pytest.raises(ToolkitError, match="holds maps, not answers that are right or wrong"):
            use()
    answers = read_trials(recorded["choices"] / "trials.parquet").assign(iou_cluster=0.5)
    assert count_trials(answers)["n_trials"].sum() == len(answers), "a column is no kind"


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        (Settings(n_bootstrap=5), "--bootstrap"),
        (Settings(bound=0.1), "--bound"),
    ],
)
def test_settings_that_no_run_heeds_are_refused(
    recorded: dict[str, Path], settings: Settings, given: str
) -> None:
    with pytest.raises(ToolkitError, match="these runs hold maps") as caught:
        analyse_runs([recorded["maps"]], settings=settings)
    assert (caught.value.given, caught.value.allowed) == (given, "--alpha")


def test_paradigms_of_a_third_kind_are_refused_by_name(
    third: Path, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    liking = get_paradigm("liking", third)
    for use in (run, score_all):
        with pytest.raises(ToolkitError, match=re.escape("'liking' asks for ratings; it has no")):
            use(liking, [], tiny_set, root=tmp_path / "runs")  # type: ignore[operator]
    with pytest.raises(ToolkitError, match="asks for ratings; it reads no maps"):
        run_maps(liking, [], tiny_set, root=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
