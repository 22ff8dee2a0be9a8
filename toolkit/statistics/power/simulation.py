"""How many seeds an experiment needs: by simulation, with its Monte Carlo error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stimuli.limits import JOBS, RESAMPLES, SEEDS
from toolkit.errors import ToolkitError, unknown_name
from toolkit.processes.threads import one_thread
from toolkit.processes.workers import Mapped, mapping
from toolkit.statistics.phrases import count
from toolkit.statistics.power.formula import (
    SMALLEST,
    analytic_power,
    exact_seeds,
    formula_seeds,
    power_of_words,
    wilson,
)
from toolkit.statistics.power.models import TESTS, Model, ShareModel, Test, simulated_p_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]

SIMULATIONS = {("share", "welch"): 10_000, ("logit", "welch"): 2_000, ("logit", "mixed"): 200}
"""Simulations per number of seeds where none is asked for; a mixed model takes about 0.05 s."""
CHUNK = {"welch": 250, "mixed": 10}
"""Simulations per unit of work: fixed, so that results do not depend on the number of jobs."""
LARGE_CELLS = 5_000
"""Simulations times words drawn in one go; bounds the memory of large experiments."""


@dataclass(frozen=True)
class PowerPoint:
    """Simulated power at one number of seeds."""

    n_seeds: int
    """Seeds per group."""
    n_simulations: int
    """Simulated experiments."""
    n_significant: int
    """Those with p below alpha."""
    n_undefined: int
    """Those without a p-value (no variation, no convergence); counted as not significant."""
    power: float
    """n_significant / n_simulations."""
    std_error: float
    """Monte Carlo standard error of the power (binomial)."""
    ci_low: float
    """Lower end of its 95 % interval (Wilson, 1927)."""
    ci_high: float
    """Upper end."""
    analytic: float
    """Power of the t-test for normal means and equal SDs, from the noncentral t distribution."""


@dataclass(frozen=True)
class PowerPlan:
    """Answer to: how many seeds per group?"""

    assumptions: str
    """The model in words."""
    model: Model
    """What the experiments were drawn from."""
    scale: str
    """``share`` or ``logit``."""
    test: Test
    """``welch`` or ``mixed``."""
    test_meaning: str
    """The test in words."""
    alpha: float
    """Two-sided level."""
    target: float
    """Power asked for."""
    seed: int
    """Of the random numbers."""
    difference: float
    """Difference of the mean accuracies, points (on the logit scale: what the model implies)."""
    seed_sd: float
    """SD over seeds of the mean accuracy, points (likewise)."""
    formula_seeds: float
    """Seeds per group by the normal formula, not rounded; see
    `toolkit.statistics.power.formula`."""
    exact_seeds: int
    """Seeds per group by the noncentral t distribution; see `toolkit.statistics.power.formula`."""
    n_seeds: int
    """Seeds per group by simulation: the fewest whose simulated power reaches the target."""
    n_seeds_low: int
    """Fewest seeds the Monte Carlo error allows (interpolated upper ends reach the target)."""
    n_seeds_high: int | None
    """Most seeds it allows (lower ends reach the target); None if beyond the simulated ones."""
    points: tuple[PowerPoint, ...]
    """The whole curve, by number of seeds."""
    false_positives: PowerPoint
    """The same test at ``n_seeds`` when there is no effect: its power is the error rate."""
    notes: tuple[str, ...]
    """What the reader must know, in sentences."""

    def __repr__(self) -> str:
        """The answer, what it rests on, and the same by formula."""
        high = "more than were simulated" if self.n_seeds_high is None else self.n_seeds_high
        lines = [
            f"{self.n_seeds} seeds per group for {100 * self.target:g} % power (two-sided alpha "
            f"{self.alpha:g}); Monte Carlo error allows {self.n_seeds_low} to {high}.",
            f"Model: {self.assumptions}",
            f"Test: {self.test_meaning}",
            f"By formula {self.formula_seeds:.1f}, by the noncentral t {self.exact_seeds}.",
        ]
        return "\n".join([*lines, *self.notes])

    @property
    def answer(self) -> PowerPoint:
        """The point of the curve at ``n_seeds``."""
        return next(point for point in self.points if point.n_seeds == self.n_seeds)


@one_thread()
def plan_seeds(
    model: Model,
    *,
    test: Test = "welch",
    alpha: float = 0.05,
    target: float = 0.8,
    n_simulations: int | None = None,
    seed: int = 0,
    max_seeds: int = 500,
    jobs: int = 1,
    notes: Iterable[str] = (),
    progress: Progress = lambda *_: None,
) -> PowerPlan:
    """Find by simulation how many seeds per group reach a power.

    A coarse grid (2, 3, 5, 7, 10, 14, 20, ...) is simulated until the power is reached, then the
    gap is halved until it is closed; one grid value beyond completes the curve. The result is
    the same for the same ``seed``, whatever ``jobs`` is.

    Args:
        model: what the experiments are drawn from.
        test: ``welch`` (over seed means) or ``mixed`` (mixed model, logit scale only; slow).
        alpha: two-sided level.
        target: power wanted.
        n_simulations: experiments per number of seeds; by default `SIMULATIONS`.
        seed: of the random numbers.
        max_seeds: most seeds per group that are tried.
        jobs: processes.
        notes: sentences to add to those of the plan.
        progress: called with "simulations", done and expected.

    Raises:
        ToolkitError: a setting is out of range, there is no effect, or ``max_seeds`` seeds do
            not reach the power.

    Example:
        >>> plan = plan_seeds(ShareModel(difference=6, seed_sd=3), n_simulations=2000)
        >>> plan.exact_seeds, abs(plan.n_seeds - plan.exact_seeds) <= 1
        (6, True)
    """
    scale = "share" if isinstance(model, ShareModel) else "logit"
    _check_settings(model, test, alpha, target, n_simulations, max_seeds, jobs)
    n_simulations = n_simulations or SIMULATIONS[scale, test]
    difference, seed_sd = model.implied
    with mapping(jobs) as mapped:
        run = _Simulations(model, test, alpha, n_simulations, seed, mapped, progress)
        n_seeds = _search(run, target, max_seeds)
        false_positives = run.null_point(n_seeds)
        points = tuple(run.points[n] for n in sorted(run.points))
    low = _crossing(points, [p.ci_high for p in points], target)
    return PowerPlan(
        assumptions=str(model),
        model=model,
        scale=scale,
        test=test,
        test_meaning=TESTS[test],
        alpha=alpha,
        target=target,
        seed=seed,
        difference=difference,
        seed_sd=seed_sd,
        formula_seeds=formula_seeds(difference, seed_sd, alpha, target),
        exact_seeds=exact_seeds(difference, seed_sd, alpha, target),
        n_seeds=n_seeds,
        n_seeds_low=min(n_seeds, low or n_seeds),
        n_seeds_high=_crossing(points, [p.ci_low for p in points], target),
        points=points,
        false_positives=false_positives,
        notes=(*notes, *_notes(model, test, alpha, false_positives)),
    )


@dataclass(frozen=True)
class _Task:
    """Simulations of one chunk."""

    model: Model
    test: Test
    alpha: float
    n_seeds: int
    n_simulations: int
    entropy: tuple[int, int]


def _simulate(task: _Task) -> tuple[int, int]:
    """Significant and undefined tests of a chunk."""
    p_values = simulated_p_values(
        task.model, task.test, task.n_seeds, task.n_simulations, task.entropy
    )
    return int((p_values < task.alpha).sum()), int(np.isnan(p_values).sum())


class _Simulations:
    """Simulates points of the curve and keeps them."""

    def __init__(
        self,
        model: Model,
        test: Test,
        alpha: float,
        n_simulations: int,
        seed: int,
        mapped: Mapped,
        progress: Progress,
    ) -> None:
        self.model, self.test, self.alpha, self.seed = model, test, alpha, seed
        self.n_simulations, self.mapped, self.progress = n_simulations, mapped, progress
        self.points: dict[int, PowerPoint] = {}
        self.n_done = 0

    def point(self, n_seeds: int) -> PowerPoint:
        """Power at one number of seeds."""
        if n_seeds not in self.points:
            self.points[n_seeds] = self._simulated(self.model, n_seeds)
        return self.points[n_seeds]

    def null_point(self, n_seeds: int) -> PowerPoint:
        """The same without an effect."""
        return self._simulated(self.model.null, n_seeds)

    def _simulated(self, model: Model, n_seeds: int) -> PowerPoint:
        words = 1 if isinstance(model, ShareModel) else model.n_words
        chunk = max(10, min(CHUNK[self.test], LARGE_CELLS // words))
        starts = range(0, self.n_simulations, chunk)
        tasks = [
            _Task(
                *(model, self.test, self.alpha, n_seeds),
                *(min(chunk, self.n_simulations - start), (self.seed, number)),
            )
            for number, start in enumerate(starts)
        ]
        # Seldom more than 20 numbers of seeds are tried.
        expected = max(20, len(self.points) + 2) * len(tasks)
        n_significant = n_undefined = 0
        for significant, undefined in self.mapped(_simulate, tasks):
            n_significant += significant
            n_undefined += undefined
            self.n_done += 1
            self.progress("simulations", self.n_done, expected)
        n, share = self.n_simulations, n_significant / self.n_simulations
        low, high = wilson(n_significant, n)
        return PowerPoint(
            n_seeds=n_seeds,
            n_simulations=n,
            n_significant=n_significant,
            n_undefined=n_undefined,
            power=share,
            std_error=math.sqrt(share * (1 - share) / n),
            ci_low=low,
            ci_high=high,
            analytic=analytic_power(n_seeds, *model.implied, self.alpha),
        )


def _search(run: _Simulations, target: float, max_seeds: int) -> int:
    """Fewest seeds whose simulated power reaches the target; simulates one grid value more."""
    below, grid = SMALLEST - 1, _grid(max_seeds)
    found = next((n for n in grid if run.point(n).power >= target), None)
    if found is None:
        last = run.points[max_seeds]
        raise ToolkitError(
            f"{max_seeds} seeds per group do not reach a power of {target:g}: {last.power:.3f} "
            f"(95 % interval {last.ci_low:.3f} to {last.ci_high:.3f}) for {run.model}.",
            allowed="more seeds, a larger effect; on the logit scale also more words or trials",
            next_command=f"--max-seeds {4 * max_seeds}",
        )
    beyond = [n for n in grid if n > found]
    if beyond:
        run.point(beyond[0])
    below = max([n for n in run.points if n < found], default=below)
    while found - below > 1:
        middle = (below + found) // 2
        if run.point(middle).power >= target:
            found = middle
        else:
            below = middle
    return found


def _grid(max_seeds: int) -> list[int]:
    """2, 3, then 5 and 7 doubled again and again, and the largest value.

    Example:
        >>> _grid(30)
        [2, 3, 5, 7, 10, 14, 20, 28, 30]
    """
    doubled = (start << power for power in range(max_seeds.bit_length()) for start in (5, 7))
    return sorted({n for n in (2, 3, *doubled, max_seeds) if n <= max_seeds})


def _crossing(points: tuple[PowerPoint, ...], values: list[float], target: float) -> int | None:
    """Fewest seeds at which values, interpolated over the points, reach the target."""
    for place, value in enumerate(values):
        if value >= target:
            if place == 0:
                return points[0].n_seeds
            before, n0, n1 = values[place - 1], points[place - 1].n_seeds, points[place].n_seeds
            return math.ceil(n0 + (n1 - n0) * (target - before) / (value - before))
    return None


def _notes(model: Model, test: Test, alpha: float, null: PowerPoint) -> Iterator[str]:
    if null.ci_low > alpha:
        yield (
            f"Without an effect the test is significant in {100 * null.power:.1f} % of experiments "
            f"rather than {100 * alpha:g} %: part of the power shown is false alarm."
        )
    if test == "welch" and not isinstance(model, ShareModel) and model.slope_sd:
        yield (
            "The effect varies from word to word, which a test over seed means cannot see: it "
            "speaks about these words only. For words in general plan with --test mixed."
        )
    if null.n_undefined:
        yield (
            "Tests without an effect that gave no p-value, and count as not significant: "
            f"{null.n_undefined} of {null.n_simulations}."
        )


def _check_settings(
    model: Model,
    test: Test,
    alpha: float,
    target: float,
    n_simulations: int | None,
    max_seeds: int,
    jobs: int,
) -> None:
    if model == model.null:
        raise ToolkitError(
            "There is no effect to find: no number of seeds finds a difference of 0.",
            given=str(model),
            allowed="a difference other than 0, an odds ratio other than 1",
        )
    if test not in TESTS:
        raise unknown_name("test", test, list(TESTS))
    if test == "mixed" and isinstance(model, ShareModel):
        raise ToolkitError(
            "A mixed model needs single answers, and the share scale has none.",
            next_command="state --odds-ratio and --base-accuracy rather than --difference",
        )
    for name, value, possible, allowed in (
        ("alpha", alpha, 0 < alpha < 1, "above 0, below 1"),
        ("power", target, alpha < target < 1, "above alpha, below 1"),
        ("number of simulations", n_simulations,
         n_simulations is None or 100 <= n_simulations <= RESAMPLES, f"100 to {RESAMPLES:,}"),
        ("largest number of seeds", max_seeds, SMALLEST <= max_seeds <= SEEDS,
         f"{SMALLEST} to {SEEDS:,}"),
        ("number of jobs", jobs, 1 <= jobs <= JOBS, f"1 to {JOBS:,}"),
    ):  # fmt: skip
        if not possible:
            raise ToolkitError(f"The {name} cannot be used.", given=f"{value:g}", allowed=allowed)
    if test == "mixed" and not isinstance(model, ShareModel):
        ceiling = power_of_words(model.n_words, model.effect, model.slope_sd, alpha)
        if ceiling < target:  # else slow fits of ever more seeds would go on to no end
            raise ToolkitError(
                f"No number of seeds reaches a power of {target:g}: the effect varies over "
                f"{count(model.n_words, 'word')}, which allows {ceiling:.2f} at most.",
                given=str(model),
                allowed="more words (--words), a larger effect or a smaller --slope-sd",
            )
