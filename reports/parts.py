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
    """Data address of its picture."""
    file: str
    """Name of its picture in the set."""


@dataclass(frozen=True)
class Chosen:
    """What some of the seeds chose."""

    what: str
    """Class of it; ``neither`` for ties."""
    is_target: bool
    """True for the right answer."""
    n_seeds: int
    """So many chose it."""


@dataclass(frozen=True)
class SeedAnswer:
    """What one seed chose."""

    seed: str
    """Its name."""
    correct: bool
    """Whether it was right."""
    margin: str
    """Score of the target less that of the best distractor, in SD; empty without scores."""
    rival: str
    """What it chose instead, where there were more than two options; else empty."""


@dataclass(frozen=True)
class Answers:
    """What the seeds of one population chose."""

    population: str
    """Who was asked."""
    chosen: tuple[Chosen, ...]
    """What was chosen, the target first."""
    margin: str
    """Mean margin over seeds, in SD; empty where there is no score."""
    seeds: tuple[SeedAnswer, ...]
    """Every seed."""


@dataclass(frozen=True)
class Card:
    """One trial with all answers to it."""

    kind: str
    """Why it is shown: easiest, hardest or most disagreed."""
    condition: str
    """Which condition."""
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
    sound_file: str
    """Name of the clip in the set."""
    options: tuple[Option, ...]
    """What was shown, in the order shown; empty where options were no pictures."""
    answers: tuple[Answers, ...]
    """Answers by population."""


@dataclass(frozen=True)
class Gallery:
    """The trials of a paradigm that can be looked at."""

    cards: tuple[Card, ...]
    """Those picked, which are on the page without its script, and on paper."""
    table: str
    """All of them with all answers, packed for the script (`reports.packing`)."""
    notes: tuple[str, ...]
    """Which trials are here and why, and what their margins are."""
    stimuli: tuple[str, ...]
    """Pictures and clips shown."""


@dataclass(frozen=True)
class WordRow:
    """One word of a comparison."""

    word: str
    """Its concept."""
    cells: tuple[str, ...]
    """Both accuracies, their difference, its interval, and numbers of seeds."""


@dataclass(frozen=True)
class Comparison:
    """Two populations, or one in two languages, word by word."""

    first: str
    """Who is compared to begin with."""
    second: str
    """With whom."""
    condition: str
    """In which condition."""
    rows: tuple[WordRow, ...]
    """Words, the largest difference first."""
    language: str
    """Test language of the first."""
    population: str
    """Population of the first."""
    figure: Figure
    """The same as a drawing; its data hold all pairs and conditions."""
    table: str
    """Numbers of all pairs and conditions, packed for the script (`reports.packing`)."""
    notes: tuple[str, ...]
    """How the numbers are to be read."""


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
