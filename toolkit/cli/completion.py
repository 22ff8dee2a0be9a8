"""Names that the shell completes: paradigms, subjects and their seeds, stimulus sets, languages.

Nothing is told of what is wrong meanwhile: the command itself will say it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import typer

from toolkit.errors import ToolkitError


def paradigm_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Paradigms that begin so, those of ``--paradigms`` among them."""
    from paradigms.registry import look_for_paradigms

    with suppress(ToolkitError, OSError):
        return _beginning(incomplete, sorted(look_for_paradigms(_place(ctx, "paradigms")).known))
    return []


def subject_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Populations that begin so, those of ``--subjects`` among them; behind a slash, seeds."""
    from toolkit.subjects.populations import look_for_populations

    with suppress(ToolkitError, OSError):
        known = look_for_populations(_place(ctx, "subjects"))
        base, slash, _ = incomplete.partition("/")
        one = known.get(base) if slash else None
        names = [f"{base}/{seed}" for seed in one.seeds] if one else sorted(known.known)
        return _beginning(incomplete, names)
    return []


def all_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Whatever can be described and begins so."""
    return [
        *paradigm_names(ctx, incomplete),
        *subject_names(ctx, incomplete),
        *set_names(incomplete),
    ]


def set_names(incomplete: str) -> list[str]:
    """Stimulus sets that begin so."""
    from stimuli.finding import look_for_sets

    with suppress(ToolkitError, OSError):
        return _beginning(incomplete, sorted(look_for_sets().known))
    return []


def language_codes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Languages, spoken or written, of the set of ``--stimuli``, or of ``mini``."""
    from stimuli import open_set

    with suppress(ToolkitError, OSError):
        found = open_set(ctx.params.get("stimuli") or "mini")
        written = found.words.languages if found.has_words else ()
        return _beginning(incomplete, [*dict.fromkeys((*found.languages, *written))])
    return []


def _place(ctx: typer.Context, option: str) -> Path | None:
    """The folder that an option named before the word that is completed."""
    given = ctx.params.get(option)
    return Path(given) if given else None


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
