"""How often a difference between groups of languages is found where there is none.

In 400 tables of 10 pictures, 7 concepts and 9 + 3 languages without a difference between the
groups (level .05): mixed model 3.5 %, permutation of languages 5.8 %, Welch over languages 7.2 %,
Wilcoxon over pairs of picture and concept 46.2 %.

In 200 pairs of encoders without a difference (10 pictures, 7 concepts, 12 languages; what varies,
varies in each encoder on its own): 7.0 % with one network each, 5.5 % with three. With languages
alone as the sample: 46.5 % and 42.5 %.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.grounding_runs import LANGUAGES, Asked, simulated
from toolkit.statistics.maps.data import NAMES, Grounded, Language
from toolkit.statistics.maps.models import resource_tests
from toolkit.statistics.maps.scale import scale_deltas

pytestmark = pytest.mark.benchmark
PRIMARY = Asked.primary().name
N_TABLES = 400
N_PAIRS = 200


def test_false_alarms_of_the_model_and_of_the_published_test() -> None:
    rng = np.random.default_rng(0)
    known = {code: Language(*about) for code, about in LANGUAGES.items()}
    columns = ["population", "seed", "condition", *NAMES, PRIMARY]
    found = {"mixed model": 0, "Welch": 0, "permutation": 0, "Wilcoxon over pairs": 0}
    for _ in range(N_TABLES):
        table = simulated(rng, gap=0, n_pictures=10, n_concepts=7)[columns].rename(columns=NAMES)
        texts = table.columns.drop(PRIMARY)
        table = table.astype(dict.fromkeys(texts, "category"))
        (test,) = resource_tests(Grounded(table, "en", known, 1), table, Asked)
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


@pytest.mark.parametrize("seeds", ["a", "abc"])
def test_false_alarms_between_encoders(seeds: str) -> None:
    rng = np.random.default_rng(1)
    known = {code: Language(*about) for code, about in LANGUAGES.items()}
    columns = ["population", "seed", "condition", *NAMES, PRIMARY]
    found = {"encoders": 0, "languages alone": 0}
    for _ in range(N_PAIRS):
        table = pd.concat(
            [
                simulated(rng, gap=0, population=name, seeds=seeds, n_pictures=10, n_concepts=7)[
                    columns
                ]
                for name in "ab"
            ],
            ignore_index=True,
        ).rename(columns=NAMES)
        table = table.astype(dict.fromkeys(table.columns.drop(PRIMARY), "category"))
        (delta,) = scale_deltas(Grounded(table, "en", known, 1), "ab", ["bare"], Asked)
        alone = stats.ttest_1samp([estimate.value for _, _, estimate in delta.languages], 0)
        found["encoders"] += delta.p_value < 0.05
        found["languages alone"] += alone.pvalue < 0.05
    said = ", ".join(f"{name} {n / N_PAIRS:.1%}" for name, n in found.items())
    # Two standard errors of 5 % in so many tables are 3.1 points.
    assert 0.005 <= found["encoders"] / N_PAIRS <= 0.085, said
    assert found["languages alone"] / N_PAIRS > 0.2, said
