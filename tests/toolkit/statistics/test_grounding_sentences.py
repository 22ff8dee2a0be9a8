"""Sentences about dense grounding of all shapes: no missing numbers, no empty intervals."""

from __future__ import annotations

import json

import numpy as np

from tests.toolkit.statistics.random_grounding import grounding
from tests.toolkit.statistics.saying import faults

N = 200


def test_no_sentence_holds_what_cannot_be() -> None:
    found = []
    for seed in range(N):
        analysis = grounding(np.random.default_rng(seed))
        said = [*analysis.sentences, analysis.apa, *analysis.warnings]
        said += [text for pair in analysis.answers for text in pair]
        found += [fault for text in said for fault in faults(text)]
        json.dumps(analysis.to_json(), allow_nan=False)
    assert not found, "\n".join(sorted(found)[:20])
