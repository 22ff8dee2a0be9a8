"""Study files as a new user would write them: one clear message each, with the line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stimuli import StimulusSet
from stimuli.texts import read_toml
from tests.conftest import LANGUAGES, tiny_rows, write_set
from toolkit.errors import ToolkitError
from toolkit.statistics.settings import Gate
from toolkit.studies.checks import look_at, read_study
from toolkit.studies.file import EXAMPLE

STUDY = """\
[study]
title = "ME"

[[train]]
grid = "grid.toml"

[[ask]]
paradigm = "me"
subjects = ["bilingual-en-nl", "monolingual-en_size-xsm/a"]
languages = ["en"]
trial_seeds = [0, 1]

[[ask]]
paradigm = "familiar"
subjects = ["bilingual-en-nl"]

[analysis]
confirmatory = ["me: novel-familiar - absent-familiar"]
alpha = 0.05

[power]
difference = 2.7
seed_sd = 3.0
"""
"""A file in order; the cases below change lines of it."""
GRID = '[grid]\nlanguages = [["en"]]\nseeds = "ab"\nsize = ["xsm", "sm"]\n'


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write the study, changed, and its grid into an empty folder."""

    def write(*changes: tuple[str, str], grid: str = GRID) -> Path:
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "grid.toml").write_text(grid, encoding="utf-8")
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        return tmp_path / "study.toml"

    return write


def test_the_example_is_in_order() -> None:
    study = read_study(EXAMPLE)
    assert [ask.paradigm.name for ask in study.asks] == ["me", "familiar"]
    assert len(study.confirmatory) == 2


def test_every_key_that_the_example_names_is_one(tmp_path: Path) -> None:
    """Its remarks, too, hold nothing that is refused."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    shown = [re.sub(r"^# (?=\S+ = |\[)", "", line) for line in lines]
    assert sum(a != b for a, b in zip(lines, shown, strict=True)) >= 14
    (tmp_path / "grid.toml").write_text(GRID, encoding="utf-8")
    (tmp_path / "my-paradigms").mkdir()
    path = tmp_path / "study.toml"
    path.write_text("\n".join(shown), encoding="utf-8")
    study = read_study(path)
    assert study.file.executor.slurm == {"partition": "gpu", "time": "02:00:00"}
    gates = [study.settings(ask.paradigm).gate for ask in study.asks]
    assert gates == [Gate("familiar-novel", 0.6), None]


def test_what_it_trains_can_be_asked(written: Callable[..., Path]) -> None:
    study = read_study(written())
    assert study.trained == {
        "monolingual-en_size-xsm": ("a", "b"),
        "monolingual-en_size-sm": ("a", "b"),
    }
    assert study.asks[0].tested["monolingual-en_size-xsm"] == ("en",)
    assert study.asks[1].tested == {"bilingual-en-nl": ("en", "nl")}
    assert study.confirmatory == (
        "me: bilingual-en-nl in en, novel-familiar - absent-familiar",
        "me: monolingual-en_size-xsm in en, novel-familiar - absent-familiar",
    )


BAD = {
    "key misspelt": (
        [('title = "ME"', 'titel = "ME"')],
        ["study.titel (line 2) is not known", "did you mean: title"],
    ),
    "title lacking": ([('title = "ME"\n', "")], ["study.title (line 1) is lacking"]),
    "title empty": ([('"ME"', '" "')], ["study.title (line 2) cannot be used", "not empty"]),
    "no table of asks": (
        [("[[ask]]", "[[asks]]"), ("[[ask]]", "[[asks]]")],
        ["asks (line 7) is not known", "did you mean: ask"],
    ),
    "ask in single brackets": (
        [("[[ask]]\nparadigm = \"me\"", "[ask]\nparadigm = \"me\"")],
        ["not valid TOML", "line 13"],
    ),
    "paradigm unknown": (
        [('"me"', '"mee"'), ('confirmatory = ["me: novel-familiar - absent-familiar"]\n', "")],
        ["ask[0].paradigm (line 8)", "no paradigm 'mee'", "did you mean: me", "list paradigms"],
    ),
    "subject unknown": (
        [('subjects = ["bilingual-en-nl"]', 'subjects = ["bilingual-nl"]')],
        ["ask[1].subjects[0] (line 15)", "given: bilingual-nl", "did you mean", "list subjects"],
    ),
    "seed of a population that is trained here": (
        [("xsm/a", "xsm/c")],
        ["ask[0].subjects[1] (line 9)", "no seed", "given: c", "allowed: a, b"],
    ),
    "subject as text": (
        [('subjects = ["bilingual-en-nl"]', 'subjects = "bilingual-en-nl"')],
        ["ask[1].subjects (line 15)", 'given: "bilingual-en-nl"', "a list of one or more"],
    ),
    "nobody to be asked": (
        [
            ('[[train]]\ngrid = "grid.toml"\n', ""),
            ('subjects = ["bilingual-en-nl", "monolingual-en_size-xsm/a"]', ""),
        ],
        ["ask[0].subjects (line 5) is lacking", "trains no population", "list subjects"],
    ),
    "frozen features and pictures": (
        [('subjects = ["bilingual-en-nl"]', 'subjects = ["bilingual-en-nl/frozen"]')],
        ["ask[1].subjects[0] (line 15)", "such as translation"],
    ),
    "language unknown": (
        [('languages = ["en"]', 'languages = ["en", "eng"]')],
        ["ask[0].languages[1] (line 10)", "given: eng", "did you mean: en", "allowed: en, nl, fr"],
    ),
    "stimulus set unknown": (
        [('languages = ["en"]', 'stimuli = "mimi"')],
        ["ask[0].stimuli (line 10)", "did you mean: mini", "list stimuli"],
    ),
    "contrast unknown": (
        [("novel-familiar - absent-familiar", "novel-familiar - absent")],
        ["confirmatory[0] (line 18)", "did you mean: me: novel-familiar - absent-familiar"],
    ),
    "contrast of a language that is not asked": (
        [("novel-familiar - absent-familiar", "bilingual - monolingual, nl")],
        ["analysis.confirmatory[0] (line 18)", "did you mean: me: bilingual - monolingual, en"],
    ),
    "alpha in per cent": ([("0.05", "5")], ["analysis.alpha (line 19) is out of range", "0.5"]),
    "negative trial seed": (
        [("[0, 1]", "[0, -1]")],
        ["ask[0].trial_seeds[1] (line 11) is out of range", "given: -1"],
    ),
    "trial seed twice": ([("[0, 1]", "[0, 0]")], ["ask[0].trial_seeds (line 11)", "each once"]),
    "trial seeds as a number": (
        [("[0, 1]", "10")], ["ask[0].trial_seeds (line 11)", "given: 10", "a list of one or more"]
    ),
    "no trials": (
        [("trial_seeds = [0, 1]", "trials_per_class = 0")],
        ["ask[0].trials_per_class (line 11) is out of range", "from 1"],
    ),
    "grid file missing": (
        [('"grid.toml"', '"grids.toml"')],
        ["train[0].grid (line 5)", "grids.toml cannot be read"],
    ),
    "asked twice": (
        [('paradigm = "familiar"', 'paradigm = "me"')],
        ["ask[1] (line 13) asks bilingual-en-nl/a in en me on mini with trial seed 0",
         "as ask[0] does already"],
    ),
    "network twice": (
        [('subjects = ["bilingual-en-nl"]', 'subjects = ["bilingual-en-nl", "bilingual-en-nl/c"]')],
        ["ask[1].subjects[1] (line 15)", "bilingual-en-nl/c a second time"],
    ),
    "paradigm that networks cannot do": (
        [('paradigm = "familiar"', 'paradigm = "dense-grounding"')],
        ["ask[1].subjects[0] (line 15)", "cannot read text", "describe dense-grounding"],
    ),
    "option of another kind": (
        [('paradigm = "familiar"', 'paradigm = "familiar"\ntemplates = ["bare"]')],
        ["ask[1].templates (line 15) means nothing here"],
    ),
    "folder of paradigms missing": (
        [('title = "ME"', 'title = "ME"\nparadigms = "mine"')],
        ["study.paradigms (line 3) is no folder", "given: mine", "new-paradigm"],
    ),
    "gate on a condition that is none": (
        [("alpha = 0.05", 'gate = { condition = "familiar", minimum = 0.6 }')],
        ["analysis.gate (line 19)", "no condition of what is asked", "did you mean: novel-"],
    ),
    "gate in per cent": (
        [("alpha = 0.05", 'gate = { condition = "familiar-novel", minimum = 60 }')],
        ["analysis.gate.minimum (line 19) is out of range", "from 0 to 1"],
    ),
    "effect lacking": (
        [("difference = 2.7\n", "")],
        ["power (line 21)", "one effect", "mevgs-toolkit power --difference"],
    ),
    "effect of two scales": (
        [("seed_sd = 3.0", "seed_sd = 3.0\nbase_accuracy = 0.6")],
        ["power (line 21)", "given: base_accuracy", "odds_ratio instead"],
    ),
    "preregistration that is no address": (
        [('title = "ME"', 'title = "ME"\npreregistration = "to be done"')],
        ["study.preregistration (line 3)", "https://osf.io/abcde"],
    ),
    "value without quotation marks": (
        [('"me"', "me")], ["not valid TOML", "line 8", "mevgs-toolkit new-study"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_study_file_is_one_clear_message(case: str, written: Callable[..., Path]) -> None:
    changes, parts = BAD[case]
    path = written(*changes)
    with pytest.raises(ToolkitError) as caught:
        read_study(path)
    told = str(caught.value)
    assert "faults" not in told, told
    assert "study.toml" in told
    assert "try: " in told
    for part in parts:
        assert part in told, told


def test_by_default_all_that_is_trained_is_asked(written: Callable[..., Path]) -> None:
    study = read_study(written(('subjects = ["bilingual-en-nl"]\n', "")))
    assert study.asks[1].names == ("monolingual-en_size-xsm", "monolingual-en_size-sm")
    assert study.asks[1].who == "2 populations"


def test_networks_with_draws_of_words_are_asked_with_the_set_that_they_learn_from(
    written: Callable[..., Path],
) -> None:
    asks = ('subjects = ["bilingual-en-nl", "monolingual-en_size-xsm/a"]\n', "")
    grid = (
        'stimuli = "mini-draws"\nfamiliar_draws = 2\n[grid]\nlanguages = [["en"]]\nseeds = 1\n'
        "familiar_concepts = [5, 20]\n"
    )
    study = read_study(written(asks, ('subjects = ["bilingual-en-nl"]\n', ""), grid=grid))
    assert {ask.stimuli.name for ask in study.asks} == {"mini-draws"}
    few, many = study.asks[0].populations
    assert few.name == "monolingual-en-draws_familiar-concepts-5"
    assert [len(few.familiar[draw]) for draw in ("01", "02")] == [5, 5]
    assert study.trained[many.name] == ("01a", "02a")
    # Both kinds in one ask have no set in common.
    both = '"bilingual-en-nl", "monolingual-en-draws_familiar-concepts-5"'
    with pytest.raises(ToolkitError, match="different stimulus sets"):
        read_study(written(('"bilingual-en-nl", "monolingual-en_size-xsm/a"', both), grid=grid))


@pytest.mark.parametrize(
    ("grid", "parts"),
    [
        (GRID.replace('"xsm"', '"xxsm"'), ["did you mean: xsm", "grid.size[0] (line 4)"]),
        (GRID.replace('"en"', '"xy"'), ["given: xy"]),
        (f'stimuli = "mimi"\n{GRID}', ["no stimulus set 'mimi'", "did you mean: mini"]),
    ],
    ids=["size", "language", "set"],
)
def test_what_is_wrong_with_a_grid_is_told_with_the_line_that_names_it(
    grid: str, parts: list[str], written: Callable[..., Path]
) -> None:
    """That its subjects are unknown for this reason is not told besides."""
    with pytest.raises(ToolkitError) as caught:
        read_study(written(grid=grid))
    told = str(caught.value)
    for part in ("train[0].grid (line 5) cannot be used", *parts):
        assert part in told, told
    assert "subjects" not in told


def test_two_grids_cannot_train_the_same(written: Callable[..., Path]) -> None:
    path = written(
        ('grid = "grid.toml"\n', 'grid = "grid.toml"\n\n[[train]]\ngrid = "grid.toml"\n')
    )
    with pytest.raises(ToolkitError) as caught:
        read_study(path)
    assert "train[1].grid (line 8)" in str(caught.value)
    assert "train[0] trains already" in str(caught.value)


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(
    written: Callable[..., Path],
) -> None:
    path = written(
        ('title = "ME"', 'titel = "ME"'),
        ('"me"', '"mee"'),
        ('languages = ["en"]', 'languages = [7]'),
        ('subjects = ["bilingual-en-nl"]', 'subjects = ["bilingual-nl"]'),
        ("alpha = 0.05", "alpha = 5"),
    )  # fmt: skip
    study, faults, _ = look_at(path)
    assert study is None
    found = [int(line) for fault in faults for line in re.findall(r"\(line (\d+)\)", fault.place)]
    assert found == [2, 8, 10, 15, 19]


def test_a_fault_of_an_ask_hides_none_of_its_others(written: Callable[..., Path]) -> None:
    path = written(
        ("trial_seeds = [0, 1]", "trials = 5"), ('languages = ["en"]', 'languages = ["xx"]')
    )
    _, faults, _ = look_at(path)
    assert [fault.place for fault in faults] == [
        "ask[0].languages[0] (line 10)",
        "ask[0].trials (line 11)",
    ]


def test_texts_over_several_lines_move_no_line(written: Callable[..., Path]) -> None:
    notes = 'title = "ME"\nnotes = """\n[[ask]]\nparadigm = 1\n"""\nhypotheses = [\n  "[[ask]]",\n]'
    path = written(('title = "ME"', notes), ('"me"', '"mee"'))
    _, faults, _ = look_at(path)
    assert faults[0].place == "ask[0].paradigm (line 15)"


def test_trials_that_the_set_fixes_are_asked_once(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    trial = "familiar-familiar,en,bear-en-ann-test-0,bear-colour-test-0,car-colour-test-0"
    fixed = write_set(tmp_path / "fixed", tiny_rows(), LANGUAGES) / "trials.csv"
    fixed.write_text(f"condition,language,word_id,target_id,distractor_id\n{trial}\n", "utf-8")
    subjects = 'subjects = ["bilingual-en-nl"]'
    path = written((subjects, f'{subjects}\nstimuli = "fixed"\ntrial_seeds = [0, 1]'))
    _, (fault,), _ = look_at(path)
    assert fault.place == "ask[1].trial_seeds (line 17)"
    assert "fixes the trials of familiar-familiar" in fault.fault


def test_groups_on_different_sets_are_not_compared(
    written: Callable[..., Path], tiny_set: StimulusSet
) -> None:
    study = read_study(written(
        (', "monolingual-en_size-xsm/a"]', "]"),
        ('"familiar"\nsubjects = ["bilingual-en-nl"]',
         f'"me"\nsubjects = ["monolingual-en"]\nstimuli = "{tiny_set.folder}"'),
    ))  # fmt: skip
    assert "me: monolingual-en in en" in study.tests
    assert "me: bilingual - monolingual, en" not in study.tests


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError) as caught:
        read_study(tmp_path / "study.toml")
    assert "cannot be read" in str(caught.value)
    assert "mevgs-toolkit new-study" in str(caught.value)


def test_folders_lie_beside_the_file(written: Callable[..., Path], subjects_dir: Path) -> None:
    path = written(('subjects = ["bilingual-en-nl"]', 'subjects = ["subjects/hasher/b"]'))
    ask = read_study(path).asks[1]
    assert ask.populations[0].seeds == ("b",)
    assert ask.names == (f"{subjects_dir}/hasher/b",)


def test_the_example_is_the_toml_that_it_seems() -> None:
    assert list(read_toml(EXAMPLE)) == ["study", "ask", "analysis", "report"]
