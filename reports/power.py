"""Plans of how many seeds are needed: on the terminal, as CSV, as a picture."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from reports.numbers import percent
from reports.terminal import console, table
from stimuli.cells import csv_text
from stimuli.characters import shown
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.statistics.power.simulation import PowerPlan, PowerPoint
    from toolkit.statistics.power.trend import TrendPlan

METHODS = ("formula", "t-test", "simulation", "from", "to")
"""Columns with numbers of seeds."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by colour-blind readers (Okabe and Ito, 2008)."""
WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 64, 56
"""Size of the picture and of its margins, in its own units."""


def print_plans(plans: Sequence[PowerPlan]) -> None:
    """Print every plan: the answer beside the formula, the curve, what to keep in mind."""
    out = console()
    for plan in plans:
        _print_plan(out, plan)
    if len(plans) > 1:
        made = table("model", "formula", "t-test", "simulation", "from", "to", numbers=METHODS)
        for plan in plans:
            made.add_row(str(plan.assumptions), *_answers(plan))
        out.print("\n[bold]Seeds per group, side by side[/bold]")
        out.print(made)


def _answers(plan: PowerPlan) -> tuple[str, str, str, str, str]:
    """Seeds by formula, t-test, simulation, and what the Monte Carlo error allows."""
    high = "beyond" if plan.n_seeds_high is None else str(plan.n_seeds_high)
    found = (plan.exact_seeds, plan.n_seeds, plan.n_seeds_low)
    exact, simulated, low = map(str, found)
    return f"{plan.formula_seeds:.1f}", exact, simulated, low, high


def _print_plan(out: Console, plan: PowerPlan) -> None:
    from rich.markup import escape

    out.print(
        f"\n[bold]Seeds per group for {percent(plan.target)} power[/bold] "
        f"(two-sided alpha {plan.alpha:g})"
    )
    out.print(f"Model: {escape(plan.assumptions)}")
    if plan.scale == "logit":
        out.print(
            f"In accuracy: difference {plan.difference:.2f} points, SD over seeds "
            f"{plan.seed_sd:.2f} points"
        )
    out.print(f"Test: {escape(plan.test_meaning)}\n")
    formula, exact, simulated, low, high = _answers(plan)
    made = table("method", "seeds per group", "remark", numbers=("seeds per group",))
    made.add_row("formula", formula, "2 (z + z)^2 SD^2 / difference^2, not rounded up")
    made.add_row("t-test", exact, "noncentral t: the SD has to be estimated")
    made.add_row("simulation", simulated, f"Monte Carlo error allows {low} to {high}")
    out.print(made)
    out.print()
    made = table(
        "seeds",
        "power",
        "MC SE",
        "95 % interval",
        "t-test",
        "",
        numbers=("seeds", "power", "MC SE"),
    )
    for point in plan.points:
        marked = "<- fewest" if point.n_seeds == plan.n_seeds else ""
        made.add_row(*_cells(point), percent(point.analytic), marked)
    out.print(made)
    out.print()
    wrong = plan.false_positives
    out.print(sentence(plan))
    out.print(
        f"Without an effect: {percent(wrong.power)} significant "
        f"({percent(wrong.ci_low)} to {percent(wrong.ci_high)}), alpha is {percent(plan.alpha)}."
    )
    for note in plan.notes:
        out.print(f"[yellow]Note:[/yellow] {escape(note)}")


def sentence(plan: PowerPlan) -> str:
    """The answer as one sentence."""
    answer = plan.answer
    return (
        f"{plan.n_seeds} seeds per group reach {percent(answer.power)} power in "
        f"{answer.n_simulations} simulated experiments (Monte Carlo SE "
        f"{percent(answer.std_error)}, 95 % interval {percent(answer.ci_low)} to "
        f"{percent(answer.ci_high)})."
    )


def _cells(point: PowerPoint) -> tuple[str, str, str, str]:
    return (
        str(point.n_seeds),
        percent(point.power),
        percent(point.std_error),
        f"{percent(point.ci_low)} to {percent(point.ci_high)}",
    )


def plans_as_csv(plans: Sequence[PowerPlan]) -> str:
    """Every simulated point of every plan; ``is_answer`` marks the number of seeds found."""
    from toolkit.statistics.power.simulation import PowerPoint

    names = [field.name for field in fields(PowerPoint)]
    rows: list[list[object]] = [["model", "test", "alpha", "target", *names, "is_answer"]]
    for plan in plans:
        for point in plan.points:
            values = [getattr(point, name) for name in names]
            is_answer = int(point.n_seeds == plan.n_seeds)
            start = [plan.assumptions, plan.test, plan.alpha, plan.target]
            rows.append([*start, *values, is_answer])
    return csv_text(rows)


def print_trends(plans: Sequence[TrendPlan]) -> None:
    """Print every plan of a trend: the answer, and planned power around it."""
    from rich.markup import escape

    out = console()
    for plan in plans:
        out.print(f"\n{escape(str(plan))}\n", soft_wrap=True)
        made = table("seeds", "power", "", numbers=("seeds", "power"))
        for n_seeds, power in plan.curve:
            marked = "<- fewest" if n_seeds == plan.n_seeds else ""
            made.add_row(str(n_seeds), percent(power), marked)
        out.print(made)


def trends_as_csv(plans: Sequence[TrendPlan]) -> str:
    """Planned power of every plan by number of seeds; ``is_answer`` marks the number found."""
    rows: list[list[object]] = [["model", "alpha", "target", "n_seeds", "power", "is_answer"]]
    for plan in plans:
        start = [plan.assumptions, plan.alpha, plan.target]
        rows += [[*start, n, power, int(n == plan.n_seeds)] for n, power in plan.curve]
    return csv_text(rows)


def power_svg(plans: Sequence[PowerPlan]) -> str:
    """Power over seeds as a self-contained SVG picture, one curve per plan.

    Dots are simulated, bars their 95 % Monte Carlo intervals, the broken line is the noncentral t.
    """
    largest = max(plan.points[-1].n_seeds for plan in plans)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="13" role="img">',
        f"<title>{_escape_xml(_title(plans[0]))}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 22, _title(plans[0]), size=15),
        *_axes(largest, plans[0].target),
    ]
    for plan, colour in zip(plans, COLOURS * len(plans), strict=False):
        parts += _curve(plan, colour, largest)
    parts += _legend(plans)
    return "\n".join([*parts, "</svg>\n"])


def _title(plan: PowerPlan) -> str:
    return f"Power of {plan.test_meaning}, two-sided alpha {plan.alpha:g}"


def _x(n_seeds: float, largest: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * n_seeds / largest


def _y(power: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * power


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{_escape_xml(text)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _escape_xml(text: str) -> str:
    return html.escape(shown(text), quote=False)


def _axes(largest: int, target: float) -> list[str]:
    parts = []
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, 'stroke="#ddd"'))
        parts.append(_text(LEFT - 8, y + 4, f"{10 * tenth} %", "end"))
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if largest / s <= 10)
    for n_seeds in range(0, largest + 1, step):
        parts.append(_text(_x(n_seeds, largest), HEIGHT - BOTTOM + 20, str(n_seeds), "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "seeds per group", "middle"))
    dashes = 'stroke="#555" stroke-dasharray="2 4"'
    parts.append(_line(LEFT, _y(target), WIDTH - RIGHT, _y(target), dashes))
    return parts


def _curve(plan: PowerPlan, colour: str, largest: int) -> list[str]:
    def path(values: Sequence[float]) -> str:
        pairs = zip(plan.points, values, strict=True)
        return " ".join(f"{_x(p.n_seeds, largest):.1f},{_y(value):.1f}" for p, value in pairs)

    stroke = f'fill="none" stroke="{colour}"'
    simulated = path([point.power for point in plan.points])
    analytic = path([point.analytic for point in plan.points])
    parts = [
        f'<polyline points="{analytic}" {stroke} stroke-dasharray="6 4" opacity="0.6"/>',
        f'<polyline points="{simulated}" {stroke} stroke-width="2"/>',
    ]
    for point in plan.points:
        x = _x(point.n_seeds, largest)
        parts.append(_line(x, _y(point.ci_low), x, _y(point.ci_high), f'stroke="{colour}"'))
        parts.append(f'<circle cx="{x:.1f}" cy="{_y(point.power):.1f}" r="3" fill="{colour}"/>')
    x = _x(plan.n_seeds, largest)
    answer = f'stroke="{colour}" stroke-dasharray="2 4"'
    parts.append(_line(x, _y(plan.answer.power), x, _y(0), answer))
    return parts


def _legend(plans: Sequence[PowerPlan]) -> list[str]:
    """One line per plan at the lower right, where power curves leave room."""
    parts = []
    for place, (plan, colour) in enumerate(zip(plans, COLOURS * len(plans), strict=False)):
        y = _y(0) - 16 - 18 * (len(plans) - 1 - place)
        label = f"{plan.n_seeds} seeds per group"
        if plan.scale == "logit":
            n_trials = plan.model.trials_per_word  # type: ignore[union-attr]
            label = f"{count(n_trials, 'trial')} per word: {label}"
        parts.append(_text(WIDTH - RIGHT - 24, y, label, "end"))
        parts.append(
            _line(
                *(WIDTH - RIGHT - 18, y - 4, WIDTH - RIGHT, y - 4),
                f'stroke="{colour}" stroke-width="3"',
            )
        )
    explained = "solid: simulated, with 95 % Monte Carlo intervals; broken: noncentral t"
    return [*parts, _text(LEFT, 44, explained)]
