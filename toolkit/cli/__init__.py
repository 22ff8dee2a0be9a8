"""The command line: each command parses, calls one function, prints."""


def main() -> None:
    """Run the command line; foreseen errors end with exit code 2 and no traceback."""
    from toolkit.processes.interrupts import ended_at_once

    with ended_at_once():
        from toolkit.cli.app import main as command
    command()
