"""Planned power of a trend against that of experiments that are drawn and analysed.

As a script it makes ``trend_power.csv``:
``python -m tests.benchmarks.test_trend_power EXPERIMENTS KEPT``; the file KEPT holds what was made,
so that the same again does only what is missing.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from paradigms import Graded
from paradigms.formula import check_declared
from toolkit.statistics.choices.trends import trend_tests
from toolkit.statistics.power.trend import TrendModel, trend_power

FORMULA = check_declared(
    "correct ~ level + (1 + level | seed) + (1 + level | word_concept)", "a trend", graded=True
)
DESIGNS = {
    "10 seeds, 11 words": (10, TrendModel((0, 1, 2, 3), 0.9, 0.75, 0.3, 0.15, 0.6, 0.25, 11, 40)),
}
"""Seeds, and what experiments are drawn from."""
WITHIN = 3.0
"""Points that planned and simulated power may lie apart, beside the error of the simulation."""
RESULTS = Path(__file__).with_name("trend_power.csv")
"""Per cent, and of how many experiments."""


def found(model: TrendModel, n_seeds: int, rng: np.random.Generator) -> bool:
    """Whether the trend is significant in one experiment."""
    names = np.array([f"level {level:g}" for level in model.levels])
    levels = np.array(model.levels) - model.levels[0]
    (seeds, seed_slopes), (words, word_slopes) = (
        (rng.normal(0, sd, n), rng.normal(0, slope_sd, n))
        for n, sd, slope_sd in (
            (n_seeds, model.seed_sd, model.seed_slope_sd),
            (model.n_words, model.word_sd, model.slope_sd),
        )
    )
    base = math.log(model.base_accuracy / (1 - model.base_accuracy))
    start = base + seeds[:, None, None] + words[None, :, None]
    slope = model.slope + seed_slopes[:, None, None] + word_slopes[None, :, None]
    correct = rng.binomial(model.trials_per_word, expit(start + slope * levels))
    seed, word, level = (index.ravel() for index in np.indices(correct.shape))
    counts = pd.DataFrame(
        {
            "population": "p", "test_language": "en", "familiar_draw": "",
            "seed": [f"p/{number}" for number in seed], "word_concept": word,
            "condition": names[level], "n_choices": 2, "n_trials": model.trials_per_word,
            "n_correct": correct.ravel(), "n_ties": 0,
        }
    )  # fmt: skip
    factor = Graded("level", dict(zip(names.tolist(), model.levels, strict=True)), "?", "unit")
    (test,) = trend_tests(counts, [factor], FORMULA, 0.05)
    return test.contrast is not None and test.contrast.p_value < 0.05


@pytest.mark.benchmark
def test_power_is_as_planned() -> None:
    n_seeds, model = DESIGNS["10 seeds, 11 words"]
    hits = [found(model, n_seeds, np.random.default_rng([9, number])) for number in range(60)]
    # 60 experiments tell 80 % from 60 %; the script counts more.
    assert float(np.mean(hits)) == pytest.approx(trend_power(model, n_seeds), abs=0.18)


def markdown(table: pd.DataFrame) -> str:
    """The table of docs/battery.md."""
    lines = ["| design | planned power | found | experiments |", "| --- " * 4 + "|"]
    lines += [
        f"| {row.design} | {row.planned_percent:.1f} % | {row.simulated_percent:.1f} % "
        f"| {row.experiments} |"
        for row in table.itertuples()
    ]
    return "\n".join(lines)


def test_what_was_counted_is_as_promised() -> None:
    table = pd.read_csv(RESULTS)
    page = RESULTS.parents[2] / "docs" / "battery.md"
    assert markdown(table) in page.read_text(encoding="utf-8")
    table = table.set_index("design")
    assert table.index.tolist() == [*DESIGNS]
    assert (table["experiments"] >= 300).all()
    for name, (n_seeds, model) in DESIGNS.items():
        planned, counted = 100 * trend_power(model, n_seeds), table.loc[name]
        assert counted["planned_percent"] == pytest.approx(planned, abs=0.05)
        share = counted["simulated_percent"] / 100
        error = 100 * math.sqrt(share * (1 - share) / counted["experiments"])
        assert abs(counted["simulated_percent"] - planned) < WITHIN + error


def counted(n_experiments: int, kept: Path) -> pd.DataFrame:
    """The table; experiments that are not kept are made, and kept one by one."""
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    known = {(one["design"], one["number"]): one["found"] for one in map(json.loads, lines)}
    rows = []
    for place, (name, (n_seeds, model)) in enumerate(DESIGNS.items()):
        for number in range(n_experiments):
            if (name, number) not in known:
                hit = found(model, n_seeds, np.random.default_rng([place, number]))
                known[name, number] = hit
                with kept.open("a", encoding="utf-8") as file:
                    one = {"design": name, "number": number, "found": bool(hit)}
                    file.write(json.dumps(one) + "\n")
        hits = [known[name, number] for number in range(n_experiments)]
        rows.append(
            {
                "design": name,
                "planned_percent": round(100 * trend_power(model, n_seeds), 1),
                "simulated_percent": round(100 * float(np.mean(hits)), 1),
                "experiments": n_experiments,
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    counted(int(sys.argv[1]), Path(sys.argv[2])).to_csv(RESULTS, index=False)
