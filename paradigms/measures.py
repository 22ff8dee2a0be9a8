"""Numbers that a paradigm of maps reads off, and what its analysis must know of each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stimuli.errors import ToolkitError, nearest_name

TAKEN = (
    *("run_id", "paradigm", "paradigm_version", "condition", "population", "n_languages"),
    *("train_languages", "seed", "test_language", "trial", "word_id", "word_concept"),
    *("target_id", "target_concept", "distractor_id", "distractor_concept", "n_choices"),
    *("target_position", "score_target", "score_distractor", "margin", "correct", "tie"),
    *("language", "concept", "picture", "resource", "high", "kept", "lost", "pointing"),
    *("mean", "sd", "std_error", "ci_low", "ci_high", "chance", "n_seeds", "n_trials", "n_ties"),
    *("seeds", "meaning", "headline"),
)
"""Names that the trials table, its analysis or its summary has for something else."""
POINTING = "pointing"
"""Name of the measure that the column ``correct`` stands for."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Measure:
    """A number that a paradigm of maps adds to every row of the trials table, as float32.

    What is declared here is all that statistics and reports know of it. The one measure that the
    paradigm's formula models is the primary one, about which the questions are answered.

    Example:
        >>> area = Measure("area", "pixels above half of the peak", unit="px", bounds=(0, 50_176))
        >>> area.label, area.noun, area.heading, area.values
        ('pixels above half of the peak', 'area', 'area (px)', '0 to 50176')
    """

    name: str
    """Name of the column: letters, digits and underscores."""
    meaning: str
    """What a value says, its unit included; NaN where it is not defined."""
    label: str = field(default="", kw_only=True)
    """The same in a few words, for sentences and figures; the meaning if empty."""
    noun: str = field(default="", kw_only=True)
    """What there is more or less of, e.g. ``overlap``; the name in words if empty."""
    heading: str = field(default="", kw_only=True)
    """Short heading of a column, with the unit; the name if empty."""
    unit: str = field(default="", kw_only=True)
    """Unit, e.g. ``px``; empty for plain numbers."""
    digits: int = field(default=3, kw_only=True)
    """Decimals in tables."""
    bounds: tuple[float, float] = field(default=(-math.inf, math.inf), kw_only=True)
    """What a value cannot leave; intervals are cut there."""
    chance: float | str | None = field(default=None, kw_only=True)
    """Chance level: a number, or the name of the measure that holds that of every map; None where
    there is none. Means per language are tested against it."""
    relative: bool = field(default=False, kw_only=True)
    """True if a value holds a map against that of the reference language, whose own says nothing
    then."""
    compared: bool = field(default=True, kw_only=True)
    """False for numbers that are told of and not compared between languages."""

    def __post_init__(self) -> None:
        """Fill in the texts that were not given."""
        unit = f" ({self.unit})" if self.unit else ""
        texts = {
            "label": self.meaning,
            "noun": self.name.replace("_", " "),
            "heading": f"{self.name}{unit}",
        }
        for name, text in texts.items():
            if not getattr(self, name):
                object.__setattr__(self, name, text)

    @property
    def span(self) -> float:
        """The largest difference that two values can have."""
        return self.bounds[1] - self.bounds[0]

    @property
    def values(self) -> str:
        """What values can be, in words."""
        low, high = self.bounds
        if self.bounded:
            return f"{low:g} to {high:g}"
        ends = [f"from {low:g}"] * math.isfinite(low) + [f"to {high:g}"] * math.isfinite(high)
        return " ".join(ends) or "any"

    @property
    def bounded(self) -> bool:
        """True if values end on both sides."""
        return math.isfinite(self.span)


def check_measures(measures: Sequence[Measure], who: str, pointing: Measure | None = None) -> None:
    """Refuse measures that cannot be told apart or understood.

    Args:
        measures: all of a paradigm.
        who: its name, for the message.
        pointing: what its column ``correct`` stands for, if anything.

    Raises:
        ToolkitError: listing every fault.

    Example:
        >>> check_measures([Measure("margin", "peak", bounds=(1, 0))], "mine")
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: The measures of the paradigm 'mine' cannot be used:
          - the bounds of margin, (1, 0), are no two numbers of which the second is the larger
          - margin is the name of something else in every trials table, analysis or summary
    """
    if not isinstance(measures, tuple | list) or not measures:
        faults = ["measures is no tuple that holds one or more: measures = (Measure(...),)"]
    else:
        every = [*measures, *([] if pointing is None else [pointing])]
        faults = [f"{one!r} is no Measure" for one in every if not isinstance(one, Measure)]
        if not faults:
            faults = [fault for one in every for fault in _faults(one, every)]
            taken = "is the name of something else in every trials table, analysis or summary"
            faults += [f"{one.name} {taken}" for one in measures if one.name in TAKEN]
            if pointing is not None and pointing.name != POINTING:
                faults.append(f"pointing is called {pointing.name!r}, not {POINTING!r}")
    if faults:
        raise ToolkitError(
            f"The measures of the paradigm {who!r} cannot be used:\n"
            + "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults))
        )


def _faults(measure: Measure, measures: Sequence[Measure]) -> Iterator[str]:
    name, names = measure.name, [one.name for one in measures]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"{name!r} is no name: letters, digits and underscores, a letter first"
        return
    if names.count(name) > 1:
        yield f"{name} is declared {names.count(name)} times"
    if not _are_bounds(measure.bounds):
        yield (
            f"the bounds of {name}, {measure.bounds}, are no two numbers of which the second is "
            "the larger"
        )
        return
    low, high = measure.bounds
    if isinstance(measure.chance, str):
        others = [other for other in names if other != name]
        if measure.chance not in others:
            near = nearest_name(measure.chance, others)
            yield f"the chance level of {name}, {measure.chance!r}, is no other measure" + (
                f" (is it {near}?)" if near else ""
            )
    elif measure.chance is not None and not low <= measure.chance <= high:
        yield f"the chance level of {name}, {measure.chance}, is not between {low} and {high}"


def _are_bounds(bounds: object) -> bool:
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        return False
    return all(isinstance(end, int | float) for end in bounds) and bounds[0] < bounds[1]
