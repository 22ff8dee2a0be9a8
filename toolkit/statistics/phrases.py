"""Numbers in words: the parts that sentences, tables and figures about results are made of.

Nothing is rounded into what it is not: an interval is written with as many decimals as show that
its ends differ, and that it leaves out 0 (odds of 1, chance) where it does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from stimuli.wording import count as count  # sentences are made of it, too
from toolkit.statistics.models.results import Contrast
from toolkit.statistics.models.student import ROUNDING

V = TypeVar("V", bound=str)
"""Verdicts."""
LARGEST = 9999.0
"""Odds ratios, Bayes factors, statistics and degrees of freedom above it are not told apart."""
SMALLEST_POINTS = 0.0001
"""Differences of fewer percentage points are not told apart from each other."""
MOST_DECIMALS = 6
LEVELS = (0.1, 0.05, 0.01, 0.005)
"""Levels that a p-value is not rounded to."""
TIES = "Ties count as wrong in accuracies and as 1 / options of a correct answer in tests."


def decimals(values: Iterable[float], marks: Sequence[float] = (), least: int = 1) -> int:
    """The fewest decimals that show different numbers, and marks, as different.

    Numbers that `MOST_DECIMALS` do not tell apart are written with as few as the others.

    Args:
        values: what is written.
        marks: what values must not seem to be, such as 0.
        least: decimals in any case.

    Example:
        >>> decimals([45.0, 61.9]), decimals([0.04, 2.0], [0.0]), decimals([99.97, 99.99])
        (1, 2, 2)
    """
    different = set(values)
    for digits in range(least, MOST_DECIMALS + 1):
        shown = {round(value, digits) for value in different}
        hidden = {round(mark, digits) for mark in marks if mark not in different}
        if len(shown) == len(different) and not shown & hidden:
            return digits
    return least


def fixed(value: float, digits: int, sign: bool = False) -> str:
    """A number with so many decimals, without a sign if it is written as 0.

    Example:
        >>> fixed(-0.001, 2), fixed(0.5, 1, sign=True)
        ('0.00', '+0.5')
    """
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if sign and rounded else ''}.{digits}f}"


def p_value(p: float) -> str:
    """A p-value as APA style writes it.

    Example:
        >>> p_value(0.0003), p_value(0.0412), p_value(0.04997), p_value(float("nan"))
        ('p < .001', 'p = .041', 'p = .04997', 'p not available')
    """
    if math.isnan(p):
        return "p not available"
    return "p < .001" if p < 0.001 else f"p = {bare_p(p)}"


def bare_p(p: float) -> str:
    """The same for a column of p-values.

    Example:
        >>> bare_p(0.0003), bare_p(0.0412), bare_p(1.0)
        ('<.001', '.041', '1.000')
    """
    if p < 0.001:
        return "<.001"
    return f"{p:.{decimals([p], LEVELS, 3)}f}".removeprefix("0")


def percent(share: float, *marks: float) -> str:
    """A share as per cent, with one decimal or as many as tell it from the marks.

    Example:
        >>> percent(0.5), percent(0.5003, 0.5)
        ('50.0 %', '50.03 %')
    """
    return f"{fixed(100 * share, decimals([100 * share], [100 * mark for mark in marks]))} %"


def from_to(low: float, high: float) -> str:
    """The smallest and largest of several shares, as per cent.

    Example:
        >>> from_to(0.45, 0.619), from_to(0.5, 0.50001)
        ('45.0 to 61.9 %', '50.0 %')
    """
    least, most = (fixed(100 * share, 1) for share in (low, high))
    return f"{least} %" if least == most else f"{least} to {most} %"


def alike(
    values: Sequence[float], marks: Sequence[float] = (), least: int = 1, sign: bool = False
) -> list[str]:
    """Numbers with the same decimals, see `decimals`.

    Example:
        >>> alike([29.54, 29.51, 29.57]), alike([-5.0, 0.04], [0.0], sign=True)
        (['29.54', '29.51', '29.57'], ['-5.00', '+0.04'])
    """
    digits = decimals(values, marks, least)
    return [fixed(value, digits, sign) for value in values]


def share(value: float, low: float, high: float, mark: float = math.nan) -> tuple[str, str]:
    """A share and its interval as per cent.

    Args:
        value: the share.
        low: lower end.
        high: upper end.
        mark: share that the interval may leave out, such as chance.

    Example:
        >>> share(0.535, 0.45, 0.619, 0.5)
        ('53.5 %', '45.0 to 61.9 %')
        >>> share(0.56, 0.50003, 0.61, 0.5)
        ('56.000 %', '50.003 to 61.000 %')
    """
    marks = [] if math.isnan(mark) else [100 * mark]
    middle, first, last = alike([100 * value, 100 * low, 100 * high], marks)
    return f"{middle} %", f"{first} to {last} %" if first != last else f"about {first} %"


def change(difference: float, low: float = math.nan, high: float = math.nan) -> str:
    """A difference of shares in points, with its sign, and its interval where there is one.

    Example:
        >>> change(-0.02), change(0.0002), change(0.1, 0.0003, 0.2)
        ('-2.0', '+0.02', '+10.00 [+0.03, +20.00]')
    """
    return joined(_change(difference, low, high), " ")


def _change(difference: float, low: float, high: float) -> tuple[str, str]:
    """A difference and its interval; the latter is empty where there is none."""
    known = [100 * value for value in (difference, low, high) if not math.isnan(value)]
    middle, *ends = alike(known, [0.0], sign=True)
    return middle, f"[{', '.join(ends)}]" if len(set(ends)) == 2 else ""


def shifted(difference: float, low: float = math.nan, high: float = math.nan) -> str:
    """A difference of shares in percentage points with its direction, and its interval.

    Example:
        >>> shifted(-0.02, -0.05, 0.01)
        '2.0 percentage points lower [-5.0, +1.0]'
        >>> shifted(1e-17), shifted(1e-8)
        ('neither higher nor lower', 'under 0.0001 percentage points higher')
    """
    number, ends = _change(difference, low, high)
    if abs(difference) < ROUNDING:
        said = "neither higher nor lower"
    else:
        written = number[0] in "+-" and 100 * abs(difference) >= SMALLEST_POINTS
        size = f"{number[1:]} percentage points" if written else points(difference)
        said = f"{size} {'higher' if difference > 0 else 'lower'}"
    return joined([said, ends], " ")


def points(difference: float) -> str:
    """A difference of shares in percentage points, without sign.

    Example:
        >>> points(-0.02), points(0.0001), points(1e-9)
        ('2.0 percentage points', '0.01 percentage points', 'under 0.0001 percentage points')
    """
    value = 100 * abs(difference)
    if 0 < value < SMALLEST_POINTS:
        return "under 0.0001 percentage points"
    return f"{alike([value], [0.0])[0]} percentage points"


def size(value: float, digits: int = 2) -> str:
    """A number with so many decimals, unless it is too large to mean anything.

    Example:
        >>> size(1.234), size(1e7), size(-1e7)
        ('1.23', 'over 9999', 'under -9999')
    """
    if abs(value) <= LARGEST:
        return fixed(value, digits)
    return f"over {LARGEST:.0f}" if value > 0 else f"under -{LARGEST:.0f}"


def equals(told: str, beyond: bool) -> str:
    """What is said of a number after its name.

    Args:
        told: the number, or the bound that it lies beyond.
        beyond: which of the two.

    Example:
        >>> equals("1.23", False), equals("over 9999", True)
        ('= 1.23', 'over 9999')
    """
    return told if beyond else f"= {told}"


def sized(value: float) -> str:
    """A number, see `size`, as it is said after its name.

    Example:
        >>> sized(1.234), sized(-1e7)
        ('= 1.23', 'under -9999')
    """
    return equals(size(value), abs(value) > LARGEST)


def freedom(df: float) -> str:
    """Degrees of freedom.

    Example:
        >>> freedom(12.34), freedom(4321.1), freedom(1e8)
        ('12.3', '4321', 'over 9999')
    """
    return size(df, 1 if df < 1000 else 0)


def statistic(value: float, df: float) -> str:
    """T with its degrees of freedom, or z.

    Example:
        >>> statistic(2.0, 9.04), statistic(-2.0, float("inf")), statistic(1e7, 2.0)
        ('t(9.0) = 2.00', 'z = -2.00', 't(2.0) over 9999')
    """
    told = sized(value)
    return f"z {told}" if math.isinf(df) else f"t({freedom(df)}) {told}"


def chi_squared(value: float, df: int, p: float) -> str:
    """A likelihood-ratio test.

    Example:
        >>> chi_squared(5.2, 1, 0.0226)
        'chi2(1) = 5.20, p = .023'
    """
    return f"chi2({df}) {sized(value)}, {p_value(p)}"


def tied(n_ties: int, n_trials: int) -> str:
    """How many trials are ties.

    Example:
        >>> tied(1, 200)
        '1 of 200 trials (0.5 %) is a tie'
    """
    share = percent(n_ties / n_trials)
    verb = "is a tie" if n_ties == 1 else "are ties"
    return f"{n_ties} of {count(n_trials, 'trial')} ({share}) {verb}"


def difference(effect: Contrast) -> str:
    """A contrast as a difference in percentage points, its direction, and its interval."""
    return shifted(
        effect.probability_difference, effect.probability_ci_low, effect.probability_ci_high
    )


def test_of(effect: Contrast) -> str:
    """Statistic and p-value of a contrast, corrected where it was."""
    if math.isnan(effect.p_value):
        return ""
    return f"{statistic(effect.statistic, effect.df)}, {corrected(effect.p_value, effect.p_holm)}"


def corrected(p: float, p_holm: float) -> str:
    """The p-value to go by, and whether it is corrected.

    Example:
        >>> corrected(0.01, 0.02), corrected(0.01, 0.01), corrected(0.01, float("nan"))
        ('p = .020 (Holm)', 'p = .010', 'p = .010')
    """
    if math.isnan(p_holm):
        return p_value(p)
    return f"{p_value(p_holm)}{' (Holm)' * (p_holm != p)}"


def missed(visible: float, largest: float) -> str:
    """What the deciding test would not have shown.

    Args:
        visible: difference, as a share of 1, that it would have shown in four of five cases.
        largest: the largest difference there can be.
    """
    if math.isnan(visible):
        return ""
    if visible >= largest - 0.0005:
        return "No difference, however large, would have been shown in four of five experiments."
    return (
        f"A true difference below about {points(visible)} would be missed more than one time in "
        "five by this test."
    )


def apart(cells: Sequence[Sequence[str]]) -> list[str]:
    """What tells cells of a design apart, in brackets: only those names that differ.

    Args:
        cells: names of every cell, in the same order.

    Example:
        >>> apart([("novel-familiar", "model"), ("novel-familiar", "child")])
        [' (model)', ' (child)']
        >>> apart([("novel-familiar", "model")])
        ['']
    """
    kept = [place for place, names in enumerate(zip(*cells, strict=True)) if len(set(names)) > 1]
    told = [", ".join(cell[place] for place in kept) for cell in cells]
    return [f" ({text})" if text else "" for text in told]


def told_family(name: str, n: int, n_lost: int) -> str:
    """A family of tests, and how many of them gave no verdict.

    Example:
        >>> told_family("above chance", 3, 1)
        'above chance: Holm over 3 planned tests, of which 1 gave no verdict'
        >>> told_family("above chance", 1, 0)
        'above chance: one test'
    """
    if n == 1:
        return f"{name}: one test{', which gave no verdict' if n_lost else ''}"
    lacking = f", of which {n_lost} gave no verdict" if n_lost else ""
    return f"{name}: Holm over {n} planned tests{lacking}"


def tally(named: Sequence[tuple[str, V]], verdicts: Mapping[V, str], shown: str) -> str:
    """How many tests came to which verdict; what is shown of none where all are open.

    Args:
        named: who was tested, and the verdict.
        verdicts: what verdicts are in words, in their order.
        shown: what is not done where one is open.

    Example:
        >>> words = {"higher": "above chance", "open": "not shown to differ"}
        >>> tally([("mono in en", "open"), ("bi in en", "higher")], words, "shown to differ")
        'of 2 tests of a population in a language, 1 is above chance (bi in en); 1 is not shown to \
differ (mono in en)'
        >>> tally([("mono in en", "open"), ("bi in en", "open")], words, "shown to differ")
        'of 2 tests of a population in a language, none is shown to differ'
    """
    parts = []
    for verdict, words in verdicts.items():
        own = [name for name, found in named if found == verdict]
        if own and len(own) == len(named):
            whole = f"{'both' if len(own) == 2 else f'all {len(own)}'} are {words}"
            is_open = verdict == "open"
            parts.append(f"none is {shown}" if is_open else whole)
        elif own:
            parts.append(f"{len(own)} {'is' if len(own) == 1 else 'are'} {words}{listed(own)}")
    return f"of {len(named)} tests of a population in a language, {'; '.join(parts)}"


def listed(names: Iterable[str]) -> str:
    """Names in brackets, where they are few enough to be read."""
    known = list(names)
    return f" ({', '.join(known)})" if 0 < len(known) <= 4 else ""


def joined(parts: Sequence[str], mark: str = "; ") -> str:
    """Those parts that say something."""
    return mark.join(part for part in parts if part)
