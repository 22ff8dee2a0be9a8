"""One exported page for all tests of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from paradigms.registry import get_paradigm
from stimuli import open_set
from toolkit.children.exporting.experiment import Choices
from toolkit.children.exporting.folder import Exported, export_experiment
from toolkit.children.lists import Asked

SMALL = Asked("en", n_test=2, n_practice=1, trial_seed=3)
QUICK = Choices(silence_s=0.05, limit_s=60, practice_needed=1)
Export = Callable[..., Exported]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Exports me, two test trials a child, into a new folder."""

    def make(
        form: str = "jspsych",
        asked: Asked = SMALL,
        choices: Choices = QUICK,
        out: Path | None = None,
        name: str = "me",
    ) -> Exported:
        folder = out or tmp_path_factory.mktemp("export") / "me"
        return export_experiment(get_paradigm(name), open_set("mini"), folder, form, asked, choices)

    return make
