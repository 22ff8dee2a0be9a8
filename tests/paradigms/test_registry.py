"""Paradigms are found by scan, in a user's folder and through entry points; clashes are refused."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from paradigms import BaseParadigm, MapParadigm, Paradigm
from paradigms.choices.paradigm import as_choices
from paradigms.maps.paradigm import as_maps
from paradigms.measures import TAKEN
from paradigms.new import write_paradigm
from paradigms.registry import find_paradigms, get_paradigm
from stimuli import StimulusSet
from stimuli.errors import ToolkitError
from toolkit.running.choices import run
from toolkit.statistics.maps.data import NAMES
from toolkit.statistics.maps.models import COLUMN
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import COLUMNS, read_trials


def test_unknown_name_shows_the_nearest() -> None:
    with pytest.raises(ToolkitError) as caught:
        get_paradigm("translaton")
    assert caught.value.nearest == "translation"
    assert caught.value.next_command == "mevgs-toolkit list paradigms"


def test_choices_and_maps_share_what_both_declare_and_nothing_else() -> None:
    assert issubclass(Paradigm, BaseParadigm)
    assert issubclass(MapParadigm, BaseParadigm)
    assert not issubclass(MapParadigm, Paradigm)
    only_choices = {"trials", "measure", "shows_pictures", "min_languages"}
    assert not only_choices & set(dir(MapParadigm))
    assert only_choices <= set(dir(Paradigm))


def test_a_paradigm_of_the_other_kind_is_refused_with_what_to_ask_instead() -> None:
    maps, choices = get_paradigm("dense-grounding"), get_paradigm("me")
    assert as_choices(choices) is choices
    assert as_maps(maps) is maps
    with pytest.raises(ToolkitError, match="'dense-grounding' asks for maps") as caught:
        as_choices(maps)
    assert caught.value.given == "dense-grounding, version 1"
    assert "familiar, me" in (caught.value.allowed or "")
    assert caught.value.next_command == (
        "mevgs-toolkit run-paradigm dense-grounding --subject multilingual-clip"
    )
    with pytest.raises(ToolkitError, match="'me' asks for choices") as caught:
        as_maps(choices)
    assert "dense-grounding" in (caught.value.allowed or "")
    assert caught.value.next_command == ("mevgs-toolkit run-paradigm me --subject bilingual-en-nl")


def test_a_users_own_paradigm_of_maps_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from paradigms import paradigm\n"
        "from paradigms.dense_grounding import DenseGrounding\n\n\n"
        '@paradigm("mine", version=2)\n'
        "class Mine(DenseGrounding):\n"
        '    question = "Mine?"\n'
    )
    assert as_maps(get_paradigm("mine", tmp_path)).version == 2


def test_new_paradigm_runs_unedited(tmp_path: Path, tiny_set: StimulusSet) -> None:
    written, test = write_paradigm("two-novel-things", tmp_path / "mine")
    assert written.name == "two_novel_things.py"
    compile(test.read_text(), str(test), "exec")
    paradigm = get_paradigm("two-novel-things", tmp_path / "mine")
    done = run(paradigm, [open_population("perfect/a")], tiny_set, root=tmp_path / "runs")
    assert read_trials(done.directory.trials_path)["correct"].mean() == 1


RESERVED = ["none", "true", "con", "com1", "picture-pairs", "pair-condition", "test-mine", "x" * 65]


@pytest.mark.parametrize(
    "name", ["My Paradigm", "../evil", "me", "", "a--b", "9lives", "mine\n", *RESERVED]
)
def test_bad_names_are_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ToolkitError):
        write_paradigm(name, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_files_that_are_there_are_left_alone(tmp_path: Path) -> None:
    path, _ = write_paradigm("mine", tmp_path)
    path.write_text("# edited\n")
    with pytest.raises(ToolkitError, match="already there"):
        write_paradigm("mine", tmp_path)
    assert path.read_text() == "# edited\n"


def test_two_paradigms_of_one_name_are_refused(tmp_path: Path) -> None:
    path, _ = write_paradigm("mine", tmp_path)
    (tmp_path / "again.py").write_text(path.read_text())
    with pytest.raises(ToolkitError, match="Two paradigms are called 'mine'"):
        find_paradigms(tmp_path)


def test_a_user_cannot_replace_a_built_in_by_accident(tmp_path: Path) -> None:
    path, _ = write_paradigm("mine", tmp_path)
    path.write_text(path.read_text().replace('"mine"', '"me"'))
    with pytest.raises(ToolkitError, match="Two paradigms are called 'me'"):
        find_paradigms(tmp_path)


def test_a_file_with_an_error_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(ToolkitError, match=r"broken\.py cannot be imported: ModuleNotFoundError"):
        find_paradigms(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="no folder of paradigms"):
        find_paradigms(tmp_path / "nowhere")


def test_entry_points_bring_paradigms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = write_paradigm("from-a-package", tmp_path)
    path.rename(tmp_path / "a_package.py")
    info = tmp_path / "a_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[mevgs_toolkit.paradigms]\nfrom-a-package = a_package:FromAPackage\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert get_paradigm("from-a-package").version == 1


@pytest.mark.parametrize(
    ("declared", "given", "nearest"),
    [
        ('contrasts = (ConditionContrast("test", "contol", "?"),)', "contol", "control"),
        ('contrasts = (ConditionContrast("tset", "control", "?"),)', "tset", "test"),
        ('conditions = (PairCondition("a", "", pairs_of="b"), PairCondition("b", ""))', "b", None),
    ],
)
def test_conditions_that_are_named_but_not_declared_are_refused_in_a_users_file(
    tmp_path: Path, declared: str, given: str, nearest: str | None
) -> None:
    (tmp_path / "mine.py").write_text(
        "from paradigms import ConditionContrast, PairCondition, PicturePairs, paradigm\n\n\n"
        '@paradigm("mine", version=1)\n'
        "class Mine(PicturePairs):\n"
        '    conditions = (PairCondition("test", ""), PairCondition("control", ""))\n'
        f"    {declared}\n"
    )
    with pytest.raises(ToolkitError, match="condition of 'mine'") as caught:
        get_paradigm("mine", tmp_path)
    assert (caught.value.given, caught.value.nearest) == (given, nearest)


OWN = """
from paradigms import Condition, MapParadigm, Measure, PairCondition, Paradigm, PicturePairs
from paradigms import paradigm
from paradigms.dense_grounding import DenseGrounding


@paradigm("mine", version=1)
class Mine({base}):
    question = "Mine?"
    source = "these tests"
    conditions = (PairCondition("a", "", headline=True),)
    {declared}
"""
ONE = 'measures = (Measure("m", "a number"),); formula = "m ~ resource + (1 | test_language)"'


@pytest.mark.parametrize(
    ("base", "declared", "why"),
    [
        ("PicturePairs", 'formula = "correct ~ bilingual + (1 | seed)"', "'bilingual' cannot be a"),
        ("PicturePairs", 'formula = "correct ~ 1 + (1 | sed)"', "do not vary over 'sed', did you"),
        ("PicturePairs", 'formula = "correct ~ 1 + (1 + n_choices | seed)"', "has a slope"),
        ("PicturePairs", 'formula = "margin ~ 1 + (1 | seed)"', "its response must be 'correct'"),
        ("PicturePairs", 'formula = "correct"', "it needs a response, a tilde and predictors"),
        ("PicturePairs", "formula = None", "it is no text"),
        ("MapParadigm", f'{ONE[:-1]} + (1 | sead)"', "vary over 'sead', did you mean seed"),
        ("MapParadigm", f'{ONE[:-1]} + (0 + resource | word_concept)"', "has a slope that"),
        ("MapParadigm", f'{ONE[:-1]} + (1 + m | word_concept)"', "has a slope that"),
        ("MapParadigm", f'{ONE[:-1]} + (1 | test_language)"', "is not the only term over"),
        ("MapParadigm", f"{ONE} + tokens_per_word".replace('" +', " +") + '"', "cannot be a fixed"),
        ("MapParadigm", ONE.replace("resource", "resource * m"), "cannot be a fixed effect"),
        ("MapParadigm", ONE.replace("test_language", "word_concept"), "these are the sample"),
        ("MapParadigm", ONE.replace("(1 |", "(1 + resource |"), "a language has but one resource"),
        ("MapParadigm", ONE.replace("~ resource + (1", "~ 1 + (1 + resource"), "no fixed effect"),
        ("MapParadigm", ONE.replace(" + (1 | test_language)", ""), "without a random term"),
        ("MapParadigm", ONE.replace("m ~", "n ~"), "none of the measures that are compared"),
        ("MapParadigm", ONE.replace("m ~", "correct ~"), "none of the measures that are compared"),
        ("MapParadigm", ONE.replace('number"', 'number", compared=False'), "none of the measures"),
        ("MapParadigm", ONE.replace('"m"', '"seed"'), "seed is the name of something else"),
        ("MapParadigm", ONE.replace('"m"', '"a b"'), "'a b' is no name"),
        ("MapParadigm", ONE.replace('number"),', 'number")'), "measures is no tuple"),
        (
            "MapParadigm",
            ONE.replace('number"),', 'number"), Measure("m", ""),'),
            "declared 2 times",
        ),
        ("MapParadigm", ONE.replace('number"', 'number", bounds=(1, 0)'), "second is the larger"),
        ("MapParadigm", ONE.replace('number"', 'number", chance="k"'), "'k', is no other measure"),
        ("MapParadigm", ONE.replace('number"', 'number", bounds=(0, 1), chance=2'), "not between"),
        ("DenseGrounding", 'pointing = Measure("hit", "a hit")', "called 'hit', not 'pointing'"),
        ("DenseGrounding", 'kind = "choices"', "is choices and maps; it must be one"),
        ("MapParadigm", 'formula = "m ~ 1 + (1 | seed)"', "does not declare measures"),
        ("PicturePairs", "pass", "does not declare formula"),
        ("object", "pass", "is of no kind"),
    ],
)
def test_what_could_not_be_kept_is_refused_when_the_file_is_loaded(
    tmp_path: Path, base: str, declared: str, why: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OWN.format(base=base, declared=declared))
    with pytest.raises(ToolkitError, match=re.escape(why)) as caught:
        find_paradigms(tmp_path)
    assert str(file) in caught.value.message
    assert "'mine'" in caught.value.message


@pytest.mark.parametrize(
    ("base", "declared"),
    [
        ("PicturePairs", 'formula = "correct ~ 1 + (1 | seed) + (1 | target_concept)"'),
        ("MapParadigm", ONE),
        ("MapParadigm", ONE.replace("m ~ resource", "m ~ (resource | seed) + 1 + resource")),
        ("MapParadigm", ONE.replace("resource", "1")),
        ("DenseGrounding", "pairs_as_sample = False"),
    ],
)
def test_what_can_be_kept_is_loaded(tmp_path: Path, base: str, declared: str) -> None:
    (tmp_path / "mine.py").write_text(OWN.format(base=base, declared=declared))
    cls = find_paradigms(tmp_path)["mine"]
    assert cls.kind == ("choices" if base == "PicturePairs" else "maps")


@pytest.mark.parametrize(
    ("offered", "why"),
    [
        ("mine:Mine", "cannot be fitted as declared"),
        ("mine:nothing", "cannot be loaded: AttributeError"),
        ("nowhere:Mine", "cannot be loaded: ModuleNotFoundError"),
        ("mine:OWN", "is no paradigm"),
        ("mine:PicturePairs", "is no paradigm"),
    ],
)
def test_entry_points_that_offer_no_paradigm_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offered: str, why: str
) -> None:
    wrong = "correct ~ bilingual + (1 | seed)" if offered == "mine:Mine" else "correct ~ (1 | seed)"
    text = OWN.format(base="PicturePairs", declared=f'formula = "{wrong}"')
    (tmp_path / "mine.py").write_text(f"{text}\n\nOWN = 1\n")
    info = tmp_path / "a_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mevgs_toolkit.paradigms]\nmine = {offered}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    with pytest.raises(ToolkitError, match=re.escape(why)) as caught:
        get_paradigm("mine")
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    assert "The entry point 'mine' of a-package" in caught.value.message
    assert ("mine.py" in caught.value.message) == (offered == "mine:Mine")


def test_names_that_tables_and_analyses_have_for_something_else_are_no_measures() -> None:
    assert {column.name for column in COLUMNS} <= set(TAKEN)
    assert {*NAMES.values(), *COLUMN.values(), *COLUMN} <= set(TAKEN)
