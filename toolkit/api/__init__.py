"""What a script or a notebook does with the toolkit; `toolkit` itself offers every name.

The commands are thin calls of this package: what can be asked, and what is refused, is the same.
"""

from paradigms import MapParadigm, Paradigm, PicturePairs
from paradigms.registry import get_paradigm as open_paradigm
from stimuli import StimulusSet, open_set
from toolkit.api.children import ChildComparison, compare_children
from toolkit.api.datasets import export_psych_ds, read_psych_ds
from toolkit.api.experiments import export_experiment
from toolkit.api.responses import import_responses
from toolkit.api.results import Run, Statistics, analyse_runs, open_run, write_report
from toolkit.api.running import run_paradigm
from toolkit.api.spaces import Spaces, analyze_space
from toolkit.api.triples import AllTriples, score_all
from toolkit.api.words import compare_words
from toolkit.errors import ToolkitError
from toolkit.provenance import package_version
from toolkit.statistics.models.mixed import fit_mixed
from toolkit.statistics.power.models import LogitModel, ShareModel
from toolkit.statistics.power.simulation import plan_seeds
from toolkit.statistics.power.trend import TrendModel, plan_trend
from toolkit.subjects.contract import Subject
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_population

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
    "plan_seeds",
    "plan_trend",
    "read_psych_ds",
    "run_paradigm",
    "score_all",
    "write_report",
]

__version__ = package_version("mevgs-toolkit") or "not installed"
