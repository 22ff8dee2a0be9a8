"""Two populations, or one in two languages, side by side: how they differ word by word."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from paradigms.choices.trials import ALL_WORDS
from reports.figures import (
    COLOURS,
    STEP_PX,
    WIDTH_PX,
    Figure,
    listed,
    names,
    percent_axis,
    percents,
    span,
)
from reports.joining import layers, values
from reports.numbers import estimate, interval, number
from reports.packing import packed
from reports.parts import Comparison, WordRow
from toolkit.statistics.choices.word_differences import Asked, word_differences
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    import pandas as pd

    from reports.chapter import Chapter
    from toolkit.statistics.choices.results import Analysis

MOST_PAIRS = 60
"""Pairs on a page; each holds a number of every word in every condition."""
LEAVES_OUT_0 = "datum.ci_low_points * datum.ci_high_points > 0"
SHARES = ("first", "second", "difference", "ci_low", "ci_high")
NOTE = (
    "Exploratory: words were not named in advance, and with 20 words one interval leaves out 0 by "
    "chance alone. Intervals are 95 % intervals of the difference over seeds (further seeds, the "
    "same words and pictures), not corrected for the number of words: Welch's t for two "
    "populations, which are independent networks, and t over the differences of the same networks "
    "for one population in two languages. All seeds are counted, those that failed the gate too."
)


def compare(chapter: Chapter[Analysis]) -> Comparison | None:
    """Word by word; None where only one population was asked, in one language.

    Args:
        chapter: what is told.
    """
    import pandas as pd

    wanted = _pairs(chapter)
    pairs = wanted[:MOST_PAIRS]
    words = chapter.digest.words
    words = words[words["word_concept"] != ALL_WORDS]
    made = {pair: word_differences(words, *pair) for pair in pairs}
    made = {pair: table for pair, table in made.items() if len(table)}
    if not made:
        return None
    headline = dict.fromkeys(row.condition for row in chapter.headline)
    told = dict.fromkeys(row.condition for row in chapter.results)
    conditions = [*headline, *(name for name in told if name not in headline)]
    (first, second), table = next(iter(made.items()))
    known = set(table["condition"])
    condition = next(name for name in conditions if name in known)
    shown = table[table["condition"] == condition]
    whole = pd.concat(_labelled(table, pair) for pair, table in made.items()).round(4)
    notes = [NOTE]
    if more := len(wanted) - len(pairs):
        notes.append(
            f"{count(more, 'further pair')} of populations and languages would make the page too "
            "large: toolkit.compare_words gives them."
        )
    return Comparison(
        first=str(first),
        second=str(second),
        condition=condition,
        rows=tuple(_row(row) for row in shown.to_dict("records")),
        language=first.test_language,
        population=first.population,
        figure=_figure(shown, whole, first, second, condition),
        table=packed(json.dumps(_packed(made, conditions), ensure_ascii=False)),
        notes=tuple(notes),
    )


def _pairs(chapter: Chapter[Analysis]) -> list[tuple[Asked, Asked]]:
    """Every two that share a language or a population; that of the deciding contrast first.

    Of the others those come first that were all trained.
    """
    cells = [Asked(*cell) for cell in chapter.cells]
    kinds = {cell.population: chapter.training_of(cell.population) for cell in cells}
    found = [
        (one, other)
        for one, other in itertools.combinations(cells, 2)
        if (one.population == other.population) != (one.test_language == other.test_language)
    ]
    groups = [group for group in chapter.statistics.groups if group.by_language or group.overall]
    compared = {model.test_language for group in groups for model in group.by_language}

    def order(pair: tuple[Asked, Asked]) -> tuple[bool, bool]:
        decides = {kinds[own.population] for own in pair} == {"monolingual", "bilingual"}
        in_language = not compared or pair[0].test_language in compared
        same = pair[0].population == pair[1].population
        untrained = any(kinds[own.population] == "untrained" for own in pair)
        return not (decides and in_language and not same), untrained

    ordered = sorted(found, key=order)
    # As in the contrast: bilingual less monolingual.
    return [pair[::-1] if kinds[pair[0].population] == "monolingual" else pair for pair in ordered]


def _labelled(table: pd.DataFrame, pair: tuple[Asked, Asked]) -> pd.DataFrame:
    """Numbers in per cent, with who is compared: what goes into the CSV file."""
    first, second = pair
    about: dict[str, Any] = {
        "first_population": first.population, "first_language": first.test_language,
        "second_population": second.population, "second_language": second.test_language,
        "condition": table["condition"], "word_concept": table["word_concept"],
    }  # fmt: skip
    shares = {f"{name}_percent": 100 * table[name] for name in SHARES[:2]}
    points = {f"{name}_points": 100 * table[name] for name in SHARES[2:]}
    sizes = {name: table[name] for name in ("n_first", "n_second")}
    return table[[]].assign(**about, **shares, **points, **sizes)


def _row(row: dict[Any, Any]) -> WordRow:
    return WordRow(
        word=str(row["word_concept"]),
        cells=(
            number(row["first"], 100), number(row["second"], 100), number(row["difference"], 100),
            interval(row["ci_low"], row["ci_high"], 100, mark=0.0),
            f"{row['n_first']}, {row['n_second']}",
        ),
    )  # fmt: skip


def _packed(
    made: dict[tuple[Asked, Asked], pd.DataFrame], conditions: Sequence[str]
) -> dict[str, object]:
    """All numbers for the script, ready to be shown: it looks them up, and computes nothing."""
    sides = list(dict.fromkeys(own for pair in made for own in pair))
    words = sorted({word for table in made.values() for word in table["word_concept"]})
    place = {name: at for names in (sides, words) for at, name in enumerate(names)}
    asked = {name for table in made.values() for name in table["condition"]}
    named = [name for name in conditions if name in asked]
    return {
        "sides": [{"population": s.population, "language": s.test_language} for s in sides],
        "conditions": named,
        "words": words,
        "pairs": [
            [place[first], place[second], list(_numbers(table, named, place))]
            for (first, second), table in made.items()
        ],
    }


def _numbers(
    table: pd.DataFrame, conditions: Sequence[str], place: dict[Any, int]
) -> Iterator[list[object]]:
    """Rows: condition, word, five numbers in per cent, both numbers of seeds."""
    for row in table.to_dict("records"):
        if row["condition"] in conditions:
            shares = [round(100 * row[name], 2) for name in SHARES]
            yield [
                conditions.index(row["condition"]),
                place[row["word_concept"]],
                *(None if share != share else share for share in shares),
                *(int(row["n_first"]), int(row["n_second"])),
            ]


def _figure(
    shown: pd.DataFrame, whole: pd.DataFrame, first: Asked, second: Asked, condition: str
) -> Figure:
    import altair as alt
    import pandas as pd

    rows = [
        {
            "word": row["word_concept"],
            "a_percent": 100 * row["first"],
            "b_percent": 100 * row["second"],
            "difference_points": 100 * row["difference"],
            "ci_low_points": 100 * row["ci_low"],
            "ci_high_points": 100 * row["ci_high"],
        }
        for row in shown.to_dict("records")
    ]
    data = pd.DataFrame(rows).round(2)
    base = alt.Chart().encode(y=alt.Y("word:N", title=None, sort=None))
    tips = [
        *names("word"),
        *percents("a", "b"),
        *(
            alt.Tooltip(f"{name}_points:Q", format="+.1f", title=name.replace("_", " "))
            for name in ("difference", "ci_low", "ci_high")
        ),
    ]

    width = alt.condition(LEAVES_OUT_0, alt.value(5), alt.value(1.5))
    scale = alt.Scale(domain=["A", "B"], range=[COLOURS[1], COLOURS[0]])
    shapes = alt.Scale(domain=["A", "B"], range=["circle", "square"])

    def dots(column: str, side: str) -> alt.Chart:
        made: alt.Chart = base.mark_point(filled=True, size=70, opacity=1).encode(
            x=alt.X(f"{column}:Q", **percent_axis("correct (%)")),
            color=alt.Color(datum=side, scale=scale, title=None),
            shape=alt.Shape(datum=side, scale=shapes, title=None),
            tooltip=tips,
        )
        return made

    chart = layers(
        base.mark_rule(strokeOpacity=0.7).encode(**span("a_percent", "b_percent"), size=width),
        dots("a_percent", "A"),
        dots("b_percent", "B"),
        data=values(data),
        width=WIDTH_PX,
        height={"step": int(0.7 * STEP_PX)},
    )
    told = ("difference_points", "ci_low_points", "ci_high_points")
    seen = [f"{row['word']}: {estimate(*(row[name] for name in told))}" for row in rows]
    return Figure(
        name="compare-words",
        title="Word by word: A and B",
        caption=(
            "Circle: A, square: B, mean over seeds; the words for which A is right more often than "
            "B stand on top. A thick line: the interval of the difference leaves out 0, not "
            f"corrected for the number of words. Drawn here to begin with: A is {first}, B is "
            f"{second}, condition {condition}. The intervals stand in the table."
        ),
        alt=f"Dumbbell plot, difference of A ({first}) and B ({second}) in percentage points: "
        f"{listed(seen)}.",
        chart=chart,
        data=whole,
    )
