"""One thread for every number that is kept: sums are then added up in one order on any machine.

Libraries of linear algebra share a sum among as many threads as there are cores, and its last
digits are those of how it was shared. Here each sum stays with one thread, and cores are used by
sums that do not hang together: batches beside each other (`side_by_side`), or processes
(`toolkit.processes.workers`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip
"""Where libraries that are loaded later, and other processes, look up how many to start."""
MOST_AT_ONCE = 16
"""Batches beside each other, at most: each takes memory of its own."""

_lock = threading.Lock()
_limits: list[_Limit] = []
"""What is limited at the moment: nothing, or one."""
_n_blocks = 0
_this_thread = threading.local()


@contextmanager
def one_thread() -> Iterator[None]:
    """Have torch and libraries of linear algebra keep to one thread in the block.

    Afterwards they have as many as before, and those loaded meanwhile as many as they would have
    begun with. Blocks may stand in each other. Also a decorator.

    Example:
        >>> from threadpoolctl import threadpool_info
        >>> import numpy
        >>> with one_thread():
        ...     {one["num_threads"] for one in threadpool_info()}
        {1}
    """
    global _n_blocks
    with _lock:
        if not _n_blocks:
            _limits.append(_Limit())
        _n_blocks += 1
    try:
        yield
    finally:
        with _lock:
            _n_blocks -= 1
            if not _n_blocks:
                _limits.pop().lift()


def side_by_side(
    function: Callable[[Item], Made], items: Sequence[Item], at_once: int | None = None
) -> list[Made]:
    """Call a function with each of some items, several at a time, each call in one thread.

    What comes of it is the same to the byte however many there are: no call knows of another. In
    a call that is itself one of several, the items are taken one after the other.

    Args:
        function: leaves Python's lock while it computes, as torch does; must not change anything
            that another call uses.
        items: what it is called with.
        at_once: calls at the same time; by default as many as libraries would start threads
            (cores, unless OMP_NUM_THREADS says otherwise), at most `MOST_AT_ONCE`.

    Returns:
        What the calls returned, in the order of the items.

    Example:
        >>> side_by_side(abs, [-2, 3])
        [2, 3]
    """
    with one_thread():
        n = min(len(items), at_once or min(_limits[0].usual, MOST_AT_ONCE))
        if n < 2 or getattr(_this_thread, "is_one_of_several", False):
            return [function(item) for item in items]
        with ThreadPoolExecutor(n, initializer=_keep_to_one) as pool:
            return list(pool.map(function, items))


def n_cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _keep_to_one() -> None:
    """Begin a thread that is one of several."""
    _this_thread.is_one_of_several = True
    if torch := _torch():
        torch.set_num_threads(1)  # OpenMP counts for every thread on its own


class _Limit:
    """One thread for all, until it is lifted."""

    def __init__(self) -> None:
        import numpy as np  # noqa: F401  whose library would else be loaded later
        from threadpoolctl import ThreadpoolController

        self._variables = {name: os.environ.get(name) for name in VARIABLES}
        torch = _torch()
        self._of_torch: int | None = torch.get_num_threads() if torch else None
        self.usual: int = self._of_torch or _told() or n_cores()
        """Threads that libraries begin with."""
        os.environ.update(dict.fromkeys(VARIABLES, "1"))
        loaded = ThreadpoolController()
        self._known = {one.filepath for one in loaded.lib_controllers}
        self._limited = loaded.limit(limits=1)
        if torch:
            torch.set_num_threads(1)

    def lift(self) -> None:
        """Let all have as many as before."""
        from threadpoolctl import ThreadpoolController

        for name, value in self._variables.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        for one in ThreadpoolController().lib_controllers:
            if one.filepath not in self._known:
                one.set_num_threads(self.usual)
        self._limited.restore_original_limits()
        if torch := _torch():
            torch.set_num_threads(self._of_torch or self.usual)


def _torch() -> Any:
    """The module, if it is imported, and not only about to be."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "set_num_threads") else None


def _told() -> int | None:
    """The number of threads that the user has asked for."""
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(told) if told.isdecimal() and int(told) else None
