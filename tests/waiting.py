"""Waiting for a state, the one place of the tests that looks at a clock.

What a test waits for becomes true however busy the machine is. The limit is many times what that
takes there; it is not part of any test, and only ends one that would never end. Scripts that tests
start can wait as well: `tests.process_groups.started` lets them find this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_S = 600
"""Only a test that fails waits so long."""
PAUSE_S = 0.02


def wait_until(state: Callable[[], object], never: Callable[[], str] = str) -> None:
    """Come back once `state` returns something true; fails, with what `never` tells, at the limit.

    What has to be done again before each look, because once may have been too early, is done in
    `state`.
    """
    end = time.monotonic() + LIMIT_S
    while not state():
        if time.monotonic() > end:
            raise AssertionError(f"waited for in vain: {never()}")
        time.sleep(PAUSE_S)
