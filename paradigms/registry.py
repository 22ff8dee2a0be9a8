"""Finds paradigms: this package's files, a user's folder, and installed entry points."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from paradigms.base import BaseParadigm
from stimuli.characters import hidden_in, shown
from stimuli.errors import ToolkitError, quoted, unknown_name
from stimuli.plugins import Found, Offer, Registry

ENTRY_POINT_GROUP = "mevgs_toolkit.paradigms"
"""Packages offer paradigms here; each entry point names a decorated class."""

C = TypeVar("C", bound="type[BaseParadigm]")


def paradigm(name: str, *, version: int) -> Callable[[C], C]:
    """Give a paradigm class the name it is called by and its version.

    Raise the version whenever the trials or the scoring change, so that results of two versions
    are never pooled by mistake.

    Raises:
        ToolkitError: naming the file, if the class is of no kind, a contrast names a condition that
            is not declared, a condition shows the pairs of one that is not declared before it, or
            the class declares what cannot be kept, such as a formula that is not fitted as it
            stands.
    """

    def decorate(cls: C) -> C:
        try:
            _check_name("a paradigm", name)
            _check_kind(cls, name)
            cls.name = name
            cls.version = version
            _check_conditions(cls)
            cls.check_declaration()
        except ToolkitError as error:
            raise ToolkitError(
                f"{_place(cls)}{error.message}",
                given=error.given,
                allowed=error.allowed,
                nearest=error.nearest,
                next_command=error.next_command,
            ) from error
        return cls

    return decorate


def _check_kind(cls: type[BaseParadigm], name: str) -> None:
    kinds = {str(vars(one)["kind"]): None for one in cls.__mro__ if "kind" in vars(one)}
    if not issubclass(cls, BaseParadigm) or len(kinds) != 1:
        raise ToolkitError(
            f"The paradigm {name!r} is {' and '.join(kinds) or 'of no kind'}; it must be one.",
            given=f"class {cls.__name__}({', '.join(base.__name__ for base in cls.__bases__)})",
            allowed="a subclass of PicturePairs or Paradigm (choices), of MapParadigm (maps), or "
            "of LookingParadigm (looking)",
        )


def _check_name(what: str, name: str) -> None:
    if not name or (hidden := hidden_in(name)):
        raise ToolkitError(
            f"The name of {what} is empty or holds a character that is not seen.",
            given=f"{hidden} in {shown(name)}" if name else "''",
            allowed="text on one line, without control characters and bidirectional overrides",
        )


def _check_conditions(cls: type[BaseParadigm]) -> None:
    known: list[str] = []
    for condition in getattr(cls, "conditions", ()):
        _check_name(f"a condition of {cls.name!r}", condition.name)
        pairs_of = getattr(condition, "pairs_of", "")
        if pairs_of and pairs_of not in known:
            what = f"condition of {cls.name!r} before {condition.name!r}"
            raise unknown_name(what, pairs_of, known)
        if getattr(condition, "variant", "") and not pairs_of:
            raise ToolkitError(
                f"Condition {condition.name!r} of {cls.name!r} says changed words, and not whose "
                "trials are asked again with them.",
                given=f"variant={condition.variant!r} without pairs_of",
                allowed=f"pairs_of, the name of a condition before it: {', '.join(known)}",
            )
        known.append(condition.name)
    named = [name for contrast in cls.contrasts for name in (contrast.plus, contrast.minus)]
    for given in (*named, *(name for factor in cls.graded for name in factor.levels)):
        if given not in known:
            raise unknown_name(f"condition of {cls.name!r}", given, known)
    for factor in cls.graded:
        if len(set(factor.levels.values())) < 2:
            raise ToolkitError(
                f"The graded factor {factor.name!r} of {cls.name!r} has one level only.",
                given=f"{dict(factor.levels)}",
                allowed="a number for each condition, two or more different ones",
            )


def _place(cls: type) -> str:
    """The file of a class, for a message; empty where there is none, as in a console."""
    try:
        return f"{inspect.getfile(cls)}: "
    except (TypeError, OSError):
        return ""


def find_paradigms(folder: str | Path | None = None) -> dict[str, type[BaseParadigm]]:
    """Find all paradigms by name.

    Args:
        folder: a folder of the user's own paradigm files, looked at besides the built-in ones.

    Returns:
        Paradigm classes by name, sorted by name; without those of installed packages that cannot
        be loaded, see `look_for_paradigms`.

    Raises:
        ToolkitError: if a file in the folder cannot be read, or has a paradigm whose name is taken.

    Example:
        >>> {'dense-grounding', 'familiar', 'me', 'translation'} <= set(find_paradigms())
        True
    """
    return dict(sorted(look_for_paradigms(folder).usable().items()))


def get_paradigm(name: str, folder: str | Path | None = None) -> BaseParadigm:
    """Make the paradigm of that name.

    Raises:
        ToolkitError: if the name is unknown (the nearest name is shown), what is installed under it
            cannot be loaded or is two paradigms, or as `find_paradigms`.

    Example:
        >>> get_paradigm("me").version
        2
    """
    found = look_for_paradigms(folder)
    cls = found.get(name)
    if cls is None:
        raise found.unknown(name)
    return cls()


def look_for_paradigms(folder: str | Path | None = None) -> Found[type[BaseParadigm]]:
    """Find all paradigms by name, and what is left out.

    Args:
        folder: as for `find_paradigms`.

    Raises:
        ToolkitError: there is no such folder.

    Example:
        >>> look_for_paradigms().faults
        ()
    """
    files = [] if folder is None else sorted(_python_files(Path(folder)))
    return _REGISTRY.find(Offer(functools.partial(_classes_in, path), path.stem) for path in files)


@functools.lru_cache(maxsize=8)
def reopen(path: str, name: str) -> BaseParadigm:
    """Make a paradigm from the file that defines it, in another process for example.

    Args:
        path: the file, built-in or a user's own.
        name: the paradigm's name.

    Example:
        >>> import inspect
        >>> me = get_paradigm("me")
        >>> reopen(inspect.getfile(type(me)), "me").version
        2
    """
    return dict(_classes_in(Path(path)))[name]()


def source_checksum(paradigm: BaseParadigm) -> str:
    """SHA-256 of the file that defines the paradigm: an edited file is never taken as old."""
    return hashlib.sha256(Path(inspect.getfile(type(paradigm))).read_bytes()).hexdigest()


def _python_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ToolkitError(
            f"There is no folder of paradigms at {folder}.",
            next_command="mevgs-toolkit new-paradigm my-paradigm",
        )
    return [path for path in folder.glob("*.py") if not path.name.startswith(("_", "test_"))]


def _import_file(path: Path) -> ModuleType:
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(f"_paradigm_{digest}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ToolkitError(f"{path} cannot be read as a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except ToolkitError:
        raise
    except (Exception, SystemExit) as error:
        raise ToolkitError(
            f"{path} cannot be imported: {type(error).__name__}: {error}.",
            next_command=f"python {quoted(path)}",
        ) from error
    return module


def _included() -> Iterator[tuple[str, type[BaseParadigm]]]:
    package = importlib.import_module("paradigms")
    for module in pkgutil.iter_modules(package.__path__):
        yield from _classes(importlib.import_module(f"paradigms.{module.name}"))


def _classes_in(path: Path) -> Iterator[tuple[str, type[BaseParadigm]]]:
    return _classes(_import_file(path))


def _classes(module: ModuleType) -> Iterator[tuple[str, type[BaseParadigm]]]:
    """The paradigms that a module defines."""
    for _, cls in inspect.getmembers(module, inspect.isclass):
        named = {"name", "version"} <= set(vars(cls)) and cls.__module__ == module.__name__
        if named and issubclass(cls, BaseParadigm):
            yield _declared(cls)


def _offered(_: str, cls: object) -> Iterator[tuple[str, type[BaseParadigm]]]:
    """What an entry point offers, if it is a paradigm."""
    if not inspect.isclass(cls) or not issubclass(cls, BaseParadigm) or "name" not in vars(cls):
        raise ToolkitError(
            "It is no paradigm.",
            given=repr(cls),
            allowed="module:Class of a class that is decorated with @paradigm(name, version=...)",
        )
    yield _declared(cls)


def _declared(cls: type[BaseParadigm]) -> tuple[str, type[BaseParadigm]]:
    """A class by its name, if it declares what its base class asks for."""
    asked = {name: None for base in cls.__mro__[:0:-1] for name in inspect.get_annotations(base)}
    missing = [name for name in asked if not hasattr(cls, name)]
    if missing:
        raise ToolkitError(
            f"{_place(cls)}The paradigm {cls.name!r} does not declare {', '.join(missing)}.",
            allowed="a class that sets what its base class asks for",
            next_command="mevgs-toolkit new-paradigm my-paradigm",
        )
    return cls.name, cls


_REGISTRY: Registry[type[BaseParadigm]] = Registry(
    kind="paradigm",
    plural="paradigms",
    group=ENTRY_POINT_GROUP,
    included=_included,
    read=_offered,
    place=lambda cls: f"{_place(cls)}{cls.__qualname__}",
    list_command="mevgs-toolkit list paradigms",
)
