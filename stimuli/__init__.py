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

from stimuli.finding import list_sets, open_set
from stimuli.sets import StimulusSet

__all__ = ["StimulusSet", "list_sets", "open_set"]
