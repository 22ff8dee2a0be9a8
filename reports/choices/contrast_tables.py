"""Tables of tests: against chance, a condition against its control, one group against another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.numbers import (
    NONE,
    bayes_factor,
    estimate,
    interval,
    models_of,
    number,
    odds_ratio,
    p_value,
    t_of_df,
    titles_of,
)
from reports.parts import Table
from toolkit.statistics.models.penalised import METHOD
from toolkit.statistics.phrases import TIES, chi_squared

ENDS = ("ci_low", "ci_high")
GATED = ", gated seeds included"
VERDICTS = {
    "higher": "higher",
    "lower": "LOWER",
    "open": "not shown",
    "few": "too few",
    "undecided": "no test",
}
"""Verdicts as they stand in a column; higher than chance, the control, or the other group."""
LEGEND = (
    "Visible: difference in points that the test, at its corrected level, would have shown in four "
    "of five cases. Too few: seeds or words, see Methods. Intervals and p are not corrected, p "
    "Holm is."
)
INSTEAD = f"Where there is no test, the estimate marked * is of a fit that is {METHOD}."


def tests(statistics: Mapping[str, Any]) -> Iterator[Table]:
    """All tables of tests in the order of the page, with and without gated seeds."""
    for suffix, which in (("", ""), ("_all_seeds", GATED)):
        end = "-all" * bool(suffix)
        yield _chance(statistics[f"chance{suffix}"], f"chance{end}", which)
        yield _conditions(statistics[f"conditions{suffix}"], f"condition-contrasts{end}", which)
    for suffix, which in (("", ""), ("_all_seeds", GATED)):
        groups = statistics[f"groups{suffix}"]
        for place, (group, title) in enumerate(zip(groups, titles_of(groups), strict=True)):
            end = f"-{place + 1}" * (place > 0) + "-all" * bool(suffix)
            title = f", {title}{which}"
            yield _contrasts(group, f"planned-contrasts{end}", title)
            yield _seed_means(group, f"seed-means{end}", title)


def _chance(found: Sequence[Mapping[str, Any]], name: str, which: str) -> Table:
    rows = tuple(
        (
            test["population"], test["test_language"], test["condition"], VERDICTS[test["verdict"]],
            number(test["accuracy"], 100), number(test["chance"], 100), *_model(test),
            t_of_df(test), p_value(test["p_value"]), p_value(test["p_holm"]), _visible(test),
            number(test["d_seeds"], digits=2), number(test["d_words"], digits=2),
        )
        for test in found
    )  # fmt: skip
    return Table(
        name=name,
        title=f"Tests against chance{which}",
        columns=("Population", "Test language", "Condition", "Verdict", "Correct (%)",
                 "Chance (%)", "Model (%)", "95 % CI (%)", "t (df)", "p", "p Holm", "Visible",
                 "d (seeds)", "d (words)"),
        rows=rows,
        n_labels=4,
        note=_note(
            found,
            "Intercept of a logistic mixed model; model and interval are of a typical seed and "
            f"item and speak about further seeds and further words. {TIES} d over seeds and d over "
            "words are not comparable with d over children.",
        ),
    )  # fmt: skip


def _model(test: Mapping[str, Any]) -> tuple[str, str]:
    """Estimate of the model and its interval; of the penalised fit where there is no test."""
    instead = test["penalised"] if test["verdict"] == "undecided" else None
    if instead:
        return _starred(number(instead["estimate"], 100)), _ends(instead, 100)
    ends = interval(test["ci_low"], test["ci_high"], 100, mark=100 * test["chance"])
    return number(test["probability"], 100), ends


def _conditions(found: Sequence[Mapping[str, Any]], name: str, which: str) -> Table:
    return Table(
        name=name,
        title=f"The test against its controls{which}",
        columns=("Population", "Test language", "Contrast", "Verdict", "Test (%)", "Control (%)",
                 "Difference (points) [95 % CI]", "Odds ratio [95 % CI]", "t (df)", "p", "p Holm",
                 "Visible", "d (seeds)", "Seeds", "Words"),
        rows=tuple(_condition(test) for test in found),
        n_labels=4,
        note=_note(
            found,
            "Share of trials in which the target is chosen (in the test and its controls the same "
            "targets), ties at chance level, mean over seeds. Difference, odds ratio and p: "
            "logistic mixed model in which seeds and targets differ in the effect; further seeds "
            "and further words. Words: heard in the test, in its control.",
        ),
    )  # fmt: skip


def _condition(test: Mapping[str, Any]) -> tuple[str, ...]:
    plus, minus = (number(share, 100) for share in test["accuracies"])
    return (
        test["population"], test["test_language"], f"{test['plus']} - {test['minus']}",
        VERDICTS[test["verdict"]], plus, minus, *_effect(test), _visible(test),
        number(test["d_seeds"], digits=2), str(test["n_seeds"]),
        ", ".join(str(n) for n in test["n_words"]),
    )  # fmt: skip


def _effect(test: Mapping[str, Any]) -> tuple[str, ...]:
    """Difference, odds ratio, statistic and p-values of a contrast."""
    effect = test["contrast"] or {}
    if test["verdict"] == "undecided":
        return (NONE,) * 5
    value, low, high = (effect[f"probability_{what}"] for what in ("difference", *ENDS))
    ps = p_value(effect["p_value"]), p_value(effect["p_holm"])
    return estimate(value, low, high, 100, mark=0.0), odds_ratio(effect), t_of_df(effect), *ps


def _contrasts(group: Mapping[str, Any], name: str, title: str) -> Table:
    models = models_of(group)
    return Table(
        name=name,
        title=f"Planned contrasts: mixed models{title}",
        columns=("Contrast", "Family", "Verdict", "Difference (points) [95 % CI]",
                 "Odds ratio [95 % CI]", "t (df)", "p", "p Holm", "Visible", "Words", "Shared",
                 "p likelihood ratio", "p bootstrap"),
        rows=tuple(_contrast(model) for model in models),
        n_labels=3,
        note=_note(
            models,
            f"Bilingual less monolingual; further seeds and further words. {_families(group)} "
            "Shared: words that both groups were asked; others do not cancel. "
            f"{_interaction(group['interaction'])}",
        ),
    )  # fmt: skip


def _contrast(model: Mapping[str, Any]) -> tuple[str, ...]:
    effect, ratio = _effect(model), model["ratio"] or {}
    instead = model["penalised"] if model["verdict"] == "undecided" else None
    if instead:
        ends = _ends(instead, 100, 0.0)
        shown = _starred(number(instead["estimate"], 100))
        effect = (f"{shown} {ends}", *effect[1:])
    return (
        model["name"], (model["contrast"] or {}).get("family") or NONE, VERDICTS[model["verdict"]],
        *effect, _visible(model), str(model["n_words"]), str(model["n_shared"]),
        p_value(ratio.get("p_value")), p_value(ratio.get("p_bootstrap")),
    )  # fmt: skip


def _seed_means(group: Mapping[str, Any], name: str, title: str) -> Table:
    models = models_of(group)
    return Table(
        name=name,
        title=f"Secondary: the same contrasts over seed means{title}",
        columns=("Contrast", "Seeds", "Difference (points) [95 % CI]", "Welch t (df)", "p",
                 "p Holm", "Hedges' g (seeds)", "BF10 (Student's t)", "p TOST", "p TOST Holm"),
        rows=tuple(_seeds(model) for model in models),
        note="Further seeds, these very words: where the effect varies between words, these tests "
        "find one too often. No verdict rests on them. Ties at chance level. BF10 is that of "
        "Student's t test, which takes both groups to vary alike; Welch's does not. TOST: "
        f"equivalence to within {number(models[0]['seeds']['bound'], 100)} points. Holm: over the "
        "same families as the mixed models.",
    )  # fmt: skip


def _seeds(model: Mapping[str, Any]) -> tuple[str, ...]:
    seeds = model["seeds"]
    # With too few seeds or words there is no verdict, so that nothing is corrected for others.
    welch, tost = (
        NONE if model["verdict"] == "few" else p_value(seeds[name])
        for name in ("p_holm", "p_equivalence_holm")
    )
    value, low, high = (seeds[name] for name in ("difference", *ENDS))
    return (
        model["name"], f"{seeds['n_first']}, {seeds['n_second']}",
        estimate(value, low, high, 100, mark=0.0),
        t_of_df({**seeds, "statistic": seeds["t"]}), p_value(seeds["p_value"]), welch,
        number(seeds["hedges_g"], digits=2), bayes_factor(seeds["bayes_factor"]),
        p_value(seeds["p_equivalence"]), tost,
    )  # fmt: skip


def _families(group: Mapping[str, Any]) -> str:
    return f"Families: {'; '.join(group['families'])}."


def _interaction(ratio: Mapping[str, Any] | None) -> str:
    if ratio is None or ratio["p_value"] is None:
        return ""
    told = chi_squared(ratio["statistic"], ratio["df"], ratio["p_value"])
    return f"Does the difference depend on the test language? {told}."


def _note(found: Sequence[Mapping[str, Any]], text: str) -> str:
    starred = any(test.get("penalised") for test in found)
    return " ".join([text.strip(), LEGEND, *([INSTEAD] if starred else [])])


def _visible(test: Mapping[str, Any]) -> str:
    return NONE if test["verdict"] in ("few", "undecided") else number(test["visible"], 100)


def _ends(found: Mapping[str, Any], factor: float, mark: float = float("nan")) -> str:
    return interval(found["ci_low"], found["ci_high"], factor, mark=mark)


def _starred(text: str) -> str:
    return f"{text}*"
