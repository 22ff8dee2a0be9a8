"""The summary of a run, the content of ``summary.json``: means over seeds, as they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.statistics.kinds import STATISTICS
from toolkit.statistics.means import Summary

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from toolkit.running.plan import Finished


def summarise(run: Finished, paradigm: BaseParadigm) -> Summary:
    """Summarise a run per population, test language and condition."""
    own = STATISTICS[paradigm.kind]
    return own.summary(
        run_id=run.directory.run_id,
        paradigm=paradigm.name,
        paradigm_version=paradigm.version,
        question=paradigm.question,
        paradigm_kind=paradigm.kind,
        **own.about(paradigm),
        stimuli=run.manifest["stimuli"],
        trials_per_class=run.manifest["trials_per_class"],
        trial_seed=run.manifest["trial_seed"],
        warnings=tuple(run.warnings),
        results=tuple(own.results(run.directory.trials_path, paradigm)),
    )
