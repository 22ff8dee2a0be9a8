"""CLIP models of transformers and open_clip as subjects: small ones through the same code."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from stimuli.files import sha256_of
from tests.toolkit.subjects.clip_models import (
    TEXTS,
    open_clip_settings,
    pictures,
    put_in_cache,
    write_clip,
    write_open_clip,
    write_open_tokenizer,
    write_population,
    write_siglip,
    write_text_tower,
)
from toolkit.errors import ToolkitError
from toolkit.subjects.clip.subject import DenseCLIP
from toolkit.subjects.contract import ReadsText, SeesPlaces
from toolkit.subjects.populations import open_population

KINDS: dict[str, tuple[str, Callable[[Path], Path], tuple[int, int]]] = {
    "clip": ("transformers:", write_clip, (4, 10)),
    "siglip": ("transformers:", write_siglip, (3, 16)),
    "open_clip": ("openclip:", write_open_clip, (4, 10)),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("models")
    return {kind: write(base / kind) for kind, (_, write, _) in KINDS.items()}


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def load(name: str) -> DenseCLIP:
    subject = open_population(name).load("pretrained")
    assert isinstance(subject, DenseCLIP)
    return subject


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
def test_reads_and_sees_alone_as_in_company(kind: str, folders: dict[str, Path]) -> None:
    prefix, _, (side, width) = KINDS[kind]
    subject = load(f"{prefix}{folders[kind]}")
    assert isinstance(subject, ReadsText)
    assert isinstance(subject, SeesPlaces)
    shown, said = pictures(19), TEXTS * 15
    places, texts = subject.embed_patches(shown), subject.embed_text(said)
    assert (places.shape, places.dtype) == ((19, side, side, width), np.float32)
    assert (texts.shape, texts.dtype) == ((75, width), np.float32)
    np.testing.assert_allclose(np.linalg.norm(places, axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=-1), 1, atol=1e-6)
    for number in (0, 16, 18):
        np.testing.assert_allclose(
            subject.embed_patches([shown[number]])[0], places[number], atol=1e-5
        )
    for number in (1, 64, 74):
        np.testing.assert_allclose(subject.embed_text([said[number]])[0], texts[number], atol=1e-5)
    assert np.abs(texts[0] - texts[1]).max() > 1e-3
    assert np.abs(places[0, 0, 0] - places[0, 0, 1]).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_counts_pieces_without_special_tokens(kind: str, folders: dict[str, Path]) -> None:
    subject = load(f"{KINDS[kind][0]}{folders[kind]}")
    # "▁a ▁c ar", "▁auto", "▁ 汽 车", "▁a", "▁de ▁auto ▁a ▁c ar"
    assert subject.count_tokens(TEXTS) == [3, 1, 3, 1, 5]


def test_settings_that_cut_off_the_border_of_a_picture(tmp_path: Path) -> None:
    """A picture is enlarged to 48 pixels and cut to 32: the model is shown all of it."""
    from transformers import CLIPImageProcessor

    whole, cut = write_clip(tmp_path / "whole"), write_clip(tmp_path / "cut")
    CLIPImageProcessor(
        size={"shortest_edge": 48}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(cut)
    seen = [load(f"transformers:{folder}").embed_patches(pictures(2)) for folder in (whole, cut)]
    np.testing.assert_array_equal(*seen)
    processor = CLIPImageProcessor.from_pretrained(whole)
    own = processor(images=_images(2), return_tensors="pt")["pixel_values"]
    subject = load(f"transformers:{whole}")
    np.testing.assert_array_equal(subject.towers.prepare(_images(2)), own)


def test_patches_of_clip_are_what_its_pooled_token_is(folders: dict[str, Path]) -> None:
    """The same two steps make the model's own picture embedding of its class token."""
    from transformers import CLIPModel

    subject = load(f"transformers:{folders['clip']}")
    model = CLIPModel.from_pretrained(folders["clip"]).eval()
    pixels = subject.towers.prepare(_images(3))
    with torch.inference_mode():
        tokens = model.vision_model(pixel_values=pixels).last_hidden_state
        projected = model.visual_projection(model.vision_model.post_layernorm(tokens))
        whole = model.get_image_features(pixel_values=pixels)
    whole = getattr(whole, "pooler_output", whole)
    np.testing.assert_allclose(projected[:, 0], whole, atol=1e-5)
    expected = unit(projected[:, 1:].numpy()).reshape(3, 4, 4, -1)
    np.testing.assert_allclose(subject.embed_patches(pictures(3)), expected, atol=1e-5)


def test_patches_of_open_clip_are_what_its_pooled_token_is(folders: dict[str, Path]) -> None:
    subject = load(f"openclip:{folders['open_clip']}")
    model: Any = subject.towers.model  # type: ignore[attr-defined]
    pixels = subject.towers.prepare(_images(3))
    with torch.inference_mode():
        seen = model.visual.forward_intermediates(
            pixels, indices=1, normalize_intermediates=True, output_extra_tokens=True
        )
        tokens = seen["image_intermediates"][0].permute(0, 2, 3, 1) @ model.visual.proj
        whole = seen["image_intermediates_prefix"][0][:, 0] @ model.visual.proj
    np.testing.assert_allclose(whole, seen["image_features"], atol=1e-5)
    np.testing.assert_allclose(subject.embed_patches(pictures(3)), unit(tokens.numpy()), atol=1e-5)


def _images(n: int) -> list[Any]:
    from PIL import Image

    return [Image.fromarray(picture) for picture in pictures(n)]


def test_a_siglip_of_one_patch_sees_there_what_it_sees(tmp_path: Path) -> None:
    from transformers import SiglipModel

    folder = write_siglip(tmp_path / "one", image_size=8)
    subject = load(f"transformers:{folder}")
    with torch.inference_mode():
        whole = SiglipModel.from_pretrained(folder).get_image_features(
            pixel_values=subject.towers.prepare(_images(3))
        )
    whole = getattr(whole, "pooler_output", whole)
    np.testing.assert_allclose(
        subject.embed_patches(pictures(3))[:, 0, 0], unit(whole.numpy()), atol=1e-5
    )


@pytest.mark.parametrize("pooling", ["avg", "map", "token"])
def test_a_tower_of_timm_with_one_patch(pooling: str, tmp_path: Path) -> None:
    import timm

    folder = write_open_clip(
        tmp_path / "timm", image_size=16, timm_model_name="test_vit", timm_proj="linear",
        timm_pool="token" if pooling == "token" else "avg",
    )  # fmt: skip
    subject = load(f"openclip:{folder}")
    model: Any = subject.towers.model  # type: ignore[attr-defined]
    if pooling == "map":  # open_clip can only give it to towers that were made with it
        trunk = timm.create_model("test_vit", img_size=16, class_token=False, global_pool="map")
        trunk.reset_classifier(0)
        model.visual.trunk = trunk.eval()
    places = subject.embed_patches(pictures(3))
    assert places.shape == (3, 1, 1, 10)
    with torch.inference_mode():
        whole = unit(model.encode_image(subject.towers.prepare(_images(3))).numpy())
    # The class token is another one than the patch; all else is the same.
    assert np.allclose(places[:, 0, 0], whole, atol=1e-5) == (pooling != "token")


def test_texts_of_open_clip_are_its_own(folders: dict[str, Path]) -> None:
    import open_clip

    folder = folders["open_clip"]
    subject = load(f"openclip:{folder}")
    model: Any = subject.towers.model  # type: ignore[attr-defined]
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(TEXTS)
    assert tokens.shape == (5, 16)
    assert model.visual.preprocess_cfg["mean"] == [0.5] * 3
    with torch.inference_mode():
        expected = model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(subject.embed_text(TEXTS), expected, atol=1e-6)
    stored = load_file(folder / "open_clip_model.safetensors")
    assert torch.equal(stored["visual.proj"], model.visual.proj)
    assert any("text.transformer.encoder" in name for name in stored)


def test_population_with_several_seeds(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = write_population(tmp_path / "small", folders["clip"])
    population = open_population("small-clip", folder)
    places = {seed: population.load(seed).embed_patches(pictures(2)) for seed in "ab"}  # type: ignore[attr-defined]
    pretrained = load(f"transformers:{folders['clip']}").embed_patches(pictures(2))
    np.testing.assert_allclose(places["a"], pretrained, atol=0.02)
    assert np.abs(places["a"] - places["b"]).max() > 0.05
    assert population.checksum("a") != population.checksum("b")
    assert population.checksum("b") == open_population("small-clip/b", folder).checksum("b")
    (folder / "b.safetensors").write_bytes(b"damaged")
    with pytest.raises(ToolkitError, match="cannot lie in 7 bytes"):
        population.load("b").embed_text(["a"])  # type: ignore[attr-defined]
    (folder / "b.safetensors").unlink()
    with pytest.raises(ToolkitError, match="lacks the weights"):
        population.load("b")


def test_recorded_tokenizer_that_was_changed(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = write_population(tmp_path / "small", folders["clip"])
    with (folder / "population.toml").open("a") as file:
        file.write(f'[sha256]\n"tokenizer.json" = "{sha256_of(folder / "tokenizer.json")}"\n')
    population = open_population("small-clip", folder)
    assert population.load("a")
    with (folder / "tokenizer.json").open("a") as file:
        file.write(" ")
    for refuse in (population.load, population.checksum):
        with pytest.raises(ToolkitError, match=r"tokenizer\.json of population 'small-clip'"):
            refuse("a")


def test_checksum_covers_weights_and_tokenizer(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "model")
    sums = {open_population(f"transformers:{folder}").checksum("pretrained")}
    for name in ("tokenizer.json", "preprocessor_config.json", "model.safetensors"):
        with (folder / name).open("ab") as file:
            file.write(b" ")
        sums.add(open_population(f"transformers:{folder}/pretrained").checksum("pretrained"))
    (folder / "README.md").write_text("says nothing")
    sums.add(open_population(f"transformers:{folder}").checksum("pretrained"))
    assert len(sums) == 4


def test_models_by_name_from_the_cache_of_the_hub(
    folders: dict[str, Path], hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model and tag that open_clip knows: built from its own settings and the Hub's files."""
    import open_clip
    from transformers import PreTrainedTokenizerFast

    settings = open_clip_settings()
    settings["text_cfg"] |= {"hf_model_name": "xlm-small", "hf_tokenizer_name": "xlm-small"}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "xlm-small-ViT", settings)
    tag = {"hf_hub": "lab/clip-xlm-small/", "mean": (0.5,) * 3, "std": (0.5,) * 3}
    tag |= {"interpolation": "bicubic", "resize_mode": "shortest"}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "xlm-small-ViT", {"made": tag})
    name = "openclip:xlm-small-ViT/made"

    with pytest.raises(ToolkitError, match="not on this machine") as caught:
        open_population(name)
    assert "hf download lab/clip-xlm-small && hf download xlm-small" in str(caught.value)
    assert str(hub) in str(caught.value)

    weights = put_in_cache(hub, "lab/clip-xlm-small") / "open_clip_pytorch_model.bin"
    torch.save(load_file(folders["open_clip"] / "open_clip_model.safetensors"), weights)
    with pytest.raises(ToolkitError, match="hf download xlm-small") as caught:
        open_population(name)
    assert "clip-xlm-small" not in str(caught.value.next_command)

    tower = put_in_cache(hub, "FacebookAI/xlm-small")
    write_text_tower(tower)
    write_open_tokenizer(tower, PreTrainedTokenizerFast)
    assert open_population(name).checksum("pretrained")
    named, own = load(f"{name}/pretrained"), load(f"openclip:{folders['open_clip']}")
    np.testing.assert_allclose(named.embed_text(TEXTS), own.embed_text(TEXTS), atol=1e-6)
    np.testing.assert_allclose(
        named.embed_patches(pictures(2)), own.embed_patches(pictures(2)), atol=1e-6
    )

    with pytest.raises(ToolkitError) as caught:
        open_population("openclip:xlm-small-Vit/made")
    assert caught.value.nearest == "xlm-small-ViT"
    with pytest.raises(ToolkitError, match="no tag of open_clip model xlm-small-ViT 'mde'"):
        open_population("openclip:xlm-small-ViT/mde")


def test_names_of_the_study_say_what_to_fetch() -> None:
    for model, tag, laion, text in (
        (
            "xlm-roberta-base-ViT-B-32", "laion5b_s13b_b90k",
            "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k", "xlm-roberta-base",
        ),
        (
            "xlm-roberta-large-ViT-H-14", "frozen_laion5b_s13b_b90k",
            "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k", "xlm-roberta-large",
        ),
    ):  # fmt: skip
        with pytest.raises(ToolkitError) as caught:
            open_population(f"openclip:{model}/{tag}")
        assert f"hf download {laion} && hf download {text} " in str(caught.value.next_command)
    with pytest.raises(ToolkitError, match="hf download openai/clip-vit-base-patch32"):
        open_population("transformers:openai/clip-vit-base-patch32")


def test_transformers_name_in_the_cache(folders: dict[str, Path], hub: Path) -> None:
    folder = put_in_cache(hub, "lab/clip")
    for path in folders["clip"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert load("transformers:lab/clip").count_tokens(["a car"]) == [3]


def test_models_without_patch_tokens(tmp_path: Path) -> None:
    resnet = write_open_clip(
        tmp_path / "resnet", image_size=32, layers=[1, 1, 1, 1], width=8, head_width=8
    )
    with pytest.raises(ToolkitError, match="ModifiedResNet has no patch tokens"):
        load(f"openclip:{resnet}").embed_text(["a"])
    from transformers import XLMRobertaConfig, XLMRobertaModel

    folder = write_clip(tmp_path / "reader")
    XLMRobertaModel(
        XLMRobertaConfig(
            vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=8,
        )
    ).save_pretrained(folder)  # fmt: skip
    with pytest.raises(ToolkitError, match="'xlm-roberta' has no patch tokens"):
        load(f"transformers:{folder}").embed_text(["a"])


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize("prefix", ["transformers:", "openclip:"])
def test_a_folder_that_is_not_there(prefix: str, folders: dict[str, Path]) -> None:
    beside = folders["clip"].parent
    with pytest.raises(ToolkitError, match=f"no folder {beside / 'clipp'}") as caught:
        open_population(f"{prefix}{beside / 'clipp'}")
    assert caught.value.nearest == str(beside / "clip")


def test_missing_and_unfit_files(tmp_path: Path, folders: dict[str, Path]) -> None:
    with pytest.raises(ToolkitError, match=r"lacks config\.json"):
        open_population(f"transformers:{tmp_path}")
    with pytest.raises(ToolkitError, match=r"lacks open_clip_config\.json"):
        open_population(f"openclip:{folders['clip']}")
    folder = write_clip(tmp_path / "parts")
    state = load_file(folder / "model.safetensors")
    save_file(
        {name: value for name, value in state.items() if "visual_projection" not in name},
        folder / "model.safetensors", metadata={"format": "pt"},
    )  # fmt: skip
    with pytest.raises(ToolkitError, match="visual_projection"):
        load(f"transformers:{folder}").embed_text(["a"])
    shorten(folder / "model.safetensors")
    with pytest.raises(ToolkitError, match="transformers cannot read the model"):
        load(f"transformers:{folder}").embed_text(["a"])
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ToolkitError, match="lacks the tokenizer"):
        load(f"transformers:{folder}")
    (folder / "config.json").write_text('{"model_type": "clipp"}')
    with pytest.raises(ToolkitError, match="lacks the tokenizer"):
        load(f"transformers:{folder}")

    own = write_open_clip(tmp_path / "open")
    shorten(shutil.copytree(own, tmp_path / "short") / "open_clip_model.safetensors")
    with pytest.raises(ToolkitError, match="open_clip cannot read the model"):
        load(f"openclip:{tmp_path / 'short'}").embed_text(["a"])
    (own / "text" / "config.json").unlink()
    with pytest.raises(ToolkitError, match="text tower 'text'") as caught:
        load(f"openclip:{own}").embed_text(["a"])
    assert caught.value.next_command == "hf download text config.json"
    (own / "open_clip_model.safetensors").unlink()
    written = json.loads((own / "open_clip_config.json").read_text())
    written["model_cfg"]["text_cfg"] = {"context_length": 16, "width": 8, "layers": 1}
    (own / "open_clip_config.json").write_text(json.dumps(written))
    with pytest.raises(ToolkitError, match="open_clip cannot read the model"):
        load(f"openclip:{own}").embed_text(["a"])


def test_nothing_to_embed(folders: dict[str, Path]) -> None:
    subject = load(f"transformers:{folders['clip']}")
    with pytest.raises(ToolkitError, match="no text"):
        subject.embed_text([])
    with pytest.raises(ToolkitError, match="no picture"):
        subject.embed_patches([])


def test_open_clip_that_is_not_installed(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    population = open_population(f"openclip:{folders['open_clip']}")
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ToolkitError, match=r"pip install 'mevgs-toolkit\[clip\]'"):
        population.load("pretrained")
    with pytest.raises(ToolkitError, match=r"pip install 'mevgs-toolkit\[clip\]'"):
        open_population("openclip:RN50/openai")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config.json", {"vision_config": ""}),
        ("config.json", {"projection_dim": {}}),
        ("preprocessor_config.json", {"image_mean": ["a", "b", "c"]}),
        ("preprocessor_config.json", {"crop_size": {"height": 32, "width": [1]}}),
        ("tokenizer.json", {"model": [1.5]}),
    ],
)
def test_whatever_settings_make_the_library_raise_is_a_fault_of_the_files(
    name: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    folder = write_clip(tmp_path / "clip")
    told = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(told | changes))

    def ask() -> None:
        asked = open_population(f"transformers:{folder}")
        subject = asked.load(asked.seeds[0])
        subject.embed_text(["auto"])
        subject.embed_patches(pictures(1, 32))

    with pytest.raises(ToolkitError, match=r"cannot be used|cannot read the model"):
        ask()


def test_settings_of_a_network_larger_than_its_weights_are_refused(tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "clip")
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | {"projection_dim": 2**24}))
    asked = open_population(f"transformers:{folder}")
    with pytest.raises(ToolkitError, match="which cannot lie in"):
        asked.load(asked.seeds[0]).embed_text(["auto"])
