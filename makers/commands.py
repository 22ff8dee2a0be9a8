"""What the commands of this folder share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from reports.terminal import guard_streams, say
from stimuli.errors import ToolkitError


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command; foreseen errors end with exit code 2 and no traceback.

    Args:
        main: reads the command line, and does what it says.

    Example:
        >>> run(lambda: None)
        Traceback (most recent call last):
        SystemExit: 0
    """
    guard_streams()
    try:
        main()
    except ToolkitError as error:
        say(f"Error: {error}", error=True)
        sys.exit(2)
    sys.exit(0)
