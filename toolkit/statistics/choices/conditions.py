"""Conditions that a table names against those that its paradigm knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from paradigms import BaseParadigm


def condition_notes(
    present: Iterable[str], paradigm: type[BaseParadigm] | BaseParadigm
) -> list[str]:
    """Say which conditions of a table are none of its paradigm, and which may be meant.

    Args:
        present: conditions of the table.
        paradigm: the paradigm that the table names.

    Example:
        >>> from paradigms.mutual_exclusivity import MutualExclusivity
        >>> condition_notes(["novel-familiar"], MutualExclusivity)
        []
        >>> note, = condition_notes(["Novel familiar"], MutualExclusivity)
        >>> note.partition(";")[0]
        "Condition 'Novel familiar' is none of the paradigm me (is it novel-familiar?)"
    """
    known = [condition.name for condition in paradigm.conditions]
    notes = []
    for name in sorted(set(map(str, present)) - set(known)):
        near = nearest_name(name, known)
        notes.append(
            f"Condition {name!r} is none of the paradigm {paradigm.name}"
            + (f" (is it {near}?)" if near else "")
            + f"; it knows {', '.join(known)}. Rename it: import-trials --recode "
            f"'condition:{name}={near or known[0]}'."
        )
    return notes


def require_test(present: Sequence[str], paradigm: type[BaseParadigm] | BaseParadigm) -> None:
    """Refuse answers among which no condition is the test itself: there is nothing to analyse.

    Args:
        present: conditions of the answers.
        paradigm: the paradigm that they name.

    Raises:
        ToolkitError: if none of the paradigm's tests is among them.
    """
    tests = [condition.name for condition in paradigm.conditions if condition.headline]
    if not tests or set(tests) & set(present):
        return
    known = [condition.name for condition in paradigm.conditions]
    strange = [str(name) for name in present if name not in known]
    near = {name: nearest_name(name, tests) for name in strange}
    old = next((name for name in strange if near[name]), strange[0] if strange else "")
    raise ToolkitError(
        f"None of the conditions is the test of the paradigm {paradigm.name!r}.",
        given=", ".join(map(str, present)),
        nearest=near.get(old),
        allowed=f"{', '.join(tests)} and its controls "
        + ", ".join(name for name in known if name not in tests),
        next_command="mevgs-toolkit import-trials FILE ... --recode "
        + quoted(f"condition:{old}={near[old] or tests[0]}")
        if old
        else "mevgs-toolkit table RUN --conditions all, which shows the controls",
    )


def choices_notes(counts: pd.DataFrame) -> list[str]:
    """Say where the number of options differs within a test, since chance then does, too.

    Example:
        >>> import pandas as pd
        >>> choices_notes(pd.DataFrame({
        ...     "condition": "nf", "population": "p", "test_language": "en",
        ...     "n_choices": [2, 4], "n_trials": [30, 10],
        ... }))
        ['p in en, nf: trials offered 2 or 4 options; chance is the mean over trials, 43.8 %.']
    """
    notes = []
    cell = ["population", "test_language", "condition"]
    for (population, language, condition), own in counts.groupby(cell, observed=True):
        options = sorted(map(int, own["n_choices"].unique()))
        if len(options) > 1:
            chance = (own["n_trials"] / own["n_choices"]).sum() / own["n_trials"].sum()
            notes.append(
                f"{population} in {language}, {condition}: trials offered "
                f"{' or '.join(map(str, options))} options; chance is the mean over trials, "
                f"{100 * chance:.1f} %."
            )
    return notes
