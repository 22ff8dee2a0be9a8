"""Published models are described by their names and settings, without weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.toolkit.subjects.clip_models import open_clip_settings, put_in_cache
from toolkit.cli import main

Describe = Callable[[str], tuple[int, dict[str, str], str]]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def describe(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Describe:
    """Exit code, what is told by what it is about, and the error, of `describe NAME`."""

    def call(name: str) -> tuple[int, dict[str, str], str]:
        monkeypatch.setattr(sys, "argv", ["mevgs-toolkit", "describe", name])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        told = dict(line.split(": ", 1) for line in out.splitlines())
        return int(exit_.value.code or 0), told, err

    return call


def write_transformers(folder: Path, **config: object) -> Path:
    """A model with weights that nobody could read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "clip", **config}))
    for name in ("preprocessor_config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_text("{")
    return folder


def write_open(folder: Path, **vision: object) -> Path:
    """The same in the layout of open_clip."""
    (folder / "text").mkdir(parents=True)
    for name in ("text/config.json", "tokenizer.json", "open_clip_model.safetensors"):
        (folder / name).write_text("{")
    settings = {"model_cfg": open_clip_settings(**vision)}
    (folder / "open_clip_config.json").write_text(json.dumps(settings))
    return folder


def test_a_folder_of_transformers(describe: Describe, tmp_path: Path) -> None:
    folder = write_transformers(tmp_path / "model", vision_config={})
    code, told, _ = describe(f"transformers:{folder}/pretrained")
    assert (code, told[f"transformers:{folder}"]) == (0, "A published model.")
    assert (told["Seeds"], told["Paradigms"]) == ("pretrained", "dense-grounding")
    assert told["Library"].startswith("transformers ")
    assert (told["Looked for in"], told["On this machine"]) == (str(folder), f"yes, {folder}")
    (folder / "tokenizer.json").unlink()
    assert "lacks the tokenizer" in describe(f"transformers:{folder}")[1]["On this machine"]
    write_transformers(folder)
    assert "no patch tokens" in describe(f"transformers:{folder}")[1]["Paradigms"]
    (folder / "config.json").write_text("{")
    code, told, err = describe(f"transformers:{folder}")
    assert (code, told, "config.json cannot be read" in err) == (2, {}, True)


def test_a_name_on_the_hub(describe: Describe, hub: Path) -> None:
    code, told, _ = describe("transformers:lab/clip")
    assert (code, told["On this machine"]) == (0, "no, and nothing is downloaded unasked")
    assert (told["Try"], "Did you mean" in told) == ("hf download lab/clip", False)
    assert str(hub) in told["Looked for in"]
    folder = write_transformers(put_in_cache(hub, "lab/clip"), vision_config={})
    assert describe("transformers:lab/clip")[1]["On this machine"] == f"yes, {folder}"
    assert describe("transformers:lab/clp")[1]["Did you mean"] == "transformers:lab/clip"
    assert "Try" not in describe("transformers:./lab/clp")[1]


@pytest.mark.parametrize(
    ("vision", "sees"),
    [
        ({}, True),
        ({"layers": [1, 1, 1, 1], "width": 8}, False),
        ({"layers": 2, "attentional_pool": True}, False),
        ({"timm_model_name": "vit_tiny_patch16_224"}, True),
        ({"timm_model_name": "resnet18"}, False),
        ({"timm_model_name": "nobody_knows"}, True),
    ],
)
def test_a_folder_of_open_clip(
    vision: dict[str, object], sees: bool, describe: Describe, tmp_path: Path
) -> None:
    folder = write_open(tmp_path / "model", **vision)
    code, told, _ = describe(f"openclip:{folder}")
    assert (code, told["On this machine"]) == (0, f"yes, {folder}")
    assert (told["Paradigms"] == "dense-grounding") is sees
    assert "text/config.json" in told["Needs"]


def test_a_folder_of_open_clip_that_lacks_something(describe: Describe, tmp_path: Path) -> None:
    folder = write_open(tmp_path / "model")
    (folder / "text" / "config.json").unlink()
    told = describe(f"openclip:{folder}")[1]
    assert "text tower 'text'" in told["On this machine"]
    assert told["Try"] == "hf download text config.json"
    (folder / "open_clip_model.safetensors").unlink()
    assert "lacks its weights" in describe(f"openclip:{folder}")[1]["On this machine"]
    (folder / "open_clip_config.json").write_text('{"model_cfg": {}}')
    assert "lack model_cfg or text_cfg" in describe(f"openclip:{folder}")[2]
    (folder / "open_clip_config.json").write_text("[]")
    assert "allowed: an object" in describe(f"openclip:{folder}")[2]


def test_a_model_that_open_clip_knows(describe: Describe, hub: Path) -> None:
    name = "openclip:xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k"
    weights, text = "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k", "xlm-roberta-base"
    code, told, _ = describe(name)
    assert (code, told["Paradigms"]) == (0, "dense-grounding")
    assert told["On this machine"].startswith("no")
    assert told["Try"].startswith(f"hf download {weights} && hf download {text}")
    assert weights in told["Needs"]
    assert "no patch tokens" in describe("openclip:RN50/openai")[1]["Paradigms"]
    (put_in_cache(hub, text) / "config.json").write_text("{")
    assert describe(name)[1]["Try"] == f"hf download {weights}"
    folder = put_in_cache(hub, weights)
    (folder / "open_clip_model.safetensors").write_text("no weights")
    assert describe(name)[1]["On this machine"] == f"yes, {folder}"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("openclip:RN5O/openai", "RN50"),
        ("openclip:RN50/openia", "openai"),
        ("openclp:RN50/openai", "openclip:RN50/openai"),
        ("transfomers:NAME", "transformers:NAME"),
    ],
)
def test_nearest_name(name: str, near: str, describe: Describe) -> None:
    code, told, err = describe(name)
    assert (code, told) == (2, {})
    assert f"did you mean: {near}" in err


def test_without_open_clip(
    describe: Describe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    folder = write_open(tmp_path / "model")
    assert describe(f"openclip:{folder}")[0] == 0
    code, _, err = describe("openclip:RN50/openai")
    assert (code, "pip install 'mevgs-toolkit[clip]'" in err) == (2, True)
