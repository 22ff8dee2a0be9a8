"""Finding, describing and loading populations, the shipped ones and a user's own."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from stimuli import open_set, plugins
from stimuli.texts import write_toml
from toolkit.errors import ToolkitError
from toolkit.subjects.contract import SharesBackbones, Subject
from toolkit.subjects.population import WEIGHTS, Population
from toolkit.subjects.populations import list_populations, open_population, open_populations
from toolkit.subjects.vgs.config import NetworkConfig, read_config
from toolkit.subjects.vgs.subject import backbone_checksum, fresh_network

SHIPPED = sorted(path.parent for path in WEIGHTS.glob("*/config.json"))
NAMES = {"monolingual-en", "monolingual-nl", "monolingual-fr", "untrained"}
NAMES |= {"bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl"}
TRAINED = [folder for folder in SHIPPED if folder.name in NAMES]

OWN_SUBJECT = """
import numpy as np
from helper import SIZE

class Own:
    def embed_words(self, clips):
        return np.ones((len(clips), SIZE), dtype=np.float32)
    def embed_pictures(self, pictures):
        return np.ones((len(pictures), SIZE), dtype=np.float32)
    def similarity(self, words, pictures):
        return words @ pictures.T

def make(population, seed):
    return Own()
"""


def write_own(folder: Path, **changes: object) -> Path:
    """A population folder with a subject that has nothing to do with the toolkit's network."""
    described = {
        "name": "own",
        "description": "A subject from elsewhere.",
        "languages": ["en"],
        "seeds": ["a", "b"],
        "factory": "own_subject:make",
    } | changes
    folder.mkdir(parents=True, exist_ok=True)
    told = {key: value for key, value in described.items() if value != "drop"}
    (folder / "population.toml").write_text(write_toml(told))
    (folder / "own_subject.py").write_text(OWN_SUBJECT)
    (folder / "helper.py").write_text("SIZE = 3\n")
    return folder


def write_network(folder: Path, word_dim: int = 5) -> Path:
    """A population folder with a tiny network of the toolkit's kind, and its backbones."""
    for kind in ("hearing", "seeing"):
        backbone = folder.parent / kind
        backbone.mkdir(parents=True, exist_ok=True)
        (backbone / "config.json").write_text("{}")
        (backbone / "model.safetensors").write_bytes(kind.encode())
    folder.mkdir()
    network = fresh_network(NetworkConfig(word_dim=5, picture_dim=7, embedding=3))
    halves = {key: value.half() for key, value in network.state_dict().items()}
    save_file(halves, folder / "a.safetensors")
    config = {
        "network": {"word_dim": word_dim, "picture_dim": 7, "embedding": 3},
        "backbones": {
            kind: {"folder": kind, "sha256": backbone_checksum(folder.parent / kind)}
            for kind in ("hearing", "seeing")
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    factory = "toolkit.subjects.vgs.subject:load_subject"
    return write_own(folder, name="tiny", seeds=["a"], factory=factory)


def test_listing_does_not_import_torch() -> None:
    code = (
        "import sys; from toolkit.subjects.populations import list_populations;"
        "list_populations(); sys.exit(any(m in sys.modules for m in ('torch', 'pandas', 'timm')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_own_subject_through_a_folder_of_folders(tmp_path: Path) -> None:
    write_own(tmp_path / "own")
    population = open_population("own", tmp_path)
    subject = population.load("b")
    assert isinstance(subject, Subject)
    assert population.seeds == ("a", "b")
    assert subject.embed_words([np.zeros(5, np.float32)] * 2).shape == (2, 3)


def test_own_subject_through_its_folder(tmp_path: Path) -> None:
    assert open_population("own/a", write_own(tmp_path)).seeds == ("a",)


def test_two_folders_may_hold_modules_of_the_same_name(tmp_path: Path) -> None:
    write_own(tmp_path / "one", name="one")
    other = write_own(tmp_path / "two", name="two")
    (other / "own_subject.py").write_text("def make(population, seed):\n    return 'other'\n")
    assert open_population("one", tmp_path).load("a") != "other"
    assert open_population("two", tmp_path).load("a") == "other"


@pytest.mark.parametrize("offered", ["path", "function", "population"])
def test_entry_points(offered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_own(tmp_path / "own")
    things = {
        "path": str(tmp_path),
        "function": lambda: tmp_path / "own",
        "population": Population("own", (), ("a", "b"), "Made in code.", lambda p, s: None),
    }

    (tmp_path / "own_package.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("own_package")
    monkeypatch.setattr(module, "offered", things[offered], raising=False)
    installed(monkeypatch, "own-package", "own_package:offered")
    assert open_population("own/b").seeds == ("b",)


def installed(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    entry = importlib.metadata.EntryPoint(name, value, "mevgs_toolkit.subjects")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry])


def test_broken_entry_point_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "broken", "no_such_module:x")
    with pytest.raises(ToolkitError, match=r"'broken'.*cannot be loaded: ModuleNotFoundError"):
        open_population("broken/a")
    assert open_population("random").name == "random"


def test_same_name_is_refused_inside_a_folder(tmp_path: Path) -> None:
    write_own(tmp_path / "one")
    write_own(tmp_path / "two")
    with pytest.raises(ToolkitError, match="Two populations are called 'own'"):
        list_populations(tmp_path)


def test_given_folder_stands_before_the_shipped_populations(tmp_path: Path) -> None:
    write_own(tmp_path / "own", name="random")
    folder = open_population("random", tmp_path).folder
    assert folder == tmp_path / "own"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("onw", ["population 'onw'", "own", "mevgs-toolkit list subjects"]),
        ("own/x", ["seed", "'x'", "a, b"]),
    ],
)
def test_unknown_names(name: str, parts: list[str], tmp_path: Path) -> None:
    write_own(tmp_path / "own")
    with pytest.raises(ToolkitError) as caught:
        open_population(name, tmp_path)
    assert all(part in str(caught.value) for part in parts)


def test_folder_without_populations(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="no population in this folder"):
        list_populations(tmp_path)
    with pytest.raises(ToolkitError, match="no such folder"):
        list_populations(tmp_path / "missing")


def test_population_in_the_cache_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ToolkitError, match="hf download lab/networks"):
        list_populations("lab/networks")
    stored = tmp_path / "models--lab--networks"
    (stored / "refs").mkdir(parents=True)
    (stored / "refs" / "main").write_text("0" * 40)
    write_own(stored / "snapshots" / ("0" * 40))
    assert open_population("own/b", "lab/networks").seeds == ("b",)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"seeds": []}, "seeds (line 6) cannot be used"),
        ({"seeds": ["a", "a"]}, "names, each once"),
        ({"seeds": "abc"}, "allowed: 1 to 10,000 names"),
        ({"languages": [1]}, "languages[0] (line 3) is of the wrong type"),
        ({"factory": "own_subject"}, "module:callable"),
        ({"name": "a/b"}, "name (line 1) cannot be used"),
        ({"description": "drop"}, "description is lacking"),
        ({"colour": "red"}, "colour (line 11) is not known"),
        ({"sha256": "0"}, "sha256"),
    ],
)
def test_malformed_description(changes: dict[str, object], part: str, tmp_path: Path) -> None:
    write_own(tmp_path, **changes)
    with pytest.raises(ToolkitError) as caught:
        list_populations(tmp_path)
    assert part in str(caught.value)


def test_all_faults_of_a_description_at_once(tmp_path: Path) -> None:
    write_own(tmp_path, seeds=[], factory="x", colour="red")
    with pytest.raises(ToolkitError) as caught:
        list_populations(tmp_path)
    assert all(part in str(caught.value) for part in ("seeds", "factory", "colour"))


def test_description_that_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "population.toml").write_text("name = ")
    with pytest.raises(ToolkitError, match="not valid TOML"):
        list_populations(tmp_path)


def test_factory_that_cannot_be_imported(tmp_path: Path) -> None:
    write_own(tmp_path, factory="no_such_module_here:make")
    with pytest.raises(ToolkitError, match="no_such_module_here"):
        open_population("own", tmp_path).load("a")
    write_own(tmp_path, factory="own_subject:missing")
    with pytest.raises(ToolkitError, match="missing"):
        open_population("own", tmp_path).load("a")


def test_network_population_loads_in_single_precision(tmp_path: Path) -> None:
    write_network(tmp_path / "tiny")
    subject = open_population("tiny", tmp_path).load("a")
    assert isinstance(subject, SharesBackbones)
    assert subject.embed_picture_features(np.ones((2, 7, 3, 3), np.float32)).dtype == np.float32
    assert {value.dtype for value in subject.network.parameters()} == {torch.float32}


def test_shapes_that_do_not_fit_are_named(tmp_path: Path) -> None:
    write_network(tmp_path / "tiny", word_dim=2)
    with pytest.raises(ToolkitError) as caught:
        _ = open_population("tiny", tmp_path).load("a").network
    assert "audio_enc.pool.proj_in.weight is (64, 5), the network needs (64, 2)" in str(
        caught.value
    )


def test_missing_and_damaged_weights(tmp_path: Path) -> None:
    folder = write_network(tmp_path / "tiny")
    weights = folder / "a.safetensors"
    weights.write_bytes(weights.read_bytes()[:99])
    with pytest.raises(ToolkitError, match="not a readable safetensors file"):
        open_population("tiny", tmp_path).load("a")
    weights.unlink()
    with pytest.raises(ToolkitError, match=r"lacks the file a\.safetensors"):
        open_population("tiny", tmp_path).load("a")


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    folder = write_network(tmp_path / "tiny")
    with (folder / "population.toml").open("a") as file:
        file.write(f'\n[sha256]\n"a.safetensors" = "{"0" * 64}"\n')
    population = open_population("tiny", tmp_path)
    with pytest.raises(ToolkitError, match="changed or damaged"):
        population.load("a")
    with pytest.raises(ToolkitError, match="changed or damaged"):
        population.checksum("a")


def test_another_backbone_is_refused(tmp_path: Path) -> None:
    write_network(tmp_path / "tiny")
    subject = open_population("tiny", tmp_path).load("a")
    (tmp_path / "hearing" / "model.safetensors").write_bytes(b"another")
    with pytest.raises(ToolkitError, match="not the one that the network was trained on"):
        subject.embed_words([np.zeros(5, np.float32)])


def test_broken_config(tmp_path: Path) -> None:
    folder = write_network(tmp_path / "tiny")
    for text, part in (("{", "is no JSON"), ("{}", "backbones is lacking")):
        (folder / "config.json").write_text(text)
        with pytest.raises(ToolkitError, match=part):
            open_population("tiny", tmp_path).load("a")


def test_checksum_follows_content(tmp_path: Path) -> None:
    folder = write_own(tmp_path)
    population = open_population("own", tmp_path)
    before = population.checksum("a")
    assert before == population.checksum("a") != population.checksum("b")
    (folder / "README.md").write_text("says nothing about the subject")
    assert before == population.checksum("a")
    (folder / "helper.py").write_text("SIZE = 5\n")
    assert before != population.checksum("a")


def test_adding_a_seed_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    before = open_population("own", write_own(tmp_path)).checksum("a")
    write_own(tmp_path, seeds=["a", "b", "c"])
    assert open_population("own", tmp_path).checksum("a") == before


@pytest.mark.skipif(not TRAINED, reason="no trained populations yet")
class TestShipped:
    def test_all_are_there(self) -> None:
        found = {population.name: population for population in list_populations()}
        assert set(found) >= NAMES
        assert all(found[name].seeds == tuple("abcdefghij") for name in NAMES)

    @pytest.mark.parametrize("name", sorted(NAMES))
    def test_files_are_those_described(self, name: str) -> None:
        population = open_population(name)
        assert len({population.checksum(seed) for seed in population.seeds}) == 10
        folder = population.folder
        assert folder is not None
        for file in ("README.md", "training_log.csv", "config.json"):
            assert (folder / file).is_file()

    def test_one_loads_and_embeds(self) -> None:
        subject = open_population("bilingual-en-nl/c").load("c")
        dim = subject.network.config.picture_dim
        assert np.isfinite(subject.embed_picture_features(np.ones((2, dim, 4, 4), "f"))).all()

    def test_equal_updates_for_one_language_and_two(self) -> None:
        configs = [json.loads((folder / "config.json").read_text()) for folder in TRAINED]
        trained = [config["training"] for config in configs if config["languages"]]
        assert len({(one["n_updates"], one["items"], one["negatives"]) for one in trained}) == 1
        assert all(
            config["training"]["n_updates"] == 0 for config in configs if not config["languages"]
        )

    def test_they_stand_on_the_shipped_backbones_and_stimuli(self) -> None:
        from stimuli import open_set

        for folder in TRAINED:
            config = json.loads((folder / "config.json").read_text())
            assert config["stimuli"]["checksum"] == open_set("mini").checksum
            for kind in ("hearing", "seeing"):
                recorded = config["backbones"][kind]
                assert recorded["folder"] == kind
                assert recorded["sha256"] == backbone_checksum(WEIGHTS / kind)

    def test_size(self) -> None:
        size = sum(path.stat().st_size for folder in TRAINED for path in folder.iterdir())
        assert size < 20e6


DRAWN = ("monolingual-en-draws", "bilingual-en-nl-draws")


class TestShippedDraws:
    def test_every_concept_is_familiar_equally_often_in_both(self) -> None:
        mono, bi = (open_population(name) for name in DRAWN)
        assert mono.familiar == bi.familiar
        assert mono.seeds == bi.seeds == tuple(f"{draw}a" for draw in mono.familiar)
        assert len(mono.familiar) == len(set(mono.familiar.values())) == 20
        times = Counter(name for own in mono.familiar.values() for name in own)
        assert set(times) == set(open_set("mini-draws").table["concept"])
        assert set(times.values()) == {7, 8}
        assert {len(own) for own in mono.familiar.values()} == {13}

    @pytest.mark.parametrize("name", DRAWN)
    def test_trained_as_the_others_on_the_set_as_it_is(self, name: str) -> None:
        folder = WEIGHTS / name
        config, usual = (
            json.loads((place / "config.json").read_text())
            for place in (folder, WEIGHTS / "monolingual-en")
        )
        mini_draws = open_set("mini-draws")
        assert config["stimuli"]["checksum"] == mini_draws.checksum
        assert open_population(name).stimuli == mini_draws.name == config["stimuli"]["name"]
        given = [one["training"] | {"features": ""} for one in (config, usual)]
        assert given[0] == given[1]
        assert config["backbones"] == usual["backbones"]
        told = open_population(name).familiar
        assert config["familiar"] == {draw: list(own) for draw, own in told.items()}
        assert all(open_population(name).checksum(seed) for seed in ("01a", "20a"))
        assert sum(path.stat().st_size for path in folder.iterdir()) < 6e6


@pytest.mark.parametrize(
    ("name", "before", "begins"),
    [
        ("bilingual-en-fr/a", "toolkit.subjects.vgs_subject", "376e33e634f270f5"),
        ("multilingual-clip/a", "toolkit.subjects.clip_drawings", "d5ed74b13116873a"),
    ],
)
def test_a_factory_that_moved_is_the_same_factory(name: str, before: str, begins: str) -> None:
    """Descriptions that users have still open, and runs made before are found again."""
    population = open_population(name)
    earlier = replace(population, factory=f"{before}:load_subject")
    assert population.factory != earlier.factory
    assert population.checksum("a") == earlier.checksum("a")
    assert population.checksum("a").startswith(begins)
    assert type(earlier.load("a")) is type(population.load("a"))


@pytest.mark.parametrize(
    ("given", "seeds"),
    [
        ("my/own", ("a", "b")),
        ("my/own/", ("a", "b")),
        ("./my/own/b", ("b",)),
        ("{absolute}/my/own/a", ("a",)),
        ("my/own/frozen", ("frozen",)),
    ],
)
def test_the_path_of_a_population_is_as_good_as_its_name(
    given: str, seeds: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (write_own(tmp_path / "my" / "own") / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert open_population(given.format(absolute=tmp_path)).seeds == seeds


def test_a_population_stands_before_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_own(tmp_path / "random")
    monkeypatch.chdir(tmp_path)
    assert open_population("random").folder == WEIGHTS / "random"
    assert open_population("./random").name == "own"


def test_a_folder_of_several_populations_is_told_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        write_own(tmp_path / "my" / name, name=name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ToolkitError, match="holds 2 populations, and none is named") as caught:
        open_population("my")
    assert caught.value.allowed == "my/one, my/two"
    assert open_population("my/two/b").name == "two"


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("bilingual-nl-en", "bilingual-en-nl"),
        ("bilingual_nl_fr", "bilingual-fr-nl"),
        ("en-monolingual", "monolingual-en"),
        ("BILINGUAL-EN-NL", "bilingual-en-nl"),
        ("Bilingual-Fr-En/c", "bilingual-en-fr/c"),
        ("nl-en-bilingual/frozen", "bilingual-en-nl/frozen"),
        ("bilingual-en-nl/C", "c"),
        ("bilingual-en-nl/Frozen", "frozen"),
        ("Transformers:openai/clip", "transformers:openai/clip"),
        ("open_clip:RN50/openai", "openclip:RN50/openai"),
        ("xyz", None),
    ],
)
def test_names_in_another_order_or_case_are_told_the_right_one(
    given: str, nearest: str | None
) -> None:
    with pytest.raises(ToolkitError) as caught:
        open_population(given)
    assert caught.value.nearest == nearest


@pytest.mark.parametrize("name", ["perfect/frozen", "random/frozen"])
def test_frozen_features_are_offered_only_where_there_are_backbones(name: str) -> None:
    with pytest.raises(ToolkitError, match="does not stand on frozen backbones"):
        open_population(name)
    with pytest.raises(ToolkitError, match="no seed of population") as caught:
        open_population(name.replace("frozen", "z"))
    assert "frozen" not in (caught.value.allowed or "")


def test_two_populations_of_one_name_are_not_asked_together(tmp_path: Path) -> None:
    own = write_own(tmp_path / "own", name="random")
    with pytest.raises(ToolkitError, match="Two populations are called 'random'"):
        open_populations(["random/a", str(own)])
    same = [str(own / "a"), f"{own}/../own/b", open_population(str(own))]
    assert [one.seeds for one in open_populations(same)] == [("a",), ("b",), ("a", "b")]
    with pytest.raises(ToolkitError, match="No population was named"):
        open_populations([])


def test_names_of_seeds_are_no_patterns(tmp_path: Path) -> None:
    folder = write_own(tmp_path / "own", seeds=["**", "[a]", "?"])
    (folder / "[a].txt").write_text("its own")
    population = open_population("own", tmp_path)
    assert folder / "[a].txt" in population.files("[a]")
    assert folder / "[a].txt" not in population.files("?")
    assert len({population.checksum(seed) for seed in population.seeds}) == 3


@pytest.mark.parametrize("name", ["../x.json", "a/b.json", "/etc/passwd", "..", "a\\b.json"])
def test_a_description_speaks_of_files_of_its_own_folder(name: str, tmp_path: Path) -> None:
    write_own(tmp_path / "own", sha256={name: "0" * 64})
    with pytest.raises(
        ToolkitError,
        match=r"a key of sha256 cannot be used.*\n.*\n.*names of files in the folder itself",
    ):
        open_population("own", tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("picture_dim", 0.5), ("picture_dim", [256]), ("word_dim", 0), ("width", 10**9),
        ("width", True), ("picture_width", "64"), ("embedding", None), ("dropout", "0.1"),
        ("dropout", 1), ("position_dropout", -0.1), ("pooling", {}), ("temperature", 3),
    ],
)  # fmt: skip
def test_networks_that_cannot_be_are_refused(key: str, value: object) -> None:
    sizes = {"word_dim": 192, "picture_dim": 256}
    with pytest.raises(ToolkitError, match=f"A network cannot be made: {key} is "):
        NetworkConfig(**sizes | {key: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["[]", "3", "null", "{", '{"network": [], "backbones": {}}',
     '{"network": {}, "backbones": {"hearing": {"folder": 3, "sha256": "0"}}}',
     '{"network": {}, "backbones": {"hearing": []}}', "[" * 10_000],
)  # fmt: skip
def test_whatever_config_json_holds_is_told_by_its_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ToolkitError, match=r"config\.json cannot be read"):
        read_config(tmp_path / "config.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.bfloat16(),
        lambda value: value.to(torch.float8_e4m3fn),
        lambda value: value.to(torch.complex64),
        lambda value: torch.full_like(value, float("nan")),
    ],
)
def test_weights_that_numpy_cannot_hold_or_that_are_not_finite_are_refused(
    change: Callable[[torch.Tensor], torch.Tensor], tmp_path: Path
) -> None:
    folder = write_network(tmp_path / "tiny")
    state = load_file(folder / "a.safetensors")
    name = "audio_enc.pool.proj_in.bias"
    save_file({**state, name: change(state[name])}, folder / "a.safetensors")
    with pytest.raises(ToolkitError, match=r"a\.safetensors"):
        open_population("tiny", tmp_path).load("a")
