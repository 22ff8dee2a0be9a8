"""Analyses of dense grounding of all shapes, drawn at random."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from paradigms.dense_grounding import DenseGrounding
from tests.toolkit.statistics.random_results import ALPHA, fit, pick
from toolkit.statistics.maps.answers import told
from toolkit.statistics.maps.data import Language, declared_by
from toolkit.statistics.maps.languages import Estimate, LanguageTest
from toolkit.statistics.maps.measures import (
    EmptyMasks,
    Failure,
    Fertility,
    LanguageRow,
    Pointing,
    WordRow,
)
from toolkit.statistics.maps.models import PairTest, ResourceTest
from toolkit.statistics.maps.results import GroundingAnalysis, MapSettings, PopulationResult
from toolkit.statistics.maps.scale import ScaleDelta
from toolkit.statistics.maps.warnings import warnings_of

CODES = ("en", "de", "eu", "lo")
COUNTS = (1, 2, 3, 20)


def estimate(rng: np.random.Generator, low: float = -1.0) -> Estimate:
    """A mean or difference: sure, unsure, without a standard error, or at the end of its range."""
    value = float(pick(rng, (0.0, 1.0, -1e-6, rng.uniform(low, 1))))
    std_error = float(pick(rng, (0.0, 1e-7, 0.02, 3.0, math.nan)))
    own = Estimate.of(max(low, value), std_error, float(pick(rng, (1.0, 7.3, math.inf, 1e6))))
    return own.within(low, 1.0)


def languages(rng: np.random.Generator) -> LanguageTest | None:
    """A test between groups of languages."""
    if rng.random() < 0.2:
        return None
    student, welch = estimate(rng), estimate(rng)
    exact = bool(rng.random() < 0.5)
    return LanguageTest(
        *(pick(rng, (2, 5)), pick(rng, (2, 6)), float(rng.random()), float(rng.random())),
        *(student, student.p_value, welch, welch.p_value),
        *(float(pick(rng, (1e-5, 0.0499, 1.0))), pick(rng, (6, 20000)), exact),
    )


def _test(rng: np.random.Generator, measure: str) -> ResourceTest:
    found = languages(rng)
    mixed = None if found is None or rng.random() < 0.3 else estimate(rng)
    pairs = PairTest(
        *(pick(rng, COUNTS), 0.1, 0.6, float(pick(rng, (math.nan, 3.0)))),
        float(pick(rng, (math.nan, 0.0, 1e-20, 0.04, 1.0))),
    )
    problem = "" if mixed else "Every value is the same."
    return ResourceTest(
        *(measure, "overlap of cluster masks", mixed, mixed.p_value if mixed else math.nan, found),
        pairs if rng.random() < 0.7 else None,
        tuple((seed, float(rng.normal(0, 0.1))) for seed in "ab"[: pick(rng, (1, 2))]),
        fit(rng, converged=True) if mixed else None,
        problem,
        mean=None,
    )


def _population(rng: np.random.Generator, name: str, condition: str) -> PopulationResult:
    nan = math.nan
    n_concepts = pick(rng, COUNTS)
    rows = tuple(
        LanguageRow(
            *(code, f"Name of {code}", kind, 40, min(n_concepts, pick(rng, COUNTS))),
            float(pick(rng, (nan, 1.5))),
            {m: estimate(rng, 0.0) for m in ("iou_cluster", "peak_ratio")},
        )
        for code, kind in (("de", "high"), ("eu", "low"))
    )
    share = float(pick(rng, (0.0, 0.004, 1.0)))
    failure = Failure("high", 0.9, float(pick(rng, (nan, 1.0))), 0.9, share,
                      float(pick(rng, (nan, 1.0, 0.5))))  # fmt: skip
    chance = float(pick(rng, (nan, 0.0, 0.2)))
    ps = ((nan, nan),) if math.isnan(chance) else ((nan, nan), (0.0, 0.0), (0.04, 0.08))
    pointing = tuple(
        Pointing(
            *(code, "high", pick(rng, COUNTS), estimate(rng, 0.0), chance, estimate(rng)),
            *(*pick(rng, ps), estimate(rng, 0.0), "pointing"),
        )
        for code in CODES[: pick(rng, (0, 1, 4))]
    )
    fertility = Fertility(pick(rng, COUNTS), *(float(x) for x in pick(
        rng, ((nan, nan, nan, nan), (-0.5, nan, nan, 0.3), (-1.0, -1.0, -0.9999, 1e-9),
              (0.2, -0.1, 0.4, 0.04996)))))  # fmt: skip
    return PopulationResult(
        *(name, condition, condition == "article", pick(rng, COUNTS), pick(rng, COUNTS)),
        *(n_concepts, pick(rng, COUNTS)),
        tests=tuple(_test(rng, m) for m in ("iou_cluster", "peak_ratio")[: pick(rng, (0, 1, 2))]),
        languages=rows,
        words=(WordRow("eu", "bus", "low", 0.5, nan, nan, 0.5),),
        failures=(failure, replace(failure, resource="low"))[: pick(rng, (0, 2))],
        empty=EmptyMasks(share, 0.0, float(pick(rng, (nan, share)))),
        pointing=pointing,
        fertility=fertility if rng.random() < 0.7 else None,
    )


def grounding(rng: np.random.Generator) -> GroundingAnalysis:
    """An analysis with all that is said about it."""
    names = ("small", "large")[: pick(rng, (1, 2))]
    own = [_population(rng, n, c) for n in names for c in ("article", "bare")]
    overall = estimate(rng)
    delta = ScaleDelta(
        *("small", "large", "article", (pick(rng, (1, 3)), pick(rng, (1, 3)))),
        *(pick(rng, COUNTS), pick(rng, COUNTS)),
        tuple((code, "high", estimate(rng)) for code in CODES[: pick(rng, (1, 4))]),
        *(overall, overall.p_value, overall.p_value, languages(rng)),
    )
    known = {code: Language(f"Name of {code}", "high") for code in CODES}
    analysis = GroundingAnalysis(
        engine="glmm",
        paradigm="dense-grounding",
        paradigm_version=1,
        question="Where?",
        settings=MapSettings(ALPHA),
        measures={},
        reference="en",
        languages=known,
        populations=tuple(own),
        scale=(delta,) if len(names) > 1 else (),
        families=("a family",),
        declared=declared_by(DenseGrounding()),
    )
    analysis = replace(analysis, **told(analysis))
    return replace(analysis, warnings=tuple(warnings_of(analysis)))
