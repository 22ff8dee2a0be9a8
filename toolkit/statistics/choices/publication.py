"""The table of a paper: population by test language, mean with its uncertainty over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paradigms.registry import find_paradigms
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.conditions import choices_notes, condition_notes
from toolkit.statistics.choices.describe import accuracy_over_seeds
from toolkit.statistics.choices.lists import list_sentences, list_variation
from toolkit.statistics.choices.seed_tables import read_seeds, seeds_once, seeds_over_lists
from toolkit.statistics.kinds import GROUP
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from paradigms import BaseParadigm, Condition

Conditions = Literal["headline", "all"]
"""The tests themselves, or also their controls."""


@dataclass(frozen=True)
class Cell:
    """One population in one language and condition; accuracies are shares of 1."""

    n_seeds: int
    """Seeds (participants)."""
    n_trials: int
    """Trials of all seeds together."""
    n_ties: int
    """Ties among them; they count as wrong."""
    mean: float
    """Mean of the seeds' accuracies."""
    std_error: float | None
    """Standard deviation over seeds / sqrt(n_seeds); None for a single seed."""
    ci_low: float | None
    """Lower end of the interval over seeds (`toolkit.statistics.models.student.share_interval`);
    None for a single seed, and where all seeds answer alike."""
    ci_high: float | None
    """Upper end."""
    chance: float | None
    """Chance level; None where the number of choices is not known."""


@dataclass(frozen=True)
class Heading:
    """One column of the table: a condition of a paradigm."""

    paradigm: str
    """Name of the paradigm; empty for answers from elsewhere that name none."""
    paradigm_version: int
    """Its version; versions are never pooled."""
    condition: str
    """Name of the condition."""
    meaning: str
    """What is said and shown; empty where not known."""
    title: str
    """Shortest name that tells this column from the others."""
    chance: tuple[float, float] | None
    """Lowest and highest chance level in this column; None where not known."""


@dataclass(frozen=True)
class Row:
    """One line of the table: a population in a test language."""

    test_language: str
    """ISO code of the words said."""
    population: str
    """Name of the population."""
    training: tuple[str, ...] | None
    """Languages of training; empty if untrained, None if not known (children)."""
    cells: tuple[Cell | None, ...]
    """One per heading; None where the population was not tested so."""


@dataclass(frozen=True)
class PublicationTable:
    """Test language and population by condition; everything a renderer needs."""

    headings: tuple[Heading, ...]
    """The columns."""
    rows: tuple[Row, ...]
    """The lines, by test language, then by number of training languages."""
    level: float
    """Confidence level of the intervals."""
    warnings: tuple[str, ...]
    """What the reader must know, in sentences."""


def publication_table(
    sources: Sequence[str | Path | pd.DataFrame],
    *,
    conditions: Conditions = "headline",
    paradigms: str | Path | None = None,
    level: float = 0.95,
) -> PublicationTable:
    """Make the table of a paper from one or several runs, laid out as in arXiv 2506.04037, table 1.

    Means, standard errors and intervals are over seeds: they speak about further seeds trained
    alike and the same items. The same seed, test and answers in two sources count once; runs that
    differ in their trial list alone are added up per seed.

    Args:
        sources: run folders, trials tables or long tables.
        conditions: ``headline`` for the tests themselves, ``all`` for their controls as well.
            Tables that name no known paradigm are shown whole.
        paradigms: folder with paradigm files of the user's own.
        level: confidence level.

    Raises:
        ToolkitError: if a source cannot be read, if two sources give different answers for the
            same seed and test, or if nothing is left to show.

    Example:
        >>> import pandas as pd
        >>> answers = pd.DataFrame({
        ...     "source": "run", "paradigm": "me", "paradigm_version": 1, "population": "p",
        ...     "seed": ["a", "a", "b", "b"], "test_language": "en", "condition": "novel-familiar",
        ...     "word_concept": "ball", "n_choices": 2, "correct": [1, 1, 1, 0],
        ... })
        >>> cell = publication_table([answers]).rows[0].cells[0]
        >>> cell.n_seeds, cell.mean, cell.std_error, cell.chance
        (2, 0.75, 0.25, 0.5)
    """
    import pandas as pd

    if not sources:
        raise ToolkitError("No run was given.", allowed="one or several run folders")
    own = Path(paradigms) if paradigms is not None else None
    read, notes = read_seeds(sources, own)
    by_list, repeated = seeds_once(read)
    seeds = seeds_over_lists(by_list)
    known = find_paradigms(paradigms)
    used = list(_columns(seeds, conditions, known))
    seeds = pd.concat([rows for _, rows in used], ignore_index=True)
    means = accuracy_over_seeds(seeds, level)
    headings = _headings([key for key, _ in used], means, known)
    rows = tuple(_rows(means, headings, {k: v for one in read for k, v in one.training.items()}))
    shown = [heading.condition for heading in headings]
    return PublicationTable(
        headings=headings,
        rows=rows,
        level=level,
        warnings=(
            *_warnings(rows, repeated, {key[0] for key, _ in used} - set(known)),
            *list_sentences(list_variation(by_list), shown),
            *(note for one in read for note in choices_notes(one.choices_of(shown))),
            *_unknown_conditions(by_list, known),
            *notes,
            *_mixed_stimuli([one.source.manifest for one in read]),
        ),
    )


def _unknown_conditions(
    seeds: pd.DataFrame, known: Mapping[str, type[BaseParadigm]]
) -> Iterator[str]:
    for paradigm, own in seeds.groupby("paradigm"):
        if str(paradigm) in known:
            yield from condition_notes(own["condition"].unique(), known[str(paradigm)])


def _columns(
    seeds: pd.DataFrame, conditions: Conditions, known: Mapping[str, type[BaseParadigm]]
) -> Iterator[tuple[tuple[str, int, str], pd.DataFrame]]:
    """The conditions to show, in the order of sources and of the paradigm, with their seeds."""
    key_columns = ["paradigm", "paradigm_version", "condition"]
    names: list[tuple[str, int, str]] = [*seeds[key_columns].itertuples(index=False, name=None)]
    found = {key: seeds[[name == key for name in names]] for key in dict.fromkeys(names)}
    for paradigm, version in dict.fromkeys((key[0], key[1]) for key in found):
        present = [key[2] for key in found if key[:2] == (paradigm, version)]
        declared = _declared(known, paradigm)
        wanted = [name for name in declared if conditions == "all" or declared[name].headline]
        if not set(wanted) & set(present) or conditions == "all":
            wanted = [*wanted, *(name for name in present if name not in wanted)]
        for condition in wanted:
            if condition in present:
                key = (paradigm, version, condition)
                yield key, found[key]


def _declared(known: Mapping[str, type[BaseParadigm]], paradigm: str) -> dict[str, Condition]:
    conditions = known[paradigm].conditions if paradigm in known else ()
    return {condition.name: condition for condition in conditions}


def _headings(
    keys: Sequence[tuple[str, int, str]],
    means: pd.DataFrame,
    known: Mapping[str, type[BaseParadigm]],
) -> tuple[Heading, ...]:
    versions = {(paradigm, version) for paradigm, version, _ in keys}
    made = []
    for paradigm, version, condition in keys:
        name = paradigm
        if sum(other == paradigm for other, _ in versions) > 1:
            name = f"{paradigm} v{version}"
        alone = sum(key[:2] == (paradigm, version) for key in keys) == 1
        title = name if name and alone and paradigm in known else condition
        if name and title == condition and len(versions) > 1:
            title = f"{name}: {condition}"
        declared = _declared(known, paradigm).get(condition)
        own = means[
            (means["paradigm"] == paradigm)
            & (means["paradigm_version"] == version)
            & (means["condition"] == condition)
        ]
        levels = own["chance"].dropna()
        made.append(
            Heading(
                paradigm=paradigm,
                paradigm_version=version,
                condition=condition,
                meaning=declared.meaning if declared else "",
                title=title,
                chance=(float(levels.min()), float(levels.max())) if len(levels) else None,
            )
        )
    return tuple(made)


def _rows(
    means: pd.DataFrame,
    headings: Sequence[Heading],
    training: Mapping[str, tuple[str, ...] | None],
) -> Iterator[Row]:
    cells = {tuple(row[name] for name in GROUP): _cell(row) for row in means.to_dict("records")}
    order: dict[str, int] = {}
    for population in means["population"]:
        order.setdefault(population, len(order))

    def place(pair: tuple[str, str]) -> tuple[object, ...]:
        language, population = pair
        known = training.get(population)
        # Trained on this language first, then on others, then untrained, then unknown.
        kind = 3 if known is None else 2 if not known else int(language not in known)
        return language, kind, len(known or ()), order[population]

    pairs = dict.fromkeys(zip(means["test_language"], means["population"], strict=True))
    for language, population in sorted(pairs, key=place):
        known = training.get(population)
        yield Row(
            test_language=language,
            population=population,
            training=known,
            cells=tuple(
                cells.get((h.paradigm, h.paradigm_version, population, language, h.condition))
                for h in headings
            ),
        )


def _cell(row: Mapping[Any, Any]) -> Cell:
    exact = {
        name: None if math.isnan(row[name]) else float(row[name])
        for name in ("std_error", "ci_low", "ci_high", "chance")
    }
    return Cell(
        n_seeds=int(row["n_seeds"]),
        n_trials=int(row["n_trials"]),
        n_ties=int(row["n_ties"]),
        mean=float(row["mean"]),
        **exact,
    )


def _warnings(rows: Sequence[Row], repeated: int, unknown: set[str]) -> Iterator[str]:
    cells = [cell for row in rows for cell in row.cells if cell is not None]
    if any(cell.n_seeds == 1 for cell in cells):
        yield "A single seed has no standard error and no interval."
    if any(cell.n_seeds > 1 and cell.ci_low is None for cell in cells):
        yield "Seeds that all answer alike have no interval."
    if repeated:
        given = f"{count(repeated, 'result')} given in more than one source"
        yield f"{given} {'is' if repeated == 1 else 'are'} counted once."
    for name in sorted(unknown - {""}):
        yield f"Paradigm {name} is not known here; all its conditions are shown."


def _mixed_stimuli(manifests: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say so if the runs used different stimulus sets."""
    used = {}
    for manifest in manifests:
        stimuli = manifest.get("stimuli")
        if isinstance(stimuli, dict) and "checksum" in stimuli:
            checksum = str(stimuli["checksum"])
            used[checksum] = f"{stimuli.get('name')} {stimuli.get('version')} ({checksum[:8]})"
    if len(used) > 1:
        yield f"The runs used different stimulus sets: {', '.join(sorted(used.values()))}."
