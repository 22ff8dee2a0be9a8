"""A network family is one class: what it does is asked of it, and nowhere else written down."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.toolkit.training.training_bank import RECIPE, make_bank
from toolkit.errors import ToolkitError
from toolkit.subjects.vgs.checkpoints import parse_config_name, read_checkpoint
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.families import FAMILIES, MattNet, family_with, listed
from toolkit.subjects.vgs.family import Chosen
from toolkit.subjects.vgs.subject import BackboneRef, StoredNetwork, VGSSubject
from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training.fit import fit
from toolkit.training.grid import make_grid
from toolkit.training.recipe import Recipe

NOWHERE = BackboneRef("hearing", Path("nowhere"), "0")
SCORE = """
import sys
import numpy as np
from toolkit.subjects.vgs.families import FAMILIES, family_of
from toolkit.subjects.vgs.config import NetworkConfig
import toolkit.subjects.vgs.subject
ones = np.ones((2, 3), np.float32)
state = {"logit_scale": np.float32(1)} | {
    f"bn_{kind}.running_{what}": np.ones(3, np.float16)
    for kind in ("audio", "image") for what in ("mean", "var")
}
for name in FAMILIES:
    assert family_of(NetworkConfig(5, 7, family=name)).score(state, ones, ones).shape == (2, 2)
print("torch" in sys.modules)
"""


class Weighted(MattNet):
    """A family from outside: the dot product after one learnt weight per dimension."""

    name = "weighted"
    needs_negatives = False
    links = True
    smooths_labels = False
    parameters = ("weight", "bias")

    def score(
        self,
        state: Mapping[str, NDArray[Any]],
        words: NDArray[np.float32],
        pictures: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        return (words * state["weight"]) @ pictures.T + state["bias"]

    def parts(self) -> dict[str, Any]:
        return {
            "weight": torch.nn.Parameter(torch.full((self.config.embedding,), 0.1)),
            "bias": torch.nn.Parameter(torch.tensor(0.5)),
        }

    def similarity(
        self, network: VGSNetwork, words: torch.Tensor, pictures: torch.Tensor
    ) -> torch.Tensor:
        weight, bias = (network.get_parameter(name) for name in ("weight", "bias"))
        return (words * weight) @ pictures.transpose(-1, -2) + bias

    def _loss(
        self,
        network: VGSNetwork,
        words: torch.Tensor,
        pictures: torch.Tensor,
        second_words: torch.Tensor | None,
        label_smoothing: float,
    ) -> torch.Tensor:
        assert second_words is not None
        assert words.shape[1] == 1, "no negatives are drawn for a family that needs none"
        return (self.similarity(network, words, pictures) - 1).square().mean()


@pytest.fixture
def weighted(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(FAMILIES, Weighted.name, Weighted)  # type: ignore[arg-type]
    return Weighted.name


def test_a_family_is_made_known_in_one_place(weighted: str, tmp_path: Path) -> None:
    """Trained, scored, told by its parameters, listed: all of it follows from the class."""
    recipe = Recipe(**vars(RECIPE) | {"family": weighted, "label_smoothing": 0.0})
    trained = fit(make_bank(), ["en", "nl"], recipe, 3)
    assert trained.log[-1].valid_loss < trained.log[0].valid_loss
    assert torch.all(trained.state["weight"] != 0.1)
    config = NetworkConfig(5, 7, family=weighted)
    network = VGSNetwork(config).eval()
    network.load(trained.state, "the training")
    words, pictures = (
        torch.randn(n, 64, generator=torch.Generator().manual_seed(n)) for n in (3, 5)
    )
    with torch.no_grad():
        expected = network.similarity(words, pictures).numpy()
    subject = VGSSubject(StoredNetwork.of(network), NOWHERE, NOWHERE)
    scores = subject.similarity(words.numpy(), pictures.numpy())
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)
    torch.save(trained.state, tmp_path / "weighted.pt")
    read = read_checkpoint(tmp_path / "weighted.pt", -1.0)
    assert read.config == NetworkConfig(5, 7, family=weighted)
    assert read.scale is None
    assert weighted in listed()
    (one,) = make_grid(
        [["en"]], "a", values={"family": weighted, "label_smoothing": 0.0}
    ).conditions
    assert one.recipe.links
    with pytest.raises(ToolkitError, match="smoothed labels"):
        make_grid([["en", "nl"]], "a", values={"family": weighted})


@pytest.mark.parametrize("name", ["klip", "CLIP", "mattnets", "", None, 3, ["clip"]])
def test_unknown_families_are_refused_alike(name: Any) -> None:
    said = set()
    for refuse in (lambda: NetworkConfig(5, 7, family=name), lambda: Recipe(family=name)):
        with pytest.raises(ToolkitError) as caught:
            refuse()
        said.add(str(caught.value).partition(": ")[2])
    (text,) = said
    assert text.startswith("family is ")
    assert "allowed: clip, clip-two-audios, mattnet, barlip" in text


def test_scoring_stored_embeddings_imports_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", SCORE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_told_by_its_parameters(family: str) -> None:
    state = VGSNetwork(NetworkConfig(5, 7, embedding=3, family=family)).state_dict()
    # Language links leave no trace in the weights.
    told = "clip" if FAMILIES[family].links else family
    assert family_with(state).name == told
    assert set(FAMILIES[family].parameters) <= set(state)


@pytest.mark.parametrize("family", [name for name, one in FAMILIES.items() if one.published_kind])
def test_names_of_published_configurations_tell_the_family(family: str) -> None:
    kind = FAMILIES[family].published_kind
    read = parse_config_name(f"{kind}-c-md-en-nl")
    assert read is not None
    assert (read.family, read.population) == (family, f"{kind}-md-en-nl")


@pytest.mark.parametrize(
    "family", [name for name, one in FAMILIES.items() if not one.smooths_labels]
)
def test_smoothed_labels_are_refused_by_the_objective_too(family: str) -> None:
    network = VGSNetwork(NetworkConfig(5, 7, embedding=3, family=family))
    three = [torch.ones(2, 2, 3)] * (3 if FAMILIES[family].links else 2)
    with pytest.raises(ToolkitError, match="smoothed labels"):
        network.objective(*three, label_smoothing=0.1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_objective_is_the_same_where_items_share_embeddings(
    family: str, smoothing: float
) -> None:
    network = VGSNetwork(NetworkConfig(5, 7, embedding=6, family=family)).train()
    draw = torch.Generator().manual_seed(0)
    lists = [
        Chosen(
            torch.randn(n, 6, generator=draw, requires_grad=True),
            torch.randint(n, (9, 4), generator=draw),
        )
        for n in ((8, 5, 7) if network.family.links else (8, 5))
    ]
    share = smoothing if network.family.smooths_labels else 0.0
    expected = network.objective(*(one.placed() for one in lists), label_smoothing=share)
    found = network.family.objective_of(network, *lists, label_smoothing=share)
    torch.testing.assert_close(found, expected)
    leaves = [one.embeddings for one in lists]
    for one, other in zip(
        torch.autograd.grad(found, leaves), torch.autograd.grad(expected, leaves), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
