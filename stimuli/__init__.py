"""What can be shown or said: sets of pictures and spoken words, and how they were made.

A stimulus set is a folder with `set.toml`, `stimuli.csv` (one row per file) and `columns.csv` (what
each column means). The set `mini` comes with the package; a folder of your own opens in the same
way.

Example:
    >>> from stimuli import open_set
    >>> mini = open_set("mini")
    >>> mini.languages
    ('en', 'nl', 'fr')
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stimuli.finding import list_sets, open_set
    from stimuli.sets import StimulusSet

__all__ = ["StimulusSet", "list_sets", "open_set"]

if not TYPE_CHECKING:  # names that are not offered are errors to a type checker, too

    def __getattr__(name: str) -> object:
        """What is offered here, imported when it is first asked for.

        Errors live in this layer, so that every command imports the package, most without a set.
        """
        if name not in __all__:
            raise AttributeError(f"module 'stimuli' has no attribute {name!r}")
        return getattr(import_module("stimuli.finding"), name)

    def __dir__() -> list[str]:
        """What is offered here, beside what every module has."""
        return sorted({*globals(), *__all__})
