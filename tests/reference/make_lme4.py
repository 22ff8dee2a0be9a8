"""Writes counts.csv, the simulated data that make_lme4.R fits: python make_lme4.py."""

from pathlib import Path

import numpy as np
import pandas as pd

rng = np.random.default_rng(20260101)
seeds = [f"{group}{number}" for group in ("m", "b") for number in range(7)]
words, distractors = [f"w{n:02}" for n in range(11)], [f"d{n}" for n in range(5)]
seed_effect = dict(zip(seeds, rng.normal(0, 0.3, len(seeds)), strict=True))
word_effect = dict(zip(words, rng.normal(0, 0.7, len(words)), strict=True))
word_slope = dict(zip(words, rng.normal(0, 0.4, len(words)), strict=True))
distractor_effect = dict(zip(distractors, rng.normal(0, 0.4, len(distractors)), strict=True))
rows = []
for seed in seeds:
    for word in words:
        for distractor in distractors:
            bilingual = int(seed.startswith("b"))
            eta = 0.4 - 0.3 * bilingual + seed_effect[seed] + word_effect[word]
            eta += word_slope[word] * bilingual + distractor_effect[distractor]
            n = int(rng.integers(2, 6))
            k = int(rng.binomial(n, 1 / (1 + np.exp(-eta))))
            y = eta + rng.normal(0, 0.5)
            rows.append([seed, bilingual, word, distractor, k, n - k, round(y, 6)])
columns = ["seed", "bilingual", "word", "distractor", "n_correct", "n_wrong", "y"]
pd.DataFrame(rows, columns=columns).to_csv(Path(__file__).parent / "counts.csv", index=False)
