"""What a subject can do, held against what a paradigm needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.subjects import contract

TOLD = {
    "Subject": "hear words and look at pictures",
    "ReadsText": "read text",
    "SeesPlaces": "say what is seen at each place of a picture",
}
"""What each protocol of `toolkit.subjects.contract` means, as it stands in an error."""
EXAMPLES = {
    ("Subject",): ("me", "bilingual-en-nl"),
    ("ReadsText", "SeesPlaces"): ("dense-grounding", "multilingual-clip"),
}
"""A paradigm and a population that go together, for everything that built-in paradigms need."""


def require(name: str, subject: Any, needs: Sequence[str]) -> None:
    """Refuse a subject that lacks a capability.

    Args:
        name: what the subject is called.
        subject: the subject, loaded.
        needs: names of protocols in `toolkit.subjects.contract`.

    Raises:
        ToolkitError: naming what it cannot do, the methods it lacks, and what it could be asked.

    Example:
        >>> require("deaf/a", object(), ["Subject"])
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: Subject deaf/a cannot hear words and look at pictures.
          given: object, without embed_words, embed_pictures, similarity
          allowed: a subject with embed_words, embed_pictures, similarity
          try: mevgs-toolkit run-paradigm me --subject bilingual-en-nl
    """
    lacking = {protocol: missing for protocol in needs if (missing := _missing(subject, protocol))}
    if not lacking:
        return
    methods = ", ".join(method for missing in lacking.values() for method in missing)
    able = [own for own in EXAMPLES if not any(_missing(subject, protocol) for protocol in own)]
    # What this subject can be asked, or else whom this can be asked of.
    paradigm, other = EXAMPLES.get(able[0] if able else tuple(needs), ("", ""))
    raise ToolkitError(
        f"Subject {name} cannot {' and cannot '.join(TOLD.get(own, own) for own in lacking)}.",
        given=f"{type(subject).__name__}, without {methods}",
        allowed=f"a subject with {', '.join(m for own in needs for m in _methods(own))}",
        next_command=f"mevgs-toolkit run-paradigm {paradigm} --subject {name if able else other}"
        if paradigm
        else None,
    )


def _methods(protocol: str) -> list[str]:
    """Methods that a protocol asks for."""
    own = vars(getattr(contract, protocol))
    return [name for name, value in own.items() if callable(value) and not name.startswith("_")]


def _missing(subject: Any, protocol: str) -> list[str]:
    return [name for name in _methods(protocol) if not callable(getattr(subject, name, None))]
