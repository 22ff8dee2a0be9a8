"""Tables, figures, methods and the terminal hold nothing impossible, whatever the results."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paradigms.mutual_exclusivity import MutualExclusivity
from reports.chapter import Chapter, R, RunFiles
from reports.choices.charts import SEED, accuracy
from reports.choices.contrast_charts import figures, paired
from reports.choices.methods import analysis as methods_of
from reports.choices.methods import in_order
from reports.console import print_analyses
from reports.figures import Figure
from reports.maps import methods
from reports.maps import tables as map_tables
from reports.numbers import interval
from reports.parts import Table
from reports.status import status_lines
from reports.tables import model_summaries, tables
from stimuli.schemas import Source
from tests.toolkit.statistics.random_grounding import grounding
from tests.toolkit.statistics.random_results import chance_family, comparisons, condition_family
from tests.toolkit.statistics.random_tables import SUBJECTS, TwoTests, random_trials
from tests.toolkit.statistics.saying import faults
from toolkit.records import read, write
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.counts import count_trials
from toolkit.statistics.choices.describe import seed_accuracy
from toolkit.statistics.choices.digest import WHO, no_choices
from toolkit.statistics.choices.forgetting import ForgettingRate
from toolkit.statistics.choices.gates import GateReport
from toolkit.statistics.choices.prose import forgetting_sentence
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.choices.summary import results_of
from toolkit.statistics.means import Summary
from toolkit.statistics.settings import Settings
from toolkit.tables.recorded import Git, Recorded, RecordedParadigm, RecordedSet

N_RESULTS, N_TABLES = 40, 6
"""Draws of results and of whole tables of trials."""
RUN = RunFiles(
    Path("run"),
    Recorded(
        run_id="run",
        git=Git(commit="0" * 40, dirty=False),
        status="complete",
        subjects={},
        paradigm=RecordedParadigm(name="me"),
        stimuli=RecordedSet(name="mini", version="1", checksum="x"),
    ),
    Summary(paradigm="me", paradigm_version=2, question="?", results=()),
)
LONE = re.compile(r"-?(nan|inf|None)|-0?\.?0+")
"""What no cell of a table may be."""


def chapter_of(statistics: R, trials: pd.DataFrame) -> Chapter[R]:
    """What the page takes, without a run; the statistics as they are read from a file."""
    results = results_of(seed_accuracy(trials), MutualExclusivity())
    who = trials[["population", "n_languages", "train_languages"]].drop_duplicates()
    subjects = trials[WHO].drop_duplicates()
    made: Chapter[R] = Chapter(
        paradigm="me", version=2, question="?", kind="choices", runs=(RUN,), results=tuple(results),
        digest=replace(no_choices(), populations=who, subjects=subjects), training=None,
    )  # fmt: skip
    made.__dict__["statistics"] = read(type(statistics), write(statistics), Source("a test"))
    return made


def rates_of(rng: np.random.Generator) -> Iterator[ForgettingRate]:
    """Forgetting rates of all kinds: none, nothing lost, all lost at once."""
    for problem in ("", "", "not above chance at once: there is nothing to forget"):
        rate = math.nan if problem else float(rng.choice([0.0, 1e-3, 0.25, 10.0]))
        yield ForgettingRate(
            population="p", test_language="en", since="other word", doses={"a": 0, "b": 2},
            accuracies={"a": 0.7, "b": 0.5}, chance=0.5, n_seeds=3,
            at_once=math.nan if problem else 0.7, rate=rate, ci_low=rate, ci_high=rate + 0.1,
            problem=problem,
        )  # fmt: skip


def drawn_results(rng: np.random.Generator, trials: pd.DataFrame) -> Chapter[Analysis]:
    """A chapter of results that no data need ever give, beside accuracies of some trials."""
    nothing = pd.DataFrame()
    statistics = Analysis(
        engine="glmm 0", paradigm="me", paradigm_version=2, question="?", sentences=("Gate.",),
        settings=Settings(), gate=GateReport("", 0.5, 0, ()), words=nothing,
        words_by_distractor=nothing, consistency=nothing, lists=nothing, draws=nothing,
        chance=tuple(chance_family(rng)), conditions=tuple(condition_family(rng)),
        groups=tuple(comparisons(rng)), chance_all_seeds=tuple(chance_family(rng)),
        conditions_all_seeds=tuple(condition_family(rng)),
        groups_all_seeds=tuple(comparisons(rng)), trends=(), trends_all_seeds=(),
        forgetting=tuple(rates_of(rng)),
    )  # fmt: skip
    return chapter_of(statistics, trials)


def drawn_trials(seed: int) -> Chapter[Analysis]:
    """A chapter of the analysis of a table of trials."""
    trials = random_trials(np.random.default_rng(seed))
    asked = TwoTests if seed % 3 == 0 else MutualExclusivity
    return chapter_of(analyse(count_trials(trials), asked), trials)


@pytest.fixture(scope="module")
def chapters() -> list[Chapter[Analysis]]:
    rng = np.random.default_rng(0)
    trials = random_trials(rng)
    drawn = [drawn_results(rng, trials) for _ in range(N_RESULTS)]
    return [*drawn, *map(drawn_trials, range(N_TABLES))]


@pytest.fixture(scope="module")
def drawings(chapters: list[Chapter[Analysis]]) -> list[list[Figure]]:
    return [[accuracy(chapter), *figures(chapter)] for chapter in chapters]


def all_tables(chapter: Chapter[Analysis]) -> Iterator[Table]:
    yield from tables(chapter)
    for model in model_summaries(chapter):
        yield from (model.fixed, model.random)


def test_cells_hold_no_missing_numbers_and_no_empty_intervals(
    chapters: list[Chapter[Analysis]],
) -> None:
    found = []
    for table in itertools.chain.from_iterable(map(all_tables, chapters)):
        assert all(len(row) == len(table.columns) for row in table.rows)
        for cell in itertools.chain.from_iterable(table.rows):
            found += [f"{table.name}: {cell}"] * bool(LONE.fullmatch(cell))
            found += faults(cell)
        found += faults(table.note) + faults(table.title)
    assert not found, "\n".join(found[:20])


def test_parts_of_a_page_have_names_of_their_own(
    chapters: list[Chapter[Analysis]], drawings: list[list[Figure]]
) -> None:
    for chapter, drawn in zip(chapters, drawings, strict=True):
        for names in (
            [table.name for table in tables(chapter)],
            [figure.name for figure in drawn],
            [model.name for model in model_summaries(chapter)],
        ):
            assert len(set(names)) == len(names)


def test_no_p_holm_without_a_verdict(chapters: list[Chapter[Analysis]]) -> None:
    seen = set()
    for table in itertools.chain.from_iterable(map(tables, chapters)):
        if "Verdict" in table.columns:
            verdict, holm = (table.columns.index(name) for name in ("Verdict", "p Holm"))
            for row in table.rows:
                seen.add(row[verdict])
                assert (row[holm] == "-") == (row[verdict] in ("too few", "no test")), row
    assert seen == {"higher", "LOWER", "not shown", "too few", "no test"}


def test_figures_can_be_drawn_and_say_what_they_show(drawings: list[list[Figure]]) -> None:
    drawn = list(itertools.chain.from_iterable(drawings))
    assert len(drawn) > len(drawings)
    for figure in drawn:
        assert not faults(figure.alt) + faults(figure.caption) + faults(figure.title)
        # Infinite numbers cannot be drawn.
        json.dumps(figure.spec(), allow_nan=False)
        assert "95 % interval" in figure.caption


def test_methods_and_status_hold_nothing_impossible(chapters: list[Chapter[Analysis]]) -> None:
    for chapter in chapters:
        said = [*methods_of(chapter)]
        for test in (*chapter.statistics.chance, *chapter.statistics.conditions):
            if test.fit and test.fit.converged:
                assert in_order(test.fit.fitted_formula) in said[0]
        assert ("two more trials per group" in " ".join(said)) == any(
            model.name.endswith(", penalised") for model in model_summaries(chapter)
        )
        said += [line.text for line in status_lines([chapter])]
        assert not [fault for text in said for fault in faults(text)]


def test_the_terminal_shows_nothing_impossible(
    chapters: list[Chapter[Analysis]], capsys: pytest.CaptureFixture[str]
) -> None:
    for chapter in chapters:
        print_analyses({"me": chapter.statistics}, None)
        out = capsys.readouterr().out
        lines = [re.sub(r" {2,}", " | ", line) for line in out.splitlines()]
        assert not [fault for line in lines for fault in faults(line)]
        cells = [cell for line in lines for cell in line.split(" | ")]
        assert not [cell for cell in cells if LONE.fullmatch(cell)]


def test_maps_are_told_without_missing_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    trials = random_trials(np.random.default_rng(0))
    for seed in range(N_RESULTS):
        chapter = chapter_of(grounding(np.random.default_rng(seed)), trials)
        shown = [*map_tables.tables(chapter)]
        shown += [part for own in map_tables.models(chapter) for part in (own.fixed,)]
        for cell in (cell for table in shown for row in table.rows for cell in row):
            assert not LONE.fullmatch(cell)
            assert not faults(cell)
        print_analyses({"dense-grounding": chapter.statistics}, None)
        said = [*capsys.readouterr().out.splitlines(), *methods.analysis(chapter)]
        lines = [re.sub(r" {2,}", " | ", line) for line in said]
        assert not [fault for line in lines for fault in faults(line)]


def test_an_interval_that_leaves_out_a_value_is_printed_so() -> None:
    assert interval(0.0003, 0.2, 100, mark=0.0) == "[0.03, 20.00]"
    assert interval(0.5, 0.5, 100) == "-"
    assert interval(-math.inf, math.inf) == "-"


def test_dots_are_the_seeds_that_the_test_compares() -> None:
    """Of one kind of subjects, and without those that failed the gate."""
    kind_of = {population: kind for population, _, kind in SUBJECTS}
    n_shown, kinds, gated = 0, set(), 0
    for chapter in map(drawn_trials, range(20)):
        failed = {(seed, spoken) for seed, spoken, _ in chapter.statistics.gate.failed}
        gated += len(failed)
        for group in chapter.statistics.groups:
            figure = paired(chapter, group)
            if figure is None or group.condition != "novel-familiar":
                continue
            dots = figure.data[figure.data["shown"] == SEED]
            kinds.add(group.subject_kind)
            assert set(dots["population"].map(kind_of)) <= {group.subject_kind}
            for model in group.by_language or (group.overall,):
                if not model.means:
                    continue
                language = model.test_language
                own = dots[dots["test_language"] == language]
                shown = own["training"].value_counts()
                compared = model.seeds.n_first, model.seeds.n_second
                assert (shown["bilingual"], shown["monolingual"]) == compared
                names = own["population"] + "/" + own["seed"]
                assert not {(name, language) for name in names} & failed
                n_shown += len(own)
    assert n_shown
    assert gated
    assert kinds == {"model", "child"}


def test_forgetting_is_told_without_impossible_numbers() -> None:
    rng = np.random.default_rng(0)
    said = [forgetting_sentence(rate) for _ in range(20) for rate in rates_of(rng)]
    assert not [fault for sentence in said for fault in faults(sentence)]
    assert any("nothing is seen to be lost" in sentence for sentence in said)
    assert any("no rate (not above chance" in sentence for sentence in said)
