"""Ask a trained model what child-language researchers ask a child.

Who is asked and what comes of it: subjects, training, running, storing, statistics, command line.
What a script or a notebook needs is offered here, and imported when it is first used::

    import toolkit

    run = toolkit.run_paradigm("me", ["bilingual-en-nl"])
    run.trials       # a DataFrame, one row per trial and network
    run.analyse()    # what may be concluded
    run.report()     # one page that stands alone
"""

from importlib import import_module
from typing import TYPE_CHECKING

from toolkit.hidden import refuse_hidden

if TYPE_CHECKING:
    from toolkit.api import (
        AllTriples,
        ChildComparison,
        LogitModel,
        MapParadigm,
        Paradigm,
        PicturePairs,
        Population,
        Run,
        ShareModel,
        Spaces,
        Statistics,
        StimulusSet,
        Subject,
        ToolkitError,
        TrendModel,
        __version__,
        analyse_runs,
        analyze_space,
        compare_children,
        compare_words,
        export_experiment,
        export_psych_ds,
        fit_mixed,
        import_responses,
        open_paradigm,
        open_population,
        open_run,
        open_set,
        plan_seeds,
        plan_trend,
        read_psych_ds,
        run_paradigm,
        score_all,
        write_report,
    )
    from toolkit.studies.offered import (
        Study,
        StudyResults,
        open_study,
        plan_study,
        preregistration,
        run_study,
    )

STUDIES = ("Study", "StudyResults", "open_study", "plan_study", "preregistration", "run_study")
"""What `toolkit.studies.offered` offers; everything else comes from `toolkit.api`."""
__all__ = [
    "AllTriples",
    "ChildComparison",
    "LogitModel",
    "MapParadigm",
    "Paradigm",
    "PicturePairs",
    "Population",
    "Run",
    "ShareModel",
    "Spaces",
    "Statistics",
    "StimulusSet",
    "Study",
    "StudyResults",
    "Subject",
    "ToolkitError",
    "TrendModel",
    "__version__",
    "analyse_runs",
    "analyze_space",
    "compare_children",
    "compare_words",
    "export_experiment",
    "export_psych_ds",
    "fit_mixed",
    "import_responses",
    "open_paradigm",
    "open_population",
    "open_run",
    "open_set",
    "open_study",
    "plan_seeds",
    "plan_study",
    "plan_trend",
    "preregistration",
    "read_psych_ds",
    "run_paradigm",
    "run_study",
    "score_all",
    "write_report",
]

refuse_hidden()

if not TYPE_CHECKING:  # names that are not offered are errors to a type checker, too

    def __getattr__(name: str) -> object:
        """What is offered here, imported when it is first asked for."""
        if name not in __all__:
            raise AttributeError(f"module 'toolkit' has no attribute {name!r}")
        module = "toolkit.studies.offered" if name in STUDIES else "toolkit.api"
        return getattr(import_module(module), name)

    def __dir__() -> list[str]:
        """What is offered here, beside what every module has."""
        return sorted({*globals(), *__all__})
