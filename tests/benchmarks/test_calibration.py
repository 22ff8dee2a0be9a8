"""False-positive rates and coverage of every reported test in the default design.

As a script it prints the rates: ``python tests/benchmarks/test_calibration.py SEEDS SIMULATIONS``.
A trial list of 20 words, 10 pictures each and 13 distractors, 50 trials per word, is put to one
monolingual and two bilingual populations in one language. Seeds, words, the effect of bilingual
training on a word, pictures and distractors vary; the populations do not differ. For the tests
over all languages (``... SEEDS SIMULATIONS all``), three monolingual and three bilingual
populations are tested in the one or two of three languages that they know.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from paradigms.formula import parse
from paradigms.mutual_exclusivity import MutualExclusivity
from toolkit.statistics.chance import test_chance as against_chance
from toolkit.statistics.groups import compare_groups

SDS = {"seed": 0.15, "word": 0.6, "slope": 0.25, "picture": 0.4, "distractor": 0.3}
"""Log odds; of the order found in the shipped populations."""
POPULATIONS = {"monolingual-en": "en", "bilingual-en-fr": "en+fr", "bilingual-en-nl": "en+nl"}
SIX = {
    **POPULATIONS,
    **{"monolingual-fr": "fr", "monolingual-nl": "nl", "bilingual-fr-nl": "fr+nl"},
}
FORMULA = parse(MutualExclusivity.formula)


def draw(
    n_seeds: int,
    rng: np.random.Generator,
    populations: dict[str, str] = POPULATIONS,
    tested: tuple[str, ...] = ("en",),
) -> pd.DataFrame:
    """Counts of populations that do not differ from each other, nor from chance."""
    words, distractors = np.repeat(np.arange(20), 50), np.tile(np.arange(50) % 13, 20)
    pictures = words * 10 + np.tile(np.arange(50) % 10, 20)
    items, slopes = {}, {}
    for language in tested:
        word, picture, distractor = (
            rng.normal(0, SDS[name], n) for name, n in (("word", 20), ("picture", 200),
                                                        ("distractor", 13))
        )  # fmt: skip
        items[language] = word[words] + picture[pictures] + distractor[distractors]
        slopes[language] = rng.normal(0, SDS["slope"], 20)[words]
    parts = []
    for population, languages in populations.items():
        known = languages.split("+")
        for seed in range(n_seeds):
            level = rng.normal(0, SDS["seed"])
            for language in (x for x in tested if x in known):
                eta = items[language] + (len(known) > 1) * slopes[language] + level
                correct = rng.random(len(eta)) < expit(eta)
                cell = words * 13 + distractors
                parts.append(
                    pd.DataFrame(
                        {
                            "word_concept": [f"w{n}" for n in np.arange(260) // 13],
                            "distractor_concept": [f"d{n}" for n in np.arange(260) % 13],
                            "n_trials": np.bincount(cell, minlength=260),
                            "n_correct": np.bincount(cell, correct, minlength=260).astype(int),
                            "seed": f"{population}/{seed}",
                            "population": population,
                            "train_languages": languages,
                            "n_languages": len(known),
                            "test_language": language,
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True).assign(condition="novel-familiar", n_choices=2)


def rates(n_seeds: int, n_simulations: int, seed: int = 0) -> dict[str, float]:
    """Share of simulations in which each test rejects, and each interval covers the truth."""
    rng, found = np.random.default_rng([seed, n_seeds]), defaultdict(list)
    for _ in range(n_simulations):
        counts = draw(n_seeds, rng)
        mono = counts[counts["population"] == "monolingual-en"]
        chance = against_chance(mono, FORMULA)
        found["chance: corrected t"].append(chance.p_value < 0.05)
        found["chance: Wald z"].append(chance.p_wald < 0.05)
        found["chance: t over seeds (same items)"].append(chance.p_seeds < 0.05)
        found["chance: coverage of the interval"].append(chance.ci_low <= 0.5 <= chance.ci_high)
        group = compare_groups(counts, 0.05)
        for name, model in (("pooled", group.overall), ("pair", group.by_population[0])):
            effect, ratio = model.contrast, model.ratio
            fit = model.fit
            wald = abs(fit["bilingual"].statistic)
            found[f"{name}: corrected t"].append(effect.p_value < 0.05)
            found[f"{name}: Wald z"].append(math.erfc(wald / math.sqrt(2)) < 0.05)
            if ratio is not None:
                found[f"{name}: likelihood ratio"].append(ratio.p_value < 0.05)
            found[f"{name}: Welch over seeds (same items)"].append(model.seeds.p_value < 0.05)
            found[f"{name}: coverage, log odds"].append(effect.ci_low <= 0 <= effect.ci_high)
            found[f"{name}: coverage, probability"].append(
                effect.probability_ci_low <= 0 <= effect.probability_ci_high
            )
    return {name: float(np.mean(values)) for name, values in found.items()}


def rates_over_languages(n_seeds: int, n_simulations: int, seed: int = 0) -> dict[str, float]:
    """The same for the tests over all languages."""
    rng, found = np.random.default_rng([seed, n_seeds, 3]), defaultdict(list)
    for _ in range(n_simulations):
        group = compare_groups(draw(n_seeds, rng, SIX, ("en", "fr", "nl")), 0.05)
        effect, ratio, seeds = group.overall.contrast, group.overall.ratio, group.overall.seeds
        found["all languages: corrected t"].append(effect.p_value < 0.05)
        found["all languages: likelihood ratio"].append(ratio.p_value < 0.05)
        found["all languages: Welch over seeds (same items)"].append(seeds.p_value < 0.05)
        found["all languages: coverage, log odds"].append(effect.ci_low <= 0 <= effect.ci_high)
        found["all languages: coverage, probability"].append(
            effect.probability_ci_low <= 0 <= effect.probability_ci_high
        )
        found["interaction: likelihood ratio"].append(group.interaction.p_value < 0.05)
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("n_seeds", [5, 10])
def test_reported_tests_keep_their_level(n_seeds: int) -> None:
    n = 200
    band = 3.3 * math.sqrt(0.05 * 0.95 / n)
    found = rates(n_seeds, n)
    for name in ("chance: corrected t", "pooled: corrected t", "pair: corrected t"):
        assert found[name] < 0.05 + band, found
    for name, share in found.items():
        if "coverage" in name:
            assert share > 0.95 - band, found
    # What the toolkit warns of: tests that ignore further items reject far too often.
    assert found["chance: t over seeds (same items)"] > 0.2


if __name__ == "__main__":
    simulate = rates_over_languages if "all" in sys.argv else rates
    for name, share in simulate(int(sys.argv[1]), int(sys.argv[2])).items():
        sys.stdout.write(f"{name:44} {share:.3f}\n")
