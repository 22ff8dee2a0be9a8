"""A paradigm as an experiment for children, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli import StimulusSet, open_set
from stimuli.limits import EXPERIMENT, TRIALS_PER_CLASS
from toolkit.api.checks import as_named, optional, several, whole, within
from toolkit.children.exporting.experiment import CHILDREN, Choices, Sending
from toolkit.children.exporting.folder import FORMATS, Exported
from toolkit.children.exporting.folder import export_experiment as write
from toolkit.children.lists import PRACTICE_TRIALS, Asked
from toolkit.errors import unknown_name
from toolkit.running.choices import DEFAULT_PER_CLASS

if TYPE_CHECKING:
    from paradigms import BaseParadigm


def export_experiment(
    paradigm: str | BaseParadigm,
    out: str | Path | None = None,
    *,
    form: str = "jspsych",
    language: str = "en",
    stimuli: str | Path | StimulusSet | None = None,
    n_trials: int | None = None,
    n_practice: int = PRACTICE_TRIALS,
    practice_right: int | None = None,
    conditions: str | Sequence[str] = (),
    familiar_twice: bool = False,
    n_children: int = CHILDREN,
    trial_seed: int = 0,
    trials_per_class: int = DEFAULT_PER_CLASS,
    silence_s: float = Choices.silence_s,
    limit_s: float = Choices.limit_s,
    text_language: str = "",
    jspsych: str | Path = "",
    send: str = "",
    paradigms_dir: str | Path | None = None,
) -> Exported:
    """Write a paradigm as an experiment for children, asked trials of the list that models are.

    Args:
        paradigm: a test with two pictures a trial: its name, or what `open_paradigm` gave.
        out: folder to write; ``PARADIGM-FORM`` if nothing is said.
        form: ``jspsych``, ``psychopy`` or ``lookit``.
        language: of the words.
        stimuli: a set, its name or its folder; by default the paradigm's own.
        n_trials: test trials of a child; None for 16, or as many as there are concepts for.
        n_practice: trials for practice.
        practice_right: of these, how many must be right for the test to begin; None for more than
            half, 0 for no gate.
        conditions: of the test; by default those that tell the result, and the gate's.
        familiar_twice: a child may see a familiar concept twice, once named and once beside
            another.
        n_children: children for whom coverage is worked out.
        trial_seed: seed of the paradigm's own lists.
        trials_per_class: trials per word class and condition in them.
        silence_s: seconds with both pictures before the word.
        limit_s: seconds for an answer, from the word's onset.
        text_language: of the texts on the screen; by default the words'.
        jspsych: folder with jsPsych's npm packages, or ``cdn``; by default cache or npm.
        send: where the page sends answers: ``datapipe:ID`` or an address.
        paradigms_dir: folder with paradigm files of your own.

    Returns:
        ``folder``, ``files`` (bytes by name), ``experiment`` (its lists, design and texts) and
        ``notes``, what one should know.

    Raises:
        ToolkitError: the paradigm or the set will not do, a number is out of range, texts or
            jsPsych are missing, or the folder holds something else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = export_experiment("familiar", f"{folder}/toys", form="psychopy", n_trials=3)
        >>> made.experiment.lists.n_test, "conditions.csv" in made.files
        (3, True)
    """
    if form not in FORMATS:
        raise unknown_name("format", form, [*FORMATS])
    test = as_named(paradigm, optional(paradigms_dir))
    if n_trials is not None:
        whole("n_trials", n_trials, 1, EXPERIMENT)
    usual = n_practice // 2 + 1 if whole("n_practice", n_practice, 0, EXPERIMENT) else 0
    asked = Asked(
        language=language,
        n_test=n_trials,
        n_practice=n_practice,
        conditions=tuple(several(conditions)),
        familiar_twice=familiar_twice,
        trial_seed=whole("trial_seed", trial_seed, 0),
        per_class=whole("trials_per_class", trials_per_class, 1, TRIALS_PER_CLASS),
    )
    choices = Choices(
        silence_s=within("silence_s", silence_s, 0, 60),
        limit_s=within("limit_s", limit_s, 1, 600),
        practice_needed=usual
        if practice_right is None
        else whole("practice_right", practice_right, 0, EXPERIMENT),
        text_language=text_language,
        n_children=whole("n_children", n_children, 1, EXPERIMENT),
        jspsych=str(jspsych),
        sending=Sending.of(send),
    )
    if not isinstance(stimuli, StimulusSet):
        stimuli = open_set(stimuli or test.default_set)
    return write(test, stimuli, Path(out or f"{test.name}-{form}"), form, asked, choices)
