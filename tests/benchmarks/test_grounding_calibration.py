"""How often a difference between groups of languages is found where there is none.

In 400 tables of 10 pictures, 7 concepts and 9 + 3 languages without a difference between the
groups (level .05): mixed model 3.5 %, permutation of languages 5.8 %, Welch over languages 7.2 %,
Wilcoxon over pairs of picture and concept 46.2 %.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.grounding_runs import LANGUAGES, simulated
from toolkit.statistics.grounding_data import NAMES, PRIMARY, Grounded, Language
from toolkit.statistics.grounding_models import resource_tests

pytestmark = pytest.mark.benchmark
N_TABLES = 400


def test_false_alarms_of_the_model_and_of_the_published_test() -> None:
    rng = np.random.default_rng(0)
    known = {code: Language(*about) for code, about in LANGUAGES.items()}
    columns = ["population", "seed", "condition", *NAMES, PRIMARY]
    found = {"mixed model": 0, "Welch": 0, "permutation": 0, "Wilcoxon over pairs": 0}
    for _ in range(N_TABLES):
        table = simulated(rng, gap=0, n_pictures=10, n_concepts=7)[columns].rename(columns=NAMES)
        texts = table.columns.drop(PRIMARY)
        table = table.astype(dict.fromkeys(texts, "category"))
        (test,) = resource_tests(Grounded(table, "en", known, 1), table)
        assert test.languages is not None
        assert test.pairs is not None
        found["mixed model"] += test.p_value < 0.05
        found["Welch"] += test.languages.welch_p < 0.05
        found["permutation"] += test.languages.permutation_p < 0.05
        found["Wilcoxon over pairs"] += test.pairs.p_value < 0.05
    shares = {name: n / N_TABLES for name, n in found.items()}
    said = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    # Two standard errors of 5 % in so many tables are 2.2 points.
    assert 0.01 <= shares["mixed model"] <= 0.072, said
    assert shares["Wilcoxon over pairs"] > 0.35, said
