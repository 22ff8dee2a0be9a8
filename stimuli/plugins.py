"""Paradigms, populations and stimulus sets by name: what is included, installed, or one's own.

Whatever has a name comes from one of three places, asked in this order: this package, the entry
points of installed packages, and a folder that the user names. What cannot be loaded is a fault
that is kept and told; it hides nothing else. It is raised where it matters: when its own name is
asked for, and, if it lies in the folder that the user named, when anything is opened.

It stands in the lowest layer, because each layer above has things with names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from stimuli.errors import ToolkitError, nearest_name, unknown_name

T = TypeVar("T")


@dataclass(frozen=True)
class Offer(Generic[T]):
    """A place that things with names come from."""

    load: Callable[[], Iterable[tuple[str, T]]]
    """Gives them by name; what it raises says which place it is, if that is one's own."""
    name: str = ""
    """What it is called before it is loaded; empty where that is not known."""
    called: str = ""
    """How a message calls an installed one; empty for one's own."""
    next_command: str | None = None
    """What helps if it cannot be loaded."""


@dataclass(frozen=True)
class Fault:
    """Something that is left out, and why."""

    error: ToolkitError
    name: str
    """By which it would be asked for; empty where that is not known."""
    own: bool
    """Whether it lies in the folder that the user named."""
    shares_name: bool = False
    """Whether it is left out because something else has its name."""


@dataclass(frozen=True)
class Registry(Generic[T]):
    """Things of one kind, found by name.

    Example:
        >>> words = Registry(
        ...     kind="word", plural="words", group="example.words",
        ...     included=lambda: [("ball", 1), ("dog", 2)], place=lambda word: word,
        ...     read=lambda name, given: [(name, given)], list_command="ls",
        ... )
        >>> words.find().get("dog")
        2
        >>> words.find().unknown("dogg").nearest
        'dog'
    """

    kind: str
    """What messages call one of them."""
    plural: str
    """And several."""
    group: str
    """Entry points of installed packages."""
    included: Callable[[], Iterable[tuple[str, T]]]
    """Those of this package."""
    read: Callable[[str, object], Iterable[tuple[str, T]]]
    """What an entry point offers: its name and what it loads become things with names."""
    place: Callable[[T], object]
    """What tells two of the same name apart, as a message shows it: a file, a folder."""
    list_command: str
    """Lists them."""
    own_first: bool = False
    """Whether one's own stands before one of the same name elsewhere; else that is refused."""

    def find(self, own: Iterable[Offer[T]] = ()) -> Found[T]:
        """Load all of them.

        Args:
            own: places in the folder that the user named.

        Returns:
            What was found, and what was left out.
        """
        known = dict(self.included())
        faults: list[Fault] = []
        self._add(known, faults, (self._installed(point) for point in self._points()))
        mine: dict[str, T] = {} if self.own_first else known
        self._add(mine, faults, own)
        known |= mine
        return Found(self, known, tuple(faults))

    def clash(self, name: str, one: T, other: T) -> ToolkitError:
        """The error for two of the same name.

        Args:
            name: of both.
            one: of them.
            other: of them.
        """
        return ToolkitError(
            f"Two {self.plural} are called {name!r}: {self.place(one)} and {self.place(other)}.",
            next_command="rename one of them, or uninstall the package that brings it",
        )

    def _points(self) -> Iterable[EntryPoint]:
        return sorted(entry_points(group=self.group), key=lambda point: point.name)

    def _installed(self, point: EntryPoint) -> Offer[T]:
        package = point.dist.name if point.dist is not None else None
        return Offer(
            lambda: self.read(point.name, point.load()),
            point.name,
            f"The entry point {point.name!r} of {package or 'a package'} ({self.group})",
            f"pip uninstall {package}, or a newer version of it" if package else None,
        )

    def _add(self, known: dict[str, T], faults: list[Fault], offers: Iterable[Offer[T]]) -> None:
        for offer in offers:
            own = not offer.called
            try:
                offered = list(offer.load())
            # Whatever another's code raises, even to end the program, must not end the list.
            except (Exception, SystemExit) as raised:
                faults.append(Fault(_named(raised, offer), offer.name, own))
                continue
            for name, thing in offered:
                if name in known and self.place(known[name]) != self.place(thing):
                    error = self.clash(name, known[name], thing)
                    faults.append(Fault(error, name, own, shares_name=True))
                else:
                    known[name] = thing


@dataclass(frozen=True)
class Found(Generic[T]):
    """What a registry found."""

    registry: Registry[T]
    known: dict[str, T]
    """By name."""
    faults: tuple[Fault, ...]
    """What was left out."""

    def usable(self) -> dict[str, T]:
        """What is known by name, if the folder that the user named is sound.

        Raises:
            ToolkitError: something in it cannot be loaded, or has a name that is taken.
        """
        for fault in self.faults:
            if fault.own:
                raise fault.error
        return self.known

    def get(self, name: str) -> T | None:
        """What has that name; None if nothing has.

        Args:
            name: e.g. ``me``.

        Raises:
            ToolkitError: as `usable`, or that very thing cannot be loaded, or two have the name.
        """
        for fault in self.faults:
            if fault.name == name and (fault.shares_name or name not in self.known):
                raise fault.error
        return self.usable().get(name)

    def unknown(self, name: str) -> ToolkitError:
        """The error for a name that nothing has; it tells what was left out.

        Args:
            name: that was asked for.
        """
        registry = self.registry
        error = unknown_name(registry.kind, name, list(self.known), registry.list_command)
        error.message = " ".join([error.message, *self.left_out()])
        if error.nearest is None:  # what is called `me` stands in a file that tells what it is
            files = {
                thing.__module__.rpartition(".")[2]: called
                for called, thing in self.known.items()
                if isinstance(thing, type)
            }
            error.nearest = files.get(nearest_name(name, files) or "")
        return error

    def left_out(self) -> Iterator[str]:
        """A sentence for everything that was left out."""
        return (f"Left out: {fault.error.message}" for fault in self.faults)


def _named(error: BaseException, offer: Offer[T]) -> ToolkitError:
    """An error that says which offer it is about."""
    if not isinstance(error, ToolkitError):
        why = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        what = offer.called or f"{offer.name!r}"
        return ToolkitError(f"{what} cannot be loaded: {why}.", next_command=offer.next_command)
    if not offer.called:
        return error
    return ToolkitError(
        f"{offer.called} cannot be loaded: {error.message}",
        given=error.given,
        allowed=error.allowed,
        nearest=error.nearest,
        next_command=error.next_command or offer.next_command,
    )
