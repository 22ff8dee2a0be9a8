"""Populations that were trained on features are asked on features: theirs, and no others."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from stimuli import open_set
from stimuli.files import checksum_file
from tests.commands import Cli
from tests.published_features import HEARING, SEEING, train, write_all, write_published_features
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones import listing
from toolkit.subjects.backbones.stored import FeatureFile, write_features
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_populations

NAME = "bilingual-en-nl"
TAKE = ("extract-features", "set", "--split", "test", "--take")
KNOWN = {"hearing": "3b0c" * 16, "seeing": "11ac" * 16}


@pytest.fixture(autouse=True, scope="module")
def _listed_here() -> Iterator[None]:
    """Files of features are made by the tests themselves: listing them apart only takes time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "_listed_apart", listing._listed)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("published"))


@pytest.fixture
def root(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data, features, set and population, and no backbone anywhere."""
    monkeypatch.setenv("MEVGS_BACKBONES", str(tmp_path / "fetched"))
    monkeypatch.setattr("toolkit.subjects.backbones.finding.in_hub_cache", lambda name: None)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def opened(root: Path, features: Path | None = None, name: str = NAME) -> Population:
    (population,) = open_populations([name], root / "subjects", features)
    return population


def ask(cli: Cli, *more: object, paradigm: str = "familiar", name: str = NAME) -> tuple[int, str]:
    done = cli(
        "run-paradigm", paradigm, "--subject", name, "--subjects", "subjects", "--stimuli", "set",
        "--no-report", *more,
    )  # fmt: skip
    return done.code, done.out + done.err


def tell_backbones(root: Path) -> None:
    """Have all published files tell which backbones made them, as ours do."""
    for path in (root / "me-vgs" / "output").rglob("*.h5"):
        with h5py.File(path, "a") as file:
            kind = "hearing" if path.parent.name == "features-audio" else "seeing"
            file.attrs["backbone_sha256"] = KNOWN[kind]


def test_the_way_to_type_is_told_and_leads_there(root: Path, cli: Cli) -> None:
    code, said = ask(cli)
    assert code == 2
    command = f"extract-features SET --hearing {HEARING} --seeing {SEEING} --take FOLDER --out"
    assert f"try: mevgs-toolkit {command} {root / 'subjects'}" in said
    given = command.replace("SET", "set").replace("FOLDER", "me-vgs/output").split()
    assert cli(*given, "subjects").code == 0
    for paradigm in ("familiar", "me", "translation"):
        code, said = ask(cli, paradigm=paradigm)
        assert code == 0, said
    for one in ("run-paradigm translation", "score-all familiar", "analyze-space --bootstrap 2"):
        done = cli(*one.split(), "--subject", NAME, "--subjects", "subjects", "--stimuli", "set")
        assert done.code == 0, done.err


def test_features_lie_beside_the_population_or_in_the_folder_that_is_named(
    root: Path, cli: Cli
) -> None:
    done = cli(*TAKE, "me-vgs/output", "--out", "apart")
    assert done.code == 0
    assert done.out.count("stored; nothing tells which backbone made them") == 2
    code, said = ask(cli)
    assert code == 2
    code, said = ask(cli, "--features", "apart")
    assert (code, "4 cells" in said or "2 cells computed" in said) == (0, True), said
    for path in (root / "apart").iterdir():
        path.rename(root / "subjects" / path.name)
    code, said = ask(cli)
    assert (code, "0 cells computed, 2 reused" in said) == (0, True), said
    code, said = ask(cli, paradigm="translation", name=f"{NAME}/frozen")
    assert code == 0, said
    for path in (root / "subjects").glob("*.h5*"):
        path.rename(root / "apart" / path.name)
    code, said = ask(cli, "--features", "apart", paradigm="translation", name=f"{NAME}/frozen")
    assert (code, "0 cells computed, 2 reused" in said) == (0, True), said


def test_a_backbone_that_appears_later_changes_nothing(root: Path, cli: Cli) -> None:
    assert cli(*TAKE, "me-vgs/output", "--out", "subjects").code == 0
    weights = root / "subjects" / NAME / "a.safetensors"
    before = opened(root).checksum("a"), weights.stat().st_mtime_ns
    for name in (HEARING, SEEING):
        folder = root / "fetched" / name
        folder.mkdir(parents=True)
        for file in ("config.json", "model.safetensors"):
            (folder / file).write_bytes(b"{}")
    train(root)
    assert (opened(root).checksum("a"), weights.stat().st_mtime_ns) == before
    code, said = ask(cli)
    assert (code, "2 cells computed" in said) == (0, True), said


def test_answers_on_other_features_are_never_taken_for_one_another(root: Path, cli: Cli) -> None:
    assert cli(*TAKE, "me-vgs/output", "--out", "one").code == 0
    write_published_features(root / "me-vgs", lambda feature: -feature)
    assert cli(*TAKE, "me-vgs/output", "--out", "other").code == 0
    one, other = (opened(root, root / folder) for folder in ("one", "other"))
    assert one.stands_on.keys() == {"hearing", "seeing"}
    assert one.checksum("a") != other.checksum("a")
    assert opened(root).checksum("a") not in (one.checksum("a"), other.checksum("a"))
    code, said = ask(cli, "--features", "one")
    assert f"{NAME} was trained on features that do not tell the hearing backbone" in said
    code, said = ask(cli, "--features", "other")
    assert (code, "2 cells computed, 0 reused" in said) == (0, True), said


def test_known_backbones_and_their_features_are_the_same_subject(root: Path, cli: Cli) -> None:
    tell_backbones(root)
    shutil.rmtree(root / "subjects")
    train(root)
    config = json.loads((root / "subjects" / NAME / "config.json").read_text())
    assert {kind: told["sha256"] for kind, told in config["backbones"].items()} == KNOWN
    alone = opened(root)
    assert alone.stands_on == {}
    assert cli(*TAKE, "me-vgs/output", "--out", "apart").code == 0
    assert opened(root, root / "apart").checksum("a") == alone.checksum("a")
    code, said = ask(cli, "--features", "apart")
    assert (code, "do not tell" in said) == (0, False), said


def test_features_of_another_backbone_are_refused(root: Path, cli: Cli) -> None:
    assert cli(*TAKE, "me-vgs/output", "--out", "foreign").code == 0
    tell_backbones(root)
    shutil.rmtree(root / "subjects")
    train(root)
    code, said = ask(cli, "--features", "foreign")
    assert code == 2
    assert f"Nothing tells which backbone made the features in {root / 'foreign'}" in said
    assert "mevgs-toolkit extract-features SET --out DIR" in said
    for path in (root / "me-vgs" / "output").rglob("*.h5"):
        with h5py.File(path, "a") as file:
            file.attrs["backbone_sha256"] = "0" * 64
    assert cli(*TAKE, "me-vgs/output", "--out", "other").code == 0
    code, said = ask(cli, "--features", "other")
    assert code == 2
    assert "The backbone that made these features is not the one" in said
    assert "--features DIR" in said
    assert not (root / "mevgs-runs").exists() or not list((root / "mevgs-runs").glob("familiar*"))


def test_features_of_wrong_length_are_refused(root: Path, cli: Cli) -> None:
    write_published_features(root / "me-vgs", lambda f: f[..., :3] if f.ndim == 2 else f)
    assert cli(*TAKE, "me-vgs/output", "--out", "short").code == 0
    code, said = ask(cli, "--features", "short")
    assert code == 2
    assert "These word features do not fit the network" in said
    assert f"in the place of {root / 'short' / HEARING}.h5, then --features DIR" in said


def test_features_of_the_other_kind_or_without_numbers_are_refused(root: Path, cli: Cli) -> None:
    assert cli(*TAKE, "me-vgs/output", "--out", "good").code == 0
    for folder in ("swapped", "empty"):
        (root / folder).mkdir()
    for name, other in ((HEARING, SEEING), (SEEING, HEARING)):
        stored = FeatureFile(root / "good" / f"{name}.h5")
        media = {own: sha256 for sha256, own in stored.media().items()}
        told = {n: (next(stored.read([n])), media[n]) for n in stored.names}
        write_features(root / "swapped" / f"{other}.h5", told, stored.attributes)
        nothing = {n: (feature * np.nan, sha256) for n, (feature, sha256) in told.items()}
        write_features(root / "empty" / f"{name}.h5", nothing, stored.attributes)
    code, said = ask(cli, "--features", "swapped")
    assert (code, f"{HEARING}.h5 holds features of pictures, not of words" in said) == (2, True)
    code, said = ask(cli, "--features", "empty")
    assert (code, f"{HEARING}.h5 holds NaN or infinity" in said) == (2, True), said


def test_backbones_whose_features_are_nowhere_are_told_as_such(root: Path, cli: Cli) -> None:
    """Not that the backbone must be fetched: features were to be taken."""
    for given, said in (
        (("--hearing", "hubert"), "There are no features of words by hubert to take"),
        (
            ("--seeing", "clip", "--only", "pictures"),
            "There are no features of clip in this folder",
        ),
    ):
        done = cli(*TAKE, "me-vgs/output", *given, "--out", "x")
        assert (done.code, said in done.err, f"me-dataset-test-{SEEING}.h5" in done.err) == (
            2, True, True,
        ), done.err  # fmt: skip
    done = cli(*TAKE, "me-vgs/output/features-audio", "--out", "x")
    assert "take words alone, --only words" in done.err


def test_features_that_are_lacking_are_named_with_the_command(root: Path, cli: Cli) -> None:
    assert cli(*TAKE, "me-vgs/output", "--language", "en", "--out", "few").code == 0
    code, said = ask(cli, "--features", "few")
    assert code == 2
    assert re.search(r"lacks the features of \d+ of \d+ words of the stimulus set 'set'", said)
    command = (
        f"extract-features set --only words --hearing {HEARING} "
        f"--take FOLDER-OF-FEATURES --out {root / 'few'}"
    )
    assert f"try: mevgs-toolkit {command}" in said
    typed = command.replace("FOLDER-OF-FEATURES", str(root / "me-vgs" / "output")).split()
    assert cli(*typed).code == 0
    assert ask(cli, "--features", "few")[0] == 0
    # Features of other stimuli stay as they are.
    stored = FeatureFile(root / "few" / f"{SEEING}.h5")
    names = sorted(set(stored.names))[1:]
    told = {n: (next(stored.read([n])), media) for media, n in stored.media().items() if n in names}
    write_features(root / "few" / f"{SEEING}.h5", told, stored.attributes | {"source": "else 0"})
    code, said = ask(cli, "--features", "few", paradigm="me")
    assert (code, "made of other stimuli" in said, "--out DIR, then --features DIR" in said) == (
        2, True, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("none", "no such folder of features"),
        ("me-vgs/output", "files as published, which know no stimulus set"),
        ("set", "with no file of features"),
        ("near", "did you mean: wavlm-base-plus2.h5"),
    ],
)
def test_folders_without_the_features(folder: str, said: str, root: Path, cli: Cli) -> None:
    (root / "near").mkdir()
    (root / "near" / f"{HEARING}2.h5").write_bytes(b"")
    code, told = ask(cli, "--features", folder)
    assert (code, said in told) == (2, True), told
    if folder != "none":
        assert "try: mevgs-toolkit extract-features SET" in told


def test_damaged_features_are_refused(root: Path, cli: Cli) -> None:
    assert cli(*TAKE, "me-vgs/output", "--out", "cut").code == 0
    path = root / "cut" / f"{HEARING}.h5"
    path.write_bytes(path.read_bytes()[:-100])
    code, said = ask(cli, "--features", "cut")
    assert (code, "is damaged, or was changed" in said) == (2, True), said
    checksum_file(path).unlink()
    code, said = ask(cli, "--features", "cut")
    assert (code, "cannot be read" in said) == (2, True), said


def test_features_mean_nothing_to_others(root: Path) -> None:
    (root / "apart").mkdir()
    with pytest.raises(ToolkitError, match="Features mean nothing here"):
        open_populations(["perfect"], None, root / "apart")


def test_config_and_card_tell_what_was_trained_on(root: Path) -> None:
    folder = root / "subjects" / NAME
    config = json.loads((folder / "config.json").read_text())
    files = {p.relative_to(root / "me-vgs").as_posix() for p in root.rglob("me-dataset-*.h5")}
    assert set(config["features"]) == {name for name in files if "-test-" not in name}
    assert all(len(sha256) == 64 for sha256 in config["features"].values())
    assert {told["sha256"] for told in config["backbones"].values()} == {""}
    card = (folder / "README.md").read_text()
    assert "6 files as published" in card
    assert "hearing, not told by the files, known by its name alone" in card
    tell_backbones(root)
    shutil.rmtree(root / "subjects")
    train(root)
    card = (folder / "README.md").read_text()
    assert f"hearing, backbone `{KNOWN['hearing'][:16]}`" in card


def test_backbones_that_disagree_are_refused_before_training(root: Path) -> None:
    tell_backbones(root)
    path = next((root / "me-vgs" / "output").rglob("*valid-dutch*.h5"))
    with h5py.File(path, "a") as file:
        file.attrs["backbone_sha256"] = "0" * 64
    shutil.rmtree(root / "subjects")
    with pytest.raises(ToolkitError, match="was made by another backbone than"):
        train(root)
    assert not (root / "subjects" / NAME / "a.safetensors").exists()


def test_embeddings_are_those_of_the_features(root: Path, cli: Cli) -> None:
    assert cli(*TAKE, "me-vgs/output", "--out", "apart").code == 0
    stimuli = open_set(root / "set")
    subject = opened(root, root / "apart").load("a")
    (name,) = stimuli.select(kind="word", split="test", language="nl").index[:1]
    stored = next(FeatureFile(root / "apart" / f"{HEARING}.h5").read([name]))
    np.testing.assert_array_equal(
        subject.embed_words([stimuli.read_clip(name)]), subject.embed_word_features([stored])
    )
