"""Children beside models: one model over what both were asked, and never one bilingual contrast."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.page import Options, write_report
from stimuli.schemas import Source
from tests.commands import Cli
from tests.toolkit.statistics.saying import faults
from toolkit.records import read, write
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.choices.kinds_beside import KindComparison
from toolkit.statistics.choices.kinds_prose import kind_sentence
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.models.mixed import fit_mixed
from toolkit.tables.longtable import write_long

WORDS = {"novel-familiar": ("ball", "cake", "fish", "key", "tree"),
         "familiar-novel": ("bear", "car", "dog", "cat")}  # fmt: skip
ITEMS = [(condition, word, take) for condition, words in WORDS.items() for word in words
         for take in range(4)]  # fmt: skip


def answers(
    rng: np.random.Generator, kind: str, population: str, n: int, level: float, share: float = 1.0
) -> pd.DataFrame:
    """Answers of so many subjects, each to a share of all trials."""
    odds = {word: rng.normal(0, 0.4) for words in WORDS.values() for word in words}
    rows = []
    for seed in range(n):
        own = level + rng.normal(0, 0.3)
        for trial, (condition, word, take) in enumerate(ITEMS):
            if rng.random() < share:
                bonus = 1.5 if condition == "familiar-novel" else 0.0
                likely = 1 / (1 + np.exp(-(own + bonus + odds[word])))
                rows.append((f"s{seed}", condition, word, f"en_{word}_{take}", f"{word}_p{take}",
                             f"other_{take}", trial, int(rng.random() < likely)))  # fmt: skip
    names = ["seed", "condition", "word_concept", "word_id", "target_id", "distractor_id", "trial",
             "correct"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    return table.assign(
        source="test", population=population, subject_kind=kind, test_language="en", paradigm="me",
        paradigm_version=2, n_choices=2, tie=False, n_languages=1 + (population[:2] == "bi"),
        train_languages="en+nl" if population[:2] == "bi" else "en", distractor_concept="other",
    )  # fmt: skip


def written(tmp_path: Path, **tables: pd.DataFrame) -> list[Path]:
    for name, table in tables.items():
        write_long(table, tmp_path / f"{name}.parquet")
    return [tmp_path / f"{name}.parquet" for name in tables]


def analysed(paths: list[Path]) -> Analysis:
    made = analyse_runs(paths)["me"]
    assert isinstance(made, Analysis)
    return made


@pytest.fixture
def both(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(1)
    return written(
        tmp_path,
        children=answers(rng, "child", "children-en", 20, 1.2, 0.3),
        models=answers(rng, "model", "bilingual-en-nl", 8, 0.1),
    )


def test_the_model_is_the_one_that_is_named_over_shared_trials(both: list[Path]) -> None:
    (found,) = analysed(both).kinds
    tables = [pd.read_parquet(path) for path in both]
    asked = set(tables[0]["trial"]) & set(tables[1]["trial"])
    rows = pd.concat(tables)
    rows = rows[rows["trial"].isin(asked)].assign(
        subject=lambda t: t["population"].astype(str) + "/" + t["seed"].astype(str),
        word=lambda t: t["word_concept"].astype(str),
        subject_kind=lambda t: t["subject_kind"].astype(str),
        condition=lambda t: t["condition"].astype(str),
    )
    fit = fit_mixed(rows, "correct ~ subject_kind * condition + (1 | subject) + (1 | word)")
    assert found.fit is not None
    assert found.fit.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-6)
    assert found.fit.estimates == pytest.approx(fit.estimates, abs=1e-6)
    assert (found.first, found.second, found.over) == ("child", "bilingual-en-nl", "trials")
    assert found.n_items == len(asked)
    assert found.n_subjects == (20, 8)
    assert found.n_trials[1] == 8 * len(asked)
    # The reference of both factors is the first name: child, familiar-novel.
    by_condition = {part.condition: part for part in found.contrasts}
    effect = by_condition["familiar-novel"].contrast
    assert effect is not None
    assert effect.estimate == pytest.approx(-fit["subject_kindmodel"].estimate, abs=1e-6)
    assert by_condition["novel-familiar"].verdict == "higher"
    means = rows.groupby(["condition", "subject_kind", "subject"])["correct"].mean()
    expected = means["novel-familiar"].groupby("subject_kind").mean()
    assert by_condition["novel-familiar"].accuracies == pytest.approx(
        (expected["child"], expected["model"])
    )
    assert found.interaction is not None
    assert found.interaction.df == 1


def test_children_are_never_called_seeds(both: list[Path], tmp_path: Path) -> None:
    made = analysed(both)
    units = {test.population: test.unit for test in made.chance}
    assert units == {"children-en": "child", "bilingual-en-nl": "seed"}
    said = [*made.sentences, *made.warnings, *(answer for _, answer in made.answers), made.apa]
    of_children = [text for text in said if "children-en" in text and "bilingual-en" not in text]
    assert any("20 children" in text for text in of_children)
    assert not [text for text in of_children if re.search(r"\bseeds?\b", text)]
    assert any("bilingual-en-nl in en" in text and "8 seeds" in text for text in said)
    assert not [fault for text in said for fault in faults(text)]
    page = write_report(both, tmp_path / "page.html", Options())
    text = page.read_text(encoding="utf-8")
    assert "Small rings: one participant each" in html.unescape(re.sub(r"<[^>]+>", "", text))
    assert 'data-name="me-kinds"' in text
    assert 'id="me-kinds"' in text
    table = text[text.index('data-name="me-kinds"') :]
    assert table[: table.index("</table>")].count("<tr>") == 3, "a heading and two conditions"


def test_answers_are_given_in_words_and_kept(both: list[Path]) -> None:
    made = analysed(both)
    said = dict(made.answers)
    answer = said["Do children differ from models (bilingual-en-nl, en)?"]
    assert "20 children and 8 models" in answer
    assert "they differ, children" in answer
    assert "no difference shown is no equality" in answer
    depends = said["Does how children differ from models (bilingual-en-nl, en) depend on the "
                   "condition?"]  # fmt: skip
    assert "chi2(1)" in depends
    assert any("children and models of bilingual-en-nl" in family for family in made.families)
    again = read(Analysis, write(made), Source("statistics.json"))
    assert again.kinds == made.kinds


def test_children_and_models_are_never_monolingual_against_bilingual(both: list[Path]) -> None:
    made = analysed(both)
    assert made.groups == ()
    assert dict(made.answers)["Different in bilinguals?"].startswith("Not tested")


def test_each_population_of_models_is_compared_on_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    paths = written(
        tmp_path,
        children=answers(rng, "child", "children-en", 12, 1.0, 0.4),
        one=answers(rng, "model", "monolingual-en", 5, 0.2),
        two=answers(rng, "model", "bilingual-en-nl", 5, 0.2),
    )
    made = analysed(paths)
    assert [found.second for found in made.kinds] == ["bilingual-en-nl", "monolingual-en"]
    assert [group.subject_kind for group in made.groups] == ["model"]


def test_words_are_compared_where_no_trial_is_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    children = answers(rng, "child", "children-en", 12, 1.0, 0.4)
    models = answers(rng, "model", "monolingual-en", 5, 0.2)
    other = models.assign(target_id=models["target_id"] + "_x")
    (found,) = analysed(written(tmp_path, children=children, models=other)).kinds
    assert (found.over, found.n_items) == ("words", 9)
    assert "9 words that both were asked, in other trials" in kind_sentence(found)
    bare = children.drop(columns=["word_id", "target_id", "distractor_id"])
    (found,) = analysed(written(tmp_path, children=bare, models=models)).kinds
    assert (found.over, found.n_items) == ("words", 9)


def test_who_fails_the_gate_is_not_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    children = answers(rng, "child", "children-en", 12, 1.0)
    lost = (children["seed"] == "s3") & (children["condition"] == "familiar-novel")
    children.loc[lost, "correct"] = 0
    models = answers(rng, "model", "monolingual-en", 5, 0.5)
    made = analysed(written(tmp_path, children=children, models=models))
    assert [seed for seed, _, _ in made.gate.failed] == ["children-en/s3"]
    assert made.kinds[0].n_subjects == (11, 5)


def test_data_that_decide_no_model_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    children = answers(rng, "child", "children-en", 12, 1.0)
    models = answers(rng, "model", "perfect", 5, 0.5).assign(correct=1)
    (found,) = analysed(written(tmp_path, children=children, models=models)).kinds
    assert found.problem
    assert "No verdict" in kind_sentence(found)
    assert "models 100.0 % correct; no test" in kind_sentence(found)


def test_too_few_subjects_get_no_verdict(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    paths = written(
        tmp_path,
        children=answers(rng, "child", "children-en", 2, 1.0),
        models=answers(rng, "model", "monolingual-en", 5, 0.5),
    )
    (found,) = analysed(paths).kinds
    assert "2 subjects" in found.problem
    assert {part.verdict for part in found.contrasts} <= {"few", "undecided"}


def test_a_single_kind_is_compared_with_nobody(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    assert (
        analysed(written(tmp_path, a=answers(rng, "model", "monolingual-en", 5, 1.0))).kinds == ()
    )
    assert analysed(written(tmp_path, b=answers(rng, "child", "children-en", 5, 1.0))).kinds == ()


@pytest.mark.slow
def test_without_a_difference_one_is_seldom_found() -> None:
    """Sixty experiments in which children and models answer alike, two conditions each."""
    from toolkit.statistics.choices.kinds_beside import _compared

    rng = np.random.default_rng(8)
    hits = n = 0
    for _ in range(60):
        parts = []
        odds = {word: rng.normal(0, 0.6) for words in WORDS.values() for word in words}
        for kind, population, people in (("child", "c", 12), ("model", "m", 6)):
            rows = [
                (f"{population}/{seed}", population, kind, condition, word, f"w{take}",
                 int(rng.random() < 1 / (1 + np.exp(-(0.5 + own + odds[word])))))
                for seed in range(people) for own in [rng.normal(0, 0.4)]
                for condition, word, take in ITEMS
            ]  # fmt: skip
            names = ["subject", "population", "subject_kind", "condition", "word_concept",
                     "word_id", "correct"]  # fmt: skip
            parts.append(
                pd.DataFrame(rows, columns=names).assign(
                    target_id="t", distractor_id="d", test_language="en", tie=0.0, n_choices=2.0
                )
            )
        found = _compared(*parts, 0.05)
        for part in found.contrasts:
            if part.contrast is not None:
                n += 1
                hits += part.contrast.p_value < 0.05
    assert n > 100
    assert hits / n < 0.1


CHILDREN = "child,word,correct\n" + "".join(
    f"c{child},{word},{(child + place) % 3 != 0:d}\n"
    for child in range(1, 13)
    for place, word in enumerate(("dax", "wug", "toma", "blick"))
)


def test_children_of_other_words_beside_networks(cli: Cli, tmp_path: Path) -> None:
    """Children of an imported table who were asked other words than the models."""
    (tmp_path / "children.csv").write_text(CHILDREN, encoding="utf-8")
    said = cli(
        "import-trials", "children.csv", "-o", "children.parquet", "--columns",
        "seed=child,word_concept=word", "--set", "population=children,test_language=en,n_choices=2",
        "--set", "condition=novel-familiar,paradigm=me,paradigm_version=2,n_languages=1",
        "--set", "train_languages=en",
    )  # fmt: skip
    assert said.code == 0, said.err
    models = answers(np.random.default_rng(9), "model", "bilingual-en-nl", 6, 0.3)
    write_long(models, tmp_path / "models.parquet")
    said = cli("analyze", "children.parquet", "models.parquet", "--format", "json")
    assert said.code == 0, said.err
    told = json.loads(said.out)["me"]
    assert told["groups"] == []
    assert (
        dict(told["answers"])["Do imported subjects differ from models (bilingual-en-nl, en)?"]
        == "Not tested: they were not asked one word in the same condition."
    )
    assert any(note.startswith("0 of 9 words were answered by both") for note in told["warnings"])


def test_a_comparison_without_items_is_told() -> None:
    none = KindComparison("child", "p", "en", "words", 0, 0, (1, 1), (0, 0), problem="nothing")
    assert kind_sentence(none) == "Not tested: nothing."
