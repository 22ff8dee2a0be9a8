"""One ``[[ask]]`` of a study file: what it names is looked up, as ``run-paradigm`` does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from paradigms import LookingParadigm, MapParadigm, Paradigm
from paradigms.registry import get_paradigm
from stimuli import list_sets, open_set
from stimuli.faults import Location
from stimuli.schemas import Source, checked
from toolkit.api.checks import usual_set
from toolkit.errors import ToolkitError, nearest_name, quoted, unknown_name
from toolkit.running.capabilities import TOLD, can, require
from toolkit.running.choices import languages_of, trial_rng
from toolkit.running.kinds import RUNNING
from toolkit.running.subject_refs import SubjectRef
from toolkit.studies.file import Ask
from toolkit.studies.names import beside
from toolkit.studies.study import Asked
from toolkit.subjects.clip.names import is_model_name
from toolkit.subjects.frozen import SEED
from toolkit.subjects.population import LIST_COMMAND, Population
from toolkit.subjects.populations import (
    find_population,
    look_for_populations,
    nearest_subject,
    open_populations,
)

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from stimuli import StimulusSet
    from toolkit.training.conditions import Condition
    from toolkit.training.sources import Source as TrainingSource

OPTIONS = {
    "trials_per_class": "trials_per_class", "trial_seeds": "trial_seed", "words": "words",
    "templates": "template",
}  # fmt: skip
"""Keys that mean something to one kind of paradigm alone, as `RUNNING` calls them."""
NETWORK = "toolkit.subjects.vgs.subject:load_subject"
"""Makes the networks that are trained; they hear words and look at pictures, and no more."""
HEARS, CAN = ("Subject",), ("ReadsText", "SeesPlaces")
"""What they can do, and what published models can."""


@dataclass(frozen=True)
class Asking:
    """What all asks of a study share."""

    base: Path
    """Folder of the study file."""
    paradigms: Path | None
    """Folder with paradigms of one's own."""
    trained: Mapping[str, Population]
    """Populations that the study trains, by name: see `stands_for`."""
    unsure: bool = False
    """Whether it trains others, which are not known: some grid is at fault."""
    sets: dict[tuple[str, Path | None], StimulusSet] = field(default_factory=dict)
    """Stimulus sets that were opened, by name and word list: each is read once."""


def stands_for(condition: Condition, seeds: Sequence[str], source: TrainingSource) -> Population:
    """What stands for a population that is yet to be trained: it can be planned with, not asked.

    Args:
        condition: the population.
        seeds: names of its seeds.
        source: what it is trained on.
    """
    drawn = condition.draws.of(source.outline().concepts) if condition.draws else {}
    return Population(
        name=condition.name,
        languages=condition.languages,
        seeds=tuple(condition.subjects(seeds)),
        description="Trained by this study.",
        factory=_not_there,
        stimuli=source.name if drawn else "",
        familiar=drawn,
    )


Told = tuple[Location, ToolkitError | str, dict[str, str | None]]
"""Where in the table, what is wrong, and what is told besides."""


def look_at_ask(
    table: Mapping[str, Any], lacking: Collection[str], asking: Asking
) -> tuple[Asked | None, list[Told]]:
    """An ask with all that it names, or everything that is wrong with it.

    Args:
        table: as it stands in the file, without what does not fit its schema.
        lacking: keys that are without value for this reason.
        asking: what all asks share.

    Returns:
        The ask; None if something is wrong, here or with the schema. And what is.
    """
    looking = _Looking(table, asking)
    found = looking.asked(whole=not lacking)
    return found, looking.told


class _Looking:
    def __init__(self, table: Mapping[str, Any], asking: Asking) -> None:
        self.table, self.asking = table, asking
        self.told: list[Told] = []
        self.look = cache(look_for_populations)

    def _tell(self, inside: Location, fault: ToolkitError | str, **parts: str | None) -> None:
        self.told.append((inside, fault, parts))

    def asked(self, *, whole: bool) -> Asked | None:
        paradigm = self._paradigm()
        subjects = self._subjects() if whole or "subjects" in self.table else []
        populations = [population for _, _, population in subjects]
        stimuli = self._stimuli(paradigm, populations) if paradigm else None
        if paradigm:
            self._options(paradigm)
            for number, name, population in subjects:
                self._capable(paradigm, number, name, population)
        if not (paradigm and stimuli):
            return None
        tested = self._tested(paradigm, stimuli, populations)
        if self.told or not (whole and subjects):
            return None
        return Asked(
            table=checked(Ask, dict(self.table), Source("ask")),
            paradigm=paradigm,
            stimuli=stimuli,
            names=tuple(name for _, name, _ in subjects),
            populations=tuple(populations),
            tested=tested,
        )

    def _paradigm(self) -> BaseParadigm | None:
        if "paradigm" not in self.table:
            return None
        try:
            return get_paradigm(self.table["paradigm"], self.asking.paradigms)
        except ToolkitError as error:
            self._tell(("paradigm",), error)
            return None

    def _stimuli(
        self, paradigm: BaseParadigm, populations: Sequence[Population]
    ) -> StimulusSet | None:
        given, words = self.table.get("stimuli"), self.table.get("words")
        key = "paradigm" if given is None else "stimuli"
        if words is not None and not (self.asking.base / words).is_file():
            self._tell(("words",), "is no file", given=words,
                       allowed="a list of written words (TOML), beside the study file")  # fmt: skip
            words = None
        try:
            usual = given or usual_set(populations, paradigm.default_set)
            name = beside(self.asking.base, usual, list_sets())
            written = None if words is None else self.asking.base / words
            opened = self.asking.sets.get((name, written)) or open_set(name, written)
            _ = opened.checksum
            self.asking.sets[name, written] = opened
        except ToolkitError as error:
            self._tell((key,), error)
            return None
        return opened

    def _options(self, paradigm: BaseParadigm) -> None:
        own = RUNNING[paradigm.kind]
        for key, option in OPTIONS.items():
            if key in self.table and option not in own.options:
                self._tell((key,), f"means nothing here: {own.others} {paradigm.name!r}",
                           given=str(self.table[key]), allowed="the same without it",
                           next_command="mevgs-toolkit list paradigms")  # fmt: skip

    def _subjects(self) -> list[tuple[int, str, Population]]:
        """Every subject with its position in the list and the name that opens it."""
        found: list[tuple[int, str, Population]] = []
        by_name: dict[str, list[Population]] = {}
        seen: set[str] = set()
        every = self.table.get("subjects", [*self.asking.trained])
        if not every and not self.asking.unsure:
            self._tell(("subjects",), "is lacking: the study trains no population",
                       allowed="a list of populations", next_command=LIST_COMMAND)  # fmt: skip
        for number, given in enumerate(every):
            steps = ("subjects", number)
            try:
                name, population = self._subject(given)
                if population is None:
                    continue
                open_populations([*by_name.get(population.name, ()), population])
            except ToolkitError as error:
                self._tell(steps, error)
                continue
            networks = {f"{population.name}/{seed}" for seed in population.seeds}
            if networks & seen:
                self._tell(steps, f"names {min(networks & seen)} a second time", given=given,
                           allowed="every network once")  # fmt: skip
            seen |= networks
            by_name.setdefault(population.name, []).append(population)
            found.append((number, name, population))
        return found

    def _subject(self, given: str) -> tuple[str, Population | None]:
        """What opens a subject, and the subject; None if a grid at fault may be to train it."""
        known = self.look()
        name, (place, slash, seed) = given, given.rpartition("/")
        if given.partition("/")[0] not in known.known:
            name = beside(self.asking.base, given)
            if name == given and slash:
                name = f"{beside(self.asking.base, place)}/{seed}"
        population = self._trained(given) or find_population(name, look=self.look)
        if population is None and not self.asking.unsure:
            every = [*self.asking.trained, *known.known]
            error = unknown_name("population", given, every, LIST_COMMAND)
            error.nearest = nearest_subject(given, every)
            raise error
        return name, population

    def _trained(self, given: str) -> Population | None:
        """A population that the study trains, or one of its seeds; None if it trains none such."""
        name, slash, seed = given.partition("/")
        if name not in self.asking.trained:
            return None
        trained = self.asking.trained[name]
        if slash and seed not in trained.seeds:
            raise unknown_name(f"seed of population {name!r}", seed, trained.seeds)
        return replace(trained, seeds=(seed,)) if slash else trained

    def _capable(
        self, paradigm: BaseParadigm, number: int, name: str, population: Population
    ) -> None:
        """Whether a population can be asked such a thing at all; large models are not loaded."""
        steps = ("subjects", number)
        known = CAN if is_model_name(name) else HEARS
        if is_model_name(name) or population.factory in (NETWORK, _not_there):
            lacking = [TOLD.get(one, one) for one in paradigm.needs if one not in known]
            if lacking:
                self._tell(
                    steps,
                    f"cannot be asked {paradigm.name!r}: it cannot {' and cannot '.join(lacking)}",
                    given=name,
                    allowed="a population that it can be put to",
                    next_command=f"mevgs-toolkit describe {quoted(paradigm.name)}",
                )
            return
        if SEED in population.seeds and getattr(paradigm, "shows_pictures", False):
            self._tell(
                steps,
                f"cannot be asked {paradigm.name!r}: frozen features of words and pictures cannot "
                "be compared",
                given=name,
                allowed="a paradigm that compares words with words, such as translation",
                next_command="mevgs-toolkit list paradigms",
            )
            return
        try:
            subject = _first(population)
            if subject is not None and not any(
                can(subject, [dummy]) for dummy in ("SeesAnswers", "SeesMasks")
            ):
                require(f"{population.name}/{population.seeds[0]}", subject, paradigm.needs)
        except ToolkitError as error:
            self._tell(steps, error)

    def _tested(
        self, paradigm: BaseParadigm, stimuli: StimulusSet, populations: Sequence[Population]
    ) -> dict[str, tuple[str, ...]]:
        """Test languages by population."""
        given = self.table.get("languages", ())
        if not isinstance(paradigm, Paradigm | LookingParadigm):
            return self._written(paradigm, stimuli, populations)
        known = [code for code in given if code in stimuli.languages]
        for number, code in enumerate(given):
            if code not in stimuli.languages:
                self._tell(
                    ("languages", number),
                    f"is no language of the stimulus set {stimuli.name!r}",
                    given=code,
                    nearest=nearest_name(code, stimuli.languages),
                    allowed=", ".join(stimuli.languages),
                    next_command=f"mevgs-toolkit describe {quoted(stimuli.name)}",
                )
        if len(known) < len(given):
            return {}
        tested: dict[str, tuple[str, ...]] = {}
        tried: set[tuple[tuple[str, ...], frozenset[str] | None]] = set()
        for population in populations:
            # Draws have equally many familiar concepts each: one tells whether there are trials.
            first = SubjectRef(population, population.seeds[0])
            try:
                codes = tuple(languages_of(population, paradigm, stimuli, given))
                viewed = first.views(stimuli)
                for code in codes if (codes, first.familiar) not in tried else ():
                    rng = trial_rng(paradigm, stimuli, code, 0)
                    if isinstance(paradigm, Paradigm):
                        paradigm.trials(viewed, code, rng, per_class=1, languages=codes)
                    else:
                        paradigm.trials(viewed, code, rng, per_class=1)
                tried.add((codes, first.familiar))
                tested[population.name] = codes
                self._drawn(paradigm, stimuli, codes)
            except ToolkitError as error:
                self._tell(("languages",) if given else (), error)
                break
        return tested

    def _drawn(
        self,
        paradigm: Paradigm | LookingParadigm,
        stimuli: StimulusSet,
        codes: Collection[str],
    ) -> None:
        """Refuse several lists of trials where they would be the same, or cannot be added up."""
        if isinstance(paradigm, LookingParadigm):
            if len(self.table.get("trial_seeds", ())) > 1 and not self.told:
                self._tell(
                    ("trial_seeds",),
                    "asks for several lists: looking is analysed over one",
                    given=str(list(self.table["trial_seeds"])),
                    allowed="one seed; trials_per_class makes a list longer",
                )
            return
        fixed = stimuli.fixed_trials
        known = set(fixed.loc[fixed["language"].isin(codes), "condition"])
        names = [one.name for one in paradigm.conditions if one.name in known]
        if names and len(self.table.get("trial_seeds", ())) > 1 and not self.told:
            self._tell(
                ("trial_seeds",),
                f"asks for the same several times: the stimulus set {stimuli.name!r} fixes the "
                f"trials of {', '.join(names)}",
                given=str(list(self.table["trial_seeds"])),
                allowed="one seed",
            )

    def _written(
        self, paradigm: BaseParadigm, stimuli: StimulusSet, populations: Sequence[Population]
    ) -> dict[str, tuple[str, ...]]:
        """The same where words are written."""
        given, templates = self.table.get("languages", ()), self.table.get("templates", ())
        try:
            if not isinstance(paradigm, MapParadigm):
                return {one.name: tuple(given) for one in populations}
            queries = paradigm.queries(stimuli, languages=given, templates=templates)
        except ToolkitError as error:
            self._tell(("languages",) if given else (), error)
            return {}
        return {one.name: tuple(queries.languages) for one in populations}


def _first(population: Population) -> object | None:
    """The first seed of a population; None where code of one's own cannot load it yet."""
    try:
        return population.load(population.seeds[0])
    except ToolkitError:
        raise
    except Exception:
        return None


def _not_there(population: Population, seed: str) -> NoReturn:
    """Stands for the networks that are yet to be trained."""
    raise ToolkitError(f"{population.name}/{seed} is not trained yet.")
