"""Backbones by name: where they are looked for, and what is said when they are nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.finding import (
    KNOWN,
    BackboneRef,
    NamedBackbone,
    backbone_folder,
    find_backbone,
)
from toolkit.subjects.backbones.standing import backbone_ref
from toolkit.subjects.population import WEIGHTS


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine that the tests run on is looked at."""
    import huggingface_hub.constants

    monkeypatch.setenv("MEVGS_BACKBONES", str(tmp_path / "fetched"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)


def write(folder: Path, name: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / name).write_bytes(b"weights")
    return folder


@pytest.mark.parametrize("name", KNOWN)
def test_what_to_fetch_and_where_to_put_it(name: str, tmp_path: Path) -> None:
    known = KNOWN[name]
    with pytest.raises(ToolkitError) as caught:
        find_backbone(known.kind, name)
    said = str(caught.value)
    target = str(tmp_path / "fetched" / name)
    assert all(part in said for part in (name, known.files, target, "nothing is downloaded"))
    assert caught.value.next_command == known.fetch.format(folder=target)


def test_hub_name_and_other_name_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="hf download facebook/hubert-base-ls960") as caught:
        find_backbone("hearing", "facebook/hubert-base-ls960")
    assert str(tmp_path / "fetched" / "facebook" / "hubert-base-ls960") in str(caught.value)
    with pytest.raises(ToolkitError, match="put its files into"):
        find_backbone("seeing", "my-eye")
    with pytest.raises(ToolkitError, match="no name"):
        find_backbone("seeing", "")


def test_places_in_their_order(tmp_path: Path) -> None:
    fetched = write(tmp_path / "fetched" / "wavlm-base-plus", "pytorch_model.bin")
    assert find_backbone("hearing", "wavlm-base-plus") == fetched
    beside = write(tmp_path / "populations" / "wavlm-base-plus")
    assert find_backbone("hearing", "wavlm-base-plus", tmp_path / "populations") == beside
    assert find_backbone("hearing", "hearing") == WEIGHTS / "hearing"
    assert find_backbone("hearing", beside, Path("elsewhere")) == beside
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ToolkitError, match="is missing"):
        find_backbone("hearing", empty)


def test_weights_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "dino_resnet50_pretrain.pth"
    path.write_bytes(b"weights")
    assert find_backbone("seeing", path) == path
    before = backbone_checksum(path)
    path.write_bytes(b"others")
    assert before != backbone_checksum(path)


def test_cache_of_the_hub(tmp_path: Path) -> None:
    commit = "0" * 40
    stored = tmp_path / "hub" / "models--microsoft--wavlm-base-plus"
    (stored / "refs").mkdir(parents=True)
    (stored / "refs" / "main").write_text(commit)
    folder = write(stored / "snapshots" / commit, "pytorch_model.bin")
    assert find_backbone("hearing", "wavlm-base-plus") == folder
    assert find_backbone("hearing", "microsoft/wavlm-base-plus") == folder


def test_checksum_covers_settings_and_weights_only(tmp_path: Path) -> None:
    folder = write(tmp_path / "eye", "pytorch_model.bin")
    sums = [backbone_checksum(folder)]
    (folder / "README.md").write_text("says nothing")
    (folder / "vocab.json").write_text("{}")
    assert backbone_checksum(folder) == sums[0]
    (folder / "preprocessor_config.json").write_text("{}")
    sums.append(backbone_checksum(folder))
    (folder / "pytorch_model.bin").write_bytes(b"others")
    sums.append(backbone_checksum(folder))
    assert len(set(sums)) == 3


def test_backbone_of_a_population(tmp_path: Path) -> None:
    folder = write(tmp_path / "populations" / "ear")
    population = tmp_path / "populations" / "bilingual"
    recorded = NamedBackbone("ear", backbone_checksum(folder))
    ref = backbone_ref("hearing", recorded, population)
    assert ref == BackboneRef("hearing", folder, recorded.sha256)
    for untold in ("", "taken over: ear"):
        assert backbone_ref("hearing", replace(recorded, sha256=untold), population) == ref
    (folder / "model.safetensors").write_bytes(b"others")
    with pytest.raises(ToolkitError, match="not the one that the network was trained on"):
        ref.load()


def test_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEVGS_BACKBONES")
    assert backbone_folder() == Path.home() / ".cache" / "mevgs-toolkit" / "backbones"
