"""A stimulus set whose words are heard as they unfold: clips up to a point, nothing behind it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.sets import SHORTEST_CLIP_S, StimulusSet

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

MARK = "@"
"""Stands between the name of a clip and the time up to which it is heard."""
STEP_S = 0.04
"""Cut clips are filled up with silence to a whole number of these, as clips of `mini` are: equal
lengths are processed together."""
CLIPS_AT_HAND = 512
"""Clips that are kept while they are cut, so that each is read once."""


def heard_id(stimulus_id: str, end_ms: int) -> str:
    """Name of what is heard of a clip up to a time.

    Args:
        stimulus_id: the clip.
        end_ms: milliseconds after its beginning.

    Example:
        >>> heard_id("en_bear_Andrea_0", 340)
        'en_bear_Andrea_0@340'
    """
    return f"{stimulus_id}{MARK}{end_ms}"


@dataclass(frozen=True)
class UnfoldingSet(StimulusSet):
    """A set in which `heard_id` names clips, too: what comes after that time is not there.

    Example:
        >>> from stimuli import open_set
        >>> mini = open_set("mini")
        >>> whole, part = (
        ...     UnfoldingSet.of(mini).read_clip(name)
        ...     for name in ("en_bear_Andrea_0", heard_id("en_bear_Andrea_0", 100))
        ... )
        >>> bool((part[:1600] == whole[:1600]).all()), len(part), float(abs(part[1600:]).max())
        (True, 1920, 0.0)
    """

    @classmethod
    def of(cls, stimuli: StimulusSet) -> UnfoldingSet:
        """The same set, words unfolding."""
        return cls(**{one.name: getattr(stimuli, one.name) for one in fields(StimulusSet)})

    @property
    def shortest_ms(self) -> int:
        """Less than so many milliseconds are nothing to hear."""
        return round(1000 * SHORTEST_CLIP_S)

    def read_clip(self, stimulus_id: str) -> NDArray[np.float32]:
        """The sound of a word, or what is heard of it; see `StimulusSet.read_clip`.

        Args:
            stimulus_id: a row of `table` with kind `word`, or what `heard_id` made of one.
        """
        clip, end_ms = _parts(stimulus_id)
        if end_ms is None or stimulus_id in self._rows:
            return self._whole(stimulus_id)
        import numpy as np

        step = round(STEP_S * self.sample_rate_hz)
        heard = self._whole(clip)[: end_ms * self.sample_rate_hz // 1000]
        return np.pad(heard, (0, -len(heard) % step))

    def file_of(self, stimulus_id: str) -> Path:
        """Where the file of a stimulus lies; that of what is heard of a clip is the clip's."""
        known = stimulus_id if stimulus_id in self._rows else _parts(stimulus_id)[0]
        return super().file_of(known)

    @functools.cached_property
    def _whole(self) -> Callable[[str], NDArray[np.float32]]:
        return functools.lru_cache(maxsize=CLIPS_AT_HAND)(super().read_clip)


def _parts(name: str) -> tuple[str, int | None]:
    """A clip and the time up to which it is heard; None where all of it is."""
    clip, mark, end = name.rpartition(MARK)
    return (clip, int(end)) if mark and end.isdecimal() else (name, None)
