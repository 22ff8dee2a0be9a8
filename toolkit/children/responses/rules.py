"""Who is taken and who is not: rules that are fixed in advance, told, and applied in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolkit.children.responses.folder import Damaged
from toolkit.children.responses.matching import Experiment, Other
from toolkit.children.responses.sessions import Session
from toolkit.errors import ToolkitError
from toolkit.statistics.phrases import count

TAKEN = "taken"
REASONS = (
    "damaged", "other experiment", "same session", "age", "practice", "incomplete",
    "repeated participant",
)  # fmt: skip
"""Why a session is not taken; of several, the first."""
YEARS = 12.0
"""Ages in months below which years are meant: infants neither press keys nor touch pictures."""


HALF = 0.5
"""Share of practice trials that must be right where nothing says another."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a session must be like to be taken."""

    min_age_months: float | None = None
    """Youngest age; None for no bound."""
    max_age_months: float | None = None
    """Oldest age."""
    min_practice: float | None = None
    """Smallest share of practice trials that must be right, the last answer to each counting; None
    for what the experiment itself asked for, or half where nothing says."""
    min_trials: int | None = None
    """Fewest test trials that must be answered; None for all of the list."""
    ages_in_years: bool = False
    """Ages were told in years."""

    def __post_init__(self) -> None:
        low, high = self.min_age_months, self.max_age_months
        if low is not None and high is not None and low > high:
            raise ToolkitError(
                "No age lies between these bounds.",
                given=f"from {low:g} to {high:g} months",
                allowed="a youngest age that is not above the oldest",
            )

    def told(self, experiment: Experiment) -> str:
        """The rules in a sentence.

        Args:
            experiment: whose lists have so many trials.
        """
        low, high = self.min_age_months, self.max_age_months
        ages = "at any age"
        if low is not None or high is not None:
            known = (("from", low), ("up to" if low is None else "to", high))
            ends = [f"{word} {age:g}" for word, age in known if age is not None]
            ages = f"{' '.join(ends)} months old"
        return (
            f"Taken are children {ages}, with at least {self._practice(experiment)} practice "
            f"trials right and {self.needed(experiment)} test trials answered, each child once."
        )

    def _practice(self, experiment: Experiment) -> str:
        asked = experiment.practice_needed
        if self.min_practice is None and asked is not None:
            return f"{asked} of {experiment.n_practice or asked}"
        return f"{HALF if self.min_practice is None else self.min_practice:.0%} of"

    def practice_needed(self, n: int, experiment: Experiment) -> float:
        """Practice trials that must be right.

        Args:
            n: practice trials that there were to be.
            experiment: which may say it itself.
        """
        if self.min_practice is not None:
            return self.min_practice * n
        return HALF * n if experiment.practice_needed is None else experiment.practice_needed

    def needed(self, experiment: Experiment) -> int:
        """Test trials that must be answered.

        Args:
            experiment: whose lists have so many trials.
        """
        return self.min_trials if self.min_trials is not None else experiment.n_test or 1


@dataclass(frozen=True)
class Judged:
    """What became of a session, or of a file without one."""

    file: str
    """Where it was found."""
    reason: str
    """`TAKEN`, or one of `REASONS`."""
    detail: str = ""
    """More on it, and further reasons."""
    session: Session | None = None
    """The session; None for a file that cannot be read."""
    age_months: float | None = None
    """Age of the child; None if it was not told."""

    @property
    def n_answered(self) -> int:
        """Test trials that were answered."""
        rows = self.session.part("test") if self.session else []
        return sum(bool(row["chosen_id"]) for row in rows)

    @property
    def n_practice(self) -> tuple[int, int]:
        """Practice trials whose last answer was right, and all of them."""
        last = {row["trial"]: row["correct"] for row in self.session.part("practice")} if (
            self.session
        ) else {}  # fmt: skip
        return sum(value == "1" for value in last.values()), len(last)


def ages_of(sessions: Sequence[Session], rules: Rules) -> dict[Session, float]:
    """Ages in months, where they were told.

    Args:
        sessions: any sessions.
        rules: say whether ages are years, and the youngest age.

    Raises:
        ToolkitError: an age is no number, or looks like years; every such session is named.
    """
    made, wrong, years = {}, [], []
    for session in sessions:
        text = session.rows[0]["age_months"].replace(",", ".")
        if not text:
            continue
        try:
            age = float(text)
        except ValueError:
            wrong.append(f"{session.file}: {session.rows[0]['age_months']!r}")
            continue
        if not 0 <= age < float("inf"):
            wrong.append(f"{session.file}: {text}")
        elif rules.ages_in_years:
            made[session] = age * 12
        elif age < YEARS and not (rules.min_age_months is not None and age >= rules.min_age_months):
            years.append(f"{session.file}: {text}")
        else:
            made[session] = age
    if wrong:
        raise ToolkitError(
            f"The age of {count(len(wrong), 'session')} is no number of months:\n  - "
            + "\n  - ".join(wrong),
            allowed="months, with a decimal point if need be: 42 for three and a half years",
            next_command="the same command with --recode 'age_months:3;6=42'",
        )
    if years:
        raise ToolkitError(
            f"The age of {count(len(years), 'session')} looks like years, not months:\n  - "
            + "\n  - ".join(years),
            allowed=f"months from {YEARS:g} on, or from --min-age-months on",
            next_command="the same command with --ages years if all are years, or with "
            "--recode age_months:3.5=42 for single ones",
        )
    return made


def judged(
    sessions: Sequence[Session], ages: dict[Session, float], rules: Rules, experiment: Experiment
) -> list[Judged]:
    """Apply the rules to sessions of one experiment.

    Of several sessions of a child, the first that nothing else speaks against is taken.

    Args:
        sessions: each once.
        ages: in months, see `ages_of`.
        rules: the rules.
        experiment: what tells how many trials there are.
    """
    found = []
    for session in sorted(sessions, key=lambda one: (one.started_at, one.session_id)):
        one = Judged(session.file, TAKEN, "", session, ages.get(session))
        why = _reasons(one, rules, experiment)
        if why:
            detail = "; ".join([why[0][1], *(f"also {reason}: {more}" for reason, more in why[1:])])
            one = replace(one, reason=why[0][0], detail=detail)
        found.append(one)
    return _once(found)


def _reasons(one: Judged, rules: Rules, experiment: Experiment) -> list[tuple[str, str]]:
    low, high, age = rules.min_age_months, rules.max_age_months, one.age_months
    why = []
    if age is None and (low is not None or high is not None):
        why.append(("age", "the age was not told"))
    elif age is not None and low is not None and age < low:
        why.append(("age", f"{age:g} months, younger than {low:g}"))
    elif age is not None and high is not None and age > high:
        why.append(("age", f"{age:g} months, older than {high:g}"))
    right, n = one.n_practice
    asked = max(n, experiment.n_practice or 0)
    if asked and right < rules.practice_needed(asked, experiment):
        why.append(("practice", f"{right} of {asked} practice trials right"))
    needed = rules.needed(experiment)
    if one.n_answered < needed:
        why.append(("incomplete", f"{one.n_answered} test trials answered, {needed} needed"))
    return why


def _once(found: Sequence[Judged]) -> list[Judged]:
    """Each child once: the first session that nothing else speaks against."""
    first: dict[str, Judged] = {}
    for one in found:
        if one.reason == TAKEN and one.session is not None:
            first.setdefault(one.session.participant_id, one)
    made = []
    for one in found:
        kept = first.get(one.session.participant_id) if one.session else None
        if (
            one.reason == TAKEN
            and kept is not None
            and kept is not one
            and kept.session is not None
        ):
            made.append(
                replace(
                    one,
                    reason="repeated participant",
                    detail=f"session {kept.session.session_id} in {kept.file} was taken",
                )
            )
        elif kept is one and found.index(one) and _earlier(found, one):
            made.append(replace(one, detail="an earlier session of this child was not taken"))
        else:
            made.append(one)
    return made


def _earlier(found: Sequence[Judged], one: Judged) -> bool:
    """Whether a child had begun before."""
    return any(
        other.session is not None
        and one.session is not None
        and other.session.participant_id == one.session.participant_id
        for other in found[: found.index(one)]
    )


def set_aside(
    damaged: Sequence[Damaged], others: Sequence[Other], copies: Sequence[Judged]
) -> list[Judged]:
    """What was left out before the rules were applied.

    Args:
        damaged: files that cannot be read.
        others: sessions of other experiments.
        copies: further files of sessions that are taken.
    """
    made = [Judged(one.file, "damaged", one.why) for one in damaged]
    made += [Judged(one.session.file, "other experiment", one.why, one.session) for one in others]
    return [*made, *copies]


def tally(found: Sequence[Judged]) -> str:
    """How many sessions were taken, and why others were not.

    Args:
        found: all sessions and files.

    Example:
        >>> tally([Judged("a", "taken"), Judged("b", "age"), Judged("c", "age")])
        '1 session taken; left out: age 2.'
    """
    counts = Counter(one.reason for one in found)
    left = [f"{reason} {counts[reason]}" for reason in REASONS if counts[reason]]
    taken = f"{count(counts[TAKEN], 'session')} taken"
    return f"{taken}; left out: {', '.join(left)}." if left else f"{taken}; nothing was left out."
