"""The most that is taken in: small files and numbers must not be able to take the machine.

Everything is compared with what a file says of itself, or with what was asked for, before memory
is laid out for it; what a file does not say (a stream's length) is counted while it is read. Each
limit lies far above what an experiment needs, and is told when it is met.
"""

from __future__ import annotations

from stimuli.errors import ToolkitError

PIXELS = 2**25
"""Of one picture: 5792 x 5792. Reading one takes up to 0.8 GB, whatever its mode."""
SAMPLES = 2**26
"""Of one clip, all channels together: 70 minutes at 16 kHz, 0.3 GB."""
TRIALS_PER_CLASS = 100_000
"""Per word class and condition of a drawn trial list."""
EXPERIMENT = 1_000
"""Trials of a child, and children, of an experiment; far above what anybody needs."""
SEEDS = 10_000
"""Of one population."""
CELLS = 100_000
"""Populations times seeds of one training."""
JOBS = 1_024
"""Processes or threads at the same time."""
RESAMPLES = 10_000_000
"""Of a bootstrap, or simulated experiments."""
CARDS = 10_000
"""Trials in the gallery of a report."""
FEATURE_VALUES = 2**26
"""Numbers in the feature of one clip or picture: 0.3 GB."""
FEATURES_IN_MEMORY = 2**30
"""Bytes of published features, in half precision, that a process keeps in memory to train on: 1 GB,
4,000 pictures of the published size. What there is more of stays on the disk, and each update reads
what it needs; the numbers that come of it are the same."""
TABLE_VALUES = 2**29
"""Rows times columns of a table: 20 million trials of a run, 4 GB."""
COLUMN_BYTES = 2**30
"""Of all texts in one column of a table."""
ARRAY_BYTES = 2**31
"""Of all arrays in one file of NumPy's."""
WIDTH = 65_536
"""Channels of a layer of a network, or of what it is given."""
WHOLE = 2**63 - 1
"""The largest whole number that a file may give, and with a minus the smallest: 64 bits."""
TEXT_BYTES = 2**28
"""Of one text file, JSON or TOML: 0.27 GB."""
NESTING = 100
"""Lists and objects inside each other in JSON or TOML."""
STEPS = 10_000_000
"""Updates or epochs of a training."""
LAYERS = 1_000
"""Layers of a network that is built from its settings."""
PARAMETERS = 2**30
"""Numbers in the weights of one network that is built from its settings: 4.3 GB."""
RATE_HZ = 1_000_000
"""Samples per second of a clip."""
LISTING_S = 120
"""Seconds in which what a file of features from elsewhere holds must have been listed..."""
LISTING_BYTES_PER_S = 10**8
"""...and one more for so many bytes of it."""


def refuse_more(what: str, given: int, most: int, next_command: str | None = None) -> None:
    """Refuse what is larger than its limit.

    Args:
        what: what there would be too many of, with whose they are.
        given: how many.
        most: the limit.
        next_command: what helps.

    Raises:
        ToolkitError: it is larger.

    Example:
        >>> refuse_more("seeds of a population", 10, SEEDS)
        >>> refuse_more("seeds of a population", 2**31, SEEDS)
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: There are too many seeds of a population.
          given: 2,147,483,648
          allowed: at most 10,000
    """
    if given > most:
        raise ToolkitError(
            f"There are too many {what}.",
            given=f"{given:,}",
            allowed=f"at most {most:,}",
            next_command=next_command,
        )
