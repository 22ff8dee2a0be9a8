"""Subjects that learnt different words: what is familiar is told by the subject, not by the set."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paradigms.registry import get_paradigm
from stimuli import StimulusSet, open_set
from tests.commands import Cli
from toolkit.api.checks import shown_set
from toolkit.api.spaces import compare_spaces
from toolkit.errors import ToolkitError
from toolkit.running.choices import run
from toolkit.running.score_all import score_all
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_population
from toolkit.tables.longtable import read_run
from toolkit.tables.trials import read_trials

ALL = ("ball", "bear", "cake", "car", "dog", "fish", "key", "tree")
FAMILIAR = {"01": ("ball", "bear", "cake"), "02": ("car", "fish", "key"), "03": ("dog", "tree")}


class Listener:
    """A subject that makes vectors of whatever it is given."""

    def __init__(self, seed: str) -> None:
        self._seed = sum(map(ord, seed))

    def embed_words(self, clips: list[np.ndarray]) -> np.ndarray:
        return self._vectors(clips)

    def embed_pictures(self, pictures: list[np.ndarray]) -> np.ndarray:
        return self._vectors(pictures)

    def _vectors(self, media: list[np.ndarray]) -> np.ndarray:
        keys = [int(np.abs(one.astype(float)).sum() * 1e6) % 2**32 for one in media]
        made = [np.random.default_rng([self._seed, key]).normal(size=5) for key in keys]
        return np.array(made, dtype=np.float32)

    def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        return words @ pictures.T


def listener(_: Population, seed: str) -> Listener:
    return Listener(seed)


DRAWN = Population(
    "drawn", ("en", "nl"), ("01a", "01b", "02a", "03a"), "", listener, familiar=FAMILIAR
)
ALIKE = Population("alike", ("en", "nl"), ("a", "b"), "", listener)


@pytest.fixture(scope="module")
def concepts(tiny_set: StimulusSet) -> set[str]:
    found = set(tiny_set.table["concept"])
    assert found == set(ALL), "the draws above are of these"
    return found


@pytest.mark.parametrize("paradigm", ["familiar", "me", "translation"])
def test_status_is_that_of_the_subject(
    paradigm: str, tiny_set: StimulusSet, concepts: set[str], tmp_path: Path
) -> None:
    done = run(get_paradigm(paradigm), [DRAWN, ALIKE], tiny_set, root=tmp_path)
    table = read_trials(done.directory.trials_path)
    sides = {
        "familiar-familiar": ("familiar", "familiar"), "novel-familiar": ("novel", "familiar"),
        "familiar-novel": ("familiar", "novel"), "familiar": ("familiar", "familiar"),
        "novel": ("novel", "novel"), "novel-novel": ("novel", "novel"),
    }  # fmt: skip
    own = set(tiny_set.select(status="familiar")["concept"])
    asked = 0
    for (population, seed, condition), rows in table.groupby(
        ["population", "seed", "condition"], observed=True
    ):
        if condition not in sides:
            continue
        familiar = set(FAMILIAR[seed[:2]]) if population == "drawn" else own
        words, others = sides[condition]
        groups = {"familiar": familiar, "novel": concepts - familiar}
        assert set(rows["word_concept"]) == groups[words]
        assert set(rows["distractor_concept"]) <= groups[others]
        assert set(rows["familiar_draw"]) == {seed[:2] if population == "drawn" else ""}
        asked += 1
    assert asked


def test_seeds_of_a_draw_answer_the_same_list(tiny_set: StimulusSet, tmp_path: Path) -> None:
    done = run(get_paradigm("me"), [DRAWN], tiny_set, languages=["en"], root=tmp_path)
    table = read_trials(done.directory.trials_path).astype(str)
    asked = {
        seed: rows[["condition", "word_id", "target_id", "distractor_id"]].to_numpy().tolist()
        for seed, rows in table.groupby("seed")
    }
    assert asked["01a"] == asked["01b"] != asked["02a"]


def test_without_draws_a_table_is_as_ever(tiny_set: StimulusSet, tmp_path: Path) -> None:
    done = run(get_paradigm("me"), [ALIKE], tiny_set, root=tmp_path)
    assert "familiar_draw" not in read_trials(done.directory.trials_path)
    alike = replace(ALIKE, familiar={"a": tuple(FAMILIAR["01"])}, seeds=("aa",))
    assert alike.checksum("aa") != replace(alike, familiar={"a": ("ball", "key")}).checksum("aa")


def test_what_is_done_is_not_done_again(tiny_set: StimulusSet, tmp_path: Path) -> None:
    me = get_paradigm("me")
    first = run(me, [DRAWN, ALIKE], tiny_set, root=tmp_path)
    trials = first.directory.trials_path.read_bytes()
    again = run(me, [DRAWN, ALIKE], tiny_set, root=tmp_path)
    assert (again.n_computed, again.directory.trials_path.read_bytes()) == (0, trials)
    other = replace(DRAWN, familiar=FAMILIAR | {"03": ("dog", "key")})
    assert run(me, [other, ALIKE], tiny_set, root=tmp_path).directory != first.directory


def test_draws_are_read_from_every_form_of_the_table(tiny_set: StimulusSet, tmp_path: Path) -> None:
    done = run(get_paradigm("me"), [DRAWN], tiny_set, root=tmp_path)
    as_csv = tmp_path / "trials.csv"
    read_trials(done.directory.trials_path).to_csv(as_csv, index=False)
    for source in (done.directory.folder, as_csv):
        table = read_run(source)
        pairs = table[["seed", "familiar_draw"]].astype(str).drop_duplicates()
        assert sorted(pairs["familiar_draw"] + pairs["seed"]) == [
            "0101a",
            "0101b",
            "0202a",
            "0303a",
        ]


def test_all_triples_are_of_the_subjects_words(
    tiny_set: StimulusSet, concepts: set[str], tmp_path: Path
) -> None:
    done = score_all(get_paradigm("me"), [ALIKE, DRAWN], tiny_set, languages=["en"], root=tmp_path)
    told = json.loads((done.directory.folder / "manifest.json").read_text())
    assert "familiar_draw" in told["columns"]
    test = done.table[done.table["condition"] == "novel-familiar"]
    for seed, rows in test[test["population"] == "drawn"].groupby("seed", observed=True):
        familiar = set(FAMILIAR[seed[:2]])
        assert set(rows["familiar_draw"]) == {seed[:2]}
        assert set(rows["target_concept"]) == set(rows["word_concept"]) == concepts - familiar
        assert set(rows["distractor_concept"]) == familiar
    assert set(test.loc[test["population"] == "alike", "familiar_draw"]) == {""}
    alone = score_all(get_paradigm("me"), [ALIKE], tiny_set, languages=["en"], root=tmp_path / "b")
    assert "familiar_draw" not in alone.table
    same = done.table[done.table["population"] == "alike"].reset_index(drop=True)
    columns = ["condition", "word_concept", "n_correct", "n_ties", "n_triples"]
    assert (same[columns].astype(str) == alone.table[columns].astype(str)).all(axis=None)


def test_spaces_are_told_by_the_networks_own_words(tiny_set: StimulusSet, tmp_path: Path) -> None:
    _, made = compare_spaces(
        [DRAWN, ALIKE], tiny_set, languages=["en"], n_bootstrap=20, root=tmp_path
    )
    words = made.tables["words_seeds"]
    for seed, rows in words[words["population"] == "drawn"].groupby("seed"):
        familiar = set(rows.loc[rows["status"] == "familiar", "concept"])
        assert familiar == set(FAMILIAR[seed[:2]])
    points = made.tables["pca"]
    first = points[points["population"] == "drawn"]
    assert set(first.loc[first["status"] == "familiar", "concept"]) == set(FAMILIAR["01"])
    similar = made.tables["similarity"]
    mixed = similar[similar["population_a"] != similar["population_b"]]
    assert set(mixed["status"]) == {"all"}
    assert any("learnt different words" in note for note in made.notes)


@pytest.mark.parametrize("name", ["me", "familiar"])
def test_a_set_that_lacks_what_was_learnt(name: str, tiny_set: StimulusSet, tmp_path: Path) -> None:
    strange = replace(DRAWN, familiar=FAMILIAR | {"02": ("car", "wug")})
    with pytest.raises(ToolkitError) as caught:
        run(get_paradigm(name), [strange], tiny_set, root=tmp_path)
    assert "wug" in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_which_set_is_shown(tiny_set: StimulusSet) -> None:
    drawn, usual = open_population("monolingual-en-draws"), open_population("monolingual-en")
    assert shown_set(None, [drawn], "mini").name == "mini-draws"
    assert shown_set(None, [usual], "mini").name == "mini"
    assert shown_set("mini-draws", [drawn, usual], "mini").name == "mini-draws"
    with pytest.raises(ToolkitError, match="name one of them"):
        shown_set(None, [drawn, usual], "mini")
    for given in ("mini", open_set("mini"), open_set("mini").folder):
        with pytest.raises(ToolkitError, match="320 test stimuli"):
            shown_set(given, [usual, drawn], "mini")
    with pytest.raises(ToolkitError, match="has no name here"):
        shown_set(None, [replace(drawn, stimuli="my-set")], "mini")
    assert shown_set(tiny_set, [replace(drawn, stimuli="my-set")], "mini") is tiny_set


def test_as_a_user_asks(cli: Cli) -> None:
    said = cli(
        "run-paradigm", "me", "--subject", "monolingual-en-draws/01a", "--subject",
        "monolingual-en-draws/02a", "--subject", "monolingual-en-draws/03a", "--trials-per-class",
        "13", "--format", "json", "--no-report",
    )  # fmt: skip
    assert said.code == 0, said
    told = json.loads(said.out)
    assert {row["unit"] for row in told["results"]} == {"draw"}
    assert list(told["results"][0]["seeds"]) == ["01", "02", "03"]
    assert told["stimuli"]["name"] == "mini-draws"
    table = pd.read_parquet(Path(told["run_directory"]) / "trials.parquet")
    assert table.groupby("familiar_draw", observed=True)["word_concept"].nunique().min() >= 20
    refused = cli("score-all", "me", "--subject", "monolingual-en-draws", "--stimuli", "mini")
    assert (refused.code, "--stimuli mini-draws" in refused.err) == (2, True)
