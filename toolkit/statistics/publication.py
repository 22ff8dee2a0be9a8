"""The table of a paper: population by test language, mean with its uncertainty over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paradigms.registry import find_paradigms
from toolkit.errors import ToolkitError
from toolkit.kinds import kind_of, kind_of_rows, refuse_other_kinds
from toolkit.statistics.describe import GROUP, accuracy_over_seeds, seed_accuracy
from toolkit.statistics.longtable import column_faults, read_run
from toolkit.store import RunDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from paradigms import BaseParadigm, Condition

Conditions = Literal["headline", "all"]
"""The tests themselves, or also their controls."""
SHOWN = 3
"""Examples named in a fault."""


@dataclass(frozen=True)
class Cell:
    """One population in one language and condition; accuracies are shares of 1."""

    n_seeds: int
    """Seeds (participants)."""
    n_trials: int
    """Trials of all seeds together."""
    n_ties: int
    """Ties among them; they count as not correct."""
    mean: float
    """Mean of the seeds' accuracies."""
    std_error: float | None
    """Standard deviation over seeds / sqrt(n_seeds); None for a single seed."""
    ci_low: float | None
    """Lower end of the t interval over seeds; None for a single seed."""
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
    alike and the same items. The same seed, test and answers in two sources count once.

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
    read = [_seeds_of(source, own) for source in sources]
    seeds, repeated = _joined([seeds for seeds, _ in read])
    known = find_paradigms(paradigms)
    used = list(_columns(seeds, conditions, known))
    seeds = pd.concat([rows for _, rows in used], ignore_index=True)
    means = accuracy_over_seeds(seeds, level)
    headings = _headings([key for key, _ in used], means, known)
    rows = tuple(_rows(means, headings, {k: v for _, t in read for k, v in t.items()}))
    return PublicationTable(
        headings=headings,
        rows=rows,
        level=level,
        warnings=(
            *_warnings(rows, repeated, {key[0] for key, _ in used} - set(known)),
            *_mixed_stimuli(sources),
        ),
    )


def _seeds_of(
    source: str | Path | pd.DataFrame,
    paradigms: Path | None,
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...] | None]]:
    """Accuracy of every seed of one source, and the languages its populations were trained on."""
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        name, table = "a table", source
        faults = column_faults([*map(str, table.columns), "source", "word_concept"])
        if faults:
            raise ToolkitError("A table cannot be shown:\n  - " + "\n  - ".join(faults))
        refuse_other_kinds(kind_of_rows(table, paradigms), name, "mevgs-toolkit report RUN")
    else:
        kind = kind_of(Path(source), paradigms)
        refuse_other_kinds(kind, str(source), f"mevgs-toolkit report {source}")
        name, table = str(source), read_run(source, ["n_choices", "tie", "train_languages"])
    # Answers from elsewhere lack these; in a table of children and networks, the children do.
    for key, value in (("paradigm", ""), ("paradigm_version", 0), ("tie", False)):
        if key not in table:
            table = table.assign(**{key: value})
        elif table[key].isna().any():
            table = table.assign(**{key: _filled(table[key], value)})
    if "n_choices" not in table:
        table = table.assign(n_choices=math.nan)
    seeds = seed_accuracy(table).assign(given_in=name)
    training: dict[str, tuple[str, ...] | None] = {}
    if "train_languages" in table:
        pairs = table[["population", "train_languages"]].drop_duplicates()
        for population, languages in pairs.itertuples(index=False, name=None):
            training[str(population)] = (
                (tuple(str(languages).split("+")) if languages else ())
                if isinstance(languages, str)
                else None
            )
    return seeds, training


def _filled(values: pd.Series, value: str | int) -> pd.Series:
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype) and value not in values.cat.categories:
        values = values.cat.add_categories([value])
    return values.fillna(value)


def _joined(tables: Iterable[pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    """All seeds once; how many were given more than once.

    Raises:
        ToolkitError: if the same seed and test have different answers in two sources.
    """
    import pandas as pd

    key = [*GROUP, "seed"]
    parts = [table.astype({n: str for n in key if n != "paradigm_version"}) for table in tables]
    seeds = pd.concat(parts, ignore_index=True).astype({"paradigm_version": int})
    again = seeds.duplicated(key)
    same = seeds.duplicated([*key, "n_trials", "n_correct", "n_ties"])
    if (again & ~same).any():
        shown = []
        for row in seeds[again & ~same].head(SHOWN).to_dict("records"):
            is_row = (seeds[key] == pd.Series({name: row[name] for name in key})).all(axis=1)
            where = [
                f"{100 * other['accuracy']:.1f} % of {other['n_trials']} in {other['given_in']}"
                for other in seeds[is_row].to_dict("records")
            ]
            what = f"{row['paradigm']} {row['condition']}".strip()
            shown.append(
                f"{row['population']}/{row['seed']}, {row['test_language']}, {what}: "
                + "; ".join(where)
            )
        raise ToolkitError(
            f"{int((again & ~same).sum())} results are given twice and differ:\n  - "
            + "\n  - ".join(shown),
            allowed="runs with the same trials, or different populations, languages or paradigms",
        )
    return seeds[~again], int(again.sum())


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
    bounds = [bound for cell in cells for bound in (cell.ci_low, cell.ci_high) if bound is not None]
    if any(bound < 0 or bound > 1 for bound in bounds):
        yield "Intervals are symmetric and are not cut at 0 and 100 %."
    if repeated:
        yield f"{repeated} results given in more than one source are counted once."
    for name in sorted(unknown - {""}):
        yield f"Paradigm {name} is not known here; all its conditions are shown."


def _mixed_stimuli(sources: Sequence[str | Path | pd.DataFrame]) -> Iterator[str]:
    """Say so if the runs, as far as they are run folders, used different stimulus sets."""
    used = {}
    for source in sources:
        if isinstance(source, (str, Path)) and Path(source).is_dir():
            folder = Path(source)
            stimuli = RunDirectory(folder.parent, folder.name).read_manifest().get("stimuli", {})
            if "checksum" in stimuli:
                name = f"{stimuli.get('name')} {stimuli.get('version')}"
                used[stimuli["checksum"]] = f"{name} ({stimuli['checksum'][:8]})"
    if len(used) > 1:
        yield f"The runs used different stimulus sets: {', '.join(sorted(used.values()))}."
