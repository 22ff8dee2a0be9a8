"""The command line: each command parses, calls one function, prints."""

from toolkit.cli.app import main

__all__ = ["main"]
