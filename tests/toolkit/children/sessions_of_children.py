"""Sessions of children who are asked trials of a real paradigm, as an exported page writes them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from paradigms.choices.paradigm import as_choices
from paradigms.choices.trials import Trials
from paradigms.registry import get_paradigm
from stimuli import open_set
from toolkit.children.columns import LIST_COLUMNS, SESSION_COLUMNS, data_file_name
from toolkit.running.choices import trial_rng

LANGUAGE, TRIAL_SEED, N_LISTS, N_TEST, N_PRACTICE = "en", 0, 4, 8, 3
CONDITIONS = ("novel-familiar", "familiar-novel")
PER_CLASS = 4


@cache
def trials_of(name: str) -> Trials:
    """The trial list of a paradigm, as runs of models ask it."""
    paradigm, stimuli = as_choices(get_paradigm(name)), open_set("mini")
    rng = trial_rng(paradigm, stimuli, LANGUAGE, TRIAL_SEED)
    return paradigm.trials(stimuli, LANGUAGE, rng, per_class=PER_CLASS, languages=[LANGUAGE])


def _row(name: str, trial: int, part: str, number: int) -> dict[str, str]:
    trials = trials_of(name)
    left, right = (trials.option_ids[one] for one in trials.options[trial])
    sides = {0: (left, right, "left"), 1: (right, left, "right")}
    target, distractor, side = sides[int(trials.target_position[trial])]
    word = trials.word_ids[trials.word[trial]]
    return {
        "list": str(number), "part": part, "paradigm": name,
        "paradigm_version": str(get_paradigm(name).version),
        "condition": trials.conditions[trials.condition[trial]], "trial": str(trial),
        "word_id": word, "word_concept": trials.concept_of[word], "left_id": left,
        "right_id": right, "target_id": target, "distractor_id": distractor, "target_side": side,
    }  # fmt: skip


@cache
def lists() -> tuple[dict[str, str], ...]:
    """All lists: practice of familiar words, then trials of mutual exclusivity and its control."""
    rows = []
    me = trials_of("me")
    for number in range(N_LISTS):
        rng = np.random.default_rng(number)
        rows += [_row("familiar", 3 * number + place, "practice", number)
                 for place in range(N_PRACTICE)]  # fmt: skip
        for condition in CONDITIONS:
            own = np.flatnonzero(me.condition == me.conditions.index(condition))
            chosen = rng.choice(own, N_TEST // len(CONDITIONS), replace=False)
            rows += [_row("me", int(trial), "test", number) for trial in chosen]
    return tuple(rows)


def csv_of(rows: Sequence[dict[str, str]], names: Sequence[str], separator: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, delimiter=separator, lineterminator="\r\n",
                            extrasaction="ignore")  # fmt: skip
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def lists_csv() -> str:
    return csv_of(lists(), [column.name for column in LIST_COLUMNS])


def design(**changes: Any) -> dict[str, Any]:
    """What design.json says."""
    stimuli = open_set("mini")
    return {
        "schema": 1, "toolkit_version": "0.1.0", "paradigm": "me",
        "paradigm_version": get_paradigm("me").version,
        "stimuli": {"name": stimuli.name, "version": stimuli.version, "checksum": stimuli.checksum},
        "test_language": LANGUAGE, "trial_seed": TRIAL_SEED,
        "lists_checksum": hashlib.sha256(lists_csv().encode()).hexdigest(), "n_lists": N_LISTS,
        "n_test": N_TEST, "n_practice": N_PRACTICE, "language": "en",
    } | changes  # fmt: skip


def write_experiment(folder: Path, **changes: Any) -> Path:
    """The files of an exported experiment that answers are held against."""
    folder.mkdir(parents=True)
    (folder / "design.json").write_text(json.dumps(design(**changes)), encoding="utf-8")
    (folder / "lists.csv").write_bytes(lists_csv().encode())
    (folder / "README.md").write_text("Read me.", encoding="utf-8")
    return folder


@dataclass
class Child:
    """A child, who answers at random, with a leaning."""

    number: int
    age_months: str = ""
    right: float = 0.75
    practice_right: float = 1.0
    exposure: str = "en:100"
    go: int = 0
    """Which session of this child it is."""
    changes: dict[str, Any] = field(default_factory=dict)
    """What its design has of its own."""

    @property
    def participant_id(self) -> str:
        return f"kid{self.number:02d}"

    @property
    def session_id(self) -> str:
        return hashlib.sha256(f"{self.number}/{self.go}".encode()).hexdigest()[:10]

    def rows(self) -> list[dict[str, str]]:
        rng = np.random.default_rng([self.number, self.go])
        told = design(**self.changes)
        stimuli = told["stimuli"]
        same = {
            "participant_id": self.participant_id, "session_id": self.session_id,
            "started_at": f"2026-03-{1 + self.number % 28:02d}T10:{self.go:02d}:00.000Z",
            "stimuli": stimuli["name"], "stimuli_version": stimuli["version"],
            "stimuli_checksum": stimuli["checksum"], "lists_checksum": told["lists_checksum"],
            "test_language": told["test_language"], "trial_seed": str(told["trial_seed"]),
            "age_months": self.age_months or f"{24 + self.number % 24}.5",
            "exposure": self.exposure, "browser": "Chromium 140",
            "screen_width_px": "1280", "screen_height_px": "800", "toolkit_version": "0.1.0",
            "schema": "1",
        }  # fmt: skip
        own = [row for row in lists() if row["list"] == str(self.number % N_LISTS)]
        practice = [row for row in own if row["part"] == "practice"]
        test = [row for row in own if row["part"] == "test"]
        made = []
        for order, row in enumerate([*practice, *(test[i] for i in rng.permutation(len(test)))]):
            likely = self.practice_right if row["part"] == "practice" else self.right
            correct = rng.random() < likely
            made.append(
                row | same | {
                    "trial_order": str(order), "correct": str(int(correct)),
                    "chosen_id": row["target_id" if correct else "distractor_id"],
                    "response_time_s": f"{0.4 + rng.gamma(2, 0.5):.3f}",
                    "device": ("touch", "keyboard", "mouse")[self.number % 3],
                }
            )  # fmt: skip
            for name in ("paradigm_version",):
                if name in self.changes and row["part"] == "test":
                    made[-1][name] = str(self.changes[name])
        return made

    def csv(self, separator: str = ",") -> str:
        return csv_of(self.rows(), [column.name for column in SESSION_COLUMNS], separator)

    def json(self) -> str:
        return json.dumps({"design": design(**self.changes), "trials": self.rows()})

    def name(self, ending: str = "csv") -> str:
        return data_file_name("me", self.participant_id, self.session_id, ending)

    def write(self, folder: Path, ending: str = "csv") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.name(ending)
        path.write_text(self.csv() if ending == "csv" else self.json(), encoding="utf-8")
        return path


def write_children(folder: Path, n: int = 24) -> list[Child]:
    """Files of so many children, every third one as JSON."""
    children = [Child(number) for number in range(n)]
    for child in children:
        child.write(folder, "json" if child.number % 3 == 0 else "csv")
    return children
