"""Model cards as the Hub reads them: headers that hold whatever a population is called."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest
import yaml

from toolkit.subjects.model_cards import average, model_card
from toolkit.subjects.population import WEIGHTS

TASKS = {"zero-shot-image-classification", "zero-shot-object-detection"}
CARDS = sorted(path.parent.name for path in WEIGHTS.glob("*/population.toml"))


def header(card: str) -> Any:
    """The YAML between the marks, as a strict reader takes it."""
    start, text, body = card.split("---\n", 2)
    assert not start
    assert body.startswith("\n#")
    return yaml.safe_load(text)


def test_languages_are_codes_whatever_yaml_or_people_make_of_them() -> None:
    languages = ["no", "en", "zh-CN", "zh-TW", "EN_us", "y", "klingon", "on: off"]
    told = header(model_card("# p\n", name="p", languages=languages, tags=["a: b", "yes"]))
    assert told == {
        "license": "apache-2.0",
        "library_name": "mevgs-toolkit",
        "language": ["no", "en", "zh"],
        "tags": ["a: b", "yes"],
    }


@pytest.mark.parametrize("name", ["p: q", "- p", "é 'x' \"y\"", "null", "a\n---\nb"])
def test_results_stand_under_any_name(name: str) -> None:
    one = average([0.5, 1.0], name="of two", task="zero-shot-image-classification",
                  stimuli=name, split="valid", language="no")  # fmt: skip
    card = model_card("# p\n\ntext\n", name=name, languages=[], tags=["t"], results=[one])
    told = yaml.safe_load(card[4:].partition("\n---\n\n# p")[0])
    assert "language" not in told
    (model,) = told["model-index"]
    assert model["name"] == name
    (result,) = model["results"]
    assert result["dataset"]["name"] == name
    assert " " not in result["dataset"]["type"]
    assert (result["dataset"]["split"], result["dataset"]["config"]) == ("valid", "no")
    assert result["metrics"] == [
        {"type": "accuracy", "value": 0.75, "name": "of two, mean over seeds"}
    ]
    assert card.endswith("# p\n\ntext\n")


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a card asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert model_card("# p", name="p", languages=["en"], tags=[]).endswith("# p")


def test_the_hub_is_imported_when_a_card_is_written() -> None:
    code = "import sys, toolkit.subjects.model_cards; print('huggingface_hub' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


@pytest.mark.parametrize(
    "name", [name for name in CARDS if (WEIGHTS / name / "README.md").exists()]
)
def test_included_cards_have_headers_that_the_hub_takes(name: str) -> None:
    told = header((WEIGHTS / name / "README.md").read_text(encoding="utf-8"))
    assert told["license"] == "apache-2.0"
    assert told["library_name"] == "mevgs-toolkit"
    assert all(isinstance(one, str) for one in [*told["tags"], *told.get("language", [])])
    assert ("language" in told) == ("model-index" in told) == (name != "untrained")
    for model in told.get("model-index", []):
        assert model["name"] == name
        for result in model["results"]:
            assert result["task"]["type"] in TASKS
            assert all(0 < metric["value"] < 1 for metric in result["metrics"])
