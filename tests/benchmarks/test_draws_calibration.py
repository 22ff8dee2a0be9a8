"""False alarms and coverage where every draw of familiar words is one participant.

As a script it makes ``draws_calibration.csv``:
``python -m tests.benchmarks.test_draws_calibration EXPERIMENTS [DESIGN ...]``.

Both populations learn the same draws, as the included ones do. Words differ as novel words,
familiar classes as distractors, draws as wholes, draws under either training, a word in one draw
from the same word in another, and seeds within draws. False alarms are counted in experiments in
which nothing differs over draws, coverage in others. Beside them stands what is wrong: networks
that all learnt one list of words, with seeds as participants, held against chance over lists.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from tests.benchmarks.test_calibration import EFFECT, FORMULA, LEVEL, covers, rejects, summed
from toolkit.processes.workers import mapping
from toolkit.statistics.choices.chance import test_chance as against_chance
from toolkit.statistics.choices.groups import _compared, _model
from toolkit.statistics.choices.participants import counts_by_draw
from toolkit.training.draws import Draws

RESULTS = Path(__file__).with_name("draws_calibration.csv")
"""Per cent, and of how many experiments."""


@dataclass(frozen=True)
class Design:
    """Who learns and is asked what; standard deviations in log odds."""

    draws: int
    """Draws of familiar concepts."""
    seeds: int = 1
    """Seeds of each draw and population."""
    concepts: int = 33
    """All that can be familiar."""
    familiar: int = 13
    """Of each draw."""
    trials: int = 50
    """Trials per word and network."""
    draw_sd: float = 0.15
    """Between draws."""
    training_sd: float = 0.1
    """Between draws under one training and the same under the other."""
    seed_sd: float = 0.1
    """Between seeds within draws."""
    word_sd: float = 0.3
    """Between words as novel words."""
    slope_sd: float = 0.15
    """Between words in the effect of training."""
    distractor_sd: float = 0.15
    """Between familiar classes as distractors."""
    again_sd: float = 0.3
    """Between a word in one draw and the same in another."""


DESIGNS = {
    "20 draws": Design(20),
    "20 draws, SD .5": Design(20, draw_sd=0.5, training_sd=0.2),
    "5 draws": Design(5),
    "8 draws x 3 seeds": Design(8, seeds=3, seed_sd=0.3),
    "6 draws of 6 of 12 concepts": Design(6, concepts=12, familiar=6, trials=12),
    "3 draws": Design(3),
}
"""The first is that of the included populations, with variation as it is found in them."""


def answers(design: Design, rng: np.random.Generator, differs: bool) -> pd.DataFrame:
    """Counts of a monolingual and a bilingual population, network by network."""
    names = [f"c{n:02}" for n in range(design.concepts)]
    drawn = Draws(design.draws, design.familiar, int(rng.integers(2**31))).of(names)
    place = {name: number for number, name in enumerate(names)}
    word, slope, distractor = (
        rng.normal(0, sd, design.concepts)
        for sd in (design.word_sd, design.slope_sd, design.distractor_sd)
    )
    parts = []
    for draw, familiar in drawn.items():
        novel = np.array([place[name] for name in names if name not in familiar])
        known = np.array([place[name] for name in familiar])
        said = np.repeat(novel, design.trials)
        beside = known[np.arange(len(said)) % len(known)]
        of_draw = rng.normal(0, design.draw_sd)
        for bilingual, population in enumerate(("monolingual-en", "bilingual-en-nl")):
            level = (LEVEL + bilingual * EFFECT) * differs + of_draw
            level += rng.normal(0, design.training_sd)
            again = rng.normal(0, design.again_sd, design.concepts)
            items = word[said] + bilingual * slope[said] + distractor[beside] + again[said]
            for seed in range(design.seeds):
                log_odds = level + items + rng.normal(0, design.seed_sd)
                parts.append(
                    pd.DataFrame(
                        {
                            "word_concept": said,
                            "distractor_concept": beside,
                            "n_correct": (rng.random(len(said)) < expit(log_odds)).astype(int),
                            "familiar_draw": draw,
                            "seed": f"{population}/{draw}{seed}",
                            "population": population,
                            "train_languages": "en+nl" if bilingual else "en",
                            "n_languages": 1 + bilingual,
                        }
                    )
                )
    return summed(pd.concat(parts, ignore_index=True)).assign(condition="novel-familiar")


def mono(counts: pd.DataFrame) -> pd.DataFrame:
    """The answers of the monolingual population."""
    return counts[counts["population"] == "monolingual-en"]


def one_list(design: Design) -> Design:
    """As many networks as there are draws, which all learn the same words."""
    return replace(design, draws=1, seeds=design.draws * design.seeds)


def experiment(design: Design, seed: tuple[int, ...]) -> dict[str, float]:
    """The tests that give verdicts where nothing differs, and intervals where something does."""
    rng, found = np.random.default_rng(seed), {}
    counts = counts_by_draw(answers(design, rng, differs=False))
    chance = against_chance(mono(counts), FORMULA)
    assert (chance.unit, chance.n_seeds) == ("draw", design.draws)
    found["chance: t"] = rejects(chance.p_value)
    found["chance: t of draw means"] = rejects(chance.p_seeds)
    contrast = _model("", _compared(counts), 0.05)
    found["contrast: Welch of draw means"] = rejects(contrast.seeds.p_value)
    if contrast.contrast is not None:
        found["contrast: t"] = rejects(contrast.contrast.p_value)
    alike = answers(one_list(design), rng, differs=False).assign(familiar_draw="")
    found["one list: t over seeds"] = rejects(against_chance(mono(alike), FORMULA).p_value)
    counts = counts_by_draw(answers(design, rng, differs=True))
    chance = against_chance(mono(counts), FORMULA)
    found["interval: share"] = covers(chance.ci_low, chance.ci_high, expit(LEVEL))
    effect = _model("", _compared(counts), 0.05).contrast
    if effect is not None:
        found["interval: odds ratio"] = covers(effect.ci_low, effect.ci_high, EFFECT)
    return found


def rates(name: str, n_experiments: int, jobs: int = 1) -> dict[str, float]:
    """Shares of experiments in which each test rejects, and each interval covers the truth.

    Args:
        name: of the design.
        n_experiments: how many.
        jobs: processes.
    """
    seeds = [(11, list(DESIGNS).index(name), number) for number in range(n_experiments)]
    with mapping(jobs, at_once=25) as mapped:
        found = pd.DataFrame(mapped(partial(experiment, DESIGNS[name]), seeds))
    return {str(what): float(share) for what, share in found.mean().items() if share == share}


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["5 draws", "6 draws of 6 of 12 concepts"])
def test_tests_over_draws_keep_their_level(name: str) -> None:
    n = 60
    band = 3.3 * math.sqrt(0.05 * 0.95 / n)
    found = rates(name, n)
    assert found["chance: t"] < 0.05 + band, found
    assert found["contrast: t"] < 0.05 + band, found
    assert found["interval: share"] > 0.95 - band, found
    assert found["interval: odds ratio"] > 0.95 - band, found


def test_seeds_of_a_draw_are_one_participant() -> None:
    design = DESIGNS["8 draws x 3 seeds"]
    networks = answers(design, np.random.default_rng(0), differs=False)
    counts = counts_by_draw(networks)
    assert networks["seed"].nunique() == 2 * 8 * 3
    assert sorted(mono(counts)["seed"].unique())[0] == "monolingual-en/01"
    assert counts["seed"].nunique() == 2 * 8
    assert counts["n_trials"].sum() == networks["n_trials"].sum()
    test = against_chance(mono(counts), FORMULA)
    assert (test.unit, test.n_seeds) == ("draw", 8)
    assert against_chance(mono(networks.assign(familiar_draw="")), FORMULA).n_seeds == 24


if __name__ == "__main__":
    table = pd.read_csv(RESULTS) if RESULTS.is_file() else pd.DataFrame(columns=["design"])
    for design in sys.argv[2:] or list(DESIGNS):
        print(design, flush=True)  # noqa: T201 - a script
        shares = rates(design, int(sys.argv[1]), jobs=2)
        for what, share in sorted(shares.items()):
            print(f"    {what:32} {100 * share:5.1f}", flush=True)  # noqa: T201
        made = {"percent": [round(100 * share, 1) for share in shares.values()]}
        own = pd.DataFrame({"design": design, "test": list(shares)} | made)
        own = own.assign(n_experiments=int(sys.argv[1]))
        table = pd.concat([table[table["design"] != design], own], ignore_index=True)
        table.to_csv(RESULTS, index=False)
