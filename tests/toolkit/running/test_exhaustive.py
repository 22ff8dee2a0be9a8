"""All triples counted by ranks: the same counts as asking them one by one, ties and all."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paradigms import PairCondition, Paradigm, PicturePairs, Responses, paradigm
from paradigms.registry import get_paradigm
from stimuli import StimulusSet, open_set
from tests.commands import Cli, Said
from toolkit.errors import ToolkitError
from toolkit.running import exhaustive
from toolkit.running.choices import run
from toolkit.running.exhaustive import count_wins
from toolkit.running.score_all import COLUMNS, score_all
from toolkit.statistics.choices.exact import cell_accuracy
from toolkit.subjects.populations import open_population
from toolkit.tables.manifests import EXHAUSTIVE_FILE
from toolkit.tables.trials import read_trials

Key = tuple[str, str, str]


def one_by_one(
    targets: np.ndarray, of_target: np.ndarray, rivals: np.ndarray, of_rival: np.ndarray, shape
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    correct, ties, triples = (np.zeros(shape, dtype=int) for _ in range(3))
    for clip in range(len(targets)):
        for place, target in enumerate(of_target):
            for other, rival in enumerate(of_rival):
                correct[target, rival] += targets[clip, place] > rivals[clip, other]
                ties[target, rival] += targets[clip, place] == rivals[clip, other]
                triples[target, rival] += 1
    return correct, ties, triples


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
@pytest.mark.parametrize("entries", [1 << 20, 7])
def test_counts_equal_those_of_every_single_comparison(
    levels: int, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exhaustive, "TABLE_ENTRIES", entries)
    tied = 0
    for number in range(20):
        rng = np.random.default_rng([levels, number])
        n, n_targets, n_rivals = rng.integers(1, 8, 3)
        shape = tuple(rng.integers(1, 4, 2))
        targets = rng.integers(0, levels, (n, n_targets)).astype(np.float32)
        rivals = rng.integers(0, levels, (n, n_rivals)).astype(np.float32)
        targets[targets == 0] = -0.0  # equal to 0.0, whatever the bits
        of_target = rng.integers(0, shape[0], n_targets)
        of_rival = rng.integers(0, shape[1], n_rivals)
        wins = count_wins(targets, of_target, rivals, of_rival, shape)
        correct, ties, triples = one_by_one(targets, of_target, rivals, of_rival, shape)
        assert (wins.correct == correct).all()
        assert (wins.ties == ties).all()
        assert (wins.triples == triples).all()
        tied += ties.sum()
    assert (tied > 0) == (levels < 1000)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets": np.full((2, 3), np.nan, np.float32)}, "NaN"),
        ({"target_class": [0, 0, 2]}, "outside"),
        ({"distractor_class": [0, 0]}, "shapes"),
        ({"distractors": np.zeros((3, 5), np.float32)}, "shapes"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict, said: str) -> None:
    given = {
        "targets": np.zeros((2, 3), np.float32), "target_class": [0, 0, 1],
        "distractors": np.zeros((2, 5), np.float32), "distractor_class": [0, 0, 0, 1, 2],
        "shape": (2, 3),
    }  # fmt: skip
    count_wins(**given)
    with pytest.raises(ValueError, match=said):
        count_wins(**given | change)


@pytest.fixture
def lopsided_set(tiny_set: StimulusSet, tmp_path: Path) -> StimulusSet:
    """The small set, but bears are only drawn as glyphs, and one key has lost its picture."""
    folder = tmp_path / "lopsided"
    shutil.copytree(tiny_set.folder, folder)
    listing = folder / "stimuli.csv"
    lines = listing.read_text().splitlines(keepends=True)
    lost = ("bear-colour-", "key-colour-test-0,")
    listing.write_text("".join(line for line in lines if not line.startswith(lost)))
    return open_set(folder)


def expected_counts(
    stimuli: StimulusSet, subjects_dir: Path, *, any_style: bool
) -> dict[str, dict[Key, list[int]]]:
    """Counts of the ME test and three controls for hasher/a in English, asked one by one."""
    subject = open_population("hasher", subjects_dir).load("a")
    table = stimuli.table[stimuli.table["split"] == "test"]
    words = table[(table["kind"] == "word") & (table["language"] == "en")]
    pictures = table[table["kind"] == "picture"]
    heard = subject.embed_words([stimuli.read_clip(name) for name in words.index])
    seen = subject.embed_pictures([stimuli.read_picture(name) for name in pictures.index])
    score = subject.similarity(heard, seen)
    weight = words["concept"].map(1 / words["concept"].value_counts()).to_numpy() / 8
    mean = weight @ score
    styles = {c: set(own["style"]) for c, own in pictures.groupby("concept")}
    made: dict[str, dict[Key, list[int]]] = {
        name: {} for name in ("novel-familiar", "novel*-familiar", "absent-familiar", "preference")
    }

    def ask(condition: str, key: Key, margin: float) -> None:
        counts = made[condition].setdefault(key, [0, 0, 0])
        counts[0] += 1
        counts[1] += int(margin > 0)
        counts[2] += int(margin == 0)

    shown, said = (list(part.itertuples()) for part in (pictures, words))
    for t, target in enumerate(shown):
        for d, rival in enumerate(shown):
            together = target.style == rival.style or target.style not in styles[rival.concept]
            if (target.status, rival.status) != ("novel", "familiar"):
                continue
            if not (together or any_style):
                continue
            ask("preference", ("*", target.concept, rival.concept), mean[t] - mean[d])
            for w, word in enumerate(said):
                key = (word.concept, target.concept, rival.concept)
                margin = score[w, t] - score[w, d]
                if word.status == "novel":
                    same = word.concept == target.concept
                    ask("novel-familiar" if same else "novel*-familiar", key, margin)
                elif word.concept != rival.concept:
                    ask("absent-familiar", key, margin)
    return made


@pytest.mark.parametrize("any_style", [False, True])
def test_a_population_is_asked_every_triple(
    lopsided_set: StimulusSet, subjects_dir: Path, tmp_path: Path, any_style: bool
) -> None:
    done = score_all(
        get_paradigm("me"), [open_population("hasher/a", subjects_dir)], lopsided_set,
        languages=["en"], any_style=any_style, root=tmp_path / "runs",
    )  # fmt: skip
    expected = expected_counts(lopsided_set, subjects_dir, any_style=any_style)
    for condition, counts in expected.items():
        own = done.table[done.table["condition"] == condition]
        found = {
            (row.word_concept, row.target_concept, row.distractor_concept): [
                row.n_triples,
                row.n_correct,
                row.n_ties,
            ]
            for row in own.itertuples()
        }
        assert found == counts, condition
    # Two of the random pictures have the same sum, which is all that this subject looks at.
    assert done.table["n_ties"].sum() > 0
    read = pd.read_parquet(done.directory.folder / EXHAUSTIVE_FILE)
    assert list(read) == list(COLUMNS)
    assert read["n_correct"].tolist() == done.table["n_correct"].tolist()


@pytest.mark.parametrize("name", ["me", "me-across-languages"])
def test_drawn_trials_are_among_the_triples_and_their_share_approaches_the_exact_one(
    name: str, tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    me, population = get_paradigm(name), open_population("hasher/b", subjects_dir)
    done = score_all(me, [population], tiny_set, languages=["nl"], root=tmp_path)
    exact = cell_accuracy(done.table).set_index("condition")["accuracy"]
    drawn = run(me, [population], tiny_set, languages=["nl"], root=tmp_path, per_class=1000)
    trials = read_trials(drawn.directory.trials_path)
    share = trials.groupby("condition", observed=True)["correct"].mean()
    assert set(exact.index) == set(share.index)
    for condition in share.index:
        assert share[condition] == pytest.approx(exact[condition], abs=0.02), condition
    keys = ["condition", "word_concept", "target_concept", "distractor_concept"]
    triples = set(done.table[keys].astype(str).itertuples(index=False, name=None))
    listed = trials[keys].astype(str)
    listed.loc[listed["condition"] == "preference", "word_concept"] = "*"
    assert set(listed.itertuples(index=False, name=None)) <= triples


def test_blocks_change_nothing(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = get_paradigm("me"), [open_population("hasher/a", subjects_dir)], tiny_set
    whole = score_all(*asked, root=tmp_path / "whole")
    monkeypatch.setattr("toolkit.running.score_all.MATRIX_ENTRIES", 1)
    blocks = score_all(*asked, root=tmp_path / "blocks")
    pd.testing.assert_frame_equal(blocks.table, whole.table)


def test_counting_goes_on_where_it_stopped(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    asked = get_paradigm("me"), [open_population("hasher", subjects_dir)], tiny_set
    whole = score_all(*asked, root=tmp_path / "whole")
    assert (whole.n_computed, whole.n_reused) == (6, 0)

    def stop(what: str, done: int, total: int) -> None:
        if (what, done) == ("counting", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_all(*asked, root=tmp_path / "cut", progress=stop)
    folder = tmp_path / "cut" / whole.directory.run_id
    assert json.loads((folder / "manifest.json").read_text())["status"] == "running"
    assert not (folder / EXHAUSTIVE_FILE).exists()
    done = score_all(*asked, root=tmp_path / "cut")
    assert (done.n_computed, done.n_reused) == (2, 4)
    pd.testing.assert_frame_equal(done.table, whole.table)
    again = score_all(*asked, root=tmp_path / "cut")
    assert (again.n_computed, again.n_reused) == (0, 6)
    pd.testing.assert_frame_equal(again.table, whole.table)


@paradigm("every-word", version=1)
class EveryWord(PicturePairs):
    """Pairs that several words bring together, asked again with all words at once."""

    question = "Which picture?"
    formula = "correct ~ 1 + (1 | seed)"

    conditions = (
        PairCondition("once", "another novel picture", word="novel", mismatched=True),
        PairCondition("again", "the same pairs", all_words=True, pairs_of="once"),
        PairCondition("two-others", "two other novel pictures", word="novel", mismatched=True,
                      distractor="novel"),
    )  # fmt: skip


def test_pairs_that_are_shown_again_are_those_of_the_other_condition_each_counted_once(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    population = open_population("hasher/a", subjects_dir)
    table = score_all(EveryWord(), [population], tiny_set, languages=["en"], root=tmp_path).table
    pair = ["target_concept", "distractor_concept"]
    again, once = (table[table["condition"] == name].astype(dict.fromkeys(pair, str))
                   for name in ("again", "once"))  # fmt: skip
    assert not again.duplicated(pair).any()
    assert set(again[pair].itertuples(index=False)) == set(once[pair].itertuples(index=False))
    assert set(again["word_concept"]) == {"*"}
    others = table[table["condition"] == "two-others"]
    assert len(others) == 5 * 4 * 3
    drawn = run(EveryWord(), [population], tiny_set, languages=["en"], root=tmp_path, per_class=4)
    shown = read_trials(drawn.directory.trials_path).astype(dict.fromkeys(pair, str))
    shown["word_concept"] = shown["word_concept"].astype(str)
    own = shown[shown["condition"] == "two-others"]
    assert (own[pair[0]] != own[pair[1]]).all()
    assert (own[pair].ne(own["word_concept"], axis=0)).all(axis=None)
    assert own.groupby("word_concept")[pair].nunique().eq(4).all(axis=None)


@paradigm("own-trials", version=1)
class OwnTrials(PicturePairs):
    """Makes its trials in its own way."""

    conditions = (PairCondition("only", "a word and two pictures"),)
    measure = Paradigm.measure

    def trials(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        return super().trials(*args, **kwargs)  # type: ignore[arg-type]


@paradigm("own-scores", version=1)
class OwnScores(PicturePairs):
    """Scores in its own way."""

    conditions = (PairCondition("only", "a word and two pictures"),)

    def measure(self, trials: object, responses: Responses) -> object:  # type: ignore[override]
        return responses.words


def test_paradigms_without_plain_picture_pairs_are_refused(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    population = open_population("hasher", subjects_dir)
    for asked in (get_paradigm("translation"), OwnTrials(), OwnScores()):
        with pytest.raises(ToolkitError, match="of its own") as error:
            score_all(asked, [population], tiny_set, root=tmp_path / "runs")
        assert asked.name in str(error.value.next_command)
    assert not (tmp_path / "runs").exists()


def test_paradigms_of_maps_are_refused(tiny_set: StimulusSet, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="asks for maps"):
        score_all(get_paradigm("dense-grounding"), [], tiny_set, root=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def scored(cli: Cli, tiny_set: StimulusSet, subjects_dir: Path) -> Cli:
    """Call score-all in an empty folder."""
    where = ("--subjects", subjects_dir, "--stimuli", tiny_set.folder)

    def call(*arguments: object) -> Said:
        return cli("score-all", *arguments, *where)

    return call


def test_command_prints_accuracies_and_words_and_writes_the_counts(scored: Cli) -> None:
    code, out, _ = scored("me", "--subject", "hasher", "--format", "json")
    assert code == 0
    said = json.loads(out)
    table = pd.read_parquet(Path(said["run_directory"]) / EXHAUSTIVE_FILE)
    assert said["n_triples"] == table["n_triples"].sum()
    for row in said["results"]:
        own = table[
            (table["condition"] == row["condition"])
            & (table["test_language"] == row["test_language"])
        ]
        assert row["n_triples"] == own["n_triples"].sum()
        assert row["mean"] == pytest.approx(np.mean(list(row["seeds"].values())))
        assert row["ci_low"] < row["mean"] < row["ci_high"]
    asked = [row for row in said["words"] if row["condition"] == "novel-familiar"]
    counted = Counter(row["word_concept"] for row in asked)
    assert counted == dict.fromkeys(("ball", "cake", "fish", "key", "tree"), 2)
    kept = json.loads((Path(said["run_directory"]) / "exhaustive.json").read_text())
    assert kept["results"] == said["results"]
    code, out, _ = scored("me", "--subject", "hasher/a", "--language", "en")
    assert code == 0
    for expected in ("All triples", "novel-familiar", "cake", "triples in", "   -   "):
        assert expected in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["mee", "--subject", "hasher"], "did you mean: me"),
        (["me", "--subject", "hascher"], "did you mean: hasher"),
        (["me", "--subject", "hasher/q"], "seed"),
        (["me", "--subject", "hasher", "--language", "fr"], "en, nl"),
        (["me", "--subject", "perfect", "--language", "en"], "trial list"),
        (["dense-grounding", "--subject", "hasher"], "asks for maps"),
    ],
)
def test_wrong_names_get_one_clear_message(
    scored: Cli, arguments: list[str], expected: str
) -> None:
    code, _, err = scored(*arguments)
    assert code == 2
    assert expected in err
    assert not Path("mevgs-runs").exists()


def test_nan_is_refused_by_name(scored: Cli, subjects_dir: Path) -> None:
    code = subjects_dir / "hasher" / "hasher_subject.py"
    code.write_text(code.read_text().replace("return (words", "return np.nan * (words"))
    exit_code, _, err = scored("me", "--subject", "hasher")
    assert exit_code == 2
    assert "hasher/a gave NaN" in err
    assert [path.name for path in Path("mevgs-runs").iterdir()] == ["embeddings"]
