"""The summary of a run: what is printed, as data with stable names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.statistics.kinds import STATISTICS

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from toolkit.running.plan import Finished

SUMMARY_SCHEMA = 1
"""Raised when a key of the summary changes its meaning."""


def summarise(run: Finished, paradigm: BaseParadigm) -> dict[str, Any]:
    """Summarise a run per population, test language and condition.

    Returns:
        A dictionary that JSON can hold; its keys are listed in the README. Numbers that do not
        exist (the interval of a single seed) are None.
    """
    own = STATISTICS[paradigm.kind]
    return {
        "schema": SUMMARY_SCHEMA,
        "run_id": run.directory.run_id,
        "paradigm": paradigm.name,
        "paradigm_version": paradigm.version,
        "question": paradigm.question,
        "paradigm_kind": paradigm.kind,
        **own.about(paradigm),
        "stimuli": run.manifest["stimuli"],
        "trials_per_class": run.manifest["trials_per_class"],
        "trial_seed": run.manifest["trial_seed"],
        "warnings": list(run.warnings),
        "results": own.results(run.directory.trials_path, paradigm),
    }
