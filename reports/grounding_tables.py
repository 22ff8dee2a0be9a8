"""The tables and models of dense grounding, as text in rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.grounding_text import cells_of, group_mean, title_of
from reports.numbers import NONE, interval, number, p_value, percent
from reports.tables import ModelSummary, Table, model_summary

if TYPE_CHECKING:
    from reports.sources import Chapter

SHORT = {
    "iou_cluster": "IoU", "iou_p90": "IoU 90", "iou_p95": "IoU 95", "iou_p99": "IoU 99",
    "iou_t15": "IoU .15", "iou_t20": "IoU .20", "iou_t25": "IoU .25", "spearman": "Spearman",
    "pearson": "Pearson", "peak_ratio": "Peak ratio", "centre_distance_px": "Distance (px)",
    "iou_true": "IoU true", "pointing": "Pointing",
}  # fmt: skip
"""Headings of measures."""


def tables(chapter: Chapter) -> list[Table]:
    """All tables in the order of the page."""
    made = [_tests(chapter), *_languages(chapter), _pointing(chapter), _scale(chapter)]
    made += [*_asked(chapter), _words(chapter), _agreement(chapter)]
    return [table for table in made if table.rows]


def models(chapter: Chapter) -> list[ModelSummary]:
    """The mixed model of every population and condition."""
    return [
        model_summary(f"{title_of(own)}: high against low resource", test["fit"], "Gaussian, REML")
        for own in chapter.statistics["populations"]
        for test in own["tests"]
        if test["fit"]
    ]


def _tests(chapter: Chapter) -> Table:
    rows = tuple(
        (
            title_of(own), SHORT[test["measure"]],
            *(number(group_mean(own, test, kind), digits=3) for kind in ("high", "low")),
            *cells_of(test),
        )
        for own in chapter.statistics["populations"]
        for test in own["tests"]
    )  # fmt: skip
    return Table(
        name="resource",
        title="High- against low-resource languages",
        columns=("Population", "Measure", "High", "Low", "Difference", "95 % CI", "t (df)", "p",
                 "p splits", "p Welch", "p pairs"),
        rows=rows,
        n_labels=2,
        note="IoU: overlap of cluster masks with the reference, the measure fixed in advance; 90, "
        "95, 99: of the highest 10, 5 and 1 % of the map; .15, .20, .25: above that similarity; "
        "true: with the true mask. Difference, interval, t and p: linear mixed model with crossed "
        "random effects of pictures, concepts and languages; its degrees of freedom are at most "
        "the number of languages less 2. High and low: plain means over languages. Splits: share "
        "of all ways to "
        "call so many languages low that differ as much. Welch: over language means, groups may "
        "vary differently. Pairs: the published Wilcoxon over picture x concept pairs; it says "
        "nothing about further languages and is given to be compared with the paper.",
    )  # fmt: skip


def _languages(chapter: Chapter) -> Iterator[Table]:
    for place, own in enumerate(chapter.statistics["populations"]):
        if not own["languages"]:
            continue
        known = [n for n in SHORT if n != "pointing" and n in own["languages"][0]["measures"]]
        yield Table(
            name=f"languages-{place + 1}",
            title=f"Every language: {title_of(own)}",
            columns=("Language", "Code", "Resource", "IoU", "95 % CI", "Tokens/word",
                     *(SHORT[n] for n in known[1:]), "Concepts", "Maps"),
            rows=tuple(_language(row, known) for row in own["languages"]),
            n_labels=3,
            note="Measures as above. The interval of the IoU speaks about further pictures, "
            "concepts and seeds.",
            folded=not own["primary"],
        )  # fmt: skip


def _language(row: Mapping[str, Any], known: Sequence[str]) -> tuple[str, ...]:
    first = row["measures"][known[0]]
    return (
        row["name"], row["language"], row["resource"], number(first["value"], digits=3),
        interval(first["ci_low"], first["ci_high"], digits=3),
        number(row["tokens_per_word"], digits=2),
        *(
            number(row["measures"][n]["value"], digits=1 if n.endswith("_px") else 3)
            for n in known[1:]
        ),
        str(row["n_concepts"]), f"{row['n_rows']:,}",
    )  # fmt: skip


def _pointing(chapter: Chapter) -> Table:
    known = chapter.statistics["languages"]
    rows = tuple(
        (
            title_of(own), known[test["language"]]["name"], test["resource"],
            percent(test["accuracy"]["value"]),
            interval(test["accuracy"]["ci_low"], test["accuracy"]["ci_high"], 100),
            percent(test["chance"]), p_value(test["p_value"]), p_value(test["p_holm"]),
            number(test["iou_true"]["value"], digits=3),
            interval(test["iou_true"]["ci_low"], test["iou_true"]["ci_high"], digits=3),
            f"{test['n_rows']:,}",
        )
        for own in chapter.statistics["populations"]
        for test in own["pointing"]
    )  # fmt: skip
    return Table(
        name="pointing",
        title="Against the true masks",
        columns=("Population", "Language", "Resource", "On the thing", "95 % CI (%)", "By chance",
                 "p", "p Holm", "IoU true", "95 % CI", "Maps"),
        rows=rows,
        n_labels=3,
        note="By chance: mean share of the picture that the thing covers. p: difference to it, "
        "over pictures, concepts and seeds. IoU true: overlap of the cluster mask with the true "
        "mask.",
    )  # fmt: skip


def _scale(chapter: Chapter) -> Table:
    rows = tuple(
        (
            f"{delta['second']} less {delta['first']}", delta["condition"],
            chapter.statistics["languages"][code]["name"], resource,
            number(found["value"], digits=3), interval(found["ci_low"], found["ci_high"], digits=3),
        )
        for delta in chapter.statistics["scale"]
        for code, resource, found in delta["languages"]
    )  # fmt: skip
    return Table(
        name="encoders",
        title="Another encoder: difference in overlap",
        columns=("Populations", "Condition", "Language", "Resource", "Difference", "95 % CI"),
        rows=rows,
        n_labels=4,
        note="Paired by picture and concept, uncorrected; the test over all languages stands in "
        "the answers.",
    )


def _words(chapter: Chapter) -> Table:
    rows = tuple(
        (
            title_of(own), word["language"], word["concept"], word["resource"],
            number(word["iou"], digits=3), number(word["peak_ratio"], digits=3),
            percent(word["share_lost"]),
        )
        for own in chapter.statistics["populations"]
        for word in own["words"]
    )  # fmt: skip
    return Table(
        name="words",
        title="Every concept in every language",
        columns=("Population", "Language", "Concept", "Resource", "IoU", "Peak ratio",
                 "Peak kept, place lost"),
        rows=rows,
        n_labels=4,
        folded=True,
    )  # fmt: skip


def _asked(chapter: Chapter) -> Iterator[Table]:
    """The texts that were asked, one table per template, as all runs have recorded them."""
    asked: dict[str, dict[str, dict[str, str]]] = {}
    for run in chapter.runs:
        # Earlier runs have recorded no texts.
        for template, concepts in run.manifest["words"].get("texts", {}).items():
            for concept, texts in concepts.items():
                asked.setdefault(template, {}).setdefault(concept, {}).update(texts)
    known = chapter.statistics["languages"]
    for place, (template, concepts) in enumerate(asked.items()):
        codes = [c for c in known if any(c in texts for texts in concepts.values())]
        yield Table(
            name=f"texts-{place + 1}",
            title=f"Texts that were asked: {template}",
            columns=("Concept", *(f"{known[code]['name']} ({code})" for code in codes)),
            rows=tuple(
                (concept, *(texts.get(code, NONE) for code in codes))
                for concept, texts in concepts.items()
            ),
            n_labels=1 + len(codes),
            folded=True,
            languages=("", *codes),
        )


def _agreement(chapter: Chapter) -> Table:
    kept = chapter.grounding.agreement if chapter.grounding else None
    rows: tuple[tuple[str, ...], ...] = ()
    if kept is not None and not kept.empty:
        pair = ["population", "template", "language_a", "language_b"]
        own = kept[kept["language_a"] != kept["language_b"]]
        n = own["n_pictures"]
        table = own[pair].assign(
            n=n, **{name: own[name] * n for name in ("iou_cluster", "iou_p95")}
        )
        summed = table.groupby(pair, sort=False)[["iou_cluster", "iou_p95", "n"]].sum()
        rows = tuple(
            (
                f"{row['population']} ({row['template']})", row["language_a"], row["language_b"],
                *(number(row[m] / row["n"], digits=3) if row["n"] else NONE
                  for m in ("iou_cluster", "iou_p95")),
                f"{int(row['n']):,}",
            )
            for row in summed.reset_index().to_dict("records")
        )  # fmt: skip
    return Table(
        name="agreement",
        title="Agreement between all languages",
        columns=("Population", "Language", "and language", "IoU", "IoU 95", "Maps"),
        rows=rows,
        n_labels=3,
        folded=True,
    )
