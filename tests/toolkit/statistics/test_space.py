"""Embedding-space analyses: against plain formulas and SciPy, and as a user meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.spatial
import scipy.stats

from paradigms.registry import get_paradigm
from stimuli import StimulusSet
from tests.commands import Cli, Said
from tests.stored import as_written
from toolkit.errors import ToolkitError
from toolkit.running.choices import run
from toolkit.statistics.space import maps
from toolkit.statistics.space.analysis import MEANINGS, TABLES, analyse_spaces
from toolkit.statistics.space.compare import (
    aligned_rows,
    correlations,
    disparity,
    levels,
    superimposed,
)
from toolkit.statistics.space.maps import N_AXES, pca_rows, principal_components, tsne_rows
from toolkit.statistics.space.sample import Resampling, Sample, Space, interval
from toolkit.statistics.space.variance import (
    full_variance,
    gap_rows,
    variance_rows,
    within_variance,
)
from toolkit.statistics.space.words import accuracy_rows, read_accuracy, word_rows
from toolkit.subjects.populations import open_population

CLASSES = {"ball": "novel", "cake": "novel", "fish": "novel", "key": "novel",
           "bear": "familiar", "car": "familiar", "dog": "familiar"}  # fmt: skip


def sample(
    seed: int, modality: str = "word", language: str = "en", dim: int = 5,
    sizes: tuple[int, ...] = (2, 3, 5, 7, 2, 3, 5), noise: float = 0.5,
) -> Sample:  # fmt: skip
    """Classes of uneven size around random centres."""
    rng = np.random.default_rng(seed)
    names = [name for name, n in zip(CLASSES, sizes, strict=False) for _ in range(n)]
    centre = {name: rng.normal(size=dim) for name in CLASSES}
    vectors = np.stack([centre[name] + noise * rng.normal(size=dim) for name in names])
    ids = tuple(f"{modality}{language}{number}" for number in range(len(names)))
    return Sample(modality, language, ids, tuple(names), vectors.astype(np.float32))


def space(
    population: str = "p", seed: str = "a", languages: tuple[str, ...] = ("en",), dim: int = 5
) -> Space:
    """Words of the languages and pictures; equal names give equal numbers."""
    number = sum(map(ord, population + seed))
    words = [sample(number + ord(x[0]), "word", x, dim) for x in languages]
    return Space(population, languages, seed, (*words, sample(number, "picture", "", dim)))


def unit(vectors: np.ndarray) -> np.ndarray:
    wide = vectors.astype(float)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def test_variance_is_the_trace_of_the_covariance() -> None:
    own = sample(1)
    vectors, places = unit(own.vectors), np.arange(len(own.classes))
    ones = np.ones((1, len(places)))
    assert full_variance(own, places, ones)[0] == pytest.approx(np.trace(np.cov(vectors.T)))
    within = [np.trace(np.cov(vectors[np.array(own.concepts) == name].T)) for name in own.classes]
    assert own.spreads == pytest.approx(within)
    assert within_variance(own, places, ones)[0] == pytest.approx(np.mean(within))


def test_weights_count_classes_as_if_they_occurred_so_often() -> None:
    own = sample(2)
    vectors, concepts = unit(own.vectors), np.array(own.concepts)
    weights = np.array([[2.0, 0, 3, 1, 0, 0, 1]])
    repeated = np.concatenate(
        [
            np.repeat(vectors[concepts == name], int(w), axis=0)
            for name, w in zip(own.classes, weights[0], strict=True)
        ]
    )
    made = full_variance(own, np.arange(7), weights)[0]
    assert made == pytest.approx(np.trace(np.cov(repeated.T)))


def test_a_class_with_one_sample_has_no_spread_and_is_left_out() -> None:
    own = sample(3, sizes=(1, 4, 4))
    assert np.isnan(own.spreads).tolist() == [True, False, False]
    ones = np.ones((1, 3))
    assert within_variance(own, np.arange(3), ones)[0] == pytest.approx(own.spreads[1:].mean())
    lonely = sample(3, sizes=(1,))
    assert np.isnan(within_variance(lonely, np.arange(1), np.ones((2, 1)))).all()
    assert np.isnan(full_variance(lonely, np.arange(1), np.ones((2, 1)))).all()


def test_words_of_all_training_languages_are_also_taken_together() -> None:
    both, one = space("two", languages=("en", "nl")), space("one")
    rows = variance_rows([both, one], CLASSES, Resampling(5, 0))[0]
    words = {
        (row["population"], row["language"], row["scope"]): row["variance"]
        for row in rows
        if row["modality"] == "word" and row["status"] == "novel"
    }
    assert {language for name, language, _ in words if name == "two"} == {"en", "nl", "en+nl"}
    assert {language for name, language, _ in words if name == "one"} == {"en"}
    own = both.samples[:2]
    vectors = np.concatenate([unit(part.vectors) for part in own])
    concepts = np.array([name for part in own for name in part.concepts])
    novel = [name for name, status in CLASSES.items() if status == "novel"]
    spread = {name: np.trace(np.cov(vectors[concepts == name].T)) for name in novel}
    all_of_them = np.trace(np.cov(vectors[np.isin(concepts, novel)].T))
    assert words["two", "en+nl", "full"] == pytest.approx(all_of_them)
    assert words["two", "en+nl", "within_class"] == pytest.approx(np.mean([*spread.values()]))


def test_spaces_laid_upon_each_other_differ_by_their_disparity() -> None:
    rng = np.random.default_rng(5)
    # In two dimensions the map holds everything.
    first, second = rng.normal(size=(2, 6, 2))
    one, other = superimposed(first, second)
    expected = disparity(first, second, np.ones((1, 6)))[0]
    assert ((one - other) ** 2).sum() == pytest.approx(expected)
    assert (one**2).sum() == pytest.approx(1)
    assert np.isnan(superimposed(np.ones((4, 3)), second[:4])[0]).all()
    assert superimposed(first[:, :1], second)[0][:, 1] == pytest.approx(0)


def test_classes_of_a_mono_and_a_bilingual_network_come_on_one_map() -> None:
    spaces = [space("one", "a"), space("one", "b"), space("two", "a", ("en", "nl"), dim=4)]
    made = pd.DataFrame(aligned_rows(spaces, CLASSES))
    assert set(zip(made["modality"], made["language"], strict=True)) == {
        ("word", "en"),
        ("picture", ""),
    }
    counts = made.groupby(["modality", "population"])["concept"].nunique()
    assert set(counts) == {len(CLASSES)}
    assert len(counts) == 4
    assert set(made["seed_a"]) == {"a"}
    assert aligned_rows(spaces[:2], CLASSES) == []


def test_gap_and_cosines_are_those_of_all_pairs() -> None:
    one = space()
    (row,) = (r for r in gap_rows([one], CLASSES, Resampling(5, 0))[1] if r["status"] == "novel")
    novel = [name for name, status in CLASSES.items() if status == "novel"]
    chosen = np.isin(one.samples[0].concepts, novel)
    words, pictures = ((unit(s.vectors)[chosen], np.array(s.concepts)[chosen]) for s in one.samples)
    between = words[0].mean(axis=0) - pictures[0].mean(axis=0)
    assert row["gap"] == pytest.approx(np.linalg.norm(between))
    cosine = pd.DataFrame(words[0] @ pictures[0].T, words[1], pictures[1])
    per_pair = cosine.groupby(level=0).mean().T.groupby(level=0).mean().to_numpy()
    assert row["cosine_same_class"] == pytest.approx(np.diagonal(per_pair).mean())
    other = per_pair[~np.eye(len(novel), dtype=bool)]
    assert row["cosine_other_class"] == pytest.approx(other.mean())


@pytest.mark.parametrize("seed", range(5))
def test_weighted_rank_correlation_is_that_of_repeated_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, (3, 11)).astype(float)
    weights = rng.integers(0, 4, 11)
    made = correlations(levels(values), weights.astype(float))
    expected = scipy.stats.spearmanr(np.repeat(values, weights, axis=1), axis=1).statistic
    assert made == pytest.approx(expected)
    constant = correlations(levels(np.zeros((2, 4))), np.ones(4))
    assert np.isnan(constant).all()


def test_disparity_is_that_of_scipy_and_zero_after_any_rotation() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 7, 3))
    ones = np.ones((1, 7))
    expected = scipy.spatial.procrustes(first, second)[2]
    assert disparity(first, second, ones)[0] == pytest.approx(expected)
    weights = np.array([[2.0, 0, 1, 1, 0, 3, 0]])
    times = weights[0].astype(int)
    repeated = [np.repeat(part, times, axis=0) for part in (first, second)]
    assert disparity(first, second, weights)[0] == pytest.approx(
        scipy.spatial.procrustes(*repeated)[2]
    )
    wider = np.hstack([first, np.zeros((7, 2))]) @ np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert disparity(first, 3 * wider + 1, ones)[0] == pytest.approx(0, abs=1e-12)
    assert np.isnan(disparity(first, np.ones((7, 3)), ones)).all()


def test_alignment_and_similarity_find_the_network_that_was_only_rotated() -> None:
    own = space("mono", "a")
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]

    def turned(seed: str, population: str, languages: tuple[str, ...]) -> Space:
        samples = tuple(
            Sample(s.modality, s.language, s.ids, s.concepts, s.vectors @ turn) for s in own.samples
        )
        return Space(population, languages, seed, samples)

    other = space("mono", "b")
    made = analyse_spaces(
        [own, other, turned("a", "bi", ("en", "nl")), turned("b", "bi", ("en", "nl"))],
        CLASSES, n_bootstrap=30, map_seeds=0,
    )  # fmt: skip
    names = ["population_a", "seed_a", "population_b", "seed_b", "modality", "status"]
    similar = made.tables["similarity_seeds"].set_index(names)
    assert similar.loc[("mono", "a", "bi", "a", "word", "all"), "spearman"] == pytest.approx(1)
    assert similar.loc[("mono", "b", "bi", "a", "word", "all"), "spearman"] < 0.9
    aligned = made.tables["alignment"]
    assert set(aligned["kind"]) == {"mono-bilingual", "same-population"}
    same = aligned[(aligned["population_a"] == "bi") & (aligned["status"] == "all")]
    assert same["disparity"].max() == pytest.approx(0, abs=1e-9)
    mixed = aligned[(aligned["kind"] == "mono-bilingual") & (aligned["status"] == "all")]
    assert mixed["n_pairs"].tolist() == [2, 2]
    assert (mixed["disparity"] < mixed["chance"]).all()
    between = made.tables["similarity"]
    kinds = {("mono", "mono"): 1, ("bi", "bi"): 1, ("mono", "bi"): 4}
    pairs = between[(between["modality"] == "word") & (between["status"] == "all")]
    assert {(r.population_a, r.population_b): r.n_pairs for r in pairs.itertuples()} == kinds
    assert set(pairs["kind"]) == {"between-seeds", "between-populations"}


def test_intervals_hold_the_estimate_and_say_nothing_of_one_class() -> None:
    # A plain percentile interval of the full variance lies below it: classes drawn twice.
    own = sample(4, sizes=(5,) * 7, noise=0.1)
    estimate = full_variance(own, np.arange(7), np.ones((1, 7)))[0]
    drawn = full_variance(own, np.arange(7), Resampling(500, 0).classes(7))
    assert drawn.mean() < estimate - 0.02
    low, high = interval(estimate, drawn)
    assert low < estimate < high
    assert np.isnan(interval(0.5, np.full(10, 0.5))).all()
    assert np.isnan(interval(0.5, np.array([]))).all()
    assert np.isnan(interval(0.5, np.array([0.1, 0.2, *[np.nan] * 6]))).all()
    single = analyse_spaces(
        [Space("p", ("en",), s, (sample(i, sizes=(3,)), sample(i + 9, "picture", "", sizes=(3,))))
         for i, s in enumerate("ab")],
        {"ball": "novel"}, n_bootstrap=20,
    )  # fmt: skip
    variance = single.tables["variance"]
    assert len(variance) == 8  # words and pictures, novel and all, two scopes
    assert variance["variance"].notna().all()
    assert variance[["ci_low", "ci_high"]].isna().all(axis=None)
    assert not len(single.tables["similarity"])
    assert any("intervals need two" in note for note in single.notes)


def test_principal_components_explain_everything_and_keep_their_sign() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(11, 5)) * [5, 3, 2, 1, 0.5]
    coordinates, shares = principal_components(vectors)
    assert shares.sum() == pytest.approx(1)
    expected = np.sort(np.linalg.eigvalsh(np.cov(vectors.T)))[::-1]
    assert coordinates.var(axis=0, ddof=1) == pytest.approx(expected[:3])
    again, _ = principal_components(np.hstack([vectors, np.zeros((11, 1))])[:, ::-1])
    assert again == pytest.approx(coordinates)
    assert (coordinates.max(axis=0) > -coordinates.min(axis=0)).all()
    points, axes = pca_rows([space()], CLASSES)
    assert len(points) == 27 * 2
    assert len(axes) == min(5, N_AXES)


def test_tsne_repeats_itself_and_names_what_it_cannot_draw() -> None:
    rows, notes = tsne_rows([space()], CLASSES, 0)
    assert (len(rows), notes) == (54, [])
    assert tsne_rows([space()], CLASSES, 0)[0] == rows
    few = Space("p", ("en",), "a", (sample(0, sizes=(2, 2)), sample(1, "picture", "")))
    rows, notes = tsne_rows([few], CLASSES, 0)
    assert {row["modality"] for row in rows} == {"picture"}
    assert "No t-SNE of the words of p/a" in notes[0]


def test_words_are_compared_with_their_accuracy() -> None:
    spaces = [space(seed=seed) for seed in "ab"]
    over, single = word_rows(spaces, CLASSES, {})
    assert len(single) == 14
    assert len(over) == 7
    assert all(np.isnan(row["accuracy"]) for row in over)
    assert accuracy_rows(single, Resampling(10, 0)) == []
    distance = {(row["seed"], row["concept"]): row["distance"] for row in single}
    own = spaces[0].samples
    ball = [unit(s.vectors)[np.array(s.concepts) == "ball"].mean(axis=0) for s in own]
    assert distance["a", "ball"] == pytest.approx(np.linalg.norm(ball[0] - ball[1]))
    nearer = {
        ("p", seed, "en", name): 1 - value / 4
        for (seed, name), value in distance.items()
        if CLASSES[name] == "novel"
    }
    _, single = word_rows(spaces, CLASSES, nearer)
    rows = {row["measure"]: row for row in accuracy_rows(single, Resampling(50, 0))}
    assert rows["distance"]["spearman"] == pytest.approx(-1)
    assert rows["distance"]["n_words"] == 4
    assert rows["distance"]["status"] == "novel"


def test_accuracy_of_a_run_is_that_of_the_test_itself() -> None:
    counts = pd.DataFrame(
        {
            "paradigm": "me",
            "condition": ["test", "test", "control"],
            "population": "p",
            "seed": ["p/a", "p/a", "p/a"],
            "test_language": "en",
            "word_concept": "ball",
            "n_correct": [1, 2, 9],
            "n_trials": [4, 2, 9],
        }
    )
    assert read_accuracy(counts, {"me": {"test"}}) == {("p", "a", "en", "ball"): 0.5}
    with pytest.raises(ToolkitError, match="no answers to the test"):
        read_accuracy(counts, {"me": {"other"}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: np.where(np.arange(27)[:, None] == 3, np.nan, s), "worden3"),
        (lambda s: s[:5], "does not hold together"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(change, said: str) -> None:
    own = sample(0)
    with pytest.raises(ToolkitError, match=said):
        Sample("word", "en", own.ids, own.concepts, change(own.vectors))


def test_every_column_has_a_meaning_and_every_cell_of_text_a_value() -> None:
    assert {column for columns in TABLES.values() for column in columns} == set(MEANINGS)
    spaces = [space("mono", s) for s in "abc"] + [space("bi", s, ("en", "nl")) for s in "ab"]
    accuracy = {
        (p, s, x, name): len(name) / 10
        for p in ("mono", "bi") for s in "abc" for x in ("en", "nl") for name in CLASSES
    }  # fmt: skip
    made = analyse_spaces(spaces, CLASSES, accuracy=accuracy, n_bootstrap=20)
    assert list(made.tables) == list(TABLES)
    for name, table in made.tables.items():
        assert len(table), name
        # Three classes are too few for an interval of a rank correlation.
        own = table[table["status"] != "familiar"] if name == "similarity" else table
        assert own.notna().all(axis=None), name
    backwards = analyse_spaces(spaces[::-1], CLASSES, n_bootstrap=20, map_seeds=0)
    keys = ["population", "modality", "language", "status", "scope"]
    first, second = (
        m.tables["variance"].sort_values(keys, ignore_index=True)[[*keys, "variance"]]
        for m in (made, backwards)
    )
    pd.testing.assert_frame_equal(first, second)
    none = analyse_spaces(spaces, CLASSES, n_bootstrap=0, map_seeds=0)
    assert none.tables["similarity"]["ci_low"].isna().all()
    with pytest.raises(ToolkitError, match="no network"):
        analyse_spaces([], CLASSES)
    with pytest.raises(ToolkitError, match="familiar or novel"):
        analyse_spaces(spaces, {})
    with pytest.raises(ToolkitError, match="lacks words or pictures"):
        analyse_spaces([Space("p", (), "a", (sample(0),))], CLASSES)


@pytest.fixture
def analyzed(
    cli: Cli, tiny_set: StimulusSet, subjects_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """Call analyze-space in an empty folder, with a mono- and a bilingual population."""
    # t-SNE takes half of the time, and has a test of its own.
    monkeypatch.setattr(maps, "_tsne", lambda vectors, _: vectors[:, :2])
    mono = subjects_dir / "mono"
    shutil.copytree(subjects_dir / "hasher", mono)
    described = (mono / "population.toml").read_text()
    described = described.replace('"hasher"', '"mono"').replace('["en", "nl"]', '["en"]')
    (mono / "population.toml").write_text(described)

    where = ("--subjects", subjects_dir, "--stimuli", tiny_set.folder)

    def call(*arguments: object) -> Said:
        return cli("analyze-space", *arguments, *where)

    return call


def me_run(population: str, stimuli: StimulusSet, subjects: Path) -> Path:
    asked = [open_population(population, subjects)]
    done = run(get_paradigm("me"), asked, stimuli, per_class=3, root=Path("mevgs-runs"))
    return done.directory.folder


def test_command_writes_explained_tables_that_repeat(
    analyzed: Cli, tiny_set: StimulusSet, subjects_dir: Path
) -> None:
    answers = me_run("hasher", tiny_set, subjects_dir)
    asked = ("--subject", "mono", "--subject", "hasher", "--run", answers, "--bootstrap", 20)
    code, out, _ = analyzed(*asked)
    assert code == 0
    for expected in ("Variance", "Modality gap", "Alignment", "similarity", "Accuracy per word"):
        assert expected in out
    (folder,) = Path("mevgs-runs").glob("space-2-populations-*")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["languages"] == {"mono": ["en"], "hasher": ["en", "nl"]}
    kept = {}
    for name, columns in TABLES.items():
        table = pd.read_parquet(folder / f"{name}.parquet")
        text = (folder / f"{name}.csv").read_text()
        assert list(table) == list(columns) == text.splitlines()[0].split(",")
        assert manifest["tables"][name]["rows"] == len(table) == text.count("\n") - 1
        assert all(manifest["tables"][name]["columns"].values())
        kept[name] = text
    words = pd.read_csv(folder / "words.csv", keep_default_na=False)
    answered = words[words["accuracy"] != ""]
    assert set(answered["population"]) == {"hasher"}
    assert set(answered["status"]) == {"novel"}
    assert analyzed(*asked)[0] == 0
    assert {name: (folder / f"{name}.csv").read_text() for name in TABLES} == kept


def test_the_manifest_tells_who_was_asked_what_as_that_of_any_run(
    analyzed: Cli, tiny_set: StimulusSet, subjects_dir: Path
) -> None:
    few = ("--language", "nl", "--bootstrap", 0, "--map-seeds", 0)
    assert analyzed("--subject", "hasher/b", "--subject", "hasher/c", *few)[0] == 0
    (folder,) = Path("mevgs-runs").glob("space-hasher-*")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["run_id"], manifest["status"]) == (folder.name, "complete")
    assert set(manifest["subjects"]) == {"hasher/b", "hasher/c"}
    assert manifest["populations"]["hasher"]["n_seeds"] == 2
    assert {"started", "ended", "command", "git", "packages", "stimuli"} <= set(manifest)


def test_the_answers_set_beside_spaces_decide_the_name_of_the_tables(
    analyzed: Cli, tiny_set: StimulusSet, subjects_dir: Path
) -> None:
    asked = ("--subject", "hasher", "--bootstrap", 0, "--map-seeds", 0, "--run")
    for per_class in (2, 3):
        population = [open_population("hasher", subjects_dir)]
        done = run(get_paradigm("me"), population, tiny_set, per_class=per_class)
        assert analyzed(*asked, done.directory.trials_path)[0] == 0
    assert len(list(Path("mevgs-runs").glob("space-*"))) == 2


def test_one_seed_and_no_maps_are_said(analyzed: Cli) -> None:
    code, out, _ = analyzed(
        "--subject", "hasher/b", "--language", "nl", "--bootstrap", 0, "--map-seeds", 0
    )
    assert code == 0
    assert "hasher has a single seed" in out
    assert "No alignment of mono- with bilingual" in out
    (folder,) = Path("mevgs-runs").glob("space-hasher-*")
    assert pd.read_csv(folder / "tsne.csv").empty


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--subject", "hascher"], "did you mean: hasher"),
        (["--subject", "hasher", "--language", "fr"], "en, nl"),
        (["--subject", "perfect", "--language", "en"], "trial list"),
        (["--subject", "hasher", "--run", "nowhere"], "no trials table"),
        (["--subject", "hasher", "nowhere"], "runs behind --run"),
    ],
)
def test_wrong_names_get_one_clear_message(
    analyzed: Cli, arguments: list[str], expected: str
) -> None:
    code, _, err = analyzed(*arguments)
    assert code == 2
    assert expected in err
    assert not list(Path().glob("mevgs-runs/space-*"))


def test_a_run_of_others_is_refused(
    analyzed: Cli, tiny_set: StimulusSet, subjects_dir: Path
) -> None:
    others = me_run("mono/a", tiny_set, subjects_dir)
    code, _, err = analyzed("--subject", "hasher", "--run", others, "--bootstrap", 2)
    assert code == 2
    assert "asked none of these populations" in err


def test_runs_that_a_pattern_finds_count_together(
    analyzed: Cli, tiny_set: StimulusSet, subjects_dir: Path
) -> None:
    runs = [me_run(name, tiny_set, subjects_dir) for name in ("hasher/a", "hasher/b")]
    few = ("--bootstrap", 0, "--map-seeds", 0)
    code, _, err = analyzed("--subject", "hasher", "--run", *runs, Path("mevgs-runs/cells"), *few)
    assert code == 0, err
    assert "cells is left out" in err
    (folder,) = Path("mevgs-runs").glob("space-hasher-*")
    found = pd.read_csv(folder / "words_seeds.csv")
    assert set(found["seed"]) == {"a", "b", "c"}
    known = found.dropna(subset=["accuracy"]).groupby("seed").size()
    assert set(known.index) == {"a", "b"}


def test_nan_in_stored_embeddings_is_no_embedding(analyzed: Cli) -> None:
    assert analyzed("--subject", "hasher/a", "--bootstrap", 2, "--map-seeds", 0)[0] == 0
    (stored,) = Path("mevgs-runs/embeddings").glob("*/*.npz")
    content = dict(np.load(stored))
    content["words"][0] = np.nan
    np.savez(stored, **content)
    as_written(stored)
    assert analyzed("--subject", "hasher/a", "--bootstrap", 2, "--map-seeds", 0)[0] == 0
    assert np.isfinite(np.load(stored)["words"]).all()
