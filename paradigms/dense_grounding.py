"""Dense grounding: does a word find the same place in a picture in every language?"""

import numpy as np

from paradigms import Condition, MapParadigm, Measure, Reading, paradigm
from paradigms.agreement import compare, pairwise_iou, read_maps
from paradigms.base import Floats, Mask, fit_mask
from paradigms.maps import SIZE, upsample


@paradigm("dense-grounding", version=1)
class DenseGrounding(MapParadigm):
    """Maps of similarity at 224 x 224 pixels, compared with those of the reference language.

    Every measure is defined in `paradigms.agreement`. Where masks are known, the target of the
    pointing game is the place inside the mask, the distractor everything outside: a map is correct
    if its highest value lies inside (Zhang et al. 2018, excitation backprop). Chance is the share
    of the picture that the mask covers. Maps of few places point there a little less often by
    chance: their peaks at the border are flat, and a peak that lies inside and outside is a tie.
    """

    question = "Does a word find the same place in a picture in every language?"
    source = "arXiv 2605.09060, multilingual CLIP under a fixed visual encoder"
    conditions = (
        Condition("article", "the word with its indefinite article, as published", headline=True),
        Condition("bare", "the word alone, as every language has it", headline=True),
    )
    formula = (
        "iou_cluster ~ resource + (1 | test_language) + (1 | word_concept) + (1 | target_id)"
        " + (1 | seed)"
    )
    measures = (
        Measure("iou_cluster", "overlap (IoU) of the cluster mask with the reference's"),
        Measure("iou_p90", "overlap of the highest 10 % of the map with the reference's"),
        Measure("iou_p95", "overlap of the highest 5 %"),
        Measure("iou_p99", "overlap of the highest 1 %"),
        Measure("iou_t15", "overlap of what is at or above a similarity of .15"),
        Measure("iou_t20", "overlap at or above .20"),
        Measure("iou_t25", "overlap at or above .25"),
        Measure("spearman", "rank correlation of the map with the reference's"),
        Measure("pearson", "correlation of the map with the reference's"),
        Measure("peak_ratio", "highest similarity over the reference's highest"),
        Measure("centre_distance_px", "mean distance to the nearest cluster centre, both ways, px"),
        Measure("iou_true", "overlap of the cluster mask with the true mask"),
        Measure("tokens_per_word", "subword tokens per blank-separated word (Rust et al. 2021)"),
        Measure("mask_share", "share of the picture that the true mask covers: chance to point"),
    )

    def read(self, maps: Floats, reference: int, truth: Mask | None) -> Reading:
        """Compare all maps with the reference's, with each other, and with the truth."""
        stack = read_maps(upsample(maps))
        mask = None if truth is None else fit_mask(truth, SIZE)
        share = np.full(len(maps), np.nan if mask is None else mask.mean())
        return Reading(
            values=compare(stack, reference, mask) | {"mask_share": share},
            between={
                "iou_cluster": pairwise_iou(stack.clusters),
                "iou_p95": pairwise_iou(stack.top[95]),
            },
        )
