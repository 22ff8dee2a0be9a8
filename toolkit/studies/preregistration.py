"""The text that a registry asks for, from a study file: nothing is said that the file does not say.

What a test of the toolkit fixes by itself is said as well: conditions, models, corrections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from paradigms import LookingParadigm
from paradigms.formula import parse
from paradigms.registry import source_checksum
from toolkit.provenance import package_version
from toolkit.running.choices import DEFAULT_PER_CLASS
from toolkit.statistics.choices import condition_contrasts as conditions
from toolkit.statistics.choices import groups
from toolkit.statistics.looking.clusters import FEWEST
from toolkit.statistics.phrases import count
from toolkit.statistics.power.simulation import plan_seeds
from toolkit.statistics.power.trend import TrendModel, plan_trend
from toolkit.studies.samples import planning_model

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from toolkit.studies.study import Asked, Study

UNSAID = "*The study file does not say.*"
"""Stands where the file is silent."""
CORRECTION = (
    "p-values are corrected by Holm's method within each family of tests of a paradigm: all tests "
    "against chance; all tests of conditions against their controls; the groups compared per test "
    "language; and per bilingual population. Families hold every planned test, confirmatory or "
    "not. Groups compared over all languages are one test."
)
LOOKING = (
    "Looking is tested in the declared window, two-sided; over whole courses by cluster "
    "permutation over participants, one-sided, towards the target, with at least "
    f"{FEWEST} of them; and in the linear and quadratic terms of growth, two-sided. Each of the "
    "three is a family over all populations, languages and headline conditions; differences of "
    "conditions are two more, one of windows and one of courses."
)
GRADED = (
    "All slopes over the graded factors of a paradigm are one more family. Where their model does "
    "not converge, random slopes are left out."
)


def preregistration(study: Study) -> str:
    """The text as Markdown.

    Args:
        study: what `toolkit.studies.checks.read_study` gave.

    Raises:
        ToolkitError: the power that the file asks for cannot be reached.
    """
    return "\n".join(_lines(study)) + "\n"


def _lines(study: Study) -> Iterator[str]:
    about = study.file.study
    yield from (f"# {_text(about.title)}", "")
    yield f"- Study file: `{study.path.name}`, SHA-256 `{study.sha256}`"
    for name, checksum in study.files.items():
        yield f"- File that it names: `{name}`, SHA-256 `{checksum}`"
    yield f"- Written by mevgs-toolkit {package_version('mevgs-toolkit') or 'not installed'}"
    if about.preregistration:
        yield f"- Registered at {about.preregistration}"
    yield from _listed("Hypotheses", about.hypotheses)
    yield from ("", "## Design", "")
    yield from _training(study)
    for number, ask in enumerate(study.asks, 1):
        yield from _asked(number, ask)
    yield from _sample(study)
    yield from ("", "## Exclusions", "", _text(about.exclusions.strip()) or UNSAID)
    yield from _gates(study)
    yield from _analyses(study)
    yield from _listed("What would count against the hypotheses", about.against)
    if about.notes.strip():
        yield from ("", "## Notes", "", _text(about.notes.strip()))


def _text(text: str) -> str:
    """A text of the user's that is no markup."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def _listed(title: str, told: Sequence[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from (f"{number}. {_text(text)}" for number, text in enumerate(told, 1))
    if not told:
        yield UNSAID


def _training(study: Study) -> Iterator[str]:
    for table, grid in zip(study.file.train, study.grids, strict=True):
        yield (
            f"Trained before anyone is asked (`{table.grid}`, stimulus set {_text(grid.stimuli)}): "
            f"{count(len(grid.conditions), 'population')} of {count(len(grid.seeds), 'seed')} each "
            f"({', '.join(grid.seeds)})."
        )
        yield ""
        for condition in grid.conditions:
            heard = ", ".join(condition.languages) or "no language"
            yield f"- {_text(condition.name)}, trained on {heard}"
        yield ""


def _asked(number: int, ask: Asked) -> Iterator[str]:
    paradigm = ask.paradigm
    yield from (f"### {number}. {_text(ask.question)}", "")
    yield f"Question: {_text(paradigm.question)}"
    yield ""
    source = source_checksum(paradigm)
    yield f"- Paradigm: version {paradigm.version}, SHA-256 of its source `{source}`"
    yield f"- Stimuli: {_text(ask.stimuli.name)} {ask.stimuli.version}, `{ask.stimuli.checksum}`"
    for one in ask.populations:
        languages = ", ".join(ask.tested[one.name])
        yield (
            f"- Subjects: {_text(one.name)}, {count(len(one.seeds), 'network')} "
            f"({', '.join(one.seeds)}), tested in {languages or 'the languages of the word list'}"
        )
    if isinstance(paradigm, LookingParadigm):
        start, end = paradigm.window_ms
        yield f"- Window: {start} to {end} ms from the onset of the word"
    if ask.trial_seeds != (None,):
        n = ask.table.trials_per_class or DEFAULT_PER_CLASS
        seeds = ", ".join(map(str, ask.trial_seeds))
        yield f"- Trials: {n} per word class and condition, lists with the seeds {seeds}"
    for condition in paradigm.conditions:
        role = "test" if condition.headline else "control"
        yield f"- Condition `{condition.name}` ({role}): {_text(condition.meaning)}"
    yield ""


def _sample(study: Study) -> Iterator[str]:
    yield from ("## Sample size", "")
    networks = {
        f"{one.name}/{seed}" for ask in study.asks for one in ask.populations for seed in one.seeds
    }
    yield (
        f"{count(len(networks), 'network')} in all, as listed above. Seeds stand for participants."
    )
    yield ""
    told = study.file.power
    if told is None:
        yield f"Power calculation: {UNSAID}"
        return
    model = planning_model(told)
    if isinstance(model, TrendModel):
        trend = plan_trend(model, alpha=study.file.analysis.alpha, target=told.target)
        yield (
            f"Power calculation for a trend, by the noncentral t: {_text(trend.assumptions)}; "
            "logistic mixed model, small-sample t of the slope."
        )
        yield ""
        yield (
            f"{trend.n_seeds} seeds reach {100 * trend.power:.1f} % power (two-sided alpha "
            f"{trend.alpha:g}, wanted {100 * trend.target:g} %)."
        )
        return
    plan = plan_seeds(
        model,
        test=told.test,
        alpha=study.file.analysis.alpha,
        target=told.target,
    )
    answer, high = plan.answer, plan.n_seeds_high
    yield f"Power calculation, by simulation: {_text(plan.assumptions)}; {plan.test_meaning}."
    yield ""
    yield (
        f"{plan.n_seeds} seeds per group reach {100 * answer.power:.1f} % power (two-sided alpha "
        f"{plan.alpha:g}, wanted {100 * plan.target:g} %) in {answer.n_simulations} simulated "
        f"experiments; their error allows {plan.n_seeds_low} to "
        f"{'more than were simulated' if high is None else high}. By the noncentral t "
        f"{plan.exact_seeds}, by formula {plan.formula_seeds:.1f}."
    )
    for note in plan.notes:
        yield from ("", _text(note))


def _paradigms(study: Study) -> list[BaseParadigm]:
    return list({ask.paradigm.name: ask.paradigm for ask in study.asks}.values())


def _gates(study: Study) -> Iterator[str]:
    for paradigm in _paradigms(study):
        own = study.settings(paradigm).gate
        gate = (own.condition, own.minimum) if own else paradigm.gate
        if gate:
            yield ""
            yield (
                f"In {_text(paradigm.name)}, seeds below {100 * gate[1]:g} % in the condition "
                f"`{gate[0]}` in any test language are set aside; tests with all seeds are "
                "reported beside."
            )


def _analyses(study: Study) -> Iterator[str]:
    told = study.file.analysis
    yield from ("", "## Confirmatory analyses", "")
    yield from (f"{number}. {_text(test)}" for number, test in enumerate(study.confirmatory, 1))
    if not study.confirmatory:
        yield UNSAID
    yield ""
    paradigms = _paradigms(study)
    for paradigm in paradigms:
        against = ", against chance" if paradigm.kind == "choices" else ""
        if isinstance(paradigm, LookingParadigm):
            against = ", window"
            yield f"- Model of {_text(paradigm.name)}, growth: `{paradigm.growth}`"
        formula = paradigm.formula
        if paradigm.graded:
            yield f"- Model of {_text(paradigm.name)}, trend over a graded factor: `{formula}`"
            formula = str(parse(formula).at_one_level)
        yield f"- Model of {_text(paradigm.name)}{against}: `{formula}`"
    if any(paradigm.contrasts for paradigm in paradigms if paradigm.kind == "choices"):
        yield f"- Model of a condition against its control: {_model(conditions, 'plus')}"
    if any("bilingual - monolingual" in test for test in study.tests):
        yield f"- Model of bilingual against monolingual networks: {_model(groups, 'bilingual')}"
    yield f"- Level of the tests: {told.alpha:g}, two-sided"
    yield f"- Equivalence bound: {100 * told.equivalence_bound:g} percentage points"
    if told.bootstrap:
        yield f"- Parametric bootstrap: {count(told.bootstrap, 'simulation')}"
    yield f"- {CORRECTION}"
    if any(paradigm.graded for paradigm in paradigms):
        yield f"- {GRADED}"
    if any(isinstance(paradigm, LookingParadigm) for paradigm in paradigms):
        yield f"- {LOOKING}"
    yield from _others(study)


def _model(module: ModuleType, effect: str) -> str:
    """A model as the analysis declares it, and what it is reduced to."""
    first, second = module.RANDOM
    whole = f"`{module.COUNTS} ~ {effect} + {first}`"
    return f"{whole}; where that does not converge, random effects `{second}`"


def _others(study: Study) -> Iterator[str]:
    every = dict.fromkeys(test for own in study.tests.values() for test in own)
    rest = [test for test in every if test not in study.confirmatory]
    yield from ("", "## Exploratory analyses", "")
    yield "All other tests of the analysis:"
    yield ""
    yield from (f"- {_text(test)}" for test in rest)
