"""How far draws of familiar words, seeds, words and distractors differ, and what may be said."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from paradigms.formula import Formula, RandomTerm
from toolkit.statistics.choices.participants import drawn
from toolkit.statistics.choices.verdicts import with_credit
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.phrases import count, fixed

if TYPE_CHECKING:
    import pandas as pd

CELL = ("condition", "population", "test_language")
"""What one model of `variation` is about."""
VARIATION = (*CELL, "source", "n_levels", "sd", "share", "problem")
"""Columns of `variation`."""
SOURCES = {
    "familiar_draw": "draws of familiar words",
    "seed": "seeds within draws",
    "word_concept": "words",
    "target_concept": "targets",
    "distractor_concept": "distractors",
}
"""Factors that answers vary over, and what they are called."""


def variation(counts: pd.DataFrame, formula: Formula) -> pd.DataFrame:
    """How far draws, seeds, words and distractors differ, on the logit scale.

    One model per condition, population with draws, and test language: the paradigm's own, in which
    draws vary, and seeds within draws where a draw has several.

    Args:
        counts: of the test itself, network by network.
        formula: the paradigm's model.

    Returns:
        Rows of `VARIATION`: ``sd`` in log odds, ``share`` of the sum of these variances; both NaN
        with a ``problem`` where the data do not decide the model.
    """
    import pandas as pd

    rows = []
    for names, own in counts[drawn(counts)].groupby(list(CELL), observed=True):
        where = dict(zip(CELL, names, strict=True))
        rows += [where | row for row in _sources(own, formula)]
    return pd.DataFrame(rows, columns=list(VARIATION))


def _sources(own: pd.DataFrame, formula: Formula) -> Iterator[dict[str, Any]]:
    several = own["seed"].nunique() > own["familiar_draw"].nunique()
    over = ["familiar_draw", *["seed"] * several]
    over += [term.group for term in formula.random if term.group != "seed"]
    random = tuple(RandomTerm("1", group) for group in over)
    keys = [*over, "n_choices"]
    summed = own.groupby(keys, observed=True)[["n_trials", "n_correct", "n_ties"]].sum()
    problem, sds = "", dict[str, float]()
    try:
        fit = fit_mixed(
            with_credit(summed.reset_index()), Formula("cbind(n_right, n_wrong)", "1", random)
        )
        problem = "" if fit.converged else fit.problem
        sds = {effect.group: effect.sds[0] for effect in fit.random_effects}
    except NotEstimable as error:
        problem = error.message
    total = sum(sd**2 for sd in sds.values())
    for group in over:
        sd = math.nan if problem else sds.get(group, 0.0)
        yield {
            "source": group,
            "n_levels": int(own[group].nunique()),
            "sd": sd,
            "share": sd**2 / total if total and not problem else math.nan,
            "problem": problem,
        }


def draw_sentences(found: pd.DataFrame, counts: pd.DataFrame) -> list[str]:
    """What may be said of draws.

    Args:
        found: what `variation` gave.
        counts: of the test itself, network by network.

    Example:
        >>> import pandas as pd
        >>> cell = {"condition": "nf", "population": "p", "test_language": "en", "problem": ""}
        >>> table = pd.DataFrame([
        ...     cell | {"source": "familiar_draw", "n_levels": 20, "sd": 0.4, "share": 0.8},
        ...     cell | {"source": "word_concept", "n_levels": 33, "sd": 0.2, "share": 0.2},
        ... ])
        >>> counts = pd.DataFrame({"population": ["p"], "familiar_draw": ["01"], "seed": ["p/01a"]})
        >>> for sentence in draw_sentences(table, counts):
        ...     print(sentence)
        Of p, every draw of familiar words is one participant: tests and intervals are over draws.
        p in en, nf: SD in log odds 0.40 over 20 draws of familiar words, 0.20 over 33 words.
        With one seed per draw, draws and seeds vary together in p.
    """
    own = counts[drawn(counts)]
    if own.empty:
        return []
    names = sorted(own["population"].astype(str).unique())
    said = [
        f"Of {' and '.join(names)}, every draw of familiar words is one participant: tests and "
        "intervals are over draws."
    ]
    for cell, rows in found.groupby(list(CELL), observed=True, sort=False):
        known = rows[rows["sd"].notna()]
        if len(known):
            told = ", ".join(
                f"{fixed(row['sd'], 2)} over {row['n_levels']} {SOURCES[row['source']]}"
                for row in known.to_dict("records")
            )
            said.append(f"{cell[1]} in {cell[2]}, {cell[0]}: SD in log odds {told}.")
    per_draw = own.groupby(["population", "familiar_draw"], observed=True)["seed"].nunique()
    most = per_draw.groupby("population", observed=True).max()
    alone = sorted(str(name) for name in most.index[most == 1])
    if alone:
        said.append(
            f"With one seed per draw, draws and seeds vary together in {' and '.join(alone)}."
        )
    return said


def list_cautions(counts: pd.DataFrame) -> Iterator[str]:
    """Say of which networks nothing can be established over word lists, and why.

    Args:
        counts: what was analysed.

    Example:
        >>> import pandas as pd
        >>> counts = pd.DataFrame({
        ...     "population": ["mono"], "subject_kind": ["model"], "train_languages": ["en"],
        ...     "familiar_draw": [""],
        ... })
        >>> next(list_cautions(counts)).partition(":")[0]
        'All networks of mono learnt the same words'
    """
    taught = (counts["subject_kind"] == "model") & (counts["train_languages"] != "")
    names = sorted(map(str, counts.loc[taught & ~drawn(counts), "population"].unique()))
    if not names:
        return
    shown = ", ".join(names[:3]) + (
        f" and {count(len(names) - 3, 'more population')}" * (len(names) > 3)
    )
    yield (
        f"All networks of {shown} learnt the same words: whatever the number of seeds, nothing is "
        "established for networks that learnt other words. Populations with draws of familiar "
        "words (monolingual-en-draws; familiar_draws in a grid file) can show that."
    )
