"""Children beside models: what is known of children is read, and runs are set beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.children.text import print_comparison
from reports.notebook import text_of
from reports.page import Options, write_figures
from reports.page import write_report as write_page
from stimuli.limits import RESAMPLES
from toolkit.api.checks import optional, whole
from toolkit.api.results import Run, Runs, folders_of
from toolkit.children.reference.looking import read_looking, trial_names
from toolkit.children.reference.metalab import METALAB_SOURCE, MetaLab, read_metalab
from toolkit.children.reference.shipped import (
    LEWIS_SOURCE,
    NOVEL_FAMILIAR,
    PEEKBANK_SOURCE,
    lewis2020,
    peekbank_by_age,
)
from toolkit.errors import ToolkitError
from toolkit.processes.threads import one_thread
from toolkit.records import plain
from toolkit.statistics.children.ages import AgeGroup, by_half_year
from toolkit.statistics.children.bands import bands
from toolkit.statistics.children.curve import curve_of_studies, curve_of_trials
from toolkit.statistics.children.items import CHILD, match_items
from toolkit.statistics.children.looking import match_looking
from toolkit.statistics.children.results import AgeComparison, Comparison, Study
from toolkit.statistics.children.words import answers
from toolkit.statistics.choices.counts import read_counts
from toolkit.statistics.phrases import count
from toolkit.tables.longtable import read_whole
from toolkit.tables.parquet import parquet_names
from toolkit.tables.runs import manifest_of, runs_once, trials_file

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd


ME, FAMILIAR = "novel-familiar", "familiar-familiar"
"""Conditions that children were asked too: of `me`, and of `familiar`."""
LEWIS, PEEKBANK, METALAB = "Lewis et al. 2020, exp. 1", "Peekbank, looking", "MetaLab, studies"
"""Children as legends name them."""
LEWIS_MONTHS = 24, 48
"""Ages that experiment 1 of Lewis et al. (2020) was made for."""


def compare_children(
    runs: Runs | Run | str | Path,
    *,
    metalab: str | Path | None = None,
    looking: str | Path | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    paradigms_dir: str | Path | None = None,
) -> ChildComparison:
    """Set models beside children: by age, and item by item where children answered the same words.

    Runs of `me` stand beside children of Lewis et al. (2020) and, with MetaLab's file, beside a
    meta-regression over studies; runs of `familiar` beside looking by age (Peekbank). Tables of
    children among ``runs`` (``subject_kind`` child, written by ``import-trials``) are matched with
    the models word by word.

    Args:
        runs: runs of `me` or `familiar`, their folders, and tables of children.
        metalab: MetaLab's ``mutual_exclusivity.csv``, which is not included.
        looking: CSV of children's shares of looking: ``word_concept``, ``distractor_concept``,
            ``looking_share``, ``age_months`` (or ``age_group``), and ``child`` where single
            children are known; matched with the runs' condition ``familiar-familiar``.
        n_bootstrap: resamples of every interval.
        seed: of resamples and of halves of the children.
        paradigms_dir: folder with paradigm files of your own.

    Raises:
        ToolkitError: no run asked either test, a file cannot be read, or tables of children share
            no word with the models.
    """
    n_resamples = whole("n_bootstrap", n_bootstrap, 100, RESAMPLES)
    first = whole("seed", seed, 0)
    places, _ = runs_once(folders_of(runs))
    return ChildComparison(
        places,
        _compared(places, optional(metalab), optional(looking), n_resamples, first,
                  optional(paradigms_dir)),
        optional(paradigms_dir),
    )  # fmt: skip


@one_thread()
def _compared(
    places: Sequence[Path],
    metalab: Path | None,
    looking: Path | None,
    n_bootstrap: int,
    seed: int,
    own: Path | None,
) -> Comparison:
    studies = read_metalab(metalab) if metalab else None
    seen = read_looking(looking) if looking else None
    counts = read_counts(places, own)
    children = _children(places)
    tests, sources = [], []
    if len(asked := bands(counts, ME)):
        tests.append(_mutual_exclusivity(asked, studies, _groups(children, ME)))
        sources += [LEWIS_SOURCE] + ([METALAB_SOURCE] if studies else [])
    if len(asked := bands(counts, FAMILIAR)):
        tests.append(AgeComparison(FAMILIAR, None, (), (*_peekbank(), *_groups(children, FAMILIAR)),
                                asked))  # fmt: skip
        sources.append(PEEKBANK_SOURCE)
    if not tests:
        raise ToolkitError(
            "None of these runs asked models a test that children are known to have taken.",
            given=", ".join(sorted(set(counts["condition"].astype(str)))),
            allowed=f"runs of 'me' (condition {ME}) or 'familiar' (condition {FAMILIAR})",
            next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl --subject "
            "untrained",
        )
    if studies is not None and tests[0].condition != ME:
        raise ToolkitError(
            "MetaLab's studies are of mutual exclusivity, and no run asked models that.",
            given=str(metalab),
            allowed=f"a run of 'me' (condition {ME}) among the runs, or no --metalab",
            next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
        )
    with_children = (counts["subject_kind"].astype(str) == CHILD).any()
    items = match_items(counts, n_bootstrap=n_bootstrap, seed=seed) if with_children else ()
    looked = (
        match_looking(seen, _margins(places), n_bootstrap=n_bootstrap, seed=seed)
        if seen is not None
        else ()
    )
    return Comparison(
        tests=tuple(tests),
        items=items,
        looking=looked,
        answers=answers(tests, items, looked),
        sources=tuple(sources),
    )


def _mutual_exclusivity(
    asked: Sequence[Any], studies: MetaLab | None, more: Sequence[AgeGroup]
) -> AgeComparison:
    """The test of mutual exclusivity: children of one study, and of many where they are at hand."""
    trials = lewis2020()
    trials = trials[trials["trial_type"] == NOVEL_FAMILIAR]
    young, old = LEWIS_MONTHS
    groups = (*by_half_year(trials, LEWIS, young, old), *more)
    if studies is None:
        within = trials[trials["age_months"].between(young, old)]
        return AgeComparison(ME, curve_of_trials(within, LEWIS), (), groups, tuple(asked))
    curve = curve_of_studies(studies.typical, METALAB)
    points = (
        Study(str(row["paper"]), apart, row["age_months"], row["share"], int(row["n_children"]))
        for apart, table in ((False, studies.typical), (True, studies.multilingual))
        for row in table.to_dict("records")
    )
    return AgeComparison(ME, curve, tuple(points), groups, tuple(asked), _read(studies))


def _read(studies: MetaLab) -> tuple[tuple[str, str], ...]:
    """What was read of MetaLab, and what was not."""
    n_papers = studies.typical["paper"].nunique()
    told = [
        f"MetaLab: {count(len(studies.typical), 'condition')} of {count(n_papers, 'paper')} "
        "make the curve "
        "(random-effects meta-regression on log age)."
    ]
    apart = studies.multilingual
    if len(apart):
        shares = ", ".join(f"{100 * share:.0f}" for share in apart["share"])
        ages = ", ".join(dict.fromkeys(f"{age:.0f}" for age in apart["age_months"]))
        told.append(
            f"Multilingual children stand apart, {shares} % at {ages} months "
            f"({count(apart['paper'].nunique(), 'paper')}): too few to compare them with others."
        )
    if studies.left_out:
        parts = ", ".join(f"{why} ({n})" for why, n in studies.left_out.items())
        total = sum(studies.left_out.values())
        told.append(f"Of its {count(studies.n_rows, 'row')} {total} were left out: {parts}.")
    notes = [("What was read of the studies, and what was not?", " ".join(told))]
    if studies.suspects:
        named = "; ".join(
            f"row {one.row}, {one.paper}: {one.sd:.3f}, where {one.why}" for one in studies.suspects
        )
        notes.append(
            (
                "Are there numbers in the studies that cannot be right?",
                "Standard deviations that look like standard errors, which makes effect sizes "
                f"from them too large: {named}. The curve rests on shares and numbers of trials, "
                "and on none of these.",
            )
        )
    return tuple(notes)


def _peekbank() -> tuple[AgeGroup, ...]:
    return tuple(
        AgeGroup(PEEKBANK, row["age_months"], row["looking_share"], row["ci_low"], row["ci_high"],
                 int(row["n_children"]))
        for row in peekbank_by_age().to_dict("records")
    )  # fmt: skip


def _children(places: Sequence[Path]) -> list[pd.DataFrame]:
    """Tables of children among what was given, where they tell ages."""
    found = []
    for path in places:
        if manifest_of(path):
            continue
        file = trials_file(path)
        if file.suffix.lower() == ".csv" or not {"age_months", "subject_kind"} <= set(
            parquet_names(file)
        ):
            continue
        table = read_whole(file)
        found.append(table[table["subject_kind"].astype(str) == CHILD])
    return found


def _groups(children: Sequence[pd.DataFrame], condition: str) -> tuple[AgeGroup, ...]:
    """Children of tables that were given, by half-year."""
    made: list[AgeGroup] = []
    for table in children:
        own = table[(table["condition"].astype(str) == condition) & table["age_months"].notna()]
        for name, group in own.groupby("population", observed=True):
            answers = group.assign(child=group["seed"].astype(str))
            made += by_half_year(answers, f"{name}, this table", at_mean_age=True)
    return tuple(made)


def _margins(places: Sequence[Path]) -> pd.DataFrame:
    """What models of the runs make of every trial with two familiar things."""
    import pandas as pd

    from toolkit.tables.trials import read_trials

    wanted = ["population", "test_language", "condition", "word_concept", "distractor_concept",
              "margin"]  # fmt: skip
    runs = [read_trials(trials_file(path))[wanted] for path in places if manifest_of(path)]
    table = pd.concat(runs, ignore_index=True) if runs else pd.DataFrame(columns=wanted)
    own = table[table["condition"].astype(str) == FAMILIAR]
    if own.empty:
        raise ToolkitError(
            "Looking is matched with models that heard familiar words, and no run asked that.",
            given=", ".join(sorted(set(table["condition"].astype(str)))) or "no run",
            allowed=f"a run of 'familiar' (condition {FAMILIAR}) among the runs",
            next_command="mevgs-toolkit run-paradigm familiar --subject bilingual-en-nl",
        )
    return own.assign(
        trial=trial_names(own),
        population=own["population"].astype(str),
        test_language=own["test_language"].astype(str),
    )


class ChildComparison:
    """Children beside models: numbers, sentences, figures, a page."""

    def __init__(
        self, folders: Sequence[Path], results: Comparison, paradigms_dir: Path | None = None
    ) -> None:
        self.folders = tuple(folders)
        """Runs and tables that it is of."""
        self.results = results
        """Everything, as records."""
        self._paradigms = paradigms_dir

    @property
    def answers(self) -> tuple[tuple[str, str], ...]:
        """Questions and what may be concluded."""
        return self.results.answers

    @property
    def told(self) -> dict[str, Any]:
        """Everything, as ``compare-children --format json`` prints it."""
        content: dict[str, Any] = plain(self.results)
        return content

    def figures(self, folder: str | Path) -> list[str]:
        """Write every figure as SVG, PNG and CSV.

        Args:
            folder: where; made if it is missing.

        Returns:
            Names of the figures, to which the endings are added.

        Raises:
            ToolkitError: they cannot be written there.
        """
        from reports.children.charts import figures

        return write_figures(figures(self.results), "children", Path(folder))

    def report(self, out: str | Path, *, title: str = "", n_trials: int = 0) -> Path:
        """Write the page about the runs, with a section on children.

        Args:
            out: the file to write.
            title: of the page.
            n_trials: trials in the gallery of each paradigm; 0 for no gallery.

        Returns:
            The file written.

        Raises:
            ToolkitError: the runs cannot be told of, or the file cannot be written.
        """
        options = Options(
            n_trials=n_trials, title=title, paradigms=self._paradigms, children=self.results
        )
        return write_page(self.folders, Path(out), options)

    def show(self) -> None:
        """Print what ``compare-children`` prints."""
        print_comparison(self.results)

    def __repr__(self) -> str:
        """What ``compare-children`` prints."""
        return text_of(self.show)
