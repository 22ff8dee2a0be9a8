"""Children beside models: one mixed model over what both were asked.

Kinds of subjects are never a bilingualism contrast. What can be asked of them together is whether
they answer the same trials alike, condition by condition, and whether that depends on the
condition.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from toolkit.statistics.choices.participants import by_draw
from toolkit.statistics.choices.verdicts import Verdict, decide, too_few, visible, with_credit
from toolkit.statistics.models.contrasts import between, contrast, effective, holm_p
from toolkit.statistics.models.likelihood import LikelihoodRatio, likelihood_ratio, with_fixed
from toolkit.statistics.models.mixed import NotEstimable, fit_prepared, prepare
from toolkit.statistics.models.results import Contrast, FitResult
from toolkit.tables.longtable import read_run
from toolkit.tables.trials import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ITEM = ("word_id", "target_id", "distractor_id")
"""What makes a trial the same for whoever is asked."""
NEEDED = ("word_concept", *ITEM, "n_choices", "tie", "familiar_draw")
"""Columns that are read besides those that say who answered what."""
RANDOM = "(1 | subject) + (1 | word)"
OFFSET = "chance_log_odds"
NOTHING = "they were not asked one word in the same condition"
"""Why there is no model then."""
FAMILY = "kinds of subjects, per condition"


@dataclass(frozen=True)
class KindContrast:
    """One kind of subjects minus the other, in one condition."""

    condition: str
    """Which condition."""
    accuracies: tuple[float, float]
    """Share correct on the shared items, of either kind; mean over subjects, ties at chance."""
    contrast: Contrast | None = None
    """first - second; None if the data do not decide the model."""
    verdict: Verdict = "undecided"
    """What it decides after correction: is the first kind higher or lower?"""
    visible: float = math.nan
    """Difference (share of 1) that it would have shown in four of five cases."""


@dataclass(frozen=True)
class KindComparison:
    """A kind of subjects beside the models of one population, in one test language."""

    first: str
    """Kind of the subjects that are no models, such as ``child``."""
    second: str
    """Population of the models."""
    test_language: str
    """In which language both were asked."""
    over: Literal["trials", "words"]
    """What they share: the very trials, or, where no trial is the same, words in a condition."""
    n_items: int
    """So many different ones."""
    n_words: int
    """Words among them."""
    n_subjects: tuple[int, int]
    """Subjects of either kind."""
    n_trials: tuple[int, int]
    """Answers of either kind to shared items."""
    contrasts: tuple[KindContrast, ...] = ()
    """Per condition; a family of their own."""
    interaction: LikelihoodRatio | None = None
    """Does the difference depend on the condition? None with one condition or no model."""
    fit: FitResult | None = None
    """The model; None if there is none."""
    problem: str = ""
    """Why there is no model or no verdict; empty if there is one."""


def compare_kinds(
    paths: Sequence[Path],
    paradigm: str,
    counts: pd.DataFrame,
    failed: Sequence[tuple[str, str, float]],
    alpha: float,
) -> tuple[KindComparison, ...]:
    """Compare kinds of subjects with models on the items that both answered.

    The model is ``correct ~ subject_kind * condition + (1 | subject) + (1 | word)``.

    Args:
        paths: the runs and tables, as they were counted.
        paradigm: rows of others are passed over.
        counts: what `toolkit.statistics.choices.counts.read_lists` gave, which knows the kind of
            every subject.
        failed: subjects and languages that did not pass the gate.
        alpha: level of each family.

    Returns:
        One comparison per kind, population of models and language; none where all subjects are of
        one kind.
    """
    kinds = counts[["population", "seed", "subject_kind"]].drop_duplicates().astype(str)
    if MODEL not in set(kinds["subject_kind"]) or kinds["subject_kind"].nunique() < 2:
        return ()
    kind_of = dict(zip(kinds["seed"], kinds["subject_kind"], strict=True))
    rows = _answers(paths, paradigm, kind_of)
    out = {(seed, language) for seed, language, _ in failed}
    passed = [pair not in out for pair in zip(rows["seed"], rows["test_language"], strict=True)]
    return tuple(_comparisons(rows[passed], alpha))


def _answers(paths: Sequence[Path], paradigm: str, kind_of: dict[str, str]) -> pd.DataFrame:
    """All answers, with the kind of who gave them; items that a table does not tell are empty."""
    import pandas as pd

    parts = []
    for path in paths:
        own = read_run(path, NEEDED)
        if "paradigm" in own:
            own = own[own["paradigm"].astype(str) == paradigm]
        names = ["population", "seed", "test_language", "condition", "word_concept", *ITEM]
        texts = {n: own[n].astype(object).fillna("").astype(str) if n in own else "" for n in names}
        part = pd.DataFrame(texts, index=own.index).assign(
            correct=own["correct"].to_numpy(float),
            tie=own["tie"].to_numpy(float) if "tie" in own else 0.0,
            n_choices=own["n_choices"].to_numpy(float),
        )
        part["seed"] = part["population"] + "/" + part["seed"]
        part["subject_kind"] = part["seed"].map(kind_of)
        if "familiar_draw" in own:
            draw = own["familiar_draw"].astype(object).fillna("").astype(str)
            named = part["population"] + "/" + draw
            part["subject"] = by_draw(part.assign(familiar_draw=named.where(draw != "", "")))[
                "seed"
            ].astype(str)
        else:
            part["subject"] = part["seed"]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _comparisons(rows: pd.DataFrame, alpha: float) -> Iterator[KindComparison]:
    models = rows[rows["subject_kind"] == MODEL]
    for kind in sorted(set(rows["subject_kind"].dropna()) - {MODEL}):
        people = rows[rows["subject_kind"] == kind]
        for language in sorted(set(people["test_language"]) & set(models["test_language"])):
            own, others = (part[part["test_language"] == language] for part in (people, models))
            for population in sorted(set(others["population"])):
                yield _compared(own, others[others["population"] == population], alpha)


def _compared(first: pd.DataFrame, second: pd.DataFrame, alpha: float) -> KindComparison:
    import pandas as pd

    over: Literal["trials", "words"] = "trials"
    keys = ["condition", *ITEM]
    shared = _shared(first, second, keys)
    if not len(shared) or (shared.get_level_values("word_id") == "").any():
        over, keys = "words", ["condition", "word_concept"]
        shared = _shared(first, second, keys)
    both = [part[pd.MultiIndex.from_frame(part[keys]).isin(shared)] for part in (first, second)]
    made = KindComparison(
        first=str(first["subject_kind"].iloc[0]),
        second=str(second["population"].iloc[0]),
        test_language=str(first["test_language"].iloc[0]),
        over=over,
        n_items=len(shared),
        n_words=int(both[0]["word_concept"].nunique()),
        n_subjects=(int(both[0]["subject"].nunique()), int(both[1]["subject"].nunique())),
        n_trials=(len(both[0]), len(both[1])),
    )
    if not len(shared):
        return replace(made, problem=NOTHING)
    return _modelled(made, _counted(pd.concat(both)), alpha)


def _shared(first: pd.DataFrame, second: pd.DataFrame, keys: list[str]) -> pd.MultiIndex:
    import pandas as pd

    one, two = (pd.MultiIndex.from_frame(part[keys].drop_duplicates()) for part in (first, second))
    return one.intersection(two)


def _counted(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts per subject, condition and word."""
    keys = ["subject", "subject_kind", "condition", "word_concept", "n_choices"]
    summed = rows.groupby(keys, observed=True).agg(
        n_trials=("correct", "size"), n_correct=("correct", "sum"), n_ties=("tie", "sum")
    )
    table = with_credit(summed.reset_index()).rename(columns={"word_concept": "word"})
    return table.assign(**{OFFSET: -np.log(table["n_choices"] - 1.0)})


def _modelled(made: KindComparison, table: pd.DataFrame, alpha: float) -> KindComparison:
    """The comparison with its model, decided."""
    conditions = sorted(table["condition"].unique())
    kinds = (made.first, MODEL)
    seen = tuple(KindContrast(c, _accuracies(table, c, kinds)) for c in conditions)
    few = too_few(list(made.n_subjects), made.n_words, "subject")
    several = len(conditions) > 1
    offset = f" + offset({OFFSET})" if table["n_choices"].nunique() > 1 else ""
    terms = "subject_kind * condition" if several else "subject_kind"
    try:
        ready = prepare(table, f"cbind(n_right, n_wrong) ~ {terms}{offset} + {RANDOM}")
        fit = fit_prepared(ready)
    except NotEstimable as error:
        return replace(made, contrasts=seen, problem=error.message)
    if not fit.converged:
        return replace(made, contrasts=seen, fit=fit, problem=fit.problem)
    interaction = None
    if several:
        added = fit_prepared(with_fixed(ready, f"subject_kind + condition{offset}"))
        interaction = likelihood_ratio(fit, added)
    found = [_contrast(fit, made, table, one.condition, kinds) for one in seen]
    judged = holm_p([math.nan if few else one.p_value for one in found])
    return replace(
        made,
        contrasts=tuple(
            _decided(one, effect, p, alpha, len(found), bool(few))
            for one, effect, p in zip(seen, found, judged, strict=True)
        ),
        interaction=interaction,
        fit=fit,
        problem=few,
    )


def _accuracies(table: pd.DataFrame, condition: str, kinds: tuple[str, str]) -> tuple[float, float]:
    own = table[table["condition"] == condition]
    summed = own.groupby(["subject_kind", "subject"], observed=True)[["n_right", "n_trials"]].sum()
    mean = (summed["n_right"] / summed["n_trials"]).groupby("subject_kind").mean()
    return float(mean[kinds[0]]), float(mean[kinds[1]])


def _contrast(
    fit: FitResult,
    made: KindComparison,
    table: pd.DataFrame,
    condition: str,
    kinds: tuple[str, str],
) -> Contrast:
    known = {OFFSET: float(table[OFFSET].mean()), "condition": condition}
    first, second = ([known | {"subject_kind": kind}] for kind in kinds)
    sds = {effect.group: effect.sds[0] for effect in fit.random_effects}
    n_first, n_second = made.n_subjects
    # Words are the same for both kinds and cancel; how far they differ in the effect is not in the
    # model, and is doubted as `effective` does.
    parts = [
        (sds.get("subject", 0.0) ** 2 * (1 / n_first + 1 / n_second), n_first + n_second, 2),
        (0.0, made.n_words, 1),
    ]
    return contrast(
        *(fit, f"{made.first} - {made.second}, {condition}", first, second),
        correction=lambda std_error: effective(parts, std_error),
        family=FAMILY,
    )


def _decided(
    one: KindContrast, effect: Contrast, p: float, alpha: float, n: int, few: bool
) -> KindContrast:
    seen = visible(effect.std_error, effect.df, alpha / n)
    return replace(
        one,
        contrast=replace(effect, p_holm=p),
        verdict="few" if few else decide(effect.estimate, p, alpha),
        visible=between(effect.middle, seen),
    )
