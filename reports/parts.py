"""What a page is made of, ready to be shown: tables, models in full, status, trials, maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from reports.figures import Figure


@dataclass(frozen=True)
class Table:
    """A table as it is shown."""

    name: str
    """Anchor and file name."""
    title: str
    """Its caption."""
    columns: tuple[str, ...]
    """Headings."""
    rows: tuple[tuple[str, ...], ...]
    """Cells as text; the first of a row is its heading."""
    n_labels: int = 1
    """Columns on the left that hold text; the others hold numbers and are aligned right."""
    note: str = ""
    """A sentence below it."""
    aside: tuple[str, ...] = ()
    """Headings of columns that are shown on demand: what stands behind estimate, interval and p;
    on paper, and without scripts, they are all there."""
    folded: bool = False
    """True for long tables, which are opened on demand."""
    languages: tuple[str, ...] = ()
    """Language of the text in each column, where columns hold texts in several languages; empty for
    the page's own."""

    def said(self, say: Callable[[str], str]) -> Table:
        """The same with its headings and sentences said otherwise, cells as they are."""
        columns, aside = (tuple(map(say, names)) for names in (self.columns, self.aside))
        return replace(self, title=say(self.title), columns=columns, aside=aside,
                       note=say(self.note))  # fmt: skip


@dataclass(frozen=True)
class Overview:
    """What is seen of a paradigm first: the test that decides, for everyone who was asked."""

    question: str
    """What that test asks."""
    verdict: str
    """What it says, in a sentence or two."""
    figure: Figure
    """Its estimates and intervals; not shown again further down."""
    table: Table
    """The same in numbers, with p values, narrow enough for the page."""

    def said(self, say: Callable[[str], str]) -> Overview:
        """The same with its sentences said otherwise."""
        return replace(self, figure=self.figure.said(say), table=self.table.said(say))


@dataclass(frozen=True)
class ModelSummary:
    """One fitted model in full."""

    name: str
    """What it is for."""
    formula: str
    """As asked for, and as fitted where that differs."""
    facts: tuple[tuple[str, str], ...]
    """Numbers of observations, likelihood, diagnostics."""
    fixed: Table
    """Fixed effects."""
    random: Table
    """Random effects."""


@dataclass(frozen=True)
class Planned:
    """What a study said before its data were seen, and what came of it."""

    hypotheses: tuple[str, ...]
    """What was expected."""
    confirmatory: tuple[str, ...]
    """What the tests say that decide about that, in sentences."""
    lines: tuple[Line, ...]
    """What the status says of the plan."""


@dataclass(frozen=True)
class Line:
    """One line of the status."""

    level: Literal["good", "note", "warning"]
    """How much it matters."""
    label: str
    """A few words."""
    text: str
    """A sentence."""


@dataclass(frozen=True)
class Option:
    """One thing that could be chosen."""

    concept: str
    """What it shows or means."""
    is_target: bool
    """True for the right answer."""
    image: str
    """Data address of its picture; empty where it is none."""


@dataclass(frozen=True)
class Answers:
    """What the seeds of one population chose."""

    population: str
    """Who was asked."""
    seeds: tuple[tuple[str, bool, float, str], ...]
    """Name of the seed, correct or not, margin, and the class of the best distractor."""

    @property
    def n_correct(self) -> int:
        """Number of seeds that were right."""
        return sum(correct for _, correct, _, _ in self.seeds)


@dataclass(frozen=True)
class Card:
    """One trial with all answers to it."""

    kind: str
    """Why it is shown: easiest, hardest or most disagreed."""
    language: str
    """ISO code of the word said."""
    word: str
    """Its spelling, or the name of its concept."""
    concept: str
    """What it means."""
    voice: str
    """Who says it, if known."""
    sound: str
    """Data address of the clip; empty where it is not at hand."""
    options: tuple[Option, ...]
    """What was shown, in the order shown; empty where options were no pictures."""
    share_correct: float
    """Share of all seeds that were right."""
    mean_margin: float
    """Mean over seeds of score of the target - score of the best distractor."""
    answers: tuple[Answers, ...]
    """Answers by population."""


@dataclass(frozen=True)
class Credit:
    """Where a stimulus shown on the page comes from."""

    stimulus_id: str
    """Its name in the set."""
    source: str
    """Where it was found."""
    author: str
    """Who made it, if the set says."""
    licence: str
    """Its licence."""


@dataclass(frozen=True)
class Tile:
    """One language's map above, and its mask below where masks are shown."""

    code: str
    """Language."""
    label: str
    """What stands below it."""
    image: str
    """Data address."""
    alt: str
    """What is seen."""
    height_px: int
    """Of the image."""


@dataclass(frozen=True)
class Overlay:
    """One picture and concept in all languages."""

    concept: str
    """What was asked for."""
    about: str
    """Picture, network and how the word was put."""
    picture: str
    """Data address of the picture, with the outline of the true mask; empty without picture."""
    picture_alt: str
    """What is seen."""
    tiles: tuple[Tile, ...]
    """The reference first, then high-, then low-resource languages."""
    credit: Credit | None
    """Where the picture comes from."""
    noun: str
    """What the number below each map is about."""
    masks: bool
    """True where cluster masks are shown below the maps."""
