"""The command line: each command parses, calls one function, prints."""


def main() -> None:
    """Run the command line; foreseen errors end with exit code 2 and no traceback."""
    from toolkit.processes.interrupts import ended_at_once

    with ended_at_once():
        from toolkit.cli.app import main as command
    command()


def command() -> None:
    """What ``mevgs-toolkit`` starts: `main`, and an end as soon as all is said.

    Python would first take apart all that was imported, which lasts seconds on a busy machine.
    """
    import os
    import sys
    from contextlib import suppress

    try:
        main()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()
        os._exit(end.code if isinstance(end.code, int) else 0)
